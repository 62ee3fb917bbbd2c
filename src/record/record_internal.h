/* What the files of record share. */
#ifndef XAUDIT_RECORD_INTERNAL_H
#define XAUDIT_RECORD_INTERNAL_H

#include "xaudit/record.h"

/* Adds all fields that an owner has in the format's table, `column` [fields of the owner] their
 * indices, -1 where the job does not store one. `name` gives model and explainer; `data` [fields of
 * the owner] contents known at creation, or NULL. */
XA_MUST_USE xa_status xa__add_columns(xa_contents *c,
                                      xa_owner owner,
                                      const xa_explainer_spec *ex,
                                      const xa_field_spec *name,
                                      const xa_extents *x,
                                      const void *const *data,
                                      int *column,
                                      xa_err *err);
/* Zeroed memory that lives as long as the contents. */
XA_MUST_USE xa_status xa__contents_own(xa_contents *c, size_t bytes, void **out, xa_err *err);
/* Further columns: last of all fields, since only the rank that holds the manifest knows them. */
XA_MUST_USE xa_status xa__add_extra(xa_contents *c, const xa_manifest *m, xa_err *err);
/* The sample of every map row of a rule; NULL without a manifest. */
XA_MUST_USE xa_status xa__row_samples(xa_contents *c,
                                      const xa_manifest *m,
                                      const xa_explainer_spec *e,
                                      const int64_t **out,
                                      xa_err *err);
/* Status before the run: excluded or pending; NULL without a manifest. */
XA_MUST_USE xa_status xa__first_status(xa_contents *c,
                                       const xa_manifest *m,
                                       const uint8_t **out,
                                       xa_err *err);
/* /models/<m>/class_names, where the job names classes. */
XA_MUST_USE xa_status xa__add_class_names(xa_contents *c, int m, int64_t classes, xa_err *err);
/* Scores of one explainer: those of its `rows` maps alone, and of pairs for every metric. */
XA_MUST_USE xa_status xa__add_scores(xa_contents *c,
                                     const char *model,
                                     const char *explainer,
                                     int64_t rows,
                                     xa_map_fields *f,
                                     xa_err *err);
/* checks.c: what the job's checks with settings store of an explainer's maps. */
XA_MUST_USE xa_status xa__add_checks(xa_contents *c,
                                     const char *model,
                                     const char *explainer,
                                     int64_t rows,
                                     xa_map_fields *f,
                                     xa_err *err);
/* Agreement of a model's explainers, and the baselines' scores. */
XA_MUST_USE xa_status xa__add_comparisons(xa_contents *c, int m, xa_err *err);
/* /samples and /eval. */
XA_MUST_USE xa_status xa__add_tables(xa_contents *c, const xa_manifest *m, xa_err *err);

#endif
