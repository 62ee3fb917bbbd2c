/* What loaders share: a model while it is loaded, and the interface of a format. Private to model.
 */
#ifndef XAUDIT_MODEL_MODEL_INTERNAL_H
#define XAUDIT_MODEL_MODEL_INTERNAL_H

#include "xaudit/model.h"

/* What a loader keeps of its file; each loader defines its own. */
typedef struct xa__model_source xa__model_source;

/* A file format: each loader defines one, and has one word in XA__MODEL_FORMAT_LIST. */
typedef struct xa__model_format {
    const char *name;
    /* Does the file have this format, by its name or its first n bytes (at most XA__MODEL_START)?
     */
    bool (*recognises)(const char *path, const unsigned char *start, size_t n);
    /* m->format and m->path are set. Fills source, graph, output, input_shape, file_input, layers,
     * origin, own_scaling and query of m; xa_model_open finds head and tokens. On failure the
     * caller frees what was filled. */
    xa_status (*open)(xa_model *m, const xa_model_options *opt, xa_err *err);
    /* Reads the values of one weight, dst [xa_shape_count(&w->shape)]; opens the file if it is
     * closed. */
    xa_status (*read)(xa_model *m, const xa_weight *w, float *dst, xa_err *err);
    /* As read_columns of xa_weight_reader; NULL: weights are read as a whole. */
    xa_status (*read_columns)(xa_model *m,
                              const xa_weight *w,
                              int64_t first,
                              int64_t count,
                              float *dst,
                              bool *done,
                              xa_err *err);
    void (*close)(xa__model_source *s); /* closes the file, which read opens again; s may be NULL */
    void (*free)(xa__model_source *s);  /* s may be NULL */
    /* Of the files beside the model that hold its weights, "" if there are none; NULL: none ever.
     */
    xa_status (*hash_beside)(const xa__model_source *s, char hex[XA_SHA256_HEX], xa_err *err);
    /* What the file notes under a key, the caller's to free, NULL if nothing; NULL: files of the
     * format note nothing. */
    xa_status (*metadata)(const char *path, const char *key, char **out, xa_err *err);
    bool takes_constants, names_outputs; /* the options' `constants` and `output` */
} xa__model_format;

/* X(name): a loader has xa__model_format_<name> (keras_zip lies in keras_h5.c). The first that
 * recognises a file takes it. */
#define XA__MODEL_FORMAT_LIST(X) X(keras_h5) X(keras_zip) X(safetensors) X(onnx)
#define X(file) extern const xa__model_format xa__model_format_##file;
XA__MODEL_FORMAT_LIST(X)
#undef X
enum { XA__MODEL_START = 4096 };

struct xa_model {
    char *path;
    const xa__model_format *format;
    xa__model_source *source;
    xa_graph *graph;
    int output;
    xa_head head;
    xa_shape input_shape, file_input;
    xa_layer *layers;
    int nlayers;
    size_t layer_cap;
    char *own_scaling;
    char **assumption; /* [nassumptions] see xa_model_assumption */
    int nassumptions;
    size_t assumption_cap;
    char *origin;
    char sha256[XA_SHA256_HEX];
    char config_sha256[XA_SHA256_HEX]; /* set by loaders that read a file beside the weights */
    int64_t query;  /* the token that the head reads; -1: the mean of the patches; -2: not
                       recognised. Loaders of transformers set it, others leave it 0 */
    int64_t pooled; /* positions whose mean the head reads, where query is -1; 0: the patches */
    xa_tokens tokens;
    int *attention; /* [tokens.nlayers] ATTENTION nodes; NULL: attention maps are not defined for it
                     */
    char *no_tokens; /* why */
};

/* For loaders: adds a line to the layer table, with the node's shape. */
xa_status xa__model_add_layer(xa_model *m,
                              const char *path,
                              const char *type,
                              int node,
                              int64_t parameters,
                              int depth,
                              bool is_activation,
                              xa_err *err);
/* For loaders: notes what is assumed because the file does not say it (xa_model_assumption). The
 * text follows "assumed:", and says what to write if it is wrong. The same text is noted once. */
xa_status xa__model_assume(xa_model *m, xa_err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* npy.c: an array of numpy's, its values as numbers. */
enum { XA__NPY_DIMS = 8 };
typedef struct xa__npy {
    int ndim;
    int64_t dim[XA__NPY_DIMS], count;
    double *values; /* [count], the caller's to free */
} xa__npy;
/* A file of at most `most` bytes. NOT_FOUND, IO, LIMIT, FORMAT, UNSUPPORTED, NOMEM. */
XA_MUST_USE xa_status xa__npy_read(const char *path, size_t most, xa__npy *out, xa_err *err);
/* vit/positions.c: src [h,w,channels] to dst [oh,ow,channels], linear, so that corners stay
 * corners. */
void xa__positions_resize(
    const float *src, int64_t h, int64_t w, int64_t channels, float *dst, int64_t oh, int64_t ow);
/* tokens.c: finds the attention layers on the way to the output and their patch grid. */
xa_status xa__model_find_tokens(xa_model *m, xa_err *err);
/* sniff.c: is this one of several files with a model, by its name: "-00001-of-00002.safetensors"?
 */
bool xa__model_is_shard(const char *path);
/* sniff.c: an error that says what a file is that no format recognises. */
xa_status xa__model_sniff(const char *path, xa_err *err);

/* ---- transposed.c ---- */

/* One axis of a transposed convolution. */
typedef struct xa__transposed_axis {
    int64_t in, out, kernel, stride, dilation;
    int64_t before; /* padding: how much is taken off in front */
} xa__transposed_axis;
/* What GATHER takes along the axis so that a convolution by the kernel turned round, without
 * padding and of stride 1, gives `out`: list [out + (kernel-1)*dilation], -1 is zero. */
void xa__transposed_list(const xa__transposed_axis *a, float *list);

#endif
