/* Keras weights in HDF5: opening, attributes, the table of weights, values. */
#include "file.h"

#include <hdf5.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "attribute.h"
#include "zip.h"

/* HDF5's own printing is switched off while we are inside and put back as it was. */
typedef struct quiet {
    H5E_auto2_t function;
    void *data;
} quiet;

static quiet quiet_begin(void)
{
    quiet q = {NULL, NULL};
    H5Eget_auto2(H5E_DEFAULT, &q.function, &q.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return q;
}

static void quiet_end(quiet q)
{
    H5Eset_auto2(H5E_DEFAULT, q.function, q.data);
}

static herr_t first_reason(unsigned n, const H5E_error2_t *e, void *arg)
{
    char *text = arg;
    if (n == 0 && e->desc)
        xa_str_sanitise(e->desc, text, 160);
    return 0;
}

/* HDF5's innermost reason for the last failure. */
static const char *reason(char text[160])
{
    snprintf(text, 160, "no reason given");
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first_reason, text);
    return text;
}

/* A model is one file: links that lead out of it are refused. */
static herr_t refuse_external(const char *parent_file,
                              const char *parent_group,
                              const char *child_file,
                              const char *child_object,
                              unsigned *flags, /* NOLINT(readability-non-const-parameter): HDF5's */
                              hid_t fapl,
                              void *arg)
{
    (void)parent_file;
    (void)parent_group;
    (void)child_file;
    (void)child_object;
    (void)flags;
    (void)fapl;
    (void)arg;
    return -1;
}

static hid_t open_group(hid_t from, const char *path)
{
    const hid_t list = H5Pcreate(H5P_GROUP_ACCESS);
    if (list < 0)
        return -1;
    hid_t g = -1;
    if (H5Pset_elink_cb(list, refuse_external, NULL) >= 0)
        g = H5Gopen2(from, path, list);
    H5Pclose(list);
    return g;
}

static hid_t open_dataset(hid_t from, const char *path)
{
    const hid_t list = H5Pcreate(H5P_DATASET_ACCESS);
    if (list < 0)
        return -1;
    hid_t d = -1;
    if (H5Pset_elink_cb(list, refuse_external, NULL) >= 0)
        d = H5Dopen2(from, path, list);
    H5Pclose(list);
    return d;
}

/* ---- the table of weights ---- */

/* Adds the dataset at root/path. */
static xa_status add_tensor(xa__kfile *f, const char *path, const char *name, xa_err *err)
{
    xa_status st = XA_OK;
    xa__ktensor t = {0};
    hid_t set = -1, space = -1, type = -1, list = -1;
    char why[160];
    if (f->ntensors >= XA__KMAX_NAMES)
        XA_FAIL(err, XA_LIMIT, "more than %d weights", (int)XA__KMAX_NAMES);
    set = open_dataset((hid_t)f->handle, path);
    if (set < 0)
        XA_FAIL(
            err, XA_FORMAT, "weight \"%s\" is listed but cannot be opened (%s)", path, reason(why));
    space = H5Dget_space(set);
    type = H5Dget_type(set);
    list = H5Dget_create_plist(set);
    if (space < 0 || type < 0 || list < 0)
        XA_FAIL(err, XA_FORMAT, "weight \"%s\" cannot be opened (%s)", path, reason(why));
    if (H5Pget_layout(list) == H5D_VIRTUAL || H5Pget_external_count(list) != 0)
        XA_FAIL(err,
                XA_UNSUPPORTED,
                "weight \"%s\" lies in another file; a model must be one file",
                path);
    const int ndim = H5Sget_simple_extent_ndims(space);
    t.usable = ndim >= 0 && ndim <= XA_MAX_DIMS && H5Tget_class(type) == H5T_FLOAT;
    t.integer = H5Tget_class(type) == H5T_INTEGER;
    if (ndim >= 0 && ndim <= XA_MAX_DIMS && H5Tget_class(type) == H5T_OPAQUE &&
        H5Tget_size(type) == 2) { /* Keras 3 writes bfloat16 as two bytes with a note beside them */
        char *dtype = NULL;
        XA_TRY(err, xa__kattr_text(set, "dtype", 64, &dtype, err));
        t.usable = t.bfloat = dtype && !strcmp(dtype, "bfloat16");
        t.opaque = !t.usable;
        free(dtype);
    }
    if (t.usable) {
        hsize_t dims[XA_MAX_DIMS] = {0};
        if (H5Sget_simple_extent_dims(space, dims, NULL) < 0)
            XA_FAIL(err, XA_FORMAT, "weight \"%s\" has no readable shape", path);
        t.shape.ndim = ndim;
        for (int i = 0; i < ndim; i++) {
            if (dims[i] > (hsize_t)INT64_MAX)
                XA_FAIL(err, XA_LIMIT, "weight \"%s\" has an absurd extent", path);
            t.shape.dim[i] = (int64_t)dims[i];
        }
    }
    t.path = xa_strdup(path);
    t.name = xa_strdup(name);
    if (!t.path || !t.name)
        XA_NOMEM_FAIL(err);
    char *colon = strrchr(t.name, ':');
    if (colon && colon[1] != '\0' && strspn(colon + 1, "0123456789") == strlen(colon + 1))
        *colon = '\0';
    XA_TRY(err, xa_grow(&f->tensors, &f->tensor_cap, f->ntensors + 1, sizeof t, err));
    f->tensors[f->ntensors++] = t;
    t = (xa__ktensor){0};
done:
    free(t.path);
    free(t.name);
    if (list >= 0)
        H5Pclose(list);
    if (type >= 0)
        H5Tclose(type);
    if (space >= 0)
        H5Sclose(space);
    if (set >= 0)
        H5Dclose(set);
    return st;
}

