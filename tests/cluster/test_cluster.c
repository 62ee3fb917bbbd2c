/* Spectral clustering of maps: features, neighbours, eigenvectors, clusters, doubts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../golden/cluster/golden.h"
#include "view/small_archive.h"
#include "xaudit/cluster.h"
#include "xaudit_cmocka.h"

static void assert_near(double a, double b, double apart)
{
    if (!(fabs(a - b) <= apart))
        fail_msg("%.17g, expected %.17g", a, b);
}

static void test_feature(void **state)
{
    (void)state;
    /* two channels: 3 - 1, and a sum that is negative; a row of 3 pixels on 2 cells */
    const float map[] = {3.0f, 0.0f, -1.0f, -1.0f, 0.0f, -1.0f};
    float out[2];
    assert_true(xa_cluster_feature(map, 2, 1, 3, 1, 2, out));
    assert_float_equal(out[0], 0.5f, 1e-7f);
    assert_float_equal(out[1], 0.5f, 1e-7f);
    const float line[] = {1.0f, 2.0f, 0.0f};
    assert_true(xa_cluster_feature(line, 1, 1, 3, 1, 2, out)); /* the middle pixel is halved */
    assert_float_equal(out[0], 2.0f / 3.0f, 1e-7f);
    assert_float_equal(out[1], 1.0f / 3.0f, 1e-7f);
    const float zero[] = {0.0f, 0.0f, 0.0f}, odd[] = {0.0f, NAN, 1.0f};
    assert_false(xa_cluster_feature(zero, 1, 1, 3, 1, 2, out));
    assert_false(xa_cluster_feature(odd, 1, 1, 3, 1, 2, out));
}

static void test_neighbours(void **state)
{
    (void)state;
    const float x[] = {0.0f, 1.0f, 3.0f, 4.0f, 1.0f};
    int32_t near[5 * 2];
    assert_int_equal(xa_cluster_neighbours(x, 5, 1, 2, 0, 5, near, NULL), XA_OK);
    const int32_t want[] = {1, 4, 4, 0, 3, 1, 2, 1, 1, 0};
    assert_memory_equal(near, want, sizeof want);
    int32_t part[2 * 2]; /* a share of the rows has the same */
    assert_int_equal(xa_cluster_neighbours(x, 5, 1, 2, 2, 4, part, NULL), XA_OK);
    assert_memory_equal(part, want + 4, sizeof part);
}

/* Rows around `sides` places. */
static float *blobs(int64_t n, int64_t d, int sides, double spread)
{
    float *x = xa_alloc((size_t)(n * d), sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n * d; i++)
        x[i] = (float)(spread * (xa_random_unit(5, 0, (uint64_t)i) - 0.5)) +
               (i % d == (i / d) % sides ? 1.0f : 0.0f);
    return x;
}

/* Against scikit-learn: its affinity, eigenvalues and clusters (tests/golden/cluster/make.py). */
static void test_golden(void **state)
{
    (void)state;
    enum { N = XA_GOLDEN_N, D = XA_GOLDEN_D, K = XA_GOLDEN_K, V = XA_GOLDEN_V };
    int32_t near[N * K], number[N];
    double value[V], vector[V * N], y[N * 3], distance[N];
    assert_int_equal(xa_cluster_neighbours(golden_x, N, D, K, 0, N, near, NULL), XA_OK);
    for (int i = 0; i < N; i++)
        for (int q = 0; q < K; q++)
            assert_true(golden_near[i][near[i * K + q] / 8] >> (near[i * K + q] % 8) & 1);
    assert_int_equal(xa_cluster_eigen(near, N, K, V, 1, value, vector, NULL), XA_OK);
    for (int v = 0; v < V; v++)
        assert_near(value[v], golden_value[v], 1e-9);
    for (int v = 0; v < V; v++) { /* one vector of each eigenvalue, up to its sign */
        double dot = 0.0;
        for (int i = 0; i < N; i++)
            dot += vector[v * N + i] * golden_vector[v][i];
        assert_near(fabs(dot), 1.0, 1e-5);
    }
    const int clusters = xa_cluster_gap(value, V, 2, V - 1);
    assert_int_equal(clusters, 3);
    for (int i = 0; i < N; i++) {
        double square = 0.0;
        for (int v = 0; v < 3; v++)
            square += vector[v * N + i] * vector[v * N + i];
        for (int v = 0; v < 3; v++)
            y[i * 3 + v] = vector[v * N + i] / sqrt(square);
    }
    assert_int_equal(xa_cluster_means(y, N, 3, 3, 1, number, distance, NULL), XA_OK);
    int apart = 0; /* pairs that only one of the two puts together */
    for (int i = 0; i < N; i++)
        for (int j = 0; j < i; j++)
            apart += (number[i] == number[j]) != (golden_label[i] == golden_label[j]);
    assert_int_equal(apart, 0);
}

