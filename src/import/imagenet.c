/* ImageNet's localisation annotations: Kaggle's LOC_*_solution.csv (ImageId,PredictionString with
 * groups of "wnid xmin ymin xmax ymax"), or a folder of XML files, flat or one folder a class.
 * Corners are 1-based and inclusive; zeros occur and are clipped. */
#include <stdlib.h>
#include <string.h>

#include "import_internal.h"

typedef struct import {
    xa__draft *d;
    xa__finder finder;
    xa__voc voc;
    xa_box_convention from;
} import;

/* Training images lie in one folder per class, n01440764/n01440764_10026.JPEG, which is tried
 * first: to search a thousand folders for each of a million images would take hours. */
static xa_status find_image(import *im, const char *id, const char **path, xa_err *err)
{
    const size_t wnid = strcspn(id, "_");
    *path = NULL;
    if (id[0] == 'n' && id[wnid] == '_') {
        char *below = xa_strfmt("%.*s/%s", (int)wnid, id, id);
        if (!below)
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a path");
        im->finder.last = 0;
        *path = xa__finder_find(&im->finder, below);
        free(below);
    }
    if (!*path)
        *path = xa__finder_find(&im->finder, id);
    return XA_OK;
}

static xa_status add_image(import *im, const char *id, int64_t *image, xa_err *err)
{
    xa__draft *d = im->d;
    const char *path = NULL;
    *image = -1;
    XA_RETURN_TRY(err, find_image(im, id, &path, err));
    return xa__draft_found_add(d, path, id, image, err);
}

static xa_status
add_object(import *im, int64_t image, const char *wnid, const double box[4], xa_err *err)
{
    int32_t index = -1;
    XA_RETURN_TRY(err, xa__draft_class(im->d, wnid, XA_IMPORT_ANNOTATION, &index, err));
    if (index < 0)
        return XA_OK;
    XA_RETURN_TRY(err, xa__draft_label_add(im->d, image, index, err));
    return xa__draft_box(im->d, image, index, 0, box, im->from, err);
}

static xa_status take_row(void *arg, const char *const *cells, int64_t line, xa_err *err)
{
    import *im = arg;
    xa_status st = XA_OK;
    int64_t image = -1;
    char *save = NULL;
    char *text = xa_strdup(cells[1]);
    if (!text)
        XA_FAIL(err, XA_NOMEM, "out of memory for a line");
    XA_TRY(err, add_image(im, cells[0], &image, err));
    if (image < 0)
        goto done;
    for (char *wnid = strtok_r(text, " ", &save); wnid; wnid = strtok_r(NULL, " ", &save)) {
        const char *word[4];
        double box[4];
        for (int k = 0; k < 4; k++) {
            word[k] = strtok_r(NULL, " ", &save);
            word[k] = word[k] ? word[k] : "";
        }
        if (!xa__four(word, box)) {
            xa_problems_add(im->d->problems,
                            im->d->opt->source,
                            line,
                            false,
                            "PredictionString: expected groups of \"wnid xmin ymin xmax ymax\"");
            goto done;
        }
        XA_TRY(err, add_object(im, image, wnid, box, err));
    }
done:
    free(text);
    return st;
}

static xa_status take_xml(import *im, const char *folder, const char *name, xa_err *err)
{
    xa_status st = XA_OK;
    xa_err why = XA_ERR_INIT;
    int64_t image = -1;
    char *file = xa__join(folder, name);
    char *id = xa_strndup(name, strlen(name) - 4);
    if (!file || !id)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    if (xa__voc_read(file, &im->voc, &why) != XA_OK) {
        if (why.code == XA_NOMEM)
            XA_FAIL(err, XA_NOMEM, "%s", why.message);
        xa__drop(im->d, XA_IMPORT_IMAGE, "the annotation file cannot be read", "%s", why.message);
        goto done;
    }
    XA_TRY(err, add_image(im, id, &image, err));
    if (image < 0)
        goto done;
    if (im->voc.bad_size)
        xa__drop(
            im->d, XA_IMPORT_NOTED, "a size that is not two numbers (taken as not said)", "%s", id);
    xa__draft_declare(im->d, image, im->voc.width, im->voc.height);
    for (size_t i = 0; i < im->voc.count; i++)
        if (im->voc.objects[i].bad)
            xa__drop(
                im->d, XA_IMPORT_ANNOTATION, im->voc.objects[i].bad, "%s: object %zu", id, i + 1);
        else if (im->voc.objects[i].has_box)
            XA_TRY(err,
                   add_object(im, image, im->voc.objects[i].name, im->voc.objects[i].box, err));
        else
            xa__drop(im->d, XA_IMPORT_ANNOTATION, "an object without a box", "%s", id);
done:
    free(file);
    free(id);
    return st;
}

static xa_status take_folder(import *im, const char *folder, int levels, xa_err *err)
{
    xa_status st = XA_OK;
    xa_names names = {0};
    char *below = NULL;
    XA_TRY(err, xa__folder_list(folder, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        free(below);
        below = xa__join(folder, names.item[i]);
        if (!below)
            XA_FAIL(err, XA_NOMEM, "out of memory for a path");
        if (xa_str_ends(names.item[i], ".xml"))
            XA_TRY(err, take_xml(im, folder, names.item[i], err));
        else if (levels > 0 && xa__is_folder(below))
            XA_TRY(err, take_folder(im, below, levels - 1, err));
        else
            xa__drop(im->d, XA_IMPORT_NOTED, "not an annotation file", "%s", below);
    }
done:
    xa_names_free(&names);
    free(below);
    return st;
}

xa_status xa__import_imagenet(xa__draft *d, xa_err *err)
{
    static const xa__wanted wanted[] = {{"ImageId", false}, {"PredictionString", false}};
    xa_status st = XA_OK;
import im = {.d = d, .from = d->opt->box != XA_BOX_UNSAID ? d->opt->box:XA_BOX_ONE_BASED };
    if (!d->opt->images)
        XA_FAIL(err, XA_INVALID, "imagenet: --images says where the images lie");
    if (!d->classes_fixed)
        XA_FAIL(err,
                XA_INVALID,
                "imagenet: --classes FILE with one wnid per line, in the order of the model's "
                "outputs (LOC_synset_mapping.txt for Keras and torchvision)");
    if (im.from == XA_BOX_NORMALISED)
        XA_FAIL(err, XA_INVALID, "imagenet: boxes are in pixels there");
    XA_TRY(err, xa__finder_init(&im.finder, d->opt->images, err));
    if (xa__is_folder(d->opt->source))
        XA_TRY(err, take_folder(&im, d->opt->source, 1, err));
    else
        XA_TRY(err, xa__table_read(d, d->opt->source, wanted, 2, take_row, &im, err));
done:
    xa__finder_fini(&im.finder);
    xa__voc_fini(&im.voc);
    return st;
}
