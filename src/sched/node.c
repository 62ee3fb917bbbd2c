/* See node.h. */
#include "node.h"

#include <string.h>

enum { TURN_BITS = 16, PART_BITS = 24 };
#define PART_MASK ((UINT64_C(1) << PART_BITS) - 1)
#define TURN_MASK ((UINT64_C(1) << TURN_BITS) - 1)

/* ---- words ----------------------------------------------------------------------------------- */

static uint64_t word(uint64_t turn, uint64_t n, uint64_t next)
{
    return (turn & TURN_MASK) << (2 * PART_BITS) | n << PART_BITS | next;
}

static uint64_t turn_of(uint64_t w)
{
    return w >> (2 * PART_BITS);
}

static uint64_t n_of(uint64_t w)
{
    return w >> PART_BITS & PART_MASK;
}

static uint64_t next_of(uint64_t w)
{
    return w & PART_MASK;
}

static uint64_t phase_word(uint64_t turn, xa__phase p)
{
    return word(turn, 0, (uint64_t)p);
}

xa__phase xa__phase_of(const xa__block *b)
{
    return (xa__phase)next_of(atomic_load(&b->phase));
}

/* ---- memory ---------------------------------------------------------------------------------- */

static size_t lines(size_t bytes)
{
    return (bytes + XA__LINE - 1) / XA__LINE * XA__LINE;
}

size_t xa__node_bytes(const xa__extents *x)
{
    const size_t most = SIZE_MAX / 16;
    if (x->rows > most || x->payload > most || x->units > XA__UNITS_MOST || x->ranks < 1)
        return 0;
    const size_t block =
        lines(sizeof(xa__block)) + lines((size_t)x->units) + lines(x->payload) + lines(x->rows);
    return lines(sizeof(xa__node)) + (size_t)x->ranks * lines(sizeof(xa__member)) +
           XA__BLOCKS * block;
}

void xa__node_view(const xa__extents *x, void *memory, xa__view *out)
{
    unsigned char *p = memory;
    *out = (xa__view){.x = *x, .node = (xa__node *)(void *)p};
    p += lines(sizeof(xa__node));
    out->member = (xa__member *)(void *)p;
    p += (size_t)x->ranks * lines(sizeof(xa__member));
    for (int i = 0; i < XA__BLOCKS; i++) {
        out->block[i].b = (xa__block *)(void *)p;
        p += lines(sizeof(xa__block));
        out->block[i].state = (_Atomic uint8_t *)(void *)p;
        p += lines((size_t)x->units);
        out->block[i].payload = p;
        p += lines(x->payload);
        out->block[i].rows = p;
        p += lines(x->rows);
    }
}

void xa__node_clear(xa__view *v)
{
    memset(v->node, 0, sizeof *v->node);
    memset(v->member, 0, (size_t)v->x.ranks * sizeof *v->member);
    for (int i = 0; i < XA__BLOCKS; i++)
        memset(v->block[i].b, 0, sizeof *v->block[i].b);
}

/* ---- units ----------------------------------------------------------------------------------- */

void xa__block_open(xa__view *v, int i, int64_t serial, int64_t first, int64_t n, size_t payload)
{
    xa__block *b = v->block[i].b;
    const uint64_t turn = turn_of(atomic_load(&b->phase)) + 1;
    b->serial = serial;
    b->first = first;
    b->n = n;
    b->payload_size = payload;
    for (int64_t k = 0; k < n; k++)
        atomic_store_explicit(&v->block[i].state[k], XA__TODO, memory_order_relaxed);
    atomic_store(&b->resolved, 0);
    atomic_store(&b->worked, 0);
    atomic_store(&b->columns_done, 0);
    atomic_store(&b->broken, 0);
    atomic_store(&b->column, word(turn, 0, 0));
    atomic_store(&b->phase, phase_word(turn, XA__OPEN));
    atomic_store(&b->take, word(turn, (uint64_t)n, 0));
}

int64_t xa__block_left(const xa__block *b)
{
    const uint64_t phase = atomic_load(&b->phase), take = atomic_load(&b->take);
    if (next_of(phase) != XA__OPEN || turn_of(phase) != turn_of(take))
        return 0;
    return (int64_t)(n_of(take) - next_of(take));
}

/* The block in a phase with the smallest serial; -1: none. */
static int oldest(const xa__view *v, xa__phase p, bool (*fit)(const xa__block *b))
{
    int best = -1;
    int64_t serial = 0;
    for (int i = 0; i < XA__BLOCKS; i++) {
        const xa__block *b = v->block[i].b;
        if (xa__phase_of(b) != p || !fit(b))
            continue;
        if (best < 0 || b->serial < serial) {
            best = i;
            serial = b->serial;
        }
    }
    return best;
}

