#include "reader.h"

#include <stdlib.h>
#include <string.h>

static xa_status
load(xa_read *r, const char *path, xa_type type, void *out_ptr, xa_dataset_info *info, xa_err *err)
{
    xa_dataset_info own;
    void *data = NULL;
    XA_RETURN_TRY(err, xa_archive_read_all(r->archive, path, &own, &data, err));
    if (own.type != type) {
        free(data);
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: expected %s, found %s",
                       path,
                       xa_type_name(type),
                       own.type < XA_TYPE_COUNT ? xa_type_name(own.type)
                                                : "a type of a later format");
    }
    memcpy(out_ptr, &data, sizeof data);
    if (info)
        *info = own;
    return XA_OK;
}

/* The same for "<group>/<name>". */
static xa_status load_in(xa_read *r,
                         const char *group,
                         const char *name,
                         xa_type type,
                         void *out_ptr,
                         xa_dataset_info *info,
                         xa_err *err)
{
    char *path = xa_strfmt("%s/%s", group, name);
    if (!path)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory");
    const xa_status st = load(r, path, type, out_ptr, info, err);
    free(path);
    return st;
}

static void free_list(char **list, int64_t n)
{
    for (int64_t i = 0; list && i < n; i++)
        free(list[i]);
    free(list);
}

static xa_status load_localisation(xa_read *r, const char *model, xa_read_map *x, xa_err *err)
{
    xa_status st = XA_OK;
    char *group = xa_strfmt("/localisation/%s/%s", model, x->name);
    if (!group)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    st = xa_archive_list(r->archive, group, &x->metrics, &x->nmetrics, err);
    if (st == XA_NOT_FOUND) {
        x->nmetrics = 0;
        st = XA_OK;
        goto done;
    }
    XA_TRY(err, st);
    x->localisation = xa_alloc((size_t)x->nmetrics + 1, sizeof(double *));
    if (!x->localisation)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    for (int64_t k = 0; k < x->nmetrics; k++)
        XA_TRY(err, load_in(r, group, x->metrics[k], XA_TYPE_F64, &x->localisation[k], NULL, err));
done:
    free(group);
    return st;
}

static xa_status load_map(xa_read *r, const char *model, xa_read_map *x, xa_err *err)
{
    xa_dataset_info info;
    xa_status st = XA_OK;
    char *group = xa_strfmt("/maps/%s/%s", model, x->name);
    if (!group)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    XA_TRY(err, load_in(r, group, "sample", XA_TYPE_I64, &x->sample, &info, err));
    x->rows = info.dim[0];
    XA_TRY(err, load_in(r, group, "target", XA_TYPE_I32, &x->target, NULL, err));
    XA_TRY(err, load_in(r, group, "flags", XA_TYPE_U8, &x->flags, NULL, err));
    XA_TRY(err, load_in(r, group, "maximum", XA_TYPE_F32, &x->maximum, NULL, err));
    XA_TRY(err, load_in(r, group, "peak", XA_TYPE_F32, &x->peak, NULL, err));
    XA_TRY(err, xa_archive_attr_text(r->archive, group, "layer", &x->layer, err));
    XA_TRY(err, xa_archive_attr_text(r->archive, group, "kind", &x->kind, err));
    XA_TRY(err, load_localisation(r, model, x, err));
done:
    free(group);
    return st;
}

static xa_status load_model(xa_read *r, xa_read_model *m, xa_err *err)
{
    xa_dataset_info info;
    char **names = NULL;
    xa_status st = XA_OK;
    char *group = xa_strfmt("/models/%s", m->name), *maps = xa_strfmt("/maps/%s", m->name);
    if (!group || !maps)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    XA_TRY(err, load_in(r, group, "status", XA_TYPE_U8, &m->status, NULL, err));
    XA_TRY(err, load_in(r, group, "stage", XA_TYPE_U8, &m->stage, NULL, err));
    XA_TRY(err, load_in(r, group, "predicted", XA_TYPE_I32, &m->predicted, NULL, err));
    XA_TRY(err, load_in(r, group, "probs", XA_TYPE_F32, &m->probs, &info, err));
    m->classes = info.dim[1];
    XA_TRY(err, load_in(r, group, "message", XA_TYPE_STR, &m->message, &info, err));
    m->message_bytes = info.item_bytes;
    st = load_in(r, group, "class_names", XA_TYPE_STR, &m->class_names, &info, err);
    if (st == XA_OK) {
        m->class_name_bytes = info.item_bytes;
        m->nnames = info.dim[0];
    } else if (st != XA_NOT_FOUND) {
        goto done;
    }
    st = xa_archive_list(r->archive, maps, &names, &m->nmaps, err);
    if (st == XA_NOT_FOUND) {
        m->nmaps = 0;
        st = XA_OK;
        goto done;
    }
    XA_TRY(err, st);
    m->maps = xa_alloc((size_t)m->nmaps + 1, sizeof(xa_read_map));
    if (!m->maps)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    for (int64_t e = 0; e < m->nmaps; e++) {
        m->maps[e].name = names[e];
        names[e] = NULL;
    }
    for (int64_t e = 0; e < m->nmaps; e++)
        XA_TRY(err, load_map(r, m->name, &m->maps[e], err));
done:
    free_list(names, m->maps ? m->nmaps : 0);
    free(group);
    free(maps);
    return st;
}

