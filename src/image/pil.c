/* Pillow's resize, which is antialiased when it shrinks, in two passes.
 *
 * 8-bit samples have fixed-point weights of 22 bits, and are rounded and clipped to 8 bits after
 * each pass. Float samples have weights and sums in double, and are stored as float after each
 * pass. Operations are in Pillow's order, so that results are equal to the last bit.
 */
#include "image_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { WEIGHT_BITS = 22, BLOCK = 512 };

/* What output position i is made of: count[i] source positions from first[i] on. Its weights begin
 * at i * most. */
struct taps {
    int64_t n, most;
    int64_t *first, *count;
    double *weight;
    int32_t *fixed;
};

/* ---- filters -------------------------------------------------------------------------------- */

static double triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* Keys, Cubic convolution interpolation for digital image processing, 1981, with a = -0.5. */
static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    return x < 2.0 ? (((x - 5) * x + 8) * x - 4) * a : 0.0;
}

static double sinc(double x)
{
    if (x == 0.0)
        return 1.0;
    x *= M_PI;
    return sin(x) / x;
}

static double lanczos(double x)
{
    return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0;
}

static const struct filter {
    double (*at)(double);
    double support;
} FILTERS[] = {
    [XA_RESAMPLE_PIL_BILINEAR] = {triangle, 1.0},
    [XA_RESAMPLE_PIL_BICUBIC] = {cubic, 2.0},
    [XA_RESAMPLE_PIL_LANCZOS] = {lanczos, 3.0},
};

static void taps_fini(struct taps *t)
{
    free(t->first);
    free(t->count);
    free(t->weight);
    free(t->fixed);
}

static xa_status
taps_init(struct taps *t, int64_t in, int64_t out, const struct filter *f, bool fixed, xa_err *err)
{
    const double scale = (double)(float)in / (double)out;
    const double stretch = scale < 1.0 ? 1.0 : scale;
    const double support = f->support * stretch, inverse = 1.0 / stretch;
    size_t total;
    *t = (struct taps){.n = out, .most = (int64_t)ceil(support) * 2 + 1};
    if (!xa_size_mul((size_t)out, (size_t)t->most, &total))
        XA_RETURN_FAIL(err, XA_LIMIT, "resampling %" PRId64 " to %" PRId64, in, out);
    t->first = xa_alloc((size_t)out, sizeof *t->first);
    t->count = xa_alloc((size_t)out, sizeof *t->count);
    t->weight = xa_alloc(total, sizeof *t->weight);
    t->fixed = fixed ? xa_alloc(total, sizeof *t->fixed) : NULL;
    if (!t->first || !t->count || !t->weight || (fixed && !t->fixed))
        XA_RETURN_FAIL(err,
                       XA_NOMEM,
                       "out of memory for the weights of %" PRId64 " to %" PRId64 " pixels",
                       in,
                       out);
    for (int64_t i = 0; i < out; i++) {
        const double centre = ((double)i + 0.5) * scale;
        double *w = t->weight + i * t->most, sum = 0.0;
        int64_t low = (int64_t)(centre - support + 0.5), high = (int64_t)(centre + support + 0.5);
        low = low < 0 ? 0 : low;
        high = high > in ? in : high;
        for (int64_t k = 0; k < high - low; k++) {
            w[k] = f->at(((double)(k + low) - centre + 0.5) * inverse);
            sum += w[k];
        }
        for (int64_t k = 0; sum != 0.0 && k < high - low; k++)
            w[k] /= sum;
        t->first[i] = low;
        t->count[i] = high - low;
    }
    for (size_t i = 0; fixed && i < total; i++) {
        const double w = t->weight[i] * (1 << WEIGHT_BITS);
        t->fixed[i] = (int32_t)(w < 0 ? -0.5 + w : 0.5 + w);
    }
    return XA_OK;
}

/* ---- passes --------------------------------------------------------------------------------- */

