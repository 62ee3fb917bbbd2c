/* Cases and formulas of what works along the last axis: products, normalisations, attention. */
#include "op_reference.h"

#include <math.h>

/* ---- formulas ---- */

static double
dense(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const int64_t units = c->params.dense.units, k = xa_shape_last(&c->inputs[0]);
    double sum = w[1] ? w[1][p->i % units] : 0.0;
    for (int64_t j = 0; j < k; j++)
        sum += x[0][p->i / units * k + j] * w[0][j * units + p->i % units];
    return sum;
}

static double
affine(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const int64_t channel = p->i % xa_shape_last(&c->inputs[0]);
    double v[XA_MAX_WEIGHTS];
    for (int k = 0; k < XA_MAX_WEIGHTS; k++)
        v[k] = !w[k] ? 0.0 : w[k][c->weights[k].dim[0] == 1 ? 0 : channel];
    double y = x[0][p->i] - v[2];
    if (w[3])
        y /= fmax(sqrt(v[3] + (double)c->params.affine.epsilon), (double)c->params.affine.floor);
    return (w[0] ? y * v[0] : y) + v[1];
}

static double
softmax(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const int64_t n = xa_shape_last(&c->inputs[0]);
    const double *row = x[0] + p->i / n * n;
    double most = row[0], sum = 0.0;
    (void)w;
    for (int64_t j = 1; j < n; j++)
        most = fmax(most, row[j]);
    for (int64_t j = 0; j < n; j++)
        sum += exp(row[j] - most);
    return exp(x[0][p->i] - most) / sum;
}

static double
attention(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const int64_t heads = c->params.attention.heads,
                  groups = c->params.attention.groups ? c->params.attention.groups : 1;
    const int64_t t = c->inputs[0].dim[0] / groups, s = c->inputs[1].dim[0] / groups;
    const int64_t wk = c->inputs[0].dim[1], wv = c->inputs[2].dim[1];
    const int64_t k = wk / heads, head = p->o[1] / (wv / heads);
    const int64_t group = p->o[0] / t, row = p->o[0] % t;
    const double *bias = c->nweights > 0 ? w[0] : NULL, *mask = c->nweights > 1 ? w[1] : NULL;
    const int64_t matrices = bias ? c->weights[0].dim[0] : 0;
    double most = -INFINITY, sum = 0.0, y = 0.0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t j = 0; j < s; j++) {
            double z = 0.0;
            for (int64_t i = head * k; i < (head + 1) * k; i++)
                z += x[0][p->o[0] * wk + i] * x[1][(group * s + j) * wk + i];
            z *= (double)c->params.attention.scale;
            if (bias)
                z += bias[((matrices == 1       ? 0
                            : matrices == heads ? head
                                                : group * heads + head) *
                               t +
                           row) *
                              s +
                          j];
            if (mask)
                z += mask[(group * t + row) * s + j];
            if (pass == 0) {
                most = fmax(most, z);
                continue;
            }
            sum += exp(z - most);
            y += exp(z - most) * x[2][(group * s + j) * wv + p->o[1]];
        }
    return y / sum;
}

static double
matmul(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const int r = p->out->ndim - 1;
    const bool *turned = c->params.matmul.turned;
    const int64_t k = c->inputs[0].dim[r - turned[0]];
    int64_t a[XA_MAX_DIMS], b[XA_MAX_DIMS];
    double sum = 0.0;
    (void)w;
    for (int d = 0; d < r - 1; d++)
        a[d] = b[d] = p->o[d];
    for (int64_t i = 0; i < k; i++) {
        a[r - 1] = turned[0] ? i : p->o[r - 1];
        a[r] = turned[0] ? p->o[r - 1] : i;
        b[r - 1] = turned[1] ? p->o[r] : i;
        b[r] = turned[1] ? i : p->o[r];
        sum += x[0][op_ravel(&c->inputs[0], a)] * x[1][op_ravel(&c->inputs[1], b)];
    }
    return sum;
}

