/* What a run costs: passes, time and bytes of the images, of every explainer and of every check. */
#include <inttypes.h>
#include <stdlib.h>

#include "check_internal.h"
#include "xaudit/print.h"

/* Passes of each of so many images; shared: with one that stands above. */
typedef struct price {
    char name[96];
    double images, forward, backward, bytes;
    double making; /* seconds that the inputs of an image take to be made */
    bool shared;
} price;

static int64_t images_of(const xa_loaded *l)
{
    int64_t n = 0;
    for (int64_t i = 0; i < l->manifest->count; i++)
        n += !l->manifest->samples[i].exclude;
    return n;
}

/* Does an earlier explainer of the same target and score need the same backward pass? */
static bool shares(const xa_audit_model_spec *s, int e)
{
    const xa_explainer_spec *b = &s->explainers[e];
    for (int k = 0; k < e; k++) {
        const xa_explainer_spec *a = &s->explainers[k];
        if (xa_explainer_differentiates(a->kind) && !xa_explainer_get(a->kind)->consumer &&
            a->target == b->target && a->target_class == b->target_class && a->top == b->top &&
            a->score == b->score && a->as_tensorflow == b->as_tensorflow &&
            a->target_minus == b->target_minus && a->down == b->down && !a->has_input &&
            !b->has_input)
            return true;
    }
    return false;
}

static void price_explainer(const xa_loaded *l, int m, int e, const xa_counts *counts, price *out)
{
    const xa_audit_spec *spec = &l->job.audit;
    const xa_explainer_spec *ex = &spec->models[m].explainers[e];
    const xa_asks asks = xa_audit_asks(l->audit, m, e);
    const xa_shape map = xa_audit_map_shape(l->audit, m, e);
    const double rows = (double)xa_counts_rows(counts, ex->target, ex->top);
    const double all = (double)l->manifest->count, each = all > 0.0 ? rows / all : 0.0;
    const double other = spec->random_logit ? 2.0 : 1.0; /* maps of another class */
    *out = (price){.images = (double)images_of(l),
                   .bytes = rows * (double)xa_shape_count(&map) *
                            (double)(ex->half ? sizeof(uint16_t) : sizeof(float))};
    snprintf(out->name, sizeof out->name, "explainer %s", ex->name);
    if (asks.draws) {
        out->forward = other * each * (double)asks.draws;
        out->backward = other * each * (double)asks.gradients;
    } else if (xa_explainer_differentiates(ex->kind)) {
        out->shared = shares(&spec->models[m], e);
        out->backward = out->shared ? 0.0 : other * each;
    }
    out->forward += spec->masked ? 1.0 : 0.0; /* the image masked by the map */
}

static void put(FILE *out,
                const price *p,
                const xa_plan_info *info,
                const xa_pass_seconds *seconds,
                double plain,
                double total[3])
{
    char bytes[32];
    const double work = p->forward * info->flops_forward + p->backward * info->flops_backward;
    fputs("      ", out);
    xa_put_padded(out, p->name, 36);
    fprintf(out, " %9.0f %9.6g %9.6g%s", p->images, p->forward, p->backward, p->shared ? "*" : " ");
    fprintf(
        out, " %8.2f %10.4g", plain > 0.0 ? p->images * work / plain : 0.0, p->images * work / 1e9);
    total[0] += p->images * work / 1e9;
    total[1] += p->bytes;
    if (seconds) {
        const double each =
            p->forward * seconds->forward + p->backward * seconds->backward + p->making;
        fprintf(out, " %10.4g %10.4g", each, p->images * each / 3600.0);
        total[2] += p->images * each / 3600.0;
    }
    fprintf(out, "  %s\n", xa_bytes_text(p->bytes, bytes, sizeof bytes));
}

xa_status
xa_print_costs(const xa_loaded *l, int m, const xa_pass_seconds *seconds, FILE *out, xa_err *err)
{
    const xa_audit_spec *spec = &l->job.audit;
    const xa_audit_model_spec *s = &spec->models[m];
    xa_plan_info info;
    xa_counts counts;
    double total[3] = {0.0, 0.0, 0.0};
    xa_cost cost;
    bool shared = false;
    char bytes[32];
    price p = {.name = "the images", .images = (double)images_of(l), .forward = 1.0};
    if (!l->manifest || !l->audit)
        XA_RETURN_FAIL(err, XA_INVALID, "costs are those of a manifest and its models");
    xa_audit_plan_info(l->audit, m, &info);
    xa_counts_of(l->manifest, &counts);
    xa_cost_of(l, m, &cost);
    const double plain = p.images * cost.plain;
    fprintf(out,
            "    costs%-33s %9s %9s %9s %8s %11s%s  archive\n",
            "",
            "images",
            "forward",
            "backward",
            "x plain",
            "GFLOP",
            seconds ? "   s/image  core hours" : "");
    put(out, &p, &info, seconds, plain, total);
    for (int e = 0; e < s->nexplainers; e++) {
        price_explainer(l, m, e, &counts, &p);
        shared = shared || p.shared;
        put(out, &p, &info, seconds, plain, total);
    }
    for (int k = 0; k < spec->nfaith; k++) {
        xa_faith_cost c;
        xa_faith_cost_of(l, m, k, &c);
        p = (price){.images = (double)c.images,
                    .forward = (double)c.each.forward,
                    .backward = (double)c.each.backward,
                    .bytes = c.bytes};
        snprintf(p.name, sizeof p.name, "check %s", spec->faith[k].name);
        if (seconds)
            XA_RETURN_TRY(err, xa__input_seconds(l, m, k, &p.making, err));
        p.making *= p.forward;
        put(out, &p, &info, seconds, plain, total);
    }
    fputs("      ", out);
    xa_put_padded(out, "in all", 36);
    fprintf(out,
            " %9s %9s %9s %9.2f %10.4g",
            "",
            "",
            "",
            plain > 0.0 ? 1e9 * total[0] / plain : 0.0,
            total[0]);
    if (seconds)
        fprintf(out, " %10s %10.4g", "", total[2]);
    fprintf(out, "  %s\n", xa_bytes_text(total[1], bytes, sizeof bytes));
    fputs("      forward, backward: passes of an image; x plain: of the run without what asks "
          "again\n",
          out);
    if (shared)
        fputs("      *: shares the backward pass of an explainer above\n", out);
    return XA_OK;
}

xa_status xa_check_times(const xa_loaded *l, FILE *out, xa_err *err)
{
    xa_trial t;
    const xa_status st = xa_trial_start(l, &t, err);
    for (int m = 0; st == XA_OK && m < l->job.audit.nmodels; m++) {
        const xa_pass_seconds seconds = xa_audit_time(l->audit, m);
        fprintf(out,
                "model %s on one core here, measured: %.4g ms a forward pass of an image and %.4g "
                "ms a backward pass, of batches of %" PRId64 "\n",
                l->job.audit.models[m].name,
                1e3 * seconds.forward,
                1e3 * seconds.backward,
                xa_audit_batch(l->audit, m));
        const xa_status printed = xa_print_costs(l, m, &seconds, out, err);
        if (printed != XA_OK) {
            xa_trial_end(&t);
            return printed;
        }
    }
    xa_trial_end(&t);
    return st;
}
