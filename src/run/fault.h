/* Faults at named points, for tests alone: XAUDIT_FAULT=POINT[:N][@RANK][,stop] ends the process
 * without a word (SIGKILL) when it comes to POINT for the N-th time (1), on RANK only; with "stop"
 * it stands still there (SIGSTOP) until the test has taken the disk away and lets it go on
 * (SIGCONT).
 *
 * Points of a run, in its order: setup (models and manifest read), created (archive there, not yet
 * opened), opened, session (its start is noted), computed (rows in memory), staged (some written
 * perhaps), synced (rows on the disk, rank 0 does not know), mark (rank 0 knows, no status yet),
 * marked (statuses written, not synced), settled (synced), end (before the last session's end). */
#ifndef XAUDIT_RUN_FAULT_H
#define XAUDIT_RUN_FAULT_H

#include "xaudit/util.h"

typedef struct xa_fault {
    char point[16]; /* "": none */
    int64_t times;
    int rank;  /* -1: any */
    bool stop; /* not the end */
} xa_fault;

/* Reads the environment; what makes no sense is INVALID. */
XA_MUST_USE xa_status xa_fault_read(xa_fault *f, xa_err *err);
/* This rank is at a point. */
void xa_fault_at(xa_fault *f, int rank, const char *point);

#endif
