/* faith: how far a map tells the truth about its model.
 *
 * Pure functions over images, maps and numbers: which pixels are taken away and what is put in
 * their place, and what is read off the model's answers. Nothing here runs a model, knows files or
 * allocates, unless it says so. A check is a plan of perturbed inputs and a reading of the scores
 * that the model gives them; the engine batches the inputs of all checks (audit.h).
 *
 * Notation: x the network's input [H,W,C] f32, x0 its baseline (explain_ask.h), a map value of a
 * pixel, N = H*W pixels, S the score of the class explained. A pixel is all channels at one place,
 * and is numbered y*W + x.
 *
 * Random numbers are those of util at (seed, purpose << 32 | draw, counter): no result depends on
 * what else was computed. Sums run in double, in the order of pixels or draws.
 *
 * What is not finite: maps must be finite (xa_map_inspect says so). Scores need not be: a figure of
 * scores of which one is not finite is NaN.
 */
#ifndef XAUDIT_FAITH_H
#define XAUDIT_FAITH_H

#include "xaudit/explain.h"

/* ---- the order of pixels --------------------------------------------------------------------- */

/* A map [c,h,w] as one value a pixel of the input [H,W]: channels summed, since attributions add
 * up, or with `sizes` their sizes; the sum is enlarged bilinearly. scratch: [h*w]. */
void xa_faith_pixels(const float *map,
                     int64_t c,
                     int64_t h,
                     int64_t w,
                     bool sizes,
                     int64_t height,
                     int64_t width,
                     float *scratch,
                     float *pixels);

/* Pixels of equal value: in an order drawn by (seed, purpose 11), or the first of the image first.
 * Row order favours the top of the image, and maps with many zeros are ruled by it. */
#define XA_TIES_LIST(X) X(SHUFFLED, "shuffled") X(FIRST, "first")
typedef enum xa_ties {
#define X(name, text) XA_TIES_##name,
    XA_TIES_LIST(X)
#undef X
        XA_TIES_COUNT
} xa_ties;
const char *xa_ties_name(xa_ties t);

typedef struct xa_ranked_pixel { /* scratch of xa_faith_order */
    double tie;
    float value;
    int32_t pixel;
} xa_ranked_pixel;
/* order [n]: pixels by falling value, the most relevant first (MoRF; Samek et al., Evaluating the
 * visualization of what a deep neural network has learned, TNNLS 2017). Read from its end it is
 * the least relevant first (LeRF). -0 and 0 are equal. */
void xa_faith_order(const float *values,
                    int64_t n,
                    xa_ties ties,
                    uint64_t seed,
                    xa_ranked_pixel *scratch,
                    int32_t *order);
/* The share of pixels whose value another pixel has too, given the order of xa_faith_order. */
double xa_faith_tied(const float *values, const int32_t *order, int64_t n);

/* ---- removal curves -------------------------------------------------------------------------- */

/* Petsiuk et al., RISE, BMVC 2018. Step i of k has changed round(i N / k) pixels, the first of
 * `order`: deletion goes from x to x0, insertion from x0 to x. */
int64_t xa_faith_changed(int64_t n, int64_t step, int64_t steps);
/* out = from, with the pixels listed in `changed` as they are in `to`. All [pixels, channels]; out
 * may be `from`. */
void xa_faith_change(const float *from,
                     const float *to,
                     int64_t pixels,
                     int64_t channels,
                     const int32_t *changed,
                     int64_t count,
                     float *out);
/* marks [n]: 1 for the pixels listed, else 0. */
void xa_faith_mark(const int32_t *pixels, int64_t count, int64_t n, uint8_t *marks);
/* The area under values at 0, 1/k, .., 1, by the trapezoid rule: n = k+1 >= 2 values. */
double xa_faith_auc(const double *curve, int64_t n);
/* (p_i - p_k) / (p_0 - p_k), so that curves of images with different scores can be averaged. False,
 * out unchanged, unless p_0 - p_k > 0.1: else noise would be divided by nearly nothing. */
