/* What the files of view share: loading a field, and what is checked before anyone reads rows. */
#ifndef XAUDIT_VIEW_INTERNAL_H
#define XAUDIT_VIEW_INTERNAL_H

#include "xaudit/view.h"

/* load.c: nothing that follows from a file's extents or indices is trusted before it was checked.
 */

/* What is known of an archive's extents so far. */
xa_extents xa__extents(const xa_read *r);
/* A field's dataset, all of it, through *out_ptr (a pointer to a pointer to its items; free()). Its
 * type and extents must be the table's, of which -1 means any: FORMAT. `info` may be NULL. */
XA_MUST_USE xa_status xa__load(const xa_read *r,
                               xa_field_kind kind,
                               const xa_field_names *names,
                               const xa_extents *x,
                               void *out_ptr,
                               xa_dataset_info *info,
                               xa_err *err);
/* The same for a field that an archive may lack: OK, and *out_ptr stays as it is. */
XA_MUST_USE xa_status xa__load_any(const xa_read *r,
                                   xa_field_kind kind,
                                   const xa_field_names *names,
                                   const xa_extents *x,
                                   void *out_ptr,
                                   xa_dataset_info *info,
                                   xa_err *err);
/* The dataset's extents alone, checked in the same way. */
XA_MUST_USE xa_status xa__load_info(const xa_read *r,
                                    xa_field_kind kind,
                                    const xa_field_names *names,
                                    const xa_extents *x,
                                    xa_dataset_info *info,
                                    xa_err *err);
/* Members of a group as names of format 1; a group that is not there has none. */
XA_MUST_USE xa_status
xa__load_names(const xa_read *r, const char *group, char ***names, int64_t *n, xa_err *err);
/* The same list as names in paths; a name too long for the format is FORMAT. */
XA_MUST_USE xa_status xa__names_of(
    const char *model, const char *explainer, const char *key, xa_field_names *out, xa_err *err);
/* Every value of `index` lies in [0, below). */
XA_MUST_USE xa_status
xa__check_indices(const char *path, const int64_t *index, int64_t n, int64_t below, xa_err *err);
/* Offsets do not fall and do not lead beyond the `end` rows of the flat array. */
XA_MUST_USE xa_status xa__check_offsets(
    const char *path, const int64_t *offset, int64_t samples, int64_t end, xa_err *err);

/* lookups.c: the first of n ascending samples that is `sample` or a later one; n: none is. */
int64_t xa__first_of(const int64_t *samples, int64_t n, int64_t sample);

/* read_model.c */
XA_MUST_USE xa_status xa__read_model(xa_read *r, bool outcome, xa_read_model *m, xa_err *err);
void xa__free_model(xa_read_model *m);

/* checks.c: each FORMAT where a row holds what no run writes. In this order: status, stage and
 * prediction of a model; targets and flags of its maps; labels and annotated classes of all. */
XA_MUST_USE xa_status xa__check_model(const xa_read *r, const xa_read_model *m, xa_err *err);
XA_MUST_USE xa_status xa__check_map(const xa_read *r,
                                    const xa_read_model *m,
                                    const xa_read_map *x,
                                    xa_err *err);
XA_MUST_USE xa_status xa__check_tables(const xa_read *r, xa_err *err);

/* Further checks of a map; an archive may have none. */
XA_MUST_USE xa_status xa__load_checked(const xa_read *r,
                                       const xa_read_model *m,
                                       xa_read_map *x,
                                       xa_err *err);
void xa__free_checked(xa_read_map *x);

#endif
