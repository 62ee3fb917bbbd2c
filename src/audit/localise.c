/* Localisation scores of a unit: for every (sample, annotated class) pair, explainer and metric. */
#include <math.h>

#include "audit_internal.h"

/* The map row that is scored for a class: the one that explains it; a rule that explains one class
 * whatever is annotated (predicted, class) is scored with that map. -1: none. */
static int64_t row_for(const xa_rows *r, int m, int e, int64_t slot, int32_t class_index)
{
    const xa_target_rule rule = r->audit->models[m].spec->explainers[e].target;
    const xa_map_rows *x = &r->models[m].maps[e];
    int64_t count;
    const int64_t first = xa_rows_first(r, m, e, slot, &count);
    for (int64_t k = first; k < first + count; k++) {
        if (rule == XA_TARGET_NONE)
            return k; /* explains no class: scored for every one */
        if (x->target[k] < 0)
            continue;
        if (rule == XA_TARGET_PREDICTED || rule == XA_TARGET_CLASS || x->target[k] == class_index)
            return k;
    }
    return -1;
}

static void score_pair(const xa_audit *a, xa_rows *rows, int64_t pair, const xa_region *region)
{
    const int64_t slot = rows->pair_slot[pair];
    for (int m = 0; m < rows->nmodels; m++) {
        if (rows->models[m].status[slot] != 1)
            continue;
        for (int e = 0; e < a->models[m].spec->nexplainers; e++) {
            const xa_map_rows *x = &rows->models[m].maps[e];
            const int64_t row = row_for(rows, m, e, slot, rows->pair_class[pair]);
            if (row < 0 || (x->flags[row] & XA_MAP_FLAG_NONFINITE))
                continue;
            for (int k = 0; k < a->spec->nmetrics; k++)
                rows->models[m].localisation[e * a->spec->nmetrics + k][pair] =
                    xa_pointing_game(&a->spec->metrics[k],
                                     region,
                                     !(x->flags[row] & XA_MAP_FLAG_DEGENERATE),
                                     (double)x->peak[2 * row],
                                     (double)x->peak[2 * row + 1]);
        }
    }
}

xa_status xa_audit_localise(const xa_audit *a, const xa_sample *samples, xa_rows *rows, xa_err *err)
{
    if (!a->spec->nmetrics)
        return XA_OK;
    for (int64_t q = 0; q < rows->npairs; q++) {
        const int64_t slot = rows->pair_slot[q];
        xa_region region;
        xa_err why = XA_ERR_INIT;
        bool any = false;
        for (int m = 0; m < rows->nmodels; m++)
            any = any || rows->models[m].status[slot] == 1;
        if (!any)
            continue;
        const xa_status st = xa_region_init(&region,
                                            &samples[slot],
                                            rows->pair_class[q],
                                            rows->width[slot],
                                            rows->height[slot],
                                            &why);
        if (st == XA_NOMEM)
            XA_RETURN_FAIL(err, st, "%s", why.message);
        if (st != XA_OK) {
            /* the maps are good; only the annotation is not: undefined scores, and the reason kept
             */
            for (int m = 0; m < rows->nmodels; m++)
                if (rows->models[m].status[slot] == 1)
                    xa_str_sanitise(why.message, rows->models[m].message + slot * 200, 200);
            continue;
        }
        score_pair(a, rows, q, &region);
        xa_region_fini(&region);
    }
    return XA_OK;
}
