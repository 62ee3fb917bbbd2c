#include "xaudit/check.h"
#include "xaudit/print.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The folder of a path, "." if it names none; freed by the caller. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xa_strdup(".");
    return slash == path ? xa_strdup("/") : xa_strndup(path, (size_t)(slash - path));
}

/* Whether a name is "ARCHIVE-NUMBER-NUMBER.lock", as the component lockedfile of Open MPI's OMPIO
 * names its lock files. */
static bool is_ompio_lock(const char *name, const char *archive)
{
    const size_t n = strlen(archive);
    if (strncmp(name, archive, n) != 0 || name[n] != '-')
        return false;
    const char *rest = name + n + 1;
    const size_t first = strspn(rest, "0123456789");
    if (!first || rest[first] != '-')
        return false;
    rest += first + 1;
    const size_t second = strspn(rest, "0123456789");
    return second && !strcmp(rest + second, ".lock");
}

void xa_stale_locks(const char *archive, char *out, size_t size)
{
    const char *slash = strrchr(archive, '/'), *own = slash ? slash + 1 : archive;
    char *folder = folder_of(archive);
    DIR *d = folder ? opendir(folder) : NULL;
    const struct dirent *e;
    int n = 0;
    size_t at = 0;
    *out = '\0';
    while (d && (e = readdir(d))) {
        if (!is_ompio_lock(e->d_name, own))
            continue;
        if (n++ < 3 && at < size)
            at += (size_t)snprintf(out + at, size - at, "%s%s", n > 1 ? ", " : "", e->d_name);
    }
    if (n > 3 && at < size)
        (void)snprintf(out + at, size - at, " and %d more", n - 3);
    if (d)
        closedir(d);
    free(folder);
}

static void check_room(const xa_loaded *l, const char *folder, double bytes, xa_problems *problems)
{
    struct statvfs fs;
    struct rlimit limit;
    char a[32], b[32];
    xa_bytes_text(bytes, a, sizeof a);
    if (statvfs(folder, &fs) == 0 && fs.f_blocks > 0) {
        const double room = (double)fs.f_bavail * (double)fs.f_frsize;
        if (room < bytes)
            xa_problems_add(problems,
                            l->job.file,
                            0,
                            false,
                            "output: the archive will have %s, and \"%s\" has room for %s: free "
                            "some, or choose another folder",
                            a,
                            folder,
                            xa_bytes_text(room, b, sizeof b));
    }
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        (double)limit.rlim_cur < bytes)
        xa_problems_add(
            problems,
            l->job.file,
            0,
            false,
            "output: the archive will have %s, and this shell allows files of %s: raise "
            "ulimit -f",
            a,
            xa_bytes_text((double)limit.rlim_cur, b, sizeof b));
}

static void check_lock(const xa_loaded *l, xa_problems *problems)
{
    xa_err why = XA_ERR_INIT;
    char stale[512];
    if (xa_lock_look(l->job.output, &why) != XA_OK)
        xa_problems_add(problems, l->job.file, 0, true, "output: %s", why.message);
    xa_stale_locks(l->job.output, stale, sizeof stale);
    if (*stale)
        xa_problems_add(
            problems,
            l->job.file,
            0,
            true,
            "output: %s beside it: these lock files of Open MPI were left by killed runs; remove "
            "them while no run writes there",
            stale);
}

/* The maps of an evaluation are links into another archive, and a run must not write there. */
static xa_status refuse_evaluation(const char *path, xa_err *err)
{
    xa_status st = XA_OK;
    xa_archive *a = NULL;
    char *from = NULL;
    XA_TRY(err, xa_archive_open_read(path, &a, err));
    XA_TRY(err, xa_archive_attr_text(a, "/", "evaluated_from", &from, err));
    if (from)
        XA_FAIL(err,
                XA_INVALID,
                "%s holds an evaluation of %s, which a run cannot continue: give another --output",
                path,
                from);
done:
    free(from);
    if (a && xa_archive_close(a, NULL) != XA_OK)
        xa_log(XA_LOG_DEBUG, "%s: closing failed", path);
    return st;
}

xa_status xa_check_archive(
    const char *path, const char *identity, const char *job, bool retry_failed, xa_err *err)
{
    XA_RETURN_TRY(err, xa_identity_check(path, identity, job, retry_failed, err));
    return refuse_evaluation(path, err);
}

void xa_check_output(const xa_loaded *l, double bytes, xa_problems *problems)
{
    struct stat s;
    char *folder = folder_of(l->job.output);
    if (!folder) {
        xa_problems_add(problems, l->job.file, 0, false, "out of memory");
        return;
    }
    if (stat(folder, &s) != 0)
        xa_problems_add(
            problems,
            l->job.file,
            0,
            false,
            "output: the folder \"%s\" of \"%s\" cannot be used (%s): make it, or change "
            "`output`",
            folder,
            l->job.output,
            strerror(errno));
    else if (!S_ISDIR(s.st_mode))
        xa_problems_add(problems,
                        l->job.file,
                        0,
                        false,
                        "output: \"%s\" is a file, and no folder for \"%s\"",
                        folder,
                        l->job.output);
    else if (access(folder, W_OK | X_OK) != 0)
        xa_problems_add(problems,
                        l->job.file,
                        0,
                        false,
                        "output: no file can be made in \"%s\": %s",
                        folder,
                        strerror(errno));
    else if (access(l->job.output, F_OK) == 0 && access(l->job.output, R_OK | W_OK) != 0)
        xa_problems_add(problems,
                        l->job.file,
                        0,
                        false,
                        "output: \"%s\" cannot be written: %s",
                        l->job.output,
                        strerror(errno));
    else {
        check_room(l, folder, bytes, problems);
        check_lock(l, problems);
    }
    free(folder);
}
