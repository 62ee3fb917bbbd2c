/* Passes: explainers grouped by what they ask of the engine, and the plan that serves them all. */
#include <stdlib.h>
#include <string.h>

#include "audit_internal.h"

static unsigned needs_of(const xa_explainer_spec *e)
{
    return xa_explainer_get(e->kind)->needs;
}

/* ---- groups ---- */

static bool same_score(const xa_pass_group *a, const xa_pass_group *b)
{
    return a->way == b->way && a->rules == b->rules && xa_same_scalar(&a->scalar, &b->scalar);
}

static bool same_depth(const xa_depth *a, const xa_depth *b)
{
    return a->kind == b->kind && a->low == b->low && a->high == b->high;
}

static bool same_input(const xa_input_spec *a, const xa_input_spec *b)
{
    const xa_scale *s = &a->scale, *t = &b->scale;
    if (a->resize != b->resize || !same_depth(&a->depth, &b->depth) || s->kind != t->kind ||
        s->div != t->div || s->channels != t->channels)
        return false;
    for (int c = 0; c < s->channels; c++)
        if (s->mean[c] != t->mean[c] || s->std[c] != t->std[c])
            return false;
    return true;
}

/* Ways from the image to the input: a forward pass each. */
void xa_audit_find_ways(xa_audit_model *am)
{
    am->ways[0] = &am->spec->input;
    am->nways = 1;
    for (int e = 0; e < am->spec->nexplainers; e++) {
        const xa_explainer_spec *ex = &am->spec->explainers[e];
        int w = 0;
        while (ex->has_input && w < am->nways && !same_input(am->ways[w], &ex->input))
            w++;
        if (w == am->nways)
            am->ways[am->nways++] = &ex->input;
        am->way[e] = w;
    }
}

xa_pass_group xa_audit_group_of(const xa_audit_model *am, int e)
{
    const xa_explainer_spec *ex = &am->spec->explainers[e];
    return (xa_pass_group){.way = am->way[e],
                           .rule = ex->target,
                           .target_class = ex->target_class,
                           .top = ex->top,
                           .rules = ex->backward,
                           .scalar = {.score = ex->score,
                                      .as_tensorflow = ex->as_tensorflow,
                                      .minus = ex->target_minus,
                                      .down = ex->down}};
}

void xa_audit_group_passes(xa_audit_model *am)
{
    for (int e = 0; e < am->spec->nexplainers; e++) {
        const xa_explainer_spec *ex = &am->spec->explainers[e];
        if (!xa_explainer_differentiates(ex->kind)) {
            am->group[e] = -1;
            continue;
        }
        const xa_pass_group want = xa_audit_group_of(am, e);
        int g = 0;
        while (g < am->ngroups &&
               !(am->groups[g].rule == want.rule && same_score(&am->groups[g], &want) &&
                 am->groups[g].target_class == want.target_class && am->groups[g].top == want.top))
            g++;
        if (g == am->ngroups)
            am->groups[am->ngroups++] = want;
        am->group[e] = g;
    }
}

/* ---- plan ---- */

typedef struct reach_set {
    xa_reach *reach; /* [2*ngroups + 1], and those of probes */
    int *nodes;      /* [2*ngroups + 1][most] */
    int most;        /* nodes that explainers look at, all together */
    int *attention;  /* [2*ngroups + 1][attention layers] */
    int *probes;     /* [attention layers] one each */
    int count;
} reach_set;

/* Attention layers whose gradient explainers of the member groups look at, the input side first. */
static int attention_nodes(const xa_audit_model *am, const bool *member, int *nodes)
{
    int count = 0;
    for (int l = 0; am->tokens && l < am->tokens->nlayers; l++) {
        bool wanted = false;
        for (int e = 0; e < am->spec->nexplainers; e++) {
            const xa_explainer_spec *ex = &am->spec->explainers[e];
            if (am->group[e] >= 0 && member[am->group[e]] &&
                (needs_of(ex) & XA_NEEDS_ATTENTION_GRADIENT) && !(needs_of(ex) & XA_NEEDS_PROBES))
                wanted = wanted || (*ex->layer ? am->site[e] == l : l >= ex->start);
        }
        if (wanted)
            nodes[count++] = xa_model_attention(am->model, l);
    }
    return count;
}

