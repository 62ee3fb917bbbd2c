/* What the tests of metric share: a map over an image of its own size, and the score of one metric.
 */
#ifndef XAUDIT_TEST_METRIC_TEST_H
#define XAUDIT_TEST_METRIC_TEST_H

#include <math.h>

#include "xaudit/metric.h"
#include "xaudit_cmocka.h"

static inline xa_score_map map_of(const float *values, int64_t w, int64_t h)
{
    return (xa_score_map){.values = values,
                          .channels = 1,
                          .height = h,
                          .width = w,
                          .input_height = h,
                          .input_width = w,
                          .affine = {{1, 0, 0}, {0, 1, 0}},
                          .rank = 0};
}

static inline double one(xa_metric_spec spec, const xa_region *r, const xa_score_map *m)
{
    xa_scorer *s = NULL;
    double value;
    assert_int_equal(xa_scorer_create(&spec, 1, &s, NULL), XA_OK);
    assert_int_equal(xa_scorer_score(s, r, m, &value, NULL, NULL), XA_OK);
    xa_scorer_free(s);
    return value;
}

static inline bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

#endif
