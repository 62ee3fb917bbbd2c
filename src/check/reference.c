/* Reading a reference, as tests/parity writes it (tests/golden/keras/README.md). It may come from
 * anybody: all extents are compared before anything is read by them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "against.h"

void xa__against_close(xa__against *a)
{
    xa__runner_close(&a->runner);
    free(a->input);
    free(a->logits);
    free(a->probs);
    free(a->gradient);
    free(a->gradient64);
    free(a->target);
    free(a->paths);
    for (int i = 0; i < a->nlayers; i++)
        free(a->gradcam[i]);
    if (a->ref && xa_archive_close(a->ref, NULL) != XA_OK)
        xa_log(XA_LOG_DEBUG, "reference: closing failed");
}

void xa__reference_by(xa__against *a, const char *framework)
{
    const size_t n = framework ? strcspn(framework, " ") : 0;
    const bool keras =
        !n || !strncmp(framework, "keras", 5) || !strncmp(framework, "tensorflow", 10);
    snprintf(a->by,
             sizeof a->by,
             "%.*s",
             keras ? 5 : (int)(n < 20 ? n : 20),
             keras ? "Keras" : framework);
}

/* Reads a dataset of the reference; *out stays NULL if it is missing and not needed. */
static xa_status load(xa__against *a,
                      const char *path,
                      xa_type type,
                      bool needed,
                      void *out,
                      xa_dataset_info *info,
                      xa_err *err)
{
    void *data = NULL;
    const xa_status st = xa_archive_read_all(a->ref, path, info, &data, err);
    if (st == XA_NOT_FOUND && !needed)
        return XA_OK;
    XA_RETURN_TRY(err, st);
    if (info->type != type) {
        free(data);
        XA_RETURN_FAIL(
            err, XA_FORMAT, "%s of the reference is not of type %s", path, xa_type_name(type));
    }
    memcpy(out, &data, sizeof data);
    return XA_OK;
}

/* Reads one that has a row for each image, of the same extents as `like`. */
static xa_status load_rows(xa__against *a,
                           const char *path,
                           xa_type type,
                           bool needed,
                           const xa_dataset_info *like,
                           void *out,
                           xa_err *err)
{
    xa_dataset_info info = {.ndim = 0};
    void *data = NULL;
    XA_RETURN_TRY(err, load(a, path, type, needed, &data, &info, err));
    bool same = info.ndim == like->ndim;
    for (int d = 0; same && d < like->ndim; d++)
        same = info.dim[d] == like->dim[d];
    memcpy(out, &data, sizeof data);
    if (data && !same)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s of the reference has other extents than its images and classes ask for",
                       path);
    return XA_OK;
}

static xa_status read_reference(xa__against *a, const char *file, xa_err *err)
{
    xa_dataset_info input;
    xa_dataset_info info;
    char *score = NULL;
    XA_RETURN_TRY(err, xa_reference_open(file, &a->ref, err));
    XA_RETURN_TRY(err, load(a, "/input", XA_TYPE_F32, true, &a->input, &info, err));
    if (info.ndim != 4 || info.dim[0] < 1)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: /input has %d dimensions and %" PRId64 " images, expected [N,H,W,C]",
                       file,
                       info.ndim,
                       info.ndim ? info.dim[0] : 0);
    input = info;
    a->images = info.dim[0];
    a->pixels = info.dim[1] * info.dim[2] * info.dim[3];
    const xa_shape in = xa_model_input(a->runner.model);
    if (in.ndim != 3 || in.dim[0] != info.dim[1] || in.dim[1] != info.dim[2] ||
        in.dim[2] != info.dim[3])
        XA_RETURN_FAIL(err,
                       XA_MISMATCH,
                       "%s was made at %" PRId64 "x%" PRId64 "x%" PRId64
                       ", the job runs the model at %" PRId64 "x%" PRId64 "x%" PRId64,
                       file,
                       info.dim[1],
                       info.dim[2],
                       info.dim[3],
                       in.dim[0],
                       in.dim[1],
                       in.dim[2]);
    XA_RETURN_TRY(err, load(a, "/logits", XA_TYPE_F32, true, &a->logits, &info, err));
    a->classes = info.ndim == 2 ? info.dim[1] : 0;
    if (info.dim[0] != a->images || a->classes != xa_model_head(a->runner.model)->classes)
        XA_RETURN_FAIL(err,
                       XA_MISMATCH,
                       "%s is of a model with %" PRId64 " classes, this one has %" PRId64,
                       file,
                       a->classes,
                       xa_model_head(a->runner.model)->classes);
    const xa_dataset_info scores = info, row = {.ndim = 1, .dim = {a->images}};
    XA_RETURN_TRY(err, load_rows(a, "/probs", XA_TYPE_F32, false, &scores, &a->probs, err));
    XA_RETURN_TRY(err, load_rows(a, "/target", XA_TYPE_I32, true, &row, &a->target, err));
    XA_RETURN_TRY(err, load_rows(a, "/gradient", XA_TYPE_F32, true, &input, &a->gradient, err));
    XA_RETURN_TRY(err,
                  load_rows(a, "/gradient64", XA_TYPE_F64, false, &input, &a->gradient64, err));
    XA_RETURN_TRY(err, load(a, "/paths", XA_TYPE_STR, false, &a->paths, &info, err));
    if (a->paths && (info.ndim != 1 || info.dim[0] != a->images))
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: /paths does not name its images", file);
    a->path_bytes = info.item_bytes;
    XA_RETURN_TRY(err, xa_archive_attr_text(a->ref, "/", "score", &score, err));
    const int kind = score ? xa_score_parse(score) : -1;
    free(score);
    if (kind < 0)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s does not name a score that xaudit knows", file);
    a->score = (xa_score)kind;
    return XA_OK;
}

static xa_status read_layers(xa__against *a, xa_err *err)
{
    for (int k = 0; k < XA__AGAINST_LAYERS; k++) {
        char group[32], path[64];
        char *name = NULL;
        xa_dataset_info info;
        float *map = NULL;
        snprintf(group, sizeof group, "/layers/%d", k);
        snprintf(path, sizeof path, "%s/gradcam", group);
        XA_RETURN_TRY(err, load(a, path, XA_TYPE_F32, false, &map, &info, err));
        if (!map)
            return XA_OK;
        a->gradcam[a->nlayers++] = map;
        XA_RETURN_TRY(err, xa_archive_attr_text(a->ref, group, "layer", &name, err));
        const xa_status st =
            name ? xa_model_find_layer(a->runner.model, name, &a->layer[k], err) : XA_FORMAT;
        free(name);
        XA_RETURN_TRY(err, st);
        const xa_shape *s = &a->layer[k]->shape;
        if (info.ndim != 3 || s->ndim != 3 || info.dim[0] != a->images ||
            info.dim[1] != s->dim[0] || info.dim[2] != s->dim[1])
            XA_RETURN_FAIL(err,
                           XA_MISMATCH,
                           "layer \"%s\" has a different grid in the reference",
                           a->layer[k]->path);
    }
    return XA_OK;
}

xa_status xa__reference_read(xa__against *a, const char *file, xa_err *err)
{
    XA_RETURN_TRY(err, read_reference(a, file, err));
    return read_layers(a, err);
}
