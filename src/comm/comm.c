/* Start and stop of the communicator; rank, node and host of this process. */
#include <stdlib.h>
#include <string.h>

#include "comm_internal.h"

static xa_status look_around(xa_comm *c, xa_err *err)
{
    xa_status st = XA_OK;
    XA__MPI(err, MPI_Comm_rank(c->world, &c->rank));
    XA__MPI(err, MPI_Comm_size(c->world, &c->size));
    int len = 0;
    XA__MPI(err, MPI_Get_processor_name(c->host, &len));
    XA_TRY(err, xa__find_nodes(c, err));
done:
    return st;
}

xa_status xa_comm_start(int *argc, char ***argv, xa_comm **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_comm *c = xa_alloc(1, sizeof *c);
    if (!c)
        XA_FAIL(err, XA_NOMEM, "out of memory for the communicator");
    c->world = MPI_COMM_NULL;
    c->node = MPI_COMM_NULL;
    c->leaders = MPI_COMM_NULL;
    int there = 0;
    XA__MPI(err, MPI_Initialized(&there));
    int level = MPI_THREAD_FUNNELED;
    if (!there) {
        /* OMPIO's shared file pointers use lock files, which killed runs leave beside the archive.
         * No file pointer is shared here. The user's own setting is kept. */
        (void)setenv("OMPI_MCA_sharedfp", "^lockedfile", 0);
        XA__MPI(err, MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &level));
        c->owns_mpi = true;
    }
    /* The defaults would end the job inside a library call. */
    XA__MPI(err, MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    XA__MPI(err, MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN));
    if (level < MPI_THREAD_FUNNELED)
        XA_FAIL(err,
                XA_COMM,
                "this MPI library does not allow threads beside it (MPI_THREAD_FUNNELED wanted, "
                "level %d given): use one built with thread support",
                level);
    XA__MPI(err, MPI_Comm_dup(MPI_COMM_WORLD, &c->world));
    XA__MPI(err, MPI_Comm_set_errhandler(c->world, MPI_ERRORS_RETURN));
    XA_TRY(err, look_around(c, err));
    XA_TRY(err, xa__comm_alone(c, err));
    *out = c;
    c = NULL;
done:
    xa_comm_stop(c);
    return st;
}

void xa_comm_stop(xa_comm *c)
{
    if (!c)
        return;
    xa__messages_free(c);
    xa__free_nodes(c);
    if (c->world != MPI_COMM_NULL)
        MPI_Comm_free(&c->world);
    int ended = 0;
    if (c->owns_mpi && MPI_Finalized(&ended) == MPI_SUCCESS && !ended)
        MPI_Finalize();
    free(c);
}

void xa_comm_abort(xa_comm *c, int exit_code)
{
    MPI_Abort(c->world, exit_code);
}

int xa_comm_rank(const xa_comm *c)
{
    return c->rank;
}

int xa_comm_size(const xa_comm *c)
{
    return c->size;
}

const char *xa_comm_host(const xa_comm *c)
{
    return c->host;
}

MPI_Comm xa_comm_mpi(const xa_comm *c)
{
    return c->world;
}
