/* The table of settings, and what its rows say in words. */
#include "settings.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"

/* ---- words, in the order of the values that they stand for ---- */

#define NAME2(name, text) text,
#define NAME3(name, text, more) text,
static const char *const explainer_words[] = {XA_EXPLAINER_LIST(NAME3) NULL};
static const char *const metric_words[] = {XA_METRIC_LIST(NAME3) NULL};
static const char *const score_words[] = {XA_SCORE_LIST(NAME2) NULL};
static const char *const reduce_words[] = {XA_REDUCE_LIST(NAME2) NULL};
static const char *const fuse_words[] = {XA_FUSE_LIST(NAME2) NULL};
static const char *const quadrature_words[] = {XA_QUADRATURE_LIST(NAME2) NULL};
static const char *const statistic_words[] = {XA_STATISTIC_LIST(NAME2) NULL};
static const char *const base_words[] = {XA_BASE_LIST(NAME3) NULL};
static const char *const norm_words[] = {"l1", "l2", NULL};
static const char *const probe_pool_words[] = {XA_PROBE_POOL_LIST(NAME2) NULL};
static const char *const join_words[] = {"max", "mean", NULL};
static const char *const resample_words[] = {XA_RESAMPLE_LIST(NAME2) NULL};
static const char *const method_words[] = {XA__METHOD_LIST(NAME2) NULL};
static const char *const explainer_profile_words[] = {"seed", "paper", NULL};
static const char *const check_words[] = {"average_drop", "random_logit", NULL};
static const char *const faith_words[] = {XA_FAITH_LIST(NAME3) NULL};
static const char *const tie_words[] = {XA_TIES_LIST(NAME2) NULL};
static const char *const frame_words[] = {"refuse", "rescale", NULL};
static const char *const label_words[] = {"name", "index", NULL};
static const char *const numerics_words[] = {"strict", "fast", "bf16-gradient", "bf16", NULL};
static const char *const head_words[] = {
    "softmax", "sigmoid", "multilabel", "none", "regression", NULL};
static const char *const orientation_words[] = {"apply", "ignore", NULL};
static const char *const rules_words[] = {XA_RULES_LIST(NAME2) NULL};
static const char *const direction_words[] = {"up", "down", NULL};
static const char *const store_words[] = {"f32", "f16", NULL};
static const char *const sign_words[] = {"signed", "positive", "abs", NULL};
static const char *const upsample_words[] = {"linear", "cubic", NULL};
static const char *const stretch_words[] = {"max", "minmax", NULL};
static const char *const contour_words[] = {"largest", "all", NULL};
static const char *const difficult_words[] = {"keep", "skip", NULL};
static const char *const crowd_words[] = {"keep", "ignore", NULL};

/* ---- the table ---- */

/* Bounds that only keep arithmetic from overflowing: 2^40 pixels, bytes or samples; any number. */
#define XA__MOST ((int64_t)1 << 40)
#define XA__ANY DBL_MAX
#define IN(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)NULL)->member)
#define SETTING(in, name, ...) {.map = XA_JOB_##in, .key = (name), __VA_ARGS__},
#define FACT(in, ...) {.map = XA_JOB_##in, __VA_ARGS__},
static const xa_setting table[] = {
#include "settings.def"
};
enum { SETTINGS = sizeof table / sizeof *table };

const xa_setting *xa__settings(size_t *n)
{
    *n = SETTINGS;
    return table;
}

const xa_setting *xa__setting(xa_job_map map, const char *key)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (table[i].map == map && table[i].key && !strcmp(table[i].key, key))
            return &table[i];
    return NULL;
}

static const struct {
    const char *name, *example;
} maps[XA_JOB_MAPS] = {
#define X(id, text, shown) {text, shown},
    XA_JOB_MAP_LIST(X)
#undef X
};

const char *xa__map_name(xa_job_map map)
{
    return maps[map].name;
}

const char *xa__map_example(xa_job_map map)
{
    return maps[map].example;
}

/* ---- kinds ---- */

int xa__kinds_of(xa_job_map map)
{
    return map == XA_JOB_EXPLAINER ? XA_EXPLAIN_COUNT
           : map == XA_JOB_METRIC  ? XA_METRIC_COUNT
           : map == XA_JOB_CHECK   ? XA_FAITH_COUNT
                                   : 0;
}

