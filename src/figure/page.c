/* Figures of samples: photographs and their maps in rows and columns, with a caption beside. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure_internal.h"

/* Photographs are shown with at most so many pixels a side, and maps are drawn over them in at
 * least so many, since a small photograph would blur the contours of its overlay in print. */
enum { SHOWN_MOST = 1200, DRAWN_LEAST = 480 };

static void sheet_fini(xa__sheet *s)
{
    const int n = s->rows ? s->rows->nrows : 0;
    for (int i = 0; s->pictures && i < n * s->columns; i++)
        xa_image_fini(&s->pictures[i]);
    for (int i = 0; s->contours && i < n * s->columns; i++)
        xa_lines_fini(&s->contours[i]);
    for (int r = 0; s->boxes && r < n; r++)
        free(s->boxes[r]);
    for (int r = 0; s->edges && s->grids && r < n; r++) {
        free(s->edges[r].edge);
        free(s->grids[r].edge);
    }
    free(s->tone);
    free(s->pictures);
    free(s->tiles);
    free(s->notes);
    free(s->scores);
    free(s->contours);
    free(s->head);
    free(s->names);
    free(s->details);
    free(s->row);
    free(s->ids);
    free(s->reasons);
    free(s->answers);
    free(s->said);
    free(s->models);
    free(s->boxes);
    free(s->edges);
    free(s->grids);
    xa_str_free(&s->footnote);
    xa_figure_rows_close(s->rows);
}

