/* Polygons and run lengths compared with the COCO mask API (tests/golden/manifest/make_coco.py). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_internal.h"
#include "xaudit_cmocka.h"

typedef struct numbers {
    double *v;
    size_t count, cap;
} numbers;

/* Blank-separated numbers up to ':' or the end; *p is moved behind. */
static void read_numbers(char **p, numbers *n)
{
    n->count = 0;
    for (;;) {
        *p += strspn(*p, " \n");
        if (**p == '\0' || **p == ':')
            break;
        assert_int_equal(xa_grow(&n->v, &n->cap, n->count + 1, sizeof *n->v, NULL), XA_OK);
        n->v[n->count++] = strtod(*p, p);
    }
    *p += **p == ':';
}

static void fill(uint8_t *mask, int64_t w, int64_t h, const numbers *runs)
{
    int64_t at = 0;
    for (size_t i = 0; i < runs->count; i++)
        for (int64_t k = 0; k < (int64_t)runs->v[i]; k++, at++)
            mask[at % h * w + at / h] = i % 2 == 1 ? 255 : 0;
    assert_int_equal(at, w * h);
}

static void test_polygons(void **state)
{
    (void)state;
    FILE *f = fopen(XA_TEST_DATA "/golden/manifest/coco_polygons.txt", "r");
    assert_non_null(f);
    char *line = NULL;
    size_t cap = 0;
    int cases = 0;
    numbers in = {0}, runs = {0};
    while (getline(&line, &cap, f) > 0) {
        char *p = line;
        read_numbers(&p, &in);
        read_numbers(&p, &runs);
        const int64_t h = (int64_t)in.v[0], w = (int64_t)in.v[1], n = (int64_t)in.v[2];
        assert_int_equal(in.count, 3 + 2 * n);
        uint8_t *want = xa_alloc((size_t)(w * h), 1), *got = xa_alloc((size_t)(w * h), 1);
        uint8_t *toggle = xa_alloc((size_t)h + 1, 1);
        fill(want, w, h, &runs);
        xa__raster_polygon(in.v + 3, n, w, h, toggle, got);
        if (memcmp(want, got, (size_t)(w * h)) != 0)
            fail_msg("case %d (%lldx%lld, %lld points) differs",
                     cases,
                     (long long)w,
                     (long long)h,
                     (long long)n);
        for (int64_t i = 0; i <= h; i++)
            assert_int_equal(toggle[i], 0);
        free(want);
        free(got);
        free(toggle);
        cases++;
    }
    assert_int_equal(cases, 260);
    fclose(f);
    free(line);
    free(in.v);
    free(runs.v);
}

static void test_runs(void **state)
{
    (void)state;
    FILE *f = fopen(XA_TEST_DATA "/golden/manifest/coco_runs.txt", "r");
    assert_non_null(f);
    char *line = NULL;
    size_t cap = 0;
    int cases = 0;
    numbers runs = {0};
    while (getline(&line, &cap, f) > 0) {
        char counts[4096];
        int h, w, at;
        size_t n = 0;
        int64_t got[4096];
        assert_int_equal(sscanf(line, "%d %d %4095s : %n", &h, &w, counts, &at), 3);
        char *p = line + at;
        read_numbers(&p, &runs);
        assert_true(xa__runs_decode(counts, strlen(counts), got, &n));
        /* The API drops nothing: equal run for run. */
        assert_int_equal(n, runs.count);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(got[i], (int64_t)runs.v[i]);
        uint8_t *want = xa_alloc((size_t)(w * h), 1), *mask = xa_alloc((size_t)(w * h), 1);
        fill(want, w, h, &runs);
        assert_true(xa__raster_runs(got, n, w, h, mask));
        assert_memory_equal(want, mask, (size_t)(w * h));
        free(want);
        free(mask);
        cases++;
    }
    assert_int_equal(cases, 60);
    fclose(f);
    free(line);
    free(runs.v);
}

static void test_damaged_runs(void **state)
{
    (void)state;
    int64_t out[64];
    size_t n = 0;
    uint8_t mask[16] = {0};
    assert_false(xa__runs_decode("\x01", 1, out, &n));
    assert_false(xa__runs_decode("p", 1, out, &n)); /* bits above 63 */
    assert_false(xa__runs_decode("P", 1, out, &n)); /* goes on, and ends */
    assert_false(xa__runs_decode("oooooooooooooooooooooo0", 23, out, &n));
    assert_false(xa__runs_decode("@", 1, out, &n)); /* -16 */
    assert_true(xa__runs_decode("", 0, out, &n));
    assert_int_equal(n, 0);
    /* A huge run, and one on top of it that overflows. */
    const char huge[] = "ooooooooooo0";
    if (xa__runs_decode(huge, sizeof huge - 1, out, &n))
        assert_false(xa__raster_runs(out, n, 4, 4, mask));
    assert_false(xa__raster_runs((int64_t[]){17}, 1, 4, 4, mask));
    assert_false(xa__raster_runs((int64_t[]){15}, 1, 4, 4, mask));
    assert_false(xa__raster_runs((int64_t[]){4, -1, 13}, 3, 4, 4, mask));
    assert_false(xa__raster_runs((int64_t[]){INT64_MAX, INT64_MAX, 18}, 3, 4, 4, mask));
    assert_false(xa__raster_runs(NULL, 0, 4, 4, mask));
    for (int i = 0; i < 16; i++)
        assert_int_equal(mask[i], 0);
    assert_true(xa__raster_runs((int64_t[]){1, 2, 13}, 3, 4, 4, mask)); /* column by column */
    assert_int_equal(mask[4], 255);
    assert_int_equal(mask[8], 255);
    assert_int_equal(mask[1], 0);
}

/* However far outside or however it folds: nothing outside the mask is touched, and turning the
 * order of the points round changes nothing. */
static void test_wild_polygons(void **state)
{
    (void)state;
    enum { W = 13, H = 9, POINTS = 24 };
    for (uint64_t i = 0; i < 3000; i++) {
        double p[2 * POINTS], q[2 * POINTS];
        uint8_t a[W * H + 2] = {0}, b[W * H + 2] = {0}, toggle[H + 2] = {0};
        const int64_t n = 3 + xa_random_below(7, i, 1000, POINTS - 2);
        const double reach = i % 3 == 0 ? 1e7 : i % 3 == 1 ? 100.0 : 20.0;
        for (int64_t k = 0; k < 2 * n; k++)
            p[k] = (2.0 * xa_random_unit(7, i, (uint64_t)k) - 1.0) * reach;
        for (int64_t k = 0; k < n; k++) {
            q[2 * k] = p[2 * (n - 1 - k)];
            q[2 * k + 1] = p[2 * (n - 1 - k) + 1];
        }
        a[W * H] = b[W * H] = toggle[H + 1] = 77;
        xa__raster_polygon(p, n, W, H, toggle, a);
        xa__raster_polygon(q, n, W, H, toggle, b);
        assert_memory_equal(a, b, sizeof a);
        assert_int_equal(a[W * H], 77);
        assert_int_equal(toggle[H + 1], 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_polygons),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_damaged_runs),
        cmocka_unit_test(test_wild_polygons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
