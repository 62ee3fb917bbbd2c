/* Layers that compare the tokens of two tensors: Attention (Luong et al. 2015), AdditiveAttention
 * (Bahdanau et al. 2015) and Dot. */
#include <inttypes.h>
#include <string.h>

#include "axes.h"

/* ---- attention ---- */

enum { SCALE, CONCAT };

static const xa__kslot attention_slots[] = {
    {"scale", NULL, "use_scale", false, true, false},
    {"concat_score_weight", NULL, "score_mode=concat", false, true, false},
    {NULL, NULL, NULL, false, false, false},
};

static const xa__kslot additive_slots[] = {
    {"scale", NULL, "use_scale", true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

/* Query, key and value of a call with [query, value] or [query, value, key]. */
static xa_status read_sides(const xa__ksite *s, int side[3], xa_err *err)
{
    char text[64];
    XA_RETURN_TRY(err, xa__ksite_arguments(s, "inputs training", err));
    if (s->nin != 2 && s->nin != 3)
        XA_RETURN_FAIL(
            err, XA_INVALID, "called with %d tensors, expected [query, value, key]", s->nin);
    side[0] = s->in[0];
    side[1] = s->in[s->nin - 1];
    side[2] = s->in[1];
    for (int i = 0; i < 3; i++)
        if (xa__ksite_shape(s, side[i])->ndim != 2)
            XA_RETURN_FAIL(err,
                           XA_UNSUPPORTED,
                           "attends over a tensor of %s, expected tokens [tokens,width]",
                           xa_shape_text(xa__ksite_shape(s, side[i]), text, sizeof text));
    const xa_shape *q = xa__ksite_shape(s, side[0]), *k = xa__ksite_shape(s, side[1]),
                   *v = xa__ksite_shape(s, side[2]);
    if (q->dim[1] != k->dim[1] || k->dim[0] != v->dim[0])
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "queries are %" PRId64 " wide and keys %" PRId64 ", of %" PRId64
                       " keys and %" PRId64 " values",
                       q->dim[1],
                       k->dim[1],
                       k->dim[0],
                       v->dim[0]);
    return XA_OK;
}

/* tanh(factor*(q_i + k_j)): [T,S,D] */
static xa_status pairs(xa__ksite *s, const int side[3], double factor, int *out, xa_err *err)
{
    const xa_shape *q = xa__ksite_shape(s, side[0]), *k = xa__ksite_shape(s, side[1]);
    const xa_shape rows = xa__kshape3(q->dim[0], 1, q->dim[1]),
                   columns = xa__kshape3(1, k->dim[0], k->dim[1]);
    const xa_op_params tanh_of = {.activation = xa_activation_default(XA_ACT_TANH)};
    int in[2];
    XA_RETURN_TRY(err, xa__ksite_reshape(s, side[0], &rows, &in[0], err));
    XA_RETURN_TRY(err, xa__ksite_reshape(s, side[1], &columns, &in[1], err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_ADD, in, 2, NULL, NULL, 0, &in[0], err));
    if (factor != 1.0)
        XA_RETURN_TRY(err, xa__ksite_affine(s, in[0], &factor, 1, NULL, 0, &in[0], err));
    return xa__ksite_simple(s, XA_OP_ACTIVATION, in[0], &tanh_of, out, err);
}

/* softmax(scores) v, from scores [T,S,1] */
static xa_status apply(xa__ksite *s, int scores, int value, int *out, xa_err *err)
{
    const xa_shape x = *xa__ksite_shape(s, scores), matrix = xa__kshape2(x.dim[0], x.dim[1]);
    const xa_op_params p = {0};
    int in[2] = {-1, value};
    XA_RETURN_TRY(err, xa__ksite_reshape(s, scores, &matrix, &in[0], err));
    XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_SOFTMAX, in[0], NULL, &in[0], err));
    return xa__ksite_node(s, XA_OP_MATMUL, in, 2, &p, NULL, 0, out, err);
}

static xa_status sum_last(xa__ksite *s, int in, int *out, xa_err *err)
{
    const xa_op_params sum = {.reduce = {XA_OVER_SUM, xa__ksite_shape(s, in)->ndim - 1}};
    return xa__ksite_simple(s, XA_OP_REDUCE, in, &sum, out, err);
}

/* softmax(scale q k^T) v, or with scores weight*sum(tanh(scale*(q + k))). */
static xa_status build_attention(xa__ksite *s, int *out, xa_err *err)
{
    const char *mode;
    double scale = 1.0, weight = 1.0;
    int side[3], scores;
    XA_RETURN_TRY(err, xa__ksite_known(s, "use_scale score_mode dropout seed causal", err));
    XA_RETURN_TRY(err, xa__kget_refuse(s->layer->config, "causal", err));
    XA_RETURN_TRY(err, xa__kget_text(s->layer->config, "score_mode", "dot", &mode, err));
    XA_RETURN_TRY(err, read_sides(s, side, err));
    XA_RETURN_TRY(err, xa__ksite_scalar(s, SCALE, &scale, err));
    XA_RETURN_TRY(err, xa__ksite_scalar(s, CONCAT, &weight, err));
    if (!strcmp(mode, "dot")) {
        const xa_op_params p = {.attention = {1, (float)scale}};
        return xa__ksite_node(s, XA_OP_ATTENTION, side, 3, &p, NULL, 0, out, err);
    }
    if (strcmp(mode, "concat") != 0)
        XA_RETURN_FAIL(
            err, XA_UNSUPPORTED, "\"score_mode\" is \"%s\", expected \"dot\" or \"concat\"", mode);
    XA_RETURN_TRY(err, pairs(s, side, scale, &scores, err));
    XA_RETURN_TRY(err, sum_last(s, scores, &scores, err));
    if (weight != 1.0)
        XA_RETURN_TRY(err, xa__ksite_affine(s, scores, &weight, 1, NULL, 0, &scores, err));
    return apply(s, scores, side[2], out, err);
}

