/* Time. */
#include <time.h>

#include "xaudit/util.h"

static double seconds(clockid_t id)
{
    struct timespec t = {0};
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double xa_time(void)
{
    return seconds(CLOCK_MONOTONIC);
}

double xa_cpu_time(void)
{
    return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

void xa_time_iso(char out[24])
{
    time_t now = time(NULL);
    struct tm utc;
    if (!gmtime_r(&now, &utc) || strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        out[0] = '\0';
}
