/* A PNG's orientation: in eXIf, or ImageMagick's "Raw profile type exif", or XMP, the last two in
 * tEXt, zTXt or iTXt, before or after the pixels. It is read without libpng, because a probe of the
 * header needs it too. Only this file sees zlib. */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "image_internal.h"

enum { TEXT_MOST = 4 << 20 }; /* bytes of an inflated text */

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A new buffer of *size bytes; NULL if the data is damaged or too long, or memory is out. */
static char *inflated(const uint8_t *data, size_t n, size_t *size)
{
    z_stream z = {0};
    size_t cap = 4096;
    char *out = NULL;
    int st = Z_OK;
    if (n > TEXT_MOST || inflateInit(&z) != Z_OK)
        return NULL;
    z.next_in = (uint8_t *)(uintptr_t)data; /* zlib does not write there */
    z.avail_in = (uInt)n;
    *size = 0;
    while (st == Z_OK && *size < TEXT_MOST) {
        char *more = realloc(out, cap);
        if (!more)
            break;
        out = more;
        z.next_out = (uint8_t *)out + *size;
        z.avail_out = (uInt)(cap - *size);
        st = inflate(&z, Z_NO_FLUSH);
        *size = cap - z.avail_out;
        cap *= 2;
    }
    inflateEnd(&z);
    if (st == Z_STREAM_END)
        return out;
    free(out);
    return NULL;
}

/* The text of a tEXt, zTXt or iTXt chunk of this keyword: a new buffer, or NULL. */
static char *
text_of(const char *type, const uint8_t *data, size_t n, const char *keyword, size_t *size)
{
    const size_t key = strlen(keyword) + 1;
    bool packed = type[0] == 'z';
    if (n < key || memcmp(data, keyword, key) != 0)
        return NULL;
    data += key;
    n -= key;
    if (type[0] == 'z') { /* one byte gives the compression; 0 is the only one */
        if (n < 1 || data[0] != 0)
            return NULL;
        data++;
        n--;
    } else if (type[0] == 'i') { /* compressed or not, how, a language, the translated keyword */
        if (n < 2)
            return NULL;
        packed = data[0] == 1;
        data += 2;
        n -= 2;
        for (int i = 0; i < 2; i++) {
            const uint8_t *end = memchr(data, 0, n);
            if (!end)
                return NULL;
            n -= (size_t)(end + 1 - data);
            data = end + 1;
        }
    }
    if (packed)
        return inflated(data, n, size);
    char *copy = xa_alloc(n + 1, 1);
    if (copy)
        memcpy(copy, data, n);
    *size = n;
    return copy;
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A line break, a name, a number of bytes, then hexadecimal digits, which become bytes in place.
 * Returns how many; 0: it is no profile. */
static size_t raw_profile(char *text, size_t size)
{
    size_t at = 0, n = 0, half = 0;
    for (int line = 0; line < 3; line++) {
        const char *end = memchr(text + at, '\n', size - at);
        if (!end)
            return 0;
        at = (size_t)(end - text) + 1;
    }
    for (; at < size; at++) {
        const int d = digit(text[at]);
        if (d < 0) {
            if (!strchr(" \t\r\n\v\f", text[at]) || !text[at])
                return 0;
            continue;
        }
        if (half++ % 2 == 0)
            text[n] = (char)(d << 4);
        else
            text[n++] |= (char)d;
    }
    return half % 2 == 0 ? n : 0;
}

int xa__png_orientation(const uint8_t *data, size_t size)
{
    static const char profile_key[] = "Raw profile type exif", xmp_key[] = "XML:com.adobe.xmp";
    const uint8_t *exif = NULL;
    char *profile = NULL, *xmp = NULL;
    size_t nexif = 0, nprofile = 0, nxmp = 0, at = 8;
    while (size - at >= 12) {
        const uint32_t n = big32(data + at);
        const char *type = (const char *)data + at + 4;
        const uint8_t *body = data + at + 8;
        if (n > size - at - 12)
            break;
        at += 12 + (size_t)n;
        if (memcmp(type, "eXIf", 4) == 0) {
            exif = body;
            nexif = n;
        } else if (!memcmp(type, "tEXt", 4) || !memcmp(type, "zTXt", 4) ||
                   !memcmp(type, "iTXt", 4)) {
            if (!profile && (profile = text_of(type, body, n, profile_key, &nprofile)))
                nprofile = raw_profile(profile, nprofile);
            else if (!xmp)
                xmp = text_of(type, body, n, xmp_key, &nxmp);
        }
    }
    if (!exif && nprofile) {
        exif = (const uint8_t *)profile;
        nexif = nprofile;
    }
    const int found = xa__orientation(exif, nexif, xmp, nxmp);
    free(profile);
    free(xmp);
    return found;
}
