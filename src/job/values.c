/* Small readers of job values: each reports what was expected and what was found, with the line. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "job_internal.h"

const char *xa_job_found(xa_ynode n)
{
    switch (xa_yaml_kind(n)) {
    case XA_Y_LIST:
        return "a list";
    case XA_Y_MAP:
        return "a map";
    case XA_Y_SCALAR:
        return *xa_yaml_text(n) ? xa_yaml_text(n) : "nothing";
    default:
        return "nothing";
    }
}

static const struct {
    xa_job_map map;
    const char *key;
} settings[] = {
#define X(map, key) {XA_JOB_##map, key},
    XA_JOB_SETTING_LIST(X)
#undef X
};
enum { SETTINGS = sizeof settings / sizeof *settings };

const char *xa_job_map_name(xa_job_map map)
{
    static const char *const names[XA_JOB_MAPS] = {
#define X(name, text) text,
        XA_JOB_MAP_LIST(X)
#undef X
    };
    return names[map];
}

bool xa_job_setting(int i, xa_job_map *map, const char **key)
{
    if (i < 0 || i >= SETTINGS)
        return false;
    *map = settings[i].map;
    *key = settings[i].key;
    return true;
}

void xa_job_check_keys(xa_ynode map, xa_job_map which, xa_problems *problems)
{
    const char *what = xa_job_map_name(which), *keys[SETTINGS];
    size_t n = 0;
    for (int i = 0; i < SETTINGS; i++)
        if (settings[i].map == which)
            keys[n++] = settings[i].key;
    for (int i = 0; i < xa_yaml_count(map); i++) {
        int64_t line;
        const char *key = xa_yaml_key(map, i, NULL, &line);
        bool known = false, twice = false;
        for (size_t k = 0; key && k < n; k++)
            known = known || !strcmp(key, keys[k]);
        for (int k = 0; key && k < i; k++) {
            const char *other = xa_yaml_key(map, k, NULL, NULL);
            twice = twice || (other && !strcmp(other, key));
        }
        if (twice)
            xa_problems_add(
                problems, xa_yaml_file(map), line, false, "%s: \"%s\" is given twice", what, key);
        if (known)
            continue;
        const char *near = key ? xa_nearest(key, keys, n) : NULL;
        xa_str list = {0};
        for (size_t k = 0; k < n; k++)
            xa_str_printf(&list, "%s%s", k ? ", " : "", keys[k]);
        xa_problems_add(problems,
                        xa_yaml_file(map),
                        line,
                        false,
                        "%s: unknown setting \"%s\"; %s%s%s",
                        what,
                        key ? key : "?",
                        near ? "did you mean \"" : "known are: ",
                        near ? near : (list.data ? list.data : ""),
                        near ? "\"?" : "");
        xa_str_free(&list);
    }
}

bool xa_job_i64(
    xa_ynode n, const char *what, int64_t low, int64_t high, int64_t *out, xa_problems *problems)
{
    int64_t v;
    if (!n.id)
        return true;
    const char *text = xa_yaml_text(n);
    if (!text || !xa_parse_i64(text, &v) || v < low || v > high) {
        XA_YAML_PROBLEM(problems,
                        n,
                        "%s: expected a whole number from %" PRId64 " to %" PRId64 ", found %s",
                        what,
                        low,
                        high,
                        xa_job_found(n));
        return false;
    }
    *out = v;
    return true;
}

bool xa_job_f64(xa_ynode n, const char *what, double *out, xa_problems *problems)
{
    double v;
    if (!n.id)
        return true;
    const char *text = xa_yaml_text(n);
    if (!text || !xa_parse_f64(text, &v) || !isfinite(v)) {
        XA_YAML_PROBLEM(problems, n, "%s: expected a number, found %s", what, xa_job_found(n));
        return false;
    }
    *out = v;
    return true;
}

bool xa_job_bool(xa_ynode n, const char *what, bool *out, xa_problems *problems)
{
    if (!n.id)
        return true;
    const char *text = xa_yaml_text(n);
    if (text && (!strcmp(text, "true") || !strcmp(text, "yes"))) {
        *out = true;
        return true;
    }
    if (text && (!strcmp(text, "false") || !strcmp(text, "no"))) {
        *out = false;
        return true;
    }
    XA_YAML_PROBLEM(problems, n, "%s: expected true or false, found %s", what, xa_job_found(n));
    return false;
}

bool xa_job_choice(xa_ynode n,
                   const char *what,
                   int (*parse)(const char *),
                   const char *const *names,
                   size_t nnames,
                   int *out,
                   xa_problems *problems)
{
    if (!n.id)
        return true;
    const char *text = xa_yaml_text(n);
    const int v = text ? parse(text) : -1;
    if (v >= 0) {
        *out = v;
        return true;
    }
    xa_str list = {0};
    for (size_t k = 0; k < nnames; k++)
        xa_str_printf(&list, "%s%s", k ? ", " : "", names[k]);
    const char *near = text ? xa_nearest(text, names, nnames) : NULL;
    XA_YAML_PROBLEM(problems,
                    n,
                    "%s: expected one of %s; found %s%s%s%s",
                    what,
                    list.data ? list.data : "",
                    xa_job_found(n),
                    near ? " (did you mean " : "",
                    near ? near : "",
                    near ? "?)" : "");
    xa_str_free(&list);
    return false;
}

bool xa_job_name_ok(const char *name)
{
    const size_t n = strlen(name);
    if (n < 1 || n > 60 || name[0] == '.')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("_.-", name[i]))
            return false;
    return true;
}