bool xa_faith_normalise(const double *curve, int64_t n, double *out);

/* ---- ROAD ------------------------------------------------------------------------------------ */

/* Rong et al., A consistent and efficient evaluation strategy for attribution methods, ICML 2022: a
 * removed pixel becomes the weighted mean of its eight neighbours, whether these are kept or
 * removed too, so that the shape of what was removed tells the model nothing:
 *     s_i v_i - sum_{removed j} w_ij v_j = sum_{kept j} w_ij x_j,
 * w 1/6 across an edge and 1/12 across a corner, s_i the sum of w over neighbours in the image. The
 * system is symmetric and, if a pixel is kept, positive definite: conjugate gradients with Jacobi's
 * preconditioner, until each channel's residual is at most 1e-6 of its right-hand side. */
/* Bytes of scratch, 8-byte aligned. */
size_t xa_road_scratch(int64_t height, int64_t width, int64_t channels);
/* out = x [H,W,C] with the pixels for which removed [H*W] is set imputed; none kept: each channel's
 * mean. start [H,W,C]: the first guess, such as the solution with fewer removed pixels (it decides
 * how long it takes, and the digits below the residual); NULL: the mean of what is kept. out may be
 * `start`. Returns the iterations; -1 if the residual was not reached, as for x that is not finite.
 */
int64_t xa_road_fill(const float *x,
                     const float *start,
                     int64_t height,
                     int64_t width,
                     int64_t channels,
                     const uint8_t *removed,
                     void *scratch,
                     float *out);
/* (S_LeRF - S_MoRF) / 2, mean over n shares of removed pixels: above 0 where the map's largest
 * values matter more than its smallest. */
double xa_road_score(const double *morf, const double *lerf, int64_t n);

/* ---- random subsets -------------------------------------------------------------------------- */

/* Sensitivity-n (Ancona et al., Towards better understanding of gradient-based attribution methods,
 * ICLR 2018); for one size n it is faithfulness correlation (Bhatt et al., Evaluating and
 * aggregating feature-based model explanations, IJCAI 2020). Subsets do not depend on the map, so
 * that one set of drops S(x) - S(x, subset at x0) serves every map of the image. */
/* Subset `draw` (below 1000) of `size` pixels: the first `size` entries of permutation [n], which
 * is shuffled anew by (seed, purpose 5, draw 1000 size + draw). */
enum { XA_SUBSET_DRAWS = 1000, XA_SUBSET_MOST = 4294966 }; /* draws a size; pixels of a subset */
void xa_faith_subset(uint64_t seed, int64_t n, int64_t size, int64_t draw, int32_t *permutation);
/* The map's sum over a subset. */
double xa_faith_sum(const float *values, const int32_t *pixels, int64_t count);
/* Pearson's correlation; NaN if one side is constant, has a value that is not finite, or n < 2. */
double xa_faith_pearson(const double *x, const double *y, int64_t n);

/* ---- infidelity and sensitivity -------------------------------------------------------------- */

/* Yeh et al., On the (in)fidelity and sensitivity of explanations, NeurIPS 2019. `dot` [n] holds
 * <I_d, a> of each perturbation I_d, `drop` [n] S(x) - S(x - I_d). plain: mean of (dot - drop)^2.
 * scaled: the same after dot is multiplied by the best factor <dot,drop> / <dot,dot>; NaN if dot is
 * all 0. */
void xa_faith_infidelity(
    const double *dot, const double *drop, int64_t n, double *plain, double *scaled);
/* <I, a> of a field I [H,W,C] (network's layout) and a map a [C,H,W] (archive's layout). */
double xa_faith_dot(const float *field, const float *map, int64_t pixels, int64_t channels);

/* ||b - a|| / ||a||, how far a map moved; NaN if a is all 0. Max-sensitivity is its largest value
 * over perturbed inputs, average sensitivity its mean. */
