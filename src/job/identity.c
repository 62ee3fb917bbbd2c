/* Compares identities, and says in words how they differ. */
#include "job_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct listing {
    xa_identity_difference *out;
    const char *a_name, *b_name;
    unsigned only; /* only lines of these parts */
    bool all;      /* also lines that a line of a list implies */
} listing;

static bool begins(const xa_identity_line *l, const char *with)
{
    const size_t n = strlen(with);
    return (size_t)l->key_size >= n && !memcmp(l->key, with, n);
}

static bool is(const xa_identity_line *l, const char *key)
{
    return (size_t)l->key_size == strlen(key) && begins(l, key);
}

static bool is_of_metrics(const xa_identity_line *l)
{
    return is(l, "scores.metrics") || begins(l, "scores.metric.");
}

bool xa_identity_of_metrics(const char *key, size_t size)
{
    const xa_identity_line l = {.key = key, .key_size = (int)size};
    return is_of_metrics(&l) || is(&l, "scores.definitions");
}

static unsigned part_of(const xa_identity_line *l)
{
    if (is(l, "format") || is(l, "pass.definitions") || is(l, "maps.definitions") ||
        is(l, "scores.definitions") || is(l, "scores.map_definitions"))
        return XA_IDENTITY_VERSIONS;
    if (is(l, XA_SLICE_KEY))
        return XA_IDENTITY_SLICE;
    if (is_of_metrics(l))
        return XA_IDENTITY_METRICS;
    if (begins(l, "scores."))
        return XA_IDENTITY_SCORES;
    return begins(l, "maps.") ? XA_IDENTITY_MAPS : XA_IDENTITY_PASS;
}

void xa_identity_versions(const char *identity, xa_str *out)
{
    for (const char *p = identity; *p;) {
        const size_t size = strcspn(p, "\n");
        const char *sign = memmem(p, size, " = ", 3);
        const xa_identity_line l = {.key = p, .key_size = (int)(sign ? sign - p : (long)size)};
        if (part_of(&l) == XA_IDENTITY_VERSIONS)
            xa_str_printf(out, "%.*s\n", (int)size, p);
        p += size + (p[size] == '\n');
    }
}

void xa_identity_current(xa_str *out)
{
    xa_str_printf(out, "format = %d.%d\n", XA_FORMAT_MAJOR, XA_FORMAT_MINOR);
    xa_str_printf(out, "pass.definitions = %d\n", XA_PASS_VERSION);
    xa_str_printf(out, "maps.definitions = %d\n", XA_MAPS_VERSION);
    xa_str_printf(out, "scores.definitions = %d\n", XA_METRICS_VERSION);
    xa_str_printf(out, "scores.map_definitions = %d\n", XA_MAP_SCORES_VERSION);
}

static bool is_number(const char *text, int size, int64_t *out)
{
    char digits[24];
    return text && size < (int)sizeof digits &&
           (snprintf(digits, sizeof digits, "%.*s", size, text), xa_parse_i64(digits, out));
}

/* Has the job raised this limit? What was read before can still be read. */
static bool is_raised_limit(const xa_identity_line *l)
{
    int64_t a, b;
    return (is(l, "pass.max_pixels") || is(l, "pass.max_bytes")) &&
           is_number(l->a, l->a_size, &a) && is_number(l->b, l->b_size, &b) && a < b;
}

static void note(void *arg, const xa_identity_line *l)
{
    xa_identity_difference *d = arg;
    d->parts |= is_raised_limit(l) ? XA_IDENTITY_LIMITS : part_of(l);
}

/* Is the line one of a model, explainer or metric that only one side has? The line with the list of
 * their names says so already. */
static bool is_implied(const xa_identity_line *l)
{
    if (l->a && l->b)
        return false;
    return begins(l, "scores.metric.") || begins(l, "pass.model.") ||
           (begins(l, "maps.") && memchr(l->key, '/', (size_t)l->key_size));
}

static void list(void *arg, const xa_identity_line *l)
{
    const listing *t = arg;
    if (!(part_of(l) & t->only) || (!t->all && is_implied(l)))
        return;
    t->out->n++;
    xa_identity_tell(&t->out->text, l, t->a_name, t->b_name);
}

