/* One run an archive: living and dead owners, of this host and of others, requeued jobs. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "archive/archive_test.h"

static double STALE = 120;

static const char *archive;
static const char *lock_path;

static int setup(void **state)
{
    if (make_folder(state) != 0)
        return 1;
    static char a[512], l[512];
    snprintf(a, sizeof a, "%s/x.h5", folder);
    snprintf(l, sizeof l, "%s/x.h5.lock", folder);
    archive = a;
    lock_path = l;
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_RESTART_COUNT");
    return 0;
}

static int clean(void **state)
{
    (void)state;
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_RESTART_COUNT");
    STALE = 120;
    return unlink(lock_path) != 0 && errno != ENOENT;
}

static xa_lock *taken(void)
{
    xa_lock *l = NULL;
    xa_err err = XA_ERR_INIT;
    assert_ok(xa_lock_take(archive, STALE, &l, &err), err);
    return l;
}

static void refused(const char *words)
{
    xa_lock *l = NULL;
    xa_err err = XA_ERR_INIT;
    assert_fails(xa_lock_take(archive, STALE, &l, &err), XA_BUSY, err, words);
}

static bool there(void)
{
    return access(lock_path, F_OK) == 0;
}

static void test_take_and_release(void **state)
{
    (void)state;
    xa_lock *l = taken();
    assert_true(there());
    assert_false(xa_lock_lost(l));
    char words[64];
    snprintf(words, sizeof words, "x.h5 is in use by process %ld on ", (long)getpid());
    refused(words);
    refused("if it is surely dead, remove");
    xa_lock_beat(l);
    assert_false(xa_lock_lost(l));
    xa_lock_release(l);
    assert_false(there());
    xa_lock_release(taken());
    assert_false(there());
    xa_lock_release(NULL);
}

static void test_places(void **state)
{
    (void)state;
    xa_lock *l = NULL;
    xa_err err = XA_ERR_INIT;
    assert_fails(
        xa_lock_take(in_folder("none/x.h5"), STALE, &l, &err), XA_NOT_FOUND, err, "none/x.h5.lock");
    /* Nobody's words in it: an owner that died before its first. */
    spill(lock_path, "", 0);
    xa_lock_release(taken());
    spill(lock_path, "what is this", 12);
    xa_lock_release(taken());
    assert_false(there());
}

