/* Colour maps: matplotlib's tables, and maps through them. */
#include "xaudit/draw.h"

#include <math.h>
#include <string.h>

#include "colormap_tables.inc"

static const char *const names[XA_COLORMAP_COUNT] = {
#define X(name, text) text,
    XA_COLORMAP_LIST(X)
#undef X
};

int xa_colormap_parse(const char *name)
{
    return xa_word_index(name, names, XA_COLORMAP_COUNT);
}

const char *xa_colormap_name(xa_colormap c)
{
    return names[c];
}

const uint8_t (*xa_colormap_table(xa_colormap c))[3]
{
    static const uint8_t(*const tables[XA_COLORMAP_COUNT])[3] = {
        [XA_COLORMAP_VIRIDIS] = viridis,
        [XA_COLORMAP_INFERNO] = inferno,
        [XA_COLORMAP_CIVIDIS] = cividis,
        [XA_COLORMAP_TURBO] = turbo,
        [XA_COLORMAP_JET] = jet,
    };
    return tables[c];
}

xa_status xa_map_colour(const float *map,
                        int64_t h,
                        int64_t w,
                        double low,
                        double high,
                        xa_colormap c,
                        xa_image *out,
                        xa_err *err)
{
    const uint8_t(*table)[3] = xa_colormap_table(c);
    XA_RETURN_TRY(err, xa_image_init(out, w, h, 3, XA_PIXEL_U8, err));
    uint8_t *rgb = out->data;
    for (int64_t i = 0; i < h * w; i++) {
        if (isnan(map[i])) {
            memset(rgb + 3 * i, 128, 3);
            continue;
        }
        const double t = high > low ? ((double)map[i] - low) / (high - low) : 0.0;
        const double at = floor(t * 256.0);
        memcpy(rgb + 3 * i, table[at < 0.0 ? 0 : at > 255.0 ? 255 : (int)at], 3);
    }
    return XA_OK;
}
