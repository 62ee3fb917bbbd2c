/* Elementwise operators of several inputs, which broadcast. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "join.h"

/* ---- of constants ---- */

typedef double binary_fn(double, double);

static double f_add(double a, double b)
{
    return a + b;
}
static double f_sub(double a, double b)
{
    return a - b;
}
static double f_mul(double a, double b)
{
    return a * b;
}
static double f_div(double a, double b)
{
    return a / b;
}
static double f_max(double a, double b)
{
    return isnan(a) || a >= b ? a : b;
}
static double f_min(double a, double b)
{
    return isnan(a) || a <= b ? a : b;
}
static double f_equal(double a, double b)
{
    return !(a < b) && !(a > b) && !isnan(a) && !isnan(b);
}
static double f_less(double a, double b)
{
    return a < b;
}
static double f_greater(double a, double b)
{
    return a > b;
}
static double f_less_equal(double a, double b)
{
    return a <= b;
}
static double f_greater_equal(double a, double b)
{
    return a >= b;
}
static double truth(double a)
{
    return a < 0.0 || a > 0.0;
}
static double f_and(double a, double b)
{
    return truth(a) * truth(b);
}
static double f_or(double a, double b)
{
    return truth(a + truth(b));
}
static double f_xor(double a, double b)
{
    return f_equal(truth(a), truth(b)) > 0.0 ? 0.0 : 1.0;
}

typedef struct kind {
    const char *name;
    binary_fn *fn;
    bool is_truth; /* gives a bool */
    xa_op op;      /* of the engine; INPUT: none */
    xa_compare_kind compare;
} kind;

static const kind kinds[] = {
    {"Add", f_add, false, XA_OP_ADD, XA_COMPARE_COUNT},
    {"Sum", f_add, false, XA_OP_ADD, XA_COMPARE_COUNT},
    {"Sub", f_sub, false, XA_OP_SUBTRACT, XA_COMPARE_COUNT},
    {"Mul", f_mul, false, XA_OP_MULTIPLY, XA_COMPARE_COUNT},
    {"Div", f_div, false, XA_OP_DIVIDE, XA_COMPARE_COUNT},
    {"Max", f_max, false, XA_OP_MAXIMUM, XA_COMPARE_COUNT},
    {"Min", f_min, false, XA_OP_MINIMUM, XA_COMPARE_COUNT},
    {"Mean", f_add, false, XA_OP_AVERAGE, XA_COMPARE_COUNT},
    {"Pow", pow, false, XA_OP_INPUT, XA_COMPARE_COUNT},
    {"Mod", fmod, false, XA_OP_INPUT, XA_COMPARE_COUNT},
    {"Equal", f_equal, true, XA_OP_COMPARE, XA_COMPARE_EQUAL},
    {"Less", f_less, true, XA_OP_COMPARE, XA_COMPARE_LESS},
    {"Greater", f_greater, true, XA_OP_COMPARE, XA_COMPARE_GREATER},
    {"LessOrEqual", f_less_equal, true, XA_OP_COMPARE, XA_COMPARE_LESS_EQUAL},
    {"GreaterOrEqual", f_greater_equal, true, XA_OP_COMPARE, XA_COMPARE_GREATER_EQUAL},
    {"And", f_and, true, XA_OP_MULTIPLY, XA_COMPARE_COUNT},
    {"Or", f_or, true, XA_OP_MAXIMUM, XA_COMPARE_COUNT},
    {"Xor", f_xor, true, XA_OP_INPUT, XA_COMPARE_COUNT}};

static const kind *kind_of(const xa__onnx_node *n)
{
    size_t i = 0;
    while (strcmp(kinds[i].name, n->op) != 0)
        i++;
    return &kinds[i];
}

