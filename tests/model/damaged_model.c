/* Writing damaged copies of golden models through HDF5 itself. */
#include "damaged_model.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit_cmocka.h"

void damaged_copy(const char *from, const char *to)
{
    char *bytes;
    size_t size;
    xa_err err = XA_ERR_INIT;
    if (xa_read_file(from, (size_t)1 << 26, &bytes, &size, &err) != XA_OK)
        fail_msg("%s", err.message);
    FILE *f = fopen(to, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    free(bytes);
}

char **damaged_read_names(const char *path, const char *object, const char *attribute, size_t *n)
{
    *n = 0;
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    if (H5Aexists_by_name(file, object, attribute, H5P_DEFAULT) <= 0) {
        H5Fclose(file);
        return NULL;
    }
    const hid_t attr = H5Aopen_by_name(file, object, attribute, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t type = H5Aget_type(attr), space = H5Aget_space(attr);
    const size_t count = (size_t)H5Sget_simple_extent_npoints(space);
    char **out = NULL;
    if (count > 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0) {
        char **text = calloc(count, sizeof *text);
        size_t total = 0;
        assert_non_null(text);
        assert_true(H5Aread(attr, type, text) >= 0);
        for (size_t i = 0; i < count; i++)
            total += strlen(text[i]) + 1;
        out = malloc(count * sizeof *out + total);
        assert_non_null(out);
        char *at = (char *)(out + count);
        for (size_t i = 0; i < count; i++) {
            out[i] = at;
            strcpy(at, text[i]);
            at += strlen(text[i]) + 1;
        }
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, text);
        free(text);
        *n = count;
    } else if (count > 0 && H5Tget_class(type) == H5T_STRING) {
        const size_t width = H5Tget_size(type);
        char *text = malloc(count * width);
        out = malloc(count * (sizeof *out + width + 1));
        assert_non_null(text);
        assert_non_null(out);
        assert_true(H5Aread(attr, type, text) >= 0);
        char *at = (char *)(out + count);
        for (size_t i = 0; i < count; i++) {
            out[i] = at;
            memcpy(at, text + i * width, width);
            at[width] = '\0';
            at += width + 1;
        }
        free(text);
        *n = count;
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attr);
    H5Fclose(file);
    return out;
}

json_t *damaged_config(const char *golden)
{
    size_t n;
    json_error_t e;
    char **text = damaged_read_names(golden, "/", "model_config", &n);
    assert_int_equal(n, 1);
    json_t *j = json_loads(text[0], 0, &e);
    if (!j)
        fail_msg("%s: %s", golden, e.text);
    free(text);
    return j;
}

json_t *damaged_layer(json_t *model, const char *path)
{
    const char *slash = strchr(path, '/');
    const size_t n = slash ? (size_t)(slash - path) : strlen(path);
    json_t *layers = json_object_get(json_object_get(model, "config"), "layers"), *layer;
    size_t i;
    json_array_foreach(layers, i, layer)
    {
        const char *name =
            json_string_value(json_object_get(json_object_get(layer, "config"), "name"));
        if (name && strlen(name) == n && !memcmp(name, path, n))
            return slash ? damaged_layer(layer, slash + 1) : layer;
    }
    fail_msg("no layer %s", path);
    return NULL;
}

void damaged_set(json_t *object, const char *key, const char *value)
{
    json_error_t e;
    json_t *v = json_loads(value, JSON_DECODE_ANY, &e);
    if (!v)
        fail_msg("%s: %s", value, e.text);
    assert_int_equal(json_object_set_new(object, key, v), 0);
}

void damaged_write(const char *golden, const char *config, const char *path)
{
    damaged_copy(golden, path);
    damaged_names(path, "/", "model_config", &config, 1);
}

void damaged_write_json(const char *golden, const json_t *config, const char *path)
{
    char *text = json_dumps(config, JSON_COMPACT);
    assert_non_null(text);
    damaged_write(golden, text, path);
    free(text);
}

void damaged_add(const char *path, const char *dataset)
{
    const hsize_t three = 3;
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(1, &three, NULL), list = H5Pcreate(H5P_LINK_CREATE);
    assert_true(file >= 0 && H5Pset_create_intermediate_group(list, 1) >= 0);
    const hid_t set =
        H5Dcreate2(file, dataset, H5T_IEEE_F32LE, space, list, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(set >= 0);
    H5Dclose(set);
    H5Pclose(list);
    H5Sclose(space);
    assert_true(H5Fclose(file) >= 0);
}

/* Variable length: their text lies outside the attribute, which has a limit of 64 KiB. */
void damaged_names(
    const char *path, const char *object, const char *attribute, const char *const *names, size_t n)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    if (H5Aexists_by_name(file, object, attribute, H5P_DEFAULT) > 0)
        assert_true(H5Adelete_by_name(file, object, attribute, H5P_DEFAULT) >= 0);
    const hsize_t count = n;
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &count, NULL);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    const hid_t attr = H5Acreate_by_name(
        file, object, attribute, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attr >= 0);
    if (n > 0)
        assert_true(H5Awrite(attr, type, names) >= 0);
    H5Aclose(attr);
    H5Sclose(space);
    H5Tclose(type);
    assert_true(H5Fclose(file) >= 0);
}

void damaged_weight(const char *path, const char *dataset, int ndim, const uint64_t *dims)
{
    hsize_t extent[8];
    for (int i = 0; i < ndim; i++)
        extent[i] = dims[i];
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    assert_true(H5Ldelete(file, dataset, H5P_DEFAULT) >= 0);
    const hid_t space = H5Screate_simple(ndim, extent, NULL);
    const hid_t set =
        H5Dcreate2(file, dataset, H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(set >= 0);
    H5Dclose(set);
    H5Sclose(space);
    assert_true(H5Fclose(file) >= 0);
}
