/* The table of operators, made from XA_OP_LIST. */
#include "op.h"

static const xa_op_def *const op_table[XA_OP_COUNT] = {
#define X(name, file) [XA_OP_##name] = &xa_op_##file,
    XA_OP_LIST(X)
#undef X
};

const xa_op_def *xa_op_get(xa_op op)
{
    return op >= 0 && op < XA_OP_COUNT ? op_table[op] : NULL;
}
