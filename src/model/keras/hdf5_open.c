/* HDF5 objects of one file, without HDF5's own printing. */
#include "hdf5_open.h"

#include <stdio.h>

xa__kquiet xa__kquiet_begin(void)
{
    xa__kquiet q = {NULL, NULL};
    H5Eget_auto2(H5E_DEFAULT, &q.function, &q.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return q;
}

void xa__kquiet_end(xa__kquiet q)
{
    H5Eset_auto2(H5E_DEFAULT, q.function, q.data);
}

static herr_t first_reason(unsigned n, const H5E_error2_t *e, void *arg)
{
    char *text = arg;
    if (n == 0 && e->desc)
        xa_str_sanitise(e->desc, text, XA__KREASON);
    return 0;
}

const char *xa__kreason(char text[XA__KREASON])
{
    snprintf(text, XA__KREASON, "no reason given");
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first_reason, text);
    return text;
}

/* Refuses links out of the file, since a model is one file. */
static herr_t refuse_external(const char *parent_file,
                              const char *parent_group,
                              const char *child_file,
                              const char *child_object,
                              unsigned *flags, /* NOLINT(readability-non-const-parameter): HDF5's */
                              hid_t fapl,
                              void *arg)
{
    (void)parent_file;
    (void)parent_group;
    (void)child_file;
    (void)child_object;
    (void)flags;
    (void)fapl;
    (void)arg;
    return -1;
}

/* An access list of that class, which refuses links out of the file; -1 on failure. */
static hid_t one_file(hid_t class)
{
    const hid_t list = H5Pcreate(class);
    if (list >= 0 && H5Pset_elink_cb(list, refuse_external, NULL) >= 0)
        return list;
    if (list >= 0)
        H5Pclose(list);
    return -1;
}

hid_t xa__kopen_group(hid_t from, const char *path)
{
    const hid_t list = one_file(H5P_GROUP_ACCESS);
    const hid_t group = list < 0 ? -1 : H5Gopen2(from, path, list);
    if (list >= 0)
        H5Pclose(list);
    return group;
}

hid_t xa__kopen_dataset(hid_t from, const char *path)
{
    const hid_t list = one_file(H5P_DATASET_ACCESS);
    const hid_t dataset = list < 0 ? -1 : H5Dopen2(from, path, list);
    if (list >= 0)
        H5Pclose(list);
    return dataset;
}

bool xa__klink_exists(hid_t at, const char *name)
{
    return H5Lexists(at, name, H5P_DEFAULT) > 0;
}
