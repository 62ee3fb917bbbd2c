/* ONNX: the file's bytes. What opens has weights that can be read. */
#include <stdlib.h>

#include "fuzz.h"
#include "xaudit/model.h"

enum { MOST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    xa_model_options opt = xa_model_defaults();
    xa_model *m = NULL;
    xa_err err = XA_ERR_INIT;
    opt.any_output = size % 2;
    const char *path = fuzz_file(0, data, size);
    const xa_status st = xa_model_open(path, &opt, &m, &err);
    FUZZ_ASSERT((st == XA_OK) == (m != NULL));
    FUZZ_ASSERT(st == XA_OK || err.message[0]);
    for (int i = 0; m && i < xa_graph_weights(xa_model_graph(m)); i++) {
        const xa_weight *w = xa_graph_weight(xa_model_graph(m), i);
        const int64_t n = xa_shape_count(&w->shape);
        if (w->literal || n > MOST)
            continue;
        float *values = malloc((size_t)n * sizeof *values);
        FUZZ_ASSERT(values);
        const xa_weight_reader r = xa_model_reader(m);
        if (r.read(r.arg, w, values, &err) != XA_OK)
            FUZZ_ASSERT(err.message[0]);
        free(values);
    }
    xa_model_free(m);
    return 0;
}
