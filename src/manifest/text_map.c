/* A hash map from texts to indices. The caller keeps the texts. */
#include <stdlib.h>
#include <string.h>

#include "manifest_internal.h"

void xa_text_map_init(xa_text_map *m)
{
    *m = (xa_text_map){0};
    /* The seed differs between runs, so that no file can be made to collide. Nothing that is
     * written depends on the order of the slots. */
    const double now = xa_time();
    m->seed = xa_hash64(&now, sizeof now, 0);
}

void xa_text_map_fini(xa_text_map *m)
{
    free(m->slots);
    *m = (xa_text_map){0};
}

int64_t
xa_text_map_find(const xa_text_map *m, const char *text, xa_text_map_key_fn *key, const void *arg)
{
    if (m->nslots == 0)
        return -1;
    const uint64_t hash = xa_hash64(text, strlen(text), m->seed);
    for (size_t i = hash & (m->nslots - 1);; i = (i + 1) & (m->nslots - 1)) {
        const xa_text_map_slot *s = &m->slots[i];
        if (s->value < 0)
            return -1;
        if (s->hash == hash && strcmp(key(arg, s->value), text) == 0)
            return s->value;
    }
}

static void put(xa_text_map_slot *slots, size_t nslots, uint64_t hash, int64_t value)
{
    size_t i = hash & (nslots - 1);
    while (slots[i].value >= 0)
        i = (i + 1) & (nslots - 1);
    slots[i].hash = hash;
    slots[i].value = value;
}

xa_status xa_text_map_add(xa_text_map *m, const char *text, int64_t value, xa_err *err)
{
    if (2 * (m->used + 1) > m->nslots) {
        const size_t nslots = m->nslots > 0 ? 2 * m->nslots : 64;
        xa_text_map_slot *slots = xa_alloc(nslots, sizeof *slots);
        if (!slots)
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a table of %zu names", nslots);
        for (size_t i = 0; i < nslots; i++)
            slots[i].value = -1;
        for (size_t i = 0; i < m->nslots; i++)
            if (m->slots[i].value >= 0)
                put(slots, nslots, m->slots[i].hash, m->slots[i].value);
        free(m->slots);
        m->slots = slots;
        m->nslots = nslots;
    }
    put(m->slots, m->nslots, xa_hash64(text, strlen(text), m->seed), value);
    m->used++;
    return XA_OK;
}
