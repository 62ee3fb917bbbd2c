/* One model compared with its reference: how far numbers lie apart, and the first failure. */
#ifndef XAUDIT_TEST_GOLDEN_CHECK_H
#define XAUDIT_TEST_GOLDEN_CHECK_H

#include "reference_file.h"
#include "xaudit/nn.h"

/* One model's run: a report line and the first failure. */
typedef struct golden_check {
    const char *folder;
    const reference *ref;
    xa_isa isa;
    char failure[1024];
    double output, activation, gradient, gradient_l2, keras, gradcam, layer_gradient;
} golden_check;

typedef struct golden_difference {
    double scale, largest, relative, l2; /* of |ours - theirs|; l2 by the norm of theirs */
    int64_t at;
    double ours, theirs;
} golden_difference;

golden_difference golden_compare(const double *ours, const double *theirs, int64_t n);
/* Keeps the first failure of a check, with the model and the script that made its reference. */
void golden_fail(golden_check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void golden_widen(const float *from, int64_t n, double *to);
/* n zeros, at least one; the caller frees them. */
double *golden_doubles(int64_t n);
/* Fails the check where a value differs by more than tolerance times the reference's largest;
 * *worst grows to the largest relative difference. */
void golden_within(golden_check *c,
                   const char *what,
                   const char *layer,
                   const double *ours,
                   const reference_array *theirs,
                   double tolerance,
                   double *worst);
/* Are the extents of the reference, after its batch, those of a node's value? */
bool golden_same_extents(const reference_array *a, const xa_shape *s);

#endif
