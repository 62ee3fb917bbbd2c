/* The orientation, from the places that Pillow reads and in its order: EXIF, else XMP. */
#include <string.h>

#include "image_internal.h"

int xa__xmp_orientation(const char *packet, size_t size)
{
    static const char key[] = "tiff:Orientation";
    const size_t length = sizeof key - 1;
    const char *at = packet, *end = packet ? packet + size : NULL;
    while (at && end - at > (ptrdiff_t)length) {
        at = memmem(at, (size_t)(end - at), key, length);
        if (!at)
            break;
        at += length;
        const char *value = NULL;
        if (end - at >= 3 && at[0] == '=' && at[1] == '"')
            value = at + 2;
        else if (end - at >= 2 && at[0] == '>')
            value = at + 1;
        if (value && *value >= '0' && *value <= '9')
            return *value - '0';
    }
    return 0;
}

int xa__orientation(const uint8_t *exif, size_t exif_size, const char *xmp, size_t xmp_size)
{
    int found = XA__NO_ORIENTATION;
    if (exif)
        found = xa__exif_orientation(exif, exif_size);
    if (found == XA__NO_ORIENTATION && xmp)
        found = xa__xmp_orientation(xmp, xmp_size);
    return found >= 1 && found <= 8 ? found : 1;
}
