/* What an operator states about itself, and what the engine does with it. Private to nn.
 *
 * An operator is a file src/nn/ops/<name>.c with `const xa_op_def xa_op_<name>`, and a line in
 * XA_OP_LIST. The engine orders, folds, fuses, lays out memory and loops; the operator states
 * its shapes, what it saves, and its two passes. Arithmetic that is worth tuning lives in kernels/.
 */
#ifndef XAUDIT_NN_OP_H
#define XAUDIT_NN_OP_H

#include "kernels/kernels.h"
#include "xaudit/nn.h"

/* Most inputs of one operator; their tables lie on the run's stack. */
enum { XA_OPERANDS = 256 };
/* Most inputs of an operator with XA_OP_JOINT. */
enum { XA_JOINT = 3 };

/* What is kept from the forward pass for the backward pass, in addition to `state`. */
enum { XA_SAVES_INPUTS = 1, XA_SAVES_OUTPUT = 2 };

/* What the engine may do with the operator. */
enum {
    XA_OP_VIEW = 1,      /* output is the input's memory, and dx is dy's (reshape) */
    XA_OP_IN_PLACE = 2,  /* forward may be called with y == x[0] */
    XA_OP_FOLDS = 4,     /* an AFFINE that follows is folded into its weights */
    XA_OP_EPILOGUE = 8,  /* forward adds `residual`, applies `act` (RELU kinds) and writes `bits` */
    XA_OP_MASKS_DY = 16, /* backward applies `bits` to dy as it reads it */
    XA_OP_PASSES_DY = 32, /* dx of an input of the output's shape is dy itself (add) */
    XA_OP_JOINT = 64      /* backward makes the gradients of all inputs in one call (dxs) */
};

/* An affine map of the output channels: y*scale[c] + shift[c], in double. Folded into weights. */
typedef struct xa_fold {
    int64_t channels;
    double *scale, *shift;
} xa_fold;

/* Everything one call of one operator sees. Pointers not needed by that call are NULL. */
typedef struct xa_op_call {
    const xa_graph *graph;
    const xa_node *node;
    int id;                /* of the node */
    const xa_kernels *k;   /* the ISA's kernels */
    int64_t n;             /* batch */
    const xa_shape *xs;    /* [ninputs] shapes of the inputs */
    const float *const *x; /* [ninputs] inputs [n, xs]; backward: only if XA_SAVES_INPUTS */
    float *y;              /* forward: output; backward: the saved output if XA_SAVES_OUTPUT */
    const void *weights;   /* what pack() wrote, 64-byte aligned */
    void *state;           /* state_bytes(n), written by forward, read by backward */
    void *scratch;         /* scratch_bytes(n), 64-byte aligned, contents undefined */
    void *rounded; /* XA_BF16_ROWS_BYTES likewise, if the graph's numerics round to bfloat16 */
    /* epilogue (XA_OP_EPILOGUE): y = act(op(x) + residual) */
    const float *residual; /* [n, out shape] or NULL; never overlaps y */
    xa_activation act;     /* LINEAR or RELU */
    uint8_t *bits;         /* ReLU bits of the output, xa_bits_bytes; NULL when no gradient comes */
    /* backward: dx = J^T dy for input `which`; dx is written whole, never accumulated, and overlaps
     * nothing else. With XA_OP_MASKS_DY and bits != NULL, dy is first masked. */
    const float *dy;
    float *dx;
    int which;
    xa_rules rules; /* backward: what dx is, if not J^T dy */
    float *const
        *dxs; /* XA_OP_JOINT: [XA_JOINT] instead of dx and which; NULL where none is wanted */
    const xa_attention_sink *sink; /* ATTENTION: gets the probabilities; or NULL */
    const xa_tick *tick;
} xa_op_call;

typedef struct xa_op_def {
    const char *name;
    int min_inputs, max_inputs; /* max -1: any number */
    unsigned flags;
    /* Checks params, input and weight shapes; sets node->shape. node->inputs are valid ids of g. */
    xa_status (*infer)(const xa_graph *g, xa_node *node, xa_err *err);
    /* NULL: saves nothing. XA_SAVES_* bits. */
    unsigned (*saves)(const xa_node *node);
    /* Bytes of `state` for a batch; NULL: 0. */
    size_t (*state_bytes)(const xa_graph *g, const xa_node *node, int64_t n);
    /* Bytes of scratch for a call, the larger of both passes; NULL: 0. */
    size_t (*scratch_bytes)(const xa_graph *g, const xa_node *node, int64_t n);
    /* Packed weights; NULL: none. pack reads raw weights w[i] (float, w[i]==NULL if absent) and
     * applies `fold` if not NULL. */
    size_t (*packed_bytes)(const xa_graph *g, const xa_node *node);
    void (*pack)(const xa_graph *g,
                 const xa_node *node,
                 const float *const *w,
                 const xa_fold *fold,
                 void *dst);
    /* NULL, or packs columns [first, first+count) of weight 0, w [rows,count], where `first` is a
     * multiple of XA_PANEL; pack is then called with w[0] NULL and does the rest. */
    void (*pack_columns)(const xa_graph *g,
                         const xa_node *node,
                         const float *w,
                         int64_t first,
                         int64_t count,
                         const xa_fold *fold,
                         void *dst);
    void (*forward)(const xa_op_call *c);
    void (*backward)(const xa_op_call *c);
    /* Forward multiply-adds x 2 of one sample; NULL: output count. */
    double (*flops)(const xa_graph *g, const xa_node *node);
} xa_op_def;

#define X(name, file) extern const xa_op_def xa_op_##file;
XA_OP_LIST(X)
#undef X
const xa_op_def *xa_op_get(xa_op op);

/* ---- shared checks: each sets a precise message --------------------------------------------- */

const xa_shape *xa_input_shape(const xa_graph *g, const xa_node *node, int i);
xa_status xa_check_ndim(const xa_graph *g, const xa_node *node, int input, int ndim, xa_err *err);
/* Weight i exists (or is absent, if optional) and has this shape. */
xa_status xa_check_weight(const xa_graph *g,
                          const xa_node *node,
                          int i,
                          bool optional,
                          const xa_shape *want,
                          xa_err *err);
xa_status xa_check_window(const xa_node *node, const xa_window *w, xa_err *err);

/* Output extent and padding before, along one axis; INVALID/SHAPE if nothing is left. */
typedef struct xa_axis {
    int64_t in, out, k, stride, dilation,
        pad; /* input index of tap t of output o: o*stride + t*dilation - pad */
} xa_axis;
xa_axis xa_window_axis(const xa_window *w, bool vertical, int64_t in);
/* Both axes of a window over [H,W,C]; checks that the output is not empty. */
xa_status xa_window_axes(const xa_graph *g,
                         const xa_node *node,
                         const xa_window *w,
                         xa_axis *ay,
                         xa_axis *ax,
                         xa_err *err);

static inline void xa_tick_now(const xa_tick *t)
{
    if (t && t->call)
        t->call(t->arg);
}

#endif