double xa_faith_moved(const float *a, const float *b, int64_t n);
/* Mean and largest of n values; NaN if one is. */
void xa_faith_extent(const double *values, int64_t n, double *mean, double *most);

/* ---- a map alone ----------------------------------------------------------------------------- */

/* Effective complexity (Nguyen & Martinez, On quantitative aspects of model interpretability, 2020,
 * by a threshold): how many of n values are larger in size than `share` of the largest. */
int64_t xa_faith_complexity(const float *values, int64_t n, double share);
/* Shannon entropy, in nats, of the histogram of values in 100 equal bins from the least to the
 * largest (numpy.histogram's rules; values that are all equal: 0). eMPRT (Hedstroem et al., Sanity
 * checks revisited, 2024) compares it with that under random weights: (H' - H) / H. */
enum { XA_ENTROPY_BINS = 100 };
double xa_faith_entropy(const float *values, int64_t n);
/* (H' - H) / H; NaN if H is 0. */
double xa_faith_entropy_rise(double trained, double random);

/* ---- two maps -------------------------------------------------------------------------------- */

/* Structural similarity (Wang et al., TIP 2004) of two maps [h,w], each stretched to 0..1: windows
 * of 7x7 inside the map, sample covariance, data range 1, as scikit-image has it. NaN for a map of
 * one value, or smaller than a window. scratch: [2 h w] doubles. */
double
xa_faith_ssim(const float *a, const float *b, int64_t height, int64_t width, double *scratch);
/* ---- rivals ---------------------------------------------------------------------------------- */

/* What a map has to beat: maps that do not look at the model. X(ENUM, name, description) */
#define XA_RIVAL_LIST(X)                                                            \
    X(RANDOM, "random", "independent uniform values")                               \
    X(EDGES, "edges", "size of the image's gradient (Sobel), summed over channels") \
    X(CENTRE, "centre", "Gaussian at the centre, sigma a quarter of each side")     \
    X(SHUFFLED, "shuffled", "the map itself, its pixels shuffled: its values in random places")
typedef enum xa_rival_kind {
#define X(name, text, description) XA_RIVAL_##name,
    XA_RIVAL_LIST(X)
#undef X
        XA_RIVAL_COUNT
} xa_rival_kind;
const char *xa_rival_name(xa_rival_kind k);
const char *xa_rival_description(xa_rival_kind k);
/* values [H,W] of a rival for the input x [H,W,C]. pixels: the map that SHUFFLED shuffles (purpose
 * 10, draw 1; RANDOM: draw 0), NULL for the others; not the same as values. */
void xa_rival_map(xa_rival_kind kind,
                  const float *x,
                  int64_t height,
                  int64_t width,
                  int64_t channels,
                  uint64_t seed,
                  const float *pixels,
                  float *values);

/* ---- which samples --------------------------------------------------------------------------- */

/* The turn of each of n samples, a permutation of 0..n-1: a check of k images looks at those whose
 * turn is below k, so that more images only add some, and all checks look at the same ones. The
 * turns go through the classes: first one sample of each class, then a second one, and so on; which
 * of them, and in which order of classes, is drawn at (seed, id_hash). class_of [n]: -1 is
 * a class as any other, for samples without a label. NOMEM is the only failure. */
XA_MUST_USE xa_status xa_faith_turns(int64_t n,
                                     const uint64_t *id_hash,
                                     const int32_t *class_of,
                                     uint64_t seed,
                                     int64_t *turn,
                                     xa_err *err);

/* ---- checks of a job ------------------------------------------------------------------------- */

/* Raised where a check gives other numbers for the same model, images and settings. */
enum { XA_FAITH_VERSION = 2 };

