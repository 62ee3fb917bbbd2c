/* Where in a job a setting can be tried, and with which other value: from the table alone, so that
 * a setting is tried by having its row. */
#ifndef XAUDIT_TESTS_SETTING_PLACES_H
#define XAUDIT_TESTS_SETTING_PLACES_H

#include <inttypes.h>
#include <string.h>

#include "settings.h"

/* The i-th place of a setting in a job that was read: its path for --set, and the object that its
 * member lies in. False behind the last; none for paths of files and what lies in them. */
static inline bool
setting_place(const xa_job *j, const xa_setting *s, int i, xa_str *path, const void **object)
{
    const xa_audit_spec *spec = &j->audit;
    xa_str_free(path);
    switch (s->map) {
    case XA_JOB_JOB:
    case XA_JOB_LIMITS:
    case XA_JOB_STORE:
        *object = j;
        xa_str_printf(path,
                      "%s%s%s",
                      s->map == XA_JOB_JOB ? "" : xa__map_name(s->map),
                      s->map == XA_JOB_JOB ? "" : ".",
                      s->key);
        return i == 0;
    case XA_JOB_MODEL:
        *object = &spec->models[i];
        xa_str_printf(path, "models.%d.%s", i, s->key);
        return i < spec->nmodels;
    case XA_JOB_INPUT:
        *object = &spec->models[i].input;
        xa_str_printf(path, "models.%d.input.%s", i, s->key);
        return i < spec->nmodels;
    case XA_JOB_EXPLAINER:
        for (int m = 0; m < spec->nmodels; m++)
            for (int e = 0; e < spec->models[m].nexplainers; e++) {
                const xa_explainer_spec *x = &spec->models[m].explainers[e];
                if (!xa__kind_has(s, (int)x->kind) || i--)
                    continue;
                *object = x;
                xa_str_printf(path, "models.%d.explainers.%d.%s", m, e, s->key);
                return true;
            }
        return false;
    case XA_JOB_METRIC:
        for (int k = 0; k < spec->nmetrics; k++) {
            if (!xa__kind_has(s, (int)spec->metrics[k].kind) || i--)
                continue;
            *object = &spec->metrics[k];
            xa_str_printf(path, "metrics.%d.%s", k, s->key);
            return true;
        }
        return false;
    case XA_JOB_CHECK:
        for (int k = 0; k < spec->nfaith; k++) {
            if (!xa__kind_has(s, (int)spec->faith[k].kind) || i--)
                continue;
            *object = &spec->faith[k];
            xa_str_printf(path, "checks.%d.%s", k, s->key);
            return true;
        }
        return false;
    default:
        return false;
    }
}

/* Another value than the object has, as text; false for texts, whose values no row knows. */
static inline bool setting_other(const xa_setting *s, const void *object, xa_str *out)
{
    xa_str now = {0};
    int64_t whole = 0;
    double number = 0.0;
    xa__value_text(s, object, &now);
    bool known = true;
    if (s->type == XA__TRUTH) {
        xa_str_puts(out, strcmp(now.data, "true") ? "true" : "false");
    } else if (s->type == XA__WORD) {
        int word = 0;
        while (strcmp(s->words[word], now.data) != 0)
            word++;
        xa_str_puts(out, s->words[s->words[word + 1] ? word + 1 : 0]);
    } else if (s->type == XA__INTEGER && xa_parse_i64(now.data, &whole)) {
        xa_str_printf(out, "%" PRId64, whole < s->low || whole == s->high ? s->low : whole + 1);
    } else if (s->type == XA__NUMBER && xa_parse_f64(now.data, &number)) {
        const double middle = s->most > 1e300 ? number + 1.0 : 0.5 * (s->least + s->most);
        xa_str_printf(out, "%g", number == middle ? 0.25 * (s->least + s->most) : middle);
    } else {
        known = false;
    }
    xa_str_free(&now);
    return known;
}

#endif
