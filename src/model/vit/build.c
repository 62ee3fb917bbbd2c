/* A vision transformer as a graph. Dosovitskiy et al. 2021, equations 1 to 4: patch embedding,
 * class token, position embedding; per block LayerNorm, attention, addition, LayerNorm, MLP,
 * addition; a last LayerNorm and the head on the class token. DeiT: a distillation token with a
 * head of its own, both heads averaged. Layer scale is folded into the product before it. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"

xa_status xa__vit_add(xa__vit_builder *b,
                      xa_op op,
                      const int *in,
                      int nin,
                      const int *weights,
                      int nweights,
                      const xa_op_params *params,
                      int *out,
                      xa_err *err)
{
    xa_node_spec s = {
        .op = op, .name = b->name, .inputs = in, .ninputs = nin, .nweights = nweights};
    for (int i = 0; i < nweights; i++)
        s.weights[i] = weights[i];
    if (params)
        s.params = *params;
    return xa_graph_add(b->g, &s, out, err);
}

/* Adds a line to the layer table under the present name. */
xa_status
xa__vit_layer(xa__vit_builder *b, const char *type, int node, int64_t first_weight, xa_err *err)
{
    int64_t parameters = 0;
    int depth = 0;
    for (int i = (int)first_weight; i < xa_graph_weights(b->g); i++)
        parameters += xa_shape_count(&xa_graph_weight(b->g, i)->shape);
    for (const char *c = b->name; *c; c++)
        depth += *c == '.';
    return xa__model_add_layer(
        b->m, b->name, type, node, parameters, depth, !strcmp(type, "Activation"), err);
}

void xa__vit_name(xa__vit_builder *b, const char *pattern, int64_t block, const char *suffix)
{
    const char *number = strstr(pattern, "%d");
    if (number)
        snprintf(b->name,
                 sizeof b->name,
                 "%s%.*s%" PRId64 "%s%s",
                 b->v->stem,
                 (int)(number - pattern),
                 pattern,
                 block,
                 number + 2,
                 suffix);
    else
        snprintf(b->name, sizeof b->name, "%s%s", pattern, suffix);
}

static xa_status vector(xa__vit_builder *b,
                        int64_t block,
                        xa__vit_part part,
                        int64_t first,
                        int64_t rows,
                        int *id,
                        xa_err *err)
{
    const int t = xa__vit_tensor(b->v, block, part);
    const xa_shape shape = {.ndim = 1, .dim = {rows}};
    *id = -1;
    if (t < 0)
        return XA_OK;
    const xa__vit_piece piece = {
        .kind = XA__PIECE_VECTOR, .tensor = {t}, .ntensors = 1, .first = first, .rows = rows};
    return xa__vit_weight(b->v, b->g, &piece, &shape, id, err);
}

/* A product with rows [first, first + out) of the part's matrix and bias. */
xa_status xa__vit_dense(xa__vit_builder *b,
                        int x,
                        int64_t block,
                        xa__vit_part matrix,
                        xa__vit_part bias,
                        int64_t in,
                        int64_t first,
                        int64_t out,
                        int *y,
                        xa_err *err)
{
    const int t = xa__vit_tensor(b->v, block, matrix);
    const xa_shape shape = {.ndim = 2, .dim = {in, out}};
    int w[2];
    if (t < 0)
        XA_RETURN_FAIL(
            err, XA_NOT_FOUND, "%s: the matrix of \"%s\" is missing", b->v->file->path, b->name);
    const xa_shape *s = &b->v->file->tensors[t].shape;
    const xa__vit_piece piece = {
        .kind = XA__PIECE_LINEAR, .tensor = {t}, .ntensors = 1, .first = first, .rows = out};
    XA_RETURN_TRY(err, xa__vit_weight(b->v, b->g, &piece, &shape, &w[0], err));
    if (matrix != XA__VIT_QKV_W && matrix != XA__VIT_GATE_UP_W && s->dim[0] != out)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "%s: tensor \"%s\" has %" PRId64 " rows, expected %" PRId64,
                       b->v->file->path,
                       b->v->file->tensors[t].name,
                       s->dim[0],
                       out);
    XA_RETURN_TRY(err, vector(b, block, bias, first, out, &w[1], err));
    return xa__vit_add(b, XA_OP_DENSE, &x, 1, w, 2, &(xa_op_params){.dense.units = out}, y, err);
}

