/* The parts of a .keras archive. Private to model; keras_zip.c is the only place that calls libzip.
 */
#ifndef XAUDIT_MODEL_KERAS_ZIP_H
#define XAUDIT_MODEL_KERAS_ZIP_H

#include "xaudit/util.h"

/* A small member as text, NUL-terminated; the caller frees. FORMAT/LIMIT name archive and member.
 */
XA_MUST_USE xa_status xa__kzip_text(
    const char *path, const char *member, size_t limit, char **text, size_t *size, xa_err *err);
/* A whole member; the caller frees. One that says it is much larger than its compressed bytes can
 * be is refused (LIMIT). */
XA_MUST_USE xa_status
xa__kzip_bytes(const char *path, const char *member, void **bytes, size_t *size, xa_err *err);

/* Whether the name of a member contains `part`; false for what is no readable archive. */
bool xa__kzip_holds(const char *path, const char *part);

#endif
