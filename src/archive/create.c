/* Creating an archive: the first half of the crash protocol (archive.h). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_internal.h"

/* Room on the disk first: a full disk is found before HDF5 has anything to write, since a library
 * that cannot write its metadata does not even close cleanly. */
static xa_status probe_room(const char *temp, const char *path, size_t size, xa_err *err)
{
    xa_status st = XA_OK;
    bool reserved = false;
    int fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        XA_FAIL(err, xa__errno_status(errno), "cannot create %s: %s", temp, strerror(errno));
    XA_TRY(err, xa__reserve(fd, size, &reserved, err));
    if (!reserved)
        xa_log(XA_LOG_WARN,
               "%s: its file system cannot reserve room; should others fill the disk, the run will "
               "stop",
               path);
    if (ftruncate(fd, 0) != 0)
        XA_FAIL(err, XA_IO, "cannot truncate %s: %s", temp, strerror(errno));
done:
    if (fd >= 0)
        close(fd);
    return st;
}

/* ---- layout ---------------------------------------------------------------------------------- */

static xa_status put_attribute(hid_t object,
                               const char *path,
                               const char *name,
                               hid_t file_type,
                               hid_t memory_type,
                               int64_t n,
                               const void *values,
                               xa_err *err)
{
    xa_status st = XA_OK;
    hid_t space = -1, attr = -1;
    hsize_t extent = (hsize_t)n;
    space = n == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &extent, NULL);
    if (space >= 0)
        attr = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attr < 0 || (n > 0 && H5Awrite(attr, memory_type, values) < 0))
        XA_H5_FAIL(err, XA_IO, "%s: cannot write the attribute %s", path, name);
done:
    xa__close_attribute(&attr);
    xa__close_space(&space);
    return st;
}

static xa_status
put_text(hid_t object, const char *path, const char *name, const char *text, xa_err *err)
{
    size_t n = strlen(text);
    hid_t type = xa__type_open(XA_TYPE_STR, n > 0 ? n : 1, false);
    xa_status st = put_attribute(object, path, name, type, type, 1, text, err);
    xa__close_type(&type);
    return st == XA_OK ? XA_OK : XA_ERR_PASS(err, st);
}

static xa_status
create_dataset(hid_t file, hid_t links, hid_t creation, const xa__field *f, xa_err *err)
{
    xa_status st = XA_OK;
    const xa_field_def *info = xa_field_get(f->kind);
    hid_t type = -1, space = -1, dataset = -1;
    hsize_t dim[5];
    for (int d = 0; d < f->ndim; d++)
        dim[d] = (hsize_t)f->dim[d];
    type = xa__type_open(f->type, f->item_bytes, false);
    space = H5Screate_simple(f->ndim, dim, NULL);
    if (type >= 0 && space >= 0)
        dataset = H5Dcreate2(file, f->path, type, space, links, creation, H5P_DEFAULT);
    if (dataset < 0)
        XA_H5_FAIL(err, XA_IO, "%s: cannot create the dataset", f->path);
    XA_TRY(err, put_text(dataset, f->path, "unit", info->unit, err));
    XA_TRY(err, put_text(dataset, f->path, "description", info->description, err));
done:
    xa__close_dataset(&dataset);
    xa__close_space(&space);
    xa__close_type(&type);
    return st;
}

/* Opens a group or dataset, or makes the group. */
static hid_t open_object(hid_t file, hid_t links, const char *path)
{
    hid_t object = H5Oopen(file, path, H5P_DEFAULT);
    return object >= 0 ? object : H5Gcreate2(file, path, links, H5P_DEFAULT, H5P_DEFAULT);
}

static xa_status create_attribute(hid_t file, hid_t links, const xa__attr *a, xa_err *err)
{
    xa_status st = XA_OK;
    hid_t file_type = -1, memory_type = -1;
    hid_t object = open_object(file, links, a->path);
    if (object < 0)
        XA_H5_FAIL(err, XA_IO, "%s: cannot open it for its attribute %s", a->path, a->name);
    xa_type t = a->kind == XA__ATTR_I64   ? XA_TYPE_I64
                : a->kind == XA__ATTR_F64 ? XA_TYPE_F64
                                          : XA_TYPE_STR;
    file_type = xa__type_open(t, a->item_bytes, false);
    memory_type = xa__type_open(t, a->item_bytes, true);
    XA_TRY(err,
           put_attribute(object, a->path, a->name, file_type, memory_type, a->n, a->values, err));
done:
    xa__close_type(&memory_type);
    xa__close_type(&file_type);
    xa__close_object(&object);
    return st;
}