/* A norm over the last axis, of extent `width`. */
static xa_status norm_of(xa__vit_builder *b,
                         int x,
                         int64_t block,
                         xa__vit_part gamma,
                         xa__vit_part beta,
                         int64_t width,
                         int *y,
                         xa_err *err)
{
    const bool rms = b->v->norm == XA__VIT_NORM_RMS;
    const xa_op_params params = {.layer_norm = {(float)b->v->epsilon, rms}};
    int w[2];
    if (xa__vit_tensor(b->v, block, gamma) < 0 || (!rms && xa__vit_tensor(b->v, block, beta) < 0))
        XA_RETURN_FAIL(err,
                       XA_NOT_FOUND,
                       "%s: the %s of \"%s\" are missing",
                       b->v->file->path,
                       xa__vit_tensor(b->v, block, gamma) < 0 ? "weights" : "biases",
                       b->name);
    XA_RETURN_TRY(err, vector(b, block, gamma, 0, width, &w[0], err));
    w[1] = -1;
    if (!rms)
        XA_RETURN_TRY(err, vector(b, block, beta, 0, width, &w[1], err));
    return xa__vit_add(b, XA_OP_LAYER_NORM, &x, 1, w, 2, &params, y, err);
}

xa_status xa__vit_norm(xa__vit_builder *b,
                       int x,
                       int64_t block,
                       xa__vit_part gamma,
                       xa__vit_part beta,
                       int *y,
                       xa_err *err)
{
    const int64_t before = xa_graph_weights(b->g);
    XA_RETURN_TRY(err, norm_of(b, x, block, gamma, beta, b->v->width, y, err));
    return xa__vit_layer(
        b, b->v->norm == XA__VIT_NORM_RMS ? "RmsNorm" : "LayerNorm", *y, before, err);
}

/* Layer scale, if the block has one. */
static xa_status
scale(xa__vit_builder *b, int x, int64_t block, xa__vit_part part, int *y, xa_err *err)
{
    int w[4] = {-1, -1, -1, -1};
    *y = x;
    if (xa__vit_tensor(b->v, block, part) < 0)
        return XA_OK;
    XA_RETURN_TRY(err, vector(b, block, part, 0, b->v->width, &w[0], err));
    return xa__vit_add(b, XA_OP_AFFINE, &x, 1, w, 4, &(xa_op_params){0}, y, err);
}

xa_status xa__vit_reshape(xa__vit_builder *b, int x, const xa_shape *shape, int *y, xa_err *err)
{
    return xa__vit_add(
        b, XA_OP_RESHAPE, &x, 1, NULL, 0, &(xa_op_params){.reshape = *shape}, y, err);
}

/* ---- front ---- */

static xa_status patches(xa__vit_builder *b, int x, int *y, xa_err *err)
{
    xa__vit *v = b->v;
    const int64_t before = xa_graph_weights(b->g);
    const xa_shape shape = {.ndim = 4, .dim = {v->patch_h, v->patch_w, v->channels, v->width}};
    const xa__vit_piece piece = {
        .kind = XA__PIECE_CONV, .tensor = {xa__vit_tensor(v, 0, XA__VIT_PATCH_W)}, .ntensors = 1};
    const xa_op_params params = {
        .conv2d = {
            {v->patch_h, v->patch_w, v->patch_h, v->patch_w, 1, 1, XA_VALID, {0}}, v->width, 1}};
    int w[2];
    xa__vit_name(b, "patch_embed", 0, "");
    XA_RETURN_TRY(err, xa__vit_weight(v, b->g, &piece, &shape, &w[0], err));
    XA_RETURN_TRY(err, vector(b, 0, XA__VIT_PATCH_B, 0, v->width, &w[1], err));
    XA_RETURN_TRY(err, xa__vit_add(b, XA_OP_CONV2D, &x, 1, w, 2, &params, &x, err));
    XA_RETURN_TRY(err, xa__vit_layer(b, "Conv2D", x, before, err));
    return xa__vit_reshape(
        b, x, &(xa_shape){.ndim = 2, .dim = {v->grid_h * v->grid_w, v->width}}, y, err);
}

/* Adds the prefix tokens and the position embedding, which covers all tokens or the patches alone.
 */
