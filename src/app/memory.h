/* What a run takes of main memory, as check and its sbatch script say it. Private to app. */
#ifndef XAUDIT_APP_MEMORY_H
#define XAUDIT_APP_MEMORY_H

#include "app.h"

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

#endif
