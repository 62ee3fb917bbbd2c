/* References written by tests/golden/keras: the format is in its README.md. */
#ifndef XAUDIT_TEST_REFERENCE_FILE_H
#define XAUDIT_TEST_REFERENCE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REFERENCE_DIMS = 6, REFERENCE_LAYERS = 16 };

/* A dataset as doubles, which hold what its floats and integers say exactly. */
typedef struct reference_array {
    int ndim;
    int64_t dim[REFERENCE_DIMS]; /* the first is the batch */
    int64_t count;
    double *values; /* NULL: the file has no such dataset */
} reference_array;

typedef struct reference_layer {
    char path[256];
    reference_array activation, gradient, gradcam;
} reference_layer;

typedef struct reference {
    char models[512]; /* files it is of, one a line; "": `model` alone */
    char model[128], head[16], score[16], script[64], framework[128];
    reference_array input, output, logits, probs, target, seed, gradient, gradient64;
    int nlayers;
    reference_layer layer[REFERENCE_LAYERS];
    /* transformers */
    int nattention;
    struct {
        reference_array probs, gradient; /* [N,heads,T,T] */
    } attention[REFERENCE_LAYERS];
    reference_array attention_map, relevance; /* [N,h,w] */
} reference;

/* False with a reason in `why`; nothing is left to free then. */
bool reference_read(const char *path, reference *out, char *why, size_t size);
void reference_free(reference *r);

#endif
