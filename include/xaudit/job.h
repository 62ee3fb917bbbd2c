/* A job: what a YAML file asks for.
 *
 * Every setting is a row of one table, src/job/settings.def: its type and bounds, which kinds of
 * explainers or metrics have it, where it lies, which part of an archive's identity it moves, and a
 * line of help. `xaudit help settings` prints the table. Paths in a job are relative to its file.
 */
#ifndef XAUDIT_JOB_H
#define XAUDIT_JOB_H

#include <stdio.h>

#include "xaudit/archive.h"
#include "xaudit/audit.h"

typedef struct xa_job {
    char *file; /* the job file's path */
    char *text; /* its bytes, which the archive keeps */
    size_t text_size;
    char *manifest; /* this and the other paths: relative to the working folder, or absolute */
    char *wsol_images,
        *wsol_masks; /* if images is not NULL, manifest is a folder of WSOL metadata */
    char *output;
    char *title;        /* NULL: none */
    xa_classes classes; /* count 0: the job names none */
    xa_label_as label_as;
    xa_categories categories; /* further names that labels may have; count 0: none */
    xa_audit_spec audit;
    double tolerate_failed; /* a number of samples, or with the next member a share of them, 0..1 */
    bool tolerate_is_fraction;
    int threads;
    xa_numerics numerics;
    int64_t max_samples;
    int64_t *model_line; /* [nmodels] lines of the models in the file, for messages */
} xa_job;

typedef struct xa_job_options {
    const char *const *set; /* "key=value" */
    int nset;
    const char *output; /* --output, relative to the working folder */
} xa_job_options;

/* Reads a job from the text of its file. Every mistake goes to problems with its line; if one of
 * them is an error, the status is INVALID and *job is left alone. NOMEM. The caller frees *job with
 * xa_job_fini. */
XA_MUST_USE xa_status xa_job_parse(const char *file,
                                   const char *text,
                                   size_t size,
                                   const xa_job_options *opt,
                                   xa_job *job,
                                   xa_problems *problems,
                                   xa_err *err);
void xa_job_fini(xa_job *j);

/* Prints the table of settings for a terminal of 80 columns: all of it, or what it says of one key
 * ("scale", "input.scale", "models.0.input.scale"). The key "--markdown" gives the table of
 * jobs/REFERENCE.md. NOT_FOUND: no setting is called so. NOMEM. */
XA_MUST_USE xa_status xa_settings_help(FILE *out, const char *key, xa_err *err);
/* Prints every setting of a job as it was read, those that it leaves out too, and what the models
 * decide (layers, batches) as it came out. */
void xa_settings_echo(const xa_job *job, const xa_audit *audit, FILE *out);

/* Reads metrics alone, from a text of YAML that is a list or a map with `metrics`, into spec.
 * Messages call the text `name`. signed_map: "model/explainer" of maps with values below 0, which
 * relevance_mass needs a `sign` for; NULL: there are none. Mistakes go to problems, and INVALID is
 * returned if there are any. NOMEM. */
XA_MUST_USE xa_status xa_job_parse_metrics(const char *name,
                                           const char *text,
                                           const char *signed_map,
                                           xa_audit_spec *spec,
                                           xa_problems *problems,
                                           xa_err *err);

/* Adds the lines of an identity that an evaluation makes anew: metrics, their settings and the
 * version of their definitions. */
void xa_job_metric_identity(const xa_audit_spec *s, xa_str *out);
/* The key of the last line of a slice's identity: its first and last sample. */
#define XA_SLICE_KEY "slice"
/* Adds the identity of the job's archive: lines "key = value" of all that moves a stored number or
 * table (src/README.md#identity). IO: a model file cannot be hashed. NOMEM. */
XA_MUST_USE xa_status
xa_job_identity(const xa_job *j, const xa_audit *a, const xa_manifest *m, xa_str *out, xa_err *err);

/* ---- identity.c: does an archive belong to this job and this release? ---- */

/* In what two identities differ, as bits. VERSIONS: in the version of the format or of any
 * definitions, whatever else differs. */
