/* Full disks and file systems that cannot reserve room, on small ones of our own.
 *
 * They are mounted in a mount namespace of this process, so nothing is left of them. Where the
 * system allows no mounts these tests are skipped, and say so. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "archive/archive_test.h"

static bool may_mount;

static void write_line(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    if (fd >= 0) {
        ssize_t n = write(fd, text, strlen(text));
        (void)n; /* the mount that follows tells */
        close(fd);
    }
}

/* A namespace with mounts of our own: as root, or as a user who is root in it. */
static bool enter_namespace(void)
{
    char map[64];
    const unsigned uid = getuid(), gid = getgid();
    if (unshare(CLONE_NEWNS) != 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
            return false;
        write_line("/proc/self/setgroups", "deny");
        snprintf(map, sizeof map, "0 %u 1", uid);
        write_line("/proc/self/uid_map", map);
        snprintf(map, sizeof map, "0 %u 1", gid);
        write_line("/proc/self/gid_map", map);
    }
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* Mounts a file system at `folder`, or skips the test. */
static void mounted(const char *kind, const char *options)
{
    assert_int_equal(make_folder(NULL), 0);
    if (!may_mount || mount("none", folder, kind, 0, options) != 0) {
        int cause = errno;
        assert_int_equal(remove_folder(NULL), 0);
        print_error("SKIPPED, NOT TESTED: a full disk; this system lets us mount no %s (%s)\n",
                    kind,
                    may_mount ? strerror(cause) : "no namespaces");
        skip();
    }
}

static void unmounted(void)
{
    assert_int_equal(umount(folder), 0);
    assert_int_equal(remove_folder(NULL), 0);
}

static int entries(void)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int n = 0;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        n += entry->d_name[0] != '.';
    assert_int_equal(closedir(dir), 0);
    return n;
}

/* Fills the disk but for `left` bytes. */
static void fill(int64_t left)
{
    struct statvfs info;
    assert_int_equal(statvfs(folder, &info), 0);
    const int64_t bytes = (int64_t)(info.f_bavail * info.f_frsize) - left;
    assert_true(bytes > 0);
    int fd = open(in_folder("filler"), O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(posix_fallocate(fd, 0, bytes), 0);
    close(fd);
}

static void test_create_without_room(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    sample s;
    mounted("tmpfs", "size=4m");
    xa_schema *schema = sample_schema(&s, 4000, 70, 70); /* 39 MB */
    char path[512];
    snprintf(path, sizeof path, "%s", in_folder("x.h5"));
    assert_fails(xa_archive_create(path, schema, &err), XA_NOSPACE, err, "MB, its file system has");
    assert_non_null(strstr(err.message, "x.h5: the archive needs 39."));
    assert_int_equal(entries(), 0);
    xa_schema_free(schema);
    /* A small one, and less and less room, down to none at all. */
    schema = sample_schema(&s, 40, 40, 40); /* 140 KB */
    for (int64_t left = 128 << 10; left >= 0; left -= 16 << 10) {
        fill(left);
        assert_fails(xa_archive_create(path, schema, &err), XA_NOSPACE, err, "the archive needs");
        assert_int_equal(entries(), 1);
        assert_int_equal(unlink(in_folder("filler")), 0);
    }
    assert_ok(xa_archive_create(path, schema, &err), err);
    assert_int_equal(entries(), 1);
    xa_schema_free(schema);
    unmounted();
}

/* Room that was reserved is ours: the rows are written though the disk is full. */
static void test_reserved_room_stays(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    sample s;
    xa_archive *a = NULL;
    int64_t done = 0, bad = 0;
    mounted("tmpfs", "size=4m");
    xa_schema *schema = sample_schema(&s, 200, 40, 40);
    const char *path = in_folder("x.h5");
    assert_ok(xa_archive_create(path, schema, &err), err);
    fill(0);
    assert_ok(xa_archive_open(path, c, XA_WRITERS_ALL, schema, &a, &err), err);
    for (int64_t row = 0; row < s.n; row++)
        assert_ok(sample_write(a, &s, row, &err), err);
    uint8_t status[200];
    memset(status, XA_SAMPLE_DONE, sizeof status);
    assert_ok(xa_archive_sync(a, &err), err);
    assert_ok(xa_archive_write(a, s.status, 0, s.n, status, &err), err);
    assert_ok(xa_archive_sync(a, &err), err);
    assert_ok(xa_archive_close(a, &err), err);
    sample_check(path, &s, &done, &bad);
    assert_int_equal(done, 200);
    assert_int_equal(bad, 0);
    xa_schema_free(schema);
    unmounted();
}

/* The disk fills up in the middle of a run whose room could not be reserved (here: is taken back).
 * The failing write says so, the file closes and opens, and what was written before is whole. */
static void full_in_the_middle(xa_comm *c)
{
    xa_err err = XA_ERR_INIT;
    sample s;
    xa_archive *a = NULL;
    xa_dataset_info info;
    int64_t done = 0, bad = 0;
    mounted("tmpfs", "size=4m");
    xa_schema *schema = sample_schema(&s, 200, 64, 64); /* 8 KiB a map, two pages */
    const char *path = in_folder("x.h5");
    assert_ok(xa_archive_create(path, schema, &err), err);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    /* 256 KiB in the middle of the maps, which are nearly all of the file's 1.6 MB. */
    assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 1 << 18),
                     0);
    close(fd);
    fill(0);
    assert_ok(xa_archive_open(path, c, XA_WRITERS_ALL, schema, &a, &err), err);
    int64_t written = 0, failed = 0;
    for (int64_t row = 0; row < s.n; row++) {
        xa_status st = sample_write(a, &s, row, &err);
        if (st == XA_OK) {
            const uint8_t mark = XA_SAMPLE_DONE;
            assert_ok(xa_archive_sync(a, &err), err);
            assert_ok(xa_archive_write(a, s.status, row, 1, &mark, &err), err);
            written++;
            continue;
        }
        char words[128];
        snprintf(words,
                 sizeof words,
                 "cannot write rows %lld to %lld of /maps/net/saliency/values",
                 (long long)row,
                 (long long)row);
        assert_fails(st, XA_NOSPACE, err, words);
        failed++;
    }
    assert_in_range(failed, 30, 34); /* 256 KiB of 8 KiB rows */
    assert_ok(xa_archive_close(a, &err), err);
    sample_check(path, &s, &done, &bad);
    assert_int_equal(done, written);
    assert_int_equal(bad, 0);
    assert_ok(xa_archive_open_read(path, &a, &err), err);
    assert_ok(xa_archive_dataset(a, "/maps/net/saliency/values", &info, &err), err);
    assert_ok(xa_archive_close(a, &err), err);
    xa_schema_free(schema);
    unmounted();
}

