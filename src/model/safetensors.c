/* safetensors files of vision transformers. */
#include <jansson.h>
#include <stdlib.h>

#include "vit.h"

static bool recognises(const char *path, const unsigned char *start, size_t n)
{
    (void)path;
    return xa_sfile_recognises(start, n);
}

static xa_status open_file(xa_model *m, const xa_model_options *opt, xa_err *err)
{
    xa_vit *v = xa_alloc(1, sizeof *v);
    if (!v)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    m->source = (xa_model_source *)v;
    XA_RETURN_TRY(err, xa_sfile_open(m->path, opt->max_config_bytes, &v->file, err));
    XA_RETURN_TRY(err, xa_vit_find_parts(v, err));
    XA_RETURN_TRY(err, xa_vit_read_config(v, opt, m, err));
    XA_RETURN_TRY(err, xa_vit_check_names(v, err));
    XA_RETURN_TRY(err, xa_vit_measure(v, err));
    XA_RETURN_TRY(err, xa_vit_check_extents(v, err));
    XA_RETURN_TRY(err, xa_vit_configure(v, m, err));
    XA_RETURN_TRY(err, xa_vit_build(v, m, opt, err));
    return xa_vit_check_read(v, err);
}

static xa_status read_weight(xa_model *m, const xa_weight *w, float *dst, xa_err *err)
{
    return xa_vit_read_piece((xa_vit *)m->source, w, dst, err);
}

static void close_file(xa_model_source *s)
{
    if (s)
        xa_sfile_close(((xa_vit *)s)->file);
}

static void free_source(xa_model_source *s)
{
    xa_vit *v = (xa_vit *)s;
    if (!v)
        return;
    xa_sfile_free(v->file);
    json_decref(v->json);
    free(v->config);
    free(v->part);
    free(v->read);
    free(v->pieces);
    free(v);
}

const xa_model_format xa_model_format_safetensors = {.name = "safetensors",
                                                     .recognises = recognises,
                                                     .open = open_file,
                                                     .read = read_weight,
                                                     .close = close_file,
                                                     .free = free_source};