enum {
    XA_IDENTITY_VERSIONS = 1,
    XA_IDENTITY_PASS = 2,
    XA_IDENTITY_MAPS = 4,
    XA_IDENTITY_METRICS = 8, /* the metrics and their settings */
    XA_IDENTITY_SCORES = 16, /* anything else that is in the part of scores */
    XA_IDENTITY_SLICE = 32,
    XA_IDENTITY_LIMITS = 64 /* max_pixels or max_bytes, larger in the second */
};

/* How two identities differ. If a list differs (which metrics there are), the settings of what only
 * one side has are not listed too. */
typedef struct xa_identity_difference {
    unsigned parts;
    int n;       /* lines in `text` */
    xa_str text; /* every line that differs, with both values (xa_identity_tell); if the versions
                    differ, those alone. The caller frees it. */
} xa_identity_difference;
/* The message calls the two a_name and b_name. NOMEM. */
XA_MUST_USE xa_status xa_identity_differ(const char *a,
                                         const char *b,
                                         const char *a_name,
                                         const char *b_name,
                                         xa_identity_difference *out,
                                         xa_err *err);

/* Adds the lines of versions that an identity has, or that this release has. */
void xa_identity_versions(const char *identity, xa_str *out);
void xa_identity_current(xa_str *out);
/* Does an evaluation make the line of this key anew (xa_job_metric_identity)? */
bool xa_identity_of_metrics(const char *key, size_t size);

/* May a job of this identity continue the archive at `path`? If not, MISMATCH, and the message says
 * what differs and what to do about it; it calls the job's file `job`. With retry_failed the limits
 * of what is read may be larger, since failed images are read again; the archive keeps the identity
 * that it began with. Other errors are those of xa_archive_check_identity, NOT_FOUND among them. */
XA_MUST_USE xa_status xa_identity_check(
    const char *path, const char *text, const char *job, bool retry_failed, xa_err *err);

/* Versions of the definitions that an archive's numbers follow; 1 if it names none. Messages call
 * the archive `file`. */
typedef struct xa_versions {
    int64_t metrics, map_scores; /* XA_METRICS_VERSION and XA_MAP_SCORES_VERSION when it was made */
    char tool[32];               /* the release that made it */
} xa_versions;
XA_MUST_USE xa_status xa_versions_read(xa_archive *a,
                                       const char *file,
                                       xa_versions *out,
                                       xa_err *err);
/* MISMATCH if the scores of the two archives follow different definitions; the message names both
 * versions and says how to get both archives to one. */
XA_MUST_USE xa_status
xa_versions_same(xa_archive *a, const char *a_file, xa_archive *b, const char *b_file, xa_err *err);
/* Logs a warning if an archive's scores do not follow this release's definitions. */
XA_MUST_USE xa_status xa_versions_warn(xa_archive *a, const char *file, xa_err *err);

/* Options of run and check. */
typedef struct xa_run_options {
    const char *job;
    const char **set; /* the list is owned */
    int nset;
    const char *output;
    const char *against;   /* check */
    const char *maps_from; /* run: the archive whose maps are taken; NULL: maps are made */
    int64_t limit;
    int64_t ranks;         /* check --slurm: how many; 0: chosen */
    bool slurm;            /* check */
    int64_t slice, slices; /* run: the slice-th of so many, 1 the first; 0: all of the manifest */
    int64_t probe;         /* check: images to try preprocessing on; 0: none */
    int64_t numerics;      /* check: images to try all numerics on; 0: none */
    bool fresh, retry_failed, redo_damaged, quiet, json, layers;
} xa_run_options;

/* ---- load.c: job, manifest and models together ---- */

typedef struct xa_loaded {
    xa_job job;
    xa_audit *audit;
    xa_manifest *manifest; /* NULL if it was not read */
    bool has_job;
} xa_loaded;
void xa_loaded_fini(xa_loaded *l);
/* Reads the job's manifest, at most `limit` samples of it (0: all). Mistakes go to problems. */
XA_MUST_USE xa_status xa_load_manifest(xa_loaded *l,
                                       int64_t limit,
                                       xa_problems *problems,
                                       xa_err *err);
/* Reports labels and annotated classes that a model does not have. */
void xa_check_classes(const xa_loaded *l, xa_problems *problems);
/* Warns of what is allowed and often wrong (pixels scaled twice, no labels for an explainer of
 * labels, ...), and of what the loaders assumed of the models (xa_model_assumption). */
void xa_check_advice(const xa_loaded *l, xa_problems *problems);

#endif
