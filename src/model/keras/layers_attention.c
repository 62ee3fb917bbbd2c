/* Attention and tokens: Keras' MultiHeadAttention, and the layers of vit-keras (0.1 on tf.keras 2
 * and 0.2 on Keras 3), whose TransformerBlock is one Keras layer with many weights. A scores output
 * is never used; attention maps are taken from the operator itself. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "layers.h"

/* ---- shared ---- */

/* A dense layer whose kernel is slot `first` and whose bias is the slot after it; shapes are the
 * file's. */
static xa_status dense(xa__ksite *s,
                       int x,
                       int first,
                       const xa_shape *kernel,
                       const xa_shape *bias,
                       int64_t units,
                       int *out,
                       xa_err *err)
{
    const int64_t in = xa_shape_last(xa__ksite_shape(s, x));
    const xa_shape matrix = xa__kshape2(in, units), vector = xa__kshape1(units);
    const xa_op_params p = {.dense.units = units};
    int w[2];
    XA_RETURN_TRY(err, xa__ksite_weight(s, first, kernel, &matrix, &w[0], err));
    XA_RETURN_TRY(err, xa__ksite_weight(s, first + 1, bias, &vector, &w[1], err));
    return xa__ksite_node(s, XA_OP_DENSE, &x, 1, &p, w, 2, out, err);
}

static xa_status plain_dense(xa__ksite *s, int x, int first, int64_t units, int *out, xa_err *err)
{
    const xa_shape kernel = xa__kshape2(xa_shape_last(xa__ksite_shape(s, x)), units);
    const xa_shape bias = xa__kshape1(units);
    return dense(s, x, first, &kernel, &bias, units, out, err);
}

static xa_status
attend(xa__ksite *s, const int *qkv, int64_t heads, int64_t key_width, int *out, xa_err *err)
{
    const xa_op_params p = {.attention = {heads, (float)(1.0 / sqrt((double)key_width))}};
    return xa__ksite_node(s, XA_OP_ATTENTION, qkv, 3, &p, NULL, 0, out, err);
}

static xa_status tokens_of(const xa__ksite *s, int *in, xa_err *err)
{
    char text[64];
    XA_RETURN_TRY(err, xa__ksite_one(s, in, err));
    if (xa__ksite_shape(s, *in)->ndim != 2)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "input %s, expected tokens [tokens,width]",
                       xa_shape_text(xa__ksite_shape(s, *in), text, sizeof text));
    return XA_OK;
}

/* ---- MultiHeadAttention ---- */

enum { QUERY = 0, KEY = 2, VALUE = 4, OUT = 6 };

static const xa__kslot attention_slots[] = {
    {"query/kernel", NULL, NULL, true, true, false},
    {"query/bias", NULL, "use_bias", true, true, false},
    {"key/kernel", NULL, NULL, true, true, false},
    {"key/bias", NULL, "use_bias", true, true, false},
    {"value/kernel", NULL, NULL, true, true, false},
    {"value/bias", NULL, "use_bias", true, true, false},
    {"attention_output/kernel", NULL, NULL, true, true, false},
    {"attention_output/bias", NULL, "use_bias", true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

/* The node of an argument, by keyword or position; -1: not given. */
static int argument(const xa__ksite *s, const char *keyword, int position)
{
    int at = 0;
    for (size_t i = 0; s->call && i < s->call->noperands; i++) {
        const xa__koperand *o = &s->call->operands[i];
        const bool found = o->keyword ? !strcmp(o->keyword, keyword) : at == position;
        if (!o->keyword)
            at++;
        if (found && o->kind == XA__KOPERAND_TENSOR)
            return s->in[o->first];
    }
    return -1;
}

static xa_status refuse_call(const xa__ksite *s, xa_err *err)
{
    static const char *const masks[] = {
        "attention_mask", "query_mask", "value_mask", "key_mask", "flash_attention"};
    static const char *const flags[] = {"return_attention_scores", "use_causal_mask"};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
        if (argument(s, masks[i], 3) >= 0)
            XA_RETURN_FAIL(err, XA_UNSUPPORTED, "is called with a mask (\"%s\")", masks[i]);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (json_is_true(xa__ksite_value(s, flags[i], 100)))
            XA_RETURN_FAIL(err,
                           XA_UNSUPPORTED,
                           "is called with %s=True; attention maps need no such output",
                           flags[i]);
    return XA_OK;
}

static xa_status check_axes(const xa__ksite *s, xa_err *err)
{
    const json_t *axes = json_object_get(s->layer->config, "attention_axes");
    double axis = 1.0;
    if (axes && !json_is_null(axes) && (xa__kjson_numbers(axes, &axis, 1) != 1 || axis != 1.0))
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "attends over other axes than the tokens");
    XA_RETURN_TRY(err, xa__kget_refuse(s->layer->config, "use_gate", err));
    return xa__kget_refuse(s->layer->config, "sliding_window", err);
}

/* What each token becomes: as wide as the queries, or of the shape that "output_shape" names. */
static xa_status read_output(const xa__ksite *s, int64_t width, xa_shape *out, xa_err *err)
{
    const json_t *given = json_object_get(s->layer->config, "output_shape");
    const size_t n = json_is_array(given) ? json_array_size(given) : 1;
    char text[80];
    *out = xa__kshape1(width);
    if (!given || json_is_null(given))
        return XA_OK;
    out->ndim = (int)n;
    bool right = n >= 1 && n < XA_MAX_DIMS - 1;
    for (size_t i = 0; right && i < n; i++) {
        const json_t *v = json_is_array(given) ? json_array_get(given, i) : given;
        out->dim[i] = json_integer_value(v);
        right = out->dim[i] >= 1 && out->dim[i] <= XA__KMAX_EXTENT;
    }
    if (!right)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "\"output_shape\" is %s, expected one extent or a few",
                       xa__kjson_text(given, text, sizeof text));
    return XA_OK;
}

