/* Creating: contents, layout, texts and attributes of all sizes, and that it prints nothing. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "archive/archive_test.h"
#include "archive_internal.h"

static int entries_in(const char *path)
{
    DIR *dir = opendir(path);
    assert_non_null(dir);
    int n = 0;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        n += entry->d_name[0] != '.';
    assert_int_equal(closedir(dir), 0);
    return n;
}

static void test_contents(void **state)
{
    (void)state;
    sample s;
    xa_err err = XA_ERR_INIT;
    xa_schema *schema = sample_schema(&s, 5, 3, 4);
    const char *path = in_folder("contents.h5");
    assert_ok(xa_archive_create(path, schema, &err), err);
    assert_int_equal(entries_in(folder), 1);

    xa_archive *a = NULL;
    xa_dataset_info info;
    void *data = NULL;
    assert_ok(xa_archive_open_read(path, &a, &err), err);
    assert_ok(xa_archive_read_all(a, "/samples/id", &info, &data, &err), err);
    assert_int_equal(info.type, XA_TYPE_STR);
    assert_int_equal(info.item_bytes, 5);
    assert_memory_equal(data, "plain\xc3\xa9t\xc3\xa9\0\0\0\0\0\xe7\x8c\xab\0\0plain", 25);
    free(data);
    assert_ok(xa_archive_read_all(a, "/models/net/logits", &info, &data, &err), err);
    assert_int_equal(info.ndim, 2);
    for (int i = 0; i < 15; i++)
        assert_true(isnan(((float *)data)[i]));
    free(data);
    assert_ok(xa_archive_read_all(a, "/models/net/predicted", &info, &data, &err), err);
    for (int i = 0; i < 5; i++)
        assert_int_equal(((int32_t *)data)[i], -1);
    free(data);
    assert_ok(
        xa_archive_read_all(a, "/localisation/net/saliency/pointing game", &info, &data, &err),
        err);
    assert_int_equal(info.type, XA_TYPE_F64);
    for (int i = 0; i < 5; i++)
        assert_true(isnan(((double *)data)[i]));
    free(data);
    assert_ok(xa_archive_read_all(a, "/models/net/status", &info, &data, &err), err);
    assert_memory_equal(data, "\0\0\0\0\0", 5);
    free(data);
    assert_ok(xa_archive_read_all(a, "/maps/net/saliency/sample", &info, &data, &err), err);
    for (int i = 0; i < 5; i++)
        assert_int_equal(((int64_t *)data)[i], i);
    free(data);
    /* No rows at all. */
    assert_ok(xa_archive_read_all(a, "/samples/annotations/box", &info, &data, &err), err);
    assert_int_equal(info.dim[0], 0);
    assert_int_equal(info.dim[1], 4);
    free(data);

    char *text = NULL;
    assert_ok(xa_archive_attr_text(a, "/", "format", &text, &err), err);
    assert_string_equal(text, "xaudit");
    free(text);
    assert_ok(xa_archive_attr_text(a, "/", "format_version", &text, &err), err);
    assert_string_equal(text, "1.2");
    free(text);
    assert_ok(xa_archive_attr_text(a, "/", "created", &text, &err), err);
    assert_int_equal(strlen(text), strlen("2026-01-31T12:00:00Z"));
    free(text);
    assert_ok(xa_archive_attr_text(a, "/maps/net/saliency", "read_as", &text, &err), err);
    assert_string_equal(text, "values*scale");
    free(text);
    assert_ok(xa_archive_close(a, &err), err);
    assert_int_equal(unlink(path), 0);
    xa_schema_free(schema);
}

/* Every dataset says its unit and what it is; none of them is filtered, chunked or time-stamped. */
static xa_status visit(void *arg, const xa_dataset_info *info, xa_err *err)
{
    xa_archive *a = ((void **)arg)[0];
    int *count = ((void **)arg)[1];
    char *text = NULL;
    xa_status st = XA_OK;
    XA_TRY(err, xa_archive_attr_text(a, info->path, "unit", &text, err));
    assert_non_null(text);
    free(text);
    XA_TRY(err, xa_archive_attr_text(a, info->path, "description", &text, err));
    assert_true(text != NULL && strlen(text) > 3);
    free(text);
    hid_t dataset = H5Dopen2(a->file, info->path, H5P_DEFAULT);
    hid_t plist = H5Dget_create_plist(dataset);
    H5D_alloc_time_t time;
    H5D_fill_time_t fill;
    H5O_info_t about;
    assert_int_equal(H5Pget_layout(plist), H5D_CONTIGUOUS);
    assert_int_equal(H5Pget_nfilters(plist), 0);
    assert_true(H5Pget_alloc_time(plist, &time) >= 0 && time == H5D_ALLOC_TIME_EARLY);
    assert_true(H5Pget_fill_time(plist, &fill) >= 0 && fill == H5D_FILL_TIME_NEVER);
    assert_true(H5Oget_info2(dataset, &about, H5O_INFO_TIME) >= 0 && about.mtime == 0);
    if (info->dim[0] > 0)
        assert_true(H5Dget_offset(dataset) != HADDR_UNDEF);
    H5Pclose(plist);
    H5Dclose(dataset);
    ++*count;
done:
    return st;
}

