/* Charts of the data set, inside the page as SVG. */
#include <string.h>

#include "report_internal.h"

/* Draws a chart. It is left out if the archive has no data for it, and in a build without cairo:
 * the tables hold the same numbers. prefix: begins the ids inside, and differs between charts. */
static xa_status
draw(const xa_plotting *with, xa_plot_kind kind, const char *prefix, xa_str *svg, xa_err *err)
{
    xa_plot_page page = {0};
    xa_status st = xa_plot_make(with, kind, &page, err);
    if (st == XA_OK && !page.is_panel)
        st = xa_chart_svg(&page.chart, prefix, svg, err);
    xa_plot_page_free(&page);
    if (st == XA_NOT_FOUND || st == XA_UNSUPPORTED) {
        *err = (xa_err)XA_ERR_INIT;
        st = XA_OK;
    }
    return st;
}

static xa_status put_chart(FILE *out,
                           xa_summary *s,
                           const xa_stats_plan *plan,
                           const char *model,
                           xa_plot_kind kind,
                           int number,
                           xa_err *err)
{
    xa_str svg = {0};
    char prefix[16];
    const xa_plotting with = {
        .s = s, .plan = plan, .model = model, .width_mm = 170.0, .font_pt = 8.0};
    snprintf(prefix, sizeof prefix, "p%d-", number);
    const xa_status st = draw(&with, kind, prefix, &svg, err);
    if (st == XA_OK && svg.len)
        XA__PUT(out,
                xa__report_page_chart,
                "svg",
                svg.data,
                "model",
                model,
                "what",
                xa_plot_what(kind));
    xa_str_free(&svg);
    XA_RETURN_TRY(err, st);
    return XA_OK;
}

xa_status xa__report_charts(
    FILE *out, xa_summary *s, xa_summary *by_class, const xa_stats_plan *plan, xa_err *err)
{
    int number = 0;
    for (int64_t m = 0; m < s->r->nmodels; m++)
        for (int k = 0; k < XA_PLOT_KINDS; k++) {
            xa_summary *of = k == XA_PLOT_CLASSES ? by_class : s;
            XA_RETURN_TRY(
                err,
                put_chart(out, of, plan, of->r->models[m].name, (xa_plot_kind)k, number++, err));
        }
    return XA_OK;
}
