/* The rows that the format's table describes: their memory, and what they hold before a sample is
 * done. */
#include <stdlib.h>
#include <string.h>

#include "audit_internal.h"

bool xa_audit_stores(const xa_audit_spec *s, xa_field_kind kind)
{
    const bool picture =
        kind == XA_FIELD_SAMPLE_THUMBNAIL || kind == XA_FIELD_SAMPLE_THUMBNAIL_SIZE;
    return !picture || s->thumbnails > 0;
}

bool xa_map_stores(const xa_explainer_spec *e, xa_field_kind kind)
{
    const unsigned keeps = xa_explainer_get(e->kind)->keeps;
    switch (kind) {
    case XA_FIELD_MAP_COMPLETENESS:
    case XA_FIELD_MAP_EXPLAINED:
        return keeps & XA_KEEPS_COMPLETENESS;
    case XA_FIELD_MAP_PREFIX_MASS:
        return keeps & XA_KEEPS_PREFIX_MASS;
    case XA_FIELD_MAP_NEAREST:
        return e->score == XA_SCORE_FINER && xa_explainer_differentiates(e->kind);
    default:
        return true;
    }
}

static size_t item_bytes(xa_field_kind kind)
{
    const xa_field_def *def = xa_field_get(kind);
    return def->type == XA_TYPE_STR ? def->bytes : xa_type_bytes(def->type);
}

/* Items in a row of the field; m: of which model, -1: of none. */
static size_t row_items(const xa_audit *a, int m, xa_field_kind kind)
{
    xa_extents x = xa_extents_unknown();
    x.classes = m >= 0 ? xa_audit_classes(a, m) : -1;
    x.side = a->spec->thumbnails;
    return xa_field_row_items(kind, &x);
}

xa_status xa__columns_grow(
    const xa_audit *a, int m, const xa__columns *c, int64_t have, int64_t need, xa_err *err)
{
    for (int i = 0; i < c->n; i++) {
        const xa_field_kind kind = xa_owned_field(c->owner, i);
        size_t cap = (size_t)have;
        if (xa_audit_stores(a->spec, kind))
            XA_RETURN_TRY(err,
                          xa_grow(&c->data[i],
                                  &cap,
                                  (size_t)need,
                                  row_items(a, m, kind) * item_bytes(kind),
                                  err));
    }
    return XA_OK;
}

void xa__columns_reset(const xa_audit *a, int m, const xa__columns *c, int64_t first, int64_t n)
{
    for (int i = 0; i < c->n; i++) {
        const xa_field_kind kind = xa_owned_field(c->owner, i);
        const size_t items = row_items(a, m, kind), bytes = item_bytes(kind);
        if (c->data[i])
            xa_field_fill(kind,
                          xa_field_get(kind)->type,
                          (unsigned char *)c->data[i] + (size_t)first * items * bytes,
                          (size_t)n * items,
                          bytes);
    }
}

void xa__columns_free(const xa__columns *c)
{
    for (int i = 0; i < c->n; i++)
        free(c->data[i]);
}

xa__columns xa__sample_columns(xa_rows *r)
{
    return (xa__columns){XA_OWNER_SAMPLE, XA_FIELDS_OF(SAMPLE), r->sample};
}

xa__columns xa__annotation_columns(xa_rows *r)
{
    return (xa__columns){XA_OWNER_ANNOTATION, XA_FIELDS_OF(ANNOTATION), r->annotation};
}

xa__columns xa__model_columns(xa_model_rows *r)
{
    return (xa__columns){XA_OWNER_MODEL, XA_FIELDS_OF(MODEL), r->column};
}

xa__columns xa__map_columns(xa_map_rows *r)
{
    return (xa__columns){XA_OWNER_MAP, XA_FIELDS_OF(MAP), r->column};
}
