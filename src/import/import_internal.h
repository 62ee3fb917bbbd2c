/* What the importers share: the draft of a manifest, which they fill, and one writer for it.
 *
 * An importer is a function `xa_status xa__import_NAME(xa__draft *, xa_err *)` in its own file. It
 * adds images and annotations, and counts with xa__drop what it left out or changed. */
#ifndef XAUDIT_IMPORT_INTERNAL_H
#define XAUDIT_IMPORT_INTERNAL_H

#include "xaudit/import.h"
#include "xaudit/manifest.h"

/* ---- the draft ------------------------------------------------------------------------------- */

typedef struct xa__draft_image {
    const char *folder; /* the path is relative to it */
    const char *path;
    const char *id; /* the same pointer as path if the source has no ids */
    const char *group, *split, *exclude;
    const char **extra;    /* [nextra] entries may be NULL; NULL if there are no further columns */
    int64_t width, height; /* of the frame that coordinates refer to; 0: unknown */
    bool declared; /* the size goes into the manifest: the source states it, or boxes are fractions
                      of it */
    int64_t found_width,
        found_height; /* in the image's header; 0: not read yet, -1: it cannot be read */
} xa__draft_image;

typedef struct xa__draft_note {
    int64_t image;
    int32_t class_index;
    int32_t mask_value;
    uint8_t kind, flags;
    double box[4];
    const char *mask; /* a path that this program can open; `ignore` too */
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
    xa_arena arena;

    xa__draft_image *images;
    xa__draft_note *notes;
    xa__draft_label *labels;
    size_t nimages, nnotes, nlabels, images_cap, notes_cap, labels_cap;
    xa_text_map ids, paths; /* paths: of those images whose id is not their path */

    char **classes; /* in the arena */
    size_t nclasses, classes_cap;
    xa_text_map class_map;
    bool paths_free;        /* a path may leave its folder, which is reported; else it is dropped */
    bool classes_fixed;     /* --classes lists all classes */
    bool classes_rewritten; /* names are not the lines of --classes, so that a file of them is
                               written */
    bool classes_sorted;    /* classes are written by name; else in the order they came */
    bool indices;           /* labels are class indices already, without names */

    const char *const *extra_columns;
    int32_t nextra;
    int64_t probed; /* how many images' headers were read */
} xa__draft;

