/* Figures that are known on paper, and what has none. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/faith.h"
#include "xaudit_cmocka.h"

static void near(double have, double want, double within)
{
    if (!(fabs(have - want) <= within))
        fail_msg("%.17g, expected %.17g", have, want);
}

/* ---- order ---- */

static void test_order(void **state)
{
    const float values[8] = {1.0f, 3.0f, -2.0f, 3.0f, 0.0f, -0.0f, 3.0f, 5.0f};
    const int32_t want[8] = {7, 1, 3, 6, 0, 4, 5, 2};
    xa_ranked_pixel scratch[8];
    int32_t order[8];
    bool moved = false;
    (void)state;
    xa_faith_order(values, 8, XA_TIES_FIRST, 1, scratch, order);
    assert_memory_equal(order, want, sizeof order);
    near(xa_faith_tied(values, order, 8), 5.0 / 8.0, 0.0);
    for (uint64_t seed = 0; seed < 40; seed++) {
        int32_t pixels = 0;
        xa_faith_order(values, 8, XA_TIES_SHUFFLED, seed, scratch, order);
        for (int i = 0; i < 8; i++) {
            assert_true(values[order[i]] == values[want[i]]);
            pixels |= 1 << order[i];
        }
        assert_int_equal(pixels, 255);
        moved = moved || order[1] != 1;
    }
    assert_true(moved);
}

/* A grid of two channels at a larger input: sums of values, and of their sizes. */
static void test_pixels(void **state)
{
    const float map[4] = {1.0f, -4.0f, 2.0f, 3.0f}; /* [2,1,2] */
    float scratch[2], pixels[8];
    (void)state;
    xa_faith_pixels(map, 2, 1, 2, false, 2, 4, scratch, pixels);
    near((double)pixels[0], 3.0, 0.0);
    near((double)pixels[1], 3.0 * 0.75 - 1.0 * 0.25, 1e-6);
    near((double)pixels[7], -1.0, 0.0);
    xa_faith_pixels(map, 2, 1, 2, true, 2, 4, scratch, pixels);
    near((double)pixels[0], 3.0, 0.0);
    near((double)pixels[7], 7.0, 0.0);
}

/* ---- a linear model: S = <w, x>, whose attributions w (x - x0) are the truth ---- */

enum { SIDE = 6, N = SIDE * SIDE, C = 2, COUNT = N * C };

static float weight[COUNT], image[COUNT], base[COUNT], truth[N];

static double linear(const float *x)
{
    double s = 0.25;
    for (int i = 0; i < COUNT; i++)
        s += (double)weight[i] * (double)x[i];
    return s;
}

/* Whole numbers over powers of two: all sums are exact. */
static void set_linear(void)
{
    memset(truth, 0, sizeof truth);
    for (int i = 0; i < COUNT; i++) {
        weight[i] = (float)(xa_random_below(1, 0, (uint64_t)i, 65) - 32) / 16.0f;
        image[i] = (float)xa_random_below(2, 0, (uint64_t)i, 256) / 64.0f;
        base[i] = (float)xa_random_below(3, 0, (uint64_t)i, 256) / 64.0f;
        truth[i / C] += weight[i] * (image[i] - base[i]);
    }
}

static void test_linear_curves(void **state)
{
    xa_ranked_pixel scratch[N];
    int32_t order[N];
    float x[COUNT];
    double deletion[8], insertion[8], reversed[8], rest = linear(image);
    (void)state;
    set_linear();
    rest = linear(image);
    xa_faith_order(truth, N, XA_TIES_FIRST, 0, scratch, order);
    for (int i = 0, gone = 0; i <= 7; i++) { /* 36 pixels in 7 steps */
        const int64_t n = xa_faith_changed(N, i, 7);
        for (; gone < n; gone++)
            rest -= (double)truth[order[gone]];
        xa_faith_change(image, base, N, C, order, n, x);
        deletion[i] = linear(x);
        near(deletion[i], rest, 0.0);
        xa_faith_change(base, image, N, C, order, n, x);
        insertion[i] = linear(x);
        near(deletion[i] + insertion[i], linear(image) + linear(base), 0.0);
        xa_faith_change(image, base, N, C, order + N - n, n, x);
        reversed[i] = linear(x);
    }
    near(deletion[7], linear(base), 0.0);
    /* no order of removal is faster than the truth's, none slower than its reverse */
    for (uint64_t seed = 0; seed < 20; seed++) {
        float random[N];
        xa_rival_map(XA_RIVAL_RANDOM, image, SIDE, SIDE, C, seed, NULL, random);
        xa_faith_order(random, N, XA_TIES_FIRST, 0, scratch, order);
        for (int i = 1; i < 7; i++) {
            xa_faith_change(image, base, N, C, order, xa_faith_changed(N, i, 7), x);
            assert_true(deletion[i] <= linear(x) && linear(x) <= reversed[i]);
        }
    }
    assert_true(xa_road_score(deletion, reversed, 8) > 0.0);
}

