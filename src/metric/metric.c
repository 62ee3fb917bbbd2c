/* The table of metrics. */
#include <stdio.h>
#include <string.h>

#include "xaudit/metric.h"

static const struct {
    const char *name, *unit;
} metrics[XA_METRIC_COUNT] = {
#define X(kind, text, of) [XA_METRIC_##kind] = {text, of},
    XA_METRIC_LIST(X)
#undef X
};

int xa_metric_parse(const char *name)
{
    for (int i = 0; i < XA_METRIC_COUNT; i++)
        if (!strcmp(metrics[i].name, name))
            return i;
    return -1;
}

const char *xa_metric_kind_name(xa_metric_kind k)
{
    return metrics[k].name;
}

const char *xa_metric_unit(xa_metric_kind k)
{
    return metrics[k].unit;
}

xa_metric_spec xa_metric_defaults(xa_metric_kind kind)
{
    xa_metric_spec s = {.kind = kind};
    snprintf(s.name, sizeof s.name, "%s", metrics[kind].name);
    return s;
}
