/* From an archive's scores to charts: which charts there are, and what a page of one owns. */
#include <stdlib.h>
#include <string.h>

#include "chart_internal.h"

typedef xa_status make_fn(xa__maker *k, xa_err *err);

static const struct {
    const char *name, *what;
    make_fn *make;
} kinds[XA_PLOT_KINDS] = {
#define X(kind, word, what) [XA_PLOT_##kind] = {#word, what, xa__plot_##word},
    XA_PLOT_LIST(X)
#undef X
};

int xa_plot_parse(const char *name)
{
    for (int k = 0; k < XA_PLOT_KINDS; k++)
        if (!strcmp(name, kinds[k].name))
            return k;
    return -1;
}

const char *xa_plot_name(xa_plot_kind k)
{
    return kinds[k].name;
}

const char *xa_plot_what(xa_plot_kind k)
{
    return kinds[k].what;
}

xa_status xa__plot_own(xa_plot_page *o, size_t n, size_t bytes, void *out_ptr, xa_err *err)
{
    void *p = xa_alloc(n + 1, bytes);
    if (!p || xa_grow(&o->owned, &o->cap, o->nowned + 1, sizeof *o->owned, err) != XA_OK) {
        free(p);
        XA_RETURN_FAIL(err, XA_NOMEM, "chart: out of memory");
    }
    o->owned[o->nowned++] = p;
    memcpy(out_ptr, &p, sizeof p);
    return XA_OK;
}

xa_status xa__plot_own_text(xa_plot_page *o, char *text, const char **out, xa_err *err)
{
    if (!text || xa_grow(&o->owned, &o->cap, o->nowned + 1, sizeof *o->owned, err) != XA_OK) {
        free(text);
        XA_RETURN_FAIL(err, XA_NOMEM, "chart: out of memory");
    }
    o->owned[o->nowned++] = text;
    *out = text;
    return XA_OK;
}

void xa_plot_page_free(xa_plot_page *p)
{
    for (int i = 0; i < p->npictures; i++)
        xa_image_fini(&p->pictures[i]);
    for (size_t i = 0; i < p->nowned; i++)
        free(p->owned[i]);
    free(p->owned);
    *p = (xa_plot_page){0};
}

static xa_status find_model(xa__maker *k, xa_err *err)
{
    const xa_read *r = k->p->s->r;
    for (int64_t m = 0; m < r->nmodels && !k->m; m++)
        if (!k->p->model || !strcmp(k->p->model, r->models[m].name))
            k->m = &r->models[m];
    if (!k->m)
        XA_RETURN_FAIL(err,
                       XA_NOT_FOUND,
                       "%s: no model \"%s\"",
                       k->p->s->path,
                       k->p->model ? k->p->model : "");
    return XA_OK;
}

xa_status xa_plot_make(const xa_plotting *p, xa_plot_kind kind, xa_plot_page *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_plot_page o = {0};
    xa__maker k = {.p = p, .o = &o};
    XA_TRY(err, find_model(&k, err));
    XA_TRY(err, kinds[kind].make(&k, err));
    o.chart.width_mm = p->width_mm;
    o.chart.font_pt = p->font_pt;
    *out = o;
    o = (xa_plot_page){0};
done:
    xa_plot_page_free(&o);
    return st;
}
