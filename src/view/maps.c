/* The values of maps, row by row. */
#include <inttypes.h>
#include <stdlib.h>

#include "view_internal.h"

xa_status xa_read_values_open(const xa_read *r,
                              const xa_read_model *m,
                              const xa_read_map *x,
                              xa_read_values *out,
                              xa_err *err)
{
    xa_status st = XA_OK;
    xa_dataset_info info;
    size_t n;
    double size[2] = {0};
    int64_t nsize = 0;
    char *model = xa_strdup(xa_field_group(XA_FIELD_MODEL_STATUS, m->name, NULL).text);
    char *sums = xa_strdup(xa_field_name(XA_FIELD_MAP_CHECKSUM, m->name, x->name, NULL).text);
    xa_read_values v = {
        .r = r,
        .model = m,
        .map = x,
        .path = xa_strdup(xa_field_name(XA_FIELD_MAP_VALUES, m->name, x->name, NULL).text)};
    char *beside = xa_strdup(xa_field_name(XA_FIELD_MAP_SCALE, m->name, x->name, NULL).text);
    if (!v.path || !beside || !model || !sums)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_archive_dataset(r->archive, v.path, &info, err));
    if (info.ndim != 4 || (info.type != XA_TYPE_F32 && info.type != XA_TYPE_F16) ||
        info.dim[0] != x->rows || info.dim[1] < 1 || info.dim[2] < 1 || info.dim[3] < 1 ||
        !xa_size_mul((size_t)info.dim[1], (size_t)info.dim[2], &n) ||
        !xa_size_mul(n, (size_t)info.dim[3], &n) || n > INT32_MAX)
        XA_FAIL(err, XA_FORMAT, "%s: not the maps of %" PRId64 " rows", v.path, x->rows);
    v.channels = info.dim[1];
    v.height = info.dim[2];
    v.width = info.dim[3];
    v.count = (int64_t)n;
    if (info.type == XA_TYPE_F16)
        v.half = xa_alloc(n, sizeof *v.half);
    if (info.type == XA_TYPE_F16 && !v.half)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", v.path);
    XA_TRY(err, xa_archive_read_all(r->archive, beside, &info, (void **)&v.scale, err));
    if (info.type != XA_TYPE_F32 || info.ndim != 1 || info.dim[0] != x->rows)
        XA_FAIL(err, XA_FORMAT, "%s: not the scales of %" PRId64 " maps", beside, x->rows);
    XA_TRY(err, xa_archive_read_all(r->archive, sums, &info, (void **)&v.checksum, err));
    if (info.type != XA_TYPE_U32 || info.ndim != 1 || info.dim[0] != x->rows)
        XA_FAIL(err, XA_FORMAT, "%s: not the checksums of %" PRId64 " maps", sums, x->rows);
    XA_TRY(err, xa_archive_attr_f64(r->archive, model, "input_size", size, 2, &nsize, err));
    if (nsize != 2 || !(size[0] >= 1.0 && size[0] < 65536.0 && size[1] >= 1.0 && size[1] < 65536.0))
        XA_FAIL(err, XA_FORMAT, "%s: no input_size of height and width", model);
    v.input_height = (int64_t)size[0];
    v.input_width = (int64_t)size[1];
    *out = v;
    v = (xa_read_values){0};
done:
    xa_read_values_close(&v);
    free(beside);
    free(model);
    free(sums);
    return st;
}

xa_status xa_read_affine(
    const xa_read *r, const xa_read_model *m, int64_t first, int64_t n, double *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_dataset_info info;
    float *single = NULL;
    char *path = xa_strdup(xa_field_name(XA_FIELD_MODEL_AFFINE, m->name, NULL, NULL).text);
    if (!path)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_archive_dataset(r->archive, path, &info, err));
    if ((info.type != XA_TYPE_F64 && info.type != XA_TYPE_F32) || info.ndim != 3 ||
        info.dim[0] != r->samples || info.dim[1] != 2 || info.dim[2] != 3)
        XA_FAIL(err, XA_FORMAT, "%s: expected 2 x 3 numbers per sample", path);
    if (info.type == XA_TYPE_F64) {
        XA_TRY(err, xa_archive_read(r->archive, path, first, n, out, err));
        goto done;
    }
    single = xa_alloc((size_t)n * 6 + 1, sizeof *single);
    if (!single)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    XA_TRY(err, xa_archive_read(r->archive, path, first, n, single, err));
    for (int64_t i = 0; i < n * 6; i++)
        out[i] = (double)single[i];
done:
    free(single);
    free(path);
    return st;
}

void xa_read_values_close(xa_read_values *v)
{
    free(v->path);
    free(v->half);
    free(v->scale);
    free(v->checksum);
    *v = (xa_read_values){0};
}

xa_status xa_read_values_row(const xa_read_values *v, int64_t row, float *out, xa_err *err)
{
    void *stored = v->half ? (void *)v->half : (void *)out;
    const size_t bytes = (size_t)v->count * (v->half ? sizeof *v->half : sizeof *out);
    XA_RETURN_TRY(err, xa_archive_read(v->r->archive, v->path, row, 1, stored, err));
    if (xa_checksum(stored, bytes) != v->checksum[row]) {
        char id[128];
        xa_read_text(v->r->id, v->r->id_bytes, v->map->sample[row], id, sizeof id);
        return xa_mend_fail(v->r->path,
                            err,
                            "model %s, explainer %s, map row %" PRId64
                            " of sample %s is not what its "
                            "checksum says",
                            v->model->name,
                            v->map->name,
                            row,
                            id);
    }
    for (int64_t i = 0; v->half && i < v->count; i++)
        out[i] = xa_f32_from_f16(v->half[i]) * v->scale[row];
    return XA_OK;
}

int64_t xa_read_first_row(const xa_read_map *x, int64_t sample)
{
    return xa__first_of(x->sample, x->rows, sample);
}
