/* CAM explainers: cases whose answer is known on paper, and the definitions written out once more.
 */
#include <math.h>
#include <string.h>

#include "xaudit/explain.h"
#include "xaudit_cmocka.h"

enum { H = 3, W = 4, K = 70, P = H * W };

typedef struct fixture {
    float a[P * K], g[P * K];
    xa_explain_view view;
} fixture;

static void fill(fixture *f, uint64_t seed)
{
    for (int i = 0; i < P * K; i++) {
        f->a[i] = (float)fmax(0.0, xa_random_unit(seed, 0, (uint64_t)i) - 0.3);
        f->g[i] = (float)(xa_random_unit(seed, 1, (uint64_t)i) - 0.5);
    }
    f->view = (xa_explain_view){
        .layer_shape = {.ndim = 3, .dim = {H, W, K}}, .layer_value = f->a, .layer_gradient = f->g};
}

static void run(const fixture *f, xa_explainer_kind kind, bool relu, float *map)
{
    xa_explainer_spec s = xa_explainer_defaults(kind);
    s.relu = relu;
    xa_explainer_get(kind)->compute(&s, &f->view, map);
}

static void compare(const char *what, const float *map, const double *want)
{
    double top = 0.0;
    for (int p = 0; p < P; p++)
        top = fmax(top, fabs(want[p]));
    for (int p = 0; p < P; p++)
        if (!(fabs((double)map[p] - want[p]) <= 1e-6 * top))
            fail_msg("%s at %d: %.9g, expected %.9g", what, p, (double)map[p], want[p]);
}

/* Global average pooling and a linear head: g_ijk = w_k/(h w), so that Grad-CAM is CAM/(h w)
 * (Selvaraju et al. 2017, appendix A), and HiResCAM the same. */
static void test_gap_linear_is_cam(void **state)
{
    (void)state;
    fixture f;
    float gradcam[P], hirescam[P];
    double want[P];
    fill(&f, 1);
    for (int p = 0; p < P; p++) {
        want[p] = 0.0;
        for (int k = 0; k < K; k++) {
            const double w = sin((double)k);
            f.g[p * K + k] = (float)(w / P);
            want[p] += w / P * (double)f.a[p * K + k];
        }
        want[p] = fmax(0.0, want[p]);
    }
    run(&f, XA_EXPLAIN_GRADCAM, true, gradcam);
    run(&f, XA_EXPLAIN_HIRESCAM, true, hirescam);
    compare("gradcam", gradcam, want);
    compare("hirescam", hirescam, want);
}

static double weight_of(const fixture *f, xa_explainer_kind kind, int k)
{
    double weight = 0.0, total = 0.0, product = 0.0;
    for (int p = 0; p < P; p++) {
        total += (double)f->a[p * K + k];
        product += (double)f->a[p * K + k] * (double)f->g[p * K + k];
    }
    for (int p = 0; p < P; p++) {
        const double g = (double)f->g[p * K + k];
        if (kind == XA_EXPLAIN_GRADCAM)
            weight += g / P;
        else if (kind == XA_EXPLAIN_GRADCAM_PP && g != 0.0)
            weight += g * g / (2.0 * g * g + total * g * g * g + 1e-6) * fmax(g, 0.0);
    }
    return kind == XA_EXPLAIN_XGRADCAM ? product / (total + 1e-7) : weight;
}

static void test_definitions(void **state)
{
    (void)state;
    const xa_explainer_kind kinds[] = {
        XA_EXPLAIN_GRADCAM, XA_EXPLAIN_GRADCAM_PP, XA_EXPLAIN_XGRADCAM};
    fixture f;
    float map[P];
    double want[P];
    for (uint64_t seed = 0; seed < 5; seed++) {
        fill(&f, seed);
        for (int i = 0; i < 3; i++)
            for (int relu = 0; relu < 2; relu++) {
                for (int p = 0; p < P; p++) {
                    want[p] = 0.0;
                    for (int k = 0; k < K; k++)
                        want[p] += weight_of(&f, kinds[i], k) * (double)f.a[p * K + k];
                    want[p] = relu ? fmax(0.0, want[p]) : want[p];
                }
                run(&f, kinds[i], relu, map);
                compare(xa_explainer_get(kinds[i])->name, map, want);
            }
        for (int p = 0; p < P; p++) {
            want[p] = 0.0;
            for (int k = 0; k < K; k++)
                want[p] += fmax(0.0, (double)f.g[p * K + k]) * (double)f.a[p * K + k];
        }
        run(&f, XA_EXPLAIN_LAYERCAM, true, map);
        compare("layercam", map, want);
    }
}

