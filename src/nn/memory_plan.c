/* Offsets by lifetime: largest first, each at the lowest place that no storage alive at the same
 * time occupies. */
#include <stdlib.h>

#include "plan_internal.h"

typedef struct item {
    int id;
    size_t bytes;
} item;

static int by_size(const void *a, const void *b)
{
    const item *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->id - y->id; /* a total order: the layout is the same everywhere */
}

static int by_offset(const void *a, const void *b)
{
    const xa_storage *x = *(const xa_storage *const *)a, *y = *(const xa_storage *const *)b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

xa_status xa_plan_layout(xa_storage *s, size_t n, size_t *arena_bytes, xa_err *err)
{
    xa_status st = XA_OK;
    item *order = xa_alloc(n + 1, sizeof *order);
    const xa_storage **alive = xa_alloc(n + 1, sizeof(xa_storage *));
    size_t placed = 0, end = 0, count = 0;
    if (!order || !alive)
        XA_FAIL(err, XA_NOMEM, "plan: out of memory");
    for (size_t i = 0; i < n; i++)
        if (s[i].same_as < 0)
            order[count++] = (item){(int)i, xa_align_up(s[i].bytes, XA_ALIGN)};
    qsort(order, count, sizeof *order, by_size);
    for (size_t k = 0; k < count; k++) {
        xa_storage *me = &s[order[k].id];
        size_t nalive = 0, at = 0;
        for (size_t j = 0; j < placed; j++) {
            const xa_storage *o = &s[order[j].id];
            if (o->first <= me->last && me->first <= o->last)
                alive[nalive++] = o;
        }
        if (nalive)
            qsort(alive, nalive, sizeof *alive, by_offset);
        for (size_t j = 0; j < nalive; j++) {
            if (at + order[k].bytes <= alive[j]->offset)
                break;
            const size_t past = alive[j]->offset + xa_align_up(alive[j]->bytes, XA_ALIGN);
            if (past > at)
                at = past;
        }
        me->offset = at;
        placed++;
        if (at + order[k].bytes > end)
            end = at + order[k].bytes;
    }
    *arena_bytes = end;
done:
    free(order);
    free(alive);
    return st;
}

int xa_storage_root(const xa_plan *p, int storage)
{
    while (storage >= 0 && p->storages[storage].same_as >= 0)
        storage = p->storages[storage].same_as;
    return storage;
}
