/* JSON of Keras configurations. */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Checks the text before it is parsed, since a small file could become gigabytes of values. */
static xa_status check_text(const char *text, size_t size, const char *what, xa_err *err)
{
    size_t values = 1;
    int depth = 0, deepest = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
            continue;
        }
        if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            depth++;
            values++;
            if (depth > deepest)
                deepest = depth;
        } else if (c == ']' || c == '}') {
            depth--;
        } else if (c == ',' || c == ':') {
            values++;
        }
    }
    if (deepest > XA__KMAX_DEPTH)
        XA_RETURN_FAIL(err,
                       XA_LIMIT,
                       "%s: lists and objects are nested %d deep, the limit is %d",
                       what,
                       deepest,
                       XA__KMAX_DEPTH);
    if (values > XA__KMAX_VALUES)
        XA_RETURN_FAIL(
            err, XA_LIMIT, "%s: %zu values, the limit is %d", what, values, XA__KMAX_VALUES);
    return XA_OK;
}

xa_status
xa__kjson_parse(const char *text, size_t size, const char *what, json_t **out, xa_err *err)
{
    XA_RETURN_TRY(err, check_text(text, size, what, err));
    json_error_t e;
    json_t *root = json_loadb(text, size, 0, &e);
    if (!root)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: no valid JSON: line %d, column %d: %s",
                       what,
                       e.line,
                       e.column,
                       e.text);
    *out = root;
    return XA_OK;
}

const char *xa__kjson_text(const json_t *v, char *buf, size_t size)
{
    memset(buf, 0, size); /* json_dumpb leaves gaps if the text does not fit */
    if (!v || json_is_null(v)) {
        snprintf(buf, size, "nothing");
    } else if (json_is_string(v)) {
        snprintf(buf, size, "\"%s\"", json_string_value(v));
    } else if (json_is_integer(v)) {
        snprintf(buf, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    } else if (json_is_real(v)) {
        snprintf(buf, size, "%g", json_real_value(v));
    } else if (json_is_boolean(v)) {
        snprintf(buf, size, "%s", json_is_true(v) ? "true" : "false");
    } else {
        const size_t n = json_dumpb(v, buf, size, JSON_COMPACT | JSON_ENCODE_ANY);
        if (n < size)
            buf[n] = '\0';
        else
            buf[size - 1] = '\0';
    }
    return buf;
}

/* The list or number inside {"class_name": "__numpy__", "config": {"value": ..}} or
 * {"type": .., "value": ..}; the value itself otherwise. */
static const json_t *unwrap(const json_t *v)
{
    const json_t *inner = json_object_get(json_object_get(v, "config"), "value");
    if (!inner)
        inner = json_object_get(v, "value");
    return inner ? inner : v;
}

bool xa__kjson_number(const json_t *v, double *out)
{
    double x[1];
    if (xa__kjson_numbers(v, x, 1) != 1)
        return false;
    *out = x[0];
    return true;
}

int xa__kjson_numbers(const json_t *v, double *out, int max)
{
    v = unwrap(v);
    while (json_is_array(v) && json_array_size(v) == 1 && json_is_array(json_array_get(v, 0)))
        v = json_array_get(v, 0);
    if (json_is_number(v)) {
        if (max < 1)
            return 0;
        out[0] = json_number_value(v);
        return isfinite(out[0]) ? 1 : 0;
    }
    if (!json_is_array(v) || json_array_size(v) > (size_t)max)
        return 0;
    const int n = (int)json_array_size(v);
    for (int i = 0; i < n; i++) {
        const json_t *item = json_array_get(v, (size_t)i);
        if (!json_is_number(item) || !isfinite(json_number_value(item)))
            return 0;
        out[i] = json_number_value(item);
    }
    return n;
}

/* Writes the values below v, `axis` axes down, and moves *to on. */
static bool fill(const json_t *v, const xa_shape *shape, int axis, float **to)
{
    if (axis == shape->ndim) {
        const bool number = json_is_number(v) && isfinite(json_number_value(v));
        if (number)
            *(*to)++ = (float)json_number_value(v);
        return number;
    }
    bool all = json_is_array(v) && json_array_size(v) == (size_t)shape->dim[axis];
    for (size_t i = 0; all && i < json_array_size(v); i++)
        all = fill(json_array_get(v, i), shape, axis + 1, to);
    return all;
}

xa_status xa__kjson_array(const json_t *v, xa_shape *shape, float **values, xa_err *err)
{
    char text[80];
    const json_t *at = v = unwrap(v);
    *shape = (xa_shape){.ndim = 0};
    for (; json_is_array(at) && json_array_size(at) && shape->ndim < XA_MAX_DIMS;
         at = json_array_get(at, 0))
        shape->dim[shape->ndim++] = (int64_t)json_array_size(at);
    const int64_t count = xa_shape_count(shape);
    if (count < 1 || count > XA__KMAX_VALUES)
        XA_RETURN_FAIL(err, XA_LIMIT, "a constant of %" PRId64 " values", count);
    float *to = *values = xa_alloc((size_t)count, sizeof *to);
    if (!to)
        XA_RETURN_NOMEM(err);
    if (fill(v, shape, 0, &to))
        return XA_OK;
    free(*values);
    *values = NULL;
    XA_RETURN_FAIL(err,
                   XA_UNSUPPORTED,
                   "the constant %s, which is no number and no tensor of numbers",
                   xa__kjson_text(v, text, sizeof text));
}

/* ---- typed access ---- */

static const json_t *find(const json_t *config, const char *key)
{
    const json_t *v = json_object_get(config, key);
    return json_is_null(v) ? NULL : v;
}

bool xa__kget_absent(const json_t *config, const char *key)
{
    return !find(config, key);
}

/* An integer, which Keras also writes as 3.0. */
static bool as_integer(const json_t *v, int64_t *out)
{
    double x = 0;
    if (json_is_integer(v)) {
        *out = json_integer_value(v);
        return true;
    }
    if (!json_is_number(v) && !json_is_object(v))
        return false;
    if (!xa__kjson_number(v, &x) || x != floor(x) || fabs(x) > 1e15)
        return false;
    *out = (int64_t)x;
    return true;
}

static xa_status wrong(const char *key, const char *expected, const json_t *v, xa_err *err)
{
    char text[80];
    XA_RETURN_FAIL(err,
                   XA_FORMAT,
                   "\"%s\" is %s, expected %s",
                   key,
                   xa__kjson_text(v, text, sizeof text),
                   expected);
}

xa_status xa__kget_int(const json_t *config,
                       const char *key,
                       int64_t missing,
                       int64_t low,
                       int64_t high,
                       int64_t *out,
                       xa_err *err)
{
    const json_t *v = find(config, key);
    int64_t x = missing;
    if (v && !as_integer(v, &x))
        return wrong(key, "a whole number", v, err);
    if (x < low || x > high)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "\"%s\" is %" PRId64 ", expected %" PRId64 " to %" PRId64,
                       key,
                       x,
                       low,
                       high);
    *out = x;
    return XA_OK;
}