static xa_status binary_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_shape s = xa__onnx_in(b, n, 0)->shape;
    char one[128], two[128];
    if (xa__onnx_attribute_of(b->m, n, "axis") || xa__onnx_attribute_of(b->m, n, "broadcast"))
        return xa__onnx_refuse(
            b,
            n,
            err,
            "it broadcasts as operator sets before 7 did; convert the model to a newer one");
    for (int i = 1; i < n->ninputs; i++) {
        const xa__onnx_value *x = xa__onnx_in(b, n, i);
        if (!x)
            return xa__onnx_refuse(b, n, err, "its input %d is missing", i);
        if (!xa__onnx_broadcast(&s, &x->shape, &s))
            return xa__onnx_refuse(
                b,
                n,
                err,
                "%s and %s do not fit each other: the export fixed another input "
                "size, perhaps",
                xa__onnx_shape_text(&s, one, sizeof one),
                xa__onnx_shape_text(&x->shape, two, sizeof two));
    }
    return xa__onnx_set(
        b, n, 0, kind_of(n)->is_truth ? XA__ONNX_BOOL : xa__onnx_in(b, n, 0)->type, &s, err);
}

/* The element of an operand that stands for element i of the result. */
static int64_t place_of(const xa__onnx_shape *in, const xa__onnx_shape *out, int64_t i)
{
    int64_t place = 0, stride = 1;
    for (int d = out->rank - 1, k = in->rank - 1; k >= 0; d--, k--) {
        place += in->dim[k] == 1 ? 0 : i % out->dim[d] * stride;
        stride *= in->dim[k];
        i /= out->dim[d];
    }
    return place;
}

static xa_status binary_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const kind *k = kind_of(n);
    const xa__onnx_shape *s = &xa__onnx_out(b, n, 0)->shape;
    const int type = xa__onnx_in(b, n, 0)->type;
    const int64_t count = xa__onnx_count(s);
    const bool whole = !xa__onnx_is_float(type) && !k->is_truth;
    const bool python = k->fn == (binary_fn *)fmod && xa__onnx_int(b->m, n, "fmod", 0) == 0;
    double *data;
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    /* a row of the last axis at a time */
    const int64_t row = s->rank ? s->dim[s->rank - 1] : 1;
    for (int j = 0; j < n->ninputs; j++) {
        const double *from = xa__onnx_data(b, n->inputs[j]);
        const xa__onnx_shape *in = &xa__onnx_in(b, n, j)->shape;
        const int64_t step = in->rank && in->dim[in->rank - 1] > 1;
        for (int64_t i = 0; i < count; i++) {
            const double *y = from + place_of(in, s, i);
            for (const int64_t end = i + row - 1;; i++, y += step) {
                if (j && whole && k->op == XA_OP_DIVIDE && !(*y < 0.0) && !(*y > 0.0))
                    return xa__onnx_refuse(b, n, err, "it divides whole numbers by 0");
                double v = j ? k->fn(data[i], *y) : *y;
                if (j && python && (v < 0.0 || v > 0.0) && (v < 0.0) != (*y < 0.0))
                    v += *y; /* the sign of the divisor */
                data[i] = v;
                if (i == end)
                    break;
            }
        }
    }
    for (int64_t i = 0; whole && i < count; i++)
        data[i] = trunc(data[i]);
    return XA_OK;
}

/* ---- of what depends on the image ---- */

/* How many of the fastest elements in memory a constant has, if it has those and no others; -1. */
static int64_t suffix_of(const xa__onnx_joint *j, unsigned has)
{
    int64_t n = 1;
    int i = j->at.natoms - 1;
    for (; i >= 0 && has >> j->at.order[i] & 1; i--)
        n *= j->at.extent[j->at.order[i]];
    for (; i >= 0; i--)
        if (has >> j->at.order[i] & 1)
            return -1;
    return n;
}

