/* The plan: storages of the forward pass, backward instructions for every reach, offsets. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ops/separable.h"
#include "plan_internal.h"

enum { TO_THE_END = 1 << 30 };

static const xa_node *node_of(const xa_plan *p, int id)
{
    return xa_graph_node(p->graph, id);
}

static size_t value_bytes(const xa_plan *p, int node)
{
    return (size_t)(p->batch * xa_shape_count(&node_of(p, node)->shape)) * sizeof(float);
}

static xa_status add_storage(xa_plan *p, size_t bytes, int first, int last, int *id, xa_err *err)
{
    XA_RETURN_TRY(
        err, xa_grow(&p->storages, &p->storage_cap, p->nstorages + 1, sizeof(xa_storage), err));
    p->storages[p->nstorages] = (xa_storage){
        .bytes = bytes, .first = first, .last = last, .same_as = -1, .exclusive = true};
    *id = (int)p->nstorages++;
    return XA_OK;
}

static void use(xa_plan *p, int storage, int when)
{
    storage = xa_storage_root(p, storage);
    if (storage >= 0 && p->storages[storage].last < when)
        p->storages[storage].last = when;
}

/* ---- which steps a gradient passes ---- */

/* Marks nodes whose gradient leads to something a reach asks for. */
static bool *mark_wanted(const xa_plan *p, const xa_reach *reach)
{
    bool *wanted = xa_alloc((size_t)p->nnodes + 1, sizeof(bool));
    if (!wanted)
        return NULL;
    for (int i = 0; i < reach->nattention; i++)
        wanted[xa_plan_inner(p, reach->attention[i])] = true;
    if (reach->input)
        wanted[p->input] = true;
    for (int i = 0; i < reach->nnodes; i++)
        wanted[xa_plan_inner(p, reach->nodes[i])] = true;
    for (int i = 0; i < p->nnodes; i++) {
        const xa_node *node = node_of(p, i);
        for (int k = 0; k < node->ninputs && !wanted[i]; k++)
            wanted[i] = wanted[node->inputs[k]];
    }
    return wanted;
}

/* A gradient passes a step when it leads on from one of its operands. */
static bool step_leads(const xa_plan *p, const xa_step *s, const bool *wanted)
{
    const xa_node *node = node_of(p, s->node);
    if (s->residual >= 0 && wanted[s->residual])
        return true;
    for (int k = 0; k < node->ninputs; k++)
        if (wanted[node->inputs[k]])
            return true;
    return false;
}

/* The reach asks for the gradient of this step's attention probabilities. */
static bool step_shows(const xa_plan *p, const xa_step *s, const xa_reach *reach)
{
    for (int i = 0; i < reach->nattention; i++)
        if (xa_plan_inner(p, reach->attention[i]) == s->node)
            return true;
    return false;
}

/* The node whose inputs a step reads: that of the step in front, if one is part of it. */
static const xa_node *reads_of(const xa_plan *p, const xa_step *s)
{
    return node_of(p, s->front >= 0 ? p->steps[s->front].node : s->node);
}

static size_t scratch_of(const xa_plan *p, const xa_step *s)
{
    const xa_node *node = node_of(p, s->node);
    if (s->front >= 0)
        return xa_separable_bytes(p->graph, reads_of(p, s), node, p->batch);
    return s->op->scratch_bytes ? s->op->scratch_bytes(p->graph, node, p->batch) : 0;
}

/* ---- forward ---- */

static unsigned saves_of(const xa_plan *p, const xa_step *s)
{
    return s->in_backward && s->op->saves ? s->op->saves(node_of(p, s->node)) : 0;
}

