/* A Keras architecture as scopes (models), layers and calls, before any graph exists.
 *
 * A scope is a Sequential or Functional model; a layer is an entry of its `layers` list, and may be
 * a scope itself. A layer that is used in several places has several calls ("inbound nodes").
 * Everything is borrowed from the JSON document, which must outlive it.
 */
#ifndef XAUDIT_MODEL_KERAS_ARCHITECTURE_H
#define XAUDIT_MODEL_KERAS_ARCHITECTURE_H

#include <jansson.h>

#include "xaudit/nn.h"

enum { XA__KMAX_SLOTS = 16, XA__KMAX_NESTING = 24, XA__KMAX_LAYERS = 100000 };

/* Where a call takes a tensor from: a call of a layer of the same scope. */
typedef struct xa__kref {
    int layer, call;
} xa__kref;

typedef enum xa__koperand_kind {
    XA__KOPERAND_TENSOR,
    XA__KOPERAND_LIST, /* a list of tensors */
    XA__KOPERAND_VALUE /* a constant */
} xa__koperand_kind;

/* One argument of a call; keyword NULL for positional ones. */
typedef struct xa__koperand {
    xa__koperand_kind kind;
    const char *keyword;
    const json_t *value; /* VALUE */
    int first, count;    /* TENSOR, LIST: refs of the call */
} xa__koperand;

typedef struct xa__kcall {
    xa__koperand *operands;
    size_t noperands, operand_cap;
    xa__kref *refs; /* every tensor argument, in order */
    size_t nrefs, ref_cap;
} xa__kcall;

struct xa__kclass;
struct xa__kscope;

/* A part of a compound layer, for the layer table. */
typedef struct xa__kpart {
    const char *name, *type; /* static */
    int node;
    int64_t parameters;
} xa__kpart;

typedef struct xa__klayer {
    const char *name;
    const char *type;             /* class name without package: "Conv2D" */
    const struct xa__kclass *cls; /* NULL for models */
    struct xa__kscope *inner;     /* models; owned */
    const json_t *config;         /* its settings */
    char *path;                   /* "outer/inner" */
    int depth;                    /* 0: top level */
    bool trainable;
    bool foreign; /* it has a user's class: a model that its configuration describes, a Lambda, or a
                     class that the job takes for Keras' own */
    xa__kcall *calls;
    size_t ncalls, call_cap;
    int first_call; /* the number by which others refer to call 0 (1 for most nested models) */
    /* filled when weights are bound and the graph is built */
    int nslots;                 /* how many weights it must have */
    int tensor[XA__KMAX_SLOTS]; /* by slot of the class: the tensor of the file, or -1 */
    int weight[XA__KMAX_SLOTS]; /* by slot: graph weight, -1 until used */
    int node, node_call;        /* output of the last call that was built, or -1 */
    int64_t parameters;
    bool is_activation;
    xa__kpart *parts; /* of its last call; owned */
    size_t nparts, part_cap;
} xa__klayer;

typedef struct xa__kscope {
    bool sequential;
    const char *wrapper;  /* a layer around one other: its class; the scope has that layer alone */
    json_t *owned;        /* of a wrapper: the list of its layer, or NULL */
    const json_t *config; /* of the model */
    const char *foreign;  /* the user's class of the outermost model, or NULL */
    xa__klayer *layers;
    int nlayers;
    xa__kref input, output; /* functional */
    xa__kref *order;        /* functional: the calls that the output depends on, inputs first */
    size_t norder;
} xa__kscope;

#endif
