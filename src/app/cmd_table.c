/* xaudit table: the archive as lines: a first look, or tidy CSV. */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "reader.h"

/* RFC 4180: quoted where needed. */
static void csv_text(const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void csv_number(double v)
{
    if (isfinite(v))
        printf("%.9g", v);
}

static const char *status_text(uint8_t s)
{
    static const char *const names[] = {"pending", "done", "failed", "excluded"};
    return s < 4 ? names[s] : "?";
}

/* ---- pairs of samples, sorted by sample ---- */

static int64_t first_pair(const xa_read *r, int64_t sample)
{
    int64_t low = 0, high = r->pairs;
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        if (r->pair_sample[mid] < sample)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int64_t first_row(const xa_read_map *x, int64_t sample)
{
    int64_t low = 0, high = x->rows;
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        if (x->sample[mid] < sample)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* ---- tidy CSV: one line per (image, map row), annotated class beside it ---- */

typedef struct extra_columns {
    char **names;
    char **data;
    size_t *bytes;
    int64_t count;
} extra_columns;

static void free_extra(extra_columns *x)
{
    for (int64_t k = 0; k < x->count; k++) {
        free(x->names[k]);
        if (x->data)
            free(x->data[k]);
    }
    free(x->names);
    free(x->data);
    free(x->bytes);
}

/* split, group, exclude and every further manifest column. */
static xa_status load_extra(xa_read *r, extra_columns *x, xa_err *err)
{
    static const char *const fixed[] = {"path", "split", "group", "exclude"};
    char **further = NULL;
    int64_t n = 0;
    xa_status st = xa_archive_list(r->archive, "/samples/extra", &further, &n, err);
    if (st == XA_NOT_FOUND) {
        n = 0;
        st = XA_OK;
    }
    XA_TRY(err, st);
    x->names = xa_alloc((size_t)n + 4, sizeof(char *));
    x->data = xa_alloc((size_t)n + 4, sizeof(char *));
    x->bytes = xa_alloc((size_t)n + 4, sizeof(size_t));
    if (!x->names || !x->data || !x->bytes)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    for (int64_t k = 0; k < n + 4; k++) {
        xa_dataset_info info;
        void *data = NULL;
        char *path = k < 4 ? xa_strfmt("/samples/%s", fixed[k])
                           : xa_strfmt("/samples/extra/%s", further[k - 4]);
        x->names[k] = xa_strdup(k < 4 ? fixed[k] : further[k - 4]);
        if (!path || !x->names[k]) {
            free(path);
            XA_FAIL(err, XA_NOMEM, "out of memory");
        }
        st = xa_archive_read_all(r->archive, path, &info, &data, err);
        free(path);
        XA_TRY(err, st);
        if (info.type != XA_TYPE_STR || info.ndim != 1 || info.dim[0] != r->samples) {
            free(data);
            XA_FAIL(err, XA_FORMAT, "%s: expected a text for each sample", info.path);
        }
        x->data[k] = data;
        x->bytes[k] = info.item_bytes;
        x->count = k + 1;
    }
done:
    for (int64_t k = 0; further && k < n; k++)
        free(further[k]);
    free(further);
    return st;
}

static void csv_head(const xa_read *r, const extra_columns *x)
{
    fputs("id,label,model,status,message,predicted,prob_predicted,explainer,target,prob_target,"
          "degenerate,nonfinite,maximum,peak_x,peak_y,annotated_class",
          stdout);
    /* metrics of all explainers, each name once, in order */
    for (int64_t m = 0; m < r->nmodels; m++)
        for (int64_t e = 0; e < r->models[m].nmaps; e++)
            for (int64_t k = 0; k < r->models[m].maps[e].nmetrics; k++)
                if (m == 0 && e == 0) {
                    putchar(',');
                    csv_text(r->models[m].maps[e].metrics[k]);
                }
    for (int64_t k = 0; k < x->count; k++) {
        putchar(',');
        csv_text(x->names[k]);
    }
    putchar('\n');
}

static void csv_labels(const xa_read *r, const xa_read_model *m, int64_t i)
{
    char name[200];
    xa_str all = {0};
    for (int64_t k = r->label_offset[i]; k < r->label_offset[i + 1]; k++) {
        if (all.len)
            xa_str_puts(&all, "|");
        xa_str_puts(&all, xa_read_class(m, r->label_value[k], name, sizeof name));
    }
    csv_text(all.data ? all.data : "");
    xa_str_free(&all);
}

static void csv_line(const xa_read *r,
                     const xa_read_model *m,
                     const xa_read_map *x,
                     int64_t i,
                     int64_t row,
                     int64_t pair,
                     const extra_columns *extra)
{
    char text[1024], name[200];
    const bool done = m->status[i] == XA_SAMPLE_DONE;
    xa_read_text(r->id, r->id_bytes, i, text, sizeof text);
    csv_text(text);
    putchar(',');
    csv_labels(r, m, i);
    printf(",%s,%s,", m->name, status_text(m->status[i]));
    xa_read_text(m->message, m->message_bytes, i, text, sizeof text);
    csv_text(text);
    putchar(',');
    if (done)
        csv_text(xa_read_class(m, m->predicted[i], name, sizeof name));
    putchar(',');
    if (done)
        csv_number((double)m->probs[i * m->classes + m->predicted[i]]);
    putchar(',');
    csv_text(x ? x->name : "");
    putchar(',');
    if (done && row >= 0) {
        csv_text(xa_read_class(m, x->target[row], name, sizeof name));
        putchar(',');
        if (x->target[row] >= 0 && x->target[row] < m->classes)
            csv_number((double)m->probs[i * m->classes + x->target[row]]);
        printf(",%d,%d,",
               x->flags[row] & XA_MAP_DEGENERATE ? 1 : 0,
               x->flags[row] & XA_MAP_NONFINITE ? 1 : 0);
        csv_number((double)x->maximum[row]);
        putchar(',');
        csv_number((double)x->peak[2 * row]);
        putchar(',');
        csv_number((double)x->peak[2 * row + 1]);
        putchar(',');
    } else {
        fputs(",,,,,,,", stdout);
    }
    if (pair >= 0)
        csv_text(xa_read_class(m, r->pair_class[pair], name, sizeof name));
    for (int64_t k = 0; x && k < x->nmetrics; k++) {
        putchar(',');
        if (pair >= 0)
            csv_number(x->localisation[k][pair]);
    }
    for (int64_t k = 0; k < extra->count; k++) {
        xa_read_text(extra->data[k], extra->bytes[k], i, text, sizeof text);
        putchar(',');
        csv_text(text);
    }
    putchar('\n');
}

/* The map row scored for a class: the one that explains it, else the sample's only one. */
static int64_t row_of_pair(const xa_read_map *x, int64_t sample, int32_t class_index)
{
    const int64_t first = first_row(x, sample);
    int64_t n = 0;
    for (int64_t k = first; k < x->rows && x->sample[k] == sample; k++, n++)
        if (x->target[k] == class_index)
            return k;
    return n == 1 ? first : -1;
}

static void
csv_sample(const xa_read *r, const xa_read_model *m, int64_t i, const extra_columns *extra)
{
    if (!m->nmaps)
        csv_line(r, m, NULL, i, -1, -1, extra);
    for (int64_t e = 0; e < m->nmaps; e++) {
        const xa_read_map *x = &m->maps[e];
        const int64_t pair = first_pair(r, i), row = first_row(x, i);
        const bool has_pair = pair < r->pairs && r->pair_sample[pair] == i;
        const bool has_row = row < x->rows && x->sample[row] == i;
        if (has_pair) {
            for (int64_t q = pair; q < r->pairs && r->pair_sample[q] == i; q++)
                csv_line(r, m, x, i, row_of_pair(x, i, r->pair_class[q]), q, extra);
        } else if (has_row) {
            for (int64_t k = row; k < x->rows && x->sample[k] == i; k++)
                csv_line(r, m, x, i, k, -1, extra);
        } else {
            csv_line(r, m, x, i, -1, -1, extra);
        }
    }
}

/* ---- a first look ---- */

static void look_line(const xa_read *r, const xa_read_model *m, int64_t i)
{
    char id[64], predicted[32], label[32] = "-";
    xa_read_text(r->id, r->id_bytes, i, id, sizeof id);
    if (r->label_offset[i + 1] - r->label_offset[i] == 1)
        xa_read_class(m, r->label_value[r->label_offset[i]], label, sizeof label);
    if (m->status[i] != XA_SAMPLE_DONE) {
        char why[128];
        xa_read_text(m->message, m->message_bytes, i, why, sizeof why);
        printf("%-30.30s %-12.12s %s %s\n", id, label, status_text(m->status[i]), why);
        return;
    }
    xa_read_class(m, m->predicted[i], predicted, sizeof predicted);
    printf("%-30.30s %-12.12s %-12.12s %6.3f%s",
           id,
           label,
           predicted,
           (double)m->probs[i * m->classes + m->predicted[i]],
           r->label_offset[i] == r->label_offset[i + 1] ? "  "
           : xa_read_has_label(r, i, m->predicted[i])   ? "  "
                                                        : " *");
    const int64_t pair = first_pair(r, i);
    for (int64_t e = 0; e < m->nmaps; e++) {
        const xa_read_map *x = &m->maps[e];
        const int64_t row = first_row(x, i);
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
        for (int64_t e = 0; e < m->nmaps; e++)
            printf("  %-21.21s", m->maps[e].name);
        printf("\n%-30s %-12s %-12s %6s  ", "", "", "", "");
        for (int64_t e = 0; e < m->nmaps; e++)
            printf("  %-21s", "peak at (x,y), box");
        putchar('\n');
        for (int64_t i = 0; i < r->samples; i++)
            look_line(r, m, i);
        any = any || (m->nmaps && m->maps[0].nmetrics);
    }
    if (any)
        puts("every metric over the data set, with intervals: xaudit summary");
}

int xa_cmd_table(int argc, char **argv)
{
    static const struct option list[] = {{"csv", no_argument, NULL, 'c'}, {NULL, 0, NULL, 0}};
    xa_err err = XA_ERR_INIT;
    xa_read *r = NULL;
    bool csv = false;
    int c;
    optind = 1;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", list, NULL)) != -1) {
        if (c != 'c') {
            fprintf(
                stderr, "xaudit table: unknown option %s; see xaudit --help\n", argv[optind - 1]);
            return XA_EXIT_USAGE;
        }
        csv = true;
    }
    if (optind != argc - 1) {
        fprintf(stderr, "xaudit table: expected one archive; see xaudit --help\n");
        return XA_EXIT_USAGE;
    }
    const xa_status st = xa_read_open(argv[optind], &r, &err);
    if (st != XA_OK) {
        xa_print_error(&err);
        return XA_EXIT_FAILED;
    }
    if (csv) {
        extra_columns extra = {0};
        if (load_extra(r, &extra, &err) != XA_OK) {
            xa_print_error(&err);
            free_extra(&extra);
            xa_read_close(r);
            return XA_EXIT_FAILED;
        }
        csv_head(r, &extra);
        for (int64_t i = 0; i < r->samples; i++)
            for (int64_t m = 0; m < r->nmodels; m++)
                csv_sample(r, &r->models[m], i, &extra);
        free_extra(&extra);
    } else {
        look(r);
    }
    xa_read_close(r);
    return fflush(stdout) || ferror(stdout) ? XA_EXIT_FAILED : XA_EXIT_DONE;
}
