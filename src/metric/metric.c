/* The tables of metrics, profiles and scores of maps alone. */
#include "metric_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *unit;
} metrics[XA_METRIC_COUNT] = {
#define X(kind, text, of) [XA_METRIC_##kind] = {text, of},
    XA_METRIC_LIST(X)
#undef X
};

static const char *const references[XA_METRIC_COUNT] = {
    [XA_METRIC_POINTING_GAME] = "Zhang et al., Top-down neural attention by excitation backprop, "
                                "IJCV 2018",
    [XA_METRIC_ENERGY] = "Wang et al., Score-CAM, CVPR workshops 2020",
    [XA_METRIC_RELEVANCE_MASS] = "Arras, Osman, Samek, CLEVR-XAI, Information Fusion 2022",
    [XA_METRIC_RELEVANCE_RANK] = "Arras, Osman, Samek, CLEVR-XAI, Information Fusion 2022",
    [XA_METRIC_TOP_K] = "Theiner, Mueller-Budack, Ewerth, Interpretable semantic photo "
                        "geolocation, WACV 2022",
    [XA_METRIC_ROC_AUC] = "Fawcett, An introduction to ROC analysis, Pattern Recognition Letters "
                          "2006",
    [XA_METRIC_AVERAGE_FOCUS] = "Average saliency focus of mednet, Idiap Research Institute",
    [XA_METRIC_IOU] = "Saporta et al., Benchmarking saliency methods for chest X-ray "
                      "interpretation, Nature Machine Intelligence 2022",
    [XA_METRIC_BOX_IOU] = "Selvaraju et al., Grad-CAM, ICCV 2017",
    [XA_METRIC_GT_KNOWN] = "Singh, Lee, Hide-and-Seek, ICCV 2017",
    [XA_METRIC_TOP1] = "Zhou et al., Learning deep features for discriminative localization, CVPR "
                       "2016",
    [XA_METRIC_TOP5] = "Zhou et al., Learning deep features for discriminative localization, CVPR "
                       "2016",
    [XA_METRIC_BOX_ACC] = "Choe et al., Evaluating weakly supervised object localization methods "
                          "right, CVPR 2020",
    [XA_METRIC_PXAP] = "Choe et al., Evaluating weakly supervised object localization methods "
                       "right, CVPR 2020",
};

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

const char *xa_metric_reference(xa_metric_kind k)
{
    return references[k];
}

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

static bool cuts(xa_metric_kind k)
{
    return k == XA_METRIC_IOU || k == XA_METRIC_BOX_IOU || k == XA_METRIC_GT_KNOWN ||
           k == XA_METRIC_TOP1 || k == XA_METRIC_TOP5;
}

static bool one_level(xa_metric_kind k)
{
    return k == XA_METRIC_GT_KNOWN || k == XA_METRIC_TOP1 || k == XA_METRIC_TOP5;
}

static bool stretches(xa_metric_kind k)
{
    return cuts(k) || k == XA_METRIC_AVERAGE_FOCUS || k == XA_METRIC_BOX_ACC || k == XA_METRIC_PXAP;
}

xa_metric_spec xa_metric_defaults(xa_metric_kind kind)
{
    xa_metric_spec s = {.kind = kind,
                        .at = kind == XA_METRIC_POINTING_GAME ? XA_AT_MAP : XA_AT_INPUT,
                        .grid = 7,
                        .k = 1000,
                        .threshold = 0.15,
                        .all_contours = true,
                        .ignore_crowd = true};
    snprintf(s.name, sizeof s.name, "%s", metrics[kind].name);
    if (kind == XA_METRIC_ENERGY || stretches(kind))
        s.sign = XA_SIGN_POSITIVE;
    if (kind == XA_METRIC_IOU)
        s.cut = XA_CUT_OTSU;
    if (one_level(kind)) {
        s.nlevels = 1;
        s.level[0] = 0.5;
    } else if (kind == XA_METRIC_BOX_ACC) {
        s.nlevels = 3;
        s.level[0] = 0.3;
        s.level[1] = 0.5;
        s.level[2] = 0.7;
    }
    s.minmax = kind == XA_METRIC_BOX_ACC || kind == XA_METRIC_PXAP;
    return s;
}

/* ---- profiles ---- */

static bool wsol(xa_metric_spec *s)
{
    if (s->kind != XA_METRIC_BOX_ACC && s->kind != XA_METRIC_PXAP)
        return false;
    s->at = XA_AT_INPUT;
    s->sign = XA_SIGN_SIGNED;
    s->cubic = s->minmax = s->all_contours = s->wsol = true;
    return true;
}

static bool torchray(xa_metric_spec *s)
{
    if (s->kind != XA_METRIC_POINTING_GAME)
        return false;
    s->at = XA_AT_IMAGE;
    s->sign = XA_SIGN_SIGNED;
    s->tolerance = 15.0;
    s->tolerance_is_share = false;
    s->smoothing = 0.0;
    s->skip_difficult = true;
    s->ignore_crowd = false;
    return true;
}

