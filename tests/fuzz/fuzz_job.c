/* Job files. The input: the job, and after a NUL `--set` values, each ended by a NUL. */
#include <string.h>

#include "fuzz.h"
#include "xaudit/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *set[4] = {NULL};
    xa_job_options opt = {.set = set};
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    const size_t text = end ? (size_t)(end - data) : size;
    for (const uint8_t *at = end; at && at + 1 < data + size && opt.nset < 4;) {
        const uint8_t *next = memchr(at + 1, 0, (size_t)(data + size - at - 1));
        if (!next)
            break;
        set[opt.nset++] = (const char *)at + 1;
        at = next;
    }
    xa_job job = {0};
    xa_problems problems = {0};
    xa_err err = XA_ERR_INIT;
    const xa_status st =
        xa_job_parse("jobs/fuzz.yaml", (const char *)data, text, &opt, &job, &problems, &err);
    if (st == XA_OK) {
        FUZZ_ASSERT(problems.errors == 0 && job.manifest && job.output);
        xa_job_fini(&job);
    } else {
        FUZZ_ASSERT(err.message[0]);
    }
    xa_problems_fini(&problems);
    return 0;
}
