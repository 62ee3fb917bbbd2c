/* Agreement of the maps of two explainers, as stored. */
#include <stdlib.h>
#include <string.h>

#include "xaudit/view.h"

xa_status xa_read_agreement(xa_read *r,
                            const xa_read_model *m,
                            const xa_read_map *a,
                            const xa_read_map *b,
                            xa_agreement_kind kind,
                            double **out,
                            xa_err *err)
{
    const xa_path path = xa_field_name(
        XA_FIELD_AGREEMENT, m->name, xa_pair_name(a->name, b->name).text, xa_agreement_name(kind));
    xa_dataset_info info;
    void *data = NULL;
    *out = NULL;
    if (xa_archive_dataset(r->archive, path.text, &info, NULL) != XA_OK)
        return XA_OK; /* these two were not compared, or in the other order */
    if (info.type != XA_TYPE_F64 || info.ndim != 1 || info.dim[0] != r->samples)
        XA_RETURN_FAIL(
            err, XA_FORMAT, "%s: %s: expected one number for each sample", r->path, path.text);
    XA_RETURN_TRY(err, xa_read_check(r, XA_FIELD_SUM_PAIRS, err));
    XA_RETURN_TRY(err, xa_archive_read_all(r->archive, path.text, &info, &data, err));
    *out = data;
    return XA_OK;
}
