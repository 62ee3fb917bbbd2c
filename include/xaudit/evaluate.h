/* Localisation scored anew from the maps of an archive, without a model pass.
 *
 * What comes out is an archive like its source: its tables and scores of maps are copied, its maps
 * linked, and what metrics say is made new: /localisation, /statistics, /baselines,
 * /baseline_statistics and /class_means. The same metrics give the numbers of the run itself.
 * Beside the baselines of a run it has two for every explainer <e>:
 *   <e>.shuffled     the map of another image, drawn at random, laid on this one
 *   <e>.class_mean   the mean map of the annotated class over all other images */
#ifndef XAUDIT_EVALUATE_H
#define XAUDIT_EVALUATE_H

#include "xaudit/comm.h"
#include "xaudit/manifest.h"

typedef struct xa_evaluate_options {
    const char *archive, *output;
    const char *image_root; /* of relative mask files; NULL: as the archive says */
    const char *metrics;    /* a job file, a file with a list, or a list in brackets; NULL: as the
                               archive's job has them */
    int64_t seed;           /* of what is shuffled */
    bool fresh;             /* sets an output that is there aside */
} xa_evaluate_options;

typedef struct xa_evaluated {
    int64_t pairs, scored; /* pairs: of images that are done; scored: whose region could be read */
    int64_t models, explainers, metrics;
    double map_bytes;             /* read by all ranks */
    char problem[XA_ERR_MESSAGE]; /* the first region that could not be read; "" */
    bool lost;                    /* after a failure: leave by xa_abandon */
} xa_evaluated;

/* Collective. The output is written as NAME.part and renamed when it is whole. INVALID: metrics
 * that make no sense, told through problems; BUSY: the output is there, or being written. */
XA_MUST_USE xa_status xa_evaluate(const xa_evaluate_options *opt,
                                  xa_comm *comm,
                                  xa_problems *problems,
                                  xa_evaluated *out,
                                  xa_err *err);

#endif
