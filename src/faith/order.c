/* A map as values of pixels, and the order in which they are removed. */
#include <math.h>
#include <stdlib.h>

#include "xaudit/faith.h"
#include "xaudit/image.h"

void xa_faith_pixels(const float *map,
                     int64_t c,
                     int64_t h,
                     int64_t w,
                     bool sizes,
                     int64_t height,
                     int64_t width,
                     float *scratch,
                     float *pixels)
{
    for (int64_t i = 0; i < h * w; i++) {
        double sum = 0.0;
        for (int64_t k = 0; k < c; k++) {
            const double v = (double)map[k * h * w + i];
            sum += sizes ? fabs(v) : v;
        }
        scratch[i] = (float)sum;
    }
    xa_upsample_linear(scratch, h, w, pixels, height, width);
}

const char *xa_ties_name(xa_ties t)
{
    static const char *const names[] = {
#define X(name, text) [XA_TIES_##name] = text,
        XA_TIES_LIST(X)
#undef X
    };
    return names[t];
}

static int by_falling_value(const void *pa, const void *pb)
{
    const xa_ranked_pixel *a = pa, *b = pb;
    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    if (a->tie != b->tie)
        return a->tie < b->tie ? -1 : 1;
    return (a->pixel > b->pixel) - (a->pixel < b->pixel);
}

void xa_faith_order(const float *values,
                    int64_t n,
                    xa_ties ties,
                    uint64_t seed,
                    xa_ranked_pixel *scratch,
                    int32_t *order)
{
    const uint64_t stream = xa_random_stream(XA_PURPOSE_TIES, 0);
    for (int64_t i = 0; i < n; i++)
        scratch[i] = (xa_ranked_pixel){
            .value = values[i],
            .pixel = (int32_t)i,
            .tie = ties == XA_TIES_SHUFFLED ? xa_random_unit(seed, stream, (uint64_t)i) : 0.0};
    qsort(scratch, (size_t)n, sizeof *scratch, by_falling_value);
    for (int64_t i = 0; i < n; i++)
        order[i] = scratch[i].pixel;
}

double xa_faith_tied(const float *values, const int32_t *order, int64_t n)
{
    int64_t tied = 0;
    for (int64_t i = 0; i < n; i++) {
        const float v = values[order[i]];
        tied += (i > 0 && values[order[i - 1]] == v) || (i + 1 < n && values[order[i + 1]] == v);
    }
    return n > 0 ? (double)tied / (double)n : NAN;
}
