/* Checks that ask the model: which inputs they make, and what they keep of the answers. */
#include <math.h>
#include <string.h>

#include "faith_internal.h"

/* ---- scratch ---- */

static size_t pixels_of(const xa_shape *s)
{
    return (size_t)(s->dim[0] * s->dim[1]);
}

/* What one use of the scratch takes at most: a blur; an order and a rival's map; an imputation, its
 * marks and its noise; a permutation. */
size_t xa_faith_scratch(const xa_shape *s)
{
    const size_t n = pixels_of(s), field = (size_t)xa_shape_count(s) * sizeof(float);
    const size_t blur = xa_base_scratch(s) * sizeof(double);
    const size_t order = n * (sizeof(xa_ranked_pixel) + sizeof(float));
    const size_t road = xa_road_scratch(s->dim[0], s->dim[1], s->dim[2]) + field + n;
    const size_t measure = n * (4 * sizeof(float) + sizeof(int32_t)) + field;
    const size_t most = blur > order ? blur : order, other = road > measure ? road : measure;
    return xa_align_up(most > other ? most : other, XA_ALIGN);
}

/* ---- the state of all of them ---- */

typedef struct asking {
    xa_faith_task task;
    bool ready; /* x0 and order are made; only whose inputs are used needs them */
    int points;
    double clean_score, clean_prob, tied;
    double *score, *prob; /* [points] */
    float *x0;            /* [H,W,C] */
    int32_t *order;       /* [N] */
} asking;

static size_t state_bytes(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    const xa_faith_task *t = spec;
    const xa_faith_shape shape = xa_faith_shape_of(t->check);
    (void)layer;
    return xa_align_up(sizeof(asking), sizeof(double)) + 2 * (size_t)shape.points * sizeof(double) +
           (size_t)xa_shape_count(input) * sizeof(float) + pixels_of(input) * sizeof(int32_t);
}

static asking *begin(const void *spec, const xa_subject *s, const xa_reply *clean, void *state)
{
    asking *a = state;
    a->task = *(const xa_faith_task *)spec;
    a->points = xa_faith_shape_of(a->task.check).points;
    a->clean_score = clean->score;
    a->clean_prob = clean->prob;
    a->tied = NAN;
    a->score = (double *)(void *)((unsigned char *)state + xa_align_up(sizeof *a, sizeof(double)));
    a->prob = a->score + a->points;
    a->x0 = (float *)(void *)(a->prob + a->points);
    a->order = (int32_t *)(void *)(a->x0 + xa_shape_count(&s->shape));
    for (int i = 0; i < 2 * a->points; i++)
        a->score[i] = NAN;
    return a;
}

static void keep(asking *a, int64_t point, const xa_reply *r)
{
    a->score[point] = r->score;
    a->prob[point] = r->prob;
}

static void finish(void *state, const xa_subject *s, void *result)
{
    const asking *a = state;
    xa_faith_replies *out = result;
    (void)s;
    memcpy(out->score, a->score, (size_t)a->points * sizeof *out->score);
    memcpy(out->prob, a->prob, (size_t)a->points * sizeof *out->prob);
    out->clean_score = a->clean_score;
    out->clean_prob = a->clean_prob;
    out->tied = a->tied;
}

static void make_base(asking *a, const xa_subject *s)
{
    xa_base_fill(a->task.check->baseline,
                 &s->shape,
                 s->x,
                 s->black,
                 s->white,
                 s->seed,
                 0,
                 a->task.scratch,
                 a->x0);
}

static void make_order(asking *a, const xa_subject *s)
{
    const int64_t h = s->shape.dim[0], w = s->shape.dim[1], n = h * w;
    xa_ranked_pixel *ranked = a->task.scratch;
    float *own = (float *)(void *)(ranked + n);
    const float *values = a->task.pixels;
    if (a->task.block) {
        xa_rival_map(
            (xa_rival_kind)(a->task.block - 1), s->x, h, w, s->shape.dim[2], s->seed, NULL, own);
        values = own;
    }
    xa_faith_order(values, n, a->task.check->ties, s->seed, ranked, a->order);
    a->tied = xa_faith_tied(values, a->order, n);
}