/* Weights add up to 1, and their magnitudes to less than 1.6, so that 32 bits suffice. */
static inline uint8_t clip8(int32_t sum)
{
    const int32_t v = sum >> WEIGHT_BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static inline __attribute__((always_inline)) void
across_u8_n(const uint8_t *src, uint8_t *dst, const struct taps *t, const int channels)
{
    for (int64_t x = 0; x < t->n; x++) {
        const int32_t *w = t->fixed + x * t->most;
        const uint8_t *in = src + t->first[x] * channels;
        const int64_t count = t->count[x];
        for (int c = 0; c < channels; c += 4) {
            const int some = channels - c < 4 ? channels - c : 4;
            int32_t sum[4] = {1 << (WEIGHT_BITS - 1),
                              1 << (WEIGHT_BITS - 1),
                              1 << (WEIGHT_BITS - 1),
                              1 << (WEIGHT_BITS - 1)};
            for (int64_t k = 0; k < count; k++)
                for (int j = 0; j < some; j++)
                    sum[j] += in[k * channels + c + j] * w[k];
            for (int j = 0; j < some; j++)
                *dst++ = clip8(sum[j]);
        }
    }
}

static void across_u8(const uint8_t *src, uint8_t *dst, const struct taps *t, int channels)
{
    switch (channels) { /* with a constant count, the compiler keeps sums in registers */
    case 1:
        across_u8_n(src, dst, t, 1);
        break;
    case 3:
        across_u8_n(src, dst, t, 3);
        break;
    case 4:
        across_u8_n(src, dst, t, 4);
        break;
    default:
        across_u8_n(src, dst, t, channels);
    }
}

static void across_f32(const float *src, float *dst, const struct taps *t, int channels)
{
    for (int64_t x = 0; x < t->n; x++) {
        const double *w = t->weight + x * t->most;
        const float *in = src + t->first[x] * channels;
        for (int c = 0; c < channels; c++) {
            double sum = 0.0;
            for (int64_t k = 0; k < t->count[x]; k++)
                sum += in[k * channels + c] * w[k];
            *dst++ = (float)sum;
        }
    }
}

/* One output row of `row` samples, from `count` rows from src on. */
static void down_u8(const uint8_t *src, uint8_t *dst, const int32_t *w, int64_t count, int64_t row)
{
    int32_t sum[BLOCK];
    for (int64_t at = 0; at < row; at += BLOCK) {
        const int64_t some = row - at < BLOCK ? row - at : BLOCK;
        for (int64_t i = 0; i < some; i++)
            sum[i] = 1 << (WEIGHT_BITS - 1);
        for (int64_t k = 0; k < count; k++) {
            const uint8_t *in = src + k * row + at;
            const int32_t wk = w[k];
            for (int64_t i = 0; i < some; i++)
                sum[i] += in[i] * wk;
        }
        for (int64_t i = 0; i < some; i++)
            dst[at + i] = clip8(sum[i]);
    }
}

static void down_f32(const float *src, float *dst, const double *w, int64_t count, int64_t row)
{
    double sum[BLOCK];
    for (int64_t at = 0; at < row; at += BLOCK) {
        const int64_t some = row - at < BLOCK ? row - at : BLOCK;
        for (int64_t i = 0; i < some; i++)
            sum[i] = 0.0;
        for (int64_t k = 0; k < count; k++) {
            const float *in = src + k * row + at;
            for (int64_t i = 0; i < some; i++)
                sum[i] += in[i] * w[k];
        }
        for (int64_t i = 0; i < some; i++)
            dst[at + i] = (float)sum[i];
    }
}

/* Resizes every row of src to dst->width; the heights are equal. */
static xa_status
pass_across(const xa_image *src, xa_image *dst, const struct filter *f, xa_err *err)
{
    xa_status st;
    struct taps t = {0};
    const int64_t in = src->width * src->channels, out = dst->width * dst->channels;
    XA_TRY(err, taps_init(&t, src->width, dst->width, f, src->type == XA_PIXEL_U8, err));
    for (int64_t y = 0; y < src->height; y++)
        if (src->type == XA_PIXEL_U8)
            across_u8((const uint8_t *)src->data + y * in,
                      (uint8_t *)dst->data + y * out,
                      &t,
                      src->channels);
        else
            across_f32(
                (const float *)src->data + y * in, (float *)dst->data + y * out, &t, src->channels);
done:
    taps_fini(&t);
    return st;
}

/* Resizes every column of src to dst->height; the widths are equal. */
static xa_status pass_down(const xa_image *src, xa_image *dst, const struct filter *f, xa_err *err)
{
    xa_status st;
    struct taps t = {0};
    const int64_t row = src->width * src->channels;
    XA_TRY(err, taps_init(&t, src->height, dst->height, f, src->type == XA_PIXEL_U8, err));
    for (int64_t y = 0; y < dst->height; y++)
        if (src->type == XA_PIXEL_U8)
            down_u8((const uint8_t *)src->data + t.first[y] * row,
                    (uint8_t *)dst->data + y * row,
                    t.fixed + y * t.most,
                    t.count[y],
                    row);
        else
            down_f32((const float *)src->data + t.first[y] * row,
                     (float *)dst->data + y * row,
                     t.weight + y * t.most,
                     t.count[y],
                     row);
done:
    taps_fini(&t);
    return st;
}

/* ---- nearest -------------------------------------------------------------------------------- */

/* Positions are added up in double, as by Pillow, so that exact halves are rounded as it rounds
 * them. */
static void nearest_index(int64_t *from, int64_t in, int64_t out)
{
    const double step = (double)(float)in / (double)out;
    double at = step * 0.5;
    for (int64_t i = 0; i < out; i++, at += step) {
        const int64_t v = (int64_t)at;
        from[i] = v < in ? v : in - 1;
    }
}

xa_status xa__resize_pil(const xa_image *src, xa_image *dst, xa_resample how, xa_err *err)
{
    xa_status st;
    xa_image middle = {0};
    if (how == XA_RESAMPLE_PIL_NEAREST)
        return xa__resize_nearest(src, dst, nearest_index, err);
    const struct filter *f = &FILTERS[how];
    if (src->height == dst->height)
        return pass_across(src, dst, f, err);
    if (src->width == dst->width)
        return pass_down(src, dst, f, err);
    /* The order of the passes since Pillow 13; up to 12 the horizontal one always came first. */
    const int64_t less_h = src->height - dst->height, less_w = src->width - dst->width;
    if (less_h > 0 && less_h > 2 * less_w) {
        XA_TRY(
            err,
            xa__image_like(src, src->width, dst->height, src->channels, src->type, &middle, err));
        XA_TRY(err, pass_down(src, &middle, f, err));
        XA_TRY(err, pass_across(&middle, dst, f, err));
    } else {
        XA_TRY(
            err,
            xa__image_like(src, dst->width, src->height, src->channels, src->type, &middle, err));
        XA_TRY(err, pass_across(src, &middle, f, err));
        XA_TRY(err, pass_down(&middle, dst, f, err));
    }
done:
    xa_image_fini(&middle);
    return st;
}
