/* Resize of constants, as position embeddings and tables of relative positions are: axis by axis,
 * as the operator's definition has it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"

enum { TAPS = 4 };
typedef enum filter { NEAREST, LINEAR, CUBIC } filter;

typedef struct how {
    filter filter;
    const char *where, *round;
    double a;    /* of cubic */
    bool inside; /* weights outside are 0, the others renormalised */
} how;

/* Where output element o lies in the input. */
static double place_of(const how *h, int64_t o, int64_t in, int64_t out, double scale)
{
    if (!strcmp(h->where, "align_corners"))
        return out == 1 ? 0.0 : (double)o * (double)(in - 1) / (double)(out - 1);
    if (!strcmp(h->where, "asymmetric"))
        return (double)o / scale;
    if (!strcmp(h->where, "pytorch_half_pixel") && out == 1)
        return 0.0;
    return ((double)o + 0.5) / scale - 0.5;
}

static double nearest(const char *round, double x)
{
    if (!strcmp(round, "floor"))
        return floor(x);
    if (!strcmp(round, "ceil"))
        return ceil(x);
    return !strcmp(round, "round_prefer_ceil") ? floor(x + 0.5) : ceil(x - 0.5);
}

/* Weights of the elements first .. first + TAPS - 1. */
static int64_t taps_of(const how *h, double x, double weight[TAPS])
{
    const double f = x - floor(x), a = h->a;
    memset(weight, 0, TAPS * sizeof *weight);
    if (h->filter == NEAREST) {
        weight[1] = 1.0;
        return (int64_t)nearest(h->round, x) - 1;
    }
    if (h->filter == LINEAR) {
        weight[1] = 1.0 - f;
        weight[2] = f;
    } else { /* Keys 1981, equation 15 */
        const double d[TAPS] = {1.0 + f, f, 1.0 - f, 2.0 - f};
        for (int i = 0; i < TAPS; i++)
            weight[i] = d[i] <= 1.0 ? ((a + 2.0) * d[i] - (a + 3.0)) * d[i] * d[i] + 1.0
                                    : ((a * d[i] - 5.0 * a) * d[i] + 8.0 * a) * d[i] - 4.0 * a;
    }
    return (int64_t)floor(x) - 1;
}

/* One axis: y [outer,out,inner] of x [outer,in,inner]. */
static void resize_axis(const how *h,
                        double scale,
                        const int64_t extent[4], /* outer, in, out, inner */
                        const double *x,
                        double *y)
{
    const int64_t outer = extent[0], in = extent[1], out = extent[2], inner = extent[3];
    for (int64_t o = 0; o < out; o++) {
        double weight[TAPS], sum = 0.0;
        const int64_t first = taps_of(h, place_of(h, o, in, out, scale), weight);
        for (int t = 0; h->inside && t < TAPS; t++) {
            if (first + t < 0 || first + t >= in)
                weight[t] = 0.0;
            sum += weight[t];
        }
        for (int64_t p = 0; p < outer; p++)
            for (int64_t i = 0; i < inner; i++) {
                double v = 0.0;
                for (int t = 0; t < TAPS; t++) {
                    int64_t at = first + t < 0 ? 0 : first + t;
                    at = at >= in ? in - 1 : at;
                    v += weight[t] * x[(p * in + at) * inner + i];
                }
                y[(p * out + o) * inner + i] = h->inside && sum != 0.0 ? v / sum : v;
            }
    }
}

static const char *how_of(xa__onnx_build *b, const xa__onnx_node *n, how *h)
{
    static const char *const filters[] = {"nearest", "linear", "cubic"};
    static const char *const places[] = {
        "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"};
    const bool old = !strcmp(n->op, "Upsample") || b->m->opset < 11;
    const char *mode = xa__onnx_string(b->m, n, "mode", "nearest");
    size_t known = 0;
    h->where = xa__onnx_string(
        b->m, n, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
    h->round = xa__onnx_string(b->m, n, "nearest_mode", old ? "floor" : "round_prefer_floor");
    h->a = xa__onnx_float(b->m, n, "cubic_coeff_a", -0.75);
    h->inside = xa__onnx_int(b->m, n, "exclude_outside", 0) != 0;
    for (int i = 0; i < 3; i++)
        if (!strcmp(mode, filters[i])) {
            h->filter = (filter)i;
            known++;
        }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        known += !strcmp(h->where, places[i]);
    if (known != 2)
        return "its mode is not read of constants";
    if (xa__onnx_int(b->m, n, "antialias", 0) != 0)
        return "antialias is not computed as the exporter does";
    if (strcmp(xa__onnx_string(b->m, n, "keep_aspect_ratio_policy", "stretch"), "stretch") != 0)
        return "keep_aspect_ratio_policy is not read";
    return NULL;
}

/* What the scale of an axis is: as it is said, or by the sizes. */
static double scale_of(xa__onnx_build *b, const xa__onnx_node *n, int axis, int64_t in, int64_t out)
{
    const bool old = !strcmp(n->op, "Upsample") || b->m->opset < 11;
    const int scales = old ? 1 : 2;
    const xa__onnx_attribute *a = xa__onnx_attribute_of(b->m, n, "scales");
    const xa__onnx_value *given = xa__onnx_in(b, n, scales);
    if (a && a->kind == XA__ONNX_ATTR_FLOATS)
        return a->floats[axis];
    if (given && xa__onnx_count(&given->shape) > axis &&
        xa__onnx_evaluate(b, n->inputs[scales], NULL) == XA_OK)
        return xa__onnx_data(b, n->inputs[scales])[axis];
    return (double)out / (double)in;
}

xa_status xa__onnx_fold_resize(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *in = &xa__onnx_in(b, n, 0)->shape, *out = &xa__onnx_out(b, n, 0)->shape;
    how h;
    double *data;
    const char *why = how_of(b, n, &h);
    if (why)
        return xa__onnx_refuse(b, n, err, "%s", why);
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    xa__onnx_shape now = *in;
    const double *x = xa__onnx_data(b, n->inputs[0]);
    double *owned = NULL;
    for (int axis = 0; axis < in->rank; axis++) {
        if (in->dim[axis] == out->dim[axis])
            continue;
        int64_t extent[4] = {1, in->dim[axis], out->dim[axis], 1};
        for (int i = 0; i < axis; i++)
            extent[0] *= now.dim[i];
        for (int i = axis + 1; i < now.rank; i++)
            extent[3] *= now.dim[i];
        now.dim[axis] = out->dim[axis];
        double *y = xa_alloc((size_t)xa__onnx_count(&now) + 1, sizeof *y);
        if (y)
            resize_axis(&h, scale_of(b, n, axis, in->dim[axis], out->dim[axis]), extent, x, y);
        free(owned);
        if (!y)
            XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", b->m->path);
        x = owned = y;
    }
    memcpy(data, x, (size_t)xa__onnx_count(out) * sizeof *data);
    free(owned);
    return XA_OK;
}