/* x op c, or c op x, with a constant of as many elements as channels, or one: an AFFINE. */
static xa_status affine(xa__onnx_build *b,
                        xa__onnx_node *n,
                        const xa__onnx_joint *j,
                        int which,
                        xa_op op,
                        int64_t channels,
                        xa__onnx_run *out,
                        xa_err *err)
{
    const xa__onnx_operand *x = &j->operands[1 - which];
    const float minus = -1.0f;
    xa_shape shape = xa_graph_node(b->model->graph, x->run.node)->shape;
    xa__onnx_weight w;
    xa_node_spec spec = {.op = XA_OP_AFFINE, .ninputs = 1, .nweights = 2, .weights = {-1, -1}};
    int node = x->run.node;
    const bool scales = op == XA_OP_MULTIPLY || op == XA_OP_DIVIDE;
    if (channels > 1 && xa_shape_last(&shape) != channels) {
        shape = xa__layout_natural(&x->run.at);
        if (xa_shape_last(&shape) != channels)
            shape = (xa_shape){.ndim = 2, .dim = {xa_shape_count(&shape) / channels, channels}};
        XA_RETURN_TRY(err, xa__onnx_view(b, n, node, &shape, &node, err));
    }
    xa__onnx_joint_weight(j, which, &w);
    w.reciprocal = op == XA_OP_DIVIDE;
    w.scale = op == XA_OP_SUBTRACT && which == 1 ? -1.0 : 1.0;
    XA_RETURN_TRY(
        err,
        xa__onnx_add_weight(
            b, &w, &(xa_shape){.ndim = 1, .dim = {channels}}, &spec.weights[scales ? 0 : 1], err));
    if (op == XA_OP_SUBTRACT && which == 0)
        XA_RETURN_TRY(err,
                      xa_graph_add_weight(b->model->graph,
                                          "minus",
                                          &(xa_shape){.ndim = 1, .dim = {1}},
                                          -1,
                                          &minus,
                                          &spec.weights[0],
                                          err));
    spec.inputs = &node;
    out->at = x->run.at;
    return xa__onnx_add(b, n, &spec, &out->node, err);
}

/* All have all of it, and the engine sees them in one shape: nothing is to be done. */
static bool are_alike(const xa__onnx_build *b, const xa__onnx_joint *j, int *nodes)
{
    const xa_graph *g = b->model->graph;
    for (int i = 0; i < j->n; i++) {
        const xa__onnx_operand *o = &j->operands[i];
        if (!o->is_run || o->has != (1u << j->at.natoms) - 1 ||
            !xa_shape_equal(&xa_graph_node(g, o->run.node)->shape,
                            &xa_graph_node(g, j->operands[0].run.node)->shape))
            return false;
        nodes[i] = o->run.node;
    }
    return true;
}

/* With one constant of two operands, which has as many elements as the run has channels, or one. */
static xa_status by_channel(xa__onnx_build *b,
                            xa__onnx_node *n,
                            const xa__onnx_joint *j,
                            xa_op op,
                            xa__onnx_run *out,
                            bool *done,
                            xa_err *err)
{
    const int constant = j->n != 2                ? -1
                         : !j->operands[0].is_run ? 0
                         : !j->operands[1].is_run ? 1
                                                  : -1;
    *done = constant >= 0 && j->operands[1 - constant].has == (1u << j->at.natoms) - 1 &&
            (op == XA_OP_ADD || op == XA_OP_SUBTRACT || op == XA_OP_MULTIPLY ||
             (op == XA_OP_DIVIDE && constant == 1));
    const int64_t channels = *done ? suffix_of(j, j->operands[constant].has) : 0;
    *done = channels > 0;
    return *done ? affine(b, n, j, constant, op, channels, out, err) : XA_OK;
}

xa_status xa__onnx_combine_all(xa__onnx_build *b,
                               xa__onnx_node *n,
                               xa_op op,
                               const xa_op_params *params,
                               xa__onnx_operand *operands,
                               int count,
                               int rank,
                               xa__onnx_run *out,
                               xa_err *err)
{
    xa_status st = XA_OK;
    unsigned has[XA_MAX_DIMS];
    bool fits = true, done;
    xa__onnx_joint j = {.n = count, .own_axis = -1, .operands = operands};
    int *nodes = xa_alloc((size_t)count, sizeof *nodes);
    xa_node_spec spec = {.op = op, .inputs = nodes, .ninputs = count};
    if (params)
        spec.params = *params;
    if (!nodes)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", b->m->path);
    XA_TRY(err, xa__onnx_join(b, n, &j, rank, err));
    XA_TRY(err, by_channel(b, n, &j, op, out, &done, err));
    if (done)
        goto done;
    if (!are_alike(b, &j, nodes)) {
        const xa_shape shape = xa__onnx_joint_shape(&j, has, &fits);
        if (!fits)
            XA_FAIL(err, XA_UNSUPPORTED, "its inputs have too many factors");
        for (int i = 0; i < j.n; i++)
            XA_TRY(err, xa__onnx_joint_node(b, n, &j, i, &shape, has, &nodes[i], err));
    }
    out->at = j.at;
    XA_TRY(err, xa__onnx_add(b, n, &spec, &out->node, err));
done:
    free(nodes);
    return st;
}

