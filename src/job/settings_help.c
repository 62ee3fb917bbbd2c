/* What the table of settings says to people: `xaudit help settings` and jobs/REFERENCE.md. */
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"
#include "xaudit/print.h"

enum { KEYS = 24 }; /* the column that stands right of the keys */

/* ---- pieces ---- */

/* The reference's words on a terminal: no backticks, and commas where these alone part two
 * words. */
static void plain_words(const char *text, xa_str *out)
{
    for (const char *c = text; *c; c++)
        if (!strncmp(c, "` `", 3)) {
            xa_str_puts(out, ", ");
            c += 2;
        } else if (*c != '`' && !(*c == '\\' && c[1] == '|')) {
            xa_str_add(out, c, 1);
        }
}

static void print_words(FILE *out, const xa_str *text, int at)
{
    xa_str words = {0};
    plain_words(text->data ? text->data : "", &words);
    if (words.data && !words.failed)
        xa_put_wrapped(out, words.data, KEYS, at);
    else
        fputc('\n', out);
    xa_str_free(&words);
}

/* Adds the value of a setting's first line, without its key: "0.15", "0 px". */
static void line_value(const xa_setting *s, const void *object, xa_str *out)
{
    xa_str text = {0};
    xa__lines l = {.out = &text, .of = ""};
    s->lines(&l, s, object);
    const char *equals = text.data ? strstr(text.data, " = ") : NULL;
    const size_t key = strlen(s->key);
    if (equals) {
        xa_str_add(out, equals + 3, strcspn(equals + 3, "\n"));
        if ((size_t)(equals - text.data) > key + 1) /* tolerance.px */
            xa_str_printf(
                out, " %.*s", (int)((size_t)(equals - text.data) - key - 1), text.data + key + 1);
    }
    xa_str_free(&text);
}

/* Adds the default that a kind of explainer or metric has. */
static void kind_default(const xa_setting *s, int kind, xa_str *out)
{
    const xa_explainer_spec e = xa_explainer_defaults(
        s->map == XA_JOB_EXPLAINER ? (xa_explainer_kind)kind : XA_EXPLAIN_SALIENCY);
    const xa_metric_spec m =
        xa_metric_defaults(s->map == XA_JOB_METRIC ? (xa_metric_kind)kind : XA_METRIC_ENERGY);
    const xa_faith_spec f =
        xa_faith_defaults(s->map == XA_JOB_CHECK ? (xa_faith_kind)kind : XA_FAITH_DELETION);
    const void *object = s->map == XA_JOB_METRIC  ? (const void *)&m
                         : s->map == XA_JOB_CHECK ? (const void *)&f
                                                  : (const void *)&e;
    if (xa__is_plain(s))
        xa__value_text(s, object, out);
    else if (s->lines)
        line_value(s, object, out);
}

/* Adds the default that most kinds have, and the others with theirs. */
static void kinds_default(const xa_setting *s, xa_str *out)
{
    const int n = xa__kinds_of(s->map);
    xa_str *text = xa_alloc((size_t)n, sizeof *text);
    int most = -1, most_count = 0;
    for (int k = 0; text && k < n; k++)
        if (xa__kind_has(s, k))
            kind_default(s, k, &text[k]);
    for (int k = 0; text && k < n; k++) {
        int count = 0;
        for (int i = 0; text[k].data && i < n; i++)
            count += text[i].data && !strcmp(text[i].data, text[k].data);
        if (count > most_count) {
            most_count = count;
            most = k;
        }
    }
    if (most >= 0)
        xa_str_puts(out, text[most].data);
    for (int k = 0; text && k < n; k++) {
        bool first = text[k].data && strcmp(text[k].data, text[most].data) != 0;
        for (int i = 0; first && i < k; i++)
            first = !text[i].data || strcmp(text[i].data, text[k].data) != 0;
        for (int i = k; first && i < n; i++)
            if (text[i].data && !strcmp(text[i].data, text[k].data)) {
                if (i == k)
                    xa_str_printf(out, "; %s of", text[k].data);
                xa_str_printf(out, "%s %s", i == k ? "" : ",", xa__kind_name(s->map, i));
            }
    }
    for (int k = 0; text && k < n; k++)
        xa_str_free(&text[k]);
    free(text);
}