static void test_layout(void **state)
{
    (void)state;
    sample s;
    xa_err err = XA_ERR_INIT;
    xa_schema *schema = sample_schema(&s, 5, 3, 4);
    const char *path = in_folder("layout.h5");
    xa_archive *a = NULL;
    int count = 0;
    assert_ok(xa_archive_create(path, schema, &err), err);
    assert_ok(xa_archive_open_read(path, &a, &err), err);
    void *arg[] = {a, &count};
    assert_ok(xa_archive_walk(a, visit, arg, &err), err);
    assert_int_equal(count, schema->nfields);
    assert_ok(xa_archive_close(a, &err), err);
    assert_int_equal(unlink(path), 0);
    xa_schema_free(schema);
}

/* The whole size is on the disk, not only promised; and the same schema gives the same file, but
 * for the time in it. */
static void test_allocated_and_deterministic(void **state)
{
    (void)state;
    sample s;
    xa_err err = XA_ERR_INIT;
    struct stat info;
    xa_schema *schema = sample_schema(&s, 300, 40, 40);
    assert_ok(xa_schema_attr_text(schema, "/", "created", "then", &err), err);
    char *bytes[2];
    size_t size[2];
    for (int i = 0; i < 2; i++) {
        const char *path = in_folder("twice.h5");
        assert_ok(xa_archive_create(path, schema, &err), err);
        assert_int_equal(stat(path, &info), 0);
        assert_true(info.st_size > 300 * 40 * 40 * 2);
        assert_true((int64_t)info.st_blocks * 512 >= (int64_t)info.st_size);
        bytes[i] = slurp(path, &size[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    free(bytes[0]);
    free(bytes[1]);
    xa_schema_free(schema);
}

/* A text of the archive is an attribute, or a dataset where it is too long for one; an archive is
 * resumed whatever the length of today's text. */
static void test_texts_of_all_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 5, 65000, 65001, 3000000};
    xa_err err = XA_ERR_INIT;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        xa_schema *schema = NULL, *later = NULL;
        xa_archive *a = NULL;
        xa_dataset_info info;
        sample s;
        char *text = malloc(sizes[i] + 1), *found = NULL, name[32];
        assert_non_null(text);
        for (size_t k = 0; k < sizes[i]; k++)
            text[k] = (char)('a' + k % 26);
        text[sizes[i]] = '\0';
        schema = sample_schema(&s, 3, 2, 2);
        later = sample_schema(&s, 3, 2, 2);
        assert_ok(xa_schema_text(schema, XA_FIELD_JOB_TEXT, text, &err), err);
        assert_ok(xa_schema_text(later, XA_FIELD_JOB_TEXT, i % 2 ? "short" : text, &err), err);
        snprintf(name, sizeof name, "text%zu.h5", i);
        const char *path = in_folder(name);
        assert_ok(xa_archive_create(path, schema, &err), err);
        assert_ok(xa_archive_open_read(path, &a, &err), err);
        assert_ok(xa_archive_text(a, XA_FIELD_JOB_TEXT, &found, &err), err);
        assert_string_equal(found, text);
        assert_int_equal(xa_archive_dataset(a, "/job", &info, NULL) == XA_OK, sizes[i] > 65000);
        free(found);
        found = NULL;
        assert_ok(xa_archive_attr_text(a, "/", "job", &found, &err), err);
        assert_int_equal(found != NULL, sizes[i] <= 65000);
        free(found);
        assert_ok(xa_archive_close(a, &err), err);
        assert_ok(xa_archive_open(path, NULL, XA_WRITERS_ALL, later, &a, &err), err);
        assert_ok(xa_archive_close(a, &err), err);
        assert_int_equal(unlink(path), 0);
        xa_schema_free(schema);
        xa_schema_free(later);
        free(text);
    }
    xa_schema *schema = NULL;
    assert_ok(xa_schema_create(&schema, &err), err);
    assert_fails(xa_schema_text(schema, XA_FIELD_SAMPLE_ID, "x", &err), XA_INVALID, err, "no text");
    xa_schema_free(schema);
}

