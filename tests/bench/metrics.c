/* Time of every metric on one map of the model's input size, and of all together (they share their
 * scenes). Prints a Markdown table.
 *   metrics [SIDE [REPEATS]]      512 and 20 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "xaudit/metric.h"

typedef struct bench {
    xa_score_map map;
    xa_region region;
    double value[XA_METRIC_COUNT];
    void *statistic[XA_METRIC_COUNT];
} bench;

/* CPU-bound and alone: the least of the repeats is the machine's answer. */
static double least_ms(const xa_metric_spec *specs, int n, bench *b, int repeats)
{
    xa_scorer *s = NULL;
    double best = INFINITY;
    if (xa_scorer_create(specs, n, &s, NULL) != XA_OK)
        return NAN;
    for (int i = 0; i <= repeats; i++) {
        const double start = xa_time();
        if (xa_scorer_score(s, &b->region, &b->map, b->value, b->statistic, NULL) != XA_OK)
            best = NAN;
        const double ms = 1e3 * (xa_time() - start);
        if (i > 0 && ms < best) /* the first grows the work space */
            best = ms;
    }
    xa_scorer_free(s);
    return best;
}

int main(int argc, char **argv)
{
    const int64_t side = argc > 1 ? strtoll(argv[1], NULL, 10) : 512;
    const int repeats = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 20;
    const int64_t n = side * side;
    float *values = malloc((size_t)n * sizeof *values);
    xa_metric_spec specs[XA_METRIC_COUNT];
    double box[1][4] = {
        {0.2 * (double)side, 0.3 * (double)side, 0.7 * (double)side, 0.9 * (double)side}};
    bench b = {.region = {.width = side, .height = side, .nboxes = 1, .boxes = box}};
    if (side < 8 || !values)
        return 1;
    /* like a saliency map: noise everywhere, more of it on the object */
    for (int64_t i = 0; i < n; i++) {
        const double x = (double)(i % side) / (double)side - 0.45,
                     y = (double)(i / side) / (double)side - 0.6;
        values[i] = (float)(xa_random_unit(1, 1, (uint64_t)i) * exp(-4.0 * (x * x + y * y)));
    }
    b.map = (xa_score_map){.values = values,
                           .channels = 1,
                           .height = side,
                           .width = side,
                           .input_height = side,
                           .input_width = side,
                           .affine = {{1, 0, 0}, {0, 1, 0}}};
    printf("| metric | ms |\n| --- | --- |\n");
    for (int k = 0; k < XA_METRIC_COUNT; k++) {
        specs[k] = xa_metric_defaults((xa_metric_kind)k);
        const size_t bytes = xa_metric_statistic_bytes(&specs[k]);
        b.statistic[k] = bytes ? calloc(1, bytes) : NULL;
    }
    for (int k = 0; k < XA_METRIC_COUNT; k++) {
        void *all[XA_METRIC_COUNT];
        for (int i = 0; i < XA_METRIC_COUNT; i++)
            all[i] = b.statistic[i];
        b.statistic[0] = all[k];
        printf("| %s | %.2f |\n", specs[k].name, least_ms(&specs[k], 1, &b, repeats));
        b.statistic[0] = all[0];
    }
    xa_metric_spec smoothed = xa_metric_defaults(XA_METRIC_POINTING_GAME);
    smoothed.at = XA_AT_INPUT;
    smoothed.smoothing = 0.02;
    printf("| pointing_game, smoothing 0.02 | %.2f |\n", least_ms(&smoothed, 1, &b, repeats));
    printf("| all %d together | %.2f |\n",
           (int)XA_METRIC_COUNT,
           least_ms(specs, XA_METRIC_COUNT, &b, repeats));
    for (int k = 0; k < XA_METRIC_COUNT; k++)
        free(b.statistic[k]);
    free(values);
    return 0;
}
