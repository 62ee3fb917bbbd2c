/* Figures of samples: images, maps and overlays in rows and columns. */
#include "xaudit/figure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MOST = 1200, NOTE = 160, RELEVANT_TOLERANCE = 40 };

/* What a figure is made of; it lives until the file is written. */
typedef struct sheet {
    const xa_page *page;
    xa_figure_rows *rows;
    int each, columns; /* pictures of each map; columns, with that of the image */
    xa_image *pictures;
    xa_tile *tiles;
    char (*notes)[NOTE];
    char (*labels)[NOTE]; /* of the columns, then of the rows */
    const char **column_labels, **row_labels;
    double (**boxes)[4];
    xa_figure_edges *edges, *grids; /* [rows] */
    double *low, *high;             /* [ncolumns] ends of shared scales */
    xa_str footnote;
} sheet;

static void sheet_fini(sheet *s)
{
    const int n = s->rows ? s->rows->nrows : 0;
    for (int i = 0; s->pictures && i < n * s->columns; i++)
        xa_image_fini(&s->pictures[i]);
    for (int r = 0; s->boxes && r < n; r++)
        free(s->boxes[r]);
    for (int r = 0; s->edges && s->grids && r < n; r++) {
        free(s->edges[r].edge);
        free(s->grids[r].edge);
    }
    free(s->edges);
    free(s->grids);
    free(s->pictures);
    free(s->tiles);
    free(s->notes);
    free(s->labels);
    free(s->column_labels);
    free(s->row_labels);
    free(s->boxes);
    free(s->low);
    free(s->high);
    xa_str_free(&s->footnote);
    xa_figure_rows_close(s->rows);
}

static xa_status sheet_init(sheet *s, xa_err *err)
{
    const xa_page *p = s->page;
    s->each = p->style == XA_PAGE_PANEL ? p->overlay + p->map : p->style == XA_PAGE_KERAS ? 1 : 2;
    s->columns = 1 + s->each * s->rows->ncolumns;
    const size_t rows = (size_t)s->rows->nrows, tiles = rows * (size_t)s->columns;
    s->pictures = xa_alloc(tiles, sizeof *s->pictures);
    s->tiles = xa_alloc(tiles, sizeof *s->tiles);
    s->notes = xa_alloc(tiles, sizeof *s->notes);
    s->labels = xa_alloc(rows + (size_t)s->columns, sizeof *s->labels);
    s->column_labels = xa_alloc((size_t)s->columns, sizeof *s->column_labels);
    s->row_labels = xa_alloc(rows, sizeof *s->row_labels);
    s->boxes = xa_alloc(rows, sizeof *s->boxes);
    s->edges = xa_alloc(rows, sizeof *s->edges);
    s->grids = xa_alloc(rows, sizeof *s->grids);
    s->low = xa_alloc((size_t)s->rows->ncolumns, sizeof *s->low);
    s->high = xa_alloc((size_t)s->rows->ncolumns, sizeof *s->high);
    if (!s->pictures || !s->tiles || !s->notes || !s->labels || !s->column_labels ||
        !s->row_labels || !s->boxes || !s->edges || !s->grids || !s->low || !s->high)
        XA_RETURN_FAIL(err, XA_NOMEM, "figure: out of memory");
    return XA_OK;
}

/* ---- labels ---- */

static void label_columns(sheet *s)
{
    bool models = false;
    for (int c = 1; c < s->rows->ncolumns; c++)
        models = models || s->rows->column[c].model != s->rows->column[0].model;
    s->column_labels[0] = "image";
    for (int c = 0; c < s->rows->ncolumns; c++)
        for (int k = 0; k < s->each; k++) {
            const int at = 1 + c * s->each + k;
            const xa_figure_column *x = &s->rows->column[c];
            static const char *const second[] = {"overlay", "overlay", "relevant pixels"};
            char *to = s->labels[at];
            if (k == 1)
                snprintf(to, NOTE, "%s", second[s->page->style]);
            else if (models)
                snprintf(to, NOTE, "%.60s/\xe2\x80\x8b%.60s", x->model->name, x->map->name);
            else
                snprintf(to, NOTE, "%.120s", x->map->name);
            s->column_labels[at] = to;
        }
}

