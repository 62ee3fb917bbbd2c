/* What the MPI library calls itself, and what the launcher says about the world against what MPI
 * found. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "comm_internal.h"

void xa_comm_library(char *out, size_t size)
{
    if (size == 0)
        return;
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int len = 0;
    if (MPI_Get_library_version(text, &len) != MPI_SUCCESS)
        text[0] = '\0';
    /* MPICH writes several lines. */
    text[strcspn(text, "\r\n")] = '\0';
    xa_str_sanitise(text, out, size);
}

/* The innermost launcher counts: mpirun inside a step of Slurm sets its own. */
xa_status xa__comm_alone(const xa_comm *c, xa_err *err)
{
    static const struct {
        const char *variable, *launcher, *mend;
    } launchers[] = {{"OMPI_COMM_WORLD_SIZE",
                      "mpirun of Open MPI",
                      "start it by the mpirun of the MPI it is built with"},
                     {"PMI_SIZE",
                      "the launcher (PMI)",
                      "start it by srun --mpi=pmix, or by the mpirun of the MPI it is built with"},
                     {"SLURM_STEP_NUM_TASKS",
                      "srun",
                      "start it by srun --mpi=pmix (srun --mpi=list prints the available "
                      "plug-ins), or by mpirun"}};
    char library[64] = "";
    if (c->size > 1)
        return XA_OK;
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        const char *text = getenv(launchers[i].variable);
        int64_t tasks = 0;
        if (!text || !xa_parse_i64(text, &tasks))
            continue;
        if (tasks <= 1)
            return XA_OK;
        xa_comm_library(library, sizeof library);
        library[strcspn(library, ",")] = '\0';
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s started %" PRId64
                       " tasks, but MPI (%s) gives this one a world of size 1: "
                       "each task would do the whole work and they would fight for one archive; "
                       "%s; where each is meant to work alone, unset %s",
                       launchers[i].launcher,
                       tasks,
                       library,
                       launchers[i].mend,
                       launchers[i].variable);
    }
    return XA_OK;
}
