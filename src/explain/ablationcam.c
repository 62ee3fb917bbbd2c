/* Ablation-CAM. Desai and Ramaswamy 2020, equations 3 and 4: w_k = (S - S_k) / |S|, S_k the score
 * when channel k of the layer is 0 everywhere; L_ij = ReLU(sum_k w_k A_ijk). The network runs from
 * the layer on. By |S|, not S, which would turn the map round where S < 0; S = 0: no weights. */
#include <math.h>
#include <string.h>

#include "explain_internal.h"

typedef struct ablated {
    const xa_explainer_spec *spec;
    xa__channels c;
    double score;
    double *weight; /* [c.n] */
} ablated;

static size_t state_bytes(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    (void)input;
    return sizeof(ablated) + xa__channels_bytes(spec, layer);
}

static xa_asks asks(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    (void)input;
    return (xa_asks){.draws = xa__channels_asked(spec, layer), .at_layer = true};
}

/* The layer's whole value, tokens before the patches too. */
static void fill(void *state, const xa_subject *s, int64_t draw, float *x)
{
    const ablated *m = state;
    (void)s;
    memcpy(x, m->c.value, (size_t)m->c.count * sizeof *x);
    for (int64_t i = m->c.which[draw]; i < m->c.count; i += m->c.grid.dim[2])
        x[i] = 0.0f;
}

static void plan(const void *spec,
                 const xa_subject *s,
                 const xa_reply *clean,
                 const xa_explain_view *v,
                 void *state,
                 xa_recipe *recipe)
{
    ablated *m = state;
    (void)s;
    m->spec = spec;
    m->score = clean->score;
    m->weight = (double *)(m + 1);
    xa__channels_take(m->spec, v, m->weight, &m->c);
    *recipe = (xa_recipe){.fill = fill, .own = state};
}

static void take(void *state, const xa_subject *s, int64_t draw, const xa_reply *a)
{
    ablated *m = state;
    (void)s;
    m->weight[draw] = m->score == 0.0 ? 0.0 : (m->score - a->score) / fabs(m->score);
}

static void finish(void *state, const xa_subject *s, void *result)
{
    const ablated *m = state;
    (void)s;
    xa__channels_map(m->spec, &m->c, m->weight, ((const xa_explained *)result)->map);
}

static const xa_consumer consumer = {
    .asks = asks, .state_bytes = state_bytes, .plan = plan, .read = take, .finish = finish};

const xa_explainer_def xa_explainer_ablationcam = {
    .name = "ablationcam",
    .reference = "Desai, Ramaswamy: Ablation-CAM, WACV 2020, doi:10.1109/WACV45572.2020.9093360",
    .needs = XA_NEEDS_LAYER | XA_NEEDS_LAYER_GRADIENT,
    .settings = XA__HAS(TOP_CHANNELS),
    .consumer = &consumer};
