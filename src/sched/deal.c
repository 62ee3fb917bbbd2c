/* See deal.h. */
#include "deal.h"

#include <stdlib.h>

enum { LANDS = 4, FIRST_UNITS = 2, WORTH_PART = 8 };

/* ---- territories ----------------------------------------------------------------------------- */

/* Whether a page of a dataset ends between the entries at - 1 and at of the list. */
static bool at_border(const xa__deal *d, int64_t at)
{
    return at > 0 && at < d->ntodo && d->todo[at] / d->align != d->todo[at - 1] / d->align;
}

/* Cuts the list; with land NULL it only counts. */
static int64_t cut(const xa__deal *d, xa__land *land)
{
    const int64_t whole = d->nodes == 1 ? d->ntodo : (d->ntodo - 1) / ((int64_t)LANDS * d->nodes);
    int64_t count = 0, begin = 0;
    for (int64_t i = 1; i <= d->ntodo; i++) {
        if (i < d->ntodo && (i - begin <= whole || !at_border(d, i)))
            continue;
        if (land)
            land[count] = (xa__land){.next = begin, .end = i, .owner = -1};
        count++;
        begin = i;
    }
    return count;
}

xa_status xa__deal_init(xa__deal *d,
                        const int64_t *todo,
                        int64_t ntodo,
                        const int *ranks,
                        int nodes,
                        int64_t align,
                        double target_seconds,
                        int64_t most,
                        xa_err *err)
{
    *d = (xa__deal){
        .todo = todo,
        .ntodo = ntodo,
        .remaining = ntodo,
        .target_seconds = target_seconds,
        .most = most,
        .align = align,
        .nodes = nodes,
        .barren = -1,
    };
    d->nland = cut(d, NULL);
    d->hand = xa_alloc((size_t)nodes, sizeof *d->hand);
    d->land = xa_alloc((size_t)(d->nland + nodes), sizeof *d->land);
    if (!d->hand || !d->land) {
        xa__deal_fini(d);
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the list of %d nodes", nodes);
    }
    (void)cut(d, d->land);
    for (int i = 0; i < nodes; i++)
        d->hand[i] = (xa__hand){.ranks = ranks[i], .land = -1};
    return XA_OK;
}

void xa__deal_fini(xa__deal *d)
{
    free(d->hand);
    free(d->land);
    d->hand = NULL;
    d->land = NULL;
}

/* The first entry of the list in [low, high) that is not below `unit`. */
static int64_t entry_of(const xa__deal *d, int64_t low, int64_t high, int64_t unit)
{
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        if (d->todo[mid] < unit)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Where a territory is divided: near the middle, at a border if there is one. 0: not at all. */
static int64_t place_to_divide(const xa__deal *d, const xa__land *l, double seconds)
{
    const int64_t left = l->end - l->next, mid = l->next + left / 2;
    const int64_t page = d->todo[mid] / d->align;
    const int64_t low = entry_of(d, l->next, l->end, page * d->align);
    const int64_t high = entry_of(d, l->next, l->end, (page + 1) * d->align);
    const bool low_good = low > l->next, high_good = high < l->end;
    if (low_good && (!high_good || mid - low <= high - mid))
        return low;
    if (high_good)
        return high;
    if (left < 2 || (seconds > 0 && seconds < d->target_seconds / WORTH_PART))
        return 0;
    return mid;
}

static double seconds_left(const xa__deal *d, const xa__land *l)
{
    const double units = (double)(l->end - l->next);
    return l->owner >= 0 ? units * d->hand[l->owner].unit_seconds : 0;
}

/* Takes the upper part of the territory that takes longest, for a node that has none. */
static bool divide(xa__deal *d, int node)
{
    int64_t best = -1, where = 0;
    double longest = -1;
    if (d->barren == d->remaining)
        return false;
    const double usual = d->known > 0 ? d->known / d->speed : 1;
    for (int64_t i = 0; i < d->nland + d->nodes; i++) {
        const xa__land *l = &d->land[i];
        if (l->next >= l->end)
            continue;
        const double known = seconds_left(d, l);
        const double seconds = known > 0 ? known : usual * (double)(l->end - l->next);
        const int64_t at = seconds > longest ? place_to_divide(d, l, known) : 0;
        if (at > 0) {
            best = i;
            where = at;
            longest = seconds;
        }
    }
    if (best < 0) {
        d->barren = d->remaining;
        return false;
    }
    const int64_t own = d->nland + node; /* used up, or the node would not ask */
    d->land[own] = (xa__land){.next = where, .end = d->land[best].end, .owner = node};
    d->land[best].end = where;
    d->hand[node].land = own;
    return true;
}

static xa__land *land_of(xa__deal *d, int node)
{
    xa__hand *h = &d->hand[node];
    if (h->land >= 0 && d->land[h->land].next < d->land[h->land].end)
        return &d->land[h->land];
    h->land = -1;
    if (d->unowned < d->nland) {
        h->land = d->unowned++;
        d->land[h->land].owner = node;
    } else if (!divide(d, node)) {
        return NULL;
    }
    return &d->land[h->land];
}

/* ---- grants ---------------------------------------------------------------------------------- */

static int64_t units_for(const xa__deal *d, const xa__hand *h)
{
    const xa__grant_state g = {
        .target_seconds = d->target_seconds,
        .unit_seconds = h->unit_seconds,
        .share = xa__share(d->speed, d->known, d->nodes, h->unit_seconds),
        .remaining = d->remaining,
        .previous = h->last,
        .most = d->most,
        .ranks = d->nodes,
    };
    int64_t n = (int64_t)FIRST_UNITS * h->ranks; /* nothing is measured: a few for each rank, */
    const int64_t fair = d->remaining / (2 * (int64_t)d->nodes);
    if (h->last > 0 && h->unit_seconds > 0)
        n = xa__grant_units(&g);
    else if (d->nodes > 1 && n > fair) /* but no more than a fair part */
        n = fair;
    /* At the end one for each rank, as long as all nodes can have that: a block of fewer units
     * leaves ranks without work. */
    int64_t least = (d->remaining + d->nodes - 1) / d->nodes;
    least = least < h->ranks ? least : h->ranks;
    n = n < least ? least : n;
    return d->most > 0 && n > d->most ? d->most : n;
}

xa__range
xa__deal_next(xa__deal *d, int node, int64_t (*fit)(void *arg, int64_t first, int64_t n), void *arg)
{
    const xa__range none = {0};
    if (d->remaining == 0)
        return none;
    xa__land *l = land_of(d, node);
    if (!l)
        return none;
    xa__hand *h = &d->hand[node];
    const int64_t wanted = units_for(d, h);
    /* Consecutive numbers only: a resumed run has holes. */
    xa__range r = {.first = d->todo[l->next], .n = 1};
    while (r.n < wanted && l->next + r.n < l->end && d->todo[l->next + r.n] == r.first + r.n)
        r.n++;
    if (fit)
        r.n = fit(arg, r.first, r.n);
    l->next += r.n;
    d->remaining -= r.n;
    /* A hole or a full block cut it short: growth goes on from what the node could have had. */
    h->last = wanted;
    return r;
}

void xa__deal_learn(xa__deal *d, int node, int64_t units, double seconds)
{
    xa__hand *h = &d->hand[node];
    if (units <= 0)
        return;
    if (h->unit_seconds > 0) {
        d->speed -= 1 / h->unit_seconds;
        d->known--;
    }
    h->unit_seconds = xa__unit_seconds(h->unit_seconds, units, seconds);
    d->speed += 1 / h->unit_seconds;
    d->known++;
}
