/* From a path to pixels: which files are opened, by which decoder, and what any other file is. */
#include "image_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 132 }; /* enough for each signature below; DICOM's is at byte 128 */

typedef enum kind { KIND_UNKNOWN, KIND_JPEG, KIND_PNG, KIND_TIFF } kind;

struct signature {
    const char *name; /* with its article */
    const char *bytes;
    uint8_t at, size;
    kind kind;
};

#define SIG(name, at, bytes, kind)               \
    {                                            \
        name, bytes, at, sizeof(bytes) - 1, kind \
    }
static const struct signature SIGNATURES[] = {
    SIG("a JPEG", 0, "\xff\xd8\xff", KIND_JPEG),
    SIG("a PNG", 0, "\x89PNG\r\n\x1a\n", KIND_PNG),
    SIG("a TIFF", 0, "II*\0", KIND_TIFF),
    SIG("a TIFF", 0, "MM\0*", KIND_TIFF),
    SIG("a BigTIFF", 0, "II+\0", KIND_TIFF),
    SIG("a BigTIFF", 0, "MM\0+", KIND_TIFF),
    SIG("a GIF", 0, "GIF8", KIND_UNKNOWN),
    SIG("a WebP", 8, "WEBP", KIND_UNKNOWN),
    SIG("a HEIC", 4, "ftyphei", KIND_UNKNOWN),
    SIG("a HEIC", 4, "ftyphev", KIND_UNKNOWN),
    SIG("a HEIC", 4, "ftypmif1", KIND_UNKNOWN),
    SIG("an AVIF", 4, "ftypavif", KIND_UNKNOWN),
    SIG("a JPEG 2000", 0, "\0\0\0\x0cjP  ", KIND_UNKNOWN),
    SIG("a JPEG 2000", 0, "\xff\x4f\xff\x51", KIND_UNKNOWN),
    SIG("a JPEG XL", 0, "\xff\x0a", KIND_UNKNOWN),
    SIG("a JPEG XL", 0, "\0\0\0\x0cJXL ", KIND_UNKNOWN),
    SIG("a DICOM file", 128, "DICM", KIND_UNKNOWN),
    SIG("a NumPy array (NPY)", 0, "\x93NUMPY", KIND_UNKNOWN),
    SIG("an HDF5 file", 0, "\x89HDF\r\n\x1a\n", KIND_UNKNOWN),
    SIG("a FITS file", 0, "SIMPLE  =", KIND_UNKNOWN),
    SIG("an OpenEXR image", 0, "\x76\x2f\x31\x01", KIND_UNKNOWN),
    SIG("a Photoshop document", 0, "8BPS", KIND_UNKNOWN),
    SIG("a PDF", 0, "%PDF", KIND_UNKNOWN),
    SIG("a zip archive", 0, "PK\x03\x04", KIND_UNKNOWN),
    SIG("gzip data", 0, "\x1f\x8b", KIND_UNKNOWN),
    SIG("a Git LFS pointer", 0, "version https://git-lfs", KIND_UNKNOWN),
    SIG("an HTML page", 0, "<!DOCTYPE html", KIND_UNKNOWN),
    SIG("an HTML page", 0, "<!doctype html", KIND_UNKNOWN),
    SIG("an HTML page", 0, "<html", KIND_UNKNOWN),
    SIG("an XML file", 0, "<?xml", KIND_UNKNOWN),
    SIG("a BMP", 0, "BM", KIND_UNKNOWN),
    SIG("a PNM", 0, "P2\n", KIND_UNKNOWN),
    SIG("a PNM", 0, "P3\n", KIND_UNKNOWN),
    SIG("a PNM", 0, "P5\n", KIND_UNKNOWN),
    SIG("a PNM", 0, "P6\n", KIND_UNKNOWN),
};
#undef SIG

static const struct signature *recognise(const uint8_t *head, size_t size)
{
    for (size_t i = 0; i < sizeof SIGNATURES / sizeof *SIGNATURES; i++) {
        const struct signature *s = &SIGNATURES[i];
        if ((size_t)s->at + s->size <= size && memcmp(head + s->at, s->bytes, s->size) == 0)
            return s;
    }
    return NULL;
}

xa_decode_options xa_decode_defaults(void)
{
    return (xa_decode_options){.max_pixels = INT64_C(2) * 178956970, .max_bytes = INT64_C(4) << 30};
}

/* Reads the first `size` bytes; it is an error if the file has become shorter. */
static xa_status read_start(int fd, const char *path, void *to, size_t size, xa_err *err)
{
    size_t got = 0;
    if (lseek(fd, 0, SEEK_SET) != 0)
        XA_RETURN_FAIL(err, XA_IO, "%s: cannot seek: %s", path, strerror(errno));
    XA_RETURN_TRY(err, xa_read_fd(fd, path, to, size, &got, err));
    if (got < size)
        XA_RETURN_FAIL(
            err, XA_IO, "%s: ended after %zu of %zu bytes while it was read", path, got, size);
    return XA_OK;
}

