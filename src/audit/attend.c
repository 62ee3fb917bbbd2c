/* Attention explainers observe the engine while it runs: their states lie behind the plan's arena,
 * one per explainer and sample of the batch. */
#include <string.h>

#include "audit_internal.h"

size_t xa_attend_layout(xa_audit_model *am, size_t plan_bytes)
{
    size_t at = xa_align_up(plan_bytes, XA_ALIGN);
    for (int e = 0; e < am->spec->nexplainers; e++) {
        const xa_explainer_def *def = xa_explainer_get(am->spec->explainers[e].kind);
        if (!def->state_bytes)
            continue;
        const xa_attention_site site = {am->tokens, am->site[e]};
        am->state_bytes[e] =
            xa_align_up(def->state_bytes(&am->spec->explainers[e], &site), XA_ALIGN);
        am->state_at[e] = at;
        at += am->state_bytes[e] * (size_t)am->batch;
    }
    return at;
}

void *xa_attend_state(const xa_audit_model *am, int e, int64_t sample)
{
    return am->arena + am->state_at[e] + (size_t)sample * am->state_bytes[e];
}

/* Whether explainer e looks at the pass of x. */
static bool looks(const xa_attend *x, int e)
{
    const unsigned needs = xa_explainer_get(x->am->spec->explainers[e].kind)->needs;
    if (x->backward && x->probes != !!(needs & XA_NEEDS_PROBES))
        return false;
    if (x->probes && x->pool != (int)x->am->spec->explainers[e].pool)
        return false;
    if (x->backward)
        return (needs & XA_NEEDS_ATTENTION_GRADIENT) && x->groups[x->am->group[e]];
    return (needs & XA_NEEDS_ATTENTION) && x->am->way[e] == x->way;
}

static void take(void *arg, const xa_attention_view *v)
{
    const xa_attend *x = arg;
    const xa_audit_model *am = x->am;
    int layer = 0;
    if (v->sample >= x->n || (x->backward && x->targets[v->sample] < 0))
        return;
    while (layer < am->tokens->nlayers && xa_model_attention(am->model, layer) != v->node)
        layer++;
    if (layer == am->tokens->nlayers)
        return; /* an attention layer beside the patches */
    for (int e = 0; e < am->spec->nexplainers; e++) {
        const xa_attention_site site = {am->tokens, am->site[e]};
        if (looks(x, e))
            xa_explainer_get(am->spec->explainers[e].kind)
                ->observe(
                    &am->spec->explainers[e], &site, xa_attend_state(am, e, v->sample), layer, v);
    }
}

void xa_attend_begin(xa_attend *x)
{
    bool any = false;
    for (int e = 0; x->am->tokens && e < x->am->spec->nexplainers; e++) {
        if (!looks(x, e))
            continue;
        any = true;
        memset(xa_attend_state(x->am, e, 0), 0, x->am->state_bytes[e] * (size_t)x->am->batch);
    }
    x->am->run.sink = any ? (xa_attention_sink){take, x} : (xa_attention_sink){0};
}

void xa_attend_end(xa_attend *x)
{
    x->am->run.sink = (xa_attention_sink){0};
}
