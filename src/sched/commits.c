/* See commits.h. */
#include "commits.h"

#include <stdlib.h>
#include <string.h>

xa_status xa__commits_add(xa__commits *c, xa__range done, char *report, size_t size, xa_err *err)
{
    XA_RETURN_TRY(err, xa_grow(&c->item, &c->cap, c->n + 1, sizeof *c->item, err));
    c->item[c->n++] = (xa__commit){.done = done, .report = report, .size = size};
    return XA_OK;
}

static int by_first(const void *a, const void *b)
{
    const xa__commit *x = a, *y = b;
    return (x->done.first > y->done.first) - (x->done.first < y->done.first);
}

static bool follows(const xa__commit *a, const xa__commit *b)
{
    return a->done.first + a->done.n == b->done.first;
}

/* Puts item[first+1 .. last] behind item[first]; false: there is no memory. */
static bool join(const xa__commits *c, size_t first, size_t last)
{
    xa__commit *to = &c->item[first];
    size_t size = 0;
    for (size_t i = first; i <= last; i++)
        size += c->item[i].size;
    char *all = realloc(to->report, size + 1);
    if (!all)
        return false;
    to->report = all;
    for (size_t i = first + 1; i <= last; i++) {
        xa__commit *x = &c->item[i];
        if (x->size > 0)
            memcpy(all + to->size, x->report, x->size);
        to->size += x->size;
        to->done.n += x->done.n;
        free(x->report);
        x->report = NULL;
    }
    all[size] = '\0';
    return true;
}

void xa__commits_join(xa__commits *c)
{
    size_t kept = 0;
    if (c->n > 1)
        qsort(c->item, c->n, sizeof *c->item, by_first);
    for (size_t i = 0; i < c->n;) {
        size_t last = i;
        while (last + 1 < c->n && follows(&c->item[last], &c->item[last + 1]))
            last++;
        if (last > i && !join(c, i, last))
            last = i;
        c->item[kept++] = c->item[i];
        i = last + 1;
    }
    c->n = kept;
}

void xa__commits_clear(xa__commits *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->item[i].report);
    c->n = 0;
}

void xa__commits_fini(xa__commits *c)
{
    xa__commits_clear(c);
    free(c->item);
    *c = (xa__commits){0};
}