static bool same_nodes(const int *a, int na, const int *b, int nb)
{
    return na == nb && !memcmp(a, b, (size_t)na * sizeof *a);
}

/* Adds what explainer e looks at to `nodes`, each once. */
static int add_nodes(const xa_audit_model *am, int e, int *nodes, int n)
{
    const int own = am->layer_node[e] >= 0 ? 1 : am->sight[e].n;
    for (int i = 0; i < own; i++) {
        const int node = am->layer_node[e] >= 0 ? am->layer_node[e] : am->sight[e].node[i];
        int k = 0;
        while (k < n && nodes[k] != node)
            k++;
        nodes[k] = node;
        n += k == n;
    }
    return n;
}

/* The needs of the groups for which `member` is true, which have one score and one set of rules,
 * and where `input` is set the input's gradient; an equal reach is shared. */
static int add_reach(reach_set *set, const xa_audit_model *am, const bool *member, bool input)
{
    const int n = am->spec->nexplainers;
    xa_reach *r = &set->reach[set->count];
    int *nodes = set->nodes + set->count * set->most;
    int *attention = set->attention + set->count * (am->tokens ? am->tokens->nlayers : 0);
    *r = (xa_reach){.input = input, .nodes = nodes, .attention = attention};
    r->nattention = attention_nodes(am, member, attention);
    for (int e = 0; e < n; e++) {
        if (am->group[e] < 0 || !member[am->group[e]])
            continue;
        if (needs_of(&am->spec->explainers[e]) & XA_NEEDS_INPUT_GRADIENT)
            r->input = true;
        r->rules = am->groups[am->group[e]].rules;
        r->nnodes = add_nodes(am, e, nodes, r->nnodes);
    }
    for (int i = 0; i < set->count; i++)
        if (set->reach[i].input == r->input && set->reach[i].rules == r->rules &&
            same_nodes(set->reach[i].nodes, set->reach[i].nnodes, nodes, r->nnodes) &&
            same_nodes(set->reach[i].attention, set->reach[i].nattention, attention, r->nattention))
            return i;
    return set->count++;
}

/* Nodes that explainers look at, all together. */
static int count_nodes(const xa_audit_model *am)
{
    int most = 1;
    for (int e = 0; e < am->spec->nexplainers; e++)
        most += am->layer_node[e] >= 0 ? 1 : am->sight[e].n;
    return most;
}

/* Behind the reaches of groups: of each way to pool from the scores of all blocks to where they
 * end, then of each block from there to its attention. Their lists are in set->probes. */
static void add_probes(reach_set *set, xa_audit_model *am, int *exposed, int *nexposed)
{
    const int blocks = am->tokens ? am->tokens->nlayers : 0;
    bool any = false;
    for (int p = 0; p < XA_PROBE_COUNT; p++) {
        if (!am->probe[p].used)
            continue;
        any = true;
        am->probe[p].reach = set->count;
        exposed[(*nexposed)++] = am->probe[p].scores;
        set->reach[set->count++] = (xa_reach){.from = am->probe[p].scores,
                                              .nodes = am->boundary + 1,
                                              .nnodes = blocks,
                                              .stops = true};
    }
    am->block_reach = set->count;
    for (int l = 0; any && l < blocks; l++) {
        exposed[(*nexposed)++] = am->boundary[l + 1];
        set->probes[l] = xa_model_attention(am->model, l);
        set->reach[set->count++] =
            (xa_reach){.from = am->boundary[l + 1], .attention = &set->probes[l], .nattention = 1};
    }
}

