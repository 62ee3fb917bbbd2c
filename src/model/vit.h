/* Vision transformers from tensors: what there is by name, the graph, and the values. Private to
 * model.
 *
 *   vit_parts.c   names of timm and of Hugging Face's transformers -> parts; shapes -> architecture
 *   vit_config.c  what names and shapes do not tell: heads, epsilon, activation, pooling
 *   vit_build.c   architecture -> graph and layer table
 *   vit_pieces.c  parts -> weights as the operators want them
 */
#ifndef XAUDIT_MODEL_VIT_H
#define XAUDIT_MODEL_VIT_H

#include "model_internal.h"
#include "safetensors_file.h"

/* X(ENUM, once or per block) */
/* clang-format off */
#define XA_VIT_PARTS(X) \
    X(PATCH_W, 0) X(PATCH_B, 0) X(CLASS, 0) X(DISTILL, 0) X(REGISTERS, 0) X(POSITION, 0) \
    X(NORM1_W, 1) X(NORM1_B, 1) X(QKV_W, 1) X(QKV_B, 1) X(Q_W, 1) X(Q_B, 1) X(K_W, 1) X(K_B, 1) \
    X(V_W, 1) X(V_B, 1) X(PROJ_W, 1) X(PROJ_B, 1) X(SCALE1, 1) X(NORM2_W, 1) X(NORM2_B, 1) \
    X(FC1_W, 1) X(FC1_B, 1) X(FC2_W, 1) X(FC2_B, 1) X(SCALE2, 1) X(NORM_W, 0) X(NORM_B, 0) \
    X(FC_NORM_W, 0) X(FC_NORM_B, 0) X(PRE_W, 0) X(PRE_B, 0) X(HEAD_W, 0) X(HEAD_B, 0) \
    X(HEAD2_W, 0) X(HEAD2_B, 0)
/* clang-format on */
typedef enum xa_vit_part {
#define X(name, block) XA_VIT_##name,
    XA_VIT_PARTS(X)
#undef X
        XA_VIT_PART_COUNT
} xa_vit_part;

/* One naming of the parts. */
typedef struct xa_vit_dialect {
    const char *name;                     /* "timm" */
    const char *modules[4];               /* of the layer table: block, attention, mlp, head; %d */
    const char *parts[XA_VIT_PART_COUNT]; /* tensor names, %d the block; NULL: not in this one */
    bool needs_config;                    /* config.json must lie beside the file */
    double epsilon;                       /* where nobody says */
    xa_resample interpolation;            /* the library's own for position embeddings */
} xa_vit_dialect;

/* How a weight is made of tensors. */
typedef enum xa_vit_piece_kind {
    XA_PIECE_VECTOR,  /* values [first, first + rows) */
    XA_PIECE_LINEAR,  /* rows [first, first + rows) of [out, in], turned to [in, rows] */
    XA_PIECE_CONV,    /* [out, in, h, w] to [h, w, in, out] */
    XA_PIECE_JOIN,    /* several tensors one after the other */
    XA_PIECE_POSITION /* [1, prefix + grid, width], its grid interpolated where another is wanted */
} xa_vit_piece_kind;
typedef struct xa_vit_piece {
    xa_vit_piece_kind kind;
    int tensor[3], ntensors;
    int64_t first, rows;
} xa_vit_piece;

typedef struct xa_vit {
    xa_sfile *file;
    const xa_vit_dialect *dialect;
    char stem[32]; /* before the dialect's names: "vit." */
    int *part;     /* [depth * parts]: tensor of a part (those that come once: in block 0), -1 */
    bool *used;    /* [tensors] */
    int64_t depth, width, mlp, channels, patch_h, patch_w, prefix, position_rows, classes;
    int64_t heads;
    int64_t file_h, file_w, grid_h, grid_w; /* grid of the position embedding; the one wanted */
    double epsilon;
    xa_activation act;
    bool mean;                     /* the head reads the mean of the patches */
    bool multilabel, problem_told; /* by problem_type */
    xa_vit_piece *pieces;
    size_t npieces, piece_cap;
} xa_vit;

static inline int xa_vit_tensor(const xa_vit *v, int64_t block, xa_vit_part part)
{
    return v->part[block * XA_VIT_PART_COUNT + part];
}

/* vit_parts.c. NOT_FOUND/UNSUPPORTED: no transformer whose parts are known; names the tensor. */
XA_MUST_USE xa_status xa_vit_find_parts(xa_vit *v, xa_err *err);
/* Extents from shapes; SHAPE names tensor and both shapes. */
XA_MUST_USE xa_status xa_vit_measure(xa_vit *v, xa_err *err);
/* All tensors must have been used. */
XA_MUST_USE xa_status xa_vit_check_used(const xa_vit *v, xa_err *err);
/* vit_config.c: reads the options' architecture, or config.json beside the file; what neither tells
 * is noted in m as assumed. */
XA_MUST_USE xa_status xa_vit_configure(
    xa_vit *v, const char *path, const xa_model_options *opt, xa_model *m, xa_err *err);
/* vit_build.c */
XA_MUST_USE xa_status xa_vit_build(xa_vit *v,
                                   xa_model *m,
                                   const xa_model_options *opt,
                                   xa_err *err);
/* vit_pieces.c: a weight of the graph from parts, its shape as the operator wants it. */
XA_MUST_USE xa_status xa_vit_weight(
    xa_vit *v, xa_graph *g, const xa_vit_piece *piece, const xa_shape *shape, int *id, xa_err *err);
XA_MUST_USE xa_status xa_vit_read_piece(xa_vit *v, const xa_weight *w, float *dst, xa_err *err);

#endif
