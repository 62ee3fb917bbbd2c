/* What the importers share: a draft of a manifest that they fill and one writer that writes it.
 *
 * An importer is a function `xa_status xa__import_NAME(xa__draft *, xa_err *)` in its own file. It
 * adds images and annotations, and says with xa__drop what it left out or changed. */
#ifndef XAUDIT_IMPORT_INTERNAL_H
#define XAUDIT_IMPORT_INTERNAL_H

#include "manifest/manifest_internal.h"
#include "xaudit/import.h"

/* ---- the draft ------------------------------------------------------------------------------- */

typedef struct xa__draft_image {
    const char *folder; /* of the path below it */
    const char *path;
    const char *id; /* == path when the source has no ids */
    const char *group, *split, *exclude;
    const char **extra;    /* [nextra], entries may be NULL; NULL when there are none */
    int64_t width, height; /* of the frame that coordinates refer to; 0: unknown */
    bool declared; /* it is told in the manifest: by the source, or made pixels of fractions */
    int64_t found_width, found_height; /* of the header; 0: not read, -1: cannot be read */
} xa__draft_image;

typedef struct xa__draft_note {
    int64_t image;
    int32_t class_index;
    int32_t mask_value;
    uint8_t kind, flags;
    double box[4];
    const char *mask; /* a file as this program reaches it; likewise `ignore` */
    const char *ignore;
} xa__draft_note;

typedef struct xa__draft_label {
    int64_t image;
    int32_t class_index;
} xa__draft_label;

typedef struct xa__draft {
    const xa_import_options *opt;
    xa_import_report *report;
    xa_problems *problems;
    xa__arena arena;

    xa__draft_image *images;
    xa__draft_note *notes;
    xa__draft_label *labels;
    size_t nimages, nnotes, nlabels, images_cap, notes_cap, labels_cap;
    xa__map ids, paths; /* paths: of images whose id is another text */

    char **classes; /* in the arena */
    size_t nclasses, classes_cap;
    xa__map class_map;
    bool paths_free;    /* paths may lead anywhere (told); otherwise those that do are dropped */
    bool classes_fixed; /* --classes: others are not classes */
    bool classes_rewritten; /* the names are not the lines of --classes: written all the same */
    bool classes_sorted;    /* by name when written; otherwise in the order they came */
    bool indices;           /* labels are numbers already: class_index is the label, no names */

    const char *const *extra_columns;
    int32_t nextra;
    int64_t probed; /* images whose header was read */
} xa__draft;

