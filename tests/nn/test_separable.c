/* Depthwise and pointwise convolutions in one pass over bands of rows, against the two one after
 * the other (the value between them exposed): output and input gradient, bit for bit. Maps of less
 * than a band, of several, of lines longer than one; strides, dilation, multipliers, either ReLU;
 * and what must not be paired. */
#include "plan_fixture.h"

typedef struct separable {
    const char *name;
    int64_t n, h, w, c, m, f, k, stride, dilation;
    xa_padding padding;
    bool relu_between, relu_after;
} separable;

typedef struct chain {
    xa_graph *g;
    int between, out; /* what lies between the two; the last node */
    int64_t input;    /* elements of a sample */
} chain;

static int relu(xa_graph *g, int x, bool wanted)
{
    xa_node_spec s = {.op = XA_OP_ACTIVATION, .name = "relu", .inputs = &x, .ninputs = 1};
    s.params.activation = xa_activation_default(XA_ACT_RELU);
    return wanted ? plan_node(g, &s) : x;
}

static int pointwise(xa_graph *g, int x, int64_t c, int64_t f)
{
    xa_node_spec s = {.op = XA_OP_CONV2D, .name = "pw", .inputs = &x, .ninputs = 1, .nweights = 2};
    s.params.conv2d.window = (xa_window){1, 1, 1, 1, 1, 1, XA_VALID, {0}};
    s.params.conv2d.filters = f;
    s.params.conv2d.groups = 1;
    s.weights[0] = plan_weight(g, &(xa_shape){.ndim = 4, .dim = {1, 1, c, f}}, -0.5, 0.5);
    s.weights[1] = plan_weight(g, &(xa_shape){.ndim = 1, .dim = {f}}, -0.5, 0.5);
    return plan_node(g, &s);
}

static chain chain_of(const separable *t)
{
    chain q;
    int input;
    assert_int_equal(xa_graph_create(&q.g, NULL), XA_OK);
    const xa_shape shape = {.ndim = 3, .dim = {t->h, t->w, t->c}};
    assert_int_equal(xa_graph_add_input(q.g, "input", &shape, &input, NULL), XA_OK);
    q.input = xa_shape_count(&shape);
    xa_node_spec s = {
        .op = XA_OP_DEPTHWISE, .name = "dw", .inputs = &input, .ninputs = 1, .nweights = 2};
    s.params.depthwise.window =
        (xa_window){t->k, t->k, t->stride, t->stride, t->dilation, t->dilation, t->padding, {0}};
    s.params.depthwise.multiplier = t->m;
    s.weights[0] =
        plan_weight(q.g, &(xa_shape){.ndim = 4, .dim = {t->k, t->k, t->c, t->m}}, -0.5, 0.5);
    s.weights[1] = plan_weight(q.g, &(xa_shape){.ndim = 1, .dim = {t->c * t->m}}, -0.5, 0.5);
    q.between = relu(q.g, plan_node(q.g, &s), t->relu_between);
    q.out = relu(q.g, pointwise(q.g, q.between, t->c * t->m, t->f), t->relu_after);
    return q;
}

static float *noise(int64_t n, uint64_t stream)
{
    float *p = xa_alloc((size_t)n, sizeof *p);
    for (int64_t i = 0; i < n; i++)
        p[i] = (float)(2.0 * xa_random_unit(5, stream, (uint64_t)i) - 1.0);
    return p;
}

/* Output, then input gradient, of the batch; returns how much was fused. */
static int
pass(const chain *q, int64_t n, const int *exposed, int nexposed, float *out, float *gradient)
{
    const xa_reach reach = {.input = true};
    const xa_plan_spec spec = {.batch = n,
                               .exposed = exposed,
                               .nexposed = nexposed,
                               .root = q->out,
                               .reach = &reach,
                               .nreach = 1,
                               .reuse_input = true};
    const int64_t count = n * xa_shape_count(&xa_graph_node(q->g, q->out)->shape);
    float *x = noise(n * q->input, 1), *seed = noise(count, 2);
    machine m = machine_start(q->g, &spec);
    const int fused = m.info.fused;
    memcpy(xa_run_input(&m.run), x, (size_t)(n * q->input) * sizeof(float));
    xa_run_forward(&m.run);
    memcpy(out, xa_run_value(&m.run, q->out), (size_t)count * sizeof(float));
    xa_run_backward(&m.run, 0, seed);
    const int input = xa_graph_input(q->g);
    memcpy(gradient, xa_run_gradient(&m.run, 0, input), (size_t)(n * q->input) * sizeof(float));
    machine_stop(&m);
    free(x);
    free(seed);
    return fused;
}

