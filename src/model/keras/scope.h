/* A Keras architecture as scopes (models), layers and calls, before any graph exists.
 *
 * A scope is a Sequential or Functional model; a layer is an entry of its `layers` list, and may be
 * a scope itself. A layer shared between several places has several calls ("inbound nodes").
 * Everything borrows from the JSON document, which must outlive it.
 */
#ifndef XAUDIT_MODEL_KERAS_SCOPE_H
#define XAUDIT_MODEL_KERAS_SCOPE_H

#include <jansson.h>

#include "xaudit/nn.h"

enum { XA_KMAX_SLOTS = 16, XA_KMAX_NESTING = 24, XA_KMAX_LAYERS = 100000 };

/* Where a call takes a tensor from: a call of a layer of the same scope. */
typedef struct xa_kref {
    int layer, call;
} xa_kref;

typedef enum xa_koperand_kind {
    XA_KOPERAND_TENSOR,
    XA_KOPERAND_LIST, /* a list of tensors */
    XA_KOPERAND_VALUE /* a constant */
} xa_koperand_kind;

/* One argument of a call; keyword NULL for positional ones. */
typedef struct xa_koperand {
    xa_koperand_kind kind;
    const char *keyword;
    const json_t *value; /* VALUE */
    int first, count;    /* TENSOR, LIST: refs of the call */
} xa_koperand;

typedef struct xa_kcall {
    xa_koperand *operands;
    size_t noperands, operand_cap;
    xa_kref *refs; /* every tensor argument, in order */
    size_t nrefs, ref_cap;
} xa_kcall;

struct xa_kclass;
struct xa_kscope;

/* A part of a compound layer, for the layer table. */
typedef struct xa_kpart {
    const char *name, *type; /* static */
    int node;
    int64_t parameters;
} xa_kpart;

typedef struct xa_klayer {
    const char *name;
    const char *type;            /* class name without package: "Conv2D" */
    const struct xa_kclass *cls; /* NULL for models */
    struct xa_kscope *inner;     /* models; owned */
    const json_t *config;        /* its settings */
    char *path;                  /* "outer/inner" */
    int depth;                   /* 0: top level */
    bool trainable;
    bool foreign; /* of a user's class: a model that its configuration describes, a Lambda, or a
                     class that the job takes for Keras' own */
    xa_kcall *calls;
    size_t ncalls, call_cap;
    int first_call; /* the number by which others refer to call 0 (1 for most nested models) */
    /* filled when weights are bound and the graph is built */
    int nslots;                /* weights it must have */
    int tensor[XA_KMAX_SLOTS]; /* by slot of the class: index in the file, -1 */
    int weight[XA_KMAX_SLOTS]; /* by slot: graph weight, -1 until used */
    int node, node_call;       /* output of the last call made; -1 */
    int64_t parameters;
    bool is_activation;
    xa_kpart *parts; /* of its last call; owned */
    size_t nparts, part_cap;
} xa_klayer;

typedef struct xa_kscope {
    bool sequential;
    const json_t *config; /* of the model */
    const char *foreign;  /* the user's class of the outermost model, or NULL */
    xa_klayer *layers;
    int nlayers;
    xa_kref input, output; /* functional */
    xa_kref *order;        /* functional: the calls the output needs, inputs first */
    size_t norder;
} xa_kscope;

/* From a model's JSON ({"class_name", "config"}). Unknown classes, cycles, dangling references,
 * several inputs or outputs are errors naming the layer. user_classes: as in xa_model_options. */
XA_MUST_USE xa_status xa_kscope_parse(const json_t *model,
                                      const char *user_classes,
                                      xa_kscope **out,
                                      xa_err *err);
void xa_kscope_free(xa_kscope *s);

/* Class name as written, without "Package>". */
const char *xa_kclass_bare(const char *written);
/* Whether a class is Keras' own and no user's of the same name; `entry` (NULL: nothing but the name
 * is known) holds "module" and "registered_name" where they were written. library: one that
 * vit-keras defines, which may be so. named: the class with its package or module, "my>Conv2D". */
bool xa_kclass_is_own(
    const json_t *entry, const char *written, bool library, char *named, size_t size);
/* Whether the job takes that class (`named` as above) for Keras' own: a line of `list`, NULL: none.
 */
bool xa_kclass_is_listed(const char *list, const char *named);
/* Shape the file gives for the model's input: as in batch_input_shape, without the batch, -1 where
 * open. False if it says none. */
bool xa_kscope_input_shape(const xa_kscope *s, xa_shape *out);
/* Name of the input layer, or NULL. */
const char *xa_kscope_input_name(const xa_kscope *s);
/* The file's calls are in Keras 3 form. */
bool xa_kscope_is_keras3(const xa_kscope *s);

#endif
