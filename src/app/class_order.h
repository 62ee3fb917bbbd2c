/* Whether predictions fit the labels far better under another order of the class names.
 *
 * Rule. Images are split in two halves, label by label. From one half every label gets the class
 * that is predicted for it, no class twice, the most frequent pairs first; the other half tells how
 * often that holds, and the other way round. Of the labels that move (their class is not their own
 * in both halves, and the same in both) it is said when
 *   - two labels move at least,
 *   - at least 60 % of their images hold (each counted in the half that did not choose), and
 *   - at most 20 % are right as written, and
 *   - of the images that are given these classes at least 60 % have these labels, and
 *   - so many holding is less than 1 in 1000 by chance: a binomial tail at the share of the most
 *     frequent label among them.
 * A model that is merely bad spreads its answers or gives one class for all, and passes none of
 * this.
 */
#ifndef XAUDIT_APP_CLASS_ORDER_H
#define XAUDIT_APP_CLASS_ORDER_H

#include "xaudit/util.h"

/* An image with one label, and what was predicted for it. */
typedef struct xa_answer {
    int32_t label, predicted;
} xa_answer;

typedef struct xa_answers {
    xa_answer *item;
    size_t count, cap;
} xa_answers;
XA_MUST_USE xa_status xa_answers_add(xa_answers *a, int32_t label, int32_t predicted, xa_err *err);
void xa_answers_free(xa_answers *a);

typedef struct xa_class_order {
    xa_answer *moved; /* [nmoved] label and the class predicted for it, by label; owned */
    int64_t nmoved;
    int64_t images;      /* with a label that moves */
    int64_t held, right; /* of them under the other order, and as written */
} xa_class_order;

/* nmoved is 0 when the rule finds no other order. Sorts the answers. */
XA_MUST_USE xa_status xa_class_order_find(xa_answers *a, xa_class_order *out, xa_err *err);
void xa_class_order_free(xa_class_order *o);

/* "cat <-> dog; a -> b, b -> c, c -> a", at most six of them; name gives a class' name. */
void xa_class_order_text(const xa_class_order *o,
                         const char *(*name)(void *arg, int32_t c, char *buffer, size_t size),
                         void *arg,
                         xa_str *out);

#endif
