#include "model_run.h"

#include <stdlib.h>
#include <string.h>

enum { MODEL_RUN_ATTENTION = 64 };

xa_status model_run_start(xa_model *m,
                          int64_t batch,
                          xa_isa isa,
                          int root,
                          const int *nodes,
                          int nnodes,
                          model_run *out,
                          xa_err *err)
{
    xa_status st = XA_OK;
    xa_plan_info info;
    const xa_weight_reader reader = xa_model_reader(m);
    const xa_tokens *tokens = xa_model_tokens(m);
    int attention[MODEL_RUN_ATTENTION];
    for (int i = 0; tokens && i < tokens->nlayers && i < MODEL_RUN_ATTENTION; i++)
        attention[i] = xa_model_attention(m, i);
    const xa_reach reach = {.input = true,
                            .nodes = nodes,
                            .nnodes = nnodes,
                            .attention = attention,
                            .nattention = tokens && root < 0 ? tokens->nlayers : 0};
    *out = (model_run){.model = m, .root = root >= 0 ? root : xa_model_head(m)->node};
    const xa_plan_spec spec = {.batch = batch,
                               .isa = isa,
                               .exposed = nodes,
                               .nexposed = nnodes,
                               .root = out->root,
                               .reach = &reach,
                               .nreach = 1};
    XA_TRY(err, xa_plan_create(xa_model_graph(m), &spec, &out->plan, err));
    xa_plan_get_info(out->plan, &info);
    /* What the caller gives is as small as promised and full of noise. */
    out->blob = xa_alloc_aligned(info.weight_bytes);
    out->arena = xa_alloc_aligned(info.arena_bytes);
    if (!out->blob || !out->arena)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    memset(out->blob, 0xff, info.weight_bytes);
    memset(out->arena, 0xff, info.arena_bytes);
    XA_TRY(err, xa_plan_pack(out->plan, &reader, out->blob, err));
    xa_run_init(&out->run, out->plan, out->blob, out->arena, NULL);
done:
    xa_model_close_file(m);
    if (st != XA_OK)
        model_run_end(out);
    return st;
}

void model_run_end(model_run *r)
{
    xa_plan_free(r->plan);
    free(r->blob);
    free(r->arena);
    *r = (model_run){0};
}
