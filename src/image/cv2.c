/* OpenCV's resize: only "area" is antialiased.
 *
 * Positions are computed in double and kept as float. Weights for 8-bit linear and cubic are
 * rounded to 11 bits, as by OpenCV's own code on every platform; builds with Intel's IPP may differ
 * from it by one grey level in cubic. Each output row is made of horizontally resized rows, which
 * are kept while they are needed.
 */
#include "image_internal.h"

#include <assert.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COEF_BITS = 11, COEF_ONE = 1 << COEF_BITS, MOST_TAPS = 4 };

/* Output position i is the sum over k < taps of weight[i*taps+k] times source from[i*taps+k]. */
struct axis {
    int64_t n, taps;
    int64_t *from;
    float *weight;
    int32_t *fixed; /* the same weights in 11 bits */
};

static void axis_fini(struct axis *a)
{
    free(a->from);
    free(a->weight);
    free(a->fixed);
}

/* Cubic convolution with a = -0.75; the last weight makes the sum 1. */
static void cubic_weights(float x, float *w)
{
    const float a = -0.75f;
    w[0] = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
    w[1] = ((a + 2) * x - (a + 3)) * x * x + 1;
    w[2] = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
    w[3] = 1.f - w[0] - w[1] - w[2];
}

/* `area`: as INTER_AREA enlarges, linearly between the centres of whole cells. `zero_outside`: the
 * fraction beyond the border is dropped. OpenCV drops it across but not down, where the border row
 * counts twice, which rounds differently in fixed point. */
static xa_status axis_init(
    struct axis *a, int64_t in, int64_t out, int taps, bool area, bool zero_outside, xa_err *err)
{
    const double inverse = (double)out / (double)in, scale = 1. / inverse;
    *a = (struct axis){.n = out, .taps = taps};
    a->from = xa_alloc((size_t)(out * taps), sizeof *a->from);
    a->weight = xa_alloc((size_t)(out * taps), sizeof *a->weight);
    a->fixed = xa_alloc((size_t)(out * taps), sizeof *a->fixed);
    if (!a->from || !a->weight || !a->fixed)
        XA_RETURN_FAIL(err,
                       XA_NOMEM,
                       "out of memory for the weights of %" PRId64 " to %" PRId64 " pixels",
                       in,
                       out);
    for (int64_t i = 0; i < out; i++) {
        float w[MOST_TAPS], t;
        int64_t at;
        if (area) {
            at = (int64_t)floor((double)i * scale);
            t = (float)((double)(i + 1) - (double)(at + 1) * inverse);
            t = t <= 0 ? 0.f : t - floorf(t);
        } else {
            t = (float)(((double)i + 0.5) * scale - 0.5);
            at = (int64_t)floorf(t);
            t -= (float)at;
        }
        if (zero_outside && taps == 2 && (at < 0 || at >= in - 1)) {
            at = at < 0 ? 0 : in - 1;
            t = 0;
        }
        if (taps == 4) {
            cubic_weights(t, w);
        } else {
            w[0] = 1.f - t;
            w[1] = t;
        }
        for (int k = 0; k < taps; k++) {
            const int64_t from = at - taps / 2 + 1 + k;
            a->from[i * taps + k] = from < 0 ? 0 : from > in - 1 ? in - 1 : from;
            a->weight[i * taps + k] = w[k];
            a->fixed[i * taps + k] = (int32_t)lrintf(w[k] * COEF_ONE);
        }
    }
    return XA_OK;
}

/* ---- 8 bits --------------------------------------------------------------------------------- */

