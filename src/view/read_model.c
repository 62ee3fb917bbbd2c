/* A model of an archive, with its explainers. */
#include <stdlib.h>
#include <string.h>

#include "view_internal.h"
#include "xaudit/model.h"

/* Scores of the explainer's maps against annotations; an archive without metrics has none. */
static xa_status load_localisation(xa_read *r, const char *model, xa_read_map *x, xa_err *err)
{
    const xa_path group = xa_field_group(XA_FIELD_LOCALISATION, model, x->name);
    const xa_extents extents = xa__extents(r);
    x->pointing = -1;
    XA_RETURN_TRY(err, xa__load_names(r, group.text, &x->metrics, &x->nmetrics, err));
    for (int64_t k = x->nmetrics - 1; k >= 0; k--) {
        const xa_path path = xa_field_name(XA_FIELD_LOCALISATION, model, x->name, x->metrics[k]);
        char *kind = NULL;
        XA_RETURN_TRY(err, xa_archive_attr_text(r->archive, path.text, "metric", &kind, err));
        if (kind && !strcmp(kind, xa_metric_kind_name(XA_METRIC_POINTING_GAME)))
            x->pointing = k;
        free(kind);
    }
    x->localisation = xa_alloc((size_t)x->nmetrics + 1, sizeof(double *));
    if (!x->localisation)
        XA_RETURN_NOMEM(err);
    for (int64_t k = 0; k < x->nmetrics; k++) {
        xa_field_names n;
        XA_RETURN_TRY(err, xa__names_of(model, x->name, x->metrics[k], &n, err));
        XA_RETURN_TRY(
            err, xa__load(r, XA_FIELD_LOCALISATION, &n, &extents, &x->localisation[k], NULL, err));
    }
    return XA_OK;
}

/* The rule; archives of another release may have one that is not known: NONE, as it explains no
 * class that this one could name. */
static xa_status load_target(xa_read *r, const char *group, xa_read_map *x, xa_err *err)
{
    char *rule = NULL, *direction = NULL;
    xa_status st = XA_OK;
    double minus = -1.0;
    int64_t n = 0;
    XA_TRY(err, xa_archive_attr_text(r->archive, group, "target", &rule, err));
    XA_TRY(err, xa_archive_attr_text(r->archive, group, "direction", &direction, err));
    XA_TRY(err, xa_archive_attr_f64(r->archive, group, "target_minus", &minus, 1, &n, err));
    const int k = rule ? xa_target_parse(rule) : -1;
    x->rule = k >= 0 ? (xa_target_rule)k : XA_TARGET_NONE;
    x->down = direction && !strcmp(direction, "down");
    x->minus = n == 1 && minus >= 0.0 && minus <= INT32_MAX ? (int32_t)minus : -1;
done:
    free(rule);
    free(direction);
    return st;
}

static xa_status load_map(xa_read *r, const xa_read_model *m, xa_read_map *x, xa_err *err)
{
    const char *model = m->name;
    const xa_path group = xa_field_group(XA_FIELD_MAP_SAMPLE, model, x->name);
    const struct {
        xa_field_kind kind;
        void *to;
    } columns[] = {{XA_FIELD_MAP_TARGET, &x->target},
                   {XA_FIELD_MAP_FLAGS, &x->flags},
                   {XA_FIELD_MAP_MAXIMUM, &x->maximum},
                   {XA_FIELD_MAP_PEAK, &x->peak}};
    xa_extents extents = xa__extents(r);
    xa_dataset_info info;
    xa_field_names n;
    XA_RETURN_TRY(err, xa__names_of(model, x->name, NULL, &n, err));
    XA_RETURN_TRY(err, xa__load(r, XA_FIELD_MAP_SAMPLE, &n, &extents, &x->sample, &info, err));
    extents.rows = info.dim[0];
    XA_RETURN_TRY(err, xa__check_indices(info.path, x->sample, extents.rows, r->samples, err));
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        XA_RETURN_TRY(err, xa__load(r, columns[i].kind, &n, &extents, columns[i].to, NULL, err));
    x->rows = extents.rows;
    XA_RETURN_TRY(err, xa_archive_attr_text(r->archive, group.text, "layer", &x->layer, err));
    XA_RETURN_TRY(err, xa_archive_attr_text(r->archive, group.text, "kind", &x->kind, err));
    XA_RETURN_TRY(err, xa_archive_attr_text(r->archive, group.text, "title", &x->title, err));
    XA_RETURN_TRY(
        err, xa__load_any(r, XA_FIELD_MAP_COMPLETENESS, &n, &extents, &x->completeness, NULL, err));
    XA_RETURN_TRY(err,
                  xa__load_any(r, XA_FIELD_MAP_EXPLAINED, &n, &extents, &x->explained, NULL, err));
    XA_RETURN_TRY(err, load_target(r, group.text, x, err));
    for (int k = 0; k < XA_CHECK_COUNT; k++) { /* those that the job asked for */
        XA_RETURN_TRY(err, xa__names_of(model, x->name, xa_check_name((xa_check_kind)k), &n, err));
        XA_RETURN_TRY(err,
                      xa__load_any(r, XA_FIELD_MAP_SCORE, &n, &extents, &x->check[k], NULL, err));
    }
    XA_RETURN_TRY(err, xa__load_checked(r, m, x, err));
    return load_localisation(r, model, x, err);
}

