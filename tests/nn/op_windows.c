/* Cases and formulas of what slides a window over an image: convolutions and pooling. */
#include "op_reference.h"

#include <math.h>

/* ---- formulas ---- */

/* TensorFlow's padding before, written down a second time; or what is said. */
static int64_t pad_before(
    xa_padding padding, int64_t said, int64_t in, int64_t k, int64_t stride, int64_t dilation)
{
    if (padding != XA_SAME)
        return said;
    const int64_t out = (in + stride - 1) / stride, span = (k - 1) * dilation + 1;
    const int64_t total = (out - 1) * stride + span - in;
    return total > 0 ? total / 2 : 0;
}

typedef struct origin {
    int64_t y, x;
} origin;
static origin window_origin(const xa_window *w, const xa_shape *in, const int64_t *o)
{
    const xa_window_edges *e = &w->edges;
    return (origin){o[0] * w->sh - pad_before(w->padding, e->top, in->dim[0], w->kh, w->sh, w->dh),
                    o[1] * w->sw -
                        pad_before(w->padding, e->left, in->dim[1], w->kw, w->sw, w->dw)};
}

static double
conv2d(const op_case *c, const op_point *p, const double *const *x, const double *const *weights)
{
    const xa_window *w = &c->params.conv2d.window;
    const xa_shape *in = &c->inputs[0];
    const int64_t filters = c->params.conv2d.filters, groups = c->params.conv2d.groups;
    const int64_t cg = in->dim[2] / groups, group = p->o[2] / (filters / groups);
    const origin at = window_origin(w, in, p->o);
    double sum = weights[1] ? weights[1][p->o[2]] : 0.0;
    for (int64_t ky = 0; ky < w->kh; ky++)
        for (int64_t kx = 0; kx < w->kw; kx++) {
            const int64_t iy = at.y + ky * w->dh, ix = at.x + kx * w->dw;
            for (int64_t i = 0; op_in_image(in, iy, ix) && i < cg; i++)
                sum += x[0][op_pixel(in, iy, ix, group * cg + i)] *
                       weights[0][((ky * w->kw + kx) * cg + i) * filters + p->o[2]];
        }
    return sum;
}

static double
depthwise(const op_case *c, const op_point *p, const double *const *x, const double *const *weights)
{
    const xa_window *w = &c->params.depthwise.window;
    const xa_shape *in = &c->inputs[0];
    const int64_t m = c->params.depthwise.multiplier, cm = in->dim[2] * m;
    const origin at = window_origin(w, in, p->o);
    double sum = weights[1] ? weights[1][p->o[2]] : 0.0;
    for (int64_t ky = 0; ky < w->kh; ky++)
        for (int64_t kx = 0; kx < w->kw; kx++) {
            const int64_t iy = at.y + ky * w->dh, ix = at.x + kx * w->dw;
            if (op_in_image(in, iy, ix))
                sum += x[0][op_pixel(in, iy, ix, p->o[2] / m)] *
                       weights[0][(ky * w->kw + kx) * cm + p->o[2]];
        }
    return sum;
}

/* What a pooling window holds. */
typedef struct pooled {
    double sum, most;
    int64_t count;
} pooled;
static pooled pool(const op_case *c, const int64_t *o, const double *x)
{
    const xa_window *w = &c->params.pool;
    const xa_shape *in = &c->inputs[0];
    const origin at = window_origin(w, in, o);
    pooled r = {.most = -INFINITY};
    for (int64_t ky = 0; ky < w->kh; ky++)
        for (int64_t kx = 0; kx < w->kw; kx++)
            if (op_in_image(in, at.y + ky, at.x + kx)) {
                const double v = x[op_pixel(in, at.y + ky, at.x + kx, o[2])];
                r.sum += v;
                r.most = v > r.most || isnan(v) ? v : r.most;
                r.count++;
            } else if (w->edges.counted && at.y + ky < in->dim[0] + w->edges.bottom &&
                       at.x + kx < in->dim[1] + w->edges.right) {
                r.count++;
            }
    return r;
}
static double
max_pool(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    (void)w;
    return pool(c, p->o, x[0]).most;
}
static double
avg_pool(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    (void)w;
    const pooled r = pool(c, p->o, x[0]);
    return r.sum / (double)r.count;
}