/* softmax(sum(scale*tanh(q + k))) v, where scale has a value for each feature. */
static xa_status build_additive(xa__ksite *s, int *out, xa_err *err)
{
    int side[3], scores, w[2] = {-1, -1};
    XA_RETURN_TRY(err, xa__ksite_known(s, "use_scale dropout seed causal", err));
    XA_RETURN_TRY(err, xa__kget_refuse(s->layer->config, "causal", err));
    XA_RETURN_TRY(err, read_sides(s, side, err));
    const int64_t d = xa__ksite_shape(s, side[0])->dim[1];
    const xa_shape vector = xa__kshape1(d), matrix = xa__kshape2(d, 1);
    const xa_op_params p = {.dense.units = 1};
    XA_RETURN_TRY(err, xa__ksite_weight(s, SCALE, &vector, &matrix, &w[0], err));
    XA_RETURN_TRY(err, pairs(s, side, 1.0, &scores, err));
    if (w[0] < 0)
        XA_RETURN_TRY(err, sum_last(s, scores, &scores, err));
    else
        XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_DENSE, &scores, 1, &p, w, 2, &scores, err));
    return apply(s, scores, side[2], out, err);
}

/* ---- Dot ---- */

/* x/|x| along the last axis, where |x| is at least 1e-6 in Keras 2 and 1e-7 in Keras 3. */
static xa_status to_length_one(xa__ksite *s, int *x, xa_err *err)
{
    const xa_op_params least = {
        .unary = {XA_UNARY_CLIP, s->b->keras >= 3 ? 1e-7f : 1e-6f, 3.4e38f}};
    const xa_op_params norm = {.reduce = {XA_OVER_L2, 1}};
    int length;
    XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_REDUCE, *x, &norm, &length, err));
    XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_UNARY, length, &least, &length, err));
    return xa__ksite_node(s, XA_OP_DIVIDE, (int[]){*x, length}, 2, NULL, NULL, 0, x, err);
}

/* Sums the products of two tensors of at most two axes along one axis of each. */
static xa_status build_dot(xa__ksite *s, int *out, xa_err *err)
{
    const json_t *given = json_object_get(s->layer->config, "axes");
    const xa_op_params p = {.matmul.turned = {false, true}};
    xa_shape shape = {.ndim = 0};
    int side[2];
    bool normalise;
    XA_RETURN_TRY(err, xa__ksite_known(s, "axes normalize", err));
    XA_RETURN_TRY(err, xa__kget_bool(s->layer->config, "normalize", false, &normalise, err));
    if (s->nin != 2)
        XA_RETURN_FAIL(err, XA_INVALID, "called with %d tensors, expected 2", s->nin);
    if (!given || (json_is_array(given) && json_array_size(given) != 2))
        XA_RETURN_FAIL(err, XA_FORMAT, "\"axes\" is neither a number nor two of them");
    for (int i = 0; i < 2; i++) {
        const json_t *axis = json_is_array(given) ? json_array_get(given, (size_t)i) : given;
        xa__kaxes a;
        XA_RETURN_TRY(err, xa__kaxes_read(s, axis, -1, s->in[i], &a, err));
        if (a.before.ndim > 2)
            XA_RETURN_FAIL(err,
                           XA_UNSUPPORTED,
                           "a tensor of %d dimensions besides the batch; at most 2 are supported",
                           a.before.ndim);
        const int64_t k = xa__kaxes_count(&a);
        const xa_shape matrix = xa__kshape2(xa_shape_count(&a.before) / k, k);
        if (a.before.ndim == 2)
            shape.dim[shape.ndim++] = matrix.dim[0];
        XA_RETURN_TRY(err, xa__kaxes_join(s, &a, s->in[i], &side[i], err));
        XA_RETURN_TRY(err, xa__ksite_reshape(s, side[i], &matrix, &side[i], err));
        if (normalise)
            XA_RETURN_TRY(err, to_length_one(s, &side[i], err));
    }
    if (!shape.ndim)
        shape = xa__kshape1(1);
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_MATMUL, side, 2, &p, NULL, 0, &side[0], err));
    return xa__ksite_reshape(s, side[0], &shape, out, err);
}

const xa__kclass xa__kclasses_match[] = {
    {"Attention", build_attention, attention_slots, XA__KCLASS_TRAINS},
    {"AdditiveAttention", build_additive, additive_slots, XA__KCLASS_TRAINS},
    {"Dot", build_dot, NULL, 0},
    {NULL, NULL, NULL, 0},
};
