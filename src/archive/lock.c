/* One run an archive: a lock file with a lock on it and its owner's words in it.
 *
 * The kernel's lock ends with its process and is the best witness, where the file system has locks
 * that other hosts see; the words (host, boot, pid, start, job, heartbeat) are for file systems
 * that have not, and for people.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "archive_internal.h"

enum { WORD = 256, TEXT = 2048, BEAT_SECONDS = 5 };

typedef struct owner {
    char host[WORD], boot[WORD], job[WORD], since[WORD], token[WORD];
    int64_t pid;
    int64_t start;    /* clock ticks from boot to the process's start; tells a reused pid */
    int64_t restarts; /* SLURM's count of requeues; -1 unknown */
    bool has_kernel_lock;
    double heartbeat; /* seconds since 1970 */
} owner;

struct xa_lock {
    char *archive, *path;
    int fd;
    owner me;
    double last_beat; /* xa_time */
    bool lost;
};

/* ---- who ------------------------------------------------------------------------------------- */

static double now_seconds(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_REALTIME, &t) != 0)
        return 0;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One word: what is between spaces, and fits. */
static void copy_word(const char *from, char out[WORD])
{
    snprintf(out, WORD, "%s", from);
    out[strcspn(out, " \t\r\n")] = '\0';
}

static void read_word(const char *path, char out[WORD])
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

static void describe_me(owner *me)
{
    *me = (owner){.pid = (int64_t)getpid(), .restarts = -1};
    if (gethostname(me->host, sizeof me->host) != 0 || me->host[0] == '\0')
        copy_word("localhost", me->host);
    me->host[WORD - 1] = '\0';
    read_word("/proc/sys/kernel/random/boot_id", me->boot);
    me->start = start_of(me->pid);
    const char *job = getenv("SLURM_JOB_ID");
    const char *restarts = getenv("SLURM_RESTART_COUNT");
    copy_word(job ? job : "", me->job);
    /* SLURM sets the count from the first restart on. */
    if (job && (!restarts || !xa_parse_i64(restarts, &me->restarts)))
        me->restarts = 0;
    xa_time_iso(me->since);
    snprintf(me->token, WORD, "%" PRId64 "-%.9f", me->pid, now_seconds());
}

/* ---- the words in the file ------------------------------------------------------------------- */

static void format_owner(const owner *o, char out[TEXT])
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

static void take_word(const char *text, const char *key, char out[WORD])
{
    const size_t n = strlen(key);
    out[0] = '\0';
    for (const char *p = text; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        if (strncmp(p, key, n) == 0 && p[n] == ' ') {
            char line[WORD];
            snprintf(line, sizeof line, "%.*s", (int)strcspn(p + n + 1, "\n"), p + n + 1);
            copy_word(line, out);
            return;
        }
    }
}

static int64_t take_number(const char *text, const char *key)
{
    char word[WORD];
    int64_t value;
    take_word(text, key, word);
    return xa_parse_i64(word, &value) ? value : -1;
}

