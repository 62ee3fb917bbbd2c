/* A model file that must be refused: with an error that names the file and the layer, at once and
 * without much memory. */
#ifndef XAUDIT_TEST_REFUSED_MODEL_H
#define XAUDIT_TEST_REFUSED_MODEL_H

#include "xaudit/util.h"

/* Golden models that tests damage. */
#define KERAS XA_TEST_DATA "/golden/keras/"
#define FUNCTIONAL KERAS "tf215/squeeze_excite.h5"
#define FUNCTIONAL3 KERAS "k3/squeeze_excite.h5"
#define SEQUENTIAL KERAS "tf215/sequential_cnn.h5"
#define NESTED KERAS "tf215/seed_nested.h5"

/* The file that a test writes; made before its first test and removed after its last one. */
extern char refused_path[];
int refused_make(void **state);
int refused_remove(void **state);
/* Opens the file. The test fails where that takes more than 10 s or 512 MiB, whatever it holds. */
xa_status refused_open(xa_err *err);
/* What is not refused as it should be is printed and counted, so that one run shows all of it. */
extern int refused_wrong;
void refused(const char *what, xa_status want, const char *layer, const char *words);

#endif
