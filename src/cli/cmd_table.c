/* xaudit table: one line per image for a first look, or tidy CSV. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "xaudit/job.h"
#include "xaudit/print.h"

/* ---- a first look ---- */

static void look_line(const xa_read *r, const xa_read_model *m, int64_t i)
{
    char id[128], predicted[128], label[128] = "-";
    xa_read_text(r->id, r->id_bytes, i, id, sizeof id);
    if (r->label_offset[i + 1] - r->label_offset[i] == 1)
        xa_read_class(m, r->label_value[r->label_offset[i]], label, sizeof label);
    if (m->status[i] != XA_SAMPLE_DONE) {
        char why[128];
        xa_read_text(m->message, m->message_bytes, i, why, sizeof why);
        xa_put_padded(stdout, id, 30);
        putchar(' ');
        xa_put_padded(stdout, label, 12);
        printf(" %s %s\n", xa_read_status_name(m->status[i]), why);
        return;
    }
    const int32_t answer = m->predicted[i];
    if (answer >= 0)
        xa_read_class(m, answer, predicted, sizeof predicted);
    else
        snprintf(predicted, sizeof predicted, "-"); /* the outputs are no classes */
    xa_put_padded(stdout, id, 30);
    putchar(' ');
    xa_put_padded(stdout, label, 12);
    putchar(' ');
    xa_put_padded(stdout, predicted, 12);
    const float prob = answer >= 0 ? m->probs[i * m->classes + answer] : NAN;
    if (isfinite(prob))
        printf(" %6.3f", (double)prob);
    else
        printf(" %6s", "-"); /* the head gives no probabilities */
    printf("%s",
           r->label_offset[i] == r->label_offset[i + 1]    ? "  "
           : answer < 0 || xa_read_has_label(r, i, answer) ? "  "
                                                           : " *");
    const int64_t pair = xa_read_first_pair(r, i);
    for (int64_t e = 0; e < m->nmaps; e++) {
        const xa_read_map *x = &m->maps[e];
        const int64_t row = xa_read_first_row(x, i);
        char peak[32] = "-";
        const char *where = "";
        if (row < x->rows && x->sample[row] == i && isfinite((double)x->peak[2 * row]))
            snprintf(peak,
                     sizeof peak,
                     "(%.0f,%.0f)",
                     floor((double)x->peak[2 * row]),
                     floor((double)x->peak[2 * row + 1]));
        if (pair < r->pairs && r->pair_sample[pair] == i && x->pointing >= 0) {
            const double hit = x->localisation[x->pointing][pair];
            where = isnan(hit) ? "undefined" : hit > 0.5 ? "inside" : "outside";
        }
        printf("  %-11s %-9s", peak, where);
    }
    putchar('\n');
}

static void look(const xa_read *r)
{
    bool any = false;
    for (int64_t k = 0; k < r->nmodels; k++) {
        const xa_read_model *m = &r->models[k];
        printf("model %s%s\n", m->name, "   (* the prediction is not the label)");
        printf("%-30s %-12s %-12s %6s  ", "image", "label", "predicted", "prob");
        for (int64_t e = 0; e < m->nmaps; e++) {
            fputs("  ", stdout);
            xa_put_padded(stdout, m->maps[e].name, 21);
        }
        printf("\n%-30s %-12s %-12s %6s  ", "", "", "", "");
        for (int64_t e = 0; e < m->nmaps; e++)
            printf("  %-21s", "peak at (x,y), box");
        putchar('\n');
        for (int64_t i = 0; i < r->samples; i++)
            look_line(r, m, i);
        any = any || (m->nmaps && m->maps[0].nmetrics);
    }
    if (any)
        puts("xaudit summary prints every metric over the data set, with intervals");
}

int xa_cmd_table(const xa_args *a)
{
    xa_err err = XA_ERR_INIT;
    xa_read *r = NULL;
    xa_status st = xa_read_open(a->positional[0], &r, &err);
    if (st == XA_OK)
        st = xa_versions_warn(r->archive, a->positional[0], &err);
    if (st != XA_OK) {
        xa_read_close(r);
        xa_print_error(&err);
        return XA_EXIT_FAILED;
    }
    const bool json = xa__args_has(a, XA_OPT_JSON_TABLE);
    if (json || xa__args_has(a, XA_OPT_CSV_TABLE)) {
        if (xa__table_rows(r, json, stdout, &err) != XA_OK) {
            xa_print_error(&err);
            xa_read_close(r);
            return XA_EXIT_FAILED;
        }
    } else {
        look(r);
    }
    xa_read_close(r);
    return XA_EXIT_DONE;
}
