/* Checks of a tiny CNN and a tiny transformer against float64 (tests/golden/faithfulness): the same
 * perturbed inputs through the engine, the same figures. */
#include "subject.h"

/* ---- maps to be checked ---- */

static const char *const maps[] = {"gradient", "gradcam", "random"};

static void map_of(const subject *s, int image, int k, float *pixels)
{
    float grid[PIXELS], scratch[PIXELS];
    if (k == 0)
        xa_faith_pixels(s->gradient, 3, SIDE, SIDE, true, SIDE, SIDE, scratch, pixels);
    else if (k == 2)
        xa_rival_map(XA_RIVAL_RANDOM, s->x, SIDE, SIDE, 3, SEED + (uint64_t)image, NULL, pixels);
    else {
        faithful_array a = golden(s, "maps/gradcam");
        const int64_t side = (int64_t)(sqrt((double)a.count) + 0.5);
        for (int64_t i = 0; i < a.count; i++)
            grid[i] = (float)a.values[image * a.count + i];
        xa_faith_pixels(grid, 1, side, side, false, SIDE, SIDE, scratch, pixels);
        faithful_free(&a);
    }
}

static void order_of(const float *pixels, xa_ties ties, int image, int32_t *order)
{
    xa_ranked_pixel scratch[PIXELS];
    xa_faith_order(pixels, PIXELS, ties, SEED + (uint64_t)image, scratch, order);
}

/* Is it certain which pixels the first `count` are? An enlarged map has equal values along its
 * border; the rounding of doubles puts these in an order of its own, so that the golden set may be
 * another one. */
static bool certain(const float *pixels, const int32_t *order, int64_t count)
{
    if (count <= 0 || count >= PIXELS)
        return true;
    const float above = pixels[order[count - 1]], below = pixels[order[count]];
    return above - below > 1e-6f * pixels[order[0]];
}

static void for_each(void (*test)(subject *s, int image))
{
    static const char *const models[] = {"cnn", "vit"};
    for (int m = 0; m < 2; m++) {
        subject s;
        start(&s, models[m]);
        for (int i = 0; i < FAITHFUL_IMAGES; i++) {
            look_at(&s, i);
            test(&s, i);
        }
        stop(&s);
    }
}

/* ---- curves ---- */

static void
curve(subject *s, const float *from, const float *to, const int32_t *order, double *p, double *z)
{
    float x[COUNT];
    for (int i = 0; i <= STEPS; i++) {
        xa_faith_change(from, to, PIXELS, 3, order, xa_faith_changed(PIXELS, i, STEPS), x);
        z[i] = score(s, x, &p[i]);
    }
}

static int certain_points, all_points;

static void compare_curve(subject *s,
                          int image,
                          const char *map,
                          const char *how,
                          const bool *sure,
                          const double *p,
                          const double *z)
{
    char name[128];
    bool whole = true;
    for (int logit = 0; logit < 2; logit++) {
        snprintf(name, sizeof name, "checks.%s.%s.%s.curve", map, how, logit ? "logit" : "prob");
        faithful_array a = golden(s, name);
        assert_int_equal(a.count, STEPS + 1);
        for (int i = 0; i <= STEPS; i++) {
            whole = whole && sure[i];
            all_points++;
            certain_points += sure[i];
            if (sure[i])
                expect(s,
                       image,
                       name,
                       logit ? z[i] : p[i],
                       a.values[image * a.count + i],
                       logit ? 2e-5 : 5e-6);
        }
        faithful_free(&a);
    }
    if (!whole)
        return;
    snprintf(name, sizeof name, "checks.%s.%s.prob.auc", map, how);
    expect(s, image, name, xa_faith_auc(p, STEPS + 1), one(s, name, image, 0), 5e-6);
}

