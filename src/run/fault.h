/* Faults at named points of a run, for tests alone.
 *
 * XAUDIT_FAULT=POINT[:N][@RANK][,stop] kills the process (SIGKILL) when it reaches POINT for the
 * N-th time (default: the first), on every rank or on RANK only. With "stop" the process halts
 * there (SIGSTOP) until the test has taken the disk away and continues it (SIGCONT). The points, in
 * the order of a run:
 *
 *   setup     the models and the manifest are read
 *   created   the archive exists and is not yet opened
 *   opened    it is open
 *   session   the start of this session is written
 *   computed  the rows of a unit are in memory
 *   staged    they are in the memory of its block
 *   full      a block of the node is computed, and not yet written (here and next: leaders)
 *   columns   one of its columns is written
 *   synced    all are on the disk, and rank 0 does not know it
 *   mark      rank 0 knows it, and their status is not yet written
 *   marked    their status is written and not synced
 *   settled   their status is on the disk
 *   end       all is done, and the end of the session is not yet written */
#ifndef XAUDIT_RUN_FAULT_H
#define XAUDIT_RUN_FAULT_H

#include "xaudit/util.h"

typedef struct xa__fault {
    char point[16]; /* "": none */
    int64_t times;
    int rank;  /* -1: every rank */
    bool stop; /* halt instead of the end */
} xa__fault;

/* Reads the environment. INVALID: XAUDIT_FAULT is not spelled as above. */
XA_MUST_USE xa_status xa__fault_read(xa__fault *f, xa_err *err);
/* Says that this rank is at a point. */
void xa__fault_at(xa__fault *f, int rank, const char *point);

#endif
