/* The plan's backward instructions, reach by reach: gradients are traced from the root to what the
 * reach asks for, and added up where they meet. */
#include <stdlib.h>

#include "plan_internal.h"

typedef struct tracer {
    xa_plan *p;
    xa_backward *b;
    const xa_reach *reach;
    const bool *wanted;
    int *grad; /* [nodes] storage of the gradient gathered so far, -1 */
} tracer;

static int now(const tracer *t)
{
    return t->b->first + (int)t->b->ninstr;
}

static xa_status emit(tracer *t, xa_instr in, xa_err *err)
{
    const int when = now(t);
    XA_RETURN_TRY(err, xa_grow(&t->b->instr, &t->b->cap, t->b->ninstr + 1, sizeof(xa_instr), err));
    xa__plan_use(t->p, in.a, when);
    xa__plan_use(t->p, in.b, when);
    xa__plan_use(t->p, in.dst, when);
    if (in.kind == XA_INSTR_OP && (t->p->steps[in.step].op->flags & XA_OP_JOINT))
        for (int k = 0; k < XA_JOINT; k++)
            xa__plan_use(t->p, in.joint[k], when);
    t->b->instr[t->b->ninstr++] = in;
    return XA_OK;
}

static xa_status new_gradient(tracer *t, int node, int *storage, xa_err *err)
{
    return xa__plan_add_storage(
        t->p, xa__plan_value_bytes(t->p, node), now(t), now(t), storage, err);
}

/* Adds storage `s` to what is known of node's gradient. `alias`: another value uses s as well. */
static xa_status contribute(tracer *t, int node, int s, bool alias, xa_err *err)
{
    int *grad = &t->grad[node];
    if (alias)
        t->p->storages[s].exclusive = false;
    if (*grad < 0) {
        *grad = s;
        return XA_OK;
    }
    int dst = -1;
    if (t->p->storages[s].exclusive)
        dst = s;
    else if (t->p->storages[*grad].exclusive)
        dst = *grad;
    else
        XA_RETURN_TRY(err, new_gradient(t, node, &dst, err));
    const int old = *grad;
    *grad = dst;
    return emit(t,
                (xa_instr){.kind = XA_INSTR_ADD,
                           .step = -1,
                           .a = dst == s ? s : old,
                           .b = dst == s ? old : s,
                           .dst = dst,
                           .scratch = -1,
                           .count = xa_shape_count(&xa__plan_node(t->p, node)->shape)},
                err);
}

/* Operands of a node that the gradient leads on from. */
static int factors_of(const tracer *t, const xa_node *node)
{
    int n = 0;
    for (int k = 0; k < node->ninputs; k++)
        n += t->wanted[node->inputs[k]];
    return n;
}

/* One call for all inputs: attention's gradients share the costly part. */
static xa_status trace_joint(tracer *t, int index, int dy, xa_err *err)
{
    const xa_step *s = &t->p->steps[index];
    const xa_node *node = xa__plan_node(t->p, s->node);
    xa_instr in = {.kind = XA_INSTR_OP,
                   .step = index,
                   .shows = xa__step_shows(t->p, s, t->reach),
                   .rules = t->reach->rules,
                   .a = dy,
                   .b = -1,
                   .dst = -1,
                   .scratch = -1,
                   .joint = {-1, -1, -1}};
    for (int k = 0; k < node->ninputs; k++) {
        in.share[k] = xa__rule_share(in.rules, node, k, factors_of(t, node));
        if (t->wanted[node->inputs[k]] && xa__rule_leads(in.rules, node, k))
            XA_RETURN_TRY(err, new_gradient(t, node->inputs[k], &in.joint[k], err));
    }
    if (s->scratch >= 0)
        XA_RETURN_TRY(
            err,
            xa__plan_add_storage(
                t->p, t->p->storages[s->scratch].bytes, now(t), now(t), &in.scratch, err));
    XA_RETURN_TRY(err, emit(t, in, err));
    for (int k = 0; k < node->ninputs; k++)
        if (in.joint[k] >= 0)
            XA_RETURN_TRY(err, contribute(t, node->inputs[k], in.joint[k], false, err));
    return XA_OK;
}