static inline uint8_t saturate(long v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void across_u8(const uint8_t *src, int32_t *dst, const struct axis *a, int channels)
{
    const int64_t taps = a->taps;
    for (int64_t i = 0; i < a->n; i++) {
        const int64_t *from = a->from + i * taps;
        const int32_t *w = a->fixed + i * taps;
        for (int c = 0; c < channels; c++) {
            int32_t sum = 0;
            for (int64_t k = 0; k < taps; k++)
                sum += src[from[k] * channels + c] * w[k];
            *dst++ = sum;
        }
    }
}

static void linear_down_u8(const int32_t *const *rows, const int32_t *w, uint8_t *dst, int64_t n)
{
    const int32_t *r0 = rows[0], *r1 = rows[1], w0 = w[0], w1 = w[1];
    for (int64_t i = 0; i < n; i++)
        dst[i] = (uint8_t)(((w0 * (r0[i] >> 4) >> 16) + (w1 * (r1[i] >> 4) >> 16) + 2) >> 2);
}

/* OpenCV sums whole vectors of eight samples in float, and the rest of the row in integers. */
static void cubic_down_u8(const int32_t *const *rows, const int32_t *w, uint8_t *dst, int64_t n)
{
    enum { LANES = 8 };
    const float unit = 1.f / (COEF_ONE * COEF_ONE);
    const float f[4] = {
        (float)w[0] * unit, (float)w[1] * unit, (float)w[2] * unit, (float)w[3] * unit};
    const int64_t vectors = n - n % LANES;
    int64_t i = 0;
    for (; i < vectors; i++) {
        const float v =
            (float)rows[0][i] * f[0] +
            ((float)rows[1][i] * f[1] + ((float)rows[2][i] * f[2] + (float)rows[3][i] * f[3]));
        dst[i] = saturate(lrintf(v));
    }
    for (; i < n; i++) {
        const int32_t v =
            rows[0][i] * w[0] + rows[1][i] * w[1] + rows[2][i] * w[2] + rows[3][i] * w[3];
        dst[i] = saturate((v + (1 << (2 * COEF_BITS - 1))) >> (2 * COEF_BITS));
    }
}

/* ---- float ---------------------------------------------------------------------------------- */

static void across_f32(const float *src, float *dst, const struct axis *a, int channels)
{
    const int64_t taps = a->taps;
    for (int64_t i = 0; i < a->n; i++) {
        const int64_t *from = a->from + i * taps;
        const float *w = a->weight + i * taps;
        for (int c = 0; c < channels; c++) {
            float sum = src[from[0] * channels + c] * w[0];
            for (int64_t k = 1; k < taps; k++)
                sum += src[from[k] * channels + c] * w[k];
            *dst++ = sum;
        }
    }
}

static void down_f32(const float *const *rows, const float *w, int64_t taps, float *dst, int64_t n)
{
    if (taps == 2) {
        for (int64_t i = 0; i < n; i++)
            dst[i] = rows[0][i] * w[0] + rows[1][i] * w[1];
        return;
    }
    /* In whole vectors of four, taps are summed from the last one on; in the rest of the row, from
     * the first on. */
    const int64_t vectors = n - n % 4;
    int64_t i = 0;
    for (; i < vectors; i++)
        dst[i] = rows[0][i] * w[0] + (rows[1][i] * w[1] + (rows[2][i] * w[2] + rows[3][i] * w[3]));
    for (; i < n; i++)
        dst[i] = rows[0][i] * w[0] + rows[1][i] * w[1] + rows[2][i] * w[2] + rows[3][i] * w[3];
}

/* ---- linear and cubic ----------------------------------------------------------------------- */

/* Horizontally resized source rows, kept by their number; as many as an output row needs. Samples
 * have 4 bytes: int32_t for 8-bit images, else float. */
struct rows {
    void *data[MOST_TAPS];
    int64_t row[MOST_TAPS]; /* -1: the slot is empty */
};

/* The slot with source row `row`, which is computed if it is not there. Slots in `busy` are not
 * reused. */
static void *get_row(struct rows *r,
                     int64_t row,
                     int64_t taps,
                     unsigned *busy,
                     const xa_image *src,
                     const struct axis *x)
{
    int slot = -1;
    for (int k = 0; k < taps; k++) {
        if (r->row[k] == row) {
            *busy |= 1u << k;
            return r->data[k];
        }
    }
    /* It replaces the oldest row (with the smallest number) that this output row does not use. */
    for (int k = 0; k < taps; k++)
        if (!(*busy >> k & 1) && (slot < 0 || r->row[k] < r->row[slot]))
            slot = k;
    assert(slot >= 0); /* an output row uses at most `taps` rows */
    const int64_t n = src->width * src->channels;
    if (src->type == XA_PIXEL_U8)
        across_u8((const uint8_t *)src->data + row * n, r->data[slot], x, src->channels);
    else
        across_f32((const float *)src->data + row * n, r->data[slot], x, src->channels);
    r->row[slot] = row;
    *busy |= 1u << slot;
    return r->data[slot];
}

static xa_status separable(const xa_image *src, xa_image *dst, int taps, bool area, xa_err *err)
{
    xa_status st;
    struct axis x = {0}, y = {0};
    struct rows r = {.row = {-1, -1, -1, -1}};
    const int64_t n = dst->width * dst->channels;
    XA_TRY(err, axis_init(&x, src->width, dst->width, taps, area, true, err));
    XA_TRY(err, axis_init(&y, src->height, dst->height, taps, area, false, err));
    for (int k = 0; k < taps; k++) {
        r.data[k] = xa_alloc((size_t)n, sizeof(int32_t));
        if (!r.data[k])
            XA_FAIL(err, XA_NOMEM, "out of memory for a row of %" PRId64 " pixels", dst->width);
    }
    for (int64_t i = 0; i < dst->height; i++) {
        const void *rows[MOST_TAPS];
        unsigned busy = 0;
        for (int k = 0; k < taps; k++) /* rows that are there must not be replaced */
            for (int j = 0; j < taps; j++)
                if (r.row[j] == y.from[i * taps + k])
                    busy |= 1u << j;
        for (int k = 0; k < taps; k++)
            rows[k] = get_row(&r, y.from[i * taps + k], taps, &busy, src, &x);
        if (src->type == XA_PIXEL_F32)
            down_f32((const float *const *)rows,
                     y.weight + i * taps,
                     taps,
                     (float *)dst->data + i * n,
                     n);
        else if (taps == 2)
            linear_down_u8(
                (const int32_t *const *)rows, y.fixed + i * 2, (uint8_t *)dst->data + i * n, n);
        else
            cubic_down_u8(
                (const int32_t *const *)rows, y.fixed + i * 4, (uint8_t *)dst->data + i * n, n);
    }
done:
    for (int k = 0; k < MOST_TAPS; k++)
        free(r.data[k]);
    axis_fini(&x);
    axis_fini(&y);
    return st;
}

xa_status xa_upsample_cubic(
    const float *src, int64_t h, int64_t w, double *dst, int64_t oh, int64_t ow, xa_err *err)
{
    xa_status st;
    struct axis x = {0}, y = {0};
    double *line = NULL;
    XA_TRY(err, axis_init(&x, w, ow, 4, false, true, err));
    XA_TRY(err, axis_init(&y, h, oh, 4, false, false, err));
    line = xa_alloc((size_t)(h * ow), sizeof *line);
    if (!line)
        XA_FAIL(err, XA_NOMEM, "out of memory for a map of %" PRId64 " x %" PRId64, ow, h);
    for (int64_t i = 0; i < h * ow; i++) {
        const float *in = src + i / ow * w, *c = x.weight + i % ow * 4;
        const int64_t *from = x.from + i % ow * 4;
        double sum = (double)in[from[0]] * (double)c[0];
        for (int k = 1; k < 4; k++)
            sum += (double)in[from[k]] * (double)c[k];
        line[i] = sum;
    }
    for (int64_t j = 0; j < oh; j++) {
        const float *c = y.weight + j * 4;
        const int64_t *from = y.from + j * 4;
        for (int64_t i = 0; i < ow; i++) {
            double sum = line[from[0] * ow + i] * (double)c[0];
            for (int k = 1; k < 4; k++)
                sum += line[from[k] * ow + i] * (double)c[k];
            dst[j * ow + i] = sum;
        }
    }
done:
    free(line);
    axis_fini(&x);
    axis_fini(&y);
    return st;
}

/* ---- area, shrinking ------------------------------------------------------------------------ */

/* Cells of sx x sy whole pixels: sums row by row, four samples at a time. */
static void area_cells_u8(const xa_image *src, xa_image *dst, int64_t sx, int64_t sy)
{
    const int channels = src->channels;
    const int64_t row = src->width * channels;
    const float scale = 1.f / (float)(sx * sy);
    /* OpenCV rounds halves up for 2 x 2 cells of these numbers of channels, else to even. */
    const bool halves_up = sx == 2 && sy == 2 && (channels == 1 || channels == 3 || channels == 4);
    uint8_t *out = dst->data;
    for (int64_t y = 0; y < dst->height; y++)
        for (int64_t x = 0; x < dst->width; x++)
            for (int c = 0; c < channels; c++) {
                const uint8_t *in =
                    (const uint8_t *)src->data + y * sy * row + x * sx * channels + c;
                int32_t sum = 0;
                for (int64_t j = 0; j < sy; j++)
                    for (int64_t i = 0; i < sx; i++)
                        sum += in[j * row + i * channels];
                *out++ =
                    halves_up ? (uint8_t)((sum + 2) >> 2) : saturate(lrintf((float)sum * scale));
            }
}

static void area_cells_f32(const xa_image *src, xa_image *dst, int64_t sx, int64_t sy)
{
    const int channels = src->channels;
    const int64_t row = src->width * channels, area = sx * sy;
    const float scale = 1.f / (float)area;
    float *out = dst->data;
    for (int64_t y = 0; y < dst->height; y++)
        for (int64_t x = 0; x < dst->width; x++)
            for (int c = 0; c < channels; c++) {
                const float *in = (const float *)src->data + y * sy * row + x * sx * channels + c;
                float sum = 0, four = 0;
                for (int64_t k = 0; k < area; k++) {
                    const float v = in[k / sx * row + k % sx * channels];
                    if (k >= area / 4 * 4) {
                        sum += v;
                        continue;
                    }
                    four = k % 4 == 0 ? v : four + v;
                    if (k % 4 == 3)
                        sum += four;
                }
                *out++ = sum * scale;
            }
}

/* For cells with fractional borders: source `from` counts with `weight` for output `to`. */
struct share {
    int64_t to, from;
    float weight;
};

static size_t area_shares(struct share *s, int64_t in, int64_t out, double scale)
{
    size_t n = 0;
    for (int64_t i = 0; i < out; i++) {
        const double low = (double)i * scale, high = low + scale;
        const double cell = scale < (double)in - low ? scale : (double)in - low;
        int64_t first = (int64_t)ceil(low), last = (int64_t)floor(high);
        last = last > in - 1 ? in - 1 : last;
        first = first > last ? last : first;
        if ((double)first - low > 1e-3)
            s[n++] = (struct share){i, first - 1, (float)(((double)first - low) / cell)};
        for (int64_t k = first; k < last; k++)
            s[n++] = (struct share){i, k, (float)(1.0 / cell)};
        if (high - (double)last > 1e-3) {
            const double rest = high - (double)last < 1. ? high - (double)last : 1.;
            s[n++] = (struct share){i, last, (float)((rest < cell ? rest : cell) / cell)};
        }
    }
    return n;
}

static void area_store(const float *sum, xa_image *dst, int64_t y, int64_t n)
{
    if (dst->type == XA_PIXEL_F32) {
        memcpy((float *)dst->data + y * n, sum, (size_t)n * sizeof *sum);
        return;
    }
    uint8_t *out = (uint8_t *)dst->data + y * n;
    for (int64_t i = 0; i < n; i++)
        out[i] = saturate(lrintf(sum[i]));
}

/* Shrinks one source row across. */
static void
area_across(const xa_image *src, int64_t row, const struct share *s, size_t count, float *line)
{
    const int channels = src->channels;
    const uint8_t *u8 = (const uint8_t *)src->data + row * src->width * channels;
    const float *f32 = (const float *)src->data + row * src->width * channels;
    for (size_t k = 0; k < count; k++) {
        float *to = line + s[k].to * channels;
        const int64_t from = s[k].from * channels;
        for (int c = 0; c < channels; c++)
            to[c] += (src->type == XA_PIXEL_U8 ? (float)u8[from + c] : f32[from + c]) * s[k].weight;
    }
}

static xa_status
area_shrink(const xa_image *src, xa_image *dst, double scale_x, double scale_y, xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t n = dst->width * dst->channels;
    struct share *x = xa_alloc((size_t)src->width * 2 + 2, sizeof *x);
    struct share *y = xa_alloc((size_t)src->height * 2 + 2, sizeof *y);
    float *line = xa_alloc((size_t)n, sizeof *line), *sum = xa_alloc((size_t)n, sizeof *sum);
    if (!x || !y || !line || !sum)
        XA_FAIL(err, XA_NOMEM, "no memory to shrink to %" PRId64 " pixels a row", dst->width);
    const size_t nx = area_shares(x, src->width, dst->width, scale_x);
    const size_t ny = area_shares(y, src->height, dst->height, scale_y);
    for (size_t k = 0; k < ny; k++) {
        const float w = y[k].weight;
        memset(line, 0, (size_t)n * sizeof *line);
        area_across(src, y[k].from, x, nx, line);
        if (k == 0 || y[k].to != y[k - 1].to) {
            if (k > 0)
                area_store(sum, dst, y[k - 1].to, n);
            for (int64_t i = 0; i < n; i++)
                sum[i] = w * line[i];
        } else {
            for (int64_t i = 0; i < n; i++)
                sum[i] += w * line[i];
        }
    }
    area_store(sum, dst, y[ny - 1].to, n);
done:
    free(x);
    free(y);
    free(line);
    free(sum);
    return st;
}

/* ---- nearest -------------------------------------------------------------------------------- */

static void nearest_index(int64_t *from, int64_t in, int64_t out)
{
    const double step = 1. / ((double)out / (double)in);
    for (int64_t i = 0; i < out; i++) {
        const int64_t v = (int64_t)floor((double)i * step);
        from[i] = v < in ? v : in - 1;
    }
}

xa_status xa__resize_cv2(const xa_image *src, xa_image *dst, xa_resample how, xa_err *err)
{
    if (how == XA_RESAMPLE_CV2_NEAREST)
        return xa__resize_nearest(src, dst, nearest_index, err);
    if (how == XA_RESAMPLE_CV2_CUBIC)
        return separable(src, dst, 4, false, err);
    const double scale_x = 1. / ((double)dst->width / (double)src->width);
    const double scale_y = 1. / ((double)dst->height / (double)src->height);
    const int64_t whole_x = llrint(scale_x), whole_y = llrint(scale_y);
    const bool whole = fabs(scale_x - (double)whole_x) < DBL_EPSILON &&
                       fabs(scale_y - (double)whole_y) < DBL_EPSILON;
    /* Where both sides are halved, linear is the mean of four pixels, for which OpenCV uses the
     * area code. */
    const bool halves = whole && whole_x == 2 && whole_y == 2;
    if (how == XA_RESAMPLE_CV2_LINEAR && !halves)
        return separable(src, dst, 2, false, err);
    if (!(scale_x >= 1 && scale_y >= 1))
        return separable(src, dst, 2, true, err);
    if (!whole)
        return area_shrink(src, dst, scale_x, scale_y, err);
    if (src->type == XA_PIXEL_U8)
        area_cells_u8(src, dst, whole_x, whole_y);
    else
        area_cells_f32(src, dst, whole_x, whole_y);
    return XA_OK;
}