static xa_status tokens(xa__vit_builder *b, int x, int *y, xa_err *err)
{
    xa__vit *v = b->v;
    static const xa__vit_part front[] = {XA__VIT_CLASS, XA__VIT_DISTILL, XA__VIT_REGISTERS};
    const int64_t before = xa_graph_weights(b->g), grid = v->grid_h * v->grid_w;
    const bool on_all = v->position != XA__VIT_POSITION_PATCHES;
    const xa_shape rows = {.ndim = 2, .dim = {(on_all ? v->prefix : 0) + grid, v->width}};
    const xa__vit_piece position = {.kind = XA__PIECE_POSITION,
                                    .tensor = {xa__vit_tensor(v, 0, XA__VIT_POSITION)},
                                    .ntensors = 1};
    xa__vit_piece prefix = {.kind = XA__PIECE_JOIN};
    int w[2] = {-1, -1}, first[2] = {-1, -1};
    for (int i = 0; i < 3; i++)
        if (xa__vit_tensor(v, 0, front[i]) >= 0)
            prefix.tensor[prefix.ntensors++] = xa__vit_tensor(v, 0, front[i]);
    xa__vit_name(b, "pos_embed", 0, "");
    XA_RETURN_TRY(err, xa__vit_weight(v, b->g, &position, &rows, &w[1], err));
    if (!on_all) {
        first[1] = w[1];
        w[1] = -1;
        XA_RETURN_TRY(err, xa__vit_add(b, XA_OP_TOKENS, &x, 1, first, 2, NULL, &x, err));
    }
    if (prefix.ntensors) {
        const xa_shape shape = {.ndim = 2, .dim = {v->prefix, v->width}};
        XA_RETURN_TRY(err, xa__vit_weight(v, b->g, &prefix, &shape, &w[0], err));
    }
    XA_RETURN_TRY(err, xa__vit_add(b, XA_OP_TOKENS, &x, 1, w, 2, NULL, y, err));
    return xa__vit_layer(b, "Tokens", *y, before, err);
}

/* ---- blocks ---- */

/* Normalises queries or keys [T,N*K] head by head, if the model does. */
static xa_status norm_heads(
    xa__vit_builder *b, int64_t i, xa__vit_part gamma, xa__vit_part beta, int *x, xa_err *err)
{
    const int64_t heads = b->v->heads, width = b->v->width / heads;
    const xa_shape whole = xa_graph_node(b->g, *x)->shape;
    const xa_shape split = {.ndim = 3, .dim = {whole.dim[0], heads, width}};
    if (xa__vit_tensor(b->v, i, gamma) < 0)
        return XA_OK;
    if (heads == 1)
        return norm_of(b, *x, i, gamma, beta, width, x, err);
    XA_RETURN_TRY(err, xa__vit_reshape(b, *x, &split, x, err));
    XA_RETURN_TRY(err, norm_of(b, *x, i, gamma, beta, width, x, err));
    return xa__vit_reshape(b, *x, &whole, x, err);
}

static xa_status attention(xa__vit_builder *b, int64_t i, int x, int *y, xa_err *err)
{
    xa__vit *v = b->v;
    const bool fused = xa__vit_tensor(v, i, XA__VIT_QKV_W) >= 0;
    static const xa__vit_part split[3][2] = {
        {XA__VIT_Q_W, XA__VIT_Q_B}, {XA__VIT_K_W, XA__VIT_K_B}, {XA__VIT_V_W, XA__VIT_V_B}};
    static const char *const sides[] = {".query", ".key", ".value"};
    const int64_t d = v->width, before = xa_graph_weights(b->g);
    const xa_op_params params = {
        .attention = {v->heads, (float)(1.0 / sqrt((double)d / (double)v->heads))}};
    int qkv[3];
    if (fused) { /* three matrices in one, q first */
        const xa_shape *s = &v->file->tensors[xa__vit_tensor(v, i, XA__VIT_QKV_W)].shape;
        if (s->ndim != 2 || s->dim[0] != 3 * d)
            XA_RETURN_FAIL(err,
                           XA_SHAPE,
                           "%s: tensor \"%s\" has %" PRId64 " rows, expected %" PRId64
                           " (query, key and value)",
                           v->file->path,
                           v->file->tensors[xa__vit_tensor(v, i, XA__VIT_QKV_W)].name,
                           s->dim[0],
                           3 * d);
    }
    for (int k = 0; k < 3; k++) {
        xa__vit_name(b, v->dialect->modules[1], i, sides[k]);
        XA_RETURN_TRY(err,
                      xa__vit_dense(b,
                                    x,
                                    i,
                                    fused ? XA__VIT_QKV_W : split[k][0],
                                    fused ? XA__VIT_QKV_B : split[k][1],
                                    d,
                                    fused ? k * d : 0,
                                    d,
                                    &qkv[k],
                                    err));
    }
    xa__vit_name(b, v->dialect->modules[1], i, ".q_norm");
    XA_RETURN_TRY(err, norm_heads(b, i, XA__VIT_Q_NORM_W, XA__VIT_Q_NORM_B, &qkv[0], err));
    xa__vit_name(b, v->dialect->modules[1], i, ".k_norm");
    XA_RETURN_TRY(err, norm_heads(b, i, XA__VIT_K_NORM_W, XA__VIT_K_NORM_B, &qkv[1], err));
    xa__vit_name(b, v->dialect->modules[1], i, "");
    XA_RETURN_TRY(err, xa__vit_add(b, XA_OP_ATTENTION, qkv, 3, NULL, 0, &params, &x, err));
    XA_RETURN_TRY(err, xa__vit_dense(b, x, i, XA__VIT_PROJ_W, XA__VIT_PROJ_B, d, 0, d, &x, err));
    XA_RETURN_TRY(err, scale(b, x, i, XA__VIT_SCALE1, y, err));
    return xa__vit_layer(b, "Attention", *y, before, err);
}