static double
global_pool(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const int64_t ch = c->inputs[0].dim[2], count = xa_shape_count(&c->inputs[0]) / ch;
    double sum = 0.0, most = -INFINITY;
    (void)w;
    for (int64_t i = 0; i < count; i++) {
        const double v = x[0][i * ch + p->i];
        sum += v;
        most = v > most || isnan(v) ? v : most;
    }
    return c->params.global_pool.kind == XA_POOL_MAX ? most : sum / (double)count;
}

/* ---- cases ---- */

/* clang-format off */
#define WINDOW(KH, KW, SH, SW, DH, DW, P) {KH, KW, SH, SW, DH, DW, XA_##P, {0}}
#define CONV(label, H, W, C, KH, KW, SH, SW, DH, DW, P, F, G)                                     \
    {.name = "conv2d " label, .op = XA_OP_CONV2D, .ninputs = 1, .inputs = {S3(H, W, C)},          \
     .nweights = 2, .weights = {S4(KH, KW, (C) / (G), F), S1(F)},                                 \
     .params.conv2d = {WINDOW(KH, KW, SH, SW, DH, DW, P), F, G}}
#define CONV_NO_BIAS(label, H, W, C, KH, KW, SH, SW, DH, DW, P, F, G)                             \
    {.name = "conv2d " label, .op = XA_OP_CONV2D, .ninputs = 1, .inputs = {S3(H, W, C)},          \
     .nweights = 1, .weights = {S4(KH, KW, (C) / (G), F)},                                        \
     .params.conv2d = {WINDOW(KH, KW, SH, SW, DH, DW, P), F, G}}
/* By Winograd's filtering, whose errors are stated here. */
#define WINO(label, H, W, C, P, F)                                                                \
    {.name = "winograd " label, .op = XA_OP_CONV2D, .ninputs = 1, .inputs = {S3(H, W, C)},        \
     .nweights = 2, .weights = {S4(3, 3, C, F), S1(F)}, .numerics = XA_NUMERICS_FAST,             \
     .params.conv2d = {WINDOW(3, 3, 1, 1, 1, 1, P), F, 1}, .tolerance = 1e-5}
/* Products in bfloat16, of operands that are such numbers (op_fixture.c). */
#define BF16_AS(WORD, label, H, W, C, KH, KW, SH, SW, DH, DW, P, F, G)                            \
    {.name = "bf16 " label, .op = XA_OP_CONV2D, .ninputs = 1, .inputs = {S3(H, W, C)},            \
     .nweights = 2, .weights = {S4(KH, KW, (C) / (G), F), S1(F)}, .numerics = XA_NUMERICS_##WORD, \
     .params.conv2d = {WINDOW(KH, KW, SH, SW, DH, DW, P), F, G}}
#define BF16(...) BF16_AS(BF16, __VA_ARGS__)
#define DW(label, H, W, C, KH, KW, SH, SW, DH, DW_, P, M)                                         \
    {.name = "depthwise " label, .op = XA_OP_DEPTHWISE, .ninputs = 1, .inputs = {S3(H, W, C)},    \
     .nweights = 2, .weights = {S4(KH, KW, C, M), S1((C) * (M))},                                 \
     .params.depthwise = {WINDOW(KH, KW, SH, SW, DH, DW_, P), M}}
#define DW_NO_BIAS(label, H, W, C, KH, KW, SH, SW, DH, DW_, P, M)                                 \
    {.name = "depthwise " label, .op = XA_OP_DEPTHWISE, .ninputs = 1, .inputs = {S3(H, W, C)},    \
     .nweights = 1, .weights = {S4(KH, KW, C, M)},                                                \
     .params.depthwise = {WINDOW(KH, KW, SH, SW, DH, DW_, P), M}}
#define POOL(KIND, text, label, H, W, C, KH, KW, SH, SW, P)                                       \
    {.name = text " " label, .op = XA_OP_##KIND, .ninputs = 1, .inputs = {S3(H, W, C)},           \
     .params.pool = WINDOW(KH, KW, SH, SW, 1, 1, P)}
/* Explicit edges. */
#define EDGES(KH, KW, SH, SW, DH, DW, T, L, B, R, CEIL, COUNTED)                                  \
    {KH, KW, SH, SW, DH, DW, XA_EXPLICIT, {T, L, B, R, CEIL, COUNTED}}
