/* Private to draw: what pictures of maps share. */
#ifndef XAUDIT_DRAW_OVERLAY_H
#define XAUDIT_DRAW_OVERLAY_H

#include "xaudit/draw.h"

/* SHAPE: the image is no 8-bit RGB. */
XA_MUST_USE xa_status xa__overlay_check_rgb(const xa_image *im, const char *what, xa_err *err);

#endif
