/* CheXlocalize: {ID: {pathology: {"size": [h, w], "counts": run lengths}}}. An ID such as
 * patient1_study2_view1_frontal is the file of that name or patient1/study2/view1_frontal; the
 * patient is the group. Empty masks mean that the pathology is not there. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "import_internal.h"

enum { RUNS_MAX = 1 << 24 };
typedef enum field { NO_FIELD, SIZE, COUNTS } field;

typedef struct import {
    xa__draft *d;
    xa__finder finder;
    int64_t image; /* of the present id; -1: it was dropped */
    xa_str id, pathology;
    field field;
    double size[2];
    int nsize;
    int64_t *runs;
    size_t nruns, runs_cap;
    bool damaged;
    uint8_t *mask;
    size_t mask_cap;
} import;

static xa_status begin_image(import *im, xa_err *err)
{
    xa__draft *d = im->d;
    char *file = xa_strdup(im->id.data);
    if (!file)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a path");
    im->image = -1;
    const char *path = xa__finder_find(&im->finder, file);
    const size_t patient = strcspn(file, "_");
    if (!path) {
        for (int k = 0; k < 2; k++)
            file[strcspn(file, "_")] = file[strcspn(file, "_")] == '\0' ? '\0' : '/';
        path = xa__finder_find(&im->finder, file);
    }
    xa_status st = XA_OK;
    if (!path)
        xa__drop(d, XA_IMPORT_IMAGE, "no such file", "%s in %s", im->id.data, d->opt->images);
    else
        st = xa__draft_image_add(d, d->opt->images, path, im->id.data, &im->image, err);
    if (st == XA_OK && im->image >= 0) {
        d->images[im->image].split = d->opt->split;
        if (strncmp(file, "patient", 7) == 0) {
            file[patient] = '\0';
            st = xa__draft_text(d, file, &d->images[im->image].group, err);
        }
    }
    free(file);
    return st == XA_OK ? XA_OK : XA_ERR_PASS(err, st);
}

static xa_status end_mask(import *im, xa_err *err)
{
    xa__draft *d = im->d;
    int32_t index = -1;
    if (im->image < 0) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "its image was dropped", "%s", im->id.data);
        return XA_OK;
    }
    const char *id = im->id.data;
    if (im->damaged || im->nsize != 2 || im->size[0] < 1.0 || im->size[1] < 1.0) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "the run lengths are damaged", "%s", id);
        return XA_OK;
    }
    if (!xa__draft_size(d, im->image)) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "its image's size is unknown", "%s", id);
        return XA_OK;
    }
    const int64_t w = d->images[im->image].width;
    const int64_t h = d->images[im->image].height;
    if (im->size[0] != (double)h || im->size[1] != (double)w || w > XA__RASTER_PIXELS_MAX / h) {
        xa__drop(d,
                 XA_IMPORT_ANNOTATION,
                 "run lengths of another size than their image",
                 "%s: %gx%g for %" PRId64 "x%" PRId64,
                 id,
                 im->size[1],
                 im->size[0],
                 w,
                 h);
        return XA_OK;
    }
    XA_RETURN_TRY(err, xa_grow(&im->mask, &im->mask_cap, (size_t)(w * h), 1, err));
    memset(im->mask, 0, (size_t)(w * h));
    if (!xa__raster_runs(im->runs, im->nruns, w, h, im->mask)) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "run lengths that do not add up to the image", "%s", id);
        return XA_OK;
    }
    if (!memchr(im->mask, 255, (size_t)(w * h)))
        return XA_OK;
    XA_RETURN_TRY(err, xa__draft_class(d, im->pathology.data, XA_IMPORT_ANNOTATION, &index, err));
    if (index < 0)
        return XA_OK;
    XA_RETURN_TRY(err, xa__draft_label_add(d, im->image, index, err));
    return xa__draft_mask_write(d, im->image, index, 0, im->mask, err);
}

static xa_status copy_key(xa_str *s, const xa__json_event *e, xa_err *err)
{
    s->len = 0;
    xa_str_add(s, e->text, strlen(e->text));
    if (s->failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a text");
    return XA_OK;
}

static xa_status take_counts(import *im, const xa__json_event *e, xa_err *err)
{
    const size_t need = e->kind == XA__JSON_TEXT ? e->len : im->nruns + 1;
    if (need > RUNS_MAX)
        im->damaged = true;
    if (im->damaged)
        return XA_OK;
    XA_RETURN_TRY(err, xa_grow(&im->runs, &im->runs_cap, need + 1, sizeof *im->runs, err));
    if (e->kind == XA__JSON_TEXT)
        im->damaged = !xa__runs_decode(e->text, e->len, im->runs, &im->nruns);
    else if (e->kind == XA__JSON_NUMBER && e->number >= 0.0 && e->number <= 4e9)
        im->runs[im->nruns++] = (int64_t)e->number;
    else
        im->damaged = true;
    return XA_OK;
}

static xa_status take_event(void *arg, const xa__json_event *e, xa_err *err)
{
    import *im = arg;
    const bool key = e->kind == XA__JSON_KEY;
    const bool map = e->kind == XA__JSON_MAP || e->kind == XA__JSON_MAP_END;
    if (e->depth < 3 && !key && !map)
        XA_RETURN_FAIL(
            err, XA_FORMAT, "expected {id: {pathology: {\"size\": [h, w], \"counts\": ...}}}");
    if (e->depth == 1 && key) {
        XA_RETURN_TRY(err, copy_key(&im->id, e, err));
        return begin_image(im, err);
    }
    if (e->depth == 2 && key) {
        im->nsize = 0;
        im->nruns = 0;
        im->damaged = false;
        im->field = NO_FIELD;
        return copy_key(&im->pathology, e, err);
    }
    if (e->depth == 2 && e->kind == XA__JSON_MAP_END)
        return end_mask(im, err);
    if (e->depth == 3 && key)
        im->field = strcmp(e->text, "size") == 0     ? SIZE
                    : strcmp(e->text, "counts") == 0 ? COUNTS
                                                     : NO_FIELD;
    else if (e->depth == 4 && im->field == SIZE && e->kind == XA__JSON_NUMBER) {
        if (im->nsize < 2)
            im->size[im->nsize] = e->number;
        im->nsize++;
    } else if (im->field == COUNTS &&
               (e->depth == 4 || (e->depth == 3 && e->kind == XA__JSON_TEXT)))
        return take_counts(im, e, err);
    return XA_OK;
}

xa_status xa__import_chexlocalize(xa__draft *d, xa_err *err)
{
    xa_status st = XA_OK;
import im = {.d = d, .image = - 1 };
    if (!d->opt->images)
        XA_FAIL(err, XA_INVALID, "chexlocalize: --images says where the images lie");
    d->classes_sorted = true;
    XA_TRY(err, xa__finder_init(&im.finder, d->opt->images, err));
    xa__json_odd odd;
    XA_TRY(err, xa__json_read(d->opt->source, take_event, &im, &odd, err));
    xa__drop_odd(d, &odd);
done:
    xa__finder_fini(&im.finder);
    xa_str_free(&im.id);
    xa_str_free(&im.pathology);
    free(im.runs);
    free(im.mask);
    return st;
}
