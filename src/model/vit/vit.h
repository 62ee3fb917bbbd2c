/* clang-format off */
/* Vision transformers from tensors: their parts by name, the graph, and the values. Private to model.
 *
 *   dialects.c  tensor names of timm and of Hugging Face's transformers: ViT, DeiT, DINOv2, CLIP, SigLIP
 *   parts.c     tensors by those names -> parts; shapes -> extents
 *   config.c    the JSON beside the weights: each key is understood or refused
 *   timm.c      timm's architectures by name
 *   settings.c  what names and shapes do not say: heads, epsilon, activation, block, pooling
 *   grid.c      the grid of patches, in the file and as the job wants it
 *   build.c     architecture -> graph and layer table: tokens and blocks; head.c what reads them
 *   pieces.c    parts -> weights as the operators want them
 *   safetensors_file.c, safetensors.c  the file, and the loader
 */
/* clang-format on */
#ifndef XAUDIT_MODEL_VIT_H
#define XAUDIT_MODEL_VIT_H

#include "model/model_internal.h"
#include "safetensors_file.h"

struct json_t; /* jansson's */

/* X(ENUM, once or per block) */
/* clang-format off */
#define XA__VIT_PARTS(X) \
    X(PATCH_W, 0) X(PATCH_B, 0) X(CLASS, 0) X(DISTILL, 0) X(REGISTERS, 0) X(POSITION, 0) \
    X(FRONT_NORM_W, 0) X(FRONT_NORM_B, 0) \
    X(NORM1_W, 1) X(NORM1_B, 1) X(QKV_W, 1) X(QKV_B, 1) X(Q_NORM_W, 1) X(Q_NORM_B, 1) \
    X(K_NORM_W, 1) X(K_NORM_B, 1) X(Q_W, 1) X(Q_B, 1) X(K_W, 1) X(K_B, 1) \
    X(V_W, 1) X(V_B, 1) X(PROJ_W, 1) X(PROJ_B, 1) X(SCALE1, 1) X(NORM2_W, 1) X(NORM2_B, 1) \
    X(GATE_W, 1) X(GATE_B, 1) X(GATE_UP_W, 1) X(GATE_UP_B, 1) \
    X(FC1_W, 1) X(FC1_B, 1) X(FC2_W, 1) X(FC2_B, 1) X(SCALE2, 1) X(NORM_W, 0) X(NORM_B, 0) \
    X(FC_NORM_W, 0) X(FC_NORM_B, 0) X(PRE_W, 0) X(PRE_B, 0) X(HEAD_W, 0) X(HEAD_B, 0) \
    X(HEAD2_W, 0) X(HEAD2_B, 0)
/* clang-format on */
typedef enum xa__vit_part {
#define X(name, block) XA__VIT_##name,
    XA__VIT_PARTS(X)
#undef X
        XA__VIT_PART_COUNT
} xa__vit_part;

/* One naming of the parts. */
typedef struct xa__vit_dialect {
    const char *name;                      /* "timm" */
    const char *modules[4];                /* of the layer table: block, attention, mlp, head; %d */
    const char *parts[XA__VIT_PART_COUNT]; /* tensor names, %d the block; NULL: not in this one */
    const char *norms[2];                  /* of a block, behind its name: first, second */
    const char *section;                   /* of config.json that describes it; NULL: the top */
    const char *types, *classes; /* words that its model_type and `architectures` may be */
    const char *const *unused;   /* ends with NULL: tensors that its classifier does not read, by
                                    their last part, or with '.' at the end by their first */
    bool needs_config;           /* config.json must lie beside the file: transformers */
    bool bare;         /* class token [width] and position [rows, width], without the batch */
    bool no_last_norm; /* the head reads what the blocks leave */
    int pool;          /* of its classifier: XA__VIT_POOL_...; timm says it elsewhere */
    double epsilon;    /* the library's defaults */
    xa_activation_kind act;
    float slope;               /* of act; 0: its own */
    xa_resample interpolation; /* of position embeddings, as by the library */
} xa__vit_dialect;

/* A dialect with the stem in front of its names, and the part that tells it from others. */
typedef struct xa__vit_naming {
    const xa__vit_dialect *dialect;
    const char *stem; /* "vit." */
    xa__vit_part key;
} xa__vit_naming;
/* dialects.c: NULL beyond the last. */
const xa__vit_naming *xa__vit_naming_at(size_t i);

/* How a weight is made of tensors. */
typedef enum xa__vit_piece_kind {
    XA__PIECE_VECTOR,  /* values [first, first + rows) */
    XA__PIECE_LINEAR,  /* rows [first, first + rows) of [out, in], transposed to [in, rows] */
    XA__PIECE_CONV,    /* [out, in, h, w] to [h, w, in, out] */
    XA__PIECE_JOIN,    /* several tensors one after the other */
    XA__PIECE_POSITION /* [1, prefix + grid, width]; the grid is interpolated if the input needs
                          another */
} xa__vit_piece_kind;
typedef struct xa__vit_piece {
    xa__vit_piece_kind kind;
    int tensor[3], ntensors;
    int64_t first, rows;
} xa__vit_piece;

/* ---- what tensors do not show ---- */