/* Adds what holds where the job says nothing; nothing for a setting that is needed. */
static void default_text(const xa_setting *s, xa_str *out)
{
    if (s->needed)
        return;
    if (s->initial || s->otherwise)
        xa_str_puts(out, s->initial ? s->initial : s->otherwise);
    else if (xa__kinds_of(s->map))
        kinds_default(s, out);
}

/* ---- xaudit help settings ---- */

/* Adds " (default: 7; only of iou)". */
static void add_remarks(const xa_setting *s, xa_str *out)
{
    xa_str without = {0}, kinds = {0};
    default_text(s, &without);
    xa__kinds_text(s, true, &kinds);
    if (s->needed)
        xa_str_puts(out, " (needed");
    else if (without.len)
        xa_str_printf(out, " (default: %s", without.data);
    if (kinds.len)
        xa_str_printf(out,
                      "%s%s%s",
                      s->needed || without.len ? "; " : " (",
                      strncmp(kinds.data, "all ", 4) ? "only of " : "of ",
                      kinds.data);
    if (s->needed || without.len || kinds.len)
        xa_str_puts(out, ")");
    xa_str_free(&without);
    xa_str_free(&kinds);
}

static void print_setting(FILE *out, const xa_setting *s)
{
    xa_str help = {0}, values = {0};
    xa_str_puts(&help, s->help);
    const int at = fprintf(out, "  %s", s->key);
    fprintf(out, "%*s", KEYS - at, "");
    print_words(out, &help, KEYS);
    xa__values_text(s, &values);
    add_remarks(s, &values);
    fprintf(out, "%*s= ", KEYS, "");
    print_words(out, &values, KEYS + 2);
    xa_str_free(&help);
    xa_str_free(&values);
}

static void print_all(FILE *out)
{
    size_t n;
    const xa_setting *all = xa__settings(&n);
    fputs("A job is a file of YAML. `xaudit help settings KEY` says more of one setting.\n"
          "Paths are relative to the file; lists and maps may be shared by YAML's anchors,\n"
          "aliases and merge keys (&name, *name, <<: *name).\n",
          out);
    for (int map = 0; map < XA_JOB_MAPS; map++) {
        fprintf(out, "\n%s:\n", xa__map_name((xa_job_map)map));
        for (size_t i = 0; i < n; i++)
            if (all[i].map == (xa_job_map)map && all[i].key)
                print_setting(out, &all[i]);
    }
}

static void print_fact(FILE *out, const char *what, const xa_str *text)
{
    if (!text->len)
        return;
    fprintf(out, "  %-*s", KEYS - 2, what);
    print_words(out, text, KEYS);
}

/* Adds what another value of the setting means for an archive that exists. */
static void identity_sentence(const xa_setting *s, xa_str *out)
{
    static const char *const moves[] = {" the models' outputs", " maps", " scores or tables"};
    if (s->type == XA__MAP) {
        xa_str_puts(out, "each setting in it says for itself");
        return;
    }
    if (!s->part) {
        xa_str_printf(out, "a run goes on with another value: %s", s->why);
        return;
    }
    if (s->map == XA_JOB_METRIC || s->map == XA_JOB_AT || !strcmp(s->key, "metrics")) {
        xa_str_puts(
            out,
            "a run does not go on with another value, but `xaudit evaluate` scores the maps "
            "by it without a model pass");
    } else {
        const char *comma = "";
        xa_str_puts(out, "a run does not go on with another value, because it moves");
        for (unsigned i = 0; i < 3; i++)
            if (s->part >> i & 1u) {
                xa_str_printf(out, "%s%s", comma, moves[i]);
                comma = ",";
            }
    }
    if (s->why)
        xa_str_printf(out, " (%s)", s->why);
}

