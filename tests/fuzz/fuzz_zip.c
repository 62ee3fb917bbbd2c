/* .keras archives as bytes. */
#include "fuzz.h"
#include "xaudit/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const xa_model_options opt = xa_model_defaults();
    xa_model *m = NULL;
    xa_err err = XA_ERR_INIT;
    const xa_status st = xa_model_open(fuzz_file(0, data, size), &opt, &m, &err);
    FUZZ_ASSERT((st == XA_OK) == (m != NULL));
    FUZZ_ASSERT(st == XA_OK || err.message[0]);
    xa_model_free(m);
    return 0;
}
