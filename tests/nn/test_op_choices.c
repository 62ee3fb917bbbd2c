/* What operators refuse, with messages that name the layer, and what they do where a choice had to
 * be made: ties, zeros, kinks. */
#include "op_fixture.h"
#include "op_reference.h"
#include "xaudit_cmocka.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */

typedef struct refusal {
    op_case c;
    xa_status status;
    const char *part; /* of the message */
} refusal;

static const refusal refusals[] = {
    {{.name = "conv of a vector", .op = XA_OP_CONV2D, .ninputs = 1, .inputs = {S1(5)}, .nweights = 1,
      .weights = {S4(1, 1, 5, 2)}, .params.conv2d = {{1, 1, 1, 1, 1, 1, XA_SAME, {0}}, 2, 1}},
     XA_SHAPE, "[5]"},
    {{.name = "window too large", .op = XA_OP_CONV2D, .ninputs = 1, .inputs = {S3(4, 4, 5)},
      .nweights = 1, .weights = {S4(5, 5, 5, 2)},
      .params.conv2d = {{5, 5, 1, 1, 1, 1, XA_VALID, {0}}, 2, 1}}, XA_SHAPE, "[4,4,5]"},
    {{.name = "kernel of other channels", .op = XA_OP_CONV2D, .ninputs = 1,
      .inputs = {S3(4, 4, 5)}, .nweights = 1, .weights = {S4(3, 3, 6, 2)},
      .params.conv2d = {{3, 3, 1, 1, 1, 1, XA_SAME, {0}}, 2, 1}}, XA_SHAPE, "[3,3,6,2]"},
    {{.name = "groups that do not divide", .op = XA_OP_CONV2D, .ninputs = 1,
      .inputs = {S3(4, 4, 5)}, .nweights = 1, .weights = {S4(3, 3, 2, 4)},
      .params.conv2d = {{3, 3, 1, 1, 1, 1, XA_SAME, {0}}, 4, 2}}, XA_INVALID, "2 groups"},
    {{.name = "zero stride", .op = XA_OP_CONV2D, .ninputs = 1, .inputs = {S3(4, 4, 5)},
      .nweights = 1, .weights = {S4(3, 3, 5, 4)},
      .params.conv2d = {{3, 3, 0, 1, 1, 1, XA_SAME, {0}}, 4, 1}}, XA_INVALID, "stride is 0"},
    {{.name = "no kernel", .op = XA_OP_DEPTHWISE, .ninputs = 1, .inputs = {S3(4, 4, 5)},
      .params.depthwise = {{3, 3, 1, 1, 1, 1, XA_SAME, {0}}, 1}}, XA_INVALID, "weight 0 is missing"},
    {{.name = "multiplier zero", .op = XA_OP_DEPTHWISE, .ninputs = 1, .inputs = {S3(4, 4, 5)},
      .nweights = 1, .weights = {S4(3, 3, 5, 1)},
      .params.depthwise = {{3, 3, 1, 1, 1, 1, XA_SAME, {0}}, 0}}, XA_INVALID, "multiplier of 0"},
    {{.name = "multiplier without bound", .op = XA_OP_DEPTHWISE, .ninputs = 1,
      .inputs = {S3(4, 4, 5)}, .nweights = 1, .weights = {S4(3, 3, 5, 1)},
      .params.depthwise = {{3, 3, 1, 1, 1, 1, XA_SAME, {0}}, INT64_MAX}}, XA_INVALID, "multiplier"},
    {{.name = "bias of another length", .op = XA_OP_DEPTHWISE, .ninputs = 1,
      .inputs = {S3(4, 4, 5)}, .nweights = 2, .weights = {S4(3, 3, 5, 2), S1(5)},
      .params.depthwise = {{3, 3, 1, 1, 1, 1, XA_SAME, {0}}, 2}}, XA_SHAPE, "expected [10]"},
    {{.name = "dense of other width", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S1(7)},
      .nweights = 1, .weights = {S2(8, 3)}, .params.dense = {3}}, XA_SHAPE, "expected [7,3]"},
    {{.name = "affine of other width", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S3(2, 2, 7)},
      .nweights = 1, .weights = {S1(6)}}, XA_SHAPE, "expected [7] or [1]"},
    {{.name = "affine matrix", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S3(2, 2, 7)},
      .nweights = 1, .weights = {S2(1, 7)}}, XA_SHAPE, "[1,7]"},
    {{.name = "negative epsilon", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S1(3)},
      .params.affine = {-1.0f, 0.0f}}, XA_INVALID, "epsilon -1"},
    {{.name = "unknown activation", .op = XA_OP_ACTIVATION, .ninputs = 1, .inputs = {S1(3)},
      .params.activation = {XA_ACT_COUNT, 0, 0, 0}}, XA_INVALID, "does not exist"},
    {{.name = "slope without number", .op = XA_OP_ACTIVATION, .ninputs = 1, .inputs = {S1(3)},
      .params.activation = {XA_ACT_RELU, NAN, INFINITY, 0}}, XA_INVALID, "must be numbers"},
    {{.name = "maximum below threshold", .op = XA_OP_ACTIVATION, .ninputs = 1, .inputs = {S1(3)},
      .params.activation = {XA_ACT_RELU, 0, 1, 2}}, XA_INVALID, "below its threshold 2"},
    {{.name = "prelu without alpha", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S1(3)}},
     XA_INVALID, "alpha is missing"},
    {{.name = "alpha of other shape", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S3(4, 5, 3)},
      .nweights = 1, .weights = {S3(1, 4, 3)}}, XA_SHAPE, "[1,4,3]"},
    {{.name = "softmax of a scalar", .op = XA_OP_SOFTMAX, .ninputs = 1, .inputs = {{0}}},
     XA_SHAPE, "scalar"},
    {{.name = "gamma of other width", .op = XA_OP_LAYER_NORM, .ninputs = 1, .inputs = {S2(4, 5)},
      .nweights = 1, .weights = {S1(4)}, .params.layer_norm = {1e-3f}}, XA_SHAPE, "expected [5]"},
    {{.name = "epsilon nan", .op = XA_OP_LAYER_NORM, .ninputs = 1, .inputs = {S2(4, 5)},
      .params.layer_norm = {NAN}}, XA_INVALID, "epsilon"},
    {{.name = "dilated pool", .op = XA_OP_MAX_POOL, .ninputs = 1, .inputs = {S3(4, 4, 5)},
      .params.pool = {2, 2, 1, 1, 2, 1, XA_SAME, {0}}}, XA_INVALID, "dilation of 2x1"},
    {{.name = "pool too large", .op = XA_OP_AVG_POOL, .ninputs = 1, .inputs = {S3(4, 4, 5)},
      .params.pool = {2, 5, 1, 1, 1, 1, XA_VALID, {0}}}, XA_SHAPE, "2x5"},
    {{.name = "global pool of rows", .op = XA_OP_GLOBAL_POOL, .ninputs = 1, .inputs = {S2(4, 5)}},
     XA_SHAPE, "[4,5]"},
    {{.name = "unequal ranks", .op = XA_OP_ADD, .ninputs = 2, .inputs = {S2(4, 5), S1(5)}},
     XA_SHAPE, "input 1 is [5], the others are [4,5]"},
    {{.name = "unequal extents", .op = XA_OP_MULTIPLY, .ninputs = 2,
      .inputs = {S2(4, 5), S2(4, 6)}}, XA_SHAPE, "[4,6]"},
    {{.name = "third input differs", .op = XA_OP_MAXIMUM, .ninputs = 3,
      .inputs = {S2(1, 5), S2(4, 1), S2(3, 5)}}, XA_SHAPE, "input 2 is [3,5], the others are [4,5]"},
    {{.name = "one input", .op = XA_OP_ADD, .ninputs = 1, .inputs = {S1(5)}}, XA_INVALID, "1 inputs"},
    {{.name = "three to subtract", .op = XA_OP_SUBTRACT, .ninputs = 3,
      .inputs = {S1(5), S1(5), S1(5)}}, XA_INVALID, "3 inputs"},
    {{.name = "axis outside", .op = XA_OP_CONCAT, .ninputs = 2, .inputs = {S1(5), S1(5)},
      .params.concat = {1}}, XA_INVALID, "axis 1"},
    {{.name = "other axis differs", .op = XA_OP_CONCAT, .ninputs = 2,
      .inputs = {S2(4, 5), S2(3, 5)}, .params.concat = {1}}, XA_SHAPE, "[3,5]"},
    {{.name = "negative padding", .op = XA_OP_PAD, .ninputs = 1, .inputs = {S3(4, 4, 5)},
      .params.edges = {-1, 0, 0, 0}}, XA_INVALID, "edge of -1"},
    {{.name = "padding without bound", .op = XA_OP_PAD, .ninputs = 1, .inputs = {S3(4, 4, 5)},
      .params.edges = {0, INT64_MAX, 0, 0}}, XA_INVALID, "expected 0 to"},
    {{.name = "nothing left", .op = XA_OP_CROP, .ninputs = 1, .inputs = {S3(4, 4, 5)},
      .params.edges = {2, 2, 0, 0}}, XA_SHAPE, "leave nothing of [4,4,5]"},
    {{.name = "axis twice", .op = XA_OP_PERMUTE, .ninputs = 1, .inputs = {S2(4, 5)},
      .params.permute = {{1, 1}}}, XA_INVALID, "entry 1 is 1"},
    {{.name = "axis beyond", .op = XA_OP_PERMUTE, .ninputs = 1, .inputs = {S2(4, 5)},
      .params.permute = {{2, 0}}}, XA_INVALID, "entry 0 is 2"},
    {{.name = "resize to nothing", .op = XA_OP_RESIZE, .ninputs = 1, .inputs = {S3(4, 4, 5)},
      .params.resize = {0, 4, XA_RESIZE_NEAREST}}, XA_INVALID, "to 0x4"},
    {{.name = "resize of a vector", .op = XA_OP_RESIZE, .ninputs = 1, .inputs = {S1(4)},
      .params.resize = {4, 4, XA_RESIZE_NEAREST}}, XA_SHAPE, "[4]"},
    {{.name = "unknown interpolation", .op = XA_OP_RESIZE, .ninputs = 1, .inputs = {S3(4, 4, 5)},
      .params.resize = {4, 4, (xa_resize_kind)9}}, XA_INVALID, "interpolation 9"},
};
/* clang-format on */

