/* Mean map of every cluster (xaudit cluster): a row for each class and explainer. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chart_internal.h"

enum { MOST_ROWS = 24, MOST_COLUMNS = 8 };

/* How many maps a cluster has, and the share of wrong answers where labels say. */
static xa_status note(xa__maker *k,
                      const xa_read_map *x,
                      const xa_read_clusters *c,
                      int64_t g,
                      int32_t number,
                      xa_tile *tile,
                      xa_err *err)
{
    const xa_read *r = k->p->s->r;
    int64_t n = 0, labelled = 0, wrong = 0;
    for (int64_t i = 0; i < c->rows; i++) {
        const int64_t s = x->sample[i];
        if (c->status[i] != XA_CLUSTER_DONE || c->group[i] != g || c->number[i] != number)
            continue;
        n++;
        if (r->label_offset[s] == r->label_offset[s + 1] || k->m->values)
            continue;
        labelled++;
        wrong += !xa_read_has_label(r, s, k->m->predicted[s]);
    }
    XA_RETURN_TRY(err, xa__plot_own_text(k->o, xa_strfmt("%" PRId64 " maps", n), &tile->note, err));
    if (labelled)
        XA_RETURN_TRY(
            err,
            xa__plot_own_text(k->o,
                              xa_strfmt("%.0f %% wrong", 100.0 * (double)wrong / (double)labelled),
                              &tile->score,
                              err));
    return XA_OK;
}

static xa_status fill_row(xa__maker *k,
                          const xa_read_map *x,
                          const xa_read_clusters *c,
                          int64_t g,
                          xa_image *pictures,
                          xa_tile *tiles,
                          int columns,
                          xa_err *err)
{
    for (int i = 0; i < c->count[g] && i < columns; i++) {
        const float *v = c->mean + (g * c->clusters + i) * c->height * c->width;
        float high = 0.0f;
        for (int64_t q = 0; q < c->height * c->width; q++)
            high = v[q] > high ? v[q] : high;
        XA_RETURN_TRY(
            err,
            xa_map_colour(
                v, c->height, c->width, 0.0, (double)high, XA_COLORMAP_VIRIDIS, &pictures[i], err));
        tiles[i].picture = &pictures[i];
        tiles[i].frame[0] = tiles[i].frame[1] = 1.0;
        XA_RETURN_TRY(err, note(k, x, c, g, i, &tiles[i], err));
    }
    return XA_OK;
}

static xa_status
name_row(xa__maker *k, const xa_read_map *x, int32_t class_index, xa_panel_row *row, xa_err *err)
{
    char name[128] = "all classes";
    if (class_index >= 0)
        (void)xa_read_class(k->m, class_index, name, sizeof name);
    XA_RETURN_TRY(err, xa__plot_own_text(k->o, xa_strdup(name), &row->name, err));
    return xa__plot_title(k, x->name, &row->why, err);
}

xa_status xa__plot_clusters(xa__maker *k, xa_err *err)
{
    xa_status st = XA_OK;
    xa_tile *tiles;
    xa_panel_column *heads;
    xa_panel_row *sides;
    xa_read_clusters c = {0};
    int rows = 0, columns = 1;
    static const xa_panel_bar bar = {
        .colormap = XA_COLORMAP_VIRIDIS, .low = "0", .high = "largest"};
    XA_TRY(err, xa__plot_own(k->o, MOST_ROWS * MOST_COLUMNS, sizeof *tiles, &tiles, err));
    XA_TRY(err,
           xa__plot_own(k->o, MOST_ROWS * MOST_COLUMNS, sizeof(xa_image), &k->o->pictures, err));
    XA_TRY(err, xa__plot_own(k->o, MOST_COLUMNS, sizeof *heads, &heads, err));
    XA_TRY(err, xa__plot_own(k->o, MOST_ROWS, sizeof *sides, &sides, err));
    k->o->npictures = MOST_ROWS * MOST_COLUMNS;
    for (int pass = 0; pass < 2; pass++) { /* how many columns, then the rows */
        for (int64_t e = 0; e < k->m->nmaps; e++) {
            const xa_read_map *x = &k->m->maps[e];
            const xa_path at = xa_field_name(XA_FIELD_CLUSTER_MEAN, k->m->name, x->name, NULL);
            xa_dataset_info info;
            if (k->m->nmaps > 1 &&
                xa_archive_dataset(k->p->s->r->archive, at.text, &info, NULL) == XA_NOT_FOUND)
                continue; /* only some explainers were asked for */
            XA_TRY(err, xa_read_clusters_load(k->p->s->r, k->m, x, &c, err));
            for (int64_t g = 0; g < c.groups; g++) {
                if (!c.count[g])
                    continue;
                const int own = c.count[g] < MOST_COLUMNS ? c.count[g] : MOST_COLUMNS;
                columns = !pass && own > columns ? own : columns;
                if (!pass || rows == MOST_ROWS)
                    continue;
                XA_TRY(err,
                       fill_row(k,
                                x,
                                &c,
                                g,
                                &k->o->pictures[rows * columns],
                                &tiles[rows * columns],
                                columns,
                                err));
                XA_TRY(err, name_row(k, x, c.class_index[g], &sides[rows++], err));
            }
            xa_read_clusters_free(&c);
        }
    }
    if (!rows)
        XA_FAIL(
            err,
            XA_NOT_FOUND,
            "%s: no clusters of the maps of %s: `xaudit cluster` makes them, of classes with 16 "
            "maps or more",
            k->p->s->path,
            k->m->name);
    for (int i = 0; i < columns; i++)
        XA_TRY(err, xa__plot_own_text(k->o, xa_strfmt("cluster %d", i), &heads[i].name, err));
    k->o->is_panel = true;
    k->o->panel = (xa_panel){
        .rows = rows,
        .columns = columns,
        .tiles = tiles,
        .column = heads,
        .row = sides,
        .width_mm = k->p->width_mm,
        .font_pt = k->p->font_pt,
        .bar = &bar,
        .footnote = "Mean of each cluster's maps, |values| over their sum, on the model's "
                    "input. Clusters are numbered by size; each picture has its own "
                    "scale."};
done:
    xa_read_clusters_free(&c);
    return st;
}
