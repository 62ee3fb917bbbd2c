/* A run over one slice of the manifest. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "run_internal.h"

xa_status xa__run_take_slice(xa__run *r, xa_err *err)
{
    xa_manifest *m = r->loaded.manifest;
    const int64_t unit = xa_audit_unit_samples(r->loaded.audit);
    const int64_t units = (m->count + unit - 1) / unit, n = r->opt.slices;
    const xa_counts whole = r->counts;
    if (!n)
        return XA_OK;
    if (n > units)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "--slice %" PRId64 "/%" PRId64 ": the manifest has %" PRId64
                       " units of %" PRId64 " samples, and a slice has at least one: use at most "
                       "%" PRId64 " slices",
                       r->opt.slice,
                       n,
                       units,
                       unit,
                       units);
    const int64_t first = units * (r->opt.slice - 1) / n * unit;
    const int64_t end = units * r->opt.slice / n * unit;
    xa_manifest_keep(m, first, (end < m->count ? end : m->count) - first);
    xa_counts_of(m, &r->counts);
    memcpy(r->counts.text_bytes, whole.text_bytes, sizeof whole.text_bytes);
    return XA_OK;
}

xa_status xa__run_name_slice(xa__run *r, xa_err *err)
{
    xa_job *j = &r->loaded.job;
    if (!r->opt.slices || r->opt.output)
        return XA_OK;
    const size_t n = strlen(j->output), stem = xa_str_ends(j->output, ".h5") ? n - 3 : n;
    char *name = xa_strfmt(
        "%.*s.%" PRId64 "-of-%" PRId64 ".h5", (int)stem, j->output, r->opt.slice, r->opt.slices);
    if (!name)
        XA_RETURN_NOMEM(err);
    free(j->output);
    j->output = name;
    return XA_OK;
}
