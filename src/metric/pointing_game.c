/* The pointing game. Zhang et al., Top-down neural attention by excitation backprop, IJCV 2018: a
 * hit if the map's maximum lies on the object, or closer to it than the tolerance. */
#include "metric_internal.h"

#include <math.h>

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

static bool near_mask(const xa_region *r, bool crowds, double x, double y, double tau)
{
    const int64_t x0 = (int64_t)fmax(0.0, floor(x - tau)), y0 = (int64_t)fmax(0.0, floor(y - tau));
    const int64_t x1 = (int64_t)fmin((double)r->width - 1.0, ceil(x + tau));
    const int64_t y1 = (int64_t)fmin((double)r->height - 1.0, ceil(y + tau));
    for (int64_t j = y0; j <= y1; j++)
        for (int64_t i = x0; i <= x1; i++) {
            const double dx = (double)i + 0.5 - x, dy = (double)j + 0.5 - y;
            const uint8_t is = r->mask[j * r->width + i];
            if ((is == XA_REGION_INSIDE || (crowds && is == XA_REGION_CROWD)) &&
                dx * dx + dy * dy < tau * tau)
                return true;
        }
    return false;
}

double
xa_pointing_game(const xa_metric_spec *spec, const xa_region *r, bool has_point, double x, double y)
{
    const bool crowds = !spec->ignore_crowd;
    if (!xa_region_counts(spec, r))
        return NAN;
    if (!has_point || !isfinite(x) || !isfinite(y))
        return 0.0;
    if (xa_region_contains(spec, r, x, y))
        return 1.0;
    const double longer = (double)(r->width > r->height ? r->width : r->height);
    const double tau = spec->tolerance_is_share ? spec->tolerance * longer : spec->tolerance;
    if (tau > 0.0) {
        for (int i = 0; i < r->nboxes + (crowds ? r->ncrowds : 0); i++)
            if (near_box(r->boxes[i], x, y, tau))
                return 1.0;
        if (r->mask && near_mask(r, crowds, x, y, tau))
            return 1.0;
    }
    return 0.0;
}

/* One axis of a Gaussian, borders repeated; cut at four sigma. */
static void blur_axis(
    const float *in, float *out, int64_t lines, int64_t line, int64_t n, int64_t step, double sigma)
{
    const int64_t reach = (int64_t)ceil(4.0 * sigma);
    double whole = 0.0;
    for (int64_t k = -reach; k <= reach; k++)
        whole += exp(-0.5 * (double)(k * k) / (sigma * sigma));
    for (int64_t l = 0; l < lines; l++)
        for (int64_t i = 0; i < n; i++) {
            double sum = 0.0;
            for (int64_t k = -reach; k <= reach; k++) {
                const int64_t at = i + k < 0 ? 0 : i + k >= n ? n - 1 : i + k;
                sum += exp(-0.5 * (double)(k * k) / (sigma * sigma)) *
                       (double)in[l * line + at * step];
            }
            out[l * line + i * step] = (float)(sum / whole);
        }
}

double
xa__pointing_game(const xa_metric_spec *spec, const xa_region *r, const xa__scene *s, xa__work *w)
{
    int64_t peak = s->argmax;
    if (spec->smoothing > 0.0 && peak >= 0) {
        /* scratch and the keys are free here */
        w->sorted = false;
        float *once = w->scratch, *twice = (float *)(void *)w->keys[0];
        const double sigma =
            spec->smoothing * (double)(s->width > s->height ? s->width : s->height);
        blur_axis(s->value, once, s->height, s->width, s->width, 1, sigma);
        blur_axis(once, twice, s->width, 1, s->height, s->width, sigma);
        float high = -INFINITY;
        for (int64_t i = 0; i < s->count; i++)
            if (!xa__left_out(s->where[i]) && twice[i] > high) {
                high = twice[i];
                peak = i;
            }
    }
    const bool has_point = peak >= 0 && !xa__flat(s);
    const double x = s->left + ((double)(peak % s->width) + 0.5) * s->step_x;
    const double y = s->top + ((double)(peak / s->width) + 0.5) * s->step_y;
    return xa_pointing_game(spec, r, has_point, x, y);
}
