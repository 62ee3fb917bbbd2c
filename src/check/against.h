/* A reference and the model that is compared with it. Private to check. */
#ifndef XAUDIT_CHECK_AGAINST_H
#define XAUDIT_CHECK_AGAINST_H

#include "check_internal.h"

enum { XA__AGAINST_LAYERS = 16 };

typedef struct xa__against {
    xa_archive *ref;
    xa__runner runner;
    int64_t images, classes, pixels; /* pixels: values of one input */
    float *input, *logits, *probs, *gradient;
    double *gradient64;
    int32_t *target;
    char *paths;
    size_t path_bytes;
    int nlayers;
    const xa_layer *layer[XA__AGAINST_LAYERS];
    float *gradcam[XA__AGAINST_LAYERS];
    char by[24]; /* who made it: "Keras", "torch" */
    xa_score score;
    bool agrees;
} xa__against;

/* reference.c: reads what a reference made by tests/parity holds, after the runner was opened.
 * FORMAT: it is none, or its datasets do not fit each other. MISMATCH: it is of another model or
 * input size. */
XA_MUST_USE xa_status xa__reference_read(xa__against *a, const char *file, xa_err *err);
/* Who made it, from what it says of its framework; NULL: Keras. */
void xa__reference_by(xa__against *a, const char *framework);
void xa__against_close(xa__against *a);

#endif
