/* Is an archive of this job: which lines differ, and what is no archive. */
#include "archive/archive_test.h"

static const char *path;

static int setup(void **state)
{
    if (make_folder(state) != 0)
        return 1;
    sample s;
    xa_err err = XA_ERR_INIT;
    static char kept[512];
    snprintf(kept, sizeof kept, "%s/x.h5", folder);
    path = kept;
    xa_schema *schema = sample_schema(&s, 3, 2, 2); /* batch = 4, seed = 1 */
    xa_status st = xa_archive_create(path, schema, &err);
    xa_schema_free(schema);
    return st != XA_OK;
}

static void test_same(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    assert_ok(xa_archive_check_identity(path, "batch = 4\nseed = 1\n", &err), err);
    /* The order and empty lines say nothing. */
    assert_ok(xa_archive_check_identity(path, "\nseed = 1\n\nbatch = 4", &err), err);
}

static void differs(const char *text, const char *words)
{
    xa_err err = XA_ERR_INIT;
    assert_fails(xa_archive_check_identity(path, text, &err), XA_MISMATCH, err, words);
}

static void test_different(void **state)
{
    (void)state;
    differs("batch = 8\nseed = 1\n", "1 differs: batch: archive '4', job '8'");
    differs("batch = 8\nseed = 2\n",
            "2 differ: batch: archive '4', job '8'; seed: archive '1', job");
    differs("batch = 4\n", "1 differs: seed: archive '1', job nothing");
    differs("batch = 4\nseed = 1\nisa = avx2\n", "isa: archive nothing, job 'avx2'");
    differs("batch = 4\nseed = 11\n", "seed: archive '1', job '11'");
    differs("batch = 4\nseed =\n", "2 differ");
    differs("", "2 differ: batch: archive '4', job nothing; seed");
}

/* However much differs, the message keeps its size and its beginning. */
static void test_many(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    xa_str text = {.data = NULL};
    for (int i = 0; i < 200; i++) {
        xa_str_printf(&text, "key%d = ", i);
        for (int k = 0; k < 100; k++)
            xa_str_puts(&text, "v");
        xa_str_puts(&text, "\n");
    }
    assert_false(text.failed);
    assert_fails(xa_archive_check_identity(path, text.data, &err),
                 XA_MISMATCH,
                 err,
                 "202 differ: key0: archive nothing, job vvv");
    assert_true(xa_str_ends(err.message, "; ..."));
    assert_true(strlen(err.message) < 900);
    xa_str_free(&text);
}

static void test_no_archive(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    assert_fails(xa_archive_check_identity(in_folder("none.h5"), "a = 1", &err),
                 XA_NOT_FOUND,
                 err,
                 "none.h5");
    spill(in_folder("text"), "text", 4);
    assert_fails(xa_archive_check_identity(in_folder("text"), "a = 1", &err),
                 XA_FORMAT,
                 err,
                 "no HDF5 file");
    xa_schema *schema = NULL;
    assert_ok(xa_schema_create(&schema, &err), err);
    assert_ok(xa_archive_create(in_folder("bare.h5"), schema, &err), err);
    assert_fails(xa_archive_check_identity(in_folder("bare.h5"), "a = 1", &err),
                 XA_FORMAT,
                 err,
                 "identity_text of / is not there");
    xa_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_different),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_no_archive),
    };
    return cmocka_run_group_tests(tests, setup, remove_folder);
}
