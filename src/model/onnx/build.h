/* From a model as its file has it to a graph of the engine. Private to model.
 *
 *   xa__onnx_open     bytes -> nodes, values, tensors' places              parse.c, model.c
 *   xa__onnx_resolve  the output is chosen, what it depends on is marked, shapes are inferred for
 * the job's input size, what depends on no image is known to be constant and evaluated where a
 * shape needs it                     resolve.c, fold.c xa__onnx_match    patterns of nodes become
 * one                         pattern*.c xa__onnx_lower    node by node: layouts, operators,
 * weights lower.c, ops_*.c xa__onnx_list     modules and values as layers names.c
 *
 * An operator of ONNX is a row of a table in the ops_*.c of its family: how its output's shape
 * follows (infer), its values where the inputs are constants (fold), what the engine does (lower).
 * Refusals are gathered, so that one message tells all: `xa__onnx_refuse` notes one and marks the
 * node's outputs as broken, and nothing further is said of what depends on them.
 */
#ifndef XAUDIT_MODEL_ONNX_BUILD_H
#define XAUDIT_MODEL_ONNX_BUILD_H

#include "layout.h"
#include "model/model_internal.h"

/* Values of a weight: element (i0,i1,..) of `extent` is source[offset + sum i*stride]*scale. */
enum { XA__ONNX_LOOPS = XA__ONNX_ATOMS };
typedef struct xa__onnx_weight {
    int value; /* a constant of the model */
    int ndim;
    int64_t extent[XA__ONNX_LOOPS], stride[XA__ONNX_LOOPS];
    int64_t offset;
    double scale;    /* 1 */
    bool reciprocal; /* scale / source */
    bool keeps;      /* truths: 0 where the source is true, else -INFINITY */
} xa__onnx_weight;

/* A value that depends on the image: which node of the engine holds it, and how. The node's shape
 * is of the same count; whoever needs another asks for a view (xa__onnx_view). */
typedef struct xa__onnx_run {
    int node; /* -1: not made */
    xa__onnx_layout at;
} xa__onnx_run;

typedef struct xa__onnx_problem {
    const char *op, *domain, *node; /* of the first */
    char *reason;
    int count;
} xa__onnx_problem;

/* Behind a loader's xa_model: lives as long as it. */
typedef struct xa__onnx_build {
    xa__onnx *m;
    xa_model *model;
    const xa_model_options *opt; /* while opening */
    int input, output;           /* values */
    xa__onnx_problem *problems;
    int nproblems;
    size_t problem_cap;
    int64_t folded;     /* elements that were evaluated so far */
    xa__onnx_run *runs; /* [nvalues] */
    xa__onnx_weight *weights;
    int nweights;
    size_t weight_cap;
    int permutes; /* run-time transpositions */
    int last;     /* a constant's values as floats, kept from one piece of it to the next */
    float *last_values;
} xa__onnx_build;

typedef struct xa__onnx_op {
    const char *name;
    int min_inputs, max_inputs; /* max -1: any number */
    /* Sets shapes and types of the outputs. Inputs have shapes. */
    xa_status (*infer)(xa__onnx_build *b, xa__onnx_node *n, xa_err *err);
    /* All inputs are evaluated; makes the data of all outputs. NULL: not of constants. */
    xa_status (*fold)(xa__onnx_build *b, xa__onnx_node *n, xa_err *err);
    /* An input depends on the image: the first, but for those of reads_any_input in lower.c. NULL:
     * only of constants. */
    xa_status (*lower)(xa__onnx_build *b, xa__onnx_node *n, xa_err *err);
} xa__onnx_op;

/* The families: each has `const xa__onnx_op xa__onnx_ops_<name>[]`, ended by a row without a name.
 */
#define XA__ONNX_FAMILY_LIST(X) \
    X(constant)                 \
    X(shape)                    \
    X(slice)                    \
    X(pad)                      \
    X(unary)                    \
    X(binary)                   \
    X(conv)                     \
    X(pool)                     \
    X(reduce)                   \
    X(linear)                   \
    X(norm)                     \
    X(group)                    \
    X(gather)                   \
    X(transposed)               \
    X(resize)                   \
    X(einsum)                   \
    X(rotary)                   \
    X(attention_node)
#define X(family) extern const xa__onnx_op xa__onnx_ops_##family[];
XA__ONNX_FAMILY_LIST(X)
#undef X
/* Made by patterns alone: inputs q, k, v; the node's form (attention.h). */
extern const xa__onnx_op xa__onnx_attention;
/* The token that the scores are made of (the first of several), -1: the mean of *pooled tokens, -2:
 * not recognised. */
int64_t xa__onnx_query(const xa_graph *g, int output, int64_t *pooled);
/* Of the default domain, or of those of com.microsoft that are read; NULL: not known. */
const xa__onnx_op *xa__onnx_op_named(const char *domain, const char *name);

/* ---- refusals ---- */