static void test_steps(void **state)
{
    (void)state;
    assert_int_equal(xa_faith_changed(256, 3, 16), 48);
    assert_int_equal(xa_faith_changed(10, 1, 4), 3); /* 2.5 */
    for (int64_t n = 1; n < 40; n++)
        for (int64_t k = 1; k < 60; k++) {
            assert_int_equal(xa_faith_changed(n, 0, k), 0);
            assert_int_equal(xa_faith_changed(n, k, k), n);
            for (int64_t i = 0; i < k; i++)
                assert_true(xa_faith_changed(n, i, k) <= xa_faith_changed(n, i + 1, k));
        }
}

/* Every subset's sum of the true attributions is the drop: correlation 1, whatever the size; a map
 * of one value says nothing, nor do drops that are all alike. */
static void test_linear_subsets(void **state)
{
    (void)state;
    set_linear();
    for (int size = 1; size <= 18; size += 17) {
        double sum[32], drop[32], half[32], same[32];
        int32_t subset[N];
        float x[COUNT];
        for (int d = 0; d < 32; d++) {
            int64_t seen = 0;
            xa_faith_subset(9, N, size, d, subset);
            for (int i = 0; i < N; i++)
                seen |= (int64_t)1 << subset[i];
            assert_true(seen == ((int64_t)1 << N) - 1);
            xa_faith_change(image, base, N, C, subset, size, x);
            sum[d] = xa_faith_sum(truth, subset, size);
            drop[d] = linear(image) - linear(x);
            near(sum[d], drop[d], 0.0);
            half[d] = -0.5 * sum[d] + 3.0;
            same[d] = 0.1;
        }
        near(xa_faith_pearson(sum, drop, 32), 1.0, 1e-15);
        near(xa_faith_pearson(half, drop, 32), -1.0, 1e-15);
        assert_true(isnan(xa_faith_pearson(same, drop, 32)));
        assert_true(isnan(xa_faith_pearson(sum, same, 32)));
        drop[3] = INFINITY;
        assert_true(isnan(xa_faith_pearson(sum, drop, 32)));
        assert_true(isnan(xa_faith_pearson(sum, drop, 1)));
    }
}

/* The gradient of a linear model has no infidelity; half of it has, which the best factor takes
 * away. */
static void test_linear_infidelity(void **state)
{
    float gradient[COUNT], half[COUNT]; /* [C,H,W] */
    double dot[16], small[16], drop[16], plain, scaled;
    (void)state;
    set_linear();
    for (int p = 0; p < N; p++)
        for (int c = 0; c < C; c++) {
            gradient[c * N + p] = weight[p * C + c];
            half[c * N + p] = 0.5f * weight[p * C + c];
        }
    double mean = 0.0;
    for (int d = 0; d < 16; d++) {
        float field[COUNT], x[COUNT];
        for (int e = 0; e < COUNT; e++) {
            field[e] = (float)(xa_random_below(4, (uint64_t)d, (uint64_t)e, 129) - 64) / 64.0f;
            x[e] = image[e] - field[e];
        }
        dot[d] = xa_faith_dot(field, gradient, N, C);
        small[d] = xa_faith_dot(field, half, N, C);
        drop[d] = linear(image) - linear(x);
        mean += 0.25 * drop[d] * drop[d] / 16.0;
    }
    xa_faith_infidelity(dot, drop, 16, &plain, &scaled);
    near(plain, 0.0, 0.0);
    near(scaled, 0.0, 0.0);
    xa_faith_infidelity(small, drop, 16, &plain, &scaled);
    near(plain, mean, 1e-12 * mean);
    near(scaled, 0.0, 1e-24 * mean);
    memset(dot, 0, sizeof dot);
    xa_faith_infidelity(dot, drop, 16, &plain, &scaled);
    near(plain, 4.0 * mean, 1e-11 * mean);
    assert_true(isnan(scaled));
    drop[15] = NAN;
    xa_faith_infidelity(small, drop, 16, &plain, &scaled);
    assert_true(isnan(plain) && isnan(scaled));
}