xa_status xa_audit_make_plan(xa_audit_model *am, xa_isa isa, xa_err *err)
{
    const int n = am->spec->nexplainers, ng = am->ngroups;
    const int blocks = am->tokens ? am->tokens->nlayers : 0;
    reach_set set = {.most = count_nodes(am)};
    xa_status st = XA_OK;
    bool *member = xa_alloc((size_t)ng + 1, sizeof(bool));
    int *exposed = xa_alloc((size_t)(set.most + XA_PROBE_COUNT + blocks), sizeof(int));
    int nexposed = 0;
    bool needs_input = false;
    const size_t reaches = 2 * (size_t)ng + 1;
    set.reach = xa_alloc(reaches + XA_PROBE_COUNT + (size_t)blocks, sizeof(xa_reach));
    set.probes = xa_alloc((size_t)blocks + 1, sizeof(int));
    set.nodes = xa_alloc(reaches * (size_t)set.most, sizeof(int));
    set.attention = xa_alloc(reaches * (size_t)(am->tokens ? am->tokens->nlayers : 1), sizeof(int));
    if (!member || !exposed || !set.reach || !set.nodes || !set.attention || !set.probes)
        XA_FAIL(err, XA_NOMEM, "model \"%s\": out of memory", am->spec->name);
    for (int g = 0; g < ng; g++) {
        for (int k = 0; k < ng; k++)
            member[k] = k == g;
        am->groups[g].reach = add_reach(&set, am, member, false);
        for (int k = 0; k < ng; k++)
            member[k] = same_score(&am->groups[k], &am->groups[g]);
        am->groups[g].shared_reach = add_reach(&set, am, member, false);
    }
    am->ask_reach = -1;
    for (int g = 0; g < ng; g++)
        member[g] = false;
    for (int e = 0; e < n && am->ask_reach < 0; e++)
        if (xa_ask_count(am, e).gradients > 0)
            am->ask_reach = add_reach(&set, am, member, true);
    for (int e = 0; e < n; e++) {
        needs_input = needs_input || (needs_of(&am->spec->explainers[e]) & XA_NEEDS_INPUT);
        nexposed = add_nodes(am, e, exposed, nexposed);
    }
    add_probes(&set, am, exposed, &nexposed);
    const xa_plan_spec spec = {.batch = am->batch,
                               .isa = isa,
                               .exposed = exposed,
                               .nexposed = nexposed,
                               .root = xa_model_head(am->model)->node,
                               .reach = set.reach,
                               .nreach = set.count,
                               .reuse_input = !needs_input};
    XA_TRY(err, xa_plan_create(xa_model_graph(am->model), &spec, &am->plan, err));
done:
    free(member);
    free(exposed);
    free(set.reach);
    free(set.nodes);
    free(set.attention);
    free(set.probes);
    return st;
}

/* ---- what they take ---- */

/* The shortest of three, after one that warms up. */
static double shortest(xa_run *run, int reach, const float *seed)
{
    double best = 0.0;
    for (int k = 0; k < 4; k++) {
        const double start = xa_time();
        if (reach < 0)
            xa_run_forward(run);
        else
            xa_run_backward(run, reach, seed);
        const double took = xa_time() - start;
        best = k == 1 || (k > 1 && took < best) ? took : best;
    }
    return best;
}

xa_pass_seconds xa_audit_time(xa_audit *a, int m)
{
    xa_audit_model *am = &a->models[m];
    const xa_head *h = xa_model_head(am->model);
    const int64_t n = am->batch * xa_shape_count(&am->input), units = am->batch * h->units;
    float *x = xa_run_input(&am->run);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(i % 17) / 17.0f - 0.5f;
    for (int64_t i = 0; i < units; i++)
        a->seed[i] = i % h->units ? 0.0f : 1.0f;
    xa_pass_seconds out = {shortest(&am->run, -1, NULL) / (double)am->batch, 0.0};
    for (int g = 0; g <= am->ngroups; g++) {
        const int reach = g < am->ngroups ? am->groups[g].reach : am->ask_reach;
        const double took =
            reach < 0 ? 0.0 : shortest(&am->run, reach, a->seed) / (double)am->batch;
        out.backward = took > out.backward ? took : out.backward;
    }
    return out;
}