xa_status xa__kget_pair(const json_t *config,
                        const char *key,
                        int64_t missing,
                        int64_t low,
                        int64_t out[2],
                        xa_err *err)
{
    const json_t *v = find(config, key);
    int64_t x[2] = {missing, missing};
    if (json_is_array(v)) {
        if (json_array_size(v) != 2 || !as_integer(json_array_get(v, 0), &x[0]) ||
            !as_integer(json_array_get(v, 1), &x[1]))
            return wrong(key, "two whole numbers", v, err);
    } else if (v) {
        if (!as_integer(v, &x[0]))
            return wrong(key, "one or two whole numbers", v, err);
        x[1] = x[0];
    }
    for (int i = 0; i < 2; i++)
        if (x[i] < low || x[i] > XA__KMAX_EXTENT)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "\"%s\" is %" PRId64 ", expected %" PRId64 " to %d",
                           key,
                           x[i],
                           low,
                           XA__KMAX_EXTENT);
    out[0] = x[0];
    out[1] = x[1];
    return XA_OK;
}

xa_status
xa__kget_real(const json_t *config, const char *key, double missing, double *out, xa_err *err)
{
    const json_t *v = find(config, key);
    double x = missing;
    if (v && !xa__kjson_number(v, &x))
        return wrong(key, "a number", v, err);
    *out = x;
    return XA_OK;
}

xa_status xa__kget_bool(const json_t *config, const char *key, bool missing, bool *out, xa_err *err)
{
    const json_t *v = find(config, key);
    const bool number = json_is_integer(v) && (json_integer_value(v) & ~(json_int_t)1) == 0;
    if (v && !json_is_boolean(v) && !number)
        return wrong(key, "true or false", v, err);
    if (!v)
        *out = missing;
    else
        *out = number ? json_integer_value(v) == 1 : json_is_true(v);
    return XA_OK;
}

xa_status xa__kget_text(
    const json_t *config, const char *key, const char *missing, const char **out, xa_err *err)
{
    const json_t *v = find(config, key);
    if (v && !json_is_string(v))
        return wrong(key, "text", v, err);
    *out = v ? json_string_value(v) : missing;
    return XA_OK;
}

xa_status xa__kget_refuse(const json_t *config, const char *key, xa_err *err)
{
    const json_t *v = find(config, key);
    char text[80];
    if (v && !json_is_false(v))
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "\"%s\" is %s, which is not supported",
                       key,
                       xa__kjson_text(v, text, sizeof text));
    return XA_OK;
}