/* Nothing to see: zeros, never NaN. */
static void test_zero_activations(void **state)
{
    (void)state;
    const xa_explainer_kind kinds[] = {XA_EXPLAIN_GRADCAM,
                                       XA_EXPLAIN_GRADCAM_PP,
                                       XA_EXPLAIN_HIRESCAM,
                                       XA_EXPLAIN_LAYERCAM,
                                       XA_EXPLAIN_XGRADCAM};
    fixture f;
    float map[P];
    fill(&f, 3);
    memset(f.a, 0, sizeof f.a);
    for (int i = 0; i < 5; i++) {
        run(&f, kinds[i], true, map);
        for (int p = 0; p < P; p++)
            assert_true(map[p] == 0.0f);
    }
    fill(&f, 3);
    memset(f.g, 0, sizeof f.g);
    for (int i = 0; i < 5; i++) {
        run(&f, kinds[i], true, map);
        for (int p = 0; p < P; p++)
            assert_true(map[p] == 0.0f);
    }
}

/* A NaN in a gradient must be seen in the map, not swallowed by the ReLU. */
static void test_nan_survives(void **state)
{
    (void)state;
    const xa_explainer_kind kinds[] = {XA_EXPLAIN_GRADCAM,
                                       XA_EXPLAIN_GRADCAM_PP,
                                       XA_EXPLAIN_HIRESCAM,
                                       XA_EXPLAIN_LAYERCAM,
                                       XA_EXPLAIN_XGRADCAM};
    fixture f;
    float map[P];
    for (int i = 0; i < 5; i++) {
        bool found = false;
        fill(&f, 4);
        f.a[5 * K + 66] = 0.5f;
        f.g[5 * K + 66] = NAN;
        run(&f, kinds[i], true, map);
        for (int p = 0; p < P; p++)
            found = found || isnan(map[p]);
        if (!found)
            fail_msg("%s hides a NaN", xa_explainer_get(kinds[i])->name);
    }
}

/* ---- kinds without gradients ---- */

/* Activations [P, channels] = mean_k + s1 u1_p v1_k + s2 u2_p v2_k with u and v orthonormal, u1 and
 * u2 without mean: s1 u1 is the map, turned to its largest |value|. */
static void check_eigencam(int channels, double sign)
{
    enum { MOST = 70 };
    static float a[P * MOST];
    static double work[2 * MOST + 2 * P + P * P];
    const double s1 = 3.0, s2 = 2.0;
    double want[P], top = 0.0, length = 0.0;
    float map[P];
    const xa_explainer_spec spec = xa_explainer_defaults(XA_EXPLAIN_EIGENCAM);
    const xa_explainer_def *def = xa_explainer_get(XA_EXPLAIN_EIGENCAM);
    const xa_explain_view v = {
        .layer_shape = {.ndim = 3, .dim = {H, W, channels}}, .layer_value = a, .work = work};
    assert_true(def->work_bytes(&spec, &v) <= sizeof work);
    for (int p = 0; p < P; p++) {
        /* pixel 0 is the largest of u1 */
        want[p] = p == 0 ? 1.0 : p < 4 ? -0.2 : -0.4 / (P - 4);
        length += want[p] * want[p];
    }
    for (int p = 0; p < P; p++) {
        const double u2 = p == 1 ? sqrt(0.5) : p == 2 ? -sqrt(0.5) : 0.0;
        want[p] *= s1 / sqrt(length);
        for (int k = 0; k < channels; k++) {
            const double v1 = 1.0 / sqrt((double)channels);
            const double v2 = k == 0 ? sqrt(0.5) : k == 1 ? -sqrt(0.5) : 0.0;
            a[p * channels + k] = (float)(5.0 + 0.1 * k + sign * (want[p] * v1 + s2 * u2 * v2));
        }
        top = fmax(top, fabs(want[p]));
    }
    def->compute(&spec, &v, map);
    for (int p = 0; p < P; p++)
        if (!(fabs((double)map[p] - want[p]) <= 3e-6 * top)) /* of float activations */
            fail_msg(
                "%d channels: %.9g at %d, expected %.9g", channels, (double)map[p], p, want[p]);
}

