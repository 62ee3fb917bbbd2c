/* Maps brought to the size at which an image is shown. */
#include "xaudit/draw.h"

#include <math.h>

static bool tap(double at, double cells, int64_t n, int64_t pair[2], double *part)
{
    if (at < -1e-3 || at > cells + 1e-3)
        return false;
    double q = at / cells * (double)n - 0.5;
    q = q < 0.0 ? 0.0 : q > (double)n - 1.0 ? (double)n - 1.0 : q;
    pair[0] = (int64_t)q;
    pair[1] = pair[0] + 1 < n ? pair[0] + 1 : pair[0];
    *part = q - (double)pair[0];
    return true;
}

void xa_map_at_picture(const float *map,
                       int64_t h,
                       int64_t w,
                       double input_h,
                       double input_w,
                       const double affine[6],
                       double frame_h,
                       double frame_w,
                       float *out,
                       int64_t oh,
                       int64_t ow)
{
    for (int64_t y = 0; y < oh; y++)
        for (int64_t x = 0; x < ow; x++) {
            int64_t u[2], v[2];
            double px, py;
            const double X = ((double)x + 0.5) * frame_w / (double)ow;
            const double Y = ((double)y + 0.5) * frame_h / (double)oh;
            /* images are only scaled and shifted, so the affine map is diagonal */
            if (!tap((X - affine[2]) / affine[0], input_w, w, u, &px) ||
                !tap((Y - affine[5]) / affine[4], input_h, h, v, &py)) {
                out[y * ow + x] = NAN;
                continue;
            }
            const float *top = map + v[0] * w, *low = map + v[1] * w;
            const double a = (double)top[u[0]] * (1.0 - px) + (double)top[u[1]] * px;
            const double b = (double)low[u[0]] * (1.0 - px) + (double)low[u[1]] * px;
            out[y * ow + x] = (float)(a * (1.0 - py) + b * py);
        }
}
