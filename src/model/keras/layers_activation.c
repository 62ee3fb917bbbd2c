/* Activations: as layers, as arguments, by name. */
#include <math.h>
#include <string.h>

#include "axes.h"
#include "scope.h"

/* ---- names ---- */

/* Names of activations that are one operator with Keras' defaults. */
static const struct {
    const char *name;
    xa_activation_kind kind;
} plain_names[] = {
    {"relu", XA_ACT_RELU},
    {"elu", XA_ACT_ELU},
    {"celu", XA_ACT_ELU}, /* alpha 1: the same function */
    {"selu", XA_ACT_SELU},
    {"sigmoid", XA_ACT_SIGMOID},
    {"tanh", XA_ACT_TANH},
    {"swish", XA_ACT_SWISH},
    {"silu", XA_ACT_SWISH},
    {"gelu", XA_ACT_GELU},
    {"softplus", XA_ACT_SOFTPLUS},
    {"softsign", XA_ACT_SOFTSIGN},
    {"exponential", XA_ACT_EXP},
    {"exp", XA_ACT_EXP},
    {"hard_swish", XA_ACT_HARD_SWISH},
    {"hard_silu", XA_ACT_HARD_SWISH},
    {"mish", XA_ACT_MISH},
};

static xa_activation relu(double slope, double most, double threshold)
{
    xa_activation a = {.kind = XA_ACT_RELU};
    a.a = (float)slope;
    a.b = (float)most;
    a.c = (float)threshold;
    return a;
}

xa_status xa__ksite_activate_kind(xa__ksite *s, xa_activation a, int in, int *out, xa_err *err)
{
    const xa_op_params p = {.activation = a};
    s->layer->is_activation = true;
    return xa__ksite_simple(s, XA_OP_ACTIVATION, in, &p, out, err);
}

static xa_status scaled(xa__ksite *s, double scale, double shift, int in, int *out, xa_err *err)
{
    return xa__ksite_affine(
        s, in, scale == 1.0 ? NULL : &scale, 1, shift == 0.0 ? NULL : &shift, 1, out, err);
}

/* clip(x, -1, 1) = min(relu(x + 1), 2) - 1 */
static xa_status hard_tanh(xa__ksite *s, int in, int *out, xa_err *err)
{
    int a;
    XA_RETURN_TRY(err, scaled(s, 1, 1, in, &a, err));
    XA_RETURN_TRY(err, xa__ksite_activate_kind(s, relu(0, 2, 0), a, &a, err));
    return scaled(s, 1, -1, a, out, err);
}

/* log(sigmoid(x)) = -softplus(-x) */
static xa_status log_sigmoid(xa__ksite *s, int in, int *out, xa_err *err)
{
    int a;
    XA_RETURN_TRY(err, scaled(s, -1, 0, in, &a, err));
    XA_RETURN_TRY(err,
                  xa__ksite_activate_kind(s, xa_activation_default(XA_ACT_SOFTPLUS), a, &a, err));
    return scaled(s, -1, 0, a, out, err);
}

/* f(x) - f(-x), where f is a relu: for soft shrink relu(x - 1/2), for hard shrink x if x > 1/2. */
static xa_status shrink(xa__ksite *s, bool soft, int in, int *out, xa_err *err)
{
    int pair[2], minus;
    const double shift = soft ? -0.5 : 0.0;
    const xa_activation f = relu(0, INFINITY, soft ? 0 : 0.5);
    XA_RETURN_TRY(err, scaled(s, 1, shift, in, &pair[0], err));
    XA_RETURN_TRY(err, scaled(s, -1, shift, in, &minus, err));
    XA_RETURN_TRY(err, xa__ksite_activate_kind(s, f, pair[0], &pair[0], err));
    XA_RETURN_TRY(err, xa__ksite_activate_kind(s, f, minus, &pair[1], err));
    return xa__ksite_node(s, XA_OP_SUBTRACT, pair, 2, NULL, NULL, 0, out, err);
}

/* x - tanh(x) */
static xa_status tanh_shrink(xa__ksite *s, int in, int *out, xa_err *err)
{
    int pair[2] = {in, -1};
    XA_RETURN_TRY(
        err, xa__ksite_activate_kind(s, xa_activation_default(XA_ACT_TANH), in, &pair[1], err));
    return xa__ksite_node(s, XA_OP_SUBTRACT, pair, 2, NULL, NULL, 0, out, err);
}

/* 0 below -1, (x + 1)^2/4, x above 1: u*u/4 + relu(x - 1) with u = min(relu(x + 1), 2) */
static xa_status sparse_plus(xa__ksite *s, int in, int *out, xa_err *err)
{
    int a, u[2], sum[2];
    XA_RETURN_TRY(err, scaled(s, 1, 1, in, &a, err));
    XA_RETURN_TRY(err, xa__ksite_activate_kind(s, relu(0, 2, 0), a, &a, err));
    XA_RETURN_TRY(err, scaled(s, 0.5, 0, a, &u[0], err));
    u[1] = u[0];
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_MULTIPLY, u, 2, NULL, NULL, 0, &sum[0], err));
    XA_RETURN_TRY(err, scaled(s, 1, -1, in, &a, err));
    XA_RETURN_TRY(err, xa__ksite_activate_kind(s, relu(0, INFINITY, 0), a, &sum[1], err));
    return xa__ksite_node(s, XA_OP_ADD, sum, 2, NULL, NULL, 0, out, err);
}

