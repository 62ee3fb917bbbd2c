/* Maps from their grid to image size. */
#include "image_internal.h"

#include <math.h>

/* Where position i of `out` lies among `in` samples, by cv2's rule: the coordinate is an f64
 * product, kept as f32. */
static inline void locate(int64_t i, int64_t in, int64_t out, int64_t *a, int64_t *b, float *t)
{
    const float at = (float)(((double)i + 0.5) * ((double)in / (double)out) - 0.5);
    const float low = floorf(at);
    *t = at - low;
    *a = (int64_t)low;
    *b = *a + 1;
    if (*a < 0)
        *a = *b = 0;
    if (*b > in - 1)
        *b = in - 1;
    if (*a > in - 1)
        *a = in - 1;
}

void xa_upsample_linear(const float *src, int64_t h, int64_t w, float *dst, int64_t oh, int64_t ow)
{
    enum { BLOCK = 256 };
    int64_t a[BLOCK], b[BLOCK];
    float t[BLOCK];
    if (h < 1 || w < 1)
        return;
    for (int64_t at = 0; at < ow; at += BLOCK) {
        const int64_t some = ow - at < BLOCK ? ow - at : BLOCK;
        for (int64_t i = 0; i < some; i++)
            locate(at + i, w, ow, &a[i], &b[i], &t[i]);
        for (int64_t y = 0; y < oh; y++) {
            int64_t ya, yb;
            float ty;
            locate(y, h, oh, &ya, &yb, &ty);
            const float *top = src + ya * w, *low = src + yb * w;
            float *out = dst + y * ow + at;
            for (int64_t i = 0; i < some; i++) {
                const float p = top[a[i]] * (1 - t[i]) + top[b[i]] * t[i];
                const float q = low[a[i]] * (1 - t[i]) + low[b[i]] * t[i];
                out[i] = p * (1 - ty) + q * ty;
            }
        }
    }
}