static xa_status forward_storages(xa_plan *p, bool reuse_input, xa_err *err)
{
    XA_RETURN_TRY(err,
                  add_storage(p,
                              value_bytes(p, p->input),
                              0,
                              reuse_input ? 0 : TO_THE_END,
                              &p->value[p->input],
                              err));
    for (int t = 0; t < p->nsteps; t++) {
        xa_step *s = &p->steps[t];
        const xa_node *node = node_of(p, s->node), *reads = reads_of(p, s);
        if (s->op->flags & XA_OP_VIEW)
            p->value[s->out] = p->value[node->inputs[0]];
        else if (s->within < 0)
            XA_RETURN_TRY(err,
                          add_storage(p, value_bytes(p, s->out), t, t, &p->value[s->out], err));
        for (int k = 0; k < reads->ninputs; k++)
            use(p, p->value[reads->inputs[k]], t);
        if (s->residual >= 0)
            use(p, p->value[s->residual], t);
        const unsigned saves = saves_of(p, s);
        if (saves & XA_SAVES_INPUTS)
            for (int k = 0; k < node->ninputs; k++)
                use(p, p->value[node->inputs[k]], TO_THE_END);
        if ((saves & XA_SAVES_OUTPUT) || p->exposed[s->out])
            use(p, p->value[s->out], TO_THE_END);
        const size_t state = s->op->state_bytes ? s->op->state_bytes(p->graph, node, p->batch) : 0;
        if (state)
            XA_RETURN_TRY(
                err, add_storage(p, state, t, s->in_backward ? TO_THE_END : t, &s->state, err));
        if (s->has_act && s->in_backward) {
            const int64_t c = xa_shape_last(&node_of(p, s->out)->shape);
            const int64_t rows = p->batch * (xa_shape_count(&node_of(p, s->out)->shape) / c);
            XA_RETURN_TRY(err,
                          add_storage(p, xa_bits_bytes(rows, c), t, TO_THE_END, &s->bits, err));
        }
        const size_t scratch = s->within < 0 ? scratch_of(p, s) : 0;
        if (scratch)
            XA_RETURN_TRY(err, add_storage(p, scratch, t, t, &s->scratch, err));
        if (scratch > p->scratch_bytes)
            p->scratch_bytes = scratch;
    }
    /* An operator that may works in its input's memory when it is the last to look at it. */
    for (int t = 0; t < p->nsteps; t++) {
        const xa_step *s = &p->steps[t];
        if (!(s->op->flags & XA_OP_IN_PLACE))
            continue;
        const int x = xa_storage_root(p, p->value[node_of(p, s->node)->inputs[0]]);
        const int y = xa_storage_root(p, p->value[s->out]);
        if (x == y || p->storages[x].last != t || p->storages[x].bytes != p->storages[y].bytes)
            continue;
        p->storages[y].same_as = x;
        p->storages[x].last = p->storages[y].last;
    }
    return XA_OK;
}

/* ---- backward ---- */

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
    use(t->p, in.a, when);
    use(t->p, in.b, when);
    use(t->p, in.dst, when);
    if (in.kind == XA_INSTR_OP && (t->p->steps[in.step].op->flags & XA_OP_JOINT))
        for (int k = 0; k < XA_JOINT; k++)
            use(t->p, in.joint[k], when);
    t->b->instr[t->b->ninstr++] = in;
    return XA_OK;
}

static xa_status new_gradient(tracer *t, int node, int *storage, xa_err *err)
{
    return add_storage(t->p, value_bytes(t->p, node), now(t), now(t), storage, err);
}

/* Adds storage `s` to what is known of node's gradient. `alias`: s also serves somebody else. */
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
                           .count = xa_shape_count(&node_of(t->p, node)->shape)},
                err);
}

/* One call for all inputs: attention's gradients have the costly part in common. */
static xa_status trace_joint(tracer *t, int index, int dy, xa_err *err)
{
    const xa_step *s = &t->p->steps[index];
    const xa_node *node = node_of(t->p, s->node);
    xa_instr in = {.kind = XA_INSTR_OP,
                   .step = index,
                   .shows = step_shows(t->p, s, t->reach),
                   .a = dy,
                   .b = -1,
                   .dst = -1,
                   .scratch = -1,
                   .joint = {-1, -1, -1}};
    for (int k = 0; k < node->ninputs; k++)
        if (t->wanted[node->inputs[k]])
            XA_RETURN_TRY(err, new_gradient(t, node->inputs[k], &in.joint[k], err));
    if (s->scratch >= 0)
        XA_RETURN_TRY(
            err,
            add_storage(t->p, t->p->storages[s->scratch].bytes, now(t), now(t), &in.scratch, err));
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
    const xa_node *node = reads_of(p, s);
    int dy = t->grad[s->out];
    bool masks = false;
    if (dy < 0 || !(step_leads(p, s, t->wanted) || step_shows(t->p, s, t->reach)))
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
        const bool passes =
            (s->op->flags & XA_OP_VIEW) || ((s->op->flags & XA_OP_PASSES_DY) &&
                                            xa_shape_equal(&node_of(p, x)->shape, &node->shape));
        int dx = -1;
        if (!t->wanted[x])
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
                       .scratch = -1};
        if (s->scratch >= 0)
            XA_RETURN_TRY(
                err,
                add_storage(p, p->storages[s->scratch].bytes, now(t), now(t), &in.scratch, err));
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
                       node_of(t->p, node)->name);
    t->b->result[node] = t->grad[node];
    /* kept until the end of this reach, and not to be added into by nodes before */
    t->p->storages[t->grad[node]].exclusive = false;
    return XA_OK;
}