static bool has_units(const xa__block *b)
{
    return xa__block_left(b) > 0;
}

bool xa__take(xa__view *v, int ranks, int64_t most, xa__claim *out)
{
    for (;;) {
        const int i = oldest(v, XA__OPEN, has_units);
        if (i < 0)
            return false;
        int64_t all = 0;
        for (int k = 0; k < XA__BLOCKS; k++)
            all += xa__block_left(v->block[k].b);
        int64_t n = all / (4 * ranks);
        n = n < most ? n : most;
        n = n < 1 ? 1 : n;
        xa__block *b = v->block[i].b;
        uint64_t w = atomic_load(&b->take);
        const int64_t left = (int64_t)(n_of(w) - next_of(w));
        n = n < left ? n : left;
        /* A block of another turn has another word. */
        if (left > 0 && atomic_compare_exchange_strong(&b->take, &w, w + (uint64_t)n)) {
            *out =
                (xa__claim){.block = i, .turn = turn_of(w), .first = (int64_t)next_of(w), .n = n};
            return true;
        }
    }
}

/* Makes the block full if it is through; true for the one rank that did. */
static bool fill(xa__block *b, uint64_t turn)
{
    const uint64_t w = atomic_load(&b->take);
    uint64_t open = phase_word(turn, XA__OPEN);
    if (turn_of(w) != (turn & TURN_MASK) || next_of(w) < n_of(w) ||
        atomic_load(&b->resolved) != (int64_t)n_of(w))
        return false;
    return atomic_compare_exchange_strong(&b->phase, &open, phase_word(turn, XA__FULL));
}

bool xa__resolve(xa__view *v, const xa__claim *c, int64_t unit, bool finished, int64_t micros)
{
    xa__block *b = v->block[c->block].b;
    if (finished)
        atomic_store(&v->block[c->block].state[unit], XA__FINISHED);
    atomic_fetch_add(&b->worked, micros);
    atomic_fetch_add(&b->resolved, 1);
    return fill(b, c->turn);
}

bool xa__block_close(xa__view *v, int i)
{
    xa__block *b = v->block[i].b;
    uint64_t w = atomic_load(&b->take);
    while (next_of(w) < n_of(w) &&
           !atomic_compare_exchange_weak(&b->take, &w, word(turn_of(w), next_of(w), next_of(w))))
        ;
    return fill(b, turn_of(w));
}

/* ---- columns --------------------------------------------------------------------------------- */

bool xa__next_stretch(const xa__view *v, int i, int64_t *at, int64_t *first, int64_t *n)
{
    const xa__block *b = v->block[i].b;
    _Atomic uint8_t *state = v->block[i].state;
    int64_t k = *at;
    while (k < b->n && atomic_load(&state[k]) != XA__FINISHED)
        k++;
    *first = k;
    while (k < b->n && atomic_load(&state[k]) == XA__FINISHED)
        k++;
    *n = k - *first;
    *at = k;
    return *n > 0;
}

void xa__columns_begin(xa__view *v, int i, int columns)
{
    xa__block *b = v->block[i].b;
    const uint64_t turn = turn_of(atomic_load(&b->phase));
    if (columns == 0)
        xa__block_written(v, i);
    else
        atomic_store(&b->column, word(turn, (uint64_t)columns, 0));
}

static bool has_columns(const xa__block *b)
{
    const uint64_t w = atomic_load(&b->column);
    return next_of(w) < n_of(w);
}

bool xa__take_column(xa__view *v, int *block, uint64_t *turn, int *column)
{
    for (;;) {
        const int i = oldest(v, XA__FULL, has_columns);
        if (i < 0)
            return false;
        xa__block *b = v->block[i].b;
        uint64_t w = atomic_load(&b->column);
        if (next_of(w) < n_of(w) && atomic_compare_exchange_strong(&b->column, &w, w + 1)) {
            *block = i;
            *turn = turn_of(w);
            *column = (int)next_of(w);
            return true;
        }
    }
}

bool xa__column_done(xa__view *v, int i)
{
    xa__block *b = v->block[i].b;
    const int32_t n = (int32_t)n_of(atomic_load(&b->column));
    return atomic_fetch_add(&b->columns_done, 1) + 1 == n;
}

void xa__block_written(xa__view *v, int i)
{
    xa__block *b = v->block[i].b;
    atomic_store(&b->phase, phase_word(turn_of(atomic_load(&b->phase)), XA__WRITTEN));
}

void xa__block_free(xa__view *v, int i)
{
    xa__block *b = v->block[i].b;
    atomic_store(&b->phase, phase_word(turn_of(atomic_load(&b->phase)), XA__FREE));
}
