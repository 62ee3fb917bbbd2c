/* Box accuracy at every grey level. Choe et al., CVPR 2020 (MaxBoxAcc), and its journal version
 * (V2).
 *
 * At level g the prediction is every pixel brighter than g of 0..255; the boxes of its contours are
 * compared with the annotated ones. The levels are not labelled one by one. Pixels enter a
 * union-find from the brightest down; a component keeps its box from the level at which it last
 * changed to that at which it changes next, so that each such state is scored once. The contour of
 * a hole has the hole's box, one pixel wider on every side. Holes are components of the dark pixels
 * (4-connected, not at the border), and are found in the same way from the darkest up. */
#include "component.h"
#include "metric_internal.h"

#include <math.h>
#include <string.h>

typedef struct sweep {
    const xa_metric_spec *spec;
    const xa__scene *s;
    xa__work *w;
    int32_t from[XA_GREY_LEVELS + 1]; /* order[from[q]..from[q+1]): pixels of grey level q */
    double best[XA_GREY_LEVELS];      /* best overlap at each level */
    double least;     /* the lowest level of a hit: smaller overlaps are no hit at any */
    double small;     /* a box of a smaller area overlaps by less than `least` */
    int32_t *changed; /* roots that changed at this level; one may stand here twice */
    int64_t nchanged;
    uint8_t group[256]; /* find_groups */
} sweep;

static void sort_by_grey(sweep *z)
{
    const xa__scene *s = z->s;
    int32_t at[XA_GREY_LEVELS] = {0};
    for (int64_t i = 0; i < s->count; i++) {
        const double v = xa__left_out(s->where[i]) ? 0.0 : xa__stretch(z->spec, s, i);
        z->w->grey[i] = (uint8_t)(v * 255.0);
        at[z->w->grey[i]]++;
    }
    int32_t sum = 0;
    for (int q = 0; q < XA_GREY_LEVELS; q++) {
        z->from[q] = sum;
        sum += at[q];
        at[q] = z->from[q];
    }
    z->from[XA_GREY_LEVELS] = sum;
    for (int64_t i = 0; i < s->count; i++)
        z->w->order[at[z->w->grey[i]]++] = (int32_t)i;
}

static void add_pixel(const sweep *z, int32_t i, int level)
{
    const int32_t x = i % (int32_t)z->s->width, y = i / (int32_t)z->s->width;
    z->w->parent[i] = i;
    z->w->component[i] = (xa__component){.x0 = x,
                                         .y0 = y,
                                         .x1 = x,
                                         .y1 = y,
                                         .pixels = 1,
                                         .since = (int16_t)level,
                                         .touched = (int16_t)level};
}

/* The present state of component c counts at levels low..high. */
static void keep(sweep *z, const xa__component *c, int low, int high)
{
    if (c->overlap >= z->least)
        for (int g = low; g <= high; g++)
            z->best[g] = c->overlap > z->best[g] ? c->overlap : z->best[g];
}

/* Component `root` is about to change at level g: its state before the first change is kept. */
static void before_change(sweep *z, int32_t root, int g, bool down)
{
    xa__component *c = &z->w->component[root];
    if (c->touched == g)
        return;
    if (down)
        keep(z, c, g + 1, c->since);
    else
        keep(z, c, c->since, g - 1);
    c->touched = (int16_t)g;
    z->changed[z->nchanged++] = root;
}

/* The eight neighbours of a pixel, clockwise from the one above. */
static const int8_t ring_x[8] = {0, 1, 1, 1, 0, -1, -1, -1};
static const int8_t ring_y[8] = {-1, -1, 0, 1, 1, 1, 0, -1};

/* For each set of neighbours that have entered: one neighbour of every component that they form
 * among themselves, so that each component is looked up once. Bright pixels connect to all eight
 * neighbours, dark ones to four. */
static void find_groups(uint8_t group[256], bool down)
{
    for (int set = 0; set < 256; set++) {
        int left = down ? set : set & 0x55, chosen = 0;
        for (int k = 0; k < 8; k++) {
            if (!(left >> k & 1))
                continue;
            chosen |= 1 << k;
            int grown = 1 << k, before;
            do { /* along the ring; where corners connect, two sides touch at theirs */
                before = grown;
                for (int a = 0; a < 8; a++) {
                    const int next = (a + 1) % 8, over = (a + 2) % 8;
                    const bool near = set >> a & 1 && set >> next & 1;
                    const bool corner = down && a % 2 == 0 && set >> a & 1 && set >> over & 1;
                    if (near && grown & (1 << a | 1 << next))
                        grown |= 1 << a | 1 << next;
                    if (corner && grown & (1 << a | 1 << over))
                        grown |= 1 << a | 1 << over;
                }
            } while (grown != before);
            left &= ~grown;
        }
        group[set] = (uint8_t)chosen;
    }
}

