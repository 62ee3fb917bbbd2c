/* A map over its photograph: smoothed, brought to its full strength, drawn where it is strong. */
#include "overlay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

xa_status xa__overlay_check_rgb(const xa_image *im, const char *what, xa_err *err)
{
    if (im->type != XA_PIXEL_U8 || im->channels != 3)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "%s: expected 8-bit RGB, found %d channels of %s",
                       what,
                       im->channels,
                       xa_pixel_name(im->type));
    return XA_OK;
}

xa_overlay xa_overlay_defaults(bool pixelwise)
{
    /* A class activation map of a few cells covers half of a photograph: at 0.64 what lies below is
     * still seen. Single pixels cover little. 0.8 % are one pixel of 128. */
    return (xa_overlay){.smooth = pixelwise ? 0.008 : 0.0,
                        .percentile = 99.5,
                        .opacity = pixelwise ? 0.85 : 0.64,
                        .floor = 0.12,
                        .chroma = 0.35,
                        .colormap = XA_COLORMAP_INFERNO};
}

/* ---- numbers ---- */

/* i of a row of n that is continued by its mirror image without repeating the edge; a row shorter
 * than the kernel is continued by its edge. */
static int64_t mirrored(int64_t i, int64_t n, int64_t reach)
{
    if (n <= reach)
        return i < 0 ? 0 : i >= n ? n - 1 : i;
    return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
}

/* One line of n values with a distance of `step`, by a kernel of 2 reach + 1 weights. */
static void convolve(const double *from, double *to, int64_t n, const double *kernel, int64_t reach)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (int64_t k = -reach; k <= reach; k++)
            sum += kernel[k + reach] * from[mirrored(i + k, n, reach)];
        to[i] = sum;
    }
}

xa_status
xa_map_smooth(const float *map, int64_t h, int64_t w, double sigma, float *out, xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t reach = sigma > 0.0 ? (int64_t)ceil(3.0 * sigma) : 0, most = h > w ? h : w;
    if (reach == 0) {
        memcpy(out, map, (size_t)(h * w) * sizeof *out);
        return XA_OK;
    }
    double *kernel = xa_alloc((size_t)(2 * reach + 1), sizeof *kernel), sum = 0.0;
    double *line = xa_alloc((size_t)(2 * most), sizeof *line);
    if (!kernel || !line)
        XA_NOMEM_FAIL(err);
    for (int64_t k = -reach; k <= reach; k++)
        sum += kernel[k + reach] = exp(-0.5 * (double)(k * k) / (sigma * sigma));
    for (int64_t k = 0; k <= 2 * reach; k++)
        kernel[k] /= sum;
    for (int64_t x = 0; x < w; x++) {
        for (int64_t y = 0; y < h; y++)
            line[y] = (double)map[y * w + x];
        convolve(line, line + most, h, kernel, reach);
        for (int64_t y = 0; y < h; y++)
            out[y * w + x] = (float)line[most + y];
    }
    for (int64_t y = 0; y < h; y++) {
        for (int64_t x = 0; x < w; x++)
            line[x] = (double)out[y * w + x];
        convolve(line, line + most, w, kernel, reach);
        for (int64_t x = 0; x < w; x++)
            out[y * w + x] = (float)line[most + x];
    }
done:
    free(kernel);
    free(line);
    return st;
}

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

xa_status xa_map_percentile(const float *map, int64_t n, double q, double *out, xa_err *err)
{
    int64_t kept = 0;
    float *v = xa_alloc((size_t)n + 1, sizeof *v);
    if (!v)
        XA_RETURN_NOMEM(err);
    for (int64_t i = 0; i < n; i++)
        if (isfinite(map[i]))
            v[kept++] = fabsf(map[i]);
    *out = 0.0;
    if (kept > 0) {
        qsort(v, (size_t)kept, sizeof *v, ascending);
        const double at = q / 100.0 * (double)(kept - 1);
        const int64_t low = (int64_t)at, high = low + 1 < kept ? low + 1 : low;
        *out = (double)v[low] + (at - (double)low) * ((double)v[high] - (double)v[low]);
    }
    free(v);
    return XA_OK;
}

