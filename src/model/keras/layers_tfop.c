/* Operations written into a functional graph without a layer: tf.keras 2 saves them as TFOpLambda
 * and SlicingOpLambda with the function's name, Keras 3 as classes of their own. Those of a fixed
 * list are built; no code of the file is executed. */
#include <math.h>
#include <string.h>

#include "arithmetic.h"
#include "ops.h"

/* ---- arithmetic ---- */

static xa_status op_add(xa__ksite *s, int *out, xa_err *err)
{
    return xa__karith_binary(s, XA__KARITH_ADD, out, err);
}
static xa_status op_subtract(xa__ksite *s, int *out, xa_err *err)
{
    return xa__karith_binary(s, XA__KARITH_SUBTRACT, out, err);
}
static xa_status op_multiply(xa__ksite *s, int *out, xa_err *err)
{
    return xa__karith_binary(s, XA__KARITH_MULTIPLY, out, err);
}
static xa_status op_divide(xa__ksite *s, int *out, xa_err *err)
{
    return xa__karith_binary(s, XA__KARITH_DIVIDE, out, err);
}
static xa_status op_maximum(xa__ksite *s, int *out, xa_err *err)
{
    return xa__karith_binary(s, XA__KARITH_MAXIMUM, out, err);
}
static xa_status op_minimum(xa__ksite *s, int *out, xa_err *err)
{
    return xa__karith_binary(s, XA__KARITH_MINIMUM, out, err);
}

static xa_status op_negative(xa__ksite *s, int *out, xa_err *err)
{
    const double minus = -1.0;
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    return xa__ksite_affine(s, in, &minus, 1, NULL, 0, out, err);
}

static xa_status op_square(xa__ksite *s, int *out, xa_err *err)
{
    int in[2];
    XA_RETURN_TRY(err, xa__ksite_one(s, &in[0], err));
    in[1] = in[0];
    return xa__ksite_node(s, XA_OP_MULTIPLY, in, 2, NULL, NULL, 0, out, err);
}

static xa_status op_identity(xa__ksite *s, int *out, xa_err *err)
{
    return xa__ksite_one(s, out, err);
}

/* tf.cast to a floating type; a cast to any other type would truncate values, and is refused. */
static xa_status op_cast(xa__ksite *s, int *out, xa_err *err)
{
    const json_t *dtype = xa__ksite_value(s, "dtype", 1);
    const char *name = json_string_value(dtype);
    if (!name)
        name = json_string_value(json_object_get(s->layer->config, "dtype"));
    if (!name || !strstr(name, "float"))
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "a cast to \"%s\"", name ? name : "?");
    return xa__ksite_one(s, out, err);
}

/* keras.ops.convert_to_tensor of a tensor: itself, in another type of floating point at most. */
static xa_status op_convert(xa__ksite *s, int *out, xa_err *err)
{
    const json_t *dtype = xa__ksite_value(s, "dtype", 1);
    const char *name = json_string_value(dtype);
    if (dtype && !json_is_null(dtype) && (!name || !strstr(name, "float")))
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "a conversion to \"%s\"", name ? name : "?");
    return xa__ksite_one(s, out, err);
}

/* ---- activations ---- */

static xa_status op_relu(xa__ksite *s, int *out, xa_err *err)
{
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    return xa__ksite_activate_name(s, "relu", in, out, err);
}

/* The function's name without its module is the activation's. */
static xa_status op_named(xa__ksite *s, int *out, xa_err *err)
{
    const char *function = json_string_value(json_object_get(s->layer->config, "function"));
    const char *dot = function ? strrchr(function, '.') : NULL;
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    return xa__ksite_activate_name(s, dot ? dot + 1 : function, in, out, err);
}

static bool setting(const xa__ksite *s, const char *key, int position, double *x)
{
    const json_t *v = xa__ksite_value(s, key, position);
    if (!v)
        v = json_object_get(s->layer->config, key);
    return v && xa__kjson_number(v, x);
}

static xa_status op_leaky_relu(xa__ksite *s, int *out, xa_err *err)
{
    xa_activation a = xa_activation_default(XA_ACT_RELU);
    double slope = 0.2;
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    if (!setting(s, "negative_slope", -1, &slope))
        (void)setting(s, "alpha", 1, &slope);
    a.a = (float)slope;
    return xa__ksite_activate_kind(s, a, in, out, err);
}

