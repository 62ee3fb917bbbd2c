/* The loader of vision transformers in safetensors files. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "vit.h"

/* Is it the index of a model in several files: "model.safetensors.index.json"? */
static bool is_index(const char *path)
{
    return xa_str_ends(path, ".safetensors.index.json");
}

/* Of how many files this is one, by its name: "model-00001-of-00003.safetensors"; 1: it is the
 * whole model. */
static int64_t shards_of(const char *path)
{
    static const char ending[] = ".safetensors", of[] = "-of-";
    enum { DIGITS = 5 };
    char count[DIGITS + 1] = "";
    const size_t n = strlen(path), tail = sizeof ending - 1 + DIGITS;
    int64_t shards;
    if (!xa_str_ends(path, ending) || n < tail + sizeof of - 1 ||
        strncmp(path + n - tail - (sizeof of - 1), of, sizeof of - 1) != 0)
        return 1;
    memcpy(count, path + n - tail, DIGITS);
    return xa_parse_i64(count, &shards) ? shards : 1;
}

static xa_status refuse_parts(const char *path, xa_err *err)
{
    const int64_t shards = shards_of(path);
    static const char join[] =
        "from glob import glob; from safetensors.torch import load_file, save_file; save_file({k: "
        "v "
        "for f in glob('model-*-of-*.safetensors') for k, v in load_file(f).items()}, "
        "'model.safetensors')";
    if (is_index(path))
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: the index of a model that lies in several safetensors files; xaudit "
                       "reads one file, so join them in Python: %s",
                       path,
                       join);
    if (shards > 1)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: one shard of %" PRId64 " of a model that lies in several safetensors "
                       "files; xaudit reads one file, so join them in Python: %s",
                       path,
                       shards,
                       join);
    return XA_OK;
}

static bool recognises(const char *path, const unsigned char *start, size_t n)
{
    return xa__sfile_recognises(start, n) || is_index(path);
}

static xa_status open_file(xa_model *m, const xa_model_options *opt, xa_err *err)
{
    xa__vit *v = xa_alloc(1, sizeof *v);
    if (!v)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    m->source = (xa__model_source *)v;
    XA_RETURN_TRY(err, refuse_parts(m->path, err));
    XA_RETURN_TRY(err, xa__sfile_open(m->path, opt->max_config_bytes, &v->file, err));
    XA_RETURN_TRY(err, xa__vit_find_parts(v, err));
    XA_RETURN_TRY(err, xa__vit_read_config(v, opt, m, err));
    XA_RETURN_TRY(err, xa__vit_check_names(v, err));
    XA_RETURN_TRY(err, xa__vit_measure(v, err));
    XA_RETURN_TRY(err, xa__vit_check_extents(v, err));
    XA_RETURN_TRY(err, xa__vit_configure(v, m, err));
    XA_RETURN_TRY(err, xa__vit_build(v, m, opt, err));
    return xa__vit_check_read(v, err);
}

static xa_status read_weight(xa_model *m, const xa_weight *w, float *dst, xa_err *err)
{
    return xa__vit_read_piece((xa__vit *)m->source, w, dst, err);
}

static void close_file(xa__model_source *s)
{
    if (s)
        xa__sfile_close(((xa__vit *)s)->file);
}

static void free_source(xa__model_source *s)
{
    xa__vit *v = (xa__vit *)s;
    if (!v)
        return;
    xa__sfile_free(v->file);
    json_decref(v->json);
    free(v->config);
    free(v->part);
    free(v->read);
    free(v->pieces);
    free(v);
}

const xa__model_format xa__model_format_safetensors = {.name = "safetensors",
                                                       .recognises = recognises,
                                                       .open = open_file,
                                                       .read = read_weight,
                                                       .close = close_file,
                                                       .free = free_source};
