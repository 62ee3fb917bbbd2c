/* Cases and formulas of operators that move values to other places. */
#include "op_reference.h"

#include <math.h>

/* ---- formulas ---- */

static double
concat(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const int axis = c->params.concat.axis;
    int64_t index[XA_MAX_DIMS] = {0};
    (void)w;
    for (int d = 0; d < c->inputs[0].ndim; d++)
        index[d] = p->o[d];
    int j = 0;
    while (index[axis] >= c->inputs[j].dim[axis])
        index[axis] -= c->inputs[j++].dim[axis];
    return x[j][op_ravel(&c->inputs[j], index)];
}

static double edges(const op_case *c, const int64_t *o, const double *x, int sign)
{
    const int64_t iy = o[0] + sign * c->params.edges.top, ix = o[1] + sign * c->params.edges.left;
    return op_in_image(&c->inputs[0], iy, ix) ? x[op_pixel(&c->inputs[0], iy, ix, o[2])] : 0.0;
}
static double
pad(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    (void)w;
    return edges(c, p->o, x[0], -1);
}
static double
crop(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    (void)w;
    return edges(c, p->o, x[0], 1);
}

static double
permute(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    int64_t index[XA_MAX_DIMS] = {0};
    (void)w;
    for (int d = 0; d < c->inputs[0].ndim; d++)
        index[c->params.permute.order[d]] = p->o[d];
    return x[0][op_ravel(&c->inputs[0], index)];
}

static double
reshape(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    (void)c;
    (void)w;
    return x[0][p->i];
}

static double
slice(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const int axis = c->params.slice.axis;
    int64_t index[XA_MAX_DIMS] = {0};
    (void)w;
    for (int d = 0; d < c->inputs[0].ndim; d++)
        index[d] = p->o[d];
    index[axis] = c->params.slice.first + p->o[axis] * c->params.slice.step;
    return x[0][op_ravel(&c->inputs[0], index)];
}

static double
gather(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const int axis = c->params.gather.axis;
    const double from = w[0][p->o[axis]];
    int64_t index[XA_MAX_DIMS] = {0};
    for (int d = 0; d < c->inputs[0].ndim; d++)
        index[d] = p->o[d];
    index[axis] = (int64_t)from;
    return from < 0.0 ? 0.0 : x[0][op_ravel(&c->inputs[0], index)];
}

static double
constant(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    (void)c;
    (void)x;
    return w[0][p->i];
}

/* Weight of input pixel i for output pixel o along an axis, from the kernels' formulas. */
static double resize_weight(xa_resize_kind kind, int64_t o, int64_t i, int64_t in, int64_t out)
{
    const double at = ((double)o + 0.5) * (double)in / (double)out - 0.5;
    if (kind == XA_RESIZE_NEAREST)
        return floor(at + 0.5) == (double)i ? 1.0 : 0.0;
    if (kind == XA_RESIZE_BILINEAR) {
        const double inside = fmin(fmax(at, 0.0), (double)(in - 1));
        return fmax(0.0, 1.0 - fabs(inside - (double)i));
    }
    double sum = 0.0, mine = 0.0;
    for (int64_t k = 0; k < in; k++) { /* Keys, distance in steps of 1/1024, renormalised */
        const double below = floor(at), part = rint((at - below) * 1024.0) / 1024.0;
        const double d = fabs(below + part - (double)k);
        double w = 0.0;
        if (d < 1.0)
            w = (1.5 * d - 2.5) * d * d + 1.0;
        else if (d < 2.0)
            w = ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0;
        sum += w;
        mine = k == i ? w : mine;
    }
    return mine / sum;
}

static double
resize(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const xa_shape *in = &c->inputs[0];
    const xa_resize_kind kind = c->params.resize.kind;
    double sum = 0.0;
    (void)w;
    for (int64_t iy = 0; iy < in->dim[0]; iy++)
        for (int64_t ix = 0; ix < in->dim[1]; ix++) {
            const double weight = resize_weight(kind, p->o[0], iy, in->dim[0], p->out->dim[0]) *
                                  resize_weight(kind, p->o[1], ix, in->dim[1], p->out->dim[1]);
            if (weight != 0.0)
                sum += weight * x[0][op_pixel(in, iy, ix, p->o[2])];
        }
    return sum;
}

/* ---- cases ---- */

