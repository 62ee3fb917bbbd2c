/* clang-format off */
/* metric: localisation scores of one map against the annotated region of one class.
 *
 * A score belongs to one pair of a sample and an annotated class. A score that is undefined is NaN,
 * never 0. Boxes and masks are in the stored frame: pixel (x,y) covers [x,x+1) x [y,y+1), boxes are
 * half-open. Every convention that moves a number is a setting of xa_metric_spec and is written beside
 * the scores (xa_metric_conventions). Profiles set them as published protocols do.
 *
 * A metric compares on a scene: map, region and ignored pixels, brought to one grid (`at`):
 *
 *   MAP    the map's own cells; a cell is in the region if its centre is
 *   GRID   n x n cells of the model's input; the map is area-averaged or interpolated to them
 *   INPUT  the pixels of the model's input; the map is interpolated, the region read at pixel centres
 *   IMAGE  the pixels of the stored frame
 *
 * What a crop cut away is not part of the scene; what a pad added is background. Ignored pixels count
 * nowhere.
 *
 * The peak is the scene's largest value; of equal ones it is the first in row-major order, as argmax
 * of numpy and torch takes it, so that a plateau points to the left end of its top row. Smoothing (a
 * Gaussian cut at 4 sigma, borders repeated, as TorchRay's imsmooth) is applied before.
 *
 * Values are stretched, and thresholds taken, over the whole map that the scene shows: ignored pixels
 * are left out of the comparison, not of the range.
 *
 * For all metrics: a pair without visible region, and a map that is not finite, have NaN. A map of
 * zeros (one without positive evidence, for instance) is a failed explanation, not a missing one, and
 * is scored as the protocol's own code scores it:
 *
 *   pointing_game        0: there is no peak. The same holds for any map of a single value (TorchRay and
 *                        CheXlocalize would point at its first pixel, Quantus at all of them)
 *   energy               0: no mass lies in the region (mednet; Score-CAM's script divides 0/0)
 *   relevance_mass       NaN: 0/0, as in Quantus; also where positive and negative values cancel
 *   relevance_rank,      the region's share: all pixels tie, and ties count by their share (Quantus
 *   top_k                takes the first pixels in its sort's order)
 *   roc_auc              1/2: all pixels tie (scikit-learn)
 *   average_focus        0 (mednet)
 *   iou                  0: nothing is above the threshold (CheXlocalize over all pairs)
 *   box_iou, gt_known,   0: there is no box
 *   top1, top5
 *   box_acc              no hit. With profile wsol the box is the first pixel at every grey level, as
 *                        in wsolevaluation, which hits a box of a pixel or two
 *   pxap                 the region's share: all pixels lie in the lowest bin (wsolevaluation)
 *
 * A map of a single other value scores the same where values are stretched from their minimum. Where
 * they are divided by their maximum, the map is 1 everywhere: iou predicts all pixels (none above the
 * mean), pxap has them in the highest bin, average_focus is 1. energy and relevance_mass are the
 * region's share of the scene.
 */
/* clang-format on */
#ifndef XAUDIT_METRIC_H
#define XAUDIT_METRIC_H

#include "xaudit/image.h"
#include "xaudit/manifest.h"

/* Versions of what the numbers mean. One is raised whenever a change of this module gives another
 * score for the same map, region and settings: METRICS for localisation scores and their
 * statistics, MAP_SCORES for scores of maps alone and for checks. Archives store both; numbers of
 * two versions are never compared. An archive without a version has version 1. */
enum { XA_METRICS_VERSION = 2, XA_MAP_SCORES_VERSION = 2 };

/* ---- kinds and conventions ------------------------------------------------------------------- */

