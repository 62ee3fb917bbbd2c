/* Small archives for tests of what reads archives: one model, numbers that the test gives. */
#ifndef XAUDIT_TESTS_VIEW_SMALL_ARCHIVE_H
#define XAUDIT_TESTS_VIEW_SMALL_ARCHIVE_H

#include "xaudit/view.h"

enum { SMALL_SIDE = 4 /* of maps and of the model's input */ };

/* Scores of one explainer (or baseline) by one metric. */
typedef struct small_series {
    const char *explainer, *metric;
    const char *kind;        /* NULL: `metric` is a kind, too */
    const char *conventions; /* NULL: "as told" */
    const char *from_split;  /* NULL: none */
    bool baseline;
    const double *value;    /* [pairs] */
    int levels;             /* of `hits` */
    const uint8_t *hits;    /* [pairs, levels, XA_HIT_BYTES]; NULL: none */
    const uint32_t *pixels; /* [pairs, 2, XA_PXAP_BINS]; NULL: none */
} small_series;

/* A check of one explainer's maps, one for each sample. */
typedef struct small_check {
    const char *explainer, *name, *kind, *settings;
    const char *figures, *blocks; /* "auc,minus_random", "map,random" */
    int nfigures, nblocks, points;
    const uint8_t *status; /* [samples] */
    const double *figure;  /* [samples, nfigures] */
    const float *scores;   /* [samples, nblocks, points]; NULL: none */
    const float *probs;    /* the same */
} small_check;

/* What is NULL or 0 takes the value in brackets. */
typedef struct small_archive {
    int samples, pairs, classes;
    const char *model;                                        /* [net] */
    const char *const *id;                                    /* [samples] [s0, s1, ..] */
    const char *const *group, *const *split, *const *exclude; /* [samples] [""] */
    const char *extra_name;                                   /* [no further column] */
    const char *const *extra;                                 /* [samples] */
    const char *const *class_names;                           /* [classes] [not stored] */
    const int32_t *label, *predicted;                         /* [samples] [sample % classes] */
    const uint8_t *status, *stage;                            /* [samples] [done; 0] */
    const char *const *message;                               /* [samples] [""] */
    const float *probs;                                       /* [samples, classes] [0.5] */
    const uint64_t *pixel_hash;                               /* [samples] [100 + sample] */
    const char *const *path;                                  /* [samples] ["missing.png"] */
    const int32_t *width, *height;                            /* [samples] [SMALL_SIDE] */
    const int64_t *pair_sample;                               /* [pairs] [0, 1, ..] */
    const int32_t *pair_class;                                /* [pairs] [the sample's label] */
    const double (*box)[4];                                   /* [pairs] annotated; [none] */
    const char *const *explainer;                             /* [explainers] */
    int explainers;
    const float *maps;       /* [explainers, samples, SIDE, SIDE] [0, 1, .. 15] */
    const uint8_t *flags;    /* [explainers, samples] [0] */
    const double *agreement; /* [samples] Spearman of explainers 0 and 1; [none] */
    const float *class_mean; /* [classes, SIDE, SIDE] of explainer 0; [none] */
    const small_series *series;
    int nseries;
    const small_check *checks;
    int nchecks;
    const char *job; /* [none] */
} small_archive;

/* Writes an archive; fails the test where that cannot be. */
void small_archive_write(const small_archive *s, const char *path);
/* A file name of this process in /tmp, for one of a few archives; and its end. */
const char *small_archive_name(int which);

#endif
