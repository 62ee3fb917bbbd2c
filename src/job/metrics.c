/* metrics and checks of a job. */
#include <string.h>

#include "job_internal.h"

static const char *const metric_names[] = {
#define X(name, text, unit) text,
    XA_METRIC_LIST(X)
#undef X
};

/* A word out of `words`; its index. */
static void read_word(xa_ynode n,
                      const char *what,
                      const char *const *words,
                      int nwords,
                      int *out,
                      xa_problems *problems)
{
    const char *text = xa_yaml_text(n);
    xa_str list = {0};
    if (!n.id)
        return;
    for (int i = 0; text && i < nwords; i++)
        if (!strcmp(text, words[i])) {
            *out = i;
            return;
        }
    for (int i = 0; i < nwords; i++)
        xa_str_printf(&list, "%s%s", i ? ", " : "", words[i]);
    XA_YAML_PROBLEM(problems,
                    n,
                    "%s: expected %s, found %s",
                    what,
                    list.data ? list.data : "another word",
                    xa_job_found(n));
    xa_str_free(&list);
}

/* map | input | image | { grid: n } */
static void read_at(xa_ynode n, xa_metric_spec *m, xa_problems *problems)
{
    static const char *const words[] = {"map", "input", "image"};
    static const xa_metric_at at[] = {XA_AT_MAP, XA_AT_INPUT, XA_AT_IMAGE};
    int64_t cells = m->grid;
    int word = -1;
    if (xa_yaml_kind(n) == XA_Y_MAP) {
        xa_job_check_keys(n, XA_JOB_AT, problems);
        (void)xa_job_i64(xa_yaml_get(n, "grid"), "grid", 1, 512, &cells, problems);
        m->at = XA_AT_GRID;
        m->grid = (int)cells;
        return;
    }
    read_word(n, "at (or { grid: 7 })", words, 3, &word, problems);
    if (word >= 0)
        m->at = at[word];
}

/* 15px, 15, or 2% of the image's longer side */
static void read_tolerance(xa_ynode n, xa_metric_spec *m, xa_problems *problems)
{
    char number[64] = "";
    const char *text = xa_yaml_text(n);
    if (!n.id)
        return;
    const size_t len = text ? strlen(text) : 0;
    const bool share = len > 1 && text[len - 1] == '%';
    const size_t unit = share ? 1 : len > 2 && xa_str_ends(text, "px") ? 2 : 0;
    if (len < sizeof number && len > unit)
        memcpy(number, text, len - unit);
    double v;
    if (!*number || !xa_parse_f64(number, &v) || !(v >= 0.0 && v <= (share ? 100.0 : 1e6))) {
        XA_YAML_PROBLEM(
            problems,
            n,
            "tolerance: expected pixels, such as 15px, or a share, such as 2%%, found %s",
            xa_job_found(n));
        return;
    }
    m->tolerance = share ? v / 100.0 : v;
    m->tolerance_is_share = share;
}

/* otsu | mean | a share of the maximum */
static void read_threshold(xa_ynode n, xa_metric_spec *m, xa_problems *problems)
{
    const char *text = xa_yaml_text(n);
    double v;
    if (!n.id)
        return;
    if (text && !strcmp(text, "otsu")) {
        m->cut = XA_CUT_OTSU;
    } else if (text && !strcmp(text, "mean")) {
        m->cut = XA_CUT_MEAN;
    } else if (text && xa_parse_f64(text, &v) && v >= 0.0 && v < 1.0) {
        m->cut = XA_CUT_FRACTION;
        m->threshold = v;
    } else {
        XA_YAML_PROBLEM(
            problems,
            n,
            "threshold: expected otsu, mean, or a share from 0 to 1, such as 0.15, found %s",
            xa_job_found(n));
    }
}

/* 0.5 or [0.3, 0.5, 0.7] */
static void read_levels(xa_ynode n, xa_metric_spec *m, xa_problems *problems)
{
    const bool list = xa_yaml_kind(n) == XA_Y_LIST;
    const int count = list ? xa_yaml_count(n) : 1;
    if (!n.id)
        return;
    if (count < 1 || count > (m->kind == XA_METRIC_BOX_ACC ? XA_METRIC_LEVELS : 1)) {
        XA_YAML_PROBLEM(problems,
                        n,
                        "iou: expected %s",
                        m->kind == XA_METRIC_BOX_ACC ? "1 to 8 levels" : "one level");
        return;
    }
    for (int i = 0; i < count; i++)
        (void)xa_job_f64(list ? xa_yaml_at(n, i) : n, "iou", &m->level[i], problems);
    m->nlevels = count;
}

