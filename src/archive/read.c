/* Opening with the serial driver, and reading datasets. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive_internal.h"

hid_t xa__serial_access(void)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    /* Without the sieve buffer a write has reached the system when the call returns. */
    bool ok = access >= 0 && H5Pset_fapl_sec2(access) >= 0 && H5Pset_sieve_buf_size(access, 0) >= 0;
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
    /* Readers read while ranks write, and some file systems have no locks; xa_lock is what
     * keeps two runs apart. */
    ok = ok && H5Pset_file_locking(access, false, true) >= 0;
#endif
    if (!ok)
        xa__close_plist(&access);
    return access;
}

/* What is no HDF5 file at all gets a message without HDF5's words. */
static xa_status check_signature(const char *path, xa_err *err)
{
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char head[8];
    int64_t size = 0;
    int fd = -1;
    XA_RETURN_TRY(err, xa_open_regular(path, &fd, &size, err));
    ssize_t n = pread(fd, head, sizeof head, 0);
    int cause = errno;
    close(fd);
    if (n < 0)
        XA_RETURN_FAIL(err, XA_IO, "%s: cannot read: %s", path, strerror(cause));
    if (n == 0)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: expected an archive of xaudit, found no bytes", path);
    if ((size_t)n < sizeof head || memcmp(head, signature, sizeof head) != 0)
        XA_RETURN_FAIL(
            err, XA_FORMAT, "%s: expected an archive of xaudit, found no HDF5 file", path);
    return XA_OK;
}

/* "1.0" to its numbers. */
static bool parse_version(const char *text, int64_t *major, int64_t *minor)
{
    const char *dot = strchr(text, '.');
    char head[16];
    if (!dot || (size_t)(dot - text) >= sizeof head)
        return false;
    memcpy(head, text, (size_t)(dot - text));
    head[dot - text] = '\0';
    return xa_parse_i64(head, major) && xa_parse_i64(dot + 1, minor) && *major >= 0 && *minor >= 0;
}

static xa_status check_format(hid_t file, const char *path, xa_err *err)
{
    xa_status st = XA_OK;
    char *format = NULL, *version = NULL;
    int64_t major = 0, minor = 0;
    XA_TRY(err, xa__read_text(file, "/", "format", &format, err));
    XA_TRY(err, xa__read_text(file, "/", "format_version", &version, err));
    if (!format || strcmp(format, "xaudit") != 0)
        XA_FAIL(err,
                XA_FORMAT,
                "%s: an HDF5 file, but no archive of xaudit: the attribute format of / is %s%s%s, "
                "expected 'xaudit'",
                path,
                format ? "'" : "",
                format ? format : "not there",
                format ? "'" : "");
    if (!version || !parse_version(version, &major, &minor))
        XA_FAIL(err,
                XA_FORMAT,
                "%s: the attribute format_version of / is no version: '%s'",
                path,
                version ? version : "");
    if (major != XA_FORMAT_MAJOR)
        XA_FAIL(err,
                XA_FORMAT,
                "%s: format %s; this xaudit reads %d.x: use %s one",
                path,
                version,
                XA_FORMAT_MAJOR,
                major > XA_FORMAT_MAJOR ? "a newer" : "an older");
done:
    free(format);
    free(version);
    return st;
}

/* A reference of tests/parity/reference.py. */
static xa_status check_reference(hid_t file, const char *path, xa_err *err)
{
    static const char wanted[] = "xaudit-reference 1";
    xa_status st = XA_OK;
    char *format = NULL;
    XA_TRY(err, xa__read_text(file, "/", "format", &format, err));
    if (!format || strcmp(format, wanted) != 0)
        XA_FAIL(
            err,
            XA_FORMAT,
            "%s: expected a reference made by tests/parity/reference.py (format '%s'), found %s",
            path,
            wanted,
            format ? format : "another HDF5 file");
done:
    free(format);
    return st;
}

typedef xa_status xa__format_check(hid_t file, const char *path, xa_err *err);

static xa_status
open_checked(const char *path, unsigned flags, xa__format_check *check, hid_t *out, xa_err *err)
{
    xa_status st = XA_OK;
    hid_t access = -1, file = -1;
    XA_TRY(err, check_signature(path, err));
    access = xa__serial_access();
    if (access >= 0)
        file = H5Fopen(path, flags, access);
    if (file < 0)
        XA_H5_FAIL(err, XA_FORMAT, "%s: cannot open it as HDF5", path);
    XA_TRY(err, check(file, path, err));
    *out = file;
    file = -1;
done:
    if (file >= 0)
        (void)H5Fclose(file);
    xa__close_plist(&access);
    return st;
}

