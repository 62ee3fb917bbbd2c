/* What a figure says: headings, captions of rows, scores, small print, the caption beside it. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure_internal.h"

/* ---- columns ---- */

/* What the user calls a map; NULL: as it is shown. */
static const char *renamed(const xa_page *p, const xa_figure_column *c)
{
    const size_t m = strlen(c->model->name), e = strlen(c->map->name);
    for (int i = p->nnames - 1; i >= 0; i--) {
        const char *n = p->name[i];
        if (!strncmp(n, c->model->name, m) && n[m] == '/')
            n += m + 1;
        if (!strncmp(n, c->map->name, e) && n[e] == '=')
            return n + e + 1;
    }
    return NULL;
}

static void append(char *to, size_t size, const char *text)
{
    const size_t n = strlen(to);
    if (*text)
        snprintf(to + n, size - n, "%s%s", n ? ", " : "", text);
}

/* The models stand over their columns where these stand together, else below each name. */
static bool models_are_groups(const xa__sheet *s)
{
    int changes = 0;
    for (int c = 1; c < s->rows->ncolumns; c++)
        changes += s->rows->column[c].model != s->rows->column[c - 1].model;
    return s->nmodels > 1 && changes == s->nmodels - 1 && s->page->width_mm >= 150.0;
}

void xa__sheet_name_columns(xa__sheet *s)
{
    static const char *const second[] = {"overlay", "", "relevant pixels"};
    static const char *const single[] = {"", "as Keras draws it", "map times photograph"};
    const bool groups = models_are_groups(s);
    s->head[0].name = "Photograph";
    for (int c = 0; c < s->rows->ncolumns; c++)
        for (int k = 0; k < s->each; k++) {
            const int at = 1 + c * s->each + k;
            const xa_figure_column *x = &s->rows->column[c];
            const char *mine = renamed(s->page, x);
            const xa_title shown = xa_title_of_map(x->map);
            char *detail = s->details[at];
            snprintf(s->names[at], XA__NOTE, "%.180s", mine ? mine : shown.name);
            append(detail, XA__NOTE, mine ? "" : shown.detail);
            append(detail,
                   XA__NOTE,
                   s->each > 1 && s->page->style == XA_PAGE_PANEL ? k ? "overlay" : "map"
                   : k                                            ? second[s->page->style]
                                                                  : single[s->page->style]);
            if (s->nmodels > 1 && !groups)
                append(detail, XA__NOTE, x->model->name);
            s->head[at].name = s->names[at];
            s->head[at].detail = *detail ? detail : NULL;
            s->head[at].group = groups ? x->model->name : NULL;
        }
}

/* ---- rows ---- */

static void show_class(const xa_read_model *m, int32_t c, char *out, size_t size)
{
    char name[128];
    snprintf(out, size, "%s", xa_read_class(m, c, name, sizeof name));
    for (char *p = out; *p; p++)
        if (*p == '_')
            *p = ' ';
}

static bool contains(const char *text, const char *word)
{
    const size_t n = strlen(word);
    for (; *text && n; text++) {
        size_t i = 0;
        while (i < n && (tolower((unsigned char)text[i]) == tolower((unsigned char)word[i]) ||
                         (text[i] == '_' && word[i] == ' ')))
            i++;
        if (i == n)
            return true;
    }
    return false;
}

/* "xception 0.98", "xception 0.48 as cellphone" */
static void say_answer(const xa__sheet *s, int r, int k)
{
    const xa_read *rd = s->rows->r;
    const int64_t i = s->rows->sample[r];
    const xa_read_model *m = s->models[k];
    xa_panel_answer *a = &s->answers[r * s->nmodels + k];
    char *to = s->said[r * s->nmodels + k], class_name[96];
    a->text = to;
    if (m->status[i] == XA_SAMPLE_DONE && m->values) { /* its outputs are no classes */
        snprintf(to, XA__NOTE, "%.90s", m->name);
        return;
    }
    if (m->status[i] != XA_SAMPLE_DONE || m->predicted[i] < 0) {
        snprintf(to, XA__NOTE, "%.90s: not explained", m->name);
        return;
    }
    const int32_t c = m->predicted[i];
    const double p = (double)m->probs[i * m->classes + c];
    char prob[16] = ""; /* stays empty for a head without probabilities */
    if (isfinite(p))
        snprintf(prob, sizeof prob, " %.2f", p);
    show_class(m, c, class_name, sizeof class_name);
    const bool labelled = rd->label_offset[i] < rd->label_offset[i + 1];
    const bool right = labelled && xa_read_has_label(rd, i, c);
    a->verdict = right ? XA_PANEL_RIGHT : labelled ? XA_PANEL_WRONG : XA_PANEL_NONE;
    if (right && rd->label_offset[i + 1] - rd->label_offset[i] == 1)
        snprintf(to, XA__NOTE, "%.90s%s", m->name, prob);
    else
        snprintf(to, XA__NOTE, "%.90s%s as %s", m->name, prob, class_name);
}

