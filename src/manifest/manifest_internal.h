/* What the files of this module share. */
#ifndef XAUDIT_MANIFEST_INTERNAL_H
#define XAUDIT_MANIFEST_INTERNAL_H

#include "xaudit/manifest.h"

/* A manifest of this module: the public part first, then what owns its memory. */
typedef struct xa__manifest {
    xa_manifest pub;
    xa_arena arena;
} xa__manifest;

xa_status xa__manifest_create(xa__manifest **out, xa_err *err);
/* Sets max_class from the samples, and gives them the categories. */
void xa__manifest_note_classes(xa_manifest *m);
/* Sets identity from the samples. */
xa_status xa__manifest_identify(xa_manifest *m, xa_err *err);

/* ---- reporting mistakes ------------------------------------------------------------------------
 */

/* A mistake that is reported once, however often it is made. */
typedef struct xa__reported {
    char *key;
    int64_t problem; /* its index in problems; -1: there was no room for it */
    int64_t again;   /* how often it came after the first time */
} xa__reported;
typedef struct xa__reporter {
    xa_problems *problems;
    const char *file;
    xa__reported *reported;
    size_t nreported, cap;
    xa_text_map map;
    bool failed; /* out of memory */
} xa__reporter;

void xa__reporter_init(xa__reporter *t, xa_problems *problems, const char *file);
/* Is `key` new? The caller then adds the problem at once. */
bool xa__reporter_first(xa__reporter *t, const char *key);
/* Adds " (and N more lines)" to reports of repeated mistakes, and frees the rest. */
void xa__reporter_finish(xa__reporter *t);

/* ---- labels ---------------------------------------------------------------------------------- */

typedef struct xa__labels {
    const xa_classes *classes; /* NULL: plain indices */
    xa_label_as as;
    xa_text_map map;
    int32_t
        *twin; /* [classes] another class of the same name, or 0; NULL: all names differ; owned */
} xa__labels;

enum { XA__WHY = 512 };
xa_status xa__labels_init(xa__labels *l, const xa_classes *classes, xa_label_as as, xa_err *err);
void xa__labels_fini(xa__labels *l);
/* The class index of a text, or -1. */
int32_t xa__label_find(const xa__labels *l, const char *text);
/* Why `text` is no label. It searches for near names, hence is called only for a report. */
void xa__label_why(const xa__labels *l, const char *what, const char *text, char why[XA__WHY]);

/* "a|b", which is changed in place, as ascending unique classes; free() *out. why is "", or says
 * which part is no class. */
xa_status xa__class_set(
    const xa__labels *l, char *text, int32_t **out, int32_t *count, char why[XA__WHY], xa_err *err);
/* Sorts indices, removes duplicates, and returns how many are left. */
int32_t xa__indices_sort(int32_t *v, int32_t count);
/* The category with this name, or with exactly these members; -1: there is none. */
int32_t xa__category_find(const xa_categories *c, const char *name);
int32_t xa__category_same(const xa_categories *c, const int32_t *members, int32_t count);

/* The sets of classes that a manifest uses. All pointers are borrowed. */
typedef struct xa__sets {
    const xa_categories *named; /* the categories of the job's file; NULL: none */
    xa_categories *used;        /* the manifest's own: each is added at its first use */
    const xa__labels *labels;
    xa__reporter *reporter;
    size_t bytes; /* of those used, in the text that archives store */
    bool many;    /* it was reported that they are too many */
} xa__sets;
/* The index of a class, or of a category of the job's file; -1: it is neither. */
xa_status xa__sets_name(xa__sets *x, const char *text, int64_t line, int32_t *out, xa_err *err);
/* A set of classes, "a|b", as a category: the job's file may name it; else it is named by its
 * classes' names, or by their indices if two classes have the same name. A single class stays a
 * class. -1 after a mistake, which is reported. */
xa_status xa__sets_classes(xa__sets *x, const char *text, int64_t line, int32_t *out, xa_err *err);

/* ---- columns --------------------------------------------------------------------------------- */

/* X(name): the columns that have a meaning. */
#define XA__COLUMNS(X) \
    X(path)            \
    X(id)              \
    X(label)           \
    X(class)           \
    X(kind)            \
    X(x0)              \
    X(y0)              \
    X(x1)              \
    X(y1)              \
    X(mask)            \
    X(ignore_mask)     \
    X(flags)           \
    X(group)           \
    X(split)           \
    X(exclude)         \
    X(image_width)     \
    X(image_height)
enum {
#define X(name) XA__COLUMN_##name,
    XA__COLUMNS(X)
#undef X
        XA__COLUMN_COUNT,
    XA__CELLS_MAX = 4096
};

typedef struct xa__columns {
    int32_t at[XA__COLUMN_COUNT]; /* place of a column in the row; -1: it is not in the file */
    int32_t *extra;               /* places of the further columns; owned */
    int32_t nextra;
    int32_t *nameless; /* places without a name; owned */
    int32_t nnameless;
    int32_t count;
} xa__columns;

/* Reads the header row. INVALID if no further line can be understood; its problems are reported. */
xa_status xa__columns_read(xa__columns *c, const xa_csv_row *row, xa__reporter *t, xa_err *err);
void xa__columns_fini(xa__columns *c);
/* The text of a column, "" if there is no such column. */
const char *xa__cell(const xa__columns *c, const xa_csv_row *row, int column);

/* ---- annotations ----------------------------------------------------------------------------- */

/* Reads the annotation of a row; *present is false for a row without one. Returns false after a
 * mistake, which is reported. mask and ignore_mask become the texts of the row, *mask_len and
 * *ignore_len their lengths without
 * "#value"; the caller resolves these paths, and sets class_index. */
bool xa__annotation_parse(const xa__columns *c,
                          const xa_csv_row *row,
                          xa__reporter *t,
                          bool *present,
                          xa_annotation *a,
                          const char **mask,
                          size_t *mask_len,
                          const char **ignore_mask,
                          size_t *ignore_len);

#endif
