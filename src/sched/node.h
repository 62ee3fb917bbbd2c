/* What the ranks of a node share: blocks of units with the memory of their rows, a line for each
 * rank, and what all must know at once. No locks, no messages: C11 atomics in memory that all of
 * them have mapped (each at its own address, so that nothing in it is a pointer).
 *
 * A block goes round: FREE; OPEN, when the leader has put a grant into it (its units are taken in
 * order, by whoever is idle); FULL, when all units that were taken are through (its columns are
 * written, each once, by any rank that may); WRITTEN, when its rows are on the disk, or the writing
 * failed; FREE again, once the leader has told rank 0. While one block is written the next is
 * computed.
 *
 * A word that ranks compete for carries the block's turn (how often it went round), so that a rank
 * that was stopped between looking and taking takes nothing of another turn. */
#ifndef XA_NODE_H
#define XA_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { XA__BLOCKS = 3, XA__LINE = 64 };
/* Units of a block at most: their numbers are 24 bits of a word. */
#define XA__UNITS_MOST ((INT64_C(1) << 24) - 1)

typedef enum xa__phase { XA__FREE, XA__OPEN, XA__FULL, XA__WRITTEN } xa__phase;
/* Of a unit. */
enum { XA__TODO = 0, XA__FINISHED = 1 };

typedef struct xa__block {
    _Alignas(XA__LINE) _Atomic uint64_t phase;   /* turn, xa__phase */
    _Alignas(XA__LINE) _Atomic uint64_t take;    /* turn, units, next unit to take */
    _Alignas(XA__LINE) _Atomic uint64_t column;  /* turn, columns, next column to write */
    _Alignas(XA__LINE) _Atomic int64_t resolved; /* units that are through, done or not */
    _Atomic int64_t worked;                      /* microseconds that ranks spent on them */
    _Atomic int32_t columns_done;
    _Atomic int32_t broken; /* a column or the sync failed: nothing of it counts */
    /* Written by the leader before OPEN. */
    int64_t serial; /* grows from block to block of a node */
    int64_t first, n;
    uint64_t payload_size;
} xa__block;

typedef struct xa__member {
    _Alignas(XA__LINE) _Atomic int64_t free_at; /* microseconds of xa_time: when its units may end;
                                                   0: now */
} xa__member;

typedef struct xa__node {
    _Alignas(XA__LINE) _Atomic int32_t stop; /* no unit is taken any more */
    _Atomic int32_t over;                    /* the ranks leave: see `end` */
    _Atomic int32_t lost;                    /* ... because they cannot reach the others */
    _Alignas(XA__LINE) _Atomic int32_t wish; /* a rank wishes the run to stop: 1 + signal */
    _Atomic int64_t failed;                  /* the first error: code * 2^32 + rank; 0: none */
    /* Written by the leader before `over`. */
    int32_t end, signal, culprit;
    int64_t done;
} xa__node;

/* Extents of the shared memory; the same numbers on all ranks. */
typedef struct xa__extents {
    int ranks;            /* of the largest node */
    int64_t units;        /* of a block, at most */
    size_t payload, rows; /* bytes of a block, at most */
} xa__extents;

/* A rank's own view of it: addresses. */
typedef struct xa__view {
    xa__extents x;
    xa__node *node;
    xa__member *member; /* [ranks] */
    struct {
        xa__block *b;
        _Atomic uint8_t *state; /* [units] */
        unsigned char *payload, *rows;
    } block[XA__BLOCKS];
} xa__view;

/* Bytes of the memory; 0: too large. */
size_t xa__node_bytes(const xa__extents *x);
/* `memory` is aligned to XA__LINE. */
void xa__node_view(const xa__extents *x, void *memory, xa__view *out);
/* The leader, before anybody else looks. */
void xa__node_clear(xa__view *v);

xa__phase xa__phase_of(const xa__block *b);
/* The leader: opens a FREE block. first, n, payload are in place; columns: how many there are to
 * write when it is full. */
void xa__block_open(xa__view *v, int i, int64_t serial, int64_t first, int64_t n, size_t payload);
/* Units that nobody has taken; 0 unless OPEN. */
int64_t xa__block_left(const xa__block *b);

/* A claim on consecutive units of a block. */
typedef struct xa__claim {
    int block;
    uint64_t turn;
    int64_t first, n; /* units, by their place in the block */
} xa__claim;
/* Takes up to `most` units of the oldest open block; false: there are none. `most` is cut to a
 * quarter of what a rank's share of all open units is, one at least. */
bool xa__take(xa__view *v, int ranks, int64_t most, xa__claim *out);
/* Each unit of a claim once, finished or not, with the time that it took. True: the block is full
 * now, by this rank's unit. */
bool xa__resolve(xa__view *v, const xa__claim *c, int64_t unit, bool finished, int64_t micros);
/* The leader: nobody takes more of the block's units; those not taken stay undone. True: full. */
bool xa__block_close(xa__view *v, int i);

/* Stretches of finished units. From place *at on: false when there is none left. */
bool xa__next_stretch(const xa__view *v, int i, int64_t *at, int64_t *first, int64_t *n);
/* The leader, FULL blocks: this many columns are to be written; 0: none, the block is WRITTEN. */
void xa__columns_begin(xa__view *v, int i, int columns);
/* Takes a column of the oldest full block. */
bool xa__take_column(xa__view *v, int *block, uint64_t *turn, int *column);
/* The column is written. True: it was the last one, so that this rank syncs and calls
 * xa__block_written. */
bool xa__column_done(xa__view *v, int i);
void xa__block_written(xa__view *v, int i);
void xa__block_free(xa__view *v, int i);

#endif