/* X(ENUM, name, what a value is) */
#define XA_METRIC_LIST(X)                                                            \
    X(POINTING_GAME, "pointing_game", "hit 1, miss 0")                               \
    X(ENERGY, "energy", "share of the map's mass")                                   \
    X(RELEVANCE_MASS, "relevance_mass", "share of the map's mass")                   \
    X(RELEVANCE_RANK, "relevance_rank", "share of the region's count of top pixels") \
    X(TOP_K, "top_k", "share of the k top pixels")                                   \
    X(ROC_AUC, "roc_auc", "area under the curve")                                    \
    X(AVERAGE_FOCUS, "average_focus", "mean of the map / maximum")                   \
    X(IOU, "iou", "intersection over union")                                         \
    X(BOX_IOU, "box_iou", "intersection over union of boxes")                        \
    X(GT_KNOWN, "gt_known", "hit 1, miss 0")                                         \
    X(TOP1, "top1", "hit 1, miss 0")                                                 \
    X(TOP5, "top5", "hit 1, miss 0")                                                 \
    X(BOX_ACC, "box_acc", "hits at 256 grey levels")                                 \
    X(PXAP, "pxap", "pixels of the region and others over 1000 thresholds")
typedef enum xa_metric_kind {
#define X(name, text, unit) XA_METRIC_##name,
    XA_METRIC_LIST(X)
#undef X
        XA_METRIC_COUNT
} xa_metric_kind;
int xa_metric_parse(const char *name); /* -1 when unknown */
const char *xa_metric_kind_name(xa_metric_kind k);
const char *xa_metric_unit(xa_metric_kind k);
const char *xa_metric_reference(xa_metric_kind k); /* paper, for attributes and methods texts */
/* What a score is: HIT is 0 or 1, so that its mean is a proportion; SHARE is any number of [0,1].
 */
typedef enum xa_metric_scale { XA_SCALE_SHARE, XA_SCALE_HIT } xa_metric_scale;
xa_metric_scale xa_metric_scale_of(xa_metric_kind k);

typedef enum xa_metric_at { XA_AT_MAP, XA_AT_GRID, XA_AT_INPUT, XA_AT_IMAGE } xa_metric_at;
/* How the sign of a map's values is treated: they stay as they are; those below 0 become 0; they
 * are replaced by their absolute values. */
typedef enum xa_metric_sign { XA_SIGN_SIGNED, XA_SIGN_POSITIVE, XA_SIGN_ABS } xa_metric_sign;
typedef enum xa_metric_cut { XA_CUT_FRACTION, XA_CUT_OTSU, XA_CUT_MEAN } xa_metric_cut;

enum {
    XA_METRIC_LEVELS = 8,
    XA_GREY_LEVELS = 256,
    XA_HIT_BYTES = XA_GREY_LEVELS / 8,
    XA_PXAP_THRESHOLDS = 1000,
    XA_PXAP_BINS =
        XA_PXAP_THRESHOLDS + 1 /* bin t is [t/1000, (t+1)/1000), the last holds 1 alone */
};

