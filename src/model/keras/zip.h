/* The members of a .keras archive. Private to model; only zip.c calls libzip. */
#ifndef XAUDIT_MODEL_KERAS_ZIP_H
#define XAUDIT_MODEL_KERAS_ZIP_H

#include "xaudit/util.h"

/* A member of at most `limit` bytes as text, NUL-terminated; the caller frees it. FORMAT and LIMIT
 * name archive and member. */
XA_MUST_USE xa_status xa__kzip_text(
    const char *path, const char *member, size_t limit, char **text, size_t *size, xa_err *err);
/* A whole member; the caller frees it. A member that claims to be far larger than its compressed
 * bytes can be is refused (LIMIT). */
XA_MUST_USE xa_status
xa__kzip_bytes(const char *path, const char *member, void **bytes, size_t *size, xa_err *err);

/* Does the name of a member contain `part`? False if the file is no readable archive. */
bool xa__kzip_holds(const char *path, const char *part);

#endif
