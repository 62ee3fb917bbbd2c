/* HAM10000's metadata (image_id, dx, lesion_id, ...) or an ISIC ground truth with one column of 0
 * and 1 for each class (image, MEL, NV, ...). lesion_id is the group: images of one lesion are not
 * independent; --labels is a second table that has it. Masks are ID_segmentation.png. */
#include <stdlib.h>
#include <string.h>

#include "import_internal.h"

enum { EXTRA = 3 };
static const char *const extra_columns[EXTRA] = {"age", "sex", "localization"};

typedef struct import {
    xa__draft *d;
    xa__finder finder;
    bool have_header;
    int32_t id, dx, lesion, extra[EXTRA]; /* places of columns, or -1 */
    int32_t *classes;                     /* one-hot tables: the class of each column, or -1 */
    size_t classes_cap;
    int32_t ncells;
} import;

static int32_t find_column(const xa_csv_row *row, const char *name)
{
    for (int32_t i = 0; i < row->ncells; i++)
        if (strcmp(row->cells[i], name) == 0)
            return i;
    return -1;
}

static xa_status take_header(import *im, const xa_csv_row *row, xa_err *err)
{
    im->have_header = true;
    im->id = find_column(row, "image_id");
    if (im->id < 0)
        im->id = find_column(row, "image");
    im->dx = find_column(row, "dx");
    im->lesion = find_column(row, "lesion_id");
    for (int k = 0; k < EXTRA; k++)
        im->extra[k] = find_column(row, extra_columns[k]);
    if (im->id < 0) {
        xa_problems_add(im->d->problems,
                        im->d->opt->source,
                        row->line,
                        false,
                        "expected a column \"image_id\" (HAM10000 metadata) or \"image\" (ISIC "
                        "ground truth)");
        return XA_INVALID;
    }
    im->ncells = row->ncells;
    im->d->classes_sorted = im->dx >= 0;
    XA_RETURN_TRY(
        err,
        xa_grow(&im->classes, &im->classes_cap, (size_t)row->ncells, sizeof *im->classes, err));
    for (int32_t i = 0; i < row->ncells; i++) {
        im->classes[i] = -1;
        if (im->dx < 0 && i != im->id && i != im->lesion)
            XA_RETURN_TRY(
                err, xa__draft_class(im->d, row->cells[i], XA_IMPORT_NOTED, &im->classes[i], err));
    }
    return XA_OK;
}

static const char *cell(const xa_csv_row *row, int32_t at)
{
    return at >= 0 && at < row->ncells ? row->cells[at] : "";
}

static xa_status add_labels(import *im, int64_t image, const xa_csv_row *row, xa_err *err)
{
    int32_t index = -1;
    int ones = 0;
    if (im->dx >= 0) {
        if (cell(row, im->dx)[0] == '\0') {
            xa__drop(im->d, XA_IMPORT_NOTED, "no diagnosis", "%s", cell(row, im->id));
            return XA_OK;
        }
        XA_RETURN_TRY(err, xa__draft_class(im->d, cell(row, im->dx), XA_IMPORT_NOTED, &index, err));
        return index < 0 ? XA_OK : xa__draft_label_add(im->d, image, index, err);
    }
    for (int32_t i = 0; i < im->ncells; i++) {
        double v = 0.0;
        if (im->classes[i] < 0)
            continue;
        if (!xa_parse_f64(cell(row, i), &v) || (v != 0.0 && v != 1.0)) {
            xa_problems_add(im->d->problems,
                            im->d->opt->source,
                            row->line,
                            false,
                            "expected 0 or 1 in the columns of the classes");
            return XA_OK;
        }
        if (v == 1.0) {
            XA_RETURN_TRY(err, xa__draft_label_add(im->d, image, im->classes[i], err));
            ones++;
        }
    }
    if (ones == 0)
        xa__drop(im->d, XA_IMPORT_NOTED, "no diagnosis", "%s", cell(row, im->id));
    return XA_OK;
}

static xa_status add_mask(import *im, int64_t image, const char *id, xa_err *err)
{
    xa_status st = XA_OK;
    const char *fitted = NULL;
    char *file = xa_strfmt("%s/%s_segmentation.png", im->d->opt->masks, id);
    if (!file)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a path");
    int32_t value = xa__draft_mask_soft(im->d, file);
    st = xa__draft_mask_fit(im->d, image, file, "lesion", &value, &fitted, err);
    if (st == XA_OK && fitted)
        st = xa__draft_mask(im->d, image, -1, 0, fitted, value, NULL, err);
    free(file);
    return st == XA_OK ? XA_OK : XA_ERR_PASS(err, st);
}

static xa_status take_row(void *arg, const xa_csv_row *row, xa_err *err)
{
    import *im = arg;
    xa__draft *d = im->d;
    int64_t image = -1;
    if (!im->have_header)
        return take_header(im, row, err);
    const char *id = cell(row, im->id);
    const char *path = xa__finder_find(&im->finder, id);
    if (!path) {
        xa__drop(d, XA_IMPORT_IMAGE, "no such file", "%s in %s", id, d->opt->images);
        return XA_OK;
    }
    XA_RETURN_TRY(err, xa__draft_image_add(d, d->opt->images, path, id, &image, err));
    if (image < 0)
        return XA_OK;
    d->images[image].split = d->opt->split;
    if (cell(row, im->lesion)[0] != '\0')
        XA_RETURN_TRY(err, xa__draft_text(d, cell(row, im->lesion), &d->images[image].group, err));
    for (int k = 0; k < EXTRA; k++)
        if (im->extra[k] >= 0)
            XA_RETURN_TRY(
                err, xa__draft_text(d, cell(row, im->extra[k]), &d->images[image].extra[k], err));
    XA_RETURN_TRY(err, add_labels(im, image, row, err));
    return d->opt->masks ? add_mask(im, image, id, err) : XA_OK;
}

/* A row of the second table: image, lesion_id. */
static xa_status take_group(void *arg, const char *const *cells, int64_t line, xa_err *err)
{
    import *im = arg;
    (void)line;
    const int64_t image = xa__draft_find(im->d, cells[0][0] != '\0' ? cells[0] : cells[1]);
    if (image < 0 || cells[2][0] == '\0')
        return XA_OK;
    return xa__draft_text(im->d, cells[2], &im->d->images[image].group, err);
}

xa_status xa__import_isic(xa__draft *d, xa_err *err)
{
    static const xa__wanted groups[] = {{"image_id", true}, {"image", true}, {"lesion_id", false}};
    xa_status st = XA_OK;
    char hex[XA_SHA256_HEX];
import im = {.d = d };
    const size_t before = d->problems->errors;
    if (!d->opt->images)
        XA_FAIL(err, XA_INVALID, "isic: --images says where the images lie");
    d->extra_columns = extra_columns;
    d->nextra = EXTRA;
    XA_TRY(err, xa__finder_init(&im.finder, d->opt->images, err));
    st = xa_csv_read(d->opt->source, take_row, &im, d->problems, hex, err);
    if (d->problems->errors > before)
        XA_FAIL(err, XA_INVALID, "%s: the table has mistakes", d->opt->source);
    XA_TRY(err, st);
    if (d->opt->labels)
        XA_TRY(err, xa__table_read(d, d->opt->labels, groups, 3, take_group, &im, err));
    for (size_t i = 0; i < d->nimages; i++)
        if (!d->images[i].group)
            xa__drop(d, XA_IMPORT_NOTED, "no lesion_id, so no group", "%s", d->images[i].id);
done:
    xa__finder_fini(&im.finder);
    free(im.classes);
    return st;
}
