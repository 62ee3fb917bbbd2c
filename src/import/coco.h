/* What the files of the COCO importer share: coco.c reads the stream, coco_entry.c its entries,
 * coco_shape.c their segmentations; coco_draw.c draws and writes them. */
#ifndef XAUDIT_IMPORT_COCO_H
#define XAUDIT_IMPORT_COCO_H

#include "import_internal.h"

typedef enum xa__coco_section {
    XA__COCO_NO_SECTION,
    XA__COCO_IMAGES,
    XA__COCO_ANNOTATIONS,
    XA__COCO_CATEGORIES
} xa__coco_section;
typedef enum xa__coco_field {
    XA__COCO_NO_FIELD,
    XA__COCO_FILE_NAME,
    XA__COCO_COCO_URL,
    XA__COCO_NOT_EXHAUSTIVE,
    XA__COCO_WIDTH,
    XA__COCO_HEIGHT,
    XA__COCO_IMAGE_ID,
    XA__COCO_CATEGORY_ID,
    XA__COCO_BBOX,
    XA__COCO_SEGMENTATION,
    XA__COCO_CROWD,
    XA__COCO_NAME,
    XA__COCO_SIZE,
    XA__COCO_COUNTS
} xa__coco_field;

/* Ids of images or of categories, as text, in the order in which any section first mentions them.
 */
typedef struct xa__coco_id_list {
    char **text; /* in the arena */
    int64_t *to; /* the image or class that an id means; -1: not known yet; -2: it was dropped */
    size_t count, text_cap, to_cap;
    xa_text_map map;
} xa__coco_id_list;

typedef struct xa__coco_annotation {
    double box[4];
    int64_t spill;           /* place in the spill file; -1: no segmentation */
    int32_t image, category; /* places in the id lists */
    uint32_t spill_bytes;
    bool has_box, crowd;
    bool drawn, faulty; /* faulty: it was counted as such when it was read */
} xa__coco_annotation;

/* The head of a segmentation in the spill file; its numbers follow. */
typedef enum xa__coco_shape { XA__COCO_NO_SHAPE, XA__COCO_POLYGONS, XA__COCO_RUNS } xa__coco_shape;
typedef struct xa__coco_spill_head {
    int64_t height, width; /* RUNS: as the segmentation says; 0 if it does not */
    uint32_t shape, parts;
} xa__coco_spill_head;

typedef struct xa__coco_category {
    const char *name;
    int64_t id;
    int32_t slot; /* in categories */
} xa__coco_category;

typedef struct xa__coco {
    xa__draft *d;
    xa__coco_section section;
    xa__coco_field field, inner; /* of the entry, and of the segmentation within it */
    xa__coco_id_list images, categories;

    /* The entry being read. */
    xa_str file_name, url, name;
    int32_t image_id, category_id; /* places in the id lists; -1: not said */
    double width, height, box[4], crowd;
    int nbox;
    xa__coco_spill_head head;
    int64_t *lengths; /* how many numbers each polygon has */
    double *numbers;  /* polygons */
    int64_t *runs;
    size_t nlengths, nnumbers, nruns, lengths_cap, numbers_cap, runs_cap;
    int nsize;
    const char *bad; /* why the segmentation cannot be used; NULL: it can */

    xa__coco_annotation *annotations;
    size_t nannotations, annotations_cap;
    xa__coco_category *names;
    size_t nnames, names_cap;
    /* LVIS: categories of which an image may hold more objects than are annotated, as places
     * (image, category) in the id lists; those of the present entry begin at `fresh`. */
    int32_t (*partial)[2];
    size_t npartial, fresh, partial_cap;
    bool seen_images, seen_annotations;
    int spill;
    int64_t spilled;
} xa__coco;

/* coco_entry.c: the place of an id in its list, to which a new one is added. 7, 7.0 and "7" are the
 * same id. *out is unchanged if the value is no id. */
xa_status xa__coco_slot(
    xa__coco *im, xa__coco_id_list *l, const xa__json_event *e, int32_t *out, xa_err *err);
/* A number, or a text that is one; -1 for anything else, null too. */
double xa__coco_number(const xa__json_event *e);
/* A whole number of pixels from 1 to 1e9; 0 for any other number. */
int64_t xa__coco_extent(double v);
/* Clears the fields of the present entry. */
void xa__coco_begin_entry(xa__coco *im);
/* Keeps the entry that ends, or counts why it is dropped. */
xa_status xa__coco_end_entry(xa__coco *im, xa_err *err);

/* coco_shape.c: one event inside of "segmentation", which is [[x, y, ..], ..] or
 * {"size": [h, w], "counts": [..] or ".."}. */
xa_status xa__coco_take_segmentation(xa__coco *im, const xa__json_event *e, xa_err *err);
/* Writes the entry's segmentation to the spill file; one that cannot be used is counted. */
xa_status xa__coco_spill_shape(xa__coco *im, xa__coco_annotation *a, xa_err *err);

/* coco_draw.c: categories, by ascending id, become classes. */
xa_status xa__coco_name_classes(xa__coco *im, xa_err *err);
/* Adds all annotations to the draft: labels with boxes, or with masks that are drawn and written.
 */
xa_status xa__coco_add_annotations(xa__coco *im, xa_err *err);

#endif
