/* The order of the class names, from a table of labels and predictions. */
#include "xaudit/view.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Images of one label that were given one class, in either half. */
typedef struct cell {
    xa_answer at;
    int64_t n[2];
} cell;

xa_status xa_answers_add(xa_answers *a, int32_t label, int32_t predicted, xa_err *err)
{
    XA_RETURN_TRY(err, xa_grow(&a->item, &a->cap, a->count + 1, sizeof *a->item, err));
    a->item[a->count++] = (xa_answer){label, predicted};
    return XA_OK;
}

void xa_answers_free(xa_answers *a)
{
    free(a->item);
    *a = (xa_answers){0};
}

void xa_class_order_free(xa_class_order *o)
{
    free(o->moved);
    *o = (xa_class_order){0};
}

static int by_label(const void *a, const void *b)
{
    const xa_answer *x = a, *y = b;
    return x->label != y->label ? (x->label > y->label) - (x->label < y->label)
                                : (x->predicted > y->predicted) - (x->predicted < y->predicted);
}

/* Cells of sorted answers; halves take turns, so that each has its share of every cell. */
static size_t fill_cells(const xa_answers *a, cell *cells)
{
    size_t n = 0;
    for (size_t i = 0; i < a->count; i++) {
        if (!n || by_label(&cells[n - 1].at, &a->item[i]))
            cells[n++] = (cell){.at = a->item[i]};
        cells[n - 1].n[i % 2]++;
    }
    return n;
}

/* Most frequent first, in one half; among equals by label and class. */
static int by_count(const void *a, const void *b, void *arg)
{
    const cell *x = *(cell *const *)a, *y = *(cell *const *)b;
    const int half = *(const int *)arg;
    return x->n[half] != y->n[half] ? (x->n[half] < y->n[half]) - (x->n[half] > y->n[half])
                                    : by_label(&x->at, &y->at);
}

/* Every label's class, no class twice, the most frequent pairs of the half first; -1: none.
 * to, taken: by class. */
static void assign(cell **order, size_t n, int half, int32_t *to, bool *taken, int32_t classes)
{
    for (int32_t c = 0; c < classes; c++) {
        to[c] = -1;
        taken[c] = false;
    }
    qsort_r(order, n, sizeof(cell *), by_count, &half);
    for (size_t i = 0; i < n && order[i]->n[half]; i++) {
        const xa_answer at = order[i]->at;
        if (to[at.label] >= 0 || taken[at.predicted])
            continue;
        to[at.label] = at.predicted;
        taken[at.predicted] = true;
    }
}

/* P(X >= k) of n draws that hold with probability p. */
static double tail(int64_t k, int64_t n, double p)
{
    double sum = 0.0;
    if (p >= 1.0)
        return 1.0;
    for (int64_t i = k; i <= n; i++)
        sum += exp(lgamma((double)n + 1) - lgamma((double)i + 1) - lgamma((double)(n - i) + 1) +
                   (double)i * log(p) + (double)(n - i) * log1p(-p));
    return sum;
}

/* Fills the figures of the labels that move: to_a and to_b are the choices of the two halves;
 * of_moved, by class, is false. */
static void measure(const cell *cells,
                    size_t n,
                    const int32_t *to_a,
                    const int32_t *to_b,
                    xa_class_order *out,
                    int64_t *most,
                    int64_t *given,
                    bool *of_moved)
{
    int64_t label_images = 0;
    *most = *given = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t label = cells[i].at.label, said = cells[i].at.predicted;
        if (i == 0 || cells[i - 1].at.label != label)
            label_images = 0;
        if (to_a[label] != to_b[label] || to_a[label] == label || to_a[label] < 0)
            continue;
        const int64_t images = cells[i].n[0] + cells[i].n[1];
        if (!label_images)
            out->moved[out->nmoved++] = (xa_answer){label, to_a[label]};
        label_images += images;
        *most = label_images > *most ? label_images : *most;
        out->images += images;
        out->right += said == label ? images : 0;
        out->held += said == to_a[label] ? images : 0;
    }
    /* all that are given the classes of those that move */
    for (int64_t k = 0; k < out->nmoved; k++)
        of_moved[out->moved[k].predicted] = true;
    for (size_t i = 0; i < n; i++)
        *given += of_moved[cells[i].at.predicted] ? cells[i].n[0] + cells[i].n[1] : 0;
}

xa_status xa_class_order_find(xa_answers *a, xa_class_order *out, xa_err *err)
{
    xa_status st = XA_OK;
    int32_t classes = 0, *to = NULL;
    int64_t most, given;
    cell *cells = xa_alloc(a->count + 1, sizeof *cells), **order = NULL;
    bool *taken = NULL;
    *out = (xa_class_order){0};
    for (size_t i = 0; i < a->count; i++) {
        classes = a->item[i].label >= classes ? a->item[i].label + 1 : classes;
        classes = a->item[i].predicted >= classes ? a->item[i].predicted + 1 : classes;
    }
    order = xa_alloc(a->count + 1, sizeof(cell *));
    to = xa_alloc(2 * (size_t)classes + 1, sizeof *to);
    taken = xa_alloc((size_t)classes + 1, sizeof *taken);
    out->moved = xa_alloc((size_t)classes + 1, sizeof *out->moved);
    if (!cells || !order || !to || !taken || !out->moved)
        XA_NOMEM_FAIL(err);
    if (a->count > 1)
        qsort(a->item, a->count, sizeof *a->item, by_label);
    const size_t n = fill_cells(a, cells);
    for (int half = 0; half < 2; half++) {
        for (size_t i = 0; i < n; i++)
            order[i] = &cells[i];
        assign(order, n, half, to + half * classes, taken, classes);
    }
    memset(taken, 0, (size_t)classes * sizeof *taken);
    measure(cells, n, to, to + classes, out, &most, &given, taken);
    if (out->nmoved < 2 || 10 * out->held < 6 * out->images || 10 * out->right > 2 * out->images ||
        10 * out->held < 6 * given ||
        tail(out->held, out->images, (double)most / (double)out->images) > 1e-3)
        out->nmoved = 0;
done:
    free(cells);
    free(order);
    free(to);
    free(taken);
    if (st != XA_OK)
        xa_class_order_free(out);
    return st;
}

/* ---- text ---- */

static int32_t goes_to(const xa_class_order *o, int32_t label)
{
    for (int64_t i = 0; i < o->nmoved; i++)
        if (o->moved[i].label == label)
            return o->moved[i].predicted;
    return -1;
}

void xa_class_order_text(const xa_class_order *o,
                         const char *(*name)(void *arg, int32_t c, char *buffer, size_t size),
                         void *arg,
                         xa_str *out)
{
    enum { MOST_PRINTED = 6 };
    char a[128], b[128];
    int64_t printed = 0, named = 0;
    for (int64_t i = 0; i < o->nmoved && printed < MOST_PRINTED; i++) {
        const int32_t from = o->moved[i].label, to = o->moved[i].predicted;
        const bool swapped = goes_to(o, to) == from;
        named += swapped ? 2 * (from < to) : 1;
        if (swapped && from > to)
            continue; /* printed with its other half */
        xa_str_printf(out,
                      "%s%s %s %s",
                      printed++ ? ", " : "",
                      name(arg, from, a, sizeof a),
                      swapped ? "<->" : "->",
                      name(arg, to, b, sizeof b));
    }
    if (named < o->nmoved)
        xa_str_printf(out, " and %" PRId64 " more", o->nmoved - named);
}
