/* Operations written into a functional graph without a layer: tf.keras 2 saves them as TFOpLambda
 * and SlicingOpLambda with the function's name, Keras 3 as classes of their own. Those of a fixed
 * list are built; no code of the file is executed. */
#include <math.h>
#include <string.h>

#include "arithmetic.h"

typedef xa_status op_fn(xa__ksite *s, int *out, xa_err *err);

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

/* Mean or maximum over height and width. */
static xa_status reduce(xa__ksite *s, xa_pool_kind kind, int *out, xa_err *err)
{
    xa_op_params p = {.global_pool = {.kind = kind}};
    const json_t *axes = xa__ksite_value(s, "axis", 1), *keep = xa__ksite_value(s, "keepdims", 2);
    bool taken[3] = {false};
    int in, at;
    XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    if (!axes)
        axes = json_object_get(s->layer->config, "axis");
    if (!keep)
        keep = json_object_get(s->layer->config, "keepdims");
    p.global_pool.keepdims = json_is_true(keep);
    for (size_t i = 0; i < json_array_size(axes); i++) {
        const json_t *axis = json_array_get(axes, i);
        if (!json_is_integer(axis))
            XA_RETURN_FAIL(err, XA_FORMAT, "\"axis\" holds no whole numbers");
        XA_RETURN_TRY(err, xa__ksite_axis(json_integer_value(axis), 3, &at, err));
        taken[at] = true;
    }
    if (!taken[0] || !taken[1] || taken[2])
        XA_RETURN_FAIL(
            err, XA_UNSUPPORTED, "a reduction over other axes than height and width ([1, 2])");
    return xa__ksite_simple(s, XA_OP_GLOBAL_POOL, in, &p, out, err);
}

static xa_status op_mean(xa__ksite *s, int *out, xa_err *err)
{
    return reduce(s, XA_POOL_AVG, out, err);
}
static xa_status op_max(xa__ksite *s, int *out, xa_err *err)
{
    return reduce(s, XA_POOL_MAX, out, err);
}

/* ---- slices ---- */

typedef struct slice {
    bool whole, dropped; /* whole: [:]; dropped: an index, which removes the axis */
    int64_t start, stop, step, count;
} slice;

static xa_status slice_error(const json_t *v, xa_err *err)
{
    char text[80];
    XA_RETURN_FAIL(err, XA_UNSUPPORTED, "the slice %s", xa__kjson_text(v, text, sizeof text));
}

static bool is_ellipsis(const json_t *v)
{
    const char *type = json_string_value(json_object_get(v, "class_name"));
    return type && strcmp(type, "__ellipsis__") == 0;
}

/* Python's rules for start:stop:step over an axis of n. */
static xa_status read_slice(const json_t *v, int64_t n, slice *out, xa_err *err)
{
    *out = (slice){.start = 0, .stop = n, .step = 1};
    if (json_is_integer(v)) {
        const int64_t i = json_integer_value(v);
        out->start = i < 0 ? i + n : i;
        if (out->start < 0 || out->start >= n)
            return slice_error(v, err);
        out->stop = out->start + 1;
        out->dropped = true;
        out->count = 1;
        return XA_OK;
    }
    const json_t *config = json_object_get(v, "config");
    const json_t *o = config ? config : v;
    const json_t *part[3] = {
        json_object_get(o, "start"), json_object_get(o, "stop"), json_object_get(o, "step")};
    if (!json_is_object(o))
        return slice_error(v, err);
    for (int i = 0; i < 3; i++)
        if (part[i] && !json_is_null(part[i]) && !json_is_integer(part[i]))
            return slice_error(v, err);
    if (json_is_integer(part[2]))
        out->step = json_integer_value(part[2]);
    if (out->step == 0 || out->step > XA__KMAX_EXTENT || out->step < -XA__KMAX_EXTENT)
        return slice_error(v, err);
    const int64_t low = out->step > 0 ? 0 : -1, high = out->step > 0 ? n : n - 1;
    int64_t *end[2] = {&out->start, &out->stop};
    *end[0] = out->step > 0 ? 0 : n - 1;
    *end[1] = out->step > 0 ? n : -1;
    for (int i = 0; i < 2; i++)
        if (json_is_integer(part[i])) {
            int64_t x = json_integer_value(part[i]);
            x = x < -n - 1 ? low : x < 0 ? x + n : x;
            *end[i] = x < low ? low : x > high ? high : x;
        }
    const int64_t span = out->step > 0 ? out->stop - out->start : out->start - out->stop;
    const int64_t step = out->step > 0 ? out->step : -out->step;
    out->count = span > 0 ? (span + step - 1) / step : 0;
    if (out->count == 0)
        return slice_error(v, err);
    out->whole = out->step == 1 && out->count == n;
    return XA_OK;
}

