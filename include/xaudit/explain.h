/* explain: from one sample's activations and gradients to a map.
 *
 * An explainer is a formula over views of what the engine computed; it neither runs the engine nor
 * knows files. All maps are raw: nothing is normalised. No division ever makes a NaN: a map without
 * positive evidence is zeros, flagged degenerate by xa_map_inspect; values that are not finite are
 * kept and flagged.
 *
 * Notation: S the scalar score of the target class, x the network's input [H,W,C] after
 * preprocessing (the chain factor of preprocessing is not included), A the layer's activation
 * [h,w,K], g = dS/dA.
 */
#ifndef XAUDIT_EXPLAIN_H
#define XAUDIT_EXPLAIN_H

#include "xaudit/explain_ask.h"
#include "xaudit/model.h"

/* ---- score and target ------------------------------------------------------------------------ */

#define XA_SCORE_LIST(X) X(LOGIT, "logit") X(PROB, "prob") X(LOGPROB, "logprob") X(FINER, "finer")
typedef enum xa_score {
#define X(name, text) XA_SCORE_##name,
    XA_SCORE_LIST(X)
#undef X
        XA_SCORE_COUNT
} xa_score;
int xa_score_parse(const char *name); /* -1 when unknown */
const char *xa_score_name(xa_score s);

/* What a map explains. PREDICTED and CLASS give one map per sample, LABEL one per label, ANNOTATED
 * one per annotated class, TOP one for each of the classes with the highest scores, the highest
 * first. DIFFERENCE explains a class's score minus another's, UNIT an output of a model whose
 * outputs are no classes; the target of their rows is the first class, and the output. NONE gives
 * one map per sample that explains no class, as attention without gradients does; the target of its
 * row is -1. */
#define XA_TARGET_LIST(X)       \
    X(PREDICTED, "predicted")   \
    X(LABEL, "label")           \
    X(ANNOTATED, "annotated")   \
    X(CLASS, "class")           \
    X(DIFFERENCE, "difference") \
    X(UNIT, "unit")             \
    X(TOP, "top")               \
    X(NONE, "none")
enum { XA_TOP_MOST = 100 }; /* classes of TOP */
typedef enum xa_target_rule {
#define X(name, text) XA_TARGET_##name,
    XA_TARGET_LIST(X)
#undef X
        XA_TARGET_COUNT
} xa_target_rule;
int xa_target_parse(const char *name);
const char *xa_target_name(xa_target_rule t);
/* Which of the n map rows of one sample is scored for a class. target[] holds the class that each
 * row explains, -1 if its map was not made or explains no class. It is the row that explains the
 * class; under a rule that explains the same whatever is annotated (predicted, class, difference,
 * unit, none) it is the row of that map. -1: no row: of TOP, the class is not among the best. */
int64_t xa_target_row(xa_target_rule rule, const int32_t *target, int64_t n, int32_t class_index);

/* The scalar S of a class c: its score; minus that of class `minus` if this is not -1; with the
 * other sign if `down`. */
typedef struct xa_scalar {
    xa_score score;
    bool as_tensorflow;
    int32_t minus; /* -1: nothing is subtracted */
    bool down;
} xa_scalar;
/* dS/d(node values) of one sample for target class `target`, seed [head->units]; z [units] are the
 * node's values. Softmax probabilities: p_c(delta_ck - p_k); with `as_tensorflow` in TensorFlow's
 * float32 form (g - sum(g p)) p, which loses the own-class term when p_c rounds to 1, otherwise
 * with 1 - p_c as the sum of the others. INVALID for a class or score the head does not have.
 *
 * FINER (Zhang et al.: Finer-CAM, CVPR 2025, alpha 1; softmax heads alone): S = sum_j p_j (z_c -
 * z_j) / (sum_j p_j + 1e-9), j the classes of xa_finer_nearest; p is differentiated through. */
XA_MUST_USE xa_status xa_score_seed(
    const xa_head *h, const xa_scalar *s, const float *z, int32_t target, float *seed, xa_err *err);

/* Those of the smallest |z_j - z_target|, of equal ones the first; -1 where the head has fewer. */
enum { XA_FINER_CLASSES = 3 };
void xa_finer_nearest(const xa_head *h,
                      const float *z,
                      int32_t target,
                      int32_t nearest[XA_FINER_CLASSES]);