const char *xa__kind_name(xa_job_map map, int kind)
{
    return map == XA_JOB_EXPLAINER ? xa_explainer_get((xa_explainer_kind)kind)->name
           : map == XA_JOB_CHECK   ? xa_faith_kind_name((xa_faith_kind)kind)
                                   : xa_metric_kind_name((xa_metric_kind)kind);
}

bool xa__kind_has(const xa_setting *s, int kind)
{
    if (!s->key || kind < 0)
        return true;
    if (s->map == XA_JOB_EXPLAINER) {
        if (!strcmp(s->key, "method"))
            return kind == XA_EXPLAIN_ATTENTION;
        for (int i = 0; i < XA_EXPLAINER_SETTING_COUNT; i++)
            if (!strcmp(xa_explainer_setting_key((xa_explainer_setting)i), s->key))
                return xa_explainer_has((xa_explainer_kind)kind, (xa_explainer_setting)i);
    } else if (s->map == XA_JOB_METRIC) {
        for (int i = 0; i < XA_METRIC_SETTING_COUNT; i++)
            if (!strcmp(xa_metric_setting_key((xa_metric_setting)i), s->key))
                return xa_metric_has((xa_metric_kind)kind, (xa_metric_setting)i);
    } else if (s->map == XA_JOB_CHECK) {
        for (int i = 0; i < XA_FAITH_SETTING_COUNT; i++)
            if (!strcmp(xa_faith_setting_key((xa_faith_setting)i), s->key))
                return xa_faith_has((xa_faith_kind)kind, (xa_faith_setting)i);
    }
    return true;
}

void xa__kinds_text(const xa_setting *s, bool shorter, xa_str *out)
{
    const int n = xa__kinds_of(s->map);
    int has = 0;
    for (int k = 0; k < n; k++)
        has += xa__kind_has(s, k);
    if (has == n)
        return;
    const bool rest = shorter && n - has < has;
    const char *comma = rest ? "all kinds but " : "";
    for (int k = 0; k < n; k++)
        if (xa__kind_has(s, k) != rest) {
            xa_str_printf(out, "%s%s", comma, xa__kind_name(s->map, k));
            comma = ", ";
        }
}

/* ---- values ---- */

bool xa__is_plain(const xa_setting *s)
{
    return s->size && s->type != XA__OTHER && s->type != XA__MAP;
}

void xa__values_text(const xa_setting *s, xa_str *out)
{
    if (s->values) {
        xa_str_puts(out, s->values);
    } else if (s->values_of) {
        xa_str_puts(out, s->values_of());
    } else if (s->words) {
        for (int i = 0; s->words[i]; i++)
            xa_str_printf(out, "%s`%s`", i ? " " : "", s->words[i]);
    } else if (s->type == XA__TRUTH) {
        xa_str_puts(out, "`true` `false`");
    } else if (s->type == XA__INTEGER) {
        if (s->high == XA__MOST)
            xa_str_printf(out, "whole number from %" PRId64, s->low);
        else
            xa_str_printf(out, "%" PRId64 " to %" PRId64, s->low, s->high);
    } else if (s->type == XA__NUMBER) {
        if (s->most >= XA__ANY)
            xa_str_puts(out, "number");
        else
            xa_str_printf(out, "%g to %s%g", s->least, s->below ? "below " : "", s->most);
    } else {
        xa_str_puts(out, s->type == XA__PATH ? "path" : s->type == XA__NAME ? "name" : "text");
    }
}

void xa__value_text(const xa_setting *s, const void *object, xa_str *out)
{
    const char *at = (const char *)object + s->offset;
    int64_t whole = 0;
    int word = 0;
    if (s->size == sizeof(bool))
        word = *(const bool *)at;
    else if (s->size == sizeof(int))
        memcpy(&word, at, sizeof word);
    switch (s->type) {
    case XA__INTEGER:
        if (s->size == sizeof(int64_t))
            memcpy(&whole, at, sizeof whole);
        else
            whole = word;
        xa_str_printf(out, "%" PRId64, whole);
        break;
    case XA__NUMBER:
        xa__number_text(*(const double *)at, out);
        break;
    case XA__TRUTH:
        xa_str_puts(out, word ? "true" : "false");
        break;
    case XA__WORD:
        xa_str_puts(out, s->words[word]);
        break;
    default:
        if (s->size == sizeof(char *))
            at = *(const char *const *)at;
        xa_str_puts(out, at && *at ? at : "none");
    }
}