#define XA__QUICK_GELU_SLOPE 1.702f     /* x*sigmoid(1.702 x) */
enum { XA__VIT_PRE, XA__VIT_RES_POST }; /* x + f(norm(x)), x + norm(f(x)) */
enum { XA__VIT_NORM_LAYER, XA__VIT_NORM_RMS };
enum {
    XA__VIT_POOL_TOKEN,
    XA__VIT_POOL_AVG,
    XA__VIT_POOL_MAX,
    XA__VIT_POOL_AVGMAX,
    XA__VIT_POOLS,         /* timm's, which config.json may name */
    XA__VIT_POOL_TOKEN_AVG /* class token and mean of the patches, side by side */
};
enum {
    XA__VIT_LAST_NORM,
    XA__VIT_LAST_FC_NORM,
    XA__VIT_LAST_NONE
}; /* before pooling, after it, none */
enum {
    XA__VIT_POSITION_ALL,     /* of every token */
    XA__VIT_POSITION_CLASS,   /* of the class token and the patches */
    XA__VIT_POSITION_PATCHES, /* of the patches alone */
    XA__VIT_POSITION_UNTOLD
};

/* One of timm's architectures. */
typedef struct xa__vit_known {
    const char *name;
    const char *refused; /* why it is refused; NULL: it is computed */
    int width, heads;
    xa_activation_kind act;
    float slope; /* of act */
    double epsilon;
    int block, norm, pool, last, position;
} xa__vit_known;

typedef struct xa__vit {
    xa__sfile *file;
    const xa__vit_dialect *dialect;
    char stem[32]; /* in front of the dialect's names, such as "vit." */
    int *part; /* [depth * XA__VIT_PART_COUNT] tensor of a part, or -1; parts without blocks are in
                  block 0 */
    int64_t *read; /* [tensors] how many of its values the graph's weights use */
    int64_t depth, width, mlp, channels, patch_h, patch_w, prefix, position_rows, classes;
    int64_t heads;
    int64_t file_h, file_w, grid_h, grid_w; /* grids of the position embedding and of the input */
    double epsilon;
    xa_activation act;
    int block, norm, pool, position; /* XA__VIT_... */
    bool gated;                      /* MLP: (silu(gate x) * (up x)) down (Shazeer 2020) */
    bool pool_prefix;                /* tokens that are no patches are pooled too */
    bool multilabel, problem_given;  /* from problem_type */
    struct json_t *json;             /* NULL: no config.json */
    char *config;                    /* its path, for messages; NULL: no config.json */
    const xa__vit_known *known;      /* the architecture it names; NULL: none */
    xa__vit_piece *pieces;
    size_t npieces, piece_cap;
} xa__vit;

static inline int xa__vit_tensor(const xa__vit *v, int64_t block, xa__vit_part part)
{
    return v->part[block * XA__VIT_PART_COUNT + part];
}

/* parts.c: finds the parts by their names. NOT_FOUND and UNSUPPORTED name a tensor that is missing
 * or unknown. */
XA_MUST_USE xa_status xa__vit_find_parts(xa__vit *v, xa_err *err);
/* Finds extents by shapes; SHAPE names the tensor and both shapes. */
XA_MUST_USE xa_status xa__vit_measure(xa__vit *v, xa_err *err);
/* Check that nothing is left out silently: every tensor has a known name (UNSUPPORTED), and, after
 * the graph is built, the graph uses every value once (INVALID). */
XA_MUST_USE xa_status xa__vit_check_names(const xa__vit *v, xa_err *err);
XA_MUST_USE xa_status xa__vit_check_read(const xa__vit *v, xa_err *err);
/* timm.c: NULL if timm has no such architecture, or if i is beyond the last. */
const xa__vit_known *xa__vit_find_known(const char *architecture);
const xa__vit_known *xa__vit_known_at(size_t i);
/* config.c: reads the options' architecture, or <stem>.json or config.json beside the file.
 * Keys and architectures that are not understood are errors that name them. */
XA_MUST_USE xa_status xa__vit_read_config(xa__vit *v,
                                          const xa_model_options *opt,
                                          xa_model *m,
                                          xa_err *err);
/* A setting by its name, or else by its other name (NULL: it has none), from any place of the JSON;
 * NULL: it is missing or null. */
const struct json_t *xa__vit_setting(const xa__vit *v, const char *key, const char *other);
/* Checks that extents in the config are those of the weights; INVALID names both. */
XA_MUST_USE xa_status xa__vit_check_extents(const xa__vit *v, xa_err *err);
/* settings.c: fills heads, epsilon, act, block, norm, pool and position; what no file says is noted
 * in m as assumed. */
XA_MUST_USE xa_status xa__vit_configure(xa__vit *v, xa_model *m, xa_err *err);
/* grid.c: file_h, file_w, grid_h, grid_w, position, and the model's input shapes. A grid that no
 * file states is noted as assumed. INVALID and SHAPE say which size fits. */
XA_MUST_USE xa_status xa__vit_choose_grid(xa__vit *v,
                                          xa_model *m,
                                          const xa_model_options *opt,
                                          xa_err *err);
/* build.c */
XA_MUST_USE xa_status xa__vit_build(xa__vit *v,
                                    xa_model *m,
                                    const xa_model_options *opt,
                                    xa_err *err);
/* pieces.c: a weight of the graph, in the operator's shape, from tensors. */
XA_MUST_USE xa_status xa__vit_weight(xa__vit *v,
                                     xa_graph *g,
                                     const xa__vit_piece *piece,
                                     const xa_shape *shape,
                                     int *id,
                                     xa_err *err);
XA_MUST_USE xa_status xa__vit_read_piece(xa__vit *v, const xa_weight *w, float *dst, xa_err *err);

#endif