/* Group `name` of the folder `base` ("" or "model_weights/"). */
static xa_status add_group(xa__kfile *f, const char *base, const char *name, xa_err *err)
{
    xa_status st = XA_OK;
    xa__knames weights = {0};
    xa__kgroup g = {.first = (int)f->ntensors};
    char *path = xa_strfmt("%s%s", base, name), *full = NULL;
    hid_t group = -1;
    bool found = false;
    char why[160];
    if (!path)
        XA_NOMEM_FAIL(err);
    group = open_group((hid_t)f->handle, path);
    if (group < 0)
        XA_FAIL(err,
                XA_FORMAT,
                "layer \"%s\" is listed in layer_names but its group cannot be opened (%s)",
                name,
                reason(why));
    XA_TRY(err, xa__kattr_list(group, "weight_names", &weights, &found, err));
    for (size_t i = 0; i < weights.count; i++) {
        free(full);
        full = xa_strfmt("%s/%s", path, weights.item[i]);
        if (!full)
            XA_NOMEM_FAIL(err);
        XA_TRY(err, add_tensor(f, full, weights.item[i], err));
    }
    g.count = (int)weights.count;
    g.name = xa_strdup(name);
    if (!g.name)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_grow(&f->groups, &f->group_cap, f->ngroups + 1, sizeof g, err));
    f->groups[f->ngroups++] = g;
    g.name = NULL;
done:
    if (group >= 0)
        H5Gclose(group);
    free(g.name);
    free(path);
    free(full);
    xa__knames_free(&weights);
    return st;
}

static xa_status read_groups(xa__kfile *f, hid_t at, const char *base, xa_err *err)
{
    xa_status st = XA_OK;
    xa__knames layers = {0};
    bool found = false;
    XA_TRY(err, xa__kattr_list(at, "layer_names", &layers, &found, err));
    if (!found)
        XA_FAIL(err, XA_FORMAT, "group \"/%s\" has no attribute layer_names", base);
    for (size_t i = 0; i < layers.count; i++)
        XA_TRY(err, add_group(f, base, layers.item[i], err));
done:
    xa__knames_free(&layers);
    return st;
}

static bool link_exists(hid_t at, const char *name)
{
    return H5Lexists(at, name, H5P_DEFAULT) > 0;
}

/* What the file is: whole model, weights by layer name, or weights as variables. */
static xa_status read_layout(xa__kfile *f, size_t max_config, xa_err *err)
{
    xa_status st = XA_OK;
    const hid_t root = (hid_t)f->handle;
    hid_t weights = -1;
    XA_TRY(err, xa__kattr_text(root, "model_config", max_config, &f->config, err));
    XA_TRY(err, xa__kattr_text(root, "keras_version", 256, &f->version, err));
    XA_TRY(err, xa__kattr_text(root, "backend", 256, &f->backend, err));
    f->base = "";
    if (link_exists(root, "model_weights")) {
        f->base = "model_weights/";
        weights = open_group(root, "model_weights");
        if (weights < 0)
            XA_FAIL(err, XA_FORMAT, "group \"/model_weights\" cannot be opened");
        if (!f->version)
            XA_TRY(err, xa__kattr_text(weights, "keras_version", 256, &f->version, err));
        if (!f->backend)
            XA_TRY(err, xa__kattr_text(weights, "backend", 256, &f->backend, err));
        XA_TRY(err, read_groups(f, weights, f->base, err));
    } else if (H5Aexists(root, "layer_names") > 0 || H5Aexists(root, "layer_names0") > 0) {
        XA_TRY(err, read_groups(f, root, f->base, err));
    } else if (link_exists(root, "layers") || link_exists(root, "_layer_checkpoint_dependencies")) {
        f->layout = XA__KLAYOUT_VARS;
    } else {
        XA_FAIL(err,
                XA_FORMAT,
                "an HDF5 file, but not one that Keras wrote: it has neither a group "
                "\"model_weights\" nor an attribute \"layer_names\" nor a group \"layers\"");
    }
done:
    if (weights >= 0)
        H5Gclose(weights);
    return st;
}

/* ---- opening and reading ---- */