/* Counts what was left out or changed, `reason` (static storage) saying why, with an example. */
void xa__drop(xa__draft *d, xa_import_what what, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

xa_status xa__draft_text(xa__draft *d, const char *text, const char **out, xa_err *err);
/* An image at folder/path (path as the source has it). *out is its index, or -1 if it was dropped:
 * no such file, outside the folder, not UTF-8, or the id (NULL: the path) is taken. */
xa_status xa__draft_image_add(
    xa__draft *d, const char *folder, const char *path, const char *id, int64_t *out, xa_err *err);
/* An image that a finder looked for in --images: with --split, or dropped where path is NULL. */
xa_status
xa__draft_found_add(xa__draft *d, const char *path, const char *id, int64_t *out, xa_err *err);
int64_t xa__draft_find(const xa__draft *d, const char *id); /* -1: none */
/* The class of a name; new names are added unless --classes fixed them. -1: not a class (counted
 * as a dropped `what`, with the name as example). */
xa_status
xa__draft_class(xa__draft *d, const char *name, xa_import_what what, int32_t *out, xa_err *err);
/* Reads --classes, or keeps the classes open. */
xa_status xa__draft_classes_init(xa__draft *d, xa_err *err);
xa_status xa__draft_label_add(xa__draft *d, int64_t image, int32_t class_index, xa_err *err);
/* Reads the image's header unless its size is known; false if it cannot be read (told). */
bool xa__draft_size(xa__draft *d, int64_t image);
/* What the source says of the image's size, compared with its header (told); 0 by 0: nothing. */
void xa__draft_declare(xa__draft *d, int64_t image, int64_t width, int64_t height);
/* The size of the image itself, whatever is declared; false if it cannot be read (told). */
bool xa__draft_found(xa__draft *d, int64_t image, int64_t *width, int64_t *height);
xa_status xa__draft_note_add(xa__draft *d, const xa__draft_note *note, xa_err *err);
/* A box x0, y0, x1, y1 in `from`; becomes half-open, clipped where the size is known, or is
 * dropped. NORMALISED needs the size. */
xa_status xa__draft_box(xa__draft *d,
                        int64_t image,
                        int32_t class_index,
                        uint8_t flags,
                        const double box[4],
                        xa_box_convention from,
                        xa_err *err);
/* import_mask.c: a mask file that is there already; ignore (a file, with "#value" or not, or NULL)
 * likewise. */
xa_status xa__draft_mask(xa__draft *d,
                         int64_t image,
                         int32_t class_index,
                         uint8_t flags,
                         const char *file,
                         int32_t mask_value,
                         const char *ignore,
                         xa_err *err);
/* Writes pixels [height, width] of the image's own size, 0 or 255, beside the manifest. */
xa_status xa__draft_mask_write(xa__draft *d,
                               int64_t image,
                               int32_t class_index,
                               uint8_t flags,
                               const uint8_t *pixels,
                               xa_err *err);
/* The PNG of xa__draft_mask_write under another word than the class's name, without annotation. */
xa_status xa__draft_pixels(xa__draft *d,
                           int64_t image,
                           const char *word,
                           const uint8_t *pixels,
                           int64_t width,
                           int64_t height,
                           const char **out,
                           xa_err *err);
/* Which pixels of a mask of one object belong to it: above 127 (counted) where it has bytes between
 * black and white, as resized or lossy copies of a set have at the edges; otherwise all but 0. */
int32_t xa__draft_mask_soft(xa__draft *d, const char *file);
/* A mask file of the image's size: `file` itself, or a resized copy named with `word`; NULL when
 * there is none (counted). *value says which pixels of the file belong to the mask, and afterwards
 * which pixels of *out do. */
xa_status xa__draft_mask_fit(xa__draft *d,
                             int64_t image,
                             const char *file,
                             const char *word,
                             int32_t *value,
                             const char **out,
                             xa_err *err);
/* Sorts the classes where classes_sorted says so. Implied by writing. */
xa_status xa__draft_sort_classes(xa__draft *d, xa_err *err);
void xa__draft_fini(xa__draft *d);

/* import_write.c: classes file, then the manifest under a temporary name, then the renaming. */
xa_status xa__draft_write(xa__draft *d, xa_err *err);
/* The rows alone, to `file` (`name` in messages), as of a manifest at the path `place`. */
xa_status
xa__draft_rows(xa__draft *d, FILE *file, const char *place, const char *name, xa_err *err);
/* OUTPUT without ".csv" + suffix; caller frees. */
char *xa__beside_output(const xa__draft *d, const char *suffix);

/* ---- paths (import_path.c) ------------------------------------------------------------------- */

/* folder/path, or path alone where folder is NULL or ""; caller frees. */
char *xa__join(const char *folder, const char *path);
/* Absolute, or up and out by "..". */
bool xa__path_leaves(const char *path);
bool xa__is_file(const char *path);
bool xa__is_folder(const char *path);
/* Is `file`, symbolic links followed, outside `folder`? */
bool xa__links_out(const char *folder, const char *file);
/* Text that names `target` from the folder `from` (absolute, resolved, '/' at its end): relative
 * where they share more than the root. Caller frees. */
char *xa__relative(const char *from, const char *target);
/* ".jpg", ".png", ... in any case. */
bool xa__is_image_name(const char *name);
/* The names in a folder, sorted by bytes, hidden ones left out. Free with xa_names_free. */
xa_status xa__folder_list(const char *folder, xa_names *out, xa_err *err);

/* Finds image files by their name without ending, in a folder and two levels below it. */
typedef struct xa__finder {
    const char *folder;
    xa_names below; /* "" first */
    size_t last;    /* where the last one was */
    int last_end;
    xa_str path;
} xa__finder;
xa_status xa__finder_init(xa__finder *f, const char *folder, xa_err *err);
/* The path below the folder, valid until the next call, or NULL. `name` may have its ending. */
const char *xa__finder_find(xa__finder *f, const char *name);
void xa__finder_fini(xa__finder *f);

/* ---- tables (import_table.c) ----------------------------------------------------------------- */

enum { XA__TABLE_COLUMNS = 32 };
typedef struct xa__table xa__table;
/* cells[i] is the text of wanted column i, "" where it is not in the file. */
typedef xa_status xa__table_fn(void *arg, const char *const *cells, int64_t line, xa_err *err);
typedef struct xa__wanted {
    const char *name;
    bool optional;
} xa__wanted;
/* CSV with a header: calls fn for every row. A missing column is a problem that names those found,
 * and so are malformed rows; INVALID then, after the whole file was read. */
xa_status xa__table_read(xa__draft *d,
                         const char *path,
                         const xa__wanted *wanted,
                         int nwanted,
                         xa__table_fn *fn,
                         void *arg,
                         xa_err *err);
/* Text lines (BOM, CRLF, blank lines skipped), changed in place by fn at will. */
typedef xa_status xa__line_fn(void *arg, char *line, int64_t number, xa_err *err);
xa_status xa__lines_read(const char *path, xa__line_fn *fn, void *arg, xa_err *err);
/* Four numbers; false if one is none. */
bool xa__four(const char *const text[4], double out[4]);

/* ---- JSON (json_reader.c) and XML (voc_reader.c) --------------------------------------------- */

typedef enum xa__json_kind {
    XA__JSON_NULL,
    XA__JSON_BOOL,
    XA__JSON_NUMBER,
    XA__JSON_TEXT,
    XA__JSON_KEY,
    XA__JSON_MAP,
    XA__JSON_MAP_END,
    XA__JSON_LIST,
    XA__JSON_LIST_END
} xa__json_kind;
typedef struct xa__json_event {
    xa__json_kind kind;
    int depth;        /* containers around it; a container's own begin and end have its outside */
    const char *text; /* TEXT, KEY, NUMBER (as written): NUL-terminated, valid for the call */
    size_t len;       /* of text; more than strlen(text) where it holds a NUL */
    double number;    /* NUMBER; BOOL: 0 or 1 */
} xa__json_event;
typedef xa_status xa__json_fn(void *arg, const xa__json_event *e, xa_err *err);
/* NaN, Infinity and -Infinity, which Python writes and JSON does not know: they come as NULL. Of
 * the first: the word, its line, its byte from 0, and its place as "annotations[3].area". */
typedef struct xa__json_odd {
    int64_t count, line, offset;
    char word[12], place[200];
} xa__json_odd;
/* Streams a JSON file of any size: memory is bounded by its longest text (16 MiB accepted). FORMAT
 * with line, byte and place for syntax errors; at most 64 levels. */
xa_status
xa__json_read(const char *path, xa__json_fn *fn, void *arg, xa__json_odd *odd, xa_err *err);
/* Tells of them. */
void xa__drop_odd(xa__draft *d, const xa__json_odd *odd);

enum { XA__VOC_NAME = 256 };
typedef struct xa__voc_object {
    char name[XA__VOC_NAME];
    double box[4];
    bool has_box;
    uint8_t flags;
    const char *bad; /* what of it cannot be understood, static storage; NULL: nothing */
} xa__voc_object;
typedef struct xa__voc {
    char filename[XA__VOC_NAME];
    int64_t width, height; /* 0: not said, or not understood */
    bool bad_size;
    xa__voc_object *objects;
    size_t count, cap;
} xa__voc;
/* One annotation file of Pascal VOC or ImageNet. What cannot be understood of an object or of the
 * size is marked, and the rest is read. Entity declarations are refused, nothing outside
 * the file is read. FORMAT with the line. The struct may be used again without fini. */
xa_status xa__voc_read(const char *path, xa__voc *v, xa_err *err);
void xa__voc_fini(xa__voc *v);

/* ---- shapes to pixels (raster.c) ------------------------------------------------------------- */

enum { XA__RASTER_PIXELS_MAX = 1 << 28 };
/* Sets the pixels of a polygon x0, y0, x1, y1, ... (npoints >= 3; |coordinates| <= 1e7) in
 * mask [height, width] to 255, by the rule of the COCO mask API: the outline is drawn on a grid
 * five times as fine, and a column of pixels is filled between its crossings of the column's
 * centre. toggle: height + 1 bytes, zeroed; left zeroed. */
void xa__raster_polygon(const double *points,
                        int64_t npoints,
                        int64_t width,
                        int64_t height,
                        uint8_t *toggle,
                        uint8_t *mask);
/* Run lengths, column by column, of 0 and 1 in turn. false when they do not add up to the image. */
bool xa__raster_runs(const int64_t *runs, size_t n, int64_t width, int64_t height, uint8_t *mask);
/* The COCO API's compressed text to runs (out has room for len); false when it is none. */
bool xa__runs_decode(const char *text, size_t len, int64_t *out, size_t *n);

/* ---- the importers, one file each ------------------------------------------------------------ */

xa_status xa__import_folder(xa__draft *d, xa_err *err);
xa_status xa__import_voc(xa__draft *d, xa_err *err);
xa_status xa__import_coco(xa__draft *d, xa_err *err);
xa_status xa__import_cub(xa__draft *d, xa_err *err);
xa_status xa__import_wsol(xa__draft *d, xa_err *err);
xa_status xa__import_imagenet(xa__draft *d, xa_err *err);
xa_status xa__import_openimages(xa__draft *d, xa_err *err);
xa_status xa__import_isic(xa__draft *d, xa_err *err);
xa_status xa__import_chexlocalize(xa__draft *d, xa_err *err);
xa_status xa__import_nih(xa__draft *d, xa_err *err);
xa_status xa__import_csv(xa__draft *d, xa_err *err);

#endif
