/* Windows over an image: what convolutions and pools share. Private to model. */
#ifndef XAUDIT_MODEL_ONNX_WINDOW_H
#define XAUDIT_MODEL_ONNX_WINDOW_H

#include "build.h"

typedef struct xa__onnx_window {
    xa_window window; /* paddings explicit, auto_pad resolved; one spatial axis is one row */
    int64_t in[2], out[2];
    bool good; /* else the node was refused */
} xa__onnx_window;

/* kernel: where the attribute kernel_shape is absent. Input 0 is [N,C,H,W] or [N,C,L]. */
XA_MUST_USE xa_status xa__onnx_window_of(
    xa__onnx_build *b, xa__onnx_node *n, const int64_t kernel[2], xa__onnx_window *w, xa_err *err);
/* Shape of output 0. */
XA_MUST_USE xa_status xa__onnx_window_set(xa__onnx_build *b,
                                          const xa__onnx_node *n,
                                          const xa__onnx_window *w,
                                          int64_t channels,
                                          xa_err *err);
/* Input 0 as [H,W,C]. */
XA_MUST_USE xa_status xa__onnx_window_input(xa__onnx_build *b,
                                            const xa__onnx_node *n,
                                            int *node,
                                            xa_err *err);
/* Output 0 is this node of [H,W,C]. */
void xa__onnx_window_made(xa__onnx_build *b, const xa__onnx_node *n, int node);

/* A setting that is a list of `count` numbers, kept as it is where it is absent; false: another
 * number of them. */
bool xa__onnx_list_of(
    const xa__onnx *m, const xa__onnx_node *n, const char *name, int count, int64_t *list);
/* pool_any.c: infer and lower of pools of any rank and dilation. */
XA_MUST_USE xa_status xa__onnx_pool_any_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err);
XA_MUST_USE xa_status xa__onnx_pool_any_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err);

#endif
