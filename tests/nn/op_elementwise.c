/* Cases and formulas of elementwise operators, of one input and of several. */
#include "kernels_ref.h"
#include "op_reference.h"

#include <math.h>

/* ---- formulas ---- */

static double
activation(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    (void)w;
    return xa_activate_ref(&c->params.activation, x[0][p->i]);
}

static double
prelu(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const double v = x[0][p->i];
    return v > 0.0 ? v : v * w[0][op_ravel(&c->weights[0], p->o)];
}

typedef double combine(double y, double v);

/* Of all inputs, whose extents are the output's or 1, from the first on. */
static double over(const op_case *c, const op_point *p, const double *const *x, combine *with)
{
    double y = x[0][op_ravel(&c->inputs[0], p->o)];
    for (int j = 1; j < c->ninputs; j++)
        y = with(y, x[j][op_ravel(&c->inputs[j], p->o)]);
    return y;
}

static double sum(double y, double v)
{
    return y + v;
}
static double difference(double y, double v)
{
    return y - v;
}
static double product(double y, double v)
{
    return y * v;
}
static double largest(double y, double v)
{
    return isnan(y) || isnan(v) ? NAN : fmax(y, v);
}
static double smallest(double y, double v)
{
    return isnan(y) || isnan(v) ? NAN : fmin(y, v);
}

static double quotient(double y, double v)
{
    return y / v;
}

#define OVER(name, with)                                                                     \
    static double name(                                                                      \
        const op_case *c, const op_point *p, const double *const *x, const double *const *w) \
    {                                                                                        \
        (void)w;                                                                             \
        return over(c, p, x, with);                                                          \
    }
OVER(add, sum)
OVER(subtract, difference)
OVER(multiply, product)
OVER(maximum, largest)
OVER(minimum, smallest)
OVER(divide, quotient)

static double
average(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    return add(c, p, x, w) / (double)c->ninputs;
}

static double
compare(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const double a = x[0][op_ravel(&c->inputs[0], p->o)], b = x[1][op_ravel(&c->inputs[1], p->o)];
    (void)w;
    switch (c->params.compare) {
    case XA_COMPARE_LESS:
        return a < b;
    case XA_COMPARE_LESS_EQUAL:
        return a <= b;
    case XA_COMPARE_GREATER:
        return a > b;
    case XA_COMPARE_GREATER_EQUAL:
        return a >= b;
    default:
        return a <= b && a >= b;
    }
}

static double
choice(const op_case *c, const op_point *p, const double *const *x, const double *const *w)
{
    const int j = x[0][op_ravel(&c->inputs[0], p->o)] > 0.0 ? 1 : 2;
    (void)w;
    return x[j][op_ravel(&c->inputs[j], p->o)];
}

static double
unary(const op_case *c, const op_point *p, const double *const *xs, const double *const *w)
{
    const double a = (double)c->params.unary.a, b = (double)c->params.unary.b, x = xs[0][p->i];
    (void)w;
    switch (c->params.unary.kind) {
    case XA_UNARY_SQRT:
        return sqrt(x);
    case XA_UNARY_LOG:
        return log(x);
    case XA_UNARY_ABS:
        return x < 0.0 ? -x : x;
    case XA_UNARY_RECIPROCAL:
        return 1.0 / x;
    case XA_UNARY_ERF:
        return erf(x);
    case XA_UNARY_SIN:
        return sin(x);
    case XA_UNARY_COS:
        return cos(x);
    case XA_UNARY_POWER:
        return pow(x, a);
    case XA_UNARY_FLOOR:
        return floor(x);
    case XA_UNARY_CEIL:
        return ceil(x);
    case XA_UNARY_ROUND:
        return nearbyint(x);
    case XA_UNARY_SIGN:
        return isnan(x) ? x : (double)((x > 0.0) - (x < 0.0));
    default:
        return isnan(x) ? x : fmin(fmax(x, a), b);
    }
}

/* ---- cases ---- */

