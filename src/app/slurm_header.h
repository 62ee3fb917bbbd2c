/* xaudit check --slurm: an sbatch script that fits the job. Private to app. */
#ifndef XAUDIT_APP_SLURM_HEADER_H
#define XAUDIT_APP_SLURM_HEADER_H

#include "app.h"

/* Runs the first images for a few seconds on one core and prints the script: ranks as given, or (0)
 * as many as end in half an hour; memory that suffices for a rank alone on its node; one and a half
 * times the measured time. `program` and `job` as the script shall name them. */
XA_MUST_USE xa_status xa_slurm_header(const xa_loaded *l,
                                      const char *program,
                                      const char *job,
                                      int64_t ranks,
                                      FILE *out,
                                      xa_err *err);

#endif
