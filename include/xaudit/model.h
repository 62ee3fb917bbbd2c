/* model: a trained classifier from its file: graph, layers, weights on demand, preprocessing, head.
 *
 * Opening reads the architecture and the weights' places, not their values: `xaudit check` costs
 * milliseconds, and weights are read once, into memory the caller gives (xa_plan_pack).
 *
 * A file's first bytes choose its loader (XA__MODEL_FORMAT_LIST in src/model).
 *
 * Keras .h5 / .hdf5: whole-model files of Keras 2.0 to 2.15 (tf.keras) and Keras 3, sequential,
 * functional and nested, and weights-only files with the model's JSON beside them. Unknown layers
 * are errors that name them; a Lambda is never executed.
 *
 * safetensors: vision transformers with timm's names (ViT, DeiT; what names and shapes do not tell
 * comes from config.json beside it, or `architecture`) and with those of Hugging Face's
 * transformers (ViT, DeiT; config.json needed).
 *
 * Layers are addressed by their Keras name; layers of a nested model as `outer/inner` (any depth);
 * a nested model's own name is its output. A layer with an activation argument is its activated
 * output.
 */
#ifndef XAUDIT_MODEL_H
#define XAUDIT_MODEL_H

#include "xaudit/image.h"
#include "xaudit/nn.h"

/* ---- head ------------------------------------------------------------------------------------ */

typedef enum xa_head_kind {
    XA_HEAD_SOFTMAX,
    XA_HEAD_BINARY,     /* one sigmoid unit z: classes 0 and 1, logits (-z, z), probs (1-p, p) */
    XA_HEAD_MULTILABEL, /* C sigmoid units */
    XA_HEAD_LINEAR,     /* no activation in the file and no `head:` that says what the scores mean:
                           nothing is explained with it. Archives of before 1.1: probs are the scores */
    XA_HEAD_NONE        /* plain scores that stay so, `head: none`: probs are NaN */
} xa_head_kind;
/* "softmax", "sigmoid", "multilabel", "linear", "none" */
const char *xa_head_name(xa_head_kind k);
int xa_head_parse(const char *name); /* -1 when unknown */

typedef struct xa_head {
    xa_head_kind kind;
    int node;        /* graph node of the scores before the last activation */
    int64_t units;   /* extent of that node */
    int64_t classes; /* 2 for BINARY, else units */
} xa_head;

/* One sample: node values z [units] to logits [classes] and probs [classes] (float64 inside). */
void xa_head_apply(const xa_head *h, const float *z, float *logits, float *probs);
/* Predicted class: argmax of the probabilities (first of equals), of the scores where there are
 * none; BINARY: p >= 0.5. -1 when a value is not finite. */
int32_t xa_head_predict(const xa_head *h, const float *logits, const float *probs);

/* ---- model ----------------------------------------------------------------------------------- */

typedef struct xa_layer {
    char *path; /* "xception/block14_sepconv2_act" */
    char *type; /* Keras class name: "SeparableConv2D" */
    int node;   /* its output in the graph */
    xa_shape shape;
    int64_t parameters; /* of the layer itself, nested models: of all inside */
    int depth;          /* 0: top level */
    bool is_activation; /* an activation layer, or a layer with an activation argument not linear */
} xa_layer;

typedef struct xa_model xa_model;

typedef struct xa_model_options {
    int64_t height, width;    /* 0: the file's own */
    const char *head;         /* NULL: from the file; else softmax | sigmoid | multilabel | none */
    const char *user_classes; /* Keras: users' classes and activations that compute what Keras' own
                                 of that name do, as errors name them ("my>Conv2D"), one a line */
    const char *architecture; /* JSON of a weights-only file; NULL: `<file stem>.json`, then
                                 `model.json` beside it */
    size_t max_config_bytes;  /* default 64 MiB */
    bool interpolate_positions; /* transformers: bring the position embedding to the grid of another
                                   size as the source library does; else such a size is refused */
    xa_numerics numerics;       /* of its graph */
    bool any_output;            /* the model need not be a classifier: no head is looked for */
} xa_model_options;
xa_model_options xa_model_defaults(void);

/* Whether a loader knows the file by its first bytes: it may still be no model. */
bool xa_model_recognises(const char *path);
/* For what no loader recognises: an error that says what the file or folder is and how its model
 * can be brought here, where it is known (ONNX, PyTorch, SavedModel, TensorFlow Lite, a folder,
 * ...); OK if it is none of these. */
XA_MUST_USE xa_status xa_model_foreign(const char *path, xa_err *err);
/* Errors name file, layer, what was expected and what was found. */
XA_MUST_USE xa_status xa_model_open(const char *file,
                                    const xa_model_options *opt,
                                    xa_model **out,
                                    xa_err *err);
void xa_model_free(xa_model *m);

