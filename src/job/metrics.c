/* metrics of a job. */
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"

void xa__read_metric_profile(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    const char *text = xa__yaml_text(n);
    xa_err why = XA_ERR_INIT;
    (void)s;
    if (xa_metric_profile(object, text ? text : "", &why) != XA_OK)
        XA_YAML_PROBLEM(r->problems, n, "profile: %s", why.message);
}

/* map | input | image | { grid: n } */
void xa__read_at(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    static const char *const words[] = {"map", "input", "image", NULL};
    static const xa_metric_at at[] = {XA_AT_MAP, XA_AT_INPUT, XA_AT_IMAGE};
    xa_metric_spec *m = object;
    xa_setting choice = *s;
    choice.words = words;
    if (xa__yaml_kind(n) == XA_Y_MAP) {
        m->at = XA_AT_GRID;
        xa__read_map(r, n, XA_JOB_AT, -1, m);
        return;
    }
    const int word = xa__read_word(r, &choice, n);
    if (word >= 0)
        m->at = at[word];
}

/* 15px, 15, or 2% of the image's longer side */
void xa__read_tolerance(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_metric_spec *m = object;
    char number[64] = "";
    const char *text = xa__yaml_text(n);
    const size_t len = text ? strlen(text) : 0;
    const bool share = len > 1 && text[len - 1] == '%';
    const size_t unit = share ? 1 : len > 2 && xa_str_ends(text, "px") ? 2 : 0;
    if (len < sizeof number && len > unit)
        memcpy(number, text, len - unit);
    double v;
    if (!*number || !xa_parse_f64(number, &v) || !(v >= 0.0 && v <= (share ? 100.0 : 1e6))) {
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "%s: expected pixels, such as 15px, or a share, such as 2%%, found %s",
                        s->key,
                        xa__found(n));
        return;
    }
    m->tolerance = share ? v / 100.0 : v;
    m->tolerance_is_share = share;
}

/* otsu | mean | a share of the maximum */
void xa__read_threshold(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_metric_spec *m = object;
    const char *text = xa__yaml_text(n);
    double v;
    if (text && !strcmp(text, "otsu")) {
        m->cut = XA_CUT_OTSU;
    } else if (text && !strcmp(text, "mean")) {
        m->cut = XA_CUT_MEAN;
    } else if (text && xa_parse_f64(text, &v) && v >= 0.0 && v < 1.0) {
        m->cut = XA_CUT_FRACTION;
        m->threshold = v;
    } else {
        XA_YAML_PROBLEM(
            r->problems,
            n,
            "%s: expected otsu, mean, or a share from 0 to below 1, such as 0.15, found %s",
            s->key,
            xa__found(n));
    }
}

/* 0.5 or [0.3, 0.5, 0.7] */
void xa__read_iou(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_metric_spec *m = object;
    const bool list = xa__yaml_kind(n) == XA_Y_LIST;
    const int count = list ? xa__yaml_count(n) : 1, most = xa_metric_most_levels(m->kind);
    if (count < 1 || count > most) {
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "%s: expected 1%s %d level%s, found %d",
                        s->key,
                        most > 1 ? " to" : ", of",
                        most,
                        most == 1 ? " at most" : "s",
                        count);
        return;
    }
    for (int i = 0; i < count; i++)
        (void)xa__read_f64(list ? xa__yaml_at(n, i) : n, s->key, &m->level[i], r->problems);
    m->nlevels = count;
}

