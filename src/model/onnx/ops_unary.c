/* Elementwise operators of one input. */
#include <math.h>
#include <string.h>

#include "runs.h"

/* ---- of constants ---- */

typedef double unary_fn(double);

static double f_not(double x)
{
    return x < 0.0 || x > 0.0 ? 0.0 : 1.0;
}
static double f_neg(double x)
{
    return -x;
}
static double f_reciprocal(double x)
{
    return 1.0 / x;
}
static double f_sign(double x)
{
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0;
}
static double f_relu(double x)
{
    return x > 0.0 ? x : isnan(x) ? x : 0.0;
}
static double f_sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}
static double f_is_nan(double x)
{
    return isnan(x) ? 1.0 : 0.0;
}
static double f_round(double x)
{
    return rint(x);
}

static const struct {
    const char *name;
    unary_fn *fn;
} functions[] = {{"Not", f_not},
                 {"Neg", f_neg},
                 {"Reciprocal", f_reciprocal},
                 {"Sign", f_sign},
                 {"Relu", f_relu},
                 {"Sigmoid", f_sigmoid},
                 {"IsNaN", f_is_nan},
                 {"Round", f_round},
                 {"Abs", fabs},
                 {"Ceil", ceil},
                 {"Floor", floor},
                 {"Sqrt", sqrt},
                 {"Exp", exp},
                 {"Log", log},
                 {"Erf", erf},
                 {"Tanh", tanh},
                 {"Sin", sin},
                 {"Cos", cos}};

static xa_status unary_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const double *x = xa__onnx_data(b, n->inputs[0]);
    const int64_t count = xa__onnx_count(&xa__onnx_in(b, n, 0)->shape);
    double *data;
    unary_fn *fn = NULL;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcmp(functions[i].name, n->op))
            fn = functions[i].fn;
    if (!fn)
        return xa__onnx_refuse(b, n, err, "it is not read of constants");
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    for (int64_t i = 0; i < count; i++)
        data[i] = fn(x[i]);
    return XA_OK;
}

static xa_status truth_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    return xa__onnx_set(b, n, 0, XA__ONNX_BOOL, &xa__onnx_in(b, n, 0)->shape, err);
}

/* ---- activations ---- */

static xa_status activate(xa__onnx_build *b, xa__onnx_node *n, xa_activation act, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    int id;
    XA_RETURN_TRY(err, xa__onnx_activate(b, n, act, x->node, &id, err));
    xa__onnx_made(b, n, 0, id, &x->at);
    return XA_OK;
}

static const struct {
    const char *name;
    xa_activation_kind kind;
} plain[] = {{"Relu", XA_ACT_RELU},
             {"Sigmoid", XA_ACT_SIGMOID},
             {"Tanh", XA_ACT_TANH},
             {"Exp", XA_ACT_EXP},
             {"Softplus", XA_ACT_SOFTPLUS},
             {"Softsign", XA_ACT_SOFTSIGN},
             {"Mish", XA_ACT_MISH},
             {"HardSwish", XA_ACT_HARD_SWISH}};

static xa_status activation_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (!strcmp(plain[i].name, n->op))
            return activate(b, n, xa_activation_default(plain[i].kind), err);
    return xa__onnx_refuse(b, n, err, "it is read of constants only");
}

static xa_status swish_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa_activation a = xa_activation_default(XA_ACT_SWISH);
    a.a = (float)(n->setting[0] > 0.0 ? n->setting[0] : xa__onnx_float(b->m, n, "alpha", 1.0));
    return activate(b, n, a, err);
}

static xa_status leaky_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa_activation a = xa_activation_default(XA_ACT_RELU);
    a.a = (float)xa__onnx_float(b->m, n, "alpha", 0.01);
    return activate(b, n, a, err);
}

static xa_status elu_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa_activation a = xa_activation_default(XA_ACT_ELU);
    a.a = (float)xa__onnx_float(b->m, n, "alpha", 1.0);
    return activate(b, n, a, err);
}

