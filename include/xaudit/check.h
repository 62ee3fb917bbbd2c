/* What a run takes of main memory, as check and its sbatch script say it.  */
#ifndef XAUDIT_CHECK_H
#define XAUDIT_CHECK_H

#include <stdio.h>

#include "xaudit/record.h"

/* Bytes. Of every rank: its activations. Once a node: the packed weights. Of rank 0 beside that:
 *
 *   reading  the manifest, while it is read (xa_manifest.peak_bytes)
 *   running  the manifest held, the archive's tables made of it, 24 bytes a sample of offsets
 *   ending   running, and what the outcome is told from: of every sample its id and 24 bytes, of
 *            every model 206 bytes more; 4 bytes a label, 12 a pair of image and class, 1 an
 *            annotation
 *
 * MPI, HDF5 and the program itself take XA_MEMORY_BASE beside it (45 MB measured alone, Open
 * MPI 4.1 and HDF5 1.10; more on large machines). */
#define XA_MEMORY_BASE 100e6
typedef struct xa_memory {
    double rank, node;
    double reading, running, ending;
    double first; /* the largest of the three */
} xa_memory;
void xa_memory_of(const xa_loaded *l, const xa_contents *c, xa_memory *out);

/* ---- output.c ---- */

/* What would stop a run at its archive: xaudit check finds it before.  */

/* The folder is there and can be written, it has room for `bytes` (0: the archive is there
 * already), limits of the process allow it, nobody holds the lock, nothing stale lies beside it.
 * Mistakes and warnings go to problems; the job's file is blamed. */
void xa_check_output(const xa_loaded *l, double bytes, xa_problems *problems);
/* Lock files of OMPIO's shared file pointers that runs of before left beside the archive: names at
 * most three of them; "" when there are none. */
void xa_stale_locks(const char *archive, char *out, size_t size);

/* ---- probe.c ---- */

/* Accuracy of every model on `most` labelled samples, evenly spread over the manifest, with the
 * job's scaling and the usual others, RGB and BGR: the wrong one is the mistake no error tells.
 * Forward passes only. INVALID when nothing is labelled. */
XA_MUST_USE xa_status xa_check_probe(const xa_loaded *l, int64_t most, xa_err *err);

/* ---- slurm_header.c ---- */

/* xaudit check --slurm: an sbatch script that fits the job.  */

/* Runs the first images for a few seconds on one core and prints the script: ranks as opt says, or
 * (0) as many as end in half an hour; memory that suffices for rank 0 alone on its node; one and a
 * half times the measured time. `program` as the script shall name it. */
XA_MUST_USE xa_status xa_slurm_header(const xa_loaded *l,
                                      const xa_memory *memory,
                                      const char *program,
                                      const xa_run_options *opt,
                                      FILE *out,
                                      xa_err *err);

/* ---- against.c ---- */

/* check --against: this build beside Keras' own results on the user's model and images. Private to
 * app. */

/* Compares the job's model with a reference of tests/parity/reference.py and prints the agreement
 * to stdout. *agrees: everything within the tolerances that are printed beside it. */
XA_MUST_USE xa_status xa_check_against(const xa_loaded *l,
                                       const char *reference,
                                       bool *agrees,
                                       xa_err *err);

/* ---- annotations.c ---- */

/* What speaks against annotations, seen in the headers of up to 1000 images
 * and in up to 100 images' masks, evenly over the manifest, as warnings. */
XA_MUST_USE xa_status xa_check_annotations(const xa_loaded *l, xa_problems *problems, xa_err *err);

#endif
