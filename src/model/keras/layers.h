/* Keras layer classes: a table with one builder per class.
 *
 * To add a class: write `static xa_status build_x(xa__ksite *s, int *out, xa_err *err)` in the file
 * of its group and add a line to that file's table. A builder reads its settings with xa__kget_*,
 * gets weights by their slot, adds graph nodes, and returns the node of the layer's output; for a
 * layer that does nothing at inference, that is its input. The caller puts the layer's name before
 * errors.
 */
#ifndef XAUDIT_MODEL_KERAS_LAYERS_H
#define XAUDIT_MODEL_KERAS_LAYERS_H

#include "architecture.h"
#include "config.h"
#include "file.h"

/* A weight of a class; weights are in the order in which Keras creates them. */
typedef struct xa__kslot {
    const char *name;  /* "kernel"; in compound layers with the sublayer: "query/kernel" */
    const char *other; /* its name in older or newer versions, or NULL; % means the layer's name */
    const char
        *flag; /* the setting that says whether the layer has it; NULL: always; "=mean": if
                  that setting is missing; "a|b": if a or b is on; "a-b": if a is on and b
                  is off; "key=word": if that setting is the word. b is off where it is missing */
    bool flag_default;
    bool trainable;
    bool optional; /* the file may lack it, as counters */
} xa__kslot;

/* The model that is being built. */
typedef struct xa__kbuild {
    xa_graph *graph;
    xa__kfile *file;
    int keras;   /* major version: 1, 2, 3 */
    long budget; /* how many calls may still be built */
    const char *own_scaling;
    const char *user_classes; /* as in xa_model_options */
    bool channels_first;      /* as the model's input is saved; see turn.c */
    bool interpolate;         /* position embeddings may be interpolated to another grid */
} xa__kbuild;

/* One call of one layer. */
typedef struct xa__ksite {
    xa__kbuild *b;
    xa__klayer *layer;
    const xa__kcall *call; /* NULL in a Sequential */
    const int *in;         /* graph nodes of the call's tensors, in order */
    int nin;
    bool turned; /* the builder works on a turned input: what it returns is turned back */
} xa__ksite;

typedef xa_status xa__kbuild_fn(xa__ksite *s, int *out, xa_err *err);

enum {
    XA__KCLASS_ACTIVATION = 1, /* it may be the `activation` of another layer */
    XA__KCLASS_SCALES =
        2, /* right after the input, it means that the graph scales its input itself */
    XA__KCLASS_TRAINS = 4, /* called with training=True, it computes something else at inference */
    XA__KCLASS_PACKAGE = 8 /* a library defines it, and it may be registered under any package */
};

typedef struct xa__kclass {
    const char *name;
    xa__kbuild_fn *build;
    const xa__kslot *slots; /* ends with name NULL; NULL: no weights */
    unsigned flags;
} xa__kclass;

const xa__kclass *xa__kclass_find(const char *name);
/* layers_keys.c: the settings of a class, words apart by spaces; NULL: its builder looks at them.
 */
const char *xa__kclass_keys(const char *name);
/* Which slots of the class this layer has by its settings: which [n]. */
XA_MUST_USE xa_status xa__klayer_slots(const xa__klayer *l,
                                       int which[XA__KMAX_SLOTS],
                                       int *n,
                                       xa_err *err);

/* ---- groups of classes, each ending with name NULL ---- */
extern const xa__kclass xa__kclasses_conv[], xa__kclasses_dense[], xa__kclasses_norm[],
    xa__kclasses_activation[], xa__kclasses_pool[], xa__kclasses_merge[], xa__kclasses_shape[],
    xa__kclasses_preprocess[], xa__kclasses_noop[], xa__kclasses_tfop[], xa__kclasses_attention[],
    xa__kclasses_residual[], xa__kclasses_line[], xa__kclasses_match[], xa__kclasses_resize[],
    xa__kclasses_transposed[];

/* ---- for builders ---- */

const xa_shape *xa__ksite_shape(const xa__ksite *s, int node);
/* The only tensor of a call; INVALID if it has several. */
XA_MUST_USE xa_status xa__ksite_one(const xa__ksite *s, int *in, xa_err *err);
/* The only tensor, which must have rank 3, as [height,width,channels]: turned if data_format is
 * channels_first. */
XA_MUST_USE xa_status xa__ksite_image(xa__ksite *s, int *in, xa_err *err);
/* Fails UNSUPPORTED if the layer's settings hold a key that is neither in `keys`, words apart by
 * spaces, nor one that every layer may have and that changes nothing at inference (its name, how
 * it was initialised and regularised, ...). Keras itself refuses such a key. */
XA_MUST_USE xa_status xa__ksite_known(const xa__ksite *s, const char *keys, xa_err *err);
/* Fails UNSUPPORTED if the call has an argument by keyword that is neither in `keywords` nor null
 * nor false. */
XA_MUST_USE xa_status xa__ksite_arguments(const xa__ksite *s, const char *keywords, xa_err *err);
/* data_format must be channels_last, unless the layer's input has been turned. */
XA_MUST_USE xa_status xa__ksite_channels_last(const xa__ksite *s, xa_err *err);
/* "valid" or "same". */
XA_MUST_USE xa_status xa__ksite_padding(const xa__ksite *s, xa_padding *out, xa_err *err);
/* The value of an argument by keyword or by position among all arguments; NULL if missing. */
const json_t *xa__ksite_value(const xa__ksite *s, const char *keyword, int position);

/* Layout vars: the sublayer that holds the weight of a compound layer, below the layer's own group,
 * by its name in either generation of the library (alternative 0, 1); NULL: the layer's own group,
 * or no such alternative. */
