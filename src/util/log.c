/* The log sink: set once by main before any other thread or module runs. */
#include <stdarg.h>
#include <stdio.h>

#include "xaudit/util.h"

static xa_log_fn *log_fn;
static void *log_arg;

void xa_log_sink(xa_log_fn *fn, void *arg)
{
    log_fn = fn;
    log_arg = arg;
}

void xa_log(xa_log_level level, const char *fmt, ...)
{
    if (!log_fn)
        return;
    char text[4096];
    char clean[4096];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    xa_str_sanitise(text, clean, sizeof clean);
    log_fn(log_arg, level, clean);
}