/* Which neighbours of pixel i have entered. */
static int places_in(const sweep *z, int32_t i, int32_t x, int32_t y)
{
    const int32_t width = (int32_t)z->s->width, height = (int32_t)z->s->height;
    const int32_t *parent = z->w->parent;
    int set = 0;
    if (x > 0 && y > 0 && x + 1 < width && y + 1 < height) {
        const int32_t *p = parent + i;
        return (p[-width] >= 0) | (p[1 - width] >= 0) << 1 | (p[1] >= 0) << 2 |
               (p[1 + width] >= 0) << 3 | (p[width] >= 0) << 4 | (p[width - 1] >= 0) << 5 |
               (p[-1] >= 0) << 6 | (p[-1 - width] >= 0) << 7;
    }
    for (int k = 0; k < 8; k++) {
        const int32_t u = x + ring_x[k], v = y + ring_y[k];
        if (u >= 0 && v >= 0 && u < width && v < height && parent[v * width + u] >= 0)
            set |= 1 << k;
    }
    return set;
}

/* Adds a pixel to its neighbours' components at level g. Only a pixel without neighbours becomes a
 * component of its own, and the larger of two components absorbs the other, so that few roots are
 * read, from cache. */
static void add_near(sweep *z, int32_t i, int g, bool down)
{
    const int32_t width = (int32_t)z->s->width;
    const int32_t y = i / width, x = i - y * width;
    int32_t *parent = z->w->parent, root = -1;
    xa__component *c = z->w->component;
    for (int set = z->group[places_in(z, i, x, y)]; set; set &= set - 1) {
        const int k = __builtin_ctz((unsigned)set);
        const int32_t other = xa__find(parent, i + ring_y[k] * width + ring_x[k]);
        if (other == root)
            continue;
        before_change(z, other, g, down);
        if (root < 0)
            root = other;
        else if (c[other].pixels > c[root].pixels)
            root = xa__take_in(parent, c, other, root);
        else
            root = xa__take_in(parent, c, root, other);
    }
    if (root < 0) {
        add_pixel(z, i, g);
        z->changed[z->nchanged++] = i;
        return;
    }
    parent[i] = root;
    c[root].x0 = x < c[root].x0 ? x : c[root].x0;
    c[root].y0 = y < c[root].y0 ? y : c[root].y0;
    c[root].x1 = x > c[root].x1 ? x : c[root].x1;
    c[root].y1 = y > c[root].y1 ? y : c[root].y1;
    c[root].pixels++;
}

/* All pixels of level g have entered: the components that they changed get their overlap. */
static void settle(sweep *z, int g, bool down)
{
    for (int64_t k = 0; k < z->nchanged; k++) {
        xa__component *c = &z->w->component[z->changed[k]];
        if (z->w->parent[z->changed[k]] != z->changed[k])
            continue; /* another component absorbed it */
        const double grow = down ? 0.0 : 1.0;
        const bool border = c->x0 == 0 || c->y0 == 0 || c->x1 == (int32_t)z->s->width - 1 ||
                            c->y1 == (int32_t)z->s->height - 1;
        const double box[4] = {(double)c->x0 - grow,
                               (double)c->y0 - grow,
                               (double)c->x1 + 1.0 + grow,
                               (double)c->y1 + 1.0 + grow};
        const double area = (box[2] - box[0] + 1.0) * (box[3] - box[1] + 1.0);
        c->overlap =
            area < z->small || (!down && border) ? 0.0 : xa__best_overlap(z->spec, z->s, box);
        c->since = (int16_t)g;
        c->touched = -1;
    }
    z->nchanged = 0;
}

static void sweep_all(sweep *z, bool down)
{
    const int last = XA_GREY_LEVELS - 1;
    memset(z->w->parent, 0xff, (size_t)z->s->count * sizeof *z->w->parent);
    z->changed = (int32_t *)(void *)z->w->keys[0];
    z->nchanged = 0;
    find_groups(z->group, down);
    for (int step = 0; step < last; step++) {
        const int g = down ? last - 1 - step : step; /* bright: > g; dark: <= g */
        const int q = down ? g + 1 : g;
        for (int32_t k = z->from[q]; k < z->from[q + 1]; k++)
            add_near(z, z->w->order[k], g, down);
        settle(z, g, down);
    }
    for (int64_t i = 0; i < z->s->count; i++)
        if (z->w->parent[i] == (int32_t)i) {
            const xa__component *c = &z->w->component[i];
            keep(z, c, down ? 0 : c->since, down ? c->since : last - 1);
        }
}

