/* Keras architectures. The first byte chooses the file of weights, the rest is the JSON beside it.
 * A model that opens is planned. */
#include <string.h>

#include "fuzz.h"
#include "xaudit/model.h"

#define KERAS XA_TEST_DATA "/golden/keras/"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const files[] = {KERAS "tf215/sequential_cnn.h5",
                                        KERAS "tf215/residual.h5",
                                        KERAS "k3/auto_numbered.h5",
                                        KERAS "tf215/mha_keywords.h5",
                                        KERAS "k3/weights_v3.weights.h5",
                                        KERAS "tf215/scalar_functions.h5",
                                        KERAS "k3/tensor_operators.h5",
                                        KERAS "tf215/shared_model.h5"};
    if (size < 1)
        return 0;
    xa_model_options opt = xa_model_defaults();
    xa_model *m = NULL;
    xa_err err = XA_ERR_INIT;
    opt.architecture = fuzz_file(0, data + 1, size - 1);
    opt.any_output = true;
    const xa_status st = xa_model_open(files[data[0] % 8], &opt, &m, &err);
    FUZZ_ASSERT((st == XA_OK) == (m != NULL));
    if (m) {
        xa_plan *p = NULL;
        const xa_reach reach = {.input = true};
        const xa_plan_spec spec = {
            .batch = 2, .root = xa_model_output(m), .reach = &reach, .nreach = 1};
        const xa_layer *layer;
        if (xa_model_gradcam_layer(m, &layer, &err) != XA_OK)
            FUZZ_ASSERT(err.message[0]);
        if (xa_plan_create(xa_model_graph(m), &spec, &p, &err) != XA_OK)
            FUZZ_ASSERT(err.message[0]);
        xa_plan_free(p);
    } else {
        FUZZ_ASSERT(err.message[0]);
    }
    xa_model_free(m);
    return 0;
}