static void curves_of(subject *s, int image)
{
    static float zero[COUNT], blur[COUNT], mean[COUNT];
    double *scratch = malloc(xa_base_scratch(&input_shape) * sizeof *scratch);
    double p[STEPS + 1], z[STEPS + 1];
    assert_non_null(scratch);
    xa_base_fill(XA_BASE_BLUR, &input_shape, s->x, NULL, NULL, 0, 0, scratch, blur);
    xa_base_fill(XA_BASE_MEAN, &input_shape, s->x, NULL, NULL, 0, 0, NULL, mean);
    free(scratch);
    for (int k = 0; k < 3; k++) {
        float pixels[PIXELS];
        int32_t order[PIXELS], back[PIXELS];
        char name[128];
        map_of(s, image, k, pixels);
        order_of(pixels, XA_TIES_FIRST, image, order);
        bool sure[STEPS + 1], whole = true;
        for (int i = 0; i <= STEPS; i++) {
            sure[i] = certain(pixels, order, xa_faith_changed(PIXELS, i, STEPS));
            whole = whole && sure[i];
        }
        curve(s, s->x, zero, order, p, z);
        compare_curve(s, image, maps[k], "deletion_zero", sure, p, z);
        if (k < 2) {
            curve(s, blur, s->x, order, p, z);
            compare_curve(s, image, maps[k], "insertion_blur", sure, p, z);
        }
        if (k == 0) {
            curve(s, s->x, mean, order, p, z);
            compare_curve(s, image, maps[k], "deletion_mean", sure, p, z);
            curve(s, s->x, blur, order, p, z);
            compare_curve(s, image, maps[k], "deletion_blur", sure, p, z);
        }
        if (!whole)
            continue;
        for (int i = 0; i < PIXELS; i++)
            back[i] = order[PIXELS - 1 - i];
        curve(s, s->x, zero, back, p, z);
        snprintf(name, sizeof name, "checks.%s.deletion_zero.lerf.prob.auc", maps[k]);
        expect(s, image, name, xa_faith_auc(p, STEPS + 1), one(s, name, image, 0), 5e-6);
    }
}

static void test_curves(void **state)
{
    (void)state;
    for_each(curves_of);
    assert_true(100 * certain_points > 85 * all_points); /* the rest: enlarged grids of 4x4 */
}

/* A map of which four fifths are 0: both ways to order equal pixels. */
static void ties_of(subject *s, int image)
{
    static const float zero[COUNT];
    float pixels[PIXELS];
    double p[STEPS + 1], z[STEPS + 1];
    int32_t order[PIXELS];
    map_of(s, image, 0, pixels);
    order_of(pixels, XA_TIES_FIRST, image, order);
    for (int i = 0; i < PIXELS; i++)
        if (i >=
            52) /* numpy's quantile of 256 values lies between the 51st and 52nd from the top */
            pixels[order[i]] = 0.0f;
    for (int t = 0; t < XA_TIES_COUNT; t++) {
        char name[128];
        order_of(pixels, (xa_ties)t, image, order);
        curve(s, s->x, zero, order, p, z);
        snprintf(name,
                 sizeof name,
                 "checks.sparse.deletion_zero.ties_%s.prob.auc",
                 xa_ties_name((xa_ties)t));
        expect(s, image, name, xa_faith_auc(p, STEPS + 1), one(s, name, image, 0), 5e-6);
    }
    expect(s, image, "tied share", xa_faith_tied(pixels, order, PIXELS), 204.0 / 256.0, 0.0);
}

static void test_ties(void **state)
{
    (void)state;
    for_each(ties_of);
}

/* ---- ROAD ---- */

