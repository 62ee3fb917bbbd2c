/* Maps of explainers that ask the model again. */
#include <math.h>

#include "audit_internal.h"

static xa_ask question(const xa_batch *b, int e, int64_t i, int32_t target)
{
    const xa_explainer_spec *spec = &b->am->spec->explainers[e];
    return (xa_ask){.consumer = xa_explainer_get(spec->kind)->consumer,
                    .spec = spec,
                    .way = b->am->way[e],
                    .i = i,
                    .layer = b->am->layer_node[e],
                    .target = target,
                    .scalar = xa_audit_group_of(b->am, e).scalar,
                    .asks = xa_ask_count(b->am, e),
                    .e = e};
}

void xa_ask_finish(const xa_batch *b, xa_ask *q)
{
    xa_explained out = {.map = b->a->map, .facts = &b->a->facts};
    b->a->facts = (xa_explain_facts){NAN, NAN, NAN, NAN};
    q->consumer->finish(q->state, xa_ask_subject(b->am, q), &out);
}

static xa_status store(const xa_batch *b, xa_ask *q, xa_err *err)
{
    (void)err;
    xa_ask_finish(b, q);
    xa_batch_store(b, q->e, q->row, q->target, q->i);
    return XA_OK;
}

xa_status xa_ask_map(const xa_batch *b,
                     int e,
                     int64_t i,
                     int64_t row,
                     int32_t target,
                     const xa_explain_view *v,
                     xa_err *err)
{
    xa_ask q = question(b, e, i, target);
    q.row = row;
    q.done = store;
    b->out->maps[e].target[row] = target; /* other checks look whether there is a map */
    return xa_ask_begin(b, &q, v, err);
}

static xa_status compare(const xa_batch *b, xa_ask *q, xa_err *err)
{
    xa_ask_finish(b, q);
    return xa_batch_compare_other(b, q->e, q->i, err);
}

xa_status xa_ask_other(
    const xa_batch *b, int e, int64_t i, int32_t target, const xa_explain_view *v, xa_err *err)
{
    xa_ask q = question(b, e, i, target);
    q.done = compare;
    return xa_ask_begin(b, &q, v, err);
}

xa_status
xa_ask_moved(const xa_batch *b, int e, const xa_ask *who, const xa_explain_view *v, xa_err *err)
{
    xa_ask q = question(b, e, who->i, who->target);
    q.subject = who->subject;
    q.z = who->z;
    q.done = who->done;
    q.row = who->row;
    q.kept = who->kept;
    return xa_ask_begin(b, &q, v, err);
}
