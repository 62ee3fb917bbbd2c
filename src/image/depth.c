/* Samples that are not 8-bit to 0..255, only as the job says. */
#include "image_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAMES[] = {
    [XA_DEPTH_NONE] = "none",
    [XA_DEPTH_DIV257] = "div257",
    [XA_DEPTH_CLIP255] = "clip255",
    [XA_DEPTH_WINDOW] = "window",
    [XA_DEPTH_PERCENTILE] = "percentile",
    [XA_DEPTH_RAW] = "raw",
};
enum { KINDS = sizeof NAMES / sizeof *NAMES };

int xa_depth_parse(const char *name)
{
    return name ? xa_word_index(name, NAMES, KINDS) : -1;
}

const char *xa_depth_name(xa_depth_kind kind)
{
    return (unsigned)kind < KINDS ? NAMES[kind] : "unknown";
}

/* Sample i of any type as a double, exactly. */
static inline double sample(const void *data, xa_pixel type, size_t i)
{
    switch (type) {
    case XA_PIXEL_U8:
        return ((const uint8_t *)data)[i];
    case XA_PIXEL_U16:
        return ((const uint16_t *)data)[i];
    case XA_PIXEL_U32:
        return ((const uint32_t *)data)[i];
    case XA_PIXEL_I8:
        return ((const int8_t *)data)[i];
    case XA_PIXEL_I16:
        return ((const int16_t *)data)[i];
    case XA_PIXEL_I32:
        return ((const int32_t *)data)[i];
    case XA_PIXEL_F32:
        return ((const float *)data)[i];
    default:
        return ((const double *)data)[i];
    }
}

/* ---- percentiles ---------------------------------------------------------------------------- */

/* 64-bit keys in the order of the samples, with the type's bits on top. A rank is found from them
 * without a sorted copy, and equally fast for any order of the samples. */
static inline uint64_t key_of(const void *data, xa_pixel type, size_t i)
{
    uint64_t k;
    switch (type) {
    case XA_PIXEL_U8:
        return (uint64_t)((const uint8_t *)data)[i] << 56;
    case XA_PIXEL_U16:
        return (uint64_t)((const uint16_t *)data)[i] << 48;
    case XA_PIXEL_U32:
        return (uint64_t)((const uint32_t *)data)[i] << 32;
    case XA_PIXEL_I8:
        return (uint64_t)(((const uint8_t *)data)[i] ^ 0x80u) << 56;
    case XA_PIXEL_I16:
        return (uint64_t)(((const uint16_t *)data)[i] ^ 0x8000u) << 48;
    case XA_PIXEL_I32:
        return (uint64_t)(((const uint32_t *)data)[i] ^ 0x80000000u) << 32;
    case XA_PIXEL_F32: {
        uint32_t b;
        memcpy(&b, (const float *)data + i, sizeof b);
        b = b >> 31 ? ~b : b | 0x80000000u;
        return (uint64_t)b << 32;
    }
    default:
        memcpy(&k, (const double *)data + i, sizeof k);
        return k >> 63 ? ~k : k | UINT64_C(1) << 63;
    }
}

struct view { /* the colour samples of an image, without alpha */
    const void *data;
    xa_pixel type;
    size_t pixels, stride, take;
};

/* The sample of rank `rank` (0: the smallest), found by 16 bits of its key at a time. bins:
 * [65536]. */
static double select_rank(const struct view *v, uint64_t rank, uint64_t *bins)
{
    const int key_bits = (int)(8 * xa_pixel_bytes(v->type));
    uint64_t prefix = 0;
    size_t found = 0;
    for (int done = 0; done < key_bits; done += 16) {
        const uint64_t fixed = done ? UINT64_MAX << (64 - done) : 0;
        memset(bins, 0, 65536 * sizeof *bins);
        for (size_t p = 0; p < v->pixels; p++)
            for (size_t c = 0; c < v->take; c++) {
                const uint64_t k = key_of(v->data, v->type, p * v->stride + c);
                if ((k & fixed) == prefix)
                    bins[k >> (48 - done) & 0xFFFF]++;
            }
        uint64_t bin = 0;
        while (rank >= bins[bin])
            rank -= bins[bin++];
        prefix |= bin << (48 - done);
    }
    for (size_t p = 0; p < v->pixels; p++)
        for (size_t c = 0; c < v->take; c++)
            if (key_of(v->data, v->type, p * v->stride + c) == prefix) {
                found = p * v->stride + c;
                return sample(v->data, v->type, found);
            }
    return sample(v->data, v->type, found);
}

