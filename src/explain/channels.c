/* Maps whose channels are weighed by answers of the model, one for each channel. */
#include <math.h>
#include <string.h>

#include "explain_internal.h"

int64_t xa__channels_asked(const xa_explainer_spec *spec, const xa_shape *layer)
{
    const int64_t all = xa_shape_last(layer);
    return spec->top_channels > 0 && spec->top_channels < all ? spec->top_channels : all;
}

size_t xa__channels_bytes(const xa_explainer_spec *spec, const xa_shape *layer)
{
    const size_t all = (size_t)xa_shape_last(layer), n = (size_t)xa__channels_asked(spec, layer);
    return (n + all) * sizeof(double) + (size_t)xa_shape_count(layer) * sizeof(float) +
           n * sizeof(int32_t);
}

/* The n channels of largest mean |A g|, of equal ones the first, in ascending order. */
static void pick(const xa_explain_view *v, int64_t n, double *size, int32_t *which)
{
    const int64_t pixels = v->layer_shape.dim[0] * v->layer_shape.dim[1],
                  kk = v->layer_shape.dim[2];
    int64_t at = 0;
    for (int64_t k = 0; k < kk; k++) {
        size[k] = n == kk ? -1.0 : 0.0; /* -1: chosen */
        for (int64_t p = 0; p < pixels && n < kk; p++)
            size[k] +=
                fabs((double)v->layer_value[p * kk + k] * (double)v->layer_gradient[p * kk + k]);
        if (isnan(size[k]))
            size[k] = 0.0;
    }
    for (int64_t i = 0; i < n && n < kk; i++) {
        int64_t best = 0;
        for (int64_t k = 1; k < kk; k++)
            if (size[k] > size[best])
                best = k;
        size[best] = -1.0;
    }
    for (int64_t k = 0; k < kk && at < n; k++)
        if (size[k] == -1.0)
            which[at++] = (int32_t)k;
}

float *xa__channels_take(const xa_explainer_spec *spec,
                         const xa_explain_view *v,
                         double *memory,
                         xa__channels *out)
{
    const int64_t kk = v->layer_shape.dim[2];
    const xa_shape whole = {.ndim = 1, .dim = {kk}};
    out->grid = v->layer_shape;
    out->skip = v->layer_skip;
    out->count = v->layer_skip + xa_shape_count(&v->layer_shape);
    out->n = xa__channels_asked(spec, &whole);
    out->value = (float *)(memory + out->n + kk);
    out->which = (int32_t *)(out->value + out->count);
    memcpy(out->value, v->layer_value - v->layer_skip, (size_t)out->count * sizeof(float));
    pick(v, out->n, memory + out->n, out->which);
    return (float *)(out->which + out->n);
}

void xa__channels_map(const xa_explainer_spec *spec,
                      const xa__channels *c,
                      const double *weight,
                      float *map)
{
    const int64_t pixels = c->grid.dim[0] * c->grid.dim[1], kk = c->grid.dim[2];
    for (int64_t p = 0; p < pixels; p++) {
        const float *a = c->value + c->skip + p * kk;
        double sum = 0.0;
        for (int64_t i = 0; i < c->n; i++)
            sum += weight[i] * (double)a[c->which[i]];
        map[p] = xa__cam_value(spec, sum);
    }
}
