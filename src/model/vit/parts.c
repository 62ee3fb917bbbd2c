/* Parts of a vision transformer by the names of their tensors, and extents by their shapes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vit.h"

enum { MAX_BLOCKS = 1024, NAME = 256 };

static const bool in_block[] = {
#define X(name, block) block,
    XA__VIT_PARTS(X)
#undef X
};

/* In models with a teacher, the two heads have other names. */
static const char *const two_heads[][2] = {{"classifier.weight", "cls_classifier.weight"},
                                           {"classifier.bias", "cls_classifier.bias"}};

static void
tensor_name(const char *stem, const char *pattern, int64_t block, char *out, size_t size)
{
    const char *number = strstr(pattern, "%d");
    const bool absolute = *pattern == '/';
    if (!number)
        snprintf(out, size, "%s%s", absolute ? "" : stem, pattern + absolute);
    else
        snprintf(out,
                 size,
                 "%s%.*s%" PRId64 "%s",
                 stem,
                 (int)(number - pattern),
                 pattern,
                 block,
                 number + 2);
}

static int find_part(const xa__vit *v, int64_t block, xa__vit_part part)
{
    const char *pattern = v->dialect->parts[part];
    char name[NAME];
    if (!pattern)
        return -1;
    tensor_name(v->stem, pattern, block, name, sizeof name);
    return xa__sfile_find(v->file, name);
}

static bool choose_dialect(xa__vit *v)
{
    const xa__vit_naming *n;
    for (size_t i = 0; (n = xa__vit_naming_at(i)); i++) {
        v->dialect = n->dialect;
        snprintf(v->stem, sizeof v->stem, "%s", n->stem);
        if (find_part(v, 0, XA__VIT_PATCH_W) >= 0 && find_part(v, 0, XA__VIT_NORM1_W) >= 0 &&
            find_part(v, 0, n->key) >= 0)
            return true;
    }
    return false;
}

static void find_two_heads(xa__vit *v)
{
    if (strcmp(v->stem, "deit.") != 0 || xa__vit_tensor(v, 0, XA__VIT_HEAD_W) >= 0)
        return;
    v->part[XA__VIT_HEAD_W] = xa__sfile_find(v->file, two_heads[0][1]);
    v->part[XA__VIT_HEAD_B] = xa__sfile_find(v->file, two_heads[1][1]);
    v->part[XA__VIT_HEAD2_W] = xa__sfile_find(v->file, "distillation_classifier.weight");
    v->part[XA__VIT_HEAD2_B] = xa__sfile_find(v->file, "distillation_classifier.bias");
}

xa_status xa__vit_find_parts(xa__vit *v, xa_err *err)
{
    if (!choose_dialect(v))
        XA_RETURN_FAIL(
            err,
            XA_UNSUPPORTED,
            "%s: a safetensors file, but no vision transformer with the names of timm or "
            "of transformers' ViT, DeiT, DINOv2, CLIP or SigLIP (no \"%s\", no "
            "\"vit.embeddings.patch_embeddings.projection.weight\", ...); export other "
            "models as ONNX, with torch.onnx.export; its first tensor is \"%s\"",
            v->file->path,
            xa__vit_naming_at(0)->dialect->parts[XA__VIT_PATCH_W],
            v->file->ntensors ? v->file->tensors[0].name : "missing");
    while (v->depth < MAX_BLOCKS && find_part(v, v->depth, XA__VIT_NORM1_W) >= 0)
        v->depth++;
    v->part = xa_alloc((size_t)v->depth * XA__VIT_PART_COUNT, sizeof(int));
    v->read = xa_alloc(v->file->ntensors + 1, sizeof *v->read);
    if (!v->part || !v->read)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", v->file->path);
    for (int64_t b = 0; b < v->depth; b++)
        for (int p = 0; p < XA__VIT_PART_COUNT; p++)
            v->part[b * XA__VIT_PART_COUNT + p] =
                in_block[p] || b == 0 ? find_part(v, b, (xa__vit_part)p) : -1;
    find_two_heads(v);
    for (int64_t i = 0; i < v->depth * XA__VIT_PART_COUNT; i++) {
        if (v->part[i] < 0)
            continue;
        if (!v->file->tensors[v->part[i]].usable)
            XA_RETURN_FAIL(err,
                           XA_UNSUPPORTED,
                           "%s: tensor \"%s\" is not floating point",
                           v->file->path,
                           v->file->tensors[v->part[i]].name);
    }
    return XA_OK;
}

/* Is the tensor one of those that transformers' models have beside their classifier? */
static bool is_ignored(const xa__vit *v, const char *name)
{
    const size_t n = strlen(v->stem);
    for (const char *const *k = v->dialect->unused; *k; k++)
        if (xa_str_ends(*k, ".") ? !strncmp(name, v->stem, n) && !strncmp(name + n, *k, strlen(*k))
                                 : xa_str_ends(name, *k))
            return true;
    return false;
}

