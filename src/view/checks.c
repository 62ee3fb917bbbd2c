/* Rows that no run has written so are found before anyone reads them. */
#include "view_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *row_name(const xa_read *r, int64_t i, char *buf, size_t size)
{
    char id[128];
    xa_read_text(r->id, r->id_bytes, i, id, sizeof id);
    snprintf(buf, size, "row %" PRId64 " (%s)", i, id);
    return buf;
}

static const char *wrong_with(const xa_read_model *m, int64_t i)
{
    switch (m->status[i]) {
    case XA_SAMPLE_DONE:
        return m->stage[i] != XA_STAGE_NONE ? "it is done, but with a stage where it failed" : NULL;
    case XA_SAMPLE_FAILED:
        return m->stage[i] < XA_STAGE_READ || m->stage[i] > XA_STAGE_EXPLAIN
                   ? "it failed, but at no stage"
                   : NULL;
    case XA_SAMPLE_PENDING:
    case XA_SAMPLE_EXCLUDED:
        return NULL;
    default:
        return "its status is none of 0 to 3";
    }
}

xa_status xa__check_model(const xa_read *r, const xa_read_model *m, xa_err *err)
{
    char row[256];
    for (int64_t i = 0; i < r->samples; i++) {
        const char *wrong = wrong_with(m, i);
        if (wrong)
            return xa_mend_fail(
                r->path, err, "model %s, %s: %s", m->name, row_name(r, i, row, sizeof row), wrong);
        if (m->predicted[i] >= m->classes ||
            (m->predicted[i] < 0 && m->status[i] == XA_SAMPLE_DONE && !m->values))
            return xa_mend_fail(r->path,
                                err,
                                "%s: row %" PRId64 " is %d of %" PRId64 " classes",
                                xa_field_name(XA_FIELD_MODEL_PREDICTED, m->name, NULL, NULL).text,
                                i,
                                (int)m->predicted[i],
                                m->classes);
    }
    return XA_OK;
}

xa_status xa__check_map(const xa_read *r, const xa_read_model *m, const xa_read_map *x, xa_err *err)
{
    enum { FLAGS = XA_MAP_DEGENERATE | XA_MAP_NONFINITE | XA_MAP_SATURATED };
    for (int64_t k = 0; k < x->rows; k++) {
        if (m->status[x->sample[k]] != XA_SAMPLE_DONE)
            continue;
        const bool target = x->target[k] >= -1 && x->target[k] < m->classes;
        if (!target || (x->flags[k] & ~FLAGS))
            return xa_mend_fail(r->path,
                                err,
                                "model %s, explainer %s, map row %" PRId64 ": its %s %d: none",
                                m->name,
                                x->name,
                                k,
                                target ? "flags are" : "target is",
                                target ? (int)x->flags[k] : (int)x->target[k]);
    }
    return XA_OK;
}

/* Tables are written once, at creation: no run mends them. */
static xa_status fail_table(const xa_read *r, const char *path, xa_err *err)
{
    XA_RETURN_FAIL(err,
                   XA_DAMAGED,
                   "%s is damaged: the table %s is not what its checksum says; restore a copy, or "
                   "run its job anew with --fresh",
                   r->path,
                   path);
}

/* A class of a model, or a category of such. */
static bool is_class(const xa_read *r, int32_t c, int64_t classes)
{
    return c >= 0 && xa_category_largest(&r->categories, c) < classes;
}

xa_status xa__check_tables(const xa_read *r, xa_err *err)
{
    int64_t classes = 0;
    for (int64_t m = 0; m < r->nmodels; m++)
        classes = r->models[m].classes > classes ? r->models[m].classes : classes;
    for (int64_t i = r->label_offset[0]; r->nmodels && i < r->label_offset[r->samples]; i++)
        if (!is_class(r, r->label_value[i], classes))
            XA_RETURN_FAIL(err,
                           XA_FORMAT,
                           "%s: /samples/labels/value: row %" PRId64 " is %d of %" PRId64
                           " classes",
                           r->path,
                           i,
                           (int)r->label_value[i],
                           classes);
    for (int64_t q = 0; r->nmodels && q < r->pairs; q++)
        if (!is_class(r, r->pair_class[q], classes))
            XA_RETURN_FAIL(err,
                           XA_FORMAT,
                           "%s: /eval/class: row %" PRId64 " is %d of %" PRId64 " classes",
                           r->path,
                           q,
                           (int)r->pair_class[q],
                           classes);
    const char *lost = xa_sums_lost(r->sums);
    char mend[1024];
    if (lost)
        XA_RETURN_FAIL(err,
                       XA_DAMAGED,
                       "%s is damaged: the checksums %s are not there; %s",
                       r->path,
                       lost,
                       xa_mend_whole_text(r->path, mend, sizeof mend) ? mend : "restore a copy");
    for (int k = 0; k < xa_sums_tables(r->sums); k++) {
        const char *path;
        bool same;
        XA_RETURN_TRY(err, xa_sums_check_table(r->sums, k, &path, &same, err));
        if (!same)
            return fail_table(r, path, err);
    }
    return XA_OK;
}

