/* What all ranks share, below everything else: first errors, the wish to stop, the node's word. */
#include <inttypes.h>

#include "sched_internal.h"

void xa__sched_keep(xa_sched *s, xa_status code, const xa_err *why)
{
    s->stopping = true;
    if (s->code != XA_OK)
        return;
    s->code = code;
    s->err = *why;
    if (s->err.code == XA_OK)
        XA_ERR(&s->err, code, "%s, without a reason", xa_status_text(code));
    /* The node's first error is told to rank 0 by its leader. */
    int64_t none = 0;
    (void)atomic_compare_exchange_strong(
        &s->view.node->failed, &none, (int64_t)code << 32 | s->rank);
}

void xa__sched_lost(xa_sched *s, xa_status code, const xa_err *why)
{
    if (!s->lost) {
        s->lost = true;
        s->code = XA_OK;
    }
    xa__sched_keep(s, code, why);
    atomic_store(&s->view.node->lost, 1);
}

void xa__sched_look(xa_sched *s)
{
    xa__node *node = s->view.node;
    const int number = xa_signals_pending();
    if (number != 0 && s->signal == 0) {
        s->signal = number;
        s->stopping = true;
    }
    if (s->signal != 0 || s->asked_to_stop) {
        int32_t none = 0;
        (void)atomic_compare_exchange_strong(&node->wish, &none, 1 + s->signal);
    }
    if (atomic_load(&node->stop))
        s->stopping = true;
    if (atomic_load(&node->lost) && !s->lost) {
        xa_err why = XA_ERR_INIT;
        const xa_status st = XA_ERR(&why, XA_COMM, "another rank of this node has lost the others");
        xa__sched_lost(s, st, &why);
    }
}

void xa_sched_stop(xa_sched *s)
{
    s->asked_to_stop = true;
    s->stopping = true;
}

xa_sched_block xa__sched_block(const xa_sched *s, int i)
{
    const xa__block *b = s->view.block[i].b;
    return (xa_sched_block){
        .first = b->first,
        .n = b->n,
        .serial = b->serial,
        .payload = s->view.block[i].payload,
        .payload_size = (size_t)b->payload_size,
        .rows = s->view.block[i].rows,
    };
}
