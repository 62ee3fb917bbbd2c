/* --set: a value at a dotted path of a YAML document. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yaml_tree.h"

/* Says which indices there are, and which entry is the one of that name. */
static xa_status no_index(xa_yaml *y, int list, const char *key, xa_err *err)
{
    const xa_ynode n = {y, list};
    const int count = xa__yaml_count(n);
    char named[64] = "";
    for (int i = 0; i < count && !*named; i++) {
        const char *text = xa__yaml_text(xa__yaml_get(xa__yaml_at(n, i), "name"));
        if (text && !strcmp(text, key))
            snprintf(named, sizeof named, "; the one of that name is %d", i);
    }
    XA_RETURN_FAIL(err,
                   XA_INVALID,
                   "--set: \"%s\" is not an index of that list, which has %d entr%s from 0%s",
                   key,
                   count,
                   count == 1 ? "y" : "ies",
                   named);
}

/* Puts `child` under `key` of `parent`. Values may move in memory, so ids are used throughout. */
static xa_status put(xa_yaml *y, int parent, const char *key, int child, xa_err *err)
{
    const xa_ynode n = {y, parent};
    int64_t index;
    if (xa__yaml_kind(n) == XA_Y_LIST) {
        if (!xa_parse_i64(key, &index) || index < 0 || index >= xa__yaml_count(n))
            return no_index(y, parent, key, err);
        xa__yaml_value_of(y, parent)->item[index] = child;
        return XA_OK;
    }
    if (xa__yaml_kind(n) != XA_Y_MAP)
        XA_RETURN_FAIL(
            err, XA_INVALID, "--set: there is nothing under a plain value (\"%s\")", key);
    for (int i = 0; i < xa__yaml_count(n); i++) {
        const char *k = xa__yaml_key(n, i, NULL, NULL);
        if (k && !strcmp(k, key)) {
            xa__yaml_value_of(y, parent)->item[2 * i + 1] = child;
            return XA_OK;
        }
    }
    const int k = xa__yaml_scalar(y, key, strlen(key), true, 0);
    if (!k || !xa__yaml_append(y, parent, k) || !xa__yaml_append(y, parent, child))
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

/* The lines of a value are the file's; those of --set have none. */
static void forget_lines(xa_yaml *y, int id)
{
    xa__yaml_value *v = xa__yaml_value_of(y, id);
    v->line = 0;
    for (size_t i = 0; i < v->count; i++)
        forget_lines(y, v->item[i]);
}

/* A list or map in brackets, else a plain text. */
static xa_status new_value(xa_yaml *y, const char *path, const char *value, int *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_yaml *other = NULL;
    xa_problems problems = {0};
    if (*value != '[' && *value != '{') {
        *out = xa__yaml_scalar(y, value, strlen(value), true, 0);
    } else {
        if (xa__yaml_parse("--set", value, strlen(value), &problems, &other, NULL) != XA_OK)
            XA_FAIL(err,
                    XA_INVALID,
                    "--set %s=%s: %s",
                    path,
                    value,
                    problems.count ? problems.items[0].text : "not valid YAML");
        *out = xa__yaml_copy(y, other, other->root);
        if (*out)
            forget_lines(y, *out);
    }
    if (!*out)
        XA_NOMEM_FAIL(err);
done:
    xa__yaml_free(other);
    xa_problems_fini(&problems);
    return st;
}

xa_status xa__yaml_set(xa_yaml *y, const char *path, const char *value, xa_err *err)
{
    xa_status st = XA_OK;
    char *copy = xa_strdup(path), *rest = NULL;
    int at = y->root;
    if (!copy)
        XA_NOMEM_FAIL(err);
    for (char *key = strtok_r(copy, ".", &rest); key;) {
        char *next = strtok_r(NULL, ".", &rest);
        if (!next) {
            int child;
            XA_TRY(err, new_value(y, path, value, &child, err));
            XA_TRY(err, put(y, at, key, child, err));
            break;
        }
        const xa_ynode here = {y, at};
        int64_t index;
        xa_ynode child = xa__yaml_kind(here) == XA_Y_LIST && xa_parse_i64(key, &index) &&
                                 index >= 0 && index < xa__yaml_count(here)
                             ? xa__yaml_at(here, (int)index)
                             : xa__yaml_get(here, key);
        if (!child.id) {
            child.id = xa__yaml_new(y, XA_Y_MAP, 0);
            if (!child.id)
                XA_NOMEM_FAIL(err);
            XA_TRY(err, put(y, at, key, child.id, err));
        }
        at = child.id;
        key = next;
    }
done:
    free(copy);
    return st;
}
