/* Profiles: the settings of published protocols. */
#include "metric_internal.h"

#include <stdio.h>
#include <string.h>

/* Choe et al. 2020, code of wsolevaluation. */
static void wsol(xa_metric_spec *s)
{
    s->at = XA_AT_INPUT;
    s->sign = XA_SIGN_SIGNED;
    s->cubic = s->minmax = s->all_contours = s->wsol = true;
}

/* Fong et al. 2019, code of TorchRay: difficult objects alone are skipped, crowds count. */
static void torchray(xa_metric_spec *s)
{
    s->at = XA_AT_IMAGE;
    s->sign = XA_SIGN_SIGNED;
    s->tolerance = 15.0;
    s->tolerance_is_share = false;
    s->smoothing = 0.0;
    s->skip_difficult = true;
    s->ignore_crowd = false;
}

static void largest_segment(xa_metric_spec *s, double share)
{
    s->at = XA_AT_IMAGE;
    s->sign = XA_SIGN_POSITIVE;
    s->cut = XA_CUT_FRACTION;
    s->threshold = share;
    s->minmax = s->wsol = false;
    s->level[0] = 0.5;
}

/* Selvaraju et al. 2017: 15 % of the maximum. */
static void gradcam_paper(xa_metric_spec *s)
{
    largest_segment(s, 0.15);
}

/* Zhou et al. 2016: 20 % of the maximum. */
static void cam_paper(xa_metric_spec *s)
{
    largest_segment(s, 0.20);
}

/* Hedstroem et al., Quantus, JMLR 2023: its localisation metrics. */
static void quantus(xa_metric_spec *s)
{
    s->at = XA_AT_INPUT;
    s->sign = XA_SIGN_SIGNED;
    s->tolerance = s->smoothing = 0.0;
    s->k = 1000;
}

/* Saporta et al. 2022, code of CheXlocalize. */
static void chexlocalize(xa_metric_spec *s)
{
    s->at = XA_AT_IMAGE;
    s->sign = XA_SIGN_SIGNED;
    s->cut = XA_CUT_OTSU;
    s->minmax = true;
    s->tolerance = s->smoothing = 0.0;
}

#define IS(kind) (1u << XA_METRIC_##kind)
#define LARGEST_SEGMENT (IS(BOX_IOU) | IS(GT_KNOWN) | IS(TOP1) | IS(TOP5))
#define QUANTUS \
    (IS(POINTING_GAME) | IS(RELEVANCE_MASS) | IS(RELEVANCE_RANK) | IS(TOP_K) | IS(ROC_AUC))
/* X(name, function, kinds of metrics that the protocol has) */
#define PROFILE_LIST(X)                                \
    X("wsol", wsol, IS(BOX_ACC) | IS(PXAP))            \
    X("torchray", torchray, IS(POINTING_GAME))         \
    X("gradcam-paper", gradcam_paper, LARGEST_SEGMENT) \
    X("cam-paper", cam_paper, LARGEST_SEGMENT)         \
    X("quantus", quantus, QUANTUS)                     \
    X("chexlocalize", chexlocalize, IS(IOU) | IS(POINTING_GAME))

static const struct {
    const char *name;
    void (*set)(xa_metric_spec *s);
    unsigned kinds;
} profiles[] = {
#define X(name, set, kinds) {name, set, kinds},
    PROFILE_LIST(X)
#undef X
};

const char *xa_metric_profiles(void)
{
#define X(name, set, kinds) ", " name
    static const char names[] = PROFILE_LIST(X);
#undef X
    return names + strlen(", ");
}

static xa_status other_kind(const xa_metric_spec *s, size_t profile, xa_err *err)
{
    char kinds[256] = "";
    for (int k = 0; k < XA_METRIC_COUNT; k++)
        if (profiles[profile].kinds >> k & 1u) {
            const size_t at = strlen(kinds);
            snprintf(kinds + at,
                     sizeof kinds - at,
                     "%s%s",
                     at ? ", " : "",
                     xa_metric_kind_name((xa_metric_kind)k));
        }
    XA_RETURN_FAIL(err,
                   XA_INVALID,
                   "profile %s does not define %s: it is for %s",
                   profiles[profile].name,
                   xa_metric_kind_name(s->kind),
                   kinds);
}

xa_status xa_metric_profile(xa_metric_spec *s, const char *profile, xa_err *err)
{
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        if (strcmp(profiles[i].name, profile))
            continue;
        if (!(profiles[i].kinds >> s->kind & 1u))
            return other_kind(s, i, err);
        profiles[i].set(s);
        snprintf(s->profile, sizeof s->profile, "%s", profile);
        return XA_OK;
    }
    char shown[64];
    xa_str_sanitise(profile, shown, sizeof shown);
    XA_RETURN_FAIL(
        err, XA_NOT_FOUND, "unknown profile \"%s\"; known are: %s", shown, xa_metric_profiles());
}
