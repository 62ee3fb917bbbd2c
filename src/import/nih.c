/* NIH ChestX-ray14: BBox_List_2017.csv (x, y, w, h) and, as --labels, Data_Entry_2017.csv with all
 * findings of all images ("A|B", "No Finding") and the patient, who is the group. */
#include <stdlib.h>
#include <string.h>

#include "import_internal.h"

typedef struct import {
    xa__draft *d;
    xa__finder finder;
} import;

static xa_status add_image(import *im, const char *name, int64_t *image, xa_err *err)
{
    xa__draft *d = im->d;
    *image = xa__draft_find(d, name);
    if (*image >= 0)
        return XA_OK;
    return xa__draft_found_add(d, xa__finder_find(&im->finder, name), name, image, err);
}

/* The table of boxes spells one finding in another way than the table of labels. */
static const char *finding(import *im, const char *name)
{
    if (strcmp(name, "Infiltrate") != 0)
        return name;
    xa__drop(im->d, XA_IMPORT_NOTED, "Infiltrate is written Infiltration, as in the labels", "box");
    return "Infiltration";
}

static xa_status take_label(void *arg, const char *const *cells, int64_t line, xa_err *err)
{
    import *im = arg;
    xa_status st = XA_OK;
    int64_t image = -1;
    int32_t index = -1;
    char *save = NULL;
    char *text = xa_strdup(cells[1]);
    (void)line;
    if (!text)
        XA_FAIL(err, XA_NOMEM, "out of memory for a line");
    XA_TRY(err, add_image(im, cells[0], &image, err));
    if (image < 0)
        goto done;
    if (cells[2][0] != '\0')
        XA_TRY(err, xa__draft_text(im->d, cells[2], &im->d->images[image].group, err));
    for (char *p = strtok_r(text, "|", &save); p; p = strtok_r(NULL, "|", &save)) {
        if (strcmp(p, "No Finding") == 0)
            continue;
        XA_TRY(err, xa__draft_class(im->d, p, XA_IMPORT_NOTED, &index, err));
        if (index >= 0)
            XA_TRY(err, xa__draft_label_add(im->d, image, index, err));
    }
done:
    free(text);
    return st;
}

static xa_status take_box(void *arg, const char *const *cells, int64_t line, xa_err *err)
{
    import *im = arg;
    double b[4];
    int64_t image = -1;
    int32_t index = -1;
    if (!xa__four(cells + 2, b)) {
        xa_problems_add(
            im->d->problems, im->d->opt->source, line, false, "expected numbers in x, y, w and h");
        return XA_OK;
    }
    XA_RETURN_TRY(err, add_image(im, cells[0], &image, err));
    if (image < 0)
        return XA_OK;
    XA_RETURN_TRY(err,
                  xa__draft_class(im->d, finding(im, cells[1]), XA_IMPORT_ANNOTATION, &index, err));
    if (index < 0)
        return XA_OK;
    XA_RETURN_TRY(err, xa__draft_label_add(im->d, image, index, err));
    xa__draft_size(im->d, image);
    const double corners[4] = {b[0], b[1], b[0] + b[2], b[1] + b[3]};
    return xa__draft_box(im->d, image, index, 0, corners, XA_BOX_HALF_OPEN, err);
}

xa_status xa__import_nih(xa__draft *d, xa_err *err)
{
    static const xa__wanted labels[] = {
        {"Image Index", false}, {"Finding Labels", false}, {"Patient ID", true}};
    static const xa__wanted boxes[] = {{"Image Index", false},
                                       {"Finding Label", false},
                                       {"Bbox [x", false},
                                       {"y", false},
                                       {"w", false},
                                       {"h]", false}};
    xa_status st = XA_OK;
import im = {.d = d };
    if (!d->opt->images)
        XA_FAIL(err, XA_INVALID, "nih: --images says where the images lie");
    d->classes_sorted = true;
    XA_TRY(err, xa__finder_init(&im.finder, d->opt->images, err));
    if (d->opt->labels)
        XA_TRY(err, xa__table_read(d, d->opt->labels, labels, 3, take_label, &im, err));
    XA_TRY(err, xa__table_read(d, d->opt->source, boxes, 6, take_box, &im, err));
done:
    xa__finder_fini(&im.finder);
    return st;
}