/* Reads one slice per axis, with the batch, and expands the ellipsis. */
static xa_status
read_slices(const json_t *spec, const xa_shape *x, slice out[XA_MAX_DIMS], xa_err *err)
{
    const json_t *one = json_is_array(spec) ? NULL : spec;
    const size_t n = one ? 1 : json_array_size(spec);
    size_t axis = 0;
    const size_t all = (size_t)x->ndim + 1;
    bool spread = false;
    slice batch;
    for (int i = 0; i < x->ndim; i++)
        out[i] = (slice){.whole = true, .stop = x->dim[i], .step = 1, .count = x->dim[i]};
    for (size_t i = 0; i < n; i++) {
        const json_t *v = one ? one : json_array_get(spec, i);
        if (is_ellipsis(v)) {
            if (spread || n - 1 > all)
                return slice_error(spec, err);
            spread = true;
            axis += all - (n - 1);
            continue;
        }
        if (axis >= all)
            return slice_error(spec, err);
        if (axis == 0) {
            /* The batch, whose extent is unknown, must stay whole. */
            XA_RETURN_TRY(err, read_slice(v, XA__KMAX_EXTENT, &batch, err));
            if (!batch.whole)
                return slice_error(spec, err);
        } else {
            XA_RETURN_TRY(err, read_slice(v, x->dim[axis - 1], &out[axis - 1], err));
        }
        axis++;
    }
    return XA_OK;
}

/* x[..., ::-1], x[:, 1:-1, 2:], x[..., 0]: channels in any order, height and width cropped. */
static xa_status op_slice(xa__ksite *s, int *out, xa_err *err)
{
    enum { MAX = 4096 };
    const json_t *spec = xa__ksite_value(s, "slice_spec", 1);
    slice cut[XA_MAX_DIMS] = {{0}};
    int channel[MAX], in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    const xa_shape x = *xa__ksite_shape(s, in);
    if (!spec || x.ndim < 1)
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "a slice that is no constant");
    XA_RETURN_TRY(err, read_slices(spec, &x, cut, err));
    const int last = x.ndim - 1;
    xa_op_params p = {0};
    bool crops = false;
    for (int i = 0; i < last; i++)
        if (!cut[i].whole) {
            if (x.ndim != 3 || cut[i].dropped || cut[i].step != 1)
                return slice_error(spec, err);
            crops = true;
        }
    if (crops) {
        p.edges.top = cut[0].start;
        p.edges.bottom = x.dim[0] - cut[0].stop;
        p.edges.left = cut[1].start;
        p.edges.right = x.dim[1] - cut[1].stop;
        XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_CROP, in, &p, &in, err));
    }
    if (!cut[last].whole) {
        if (cut[last].count > MAX)
            return slice_error(spec, err);
        for (int64_t i = 0; i < cut[last].count; i++)
            channel[i] = (int)(cut[last].start + i * cut[last].step);
        XA_RETURN_TRY(err, xa__ksite_channels(s, in, channel, (int)cut[last].count, &in, err));
    }
    if (cut[last].dropped && last > 0) {
        xa_shape shape = *xa__ksite_shape(s, in);
        shape.ndim = last;
        XA_RETURN_TRY(err, xa__ksite_reshape(s, in, &shape, &in, err));
    }
    *out = in;
    return XA_OK;
}

/* ---- tf.keras 2: functions by name ---- */

static const struct {
    const char *function;
    op_fn *build;
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
    {"math.reduce_mean", op_mean},
    {"math.reduce_max", op_max},
    {"__operators__.getitem", op_slice},
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
    {"GetItem", op_slice, NULL, 0},
    {"Stack", op_stack, NULL, 0},
    {"Mean", op_mean, NULL, 0},
    {"Max", op_max, NULL, 0},
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