static void road_of(subject *s, int image)
{
    static const int shares[] = {10, 30, 50, 70, 90};
    void *scratch = malloc(xa_road_scratch(SIDE, SIDE, 3));
    assert_non_null(scratch);
    for (int k = 0; k < 3; k++) {
        float pixels[PIXELS], x[COUNT];
        int32_t order[PIXELS];
        double z[2][5];
        bool whole = true;
        char name[128];
        map_of(s, image, k, pixels);
        order_of(pixels, XA_TIES_FIRST, image, order);
        for (int lerf = 0; lerf < 2; lerf++)
            for (int q = 0; q < 5; q++) {
                uint8_t removed[PIXELS];
                const int64_t n = xa_faith_changed(PIXELS, shares[q], 100);
                xa_faith_mark(order + (lerf ? PIXELS - n : 0), n, PIXELS, removed);
                assert_true(xa_road_fill(s->x, NULL, SIDE, SIDE, 3, removed, scratch, x) >= 0);
                z[lerf][q] = score(s, x, NULL);
                const bool sure = certain(pixels, order, lerf ? PIXELS - n : n);
                whole = whole && sure;
                snprintf(
                    name, sizeof name, "checks.%s.road.%s.logit", maps[k], lerf ? "lerf" : "morf");
                if (sure)
                    expect(s, image, name, z[lerf][q], one(s, name, image, q), 3e-4);
            }
        snprintf(name, sizeof name, "checks.%s.road.difference", maps[k]);
        if (whole)
            expect(s, image, name, xa_road_score(z[0], z[1], 5), one(s, name, image, 0), 1e-4);
    }
    free(scratch);
}

static void test_road(void **state)
{
    (void)state;
    for_each(road_of);
}

static void test_imputed_pixels(void **state)
{
    void *scratch = malloc(xa_road_scratch(SIDE, SIDE, 3));
    uint8_t removed[PIXELS];
    int32_t order[PIXELS];
    float pixels[PIXELS], x[COUNT];
    subject s;
    (void)state;
    assert_non_null(scratch);
    start(&s, "cnn");
    look_at(&s, 0);
    map_of(&s, 0, 0, pixels);
    order_of(pixels, XA_TIES_FIRST, 0, order);
    xa_faith_mark(order, 77, PIXELS, removed);
    xa_road_fill(s.x, NULL, SIDE, SIDE, 3, removed, scratch, x);
    faithful_array a = golden(&s, "maps/road_filled_30");
    for (int i = 0; i < COUNT; i++)
        expect(&s, 0, "imputed pixel", (double)x[i], a.values[i], 2e-6);
    faithful_free(&a);
    stop(&s);
    free(scratch);
}

/* ---- subsets, infidelity, sensitivity ---- */

static void subsets_of(subject *s, int image)
{
    static const float zero[COUNT];
    static const int sizes[] = {8, 32, 128};
    const double whole = score(s, s->x, NULL);
    for (int n = 0; n < 3; n++) {
        double drop[64], sum[3][64];
        float pixels[3][PIXELS], x[COUNT];
        int32_t subset[PIXELS];
        for (int k = 0; k < 3; k++)
            map_of(s, image, k, pixels[k]);
        for (int d = 0; d < 64; d++) {
            xa_faith_subset(SEED + (uint64_t)image, PIXELS, sizes[n], d, subset);
            xa_faith_change(s->x, zero, PIXELS, 3, subset, sizes[n], x);
            drop[d] = whole - score(s, x, NULL);
            for (int k = 0; k < 3; k++)
                sum[k][d] = xa_faith_sum(pixels[k], subset, sizes[n]);
        }
        for (int k = 0; k < 3; k++) {
            char name[128];
            snprintf(name, sizeof name, "checks.%s.sensitivity_n.%d", maps[k], sizes[n]);
            expect(
                s, image, name, xa_faith_pearson(sum[k], drop, 64), one(s, name, image, 0), 3e-4);
        }
    }
}

static void test_subsets(void **state)
{
    (void)state;
    for_each(subsets_of);
}

