/* clang-format off */
/* manifest: which images a job audits, with which labels and annotations.
 *
 * The native manifest is a CSV file with a header line. A byte-order mark, CRLF line ends and ';' in
 * place of ',' are accepted. Each line holds one annotation:
 *
 *     path,id,label,class,kind,x0,y0,x1,y1,mask,ignore_mask,flags,group,split,exclude,
 *     image_width,image_height
 *
 * and any further columns, which are kept as text. A column that is missing is blank; only `path` is
 * needed. The text is UTF-8. Blanks around unquoted cells are removed, lines without text are skipped.
 *
 *  - Lines with the same id (where it is blank: the path as written) belong to one sample. Its path,
 *    label, group, split, exclude, size and further columns must agree on all of them, or be blank on
 *    the later ones.
 *  - label: the image's class; several as a|b; it may be blank.
 *  - class: the annotation's class; where it is blank, the image's label, which must then be a single
 *    one. It may also name a category, or be a set of classes itself, a|b: see xa_category.
 *  - kind: box, mask or none. Where it is blank: box if coordinates are given, mask if a mask is given,
 *    else none.
 *  - x0, y0, x1, y1: pixels, 0-based, half-open, in the stored frame (EXIF orientation applied).
 *  - mask: "file.png#value" takes the pixels of one grey value or palette index, "file.png#>value"
 *    those above a grey value; without either, every pixel but 0 belongs to the mask.
 *  - ignore_mask: written like mask; its pixels count neither as object nor as background.
 *  - flags: words separated by '|': difficult, crowd, truncated, occluded.
 *  - image_width, image_height: the size of the image that was annotated, if it is known. Boxes refer
 *    to it. Where the decoded image has another size, they are left out, or brought to the image if the
 *    job says so.
 *  - exclude: a reason; the sample keeps its row and is never run.
 *
 * Labels: if the job gives class names, a label is a name, or an index where no name matches. A text
 * that is both a class name and the index of another class is refused until label_as decides. Without
 * class names a label is a 0-based index.
 */
/* clang-format on */
#ifndef XAUDIT_MANIFEST_H
#define XAUDIT_MANIFEST_H

#include "xaudit/util.h"

/* ---- class names ----------------------------------------------------------------------------- */

typedef struct xa_classes {
    char **names; /* owned; NULL when only the count is known */
    int64_t count;
} xa_classes;
/* Reads a file with one class name per line; the line's place is the class index. A byte-order mark
 * and CRLF are accepted; blank lines are dropped at the end and refused elsewhere. Two classes may
 * have the same name, as in ImageNet: only a label that uses it is refused, with both indices.
 * Names are UTF-8 without control characters and without '|', which separates labels; blanks around
 * them are removed. */
XA_MUST_USE xa_status xa_classes_read(const char *path, xa_classes *out, xa_err *err);
void xa_classes_fini(xa_classes *c);

typedef enum xa_label_as { XA_LABEL_AUTO, XA_LABEL_NAME, XA_LABEL_INDEX } xa_label_as;

/* ---- categories: what a data set calls by one name and the model by several -------------------
 */

/* Wherever a class index stands, XA_CATEGORY + k means the k-th category. "dog" is right where the
 * model answers one of its classes; the class that is explained is the one of them with the highest
 * logit of the image. Indices of plain classes are smaller than XA_CATEGORY. */
enum { XA_CATEGORY = 1 << 24, XA_CATEGORIES_TEXT_MAX = 60000 };
typedef struct xa_category {
    char *name;       /* as the file of categories names it; else "a|b", of the classes' names */
    int32_t *members; /* class indices, ascending, unique */
    int32_t count;    /* 1 or more */
} xa_category;
typedef struct xa_categories {
    xa_category *items; /* owned with all they hold */
    int32_t count;
    size_t cap;
} xa_categories;
/* Reads a file of lines "name: class | class | ...", whose classes are names or indices as in a
 * manifest. Blank lines and lines that begin with '#' are skipped. Names are unique and without
 * '|'; a name is no number, and is the name of a class only if the category is that class alone.
 * INVALID names file and line. */