static double
tokens(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const int64_t prefix =
        c->nweights > 0 && c->weights[0].ndim ? xa_shape_count(&c->weights[0]) : 0;
    const double position = c->nweights > 1 && w[1] ? w[1][p->i] : 0.0;
    return (p->i < prefix ? w[0][p->i] : x[0][p->i - prefix]) + position;
}

static double
layer_norm(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const int64_t n = xa_shape_last(&c->inputs[0]);
    const double *row = x[0] + p->i / n * n;
    double mean = 0.0, variance = 0.0;
    for (int64_t j = 0; !c->params.layer_norm.rms && j < n; j++)
        mean += row[j] / (double)n;
    for (int64_t j = 0; j < n; j++)
        variance += (row[j] - mean) * (row[j] - mean) / (double)n;
    const double y = (x[0][p->i] - mean) / sqrt(variance + (double)c->params.layer_norm.epsilon);
    return y * (w[0] ? w[0][p->i % n] : 1.0) + (w[1] ? w[1][p->i % n] : 0.0);
}

static double
group_norm(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const xa_shape *s = &c->inputs[0];
    const double count = (double)(s->dim[0] * s->dim[2]);
    double mean = 0.0, variance = 0.0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t a = 0; a < s->dim[0]; a++)
            for (int64_t b = 0; b < s->dim[2]; b++) {
                const double v = x[0][op_pixel(s, a, p->o[1], b)];
                mean += pass == 0 ? v / count : 0.0;
                variance += pass == 1 ? (v - mean) * (v - mean) / count : 0.0;
            }
    const double y = (x[0][p->i] - mean) / sqrt(variance + (double)c->params.group_norm.epsilon);
    return y * (w[0] ? w[0][p->o[1]] : 1.0) + (w[1] ? w[1][p->o[1]] : 0.0);
}

static double
reduce(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const int axis = c->params.reduce.axis;
    int64_t index[XA_MAX_DIMS] = {0};
    double sum = 0.0, squares = 0.0, product = 1.0, most = -INFINITY;
    (void)w;
    for (int d = 0; d < c->inputs[0].ndim; d++)
        index[d] = p->o[d];
    for (index[axis] = 0; index[axis] < c->inputs[0].dim[axis]; index[axis]++) {
        const double v = x[0][op_ravel(&c->inputs[0], index)];
        sum += v;
        squares += v * v;
        product *= v;
        most = v > most || isnan(v) ? v : most;
    }
    switch (c->params.reduce.kind) {
    case XA_OVER_MEAN:
        return sum / (double)c->inputs[0].dim[axis];
    case XA_OVER_SUM:
        return sum;
    case XA_OVER_PRODUCT:
        return product;
    case XA_OVER_L2:
        return sqrt(squares);
    default:
        return most;
    }
}

/* ---- cases ---- */

/* clang-format off */
#define ATTEND(label, T, S, NH, K, V, SCALE)                                                      \
    {.name = "attention " label, .op = XA_OP_ATTENTION, .ninputs = 3,                             \
     .inputs = {S2(T, (NH) * (K)), S2(S, (NH) * (K)), S2(S, (NH) * (V))},                         \
     .params.attention = {NH, SCALE, 0}}
#define ATTEND_IN(label, G, T, S, NH, K, V, BIAS, MASK)                                           \
    {.name = "attention " label, .op = XA_OP_ATTENTION, .ninputs = 3,                             \
     .inputs = {S2((G) * (T), (NH) * (K)), S2((G) * (S), (NH) * (K)), S2((G) * (S), (NH) * (V))}, \
     .nweights = 2, .weights = {BIAS, MASK}, .params.attention = {NH, 0.4f, G}}
#define MATMUL(label, a, b, A, B)                                                                 \
    {.name = "matmul " label, .op = XA_OP_MATMUL, .ninputs = 2, .inputs = {a, b},                 \
     .params.matmul = {{A, B}}}
