/* What one core of this machine can do, as one JSON object.
 *   bench_peak [seconds]      default 1 */
#include <stdio.h>
#include <stdlib.h>

#include "xaudit/nn.h"

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? atof(argv[1]) : 1.0;
    xa_machine m;
    if (!(seconds > 0.0) || xa_machine_measure(seconds, &m, NULL) != XA_OK) {
        fprintf(stderr,
                "bench_peak: expected a number of seconds above 0, and 128 MiB of memory\n");
        return 1;
    }
    printf("{\"isa\": \"%s\", \"gflops\": %.2f, \"copy_gb\": %.2f, \"copy_streaming_gb\": %.2f, "
           "\"check\": %g}\n",
           m.isa,
           m.flops * 1e-9,
           m.copy * 1e-9,
           m.copy_streaming * 1e-9,
           m.check);
    return 0;
}
