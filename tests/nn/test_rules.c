/* Rules that take the gradient's place (xa_rules): attention written as products and a softmax gets
 * what ATTENTION gets, shares are as the definitions have them, and what has no rule is refused by
 * name. */
#include <math.h>

#include "plan_fixture.h"

enum { T = 5, D = 4, CLASSES = 3 };

static int dense(xa_graph *g, int x, int64_t from, int64_t units)
{
    xa_node_spec s = {
        .op = XA_OP_DENSE, .name = "dense", .inputs = &x, .ninputs = 1, .nweights = 1};
    s.params.dense.units = units;
    s.weights[0] = plan_weight(g, &(xa_shape){.ndim = 2, .dim = {from, units}}, -1.0, 1.0);
    return plan_node(g, &s);
}

static int activation(xa_graph *g, int x, xa_activation_kind kind)
{
    xa_node_spec s = {.op = XA_OP_ACTIVATION, .name = "act", .inputs = &x, .ninputs = 1};
    s.params.activation = xa_activation_default(kind);
    return plan_node(g, &s);
}

static int join(xa_graph *g, xa_op op, const char *name, int a, int b)
{
    return plan_node(
        g, &(xa_node_spec){.op = op, .name = name, .inputs = (int[]){a, b}, .ninputs = 2});
}

static int product(xa_graph *g, int a, int b, bool turned)
{
    xa_node_spec s = {.op = XA_OP_MATMUL, .name = "product", .inputs = (int[]){a, b}, .ninputs = 2};
    s.params.matmul.turned[1] = turned;
    return plan_node(g, &s);
}

static int head(xa_graph *g, int x, int64_t n)
{
    xa_node_spec flat = {.op = XA_OP_RESHAPE, .name = "flat", .inputs = &x, .ninputs = 1};
    flat.params.reshape = (xa_shape){.ndim = 1, .dim = {n}};
    return dense(g, plan_node(g, &flat), n, CLASSES);
}

static int start_graph(xa_graph **g)
{
    int x;
    assert_int_equal(xa_graph_create(g, NULL), XA_OK);
    assert_int_equal(
        xa_graph_add_input(*g, "input", &(xa_shape){.ndim = 2, .dim = {T, D}}, &x, NULL), XA_OK);
    return x;
}

/* One attention layer, by the operator or by products; weights are the same, as they are drawn by
 * their number in the graph. */
static int attend(xa_graph *g, int x, bool whole)
{
    const int q = dense(g, x, D, D), k = dense(g, x, D, D), v = dense(g, x, D, D);
    xa_node_spec s = {
        .op = XA_OP_ATTENTION, .name = "attention", .inputs = (int[]){q, k, v}, .ninputs = 3};
    s.params.attention.heads = 1;
    s.params.attention.scale = 1.0f;
    if (whole)
        return plan_node(g, &s);
    const int z = product(g, q, k, true);
    const int p = plan_node(
        g, &(xa_node_spec){.op = XA_OP_SOFTMAX, .name = "weights", .inputs = &z, .ninputs = 1});
    return product(g, p, v, false);
}

/* What comes to the input from class 1, dx [T*D] and the input itself. */
static void run(const xa_graph *g, int root, xa_rules rules, float *x, float *dx)
{
    const xa_reach reach = {.input = true, .rules = rules};
    const xa_plan_spec spec = {.batch = 1, .root = root, .reach = &reach, .nreach = 1};
    machine m = machine_start(g, &spec);
    for (int i = 0; i < T * D; i++)
        x[i] = xa_run_input(&m.run)[i] = (float)(2.0 * xa_random_unit(3, 1, (uint64_t)i) - 1.0);
    xa_run_forward(&m.run);
    xa_run_backward(&m.run, 0, (const float[CLASSES]){0, 1, 0});
    memcpy(dx, xa_run_gradient(&m.run, 0, xa_graph_input(g)), T * D * sizeof *dx);
    machine_stop(&m);
}

static void test_attention_of_products(void **state)
{
    (void)state;
    for (int r = XA_RULES_GRADIENT; r < XA_RULES_COUNT; r++) {
        float x[T * D], dx[2][T * D];
        for (int whole = 0; whole < 2; whole++) {
            xa_graph *g;
            const int in = start_graph(&g), root = head(g, attend(g, in, whole), T * D);
            assert_int_equal(xa_graph_check_rules(g, root, (xa_rules)r, NULL), XA_OK);
            run(g, root, (xa_rules)r, x, dx[whole]);
            xa_graph_free(g);
        }
        for (int i = 0; i < T * D; i++)
            assert_true(fabsf(dx[0][i] - dx[1][i]) < 1e-5f);
    }
}

/* Of u * v with v = B u, every factor gets half: twice the relevance of attnlrp is that of the
 * gradient. A GELU in front has f(u)/u, so that its input's relevance is that of its output. */
