/* Inputs of removal curves, and the area under a curve. */
#include <math.h>
#include <string.h>

#include "xaudit/faith.h"

int64_t xa_faith_changed(int64_t n, int64_t step, int64_t steps)
{
    return (2 * step * n + steps) / (2 * steps);
}

void xa_faith_change(const float *from,
                     const float *to,
                     int64_t pixels,
                     int64_t channels,
                     const int32_t *changed,
                     int64_t count,
                     float *out)
{
    const size_t pixel = (size_t)channels * sizeof *out;
    if (out != from)
        memcpy(out, from, (size_t)pixels * pixel);
    for (int64_t i = 0; i < count; i++)
        memcpy(out + changed[i] * channels, to + changed[i] * channels, pixel);
}

void xa_faith_mark(const int32_t *pixels, int64_t count, int64_t n, uint8_t *marks)
{
    memset(marks, 0, (size_t)n);
    for (int64_t i = 0; i < count; i++)
        marks[pixels[i]] = 1;
}

double xa_faith_auc(const double *curve, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += i == 0 || i == n - 1 ? 0.5 * curve[i] : curve[i];
    return isfinite(sum) && n > 1 ? sum / (double)(n - 1) : NAN;
}

bool xa_faith_normalise(const double *curve, int64_t n, double *out)
{
    const double first = curve[0], last = curve[n - 1];
    if (!(first - last > 0.1))
        return false;
    for (int64_t i = 0; i < n; i++)
        out[i] = (curve[i] - last) / (first - last);
    return true;
}

double xa_road_score(const double *morf, const double *lerf, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += (lerf[i] - morf[i]) / 2.0;
    return isfinite(sum) && n > 0 ? sum / (double)n : NAN;
}
