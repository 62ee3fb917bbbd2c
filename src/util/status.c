/* Status codes and the error trail. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "xaudit/util.h"

const char *xa_status_name(xa_status st)
{
    static const char *const names[] = {
#define X(name, text) #name,
        XA_STATUS_LIST(X)
#undef X
    };
    return (unsigned)st < XA_STATUS_COUNT ? names[st] : "UNKNOWN";
}

const char *xa_status_text(xa_status st)
{
    static const char *const texts[] = {
#define X(name, text) text,
        XA_STATUS_LIST(X)
#undef X
    };
    return (unsigned)st < XA_STATUS_COUNT ? texts[st] : "unknown status";
}

static void add_frame(xa_err *err, const char *file, const char *func, int line)
{
    if (err->nframes < 0 || err->nframes >= XA_ERR_TRAIL)
        return;
    err->frame[err->nframes].file = file;
    err->frame[err->nframes].func = func;
    err->frame[err->nframes].line = line;
    err->nframes++;
}

xa_status xa_err_set(
    xa_err *err, xa_status code, const char *file, const char *func, int line, const char *fmt, ...)
{
    if (!err)
        return code;
    /* Formatted into a buffer of its own, since an argument may be the message that is being
     * replaced. */
    char text[XA_ERR_MESSAGE];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0)
        text[0] = '\0';
    err->code = code;
    xa_str_sanitise(text, err->message, sizeof err->message);
    err->nframes = 0;
    add_frame(err, file, func, line);
    return code;
}

xa_status xa_err_pass(xa_err *err, xa_status code, const char *file, const char *func, int line)
{
    if (!err)
        return code;
    if (err->code == XA_OK) {
        /* The callee recorded no failure: keep at least its code. */
        err->code = code;
        snprintf(err->message, sizeof err->message, "%s", xa_status_text(code));
        err->nframes = 0;
    }
    add_frame(err, file, func, line);
    return code;
}

void xa_err_prefix(xa_err *err, const char *fmt, ...)
{
    if (!err)
        return;
    char prefix[XA_ERR_MESSAGE];
    char text[2 * XA_ERR_MESSAGE + 4];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(prefix, sizeof prefix, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    snprintf(text, sizeof text, "%s: %s", prefix, err->message);
    xa_str_sanitise(text, err->message, sizeof err->message);
}

void xa_err_trail(const xa_err *err, char *out, size_t size)
{
    if (size == 0)
        return;
    out[0] = '\0';
    if (!err)
        return;
    size_t used = 0;
    for (int i = 0; i < err->nframes && i < XA_ERR_TRAIL; i++) {
        const xa_err_frame *f = &err->frame[i];
        int n = snprintf(out + used,
                         size - used,
                         "%s%s:%d %s",
                         i > 0 ? "\n" : "",
                         xa_path_last(f->file),
                         f->line,
                         f->func);
        if (n < 0 || (size_t)n >= size - used)
            return;
        used += (size_t)n;
    }
}
