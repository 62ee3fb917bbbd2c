/* What the files of a summary share. */
#ifndef XAUDIT_SUMMARY_SUMMARY_INTERNAL_H
#define XAUDIT_SUMMARY_SUMMARY_INTERNAL_H

#include "xaudit/summary.h"

/* A numeric dataset of n rows of one type, and a column of the samples as texts [samples], into new
 * buffers. FORMAT: it is another. */
XA_MUST_USE xa_status xa__summary_array(
    const xa_summary *s, const char *path, xa_type type, int64_t n, void *out_ptr, xa_err *err);
XA_MUST_USE xa_status xa__summary_column(const xa_summary *s,
                                         const char *path,
                                         char ***out,
                                         xa_err *err);
void xa__summary_free_series(xa_series *x);
void xa__free_texts(char **text, int64_t n);
/* Fill group, excluded, and part with its names. */
XA_MUST_USE xa_status xa__summary_groups(xa_summary *s, xa_err *err);
XA_MUST_USE xa_status xa__summary_excluded(xa_summary *s, xa_err *err);
XA_MUST_USE xa_status xa__summary_parts(xa_summary *s, const char *by, xa_err *err);
/* Most random permutations of a comparison of this kind. */
int64_t xa__summary_most(const xa_compare_options *o, const xa_series *x);
/* The model of a series. */
const xa_read_model *xa__summary_model(const xa_summary *s, const xa_series *x);

#endif
