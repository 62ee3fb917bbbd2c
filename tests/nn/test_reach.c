/* Backward passes that begin at an inner node, and gradients that stop: a linear network whose
 * gradients are products of its matrices.
 *
 *   x -W1-> a -W2-> b,  r = a + b,  z = W3 r */
#include <math.h>
#include <string.h>

#include "plan_fixture.h"

enum { N = 3, CLASSES = 2, BATCH = 2 };

/* Rows are inputs, as Dense has them: y_j = sum_i x_i w_ij. */
static const float w1[N][N] = {{1, 2, 0}, {-1, 1, 3}, {0, 2, -2}};
static const float w2[N][N] = {{2, 0, 1}, {1, -1, 0}, {0, 3, 1}};
static const float w3[N][CLASSES] = {{1, -1}, {2, 0}, {0, 3}};

typedef struct net {
    xa_graph *g;
    int input, a, b, r, z;
} net;

static int dense(net *n, int x, const float *w, int64_t units, const char *name)
{
    const xa_shape shape = {.ndim = 2, .dim = {N, units}};
    xa_node_spec s = {.op = XA_OP_DENSE, .name = name, .inputs = &x, .ninputs = 1, .nweights = 2};
    s.params.dense.units = units;
    assert_int_equal(xa_graph_add_weight(n->g, name, &shape, 0, w, &s.weights[0], NULL), XA_OK);
    s.weights[1] = -1;
    return plan_node(n->g, &s);
}

static net make_net(void)
{
    net n;
    assert_int_equal(xa_graph_create(&n.g, NULL), XA_OK);
    assert_int_equal(
        xa_graph_add_input(n.g, "input", &(xa_shape){.ndim = 1, .dim = {N}}, &n.input, NULL),
        XA_OK);
    n.a = dense(&n, n.input, &w1[0][0], N, "a");
    n.b = dense(&n, n.a, &w2[0][0], N, "b");
    n.r = plan_node(
        n.g,
        &(xa_node_spec){.op = XA_OP_ADD, .name = "r", .inputs = (int[]){n.a, n.b}, .ninputs = 2});
    n.z = dense(&n, n.r, &w3[0][0], CLASSES, "z");
    return n;
}

static machine start(const net *n, const xa_reach *reach, int nreach)
{
    const int exposed[] = {n->a, n->b, n->r};
    const xa_plan_spec spec = {.batch = BATCH,
                               .exposed = exposed,
                               .nexposed = 3,
                               .root = n->z,
                               .reach = reach,
                               .nreach = nreach};
    machine m = machine_start(n->g, &spec);
    for (int i = 0; i < BATCH * N; i++)
        xa_run_input(&m.run)[i] = (float)i - 2.0f;
    xa_run_forward(&m.run);
    return m;
}

/* out_i = sum_j w_ij g_j: the gradient before a matrix. */
static void before(const float *w, int64_t units, const float *g, float *out)
{
    for (int i = 0; i < N; i++) {
        out[i] = 0.0f;
        for (int64_t j = 0; j < units; j++)
            out[i] += w[i * units + j] * g[j];
    }
}

static void plus(const float *a, const float *b, float *out)
{
    for (int i = 0; i < N; i++)
        out[i] = a[i] + b[i];
}

static void expect(const char *what, const float *have, const float *want)
{
    assert_non_null(have);
    for (int i = 0; i < N; i++)
        if (have[i] != want[i])
            fail_msg("%s at %d: %g, expected %g", what, i, (double)have[i], (double)want[i]);
}

static const float seeds[BATCH][CLASSES] = {{1, 2}, {-3, 1}};