static void check_refusal(const refusal *r)
{
    xa_graph *g = NULL;
    xa_err err = XA_ERR_INIT;
    int inputs[OP_CASE_INPUTS], id = -1;
    xa_node_spec spec = {.op = r->c.op,
                         .name = r->c.name,
                         .inputs = inputs,
                         .ninputs = r->c.ninputs,
                         .nweights = r->c.nweights,
                         .params = r->c.params};
    assert_int_equal(xa_graph_create(&g, &err), XA_OK);
    for (int j = 0; j < r->c.ninputs; j++)
        assert_int_equal(xa_graph_add_input(g, "x", &r->c.inputs[j], &inputs[j], &err), XA_OK);
    for (int i = 0; i < r->c.nweights; i++)
        assert_int_equal(
            xa_graph_add_weight(g, "kernel", &r->c.weights[i], 0, NULL, &spec.weights[i], &err),
            XA_OK);
    const int before = xa_graph_nodes(g);
    const xa_status st = xa_graph_add(g, &spec, &id, &err);
    if (st != r->status || !strstr(err.message, r->part) || !strstr(err.message, r->c.name))
        fail_msg("\"%s\": status %s, message \"%s\", expected %s and \"%s\"",
                 r->c.name,
                 xa_status_name(st),
                 err.message,
                 xa_status_name(r->status),
                 r->part);
    assert_int_equal(id, -1);
    assert_int_equal(xa_graph_nodes(g), before);
    xa_graph_free(g);
}

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        check_refusal(&refusals[i]);
}

