/* Open Images V5 and later: the boxes CSV (fractions of width and height) or, with --masks, the
 * masks CSV, whose PNG files have sizes of their own: those are resized to their image's, nearest
 * by pixel centres. --labels is the class descriptions CSV (MID,name, without header). */
#include <stdlib.h>
#include <string.h>

#include "import_internal.h"

typedef struct import {
    xa__draft *d;
    xa__finder finder;
    char **mids, **names; /* in the arena */
    size_t nmids, mids_cap, names_cap;
    xa_text_map map;
} import;

static const char *mid_key(const void *arg, int64_t value)
{
    return ((const import *)arg)->mids[value];
}

static xa_status take_name(void *arg, const xa_csv_row *row, xa_err *err)
{
    import *im = arg;
    const char *mid = NULL;
    const char *name = NULL;
    int32_t index;
    if (row->ncells != 2) {
        xa_problems_add(im->d->problems,
                        im->d->opt->labels,
                        row->line,
                        false,
                        "expected MID,name, found %d cells",
                        row->ncells);
        return XA_OK;
    }
    if (xa_text_map_find(&im->map, row->cells[0], mid_key, im) >= 0)
        return XA_OK;
    if (im->nmids == 0 && strcmp(row->cells[0], "LabelName") == 0)
        return XA_OK; /* later releases have a header */
    XA_RETURN_TRY(err, xa__draft_text(im->d, row->cells[0], &mid, err));
    XA_RETURN_TRY(err, xa__draft_text(im->d, row->cells[1], &name, err));
    XA_RETURN_TRY(err, xa_grow(&im->mids, &im->mids_cap, im->nmids + 1, sizeof *im->mids, err));
    XA_RETURN_TRY(err, xa_grow(&im->names, &im->names_cap, im->nmids + 1, sizeof *im->names, err));
    im->mids[im->nmids] = (char *)mid;
    im->names[im->nmids] = (char *)name;
    XA_RETURN_TRY(err, xa_text_map_add(&im->map, mid, (int64_t)im->nmids++, err));
    return im->d->classes_fixed ? XA_OK
                                : xa__draft_class(im->d, name, XA_IMPORT_NOTED, &index, err);
}

/* The image and the class of a row; -1 if they were dropped. */
static xa_status
find(import *im, const char *id, const char *mid, int64_t *image, int32_t *class_index, xa_err *err)
{
    xa__draft *d = im->d;
    *class_index = -1;
    *image = xa__draft_find(d, id);
    if (*image < 0) {
        const char *path = xa__finder_find(&im->finder, id);
        if (!path) {
            xa__drop(d, XA_IMPORT_ANNOTATION, "its image file is missing", "%s", id);
            return XA_OK;
        }
        XA_RETURN_TRY(err, xa__draft_image_add(d, d->opt->images, path, id, image, err));
        if (*image < 0)
            return XA_OK;
        d->images[*image].split = d->opt->split;
    }
    const int64_t known = xa_text_map_find(&im->map, mid, mid_key, im);
    if (known < 0 && d->opt->labels) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "the label is not in --labels", "%s", mid);
        return XA_OK;
    }
    XA_RETURN_TRY(
        err,
        xa__draft_class(
            d, known >= 0 ? im->names[known] : mid, XA_IMPORT_ANNOTATION, class_index, err));
    return *class_index < 0 ? XA_OK : xa__draft_label_add(d, *image, *class_index, err);
}

static xa_status take_box(void *arg, const char *const *cells, int64_t line, xa_err *err)
{
    import *im = arg;
    double b[4];
    int64_t image;
    int32_t index;
    uint8_t flags = 0;
    if (!xa__four(cells + 2, b)) {
        xa_problems_add(im->d->problems,
                        im->d->opt->source,
                        line,
                        false,
                        "expected numbers in XMin, XMax, YMin and YMax");
        return XA_OK;
    }
    XA_RETURN_TRY(err, find(im, cells[0], cells[1], &image, &index, err));
    if (index < 0)
        return XA_OK;
    flags |= strcmp(cells[6], "1") == 0 ? XA_ANNOTATION_OCCLUDED : 0;
    flags |= strcmp(cells[7], "1") == 0 ? XA_ANNOTATION_TRUNCATED : 0;
    flags |= strcmp(cells[8], "1") == 0 ? XA_ANNOTATION_CROWD : 0;
    const double corners[4] = {b[0], b[2], b[1], b[3]};
    xa__draft_size(im->d, image);
    return xa__draft_box(im->d, image, index, flags, corners, XA_BOX_NORMALISED, err);
}

static xa_status take_mask(void *arg, const char *const *cells, int64_t line, xa_err *err)
{
    import *im = arg;
    xa_status st = XA_OK;
    int64_t image;
    int32_t index, value = XA_MASK_ANY;
    const char *mask = NULL;
    char *file = NULL;
    (void)line;
    if (xa__path_leaves(cells[0])) {
        xa__drop(im->d, XA_IMPORT_ANNOTATION, "the path leaves the mask folder", "%s", cells[0]);
        goto done;
    }
    XA_TRY(err, find(im, cells[1], cells[2], &image, &index, err));
    if (index < 0)
        goto done;
    file = xa__join(im->d->opt->masks, cells[0]);
    if (!file)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    XA_TRY(err, xa__draft_mask_fit(im->d, image, file, im->d->classes[index], &value, &mask, err));
    if (mask)
        XA_TRY(err, xa__draft_mask(im->d, image, index, 0, mask, value, NULL, err));
done:
    free(file);
    return st;
}

xa_status xa__import_openimages(xa__draft *d, xa_err *err)
{
    static const xa__wanted boxes[] = {{"ImageID", false},
                                       {"LabelName", false},
                                       {"XMin", false},
                                       {"XMax", false},
                                       {"YMin", false},
                                       {"YMax", false},
                                       {"IsOccluded", true},
                                       {"IsTruncated", true},
                                       {"IsGroupOf", true}};
    static const xa__wanted masks[] = {
        {"MaskPath", false}, {"ImageID", false}, {"LabelName", false}};
    xa_status st = XA_OK;
    char hex[XA_SHA256_HEX];
import im = {.d = d };
    const size_t before = d->problems->errors;
    xa_text_map_init(&im.map);
    if (!d->opt->images)
        XA_FAIL(err, XA_INVALID, "openimages: --images says where the images lie");
    XA_TRY(err, xa__finder_init(&im.finder, d->opt->images, err));
    d->classes_sorted = !d->opt->labels;
    if (d->opt->labels)
        XA_TRY(err, xa_csv_read(d->opt->labels, take_name, &im, d->problems, hex, err));
    if (d->opt->masks)
        XA_TRY(err, xa__table_read(d, d->opt->source, masks, 3, take_mask, &im, err));
    else
        XA_TRY(err, xa__table_read(d, d->opt->source, boxes, 9, take_box, &im, err));
    if (d->problems->errors > before)
        XA_FAIL(err, XA_INVALID, "%s: the table has mistakes", d->opt->labels);
done:
    xa__finder_fini(&im.finder);
    xa_text_map_fini(&im.map);
    free(im.mids);
    free(im.names);
    return st;
}
