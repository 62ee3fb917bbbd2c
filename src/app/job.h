/* A job: what a YAML file asks for. Private to app.
 *
 *   manifest: demo/manifest.csv         paths are relative to the job file; or, WSOL metadata as
 * they are, { wsol: folder, images: folder, masks: folder } output: ../results/demo.h5 classes:
 * demo/classes.txt           or a list of names; without it labels are indices label_as: name |
 * index              only where a label could be both models:
 *     - name: xception                  in the archive
 *       file: demo/xception.h5
 *       architecture: model.json        weights-only files
 *       interpolate_positions: true     transformers at another size than they were made for
 *       head: softmax                   models that end in plain scores: softmax | sigmoid |
 * multilabel batch: 1 input: { size: [h, w], resize: pil-bilinear, scale: tf, fit: stretch, depth:
 * div257 } explainers:
 *         - { kind: gradcam, layer: auto, score: prob, target: label, name: .., store: f16, .. }
 *   metrics: [ pointing_game, { kind: pointing_game, tolerance: 15px, name: .. } ]
 *   tolerate_failed: 5 | 2%             failed samples that do not make the run end with 3
 *   threads: 1                          BLAS threads a rank (without fused multiply-adds)
 *   numerics: strict                    strict | fast (Winograd's filtering)
 *   categories: coco.txt                lines "name: class | class": sets that labels may name
 *   frame: refuse                       refuse | rescale: boxes of a scaled frame
 *   limits: { max_pixels: .., max_bytes: .., max_samples: .. }
 */
#ifndef XAUDIT_APP_JOB_H
#define XAUDIT_APP_JOB_H

#include "job_settings.h"
#include "xaudit/audit.h"
#include "yaml_reader.h"

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

/* ---- pieces, one file each ---- */
void xa_job_read_input(xa_ynode node, xa_input_spec *spec, xa_problems *problems);
/* An explainer's own way to the input: resize, scale and depth in place of the model's. */
void xa_job_read_input_override(xa_ynode node, xa_input_spec *spec, xa_problems *problems);
/* `method` of kind: attention, *kind becomes the explainer meant. */
bool xa_job_read_method(xa_ynode n, int *kind, xa_problems *problems);
/* heads, start_layer, discard. */
void xa_job_read_attention(xa_ynode n, xa_explainer_spec *spec, xa_problems *problems);
void xa_job_read_explainers(xa_ynode list,
                            const xa_classes *classes,
                            xa_audit_model_spec *model,
                            xa_problems *problems);
void xa_job_read_checks(xa_ynode list, xa_audit_spec *spec, xa_problems *problems);
/* signed_map: "model/explainer" of maps with values below 0, which relevance_mass must not sum
 * unasked; NULL: there are none. */
void xa_job_read_metrics(xa_ynode list,
                         const char *signed_map,
                         xa_audit_spec *spec,
                         xa_problems *problems);

/* ---- small readers: report and return false when the node is there and wrong ---- */
/* Keys that are none of the map's settings (job_settings.h), or given twice. */
void xa_job_check_keys(xa_ynode map, xa_job_map which, xa_problems *problems);
/* What a message says is there: the text, "a list", "a map", "nothing". */
const char *xa_job_found(xa_ynode n);
bool xa_job_i64(
    xa_ynode n, const char *what, int64_t low, int64_t high, int64_t *out, xa_problems *problems);
bool xa_job_f64(xa_ynode n, const char *what, double *out, xa_problems *problems);
bool xa_job_bool(xa_ynode n, const char *what, bool *out, xa_problems *problems);
/* parse returns -1 for unknown names; names are listed in the message. */
bool xa_job_choice(xa_ynode n,
                   const char *what,
                   int (*parse)(const char *),
                   const char *const *names,
                   size_t nnames,
                   int *out,
                   xa_problems *problems);
/* Letters, digits and _ . - of at most 60 characters. */
bool xa_job_name_ok(const char *name);

/* Lines of an identity that are an evaluation's own: of metrics and their definitions. */
void xa_job_metric_identity(const xa_audit_spec *s, xa_str *out);
/* The line of a slice, last in its identity: first and last sample. */
#define XA_SLICE_KEY "slice"
/* Canonical "key = value" lines of the settings that move numbers: the archive's identity. */
XA_MUST_USE xa_status
xa_job_identity(const xa_job *j, const xa_audit *a, const xa_manifest *m, xa_str *out, xa_err *err);

#endif