xa_status xa__ksite_softmax(xa__ksite *s, const json_t *axis, int in, int *out, xa_err *err)
{
    xa__kaxes axes;
    if (s->turned && xa__ksite_shape(s, in)->ndim == 3)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "a softmax inside a layer with channels_first is along its columns");
    XA_RETURN_TRY(err, xa__kaxes_read(s, axis, -1, in, &axes, err));
    XA_RETURN_TRY(err, xa__kaxes_join(s, &axes, in, &in, err));
    s->layer->is_activation = true;
    XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_SOFTMAX, in, NULL, &in, err));
    return xa__kaxes_restore(s, &axes, in, out, err);
}

static xa_status foreign_activation(const char *named, const char *name, xa_err *err)
{
    XA_RETURN_FAIL(
        err,
        XA_UNSUPPORTED,
        "its activation is the user's \"%s\", which is not Keras' own %s: what it computes "
        "is not in the file. If it computes the same, build the model with Keras' %s and "
        "save it again, or write user_classes: [\"%s\"] for the model in the job",
        named,
        name,
        name,
        named);
}

xa_status xa__ksite_activate_name(xa__ksite *s, const char *written, int in, int *out, xa_err *err)
{
    const char *name = xa__kclass_bare(written);
    char named[256];
    if (!xa__kclass_is_own(NULL, written, false, named, sizeof named)) {
        if (!xa__kclass_is_listed(s->b->user_classes, named))
            return foreign_activation(named, name, err);
        s->layer->foreign = true;
    }
    for (size_t i = 0; i < sizeof plain_names / sizeof *plain_names; i++)
        if (strcmp(name, plain_names[i].name) == 0)
            return xa__ksite_activate_kind(
                s, xa_activation_default(plain_names[i].kind), in, out, err);
    if (strcmp(name, "linear") == 0 || strcmp(name, "identity") == 0) {
        *out = in;
        return XA_OK;
    }
    if (strcmp(name, "softmax") == 0)
        return xa__ksite_softmax(s, NULL, in, out, err);
    if (strcmp(name, "relu6") == 0)
        return xa__ksite_activate_kind(s, relu(0, 6, 0), in, out, err);
    if (strcmp(name, "leaky_relu") == 0)
        return xa__ksite_activate_kind(s, relu(0.2, INFINITY, 0), in, out, err);
    if (strcmp(name, "hard_sigmoid") == 0) {
        xa_activation a = {.kind = XA_ACT_HARD_SIGMOID, .a = 0.2f, .b = 0.5f};
        if (s->b->keras >= 3)
            a.a = 1.0f / 6.0f;
        return xa__ksite_activate_kind(s, a, in, out, err);
    }
    if (strcmp(name, "hard_tanh") == 0)
        return hard_tanh(s, in, out, err);
    if (strcmp(name, "log_sigmoid") == 0)
        return log_sigmoid(s, in, out, err);
    if (strcmp(name, "soft_shrink") == 0 || strcmp(name, "hard_shrink") == 0)
        return shrink(s, name[0] == 's', in, out, err);
    if (strcmp(name, "tanh_shrink") == 0)
        return tanh_shrink(s, in, out, err);
    if (strcmp(name, "sparse_plus") == 0)
        return sparse_plus(s, in, out, err);
    XA_RETURN_FAIL(err, XA_UNSUPPORTED, "activation \"%s\" is not supported", written);
}

/* ---- as an argument ---- */

/* Applies a layer object that is the activation of another layer. */
static xa_status
activate_layer(xa__ksite *s, const char *type, const json_t *config, int in, int *out, xa_err *err)
{
    const xa__kclass *cls = xa__kclass_find(type);
    if (!cls || !(cls->flags & XA__KCLASS_ACTIVATION) || cls->slots)
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "activation of class \"%s\" is not supported", type);
    xa__klayer layer = *s->layer;
    layer.config = config;
    layer.cls = cls;
    xa__ksite site = {s->b, &layer, NULL, &in, 1, s->turned};
    XA_RETURN_TRY(err, cls->build(&site, out, err));
    s->layer->is_activation = layer.is_activation;
    return XA_OK;
}

/* Is it a function by its name, {"module": "builtins", "class_name": "function", "config":
 * "my>relu"}? Its package stands in the name. */
static bool is_builtin(const json_t *value, const char *type)
{
    const char *module = json_string_value(json_object_get(value, "module"));
    return !strcmp(type, "function") && (!module || !strcmp(module, "builtins"));
}

