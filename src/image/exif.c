/* The EXIF orientation, the only tag that moves pixels. Only this file sees libexif. */
#include "image_internal.h"

#include <libexif/exif-data.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* libexif needs the six bytes that stand before the block in a JPEG. */
static const uint8_t PREFIX[6] = {'E', 'x', 'i', 'f', 0, 0};

/* The first value of an entry of any numeric type, since programs write all of them; NaN for text
 * and bytes, which are no number to Pillow either. */
static double first_number(const ExifEntry *e, ExifByteOrder order)
{
    if (e->components < 1 || e->size < exif_format_get_size(e->format))
        return NAN;
    switch (e->format) {
    case EXIF_FORMAT_SBYTE:
        return (signed char)e->data[0];
    case EXIF_FORMAT_SHORT:
        return exif_get_short(e->data, order);
    case EXIF_FORMAT_SSHORT:
        return exif_get_sshort(e->data, order);
    case EXIF_FORMAT_LONG:
        return exif_get_long(e->data, order);
    case EXIF_FORMAT_SLONG:
        return exif_get_slong(e->data, order);
    case EXIF_FORMAT_RATIONAL: {
        const ExifRational r = exif_get_rational(e->data, order);
        return r.denominator ? (double)r.numerator / r.denominator : NAN;
    }
    case EXIF_FORMAT_SRATIONAL: {
        const ExifSRational r = exif_get_srational(e->data, order);
        return r.denominator ? (double)r.numerator / r.denominator : NAN;
    }
    case EXIF_FORMAT_FLOAT: {
        const uint32_t bits = exif_get_long(e->data, order);
        float v;
        memcpy(&v, &bits, sizeof v);
        return (double)v;
    }
    case EXIF_FORMAT_DOUBLE: {
        const bool big = order == EXIF_BYTE_ORDER_MOTOROLA;
        const uint64_t high = exif_get_long(e->data + (big ? 0 : 4), order);
        const uint64_t bits = high << 32 | exif_get_long(e->data + (big ? 4 : 0), order);
        double v;
        memcpy(&v, &bits, sizeof v);
        return v;
    }
    default:
        return NAN;
    }
}

int xa__exif_orientation(const uint8_t *block, size_t size)
{
    enum { EXIF_MOST = 1 << 20 }; /* a JPEG's block is below 64 KiB; longer ones are cut */
    int orientation = XA__NO_ORIENTATION;
    /* Some programs write the prefix where none belongs; Pillow removes up to two. */
    for (int i = 0; i < 2 && size >= sizeof PREFIX && !memcmp(block, PREFIX, sizeof PREFIX); i++) {
        block += sizeof PREFIX;
        size -= sizeof PREFIX;
    }
    if (size < 8)
        return XA__NO_ORIENTATION;
    if (size > EXIF_MOST)
        size = EXIF_MOST;
    uint8_t *copy = xa_alloc(size + sizeof PREFIX, 1);
    ExifData *exif = exif_data_new();
    if (copy && exif) {
        memcpy(copy, PREFIX, sizeof PREFIX);
        memcpy(copy + sizeof PREFIX, block, size);
        /* By default libexif would add missing tags and decode vendors' notes. */
        exif_data_unset_option(exif, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
        exif_data_load_data(exif, copy, (unsigned)(size + sizeof PREFIX));
        ExifEntry *e = exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
        if (e) {
            const double v = first_number(e, exif_data_get_byte_order(exif));
            orientation = 1; /* the tag is there, with whatever value */
            for (int k = 1; k <= 8; k++)
                if (v == k)
                    orientation = k;
        }
    }
    if (exif)
        exif_data_unref(exif);
    free(copy);
    return orientation;
}
