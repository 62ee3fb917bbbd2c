/* A schema: the datasets and attributes of one archive, checked as they are added. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive_internal.h"

xa_status xa_schema_create(xa_schema **out, xa_err *err)
{
    xa_schema *s = xa_alloc(1, sizeof *s);
    if (!s)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the archive's schema");
    *out = s;
    return XA_OK;
}

void xa_schema_free(xa_schema *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->nfields; i++)
        free(s->field[i].path);
    for (size_t i = 0; i < s->nattrs; i++) {
        free(s->attr[i].path);
        free(s->attr[i].name);
        free(s->attr[i].values);
    }
    free(s->field);
    free(s->attr);
    free(s);
}

void xa__shape_text(int ndim, const int64_t *dim, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int d = 0; d < ndim; d++) {
        int n = snprintf(out + used, size - used, "%s%" PRId64, d > 0 ? " x " : "", dim[d]);
        if (n < 0 || (size_t)n >= size - used)
            return;
        used += (size_t)n;
    }
    if (ndim == 0)
        snprintf(out, size, "one value");
}

/* The table's path with the names put in. */
static xa_status
expand(const xa_field_def *info, const xa_field_spec *spec, xa_str *path, xa_err *err)
{
    static const char *const what[] = {"model", "explainer", "metric or column"};
    const char *const values[] = {spec->model, spec->explainer, spec->key};
    static const char letters[] = "mek";
    bool used[3] = {false, false, false};
    for (const char *p = info->path; *p != '\0'; p++) {
        if (*p != '<') {
            xa_str_add(path, p, 1);
            continue;
        }
        ptrdiff_t i = strchr(letters, p[1]) - letters;
        if (!values[i] || !xa__is_format_name(values[i]))
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "%s: the name of the %s must be 1 to %d letters, digits, '_', '.', '-' "
                           "or spaces and not only dots, found '%s'",
                           info->path,
                           what[i],
                           XA_NAME_BYTES,
                           values[i] ? values[i] : "");
        xa_str_puts(path, values[i]);
        used[i] = true;
        p += 2;
    }
    for (int i = 0; i < 3; i++)
        if (!used[i] && values[i])
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "%s: there is no %s in this path, found '%s'",
                           info->path,
                           what[i],
                           values[i]);
    if (path->failed || !path->data)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory for its name", info->path);
    return XA_OK;
}

/* The table's "N,2,3": as many extents, and the numbers among them fixed. */
static bool extents_fit(const char *extents, const xa_field_spec *spec)
{
    int d = 0;
    for (const char *p = extents;; p++, d++) {
        if (d >= spec->ndim)
            return false;
        if (isdigit((unsigned char)*p) && strtoll(p, NULL, 10) != spec->dim[d])
            return false;
        p = strchr(p, ',');
        if (!p)
            return d + 1 == spec->ndim;
    }
}

static xa_status check_spec(const xa_field_def *info,
                            const xa_field_spec *spec,
                            const char *path,
                            xa__field *f,
                            xa_err *err)
{
    char shape[128];
    if (spec->ndim < 1 || spec->ndim > 5)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: 1 to 5 extents, found %d", path, spec->ndim);
    xa__shape_text(spec->ndim, spec->dim, shape, sizeof shape);
    if (!extents_fit(info->extents, spec))
        XA_RETURN_FAIL(
            err, XA_INVALID, "%s: its extents are %s, found %s", path, info->extents, shape);
    f->type = spec->type == XA_TYPE_COUNT ? info->type : spec->type;
    if (f->type != info->type && !(spec->kind == XA_FIELD_MAP_VALUES && f->type == XA_TYPE_F16))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: its type is %s, found %s (XA_TYPE_COUNT takes the table's)",
                       path,
                       xa_type_name(info->type),
                       xa_type_name(f->type));
    f->item_bytes = f->type == XA_TYPE_STR ? spec->string_bytes : xa_type_bytes(f->type);
    if (f->item_bytes == 0)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: a text needs 1 byte at least, found 0", path);
    f->row_bytes = f->item_bytes;
    size_t total = f->item_bytes;
    for (int d = 0; d < spec->ndim; d++) {
        f->dim[d] = spec->dim[d];
        if (spec->dim[d] < 0)
            XA_RETURN_FAIL(err, XA_INVALID, "%s: an extent is below 0 in %s", path, shape);
        bool fits = xa_size_mul(total, (size_t)spec->dim[d], &total) && total <= INT64_MAX;
        if (fits && d > 0)
            fits = xa_size_mul(f->row_bytes, (size_t)spec->dim[d], &f->row_bytes);
        if (!fits)
            XA_RETURN_FAIL(err, XA_LIMIT, "%s: %s is beyond what a file can hold", path, shape);
    }
    if (f->row_bytes >= XA__TRANSFER_MAX)
        XA_RETURN_FAIL(err,
                       XA_LIMIT,
                       "%s: a row must stay below 1 GiB, found %zu bytes (%s)",
                       path,
                       f->row_bytes,
                       shape);
    f->ndim = spec->ndim;
    f->kind = spec->kind;
    f->data = spec->data;
    return XA_OK;
}

