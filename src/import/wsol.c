/* The metadata of "Evaluating Weakly Supervised Object Localization Methods Right" (Choe et al.
 * 2020): image_ids.txt (path), class_labels.txt (path,class), image_sizes.txt (path,w,h) and
 * localization.txt (path,x0,y0,x1,y1 or path,mask,ignore), all without header. Boxes are taken as
 * half-open (they were made as x + w) unless --box-convention says otherwise. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "import_internal.h"

enum { WORDS = 8 };

typedef struct import {
    xa__draft *d;
    const char *images;
    const char *masks;
} import;

static int split_commas(char *line, char *word[WORDS])
{
    int n = 0;
    for (char *p = line; p && n < WORDS; n++) {
        word[n] = p;
        p = strchr(p, ',');
        if (p)
            *p++ = '\0';
    }
    return n;
}

static xa_status take_image(void *arg, char *line, int64_t number, xa_err *err)
{
    import *im = arg;
    int64_t image = -1;
    (void)number;
    XA_RETURN_TRY(err, xa__draft_image_add(im->d, im->images, line, NULL, &image, err));
    if (image >= 0)
        im->d->images[image].split = im->d->opt->split;
    return XA_OK;
}

/* The image of a line; -1 if it has none, which is counted. */
static int64_t image_of(import *im, const char *path)
{
    const int64_t image = xa__draft_find(im->d, path);
    if (image < 0)
        xa__drop(im->d, XA_IMPORT_NOTED, "a line for an image that is not listed", "%s", path);
    return image;
}

static xa_status take_label(void *arg, char *line, int64_t number, xa_err *err)
{
    import *im = arg;
    char *word[WORDS];
    int32_t index = -1;
    if (split_commas(line, word) != 2)
        XA_RETURN_FAIL(err, XA_FORMAT, "line %" PRId64 ": expected \"PATH,CLASS\"", number);
    const int64_t image = image_of(im, word[0]);
    if (image < 0)
        return XA_OK;
    XA_RETURN_TRY(err, xa__draft_class(im->d, word[1], XA_IMPORT_NOTED, &index, err));
    return index < 0 ? XA_OK : xa__draft_label_add(im->d, image, index, err);
}

static xa_status take_size(void *arg, char *line, int64_t number, xa_err *err)
{
    import *im = arg;
    char *word[WORDS];
    int64_t w = 0;
    int64_t h = 0;
    if (split_commas(line, word) != 3 || !xa_parse_i64(word[1], &w) || !xa_parse_i64(word[2], &h) ||
        w < 1 || h < 1)
        XA_RETURN_FAIL(err, XA_FORMAT, "line %" PRId64 ": expected \"PATH,WIDTH,HEIGHT\"", number);
    const int64_t image = image_of(im, word[0]);
    if (image < 0)
        return XA_OK;
    xa__draft_declare(im->d, image, w, h);
    return XA_OK;
}

static xa_status add_mask(import *im, int64_t image, char *word[WORDS], int n, xa_err *err)
{
    xa_status st = XA_OK;
    const char *mask = NULL;
    const char *ignore = NULL;
    int32_t value = XA_MASK_ANY, ignored = XA_MASK_ANY;
    char *file = NULL;
    char *other = NULL;
    if (!im->masks)
        XA_FAIL(err, XA_INVALID, "wsol: --masks says where the masks lie");
    if (xa__path_leaves(word[1]) || (n == 3 && xa__path_leaves(word[2]))) {
        xa__drop(im->d, XA_IMPORT_ANNOTATION, "the path leaves the mask folder", "%s", word[1]);
        goto done;
    }
    file = xa__join(im->masks, word[1]);
    if (!file)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    XA_TRY(err, xa__draft_mask_fit(im->d, image, file, "mask", &value, &mask, err));
    if (n == 3 && word[2][0] != '\0') {
        other = xa__join(im->masks, word[2]);
        if (!other)
            XA_FAIL(err, XA_NOMEM, "out of memory for a path");
        XA_TRY(err, xa__draft_mask_fit(im->d, image, other, "ignore", &ignored, &ignore, err));
    }
    if (mask)
        XA_TRY(err, xa__draft_mask(im->d, image, -1, 0, mask, value, ignore, err));
done:
    free(file);
    free(other);
    return st;
}

static xa_status take_place(void *arg, char *line, int64_t number, xa_err *err)
{
    import *im = arg;
    char *word[WORDS];
    double b[4];
    const int n = split_commas(line, word);
    const bool box = n == 5 && xa__four((const char *const *)word + 1, b);
    if (!box && n != 2 && n != 3)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "line %" PRId64 ": expected \"PATH,X0,Y0,X1,Y1\" or \"PATH,MASK,IGNORE\"",
                       number);
    const int64_t image = image_of(im, word[0]);
    if (image < 0)
        return XA_OK;
    if (!box)
        return add_mask(im, image, word, n, err);
    const xa_box_convention from = im->d->opt->box;
    return xa__draft_box(
        im->d, image, -1, 0, b, from != XA_BOX_UNSAID ? from : XA_BOX_HALF_OPEN, err);
}

static xa_status
read_part(import *im, const char *name, bool optional, xa__line_fn *fn, xa_err *err)
{
    char *path = xa__join(im->d->opt->source, name);
    if (!path)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a path");
    xa_status st = XA_OK;
    if (optional && !xa__is_file(path))
        xa__drop(im->d, XA_IMPORT_NOTED, "a list that is not there", "%s", name);
    else
        st = xa__lines_read(path, fn, im, err);
    free(path);
    return st == XA_OK ? XA_OK : XA_ERR_PASS(err, st);
}

xa_status xa__import_wsol(xa__draft *d, xa_err *err)
{
import im = {.d = d, .images = d->opt->images, .masks = d->opt->masks };
    if (!im.images)
        XA_RETURN_FAIL(err, XA_INVALID, "wsol: --images says where the images lie");
    d->indices = !d->classes_fixed;
    if (d->classes_fixed)
        XA_RETURN_FAIL(err, XA_INVALID, "wsol: classes are numbers there; leave --classes out");
    XA_RETURN_TRY(err, read_part(&im, "image_ids.txt", false, take_image, err));
    XA_RETURN_TRY(err, read_part(&im, "class_labels.txt", false, take_label, err));
    XA_RETURN_TRY(err, read_part(&im, "image_sizes.txt", true, take_size, err));
    XA_RETURN_TRY(err, read_part(&im, "localization.txt", true, take_place, err));
    return XA_OK;
}
