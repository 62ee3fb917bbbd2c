/* Paths and whole files. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xaudit/util.h"

const char *xa_path_last(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *xa_path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xa_strdup(".");
    return slash == path ? xa_strdup("/") : xa_strndup(path, (size_t)(slash - path));
}

char *xa_path_beside(const char *base_file, const char *path)
{
    if (!path)
        return NULL;
    const char *slash = base_file ? strrchr(base_file, '/') : NULL;
    if (path[0] == '/' || !slash)
        return xa_strdup(path);
    size_t dir = (size_t)(slash - base_file) + 1;
    size_t n = strlen(path);
    size_t total;
    if (!xa_size_add(dir, n, &total) || total >= PTRDIFF_MAX)
        return NULL;
    char *joined = malloc(total + 1);
    if (!joined)
        return NULL;
    memcpy(joined, base_file, dir);
    memcpy(joined + dir, path, n + 1);
    return joined;
}

/* Is path[0 .. n) a folder itself, not a link to one? */
static bool is_plain_folder(char *path, size_t n)
{
    struct stat info;
    const char after = path[n];
    path[n] = '\0';
    const bool is = lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
    path[n] = after;
    return is;
}

void xa_path_tidy(char *path)
{
    size_t len = 0; /* of the part that is tidy */
    const char *in = path;
    if (*in == '\0')
        return;
    if (*in == '/')
        path[len++] = *in++;
    const size_t root = len;
    while (*in != '\0') {
        const size_t n = strcspn(in, "/");
        const char *next = in[n] == '/' ? in + n + 1 : in + n;
        size_t last = len; /* where the part that ends at len, with its slash, begins */
        while (last > root && (last == len || path[last - 1] != '/'))
            last--;
        const bool up = n == 2 && memcmp(in, "..", 2) == 0;
        const bool after_up = len - last == 3 && memcmp(path + last, "../", 3) == 0;
        if (up && len > root && !after_up && is_plain_folder(path, len - 1)) {
            len = last;
        } else if (n > 0 && !(n == 1 && *in == '.')) {
            memmove(path + len, in, (size_t)(next - in));
            len += (size_t)(next - in);
        }
        in = next;
    }
    if (len == 0)
        path[len++] = '.';
    if (len > root && path[len - 1] == '/')
        len--; /* a/b/.. is a */
    path[len] = '\0';
}

xa_status xa_open_regular(const char *path, int *out_fd, int64_t *size, xa_err *err)
{
    xa_status st = XA_OK;
    struct stat info;
    /* Without O_NONBLOCK, opening a pipe would wait until somebody writes to it. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        XA_FAIL(err,
                errno == ENOENT || errno == ENOTDIR ? XA_NOT_FOUND : XA_IO,
                "%s: cannot open: %s",
                path,
                strerror(errno));
    if (fstat(fd, &info) != 0)
        XA_FAIL(err, XA_IO, "%s: cannot inspect: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        XA_FAIL(err,
                XA_IO,
                "%s: expected a regular file, found %s",
                path,
                S_ISDIR(info.st_mode) ? "a folder" : "a device, pipe or socket");
    *out_fd = fd;
    if (size)
        *size = info.st_size;
    fd = -1;
done:
    if (fd >= 0)
        close(fd);
    return st;
}

xa_status xa_read_fd(int fd, const char *path, void *to, size_t size, size_t *got, xa_err *err)
{
    size_t len = 0;
    while (len < size) {
        ssize_t n = read(fd, (char *)to + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            XA_RETURN_FAIL(err, XA_IO, "%s: cannot read: %s", path, strerror(errno));
        if (n == 0)
            break;
        len += (size_t)n;
    }
    *got = len;
    return XA_OK;
}

xa_status xa_read_file(const char *path, size_t limit, char **data, size_t *size, xa_err *err)
{
    xa_status st = XA_OK;
    char *bytes = NULL;
    size_t cap = 0;
    size_t len = 0;
    int64_t said = 0;
    int fd = -1;

    XA_TRY(err, xa_open_regular(path, &fd, &said, err));
    if (limit > PTRDIFF_MAX - 2)
        limit = PTRDIFF_MAX - 2;
    if (said > 0 && (uintmax_t)said > limit)
        XA_FAIL(
            err, XA_LIMIT, "%s: at most %zu bytes are accepted, found %" PRId64, path, limit, said);
    /* One byte more than the stated size shows the end of the file without growing the buffer
     * again. Files that change while they are read, or state 0 as those of /proc do, are read to
     * their end too. */
    XA_TRY(err, xa_grow(&bytes, &cap, (size_t)said + 2, 1, err));
    for (;;) {
        size_t n = 0;
        XA_TRY(err, xa_read_fd(fd, path, bytes + len, cap - len - 1, &n, err));
        len += n;
        if (len > limit)
            XA_FAIL(err, XA_LIMIT, "%s: at most %zu bytes are accepted, found more", path, limit);
        if (len + 1 < cap)
            break;
        XA_TRY(err, xa_grow(&bytes, &cap, cap + 2, 1, err));
    }
    bytes[len] = '\0';
    *data = bytes;
    *size = len;
    bytes = NULL;
done:
    if (fd >= 0)
        close(fd);
    free(bytes);
    return st;
}

xa_status xa_sha256_file(const char *path, char hex[XA_SHA256_HEX], xa_err *err)
{
    enum { CHUNK = 1 << 18 };
    xa_status st = XA_OK;
    xa_sha256 *h = NULL;
    unsigned char *chunk = NULL;
    size_t n = 0;
    int fd = -1;

    XA_TRY(err, xa_open_regular(path, &fd, NULL, err));
    XA_TRY(err, xa_sha256_create(&h, err));
    chunk = malloc(CHUNK);
    if (!chunk)
        XA_FAIL(err, XA_NOMEM, "out of memory for %d bytes", (int)CHUNK);
    do {
        XA_TRY(err, xa_read_fd(fd, path, chunk, CHUNK, &n, err));
        xa_sha256_add(h, chunk, n);
    } while (n == CHUNK);
    xa_sha256_hex(h, hex);
    if (hex[0] == '\0')
        XA_FAIL(err, XA_IO, "%s: the crypto library failed to hash", path);
done:
    if (fd >= 0)
        close(fd);
    free(chunk);
    xa_sha256_free(h);
    return st;
}
