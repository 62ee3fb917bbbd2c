/* The run: two loops over the plan. Nothing is allocated and nothing can fail. */
#include <string.h>

#include "ops/separable.h"
#include "plan_internal.h"

static void *place(const xa_run *r, int storage)
{
    if (storage < 0)
        return NULL;
    return r->arena + r->plan->storages[xa_storage_root(r->plan, storage)].offset;
}

void xa_run_init(xa_run *r, const xa_plan *p, const void *blob, void *arena, const xa_tick *tick)
{
    *r = (xa_run){.plan = p, .weights = blob, .arena = arena};
    if (tick)
        r->tick = *tick;
}

float *xa_run_input(const xa_run *r)
{
    return place(r, r->plan->value[r->plan->input]);
}

/* Inputs of a step; the graph admits at most XA_OPERANDS of them. */
static void operands(const xa_run *r, const xa_step *s, const float **x, xa_shape *xs)
{
    const xa_node *node = xa_graph_node(r->plan->graph, s->node);
    for (int k = 0; k < node->ninputs; k++) {
        x[k] = place(r, r->plan->value[node->inputs[k]]);
        xs[k] = xa_graph_node(r->plan->graph, node->inputs[k])->shape;
    }
}

static xa_op_call common_call(const xa_run *r, const xa_step *s)
{
    const xa_plan *p = r->plan;
    return (xa_op_call){.graph = p->graph,
                        .node = xa_graph_node(p->graph, s->node),
                        .id = xa_plan_outer(p, s->node),
                        .k = p->kernels,
                        .n = p->batch,
                        .y = place(r, p->value[s->out]),
                        .weights = r->weights + s->weights_at,
                        .state = place(r, s->state),
                        .act = s->act,
                        .bits = place(r, s->bits),
                        .rounded = p->rounded_at ? r->arena + p->rounded_at : NULL,
                        .tick = &r->tick};
}

/* ---- sink and profile ---- */

static double count_of(const xa_plan *p, int node)
{
    return (double)xa_shape_count(&xa_graph_node(p->graph, node)->shape);
}

/* Operands and result in single precision; weights are read once a batch. */
static double weight_bytes_of(const xa_plan *p, int i)
{
    const size_t next = i + 1 < p->nsteps ? p->steps[i + 1].weights_at : p->weight_bytes;
    return (double)(next - p->steps[i].weights_at);
}

static double bytes_of(const xa_plan *p, int i)
{
    const xa_step *s = &p->steps[i];
    const xa_node *node =
        xa_graph_node(p->graph, s->front >= 0 ? p->steps[s->front].node : s->node);
    double values = count_of(p, s->out);
    for (int k = 0; k < node->ninputs; k++)
        values += count_of(p, node->inputs[k]);
    if (s->residual >= 0)
        values += count_of(p, s->residual);
    return 4.0 * values * (double)p->batch + weight_bytes_of(p, i) +
           (s->front >= 0 ? weight_bytes_of(p, s->front) : 0.0);
}

static void tell_forward(const xa_run *r, int i, double start)
{
    const xa_plan *p = r->plan;
    const xa_step *s = &p->steps[i];
    const xa_work w = {.kind = XA_WORK_FORWARD,
                       .node = xa_plan_outer(p, s->node),
                       .reach = -1,
                       .separable = s->front >= 0,
                       .flops = xa_step_flops(p, s) * (double)p->batch,
                       .bytes = bytes_of(p, i),
                       .seconds = xa_time() - start};
    r->profile.took(r->profile.arg, &w);
}

static void tell_backward(const xa_run *r, int reach, const xa_instr *in, double start)
{
    const xa_plan *p = r->plan;
    xa_work w = {.reach = reach, .node = -1, .kind = XA_WORK_ADD, .seconds = xa_time() - start};
    if (in->kind == XA_INSTR_ADD) {
        w.flops = (double)(in->count * p->batch);
        w.bytes = 12.0 * w.flops;
    } else if (in->kind == XA_INSTR_MASK) {
        w.kind = XA_WORK_MASK;
        w.node = xa_plan_outer(p, p->steps[in->step].out);
        w.flops = count_of(p, p->steps[in->step].out) * (double)p->batch;
        w.bytes = 8.125 * w.flops;
    } else {
        const xa_step *s = &p->steps[in->step];
        w.kind = XA_WORK_BACKWARD;
        w.node = xa_plan_outer(p, s->node);
        w.separable = s->front >= 0;
        w.flops = xa_step_flops(p, s) * (s->op->flags & XA_OP_JOINT ? 2.5 : 1.0) * (double)p->batch;
        w.bytes = bytes_of(p, in->step);
    }
    r->profile.took(r->profile.arg, &w);
}

