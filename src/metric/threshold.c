/* Thresholds, and the overlap of what is above one with the region. */
#include "metric_internal.h"

#include <math.h>
#include <string.h>

/* Otsu 1979 on 256 grey levels: the level g with the largest variance between <= g and > g; the
 * first of equals. */
static int otsu(const int64_t count[XA_GREY_LEVELS], int64_t n)
{
    double all = 0.0, sum = 0.0, best = -1.0;
    int64_t below = 0;
    int at = 0;
    for (int g = 0; g < XA_GREY_LEVELS; g++)
        all += (double)g * (double)count[g];
    for (int g = 0; g < XA_GREY_LEVELS; g++) {
        below += count[g];
        sum += (double)g * (double)count[g];
        if (below == 0 || below == n)
            continue;
        const double a = sum / (double)below, b = (all - sum) / (double)(n - below);
        const double between = (double)below * (double)(n - below) * (a - b) * (a - b);
        if (between > best * (1.0 + 1e-12)) {
            best = between;
            at = g;
        }
    }
    return at;
}

double xa__cut(const xa_metric_spec *spec, const xa__scene *s)
{
    if (spec->cut == XA_CUT_FRACTION)
        return spec->threshold;
    if (spec->cut == XA_CUT_MEAN) {
        double sum = 0.0;
        for (int64_t i = 0; i < s->count; i++)
            if (s->where[i] != XA__OUT)
                sum += xa__stretch(spec, s, i);
        return sum / (double)s->seen;
    }
    int64_t count[XA_GREY_LEVELS] = {0};
    for (int64_t i = 0; i < s->count; i++)
        if (s->where[i] != XA__OUT)
            count[(int)(xa__stretch(spec, s, i) * 255.0)]++;
    return (double)otsu(count, s->seen);
}

double xa__iou(const xa_metric_spec *spec, const xa__scene *s)
{
    int64_t both = 0, any = 0;
    if (xa__flat(s))
        return s->high > 0.0f ? (double)s->region / (double)s->seen : NAN;
    const double cut = xa__cut(spec, s);
    for (int64_t i = 0; i < s->count; i++) {
        if (s->where[i] == XA__OUT)
            continue;
        const bool p = xa__above(spec, s, i, cut), t = s->where[i] == XA__REGION;
        both += p && t;
        any += p || t;
    }
    return (double)both / (double)any; /* the region is not empty */
}

/* Counts by floor(256 v), then sum over bins from high to low of (recall - recall before) *
 * precision. Choe et al. 2020, equation 3 at the grey levels. */
double xa__pxap(const xa_metric_spec *spec, const xa__scene *s, uint32_t *counts)
{
    uint32_t own[2 * XA_PXAP_BINS];
    uint32_t *n = counts ? counts : own;
    int64_t tp = 0, fp = 0;
    double ap = 0.0;
    memset(n, 0, sizeof own);
    if (xa__flat(s))
        return NAN;
    for (int64_t i = 0; i < s->count; i++) {
        if (s->where[i] == XA__OUT)
            continue;
        const int bin = (int)(xa__stretch(spec, s, i) * XA_GREY_LEVELS);
        n[(s->where[i] == XA__REGION ? XA_PXAP_BINS : 0) + bin]++;
    }
    for (int b = XA_PXAP_BINS - 1; b >= 0; b--) {
        tp += n[XA_PXAP_BINS + b];
        fp += n[b];
        if (tp + fp > 0)
            ap += (double)n[XA_PXAP_BINS + b] / (double)s->region * (double)tp / (double)(tp + fp);
    }
    return ap;
}