/* ---- checksums ---- */

typedef struct looking {
    xa_read *r;
    const xa_read_model *model; /* NULL: a sample counts if any model has written it */
    const int64_t *sample;      /* [rows] of each row; NULL: the row itself */
    int64_t first, count;       /* rows that differ */
} looking;

/* Written, and no run is writing it anew just now. */
static bool is_written(const looking *l, const xa_read_model *m, int64_t sample)
{
    uint8_t now;
    if (m->status[sample] != XA_SAMPLE_DONE && m->status[sample] != XA_SAMPLE_FAILED)
        return false;
    char *path = xa_strdup(xa_field_name(XA_FIELD_MODEL_STATUS, m->name, NULL, NULL).text);
    const bool same = !path ||
                      xa_archive_read(l->r->archive, path, sample, 1, &now, NULL) != XA_OK ||
                      now == m->status[sample];
    free(path);
    return same;
}

static void differs(void *arg, int64_t row)
{
    looking *l = arg;
    const int64_t sample = l->sample ? l->sample[row] : row;
    bool written = l->model && is_written(l, l->model, sample);
    for (int64_t m = 0; !l->model && m < l->r->nmodels && !written; m++)
        written = is_written(l, &l->r->models[m], sample);
    if (written && l->count++ == 0)
        l->first = row;
}

/* Whose rows they are; false: of none that was read. */
static bool find_rows(xa_read *r, const xa_sums_info *of, looking *l, int64_t *rows)
{
    const char letter = xa_field_extents(of->kind)[0];
    *l = (looking){.r = r};
    *rows = letter == 'N' ? r->samples : r->pairs;
    l->sample = letter == 'Q' ? r->pair_sample : NULL;
    if (!*of->names.model)
        return true;
    for (int64_t m = 0; m < r->nmodels; m++)
        if (!strcmp(r->models[m].name, of->names.model))
            l->model = &r->models[m];
    if (!l->model || letter != 'R')
        return l->model != NULL;
    for (int64_t e = 0; e < l->model->nmaps; e++)
        if (!strcmp(l->model->maps[e].name, of->names.explainer)) {
            l->sample = l->model->maps[e].sample;
            *rows = l->model->maps[e].rows;
            return true;
        }
    return false;
}

static xa_status check_sums(xa_read *r, int k, xa_err *err)
{
    const xa_sums_info of = xa_sums_at(r->sums, k);
    looking l;
    int64_t rows;
    char id[256];
    if (!find_rows(r, &of, &l, &rows))
        return XA_OK;
    if (of.rows != rows)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: %s has %" PRId64 " rows, the archive's other tables ask for %" PRId64,
                       r->path,
                       of.path,
                       of.rows,
                       rows);
    XA_RETURN_TRY(err, xa_sums_check(r->sums, k, differs, &l, err));
    if (l.count)
        return xa_mend_fail(r->path,
                            err,
                            "%" PRId64 " row%s not what %s says, the first is %s",
                            l.count,
                            l.count == 1 ? " is" : "s are",
                            of.path,
                            row_name(r, l.sample ? l.sample[l.first] : l.first, id, sizeof id));
    return XA_OK;
}

xa_status xa_read_check(xa_read *r, xa_field_kind sums, xa_err *err)
{
    const uint64_t bit = (uint64_t)1 << (sums - XA_FIELD_SUM_SAMPLES);
    if (r->checked & bit)
        return XA_OK;
    for (int k = 0; k < xa_sums_count(r->sums); k++)
        if (xa_sums_at(r->sums, k).kind == sums)
            XA_RETURN_TRY(err, check_sums(r, k, err));
    r->checked |= bit;
    return XA_OK;
}