static void forward_from(xa_run *r, int first)
{
    const xa_plan *p = r->plan;
    const float *x[XA_OPERANDS];
    xa_shape xs[XA_OPERANDS];
    for (int i = first; i < p->nsteps; i++) {
        const xa_step *s = &p->steps[i];
        if ((s->op->flags & XA_OP_VIEW) || s->within >= 0)
            continue;
        operands(r, s, x, xs);
        xa_op_call c = common_call(r, s);
        c.x = x;
        c.xs = xs;
        c.scratch = place(r, s->scratch);
        c.residual = s->residual >= 0 ? place(r, p->value[s->residual]) : NULL;
        c.sink = r->sink.take ? &r->sink : NULL;
        const double start = r->profile.took ? xa_time() : 0.0;
        if (s->front >= 0) {
            const xa_step *front = &p->steps[s->front];
            operands(r, front, x, xs);
            xa_op_call d = common_call(r, front);
            d.x = x;
            d.xs = xs;
            xa_separable_forward(&d, &c);
        } else
            s->op->forward(&c);
        if (r->profile.took)
            tell_forward(r, i, start);
        xa_tick_now(&r->tick);
    }
}

void xa_run_forward(xa_run *r)
{
    forward_from(r, 0);
}

float *xa_run_layer(const xa_run *r, int node)
{
    return place(r, r->plan->value[xa_plan_inner(r->plan, node)]);
}

void xa_run_forward_from(xa_run *r, int node)
{
    const int inner = xa_plan_inner(r->plan, node);
    int first = r->plan->nsteps;
    while (first > 0 && r->plan->steps[first - 1].out != inner)
        first--;
    forward_from(r, first);
}

const float *xa_run_value(const xa_run *r, int node)
{
    return xa_run_layer(r, node);
}

/* The gradient of a node, as much of it as its operator's rule gives on. */
static void share(const xa_run *r, int storage, int node, float part)
{
    float *g = place(r, storage);
    const int64_t n = r->plan->batch * xa_shape_count(&xa_graph_node(r->plan->graph, node)->shape);
    for (int64_t i = 0; g && part != 1.0f && i < n; i++)
        g[i] *= part;
}

static void execute(xa_run *r, const xa_instr *in)
{
    const xa_plan *p = r->plan;
    const float *x[XA_OPERANDS];
    xa_shape xs[XA_OPERANDS];
    if (in->kind == XA_INSTR_ADD) {
        p->kernels->add(p->batch * in->count, place(r, in->a), place(r, in->b), place(r, in->dst));
        return;
    }
    const xa_step *s = &p->steps[in->step];
    if (in->kind == XA_INSTR_MASK) {
        const xa_shape *shape = &xa_graph_node(p->graph, s->out)->shape;
        const int64_t c = xa_shape_last(shape);
        p->kernels->mask(p->batch * (xa_shape_count(shape) / c),
                         c,
                         place(r, in->a),
                         place(r, s->bits),
                         s->act.a,
                         place(r, in->dst));
        return;
    }
    operands(r, s, x, xs);
    xa_op_call c = common_call(r, s);
    c.x = x;
    c.xs = xs;
    c.scratch = place(r, in->scratch);
    c.bits = in->masks ? c.bits : NULL;
    c.dy = place(r, in->a);
    c.dx = place(r, in->dst);
    c.which = in->which;
    c.rules = in->rules;
    float *dxs[XA_JOINT];
    if (s->op->flags & XA_OP_JOINT) {
        for (int k = 0; k < XA_JOINT; k++)
            dxs[k] = place(r, in->joint[k]);
        c.dxs = dxs;
    }
    c.sink = in->shows && r->sink.take ? &r->sink : NULL;
    if (s->front >= 0) {
        xa_op_call d = common_call(r, &p->steps[s->front]);
        d.dx = c.dx;
        xa_separable_backward(&d, &c);
    } else
        s->op->backward(&c);
    const int *inputs = xa__step_reads(p, s)->inputs;
    if (!(s->op->flags & XA_OP_JOINT))
        share(r, in->dst, inputs[in->which], in->share[0]);
    for (int k = 0; (s->op->flags & XA_OP_JOINT) && k < XA_JOINT; k++)
        share(r, in->joint[k], inputs[k], in->share[k]);
}

void xa_run_backward(xa_run *r, int reach, const float *seed)
{
    const xa_plan *p = r->plan;
    const xa_backward *b = &p->backward[reach];
    memcpy(place(r, b->seed), seed, p->storages[b->seed].bytes);
    for (size_t i = 0; i < b->ninstr; i++) {
        const double start = r->profile.took ? xa_time() : 0.0;
        execute(r, &b->instr[i]);
        if (r->profile.took)
            tell_backward(r, reach, &b->instr[i], start);
        xa_tick_now(&r->tick);
    }
}

const float *xa_run_gradient(const xa_run *r, int reach, int node)
{
    return place(r, r->plan->backward[reach].result[xa_plan_inner(r->plan, node)]);
}