/* scale * ELU(x / inner) with that slope at minus infinity */
static xa_status scaled_elu(
    xa__onnx_build *b, xa__onnx_node *n, double inner, double slope, double scale, xa_err *err)
{
    xa_activation a = xa_activation_default(XA_ACT_ELU);
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    a.a = (float)slope;
    XA_RETURN_TRY(err, xa__onnx_scale(b, n, 1.0 / inner, 0.0, run.node, &run.node, err));
    XA_RETURN_TRY(err, xa__onnx_activate(b, n, a, run.node, &run.node, err));
    XA_RETURN_TRY(err, xa__onnx_scale(b, n, scale, 0.0, run.node, &run.node, err));
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}

static xa_status selu_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const double alpha = xa__onnx_float(b->m, n, "alpha", 1.67326319217681884765625);
    const double gamma = xa__onnx_float(b->m, n, "gamma", 1.05070102214813232421875);
    if (fabs(alpha - 1.6732632) > 1e-6 || fabs(gamma - 1.0507010) > 1e-6)
        return scaled_elu(b, n, 1.0, alpha, gamma, err);
    return activate(b, n, xa_activation_default(XA_ACT_SELU), err);
}

static xa_status celu_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const double alpha = xa__onnx_float(b->m, n, "alpha", 1.0);
    if (!(alpha < 0.0) && !(alpha > 0.0))
        return xa__onnx_refuse(b, n, err, "its alpha is %g", alpha);
    return scaled_elu(b, n, alpha, 1.0, alpha, err);
}

/* x where it is above alpha, else 0 */
static xa_status thresholded_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa_activation a = xa_activation_default(XA_ACT_RELU);
    const double alpha = xa__onnx_float(b->m, n, "alpha", 1.0);
    if (alpha < 0.0)
        return xa__onnx_refuse(b, n, err, "its alpha %g is below 0", alpha);
    a.c = nextafterf((float)alpha, INFINITY);
    return activate(b, n, a, err);
}

static xa_status hard_sigmoid_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa_activation a = xa_activation_default(XA_ACT_HARD_SIGMOID);
    a.a = (float)xa__onnx_float(b->m, n, "alpha", 0.2);
    a.b = (float)xa__onnx_float(b->m, n, "beta", 0.5);
    return activate(b, n, a, err);
}

static xa_status gelu_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const char *how =
        xa__onnx_string(b->m, n, "approximate", n->setting[0] > 0.0 ? "tanh" : "none");
    if (strcmp(how, "none") != 0 && strcmp(how, "tanh") != 0)
        return xa__onnx_refuse(b, n, err, "its approximation \"%s\" is not read", how);
    return activate(
        b, n, xa_activation_default(strcmp(how, "tanh") ? XA_ACT_GELU : XA_ACT_GELU_TANH), err);
}

static xa_status neg_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    int id;
    XA_RETURN_TRY(err, xa__onnx_scale(b, n, -1.0, 0.0, x->node, &id, err));
    xa__onnx_made(b, n, 0, id, &x->at);
    return XA_OK;
}

/* ---- functions ---- */

static const struct {
    const char *name;
    xa_unary_kind kind;
} curves[] = {{"Sqrt", XA_UNARY_SQRT},
              {"Log", XA_UNARY_LOG},
              {"Abs", XA_UNARY_ABS},
              {"Reciprocal", XA_UNARY_RECIPROCAL},
              {"Erf", XA_UNARY_ERF},
              {"Sin", XA_UNARY_SIN},
              {"Cos", XA_UNARY_COS},
              {"Floor", XA_UNARY_FLOOR},
              {"Ceil", XA_UNARY_CEIL},
              {"Round", XA_UNARY_ROUND},
              {"Sign", XA_UNARY_SIGN}};

static xa_status curve_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    xa_op_params p = {0};
    int id;
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (!strcmp(curves[i].name, n->op))
            p.unary.kind = curves[i].kind;
    XA_RETURN_TRY(err, xa__onnx_add_unary(b, n, XA_OP_UNARY, &p, x->node, &id, err));
    xa__onnx_made(b, n, 0, id, &x->at);
    return XA_OK;
}

