#include "reference_file.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text attribute of fixed length, as the scripts write them. */
static bool read_text(hid_t object, const char *name, char *out, size_t size)
{
    bool ok = false;
    hid_t attr = H5Aopen(object, name, H5P_DEFAULT), type = -1;
    if (attr < 0)
        return false;
    type = H5Aget_type(attr);
    const size_t n = type < 0 ? 0 : H5Tget_size(type);
    if (n > 0 && n < size && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0) {
        memset(out, 0, size);
        ok = H5Aread(attr, type, out) >= 0;
    }
    if (type >= 0)
        H5Tclose(type);
    H5Aclose(attr);
    return ok;
}

/* True if the dataset is not there: values stay NULL. */
static bool read_array(hid_t at, const char *name, reference_array *out)
{
    hsize_t dims[REFERENCE_DIMS] = {0};
    bool ok = false;
    hid_t set, space = -1;
    if (H5Lexists(at, name, H5P_DEFAULT) <= 0)
        return true;
    set = H5Dopen2(at, name, H5P_DEFAULT);
    if (set < 0)
        return false;
    space = H5Dget_space(set);
    out->ndim = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (out->ndim >= 1 && out->ndim <= REFERENCE_DIMS &&
        H5Sget_simple_extent_dims(space, dims, NULL) == out->ndim) {
        out->count = 1;
        for (int i = 0; i < out->ndim; i++) {
            out->dim[i] = (int64_t)dims[i];
            out->count *= out->dim[i];
        }
        out->values = calloc((size_t)out->count + 1, sizeof *out->values);
        ok = out->values &&
             H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out->values) >= 0;
    }
    if (space >= 0)
        H5Sclose(space);
    H5Dclose(set);
    return ok;
}

static bool read_layers(hid_t file, reference *r)
{
    if (H5Lexists(file, "layers", H5P_DEFAULT) <= 0)
        return true;
    for (r->nlayers = 0; r->nlayers < REFERENCE_LAYERS; r->nlayers++) {
        reference_layer *l = &r->layer[r->nlayers];
        char name[32];
        snprintf(name, sizeof name, "layers/%d", r->nlayers);
        if (H5Lexists(file, name, H5P_DEFAULT) <= 0)
            return r->nlayers > 0;
        const hid_t group = H5Gopen2(file, name, H5P_DEFAULT);
        if (group < 0)
            return false;
        const bool ok = read_text(group, "layer", l->path, sizeof l->path) &&
                        read_array(group, "activation", &l->activation) &&
                        read_array(group, "gradient", &l->gradient) &&
                        read_array(group, "gradcam", &l->gradcam);
        H5Gclose(group);
        if (!ok || !l->activation.values || !l->gradient.values) {
            r->nlayers++; /* so that what was read is freed */
            return false;
        }
    }
    return false;
}

static bool read_attention(hid_t file, reference *r)
{
    if (H5Lexists(file, "attention", H5P_DEFAULT) <= 0)
        return true;
    while (r->nattention < REFERENCE_LAYERS) {
        char name[32];
        snprintf(name, sizeof name, "attention/%d", r->nattention);
        if (H5Lexists(file, name, H5P_DEFAULT) <= 0)
            break;
        const hid_t group = H5Gopen2(file, name, H5P_DEFAULT);
        if (group < 0)
            return false;
        reference_array *probs = &r->attention[r->nattention].probs,
                        *gradient = &r->attention[r->nattention].gradient;
        r->nattention++;
        const bool ok =
            read_array(group, "probs", probs) && read_array(group, "gradient", gradient);
        H5Gclose(group);
        if (!ok || !probs->values || !gradient->values)
            return false;
    }
    return r->nattention > 0 && read_array(file, "attention_map", &r->attention_map) &&
           read_array(file, "relevance", &r->relevance);
}

bool reference_read(const char *path, reference *out, char *why, size_t size)
{
    char format[64] = "";
    memset(out, 0, sizeof *out);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) {
        snprintf(why, size, "%s cannot be opened with HDF5", path);
        return false;
    }
    bool ok = read_text(file, "format", format, sizeof format) &&
              strcmp(format, "xaudit-reference 1") == 0;
    if (!ok)
        snprintf(why, size, "%s has format \"%s\", expected xaudit-reference 1", path, format);
    if (ok) {
        if (H5Aexists(file, "models") > 0)
            ok = read_text(file, "models", out->models, sizeof out->models);
        ok = ok && read_text(file, "model", out->model, sizeof out->model) &&
             read_text(file, "head", out->head, sizeof out->head) &&
             read_text(file, "score", out->score, sizeof out->score) &&
             read_text(file, "script", out->script, sizeof out->script) &&
             read_text(file, "framework", out->framework, sizeof out->framework) &&
             read_array(file, "input", &out->input) && read_array(file, "output", &out->output) &&
             read_array(file, "logits", &out->logits) && read_array(file, "probs", &out->probs) &&
             read_array(file, "target", &out->target) && read_array(file, "seed", &out->seed) &&
             read_array(file, "gradient", &out->gradient) &&
             read_array(file, "gradient64", &out->gradient64) && read_layers(file, out) &&
             read_attention(file, out) && out->input.values && out->output.values &&
             out->gradient.values;
        if (!ok)
            snprintf(why, size, "%s lacks an attribute or a dataset, or it cannot be read", path);
    }
    H5Fclose(file);
    if (!ok)
        reference_free(out);
    return ok;
}

void reference_free(reference *r)
{
    free(r->input.values);
    free(r->output.values);
    free(r->logits.values);
    free(r->probs.values);
    free(r->target.values);
    free(r->seed.values);
    free(r->gradient.values);
    free(r->gradient64.values);
    for (int i = 0; i < r->nlayers; i++) {
        free(r->layer[i].activation.values);
        free(r->layer[i].gradient.values);
        free(r->layer[i].gradcam.values);
    }
    for (int i = 0; i < r->nattention; i++) {
        free(r->attention[i].probs.values);
        free(r->attention[i].gradient.values);
    }
    free(r->attention_map.values);
    free(r->relevance.values);
    memset(r, 0, sizeof *r);
}