xa_status xa__vit_check_names(const xa__vit *v, xa_err *err)
{
    bool *known = xa_alloc(v->file->ntensors + 1, sizeof *known);
    xa_status st = XA_OK;
    if (!known)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", v->file->path);
    for (int64_t i = 0; i < v->depth * XA__VIT_PART_COUNT; i++)
        if (v->part[i] >= 0)
            known[v->part[i]] = true;
    for (size_t i = 0; i < v->file->ntensors; i++) {
        const char *name = v->file->tensors[i].name;
        if (!known[i] && !is_ignored(v, name))
            XA_FAIL(err,
                    XA_UNSUPPORTED,
                    "%s: tensor \"%s\" belongs to no part that is known of %s vision "
                    "transformers; it is not left out silently",
                    v->file->path,
                    name,
                    v->dialect->name);
    }
done:
    free(known);
    return st;
}

xa_status xa__vit_check_read(const xa__vit *v, xa_err *err)
{
    for (size_t i = 0; i < v->file->ntensors; i++) {
        const xa__stensor *t = &v->file->tensors[i];
        if (v->read[i] != xa_shape_count(&t->shape) && !is_ignored(v, t->name))
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "%s: of tensor \"%s\", %" PRId64 " of %" PRId64
                           " values are read by the model that the names and the configuration "
                           "make: it would be another than the file's",
                           v->file->path,
                           t->name,
                           v->read[i],
                           xa_shape_count(&t->shape));
    }
    return XA_OK;
}

/* ---- extents ---- */

static xa_status missing(const xa__vit *v, int64_t block, xa__vit_part part, xa_err *err)
{
    char name[NAME] = "head.weight";
    if (v->dialect->parts[part])
        tensor_name(v->stem, v->dialect->parts[part], block, name, sizeof name);
    XA_RETURN_FAIL(err, XA_NOT_FOUND, "%s: tensor \"%s\" is missing", v->file->path, name);
}

/* Checks that a part is there and has ndim dimensions. */
static xa_status
demand(const xa__vit *v, xa__vit_part part, int ndim, const xa_shape **shape, xa_err *err)
{
    const int t = xa__vit_tensor(v, 0, part);
    char text[96];
    if (t < 0)
        return missing(v, 0, part, err);
    *shape = &v->file->tensors[t].shape;
    if ((*shape)->ndim != ndim)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "%s: tensor \"%s\" is %s, expected %d dimensions",
                       v->file->path,
                       v->file->tensors[t].name,
                       xa_shape_text(*shape, text, sizeof text),
                       ndim);
    return XA_OK;
}

xa_status xa__vit_measure(xa__vit *v, xa_err *err)
{
    const xa_shape *patch = NULL, *fc1 = NULL, *head = NULL, *position = NULL;
    XA_RETURN_TRY(err, demand(v, XA__VIT_PATCH_W, 4, &patch, err));
    v->gated = xa__vit_tensor(v, 0, XA__VIT_GATE_W) >= 0;
    const bool both = xa__vit_tensor(v, 0, XA__VIT_GATE_UP_W) >= 0; /* in one matrix */
    XA_RETURN_TRY(err, demand(v, both ? XA__VIT_GATE_UP_W : XA__VIT_FC1_W, 2, &fc1, err));
    XA_RETURN_TRY(err, demand(v, XA__VIT_HEAD_W, 2, &head, err));
    XA_RETURN_TRY(err, demand(v, XA__VIT_POSITION, v->dialect->bare ? 2 : 3, &position, err));
    v->width = patch->dim[0];
    v->channels = patch->dim[1];
    v->patch_h = patch->dim[2];
    v->patch_w = patch->dim[3];
    v->mlp = both ? fc1->dim[0] / 2 : fc1->dim[0];
    v->gated = v->gated || both;
    v->classes = head->dim[0];
    if (v->width < 1 || v->channels < 1 || v->patch_h < 1 || v->patch_w < 1 || v->mlp < 1 ||
        v->classes < 1)
        XA_RETURN_FAIL(err, XA_SHAPE, "%s: a part of the model is empty", v->file->path);
    static const xa__vit_part front[] = {XA__VIT_CLASS, XA__VIT_DISTILL, XA__VIT_REGISTERS};
    for (int i = 0; i < 3; i++) {
        const int t = xa__vit_tensor(v, 0, front[i]);
        const xa_shape *s = t >= 0 ? &v->file->tensors[t].shape : NULL;
        char text[96];
        const bool vector = v->dialect->bare && s && s->ndim == 1 && s->dim[0] == v->width;
        if (s && !vector && (s->ndim != 3 || s->dim[0] != 1 || s->dim[2] != v->width))
            XA_RETURN_FAIL(err,
                           XA_SHAPE,
                           "%s: tensor \"%s\" is %s, expected [%s%" PRId64 "]",
                           v->file->path,
                           v->file->tensors[t].name,
                           xa_shape_text(s, text, sizeof text),
                           v->dialect->bare ? "" : "1,tokens,",
                           v->width);
        v->prefix += vector ? 1 : s ? s->dim[1] : 0;
    }
    v->position_rows = position->dim[v->dialect->bare ? 0 : 1];
    return XA_OK;
}