const xa_graph *xa_model_graph(const xa_model *m);
int xa_model_output(const xa_model *m); /* node of the model's output, last activation included */
const xa_head *xa_model_head(const xa_model *m);
/* A sentence for a LINEAR head: what the last layer is, and what to write in the job. */
const char *xa_model_plain_scores(const xa_model *m, char *text, size_t size);
const char *xa_model_file(const xa_model *m);
const char *xa_model_sha256(const xa_model *m); /* of the file's bytes; computed once when asked */
/* Of the JSON beside the file, or the options' architecture, where one was read; else "". */
const char *xa_model_config_sha256(const xa_model *m);
/* "Keras 2.15.0 (tensorflow), functional" */
const char *xa_model_origin(const xa_model *m);
/* What neither the file nor its configuration tells and the loader took for granted, a text each
 * that follows the word "assumed": "12 heads, each 64 wide (width 768); ...". Commands print them
 * once. None where the file says all that moves a number. */
int xa_model_assumptions(const xa_model *m);
const char *xa_model_assumption(const xa_model *m, int i);
/* Input of the graph: [H,W,C]; and what the file says: 0 where it leaves it open. */
xa_shape xa_model_input(const xa_model *m);
xa_shape xa_model_file_input(const xa_model *m);
/* The graph scales its input itself (Rescaling, Normalization, arithmetic right after the input):
 * name of that layer, or NULL. */
const char *xa_model_own_scaling(const xa_model *m);

int xa_model_layers(const xa_model *m);
const xa_layer *xa_model_layer(const xa_model *m, int i);
/* By path; NOT_FOUND suggests near names. A bare inner name is accepted when it is unique. */
XA_MUST_USE xa_status xa_model_find_layer(const xa_model *m,
                                          const char *path,
                                          const xa_layer **out,
                                          xa_err *err);
/* `auto` for Grad-CAM: the last activation with h*w > 1 before the first global pool or Flatten on
 * the way to the head; without one, the last such layer of any kind (add, conv); a trailing
 * max-pool is skipped. A 1x1 grid is an error. */
XA_MUST_USE xa_status xa_model_gradcam_layer(const xa_model *m, const xa_layer **out, xa_err *err);

/* ---- tokens: vision transformers ------------------------------------------------------------- */

/* How the tokens of a vision transformer lie: `prefix` tokens that are no patches (class,
 * distillation, registers), then the patches in row-major order (y, then x). */
typedef struct xa_tokens {
    int64_t prefix;
    int64_t height, width; /* patch grid; prefix + height*width tokens */
    int64_t query;         /* the token the head reads; -1: the mean over the patches */
    int64_t heads;         /* of every attention layer; 0 if they differ */
    int nlayers;           /* attention layers on the way to the head, input side first */
} xa_tokens;
/* NULL if the model has no attention over a patch grid. */
const xa_tokens *xa_model_tokens(const xa_model *m);
/* ATTENTION node of attention layer i, 0 <= i < nlayers. Its name in the graph is its layer's. */
int xa_model_attention(const xa_model *m, int i);
/* "auto" (the last), a number (0: nearest the input, -1: the last) or a name of the graph;
 * NOT_FOUND says which there are. */
XA_MUST_USE xa_status xa_model_find_attention(const xa_model *m,
                                              const char *which,
                                              int *index,
                                              xa_err *err);

/* Reader for xa_plan_pack; opens the file at the first call and keeps it open until
 * xa_model_close_file. */
xa_weight_reader xa_model_reader(xa_model *m);
void xa_model_close_file(xa_model *m);

/* ---- preprocessing --------------------------------------------------------------------------- */

typedef enum xa_scale_kind {
    XA_SCALE_NONE,  /* 0..255 */
    XA_SCALE_UNIT,  /* x/255 */
    XA_SCALE_TF,    /* x/127.5 - 1 */
    XA_SCALE_CAFFE, /* BGR, minus (103.939, 116.779, 123.68) */
    XA_SCALE_TORCH, /* (x/255 - (0.485,0.456,0.406)) / (0.229,0.224,0.225) */
    XA_SCALE_CUSTOM /* (x/div - mean[c]) / std[c] */
} xa_scale_kind;
int xa_scale_parse(const char *name); /* none unit tf caffe torch; -1 when unknown */
const char *xa_scale_name(xa_scale_kind k);

enum { XA_SCALE_CHANNELS = 64 };
typedef struct xa_scale {
    xa_scale_kind kind;
    double div;
    int channels; /* values given in mean and std: 1 (all channels) or the model's */
    double mean[XA_SCALE_CHANNELS], std[XA_SCALE_CHANNELS];
} xa_scale;

/* From a decoded image to the network's input; nothing has a silent default. */
typedef struct xa_input_spec {
    int64_t height, width;
    xa_resample resize;
    xa_fit fit;
    xa_scale scale;
    xa_depth depth;
    /* The model was trained by a loader that ignores the EXIF orientation: whoever decodes its
     * images does as well, and the stored frame is that of the file's pixels as they lie. */
    bool ignore_orientation;
} xa_input_spec;

/* dst [height, width, channels] f32, caller's; affine as xa_image_fit. Depth, channels, fit, scale
 * in that order. Works on a private copy; `im` is left alone. */
XA_MUST_USE xa_status xa_preprocess(const xa_image *im,
                                    const xa_input_spec *spec,
                                    int channels,
                                    float *dst,
                                    double affine[2][3],
                                    xa_err *err);
/* d(network input)/d(pixel in 0..255): the chain factor of `scale` for channel c (documented beside
 * raw saliency: it is NOT included in stored gradients). */
double xa_scale_factor(const xa_scale *s, int c);

#endif
