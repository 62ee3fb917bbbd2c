/* Annotated regions from the tables of an archive. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate_internal.h"

/* Reads a whole table of n rows of one type into a new buffer. */
static xa_status
table(const xa_read *r, const char *path, xa_type type, int64_t n, void *out_ptr, xa_err *err)
{
    xa_dataset_info info;
    void *data = NULL;
    XA_RETURN_TRY(err, xa_archive_read_all(r->archive, path, &info, &data, err));
    if (info.type != type || info.ndim < 1 || info.dim[0] != n) {
        free(data);
        XA_RETURN_FAIL(
            err, XA_FORMAT, "%s: expected %" PRId64 " rows of %s", path, n, xa_type_name(type));
    }
    memcpy(out_ptr, &data, sizeof data);
    return XA_OK;
}

/* Frames and problems of annotations, which formats before 1.1 do not hold. */
static xa_status open_frames(const xa_read *r, xa__regions *a, xa_err *err)
{
    const int64_t n = r->samples, k = a->offset[n];
    xa_status st = XA_OK;
    xa_dataset_info info;
    char *frame = NULL;
    a->problem = xa_alloc((size_t)k + 1, 1);
    a->declared = xa_alloc((size_t)n + 1, sizeof *a->declared);
    a->mask_hash = xa_alloc((size_t)k + 1, sizeof *a->mask_hash);
    if (!a->problem || !a->declared || !a->mask_hash)
        XA_FAIL(err, XA_NOMEM, "out of memory for %" PRId64 " annotations", k);
    if (r->problem && r->annotation_offset[n] == k)
        memcpy(a->problem, r->problem, (size_t)k);
    if (r->mask_hash && r->annotation_offset[n] == k && k)
        memcpy(a->mask_hash, r->mask_hash, (size_t)k * sizeof *a->mask_hash);
    st = xa_archive_dataset(r->archive, xa_field_path(XA_FIELD_SAMPLE_DECLARED), &info, NULL);
    if (st == XA_NOT_FOUND) {
        st = XA_OK;
        goto done;
    }
    if (st != XA_OK || info.type != XA_TYPE_I32 || info.ndim != 2 || info.dim[0] != n ||
        info.dim[1] != 2)
        XA_FAIL(err, XA_FORMAT, "%s: expected two per sample", info.path);
    XA_TRY(err, xa_archive_read(r->archive, info.path, 0, n, a->declared, err));
    XA_TRY(err, xa_archive_attr_text(r->archive, XA_GROUP_ANNOTATIONS, "frame", &frame, err));
    a->rescale = frame && !strcmp(frame, "rescale");
done:
    free(frame);
    return st;
}

xa_status xa__regions_open(const xa_read *r, const char *image_root, xa__regions *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_dataset_info info;
    xa__regions a = {.r = r};
    const int64_t n = r->samples;
    XA_TRY(err, table(r, xa_field_path(XA_FIELD_ANN_OFFSET), XA_TYPE_I64, n + 1, &a.offset, err));
    for (int64_t i = 0; i < n; i++)
        if (a.offset[i] < 0 || a.offset[i] > a.offset[i + 1])
            XA_FAIL(err, XA_FORMAT, "%s does not ascend", xa_field_path(XA_FIELD_ANN_OFFSET));
    const int64_t k = a.offset[n];
    XA_TRY(err, table(r, xa_field_path(XA_FIELD_ANN_CLASS), XA_TYPE_I32, k, &a.class_index, err));
    XA_TRY(err, table(r, xa_field_path(XA_FIELD_ANN_KIND), XA_TYPE_U8, k, &a.kind, err));
    XA_TRY(err, table(r, xa_field_path(XA_FIELD_ANN_FLAGS), XA_TYPE_U8, k, &a.flags, err));
    XA_TRY(err,
           table(r, xa_field_path(XA_FIELD_ANN_MASK_VALUE), XA_TYPE_I32, k, &a.mask_value, err));
    XA_TRY(
        err,
        table(r, xa_field_path(XA_FIELD_ANN_IGNORE_VALUE), XA_TYPE_I32, k, &a.ignore_value, err));
    XA_TRY(err, xa_archive_dataset(r->archive, xa_field_path(XA_FIELD_ANN_BOX), &info, err));
    if (info.ndim != 2 || info.dim[1] != 4)
        XA_FAIL(err, XA_FORMAT, "%s: expected four edges per row", info.path);
    XA_TRY(err, table(r, xa_field_path(XA_FIELD_ANN_BOX), XA_TYPE_F64, k, &a.box, err));
    XA_TRY(err, table(r, xa_field_path(XA_FIELD_SAMPLE_WIDTH), XA_TYPE_I32, n, &a.width, err));
    XA_TRY(err, table(r, xa_field_path(XA_FIELD_SAMPLE_HEIGHT), XA_TYPE_I32, n, &a.height, err));
    XA_TRY(err, xa_archive_dataset(r->archive, xa_field_path(XA_FIELD_ANN_MASK), &info, err));
    if (info.type != XA_TYPE_STR || info.ndim != 1 || info.dim[0] != k)
        XA_FAIL(err, XA_FORMAT, "%s: expected a text per row", info.path);
    a.text_bytes = info.item_bytes;
    XA_TRY(err, xa_archive_dataset(r->archive, xa_field_path(XA_FIELD_ANN_IGNORE), &info, err));
    if (info.type != XA_TYPE_STR || info.ndim != 1 || info.dim[0] != k ||
        info.item_bytes != a.text_bytes)
        XA_FAIL(err, XA_FORMAT, "%s: expected a text per row", info.path);
    if (a.text_bytes == 1) /* all texts are empty */
        a.text_bytes = 0;
    XA_TRY(err, open_frames(r, &a, err));
    if (image_root)
        a.image_root = xa_strdup(image_root);
    else
        XA_TRY(err, xa_archive_attr_text(r->archive, "/", "image_root", &a.image_root, err));
    a.as_they_lie = xa_read_decode(r).ignore_orientation;
    *out = a;
    a = (xa__regions){0};
done:
    xa__regions_close(&a);
    return st;
}