/* A child that takes the lock, says so, and does as `body` wants. */
static pid_t owner(void (*body)(xa_lock *l))
{
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        xa_lock *l = NULL;
        xa_err err = XA_ERR_INIT;
        if (xa_lock_take(archive, STALE, &l, &err) != XA_OK || write(ready[1], "x", 1) != 1)
            _exit(9);
        body(l);
        _exit(8);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static int exit_code(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void sleep_on(xa_lock *l)
{
    (void)l;
    for (;;)
        pause();
}

static void test_two_processes(void **state)
{
    (void)state;
    pid_t pid = owner(sleep_on);
    char words[64];
    snprintf(words, sizeof words, "in use by process %ld on ", (long)pid);
    refused(words);
    /* Killed: its lock file stays, and is taken over. */
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(exit_code(pid), -1);
    assert_true(there());
    xa_lock *l = taken();
    snprintf(words, sizeof words, "in use by process %ld on ", (long)getpid());
    refused(words);
    xa_lock_release(l);
}

/* ---- the words in the file --------------------------------------------------------------------
 */

/* What a living owner of this host writes, to be changed line by line. */
static char *template(void)
{
    size_t size = 0;
    xa_lock *l = taken();
    char *text = slurp(lock_path, &size);
    xa_lock_release(l);
    return text;
}

/* Puts words into the lock file as an owner does: over those that are there. A file that is emptied
 * first would be nobody's for a moment. False: it failed. */
static bool put_words(const char *text, size_t n)
{
    const int fd = open(lock_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    const bool whole =
        fd >= 0 && pwrite(fd, text, n, 0) == (ssize_t)n && ftruncate(fd, (off_t)n) == 0;
    return fd >= 0 && close(fd) == 0 && whole;
}

/* Writes the lock file with one or two lines changed; nobody holds the kernel's lock on it. False:
 * it failed. Children call it, which must not assert: a failed assertion would go on with the tests
 * in the child. */
static bool
change(const char *text, const char *key, const char *value, const char *key2, const char *value2)
{
    xa_str out = {.data = NULL};
    for (const char *line = text; *line != '\0';) {
        const size_t n = strcspn(line, "\n");
        const size_t word = strcspn(line, " \n");
        if (key != NULL && strlen(key) == word && memcmp(line, key, word) == 0)
            xa_str_printf(&out, "%s %s\n", key, value);
        else if (key2 != NULL && strlen(key2) == word && memcmp(line, key2, word) == 0)
            xa_str_printf(&out, "%s %s\n", key2, value2);
        else
            xa_str_printf(&out, "%.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
    const bool done = !out.failed && put_words(out.data, out.len);
    xa_str_free(&out);
    return done;
}

static void
leave(const char *text, const char *key, const char *value, const char *key2, const char *value2)
{
    assert_true(change(text, key, value, key2, value2));
}

static const char *seconds_ago(double age)
{
    static char text[32];
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &t), 0);
    snprintf(text, sizeof text, "%.3f", (double)t.tv_sec - age);
    return text;
}

/* The same, by a living owner whose clock is another one: it gives a sign of life every fifth of a
 * second, as seconds go there. */
static void refused_while_it_lives(
    const char *text, const char *key, const char *value, const char *heartbeat, const char *words)
{
    double clock;
    assert_true(xa_parse_f64(heartbeat, &clock));
    leave(text, key, value, "heartbeat", heartbeat);
    pid_t pid = fork();
    assert_true(pid >= 0);
    for (; pid == 0; clock += 0.2) {
        char beat[32];
        const struct timespec nap = {.tv_nsec = 200000000};
        snprintf(beat, sizeof beat, "%.3f", clock);
        if (!change(text, key, value, "heartbeat", beat))
            _exit(7);
        nanosleep(&nap, NULL);
    }
    /* It ends before anything is asserted: a child that lived on would disturb the tests after
     * this. */
    xa_lock *l = NULL;
    xa_err err = XA_ERR_INIT;
    const xa_status st = xa_lock_take(archive, STALE, &l, &err);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(exit_code(pid), -1);
    assert_fails(st, XA_BUSY, err, words);
}

static void test_same_host(void **state)
{
    (void)state;
    char *text = template();
    /* A living process that could not lock: it is believed. */
    leave(text, "kernel_lock", "0", NULL, NULL);
    refused("in use by process");
    /* One that could would hold it still. */
    leave(text, "kernel_lock", "1", NULL, NULL);
    xa_lock_release(taken());
    /* Its number belongs to another process now. */
    leave(text, "kernel_lock", "0", "start", "1");
    xa_lock_release(taken());
    leave(text, "kernel_lock", "0", "pid", "0");
    xa_lock_release(taken());
    refused_while_it_lives(text, "boot", "before", seconds_ago(0), "in use by process");
    free(text);
}

/* Whatever their clocks say: a heartbeat that changes is of the living, and one that does not of
 * the dead. */
static void test_other_host(void **state)
{
    (void)state;
    char *text = template();
    refused_while_it_lives(text, "host", "elsewhere", seconds_ago(10), "on elsewhere since");
    refused_while_it_lives(
        text, "host", "elsewhere", seconds_ago(1e6), "a sign of life was seen just now");
    refused_while_it_lives(
        text, "host", "elsewhere", seconds_ago(-1e6), "a sign of life was seen just now");
    STALE = 0.6;
    const char *clocks[] = {"0", seconds_ago(0), "99999999999"};
    for (int i = 0; i < 3; i++) {
        leave(text, "host", "elsewhere", "heartbeat", clocks[i]);
        const double begin = xa_time();
        xa_lock_release(taken());
        assert_true(xa_time() - begin >= STALE);
        assert_false(there());
    }
    free(text);
}

/* It ends in the proper way while this one looks on. */
static void test_other_host_leaves(void **state)
{
    (void)state;
    char *text = template();
    leave(text, "host", "elsewhere", NULL, NULL);
    const double begin = xa_time();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct timespec nap = {.tv_nsec = 700000000};
        nanosleep(&nap, NULL);
        _exit(unlink(lock_path) != 0);
    }
    xa_lock_release(taken());
    assert_true(xa_time() - begin < STALE / 2);
    assert_int_equal(exit_code(pid), 0);
    free(text);
}

/* A run of another host, whose kernel does not know of this one's locks, has made the file and not
 * written yet: it gets the time to, and is believed. */
static void test_words_follow(void **state)
{
    (void)state;
    char *text = template();
    spill(lock_path, "", 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    for (double clock = 1; pid == 0; clock += 1) {
        char beat[32];
        const struct timespec nap = {.tv_nsec = 100000000};
        nanosleep(&nap, NULL);
        snprintf(beat, sizeof beat, "%.3f", clock);
        if (!change(text, "host", "elsewhere", "heartbeat", beat))
            _exit(7);
    }
    xa_lock *l = NULL;
    xa_err err = XA_ERR_INIT;
    const xa_status st = xa_lock_take(archive, STALE, &l, &err);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(exit_code(pid), -1);
    assert_fails(st, XA_BUSY, err, "on elsewhere since");
    free(text);
}

static void test_requeue(void **state)
{
    (void)state;
    assert_int_equal(setenv("SLURM_JOB_ID", "77", 1), 0);
    char *text = template();
    assert_non_null(strstr(text, "\njob 77\nrestarts 0\n"));
    /* another step of the same job */
    refused_while_it_lives(text, "host", "elsewhere", seconds_ago(0), "on elsewhere, job 77 since");
    leave(text, "host", "elsewhere", NULL, NULL);
    assert_int_equal(setenv("SLURM_RESTART_COUNT", "1", 1), 0);
    xa_lock_release(taken());
    leave(text, "kernel_lock", "0", "job", "78");
    refused("job 78");
    free(text);
}

/* The lock is lost while its owner lives (a node that was given up, and is not dead): it learns of
 * it, and leaves the other's lock alone. */
static void beat_until_lost(xa_lock *l)
{
    for (int i = 0; i < 200 && !xa_lock_lost(l); i++) {
        xa_lock_beat(l);
        const struct timespec nap = {.tv_nsec = 50000000};
        nanosleep(&nap, NULL);
    }
    bool lost = xa_lock_lost(l);
    xa_lock_release(l);
    _exit(lost ? 0 : 1);
}

static void test_lost(void **state)
{
    (void)state;
    assert_int_equal(setenv("SLURM_JOB_ID", "77", 1), 0);
    pid_t pid = owner(beat_until_lost);
    refused("job 77");
    assert_int_equal(setenv("SLURM_RESTART_COUNT", "1", 1), 0);
    xa_lock *l = taken();
    assert_int_equal(exit_code(pid), 0);
    assert_true(there());
    /* As long as that took, a beat of ours is due. */
    size_t size = 0;
    char *before = slurp(lock_path, &size);
    xa_lock_beat(l);
    char *after = slurp(lock_path, &size);
    assert_false(xa_lock_lost(l));
    assert_string_not_equal(before, after);
    assert_string_equal(strstr(before, "\nhost"), strstr(after, "\nhost"));
    free(before);
    free(after);
    xa_lock_release(l);
    assert_false(there());
}

/* Many at once, over a dead owner's lock: one gets it. */
static void test_race(void **state)
{
    (void)state;
    enum { RUNNERS = 8, ROUNDS = 5 };
    char *text = template();
    for (int round = 0; round < ROUNDS; round++) {
        pid_t pid[RUNNERS];
        int go[2], winners = 0;
        leave(text, "pid", "0", NULL, NULL);
        assert_int_equal(pipe(go), 0);
        for (int i = 0; i < RUNNERS; i++) {
            pid[i] = fork();
            assert_true(pid[i] >= 0);
            if (pid[i] == 0) {
                char byte;
                xa_lock *l = NULL;
                xa_err err = XA_ERR_INIT;
                close(go[1]);
                /* All are let go when the parent closes its end. */
                if (read(go[0], &byte, 1) != 0)
                    _exit(9);
                xa_status st = xa_lock_take(archive, STALE, &l, &err);
                const struct timespec nap = {.tv_nsec = 300000000};
                nanosleep(&nap, NULL);
                _exit(st == XA_OK ? 1 : st == XA_BUSY ? 0 : 9);
            }
        }
        close(go[0]);
        close(go[1]);
        for (int i = 0; i < RUNNERS; i++) {
            int code = exit_code(pid[i]);
            assert_in_range(code, 0, 1);
            winners += code;
        }
        assert_int_equal(winners, 1);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_take_and_release, clean),
        cmocka_unit_test_teardown(test_places, clean),
        cmocka_unit_test_teardown(test_two_processes, clean),
        cmocka_unit_test_teardown(test_same_host, clean),
        cmocka_unit_test_teardown(test_other_host, clean),
        cmocka_unit_test_teardown(test_other_host_leaves, clean),
        cmocka_unit_test_teardown(test_words_follow, clean),
        cmocka_unit_test_teardown(test_requeue, clean),
        cmocka_unit_test_teardown(test_lost, clean),
        cmocka_unit_test_teardown(test_race, clean),
    };
    return cmocka_run_group_tests(tests, setup, remove_folder);
}