/* S itself, in double: log p without the rounding of p. NaN for probabilities of a head that has
 * none, and for FINER. */
double xa_score_value(const xa_head *h, const xa_scalar *s, const float *z, int32_t target);

/* ---- what an explainer keeps beside its map -------------------------------------------------- */

/* What some kinds say beside their map; NaN: nothing. */
enum { XA_KEEPS_COMPLETENESS = 1, XA_KEEPS_PREFIX_MASS = 2 };
typedef struct xa_explain_facts {
    double completeness; /* sum of attributions less what it should be: score - base */
    double prefix_mass;  /* share of |values| on the tokens before the patches, which are skipped */
    double score, base;  /* S(x), and S where the attributions start from */
} xa_explain_facts;

/* What an explainer that asks ends with. */
typedef struct xa_explained {
    float *map;              /* as of `compute` */
    xa_explain_facts *facts; /* NaN before `finish` */
} xa_explained;

/* ---- explainers ------------------------------------------------------------------------------ */

/* X(ENUM, name, file). An explainer is a line here and a definition in src/explain/<file>.c. */
#define XA_EXPLAINER_LIST(X)                                              \
    X(SALIENCY, "saliency", saliency)                                     \
    X(GRADIENT, "gradient", gradient)                                     \
    X(GRADIENT_X_INPUT, "gradient_x_input", gradient_x_input)             \
    X(GRADCAM, "gradcam", gradcam)                                        \
    X(GRADCAM_PP, "gradcam++", gradcam_pp)                                \
    X(HIRESCAM, "hirescam", hirescam)                                     \
    X(LAYERCAM, "layercam", layercam)                                     \
    X(XGRADCAM, "xgradcam", xgradcam)                                     \
    X(EIGENCAM, "eigencam", eigencam)                                     \
    X(FEM, "fem", fem)                                                    \
    X(FULLGRAD, "fullgrad", fullgrad)                                     \
    X(ATTENTION, "attention", attention)                                  \
    X(ROLLOUT, "rollout", rollout)                                        \
    X(GRAD_ROLLOUT, "grad_rollout", grad_rollout)                         \
    X(RELEVANCE, "relevance", relevance)                                  \
    X(ATTENTION_GRADCAM, "attention_gradcam", attention_gradcam)          \
    X(GMAR, "gmar", gmar)                                                 \
    X(LEGRAD, "legrad", legrad)                                           \
    X(ATTCAT, "attcat", attcat)                                           \
    X(INTEGRATED_GRADIENTS, "integrated_gradients", integrated_gradients) \
    X(EXPECTED_GRADIENTS, "expected_gradients", expected_gradients)       \
    X(SMOOTHGRAD, "smoothgrad", smoothgrad)                               \
    X(RISE, "rise", rise)                                                 \
    X(OCCLUSION, "occlusion", occlusion)                                  \
    X(SCORECAM, "scorecam", scorecam)                                     \
    X(ABLATIONCAM, "ablationcam", ablationcam)
typedef enum xa_explainer_kind {
#define X(name, text, file) XA_EXPLAIN_##name,
    XA_EXPLAINER_LIST(X)
#undef X
        XA_EXPLAIN_COUNT
} xa_explainer_kind;

/* How input gradients become one channel. */
#define XA_REDUCE_LIST(X) X(MAX, "max") X(SUM, "sum") X(MEAN, "mean") X(L2, "l2") X(NONE, "none")
typedef enum xa_reduce {
#define X(name, text) XA_REDUCE_##name,
    XA_REDUCE_LIST(X)
#undef X
        XA_REDUCE_COUNT
} xa_reduce;
const char *xa_reduce_name(xa_reduce r);

/* How the heads of an attention layer become one matrix. NONE: one map per head, as channels. */
#define XA_FUSE_LIST(X) X(MEAN, "mean") X(MAX, "max") X(MIN, "min") X(NONE, "none")
typedef enum xa_fuse {
#define X(name, text) XA_FUSE_##name,
    XA_FUSE_LIST(X)
#undef X
        XA_FUSE_COUNT
} xa_fuse;
const char *xa_fuse_name(xa_fuse f);

