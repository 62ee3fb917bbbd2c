/* What all commands print. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/print.h"

static int by_line(const void *a, const void *b)
{
    const xa_problem *x = *(const xa_problem *const *)a, *y = *(const xa_problem *const *)b;
    const int files = strcmp(x->file ? x->file : "", y->file ? y->file : "");
    if (files)
        return files;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x < y ? -1 : x > y;
}

void xa_print_problems(const xa_problems *p)
{
    const xa_problem **order = xa_alloc(p->count + 1, sizeof(xa_problem *));
    if (!order)
        return;
    for (size_t i = 0; i < p->count; i++)
        order[i] = &p->items[i];
    qsort(order, p->count, sizeof(xa_problem *), by_line);
    for (size_t i = 0; i < p->count; i++) {
        char text[2048];
        xa_str_sanitise(order[i]->text, text, sizeof text);
        if (order[i]->line > 0)
            fprintf(stderr,
                    "%s:%" PRId64 ": %s%s\n",
                    order[i]->file,
                    order[i]->line,
                    order[i]->warning ? "warning: " : "",
                    text);
        else
            fprintf(
                stderr, "%s: %s%s\n", order[i]->file, order[i]->warning ? "warning: " : "", text);
    }
    if (p->dropped)
        fprintf(stderr, "... and %zu more\n", p->dropped);
    free(order);
}

void xa_print_error(const xa_err *err)
{
    char text[XA_ERR_MESSAGE], trail[2048];
    xa_str_sanitise(err->message, text, sizeof text);
    fprintf(stderr, "xaudit: %s\n", text);
    xa_err_trail(err, trail, sizeof trail);
    xa_log(XA_LOG_DEBUG, "%s\n%s", xa_status_text(err->code), trail);
}

const char *xa_bytes_text(double bytes, char *buf, size_t size)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    int u = 0;
    while (bytes >= 1000.0 && u < 5) {
        bytes /= 1000.0;
        u++;
    }
    snprintf(buf, size, u ? "%.1f %s" : "%.0f %s", bytes, units[u]);
    return buf;
}

const char *xa_duration_text(double seconds, char *buf, size_t size)
{
    if (!(seconds >= 0.0)) {
        snprintf(buf, size, "?");
        return buf;
    }
    const long s = seconds < 1e9 ? lround(seconds) : 1000000000L;
    if (s >= 3600)
        snprintf(buf, size, "%ldh%02ldm", s / 3600, s / 60 % 60);
    else
        snprintf(buf, size, "%ldm%02lds", s / 60, s % 60);
    return buf;
}

const char *xa_bar_text(double part, int width, char *buf, size_t size)
{
    const double filled = part > 0.0 ? fmin(part, 1.0) * width : 0.0;
    xa_str bar = {0};
    for (int i = 0; i < width; i++)
        xa_str_puts(&bar, i < (int)filled ? "#" : ".");
    snprintf(buf, size, "[%s]", bar.data ? bar.data : "");
    xa_str_free(&bar);
    return buf;
}
