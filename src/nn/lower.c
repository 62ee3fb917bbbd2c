/* Lowering: from operators to steps. Drops what nobody needs, folds AFFINE nodes (batch
 * normalisation) into the weights before them, and fuses additions and ReLUs into the epilogue of
 * the step that produces their input, and pairs depthwise with pointwise convolutions. Nothing is
 * folded or fused across an exposed node, or where a value has a second consumer. Looks at the
 * graph and the exposed set only, so that the weights blob depends on nothing else.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/separable.h"
#include "plan_internal.h"

static void find_live(xa_plan *p)
{
    for (int i = 0; i < p->nnodes; i++)
        p->live[i] = p->exposed[i];
    for (int i = p->nnodes - 1; i >= 0; i--) {
        const xa_node *node = xa_graph_node(p->graph, i);
        if (!p->live[i])
            continue;
        for (int k = 0; k < node->ninputs; k++) {
            p->live[node->inputs[k]] = true;
            p->uses[node->inputs[k]]++;
        }
    }
}

/* The step that produces node `id` as its output, if something may still be joined to it. */
static xa_step *joinable(xa_plan *p, const int *producer, int id)
{
    if (producer[id] < 0 || p->exposed[id] || p->uses[id] != 1)
        return NULL;
    xa_step *s = &p->steps[producer[id]];
    return s->out == id ? s : NULL;
}

static bool is_per_channel(const xa_plan *p, const xa_node *affine, int64_t channels)
{
    for (int i = 0; i < affine->nweights; i++) {
        if (affine->weights[i] < 0)
            continue;
        const int64_t n = xa_shape_count(&xa_graph_weight(p->graph, affine->weights[i])->shape);
        if (n != 1 && n != channels)
            return false;
    }
    return true;
}

static bool fold_affine(xa_plan *p, const int *producer, int id, xa_err *err, xa_status *st)
{
    const xa_node *node = xa_graph_node(p->graph, id);
    xa_step *s = joinable(p, producer, node->inputs[0]);
    if (!s || !(s->op->flags & XA_OP_FOLDS) || s->has_act || s->residual >= 0 ||
        !is_per_channel(p, node, xa_shape_last(&node->shape)))
        return false;
    /* folds of a step lie together: only the newest step may still grow, earlier ones keep their
     * list
     */
    if (s->nfolds && s->folds_at + s->nfolds != (int)p->nfolds)
        return false;
    *st = xa_grow(&p->folds, &p->fold_cap, p->nfolds + 1, sizeof(int), err);
    if (*st != XA_OK)
        return false;
    if (!s->nfolds)
        s->folds_at = (int)p->nfolds;
    p->folds[p->nfolds++] = id;
    s->nfolds++;
    s->out = id;
    return true;
}

/* One bit distinguishes two derivatives, not three: a slope and 1, or 0 and 1. */
static bool one_bit(const xa_activation *a)
{
    return a->kind == XA_ACT_RELU && (a->a == 0.0f || isinf(a->b));
}

static bool fuse_activation(xa_plan *p, const int *producer, int id)
{
    const xa_node *node = xa_graph_node(p->graph, id);
    xa_step *s = joinable(p, producer, node->inputs[0]);
    if (!s || !(s->op->flags & XA_OP_EPILOGUE) || s->has_act || !one_bit(&node->params.activation))
        return false;
    s->has_act = true;
    s->act = node->params.activation;
    s->out = id;
    p->fused++;
    return true;
}

/* The later of the two producers takes the addition: then the other value exists already. */
static bool fuse_addition(xa_plan *p, const int *producer, int id)
{
    const xa_node *node = xa_graph_node(p->graph, id);
    if (node->ninputs != 2)
        return false;
    const int a = node->inputs[0], b = node->inputs[1];
    const int late = producer[a] > producer[b] ? a : b, early = late == a ? b : a;
    xa_step *s = joinable(p, producer, late);
    if (a == b || !s || !(s->op->flags & XA_OP_EPILOGUE) || s->has_act || s->residual >= 0 ||
        !xa_shape_equal(&xa_graph_node(p->graph, a)->shape, &xa_graph_node(p->graph, b)->shape))
        return false;
    s->residual = early;
    s->out = id;
    p->fused++;
    return true;
}