#define CONV_EDGES(label, H, W, C, F, G, KH, KW, ...)                                             \
    {.name = "conv2d edges " label, .op = XA_OP_CONV2D, .ninputs = 1, .inputs = {S3(H, W, C)},    \
     .nweights = 2, .weights = {S4(KH, KW, (C) / (G), F), S1(F)},                                 \
     .params.conv2d = {EDGES(KH, KW, __VA_ARGS__, false, false), F, G}}
#define DW_EDGES(label, H, W, C, M, KH, KW, ...)                                                  \
    {.name = "depthwise edges " label, .op = XA_OP_DEPTHWISE, .ninputs = 1,                       \
     .inputs = {S3(H, W, C)}, .nweights = 2, .weights = {S4(KH, KW, C, M), S1((C) * (M))},        \
     .params.depthwise = {EDGES(KH, KW, __VA_ARGS__, false, false), M}}
#define POOL_EDGES(KIND, text, label, H, W, C, ...)                                               \
    {.name = text " edges " label, .op = XA_OP_##KIND, .ninputs = 1, .inputs = {S3(H, W, C)},     \
     .params.pool = EDGES(__VA_ARGS__)}

static const op_case cases[] = {
    CONV("1x1", 5, 7, 6, 1, 1, 1, 1, 1, 1, VALID, 9, 1),
    CONV("1x1 few pixels", 2, 3, 11, 1, 1, 1, 1, 1, 1, SAME, 5, 1),
    CONV("1x1 single pixel", 1, 1, 13, 1, 1, 1, 1, 1, 1, SAME, 17, 1),
    CONV("1x1 stride 2", 7, 6, 5, 1, 1, 2, 2, 1, 1, SAME, 8, 1),
    CONV_NO_BIAS("1x1 no bias", 6, 6, 8, 1, 1, 1, 1, 1, 1, VALID, 16, 1),
    CONV("3x3 same", 9, 8, 5, 3, 3, 1, 1, 1, 1, SAME, 7, 1),
    CONV("3x3 valid", 9, 8, 5, 3, 3, 1, 1, 1, 1, VALID, 7, 1),
    CONV("3x3 same stride 2", 9, 8, 5, 3, 3, 2, 2, 1, 1, SAME, 7, 1),
    CONV("3x3 valid stride 2", 11, 10, 3, 3, 3, 2, 2, 1, 1, VALID, 8, 1),
    CONV("3x3 dilation 2", 9, 10, 3, 3, 3, 1, 1, 2, 2, SAME, 4, 1),
    CONV("3x3 dilation 3x2 valid", 9, 10, 3, 3, 3, 1, 1, 3, 2, VALID, 4, 1),
    CONV("2x2 same even kernel", 5, 6, 4, 2, 2, 1, 1, 1, 1, SAME, 3, 1),
    CONV("4x4 same stride 3", 8, 7, 2, 4, 4, 3, 3, 1, 1, SAME, 5, 1),
    CONV("1x7 same", 5, 9, 4, 1, 7, 1, 1, 1, 1, SAME, 6, 1),
    CONV("7x1 same", 9, 5, 4, 7, 1, 1, 1, 1, 1, SAME, 6, 1),
    CONV("stride beyond kernel", 10, 11, 3, 2, 2, 3, 4, 1, 1, VALID, 4, 1),
    CONV("stride beyond kernel same", 10, 11, 3, 1, 1, 3, 4, 1, 1, SAME, 4, 1),
    CONV("padding wider than input", 2, 3, 3, 7, 9, 1, 1, 1, 1, SAME, 4, 1),
    CONV("dilation wider than input", 3, 3, 2, 3, 3, 1, 1, 5, 4, SAME, 3, 1),
    CONV("whole input", 4, 5, 6, 4, 5, 1, 1, 1, 1, VALID, 9, 1),
    CONV("groups 2", 7, 6, 6, 3, 3, 1, 1, 1, 1, SAME, 8, 2),
    CONV("groups 3 1x1", 5, 5, 9, 1, 1, 1, 1, 1, 1, SAME, 6, 3),
    CONV("groups all", 6, 5, 5, 3, 3, 2, 2, 1, 1, SAME, 10, 5),
    CONV("groups dilation few pixels", 3, 4, 4, 3, 2, 1, 1, 2, 1, SAME, 6, 2),
    CONV("single pixel 3x3", 1, 1, 3, 3, 3, 1, 1, 1, 1, SAME, 4, 1),
    CONV("many pixels", 40, 33, 2, 3, 3, 1, 1, 1, 1, SAME, 3, 1),
    CONV("1x1 many pixels", 41, 33, 3, 1, 1, 1, 1, 1, 1, SAME, 4, 1),
    CONV("groups many pixels", 40, 33, 4, 3, 3, 1, 1, 1, 1, SAME, 6, 2),
    CONV_NO_BIAS("stem 7x7 stride 2", 23, 21, 3, 7, 7, 2, 2, 1, 1, SAME, 8, 1),
    CONV("deep 3x3 same", 6, 7, 19, 3, 3, 1, 1, 1, 1, SAME, 21, 1),
    CONV("deep 3x3 valid", 7, 5, 16, 3, 3, 1, 1, 1, 1, VALID, 33, 1),
    CONV("deep 3x3 stride 2", 9, 8, 17, 3, 3, 2, 2, 1, 1, SAME, 18, 1),
    CONV("deep 1x1 stride 2", 7, 6, 18, 1, 1, 2, 2, 1, 1, SAME, 9, 1),
    CONV("deep stride beyond kernel", 10, 11, 16, 2, 2, 3, 4, 1, 1, VALID, 5, 1),
    CONV("deep dilation 2", 9, 10, 16, 3, 3, 1, 1, 2, 2, SAME, 5, 1),
    CONV("deep dilation 2 stride 2x1", 9, 10, 16, 3, 2, 2, 1, 2, 1, SAME, 5, 1),
    CONV("deep groups 2", 5, 6, 34, 3, 3, 1, 1, 1, 1, SAME, 10, 2),
    CONV("deep groups 2 stride 2", 7, 6, 32, 3, 3, 2, 2, 1, 1, VALID, 18, 2),
    CONV("deep padding wider than input", 2, 3, 16, 7, 9, 1, 1, 1, 1, SAME, 4, 1),
    CONV("deep 1x7", 4, 9, 17, 1, 7, 1, 1, 1, 1, SAME, 6, 1),
    CONV("deep wide rows", 3, 300, 16, 3, 3, 1, 1, 1, 1, SAME, 3, 1),
    CONV("deep many pixels", 19, 33, 16, 3, 3, 1, 1, 1, 1, VALID, 3, 1),
    WINO("tiles of 4", 8, 8, 16, SAME, 16),
    WINO("odd channels", 9, 11, 19, SAME, 21),
    WINO("valid", 10, 9, 17, VALID, 35),
    WINO("tiles of 2", 6, 6, 20, SAME, 18),
    WINO("tiles of 2 valid", 8, 4, 16, VALID, 40),
    WINO("several blocks", 44, 41, 16, SAME, 17),

    BF16("1x1", 5, 7, 33, 1, 1, 1, 1, 1, 1, VALID, 70, 1),
    BF16("1x1 many pixels", 17, 18, 21, 1, 1, 1, 1, 1, 1, VALID, 7, 1),
    BF16("1x1 deep", 3, 3, 800, 1, 1, 1, 1, 1, 1, VALID, 9, 1),
    BF16("1x1 single pixel", 1, 1, 30, 1, 1, 1, 1, 1, 1, SAME, 20, 1),
    BF16("thin", 9, 8, 5, 3, 3, 1, 1, 1, 1, SAME, 7, 1),
    BF16("stem", 13, 11, 3, 7, 7, 2, 2, 1, 1, SAME, 20, 1),
    BF16("3x3 same", 6, 7, 19, 3, 3, 1, 1, 1, 1, SAME, 21, 1),
    BF16("3x3 valid", 7, 5, 16, 3, 3, 1, 1, 1, 1, VALID, 33, 1),
    BF16("3x3 stride 2", 9, 8, 17, 3, 3, 2, 2, 1, 1, SAME, 18, 1),
    BF16("3x3 deep", 3, 4, 91, 3, 3, 1, 1, 1, 1, SAME, 93, 1),
    BF16("1x1 stride 2", 7, 6, 18, 1, 1, 2, 2, 1, 1, SAME, 9, 1),
    BF16("stride beyond kernel", 10, 11, 16, 2, 2, 3, 4, 1, 1, VALID, 5, 1),
    BF16("dilation 2 stride 2x1", 9, 10, 16, 3, 2, 2, 1, 2, 1, SAME, 5, 1),
    BF16("groups 2", 5, 6, 34, 3, 3, 1, 1, 1, 1, SAME, 10, 2),
    BF16("groups 3 thin", 5, 6, 9, 3, 3, 1, 1, 1, 1, SAME, 6, 3),
    BF16("whole input", 4, 5, 6, 4, 5, 1, 1, 1, 1, VALID, 9, 1),
    BF16_AS(BF16_GRADIENT, "gradient 3x3", 6, 7, 19, 3, 3, 1, 1, 1, 1, SAME, 21, 1),
    BF16_AS(BF16_GRADIENT, "gradient 1x1", 5, 7, 33, 1, 1, 1, 1, 1, 1, VALID, 70, 1),
    BF16_AS(BF16_GRADIENT, "gradient thin, groups", 7, 6, 6, 3, 3, 2, 2, 1, 1, SAME, 8, 2),

    DW("3x3 same", 9, 10, 16, 3, 3, 1, 1, 1, 1, SAME, 1),
    DW("3x3 same odd channels", 7, 11, 13, 3, 3, 1, 1, 1, 1, SAME, 1),
    DW("3x3 valid", 8, 9, 12, 3, 3, 1, 1, 1, 1, VALID, 1),
    DW("3x3 same stride 2", 9, 12, 11, 3, 3, 2, 2, 1, 1, SAME, 1),
    DW("3x3 valid stride 2", 10, 11, 8, 3, 3, 2, 2, 1, 1, VALID, 1),
    DW("3x3 stride 1x2", 6, 11, 9, 3, 3, 1, 2, 1, 1, SAME, 1),
    DW("3x3 stride 2x1", 7, 9, 9, 3, 3, 2, 1, 1, 1, SAME, 1),
    DW("3x3 stride 3", 10, 10, 9, 3, 3, 3, 3, 1, 1, SAME, 1),
    DW("5x5 same", 8, 13, 10, 5, 5, 1, 1, 1, 1, SAME, 1),
    DW("5x5 stride 2", 9, 14, 8, 5, 5, 2, 2, 1, 1, SAME, 1),
    DW("7x7 same", 9, 12, 8, 7, 7, 1, 1, 1, 1, SAME, 1),
    DW("9x9 same", 11, 6, 9, 9, 9, 1, 1, 1, 1, SAME, 1),
    DW("2x2 same even kernel", 5, 6, 9, 2, 2, 1, 1, 1, 1, SAME, 1),
    DW("4x4 same stride 2", 7, 8, 5, 4, 4, 2, 2, 1, 1, SAME, 1),
    DW("1x3", 4, 9, 8, 1, 3, 1, 1, 1, 1, SAME, 1),
    DW("17x3 tall", 18, 9, 8, 17, 3, 1, 1, 1, 1, SAME, 1),
    DW("dilation 2", 9, 8, 10, 3, 3, 1, 1, 2, 2, SAME, 1),
    DW("dilation 3x2 valid", 9, 8, 10, 3, 3, 1, 1, 3, 2, VALID, 1),
    DW("multiplier 2", 6, 7, 5, 3, 3, 1, 1, 1, 1, SAME, 2),
    DW("multiplier 3 stride 2", 7, 6, 3, 3, 3, 2, 2, 1, 1, SAME, 3),
    DW("multiplier from one channel", 5, 6, 1, 3, 3, 1, 1, 1, 1, VALID, 10),
    DW("padding wider than input", 2, 3, 8, 7, 7, 1, 1, 1, 1, SAME, 1),
    DW("stride beyond kernel", 10, 9, 8, 2, 2, 3, 4, 1, 1, VALID, 1),
    DW("single pixel", 1, 1, 9, 3, 3, 1, 1, 1, 1, SAME, 1),
    DW("narrow", 9, 2, 8, 3, 3, 1, 1, 1, 1, SAME, 1),
    DW("1x1", 3, 4, 10, 1, 1, 1, 1, 1, 1, SAME, 1),
    DW("several tiles", 40, 30, 72, 3, 3, 1, 1, 1, 1, SAME, 1),
    DW("several tiles stride 2", 61, 40, 40, 3, 3, 2, 2, 1, 1, SAME, 1),
    DW("several tiles 7x7 valid", 40, 60, 32, 7, 7, 1, 1, 1, 1, VALID, 1),
    DW("several tiles dilated", 60, 40, 36, 3, 3, 1, 1, 3, 3, SAME, 1),
    DW_NO_BIAS("no bias", 6, 9, 24, 3, 3, 1, 1, 1, 1, SAME, 1),

    POOL(MAX_POOL, "max_pool", "2x2", 6, 8, 9, 2, 2, 2, 2, VALID),
    POOL(MAX_POOL, "max_pool", "2x2 odd input", 7, 9, 8, 2, 2, 2, 2, VALID),
    POOL(MAX_POOL, "max_pool", "2x2 same odd input", 7, 9, 8, 2, 2, 2, 2, SAME),
    POOL(MAX_POOL, "max_pool", "3x3 stride 2 same", 9, 10, 16, 3, 3, 2, 2, SAME),
    POOL(MAX_POOL, "max_pool", "3x3 stride 2 valid", 11, 10, 5, 3, 3, 2, 2, VALID),
    POOL(MAX_POOL, "max_pool", "3x3 stride 1", 5, 6, 12, 3, 3, 1, 1, SAME),
    POOL(MAX_POOL, "max_pool", "2x3 stride 3x1", 8, 7, 3, 2, 3, 3, 1, SAME),
    POOL(MAX_POOL, "max_pool", "stride beyond window", 9, 11, 8, 2, 2, 3, 5, SAME),
    POOL(MAX_POOL, "max_pool", "window wider than input", 2, 3, 8, 5, 7, 1, 1, SAME),
    POOL(MAX_POOL, "max_pool", "single pixel", 1, 1, 9, 3, 3, 2, 2, SAME),
    POOL(MAX_POOL, "max_pool", "16x16 window", 17, 18, 3, 16, 16, 1, 1, VALID),
    POOL(MAX_POOL, "max_pool", "17x16 window", 18, 18, 11, 17, 16, 1, 2, SAME),
    POOL(MAX_POOL, "max_pool", "several tiles", 60, 50, 41, 3, 3, 2, 2, SAME),
    POOL(MAX_POOL, "max_pool", "several tiles stride 1", 50, 50, 33, 3, 3, 1, 1, VALID),

    POOL(AVG_POOL, "avg_pool", "2x2", 6, 8, 9, 2, 2, 2, 2, VALID),
    POOL(AVG_POOL, "avg_pool", "2x2 same odd input", 7, 9, 8, 2, 2, 2, 2, SAME),
    POOL(AVG_POOL, "avg_pool", "3x3 stride 1 same", 5, 6, 12, 3, 3, 1, 1, SAME),
    POOL(AVG_POOL, "avg_pool", "3x3 stride 2 same", 9, 10, 7, 3, 3, 2, 2, SAME),
    POOL(AVG_POOL, "avg_pool", "2x3 stride 3x1", 8, 7, 3, 2, 3, 3, 1, SAME),
    POOL(AVG_POOL, "avg_pool", "stride beyond window", 9, 11, 8, 2, 2, 3, 5, VALID),
    POOL(AVG_POOL, "avg_pool", "window wider than input", 2, 3, 8, 5, 7, 1, 1, SAME),
    POOL(AVG_POOL, "avg_pool", "single pixel", 1, 1, 9, 3, 3, 2, 2, SAME),
    POOL(AVG_POOL, "avg_pool", "several tiles", 50, 50, 33, 3, 3, 1, 1, SAME),

    CONV_EDGES("3x3 stride 2, torch's", 8, 9, 5, 7, 1, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1),
    CONV_EDGES("3x3 all different", 8, 9, 5, 7, 1, 3, 3, 1, 1, 1, 1, 0, 2, 1, 3),
    CONV_EDGES("5x3 before only", 6, 7, 16, 9, 1, 5, 3, 1, 1, 1, 1, 4, 2, 0, 0),
    CONV_EDGES("5x3 after only, stride 2", 6, 7, 17, 9, 1, 5, 3, 2, 2, 1, 1, 0, 0, 4, 2),
    CONV_EDGES("3x3 dilated, groups", 7, 8, 32, 6, 2, 3, 3, 1, 1, 2, 3, 2, 3, 1, 4),
    CONV_EDGES("3x3 wider than the kernel", 4, 3, 16, 5, 1, 3, 3, 1, 1, 1, 1, 5, 4, 6, 7),
    CONV_EDGES("3x3 thin, wider than the kernel", 4, 3, 3, 5, 1, 3, 3, 2, 1, 1, 1, 5, 4, 6, 7),
    CONV_EDGES("1x1", 4, 3, 5, 6, 1, 1, 1, 1, 1, 1, 1, 1, 2, 0, 1),
    CONV_EDGES("1x1 stride 2", 4, 3, 5, 6, 1, 1, 1, 2, 2, 1, 1, 1, 0, 0, 1),
    CONV_EDGES("7x7 stride 2", 13, 12, 3, 8, 1, 7, 7, 2, 2, 1, 1, 3, 3, 3, 3),
    {.name = "winograd edges", .op = XA_OP_CONV2D, .ninputs = 1, .inputs = {S3(9, 11, 17)},
     .nweights = 2, .weights = {S4(3, 3, 17, 18), S1(18)}, .numerics = XA_NUMERICS_FAST,
     .params.conv2d = {EDGES(3, 3, 1, 1, 1, 1, 0, 2, 1, 3, false, false), 18, 1},
     .tolerance = 1e-5},
    DW_EDGES("3x3 torch's stride 2", 8, 9, 9, 1, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1),
    DW_EDGES("3x3 all different", 8, 9, 9, 1, 3, 3, 1, 1, 1, 1, 0, 2, 1, 3),
    DW_EDGES("3x3 after only", 8, 9, 8, 1, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1),
    DW_EDGES("7x7 small map", 3, 4, 8, 1, 7, 7, 1, 1, 1, 1, 3, 3, 3, 3),
    DW_EDGES("3x3 wider than the kernel", 4, 3, 8, 1, 3, 3, 1, 1, 1, 1, 5, 4, 6, 7),
    DW_EDGES("5x5 dilated, multiplier 2", 9, 10, 5, 2, 5, 5, 1, 1, 2, 1, 4, 2, 1, 3),
    POOL_EDGES(MAX_POOL, "max_pool", "3x3 stride 2", 8, 9, 9, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0),
    POOL_EDGES(MAX_POOL, "max_pool", "ceil", 8, 9, 9, 3, 3, 2, 2, 1, 1, 0, 0, 0, 0, true, 0),
    POOL_EDGES(MAX_POOL, "max_pool", "ceil drops", 7, 7, 8, 2, 2, 3, 3, 1, 1, 1, 1, 1, 1, true, 0),
    POOL_EDGES(MAX_POOL, "max_pool", "asymmetric", 6, 5, 8, 3, 4, 1, 2, 1, 1, 2, 0, 1, 3, 0, 0),
    POOL_EDGES(AVG_POOL, "avg_pool", "real", 8, 9, 9, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0),
    POOL_EDGES(AVG_POOL, "avg_pool", "counted", 8, 9, 9, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 0, true),
    POOL_EDGES(AVG_POOL, "avg_pool", "counted, ceil", 7, 7, 5, 3, 3, 3, 3, 1, 1, 1, 1, 1, 1, true,
               true),
    POOL_EDGES(AVG_POOL, "avg_pool", "real, ceil", 7, 7, 5, 3, 3, 3, 3, 1, 1, 1, 1, 1, 1, true, 0),
    POOL_EDGES(AVG_POOL, "avg_pool", "counted, asymmetric", 6, 5, 8, 3, 4, 1, 2, 1, 1, 2, 0, 1, 3, 0,
               true),

    {.name = "global_pool mean", .op = XA_OP_GLOBAL_POOL, .ninputs = 1, .inputs = {S3(5, 6, 70)},
     .params.global_pool = {XA_POOL_AVG, false}},
    {.name = "global_pool mean keepdims", .op = XA_OP_GLOBAL_POOL, .ninputs = 1,
     .inputs = {S3(5, 1, 7)}, .params.global_pool = {XA_POOL_AVG, true}},
    {.name = "global_pool max", .op = XA_OP_GLOBAL_POOL, .ninputs = 1, .inputs = {S3(5, 6, 11)},
     .params.global_pool = {XA_POOL_MAX, false}},
    {.name = "global_pool max single pixel", .op = XA_OP_GLOBAL_POOL, .ninputs = 1,
     .inputs = {S3(1, 1, 5)}, .params.global_pool = {XA_POOL_MAX, true}},
};

static op_formula *const formulas[XA_OP_COUNT] = {
    [XA_OP_CONV2D] = conv2d,
    [XA_OP_DEPTHWISE] = depthwise,
    [XA_OP_MAX_POOL] = max_pool,
    [XA_OP_AVG_POOL] = avg_pool,
    [XA_OP_GLOBAL_POOL] = global_pool,
};
/* clang-format on */

const op_family op_windows = {cases, (int)(sizeof(cases) / sizeof(cases[0])), formulas};
