/* Is an archive whole? The walk over its groups. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify_internal.h"

/* A group that is not there has no members. */
static xa_status list(xa__verifier *v, const char *group, char ***names, int64_t *n, xa_err *err)
{
    *names = NULL;
    *n = 0;
    const xa_status st = xa_archive_list(v->archive, group, names, n, err);
    return st == XA_NOT_FOUND ? XA_OK : st;
}

static xa_status check_model(xa__verifier *v, const char *model, xa_err *err)
{
    uint8_t *status = v->models[v->nmodels].status;
    char **maps = NULL;
    int64_t nmaps = 0, classes = 0;
    bool usable = false;
    xa_status st = XA_OK;
    const xa_path group = xa_field_group(XA_FIELD_MAP_SAMPLE, model, NULL);
    XA_TRY(err, xa__verify_model(v, model, status, &classes, &usable, err));
    if (!usable)
        goto done;
    XA_TRY(err, list(v, group.text, &maps, &nmaps, err));
    v->classes = classes > v->classes ? classes : v->classes;
    v->models[v->nmodels].model = xa_strdup(model);
    if (!v->models[v->nmodels].model)
        XA_NOMEM_FAIL(err);
    v->nmodels++; /* its status stays */
    for (int64_t e = 0; e < nmaps; e++) {
        XA_TRY(err, xa__verify_maps(v, model, maps[e], status, classes, err));
        v->out->explainers++;
    }
done:
    xa_free_texts(maps, nmaps);
    return st;
}

/* Of which minor version of the format the archive's tables are: an evaluation has those of its
 * source. */
static xa_status note_version(xa__verifier *v, xa_err *err)
{
    char *text = NULL;
    int64_t minor = 0;
    XA_RETURN_TRY(err, xa_archive_attr_text(v->archive, "/", "tables_format", &text, err));
    if (!text)
        XA_RETURN_TRY(err, xa_archive_attr_text(v->archive, "/", "format_version", &text, err));
    const char *dot = text ? strchr(text, '.') : NULL;
    v->older = !dot || !xa_parse_i64(dot + 1, &minor) || minor < XA_FORMAT_MINOR;
    free(text);
    return XA_OK;
}

static void check_state(xa__verifier *v)
{
    const char *path = xa_field_path(XA_FIELD_RUN_STATE);
    xa_err why = XA_ERR_INIT;
    if (xa_archive_read(v->archive, path, 0, 1, &v->out->state, &why) != XA_OK)
        xa__report(v, XA_FINDING_DAMAGE, "%s: %s", path, why.message);
    else if (v->out->state > 2)
        xa__report_row(
            v, XA_MENDED_BY_RUN, "%s: expected 0, 1 or 2, found %d", path, v->out->state);
}

/* Maps of a model that is not there. */
static bool is_among(const char *name, char **names, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static xa_status check_models(xa__verifier *v, xa_err *err)
{
    char **models = NULL, **mapped = NULL;
    int64_t nmodels = 0, nmapped = 0;
    xa_status st = XA_OK;
    XA_TRY(err, list(v, XA_GROUP_MODELS, &models, &nmodels, err));
    v->models = xa_alloc((size_t)nmodels + 1, sizeof *v->models);
    if (!v->models)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, list(v, XA_GROUP_MAPS, &mapped, &nmapped, err));
    if (!nmodels)
        xa__report(v, XA_FINDING_DAMAGE, XA_GROUP_MODELS ": expected a model, found none");
    for (int64_t m = 0; m < nmodels; m++) {
        uint8_t **status = &v->models[v->nmodels].status;
        if (!*status)
            *status = xa_alloc((size_t)v->samples + 1, 1);
        if (!*status)
            XA_FAIL(err, XA_NOMEM, "out of memory for %" PRId64 " statuses", v->samples);
        XA_TRY(err, check_model(v, models[m], err));
        v->out->models++;
    }
    for (int64_t m = 0; m < nmapped; m++)
        if (!is_among(mapped[m], models, nmodels))
            xa__report(v,
                       XA_FINDING_DAMAGE,
                       "%s: there is no model of this name in " XA_GROUP_MODELS,
                       xa_field_group(XA_FIELD_MAP_SAMPLE, mapped[m], NULL).text);
done:
    xa_free_texts(models, nmodels);
    xa_free_texts(mapped, nmapped);
    return st;
}

static void fini(xa__verifier *v)
{
    for (int64_t m = 0; v->models && m <= v->nmodels; m++) { /* one more may have been begun */
        free(v->models[m].model);
        free(v->models[m].status);
    }
    free(v->models);
    free(v->measured);
    free(v->excluded);
    free(v->reported);
    free(v->doubted);
    if (v->archive && xa_archive_close(v->archive, NULL) != XA_OK)
        xa_log(XA_LOG_DEBUG, "archive: closing failed");
}

xa_status xa_verify(const char *path, const xa_verify_options *opt, xa_verified *out, xa_err *err)
{
    xa__verifier v = {.opt = opt, .out = out, .pairs = -1};
    const xa_extents any = xa_extents_unknown();
    xa__column id;
    xa_status st = XA_OK;
    *out = (xa_verified){0};
    XA_TRY(err, xa_archive_open_read(path, &v.archive, err));
    XA_TRY(err, note_version(&v, err));
    check_state(&v);
    if (!xa__verify_find(&v, &id, XA_FIELD_SAMPLE_ID, NULL, NULL, &any))
        goto done;
    v.measured = xa_alloc((size_t)id.info.dim[0] + 1, 1);
    v.excluded = xa_alloc((size_t)id.info.dim[0] + 1, 1);
    v.reported = xa_alloc((size_t)id.info.dim[0] + 1, 1);
    v.doubted = xa_alloc((size_t)id.info.dim[0] + 1, 1);
    if (!v.measured || !v.excluded || !v.reported || !v.doubted)
        XA_FAIL(err, XA_NOMEM, "out of memory for %" PRId64 " samples", id.info.dim[0]);
    out->samples = v.samples = id.info.dim[0];
    XA_TRY(err, xa__verify_tables(&v, err));
    XA_TRY(err, check_models(&v, err));
    if (v.classes)
        XA_TRY(err, xa__verify_classes(&v, v.classes, err));
    XA_TRY(err, xa__verify_sums(&v, err));
    if (opt->images)
        XA_TRY(err, xa__verify_images(&v, err));
done:
    fini(&v);
    return st;
}