xa_status xa__kfile_reopen(xa__kfile *f, xa_err *err)
{
    if (f->handle >= 0)
        return XA_OK;
    const quiet q = quiet_begin();
    xa_status st = XA_OK;
    char why[160];
    void *image = NULL;
    char *name = NULL;
    size_t size = 0;
    const hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    if (list < 0 || H5Pset_fapl_sec2(list) < 0)
        XA_FAIL(err, XA_IO, "%s: HDF5 cannot be set up (%s)", f->path, reason(why));
#if H5_VERSION_GE(1, 10, 7)
    /* Many ranks read the same file, often on file systems without locks. */
    if (H5Pset_file_locking(list, false, true) < 0)
        XA_FAIL(err, XA_IO, "%s: HDF5 cannot be set up (%s)", f->path, reason(why));
#endif
    if (f->zipped) { /* the property list holds one copy until it is closed, the file another */
        XA_TRY(err, xa__kzip_bytes(f->path, "model.weights.h5", &image, &size, err));
        if (H5Pset_fapl_core(list, 1 << 20, false) < 0 || H5Pset_file_image(list, image, size) < 0)
            XA_FAIL(err, XA_NOMEM, "%s: out of memory for its weights (%s)", f->path, reason(why));
        free(image);
        image = NULL;
        /* A name no file can have, and of this archive alone: HDF5 refuses an image under the name
         * of a file that is there, and takes two images of one name for one file. */
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
                reason(why));
done:
    free(image);
    free(name);
    if (list >= 0)
        H5Pclose(list);
    quiet_end(q);
    return st;
}

void xa__kfile_close(xa__kfile *f)
{
    if (!f || f->handle < 0)
        return;
    const quiet q = quiet_begin();
    H5Fclose((hid_t)f->handle);
    f->handle = -1;
    quiet_end(q);
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
    const quiet q = quiet_begin();
    st = read_layout(f, max_config, err);
    quiet_end(q);
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

static xa_status add_vars(xa__kfile *f, const char *group, int *first, int *count, xa_err *err)
{
    *first = (int)f->ntensors;
    *count = 0;
    xa_status st = XA_OK;
    char *path = xa_strfmt("%s/vars", group), *item = NULL;
    if (!path)
        XA_NOMEM_FAIL(err);
    const hid_t root = (hid_t)f->handle;
    if (!link_exists(root, group) || !link_exists(root, path))
        goto done;
    for (int i = 0; i < 64; i++) {
        free(item);
        item = xa_strfmt("%s/%d", path, i);
        if (!item)
            XA_NOMEM_FAIL(err);
        if (!link_exists(root, item))
            break;
        XA_TRY(err, add_tensor(f, item, item, err));
        *count = i + 1;
    }
done:
    free(path);
    free(item);
    return st;
}

xa_status xa__kfile_vars(xa__kfile *f, const char *group, int *first, int *count, xa_err *err)
{
    XA_RETURN_TRY(err, xa__kfile_reopen(f, err));
    const quiet q = quiet_begin();
    xa_status st = add_vars(f, group, first, count, err);
    quiet_end(q);
    return st;
}

typedef struct lister {
    xa__knames *names;
    xa_status st;
    xa_err *err;
} lister;

static herr_t list_dataset(hid_t root, const char *name, const H5O_info_t *info, void *arg)
{
    lister *l = arg;
    (void)root;
    if (info->type == H5O_TYPE_DATASET)
        l->st = xa__knames_add(l->names, name, strlen(name), l->err);
    return l->st == XA_OK ? 0 : -1;
}

xa_status xa__kfile_list(xa__kfile *f, xa__knames *out, xa_err *err)
{
    XA_RETURN_TRY(err, xa__kfile_reopen(f, err));
    lister l = {.names = out, .st = XA_OK, .err = err};
    const quiet q = quiet_begin();
    char why[160];
    const herr_t ok =
        H5Ovisit2((hid_t)f->handle, H5_INDEX_NAME, H5_ITER_INC, list_dataset, &l, H5O_INFO_BASIC);
    reason(why);
    quiet_end(q);
    XA_RETURN_TRY(err, l.st);
    if (ok < 0)
        XA_RETURN_FAIL(
            err, XA_FORMAT, "%s: its weights cannot be listed; it is damaged (%s)", f->path, why);
    return XA_OK;
}

/* n values of two bytes at the start of dst, the upper halves of float32, to n floats: from the
 * end, so that none is overwritten before it is read. */
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
    char why[160], a[64], b[64];
    if (!t->usable || !xa_shape_equal(&t->shape, shape))
        XA_FAIL(err,
                XA_SHAPE,
                "%s: weight \"%s\" has shape %s, expected %s",
                f->path,
                t->path,
                t->usable ? xa_shape_text(&t->shape, a, sizeof a) : "unknown",
                xa_shape_text(shape, b, sizeof b));
    set = open_dataset((hid_t)f->handle, t->path);
    space = set < 0 ? -1 : H5Dget_space(set);
    if (set < 0 || space < 0)
        XA_FAIL(err,
                XA_FORMAT,
                "%s: weight \"%s\" cannot be opened (%s)",
                f->path,
                t->path,
                reason(why));
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
                reason(why));
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
    const quiet q = quiet_begin();
    xa_status st = read_values(f, &f->tensors[tensor], shape, dst, err);
    quiet_end(q);
    return st;
}
