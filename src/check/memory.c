#include "xaudit/check.h"

void xa_memory_of(const xa_loaded *l, const xa_contents *c, xa_memory *out)
{
    const xa_manifest *m = l->manifest;
    const double n = (double)m->count, models = (double)l->job.audit.nmodels;
    xa_memory y = {.rank = (double)xa_audit_arena_bytes(l->audit) +
                           (double)xa_audit_asking_bytes(l->audit),
                   .node = (double)xa_audit_weight_bytes(l->audit),
                   .reading = (double)m->peak_bytes,
                   .running = (double)m->bytes + (double)c->owned_bytes + 24.0 * n};
    y.ending = y.running + n * ((double)c->counts.text_bytes[XA_FIELD_SAMPLE_ID] + 24.0) +
               models * n * (6.0 + XA_MESSAGE_BYTES) + 4.0 * (double)c->counts.labels +
               12.0 * (double)c->counts.pairs + (double)c->counts.annotations;
    y.first = y.reading > y.ending ? y.reading : y.ending;
    *out = y;
}