/* ---- Clip ---- */

/* Bounds; false if one is not a known number. */
static bool bounds_of(xa__onnx_build *b, const xa__onnx_node *n, double *low, double *high)
{
    *low = xa__onnx_float(b->m, n, "min", -INFINITY);
    *high = xa__onnx_float(b->m, n, "max", INFINITY);
    /* before 11 they are attributes whose defaults are float32's largest */
    return (!xa__onnx_in(b, n, 1) || xa__onnx_scalar(b, n->inputs[1], low)) &&
           (!xa__onnx_in(b, n, 2) || xa__onnx_scalar(b, n->inputs[2], high));
}

static xa_status clip_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    double low, high;
    if (!bounds_of(b, n, &low, &high))
        return xa__onnx_refuse(b, n, err, "its bounds are not known numbers");
    return xa__onnx_infer_same(b, n, err);
}

static xa_status clip_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const double *x = xa__onnx_data(b, n->inputs[0]);
    const int64_t count = xa__onnx_count(&xa__onnx_in(b, n, 0)->shape);
    double *data, low, high;
    bounds_of(b, n, &low, &high);
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    for (int64_t i = 0; i < count; i++) {
        const double v = x[i] < low ? low : x[i];
        data[i] = v > high ? high : v;
    }
    return XA_OK;
}

static xa_status clip_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    double low, high;
    int id;
    bounds_of(b, n, &low, &high);
    low = low > high ? high : low;
    if (!(low < 0.0) && !(low > 0.0) && high > 0.0) {
        xa_activation a = xa_activation_default(XA_ACT_RELU);
        a.b = (float)high;
        return activate(b, n, a, err);
    }
    const xa_op_params p = {.unary = {.kind = XA_UNARY_CLIP, .a = (float)low, .b = (float)high}};
    XA_RETURN_TRY(err, xa__onnx_add_unary(b, n, XA_OP_UNARY, &p, x->node, &id, err));
    xa__onnx_made(b, n, 0, id, &x->at);
    return XA_OK;
}

/* ---- PRelu ---- */

static xa_status prelu_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_shape s;
    const xa__onnx_value *x = xa__onnx_in(b, n, 0), *slope = xa__onnx_in(b, n, 1);
    if (!slope->constant)
        return xa__onnx_refuse(b, n, err, "its slope depends on the image");
    if (!xa__onnx_broadcast(&x->shape, &slope->shape, &s) || !xa__onnx_shape_equal(&s, &x->shape))
        return xa__onnx_refuse(b, n, err, "its slope does not fit its input");
    return xa__onnx_infer_same(b, n, err);
}

/* Any slopes: max(x, 0) + slope*min(x, 0) */
static xa_status prelu_composed(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    xa__onnx_run above = *x, below;
    XA_RETURN_TRY(
        err,
        xa__onnx_activate(b, n, xa_activation_default(XA_ACT_RELU), x->node, &above.node, err));
    XA_RETURN_TRY(err, xa__onnx_pair(b, n, XA_OP_SUBTRACT, x, &above, &below, err));
    XA_RETURN_TRY(err, xa__onnx_with(b, n, XA_OP_MULTIPLY, &below, n->inputs[1], &below, err));
    XA_RETURN_TRY(err, xa__onnx_pair(b, n, XA_OP_ADD, &above, &below, &above, err));
    xa__onnx_made(b, n, 0, above.node, &above.at);
    return XA_OK;
}

