/* group_norm of x [P,G,K]: each group over its P*K elements, y = (x - mean)/sqrt(variance +
 * epsilon)*gamma[g] + beta[g] (Wu and He 2018; one channel a group: Ulyanov et al. 2016). Keeps its
 * input, and mean and reciprocal root of each group. Sums in double, in the order of memory. With h
 * = (x - mean)*r and d = dy*gamma: dx = r*(d - mean(d) - h*mean(d*h)). */
#include "tile.h"

#include <math.h>
#include <string.h>

typedef struct extents {
    int64_t p, g, k;
} extents;

static extents extents_of(const xa_node *node)
{
    return (extents){node->shape.dim[0], node->shape.dim[1], node->shape.dim[2]};
}

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const float epsilon = node->params.group_norm.epsilon;
    XA_RETURN_TRY(err, xa_check_ndim(g, node, 0, 3, err));
    node->shape = *xa_input_shape(g, node, 0);
    if (!(epsilon >= 0.0f && isfinite(epsilon)))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (group_norm): epsilon is %g, expected a number from 0 up",
                       node->name,
                       (double)epsilon);
    const xa_shape want = {.ndim = 1, .dim = {node->shape.dim[1]}};
    XA_RETURN_TRY(err, xa_check_weight(g, node, 0, true, &want, err));
    return xa_check_weight(g, node, 1, true, &want, err);
}

static unsigned saves(const xa_node *node)
{
    (void)node;
    return XA_SAVES_INPUTS;
}

/* mean and reciprocal root of each group of each sample */
static size_t state_bytes(const xa_graph *g, const xa_node *node, int64_t n)
{
    (void)g;
    return (size_t)(n * node->shape.dim[1]) * 2 * sizeof(double);
}

static size_t scratch_bytes(const xa_graph *g, const xa_node *node, int64_t n)
{
    (void)g;
    (void)n;
    return (size_t)node->shape.dim[1] * 2 * sizeof(double);
}

static size_t half(const xa_node *node)
{
    return xa_align_up((size_t)node->shape.dim[1] * sizeof(float), XA_ALIGN);
}

static size_t packed_bytes(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return 2 * half(node);
}

static void
pack(const xa_graph *g, const xa_node *node, const float *const *w, const xa_fold *fold, void *dst)
{
    float *gamma = dst, *beta = gamma + half(node) / sizeof(float);
    (void)g;
    (void)fold;
    for (int64_t i = 0; i < node->shape.dim[1]; i++) {
        gamma[i] = node->nweights > 0 && w[0] ? w[0][i] : 1.0f;
        beta[i] = node->nweights > 1 && w[1] ? w[1][i] : 0.0f;
    }
}

/* Means of all groups into stats[g], reciprocal roots into stats[G + g]. */
static void statistics(const xa_op_call *c, const extents *e, const float *x, double *stats)
{
    double *mean = stats, *root = stats + e->g;
    const double count = (double)(e->p * e->k);
    const int64_t row = e->g * e->k;
    memset(stats, 0, (size_t)e->g * 2 * sizeof *stats);
    for (int64_t p = 0; p < e->p; p++)
        for (int64_t g = 0; g < e->g; g++)
            for (int64_t k = 0; k < e->k; k++)
                mean[g] += (double)x[p * row + g * e->k + k];
    for (int64_t g = 0; g < e->g; g++)
        mean[g] /= count;
    xa_tick_now(c->tick);
    for (int64_t p = 0; p < e->p; p++)
        for (int64_t g = 0; g < e->g; g++)
            for (int64_t k = 0; k < e->k; k++) {
                const double d = (double)x[p * row + g * e->k + k] - mean[g];
                root[g] += d * d;
            }
    for (int64_t g = 0; g < e->g; g++)
        root[g] = 1.0 / sqrt(root[g] / count + (double)c->node->params.group_norm.epsilon);
    xa_tick_now(c->tick);
}

static void forward(const xa_op_call *c)
{
    const extents e = extents_of(c->node);
    const int64_t count = e.p * e.g * e.k;
    const float *gamma = c->weights, *beta = gamma + half(c->node) / sizeof(float);
    for (int64_t i = 0; i < c->n; i++) {
        const float *x = c->x[0] + i * count;
        float *y = c->y + i * count;
        double *stats = c->state ? (double *)c->state + i * 2 * e.g : c->scratch;
        const double *mean = stats, *root = stats + e.g;
        statistics(c, &e, x, stats);
        for (int64_t p = 0; p < e.p; p++)
            for (int64_t g = 0; g < e.g; g++)
                for (int64_t k = 0; k < e.k; k++, x++, y++)
                    *y = (float)(((double)*x - mean[g]) * root[g] * (double)gamma[g] +
                                 (double)beta[g]);
        xa_tick_now(c->tick);
    }
}

static void backward(const xa_op_call *c)
{
    const extents e = extents_of(c->node);
    const int64_t count = e.p * e.g * e.k, row = e.g * e.k;
    const double size = (double)(e.p * e.k);
    const float *gamma = c->weights;
    double *sum = c->scratch, *along = sum + e.g; /* of dy, and of dy*h */
    for (int64_t i = 0; i < c->n; i++) {
        const float *x = c->x[0] + i * count, *dy = c->dy + i * count;
        float *dx = c->dx + i * count;
        const double *mean = (const double *)c->state + i * 2 * e.g, *root = mean + e.g;
        memset(sum, 0, (size_t)e.g * 2 * sizeof *sum);
        for (int64_t p = 0; p < e.p; p++)
            for (int64_t g = 0; g < e.g; g++)
                for (int64_t k = 0; k < e.k; k++) {
                    const int64_t at = p * row + g * e.k + k;
                    sum[g] += (double)dy[at];
                    along[g] += (double)dy[at] * ((double)x[at] - mean[g]) * root[g];
                }
        xa_tick_now(c->tick);
        for (int64_t p = 0; p < e.p; p++)
            for (int64_t g = 0; g < e.g; g++)
                for (int64_t k = 0; k < e.k; k++) {
                    const int64_t at = p * row + g * e.k + k;
                    const double h = ((double)x[at] - mean[g]) * root[g];
                    const double moved = c->rules == XA_RULES_GRADIENT ? h * along[g] / size : 0.0;
                    dx[at] = (float)(root[g] * (double)gamma[g] *
                                     ((double)dy[at] - sum[g] / size - moved));
                }
        xa_tick_now(c->tick);
    }
}

static double flops(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return 8.0 * (double)xa_shape_count(&node->shape);
}

const xa_op_def xa_op_group_norm = {.name = "group_norm",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .infer = infer,
                                    .saves = saves,
                                    .state_bytes = state_bytes,
                                    .scratch_bytes = scratch_bytes,
                                    .packed_bytes = packed_bytes,
                                    .pack = pack,
                                    .forward = forward,
                                    .backward = backward,
                                    .flops = flops};
