/* One model of a job, one image at a time. */
#include <stdlib.h>
#include <string.h>

#include "check_internal.h"

xa_status xa__runner_open(xa__runner *r, const xa_loaded *l, int model, xa_err *err)
{
    *r = (xa__runner){.spec = &l->job.audit.models[model], .decode = &l->job.audit.decode};
    r->isa = l->job.audit.isa;
    xa_model_options opt = r->spec->open;
    opt.height = r->spec->input.height;
    opt.width = r->spec->input.width;
    XA_RETURN_TRY(err, xa_model_open(r->spec->file, &opt, &r->model, err));
    r->head = xa_model_head(r->model);
    r->logits = xa_alloc((size_t)r->head->classes + 1, sizeof *r->logits);
    r->probs = xa_alloc((size_t)r->head->classes + 1, sizeof *r->probs);
    if (!r->logits || !r->probs)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

xa_status
xa__runner_plan(xa__runner *r, bool backward, const int *exposed, int nexposed, xa_err *err)
{
    xa_plan_info info;
    const xa_reach reach = {.input = true, .nodes = exposed, .nnodes = nexposed};
    const xa_plan_spec spec = {.batch = 1,
                               .isa = r->isa,
                               .exposed = exposed,
                               .nexposed = nexposed,
                               .root = r->head->node,
                               .reach = backward ? &reach : NULL,
                               .nreach = backward};
    XA_RETURN_TRY(err, xa_plan_create(xa_model_graph(r->model), &spec, &r->plan, err));
    xa_plan_get_info(r->plan, &info);
    r->weights = xa_alloc_aligned(info.weight_bytes);
    r->arena = xa_alloc_aligned(info.arena_bytes);
    if (!r->weights || !r->arena)
        XA_RETURN_NOMEM(err);
    const xa_weight_reader reader = xa_model_reader(r->model);
    XA_RETURN_TRY(err, xa_plan_pack(r->plan, &reader, r->weights, err));
    xa_run_init(&r->run, r->plan, r->weights, r->arena, NULL);
    return XA_OK;
}

xa_status xa__runner_read(const xa__runner *r, const char *file, xa_image *out, xa_err *err)
{
    return xa_image_read(file, r->decode, out, err);
}

xa_status xa__runner_prepare(
    const xa__runner *r, const xa_image *im, const xa_scale *scale, float *x, xa_err *err)
{
    double affine[2][3];
    xa_input_spec input = r->spec->input;
    if (scale)
        input.scale = *scale;
    return xa_preprocess(im, &input, (int)xa_model_input(r->model).dim[2], x, affine, err);
}

void xa__runner_forward(xa__runner *r)
{
    xa_run_forward(&r->run);
    xa_head_apply(r->head, xa_run_value(&r->run, r->head->node), r->logits, r->probs);
}

void xa__runner_close(xa__runner *r)
{
    xa_plan_free(r->plan);
    xa_model_free(r->model);
    free(r->weights);
    free(r->arena);
    free(r->logits);
    free(r->probs);
    *r = (xa__runner){0};
}
