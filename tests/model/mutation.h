/* Random changes of a text that is JSON or a list of names. */
#ifndef XAUDIT_TEST_MUTATION_H
#define XAUDIT_TEST_MUTATION_H

#include "xaudit/util.h"

/* Draws that are the same in every run: one stream per round. */
typedef struct mutation_dice {
    uint64_t stream, counter;
} mutation_dice;
/* A number from 0 to n - 1; 0 for n 0. */
size_t mutation_roll(mutation_dice *d, size_t n);
/* One change: a byte, bytes lost, a digit, a value in another's place, or a value that means
 * something elsewhere. The last two leave JSON valid. */
void mutation_of_text(xa_str *s, mutation_dice *d);

#endif
