/* Plans and runs over a small residual network that has everything a plan may do to a graph: folded
 * batch normalisation, fused ReLU and addition, views, values with several consumers, in-place
 * operators.
 *
 * What is compared: values and gradients of a plan that may fold and fuse, with a plan that may not
 * (every node exposed); gradients with central differences; one sample alone with the same sample
 * in a batch, bit for bit; one reach with another, bit for bit. */
#include <math.h>

#include "plan_fixture.h"

enum { SIDE = 9, CHANNELS = 3, CLASSES = 4, IN = SIDE * SIDE * CHANNELS };

typedef struct net {
    xa_graph *g;
    int input, stem, add, act, logits;
} net;

static int conv(xa_graph *g, int x, int64_t k, int64_t stride, int64_t c, int64_t f)
{
    xa_node_spec s = {
        .op = XA_OP_CONV2D, .name = "conv", .inputs = &x, .ninputs = 1, .nweights = 2};
    s.params.conv2d.window = (xa_window){k, k, stride, stride, 1, 1, XA_SAME, {0}};
    s.params.conv2d.filters = f;
    s.params.conv2d.groups = 1;
    s.weights[0] = plan_weight(g, &(xa_shape){.ndim = 4, .dim = {k, k, c, f}}, -0.4, 0.4);
    s.weights[1] = plan_weight(g, &(xa_shape){.ndim = 1, .dim = {f}}, -0.2, 0.2);
    return plan_node(g, &s);
}

static int depthwise(xa_graph *g, int x, int64_t c)
{
    xa_node_spec s = {
        .op = XA_OP_DEPTHWISE, .name = "dw", .inputs = &x, .ninputs = 1, .nweights = 2};
    s.params.depthwise.window = (xa_window){3, 3, 1, 1, 1, 1, XA_SAME, {0}};
    s.params.depthwise.multiplier = 1;
    s.weights[0] = plan_weight(g, &(xa_shape){.ndim = 4, .dim = {3, 3, c, 1}}, -0.5, 0.5);
    s.weights[1] = -1;
    return plan_node(g, &s);
}

static int norm(xa_graph *g, int x, int64_t c)
{
    xa_node_spec s = {.op = XA_OP_AFFINE, .name = "bn", .inputs = &x, .ninputs = 1, .nweights = 4};
    s.params.affine.epsilon = 1e-3f;
    s.weights[0] = plan_weight(g, &(xa_shape){.ndim = 1, .dim = {c}}, 0.5, 1.5);
    s.weights[1] = plan_weight(g, &(xa_shape){.ndim = 1, .dim = {c}}, -0.3, 0.3);
    s.weights[2] = plan_weight(g, &(xa_shape){.ndim = 1, .dim = {c}}, -0.3, 0.3);
    s.weights[3] = plan_weight(g, &(xa_shape){.ndim = 1, .dim = {c}}, 0.5, 2.0);
    return plan_node(g, &s);
}

static int activation(xa_graph *g, int x, xa_activation_kind kind)
{
    xa_node_spec s = {.op = XA_OP_ACTIVATION, .name = "act", .inputs = &x, .ninputs = 1};
    s.params.activation = xa_activation_default(kind);
    return plan_node(g, &s);
}

static int sum(xa_graph *g, int a, int b)
{
    return plan_node(
        g, &(xa_node_spec){.op = XA_OP_ADD, .name = "add", .inputs = (int[]){a, b}, .ninputs = 2});
}

