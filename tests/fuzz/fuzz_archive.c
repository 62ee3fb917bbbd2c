/* Archives: the input says how each dataset and attribute of a small archive differs from what
 * format 1 says, and fills them. The HDF5 file around them is whole, as its library does not
 * survive all damage to its own structures. */
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "xaudit/verify.h"
#include "xaudit/view.h"

typedef struct input {
    const uint8_t *data;
    size_t size, at;
} input;

static unsigned next(input *in)
{
    return in->at < in->size ? in->data[in->at++] : 0;
}

enum { N = 4, Q = 3, C = 3, R = 4, BYTES = 4096 };

static const struct {
    const char *path;
    xa_type type;
    int ndim;
    hsize_t dim[2];
} tables[] = {
    {"/samples/id", XA_TYPE_STR, 1, {N, 0}},
    {"/samples/labels/offset", XA_TYPE_I64, 1, {N + 1, 0}},
    {"/samples/labels/value", XA_TYPE_I32, 1, {5, 0}},
    {"/eval/sample", XA_TYPE_I64, 1, {Q, 0}},
    {"/eval/class", XA_TYPE_I32, 1, {Q, 0}},
    {"/models/net/status", XA_TYPE_U8, 1, {N, 0}},
    {"/models/net/stage", XA_TYPE_U8, 1, {N, 0}},
    {"/models/net/predicted", XA_TYPE_I32, 1, {N, 0}},
    {"/models/net/probs", XA_TYPE_F32, 2, {N, C}},
    {"/models/net/message", XA_TYPE_STR, 1, {N, 0}},
    {"/models/net/class_names", XA_TYPE_STR, 1, {C, 0}},
    {"/maps/net/cam/sample", XA_TYPE_I64, 1, {R, 0}},
    {"/maps/net/cam/target", XA_TYPE_I32, 1, {R, 0}},
    {"/maps/net/cam/flags", XA_TYPE_U8, 1, {R, 0}},
    {"/maps/net/cam/maximum", XA_TYPE_F32, 1, {R, 0}},
    {"/maps/net/cam/peak", XA_TYPE_F32, 2, {R, 2}},
    {"/localisation/net/cam/pointing_game", XA_TYPE_F64, 1, {Q, 0}},
    {"/job", XA_TYPE_U8, 1, {40, 0}},
};

/* Checksums, behind the others: there where the input asks for them. */
static const struct {
    const char *path;
    hsize_t rows;
} sums[] = {{"/checksums/samples", N},
            {"/checksums/models/net", N},
            {"/checksums/logits/net", N},
            {"/checksums/maps/net/cam", R},
            {"/checksums/localisation/net/cam", Q},
            {"/checksums/statistics/net/cam", Q}};

static const struct {
    const char *path, *name, *text;
} attributes[] = {
    {"/", "format", "xaudit"},
    {"/", "format_version", "1.0"},
    {"/", "job", "manifest: m.csv"},
    {"/", "identity_text", "a = 1\nb = 2\n"},
    {"/maps/net/cam", "layer", "conv"},
    {"/maps/net/cam", "kind", "gradcam"},
};

static hid_t stored_type(unsigned which, size_t text)
{
    static hid_t plain[7];
    plain[0] = H5T_STD_U8LE;
    plain[1] = H5T_STD_I32LE;
    plain[2] = H5T_STD_I64LE;
    plain[3] = H5T_IEEE_F32LE;
    plain[4] = H5T_IEEE_F64LE;
    plain[5] = H5T_STD_U64BE;
    plain[6] = H5T_STD_U16LE;
    if (which < 7)
        return H5Tcopy(plain[which]);
    const hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, which == 7 ? H5T_VARIABLE : text);
    return t;
}

static unsigned number_of(xa_type t)
{
    switch (t) {
    case XA_TYPE_U8:
        return 0;
    case XA_TYPE_I32:
        return 1;
    case XA_TYPE_I64:
        return 2;
    case XA_TYPE_F32:
        return 3;
    case XA_TYPE_F64:
        return 4;
    default:
        return 8;
    }
}

