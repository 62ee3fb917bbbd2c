/* xaudit check --slurm: an sbatch script that fits the job. Private to app. */
#ifndef XAUDIT_APP_SLURM_HEADER_H
#define XAUDIT_APP_SLURM_HEADER_H

#include "memory.h"

/* Runs the first images for a few seconds on one core and prints the script: ranks as opt says, or
 * (0) as many as end in half an hour; memory that suffices for rank 0 alone on its node; one and a
 * half times the measured time. `program` as the script shall name it. */
XA_MUST_USE xa_status xa_slurm_header(const xa_loaded *l,
                                      const xa_memory *memory,
                                      const char *program,
                                      const xa_run_options *opt,
                                      FILE *out,
                                      xa_err *err);

#endif
