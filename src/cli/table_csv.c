/* The archive as tidy CSV or JSON: one line, or object, per image, map and annotated class.
 *
 * The header and the rows come from one list of columns. A column has a name and a function that
 * gives its value. */
#include "commands.h"
#include "table.h"

typedef xa__table_line line;
typedef xa__table_column column;
typedef xa__table_columns columns;

/* Where lines go. */
typedef struct writer {
    FILE *out;
    const columns *c;
    bool json, ok;
    int64_t written;
    xa_str room;
} writer;

static void put_line(writer *w, line *l)
{
    l->room = &w->room;
    if (w->json)
        fputs(w->written ? ",\n{" : "\n{", w->out);
    for (size_t k = 0; k < w->c->n; k++) {
        const column *c = &w->c->list[k];
        xa_cell cell = {.kind = XA_CELL_TEXT}; /* no value */
        c->get(l, c, &cell);
        fputs(k ? "," : "", w->out);
        if (w->json) {
            const xa_cell name = {.kind = XA_CELL_TEXT, .text = c->name};
            w->ok = xa_cell_json(w->out, &name) && w->ok;
            fputc(':', w->out);
            w->ok = xa_cell_json(w->out, &cell) && w->ok;
        } else {
            xa_cell_csv(w->out, &cell);
        }
    }
    fputs(w->json ? "}" : "\n", w->out);
    w->written++;
}

/* The map row that was scored for a class: the one that explains it, else the sample's only one. */
static int64_t row_of_pair(const xa_read_map *x, int64_t sample, int32_t class_index)
{
    const int64_t first = xa_read_first_row(x, sample);
    int64_t n = 0;
    for (int64_t k = first; k < x->rows && x->sample[k] == sample; k++, n++)
        if (x->target[k] == class_index)
            return k;
    return n == 1 ? first : -1;
}

static void put_sample(writer *w, const xa_read *r, int64_t m, int64_t i)
{
    line l = {.r = r, .m = &r->models[m], .i = i, .row = -1, .pair = -1};
    if (!l.m->nmaps)
        put_line(w, &l);
    for (int64_t e = 0; e < l.m->nmaps; e++) {
        const xa_read_map *x = &l.m->maps[e];
        int64_t q = xa_read_first_pair(r, i), k = xa_read_first_row(x, i);
        l.x = x;
        l.row = l.pair = -1;
        if (q < r->pairs && r->pair_sample[q] == i) {
            for (; q < r->pairs && r->pair_sample[q] == i; q++) {
                l.row = row_of_pair(x, i, xa_read_target(l.m, i, r->pair_class[q]));
                l.pair = q;
                put_line(w, &l);
            }
        } else if (k < x->rows && x->sample[k] == i) {
            for (; k < x->rows && x->sample[k] == i; k++) {
                l.row = k;
                put_line(w, &l);
            }
        } else {
            put_line(w, &l);
        }
    }
}

static void put_lines(writer *w, const xa_read *r)
{
    for (size_t k = 0; k < w->c->n && !w->json; k++) {
        fputs(k ? "," : "", w->out);
        xa_csv_text(w->out, w->c->list[k].name);
    }
    fputs(w->json ? "[" : "\n", w->out);
    for (int64_t i = 0; i < r->samples; i++)
        for (int64_t m = 0; m < r->nmodels; m++)
            put_sample(w, r, m, i);
    if (w->json)
        fputs("\n]\n", w->out);
}

xa_status xa__table_rows(xa_read *r, bool json, FILE *out, xa_err *err)
{
    xa_status st = XA_OK;
    columns c = {0};
    writer w = {.out = out, .c = &c, .json = json, .ok = true};
    XA_TRY(err, xa__table_columns_find(r, &c, err));
    put_lines(&w, r);
    if (!w.ok || w.room.failed)
        XA_NOMEM_FAIL(err);
done:
    xa_str_free(&w.room);
    xa__table_columns_fini(&c);
    return st;
}
