/* What a graph is made of: shared by graph.c, which keeps it, and graph_add.c, which checks and
 * adds nodes by the table of operators. Private to nn. */
#ifndef XAUDIT_NN_GRAPH_INTERNAL_H
#define XAUDIT_NN_GRAPH_INTERNAL_H

#include "xaudit/nn.h"

/* Most nodes and most weights of a graph. */
enum { XA__GRAPH_ITEMS = 1 << 20 };

struct xa_graph {
    xa_node *nodes;
    size_t nnodes, node_cap;
    xa_weight *weights;
    size_t nweights, weight_cap;
    bool borrows; /* the weights belong to another graph */
    xa_numerics numerics;
};

/* Extents are positive and their product is of a sane size; `what` is named in the message. */
xa_status xa__graph_check_shape(const char *what, const xa_shape *s, xa_err *err);
/* A graph without nodes that uses the weights of another, which must outlive it and get no more. */
xa_status xa__graph_borrow(const xa_graph *of, xa_graph **out, xa_err *err);

#endif
