/* Arithmetic between tensors and constants. Private to model. */
#ifndef XAUDIT_MODEL_KERAS_ARITHMETIC_H
#define XAUDIT_MODEL_KERAS_ARITHMETIC_H

#include "layers.h"

typedef enum xa_karith {
    XA_KARITH_ADD,
    XA_KARITH_SUBTRACT,
    XA_KARITH_MULTIPLY,
    XA_KARITH_DIVIDE,
    XA_KARITH_MAXIMUM,
    XA_KARITH_MINIMUM
} xa_karith;

/* The call's two arguments, tensors or constants, named x/y, x1/x2, value/bias or by position. */
XA_MUST_USE xa_status xa_karith_binary(xa_ksite *s, xa_karith op, int *out, xa_err *err);
/* x op value, or value op x if reversed. */
XA_MUST_USE xa_status xa_karith_constant(
    xa_ksite *s, xa_karith op, int in, const json_t *value, bool reversed, int *out, xa_err *err);

#endif
