/* What all maps share: channel reduction, facts, half-float storage. */
#include <math.h>

#include "explain_internal.h"

void xa__map_of_channels(const xa_explainer_spec *spec,
                         const xa_shape *shape,
                         const float *v,
                         const float *factor,
                         float *map)
{
    const int64_t pixels = shape->dim[0] * shape->dim[1], channels = shape->dim[2];
    for (int64_t p = 0; p < pixels; p++) {
        double sum = 0.0;
        float best = 0.0f;
        for (int64_t c = 0; c < channels; c++) {
            const int64_t at = p * channels + c;
            float x = factor ? v[at] * factor[at] : v[at];
            if (spec->absolute)
                x = fabsf(x);
            if (spec->channels == XA_REDUCE_NONE)
                map[c * pixels + p] = x;
            else if (c == 0 || x > best || isnan(x))
                best = isnan(best) && c ? best : x;
            sum += spec->channels == XA_REDUCE_L2 ? (double)x * x : (double)x;
        }
        switch (spec->channels) {
        case XA_REDUCE_MAX:
            map[p] = best;
            break;
        case XA_REDUCE_SUM:
            map[p] = (float)sum;
            break;
        case XA_REDUCE_MEAN:
            map[p] = (float)(sum / (double)channels);
            break;
        case XA_REDUCE_L2:
            map[p] = (float)sqrt(sum);
            break;
        default:
            break;
        }
    }
}

xa_map_facts xa_map_inspect(const float *map, const xa_shape *shape)
{
    const int64_t planes = shape->dim[0], pixels = shape->dim[1] * shape->dim[2];
    xa_map_facts f = {.maximum = NAN, .argmax = -1};
    bool nonzero = false;
    float best = 0.0f;
    for (int64_t p = 0; p < pixels; p++) {
        float v = 0.0f;
        bool any = false;
        for (int64_t c = 0; c < planes; c++) {
            const float x = map[c * pixels + p];
            if (!isfinite(x)) {
                f.flags |= XA_MAP_FLAG_NONFINITE;
                continue;
            }
            nonzero = nonzero || x != 0.0f;
            if (!(f.maximum >= x))
                f.maximum = x;
            const float size = planes > 1 ? fabsf(x) : x;
            if (!any || size > v)
                v = size;
            any = true;
        }
        if (any && (f.argmax < 0 || v > best)) {
            best = v;
            f.argmax = p;
        }
    }
    if (!nonzero) {
        f.flags |= XA_MAP_FLAG_DEGENERATE;
        f.argmax = -1;
    }
    return f;
}

float xa_map_encode_half(const float *map, int64_t n, uint16_t *values)
{
    float top = 0.0f;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(map[i]) && fabsf(map[i]) > top)
            top = fabsf(map[i]);
    float scale = 1.0f;
    if (top > 0.0f) {
        /* top = m * 2^e, m in [0.5,1): scale 2^(e-15) brings it into [2^14, 2^15); the scale itself
         * must stay a normal float */
        int e;
        frexpf(top, &e);
        const int exponent = e - 15 < -126 ? -126 : e - 15;
        scale = ldexpf(1.0f, exponent);
    }
    for (int64_t i = 0; i < n; i++)
        values[i] = xa_f16_from_f32(map[i] / scale);
    return scale;
}
