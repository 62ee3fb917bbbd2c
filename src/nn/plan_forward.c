/* The plan's storages: what they hold, how long they live; those of the forward pass. */
#include <stdlib.h>

#include "ops/separable.h"
#include "plan_internal.h"

size_t xa__plan_value_bytes(const xa_plan *p, int node)
{
    return (size_t)(p->batch * xa_shape_count(&xa__plan_node(p, node)->shape)) * sizeof(float);
}

xa_status xa__plan_add_storage(xa_plan *p, size_t bytes, int first, int last, int *id, xa_err *err)
{
    XA_RETURN_TRY(
        err, xa_grow(&p->storages, &p->storage_cap, p->nstorages + 1, sizeof(xa_storage), err));
    p->storages[p->nstorages] = (xa_storage){
        .bytes = bytes, .first = first, .last = last, .same_as = -1, .exclusive = true};
    *id = (int)p->nstorages++;
    return XA_OK;
}

void xa__plan_use(xa_plan *p, int storage, int when)
{
    storage = xa_storage_root(p, storage);
    if (storage >= 0 && p->storages[storage].last < when)
        p->storages[storage].last = when;
}

/* ---- which steps a gradient passes ---- */

int xa__reach_from(const xa_plan *p, const xa_reach *reach)
{
    return reach->from ? xa_plan_inner(p, reach->from) : p->root;
}

/* Of the nodes marked those that `from` is made of: no gradient comes to others. */
static bool *keep_before(const xa_plan *p, int from, bool *marked)
{
    bool *in = xa_alloc((size_t)p->nnodes + 1, sizeof(bool));
    if (in)
        in[from] = true;
    for (int i = p->nnodes - 1; in && i >= 0; i--) {
        for (int k = 0; in[i] && k < xa__plan_node(p, i)->ninputs; k++)
            in[xa__plan_node(p, i)->inputs[k]] = true;
        marked[i] = marked[i] && in[i];
    }
    if (!in) {
        free(marked);
        return NULL;
    }
    free(in);
    return marked;
}

bool *xa__plan_wanted(const xa_plan *p, const xa_reach *reach)
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
        const xa_node *node = xa__plan_node(p, i);
        for (int k = 0; k < node->ninputs && !wanted[i]; k++)
            wanted[i] = wanted[node->inputs[k]];
    }
    return keep_before(p, xa__reach_from(p, reach), wanted);
}

bool xa__step_leads(const xa_plan *p, const xa_step *s, const bool *wanted)
{
    const xa_node *node = xa__plan_node(p, s->node);
    if (s->residual >= 0 && wanted[s->residual])
        return true;
    for (int k = 0; k < node->ninputs; k++)
        if (wanted[node->inputs[k]])
            return true;
    return false;
}

bool xa__step_shows(const xa_plan *p, const xa_step *s, const xa_reach *reach)
{
    for (int i = 0; i < reach->nattention; i++)
        if (xa_plan_inner(p, reach->attention[i]) == s->node)
            return true;
    return false;
}

const xa_node *xa__step_reads(const xa_plan *p, const xa_step *s)
{
    return xa__plan_node(p, s->front >= 0 ? p->steps[s->front].node : s->node);
}

static size_t scratch_of(const xa_plan *p, const xa_step *s)
{
    const xa_node *node = xa__plan_node(p, s->node);
    if (s->front >= 0)
        return xa_separable_bytes(p->graph, xa__step_reads(p, s), node, p->batch);
    return s->op->scratch_bytes ? s->op->scratch_bytes(p->graph, node, p->batch) : 0;
}

/* ---- forward ---- */

static unsigned saves_of(const xa_plan *p, const xa_step *s)
{
    return s->in_backward && s->op->saves ? s->op->saves(xa__plan_node(p, s->node)) : 0;
}

xa_status xa__plan_forward(xa_plan *p, bool reuse_input, xa_err *err)
{
    XA_RETURN_TRY(err,
                  xa__plan_add_storage(p,
                                       xa__plan_value_bytes(p, p->input),
                                       0,
                                       reuse_input ? 0 : XA__TO_THE_END,
                                       &p->value[p->input],
                                       err));
    for (int t = 0; t < p->nsteps; t++) {
        xa_step *s = &p->steps[t];
        const xa_node *node = xa__plan_node(p, s->node), *reads = xa__step_reads(p, s);
        if (s->op->flags & XA_OP_VIEW)
            p->value[s->out] = p->value[node->inputs[0]];
        else if (s->within < 0)
            XA_RETURN_TRY(err,
                          xa__plan_add_storage(
                              p, xa__plan_value_bytes(p, s->out), t, t, &p->value[s->out], err));
        for (int k = 0; k < reads->ninputs; k++)
            xa__plan_use(p, p->value[reads->inputs[k]], t);
        if (s->residual >= 0)
            xa__plan_use(p, p->value[s->residual], t);
        const unsigned saves = saves_of(p, s);
        if (saves & XA_SAVES_INPUTS)
            for (int k = 0; k < node->ninputs; k++)
                xa__plan_use(p, p->value[node->inputs[k]], XA__TO_THE_END);
        if ((saves & XA_SAVES_OUTPUT) || p->exposed[s->out])
            xa__plan_use(p, p->value[s->out], XA__TO_THE_END);
        const size_t state = s->op->state_bytes ? s->op->state_bytes(p->graph, node, p->batch) : 0;
        if (state)
            XA_RETURN_TRY(err,
                          xa__plan_add_storage(
                              p, state, t, s->in_backward ? XA__TO_THE_END : t, &s->state, err));
        if (s->has_act && s->in_backward) {
            const int64_t c = xa_shape_last(&xa__plan_node(p, s->out)->shape);
            const int64_t rows = p->batch * (xa_shape_count(&xa__plan_node(p, s->out)->shape) / c);
            XA_RETURN_TRY(
                err,
                xa__plan_add_storage(p, xa_bits_bytes(rows, c), t, XA__TO_THE_END, &s->bits, err));
        }
        const size_t scratch = s->within < 0 ? scratch_of(p, s) : 0;
        if (scratch)
            XA_RETURN_TRY(err, xa__plan_add_storage(p, scratch, t, t, &s->scratch, err));
        if (scratch > p->scratch_bytes)
            p->scratch_bytes = scratch;
    }
    /* An operator that may works in its input's memory when it is the last to look at it. */
    for (int t = 0; t < p->nsteps; t++) {
        const xa_step *s = &p->steps[t];
        if (!(s->op->flags & XA_OP_IN_PLACE))
            continue;
        const int x = xa_storage_root(p, p->value[xa__plan_node(p, s->node)->inputs[0]]);
        const int y = xa_storage_root(p, p->value[s->out]);
        if (x == y || p->storages[x].last != t || p->storages[x].bytes != p->storages[y].bytes)
            continue;
        p->storages[y].same_as = x;
        p->storages[x].last = p->storages[y].last;
    }
    return XA_OK;
}
