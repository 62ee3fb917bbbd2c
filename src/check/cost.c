/* What explainers ask of a model, beside what the images themselves cost. */
#include "xaudit/check.h"
#include "xaudit/record.h"

enum { MUCH = 5 }; /* times the plain run: worth a warning */

void xa_cost_of(const xa_loaded *l, int m, xa_cost *out)
{
    const xa_audit_spec *spec = &l->job.audit;
    const int n = spec->models[m].nexplainers, groups = xa_audit_passes(l->audit, m);
    xa_plan_info info;
    xa_audit_plan_info(l->audit, m, &info);
    const double forward = info.flops_forward, backward = info.flops_backward;
    *out = (xa_cost){.explainer = -1};
    out->plain = forward * (1.0 + (spec->masked ? n : 0)) +
                 backward * groups * (spec->random_logit ? 2.0 : 1.0);
    for (int e = 0; e < n; e++) {
        const xa_asks asks = xa_audit_asks(l->audit, m, e);
        const double other = spec->random_logit ? 2.0 : 1.0; /* gradients of another class */
        const double own = forward * ((double)asks.draws + other * (double)asks.gradients);
        out->asked += own;
        if (own > out->most) {
            out->most = own;
            out->explainer = e;
        }
    }
}

void xa_faith_cost_of(const xa_loaded *l, int m, int k, xa_faith_cost *out)
{
    const xa_audit_spec *spec = &l->job.audit;
    const xa_faith_spec *s = &spec->faith[k];
    const xa_faith_shape shape = xa_faith_shape_of(s);
    const int64_t all = l->manifest->count;
    xa_plan_info info;
    xa_cost cost;
    xa_counts counts;
    xa_audit_plan_info(l->audit, m, &info);
    xa_cost_of(l, m, &cost);
    xa_counts_of(l->manifest, &counts);
    *out = (xa_faith_cost){.images = s->images && s->images < all ? s->images : all,
                           .each = xa_audit_check_passes(l->audit, m, k)};
    out->times = (double)out->images *
                 ((double)out->each.forward * info.flops_forward +
                  (double)out->each.backward * info.flops_backward) /
                 ((double)all * cost.plain);
    const double points = (double)(shape.blocks * shape.points) * (shape.probs ? 8.0 : 4.0);
    for (int e = 0; e < spec->models[m].nexplainers; e++) {
        const xa_explainer_spec *ex = &spec->models[m].explainers[e];
        out->bytes += (double)xa_counts_rows(&counts, ex->target, ex->top) *
                      (5.0 + 8.0 * shape.figures + points);
    }
}

static void check_faith(const xa_loaded *l, int m, int k, xa_problems *problems)
{
    const xa_faith_spec *s = &l->job.audit.faith[k];
    xa_faith_cost cost;
    xa_faith_cost_of(l, m, k, &cost);
    if (cost.times > MUCH)
        xa_problems_add(
            problems,
            l->job.file,
            l->job.model_line[m],
            true,
            "check \"%s\" costs %.0f times the plain run of model \"%s\": if that is too "
            "much, lower its `images`%s%s",
            s->name,
            cost.times,
            l->job.audit.models[m].name,
            xa_faith_has(s->kind, XA_FAITH_HAS_STEPS)   ? " or `steps`"
            : xa_faith_has(s->kind, XA_FAITH_HAS_DRAWS) ? " or `draws`"
                                                        : "",
            s->images ? "" : " (all images now)");
}

void xa_check_cost(const xa_loaded *l, xa_problems *problems)
{
    for (int m = 0; m < l->job.audit.nmodels; m++) {
        const xa_audit_model_spec *model = &l->job.audit.models[m];
        xa_cost cost;
        for (int k = 0; k < l->job.audit.nfaith && l->manifest; k++)
            check_faith(l, m, k, problems);
        xa_cost_of(l, m, &cost);
        if (cost.explainer < 0 || cost.asked <= MUCH * cost.plain)
            continue;
        const xa_explainer_spec *ex = &model->explainers[cost.explainer];
        xa_problems_add(
            problems,
            l->job.file,
            l->job.model_line[m],
            true,
            "model \"%s\": what its explainers ask about each image costs %.0f times the "
            "rest of the run, most of it \"%s\" (%.0f times): if that is too much, "
            "lower its `%s`",
            model->name,
            cost.asked / cost.plain,
            ex->name,
            cost.most / cost.plain,
            xa_explainer_cost_key(ex->kind));
    }
}
