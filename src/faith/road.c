/* ROAD's imputation. Planes of one channel with a border of zeros, so that the neighbours of a
 * pixel at the edge need no question: what is outside weighs nothing. */
#include <math.h>
#include <string.h>

#include "xaudit/faith.h"

#define EDGE (1.0 / 6.0)
#define CORNER (1.0 / 12.0)
#define RESIDUAL 1e-6

/* The work space: planes of (h+2)(w+2). */
typedef struct space {
    int64_t h, w, stride, size;
    double *gone;   /* 1 where removed, else 0 */
    double *weight; /* s_i */
    double *v, *r, *p, *q;
} space;

enum { PLANES = 6 };

static space space_of(int64_t h, int64_t w, void *scratch)
{
    space s = {.h = h, .w = w, .stride = w + 2, .size = (h + 2) * (w + 2)};
    double *plane = scratch;
    s.gone = plane;
    s.weight = plane + s.size;
    s.v = plane + 2 * s.size;
    s.r = plane + 3 * s.size;
    s.p = plane + 4 * s.size;
    s.q = plane + 5 * s.size;
    return s;
}

size_t xa_road_scratch(int64_t height, int64_t width, int64_t channels)
{
    (void)channels; /* one after another */
    return (size_t)(PLANES * (height + 2) * (width + 2)) * sizeof(double);
}

static int64_t line(const space *s, int64_t y)
{
    return (y + 1) * s->stride + 1;
}

/* The weighted sum of a pixel's neighbours. */
static inline double around(const double *x, int64_t stride)
{
    return EDGE * ((x[-stride] + x[stride]) + (x[-1] + x[1])) +
           CORNER * ((x[-stride - 1] + x[-stride + 1]) + (x[stride - 1] + x[stride + 1]));
}

/* q = A p on removed pixels, 0 elsewhere; p is 0 on kept ones. */
static void multiply(const space *s)
{
    for (int64_t y = 0; y < s->h; y++) {
        const int64_t at = line(s, y);
        const double *p = s->p + at, *weight = s->weight + at, *gone = s->gone + at;
        double *q = s->q + at;
        for (int64_t x = 0; x < s->w; x++)
            q[x] = gone[x] * (weight[x] * p[x] - around(p + x, s->stride));
    }
}

/* Sums of a line in four parts, for the adders; always the same parts. */
static double dot(const space *s, const double *a, const double *b)
{
    double sum = 0.0;
    for (int64_t y = 0; y < s->h; y++) {
        const double *u = a + line(s, y), *v = b + line(s, y);
        double part[4] = {0};
        int64_t x = 0;
        for (; x + 4 <= s->w; x += 4)
            for (int k = 0; k < 4; k++)
                part[k] += u[x + k] * v[x + k];
        for (; x < s->w; x++)
            part[0] += u[x] * v[x];
        sum += (part[0] + part[1]) + (part[2] + part[3]);
    }
    return sum;
}

/* z = r / s, Jacobi's preconditioner; its product with r. */
static double preconditioned(const space *s)
{
    double sum = 0.0;
    for (int64_t y = 0; y < s->h; y++)
        for (int64_t x = 0, i = line(s, y); x < s->w; x++, i++)
            sum += s->r[i] * s->r[i] / s->weight[i];
    return sum;
}

static void add(const space *s, double alpha)
{
    for (int64_t y = 0; y < s->h; y++)
        for (int64_t x = 0, i = line(s, y); x < s->w; x++, i++) {
            s->v[i] += alpha * s->p[i];
            s->r[i] -= alpha * s->q[i];
        }
}

static void turn(const space *s, double beta)
{
    for (int64_t y = 0; y < s->h; y++)
        for (int64_t x = 0, i = line(s, y); x < s->w; x++, i++)
            s->p[i] = s->r[i] / s->weight[i] + beta * s->p[i];
}