xa_status xa_map_level(const float *map, int64_t n, double share, double *out, xa_err *err)
{
    int64_t kept = 0;
    double sum = 0.0, above = 0.0;
    float *v = xa_alloc((size_t)n + 1, sizeof *v);
    if (!v)
        XA_RETURN_NOMEM(err);
    for (int64_t i = 0; i < n; i++)
        if (isfinite(map[i]) && map[i] > 0.0f)
            sum += (double)(v[kept++] = map[i]);
    *out = INFINITY;
    if (kept > 0) {
        qsort(v, (size_t)kept, sizeof *v, ascending);
        int64_t i = kept - 1;
        for (above = (double)v[i]; i > 0 && above < share * sum; above += (double)v[i])
            i--;
        *out = (double)v[i];
    }
    free(v);
    return XA_OK;
}

/* ---- colours ---- */

/* Straight lines between six colours in sRGB: both ends are bright. */
static void diverging(double s, uint8_t rgb[3])
{
    static const uint8_t stop[6][3] = {{0x00, 0xc2, 0xff},
                                       {0x1f, 0x77, 0xd0},
                                       {0x6f, 0xa8, 0xdc},
                                       {0xf2, 0xa6, 0x5a},
                                       {0xe8, 0x59, 0x0c},
                                       {0xff, 0xd2, 0x1f}};
    const int at = s >= 1.0 ? 4 : (int)(5.0 * s);
    const double part = 5.0 * s - at;
    for (int k = 0; k < 3; k++)
        rgb[k] = (uint8_t)lrint((1.0 - part) * stop[at][k] + part * stop[at + 1][k]);
}

void xa_overlay_colour(const xa_overlay *o, bool is_signed, double t, uint8_t rgb[3])
{
    const double low = is_signed ? -1.0 : 0.0;
    const double s = t < low ? 0.0 : t > 1.0 ? 1.0 : (t - low) / (1.0 - low);
    if (is_signed)
        diverging(s, rgb);
    else
        memcpy(rgb, xa_colormap_table(o->colormap)[(int)(256.0 * (0.30 + 0.67 * s))], 3);
}

double xa_overlay_opacity(const xa_overlay *o, double t)
{
    const double s = (fmin(fabs(t), 1.0) - o->floor) / (1.0 - o->floor);
    return s > 0.0 ? o->opacity * s * s * (3.0 - 2.0 * s) : 0.0;
}

xa_status xa_overlay_draw(const xa_overlay *o,
                          const xa_image *photograph,
                          const float *t,
                          bool is_signed,
                          xa_image *out,
                          xa_err *err)
{
    XA_RETURN_TRY(err, xa__overlay_check_rgb(photograph, "photograph", err));
    XA_RETURN_TRY(err,
                  xa_image_init(out, photograph->width, photograph->height, 3, XA_PIXEL_U8, err));
    const uint8_t *from = photograph->data;
    uint8_t *to = out->data;
    for (int64_t i = 0; i < photograph->width * photograph->height; i++, from += 3, to += 3) {
        /* luma by the weights of Rec. 709 on sRGB values */
        const double luma = 0.2126 * from[0] + 0.7152 * from[1] + 0.0722 * from[2];
        const bool none = !isfinite(t[i]);
        const double a = none ? 0.0 : xa_overlay_opacity(o, (double)t[i]);
        uint8_t c[3];
        xa_overlay_colour(o, is_signed, none ? 0.0 : (double)t[i], c);
        for (int k = 0; k < 3; k++) {
            const double muted = luma + o->chroma * (from[k] - luma);
            to[k] = (uint8_t)lrint((1.0 - a) * muted + a * c[k]);
        }
    }
    return XA_OK;
}
