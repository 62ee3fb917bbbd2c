/* The explorer: every image with its scores, and which of them have pictures on the page. */
#include "explorer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A page of one file stays below about 20 MB, which a browser opens at once: bytes of a photograph
 * and of the two kinds of maps, as text. */
enum { PAGE_BYTES = 20000000, PHOTO_BYTES = 22000, PIXEL_BYTES = 10000, GRID_BYTES = 3500 };

double xa__explorer_score(const xa__explorer *x, int column, int metric, int row)
{
    return xa_figure_score(x->f, &x->f->column[column], x->metric[metric], x->f->sample[row]);
}

int xa__explorer_model(const xa__explorer *x, int column)
{
    return (int)(x->f->column[column].model - x->f->r->models);
}

/* ---- what is shown ---- */

static void find_metrics(xa__explorer *x)
{
    for (int c = 0; c < x->columns; c++)
        for (int64_t k = 0; k < x->f->column[c].map->nmetrics; k++) {
            const char *name = x->f->column[c].map->metrics[k];
            bool there = false;
            for (int i = 0; i < x->nmetrics; i++)
                there = there || !strcmp(x->metric[i], name);
            if (!there && x->nmetrics < XA__METRICS)
                x->metric[x->nmetrics++] = name;
        }
}

/* The page begins with the explainer of the best mean by the main metric. */
static void find_main(xa__explorer *x)
{
    const char *main = xa__report_main_metric(x->s);
    double best = -INFINITY;
    x->main_metric = x->nmetrics ? 0 : -1;
    for (int k = 0; main && k < x->nmetrics; k++)
        if (!strcmp(x->metric[k], main))
            x->main_metric = k;
    for (int c = 0; x->main_metric >= 0 && c < x->columns; c++) {
        double sum = 0.0;
        int n = 0;
        for (int r = 0; r < x->f->nrows; r++) {
            const double v = xa__explorer_score(x, c, x->main_metric, r);
            sum += isfinite(v) ? v : 0.0;
            n += isfinite(v);
        }
        if (n && sum / n > best) {
            best = sum / n;
            x->main_column = c;
        }
    }
}

static bool is_wrong(const xa__explorer *x, int row)
{
    const xa_read *r = x->f->r;
    const int64_t i = x->f->sample[row];
    bool wrong = false;
    for (int64_t m = 0; r->label_offset[i] < r->label_offset[i + 1] && m < r->nmodels; m++)
        wrong = wrong || (r->models[m].status[i] == XA_SAMPLE_DONE &&
                          !xa_read_has_label(r, i, r->models[m].predicted[i]));
    return wrong;
}

typedef struct turn {
    double key;
    int row;
} turn;

static int by_key(const void *a, const void *b)
{
    const turn *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key ? 1 : x->row - y->row;
}

static void picture(xa__explorer *x, int row, int most)
{
    if (x->npictured < most && !x->pictured[row]) {
        x->pictured[row] = true;
        x->npictured++;
    }
}

/* All images, or as many as fit: a third of them wrong ones, a third the worst and the best, and
 * the rest at random. */
static xa_status choose_pictured(xa__explorer *x, xa_err *err)
{
    const int n = x->f->nrows;
    int64_t each = PHOTO_BYTES;
    turn *t = xa_alloc((size_t)n + 1, sizeof *t);
    x->pictured = xa_alloc((size_t)n + 1, sizeof *x->pictured);
    if (!t || !x->pictured) {
        free(t);
        XA_RETURN_NOMEM(err);
    }
    for (int c = 0; c < x->columns; c++)
        each += xa_kind_is_pixelwise(x->f->column[c].map->kind) ? PIXEL_BYTES : GRID_BYTES;
    const int64_t room = PAGE_BYTES / each;
    const int most = n < room ? n : (int)room;
    for (int r = 0; r < n; r++)
        if (is_wrong(x, r))
            picture(x, r, most < n ? most / 3 : most);
    if (x->main_metric >= 0) {
        int defined = 0;
        for (int r = 0; r < n; r++) {
            const double v = xa__explorer_score(x, x->main_column, x->main_metric, r);
            if (isfinite(v))
                t[defined++] = (turn){v, r};
        }
        qsort(t, (size_t)defined, sizeof *t, by_key);
        for (int i = 0; i < defined && i < most / 6; i++) {
            picture(x, t[i].row, most);
            picture(x, t[defined - 1 - i].row, most);
        }
    }
    for (int r = 0; r < n; r++)
        t[r] = (turn){xa_random_unit(1, 12, (uint64_t)x->f->sample[r]), r};
    qsort(t, (size_t)n, sizeof *t, by_key);
    for (int r = 0; r < n; r++)
        picture(x, t[r].row, most);
    free(t);
    return XA_OK;
}

/* ---- data ---- */