xa_status xa_schema_add(xa_schema *s, const xa_field_spec *spec, int *field, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str path = {0};
    xa__field f = {.path = NULL};
    const xa_field_def *info = xa_field_get(spec->kind);
    if (!info)
        XA_FAIL(err, XA_INVALID, "field %d is not in the format's table", (int)spec->kind);
    XA_TRY(err, expand(info, spec, &path, err));
    XA_TRY(err, check_spec(info, spec, path.data, &f, err));
    if (s->nfields >= INT32_MAX)
        XA_FAIL(err, XA_LIMIT, "%s: too many datasets", path.data);
    for (size_t i = 0; i < s->nfields; i++)
        if (strcmp(s->field[i].path, path.data) == 0)
            XA_FAIL(err, XA_INVALID, "%s: added twice", path.data);
    XA_TRY(err, xa_grow(&s->field, &s->cap_fields, s->nfields + 1, sizeof *s->field, err));
    if (spec->data && xa_is_table(spec->kind)) {
        uint32_t sum = 0;
        xa_checksum_table(xa_checksum_seed(path.data), spec->data, 0, f.dim[0], f.row_bytes, &sum);
        XA_TRY(err, xa_schema_attr_i64(s, path.data, "checksum", (int64_t)sum, err));
    }
    if (spec->kind == XA_FIELD_MAP_VALUES) {
        /* The group, so that whoever lists explainers meets it. */
        char *slash = strrchr(path.data, '/');
        *slash = '\0';
        st = xa_schema_attr_text(s, path.data, "read_as", "values*scale", err);
        *slash = '/';
        XA_TRY(err, st);
    }
    f.path = path.data;
    path.data = NULL;
    s->field[s->nfields] = f;
    *field = (int)s->nfields++;
done:
    xa_str_free(&path);
    return st;
}

xa_status xa_schema_add_field(
    xa_schema *s, const xa_field_spec *spec, const xa_extents *x, int *field, xa_err *err)
{
    xa_field_spec whole = *spec;
    const xa_field_def *def = xa_field_get(spec->kind);
    whole.ndim = xa_field_dims(spec->kind, x, whole.dim);
    if (def && def->bytes > 0)
        whole.string_bytes = def->bytes;
    return xa_schema_add(s, &whole, field, err);
}

/* ---- size ------------------------------------------------------------------------------------ */

/* No field before `field` lies in the group of its path's first `length` bytes. */
static bool is_new_group(const xa_schema *s, size_t field, size_t length)
{
    for (size_t i = 0; i < field; i++)
        if (strncmp(s->field[i].path, s->field[field].path, length + 1) == 0)
            return false;
    return true;
}

