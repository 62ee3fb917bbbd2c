/* Checks of an explainer's maps: /checks/<model>/<explainer>/<check>. */
#include <stdlib.h>
#include <string.h>

#include "view_internal.h"

void xa__free_checked(xa_read_map *x)
{
    for (int64_t k = 0; x->checked && k < x->nchecked; k++) {
        xa_read_checked *c = &x->checked[k];
        free(c->name);
        free(c->kind);
        free(c->settings);
        free(c->better);
        free(c->row);
        free(c->sample);
        free(c->target);
        free(c->status);
        xa_free_texts(c->figure, c->figure ? c->nfigures : 0);
        xa_free_texts(c->text, c->text ? c->nfigures : 0);
        for (int64_t f = 0; c->value && f < c->nfigures; f++)
            free(c->value[f]);
        free(c->value);
    }
    free(x->checked);
}

int64_t xa_read_figure(const xa_read_checked *c, const char *name)
{
    for (int64_t f = 0; f < c->nfigures; f++)
        if (!strcmp(c->figure[f] + strlen(c->name) + 1, name))
            return f;
    return -1;
}

/* "deletion.auc", .. from the attribute "auc,..". */
static xa_status
name_figures(xa_read_checked *c, const char *names, const char *description, int64_t n, xa_err *err)
{
    static const char minus[] = "minus_";
    c->figure = xa_alloc((size_t)n + 1, sizeof *c->figure);
    c->text = xa_alloc((size_t)n + 1, sizeof *c->text);
    c->better = xa_alloc((size_t)n + 1, sizeof *c->better);
    if (!c->figure || !c->text || !c->better)
        XA_RETURN_NOMEM(err);
    c->nfigures = n;
    for (int64_t f = 0; f < n; f++) {
        const size_t bytes = strcspn(names, ",");
        if (!bytes)
            XA_RETURN_FAIL(err,
                           XA_FORMAT,
                           XA_GROUP_CHECKS ": the attribute `figures` of %s does not name them",
                           c->name);
        const bool rival = !strncmp(names, minus, sizeof minus - 1);
        c->figure[f] = xa_strfmt("%s.%.*s", c->name, (int)bytes, names);
        c->text[f] = !f ? xa_strfmt("%s; %s", description, c->settings)
                     : rival
                         ? xa_strfmt("%s of the map minus that of the rival, image by image; %s",
                                     c->figure[0],
                                     c->settings)
                         : xa_strdup(c->settings);
        if (!c->figure[f] || !c->text[f])
            XA_RETURN_NOMEM(err);
        c->better[f] = xa_faith_better(c->kind, c->figure[f] + strlen(c->name) + 1);
        names += bytes + (names[bytes] == ',');
    }
    return XA_OK;
}

static xa_status texts_of(const xa_read *r,
                          const char *group,
                          xa_read_checked *c,
                          char **figures,
                          char **description,
                          xa_err *err)
{
    XA_RETURN_TRY(err, xa_archive_attr_text(r->archive, group, "figures", figures, err));
    XA_RETURN_TRY(err, xa_archive_attr_text(r->archive, group, "kind", &c->kind, err));
    XA_RETURN_TRY(err, xa_archive_attr_text(r->archive, group, "settings", &c->settings, err));
    XA_RETURN_TRY(err, xa_archive_attr_text(r->archive, group, "description", description, err));
    if (!*figures || !c->kind || !c->settings || !*description)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: attributes that say what it holds are missing", group);
    return XA_OK;
}

/* The rows whose turn came. */
static xa_status take_rows(const xa_read_model *m,
                           const xa_read_map *x,
                           const uint8_t *status,
                           const double *figures,
                           xa_read_checked *c,
                           xa_err *err)
{
    c->row = xa_alloc((size_t)x->rows + 1, sizeof *c->row);
    c->sample = xa_alloc((size_t)x->rows + 1, sizeof *c->sample);
    c->target = xa_alloc((size_t)x->rows + 1, sizeof *c->target);
    c->status = xa_alloc((size_t)x->rows + 1, sizeof *c->status);
    c->value = xa_alloc((size_t)c->nfigures + 1, sizeof *c->value);
    if (!c->row || !c->sample || !c->target || !c->status || !c->value)
        XA_RETURN_NOMEM(err);
    for (int64_t f = 0; f < c->nfigures; f++)
        if (!(c->value[f] = xa_alloc((size_t)x->rows + 1, sizeof **c->value)))
            XA_RETURN_NOMEM(err);
    for (int64_t row = 0; row < x->rows; row++) {
        if (status[row] >= XA_CHECKED_COUNT)
            XA_RETURN_FAIL(err, XA_FORMAT, "%s: status %d is none", c->name, (int)status[row]);
        c->count[status[row]]++;
        if (status[row] == XA_CHECKED_NOT_SAMPLED || status[row] == XA_CHECKED_PENDING)
            continue;
        c->row[c->n] = row;
        c->status[c->n] = status[row];
        c->sample[c->n] = x->sample[row];
        c->target[c->n] = x->target[row] >= 0 ? x->target[row] : m->predicted[x->sample[row]];
        for (int64_t f = 0; f < c->nfigures; f++)
            c->value[f][c->n] = figures[row * c->nfigures + f];
        c->n++;
    }
    return XA_OK;
}

