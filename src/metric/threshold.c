/* Thresholds, and the overlap of the pixels above a threshold with the region. */
#include "metric_internal.h"

#include <math.h>
#include <string.h>

/* Otsu 1979, on 256 grey levels: the level g with the largest variance between the pixels <= g and
 * those > g; of equal ones the first. */
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
        int64_t n = 0;
        for (int64_t i = 0; i < s->count; i++)
            if (s->where[i] != XA__UNSEEN) {
                sum += xa__stretch(spec, s, i);
                n++;
            }
        return sum / (double)n;
    }
    int64_t count[XA_GREY_LEVELS] = {0}, n = 0;
    for (int64_t i = 0; i < s->count; i++)
        if (s->where[i] != XA__UNSEEN) {
            count[(int)(xa__stretch(spec, s, i) * 255.0)]++;
            n++;
        }
    return (double)otsu(count, n);
}

static double iou(const xa__pair *p)
{
    const xa_metric_spec *spec = p->spec;
    const xa__scene *s = p->scene;
    int64_t both = 0, any = 0;
    const double cut = xa__cut(spec, s);
    for (int64_t i = 0; i < s->count; i++) {
        if (xa__left_out(s->where[i]))
            continue;
        const bool predicted = xa__above(spec, s, i, cut), inside = s->where[i] == XA__REGION;
        both += predicted && inside;
        any += predicted || inside;
    }
    return (double)both / (double)any; /* the region is not empty */
}

/* The bin t of v in [0,1]: t * 0.001 <= v < (t + 1) * 0.001; the last bin holds 1 alone. */
static int bin_of(double v)
{
    const double step = 1.0 / XA_PXAP_THRESHOLDS;
    int t = (int)(v * XA_PXAP_THRESHOLDS);
    while (t > 0 && (double)t * step > v)
        t--;
    while (t < XA_PXAP_THRESHOLDS && (double)(t + 1) * step <= v)
        t++;
    return t;
}

/* Average precision over all thresholds: the sum, over bins from high to low, of (recall - recall
 * of the bin before) * precision. Choe et al. 2020, equation 3. */
static double pxap(const xa__pair *p)
{
    const xa__scene *s = p->scene;
    uint32_t own[2 * XA_PXAP_BINS];
    uint32_t *n = p->statistic ? p->statistic : own;
    int64_t tp = 0, fp = 0;
    double ap = 0.0;
    memset(n, 0, sizeof own);
    for (int64_t i = 0; i < s->count; i++) {
        if (xa__left_out(s->where[i]))
            continue;
        const int bin = bin_of(xa__stretch(p->spec, s, i));
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

static void iou_defaults(xa_metric_spec *s)
{
    s->sign = XA_SIGN_POSITIVE;
    s->cut = XA_CUT_OTSU;
}

static void pxap_defaults(xa_metric_spec *s)
{
    s->sign = XA_SIGN_POSITIVE;
    s->minmax = true;
}

const xa__metric xa__metric_IOU = {
    .score = iou,
    .reference = "Saporta et al., Benchmarking saliency methods for chest X-ray interpretation, "
                 "Nature Machine Intelligence 2022",
    .settings = XA__HAS(THRESHOLD) | XA__HAS(STRETCH),
    .defaults = iou_defaults,
};

const xa__metric xa__metric_PXAP = {
    .score = pxap,
    .reference = "Choe et al., Evaluating weakly supervised object localization methods right, "
                 "CVPR 2020",
    .settings = XA__HAS(STRETCH),
    .defaults = pxap_defaults,
    .statistic = XA_STATISTIC_PIXELS,
};
