/* manifest: which images, with which labels and annotations.
 *
 * The native manifest is CSV with a header line (BOM, CRLF and ';' accepted), one line per
 * annotation:
 *   path,id,label,class,kind,x0,y0,x1,y1,mask,ignore_mask,flags,group,split,exclude
 * and any further columns, which are kept as text. Missing columns are blank; only `path` is
 * needed. The text is UTF-8; blanks around unquoted cells are removed; lines without text are
 * skipped.
 *  - Lines with the same id (default: the path as written) are one sample; its path, label, group,
 *    split, exclude and further columns must agree or be blank on the later lines.
 *  - label: the image's class, several as a|b, may be blank. class: the annotation's (blank =
 * label, which must then be single).
 *  - kind: box, mask or none (blank: box if coordinates are given, mask if a mask is, else none).
 *    Boxes are 0-based, half-open, in the stored (EXIF-applied) frame. mask may be "file.png#value"
 *    to select one grey value or palette index.
 *  - flags: words separated by '|': difficult, crowd, truncated, occluded.
 *  - exclude: a reason; the sample keeps its row and is never run.
 * Labels: with class names given, a label is a name, or an index where no name matches; a text
 * that is a class name AND the index of a different class is refused until label_as says which.
 * Without names it is a 0-based index.
 */
#ifndef XAUDIT_MANIFEST_H
#define XAUDIT_MANIFEST_H

#include "xaudit/util.h"

/* ---- class names ----------------------------------------------------------------------------- */

typedef struct xa_classes {
    char **names; /* owned; NULL when only the count is known */
    int64_t count;
} xa_classes;
/* One name a line (BOM, CRLF accepted; blank lines at the end dropped, elsewhere refused). Two
 * classes may have one name, as in ImageNet: only a label that uses it is refused, naming both
 * indices. Names are UTF-8 without control characters and '|', which separates labels; blanks
 * around them are removed. */
XA_MUST_USE xa_status xa_classes_read(const char *path, xa_classes *out, xa_err *err);
void xa_classes_fini(xa_classes *c);

/* ---- samples --------------------------------------------------------------------------------- */

typedef enum xa_annotation_kind {
    XA_ANNOTATION_BOX = 1,
    XA_ANNOTATION_MASK = 2
} xa_annotation_kind;
enum {
    XA_ANNOTATION_DIFFICULT = 1,
    XA_ANNOTATION_CROWD = 2,
    XA_ANNOTATION_TRUNCATED = 4,
    XA_ANNOTATION_OCCLUDED = 8
};
typedef struct xa_annotation {
    int32_t class_index; /* -1: unknown (the image is unlabelled, and class is blank) */
    uint8_t kind;        /* xa_annotation_kind */
    uint8_t flags;
    int32_t mask_value; /* -1: any non-zero pixel */
    double x0, y0, x1, y1;
    char *mask;        /* path, resolved; NULL for boxes */
    char *ignore_mask; /* path, resolved, or NULL */
} xa_annotation;

typedef struct xa_sample {
    char *path; /* as written */
    char *file; /* resolved: beside the manifest unless absolute */
    char *id;
    int32_t *labels;               /* class indices, ascending, unique */
    int32_t nlabels;               /* 0: unlabelled */
    char *group, *split, *exclude; /* NULL when blank */
    char **extra;                  /* one per manifest->extra column, "" when blank */
    xa_annotation *annotations;
    int32_t nannotations;
    int64_t line; /* first line in the file, 1-based */
} xa_sample;

typedef struct xa_manifest {
    char *file;
    char sha256[XA_SHA256_HEX]; /* of the file's bytes */
    /* Hash of what moves numbers: ids, paths, labels, annotated classes, exclusions, in order.
     * Boxes, masks, groups, splits and further columns are not part of it. */
    char identity[XA_SHA256_HEX];
    xa_sample *samples;
    int64_t count;
    char **extra_columns;
    int32_t nextra;
    int64_t max_class; /* the largest class index used, -1 if none */
} xa_manifest;

typedef enum xa_label_as { XA_LABEL_AUTO, XA_LABEL_NAME, XA_LABEL_INDEX } xa_label_as;

/* A list of mistakes, so that all of them are told at once. The same unknown label, and warnings of
 * one kind, are listed once with the number of further lines. */
typedef struct xa_problem {
    char *file;   /* owned */
    int64_t line; /* 0: the whole file */
    char *text;   /* what was expected, what was found; owned */
    bool warning; /* told, but not in the way */
} xa_problem;
typedef struct xa_problems {
    xa_problem *items;
    size_t count, cap;
    size_t errors;  /* those that are not warnings, listed or dropped */
    size_t dropped; /* beyond the limit of 100 kept; errors push warnings out */
} xa_problems;
void xa_problems_add(
    xa_problems *p, const char *file, int64_t line, bool warning, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void xa_problems_fini(xa_problems *p);

typedef struct xa_manifest_options {
    const xa_classes *classes; /* NULL: labels are indices; names NULL: indices below count */
    xa_label_as label_as;
    int64_t max_samples; /* more are refused (LIMIT); 0: 50 million */
    int64_t limit;       /* keep only the first `limit` samples; 0: all. All lines are checked. */
} xa_manifest_options;

/* Reads a native manifest. Mistakes are added to `problems` (may be NULL) with their line and the
 * reading goes on; with any error among them the status is INVALID, err tells the first, and *out
 * stays as it was. opt NULL: defaults. Other failures (NOT_FOUND, IO, NOMEM, LIMIT) are told in
 * err. */
XA_MUST_USE xa_status xa_manifest_read(const char *path,
                                       const xa_manifest_options *opt,
                                       xa_manifest **out,
                                       xa_problems *problems,
                                       xa_err *err);
/* Of xa_manifest_read and xa_manifest_unpack. Texts and arrays are parts of it; do not free or
 * replace them. */
void xa_manifest_free(xa_manifest *m);

/* Samples as bytes, for sending rows [first, first+n) to another rank: appended to `out`. */
XA_MUST_USE xa_status
xa_manifest_pack(const xa_manifest *m, int64_t first, int64_t n, xa_str *out, xa_err *err);
/* A manifest of just those rows (sha256 and identity are ""). Bytes are checked, never trusted:
 * FORMAT if they are not what pack wrote. */
XA_MUST_USE xa_status xa_manifest_unpack(const void *bytes,
                                         size_t size,
                                         xa_manifest **out,
                                         xa_err *err);

/* The distinct annotated classes of a sample, ascending, written to out[] (room for nannotations);
 * returns how many. Annotations of unknown class (-1) do not count. */
int32_t xa_sample_annotated(const xa_sample *s, int32_t *out);

#endif
