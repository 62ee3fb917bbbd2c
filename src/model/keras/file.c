/* Keras weights in HDF5: opening, values, names. */
#include "file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hdf5_open.h"
#include "zip.h"

xa_status xa__kfile_reopen(xa__kfile *f, xa_err *err)
{
    if (f->handle >= 0)
        return XA_OK;
    const xa__kquiet q = xa__kquiet_begin();
    xa_status st = XA_OK;
    char why[XA__KREASON];
    void *image = NULL;
    char *name = NULL;
    size_t size = 0;
    const hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    if (list < 0 || H5Pset_fapl_sec2(list) < 0)
        XA_FAIL(err, XA_IO, "%s: HDF5 cannot be set up (%s)", f->path, xa__kreason(why));
#if H5_VERSION_GE(1, 10, 7)
    /* Many ranks read the same file, often on file systems without locks. */
    if (H5Pset_file_locking(list, false, true) < 0)
        XA_FAIL(err, XA_IO, "%s: HDF5 cannot be set up (%s)", f->path, xa__kreason(why));
#endif
    if (f->zipped) { /* until the property list is closed, it holds a second copy */
        XA_TRY(err, xa__kzip_bytes(f->path, "model.weights.h5", &image, &size, err));
        if (H5Pset_fapl_core(list, 1 << 20, false) < 0 || H5Pset_file_image(list, image, size) < 0)
            XA_FAIL(
                err, XA_NOMEM, "%s: out of memory for its weights (%s)", f->path, xa__kreason(why));
        free(image);
        image = NULL;
        /* A name that no file can have and that only this archive gives: HDF5 refuses an image
         * under the name of an existing file, and takes two images of the same name for the same
         * file. */
        name = xa_strfmt("%s/model.weights.h5", f->path);
        if (!name)
            XA_FAIL(err, XA_NOMEM, "%s: out of memory", f->path);
        f->handle = (int64_t)H5Fopen(name, H5F_ACC_RDONLY, list);
    } else {
        f->handle = (int64_t)H5Fopen(f->path, H5F_ACC_RDONLY, list);
    }
    if (f->handle < 0)
        XA_FAIL(err,
                XA_FORMAT,
                "%s: an HDF5 file that cannot be opened; it is damaged or cut off (%s)",
                f->path,
                xa__kreason(why));
done:
    free(image);
    free(name);
    if (list >= 0)
        H5Pclose(list);
    xa__kquiet_end(q);
    return st;
}

void xa__kfile_close(xa__kfile *f)
{
    if (!f || f->handle < 0)
        return;
    const xa__kquiet q = xa__kquiet_begin();
    H5Fclose((hid_t)f->handle);
    f->handle = -1;
    xa__kquiet_end(q);
}

void xa__kfile_free(xa__kfile *f)
{
    if (!f)
        return;
    xa__kfile_close(f);
    for (size_t i = 0; i < f->ngroups; i++)
        free(f->groups[i].name);
    for (size_t i = 0; i < f->ntensors; i++) {
        free(f->tensors[i].path);
        free(f->tensors[i].name);
    }
    free(f->groups);
    free(f->tensors);
    free(f->config);
    free(f->version);
    free(f->backend);
    free(f->path);
    free(f);
}

xa_status
xa__kfile_open(const char *path, bool zipped, size_t max_config, xa__kfile **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa__kfile *f = xa_alloc(1, sizeof *f);
    if (!f)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    f->handle = -1;
    f->zipped = zipped;
    f->path = xa_strdup(path);
    if (!f->path)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    XA_TRY(err, xa__kfile_reopen(f, err));
    const xa__kquiet q = xa__kquiet_begin();
    st = xa__kfile_read_layout(f, max_config, err);
    xa__kquiet_end(q);
    if (st != XA_OK) {
        xa_err_prefix(err, "%s", path);
        XA_TRY(err, st);
    }
    *out = f;
    f = NULL;
done:
    xa__kfile_free(f);
    return st;
}

xa_status xa__kfile_vars(xa__kfile *f, const char *group, int *first, int *count, xa_err *err)
{
    XA_RETURN_TRY(err, xa__kfile_reopen(f, err));
    const xa__kquiet q = xa__kquiet_begin();
    xa_status st = xa__kfile_add_vars(f, group, first, count, err);
    xa__kquiet_end(q);
    return st;
}

