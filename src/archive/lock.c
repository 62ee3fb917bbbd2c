/* One run at a time works on an archive: a lock file carries a lock and says whose it is.
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

#include "lock_internal.h"

enum { BEAT_SECONDS = 5 };
/* How long another taker may need from its look at the file to its words in it. */
static const double SETTLE_SECONDS = 0.3;

struct xa_lock {
    char *archive, *path;
    int fd;
    xa__owner me;
    double last_beat; /* xa_time */
    bool lost;
};

/* life: what was seen of it, or "". */
static xa_status held(const char *archive,
                      const char *path,
                      const xa__owner *o,
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

/* Locks of the open file, not of the process: two takers in one process exclude each other, too. */
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

static bool is_empty(int fd)
{
    struct stat s;
    return fstat(fd, &s) == 0 && s.st_size == 0;
}

/* Without the kernel two may find the same dead owner at once; the later writer wins, and the other
 * one sees it after a moment. */
static bool settle(const xa_lock *l)
{
    xa__owner there;
    nap(SETTLE_SECONDS);
    return is_current(l->fd, l->path) && xa__lock_read(l->fd, &there) &&
           strcmp(there.token, l->me.token) == 0;
}

typedef enum life { ALIVE, DEAD, LEFT, DISTURBED } life;

/* Looks on at the words of an owner of another host: a new heartbeat, or none for so long. The file
 * is opened each time, as network file systems look for news when a file is opened. */
static life watch(const xa_lock *l, const xa__owner *first, double stale_seconds)
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
        xa__owner now;
        if (nanosleep(&pause, NULL) != 0 && errno == EINTR)
            return DISTURBED;
        int fd = open(l->path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            return LEFT;
        const bool known = fd >= 0 && xa__lock_read(fd, &now);
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
                     const xa__owner *there,
                     kernel_lock kernel,
                     double stale_seconds,
                     const char **dead,
                     xa_status *status,
                     xa_err *err)
{
    *dead = xa__lock_why_dead(&l->me, there);
    if (*dead)
        return TAKEN;
    if (xa__lock_same_host(&l->me, there)) {
        /* With a kernel lock it would still hold it if it were alive. */
        *dead = "its process is gone";
        if (kernel == KERNEL_OURS && there->has_kernel_lock)
            return TAKEN;
        char seen[64];
        snprintf(seen,
                 sizeof seen,
                 ", last sign of life %.0f s ago",
                 xa__lock_clock() - there->heartbeat);
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
    xa__owner there = {.pid = 0};
    const char *dead = NULL;
    l->fd = open(l->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    const bool made = l->fd >= 0;
    if (!made && errno == EEXIST)
        l->fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (l->fd < 0)
        return cannot(l, "open", status, err);
    const kernel_lock kernel = lock_file(l->fd);
    /* Its owner may have removed it since it was opened. */
    if (!is_current(l->fd, l->path))
        return AGAIN;
    bool known = xa__lock_read(l->fd, &there);
    if (!known && !made && kernel != KERNEL_HELD && is_empty(l->fd)) {
        /* A run of a host whose kernel does not know of this one may have made it just now, and be
         * about to write. */
        nap(SETTLE_SECONDS);
        if (!is_current(l->fd, l->path))
            return AGAIN;
        known = xa__lock_read(l->fd, &there);
    }
    if (kernel == KERNEL_HELD) {
        /* Some process has it. Only SLURM knows better: it ends a job's processes before it starts
         * the job again, though the lock of a lost node may linger. */
        if (!known || !xa__lock_is_requeue(&l->me, &there)) {
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
        xa__owner now;
        if (!is_current(l->fd, l->path) || !xa__lock_read(l->fd, &now) ||
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
    l->me.heartbeat = xa__lock_clock();
    if (!xa__lock_write(l->fd, &l->me)) {
        const attempt failed = cannot(l, "write", status, err);
        (void)unlink(l->path); /* no owner's words in it: it would only puzzle */
        return failed;
    }
    /* Runs of two hosts whose kernels do not know of each other may have waited alike. */
    const bool foreign = known && !xa__lock_same_host(&l->me, &there);
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
    xa__lock_describe(&l->me);
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
    xa__owner me, there;
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *path = xa_strfmt("%s.lock", archive);
    int fd = -1;
    if (!path)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", archive);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        goto done; /* nobody holds it */
    const bool asked = fcntl(fd, F_OFD_GETLK, &whole) == 0;
    const bool known = xa__lock_read(fd, &there);
    const bool locked = asked && whole.l_type != F_UNLCK;
    xa__lock_describe(&me);
    if (locked || (known && !xa__lock_same_host(&me, &there)) ||
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
    xa__owner there;
    return is_current(l->fd, l->path) && xa__lock_read(l->fd, &there) &&
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
    l->me.heartbeat = xa__lock_clock();
    if (!xa__lock_write(l->fd, &l->me))
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
