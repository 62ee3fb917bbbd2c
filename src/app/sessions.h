/* What an archive says of the runs that worked on it. Private to app. */
#ifndef XAUDIT_APP_SESSIONS_H
#define XAUDIT_APP_SESSIONS_H

#include <stdio.h>

#include "xaudit/archive.h"

typedef struct xa_session {
    char start[32], end[32]; /* end: "" where it was killed */
    char text[256], cpu[400], libraries[400];
    int ranks, nodes, threads;
    double seconds; /* NaN: not stored (earlier versions) */
} xa_session;

typedef struct xa_sessions {
    xa_session *list;
    int32_t n, count;  /* in the table, and in all */
    double core_hours; /* ranks x threads x wall time; NaN where a session's time is not stored */
} xa_sessions;
/* For people alone: what is not as it should be is left out. NOMEM. */
XA_MUST_USE xa_status xa_sessions_read(xa_archive *a, xa_sessions *out, xa_err *err);
void xa_sessions_fini(xa_sessions *s);
/* One line a session, and the core hours of all. */
void xa_sessions_print(const xa_sessions *s, FILE *out);
/* The same in a sentence for a methods section. */
void xa_sessions_tell(const xa_sessions *s, FILE *out);

#endif
