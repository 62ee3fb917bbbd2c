/* Scores the maps of an archive again, with other metrics or the same ones, without a model.
 *
 * The result is an archive like its source. The source's tables and scores of maps are copied, its
 * maps are linked, and everything that the metrics give is made new: /localisation, /statistics,
 * /baselines, /baseline_statistics and /class_means. The metrics of the source's own job give the
 * numbers of its run again. In addition to the baselines of a run there are two for every explainer
 * <e>:
 *
 *   <e>.shuffled     the map of another image, drawn at random, laid on this one
 *   <e>.class_mean   the mean map of the annotated class over all other images */
#ifndef XAUDIT_EVALUATE_H
#define XAUDIT_EVALUATE_H

#include "xaudit/comm.h"
#include "xaudit/manifest.h"

/* All texts are borrowed. */
typedef struct xa_evaluate_options {
    const char *archive, *output;
    const char
        *image_root;     /* folder of mask files with a relative path; NULL: as the archive says */
    const char *metrics; /* a job file, a file with a list, or a list in brackets; NULL: those of
                            the archive's job */
    int64_t seed;        /* of the shuffled maps */
    bool fresh;          /* an existing output is renamed (xa_set_aside) */
} xa_evaluate_options;

typedef struct xa_evaluated {
    int64_t pairs;  /* pairs of image and class whose image is done */
    int64_t scored; /* those whose region could be read */
    int64_t models, explainers, metrics;
    double map_bytes;             /* that all ranks read */
    char problem[XA_ERR_MESSAGE]; /* why the first region could not be read; "" if all could */
    bool lost;                    /* after a failure: the caller must leave with xa_abandon */
} xa_evaluated;

/* Collective over comm; all ranks return the same status. The output is written as NAME.part and
 * renamed when it is complete; the source is only read.
 *
 * INVALID: the metrics make no sense (the mistakes are among the problems of rank 0). BUSY: the
 * output exists, or somebody is writing it. NOT_FOUND, FORMAT: the source cannot be read. MISMATCH:
 * a mask is not the one that the source was scored with. */
XA_MUST_USE xa_status xa_evaluate(const xa_evaluate_options *opt,
                                  xa_comm *comm,
                                  xa_problems *problems,
                                  xa_evaluated *out,
                                  xa_err *err);

#endif