static xa_status trace_backward(
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
    XA_TRY(err, add_storage(p, value_bytes(p, p->root), first, first, &b->seed, err));
    t.grad[p->root] = b->seed;
    for (int i = p->nsteps - 1; i >= 0; i--) {
        const int out = p->steps[i].out;
        for (int k = 0; k < reach->nnodes; k++)
            if (xa_plan_inner(p, reach->nodes[k]) == out)
                XA_TRY(err, deliver(&t, out, err));
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
                node_of(p, xa_plan_inner(p, reach->attention[k]))->name);
    const int end = now(&t);
    for (int i = 0; i < p->nnodes; i++)
        use(p, b->result[i], end);
done:
    free(t.grad);
    return st;
}

/* ---- create ---- */

static xa_status check_spec(const xa_graph *g, const xa_plan_spec *spec, xa_err *err)
{
    const int n = xa_graph_nodes(g);
    int inputs = 0;
    for (int i = 0; i < n; i++)
        inputs += xa_graph_node(g, i)->op == XA_OP_INPUT;
    if (inputs != 1)
        XA_RETURN_FAIL(err, XA_INVALID, "the model has %d inputs, expected exactly one", inputs);
    if (spec->batch < 1 || spec->batch > 65536)
        XA_RETURN_FAIL(err, XA_INVALID, "batch is %" PRId64 ", expected 1 to 65536", spec->batch);
    if (spec->root < 0 || spec->root >= n)
        XA_RETURN_FAIL(err, XA_INVALID, "plan: node %d is not in the graph", spec->root);
    for (int i = 0; i < spec->nexposed; i++)
        if (spec->exposed[i] < 0 || spec->exposed[i] >= n)
            XA_RETURN_FAIL(err, XA_INVALID, "plan: node %d is not in the graph", spec->exposed[i]);
    for (int r = 0; r < spec->nreach; r++) {
        for (int i = 0; i < spec->reach[r].nattention; i++) {
            const int a = spec->reach[r].attention[i];
            if (a < 0 || a >= n || xa_graph_node(g, a)->op != XA_OP_ATTENTION)
                XA_RETURN_FAIL(err, XA_INVALID, "plan: node %d is no attention layer", a);
        }
        for (int i = 0; i < spec->reach[r].nnodes; i++) {
            bool found = spec->reach[r].nodes[i] == spec->root;
            for (int k = 0; k < spec->nexposed; k++)
                found = found || spec->exposed[k] == spec->reach[r].nodes[i];
            if (!found)
                XA_RETURN_FAIL(err,
                               XA_INVALID,
                               "plan: a gradient is asked for node %d, which is not exposed",
                               spec->reach[r].nodes[i]);
        }
    }
    return XA_OK;
}

/* Whole must be what is read, and what shows its probabilities. */
static xa_status narrow(const xa_graph *g, const xa_plan_spec *spec, xa_narrowed *out, xa_err *err)
{
    bool *whole = xa_alloc((size_t)xa_graph_nodes(g) + 1, sizeof(bool));
    if (!whole)
        XA_RETURN_FAIL(err, XA_NOMEM, "plan: out of memory");
    whole[spec->root] = whole[xa_graph_input(g)] = true;
    for (int i = 0; i < spec->nexposed; i++)
        whole[spec->exposed[i]] = true;
    for (int r = 0; r < spec->nreach; r++)
        for (int i = 0; i < spec->reach[r].nattention; i++)
            whole[spec->reach[r].attention[i]] = true;
    const xa_status st = xa_narrow(g, whole, out, err);
    free(whole);
    return st;
}