static xa_status build_attention(xa__ksite *s, int *out, xa_err *err)
{
    const json_t *c = s->layer->config;
    const int query = argument(s, "query", 0), value = argument(s, "value", 1),
              given = argument(s, "key", 2), key = given >= 0 ? given : value;
    int64_t heads, key_dim, value_dim;
    int qkv[3], node;
    char text[64];
    if (query < 0 || value < 0)
        XA_RETURN_FAIL(err, XA_INVALID, "is called without query and value tensors");
    XA_RETURN_TRY(err, refuse_call(s, err));
    XA_RETURN_TRY(err, check_axes(s, err));
    XA_RETURN_TRY(err, xa__kget_int(c, "num_heads", -1, 1, 4096, &heads, err));
    XA_RETURN_TRY(err, xa__kget_int(c, "key_dim", -1, 1, 1 << 20, &key_dim, err));
    XA_RETURN_TRY(err, xa__kget_int(c, "value_dim", key_dim, 1, 1 << 20, &value_dim, err));
    const int sides[3] = {query, key, value};
    for (int i = 0; i < 3; i++) {
        const xa_shape *x = xa__ksite_shape(s, sides[i]);
        const int64_t wide = i == 2 ? value_dim : key_dim;
        if (x->ndim != 2)
            XA_RETURN_FAIL(err,
                           XA_UNSUPPORTED,
                           "attends over a tensor of %s, expected tokens [tokens,width]",
                           xa_shape_text(x, text, sizeof text));
        const xa_shape kernel = xa__kshape3(x->dim[1], heads, wide),
                       bias = xa__kshape2(heads, wide);
        XA_RETURN_TRY(err, dense(s, sides[i], 2 * i, &kernel, &bias, heads * wide, &qkv[i], err));
    }
    XA_RETURN_TRY(err, attend(s, qkv, heads, key_dim, &node, err));
    xa_shape bias, kernel = {.ndim = 2, .dim = {heads, value_dim}},
                   shape = {.ndim = 1, .dim = {xa__ksite_shape(s, query)->dim[0]}};
    XA_RETURN_TRY(err, read_output(s, xa__ksite_shape(s, query)->dim[1], &bias, err));
    for (int i = 0; i < bias.ndim; i++)
        kernel.dim[kernel.ndim++] = shape.dim[shape.ndim++] = bias.dim[i];
    XA_RETURN_TRY(err, dense(s, node, OUT, &kernel, &bias, xa_shape_count(&bias), &node, err));
    return xa__ksite_reshape(s, node, &shape, out, err);
}

/* ---- vit-keras ---- */

