/* cluster: groups of maps that look alike, found without looking at what they are of (SpRAy,
 * Lapuschkin et al. 2019, "Unmasking Clever Hans predictors"). A watermark, a border or a caption
 * that a model uses in some images of a class gives them maps that lie together.
 *
 * A map becomes a feature: |sum over channels| is averaged over a grid of at most 16 x 16 cells (by
 * area, on the model's input) and divided by its sum, so that only the places count. The sum of
 * signed values may be near 0, hence the absolute ones. Maps of one class (or of all) are joined
 * with their k nearest neighbours, W = (A + A^T) / 2 with A 0/1; the largest eigenvectors of
 * D^-1/2 W D^-1/2 are those of the normalised Laplacian L = I - D^-1/2 W D^-1/2 with the least
 * eigenvalues. The number of clusters is the K with the widest eigengap between the K-th and the
 * next eigenvalue; k-means runs in the first K eigenvectors, each map's row brought to length 1
 * (Ng, Jordan and Weiss 2001).
 *
 * The bytes do not depend on the number of ranks: neighbours are sums of one fixed order, and a
 * group's eigenvectors and clusters are made by one rank on one thread. */
#ifndef XAUDIT_CLUSTER_H
#define XAUDIT_CLUSTER_H

#include "xaudit/comm.h"
#include "xaudit/view.h"

/* The purpose of what is drawn here (xa_random_stream, whose numbers 1 to 12 are xa_purpose's):
 * draw r is start r of k-means, draw 1000 are the first vectors of the Krylov space. */
enum { XA_CLUSTER_PURPOSE = 13 };

/* ---- of numbers alone: local, without files ---- */

/* The feature of a map [channels, height, width] on a grid [grid_h, grid_w], each at most the map's
 * own side. False: it has a value that is not finite, or all are 0; out is then not to be used. */
bool xa_cluster_feature(const float *map,
                        int64_t channels,
                        int64_t height,
                        int64_t width,
                        int64_t grid_h,
                        int64_t grid_w,
                        float *out);
/* The k nearest rows of x [n,d] by Euclidean distance to each of rows [first,end), nearest first,
 * not the row itself, of equal ones the lower index; near [end - first, k], 1 <= k < n < 2^31.
 * NOMEM is the only failure. */
XA_MUST_USE xa_status xa_cluster_neighbours(const float *x,
                                            int64_t n,
                                            int64_t d,
                                            int64_t k,
                                            int64_t first,
                                            int64_t end,
                                            int32_t *near,
                                            xa_err *err);
/* The least eigenvalues of the Laplacian of the neighbours' graph, near [n,k], ascending, and their
 * vectors [vectors, n], whose largest component (of equal ones the first) is positive. Up to 400
 * maps the whole matrix is taken apart (LAPACK's dsyev); beyond, blocks of a Krylov space are
 * restarted until residuals are below 1e-9. vectors <= n, at most 64. UNSUPPORTED: they did not
 * become so in 200 restarts. NOMEM: it needs about 700 n numbers of 8 bytes. */
XA_MUST_USE xa_status xa_cluster_eigen(const int32_t *near,
                                       int64_t n,
                                       int64_t k,
                                       int vectors,
                                       uint64_t seed,
                                       double *value,
                                       double *vector,
                                       xa_err *err);
/* The K in least..most with the largest value[K] - value[K-1] (0-based), the least of equal ones;
 * values beyond `vectors` are not looked at: most < vectors. */
int xa_cluster_gap(const double *value, int vectors, int least, int most);
/* k-means of rows y [n,d] (Lloyd, from k-means++, the best of 10 starts). Clusters are numbered by
 * their size, the largest first, of equal ones that with the first row. distance [n]: to the
 * cluster's mean. An empty cluster takes the row that is farthest from its mean. */
XA_MUST_USE xa_status xa_cluster_means(const double *y,
                                       int64_t n,
                                       int64_t d,
                                       int clusters,
                                       uint64_t seed,
                                       int32_t *number,
                                       double *distance,
                                       xa_err *err);

/* ---- of an archive ---- */

/* A group needs XA_CLUSTER_LEAST maps. Of n maps at most n / 8, and at least 3, neighbours are
 * joined, and at most n / 8, and at least 2, clusters are made, however many are asked for. */
enum { XA_CLUSTER_LEAST = 16 };

/* All texts are borrowed. */
typedef struct xa_cluster_options {
    const char *archive, *output;
    const char *model, *explainer; /* NULL: all */
    bool over_all;                 /* the maps of all classes together, not class by class */
    int64_t neighbours;            /* 1.. */
    int least, most;               /* clusters, 2 <= least <= most < XA_CLUSTER_VECTORS */
    int64_t maps; /* the most of a group; of more those are taken whose turn comes first
                     (xa_faith_turns): the others are not sampled */
    int64_t seed;
    bool fresh; /* an existing output is renamed (xa_set_aside) */
} xa_cluster_options;

/* Collective over comm; all ranks return the same status. Clusters the maps of every model and
 * explainer that is asked for, by the class that they explain (that is predicted, where they
 * explain none), and writes an archive like its source with /clusters beside, as xa_evaluate does:
 * map values are linked. Rank 0 tells through `tell` (NULL allowed) what was found, an explainer
 * after the other. NOT_FOUND: no such archive, model or explainer. BUSY: the output exists. */
typedef void xa_cluster_tell_fn(void *arg,
                                const xa_read *r,
                                const xa_read_model *m,
                                const xa_read_map *x,
                                const xa_read_clusters *c);
XA_MUST_USE xa_status xa_cluster(
    const xa_cluster_options *opt, xa_comm *comm, xa_cluster_tell_fn *tell, void *arg, xa_err *err);

/* ---- tell.c: what clusters say ---- */

/* One cluster beside the others of its group. */
typedef struct xa_cluster_facts {
    int64_t maps;
    int64_t labelled, wrong; /* whose image has a label, and whose answer is none of them */
    double energy;           /* mean of the first metric that is a share of the map on its region;
                                NaN: none */
    int64_t scored;          /* maps that have it */
    int32_t main_class;      /* the most frequent label, -1: none */
    int64_t of_main_class;   /* maps with it */
} xa_cluster_facts;
void xa_cluster_facts_of(const xa_read *r,
                         const xa_read_model *m,
                         const xa_read_map *x,
                         const xa_read_clusters *c,
                         int64_t group,
                         int32_t number, /* -1: the whole group */
                         xa_cluster_facts *out);
/* What makes one look at a cluster. It says where numbers differ, not why. */
typedef enum xa_cluster_doubt {
    XA_CLUSTER_OFF_OBJECT = 1, /* at least 5 maps, whose mean share on the object is less than half
                                  of that of the group's others */
    XA_CLUSTER_WRONG = 2 /* at least 5 maps with labels, 3 wrong answers, the share of wrong ones at
                            least twice, and 20 points above, that of the others, and so many by
                            chance in less than 1 of 100 (Fisher's exact test, one-sided; not
                            adjusted for the number of clusters) */
} xa_cluster_doubt;
/* Bits of xa_cluster_doubt. */
unsigned xa_cluster_doubts(const xa_cluster_facts *cluster, const xa_cluster_facts *group);
/* A table of clusters, at most `most` groups of it, and a sentence for each doubtful cluster. */
void xa_cluster_print(FILE *out,
                      const xa_read *r,
                      const xa_read_model *m,
                      const xa_read_map *x,
                      const xa_read_clusters *c,
                      int64_t most);

#endif
