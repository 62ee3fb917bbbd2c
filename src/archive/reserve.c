/* The archive's place on the disk: room, a temporary name, the final name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "archive_internal.h"

/* ---- room ------------------------------------------------------------------------------------ */

int64_t xa__free_bytes(int fd)
{
    struct statvfs info;
    uint64_t bytes;
    /* Some file systems (memory, user space) count nothing at all. */
    if (fstatvfs(fd, &info) != 0 || info.f_blocks == 0 ||
        __builtin_mul_overflow((uint64_t)info.f_bavail, (uint64_t)info.f_frsize, &bytes))
        return -1;
    return bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
}

static xa_status no_room(int fd, size_t size, xa_err *err)
{
    int64_t left = xa__free_bytes(fd);
    XA_RETURN_FAIL(err,
                   XA_NOSPACE,
                   "the archive needs %.1f MB, its file system has %.1f MB left: make room, or "
                   "choose another folder, fewer explainers or a smaller type",
                   (double)size / 1e6,
                   left >= 0 ? (double)left / 1e6 : 0.0);
}

xa_status xa__reserve(int fd, size_t size, bool *reserved, xa_err *err)
{
    /* Not posix_fallocate: where the file system has none, glibc writes a byte to every block. */
    int rc;
    do {
        rc = fallocate(fd, 0, 0, (off_t)size);
    } while (rc != 0 && errno == EINTR);
    *reserved = rc == 0;
    if (rc == 0)
        return XA_OK;
    switch (errno) {
    case ENOSPC:
        return no_room(fd, size, err);
    case EDQUOT:
        XA_RETURN_FAIL(err,
                       XA_NOSPACE,
                       "the archive needs %.1f MB, which is beyond the disk quota",
                       (double)size / 1e6);
    case EFBIG:
        XA_RETURN_FAIL(err,
                       XA_NOSPACE,
                       "the archive needs %.1f MB, the file system has no files of this size",
                       (double)size / 1e6);
    case EOPNOTSUPP:
    case ENOSYS:
    case EINVAL:
    case ENODEV:
        break;
    default:
        XA_RETURN_FAIL(err, XA_IO, "cannot reserve room: %s", strerror(errno));
    }
    int64_t left = xa__free_bytes(fd);
    if (left >= 0 && (uint64_t)left < size)
        return no_room(fd, size, err);
    return XA_OK;
}

/* ---- places ---------------------------------------------------------------------------------- */

xa_status xa__check_place(const char *path, size_t size, xa_err *err)
{
    xa_status st = XA_OK;
    struct stat info;
    struct rlimit most;
    char *folder = xa_path_folder(path);
    if (!folder)
        XA_FAIL(err, XA_NOMEM, "no memory");
    if (path[0] == '\0' || xa_str_ends(path, "/"))
        XA_FAIL(err, XA_INVALID, "'%s' is no name for an archive", path);
    if (stat(folder, &info) != 0)
        XA_FAIL(err,
                xa__errno_status(errno),
                "cannot create it in the folder %s: %s",
                folder,
                strerror(errno));
    if (!S_ISDIR(info.st_mode))
        XA_FAIL(err, XA_IO, "%s is not a folder", folder);
    if (lstat(path, &info) == 0)
        XA_FAIL(err, XA_BUSY, "exists already and is never replaced: rename or remove it");
    if (access(folder, W_OK | X_OK) != 0)
        XA_FAIL(err, XA_IO, "cannot write to the folder %s: %s", folder, strerror(errno));
    /* Growing a file past this limit is not an error but a deadly signal. */
    if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur != RLIM_INFINITY &&
        most.rlim_cur < size)
        XA_FAIL(err,
                XA_NOSPACE,
                "the archive needs %.1f MB, files may have %.1f MB (ulimit -f)",
                (double)size / 1e6,
                (double)most.rlim_cur / 1e6);
done:
    free(folder);
    return st;
}

static void host_name(char *out, size_t size)
{
    if (gethostname(out, size) != 0 || out[0] == '\0')
        snprintf(out, size, "localhost");
    out[size - 1] = '\0';
}

char *xa__temp_name(const char *path)
{
    char host[256];
    host_name(host, sizeof host);
    return xa_strfmt("%s.tmp-%s-%ld", path, host, (long)getpid());
}

void xa__remove_stale(const char *path)
{
    char host[256];
    host_name(host, sizeof host);
    const char *slash = strrchr(path, '/');
    char *folder = xa_path_folder(path);
    char *prefix = xa_strfmt("%s.tmp-%s-", slash ? slash + 1 : path, host);
    DIR *dir = folder && prefix ? opendir(folder) : NULL;
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        int64_t pid;
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
            !xa_parse_i64(entry->d_name + strlen(prefix), &pid) || pid <= 0 || pid > INT32_MAX)
            continue;
        bool gone = pid == getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);
        if (gone && unlinkat(dirfd(dir), entry->d_name, 0) == 0)
            xa_log(XA_LOG_INFO, "%s: removed %s, left by a killed run", path, entry->d_name);
    }
    if (dir)
        closedir(dir);
    free(prefix);
    free(folder);
}

/* ---- the final name -------------------------------------------------------------------------- */

static xa_status sync_folder(const char *path, xa_err *err)
{
    xa_status st = XA_OK;
    int fd = -1;
    char *folder = xa_path_folder(path);
    if (!folder)
        XA_FAIL(err, XA_NOMEM, "no memory");
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        XA_FAIL(err, XA_IO, "cannot open the folder %s: %s", folder, strerror(errno));
    /* EINVAL: a file system whose folders need no fsync. */
    if (fsync(fd) != 0 && errno != EINVAL && errno != EOPNOTSUPP)
        XA_FAIL(err, XA_IO, "cannot sync the folder %s: %s", folder, strerror(errno));
done:
    if (fd >= 0)
        close(fd);
    free(folder);
    return st;
}

/* 0, or -1 with errno. link() is the older way not to replace; FAT and some network file systems
 * have neither, and there the check before the rename is all one can do. */
static int rename_new(const char *temp, const char *path)
{
    if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return -1;
    if (link(temp, path) == 0) {
        (void)unlink(temp); /* a second name does no harm */
        return 0;
    }
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
        return -1;
    struct stat info;
    if (lstat(path, &info) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(temp, path);
}

xa_status xa__publish(const char *temp, const char *path, xa_err *err)
{
    if (rename_new(temp, path) != 0) {
        if (errno == EEXIST)
            XA_RETURN_FAIL(err, XA_BUSY, "appeared meanwhile: another run created it");
        XA_RETURN_FAIL(
            err, xa__errno_status(errno), "cannot rename %s to it: %s", temp, strerror(errno));
    }
    xa_status st = sync_folder(path, err);
    if (st != XA_OK) {
        (void)unlink(path); /* a failure leaves nothing behind */
        return XA_ERR_PASS(err, st);
    }
    return XA_OK;
}
