/* Private to model. */
#ifndef XAUDIT_MODEL_MODEL_INTERNAL_H
#define XAUDIT_MODEL_MODEL_INTERNAL_H

#include "keras_file.h"
#include "xaudit/model.h"

struct xa_model {
    char *path;
    xa_kfile *file;
    xa_graph *graph;
    int output;
    xa_head head;
    xa_shape input_shape, file_input;
    xa_layer *layers;
    int nlayers;
    char *own_scaling;
    char *origin;
    char sha256[XA_SHA256_HEX];
};

#endif