/* clang-format off */
#define RESIZE(label, KIND, H, W, C, OH, OW)                                                      \
    {.name = "resize " label, .op = XA_OP_RESIZE, .ninputs = 1, .inputs = {S3(H, W, C)},          \
     .params.resize = {OH, OW, XA_RESIZE_##KIND}}
#define SLICE(label, shape, AXIS, FIRST, COUNT, STEP)                                             \
    {.name = "slice " label, .op = XA_OP_SLICE, .ninputs = 1, .inputs = {shape},                  \
     .params.slice = {AXIS, FIRST, COUNT, STEP}}
#define GATHER(label, shape, AXIS, COUNT)                                                         \
    {.name = "gather " label, .op = XA_OP_GATHER, .ninputs = 1, .inputs = {shape},                \
     .nweights = 1, .weights = {S1(COUNT)}, .params.gather = {AXIS}}
#define CONSTANT(label, shape)                                                                    \
    {.name = "constant " label, .op = XA_OP_CONSTANT, .nweights = 1, .weights = {shape}}

static const op_case cases[] = {
    {.name = "concat channels", .op = XA_OP_CONCAT, .ninputs = 3,
     .inputs = {S3(3, 4, 5), S3(3, 4, 1), S3(3, 4, 8)}, .params.concat = {2}},
    {.name = "concat rows", .op = XA_OP_CONCAT, .ninputs = 2,
     .inputs = {S3(3, 4, 5), S3(2, 4, 5)}, .params.concat = {0}},
    {.name = "concat columns", .op = XA_OP_CONCAT, .ninputs = 2,
     .inputs = {S3(3, 4, 5), S3(3, 1, 5)}, .params.concat = {1}},
    {.name = "concat vectors", .op = XA_OP_CONCAT, .ninputs = 2, .inputs = {S1(1), S1(9)},
     .params.concat = {0}},
    {.name = "concat one", .op = XA_OP_CONCAT, .ninputs = 1, .inputs = {S2(3, 9)},
     .params.concat = {1}},

    {.name = "pad uneven", .op = XA_OP_PAD, .ninputs = 1, .inputs = {S3(3, 4, 5)},
     .params.edges = {0, 1, 2, 3}},
    {.name = "pad wider than input", .op = XA_OP_PAD, .ninputs = 1, .inputs = {S3(1, 2, 3)},
     .params.edges = {4, 5, 3, 6}},
    {.name = "pad nothing", .op = XA_OP_PAD, .ninputs = 1, .inputs = {S3(3, 4, 5)}},

    {.name = "crop uneven", .op = XA_OP_CROP, .ninputs = 1, .inputs = {S3(6, 7, 5)},
     .params.edges = {0, 1, 2, 3}},
    {.name = "crop to one pixel", .op = XA_OP_CROP, .ninputs = 1, .inputs = {S3(5, 4, 3)},
     .params.edges = {2, 2, 0, 3}},

    {.name = "permute 3 axes", .op = XA_OP_PERMUTE, .ninputs = 1, .inputs = {S3(3, 4, 5)},
     .params.permute = {{2, 0, 1}}},
    {.name = "permute last stays", .op = XA_OP_PERMUTE, .ninputs = 1, .inputs = {S3(3, 4, 5)},
     .params.permute = {{1, 0, 2}}},
    {.name = "permute 5 axes", .op = XA_OP_PERMUTE, .ninputs = 1, .inputs = {S5(2, 3, 1, 4, 5)},
     .params.permute = {{4, 2, 0, 3, 1}}},
    {.name = "permute vector", .op = XA_OP_PERMUTE, .ninputs = 1, .inputs = {S1(7)},
     .params.permute = {{0}}},

    {.name = "permute 6 axes", .op = XA_OP_PERMUTE, .ninputs = 1,
     .inputs = {{.ndim = 6, .dim = {2, 3, 2, 2, 1, 3}}}, .params.permute = {{5, 2, 0, 4, 3, 1}}},

    SLICE("channels", S3(3, 4, 11), 2, 2, 5, 1), SLICE("rows", S3(7, 4, 5), 0, 1, 3, 2),
    SLICE("backwards", S3(3, 9, 5), 1, 8, 3, -3), SLICE("all", S2(4, 5), 1, 0, 5, 1),
    SLICE("one", S3(3, 4, 5), 1, 2, 1, 1),
    GATHER("channels", S3(3, 4, 11), 2, 7), GATHER("rows", S3(7, 4, 5), 0, 12),
    GATHER("columns", S3(3, 9, 5), 1, 4), GATHER("one", S2(5, 3), 0, 1),
    GATHER("of one", S3(4, 1, 3), 1, 5),
    CONSTANT("map", S3(3, 4, 5)), CONSTANT("vector", S1(7)),

    RESIZE("nearest x2", NEAREST, 3, 4, 5, 6, 8),
    RESIZE("nearest up odd", NEAREST, 3, 4, 5, 7, 9),
    RESIZE("nearest down", NEAREST, 9, 10, 3, 4, 3),
    RESIZE("nearest from one pixel", NEAREST, 1, 1, 9, 5, 4),
    RESIZE("bilinear x2", BILINEAR, 3, 4, 5, 6, 8),
    RESIZE("bilinear up odd", BILINEAR, 3, 4, 5, 7, 9),
    RESIZE("bilinear down", BILINEAR, 9, 10, 3, 4, 3),
    RESIZE("bilinear same size", BILINEAR, 4, 5, 3, 4, 5),
    RESIZE("bilinear from one pixel", BILINEAR, 1, 1, 9, 5, 4),
    RESIZE("bicubic x2", BICUBIC, 3, 4, 5, 6, 8),
    RESIZE("bicubic up odd", BICUBIC, 5, 4, 3, 7, 9),
    RESIZE("bicubic down", BICUBIC, 9, 10, 3, 4, 3),
    RESIZE("bicubic from two pixels", BICUBIC, 2, 1, 9, 5, 4),
    RESIZE("bilinear several tiles", BILINEAR, 5, 4, 70, 60, 40),
};

static op_formula *const formulas[XA_OP_COUNT] = {
    [XA_OP_CONCAT] = concat,
    [XA_OP_PAD] = pad,
    [XA_OP_CROP] = crop,
    [XA_OP_PERMUTE] = permute,
    [XA_OP_RESIZE] = resize,
    [XA_OP_RESHAPE] = reshape,
    [XA_OP_SLICE] = slice,
    [XA_OP_GATHER] = gather,
    [XA_OP_CONSTANT] = constant,
};
/* clang-format on */

const op_family op_places = {cases, (int)(sizeof(cases) / sizeof(cases[0])), formulas};
