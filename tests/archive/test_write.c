/* Writing: all ranks at once, each its rows; what is refused; that nothing but rows changes. */
#include "archive/archive_test.h"

/* A folder that all ranks use, named by rank 0; every rank's `folder` is it. */
static void share_folder(xa_comm *c)
{
    xa_err err = XA_ERR_INIT;
    if (xa_comm_rank(c) == 0)
        assert_int_equal(make_folder(NULL), 0);
    void *data = folder;
    size_t size = sizeof folder;
    if (xa_comm_rank(c) != 0)
        data = NULL;
    assert_ok(xa_comm_broadcast(c, 0, &data, &size, &err), err);
    if (xa_comm_rank(c) != 0) {
        memcpy(folder, data, sizeof folder);
        free(data);
    }
}

static void leave_folder(xa_comm *c)
{
    xa_err err = XA_ERR_INIT;
    assert_ok(xa_comm_barrier(c, &err), err);
    if (xa_comm_rank(c) == 0)
        assert_int_equal(remove_folder(NULL), 0);
}

static void created(xa_comm *c, const char *path, const xa_schema *schema)
{
    xa_err err = XA_ERR_INIT;
    if (xa_comm_rank(c) == 0)
        assert_ok(xa_archive_create(path, schema, &err), err);
    assert_ok(xa_comm_barrier(c, &err), err);
}

/* Rows dealt out like cards; status by rank 0 after all have synced; opened a second time for what
 * was left out. */
static void test_interleaved(void **state)
{
    xa_comm *c = *state;
    const int rank = xa_comm_rank(c), size = xa_comm_size(c);
    xa_err err = XA_ERR_INIT;
    xa_archive *a = NULL;
    sample s;
    share_folder(c);
    const char *path = in_folder("x.h5");
    xa_schema *schema = sample_schema(&s, 101, 16, 16);
    created(c, path, schema);
    for (int half = 0; half < 2; half++) {
        assert_ok(xa_archive_open(path, c, XA_WRITERS_ALL, schema, &a, &err), err);
        uint8_t status[101];
        assert_ok(xa_archive_read(a, "/models/net/status", 0, s.n, status, &err), err);
        for (int64_t row = rank; row < s.n; row += size) {
            assert_int_equal(status[row], half == 1 && row % 2 == 0 ? XA_SAMPLE_DONE : 0);
            if (row % 2 == half)
                assert_ok(sample_write(a, &s, row, &err), err);
        }
        assert_ok(xa_archive_sync(a, &err), err);
        assert_ok(xa_archive_sync(a, &err), err);
        assert_ok(xa_comm_barrier(c, &err), err);
        if (rank == 0) {
            for (int64_t row = half; row < s.n; row += 2) {
                const uint8_t done = XA_SAMPLE_DONE;
                assert_ok(xa_archive_write(a, s.status, row, 1, &done, &err), err);
            }
            assert_ok(xa_archive_sync(a, &err), err);
        }
        assert_ok(xa_archive_close(a, &err), err);
        int64_t done = 0, bad = 0;
        if (rank == 0) {
            sample_check(path, &s, &done, &bad);
            assert_int_equal(done, half == 0 ? 51 : 101);
            assert_int_equal(bad, 0);
        }
        assert_ok(xa_comm_barrier(c, &err), err);
    }
    xa_schema_free(schema);
    leave_folder(c);
}

/* Several rows at once, text too, no rows, and rows that are not there. */
static void test_rows(void **state)
{
    xa_comm *c = *state;
    const int rank = xa_comm_rank(c), size = xa_comm_size(c);
    xa_err err = XA_ERR_INIT;
    xa_archive *a = NULL;
    sample s;
    share_folder(c);
    const char *path = in_folder("x.h5");
    xa_schema *schema = sample_schema(&s, (int64_t)size * 4, 2, 2);
    created(c, path, schema);
    assert_ok(xa_archive_open(path, c, XA_WRITERS_ALL, schema, &a, &err), err);
    char texts[4][SAMPLE_MESSAGE];
    double scores[4];
    for (int i = 0; i < 4; i++) {
        char text[64];
        snprintf(
            text, sizeof text, "rank %d \xc3\xa9 %d, and more than there is room for", rank, i);
        xa_text_put(text, texts[i], SAMPLE_MESSAGE);
        scores[i] = rank + i / 8.0;
    }
    const int64_t first = (int64_t)rank * 4;
    assert_ok(xa_archive_write(a, s.message, first, 4, texts, &err), err);
    assert_ok(xa_archive_write(a, s.score, first, 4, scores, &err), err);
    assert_ok(xa_archive_write(a, s.score, s.n, 0, scores, &err), err);
    assert_ok(xa_archive_write(a, s.box, 0, 0, scores, &err), err);
    assert_fails(
        xa_archive_write(a, s.score, s.n - 1, 2, scores, &err), XA_INVALID, err, "pointing game");
    assert_fails(xa_archive_write(a, s.score, -1, 1, scores, &err), XA_INVALID, err, "row -1");
    assert_fails(xa_archive_write(a, 99, 0, 1, scores, &err), XA_INVALID, err, "no field 99");
    assert_fails(xa_archive_write(a, -1, 0, 1, scores, &err), XA_INVALID, err, "no field -1");
    assert_ok(xa_archive_close(a, &err), err);
    assert_ok(xa_comm_barrier(c, &err), err);
    /* Every rank reads what its neighbour wrote. */
    const int other = (rank + 1) % size;
    char row[SAMPLE_MESSAGE + 1] = "", expected[64];
    double score = 0;
    assert_ok(xa_archive_open_read(path, &a, &err), err);
    assert_ok(xa_archive_read(a, "/models/net/message", other * 4 + 3, 1, row, &err), err);
    snprintf(expected, sizeof expected, "rank %d \xc3\xa9 3, and more th", other);
    assert_int_equal(strncmp(row, expected, SAMPLE_MESSAGE), 0);
    assert_ok(xa_archive_read(
                  a, "/localisation/net/saliency/pointing game", other * 4 + 1, 1, &score, &err),
              err);
    assert_true(score == other + 1 / 8.0);
    assert_ok(xa_archive_close(a, &err), err);
    xa_schema_free(schema);
    leave_folder(c);
}