static xa_status sheet_init(xa__sheet *s, xa_err *err)
{
    const xa_page *p = s->page;
    s->each = p->style == XA_PAGE_PANEL ? p->overlay + p->map : p->style == XA_PAGE_KERAS ? 1 : 2;
    s->columns = 1 + s->each * s->rows->ncolumns;
    const size_t rows = (size_t)s->rows->nrows, maps = (size_t)s->rows->ncolumns;
    const size_t columns = (size_t)s->columns, tiles = rows * columns;
    s->tone = xa_alloc(maps, sizeof *s->tone);
    s->pictures = xa_alloc(tiles, sizeof *s->pictures);
    s->tiles = xa_alloc(tiles, sizeof *s->tiles);
    s->notes = xa_alloc(tiles, sizeof *s->notes);
    s->scores = xa_alloc(tiles, sizeof *s->scores);
    s->contours = xa_alloc(tiles, sizeof *s->contours);
    s->head = xa_alloc(columns, sizeof *s->head);
    s->names = xa_alloc(columns, sizeof *s->names);
    s->details = xa_alloc(columns, sizeof *s->details);
    s->row = xa_alloc(rows, sizeof *s->row);
    s->ids = xa_alloc(rows, sizeof *s->ids);
    s->reasons = xa_alloc(rows, sizeof *s->reasons);
    s->models = xa_alloc(maps, sizeof *s->models);
    s->boxes = xa_alloc(rows, sizeof *s->boxes);
    s->edges = xa_alloc(rows, sizeof *s->edges);
    s->grids = xa_alloc(rows, sizeof *s->grids);
    if (!s->tone || !s->pictures || !s->tiles || !s->notes || !s->scores || !s->contours ||
        !s->head || !s->names || !s->details || !s->row || !s->ids || !s->reasons || !s->models ||
        !s->boxes || !s->edges || !s->grids)
        XA_RETURN_NOMEM(err);
    for (int c = 0; c < s->rows->ncolumns; c++) {
        bool there = false;
        for (int m = 0; m < s->nmodels; m++)
            there = there || s->models[m] == s->rows->column[c].model;
        if (!there)
            s->models[s->nmodels++] = s->rows->column[c].model;
    }
    s->answers = xa_alloc(rows * (size_t)s->nmodels, sizeof *s->answers);
    s->said = xa_alloc(rows * (size_t)s->nmodels, sizeof *s->said);
    if (!s->answers || !s->said)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

/* ---- pictures ---- */

/* The map alone, in all colours of the table. */
static xa_status draw_map(
    const xa_figure_tone *tone, const float *t, int64_t h, int64_t w, xa_image *to, xa_err *err)
{
    if (!tone->is_signed)
        return xa_map_colour(t, h, w, 0.0, 1.0, tone->over.colormap, to, err);
    XA_RETURN_TRY(err, xa_image_init(to, w, h, 3, XA_PIXEL_U8, err));
    for (int64_t i = 0; i < h * w; i++) {
        uint8_t *rgb = (uint8_t *)to->data + 3 * i;
        xa_overlay_colour(&tone->over, true, isfinite(t[i]) ? (double)t[i] : 0.0, rgb);
    }
    return XA_OK;
}

/* The photograph at a size at which a map can be drawn over it. */
static xa_status large_enough(const xa_image *photograph, xa_image *out, xa_err *err)
{
    const int64_t side =
        photograph->width > photograph->height ? photograph->width : photograph->height;
    const int64_t times = (DRAWN_LEAST + side - 1) / side;
    return xa_image_resize(photograph,
                           photograph->width * times,
                           photograph->height * times,
                           XA_RESAMPLE_PIL_LANCZOS,
                           out,
                           err);
}

static xa_status panel_pictures(xa__sheet *s,
                                int c,
                                const xa_figure_map *m,
                                const xa_image *photograph,
                                const double frame[2],
                                int first,
                                xa_err *err)
{
    xa_status st = XA_OK;
    const xa_page *p = s->page;
    const xa_figure_tone *tone = &s->tone[c];
    xa_image large = {0};
    float *t = NULL;
    double strength;
    XA_TRY(err, large_enough(photograph, &large, err));
    XA_TRY(err, xa_figure_map_show(m, tone, frame, large.height, large.width, &t, &strength, err));
    if (p->map)
        XA_TRY(err, draw_map(tone, t, large.height, large.width, &s->pictures[first], err));
    if (p->overlay) {
        const int at = first + s->each - 1;
        XA_TRY(err,
               xa_overlay_draw(&tone->over, &large, t, tone->is_signed, &s->pictures[at], err));
        if (p->contours && !tone->pixelwise && !tone->is_signed) {
            XA_TRY(err, xa_figure_half_mass(m, frame, &s->contours[at], err));
            s->tiles[at].contour = s->contours[at].n ? &s->contours[at] : NULL;
            s->has_contours = s->has_contours || s->contours[at].n;
        }
    }
done:
    xa_image_fini(&large);
    free(t);
    return st;
}

static xa_status map_pictures(
    xa__sheet *s, int r, int c, const xa_image *photograph, const double frame[2], xa_err *err)
{
    xa_status st = XA_OK;
    xa_figure_map m;
    const int first = r * s->columns + 1 + c * s->each;
    xa_image *to = &s->pictures[first];
    XA_RETURN_TRY(err,
                  xa_figure_map_read(s->rows, &s->rows->column[c], s->rows->sample[r], &m, err));
    if (!m.values) {
        s->tiles[first].note = "no map";
        return XA_OK;
    }
    if (s->page->style == XA_PAGE_PANEL)
        st = panel_pictures(s, c, &m, photograph, frame, first, err);
    else if (s->page->style == XA_PAGE_KERAS)
        st = xa__figure_keras(&m, photograph, to, err);
    else
        st = xa__figure_relevant(&m, photograph, to, err);
    free(m.values);
    XA_RETURN_TRY(err, st);
    for (int k = 0; k < s->each; k++) {
        xa_tile *t = &s->tiles[first + k];
        t->picture = &to[k];
        t->frame[0] = frame[0];
        t->frame[1] = frame[1];
        t->box = s->tiles[r * s->columns].box;
        t->nboxes = s->tiles[r * s->columns].nboxes;
        t->edge = s->tiles[r * s->columns].edge;
        t->nedges = s->tiles[r * s->columns].nedges;
    }
    return XA_OK;
}

static void report(const xa_err *why, int64_t *missing)
{
    char text[512];
    xa_str_sanitise(why->message, text, sizeof text);
    fprintf(stderr, "xaudit figure: %s\n", text);
    ++*missing;
}

/* Annotations are drawn on every picture, the grid of patches on the photograph alone. A mask that
 * cannot be read is reported, and the rest of the figure is made. */
static void make_edges(xa__sheet *s, int r, int64_t *missing)
{
    xa_tile *t = &s->tiles[r * s->columns];
    xa_err why = XA_ERR_INIT;
    const xa_page_truth truth = s->page->style == XA_PAGE_PANEL ? s->page->truth : XA_TRUTH_NONE;
    if (truth != XA_TRUTH_NONE && truth != XA_TRUTH_BOX &&
        xa_figure_outlines(s->rows, s->rows->sample[r], &s->edges[r], &why) != XA_OK)
        report(&why, missing);
    t->edge = (const double(*)[4])s->edges[r].edge;
    t->nedges = s->edges[r].n;
    if (truth == XA_TRUTH_NONE || truth == XA_TRUTH_OUTLINE ||
        (truth == XA_TRUTH_AUTO && t->nedges > 0))
        t->nboxes = 0;
    s->has_edges = s->has_edges || t->nedges > 0;
    s->has_boxes = s->has_boxes || t->nboxes > 0;
}

static xa_status make_grid(xa__sheet *s, int r, xa_err *err)
{
    xa_tile *t = &s->tiles[r * s->columns];
    XA_RETURN_TRY(
        err,
        xa_figure_grid(s->rows, s->rows->column[0].model, s->rows->sample[r], &s->grids[r], err));
    t->edge = (const double(*)[4])s->grids[r].edge;
    t->nedges = s->grids[r].n;
    t->nboxes = 0; /* a grid and annotations on one picture are too much */
    return XA_OK;
}

static xa_status make_row(xa__sheet *s, int r, int64_t *missing, xa_err *err)
{
    xa_tile *t = &s->tiles[r * s->columns];
    xa_image *photograph = &s->pictures[r * s->columns];
    xa_err why = XA_ERR_INIT;
    const int64_t i = s->rows->sample[r];
    xa__sheet_name_row(s, r);
    XA_RETURN_TRY(err, xa_figure_boxes(s->rows, i, &s->boxes[r], &t->nboxes, err));
    const xa_status st = xa_figure_image_read(
        s->rows, s->rows->column[0].model, i, SHOWN_MOST, photograph, t->frame, &why);
    if (st != XA_OK) {
        report(&why, missing);
        t->note = st == XA_MISMATCH ? "not the audited image" : "image not found";
        t->nboxes = 0;
        return XA_OK;
    }
    t->picture = photograph;
    t->box = (const double(*)[4])s->boxes[r];
    make_edges(s, r, missing);
    for (int c = 0; c < s->rows->ncolumns; c++)
        XA_RETURN_TRY(err, map_pictures(s, r, c, photograph, t->frame, err));
    xa__sheet_score_row(s, r);
    return s->page->patches ? make_grid(s, r, err) : XA_OK;
}

/* ---- the files ---- */

static xa_status write_caption(const xa__sheet *s, xa_err *err)
{
    xa_status st = XA_OK;
    const char *output = s->page->output, *dot = strrchr(output, '.');
    char *path = xa_strfmt("%.*s.caption.txt", (int)(dot ? dot - output : 0), output);
    xa_str text = {0};
    FILE *f = NULL;
    if (!path)
        XA_NOMEM_FAIL(err);
    xa__sheet_caption(s, &text);
    if (text.failed)
        XA_NOMEM_FAIL(err);
    errno = 0;
    f = fopen(path, "we");
    if (!f || fwrite(text.data, 1, text.len, f) != text.len)
        XA_FAIL(err, XA_IO, "%s: cannot write: %s", path, strerror(errno));
done:
    if (f && fclose(f) != 0 && st == XA_OK)
        st = XA_ERR(err, XA_IO, "%s: cannot write: %s", path, strerror(errno));
    xa_str_free(&text);
    free(path);
    return st;
}

static xa_status write_sheet(const xa__sheet *s, xa_err *err)
{
    const xa_page *p = s->page;
    bool one = true; /* one bar stands for all columns if they are drawn alike */
    for (int c = 1; c < s->rows->ncolumns; c++)
        one = one && s->tone[c].is_signed == s->tone[0].is_signed;
    char high[64], low[8];
    snprintf(high,
             sizeof high,
             "%gth percentile of the %s",
             s->tone[0].over.percentile,
             p->shared ? "column" : "map");
    snprintf(low, sizeof low, "%s", s->tone[0].is_signed ? "\xe2\x88\x92" : "0");
    const xa_panel_bar bar = {.over = p->overlay ? &s->tone[0].over : NULL,
                              .is_signed = s->tone[0].is_signed,
                              .colormap = s->tone[0].over.colormap,
                              .low = low,
                              .high = high};
    const xa_panel panel = {.rows = s->rows->nrows,
                            .columns = s->columns,
                            .tiles = s->tiles,
                            .column = s->head,
                            .row = s->row,
                            .letters = s->rows->nrows > 1,
                            .width_mm = p->width_mm,
                            .font_pt = p->font_pt,
                            .bar = p->style == XA_PAGE_PANEL && one ? &bar : NULL,
                            .truth = xa__sheet_truth(s),
                            .contour = s->has_contours ? "half of the map's mass" : NULL,
                            .footnote = s->footnote.data};
    const xa_provenance from = {p->command, s->rows->digest};
    XA_RETURN_TRY(err, xa_panel_write(&panel, p->output, p->dpi, &from, err));
    return write_caption(s, err);
}

xa_status xa_page_write(const xa_page *p, int64_t *missing, xa_err *err)
{
    xa_status st = XA_OK;
    xa__sheet s = {.page = p};
    *missing = 0;
    XA_TRY(err, xa_figure_rows_open(p->archive, &p->choice, p->image_root, &s.rows, err));
    XA_TRY(err, sheet_init(&s, err));
    xa__sheet_name_columns(&s);
    for (int c = 0; c < s.rows->ncolumns; c++)
        XA_TRY(err,
               xa_figure_tone_of(s.rows, &s.rows->column[c], &p->over, p->shared, &s.tone[c], err));
    for (int r = 0; r < s.rows->nrows; r++)
        XA_TRY(err, make_row(&s, r, missing, err));
    xa__sheet_footnote(&s);
    if (s.footnote.failed)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, write_sheet(&s, err));
done:
    sheet_fini(&s);
    return st;
}