xa_status xa__onnx_combine(
    xa__onnx_build *b, xa__onnx_node *n, xa_op op, const xa_op_params *params, xa_err *err)
{
    xa_status st = XA_OK;
    xa__onnx_run out;
    xa__onnx_operand *operands = xa_alloc((size_t)n->ninputs, sizeof *operands);
    if (!operands)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", b->m->path);
    for (int i = 0; i < n->ninputs; i++)
        operands[i].value = n->inputs[i];
    XA_TRY(
        err,
        xa__onnx_combine_all(
            b, n, op, params, operands, n->ninputs, xa__onnx_out(b, n, 0)->shape.rank, &out, err));
    xa__onnx_made(b, n, 0, out.node, &out.at);
done:
    free(operands);
    return st;
}

static xa_status binary_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const kind *k = kind_of(n);
    if (k->op == XA_OP_INPUT)
        return xa__onnx_refuse(b, n, err, "it is read of constants only");
    if (n->ninputs == 1) {
        const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
        xa__onnx_made(b, n, 0, x->node, &x->at);
        return XA_OK;
    }
    const xa_op_params p = {.compare = k->compare};
    return xa__onnx_combine(b, n, k->op, k->op == XA_OP_COMPARE ? &p : NULL, err);
}

static xa_status pow_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    double to;
    int id;
    if (!x || n->ninputs < 2 || !xa__onnx_scalar(b, n->inputs[1], &to) ||
        xa__onnx_count(&xa__onnx_out(b, n, 0)->shape) != xa__layout_count(&x->at))
        return xa__onnx_refuse(b, n, err, "its exponent is not one known number");
    const xa_op_params p = {.unary = {.kind = XA_UNARY_POWER, .a = (float)to}};
    XA_RETURN_TRY(err, xa__onnx_add_unary(b, n, XA_OP_UNARY, &p, x->node, &id, err));
    xa__onnx_layout at = x->at;
    if (!xa__layout_reshape(&x->at, &xa__onnx_out(b, n, 0)->shape, &at))
        return xa__onnx_refuse(b, n, err, "its exponent has more axes");
    xa__onnx_made(b, n, 0, id, &at);
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_binary[] = {
    {"Add", 2, 2, binary_infer, binary_fold, binary_lower},
    {"Sub", 2, 2, binary_infer, binary_fold, binary_lower},
    {"Mul", 2, 2, binary_infer, binary_fold, binary_lower},
    {"Div", 2, 2, binary_infer, binary_fold, binary_lower},
    {"Sum", 1, -1, binary_infer, binary_fold, binary_lower},
    {"Max", 1, -1, binary_infer, binary_fold, binary_lower},
    {"Min", 1, -1, binary_infer, binary_fold, binary_lower},
    {"Mean", 1, -1, binary_infer, NULL, binary_lower},
    {"Pow", 2, 2, binary_infer, binary_fold, pow_lower},
    {"Mod", 2, 2, binary_infer, binary_fold, NULL},
    {"Equal", 2, 2, binary_infer, binary_fold, binary_lower},
    {"Less", 2, 2, binary_infer, binary_fold, binary_lower},
    {"Greater", 2, 2, binary_infer, binary_fold, binary_lower},
    {"LessOrEqual", 2, 2, binary_infer, binary_fold, binary_lower},
    {"GreaterOrEqual", 2, 2, binary_infer, binary_fold, binary_lower},
    {"And", 2, 2, binary_infer, binary_fold, binary_lower},
    {"Or", 2, 2, binary_infer, binary_fold, binary_lower},
    {"Xor", 2, 2, binary_infer, binary_fold, NULL},
    {0}};
