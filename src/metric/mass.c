/* Metrics of the map's mass: energy (Wang et al. 2020), relevance mass accuracy (Arras et al.
 * 2022), average focus. */
#include "metric_internal.h"

#include <math.h>

/* The sum of the region over the sum of all. The sign was applied when the scene was made: by
 * default energy has positive values, relevance mass the values as they are. */
static double mass(const xa__pair *p, double of_zeros)
{
    const xa__scene *s = p->scene;
    double inside = 0.0, outside = 0.0;
    for (int64_t i = 0; i < s->count; i++) {
        if (s->where[i] == XA__REGION)
            inside += (double)s->value[i];
        else if (s->where[i] == XA__BACKGROUND)
            outside += (double)s->value[i];
    }
    const double whole = inside + outside;
    if (whole == 0.0)
        return of_zeros;
    return inside / whole;
}

static double energy(const xa__pair *p)
{
    return mass(p, p->scene->low >= 0.0 ? 0.0 : NAN); /* NaN where values cancel */
}

static double relevance_mass(const xa__pair *p)
{
    return mass(p, NAN);
}

/* The mean, over the region, of the map stretched to [0,1]. */
static double average_focus(const xa__pair *p)
{
    const xa__scene *s = p->scene;
    double sum = 0.0;
    for (int64_t i = 0; i < s->count; i++)
        if (s->where[i] == XA__REGION)
            sum += xa__stretch(p->spec, s, i);
    return sum / (double)s->region;
}

static void take_positive(xa_metric_spec *s)
{
    s->sign = XA_SIGN_POSITIVE;
}

const xa__metric xa__metric_ENERGY = {
    .score = energy,
    .reference = "Wang et al., Score-CAM, CVPR workshops 2020",
    .defaults = take_positive,
};

const xa__metric xa__metric_RELEVANCE_MASS = {
    .score = relevance_mass,
    .reference = "Arras, Osman, Samek, CLEVR-XAI, Information Fusion 2022",
};

const xa__metric xa__metric_AVERAGE_FOCUS = {
    .score = average_focus,
    .reference = "Average saliency focus of mednet, Idiap Research Institute",
    .settings = XA__HAS(STRETCH),
    .defaults = take_positive,
};