/* X(ENUM, name, description): what a job may ask about every map. */
#define XA_FAITH_LIST(X)                                                                           \
    X(DELETION,                                                                                    \
      "deletion",                                                                                  \
      "the class's probability while pixels are removed, the map's largest values first: a low "   \
      "area speaks for the map (Petsiuk et al., RISE, BMVC 2018)")                                 \
    X(INSERTION,                                                                                   \
      "insertion",                                                                                 \
      "the same while pixels are put back: a high area speaks for the map (Petsiuk et al. 2018)")  \
    X(IROF,                                                                                        \
      "irof",                                                                                      \
      "1 less the area under the class's probability, over that of the whole image, while the "    \
      "cells of a grid become the image's mean, those with the map's largest mean first: a high "  \
      "value speaks for the map (Rieger & Hansen, IROF, 2020)")                                    \
    X(ROAD,                                                                                        \
      "road",                                                                                      \
      "half the difference of the class's score when the map's smallest and when its largest "     \
      "values are removed and imputed: above 0 speaks for the map (Rong et al., ROAD, ICML 2022)") \
    X(SENSITIVITY_N,                                                                               \
      "sensitivity_n",                                                                             \
      "correlation, over random subsets of pixels, of the map's sum and the score's drop "         \
      "without them (Ancona et al., ICLR 2018; Bhatt et al., IJCAI 2020)")                         \
    X(INFIDELITY,                                                                                  \
      "infidelity",                                                                                \
      "mean squared difference of <noise, map> and the score's drop without the noise, after "     \
      "the best factor: low speaks for the map (Yeh et al., NeurIPS 2019)")                        \
    X(MAX_SENSITIVITY,                                                                             \
      "max_sensitivity",                                                                           \
      "how far the map moves, of its length, when the input moves a little: low is stable (Yeh "   \
      "et al., NeurIPS 2019)")                                                                     \
    X(COMPLEXITY,                                                                                  \
      "complexity",                                                                                \
      "share of pixels above 1 % of the map's largest value (Nguyen & Martinez 2020)")
typedef enum xa_faith_kind {
#define X(name, text, description) XA_FAITH_##name,
    XA_FAITH_LIST(X)
#undef X
        XA_FAITH_COUNT
} xa_faith_kind;
const char *xa_faith_kind_name(xa_faith_kind k);
const char *xa_faith_description(xa_faith_kind k);
/* As papers cite it: authors, title, where and when. */
const char *xa_faith_reference(xa_faith_kind k);
/* -1: no kind is called so. */
int xa_faith_kind_parse(const char *name);

/* X(ENUM, key): the settings that only some checks have, by their keys in a job. */
#define XA_FAITH_SETTING_LIST(X) \
    X(STEPS, "steps")            \
    X(BASELINE, "baseline")      \
    X(TIES, "ties")              \
    X(DRAWS, "draws")            \
    X(NOISE, "noise")            \
    X(CELLS, "cells")            \
    X(RADIUS, "radius")
typedef enum xa_faith_setting {
#define X(name, key) XA_FAITH_HAS_##name,
    XA_FAITH_SETTING_LIST(X)
#undef X
        XA_FAITH_SETTING_COUNT
} xa_faith_setting;
const char *xa_faith_setting_key(xa_faith_setting s);
bool xa_faith_has(xa_faith_kind k, xa_faith_setting s);

typedef struct xa_faith_spec {
    xa_faith_kind kind;
    char name[64];         /* in the archive; unique in its job */
    int64_t images;        /* of a turn below it (xa_faith_turns); 0: all */
    int steps;             /* DELETION, INSERTION */
    xa_base_kind baseline; /* DELETION, INSERTION, SENSITIVITY_N */
    xa_ties ties;          /* DELETION, INSERTION, ROAD, IROF: of cells */
    int draws;             /* SENSITIVITY_N: of each size; INFIDELITY, MAX_SENSITIVITY */
    double noise;          /* ROAD: of a channel's span; INFIDELITY: of the network's input */
    int cells;             /* IROF: along each side of the input */
    double radius;         /* MAX_SENSITIVITY: of the network's input */
} xa_faith_spec;
/* deletion: 2000 images, 16 steps, black; insertion: 2000, 16, blur; road: 500, noise 0.01;
 * sensitivity_n: 500, 64 draws, black; infidelity: 500, 32 draws of noise 0.2; max_sensitivity:
 * 200, 10 draws of radius 0.02; irof: 500, 8 cells; complexity: all. Ties are shuffled. The name is
 * the kind's. */