/* ---- ties and kinks -------------------------------------------------------------------------- */

/* Runs a case on given inputs with dy = 1, 2, 3, .. and compares y and each dx, on all sets. */
static void check_values(const op_case *c,
                         const float *const *x,
                         const float *const *w,
                         const float *want,
                         const float *const *dx_want)
{
    op_fixture f;
    xa_isa isas[XA_ISA_COUNT];
    const int nisas = op_isas(c, isas);
    op_fixture_init(&f, c);
    for (int i = 0; i < c->nweights; i++)
        memcpy(f.w[i], w[i], (size_t)xa_shape_count(&c->weights[i]) * sizeof(float));
    if (f.def->pack)
        f.def->pack(f.graph, f.node, (const float *const *)f.w, NULL, f.packed);
    for (int j = 0; j < c->ninputs; j++)
        memcpy(f.x[j], x[j], (size_t)f.in_count[j] * sizeof(float));
    for (int64_t i = 0; i < f.out_count; i++)
        f.dy[i] = (float)(i + 1);
    for (int k = 0; k < nisas; k++) {
        const op_way way = {.isa = isas[k]};
        float *y = op_floats(f.out_count);
        op_kept kept;
        op_run_forward(&f, &way, 0, 1, y, &kept);
        for (int64_t i = 0; i < f.out_count; i++)
            if (!(isnan(want[i]) ? isnan(y[i]) : y[i] == want[i]))
                fail_msg(
                    "%s: y[%d] is %g, expected %g", c->name, (int)i, (double)y[i], (double)want[i]);
        for (int j = 0; j < c->ninputs; j++) {
            float *dx = op_floats(f.in_count[j]);
            op_run_backward(&f, &way, 0, 1, y, &kept, f.dy, j, dx);
            for (int64_t i = 0; i < f.in_count[j]; i++)
                if (!(isnan(dx_want[j][i]) ? isnan(dx[i]) : dx[i] == dx_want[j][i]))
                    fail_msg("%s: d/dx%d[%d] is %g, expected %g",
                             c->name,
                             j,
                             (int)i,
                             (double)dx[i],
                             (double)dx_want[j][i]);
            free(dx);
        }
        op_kept_free(&kept);
        free(y);
    }
    op_fixture_free(&f);
}