/* Counts something that was left out or changed, by `reason` (static storage), with an example. */
void xa__drop(xa__draft *d, xa_import_what what, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

xa_status xa__draft_text(xa__draft *d, const char *text, const char **out, xa_err *err);
/* Adds the image at folder/path, with the path that the source has. *out is its index; -1 if it was
 * dropped: there is no such file, the path leaves the folder or is not UTF-8, or another image has
 * the id (NULL: the path). */
xa_status xa__draft_image_add(
    xa__draft *d, const char *folder, const char *path, const char *id, int64_t *out, xa_err *err);
/* Adds an image of --images, with the split of --split; it is dropped if path is NULL, since no
 * finder found it. */
xa_status
xa__draft_found_add(xa__draft *d, const char *path, const char *id, int64_t *out, xa_err *err);
int64_t xa__draft_find(const xa__draft *d, const char *id); /* -1: there is none */
/* The class of a name. A new name is added, unless --classes lists all; it is then no class: -1,
 * counted as a dropped `what` with the name as example. */
xa_status
xa__draft_class(xa__draft *d, const char *name, xa_import_what what, int32_t *out, xa_err *err);
/* Reads --classes, if it is given. */
xa_status xa__draft_classes_init(xa__draft *d, xa_err *err);
xa_status xa__draft_label_add(xa__draft *d, int64_t image, int32_t class_index, xa_err *err);
/* Reads the image's header unless its size is known; false if it cannot be read, which is reported.
 */
bool xa__draft_size(xa__draft *d, int64_t image);
/* Sets the size that the source states; a header with another size is reported. 0 by 0: the source
 * states none. */
void xa__draft_declare(xa__draft *d, int64_t image, int64_t width, int64_t height);
/* The size in the image's header, whatever is declared; false if it cannot be read, which is
 * reported. */
bool xa__draft_found(xa__draft *d, int64_t image, int64_t *width, int64_t *height);
xa_status xa__draft_note_add(xa__draft *d, const xa__draft_note *note, xa_err *err);
/* Adds a box x0, y0, x1, y1 of the convention `from`. It becomes half-open and is clipped if the
 * size is known; a box without area inside is dropped. NORMALISED needs the size. */
xa_status xa__draft_box(xa__draft *d,
                        int64_t image,
                        int32_t class_index,
                        uint8_t flags,
                        const double box[4],
                        xa_box_convention from,
                        xa_err *err);
/* mask.c: adds a mask file that exists, and an ignore mask (a file that exists, with or without
 * "#value"; or NULL). */
xa_status xa__draft_mask(xa__draft *d,
                         int64_t image,
                         int32_t class_index,
                         uint8_t flags,
                         const char *file,
                         int32_t mask_value,
                         const char *ignore,
                         xa_err *err);
/* Writes pixels [height, width], 0 or 255, of the image's own size, as a mask beside the manifest,
 * and adds it. */
xa_status xa__draft_mask_write(xa__draft *d,
                               int64_t image,
                               int32_t class_index,
                               uint8_t flags,
                               const uint8_t *pixels,
                               xa_err *err);
/* Writes such a PNG with another word than the class's name, and adds no annotation. *out: its
 * path. */
xa_status xa__draft_pixels(xa__draft *d,
                           int64_t image,
                           const char *word,
                           const uint8_t *pixels,
                           int64_t width,
                           int64_t height,
                           const char **out,
                           xa_err *err);
/* Which pixels of an object's mask belong to it: those above 127 if the file has values between
 * black and white, as resized or lossy copies have at the edges, which is counted; else all but 0.
 */
int32_t xa__draft_mask_soft(xa__draft *d, const char *file);
/* A mask file of the image's size: `file` itself, or a resized copy with `word` in its name; NULL
 * if there is none, which is counted. *value says which pixels of `file` belong to the mask, and
 * becomes that of *out. */
xa_status xa__draft_mask_fit(xa__draft *d,
                             int64_t image,
                             const char *file,
                             const char *word,
                             int32_t *value,
                             const char **out,
                             xa_err *err);
/* Sorts the classes if classes_sorted is set; xa__draft_write does so too. */
xa_status xa__draft_sort_classes(xa__draft *d, xa_err *err);
void xa__draft_fini(xa__draft *d);

/* write.c: writes the file of classes, then the manifest under a temporary name, which it renames.
 */
xa_status xa__draft_write(xa__draft *d, xa_err *err);
/* Writes the rows alone to `file` (`name` in messages), with paths as in a manifest at `place`. */
xa_status
xa__draft_rows(xa__draft *d, FILE *file, const char *place, const char *name, xa_err *err);
/* OUTPUT without ".csv" + suffix; caller frees. */
char *xa__beside_output(const xa__draft *d, const char *suffix);

/* ---- paths (path.c) ------------------------------------------------------------------- */

/* folder/path; path alone if folder is NULL or "". Caller frees. */
char *xa__join(const char *folder, const char *path);
/* Is the path absolute, or does it leave its folder by ".."? */
bool xa__path_leaves(const char *path);
bool xa__is_file(const char *path);
bool xa__is_folder(const char *path);
/* Does `file`, with symbolic links followed, lie outside `folder`? */
bool xa__links_out(const char *folder, const char *file);
/* The path to `target` from the folder `from` (absolute, resolved, with '/' at its end): relative
 * if they share more than the root. Caller frees. */
char *xa__relative(const char *from, const char *target);
/* Does the name end in ".jpg", ".png", ..., in upper or lower case? */
bool xa__is_image_name(const char *name);
/* The names in a folder, sorted by bytes, without hidden ones. Free with xa_names_free. */
xa_status xa__folder_list(const char *folder, xa_names *out, xa_err *err);

/* Finds image files by their name, without the ending, in a folder and two levels below it. */
typedef struct xa__finder {
    const char *folder;
    xa_names below; /* folders to search; the first is "" */
    size_t last;    /* the folder of the last file that was found */
    int last_end;
    xa_str path;
} xa__finder;
xa_status xa__finder_init(xa__finder *f, const char *folder, xa_err *err);
/* The file's path below the folder, valid until the next call; NULL: not found. `name` may have its
 * ending. */
const char *xa__finder_find(xa__finder *f, const char *name);
void xa__finder_fini(xa__finder *f);

/* ---- tables (table.c) ----------------------------------------------------------------- */

enum { XA__TABLE_COLUMNS = 32 };
typedef struct xa__table xa__table;
/* cells[i]: the text of wanted column i; "" if the file has no such column. */
typedef xa_status xa__table_fn(void *arg, const char *const *cells, int64_t line, xa_err *err);
typedef struct xa__wanted {
    const char *name;
    bool optional;
} xa__wanted;
/* Reads a CSV file with a header and calls fn for every row. A missing column is a problem, which
 * names the columns that were found, and so is a malformed row; the status is then INVALID, after
 * the whole file was read. */
xa_status xa__table_read(xa__draft *d,
                         const char *path,
                         const xa__wanted *wanted,
                         int nwanted,
                         xa__table_fn *fn,
                         void *arg,
                         xa_err *err);
/* Reads a text by lines, without byte-order mark, CRLF and blank lines. fn may change the line in
 * place. */
typedef xa_status xa__line_fn(void *arg, char *line, int64_t number, xa_err *err);
xa_status xa__lines_read(const char *path, xa__line_fn *fn, void *arg, xa_err *err);
/* Reads four numbers; false if one is no number. */
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
    int depth; /* how many lists and maps are around it; a list's or map's own events do not count
                  it */
    const char *text; /* of TEXT, KEY, NUMBER (as written): NUL-terminated, valid during the call */
    size_t len;       /* of text; more than strlen(text) if it contains a NUL */
    double number;    /* of NUMBER; of BOOL: 0 or 1 */
} xa__json_event;
typedef xa_status xa__json_fn(void *arg, const xa__json_event *e, xa_err *err);
/* NaN, Infinity and -Infinity, which Python writes but JSON does not have, become NULL events. Of
 * the first one: the word, its line, its byte from 0, and its place, such as "annotations[3].area".
 */
