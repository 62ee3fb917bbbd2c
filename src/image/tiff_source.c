/* libtiff's input and its messages. */
#include "tiff_source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* libtiff 4.5 has message handlers per file. Before, handlers are of the whole process, but receive
 * the file's client data. */
#if TIFFLIB_VERSION >= 20221213
#define HANDLERS_PER_FILE 1
#else
#define HANDLERS_PER_FILE 0
#endif

#define OPENED_AS "TIFF"

static tmsize_t on_read(thandle_t h, void *out, tmsize_t n)
{
    xa__tiff_source *s = (xa__tiff_source *)h;
    tmsize_t have = 0;
    while (have < n) {
        const ssize_t got = pread(
            s->fd, (uint8_t *)out + have, (size_t)(n - have), (off_t)(s->at + (uint64_t)have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        have += got;
    }
    s->at += (uint64_t)have;
    return have;
}

static tmsize_t on_write(thandle_t h, void *data, tmsize_t n)
{
    (void)h, (void)data, (void)n;
    return -1;
}

static toff_t on_seek(thandle_t h, toff_t to, int whence)
{
    xa__tiff_source *s = (xa__tiff_source *)h;
    const uint64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? s->at : s->size;
    s->at = base + to > INT64_MAX ? INT64_MAX : base + to;
    return s->at;
}

static int on_close(thandle_t h)
{
    (void)h; /* the descriptor is the caller's */
    return 0;
}

static toff_t on_size(thandle_t h)
{
    return ((xa__tiff_source *)h)->size;
}

/* ---- messages ------------------------------------------------------------------------------- */

/* Keeps the first message: it names the cause, later ones its consequences. */
static void keep(xa__tiff_source *s, const char *fmt, va_list ap)
{
    const size_t own = sizeof OPENED_AS + 1; /* "TIFF: ", with which our messages begin too */
    char text[sizeof s->message];
    if (s->message[0] != '\0')
        return;
    vsnprintf(text, sizeof text, fmt, ap);
    const bool doubled = strncmp(text, OPENED_AS ": ", own) == 0;
    xa_str_sanitise(doubled ? text + own : text, s->message, sizeof s->message);
}

static void error_message(xa__tiff_source *s, const char *fmt, va_list ap)
{
    keep(s, fmt, ap);
    s->damaged = s->damaged || s->decoding;
}

static void warning_message(xa__tiff_source *s, const char *fmt, va_list ap)
{
    if (!s->decoding || !s->strict || strstr(fmt, "extraneous bytes"))
        return;
    keep(s, fmt, ap);
    s->damaged = true;
}

#if HANDLERS_PER_FILE
static int on_error(TIFF *tif, void *user, const char *module, const char *fmt, va_list ap)
{
    (void)tif, (void)module;
    error_message(user, fmt, ap);
    return 1;
}

static int on_warning(TIFF *tif, void *user, const char *module, const char *fmt, va_list ap)
{
    (void)tif, (void)module;
    warning_message(user, fmt, ap);
    return 1;
}
#else
static void on_error(thandle_t h, const char *module, const char *fmt, va_list ap)
{
    (void)module;
    if (h)
        error_message((xa__tiff_source *)h, fmt, ap);
}

static void on_warning(thandle_t h, const char *module, const char *fmt, va_list ap)
{
    (void)module;
    if (h)
        warning_message((xa__tiff_source *)h, fmt, ap);
}
#endif

TIFF *xa__tiff_open(xa__tiff_source *s, int64_t max_bytes)
{
    /* m: no memory map, since a file that shrinks would end the run by a signal. */
#if HANDLERS_PER_FILE
    enum { LEAST = 1 << 20 };
    TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
    if (!o)
        return NULL;
    /* libtiff's own tables must fit, however small max_bytes is */
    TIFFOpenOptionsSetMaxSingleMemAlloc(o, (tmsize_t)(max_bytes < LEAST ? LEAST : max_bytes));
    TIFFOpenOptionsSetErrorHandlerExtR(o, on_error, s);
    TIFFOpenOptionsSetWarningHandlerExtR(o, on_warning, s);
    TIFF *tif = TIFFClientOpenExt(
        OPENED_AS, "rm", s, on_read, on_write, on_seek, on_close, on_size, NULL, NULL, o);
    TIFFOpenOptionsFree(o);
    return tif;
#else
    (void)max_bytes;
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
    TIFFSetErrorHandlerExt(on_error);
    TIFFSetWarningHandlerExt(on_warning);
    return TIFFClientOpen(
        OPENED_AS, "rm", s, on_read, on_write, on_seek, on_close, on_size, NULL, NULL);
#endif
}
