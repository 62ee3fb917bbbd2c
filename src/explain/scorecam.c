/* Score-CAM. Wang et al. 2020, equations 6 to 8, by the authors' code: w_k = S(x * m_k), the score
 * (a probability by default) of the image seen through channel k, m_k = A_k enlarged to the input
 * and stretched to [0,1], 0 for a constant channel; L_ij = ReLU(sum_k w_k A_ijk). */
#include <math.h>
#include <string.h>

#include "explain_internal.h"

typedef struct seen {
    const xa_explainer_spec *spec;
    xa__channels c;
    double *weight;    /* [c.n]; between fill and read: 0 of a constant channel, else 1 */
    float *plane, *up; /* [h,w], [H,W] */
} seen;

static size_t state_bytes(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    const int64_t places = xa_shape_count(layer) / xa_shape_last(layer);
    return sizeof(seen) + xa__channels_bytes(spec, layer) +
           (size_t)(places + input->dim[0] * input->dim[1]) * sizeof(float);
}

static xa_asks asks(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    (void)input;
    return (xa_asks){.draws = xa__channels_asked(spec, layer)};
}

/* The channel at the input's size, from 0 to 1; false: it has one value. */
static bool stretch(seen *m, const xa_subject *s, int64_t draw)
{
    const int64_t pixels = s->shape.dim[0] * s->shape.dim[1];
    const int64_t h = m->c.grid.dim[0], w = m->c.grid.dim[1], kk = m->c.grid.dim[2];
    float low = INFINITY, high = -INFINITY;
    for (int64_t p = 0; p < h * w; p++)
        m->plane[p] = m->c.value[m->c.skip + p * kk + m->c.which[draw]];
    xa_upsample_linear(m->plane, h, w, m->up, s->shape.dim[0], s->shape.dim[1]);
    for (int64_t p = 0; p < pixels; p++) {
        low = m->up[p] < low ? m->up[p] : low;
        high = m->up[p] > high ? m->up[p] : high;
    }
    for (int64_t p = 0; p < pixels; p++)
        m->up[p] = high > low ? (m->up[p] - low) / (high - low) : 0.0f;
    return high > low;
}

static void fill(void *state, const xa_subject *s, int64_t draw, float *x)
{
    seen *m = state;
    const int64_t pixels = s->shape.dim[0] * s->shape.dim[1], c = s->shape.dim[2];
    m->weight[draw] = stretch(m, s, draw) ? 1.0 : 0.0;
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t k = 0; k < c; k++)
            x[p * c + k] = s->x[p * c + k] * m->up[p];
}

static void plan(const void *spec,
                 const xa_subject *s,
                 const xa_reply *clean,
                 const xa_explain_view *v,
                 void *state,
                 xa_recipe *recipe)
{
    seen *m = state;
    (void)s;
    (void)clean;
    m->spec = spec;
    m->weight = (double *)(m + 1);
    m->plane = xa__channels_take(m->spec, v, m->weight, &m->c);
    m->up = m->plane + v->layer_shape.dim[0] * v->layer_shape.dim[1];
    *recipe = (xa_recipe){.fill = fill, .own = state};
}

static void take(void *state, const xa_subject *s, int64_t draw, const xa_reply *a)
{
    seen *m = state;
    (void)s;
    m->weight[draw] = m->weight[draw] > 0.0 ? a->score : 0.0;
}

static void finish(void *state, const xa_subject *s, void *result)
{
    const seen *m = state;
    (void)s;
    xa__channels_map(m->spec, &m->c, m->weight, ((const xa_explained *)result)->map);
}

static const xa_consumer consumer = {
    .asks = asks, .state_bytes = state_bytes, .plan = plan, .read = take, .finish = finish};

const xa_explainer_def xa_explainer_scorecam = {
    .name = "scorecam",
    .reference = "Wang et al.: Score-CAM, CVPR Workshops 2020, doi:10.1109/CVPRW50498.2020.00020",
    .needs = XA_NEEDS_LAYER | XA_NEEDS_LAYER_GRADIENT,
    .settings = XA__HAS(TOP_CHANNELS),
    .score = XA_SCORE_PROB,
    .consumer = &consumer};
