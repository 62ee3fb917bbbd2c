/* manifest: which images, with which labels and annotations.
 *
 * The native manifest is CSV with a header line (BOM, CRLF and ';' accepted), one line per
 * annotation:
 *   path,id,label,class,kind,x0,y0,x1,y1,mask,ignore_mask,flags,group,split,exclude,
 *   image_width,image_height
 * and any further columns, which are kept as text. Missing columns are blank; only `path` is
 * needed. The text is UTF-8; blanks around unquoted cells are removed; lines without text are
 * skipped.
 *  - Lines with the same id (default: the path as written) are one sample; its path, label, group,
 *    split, exclude, size and further columns must agree or be blank on the later lines.
 *  - label: the image's class, several as a|b, may be blank. class: the annotation's (blank =
 * label, which must then be single).
 *    class may also name a category, or be a set of classes itself, a|b: see xa_category.
 *  - kind: box, mask or none (blank: box if coordinates are given, mask if a mask is, else none).
 *    Boxes are 0-based, half-open, in the stored (EXIF-applied) frame. mask may be "file.png#value"
 *    to select one grey value or palette index, or "file.png#>value" for all above a grey value;
 *    without either every pixel but 0 belongs to it. The same goes for ignore_mask, whose pixels
 *    count neither as object nor as background.
 *  - flags: words separated by '|': difficult, crowd, truncated, occluded.
 *  - image_width, image_height: the size of the image that was annotated, where it is known. Boxes
 *    refer to it; where the decoded image has another, they are left out or, as the job says,
 *    brought to it.
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

typedef enum xa_label_as { XA_LABEL_AUTO, XA_LABEL_NAME, XA_LABEL_INDEX } xa_label_as;

/* ---- categories: what a data set calls by one name and the model by several -------------------
 */

/* Where a class index stands, XA_CATEGORY + k is the k-th category: "dog" is right where the model
 * answers one of its classes, and the class explained is the one with the highest logit of the
 * image. Classes themselves lie below. */
enum { XA_CATEGORY = 1 << 24, XA_CATEGORIES_TEXT_MAX = 60000 };
typedef struct xa_category {
    char *name;       /* that of a file of categories, else "a|b" of the classes' names */
    int32_t *members; /* class indices, ascending, unique */
    int32_t count;    /* from 1 */
} xa_category;
typedef struct xa_categories {
    xa_category *items; /* owned with all they hold */
    int32_t count;
    size_t cap;
} xa_categories;
/* A file of lines "name: class | class | ...": classes are names or indices as in a manifest; blank
 * lines and those that begin with '#' are passed over. Names are unique, without '|', no numbers,
 * and no class's name but where that class alone is meant. INVALID names the file and line. */
XA_MUST_USE xa_status xa_categories_read(
    const char *path, const xa_classes *classes, xa_label_as as, xa_categories *out, xa_err *err);
/* Copies name and members to the end. */
XA_MUST_USE xa_status xa_categories_add(
    xa_categories *c, const char *name, const int32_t *members, int32_t count, xa_err *err);
void xa_categories_fini(xa_categories *c);
/* As archives keep them, a line each: "3|7<tab>name"; and back: FORMAT for what is none. */
XA_MUST_USE xa_status xa_categories_text(const xa_categories *c, xa_str *out, xa_err *err);
XA_MUST_USE xa_status xa_categories_parse(const char *text, xa_categories *out, xa_err *err);
/* The category of a class index; NULL where it is a plain class, or no category of these. c may be
 * NULL. */
const xa_category *xa_category_of(const xa_categories *c, int32_t class_index);
/* Is `member` the class, or one of the category? */
bool xa_category_has(const xa_categories *c, int32_t class_index, int32_t member);
/* The class itself; of a category the member with the highest logit of the image, ties: the lowest
 * index; -1 where none of them is a class of the model or has a finite logit. logits: [classes]. */
int32_t xa_category_target(const xa_categories *c,
                           int32_t class_index,
                           const float *logits,
                           int64_t classes);
/* The largest class that is meant. */
int32_t xa_category_largest(const xa_categories *c, int32_t class_index);

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
    int32_t class_index; /* or a category; -1: unknown (no label, and class is blank) */
    uint8_t kind;        /* xa_annotation_kind */
    uint8_t flags;
    int32_t mask_value, ignore_value; /* which pixels of the masks: see xa_mask_takes */
    double x0, y0, x1, y1;
    char *mask;        /* path, resolved; NULL for boxes */
    char *ignore_mask; /* path, resolved, or NULL */
} xa_annotation;

