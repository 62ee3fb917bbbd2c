/* RISE. Petsiuk, Das, Saenko 2018, equation 6 by N masks m_d:
 *   map = sum_d S(x m_d) m_d / (N p).
 * A mask is a grid of `cells` x `cells` zeros and ones (one with probability p), enlarged by
 * linear interpolation to (cells + 1) cells and cut to the image at an offset below one cell
 * (section 3.3). Its borders repeat, as xa_upsample_linear's do; the authors' are mirrored. */
#include <math.h>
#include <string.h>

#include "explain_internal.h"

static const double share = 0.5; /* p */

typedef struct masks {
    const xa_explainer_spec *spec;
    int64_t across, down;   /* pixels of a cell */
    double *sum;            /* [H,W] */
    float *mask;            /* [H,W], of draw `made` */
    int64_t made;           /* -1: none yet */
    float *grid, *enlarged; /* [cells, cells], [(cells + 1) down, (cells + 1) across] */
} masks;

static void
cell_of(const xa_explainer_spec *spec, const xa_shape *s, int64_t *down, int64_t *across)
{
    *down = (s->dim[0] + spec->cells - 1) / spec->cells;
    *across = (s->dim[1] + spec->cells - 1) / spec->cells;
}

static size_t state_bytes(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    const xa_explainer_spec *ex = spec;
    const size_t pixels = (size_t)(input->dim[0] * input->dim[1]), n = (size_t)ex->cells;
    int64_t down, across;
    (void)layer;
    cell_of(ex, input, &down, &across);
    return sizeof(masks) + pixels * (sizeof(double) + sizeof(float)) +
           (n * n + (n + 1) * (n + 1) * (size_t)(down * across)) * sizeof(float);
}

static xa_asks asks(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    (void)input;
    (void)layer;
    return (xa_asks){.draws = ((const xa_explainer_spec *)spec)->draws};
}

/* Offsets of the cut: counters behind every cell's of the usual grids. */
enum { OFFSET_DOWN = 1000, OFFSET_ACROSS = 1001 };

static void make(masks *m, const xa_subject *s, int64_t draw)
{
    const uint64_t stream = xa_random_stream(XA_PURPOSE_RISE, (uint32_t)draw);
    const int64_t n = m->spec->cells, h = s->shape.dim[0], w = s->shape.dim[1];
    const int64_t width = (n + 1) * m->across;
    const int64_t oy = xa_random_below(s->seed, stream, OFFSET_DOWN, m->down);
    const int64_t ox = xa_random_below(s->seed, stream, OFFSET_ACROSS, m->across);
    for (int64_t i = 0; i < n * n; i++)
        m->grid[i] = xa_random_unit(s->seed, stream, (uint64_t)i) < share ? 1.0f : 0.0f;
    xa_upsample_linear(m->grid, n, n, m->enlarged, (n + 1) * m->down, width);
    for (int64_t y = 0; y < h; y++)
        memcpy(m->mask + y * w, m->enlarged + (y + oy) * width + ox, (size_t)w * sizeof(float));
    m->made = draw;
}

static void fill(void *state, const xa_subject *s, int64_t draw, float *x)
{
    masks *m = state;
    const int64_t pixels = s->shape.dim[0] * s->shape.dim[1], c = s->shape.dim[2];
    make(m, s, draw);
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t k = 0; k < c; k++)
            x[p * c + k] = s->x[p * c + k] * m->mask[p];
}

static void plan(const void *spec,
                 const xa_subject *s,
                 const xa_reply *clean,
                 const xa_explain_view *v,
                 void *state,
                 xa_recipe *recipe)
{
    masks *m = state;
    const int64_t pixels = s->shape.dim[0] * s->shape.dim[1];
    (void)clean;
    (void)v;
    m->spec = spec;
    cell_of(m->spec, &s->shape, &m->down, &m->across);
    m->sum = (double *)(m + 1);
    m->mask = (float *)(m->sum + pixels);
    m->grid = m->mask + pixels;
    m->enlarged = m->grid + (int64_t)m->spec->cells * m->spec->cells;
    m->made = -1;
    *recipe = (xa_recipe){.fill = fill, .key = {m->spec->cells}};
}

static void take(void *state, const xa_subject *s, int64_t draw, const xa_reply *a)
{
    masks *m = state;
    const int64_t pixels = s->shape.dim[0] * s->shape.dim[1];
    if (m->made != draw)
        make(m, s, draw);
    for (int64_t p = 0; p < pixels; p++)
        m->sum[p] += a->score * (double)m->mask[p];
}

static void finish(void *state, const xa_subject *s, void *result)
{
    const masks *m = state;
    const xa_explained *out = result;
    const int64_t pixels = s->shape.dim[0] * s->shape.dim[1];
    for (int64_t p = 0; p < pixels; p++)
        out->map[p] = (float)(m->sum[p] / ((double)m->spec->draws * share));
}

static const xa_consumer consumer = {
    .asks = asks, .state_bytes = state_bytes, .plan = plan, .read = take, .finish = finish};

const xa_explainer_def xa_explainer_rise = {.name = "rise",
                                            .reference =
                                                "Petsiuk et al.: RISE, BMVC 2018, arXiv:1806.07421",
                                            .settings = XA__HAS(DRAWS) | XA__HAS(CELLS),
                                            .score = XA_SCORE_PROB,
                                            .draws = 2000,
                                            .cells = 8,
                                            .consumer = &consumer};
