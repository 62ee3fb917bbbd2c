/* Rows that nobody asks for are not computed: a transformer whose scores read one token of the last
 * block gives the same bits as one whose last value is exposed and therefore whole, in scores,
 * attention, gradients of attention and input; and less is computed. What must stay whole does. */
#include "plan_fixture.h"

enum { T = 9, D = 8, HIDDEN = 16, CLASSES = 3, BATCH = 2, IN = T * D };

typedef struct net {
    xa_graph *g;
    int input, norm1, attention, sum, normed, logits;
} net;

static int add(xa_graph *g, xa_op op, const int *inputs, int ninputs, const xa_op_params *params)
{
    xa_node_spec s = {.op = op, .name = "node", .inputs = inputs, .ninputs = ninputs};
    if (params)
        s.params = *params;
    if (op == XA_OP_DENSE) {
        const int64_t from = xa_shape_last(&xa_graph_node(g, inputs[0])->shape);
        s.nweights = 2;
        s.weights[0] =
            plan_weight(g, &(xa_shape){.ndim = 2, .dim = {from, params->dense.units}}, -0.5, 0.5);
        s.weights[1] =
            plan_weight(g, &(xa_shape){.ndim = 1, .dim = {params->dense.units}}, -0.5, 0.5);
    }
    return plan_node(g, &s);
}

static int dense(xa_graph *g, int x, int64_t units)
{
    return add(g, XA_OP_DENSE, &x, 1, &(xa_op_params){.dense.units = units});
}

static int norm(xa_graph *g, int x)
{
    return add(g, XA_OP_LAYER_NORM, &x, 1, &(xa_op_params){.layer_norm.epsilon = 1e-6f});
}

static int reshape(xa_graph *g, int x, xa_shape shape)
{
    return add(g, XA_OP_RESHAPE, &x, 1, &(xa_op_params){.reshape = shape});
}

/* Row i of [T,D] as [D]. */
static int row(xa_graph *g, int x, int64_t i)
{
    x = reshape(g, x, (xa_shape){.ndim = 3, .dim = {T, 1, D}});
    x = add(g, XA_OP_CROP, &x, 1, &(xa_op_params){.edges = {.top = i, .bottom = T - 1 - i}});
    return reshape(g, x, (xa_shape){.ndim = 1, .dim = {D}});
}

/* One block over [T,D], then token 1; `two`: token 7 as well. */
static net make_net(bool two)
{
    net n;
    assert_int_equal(xa_graph_create(&n.g, NULL), XA_OK);
    const xa_shape shape = {.ndim = 2, .dim = {T, D}};
    assert_int_equal(xa_graph_add_input(n.g, "input", &shape, &n.input, NULL), XA_OK);
    n.norm1 = norm(n.g, n.input);
    const int qkv[3] = {dense(n.g, n.norm1, D), dense(n.g, n.norm1, D), dense(n.g, n.norm1, D)};
    n.attention = add(n.g, XA_OP_ATTENTION, qkv, 3, &(xa_op_params){.attention = {2, 0.5f}});
    const int first[2] = {n.input, dense(n.g, n.attention, D)};
    n.sum = add(n.g, XA_OP_ADD, first, 2, NULL);
    int x = dense(n.g, norm(n.g, n.sum), HIDDEN);
    x = add(n.g,
            XA_OP_ACTIVATION,
            &x,
            1,
            &(xa_op_params){.activation = xa_activation_default(XA_ACT_GELU)});
    const int second[2] = {n.sum, dense(n.g, x, D)};
    n.normed = norm(n.g, add(n.g, XA_OP_ADD, second, 2, NULL));
    const int tokens[2] = {row(n.g, n.normed, 1), two ? row(n.g, n.normed, 7) : -1};
    x = two ? add(n.g, XA_OP_ADD, tokens, 2, NULL) : tokens[0];
    n.logits = dense(n.g, x, CLASSES);
    return n;
}

typedef struct seen {
    float logits[BATCH * CLASSES], input[BATCH * IN], norm1[BATCH * IN];
    float probs[BATCH * 2 * T * T], gradient[BATCH * 2 * T * T];
    int attention;
} seen;

