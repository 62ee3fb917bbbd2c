/* What the commands share. Private to app. */
#ifndef XAUDIT_APP_APP_H
#define XAUDIT_APP_APP_H

#include "contents.h"
#include "options.h"

/* Exit codes, documented in --help. */
enum {
    XA_EXIT_DONE = 0,
    XA_EXIT_FAILED = 1,
    XA_EXIT_USAGE = 2,
    XA_EXIT_SAMPLES = 3,
    XA_EXIT_RESUME = 75
};

/* Options of run and check. */
typedef struct xa_run_options {
    const char *job;
    const char **set; /* the list is owned */
    int nset;
    const char *output;
    const char *against; /* check */
    int64_t limit;
    int64_t ranks;         /* check --slurm: how many; 0: chosen */
    bool slurm;            /* check */
    int64_t slice, slices; /* run: the slice-th of so many, 1 the first; 0: all of the manifest */
    int64_t probe;         /* check: images to try preprocessing on; 0: none */
    bool fresh, retry_failed, redo_damaged, quiet, json, layers;
} xa_run_options;
/* From the command line of run, check or bench; texts are borrowed from it. */
XA_MUST_USE xa_status xa_run_options_from(const xa_args *a, xa_run_options *out, xa_err *err);
void xa_run_options_fini(xa_run_options *o);

/* The commands, from a command line that fits the table; the exit code. */
int xa_cmd_run(const xa_args *a);
int xa_cmd_check(const xa_args *a);
int xa_cmd_info(const xa_args *a);
int xa_cmd_table(const xa_args *a);
int xa_cmd_manifest(const xa_args *a);
int xa_cmd_verify(const xa_args *a);
int xa_cmd_summary(const xa_args *a);
int xa_cmd_figure(const xa_args *a);
int xa_cmd_evaluate(const xa_args *a);
int xa_cmd_merge(const xa_args *a);
int xa_cmd_report(const xa_args *a);
int xa_cmd_bench(const xa_args *a);

/* Prints problems, sorted by line, to stderr: "file:line: text". */
void xa_print_problems(const xa_problems *p);
/* "xaudit: message" and, at debug level, the trail. */
void xa_print_error(const xa_err *err);
/* "12.3 GB" */
const char *xa_bytes_text(double bytes, char *buf, size_t size);

/* --fresh: renames a file to NAME.1, NAME.2, ..., the first that is free, and says so; never
 * deletes. */
XA_MUST_USE xa_status xa_set_aside(const char *path, xa_err *err);

/* ---- load.c: job, manifest and models, every mistake collected ---- */

typedef struct xa_loaded {
    xa_job job;
    xa_audit *audit;
    xa_manifest *manifest; /* NULL where it was not asked for */
    bool has_job;
} xa_loaded;
void xa_loaded_fini(xa_loaded *l);
XA_MUST_USE xa_status xa_load_manifest(xa_loaded *l,
                                       int64_t limit,
                                       xa_problems *problems,
                                       xa_err *err);
/* Labels and annotated classes beyond a model's classes are problems. */
void xa_check_classes(const xa_loaded *l, xa_problems *problems);
/* What a user most often gets wrong and no error tells: scaling twice, no labels, ...; and what the
 * loaders assumed of the models (xa_model_assumption). */
void xa_check_advice(const xa_loaded *l, xa_problems *problems);

/* check_annotations.c: what speaks against annotations, seen in the headers of up to 1000 images
 * and in up to 100 images' masks, evenly over the manifest, as warnings. */
XA_MUST_USE xa_status xa_check_annotations(const xa_loaded *l, xa_problems *problems, xa_err *err);

/* ---- abandon.c: the end without closing ---- */

/* Collective. After a failure that all ranks know of: an orderly end could hang, since a rank could
 * not write the archive (NULL allowed) or messages are lost (XA_COMM). */
bool xa_is_lost(xa_comm *comm, const xa_archive *archive, xa_status st);
/* Collective. xa_archive_close, which ends the process with XA_EXIT_FAILED after two minutes: a
 * rank whose disk dies just now leaves the others in there. NULL allowed. */
XA_MUST_USE xa_status xa_close_archive(xa_comm *comm, xa_archive *archive, xa_err *err);
/* Ends all ranks with rank 0's code, once rank 0 has told the error. Does not come back. */
void xa_abandon(xa_comm *comm, int code);

/* ---- outcome.c: what an archive says about its run ---- */

typedef struct xa_outcome {
    int64_t samples, done, failed, excluded, pending; /* of the worst model */
    int64_t annotations, unused; /* all; those that could not be used, whatever the reason */
} xa_outcome;
/* Prints accuracy where labels exist, warns near chance, lists failed samples. */
XA_MUST_USE xa_status
xa_print_outcome(const char *archive, bool brief, FILE *out, xa_outcome *outcome, xa_err *err);

#endif