static xa_status load_maps(xa_read *r, xa_read_model *m, xa_err *err)
{
    const xa_path group = xa_field_group(XA_FIELD_MAP_SAMPLE, m->name, NULL);
    char **names = NULL;
    int64_t n = 0;
    XA_RETURN_TRY(err, xa__load_names(r, group.text, &names, &n, err));
    m->maps = xa_alloc((size_t)n + 1, sizeof(xa_read_map));
    if (!m->maps) {
        xa_free_texts(names, n);
        XA_RETURN_NOMEM(err);
    }
    m->nmaps = n;
    for (int64_t e = 0; e < n; e++)
        m->maps[e].name = names[e]; /* the model's from here on */
    free(names);
    for (int64_t e = 0; e < n; e++) {
        XA_RETURN_TRY(err, load_map(r, m, &m->maps[e], err));
        XA_RETURN_TRY(err, xa__check_map(r, m, &m->maps[e], err));
    }
    return XA_OK;
}

/* Probabilities, and logits where classes are ranked or categories choose their class by them. Of
 * an outcome only how many classes there are. */
static xa_status
load_scores(xa_read *r, bool outcome, const xa_field_names *n, xa_read_model *m, xa_err *err)
{
    const xa_path group = xa_field_group(XA_FIELD_MODEL_STATUS, m->name, NULL);
    xa_extents x = xa__extents(r);
    xa_dataset_info info;
    char *head = NULL;
    XA_RETURN_TRY(err,
                  outcome ? xa__load_info(r, XA_FIELD_MODEL_PROBS, n, &x, &info, err)
                          : xa__load(r, XA_FIELD_MODEL_PROBS, n, &x, &m->probs, &info, err));
    x.classes = m->classes = info.dim[1];
    m->rank_by = m->probs;
    m->categories = &r->categories;
    XA_RETURN_TRY(err, xa_archive_attr_text(r->archive, group.text, "head", &head, err));
    const int kind = head ? xa_head_parse(head) : -1;
    m->values = kind == XA_HEAD_REGRESSION;
    free(head);
    if (outcome)
        return XA_OK;
    if (kind >= 0 && !xa_head_has_probs((xa_head_kind)kind)) {
        XA_RETURN_TRY(err, xa__load(r, XA_FIELD_MODEL_LOGITS, n, &x, &m->logits, NULL, err));
        m->rank_by = m->logits;
    }
    if (r->categories.count)
        XA_RETURN_TRY(err, xa__load(r, XA_FIELD_MODEL_LOGITS, n, &x, &m->set_logits, NULL, err));
    return XA_OK;
}

xa_status xa__read_model(xa_read *r, bool outcome, xa_read_model *m, xa_err *err)
{
    xa_extents x = xa__extents(r);
    xa_dataset_info info = {.ndim = 0};
    xa_field_names n;
    XA_RETURN_TRY(err, xa__names_of(m->name, NULL, NULL, &n, err));
    XA_RETURN_TRY(err, xa__load(r, XA_FIELD_MODEL_STATUS, &n, &x, &m->status, NULL, err));
    XA_RETURN_TRY(err, xa__load(r, XA_FIELD_MODEL_STAGE, &n, &x, &m->stage, NULL, err));
    XA_RETURN_TRY(err, xa__load(r, XA_FIELD_MODEL_PREDICTED, &n, &x, &m->predicted, NULL, err));
    XA_RETURN_TRY(err, load_scores(r, outcome, &n, m, err));
    XA_RETURN_TRY(err, xa__check_model(r, m, err));
    XA_RETURN_TRY(err, xa__load(r, XA_FIELD_MODEL_MESSAGE, &n, &x, &m->message, &info, err));
    m->message_bytes = info.item_bytes;
    XA_RETURN_TRY(err,
                  xa__load_any(r, XA_FIELD_MODEL_CLASS_NAMES, &n, &x, &m->class_names, &info, err));
    if (m->class_names) {
        m->class_name_bytes = info.item_bytes;
        m->nnames = info.dim[0];
    }
    return outcome ? XA_OK : load_maps(r, m, err);
}

static void free_map(xa_read_map *x)
{
    free(x->name);
    free(x->sample);
    free(x->target);
    free(x->flags);
    free(x->completeness);
    free(x->explained);
    free(x->maximum);
    free(x->peak);
    free(x->layer);
    free(x->kind);
    free(x->title);
    for (int k = 0; k < XA_CHECK_COUNT; k++)
        free(x->check[k]);
    xa__free_checked(x);
    for (int64_t k = 0; x->localisation && k < x->nmetrics; k++)
        free(x->localisation[k]);
    free(x->localisation);
    xa_free_texts(x->metrics, x->nmetrics);
}

void xa__free_model(xa_read_model *m)
{
    free(m->name);
    free(m->class_names);
    free(m->status);
    free(m->stage);
    free(m->predicted);
    free(m->probs);
    free(m->logits);
    free(m->set_logits);
    free(m->message);
    for (int64_t e = 0; m->maps && e < m->nmaps; e++)
        free_map(&m->maps[e]);
    free(m->maps);
}
