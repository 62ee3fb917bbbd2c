/* model: a trained classifier from its file: graph, layers, weights on demand, preprocessing, head.
 *
 * Opening a model reads its architecture and where its weights lie, not their values, so that
 * `xaudit check` takes milliseconds. Weights are read once, into the caller's memory
 * (xa_plan_pack).
 *
 * A file's first bytes choose its loader (XA__MODEL_FORMAT_LIST in src/model).
 *
 * Keras, .h5, .hdf5 and .keras: whole models of Keras 2.0 to 2.15 (tf.keras) and Keras 3,
 * sequential, functional and nested, and weights-only files with the model's JSON beside them. An
 * unknown layer is an error that names it; a Lambda is never executed.
 *
 * safetensors: vision transformers (ViT, DeiT) with timm's names, whose config.json beside the
 * file, or `architecture`, says what names and shapes do not; and with the names of Hugging Face's
 * transformers, which need their config.json.
 *
 * ONNX: what torch.onnx.export writes, by both exporters, weights in the file or beside it; batch,
 * and where the graph allows it height and width, need not be those of the export. Operators that
 * are not read are refused, all of them in one message. Layers have the paths of PyTorch's modules
 * ("layer4.2.conv3", "layer4"; a convolution that a normalisation was folded into is both); names
 * of values and nodes are found as well.
 *
 * A layer is addressed by its Keras name, a layer of a nested model by `outer/inner`, to any depth.
 * The name of a nested model means its output, the name of a layer with an activation argument its
 * activated output.
 */
#ifndef XAUDIT_MODEL_H
#define XAUDIT_MODEL_H

#include "xaudit/image.h"
#include "xaudit/nn.h"

/* ---- head ------------------------------------------------------------------------------------ */

typedef enum xa_head_kind {
    XA_HEAD_SOFTMAX,
    XA_HEAD_BINARY,     /* one sigmoid unit z: two classes, logits (-z, z), probs (1-p, p) */
    XA_HEAD_MULTILABEL, /* C sigmoid units */
    XA_HEAD_LINEAR, /* the file has no activation, and no `head:` says what the scores mean: such a
                       model is not explained. In archives of xaudit 1.0, probs are the scores */
    XA_HEAD_NONE,   /* `head: none`: scores without probabilities; probs are NaN */
    XA_HEAD_REGRESSION /* `head: regression`: outputs that are no classes, in `logits`; probs are
                          NaN, and no class is predicted (-1) */
} xa_head_kind;
/* "softmax", "sigmoid", "multilabel", "linear", "none", "regression" */
const char *xa_head_name(xa_head_kind k);
int xa_head_parse(const char *name); /* -1 when unknown */
/* Whether probabilities are made of the scores. */
static inline bool xa_head_has_probs(xa_head_kind k)
{
    return k != XA_HEAD_NONE && k != XA_HEAD_REGRESSION;
}

typedef struct xa_head {
    xa_head_kind kind;
    int node;        /* graph node of the scores before the last activation */
    int64_t units;   /* extent of that node */
    int64_t classes; /* 2 for BINARY, else units */
} xa_head;

/* For one sample: values of the node, z [units], to logits [classes] and probs [classes], computed
 * in float64. */
void xa_head_apply(const xa_head *h, const float *z, float *logits, float *probs);
/* The predicted class: argmax of the probabilities, or of the scores if there are no probabilities;
 * of equal ones the first; BINARY: class 1 if p >= 0.5. -1 if a value is not finite, and of
 * REGRESSION. */
int32_t xa_head_predict(const xa_head *h, const float *logits, const float *probs);

/* ---- model ----------------------------------------------------------------------------------- */

typedef struct xa_layer {
    char *path; /* "xception/block14_sepconv2_act" */
    char *type; /* Keras class name: "SeparableConv2D" */
    int node;   /* its output in the graph */
    xa_shape shape;
    int64_t parameters; /* of the layer; for a nested model, of all its layers */
    int depth;          /* 0: top level */
    bool is_activation; /* an activation layer, or a layer with an activation other than linear */
    bool alias;         /* another name of what is listed already: found, not listed */
} xa_layer;

typedef struct xa_model xa_model;

/* An input of the model beside the image that is the same for every image (ONNX). */
typedef struct xa_model_constant {
    char *name;
    char *file; /* its values, a .npy of the input's shape; NULL: all of them are `value` */
    double value;
} xa_model_constant;