static void put_number(FILE *out, double v, int decimals)
{
    if (isfinite(v))
        fprintf(out, "%.*f", decimals, v);
    else
        fputs("null", out);
}

/* Share of each image that its first annotated class' boxes cover. */
static xa_status put_sizes(FILE *out, const xa__explorer *x, xa_err *err)
{
    double *share = NULL;
    const xa_read *r = x->f->r;
    XA_RETURN_TRY(err, xa_summary_size_shares(x->s, &share, err));
    fputs(",\"size\":[", out);
    for (int row = 0; row < x->f->nrows; row++) {
        const int64_t q = xa_read_first_pair(r, x->f->sample[row]);
        const bool has = q < r->pairs && r->pair_sample[q] == x->f->sample[row];
        fputs(row ? "," : "", out);
        put_number(out, has ? fmin(share[q], 1.0) : NAN, 3);
    }
    fputs("]", out);
    free(share);
    return XA_OK;
}

static void put_ids(FILE *out, const xa__explorer *x)
{
    const xa_read *r = x->f->r;
    char id[512];
    fputs("\"ids\":[", out);
    for (int row = 0; row < x->f->nrows; row++) {
        xa_read_text(r->id, r->id_bytes, x->f->sample[row], id, sizeof id);
        fputs(row ? "," : "", out);
        xa__json_text(out, x->opt->anonymise ? xa_path_last(id) : id);
    }
    fputs("],\"label\":[", out);
    for (int row = 0; row < x->f->nrows; row++) {
        const int64_t i = x->f->sample[row], from = r->label_offset[i];
        const int32_t label = from < r->label_offset[i + 1]
                                  ? xa_read_target(&r->models[0], i, r->label_value[from])
                                  : -1;
        fprintf(out, "%s%" PRId32, row ? "," : "", label);
    }
    fputs("]", out);
}

/* Only classes that occur: the names of a thousand others would be in the way. */
static void put_classes(FILE *out, const xa__explorer *x)
{
    const xa_read *r = x->f->r;
    const xa_read_model *first = &r->models[0];
    char name[128];
    fputs(",\"classes\":{", out);
    bool any = false;
    for (int64_t c = 0; c < first->classes; c++) {
        bool occurs = false;
        for (int row = 0; row < x->f->nrows && !occurs; row++) {
            const int64_t i = x->f->sample[row];
            for (int64_t m = 0; m < r->nmodels; m++)
                occurs = occurs || r->models[m].predicted[i] == c;
            for (int64_t k = r->label_offset[i]; k < r->label_offset[i + 1]; k++)
                occurs = occurs || xa_read_target(first, i, r->label_value[k]) == c;
        }
        if (!occurs)
            continue;
        fprintf(out, "%s\"%" PRId64 "\":", any ? "," : "", c);
        xa__json_text(out, xa_read_class(first, (int32_t)c, name, sizeof name));
        any = true;
    }
    fputs("}", out);
}

/* Per model: the predicted class and its probability, and whether that is right (1), wrong (0) or
 * not known (-1). */
static void put_predictions(FILE *out, const xa__explorer *x)
{
    const xa_read *r = x->f->r;
    fputs(",\"models\":[", out);
    for (int64_t m = 0; m < r->nmodels; m++) {
        const xa_read_model *model = &r->models[m];
        fputs(m ? ",{\"name\":" : "{\"name\":", out);
        xa__json_text(out, model->name);
        fputs(",\"pred\":[", out);
        for (int row = 0; row < x->f->nrows; row++)
            fprintf(out, "%s%" PRId32, row ? "," : "", model->predicted[x->f->sample[row]]);
        fputs("],\"prob\":[", out);
        for (int row = 0; row < x->f->nrows; row++) {
            const int64_t i = x->f->sample[row];
            const int32_t c = model->predicted[i];
            fputs(row ? "," : "", out);
            put_number(out, c >= 0 ? (double)model->probs[i * model->classes + c] : NAN, 3);
        }
        fputs("],\"right\":[", out);
        for (int row = 0; row < x->f->nrows; row++) {
            const int64_t i = x->f->sample[row];
            const bool labelled = r->label_offset[i] < r->label_offset[i + 1];
            const bool done = model->predicted[i] >= 0;
            fprintf(out,
                    "%s%d",
                    row ? "," : "",
                    !labelled || !done ? -1 : xa_read_has_label(r, i, model->predicted[i]));
        }
        fputs("]}", out);
    }
    fputs("]", out);
}

