/* Checks as text: a table for each, its rivals beside it, and what it objects to in words. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "print_internal.h"
#include "xaudit/print.h"

/* ---- rows that belong together ---- */

/* The row of a series in the part of `r`; rows are in the order of xa__series_order. */
static const xa_summary_row *row_in(const xa_summary_row *rows,
                                    size_t n,
                                    const xa_summary_row *r,
                                    const char *metric,
                                    const char *explainer,
                                    bool baseline)
{
    const xa_series key = {
        .model = r->series->model, .metric = metric, .explainer = explainer, .baseline = baseline};
    size_t low = 0, high = n;
    while (low < high) {
        const size_t at = low + (high - low) / 2;
        if (xa__series_order(rows[at].series, &key) < 0)
            low = at + 1;
        else
            high = at;
    }
    for (; low < n && xa__series_order(rows[low].series, &key) == 0; low++)
        if (rows[low].part == r->part)
            return &rows[low];
    return NULL;
}

const xa_summary_row *
xa__row_of_figure(const xa_summary_row *rows, size_t n, const xa_summary_row *r, int64_t figure)
{
    return row_in(
        rows, n, r, r->series->checked->figure[figure], r->series->explainer, r->series->baseline);
}

const xa_summary_row *
xa__row_of_rival(const xa_summary_row *rows, size_t n, const xa_summary_row *r, xa_rival_kind k)
{
    char name[256];
    snprintf(name, sizeof name, "%s.%s", r->series->explainer, xa_rival_name(k));
    return row_in(rows, n, r, r->series->metric, name, true);
}

const xa_summary_row *xa__row_of_difference(const xa_summary_row *rows,
                                            size_t n,
                                            const xa_summary_row *r,
                                            xa_rival_kind k)
{
    char name[64];
    snprintf(name, sizeof name, "minus_%s", xa_rival_name(k));
    const int64_t f = xa_read_figure(r->series->checked, name);
    return f < 0 ? NULL : xa__row_of_figure(rows, n, r, f);
}

bool xa__row_is_folded(const xa_summary_row *rows, size_t n, const xa_summary_row *r)
{
    return r->series->checked && !xa_series_is_head(r->series) && !r->series->baseline &&
           xa__row_of_figure(rows, n, r, 0);
}

/* ---- the table of the first figure ---- */

static void put_short(FILE *out, const xa_summary_row *r)
{
    char room[24];
    if (r && r->figure.micro.n)
        fprintf(out, " %8s", xa_score_text(r->figure.micro.value, false, room));
    else
        fprintf(out, " %8s", "-");
}

static void put_difference(FILE *out, const xa_summary_row *r)
{
    char v[24], low[24], high[24];
    if (!r || !r->figure.micro.n) {
        fputs("  -", out);
        return;
    }
    const xa_interval *f = &r->figure.micro;
    fprintf(out, "  %s ", xa_score_text(f->value, true, v));
    if (f->kind == XA_INTERVAL_NONE)
        fputs(xa_no_interval_short(f), out);
    else
        fprintf(
            out, "[%s,%s]", xa_score_text(f->low, true, low), xa_score_text(f->high, true, high));
}

static void put_names(FILE *out, const xa_summary *s, const xa_summary_row *r, int64_t width)
{
    fputs("  ", out);
    xa_put_padded(out, r->series->explainer, width);
    fputc(' ', out);
    xa_put_padded(out, r->part ? r->part : s->by ? "all" : "", s->by ? 18 : 0);
}

static void put_head(FILE *out, const xa_summary *s, const xa_series *x, int64_t width)
{
    char a[128], b[128], c[512], unit[48];
    snprintf(unit, sizeof unit, "%s [95 %%]", xa_series_unit(x));
    fprintf(out,
            "\n%s  %s  (mean, %s; %s)\n  ",
            xa_shown(x->model, a, sizeof a),
            xa_shown(x->metric, b, sizeof b),
            xa_series_direction(x),
            xa_shown(x->conventions, c, sizeof c));
    xa_put_padded(out, "explainer", width);
    fputc(' ', out);
    xa_put_padded(out, s->by, s->by ? 18 : 0);
    fprintf(out, " %6s %5s  %-25s", "n", "undef", unit);
}

/* ---- what else it tells ---- */

static bool is_further(const xa_read_checked *c, int64_t f)
{
    return f > 0 && strncmp(c->figure[f] + strlen(c->name) + 1, "minus_", 6) != 0;
}