/* Beyond 400 maps the Krylov space gives what the whole matrix would: 8 parts that do not hang
 * together have eigenvalue 0 eight times, and residuals are small. */
static void test_krylov(void **state)
{
    (void)state;
    enum { N = 640, D = 8, K = 12, V = 10 };
    float *x = blobs(N, D, 8, 0.3);
    int32_t *near = xa_alloc(N * K, sizeof *near);
    double value[V], *vector = xa_alloc(V * N, sizeof *vector);
    assert_non_null(near);
    assert_non_null(vector);
    assert_int_equal(xa_cluster_neighbours(x, N, D, K, 0, N, near, NULL), XA_OK);
    assert_int_equal(xa_cluster_eigen(near, N, K, V, 1, value, vector, NULL), XA_OK);
    for (int v = 0; v < 8; v++)
        assert_near(value[v], 0.0, 1e-9);
    assert_true(value[8] > 0.01);
    assert_int_equal(xa_cluster_gap(value, V, 2, V - 1), 8);
    for (int a = 0; a < V; a++)
        for (int b = 0; b <= a; b++) {
            double dot = 0.0;
            for (int i = 0; i < N; i++)
                dot += vector[a * N + i] * vector[b * N + i];
            assert_near(dot, a == b ? 1.0 : 0.0, 1e-8);
        }
    double degree[N] = {0}, image[N] = {0};
    for (int i = 0; i < N * K; i++) {
        degree[i / K] += 0.5;
        degree[near[i]] += 0.5;
    }
    const double *last = vector + (V - 1) * N;
    for (int i = 0; i < N * K; i++) {
        const int a = i / K, b = near[i];
        const double w = 0.5 / sqrt(degree[a] * degree[b]);
        image[a] += w * last[b];
        image[b] += w * last[a];
    }
    for (int i = 0; i < N; i++)
        assert_near(image[i], (1.0 - value[V - 1]) * last[i], 1e-8);
    free(x);
    free(near);
    free(vector);
}

static void test_means(void **state)
{
    (void)state;
    const double y[] = {0.0, 0.1, 5.0, 5.1, 5.2, 9.0};
    int32_t number[6];
    double distance[6];
    assert_int_equal(xa_cluster_means(y, 6, 1, 3, 1, number, distance, NULL), XA_OK);
    const int32_t want[] = {1, 1, 0, 0, 0, 2};
    assert_memory_equal(number, want, sizeof want);
    assert_near(distance[3], 0.0, 1e-12);
    assert_near(distance[0], 0.05, 1e-12);
    /* equal rows: no cluster stays empty */
    const double same[] = {1.0, 1.0, 1.0, 1.0};
    assert_int_equal(xa_cluster_means(same, 4, 1, 2, 1, number, distance, NULL), XA_OK);
    assert_true(number[0] + number[1] + number[2] + number[3] >= 1);
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_cluster_means(same, 4, 1, 5, 1, number, distance, &err), XA_INVALID);
}

static void test_gap(void **state)
{
    (void)state;
    const double value[] = {0.0, 0.01, 0.02, 0.5, 0.9, 0.95};
    assert_int_equal(xa_cluster_gap(value, 6, 2, 5), 3);
    assert_int_equal(xa_cluster_gap(value, 6, 4, 5), 4);
    assert_int_equal(xa_cluster_gap(value, 6, 5, 30), 5);
}

static void test_doubts(void **state)
{
    (void)state;
    const xa_cluster_facts group = {
        .maps = 40, .labelled = 40, .wrong = 6, .scored = 40, .energy = 0.5};
    xa_cluster_facts c = {.maps = 10, .labelled = 10, .wrong = 5, .scored = 10, .energy = 0.1};
    assert_int_equal(xa_cluster_doubts(&c, &group), XA_CLUSTER_OFF_OBJECT | XA_CLUSTER_WRONG);
    c.energy = 0.5;
    assert_int_equal(xa_cluster_doubts(&c, &group), XA_CLUSTER_WRONG);
    xa_cluster_facts few = {.maps = 10, .labelled = 10, .wrong = 6, .energy = NAN};
    const xa_cluster_facts twenty = {.maps = 20, .labelled = 20, .wrong = 9, .energy = NAN};
    assert_int_equal(xa_cluster_doubts(&few, &twenty), 0); /* 6 against 3 of 10: by chance */
    c.wrong = 2;                                           /* too few to say */
    assert_int_equal(xa_cluster_doubts(&c, &group), 0);
    c.scored = 4;
    c.energy = 0.0;
    assert_int_equal(xa_cluster_doubts(&c, &group), 0);
}

