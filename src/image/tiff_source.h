/* A TIFF file as libtiff reads it, and what libtiff reports of it. Private to image; only the files
 * that include this header see libtiff. */
#ifndef XAUDIT_IMAGE_TIFF_SOURCE_H
#define XAUDIT_IMAGE_TIFF_SOURCE_H

#include "tiff_page.h"

#include <tiffio.h>

typedef struct xa__tiff_source {
    int fd;
    uint64_t size, at;
    bool decoding; /* messages are about pixels from now on */
    bool strict;   /* a warning means damage: this codec warns and makes up pixels */
    bool damaged;
    char message[256];
} xa__tiff_source;

/* Opens s->fd, which the caller closes. libtiff allocates at most max_bytes at once. NULL on
 * failure, with s->message. The caller calls TIFFClose while s exists. */
TIFF *xa__tiff_open(xa__tiff_source *s, int64_t max_bytes);

#endif
