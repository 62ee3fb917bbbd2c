/* Is an archive whole? Rows beside their checksums. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify_internal.h"
#include "xaudit/view.h"

typedef struct looking {
    xa__verifier *v;
    xa_sums_info of;
    int64_t *sample;       /* [rows] of each row; NULL: the row itself */
    const uint8_t *status; /* [samples] of the model; NULL: any of them counts */
} looking;

static bool is_written(const uint8_t *status, int64_t sample)
{
    return status[sample] == XA_SAMPLE_DONE || status[sample] == XA_SAMPLE_FAILED;
}

static void differs(void *arg, int64_t row)
{
    const looking *l = arg;
    xa__verifier *v = l->v;
    const int64_t sample = l->sample ? l->sample[row] : row;
    char name[256];
    bool written = l->status && is_written(l->status, sample);
    for (int64_t m = 0; !l->status && m < v->nmodels; m++)
        written = written || is_written(v->models[m].status, sample);
    if (l->of.kind == XA_FIELD_SUM_SAMPLES)
        v->doubted[sample] = 1;
    if (!written || v->reported[sample])
        return;
    xa__report_row(v,
                   sample,
                   "%s: row %" PRId64 " of sample %s: it is not what the rows give",
                   l->of.path,
                   row,
                   xa__verify_row(v, sample, name, sizeof name));
}

/* The samples of rows, as a table says them: *fits in number; *usable is false where that table is
 * damaged, which was reported. */
static xa_status samples_of(looking *l, const char *path, bool *fits, bool *usable, xa_err *err)
{
    xa_dataset_info info;
    void *data = NULL;
    xa_err why = XA_ERR_INIT;
    *usable = false;
    *fits = true;
    const xa_status st = xa_archive_read_all(l->v->archive, path, &info, &data, &why);
    if (st == XA_NOMEM)
        XA_RETURN_FAIL(err, st, "%s", why.message);
    l->sample = data;
    if (st != XA_OK || info.type != XA_TYPE_I64 || info.ndim != 1)
        return XA_OK;
    *fits = info.dim[0] == l->of.rows;
    if (!*fits)
        return XA_OK;
    for (int64_t i = 0; i < l->of.rows; i++)
        if (l->sample[i] < 0 || l->sample[i] >= l->v->samples)
            return XA_OK;
    *usable = true;
    return XA_OK;
}

static xa_status check(xa__verifier *v, const xa_sums *s, int k, xa_err *err)
{
    looking l = {.v = v, .of = xa_sums_at(s, k)};
    const char rows = xa_field_extents(l.of.kind)[0];
    xa_err why = XA_ERR_INIT;
    xa_status st = XA_OK;
    bool usable = true, fits = l.of.rows == v->samples;
    if (*l.of.names.model) {
        for (int64_t m = 0; m < v->nmodels; m++)
            if (!strcmp(v->models[m].model, l.of.names.model))
                l.status = v->models[m].status;
        if (!l.status)
            return XA_OK; /* its model was reported */
    }
    if (rows != 'N') {
        const xa_path path =
            rows == 'R'
                ? xa_field_name(XA_FIELD_MAP_SAMPLE, l.of.names.model, l.of.names.explainer, NULL)
                : xa_field_name(XA_FIELD_EVAL_SAMPLE, NULL, NULL, NULL);
        XA_TRY(err, samples_of(&l, path.text, &fits, &usable, err));
    }
    if (!fits) {
        xa__report(v,
                   XA_FINDING_DAMAGE,
                   "%s: %" PRId64 " rows, which are not those of the archive's tables",
                   l.of.path,
                   l.of.rows);
    }
    if (!fits || !usable)
        goto done;
    st = xa_sums_check(s, k, differs, &l, &why);
    if (st == XA_NOMEM)
        XA_FAIL(err, st, "%s", why.message);
    if (st != XA_OK)
        xa__report(v, XA_FINDING_DAMAGE, "%s", why.message);
    st = XA_OK;
    v->out->rows += l.of.rows;
done:
    free(l.sample);
    return st;
}

xa_status xa__verify_sums(xa__verifier *v, xa_err *err)
{
    xa_sums *s = NULL;
    xa_status st = XA_OK;
    XA_TRY(err, xa_sums_open(v->archive, &s, err));
    for (int k = 0; k < xa_sums_count(s); k++)
        XA_TRY(err, check(v, s, k, err));
    /* what is wrong in a table's form was reported */
    for (int k = 0; k < xa_sums_tables(s) && !v->out->damages; k++) {
        const char *path = "";
        bool same = true;
        xa_err why = XA_ERR_INIT;
        st = xa_sums_check_table(s, k, &path, &same, &why);
        if (st == XA_NOMEM)
            XA_FAIL(err, st, "%s", why.message);
        if (st != XA_OK || !same)
            xa__report(v,
                       XA_FINDING_DAMAGE,
                       "%s: %s",
                       path,
                       st != XA_OK ? why.message : "the table is not what its checksum says");
        st = XA_OK;
    }
    const char *lost = xa_sums_lost(s), *lacking = xa_sums_lacking(s);
    if (lost)
        xa__report(v,
                   XA_FINDING_DAMAGE,
                   "%s: these checksums are not there, and computing rows again does not bring "
                   "them back: restore a copy, or make the archive anew with --fresh",
                   lost);
    else if (lacking && !xa_sums_count(s))
        xa__report(v,
                   XA_FINDING_NOTE,
                   "no checksums of scores: written by an older version; only the maps have "
                   "theirs");
    else if (lacking)
        xa__report(v,
                   XA_FINDING_NOTE,
                   "no checksums of %s, nor perhaps of others: made from an archive of an "
                   "older version",
                   lacking);
done:
    xa_sums_close(s);
    return st;
}