/* ---- only the largest contour (V1) ---- */

/* Twice the area of the polygon through the centres of the component's outer pixels, with holes
 * filled: each block of 2x2 pixels adds 2 if all four are inside, 1 if three are. Dark pixels that
 * are connected to the box's border lie outside. mark and stack are scratch, with room for the
 * scene and a frame of one pixel. */
static int64_t filled_halves(const sweep *z, int32_t root, uint8_t *mark, int32_t *stack)
{
    const xa__component *c = &z->w->component[root];
    const int32_t width = (int32_t)z->s->width;
    const int32_t w = c->x1 - c->x0 + 3, h = c->y1 - c->y0 + 3; /* a frame around the box */
    int64_t n = 0, halves = 0;
    for (int32_t i = 0; i < w * h; i++) {
        const int32_t x = c->x0 - 1 + i % w, y = c->y0 - 1 + i / w;
        const bool inside = i % w > 0 && i % w < w - 1 && i / w > 0 && i / w < h - 1;
        const int32_t at = y * width + x;
        mark[i] = inside && z->w->parent[at] >= 0 && xa__find(z->w->parent, at) == root ? 2 : 0;
    }
    mark[0] = 1;
    stack[n++] = 0;
    while (n > 0) {
        const int32_t i = stack[--n], x = i % w, y = i / w;
        const int32_t near[4] = {
            x > 0 ? i - 1 : -1, x + 1 < w ? i + 1 : -1, y > 0 ? i - w : -1, y + 1 < h ? i + w : -1};
        for (int k = 0; k < 4; k++)
            if (near[k] >= 0 && mark[near[k]] == 0) {
                mark[near[k]] = 1;
                stack[n++] = near[k];
            }
    }
    for (int32_t y = 0; y + 1 < h; y++)
        for (int32_t x = 0; x + 1 < w; x++) {
            const int32_t i = y * w + x;
            const int in =
                (mark[i] != 1) + (mark[i + 1] != 1) + (mark[i + w] != 1) + (mark[i + w + 1] != 1);
            halves += in == 4 ? 2 : in == 3 ? 1 : 0;
        }
    return halves;
}

static int32_t blocks_gained(const sweep *z, int32_t i)
{
    const int32_t width = (int32_t)z->s->width, height = (int32_t)z->s->height;
    const int32_t x = i % width, y = i / width;
    int32_t gained = 0;
    for (int32_t v = -1; v <= 0; v++)
        for (int32_t u = -1; u <= 0; u++) {
            int in = 0;
            if (x + u < 0 || y + v < 0 || x + u + 1 >= width || y + v + 1 >= height)
                continue;
            for (int k = 0; k < 4; k++)
                in += z->w->parent[i + (v + k / 2) * width + u + k % 2] >= 0;
            gained +=
                in >= 3; /* the third of four pixels adds half a block, the fourth the other half */
        }
    return gained;
}

/* The component with the largest contour; of equal ones the one that begins last in row-major
 * order. The filled area is at least that of the component's own blocks and at most that of its
 * box, which spares most components their filling. */
static int32_t
largest(const sweep *z, const int32_t *roots, int64_t n, uint8_t *mark, int32_t *stack)
{
    int64_t low = -1;
    int32_t best = -1;
    int64_t best_area = -1;
    for (int64_t k = 0; k < n; k++)
        if (z->w->component[roots[k]].halves > low)
            low = z->w->component[roots[k]].halves;
    for (int64_t k = 0; k < n; k++) {
        const xa__component *c = &z->w->component[roots[k]];
        const int64_t high = 2 * (int64_t)(c->x1 - c->x0) * (c->y1 - c->y0);
        if (high < low || high < best_area)
            continue;
        int64_t area = c->halves;
        if (high > area) {
            area = filled_halves(z, roots[k], mark, stack);
        }
        if (area > best_area || (area == best_area && roots[k] > best)) {
            best_area = area;
            best = roots[k];
        }
    }
    return best;
}