static net make_net(xa_activation_kind kind)
{
    net n;
    xa_node_spec pool = {.op = XA_OP_GLOBAL_POOL, .name = "gap", .ninputs = 1};
    xa_node_spec dense = {.op = XA_OP_DENSE, .name = "logits", .ninputs = 1, .nweights = 2};
    xa_node_spec flat = {.op = XA_OP_RESHAPE, .name = "reshape", .ninputs = 1};
    assert_int_equal(xa_graph_create(&n.g, NULL), XA_OK);
    assert_int_equal(
        xa_graph_add_input(
            n.g, "input", &(xa_shape){.ndim = 3, .dim = {SIDE, SIDE, CHANNELS}}, &n.input, NULL),
        XA_OK);
    n.stem = activation(n.g, norm(n.g, conv(n.g, n.input, 3, 2, CHANNELS, 10), 10), kind);
    /* a pre-activation branch as in Xception: its input is used twice */
    int x = activation(n.g, n.stem, kind);
    x = norm(n.g, conv(n.g, depthwise(n.g, x, 10), 1, 1, 10, 12), 12);
    n.add = sum(n.g, x, conv(n.g, n.stem, 1, 1, 10, 12));
    n.act = activation(n.g, n.add, kind);
    /* an addition whose second operand is no convolution, and a sum of a value with itself */
    x = sum(n.g, n.act, activation(n.g, conv(n.g, n.act, 3, 1, 12, 12), kind));
    x = sum(n.g, x, x);
    pool.inputs = &x;
    pool.params.global_pool.kind = XA_POOL_AVG;
    int y = plan_node(n.g, &pool);
    flat.inputs = &y;
    flat.params.reshape = (xa_shape){.ndim = 2, .dim = {1, 12}};
    int z = plan_node(n.g, &flat);
    flat.inputs = &z;
    flat.params.reshape = (xa_shape){.ndim = 1, .dim = {12}};
    int v = plan_node(n.g, &flat);
    dense.inputs = &v;
    dense.params.dense.units = CLASSES;
    dense.weights[0] = plan_weight(n.g, &(xa_shape){.ndim = 2, .dim = {12, CLASSES}}, -1.0, 1.0);
    dense.weights[1] = plan_weight(n.g, &(xa_shape){.ndim = 1, .dim = {CLASSES}}, -0.1, 0.1);
    n.logits = plan_node(n.g, &dense);
    return n;
}

static machine start(const net *n,
                     int64_t batch,
                     const int *exposed,
                     int nexposed,
                     const xa_reach *reach,
                     int nreach,
                     bool reuse)
{
    const xa_plan_spec spec = {.batch = batch,
                               .exposed = exposed,
                               .nexposed = nexposed,
                               .root = n->logits,
                               .reach = reach,
                               .nreach = nreach,
                               .reuse_input = reuse};
    return machine_start(n->g, &spec);
}

static void fill(float *x, int64_t n, uint64_t stream)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(2.0 * xa_random_unit(11, stream, (uint64_t)i) - 1.0);
}

static void near(const char *what, const float *a, const float *b, int64_t n, double tolerance)
{
    double top = 0.0;
    for (int64_t i = 0; i < n; i++)
        top = fmax(top, fabs((double)b[i]));
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= tolerance * top))
            fail_msg("%s at %lld: %.9g and %.9g", what, (long long)i, (double)a[i], (double)b[i]);
}

static void same(const char *what, const float *a, const float *b, int64_t n)
{
    if (memcmp(a, b, (size_t)n * sizeof(float)) != 0)
        fail_msg("%s: not the same bits", what);
}

static int64_t count_of(const net *n, int node)
{
    return xa_shape_count(&xa_graph_node(n->g, node)->shape);
}

/* Folding and fusing change nothing but last bits; the same gradients come out at every place. */
static void fused_against_plain(xa_activation_kind kind)
{
    net n = make_net(kind);
    int all[64], few[2];
    const int nodes = xa_graph_nodes(n.g);
    for (int i = 0; i < nodes; i++)
        all[i] = i;
    few[0] = n.act;
    few[1] = n.stem;
    const xa_reach to_few = {.input = true, .nodes = few, .nnodes = 2};
    machine plain = start(&n, 2, all + 1, nodes - 1, &to_few, 1, false);
    machine fused = start(&n, 2, few, 2, &to_few, 1, true);
    xa_plan_info a, b;
    xa_plan_get_info(plain.plan, &a);
    xa_plan_get_info(fused.plan, &b);
    assert_int_equal(a.folded + a.fused, 0);
    assert_true(b.folded >= 2);
    if (kind == XA_ACT_RELU)
        assert_true(b.fused >= 3);
    fill(xa_run_input(&plain.run), 2 * IN, 1);
    fill(xa_run_input(&fused.run), 2 * IN, 1);
    xa_run_forward(&plain.run);
    xa_run_forward(&fused.run);
    near("logits",
         xa_run_value(&fused.run, n.logits),
         xa_run_value(&plain.run, n.logits),
         2 * CLASSES,
         1e-5);
    near("act",
         xa_run_value(&fused.run, n.act),
         xa_run_value(&plain.run, n.act),
         2 * count_of(&n, n.act),
         1e-5);
    float seed[2 * CLASSES];
    for (int pass = 0; pass < 3; pass++) { /* several passes over one forward */
        fill(seed, 2 * CLASSES, 20 + (uint64_t)pass);
        xa_run_backward(&plain.run, 0, seed);
        xa_run_backward(&fused.run, 0, seed);
        for (int k = 0; k < 2; k++)
            near("layer gradient",
                 xa_run_gradient(&fused.run, 0, few[k]),
                 xa_run_gradient(&plain.run, 0, few[k]),
                 2 * count_of(&n, few[k]),
                 1e-5);
        near("input gradient",
             xa_run_gradient(&fused.run, 0, n.input),
             xa_run_gradient(&plain.run, 0, n.input),
             2 * IN,
             1e-5);
    }
    machine_stop(&plain);
    machine_stop(&fused);
    xa_graph_free(n.g);
}