XA_MUST_USE xa_status xa_categories_read(
    const char *path, const xa_classes *classes, xa_label_as as, xa_categories *out, xa_err *err);
/* Appends a category; name and members are copied. */
XA_MUST_USE xa_status xa_categories_add(
    xa_categories *c, const char *name, const int32_t *members, int32_t count, xa_err *err);
void xa_categories_fini(xa_categories *c);
/* The text in which archives store categories, one line per category: "3|7<tab>name"; and its
 * reading: FORMAT if it is no such text. */
XA_MUST_USE xa_status xa_categories_text(const xa_categories *c, xa_str *out, xa_err *err);
XA_MUST_USE xa_status xa_categories_parse(const char *text, xa_categories *out, xa_err *err);
/* The category that a class index stands for; NULL for a plain class, and for a category that is
 * not among these. c may be NULL. */
const xa_category *xa_category_of(const xa_categories *c, int32_t class_index);
/* Is `member` the class itself, or one of the category's classes? */
bool xa_category_has(const xa_categories *c, int32_t class_index, int32_t member);
/* The class that is explained: the class itself; for a category its member with the highest logit
 * of the image, of equal ones the lowest index; -1 if none of them is a class of the model or has a
 * finite logit. logits: [classes]. */
int32_t xa_category_target(const xa_categories *c,
                           int32_t class_index,
                           const float *logits,
                           int64_t classes);
/* The largest index among the class or the category's classes. */
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
    int32_t mask_value, ignore_value; /* which pixels belong to the masks: see xa_mask_takes */
    double x0, y0, x1, y1;
    char *mask;        /* path, resolved; NULL for boxes */
    char *ignore_mask; /* path, resolved, or NULL */
} xa_annotation;

enum { XA_MASK_ANY = -1, XA_MASK_VALUES = 65536 };
/* Does a pixel of a mask, as xa_image_read_labels gives it, belong to the mask? `value` is
 * XA_MASK_ANY (every pixel but 0 does), one value 0..65535, or XA_MASK_VALUES + v (all above v do:
 * "file.png#>v").
 */
static inline bool xa_mask_takes(int32_t value, uint32_t pixel)
{
    if (value < 0)
        return pixel != 0;
    if (value < XA_MASK_VALUES)
        return pixel == (uint32_t)value;
    return pixel > (uint32_t)(value - XA_MASK_VALUES);
}

/* What is wrong with an annotation. It is stored with the sample's rows, counted by `check`, `run`,
 * `summary` and `report`, and says why scores are undefined. X(ENUM, name, used, meaning); used:
 * the annotation still counts, changed or as it is. Archives store the place in this list: new
 * entries go to its end. */
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
/* "box clipped", ...; "unknown" for a number beyond the list. */
const char *xa_annotation_problem_name(int problem);
const char *xa_annotation_problem_meaning(int problem);
/* Does an annotation with this problem still count? */
bool xa_annotation_used(int problem);

typedef struct xa_sample {
    char *path; /* as written */
    char *file; /* resolved: relative paths lie beside the manifest */
    char *id;
    int32_t *labels;               /* class indices or categories, ascending, unique */
    int32_t nlabels;               /* 0: unlabelled */
    char *group, *split, *exclude; /* NULL when blank */
    char **extra;                  /* [nextra of the manifest] "" when blank */
    xa_annotation *annotations;
    int32_t nannotations;
    int32_t width, height; /* of the frame that boxes refer to, as declared; 0: not declared */
    int64_t line;          /* first line in the file, 1-based */
    int64_t turn;          /* in which checks look at samples (xa_faith_turns); 0 where none does */
    const xa_categories *categories; /* borrowed from its manifest; NULL: it has no categories */
} xa_sample;