static void print_one(FILE *out, const xa_setting *s)
{
    xa_str help = {0}, values = {0}, without = {0}, kinds = {0}, identity = {0};
    xa_str_puts(&help, s->help);
    fprintf(out, "%s: %s\n", xa__map_name(s->map), s->key);
    xa__values_text(s, &values);
    default_text(s, &without);
    if (s->needed)
        xa_str_puts(&without, "none, it is needed");
    xa__kinds_text(s, false, &kinds);
    identity_sentence(s, &identity);
    print_fact(out, "meaning", &help);
    print_fact(out, "values", &values);
    print_fact(out, "default", &without);
    print_fact(out, "only of", &kinds);
    print_fact(out, "archives", &identity);
    xa_str_free(&help);
    xa_str_free(&values);
    xa_str_free(&without);
    xa_str_free(&kinds);
    xa_str_free(&identity);
}

/* Is the setting what a user calls "scale", "input.scale" or "models.0.input.scale"? */
static bool is_called(const xa_setting *s, const char *name)
{
    const char *dot = strrchr(name, '.'), *map = xa__map_name(s->map);
    if (!s->key || strcmp(dot ? dot + 1 : name, s->key) != 0)
        return false;
    if (!dot)
        return true;
    const size_t n = strlen(map), size = (size_t)(dot - name);
    return size >= n && !strncmp(dot - n, map, n) && (size == n || dot[-(ptrdiff_t)n - 1] == '.');
}

static xa_status unknown(const char *name, xa_err *err)
{
    size_t n, count = 0;
    const xa_setting *all = xa__settings(&n);
    const char **keys = xa_alloc(n, sizeof *keys), *dot = strrchr(name, '.');
    if (!keys)
        XA_RETURN_NOMEM(err);
    for (size_t i = 0; i < n; i++)
        if (all[i].key)
            keys[count++] = all[i].key;
    const char *near = xa_nearest(dot ? dot + 1 : name, keys, count);
    free(keys);
    XA_RETURN_FAIL(err,
                   XA_NOT_FOUND,
                   "\"%s\" is not a setting of a job%s%s%s; `xaudit help settings` lists them",
                   name,
                   near ? "; did you mean \"" : "",
                   near ? near : "",
                   near ? "\"?" : "");
}

/* ---- the table of jobs/REFERENCE.md ---- */

static void print_markdown(FILE *out)
{
    size_t n;
    const xa_setting *all = xa__settings(&n);
    fputs("| where | setting | values | default | meaning |\n"
          "| --- | --- | --- | --- | --- |\n",
          out);
    for (int map = 0; map < XA_JOB_MAPS; map++) {
        bool first = true;
        for (size_t i = 0; i < n; i++) {
            const xa_setting *s = &all[i];
            xa_str values = {0}, without = {0}, kinds = {0};
            if (s->map != (xa_job_map)map || !s->key)
                continue;
            xa__values_text(s, &values);
            default_text(s, &without);
            xa__kinds_text(s, true, &kinds);
            fprintf(out,
                    "| %s | `%s` | %s | %s | %s%s%s%s |\n",
                    first ? xa__map_name(s->map) : "",
                    s->key,
                    values.data ? values.data : "",
                    s->needed      ? "needed"
                    : without.data ? without.data
                                   : "",
                    s->help,
                    kinds.len ? " (" : "",
                    kinds.len ? kinds.data : "",
                    kinds.len ? ")" : "");
            first = false;
            xa_str_free(&values);
            xa_str_free(&without);
            xa_str_free(&kinds);
        }
    }
}

xa_status xa_settings_help(FILE *out, const char *key, xa_err *err)
{
    size_t n;
    bool found = false;
    const xa_setting *all = xa__settings(&n);
    if (!key) {
        print_all(out);
        return XA_OK;
    }
    if (!strcmp(key, "--markdown")) {
        print_markdown(out);
        return XA_OK;
    }
    for (size_t i = 0; i < n; i++)
        if (is_called(&all[i], key)) {
            if (found)
                fputc('\n', out);
            print_one(out, &all[i]);
            found = true;
        }
    return found ? XA_OK : unknown(key, err);
}