static void put_table(hid_t file, hid_t parents, size_t k, input *in)
{
    const unsigned how = next(in);
    unsigned type = number_of(tables[k].type);
    int ndim = tables[k].ndim;
    hsize_t dim[4] = {tables[k].dim[0], tables[k].dim[1], 1, 1};
    switch (how) {
    case 200: /* not there */
        return;
    case 201:
        type = next(in) % 9;
        break;
    case 202: /* other extents, none of more than a few kilobytes */
        ndim = (int)(next(in) % 5);
        for (int i = 0; i < ndim; i++)
            dim[i] = next(in) % 8;
        break;
    case 203: { /* a group in its place */
        const hid_t g = H5Gcreate2(file, tables[k].path, parents, H5P_DEFAULT, H5P_DEFAULT);
        H5Gclose(g);
        return;
    }
    case 204: /* a link to another */
        H5Lcreate_soft(tables[next(in) % (sizeof tables / sizeof *tables)].path,
                       file,
                       tables[k].path,
                       parents,
                       H5P_DEFAULT);
        return;
    default:
        break;
    }
    uint8_t bytes[BYTES] = {0};
    const hid_t space = ndim ? H5Screate_simple(ndim, dim, NULL) : H5Screate(H5S_SCALAR);
    const hid_t t = stored_type(type, 1 + how % 16);
    const hid_t set = H5Dcreate2(file, tables[k].path, t, space, parents, H5P_DEFAULT, H5P_DEFAULT);
    const size_t size = (size_t)H5Sget_simple_extent_npoints(space) * H5Tget_size(t);
    if (set >= 0 && type != 7 && size <= sizeof bytes) {
        for (size_t i = 0; i < size && in->at < in->size; i++)
            bytes[i] = (uint8_t)next(in);
        if (size > 0)
            H5Dwrite(set, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
    }
    H5Dclose(set);
    H5Tclose(t);
    H5Sclose(space);
}

static void put_sums(hid_t file, hid_t parents, size_t k, input *in)
{
    uint32_t value[16] = {0};
    hsize_t rows = sums[k].rows;
    const unsigned how = next(in);
    if (how % 2 == 0)
        return;
    if (how == 201)
        rows = next(in) % 9;
    for (hsize_t i = 0; i < rows; i++)
        value[i] = next(in);
    const hid_t space = H5Screate_simple(1, &rows, NULL);
    const hid_t set =
        H5Dcreate2(file, sums[k].path, H5T_STD_U32LE, space, parents, H5P_DEFAULT, H5P_DEFAULT);
    if (set >= 0 && rows > 0)
        H5Dwrite(set, H5T_NATIVE_UINT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, value);
    H5Dclose(set);
    H5Sclose(space);
}

static void put_attribute(hid_t file, size_t k, input *in)
{
    const unsigned how = next(in);
    char text[256] = "";
    hsize_t n = 1;
    if (how == 200 || H5Oexists_by_name(file, attributes[k].path, H5P_DEFAULT) <= 0)
        return;
    strcpy(text, attributes[k].text);
    if (how == 201) {
        for (size_t i = 0; i < sizeof text - 1; i++)
            text[i] = (char)next(in);
        text[sizeof text - 1] = '\0';
    }
    if (how == 202)
        n = next(in) % 4;
    const hid_t t = stored_type(how == 203 ? next(in) % 7 : how == 204 ? 7 : 8, sizeof text / 4);
    const hid_t space = H5Screate_simple(1, &n, NULL);
    const hid_t object = H5Oopen(file, attributes[k].path, H5P_DEFAULT);
    const hid_t a = H5Acreate2(object, attributes[k].name, t, space, H5P_DEFAULT, H5P_DEFAULT);
    if (a >= 0 && n > 0) {
        const char *one[4] = {text, text, text, text};
        H5Awrite(a, t, how == 204 ? (const void *)one : text);
    }
    H5Aclose(a);
    H5Oclose(object);
    H5Sclose(space);
    H5Tclose(t);
}

/* The archive as bytes in a file of memory. */
static const char *make(input *in)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS), parents = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_fapl_core(access, 1 << 16, false);
    H5Pset_create_intermediate_group(parents, 1);
    const hid_t file = H5Fcreate("fuzz.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    FUZZ_ASSERT(file >= 0);
    for (size_t k = 0; k < sizeof tables / sizeof *tables; k++)
        put_table(file, parents, k, in);
    for (size_t k = 0; k < sizeof attributes / sizeof *attributes; k++)
        put_attribute(file, k, in);
    for (size_t k = 0; k < sizeof sums / sizeof *sums; k++)
        put_sums(file, parents, k, in);
    H5Fflush(file, H5F_SCOPE_GLOBAL);
    const ssize_t size = H5Fget_file_image(file, NULL, 0);
    FUZZ_ASSERT(size > 0);
    void *image = malloc((size_t)size);
    FUZZ_ASSERT(image && H5Fget_file_image(file, image, (size_t)size) == size);
    const char *path = fuzz_file(0, image, (size_t)size);
    free(image);
    H5Fclose(file);
    H5Pclose(parents);
    H5Pclose(access);
    return path;
}

