/* What the files of job share: the readers and writers that rows of settings.def name. */
#ifndef XAUDIT_JOB_INTERNAL_H
#define XAUDIT_JOB_INTERNAL_H

#include <float.h>

#include "settings.h"
#include "xaudit/job.h"
#include "yaml_reader.h"

/* kind: attention with a method is another way to write one of these kinds. X(KIND, method) */
#define XA__METHOD_LIST(X)          \
    X(ATTENTION, "raw")             \
    X(ROLLOUT, "rollout")           \
    X(GRAD_ROLLOUT, "grad_rollout") \
    X(RELEVANCE, "relevance")       \
    X(ATTENTION_GRADCAM, "gradcam")

/* What the maps `fit` and `scale` are read into. */
typedef struct xa__fit_reading {
    xa_fit fit;
    int64_t height, width; /* of the input */
} xa__fit_reading;
typedef struct xa__scale_reading {
    xa_scale scale;
    int nmean, nstd; /* values given; 1: for all channels */
} xa__scale_reading;

/* ---- readers of rows that no type reads: job.c, input.c, explainers.c, metrics.c ---- */

typedef void xa__reader(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object);
xa__reader xa__read_manifest, xa__read_models, xa__read_metrics, xa__read_checks, xa__read_classes,
    xa__read_label_as, xa__read_categories, xa__read_tolerate_failed, xa__read_head,
    xa__read_user_classes, xa__read_inputs, xa__read_model_input, xa__read_explainers,
    xa__read_size, xa__read_resize, xa__read_fit, xa__read_scale, xa__read_depth, xa__read_crop,
    xa__read_means, xa__read_window, xa__read_explainer_profile, xa__read_target, xa__read_layers,
    xa__read_target_class, xa__read_explainer_input, xa__read_metric_profile, xa__read_at,
    xa__read_tolerance, xa__read_threshold, xa__read_iou;
/* from_file.c: the classes that the files of a job's models note; classes is the node that asks for
 * them. */
void xa__classes_from_file(const xa__reading *r, xa_ynode classes);
void xa__list_classes(const xa__reading *r, xa_ynode list, xa_classes *out);
/* Notes where the job's input is not what the model's file says. */
void xa__advise_input(const xa_job *job, int model, xa_problems *problems);
/* signed_map: "model/explainer" of maps with values below 0, which relevance_mass must not sum
 * unasked; NULL: there are none. */
void xa__read_metric_list(const xa__reading *r,
                          xa_ynode list,
                          const char *signed_map,
                          xa_audit_spec *spec);

/* ---- writers of lines that no type writes: identity_lines.c, identity_text.c ---- */

typedef void xa__writer(xa__lines *l, const xa_setting *s, const void *object);
xa__writer xa__checks_lines, xa__class_names_lines, xa__numerics_lines, xa__seed_lines,
    xa__arithmetic_lines, xa__model_file_lines, xa__head_lines, xa__batch_lines,
    xa__user_classes_lines, xa__output_lines, xa__inputs_lines, xa__size_lines, xa__fit_lines,
    xa__scale_lines, xa__depth_lines, xa__orientation_lines, xa__target_lines, xa__direction_lines,
    xa__backward_lines, xa__layer_lines, xa__layers_lines, xa__explainer_input_lines, xa__at_lines,
    xa__tolerance_lines, xa__threshold_lines, xa__iou_lines;
void xa__text_line(const xa__lines *l, const char *key, const char *value);
void xa__integer_line(const xa__lines *l, const char *key, int64_t value);
/* The fewest digits that give the number back: 0.15 is shown as it was written. */
void xa__number_text(double value, xa_str *out);

/* ---- small readers: they report, and return false where the value is there and wrong ---- */

/* What a message says is there: the text, "a list", "a map", "nothing". */
const char *xa__found(xa_ynode n);
bool xa__read_i64(
    xa_ynode n, const char *what, int64_t low, int64_t high, int64_t *out, xa_problems *problems);
bool xa__read_f64(xa_ynode n, const char *what, double *out, xa_problems *problems);
bool xa__read_bool(xa_ynode n, const char *what, bool *out, xa_problems *problems);
/* Letters, digits and _ . - of at most 60 characters. */
bool xa__is_name(const char *name);
/* The index of a text among words that end with NULL; -1: none of them. */
int xa__find_word(const char *const *words, const char *text);
/* The same of a setting's words; a problem when it is none of them. */
int xa__read_word(const xa__reading *r, const xa_setting *s, xa_ynode n);

#endif
