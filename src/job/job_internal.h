/* What the files of job share: reading settings from YAML. */
#ifndef XAUDIT_JOB_INTERNAL_H
#define XAUDIT_JOB_INTERNAL_H

#include "settings.h"
#include "xaudit/job.h"
#include "yaml_reader.h"

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

#endif