static void test_full_in_the_middle(void **state)
{
    full_in_the_middle(*state);
}

static void test_full_in_the_middle_alone(void **state)
{
    (void)state;
    full_in_the_middle(NULL);
}

static int warnings;
static void count_warnings(void *arg, xa_log_level level, const char *message)
{
    (void)arg;
    if (level == XA_LOG_WARN && strstr(message, "cannot reserve room") != NULL)
        warnings++;
}

/* A file system that has no reservation and counts no blocks: it is said, and works. */
static void test_no_reservation(void **state)
{
    xa_comm *c = *state;
    xa_err err = XA_ERR_INIT;
    sample s;
    xa_archive *a = NULL;
    int64_t done = 0, bad = 0;
    mounted("ramfs", NULL);
    xa_schema *schema = sample_schema(&s, 20, 8, 8);
    const char *path = in_folder("x.h5");
    warnings = 0;
    xa_log_sink(count_warnings, NULL);
    assert_ok(xa_archive_create(path, schema, &err), err);
    xa_log_sink(NULL, NULL);
    assert_int_equal(warnings, 1);
    assert_ok(xa_archive_open(path, c, XA_WRITERS_ALL, schema, &a, &err), err);
    for (int64_t row = 0; row < s.n; row++) {
        const uint8_t mark = XA_SAMPLE_DONE;
        assert_ok(sample_write(a, &s, row, &err), err);
        assert_ok(xa_archive_write(a, s.status, row, 1, &mark, &err), err);
    }
    assert_ok(xa_archive_close(a, &err), err);
    sample_check(path, &s, &done, &bad);
    assert_int_equal(done, 20);
    assert_int_equal(bad, 0);
    xa_schema_free(schema);
    unmounted();
}

static void test_lock_without_room(void **state)
{
    (void)state;
    xa_err err = XA_ERR_INIT;
    xa_lock *l = NULL;
    mounted("tmpfs", "size=1m");
    fill(0);
    assert_fails(xa_lock_take(in_folder("x.h5"), 120, &l, &err),
                 XA_NOSPACE,
                 err,
                 "x.h5: cannot write its lock");
    assert_int_equal(entries(), 1);
    unmounted();
}

int main(int argc, char **argv)
{
    may_mount = enter_namespace();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_without_room),
        cmocka_unit_test(test_reserved_room_stays),
        cmocka_unit_test(test_full_in_the_middle),
        cmocka_unit_test(test_full_in_the_middle_alone),
        cmocka_unit_test(test_no_reservation),
        cmocka_unit_test(test_lock_without_room),
    };
    return mpi_test_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
