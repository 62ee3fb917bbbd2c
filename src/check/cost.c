/* What explainers ask of a model, beside what the images themselves cost. */
#include "xaudit/check.h"

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

void xa_check_cost(const xa_loaded *l, xa_problems *problems)
{
    for (int m = 0; m < l->job.audit.nmodels; m++) {
        const xa_audit_model_spec *model = &l->job.audit.models[m];
        xa_cost cost;
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
