/* Mean maps of the classes. */
#include <inttypes.h>
#include <stdlib.h>

#include "chart_internal.h"

static xa_status
mean_tile(xa__maker *k, int e, int64_t c, xa_image *picture, xa_tile *tile, xa_err *err)
{
    xa_status st = XA_OK;
    xa_dataset_info info;
    float *v = NULL, low = 0.0f, high = 0.0f;
    int64_t count = 0;
    const char *explainer = k->m->maps[e].name;
    const xa_path path = xa_field_name(XA_FIELD_CLASS_MEAN, k->m->name, explainer, NULL);
    const xa_path beside = xa_field_name(XA_FIELD_CLASS_MEAN_COUNT, k->m->name, explainer, NULL);
    st = xa_archive_dataset(k->p->s->r->archive, path.text, &info, err);
    if (st == XA_NOT_FOUND)
        XA_FAIL(err, st, "%s: no mean maps: xaudit evaluate makes them", k->p->s->path);
    XA_TRY(err, st);
    if (info.type != XA_TYPE_F32 || info.ndim != 3 || c >= info.dim[0] || info.dim[1] < 1 ||
        info.dim[2] < 1 || info.dim[1] > XA_MEAN_SIDE || info.dim[2] > XA_MEAN_SIDE)
        XA_FAIL(err, XA_FORMAT, "%s: %s: no mean maps", k->p->s->path, path.text);
    v = xa_alloc((size_t)(info.dim[1] * info.dim[2]), sizeof *v);
    if (!v)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_archive_read(k->p->s->r->archive, path.text, c, 1, v, err));
    XA_TRY(err, xa_archive_read(k->p->s->r->archive, beside.text, c, 1, &count, err));
    if (count < 1)
        goto done;
    for (int64_t i = 0; i < info.dim[1] * info.dim[2]; i++) {
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
    }
    XA_TRY(err,
           xa_map_colour(v,
                         info.dim[1],
                         info.dim[2],
                         (double)low,
                         (double)high,
                         XA_COLORMAP_VIRIDIS,
                         picture,
                         err));
    tile->picture = picture;
    tile->frame[0] = tile->frame[1] = 1.0;
    XA_TRY(
        err,
        xa__plot_own_text(
            k->o, xa_strfmt("%" PRId64 " map%s", count, count == 1 ? "" : "s"), &tile->note, err));
done:
    free(v);
    return st;
}

static xa_status name_column(xa__maker *k, const xa_read_map *x, xa_panel_column *out, xa_err *err)
{
    const xa_title shown = xa_title_of_map(x);
    XA_RETURN_TRY(err, xa__plot_own_text(k->o, xa_strdup(shown.name), &out->name, err));
    if (*shown.detail)
        XA_RETURN_TRY(err, xa__plot_own_text(k->o, xa_strdup(shown.detail), &out->detail, err));
    return XA_OK;
}

xa_status xa__plot_means(xa__maker *k, xa_err *err)
{
    enum { MOST = 24 };
    const int columns = (int)k->m->nmaps;
    const int rows = k->m->classes < MOST ? (int)k->m->classes : MOST;
    xa_tile *tiles;
    xa_panel_column *heads;
    xa_panel_row *sides;
    static const xa_panel_bar bar = {
        .colormap = XA_COLORMAP_VIRIDIS, .low = "least", .high = "largest"};
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)(rows * columns), sizeof *tiles, &tiles, err));
    XA_RETURN_TRY(
        err, xa__plot_own(k->o, (size_t)(rows * columns), sizeof(xa_image), &k->o->pictures, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)columns, sizeof *heads, &heads, err));
    XA_RETURN_TRY(err, xa__plot_own(k->o, (size_t)rows, sizeof *sides, &sides, err));
    k->o->npictures = rows * columns;
    for (int e = 0; e < columns; e++)
        XA_RETURN_TRY(err, name_column(k, &k->m->maps[e], &heads[e], err));
    for (int c = 0; c < rows; c++) {
        char name[128];
        XA_RETURN_TRY(
            err,
            xa__plot_own_text(
                k->o, xa_strdup(xa_read_class(k->m, c, name, sizeof name)), &sides[c].name, err));
        for (int e = 0; e < columns; e++)
            XA_RETURN_TRY(
                err,
                mean_tile(k, e, c, &k->o->pictures[c * columns + e], &tiles[c * columns + e], err));
    }
    k->o->is_panel = true;
    k->o->panel =
        (xa_panel){.rows = rows,
                   .columns = columns,
                   .tiles = tiles,
                   .column = heads,
                   .row = sides,
                   .width_mm = k->p->width_mm,
                   .font_pt = k->p->font_pt,
                   .bar = &bar,
                   .footnote = "Mean over the class's maps, each over its largest size, on "
                               "the model's input."};
    return XA_OK;
}
