/* Checks that ask the model: which inputs they make, and what they keep of the answers. */
#include <math.h>
#include <string.h>

#include "xaudit/faith.h"

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
static void noise_field(const xa_faith_spec *c, const xa_subject *s, int64_t draw, float *field)
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
    noise_field(a->task.check, s, draw, x);
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
        [XA_FAITH_ROAD] = {road_asks, state_bytes, road_plan, read_in_order, finish},
        [XA_FAITH_SENSITIVITY_N] = {subset_asks, state_bytes, subset_plan, read_in_order, finish},
        [XA_FAITH_INFIDELITY] = {noise_asks, state_bytes, noise_plan, read_in_order, finish},
    };
    return of[kind].asks ? &of[kind] : NULL;
}

/* ---- figures ---- */

static void measure_curve(const xa_faith_measured *m, double *figure)
{
    const int points = m->check->steps + 1;
    const bool deletion = m->check->kind == XA_FAITH_DELETION;
    double curve[XA_FAITH_STEPS + 1], falling[XA_FAITH_STEPS + 1];
    const double *own = m->reply[0].prob;
    for (int i = 0; i < points; i++) /* from the whole image to the baseline */
        falling[i] = own[deletion ? i : points - 1 - i];
    figure[0] = xa_faith_auc(own, points);
    figure[1] = xa_faith_normalise(falling, points, curve) ? xa_faith_auc(curve, points) : NAN;
    figure[2] = falling[points - 1];
    /* a baseline that leaves more than half of the class's probability does not remove it */
    figure[3] = falling[points - 1] > 0.5 * falling[0] ? 1.0 : 0.0;
    figure[4] = m->reply[0].tied;
    for (int b = 1; b < m->blocks; b++)
        figure[4 + b] = figure[0] - xa_faith_auc(m->reply[b].prob, points);
}

static double road_of(const xa_faith_replies *r)
{
    return xa_road_score(r->score, r->score + XA_FAITH_SHARES, XA_FAITH_SHARES);
}

static void measure_road(const xa_faith_measured *m, double *figure)
{
    figure[0] = road_of(&m->reply[0]);
    figure[1] = m->reply[0].tied;
    for (int b = 1; b < m->blocks; b++)
        figure[1 + b] = figure[0] - road_of(&m->reply[b]);
}

/* The map and its rivals over the pixels; the rivals lie in the scratch. */
enum { MAPS = 1 + XA_RIVAL_COUNT };
static void all_maps(const xa_faith_measured *m, const float *values[MAPS])
{
    const xa_shape *s = &m->subject->shape;
    const int64_t n = s->dim[0] * s->dim[1];
    values[0] = m->pixels;
    for (int k = 0; k < XA_RIVAL_COUNT; k++) {
        float *to = (float *)m->scratch + k * n;
        xa_rival_map((xa_rival_kind)k,
                     m->subject->x,
                     s->dim[0],
                     s->dim[1],
                     s->dim[2],
                     m->subject->seed,
                     m->pixels,
                     to);
        values[1 + k] = to;
    }
}

static void measure_subsets(const xa_faith_measured *m, double *figure)
{
    const int64_t n = m->subject->shape.dim[0] * m->subject->shape.dim[1];
    const int draws = m->check->draws;
    const float *values[MAPS];
    double mean[MAPS] = {0};
    int32_t *subset = (int32_t *)(void *)((float *)m->scratch + XA_RIVAL_COUNT * n);
    all_maps(m, values);
    for (int size = 0; size < XA_FAITH_SIZES; size++) {
        double drop[XA_SUBSET_DRAWS], sum[MAPS][XA_SUBSET_DRAWS];
        const int64_t count = xa_faith_size(n, size);
        for (int d = 0; d < draws; d++) {
            xa_faith_subset(m->subject->seed, n, count, d, subset);
            drop[d] = m->reply[0].clean_score - m->reply[0].score[size * draws + d];
            for (int k = 0; k < MAPS; k++)
                sum[k][d] = xa_faith_sum(values[k], subset, count);
        }
        for (int k = 0; k < MAPS; k++) {
            const double r = xa_faith_pearson(sum[k], drop, draws);
            mean[k] += r / XA_FAITH_SIZES;
            if (k == 0)
                figure[1 + size] = r;
        }
    }
    figure[0] = mean[0];
    for (int k = 1; k < MAPS; k++)
        figure[XA_FAITH_SIZES + k] = mean[0] - mean[k];
}

/* Rivals have one value a pixel, which all its channels get. */
static double dot_of(const float *field, const float *values, int64_t pixels, int64_t channels)
{
    double sum = 0.0;
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = 0; c < channels; c++)
            sum += (double)field[p * channels + c] * (double)values[p];
    return sum;
}

static void measure_noise(const xa_faith_measured *m, double *figure)
{
    const xa_shape *s = &m->subject->shape;
    const int64_t n = s->dim[0] * s->dim[1];
    const int draws = m->check->draws;
    const float *values[MAPS];
    double dot[MAPS][XA_SUBSET_DRAWS], drop[XA_SUBSET_DRAWS], plain[MAPS], scaled[MAPS];
    float *field = (float *)m->scratch + XA_RIVAL_COUNT * n;
    all_maps(m, values);
    for (int d = 0; d < draws; d++) {
        noise_field(m->check, m->subject, d, field);
        drop[d] = m->reply[0].clean_score - m->reply[0].score[d];
        dot[0][d] = xa_faith_dot(field, m->map, n, s->dim[2]);
        for (int k = 1; k < MAPS; k++)
            dot[k][d] = dot_of(field, values[k], n, s->dim[2]);
    }
    for (int k = 0; k < MAPS; k++)
        xa_faith_infidelity(dot[k], drop, draws, &plain[k], &scaled[k]);
    figure[0] = scaled[0];
    figure[1] = plain[0];
    for (int k = 1; k < MAPS; k++)
        figure[1 + k] = scaled[0] - scaled[k];
}

static void measure_complexity(const xa_faith_measured *m, double *figure)
{
    const int64_t n = m->subject->shape.dim[0] * m->subject->shape.dim[1];
    const float *values[MAPS];
    all_maps(m, values);
    figure[0] = (double)xa_faith_complexity(values[0], n, 0.01) / (double)n;
    for (int k = 0; k < XA_RIVAL_SHUFFLED; k++)
        figure[1 + k] = figure[0] - (double)xa_faith_complexity(values[1 + k], n, 0.01) / (double)n;
}

void xa_faith_measure(const xa_faith_measured *m, double *figures)
{
    switch (m->check->kind) {
    case XA_FAITH_DELETION:
    case XA_FAITH_INSERTION:
        measure_curve(m, figures);
        return;
    case XA_FAITH_ROAD:
        measure_road(m, figures);
        return;
    case XA_FAITH_SENSITIVITY_N:
        measure_subsets(m, figures);
        return;
    case XA_FAITH_INFIDELITY:
        measure_noise(m, figures);
        return;
    default:
        measure_complexity(m, figures);
        return;
    }
}