static void read_metric(const xa__reading *r, xa_ynode item, xa_audit_spec *spec)
{
    const bool map = xa__yaml_kind(item) == XA_Y_MAP;
    const xa_ynode kind_node = map ? xa__yaml_get(item, "kind") : item;
    xa_err why = XA_ERR_INIT;
    if (!kind_node.id) {
        XA_YAML_PROBLEM(r->problems, item, "metric: `kind` is missing");
        return;
    }
    const int kind = xa__read_kind(r, kind_node, XA_JOB_METRIC);
    if (kind < 0)
        return;
    xa_metric_spec *m = &spec->metrics[spec->nmetrics];
    *m = xa_metric_defaults((xa_metric_kind)kind);
    if (map) {
        const size_t before = r->problems->errors;
        xa__read_map(r, item, XA_JOB_METRIC, kind, m);
        if (r->problems->errors == before && xa_metric_check(m, &why) != XA_OK)
            XA_YAML_PROBLEM(r->problems, item, "%s", why.message);
    }
    for (int k = 0; k < spec->nmetrics; k++)
        if (!strcmp(spec->metrics[k].name, m->name))
            XA_YAML_PROBLEM(
                r->problems, item, "two metrics are called \"%s\": give one a `name`", m->name);
    spec->nmetrics++;
}

/* A share of a sum in which values cancel can be anything, so that it must be asked for. */
static void
check_sign(const xa__reading *r, xa_ynode item, const xa_metric_spec *m, const char *signed_map)
{
    if (signed_map && m->kind == XA_METRIC_RELEVANCE_MASS && m->sign == XA_SIGN_SIGNED &&
        !(xa__yaml_kind(item) == XA_Y_MAP && xa__yaml_get(item, "sign").id))
        XA_YAML_PROBLEM(r->problems,
                        item,
                        "%s: the maps of %s have values below 0, which cancel in the sum that "
                        "relevance_mass divides by: write sign: positive, sign: abs, or sign: "
                        "signed for Quantus' definition as it is",
                        m->name,
                        signed_map);
}

void xa__read_metric_list(const xa__reading *r,
                          xa_ynode list,
                          const char *signed_map,
                          xa_audit_spec *spec)
{
    const int n = xa__yaml_count(list);
    if (!list.id)
        return;
    if (xa__yaml_kind(list) != XA_Y_LIST || n > 64) {
        XA_YAML_PROBLEM(r->problems, list, "metrics: expected a list of at most 64 metrics");
        return;
    }
    spec->metrics = xa_alloc((size_t)n + 1, sizeof(xa_metric_spec));
    if (!spec->metrics)
        XA_YAML_PROBLEM(r->problems, list, "metrics: out of memory");
    for (int i = 0; spec->metrics && i < n; i++) {
        const int before = spec->nmetrics;
        read_metric(r, xa__yaml_at(list, i), spec);
        if (spec->nmetrics > before)
            check_sign(r, xa__yaml_at(list, i), &spec->metrics[before], signed_map);
    }
}

/* "model/explainer" of the first maps with values below 0, or NULL. */
static char *first_signed(const xa_audit_spec *s)
{
    for (int m = 0; m < s->nmodels; m++)
        for (int e = 0; e < s->models[m].nexplainers; e++)
            if (xa_explainer_is_signed(&s->models[m].explainers[e]))
                return xa_strfmt("%s/%s", s->models[m].name, s->models[m].explainers[e].name);
    return NULL;
}

void xa__read_metrics(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_job *job = object;
    char *signed_map = first_signed(&job->audit);
    (void)s;
    xa__read_metric_list(r, n, signed_map, &job->audit);
    free(signed_map);
}

xa_status xa_job_parse_metrics(const char *name,
                               const char *text,
                               const char *signed_map,
                               xa_audit_spec *spec,
                               xa_problems *problems,
                               xa_err *err)
{
    xa_yaml *y = NULL;
    if (xa__yaml_parse(name, text, strlen(text), problems, &y, err) != XA_OK)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: no list of metrics", name);
    xa_ynode list = xa__yaml_root(y);
    if (xa__yaml_kind(list) == XA_Y_MAP)
        list = xa__yaml_get(list, "metrics");
    const xa__reading r = {.problems = problems};
    xa__read_metric_list(&r, list, signed_map, spec);
    xa__yaml_free(y);
    if (problems->errors)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: its metrics have mistakes", name);
    return XA_OK;
}
