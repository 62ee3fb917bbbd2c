/* How many units a rank gets at once, and how long a unit takes as far as measured. Pure
 * arithmetic. */
#ifndef XA_GRANT_H
#define XA_GRANT_H

#include <stdint.h>

typedef struct xa__grant_state {
    double target_seconds;
    double unit_seconds; /* of this rank; 0: not measured yet */
    double share;        /* of this rank in the speed of all, 0..1; 0: not known */
    int64_t remaining;   /* units not granted yet, >= 1 */
    int64_t previous;    /* size of the rank's last grant, 0: none */
    int64_t most;        /* upper limit, 0: none */
    int ranks;
} xa__grant_state;

/* Units to grant, 1..remaining. One as long as nothing is measured; then what fills target_seconds,
 * at most four times the grant before (a first unit of failed images looks very cheap), and at the
 * tail half of the rank's share in what remains, so that all ranks end together. */
int64_t xa__grant_units(const xa__grant_state *g);

/* A rank's part in the speed of all: `speed` is the sum of 1 / unit_seconds over the `known` ranks
 * of all that are measured; ranks not measured count as their average. 0: not known. */
double xa__share(double speed, int known, int ranks, double unit_seconds);

/* The estimate after `units` took `seconds`; old 0: none. */
double xa__unit_seconds(double old, int64_t units, double seconds);

#endif
