/* What the files that call HDF5 share. Private to the Keras loader. */
#ifndef XAUDIT_MODEL_KERAS_HDF5_OPEN_H
#define XAUDIT_MODEL_KERAS_HDF5_OPEN_H

#include <hdf5.h>

#include "xaudit/util.h"

/* HDF5's own printing is switched off between begin and end, and restored afterwards. */
typedef struct xa__kquiet {
    H5E_auto2_t function;
    void *data;
} xa__kquiet;
xa__kquiet xa__kquiet_begin(void);
void xa__kquiet_end(xa__kquiet q);
enum { XA__KREASON = 160 };
/* HDF5's innermost reason for the last failure; returns text. */
const char *xa__kreason(char text[XA__KREASON]);
/* Both return -1 on failure, also for a link that leads out of the file. */
hid_t xa__kopen_group(hid_t from, const char *path);
hid_t xa__kopen_dataset(hid_t from, const char *path);
bool xa__klink_exists(hid_t at, const char *name);

#endif