/* One slope, or one a channel of an image. */
static xa_status prelu_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 1)->shape;
    const int64_t count = xa__onnx_count(s);
    const int axis = x->at.rank - s->rank; /* of the slope's first extent */
    int id, node;
    double slope;
    if (count == 1 && xa__onnx_scalar(b, n->inputs[1], &slope)) {
        xa_activation a = xa_activation_default(XA_ACT_RELU);
        a.a = (float)slope;
        return activate(b, n, a, err);
    }
    if (x->at.rank != 4 || s->rank < 3 || s->dim[1 - axis] != count)
        return prelu_composed(b, n, err);
    XA_RETURN_TRY(err, xa__onnx_image(b, n, x, &node, err));
    xa_node_spec spec = {.op = XA_OP_PRELU, .inputs = &node, .ninputs = 1, .nweights = 1};
    XA_RETURN_TRY(
        err,
        xa__onnx_add_weight(
            b,
            &(xa__onnx_weight){
                .value = n->inputs[1], .ndim = 1, .extent = {count}, .stride = {1}, .scale = 1.0},
            &(xa_shape){.ndim = 3, .dim = {1, 1, count}},
            &spec.weights[0],
            err));
    XA_RETURN_TRY(err, xa__onnx_add(b, n, &spec, &id, err));
    const xa__onnx_layout at = xa__layout_image(
        xa__layout_extent(&x->at, 1), xa__layout_extent(&x->at, 2), xa__layout_extent(&x->at, 3));
    xa__onnx_made(b, n, 0, id, &at);
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_unary[] = {
    {"Relu", 1, 1, xa__onnx_infer_same, unary_fold, activation_lower},
    {"Sigmoid", 1, 1, xa__onnx_infer_same, unary_fold, activation_lower},
    {"Tanh", 1, 1, xa__onnx_infer_same, unary_fold, activation_lower},
    {"Exp", 1, 1, xa__onnx_infer_same, unary_fold, activation_lower},
    {"Softplus", 1, 1, xa__onnx_infer_same, NULL, activation_lower},
    {"Softsign", 1, 1, xa__onnx_infer_same, NULL, activation_lower},
    {"Mish", 1, 1, xa__onnx_infer_same, NULL, activation_lower},
    {"HardSwish", 1, 1, xa__onnx_infer_same, NULL, activation_lower},
    {"Swish", 1, 1, xa__onnx_infer_same, NULL, swish_lower},
    {"LeakyRelu", 1, 1, xa__onnx_infer_same, NULL, leaky_lower},
    {"Elu", 1, 1, xa__onnx_infer_same, NULL, elu_lower},
    {"Selu", 1, 1, xa__onnx_infer_same, NULL, selu_lower},
    {"Celu", 1, 1, xa__onnx_infer_same, NULL, celu_lower},
    {"ThresholdedRelu", 1, 1, xa__onnx_infer_same, NULL, thresholded_lower},
    {"HardSigmoid", 1, 1, xa__onnx_infer_same, NULL, hard_sigmoid_lower},
    {"Gelu", 1, 1, xa__onnx_infer_same, NULL, gelu_lower},
    {"Neg", 1, 1, xa__onnx_infer_same, unary_fold, neg_lower},
    {"Sqrt", 1, 1, xa__onnx_infer_same, unary_fold, curve_lower},
    {"Log", 1, 1, xa__onnx_infer_same, unary_fold, curve_lower},
    {"Abs", 1, 1, xa__onnx_infer_same, unary_fold, curve_lower},
    {"Reciprocal", 1, 1, xa__onnx_infer_same, unary_fold, curve_lower},
    {"Erf", 1, 1, xa__onnx_infer_same, unary_fold, curve_lower},
    {"Sin", 1, 1, xa__onnx_infer_same, unary_fold, curve_lower},
    {"Cos", 1, 1, xa__onnx_infer_same, unary_fold, curve_lower},
    {"Ceil", 1, 1, xa__onnx_infer_same, unary_fold, curve_lower},
    {"Floor", 1, 1, xa__onnx_infer_same, unary_fold, curve_lower},
    {"Round", 1, 1, xa__onnx_infer_same, unary_fold, curve_lower},
    {"Sign", 1, 1, xa__onnx_infer_same, unary_fold, curve_lower},
    {"Not", 1, 1, truth_infer, unary_fold, NULL},
    {"IsNaN", 1, 1, truth_infer, unary_fold, NULL},
    {"Clip", 1, 3, clip_infer, clip_fold, clip_lower},
    {"PRelu", 2, 2, prelu_infer, NULL, prelu_lower},
    {0}};