/* Notes why a node cannot be read. OK, or NOMEM. */
xa_status xa__onnx_refuse(xa__onnx_build *b, xa__onnx_node *n, xa_err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* UNSUPPORTED with all that was noted; OK if nothing was. */
xa_status xa__onnx_refusals(const xa__onnx_build *b, xa_err *err);
/* "MaxPool \"/layer1/pool\"" */
const char *xa__onnx_node_text(const xa__onnx *m, const xa__onnx_node *n, char *buf, size_t size);

/* ---- phases ---- */

/* Reads the file; no value is a run yet. */
XA_MUST_USE xa_status xa__onnx_open_build(xa__onnx_build *b, xa_err *err);
/* inputs.c: sets the constants of the options and finds the image, whose extents become the job's.
 */
XA_MUST_USE xa_status xa__onnx_choose_input(xa__onnx_build *b, xa_err *err);
/* "a", "b", "c": names of values, for messages. */
void xa__onnx_names(const xa__onnx *m, const int *values, int n, xa_str *out);
XA_MUST_USE xa_status xa__onnx_resolve(xa__onnx_build *b, xa_err *err);
XA_MUST_USE xa_status xa__onnx_match(xa__onnx_build *b, xa_err *err);
XA_MUST_USE xa_status xa__onnx_lower(xa__onnx_build *b, xa_err *err);
/* The model's output: the graph's, in logical order. */
XA_MUST_USE xa_status xa__onnx_end(xa__onnx_build *b, xa_err *err);
XA_MUST_USE xa_status xa__onnx_list(xa__onnx_build *b, xa_err *err);
/* Which nodes the output depends on, and how often each value is read. */
void xa__onnx_mark_live(xa__onnx_build *b);

/* ---- for infer ---- */

static inline xa__onnx_value *xa__onnx_in(xa__onnx_build *b, const xa__onnx_node *n, int i)
{
    return i < n->ninputs && n->inputs[i] >= 0 ? &b->m->values[n->inputs[i]] : NULL;
}
static inline xa__onnx_value *xa__onnx_out(xa__onnx_build *b, const xa__onnx_node *n, int i)
{
    return i < n->noutputs && n->outputs[i] >= 0 ? &b->m->values[n->outputs[i]] : NULL;
}
/* Sets output i; counts beyond any sense are a LIMIT. */
xa_status xa__onnx_set(xa__onnx_build *b,
                       const xa__onnx_node *n,
                       int i,
                       int type,
                       const xa__onnx_shape *shape,
                       xa_err *err);
/* Axes and other small whole numbers that are an attribute in older sets, an input in newer ones.
 * *count -1: absent in both. Input -1: attribute only. An input that depends on the image refuses
 * the node (*count -2). */
xa_status xa__onnx_ints(xa__onnx_build *b,
                        xa__onnx_node *n,
                        const char *attribute,
                        int input,
                        int64_t *list,
                        int most,
                        int *count,
                        xa_err *err);
/* Counts negative axes from the end; false if there is no such axis. */
bool xa__onnx_axis(int64_t axis, int rank, int *out);
/* Both aligned right, extents equal or 1. */
bool xa__onnx_broadcast(const xa__onnx_shape *a, const xa__onnx_shape *b, xa__onnx_shape *out);
/* infer of operators whose output is as their first input. */
xa_status xa__onnx_infer_same(xa__onnx_build *b, xa__onnx_node *n, xa_err *err);

/* ---- constants: fold.c ---- */

/* Evaluates a constant and all it is made of. */
XA_MUST_USE xa_status xa__onnx_evaluate(xa__onnx_build *b, int value, xa_err *err);
/* Data of an evaluated constant (of what it is an alias of). */
const double *xa__onnx_data(const xa__onnx_build *b, int value);
/* Memory for an output's data; LIMIT when more is evaluated than any model needs. */
XA_MUST_USE xa_status xa__onnx_new_data(
    xa__onnx_build *b, const xa__onnx_node *n, int output, double **data, xa_err *err);
/* Output 0 has the values of input 0. */
xa_status xa__onnx_fold_same(xa__onnx_build *b, xa__onnx_node *n, xa_err *err);
/* Frees what large constants were evaluated to; they are evaluated again when they are wanted. */
void xa__onnx_forget(xa__onnx_build *b);
/* fold_resize.c: Resize and Upsample of constants. */
xa_status xa__onnx_fold_resize(xa__onnx_build *b, xa__onnx_node *n, xa_err *err);
/* A constant of one element: its value; evaluates it. False if it is none. */
bool xa__onnx_scalar(xa__onnx_build *b, int value, double *out);

/* ---- for lower: lower.c ---- */

/* The run of input i; NULL if it is a constant or absent. */
const xa__onnx_run *xa__onnx_run_of(const xa__onnx_build *b, const xa__onnx_node *n, int i);
/* Says what output i is. */
void xa__onnx_made(
    xa__onnx_build *b, const xa__onnx_node *n, int i, int node, const xa__onnx_layout *at);
/* Adds an operator that is named after the node's first output. */
XA_MUST_USE xa_status
xa__onnx_add(xa__onnx_build *b, const xa__onnx_node *n, xa_node_spec *spec, int *id, xa_err *err);
/* One input, no weights. */
XA_MUST_USE xa_status xa__onnx_add_unary(xa__onnx_build *b,
                                         const xa__onnx_node *n,
                                         xa_op op,
                                         const xa_op_params *params,
                                         int input,
                                         int *id,
                                         xa_err *err);
/* The node with another shape of the same count. */
XA_MUST_USE xa_status xa__onnx_view(xa__onnx_build *b,
                                    const xa__onnx_node *n,
                                    int node,
                                    const xa_shape *shape,
                                    int *id,
                                    xa_err *err);
/* The run with its atoms in another order: the same if it is already, else a transposition. */
XA_MUST_USE xa_status xa__onnx_order(xa__onnx_build *b,
                                     const xa__onnx_node *n,
                                     const xa__onnx_run *run,
                                     const int *order,
                                     xa__onnx_run *out,
                                     xa_err *err);
/* A value of [1,C,H,W] as [H,W,C]. */
XA_MUST_USE xa_status xa__onnx_image(
    xa__onnx_build *b, const xa__onnx_node *n, const xa__onnx_run *run, int *id, xa_err *err);
/* A value whose atoms of `axis` come last, in any order: a view [..,K]. *out: what it is then. */
XA_MUST_USE xa_status xa__onnx_rows(xa__onnx_build *b,
                                    const xa__onnx_node *n,
                                    const xa__onnx_run *run,
                                    unsigned axes,
                                    xa__onnx_run *out,
                                    xa_err *err);
/* A weight of that shape, made of a constant. */
XA_MUST_USE xa_status xa__onnx_add_weight(
    xa__onnx_build *b, const xa__onnx_weight *w, const xa_shape *shape, int *id, xa_err *err);
/* Likewise: a whole constant of one axis, or what broadcasts to n elements of it. */
XA_MUST_USE xa_status
xa__onnx_vector(xa__onnx_build *b, int value, int64_t n, double scale, int *id, xa_err *err);
/* y = act(x) */
XA_MUST_USE xa_status xa__onnx_activate(
    xa__onnx_build *b, const xa__onnx_node *n, xa_activation act, int input, int *id, xa_err *err);
/* y = x*scale + shift of one number each. */
XA_MUST_USE xa_status xa__onnx_scale(xa__onnx_build *b,
                                     const xa__onnx_node *n,
                                     double scale,
                                     double shift,
                                     int input,
                                     int *id,
                                     xa_err *err);
/* Elements first, first + step, .. (count of them) of an axis. */
typedef struct xa__onnx_piece {
    int axis;
    int64_t first, step, count;
} xa__onnx_piece;
/* The run becomes that piece of itself. */
XA_MUST_USE xa_status xa__onnx_slice_run(
    xa__onnx_build *b, xa__onnx_node *n, xa__onnx_run *run, const xa__onnx_piece *p, xa_err *err);
/* The axis in one piece of memory and in logical order; *shape: what is before it, its extent, what
 * is after it. */
XA_MUST_USE xa_status xa__onnx_axis_alone(
    xa__onnx_build *b, xa__onnx_node *n, xa__onnx_run *run, int axis, xa_shape *shape, xa_err *err);
/* The run as a node of its layout's natural extents: an image stays [H,W,C]. */
XA_MUST_USE xa_status xa__onnx_natural(xa__onnx_build *b,
                                       xa__onnx_node *n,
                                       xa__onnx_run *run,
                                       xa_err *err);
/* Takes a piece of a run that a linear layer makes; *done false: it is none. */
XA_MUST_USE xa_status xa__onnx_slice_linear(xa__onnx_build *b,
                                            const xa__onnx_node *n,
                                            xa__onnx_run *run,
                                            const xa__onnx_piece *p,
                                            bool *done,
                                            xa_err *err);
/* y = op(inputs), of which at least one is a run: broadcasting, layouts, constants. */
XA_MUST_USE xa_status xa__onnx_combine(
    xa__onnx_build *b, xa__onnx_node *n, xa_op op, const xa_op_params *params, xa_err *err);
/* weights.c: values of a weight for the engine. */
XA_MUST_USE xa_status xa__onnx_read_weight(xa__onnx_build *b,
                                           const xa_weight *w,
                                           float *dst,
                                           xa_err *err);
/* Likewise columns of a matrix (xa_weight_reader): where a column, or a row, lies together. */
XA_MUST_USE xa_status xa__onnx_read_columns(xa__onnx_build *b,
                                            const xa_weight *w,
                                            int64_t first,
                                            int64_t count,
                                            float *dst,
                                            bool *done,
                                            xa_err *err);

#endif