#define F(...) ((const float[]){__VA_ARGS__})
#define LIST(...) ((const float *const[]){__VA_ARGS__})

static void test_first_of_equal_maxima(void **state)
{
    (void)state;
    /* windows of two: {5,5} {3,4} {NaN,9} {8,NaN} {-inf,-inf} */
    const op_case pool = {.name = "max_pool ties",
                          .op = XA_OP_MAX_POOL,
                          .ninputs = 1,
                          .inputs = {S3(1, 10, 1)},
                          .params.pool = {1, 2, 1, 2, 1, 1, XA_VALID, {0}}};
    check_values(&pool,
                 LIST(F(5, 5, 3, 4, NAN, 9, 8, NAN, -INFINITY, -INFINITY)),
                 NULL,
                 F(5, 4, NAN, NAN, -INFINITY),
                 LIST(F(1, 0, 0, 2, 3, 0, 0, 4, 5, 0)));
    /* overlapping windows share their maximum */
    const op_case overlap = {.name = "max_pool overlap",
                             .op = XA_OP_MAX_POOL,
                             .ninputs = 1,
                             .inputs = {S3(1, 4, 1)},
                             .params.pool = {1, 2, 1, 1, 1, 1, XA_VALID, {0}}};
    check_values(&overlap, LIST(F(1, 7, 7, 2)), NULL, F(7, 7, 7), LIST(F(0, 3, 3, 0)));
    /* TensorFlow's reduce_max: equal values share the gradient */
    const op_case global = {.name = "global maximum ties",
                            .op = XA_OP_GLOBAL_POOL,
                            .ninputs = 1,
                            .inputs = {S3(3, 1, 3)},
                            .params.global_pool = {XA_POOL_MAX, false}};
    check_values(&global,
                 LIST(F(4, 1, NAN, 4, 6, 2, 4, 6, NAN)),
                 NULL,
                 F(4, 6, NAN),
                 LIST(F(1.0f / 3, 0, 1.5f, 1.0f / 3, 1, 0, 1.0f / 3, 1, 1.5f)));
}

static void test_first_of_equal_inputs(void **state)
{
    (void)state;
    const op_case most = {
        .name = "maximum ties", .op = XA_OP_MAXIMUM, .ninputs = 3, .inputs = {S1(5), S1(5), S1(5)}};
    check_values(&most,
                 LIST(F(1, 2, 3, 0, NAN), F(1, 3, 3, NAN, 1), F(1, 3, 2, 7, NAN)),
                 NULL,
                 F(1, 3, 3, NAN, NAN),
                 LIST(F(1, 0, 3, 0, 5), F(0, 2, 0, 4, 0), F(0, 0, 0, 0, 0)));
    const op_case least = {
        .name = "minimum ties", .op = XA_OP_MINIMUM, .ninputs = 2, .inputs = {S1(4), S1(4)}};
    check_values(&least,
                 LIST(F(1, 2, 3, NAN), F(1, 1, 4, 0)),
                 NULL,
                 F(1, 1, 3, NAN),
                 LIST(F(1, 0, 3, 4), F(0, 2, 0, 0)));
}