static xa_status op_elu(xa__ksite *s, int *out, xa_err *err)
{
    xa_activation a = xa_activation_default(XA_ACT_ELU);
    double alpha = 1.0;
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    (void)setting(s, "alpha", 1, &alpha);
    a.a = (float)alpha;
    return xa__ksite_activate_kind(s, a, in, out, err);
}

/* Exact unless the call says otherwise: Keras 3's operation is approximate by default, but always
 * writes which it is. */
static xa_status op_gelu(xa__ksite *s, int *out, xa_err *err)
{
    const json_t *v = xa__ksite_value(s, "approximate", 1);
    int in;
    if (!v)
        v = json_object_get(s->layer->config, "approximate");
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    return xa__ksite_activate_kind(
        s, xa_activation_default(json_is_true(v) ? XA_ACT_GELU_TANH : XA_ACT_GELU), in, out, err);
}

static xa_status op_softmax(xa__ksite *s, int *out, xa_err *err)
{
    const json_t *axis = xa__ksite_value(s, "axis", 1);
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    if (!axis)
        axis = json_object_get(s->layer->config, "axis");
    return xa__ksite_softmax(s, axis, in, out, err);
}

/* clip(x, low, high) = min(relu(x - low), high - low) + low */
static xa_status op_clip(xa__ksite *s, int *out, xa_err *err)
{
    xa_activation a = xa_activation_default(XA_ACT_RELU);
    double low, high;
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    if ((!setting(s, "clip_value_min", 1, &low) && !setting(s, "x_min", 1, &low)) ||
        (!setting(s, "clip_value_max", 2, &high) && !setting(s, "x_max", 2, &high)) || high < low)
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "a clip without two constant limits");
    const double minus = -low;
    a.b = (float)(high - low);
    XA_RETURN_TRY(err, xa__ksite_affine(s, in, NULL, 0, &minus, 1, &in, err));
    XA_RETURN_TRY(err, xa__ksite_activate_kind(s, a, in, &in, err));
    return xa__ksite_affine(s, in, NULL, 0, &low, 1, out, err);
}

/* ---- shapes ---- */

static xa_status op_concat(xa__ksite *s, int *out, xa_err *err)
{
    double axis = -1;
    (void)setting(s, "axis", 1, &axis);
    return xa__ksite_concat(s, s->in, s->nin, (int64_t)axis, out, err);
}

/* Stacks tensors along a new last axis. */
static xa_status op_stack(xa__ksite *s, int *out, xa_err *err)
{
    enum { MAX = 64 };
    double axis = 0;
    int wide[MAX];
    (void)setting(s, "axis", 1, &axis);
    const int ndim = xa__ksite_shape(s, s->in[0])->ndim;
    if ((axis != -1 && axis != ndim + 1) || s->nin > MAX || ndim >= XA_MAX_DIMS)
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "stacks on an axis other than the last");
    for (int i = 0; i < s->nin; i++) {
        xa_shape shape = *xa__ksite_shape(s, s->in[i]);
        shape.dim[shape.ndim++] = 1;
        XA_RETURN_TRY(err, xa__ksite_reshape(s, s->in[i], &shape, &wide[i], err));
    }
    return xa__ksite_concat(s, wide, s->nin, -1, out, err);
}

static xa_status op_reshape(xa__ksite *s, int *out, xa_err *err)
{
    const json_t *dims = xa__ksite_value(s, "shape", 1);
    xa_shape shape;
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    XA_RETURN_TRY(err, xa__ksite_target(s, in, dims, 1, &shape, err));
    return xa__ksite_reshape(s, in, &shape, out, err);
}

/* ---- tf.keras 2: functions by name ---- */

