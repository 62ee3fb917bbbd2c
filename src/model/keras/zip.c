/* .keras archives: config.json, metadata.json and model.weights.h5 in a zip. Only these names are
 * read, sizes are checked before memory is allocated, and libzip checks the CRC of contents. */
#include "zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

/* Compression shrinks weights by a few per cent, constant ones by much more, a decompression bomb a
 * thousandfold. */
enum { MAX_RATIO = 256, CHUNK = 1 << 18 };

/* Opens the archive; *size is its size. */
static xa_status open_zip(const char *path, zip_t **out, int64_t *size, xa_err *err)
{
    int code = 0, fd = -1;
    XA_RETURN_TRY(err, xa_open_regular(path, &fd, size, err));
    close(fd);
    *out = zip_open(path, ZIP_RDONLY, &code);
    if (*out)
        return XA_OK;
    zip_error_t why;
    char text[160];
    zip_error_init_with_code(&why, code);
    xa_str_sanitise(zip_error_strerror(&why), text, sizeof text);
    zip_error_fini(&why);
    XA_RETURN_FAIL(err, XA_FORMAT, "%s: a .keras archive that cannot be opened (%s)", path, text);
}

/* Opens a member; *size is its size. */
static xa_status open_member(zip_t *z,
                             const char *path,
                             int64_t archive,
                             const char *member,
                             zip_file_t **file,
                             uint64_t *size,
                             xa_err *err)
{
    const zip_uint64_t wanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_ENCRYPTION_METHOD;
    zip_stat_t s;
    if (zip_stat(z, member, 0, &s) != 0 || (s.valid & wanted) != wanted)
        XA_RETURN_FAIL(
            err,
            XA_FORMAT,
            "%s: a zip archive without \"%s\"; a .keras file of Keras 3 (or tf.keras 2.12 "
            "and later) is expected",
            path,
            member);
    if (s.encryption_method != ZIP_EM_NONE)
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "%s: \"%s\" is encrypted", path, member);
    if (s.comp_size > (uint64_t)archive)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: \"%s\" says it has %" PRIu64 " bytes, of an archive of %" PRId64,
                       path,
                       member,
                       (uint64_t)s.comp_size,
                       archive);
    if (s.size / MAX_RATIO > s.comp_size + 4096)
        XA_RETURN_FAIL(err,
                       XA_LIMIT,
                       "%s: \"%s\" says it unpacks %" PRIu64 " bytes to %" PRIu64
                       ": more than weights can; refused",
                       path,
                       member,
                       (uint64_t)s.comp_size,
                       (uint64_t)s.size);
    *file = zip_fopen(z, member, 0);
    if (!*file)
        XA_RETURN_FAIL(
            err, XA_FORMAT, "%s: \"%s\" cannot be unpacked (%s)", path, member, zip_strerror(z));
    *size = s.size;
    return XA_OK;
}

/* Reads to the end, where libzip checks the CRC, and gives the pieces to `take`. */
static xa_status read_member(zip_file_t *file,
                             const char *path,
                             const char *member,
                             uint64_t size,
                             xa_status (*take)(void *arg, const void *bytes, size_t n, xa_err *err),
                             void *arg,
                             xa_err *err)
{
    uint64_t total = 0;
    xa_status st = XA_OK;
    char *buffer = xa_alloc(CHUNK, 1);
    if (!buffer)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    for (;;) {
        const zip_int64_t n = zip_fread(file, buffer, CHUNK);
        if (n < 0)
            XA_FAIL(err,
                    XA_FORMAT,
                    "%s: \"%s\" is damaged (%s)",
                    path,
                    member,
                    zip_file_strerror(file));
        if (n == 0)
            break;
        total += (uint64_t)n;
        if (total > size)
            break;
        XA_TRY(err, take(arg, buffer, (size_t)n, err));
    }
    if (total != size)
        XA_FAIL(err,
                XA_FORMAT,
                "%s: \"%s\" has %s than the %" PRIu64 " bytes it says",
                path,
                member,
                total > size ? "more" : "fewer",
                size);
done:
    free(buffer);
    return st;
}

static xa_status take_text(void *arg, const void *bytes, size_t n, xa_err *err)
{
    (void)err;
    xa_str_add(arg, bytes, n);
    return XA_OK;
}

xa_status xa__kzip_text(
    const char *path, const char *member, size_t limit, char **text, size_t *size, xa_err *err)
{
    xa_status st = XA_OK;
    zip_t *z = NULL;
    zip_file_t *file = NULL;
    xa_str s = {0};
    uint64_t bytes;
    int64_t archive;
    XA_TRY(err, open_zip(path, &z, &archive, err));
    XA_TRY(err, open_member(z, path, archive, member, &file, &bytes, err));
    if (bytes > limit)
        XA_FAIL(err,
                XA_LIMIT,
                "%s: \"%s\" has %" PRIu64 " bytes, at most %zu are read",
                path,
                member,
                bytes,
                limit);
    XA_TRY(err, read_member(file, path, member, bytes, take_text, &s, err));
    if (s.failed)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    *size = s.len;
    *text = s.data ? s.data : xa_strdup("");
    s = (xa_str){0};
    if (!*text)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
done:
    xa_str_free(&s);
    if (file)
        zip_fclose(file);
    if (z)
        zip_discard(z);
    return st;
}

typedef struct space {
    char *bytes;
    size_t used;
} space;

static xa_status take_bytes(void *arg, const void *bytes, size_t n, xa_err *err)
{
    space *s = arg;
    (void)err;
    memcpy(s->bytes + s->used, bytes, n); /* read_member stops at the member's size */
    s->used += n;
    return XA_OK;
}

xa_status
xa__kzip_bytes(const char *path, const char *member, void **bytes, size_t *size, xa_err *err)
{
    xa_status st = XA_OK;
    zip_t *z = NULL;
    zip_file_t *file = NULL;
    space s = {0};
    uint64_t whole;
    int64_t archive;
    XA_TRY(err, open_zip(path, &z, &archive, err));
    XA_TRY(err, open_member(z, path, archive, member, &file, &whole, err));
    s.bytes = whole < SIZE_MAX ? xa_alloc((size_t)whole + 1, 1) : NULL;
    if (!s.bytes)
        XA_FAIL(err,
                XA_NOMEM,
                "%s: out of memory for \"%s\", %" PRIu64 " bytes unpacked",
                path,
                member,
                whole);
    XA_TRY(err, read_member(file, path, member, whole, take_bytes, &s, err));
    *bytes = s.bytes;
    *size = s.used;
    s.bytes = NULL;
done:
    free(s.bytes);
    if (file)
        zip_fclose(file);
    if (z)
        zip_discard(z);
    return st;
}

bool xa__kzip_holds(const char *path, const char *part)
{
    const zip_int64_t most = 65536; /* the first names of an archive show what it is */
    zip_t *z = NULL;
    int64_t size;
    bool found = false;
    if (open_zip(path, &z, &size, NULL) != XA_OK)
        return false;
    const zip_int64_t n = zip_get_num_entries(z, 0);
    for (zip_int64_t i = 0; i < n && i < most && !found; i++) {
        const char *name = zip_get_name(z, (zip_uint64_t)i, 0);
        found = name && strstr(name, part);
    }
    zip_discard(z);
    return found;
}