typedef struct xa__json_odd {
    int64_t count, line, offset;
    char word[12], place[200];
} xa__json_odd;
/* Reads a JSON file of any size as events. Memory is bounded by its longest text, of at most 16
 * MiB; at most 64 levels. FORMAT names line, byte and place of a syntax error. */
xa_status
xa__json_read(const char *path, xa__json_fn *fn, void *arg, xa__json_odd *odd, xa_err *err);
/* Counts them in the report. */
void xa__drop_odd(xa__draft *d, const xa__json_odd *odd);

enum { XA__VOC_NAME = 256 };
typedef struct xa__voc_object {
    char name[XA__VOC_NAME];
    double box[4];
    bool has_box;
    uint8_t flags;
    const char *bad; /* what cannot be understood (static storage); NULL: nothing */
} xa__voc_object;
typedef struct xa__voc {
    char filename[XA__VOC_NAME];
    int64_t width, height; /* 0: missing, or not understood */
    bool bad_size;
    xa__voc_object *objects;
    size_t count, cap;
} xa__voc;
/* Reads one annotation file of Pascal VOC or ImageNet. An object or a size that cannot be
 * understood is marked, and the rest is read. Entity declarations are refused, and nothing outside
 * of the file is read. FORMAT names the line. The struct may be used for the next file without
 * xa__voc_fini. */
xa_status xa__voc_read(const char *path, xa__voc *v, xa_err *err);
void xa__voc_fini(xa__voc *v);

/* ---- shapes to pixels (raster.c) ------------------------------------------------------------- */

enum { XA__RASTER_PIXELS_MAX = 1 << 28 };
/* Sets the pixels of a polygon x0, y0, x1, y1, ... (npoints >= 3, |coordinates| <= 1e7) in mask
 * [height, width] to 255, by the rule of the COCO mask API: the outline is drawn on a grid five
 * times as fine, and a column of pixels is filled between the places where the outline crosses the
 * column's centre. toggle: [height + 1] zeros, which it is again afterwards. */
void xa__raster_polygon(const double *points,
                        int64_t npoints,
                        int64_t width,
                        int64_t height,
                        uint8_t *toggle,
                        uint8_t *mask);
/* Draws run lengths, of 0 and 1 in turn, column by column. false if they do not add up to the
 * image. */
bool xa__raster_runs(const int64_t *runs, size_t n, int64_t width, int64_t height, uint8_t *mask);
/* Decodes the compressed run lengths of the COCO API; out has room for len. false if the text is
 * damaged. */
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
