/* A model with plan, packed weights and arena, ready to run. */
#ifndef XAUDIT_TEST_MODEL_RUN_H
#define XAUDIT_TEST_MODEL_RUN_H

#include "xaudit/model.h"

typedef struct model_run {
    const xa_model *model;
    int root; /* scores before the last activation; the output of a model without a head */
    xa_plan *plan;
    void *blob, *arena;
    xa_run run;
} model_run;

/* Plans the model for `batch` images with the gradient at the input and at `nodes`, which are
 * exposed; of transformers also at their attention layers' probabilities. root -1: the head's
 * scores. */
xa_status model_run_start(xa_model *m,
                          int64_t batch,
                          xa_isa isa,
                          int root,
                          const int *nodes,
                          int nnodes,
                          model_run *out,
                          xa_err *err);
void model_run_end(model_run *r);

#endif