enum { N_MARKED = 72 };

static void write_marked(const char *path)
{
    enum { N = N_MARKED, CELLS = SMALL_SIDE * SMALL_SIDE };
    static float maps[N * CELLS];
    static int32_t label[N], predicted[N], pair_class[N];
    static int64_t pair_sample[N];
    static double energy[N];
    const char *const explainer[] = {"gradcam"};
    for (int i = 0; i < N; i++) {
        const bool marked = i % 2 == 0 && i % 3 == 0;
        label[i] = pair_class[i] = i % 2;
        pair_sample[i] = i;
        predicted[i] = marked && i % 4 ? 1 - label[i] : label[i];
        energy[i] = marked ? 0.1 : 0.7;
        for (int c = 0; c < CELLS; c++) {
            const bool on = marked ? c < 2 : c == 5 || c == 6 || c == 9 || c == 10;
            maps[i * CELLS + c] =
                (on ? 1.0f : 0.1f) + 0.2f * (float)xa_random_unit(9, 0, (uint64_t)(i * CELLS + c));
        }
    }
    const small_series series = {.explainer = "gradcam", .metric = "energy", .value = energy};
    small_archive_write(&(small_archive){.samples = N,
                                         .pairs = N,
                                         .classes = 2,
                                         .label = label,
                                         .predicted = predicted,
                                         .pair_sample = pair_sample,
                                         .pair_class = pair_class,
                                         .explainer = explainer,
                                         .explainers = 1,
                                         .maps = maps,
                                         .series = &series,
                                         .nseries = 1},
                        path);
}

/* Maps of two classes: the first class has a watermark in the corner of every third image, where
 * its maps lie then; the answers of these are wrong. The clusters find exactly these images. */
static void test_watermark(void **state)
{
    (void)state;
    enum { N = N_MARKED };
    write_marked(small_archive_name(0));
    xa_err err = XA_ERR_INIT;
    xa_comm *comm = NULL;
    assert_int_equal(xa_comm_start(NULL, NULL, &comm, &err), XA_OK);
    (void)remove(small_archive_name(1));
    const xa_cluster_options o = {.archive = small_archive_name(0),
                                  .output = small_archive_name(1),
                                  .neighbours = 32,
                                  .least = 2,
                                  .most = 30,
                                  .maps = 10000,
                                  .seed = 1};
    if (xa_cluster(&o, comm, NULL, NULL, &err) != XA_OK)
        fail_msg("%s", err.message);
    xa_read *r;
    xa_read_clusters c;
    assert_int_equal(xa_read_open(o.output, &r, &err), XA_OK);
    const xa_read_model *m = &r->models[0];
    if (xa_read_clusters_load(r, m, &m->maps[0], &c, &err) != XA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(c.groups, 2);
    assert_int_equal(c.class_index[0], 0);
    const int32_t marked = c.number[0];
    assert_true(marked > 0); /* 12 of 36 */
    for (int i = 0; i < N; i += 2)
        assert_true((c.number[i] == marked) == (i % 3 == 0));
    xa_cluster_facts all, f;
    xa_cluster_facts_of(r, m, &m->maps[0], &c, 0, -1, &all);
    xa_cluster_facts_of(r, m, &m->maps[0], &c, 0, marked, &f);
    assert_int_equal(all.maps, 36);
    assert_int_equal(f.maps, 12);
    assert_int_equal(f.wrong, 6);
    assert_near(f.energy, 0.1, 1e-12);
    assert_int_equal(xa_cluster_doubts(&f, &all), XA_CLUSTER_OFF_OBJECT | XA_CLUSTER_WRONG);
    for (int32_t k = 0; k < c.count[1]; k++) { /* nothing is said of the class without one */
        xa_cluster_facts_of(r, m, &m->maps[0], &c, 1, -1, &all);
        xa_cluster_facts_of(r, m, &m->maps[0], &c, 1, k, &f);
        assert_int_equal(xa_cluster_doubts(&f, &all), 0);
    }
    int64_t *rows, n;
    assert_int_equal(xa_read_cluster_rows(&c, 0, marked, &rows, &n, &err), XA_OK);
    assert_int_equal(n, 12);
    for (int64_t i = 1; i < n; i++)
        assert_true(c.distance[rows[i]] >= c.distance[rows[i - 1]]);
    free(rows);
    xa_read_clusters_free(&c);
    xa_read_close(r);
    (void)remove(small_archive_name(0));
    (void)remove(small_archive_name(1));
    xa_comm_stop(comm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feature),
        cmocka_unit_test(test_neighbours),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_krylov),
        cmocka_unit_test(test_means),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_doubts),
        cmocka_unit_test(test_watermark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
