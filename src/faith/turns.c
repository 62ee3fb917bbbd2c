/* Which samples a check looks at. */
#include <stdlib.h>

#include "xaudit/faith.h"

typedef struct candidate {
    double drawn;
    int64_t sample, rank; /* in its class */
    int32_t class_index;
} candidate;

static int by_drawn(const candidate *a, const candidate *b)
{
    if (a->drawn != b->drawn)
        return a->drawn < b->drawn ? -1 : 1;
    return (a->sample > b->sample) - (a->sample < b->sample);
}

static int in_class(const void *pa, const void *pb)
{
    const candidate *a = pa, *b = pb;
    if (a->class_index != b->class_index)
        return a->class_index < b->class_index ? -1 : 1;
    return by_drawn(a, b);
}

static int over_classes(const void *pa, const void *pb)
{
    const candidate *a = pa, *b = pb;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return by_drawn(a, b);
}

xa_status xa_faith_turns(int64_t n,
                         const uint64_t *id_hash,
                         const int32_t *class_of,
                         uint64_t seed,
                         int64_t *turn,
                         xa_err *err)
{
    const uint64_t stream = xa_random_stream(XA_PURPOSE_SAMPLES, 0);
    candidate *c = xa_alloc((size_t)n + 1, sizeof *c);
    if (!c)
        XA_RETURN_NOMEM(err);
    for (int64_t i = 0; i < n; i++)
        c[i] = (candidate){.drawn = xa_random_unit(seed, stream, id_hash[i]),
                           .sample = i,
                           .class_index = class_of[i]};
    qsort(c, (size_t)n, sizeof *c, in_class);
    for (int64_t i = 1; i < n; i++)
        c[i].rank = c[i].class_index == c[i - 1].class_index ? c[i - 1].rank + 1 : 0;
    qsort(c, (size_t)n, sizeof *c, over_classes);
    for (int64_t i = 0; i < n; i++)
        turn[c[i].sample] = i;
    free(c);
    return XA_OK;
}
