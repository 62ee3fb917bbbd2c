/* Questions about perturbed inputs: those of all images and consumers of a batch, put together into
 * passes of the model's plan. Each consumer gets its answers in the order of its draws. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit_internal.h"

/* ---- memory ---- */

bool xa_ask_any(const xa_audit_model *am)
{
    for (int e = 0; e < am->spec->nexplainers; e++)
        if (xa_explainer_get(am->spec->explainers[e].kind)->consumer)
            return true;
    return am->checks != NULL;
}

xa_asks xa_ask_count(const xa_audit_model *am, int e)
{
    const xa_explainer_spec *ex = &am->spec->explainers[e];
    const xa_consumer *c = xa_explainer_get(ex->kind)->consumer;
    const xa_shape none = {0};
    const int node = am->layer_node[e];
    if (!c)
        return (xa_asks){0};
    return c->asks(
        ex, &am->input, node < 0 ? &none : &xa_graph_node(xa_model_graph(am->model), node)->shape);
}

static size_t
state_bytes(const xa_audit_model *am, const xa_consumer *c, const void *spec, int node)
{
    const xa_shape none = {0};
    return c->state_bytes(spec,
                          &am->input,
                          node < 0 ? &none
                                   : &xa_graph_node(xa_model_graph(am->model), node)->shape);
}

size_t xa_ask_states(const xa_audit_model *am, int e)
{
    const xa_explainer_spec *ex = &am->spec->explainers[e];
    const xa_consumer *c = xa_explainer_get(ex->kind)->consumer;
    return c ? state_bytes(am, c, ex, am->layer_node[e]) : 0;
}

size_t xa_ask_bytes(const xa_audit_model *am)
{
    const size_t images = (size_t)(am->nways * am->batch);
    size_t bytes = 0;
    bool references = false;
    if (!xa_ask_any(am))
        return 0;
    for (int e = 0; e < am->spec->nexplainers; e++) {
        const xa_explainer_spec *ex = &am->spec->explainers[e];
        bytes += (size_t)am->batch * xa_ask_states(am, e);
        if (xa_explainer_get(ex->kind)->needs_references && !references) {
            bytes += xa_reference_bytes(am);
            references = true;
        }
    }
    return bytes + (am->checks ? am->checks->bytes : 0) +
           images * ((size_t)xa_shape_count(&am->input) + (size_t)xa_model_head(am->model)->units) *
               sizeof(float);
}

xa_status xa_ask_init(xa_audit_model *am, xa_err *err)
{
    const size_t images = (size_t)(am->nways * am->batch), channels = (size_t)am->input.dim[2];
    if (!xa_ask_any(am))
        return XA_OK;
    am->clean = xa_alloc(images * (size_t)xa_shape_count(&am->input), sizeof(float));
    am->clean_z = xa_alloc(images * (size_t)xa_model_head(am->model)->units, sizeof(float));
    am->subjects = xa_alloc(images, sizeof *am->subjects);
    am->ranges = xa_alloc((size_t)am->nways * 2 * channels, sizeof(float));
    am->slots = xa_alloc((size_t)am->batch, sizeof *am->slots);
    if (!am->clean || !am->clean_z || !am->subjects || !am->ranges || !am->slots)
        XA_RETURN_NOMEM(err);
    for (int w = 0; w < am->nways; w++) {
        float *black = am->ranges + (size_t)w * 2 * channels;
        xa_scale_range(&am->ways[w]->scale, (int)channels, black, black + channels);
    }
    return XA_OK;
}

static void forget(xa_askings *q)
{
    for (int64_t k = 0; k < q->n; k++)
        free(q->list[k].state);
    q->n = 0;
}

void xa_ask_fini(xa_audit_model *am)
{
    forget(&am->asks);
    free(am->asks.list);
    free(am->clean);
    free(am->clean_z);
    free(am->subjects);
    free(am->ranges);
    free(am->slots);
    free(am->at_hand);
    free(am->at_hand_input);
}

