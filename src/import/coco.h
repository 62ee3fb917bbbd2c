/* What the two halves of the COCO importer share: import_coco.c reads, import_coco_draw.c writes.
 */
#ifndef XAUDIT_IMPORT_COCO_H
#define XAUDIT_IMPORT_COCO_H

#include "import_internal.h"

typedef enum section { NO_SECTION, IMAGES, ANNOTATIONS, CATEGORIES } section;
typedef enum field {
    NO_FIELD,
    FILE_NAME,
    COCO_URL,
    NOT_EXHAUSTIVE,
    WIDTH,
    HEIGHT,
    IMAGE_ID,
    CATEGORY_ID,
    BBOX,
    SEGMENTATION,
    CROWD,
    NAME,
    SIZE,
    COUNTS
} field;

/* Ids, as text: those of images and of categories, on their first mention by either section. */
typedef struct id_list {
    char **text; /* in the arena */
    int64_t *to; /* what it means; -1: not yet known */
    size_t count, text_cap, to_cap;
    xa__map map;
} id_list;

typedef struct annotation {
    double box[4];
    int64_t spill;           /* place in the spill file; -1: no segmentation */
    int32_t image, category; /* places in the id lists */
    uint32_t spill_bytes;
    bool has_box, crowd;
    bool drawn, faulty; /* faulty: counted while it was read */
} annotation;

/* What a spilled segmentation begins with; the numbers follow. */
typedef enum shape { NO_SHAPE, POLYGONS, RUNS } shape;
typedef struct spill_head {
    int64_t height, width; /* RUNS: of the size it says; 0 when it says none */
    uint32_t shape, parts;
} spill_head;

typedef struct category {
    const char *name;
    int64_t id;
    int32_t slot; /* in categories */
} category;

typedef struct xa__coco {
    xa__draft *d;
    section section;
    field field, inner; /* of the entry, and of the segmentation within it */
    id_list images, categories;

    /* The entry being read. */
    xa_str file_name, url, name;
    int32_t image_id, category_id; /* places in the id lists, -1 */
    double width, height, box[4], crowd;
    int nbox;
    spill_head head;
    int64_t *lengths; /* of the polygons, in numbers */
    double *numbers;  /* polygons */
    int64_t *runs;
    size_t nlengths, nnumbers, nruns, lengths_cap, numbers_cap, runs_cap;
    int nsize;
    const char *bad; /* why the segmentation is of no use */

    annotation *annotations;
    size_t nannotations, annotations_cap;
    category *names;
    size_t nnames, names_cap;
    /* LVIS: categories of which an image may hold more objects than are annotated; (image,
     * category) of the id lists, those of the entry at hand from `fresh` on. */
    int32_t (*partial)[2];
    size_t npartial, fresh, partial_cap;
    bool seen_images, seen_annotations;
    int spill;
    int64_t spilled;
} xa__coco;

/* Categories, by ascending id, become classes. */
xa_status xa__coco_name_classes(xa__coco *im, xa_err *err);
/* All annotations to labels and boxes, or to masks that are drawn and written. */
xa_status xa__coco_add_annotations(xa__coco *im, xa_err *err);

#endif
