/* What the files of cluster share. */
#ifndef XAUDIT_CLUSTER_CLUSTER_INTERNAL_H
#define XAUDIT_CLUSTER_CLUSTER_INTERNAL_H

#include "xaudit/cluster.h"

/* series.c. Collective: the clusters of one explainer's maps, the same on every rank. */
XA_MUST_USE xa_status xa__cluster_series(const xa_cluster_options *opt,
                                         xa_comm *comm,
                                         const xa_read *r,
                                         const xa_read_model *m,
                                         const xa_read_map *x,
                                         xa_read_clusters *out,
                                         xa_err *err);
/* write.c. Rank 0: one archive's /clusters, an item for each pair of model and explainer. */
typedef struct xa__cluster_made {
    const xa_read_model *m;
    const xa_read_map *x;
    xa_read_clusters c;
} xa__cluster_made;
XA_MUST_USE xa_status xa__cluster_write(const xa_cluster_options *opt,
                                        const xa_read *r,
                                        const xa__cluster_made *made,
                                        int64_t n,
                                        xa_err *err);

#endif