static void label_row(sheet *s, int r)
{
    const xa_read *rd = s->rows->r;
    const int64_t i = s->rows->sample[r];
    const xa_read_model *m = s->rows->column[0].model;
    char *to = s->labels[s->columns + r], *note = s->notes[r * s->columns];
    char truth[64] = "", said[64];
    if (s->page->anonymise)
        snprintf(to, NOTE, "%d", r + 1);
    else
        xa_read_text(rd->id, rd->id_bytes, i, to, NOTE);
    s->row_labels[r] = to;
    if (rd->label_offset[i] < rd->label_offset[i + 1])
        xa_read_class(m, rd->label_value[rd->label_offset[i]], truth, sizeof truth);
    if (m->status[i] == XA_SAMPLE_DONE && m->predicted[i] >= 0) {
        xa_read_class(m, m->predicted[i], said, sizeof said);
        const double p = (double)m->probs[i * m->classes + m->predicted[i]];
        char prob[16] = ""; /* stays empty for a head without probabilities */
        if (isfinite(p))
            snprintf(prob, sizeof prob, " %.2f", p);
        if (*truth && strcmp(truth, said) != 0)
            snprintf(note, NOTE, "%s; said %s%s", truth, said, prob);
        else
            snprintf(note, NOTE, "%s%s", said, prob);
    } else {
        snprintf(note, NOTE, "%s", *truth ? truth : "not explained");
    }
    s->tiles[r * s->columns].note = note;
}

/* ---- pictures ---- */

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* Shared scale of a column: from 0 (or the least, where there is less) to the largest of the maps'
 * 99.5th percentiles, so that one pixel does not darken all. */
static xa_status share_scale(sheet *s, int c, xa_err *err)
{
    s->low[c] = 0.0;
    s->high[c] = 0.0;
    for (int r = 0; r < s->rows->nrows; r++) {
        xa_figure_map m;
        XA_RETURN_TRY(
            err, xa_figure_map_read(s->rows, &s->rows->column[c], s->rows->sample[r], &m, err));
        if (!m.values)
            continue;
        const int64_t n = m.height * m.width;
        qsort(m.values, (size_t)n, sizeof *m.values, ascending);
        s->low[c] = fmin(s->low[c], (double)m.values[0]);
        s->high[c] = fmax(s->high[c], (double)m.values[(int64_t)(0.995 * (double)(n - 1))]);
        free(m.values);
    }
    return XA_OK;
}

static void own_scale(const xa_figure_map *m, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (int64_t i = 0; i < m->height * m->width; i++) {
        *low = fmin(*low, (double)m->values[i]);
        *high = fmax(*high, (double)m->values[i]);
    }
}

static xa_status panel_pictures(sheet *s,
                                int c,
                                const xa_figure_map *m,
                                const xa_image *image,
                                const double frame[2],
                                xa_image *to,
                                xa_err *err)
{
    const xa_page *p = s->page;
    xa_status st = XA_OK;
    xa_image colours = {0};
    double low = s->low[c], high = s->high[c];
    float *grown = xa_alloc((size_t)(image->width * image->height), sizeof *grown);
    if (!grown)
        XA_FAIL(err, XA_NOMEM, "figure: out of memory");
    if (!p->shared)
        own_scale(m, &low, &high);
    xa_figure_map_grow(m, frame, image, grown);
    XA_TRY(
        err,
        xa_map_colour(grown, image->height, image->width, low, high, p->colormap, &colours, err));
    if (p->overlay)
        XA_TRY(err, xa_overlay_blend(image, &colours, p->weight, &to[s->each - 1], err));
    if (p->map) {
        to[0] = colours;
        colours = (xa_image){0};
    }
done:
    xa_image_fini(&colours);
    free(grown);
    return st;
}

/* Divides by the largest value; values below 0 become 0, and all do if none is above it. */
static void scale_to_one(float *v, int64_t n)
{
    float high = 0.0f;
    for (int64_t i = 0; i < n; i++)
        high = v[i] > high ? v[i] : high;
    for (int64_t i = 0; i < n; i++)
        v[i] = high > 0.0f && v[i] > 0.0f ? v[i] / high : 0.0f;
}