/* The decoded image, whose frame annotations are brought to. */
typedef struct xa_frame {
    int64_t width, height; /* pixels, orientation applied */
    int orientation;       /* EXIF's, as applied: 1..8; 0 or 1: none */
    bool rescale;          /* boxes declared in a frame of another scale are brought to the image */
    bool ignore_orientation; /* the image was not turned, so masks are not either */
} xa_frame;
/* Compares the size that a sample declares with its image: NONE (also if it declares none), one of
 * FRAME_*, or BOX_RESCALED if the frame has another scale and f->rescale is set. */
xa_annotation_problem xa_sample_frame(const xa_sample *s, const xa_frame *f);
/* box: x0,y0,x1,y1 of `a`, a box of `s`, in pixels of the image and clipped to it. x0 < x1 and y0 <
 * y1 if the annotation can be used with the problem that is returned; else four zeros. */
xa_annotation_problem
xa_annotation_box(const xa_sample *s, const xa_annotation *a, const xa_frame *f, double box[4]);

/* The parts of a manifest that an archive's identity distinguishes, each with a hash of its own.
 * Every text and number that is stored is in one of them. X(ENUM, name, what is hashed) */
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
    xa_categories categories; /* those that the manifest uses, in the order of their first use */
    /* Memory that the manifest holds, and the most that reading it took, both without the overhead
     * of the C library. */
    size_t bytes, peak_bytes;
    /* For a slice: its first sample, and how many samples the whole manifest has; else 0. */
    int64_t first, whole;
} xa_manifest;
/* Keeps the samples [first, first + count) only. File, hashes and max_class stay those of the whole
 * manifest. */
void xa_manifest_keep(xa_manifest *m, int64_t first, int64_t count);

/* A mask's file as archives store it: relative to the manifest's folder if it lies below that,
 * whatever folder the program was started in. Borrowed: a part of `file`; NULL for NULL. */
const char *xa_manifest_as_written(const xa_manifest *m, const char *file);

/* A list of mistakes, so that all of them are reported at once. The same unknown label, and
 * warnings of one kind, are listed once, with the number of further lines. */
