/* Integrated gradients. Sundararajan, Taly, Yan 2017, equation 1, by a rule of n points t_k with
 * weights w_k that add up to 1:
 *   a = (x - x0) * sum_k w_k dS/dx (x0 + t_k (x - x0)),   sum a = S(x) - S(x0) in the limit. */
#include <math.h>
#include <string.h>

#include "explain_internal.h"

typedef struct path {
    const xa_explainer_spec *spec;
    double score, base; /* S(x), S(x0) */
    double *t, *weight; /* [steps] */
    double *sum;        /* [H,W,C]; while x0 is made: its scratch */
    float *x0;          /* [H,W,C] */
} path;

static size_t sum_doubles(const xa_shape *input)
{
    const size_t n = (size_t)xa_shape_count(input), scratch = xa_base_scratch(input);
    return n > scratch ? n : scratch;
}

static size_t state_bytes(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    const size_t steps = (size_t)((const xa_explainer_spec *)spec)->steps;
    (void)layer;
    return sizeof(path) + (2 * steps + sum_doubles(input)) * sizeof(double) +
           (size_t)xa_shape_count(input) * sizeof(float);
}

/* The points, and last x0 itself, for completeness. */
static xa_asks asks(const void *spec, const xa_shape *input, const xa_shape *layer)
{
    const int64_t steps = ((const xa_explainer_spec *)spec)->steps;
    (void)input;
    (void)layer;
    return (xa_asks){.draws = steps + 1, .gradients = steps};
}

void xa__quadrature(xa_quadrature rule, int n, double *t, double *weight)
{
    const double pi = 3.141592653589793;
    for (int k = 0; k < n; k++) {
        t[k] = ((double)k + 0.5) / (double)n;
        weight[k] = 1.0 / (double)n;
    }
    if (rule == XA_QUADRATURE_TRAPEZOID && n > 1)
        for (int k = 0; k < n; k++) {
            t[k] = (double)k / (double)(n - 1);
            weight[k] = (k == 0 || k == n - 1 ? 0.5 : 1.0) / (double)(n - 1);
        }
    /* Legendre's polynomial of degree n at its root z, by Newton's method: Abramowitz and Stegun,
     * 25.4.29; [-1,1] becomes [0,1]. */
    for (int k = 0; rule == XA_QUADRATURE_GAUSS && k < n; k++) {
        double z = -cos(pi * ((double)k + 0.75) / ((double)n + 0.5)), slope = 1.0;
        for (int round = 0; round < 100; round++) {
            double p = z, before = 1.0;
            for (int j = 2; j <= n; j++) {
                const double next = ((2.0 * j - 1.0) * z * p - (j - 1.0) * before) / j;
                before = p;
                p = next;
            }
            slope = (double)n * (z * p - before) / (z * z - 1.0);
            const double step = n == 1 ? z : p / slope;
            z -= step;
            if (fabs(step) < 1e-15)
                break;
        }
        t[k] = n == 1 ? 0.5 : 0.5 * (z + 1.0);
        weight[k] = n == 1 ? 1.0 : 1.0 / ((1.0 - z * z) * slope * slope);
    }
}

static void fill(void *state, const xa_subject *s, int64_t draw, float *x)
{
    const path *p = state;
    const int64_t n = xa_shape_count(&s->shape);
    const double t = draw < p->spec->steps ? p->t[draw] : 0.0;
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)((double)p->x0[i] + t * ((double)s->x[i] - (double)p->x0[i]));
}

static void plan(const void *spec,
                 const xa_subject *s,
                 const xa_reply *clean,
                 const xa_explain_view *v,
                 void *state,
                 xa_recipe *recipe)
{
    const xa_explainer_spec *ex = spec;
    path *p = state;
    (void)v;
    p->spec = ex;
    p->score = clean->score;
    p->t = (double *)(p + 1);
    p->weight = p->t + ex->steps;
    p->sum = p->weight + ex->steps;
    p->x0 = (float *)(p->sum + sum_doubles(&s->shape));
    xa__quadrature(ex->quadrature, ex->steps, p->t, p->weight);
    xa_base_fill(ex->baseline, &s->shape, s->x, s->black, s->white, s->seed, 0, p->sum, p->x0);
    memset(p->sum, 0, sum_doubles(&s->shape) * sizeof(double));
    *recipe = (xa_recipe){.fill = fill, .key = {ex->steps, ex->quadrature, ex->baseline}};
}

static void take(void *state, const xa_subject *s, int64_t draw, const xa_reply *a)
{
    path *p = state;
    const int64_t n = xa_shape_count(&s->shape);
    if (draw == p->spec->steps) {
        p->base = a->score;
        return;
    }
    for (int64_t i = 0; i < n; i++)
        p->sum[i] += p->weight[draw] * (double)a->gradient[i];
}

static void finish(void *state, const xa_subject *s, void *result)
{
    path *p = state;
    const xa_explained *out = result;
    const int64_t n = xa_shape_count(&s->shape);
    double total = 0.0;
    for (int64_t i = 0; i < n; i++) {
        p->sum[i] *= (double)s->x[i] - (double)p->x0[i];
        total += p->sum[i];
        p->x0[i] = (float)p->sum[i]; /* x0 is not needed any more */
    }
    xa__map_of_channels(p->spec, &s->shape, p->x0, NULL, out->map);
    out->facts->score = p->score;
    out->facts->base = p->base;
    out->facts->completeness = total - (p->score - p->base);
}

static const xa_consumer consumer = {
    .asks = asks, .state_bytes = state_bytes, .plan = plan, .read = take, .finish = finish};

const xa_explainer_def xa_explainer_integrated_gradients = {
    .name = "integrated_gradients",
    .reference = "Sundararajan et al.: Axiomatic attribution for deep networks, ICML 2017",
    .settings = XA__HAS(STEPS) | XA__HAS(QUADRATURE) | XA__HAS(BASELINE) | XA__HAS(CHANNELS) |
                XA__HAS(ABSOLUTE),
    .channels = XA_REDUCE_NONE,
    .baseline = XA_BASE_BLACK,
    .keeps = XA_KEEPS_COMPLETENESS,
    .consumer = &consumer};
