/* Small readers of job values: each reports what was expected and what was found, with the line. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "job_internal.h"

const char *xa__found(xa_ynode n)
{
    switch (xa__yaml_kind(n)) {
    case XA_Y_LIST:
        return "a list";
    case XA_Y_MAP:
        return "a map";
    case XA_Y_SCALAR:
        return *xa__yaml_text(n) ? xa__yaml_text(n) : "nothing";
    default:
        return "nothing";
    }
}

bool xa__read_i64(
    xa_ynode n, const char *what, int64_t low, int64_t high, int64_t *out, xa_problems *problems)
{
    int64_t v;
    if (!n.id)
        return true;
    const char *text = xa__yaml_text(n);
    if (!text || !xa_parse_i64(text, &v) || v < low || v > high) {
        XA_YAML_PROBLEM(problems,
                        n,
                        "%s: expected a whole number from %" PRId64 " to %" PRId64 ", found %s",
                        what,
                        low,
                        high,
                        xa__found(n));
        return false;
    }
    *out = v;
    return true;
}

bool xa__read_f64(xa_ynode n, const char *what, double *out, xa_problems *problems)
{
    double v;
    if (!n.id)
        return true;
    const char *text = xa__yaml_text(n);
    if (!text || !xa_parse_f64(text, &v) || !isfinite(v)) {
        XA_YAML_PROBLEM(problems, n, "%s: expected a number, found %s", what, xa__found(n));
        return false;
    }
    *out = v;
    return true;
}

bool xa__read_bool(xa_ynode n, const char *what, bool *out, xa_problems *problems)
{
    if (!n.id)
        return true;
    const char *text = xa__yaml_text(n);
    if (text && (!strcmp(text, "true") || !strcmp(text, "yes"))) {
        *out = true;
        return true;
    }
    if (text && (!strcmp(text, "false") || !strcmp(text, "no"))) {
        *out = false;
        return true;
    }
    XA_YAML_PROBLEM(problems, n, "%s: expected true or false; found %s", what, xa__found(n));
    return false;
}

bool xa__is_name(const char *name)
{
    const size_t n = strlen(name);
    if (n < 1 || n > 60 || name[0] == '.')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("_.-", name[i]))
            return false;
    return true;
}
