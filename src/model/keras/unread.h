/* Weights of the file that no layer takes. Private to model. */
#ifndef XAUDIT_MODEL_KERAS_UNREAD_H
#define XAUDIT_MODEL_KERAS_UNREAD_H

#include "layers.h"

/* After xa__kbind: MISMATCH names the weights that no layer of the scope is bound to. The state of
 * training (optimizers, metrics) and of random generators does not change what a model computes,
 * and may stay unread. */
XA_MUST_USE xa_status xa__kunread_check(xa__kfile *f, const xa__kscope *scope, xa_err *err);

#endif
