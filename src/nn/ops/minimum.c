/* minimum: y = the smallest of x0, x1, ..; of equal values the first takes the gradient; NaN wins.
 */
#include "broadcast.h"

const xa_op_def xa_op_minimum = {.name = "minimum",
                                 .min_inputs = 2,
                                 .max_inputs = -1,
                                 .infer = xa_broadcast_infer,
                                 .saves = xa_broadcast_saves_inputs,
                                 .scratch_bytes = xa_broadcast_scratch,
                                 .forward = xa_extreme_forward,
                                 .backward = xa_extreme_backward,
                                 .flops = xa_broadcast_flops};
