/* The box of the largest component above a threshold, and its overlap with the annotated boxes.
 * Selvaraju et al. 2017 (15 % of the maximum), Zhou et al. 2016 (20 %). */
#include "component.h"
#include "metric_internal.h"

#include <math.h>

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
    if (spec->wsol) { /* corners are inclusive; one pixel wider, but not beyond the border */
        p[2] = p[2] < (double)s->width - 1.0 ? p[2] : (double)s->width - 1.0;
        p[3] = p[3] < (double)s->height - 1.0 ? p[3] : (double)s->height - 1.0;
    }
    for (int i = 0; i < s->nboxes; i++) {
        const double v = overlap(p, s->box[i], spec->wsol ? 1.0 : 0.0);
        best = v > best ? v : best;
    }
    return best;
}

/* Adds a pixel to the component on its left and joins those above it. Later pixels are not there
 * yet, so that the first pixel of a component stays its root. */
static void add_pixel(xa__work *w, int64_t width, int32_t x, int32_t y)
{
    int32_t *parent = w->parent, root = -1;
    xa__component *c = w->component;
    const int32_t i = (int32_t)((int64_t)y * width) + x;
    const int32_t above = i - (int32_t)width;
    const bool has_above = y > 0, has_right = x + 1 < (int32_t)width;
    if (has_above && parent[above] >= 0) { /* its left and right neighbours belong to it already */
        root = xa__find(parent, above);
    } else {
        if (x > 0 && parent[i - 1] >= 0)
            root = xa__find(parent, i - 1); /* to which the pixel above that one belongs */
        else if (x > 0 && has_above && parent[above - 1] >= 0)
            root = xa__find(parent, above - 1);
        if (has_above && has_right && parent[above + 1] >= 0) {
            const int32_t other = xa__find(parent, above + 1);
            root = root < 0 ? other : root != other ? xa__join(parent, c, root, other) : root;
        }
    }
    if (root < 0) {
        parent[i] = i;
        c[i] = (xa__component){.x0 = x, .y0 = y, .x1 = x, .y1 = y, .pixels = 1};
        return;
    }
    parent[i] = root;
    c[root].x0 = x < c[root].x0 ? x : c[root].x0;
    c[root].x1 = x > c[root].x1 ? x : c[root].x1;
    c[root].y1 = y;
    c[root].pixels++;
}

/* The root of the largest component, of equal ones the first; -1: no pixel is above the cut. */
static int32_t largest_component(const xa_metric_spec *spec, const xa__scene *s, xa__work *w)
{
    const double cut = xa__cut(spec, s);
    int32_t best = -1;
    int64_t i = 0;
    for (int32_t y = 0; y < (int32_t)s->height; y++)
        for (int32_t x = 0; x < (int32_t)s->width; x++, i++) {
            w->parent[i] = -1;
            if (!xa__left_out(s->where[i]) && xa__above(spec, s, i, cut))
                add_pixel(w, s->width, x, y);
        }
    for (i = 0; i < s->count; i++)
        if (w->parent[i] == (int32_t)i &&
            (best < 0 || w->component[i].pixels > w->component[best].pixels))
            best = (int32_t)i;
    return best;
}

static double box_iou(const xa__pair *p)
{
    const xa_metric_spec *spec = p->spec;
    const xa__scene *s = p->scene;
    xa__work *w = p->work;
    xa__largest *known = &w->largest;
    if (xa__flat(s))
        return 0.0;
    if (!known->known || known->cut != spec->cut || known->threshold != spec->threshold ||
        known->minmax != spec->minmax) {
        const int32_t at = largest_component(spec, s, w);
        *known = (xa__largest){.known = true,
                               .any = at >= 0,
                               .cut = spec->cut,
                               .threshold = spec->threshold,
                               .minmax = spec->minmax};
        if (at >= 0) {
            const xa__component *c = &w->component[at];
            known->box[0] = (double)c->x0;
            known->box[1] = (double)c->y0;
            known->box[2] = (double)c->x1 + 1.0;
            known->box[3] = (double)c->y1 + 1.0;
        }
    }
    return known->any ? xa__best_overlap(spec, s, known->box) : 0.0;
}

static double gt_known(const xa__pair *p)
{
    return box_iou(p) >= p->spec->level[0] ? 1.0 : 0.0;
}

/* As gt_known, where the class is among the `places` likeliest ones. */
static double top(const xa__pair *p, int64_t places)
{
    if (p->rank < 0)
        return NAN;
    return p->rank < places ? gt_known(p) : 0.0;
}

static double top1(const xa__pair *p)
{
    return top(p, 1);
}

static double top5(const xa__pair *p)
{
    return top(p, 5);
}

static void box_defaults(xa_metric_spec *s)
{
    s->sign = XA_SIGN_POSITIVE;
}

static void hit_defaults(xa_metric_spec *s)
{
    s->sign = XA_SIGN_POSITIVE;
    s->nlevels = 1;
    s->level[0] = 0.5;
}

static const char prediction[] = "box of the largest 8-connected component";

const xa__metric xa__metric_BOX_IOU = {
    .score = box_iou,
    .reference = "Selvaraju et al., Grad-CAM, ICCV 2017",
    .compares = XA__BOXES,
    .settings = XA__HAS(THRESHOLD) | XA__HAS(STRETCH),
    .defaults = box_defaults,
    .prediction = prediction,
};

#define HIT(formula, paper)                                                \
    {                                                                      \
        .score = formula, .reference = paper, .compares = XA__BOXES,       \
        .settings = XA__HAS(THRESHOLD) | XA__HAS(STRETCH) | XA__HAS(IOU),  \
        .defaults = hit_defaults, .most_levels = 1, .scale = XA_SCALE_HIT, \
        .prediction = prediction                                           \
    }
#define CAM_PAPER "Zhou et al., Learning deep features for discriminative localization, CVPR 2016"

const xa__metric xa__metric_GT_KNOWN = HIT(gt_known, "Singh, Lee, Hide-and-Seek, ICCV 2017");
const xa__metric xa__metric_TOP1 = HIT(top1, CAM_PAPER);
const xa__metric xa__metric_TOP5 = HIT(top5, CAM_PAPER);