static void test_eigencam(void **state)
{
    (void)state;
    for (int channels = 2; channels <= 70; channels += 17) { /* fewer and more than pixels */
        check_eigencam(channels, 1.0);
        check_eigencam(channels, -1.0); /* the map has no sign of its own */
    }
}

/* A constant layer says nothing: zeros. What is not finite stays so. */
static void test_eigencam_without_answer(void **state)
{
    (void)state;
    enum { C = 3 };
    float a[P * C], map[P];
    double work[2 * C + 2 * C + C * C];
    const xa_explainer_spec spec = xa_explainer_defaults(XA_EXPLAIN_EIGENCAM);
    const xa_shape shape = {.ndim = 3, .dim = {1, H, W}};
    const xa_explain_view v = {
        .layer_shape = {.ndim = 3, .dim = {H, W, C}}, .layer_value = a, .work = work};
    const float odd[] = {NAN, INFINITY};
    for (int i = 0; i < P * C; i++)
        a[i] = 7.0f;
    xa_explainer_get(XA_EXPLAIN_EIGENCAM)->compute(&spec, &v, map);
    assert_int_equal(xa_map_inspect(map, &shape).flags, XA_MAP_FLAG_DEGENERATE);
    for (int i = 0; i < 2; i++) {
        a[5] = odd[i];
        xa_explainer_get(XA_EXPLAIN_EIGENCAM)->compute(&spec, &v, map);
        assert_true(xa_map_inspect(map, &shape).flags & XA_MAP_FLAG_NONFINITE);
    }
}

/* Of 12 pixels one at 12 and 11 at 0: mean 1, deviation sqrt(11), limit 1 + 2 sqrt(11) < 12, so w =
 * 1/12. Two at 12: mean 2, deviation sqrt(20), limit 2 + 2 sqrt(20) < 12: 2/12. Three: mean 3,
 * deviation sqrt(27), limit 13.4: 0. */
static void test_fem(void **state)
{
    (void)state;
    enum { C = 3 };
    float a[P * C], map[P];
    const xa_explainer_spec spec = xa_explainer_defaults(XA_EXPLAIN_FEM);
    const xa_explain_view v = {.layer_shape = {.ndim = 3, .dim = {H, W, C}}, .layer_value = a};
    for (int p = 0; p < P; p++)
        for (int k = 0; k < C; k++)
            a[p * C + k] = p <= k ? 12.0f : 0.0f;
    xa_explainer_get(XA_EXPLAIN_FEM)->compute(&spec, &v, map);
    for (int p = 0; p < P; p++)
        assert_true(fabs((double)map[p] - (p == 0 ? 3.0 : p == 1 ? 2.0 : 0.0)) < 1e-6);
    assert_false(xa_explainer_has(XA_EXPLAIN_FEM, XA_EXPLAINER_SCORE));
    assert_false(xa_explainer_has(XA_EXPLAIN_FEM, XA_EXPLAINER_RELU));
    assert_true(xa_explainer_has(XA_EXPLAIN_FEM, XA_EXPLAINER_LAYER));
    assert_int_equal(spec.target, XA_TARGET_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gap_linear_is_cam),
                                       cmocka_unit_test(test_eigencam),
                                       cmocka_unit_test(test_eigencam_without_answer),
                                       cmocka_unit_test(test_fem),
                                       cmocka_unit_test(test_definitions),
                                       cmocka_unit_test(test_zero_activations),
                                       cmocka_unit_test(test_nan_survives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
