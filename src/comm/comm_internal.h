/* Shared by the files of comm, and by its tests. */
#ifndef XA_COMM_INTERNAL_H
#define XA_COMM_INTERNAL_H

#include "xaudit/comm.h"

/* Longest nap of a waiting rank: at 1 ms a loop of probes costs next to nothing, while a blocking
 * receive spins and takes more than half of the core from a rank that computes on it. */
#define XA__NAP_LONGEST 1e-3

/* A nap that starts with plain yields and grows; zero-initialise one for each wait. */
typedef struct xa__nap {
    int count;
} xa__nap;
void xa__nap_once(xa__nap *nap);

typedef struct xa__posted {
    MPI_Request request;
    unsigned char *data;
} xa__posted;

typedef struct xa__arriving {
    MPI_Request request;
    xa_message m;
} xa__arriving;

struct xa_comm {
    MPI_Comm world; /* a duplicate: no traffic of libraries gets in between */
    MPI_Comm node;
    MPI_Comm leaders; /* MPI_COMM_NULL where this rank leads no node */
    bool owns_mpi;    /* MPI was started here */
    int rank, size;
    int node_rank, node_size, nodes;
    int *leader; /* [nodes] */
    int *ranks;  /* [nodes] */
    char host[MPI_MAX_PROCESSOR_NAME];
    xa__posted *posted;
    size_t nposted, posted_cap;
    xa__arriving *arriving; /* in the order in which they were matched */
    size_t narriving, arriving_cap;
};

/* Local. INVALID if a launcher started several tasks and MPI gives this one a world of its own, as
 * srun without a PMI plug-in does: each task would run the whole job. */
xa_status xa__comm_alone(const xa_comm *c, xa_err *err);

/* XA_COMM with the name of the call and MPI's text. */
xa_status xa__mpi_fail(xa_err *err, const char *file, const char *func, int line, int code);

/* MPI_Something(...) inside a function with `st` and `done:`, as XA_TRY. */
#define XA__MPI(err, call)                                                 \
    do {                                                                   \
        int code_ = (call);                                                \
        if (code_ != MPI_SUCCESS) {                                        \
            st = xa__mpi_fail((err), __FILE__, __func__, __LINE__, code_); \
            goto done;                                                     \
        }                                                                  \
    } while (0)

/* Completes a request with naps in between: a rank that waits for other ranks, as at the end of a
 * phase, leaves its core to them. */
xa_status xa__comm_finish(MPI_Request *request, xa_err *err);

/* xa_comm_broadcast in pieces of at most `piece` bytes. */
xa_status
xa__comm_broadcast(xa_comm *c, int root, void **data, size_t *size, size_t piece, xa_err *err);
/* xa_shared_alloc, as if the folder behind shared memory had at most `room` bytes. */
xa_status xa__shared_alloc(
    xa_comm *c, size_t bytes, const char *what, uint64_t room, xa_shared *out, xa_err *err);
/* Leader: touches every page now, false when there is no memory behind one. MADV_POPULATE_WRITE
 * reports where a plain touch would be killed by SIGBUS; kernels before 5.14 do not know it (true
 * then), and the check of the room has to do. */
bool xa__shared_claim(const xa_comm *c, void *data, size_t bytes, const char *what);
/* nodes.c: collective; who shares a node, from MPI and XAUDIT_NODE_RANKS. */
xa_status xa__find_nodes(xa_comm *c, xa_err *err);
void xa__free_nodes(xa_comm *c);
/* Frees what is left of messages; gives up on unsent ones after a second. */
void xa__messages_free(xa_comm *c);

#endif
