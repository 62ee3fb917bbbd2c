/* The plan: what is asked for is checked, then steps (lower.c), storages (plan_forward.c), backward
 * instructions (plan_backward.c) and offsets (memory_plan.c) are made. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"

static bool is_exposed(const xa_plan_spec *spec, int node)
{
    bool found = node == spec->root;
    for (int k = 0; k < spec->nexposed; k++)
        found = found || spec->exposed[k] == node;
    return found;
}

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
        if (spec->reach[r].from && !is_exposed(spec, spec->reach[r].from))
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "plan: a gradient begins at node %d, which is not exposed",
                           spec->reach[r].from);
        for (int i = 0; i < spec->reach[r].nattention; i++) {
            const int a = spec->reach[r].attention[i];
            if (a < 0 || a >= n || xa_graph_node(g, a)->op != XA_OP_ATTENTION)
                XA_RETURN_FAIL(err, XA_INVALID, "plan: node %d is no attention layer", a);
        }
        for (int i = 0; i < spec->reach[r].nnodes; i++) {
            if (!is_exposed(spec, spec->reach[r].nodes[i]))
                XA_RETURN_FAIL(err,
                               XA_INVALID,
                               "plan: a gradient is requested for node %d, which is not exposed",
                               spec->reach[r].nodes[i]);
        }
    }
    return XA_OK;
}

/* Nodes that are read from outside, or whose attention probabilities go to a sink, must stay whole.
 */
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
        wanted[r] = xa__plan_wanted(p, &spec->reach[r]);
        if (!wanted[r])
            XA_FAIL(err, XA_NOMEM, "plan: out of memory");
        for (int i = 0; i < p->nsteps; i++)
            p->steps[i].in_backward |= xa__step_leads(p, &p->steps[i], wanted[r]) ||
                                       xa__step_shows(p, &p->steps[i], &spec->reach[r]);
    }
    XA_TRY(err, xa__plan_forward(p, spec->reuse_input, err));
    p->backward = xa_alloc((size_t)spec->nreach + 1, sizeof(xa_backward));
    if (!p->backward)
        XA_FAIL(err, XA_NOMEM, "plan: out of memory");
    int first = p->nsteps;
    for (int r = 0; r < spec->nreach; r++) {
        p->nbackward = r + 1;
        XA_TRY(err, xa__plan_backward(p, &p->backward[r], &spec->reach[r], wanted[r], first, err));
        first += (int)p->backward[r].ninstr + 1;
    }
    for (size_t i = 0; i < p->nstorages; i++)
        if (p->storages[i].same_as < 0 && p->storages[i].last == XA__TO_THE_END)
            p->saved_bytes += p->storages[i].bytes;
    XA_TRY(err, xa_plan_layout(p->storages, p->nstorages, &p->arena_bytes, err));
    if (xa_numerics_rounds(xa_graph_numerics(p->graph))) {
        p->rounded_at = xa_align_up(p->arena_bytes, XA_ALIGN);
        p->arena_bytes = p->rounded_at + XA_BF16_ROWS_BYTES;
    }
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
    const xa_numerics numerics = xa_graph_numerics(g);
    if (xa_numerics_rounds(numerics) && !xa_kernels_get(isa)->gemm_bf16)
        XA_FAIL(
            err,
            XA_UNSUPPORTED,
            "numerics %s need a processor with fused multiply-adds (AVX2 and FMA, or NEON); the "
            "%s kernels have none: choose strict or fast",
            xa_numerics_name(numerics),
            xa_isa_name(isa));
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
