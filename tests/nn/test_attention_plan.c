/* Attention in a plan: who looks on sees P = softmax(scale q k^T) and dS/dP = dy v^T of every head,
 * in order, and only those of the reach; what one sample shows does not depend on its batch. */
#include <math.h>

#include "plan_fixture.h"

enum {
    SIDE = 8,
    PATCH = 2,
    GRID = SIDE / PATCH,
    D = 6,
    HEADS = 2,
    T = GRID * GRID + 1,
    CLASSES = 3
};
enum { IN = SIDE * SIDE * 3, LAYERS = 2, K = D / HEADS };

typedef struct net {
    xa_graph *g;
    int q[LAYERS], k[LAYERS], v[LAYERS], attention[LAYERS], norm[LAYERS], logits;
} net;

static int dense(xa_graph *g, int x, int64_t from, int64_t units)
{
    xa_node_spec s = {
        .op = XA_OP_DENSE, .name = "dense", .inputs = &x, .ninputs = 1, .nweights = 2};
    s.params.dense.units = units;
    s.weights[0] = plan_weight(g, &(xa_shape){.ndim = 2, .dim = {from, units}}, -1.0, 1.0);
    s.weights[1] = plan_weight(g, &(xa_shape){.ndim = 1, .dim = {units}}, -1.0, 1.0);
    return plan_node(g, &s);
}

static net make_net(void)
{
    net n;
    int x;
    assert_int_equal(xa_graph_create(&n.g, NULL), XA_OK);
    assert_int_equal(
        xa_graph_add_input(n.g, "input", &(xa_shape){.ndim = 3, .dim = {SIDE, SIDE, 3}}, &x, NULL),
        XA_OK);
    xa_node_spec conv = {
        .op = XA_OP_CONV2D, .name = "patches", .inputs = &x, .ninputs = 1, .nweights = 1};
    conv.params.conv2d.window = (xa_window){PATCH, PATCH, PATCH, PATCH, 1, 1, XA_VALID, {0}};
    conv.params.conv2d.filters = D;
    conv.params.conv2d.groups = 1;
    conv.weights[0] =
        plan_weight(n.g, &(xa_shape){.ndim = 4, .dim = {PATCH, PATCH, 3, D}}, -1.0, 1.0);
    x = plan_node(n.g, &conv);
    xa_node_spec reshape = {.op = XA_OP_RESHAPE, .name = "tokens", .inputs = &x, .ninputs = 1};
    reshape.params.reshape = (xa_shape){.ndim = 2, .dim = {T - 1, D}};
    x = plan_node(n.g, &reshape);
    xa_node_spec tokens = {
        .op = XA_OP_TOKENS, .name = "class", .inputs = &x, .ninputs = 1, .nweights = 2};
    tokens.weights[0] = plan_weight(n.g, &(xa_shape){.ndim = 2, .dim = {1, D}}, -1.0, 1.0);
    tokens.weights[1] = plan_weight(n.g, &(xa_shape){.ndim = 2, .dim = {T, D}}, -1.0, 1.0);
    x = plan_node(n.g, &tokens);
    for (int l = 0; l < LAYERS; l++) {
        xa_node_spec norm = {.op = XA_OP_LAYER_NORM, .name = "norm", .inputs = &x, .ninputs = 1};
        norm.params.layer_norm.epsilon = 1e-6f;
        n.norm[l] = plan_node(n.g, &norm);
        n.q[l] = dense(n.g, n.norm[l], D, D);
        n.k[l] = dense(n.g, n.norm[l], D, D);
        n.v[l] = dense(n.g, n.norm[l], D, D);
        xa_node_spec attend = {.op = XA_OP_ATTENTION,
                               .name = "attention",
                               .inputs = (int[]){n.q[l], n.k[l], n.v[l]},
                               .ninputs = 3};
        attend.params.attention.heads = HEADS;
        attend.params.attention.scale = 0.6f;
        n.attention[l] = plan_node(n.g, &attend);
        x = plan_node(n.g,
                      &(xa_node_spec){.op = XA_OP_ADD,
                                      .name = "residual",
                                      .inputs = (int[]){x, dense(n.g, n.attention[l], D, D)},
                                      .ninputs = 2});
    }
    xa_node_spec flat = {.op = XA_OP_RESHAPE, .name = "flat", .inputs = &x, .ninputs = 1};
    flat.params.reshape = (xa_shape){.ndim = 1, .dim = {T * D}};
    x = plan_node(n.g, &flat);
    n.logits = dense(n.g, x, T * D, CLASSES);
    return n;
}

static machine start(const net *n, int64_t batch, const xa_reach *reach, int nreach)
{
    int exposed[4 * LAYERS];
    for (int l = 0; l < LAYERS; l++) {
        exposed[4 * l] = n->q[l];
        exposed[4 * l + 1] = n->k[l];
        exposed[4 * l + 2] = n->v[l];
        exposed[4 * l + 3] = n->attention[l];
    }
    const xa_plan_spec spec = {.batch = batch,
                               .exposed = exposed,
                               .nexposed = 4 * LAYERS,
                               .root = n->logits,
                               .reach = reach,
                               .nreach = nreach,
                               .reuse_input = true};
    return machine_start(n->g, &spec);
}

