/* What is looked at before a job runs: `xaudit check`, and what `run` and `bench` share with it.
 *
 * Everything here is local to one process. Mistakes and warnings of the user go to an xa_problems,
 * which names the file and the line; an xa_status other than XA_OK says that the look itself could
 * not be taken. Nothing is written but the lines that a comment names. */
#ifndef XAUDIT_CHECK_H
#define XAUDIT_CHECK_H

#include <stdio.h>

#include "xaudit/record.h"

/* ---- load.c: a job with its manifest and models ---- */

/* Reads the job of `opt` (with its `set`, `output` and `limit`), its manifest and its models, and
 * goes on after a mistake to find the others: l->manifest or l->audit is NULL where it could not be
 * had, with the reason among the problems. Fails only if the job itself cannot be read or parsed
 * (its mistakes are then among the problems). The caller frees l with xa_loaded_fini, after a
 * failure too. */
XA_MUST_USE xa_status xa_check_load(const xa_run_options *opt,
                                    xa_loaded *l,
                                    xa_problems *problems,
                                    xa_err *err);

/* ---- annotations.c ---- */

/* Looks for annotations that cannot be used, in the headers of up to 1000 images and in the masks
 * of up to 100, evenly over the manifest. They are warnings. */
XA_MUST_USE xa_status xa_check_annotations(const xa_loaded *l, xa_problems *problems, xa_err *err);

/* ---- memory.c ---- */

/* Bytes of main memory that a run takes. Every rank takes its activations; every node takes the
 * packed weights once; rank 0 takes in addition:
 *
 *   reading  the manifest while it is read (xa_manifest.peak_bytes)
 *   running  the manifest, the tables made of it for the archive, and 24 bytes of offsets per
 * sample ending   running, and what the outcome is counted from: for every sample its id and 24
 * bytes, 206 bytes more for every model, 4 bytes for a label, 12 for a pair of image and class and
 * 1 for an annotation
 *
 * MPI, HDF5 and the program itself take XA_MEMORY_BASE more (measured: 45 MB on one rank with Open
 * MPI 4.1 and HDF5 1.10; it is more on large machines). */
#define XA_MEMORY_BASE 100e6
typedef struct xa_memory {
    double rank, node;
    double reading, running, ending;
    double first; /* the largest of the three */
} xa_memory;
void xa_memory_of(const xa_loaded *l, const xa_contents *c, xa_memory *out);

/* ---- output.c: the archive that a run would write ---- */

/* Looks whether the output folder is there and can be written, whether it and the limits of this
 * process have room for `bytes` (0: the archive exists already), whether another run holds the
 * lock, and whether stale lock files lie beside it. */
void xa_check_output(const xa_loaded *l, double bytes, xa_problems *problems);

/* Whether a run may continue the archive at `path`: a job of this identity began it
 * (xa_identity_check, which explains the arguments), and it is no evaluation. NOT_FOUND: there is
 * no archive. MISMATCH and INVALID say what does not fit and what can be done. */
XA_MUST_USE xa_status xa_check_archive(
    const char *path, const char *identity, const char *job, bool retry_failed, xa_err *err);

/* Names up to three lock files that Open MPI's shared file pointers left beside an archive when a
 * run was killed; "" if there are none. */
void xa_stale_locks(const char *archive, char *out, size_t size);

/* ---- cost.c: what explainers ask the model about besides the image ---- */

/* Floating-point operations of one image, with one target for each explainer. A backward pass to
 * the input is counted as a forward pass, and so is one that begins at a layer. */
typedef struct xa_cost {
    double plain; /* of the image itself: one forward pass, the backward passes, checks */
    double asked; /* of all explainers that ask */
    double most;  /* of the one that asks most, and which it is; -1: nobody asks */
    int explainer;
} xa_cost;
void xa_cost_of(const xa_loaded *l, int m, xa_cost *out);
/* What check k of the job asks of model m. */
typedef struct xa_faith_cost {
    int64_t images; /* that are looked at */
    xa_passes each; /* of one of them */
    double times;   /* all its work, of that of the plain run over all images */
    double bytes;   /* in the archive */
} xa_faith_cost;
void xa_faith_cost_of(const xa_loaded *l, int m, int k, xa_faith_cost *out);
/* The passes and bytes of a model's run, a line each for the images, every explainer and every
 * check: prints a table to `out`. seconds: what a pass takes (xa_audit_time), from which time per
 * image and core hours follow; NULL: without them. Passes that several share stand beside the
 * first.
 */
