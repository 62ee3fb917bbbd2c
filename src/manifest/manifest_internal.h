/* What the files of this module share. */
#ifndef XAUDIT_MANIFEST_INTERNAL_H
#define XAUDIT_MANIFEST_INTERNAL_H

#include "xaudit/manifest.h"

/* ---- memory that is released as a whole ------------------------------------------------------ */

typedef struct xa__block xa__block;
typedef struct xa__arena {
    xa__block *head;
    size_t next_block; /* bytes of the next block; it doubles, so that small manifests stay small */
    size_t total;      /* bytes of all blocks */
} xa__arena;

/* Memory for one object or array, aligned for any type, not zeroed; NULL when out of memory. */
void *xa__arena_take(xa__arena *a, size_t count, size_t item);
/* A NUL-terminated copy. */
char *xa__arena_text(xa__arena *a, const char *text, size_t len);
void xa__arena_fini(xa__arena *a);

/* A manifest of this module: the public part first, then what owns its memory. */
typedef struct xa__manifest {
    xa_manifest pub;
    xa__arena arena;
} xa__manifest;

xa_status xa__manifest_create(xa__manifest **out, xa_err *err);
/* Sets max_class from the samples, and gives them the categories. */
void xa__manifest_note_classes(xa_manifest *m);
/* Sets identity from the samples. */
xa_status xa__manifest_identify(xa_manifest *m, xa_err *err);

/* xa_manifest_read of the file at `path`, as if it were the file `name`. */
xa_status xa__manifest_read_as(const char *path,
                               const char *name,
                               const xa_manifest_options *opt,
                               xa_manifest **out,
                               xa_problems *problems,
                               xa_err *err);

/* ---- text -> index --------------------------------------------------------------------------- */

/* Open addressing over the 64-bit hashes of keys that the caller keeps. */
typedef struct xa__map_slot {
    uint64_t hash;
    int64_t value; /* -1: empty */
} xa__map_slot;
typedef const char *xa__map_key_fn(const void *arg, int64_t value);
typedef struct xa__map {
    xa__map_slot *slots;
    size_t nslots, used;
    uint64_t seed;
} xa__map;

void xa__map_init(xa__map *m);
void xa__map_fini(xa__map *m);
/* The value stored for `text`, or -1. `key` gives the text of a value. */
int64_t xa__map_find(const xa__map *m, const char *text, xa__map_key_fn *key, const void *arg);
/* Adds a text that is not there yet; value >= 0. */
xa_status xa__map_add(xa__map *m, const char *text, int64_t value, xa_err *err);

/* ---- reporting mistakes ------------------------------------------------------------------------
 */

enum { XA__SHOWN = 100 };
/* A text of the file for a message: sanitised, at most XA__SHOWN - 1 bytes, cut with "...". */
const char *xa__show(const char *text, char buffer[XA__SHOWN]);

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
    xa__map map;
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
    xa__map map;
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

/* ---- CSV ------------------------------------------------------------------------------------- */

typedef struct xa__csv_row {
    char **cells; /* NUL-terminated, without blanks around unquoted text; valid during the call */
    int32_t ncells;
    int64_t line; /* where the row begins, 1-based */
} xa__csv_row;
/* Called for every row that is not blank; a status other than OK ends the reading. */
typedef xa_status xa__csv_fn(void *arg, const xa__csv_row *row, xa_err *err);

/* Reads a CSV file. A byte-order mark and CRLF are accepted; cells are separated by ',' or ';',
 * whichever the first line has more of. Malformed rows are added to the problems and skipped. hex:
 * the SHA-256 of the file's bytes. */
xa_status xa__csv_read(const char *path,
                       xa__csv_fn *fn,
                       void *arg,
                       xa_problems *problems,
                       char hex[XA_SHA256_HEX],
                       xa_err *err);

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
xa_status xa__columns_read(xa__columns *c, const xa__csv_row *row, xa__reporter *t, xa_err *err);
void xa__columns_fini(xa__columns *c);
/* The text of a column, "" if there is no such column. */
const char *xa__cell(const xa__columns *c, const xa__csv_row *row, int column);

/* ---- annotations ----------------------------------------------------------------------------- */

/* Reads the annotation of a row; *present is false for a row without one. Returns false after a
 * mistake, which is reported. mask and ignore_mask become the texts of the row, *mask_len and
 * *ignore_len their lengths without
 * "#value"; the caller resolves these paths, and sets class_index. */
bool xa__annotation_parse(const xa__columns *c,
                          const xa__csv_row *row,
                          xa__reporter *t,
                          bool *present,
                          xa_annotation *a,
                          const char **mask,
                          size_t *mask_len,
                          const char **ignore_mask,
                          size_t *ignore_len);

#endif