void xa__sheet_name_row(xa__sheet *s, int r)
{
    const xa_read *rd = s->rows->r;
    const int64_t i = s->rows->sample[r];
    char *id = s->ids[r], *why = s->reasons[r], name[96];
    if (s->page->anonymise)
        snprintf(id, XA__NOTE, "image %d", r + 1);
    else
        xa_read_text(rd->id, rd->id_bytes, i, id, XA__NOTE);
    for (int64_t k = rd->label_offset[i]; k < rd->label_offset[i + 1]; k++) {
        show_class(s->models[0], rd->label_value[k], name, sizeof name);
        if (!contains(id, name)) /* ids often begin with the class */
            append(why, XA__NOTE, name);
    }
    append(why, XA__NOTE, s->rows->why[r]);
    for (int k = 0; k < s->nmodels; k++)
        say_answer(s, r, k);
    s->row[r] = (xa_panel_row){.name = id,
                               .why = *why ? why : NULL,
                               .answer = &s->answers[r * s->nmodels],
                               .nanswers = s->nmodels};
}

void xa__sheet_score_row(xa__sheet *s, int r)
{
    double best = -INFINITY;
    int scored = 0;
    if (!s->rows->metric || s->page->style != XA_PAGE_PANEL)
        return;
    for (int c = 0; c < s->rows->ncolumns; c++) {
        const int at = r * s->columns + c * s->each + s->each; /* the last picture of the map */
        const double v =
            xa_figure_score(s->rows, &s->rows->column[c], s->rows->metric, s->rows->sample[r]);
        if (!s->tiles[at].picture)
            continue;
        snprintf(s->scores[at], sizeof *s->scores, isfinite(v) ? "%.2f" : "\xe2\x80\x93", v);
        s->tiles[at].score = s->scores[at];
        best = isfinite(v) ? fmax(best, v) : best;
        scored += isfinite(v);
    }
    for (int c = 0; c < s->rows->ncolumns && scored > 1; c++) {
        const int at = r * s->columns + c * s->each + s->each;
        s->tiles[at].best =
            xa_figure_score(s->rows, &s->rows->column[c], s->rows->metric, s->rows->sample[r]) ==
            best;
    }
    if (scored) {
        char *note = s->notes[r * s->columns];
        xa_title_of_metric(s->rows->metric, note, XA__NOTE);
        s->tiles[r * s->columns].note = note;
    }
}

/* ---- small print ---- */

const char *xa__sheet_truth(const xa__sheet *s)
{
    return s->has_boxes && s->has_edges ? "annotated"
           : s->has_boxes               ? "annotated box"
           : s->has_edges               ? "annotated outline"
                                        : NULL;
}

/* "Saliency smoothed, sigma = 1 px of 128": of every kind of grid once. */
static void say_smoothed(const xa__sheet *s, xa_str *out)
{
    for (int c = 0; c < s->rows->ncolumns; c++) {
        const xa_figure_tone *t = &s->tone[c];
        bool said = !(t->smoothed > 0.0);
        for (int b = 0; b < c && !said; b++)
            said = s->tone[b].side == t->side && s->tone[b].smoothed == t->smoothed;
        if (!said)
            xa_str_printf(out,
                          "%s%s smoothed, \xcf\x83 = %.2g px of %.0f.",
                          out->len ? " " : "",
                          s->head[1 + c * s->each].name,
                          t->smoothed,
                          t->side);
    }
}

static void say_scales(const xa__sheet *s, xa_str *out)
{
    for (int c = 0; c < s->rows->ncolumns; c++)
        xa_str_printf(out,
                      "%s%s%s%s %.3g",
                      c          ? ", "
                      : out->len ? " Full strength: "
                                 : "Full strength: ",
                      s->nmodels > 1 ? s->rows->column[c].model->name : "",
                      s->nmodels > 1 ? " " : "",
                      s->head[1 + c * s->each].name,
                      s->tone[c].strength);
    xa_str_puts(out, ". ");
}

