/* The node cases of onnx.backend.test, from tests/golden/onnx/node_cases.pack, whose maker
 * (make_node_cases.py) says what the file holds. */
#ifndef XAUDIT_TEST_NODE_CASES_H
#define XAUDIT_TEST_NODE_CASES_H

#include "xaudit/util.h"

enum { NODE_VALUES = 16, NODE_RANK = 8, NODE_FLOAT = 1 };

typedef struct node_value {
    char name[64];
    int rank;
    int64_t dim[NODE_RANK];
    int type; /* TensorProto.DataType */
    const unsigned char *data;
    size_t bytes;
} node_value;

typedef struct node_case {
    char name[128];
    const unsigned char *head, *graph; /* fields of the model but its graph; of the graph */
    size_t head_bytes, graph_bytes;
    node_value inputs[NODE_VALUES], outputs[NODE_VALUES];
    int ninputs, noutputs;
} node_case;

typedef struct node_cases {
    unsigned char *bytes; /* owned; cases point into it */
    node_case *cases;     /* owned */
    int n;
} node_cases;

/* Fails the test where the file is not as its maker makes it. */
void node_cases_read(const char *path, node_cases *c);
void node_cases_free(node_cases *c);

int64_t node_value_count(const node_value *v);
/* The model, to whose graph all inputs are given as initializers but those of `images` (a bit
 * each). To be freed. */
xa_str node_case_model(const node_case *c, unsigned images);

#endif