/* Points and weights of a path. */
#define XA_QUADRATURE_LIST(X) X(MIDDLE, "middle") X(TRAPEZOID, "trapezoid") X(GAUSS, "gauss")
typedef enum xa_quadrature {
#define X(name, text) XA_QUADRATURE_##name,
    XA_QUADRATURE_LIST(X)
#undef X
        XA_QUADRATURE_COUNT
} xa_quadrature;

/* What noisy gradients become. */
#define XA_STATISTIC_LIST(X) X(MEAN, "mean") X(SQUARED, "squared") X(VARIANCE, "variance")
typedef enum xa_statistic {
#define X(name, text) XA_STATISTIC_##name,
    XA_STATISTIC_LIST(X)
#undef X
        XA_STATISTIC_COUNT
} xa_statistic;

enum { XA_EXPLAIN_LAYERS = 16 }; /* by name in one explainer */
typedef struct xa_explainer_spec {
    xa_explainer_kind kind;
    char name[64];  /* in the archive; unique in its model */
    char title[64]; /* for people: figures, charts, reports; "": made of kind and settings */
    xa_score score;
    bool as_tensorflow; /* see xa_score_seed */
    xa_target_rule target;
    int32_t target_class; /* CLASS, DIFFERENCE; the output of UNIT; else -1 */
    int32_t target_minus; /* DIFFERENCE: the class whose score is subtracted; else -1 */
    int32_t top;          /* TOP: how many classes, 1 to XA_TOP_MOST; else 0 */
    bool down;            /* what lowers the score is explained: S has the other sign */
    char layer[256];      /* "auto" or a layer path (CAM kinds) or attention layer (ATTENTION,
                             ATTENTION_GRADCAM: xa_model_find_attention); else "" */
    char layers[XA_EXPLAIN_LAYERS][256]; /* LAYERCAM: instead of `layer`, several */
    int nlayers;                         /* how many; 0: `layer` */
    bool join_mean;                      /* of several layers: their mean, else the maximum */
    xa_reduce channels;                  /* input-gradient kinds */
    bool absolute;                       /* input-gradient kinds: |.| before the reduction */
    bool relu;                           /* CAM kinds: max(0, .) of the map */
    xa_fuse heads;                       /* attention kinds; NONE: ATTENTION, ATTENTION_GRADCAM */
    bool norm_l2;                        /* GMAR: the norm of a head's gradients, else l1 */
    xa_probe_pool pool;                  /* LEGRAD */
    int start;      /* of a product over attention layers: the first, 0 nearest the input */
    double discard; /* ROLLOUT, GRAD_ROLLOUT: share of each fused matrix's entries, the lowest
                       ones, that are set to 0; [0,1) */
    bool vit_keras; /* ROLLOUT: as vit-keras' attention_map: each layer divided by the sum of the
                       whole matrix, the result by its maximum */
    int steps;      /* INTEGRATED_GRADIENTS: points of the path */
    xa_quadrature quadrature;
    xa_base_kind baseline;  /* INTEGRATED_GRADIENTS, OCCLUSION */
    int draws;              /* EXPECTED_GRADIENTS, SMOOTHGRAD, RISE */
    double sigma;           /* SMOOTHGRAD: of the noise, as a share of max x - min x */
    xa_statistic statistic; /* SMOOTHGRAD */
    int cells;              /* RISE: cells along a side; OCCLUSION: a window is a cells-th of it */
    int top_channels;       /* SCORECAM, ABLATIONCAM: at most so many channels; 0: all */
    xa_rules backward;      /* input-gradient kinds: what takes the gradient's place */
    bool half;              /* stored as f16 with a power-of-two scale per row */
    bool has_input;         /* another way to the input than its model's: same size and fit */
    xa_input_spec input;
} xa_explainer_spec;
/* The kind's defaults: score logit, target predicted (kinds without gradients: none), saliency: max
 * of |.|, gradient: none, signed, CAMs: relu, layer auto; heads mean, all layers, nothing
 * discarded; f32; 32 points of a path in the middle of their steps, noise of 0.15, at most 64
 * channels. The name is left empty. */