xa_status xa_read_open(const char *path, xa_read **out, xa_err *err)
{
    xa_dataset_info info;
    char **names = NULL;
    xa_status st = XA_OK;
    xa_read *r = xa_alloc(1, sizeof *r);
    if (!r)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    XA_TRY(err, xa_archive_open_read(path, &r->archive, err));
    XA_TRY(err, load(r, "/samples/id", XA_TYPE_STR, &r->id, &info, err));
    r->samples = info.dim[0];
    r->id_bytes = info.item_bytes;
    XA_TRY(err, load(r, "/samples/labels/offset", XA_TYPE_I64, &r->label_offset, NULL, err));
    XA_TRY(err, load(r, "/samples/labels/value", XA_TYPE_I32, &r->label_value, NULL, err));
    XA_TRY(err, load(r, "/eval/sample", XA_TYPE_I64, &r->pair_sample, &info, err));
    r->pairs = info.dim[0];
    XA_TRY(err, load(r, "/eval/class", XA_TYPE_I32, &r->pair_class, NULL, err));
    XA_TRY(err, xa_archive_list(r->archive, "/models", &names, &r->nmodels, err));
    r->models = xa_alloc((size_t)r->nmodels + 1, sizeof(xa_read_model));
    if (!r->models)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    for (int64_t m = 0; m < r->nmodels; m++) {
        r->models[m].name = names[m];
        names[m] = NULL;
    }
    for (int64_t m = 0; m < r->nmodels; m++)
        XA_TRY(err, load_model(r, &r->models[m], err));
    *out = r;
    free(names);
    return XA_OK;
done:
    if (r)
        free_list(names, r->nmodels);
    xa_read_close(r);
    return st;
}

static void free_model(xa_read *r, xa_read_model *m)
{
    (void)r;
    free(m->name);
    free(m->class_names);
    free(m->status);
    free(m->stage);
    free(m->predicted);
    free(m->probs);
    free(m->message);
    for (int64_t e = 0; m->maps && e < m->nmaps; e++) {
        xa_read_map *x = &m->maps[e];
        free(x->name);
        free(x->sample);
        free(x->target);
        free(x->flags);
        free(x->maximum);
        free(x->peak);
        free(x->layer);
        free(x->kind);
        free_list(x->metrics, x->nmetrics);
        for (int64_t k = 0; x->localisation && k < x->nmetrics; k++)
            free(x->localisation[k]);
        free(x->localisation);
    }
    free(m->maps);
}

void xa_read_close(xa_read *r)
{
    if (!r)
        return;
    for (int64_t m = 0; r->models && m < r->nmodels; m++)
        free_model(r, &r->models[m]);
    free(r->models);
    free(r->id);
    free(r->label_offset);
    free(r->label_value);
    free(r->pair_sample);
    free(r->pair_class);
    if (r->archive && xa_archive_close(r->archive, NULL) != XA_OK)
        xa_log(XA_LOG_DEBUG, "archive: closing failed");
    free(r);
}

void xa_read_text(const char *table, size_t bytes, int64_t i, char *out, size_t size)
{
    char *copy = xa_strndup(table + (size_t)i * bytes, strnlen(table + (size_t)i * bytes, bytes));
    xa_str_sanitise(copy ? copy : "", out, size);
    free(copy);
}

const char *xa_read_class(const xa_read_model *m, int32_t c, char *buf, size_t size)
{
    if (c >= 0 && m->class_names && c < m->nnames)
        xa_read_text(m->class_names, m->class_name_bytes, c, buf, size);
    else
        snprintf(buf, size, "%d", (int)c);
    return buf;
}

bool xa_read_has_label(const xa_read *r, int64_t sample, int32_t c)
{
    for (int64_t k = r->label_offset[sample]; k < r->label_offset[sample + 1]; k++)
        if (r->label_value[k] == c)
            return true;
    return false;
}
