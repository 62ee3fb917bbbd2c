/* The settings of a metric: their bounds, and their description for those who read the numbers. */
#include "metric_internal.h"

#include <inttypes.h>

static bool has(const xa_metric_spec *s, xa_metric_setting setting)
{
    return xa_metric_has(s->kind, setting);
}

void xa_metric_conventions(const xa_metric_spec *s, xa_str *out)
{
    const xa__metric *metric = xa__metric_of(s->kind);
    static const char *const signs[] = {"values as they are", "positive values", "absolute values"};
    switch (s->at) {
    case XA_AT_MAP:
        xa_str_puts(out, "at the map's grid");
        break;
    case XA_AT_GRID:
        xa_str_printf(out, "at %d x %d cells", s->grid, s->grid);
        break;
    case XA_AT_INPUT:
        xa_str_printf(out, "at the model's input%s", s->cubic ? ", cubic" : "");
        break;
    default:
        xa_str_puts(out, "at the image's pixels");
    }
    xa_str_printf(out, "; %s", signs[s->sign]);
    if (has(s, XA_SETTING_TOLERANCE) && s->tolerance_is_share)
        xa_str_printf(out, "; tolerance %g %% of the longer side", 100.0 * s->tolerance);
    else if (has(s, XA_SETTING_TOLERANCE))
        xa_str_printf(out, "; tolerance %g px", s->tolerance);
    if (has(s, XA_SETTING_SMOOTHING) && s->smoothing > 0.0)
        xa_str_printf(out, "; smoothed, sigma %g %% of the longer side", 100.0 * s->smoothing);
    if (has(s, XA_SETTING_K))
        xa_str_printf(out, "; k = %" PRId64, s->k);
    if (has(s, XA_SETTING_STRETCH))
        xa_str_puts(out, s->minmax ? "; stretched from minimum to maximum" : "; over the maximum");
    if (has(s, XA_SETTING_THRESHOLD)) {
        if (s->cut == XA_CUT_FRACTION)
            xa_str_printf(out, "; above %g", s->threshold);
        else
            xa_str_puts(out,
                        s->cut == XA_CUT_OTSU ? "; above Otsu's threshold" : "; above the mean");
    }
    if (metric->prediction)
        xa_str_printf(out, "; %s", metric->prediction);
    if (has(s, XA_SETTING_CONTOURS))
        xa_str_puts(out, s->all_contours ? "; best of all contours" : "; largest contour");
    for (int i = 0; i < s->nlevels; i++)
        xa_str_printf(out, "%s%g", i ? ", " : "; IoU at least ", s->level[i]);
    if (*s->from_split)
        xa_str_printf(out, "; grey level chosen on split %s", s->from_split);
    xa_str_printf(out,
                  "; %s, crowds %s",
                  s->skip_difficult ? "skipped where all is difficult" : "difficult objects count",
                  s->ignore_crowd ? "are ignored" : "count");
    if (s->wsol)
        xa_str_puts(out,
                    metric->compares == XA__BOXES ? "; boxes as wsolevaluation's"
                                                  : "; mask pixels as wsolevaluation's");
}

xa_status xa_metric_check(const xa_metric_spec *s, xa_err *err)
{
    const char *what = NULL;
    if (s->at == XA_AT_GRID && (s->grid < 1 || s->grid > 512))
        what = "grid: expected 1 to 512 cells along each side";
    else if (!(s->tolerance >= 0.0 && s->tolerance <= 1e6))
        what = "tolerance: expected pixels (15px) or a share (2%), not negative";
    else if (!(s->smoothing >= 0.0 && s->smoothing <= 0.5))
        what = "smoothing: expected 0 to 0.5, a share of the longer side";
    else if (s->k < 1)
        what = "k: expected at least 1";
    else if (!(s->threshold >= 0.0 && s->threshold < 1.0))
        what = "threshold: expected 0 to 1, otsu or mean";
    else if (s->nlevels < 0 || s->nlevels > XA_METRIC_LEVELS)
        what = "iou: expected 1 to 8 levels";
    else if (s->at == XA_AT_MAP && s->cubic)
        what = "cubic needs at: input";
    for (int i = 0; !what && i < s->nlevels; i++)
        if (!(s->level[i] > 0.0 && s->level[i] <= 1.0))
            what = "iou: expected levels above 0 and up to 1";
    if (what)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: %s", s->name, what);
    return XA_OK;
}