static xa_status trace_step(tracer *t, int index, xa_err *err)
{
    xa_plan *p = t->p;
    const xa_step *s = &p->steps[index];
    const xa_node *node = xa__step_reads(p, s);
    int dy = t->grad[s->out];
    bool masks = false;
    if (dy < 0 || !(xa__step_leads(p, s, t->wanted) || xa__step_shows(t->p, s, t->reach)))
        return XA_OK;
    if (s->op->flags & XA_OP_JOINT)
        return trace_joint(t, index, dy, err);
    if (s->has_act) {
        masks = (s->op->flags & XA_OP_MASKS_DY) && s->residual < 0;
        if (!masks) {
            int masked = -1;
            XA_RETURN_TRY(err, new_gradient(t, s->out, &masked, err));
            XA_RETURN_TRY(err,
                          emit(t,
                               (xa_instr){.kind = XA_INSTR_MASK,
                                          .step = index,
                                          .a = dy,
                                          .b = -1,
                                          .dst = masked,
                                          .scratch = -1},
                               err));
            dy = masked;
        }
    }
    if (s->residual >= 0 && t->wanted[s->residual])
        XA_RETURN_TRY(err, contribute(t, s->residual, dy, true, err));
    for (int k = 0; k < node->ninputs; k++) {
        const int x = node->inputs[k];
        const bool passes = (s->op->flags & XA_OP_VIEW) ||
                            ((s->op->flags & XA_OP_PASSES_DY) &&
                             xa_shape_equal(&xa__plan_node(p, x)->shape, &node->shape));
        int dx = -1;
        if (!t->wanted[x] || !xa__rule_leads(t->reach->rules, node, k))
            continue;
        if (passes) {
            XA_RETURN_TRY(err, contribute(t, x, dy, true, err));
            continue;
        }
        XA_RETURN_TRY(err, new_gradient(t, x, &dx, err));
        xa_instr in = {.kind = XA_INSTR_OP,
                       .step = index,
                       .which = k,
                       .masks = masks,
                       .a = dy,
                       .b = -1,
                       .dst = dx,
                       .scratch = -1,
                       .rules = t->reach->rules,
                       .share = {xa__rule_share(t->reach->rules, node, k, factors_of(t, node))}};
        if (s->scratch >= 0)
            XA_RETURN_TRY(err,
                          xa__plan_add_storage(
                              p, p->storages[s->scratch].bytes, now(t), now(t), &in.scratch, err));
        XA_RETURN_TRY(err, emit(t, in, err));
        XA_RETURN_TRY(err, contribute(t, x, dx, false, err));
    }
    return XA_OK;
}

static xa_status deliver(tracer *t, int node, xa_err *err)
{
    if (t->grad[node] < 0)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" does not lead to the scores: there is no gradient to it",
                       xa__plan_node(t->p, node)->name);
    t->b->result[node] = t->grad[node];
    /* kept until the end of this reach, and not to be added into by nodes before */
    t->p->storages[t->grad[node]].exclusive = false;
    return XA_OK;
}

xa_status xa__plan_backward(
    xa_plan *p, xa_backward *b, const xa_reach *reach, const bool *wanted, int first, xa_err *err)
{
    xa_status st = XA_OK;
    tracer t = {.p = p, .b = b, .reach = reach, .wanted = wanted};
    t.grad = xa_alloc((size_t)p->nnodes + 1, sizeof(int));
    b->result = xa_alloc((size_t)p->nnodes + 1, sizeof(int));
    if (!t.grad || !b->result)
        XA_FAIL(err, XA_NOMEM, "plan: out of memory");
    for (int i = 0; i < p->nnodes; i++)
        t.grad[i] = b->result[i] = -1;
    b->first = first;
    const int from = xa__reach_from(p, reach);
    XA_TRY(err,
           xa__plan_add_storage(p, xa__plan_value_bytes(p, from), first, first, &b->seed, err));
    t.grad[from] = b->seed;
    for (int i = p->nsteps - 1; i >= 0; i--) {
        const int out = p->steps[i].out;
        bool stop = false;
        for (int k = 0; k < reach->nnodes; k++) {
            if (xa_plan_inner(p, reach->nodes[k]) != out)
                continue;
            XA_TRY(err, deliver(&t, out, err));
            stop = reach->stops;
        }
        if (!stop)
            XA_TRY(err, trace_step(&t, i, err));
    }
    if (reach->input)
        XA_TRY(err, deliver(&t, p->input, err));
    for (int k = 0; k < reach->nattention; k++)
        if (t.grad[xa_plan_inner(p, reach->attention[k])] < 0)
            XA_FAIL(
                err,
                XA_INVALID,
                "attention layer \"%s\" does not lead to the scores: there is no gradient to it",
                xa__plan_node(p, xa_plan_inner(p, reach->attention[k]))->name);
    const int end = now(&t);
    for (int i = 0; i < p->nnodes; i++)
        xa__plan_use(p, b->result[i], end);
done:
    free(t.grad);
    return st;
}