static xa_status visit(void *arg, const xa_dataset_info *info, xa_err *err)
{
    char hex[XA_SHA256_HEX];
    void *data = NULL;
    xa_dataset_info own;
    (void)err;
    if (xa_archive_digest(arg, info->path, hex, NULL) == XA_OK)
        FUZZ_ASSERT(strlen(hex) == 64);
    if (xa_archive_read_all(arg, info->path, &own, &data, NULL) == XA_OK)
        free(data);
    return XA_OK;
}

/* What info and table look at. */
static void look(const xa_read *r)
{
    char text[256];
    for (int64_t i = 0; i < r->samples; i++) {
        xa_read_text(r->id, r->id_bytes, i, text, sizeof text);
        for (int64_t m = 0; m < r->nmodels; m++) {
            const xa_read_model *x = &r->models[m];
            if (x->status[i] != XA_SAMPLE_DONE)
                continue;
            FUZZ_ASSERT(x->predicted[i] >= 0 && x->predicted[i] < x->classes);
            volatile float p = x->probs[i * x->classes + x->predicted[i]];
            (void)p;
            xa_read_has_label(r, i, x->predicted[i]);
            xa_read_class(x, x->predicted[i], text, sizeof text);
            xa_read_text(x->message, x->message_bytes, i, text, sizeof text);
        }
    }
    for (int64_t m = 0; m < r->nmodels; m++)
        for (int64_t e = 0; e < r->models[m].nmaps; e++) {
            const xa_read_map *x = &r->models[m].maps[e];
            for (int64_t k = 0; k < x->rows; k++) {
                volatile float p = x->peak[2 * k + 1] + x->maximum[k];
                FUZZ_ASSERT(x->sample[k] < r->samples);
                xa_read_class(&r->models[m], x->target[k], text, sizeof text);
                (void)p;
            }
            for (int64_t k = 0; k < x->nmetrics; k++)
                for (int64_t q = 0; q < r->pairs; q++) {
                    volatile double v = x->localisation[k][q];
                    (void)v;
                }
        }
}

static void told(void *arg, xa_finding kind, int64_t sample, const char *text)
{
    FUZZ_ASSERT(text[0] && kind <= XA_FINDING_NOTE && sample >= XA_MENDED_BY_RUN && sample < N * 8);
    ++*(int *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size, 0};
    xa_archive *a = NULL;
    xa_read *r = NULL;
    xa_err err = XA_ERR_INIT;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const char *path = make(&in);
    if (xa_archive_open_read(path, &a, &err) == XA_OK) {
        char *text = NULL;
        FUZZ_ASSERT(xa_archive_walk(a, visit, a, &err) == XA_OK);
        if (xa_archive_attr_text(a, "/", "job", &text, &err) == XA_OK)
            free(text);
        if (xa_archive_close(a, &err) != XA_OK)
            FUZZ_ASSERT(err.message[0]);
    } else {
        FUZZ_ASSERT(err.message[0]);
    }
    if (xa_read_open(path, &r, &err) == XA_OK) {
        look(r);
        xa_read_close(r);
    }
    int findings = 0;
    xa_verified verified;
    const xa_verify_options all = {.values = true, .report = told, .arg = &findings};
    if (xa_verify(path, &all, &verified, &err) == XA_OK)
        FUZZ_ASSERT(findings >= verified.damages + verified.missing);
    if (xa_archive_check_identity(path, "a = 1\nb = 3\n", &err) != XA_OK)
        FUZZ_ASSERT(err.message[0]);
    return 0;
}
