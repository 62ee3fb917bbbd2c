/* What class activation maps whose channels have weights share. */
#include "explain_internal.h"

void xa__cam_by_channel(const xa_explainer_spec *spec,
                        const xa_explain_view *v,
                        xa__cam_weight *weight,
                        float *map)
{
    const int64_t pixels = v->layer_shape.dim[0] * v->layer_shape.dim[1],
                  kk = v->layer_shape.dim[2];
    for (int64_t p = 0; p < pixels; p++)
        map[p] = 0.0f;
    for (int64_t k = 0; k < kk; k++) {
        const float *a = v->layer_value + k;
        const double w = weight(pixels, kk, v->layer_gradient + k, a);
        for (int64_t p = 0; p < pixels; p++)
            map[p] = (float)((double)map[p] + w * (double)a[p * kk]);
    }
    for (int64_t p = 0; p < pixels; p++)
        map[p] = xa__cam_value(spec, (double)map[p]);
}