xa_explainer_spec xa_explainer_defaults(xa_explainer_kind kind);
/* X(ENUM, key): the settings that only some explainers have, by their keys in a job. */
#define XA_EXPLAINER_SETTING_LIST(X) \
    X(SCORE, "score")                \
    X(TARGET, "target")              \
    X(DIRECTION, "direction")        \
    X(LAYER, "layer")                \
    X(HEADS, "heads")                \
    X(START_LAYER, "start_layer")    \
    X(DISCARD, "discard")            \
    X(RELU, "relu")                  \
    X(CHANNELS, "channels")          \
    X(ABSOLUTE, "absolute")          \
    X(STEPS, "steps")                \
    X(QUADRATURE, "quadrature")      \
    X(BASELINE, "baseline")          \
    X(DRAWS, "draws")                \
    X(SIGMA, "sigma")                \
    X(STATISTIC, "statistic")        \
    X(CELLS, "cells")                \
    X(TOP_CHANNELS, "top_channels")  \
    X(NORM, "norm")                  \
    X(POOL, "pool")                  \
    X(LAYERS, "layers")              \
    X(FUSE, "fuse")                  \
    X(BACKWARD, "backward")
typedef enum xa_explainer_setting {
#define X(name, key) XA_EXPLAINER_##name,
    XA_EXPLAINER_SETTING_LIST(X)
#undef X
        XA_EXPLAINER_SETTING_COUNT
} xa_explainer_setting;
const char *xa_explainer_setting_key(xa_explainer_setting s);
/* Does the setting move this explainer's maps? A job that gives it to another is mistaken. */
bool xa_explainer_has(xa_explainer_kind k, xa_explainer_setting s);
/* May its maps hold values below 0? */
bool xa_explainer_is_signed(const xa_explainer_spec *s);
/* What the rows of a sample explain, in words for attributes and checks: "predicted", "class 3",
 * "class 3 minus class 5", "unit 2", "the 3 best classes", with "down" "..., downwards". */
void xa_explainer_target_text(const xa_explainer_spec *s, char *out, size_t size);
/* What it asks the model about besides the image: "25 gradients under noise of 0.15 of the image's
 * range, their mean"; "" of explainers that do not ask. At most 120 bytes. */
void xa_explainer_asked_text(const xa_explainer_spec *s, char *out, size_t size);
/* The setting that says how often; NULL of explainers that do not ask. */
const char *xa_explainer_cost_key(xa_explainer_kind k);
/* "gradcam.label", "saliency.predicted.prob", "gradcam.class3-class5", "gradcam.top3",
 * "gradcam.unit2.down", "gradcam.label.add_11", "rollout": kind, target unless none, direction
 * unless up, score unless logit, last part of the layer unless auto; vit_keras is
 * "attention_map". Characters that an archive name may not have become '_'. */
void xa_explainer_default_name(const xa_explainer_spec *s, char *out, size_t size);

enum {
    XA_NEEDS_INPUT = 1,
    XA_NEEDS_INPUT_GRADIENT = 2,
    XA_NEEDS_LAYER = 4,               /* A */
    XA_NEEDS_ATTENTION = 8,           /* probabilities, in the forward pass */
    XA_NEEDS_ATTENTION_GRADIENT = 16, /* probabilities and dS/dP, in the backward pass */
    XA_NEEDS_LAYER_GRADIENT = 32,     /* g */
    XA_NEEDS_BLOCKS = 64,  /* the tokens that each block of a transformer is given, and gradients */
    XA_NEEDS_PROBES = 128, /* attention gradients of the head on the block (xa_model_add_probes) */
    XA_NEEDS_CONSTANTS = 256 /* what operators add, and the gradients at their outputs */
};

/* What an attention explainer observes. */
typedef struct xa_attention_site {
    const xa_tokens *tokens;
    int layer; /* the one of ATTENTION and ATTENTION_GRADCAM */
} xa_attention_site;

/* A layer of a kind that looks at several: [h,w,K], tokens [T,D], an operator's output. */
typedef struct xa_explain_layer {
    xa_shape shape;
    const float *value, *gradient;
    const float *constants; /* CONSTANTS: [channels] that it adds */
} xa_explain_layer;

