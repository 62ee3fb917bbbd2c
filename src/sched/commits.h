/* Commits that wait to be marked. Pure lists; rank 0 keeps one (master.c). */
#ifndef XA_COMMITS_H
#define XA_COMMITS_H

#include "xaudit/util.h"

typedef struct xa__range {
    int64_t first, n;
} xa__range;

typedef struct xa__commit {
    xa__range done; /* n >= 1 */
    char *report;   /* [size], owned */
    size_t size;
} xa__commit;

typedef struct xa__commits {
    xa__commit *item; /* [n], ascending after a join */
    size_t n, cap;
} xa__commits;

/* NOMEM: the list is as it was. On success the report belongs to the list. */
XA_MUST_USE xa_status
xa__commits_add(xa__commits *c, xa__range done, char *report, size_t size, xa_err *err);
/* Sorts by the first unit, and makes one commit of those whose units follow one another, their
 * reports one behind the other: a status write of rank 0 is then one a stretch of rows, not one a
 * rank. What there is no memory for stays apart. */
void xa__commits_join(xa__commits *c);
/* Frees the reports; the list is empty afterwards, and keeps its room. */
void xa__commits_clear(xa__commits *c);
void xa__commits_fini(xa__commits *c);

#endif
