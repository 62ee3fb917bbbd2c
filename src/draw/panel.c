/* Panels: pictures in rows and columns with headings, captions and a key, laid out once for every
 * format. Lengths here are points. */
#include "panel.h"

#ifdef XA_HAVE_CAIRO

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double aspect(const xa_tile *t)
{
    if (!t->picture || !(t->frame[0] > 0.0))
        return 0.0;
    return t->frame[1] / t->frame[0];
}

static xa_status set_widths(xa__panel *l, const xa_panel *p, xa_err *err)
{
    const double wide = 150.0; /* mm; see xa_panel */
    l->width = p->width_mm * XA__MM;
    l->margin = 0.5 * XA__MM;
    l->above = !p->row || p->width_mm < wide;
    l->gap = (l->above ? 1.2 : 1.4) * XA__MM;
    l->side = l->above ? 0.0 : 25.0 * XA__MM;
    l->name = p->font_pt;
    l->small = fmax(p->font_pt * 6.0 / 7.0, XA__LEAST_PT);
    l->letter = p->font_pt * 8.0 / 7.0;
    const double around = 2.0 * l->margin + l->side + (p->columns - 1) * l->gap;
    l->cell = (l->width - around) / p->columns;
    const double least = 4.0 * p->font_pt; /* a picture and its score below it */
    if (l->cell < least)
        XA_RETURN_FAIL(
            err,
            XA_SHAPE,
            "a figure of %g mm leaves %.1f mm for each of %d columns: make it at least %.0f mm "
            "wide, or take fewer",
            p->width_mm,
            l->cell / XA__MM,
            p->columns,
            ceil((around + least * p->columns) / XA__MM));
    return XA_OK;
}

static xa_status lay_out(xa__panel *l, const xa_panel *p, const xa__ink *k, xa_err *err)
{
    *l = (xa__panel){.p = p};
    l->row = xa_alloc((size_t)p->rows + 1, sizeof *l->row);
    l->caption = xa_alloc((size_t)p->rows + 1, sizeof *l->caption);
    l->scored = xa_alloc((size_t)p->rows + 1, sizeof *l->scored);
    if (!l->row || !l->caption || !l->scored)
        XA_RETURN_NOMEM(err);
    XA_RETURN_TRY(err, set_widths(l, p, err));
    XA_RETURN_TRY(err, xa__panel_check_words(k, l, err));
    l->lettered = p->letters;
    const double line = xa__line_height(k, l->small);
    l->head = xa__panel_headings(k, l, 0.0, false);
    l->height = l->margin + l->head;
    for (int r = 0; r < p->rows; r++) {
        for (int c = 0; c < p->columns; c++) {
            const xa_tile *tile = &p->tiles[r * p->columns + c];
            /* portraits are at most as high as wide */
            l->row[r] = fmax(l->row[r], fmin(aspect(tile), l->above ? 0.92 : 1.0) * l->cell);
            l->scored[r] = l->scored[r] || tile->score || (tile->note && tile->picture);
        }
        l->row[r] = fmax(l->row[r], 2.0 * line);
        const double caption = p->row ? xa__panel_caption(k, l, r, 0.0, false) : 0.0;
        const double below = l->scored[r] ? 1.05 * line : 0.0;
        if (l->above)
            l->caption[r] = caption;
        else
            l->row[r] = fmax(l->row[r], caption - below);
        l->height += l->caption[r] + l->row[r] + below + 1.5 * XA__MM;
    }
    l->foot = xa__panel_foot(k, l, 0.0, false);
    l->height += l->foot + l->margin;
    return XA_OK;
}

static void layout_fini(xa__panel *l)
{
    free(l->row);
    free(l->caption);
    free(l->scored);
}

xa_status xa_panel_write(
    const xa_panel *p, const char *path, double dpi, const xa_provenance *from, xa_err *err)
{
    xa_status st = XA_OK;
    xa__panel l = {0};
    xa__ink k = xa__measure_begin(p->font);
    XA_TRY(err, lay_out(&l, p, &k, err));
    const xa__page page = {
        .width = l.width, .height = l.height, .font = p->font, .draw = xa__panel_draw, .arg = &l};
    XA_TRY(err, xa__page_write(&page, path, dpi, from, err));
done:
    xa__measure_end(&k);
    layout_fini(&l);
    return st;
}

#else

xa_status xa_panel_write(
    const xa_panel *p, const char *path, double dpi, const xa_provenance *from, xa_err *err)
{
    (void)p, (void)dpi, (void)from;
    XA_RETURN_FAIL(err,
                   XA_UNSUPPORTED,
                   "%s: this xaudit was built without figures (cairo and pango; XAUDIT_FIGURES=ON)",
                   path);
}

#endif
