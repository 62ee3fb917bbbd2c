/* comm: the communicator. The only module that calls MPI (parallel HDF5 takes its handle).
 *
 * Each function says whether it is *Collective* (every rank must enter) or *Local*.
 * Nothing here aborts; only main may call xa_comm_abort.
 */
#ifndef XAUDIT_COMM_H
#define XAUDIT_COMM_H

#include <mpi.h>

#include "xaudit/util.h"

typedef struct xa_comm xa_comm;

/* Collective. Starts MPI (FUNNELED) and duplicates the world; MPI errors are returned, not fatal.
 * INVALID: a launcher (mpirun, srun) says it started several tasks, and MPI finds one. Open MPI is
 * set not to use lock files of shared file pointers (OMPI_MCA_sharedfp), unless the user sets that
 * variable. XAUDIT_NODE_RANKS=K, for tests and for nodes of many sockets, makes nodes of K ranks
 * out of each machine's (INVALID: not a number from 1). */
XA_MUST_USE xa_status xa_comm_start(int *argc, char ***argv, xa_comm **out, xa_err *err);
/* Collective. Frees the duplicate and finalises MPI. NULL allowed. */
void xa_comm_stop(xa_comm *c);
/* Local. Ends all ranks at once, for main's last resort. */
void xa_comm_abort(xa_comm *c, int exit_code);

int xa_comm_rank(const xa_comm *c);
int xa_comm_size(const xa_comm *c);
int xa_comm_node_rank(const xa_comm *c); /* among the ranks that share this node's memory */
int xa_comm_node_size(const xa_comm *c);
int xa_comm_nodes(const xa_comm *c);
/* Nodes are numbered by their lowest rank, which leads them: 0 is led by rank 0. The leader of a
 * node, and how many ranks it has. */
int xa_comm_leader(const xa_comm *c, int node);
int xa_comm_ranks_of(const xa_comm *c, int node);
/* Ranks of the largest node. */
int xa_comm_largest_node(const xa_comm *c);
const char *xa_comm_host(const xa_comm *c);
MPI_Comm xa_comm_mpi(const xa_comm *c); /* for the archive's file driver */
/* The leaders alone, in the order of nodes; MPI_COMM_NULL on other ranks. */
MPI_Comm xa_comm_leaders(const xa_comm *c);
/* Collective. Where `alone` is true on all ranks of a node, each of them is a node of its own from
 * now on. Blocks that are shared already stay as they are. */
XA_MUST_USE xa_status xa_comm_part(xa_comm *c, bool alone, xa_err *err);
/* First line of the MPI library's version: "Open MPI v4.1.4, ...". */
void xa_comm_library(char *out, size_t size);

/* Collective. The end of every start-up phase: all leave with the status of the lowest failed rank,
 * and its message in `out` ("rank 3 on n2: ...", without that prefix if there is only one rank);
 * XA_OK if none failed. `mine` describes `local`; it may be NULL, or the same as `out`. A rank
 * that waits for the others naps. */
xa_status xa_comm_agree(xa_comm *c, xa_status local, const xa_err *mine, xa_err *out);

/* Collective. Sends root's bytes to all: the other ranks get a new buffer to free(), with a NUL
 * after the last byte. Any size is allowed. All ranks fail if one has no memory. */
XA_MUST_USE xa_status
xa_comm_broadcast(xa_comm *c, int root, void **data, size_t *size, xa_err *err);
/* Collective. min and max over ranks. */
XA_MUST_USE xa_status xa_comm_min_i64(xa_comm *c, int64_t *value, xa_err *err);
XA_MUST_USE xa_status xa_comm_max_i64(xa_comm *c, int64_t *value, xa_err *err);
XA_MUST_USE xa_status xa_comm_sum_i64(xa_comm *c, int64_t *value, xa_err *err);
/* Collective. Sums of n numbers, each on its own, in place; n the same on all ranks. */
XA_MUST_USE xa_status xa_comm_sum_i64s(xa_comm *c, int64_t *values, int64_t n, xa_err *err);
XA_MUST_USE xa_status xa_comm_barrier(xa_comm *c, xa_err *err);

/* ---- messages -------------------------------------------------------------------------------- */

typedef struct xa_message {
    int source, tag;
    size_t size;
    unsigned char *data; /* owned by the caller; free() */
} xa_message;

/* Local. Sends a copy of the bytes without waiting; buffers are kept and freed inside. At most 2 GB
 * (LIMIT beyond it); tag 0..32767. */
XA_MUST_USE xa_status
xa_comm_post(xa_comm *c, int dest, int tag, const void *data, size_t size, xa_err *err);
/* Local. Takes one message of any source and tag that has arrived, if there is one; *got says so.
 * Messages of one source come in the order they were posted. */
XA_MUST_USE xa_status xa_comm_poll(xa_comm *c, xa_message *m, bool *got, xa_err *err);
/* Local. Waits with short naps (an idle rank must not burn its core) until a message comes, calling
 * `tick` between naps if not NULL; a tick that returns false ends the wait with *got false. */
XA_MUST_USE xa_status
xa_comm_wait(xa_comm *c, xa_message *m, bool (*tick)(void *arg), void *arg, bool *got, xa_err *err);
/* Local. Waits until all posted messages have left. */
XA_MUST_USE xa_status xa_comm_flush(xa_comm *c, xa_err *err);

/* ---- node-shared memory ---------------------------------------------------------------------- */

typedef struct xa_shared {
    void *data; /* 64-byte aligned, the same bytes in every rank of the node */
    size_t bytes;
    bool leader;     /* this rank fills it: one per node, or every rank if private */
    bool is_private; /* shared memory was too small or refused: every rank has its own copy */
    void *handle;
} xa_shared;

/* Collective, with the same bytes > 0 everywhere; all ranks succeed or all fail. One block per
 * node (an MPI-3 shared window, or plain memory if a node has one rank). The leader first checks
 * the room of the file system behind it; if there is too little, all ranks of the node use private
 * memory, and the log says so, calling the block `what` ("the weights"). The block is not zeroed:
 * ranks with `leader` set fill it, then all call xa_shared_ready. */
XA_MUST_USE xa_status
xa_shared_alloc(xa_comm *c, size_t bytes, const char *what, xa_shared *out, xa_err *err);
/* Collective. The block is filled; after it all may read. Nobody writes, but with C11 atomics and
 * what these order. */
XA_MUST_USE xa_status xa_shared_ready(xa_comm *c, xa_shared *s, xa_err *err);
/* Collective. */
void xa_shared_free(xa_comm *c, xa_shared *s);

#endif
