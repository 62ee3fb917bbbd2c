/* Arithmetic between tensors and constants. Private to model. */
#ifndef XAUDIT_MODEL_KERAS_ARITHMETIC_H
#define XAUDIT_MODEL_KERAS_ARITHMETIC_H

#include "layers.h"

typedef enum xa__karith {
    XA__KARITH_ADD,
    XA__KARITH_SUBTRACT,
    XA__KARITH_MULTIPLY,
    XA__KARITH_DIVIDE,
    XA__KARITH_MAXIMUM,
    XA__KARITH_MINIMUM
} xa__karith;

/* Applies op to the call's two arguments, tensors or constants, which are named x/y, x1/x2 or
 * value/bias, or given by position. */
XA_MUST_USE xa_status xa__karith_binary(xa__ksite *s, xa__karith op, int *out, xa_err *err);
/* x op value, or value op x if reversed. */
XA_MUST_USE xa_status xa__karith_constant(
    xa__ksite *s, xa__karith op, int in, const json_t *value, bool reversed, int *out, xa_err *err);

#endif