typedef struct lister {
    xa_names *names;
    xa_status st;
    xa_err *err;
} lister;

static herr_t list_dataset(hid_t root, const char *name, const H5O_info_t *info, void *arg)
{
    lister *l = arg;
    (void)root;
    if (info->type == H5O_TYPE_DATASET)
        l->st = xa_names_add(l->names, name, strlen(name), l->err);
    return l->st == XA_OK ? 0 : -1;
}

xa_status xa__kfile_list(xa__kfile *f, xa_names *out, xa_err *err)
{
    XA_RETURN_TRY(err, xa__kfile_reopen(f, err));
    lister l = {.names = out, .st = XA_OK, .err = err};
    const xa__kquiet q = xa__kquiet_begin();
    char why[XA__KREASON];
    const herr_t ok =
        H5Ovisit2((hid_t)f->handle, H5_INDEX_NAME, H5_ITER_INC, list_dataset, &l, H5O_INFO_BASIC);
    xa__kreason(why);
    xa__kquiet_end(q);
    XA_RETURN_TRY(err, l.st);
    if (ok < 0)
        XA_RETURN_FAIL(
            err, XA_FORMAT, "%s: its weights cannot be listed; it is damaged (%s)", f->path, why);
    return XA_OK;
}

/* Widens n values of two bytes at the start of dst, the upper halves of float32, to n floats in
 * place: from the last one on, so that none is overwritten before it is read. */
static void widen_bfloat(float *dst, int64_t n)
{
    const unsigned char *from = (const unsigned char *)dst;
    for (int64_t i = n - 1; i >= 0; i--) {
        const uint32_t bits = (uint32_t)from[2 * i] << 16 | (uint32_t)from[2 * i + 1] << 24;
        memcpy(dst + i, &bits, sizeof bits);
    }
}

static xa_status
read_values(xa__kfile *f, const xa__ktensor *t, const xa_shape *shape, float *dst, xa_err *err)
{
    xa_status st = XA_OK;
    hid_t set = -1, space = -1, type = -1;
    char why[XA__KREASON], a[64], b[64];
    if (!t->usable || !xa_shape_equal(&t->shape, shape))
        XA_FAIL(err,
                XA_SHAPE,
                "%s: weight \"%s\" has shape %s, expected %s",
                f->path,
                t->path,
                t->usable ? xa_shape_text(&t->shape, a, sizeof a) : "unknown",
                xa_shape_text(shape, b, sizeof b));
    set = xa__kopen_dataset((hid_t)f->handle, t->path);
    space = set < 0 ? -1 : H5Dget_space(set);
    if (set < 0 || space < 0)
        XA_FAIL(err,
                XA_FORMAT,
                "%s: weight \"%s\" cannot be opened (%s)",
                f->path,
                t->path,
                xa__kreason(why));
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    if (count != (hssize_t)xa_shape_count(shape))
        XA_FAIL(err,
                XA_MISMATCH,
                "%s: weight \"%s\" has changed since the file was opened",
                f->path,
                t->path);
    if (count > 0 && H5Dget_storage_size(set) == 0)
        XA_FAIL(err,
                XA_FORMAT,
                "%s: weight \"%s\" was never written; the file is incomplete",
                f->path,
                t->path);
    if (t->bfloat)
        type = H5Dget_type(set);
    if (H5Dread(set, t->bfloat ? type : H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, dst) < 0)
        XA_FAIL(err,
                XA_FORMAT,
                "%s: weight \"%s\" cannot be read; the file is damaged or cut off (%s)",
                f->path,
                t->path,
                xa__kreason(why));
    if (t->bfloat)
        widen_bfloat(dst, xa_shape_count(shape));
done:
    if (type >= 0)
        H5Tclose(type);
    if (space >= 0)
        H5Sclose(space);
    if (set >= 0)
        H5Dclose(set);
    return st;
}

xa_status xa__kfile_read(xa__kfile *f, int tensor, const xa_shape *shape, float *dst, xa_err *err)
{
    if (tensor < 0 || (size_t)tensor >= f->ntensors)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: no weight number %d", f->path, tensor);
    XA_RETURN_TRY(err, xa__kfile_reopen(f, err));
    const xa__kquiet q = xa__kquiet_begin();
    xa_status st = read_values(f, &f->tensors[tensor], shape, dst, err);
    xa__kquiet_end(q);
    return st;
}
