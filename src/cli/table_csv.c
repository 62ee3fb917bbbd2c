/* The archive as tidy CSV: one line per image, map and annotated class.
 *
 * The header and the rows come from one list of columns. A column has a name and a function that
 * writes its field. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "xaudit/print.h"

/* What a line is about. x is NULL if the model has no map, row and pair are -1 if there is none. */
typedef struct line {
    const xa_read *r;
    const xa_read_model *m;
    const xa_read_map *x;
    int64_t i, row, pair;
} line;

typedef struct column {
    char *name;
    void (*put)(FILE *out, const line *l, const struct column *c);
    const char *source; /* METRIC, CHECKED: its name in the archive */
    int check;          /* CHECK; of CHECKED: the figure, -1: the status */
    char *texts;        /* MANIFEST: [samples], owned */
    size_t bytes;
} column;

typedef struct columns {
    column *list;
    size_t n, cap;
} columns;

/* ---- fields ---- */

static bool is_done(const line *l)
{
    return l->m->status[l->i] == XA_SAMPLE_DONE;
}

static bool has_row(const line *l)
{
    return is_done(l) && l->row >= 0;
}

static void put_id(FILE *out, const line *l, const column *c)
{
    (void)c;
    char text[1024];
    xa_read_text(l->r->id, l->r->id_bytes, l->i, text, sizeof text);
    xa_csv_text(out, text);
}

static void put_label(FILE *out, const line *l, const column *c)
{
    (void)c;
    char name[200];
    xa_str all = {0};
    for (int64_t k = l->r->label_offset[l->i]; k < l->r->label_offset[l->i + 1]; k++) {
        if (all.len)
            xa_str_puts(&all, "|");
        xa_str_puts(&all, xa_read_class(l->m, l->r->label_value[k], name, sizeof name));
    }
    xa_csv_text(out, all.data ? all.data : "");
    xa_str_free(&all);
}

static void put_model(FILE *out, const line *l, const column *c)
{
    (void)c;
    xa_csv_text(out, l->m->name);
}

static void put_status(FILE *out, const line *l, const column *c)
{
    (void)c;
    xa_csv_text(out, xa_read_status_name(l->m->status[l->i]));
}

static void put_message(FILE *out, const line *l, const column *c)
{
    (void)c;
    char text[1024];
    xa_read_text(l->m->message, l->m->message_bytes, l->i, text, sizeof text);
    xa_csv_text(out, text);
}

static void put_class(FILE *out, const line *l, int32_t class_index)
{
    char name[200];
    xa_csv_text(out, xa_read_class(l->m, class_index, name, sizeof name));
}

static void put_probability(FILE *out, const line *l, int32_t class_index)
{
    if (class_index >= 0 && class_index < l->m->classes)
        xa_csv_number(out, (double)l->m->probs[l->i * l->m->classes + class_index]);
}

static void put_predicted(FILE *out, const line *l, const column *c)
{
    (void)c;
    if (is_done(l) && !l->m->values)
        put_class(out, l, l->m->predicted[l->i]);
}

static void put_prob_predicted(FILE *out, const line *l, const column *c)
{
    (void)c;
    if (is_done(l))
        put_probability(out, l, l->m->predicted[l->i]);
}

static void put_explainer(FILE *out, const line *l, const column *c)
{
    (void)c;
    xa_csv_text(out, l->x ? l->x->name : "");
}

static void put_target(FILE *out, const line *l, const column *c)
{
    (void)c;
    char text[256];
    if (has_row(l))
        xa_csv_text(out, xa_read_target_text(l->m, l->x, l->row, text, sizeof text));
}

static void put_prob_target(FILE *out, const line *l, const column *c)
{
    (void)c;
    if (has_row(l))
        put_probability(out, l, l->x->target[l->row]);
}

static void put_flag(FILE *out, const line *l, uint8_t flag)
{
    if (has_row(l))
        fputc(l->x->flags[l->row] & flag ? '1' : '0', out);
}

static void put_degenerate(FILE *out, const line *l, const column *c)
{
    (void)c;
    put_flag(out, l, XA_MAP_DEGENERATE);
}