static void test_moved(void **state)
{
    const float a[3] = {3.0f, 0.0f, -4.0f}, b[3] = {3.0f, 5.0f, -4.0f}, zero[3] = {0};
    const float bad[3] = {NAN, 0.0f, 0.0f};
    const double values[4] = {0.5, 2.0, 1.0, 0.5}, broken[2] = {0.5, NAN};
    double mean, most;
    (void)state;
    near(xa_faith_moved(a, a, 3), 0.0, 0.0);
    near(xa_faith_moved(a, b, 3), 1.0, 0.0);
    near(xa_faith_moved(a, zero, 3), 1.0, 0.0);
    assert_true(isnan(xa_faith_moved(zero, a, 3)));
    assert_true(isnan(xa_faith_moved(a, bad, 3)));
    xa_faith_extent(values, 4, &mean, &most);
    near(mean, 1.0, 0.0);
    near(most, 2.0, 0.0);
    xa_faith_extent(broken, 2, &mean, &most);
    assert_true(isnan(mean) && isnan(most));
}

/* ---- areas ---- */

static void test_areas(void **state)
{
    double flat[5] = {0.7, 0.7, 0.7, 0.7, 0.7}, ramp[5] = {1.0, 0.75, 0.5, 0.25, 0.0};
    double out[5] = {9, 9, 9, 9, 9};
    (void)state;
    near(xa_faith_auc(flat, 5), 0.7, 1e-15);
    near(xa_faith_auc(ramp, 5), 0.5, 0.0);
    near(xa_faith_auc(ramp, 2), 0.875, 0.0);
    assert_true(isnan(xa_faith_auc(ramp, 1)));
    assert_false(xa_faith_normalise(flat, 5, out));
    near(out[0], 9.0, 0.0);
    for (int i = 0; i < 5; i++)
        flat[i] = 0.2 + 0.5 * ramp[i];
    assert_true(xa_faith_normalise(flat, 5, out));
    for (int i = 0; i < 5; i++)
        near(out[i], ramp[i], 1e-15);
    flat[2] = NAN;
    assert_true(isnan(xa_faith_auc(flat, 5)));
    flat[4] = NAN;
    assert_false(xa_faith_normalise(flat, 5, out));
}

/* ---- ROAD ---- */

enum { H = 9, W = 13 };

static int64_t road(const float *x, const uint8_t *removed, const float *start, float *out)
{
    void *scratch = malloc(xa_road_scratch(H, W, C));
    assert_non_null(scratch);
    const int64_t n = xa_road_fill(x, start, H, W, C, removed, scratch, out);
    free(scratch);
    return n;
}

/* The weights are symmetric: a plane is its own mean of neighbours, so that its inside is found
 * again from its border. */
static void test_road_plane(void **state)
{
    float x[H * W * C], out[H * W * C], again[H * W * C];
    uint8_t removed[H * W] = {0};
    (void)state;
    for (int i = 0; i < H * W; i++) {
        x[C * i] = (float)(2 * (i / W) - 3 * (i % W));
        x[C * i + 1] = 7.0f;
        removed[i] = i / W > 0 && i / W < H - 1 && i % W > 0 && i % W < W - 1;
    }
    const int64_t cold = road(x, removed, NULL, out);
    assert_true(cold > 5);
    for (int i = 0; i < H * W * C; i++)
        near((double)out[i], (double)x[i], 1e-4);
    assert_true(road(x, removed, out, again) < cold / 2);
    for (int i = 0; i < H * W * C; i++)
        near((double)again[i], (double)x[i], 1e-4);
}