static void one(const separable *t)
{
    const chain q = chain_of(t);
    const int64_t count = t->n * xa_shape_count(&xa_graph_node(q.g, q.out)->shape);
    float *y[2], *dx[2];
    for (int i = 0; i < 2; i++) {
        y[i] = xa_alloc((size_t)count, sizeof(float));
        dx[i] = xa_alloc((size_t)(t->n * q.input), sizeof(float));
    }
    const int paired = pass(&q, t->n, NULL, 0, y[0], dx[0]);
    const int apart = pass(&q, t->n, &q.between, 1, y[1], dx[1]);
    if (paired != apart + 1)
        fail_msg("%s: not paired", t->name);
    if (memcmp(y[0], y[1], (size_t)count * sizeof(float)) != 0)
        fail_msg("%s: other outputs", t->name);
    if (memcmp(dx[0], dx[1], (size_t)(t->n * q.input) * sizeof(float)) != 0)
        fail_msg("%s: other gradients", t->name);
    for (int i = 0; i < 2; i++) {
        free(y[i]);
        free(dx[i]);
    }
    xa_graph_free(q.g);
}

static void test_bands(void **state)
{
    (void)state;
    static const separable cases[] = {
        {"one pixel", 1, 1, 1, 4, 1, 3, 3, 1, 1, XA_SAME, false, false},
        {"small maps together", 9, 7, 7, 24, 1, 40, 3, 1, 1, XA_SAME, true, true},
        {"one map a band", 3, 16, 16, 20, 1, 33, 3, 1, 1, XA_SAME, false, true},
        {"as Xception's middle", 2, 32, 32, 56, 1, 56, 3, 1, 1, XA_SAME, false, true},
        {"lines of a band", 1, 5, 288, 8, 1, 16, 3, 1, 1, XA_SAME, true, false},
        {"lines longer than a band", 2, 9, 301, 8, 1, 9, 3, 1, 1, XA_SAME, true, true},
        {"5x5", 2, 23, 37, 17, 1, 16, 5, 1, 1, XA_SAME, true, true},
        {"7x7, lines of more than half a band", 1, 19, 200, 8, 1, 8, 7, 1, 1, XA_SAME, false, true},
        {"stride 2", 2, 57, 61, 16, 1, 24, 3, 2, 1, XA_SAME, true, false},
        {"stride 2, 5x5, even", 2, 64, 64, 16, 1, 24, 5, 2, 1, XA_SAME, true, true},
        {"stride 3 over 2x2: gaps", 1, 101, 103, 8, 1, 8, 2, 3, 1, XA_VALID, false, true},
        {"valid", 2, 40, 33, 12, 1, 7, 3, 1, 1, XA_VALID, true, true},
        {"dilation 2", 2, 41, 43, 12, 1, 16, 3, 1, 2, XA_SAME, true, true},
        {"dilation 9: more carried than a band has",
         1,
         60,
         150,
         5,
         1,
         6,
         3,
         1,
         9,
         XA_SAME,
         true,
         true},
        {"multiplier 3", 2, 30, 31, 6, 3, 10, 3, 1, 1, XA_SAME, true, true},
        {"multiplier 2, stride 2", 2, 30, 31, 5, 2, 10, 3, 2, 1, XA_SAME, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        one(&cases[i]);
}

/* A value that somebody else reads as well stays what it is. */
static void test_not_paired(void **state)
{
    (void)state;
    const separable t = {"", 1, 8, 8, 4, 1, 4, 3, 1, 1, XA_SAME, true, false};
    chain q = chain_of(&t);
    float y[8 * 8 * 4], dx[8 * 8 * 4];
    const int paired = pass(&q, 1, NULL, 0, y, dx);
    const int both[2] = {q.out, q.between};
    q.out = plan_node(
        q.g,
        &(xa_node_spec){.op = XA_OP_MULTIPLY, .name = "product", .inputs = both, .ninputs = 2});
    assert_int_equal(pass(&q, 1, NULL, 0, y, dx), paired - 1);
    xa_graph_free(q.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bands),
        cmocka_unit_test(test_not_paired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