xa_status xa_identity_differ(const char *a,
                             const char *b,
                             const char *a_name,
                             const char *b_name,
                             xa_identity_difference *out,
                             xa_err *err)
{
    *out = (xa_identity_difference){0};
    listing t = {.out = out, .a_name = a_name, .b_name = b_name, .only = ~0u};
    (void)xa_identity_compare(a, b, note, out);
    if (out->parts & XA_IDENTITY_VERSIONS)
        t.only = XA_IDENTITY_VERSIONS;
    if (out->parts)
        (void)xa_identity_compare(a, b, list, &t);
    t.all = true;
    if (out->parts && !out->n) /* the lists are equal: a setting that has a line only sometimes */
        (void)xa_identity_compare(a, b, list, &t);
    if (!out->text.failed)
        return XA_OK;
    xa_str_free(&out->text);
    XA_RETURN_NOMEM(err);
}

static void note_version(void *arg, const xa_identity_line *l)
{
    bool *only = arg;
    *only = *only && (part_of(l) != XA_IDENTITY_VERSIONS || is(l, "scores.definitions"));
}

/* Do no definitions differ but those that an evaluation replaces? */
static bool only_metrics_differ(const char *a, const char *b)
{
    bool only = true;
    (void)xa_identity_compare(a, b, note_version, &only);
    return only;
}

/* Adds what the user can do. */
static void advise(unsigned parts, const char *path, const char *job, xa_str *out)
{
    if (parts == XA_IDENTITY_METRICS)
        xa_str_printf(out,
                      "; finish it with the metrics that it began with, and then `xaudit evaluate "
                      "%s --metrics "
                      "%s` scores its maps by the new ones without a model pass; or",
                      path,
                      job);
    else if (parts == XA_IDENTITY_LIMITS)
        xa_str_puts(out, "; --retry-failed continues it and reads failed images again; or");
    else
        xa_str_puts(out, ";");
    xa_str_puts(out,
                " give another --output, or begin anew with `xaudit run --fresh`, which renames "
                "the archive");
}

xa_status xa_identity_check(
    const char *path, const char *text, const char *job, bool retry_failed, xa_err *err)
{
    xa_status st = XA_OK;
    xa_archive *a = NULL;
    char *theirs = NULL;
    xa_identity_difference d = {0};
    xa_str message = {0};
    xa_versions v;
    XA_TRY(err, xa_archive_open_read(path, &a, err));
    XA_TRY(err, xa_archive_text(a, XA_FIELD_IDENTITY_TEXT, &theirs, err));
    XA_TRY(err, xa_versions_read(a, path, &v, err));
    if (!theirs)
        XA_FAIL(err, XA_FORMAT, "%s: the attribute identity_text of / is missing", path);
    XA_TRY(err, xa_identity_differ(theirs, text, "archive", "job", &d, err));
    if (!d.parts || (d.parts == XA_IDENTITY_LIMITS && retry_failed))
        goto done;
    if (d.parts & XA_IDENTITY_VERSIONS) {
        const bool one = !strcmp(v.tool, xa_tool_version()); /* one release, two definitions */
        xa_str_printf(&message,
                      "%s was begun by %s%s, and this is %s%s: their numbers cannot be in one "
                      "archive (%s); finish it with the %s that began it",
                      path,
                      one ? "another build of xaudit " : "xaudit ",
                      v.tool,
                      one ? "a build with other definitions" : "xaudit ",
                      one ? "" : xa_tool_version(),
                      d.text.data,
                      one ? "build" : "release");
        if (only_metrics_differ(theirs, text))
            xa_str_printf(&message,
                          "; `xaudit evaluate %s` scores its maps by this %s without a model pass",
                          path,
                          one ? "build" : "release");
        xa_str_puts(&message,
                    "; or give another --output, or begin anew with `xaudit run --fresh`, which "
                    "renames the archive");
    } else {
        xa_str_printf(&message,
                      "%s was made with other settings, %d differ%s: %s",
                      path,
                      d.n,
                      d.n == 1 ? "s" : "",
                      d.text.data);
        advise(d.parts, path, job, &message);
    }
    if (message.failed)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    XA_FAIL(err, XA_MISMATCH, "%s", message.data);
done:
    xa_str_free(&d.text);
    xa_str_free(&message);
    free(theirs);
    const xa_status closed = xa_archive_close(a, st == XA_OK ? err : NULL);
    return st == XA_OK ? closed : st;
}

