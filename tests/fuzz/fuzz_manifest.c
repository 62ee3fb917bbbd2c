/* Native manifests. What was read is packed and unpacked, too. */
#include "fuzz.h"
#include "xaudit/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char cat[] = "cat", dog[] = "dog", one[] = "1";
    static char *names[] = {cat, dog, one};
    const xa_classes classes = {.names = names, .count = 3};
    const xa_manifest_options opt = {.classes = size % 2 ? &classes : NULL};
    xa_manifest *m = NULL, *copy = NULL;
    xa_problems problems = {0};
    xa_err err = XA_ERR_INIT;
    const xa_status st = xa_manifest_read(fuzz_file(0, data, size), &opt, &m, &problems, &err);
    if (st == XA_OK) {
        xa_str packed = {0};
        FUZZ_ASSERT(m->count > 0 && problems.errors == 0);
        FUZZ_ASSERT(xa_manifest_pack(m, 0, m->count, &packed, &err) == XA_OK);
        FUZZ_ASSERT(xa_manifest_unpack(packed.data, packed.len, &copy, &err) == XA_OK);
        FUZZ_ASSERT(copy->count == m->count);
        xa_str_free(&packed);
    } else {
        FUZZ_ASSERT(err.message[0] && !m);
    }
    xa_manifest_free(copy);
    xa_manifest_free(m);
    xa_problems_fini(&problems);
    return 0;
}