static void put_nonfinite(FILE *out, const line *l, const column *c)
{
    (void)c;
    put_flag(out, l, XA_MAP_NONFINITE);
}

static void put_maximum(FILE *out, const line *l, const column *c)
{
    (void)c;
    if (has_row(l))
        xa_csv_number(out, (double)l->x->maximum[l->row]);
}

static void put_peak_x(FILE *out, const line *l, const column *c)
{
    (void)c;
    if (has_row(l))
        xa_csv_number(out, (double)l->x->peak[2 * l->row]);
}

static void put_peak_y(FILE *out, const line *l, const column *c)
{
    (void)c;
    if (has_row(l))
        xa_csv_number(out, (double)l->x->peak[2 * l->row + 1]);
}

static void put_annotated_class(FILE *out, const line *l, const column *c)
{
    (void)c;
    if (l->pair >= 0)
        put_class(out, l, l->r->pair_class[l->pair]);
}

static void put_metric(FILE *out, const line *l, const column *c)
{
    for (int64_t k = 0; l->x && l->pair >= 0 && k < l->x->nmetrics; k++)
        if (!strcmp(l->x->metrics[k], c->source))
            xa_csv_number(out, l->x->localisation[k][l->pair]);
}

static void put_check(FILE *out, const line *l, const column *c)
{
    if (has_row(l) && l->x->check[c->check])
        xa_csv_number(out, l->x->check[c->check][l->row]);
}

/* The check of this name; NULL: the explainer has none. */
static const xa_read_checked *checked_of(const xa_read_map *x, const char *name)
{
    for (int64_t k = 0; k < x->nchecked; k++)
        if (!strcmp(x->checked[k].name, name))
            return &x->checked[k];
    return NULL;
}

/* The map's place among those that the check looked at; -1: it is none of them. */
static int64_t place_of(const xa_read_checked *c, int64_t row)
{
    int64_t low = 0, high = c->n;
    while (low < high) {
        const int64_t at = low + (high - low) / 2;
        if (c->row[at] < row)
            low = at + 1;
        else
            high = at;
    }
    return low < c->n && c->row[low] == row ? low : -1;
}

static void put_checked(FILE *out, const line *l, const column *c)
{
    const xa_read_checked *k = has_row(l) ? checked_of(l->x, c->source) : NULL;
    const int64_t at = k ? place_of(k, l->row) : -1;
    if (k && c->check < 0)
        xa_csv_text(out, xa_faith_status_name(at < 0 ? XA_CHECKED_NOT_SAMPLED : k->status[at]));
    else if (at >= 0 && c->check < k->nfigures)
        xa_csv_number(out, k->value[c->check][at]);
}

static void put_completeness(FILE *out, const line *l, const column *c)
{
    (void)c;
    if (has_row(l) && l->x->completeness)
        xa_csv_number(out, l->x->completeness[l->row]);
}

static void put_manifest(FILE *out, const line *l, const column *c)
{
    char text[1024];
    xa_read_text(c->texts, c->bytes, l->i, text, sizeof text);
    xa_csv_text(out, text);
}

/* ---- the list ---- */

static const struct {
    const char *name;
    void (*put)(FILE *, const line *, const column *);
} fixed[] = {{"id", put_id},
             {"label", put_label},
             {"model", put_model},
             {"status", put_status},
             {"message", put_message},
             {"predicted", put_predicted},
             {"prob_predicted", put_prob_predicted},
             {"explainer", put_explainer},
             {"target", put_target},
             {"prob_target", put_prob_target},
             {"degenerate", put_degenerate},
             {"nonfinite", put_nonfinite},
             {"maximum", put_maximum},
             {"peak_x", put_peak_x},
             {"peak_y", put_peak_y},
             {"annotated_class", put_annotated_class}};