/* ---- the images ---- */

void xa_ask_keep_inputs(const xa_batch *b, int w)
{
    xa_audit_model *am = b->am;
    const int64_t n = xa_shape_count(&am->input), first = w * am->batch;
    const float *black = am->ranges ? am->ranges + (int64_t)w * 2 * am->input.dim[2] : NULL;
    if (!am->clean)
        return;
    memcpy(am->clean + first * n, xa_run_input(&am->run), (size_t)(am->batch * n) * sizeof(float));
    for (int64_t i = 0; i < b->n; i++)
        am->subjects[first + i] = (xa_subject){
            .shape = am->input,
            .x = am->clean + (first + i) * n,
            .black = black,
            .white = black + am->input.dim[2],
            .seed = xa_random_seed(b->rows->pixel_hash[b->first + i], (uint64_t)b->a->spec->seed),
            .references = am->references ? &am->source : NULL,
            .self = xa_reference_self(am, &b->samples[b->first + i])};
}

void xa_ask_keep_scores(const xa_batch *b, int w)
{
    const xa_head *h = xa_model_head(b->am->model);
    if (b->am->clean_z)
        memcpy(b->am->clean_z + w * b->am->batch * h->units,
               xa_run_value(&b->am->run, h->node),
               (size_t)(b->am->batch * h->units) * sizeof(float));
}

const xa_subject *xa_ask_subject(const xa_audit_model *am, const xa_ask *q)
{
    return q->subject ? q->subject : &am->subjects[q->way * am->batch + q->i];
}

static xa_reply answer_of(const xa_batch *b, const xa_ask *q, const float *z)
{
    const xa_head *h = xa_model_head(b->am->model);
    xa_reply a = {.z = z, .units = h->units, .prob = NAN};
    const xa_scalar prob = {.score = XA_SCORE_PROB, .minus = -1};
    a.score = xa_score_value(h, &q->scalar, z, q->target);
    if (xa_head_has_probs(h->kind))
        a.prob = xa_score_value(h, &prob, z, q->target);
    return a;
}

/* ---- questions ---- */

static bool same_inputs(const xa_ask *p, const xa_ask *q)
{
    return p->i == q->i && p->subject == q->subject && p->way == q->way && p->node == q->node &&
           p->recipe.fill == q->recipe.fill && !p->recipe.own && !q->recipe.own &&
           !memcmp(p->recipe.key, q->recipe.key, sizeof p->recipe.key);
}

static bool mixed(const xa_ask *q)
{
    return q->asks.gradients > 0 && q->asks.gradients < q->asks.draws;
}

/* Answers with gradients are read after those without. Who has both keeps the order of its draws if
 * nobody asks for gradients of its other draws. */
static bool keeps_order(const xa_ask *leader, const xa_ask *q)
{
    if (!leader->mixed && !mixed(q))
        return true;
    return !q->asks.gradients || !leader->most_gradients ||
           q->asks.gradients == leader->most_gradients;
}

static bool same_gradient(const xa_ask *p, const xa_ask *q)
{
    return p->target == q->target && xa_same_scalar(&p->scalar, &q->scalar);
}

xa_status xa_ask_begin(const xa_batch *b, const xa_ask *what, const xa_explain_view *v, xa_err *err)
{
    xa_askings *all = &b->am->asks;
    xa_ask q = *what;
    XA_RETURN_TRY(err, xa_grow(&all->list, &all->cap, (size_t)all->n + 1, sizeof q, err));
    const size_t bytes = xa_align_up(state_bytes(b->am, q.consumer, q.spec, q.layer), XA_ALIGN);
    q.state = xa_alloc_aligned(bytes);
    if (!q.state)
        XA_RETURN_NOMEM(err);
    memset(q.state, 0, bytes);
    const xa_head *h = xa_model_head(b->am->model);
    const xa_reply clean =
        answer_of(b, &q, q.z ? q.z : b->am->clean_z + (q.way * b->am->batch + q.i) * h->units);
    q.consumer->plan(q.spec, xa_ask_subject(b->am, &q), &clean, v, q.state, &q.recipe);
    q.node = q.asks.at_layer ? q.layer : -1;
    q.next = -1;
    q.leader = all->n;
    q.round = 0;
    all->list[all->n++] = q;
    return XA_OK;
}