static xa_status check_options(const xa_decode_options *opt, xa_err *err)
{
    if (opt->max_pixels < 1 || opt->max_bytes < 1)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "the limits max_pixels (%" PRId64 ") and max_bytes (%" PRId64
                       ") must be at least 1",
                       opt->max_pixels,
                       opt->max_bytes);
    if (opt->page < 0)
        XA_RETURN_FAIL(err, XA_INVALID, "page %d: pages are counted from 0", opt->page);
    return XA_OK;
}

/* A JPEG or PNG as a whole in memory. For a header, the libraries read only what they need of it.
 */
static xa_status decode_memory(const struct signature *s,
                               const uint8_t *data,
                               size_t size,
                               const xa_decode_options *opt,
                               bool header_only,
                               xa_image *im,
                               xa_err *err)
{
    if (opt->page != 0)
        XA_RETURN_FAIL(
            err, XA_INVALID, "page %d is requested, but %s has only page 0", opt->page, s->name);
    return s->kind == KIND_JPEG ? xa__jpeg_decode(data, size, opt, header_only, im, err)
                                : xa__png_decode(data, size, opt, header_only, im, err);
}

static const struct signature *supported(const uint8_t *head, size_t size, xa_err *err)
{
    const struct signature *s = recognise(head, size);
    if (!s)
        XA_ERR(err,
               XA_UNSUPPORTED,
               "is of an unknown format (it begins %02x %02x %02x %02x); xaudit reads JPEG, PNG "
               "and TIFF",
               head[0],
               head[1],
               head[2],
               head[3]);
    else if (s->kind == KIND_UNKNOWN)
        XA_ERR(err, XA_UNSUPPORTED, "is %s; xaudit reads JPEG, PNG and TIFF", s->name);
    return s && s->kind != KIND_UNKNOWN ? s : NULL;
}

static xa_status read_path(
    const char *path, const xa_decode_options *opt, bool header_only, xa_image *out, xa_err *err)
{
    const xa_decode_options defaults = xa_decode_defaults();
    uint8_t head[HEAD] = {0}, *data = NULL;
    char clean[512];
    xa_image im = {0};
    xa_status st;
    bool named = false; /* messages of util name the path already */
    int64_t size = 0;
    int fd = -1;
    if (!opt)
        opt = &defaults;
    XA_TRY(err, check_options(opt, err));
    named = true;
    XA_TRY(err, xa_open_regular(path, &fd, &size, err));
    const size_t nhead = size < HEAD ? (size_t)size : HEAD;
    XA_TRY(err, read_start(fd, path, head, nhead, err));
    named = false;
    if (size == 0)
        XA_FAIL(err, XA_FORMAT, "is empty (0 bytes); an image is expected");
    const struct signature *s = supported(head, nhead, err);
    if (!s)
        XA_TRY(err, XA_UNSUPPORTED);
    if (size > opt->max_bytes)
        XA_FAIL(err,
                XA_LIMIT,
                "has %" PRId64 " bytes, more than the limit of %" PRId64
                "; raise max_bytes if the file is to "
                "be trusted",
                size,
                opt->max_bytes);
    if (s->kind == KIND_TIFF) {
        XA_TRY(err, xa__tiff_decode(fd, (uint64_t)size, opt, header_only, &im, err));
    } else {
        data = xa_alloc_aligned((size_t)size);
        if (!data)
            XA_FAIL(err, XA_NOMEM, "out of memory for the %" PRId64 " bytes of the file", size);
        named = true;
        XA_TRY(err, read_start(fd, path, data, (size_t)size, err));
        named = false;
        XA_TRY(err, decode_memory(s, data, (size_t)size, opt, header_only, &im, err));
    }
    if (!opt->ignore_orientation)
        XA_TRY(err, xa__image_orient(&im, err));
    *out = im;
    close(fd);
    free(data);
    return XA_OK;
done:
    if (fd >= 0)
        close(fd);
    free(data);
    xa_image_fini(&im);
    xa_str_sanitise(path, clean, sizeof clean);
    if (!named)
        xa_err_prefix(err, "%s", clean);
    return st;
}

xa_status xa_image_read(const char *path, const xa_decode_options *opt, xa_image *im, xa_err *err)
{
    return read_path(path, opt, false, im, err);
}

xa_status xa_image_probe(const char *path, const xa_decode_options *opt, xa_image *im, xa_err *err)
{
    return read_path(path, opt, true, im, err);
}

void xa_image_libraries(char *out, size_t size)
{
    const char *tiff = xa__tiff_library(), *version = strstr(tiff, "Version ");
    version = version ? version + strlen("Version ") : tiff;
    snprintf(out,
             size,
             "%s, libpng %s, libtiff %.*s",
             xa__jpeg_library(),
             xa__png_library(),
             (int)strcspn(version, "\r\n"),
             version);
}
