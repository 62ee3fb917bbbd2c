/* Killed at random moments, an archive opens and its done rows are whole; resumed, it ends as one
 * that was never interrupted. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "archive/archive_test.h"

enum { ROWS = 1600, SIDE = 48, RANKS = 3 };

static void nap(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds};
    t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

/* Starts the writer, alone or on ranks, in a session of its own. */
static pid_t start(const char *path, bool mpi)
{
    char rows[16], side[16], ranks[16];
    snprintf(rows, sizeof rows, "%d", ROWS);
    snprintf(side, sizeof side, "%d", SIDE);
    snprintf(ranks, sizeof ranks, "%d", RANKS);
    for (int rank = 0; rank < RANKS; rank++) {
        static const char *const told[] = {"pid", "open"};
        for (int i = 0; i < 2; i++) {
            char name[600];
            snprintf(name, sizeof name, "%s.%s.%d", path, told[i], rank);
            assert_true(unlink(name) == 0 || errno == ENOENT);
        }
    }
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setsid();
        /* What a killed Open MPI leaves behind goes with the folder. */
        setenv("TMPDIR", folder, 1);
        setenv("OMPI_MCA_btl_vader_backing_directory", folder, 1);
        char command[2048];
        snprintf(command,
                 sizeof command,
                 "exec %s -n %s '%s' '%s' %s %s mpi",
                 XA_MPIRUN,
                 ranks,
                 XA_WRITER,
                 path,
                 rows,
                 side);
        if (mpi)
            execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        else
            execl(XA_WRITER, XA_WRITER, path, rows, side, "alone", (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* The process number that a rank left behind when it had come so far ("pid": started, "open": has
 * the archive open); 0: not yet. */
static pid_t pid_of(const char *path, const char *what, int rank)
{
    char name[600];
    char *text = NULL;
    size_t size = 0;
    long pid = 0;
    xa_err err = XA_ERR_INIT;
    snprintf(name, sizeof name, "%s.%s.%d", path, what, rank);
    if (xa_read_file(name, 64, &text, &size, &err) == XA_OK)
        pid = strtol(text, NULL, 10);
    free(text);
    return (pid_t)pid;
}

/* Waits until all ranks have come so far; false when the writer has ended before. */
static bool reached(const char *path, const char *what, bool mpi, pid_t launcher)
{
    for (int tries = 0; tries < 6000; tries++) {
        int there = 0;
        for (int rank = 0; rank < (mpi ? RANKS : 1); rank++)
            there += pid_of(path, what, rank) > 0;
        if (there == (mpi ? RANKS : 1))
            return true;
        siginfo_t info = {.si_pid = 0};
        if (waitid(P_PID, (id_t)launcher, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == launcher)
            return false;
        nap(0.005);
    }
    fail_msg("the writer does not start");
    return false;
}

/* No such process, or one that nobody has buried yet. */
static bool gone(pid_t pid)
{
    char name[64];
    char *text = NULL;
    size_t size = 0;
    xa_err err = XA_ERR_INIT;
    snprintf(name, sizeof name, "/proc/%ld/stat", (long)pid);
    if (xa_read_file(name, 4096, &text, &size, &err) != XA_OK)
        return true;
    const char *end = strrchr(text, ')');
    const bool zombie = end != NULL && end[1] == ' ' && (end[2] == 'Z' || end[2] == 'X');
    free(text);
    return zombie;
}

/* Kills all of it, or (a crash of one process) one rank, which takes the others with it. */
static void slay(const char *path, bool mpi, bool one_rank, pid_t launcher)
{
    if (!mpi) {
        assert_int_equal(kill(launcher, SIGKILL), 0);
    } else {
        pid_t pid[RANKS];
        for (int rank = 0; rank < RANKS; rank++)
            pid[rank] = pid_of(path, "pid", rank);
        if (!one_rank) {
            (void)kill(launcher, SIGKILL);
            for (int rank = 0; rank < RANKS; rank++)
                (void)kill(pid[rank], SIGKILL);
        } else {
            (void)kill(pid[RANKS - 1], SIGKILL);
        }
        for (int tries = 0; tries < 1000; tries++) {
            int left = 0;
            for (int rank = 0; rank < RANKS; rank++)
                left += !gone(pid[rank]);
            if (left == 0)
                break;
            nap(0.01);
        }
    }
    assert_int_equal(waitpid(launcher, NULL, 0), launcher);
}

static void digests(const char *path, char values[XA_SHA256_HEX], char logits[XA_SHA256_HEX])
{
    xa_err err = XA_ERR_INIT;
    xa_archive *a = NULL;
    assert_ok(xa_archive_open_read(path, &a, &err), err);
    assert_ok(xa_archive_digest(a, "/maps/net/saliency/values", values, &err), err);
    assert_ok(xa_archive_digest(a, "/models/net/logits", logits, &err), err);
    assert_ok(xa_archive_close(a, &err), err);
}

static void complete(const char *path, bool mpi)
{
    int status = 0;
    pid_t pid = start(path, mpi);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void kill_often(bool mpi, int kills, double longest)
{
    sample s;
    int64_t done = 0, bad = 0, before = 0;
    char values[2][XA_SHA256_HEX], logits[2][XA_SHA256_HEX];
    struct timespec now;
    char path[512], whole[512];
    int midway = 0;
    snprintf(path, sizeof path, "%s", in_folder("killed.h5"));
    snprintf(whole, sizeof whole, "%s", in_folder("whole.h5"));
    xa_schema_free(sample_schema(&s, ROWS, SIDE, SIDE));
    complete(whole, mpi);
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    for (int i = 0; i < kills; i++) {
        pid_t pid = start(path, mpi);
        /* One in four may meet it while it opens the archive. */
        if (reached(path, "pid", mpi, pid) && access(path, F_OK) == 0 && i % 4 == 0)
            nap(0.1 * xa_random_unit((uint64_t)now.tv_nsec, 1, (uint64_t)i));
        else if (reached(path, "open", mpi, pid))
            nap(longest * xa_random_unit((uint64_t)now.tv_nsec, 0, (uint64_t)i));
        slay(path, mpi, i % 4 == 3, pid);
        sample_check(path, &s, &done, &bad);
        assert_int_equal(bad, 0);
        assert_true(done >= before);
        midway += done > before && done < ROWS;
        before = done;
        if (done == ROWS) {
            assert_int_equal(unlink(path), 0);
            before = 0;
        }
    }
    print_message("%d kills, %d of them between the first row and the last\n", kills, midway);
    /* Otherwise nothing was tested. */
    assert_true(midway >= kills / 4);
    complete(path, mpi);
    sample_check(path, &s, &done, &bad);
    assert_int_equal(done, ROWS);
    assert_int_equal(bad, 0);
    digests(path, values[0], logits[0]);
    digests(whole, values[1], logits[1]);
    assert_string_equal(values[0], values[1]);
    assert_string_equal(logits[0], logits[1]);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(whole), 0);
}

static void test_kill_one_process(void **state)
{
    (void)state;
    kill_often(false, 12, 0.2);
}

static void test_kill_ranks(void **state)
{
    (void)state;
    kill_often(true, 8, 0.2);
}

/* The checker sees what the protocol prevents: status that was written before its row's data, or
 * before the last of it. */
static void test_control(void **state)
{
    (void)state;
    sample s;
    xa_err err = XA_ERR_INIT;
    xa_archive *a = NULL;
    int64_t done = 0, bad = 0;
    const uint8_t mark = XA_SAMPLE_DONE;
    const char *path = in_folder("control.h5");
    xa_schema *schema = sample_schema(&s, 10, SIDE, SIDE);
    assert_ok(xa_archive_create(path, schema, &err), err);
    assert_ok(xa_archive_open(path, NULL, XA_WRITERS_ALL, schema, &a, &err), err);
    for (int64_t row = 0; row < 10; row++)
        assert_ok(xa_archive_write(a, s.status, row, 1, &mark, &err), err);
    for (int64_t row = 0; row < 4; row++)
        assert_ok(sample_write(a, &s, row, &err), err);
    /* Torn: the first half of a map has arrived, all else is there. */
    assert_ok(sample_write(a, &s, 4, &err), err);
    uint16_t map[SIDE * SIDE];
    sample_map(&s, 4, map);
    memset(map + SIDE * SIDE / 2, 0, sizeof map / 2);
    assert_ok(xa_archive_write(a, s.values, 4, 1, map, &err), err);
    /* The map is whole, the scores are another row's. */
    assert_ok(sample_write(a, &s, 5, &err), err);
    const float logits[3] = {1, 2, 3};
    assert_ok(xa_archive_write(a, s.logits, 5, 1, logits, &err), err);
    /* Whole by its checksum, but another row's map. */
    assert_ok(sample_write(a, &s, 6, &err), err);
    sample_map(&s, 7, map);
    const uint32_t sum = xa_checksum(map, sizeof map);
    assert_ok(xa_archive_write(a, s.values, 6, 1, map, &err), err);
    assert_ok(xa_archive_write(a, s.checksum, 6, 1, &sum, &err), err);
    assert_ok(xa_archive_close(a, &err), err);
    sample_check(path, &s, &done, &bad);
    assert_int_equal(done, 10);
    assert_int_equal(bad, 6);
    assert_int_equal(unlink(path), 0);
    xa_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_kill_one_process),
        cmocka_unit_test(test_kill_ranks),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
