/* Targets of explainers: whether the model has them, and which class a map row explains. */
#include <inttypes.h>

#include "audit_internal.h"

/* ---- are they the model's ---- */

/* Whether the model has the class or output that an explainer names. */
static xa_status
check_class(const xa_audit_model *am, const xa_explainer_spec *ex, int32_t c, xa_err *err)
{
    const xa_head *h = xa_model_head(am->model);
    const bool unit = ex->target == XA_TARGET_UNIT;
    if (c >= 0 && c < h->classes)
        return XA_OK;
    XA_RETURN_FAIL(err,
                   XA_INVALID,
                   "explainer \"%s\": %s %d, but the model has %" PRId64 " %s%s",
                   ex->name,
                   unit ? "unit" : "class",
                   (int)c,
                   h->classes,
                   unit              ? "output"
                   : h->classes == 1 ? "class"
                                     : "classes",
                   unit && h->classes > 1 ? "s" : "");
}

static xa_status check_target(const xa_audit_model *am, const xa_explainer_spec *ex, xa_err *err)
{
    const xa_head *h = xa_model_head(am->model);
    const bool plain = !xa_head_has_probs(h->kind), values = h->kind == XA_HEAD_REGRESSION;
    if (values && ex->target != XA_TARGET_UNIT && ex->target != XA_TARGET_NONE)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "explainer \"%s\": target %s is a class, and the outputs of a model of "
                       "`head: regression` are none; write target: { unit: 0 }",
                       ex->name,
                       xa_target_name(ex->target));
    if (ex->target == XA_TARGET_UNIT && !plain)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "explainer \"%s\": target { unit: %d } is an output that is no class, and "
                       "the outputs of a model of head %s are classes; write target: { class: %d }",
                       ex->name,
                       (int)ex->target_class,
                       xa_head_name(h->kind),
                       (int)ex->target_class);
    if (ex->target_class >= 0)
        XA_RETURN_TRY(err, check_class(am, ex, ex->target_class, err));
    if (ex->target_minus >= 0)
        XA_RETURN_TRY(err, check_class(am, ex, ex->target_minus, err));
    if (ex->top > h->classes)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "explainer \"%s\": target { top: %d }, but the model has %" PRId64
                       " classes",
                       ex->name,
                       (int)ex->top,
                       h->classes);
    if (ex->score == XA_SCORE_FINER && (h->kind != XA_HEAD_SOFTMAX || h->classes < 2))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "explainer \"%s\": score: finer compares a class with the classes nearest "
                       "to it under a softmax, and the model's head is \"%s\", of %" PRId64
                       " classes; write another score",
                       ex->name,
                       xa_head_name(h->kind),
                       h->classes);
    if (ex->score == XA_SCORE_FINER && ex->target_minus >= 0)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "explainer \"%s\": score: finer compares a class with others already; write "
                       "score: logit beside { class, minus }",
                       ex->name);
    if (ex->score == XA_SCORE_FINER && xa_explainer_get(ex->kind)->consumer)
        XA_RETURN_FAIL(
            err,
            XA_INVALID,
            "explainer \"%s\": score: finer compares the class with those nearest to it, "
            "which differ from one perturbed input to the next, so that %s is not "
            "defined for it; write another score",
            ex->name,
            xa_explainer_get(ex->kind)->name);
    if (ex->score != XA_SCORE_LOGIT && plain)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "explainer \"%s\": score %s needs probabilities, and `head: %s` gives "
                       "none; write score: logit, or the head that the scores belong to",
                       ex->name,
                       xa_score_name(ex->score),
                       xa_head_name(h->kind));
    return XA_OK;
}

xa_status xa_audit_check_targets(const xa_audit_model *am, xa_err *err)
{
    for (int e = 0; e < am->spec->nexplainers; e++)
        XA_RETURN_TRY(err, check_target(am, &am->spec->explainers[e], err));
    return XA_OK;
}

/* ---- of a row ---- */

/* The class of the j-th highest score, of equal ones the first; j < classes. */
static int32_t nth_best(const float *logits, int64_t classes, int32_t j)
{
    int32_t last = -1; /* the one before it */
    for (int32_t r = 0; r <= j; r++) {
        int32_t best = -1;
        for (int32_t c = 0; c < (int32_t)classes; c++) {
            const bool left =
                last < 0 || logits[c] < logits[last] || (logits[c] == logits[last] && c > last);
            if (left && (best < 0 || logits[c] > logits[best]))
                best = c;
        }
        last = best;
    }
    return last;
}

int32_t xa_batch_target(const xa_batch *b, const xa_pass_group *g, int64_t i, int32_t j)
{
    const int64_t slot = b->first + i;
    const xa_sample *s = &b->samples[slot];
    if (!xa_batch_lives(b, i) || j >= xa_rows_of_sample(g->rule, g->top, s))
        return -1;
    const int64_t classes = xa_model_head(b->am->model)->classes;
    const float *logits = b->out->logits + slot * classes;
    switch (g->rule) {
    case XA_TARGET_PREDICTED:
        return b->out->predicted[slot];
    case XA_TARGET_CLASS:
    case XA_TARGET_DIFFERENCE:
    case XA_TARGET_UNIT:
        return g->target_class;
    case XA_TARGET_TOP:
        return nth_best(logits, classes, j);
    case XA_TARGET_LABEL:
        return xa_category_target(s->categories, s->labels[j], logits, classes);
    case XA_TARGET_ANNOTATED: {
        /* the unit's pairs hold the sorted classes of each slot */
        int64_t q = 0;
        while (q < b->rows->npairs && b->rows->pair_slot[q] < slot)
            q++;
        return xa_category_target(s->categories, b->rows->pair_class[q + j], logits, classes);
    }
    default:
        return -1;
    }
}
