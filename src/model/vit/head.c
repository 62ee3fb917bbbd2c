/* What the head of a vision transformer reads, and its scores: a token, the patches pooled, or
 * both; DeiT's two heads averaged. */
#include <inttypes.h>
#include <string.h>

#include "builder.h"

/* Rows [first, end) of [T,D] as [rows,1,D]. */
static xa_status rows(xa__vit_builder *b, int x, int64_t first, int64_t end, int *y, xa_err *err)
{
    const int64_t d = b->v->width, t = xa_graph_node(b->g, x)->shape.dim[0];
    const xa_op_params crop = {.edges = {.top = first, .bottom = t - end}};
    XA_RETURN_TRY(err, xa__vit_reshape(b, x, &(xa_shape){.ndim = 3, .dim = {t, 1, d}}, &x, err));
    return xa__vit_add(b, XA_OP_CROP, &x, 1, NULL, 0, &crop, y, err);
}

/* Token i as [D]. */
static xa_status token(xa__vit_builder *b, int x, int64_t i, int *y, xa_err *err)
{
    xa__vit_name(b, "token", 0, "");
    XA_RETURN_TRY(err, rows(b, x, i, i + 1, &x, err));
    return xa__vit_reshape(b, x, &(xa_shape){.ndim = 1, .dim = {b->v->width}}, y, err);
}

/* Mean or maximum over the patches as [D], or the average of both. */
static xa_status pool(xa__vit_builder *b, int x, int *y, xa_err *err)
{
    const xa__vit *v = b->v;
    const int64_t t = xa_graph_node(b->g, x)->shape.dim[0];
    static const xa_op_params kinds[] = {{.global_pool.kind = XA_POOL_AVG},
                                         {.global_pool.kind = XA_POOL_MAX}};
    const int kind = v->pool == XA__VIT_POOL_TOKEN_AVG ? XA__VIT_POOL_AVG : v->pool;
    int both[2] = {-1, -1}, n = 0;
    xa__vit_name(b, "pool", 0, "");
    XA_RETURN_TRY(err, rows(b, x, v->pool_prefix ? 0 : v->prefix, t, &x, err));
    for (int k = 0; k < 2; k++)
        if (v->pool == XA__VIT_POOL_AVGMAX || kind == (k ? XA__VIT_POOL_MAX : XA__VIT_POOL_AVG))
            XA_RETURN_TRY(
                err, xa__vit_add(b, XA_OP_GLOBAL_POOL, &x, 1, NULL, 0, &kinds[k], &both[n++], err));
    *y = both[0];
    return n == 2 ? xa__vit_add(b, XA_OP_AVERAGE, both, 2, NULL, 0, NULL, y, err) : XA_OK;
}

/* The class token and the mean of the patches as [2 D] (Oquab et al. 2024). */
static xa_status token_and_mean(xa__vit_builder *b, int x, int *y, xa_err *err)
{
    const xa_op_params along = {.concat.axis = 0};
    int both[2];
    XA_RETURN_TRY(err, token(b, x, 0, &both[0], err));
    XA_RETURN_TRY(err, pool(b, x, &both[1], err));
    return xa__vit_add(b, XA_OP_CONCAT, both, 2, NULL, 0, &along, y, err);
}

xa_status xa__vit_head(xa__vit_builder *b, int x, int *y, xa_err *err)
{
    xa__vit *v = b->v;
    const bool two = xa__vit_tensor(v, 0, XA__VIT_HEAD2_W) >= 0;
    int64_t width = v->width;
    int both[2];
    if (two &&
        (xa__vit_tensor(v, 0, XA__VIT_DISTILL) < 0 || xa__vit_tensor(v, 0, XA__VIT_PRE_W) >= 0 ||
         xa__vit_tensor(v, 0, XA__VIT_FC_NORM_W) >= 0))
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: two heads as of a distilled model, but %s",
                       v->file->path,
                       xa__vit_tensor(v, 0, XA__VIT_DISTILL) < 0 ? "no distillation token"
                                                                 : "fc_norm or pre_logits as well");
    if (v->pool == XA__VIT_POOL_TOKEN)
        XA_RETURN_TRY(err, token(b, x, 0, &both[0], err));
    else if (v->pool == XA__VIT_POOL_TOKEN_AVG)
        XA_RETURN_TRY(err, token_and_mean(b, x, &both[0], err));
    else
        XA_RETURN_TRY(err, pool(b, x, &both[0], err));
    width = xa_graph_node(b->g, both[0])->shape.dim[0];
    if (two)
        XA_RETURN_TRY(err, token(b, x, 1, &both[1], err));
    if (xa__vit_tensor(v, 0, XA__VIT_FC_NORM_W) >= 0) {
        xa__vit_name(b, "fc_norm", 0, "");
        XA_RETURN_TRY(
            err, xa__vit_norm(b, both[0], 0, XA__VIT_FC_NORM_W, XA__VIT_FC_NORM_B, &both[0], err));
    }
    if (xa__vit_tensor(v, 0, XA__VIT_PRE_W) >= 0) {
        width = v->file->tensors[xa__vit_tensor(v, 0, XA__VIT_PRE_W)].shape.dim[0];
        xa__vit_name(b, "pre_logits", 0, "");
        XA_RETURN_TRY(
            err,
            xa__vit_dense(
                b, both[0], 0, XA__VIT_PRE_W, XA__VIT_PRE_B, v->width, 0, width, &both[0], err));
        const xa_op_params tanh_of = {.activation = xa_activation_default(XA_ACT_TANH)};
        XA_RETURN_TRY(
            err, xa__vit_add(b, XA_OP_ACTIVATION, &both[0], 1, NULL, 0, &tanh_of, &both[0], err));
    }
    const int64_t before = xa_graph_weights(b->g);
    xa__vit_name(b, v->dialect->modules[3], 0, "");
    XA_RETURN_TRY(
        err,
        xa__vit_dense(
            b, both[0], 0, XA__VIT_HEAD_W, XA__VIT_HEAD_B, width, 0, v->classes, &both[0], err));
    *y = both[0];
    if (two) {
        XA_RETURN_TRY(err,
                      xa__vit_dense(b,
                                    both[1],
                                    0,
                                    XA__VIT_HEAD2_W,
                                    XA__VIT_HEAD2_B,
                                    width,
                                    0,
                                    v->classes,
                                    &both[1],
                                    err));
        XA_RETURN_TRY(err, xa__vit_add(b, XA_OP_AVERAGE, both, 2, NULL, 0, NULL, y, err));
    }
    return xa__vit_layer(b, "Linear", *y, before, err);
}