/* A pixel alone is the weighted mean of its neighbours; in a corner, of three. */
static void test_road_pixel(void **state)
{
    float x[H * W * C], out[H * W * C];
    uint8_t removed[H * W] = {0};
    (void)state;
    for (int i = 0; i < H * W * C; i++)
        x[i] = (float)(i * i % 17);
    removed[0] = removed[3 * W + 4] = 1;
    assert_true(road(x, removed, NULL, out) > 0);
    for (int c = 0; c < C; c++) {
#define at(y, k) (double)x[((y)*W + (k)) * C + c]
        near((double)out[c], ((at(0, 1) + at(1, 0)) / 6.0 + at(1, 1) / 12.0) / (5.0 / 12.0), 1e-5);
        near((double)out[(3 * W + 4) * C + c],
             (at(2, 4) + at(4, 4) + at(3, 3) + at(3, 5)) / 6.0 +
                 (at(2, 3) + at(2, 5) + at(4, 3) + at(4, 5)) / 12.0,
             1e-5);
#undef at
    }
    for (int i = 1; i < H * W; i++)
        for (int c = 0; c < C && i != 3 * W + 4; c++)
            assert_true(out[i * C + c] == x[i * C + c]);
}

/* One pixel kept: it fills the image. None kept: the mean. None removed: nothing to do. */
static void test_road_extremes(void **state)
{
    float x[H * W * C], out[H * W * C];
    uint8_t removed[H * W];
    double mean = 0.0;
    (void)state;
    for (int i = 0; i < H * W * C; i++) {
        x[i] = (float)(i % 5) - 1.0f;
        mean += i % C == 0 ? (double)x[i] / (H * W) : 0.0;
    }
    memset(removed, 1, sizeof removed);
    assert_int_equal(road(x, removed, NULL, out), 0);
    for (int i = 0; i < H * W; i++)
        near((double)out[C * i], mean, 1e-6);
    removed[40] = 0;
    assert_true(road(x, removed, x, out) > 0);
    for (int i = 0; i < H * W * C; i++)
        near((double)out[i], (double)x[C * 40 + i % C], 2e-4);
    memset(removed, 0, sizeof removed);
    assert_int_equal(road(x, removed, NULL, out), 0);
    assert_memory_equal(out, x, sizeof out);
    x[3] = NAN;
    removed[5] = removed[2] = 1;
    assert_int_equal(road(x, removed, NULL, out), -1);
}

/* ---- maps ---- */

static void test_entropy(void **state)
{
    const float four[8] = {0.0f, 0.0f, 1.0f, 1.0f, 2.0f, 2.0f, 3.0f, 3.0f};
    const float even[5] = {4.0f, 4.0f, 4.0f, 4.0f, 4.0f};
    float bins[101];
    (void)state;
    near(xa_faith_entropy(four, 8), log(4.0), 1e-15);
    near(xa_faith_entropy(even, 5), 0.0, 0.0);
    /* values on every edge: one a bin, and two in the last, which has both its edges */
    for (int i = 0; i <= 100; i++)
        bins[i] = (float)i;
    near(xa_faith_entropy(bins, 101),
         99.0 / 101.0 * log(101.0) - 2.0 / 101.0 * log(2.0 / 101.0),
         1e-14);
    near(xa_faith_entropy_rise(2.0, 3.0), 0.5, 0.0);
    assert_true(isnan(xa_faith_entropy_rise(0.0, 3.0)));
}

static void test_similarity(void **state)
{
    enum { S = 10 };
    float a[S * S], negative[S * S], even[S * S];
    double scratch[2 * S * S];
    (void)state;
    for (int i = 0; i < S * S; i++) {
        a[i] = (float)xa_random_unit(1, 1, (uint64_t)i);
        negative[i] = -3.0f * a[i] + 2.0f;
        even[i] = 1.0f;
    }
    near(xa_faith_ssim(a, a, S, S, scratch), 1.0, 1e-12);
    assert_true(xa_faith_ssim(a, negative, S, S, scratch) < -0.5);
    assert_true(isnan(xa_faith_ssim(a, even, S, S, scratch)));
    assert_true(isnan(xa_faith_ssim(a, a, 6, 10, scratch)));
}

