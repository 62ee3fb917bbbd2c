/* The box of the largest component above a threshold, and its overlap with the annotated boxes.
 * Selvaraju et al. 2017 (15 % of the maximum), Zhou et al. 2016 (20 %). */
#include "component.h"
#include "metric_internal.h"

static double overlap(const double a[4], const double b[4], double past)
{
    const double w = (a[2] < b[2] ? a[2] : b[2]) - (a[0] > b[0] ? a[0] : b[0]) + past;
    const double h = (a[3] < b[3] ? a[3] : b[3]) - (a[1] > b[1] ? a[1] : b[1]) + past;
    if (w <= 0.0 || h <= 0.0)
        return 0.0;
    const double both = w * h;
    const double area_a = (a[2] - a[0] + past) * (a[3] - a[1] + past);
    const double area_b = (b[2] - b[0] + past) * (b[3] - b[1] + past);
    return both / (area_a + area_b - both);
}

double xa__best_overlap(const xa_metric_spec *spec, const xa__scene *s, const double box[4])
{
    double best = 0.0;
    double p[4] = {box[0], box[1], box[2], box[3]};
    if (spec->wsol) { /* corners inclusive, and one pixel more inside of the border */
        p[2] = p[2] < (double)s->width - 1.0 ? p[2] : (double)s->width - 1.0;
        p[3] = p[3] < (double)s->height - 1.0 ? p[3] : (double)s->height - 1.0;
    }
    for (int i = 0; i < s->nboxes; i++) {
        const double v = overlap(p, s->box[i], spec->wsol ? 1.0 : 0.0);
        best = v > best ? v : best;
    }
    return best;
}

double xa__box_iou(const xa_metric_spec *spec, const xa__scene *s, xa__work *w)
{
    const int64_t width = s->width;
    xa__component *c = w->component;
    int32_t best = -1;
    if (xa__flat(s))
        return 0.0;
    const double cut = xa__cut(spec, s);
    for (int64_t i = 0; i < s->count; i++) {
        const int32_t x = (int32_t)(i % width), y = (int32_t)(i / width);
        w->parent[i] = -1;
        if (s->where[i] == XA__OUT || !xa__above(spec, s, i, cut))
            continue;
        w->parent[i] = (int32_t)i;
        c[i] = (xa__component){.x0 = x, .y0 = y, .x1 = x, .y1 = y, .pixels = 1};
        /* left, and the three above */
        const int64_t near[4] = {x > 0 ? i - 1 : -1,
                                 y > 0 && x > 0 ? i - width - 1 : -1,
                                 y > 0 ? i - width : -1,
                                 y > 0 && x + 1 < width ? i - width + 1 : -1};
        for (int k = 0; k < 4; k++) {
            if (near[k] < 0 || w->parent[near[k]] < 0)
                continue;
            const int32_t a = xa__find(w->parent, (int32_t)i);
            const int32_t b = xa__find(w->parent, (int32_t)near[k]);
            if (a != b)
                xa__join(w->parent, c, a, b);
        }
    }
    for (int64_t i = 0; i < s->count; i++) /* the first of the largest */
        if (w->parent[i] == (int32_t)i && (best < 0 || c[i].pixels > c[best].pixels))
            best = (int32_t)i;
    if (best < 0)
        return 0.0;
    const double box[4] = {
        (double)c[best].x0, (double)c[best].y0, (double)c[best].x1 + 1.0, (double)c[best].y1 + 1.0};
    return xa__best_overlap(spec, s, box);
}
