/* Pictures as published listings make them: Keras' display_gradcam, and "relevant pixels". */
#include <math.h>
#include <stdlib.h>

#include "figure_internal.h"

/* Divides by the largest value; values below 0 become 0, and all do if none is above it. */
static void scale_to_one(float *v, int64_t n)
{
    float high = 0.0f;
    for (int64_t i = 0; i < n; i++)
        high = v[i] > high ? v[i] : high;
    for (int64_t i = 0; i < n; i++)
        v[i] = high > 0.0f && v[i] > 0.0f ? v[i] / high : 0.0f;
}

xa_status xa__figure_keras(const xa_figure_map *m, const xa_image *image, xa_image *to, xa_err *err)
{
    scale_to_one(m->values, m->height * m->width);
    return xa_overlay_keras(image, m->values, m->height, m->width, 0.4, to, err);
}

/* At the model's input: the image by OpenCV's cubic, the map by its linear, over its maximum. */
xa_status
xa__figure_relevant(const xa_figure_map *m, const xa_image *image, xa_image *to, xa_err *err)
{
    xa_status st = XA_OK;
    xa_image small = {0};
    const int64_t h = (int64_t)m->input_height, w = (int64_t)m->input_width;
    float *grown = xa_alloc((size_t)(h * w), sizeof *grown);
    if (!grown)
        XA_FAIL(err, XA_NOMEM, "figure: out of memory");
    XA_TRY(err, xa_image_resize(image, w, h, XA_RESAMPLE_CV2_CUBIC, &small, err));
    xa_upsample_linear(m->values, m->height, m->width, grown, h, w);
    scale_to_one(grown, h * w);
    XA_TRY(err, xa_image_init(&to[0], w, h, 3, XA_PIXEL_U8, err));
    const uint8_t *from = small.data;
    for (int64_t i = 0; i < h * w * 3; i++)
        ((uint8_t *)to[0].data)[i] = (uint8_t)(grown[i / 3] * (float)from[i]);
    XA_TRY(err, xa_relevant_pixels(&small, grown, XA__RELEVANT_TOLERANCE, &to[1], err));
done:
    xa_image_fini(&small);
    free(grown);
    return st;
}