typedef struct xa_metric_spec {
    xa_metric_kind kind;
    char name[64];    /* of its scores in the archive */
    char profile[24]; /* "" or the profile that set it */
    xa_metric_at at;
    int grid; /* GRID: cells along each side, 1..512 */
    xa_metric_sign sign;
    bool cubic; /* INPUT: the map is interpolated as by cv2.INTER_CUBIC; else linearly */
    /* POINTING_GAME: a point is a hit if it is closer than this to the centre of a pixel of the
     * region; 0: only a point inside of the region is. In pixels of the stored frame, or as a share
     * of the frame's longer side. */
    double tolerance;
    bool tolerance_is_share;
    double smoothing;  /* POINTING_GAME: Gaussian before the peak is sought, sigma as a share of the
                          scene's longer side; 0: none */
    int64_t k;         /* TOP_K */
    xa_metric_cut cut; /* IOU, BOX_IOU, GT_KNOWN, TOP1, TOP5: pixels above it are the prediction */
    double threshold;  /* FRACTION: a share of the maximum, from 0 to below 1 */
    bool minmax; /* BOX_*, IOU, GT_KNOWN, TOP*, PXAP: values are first stretched from minimum to
                    maximum; else those below 0 become 0, and all are divided by the maximum */
    int nlevels; /* of `level`, the least IoU of a hit: BOX_ACC; 1 for GT_KNOWN, TOP1, TOP5 */
    double level[XA_METRIC_LEVELS];
    char from_split[64]; /* BOX_ACC: the grey level is chosen on images of this split, and the
                            figure is over all other images; "": both on the same images */
    bool all_contours;   /* BOX_ACC: the best of all contours counts (V2); else the largest (V1) */
    bool skip_difficult; /* a pair whose annotations are all flagged difficult has no score */
    bool ignore_crowd;   /* pixels flagged crowd are ignored, and a pair with nothing else has no
                            score;   else they are part of the region */
    /* wsolevaluation's arithmetic: boxes are truncated to whole pixels of the input and include
     * their corners, predicted boxes are one pixel wider than their component, holes have contours
     * too, and masks are read at the corners of pixels. Else boxes are exact and half-open. */
    bool wsol;
} xa_metric_spec;
/* Defaults: POINTING_GAME at MAP, all others at INPUT; values as they are, but positive for ENERGY
 * and for metrics with a threshold or a stretch; k 1000; cut 0.15 of the maximum, for IOU Otsu's;
 * levels 0.3, 0.5 and 0.7 (0.5 where there is one level). Annotations flagged difficult count.
 * Crowds are ignored, as COCO means them: they outline no object. Profile torchray follows its
 * code: pairs of difficult boxes alone are skipped (a pair with others counts with all its boxes),
 * and crowds are part of COCO's masks. */
xa_metric_spec xa_metric_defaults(xa_metric_kind kind);
/* Sets the conventions of a published protocol: wsol, torchray, gradcam-paper, cam-paper, quantus
 * or chexlocalize. NOT_FOUND lists the profiles; INVALID: the protocol has no such metric. */
XA_MUST_USE xa_status xa_metric_profile(xa_metric_spec *s, const char *profile, xa_err *err);
const char *xa_metric_profiles(void); /* "wsol, torchray, ..." */
/* X(ENUM, key): the settings that only some metrics have, by their keys in a job. */
#define XA_METRIC_SETTING_LIST(X) \
    X(TOLERANCE, "tolerance")     \
    X(SMOOTHING, "smoothing")     \
    X(K, "k")                     \
    X(THRESHOLD, "threshold")     \
    X(STRETCH, "stretch")         \
    X(IOU, "iou")                 \
    X(CONTOURS, "contours")       \
    X(FROM_SPLIT, "from_split")
typedef enum xa_metric_setting {
#define X(name, key) XA_SETTING_##name,
    XA_METRIC_SETTING_LIST(X)
#undef X
        XA_METRIC_SETTING_COUNT
} xa_metric_setting;
const char *xa_metric_setting_key(xa_metric_setting s);
/* Does the setting move this metric's numbers? A job that gives it to another metric is mistaken.
 */
bool xa_metric_has(xa_metric_kind k, xa_metric_setting s);
/* The most levels of the setting iou: XA_METRIC_LEVELS, 1, or 0 for a metric without it. */
int xa_metric_most_levels(xa_metric_kind k);
/* "at input; positive values; above Otsu's threshold", in one line. */
void xa_metric_conventions(const xa_metric_spec *s, xa_str *out);
/* INVALID says which setting of which metric is out of bounds. */
XA_MUST_USE xa_status xa_metric_check(const xa_metric_spec *s, xa_err *err);

/* What a metric stores of each pair beside its score, for figures over the data set. */
typedef enum xa_metric_statistic {
    XA_STATISTIC_NONE,
    XA_STATISTIC_HITS,  /* u8 [nlevels, XA_HIT_BYTES] */
    XA_STATISTIC_PIXELS /* u32 [2, XA_PXAP_BINS] */
} xa_metric_statistic;
xa_metric_statistic xa_metric_statistic_of(xa_metric_kind k);
/* Bytes of one pair's statistic. HITS: nlevels * XA_HIT_BYTES; bit g of a level, lowest bit first,
 * is set if the pixels brighter than grey level g of 0..255 are a hit. PIXELS: 2 * XA_PXAP_BINS *
 * 4, the u32 counts of background pixels, then those of the region; bin t holds t/1000 <= v <
 * (t+1)/1000, as numpy.histogram with numpy.arange(0, 1, .001) has them. NONE: 0. */