/* Adds a column. If its name is taken, a word for its origin is put before it. */
static xa_status
add(columns *c, const char *name, const char *from, const column *like, xa_err *err)
{
    bool taken = false;
    for (size_t k = 0; k < c->n; k++)
        taken = taken || !strcmp(c->list[k].name, name);
    XA_RETURN_TRY(err, xa_grow(&c->list, &c->cap, c->n + 1, sizeof *c->list, err));
    c->list[c->n] = *like;
    c->list[c->n].name = taken ? xa_strfmt("%s.%s", from, name) : xa_strdup(name);
    if (!c->list[c->n++].name)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

static xa_status
add_manifest(columns *c, xa_read *r, const char *path, const char *name, xa_err *err)
{
    xa_dataset_info info;
    void *data = NULL;
    XA_RETURN_TRY(err, xa_archive_read_all(r->archive, path, &info, &data, err));
    if (info.type != XA_TYPE_STR || info.ndim != 1 || info.dim[0] != r->samples) {
        free(data);
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: expected a text for each sample", path);
    }
    const column like = {.put = put_manifest, .texts = data, .bytes = info.item_bytes};
    const size_t before = c->n;
    const xa_status st = add(c, name, "manifest", &like, err);
    if (c->n == before)
        free(data); /* otherwise the list owns it */
    return st;
}

/* Adds path, split, group, exclude and every further column of the manifest. */
static xa_status add_manifest_columns(columns *c, xa_read *r, xa_err *err)
{
    static const char *const own[] = {"path", "split", "group", "exclude"};
    char **further = NULL;
    int64_t n = 0;
    xa_status st = xa_archive_list(r->archive, XA_GROUP_EXTRA, &further, &n, err);
    if (st == XA_NOT_FOUND) {
        *err = (xa_err)XA_ERR_INIT;
        n = 0;
        st = XA_OK;
    }
    XA_TRY(err, st);
    for (int64_t k = 0; k < n + 4; k++) {
        const char *name = k < 4 ? own[k] : further[k - 4];
        char *path = xa_strfmt(k < 4 ? XA_GROUP_SAMPLES "/%s" : XA_GROUP_EXTRA "/%s", name);
        if (!path)
            XA_NOMEM_FAIL(err);
        st = add_manifest(c, r, path, name, err);
        free(path);
        XA_TRY(err, st);
    }
done:
    for (int64_t k = 0; further && k < n; k++)
        free(further[k]);
    free(further);
    return st;
}

/* Adds the metrics of all explainers, each name once. */
static xa_status add_metrics(columns *c, const xa_read *r, xa_err *err)
{
    const size_t first = c->n;
    for (int64_t m = 0; m < r->nmodels; m++)
        for (int64_t e = 0; e < r->models[m].nmaps; e++) {
            const xa_read_map *x = &r->models[m].maps[e];
            for (int64_t k = 0; k < x->nmetrics; k++) {
                const column like = {.put = put_metric, .source = x->metrics[k]};
                bool there = false;
                for (size_t j = first; j < c->n; j++)
                    there = there || !strcmp(c->list[j].source, x->metrics[k]);
                if (!there)
                    XA_RETURN_TRY(err, add(c, x->metrics[k], "metric", &like, err));
            }
        }
    return XA_OK;
}

/* Adds the figures of a check, and its status, which says why a map has none. */
static xa_status add_checked(columns *c, const xa_read_checked *k, xa_err *err)
{
    column like = {.put = put_checked, .source = k->name};
    for (size_t j = 0; j < c->n; j++)
        if (c->list[j].put == put_checked && !strcmp(c->list[j].source, k->name))
            return XA_OK;
    for (like.check = 0; like.check < k->nfigures; like.check++)
        XA_RETURN_TRY(err, add(c, k->figure[like.check], "check", &like, err));
    like.check = -1;
    char *name = xa_strfmt("%s.status", k->name);
    if (!name)
        XA_RETURN_NOMEM(err);
    const xa_status st = add(c, name, "check", &like, err);
    free(name);
    return st;
}

static xa_status add_checks(columns *c, const xa_read *r, xa_err *err)
{
    for (int k = 0; k < XA_CHECK_COUNT; k++) {
        bool any = false;
        for (int64_t m = 0; m < r->nmodels; m++)
            for (int64_t e = 0; e < r->models[m].nmaps; e++)
                any = any || r->models[m].maps[e].check[k];
        const column like = {.put = put_check, .check = k};
        if (any)
            XA_RETURN_TRY(err, add(c, xa_check_name((xa_check_kind)k), "check", &like, err));
    }
    for (int64_t m = 0; m < r->nmodels; m++)
        for (int64_t e = 0; e < r->models[m].nmaps; e++)
            for (int64_t k = 0; k < r->models[m].maps[e].nchecked; k++)
                XA_RETURN_TRY(err, add_checked(c, &r->models[m].maps[e].checked[k], err));
    bool adds_up = false;
    for (int64_t m = 0; m < r->nmodels; m++)
        for (int64_t e = 0; e < r->models[m].nmaps; e++)
            adds_up = adds_up || r->models[m].maps[e].completeness;
    const column like = {.put = put_completeness};
    if (adds_up)
        XA_RETURN_TRY(err, add(c, "completeness", "fact", &like, err));
    return XA_OK;
}

static void columns_fini(columns *c)
{
    for (size_t k = 0; k < c->n; k++) {
        free(c->list[k].name);
        free(c->list[k].texts);
    }
    free(c->list);
}

/* ---- lines ---- */

static void put_line(FILE *out, const columns *c, const line *l)
{
    for (size_t k = 0; k < c->n; k++) {
        if (k)
            fputc(',', out);
        c->list[k].put(out, l, &c->list[k]);
    }
    fputc('\n', out);
}

/* The map row that was scored for a class: the one that explains it, else the sample's only one. */
static int64_t row_of_pair(const xa_read_map *x, int64_t sample, int32_t class_index)
{
    const int64_t first = xa_read_first_row(x, sample);
    int64_t n = 0;
    for (int64_t k = first; k < x->rows && x->sample[k] == sample; k++, n++)
        if (x->target[k] == class_index)
            return k;
    return n == 1 ? first : -1;
}

static void put_sample(FILE *out, const columns *c, const xa_read *r, int64_t m, int64_t i)
{
    line l = {.r = r, .m = &r->models[m], .i = i, .row = -1, .pair = -1};
    if (!l.m->nmaps)
        put_line(out, c, &l);
    for (int64_t e = 0; e < l.m->nmaps; e++) {
        const xa_read_map *x = &l.m->maps[e];
        int64_t q = xa_read_first_pair(r, i), k = xa_read_first_row(x, i);
        l.x = x;
        l.row = l.pair = -1;
        if (q < r->pairs && r->pair_sample[q] == i) {
            for (; q < r->pairs && r->pair_sample[q] == i; q++) {
                l.row = row_of_pair(x, i, xa_read_target(l.m, i, r->pair_class[q]));
                l.pair = q;
                put_line(out, c, &l);
            }
        } else if (k < x->rows && x->sample[k] == i) {
            for (; k < x->rows && x->sample[k] == i; k++) {
                l.row = k;
                put_line(out, c, &l);
            }
        } else {
            put_line(out, c, &l);
        }
    }
}

xa_status xa_table_csv(xa_read *r, FILE *out, xa_err *err)
{
    xa_status st = XA_OK;
    columns c = {0};
    for (size_t k = 0; k < sizeof fixed / sizeof *fixed; k++) {
        const column like = {.put = fixed[k].put};
        XA_TRY(err, add(&c, fixed[k].name, "", &like, err));
    }
    XA_TRY(err, add_metrics(&c, r, err));
    XA_TRY(err, add_checks(&c, r, err));
    XA_TRY(err, add_manifest_columns(&c, r, err));
    for (size_t k = 0; k < c.n; k++) {
        if (k)
            fputc(',', out);
        xa_csv_text(out, c.list[k].name);
    }
    fputc('\n', out);
    for (int64_t i = 0; i < r->samples; i++)
        for (int64_t m = 0; m < r->nmodels; m++)
            put_sample(out, &c, r, m, i);
done:
    columns_fini(&c);
    return st;
}
