/* Metrics of the map's mass: energy (Wang et al. 2020), relevance mass accuracy (Arras et al.
 * 2022), average focus. */
#include "metric_internal.h"

#include <math.h>

/* sum of the region / sum of all. Energy takes positive values, relevance mass the values as they
 * are: the scene's values have their sign taken. */
double xa__mass(const xa_metric_spec *spec, const xa__scene *s)
{
    double inside = 0.0, outside = 0.0;
    for (int64_t i = 0; i < s->count; i++) {
        if (s->where[i] == XA__REGION)
            inside += (double)s->value[i];
        else if (s->where[i] == XA__BACKGROUND)
            outside += (double)s->value[i];
    }
    const double whole = inside + outside;
    if (whole == 0.0)
        return spec->kind == XA_METRIC_ENERGY && s->low >= 0.0 ? 0.0 : NAN;
    return inside / whole;
}

/* Mean over the region of the map stretched to [0,1]. */
double xa__average_focus(const xa_metric_spec *spec, const xa__scene *s)
{
    double sum = 0.0;
    for (int64_t i = 0; i < s->count; i++)
        if (s->where[i] == XA__REGION)
            sum += xa__stretch(spec, s, i);
    return sum / (double)s->region;
}