/* A rival's inputs depend on the image alone, so that all maps of the image share them. */
static void set_recipe(asking *a, xa_perturb *fill, double k1, double k2, double k3, xa_recipe *r)
{
    const xa_faith_task *t = &a->task;
    *r = (xa_recipe){.fill = fill, .key = {16.0 * t->check->kind + t->block, k1, k2, k3}};
    if (t->pixels)
        r->own = a;
}

/* ---- deletion and insertion ---- */

static xa_asks curve_asks(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    (void)input;
    (void)layer;
    return (xa_asks){.draws = ((const xa_faith_task *)spec)->check->steps};
}

/* The whole image is the answer that is there already: the first point of a deletion, the last of
 * an insertion. */
static int64_t curve_point(const asking *a, int64_t draw)
{
    return a->task.check->kind == XA_FAITH_DELETION ? draw + 1 : draw;
}

static void curve_fill(void *state, const xa_subject *s, int64_t draw, float *x)
{
    asking *a = state;
    const int64_t n = s->shape.dim[0] * s->shape.dim[1];
    const bool deletion = a->task.check->kind == XA_FAITH_DELETION;
    if (!a->ready) {
        make_base(a, s);
        make_order(a, s);
        a->ready = true;
    }
    xa_faith_change(deletion ? s->x : a->x0,
                    deletion ? a->x0 : s->x,
                    n,
                    s->shape.dim[2],
                    a->order,
                    xa_faith_changed(n, curve_point(a, draw), a->task.check->steps),
                    x);
}

static void curve_plan(const void *spec,
                       const xa_subject *s,
                       const xa_reply *clean,
                       const xa_explain_view *v,
                       void *state,
                       xa_recipe *recipe)
{
    asking *a = begin(spec, s, clean, state);
    const xa_faith_spec *c = a->task.check;
    (void)v;
    keep(a, c->kind == XA_FAITH_DELETION ? 0 : c->steps, clean);
    set_recipe(a, curve_fill, c->baseline, c->steps, c->ties, recipe);
}

static void curve_read(void *state, const xa_subject *s, int64_t draw, const xa_reply *r)
{
    (void)s;
    keep(state, curve_point(state, draw), r);
}

/* ---- IROF ---- */

int64_t xa__faith_cell(int64_t pixel, int64_t height, int64_t width, int cells)
{
    return pixel / width * cells / height * cells + pixel % width * cells / width;
}

static xa_asks irof_asks(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    const int cells = ((const xa_faith_task *)spec)->check->cells;
    (void)input;
    (void)layer;
    return (xa_asks){.draws = (int64_t)cells * cells};
}

/* Pixels cell by cell, those of the largest mean first; `tied` is of cells. */
static void order_cells(asking *a, const xa_subject *s)
{
    const int64_t h = s->shape.dim[0], w = s->shape.dim[1], n = h * w;
    const int cells = a->task.check->cells, count = cells * cells;
    float mean[XA_FAITH_CELLS * XA_FAITH_CELLS];
    int32_t rank[XA_FAITH_CELLS * XA_FAITH_CELLS], order[XA_FAITH_CELLS * XA_FAITH_CELLS];
    int64_t first[XA_FAITH_CELLS * XA_FAITH_CELLS + 1] = {0};
    double sum[XA_FAITH_CELLS * XA_FAITH_CELLS] = {0.0};
    int64_t size[XA_FAITH_CELLS * XA_FAITH_CELLS] = {0};
    float *own = a->task.scratch;
    const float *values = a->task.pixels;
    if (a->task.block) {
        xa_rival_map(
            (xa_rival_kind)(a->task.block - 1), s->x, h, w, s->shape.dim[2], s->seed, NULL, own);
        values = own;
    }
    for (int64_t p = 0; p < n; p++) {
        const int64_t k = xa__faith_cell(p, h, w, cells);
        sum[k] += (double)values[p];
        size[k]++;
    }
    for (int k = 0; k < count; k++) /* a small input leaves cells without a pixel: they go last */
        mean[k] = size[k] ? (float)(sum[k] / (double)size[k]) : -INFINITY;
    xa_ranked_pixel ranked[XA_FAITH_CELLS * XA_FAITH_CELLS];
    xa_faith_order(mean, count, a->task.check->ties, s->seed, ranked, order);
    a->tied = xa_faith_tied(mean, order, count);
    for (int k = 0; k < count; k++)
        rank[order[k]] = k;
    for (int k = 0; k < count; k++)
        first[k + 1] = first[k] + size[order[k]];
    for (int64_t p = 0; p < n; p++)
        a->order[first[rank[xa__faith_cell(p, h, w, cells)]]++] = (int32_t)p;
}