static bool largest_segment(xa_metric_spec *s, double share)
{
    if (s->kind != XA_METRIC_BOX_IOU && !one_level(s->kind))
        return false;
    s->at = XA_AT_IMAGE;
    s->sign = XA_SIGN_POSITIVE;
    s->cut = XA_CUT_FRACTION;
    s->threshold = share;
    s->minmax = s->wsol = false;
    s->level[0] = 0.5;
    return true;
}

static bool gradcam_paper(xa_metric_spec *s)
{
    return largest_segment(s, 0.15);
}

static bool cam_paper(xa_metric_spec *s)
{
    return largest_segment(s, 0.20);
}

static bool quantus(xa_metric_spec *s)
{
    switch (s->kind) {
    case XA_METRIC_RELEVANCE_MASS:
    case XA_METRIC_RELEVANCE_RANK:
    case XA_METRIC_ROC_AUC:
    case XA_METRIC_TOP_K:
    case XA_METRIC_POINTING_GAME:
        s->at = XA_AT_INPUT;
        s->sign = XA_SIGN_SIGNED;
        s->tolerance = s->smoothing = 0.0;
        s->k = 1000;
        return true;
    default:
        return false;
    }
}

static bool chexlocalize(xa_metric_spec *s)
{
    if (s->kind != XA_METRIC_IOU && s->kind != XA_METRIC_POINTING_GAME)
        return false;
    s->at = XA_AT_IMAGE;
    s->sign = XA_SIGN_SIGNED;
    s->cut = XA_CUT_OTSU;
    s->minmax = true;
    s->tolerance = s->smoothing = 0.0;
    return true;
}

static const struct {
    const char *name, *kinds;
    bool (*set)(xa_metric_spec *s);
} profiles[] = {
    {"wsol", "box_acc, pxap", wsol},
    {"torchray", "pointing_game", torchray},
    {"gradcam-paper", "box_iou, gt_known, top1, top5", gradcam_paper},
    {"cam-paper", "box_iou, gt_known, top1, top5", cam_paper},
    {"quantus", "pointing_game, relevance_mass, relevance_rank, top_k, roc_auc", quantus},
    {"chexlocalize", "iou, pointing_game", chexlocalize},
};

const char *xa_metric_profiles(void)
{
    return "wsol, torchray, gradcam-paper, cam-paper, quantus, chexlocalize";
}

xa_status xa_metric_profile(xa_metric_spec *s, const char *profile, xa_err *err)
{
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        if (strcmp(profiles[i].name, profile))
            continue;
        if (!profiles[i].set(s))
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "profile %s says nothing of %s: it is for %s",
                           profile,
                           xa_metric_kind_name(s->kind),
                           profiles[i].kinds);
        snprintf(s->profile, sizeof s->profile, "%s", profile);
        return XA_OK;
    }
    char shown[64];
    xa_str_sanitise(profile, shown, sizeof shown);
    XA_RETURN_FAIL(
        err, XA_NOT_FOUND, "unknown profile \"%s\"; known are: %s", shown, xa_metric_profiles());
}

/* ---- what was agreed ---- */

void xa_metric_conventions(const xa_metric_spec *s, xa_str *out)
{
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
    if (s->kind == XA_METRIC_POINTING_GAME) {
        if (s->tolerance_is_share)
            xa_str_printf(out, "; tolerance %g %% of the longer side", 100.0 * s->tolerance);
        else
            xa_str_printf(out, "; tolerance %g px", s->tolerance);
        if (s->smoothing > 0.0)
            xa_str_printf(out, "; smoothed, sigma %g %% of the longer side", 100.0 * s->smoothing);
    }
    if (s->kind == XA_METRIC_TOP_K)
        xa_str_printf(out, "; k = %" PRId64, s->k);
    if (stretches(s->kind))
        xa_str_puts(out, s->minmax ? "; stretched from minimum to maximum" : "; over the maximum");
    if (cuts(s->kind)) {
        if (s->cut == XA_CUT_FRACTION)
            xa_str_printf(out, "; above %g", s->threshold);
        else
            xa_str_puts(out,
                        s->cut == XA_CUT_OTSU ? "; above Otsu's threshold" : "; above the mean");
    }
    if (s->kind == XA_METRIC_BOX_IOU || one_level(s->kind))
        xa_str_puts(out, "; box of the largest 8-connected component");
    if (s->kind == XA_METRIC_BOX_ACC)
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
                    s->kind == XA_METRIC_PXAP ? "; mask pixels as wsolevaluation's"
                                              : "; boxes as wsolevaluation's");
}

xa_status xa_metric_check(const xa_metric_spec *s, xa_err *err)
{
    const char *what = NULL;
    if (s->at == XA_AT_GRID && (s->grid < 1 || s->grid > 512))
        what = "grid: expected 1 to 512 cells a side";
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

size_t xa_metric_statistic_bytes(const xa_metric_spec *s)
{
    if (s->kind == XA_METRIC_BOX_ACC)
        return (size_t)s->nlevels * XA_HIT_BYTES;
    if (s->kind == XA_METRIC_PXAP)
        return 2 * XA_PXAP_BINS * sizeof(uint32_t);
    return 0;
}
