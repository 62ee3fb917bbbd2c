/* What an activation keeps for its gradient. Private to nn. */
#ifndef XAUDIT_NN_ACTIVATION_H
#define XAUDIT_NN_ACTIVATION_H

#include "../op.h"

/* A ReLU whose derivative takes two values, so that one bit an element holds it: not one with both
 * a slope and a finite maximum. */
bool xa_activation_one_bit(const xa_activation *act);
/* XA_SAVES_INPUTS or XA_SAVES_OUTPUT, what activate_back() takes; 0 for LINEAR and one-bit ReLUs.
 */
unsigned xa_activation_saves(const xa_activation *act);

#endif