static const xa__kslot class_slots[] = {
    {"cls", NULL, NULL, true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

static xa_status build_class_token(xa__ksite *s, int *out, xa_err *err)
{
    int in, w[2] = {-1, -1};
    XA_RETURN_TRY(err, tokens_of(s, &in, err));
    const int64_t d = xa__ksite_shape(s, in)->dim[1];
    const xa_shape file = xa__kshape3(1, 1, d), as = xa__kshape2(1, d);
    XA_RETURN_TRY(err, xa__ksite_weight(s, 0, &file, &as, &w[0], err));
    return xa__ksite_node(s, XA_OP_TOKENS, &in, 1, NULL, w, 2, out, err);
}

static const xa__kslot position_slots[] = {
    {"pos_embedding", NULL, NULL, true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

static xa_status build_positions(xa__ksite *s, int *out, xa_err *err)
{
    int in, w[2] = {-1, -1};
    XA_RETURN_TRY(err, tokens_of(s, &in, err));
    const xa_shape *x = xa__ksite_shape(s, in);
    xa_shape file = xa__kshape3(1, x->dim[0], x->dim[1]);
    const xa__ktensor *t =
        s->layer->tensor[0] >= 0 ? &s->b->file->tensors[s->layer->tensor[0]] : NULL;
    /* for another grid, which Reshape has made, values are interpolated when they are read */
    if (t && s->b->interpolate && t->shape.ndim == 3)
        file.dim[1] = t->shape.dim[1];
    XA_RETURN_TRY(err, xa__ksite_weight(s, 0, &file, x, &w[1], err));
    return xa__ksite_node(s, XA_OP_TOKENS, &in, 1, NULL, w, 2, out, err);
}

/* In the order in which both generations list them; % is the layer's name. */
enum { BLOCK_DENSE0 = 8, BLOCK_DENSE1 = 10, BLOCK_NORM0 = 12, BLOCK_NORM2 = 14 };
#define ATTENTION_1 "MultiHeadDotProductAttention_1/"
#define WEIGHT(name, other)                  \
    {                                        \
        name, other, NULL, true, true, false \
    }
static const xa__kslot block_slots[] = {
    WEIGHT(ATTENTION_1 "query/kernel", NULL),
    WEIGHT(ATTENTION_1 "query/bias", NULL),
    WEIGHT(ATTENTION_1 "key/kernel", NULL),
    WEIGHT(ATTENTION_1 "key/bias", NULL),
    WEIGHT(ATTENTION_1 "value/kernel", NULL),
    WEIGHT(ATTENTION_1 "value/bias", NULL),
    WEIGHT(ATTENTION_1 "out/kernel", NULL),
    WEIGHT(ATTENTION_1 "out/bias", NULL),
    WEIGHT("Dense_0/kernel", "MlpBlock_3/%_Dense_0/kernel"),
    WEIGHT("Dense_0/bias", "MlpBlock_3/%_Dense_0/bias"),
    WEIGHT("Dense_1/kernel", "MlpBlock_3/%_Dense_1/kernel"),
    WEIGHT("Dense_1/bias", "MlpBlock_3/%_Dense_1/bias"),
    WEIGHT("LayerNorm_0/gamma", NULL),
    WEIGHT("LayerNorm_0/beta", NULL),
    WEIGHT("LayerNorm_2/gamma", NULL),
    WEIGHT("LayerNorm_2/beta", NULL),
    {NULL, NULL, NULL, false, false, false},
};

static xa_status norm(xa__ksite *s, int x, int first, int *out, xa_err *err)
{
    const xa_shape vector = xa__kshape1(xa_shape_last(xa__ksite_shape(s, x)));
    const xa_op_params p = {.layer_norm.epsilon = 1e-6f};
    int w[2];
    XA_RETURN_TRY(err, xa__ksite_weight(s, first, &vector, NULL, &w[0], err));
    XA_RETURN_TRY(err, xa__ksite_weight(s, first + 1, &vector, NULL, &w[1], err));
    return xa__ksite_node(s, XA_OP_LAYER_NORM, &x, 1, &p, w, 2, out, err);
}

static xa_status add(xa__ksite *s, int a, int b, int *out, xa_err *err)
{
    return xa__ksite_node(s, XA_OP_ADD, (int[]){a, b}, 2, NULL, NULL, 0, out, err);
}

static xa_status build_block(xa__ksite *s, int *out, xa_err *err)
{
    const json_t *c = s->layer->config;
    int in, x, y, qkv[3];
    int64_t heads, wide;
    XA_RETURN_TRY(err, tokens_of(s, &in, err));
    const int64_t d = xa__ksite_shape(s, in)->dim[1];
    XA_RETURN_TRY(err, xa__kget_int(c, "num_heads", -1, 1, 4096, &heads, err));
    XA_RETURN_TRY(err, xa__kget_int(c, "mlp_dim", -1, 1, 1 << 24, &wide, err));
    if (d % heads)
        XA_RETURN_FAIL(
            err, XA_SHAPE, "%" PRId64 " heads do not divide the width of %" PRId64, heads, d);
    XA_RETURN_TRY(err, norm(s, in, BLOCK_NORM0, &x, err));
    XA_RETURN_TRY(err, xa__ksite_part(s, "LayerNorm_0", "LayerNormalization", x, 2 * d, err));
    for (int i = 0; i < 3; i++)
        XA_RETURN_TRY(err, plain_dense(s, x, 2 * i, d, &qkv[i], err));
    XA_RETURN_TRY(err, attend(s, qkv, heads, d / heads, &y, err));
    XA_RETURN_TRY(err, plain_dense(s, y, OUT, d, &y, err));
    XA_RETURN_TRY(err,
                  xa__ksite_part(s,
                                 "MultiHeadDotProductAttention_1",
                                 "MultiHeadSelfAttention",
                                 y,
                                 4 * d * (d + 1),
                                 err));
    XA_RETURN_TRY(err, add(s, y, in, &x, err));
    XA_RETURN_TRY(err, norm(s, x, BLOCK_NORM2, &y, err));
    XA_RETURN_TRY(err, xa__ksite_part(s, "LayerNorm_2", "LayerNormalization", y, 2 * d, err));
    XA_RETURN_TRY(err, plain_dense(s, y, BLOCK_DENSE0, wide, &y, err));
    XA_RETURN_TRY(err, xa__ksite_activate_kind(s, xa_activation_default(XA_ACT_GELU), y, &y, err));
    XA_RETURN_TRY(err, plain_dense(s, y, BLOCK_DENSE1, d, &y, err));
    XA_RETURN_TRY(err,
                  xa__ksite_part(s, "MlpBlock_3", "Sequential", y, d * wide * 2 + wide + d, err));
    return add(s, x, y, out, err);
}

/* lambda v: v[:, 0], recognised by its name and never executed. */
static xa_status build_extract_token(xa__ksite *s, int *out, xa_err *err)
{
    int in;
    XA_RETURN_TRY(err, tokens_of(s, &in, err));
    const xa_shape x = *xa__ksite_shape(s, in);
    const xa_shape column = xa__kshape3(x.dim[0], 1, x.dim[1]), vector = xa__kshape1(x.dim[1]);
    const xa_op_params crop = {.edges = {.bottom = x.dim[0] - 1}};
    XA_RETURN_TRY(err, xa__ksite_reshape(s, in, &column, &in, err));
    if (x.dim[0] > 1)
        XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_CROP, in, &crop, &in, err));
    return xa__ksite_reshape(s, in, &vector, out, err);
}

/* ---- layout vars ---- */

/* Where a weight of a compound layer lies below the layer's group: in a sublayer, by its names in
 * Keras 3 and tf.keras 2. */
static const char *const attention_vars[][2] = {{"query_dense", "_query_dense"},
                                                {"key_dense", "_key_dense"},
                                                {"value_dense", "_value_dense"},
                                                {"output_dense", "_output_dense"}};
static const char *const block_vars[][2] = {{"att/query_dense", NULL},
                                            {"att/key_dense", NULL},
                                            {"att/value_dense", NULL},
                                            {"att/combine_heads", NULL},
                                            {"mlpblock/layers/dense", NULL},
                                            {"mlpblock/layers/dense_1", NULL},
                                            {"layernorm1", NULL},
                                            {"layernorm2", NULL}};

const char *xa__kslot_vars(const xa__kclass *cls, int slot, int alternative)
{
    if (cls->slots == attention_slots)
        return attention_vars[slot / 2][alternative];
    if (cls->slots == block_slots)
        return block_vars[slot / 2][alternative];
    return NULL;
}

const xa__kclass xa__kclasses_attention[] = {
    {"MultiHeadAttention", build_attention, attention_slots, XA__KCLASS_TRAINS},
    {"ClassToken", build_class_token, class_slots, XA__KCLASS_PACKAGE},
    {"AddPositionEmbs", build_positions, position_slots, XA__KCLASS_PACKAGE},
    {"TransformerBlock", build_block, block_slots, XA__KCLASS_TRAINS | XA__KCLASS_PACKAGE},
    {"ExtractToken", build_extract_token, NULL, XA__KCLASS_PACKAGE},
    {NULL, NULL, NULL, 0},
};