void xa__regions_close(xa__regions *a)
{
    free(a->image_root);
    free(a->offset);
    free(a->class_index);
    free(a->mask_value);
    free(a->ignore_value);
    free(a->width);
    free(a->height);
    free(a->kind);
    free(a->flags);
    free(a->box);
    free(a->declared);
    free(a->problem);
    free(a->mask_hash);
    free(a->found);
    free(a->hash);
    free(a->list);
    *a = (xa__regions){0};
}

/* Compares the hash of the masks of annotation k, which is x, with that of the archive, or takes it
 * if the archive has none. */
static void
note_masks(xa__regions *a, int64_t sample, int64_t k, const xa_annotation *x, uint64_t hash)
{
    char id[128];
    if (!a->mask_hash[k])
        a->mask_hash[k] = hash;
    if (!hash || a->mask_hash[k] == hash || *a->changed)
        return;
    xa_read_text(a->r->id, a->r->id_bytes, sample, id, sizeof id);
    snprintf(a->changed,
             sizeof a->changed,
             "mask %.200s%s of image %s is not the one that the archive was scored with: restore "
             "the earlier file, or begin anew with `run --fresh`",
             x->kind == XA_ANNOTATION_MASK ? x->mask : x->ignore_mask,
             x->kind == XA_ANNOTATION_MASK && x->ignore_mask ? " (or its ignore mask)" : "",
             id);
}

xa_status
xa__regions_read(xa__regions *a, int64_t sample, int32_t class_index, xa_region *out, xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t first = a->offset[sample], n = a->offset[sample + 1] - first;
    int32_t count = 0;
    if (n > INT32_MAX)
        XA_FAIL(err, XA_FORMAT, "sample %" PRId64 ": too many annotations", sample);
    XA_TRY(err, xa_grow(&a->list, &a->cap, (size_t)n + 1, sizeof *a->list, err));
    XA_TRY(err, xa_grow(&a->found, &a->found_cap, (size_t)n + 1, 1, err));
    XA_TRY(err, xa_grow(&a->hash, &a->hash_cap, (size_t)n + 1, sizeof *a->hash, err));
    for (int64_t k = first; k < first + n; k++) {
        xa_annotation *x = &a->list[count];
        if (a->class_index[k] != class_index)
            continue;
        *x = (xa_annotation){.class_index = class_index,
                             .kind = a->kind[k],
                             .flags = a->flags[k],
                             .mask_value = a->mask_value[k],
                             .ignore_value = a->ignore_value[k],
                             .x0 = a->box[k][0],
                             .y0 = a->box[k][1],
                             .x1 = a->box[k][2],
                             .y1 = a->box[k][3]};
        count++;
        if (a->text_bytes) {
            XA_TRY(err,
                   xa_read_file_name(a->r->archive,
                                     xa_field_path(XA_FIELD_ANN_MASK),
                                     a->image_root,
                                     k,
                                     &x->mask,
                                     err));
            XA_TRY(err,
                   xa_read_file_name(a->r->archive,
                                     xa_field_path(XA_FIELD_ANN_IGNORE),
                                     a->image_root,
                                     k,
                                     &x->ignore_mask,
                                     err));
        }
        if (x->kind == XA_ANNOTATION_MASK ? !x->mask : x->kind != XA_ANNOTATION_BOX)
            XA_FAIL(err,
                    XA_FORMAT,
                    "annotation %" PRId64 " is neither a box nor a mask with its file",
                    k);
    }
    const xa_sample s = {.annotations = a->list,
                         .nannotations = count,
                         .width = a->declared[sample][0],
                         .height = a->declared[sample][1]};
    const xa_frame frame = {.width = a->width[sample],
                            .height = a->height[sample],
                            .rescale = a->rescale,
                            .ignore_orientation = a->as_they_lie};
    memset(a->found, 0, (size_t)n + 1);
    memset(a->hash, 0, ((size_t)n + 1) * sizeof *a->hash);
    st = xa_region_init(out, &s, class_index, &frame, a->found, a->hash, err);
    for (int64_t k = first, i = 0; k < first + n; k++)
        if (a->class_index[k] == class_index) {
            /* only the run knows whether EXIF turned the image */
            if (!(a->problem[k] == XA_ANNOTATION_FRAME_TURNED &&
                  a->found[i] == XA_ANNOTATION_FRAME_SWAPPED))
                a->problem[k] = a->found[i];
            note_masks(a, sample, k, &a->list[i], a->hash[i]);
            i++;
        }
    XA_TRY(err, st);
done:
    for (int32_t i = 0; i < count; i++) {
        free(a->list[i].mask);
        free(a->list[i].ignore_mask);
    }
    return st;
}
