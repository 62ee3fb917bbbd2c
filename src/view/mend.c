#include "xaudit/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void sentence(xa_archive *a, const char *path, bool rows, char *out, size_t size)
{
    char *evaluated = NULL, *merged = NULL;
    if (xa_archive_attr_text(a, "/", "evaluated_from", &evaluated, NULL) != XA_OK)
        evaluated = NULL;
    if (xa_archive_attr_text(a, "/", "merged_from", &merged, NULL) != XA_OK)
        merged = NULL;
    if (evaluated)
        snprintf(out,
                 size,
                 "it holds an evaluation of %s: xaudit verify that one, and xaudit evaluate it "
                 "again with --fresh",
                 evaluated);
    else if (merged)
        snprintf(
            out, size, "it was merged from %s: xaudit verify those, and merge them again", merged);
    else if (!rows)
        snprintf(out,
                 size,
                 "restore a copy, or begin anew with xaudit run JOB --fresh (xaudit info %s --job "
                 "prints its job)",
                 path);
    else
        snprintf(out,
                 size,
                 "xaudit run JOB --redo-damaged computes damaged rows again (xaudit info %s --job "
                 "prints its job)",
                 path);
    free(evaluated);
    free(merged);
}

static bool text(const char *path, bool rows, char *out, size_t size)
{
    xa_archive *a = NULL;
    if (xa_archive_open_read(path, &a, NULL) != XA_OK)
        return false;
    sentence(a, path, rows, out, size);
    if (xa_archive_close(a, NULL) != XA_OK)
        xa_log(XA_LOG_DEBUG, "%s: closing failed", path);
    return true;
}

bool xa_mend_text(const char *path, char *out, size_t size)
{
    return text(path, true, out, size);
}

bool xa_mend_whole_text(const char *path, char *out, size_t size)
{
    return text(path, false, out, size);
}

xa_status xa_mend_fail(const char *path, xa_err *err, const char *fmt, ...)
{
    char what[512], mend[512] = "";
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    const bool known = xa_mend_text(path, mend, sizeof mend);
    return XA_ERR(err,
                  XA_DAMAGED,
                  "%s is damaged: %s; xaudit verify %s lists all damage%s%s",
                  path,
                  what,
                  path,
                  known ? "; " : "",
                  mend);
}