xa_status xa__open_serial(const char *path, unsigned flags, hid_t *out, xa_err *err)
{
    return open_checked(path, flags, check_format, out, err);
}

static xa_status open_read(const char *path, xa_archive **out, xa__format_check *check, xa_err *err)
{
    xa_status st = XA_OK;
    xa_archive *a = NULL;
    hid_t file = -1;
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    XA_TRY(err, open_checked(path, H5F_ACC_RDONLY, check, &file, err));
    a = xa_alloc(1, sizeof *a);
    if (!a || !(a->path = xa_strdup(path)))
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    a->file = file;
    a->fd = -1;
    file = -1;
    *out = a;
    a = NULL;
done:
    free(a);
    if (file >= 0)
        (void)H5Fclose(file);
    xa__quiet_end(&quiet);
    return st;
}

xa_status xa_archive_open_read(const char *path, xa_archive **out, xa_err *err)
{
    return open_read(path, out, check_format, err);
}

xa_status xa_reference_open(const char *path, xa_archive **out, xa_err *err)
{
    return open_read(path, out, check_reference, err);
}

/* ---- datasets -------------------------------------------------------------------------------- */

/* Maps of an evaluation lie in the archive it was made from. HDF5 also looks for that one in the
 * working folder, where another of its name may lie: only the one beside counts. */
xa_status xa_archive_check_link(const xa_archive *a, const char *path, xa_err *err)
{
    xa_status st = XA_OK;
    H5L_info_t info;
    const char *target = NULL, *object = NULL;
    char *text = NULL, *beside = NULL;
    unsigned flags = 0;
    if (H5Lget_info(a->file, path, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_EXTERNAL ||
        info.u.val_size > 65536)
        return XA_OK;
    text = xa_alloc(info.u.val_size + 1, 1);
    if (!text)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", a->path);
    if (H5Lget_val(a->file, path, text, info.u.val_size, H5P_DEFAULT) < 0 ||
        H5Lunpack_elink_val(text, info.u.val_size, &flags, &target, &object) < 0)
        XA_H5_FAIL(err, XA_FORMAT, "%s: %s: a link that cannot be read", a->path, path);
    beside = xa_path_beside(a->path, target);
    if (!beside)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", a->path);
    if (access(beside, R_OK) != 0)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s needs the archive it was made from, which holds its maps, and \"%s\" is not "
                "there: keep both together",
                a->path,
                beside);
done:
    free(text);
    free(beside);
    return st;
}

xa_status xa_archive_dataset(xa_archive *a, const char *path, xa_dataset_info *out, xa_err *err)
{
    xa_status st = XA_OK;
    hid_t dataset = -1;
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    XA_TRY(err, xa_archive_check_link(a, path, err));
    dataset = H5Dopen2(a->file, path, H5P_DEFAULT);
    if (dataset < 0)
        XA_FAIL(err, XA_NOT_FOUND, "%s: no dataset %s", a->path, path);
    if (!xa__describe(dataset, path, out))
        XA_FAIL(err, XA_UNSUPPORTED, "%s: %s is beyond what format 1 knows", a->path, path);
    st = xa__check_stored(dataset, out, err);
    if (st != XA_OK)
        xa_err_prefix(err, "%s", a->path);
done:
    xa__close_dataset(&dataset);
    xa__quiet_end(&quiet);
    return st;
}

static xa_status read_rows(const xa__rows *rows, int64_t first, int64_t n, void *data, xa_err *err)
{
    xa_status st = XA_OK;
    int64_t at = first;
    XA_TRY(err, xa__rows_check(rows, first, n, err));
    if (!xa__rows_move(rows, first, n, data, NULL, &at))
        XA_H5_FAIL(err, XA_IO, "%s: cannot read from row %" PRId64 " on", rows->info.path, at);
done:
    return st;
}

xa_status
xa_archive_read(xa_archive *a, const char *path, int64_t first, int64_t n, void *data, xa_err *err)
{
    xa_status st = XA_OK;
    xa__rows rows = {.dataset = -1, .space = -1, .type = -1};
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    XA_TRY(err, xa__rows_open(a->file, path, XA__NATIVE, &rows, err));
    XA_TRY(err, read_rows(&rows, first, n, data, err));
done:
    xa__rows_close(&rows);
    if (st != XA_OK)
        xa_err_prefix(err, "%s", a->path);
    xa__quiet_end(&quiet);
    return st;
}

