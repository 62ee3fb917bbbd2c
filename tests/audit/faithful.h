/* Golden values of tests/golden/faithfulness, and maps of xaudit beside them. */
#ifndef XAUDIT_TEST_FAITHFUL_H
#define XAUDIT_TEST_FAITHFUL_H

#include "xaudit/audit.h"

enum { FAITHFUL_IMAGES = 4 };

/* A dataset of expected.h5 as doubles; the first axis is the image. */
typedef struct faithful_array {
    int64_t images, count; /* count values an image */
    double *values;        /* [images, count] */
} faithful_array;
/* "cnn/maps/rise", "vit/infidelity"; the test fails if there is none. */
faithful_array faithful_read(const char *name);
void faithful_free(faithful_array *a);

/* One model, "cnn" or "vit", with explainers of the caller's, on one image at a time. */
typedef struct faithful {
    xa_audit_spec spec;
    xa_audit_model_spec model;
    xa_audit *audit;
    void *blob, *arena;
    xa_rows *rows;
} faithful;
/* Whether the model takes the explainer at all; why (XA_ERR_MESSAGE bytes): the refusal. */
bool faithful_takes(const char *model, xa_explainer_spec *explainer, char *why);
void faithful_start(
    faithful *f, const char *model, int64_t batch, xa_explainer_spec *explainers, int n);
/* Computes images [first, first + n) as one unit, n <= the unit's samples: rows 0..n-1. */
void faithful_run(faithful *f, int64_t first, int64_t n);
/* Computes one image, as row 0, with the seed of the golden noise. */
void faithful_golden(faithful *f, int64_t image);
void faithful_stop(faithful *f);

/* A row of a table: explainer `spec` of `model` against /<model>/maps/<golden>. `median` and `tail`
 * bound the median and the 95th percentile of |difference| over pixels, of the golden map's largest
 * |value|, in every image. */
typedef struct faithful_case {
    const char *model, *golden;
    xa_explainer_kind kind;
    void (*set)(xa_explainer_spec *spec); /* settings other than the kind's defaults; or NULL */
    double median, tail;
} faithful_case;
/* Prints what it finds; false: a bound is exceeded. */
bool faithful_check(const faithful_case *c);

#endif