/* What makes the file an archive, where the program has not said it. */
static xa_status root_attributes(hid_t file, const xa_schema *s, xa_err *err)
{
    xa_status st = XA_OK;
    char version[32];
    char now[24];
    const struct {
        const char *name, *text;
    } list[] = {{"format", "xaudit"}, {"format_version", version}, {"created", now}};
    snprintf(version, sizeof version, "%d.%d", XA_FORMAT_MAJOR, XA_FORMAT_MINOR);
    xa_time_iso(now);
    hid_t root = H5Gopen2(file, "/", H5P_DEFAULT);
    if (root < 0)
        XA_H5_FAIL(err, XA_IO, "cannot open the root group");
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        bool given = false;
        for (size_t k = 0; k < s->nattrs && !given; k++)
            given = strcmp(s->attr[k].path, "/") == 0 && strcmp(s->attr[k].name, list[i].name) == 0;
        if (!given)
            XA_TRY(err, put_text(root, "/", list[i].name, list[i].text, err));
    }
done:
    xa__close_object(&root);
    return st;
}

static xa_status lay_out(hid_t file, const xa_schema *s, xa_err *err)
{
    xa_status st = XA_OK;
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    if (creation < 0 || links < 0 || H5Pset_layout(creation, H5D_CONTIGUOUS) < 0 ||
        H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY) < 0 ||
        H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER) < 0 ||
        H5Pset_obj_track_times(creation, false) < 0 ||
        H5Pset_create_intermediate_group(links, 1) < 0 ||
        H5Pset_char_encoding(links, H5T_CSET_UTF8) < 0)
        XA_H5_FAIL(err, XA_IO, "cannot set how datasets are stored");
    XA_TRY(err, root_attributes(file, s, err));
    for (size_t i = 0; i < s->nfields; i++)
        XA_TRY(err, create_dataset(file, links, creation, &s->field[i], err));
    for (size_t i = 0; i < s->nattrs; i++)
        XA_TRY(err, create_attribute(file, links, &s->attr[i], err));
done:
    xa__close_plist(&links);
    xa__close_plist(&creation);
    return st;
}

/* ---- contents -------------------------------------------------------------------------------- */

/* Data known at creation, or the initial value, in pieces of this size at most (or one row). */
enum { PIECE = 4 << 20 };

static xa_status write_contents(hid_t file, const xa__field *f, xa_err *err)
{
    xa_status st = XA_OK;
    xa__rows rows;
    unsigned char *fill = NULL;
    if (f->dim[0] == 0 || f->row_bytes == 0 ||
        (!f->data && xa_field_initial(f->kind) == XA_INITIAL_RAW))
        return XA_OK;
    XA_RETURN_TRY(err, xa__rows_open(file, f->path, XA__NATIVE, &rows, err));
    int64_t step = rows.count;
    if (!f->data) {
        const int64_t few = f->row_bytes < PIECE ? (int64_t)(PIECE / f->row_bytes) : 1;
        step = few < step ? few : step;
        fill = xa_alloc((size_t)step, f->row_bytes);
        if (!fill)
            XA_FAIL(err, XA_NOMEM, "%s: out of memory for its initial values", f->path);
        const size_t items = (size_t)step * (f->row_bytes / f->item_bytes);
        xa_field_fill(f->kind, f->type, fill, items, f->item_bytes);
    }
    for (int64_t first = 0; first < rows.count; first += step) {
        const int64_t left = rows.count - first;
        int64_t at = first;
        if (!xa__rows_move(
                &rows, first, left < step ? left : step, NULL, f->data ? f->data : fill, &at))
            XA_H5_FAIL(err, XA_IO, "%s: cannot write from row %" PRId64 " on", f->path, at);
    }
done:
    free(fill);
    xa__rows_close(&rows);
    return st;
}

/* ---- the protocol ---------------------------------------------------------------------------- */

static hid_t create_access(void)
{
    hid_t access = xa__serial_access();
    if (access >= 0 && H5Pset_alignment(access, XA__ALIGNMENT, XA__ALIGNMENT) < 0)
        xa__close_plist(&access);
    return access;
}

