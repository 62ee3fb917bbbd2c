/* Maps that do not look at the model. */
#include <math.h>

#include "xaudit/faith.h"

static const struct {
    const char *name, *description;
} rivals[XA_RIVAL_COUNT] = {
#define X(kind, text, description) [XA_RIVAL_##kind] = {text, description},
    XA_RIVAL_LIST(X)
#undef X
};

const char *xa_rival_name(xa_rival_kind k)
{
    return rivals[k].name;
}

const char *xa_rival_description(xa_rival_kind k)
{
    return rivals[k].description;
}

static int64_t within(int64_t i, int64_t n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* Sobel's operator at one pixel of a channel, the border repeated. */
static double sobel(const float *x, int64_t h, int64_t w, int64_t c, int64_t row, int64_t column)
{
    static const double smooth[3] = {1.0, 2.0, 1.0};
    double across = 0.0, down = 0.0;
    for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++) {
            const double v = (double)x[(within(row + i, h) * w + within(column + j, w)) * c];
            across += smooth[i + 1] * j * v;
            down += smooth[j + 1] * i * v;
        }
    return sqrt(across * across + down * down);
}

static void edges(const float *x, int64_t h, int64_t w, int64_t c, float *values)
{
    for (int64_t row = 0; row < h; row++)
        for (int64_t column = 0; column < w; column++) {
            double sum = 0.0;
            for (int64_t k = 0; k < c; k++)
                sum += sobel(x + k, h, w, c, row, column);
            values[row * w + column] = (float)sum;
        }
}

static void centre(int64_t h, int64_t w, float *values)
{
    const double sigma = 0.25;
    for (int64_t row = 0; row < h; row++)
        for (int64_t column = 0; column < w; column++) {
            const double dy = ((double)row + 0.5) / (double)h - 0.5;
            const double dx = ((double)column + 0.5) / (double)w - 0.5;
            values[row * w + column] = (float)exp(-(dx * dx + dy * dy) / (2.0 * sigma * sigma));
        }
}

/* The pixels of `from` in the order of xa_random_shuffle, which is done on the values themselves.
 */
static void shuffled(const float *from, int64_t n, uint64_t seed, float *values)
{
    const uint64_t stream = xa_random_stream(XA_PURPOSE_RANDOM_MAP, 1);
    for (int64_t i = 0; i < n; i++)
        values[i] = from[i];
    for (int64_t j = n - 1; j > 0; j--) {
        const int64_t k = xa_random_below(seed, stream, (uint64_t)j, j + 1);
        const float t = values[j];
        values[j] = values[k];
        values[k] = t;
    }
}

void xa_rival_map(xa_rival_kind kind,
                  const float *x,
                  int64_t height,
                  int64_t width,
                  int64_t channels,
                  uint64_t seed,
                  const float *pixels,
                  float *values)
{
    const int64_t n = height * width;
    switch (kind) {
    case XA_RIVAL_EDGES:
        edges(x, height, width, channels, values);
        return;
    case XA_RIVAL_CENTRE:
        centre(height, width, values);
        return;
    case XA_RIVAL_SHUFFLED:
        shuffled(pixels, n, seed, values);
        return;
    default:
        for (int64_t i = 0; i < n; i++)
            values[i] = (float)xa_random_unit(
                seed, xa_random_stream(XA_PURPOSE_RANDOM_MAP, 0), (uint64_t)i);
        return;
    }
}