/* Means of the further figures; of fewer maps than the first figure has: their number. */
static void put_further(FILE *out,
                        const xa_summary *s,
                        const xa_summary_row *rows,
                        size_t n,
                        size_t first,
                        size_t end,
                        int64_t width)
{
    const xa_read_checked *c = rows[first].series->checked;
    char room[24], text[48];
    bool any = false;
    for (int64_t f = 0; f < c->nfigures; f++)
        any = any || (is_further(c, f) && xa__row_of_figure(rows, n, &rows[first], f));
    if (!any)
        return;
    fputs("  ", out);
    xa_put_padded(out, "further means", width);
    fputc(' ', out);
    xa_put_padded(out, "", s->by ? 18 : 0);
    for (int64_t f = 0; f < c->nfigures; f++)
        if (is_further(c, f))
            fprintf(out, " %15s", c->figure[f] + strlen(c->name) + 1);
    fputc('\n', out);
    for (size_t i = first; i < end; i++) {
        if (rows[i].series->baseline)
            continue;
        put_names(out, s, &rows[i], width);
        for (int64_t f = 0; f < c->nfigures; f++) {
            if (!is_further(c, f))
                continue;
            const xa_summary_row *r = xa__row_of_figure(rows, n, &rows[i], f);
            const int64_t of = r ? r->figure.micro.n : 0;
            snprintf(text,
                     sizeof text,
                     "%s",
                     of ? xa_score_text(r->figure.micro.value, false, room) : "-");
            if (of && of != rows[i].figure.micro.n)
                snprintf(text + strlen(text), sizeof text - strlen(text), " (n %" PRId64 ")", of);
            fprintf(out, " %15s", text);
        }
        fputc('\n', out);
    }
}

void xa__print_check(FILE *out,
                     const xa_summary *s,
                     const xa_summary_row *rows,
                     size_t n,
                     size_t first,
                     size_t end,
                     int64_t width)
{
    bool rival[XA_RIVAL_COUNT] = {false};
    int rivals = 0;
    for (int k = 0; k < XA_RIVAL_COUNT; k++) {
        for (size_t i = first; i < end && !rival[k]; i++)
            rival[k] = xa__row_of_rival(rows, n, &rows[i], (xa_rival_kind)k) != NULL;
        rivals += rival[k];
    }
    put_head(out, s, rows[first].series, width);
    for (int k = 0; k < XA_RIVAL_COUNT; k++)
        if (rival[k])
            fprintf(out, " %8s", xa_rival_name((xa_rival_kind)k));
    fputs(rivals ? "  minus random [95 %]\n" : "\n", out);
    for (size_t i = first; i < end; i++) {
        const xa_summary_row *r = &rows[i];
        if (r->series->baseline)
            continue;
        put_names(out, s, r, width);
        fprintf(out, " %6" PRId64 " %5" PRId64, r->figure.micro.n, r->figure.micro.undefined);
        xa__print_interval(out, &r->figure.micro);
        for (int k = 0; k < XA_RIVAL_COUNT; k++)
            if (rival[k])
                put_short(out, xa__row_of_rival(rows, n, r, (xa_rival_kind)k));
        if (rivals)
            put_difference(out, xa__row_of_difference(rows, n, r, XA_RIVAL_RANDOM));
        fputc('\n', out);
        if (!r->part && r->figure.micro.undefined)
            xa__print_undefined(out, s, r->series);
    }
    put_further(out, s, rows, n, first, end, width);
}

void xa__print_judged(FILE *out, const xa_judged *j, int n)
{
    char model[128], explainer[128], text[512];
    if (!n)
        return;
    fputs(
        "\nWhat the checks object to (no objection is no proof that a map is true to its model):\n",
        out);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < j[i].n; k++) {
            fputs("  ", out);
            snprintf(text,
                     sizeof text,
                     "%s/%s",
                     xa_shown(j[i].model, model, sizeof model),
                     xa_shown(j[i].explainer, explainer, sizeof explainer));
            xa_put_padded(out, k ? "" : text, 32);
            fprintf(out, " %s\n", xa_shown(j[i].text[k], text, sizeof text));
        }
}

void xa__print_orders(FILE *out, const xa_read_model *m, const xa_orders *o)
{
    char name[128];
    if (!o->n)
        return;
    fprintf(out,
            "\nDo metrics agree on the order of explainers? %s: Spearman's correlation over %d "
            "explainers, mean %.2f\n",
            xa_shown(m->name, name, sizeof name),
            (int)m->nmaps,
            o->mean);
    for (int a = 0; a < o->n; a++) {
        fprintf(out, "  %2d ", a + 1);
        xa_put_padded(out, o->name[a], 24);
        for (int b = 0; b < a; b++) {
            const double rho = o->rho[a * o->n + b];
            if (isfinite(rho))
                fprintf(out, " %5.2f", rho);
            else
                fprintf(out, " %5s", "-");
        }
        fputc('\n', out);
    }
    fprintf(out, "  %27s", "");
    for (int b = 0; b + 1 < o->n; b++)
        fprintf(out, " %5d", b + 1);
    fputc('\n', out);
}
