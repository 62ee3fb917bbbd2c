/* A whole archive of four samples, made in a test: every table, a model, an explainer and a metric
 * with their checksums. A test changes what it is made of, or damages the file. */
#ifndef XAUDIT_TEST_WHOLE_ARCHIVE_H
#define XAUDIT_TEST_WHOLE_ARCHIVE_H

#include "xaudit/archive.h"

/* Samples: done, done, failed, excluded. Pairs: one of each of the first three. */
enum { WHOLE_SAMPLES = 4, WHOLE_PAIRS = 3, WHOLE_ANNOTATIONS = 3, WHOLE_LABELS = 3 };
enum { WHOLE_CLASSES = 3, WHOLE_SIDE = 2, WHOLE_TEXT = 16 };
#define WHOLE_MODEL "net"
#define WHOLE_EXPLAINER "cam"
#define WHOLE_METRIC "game"

typedef struct whole_archive {
    xa_extents x;
    /* by field: its rows in memory, NULL: the archive does not have it */
    void *data[XA_FIELD_KINDS];
    size_t width[XA_FIELD_KINDS]; /* of texts */
    const char *version;          /* format_version; NULL: this program's */
    const char *head, *target;    /* attributes of model and explainer; NULL: not there */
} whole_archive;

/* Fills the structure with a whole archive's contents; whole_free. */
void whole_make(whole_archive *s);
void whole_free(whole_archive *s);
/* Writes the file; checksums are those of the contents. */
void whole_write(const whole_archive *s, const char *path);

/* Damages the file: another dataset of this type and extents in the place of one (type
 * XA_TYPE_COUNT: none), filled with zeros. */
void whole_replace(const char *file, const char *path, xa_type type, int ndim, const int64_t *dim);
/* Changes bytes of a row in the file, so that no checksum fits. */
void whole_put(const char *file, const char *path, int64_t row, const void *bytes);

#endif
