/* A million lines, in time that grows with the lines and not with their square. */
#include "manifest_reading.h"

/* `n` lines of n / 2 samples, a sample's second line far from its first. Returns CPU seconds. */
static double read_lines(int64_t n)
{
    char path[64];
    write_temporary(path, "", 0);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fprintf(f, "path,label,x0,y0,x1,y1,split,patient\n");
    for (int64_t i = 0; i < n; i++) {
        const long long k = (long long)(i % (n / 2));
        fprintf(f,
                "train/n%04lld/image_%08lld.JPEG,%lld,%lld,5,%lld.5,90,train,p%lld\n",
                k % 1000,
                k,
                k % 1000,
                k % 50,
                k % 50 + (i < n / 2 ? 10 : 20),
                k / 10);
    }
    assert_int_equal(fclose(f), 0);
    xa_manifest *m = NULL;
    xa_problems p = {0};
    const double start = xa_cpu_time();
    assert_int_equal(xa_manifest_read(path, NULL, &m, &p, NULL), XA_OK);
    const double seconds = xa_cpu_time() - start;
    unlink(path);
    assert_int_equal(p.count, 0);
    assert_int_equal(m->count, n / 2);
    assert_int_equal(m->max_class, 999);
    for (int64_t i = 0; i < m->count; i++) {
        const xa_sample *s = &m->samples[i];
        assert_int_equal(s->labels[0], i % 1000);
        assert_int_equal(s->nannotations, 2);
        assert_true(s->annotations[0].x1 == (double)(i % 50) + 10.5);
        assert_true(s->annotations[1].x1 == (double)(i % 50) + 20.5);
    }
    xa_manifest_free(m);
    xa_problems_fini(&p);
    return seconds;
}

static void test_large(void **state)
{
    (void)state;
    const double small = read_lines(100000);
    const double large = read_lines(1000000);
    print_message("%.2f s for 100 000 lines, %.2f s for 1 000 000\n", small, large);
    /* Ten times the lines: about ten times the time; a square would take a hundred. */
    assert_true(large < 40.0 * small + 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