static void test_complexity(void **state)
{
    const float values[6] = {0.0f, -100.0f, 1.0f, 1.5f, -2.0f, 0.5f};
    const float zero[3] = {0};
    (void)state;
    assert_int_equal(xa_faith_complexity(values, 6, 0.01), 3);
    assert_int_equal(xa_faith_complexity(values, 6, 0.0), 5);
    assert_int_equal(xa_faith_complexity(zero, 3, 0.01), 0);
}

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void test_rivals(void **state)
{
    float x[H * W * C], from[H * W], values[H * W];
    (void)state;
    for (int i = 0; i < H * W; i++) {
        x[C * i] = i % W < 5 ? 0.0f : 1.0f; /* a step between columns 4 and 5 */
        x[C * i + 1] = (float)(i / W);      /* a slope down the rows */
        from[i] = (float)(i * 7 % 11);
    }
    xa_rival_map(XA_RIVAL_EDGES, x, H, W, C, 1, NULL, values);
    near((double)values[3 * W + 2], 8.0, 0.0);
    near((double)values[3 * W + 4], 8.0 + 4.0, 0.0);
    near((double)values[3 * W + 5], 8.0 + 4.0, 0.0);
    near((double)values[0], 4.0, 0.0); /* the row above is the first again */
    xa_rival_map(XA_RIVAL_CENTRE, x, H, W, C, 1, NULL, values);
    for (int i = 0; i < H * W; i++) {
        assert_true(values[i] <= values[H / 2 * W + W / 2]);
        assert_true(values[i] == values[H * W - 1 - i]);
    }
    xa_rival_map(XA_RIVAL_SHUFFLED, x, H, W, C, 1, from, values);
    assert_memory_not_equal(values, from, sizeof from);
    qsort(values, H * W, sizeof *values, ascending);
    qsort(from, H * W, sizeof *from, ascending);
    assert_memory_equal(values, from, sizeof from);
}

/* ---- samples ---- */

static void test_turns(void **state)
{
    enum { SAMPLES = 200 };
    uint64_t hash[SAMPLES];
    int32_t class_of[SAMPLES];
    int64_t turn[SAMPLES];
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        hash[i] = xa_hash64(&i, sizeof i, 0);
        class_of[i] = i < 5 ? -1 : i < 30 ? 7 : 2; /* 5, 25 and 170 samples */
    }
    assert_int_equal(xa_faith_turns(SAMPLES, hash, class_of, 1, turn, NULL), XA_OK);
    for (int64_t take = 1; take <= SAMPLES; take++) {
        int64_t n = 0, of[3] = {0};
        for (int i = 0; i < SAMPLES; i++) {
            n += turn[i] < take;
            of[i < 5 ? 0 : i < 30 ? 1 : 2] += turn[i] < take;
        }
        assert_int_equal(n, take);  /* turns are a permutation */
        for (int k = 0; k < 3; k++) /* alike, until a class has no more */
            assert_true(of[k] == (k == 0 ? 5 : k == 1 ? 25 : 170) || of[k] >= take / 3);
    }
    bool in_order = true;
    for (int i = 31; i < SAMPLES; i++)
        in_order = in_order && turn[i] > turn[i - 1];
    assert_false(in_order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_pixels),
                                       cmocka_unit_test(test_linear_curves),
                                       cmocka_unit_test(test_steps),
                                       cmocka_unit_test(test_linear_subsets),
                                       cmocka_unit_test(test_linear_infidelity),
                                       cmocka_unit_test(test_moved),
                                       cmocka_unit_test(test_areas),
                                       cmocka_unit_test(test_road_plane),
                                       cmocka_unit_test(test_road_pixel),
                                       cmocka_unit_test(test_road_extremes),
                                       cmocka_unit_test(test_entropy),
                                       cmocka_unit_test(test_similarity),
                                       cmocka_unit_test(test_complexity),
                                       cmocka_unit_test(test_rivals),
                                       cmocka_unit_test(test_turns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
