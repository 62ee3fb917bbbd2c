/* clang-format off */
/* import: annotations that others wrote, as a native manifest.
 *
 * An importer reads `source` and writes up to three things:
 *
 *  - the manifest `output`;
 *  - OUTPUT without ".csv" + "_classes.txt", where classes have names and the user gave no list of them;
 *  - OUTPUT without ".csv" + "_masks/NNNN/NNNNNNN_ID_CLASS[_crowd].png", where annotations are polygons
 *    or run lengths: one 1-bit PNG per image and class. NNNNNNN is a running number, NNNN the thousand
 *    that it belongs to; ID and CLASS keep [A-Za-z0-9._-], every other byte becomes '_'.
 *
 * Equal input gives equal bytes. Images are listed in the order of the source, or by name where the
 * source has no order. The manifest appears last, by a renaming.
 *
 * Boxes become 0-based and half-open, and are clipped where the image's size is known. A size that the
 * source declares is written to image_width and image_height and compared with the image's header.
 * Nothing is dropped or changed silently: the report counts it by reason, with examples.
 */
/* clang-format on */
#ifndef XAUDIT_IMPORT_H
#define XAUDIT_IMPORT_H

#include "xaudit/manifest.h"

/* X(ENUM, name, what `source` is) */
#define XA_IMPORT_LIST(X)                                                      \
    X(FOLDER, "folder", "a folder with one folder of images for each class")   \
    X(VOC, "voc", "a folder with Annotations/, ImageSets/ and JPEGImages/")    \
    X(COCO, "coco", "an instances JSON file")                                  \
    X(CUB, "cub", "the folder CUB_200_2011")                                   \
    X(WSOL, "wsol", "a folder with image_ids.txt, class_labels.txt, ...")      \
    X(IMAGENET, "imagenet", "LOC_*_solution.csv, or a folder of XML files")    \
    X(OPENIMAGES, "openimages", "a boxes CSV, or a masks CSV with --masks")    \
    X(ISIC, "isic", "HAM10000 metadata, or a one-hot ground truth CSV")        \
    X(CHEXLOCALIZE, "chexlocalize", "a JSON file of run lengths by pathology") \
    X(NIH, "nih", "BBox_List_2017.csv")                                        \
    X(CSV, "csv", "any CSV file with a header, its columns named by options")
typedef enum xa_import_format {
#define X(name, text, source) XA_IMPORT_##name,
    XA_IMPORT_LIST(X)
#undef X
        XA_IMPORT_COUNT
} xa_import_format;
int xa_import_parse(const char *name); /* -1 when unknown */
const char *xa_import_name(xa_import_format f);

/* How a source writes boxes. */
typedef enum xa_box_convention {
    XA_BOX_UNSAID,
    XA_BOX_HALF_OPEN, /* 0-based, x1 and y1 lie just outside */
    XA_BOX_INCLUSIVE, /* 0-based, x1 and y1 are the last pixels */
    XA_BOX_ONE_BASED, /* 1-based, x1 and y1 are the last pixels (Pascal VOC) */
    XA_BOX_NORMALISED /* fractions of width and height */
} xa_box_convention;
int xa_box_convention_parse(const char *name); /* "half-open", ...; -1 when unknown */

typedef struct xa_import_options {
    xa_import_format format;
    const char *source;
    const char *output;  /* the manifest to write */
    const char *images;  /* folder of the images, where `source` does not contain them */
    const char *masks;   /* folder of mask files */
    const char *labels;  /* isic, nih, openimages: a second table */
    const char *classes; /* a file of names, one per line, which sets the indices. NULL: the
                            format's own order */
    const char *split;   /* voc, cub: which part to read; others: the text of the column split */
    bool as_masks;       /* masks instead of boxes, if the source has both */
    bool force;          /* replace `output` if it exists */
    /* csv: names of columns; NULL: the table has no such column */
    const char *column_path, *column_id, *column_label, *column_class, *column_mask;
    const char *column_group, *column_split, *column_exclude;
    const char *column_polygon; /* its cells hold x y x y ..., with any of " ,;|[]()" between */
    const char *column_box;     /* four names, "a,b,c,d": of x0, y0, x1, y1 */
    const char *column_xywh;
    const char *column_size; /* two names, "w,h": the size of the image that was annotated */
    const char *column_keep; /* further columns to keep, "a,b,..." */
    xa_box_convention box;
} xa_import_options;

enum { XA_IMPORT_EXAMPLES = 3 };
typedef enum xa_import_what {
    XA_IMPORT_IMAGE,      /* images dropped */
    XA_IMPORT_ANNOTATION, /* annotations dropped */
    XA_IMPORT_NOTED       /* nothing is dropped: something was changed, or is worth knowing */
} xa_import_what;
typedef struct xa_import_reason {
    xa_import_what what;
    const char *text; /* static storage */
    int64_t count;
    char *examples[XA_IMPORT_EXAMPLES]; /* owned; NULL where there are fewer */
} xa_import_reason;
typedef struct xa_import_report {
    int64_t images, boxes, masks, classes, mask_files;
    char *classes_file; /* owned; NULL when none was written */
    xa_import_reason *reasons;
    size_t nreasons, cap;
} xa_import_report;
void xa_import_report_fini(xa_import_report *r);

/* Makes a manifest. Mistakes in the source that leave its meaning open (a missing column, malformed
 * rows) are added to `problems`; the status is then INVALID, and nothing is written. Further
 * errors: NOT_FOUND, IO, FORMAT (with the place), LIMIT, BUSY (the output exists and `force` is not
 * set), NOMEM. *report is filled on success; free it with xa_import_report_fini. */
XA_MUST_USE xa_status xa_import(const xa_import_options *opt,
                                xa_import_report *report,
                                xa_problems *problems,
                                xa_err *err);

/* Reads WSOL metadata without writing a manifest: opt is that of xa_import with format WSOL and no
 * output. Paths are those of a manifest in `source`; labels are indices. What was dropped is added
 * to the problems as warnings. A mask of another size than its image is UNSUPPORTED here, since it
 * needs a resized copy.
 */
XA_MUST_USE xa_status xa_manifest_read_wsol(const xa_import_options *opt,
                                            int64_t limit,
                                            xa_manifest **out,
                                            xa_problems *problems,
                                            xa_err *err);

#endif