/* From b on nothing comes by the way around it. */
static void test_from(void **state)
{
    (void)state;
    net n = make_net();
    const int wanted[] = {n.a};
    const xa_reach reach[] = {{.input = true, .nodes = wanted, .nnodes = 1},
                              {.from = n.b, .input = true, .nodes = wanted, .nnodes = 1},
                              {.from = n.r, .input = true}};
    const float seed_b[BATCH][N] = {{1, 0, 2}, {0, -1, 1}};
    machine m = start(&n, reach, 3);
    for (int again = 0; again < 2; again++) { /* passes may come in any order */
        xa_run_backward(&m.run, 1, &seed_b[0][0]);
        for (int k = 0; k < BATCH; k++) {
            float a[N], x[N];
            before(&w2[0][0], N, seed_b[k], a);
            before(&w1[0][0], N, a, x);
            expect("a from b", xa_run_gradient(&m.run, 1, n.a) + k * N, a);
            expect("x from b", xa_run_gradient(&m.run, 1, n.input) + k * N, x);
        }
        xa_run_backward(&m.run, 0, &seeds[0][0]);
        for (int k = 0; k < BATCH; k++) {
            float r[N], through[N], a[N], x[N];
            before(&w3[0][0], CLASSES, seeds[k], r);
            before(&w2[0][0], N, r, through);
            plus(r, through, a);
            before(&w1[0][0], N, a, x);
            expect("a from the root", xa_run_gradient(&m.run, 0, n.a) + k * N, a);
            expect("x from the root", xa_run_gradient(&m.run, 0, n.input) + k * N, x);
        }
    }
    xa_run_backward(&m.run, 2, &seed_b[0][0]); /* both ways lead on from r */
    float through[N], both[N], x[N];
    before(&w2[0][0], N, seed_b[0], through);
    plus(seed_b[0], through, both);
    before(&w1[0][0], N, both, x);
    expect("x from r", xa_run_gradient(&m.run, 2, n.input), x);
    machine_stop(&m);
    xa_graph_free(n.g);
}

/* a's own share is what comes beside b. */
static void test_stops(void **state)
{
    (void)state;
    net n = make_net();
    const int both[] = {n.a, n.b};
    const xa_reach reach[] = {{.nodes = both, .nnodes = 2},
                              {.nodes = both, .nnodes = 2, .stops = true},
                              {.from = n.r, .nodes = both, .nnodes = 2, .stops = true}};
    machine m = start(&n, reach, 3);
    for (int again = 0; again < 2; again++)
        for (int k = 0; k < BATCH; k++) {
            float r[N], through[N], a[N];
            before(&w3[0][0], CLASSES, seeds[k], r);
            before(&w2[0][0], N, r, through);
            plus(r, through, a);
            xa_run_backward(&m.run, 0, &seeds[0][0]);
            expect("a", xa_run_gradient(&m.run, 0, n.a) + k * N, a);
            expect("b", xa_run_gradient(&m.run, 0, n.b) + k * N, r);
            xa_run_backward(&m.run, 1, &seeds[0][0]);
            expect("a where gradients stop", xa_run_gradient(&m.run, 1, n.a) + k * N, r);
            expect("b where gradients stop", xa_run_gradient(&m.run, 1, n.b) + k * N, r);
        }
    const float seed_r[BATCH][N] = {{1, 2, 3}, {4, 5, 6}};
    xa_run_backward(&m.run, 2, &seed_r[0][0]);
    for (int k = 0; k < BATCH; k++) {
        expect("a from r", xa_run_gradient(&m.run, 2, n.a) + k * N, seed_r[k]);
        expect("b from r", xa_run_gradient(&m.run, 2, n.b) + k * N, seed_r[k]);
    }
    machine_stop(&m);
    xa_graph_free(n.g);
}

static void refused(const net *n, const xa_reach *reach, const char *says)
{
    const int exposed[] = {n->a, n->r};
    const xa_plan_spec spec = {
        .batch = 1, .exposed = exposed, .nexposed = 2, .root = n->z, .reach = reach, .nreach = 1};
    xa_plan *plan = NULL;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_plan_create(n->g, &spec, &plan, &err), XA_INVALID);
    if (!strstr(err.message, says))
        fail_msg("\"%s\" does not say \"%s\"", err.message, says);
}

static void test_refusals(void **state)
{
    (void)state;
    net n = make_net();
    refused(&n, &(xa_reach){.from = n.b, .input = true}, "exposed");
    refused(&n, &(xa_reach){.from = 1000, .input = true}, "exposed");
    /* what lies behind has no gradient, nor has what all ways to it stop before */
    refused(&n, &(xa_reach){.from = n.a, .nodes = &n.r, .nnodes = 1}, "there is no gradient to it");
    const int both[] = {n.a, n.r};
    refused(&n,
            &(xa_reach){.nodes = both, .nnodes = 2, .stops = true},
            "\"a\" does not lead to the scores");
    xa_graph_free(n.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from), cmocka_unit_test(test_stops), cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