static xa_status build(xa_plan *p, const xa_plan_spec *spec, xa_err *err)
{
    xa_status st = XA_OK;
    bool **wanted = xa_alloc((size_t)spec->nreach + 1, sizeof(bool *));
    if (!wanted)
        XA_FAIL(err, XA_NOMEM, "plan: out of memory");
    p->exposed[p->root] = true;
    for (int i = 0; i < spec->nexposed; i++)
        p->exposed[xa_plan_inner(p, spec->exposed[i])] = true;
    XA_TRY(err, xa_plan_lower(p, err));
    for (int r = 0; r < spec->nreach; r++) {
        wanted[r] = mark_wanted(p, &spec->reach[r]);
        if (!wanted[r])
            XA_FAIL(err, XA_NOMEM, "plan: out of memory");
        for (int i = 0; i < p->nsteps; i++)
            p->steps[i].in_backward |= step_leads(p, &p->steps[i], wanted[r]) ||
                                       step_shows(p, &p->steps[i], &spec->reach[r]);
    }
    XA_TRY(err, forward_storages(p, spec->reuse_input, err));
    p->backward = xa_alloc((size_t)spec->nreach + 1, sizeof(xa_backward));
    if (!p->backward)
        XA_FAIL(err, XA_NOMEM, "plan: out of memory");
    int first = p->nsteps;
    for (int r = 0; r < spec->nreach; r++) {
        p->nbackward = r + 1;
        XA_TRY(err, trace_backward(p, &p->backward[r], &spec->reach[r], wanted[r], first, err));
        first += (int)p->backward[r].ninstr + 1;
    }
    for (size_t i = 0; i < p->nstorages; i++)
        if (p->storages[i].same_as < 0 && p->storages[i].last == TO_THE_END)
            p->saved_bytes += p->storages[i].bytes;
    XA_TRY(err, xa_plan_layout(p->storages, p->nstorages, &p->arena_bytes, err));
done:
    for (int r = 0; wanted && r < spec->nreach; r++)
        free(wanted[r]);
    free(wanted);
    return st;
}

xa_status xa_plan_create(const xa_graph *g, const xa_plan_spec *spec, xa_plan **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_plan *p = NULL;
    XA_TRY(err, check_spec(g, spec, err));
    const xa_isa isa = spec->isa == XA_ISA_AUTO ? xa_isa_detect() : spec->isa;
    if (!xa_isa_supported(isa))
        XA_FAIL(
            err, XA_UNSUPPORTED, "this processor does not run the %s kernels", xa_isa_name(isa));
    p = xa_alloc(1, sizeof *p);
    if (!p)
        XA_FAIL(err, XA_NOMEM, "plan: out of memory");
    XA_TRY(err, narrow(g, spec, &p->narrowed, err));
    p->graph = p->narrowed.graph ? p->narrowed.graph : g;
    p->kernels = xa_kernels_get(isa);
    p->batch = spec->batch;
    p->root = xa_plan_inner(p, spec->root);
    p->input = xa_graph_input(p->graph);
    p->nnodes = xa_graph_nodes(p->graph);
    p->exposed = xa_alloc((size_t)p->nnodes, sizeof(bool));
    p->live = xa_alloc((size_t)p->nnodes, sizeof(bool));
    p->uses = xa_alloc((size_t)p->nnodes, sizeof(int));
    p->value = xa_alloc((size_t)p->nnodes, sizeof(int));
    if (!p->exposed || !p->live || !p->uses || !p->value)
        XA_FAIL(err, XA_NOMEM, "plan: out of memory");
    for (int i = 0; i < p->nnodes; i++)
        p->value[i] = -1;
    XA_TRY(err, build(p, spec, err));
    *out = p;
    p = NULL;
done:
    xa_plan_free(p);
    return st;
}

void xa_plan_free(xa_plan *p)
{
    if (!p)
        return;
    for (int r = 0; p->backward && r < p->nbackward; r++) {
        free(p->backward[r].instr);
        free(p->backward[r].result);
    }
    free(p->backward);
    free(p->exposed);
    free(p->live);
    free(p->uses);
    free(p->steps);
    free(p->folds);
    free(p->value);
    free(p->storages);
    xa_narrowed_free(&p->narrowed);
    free(p);
}
