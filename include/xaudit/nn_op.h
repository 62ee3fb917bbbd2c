/* nn, its operators: shapes of one sample, the list of operators, their settings. Included by nn.h.
 *
 * Layout: NHWC float32. The batch is never part of a shape.
 */
#ifndef XAUDIT_NN_OPERATORS_H
#define XAUDIT_NN_OPERATORS_H

#include "xaudit/util.h"

/* ---- shapes ---------------------------------------------------------------------------------- */

enum { XA_MAX_DIMS = 6 };

/* Shape of one sample: [H,W,C], [C], [T,D], ... ndim 0 is a scalar. */
typedef struct xa_shape {
    int ndim;
    int64_t dim[XA_MAX_DIMS];
} xa_shape;

int64_t xa_shape_count(const xa_shape *s); /* product of the extents */
bool xa_shape_equal(const xa_shape *a, const xa_shape *b);
int64_t xa_shape_last(const xa_shape *s); /* channels; 1 for a scalar */
/* "[10,10,728]" into buf; returns buf. */
const char *xa_shape_text(const xa_shape *s, char *buf, size_t size);

/* ---- operators ------------------------------------------------------------------------------- */

/* X(ENUM, file and table name). One operator, one file src/nn/ops/<name>.c, one line here.
 * Inputs and weights are listed as x.. | w..; weights in brackets may be -1 (absent). */
#define XA_OP_LIST(X)                                                                           \
    X(INPUT, input)             /* | */                                                         \
    X(CONV2D, conv2d)           /* x | kernel [KH,KW,C/groups,F], [bias [F]] */                 \
    X(DEPTHWISE, depthwise)     /* x | kernel [KH,KW,C,M], [bias [C*M]] */                      \
    X(DENSE, dense)             /* x, on the last axis | kernel [K,F], [bias [F]] */            \
    X(AFFINE, affine)           /* x | [gamma],[beta],[mean],[variance], each [C] or [1] */     \
    X(ACTIVATION, activation)   /* x | */                                                       \
    X(PRELU, prelu)             /* x | alpha, the sample's shape with 1 on shared axes */       \
    X(SOFTMAX, softmax)         /* x, on the last axis | */                                     \
    X(LAYER_NORM, layer_norm)   /* x, on the last axis | [gamma [C]], [beta [C]] */             \
    X(GROUP_NORM, group_norm)   /* x [P,G,K], each g by itself | [gamma [G]], [beta [G]] */     \
    X(MAX_POOL, max_pool)       /* x | first of equal values takes the gradient */              \
    X(AVG_POOL, avg_pool)       /* x | counts only real elements, unless edges.counted */       \
    X(GLOBAL_POOL, global_pool) /* x [H,W,C] | equal maxima share the gradient */               \
    X(ADD, add)                 /* x0,x1,.. | equal rank, extents equal or 1 */                 \
    X(SUBTRACT, subtract)       /* x0,x1 | likewise */                                          \
    X(MULTIPLY, multiply)       /* x0,x1,.. | likewise */                                       \
    X(AVERAGE, average)         /* x0,x1,.. | likewise */                                       \
    X(MAXIMUM, maximum)     /* x0,x1,.. | likewise; first of equal values takes the gradient */ \
    X(MINIMUM, minimum)     /* x0,x1,.. | likewise */                                           \
    X(DIVIDE, divide)       /* x0,x1 | extents equal or 1 */                                    \
    X(COMPARE, compare)     /* x0,x1 | likewise; 1 or 0, without gradient */                    \
    X(SELECT, select)       /* x0,x1,x2 | likewise; x0 > 0 ? x1 : x2 */                         \
    X(UNARY, unary)         /* x | */                                                           \
    X(REDUCE, reduce)       /* x | along params.reduce.axis, which stays with extent 1 */       \
    X(SLICE, slice)         /* x | along params.slice.axis */                                   \
    X(GATHER, gather)       /* x | indices along params.gather.axis, -1 gives 0; literal [N] */ \
    X(CONSTANT, constant)   /* | values, the output's shape: the same for every sample */       \
    X(CONCAT, concat)       /* x0,x1,.. | along params.concat.axis */                           \
    X(PAD, pad)             /* x [H,W,C] | zeros */                                             \
    X(CROP, crop)           /* x [H,W,C] | */                                                   \
    X(RESHAPE, reshape)     /* x | same count; a view */                                        \
    X(PERMUTE, permute)     /* x | */                                                           \
    X(RESIZE, resize)       /* x [H,W,C] | */                                                   \
    X(TOKENS, tokens)       /* x [T,D] | [prefix [P,D]], [position [P+T,D]] */                  \
    X(MATMUL, matmul)       /* x0 [..,M,K], x1 [..,K,N] | axes before equal or 1 */             \
    X(ATTENTION, attention) /* q [G*T,N*K], k [G*S,N*K], v [G*S,N*V] | [bias], [mask] */
