/* Eigen-CAM. Muhammad, Yeasin 2020, section III: with T the activations as [pixels, channels], each
 * column less its mean, the map is T v, v the first right singular vector: the direction in which
 * the layer's activations differ most over the image. It explains no class.
 *
 * v has no sign of its own: the map is turned so that its largest |value| is above 0.
 *
 * T v = s u, so that either of u (of T T') and v (of T' T) gives the map: that of the smaller
 * matrix is found by power iteration in double. Singular values closer than a thousandth leave a
 * mix of both directions, which explains as much. */
#include <math.h>
#include <string.h>

#include "explain_internal.h"

enum { STEPS = 10000, START = 1 };
static const double ENOUGH = 1e-13; /* change of a step, of a vector of length 1 */

typedef struct room {
    int64_t pixels, channels, n; /* n: side of the matrix */
    double *mean, *row, *v, *next, *gram;
} room;

static room layout(const xa_shape *shape, void *work)
{
    room r = {.pixels = shape->dim[0] * shape->dim[1], .channels = shape->dim[2]};
    r.n = r.pixels < r.channels ? r.pixels : r.channels;
    r.mean = work;
    if (work) {
        r.row = r.mean + r.channels;
        r.v = r.row + r.channels;
        r.next = r.v + r.n;
        r.gram = r.next + r.n;
    }
    return r;
}

static size_t work_bytes(const xa_explainer_spec *spec, const xa_explain_view *v)
{
    const room r = layout(&v->layer_shape, NULL);
    (void)spec;
    return (size_t)(2 * r.channels + 2 * r.n + r.n * r.n) * sizeof(double);
}

static void find_means(const room *r, const float *a)
{
    for (int64_t k = 0; k < r->channels; k++)
        r->mean[k] = 0.0;
    for (int64_t p = 0; p < r->pixels; p++)
        for (int64_t k = 0; k < r->channels; k++)
            r->mean[k] += (double)a[p * r->channels + k];
    for (int64_t k = 0; k < r->channels; k++)
        r->mean[k] /= (double)r->pixels;
}

/* Row p of T into r->row. */
static void centre(const room *r, const float *a, int64_t p)
{
    for (int64_t k = 0; k < r->channels; k++)
        r->row[k] = (double)a[p * r->channels + k] - r->mean[k];
}

/* T T' [pixels, pixels], or T' T [channels, channels]. */
static void find_gram(const room *r, const float *a)
{
    const int64_t n = r->n;
    memset(r->gram, 0, (size_t)(n * n) * sizeof(double));
    for (int64_t p = 0; p < r->pixels; p++) {
        centre(r, a, p);
        for (int64_t i = 0; n == r->pixels && i <= p; i++) {
            double sum = 0.0;
            for (int64_t k = 0; k < r->channels; k++)
                sum += r->row[k] * ((double)a[i * r->channels + k] - r->mean[k]);
            r->gram[p * n + i] = r->gram[i * n + p] = sum;
        }
        for (int64_t i = 0; n != r->pixels && i < n; i++)
            for (int64_t k = 0; k < n; k++)
                r->gram[i * n + k] += r->row[i] * r->row[k];
    }
}

/* The first eigenvector into r->v; its eigenvalue. */
static double iterate(const room *r)
{
    const int64_t n = r->n;
    double value = 0.0;
    for (int64_t i = 0; i < n; i++) /* no vector that a matrix made of images could avoid */
        r->v[i] = xa_random_unit(0, START, (uint64_t)i) - 0.5;
    for (int step = 0; step < STEPS; step++) {
        double squares = 0.0, change = 0.0;
        for (int64_t i = 0; i < n; i++) {
            double sum = 0.0;
            for (int64_t k = 0; k < n; k++)
                sum += r->gram[i * n + k] * r->v[k];
            r->next[i] = sum;
            squares += sum * sum;
        }
        value = sqrt(squares);
        if (!(value > 0.0 && isfinite(value))) /* a constant layer, or one that is not finite */
            return value;
        for (int64_t i = 0; i < n; i++) {
            const double next = r->next[i] / value, d = fabs(next - r->v[i]);
            change = d > change ? d : change;
            r->v[i] = next;
        }
        if (change < ENOUGH)
            break;
    }
    return value;
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    const room r = layout(&v->layer_shape, v->work);
    double low = 0.0, high = 0.0;
    (void)spec;
    find_means(&r, v->layer_value);
    find_gram(&r, v->layer_value);
    const double value = iterate(&r), size = sqrt(value);
    for (int64_t p = 0; p < r.pixels; p++) {
        double sum = r.n == r.pixels ? size * r.v[p] : 0.0;
        centre(&r, v->layer_value, p);
        for (int64_t k = 0; r.n != r.pixels && k < r.channels; k++)
            sum += r.row[k] * r.v[k];
        if (!(value > 0.0 && isfinite(value)))
            sum = value; /* 0, or NaN */
        map[p] = (float)sum;
        low = sum < low ? sum : low;
        high = sum > high ? sum : high;
    }
    for (int64_t p = 0; - low > high && p < r.pixels; p++)
        map[p] = -map[p];
}

const xa_explainer_def xa_explainer_eigencam = {
    .name = "eigencam",
    .reference = "Muhammad, Yeasin: Eigen-CAM, IJCNN 2020, doi:10.1109/IJCNN48605.2020.9206626",
    .needs = XA_NEEDS_LAYER,
    .is_signed = true,
    .compute = compute,
    .work_bytes = work_bytes};
