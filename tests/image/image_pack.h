/* Reads the golden files of tests/golden/image (pack.py there describes them). Every fault of such
 * a file fails the test that reads it. Include after cmocka.h. */
#ifndef XAUDIT_TEST_IMAGE_PACK_H
#define XAUDIT_TEST_IMAGE_PACK_H

#include "xaudit/image.h"

#define IMAGE_GOLDEN XA_TEST_DATA "/golden/image/"

typedef struct pack {
    char *bytes;
    size_t size, at;
} pack;

/* One array with its words. Borrowed from the pack. */
typedef struct record {
    char line[512];
    xa_pixel type;
    int64_t height, width;
    int channels;
    const uint8_t *data; /* not aligned */
    size_t bytes;
} record;

void pack_open(pack *p, const char *name);
bool pack_next(pack *p, record *r);
void pack_close(pack *p);

/* The word after "key=", or NULL. Valid until the next call. */
const char *record_word(const record *r, const char *key);
double record_number(const record *r, const char *key);
/* The array as an image of its own. */
void record_image(const record *r, xa_image *im);

/* Sample i of any image as a double. */
double image_sample(const xa_image *im, size_t i);

/* Compares extents, type and samples; prints where they differ most. Gives the largest difference
 * and, when not NULL, adds to the counts of samples and differing samples. */
double image_difference(const xa_image *got, const xa_image *want, size_t *samples, size_t *differ);

#endif
