/* CUB-200-2011: text tables keyed by image id, boxes x, y, w, h. Masks, if requested, are
 * segmentations/CLASS/NAME.png, whose grey value is the share of people who marked the pixel;
 * values above 127 count, as in most publications that use them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "import_internal.h"

enum { ID_MAX = 10 * 1000 * 1000, WORDS = 5, MAJORITY = 127 };

typedef struct import {
    xa__draft *d;
    char *images, *masks; /* folders */
    uint8_t *part;        /* by id: 0 unknown, 1 test, 2 train */
    size_t part_cap;
    int64_t expected; /* the id that the next class must have */
} import;

static int split_words(char *line, char *word[WORDS])
{
    int n = 0;
    for (char *p = line; *p != '\0' && n < WORDS; n++) {
        word[n] = p;
        p += strcspn(p, " \t");
        if (*p != '\0')
            *p++ = '\0';
        p += strspn(p, " \t");
    }
    return n;
}

static xa_status take_class(void *arg, char *line, int64_t number, xa_err *err)
{
    import *im = arg;
    char *word[WORDS];
    int64_t id = 0;
    int32_t index = -1;
    if (split_words(line, word) != 2 || !xa_parse_i64(word[0], &id) || id != ++im->expected)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "line %" PRId64 ": expected \"%" PRId64 " NAME\"",
                       number,
                       im->expected);
    return xa__draft_class(im->d, word[1], XA_IMPORT_NOTED, &index, err);
}

static xa_status take_part(void *arg, char *line, int64_t number, xa_err *err)
{
    import *im = arg;
    char *word[WORDS];
    int64_t id = 0;
    int64_t train = 0;
    if (split_words(line, word) != 2 || !xa_parse_i64(word[0], &id) ||
        !xa_parse_i64(word[1], &train) || id < 0 || id > ID_MAX || train < 0 || train > 1)
        XA_RETURN_FAIL(err, XA_FORMAT, "line %" PRId64 ": expected \"ID 0\" or \"ID 1\"", number);
    const size_t before = im->part_cap;
    XA_RETURN_TRY(err, xa_grow(&im->part, &im->part_cap, (size_t)id + 1, 1, err));
    memset(im->part + before, 0, im->part_cap - before);
    im->part[id] = train ? 2 : 1;
    return XA_OK;
}

static xa_status take_image(void *arg, char *line, int64_t number, xa_err *err)
{
    import *im = arg;
    char *word[WORDS];
    int64_t id = 0;
    int64_t image = -1;
    static const char *const names[] = {NULL, "test", "train"};
    if (split_words(line, word) != 2 || !xa_parse_i64(word[0], &id))
        XA_RETURN_FAIL(err, XA_FORMAT, "line %" PRId64 ": expected \"ID PATH\"", number);
    const char *part = id >= 0 && (size_t)id < im->part_cap ? names[im->part[id]] : NULL;
    const char *wanted = im->d->opt->split;
    if (wanted && (!part || strcmp(part, wanted) != 0))
        return XA_OK;
    XA_RETURN_TRY(err, xa__draft_image_add(im->d, im->images, word[1], word[0], &image, err));
    if (image >= 0)
        im->d->images[image].split = part;
    return XA_OK;
}

static xa_status take_label(void *arg, char *line, int64_t number, xa_err *err)
{
    import *im = arg;
    char *word[WORDS];
    int64_t label = 0;
    if (split_words(line, word) != 2 || !xa_parse_i64(word[1], &label) || label < 1 ||
        label > im->expected)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "line %" PRId64 ": expected \"ID CLASS\" with a class from 1 to %" PRId64,
                       number,
                       im->expected);
    const int64_t image = xa__draft_find(im->d, word[0]);
    return image < 0 ? XA_OK : xa__draft_label_add(im->d, image, (int32_t)label - 1, err);
}

static xa_status take_box(void *arg, char *line, int64_t number, xa_err *err)
{
    import *im = arg;
    char *word[WORDS];
    double b[4];
    if (split_words(line, word) != 5 || !xa__four((const char *const *)word + 1, b))
        XA_RETURN_FAIL(
            err, XA_FORMAT, "line %" PRId64 ": expected \"ID X Y WIDTH HEIGHT\"", number);
    const int64_t image = xa__draft_find(im->d, word[0]);
    if (image < 0)
        return XA_OK;
    const double corners[4] = {b[0], b[1], b[0] + b[2], b[1] + b[3]};
    return xa__draft_box(im->d, image, -1, 0, corners, XA_BOX_HALF_OPEN, err);
}

static xa_status add_masks(import *im, xa_err *err)
{
    xa_status st = XA_OK;
    char *name = NULL;
    for (size_t i = 0; i < im->d->nimages; i++) {
        const char *path = im->d->images[i].path;
        const char *dot = strrchr(path, '.');
        free(name);
        name = xa_strfmt("%s/%.*s.png", im->masks, (int)(dot ? dot - path : 0), path);
        if (!name)
            XA_FAIL(err, XA_NOMEM, "out of memory for a path");
        XA_TRY(
            err,
            xa__draft_mask(im->d, (int64_t)i, -1, 0, name, XA_MASK_VALUES + MAJORITY, NULL, err));
    }
done:
    free(name);
    return st;
}

static xa_status read_part(import *im, const char *name, xa__line_fn *fn, xa_err *err)
{
    char *path = xa__join(im->d->opt->source, name);
    if (!path)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a path");
    const xa_status st = xa__lines_read(path, fn, im, err);
    free(path);
    return st == XA_OK ? XA_OK : XA_ERR_PASS(err, st);
}

xa_status xa__import_cub(xa__draft *d, xa_err *err)
{
    xa_status st = XA_OK;
import im = {.d = d };
    const xa_import_options *o = d->opt;
    if (o->split && strcmp(o->split, "train") != 0 && strcmp(o->split, "test") != 0)
        XA_FAIL(err, XA_INVALID, "cub: --split is train or test, found \"%s\"", o->split);
    if (o->classes)
        XA_FAIL(err, XA_INVALID, "cub: classes.txt sets the classes; leave --classes out");
    im.images = o->images ? xa_strdup(o->images) : xa__join(o->source, "images");
    im.masks = o->masks ? xa_strdup(o->masks) : xa__join(o->source, "segmentations");
    if (!im.images || !im.masks)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    XA_TRY(err, read_part(&im, "classes.txt", take_class, err));
    XA_TRY(err, read_part(&im, "train_test_split.txt", take_part, err));
    XA_TRY(err, read_part(&im, "images.txt", take_image, err));
    XA_TRY(err, read_part(&im, "image_class_labels.txt", take_label, err));
    if (o->as_masks)
        XA_TRY(err, add_masks(&im, err));
    else
        XA_TRY(err, read_part(&im, "bounding_boxes.txt", take_box, err));
done:
    free(im.images);
    free(im.masks);
    free(im.part);
    return st;
}
