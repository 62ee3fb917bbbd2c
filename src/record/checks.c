/* Datasets of checks: /checks/<model>/<explainer>/<check>. */
#include "record_internal.h"

/* "a,b,c" of the figures, or of the map and its rivals. */
static void names_of(const xa_faith_shape *shape, bool blocks, xa_str *out)
{
    if (!blocks)
        for (int i = 0; i < shape->figures; i++)
            xa_str_printf(out, "%s%s", i ? "," : "", shape->figure[i]);
    for (int b = 0; blocks && b < shape->blocks; b++)
        xa_str_printf(out, "%s%s", b ? "," : "", b ? xa_rival_name((xa_rival_kind)(b - 1)) : "map");
}

static xa_status
attributes(xa_contents *c, const xa_faith_spec *spec, const xa_field_spec *name, xa_err *err)
{
    const xa_faith_shape shape = xa_faith_shape_of(spec);
    const xa_path group = xa_field_check(name->model, name->explainer, name->key);
    xa_str figures = {0}, blocks = {0}, settings = {0};
    xa_status st = XA_OK;
    names_of(&shape, false, &figures);
    names_of(&shape, true, &blocks);
    xa_faith_settings(spec, &settings);
    if (figures.failed || blocks.failed || settings.failed)
        XA_NOMEM_FAIL(err);
    const struct {
        const char *key, *text;
    } list[] = {{"kind", xa_faith_kind_name(spec->kind)},
                {"description", xa_faith_description(spec->kind)},
                {"settings", settings.data ? settings.data : ""},
                {"figures", figures.data},
                {"blocks", blocks.data ? blocks.data : ""}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        XA_TRY(err, xa_schema_attr_text(c->schema, group.text, list[i].key, list[i].text, err));
    XA_TRY(err, xa_schema_attr_i64(c->schema, group.text, "definitions", XA_FAITH_VERSION, err));
done:
    xa_str_free(&figures);
    xa_str_free(&blocks);
    xa_str_free(&settings);
    return st;
}

static xa_status add_check(xa_contents *c,
                           const xa_faith_spec *spec,
                           xa_field_spec *s,
                           int64_t rows,
                           xa_check_fields *f,
                           xa_err *err)
{
    const xa_faith_shape shape = xa_faith_shape_of(spec);
    xa_extents x = xa_counts_extents(&c->counts);
    x.rows = rows;
    x.figures = shape.figures;
    x.blocks = shape.blocks;
    x.points = shape.points;
    s->key = spec->name;
    f->scores = f->probs = -1;
    s->kind = XA_FIELD_CHECK_STATUS;
    XA_RETURN_TRY(err, xa_schema_add_field(c->schema, s, &x, &f->status, err));
    s->kind = XA_FIELD_CHECK_FIGURES;
    XA_RETURN_TRY(err, xa_schema_add_field(c->schema, s, &x, &f->figures, err));
    s->kind = XA_FIELD_CHECK_SCORES;
    if (shape.points)
        XA_RETURN_TRY(err, xa_schema_add_field(c->schema, s, &x, &f->scores, err));
    s->kind = XA_FIELD_CHECK_PROBS;
    if (shape.points && shape.probs)
        XA_RETURN_TRY(err, xa_schema_add_field(c->schema, s, &x, &f->probs, err));
    return attributes(c, spec, s, err);
}

xa_status xa__add_checks(xa_contents *c,
                         const char *model,
                         const char *explainer,
                         int64_t rows,
                         xa_map_fields *f,
                         xa_err *err)
{
    const xa_audit_spec *spec = &c->job->audit;
    xa_field_spec s = {.model = model, .explainer = explainer, .type = XA_TYPE_COUNT};
    f->faith = xa_alloc((size_t)spec->nfaith + 1, sizeof *f->faith);
    if (!f->faith)
        XA_RETURN_NOMEM(err);
    for (int k = 0; k < spec->nfaith; k++)
        XA_RETURN_TRY(err, add_check(c, &spec->faith[k], &s, rows, &f->faith[k], err));
    return XA_OK;
}