/* Joins a new pixel to its eight neighbours; returns its component's root. */
static int32_t join_near(sweep *z, int32_t i)
{
    const int32_t width = (int32_t)z->s->width, height = (int32_t)z->s->height;
    const int32_t x = i % width, y = i / width;
    int32_t root = i;
    for (int32_t v = -1; v <= 1; v++)
        for (int32_t u = -1; u <= 1; u++) {
            if ((!u && !v) || x + u < 0 || x + u >= width || y + v < 0 || y + v >= height)
                continue;
            const int32_t k = i + v * width + u;
            if (z->w->parent[k] < 0)
                continue;
            const int32_t other = xa__find(z->w->parent, k);
            if (other != root)
                root = xa__join(z->w->parent, z->w->component, root, other);
        }
    return root;
}

static void sweep_largest(sweep *z)
{
    /* scratch of 4 bytes per pixel: the present roots, and the stack of the filling */
    int32_t *roots = (int32_t *)(void *)z->w->keys[0], *stack = (int32_t *)(void *)z->w->keys[1];
    uint8_t *mark = (uint8_t *)(void *)z->w->keys[2];
    int64_t n = 0;
    memset(z->w->parent, 0xff, (size_t)z->s->count * sizeof *z->w->parent);
    for (int g = XA_GREY_LEVELS - 2; g >= 0; g--) {
        for (int32_t k = z->from[g + 1]; k < z->from[g + 2]; k++) {
            const int32_t i = z->w->order[k];
            add_pixel(z, i, g);
            const int32_t gained = blocks_gained(z, i);
            const int32_t root = join_near(z, i);
            z->w->component[root].halves += gained;
            roots[n++] = i;
        }
        int64_t live = 0;
        for (int64_t k = 0; k < n; k++)
            if (z->w->parent[roots[k]] == roots[k])
                roots[live++] = roots[k];
        n = live;
        if (n == 0)
            continue;
        const xa__component *c = &z->w->component[largest(z, roots, n, mark, stack)];
        const double box[4] = {
            (double)c->x0, (double)c->y0, (double)c->x1 + 1.0, (double)c->y1 + 1.0};
        z->best[g] = xa__best_overlap(z->spec, z->s, box);
    }
}

static double box_acc(const xa__pair *p)
{
    const xa_metric_spec *spec = p->spec;
    const xa__scene *s = p->scene;
    xa__work *w = p->work;
    uint8_t *hits = p->statistic;
    sweep z = {.spec = spec, .s = s, .w = w, .least = 1.0};
    int hit_levels = 0;
    if (xa__flat(s) && !spec->wsol)
        return 0.0;
    for (int d = 0; d < spec->nlevels; d++)
        z.least = spec->level[d] < z.least ? spec->level[d] : z.least;
    double area = INFINITY; /* of the smallest annotated box */
    for (int i = 0; i < s->nboxes; i++) {
        const double a = (s->box[i][2] - s->box[i][0]) * (s->box[i][3] - s->box[i][1]);
        area = a < area ? a : area;
    }
    z.small = z.least * area;
    w->sorted = false;
    if (!xa__flat(s))
        sort_by_grey(&z);
    if (xa__flat(
            s)) { /* no pixel is above any level: wsolevaluation then predicts the first pixel */
        static const double first[4] = {0.0, 0.0, 0.0, 0.0};
        for (int g = 0; g < XA_GREY_LEVELS - 1; g++)
            z.best[g] = xa__best_overlap(spec, s, first);
    } else if (spec->all_contours) {
        sweep_all(&z, true);
        if (spec->wsol)
            sweep_all(&z, false);
    } else {
        sweep_largest(&z);
    }
    for (int d = 0; d < spec->nlevels; d++) {
        bool any = false;
        for (int g = 0; g < XA_GREY_LEVELS; g++) {
            const bool hit = z.best[g] >= spec->level[d];
            any = any || hit;
            if (hit && hits)
                hits[d * XA_HIT_BYTES + g / 8] |= (uint8_t)(1u << (g % 8));
        }
        hit_levels += any;
    }
    return (double)hit_levels / (double)spec->nlevels;
}

static void defaults(xa_metric_spec *s)
{
    s->sign = XA_SIGN_POSITIVE;
    s->minmax = true;
    s->nlevels = 3;
    s->level[0] = 0.3;
    s->level[1] = 0.5;
    s->level[2] = 0.7;
}

const xa__metric xa__metric_BOX_ACC = {
    .score = box_acc,
    .reference = "Choe et al., Evaluating weakly supervised object localization methods right, "
                 "CVPR 2020",
    .compares = XA__BOXES,
    .settings = XA__HAS(STRETCH) | XA__HAS(IOU) | XA__HAS(CONTOURS) | XA__HAS(FROM_SPLIT),
    .defaults = defaults,
    .most_levels = XA_METRIC_LEVELS,
    .statistic = XA_STATISTIC_HITS,
};