/* Draw d has removed the d + 1 first cells. */
static void irof_fill(void *state, const xa_subject *s, int64_t draw, float *x)
{
    asking *a = state;
    const int64_t h = s->shape.dim[0], w = s->shape.dim[1], n = h * w;
    const int cells = a->task.check->cells;
    if (!a->ready) {
        make_base(a, s);
        order_cells(a, s);
        a->ready = true;
    }
    int64_t gone = 0, removed = 0;
    for (; gone < n; gone++) {
        removed += !gone || xa__faith_cell(a->order[gone], h, w, cells) !=
                                xa__faith_cell(a->order[gone - 1], h, w, cells);
        if (removed > draw + 1)
            break;
    }
    xa_faith_change(s->x, a->x0, n, s->shape.dim[2], a->order, gone, x);
}

static void irof_plan(const void *spec,
                      const xa_subject *s,
                      const xa_reply *clean,
                      const xa_explain_view *v,
                      void *state,
                      xa_recipe *recipe)
{
    asking *a = begin(spec, s, clean, state);
    (void)v;
    keep(a, 0, clean);
    set_recipe(a, irof_fill, a->task.check->cells, a->task.check->ties, 0.0, recipe);
}

static void irof_read(void *state, const xa_subject *s, int64_t draw, const xa_reply *r)
{
    (void)s;
    keep(state, draw + 1, r);
}

/* ---- ROAD ---- */

static xa_asks road_asks(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    (void)spec;
    (void)input;
    (void)layer;
    return (xa_asks){.draws = 2 * XA_FAITH_SHARES};
}

/* Noise on what was imputed, of the span of each channel. */
static void add_noise(const asking *a,
                      const xa_subject *s,
                      int64_t draw,
                      const uint8_t *removed,
                      float *field,
                      float *x)
{
    const int64_t c = s->shape.dim[2], count = xa_shape_count(&s->shape);
    if (!(a->task.check->noise > 0.0))
        return;
    xa_random_normal(s->seed, xa_random_stream(XA_PURPOSE_ROAD, (uint32_t)draw), count, field);
    for (int64_t i = 0; i < count; i++)
        if (removed[i / c]) {
            const double span = fabs((double)s->white[i % c] - (double)s->black[i % c]);
            x[i] += (float)(a->task.check->noise * span * (double)field[i]);
        }
}

/* The most relevant pixels first, then the least relevant. */
static void road_fill(void *state, const xa_subject *s, int64_t draw, float *x)
{
    asking *a = state;
    const int64_t h = s->shape.dim[0], w = s->shape.dim[1], c = s->shape.dim[2], n = h * w;
    const int64_t gone =
        xa_faith_changed(n, xa_faith_road_share((int)(draw % XA_FAITH_SHARES)), 100);
    float *field = (float *)(void *)((unsigned char *)a->task.scratch + xa_road_scratch(h, w, c));
    uint8_t *removed = (uint8_t *)(field + xa_shape_count(&s->shape));
    if (!a->ready) {
        make_order(a, s);
        a->ready = true;
    }
    xa_faith_mark(a->order + (draw < XA_FAITH_SHARES ? 0 : n - gone), gone, n, removed);
    (void)xa_road_fill(s->x, NULL, h, w, c, removed, a->task.scratch, x);
    add_noise(a, s, draw, removed, field, x);
}