/* Depthwise steps whose output only a pointwise convolution reads. */
static void pair_separable(xa_plan *p, const int *producer)
{
    for (int i = 0; i < p->nsteps; i++) {
        xa_step *s = &p->steps[i];
        const xa_node *node = xa_graph_node(p->graph, s->node);
        if (node->ninputs != 1)
            continue;
        xa_step *front = joinable(p, producer, node->inputs[0]);
        if (!front || front->residual >= 0 ||
            !xa_separable_fits(p->graph, xa_graph_node(p->graph, front->node), node))
            continue;
        s->front = (int)(front - p->steps);
        front->within = i;
        p->fused++;
    }
}

xa_status xa_plan_lower(xa_plan *p, xa_err *err)
{
    xa_status st = XA_OK;
    int *producer = xa_alloc((size_t)p->nnodes + 1, sizeof(int));
    p->steps = xa_alloc((size_t)p->nnodes + 1, sizeof(xa_step));
    if (!producer || !p->steps)
        XA_FAIL(err, XA_NOMEM, "plan: out of memory");
    find_live(p);
    for (int i = 0; i < p->nnodes; i++) {
        const xa_node *node = xa_graph_node(p->graph, i);
        bool joined = false;
        producer[i] = -1;
        if (!p->live[i] || node->op == XA_OP_INPUT)
            continue;
        if (node->op == XA_OP_AFFINE)
            joined = fold_affine(p, producer, i, err, &st);
        else if (node->op == XA_OP_ACTIVATION)
            joined = fuse_activation(p, producer, i);
        else if (node->op == XA_OP_ADD)
            joined = fuse_addition(p, producer, i);
        if (st != XA_OK)
            goto done;
        if (joined) {
            /* the producer of the joined input now produces this node */
            for (int k = 0; k < node->ninputs; k++) {
                const int step = producer[node->inputs[k]];
                if (step >= 0 && p->steps[step].out == i)
                    producer[i] = step;
            }
            continue;
        }
        p->steps[p->nsteps] = (xa_step){.node = i,
                                        .out = i,
                                        .op = xa_op_get(node->op),
                                        .residual = -1,
                                        .within = -1,
                                        .front = -1,
                                        .state = -1,
                                        .bits = -1,
                                        .scratch = -1};
        producer[i] = p->nsteps++;
    }
    pair_separable(p, producer);
    for (int i = 0; i < p->nsteps; i++) {
        xa_step *s = &p->steps[i];
        s->weights_at = p->weight_bytes;
        if (s->op->packed_bytes)
            p->weight_bytes += xa_align_up(
                s->op->packed_bytes(p->graph, xa_graph_node(p->graph, s->node)), XA_ALIGN);
    }
done:
    free(producer);
    return st;
}

xa_status xa_affine_compose(const xa_graph *g,
                            const xa_node *node,
                            const xa_weight_reader *reader,
                            xa_fold *fold,
                            xa_err *err)
{
    /* gamma, beta, mean, variance: their neutral values where absent */
    static const double neutral[4] = {1.0, 0.0, 0.0, 1.0};
    float *w[4] = {NULL, NULL, NULL, NULL};
    int64_t n[4] = {0, 0, 0, 0};
    xa_status st = XA_OK;
    for (int i = 0; i < node->nweights; i++) {
        if (node->weights[i] < 0)
            continue;
        const xa_weight *weight = xa_graph_weight(g, node->weights[i]);
        n[i] = xa_shape_count(&weight->shape);
        w[i] = xa_alloc((size_t)n[i], sizeof(float));
        if (!w[i])
            XA_FAIL(err, XA_NOMEM, "plan: out of memory");
        if (weight->literal)
            memcpy(w[i], weight->literal, (size_t)n[i] * sizeof(float));
        else
            XA_TRY(err, reader->read(reader->arg, weight, w[i], err));
    }
    for (int64_t c = 0; c < fold->channels; c++) {
        double v[4];
        for (int i = 0; i < 4; i++)
            v[i] = w[i] ? (double)w[i][n[i] == 1 ? 0 : c] : neutral[i];
        double deviation = 1.0;
        if (w[3]) {
            deviation = sqrt(v[3] + (double)node->params.affine.epsilon);
            if (deviation < (double)node->params.affine.floor)
                deviation = (double)node->params.affine.floor;
        }
        const double a = v[0] / deviation, b = v[1] - v[2] * a;
        fold->shift[c] = fold->shift[c] * a + b;
        fold->scale[c] *= a;
    }
done:
    for (int i = 0; i < 4; i++)
        free(w[i]);
    return st;
}