size_t xa_metric_statistic_bytes(const xa_metric_spec *s);

/* ---- the annotated region -------------------------------------------------------------------- */

/* The annotated region of one class in one sample: the union of its boxes and masks. */
typedef struct xa_region {
    int64_t width, height; /* of the stored frame */
    int nboxes, ncrowds;   /* boxes of objects come first, then those of crowds */
    double (*boxes)[4];    /* [nboxes + ncrowds] x0,y0,x1,y1, clipped to the frame; owned */
    uint8_t *mask;         /* [height,width] xa_region_pixel; NULL if there are no masks; owned */
    bool has_mask;         /* some mask annotates the class (ignore masks do not count) */
    bool empty;            /* nothing visible: metrics are undefined */
    bool all_difficult;    /* every annotation of the class is flagged difficult */
    bool only_crowds;      /* what is visible is flagged crowd */
} xa_region;
enum { XA_REGION_NONE, XA_REGION_INSIDE, XA_REGION_IGNORED, XA_REGION_CROWD };
/* The region of class_index in a sample. A box that cannot be used is left out. A mask that cannot
 * be used makes the region fail, since the rest would be another region: NOT_FOUND, MISMATCH (its
 * size is another; both are named), UNSUPPORTED, or the error of reading it, for the first such
 * mask. problem [s->nannotations]: the xa_annotation_problem of each annotation of the class is
 * set, on failure too. hash [s->nannotations]: xa_mask_hash of those whose masks could all be used,
 * 0 for the others of the class. Either may be NULL. A pixel of an ignore mask is ignored unless an
 * annotation of the class covers it; a pixel of a crowd belongs to the crowd unless another
 * annotation covers it. */
XA_MUST_USE xa_status xa_region_init(xa_region *r,
                                     const xa_sample *s,
                                     int32_t class_index,
                                     const xa_frame *frame,
                                     uint8_t *problem,
                                     uint64_t *hash,
                                     xa_err *err);
/* XXH3-64 of the labels of an annotation's mask and ignore mask, as they are read; 0: it has
 * neither. *file: the file that was read last (borrowed), which an error is about. */
XA_MUST_USE xa_status xa_mask_hash(const xa_annotation *a,
                                   bool as_they_lie, /* the EXIF orientation is not applied */
                                   uint64_t *hash,
                                   const char **file,
                                   xa_err *err);
void xa_region_fini(xa_region *r);
/* Is the point (stored frame) in the region, or ignored, with crowds as the metric treats them? */
bool xa_region_contains(const xa_metric_spec *s, const xa_region *r, double x, double y);
bool xa_region_ignores(const xa_metric_spec *s, const xa_region *r, double x, double y);
/* Does the pair have a score: is the region not empty, and not skipped because of its flags? */
bool xa_region_counts(const xa_metric_spec *s, const xa_region *r);

/* The pointing game of a point in the stored frame: 1 if it lies in the region, or closer to it
 * than the tolerance, else 0; NaN if the region does not count. has_point is false for a map
 * without peak, which is a miss. */
double xa_pointing_game(
    const xa_metric_spec *spec, const xa_region *r, bool has_point, double x, double y);

/* ---- scoring --------------------------------------------------------------------------------- */

/* One map as it is stored. */
typedef struct xa_score_map {
    const float
        *values; /* [channels,height,width]; of several channels the value of largest size counts */
    int64_t channels, height, width;
    bool degenerate, nonfinite;
    int64_t input_height, input_width;
    double affine[2][3]; /* model input to stored frame */
    bool has_peak;  /* the peak was found when the map was made; used at MAP without smoothing */
    double peak[2]; /* stored frame */
    int64_t rank;   /* how many classes the model finds likelier than this one; -1: unknown */
} xa_score_map;

