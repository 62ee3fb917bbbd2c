/* A manifest while it is read: manifest_read.c reads the file, manifest_row.c each of its lines. */
#ifndef XAUDIT_MANIFEST_BUILDER_H
#define XAUDIT_MANIFEST_BUILDER_H

#include "manifest_internal.h"

/* Columns whose texts repeat from line to line; further columns follow them in xa__builder.last. */
enum { XA__LAST_GROUP, XA__LAST_SPLIT, XA__LAST_EXCLUDE, XA__LAST_EXTRA };

typedef struct xa__builder {
    xa__manifest *m;
    xa__labels labels;
    xa__sets sets;
    xa__reporter reporter;
    xa__columns columns;
    bool have_header;
    int64_t max_samples;

    size_t samples_cap;
    xa_text_map ids;
    /* Annotations in the order of the file, and the sample of each: a sample's lines need not
     * follow each other. */
    xa_annotation *annotations;
    int64_t *owners;
    size_t nannotations, annotations_cap, owners_cap;

    int32_t *found; /* label indices of the current row */
    size_t found_cap;
    xa_str word;
    char **last; /* the last text of each repeating column, which equal neighbours share */
} xa__builder;

/* A copy in the manifest's arena. */
xa_status xa__builder_text(xa__builder *b, const char *text, size_t len, char **out, xa_err *err);
/* The first line of a sample: appends it. LIMIT when there are too many samples. */
xa_status
xa__builder_add_sample(xa__builder *b, const xa_csv_row *row, const char *id, xa_err *err);
/* A later line of sample s: what it repeats must be the same, which is reported otherwise. */
xa_status
xa__builder_check_sample(xa__builder *b, const xa_sample *s, const xa_csv_row *row, xa_err *err);
/* The annotation of a line, if it has one. repeats: the line repeats its sample, so that a line
 * without annotation adds nothing, which is warned of. */
xa_status xa__builder_add_annotation(
    xa__builder *b, int64_t owner, const xa_csv_row *row, bool repeats, xa_err *err);

#endif