xa_faith_spec xa_faith_defaults(xa_faith_kind kind);

/* "steps 16; baseline black; ties shuffled; images 2000". */
void xa_faith_settings(const xa_faith_spec *s, xa_str *out);

/* What a check stores of a map: figures, each with a name, and the model's answers, `points` of
 * them in each of `blocks` (the map itself, then its rivals). Answers: scores of the class
 * explained, and where `probs` is set its probabilities beside them. */
enum {
    XA_FAITH_FIGURES = 12,
    XA_FAITH_SIZES = 4,
    XA_FAITH_SHARES = 5,
    XA_FAITH_STEPS = 1000,
    XA_FAITH_CELLS = 24
};
typedef struct xa_faith_shape {
    int figures, blocks, points;
    bool probs;
    const char *figure[XA_FAITH_FIGURES];
} xa_faith_shape;
xa_faith_shape xa_faith_shape_of(const xa_faith_spec *s);
/* Of a figure, by the name of its check's kind and its own ("auc"): 1 if a larger value speaks for
 * the map, -1 if a smaller one does, 0 if neither. */
int xa_faith_better(const char *kind, const char *figure);
/* The share of pixels in SENSITIVITY_N's subsets, and how many of n that is: at least 1. */
double xa_faith_size_share(int size);
int64_t xa_faith_size(int64_t n, int size);
/* The share, in per cent, of pixels that ROAD removes. */
int xa_faith_road_share(int i);

/* What became of a map row in a check. */
enum {
    XA_CHECKED_PENDING,
    XA_CHECKED_DONE,
    XA_CHECKED_NOT_SAMPLED, /* its sample's turn does not come, or it is not the sample's first map
                             */
    XA_CHECKED_NO_MAP,      /* it was not made, is not finite, or has no value but 0 */
    XA_CHECKED_NOT_FINITE,  /* an answer of the model was not */
    XA_CHECKED_NOT_DEFINED, /* not for maps of this explainer */
    XA_CHECKED_COUNT
};
/* "not sampled", .. */
const char *xa_faith_status_name(int status);

/* ---- checks at work -------------------------------------------------------------------------- */

/* Bytes that one use of a task or of xa_faith_measure takes; all of a thread may share them. */
size_t xa_faith_scratch(const xa_shape *input);

/* What a check asks the model for one map, or for one of its rivals: the `spec` of its consumer
 * (explain_ask.h), whose `finish` fills an xa_faith_replies. What it points to lives until then.
 * Inputs that do not depend on the map (rivals, subsets, noise) are the same for all maps of an
 * image. */
typedef struct xa_faith_task {
    const xa_faith_spec *check;
    const float *pixels; /* [H*W] the map over the input; NULL of a rival */
    int block;           /* 0: the map, 1 + xa_rival_kind: a rival */
    void *scratch;       /* 64-byte aligned */
} xa_faith_task;
/* NULL: the kind asks nothing that way. */
const xa_consumer *xa_faith_consumer(xa_faith_kind kind);
typedef struct xa_faith_replies {
    double *score, *prob; /* [points] the caller's; probabilities NaN where there are none */
    double clean_score, clean_prob; /* of the image itself */
    double tied;                    /* share of pixels whose value another one has; NaN: no order */
} xa_faith_replies;

/* From the answers to figures [figures], in the order of xa_faith_shape. */
typedef struct xa_faith_measured {
    const xa_faith_spec *check;
    const xa_subject *subject;
    const float *pixels;           /* [H*W] the map over the input; of COMPLEXITY by its sizes */
    const float *map;              /* INFIDELITY: [C,H,W] as it is stored */
    const xa_faith_replies *reply; /* [blocks] */
    int blocks;
    void *scratch;
} xa_faith_measured;
void xa_faith_measure(const xa_faith_measured *m, double *figures);

#endif