/* Reserves the file's whole size, after its datasets have their places. */
static xa_status reserve_file(int fd, hid_t file, xa_err *err)
{
    xa_status st = XA_OK;
    hsize_t size = 0;
    bool reserved = false;
    if (H5Fflush(file, H5F_SCOPE_LOCAL) < 0 || H5Fget_filesize(file, &size) < 0)
        XA_H5_FAIL(err, XA_IO, "cannot write the layout");
    XA_TRY(err, xa__reserve(fd, (size_t)size, &reserved, err));
done:
    return st;
}

static xa_status write_file(
    const char *temp, const xa_schema *schema, const xa__graft *grafts, int ngrafts, xa_err *err)
{
    xa_status st = XA_OK;
    hid_t access = -1, file = -1;
    int fd = -1;

    access = create_access();
    if (access >= 0)
        file = H5Fcreate(temp, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    if (file < 0)
        XA_H5_FAIL(err, XA_IO, "cannot create %s", temp);
    fd = open(temp, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        XA_FAIL(err, xa__errno_status(errno), "cannot open %s: %s", temp, strerror(errno));
    XA_TRY(err, lay_out(file, schema, err));
    for (int i = 0; i < ngrafts; i++)
        XA_TRY(err, xa__graft_put(&grafts[i], file, err));
    XA_TRY(err, reserve_file(fd, file, err));
    for (size_t i = 0; i < schema->nfields; i++)
        XA_TRY(err, write_contents(file, &schema->field[i], err));
    hid_t closing = file;
    file = -1;
    if (H5Fclose(closing) < 0)
        XA_H5_FAIL(err, XA_IO, "cannot close %s", temp);
    if (fsync(fd) != 0)
        XA_FAIL(err, xa__errno_status(errno), "cannot sync %s: %s", temp, strerror(errno));
done:
    if (file >= 0)
        (void)H5Fclose(file);
    xa__close_plist(&access);
    if (fd >= 0 && close(fd) != 0 && st == XA_OK)
        st = XA_ERR(err, xa__errno_status(errno), "cannot close %s: %s", temp, strerror(errno));
    return st;
}

static xa_status
create(const char *path, const xa_schema *schema, const xa__graft *grafts, int ngrafts, xa_err *err)
{
    xa_status st = XA_OK;
    char *temp = NULL;
    bool ours = false;
    xa__quiet quiet;
    xa__quiet_begin(&quiet);

    size_t size = xa_schema_bytes(schema);
    for (int i = 0; i < ngrafts; i++)
        if (!xa_size_add(size, grafts[i].bytes, &size))
            size = SIZE_MAX;
    if (size > INT64_MAX)
        XA_FAIL(err, XA_LIMIT, "the archive would be beyond what a file can hold");
    XA_TRY(err, xa__check_place(path, size, err));
    xa__remove_stale(path);
    temp = xa__temp_name(path);
    if (!temp)
        XA_FAIL(err, XA_NOMEM, "no memory");
    ours = true;
    XA_TRY(err, probe_room(temp, path, size, err));
    XA_TRY(err, write_file(temp, schema, grafts, ngrafts, err));
    XA_TRY(err, xa__publish(temp, path, err));
    ours = false;
done:
    if (ours)
        (void)unlink(temp);
    free(temp);
    if (st != XA_OK)
        xa_err_prefix(err, "%s", path);
    xa__quiet_end(&quiet);
    return st;
}

xa_status xa_archive_create(const char *path, const xa_schema *schema, xa_err *err)
{
    return create(path, schema, NULL, 0, err);
}

xa_status xa_archive_create_from(
    const char *path, const xa_schema *schema, const xa_graft *grafts, int ngrafts, xa_err *err)
{
    xa_status st = XA_OK;
    int opened = 0;
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    xa__graft *open = xa_alloc((size_t)ngrafts + 1, sizeof *open);
    if (!open)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", path);
    for (; opened < ngrafts; opened++)
        XA_TRY(err, xa__graft_open(&open[opened], &grafts[opened], path, err));
    XA_TRY(err, create(path, schema, open, ngrafts, err));
done:
    for (int i = 0; open && i <= opened && i < ngrafts; i++)
        xa__graft_close(&open[i]);
    free(open);
    xa__quiet_end(&quiet);
    return st;
}

xa_status xa_archive_rename(const char *from, const char *to, xa_err *err)
{
    const xa_status st = xa__publish(from, to, err);
    if (st != XA_OK)
        xa_err_prefix(err, "%s", to);
    return st;
}
