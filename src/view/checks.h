/* What is looked at in an archive's rows before anyone reads them. */
#ifndef XAUDIT_VIEW_READER_CHECKS_H
#define XAUDIT_VIEW_READER_CHECKS_H

#include "xaudit/view.h"

/* Each FORMAT where a row holds what no run writes. In this order: status, stage and prediction of
 * a model; targets and flags of its maps; labels and annotated classes of all. */
XA_MUST_USE xa_status xa_read_check_model(const xa_read *r, const xa_read_model *m, xa_err *err);
XA_MUST_USE xa_status xa_read_check_map(const xa_read *r,
                                        const xa_read_model *m,
                                        const xa_read_map *x,
                                        xa_err *err);
XA_MUST_USE xa_status xa_read_check_tables(const xa_read *r, xa_err *err);

#endif