typedef struct xa_model_options {
    int64_t height, width;    /* of the input; 0: as the file says */
    const char *head;         /* softmax, sigmoid, multilabel, none or regression; NULL: as the file
                                 says */
    const char *user_classes; /* Keras: classes and activations of users that compute what Keras'
                                 own ones of that name do; one per line, as errors name them:
                                 "my>Conv2D" */
    const char *output;       /* the output that is explained, of a model with several: ONNX by the
                                 value's name, Keras by the layer's; NULL: the only one */
    xa_model_constant *constants; /* [nconstants] owned by whoever owns the options */
    int nconstants;
    const char *architecture; /* the JSON of a weights-only file; NULL: `<file stem>.json` beside
                                 it, or else `model.json` */
    size_t max_config_bytes;  /* default 64 MiB */
    bool
        interpolate_positions; /* transformers: for an input of another size, the position embedding
                                  is interpolated as the source library does; else it is refused */
    xa_numerics numerics;      /* of the model's graph */
    bool any_output;           /* the model need not be a classifier; it then has no head */
    bool look; /* what the options leave open is taken, and told as an assumption: inputs beside the
                  image are 0, of several outputs the first with a row of scores (ONNX) */
} xa_model_options;
xa_model_options xa_model_defaults(void);

/* Does a loader recognise the file by its name and first bytes? Opening may still fail. */
bool xa_model_recognises(const char *path);
/* For a path that no loader recognises: an error that says what the file or folder is (PyTorch,
 * SavedModel, TensorFlow Lite, a folder, ...) and how to convert its model; OK if it is nothing
 * known. */
XA_MUST_USE xa_status xa_model_foreign(const char *path, xa_err *err);
/* The notes of an exporter in an ONNX file, as JSON: how an image comes to the model's input, as a
 * job's `input` says it, and its classes' names, a list. */
#define XA_NOTE_INPUT "xaudit.input"
#define XA_NOTE_CLASSES "xaudit.classes"
/* What a model's file notes under a key, the caller's to free; NULL: nothing, as files of other
 * formats do. NOT_FOUND, IO, FORMAT, NOMEM. */
XA_MUST_USE xa_status xa_model_metadata(const char *file, const char *key, char **out, xa_err *err);
/* Errors name the file, the layer, what was expected and what was found: NOT_FOUND, IO, FORMAT,
 * UNSUPPORTED, INVALID, SHAPE, MISMATCH, LIMIT, NOMEM. Free *out with xa_model_free. */
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
const char *
xa_model_sha256(const xa_model *m); /* of the file's bytes; computed at the first call */
/* SHA-256 of the JSON that was read, beside the file or as the options' architecture, or of the
 * files beside it that hold its weights (ONNX); "" if there is none, NULL if one of them cannot be
 * read any more. */
const char *xa_model_config_sha256(const xa_model *m);
/* "Keras 2.15.0 (tensorflow), functional" */
const char *xa_model_origin(const xa_model *m);
/* What the loader assumed because neither the file nor its configuration says it. Each text follows
 * the word "assumed": "12 heads, each 64 wide (width 768); ...". Commands print each once. There
 * are none where the file says all that a number depends on. */
int xa_model_assumptions(const xa_model *m);
const char *xa_model_assumption(const xa_model *m, int i);
/* The input of the graph, [height,width,channels]; and that of the file, with 0 for extents that it
 * leaves open. */
xa_shape xa_model_input(const xa_model *m);
xa_shape xa_model_file_input(const xa_model *m);
/* The name of the layer with which the graph scales its input itself (Rescaling, Normalization,
 * arithmetic right after the input); NULL if it does not. */
const char *xa_model_own_scaling(const xa_model *m);

int xa_model_layers(const xa_model *m);
const xa_layer *xa_model_layer(const xa_model *m, int i);
/* A layer by its path; NOT_FOUND suggests near names. The name alone of a nested layer is accepted
 * if it is unique. */
XA_MUST_USE xa_status xa_model_find_layer(const xa_model *m,
                                          const char *path,
                                          const xa_layer **out,
                                          xa_err *err);
/* The layer that `auto` means for Grad-CAM: the last activation with h*w > 1 before the first
 * global pool or Flatten on the way to the head; if there is none, the last such layer of any kind
 * (add, conv). A max-pool at the end is skipped. A 1x1 grid is an error. */