static xa_status
keras_picture(const xa_figure_map *m, const xa_image *image, xa_image *to, xa_err *err)
{
    scale_to_one(m->values, m->height * m->width);
    return xa_overlay_keras(image, m->values, m->height, m->width, 0.4, to, err);
}

/* At the model's input: the image by OpenCV's cubic, the map by its linear, over its maximum. */
static xa_status
relevant_pictures(const xa_figure_map *m, const xa_image *image, xa_image *to, xa_err *err)
{
    xa_status st = XA_OK;
    xa_image small = {0};
    const int64_t h = (int64_t)m->input_height, w = (int64_t)m->input_width;
    float *grown = xa_alloc((size_t)(h * w), sizeof *grown);
    if (!grown)
        XA_FAIL(err, XA_NOMEM, "figure: out of memory");
    XA_TRY(err, xa_image_resize(image, w, h, XA_RESAMPLE_CV2_CUBIC, &small, err));
    xa_upsample_linear(m->values, m->height, m->width, grown, h, w);
    scale_to_one(grown, h * w);
    XA_TRY(err, xa_image_init(&to[0], w, h, 3, XA_PIXEL_U8, err));
    const uint8_t *from = small.data;
    for (int64_t i = 0; i < h * w * 3; i++)
        ((uint8_t *)to[0].data)[i] = (uint8_t)(grown[i / 3] * (float)from[i]);
    XA_TRY(err, xa_relevant_pixels(&small, grown, RELEVANT_TOLERANCE, &to[1], err));
done:
    xa_image_fini(&small);
    free(grown);
    return st;
}

static xa_status
map_pictures(sheet *s, int r, int c, const xa_image *image, const double frame[2], xa_err *err)
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
        st = panel_pictures(s, c, &m, image, frame, to, err);
    else if (s->page->style == XA_PAGE_KERAS)
        st = keras_picture(&m, image, to, err);
    else
        st = relevant_pictures(&m, image, to, err);
    free(m.values);
    XA_RETURN_TRY(err, st);
    for (int k = 0; k < s->each; k++) {
        xa_tile *t = &s->tiles[first + k];
        t->picture = &to[k];
        t->frame[0] = frame[0];
        t->frame[1] = frame[1];
        if (s->page->boxes && s->page->style == XA_PAGE_PANEL) {
            t->box = (const double(*)[4])s->boxes[r];
            t->nboxes = s->tiles[r * s->columns].nboxes;
            t->edge = (const double(*)[4])s->edges[r].edge;
            t->nedges = s->edges[r].n;
        }
    }
    if (m.target >= 0) {
        char name[64];
        snprintf(s->notes[first],
                 NOTE,
                 "of %s",
                 xa_read_class(s->rows->column[c].model, m.target, name, sizeof name));
        s->tiles[first].note = s->notes[first];
    }
    return XA_OK;
}

/* Outlines of masks are drawn on every picture, the grid of patches on the image alone. A mask that
 * cannot be read is reported, and the rest of the figure is made. */
static xa_status make_edges(sheet *s, int r, int64_t *missing, xa_err *err)
{
    xa_tile *t = &s->tiles[r * s->columns];
    xa_err why = XA_ERR_INIT;
    if (s->page->boxes && s->page->style == XA_PAGE_PANEL &&
        xa_figure_outlines(s->rows, s->rows->sample[r], &s->edges[r], &why) != XA_OK) {
        char text[512];
        xa_str_sanitise(why.message, text, sizeof text);
        fprintf(stderr, "xaudit figure: %s\n", text);
        ++*missing;
    }
    t->edge = (const double(*)[4])s->edges[r].edge;
    t->nedges = s->edges[r].n;
    if (!s->page->patches)
        return XA_OK;
    XA_RETURN_TRY(
        err,
        xa_figure_grid(s->rows, s->rows->column[0].model, s->rows->sample[r], &s->grids[r], err));
    t->edge = (const double(*)[4])s->grids[r].edge;
    t->nedges = s->grids[r].n;
    return XA_OK;
}

