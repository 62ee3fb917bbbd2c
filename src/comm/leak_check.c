/* Only in builds with AddressSanitizer: what MPI itself keeps until the process ends is left out of
 * the search for leaks.
 *
 * The alternative, a suppression by the name of MPI_Init_thread, makes every malloc of the program
 * walk the whole stack by its unwind tables: Open MPI has no frame pointers, and its plug-ins are
 * unloaded before leaks are looked for. That costs more than half of the time of a run. Here MPI's
 * own profiling interface says where MPI begins and ends. */
#include <mpi.h>
#include <pthread.h>
#include <stdlib.h>

#include <dlfcn.h>
#include <sanitizer/lsan_interface.h>

static _Thread_local int inside; /* MPI is starting or ending on this thread */

typedef struct thread_start {
    void *(*run)(void *);
    void *argument;
} thread_start;

static void *run_ignored(void *start)
{
    const thread_start mine = *(thread_start *)start;
    free(start);
    __lsan_disable();
    return mine.run(mine.argument);
}

/* Threads that MPI starts, such as the progress thread of PMIx: none of them runs our code. */
int pthread_create(pthread_t *thread,
                   const pthread_attr_t *attributes,
                   void *(*run)(void *),
                   void *argument)
{
    typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    static create *next;
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
    thread_start *start = inside ? malloc(sizeof(*start)) : NULL;
    if (!start)
        return next(thread, attributes, run, argument);
    *start = (thread_start){run, argument};
    const int failed = next(thread, attributes, run_ignored, start);
    if (failed)
        free(start);
    return failed;
}

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    inside++;
    __lsan_disable();
    const int code = PMPI_Init_thread(argc, argv, required, provided);
    __lsan_enable();
    inside--;
    return code;
}

int MPI_Finalize(void)
{
    inside++;
    __lsan_disable();
    const int code = PMPI_Finalize();
    __lsan_enable();
    inside--;
    return code;
}
