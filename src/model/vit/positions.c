/* Position embeddings for another grid, as by vit-keras: scipy.ndimage.zoom of order 1, which keeps
 * the first and last rows and columns. */
#include "model/model_internal.h"

static double place(int64_t i, int64_t from, int64_t to)
{
    return to > 1 ? (double)i * (double)(from - 1) / (double)(to - 1) : 0.0;
}

void xa__positions_resize(
    const float *src, int64_t h, int64_t w, int64_t channels, float *dst, int64_t oh, int64_t ow)
{
    for (int64_t y = 0; y < oh; y++)
        for (int64_t x = 0; x < ow; x++) {
            const double py = place(y, h, oh), px = place(x, w, ow);
            const int64_t y0 = (int64_t)py < h - 1 ? (int64_t)py : h - 1,
                          x0 = (int64_t)px < w - 1 ? (int64_t)px : w - 1;
            const int64_t y1 = y0 + 1 < h ? y0 + 1 : y0, x1 = x0 + 1 < w ? x0 + 1 : x0;
            const double fy = py - (double)y0, fx = px - (double)x0;
            for (int64_t c = 0; c < channels; c++) {
                const double top = (1.0 - fx) * (double)src[(y0 * w + x0) * channels + c] +
                                   fx * (double)src[(y0 * w + x1) * channels + c];
                const double low = (1.0 - fx) * (double)src[(y1 * w + x0) * channels + c] +
                                   fx * (double)src[(y1 * w + x1) * channels + c];
                dst[(y * ow + x) * channels + c] = (float)((1.0 - fy) * top + fy * low);
            }
        }
}
