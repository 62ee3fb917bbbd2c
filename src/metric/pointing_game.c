/* The pointing game. Zhang et al., Top-down neural attention by excitation backprop, IJCV 2018: a
 * hit if the map's maximum lies on the object, or closer to it than the tolerance. */
#include <math.h>

#include "xaudit/metric.h"

/* Is the centre of some pixel of the box closer than tau? Boxes become the pixels whose centre they
 * hold; a box thinner than that still holds the point itself, tested by the caller. */
static bool near_box(const double b[4], double x, double y, double tau)
{
    const double px0 = ceil(b[0] - 0.5), px1 = ceil(b[2] - 0.5) - 1.0;
    const double py0 = ceil(b[1] - 0.5), py1 = ceil(b[3] - 0.5) - 1.0;
    if (px1 < px0 || py1 < py0)
        return false;
    double qx = floor(x), qy = floor(y);
    qx = qx < px0 ? px0 : qx > px1 ? px1 : qx;
    qy = qy < py0 ? py0 : qy > py1 ? py1 : qy;
    const double dx = qx + 0.5 - x, dy = qy + 0.5 - y;
    return dx * dx + dy * dy < tau * tau;
}

static bool near_mask(const xa_region *r, double x, double y, double tau)
{
    const int64_t x0 = (int64_t)fmax(0.0, floor(x - tau)), y0 = (int64_t)fmax(0.0, floor(y - tau));
    const int64_t x1 = (int64_t)fmin((double)r->width - 1.0, ceil(x + tau));
    const int64_t y1 = (int64_t)fmin((double)r->height - 1.0, ceil(y + tau));
    for (int64_t j = y0; j <= y1; j++)
        for (int64_t i = x0; i <= x1; i++) {
            const double dx = (double)i + 0.5 - x, dy = (double)j + 0.5 - y;
            if (r->mask[j * r->width + i] && dx * dx + dy * dy < tau * tau)
                return true;
        }
    return false;
}

double
xa_pointing_game(const xa_metric_spec *spec, const xa_region *r, bool has_point, double x, double y)
{
    if (r->empty)
        return NAN;
    if (!has_point || !isfinite(x) || !isfinite(y))
        return 0.0;
    if (xa_region_contains(r, x, y))
        return 1.0;
    if (spec->tolerance > 0.0) {
        for (int i = 0; i < r->nboxes; i++)
            if (near_box(r->boxes[i], x, y, spec->tolerance))
                return 1.0;
        if (r->mask && near_mask(r, x, y, spec->tolerance))
            return 1.0;
    }
    return 0.0;
}