static void put_explainers(FILE *out, const xa__explorer *x)
{
    char name[128];
    fputs(",\"explainers\":[", out);
    for (int c = 0; c < x->columns; c++) {
        const xa_read_map *map = x->f->column[c].map;
        const xa_title t = xa_title_of_map(map);
        char whole[256];
        snprintf(
            whole, sizeof whole, *t.detail ? "%s (%s)" : "%s%s", t.name, *t.detail ? t.detail : "");
        fprintf(out, "%s{\"m\":%d,\"name\":", c ? "," : "", xa__explorer_model(x, c));
        xa__json_text(out, whole);
        fputs(",\"key\":", out);
        xa__json_text(out, map->name);
        fprintf(out, ",\"px\":%d}", xa_kind_is_pixelwise(map->kind));
    }
    fputs("],\"metrics\":[", out);
    for (int k = 0; k < x->nmetrics; k++) {
        xa_title_of_metric(x->metric[k], name, sizeof name);
        fputs(k ? "," : "", out);
        xa__json_text(out, name);
    }
    fprintf(out, "],\"start\":{\"e\":%d,\"k\":%d}", x->main_column, x->main_metric);
}

/* [metric][explainer][image] */
static void put_scores(FILE *out, const xa__explorer *x)
{
    fputs(",\"score\":[", out);
    for (int k = 0; k < x->nmetrics; k++) {
        fputs(k ? ",[" : "[", out);
        for (int c = 0; c < x->columns; c++) {
            fputs(c ? ",[" : "[", out);
            for (int row = 0; row < x->f->nrows; row++) {
                fputs(row ? "," : "", out);
                put_number(out, xa__explorer_score(x, c, k, row), 3);
            }
            fputs("]", out);
        }
        fputs("]", out);
    }
    fputs("]", out);
}

static xa_status put_data(FILE *out, const xa__explorer *x, xa_err *err)
{
    fputs("{", out);
    put_ids(out, x);
    put_classes(out, x);
    put_predictions(out, x);
    put_explainers(out, x);
    put_scores(out, x);
    XA_RETURN_TRY(err, put_sizes(out, x, err));
    fputs(",\"pic\":[", out);
    for (int row = 0; row < x->f->nrows; row++) {
        fputs(row ? ",\n" : "", out);
        if (x->pictured[row])
            XA_RETURN_TRY(err, xa__explorer_pictures(out, x, row, err));
        else
            fputs("null", out);
    }
    fputs("]}", out);
    return XA_OK;
}

/* Colours and opacities of the filter that turns grey into an overlay: 33 entries of a table, which
 * the browser interpolates. */
static void put_filter(FILE *out, bool is_signed)
{
    const xa_overlay o = xa_overlay_defaults(false);
    xa_str table[4] = {{0}};
    for (int i = 0; i <= 32; i++) {
        const double t = is_signed ? i / 16.0 - 1.0 : i / 32.0;
        uint8_t rgb[3];
        xa_overlay_colour(&o, is_signed, t, rgb);
        for (int k = 0; k < 3; k++)
            xa_str_printf(&table[k], "%s%.3f", i ? " " : "", rgb[k] / 255.0);
        xa_str_printf(&table[3], "%s%.3f", i ? " " : "", xa_overlay_opacity(&o, t) / o.opacity);
    }
    XA__PUT(out,
            xa__report_page_filter,
            "id",
            is_signed ? "heat2" : "heat",
            "red",
            table[0].data,
            "green",
            table[1].data,
            "blue",
            table[2].data,
            "opacity",
            table[3].data);
    for (int k = 0; k < 4; k++)
        xa_str_free(&table[k]);
}

xa_status xa__report_explorer(
    FILE *out, const xa_report_options *opt, const xa_summary *s, int64_t *missing, xa_err *err)
{
    xa_status st = XA_OK;
    xa__explorer x = {.opt = opt, .s = s, .missing = missing};
    const xa_choice choice = {.pick = XA_PICK_FIRST, .most = s->r->samples};
    xa__number shown, all;
    st = xa_figure_rows_open(s->path, &choice, opt->image_root, &x.f, err);
    if (st == XA_NOT_FOUND) { /* no image was explained */
        *err = (xa_err)XA_ERR_INIT;
        fputs(xa__report_page_no_images, out);
        return XA_OK;
    }
    XA_RETURN_TRY(err, st);
    x.columns = x.f->ncolumns < XA__EXPLAINERS ? x.f->ncolumns : XA__EXPLAINERS;
    find_metrics(&x);
    find_main(&x);
    XA_TRY(err, choose_pictured(&x, err));
    if (x.npictured < x.f->nrows)
        XA__PUT(out,
                xa__report_page_some_pictures,
                "shown",
                xa__whole(&shown, x.npictured),
                "all",
                xa__whole(&all, x.f->nrows));
    if (x.columns < x.f->ncolumns)
        XA__PUT(out,
                xa__report_page_some_explainers,
                "shown",
                xa__whole(&shown, x.columns),
                "all",
                xa__whole(&all, x.f->ncolumns));
    put_filter(out, false);
    put_filter(out, true);
    fputs(xa__report_page_explorer, out);
    XA_TRY(err, put_data(out, &x, err));
    fputs(xa__report_page_explorer_end, out);
done:
    free(x.pictured);
    xa_figure_rows_close(x.f);
    return st;
}
