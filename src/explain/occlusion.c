/* Occlusion. Zeiler and Fergus 2014, section 4.2: S(x) - S(x with a window of x0), the mean over
 * the windows that cover a pixel. Windows are a `cells`-th of the image high and wide, one half of
 * that apart; the last of a row or column is moved in. */
#include <math.h>

#include "explain_internal.h"

typedef struct windows {
    const xa_explainer_spec *spec;
    double score;          /* S(x) */
    double *sum, *covered; /* [H,W]; before: scratch of x0 */
    float *x0;             /* [H,W,C] */
} windows;

/* Along a side of n pixels: the window's length, how many there are, and where the k-th begins. */
static int64_t length_of(int64_t n, int cells)
{
    return (n + cells - 1) / cells;
}

static int64_t step_of(int64_t length)
{
    return length > 1 ? length / 2 : 1;
}

static int64_t count_of(int64_t n, int cells)
{
    const int64_t length = length_of(n, cells), step = step_of(length);
    return (n - length + step - 1) / step + 1;
}

static int64_t begin_of(int64_t n, int cells, int64_t k)
{
    const int64_t length = length_of(n, cells), at = k * step_of(length);
    return at + length > n ? n - length : at;
}

static size_t sum_doubles(const xa_shape *input)
{
    const size_t n = 2 * (size_t)(input->dim[0] * input->dim[1]), scratch = xa_base_scratch(input);
    return n > scratch ? n : scratch;
}

static size_t state_bytes(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    (void)spec;
    (void)layer;
    return sizeof(windows) + sum_doubles(input) * sizeof(double) +
           (size_t)xa_shape_count(input) * sizeof(float);
}

static xa_asks asks(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    const int cells = ((const xa_explainer_spec *)spec)->cells;
    (void)layer;
    return (xa_asks){.draws = count_of(input->dim[0], cells) * count_of(input->dim[1], cells)};
}

typedef struct window {
    int64_t y0, y1, x0, x1; /* half open */
} window;

static window window_of(const windows *m, const xa_shape *s, int64_t draw)
{
    const int cells = m->spec->cells;
    const int64_t across = count_of(s->dim[1], cells);
    const int64_t y = begin_of(s->dim[0], cells, draw / across);
    const int64_t x = begin_of(s->dim[1], cells, draw % across);
    return (window){y, y + length_of(s->dim[0], cells), x, x + length_of(s->dim[1], cells)};
}

static void fill(void *state, const xa_subject *s, int64_t draw, float *x)
{
    const windows *m = state;
    const int64_t w = s->shape.dim[1], c = s->shape.dim[2], n = xa_shape_count(&s->shape);
    const window q = window_of(m, &s->shape, draw);
    for (int64_t i = 0; i < n; i++)
        x[i] = s->x[i];
    for (int64_t y = q.y0; y < q.y1; y++)
        for (int64_t i = (y * w + q.x0) * c; i < (y * w + q.x1) * c; i++)
            x[i] = m->x0[i];
}

static void plan(const void *spec,
                 const xa_subject *s,
                 const xa_reply *clean,
                 const xa_explain_view *v,
                 void *state,
                 xa_recipe *recipe)
{
    windows *m = state;
    const int64_t pixels = s->shape.dim[0] * s->shape.dim[1];
    (void)v;
    m->spec = spec;
    m->score = clean->score;
    m->sum = (double *)(m + 1);
    m->covered = m->sum + pixels;
    m->x0 = (float *)(m->sum + sum_doubles(&s->shape));
    xa_base_fill(m->spec->baseline, &s->shape, s->x, s->black, s->white, s->seed, 0, m->sum, m->x0);
    for (int64_t p = 0; p < 2 * pixels; p++)
        m->sum[p] = 0.0;
    *recipe = (xa_recipe){.fill = fill, .key = {m->spec->cells, m->spec->baseline}};
}

static void take(void *state, const xa_subject *s, int64_t draw, const xa_reply *a)
{
    windows *m = state;
    const window q = window_of(m, &s->shape, draw);
    for (int64_t y = q.y0; y < q.y1; y++)
        for (int64_t p = y * s->shape.dim[1] + q.x0; p < y * s->shape.dim[1] + q.x1; p++) {
            m->sum[p] += m->score - a->score;
            m->covered[p] += 1.0;
        }
}

static void finish(void *state, const xa_subject *s, void *result)
{
    const windows *m = state;
    const xa_explained *out = result;
    const int64_t pixels = s->shape.dim[0] * s->shape.dim[1];
    for (int64_t p = 0; p < pixels; p++)
        out->map[p] = (float)(m->sum[p] / m->covered[p]);
}

static const xa_consumer consumer = {
    .asks = asks, .state_bytes = state_bytes, .plan = plan, .read = take, .finish = finish};

const xa_explainer_def xa_explainer_occlusion = {
    .name = "occlusion",
    .reference = "Zeiler, Fergus: Visualizing and understanding convolutional networks, ECCV 2014",
    .settings = XA__HAS(CELLS) | XA__HAS(BASELINE),
    .cells = 8,
    .baseline = XA_BASE_MEAN,
    .is_signed = true,
    .consumer = &consumer};
