/* What the files of check share: one model of a job, run on one image at a time. */
#ifndef XAUDIT_CHECK_CHECK_INTERNAL_H
#define XAUDIT_CHECK_CHECK_INTERNAL_H

#include "xaudit/check.h"

typedef struct xa__runner {
    const xa_audit_model_spec *spec; /* borrowed from the job, as `decode` is */
    const xa_decode_options *decode;
    xa_isa isa;
    xa_model *model;
    const xa_head *head;
    xa_plan *plan;
    void *weights, *arena;
    xa_run run;
    float *logits, *probs; /* [classes] of the last forward pass */
} xa__runner;
/* Opens a model of the job at the job's input size. The runner is closed by the caller, after a
 * failure too. */
XA_MUST_USE xa_status xa__runner_open(xa__runner *r, const xa_loaded *l, int model, xa_err *err);
/* Makes it ready to run. `exposed`: nodes whose values are read after a pass; `backward`: their
 * gradients and those of the input, too. */
XA_MUST_USE xa_status
xa__runner_plan(xa__runner *r, bool backward, const int *exposed, int nexposed, xa_err *err);
/* An image as the job reads it. */
XA_MUST_USE xa_status xa__runner_read(const xa__runner *r,
                                      const char *file,
                                      xa_image *out,
                                      xa_err *err);
/* An image brought to the model's input, x [h,w,c]. `scale` replaces the job's; NULL: the job's. */
XA_MUST_USE xa_status xa__runner_prepare(
    const xa__runner *r, const xa_image *im, const xa_scale *scale, float *x, xa_err *err);
/* Runs the model on xa_run_input(&r->run) and fills logits and probs. */
void xa__runner_forward(xa__runner *r);
void xa__runner_close(xa__runner *r);

/* ---- inputs.c ---- */

/* Seconds that check k takes to make one of its inputs for model m; 0: it makes none that way.
 * NOMEM.
 */
XA_MUST_USE xa_status xa__input_seconds(const xa_loaded *l, int m, int k, double *out, xa_err *err);

#endif