xa_status xa_archive_read_all(
    xa_archive *a, const char *path, xa_dataset_info *info, void **data, xa_err *err)
{
    xa_status st = XA_OK;
    xa__rows rows = {.dataset = -1, .space = -1, .type = -1};
    char *all = NULL;
    size_t bytes = 0;
    hsize_t size = 0;
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    XA_TRY(err, xa__rows_open(a->file, path, XA__NATIVE, &rows, err));
    /* Deflate packs a thousand to one at best: what promises more is damaged, or meant to hurt. */
    if (H5Fget_filesize(a->file, &size) < 0)
        XA_H5_FAIL(err, XA_IO, "cannot ask for the file's size");
    if (!xa_size_mul(rows.row_bytes, (size_t)rows.count, &bytes) || bytes == SIZE_MAX ||
        bytes / 1032 > size)
        XA_FAIL(err,
                XA_LIMIT,
                "%s: %" PRId64 " rows of %zu bytes are more than a file of %" PRIu64
                " bytes can hold",
                path,
                rows.count,
                rows.row_bytes,
                (uint64_t)size);
    all = malloc(bytes + 1);
    if (!all)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for its %zu bytes", path, bytes);
    all[bytes] = '\0';
    XA_TRY(err, read_rows(&rows, 0, rows.count, all, err));
    *info = rows.info;
    *data = all;
    all = NULL;
done:
    free(all);
    xa__rows_close(&rows);
    if (st != XA_OK)
        xa_err_prefix(err, "%s", a->path);
    xa__quiet_end(&quiet);
    return st;
}

xa_status xa_archive_text(xa_archive *a, xa_field_kind kind, char **out, xa_err *err)
{
    const xa_field_def *field = xa_field_get(kind);
    xa_dataset_info info;
    char *text = NULL;
    void *row = NULL;
    if (xa_field_owner(kind) != XA_OWNER_TEXT)
        XA_RETURN_FAIL(err, XA_INVALID, "field %d is no text of the whole archive", (int)kind);
    XA_RETURN_TRY(err, xa_archive_attr_text(a, "/", field->path + 1, &text, err));
    if (!text && xa_archive_dataset(a, field->path, &info, NULL) == XA_OK) {
        if (info.type != XA_TYPE_STR || info.ndim != 1 || info.dim[0] != 1)
            XA_RETURN_FAIL(err, XA_FORMAT, "%s: %s is not one text", a->path, field->path);
        XA_RETURN_TRY(err, xa_archive_read_all(a, field->path, &info, &row, err));
        text = row; /* a NUL follows the row */
    }
    *out = text;
    return XA_OK;
}

xa_status xa_archive_digest(xa_archive *a, const char *path, char hex[XA_SHA256_HEX], xa_err *err)
{
    enum { PIECE = 8 << 20 };
    xa_status st = XA_OK;
    xa__rows rows = {.dataset = -1, .space = -1, .type = -1};
    xa_sha256 *hash = NULL;
    unsigned char *piece = NULL;
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    XA_TRY(err, xa__rows_open(a->file, path, XA__AS_STORED, &rows, err));
    XA_TRY(err, xa_sha256_create(&hash, err));
    if (rows.row_bytes > 0 && rows.count > 0) {
        int64_t step = rows.row_bytes < PIECE ? (int64_t)(PIECE / rows.row_bytes) : 1;
        step = step < rows.count ? step : rows.count;
        const size_t bytes = (size_t)step * rows.row_bytes;
        piece = malloc(bytes);
        if (!piece)
            XA_FAIL(err, XA_NOMEM, "%s: out of memory for %zu bytes", path, bytes);
        for (int64_t first = 0; first < rows.count; first += step) {
            const int64_t n = rows.count - first < step ? rows.count - first : step;
            XA_TRY(err, read_rows(&rows, first, n, piece, err));
            xa_sha256_add(hash, piece, (size_t)n * rows.row_bytes);
        }
    }
    xa_sha256_hex(hash, hex);
    if (hex[0] == '\0')
        XA_FAIL(err, XA_IO, "%s: the crypto library failed to hash", path);
done:
    free(piece);
    xa_sha256_free(hash);
    xa__rows_close(&rows);
    if (st != XA_OK)
        xa_err_prefix(err, "%s", a->path);
    xa__quiet_end(&quiet);
    return st;
}