static void test_shares(void **state)
{
    (void)state;
    xa_graph *g;
    float x[T * D], plain[T * D], shared[T * D];
    const int in = start_graph(&g);
    const int a = attend(g, in, true);
    const int gated = join(g, XA_OP_MULTIPLY, "gate", in, dense(g, in, D, D));
    const int root = head(g, gated, T * D);
    assert_int_not_equal(xa_graph_check_rules(g, root, XA_RULES_ATTNLRP, NULL), XA_OK);
    (void)a; /* not on the way to the root: no attention there */
    run(g, root, XA_RULES_GRADIENT, x, plain);
    run(g, root, XA_RULES_ATTNLRP, x, shared);
    for (int i = 0; i < T * D; i++)
        assert_true(fabsf(plain[i] - 2.0f * shared[i]) < 1e-6f);
    xa_graph_free(g);

    const int u = start_graph(&g);
    const int smooth = head(g, activation(g, u, XA_ACT_GELU), T * D);
    run(g, smooth, XA_RULES_CP_LRP, x, shared);
    double relevance = 0.0;
    for (int i = 0; i < T * D; i++)
        relevance += (double)x[i] * (double)shared[i];
    const xa_plan_spec spec = {.batch = 1, .root = smooth};
    machine m = machine_start(g, &spec);
    memcpy(xa_run_input(&m.run), x, sizeof x);
    xa_run_forward(&m.run);
    assert_true(fabs(relevance - (double)xa_run_value(&m.run, smooth)[1]) < 1e-5);
    machine_stop(&m);
    xa_graph_free(g);
}

typedef enum obstacle { SIGMOID, TANH, RELU6, NORM, DIVISOR, UNARY, GATE, PRODUCT } obstacle;

static int put(xa_graph *g, int x, obstacle o)
{
    xa_node_spec s = {.name = "obstacle", .inputs = &x, .ninputs = 1};
    switch (o) {
    case SIGMOID:
        return activation(g, x, XA_ACT_SIGMOID);
    case TANH:
        return activation(g, x, XA_ACT_TANH);
    case RELU6:
        s.op = XA_OP_ACTIVATION;
        s.params.activation = xa_activation_default(XA_ACT_RELU);
        s.params.activation.b = 6.0f;
        return plan_node(g, &s);
    case NORM:
        s.op = XA_OP_REDUCE;
        s.params.reduce.kind = XA_OVER_L2;
        s.params.reduce.axis = 1;
        return join(g, XA_OP_ADD, "sum", x, plan_node(g, &s));
    case UNARY:
        s.op = XA_OP_UNARY;
        s.params.unary.kind = XA_UNARY_ABS;
        return plan_node(g, &s);
    case DIVISOR:
        return join(g, XA_OP_DIVIDE, "quotient", x, dense(g, x, D, D));
    case GATE:
        return join(g, XA_OP_MULTIPLY, "gate", x, dense(g, x, D, D));
    default:
        return dense(g, product(g, x, x, true), T, D);
    }
}

static void test_refusals(void **state)
{
    static const struct {
        obstacle what;
        bool attnlrp, cp_lrp; /* refused */
        const char *says;
    } cases[] = {{SIGMOID, true, true, "layer \"act\" (activation): the activation is not 0 at 0"},
                 {TANH, true, true, "of tanh the input is not kept"},
                 {RELU6, true, true, "layer \"obstacle\" (activation): of a ReLU with"},
                 {NORM, true, true, "layer \"obstacle\" (reduce)"},
                 {DIVISOR, true, true, "layer \"quotient\" (divide): the divisor is computed"},
                 {UNARY, true, true, "layer \"obstacle\" (unary): the operator has no rule"},
                 {GATE, false, true, "layer \"gate\" (multiply): which of two computed factors"},
                 {PRODUCT, false, true, "neither factor of this product"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int r = XA_RULES_GRADIENT; r < XA_RULES_COUNT; r++) {
            xa_err err = XA_ERR_INIT;
            xa_graph *g;
            const int in = start_graph(&g);
            const int root = head(g, put(g, attend(g, in, true), cases[i].what), T * D);
            const bool refused = (r == XA_RULES_ATTNLRP && cases[i].attnlrp) ||
                                 (r == XA_RULES_CP_LRP && cases[i].cp_lrp);
            const xa_status st = xa_graph_check_rules(g, root, (xa_rules)r, &err);
            assert_int_equal(st, refused ? XA_INVALID : XA_OK);
            if (refused && !strstr(err.message, cases[i].says))
                fail_msg("case %d: %s", (int)i, err.message);
            xa_graph_free(g);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_attention_of_products),
                                       cmocka_unit_test(test_shares),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