static const struct {
    const char *function;
    xa__kbuild_fn *build;
} functions[] = {
    {"math.add", op_add},
    {"__operators__.add", op_add},
    {"nn.bias_add", op_add},
    {"math.subtract", op_subtract},
    {"__operators__.subtract", op_subtract},
    {"math.multiply", op_multiply},
    {"__operators__.multiply", op_multiply},
    {"math.truediv", op_divide},
    {"math.divide", op_divide},
    {"__operators__.truediv", op_divide},
    {"math.maximum", op_maximum},
    {"math.minimum", op_minimum},
    {"math.negative", op_negative},
    {"math.square", op_square},
    {"identity", op_identity},
    {"cast", op_cast},
    {"nn.relu", op_relu},
    {"nn.relu6", op_named},
    {"nn.elu", op_named},
    {"nn.selu", op_named},
    {"nn.silu", op_named},
    {"nn.swish", op_named},
    {"nn.softplus", op_named},
    {"nn.softsign", op_named},
    {"nn.sigmoid", op_named},
    {"nn.tanh", op_named},
    {"math.sigmoid", op_named},
    {"math.tanh", op_named},
    {"math.softplus", op_named},
    {"math.exp", op_named},
    {"nn.leaky_relu", op_leaky_relu},
    {"nn.gelu", op_gelu},
    {"nn.softmax", op_softmax},
    {"clip_by_value", op_clip},
    {"concat", op_concat},
    {"stack", op_stack},
    {"reshape", op_reshape},
    {"math.reduce_mean", xa__kop_mean},
    {"math.reduce_max", xa__kop_max},
    {"math.reduce_min", xa__kop_min},
    {"math.reduce_sum", xa__kop_sum},
    {"__operators__.getitem", xa__kop_slice},
};

static xa_status build_tf_op(xa__ksite *s, int *out, xa_err *err)
{
    const char *function = json_string_value(json_object_get(s->layer->config, "function"));
    for (size_t i = 0; function && i < sizeof functions / sizeof *functions; i++)
        if (strcmp(function, functions[i].function) == 0)
            return functions[i].build(s, out, err);
    XA_RETURN_FAIL(err,
                   XA_UNSUPPORTED,
                   "the function tf.%s is not supported; write it with Keras layers",
                   function ? function : "?");
}

/* ---- Keras 3: classes ---- */

#define BY_NAME(function, text)                                    \
    static xa_status function(xa__ksite *s, int *out, xa_err *err) \
    {                                                              \
        int in;                                                    \
        XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));            \
        return xa__ksite_activate_name(s, text, in, out, err);     \
    }
BY_NAME(op3_relu6, "relu6")
BY_NAME(op3_sigmoid, "sigmoid")
BY_NAME(op3_tanh, "tanh")
BY_NAME(op3_softplus, "softplus")
BY_NAME(op3_softsign, "softsign")
BY_NAME(op3_silu, "silu")
BY_NAME(op3_selu, "selu")
BY_NAME(op3_hard_sigmoid, "hard_sigmoid")
BY_NAME(op3_hard_silu, "hard_silu")
BY_NAME(op3_hard_tanh, "hard_tanh")
BY_NAME(op3_exp, "exp")

const xa__kclass xa__kclasses_tfop[] = {
    {"TFOpLambda", build_tf_op, NULL, XA__KCLASS_SCALES},
    {"SlicingOpLambda", build_tf_op, NULL, 0},
    {"Negative", op_negative, NULL, XA__KCLASS_SCALES},
    {"Square", op_square, NULL, 0},
    {"Cast", op_cast, NULL, 0},
    {"ConvertToTensor", op_convert, NULL, 0},
    {"GetItem", xa__kop_slice, NULL, 0},
    {"Stack", op_stack, NULL, 0},
    {"Mean", xa__kop_mean, NULL, 0},
    {"Max", xa__kop_max, NULL, 0},
    {"Amax", xa__kop_max, NULL, 0},
    {"Min", xa__kop_min, NULL, 0},
    {"Amin", xa__kop_min, NULL, 0},
    {"Sum", xa__kop_sum, NULL, 0},
    {"Clip", op_clip, NULL, 0},
    {"Relu", op_relu, NULL, 0},
    {"Relu6", op3_relu6, NULL, 0},
    {"LeakyRelu", op_leaky_relu, NULL, 0},
    {"Elu", op_elu, NULL, 0},
    {"Selu", op3_selu, NULL, 0},
    {"Gelu", op_gelu, NULL, 0},
    {"Silu", op3_silu, NULL, 0},
    {"Sigmoid", op3_sigmoid, NULL, 0},
    {"Tanh", op3_tanh, NULL, 0},
    {"Softplus", op3_softplus, NULL, 0},
    {"Softsign", op3_softsign, NULL, 0},
    {"HardSigmoid", op3_hard_sigmoid, NULL, 0},
    {"HardSilu", op3_hard_silu, NULL, 0},
    {"HardTanh", op3_hard_tanh, NULL, 0},
    {"Exp", op3_exp, NULL, 0},
    {NULL, NULL, NULL, 0},
};
