/* EXIF orientation, the only tag that moves pixels. The only file that sees libexif. */
#include "image_internal.h"

#include <libexif/exif-data.h>
#include <stdlib.h>
#include <string.h>

/* libexif wants the six bytes a JPEG has before the block. */
static const uint8_t PREFIX[6] = {'E', 'x', 'i', 'f', 0, 0};

int xa__exif_orientation(const uint8_t *block, size_t size)
{
    enum { EXIF_MOST = 1 << 20 }; /* a block is below 64 KiB in JPEG; longer ones are cut */
    int orientation = 1;
    if (!block || size < 8)
        return 1;
    if (size > EXIF_MOST)
        size = EXIF_MOST;
    uint8_t *copy = xa_alloc(size + sizeof PREFIX, 1);
    ExifData *exif = exif_data_new();
    if (copy && exif) {
        memcpy(copy, PREFIX, sizeof PREFIX);
        memcpy(copy + sizeof PREFIX, block, size);
        /* The defaults would add missing tags and decode vendors' notes. */
        exif_data_unset_option(exif, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
        exif_data_load_data(exif, copy, (unsigned)(size + sizeof PREFIX));
        ExifEntry *e = exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
        if (e && e->format == EXIF_FORMAT_SHORT && e->components >= 1 && e->size >= 2) {
            const int v = exif_get_short(e->data, exif_data_get_byte_order(exif));
            if (v >= 1 && v <= 8)
                orientation = v;
        }
    }
    if (exif)
        exif_data_unref(exif);
    free(copy);
    return orientation;
}