/* From v's first guess, with b in q's place: v solves A v = b. */
static int64_t solve(const space *s, int64_t most)
{
    memcpy(s->r, s->q, (size_t)s->size * sizeof *s->r);
    const double right = dot(s, s->r, s->r), enough = RESIDUAL * RESIDUAL * right;
    memcpy(s->p, s->v, (size_t)s->size * sizeof *s->p);
    multiply(s);
    for (int64_t i = 0; i < s->size; i++)
        s->r[i] -= s->q[i];
    memset(s->p, 0, (size_t)s->size * sizeof *s->p);
    turn(s, 0.0);
    double rz = preconditioned(s);
    for (int64_t n = 0; n < most; n++) {
        if (dot(s, s->r, s->r) <= enough)
            return n;
        multiply(s);
        add(s, rz / dot(s, s->p, s->q));
        const double next = preconditioned(s);
        turn(s, next / rz);
        rz = next;
    }
    return -1;
}

/* Weights of neighbours inside the image, and what was removed. */
static int64_t prepare(const space *s, const uint8_t *removed)
{
    int64_t gone = 0;
    memset(s->gone, 0, (size_t)(PLANES * s->size) * sizeof *s->gone);
    for (int64_t y = 0; y < s->h; y++)
        for (int64_t x = 0; x < s->w; x++)
            s->p[line(s, y) + x] = 1.0;
    for (int64_t y = 0; y < s->h; y++)
        for (int64_t x = 0; x < s->w; x++) {
            const int64_t i = line(s, y) + x;
            s->weight[i] = around(s->p + i, s->stride);
            s->gone[i] = removed[y * s->w + x] ? 1.0 : 0.0;
            gone += removed[y * s->w + x] != 0;
        }
    return gone;
}

/* Each of a channel's kept values, or of all where none is kept: their mean. */
static double mean_of(
    const float *x, int64_t n, int64_t channels, int64_t c, const uint8_t *removed, int64_t kept)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += kept == 0 || !removed[i] ? (double)x[i * channels + c] : 0.0;
    return sum / (double)(kept ? kept : n);
}

static int64_t fill_channel(const space *s,
                            const float *x,
                            const float *start,
                            int64_t channels,
                            int64_t c,
                            const uint8_t *removed,
                            double mean,
                            float *out)
{
    for (int64_t y = 0; y < s->h; y++)
        for (int64_t k = 0; k < s->w; k++) {
            const int64_t i = line(s, y) + k, from = y * s->w + k;
            s->p[i] = removed[from] ? 0.0 : (double)x[from * channels + c];
            s->v[i] = !removed[from] ? 0.0 : start ? (double)start[from * channels + c] : mean;
        }
    for (int64_t y = 0; y < s->h; y++)
        for (int64_t k = 0, i = line(s, y); k < s->w; k++, i++)
            s->q[i] = s->gone[i] * around(s->p + i, s->stride);
    const int64_t n = solve(s, 10 * (s->h + s->w) + 1000);
    for (int64_t y = 0; y < s->h; y++)
        for (int64_t k = 0; k < s->w; k++) {
            const int64_t to = y * s->w + k;
            out[to * channels + c] =
                removed[to] ? (float)s->v[line(s, y) + k] : x[to * channels + c];
        }
    return n;
}

int64_t xa_road_fill(const float *x,
                     const float *start,
                     int64_t height,
                     int64_t width,
                     int64_t channels,
                     const uint8_t *removed,
                     void *scratch,
                     float *out)
{
    const space s = space_of(height, width, scratch);
    const int64_t n = height * width, gone = prepare(&s, removed), kept = n - gone;
    int64_t most = 0;
    for (int64_t c = 0; c < channels; c++) {
        const double mean = mean_of(x, n, channels, c, removed, kept);
        if (kept == 0 || gone == 0) {
            for (int64_t i = 0; i < n; i++)
                out[i * channels + c] = gone ? (float)mean : x[i * channels + c];
            continue;
        }
        const int64_t took = fill_channel(&s, x, start, channels, c, removed, mean, out);
        most = took < 0 || most < 0 ? -1 : took > most ? took : most;
    }
    return most;
}
