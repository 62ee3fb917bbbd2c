/* An audit under test with its memory, alone on one rank. */
#ifndef TESTS_AUDIT_STARTED_H
#define TESTS_AUDIT_STARTED_H

#include "xaudit/audit.h"

/* Everything that xa_audit_unit needs, made from a specification that must outlive it; a failure
 * fails the test. */
void audit_start(
    const xa_audit_spec *spec, xa_audit **audit, void **blob, void **arena, xa_rows **rows);
void audit_stop(xa_audit *audit, void *blob, void *arena, xa_rows *rows);

#endif
