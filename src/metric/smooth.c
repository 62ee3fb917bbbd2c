/* A Gaussian over the scene, cut at four sigma, with repeated borders. Its two axes are computed
 * one after the other, each from a table of weights, for several columns at once. */
#include "metric_internal.h"

#include <math.h>
#include <string.h>

enum { BLOCK = XA__SMOOTH_BLOCK, TILE = 16 };

/* weight[k]: of a neighbour k pixels away, 0..reach; tail[k]: the sum of the weights from k on. */
typedef struct table {
    float *weight, *tail;
    int64_t reach;
} table;

static void fill(table *t, double sigma)
{
    double whole = 1.0, sum = 0.0;
    for (int64_t k = 1; k <= t->reach; k++)
        whole += 2.0 * exp(-0.5 * (double)(k * k) / (sigma * sigma));
    t->tail[t->reach + 1] = 0.0f;
    for (int64_t k = t->reach; k >= 0; k--) {
        const double v = exp(-0.5 * (double)(k * k) / (sigma * sigma)) / whole;
        sum += v;
        t->weight[k] = (float)v;
        t->tail[k] = (float)sum;
    }
}

/* Vectors are written out, since the compiler would unroll the loops over rows instead. */
typedef float lanes __attribute__((vector_size(16), aligned(4), may_alias));
enum { VECTORS = BLOCK * sizeof(float) / sizeof(lanes) };

#define at(row, v) (((const lanes *)(const void *)(row))[v])

/* BLOCK columns at once: in [rows,BLOCK] along its columns to out, whose rows are `stride` apart.
 * Each sum has the same terms in the same order for any width of vectors. */
static void strip_columns(
    const float *in, int64_t rows, const table *t, float *out, int64_t stride, int64_t some)
{
    const float *bottom = in + (rows - 1) * BLOCK;
    for (int64_t y = 0; y < rows; y++) {
        const int64_t far =
            y > rows - 1 - y ? y
                             : rows - 1 - y; /* farther neighbours are the border on both sides */
        const int64_t last = t->reach < far ? t->reach : far;
        lanes sum[VECTORS];
        for (int v = 0; v < VECTORS; v++)
            sum[v] = t->weight[0] * at(in + y * BLOCK, v);
        for (int64_t k = 1; k <= last; k++) {
            const float *a = in + (y - k > 0 ? y - k : 0) * BLOCK;
            const float *b = in + (y + k < rows - 1 ? y + k : rows - 1) * BLOCK;
            const float w = t->weight[k];
            for (int v = 0; v < VECTORS; v++)
                sum[v] += w * (at(a, v) + at(b, v));
        }
        for (int v = 0; v < VECTORS; v++)
            sum[v] += t->tail[last + 1] * (at(in, v) + at(bottom, v));
        memcpy(out + y * stride, sum, (size_t)some * sizeof *out);
    }
}

/* Along the columns of in [h,w] (rows `stride` apart) to out [h,w]. Each strip of columns is first
 * copied to one place, since rows a power of two apart would evict each other from the cache. */
static void along_columns(
    const float *in, int64_t h, int64_t w, int64_t stride, const table *t, float *strip, float *out)
{
    for (int64_t x = 0; x < w; x += BLOCK) {
        const int64_t some = w - x < BLOCK ? w - x : BLOCK;
        for (int64_t y = 0; y < h; y++)
            for (int64_t i = 0; i < BLOCK; i++)
                strip[y * BLOCK + i] = i < some ? in[y * stride + x + i] : 0.0f;
        strip_columns(strip, h, t, out + x, w, some);
    }
}

/* Transposes in [h,w] to out [w,h], in tiles that stay in cache. */
static void turn(const float *in, int64_t h, int64_t w, float *out)
{
    for (int64_t y = 0; y < h; y += TILE)
        for (int64_t x = 0; x < w; x += TILE)
            for (int64_t i = x; i < x + TILE && i < w; i++)
                for (int64_t j = y; j < y + TILE && j < h; j++)
                    out[i * h + j] = in[j * w + i];
}

void xa__smooth(
    const float *in, int64_t h, int64_t w, int64_t stride, double sigma, xa__smoother *s)
{
    table t = {s->weight, s->tail, (int64_t)ceil(4.0 * sigma)};
    fill(&t, sigma);
    along_columns(in, h, w, stride, &t, s->strip, s->once);
    turn(s->once, h, w, s->out);
    along_columns(s->out, w, h, h, &t, s->strip, s->once);
    turn(s->once, w, h, s->out);
}

/* The definition: one sum per value. */
static void axis_ref(
    const float *in, float *out, int64_t lines, int64_t line, int64_t n, int64_t step, double sigma)
{
    const int64_t reach = (int64_t)ceil(4.0 * sigma);
    double whole = 0.0;
    for (int64_t k = -reach; k <= reach; k++)
        whole += exp(-0.5 * (double)(k * k) / (sigma * sigma));
    for (int64_t l = 0; l < lines; l++)
        for (int64_t i = 0; i < n; i++) {
            double sum = 0.0;
            for (int64_t k = -reach; k <= reach; k++) {
                const int64_t at = i + k < 0 ? 0 : i + k >= n ? n - 1 : i + k;
                sum += exp(-0.5 * (double)(k * k) / (sigma * sigma)) *
                       (double)in[l * line + at * step];
            }
            out[l * line + i * step] = (float)(sum / whole);
        }
}

void xa__smooth_ref(const float *in, int64_t h, int64_t w, double sigma, float *once, float *out)
{
    axis_ref(in, once, h, w, w, 1, sigma);
    axis_ref(once, out, w, 1, h, w, sigma);
}