void xa__sheet_footnote(xa__sheet *s)
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
                      XA__RELEVANT_TOLERANCE);
        return;
    }
    say_smoothed(s, &s->footnote);
    if (p->shared)
        say_scales(s, &s->footnote);
}

/* ---- the caption beside the figure ---- */

static void list_columns(const xa__sheet *s, xa_str *out)
{
    for (int c = 0; c < s->rows->ncolumns; c++) {
        const xa_figure_column *x = &s->rows->column[c];
        const xa_title shown = xa_title_of_map(x->map);
        xa_str_printf(out,
                      "%s%s%s%s%s of %s",
                      c ? "; " : "",
                      s->names[1 + c * s->each],
                      *shown.detail ? " (" : "",
                      shown.detail,
                      *shown.detail ? ")" : "",
                      x->model->name);
    }
    xa_str_puts(out, ". ");
}

/* Opacities and colours differ by the kind of map: each is said once, with its columns' kind. */
static void say_overlays(const xa__sheet *s, xa_str *out)
{
    for (int c = 0; c < s->rows->ncolumns; c++) {
        const xa_figure_tone *t = &s->tone[c];
        bool said = false;
        for (int b = 0; b < c; b++)
            said = said ||
                   (s->tone[b].pixelwise == t->pixelwise && s->tone[b].is_signed == t->is_signed);
        if (said)
            continue;
        xa_str_printf(out,
                      "Of maps %s%s opacity rises to %.2g, and photographs keep %.0f %% of their "
                      "colour. ",
                      t->pixelwise ? "with a value for each pixel" : "on a coarse grid",
                      t->is_signed ? " and of both signs (two-sided colours)" : "",
                      t->over.opacity,
                      100.0 * t->over.chroma);
    }
}

static void say_drawing(const xa__sheet *s, xa_str *out)
{
    const xa_page *p = s->page;
    const xa_overlay *o = &s->tone[0].over;
    xa_str_printf(out,
                  "Each map is divided by the %gth percentile of its absolute values%s and clipped",
                  o->percentile,
                  p->shared ? " over the rows of its column" : "");
    if (p->overlay)
        xa_str_printf(out, "; its opacity grows with the value from %.0f %% on", 100.0 * o->floor);
    xa_str_puts(out, ". ");
    if (p->overlay)
        say_overlays(s, out);
    xa_str smoothed = {0};
    say_smoothed(s, &smoothed);
    if (smoothed.len)
        xa_str_printf(out, "%s Scores see maps as they are. ", smoothed.data);
    xa_str_free(&smoothed);
    if (p->shared)
        say_scales(s, out);
    if (s->has_contours)
        xa_str_puts(out,
                    "White lines hold half of a map's positive mass; rings below 1 % of the image "
                    "are left out. ");
    if (xa__sheet_truth(s))
        xa_str_printf(out, "Cyan: %s. ", xa__sheet_truth(s));
}

void xa__sheet_caption(const xa__sheet *s, xa_str *out)
{
    const xa_page *p = s->page;
    char metric[96];
    xa_str_printf(out,
                  "%d of %" PRId64 " images of %s. Columns: photograph; ",
                  s->rows->nrows,
                  s->rows->r->samples,
                  xa_path_last(p->archive));
    list_columns(s, out);
    if (s->rows->metric && p->style == XA_PAGE_PANEL) {
        xa_title_of_metric(s->rows->metric, metric, sizeof metric);
        xa_str_printf(
            out,
            "Numbers below maps: %s, the mean over the annotated classes of the image%s. ",
            metric,
            s->rows->ncolumns > 1 ? ", the best of each row in bold" : "");
    }
    if (p->choice.pick == XA_PICK_RANDOM && !p->choice.nids && !p->choice.nindices)
        xa_str_printf(out, "Images were drawn at random with seed %" PRId64 ". ", p->choice.seed);
    if (p->style == XA_PAGE_PANEL)
        say_drawing(s, out);
    else
        xa_str_printf(out, "%s ", s->footnote.data ? s->footnote.data : "");
    xa_str_printf(
        out, "\nMade by: %s\nArchive: %s\n", p->command ? p->command : "", s->rows->digest);
}
