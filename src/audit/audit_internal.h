/* Private to audit. */
#ifndef XAUDIT_AUDIT_INTERNAL_H
#define XAUDIT_AUDIT_INTERNAL_H

#include "xaudit/audit.h"

/* Explainers that share a backward pass: the same target rule and the same score. */
typedef struct xa_pass_group {
    xa_target_rule rule;
    int32_t target_class;
    xa_score score;
    bool as_tensorflow;
    int reach;        /* of the plan: what its own explainers need */
    int shared_reach; /* what all groups of the same score need together: one pass for equal targets
                       */
} xa_pass_group;

typedef struct xa_audit_model {
    const xa_audit_model_spec *spec;
    xa_model *model;
    xa_plan *plan;
    xa_run run;
    size_t weights_at, weight_bytes;
    xa_shape input;          /* [H,W,C] */
    int *layer_node;         /* [nexplainers], -1: input gradient only */
    char (*layer_path)[256]; /* [nexplainers] */
    xa_shape *map_shape;     /* [nexplainers] */
    int *group;              /* [nexplainers] */
    xa_pass_group *groups;
    int ngroups;
} xa_audit_model;

struct xa_audit {
    const xa_audit_spec *spec;
    xa_audit_model *models;
    int64_t unit;
    size_t weight_bytes, arena_bytes;
    xa_image *images; /* [unit] decoded samples of the unit in hand */
    float *map;       /* the largest map, f32 */
    float *seed;      /* [batch, units] of the largest model */
    int32_t *targets; /* scratch of a batch's passes */
    float *seconds;   /* [unit] */
};

/* rows.c */
xa_status xa_rows_reset(xa_rows *r, const xa_sample *samples, int64_t n, xa_err *err);
void xa_rows_fail(xa_rows *r, int model, int64_t slot, uint8_t stage, const char *message);
size_t xa_map_row_bytes(const xa_audit *a, int m, int e);
/* First map row of a slot under explainer e, and how many. */
int64_t xa_rows_first(const xa_rows *r, int m, int e, int64_t slot, int64_t *count);
/* localise.c: fills localisation of all models from peaks. */
xa_status
xa_audit_localise(const xa_audit *a, const xa_sample *samples, xa_rows *rows, xa_err *err);

#endif