/* All ranks leave with the same refusal. */
static void test_refusals(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    xa_archive *a = NULL;
    sample s, other;
    share_folder(c);
    const char *path = in_folder("x.h5");
    xa_schema *schema = sample_schema(&s, 12, 2, 2);
    assert_fails(xa_archive_open(in_folder("none.h5"), c, XA_WRITERS_ALL, schema, &a, &err),
                 XA_NOT_FOUND,
                 err,
                 "none.h5");
    created(c, path, schema);
    if (xa_comm_rank(c) == 0)
        spill(in_folder("text.h5"), "text, not HDF5", 14);
    assert_ok(xa_comm_barrier(c, &err), err);
    assert_fails(xa_archive_open(in_folder("text.h5"), c, XA_WRITERS_ALL, schema, &a, &err),
                 XA_FORMAT,
                 err,
                 "no HDF5 file");
    xa_schema *larger = sample_schema(&other, 13, 2, 2);
    assert_fails(xa_archive_open(path, c, XA_WRITERS_ALL, larger, &a, &err),
                 XA_MISMATCH,
                 err,
                 "/samples/id is str [12] of 5 bytes, expected str [13] of 5 bytes");
    xa_schema_free(larger);
    larger = sample_schema(&other, 12, 2, 2);
    (void)add_field(
        larger,
        (xa_field_spec){
            .kind = XA_FIELD_RUN_SECONDS, .type = XA_TYPE_COUNT, .ndim = 1, .dim = {12}});
    assert_fails(xa_archive_open(path, c, XA_WRITERS_ALL, larger, &a, &err),
                 XA_MISMATCH,
                 err,
                 "has no dataset /run/seconds");
    xa_schema_free(larger);
    /* It still opens for its own job, and for one that knows less of it. */
    xa_schema *smaller = NULL;
    assert_ok(xa_schema_create(&smaller, &err), err);
    assert_ok(xa_archive_open(path, c, XA_WRITERS_ALL, smaller, &a, &err), err);
    assert_ok(xa_archive_close(a, &err), err);
    assert_ok(xa_archive_open(path, c, XA_WRITERS_ALL, schema, &a, &err), err);
    assert_ok(xa_archive_close(a, &err), err);
    assert_ok(xa_archive_close(NULL, &err), err);
    xa_schema_free(smaller);
    xa_schema_free(schema);
    leave_folder(c);
}

/* Opened for writing, written and closed: the file's size is the same and nothing but the rows has
 * changed, so that no kill can leave HDF5's structures half written. */
static void test_no_metadata_written(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    xa_archive *a = NULL;
    sample s;
    size_t before = 0, after = 0, changed = 0;
    char *old = NULL;
    share_folder(c);
    const char *path = in_folder("x.h5");
    xa_schema *schema = sample_schema(&s, 12, 2, 2);
    created(c, path, schema);
    if (xa_comm_rank(c) == 0)
        old = slurp(path, &before);
    assert_ok(xa_comm_barrier(c, &err), err);
    assert_ok(xa_archive_open(path, c, XA_WRITERS_ALL, schema, &a, &err), err);
    const double score = 0.1;
    if (xa_comm_rank(c) == xa_comm_size(c) - 1)
        assert_ok(xa_archive_write(a, s.score, 7, 1, &score, &err), err);
    assert_ok(xa_archive_close(a, &err), err);
    if (xa_comm_rank(c) == 0) {
        char *new = slurp(path, &after);
        assert_int_equal(after, before);
        size_t first = 0;
        for (size_t i = 0; i < before; i++) {
            if (old[i] == new[i])
                continue;
            first = changed++ == 0 ? i : first;
            assert_true(i < first + 8);
        }
        assert_in_range(changed, 1, 8);
        free(new);
        free(old);
    }
    xa_schema_free(schema);
    leave_folder(c);
}

static void test_alone(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    xa_archive *a = NULL;
    sample s;
    share_folder(c);
    /* comm NULL: each rank its own archive with the serial driver. */
    char name[32];
    snprintf(name, sizeof name, "%d.h5", xa_comm_rank(c));
    const char *path = in_folder(name);
    xa_schema *schema = sample_schema(&s, 9, 4, 4);
    assert_ok(xa_archive_create(path, schema, &err), err);
    assert_ok(xa_archive_open(path, NULL, XA_WRITERS_ALL, schema, &a, &err), err);
    const uint8_t done = XA_SAMPLE_DONE;
    for (int64_t row = 0; row < s.n; row++) {
        assert_ok(sample_write(a, &s, row, &err), err);
        assert_ok(xa_archive_write(a, s.status, row, 1, &done, &err), err);
    }
    /* Before it is synced or closed: the serial driver keeps nothing back either. */
    int64_t ndone = 0, bad = 0;
    sample_check(path, &s, &ndone, &bad);
    assert_int_equal(ndone, 9);
    assert_int_equal(bad, 0);
    assert_ok(xa_archive_sync(a, &err), err);
    assert_ok(xa_archive_close(a, &err), err);
    xa_schema_free(schema);
    leave_folder(c);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interleaved),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_metadata_written),
        cmocka_unit_test(test_alone),
    };
    return mpi_test_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