typedef enum xa_op {
#define X(name, file) XA_OP_##name,
    XA_OP_LIST(X)
#undef X
        XA_OP_COUNT
} xa_op;
const char *xa_op_name(xa_op op);

typedef enum xa_padding { XA_VALID, XA_SAME, XA_EXPLICIT } xa_padding;

/* TensorFlow's SAME: out = ceil(in/stride), total padding max((out-1)*stride + (k-1)*dilation+1 -
 * in, 0), the smaller half before: asymmetric for even totals. VALID: out = floor((in -
 * span)/stride) + 1. EXPLICIT: what is padded is said, and out = floor((in + before + after -
 * span)/stride) + 1; or, with `ceil`, the quotient rounded up, but for a last window that would
 * start after input and padding before (PyTorch, ONNX). */
typedef struct xa_window_edges {
    int64_t top, left, bottom, right;
    bool ceil;
    bool
        counted; /* AVG_POOL: what is padded counts as zeros; what `ceil` adds beyond it does not */
} xa_window_edges;
typedef struct xa_window {
    int64_t kh, kw; /* kernel, pool */
    int64_t sh, sw; /* strides */
    int64_t dh, dw; /* dilation */
    xa_padding padding;
    xa_window_edges edges; /* EXPLICIT */
} xa_window;
/* Output extent of a window over `in` rows (vertical) or columns; below 1: nothing fits. */
int64_t xa_window_extent(const xa_window *w, bool vertical, int64_t in);

/* X(ENUM, keras name). a, b, c below are the parameters of that kind. */
#define XA_ACTIVATION_LIST(X)                                                                     \
    X(LINEAR, "linear")                                                                           \
    X(RELU, "relu") /* x<c ? a*(x-c) : min(x,b); a slope, b max (INFINITY), c threshold */        \
    X(ELU, "elu")   /* x>0 ? x : a*(exp(x)-1) */                                                  \
    X(SELU, "selu") /* scale 1.05070098, alpha 1.67326324 */                                      \
    X(SIGMOID, "sigmoid")                                                                         \
    X(TANH, "tanh")                                                                               \
    X(SWISH, "swish")         /* x*sigmoid(a*x) */                                                \
    X(GELU, "gelu")           /* x*Phi(x), erf */                                                 \
    X(GELU_TANH, "gelu_tanh") /* the tanh approximation */                                        \
    X(SOFTPLUS, "softplus")                                                                       \
    X(SOFTSIGN, "softsign")                                                                       \
    X(EXP, "exponential")                                                                         \
    X(HARD_SIGMOID, "hard_sigmoid") /* clip(a*x + b, 0, 1): 0.2, 0.5 in Keras 2; 1/6, 0.5 in 3 */ \
    X(HARD_SWISH, "hard_swish")     /* x*clip(x/6 + 0.5, 0, 1) */                                 \
    X(MISH, "mish")
typedef enum xa_activation_kind {
#define X(name, text) XA_ACT_##name,
    XA_ACTIVATION_LIST(X)
#undef X
        XA_ACT_COUNT
} xa_activation_kind;
typedef struct xa_activation {
    xa_activation_kind kind;
    float a, b, c;
} xa_activation;
/* Keras' defaults of a kind (relu: 0, INFINITY, 0). */
xa_activation xa_activation_default(xa_activation_kind kind);

/* Functions of one value that are no activation of Keras'. SQRT: gradient 0 at 0, as PyTorch has it
 * of a norm; ABS: likewise. POWER: x^a. ROUND: halves to even; its gradient, and that of FLOOR,
 * CEIL and SIGN, is 0. CLIP: min(max(x, a), b), gradient 0 at the bounds and beyond. */
