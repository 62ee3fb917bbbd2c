/* A job with its manifest and its models, every mistake collected. */
#include <stdlib.h>

#include "xaudit/check.h"

enum { JOB_BYTES = 16 << 20 }; /* far more than anybody writes */

static xa_status take_references(xa_loaded *l, xa_err *err)
{
    xa_str text = {0};
    xa_status st = xa_audit_choose_references(l->audit, l->manifest, &text, err);
    if (st == XA_OK)
        st = xa_audit_set_references(l->audit, text.data, text.len, err);
    xa_str_free(&text);
    return st;
}

xa_status xa_check_load(const xa_run_options *opt, xa_loaded *l, xa_problems *problems, xa_err *err)
{
    const xa_job_options job = {.set = opt->set, .nset = opt->nset, .output = opt->output};
    xa_err why = XA_ERR_INIT;
    char *text = NULL;
    size_t size;
    XA_RETURN_TRY(err, xa_read_file(opt->job, JOB_BYTES, &text, &size, err));
    const xa_status st = xa_job_parse(opt->job, text, size, &job, &l->job, problems, err);
    free(text);
    XA_RETURN_TRY(err, st);
    l->has_job = true;
    xa_blas_set_threads(l->job.threads);
    const size_t before = problems->errors;
    if (xa_load_manifest(l, opt->limit, problems, &why) != XA_OK && problems->errors == before)
        xa_problems_add(problems, l->job.manifest, 0, false, "%s", why.message);
    if (xa_audit_create(&l->job.audit, &l->audit, &why) != XA_OK)
        xa_problems_add(problems, l->job.file, 0, false, "%s", why.message);
    if (l->audit && l->manifest && xa_audit_needs_references(l->audit) &&
        take_references(l, &why) != XA_OK)
        xa_problems_add(problems, l->job.file, 0, false, "%s", why.message);
    if (l->audit) {
        xa_check_classes(l, problems);
        xa_check_advice(l, problems);
    }
    return XA_OK;
}
