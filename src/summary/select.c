/* Which series to keep, and why units of a series are undefined. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "summary_internal.h"

/* ---- undefined ---- */

/* A map that was made and looked at, by its status in a check. */
static void add_of_check(uint8_t status, xa_undefined *out)
{
    int64_t *to = status == XA_CHECKED_NO_MAP       ? &out->of_map
                  : status == XA_CHECKED_NOT_FINITE ? &out->of_answer
                  : status == XA_CHECKED_DONE       ? &out->of_figure
                                                    : &out->of_check;
    ++*to;
}

void xa_summary_add_undefined(const xa_summary *s,
                              const xa_series *x,
                              int64_t unit,
                              xa_undefined *out)
{
    const xa_read_model *m = xa__summary_model(s, x);
    const xa_read_map *map = NULL;
    bool made = false, nonfinite = false;
    out->pairs++;
    if (unit < 0) {
        out->no_map++;
        return;
    }
    const int64_t i = x->sample[unit];
    for (int64_t e = 0; e < m->nmaps; e++)
        if (m->maps[e].name == x->explainer)
            map = &m->maps[e];
    for (int64_t k = map ? xa_read_first_row(map, i) : 0;
         map && k < map->rows && map->sample[k] == i;
         k++) {
        made = true;
        nonfinite = nonfinite || (map->flags[k] & XA_MAP_NONFINITE);
    }
    if (m->status[i] != XA_SAMPLE_DONE)
        out->not_done++;
    else if (map && !made)
        out->no_map++;
    else if (nonfinite)
        out->nonfinite++;
    else if (x->checked)
        add_of_check(x->checked->status[unit], out);
    else if (x->is == XA_SERIES_CHECK)
        out->of_check++;
    else if (x->skips_difficult && xa_read_pair_flagged(s->r, unit, XA_ANNOTATION_DIFFICULT))
        out->difficult++;
    else if (x->ignores_crowds && xa_read_pair_flagged(s->r, unit, XA_ANNOTATION_CROWD))
        out->crowds++;
    else if (xa_read_pair_problem(s->r, unit))
        out->annotation[xa_read_pair_problem(s->r, unit)]++;
    else
        out->other++;
}

int64_t xa_summary_zero_maps(const xa_read_model *m, const xa_read_map *x, int64_t *rows)
{
    int64_t zeros = 0;
    *rows = 0;
    for (int64_t k = 0; k < x->rows; k++)
        if (m->status[x->sample[k]] == XA_SAMPLE_DONE) {
            zeros += (x->flags[k] & XA_MAP_DEGENERATE) != 0;
            ++*rows;
        }
    return zeros;
}

int64_t xa_summary_incomplete_maps(const xa_read_map *x, int64_t *rows)
{
    int64_t missed = 0;
    *rows = 0;
    for (int64_t k = 0; x->completeness && x->explained && k < x->rows; k++) {
        const double whole = x->explained[2 * k] - x->explained[2 * k + 1];
        if (!isfinite(x->completeness[k]) || !isfinite(whole))
            continue;
        missed += fabs(x->completeness[k]) > 0.05 * fabs(whole);
        ++*rows;
    }
    return missed;
}

void xa_summary_undefined(const xa_summary *s, const xa_series *x, xa_undefined *out)
{
    *out = (xa_undefined){0};
    for (int64_t q = 0; q < x->n; q++)
        if (!isfinite(x->value[q]))
            xa_summary_add_undefined(s, x, q, out);
    out->pairs = x->n;
}

void xa_summary_undefined_text(xa_str *out, const xa_undefined *u)
{
    const struct {
        int64_t n;
        const char *what;
    } why[] = {{u->not_done, "image not done"},
               {u->no_map, "no map of the class"},
               {u->nonfinite, "map not finite"},
               {u->difficult, "all its annotations are difficult"},
               {u->crowds, "all its annotations are crowds"},
               {u->other, "map undefined, or the region has no pixel in the model's view"},
               {u->of_check, "not defined for this map"},
               {u->of_map, "map zero everywhere"},
               {u->of_answer, "an answer of the model was not finite"},
               {u->of_figure, "the map's curve or drops have no such figure"}};
    const char *between = "";
    for (size_t k = 0; k < sizeof why / sizeof *why; k++)
        if (why[k].n) {
            xa_str_printf(out, "%s%" PRId64 " %s", between, why[k].n, why[k].what);
            between = ", ";
        }
    for (int p = 0; p <= XA_ANNOTATION_PROBLEMS; p++)
        if (u->annotation[p]) {
            xa_str_printf(
                out, "%s%" PRId64 " %s", between, u->annotation[p], xa_annotation_problem_name(p));
            between = ", ";
        }
}

/* ---- selection ---- */

/* An empty list names all. */
static bool is_named(char *const *list, int n, const char *name)
{
    return n == 0 || xa_word_index(name, (const char *const *)list, n) >= 0;
}

static bool is_explainer(const xa_selection *w, const xa_series *x)
{
    if (is_named(w->explainer, w->nexplainers, x->explainer))
        return true;
    const char *suffix = x->baseline ? strrchr(x->explainer, '.') : NULL;
    if (x->baseline && !suffix)
        return true; /* centre, full */
    for (int k = 0; suffix && k < w->nexplainers; k++) {
        const size_t n = strlen(w->explainer[k]);
        if ((size_t)(suffix - x->explainer) == n && !strncmp(w->explainer[k], x->explainer, n))
            return true;
    }
    return false;
}

/* The options that name series, and the name that each means; `of` is its index. */
static const char *const what_of[] = {"--metric", "--model", "--explainer"};

static const char *name_of(const xa_series *x, int of)
{
    return of == 0 ? x->metric : of == 1 ? x->model : x->explainer;
}

/* Lists every name once. */
static void list_names(const xa_summary *s, int of, xa_str *out)
{
    for (int i = 0; i < s->nseries; i++) {
        bool seen = false;
        for (int j = 0; j < i && !seen; j++)
            seen = !strcmp(name_of(&s->series[i], of), name_of(&s->series[j], of));
        if (!seen)
            xa_str_printf(out, "%s%s", i ? ", " : "", name_of(&s->series[i], of));
    }
}

static xa_status must_be_there(const xa_summary *s, char *const *list, int n, int of, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str known = {0};
    for (int k = 0; k < n; k++) {
        bool there = false;
        for (int i = 0; i < s->nseries && !there; i++)
            there = !strcmp(name_of(&s->series[i], of), list[k]);
        if (there)
            continue;
        char clean[128];
        xa_str_sanitise(list[k], clean, sizeof clean);
        list_names(s, of, &known);
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s %s: no series has this name; there are: %s",
                what_of[of],
                clean,
                known.data ? known.data : "none");
    }
done:
    xa_str_free(&known);
    return st;
}

xa_status xa_summary_select(xa_summary *s, const xa_selection *w, xa_err *err)
{
    int kept = 0;
    XA_RETURN_TRY(err, must_be_there(s, w->metric, w->nmetrics, 0, err));
    XA_RETURN_TRY(err, must_be_there(s, w->model, w->nmodels, 1, err));
    XA_RETURN_TRY(err, must_be_there(s, w->explainer, w->nexplainers, 2, err));
    for (int i = 0; i < s->nseries; i++) {
        xa_series *x = &s->series[i];
        if (is_named(w->metric, w->nmetrics, x->metric) &&
            is_named(w->model, w->nmodels, x->model) && is_explainer(w, x))
            s->series[kept++] = *x;
        else
            xa_series_free(x);
    }
    s->nseries = kept;
    return XA_OK;
}
