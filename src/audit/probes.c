/* Passes from the model's head on every block (xa_model_add_probes): first from all scores to the
 * blocks' outputs at once, whose rows do not meet, then from each block's output to its attention
 * alone. */
#include <stdlib.h>
#include <string.h>

#include "audit_internal.h"

static bool asks(const xa_audit_model *am, int e, int pool)
{
    const xa_explainer_spec *ex = &am->spec->explainers[e];
    return (xa_explainer_get(ex->kind)->needs & XA_NEEDS_PROBES) && (int)ex->pool == pool;
}

bool xa_probe_asked(const xa_batch *b, int pool)
{
    for (int e = 0; e < b->am->spec->nexplainers; e++)
        if (b->am->group[e] >= 0 && b->a->served[b->am->group[e]] && asks(b->am, e, pool))
            return true;
    return false;
}

static int64_t block_values(const xa_audit_model *am)
{
    const xa_node *node = xa_graph_node(xa_model_graph(am->model), am->boundary[0]);
    return am->batch * xa_shape_count(&node->shape);
}

xa_status xa_probe_init(xa_audit_model *am, xa_err *err)
{
    bool any = false;
    for (int p = 0; p < XA_PROBE_COUNT; p++)
        any = any || am->probe[p].used;
    if (!any)
        return XA_OK;
    const size_t blocks = (size_t)am->tokens->nlayers;
    am->block_seed = xa_alloc(blocks * (size_t)block_values(am), sizeof(float));
    am->probe_seed =
        xa_alloc(blocks * (size_t)(am->batch * xa_model_head(am->model)->units), sizeof(float));
    if (!am->block_seed || !am->probe_seed)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

/* Seeds of all blocks' scores, [batch, blocks, units]. */
static xa_status seed(const xa_batch *b,
                      const xa_pass_group *g,
                      const xa_probe *p,
                      const int32_t *targets,
                      xa_err *err)
{
    const xa_head *h = xa_model_head(b->am->model);
    const int64_t blocks = b->am->tokens->nlayers;
    const float *z = xa_run_value(&b->am->run, p->scores);
    memset(b->am->probe_seed, 0, (size_t)(b->am->batch * blocks * h->units) * sizeof(float));
    for (int64_t i = 0; i < b->n * blocks; i++)
        if (targets[i / blocks] >= 0)
            XA_RETURN_TRY(err,
                          xa_score_seed(h,
                                        &g->scalar,
                                        z + i * h->units,
                                        targets[i / blocks],
                                        b->am->probe_seed + i * h->units,
                                        err));
    return XA_OK;
}

xa_status xa_probe_pass(
    const xa_batch *b, const xa_pass_group *g, int pool, const int32_t *targets, xa_err *err)
{
    const xa_probe *p = &b->am->probe[pool];
    const int blocks = b->am->tokens->nlayers;
    const int64_t n = block_values(b->am);
    XA_RETURN_TRY(err, seed(b, g, p, targets, err));
    xa_run_backward(&b->am->run, p->reach, b->am->probe_seed);
    for (int l = 0; l < blocks; l++)
        memcpy(b->am->block_seed + l * n,
               xa_run_gradient(&b->am->run, p->reach, b->am->boundary[l + 1]),
               (size_t)n * sizeof(float));
    xa_attend look = {.am = b->am,
                      .backward = true,
                      .probes = true,
                      .pool = pool,
                      .groups = b->a->served,
                      .targets = targets,
                      .n = b->n};
    xa_attend_begin(&look);
    for (int l = 0; l < blocks; l++)
        xa_run_backward(&b->am->run, b->am->block_reach + l, b->am->block_seed + l * n);
    xa_attend_end(&look);
    return XA_OK;
}
