/* A program that forgets a block between the start and the end of MPI: AddressSanitizer must report
 * this block and nothing of MPI's (src/comm/leak_check.c). */
#include "xaudit/comm.h"

#include <stdint.h>
#include <stdio.h>

static uintptr_t
    hidden; /* the block's address in a form that the search for pointers does not know */

int main(int argc, char **argv)
{
    xa_err err = {0};
    xa_comm *c = NULL;
    if (xa_comm_start(&argc, &argv, &c, &err) != XA_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    hidden = ~(uintptr_t)xa_alloc(4321, 1);
    xa_comm_stop(c);
    return hidden == 0;
}
