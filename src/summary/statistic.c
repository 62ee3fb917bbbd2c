/* The statistics that metrics store of each pair besides the score, and the figures over the data
 * set that are made of them: one row of the table below for each kind of statistic. */
#include <stdlib.h>
#include <string.h>

#include "summary_internal.h"

/* Archives with version 1 of the metrics count pixels by floor(256 value). */
enum { GREY_BINS = 257 };

/* ---- hits at grey levels ---- */

static bool hits_read(const xa_dataset_info *info, xa_series *x)
{
    x->levels = (int)info->dim[1];
    return info->type == XA_TYPE_U8 && info->dim[1] >= 1 && info->dim[1] <= XA_METRIC_LEVELS &&
           info->dim[2] == XA_HIT_BYTES;
}

static const char *hits_name(const xa_series *x)
{
    if (x->from_split)
        return x->levels > 1 ? "BoxAccV2" : "BoxAcc";
    return x->levels > 1 ? "MaxBoxAccV2" : "MaxBoxAcc";
}

static size_t hits_bytes(const xa_series *x)
{
    return (size_t)x->levels * XA_HIT_BYTES;
}

static xa_hits hits_of(const xa__rows *r)
{
    return (xa_hits){.n = r->n, .levels = r->x->levels, .bits = r->row, .defined = r->defined};
}

static xa_status hits_figure(const xa_stats_plan *plan,
                             const xa__rows *r,
                             const int64_t *group,
                             xa_interval *out,
                             xa_err *err)
{
    const xa_hits h = hits_of(r);
    return xa_stats_box_accuracy(plan, &h, r->threshold, group, out, err);
}

static xa_status hits_difference(const xa_stats_plan *plan,
                                 const xa__rows *a,
                                 const xa__rows *b,
                                 const int64_t *group,
                                 xa_paired *out,
                                 xa_err *err)
{
    const xa_hits ha = hits_of(a), hb = hits_of(b);
    return xa_stats_box_difference(plan, &ha, &hb, a->threshold, b->threshold, group, out, err);
}

static xa_status hits_flip(const xa_stats_plan *plan,
                           const xa__rows *a,
                           const xa__rows *b,
                           const int64_t *group,
                           int64_t upto,
                           xa_test *t,
                           xa_err *err)
{
    const xa_hits ha = hits_of(a), hb = hits_of(b);
    return xa_stats_flip_boxes(plan, &ha, &hb, a->threshold, b->threshold, group, upto, t, err);
}

/* ---- counts of pixels ---- */

static bool pixels_read(const xa_dataset_info *info, xa_series *x)
{
    x->bins = (int)info->dim[2];
    return info->type == XA_TYPE_U32 && info->dim[1] == 2 &&
           (info->dim[2] == XA_STATS_BINS || info->dim[2] == GREY_BINS);
}

static const char *pixels_name(const xa_series *x)
{
    (void)x;
    return "PxAP";
}

static size_t pixels_bytes(const xa_series *x)
{
    (void)x;
    return 2 * XA_STATS_BINS * sizeof(uint32_t);
}

/* Moves counts by 256 grey levels into bins of a thousandth, each into one of its own and in order.
 * PxAP stays the same, since it is a sum over those thresholds at which a count changes. */
static xa_status pixels_convert(const xa_series *x, int64_t n, void **rows, xa_err *err)
{
    const uint32_t *in = *rows;
    if (x->bins != GREY_BINS)
        return XA_OK;
    uint32_t *out = xa_alloc((size_t)n * 2 * XA_STATS_BINS + 1, sizeof *out);
    if (!out)
        XA_RETURN_NOMEM(err);
    for (int64_t k = 0; k < 2 * n; k++)
        for (int64_t g = 0; g < GREY_BINS; g++)
            out[k * XA_STATS_BINS + g * (XA_STATS_BINS - 1) / (GREY_BINS - 1)] =
                in[k * GREY_BINS + g];
    free(*rows);
    *rows = out;
    return XA_OK;
}

static xa_status pixels_figure(const xa_stats_plan *plan,
                               const xa__rows *r,
                               const int64_t *group,
                               xa_interval *out,
                               xa_err *err)
{
    return xa_stats_pxap(plan, r->n, r->row, r->defined, group, out, err);
}

static xa_status pixels_difference(const xa_stats_plan *plan,
                                   const xa__rows *a,
                                   const xa__rows *b,
                                   const int64_t *group,
                                   xa_paired *out,
                                   xa_err *err)
{
    return xa_stats_pxap_difference(
        plan, a->n, a->row, b->row, a->defined, b->defined, group, out, err);
}

static xa_status pixels_flip(const xa_stats_plan *plan,
                             const xa__rows *a,
                             const xa__rows *b,
                             const int64_t *group,
                             int64_t upto,
                             xa_test *t,
                             xa_err *err)
{
    return xa_stats_flip_pxap(
        plan, a->n, a->row, b->row, a->defined, b->defined, group, upto, t, err);
}

/* ---- all kinds ---- */

static const struct {
    xa_series_kind is;
    xa__statistic s;
} kinds[] = {
    {XA_SERIES_HITS,
     {.type = XA_TYPE_U8,
      .read = hits_read,
      .name = hits_name,
      .row_bytes = hits_bytes,
      .figure = hits_figure,
      .difference = hits_difference,
      .flip = hits_flip}},
    {XA_SERIES_PIXELS,
     {.type = XA_TYPE_U32,
      .read = pixels_read,
      .name = pixels_name,
      .row_bytes = pixels_bytes,
      .convert = pixels_convert,
      .figure = pixels_figure,
      .difference = pixels_difference,
      .flip = pixels_flip,
      .note = "Pixels of all images are pooled: p asks whether maps of a and b could be exchanged "
              "image by image. Where it is small and the interval holds 0, they differ, but "
              "neither figure is shown to be higher."}},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const xa__statistic *xa__statistic_of(const xa_series *x)
{
    for (int k = 0; k < KINDS; k++)
        if (kinds[k].is == x->is)
            return &kinds[k].s;
    return NULL;
}

xa_status xa__statistic_read(const xa_summary *s, const char *path, xa_series *x, xa_err *err)
{
    xa_dataset_info info;
    int64_t n = 0;
    const xa_status st = xa_archive_dataset(s->r->archive, path, &info, err);
    if (st == XA_NOT_FOUND) { /* the metric stores scores alone */
        *err = (xa_err)XA_ERR_INIT;
        return XA_OK;
    }
    XA_RETURN_TRY(err, st);
    for (int k = 0; k < KINDS && info.ndim == 3 && info.dim[0] == s->r->pairs; k++)
        if (kinds[k].s.read(&info, x)) {
            x->is = kinds[k].is;
            return xa_archive_attr_f64(
                s->r->archive, path, "iou", x->level, XA_METRIC_LEVELS, &n, err);
        }
    XA_RETURN_FAIL(
        err, XA_FORMAT, "%s: %s: neither hits nor pixel counts of each pair", s->path, path);
}

bool xa_series_has_classes(const xa_series *x)
{
    return !xa__statistic_of(x);
}

const char *xa_series_unit(const xa_series *x)
{
    return x->is == XA_SERIES_SCORES  ? "over pairs"
           : x->is == XA_SERIES_CHECK ? "over maps"
                                      : "over the data set";
}

const char *xa__figure_name(const xa_series *x)
{
    const xa__statistic *s = xa__statistic_of(x);
    return s ? s->name(x) : "mean";
}