const char *xa__kslot_vars(const xa__kclass *cls, int slot, int alternative);
/* A line of the layer table below the layer: name and type are static. */
XA_MUST_USE xa_status xa__ksite_part(const xa__ksite *s,
                                     const char *name,
                                     const char *type,
                                     int node,
                                     int64_t parameters,
                                     xa_err *err);
/* Adds a node named after the layer. */
XA_MUST_USE xa_status xa__ksite_node(const xa__ksite *s,
                                     xa_op op,
                                     const int *in,
                                     int nin,
                                     const xa_op_params *params,
                                     const int *weights,
                                     int nweights,
                                     int *out,
                                     xa_err *err);
/* The same with one input and no weights. */
XA_MUST_USE xa_status xa__ksite_simple(
    const xa__ksite *s, xa_op op, int in, const xa_op_params *params, int *out, xa_err *err);
/* A weight of the file: its slot, its shape in the file, and the shape that the operator needs,
 * with as many values (NULL: the same shape). *id is -1 if the layer does not have it. */
XA_MUST_USE xa_status xa__ksite_weight(
    xa__ksite *s, int slot, const xa_shape *shape, const xa_shape *as, int *id, xa_err *err);
/* The value of a weight that is a single number, read now; *value stays if the layer does not have
 * it. */
XA_MUST_USE xa_status xa__ksite_scalar(xa__ksite *s, int slot, double *value, xa_err *err);
/* A literal weight [n]. */
XA_MUST_USE xa_status xa__ksite_literal(
    const xa__ksite *s, const char *name, const double *values, int n, int *id, xa_err *err);
/* x*scale + shift, each of 1 or C values; either may be NULL. */
XA_MUST_USE xa_status xa__ksite_affine(const xa__ksite *s,
                                       int in,
                                       const double *scale,
                                       int nscale,
                                       const double *shift,
                                       int nshift,
                                       int *out,
                                       xa_err *err);
/* A reshape; the node itself if it has that shape. */
XA_MUST_USE xa_status
xa__ksite_reshape(const xa__ksite *s, int in, const xa_shape *shape, int *out, xa_err *err);
/* Applies to node `in` the activation that `value`, the setting "activation", names; NULL or null:
 * none. */
XA_MUST_USE xa_status
xa__ksite_activate(xa__ksite *s, const json_t *value, int in, int *out, xa_err *err);
/* Applies an activation by its name; UNSUPPORTED if it is unknown. */
XA_MUST_USE xa_status
xa__ksite_activate_name(xa__ksite *s, const char *name, int in, int *out, xa_err *err);
XA_MUST_USE xa_status
xa__ksite_activate_kind(xa__ksite *s, xa_activation a, int in, int *out, xa_err *err);
/* Softmax along an axis or several at once, as Keras counts them; NULL: the last. */
XA_MUST_USE xa_status
xa__ksite_softmax(xa__ksite *s, const json_t *axis, int in, int *out, xa_err *err);
/* A merge of tensors of equal rank; `insert`: lower ranks first get extents of 1 in front, as in
 * Keras' merge layers. */
XA_MUST_USE xa_status
xa__ksite_merge(xa__ksite *s, xa_op op, const int *in, int nin, bool insert, int *out, xa_err *err);
/* Concatenation along an axis as Keras counts it. */
XA_MUST_USE xa_status
xa__ksite_concat(xa__ksite *s, const int *in, int nin, int64_t axis, int *out, xa_err *err);
/* Channels in the order given: output channel i is input channel channel[i]. */
XA_MUST_USE xa_status
xa__ksite_channels(xa__ksite *s, int in, const int *channel, int n, int *out, xa_err *err);
/* The shape that a reshape to `dims` gives, of which one may be -1 or null; the first `skip` are
 * left out. */
XA_MUST_USE xa_status xa__ksite_target(
    const xa__ksite *s, int in, const json_t *dims, size_t skip, xa_shape *shape, xa_err *err);
/* From Keras' axis (0 is the batch, negative ones count from the end) to an axis of the sample. */
XA_MUST_USE xa_status xa__ksite_axis(int64_t axis, int ndim, int *out, xa_err *err);

/* ---- turn.c: models saved with channels_first, whose tensors are [channels,height,width] while
 * the engine's are [height,width,channels]. The input is turned once at the model's start; a layer
 * that is told channels_first, or works on every value, then runs on the engine's order, and a turn
 * that undoes another vanishes, so that none is left in a trunk of convolutions. ---- */

/* [C,H,W] as [H,W,C]: the node that was turned before, or a new one. */
XA_MUST_USE xa_status xa__kturn_last(const xa__ksite *s, int in, int *out, xa_err *err);
/* [H,W,C] as [C,H,W]. */
XA_MUST_USE xa_status xa__kturn_first(const xa__ksite *s, int in, int *out, xa_err *err);
/* The [H,W,C] behind a node that xa__kturn_first made; any other node is itself. */
int xa__kturn_behind(const xa_graph *g, int node);
/* May the operator run on tensors that are turned, because it works on every value by itself, or
 * joins channels? */
bool xa__kturn_passes(
    const xa__ksite *s, xa_op op, const int *in, int nin, const int *weights, int nweights);

static inline xa_shape xa__kshape1(int64_t a)
{
    return (xa_shape){1, {a}};
}
static inline xa_shape xa__kshape2(int64_t a, int64_t b)
{
    return (xa_shape){2, {a, b}};
}
static inline xa_shape xa__kshape3(int64_t a, int64_t b, int64_t c)
{
    return (xa_shape){3, {a, b, c}};
}
static inline xa_shape xa__kshape4(int64_t a, int64_t b, int64_t c, int64_t d)
{
    return (xa_shape){4, {a, b, c, d}};
}

#endif