static void road_plan(const void *spec,
                      const xa_subject *s,
                      const xa_reply *clean,
                      const xa_explain_view *v,
                      void *state,
                      xa_recipe *recipe)
{
    asking *a = begin(spec, s, clean, state);
    (void)v;
    set_recipe(a, road_fill, a->task.check->noise, a->task.check->ties, 0.0, recipe);
}

static void read_in_order(void *state, const xa_subject *s, int64_t draw, const xa_reply *r)
{
    (void)s;
    keep(state, draw, r);
}

/* ---- random subsets ---- */

static xa_asks subset_asks(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    (void)input;
    (void)layer;
    return (xa_asks){.draws = XA_FAITH_SIZES * ((const xa_faith_task *)spec)->check->draws};
}

static void subset_fill(void *state, const xa_subject *s, int64_t draw, float *x)
{
    asking *a = state;
    const int64_t n = s->shape.dim[0] * s->shape.dim[1], draws = a->task.check->draws;
    const int64_t size = xa_faith_size(n, (int)(draw / draws));
    if (!a->ready) {
        make_base(a, s);
        a->ready = true;
    }
    xa_faith_subset(s->seed, n, size, draw % draws, a->order);
    xa_faith_change(s->x, a->x0, n, s->shape.dim[2], a->order, size, x);
}

static void subset_plan(const void *spec,
                        const xa_subject *s,
                        const xa_reply *clean,
                        const xa_explain_view *v,
                        void *state,
                        xa_recipe *recipe)
{
    asking *a = begin(spec, s, clean, state);
    (void)v;
    set_recipe(a, subset_fill, a->task.check->baseline, a->task.check->draws, 0.0, recipe);
    recipe->own = NULL; /* subsets do not depend on the map */
}

/* ---- noise ---- */

static xa_asks noise_asks(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    (void)input;
    (void)layer;
    return (xa_asks){.draws = ((const xa_faith_task *)spec)->check->draws};
}

/* The perturbation itself. */
void xa__faith_noise(const xa_faith_spec *c, const xa_subject *s, int64_t draw, float *field)
{
    const int64_t count = xa_shape_count(&s->shape);
    const uint64_t stream = xa_random_stream(XA_PURPOSE_INFIDELITY, (uint32_t)draw);
    xa_random_normal(s->seed, stream, count, field);
    for (int64_t i = 0; i < count; i++)
        field[i] = (float)(c->noise * (double)field[i]);
}

static void noise_fill(void *state, const xa_subject *s, int64_t draw, float *x)
{
    const asking *a = state;
    const int64_t count = xa_shape_count(&s->shape);
    xa__faith_noise(a->task.check, s, draw, x);
    for (int64_t i = 0; i < count; i++)
        x[i] = s->x[i] - x[i];
}

static void noise_plan(const void *spec,
                       const xa_subject *s,
                       const xa_reply *clean,
                       const xa_explain_view *v,
                       void *state,
                       xa_recipe *recipe)
{
    asking *a = begin(spec, s, clean, state);
    (void)v;
    set_recipe(a, noise_fill, a->task.check->noise, 0.0, 0.0, recipe);
    recipe->own = NULL; /* nor does the noise */
}

const xa_consumer *xa_faith_consumer(xa_faith_kind kind)
{
    static const xa_consumer of[XA_FAITH_COUNT] = {
        [XA_FAITH_DELETION] = {curve_asks, state_bytes, curve_plan, curve_read, finish},
        [XA_FAITH_INSERTION] = {curve_asks, state_bytes, curve_plan, curve_read, finish},
        [XA_FAITH_IROF] = {irof_asks, state_bytes, irof_plan, irof_read, finish},
        [XA_FAITH_ROAD] = {road_asks, state_bytes, road_plan, read_in_order, finish},
        [XA_FAITH_SENSITIVITY_N] = {subset_asks, state_bytes, subset_plan, read_in_order, finish},
        [XA_FAITH_INFIDELITY] = {noise_asks, state_bytes, noise_plan, read_in_order, finish},
    };
    return of[kind].asks ? &of[kind] : NULL;
}