enum { XA_MASK_ANY = -1, XA_MASK_VALUES = 65536 };
/* Whether a pixel of a mask, as xa_image_read_labels gives it, is meant: `value` is XA_MASK_ANY
 * (all but 0), one value 0..65535, or XA_MASK_VALUES + v for all above v ("file.png#>v"). */
static inline bool xa_mask_takes(int32_t value, uint32_t pixel)
{
    if (value < 0)
        return pixel != 0;
    if (value < XA_MASK_VALUES)
        return pixel == (uint32_t)value;
    return pixel > (uint32_t)(value - XA_MASK_VALUES);
}

/* What speaks against an annotation. It is stored with the sample's rows, counted by `check`,
 * `run`, `summary` and `report`, and says why scores are undefined. X(ENUM, name, used, what it
 * means): used tells whether the annotation counts all the same, as changed or as it is. The order
 * is that of the archive's numbers: new ones go to the end. */
/* clang-format off */
#define XA_ANNOTATION_PROBLEM_LIST(X) \
    X(NONE, "none", true, "nothing is known against it") \
    X(BOX_CLIPPED, "box clipped", true, \
      "the box reaches beyond the image and was clipped to it") \
    X(BOX_OUTSIDE, "box outside the image", false, "the whole box lies outside the image") \
    X(BOX_NORMALISED, "box looks normalised", false, \
      "no coordinate is above 1, so that they seem to be fractions of the image; boxes are in " \
      "pixels (xaudit manifest csv --box-convention normalised converts them)") \
    X(FRAME_TURNED, "frame turned by EXIF", false, \
      "the declared size is that of the picture before its EXIF orientation was applied") \
    X(FRAME_SWAPPED, "frame with its sides swapped", false, \
      "the declared width is the image's height, and the height its width") \
    X(FRAME_SCALED, "frame scaled", false, \
      "the image is a larger or smaller copy of what was annotated (frame: rescale brings its " \
      "boxes to it)") \
    X(FRAME_OTHER, "frame of another size", false, \
      "the declared size is not the image's, nor a multiple of it") \
    X(BOX_RESCALED, "box rescaled", true, \
      "the image is a larger or smaller copy of what was annotated, and the box was brought to it") \
    X(MASK_MISSING, "mask missing", false, "there is no file of that name") \
    X(MASK_UNREADABLE, "mask unreadable", false, "the file cannot be read as a mask") \
    X(MASK_SIZE, "mask of another size", false, "a mask has the size of its image") \
    X(MASK_JPEG, "mask is a JPEG", false, "JPEG does not keep the numbers of a mask") \
    X(MASK_COLOURED, "mask in colours", false, \
      "expected grey values or palette indices") \
    X(MASK_VALUES, "mask with several values", true, \
      "the mask has more than two values and all but 0 count (FILE#VALUE takes one, FILE#>VALUE " \
      "all above one)") \
    X(MASK_ALPHA, "mask with alpha", true, \
      "the alpha channel is not the same everywhere and was left out of account") \
    X(MASK_EMPTY, "mask without an object", false, "no pixel of the mask is one that is meant") \
    X(MASK_IN_ALPHA, "mask in the alpha channel", false, \
      "the mask is one grey value everywhere and only its alpha channel varies: save that channel " \
      "as the mask") \
    X(BOX_THIN, "box without a pixel", false, \
      "the box is so thin that no pixel's centre lies in it")
/* clang-format on */
typedef enum xa_annotation_problem {
#define X(name, text, used, meaning) XA_ANNOTATION_##name,
    XA_ANNOTATION_PROBLEM_LIST(X)
#undef X
        XA_ANNOTATION_PROBLEMS
} xa_annotation_problem;
/* "box clipped", ...; "unknown" for a number that none has. */
const char *xa_annotation_problem_name(int problem);
const char *xa_annotation_problem_meaning(int problem);
/* Does an annotation with this problem count all the same? */
bool xa_annotation_used(int problem);

typedef struct xa_sample {
    char *path; /* as written */
    char *file; /* resolved: beside the manifest unless absolute */
    char *id;
    int32_t *labels;               /* class indices or categories, ascending, unique */
    int32_t nlabels;               /* 0: unlabelled */
    char *group, *split, *exclude; /* NULL when blank */
    char **extra;                  /* one per manifest->extra column, "" when blank */
    xa_annotation *annotations;
    int32_t nannotations;
    int32_t width, height; /* of the frame that boxes refer to, as declared; 0: not said */
    int64_t line;          /* first line in the file, 1-based */
    const xa_categories *categories; /* of its manifest; NULL: there are none */
} xa_sample;

