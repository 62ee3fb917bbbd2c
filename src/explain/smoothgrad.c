/* SmoothGrad. Smilkov et al. 2017, with g_d = dS/dx at x + s n_d of standard normal noise n_d and
 * s = sigma (max x - min x): the mean of g_d; its square, the mean of g_d^2 (Hooker et al., A
 * benchmark for interpretability methods, NeurIPS 2019); VarGrad, the population variance of g_d
 * (Adebayo et al. 2018), by Welford's recurrence. The class is that of the clean image. */
#include <math.h>

#include "explain_internal.h"

typedef struct smooth {
    const xa_explainer_spec *spec;
    double size;            /* s */
    double *mean, *squares; /* [H,W,C]; squares: of variance alone */
    float *values;          /* [H,W,C] at the end */
} smooth;

static bool varies(const xa_explainer_spec *spec)
{
    return spec->statistic == XA_STATISTIC_VARIANCE;
}

static size_t state_bytes(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    (void)layer;
    return sizeof(smooth) + (size_t)xa_shape_count(input) *
                                (sizeof(double) * (varies(spec) ? 2 : 1) + sizeof(float));
}

static xa_asks asks(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    const int64_t draws = ((const xa_explainer_spec *)spec)->draws;
    (void)input;
    (void)layer;
    return (xa_asks){.draws = draws, .gradients = draws};
}

static void fill(void *state, const xa_subject *s, int64_t draw, float *x)
{
    const smooth *m = state;
    const int64_t n = xa_shape_count(&s->shape);
    xa_random_normal(s->seed, xa_random_stream(XA_PURPOSE_SMOOTH, (uint32_t)draw), n, x);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)((double)s->x[i] + m->size * (double)x[i]);
}

static void plan(const void *spec,
                 const xa_subject *s,
                 const xa_reply *clean,
                 const xa_explain_view *v,
                 void *state,
                 xa_recipe *recipe)
{
    smooth *m = state;
    const int64_t n = xa_shape_count(&s->shape);
    float low = s->x[0], high = s->x[0];
    (void)clean;
    (void)v;
    for (int64_t i = 1; i < n; i++) {
        low = s->x[i] < low ? s->x[i] : low;
        high = s->x[i] > high ? s->x[i] : high;
    }
    m->spec = spec;
    m->size = m->spec->sigma * ((double)high - (double)low);
    m->mean = (double *)(m + 1);
    m->squares = m->mean + n;
    m->values = (float *)(m->mean + n * (varies(spec) ? 2 : 1));
    *recipe = (xa_recipe){.fill = fill, .key = {m->spec->sigma}};
}

static void take(void *state, const xa_subject *s, int64_t draw, const xa_reply *a)
{
    smooth *m = state;
    const int64_t n = xa_shape_count(&s->shape);
    const double share = 1.0 / (double)(draw + 1);
    if (m->spec->statistic == XA_STATISTIC_MEAN)
        for (int64_t i = 0; i < n; i++)
            m->mean[i] += (double)a->gradient[i];
    else if (m->spec->statistic == XA_STATISTIC_SQUARED)
        for (int64_t i = 0; i < n; i++)
            m->mean[i] += (double)a->gradient[i] * (double)a->gradient[i];
    else
        for (int64_t i = 0; i < n; i++) {
            const double g = (double)a->gradient[i], d = g - m->mean[i];
            m->mean[i] += d * share;
            m->squares[i] += d * (g - m->mean[i]);
        }
}

static void finish(void *state, const xa_subject *s, void *result)
{
    smooth *m = state;
    const xa_explained *out = result;
    const int64_t n = xa_shape_count(&s->shape);
    const double *sum = varies(m->spec) ? m->squares : m->mean;
    for (int64_t i = 0; i < n; i++)
        m->values[i] = (float)(sum[i] / (double)m->spec->draws);
    xa__map_of_channels(m->spec, &s->shape, m->values, NULL, out->map);
}

static const xa_consumer consumer = {
    .asks = asks, .state_bytes = state_bytes, .plan = plan, .read = take, .finish = finish};

const xa_explainer_def xa_explainer_smoothgrad = {
    .name = "smoothgrad",
    .reference = "Smilkov et al.: SmoothGrad, arXiv:1706.03825, 2017",
    .settings = XA__HAS(DRAWS) | XA__HAS(SIGMA) | XA__HAS(STATISTIC) | XA__HAS(CHANNELS) |
                XA__HAS(ABSOLUTE),
    .channels = XA_REDUCE_NONE,
    .draws = 25,
    .consumer = &consumer};