static void test_kinks(void **state)
{
    (void)state;
    op_case relu = {.name = "relu at 0",
                    .op = XA_OP_ACTIVATION,
                    .ninputs = 1,
                    .inputs = {S1(6)},
                    .params.activation = {XA_ACT_RELU, 0, INFINITY, 0}};
    /* no gradient at 0; -infinity gives 0, not NaN; infinity passes */
    check_values(&relu,
                 LIST(F(0, -1, 2, -INFINITY, INFINITY, -0.0f)),
                 NULL,
                 F(0, 0, 2, 0, INFINITY, 0),
                 LIST(F(0, 0, 3, 0, 5, 0)));
    relu.name = "relu 6 at 6";
    relu.params.activation.b = 6;
    check_values(&relu,
                 LIST(F(0, 6, 7, 5, INFINITY, -INFINITY)),
                 NULL,
                 F(0, 6, 6, 5, 6, 0),
                 LIST(F(0, 0, 0, 4, 0, 0)));
    relu.name = "leaky relu at 0";
    relu.params.activation = (xa_activation){XA_ACT_RELU, 0.5f, INFINITY, 0};
    check_values(&relu,
                 LIST(F(0, -2, 2, -INFINITY, INFINITY, NAN)),
                 NULL,
                 F(0, -1, 2, -INFINITY, INFINITY, NAN),
                 LIST(F(0.5f, 1, 3, 2, 5, 3)));
    const op_case prelu = {.name = "prelu at 0",
                           .op = XA_OP_PRELU,
                           .ninputs = 1,
                           .inputs = {S1(4)},
                           .nweights = 1,
                           .weights = {S1(1)}};
    check_values(&prelu,
                 LIST(F(0, -2, 2, NAN)),
                 LIST(F(0.25f)),
                 F(0, -0.5f, 2, NAN),
                 LIST(F(0, 0.5f, 3, NAN)));
}

/* Only real elements count at the border of SAME. */
static void test_average_at_the_border(void **state)
{
    (void)state;
    const op_case c = {.name = "avg_pool border",
                       .op = XA_OP_AVG_POOL,
                       .ninputs = 1,
                       .inputs = {S3(1, 3, 1)},
                       .params.pool = {1, 3, 1, 1, 1, 1, XA_SAME, {0}}};
    check_values(&c,
                 LIST(F(2, 4, 9)),
                 NULL,
                 F(3, 5, 6.5f),
                 LIST(F(0.5f + 2.0f / 3.0f, 0.5f + 2.0f / 3.0f + 1.5f, 2.0f / 3.0f + 1.5f)));
}

/* Half-pixel centres: weights of 1/4 and 3/4, edges repeated. */
static void test_resize_known_values(void **state)
{
    (void)state;
    op_case c = {.name = "resize known",
                 .op = XA_OP_RESIZE,
                 .ninputs = 1,
                 .inputs = {S3(1, 4, 1)},
                 .params.resize = {1, 8, XA_RESIZE_BILINEAR}};
    check_values(&c,
                 LIST(F(0, 8, 16, 4)),
                 NULL,
                 F(0, 2, 6, 10, 14, 13, 7, 4),
                 LIST(F(1 + 1.5f + 0.75f,
                        0.5f + 2.25f + 3 + 1.25f,
                        1 + 3.75f + 4.5f + 1.75f,
                        1.5f + 5.25f + 8)));
    c.params.resize.kind = XA_RESIZE_NEAREST;
    check_values(
        &c, LIST(F(0, 8, 16, 4)), NULL, F(0, 0, 8, 8, 16, 16, 4, 4), LIST(F(3, 7, 11, 15)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_first_of_equal_maxima),
        cmocka_unit_test(test_first_of_equal_inputs),
        cmocka_unit_test(test_kinks),
        cmocka_unit_test(test_average_at_the_border),
        cmocka_unit_test(test_resize_known_values),
    };
    return cmocka_run_group_tests_name("operators' choices", tests, NULL, NULL);
}