static xa_status load(
    const xa_read *r, const xa_read_model *m, const xa_read_map *x, xa_read_checked *c, xa_err *err)
{
    const xa_path group = xa_field_check(m->name, x->name, c->name);
    xa_status st = XA_OK;
    xa_extents extents = xa__extents(r);
    xa_field_names n;
    xa_dataset_info info;
    char *names = NULL, *description = NULL;
    uint8_t *status = NULL;
    double *figures = NULL;
    extents.rows = x->rows;
    XA_TRY(err, xa__names_of(m->name, x->name, c->name, &n, err));
    XA_TRY(err, texts_of(r, group.text, c, &names, &description, err));
    XA_TRY(err, xa__load(r, XA_FIELD_CHECK_STATUS, &n, &extents, &status, NULL, err));
    XA_TRY(err, xa__load(r, XA_FIELD_CHECK_FIGURES, &n, &extents, &figures, &info, err));
    XA_TRY(err, name_figures(c, names, description, info.dim[1], err));
    XA_TRY(err, take_rows(m, x, status, figures, c, err));
done:
    free(names);
    free(description);
    free(status);
    free(figures);
    return st;
}

xa_status xa__load_checked(const xa_read *r, const xa_read_model *m, xa_read_map *x, xa_err *err)
{
    const xa_path group = xa_field_group(XA_FIELD_CHECK_STATUS, m->name, x->name);
    char **names = NULL;
    int64_t n = 0;
    XA_RETURN_TRY(err, xa__load_names(r, group.text, &names, &n, err));
    x->checked = xa_alloc((size_t)n + 1, sizeof *x->checked);
    if (!x->checked) {
        xa_free_texts(names, n);
        XA_RETURN_NOMEM(err);
    }
    x->nchecked = n;
    for (int64_t k = 0; k < n; k++)
        x->checked[k].name = names[k];
    free(names);
    for (int64_t k = 0; k < n; k++)
        XA_RETURN_TRY(err, load(r, m, x, &x->checked[k], err));
    return XA_OK;
}

/* ---- answers ---- */

void xa_read_answers_free(xa_read_answers *a)
{
    xa_free_texts(a->block, a->block ? a->blocks : 0);
    free(a->score);
    free(a->prob);
    *a = (xa_read_answers){0};
}

static xa_status name_blocks(xa_read_answers *a, const char *names, xa_err *err)
{
    a->block = xa_alloc((size_t)a->blocks + 1, sizeof *a->block);
    if (!a->block)
        XA_RETURN_NOMEM(err);
    for (int64_t b = 0; b < a->blocks; b++) {
        const size_t bytes = strcspn(names, ",");
        a->block[b] = xa_strndup(names, bytes);
        if (!a->block[b])
            XA_RETURN_NOMEM(err);
        names += bytes + (names[bytes] == ',');
    }
    return XA_OK;
}

/* Keeps the rows whose turn came; they ascend. */
static void keep_rows(const xa_read_checked *c, int64_t each, float *v)
{
    for (int64_t q = 0; v && q < c->n; q++)
        memmove(v + q * each, v + c->row[q] * each, (size_t)each * sizeof *v);
}

xa_status xa_read_answers_load(const xa_read *r,
                               const xa_read_model *m,
                               const xa_read_map *x,
                               const xa_read_checked *c,
                               xa_read_answers *out,
                               xa_err *err)
{
    xa_status st = XA_OK;
    const xa_path group = xa_field_check(m->name, x->name, c->name);
    xa_extents extents = xa__extents(r);
    xa_dataset_info info = {0}, other = {0};
    xa_field_names n;
    char *names = NULL;
    *out = (xa_read_answers){0};
    extents.rows = x->rows;
    XA_TRY(err, xa__names_of(m->name, x->name, c->name, &n, err));
    XA_TRY(err, xa__load_any(r, XA_FIELD_CHECK_SCORES, &n, &extents, &out->score, &info, err));
    XA_TRY(err, xa__load_any(r, XA_FIELD_CHECK_PROBS, &n, &extents, &out->prob, &other, err));
    if (!out->score && !out->prob)
        goto done;
    XA_TRY(err, xa_archive_attr_text(r->archive, group.text, "blocks", &names, err));
    if (!out->score || !names ||
        (out->prob && (other.dim[1] != info.dim[1] || other.dim[2] != info.dim[2])))
        XA_FAIL(err, XA_FORMAT, "%s: scores, probabilities and `blocks` do not fit", group.text);
    out->blocks = info.dim[1];
    out->points = info.dim[2];
    XA_TRY(err, name_blocks(out, names, err));
    keep_rows(c, out->blocks * out->points, out->score);
    keep_rows(c, out->blocks * out->points, out->prob);
done:
    free(names);
    if (st != XA_OK)
        xa_read_answers_free(out);
    return st;
}
