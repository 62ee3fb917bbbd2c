/* What one map adds to the mean map of its class. */
#include <math.h>

#include "metric_internal.h"

void xa_mean_size(int64_t classes, int64_t *height, int64_t *width)
{
    int64_t side = XA_MEAN_SIDE;
    while (side > 1 && side * side > XA_MEAN_CELLS / (classes > 0 ? classes : 1))
        side--;
    *height = *height < side ? *height : side;
    *width = *width < side ? *width : side;
}

bool xa_mean_cells(const xa_score_map *m, int64_t height, int64_t width, float *work, int64_t *out)
{
    const int64_t n = m->height * m->width;
    float largest = 0.0f, *cells = work + n;
    if (m->degenerate || m->nonfinite)
        return false;
    xa__reduce_channels(m, work);
    for (int64_t i = 0; i < n; i++)
        largest = fabsf(work[i]) > largest ? fabsf(work[i]) : largest;
    if (!(largest > 0.0f) || !isfinite(largest))
        return false;
    xa__area_mean(work, m->height, m->width, cells, height, width);
    for (int64_t i = 0; i < height * width; i++)
        out[i] = llround((double)cells[i] / (double)largest * XA_MEAN_ONE);
    return true;
}
