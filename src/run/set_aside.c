/* --fresh renames an existing archive; it never deletes one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xaudit/run.h"

xa_status xa_set_aside(const char *path, xa_err *err)
{
    for (int i = 1; i < 10000; i++) {
        char *to = xa_strfmt("%s.%d", path, i);
        if (!to)
            XA_RETURN_NOMEM(err);
        if (access(to, F_OK) == 0) {
            free(to);
            continue;
        }
        const int failed = rename(path, to);
        if (!failed)
            fprintf(stderr, "xaudit: --fresh: the earlier archive is now %s\n", to);
        free(to);
        if (failed)
            XA_RETURN_FAIL(
                err, XA_IO, "--fresh: \"%s\" cannot be renamed: %s", path, strerror(errno));
        return XA_OK;
    }
    XA_RETURN_FAIL(
        err, XA_LIMIT, "--fresh: \"%s.1\" to \"%s.9999\" exist: remove some of them", path, path);
}
