/* Node-shared memory and what takes its place. */
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "comm/mpi_test.h"
#include "comm_internal.h"

typedef struct log_lines {
    int n;
    char last[1024];
} log_lines;

static void keep_line(void *arg, xa_log_level level, const char *message)
{
    log_lines *l = arg;
    assert_int_equal(level, XA_LOG_WARN);
    l->n++;
    snprintf(l->last, sizeof l->last, "%s", message);
}

static unsigned char byte_of(size_t i, int salt)
{
    return (unsigned char)(i * 131u + (i >> 9) + (unsigned)salt);
}

static void fill_and_check(xa_comm *c, xa_shared *s, int salt)
{
    xa_err err = XA_ERR_INIT;
    assert_int_equal((uintptr_t)s->data % 64, 0);
    unsigned char *data = s->data;
    if (s->leader) {
        for (size_t i = 0; i < s->bytes; i++)
            data[i] = byte_of(i, salt);
    }
    assert_ok(xa_shared_ready(c, s, &err), err);
    for (size_t i = 0; i < s->bytes; i++) {
        if (data[i] != byte_of(i, salt))
            assert_int_equal(data[i], byte_of(i, salt));
    }
    assert_ok(xa_comm_barrier(c, &err), err);
}

static void test_shared(void **state)
{
    xa_comm *c = *state;
    static const size_t sizes[] = {1, 63, 64, 4096, 3000001};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        xa_err err = XA_ERR_INIT;
        xa_shared s = {0};
        assert_ok(xa_shared_alloc(c, sizes[k], "the weights", &s, &err), err);
        assert_int_equal(s.bytes, sizes[k]);
        assert_int_equal(s.leader, s.is_private || xa_comm_node_rank(c) == 0);
        fill_and_check(c, &s, (int)k);
        xa_shared_free(c, &s);
        assert_null(s.data);
        assert_null(s.handle);
    }
}

/* One copy: what a rank writes is what the others see. (Only the test may write so late.) */
static void test_one_copy(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    xa_shared s = {0};
    assert_ok(xa_shared_alloc(c, 1 << 20, "the weights", &s, &err), err);
    assert_false(s.is_private);
    fill_and_check(c, &s, 1);
    volatile unsigned char *data = s.data;
    if (xa_comm_node_rank(c) == xa_comm_node_size(c) - 1)
        data[777] = 0xa5;
    assert_ok(xa_shared_ready(c, &s, &err), err);
    assert_ok(xa_comm_barrier(c, &err), err);
    assert_int_equal(data[777], 0xa5);
    xa_shared_free(c, &s);
}

static void check_private(xa_comm *c, uint64_t room, bool want_private)
{
    xa_err err = XA_ERR_INIT;
    xa_shared s = {0};
    log_lines lines = {0};
    xa_log_sink(keep_line, &lines);
    assert_ok(xa__shared_alloc(c, 3 << 20, "the weights", room, &s, &err), err);
    xa_log_sink(NULL, NULL);
    want_private = want_private && xa_comm_node_size(c) > 1;
    assert_int_equal(s.is_private, want_private);
    assert_int_equal(s.leader, want_private || xa_comm_node_rank(c) == 0);
    /* Told once a node, with what to change. */
    assert_int_equal(lines.n, want_private && xa_comm_node_rank(c) == 0 ? 1 : 0);
    if (lines.n > 0) {
        assert_non_null(strstr(lines.last, "/dev/shm"));
        assert_non_null(strstr(lines.last, "--shm-size"));
    }
    fill_and_check(c, &s, 5);
    xa_shared_free(c, &s);
}

static void test_no_room(void **state)
{
    xa_comm *c = *state;
    const uint64_t reserve = ((uint64_t)xa_comm_node_size(c) * 4 + 1) << 20;
    check_private(c, 0, true);
    check_private(c, 3 << 20, true);
    check_private(c, reserve + (3 << 20) - 1, true);
    check_private(c, reserve + (3 << 20), false);
}

/* The real folder: shared where it holds 64 MiB, else private, and no hang (small_shm.sh runs this
 * program where it does not). */
static void test_real_room(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    const size_t bytes = 64 << 20;
    if (xa_comm_node_size(c) == 1)
        return;
    struct statvfs fs;
    assert_int_equal(statvfs("/dev/shm", &fs), 0);
    const uint64_t size = (uint64_t)fs.f_blocks * fs.f_frsize;
    assert_ok(xa_comm_barrier(c, &err), err);
    xa_shared s = {0};
    assert_ok(xa_shared_alloc(c, bytes, "the weights", &s, &err), err);
    if (size < bytes)
        assert_true(s.is_private);
    else if (size > 16 * bytes)
        assert_false(s.is_private);
    unsigned char *data = s.data;
    if (s.leader) {
        for (size_t i = 0; i < bytes; i += 4096)
            data[i] = byte_of(i, 9);
    }
    assert_ok(xa_shared_ready(c, &s, &err), err);
    for (size_t i = 0; i < bytes; i += 4096)
        assert_int_equal(data[i], byte_of(i, 9));
    assert_ok(xa_comm_barrier(c, &err), err);
    xa_shared_free(c, &s);
}

/* A page without memory behind it, as in a memory file system that fills up meanwhile. */
static void test_claim(void **state)
{
    xa_comm *c = *state;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    FILE *f = tmpfile();
    assert_non_null(f);
    assert_int_equal(ftruncate(fileno(f), (off_t)(2 * page)), 0);
    unsigned char *data = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);
    assert_ptr_not_equal(data, MAP_FAILED);
    log_lines lines = {0};
    xa_log_sink(keep_line, &lines);
    assert_true(xa__shared_claim(c, data + 64, 2 * page - 64, "the weights"));
    assert_int_equal(lines.n, 0);
#ifdef MADV_POPULATE_WRITE
    if (madvise(data, page, MADV_POPULATE_WRITE) == 0) {
        assert_false(xa__shared_claim(c, data + 64, 2 * page, "the weights"));
        assert_int_equal(lines.n, 1);
    }
#endif
    xa_log_sink(NULL, NULL);
    munmap(data, 4 * page);
    fclose(f);
}

static void test_refusals(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    xa_shared s = {0};
    assert_int_equal(xa_shared_alloc(c, 0, "the weights", &s, &err), XA_INVALID);
    assert_null(s.handle);
    if (xa_comm_size(c) > 1) {
        const size_t bytes = xa_comm_rank(c) == 0 ? 100 : 200;
        assert_int_equal(xa_shared_alloc(c, bytes, "the weights", &s, &err), XA_MISMATCH);
        assert_non_null(strstr(err.message, "100 to 200"));
    }
    xa_shared_free(c, &s);
    xa_shared_free(c, NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_one_copy),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_real_room),
        cmocka_unit_test(test_claim),
        cmocka_unit_test(test_refusals),
    };
    return mpi_test_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