static xa_status make_row(sheet *s, int r, int64_t *missing, xa_err *err)
{
    xa_tile *t = &s->tiles[r * s->columns];
    xa_image *image = &s->pictures[r * s->columns];
    xa_err why = XA_ERR_INIT;
    const int64_t i = s->rows->sample[r];
    label_row(s, r);
    XA_RETURN_TRY(err, xa_figure_boxes(s->rows, i, &s->boxes[r], &t->nboxes, err));
    const xa_status st = xa_figure_image_read(
        s->rows, s->rows->column[0].model, i, SHOWN_MOST, image, t->frame, &why);
    if (st != XA_OK) {
        char text[512];
        xa_str_sanitise(why.message, text, sizeof text);
        fprintf(stderr, "xaudit figure: %s\n", text);
        ++*missing;
        t->note = st == XA_MISMATCH ? "not the audited image" : "image not found";
        return XA_OK;
    }
    t->picture = image;
    t->box = (const double(*)[4])s->boxes[r];
    t->nboxes = s->page->boxes ? t->nboxes : 0;
    XA_RETURN_TRY(err, make_edges(s, r, missing, err));
    for (int c = 0; c < s->rows->ncolumns; c++)
        XA_RETURN_TRY(err, map_pictures(s, r, c, image, t->frame, err));
    if (s->page->patches)
        t->nboxes = 0; /* a grid and boxes on one picture are too much */
    return XA_OK;
}

/* ---- small print ---- */

static void footnote(sheet *s)
{
    const xa_page *p = s->page;
    if (p->style == XA_PAGE_KERAS) {
        xa_str_puts(&s->footnote,
                    "Overlays as Keras' display_gradcam: jet, stretched image by image, not to be "
                    "compared with one another.");
        return;
    }
    if (p->style == XA_PAGE_RELEVANT) {
        xa_str_printf(&s->footnote,
                      "Illustrative: a value is kept where map times image lies less than %d grey "
                      "levels below it, so dark pixels always are.",
                      RELEVANT_TOLERANCE);
        return;
    }
    if (p->shared) {
        xa_str_puts(&s->footnote, "One scale for each column, 0 to ");
        for (int c = 0; c < s->rows->ncolumns; c++)
            xa_str_printf(&s->footnote,
                          "%s%.3g (%s)",
                          c ? ", " : "",
                          s->high[c],
                          s->rows->column[c].map->name);
        xa_str_puts(&s->footnote, ", clipped at the 99.5th percentile.");
    } else {
        xa_str_puts(&s->footnote, "Each map from its least to its largest value.");
    }
    if (p->overlay)
        xa_str_printf(&s->footnote,
                      " Overlays: %.2g image + %.2g %s.",
                      1.0 - p->weight,
                      p->weight,
                      xa_colormap_name(p->colormap));
}

xa_status xa_page_write(const xa_page *p, int64_t *missing, xa_err *err)
{
    xa_status st = XA_OK;
    sheet s = {.page = p};
    *missing = 0;
    XA_TRY(err, xa_figure_rows_open(p->archive, &p->choice, p->image_root, &s.rows, err));
    XA_TRY(err, sheet_init(&s, err));
    label_columns(&s);
    for (int c = 0; p->shared && c < s.rows->ncolumns; c++)
        XA_TRY(err, share_scale(&s, c, err));
    for (int r = 0; r < s.rows->nrows; r++)
        XA_TRY(err, make_row(&s, r, missing, err));
    footnote(&s);
    xa_panel panel = {.rows = s.rows->nrows,
                      .columns = s.columns,
                      .tiles = s.tiles,
                      .column_labels = s.column_labels,
                      .row_labels = s.row_labels,
                      .width_mm = p->width_mm,
                      .font_pt = p->font_pt,
                      .bar = p->style == XA_PAGE_PANEL,
                      .bar_map = p->colormap,
                      .footnote = s.footnote.data};
    if (p->shared && s.rows->ncolumns == 1) {
        snprintf(panel.bar_low, sizeof panel.bar_low, "%.3g", s.low[0]);
        snprintf(panel.bar_high, sizeof panel.bar_high, "%.3g", s.high[0]);
    } else {
        snprintf(panel.bar_low, sizeof panel.bar_low, "%s", p->shared ? "0" : "least");
        snprintf(panel.bar_high, sizeof panel.bar_high, "largest");
    }
    const xa_provenance from = {p->command, s.rows->digest};
    XA_TRY(err, xa_panel_write(&panel, p->output, p->dpi, &from, err));
done:
    sheet_fini(&s);
    return st;
}
