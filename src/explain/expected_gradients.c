/* Expected gradients. Erion et al. 2021, equation 3, by n draws of a reference r_d (another image
 * of the data set) and a point t_d of the path from it, uniform on [0,1): a = mean_d (x - r_d)
 * dS/dx (r_d + t_d (x - r_d)), sum a = S(x) - mean_d S(r_d) in expectation. */
#include <math.h>

#include "explain_internal.h"

typedef struct expected {
    const xa_explainer_spec *spec;
    double score, base; /* S(x), sum of S(r_d) */
    bool failed;        /* a reference cannot be read */
    double *sum;        /* [H,W,C] */
    float *values;      /* [H,W,C] at the end */
} expected;

static size_t state_bytes(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    (void)spec;
    (void)layer;
    return sizeof(expected) + (size_t)xa_shape_count(input) * (sizeof(double) + sizeof(float));
}

/* The points of the paths, then their references, for completeness. */
static xa_asks asks(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    const int64_t draws = ((const xa_explainer_spec *)spec)->draws;
    (void)input;
    (void)layer;
    return (xa_asks){.draws = 2 * draws, .gradients = draws};
}

enum { WHICH, WHERE }; /* counters */

/* Any reference but the image itself; NULL: it cannot be read. */
static const float *reference(const xa_subject *s, int64_t draw)
{
    const uint64_t stream = xa_random_stream(XA_PURPOSE_EXPECTED, (uint32_t)draw);
    const xa_references *r = s->references;
    if (!r || r->count - (s->self >= 0) < 1)
        return NULL;
    const int64_t k = xa_random_below(s->seed, stream, WHICH, r->count - (s->self >= 0));
    return r->read(r->arg, s, s->self >= 0 && k >= s->self ? k + 1 : k);
}

static void fill(void *state, const xa_subject *s, int64_t draw, float *x)
{
    expected *m = state;
    const int64_t n = xa_shape_count(&s->shape), d = draw % m->spec->draws;
    const uint64_t stream = xa_random_stream(XA_PURPOSE_EXPECTED, (uint32_t)d);
    const double t = draw < m->spec->draws ? xa_random_unit(s->seed, stream, WHERE) : 0.0;
    const float *r = reference(s, d);
    for (int64_t i = 0; i < n; i++)
        x[i] = r ? (float)((double)r[i] + t * ((double)s->x[i] - (double)r[i])) : 0.0f;
}

static void plan(const void *spec,
                 const xa_subject *s,
                 const xa_reply *clean,
                 const xa_explain_view *v,
                 void *state,
                 xa_recipe *recipe)
{
    expected *m = state;
    (void)v;
    m->spec = spec;
    m->score = clean->score;
    m->sum = (double *)(m + 1);
    m->values = (float *)(m->sum + xa_shape_count(&s->shape));
    *recipe = (xa_recipe){.fill = fill, .key = {m->spec->draws}};
}

static void take(void *state, const xa_subject *s, int64_t draw, const xa_reply *a)
{
    expected *m = state;
    const int64_t n = xa_shape_count(&s->shape);
    if (draw >= m->spec->draws) {
        m->base += a->score;
        return;
    }
    const float *r = reference(s, draw);
    m->failed = m->failed || !r;
    for (int64_t i = 0; i < n && r; i++)
        m->sum[i] += ((double)s->x[i] - (double)r[i]) * (double)a->gradient[i];
}

static void finish(void *state, const xa_subject *s, void *result)
{
    expected *m = state;
    const xa_explained *out = result;
    const int64_t n = xa_shape_count(&s->shape);
    double total = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double a = m->failed ? NAN : m->sum[i] / (double)m->spec->draws;
        total += a;
        m->values[i] = (float)a;
    }
    xa__map_of_channels(m->spec, &s->shape, m->values, NULL, out->map);
    out->facts->score = m->score;
    out->facts->base = m->failed ? NAN : m->base / (double)m->spec->draws;
    out->facts->completeness = total - (m->score - out->facts->base);
}

static const xa_consumer consumer = {
    .asks = asks, .state_bytes = state_bytes, .plan = plan, .read = take, .finish = finish};

const xa_explainer_def xa_explainer_expected_gradients = {
    .name = "expected_gradients",
    .reference = "Erion et al.: Improving performance of deep learning models with axiomatic "
                 "attribution priors and expected gradients, Nature Machine Intelligence 3, 2021",
    .settings = XA__HAS(DRAWS) | XA__HAS(CHANNELS) | XA__HAS(ABSOLUTE),
    .channels = XA_REDUCE_NONE,
    .keeps = XA_KEEPS_COMPLETENESS,
    .draws = 64,
    .needs_references = true,
    .consumer = &consumer};
