/* tf.image.resize (version 2: half-pixel centres, antialias=False), in TensorFlow's float32
 * arithmetic and order, so that results are equal to the last bit. */
#include "image_internal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static float scale_of(int64_t in, int64_t out)
{
    return (float)in / (float)out;
}

/* ---- nearest -------------------------------------------------------------------------------- */

static void nearest_index(int64_t *from, int64_t in, int64_t out)
{
    const float scale = scale_of(in, out);
    for (int64_t i = 0; i < out; i++) {
        const int64_t v = (int64_t)floorf(((float)i + 0.5f) * scale);
        from[i] = v < 0 ? 0 : v > in - 1 ? in - 1 : v;
    }
}

/* ---- bilinear ------------------------------------------------------------------------------- */

struct pair {
    int64_t a, b;
    float t;
};

static struct pair *pairs_of(int64_t in, int64_t out)
{
    struct pair *p = xa_alloc((size_t)out, sizeof *p);
    const float scale = scale_of(in, out);
    for (int64_t i = 0; p && i < out; i++) {
        const float at = ((float)i + 0.5f) * scale - 0.5f, low = floorf(at);
        const int64_t a = (int64_t)low, b = (int64_t)ceilf(at);
        p[i].a = a < 0 ? 0 : a > in - 1 ? in - 1 : a;
        p[i].b = b > in - 1 ? in - 1 : b < 0 ? 0 : b;
        p[i].t = at - low;
    }
    return p;
}

static inline float lerp4(float tl, float tr, float bl, float br, float tx, float ty)
{
    const float top = tl + (tr - tl) * tx, low = bl + (br - bl) * tx;
    return top + (low - top) * ty;
}

#define BILINEAR_ROW(T)                                                                           \
    do {                                                                                          \
        const T *top = (const T *)src->data + py[y].a * row;                                      \
        const T *low = (const T *)src->data + py[y].b * row;                                      \
        for (int64_t x = 0; x < dst->width; x++) {                                                \
            const int64_t a = px[x].a * channels, b = px[x].b * channels;                         \
            for (int c = 0; c < channels; c++)                                                    \
                *out++ = lerp4(top[a + c], top[b + c], low[a + c], low[b + c], px[x].t, py[y].t); \
        }                                                                                         \
    } while (0)

static xa_status bilinear(const xa_image *src, xa_image *dst, xa_err *err)
{
    xa_status st = XA_OK;
    const int channels = src->channels;
    const int64_t row = src->width * channels;
    struct pair *px = pairs_of(src->width, dst->width);
    struct pair *py = pairs_of(src->height, dst->height);
    float *out = dst->data;
    if (!px || !py)
        XA_FAIL(err, XA_NOMEM, "out of memory for the positions of a resized image");
    for (int64_t y = 0; y < dst->height; y++)
        if (src->type == XA_PIXEL_U8)
            BILINEAR_ROW(uint8_t);
        else
            BILINEAR_ROW(float);
done:
    free(px);
    free(py);
    return st;
}

/* ---- bicubic -------------------------------------------------------------------------------- */

struct quad {
    int64_t from[4];
    float weight[4];
};

/* TensorFlow has a table of Keys' kernel (a = -0.5) at 1024 steps; here an entry is computed when
 * it is used. near: the weight within one pixel of the centre; far: the one beyond. */
static void kernel_at(int64_t step, float *near, float *far)
{
    const double a = -0.5f;
    float x = (float)((double)step * 1.0 / 1024);
    *near = (float)(((a + 2) * x - (a + 3)) * x * x + 1);
    x = (float)(x + 1.0);
    *far = (float)(((a * x - 5 * a) * x + 8 * a) * x - 4 * a);
}

/* Samples beyond the border have weight 0, and the other weights are scaled to sum to 1. */
static struct quad *quads_of(int64_t in, int64_t out)
{
    struct quad *q = xa_alloc((size_t)out, sizeof *q);
    const float scale = scale_of(in, out);
    for (int64_t i = 0; q && i < out; i++) {
        const float at = ((float)i + 0.5f) * scale - 0.5f;
        const int64_t low = (int64_t)floorf(at);
        const float t = at - (float)low;
        const int64_t step = lrintf(t * 1024);
        float w[4];
        kernel_at(step, &w[1], &w[0]);
        kernel_at(1024 - step, &w[2], &w[3]);
        for (int k = 0; k < 4; k++) {
            const int64_t from = low - 1 + k;
            q[i].from[k] = from < 0 ? 0 : from > in - 1 ? in - 1 : from;
            q[i].weight[k] = q[i].from[k] == from ? w[k] : 0.0f;
        }
        float *v = q[i].weight;
        const float sum = v[0] + v[1] + v[2] + v[3];
        if (fabsf(sum) >= 1000.0f * FLT_MIN) {
            const float inverse = 1.0f / sum;
            for (int k = 0; k < 4; k++)
                v[k] *= inverse;
        }
    }
    return q;
}

#define BICUBIC_DOWN(T)                                                                 \
    do {                                                                                \
        const T *r0 = (const T *)src->data + qy[y].from[0] * row;                       \
        const T *r1 = (const T *)src->data + qy[y].from[1] * row;                       \
        const T *r2 = (const T *)src->data + qy[y].from[2] * row;                       \
        const T *r3 = (const T *)src->data + qy[y].from[3] * row;                       \
        for (int64_t i = 0; i < row; i++)                                               \
            line[i] = (float)r0[i] * w[0] + (float)r1[i] * w[1] + (float)r2[i] * w[2] + \
                      (float)r3[i] * w[3];                                              \
    } while (0)

/* TensorFlow sums down first, then across. */
static xa_status bicubic(const xa_image *src, xa_image *dst, xa_err *err)
{
    xa_status st = XA_OK;
    const int channels = src->channels;
    const int64_t row = src->width * channels;
    struct quad *qx = quads_of(src->width, dst->width);
    struct quad *qy = quads_of(src->height, dst->height);
    float *line = xa_alloc((size_t)row, sizeof *line), *out = dst->data;
    if (!qx || !qy || !line)
        XA_FAIL(err, XA_NOMEM, "out of memory for the positions of a resized image");
    for (int64_t y = 0; y < dst->height; y++) {
        const float *w = qy[y].weight;
        if (src->type == XA_PIXEL_U8)
            BICUBIC_DOWN(uint8_t);
        else
            BICUBIC_DOWN(float);
        for (int64_t x = 0; x < dst->width; x++) {
            const float *v = qx[x].weight;
            const int64_t *from = qx[x].from;
            for (int c = 0; c < channels; c++)
                *out++ = line[from[0] * channels + c] * v[0] + line[from[1] * channels + c] * v[1] +
                         line[from[2] * channels + c] * v[2] + line[from[3] * channels + c] * v[3];
        }
    }
done:
    free(qx);
    free(qy);
    free(line);
    return st;
}

xa_status xa__resize_tf(const xa_image *src, xa_image *dst, xa_resample how, xa_err *err)
{
    switch (how) {
    case XA_RESAMPLE_TF_NEAREST:
        return xa__resize_nearest(src, dst, nearest_index, err);
    case XA_RESAMPLE_TF_BILINEAR:
        return bilinear(src, dst, err);
    default:
        return bicubic(src, dst, err);
    }
}