static void test_fused_against_plain(void **state)
{
    (void)state;
    fused_against_plain(XA_ACT_RELU);
    fused_against_plain(XA_ACT_SWISH);
    fused_against_plain(XA_ACT_TANH);
}

/* A smooth network: the gradient is the slope. */
static void test_finite_differences(void **state)
{
    (void)state;
    net n = make_net(XA_ACT_TANH);
    const xa_reach to_input = {.input = true, .nodes = NULL, .nnodes = 0};
    machine m = start(&n, 1, NULL, 0, &to_input, 1, false);
    float x[IN], direction[IN], seed[CLASSES];
    fill(x, IN, 3);
    fill(direction, IN, 4);
    fill(seed, CLASSES, 5);
    double slope = 0.0, value[2];
    memcpy(xa_run_input(&m.run), x, sizeof x);
    xa_run_forward(&m.run);
    xa_run_backward(&m.run, 0, seed);
    const float *dx = xa_run_gradient(&m.run, 0, n.input);
    for (int i = 0; i < IN; i++)
        slope += (double)dx[i] * (double)direction[i];
    for (int side = 0; side < 2; side++) {
        const float step = side ? 1e-2f : -1e-2f;
        for (int i = 0; i < IN; i++)
            xa_run_input(&m.run)[i] = x[i] + step * direction[i];
        xa_run_forward(&m.run);
        value[side] = 0.0;
        for (int c = 0; c < CLASSES; c++)
            value[side] += (double)seed[c] * (double)xa_run_value(&m.run, n.logits)[c];
    }
    const double difference = (value[1] - value[0]) / 2e-2;
    if (!(fabs(difference - slope) <= 2e-3 * fabs(slope) + 1e-4))
        fail_msg("slope %.7g, central difference %.7g", slope, difference);
    machine_stop(&m);
    xa_graph_free(n.g);
}

/* The row contract end to end: any batch, any slot, any neighbours, the same bits. */
static void test_batches_do_not_matter(void **state)
{
    (void)state;
    net n = make_net(XA_ACT_RELU);
    const xa_reach to_act = {.input = true, .nodes = &n.act, .nnodes = 1};
    float seed[5 * CLASSES];
    machine one = start(&n, 1, &n.act, 1, &to_act, 1, true);
    machine five = start(&n, 5, &n.act, 1, &to_act, 1, true);
    xa_plan_info a, b;
    xa_plan_get_info(one.plan, &a);
    xa_plan_get_info(five.plan, &b);
    assert_true(a.weight_bytes == b.weight_bytes);
    assert_memory_equal(one.blob, five.blob, a.weight_bytes); /* one blob serves every batch */
    for (int64_t i = 0; i < 5; i++)
        fill(xa_run_input(&five.run) + i * IN, IN, 100 + (uint64_t)i);
    fill(seed, 5 * CLASSES, 9);
    xa_run_forward(&five.run);
    xa_run_backward(&five.run, 0, seed);
    for (int64_t i = 0; i < 5; i++) {
        fill(xa_run_input(&one.run), IN, 100 + (uint64_t)i);
        xa_run_forward(&one.run);
        xa_run_backward(&one.run, 0, seed + i * CLASSES);
        same("logits",
             xa_run_value(&one.run, n.logits),
             xa_run_value(&five.run, n.logits) + i * CLASSES,
             CLASSES);
        same("input gradient",
             xa_run_gradient(&one.run, 0, n.input),
             xa_run_gradient(&five.run, 0, n.input) + i * IN,
             IN);
        const int64_t c = count_of(&n, n.act);
        same("layer gradient",
             xa_run_gradient(&one.run, 0, n.act),
             xa_run_gradient(&five.run, 0, n.act) + i * c,
             c);
    }
    machine_stop(&one);
    machine_stop(&five);
    xa_graph_free(n.g);
}