/* How many classes the model finds likelier than class_index; of equal ones the lower index is
 * likelier. -1 if the model has no such class. probs: [classes]. */
int64_t xa_class_rank(const float *probs, int64_t classes, int32_t class_index);
/* The same for a class or a category: the best rank of its members. */
int64_t
xa_set_rank(const xa_categories *c, const float *probs, int64_t classes, int32_t class_index);

typedef struct xa_scorer xa_scorer;
/* specs are borrowed until xa_scorer_free. */
XA_MUST_USE xa_status xa_scorer_create(const xa_metric_spec *specs,
                                       int n,
                                       xa_scorer **out,
                                       xa_err *err);
void xa_scorer_free(xa_scorer *s);
/* Scores of one map. value: [n]. statistic: [n] rows of xa_metric_statistic_bytes, zeros where the
 * value is NaN; a row that is NULL, or statistic itself, is left out. The value of BOX_ACC is the
 * share of its levels that some grey level hits (the best for this map, hence an upper bound), that
 * of PXAP the average precision of this map alone. The work space grows to the largest scene so
 * far; NOMEM is the only failure. */
XA_MUST_USE xa_status xa_scorer_score(xa_scorer *s,
                                      const xa_region *region,
                                      const xa_score_map *map,
                                      double *value,
                                      void *const *statistic,
                                      xa_err *err);

/* ---- baselines ------------------------------------------------------------------------------- */

/* Maps that do not depend on the image: their scores are those of always looking at the usual
 * place. X(ENUM, name, description) */
#define XA_BASELINE_LIST(X)                                                        \
    X(CENTRE,                                                                      \
      "centre",                                                                    \
      "Gaussian at the centre of the model's input, sigma a quarter of each side") \
    X(FULL, "full", "the whole input alike; its box is all of it")
typedef enum xa_baseline_kind {
#define X(name, text, description) XA_BASELINE_##name,
    XA_BASELINE_LIST(X)
#undef X
        XA_BASELINE_COUNT
} xa_baseline_kind;
enum { XA_BASELINE_SIDE = 64 };
const char *xa_baseline_name(xa_baseline_kind k);
const char *xa_baseline_description(xa_baseline_kind k);
/* values [XA_BASELINE_SIDE, XA_BASELINE_SIDE], over the model's input. FULL is 1 everywhere but in
 * its last cell, which is a little less, so that the map has more than one value: it then has a
 * box, and its energy is the region's share. */
void xa_baseline_map(xa_baseline_kind k, float *values);
/* Sets channels and peak of a score map whose other fields are set. CENTRE's peak is the centre
 * itself, not that of a cell beside it. */
void xa_baseline_place(xa_baseline_kind k, xa_score_map *m);
/* Does the metric say anything of the baseline? FULL has no peak to point at. */
bool xa_baseline_scores(xa_baseline_kind k, xa_metric_kind metric);

/* ---- mean maps ------------------------------------------------------------------------------- */

/* The mean map of a class over a data set shows what its maps have in common whatever the image,
 * and is what an explainer would show that had learned only where such objects are. Each map is
 * divided by its largest size and brought to a coarser grid (area mean in the model's input), in
 * whole numbers of 2^-32, so that sums are the same in any order. */
enum { XA_MEAN_SIDE = 32, XA_MEAN_CELLS = 1 << 24 };
#define XA_MEAN_ONE 4294967296.0
/* Changes the extents of a map to those of its mean map: at most XA_MEAN_SIDE cells along each
 * side, fewer where all classes together would have more than XA_MEAN_CELLS. */
void xa_mean_size(int64_t classes, int64_t *height, int64_t *width);
/* What one map adds to its class's mean: out [height,width], extents of xa_mean_size, in units of
 * 1 / XA_MEAN_ONE. False for a degenerate or non-finite map, which adds nothing; out is then
 * unchanged. work: [m->height * m->width + height * width], the caller's. */
