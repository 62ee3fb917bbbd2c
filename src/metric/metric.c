/* The table of metrics, the defaults of their settings, and the names of scores of maps alone. */
#include "metric_internal.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *unit;
    const xa__metric *is;
} metrics[XA_METRIC_COUNT] = {
#define X(kind, text, unit) [XA_METRIC_##kind] = {text, unit, &xa__metric_##kind},
    XA_METRIC_LIST(X)
#undef X
};

static const char *const setting_keys[XA_METRIC_SETTING_COUNT] = {
#define X(name, key) [XA_SETTING_##name] = key,
    XA_METRIC_SETTING_LIST(X)
#undef X
};

int xa_metric_parse(const char *name)
{
    for (int i = 0; i < XA_METRIC_COUNT; i++)
        if (!strcmp(metrics[i].name, name))
            return i;
    return -1;
}

const xa__metric *xa__metric_of(xa_metric_kind k)
{
    return metrics[k].is;
}

const char *xa_metric_kind_name(xa_metric_kind k)
{
    return metrics[k].name;
}

const char *xa_metric_unit(xa_metric_kind k)
{
    return metrics[k].unit;
}

const char *xa_metric_reference(xa_metric_kind k)
{
    return metrics[k].is->reference;
}

xa_metric_scale xa_metric_scale_of(xa_metric_kind k)
{
    return metrics[k].is->scale;
}

const char *xa_metric_setting_key(xa_metric_setting s)
{
    return setting_keys[s];
}

bool xa_metric_has(xa_metric_kind k, xa_metric_setting s)
{
    return metrics[k].is->settings >> s & 1u;
}

int xa_metric_most_levels(xa_metric_kind k)
{
    return metrics[k].is->most_levels;
}

xa_metric_statistic xa_metric_statistic_of(xa_metric_kind k)
{
    return metrics[k].is->statistic;
}

size_t xa_metric_statistic_bytes(const xa_metric_spec *s)
{
    switch (metrics[s->kind].is->statistic) {
    case XA_STATISTIC_HITS:
        return (size_t)s->nlevels * XA_HIT_BYTES;
    case XA_STATISTIC_PIXELS:
        return 2 * XA_PXAP_BINS * sizeof(uint32_t);
    default:
        return 0;
    }
}

xa_metric_spec xa_metric_defaults(xa_metric_kind kind)
{
    xa_metric_spec s = {.kind = kind,
                        .at = XA_AT_INPUT,
                        .grid = 7,
                        .k = 1000,
                        .threshold = 0.15,
                        .all_contours = true,
                        .ignore_crowd = true};
    snprintf(s.name, sizeof s.name, "%s", metrics[kind].name);
    if (metrics[kind].is->defaults)
        metrics[kind].is->defaults(&s);
    return s;
}

/* ---- scores of maps alone ---- */

static const struct {
    const char *name, *description;
} map_scores[XA_MAP_SCORE_COUNT] =
    {
#define X(kind, text, description) [XA_MAP_SCORE_##kind] = {text, description},
        XA_MAP_SCORE_LIST(X)
#undef X
},
  checks[XA_CHECK_COUNT] =
      {
#define X(kind, text, description) [XA_CHECK_##kind] = {text, description},
          XA_CHECK_LIST(X)
#undef X
},
  agreements[XA_AGREEMENT_COUNT] = {
#define X(kind, text, description) [XA_AGREEMENT_##kind] = {text, description},
      XA_AGREEMENT_LIST(X)
#undef X
};

const char *xa_map_score_name(xa_map_score_kind k)
{
    return map_scores[k].name;
}

const char *xa_map_score_description(xa_map_score_kind k)
{
    return map_scores[k].description;
}

const char *xa_check_name(xa_check_kind k)
{
    return checks[k].name;
}

const char *xa_check_description(xa_check_kind k)
{
    return checks[k].description;
}

const char *xa_agreement_name(xa_agreement_kind k)
{
    return agreements[k].name;
}

const char *xa_agreement_description(xa_agreement_kind k)
{
    return agreements[k].description;
}
