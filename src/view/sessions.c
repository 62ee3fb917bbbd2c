#include "xaudit/view.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The rows of a column, at least `rows` of them; NULL if it is not what format 1 says. */
static void *column(xa_archive *a, const char *path, xa_type type, int64_t rows, size_t *item_bytes)
{
    xa_dataset_info info;
    void *data = NULL;
    if (xa_archive_dataset(a, path, &info, NULL) != XA_OK || info.type != type || info.ndim > 1 ||
        (info.ndim == 1 ? info.dim[0] : 1) < rows ||
        xa_archive_read_all(a, path, &info, &data, NULL) != XA_OK)
        return NULL;
    if (item_bytes)
        *item_bytes = info.item_bytes;
    return data;
}

static bool texts(xa_archive *a, const char *path, xa_sessions *s, size_t offset, size_t room)
{
    size_t bytes = 0;
    char *table = column(a, path, XA_TYPE_STR, s->n, &bytes);
    for (int32_t i = 0; table && i < s->n; i++)
        xa_read_text(table, bytes, i, (char *)&s->list[i] + offset, room);
    free(table);
    return table != NULL;
}

static bool numbers(xa_archive *a, const char *path, xa_sessions *s, size_t offset)
{
    int32_t *table = column(a, path, XA_TYPE_I32, s->n, NULL);
    for (int32_t i = 0; table && i < s->n; i++)
        memcpy((char *)&s->list[i] + offset, &table[i], sizeof table[i]);
    free(table);
    return table != NULL;
}

#define AT(member) offsetof(xa_session, member)
#define ROOM(member) sizeof((xa_session *)0)->member

xa_status xa_sessions_read(xa_archive *a, xa_sessions *out, xa_err *err)
{
    xa_sessions s = {0};
    int32_t *count = column(a, xa_field_path(XA_FIELD_RUN_SESSION_COUNT), XA_TYPE_I32, 1, NULL);
    s.count = count && *count > 0 ? *count : 0;
    s.n = s.count < XA_SESSIONS ? s.count : XA_SESSIONS;
    free(count);
    s.list = xa_alloc((size_t)s.n + 1, sizeof *s.list);
    if (!s.list)
        XA_RETURN_NOMEM(err);
    const bool whole =
        texts(a, xa_field_path(XA_FIELD_RUN_SESSION_START), &s, AT(start), ROOM(start)) &&
        texts(a, xa_field_path(XA_FIELD_RUN_SESSION_END), &s, AT(end), ROOM(end)) &&
        texts(a, xa_field_path(XA_FIELD_RUN_SESSION_TEXT), &s, AT(text), ROOM(text)) &&
        numbers(a, xa_field_path(XA_FIELD_RUN_SESSION_RANKS), &s, AT(ranks)) &&
        numbers(a, xa_field_path(XA_FIELD_RUN_SESSION_NODES), &s, AT(nodes)) &&
        numbers(a, xa_field_path(XA_FIELD_RUN_SESSION_THREADS), &s, AT(threads));
    (void)texts(a, xa_field_path(XA_FIELD_RUN_SESSION_CPU), &s, AT(cpu), ROOM(cpu));
    (void)texts(
        a, xa_field_path(XA_FIELD_RUN_SESSION_LIBRARIES), &s, AT(libraries), ROOM(libraries));
    double *seconds =
        column(a, xa_field_path(XA_FIELD_RUN_SESSION_SECONDS), XA_TYPE_F64, s.n, NULL);
    s.n = whole ? s.n : 0;
    for (int32_t i = 0; i < s.n; i++) {
        xa_session *x = &s.list[i];
        x->seconds = seconds && seconds[i] >= 0.0 && seconds[i] < 1e12 ? seconds[i] : NAN;
        s.core_hours +=
            (double)x->ranks * (x->threads > 1 ? (double)x->threads : 1.0) * x->seconds / 3600.0;
    }
    free(seconds);
    *out = s;
    return XA_OK;
}

void xa_sessions_fini(xa_sessions *s)
{
    free(s->list);
    *s = (xa_sessions){0};
}

void xa_sessions_print(const xa_sessions *s, FILE *out)
{
    for (int32_t i = 0; i < s->n; i++) {
        const xa_session *x = &s->list[i];
        fprintf(out,
                "  session %-8d %s to %s, %d rank%s on %d node%s; %s\n",
                (int)i + 1,
                x->start,
                *x->end ? x->end : "(ended by a kill)",
                x->ranks,
                x->ranks == 1 ? "" : "s",
                x->nodes,
                x->nodes == 1 ? "" : "s",
                x->text);
        if (*x->libraries && (i == 0 || strcmp(x->libraries, s->list[i - 1].libraries) != 0 ||
                              strcmp(x->cpu, s->list[i - 1].cpu) != 0))
            fprintf(out, "                   %s; %s\n", x->libraries, x->cpu);
    }
    if (s->n && isfinite(s->core_hours))
        fprintf(out,
                "  core hours       %s%.4g (ranks x wall time of %d session%s)\n",
                s->count > s->n ? "more than " : "",
                s->core_hours,
                (int)s->n,
                s->n == 1 ? "" : "s");
}

void xa_sessions_tell(const xa_sessions *s, FILE *out)
{
    if (!s->n || !isfinite(s->core_hours))
        return;
    fprintf(out,
            "It took %s%.4g core hours in %d session%s",
            s->count > s->n ? "more than " : "",
            s->core_hours,
            (int)s->count,
            s->count == 1 ? "" : "s");
    for (int32_t i = 0; i < s->n; i++) {
        bool said = false;
        for (int32_t k = 0; k < i; k++)
            said = said || (!strcmp(s->list[k].cpu, s->list[i].cpu) &&
                            !strcmp(s->list[k].libraries, s->list[i].libraries) &&
                            !strcmp(s->list[k].text, s->list[i].text));
        if (!said)
            fprintf(out,
                    "%s%s; %s; %s",
                    i ? " / " : " (",
                    s->list[i].cpu,
                    s->list[i].text,
                    s->list[i].libraries);
    }
    fputs(").\n", out);
}
