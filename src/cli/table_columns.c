/* The columns of `xaudit table`. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

typedef xa__table_line line;
typedef xa__table_column column;
typedef xa__table_columns columns;

/* ---- fields ---- */

/* Copied, since the text may lie in the caller's buffer. Texts too long for memory are empty. */
static void give_text(const line *l, xa_cell *out, const char *text)
{
    l->room->len = 0;
    xa_str_puts(l->room, text);
    out->kind = XA_CELL_TEXT;
    out->text = *text && l->room->data ? l->room->data : "";
}

static void give_number(xa_cell *out, double v)
{
    out->kind = XA_CELL_REAL;
    out->real = v;
}

static void give_whole(xa_cell *out, int64_t v)
{
    out->kind = XA_CELL_WHOLE;
    out->whole = v;
}

static bool is_done(const line *l)
{
    return l->m->status[l->i] == XA_SAMPLE_DONE;
}

static bool has_row(const line *l)
{
    return is_done(l) && l->row >= 0;
}

static void get_id(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    char text[1024];
    xa_read_text(l->r->id, l->r->id_bytes, l->i, text, sizeof text);
    give_text(l, out, text);
}

static void get_label(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    char name[200];
    xa_str all = {0};
    for (int64_t k = l->r->label_offset[l->i]; k < l->r->label_offset[l->i + 1]; k++) {
        if (all.len)
            xa_str_puts(&all, "|");
        xa_str_puts(&all, xa_read_class(l->m, l->r->label_value[k], name, sizeof name));
    }
    give_text(l, out, all.data ? all.data : "");
    xa_str_free(&all);
}

static void get_model(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    give_text(l, out, l->m->name);
}

static void get_status(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    give_text(l, out, xa_read_status_name(l->m->status[l->i]));
}

static void get_message(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    char text[1024];
    xa_read_text(l->m->message, l->m->message_bytes, l->i, text, sizeof text);
    give_text(l, out, text);
}

static void of_class(const line *l, int32_t class_index, xa_cell *out)
{
    char name[200];
    give_text(l, out, xa_read_class(l->m, class_index, name, sizeof name));
}

static void of_probability(const line *l, int32_t class_index, xa_cell *out)
{
    if (class_index >= 0 && class_index < l->m->classes)
        give_number(out, (double)l->m->probs[l->i * l->m->classes + class_index]);
}

static void get_predicted(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    if (is_done(l) && !l->m->values)
        of_class(l, l->m->predicted[l->i], out);
}

static void get_prob_predicted(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    if (is_done(l))
        of_probability(l, l->m->predicted[l->i], out);
}

static void get_explainer(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    give_text(l, out, l->x ? l->x->name : "");
}

static void get_target(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    char text[256];
    if (has_row(l))
        give_text(l, out, xa_read_target_text(l->m, l->x, l->row, text, sizeof text));
}

static void get_prob_target(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    if (has_row(l))
        of_probability(l, l->x->target[l->row], out);
}

static void of_flag(const line *l, uint8_t flag, xa_cell *out)
{
    if (has_row(l))
        give_whole(out, (l->x->flags[l->row] & flag) != 0);
}

static void get_degenerate(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    of_flag(l, XA_MAP_DEGENERATE, out);
}

static void get_nonfinite(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    of_flag(l, XA_MAP_NONFINITE, out);
}

static void get_maximum(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    if (has_row(l))
        give_number(out, (double)l->x->maximum[l->row]);
}

static void get_peak_x(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    if (has_row(l))
        give_number(out, (double)l->x->peak[2 * l->row]);
}

static void get_peak_y(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    if (has_row(l))
        give_number(out, (double)l->x->peak[2 * l->row + 1]);
}

static void get_annotated_class(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    if (l->pair >= 0)
        of_class(l, l->r->pair_class[l->pair], out);
}

static void get_metric(const line *l, const column *c, xa_cell *out)
{
    for (int64_t k = 0; l->x && l->pair >= 0 && k < l->x->nmetrics; k++)
        if (!strcmp(l->x->metrics[k], c->source))
            give_number(out, l->x->localisation[k][l->pair]);
}

static void get_check(const line *l, const column *c, xa_cell *out)
{
    if (has_row(l) && l->x->check[c->check])
        give_number(out, l->x->check[c->check][l->row]);
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

static void get_checked(const line *l, const column *c, xa_cell *out)
{
    const xa_read_checked *k = has_row(l) ? checked_of(l->x, c->source) : NULL;
    const int64_t at = k ? place_of(k, l->row) : -1;
    if (k && c->check < 0)
        give_text(l, out, xa_faith_status_name(at < 0 ? XA_CHECKED_NOT_SAMPLED : k->status[at]));
    else if (at >= 0 && c->check < k->nfigures)
        give_number(out, k->value[c->check][at]);
}

static void get_completeness(const line *l, const column *c, xa_cell *out)
{
    (void)c;
    if (has_row(l) && l->x->completeness)
        give_number(out, l->x->completeness[l->row]);
}

static void get_manifest(const line *l, const column *c, xa_cell *out)
{
    char text[1024];
    xa_read_text(c->texts, c->bytes, l->i, text, sizeof text);
    give_text(l, out, text);
}

/* ---- the list ---- */

static const struct {
    const char *name;
    void (*get)(const line *, const column *, xa_cell *);
} fixed[] = {{"id", get_id},
             {"label", get_label},
             {"model", get_model},
             {"status", get_status},
             {"message", get_message},
             {"predicted", get_predicted},
             {"prob_predicted", get_prob_predicted},
             {"explainer", get_explainer},
             {"target", get_target},
             {"prob_target", get_prob_target},
             {"degenerate", get_degenerate},
             {"nonfinite", get_nonfinite},
             {"maximum", get_maximum},
             {"peak_x", get_peak_x},
             {"peak_y", get_peak_y},
             {"annotated_class", get_annotated_class}};

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
    const column like = {.get = get_manifest, .texts = data, .bytes = info.item_bytes};
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
                const column like = {.get = get_metric, .source = x->metrics[k]};
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
    column like = {.get = get_checked, .source = k->name};
    for (size_t j = 0; j < c->n; j++)
        if (c->list[j].get == get_checked && !strcmp(c->list[j].source, k->name))
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
        const column like = {.get = get_check, .check = k};
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
    const column like = {.get = get_completeness};
    if (adds_up)
        XA_RETURN_TRY(err, add(c, "completeness", "fact", &like, err));
    return XA_OK;
}

void xa__table_columns_fini(columns *c)
{
    for (size_t k = 0; k < c->n; k++) {
        free(c->list[k].name);
        free(c->list[k].texts);
    }
    free(c->list);
}

xa_status xa__table_columns_find(xa_read *r, columns *c, xa_err *err)
{
    for (size_t k = 0; k < sizeof fixed / sizeof *fixed; k++) {
        const column like = {.get = fixed[k].get};
        XA_RETURN_TRY(err, add(c, fixed[k].name, "", &like, err));
    }
    XA_RETURN_TRY(err, add_metrics(c, r, err));
    XA_RETURN_TRY(err, add_checks(c, r, err));
    return add_manifest_columns(c, r, err);
}
