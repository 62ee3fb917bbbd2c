/* safetensors: the header, and after a NUL the config.json beside it. The data, zeros, are as long
 * as the header's largest offset says, up to a limit. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "xaudit/model.h"

enum { MOST = 1 << 26 };

static size_t data_size(const uint8_t *text, size_t size)
{
    size_t most = 0, number = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] >= '0' && text[i] <= '9' && number < MOST)
            number = number * 10 + (size_t)(text[i] - '0');
        else {
            if (text[i] == ']' && number > most && number <= MOST)
                most = number;
            number = 0;
        }
    }
    return most;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    const size_t header = end ? (size_t)(end - data) : size;
    xa_model_options opt = xa_model_defaults();
    xa_model *m = NULL;
    xa_err err = XA_ERR_INIT;
    uint8_t *whole = malloc(8 + header);
    FUZZ_ASSERT(whole);
    for (int i = 0; i < 8; i++)
        whole[i] = (uint8_t)((uint64_t)header >> (8 * i));
    if (header)
        memcpy(whole + 8, data, header);
    const char *path = fuzz_file(0, whole, 8 + header);
    fuzz_lengthen(0, 8 + header + data_size(data, header));
    free(whole);
    if (end)
        opt.architecture = fuzz_file(1, end + 1, size - header - 1);
    opt.interpolate_positions = header % 2;
    const xa_status st = xa_model_open(path, &opt, &m, &err);
    FUZZ_ASSERT((st == XA_OK) == (m != NULL));
    FUZZ_ASSERT(st == XA_OK || err.message[0]);
    xa_model_free(m);
    return 0;
}