/* clang-format off */
#define ACT(label, KIND, A, B, C, shape, RANGE)                                                   \
    {.name = "activation " label, .op = XA_OP_ACTIVATION, .ninputs = 1, .inputs = {shape},        \
     .params.activation = {XA_ACT_##KIND, A, B, C}, .range = RANGE}
#define PAIR(KIND, text, label, a, b)                                                             \
    {.name = text " " label, .op = XA_OP_##KIND, .ninputs = 2, .inputs = {a, b}}
#define TRIPLE(KIND, text, label, a, b, c)                                                        \
    {.name = text " " label, .op = XA_OP_##KIND, .ninputs = 3, .inputs = {a, b, c}}
#define UNARY(label, KIND, A, B, MIDDLE)                                                          \
    {.name = "unary " label, .op = XA_OP_UNARY, .ninputs = 1, .inputs = {S3(3, 4, 7)},            \
     .params.unary = {XA_UNARY_##KIND, A, B}, .middle = MIDDLE}
#define COMPARE(label, KIND, a, b)                                                                \
    {.name = "compare " label, .op = XA_OP_COMPARE, .ninputs = 2, .inputs = {a, b},               \
     .params.compare = XA_COMPARE_##KIND}
#define DIVIDE(label, a, b)                                                                       \
    {.name = "divide " label, .op = XA_OP_DIVIDE, .ninputs = 2, .inputs = {a, b}, .middle = 3.0}
/* The shapes every elementwise operator of two inputs is tried on. */
#define PAIRS(KIND, text)                                                                         \
    PAIR(KIND, text, "equal", S3(3, 5, 7), S3(3, 5, 7)),                                          \
    PAIR(KIND, text, "long", S1(1300), S1(1300)),                                                 \
    PAIR(KIND, text, "channels second", S3(4, 3, 9), S3(1, 1, 9)),                                \
    PAIR(KIND, text, "channels first", S3(1, 1, 9), S3(4, 3, 9)),                                 \
    PAIR(KIND, text, "pixels", S3(4, 3, 5), S3(4, 3, 1)),                                         \
    PAIR(KIND, text, "rows", S3(4, 3, 5), S3(4, 1, 1)),                                           \
    PAIR(KIND, text, "columns", S3(4, 3, 5), S3(1, 3, 1)),                                        \
    PAIR(KIND, text, "outer", S3(4, 1, 5), S3(1, 3, 1)),                                          \
    PAIR(KIND, text, "one value", S2(6, 5), S2(1, 1)),                                            \
    PAIR(KIND, text, "single", S3(1, 1, 1), S3(1, 1, 1)),                                         \
    PAIR(KIND, text, "five axes", S5(2, 3, 2, 1, 3), S5(2, 1, 2, 2, 1))
#define TRIPLES(KIND, text)                                                                       \
    TRIPLE(KIND, text, "three equal", S3(3, 2, 10), S3(3, 2, 10), S3(3, 2, 10)),                  \
    TRIPLE(KIND, text, "three mixed", S3(1, 2, 10), S3(3, 1, 10), S3(3, 2, 1))

static const op_case cases[] = {
    ACT("linear", LINEAR, 0, 0, 0, S2(3, 5), 0),
    ACT("relu", RELU, 0, INFINITY, 0, S3(4, 5, 13), 0),
    ACT("relu whole bytes", RELU, 0, INFINITY, 0, S3(4, 5, 16), 0),
    ACT("relu several tiles", RELU, 0, INFINITY, 0, S3(40, 30, 73), 0),
    ACT("relu 6", RELU, 0, 6, 0, S3(3, 5, 11), 9),
    ACT("leaky relu", RELU, 0.2f, INFINITY, 0, S2(9, 10), 0),
    ACT("leaky relu 6", RELU, 0.2f, 6, 0, S2(9, 10), 9),
    ACT("relu threshold", RELU, 0.1f, INFINITY, 0.5f, S1(90), 3),
    ACT("relu threshold 6", RELU, 0, 6, 1, S1(90), 9),
    ACT("relu vector", RELU, 0, INFINITY, 0, S1(1), 0),
    ACT("elu", ELU, 1, 0, 0, S2(9, 10), 6),
    ACT("elu 0.3", ELU, 0.3f, 0, 0, S2(9, 10), 6),
    ACT("selu", SELU, 0, 0, 0, S2(9, 10), 6),
    ACT("sigmoid", SIGMOID, 0, 0, 0, S2(9, 10), 9),
    ACT("tanh", TANH, 0, 0, 0, S2(9, 10), 6),
    ACT("swish", SWISH, 1, 0, 0, S2(9, 10), 9),
    ACT("quick gelu", SWISH, 1.702f, 0, 0, S2(9, 10), 6),
    ACT("gelu", GELU, 0, 0, 0, S2(9, 10), 6),
    ACT("gelu tanh", GELU_TANH, 0, 0, 0, S2(9, 10), 6),
    ACT("softplus", SOFTPLUS, 0, 0, 0, S2(9, 10), 9),
    ACT("softsign", SOFTSIGN, 0, 0, 0, S2(9, 10), 9),
    ACT("exp", EXP, 0, 0, 0, S2(9, 10), 4),
    ACT("hard sigmoid 3", HARD_SIGMOID, 1.0f / 6.0f, 0.5f, 0, S2(9, 10), 6),
    ACT("hard sigmoid 2", HARD_SIGMOID, 0.2f, 0.5f, 0, S2(9, 10), 6),
    ACT("hard swish", HARD_SWISH, 0, 0, 0, S2(9, 10), 6),
    ACT("mish", MISH, 0, 0, 0, S2(9, 10), 9),
    ACT("several tiles", TANH, 0, 0, 0, S3(40, 50, 30), 3),

    {.name = "prelu channels", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S3(4, 5, 9)},
     .nweights = 1, .weights = {S3(1, 1, 9)}},
    {.name = "prelu everywhere", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S3(4, 5, 9)},
     .nweights = 1, .weights = {S3(4, 5, 9)}},
    {.name = "prelu columns", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S3(4, 5, 9)},
     .nweights = 1, .weights = {S3(1, 5, 1)}},
    {.name = "prelu rows", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S3(4, 5, 9)},
     .nweights = 1, .weights = {S3(4, 1, 1)}},
    {.name = "prelu one", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S1(12)}, .nweights = 1,
     .weights = {S1(1)}},
    {.name = "prelu several tiles", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S3(40, 30, 73)},
     .nweights = 1, .weights = {S3(1, 1, 73)}},

    PAIRS(ADD, "add"),
    TRIPLES(ADD, "add"),

    PAIRS(SUBTRACT, "subtract"),

    PAIRS(MULTIPLY, "multiply"),
    TRIPLES(MULTIPLY, "multiply"),

    PAIRS(AVERAGE, "average"),
    TRIPLES(AVERAGE, "average"),

    PAIRS(MAXIMUM, "maximum"),
    TRIPLES(MAXIMUM, "maximum"),

    PAIRS(MINIMUM, "minimum"),
    TRIPLES(MINIMUM, "minimum"),

    DIVIDE("equal", S3(3, 5, 7), S3(3, 5, 7)), DIVIDE("channels", S3(4, 3, 9), S3(1, 1, 9)),
    DIVIDE("over pixels", S3(1, 1, 9), S3(4, 3, 9)), DIVIDE("rows", S3(4, 3, 5), S3(4, 1, 1)),

    UNARY("sqrt", SQRT, 0, 0, 3.0), UNARY("log", LOG, 0, 0, 3.0), UNARY("abs", ABS, 0, 0, 0.0),
    UNARY("reciprocal", RECIPROCAL, 0, 0, 3.0), UNARY("erf", ERF, 0, 0, 0.0),
    UNARY("sin", SIN, 0, 0, 0.0), UNARY("cos", COS, 0, 0, 0.0),
    UNARY("power 3", POWER, 3.0f, 0, 0.0), UNARY("power 0.3", POWER, 0.3f, 0, 3.0),
    UNARY("power -2", POWER, -2.0f, 0, 3.0), UNARY("clip", CLIP, -0.7f, 1.1f, 0.0),
    UNARY("floor", FLOOR, 0, 0, 0.0), UNARY("ceil", CEIL, 0, 0, 0.0),
    UNARY("round", ROUND, 0, 0, 0.0), UNARY("sign", SIGN, 0, 0, 0.0),

    COMPARE("equal", EQUAL, S3(3, 5, 7), S3(3, 5, 7)),
    COMPARE("less", LESS, S3(3, 5, 7), S3(3, 5, 7)),
    COMPARE("less or equal", LESS_EQUAL, S3(4, 3, 9), S3(1, 1, 9)),
    COMPARE("greater", GREATER, S3(4, 3, 5), S3(4, 3, 1)),
    COMPARE("greater or equal", GREATER_EQUAL, S2(1, 1), S2(6, 5)),
    TRIPLE(SELECT, "select", "equal", S3(3, 5, 7), S3(3, 5, 7), S3(3, 5, 7)),
    TRIPLE(SELECT, "select", "mask of pixels", S3(4, 3, 1), S3(4, 3, 9), S3(1, 1, 1)),
    TRIPLE(SELECT, "select", "mask of all", S3(4, 3, 5), S3(1, 1, 5), S3(4, 1, 1)),

    PAIR(ADD, "add", "several tiles", S3(50, 40, 30), S3(50, 40, 30)),

    PAIR(MULTIPLY, "multiply", "squeeze and excite", S3(20, 20, 24), S3(1, 1, 24)),
};

static op_formula *const formulas[XA_OP_COUNT] = {
    [XA_OP_ACTIVATION] = activation,
    [XA_OP_PRELU] = prelu,
    [XA_OP_ADD] = add,
    [XA_OP_SUBTRACT] = subtract,
    [XA_OP_MULTIPLY] = multiply,
    [XA_OP_AVERAGE] = average,
    [XA_OP_MAXIMUM] = maximum,
    [XA_OP_MINIMUM] = minimum,
    [XA_OP_DIVIDE] = divide,
    [XA_OP_UNARY] = unary,
    [XA_OP_COMPARE] = compare,
    [XA_OP_SELECT] = choice,
};
/* clang-format on */

const op_family op_elementwise = {cases, (int)(sizeof(cases) / sizeof(cases[0])), formulas};
