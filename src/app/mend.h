/* What mends a damaged archive. Private to app. */
#ifndef XAUDIT_APP_MEND_H
#define XAUDIT_APP_MEND_H

#include "xaudit/archive.h"

/* The command, as a sentence: for a run's archive, an evaluation, or one merged of models. False
 * where the archive cannot be opened. */
bool xa_mend_text(const char *path, char *out, size_t size);
/* The same where no row that is computed again mends it: a run's archive is made anew. */
bool xa_mend_whole_text(const char *path, char *out, size_t size);
/* Sets DAMAGED: what is wrong, which command lists all of it, and which mends it. */
xa_status xa_mend_fail(const char *path, xa_err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
