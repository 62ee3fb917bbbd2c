/* What each operator computes, in double, in the most obvious way: one output value at a time, from
 * the definitions in nn.h. One sample. */
#ifndef XAUDIT_TEST_OP_REFERENCE_H
#define XAUDIT_TEST_OP_REFERENCE_H

#include "op_cases.h"

/* A place of the output. */
typedef struct op_point {
    const xa_shape *out;
    int64_t i;              /* its number */
    int64_t o[XA_MAX_DIMS]; /* its index along each axis */
} op_point;

/* One value of the output; x[j] and w[j] (NULL where absent) are a case's inputs and weights. */
typedef double
op_formula(const op_case *c, const op_point *p, const double *const *x, const double *const *w);

/* Operators of a kind: their cases, and their formulas by operator, NULL for those of others. */
typedef struct op_family {
    const op_case *cases;
    int count;
    op_formula *const *formulas;
} op_family;
extern const op_family op_windows, op_rows, op_elementwise, op_places;

/* NULL if no family has one. */
op_formula *op_formula_of(xa_op op);

/* y is the output of a case, of the given shape. */
void op_reference(const op_case *c,
                  const xa_shape *out,
                  const double *const *x,
                  const double *const *w,
                  double *y);

/* ---- what formulas share --------------------------------------------------------------------- */

/* Place of an index in a tensor whose extents are those of the index or 1. */
int64_t op_ravel(const xa_shape *s, const int64_t index[XA_MAX_DIMS]);
/* Place of a pixel's channel in an image [H,W,C]. */
int64_t op_pixel(const xa_shape *s, int64_t y, int64_t x, int64_t c);
bool op_in_image(const xa_shape *s, int64_t y, int64_t x);

/* ---- how cases write shapes ------------------------------------------------------------------ */

/* clang-format off */
#define S1(a)          {.ndim = 1, .dim = {a}}
#define S2(a, b)       {.ndim = 2, .dim = {a, b}}
#define S3(a, b, c)    {.ndim = 3, .dim = {a, b, c}}
#define S4(a, b, c, d) {.ndim = 4, .dim = {a, b, c, d}}
#define S5(a, b, c, d, e) {.ndim = 5, .dim = {a, b, c, d, e}}
/* clang-format on */

#endif