XA_MUST_USE xa_status xa_model_gradcam_layer(const xa_model *m, const xa_layer **out, xa_err *err);

/* ---- tokens: vision transformers ------------------------------------------------------------- */

/* The order of a vision transformer's tokens: first `prefix` tokens that are no patches (class,
 * distillation, registers), then the patches in row-major order (y, then x). */
typedef struct xa_tokens {
    int64_t prefix;
    int64_t height, width; /* of the patch grid: there are prefix + height*width tokens */
    int64_t query;         /* the token that the head reads; -1: the mean over the patches */
    int64_t heads;         /* of each attention layer; 0 if they differ */
    int nlayers;           /* attention layers on the way to the head, from the input on */
} xa_tokens;
/* NULL if attention maps are not defined for the model. */
const xa_tokens *xa_model_tokens(const xa_model *m);
/* Why they are not: a sentence (no attention, windows, other forms of attention, ...); else NULL.
 */
const char *xa_model_no_tokens(const xa_model *m);
/* The ATTENTION node of attention layer i, 0 <= i < nlayers; its name in the graph is its layer's.
 */
int xa_model_attention(const xa_model *m, int i);
/* An attention layer by "auto" (the last), a number (0: the first after the input, -1: the last) or
 * its name; NOT_FOUND lists them. */
XA_MUST_USE xa_status xa_model_find_attention(const xa_model *m,
                                              const char *which,
                                              int *index,
                                              xa_err *err);

/* The blocks of a transformer that adds its attention to what it is made of: boundary [nlayers +
 * 1], the nodes [T,D] where blocks begin, and where the last one ends. UNSUPPORTED: it is built
 * otherwise.
 */
XA_MUST_USE xa_status xa_model_blocks(const xa_model *m, int *boundary, xa_err *err);
/* What a head makes of the tokens of a block: what it makes of the last one's, or its norm and
 * scores of their mean, those that are no patches included. */
#define XA_PROBE_POOL_LIST(X) X(HEAD, "head") X(MEAN, "mean")
typedef enum xa_probe_pool {
#define X(name, text) XA_PROBE_##name,
    XA_PROBE_POOL_LIST(X)
#undef X
        XA_PROBE_COUNT
} xa_probe_pool;
/* Adds to the graph the model's head on the output of every block, with the same weights: *scores
 * is the node of the scores before the last activation, [nlayers, units]; row l is of block l.
 * Before a plan is made. UNSUPPORTED: something stands between blocks and scores that cannot be
 * repeated. */
XA_MUST_USE xa_status
xa_model_add_probes(xa_model *m, const int *boundary, xa_probe_pool pool, int *scores, xa_err *err);

/* The reader that xa_plan_pack takes. It opens the file at its first call; xa_model_close_file
 * closes it. */
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
const char *xa_scale_name(xa_scale_kind k);

enum { XA_SCALE_CHANNELS = 64 };
typedef struct xa_scale {
    xa_scale_kind kind;
    double div;
    int channels; /* how many values mean and std have: 1 (for all channels), or the model's
                     channels */
    double mean[XA_SCALE_CHANNELS], std[XA_SCALE_CHANNELS];
} xa_scale;

/* From a decoded image to the network's input. No setting has a silent default. */
typedef struct xa_input_spec {
    int64_t height, width;
    xa_resample resize;
    xa_fit fit;
    xa_scale scale;
    xa_depth depth;
    /* The model was trained on images whose EXIF orientation was not applied: so its images are
     * decoded, and the stored frame is that of the file's pixels. */
    bool ignore_orientation;
} xa_input_spec;

/* Applies depth, channels, fit and scale, in this order, to a copy of `im`. dst: [height, width,
 * channels] f32, the caller's; affine as in xa_image_fit. */
XA_MUST_USE xa_status xa_preprocess(const xa_image *im,
                                    const xa_input_spec *spec,
                                    int channels,
                                    float *dst,
                                    double affine[2][3],
                                    xa_err *err);
/* d(network input)/d(pixel in 0..255) of channel c: what `scale` multiplies by. Stored gradients do
 * not include it; it is documented beside raw saliency. */
double xa_scale_factor(const xa_scale *s, int c);
/* The network's input for pixels 0 and 255: black, white [channels], as xa_preprocess makes them.
 */
void xa_scale_range(const xa_scale *s, int channels, float *black, float *white);

#endif