/* fc1 x; or silu(gate x) * (up x), whose matrices may be one, the gate's rows first. */
static xa_status mlp_inside(xa__vit_builder *b, int64_t i, int x, int *y, xa_err *err)
{
    const xa__vit *v = b->v;
    const xa_op_params act = {.activation = v->act};
    const int64_t d = v->width, n = v->mlp;
    const bool one = xa__vit_tensor(v, i, XA__VIT_GATE_UP_W) >= 0;
    int side[2];
    if (!v->gated) {
        XA_RETURN_TRY(err, xa__vit_dense(b, x, i, XA__VIT_FC1_W, XA__VIT_FC1_B, d, 0, n, &x, err));
        return xa__vit_add(b, XA_OP_ACTIVATION, &x, 1, NULL, 0, &act, y, err);
    }
    for (int k = 0; k < 2; k++)
        XA_RETURN_TRY(err,
                      xa__vit_dense(b,
                                    x,
                                    i,
                                    one ? XA__VIT_GATE_UP_W
                                    : k ? XA__VIT_FC1_W
                                        : XA__VIT_GATE_W,
                                    one ? XA__VIT_GATE_UP_B
                                    : k ? XA__VIT_FC1_B
                                        : XA__VIT_GATE_B,
                                    d,
                                    one ? k * n : 0,
                                    n,
                                    &side[k],
                                    err));
    XA_RETURN_TRY(err, xa__vit_add(b, XA_OP_ACTIVATION, &side[0], 1, NULL, 0, &act, &side[0], err));
    return xa__vit_add(b, XA_OP_MULTIPLY, side, 2, NULL, 0, NULL, y, err);
}

static xa_status mlp(xa__vit_builder *b, int64_t i, int x, int *y, xa_err *err)
{
    xa__vit *v = b->v;
    const int64_t before = xa_graph_weights(b->g);
    xa__vit_name(b, v->dialect->modules[2], i, "");
    XA_RETURN_TRY(err, mlp_inside(b, i, x, &x, err));
    XA_RETURN_TRY(
        err, xa__vit_dense(b, x, i, XA__VIT_FC2_W, XA__VIT_FC2_B, v->mlp, 0, v->width, &x, err));
    XA_RETURN_TRY(err, scale(b, x, i, XA__VIT_SCALE2, y, err));
    return xa__vit_layer(b, "MLP", *y, before, err);
}

/* A norm of the block, before its branch or after it. */
static xa_status block_norm(xa__vit_builder *b, int64_t i, bool second, int x, int *y, xa_err *err)
{
    xa__vit_name(b, b->v->dialect->modules[0], i, b->v->dialect->norms[second]);
    return xa__vit_norm(b,
                        x,
                        i,
                        second ? XA__VIT_NORM2_W : XA__VIT_NORM1_W,
                        second ? XA__VIT_NORM2_B : XA__VIT_NORM1_B,
                        y,
                        err);
}

