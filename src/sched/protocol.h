/* What the ranks say to each other. Two messages:
 *
 *   ask     a node's leader to rank 0: wishes (a grant, a stop), at most one commit, the code of
 *           the first error of its ranks
 *   answer  rank 0 to a leader: a grant with its payload, STOP (finish what is taken), END (leave)
 *
 * Numbers in the byte order of the machine: the ranks of a job share it. */
#ifndef XA_PROTOCOL_H
#define XA_PROTOCOL_H

#include "xaudit/util.h"

enum { XA__TAG_ASK = 11, XA__TAG_ANSWER = 12 };

typedef struct xa__ask {
    bool want;      /* a grant is wished for; it stays wished until answered */
    bool stop;      /* the run should stop */
    bool bye;       /* END was read: the last message of this rank */
    int signal;     /* the reason of `stop`, or 0 */
    xa_status code; /* a rank failed, */
    int culprit;    /* this one */
    /* Of the grant of n units from `first`, `finished` from `from` on are written and synced. An
     * error may leave gaps: then there are several, and the last one says that the node is through
     * with the grant; what was not finished is given back. n = 0: no commit. */
    int64_t first, n, from, finished;
    bool through;
    double seconds; /* the finished units took, of each rank's time on the average */
    const void *report;
    size_t report_size; /* borrowed */
} xa__ask;

typedef enum xa__answer_kind { XA__GRANT = 1, XA__STOP, XA__END } xa__answer_kind;

typedef struct xa__answer {
    xa__answer_kind kind;
    int64_t first, n; /* GRANT */
    const void *payload;
    size_t payload_size; /* borrowed */
    /* END */
    int end; /* xa_sched_end */
    int signal;
    int culprit; /* the rank whose error was the first, or -1 */
    int64_t done;
} xa__answer;

/* Appends the message to `out`. */
XA_MUST_USE xa_status xa__ask_encode(const xa__ask *a, xa_str *out, xa_err *err);
XA_MUST_USE xa_status xa__answer_encode(const xa__answer *a, xa_str *out, xa_err *err);
/* The results point into `data`. Every field is checked; anything odd is XA_COMM. */
XA_MUST_USE xa_status xa__ask_decode(const void *data, size_t size, xa__ask *a, xa_err *err);
XA_MUST_USE xa_status xa__answer_decode(const void *data, size_t size, xa__answer *a, xa_err *err);

#endif