/* The limits that the schema promises hold in HDF5. */
static void test_attributes_of_all_sizes(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    xa_schema *schema = NULL;
    xa_archive *a = NULL;
    char *longest = malloc(65001);
    assert_non_null(longest);
    memset(longest, 'j', 65000);
    longest[65000] = '\0';
    static const char *const names[] = {"cat", "\xe7\x8c\xab", "", "ocelot"};
    const double numbers[] = {1.5, -2};
    assert_ok(xa_schema_create(&schema, &err), err);
    assert_ok(xa_schema_attr_text(schema, "/", "job", longest, &err), err);
    assert_ok(xa_schema_attr_text(schema, "/", "empty", "", &err), err);
    assert_ok(xa_schema_attr_texts(schema, "/models/m", "names", names, 4, &err), err);
    assert_ok(xa_schema_attr_texts(schema, "/models/m", "none", NULL, 0, &err), err);
    assert_ok(xa_schema_attr_i64(schema, "/models/m", "batch", -7, &err), err);
    assert_ok(xa_schema_attr_f64(schema, "/models/m", "one", numbers, 1, &err), err);
    assert_ok(xa_schema_attr_f64(schema, "/models/m", "two", numbers, 2, &err), err);
    const char *path = in_folder("attributes.h5");
    assert_ok(xa_archive_create(path, schema, &err), err);
    assert_ok(xa_archive_open_read(path, &a, &err), err);
    char *text = NULL;
    char **list = NULL;
    int64_t n = 0;
    double values[2];
    assert_ok(xa_archive_attr_text(a, "/", "job", &text, &err), err);
    assert_string_equal(text, longest);
    free(text);
    assert_ok(xa_archive_attr_text(a, "/", "empty", &text, &err), err);
    assert_string_equal(text, "");
    free(text);
    assert_ok(xa_archive_attr_text(a, "/", "absent", &text, &err), err);
    assert_null(text);
    assert_ok(xa_archive_attr_texts(a, "/models/m", "names", &list, &n, &err), err);
    assert_int_equal(n, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(list[i], names[i]);
        free(list[i]);
    }
    free(list);
    assert_ok(xa_archive_attr_texts(a, "/models/m", "none", &list, &n, &err), err);
    assert_int_equal(n, 0);
    free(list);
    assert_ok(xa_archive_attr_texts(a, "/models/m", "absent", &list, &n, &err), err);
    assert_null(list);
    assert_ok(xa_archive_attr_f64(a, "/models/m", "batch", values, 2, &n, &err), err);
    assert_int_equal(n, 1);
    assert_true(values[0] == -7);
    assert_ok(xa_archive_attr_f64(a, "/models/m", "two", values, 2, &n, &err), err);
    assert_int_equal(n, 2);
    assert_true(values[0] == 1.5 && values[1] == -2);
    assert_fails(xa_archive_attr_f64(a, "/models/m", "two", values, 1, &n, &err),
                 XA_LIMIT,
                 err,
                 "holds 2 numbers, expected 1 at most");
    assert_fails(xa_archive_attr_f64(a, "/models/m", "names", values, 2, &n, &err),
                 XA_FORMAT,
                 err,
                 "is not a number");
    assert_fails(xa_archive_attr_text(a, "/models/m", "batch", &text, &err),
                 XA_FORMAT,
                 err,
                 "is not a text");
    assert_fails(xa_archive_attr_text(a, "/models/x", "batch", &text, &err),
                 XA_NOT_FOUND,
                 err,
                 "no group or dataset /models/x");
    assert_ok(xa_archive_close(a, &err), err);
    assert_int_equal(unlink(path), 0);
    xa_schema_free(schema);
    free(longest);
}

static int printed;
static herr_t count_print(hid_t stack, void *arg)
{
    (void)stack;
    (void)arg;
    printed++;
    return 0;
}

/* HDF5's printing is off inside, and as it was outside; MPI is not needed and not started. */
static void test_quiet_and_alone(void **state)
{
    (void)state;
    sample s;
    xa_err err = XA_ERR_INIT;
    xa_archive *a = NULL;
    H5E_auto2_t now = NULL;
    void *arg = NULL;
    int there = 1;
    xa_schema *schema = sample_schema(&s, 5, 3, 4);
    const char *path = in_folder("x.h5");
    assert_true(H5Eset_auto2(H5E_DEFAULT, count_print, NULL) >= 0);
    assert_ok(xa_archive_create(path, schema, &err), err);
    assert_ok(xa_archive_open_read(path, &a, &err), err);
    xa_dataset_info info;
    assert_fails(
        xa_archive_dataset(a, "/none", &info, &err), XA_NOT_FOUND, err, "no dataset /none");
    assert_ok(xa_archive_close(a, &err), err);
    assert_true(H5Eget_auto2(H5E_DEFAULT, &now, &arg) >= 0);
    assert_true(now == count_print);
    assert_int_equal(printed, 0);
    assert_true(H5Dopen2(-1, "/none", H5P_DEFAULT) < 0);
    assert_int_equal(printed, 1); /* the counter counts */
    assert_int_equal(MPI_Initialized(&there), MPI_SUCCESS);
    assert_false(there);
    assert_int_equal(unlink(path), 0);
    xa_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_allocated_and_deterministic),
        cmocka_unit_test(test_texts_of_all_sizes),
        cmocka_unit_test(test_attributes_of_all_sizes),
        cmocka_unit_test(test_quiet_and_alone),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
