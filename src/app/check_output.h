/* What would stop a run at its archive: xaudit check finds it before. Private to app. */
#ifndef XAUDIT_APP_CHECK_OUTPUT_H
#define XAUDIT_APP_CHECK_OUTPUT_H

#include "app.h"

/* The folder is there and can be written, it has room for `bytes` (0: the archive is there
 * already), limits of the process allow it, nobody holds the lock, nothing stale lies beside it.
 * Mistakes and warnings go to problems; the job's file is blamed. */
void xa_check_output(const xa_loaded *l, double bytes, xa_problems *problems);
/* Lock files of OMPIO's shared file pointers that runs of before left beside the archive: names at
 * most three of them; "" when there are none. */
void xa_stale_locks(const char *archive, char *out, size_t size);

#endif
