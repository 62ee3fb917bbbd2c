/* What an explainer asks the model about, in words. */
#include <stdio.h>

#include "explain_internal.h"

/* The starting image of a path, and what is put in a window. */
static const char *base_text(xa_base_kind k)
{
    static const char *const texts[XA_BASE_COUNT] = {[XA_BASE_BLACK] = "a black image",
                                                     [XA_BASE_ZERO] = "an input of zeros",
                                                     [XA_BASE_MEAN] = "its channels' means",
                                                     [XA_BASE_BLUR] = "its blurred self",
                                                     [XA_BASE_UNIFORM] = "uniform noise"};
    return texts[k];
}

void xa_explainer_asked_text(const xa_explainer_spec *s, char *out, size_t size)
{
    static const char *const statistics[XA_STATISTIC_COUNT] = {
        [XA_STATISTIC_MEAN] = "their mean",
        [XA_STATISTIC_SQUARED] = "the mean of their squares",
        [XA_STATISTIC_VARIANCE] = "their variance"};
    static const char *const rules[XA_QUADRATURE_COUNT] = {
        [XA_QUADRATURE_MIDDLE] = "the midpoint rule",
        [XA_QUADRATURE_TRAPEZOID] = "the trapezoid rule",
        [XA_QUADRATURE_GAUSS] = "Gauss and Legendre's rule"};
    out[0] = '\0';
    if (xa_explainer_has(s->kind, XA_EXPLAINER_STEPS))
        snprintf(out,
                 size,
                 "%d point%s of the path from %s to the image, by %s",
                 s->steps,
                 s->steps == 1 ? "" : "s",
                 base_text(s->baseline),
                 rules[s->quadrature]);
    else if (xa_explainer_has(s->kind, XA_EXPLAINER_STATISTIC))
        snprintf(out,
                 size,
                 "%d gradient%s under noise of %g of the image's range, %s",
                 s->draws,
                 s->draws == 1 ? "" : "s",
                 s->sigma,
                 statistics[s->statistic]);
    else if (s->kind == XA_EXPLAIN_EXPECTED_GRADIENTS)
        snprintf(out,
                 size,
                 "%d point%s of paths from other images to the image",
                 s->draws,
                 s->draws == 1 ? "" : "s");
    else if (xa_explainer_has(s->kind, XA_EXPLAINER_DRAWS))
        snprintf(out,
                 size,
                 "%d random mask%s of %d x %d cells",
                 s->draws,
                 s->draws == 1 ? "" : "s",
                 s->cells,
                 s->cells);
    else if (xa_explainer_has(s->kind, XA_EXPLAINER_CELLS))
        snprintf(out,
                 size,
                 "windows of 1/%d of each side, half of one apart, filled with %s",
                 s->cells,
                 base_text(s->baseline));
    else if (xa_explainer_has(s->kind, XA_EXPLAINER_TOP_CHANNELS) && s->top_channels)
        snprintf(out,
                 size,
                 "at most %d channels, those of largest mean activation times gradient in size",
                 s->top_channels);
    else if (xa_explainer_has(s->kind, XA_EXPLAINER_TOP_CHANNELS))
        snprintf(out, size, "all channels");
}

const char *xa_explainer_cost_key(xa_explainer_kind k)
{
    static const xa_explainer_setting keys[] = {
        XA_EXPLAINER_STEPS, XA_EXPLAINER_DRAWS, XA_EXPLAINER_CELLS, XA_EXPLAINER_TOP_CHANNELS};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (xa_explainer_has(k, keys[i]))
            return xa_explainer_setting_key(keys[i]);
    return NULL;
}