/* x + f(norm(x)), or x + norm(f(x)) (timm's ResPostBlock; Liu et al. 2022). */
static xa_status branch(xa__vit_builder *b, int64_t i, bool second, int x, int *y, xa_err *err)
{
    const bool post = b->v->block == XA__VIT_RES_POST;
    if (!post)
        XA_RETURN_TRY(err, block_norm(b, i, second, x, &x, err));
    XA_RETURN_TRY(err, second ? mlp(b, i, x, &x, err) : attention(b, i, x, &x, err));
    *y = x;
    return post ? block_norm(b, i, second, x, y, err) : XA_OK;
}

static xa_status block(xa__vit_builder *b, int64_t i, int x, int *y, xa_err *err)
{
    const int64_t before = xa_graph_weights(b->g);
    const char *module = b->v->dialect->modules[0];
    int side;
    XA_RETURN_TRY(err, branch(b, i, false, x, &side, err));
    xa__vit_name(b, module, i, ".residual1");
    XA_RETURN_TRY(err, xa__vit_add(b, XA_OP_ADD, (int[]){x, side}, 2, NULL, 0, NULL, &x, err));
    XA_RETURN_TRY(err, branch(b, i, true, x, &side, err));
    xa__vit_name(b, module, i, "");
    XA_RETURN_TRY(err, xa__vit_add(b, XA_OP_ADD, (int[]){x, side}, 2, NULL, 0, NULL, y, err));
    return xa__vit_layer(b, "Block", *y, before, err);
}

/* ---- the whole ---- */

xa_status xa__vit_build(xa__vit *v, xa_model *m, const xa_model_options *opt, xa_err *err)
{
    xa__vit_builder b = {.v = v, .m = m};
    int x;
    XA_RETURN_TRY(err, xa__vit_choose_grid(v, m, opt, err));
    XA_RETURN_TRY(err, xa_graph_create(&m->graph, err));
    b.g = m->graph;
    XA_RETURN_TRY(err, xa_graph_add_input(b.g, "input", &m->input_shape, &x, err));
    XA_RETURN_TRY(err, patches(&b, x, &x, err));
    XA_RETURN_TRY(err, tokens(&b, x, &x, err));
    if (xa__vit_tensor(v, 0, XA__VIT_FRONT_NORM_W) >= 0) {
        xa__vit_name(&b, "norm_pre", 0, "");
        XA_RETURN_TRY(err,
                      xa__vit_norm(&b, x, 0, XA__VIT_FRONT_NORM_W, XA__VIT_FRONT_NORM_B, &x, err));
    }
    for (int64_t i = 0; i < v->depth; i++)
        XA_RETURN_TRY(err, block(&b, i, x, &x, err));
    if (xa__vit_tensor(v, 0, XA__VIT_NORM_W) >= 0) {
        xa__vit_name(&b, "norm", 0, "");
        XA_RETURN_TRY(err, xa__vit_norm(&b, x, 0, XA__VIT_NORM_W, XA__VIT_NORM_B, &x, err));
    }
    XA_RETURN_TRY(err, xa__vit_head(&b, x, &x, err));
    if (!opt->head) { /* such files end in plain scores, of which these activations are meant */
        if (!v->problem_given)
            XA_RETURN_TRY(
                err,
                xa__model_assume(m,
                                 err,
                                 "a softmax head: the file ends in plain scores; `head` "
                                 "of the job, or \"problem_type\" in config.json, decides"));
        xa__vit_name(&b, v->multilabel ? "sigmoid" : "softmax", 0, "");
        const xa_op_params sigmoid = {.activation = xa_activation_default(XA_ACT_SIGMOID)};
        XA_RETURN_TRY(err,
                      xa__vit_add(&b,
                                  v->multilabel ? XA_OP_ACTIVATION : XA_OP_SOFTMAX,
                                  &x,
                                  1,
                                  NULL,
                                  0,
                                  v->multilabel ? &sigmoid : NULL,
                                  &x,
                                  err));
    }
    m->output = x;
    m->query = v->pool == XA__VIT_POOL_TOKEN || v->pool == XA__VIT_POOL_TOKEN_AVG ? 0 : -1;
    m->origin = xa_strfmt("%s vision transformer, safetensors: %" PRId64 " blocks, %" PRId64
                          " heads, width %" PRId64 ", patches %" PRId64 "x%" PRId64 "%s",
                          v->dialect->name,
                          v->depth,
                          v->heads,
                          v->width,
                          v->patch_h,
                          v->patch_w,
                          v->file_h != v->grid_h || v->file_w != v->grid_w
                              ? ", position embedding interpolated"
                              : "");
    if (!m->origin)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}
