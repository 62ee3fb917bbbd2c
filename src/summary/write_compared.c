/* Comparisons as CSV and JSON. */
#include <jansson.h>
#include <math.h>

#include "print_internal.h"
#include "xaudit/print.h"

static const char *decision_name(xa_decision d)
{
    static const char *const names[] = {[XA_DECISION_NONE] = "none",
                                        [XA_DECISION_SIGNIFICANT] = "significant",
                                        [XA_DECISION_NOT] = "not significant",
                                        [XA_DECISION_UNDECIDED] = "undecided: more permutations",
                                        [XA_DECISION_GROUPS] = "too few groups"};
    return names[d];
}

#define FIELD(type, cell, member, name, value)      \
    static void name(const void *row, xa_cell *out) \
    {                                               \
        const type *r = row;                        \
        out->kind = cell;                           \
        out->member = (value);                      \
    }
#define TEXT(name, value) FIELD(xa_compared, XA_CELL_TEXT, text, name, value)
#define WHOLE(name, value) FIELD(xa_compared, XA_CELL_WHOLE, whole, name, value)
#define REAL(name, value) FIELD(xa_compared, XA_CELL_REAL, real, name, value)
#define TEXT2(name, value) FIELD(xa_parted, XA_CELL_TEXT, text, name, value)
#define WHOLE2(name, value) FIELD(xa_parted, XA_CELL_WHOLE, whole, name, value)
#define REAL2(name, value) FIELD(xa_parted, XA_CELL_REAL, real, name, value)

static const char *why(const xa_interval *f)
{
    return f->n && f->kind == XA_INTERVAL_NONE ? xa_stats_no_interval(f->why) : NULL;
}

TEXT(c_metric, r->a->metric)
TEXT(c_model_a, r->a->model)
TEXT(c_explainer_a, r->a->explainer)
TEXT(c_model_b, r->b->model)
TEXT(c_explainer_b, r->b->explainer)
WHOLE(c_n, r->pair.difference.n)
WHOLE(c_undefined, r->pair.difference.undefined)
WHOLE(c_only_a, r->only_a.pairs)
WHOLE(c_only_b, r->only_b.pairs)
WHOLE(c_neither, r->neither.pairs)
WHOLE(c_clusters, r->pair.difference.clusters)
REAL(c_difference, r->pair.difference.value)
REAL(c_low, r->pair.difference.low)
REAL(c_high, r->pair.difference.high)
TEXT(c_no_interval, why(&r->pair.difference))
REAL(c_p, r->verdict.test.p)
REAL(c_p_holm, r->verdict.adjusted)
TEXT(c_decision, decision_name(r->verdict.decision))
WHOLE(c_family, r->verdict.family + 1)
WHOLE(c_members, r->verdict.members)
FIELD(xa_compared, XA_CELL_BOOL, whole, c_exact, r->verdict.test.exact)
WHOLE(c_permutations, r->verdict.test.replicates)
WHOLE(c_groups, r->verdict.test.groups)
WHOLE(c_win, r->pair.win)
WHOLE(c_tie, r->pair.tie)
WHOLE(c_loss, r->pair.loss)

/* "only a: 5 map not finite; both: 3 image not done" */
static void c_undefined_why(const void *row, xa_cell *out)
{
    const xa_compared *r = row;
    const xa_undefined *u[] = {&r->only_a, &r->only_b, &r->neither};
    static const char *const where[] = {"only a", "only b", "both"};
    xa_str text = {0};
    out->kind = XA_CELL_TEXT;
    for (int k = 0; k < 3; k++)
        if (u[k]->pairs) {
            xa_str_printf(&text, "%s%s: ", text.len ? "; " : "", where[k]);
            xa_summary_undefined_text(&text, u[k]);
        }
    snprintf(out->room, sizeof out->room, "%s", text.data ? text.data : "");
    out->text = text.len ? out->room : NULL;
    xa_str_free(&text);
}

static const xa_field compared_fields[] = {{"metric", c_metric},
                                           {"model_a", c_model_a},
                                           {"explainer_a", c_explainer_a},
                                           {"model_b", c_model_b},
                                           {"explainer_b", c_explainer_b},
                                           {"n", c_n},
                                           {"undefined", c_undefined},
                                           {"only_a_undefined", c_only_a},
                                           {"only_b_undefined", c_only_b},
                                           {"both_undefined", c_neither},
                                           {"undefined_why", c_undefined_why},
                                           {"clusters", c_clusters},
                                           {"difference", c_difference},
                                           {"low", c_low},
                                           {"high", c_high},
                                           {"no_interval", c_no_interval},
                                           {"p", c_p},
                                           {"p_holm", c_p_holm},
                                           {"decision", c_decision},
                                           {"family", c_family},
                                           {"comparisons", c_members},
                                           {"exact", c_exact},
                                           {"permutations", c_permutations},
                                           {"differing_groups", c_groups},
                                           {"win", c_win},
                                           {"tie", c_tie},
                                           {"loss", c_loss}};