static void take(void *arg, const xa_attention_view *v)
{
    seen *s = arg;
    const int64_t at = (v->sample * v->heads + v->head) * T * T;
    assert_int_equal(v->rows, T);
    assert_int_equal(v->columns, T);
    s->attention = v->node;
    memcpy(v->gradient ? s->gradient + at : s->probs + at,
           v->gradient ? v->gradient : v->probs,
           T * T * sizeof(float));
}

/* Everything of one batch; returns GFLOP forward. */
static double look(const net *n, const int *exposed, int nexposed, seen *s)
{
    const xa_reach reach = {.input = true,
                            .nodes = &n->norm1,
                            .nnodes = 1,
                            .attention = &n->attention,
                            .nattention = 1};
    const xa_plan_spec spec = {.batch = BATCH,
                               .exposed = exposed,
                               .nexposed = nexposed,
                               .root = n->logits,
                               .reach = &reach,
                               .nreach = 1};
    machine m = machine_start(n->g, &spec);
    const double flops = m.info.flops_forward;
    float seed[BATCH * CLASSES];
    memset(s, 0, sizeof *s);
    m.run.sink = (xa_attention_sink){take, s};
    for (int i = 0; i < BATCH * IN; i++)
        xa_run_input(&m.run)[i] = (float)xa_random_unit(14, 0, (uint64_t)i);
    for (int i = 0; i < BATCH * CLASSES; i++)
        seed[i] = (float)xa_random_unit(14, 1, (uint64_t)i);
    xa_run_forward(&m.run);
    memcpy(s->logits, xa_run_value(&m.run, n->logits), sizeof s->logits);
    xa_run_backward(&m.run, 0, seed);
    memcpy(s->input, xa_run_gradient(&m.run, 0, n->input), sizeof s->input);
    memcpy(s->norm1, xa_run_gradient(&m.run, 0, n->norm1), sizeof s->norm1);
    machine_stop(&m);
    return flops;
}

static void equal(const char *what, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(a[i] == b[i])) /* a zero may have either sign */
            fail_msg("%s at %zu: %.9g, whole %.9g", what, i, (double)a[i], (double)b[i]);
}

static void same(const seen *a, const seen *b)
{
    equal("scores", a->logits, b->logits, BATCH * CLASSES);
    equal("input gradient", a->input, b->input, BATCH * IN);
    equal("layer gradient", a->norm1, b->norm1, BATCH * IN);
    equal("probabilities", a->probs, b->probs, BATCH * 2 * T * T);
    equal("their gradient", a->gradient, b->gradient, BATCH * 2 * T * T);
    assert_int_equal(a->attention, b->attention);
}

static void test_one_token(void **state)
{
    (void)state;
    const net n = make_net(false);
    seen narrow, whole, partly;
    const int exposed[2] = {n.norm1, n.normed}, middle[2] = {n.norm1, n.sum};
    const double few = look(&n, exposed, 1, &narrow), all = look(&n, exposed, 2, &whole);
    const double some = look(&n, middle, 2, &partly);
    same(&narrow, &whole);
    same(&partly, &whole);
    assert_int_equal(narrow.attention, n.attention);
    /* of the projection and the perceptron, a row of T; of the perceptron alone */
    assert_true(all - few > 2.0 * (T - 1) * (D * D + 2 * D * HIDDEN));
    assert_true(some > few && some < all);
    assert_true(all - some > 2.0 * (T - 1) * 2 * D * HIDDEN);
    xa_graph_free(n.g);
}

/* Two tokens: their rows are not the same, so that all stay. */
static void test_two_tokens(void **state)
{
    (void)state;
    const net n = make_net(true);
    seen two, whole;
    const int exposed[2] = {n.norm1, n.normed};
    assert_true(look(&n, exposed, 1, &two) == look(&n, exposed, 2, &whole));
    same(&two, &whole);
    xa_graph_free(n.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_token),
        cmocka_unit_test(test_two_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