bool xa_mean_cells(const xa_score_map *m, int64_t height, int64_t width, float *work, int64_t *out);

/* ---- scores of a map alone ------------------------------------------------------------------- */

/* X(ENUM, name, description): they need no annotation, and are taken on the map's own grid. */
#define XA_MAP_SCORE_LIST(X)                                                                \
    X(GINI, "gini", "Gini coefficient of |values|: 0 even, 1 in one cell (Chalasani 2020)") \
    X(ENTROPY,                                                                              \
      "entropy",                                                                            \
      "entropy of |values| / their sum, over ln N of N cells, its maximum: 1 even")         \
    X(CENTRE_BIAS,                                                                          \
      "centre_bias",                                                                        \
      "mean distance of the mass |values| from the grid's centre, over that of an even map")
typedef enum xa_map_score_kind {
#define X(name, text, description) XA_MAP_SCORE_##name,
    XA_MAP_SCORE_LIST(X)
#undef X
        XA_MAP_SCORE_COUNT
} xa_map_score_kind;
const char *xa_map_score_name(xa_map_score_kind k);
const char *xa_map_score_description(xa_map_score_kind k);
/* Channels are reduced as in xa_score_map. work: [3 * height * width], the caller's. NaN for a
 * degenerate or non-finite map. */
void xa_map_scores(const xa_score_map *m, uint32_t *work, double out[XA_MAP_SCORE_COUNT]);

/* Scores that cost a further pass of the model, if the job requests them. X(ENUM, name,
 * description) */
#define XA_CHECK_LIST(X)                                                                        \
    X(AVERAGE_DROP,                                                                             \
      "average_drop",                                                                           \
      "max(0, p - p') / p, p' the class's probability when the input is multiplied by the map " \
      "stretched to 0..1, by 0 where the map has one value (Chattopadhay et al., Grad-CAM++, "  \
      "WACV 2018)")                                                                             \
    X(INCREASE, "increase", "1 if p < p', else 0 (likewise)")                                   \
    X(AVERAGE_GAIN,                                                                             \
      "average_gain",                                                                           \
      "max(0, p' - p) / (1 - p) (Zhang et al., Opti-CAM, CVIU 2024)")                           \
    X(RANDOM_LOGIT,                                                                             \
      "random_logit",                                                                           \
      "rank correlation with the map of another class, drawn at random: 1 tells that the map "  \
      "does "                                                                                   \
      "not depend on the class (Sixt et al., When explanations lie, ICML 2020)")
typedef enum xa_check_kind {
#define X(name, text, description) XA_CHECK_##name,
    XA_CHECK_LIST(X)
#undef X
        XA_CHECK_COUNT
} xa_check_kind;
const char *xa_check_name(xa_check_kind k);
const char *xa_check_description(xa_check_kind k);

/* Agreement of two maps of one image, on the coarser of their grids, with at most XA_AGREEMENT_SIDE
 * cells along each side (area mean in the model's input). */
enum { XA_AGREEMENT_SIDE = 64 };
#define XA_AGREEMENT_LIST(X)                                                       \
    X(SPEARMAN, "spearman", "rank correlation, average ranks for ties")            \
    X(TOP_IOU,                                                                     \
      "top_iou",                                                                   \
      "intersection over union of the 10 % largest cells, ties included by share") \
    X(POINTING, "pointing", "1: the two largest cells are the same or neighbours, else 0")
typedef enum xa_agreement_kind {
#define X(name, text, description) XA_AGREEMENT_##name,
    XA_AGREEMENT_LIST(X)
#undef X
        XA_AGREEMENT_COUNT
} xa_agreement_kind;
const char *xa_agreement_name(xa_agreement_kind k);
const char *xa_agreement_description(xa_agreement_kind k);
/* All NaN where a map is degenerate or not finite. NOMEM is the only failure. */
XA_MUST_USE xa_status xa_agreement(const xa_score_map *a,
                                   const xa_score_map *b,
                                   double out[XA_AGREEMENT_COUNT],
                                   xa_err *err);

#endif
