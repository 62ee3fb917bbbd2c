/* The pointing game. Zhang et al., Top-down neural attention by excitation backprop, IJCV 2018: a
 * hit if the map's maximum lies on the object, or closer to it than the tolerance. */
#include "metric_internal.h"

#include <math.h>

/* Is the centre of a pixel of the box closer than tau? The pixels of a box are those whose centre
 * it contains. A box too thin for any may still contain the point itself, which the caller tests.
 */
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

/* The place of the first largest value of the smoothed map that is not left out. Only the part that
 * the model saw is smoothed: what a crop removed counts neither as it is nor as zeros. */
static int64_t smoothed_peak(const xa_metric_spec *spec, const xa__scene *s, xa__work *w)
{
    const double sigma = spec->smoothing * (double)(s->width > s->height ? s->width : s->height);
    xa__smoother smoother = {w->scratch,
                             (float *)(void *)w->keys[0],
                             (float *)(void *)w->keys[1],
                             (float *)(void *)w->keys[2],
                             w->strip};
    int64_t x0 = s->width, y0 = s->height, x1 = 0, y1 = 0, peak = -1;
    float high = -INFINITY;
    for (int64_t i = 0; i < s->count; i++)
        if (s->where[i] != XA__UNSEEN) {
            const int64_t x = i % s->width, y = i / s->width;
            x0 = x < x0 ? x : x0;
            y0 = y < y0 ? y : y0;
            x1 = x + 1 > x1 ? x + 1 : x1;
            y1 = y + 1;
        }
    w->sorted = false; /* the smoother overwrites the keys */
    xa__smooth(s->value + y0 * s->width + x0, y1 - y0, x1 - x0, s->width, sigma, &smoother);
    for (int64_t y = y0; y < y1; y++)
        for (int64_t x = x0; x < x1; x++) {
            const float v = smoother.out[(y - y0) * (x1 - x0) + x - x0];
            if (!xa__left_out(s->where[y * s->width + x]) && v > high) {
                high = v;
                peak = y * s->width + x;
            }
        }
    return peak;
}

static double pointing_game(const xa__pair *p)
{
    const xa__scene *s = p->scene;
    int64_t peak = s->argmax;
    if (p->spec->smoothing > 0.0 && peak >= 0)
        peak = smoothed_peak(p->spec, s, p->work);
    const bool has_point = peak >= 0 && !xa__flat(s);
    const double x = s->left + ((double)(peak % s->width) + 0.5) * s->step_x;
    const double y = s->top + ((double)(peak / s->width) + 0.5) * s->step_y;
    return xa_pointing_game(p->spec, p->region, has_point, x, y);
}

static void defaults(xa_metric_spec *s)
{
    s->at = XA_AT_MAP;
}

const xa__metric xa__metric_POINTING_GAME = {
    .score = pointing_game,
    .reference = "Zhang et al., Top-down neural attention by excitation backprop, IJCV 2018",
    .compares = XA__POINT,
    .settings = XA__HAS(TOLERANCE) | XA__HAS(SMOOTHING),
    .defaults = defaults,
    .scale = XA_SCALE_HIT,
};