/* ---- versions ---- */

static xa_status
version(xa_archive *a, const char *file, const char *name, int64_t *out, xa_err *err)
{
    double v = 0.0;
    int64_t n = 0;
    XA_RETURN_TRY(err, xa_archive_attr_f64(a, "/", name, &v, 1, &n, err));
    if (n && !(v >= 1.0 && v < 1e6))
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: the attribute %s of / is %g, expected a version from 1 on",
                       file,
                       name,
                       v);
    *out = n ? (int64_t)v : 1;
    return XA_OK;
}

xa_status xa_versions_read(xa_archive *a, const char *file, xa_versions *out, xa_err *err)
{
    char *tool = NULL;
    XA_RETURN_TRY(err, version(a, file, "metric_definitions", &out->metrics, err));
    XA_RETURN_TRY(err, version(a, file, "map_score_definitions", &out->map_scores, err));
    XA_RETURN_TRY(err, xa_archive_attr_text(a, "/", "tool_version", &tool, err));
    xa_str_sanitise(tool ? tool : "of an unknown release", out->tool, sizeof out->tool);
    free(tool);
    return XA_OK;
}

/* Adds how the numbers of another release's archive become numbers of this release. */
static void add_remedy(xa_str *out, const char *file, const xa_versions *v)
{
    if (v->metrics > XA_METRICS_VERSION || v->map_scores > XA_MAP_SCORES_VERSION)
        xa_str_printf(out,
                      "; %s is of a later release than this (%s): use that one",
                      file,
                      xa_tool_version());
    else if (v->metrics < XA_METRICS_VERSION)
        xa_str_printf(
            out, "; `xaudit evaluate %s` scores its maps by this release's definitions", file);
    else if (v->map_scores < XA_MAP_SCORES_VERSION)
        xa_str_printf(out, "; run the job of %s again", file);
}

xa_status
xa_versions_same(xa_archive *a, const char *a_file, xa_archive *b, const char *b_file, xa_err *err)
{
    xa_status st = XA_OK;
    xa_versions x, y;
    xa_str what = {0};
    XA_TRY(err, xa_versions_read(a, a_file, &x, err));
    XA_TRY(err, xa_versions_read(b, b_file, &y, err));
    if (x.metrics == y.metrics && x.map_scores == y.map_scores)
        goto done;
    const bool scores = x.metrics != y.metrics;
    add_remedy(&what, a_file, &x);
    add_remedy(&what, b_file, &y);
    if (what.failed)
        XA_NOMEM_FAIL(err);
    XA_FAIL(err,
            XA_MISMATCH,
            "%s has %s of definitions %" PRId64
            " (xaudit %s), and %s has them of definitions %" PRId64
            " (xaudit %s): their numbers do not mean the same%s",
            a_file,
            scores ? "metrics" : "scores of maps and checks",
            scores ? x.metrics : x.map_scores,
            x.tool,
            b_file,
            scores ? y.metrics : y.map_scores,
            y.tool,
            what.data ? what.data : "");
done:
    xa_str_free(&what);
    return st;
}

xa_status xa_versions_warn(xa_archive *a, const char *file, xa_err *err)
{
    xa_versions v;
    xa_str what = {0};
    XA_RETURN_TRY(err, xa_versions_read(a, file, &v, err));
    if (v.metrics == XA_METRICS_VERSION && v.map_scores == XA_MAP_SCORES_VERSION)
        return XA_OK;
    add_remedy(&what, file, &v);
    if (v.metrics != XA_METRICS_VERSION)
        xa_log(XA_LOG_WARN,
               "%s: its metrics follow definitions %" PRId64
               " (xaudit %s), and this release follows "
               "%d: their numbers do not mean the same%s",
               file,
               v.metrics,
               v.tool,
               XA_METRICS_VERSION,
               what.data ? what.data : "");
    else
        xa_log(XA_LOG_WARN,
               "%s: its scores of maps and checks follow definitions %" PRId64
               " (xaudit %s), and this release follows %d: their numbers do not mean the same%s",
               file,
               v.map_scores,
               v.tool,
               XA_MAP_SCORES_VERSION,
               what.data ? what.data : "");
    xa_str_free(&what);
    return XA_OK;
}