/* Joins questions about the same inputs: a leader, and a list of the others. */
static void join(xa_askings *all)
{
    for (int64_t k = 0; k < all->n; k++) {
        xa_ask *q = &all->list[k];
        int64_t l = 0, last;
        while (l < k && !(all->list[l].leader == l && same_inputs(&all->list[l], q) &&
                          keeps_order(&all->list[l], q)))
            l++;
        q->mixed = mixed(q);
        q->most_draws = q->asks.draws;
        q->most_gradients = q->asks.gradients;
        q->rounds = 1;
        if (l == k)
            continue;
        xa_ask *leader = &all->list[l];
        q->leader = l;
        leader->mixed = leader->mixed || q->mixed;
        q->round = leader->rounds;
        for (last = l; last >= 0; last = all->list[last].next) {
            if (same_gradient(&all->list[last], q)) {
                q->round = all->list[last].round;
                break;
            }
        }
        if (q->round == leader->rounds)
            leader->rounds++;
        for (last = l; all->list[last].next >= 0; last = all->list[last].next)
            ;
        all->list[last].next = k;
        if (q->asks.draws > leader->most_draws)
            leader->most_draws = q->asks.draws;
        if (q->asks.gradients > leader->most_gradients)
            leader->most_gradients = q->asks.gradients;
    }
}

/* ---- passes ---- */

/* The answers that come without gradient. */
static void read_scores(const xa_batch *b, const float *z, int64_t units, int64_t n)
{
    xa_askings *all = &b->am->asks;
    for (int64_t s = 0; s < n; s++) {
        const xa_ask_slot *slot = &b->am->slots[s];
        for (int64_t k = slot->leader; k >= 0; k = all->list[k].next) {
            const xa_ask *q = &all->list[k];
            if (slot->draw >= q->asks.draws || slot->draw < q->asks.gradients)
                continue;
            const xa_reply a = answer_of(b, q, z + s * units);
            q->consumer->read(q->state, xa_ask_subject(b->am, q), slot->draw, &a);
        }
    }
}

/* Who of a slot's questions has a gradient in this round; -1: nobody. */
static int64_t asks_in(const xa_askings *all, const xa_ask_slot *slot, int round, int64_t from)
{
    int64_t k = from;
    while (k >= 0 && (all->list[k].round != round || slot->draw >= all->list[k].asks.gradients))
        k = all->list[k].next;
    return k;
}

/* Rounds: each slot has one target and score in each. Whose round is which does not depend on the
 * draw, so that nobody's answers change their order. */
static xa_status read_gradients(const xa_batch *b, const float *z, int64_t n, xa_err *err)
{
    const xa_askings *all = &b->am->asks;
    const xa_head *h = xa_model_head(b->am->model);
    const int64_t count = xa_shape_count(&b->am->input);
    int rounds = 0;
    for (int64_t s = 0; s < n; s++)
        if (all->list[b->am->slots[s].leader].rounds > rounds)
            rounds = all->list[b->am->slots[s].leader].rounds;
    for (int r = 0; r < rounds; r++) {
        bool any = false;
        memset(b->a->seed, 0, (size_t)(b->am->batch * h->units) * sizeof(float));
        for (int64_t s = 0; s < n; s++) {
            const xa_ask_slot *slot = &b->am->slots[s];
            const int64_t k = asks_in(all, slot, r, slot->leader);
            if (k < 0)
                continue;
            const xa_ask *q = &all->list[k];
            any = true;
            XA_RETURN_TRY(
                err,
                xa_score_seed(
                    h, &q->scalar, z + s * h->units, q->target, b->a->seed + s * h->units, err));
        }
        if (!any)
            continue;
        xa_run_backward(&b->am->run, b->am->ask_reach, b->a->seed);
        const float *g = xa_run_gradient(
            &b->am->run, b->am->ask_reach, xa_graph_input(xa_model_graph(b->am->model)));
        for (int64_t s = 0; s < n; s++) {
            const xa_ask_slot *slot = &b->am->slots[s];
            for (int64_t k = asks_in(all, slot, r, slot->leader); k >= 0;
                 k = asks_in(all, slot, r, all->list[k].next)) {
                const xa_ask *q = &all->list[k];
                xa_reply a = answer_of(b, q, z + s * h->units);
                a.gradient = g + s * count;
                q->consumer->read(q->state, xa_ask_subject(b->am, q), slot->draw, &a);
            }
        }
    }
    return XA_OK;
}

