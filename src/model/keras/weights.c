/* Which weights a Keras file has, by its layout. */
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "hdf5_open.h"

/* Adds the dataset at root/path. */
static xa_status add_tensor(xa__kfile *f, const char *path, const char *name, xa_err *err)
{
    xa_status st = XA_OK;
    xa__ktensor t = {0};
    hid_t set = -1, space = -1, type = -1, list = -1;
    char why[XA__KREASON];
    if (f->ntensors >= XA__KMAX_NAMES)
        XA_FAIL(err, XA_LIMIT, "more than %d weights", (int)XA__KMAX_NAMES);
    set = xa__kopen_dataset((hid_t)f->handle, path);
    if (set < 0)
        XA_FAIL(err,
                XA_FORMAT,
                "weight \"%s\" is listed but cannot be opened (%s)",
                path,
                xa__kreason(why));
    space = H5Dget_space(set);
    type = H5Dget_type(set);
    list = H5Dget_create_plist(set);
    if (space < 0 || type < 0 || list < 0)
        XA_FAIL(err, XA_FORMAT, "weight \"%s\" cannot be opened (%s)", path, xa__kreason(why));
    if (H5Pget_layout(list) == H5D_VIRTUAL || H5Pget_external_count(list) != 0)
        XA_FAIL(err,
                XA_UNSUPPORTED,
                "weight \"%s\" lies in another file; a model must be one file",
                path);
    const int ndim = H5Sget_simple_extent_ndims(space);
    t.usable = ndim >= 0 && ndim <= XA_MAX_DIMS && H5Tget_class(type) == H5T_FLOAT;
    t.integer = H5Tget_class(type) == H5T_INTEGER;
    if (ndim >= 0 && ndim <= XA_MAX_DIMS && H5Tget_class(type) == H5T_OPAQUE &&
        H5Tget_size(type) ==
            2) { /* Keras 3 writes bfloat16 as two bytes, with an attribute "dtype" */
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
    xa_names weights = {0};
    xa__kgroup g = {.first = (int)f->ntensors};
    char *path = xa_strfmt("%s%s", base, name), *full = NULL;
    hid_t group = -1;
    bool found = false;
    char why[XA__KREASON];
    if (!path)
        XA_NOMEM_FAIL(err);
    group = xa__kopen_group((hid_t)f->handle, path);
    if (group < 0)
        XA_FAIL(err,
                XA_FORMAT,
                "layer \"%s\" is listed in layer_names but its group cannot be opened (%s)",
                name,
                xa__kreason(why));
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
    xa_names_free(&weights);
    return st;
}

static xa_status read_groups(xa__kfile *f, hid_t at, const char *base, xa_err *err)
{
    xa_status st = XA_OK;
    xa_names layers = {0};
    bool found = false;
    XA_TRY(err, xa__kattr_list(at, "layer_names", &layers, &found, err));
    if (!found)
        XA_FAIL(err, XA_FORMAT, "group \"/%s\" has no attribute layer_names", base);
    for (size_t i = 0; i < layers.count; i++)
        XA_TRY(err, add_group(f, base, layers.item[i], err));
done:
    xa_names_free(&layers);
    return st;
}

/* Finds out what the file is: a whole model, weights by layer name, or weights as variables. */
xa_status xa__kfile_read_layout(xa__kfile *f, size_t max_config, xa_err *err)
{
    xa_status st = XA_OK;
    const hid_t root = (hid_t)f->handle;
    hid_t weights = -1;
    XA_TRY(err, xa__kattr_text(root, "model_config", max_config, &f->config, err));
    XA_TRY(err, xa__kattr_text(root, "keras_version", 256, &f->version, err));
    XA_TRY(err, xa__kattr_text(root, "backend", 256, &f->backend, err));
    f->base = "";
    if (xa__klink_exists(root, "model_weights")) {
        f->base = "model_weights/";
        weights = xa__kopen_group(root, "model_weights");
        if (weights < 0)
            XA_FAIL(err, XA_FORMAT, "group \"/model_weights\" cannot be opened");
        if (!f->version)
            XA_TRY(err, xa__kattr_text(weights, "keras_version", 256, &f->version, err));
        if (!f->backend)
            XA_TRY(err, xa__kattr_text(weights, "backend", 256, &f->backend, err));
        XA_TRY(err, read_groups(f, weights, f->base, err));
    } else if (H5Aexists(root, "layer_names") > 0 || H5Aexists(root, "layer_names0") > 0) {
        XA_TRY(err, read_groups(f, root, f->base, err));
    } else if (xa__klink_exists(root, "layers") ||
               xa__klink_exists(root, "_layer_checkpoint_dependencies")) {
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

xa_status xa__kfile_add_vars(xa__kfile *f, const char *group, int *first, int *count, xa_err *err)
{
    *first = (int)f->ntensors;
    *count = 0;
    xa_status st = XA_OK;
    char *path = xa_strfmt("%s/vars", group), *item = NULL;
    if (!path)
        XA_NOMEM_FAIL(err);
    const hid_t root = (hid_t)f->handle;
    if (!xa__klink_exists(root, group) || !xa__klink_exists(root, path))
        goto done;
    for (int i = 0; i < 64; i++) {
        free(item);
        item = xa_strfmt("%s/%d", path, i);
        if (!item)
            XA_NOMEM_FAIL(err);
        if (!xa__klink_exists(root, item))
            break;
        XA_TRY(err, add_tensor(f, item, item, err));
        *count = i + 1;
    }
done:
    free(path);
    free(item);
    return st;
}
