/* An audit under test with its memory. */
#include <stdlib.h>

#include "started.h"
#include "xaudit_cmocka.h"

void audit_start(
    const xa_audit_spec *spec, xa_audit **audit, void **blob, void **arena, xa_rows **rows)
{
    xa_err err = XA_ERR_INIT;
    if (xa_audit_create(spec, audit, &err) != XA_OK)
        fail_msg("%s", err.message);
    *blob = xa_alloc_aligned(xa_audit_weight_bytes(*audit));
    *arena = xa_alloc_aligned(xa_audit_arena_bytes(*audit));
    assert_true(*blob && *arena);
    if (xa_audit_pack(*audit, *blob, &err) != XA_OK || xa_rows_create(*audit, rows, &err) != XA_OK)
        fail_msg("%s", err.message);
    xa_audit_attach(*audit, *blob, *arena, NULL);
}

void audit_stop(xa_audit *audit, void *blob, void *arena, xa_rows *rows)
{
    xa_rows_free(rows);
    xa_audit_free(audit);
    free(blob);
    free(arena);
}
