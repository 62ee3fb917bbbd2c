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
    char *file; /* of the job */
    char *text; /* its bytes, as stored in the archive */
    size_t text_size;
    char *manifest;                 /* resolved paths */
    char *wsol_images, *wsol_masks; /* images not NULL: manifest is a folder of WSOL metadata */
    char *output;
    xa_classes classes; /* count 0: none given */
    xa_label_as label_as;
    xa_categories categories; /* names that labels may have beside the classes; count 0: none */
    xa_audit_spec audit;
    double tolerate_failed; /* a count, or a fraction when below */
    bool tolerate_is_fraction;
    int threads;
    xa_numerics numerics;
    int64_t max_samples;
    int64_t *model_line; /* [nmodels] for messages */
} xa_job;

typedef struct xa_job_options {
    const char *const *set; /* "key=value" */
    int nset;
    const char *output; /* --output, relative to the working folder */
} xa_job_options;

/* Every mistake goes to problems; with errors among them the status is INVALID. */
XA_MUST_USE xa_status xa_job_parse(const char *file,
                                   const char *text,
                                   size_t size,
                                   const xa_job_options *opt,
                                   xa_job *job,
                                   xa_problems *problems,
                                   xa_err *err);
void xa_job_fini(xa_job *j);

/* Prints the table of settings for a terminal of 80 columns: all of it, or what it says of one key
 * ("scale", "input.scale", "models.0.input.scale"). The key "--markdown" gives README's table.
 * NOT_FOUND: no setting is called so. NOMEM. */
XA_MUST_USE xa_status xa_settings_help(FILE *out, const char *key, xa_err *err);
/* Prints every setting of a job as it was read, those that it leaves out too, and what the models
 * decide (layers, batches) as it came out. */
void xa_settings_echo(const xa_job *job, const xa_audit *audit, FILE *out);

/* The list of metrics alone, as a text of YAML: a list, or a map with `metrics`. `name` is what
 * messages call it. Mistakes go to problems; INVALID where there are any. */
XA_MUST_USE xa_status xa_job_parse_metrics(const char *name,
                                           const char *text,
                                           const char *signed_map,
                                           xa_audit_spec *spec,
                                           xa_problems *problems,
                                           xa_err *err);

/* Lines of an identity that are an evaluation's own: of metrics and their definitions. */
void xa_job_metric_identity(const xa_audit_spec *s, xa_str *out);
/* The line of a slice, last in its identity: first and last sample. */
#define XA_SLICE_KEY "slice"
/* Canonical "key = value" lines of the settings that move numbers: the archive's identity. */
XA_MUST_USE xa_status
xa_job_identity(const xa_job *j, const xa_audit *a, const xa_manifest *m, xa_str *out, xa_err *err);

/* ---- identity.c: is an archive of this job? ---- */

/* Whether an archive is of this job and of this release.  */

/* The parts of an identity (identity_text.c), as bits of what differs. VERSIONS: the format's or
 * any of the definitions', whatever else. */
enum {
    XA_IDENTITY_VERSIONS = 1,
    XA_IDENTITY_PASS = 2,
    XA_IDENTITY_MAPS = 4,
    XA_IDENTITY_METRICS = 8, /* settings of metrics, and nothing else of scores */
    XA_IDENTITY_SCORES = 16, /* anything else of scores */
    XA_IDENTITY_SLICE = 32,
    XA_IDENTITY_LIMITS = 64 /* max_pixels or max_bytes, larger in the second */
};

/* How two identities differ. What stands or falls with a list that differs anyway (the settings of
 * a metric that only one has) is not told. */
typedef struct xa_identity_difference {
    unsigned parts;
    int n;       /* lines told of */
    xa_str told; /* xa_identity_tell; VERSIONS: those alone. Freed by the caller */
} xa_identity_difference;
/* The texts are called a_name and b_name. NOMEM. */
XA_MUST_USE xa_status xa_identity_differ(const char *a,
                                         const char *b,
                                         const char *a_name,
                                         const char *b_name,
                                         xa_identity_difference *out,
                                         xa_err *err);

/* The lines of versions: of an identity, and of this release. */
void xa_identity_versions(const char *identity, xa_str *out);
void xa_identity_current(xa_str *out);
/* Is a key one of those that an evaluation makes anew: metrics, their settings, their version? */
bool xa_identity_of_metrics(const char *key, size_t size);

/* May the archive at `path` go on with a job of this identity? MISMATCH says what differs, and what
 * to do about it. `job`: the job's file, for the advice. retry_failed: limits of what is read may
 * be larger, as failed images are read again (the identity stays that of the beginning). Other
 * errors as xa_archive_check_identity's, NOT_FOUND among them. */
XA_MUST_USE xa_status xa_identity_check(
    const char *path, const char *text, const char *job, bool retry_failed, xa_err *err);

/* Versions of the numbers in an archive; 1 where it does not say. `file` is for messages. */
typedef struct xa_versions {
    int64_t metrics, map_scores; /* XA_METRICS_VERSION, XA_MAP_SCORES_VERSION of its making */
    char tool[32];               /* the release's */
} xa_versions;
XA_MUST_USE xa_status xa_versions_read(xa_archive *a,
                                       const char *file,
                                       xa_versions *out,
                                       xa_err *err);
/* MISMATCH where scores of the two archives mean other things: names both versions and the way to
 * one. */
XA_MUST_USE xa_status
xa_versions_same(xa_archive *a, const char *a_file, xa_archive *b, const char *b_file, xa_err *err);
/* Warns where an archive's scores are not of this release's definitions. */
XA_MUST_USE xa_status xa_versions_tell(xa_archive *a, const char *file, xa_err *err);

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

#endif
