/* The manifest as tables of the archive. Private to app. */
#ifndef XAUDIT_APP_CONTENTS_TABLES_H
#define XAUDIT_APP_CONTENTS_TABLES_H

#include "contents.h"

enum { XA_SESSION_TIME = 24, XA_SESSION_HOST = 64, XA_SESSION_TEXT = 200, XA_SESSION_LONG = 320 };

/* Zeroed memory that lives as long as the contents. */
XA_MUST_USE xa_status xa_contents_own(xa_contents *c, size_t bytes, void **out, xa_err *err);
/* Further columns: last of all fields, since only the rank that holds the manifest knows them. */
XA_MUST_USE xa_status xa_contents_extra(xa_contents *c, const xa_manifest *m, xa_err *err);
/* The sample of every map row of a rule; NULL without a manifest. */
XA_MUST_USE xa_status xa_contents_row_samples(
    xa_contents *c, const xa_manifest *m, xa_target_rule rule, const int64_t **out, xa_err *err);
/* Status before the run: excluded or pending; NULL without a manifest. */
XA_MUST_USE xa_status xa_contents_first_status(xa_contents *c,
                                               const xa_manifest *m,
                                               const uint8_t **out,
                                               xa_err *err);
/* /models/<m>/class_names, where the job names classes. */
XA_MUST_USE xa_status xa_contents_class_names(xa_contents *c, int m, int64_t classes, xa_err *err);
/* Scores of one explainer: those of its `rows` maps alone, and of pairs for every metric. */
XA_MUST_USE xa_status xa_contents_scores(xa_contents *c,
                                         const char *model,
                                         const char *explainer,
                                         int64_t rows,
                                         xa_map_fields *f,
                                         xa_err *err);
/* The datasets of all metrics for one explainer, or (baseline) for a map that knows nothing of the
 * image; allocates f->localisation and f->statistic. */
XA_MUST_USE xa_status xa_contents_metrics(xa_schema *schema,
                                          const xa_audit_spec *spec,
                                          int64_t pairs,
                                          const char *model,
                                          const char *name,
                                          bool baseline,
                                          xa_map_fields *f,
                                          xa_err *err);
/* Agreement of a model's explainers, and the baselines' scores. */
XA_MUST_USE xa_status xa_contents_comparisons(xa_contents *c, int m, xa_err *err);
/* What speaks against the annotations, with the names of the numbers and the rule for frames beside
 * it. data: [annotations] or NULL, as of xa_field_spec. */
XA_MUST_USE xa_status xa_contents_problems(xa_schema *schema,
                                           int64_t annotations,
                                           const uint8_t *data,
                                           bool rescale,
                                           int *field,
                                           xa_err *err);
/* Hashes of the annotations' masks; likewise. */
XA_MUST_USE xa_status xa_contents_mask_hashes(
    xa_schema *schema, int64_t annotations, const uint64_t *data, int *field, xa_err *err);
/* /samples and /eval. */
XA_MUST_USE xa_status xa_contents_tables(xa_contents *c, const xa_manifest *m, xa_err *err);

#endif