/* What stands in the file; false if it is not (yet) the words of an owner. */
static bool read_owner(int fd, owner *out)
{
    char text[TEXT];
    char word[WORD];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return false;
    text[n] = '\0';
    owner o = {.pid = take_number(text, "pid"),
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

static bool write_owner(int fd, const owner *o)
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

/* Two machines may have one name, and a host that was started anew is another one; both are judged
 * by the heartbeat, and that by whether it changes while this one looks on: their clocks may
 * differ. */
static bool same_host(const owner *a, const owner *b)
{
    return strcmp(a->host, b->host) == 0 && strcmp(a->boot, b->boot) == 0;
}

static bool is_requeue(const owner *me, const owner *o)
{
    return me->job[0] != '\0' && strcmp(me->job, o->job) == 0 && me->restarts > o->restarts;
}

/* NULL: alive as far as one can tell without waiting. Otherwise why not. */
static const char *why_dead(const owner *me, const owner *o)
{
    if (is_requeue(me, o))
        return "this is the same job, requeued";
    if (same_host(me, o)) {
        if (o->pid <= 0 || (kill((pid_t)o->pid, 0) != 0 && errno == ESRCH))
            return "its process is gone";
        int64_t start = start_of(o->pid);
        if (start >= 0 && o->start >= 0 && start != o->start)
            return "its process is gone, another one has its number";
    }
    return NULL;
}

/* life: what was seen of it, or "". */
static xa_status held(const char *archive,
                      const char *path,
                      const owner *o,
                      bool known,
                      const char *life,
                      xa_err *err)
{
    if (!known)
        XA_RETURN_FAIL(
            err, XA_BUSY, "%s: another run holds %s: wait for it, or stop it", archive, path);
    XA_RETURN_FAIL(err,
                   XA_BUSY,
                   "%s is in use by process %" PRId64
                   " on %s%s%s since %s%s: wait for it, or stop it; if it is surely dead, remove "
                   "%s",
                   archive,
                   o->pid,
                   o->host,
                   o->job[0] != '\0' ? ", job " : "",
                   o->job,
                   o->since,
                   life,
                   path);
}

/* ---- take ------------------------------------------------------------------------------------ */

typedef enum kernel_lock { KERNEL_OURS, KERNEL_HELD, KERNEL_NONE } kernel_lock;

/* Locks of the open file, not of the process: two takers of one process are told apart too. */
static kernel_lock lock_file(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return KERNEL_OURS;
    return errno == EAGAIN || errno == EACCES ? KERNEL_HELD : KERNEL_NONE;
}

/* The file that was opened is still the one of that name. */
static bool is_current(int fd, const char *path)
{
    struct stat a, b;
    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

static void nap(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds,
                         .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

/* Without the kernel two may find the same dead owner at once; the later writer wins, and the other
 * one sees it after a moment. */
static bool settle(const xa_lock *l)
{
    owner there;
    nap(0.3);
    return is_current(l->fd, l->path) && read_owner(l->fd, &there) &&
           strcmp(there.token, l->me.token) == 0;
}

typedef enum life { ALIVE, DEAD, LEFT, DISTURBED } life;

/* Looks on at the words of an owner of another host: a new heartbeat, or none for so long. The file
 * is opened each time, as network file systems look for news when a file is opened. */
static life watch(const xa_lock *l, const owner *first, double stale_seconds)
{
    const struct timespec pause = {.tv_nsec = 500000000};
    const double begin = xa_time();
    xa_log(XA_LOG_WARN,
           "%s: its lock is of process %" PRId64 " on %s: waiting %.0f s at most for a sign of "
           "life; if it is surely dead, remove %s",
           l->archive,
           first->pid,
           first->host,
           stale_seconds,
           l->path);
    while (xa_time() - begin < stale_seconds) {
        owner now;
        if (nanosleep(&pause, NULL) != 0 && errno == EINTR)
            return DISTURBED;
        int fd = open(l->path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            return LEFT;
        const bool known = fd >= 0 && read_owner(fd, &now);
        if (fd >= 0)
            close(fd);
        if (known && (strcmp(now.token, first->token) != 0 || now.heartbeat != first->heartbeat))
            return ALIVE;
    }
    return DEAD;
}

typedef enum attempt { TAKEN, REFUSED, AGAIN } attempt;

/* The lock's words are there, and their owner's kernel lock is not: TAKEN where that owner is dead,
 * which *dead says. */
static attempt judge(const xa_lock *l,
                     const owner *there,
                     kernel_lock kernel,
                     double stale_seconds,
                     const char **dead,
                     xa_status *status,
                     xa_err *err)
{
    *dead = why_dead(&l->me, there);
    if (*dead)
        return TAKEN;
    if (same_host(&l->me, there)) {
        /* With a kernel lock it would still hold it if it were alive. */
        *dead = "its process is gone";
        if (kernel == KERNEL_OURS && there->has_kernel_lock)
            return TAKEN;
        char seen[64];
        snprintf(
            seen, sizeof seen, ", last sign of life %.0f s ago", now_seconds() - there->heartbeat);
        *status = held(l->archive, l->path, there, true, seen, err);
        return REFUSED;
    }
    switch (watch(l, there, stale_seconds)) {
    case ALIVE:
        *status = held(l->archive, l->path, there, true, ", a sign of life was seen just now", err);
        return REFUSED;
    case LEFT:
        return AGAIN;
    case DISTURBED:
        *status = XA_ERR(err,
                         XA_INTERRUPTED,
                         "%s: stopped by a signal while it waited for the lock of process "
                         "%" PRId64 " on %s",
                         l->archive,
                         there->pid,
                         there->host);
        return REFUSED;
    default:
        *dead = "no sign of life was seen while this run waited";
        return TAKEN;
    }
}

static attempt cannot(const xa_lock *l, const char *what, xa_status *status, xa_err *err)
{
    const int cause = errno;
    *status = XA_ERR(err,
                     xa__errno_status(cause),
                     "%s: cannot %s its lock %s: %s",
                     l->archive,
                     what,
                     l->path,
                     strerror(cause));
    return REFUSED;
}

static attempt try_take(xa_lock *l, double stale_seconds, xa_status *status, xa_err *err)
{
    owner there = {.pid = 0};
    const char *dead = NULL;
    l->fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (l->fd < 0)
        return cannot(l, "open", status, err);
    const kernel_lock kernel = lock_file(l->fd);
    /* Its owner may have removed it since it was opened. */
    if (!is_current(l->fd, l->path))
        return AGAIN;
    const bool known = read_owner(l->fd, &there);
    if (kernel == KERNEL_HELD) {
        /* Some process has it. Only SLURM knows better: it ends a job's processes before it starts
         * the job again, though the lock of a lost node may linger. */
        if (!known || !is_requeue(&l->me, &there)) {
            *status = held(l->archive, l->path, &there, known, "", err);
            return REFUSED;
        }
        (void)unlink(l->path);
        return AGAIN;
    }
    if (known) {
        const attempt judged = judge(l, &there, kernel, stale_seconds, &dead, status, err);
        if (judged != TAKEN)
            return judged;
        /* It, or another run, may have come meanwhile. */
        owner now;
        if (!is_current(l->fd, l->path) || !read_owner(l->fd, &now) ||
            strcmp(now.token, there.token) != 0 || now.heartbeat != there.heartbeat)
            return AGAIN;
        xa_log(XA_LOG_WARN,
               "%s: took over the lock of process %" PRId64 " on %s: %s",
               l->archive,
               there.pid,
               there.host,
               dead);
    }
    l->me.has_kernel_lock = kernel == KERNEL_OURS;
    l->me.heartbeat = now_seconds();
    if (!write_owner(l->fd, &l->me)) {
        const attempt failed = cannot(l, "write", status, err);
        (void)unlink(l->path); /* no owner's words in it: it would only puzzle */
        return failed;
    }
    /* Runs of two hosts whose kernels do not know of each other may have waited alike. */
    const bool foreign = known && !same_host(&l->me, &there);
    if ((kernel == KERNEL_NONE || foreign) && !settle(l))
        return AGAIN;
    return TAKEN;
}

static void free_lock(xa_lock *l)
{
    if (!l)
        return;
    if (l->fd >= 0)
        close(l->fd);
    free(l->archive);
    free(l->path);
    free(l);
}

xa_status xa_lock_take(const char *archive, double stale_seconds, xa_lock **out, xa_err *err)
{
    xa_status st = XA_OK;
    attempt how = AGAIN;
    xa_lock *l = xa_alloc(1, sizeof *l);
    if (!l)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", archive);
    l->fd = -1;
    l->archive = xa_strdup(archive);
    l->path = xa_strfmt("%s.lock", archive);
    if (!l->archive || !l->path)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", archive);
    describe_me(&l->me);
    for (int tries = 0; how == AGAIN && tries < 20; tries++) {
        if (l->fd >= 0)
            close(l->fd);
        l->fd = -1;
        how = try_take(l, stale_seconds, &st, err);
    }
    if (how == AGAIN)
        XA_FAIL(
            err, XA_BUSY, "%s: other runs take and leave %s.lock all the time", archive, archive);
    if (how == REFUSED)
        goto done;
    l->last_beat = xa_time();
    *out = l;
    l = NULL;
done:
    free_lock(l);
    return st;
}

xa_status xa_lock_look(const char *archive, xa_err *err)
{
    xa_status st = XA_OK;
    owner me, there;
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *path = xa_strfmt("%s.lock", archive);
    int fd = -1;
    if (!path)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", archive);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        goto done; /* there is none */
    const bool asked = fcntl(fd, F_OFD_GETLK, &whole) == 0;
    const bool known = read_owner(fd, &there);
    const bool locked = asked && whole.l_type != F_UNLCK;
    describe_me(&me);
    if (locked || (known && !same_host(&me, &there)) ||
        (known && !there.has_kernel_lock && kill((pid_t)there.pid, 0) == 0))
        st = held(archive, path, &there, known, "", err);
done:
    if (fd >= 0)
        close(fd);
    free(path);
    return st;
}

/* ---- hold and release ------------------------------------------------------------------------ */

static bool still_ours(const xa_lock *l)
{
    owner there;
    return is_current(l->fd, l->path) && read_owner(l->fd, &there) &&
           strcmp(there.token, l->me.token) == 0;
}

void xa_lock_beat(xa_lock *l)
{
    const double now = xa_time();
    if (l->lost || now - l->last_beat < BEAT_SECONDS)
        return;
    l->last_beat = now;
    if (!still_ours(l)) {
        l->lost = true;
        xa_log(XA_LOG_ERROR, "%s: another run took over the lock %s", l->archive, l->path);
        return;
    }
    l->me.heartbeat = now_seconds();
    if (!write_owner(l->fd, &l->me))
        xa_log(XA_LOG_WARN, "%s: cannot write its lock: %s", l->archive, strerror(errno));
}

bool xa_lock_lost(const xa_lock *l)
{
    return l->lost;
}

void xa_lock_release(xa_lock *l)
{
    if (l && !l->lost && still_ours(l))
        (void)unlink(l->path);
    free_lock(l);
}