/* One sample; pointers not needed by the kind are NULL. */
struct xa_explain_view {
    xa_shape input_shape;        /* [H,W,C] */
    const float *input;          /* x */
    const float *input_gradient; /* dS/dx */
    xa_shape layer_shape;        /* [h,w,K] */
    const float *layer_value;    /* A */
    int64_t layer_skip;          /* values of the whole layer before A, as tokens before patches */
    const float *layer_gradient; /* g */
    int nlayers;                 /* kinds that look at several, from the input on */
    const xa_explain_layer *layers;
    double score; /* S, where a kind keeps completeness */
    xa_attention_site attention;
    void *state;             /* attention kinds: what `observe` gathered of this sample */
    xa_explain_facts *facts; /* kinds that keep any: NaN before `compute` */
    void *work;              /* kinds with work_bytes: scratch of that size, 64-byte aligned */
};

typedef struct xa_explainer_def {
    const char *name;
    const char *reference; /* the paper, for attributes and methods texts */
    unsigned needs;
    unsigned settings;  /* bits 1 << xa_explainer_setting beyond those that `needs` brings */
    unsigned keeps;     /* XA_KEEPS_.. */
    xa_reduce channels; /* defaults of the settings of these names */
    bool absolute;
    xa_score score; /* and further defaults, of explainers that ask */
    int draws, cells;
    xa_base_kind baseline;
    bool needs_references;
    bool is_signed; /* its maps may hold values below 0, whatever the settings but relu */
    /* How a map is made: from one pass, or from answers; the other is NULL. */
    void (*compute)(const xa_explainer_spec *spec, const xa_explain_view *v, float *map);
    const xa_consumer *consumer;
    /* Scratch of `compute`, from the shapes of a view; NULL: none. */
    size_t (*work_bytes)(const xa_explainer_spec *spec, const xa_explain_view *v);
    /* Attention kinds. State of one sample, 64-byte aligned, zeroed before the observed pass.
     * observe is called once for every head of every attention layer: from the input on for forward
     * kinds, from the head back for gradient kinds. */
    size_t (*state_bytes)(const xa_explainer_spec *spec, const xa_attention_site *site);
    void (*observe)(const xa_explainer_spec *spec,
                    const xa_attention_site *site,
                    void *state,
                    int layer,
                    const xa_attention_view *v);
} xa_explainer_def;
const xa_explainer_def *xa_explainer_get(xa_explainer_kind kind);
/* Does it explain the score of a class, and so cost a backward pass? */
bool xa_explainer_differentiates(xa_explainer_kind kind);

/* The grid of a layer: [h,w,K] as it is, or tokens [T,K] over a patch grid (tokens may be NULL), of
 * which *skip values before the first patch are left out. False: the layer has no grid. */
bool xa_explain_grid(const xa_shape *layer, const xa_tokens *tokens, xa_shape *grid, int64_t *skip);
/* Shape [c,h,w] of the maps: the layer's grid, the patch grid, or the input's size. SHAPE if the
 * layer has no grid or the model no patches. */
XA_MUST_USE xa_status xa_explain_shape(const xa_explainer_spec *spec,
                                       const xa_shape *input,
                                       const xa_shape *layer,
                                       const xa_tokens *tokens,
                                       xa_shape *out,
                                       xa_err *err);

/* ---- maps ------------------------------------------------------------------------------------ */

enum { XA_MAP_FLAG_DEGENERATE = 1, XA_MAP_FLAG_NONFINITE = 2, XA_MAP_FLAG_SATURATED = 4 };
typedef struct xa_map_facts {
    uint8_t flags;
    float maximum;  /* largest finite value; NaN if there is none */
    int64_t argmax; /* y*w + x of the first largest finite value in row-major order (several
                       channels: of the largest |value| over them); -1 for a degenerate map */
} xa_map_facts;
/* map [c,h,w]. Degenerate: no finite value differs from 0. */
xa_map_facts xa_map_inspect(const float *map, const xa_shape *shape);

/* f16 storage: values = map/scale, scale the power of two that brings the largest finite |value|
 * into [2^14, 2^15): raw gradients underflow half floats otherwise. 1 for an all-zero map. */
float xa_map_encode_half(const float *map, int64_t n, uint16_t *values);

#endif
