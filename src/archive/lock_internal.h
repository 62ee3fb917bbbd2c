/* What the files of the lock share: an owner, and its words in the lock file. */
#ifndef XAUDIT_ARCHIVE_LOCK_INTERNAL_H
#define XAUDIT_ARCHIVE_LOCK_INTERNAL_H

#include "archive_internal.h"

enum { XA__LOCK_WORD = 256 };

typedef struct xa__owner {
    char host[XA__LOCK_WORD], boot[XA__LOCK_WORD], job[XA__LOCK_WORD], since[XA__LOCK_WORD];
    char token[XA__LOCK_WORD];
    int64_t pid;
    int64_t start; /* clock ticks from boot to the process's start: another process may have the pid
                      by now */
    int64_t restarts; /* SLURM's count of requeues; -1 unknown */
    bool has_kernel_lock;
    double heartbeat; /* seconds since 1970 */
} xa__owner;

/* Seconds since 1970 by this machine's clock. */
double xa__lock_clock(void);
/* This process. */
void xa__lock_describe(xa__owner *me);
/* What stands in the file; false if it is not (yet) the words of an owner. */
bool xa__lock_read(int fd, xa__owner *out);
bool xa__lock_write(int fd, const xa__owner *o);
/* Two machines may have one name, and a host that was started anew is another one: both are judged
 * by their heartbeat, and that by whether it changes while this process watches, since their clocks
 * may differ. */
bool xa__lock_same_host(const xa__owner *a, const xa__owner *b);
/* Is `me` the job of `o`, started again by SLURM? */
bool xa__lock_is_requeue(const xa__owner *me, const xa__owner *o);
/* Why the owner is dead; NULL: it is alive, as far as one can see without waiting. */
const char *xa__lock_why_dead(const xa__owner *me, const xa__owner *o);

#endif
