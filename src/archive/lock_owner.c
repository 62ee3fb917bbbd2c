/* The owner of a lock: who it is, its words in the lock file, and whether it lives. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lock_internal.h"

enum { TEXT = 2048 }; /* a lock file's words and more */

/* ---- who ------------------------------------------------------------------------------------- */

double xa__lock_clock(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_REALTIME, &t) != 0)
        return 0;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One word: what is between spaces, and fits. */
static void copy_word(const char *from, char out[XA__LOCK_WORD])
{
    snprintf(out, XA__LOCK_WORD, "%s", from);
    out[strcspn(out, " \t\r\n")] = '\0';
}

static void read_word(const char *path, char out[XA__LOCK_WORD])
{
    char *text = NULL;
    size_t size = 0;
    out[0] = '\0';
    if (xa_read_file(path, TEXT, &text, &size, NULL) == XA_OK)
        copy_word(text, out);
    free(text);
}

/* The process's start in ticks since boot, the 22nd field of its stat; -1 unknown. The 2nd, its
 * name, may hold spaces and ends with the last ')'. */
static int64_t start_of(int64_t pid)
{
    char path[64];
    char *text = NULL;
    size_t size = 0;
    long long start = -1;
    snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    if (xa_read_file(path, (size_t)2 * TEXT, &text, &size, NULL) == XA_OK) {
        char *p = strrchr(text, ')');
        for (int field = 2; p && field < 22; field++)
            p = strchr(p + 1, ' ');
        if (p)
            start = strtoll(p, NULL, 10);
    }
    free(text);
    return start;
}

void xa__lock_describe(xa__owner *me)
{
    *me = (xa__owner){.pid = (int64_t)getpid(), .restarts = -1};
    if (gethostname(me->host, sizeof me->host) != 0 || me->host[0] == '\0')
        copy_word("localhost", me->host);
    me->host[XA__LOCK_WORD - 1] = '\0';
    read_word("/proc/sys/kernel/random/boot_id", me->boot);
    me->start = start_of(me->pid);
    const char *job = getenv("SLURM_JOB_ID");
    const char *restarts = getenv("SLURM_RESTART_COUNT");
    copy_word(job ? job : "", me->job);
    /* SLURM sets the count from the first restart on. */
    if (job && (!restarts || !xa_parse_i64(restarts, &me->restarts)))
        me->restarts = 0;
    xa_time_iso(me->since);
    snprintf(me->token, XA__LOCK_WORD, "%" PRId64 "-%.9f", me->pid, xa__lock_clock());
}

/* ---- the words in the file ------------------------------------------------------------------- */

static void format_owner(const xa__owner *o, char out[TEXT])
{
    int n =
        snprintf(out,
                 TEXT,
                 "xaudit-lock 1\nheartbeat %.3f\nhost %s\nboot %s\npid %" PRId64 "\nstart %" PRId64
                 "\njob %s\nrestarts %" PRId64 "\nkernel_lock %d\nsince %s\ntoken %s\n",
                 o->heartbeat,
                 o->host,
                 o->boot,
                 o->pid,
                 o->start,
                 o->job,
                 o->restarts,
                 o->has_kernel_lock ? 1 : 0,
                 o->since,
                 o->token);
    if (n < 0)
        out[0] = '\0';
}

static void take_word(const char *text, const char *key, char out[XA__LOCK_WORD])
{
    const size_t n = strlen(key);
    out[0] = '\0';
    for (const char *p = text; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        if (strncmp(p, key, n) == 0 && p[n] == ' ') {
            char line[XA__LOCK_WORD];
            snprintf(line, sizeof line, "%.*s", (int)strcspn(p + n + 1, "\n"), p + n + 1);
            copy_word(line, out);
            return;
        }
    }
}

static int64_t take_number(const char *text, const char *key)
{
    char word[XA__LOCK_WORD];
    int64_t value;
    take_word(text, key, word);
    return xa_parse_i64(word, &value) ? value : -1;
}

bool xa__lock_read(int fd, xa__owner *out)
{
    char text[TEXT];
    char word[XA__LOCK_WORD];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return false;
    text[n] = '\0';
    xa__owner o = {.pid = take_number(text, "pid"),
                   .start = take_number(text, "start"),
                   .restarts = take_number(text, "restarts"),
                   .has_kernel_lock = take_number(text, "kernel_lock") == 1};
    take_word(text, "host", o.host);
    take_word(text, "boot", o.boot);
    take_word(text, "job", o.job);
    take_word(text, "since", o.since);
    take_word(text, "token", o.token);
    take_word(text, "heartbeat", word);
    if (strncmp(text, "xaudit-lock ", 12) != 0 || !xa_parse_f64(word, &o.heartbeat) ||
        o.token[0] == '\0')
        return false;
    *out = o;
    return true;
}

bool xa__lock_write(int fd, const xa__owner *o)
{
    char text[TEXT];
    format_owner(o, text);
    const size_t n = strlen(text);
    const ssize_t written = pwrite(fd, text, n, 0);
    if (written >= 0 && (size_t)written < n)
        errno = ENOSPC; /* a short write is a full disk's first word */
    return written == (ssize_t)n && ftruncate(fd, (off_t)n) == 0;
}

/* ---- is the owner dead? ---------------------------------------------------------------------- */

bool xa__lock_same_host(const xa__owner *a, const xa__owner *b)
{
    return strcmp(a->host, b->host) == 0 && strcmp(a->boot, b->boot) == 0;
}

bool xa__lock_is_requeue(const xa__owner *me, const xa__owner *o)
{
    return me->job[0] != '\0' && strcmp(me->job, o->job) == 0 && me->restarts > o->restarts;
}

const char *xa__lock_why_dead(const xa__owner *me, const xa__owner *o)
{
    if (xa__lock_is_requeue(me, o))
        return "this is the same job, requeued";
    if (xa__lock_same_host(me, o)) {
        if (o->pid <= 0 || (kill((pid_t)o->pid, 0) != 0 && errno == ESRCH))
            return "its process is gone";
        int64_t start = start_of(o->pid);
        if (start >= 0 && o->start >= 0 && start != o->start)
            return "its process is gone, another one has its number";
    }
    return NULL;
}