static void infidelity_of(subject *s, int image)
{
    double dot[32], drop[32], plain, scaled;
    const double whole = score(s, s->x, NULL);
    for (int d = 0; d < 32; d++) {
        float field[COUNT], x[COUNT];
        xa_random_normal(SEED + (uint64_t)image,
                         xa_random_stream(XA_PURPOSE_INFIDELITY, (uint32_t)d),
                         COUNT,
                         field);
        for (int e = 0; e < COUNT; e++) {
            field[e] *= 0.2f;
            x[e] = s->x[e] - field[e];
        }
        dot[d] = xa_faith_dot(field, s->gradient, PIXELS, 3);
        drop[d] = whole - score(s, x, NULL);
    }
    xa_faith_infidelity(dot, drop, 32, &plain, &scaled);
    const double want = one(s, "infidelity", image, 0);
    expect(s, image, "infidelity", plain, want, 1e-6 + 1e-4 * want);
    const double best = one(s, "infidelity_scaled", image, 0);
    expect(s, image, "infidelity, best factor", scaled, best, 1e-6 + 1e-4 * best);
}

static void test_infidelity(void **state)
{
    (void)state;
    for_each(infidelity_of);
}

static void sensitivity_of(subject *s, int image)
{
    double moved[10], mean, most;
    for (int d = 0; d < 10; d++) {
        float x[COUNT], g[COUNT];
        const uint64_t stream = xa_random_stream(XA_PURPOSE_SENSITIVITY, (uint32_t)d);
        for (int e = 0; e < COUNT; e++) {
            const double u = xa_random_unit(SEED + (uint64_t)image, stream, (uint64_t)e);
            x[e] = s->x[e] + (float)(0.02 * (2.0 * u - 1.0));
        }
        differentiate(s, x, g);
        moved[d] = xa_faith_moved(s->gradient, g, COUNT);
    }
    xa_faith_extent(moved, 10, &mean, &most);
    /* a unit of the CNN that stands at its threshold may turn in float32 */
    expect(s, image, "max_sensitivity", most, one(s, "max_sensitivity", image, 0), 2e-3);
    expect(s, image, "avg_sensitivity", mean, one(s, "avg_sensitivity", image, 0), 2e-3);
}

static void test_sensitivity(void **state)
{
    (void)state;
    for_each(sensitivity_of);
}

/* ---- maps alone, and two of them ---- */

static void shapes_of(subject *s, int image)
{
    float pixels[PIXELS], scratch[PIXELS];
    xa_faith_pixels(s->gradient, 3, SIDE, SIDE, true, SIDE, SIDE, scratch, pixels);
    expect(s,
           image,
           "effective_complexity",
           (double)xa_faith_complexity(pixels, PIXELS, 0.01),
           one(s, "effective_complexity", image, 0),
           0.0);
    faithful_array a = golden(s, "maps/gradient_randomised");
    if (image < a.images) { /* the last stage of the cascade: every weight shuffled */
        float other[COUNT], there[PIXELS];
        double wide[2 * PIXELS];
        faithful_array rows = golden(s, "mprt.permute.cascading"); /* [stage][image][3] */
        const double *want = rows.values + ((rows.images - 1) * FAITHFUL_IMAGES + image) * 3;
        planes(a.values + image * COUNT, other);
        xa_faith_pixels(other, 3, SIDE, SIDE, true, SIDE, SIDE, scratch, there);
        expect(s, image, "SSIM", xa_faith_ssim(pixels, there, SIDE, SIDE, wide), want[2], 1e-5);
        const double h = xa_faith_entropy(s->gradient, COUNT);
        expect(s,
               image,
               "eMPRT",
               xa_faith_entropy_rise(h, xa_faith_entropy(other, COUNT)),
               one(s, "emprt", image, 0),
               2e-3);
        faithful_free(&rows);
    }
    faithful_free(&a);
}

static void test_shapes(void **state)
{
    (void)state;
    for_each(shapes_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_curves),
                                       cmocka_unit_test(test_ties),
                                       cmocka_unit_test(test_road),
                                       cmocka_unit_test(test_imputed_pixels),
                                       cmocka_unit_test(test_subsets),
                                       cmocka_unit_test(test_infidelity),
                                       cmocka_unit_test(test_sensitivity),
                                       cmocka_unit_test(test_shapes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
