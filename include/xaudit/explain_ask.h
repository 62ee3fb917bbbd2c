/* explain, asking the model again: baselines of the input, perturbed inputs, and what is made of
 * the answers. Used by explainers and by checks of faithfulness. Included by explain.h.
 *
 * Notation: x the network's input [H,W,C] f32 after preprocessing, x0 its baseline, S the scalar
 * score of the target class.
 */
#ifndef XAUDIT_EXPLAIN_ASK_H
#define XAUDIT_EXPLAIN_ASK_H

#include "xaudit/nn.h"

/* ---- baselines of the input ------------------------------------------------------------------ */

/* x0, what the input x [H,W,C] becomes when its content is taken away: the start of a path to x
 * (Sundararajan et al., Axiomatic Attribution for Deep Networks, ICML 2017), and what a removed
 * pixel is given (Sturmfels et al., Visualizing the Impact of Feature Attribution Baselines,
 * Distill 2020). All in the network's input, after preprocessing. X(ENUM, name, description) */
#define XA_BASE_LIST(X)                                                                      \
    X(BLACK, "black", "the input of a black pixel, 0 of 0..255")                             \
    X(ZERO, "zero", "0 in the network's input, which is grey where the scale is around 0")   \
    X(MEAN, "mean", "each channel's mean over the image")                                    \
    X(BLUR,                                                                                  \
      "blur",                                                                                \
      "the image under a Gaussian, sigma an eighth of its shorter side, cut at four sigma, " \
      "edges repeated")                                                                      \
    X(UNIFORM, "uniform", "independent values between the inputs of a black and a white pixel")
typedef enum xa_base_kind {
#define X(name, text, description) XA_BASE_##name,
    XA_BASE_LIST(X)
#undef X
        XA_BASE_COUNT
} xa_base_kind;
const char *xa_base_name(xa_base_kind k);
/* The purpose in the stream of UNIFORM's random numbers: purpose << 32 | draw. Element e of x0,
 * row-major, is that of counter e. */
enum { XA_BASE_PURPOSE = 3 };
/* Doubles of scratch that BLUR needs. */
size_t xa_base_scratch(const xa_shape *shape);
/* x0 of x, both f32 [H,W,C] and not the same. black, white: [C], the inputs of pixels 0 and 255
 * (xa_scale_range). seed, draw: UNIFORM; scratch: BLUR, may be NULL for the others. Values of x
 * that are not finite spread as far as the formula does. */
void xa_base_fill(xa_base_kind kind,
                  const xa_shape *shape,
                  const float *x,
                  const float *black,
                  const float *white,
                  uint64_t seed,
                  uint32_t draw,
                  double *scratch,
                  float *x0);

/* ---- asking the model again ------------------------------------------------------------------ */

/* Explainers and checks that need the model's answers about perturbed inputs x' of an image are
 * consumers. A consumer says how many answers it needs (asks), what it keeps (plan), makes each
 * input (fill), takes each answer (read), and has a map or scores at the end (finish). It neither
 * runs the engine nor knows files: the audit puts the inputs of any images and consumers together
 * into the batches of the model's plan (src/audit/README.md says how to add one).
 *
 * Of one image and target: plan once; for each draw 0, 1, .. fill and then read; finish once.
 * Answers come in the order of the draws whatever the batch, so that sums over them, in double,
 * are the same bytes everywhere. Consumers of one image whose recipes are equal share their inputs:
 * each is filled once, by one of them, passes the model once, and is read by all. */

/* Other images of the data set, as inputs of the network. */
typedef struct xa_subject xa_subject;
typedef struct xa_references {
    int64_t count;
    /* Input k, on the same way as the subject's; valid until as many others were read as a batch
     * has images. NULL: it cannot be read. */
    const float *(*read)(void *arg, const xa_subject *s, int64_t k);
    void *arg;
} xa_references;

/* An image on its way through the network. */
struct xa_subject {
    xa_shape shape;                  /* [H,W,C] of the network's input */
    const float *x;                  /* the image after preprocessing, [H,W,C] */
    const float *black, *white;      /* [C]: the inputs of pixels 0 and 255 (xa_scale_range) */
    uint64_t seed;                   /* of all that is drawn for it (xa_random_seed) */
    const xa_references *references; /* NULL: nobody needs any */
    int64_t self;                    /* which of them it is itself; -1: none */
};

/* What the model says of one input. */
typedef struct xa_reply {
    const float *z; /* [units] the head's scores */
    int64_t units;
    double score;          /* S, the consumer's score of its target (xa_score_value) */
    double prob;           /* the target's probability; NaN where the head has none */
    const float *gradient; /* dS/dx' [H,W,C] of a draw below `gradients`; else NULL */
} xa_reply;

/* How many answers: of draws 0..draws-1, of which those below `gradients` come with dS/dx'.
 * `at_layer`: inputs are values of the explainer's layer, and the network runs from there on; no
 * gradients then. A function of settings and shapes alone, so that costs are known before a run. */
typedef struct xa_asks {
    int64_t draws, gradients;
    bool at_layer;
} xa_asks;

/* Makes input `draw`: x [H,W,C], or the layer's whole value at_layer. */
typedef void xa_perturb(void *state, const xa_subject *s, int64_t draw, float *x);

/* Which inputs these are. Equal fill, key and layer, and own NULL in both: equal inputs, whose
 * states differ in nothing that fill reads. */
enum { XA_RECIPE_KEYS = 4 };
typedef struct xa_recipe {
    xa_perturb *fill;
    double key[XA_RECIPE_KEYS]; /* all that they depend on besides image and draw */
    const void *own;            /* not NULL: they depend on more, as a map; nobody shares them */
} xa_recipe;

typedef struct xa_explain_view xa_explain_view;
typedef struct xa_consumer {
    /* spec: the consumer's settings, an xa_explainer_spec of explainers; valid as long as the
     * state. layer: of the whole node; no dimensions where the consumer looks at none. */
    xa_asks (*asks)(const void *spec, const xa_shape *input, const xa_shape *layer);
    /* Of one image and target; 64-byte aligned, zeroed before plan. */
    size_t (*state_bytes)(const void *spec, const xa_shape *input, const xa_shape *layer);
    /* `clean` is the answer about x itself, without gradient. v has what `needs` of the explainer's
     * definition asks for, from the passes of x; NULL of checks. Both are gone afterwards. */
    void (*plan)(const void *spec,
                 const xa_subject *s,
                 const xa_reply *clean,
                 const xa_explain_view *v,
                 void *state,
                 xa_recipe *recipe);
    void (*read)(void *state, const xa_subject *s, int64_t draw, const xa_reply *a);
    /* result: xa_explained of explainers; of a check what its caller keeps. */
    void (*finish)(void *state, const xa_subject *s, void *result);
} xa_consumer;

#endif
