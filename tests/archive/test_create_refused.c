/* Creating where it cannot be: refusals, limits, and what is left behind. */
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

static void test_refusals(void **state)
{
    (void)state;
    sample s;
    xa_err err = XA_ERR_INIT;
    xa_schema *schema = sample_schema(&s, 5, 3, 4);
    const char *path = in_folder("precious.h5");
    spill(path, "precious", 8);
    assert_fails(
        xa_archive_create(path, schema, &err), XA_BUSY, err, "precious.h5: exists already");
    size_t size = 0;
    char *bytes = slurp(path, &size);
    assert_int_equal(size, 8);
    assert_memory_equal(bytes, "precious", 8);
    free(bytes);
    assert_int_equal(unlink(path), 0);
    /* A link to nowhere is a name that is taken, too. */
    assert_int_equal(symlink("nowhere", path), 0);
    assert_fails(xa_archive_create(path, schema, &err), XA_BUSY, err, "exists already");
    assert_int_equal(unlink(path), 0);
    assert_fails(xa_archive_create(in_folder("none/x.h5"), schema, &err),
                 XA_NOT_FOUND,
                 err,
                 "in the folder");
    spill(path, "file", 4);
    assert_fails(xa_archive_create(in_folder("precious.h5/x.h5"), schema, &err),
                 XA_IO,
                 err,
                 "is not a folder");
    assert_int_equal(unlink(path), 0);
    assert_fails(xa_archive_create(in_folder(""), schema, &err), XA_INVALID, err, "is no name");
    assert_fails(xa_archive_create("", schema, &err), XA_INVALID, err, "is no name");
    assert_int_equal(entries_in(folder), 0);
    xa_schema_free(schema);
}

/* Runs `body` in a child process: it may give up rights and set limits. Its exit code. */
static int in_child(int (*body)(const xa_schema *schema), const xa_schema *schema)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(body(schema));
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int create_unwritable(const xa_schema *schema)
{
    xa_err err = XA_ERR_INIT;
    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 1;
    xa_status st = xa_archive_create(in_folder("locked/x.h5"), schema, &err);
    if (st != XA_IO || strstr(err.message, "cannot write to the folder") == NULL) {
        print_error("%s: %s\n", xa_status_name(st), err.message);
        return 2;
    }
    return 0;
}

static void test_unwritable(void **state)
{
    (void)state;
    sample s;
    xa_schema *schema = sample_schema(&s, 5, 3, 4);
    const char *locked = in_folder("locked");
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(mkdir(locked, 0555), 0);
    assert_int_equal(in_child(create_unwritable, schema), 0);
    assert_int_equal(entries_in(locked), 0);
    assert_int_equal(rmdir(locked), 0);
    xa_schema_free(schema);
}

static int create_limited(const xa_schema *schema)
{
    xa_err err = XA_ERR_INIT;
    const struct rlimit most = {.rlim_cur = 100000, .rlim_max = 100000};
    if (setrlimit(RLIMIT_FSIZE, &most) != 0)
        return 1;
    xa_status st = xa_archive_create(in_folder("x.h5"), schema, &err);
    if (st != XA_NOSPACE || strstr(err.message, "ulimit -f") == NULL) {
        print_error("%s: %s\n", xa_status_name(st), err.message);
        return 2;
    }
    return 0;
}

static void test_file_size_limit(void **state)
{
    (void)state;
    sample s;
    xa_schema *schema = sample_schema(&s, 300, 40, 40);
    assert_int_equal(in_child(create_limited, schema), 0);
    assert_int_equal(entries_in(folder), 0);
    xa_schema_free(schema);
}

static void test_beyond_any_disk(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    xa_schema *schema = NULL;
    assert_ok(xa_schema_create(&schema, &err), err);
    for (int i = 0; i < 2; i++)
        (void)add_field(
            schema,
            (xa_field_spec){.kind = i == 0 ? XA_FIELD_MODEL_LOGITS : XA_FIELD_MODEL_PROBS,
                            .model = "m",
                            .type = XA_TYPE_COUNT,
                            .ndim = 2,
                            .dim = {(int64_t)1 << 52, 100}});
    xa_status st = xa_archive_create(in_folder("x.h5"), schema, &err);
    assert_true(st == XA_NOSPACE || st == XA_LIMIT);
    assert_int_equal(entries_in(folder), 0);
    xa_schema_free(schema);
}

/* Temporary files of killed processes go, those of living ones and of other hosts stay. */
static void test_stale_temporaries(void **state)
{
    (void)state;
    sample s;
    xa_err err = XA_ERR_INIT;
    char host[200];
    char name[400];
    assert_int_equal(gethostname(host, sizeof host), 0);
    pid_t dead = fork();
    assert_true(dead >= 0);
    if (dead == 0)
        _exit(0);
    assert_int_equal(waitpid(dead, NULL, 0), dead);
    const struct {
        const char *host;
        long pid;
        bool stays;
    } cases[] = {
        {host, (long)dead, false}, {host, (long)getppid(), true}, {"elsewhere", dead, true}};
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "x.h5.tmp-%s-%ld", cases[i].host, cases[i].pid);
        spill(in_folder(name), "", 0);
    }
    xa_schema *schema = sample_schema(&s, 5, 3, 4);
    assert_ok(xa_archive_create(in_folder("x.h5"), schema, &err), err);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "x.h5.tmp-%s-%ld", cases[i].host, cases[i].pid);
        assert_int_equal(access(in_folder(name), F_OK) == 0, cases[i].stays);
        if (cases[i].stays)
            assert_int_equal(unlink(in_folder(name)), 0);
    }
    assert_int_equal(unlink(in_folder("x.h5")), 0);
    assert_int_equal(entries_in(folder), 0);
    xa_schema_free(schema);
}

/* Another run was faster: its file stays as it is. */
static void test_publish_never_replaces(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    const char *temp = in_folder("temp");
    const char *path = in_folder("final");
    spill(temp, "mine", 4);
    spill(path, "other", 5);
    assert_fails(xa__publish(temp, path, &err), XA_BUSY, err, "appeared meanwhile");
    size_t size = 0;
    char *bytes = slurp(path, &size);
    assert_memory_equal(bytes, "other", 5);
    free(bytes);
    assert_int_equal(unlink(path), 0);
    assert_ok(xa__publish(temp, path, &err), err);
    bytes = slurp(path, &size);
    assert_memory_equal(bytes, "mine", 4);
    free(bytes);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(entries_in(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_file_size_limit),
        cmocka_unit_test(test_beyond_any_disk),
        cmocka_unit_test(test_stale_temporaries),
        cmocka_unit_test(test_publish_never_replaces),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