xa_status xa__ksite_activate(xa__ksite *s, const json_t *value, int in, int *out, xa_err *err)
{
    if (!value || json_is_null(value)) {
        *out = in;
        return XA_OK;
    }
    if (json_is_string(value))
        return xa__ksite_activate_name(s, json_string_value(value), in, out, err);
    const char *type = json_string_value(json_object_get(value, "class_name"));
    const json_t *config = json_object_get(value, "config");
    const char *function = type ? json_string_value(config) : NULL;
    char named[256];
    if (type && !is_builtin(value, type) &&
        !xa__kclass_is_own(value, type, false, named, sizeof named)) {
        if (!xa__kclass_is_listed(s->b->user_classes, named))
            return foreign_activation(named, function ? function : xa__kclass_bare(type), err);
        s->layer->foreign = true;
    }
    if (function) /* {"class_name": "function", "config": "relu"} */
        return xa__ksite_activate_name(s, function, in, out, err);
    if (type && xa__kclass_find(xa__kclass_bare(type)))
        return activate_layer(s, xa__kclass_bare(type), config, in, out, err);
    if (type)
        return xa__ksite_activate_name(s, type, in, out, err);
    char text[80];
    XA_RETURN_FAIL(err,
                   XA_FORMAT,
                   "\"activation\" is %s, expected a name",
                   xa__kjson_text(value, text, sizeof text));
}

/* ---- layers ---- */

static xa_status build_activation(xa__ksite *s, int *out, xa_err *err)
{
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    return xa__ksite_activate(s, json_object_get(s->layer->config, "activation"), in, out, err);
}

static xa_status build_relu(xa__ksite *s, int *out, xa_err *err)
{
    double slope, most, threshold;
    int in;
    const json_t *c = s->layer->config;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    XA_RETURN_TRY(err, xa__kget_real(c, "negative_slope", 0, &slope, err));
    XA_RETURN_TRY(err, xa__kget_real(c, "max_value", INFINITY, &most, err));
    XA_RETURN_TRY(err, xa__kget_real(c, "threshold", 0, &threshold, err));
    return xa__ksite_activate_kind(s, relu(slope, most, threshold), in, out, err);
}

static xa_status build_leaky_relu(xa__ksite *s, int *out, xa_err *err)
{
    double slope;
    int in;
    const json_t *c = s->layer->config;
    const char *key = xa__kget_absent(c, "negative_slope") ? "alpha" : "negative_slope";
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    XA_RETURN_TRY(err, xa__kget_real(c, key, 0.3, &slope, err));
    return xa__ksite_activate_kind(s, relu(slope, INFINITY, 0), in, out, err);
}

static xa_status build_thresholded_relu(xa__ksite *s, int *out, xa_err *err)
{
    double theta;
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    XA_RETURN_TRY(err, xa__kget_real(s->layer->config, "theta", 1.0, &theta, err));
    return xa__ksite_activate_kind(s, relu(0, INFINITY, theta), in, out, err);
}

static xa_status build_elu(xa__ksite *s, int *out, xa_err *err)
{
    double alpha;
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    XA_RETURN_TRY(err, xa__kget_real(s->layer->config, "alpha", 1.0, &alpha, err));
    const xa_activation a = {.kind = XA_ACT_ELU, .a = (float)alpha};
    return xa__ksite_activate_kind(s, a, in, out, err);
}

static xa_status build_softmax(xa__ksite *s, int *out, xa_err *err)
{
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    return xa__ksite_softmax(s, json_object_get(s->layer->config, "axis"), in, out, err);
}

static const xa__kslot prelu_slots[] = {
    {"alpha", NULL, NULL, true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

static xa_status build_prelu(xa__ksite *s, int *out, xa_err *err)
{
    int in, w;
    const json_t *shared = json_object_get(s->layer->config, "shared_axes");
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    xa_shape shape = *xa__ksite_shape(s, in);
    for (size_t i = 0; i < json_array_size(shared); i++) {
        const json_t *axis = json_array_get(shared, i);
        int at;
        if (!json_is_integer(axis))
            XA_RETURN_FAIL(err, XA_FORMAT, "\"shared_axes\" holds no whole numbers");
        XA_RETURN_TRY(err, xa__ksite_axis(json_integer_value(axis), shape.ndim, &at, err));
        shape.dim[at] = 1;
    }
    XA_RETURN_TRY(err, xa__ksite_weight(s, 0, &shape, NULL, &w, err));
    s->layer->is_activation = true;
    return xa__ksite_node(s, XA_OP_PRELU, &in, 1, NULL, &w, 1, out, err);
}

const xa__kclass xa__kclasses_activation[] = {
    {"Activation", build_activation, NULL, XA__KCLASS_ACTIVATION},
    {"ReLU", build_relu, NULL, XA__KCLASS_ACTIVATION},
    {"LeakyReLU", build_leaky_relu, NULL, XA__KCLASS_ACTIVATION},
    {"ThresholdedReLU", build_thresholded_relu, NULL, XA__KCLASS_ACTIVATION},
    {"ELU", build_elu, NULL, XA__KCLASS_ACTIVATION},
    {"Softmax", build_softmax, NULL, XA__KCLASS_ACTIVATION},
    {"PReLU", build_prelu, prelu_slots, XA__KCLASS_ACTIVATION},
    {NULL, NULL, NULL, 0},
};
