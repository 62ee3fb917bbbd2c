/* A TIFF file as libtiff reads it, and what libtiff reports of it. Private to image; only the files
 * that include this header see libtiff. */
#ifndef XAUDIT_IMAGE_TIFF_SOURCE_H
#define XAUDIT_IMAGE_TIFF_SOURCE_H

#include "tiff_page.h"

#include <tiffio.h>

typedef struct xa__tiff_source {
    int fd;
    uint64_t size, at;
    bool decoding; /* messages now are about pixels */
    bool strict;   /* this codec only warns where it makes up pixels */
    bool damaged;
    char message[256];
} xa__tiff_source;

/* Opens s->fd, which stays the caller's to close; libtiff allocates at most max_bytes at once. NULL
 * with s->message. Close with TIFFClose, while s is there. */
TIFF *xa__tiff_open(xa__tiff_source *s, int64_t max_bytes);

#endif