/* clang-format off */
#define XA_UNARY_LIST(X)                                                                          \
    X(SQRT) X(LOG) X(ABS) X(RECIPROCAL) X(ERF) X(SIN) X(COS) X(POWER) X(FLOOR) X(CEIL) X(ROUND)   \
    X(SIGN) X(CLIP)
/* clang-format on */
typedef enum xa_unary_kind {
#define X(name) XA_UNARY_##name,
    XA_UNARY_LIST(X)
#undef X
        XA_UNARY_COUNT
} xa_unary_kind;

typedef enum xa_compare_kind {
    XA_COMPARE_EQUAL,
    XA_COMPARE_LESS,
    XA_COMPARE_LESS_EQUAL,
    XA_COMPARE_GREATER,
    XA_COMPARE_GREATER_EQUAL,
    XA_COMPARE_COUNT
} xa_compare_kind;

typedef enum xa_over_kind {
    XA_OVER_MEAN,
    XA_OVER_SUM,
    XA_OVER_MAX_FIRST,  /* the first of equal values takes the gradient */
    XA_OVER_MAX_SHARED, /* equal values share it evenly */
    XA_OVER_PRODUCT,
    XA_OVER_L2, /* sqrt(sum x^2); gradient 0 at 0 */
    XA_OVER_COUNT
} xa_over_kind;

typedef enum xa_pool_kind { XA_POOL_MAX, XA_POOL_AVG } xa_pool_kind;
typedef enum xa_resize_kind {
    XA_RESIZE_NEAREST,  /* floor((i+0.5)*in/out) */
    XA_RESIZE_BILINEAR, /* half-pixel centres, clamped, no antialias */
    XA_RESIZE_BICUBIC /* Keys a=-0.5, half-pixel centres, weights renormalised at the edges (TF) */
} xa_resize_kind;

typedef union xa_op_params {
    struct {
        xa_window window;
        int64_t filters, groups;
    } conv2d;
    struct {
        xa_window window;
        int64_t multiplier; /* output channel c*M + m */
    } depthwise;
    struct {
        int64_t units;
    } dense;
    struct {
        /* y = (x - mean) / max(sqrt(variance + epsilon), floor) * gamma + beta; absent: 0, 1, 1, 0
         * and, without variance, no division. */
        float epsilon, floor;
    } affine;
    xa_activation activation;
    struct {
        float epsilon;
        bool rms; /* no mean is taken off: x/sqrt(mean(x^2) + epsilon) (Zhang and Sennrich 2019) */
    } layer_norm;
    struct {
        float epsilon;
    } group_norm;
    xa_window pool; /* MAX_POOL, AVG_POOL; no dilation */
    struct {
        xa_pool_kind kind;
        bool keepdims;
    } global_pool;
    struct {
        int axis; /* of the sample's shape, 0-based */
    } concat, gather;
    struct {
        xa_unary_kind kind;
        float a, b;
    } unary;
    xa_compare_kind compare;
    struct {
        xa_over_kind kind;
        int axis;
    } reduce;
    struct {
        int axis;
        int64_t first, count, step; /* elements first + i*step; step may be negative */
    } slice;
    struct {
        int64_t top, bottom, left, right;
    } edges; /* PAD, CROP */
    xa_shape reshape;
    struct {
        int order[XA_MAX_DIMS]; /* output axis i is input axis order[i] */
    } permute;
    struct {
        int64_t height, width;
        xa_resize_kind kind;
    } resize;
    struct {
        bool turned[2]; /* input i lies transposed: x0 [..,K,M], x1 [..,N,K] */
    } matmul;
    /* y = softmax(scale q k^T + bias[head] + mask[group]) v, by group and head (Vaswani et al.
     * 2017, equation 1; bias and windows: Liu et al. 2021, equation 4). bias [B,T,S], where B is 1,
     * N, or G*N; mask [G,T,S]. Group g owns rows [g*T, (g+1)*T) of q, [g*S, (g+1)*S) of k and v:
     * windows of one image. -INFINITY in bias or mask hides a key; a row whose keys are all hidden
     * is NaN, as in PyTorch. */
    struct {
        int64_t heads;  /* head h owns columns [h*K, (h+1)*K) of q and k, [h*V, (h+1)*V) of v */
        float scale;    /* of q k^T; 1/sqrt(K) in most models */
        int64_t groups; /* G; 0 is 1 */
    } attention;
} xa_op_params;

#endif
