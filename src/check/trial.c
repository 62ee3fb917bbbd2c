/* Units of a job on this process alone: what a run does, without an archive. */
#include <stdlib.h>

#include "xaudit/check.h"

xa_status xa_trial_start(const xa_loaded *l, xa_trial *t, xa_err *err)
{
    *t = (xa_trial){.l = l};
    t->weights = xa_alloc_aligned(xa_audit_weight_bytes(l->audit));
    t->arena = xa_alloc_aligned(xa_audit_arena_bytes(l->audit));
    if (!t->weights || !t->arena)
        XA_RETURN_NOMEM(err);
    XA_RETURN_TRY(err, xa_audit_pack(l->audit, t->weights, err));
    xa_audit_attach(l->audit, t->weights, t->arena, NULL);
    return xa_rows_create(l->audit, &t->rows, err);
}

xa_status xa_trial_unit(xa_trial *t, xa_err *err)
{
    const xa_manifest *m = t->l->manifest;
    const int64_t unit = xa_audit_unit_samples(t->l->audit), left = m->count - t->next;
    const int64_t n = left < unit ? left : unit;
    const double start = xa_time();
    XA_RETURN_TRY(err, xa_audit_unit(t->l->audit, m->samples + t->next, n, t->rows, err));
    t->seconds += xa_time() - start;
    t->images += n;
    t->next = t->next + n < m->count ? t->next + n : 0;
    return XA_OK;
}

void xa_trial_reset(xa_trial *t)
{
    t->images = 0;
    t->seconds = 0.0;
}

void xa_trial_end(xa_trial *t)
{
    xa_rows_free(t->rows);
    free(t->weights);
    free(t->arena);
    *t = (xa_trial){0};
}