/* The frame that annotations are brought to: the image as it was decoded. */
typedef struct xa_frame {
    int64_t width, height;   /* pixels, orientation applied */
    int orientation;         /* EXIF's, as applied: 1..8; 0 or 1: none */
    bool rescale;            /* boxes of a scaled frame are brought to the image */
    bool ignore_orientation; /* masks are read as the image was: without turning */
} xa_frame;
/* Compares the size that a sample declares with its image: NONE (also where it declares none), one
 * of FRAME_*, or BOX_RESCALED where the frame is scaled and rescaling is asked for. */
xa_annotation_problem xa_sample_frame(const xa_sample *s, const xa_frame *f);
/* A box in pixels of the image, clipped to it: x0,y0,x1,y1, with x0 < x1 and y0 < y1 where the
 * returned problem is one of those used, else zeros. `a` is a box of `s`. */
xa_annotation_problem
xa_annotation_box(const xa_sample *s, const xa_annotation *a, const xa_frame *f, double box[4]);

/* What an identity tells apart in a manifest, each with a hash of its own. Every text and number
 * that is stored is in one of them.
 * X(ENUM, name, what is hashed) */
#define XA_MANIFEST_PART_LIST(X)                                                              \
    X(SAMPLES, "samples", "ids, in their order")                                              \
    X(PATHS, "paths", "image files as written")                                               \
    X(EXCLUSIONS, "exclusions", "why samples are left out")                                   \
    X(LABELS, "labels", "classes of images")                                                  \
    X(ANNOTATED, "annotated_classes", "which classes are annotated in an image")              \
    X(BOXES, "boxes", "their class, place and edges")                                         \
    X(MASKS, "masks", "their class, place, file as written and value; not the file's pixels") \
    X(IGNORE_MASKS, "ignore_masks", "likewise")                                               \
    X(FRAMES, "frames", "declared sizes")                                                     \
    X(FLAGS, "flags", "difficult, crowd, truncated, occluded")                                \
    X(GROUPS, "groups", "the column group")                                                   \
    X(SPLITS, "splits", "the column split")                                                   \
    X(FURTHER, "further_columns", "their names and texts")
typedef enum xa_manifest_part {
#define X(name, text, what) XA_MANIFEST_##name,
    XA_MANIFEST_PART_LIST(X)
#undef X
        XA_MANIFEST_PARTS
} xa_manifest_part;
const char *xa_manifest_part_name(xa_manifest_part p);

typedef struct xa_manifest {
    char *file;
    char *folder;               /* its folder, absolute, with a '/' behind it; "" if unknown */
    char sha256[XA_SHA256_HEX]; /* of the file's bytes */
    char identity[XA_MANIFEST_PARTS][XA_SHA256_HEX];
    xa_sample *samples;
    int64_t count;
    char **extra_columns;
    int32_t nextra;
    int64_t max_class;        /* the largest class index used, in categories too; -1 if none */
    xa_categories categories; /* those that are used, in the order of their first use */
    /* Memory: what is held, and the most that reading it took, both without the C library's own. */
    size_t bytes, peak_bytes;
    /* Of a slice: where it begins, and how many samples the whole has; else 0. */
    int64_t first, whole;
} xa_manifest;
/* Keeps the samples [first, first + count) of what was read. File, digests and max_class stay those
 * of the whole. */
void xa_manifest_keep(xa_manifest *m, int64_t first, int64_t count);

/* A mask's file as it is stored: as in the manifest, where it lies below the manifest's folder
 * relative to that; wherever the program was started. Part of `file`; NULL for NULL. */
const char *xa_manifest_as_written(const xa_manifest *m, const char *file);

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
    const xa_classes *classes;       /* NULL: labels are indices; names NULL: indices below count */
    const xa_categories *categories; /* names that label and class may hold too; NULL: none */
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
/* A manifest of just those rows (folder, sha256 and identity are ""). Bytes are checked, never
 * trusted: FORMAT if they are not what pack wrote. */
XA_MUST_USE xa_status xa_manifest_unpack(const void *bytes,
                                         size_t size,
                                         xa_manifest **out,
                                         xa_err *err);

/* The distinct annotated classes of a sample, ascending, written to out[] (room for nannotations);
 * returns how many. Annotations of unknown class (-1) do not count. */
int32_t xa_sample_annotated(const xa_sample *s, int32_t *out);

#endif
