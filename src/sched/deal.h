/* Who gets which units, as rank 0 decides it: grant sizes (grant.h) of nodes, and where their units
 * lie. Pure; the simulation of thousands of ranks (tests/bench/grants.c) runs this same code.
 *
 * The list of units is cut into territories, about four a node, at multiples of `align` units
 * (4,096 samples): there, rows of one byte a sample begin a page of the file, so that no page of a
 * dataset with a row a sample is written by two nodes, and a file system's locks stay with one. A
 * node goes on in its own territory, takes the next free one, and at last the upper half of the one
 * that takes longest. Within `align` units a territory is only divided where its node needs longer
 * than an eighth of a grant for it. */
#ifndef XA_DEAL_H
#define XA_DEAL_H

#include "commits.h"
#include "grant.h"

typedef struct xa__land {
    int64_t next, end; /* places in the list; next == end: used up */
    int owner;         /* node, or -1 */
} xa__land;

typedef struct xa__hand {
    int ranks;           /* of this node */
    double unit_seconds; /* of the node: what its ranks spend, divided by how many they are; 0: not
                            measured */
    int64_t last;        /* units of its last grant */
    int64_t land;        /* its territory, or -1 */
} xa__hand;

typedef struct xa__deal {
    const int64_t *todo; /* borrowed; ascending */
    int64_t ntodo, remaining;
    double target_seconds;
    int64_t most, align;
    int nodes, known;
    double speed;   /* sum of 1 / unit_seconds over the `known` nodes */
    xa__hand *hand; /* [nodes] */
    xa__land *land; /* [nland + nodes]: those cut at the start, then one a node for what it takes
                       from another */
    int64_t nland, unowned; /* the first of the first that nobody has taken */
    int64_t barren;         /* remaining when nothing was found to divide; -1: not so yet */
} xa__deal;

/* NOMEM. ranks: [nodes], copied. most: units of a grant, 0: no limit; align >= 1. */
XA_MUST_USE xa_status xa__deal_init(xa__deal *d,
                                    const int64_t *todo,
                                    int64_t ntodo,
                                    const int *ranks,
                                    int nodes,
                                    int64_t align,
                                    double target_seconds,
                                    int64_t most,
                                    xa_err *err);
void xa__deal_fini(xa__deal *d);
/* Units for a node, consecutive: n = 0 if there are none for it now. fit: how many of [first,
 * first+n) have room in a block, one at least; NULL: all. */
xa__range xa__deal_next(xa__deal *d,
                        int node,
                        int64_t (*fit)(void *arg, int64_t first, int64_t n),
                        void *arg);
/* A node's ranks spent `seconds` each, on the average, on so many units. */
void xa__deal_learn(xa__deal *d, int node, int64_t units, double seconds);

#endif
