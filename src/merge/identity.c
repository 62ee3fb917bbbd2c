/* The identities of archives that are to be joined. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "merge_internal.h"
#include "xaudit/job.h"

/* ---- what an archive was made from ---- */

/* Reads the "12." with which a line of a merged archive begins: 12, and the length of that text;
 * -1: the line begins otherwise. */
static int section_of(const char *line, size_t *prefix)
{
    int n = 0;
    size_t k = 0;
    while (k < 6 && line[k] >= '0' && line[k] <= '9')
        n = 10 * n + (line[k++] - '0');
    *prefix = k + 1;
    return k > 0 && line[k] == '.' ? n : -1;
}

xa_status xa__merge_sections(xa__merge_part *p, xa_err *err)
{
    size_t cap = 0, prefix;
    xa_str *section = NULL;
    xa_status st = XA_OK;
    int n = 0;
    for (const char *line = p->identity; *line;) {
        const size_t size = strcspn(line, "\n");
        int k = section_of(line, &prefix);
        const bool merged = !strncmp(line, "merged.", 7);
        if (k < 0)
            k = 0, prefix = 0;
        if (!merged && k <= n) {
            if (k == n) {
                XA_TRY(err, xa_grow(&section, &cap, (size_t)n + 1, sizeof *section, err));
                section[n++] = (xa_str){0};
            }
            xa_str_printf(&section[k], "%.*s\n", (int)(size - prefix), line + prefix);
        }
        line += size + (line[size] == '\n');
    }
    p->sections = xa_alloc((size_t)n + 1, sizeof *p->sections);
    if (!p->sections)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < n; i++) {
        if (section[i].failed)
            XA_NOMEM_FAIL(err);
        p->sections[p->nsections++] = section[i].data;
        section[i] = (xa_str){0};
    }
    if (n == 0)
        XA_FAIL(err, XA_FORMAT, "%s: its identity_text is empty", p->path);
done:
    for (int i = 0; i < n; i++)
        xa_str_free(&section[i]);
    free(section);
    return st;
}

xa_status xa__merge_identity(const xa__merge_part *parts, int n, xa_str *out, xa_err *err)
{
    int at = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < parts[i].nsections; k++, at++) {
            xa_str_printf(out, "merged.%d = of these\n", at);
            for (const char *p = parts[i].sections[k]; *p;) {
                const size_t line = strcspn(p, "\n");
                xa_str_printf(out, "%d.%.*s\n", at, (int)line, p);
                p += line + (p[line] == '\n');
            }
        }
    if (out->failed)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

/* ---- whether they can be joined ---- */

xa_status xa__merge_is_current(const xa__merge_part *p, xa_err *err)
{
    xa_status st = XA_OK;
    xa_identity_difference d = {0};
    xa_str ours = {0}, theirs = {0};
    xa_versions v;
    XA_TRY(err, xa_versions_read(p->r->archive, p->path, &v, err));
    xa_identity_current(&ours);
    for (int i = 0; i < p->nsections; i++) {
        xa_str_free(&theirs);
        xa_identity_versions(p->sections[i], &theirs);
        if (ours.failed || theirs.failed)
            XA_NOMEM_FAIL(err);
        xa_str_free(&d.text);
        XA_TRY(err,
               xa_identity_differ(
                   theirs.data ? theirs.data : "", ours.data, "archive", "this release", &d, err));
        if (d.parts)
            XA_FAIL(err,
                    XA_MISMATCH,
                    "%s was made by xaudit %s, whose numbers are not those of this release (%s): "
                    "merge it with the release that made it, or run its job again",
                    p->path,
                    v.tool,
                    d.text.data);
    }
done:
    xa_str_free(&d.text);
    xa_str_free(&ours);
    xa_str_free(&theirs);
    return st;
}

xa_status xa__merge_same_job(const xa__merge_part *a, const xa__merge_part *b, xa_err *err)
{
    xa_status st = XA_OK;
    xa_identity_difference d = {0};
    XA_TRY(err, xa_identity_differ(a->identity, b->identity, a->path, b->path, &d, err));
    if (d.parts)
        XA_FAIL(err,
                XA_MISMATCH,
                "%s and %s were made with other settings, %d differ%s: %s",
                a->path,
                b->path,
                d.n,
                d.n == 1 ? "s" : "",
                d.text.data);
done:
    xa_str_free(&d.text);
    return st;
}

static bool begins(const char *line, const char *with)
{
    return !strncmp(line, with, strlen(with));
}

/* Whether a line is about what the other archive has, too. Lines about a model or a metric that
 * only one has do not count, nor lines about maps, nor the lists of models and metrics. */
static bool matters(const char *line, size_t size, const char *other)
{
    static const char *const lists[] = {
        "pass.models =", "pass.thumbnails =", "scores.metrics =", "scores.checks ="};
    const char *slash = memchr(line, '/', size), *sign = memmem(line, size, " = ", 3);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (begins(line, lists[i]))
            return false;
    if (!slash || (sign && sign < slash))
        return true; /* about the whole job */
    if (begins(line, "maps."))
        return false;
    /* whether a line of the other archive also begins with "pass.model.NAME/" */
    const size_t n = (size_t)(slash - line) + 1;
    for (const char *p = other; *p; p += strcspn(p, "\n"), p += *p == '\n')
        if (!strncmp(p, line, n))
            return true;
    return false;
}

static void shared_lines(const char *text, const char *other, xa_str *out)
{
    for (const char *p = text; *p;) {
        const size_t size = strcspn(p, "\n");
        if (matters(p, size, other))
            xa_str_printf(out, "%.*s\n", (int)size, p);
        p += size + (p[size] == '\n');
    }
}

static xa_status same_section(const xa__merge_part *a,
                              const char *of_a,
                              const xa__merge_part *b,
                              const char *of_b,
                              xa_err *err)
{
    xa_status st = XA_OK;
    xa_identity_difference d = {0};
    xa_str x = {0}, y = {0};
    shared_lines(of_a, of_b, &x);
    shared_lines(of_b, of_a, &y);
    if (x.failed || y.failed)
        XA_NOMEM_FAIL(err);
    XA_TRY(
        err,
        xa_identity_differ(x.data ? x.data : "", y.data ? y.data : "", a->path, b->path, &d, err));
    if (d.parts)
        XA_FAIL(err,
                XA_MISMATCH,
                "%s and %s are of jobs that differ in what both have, %d differ%s: %s",
                a->path,
                b->path,
                d.n,
                d.n == 1 ? "s" : "",
                d.text.data);
done:
    xa_str_free(&d.text);
    xa_str_free(&x);
    xa_str_free(&y);
    return st;
}

xa_status xa__merge_same_conventions(const xa__merge_part *a, const xa__merge_part *b, xa_err *err)
{
    for (int i = 0; i < a->nsections; i++)
        for (int k = 0; k < b->nsections; k++)
            XA_RETURN_TRY(err, same_section(a, a->sections[i], b, b->sections[k], err));
    return XA_OK;
}