/* numpy.percentile(method="linear") in double. */
static double percentile(const struct view *v, double q, uint64_t *bins)
{
    const uint64_t n = (uint64_t)v->pixels * v->take;
    const double at = q / 100.0 * (double)(n - 1);
    uint64_t low = (uint64_t)floor(at);
    if (low > n - 1)
        low = n - 1;
    const double t = at - (double)low;
    const double a = select_rank(v, low, bins);
    if (t == 0 || low + 1 >= n)
        return a;
    const double b = select_rank(v, low + 1, bins);
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

static xa_status
image_percentiles(const xa_image *im, const xa_depth *depth, double *low, double *high, xa_err *err)
{
    const struct view v = {.data = im->data,
                           .type = im->type,
                           .pixels = (size_t)im->width * (size_t)im->height,
                           .stride = (size_t)im->channels,
                           .take = (size_t)(im->channels - (im->has_alpha ? 1 : 0))};
    if (!(depth->low >= 0 && depth->high <= 100 && depth->low < depth->high))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "depth percentile %g to %g: 0 <= low < high <= 100 is expected",
                       depth->low,
                       depth->high);
    if (im->type == XA_PIXEL_F32 || im->type == XA_PIXEL_F64) {
        size_t bad = 0;
        for (size_t p = 0; p < v.pixels; p++)
            for (size_t c = 0; c < v.take; c++)
                bad += !isfinite(sample(v.data, v.type, p * v.stride + c));
        if (bad)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "depth percentile: %zu of %zu samples are not finite; use window",
                           bad,
                           v.pixels * v.take);
    }
    uint64_t *bins = xa_alloc(65536, sizeof *bins);
    if (!bins)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a histogram");
    *low = percentile(&v, depth->low, bins);
    *high = percentile(&v, depth->high, bins);
    free(bins);
    return XA_OK;
}

/* ---- the mapping ---------------------------------------------------------------------------- */

static xa_status say_what_is_missing(const xa_image *im, xa_err *err)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < xa__image_samples(im); i++) {
        const double v = sample(im->data, im->type, i);
        low = v < low ? v : low;
        high = v > high ? v : high;
    }
    XA_RETURN_FAIL(err,
                   XA_INVALID,
                   "%d-bit %s samples from %g to %g need a `depth` in the model's input: %s, "
                   "clip255, {window: [low, high]} or {percentile: [low, high]} (raw: as they are)",
                   im->bits,
                   xa_pixel_name(im->type),
                   low,
                   high,
                   im->type == XA_PIXEL_U16 ? "div257 (0..65535 to 0..255)" : "for example");
}

/* NaN stays NaN, and is reported later. */
static inline double clip(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

xa_status
xa_image_apply_depth(const xa_image *im, const xa_depth *depth, xa_image *out, xa_err *err)
{
    xa_image r;
    double low = depth->low, high = depth->high;
    const size_t n = xa__image_samples(im);
    if (im->type == XA_PIXEL_U8) {
        XA_RETURN_TRY(
            err, xa__image_like(im, im->width, im->height, im->channels, XA_PIXEL_U8, &r, err));
        memcpy(r.data, im->data, n);
        *out = r;
        return XA_OK;
    }
    switch (depth->kind) {
    case XA_DEPTH_NONE:
        return say_what_is_missing(im, err);
    case XA_DEPTH_DIV257:
        if (im->type != XA_PIXEL_U16)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "depth div257 is for 16-bit unsigned samples, these are %s",
                           xa_pixel_name(im->type));
        break;
    case XA_DEPTH_CLIP255:
    case XA_DEPTH_RAW:
        break;
    case XA_DEPTH_WINDOW:
        if (!(low < high) || !isfinite(low) || !isfinite(high))
            XA_RETURN_FAIL(
                err, XA_INVALID, "depth window %g to %g: low < high is expected", low, high);
        break;
    case XA_DEPTH_PERCENTILE:
        XA_RETURN_TRY(err, image_percentiles(im, depth, &low, &high, err));
        break;
    default:
        XA_RETURN_FAIL(err, XA_INVALID, "unknown depth kind %d", (int)depth->kind);
    }
    XA_RETURN_TRY(err,
                  xa__image_like(im, im->width, im->height, im->channels, XA_PIXEL_F32, &r, err));
    float *dst = r.data;
    for (size_t i = 0; i < n; i++) {
        const double v = sample(im->data, im->type, i);
        switch (depth->kind) {
        case XA_DEPTH_DIV257:
            dst[i] = (float)(v / 257.0);
            break;
        case XA_DEPTH_CLIP255:
            dst[i] = (float)clip(v, 0, 255);
            break;
        case XA_DEPTH_RAW:
            dst[i] = (float)v;
            break;
        default: /* the window of a constant image is empty: values up to it are black */
            dst[i] = high > low ? (float)(clip((v - low) / (high - low), 0, 1) * 255.0)
                                : (v > high ? 255.0f : 0.0f);
        }
    }
    *out = r;
    return XA_OK;
}