static void fill(machine *m, int64_t slot, uint64_t image)
{
    for (int i = 0; i < IN; i++)
        xa_run_input(&m->run)[slot * IN + i] =
            (float)(2.0 * xa_random_unit(11, image, (uint64_t)i) - 1.0);
}

enum { MOST = 64 };
typedef struct seen {
    int count;
    xa_attention_view view[MOST];
    float probs[MOST][T * T], gradient[MOST][T * T];
} seen;

static void take(void *arg, const xa_attention_view *v)
{
    seen *s = arg;
    assert_true(s->count < MOST);
    assert_true(v->rows == T && v->columns == T && v->heads == HEADS);
    s->view[s->count] = *v;
    memcpy(s->probs[s->count], v->probs, sizeof s->probs[0]);
    if (v->gradient)
        memcpy(s->gradient[s->count], v->gradient, sizeof s->gradient[0]);
    s->count++;
}

static int layer_of(const net *n, const xa_attention_view *v)
{
    for (int l = 0; l < LAYERS; l++)
        if (n->attention[l] == v->node)
            return l;
    fail_msg("node %d is no attention layer", v->node);
    return -1;
}

static void check_probs(const net *n, const machine *m, const xa_attention_view *v, const float *p)
{
    const int l = layer_of(n, v);
    const float *q = xa_run_value(&m->run, n->q[l]) + v->sample * T * D + v->head * K;
    const float *k = xa_run_value(&m->run, n->k[l]) + v->sample * T * D + v->head * K;
    for (int i = 0; i < T; i++) {
        double z[T], sum = 0.0;
        for (int j = 0; j < T; j++) {
            z[j] = 0.0;
            for (int c = 0; c < K; c++)
                z[j] += (double)q[i * D + c] * (double)k[j * D + c];
            z[j] = exp((double)0.6f * z[j]);
            sum += z[j];
        }
        for (int j = 0; j < T; j++)
            assert_true(fabs((double)p[i * T + j] - z[j] / sum) < 2e-6);
    }
}

static void test_forward_shows_every_head(void **state)
{
    (void)state;
    net n = make_net();
    machine m = start(&n, 2, NULL, 0);
    seen *s = calloc(1, sizeof *s);
    assert_non_null(s);
    m.run.sink = (xa_attention_sink){take, s};
    fill(&m, 0, 1);
    fill(&m, 1, 2);
    xa_run_forward(&m.run);
    assert_int_equal(s->count, LAYERS * 2 * HEADS);
    for (int i = 0; i < s->count; i++) {
        assert_int_equal(s->view[i].node, n.attention[i / (2 * HEADS)]);
        assert_int_equal(s->view[i].sample, i / HEADS % 2);
        assert_int_equal(s->view[i].head, i % HEADS);
        assert_null(s->view[i].gradient);
        check_probs(&n, &m, &s->view[i], s->probs[i]);
    }
    free(s);
    machine_stop(&m);
    xa_graph_free(n.g);
}

static void test_backward_shows_its_reach(void **state)
{
    (void)state;
    net n = make_net();
    const xa_reach reach[] = {
        {.nodes = n.attention, .nnodes = LAYERS, .attention = n.attention, .nattention = LAYERS},
        {.nodes = n.attention + 1, .nnodes = 1, .attention = n.attention + 1, .nattention = 1},
        {.input = true, .attention = n.attention, .nattention = LAYERS},
        {.input = true}};
    const int shown[] = {LAYERS, 1, LAYERS, 0};
    const float seed[2 * CLASSES] = {1.0f, -0.5f, 0.25f, 0.0f, 2.0f, 0.0f};
    machine m = start(&n, 2, reach, 4);
    seen *s = calloc(2, sizeof *s);
    float gradient[2 * IN];
    assert_non_null(s);
    fill(&m, 0, 1);
    fill(&m, 1, 2);
    xa_run_forward(&m.run);
    for (int r = 0; r < 4; r++) {
        s[0].count = 0;
        m.run.sink = (xa_attention_sink){take, s};
        xa_run_backward(&m.run, r, seed);
        assert_int_equal(s->count, shown[r] * 2 * HEADS);
        for (int i = 0; i < s->count; i++) {
            const int l = layer_of(&n, &s->view[i]);
            const int64_t at = s->view[i].sample * T * D + s->view[i].head * K;
            assert_int_equal(l, LAYERS - 1 - i / (2 * HEADS)); /* the head's side first */
            check_probs(&n, &m, &s->view[i], s->probs[i]);
            if (r > 1)
                continue; /* dy is not delivered there */
            const float *dy = xa_run_gradient(&m.run, r, n.attention[l]) + at;
            const float *v = xa_run_value(&m.run, n.v[l]) + at;
            for (int a = 0; a < T; a++)
                for (int b = 0; b < T; b++) {
                    double want = 0.0;
                    for (int c = 0; c < K; c++)
                        want += (double)dy[a * D + c] * (double)v[b * D + c];
                    assert_true(fabs((double)s->gradient[i][a * T + b] - want) < 1e-4);
                }
        }
        if (r == 2) /* looking on changes nothing */
            memcpy(gradient, xa_run_gradient(&m.run, r, xa_graph_input(n.g)), sizeof gradient);
        if (r == 3)
            assert_memory_equal(
                gradient, xa_run_gradient(&m.run, r, xa_graph_input(n.g)), sizeof gradient);
    }
    free(s);
    machine_stop(&m);
    xa_graph_free(n.g);
}