/* One pass over the first n slots. */
static xa_status run_pass(const xa_batch *b, int node, int64_t n, xa_err *err)
{
    const xa_askings *all = &b->am->asks;
    const xa_head *h = xa_model_head(b->am->model);
    const xa_shape *shape =
        node < 0 ? &b->am->input : &xa_graph_node(xa_model_graph(b->am->model), node)->shape;
    const int64_t count = xa_shape_count(shape);
    float *x = node < 0 ? xa_run_input(&b->am->run) : xa_run_layer(&b->am->run, node);
    bool gradients = false;
    for (int64_t s = 0; s < n; s++) {
        const xa_ask_slot *slot = &b->am->slots[s];
        const xa_ask *q = &all->list[slot->leader];
        q->recipe.fill(q->state, xa_ask_subject(b->am, q), slot->draw, x + s * count);
        gradients = gradients || slot->draw < q->most_gradients;
    }
    memset(x + n * count, 0, (size_t)((b->am->batch - n) * count) * sizeof(float));
    if (node < 0)
        xa_run_forward(&b->am->run);
    else
        xa_run_forward_from(&b->am->run, node);
    const float *z = xa_run_value(&b->am->run, h->node);
    read_scores(b, z, h->units, n);
    return gradients ? read_gradients(b, z, n, err) : XA_OK;
}

/* Draws of every question at `node` (-1: the input): those with gradients, or the others. */
static xa_status run_draws(const xa_batch *b, int node, bool gradients, xa_err *err)
{
    const xa_askings *all = &b->am->asks;
    int64_t n = 0;
    for (int64_t k = 0; k < all->n; k++) {
        const xa_ask *q = &all->list[k];
        const int64_t first = gradients ? 0 : q->most_gradients;
        const int64_t end = gradients ? q->most_gradients : q->most_draws;
        for (int64_t d = first; q->leader == k && q->node == node && d < end; d++) {
            b->am->slots[n++] = (xa_ask_slot){k, d};
            if (n == b->am->batch) {
                XA_RETURN_TRY(err, run_pass(b, node, n, err));
                n = 0;
            }
        }
    }
    return n ? run_pass(b, node, n, err) : XA_OK;
}

xa_status xa_ask_run(const xa_batch *b, xa_err *err)
{
    xa_askings *all = &b->am->asks;
    xa_status st = XA_OK;
    if (!all->n)
        return XA_OK;
    join(all);
    XA_TRY(err, run_draws(b, -1, true, err));
    XA_TRY(err, run_draws(b, -1, false, err));
    for (int64_t k = 0; k < all->n; k++) {
        bool first = all->list[k].node >= 0; /* of its layer */
        for (int64_t j = 0; j < k && first; j++)
            first = all->list[j].node != all->list[k].node;
        if (first)
            XA_TRY(err, run_draws(b, all->list[k].node, false, err));
    }
    for (int64_t k = 0; k < all->n; k++)
        XA_TRY(err, all->list[k].done(b, &all->list[k], err));
done:
    forget(all);
    return st;
}
