/* The archive of a run: rank 0 locks it, and creates it or checks that the job may resume it. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "run_internal.h"
#include "xaudit/check.h"

static xa_status prepare(xa__run *r, const char *identity, xa_err *err)
{
    const char *path = r->loaded.job.output;
    xa_err why = XA_ERR_INIT;
    xa_status st = xa_lock_take(path, 120.0, &r->lock, err);
    if (st != XA_OK) {
        r->refused = true;
        return XA_ERR_PASS(err, st);
    }
    if (r->opt.fresh && access(path, F_OK) == 0)
        XA_RETURN_TRY(err, xa_set_aside(path, err));
    st = xa_check_archive(path, identity, r->opt.job, r->opt.retry_failed, &why);
    if (st == XA_NOT_FOUND)
        return xa_archive_create(path, r->contents->schema, err);
    r->resumed = st == XA_OK;
    r->refused = st != XA_OK;
    if (st != XA_OK)
        XA_RETURN_FAIL(err, st, "%s", why.message);
    return XA_OK;
}

/* Lists the units in which some model has a pending sample, or one that is to be computed again. */
static xa_status list_units(xa__run *r, xa_err *err)
{
    const xa_manifest *m = r->loaded.manifest;
    const int64_t n = m->count, unit = xa_audit_unit_samples(r->loaded.audit);
    xa_status st = XA_OK;
    xa_archive *reader = NULL;
    bool *open = NULL;
    r->units = (n + unit - 1) / unit;
    open = xa_alloc((size_t)r->units + 1, sizeof(bool));
    r->todo = xa_alloc((size_t)r->units + 1, sizeof(int64_t));
    if (!open || !r->todo)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_archive_open_read(r->loaded.job.output, &reader, err));
    for (int k = 0; k < r->loaded.job.audit.nmodels; k++) {
        char *path = xa_strdup(
            xa_field_name(XA_FIELD_MODEL_STATUS, r->loaded.job.audit.models[k].name, NULL, NULL)
                .text);
        xa_dataset_info info;
        void *data = NULL;
        if (!path)
            XA_NOMEM_FAIL(err);
        st = xa_archive_read_all(reader, path, &info, &data, err);
        free(path);
        XA_TRY(err, st);
        if (info.type != XA_TYPE_U8 || info.ndim != 1 || info.dim[0] != n) {
            free(data);
            XA_FAIL(err,
                    XA_MISMATCH,
                    "%s: %s does not hold the status of %" PRId64 " samples",
                    r->loaded.job.output,
                    info.path,
                    n);
        }
        for (int64_t i = 0; i < n; i++) {
            const uint8_t status = ((const uint8_t *)data)[i];
            uint8_t *reopen = r->reopen ? &r->reopen[k * n + i] : NULL;
            if (reopen && r->opt.retry_failed && status == XA_SAMPLE_FAILED)
                *reopen = 1;
            if (status == XA_SAMPLE_PENDING || (reopen && *reopen && !m->samples[i].exclude))
                open[i / unit] = true;
        }
        free(data);
    }
    for (int64_t u = 0; u < r->units; u++)
        if (open[u])
            r->todo[r->ntodo++] = u;
    if (r->resumed && r->ntodo)
        XA_TRY(err, xa__run_expect_images(r, open, err));
done : {
    xa_err ignored = XA_ERR_INIT;
    if (reader && xa_archive_close(reader, &ignored) != XA_OK)
        xa_log(XA_LOG_WARN, "%s", ignored.message);
}
    free(open);
    return st;
}

static xa_status prefix_sums(xa__run *r, xa_err *err)
{
    const xa_manifest *m = r->loaded.manifest;
    r->labels_before = xa_alloc((size_t)m->count + 1, sizeof(int64_t));
    r->annotated_before = xa_alloc((size_t)m->count + 1, sizeof(int64_t));
    r->annotations_before = xa_alloc((size_t)m->count + 1, sizeof(int64_t));
    if (!r->labels_before || !r->annotated_before || !r->annotations_before)
        XA_RETURN_NOMEM(err);
    for (int64_t i = 0; i < m->count; i++) {
        r->labels_before[i + 1] =
            r->labels_before[i] + xa_rows_of_sample(XA_TARGET_LABEL, 0, &m->samples[i]);
        r->annotated_before[i + 1] =
            r->annotated_before[i] + xa_rows_of_sample(XA_TARGET_ANNOTATED, 0, &m->samples[i]);
        r->annotations_before[i + 1] = r->annotations_before[i] + m->samples[i].nannotations;
    }
    return XA_OK;
}

static xa_status prepare_first_rank(xa__run *r, xa_err *err)
{
    xa_str identity = {0};
    xa_status st = XA_OK;
    XA_TRY(err,
           xa_job_identity(&r->loaded.job, r->loaded.audit, r->loaded.manifest, &identity, err));
    XA_TRY(err, xa__stored_check(r, identity.data, err));
    XA_TRY(err,
           xa_contents_create(&r->loaded.job,
                              r->loaded.audit,
                              &r->counts,
                              r->loaded.manifest,
                              identity.data,
                              &r->contents,
                              err));
    XA_TRY(err, prepare(r, identity.data, err));
    if (r->resumed)
        XA_TRY(err, xa__run_find_damage(r, err));
    XA_TRY(err, prefix_sums(r, err));
    XA_TRY(err, list_units(r, err));
done:
    xa_str_free(&identity);
    return st;
}

xa_status xa__run_open_archive(xa__run *r, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    xa_status st;
    if (r->rank == 0)
        st = prepare_first_rank(r, &mine);
    else
        st = xa_contents_create(
            &r->loaded.job, r->loaded.audit, &r->counts, NULL, "", &r->contents, &mine);
    XA_RETURN_TRY(err, xa_comm_agree(r->comm, st, &mine, err));
    xa__fault_at(&r->fault, r->rank, "created");
    XA_RETURN_TRY(err, xa__run_prepare_units(r, err));
    XA_RETURN_TRY(err,
                  xa_archive_open(r->loaded.job.output,
                                  r->comm,
                                  XA_WRITERS_LEADERS,
                                  r->contents->schema,
                                  &r->archive,
                                  err));
    xa__fault_at(&r->fault, r->rank, "opened");
    st = XA_OK;
    if (r->rank == 0 && r->reopen)
        st = xa__run_reopen(r, &mine);
    XA_RETURN_TRY(err, xa_comm_agree(r->comm, st, &mine, err));
    XA_RETURN_TRY(err, xa__run_processors(r, err));
    if (r->rank == 0)
        st = xa__run_session(r, false, &mine);
    xa__fault_at(&r->fault, r->rank, "session");
    return xa_comm_agree(r->comm, st, &mine, err);
}