typedef struct xa_problem {
    char *file;   /* owned */
    int64_t line; /* 0: the whole file */
    char *text;   /* what was expected, what was found; owned */
    bool warning; /* reported, but the manifest is accepted */
} xa_problem;
typedef struct xa_problems {
    xa_problem *items;
    size_t count, cap;
    size_t errors;  /* those that are not warnings, listed or dropped */
    size_t dropped; /* not listed: 100 are, errors before warnings */
} xa_problems;
void xa_problems_add(
    xa_problems *p, const char *file, int64_t line, bool warning, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void xa_problems_fini(xa_problems *p);

typedef struct xa_manifest_options {
    const xa_classes
        *classes; /* NULL: labels are indices; without names: indices below its count */
    const xa_categories *categories; /* further names that label and class may use; NULL: none */
    xa_label_as label_as;
    int64_t max_samples; /* a manifest with more is refused (LIMIT); 0: 50 million */
    int64_t limit;       /* keep only the first `limit` samples; 0: all. All lines are checked. */
} xa_manifest_options;

/* Reads a native manifest. Mistakes are added to `problems` (may be NULL) with their line, and
 * reading goes on. With an error among them the status is INVALID, err holds the first one, and
 * *out is unchanged. opt NULL: defaults. Other failures (NOT_FOUND, IO, NOMEM, LIMIT) end the
 * reading. */
XA_MUST_USE xa_status xa_manifest_read(const char *path,
                                       const xa_manifest_options *opt,
                                       xa_manifest **out,
                                       xa_problems *problems,
                                       xa_err *err);
/* Frees a manifest of xa_manifest_read or xa_manifest_unpack with all its texts and arrays, which
 * callers never free or replace. */
void xa_manifest_free(xa_manifest *m);

/* Appends samples [first, first + n) to `out` as bytes, which can be sent to another rank. */
XA_MUST_USE xa_status
xa_manifest_pack(const xa_manifest *m, int64_t first, int64_t n, xa_str *out, xa_err *err);
/* The bytes that one sample takes of them; the rest is the same for any number of samples. */
size_t xa_manifest_pack_bytes(const xa_manifest *m, int64_t sample);
/* A manifest of those samples alone; its folder, sha256 and identity are "". FORMAT if the bytes
 * are not what xa_manifest_pack wrote: every size and index in them is checked. */
XA_MUST_USE xa_status xa_manifest_unpack(const void *bytes,
                                         size_t size,
                                         xa_manifest **out,
                                         xa_err *err);

/* The distinct annotated classes of a sample, ascending, to out [s->nannotations]; returns how
 * many. Annotations of unknown class (-1) do not count. */
int32_t xa_sample_annotated(const xa_sample *s, int32_t *out);

/* ---- what importers share with the native reader ----------------------------------------------
 */

/* Memory that is released as a whole. */
typedef struct xa_arena_block xa_arena_block;
typedef struct xa_arena {
    xa_arena_block *head;
    size_t next_block; /* bytes of the next block; it doubles, so that small manifests stay small */
    size_t total;      /* bytes of all blocks */
} xa_arena;

/* Memory for one object or array, aligned for any type, not zeroed; NULL when out of memory. */
void *xa_arena_take(xa_arena *a, size_t count, size_t item);
/* A NUL-terminated copy. */
char *xa_arena_text(xa_arena *a, const char *text, size_t len);
void xa_arena_fini(xa_arena *a);

/* xa_manifest_read of the file at `path`, as if it were the file `name`. */
XA_MUST_USE xa_status xa_manifest_read_as(const char *path,
                                          const char *name,
                                          const xa_manifest_options *opt,
                                          xa_manifest **out,
                                          xa_problems *problems,
                                          xa_err *err);

/* Texts and an index for each: open addressing over the 64-bit hashes of keys that the caller
 * keeps. */
typedef struct xa_text_map_slot {
    uint64_t hash;
    int64_t value; /* -1: empty */
} xa_text_map_slot;
typedef const char *xa_text_map_key_fn(const void *arg, int64_t value);
typedef struct xa_text_map {
    xa_text_map_slot *slots;
    size_t nslots, used;
    uint64_t seed;
} xa_text_map;

void xa_text_map_init(xa_text_map *m);
void xa_text_map_fini(xa_text_map *m);
/* The value stored for `text`, or -1. `key` gives the text of a value. */
int64_t
xa_text_map_find(const xa_text_map *m, const char *text, xa_text_map_key_fn *key, const void *arg);
/* Adds a text that is not there yet; value >= 0. */
XA_MUST_USE xa_status xa_text_map_add(xa_text_map *m, const char *text, int64_t value, xa_err *err);

enum { XA_SHOWN = 100 };
/* A text of the file for a message: sanitised, at most XA_SHOWN - 1 bytes, cut with "...". */
const char *xa_show(const char *text, char buffer[XA_SHOWN]);

typedef struct xa_csv_row {
    char **cells; /* NUL-terminated, without blanks around unquoted text; valid during the call */
    int32_t ncells;
    int64_t line; /* where the row begins, 1-based */
} xa_csv_row;
/* Called for every row that is not blank; a status other than OK ends the reading. */
typedef xa_status xa_csv_fn(void *arg, const xa_csv_row *row, xa_err *err);

/* Reads a CSV file. A byte-order mark and CRLF are accepted; cells are separated by ',' or ';',
 * whichever the first line has more of. Malformed rows are added to the problems and skipped. hex:
 * the SHA-256 of the file's bytes. */
XA_MUST_USE xa_status xa_csv_read(const char *path,
                                  xa_csv_fn *fn,
                                  void *arg,
                                  xa_problems *problems,
                                  char hex[XA_SHA256_HEX],
                                  xa_err *err);

#endif
