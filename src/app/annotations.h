/* What speaks against the annotations of an archive, counted and told. Private to app. */
#ifndef XAUDIT_APP_ANNOTATIONS_H
#define XAUDIT_APP_ANNOTATIONS_H

#include "reader.h"

typedef struct xa_annotation_counts {
    int64_t all; /* annotations that were looked at */
    struct {
        int64_t count, sample;        /* sample: of the first */
        char why[160];                /* of the first; "" */
    } of[XA_ANNOTATION_PROBLEMS + 1]; /* the last: what only a later version knows */
} xa_annotation_counts;

/* Of the whole archive; all zero where it does not say. Names of files and sizes are read for the
 * first of each kind. */
XA_MUST_USE xa_status xa_annotations_count(const xa_read *r,
                                           xa_annotation_counts *out,
                                           xa_err *err);
/* Adds what was found of one sample, `s` the sample's number in the caller's order. mask, frame:
 * what is said of the first mask and of the first frame, "" where there is nothing to say. */
void xa_annotations_add(xa_annotation_counts *c,
                        int64_t s,
                        const uint8_t *problem,
                        int64_t n,
                        const char *mask,
                        const char *frame);
/* "3 of 12 annotations are not used: mask missing; the first is of cat_01 (no such file)". */
void xa_annotation_line(const xa_annotation_counts *c, int problem, const char *id, xa_str *out);
/* One line a kind of problem, each behind `indent`; nothing where there is none. */
XA_MUST_USE xa_status xa_print_annotations(const xa_read *r,
                                           const char *indent,
                                           FILE *out,
                                           xa_err *err);
/* The frames of samples [first, first + n): what brings their boxes to the image as it was scored.
 */
typedef struct xa_frames {
    int32_t (*declared)[2], *width, *height;
    bool rescale;
} xa_frames;
XA_MUST_USE xa_status
xa_frames_read(const xa_read *r, int64_t first, int64_t n, xa_frames *out, xa_err *err);
void xa_frames_fini(xa_frames *f);
/* A box of the i-th of them, x0,y0,x1,y1 as it is stored, in pixels of the image; false: it was not
 * used. */
bool xa_frames_box(const xa_frames *f, int64_t i, const double stored[4], double out[4]);
/* "100x60 declared, 50x30 found: scaled by 0.5" */
void xa_frame_text(const int64_t declared[2], const int64_t found[2], char *out, size_t size);

#endif