static bool finds_boxes(xa_metric_kind k)
{
    return k == XA_METRIC_BOX_IOU || k == XA_METRIC_GT_KNOWN || k == XA_METRIC_TOP1 ||
           k == XA_METRIC_TOP5;
}

/* A setting that its kind does not have is a mistake: it would move nothing. */
static void check_settings(xa_ynode item, const xa_metric_spec *m, xa_problems *problems)
{
    const bool cuts = finds_boxes(m->kind) || m->kind == XA_METRIC_IOU;
    const struct {
        const char *key;
        bool has;
    } settings[] = {
        {"tolerance", m->kind == XA_METRIC_POINTING_GAME},
        {"smoothing", m->kind == XA_METRIC_POINTING_GAME},
        {"k", m->kind == XA_METRIC_TOP_K},
        {"threshold", cuts},
        {"iou", m->nlevels > 0},
        {"contours", m->kind == XA_METRIC_BOX_ACC},
        {"from_split", m->kind == XA_METRIC_BOX_ACC},
        {"stretch",
         cuts || m->kind == XA_METRIC_AVERAGE_FOCUS || m->kind == XA_METRIC_BOX_ACC ||
             m->kind == XA_METRIC_PXAP},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (xa_yaml_get(item, settings[i].key).id && !settings[i].has)
            XA_YAML_PROBLEM(problems,
                            xa_yaml_get(item, settings[i].key),
                            "%s: %s has no such setting",
                            settings[i].key,
                            xa_metric_kind_name(m->kind));
}

static void read_settings(xa_ynode item, xa_metric_spec *m, xa_problems *problems)
{
    static const char *const signs[] = {"signed", "positive", "abs"};
    static const char *const upsamples[] = {"linear", "cubic"};
    static const char *const stretches[] = {"max", "minmax"};
    static const char *const contours[] = {"largest", "all"};
    static const char *const difficult[] = {"keep", "skip"};
    static const char *const crowd[] = {"keep", "ignore"};
    xa_err why = XA_ERR_INIT;
    const xa_ynode profile = xa_yaml_get(item, "profile");
    int sign = (int)m->sign, cubic, minmax, all, skip, ignore;
    if (profile.id &&
        xa_metric_profile(m, xa_yaml_text(profile) ? xa_yaml_text(profile) : "", &why) != XA_OK)
        XA_YAML_PROBLEM(problems, profile, "%s", why.message);
    sign = (int)m->sign;
    cubic = m->cubic;
    minmax = m->minmax;
    all = m->all_contours;
    skip = m->skip_difficult;
    ignore = m->ignore_crowd;
    read_at(xa_yaml_get(item, "at"), m, problems);
    read_word(xa_yaml_get(item, "sign"), "sign", signs, 3, &sign, problems);
    read_word(xa_yaml_get(item, "upsample"), "upsample", upsamples, 2, &cubic, problems);
    read_word(xa_yaml_get(item, "stretch"), "stretch", stretches, 2, &minmax, problems);
    read_word(xa_yaml_get(item, "contours"), "contours", contours, 2, &all, problems);
    read_word(xa_yaml_get(item, "difficult"), "difficult", difficult, 2, &skip, problems);
    read_word(xa_yaml_get(item, "crowd"), "crowd", crowd, 2, &ignore, problems);
    read_tolerance(xa_yaml_get(item, "tolerance"), m, problems);
    read_threshold(xa_yaml_get(item, "threshold"), m, problems);
    read_levels(xa_yaml_get(item, "iou"), m, problems);
    (void)xa_job_f64(xa_yaml_get(item, "smoothing"), "smoothing", &m->smoothing, problems);
    (void)xa_job_i64(xa_yaml_get(item, "k"), "k", 1, INT64_MAX, &m->k, problems);
    const xa_ynode split = xa_yaml_get(item, "from_split");
    const char *name = xa_yaml_text(split);
    if (split.id && (!name || !*name || strlen(name) >= sizeof m->from_split))
        XA_YAML_PROBLEM(problems, split, "from_split: expected the name of a split");
    else if (name)
        snprintf(m->from_split, sizeof m->from_split, "%s", name);
    m->sign = (xa_metric_sign)sign;
    m->cubic = cubic == 1;
    m->minmax = minmax == 1;
    m->all_contours = all == 1;
    m->skip_difficult = skip == 1;
    m->ignore_crowd = ignore == 1;
    check_settings(item, m, problems);
    why = (xa_err)XA_ERR_INIT;
    if (xa_metric_check(m, &why) != XA_OK)
        XA_YAML_PROBLEM(problems, item, "%s", why.message);
}

static void read_metric(xa_ynode item, xa_audit_spec *spec, xa_problems *problems)
{
    const bool map = xa_yaml_kind(item) == XA_Y_MAP;
    const xa_ynode kind_node = map ? xa_yaml_get(item, "kind") : item;
    int kind;
    if (map)
        xa_job_check_keys(item, XA_JOB_METRIC, problems);
    if (!kind_node.id) {
        XA_YAML_PROBLEM(problems, item, "metric: `kind` is missing");
        return;
    }
    if (!xa_job_choice(
            kind_node, "metric", xa_metric_parse, metric_names, XA_METRIC_COUNT, &kind, problems))
        return;
    xa_metric_spec *m = &spec->metrics[spec->nmetrics];
    *m = xa_metric_defaults((xa_metric_kind)kind);
    if (map) {
        const char *name = xa_yaml_text(xa_yaml_get(item, "name"));
        if (name && !xa_job_name_ok(name))
            XA_YAML_PROBLEM(problems,
                            item,
                            "name: \"%s\": expected at most 60 letters, digits and _ . -",
                            name);
        else if (name)
            snprintf(m->name, sizeof m->name, "%s", name);
        read_settings(item, m, problems);
    }
    for (int k = 0; k < spec->nmetrics; k++)
        if (!strcmp(spec->metrics[k].name, m->name))
            XA_YAML_PROBLEM(
                problems, item, "two metrics are called \"%s\": give one a `name`", m->name);
    spec->nmetrics++;
}

/* A share of a sum in which values cancel can be anything: whoever wants that says so. */
static void
check_sign(xa_ynode item, const xa_metric_spec *m, const char *signed_map, xa_problems *problems)
{
    if (signed_map && m->kind == XA_METRIC_RELEVANCE_MASS && m->sign == XA_SIGN_SIGNED &&
        !(xa_yaml_kind(item) == XA_Y_MAP && xa_yaml_get(item, "sign").id))
        XA_YAML_PROBLEM(problems,
                        item,
                        "%s: the maps of %s have values below 0, which cancel in the sum that "
                        "relevance_mass divides by: write sign: positive, sign: abs, or sign: "
                        "signed for Quantus' definition as it is",
                        m->name,
                        signed_map);
}

void xa_job_read_metrics(xa_ynode list,
                         const char *signed_map,
                         xa_audit_spec *spec,
                         xa_problems *problems)
{
    const int n = xa_yaml_count(list);
    if (!list.id)
        return;
    if (xa_yaml_kind(list) != XA_Y_LIST || n > 64) {
        XA_YAML_PROBLEM(problems, list, "metrics: expected a list of at most 64 metrics");
        return;
    }
    spec->metrics = xa_alloc((size_t)n + 1, sizeof(xa_metric_spec));
    for (int i = 0; spec->metrics && i < n; i++) {
        const int before = spec->nmetrics;
        read_metric(xa_yaml_at(list, i), spec, problems);
        if (spec->nmetrics > before)
            check_sign(xa_yaml_at(list, i), &spec->metrics[before], signed_map, problems);
    }
}

void xa_job_read_checks(xa_ynode list, xa_audit_spec *spec, xa_problems *problems)
{
    static const char *const words[] = {"average_drop", "random_logit"};
    if (!list.id)
        return;
    if (xa_yaml_kind(list) != XA_Y_LIST) {
        XA_YAML_PROBLEM(problems, list, "checks: expected a list of average_drop, random_logit");
        return;
    }
    for (int i = 0; i < xa_yaml_count(list); i++) {
        int which = -1;
        read_word(xa_yaml_at(list, i), "checks", words, 2, &which, problems);
        spec->masked = spec->masked || which == 0;
        spec->random_logit = spec->random_logit || which == 1;
    }
}

xa_status xa_job_parse_metrics(const char *name,
                               const char *text,
                               const char *signed_map,
                               xa_audit_spec *spec,
                               xa_problems *problems,
                               xa_err *err)
{
    xa_yaml *y = NULL;
    if (xa_yaml_parse(name, text, strlen(text), problems, &y, err) != XA_OK)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: no list of metrics", name);
    xa_ynode list = xa_yaml_root(y);
    if (xa_yaml_kind(list) == XA_Y_MAP)
        list = xa_yaml_get(list, "metrics");
    xa_job_read_metrics(list, signed_map, spec, problems);
    xa_yaml_free(y);
    if (problems->errors)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: metrics that make no sense", name);
    return XA_OK;
}
