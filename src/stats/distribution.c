/* Quantiles of the normal and of Student's distribution, bounds of a binomial's probability. */
#include <math.h>

#include "stats_internal.h"

/* erfc is convex to the right of 0, so Newton's steps from 0 climb to the root without passing it.
 */
double xa__normal_two_sided(double alpha)
{
    const double inv_sqrt2 = 0.70710678118654752440;
    const double slope = 0.79788456080286535588; /* sqrt(2/pi) */
    double z = 0.0;
    for (int i = 0; i < 200; i++) {
        double step = (erfc(z * inv_sqrt2) - alpha) / (slope * exp(-0.5 * z * z));
        z += step;
        if (fabs(step) <= 1e-15 * (1.0 + z))
            break;
    }
    return z;
}

/* P(|T| < sqrt(df) tan(angle)): the finite series of Abramowitz & Stegun 26.7.3 and 26.7.4. */
static double student_within(int64_t df, double angle)
{
    const double c = cos(angle), s = sin(angle);
    const bool odd = df % 2 != 0;
    double term = odd ? c : 1.0;
    double sum = df > 1 ? term : 0.0;
    for (int64_t k = odd ? 3 : 2; k < df; k += 2) {
        term *= c * c * (double)(k - 1) / (double)k;
        sum += term;
    }
    return odd ? (angle + s * sum) * 0.63661977236758134308 : s * sum;
}

double xa__student_two_sided(double alpha, int64_t df)
{
    if (df >
        2000) { /* Cornish and Fisher's expansion, Abramowitz & Stegun 26.7.5: 1e-10 off here */
        const double z = xa__normal_two_sided(alpha), n = (double)df, y = z * z;
        return z + z * (y + 1.0) / (4.0 * n) + z * ((5.0 * y + 16.0) * y + 3.0) / (96.0 * n * n);
    }
    double low = 0.0, high = 1.57079632679489661923;
    for (int i = 0; i < 200 && high - low > 1e-16; i++) {
        const double mid = 0.5 * (low + high);
        if (student_within(df, mid) < 1.0 - alpha)
            low = mid;
        else
            high = mid;
    }
    return sqrt((double)df) * tan(0.5 * (low + high));
}

double xa__expanded_tail(double level, int64_t clusters)
{
    if (clusters < 2)
        return 0.5 * (1.0 - level);
    const double n = (double)clusters;
    const double t = xa__student_two_sided(1.0 - level, clusters - 1);
    return 0.5 * erfc(sqrt(n / (n - 1.0)) * t * 0.70710678118654752440);
}

/* Kullback-Leibler divergence of two coins. */
static double divergence(double q, double p)
{
    const double a = q > 0.0 ? q * log(q / p) : 0.0;
    const double b = q < 1.0 ? (1.0 - q) * log((1.0 - q) / (1.0 - p)) : 0.0;
    return a + b;
}

void xa__binomial_bounds(int64_t reached, int64_t of, double error, double *low, double *high)
{
    const double q = (double)reached / (double)of, most = log(1.0 / error) / (double)of;
    double at[2];
    for (int side = 0; side < 2; side++) {
        double in = q, out = side ? 1.0 : 0.0; /* within the bound, beyond it */
        for (int i = 0; i < 100; i++) {
            const double mid = 0.5 * (in + out);
            if (divergence(q, mid) <= most)
                in = mid;
            else
                out = mid;
        }
        at[side] = in;
    }
    *low = at[0];
    *high = at[1];
}
