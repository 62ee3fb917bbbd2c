/* Which tensor of the file is which weight of which layer. Private to model. */
#ifndef XAUDIT_MODEL_KERAS_BIND_H
#define XAUDIT_MODEL_KERAS_BIND_H

#include "layers.h"

/* Fills layer->tensor of every layer of the scope. A layer without its weights,
 * or weights that cannot be assigned, are errors that name layer and file. Shapes are checked when
 * the graph is built. */
XA_MUST_USE xa_status xa__kbind(xa__kfile *f, xa__kscope *scope, xa_err *err);

#endif