/* A shorter pass gives the same bits where both arrive, and passes may come in any order. */
static void test_reaches_agree(void **state)
{
    (void)state;
    net n = make_net(XA_ACT_RELU);
    const xa_reach reach[3] = {{.input = true, .nodes = &n.act, .nnodes = 1},
                               {.nodes = &n.act, .nnodes = 1},
                               {.input = true, .nodes = NULL, .nnodes = 0}};
    machine m = start(&n, 1, &n.act, 1, reach, 3, true);
    const int64_t c = count_of(&n, n.act);
    float seed[CLASSES], *layer = xa_alloc((size_t)c, sizeof(float)), input[IN];
    fill(xa_run_input(&m.run), IN, 1);
    fill(seed, CLASSES, 2);
    xa_run_forward(&m.run);
    xa_run_backward(&m.run, 0, seed);
    memcpy(layer, xa_run_gradient(&m.run, 0, n.act), (size_t)c * sizeof(float));
    memcpy(input, xa_run_gradient(&m.run, 0, n.input), sizeof input);
    xa_run_backward(&m.run, 1, seed);
    same("layer", layer, xa_run_gradient(&m.run, 1, n.act), c);
    assert_null(xa_run_gradient(&m.run, 1, n.input));
    xa_run_backward(&m.run, 2, seed);
    same("input", input, xa_run_gradient(&m.run, 2, n.input), IN);
    xa_run_backward(&m.run, 0, seed);
    same("layer again", layer, xa_run_gradient(&m.run, 0, n.act), c);
    free(layer);
    machine_stop(&m);
    xa_graph_free(n.g);
}

/* Equal pixels give equal results wherever they stand: poolings then see exact ties in flat
 * regions, and the first wins, as in exact arithmetic. Rounding that depends on a pixel's place
 * would hand the gradient to a neighbour at random. */
static void test_flat_regions_tie_exactly(void **state)
{
    (void)state;
    if (!xa_isa_supported(XA_ISA_AVX2)) {
        print_message(
            "XA_SKIPPED flat regions: BLAS multiplies here, whose rows depend on their place\n");
        return;
    }
    enum { BIG = 41, F = 21 };
    xa_graph *g;
    int input;
    assert_int_equal(xa_graph_create(&g, NULL), XA_OK);
    assert_int_equal(
        xa_graph_add_input(g, "input", &(xa_shape){.ndim = 3, .dim = {BIG, BIG, 3}}, &input, NULL),
        XA_OK);
    const int x = depthwise(g, conv(g, input, 3, 1, 3, F), F);
    net n = {.g = g, .input = input, .logits = conv(g, conv(g, x, 1, 1, F, F), 5, 2, F, F)};
    machine m = start(&n, 1, NULL, 0, NULL, 0, true);
    for (int64_t i = 0; i < BIG * BIG; i++)
        for (int c = 0; c < 3; c++)
            xa_run_input(&m.run)[3 * i + c] = (float)(c + 1) * 0.37f;
    xa_run_forward(&m.run);
    const float *y = xa_run_value(&m.run, n.logits);
    const int64_t side = xa_graph_node(g, n.logits)->shape.dim[0];
    for (int64_t i = 4; i < side - 4; i++)
        for (int64_t j = 4; j < side - 4; j++)
            same("a flat pixel", y + (i * side + j) * F, y + (4 * side + 4) * F, F);
    machine_stop(&m);
    xa_graph_free(g);
}

static void test_refusals(void **state)
{
    (void)state;
    net n = make_net(XA_ACT_RELU);
    xa_err err = XA_ERR_INIT;
    xa_plan *p = NULL;
    const xa_reach unexposed = {.nodes = &n.stem, .nnodes = 1},
                   behind = {.nodes = &n.logits, .nnodes = 1};
    xa_plan_spec spec = {.batch = 1, .root = n.act, .reach = &unexposed, .nreach = 1};
    assert_int_equal(xa_plan_create(n.g, &spec, &p, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "not exposed"));
    spec.reach = &behind;
    spec.exposed = &n.logits;
    spec.nexposed = 1;
    assert_int_equal(xa_plan_create(n.g, &spec, &p, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "does not lead to the scores"));
    spec.batch = 0;
    assert_int_equal(xa_plan_create(n.g, &spec, &p, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "batch is 0"));
    xa_graph_free(n.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fused_against_plain),
                                       cmocka_unit_test(test_finite_differences),
                                       cmocka_unit_test(test_batches_do_not_matter),
                                       cmocka_unit_test(test_reaches_agree),
                                       cmocka_unit_test(test_flat_regions_tie_exactly),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