/* Central differences through both layers. */
static void test_input_gradient(void **state)
{
    (void)state;
    net n = make_net();
    const xa_reach reach = {.input = true};
    const float seed[CLASSES] = {0.7f, -1.0f, 0.3f};
    machine m = start(&n, 1, &reach, 1);
    double slope = 0.0, s[2] = {0.0, 0.0};
    fill(&m, 0, 3);
    xa_run_forward(&m.run);
    xa_run_backward(&m.run, 0, seed);
    const float *g = xa_run_gradient(&m.run, 0, xa_graph_input(n.g));
    for (int i = 0; i < IN; i++)
        slope += (double)g[i] * sin(1.7 * i);
    for (int side = 0; side < 2; side++) {
        fill(&m, 0, 3);
        for (int i = 0; i < IN; i++)
            xa_run_input(&m.run)[i] += (float)((side ? 2e-3 : -2e-3) * sin(1.7 * i));
        xa_run_forward(&m.run);
        for (int c = 0; c < CLASSES; c++)
            s[side] += (double)seed[c] * (double)xa_run_value(&m.run, n.logits)[c];
    }
    const double want = (s[1] - s[0]) / 4e-3;
    if (!(fabs(slope - want) < 2e-2 * fabs(want)))
        fail_msg("slope %.6g, by differences %.6g", slope, want);
    machine_stop(&m);
    xa_graph_free(n.g);
}

static void test_batches_do_not_matter(void **state)
{
    (void)state;
    net n = make_net();
    const xa_reach reach = {.input = true, .attention = n.attention, .nattention = LAYERS};
    float seed[5 * CLASSES];
    machine one = start(&n, 1, &reach, 1), five = start(&n, 5, &reach, 1);
    seen *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
    assert_true(a && b);
    for (int i = 0; i < 5 * CLASSES; i++)
        seed[i] = (float)(i % CLASSES) - 0.5f;
    for (int i = 0; i < 5; i++)
        fill(&five, i, (uint64_t)i);
    five.run.sink = (xa_attention_sink){take, b};
    xa_run_forward(&five.run);
    xa_run_backward(&five.run, 0, seed);
    for (int i = 0; i < 5; i++) {
        a->count = 0;
        one.run.sink = (xa_attention_sink){take, a};
        fill(&one, 0, (uint64_t)i);
        xa_run_forward(&one.run);
        xa_run_backward(&one.run, 0, seed + i * CLASSES);
        int k = 0;
        for (int j = 0; j < b->count; j++) {
            if (b->view[j].sample != i)
                continue;
            assert_memory_equal(b->probs[j], a->probs[k], sizeof a->probs[0]);
            if (b->view[j].gradient)
                assert_memory_equal(b->gradient[j], a->gradient[k], sizeof a->gradient[0]);
            k++;
        }
        assert_int_equal(k, a->count);
        assert_memory_equal(xa_run_gradient(&one.run, 0, xa_graph_input(n.g)),
                            xa_run_gradient(&five.run, 0, xa_graph_input(n.g)) + i * IN,
                            IN * sizeof(float));
    }
    free(a);
    free(b);
    machine_stop(&one);
    machine_stop(&five);
    xa_graph_free(n.g);
}

static void test_refusals(void **state)
{
    (void)state;
    net n = make_net();
    xa_err err = XA_ERR_INIT;
    xa_plan *p = NULL;
    xa_reach reach = {.attention = &n.norm[0], .nattention = 1};
    xa_plan_spec spec = {.batch = 1, .root = n.logits, .reach = &reach, .nreach = 1};
    assert_int_equal(xa_plan_create(n.g, &spec, &p, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "no attention layer"));
    reach.attention = &n.attention[1];
    spec.root = n.norm[1];
    assert_int_equal(xa_plan_create(n.g, &spec, &p, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "does not lead to the scores"));
    assert_null(p);
    xa_node_spec odd = {.op = XA_OP_ATTENTION,
                        .name = "block/attention",
                        .inputs = (int[]){n.q[0], n.k[0], n.v[0]},
                        .ninputs = 3};
    odd.params.attention.heads = 4;
    odd.params.attention.scale = 1.0f;
    int id;
    assert_int_equal(xa_graph_add(n.g, &odd, &id, &err), XA_SHAPE);
    assert_non_null(strstr(err.message, "\"block/attention\""));
    assert_non_null(strstr(err.message, "4 heads do not divide"));
    xa_graph_free(n.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward_shows_every_head),
        cmocka_unit_test(test_backward_shows_its_reach),
        cmocka_unit_test(test_input_gradient),
        cmocka_unit_test(test_batches_do_not_matter),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
