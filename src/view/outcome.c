/* What an archive says about its run: accuracy against labels, failed samples. */
#include <inttypes.h>
#include <math.h>

#include "xaudit/view.h"

const char *xa_read_stage_name(uint8_t stage)
{
    static const char *const stages[] = {
        "", "reading", "decoding", "preprocessing", "model", "explaining"};
    return stage < sizeof stages / sizeof *stages ? stages[stage] : "?";
}

static const char *class_name(void *arg, int32_t c, char *buffer, size_t size)
{
    return xa_read_class(arg, c, buffer, size);
}

/* Images with one label that is a class. */
static xa_status
print_order(const xa_read *r, xa_read_model *m, FILE *out, bool *found, xa_err *err)
{
    xa_status st = XA_OK;
    xa_answers answers = {0};
    xa_class_order order = {0};
    xa_str text = {0};
    *found = false;
    for (int64_t i = 0; i < r->samples; i++)
        if (m->status[i] == XA_SAMPLE_DONE && r->label_offset[i] + 1 == r->label_offset[i + 1] &&
            r->label_value[r->label_offset[i]] < XA_CATEGORY)
            XA_TRY(
                err,
                xa_answers_add(&answers, r->label_value[r->label_offset[i]], m->predicted[i], err));
    XA_TRY(err, xa_class_order_find(&answers, &order, err));
    if (order.nmoved) {
        *found = true;
        xa_class_order_text(&order, class_name, m, &text);
        fprintf(out,
                "  %s: warning: class names seem to be in another order: %s (label, prediction); "
                "%.0f %% of "
                "these %" PRId64 " images fit then, %.0f %% as it is. Check the order of `classes` "
                "and of the labels before you trust a map of target: label.\n",
                m->name,
                text.data ? text.data : "",
                100.0 * (double)order.held / (double)order.images,
                order.images,
                100.0 * (double)order.right / (double)order.images);
    }
done:
    xa_answers_free(&answers);
    xa_class_order_free(&order);
    xa_str_free(&text);
    return st;
}

static xa_status print_accuracy(const xa_read *r, xa_read_model *m, FILE *out, xa_err *err)
{
    bool reordered = false;
    xa_answered answered;
    double guesses = 0.0; /* classes that are right, of each image */
    if (m->values) {
        fprintf(out, "  %s: its outputs are no classes, so no accuracy\n", m->name);
        return XA_OK;
    }
    for (int64_t i = 0; i < r->samples; i++) {
        if (m->status[i] != XA_SAMPLE_DONE || r->label_offset[i] == r->label_offset[i + 1])
            continue;
        int32_t most = 1;
        for (int64_t k = r->label_offset[i]; k < r->label_offset[i + 1]; k++) {
            const xa_category *set = xa_category_of(&r->categories, r->label_value[k]);
            most = set && set->count > most ? set->count : most;
        }
        guesses += (double)most;
    }
    xa_read_answered(r, m, &answered);
    const int64_t labelled = answered.n, right = answered.right;
    if (!labelled) {
        fprintf(out, "  %s: no labels, so no accuracy\n", m->name);
        return XA_OK;
    }
    const double accuracy = (double)right / (double)labelled,
                 chance = guesses / (double)labelled / (double)m->classes;
    fprintf(out,
            "  %s: accuracy %.1f %% (%" PRId64 " of %" PRId64 " labelled images; chance %.1f %%)\n",
            m->name,
            100.0 * accuracy,
            right,
            labelled,
            100.0 * chance);
    /* two standard errors above chance still look like chance */
    const double doubt = chance + 2.0 * sqrt(chance * (1.0 - chance) / (double)labelled);
    XA_RETURN_TRY(err, print_order(r, m, out, &reordered, err));
    if (labelled >= 10 && accuracy <= doubt && !reordered)
        fprintf(out,
                "  %s: warning: that is what guessing gives. Check `scale`, `resize`, the channel "
                "order and "
                "the class order before you trust a map.\n",
                m->name);
    return XA_OK;
}

static void print_failed(const xa_read *r, const xa_read_model *m, bool brief, FILE *out)
{
    int64_t failed = 0;
    const int64_t most = brief ? 3 : 10;
    for (int64_t i = 0; i < r->samples; i++) {
        char id[200], why[256];
        if (m->status[i] != XA_SAMPLE_FAILED || failed++ >= most)
            continue;
        xa_read_text(r->id, r->id_bytes, i, id, sizeof id);
        xa_read_text(m->message, m->message_bytes, i, why, sizeof why);
        fprintf(out, "  failed: %s (%s): %s\n", id, xa_read_stage_name(m->stage[i]), why);
    }
    if (failed > most)
        fprintf(out,
                "  ... and %" PRId64 " more failed: xaudit table ARCHIVE --csv lists them\n",
                failed - most);
}

static void count(const xa_read *r, xa_outcome *o)
{
    *o = (xa_outcome){.samples = r->samples};
    o->annotations = r->problem ? r->annotation_offset[r->samples] : 0;
    for (int64_t k = 0; k < o->annotations; k++)
        o->unused += !xa_annotation_used(r->problem[k]);
    for (int64_t i = 0; i < r->samples; i++) {
        bool pending = false, failed = false, excluded = false;
        for (int64_t m = 0; m < r->nmodels; m++) {
            pending = pending || r->models[m].status[i] == XA_SAMPLE_PENDING;
            failed = failed || r->models[m].status[i] == XA_SAMPLE_FAILED;
            excluded = excluded || r->models[m].status[i] == XA_SAMPLE_EXCLUDED;
        }
        if (pending)
            o->pending++;
        else if (failed)
            o->failed++;
        else if (excluded)
            o->excluded++;
        else
            o->done++;
    }
}

xa_status
xa_print_outcome(const char *archive, bool brief, FILE *out, xa_outcome *outcome, xa_err *err)
{
    xa_read *r = NULL;
    xa_status st = XA_OK;
    /* a run has no room for all of it, and wrote it itself; whoever looks at a file reads all */
    XA_RETURN_TRY(err,
                  brief ? xa_read_open(archive, &r, err) : xa_read_open_outcome(archive, &r, err));
    count(r, outcome);
    if (out) {
        fprintf(out,
                "  %" PRId64 " samples: %" PRId64 " done, %" PRId64 " failed, %" PRId64
                " excluded, %" PRId64 " pending\n",
                outcome->samples,
                outcome->done,
                outcome->failed,
                outcome->excluded,
                outcome->pending);
        for (int64_t m = 0; m < r->nmodels && st == XA_OK; m++) {
            st = print_accuracy(r, &r->models[m], out, err);
            print_failed(r, &r->models[m], brief, out);
        }
        if (st == XA_OK)
            st = xa_print_annotations(r, "  ", out, err);
    }
    xa_read_close(r);
    return st;
}