TEXT2(p_metric, r->x->metric)
TEXT2(p_model, r->x->model)
TEXT2(p_explainer, r->x->explainer)
TEXT2(p_baseline, r->x->baseline ? "yes" : "no")
TEXT2(p_part_a, r->part[0])
TEXT2(p_part_b, r->part[1])
WHOLE2(p_n_a, r->between.n[0])
WHOLE2(p_n_b, r->between.n[1])
WHOLE2(p_undefined_a, r->between.undefined[0])
WHOLE2(p_undefined_b, r->between.undefined[1])
WHOLE2(p_clusters_a, r->between.clusters[0])
WHOLE2(p_clusters_b, r->between.clusters[1])
REAL2(p_value_a, r->between.value[0])
REAL2(p_value_b, r->between.value[1])
REAL2(p_difference, r->between.difference.value)
REAL2(p_low, r->between.difference.low)
REAL2(p_high, r->between.difference.high)
TEXT2(p_no_interval, why(&r->between.difference))
REAL2(p_p, r->verdict.test.p)
REAL2(p_p_holm, r->verdict.adjusted)
TEXT2(p_decision, decision_name(r->verdict.decision))
WHOLE2(p_family, r->verdict.family + 1)
WHOLE2(p_members, r->verdict.members)
FIELD(xa_parted, XA_CELL_BOOL, whole, p_exact, r->verdict.test.exact)
WHOLE2(p_permutations, r->verdict.test.replicates)

static const xa_field parted_fields[] = {{"metric", p_metric},
                                         {"model", p_model},
                                         {"explainer", p_explainer},
                                         {"baseline", p_baseline},
                                         {"part_a", p_part_a},
                                         {"part_b", p_part_b},
                                         {"n_a", p_n_a},
                                         {"n_b", p_n_b},
                                         {"undefined_a", p_undefined_a},
                                         {"undefined_b", p_undefined_b},
                                         {"clusters_a", p_clusters_a},
                                         {"clusters_b", p_clusters_b},
                                         {"value_a", p_value_a},
                                         {"value_b", p_value_b},
                                         {"difference", p_difference},
                                         {"low", p_low},
                                         {"high", p_high},
                                         {"no_interval", p_no_interval},
                                         {"p", p_p},
                                         {"p_holm", p_p_holm},
                                         {"decision", p_decision},
                                         {"family", p_family},
                                         {"comparisons", p_members},
                                         {"exact", p_exact},
                                         {"permutations", p_permutations}};

/* The settings of a list of comparisons, and the list. */
static xa_status
put_json(FILE *out, const xa_compare_options *o, int left_out, json_t *list, xa_err *err)
{
    json_t *all = list ? json_pack("{s:I, s:I, s:f, s:f, s:I, s:i, s:o}",
                                   "replicates",
                                   (json_int_t)o->plan->replicates,
                                   "seed",
                                   (json_int_t)o->plan->seed,
                                   "level",
                                   o->plan->level,
                                   "alpha",
                                   o->alpha,
                                   "most_permutations",
                                   (json_int_t)o->permutations,
                                   "left_out",
                                   left_out,
                                   "comparisons",
                                   list)
                       : NULL;
    const bool ok = all && json_dumpf(all, out, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) == 0;
    json_decref(all);
    fputc('\n', out);
    if (!ok)
        XA_RETURN_FAIL(err, XA_NOMEM, "the comparisons cannot be written as JSON");
    return XA_OK;
}

static const struct {
    const xa_field *fields;
    size_t nfields, size; /* of a row */
} kinds[] = {
    [XA__COMPARED] = {compared_fields,
                      sizeof compared_fields / sizeof *compared_fields,
                      sizeof(xa_compared)},
    [XA__PARTED] = {parted_fields, sizeof parted_fields / sizeof *parted_fields, sizeof(xa_parted)},
};

xa_status xa__write_comparisons(xa__comparison_kind kind,
                                const void *rows,
                                size_t n,
                                int left_out,
                                const xa_compare_options *o,
                                xa_summary_form form,
                                FILE *out,
                                xa_err *err)
{
    const xa_field *f = kinds[kind].fields;
    const size_t nf = kinds[kind].nfields, size = kinds[kind].size;
    if (form == XA_SUMMARY_JSON)
        return put_json(out, o, left_out, xa_fields_json(f, nf, rows, n, size), err);
    xa_fields_csv(out, f, nf, rows, n, size);
    return XA_OK;
}
