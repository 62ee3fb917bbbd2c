/* Checks beside their rivals. */
#include <math.h>
#include <string.h>

#include "summary_internal.h"

static const char minus[] = "minus_";

bool xa_series_is_head(const xa_series *x)
{
    return x->checked && x->figure == 0 && !x->baseline;
}

const char *xa_series_direction(const xa_series *x)
{
    return x->better > 0   ? "larger is better"
           : x->better < 0 ? "smaller is better"
                           : "neither larger nor smaller is better";
}

bool xa_series_is_difference(const xa_series *x, xa_rival_kind *rival)
{
    if (!x->checked || x->baseline)
        return false;
    const char *own = x->checked->figure[x->figure] + strlen(x->checked->name) + 1;
    if (strncmp(own, minus, sizeof minus - 1) != 0)
        return false;
    for (int k = 0; k < XA_RIVAL_COUNT; k++)
        if (!strcmp(own + sizeof minus - 1, xa_rival_name((xa_rival_kind)k))) {
            if (rival)
                *rival = (xa_rival_kind)k;
            return true;
        }
    return false; /* of a later version */
}

static xa_status make(
    const xa_series *head, const double *difference, xa_rival_kind rival, xa_series *x, xa_err *err)
{
    double *value = xa_alloc((size_t)head->n + 1, sizeof *value);
    *x = *head;
    x->baseline = true;
    x->value = value;
    x->explainer = xa_strfmt("%s.%s", head->explainer, xa_rival_name(rival));
    x->metric = xa_strdup(head->metric);
    x->kind = xa_strdup(head->kind);
    x->conventions = xa_strdup(head->conventions);
    x->from_split = NULL;
    if (!value || !x->explainer || !x->metric || !x->kind || !x->conventions)
        XA_RETURN_NOMEM(err);
    for (int64_t q = 0; q < head->n; q++)
        value[q] = head->value[q] - difference[q];
    return XA_OK;
}

xa_status
xa_summary_rivals(const xa_series *head, xa_series out[XA_RIVAL_COUNT], int *n, xa_err *err)
{
    xa_status st = XA_OK;
    *n = 0;
    for (int k = 0; k < XA_RIVAL_COUNT && st == XA_OK; k++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s", minus, xa_rival_name((xa_rival_kind)k));
        const int64_t f = xa_read_figure(head->checked, name);
        if (f >= 0)
            st = make(head, head->checked->value[f], (xa_rival_kind)k, &out[(*n)++], err);
    }
    while (st != XA_OK && *n)
        xa_series_free(&out[--*n]);
    return st;
}

xa_status xa__summary_difference_of(
    const xa_summary *s, const xa_series *head, xa_series *out, bool *any, xa_err *err)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s", minus, xa_rival_name(XA_RIVAL_RANDOM));
    const int64_t f = xa_read_figure(head->checked, name);
    *any = f >= 0;
    for (int i = 0; i < s->nseries && *any; i++)
        *any = s->series[i].checked != head->checked || s->series[i].figure != f;
    if (!*any)
        return XA_OK;
    *out = *head;
    out->metric = head->checked->figure[f];
    out->value = head->checked->value[f];
    out->better = head->checked->better[f];
    out->figure = f;
    out->kind = xa_strdup(out->metric);
    out->conventions = xa_strdup(head->checked->text[f]);
    out->from_split = NULL;
    if (out->kind && out->conventions)
        return XA_OK;
    xa_series_free(out);
    XA_RETURN_NOMEM(err);
}