size_t xa_schema_bytes(const xa_schema *s)
{
    /* Measured with HDF5 1.10: 320 to 420 bytes per dataset with its two attributes and its link,
     * 880 a group, 6.5 KB the smallest archive. */
    enum { DATASET = 512, GROUP = 1024, ATTRIBUTE = 256, FILE_HEAD = 4096 };
    size_t total = FILE_HEAD;
    for (size_t i = 0; i < s->nfields; i++) {
        const xa__field *f = &s->field[i];
        /* Checked when it was added: no product overflows. The sum saturates. */
        size_t bytes = f->row_bytes * (size_t)f->dim[0];
        bytes += DATASET + (bytes >= XA__ALIGNMENT ? XA__ALIGNMENT : 0);
        /* A group is counted with the first dataset in it. */
        for (const char *p = strchr(f->path + 1, '/'); p; p = strchr(p + 1, '/'))
            if (is_new_group(s, i, (size_t)(p - f->path)))
                bytes += GROUP;
        if (!xa_size_add(total, bytes, &total))
            return SIZE_MAX;
    }
    for (size_t i = 0; i < s->nattrs; i++)
        total += ATTRIBUTE + (size_t)s->attr[i].n * s->attr[i].item_bytes;
    return total;
}

/* ---- checksums ------------------------------------------------------------------------------- */

int xa_schema_fields(const xa_schema *s)
{
    return (int)s->nfields;
}

size_t xa_schema_row_bytes(const xa_schema *s, int field)
{
    return field >= 0 && (size_t)field < s->nfields ? s->field[field].row_bytes : 0;
}

/* The checksums that cover a field, as a field; its kind is XA_FIELD_KINDS where none do. */
static xa_status
sums_of(const xa__field *f, xa_field_spec *spec, xa_field_names *names, xa_err *err)
{
    xa_field_kind kind;
    *spec = (xa_field_spec){.kind = xa_field_checksum(f->kind)};
    if (spec->kind == XA_FIELD_KINDS)
        return XA_OK;
    if (!xa_field_match(f->path, f->type, &kind, names))
        XA_RETURN_FAIL(err, XA_INVALID, "%s: not in the format's table", f->path);
    const char *pattern = xa_field_get(spec->kind)->path;
    spec->model = strstr(pattern, "<m>") ? names->model : NULL;
    spec->explainer = strstr(pattern, "<e>") ? names->explainer : NULL;
    spec->key = strstr(pattern, "<k>") ? names->key : NULL;
    spec->type = XA_TYPE_COUNT;
    spec->ndim = 1;
    spec->dim[0] = f->dim[0];
    return XA_OK;
}

static int find_path(const xa_schema *s, const char *path)
{
    for (size_t i = 0; i < s->nfields; i++)
        if (strcmp(s->field[i].path, path) == 0)
            return (int)i;
    return -1;
}

xa_status xa_schema_add_checksums(xa_schema *s, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str path = {0};
    const size_t n = s->nfields;
    for (size_t i = 0; i < n; i++) {
        xa_field_spec spec;
        xa_field_names names;
        int field;
        XA_TRY(err, sums_of(&s->field[i], &spec, &names, err));
        if (spec.kind == XA_FIELD_KINDS)
            continue;
        xa_str_free(&path);
        path = (xa_str){0};
        XA_TRY(err, expand(xa_field_get(spec.kind), &spec, &path, err));
        const int there = find_path(s, path.data);
        if (there >= 0 && s->field[there].dim[0] != spec.dim[0])
            XA_FAIL(err, XA_INVALID, "%s: other rows than %s", s->field[i].path, path.data);
        if (there < 0)
            XA_TRY(err, xa_schema_add(s, &spec, &field, err));
    }
done:
    xa_str_free(&path);
    return st;
}

int xa_schema_checksum(const xa_schema *s, int field, uint64_t *seed)
{
    char path[sizeof((xa_dataset_info *)0)->path];
    if (field < 0 || (size_t)field >= s->nfields)
        return -1;
    const xa__field *f = &s->field[field];
    if (!xa_checksum_path(f->path, f->type, path, sizeof path))
        return -1;
    *seed = xa_checksum_seed(f->path);
    return find_path(s, path);
}