#define REDUCE(label, KIND, shape, AXIS)                                                          \
    {.name = "reduce " label, .op = XA_OP_REDUCE, .ninputs = 1, .inputs = {shape},                \
     .params.reduce = {XA_OVER_##KIND, AXIS}}
#define REDUCES(label, KIND)                                                                      \
    REDUCE(label " last", KIND, S3(3, 4, 17), 2), REDUCE(label " middle", KIND, S3(3, 9, 5), 1),  \
    REDUCE(label " first", KIND, S2(7, 5), 0), REDUCE(label " one element", KIND, S3(3, 1, 5), 1)

static const op_case cases[] = {
    REDUCES("mean", MEAN), REDUCES("sum", SUM), REDUCES("first maximum", MAX_FIRST),
    REDUCES("shared maximum", MAX_SHARED), REDUCES("norm", L2), REDUCES("product", PRODUCT),

    {.name = "dense vector", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S1(37)}, .nweights = 2,
     .weights = {S2(37, 11), S1(11)}, .params.dense = {11}},
    {.name = "dense no bias", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S1(64)}, .nweights = 1,
     .weights = {S2(64, 40)}, .params.dense = {40}},
    {.name = "dense one unit", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S1(19)}, .nweights = 2,
     .weights = {S2(19, 1), S1(1)}, .params.dense = {1}},
    {.name = "dense one value", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S1(1)}, .nweights = 2,
     .weights = {S2(1, 3), S1(3)}, .params.dense = {3}},
    {.name = "dense few tokens", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S2(5, 12)},
     .nweights = 2, .weights = {S2(12, 18), S1(18)}, .params.dense = {18}},
    {.name = "dense tokens", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S2(50, 24)},
     .nweights = 2, .weights = {S2(24, 33), S1(33)}, .params.dense = {33}},
    {.name = "dense many tokens", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S2(1100, 5)},
     .nweights = 2, .weights = {S2(5, 6), S1(6)}, .params.dense = {6}},
    {.name = "bf16 dense tokens", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S2(50, 24)},
     .nweights = 2, .weights = {S2(24, 35), S1(35)}, .params.dense = {35},
     .numerics = XA_NUMERICS_BF16},
    {.name = "bf16 dense vector", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S1(37)}, .nweights = 2,
     .weights = {S2(37, 10), S1(10)}, .params.dense = {10}, .numerics = XA_NUMERICS_BF16},
    {.name = "dense on image", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S3(4, 5, 6)},
     .nweights = 2, .weights = {S2(6, 7), S1(7)}, .params.dense = {7}},

    {.name = "affine all", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S3(4, 5, 9)},
     .nweights = 4, .weights = {S1(9), S1(9), S1(9), S1(9)}, .params.affine = {1e-3f, 0.0f}},
    {.name = "affine no gamma", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S3(4, 5, 9)},
     .nweights = 4, .weights = {{0}, S1(9), S1(9), S1(9)}, .params.affine = {1e-3f, 0.0f}},
    {.name = "affine mean only", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S2(4, 5)},
     .nweights = 3, .weights = {{0}, {0}, S1(5)}, .params.affine = {1e-3f, 0.0f}},
    {.name = "affine floor", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S3(3, 3, 7)},
     .nweights = 4, .weights = {{0}, {0}, S1(7), S1(7)}, .params.affine = {0.0f, 1.0f}},
    {.name = "affine one value", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S3(3, 3, 7)},
     .nweights = 2, .weights = {S1(1), S1(1)}},
    {.name = "affine identity", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S1(10)}},
    {.name = "affine several tiles", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S3(40, 30, 73)},
     .nweights = 2, .weights = {S1(73), S1(73)}},

    {.name = "softmax vector", .op = XA_OP_SOFTMAX, .ninputs = 1, .inputs = {S1(11)}, .range = 8},
    {.name = "softmax rows", .op = XA_OP_SOFTMAX, .ninputs = 1, .inputs = {S3(2, 5, 7)}},
    {.name = "softmax large values", .op = XA_OP_SOFTMAX, .ninputs = 1, .inputs = {S1(6)},
     .range = 300},
    {.name = "softmax one class", .op = XA_OP_SOFTMAX, .ninputs = 1, .inputs = {S1(1)}},
    {.name = "softmax several tiles", .op = XA_OP_SOFTMAX, .ninputs = 1, .inputs = {S2(7000, 7)}},

    ATTEND("one head", 5, 5, 1, 8, 8, 0.35f),
    ATTEND("three heads", 17, 17, 3, 8, 8, 0.35f),
    ATTEND("odd widths", 7, 11, 2, 5, 3, 0.4f),
    ATTEND("one token", 1, 1, 4, 3, 3, 1.0f),
    ATTEND("one column a head", 9, 9, 6, 1, 1, 1.0f),
    ATTEND("many tokens", 50, 50, 2, 16, 16, 0.25f),
    ATTEND("beyond a tile", 101, 65, 1, 33, 20, 0.17f),
    ATTEND("sharp", 6, 6, 2, 4, 4, 9.0f),
    ATTEND("negative scale", 6, 9, 2, 4, 4, -0.5f),
    ATTEND_IN("bias", 1, 10, 10, 3, 4, 4, S3(3, 10, 10), {0}),
    ATTEND_IN("bias of all heads", 1, 5, 7, 2, 4, 3, S3(1, 5, 7), {0}),
    ATTEND_IN("groups", 3, 4, 4, 2, 5, 5, {0}, {0}),
    ATTEND_IN("windows", 4, 9, 9, 2, 4, 4, S3(2, 9, 9), S3(4, 9, 9)),
    ATTEND_IN("bias of heads and windows", 3, 4, 4, 2, 4, 4, S3(6, 4, 4), {0}),
    ATTEND_IN("mask of odd groups", 3, 2, 11, 1, 3, 6, {0}, S3(3, 2, 11)),

    MATMUL("plain", S2(5, 7), S2(7, 9), false, false),
    MATMUL("left turned", S2(7, 5), S2(7, 9), true, false),
    MATMUL("right turned", S2(5, 7), S2(9, 7), false, true),
    MATMUL("both turned", S2(7, 5), S2(9, 7), true, true),
    MATMUL("heads", S3(3, 17, 8), S3(3, 8, 19), false, false),
    MATMUL("heads turned", S3(3, 17, 8), S3(3, 19, 8), false, true),
    MATMUL("left shared", S4(2, 1, 4, 5), S4(2, 3, 5, 6), false, false),
    MATMUL("right shared", S4(2, 3, 4, 5), S4(1, 3, 5, 6), false, false),
    MATMUL("each shared, turned", S5(1, 3, 2, 5, 4), S5(2, 3, 1, 6, 5), true, true),
    MATMUL("one row", S3(2, 1, 33), S3(2, 33, 20), false, false),
    MATMUL("one product", S2(1, 40), S2(40, 1), false, false),
    MATMUL("one summand", S2(6, 1), S2(1, 7), false, false),
    MATMUL("long sums", S2(9, 801), S2(801, 5), false, false),
    MATMUL("beyond a tile", S3(2, 101, 65), S3(2, 65, 301), false, false),

    {.name = "tokens all", .op = XA_OP_TOKENS, .ninputs = 1, .inputs = {S2(6, 5)}, .nweights = 2,
     .weights = {S2(1, 5), S2(7, 5)}},
    {.name = "tokens prefix only", .op = XA_OP_TOKENS, .ninputs = 1, .inputs = {S2(4, 9)},
     .nweights = 1, .weights = {S2(3, 9)}},
    {.name = "tokens position only", .op = XA_OP_TOKENS, .ninputs = 1, .inputs = {S2(49, 24)},
     .nweights = 2, .weights = {{0}, S2(49, 24)}},
    {.name = "tokens bare", .op = XA_OP_TOKENS, .ninputs = 1, .inputs = {S2(3, 4)}},

    {.name = "group_norm", .op = XA_OP_GROUP_NORM, .ninputs = 1, .inputs = {S3(20, 3, 4)},
     .nweights = 2, .weights = {S1(3), S1(3)}, .params.group_norm = {1e-5f}},
    {.name = "group_norm of channels", .op = XA_OP_GROUP_NORM, .ninputs = 1,
     .inputs = {S3(21, 9, 1)}, .nweights = 2, .weights = {{0}, S1(9)}, .params.group_norm = {1e-3f}},
    {.name = "group_norm of all", .op = XA_OP_GROUP_NORM, .ninputs = 1, .inputs = {S3(6, 1, 7)},
     .params.group_norm = {1e-5f}},
    {.name = "group_norm of one row", .op = XA_OP_GROUP_NORM, .ninputs = 1,
     .inputs = {S3(1, 4, 33)}, .nweights = 1, .weights = {S1(4)}, .params.group_norm = {1e-6f}},
    {.name = "group_norm of many", .op = XA_OP_GROUP_NORM, .ninputs = 1,
     .inputs = {S3(60, 8, 9)}, .nweights = 2, .weights = {S1(8), S1(8)},
     .params.group_norm = {1e-5f}},

    {.name = "layer_norm tokens", .op = XA_OP_LAYER_NORM, .ninputs = 1, .inputs = {S2(5, 24)},
     .nweights = 2, .weights = {S1(24), S1(24)}, .params.layer_norm = {1e-6f}},
    {.name = "layer_norm odd width", .op = XA_OP_LAYER_NORM, .ninputs = 1, .inputs = {S3(2, 3, 13)},
     .nweights = 2, .weights = {S1(13), S1(13)}, .params.layer_norm = {1e-3f}},
    {.name = "layer_norm bare", .op = XA_OP_LAYER_NORM, .ninputs = 1, .inputs = {S1(19)},
     .params.layer_norm = {1e-3f}},
    {.name = "layer_norm beta only", .op = XA_OP_LAYER_NORM, .ninputs = 1, .inputs = {S2(3, 8)},
     .nweights = 2, .weights = {{0}, S1(8)}, .params.layer_norm = {1e-3f}},
    {.name = "layer_norm rms", .op = XA_OP_LAYER_NORM, .ninputs = 1, .inputs = {S2(5, 24)},
     .nweights = 1, .weights = {S1(24)}, .params.layer_norm = {1e-6f, true}},
    {.name = "layer_norm rms odd width", .op = XA_OP_LAYER_NORM, .ninputs = 1,
     .inputs = {S3(2, 3, 13)}, .nweights = 2, .weights = {S1(13), S1(13)},
     .params.layer_norm = {1e-3f, true}},
    {.name = "layer_norm several tiles", .op = XA_OP_LAYER_NORM, .ninputs = 1,
     .inputs = {S2(700, 97)}, .nweights = 2, .weights = {S1(97), S1(97)},
     .params.layer_norm = {1e-3f}},
};

static op_formula *const formulas[XA_OP_COUNT] = {
    [XA_OP_DENSE] = dense,
    [XA_OP_AFFINE] = affine,
    [XA_OP_SOFTMAX] = softmax,
    [XA_OP_ATTENTION] = attention,
    [XA_OP_MATMUL] = matmul,
    [XA_OP_TOKENS] = tokens,
    [XA_OP_LAYER_NORM] = layer_norm,
    [XA_OP_GROUP_NORM] = group_norm,
    [XA_OP_REDUCE] = reduce,
};
/* clang-format on */

const op_family op_rows = {cases, (int)(sizeof(cases) / sizeof(cases[0])), formulas};