XA_MUST_USE xa_status
xa_print_costs(const xa_loaded *l, int m, const xa_pass_seconds *seconds, FILE *out, xa_err *err);
/* Measures passes of every model on this core, and prints their costs. */
XA_MUST_USE xa_status xa_check_times(const xa_loaded *l, FILE *out, xa_err *err);
/* Warns of models whose explainers ask for more than five times the plain run, and says which
 * setting to lower. */
void xa_check_cost(const xa_loaded *l, xa_problems *problems);

/* ---- trial.c: units of a job on this process alone, timed ---- */

typedef struct xa_trial {
    const xa_loaded *l; /* borrowed; its audit cannot be attached to anything else afterwards */
    xa_rows *rows;      /* of the last unit */
    void *weights, *arena;
    int64_t next; /* sample that the next unit begins at; 0 after the last of the manifest */
    int64_t images;
    double seconds; /* that the units since the last reset took */
} xa_trial;
/* The caller ends the trial, after a failure too. NOMEM. */
XA_MUST_USE xa_status xa_trial_start(const xa_loaded *l, xa_trial *t, xa_err *err);
/* Computes the next unit of the manifest. */
XA_MUST_USE xa_status xa_trial_unit(xa_trial *t, xa_err *err);
/* Sets images and seconds to 0. */
void xa_trial_reset(xa_trial *t);
void xa_trial_end(xa_trial *t);

/* ---- against.c: xaudit check --against ---- */

/* Compares the job's model with Keras' results in `reference` (made by tests/parity/reference.py):
 * preprocessing, outputs, Grad-CAM and input gradients. Prints a line for each to stdout, with its
 * tolerance; *agrees: all are within it. NOT_FOUND, FORMAT, MISMATCH: the reference cannot be read
 * or is of another model. */
XA_MUST_USE xa_status xa_check_against(const xa_loaded *l,
                                       const char *reference,
                                       bool *agrees,
                                       xa_err *err);

/* ---- probe.c: xaudit check --probe ---- */

/* Measures the accuracy of every model on `most` labelled samples, evenly over the manifest, with
 * the job's scaling and with the other usual ones, in RGB and BGR, and prints it to stdout: a wrong
 * scaling is a mistake that no error shows. Runs forward passes only. INVALID: no image is
 * labelled. */
XA_MUST_USE xa_status xa_check_probe(const xa_loaded *l, int64_t most, xa_err *err);

/* ---- numerics.c: xaudit check --numerics ---- */

/* Runs up to `most` images, evenly over the manifest, under each of the numerics, and prints to
 * stdout seconds an image and what changes beside strict: scores, predictions, Spearman's
 * correlation of maps, how much of their top 5 % stays, and the mean difference of each metric with
 * its interval (xa_stats_paired, clusters are images); and which numerics to take. The job's checks
 * are left out. */
XA_MUST_USE xa_status xa_check_numerics(const xa_loaded *l, int64_t most, xa_err *err);

/* ---- slurm_header.c: xaudit check --slurm ---- */

/* Runs the first images for a few seconds on one core and writes an sbatch script to `out`. It asks
 * for opt->ranks ranks or (0) for as many as finish in half an hour, for memory that suffices even
 * if rank 0 has a node of its own, and for one and a half times the measured time. `program` is how
 * the script names xaudit. */
XA_MUST_USE xa_status xa_slurm_header(const xa_loaded *l,
                                      const xa_memory *memory,
                                      const char *program,
                                      const xa_run_options *opt,
                                      FILE *out,
                                      xa_err *err);

#endif
