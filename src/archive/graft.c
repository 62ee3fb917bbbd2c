/* What a new archive takes over from another: groups and datasets as they are, map values by link.
 *
 * Only hard links are followed, and only so deep: a foreign file may run in circles. An external
 * link of the source (it was itself made from another archive) is passed on to the file that it
 * names, so that links never form a chain. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive_internal.h"

enum { DEPTH_MAX = 32, PATH_BYTES = 512 };

static bool is_values(const char *path)
{
    xa_field_kind kind;
    xa_field_names names;
    return xa_field_match(path, XA_TYPE_F32, &kind, &names) && kind == XA_FIELD_MAP_VALUES;
}

static bool is_left(const xa__graft *g, const char *path)
{
    for (int i = 0; i < g->spec->nleave; i++)
        if (strcmp(g->spec->leave[i], path) == 0)
            return true;
    return false;
}

/* ---- open ------------------------------------------------------------------------------------ */

/* What a link in `path`'s folder says to reach `file`: its name where they share the folder. */
static char *name_from(const char *path, const char *file)
{
    struct stat a, b;
    char *here = xa_path_folder(path), *there = xa_path_folder(file), *name = NULL;
    const char *slash = strrchr(file, '/');
    if (here && there && stat(here, &a) == 0 && stat(there, &b) == 0 && a.st_dev == b.st_dev &&
        a.st_ino == b.st_ino)
        name = xa_strdup(slash ? slash + 1 : file);
    else
        name = realpath(file, NULL);
    free(here);
    free(there);
    return name;
}

static herr_t count_values(hid_t root, const char *name, const H5O_info_t *info, void *arg)
{
    size_t *bytes = arg;
    char path[PATH_BYTES];
    if (info->type != H5O_TYPE_DATASET ||
        (size_t)snprintf(path, sizeof path, "/%s", name) >= sizeof path || !is_values(path))
        return 0;
    hid_t dataset = H5Dopen2(root, name, H5P_DEFAULT);
    if (dataset >= 0)
        *bytes += (size_t)H5Dget_storage_size(dataset);
    xa__close_dataset(&dataset);
    return 0;
}

xa_status xa__graft_open(xa__graft *g, const xa_graft *spec, const char *path, xa_err *err)
{
    xa_status st = XA_OK;
    const char *source = spec->source;
    hsize_t size = 0;
    size_t values = 0;
    *g = (xa__graft){.file = -1, .spec = spec};
    XA_TRY(err, xa__open_serial(source, H5F_ACC_RDONLY, &g->file, err));
    if (H5Fget_filesize(g->file, &size) < 0 ||
        H5Ovisit2(g->file, H5_INDEX_NAME, H5_ITER_NATIVE, count_values, &values, H5O_INFO_BASIC) <
            0)
        XA_H5_FAIL(err, XA_FORMAT, "%s: cannot look through it", source);
    values = spec->link ? values : 0;
    g->bytes = (size_t)size > values ? (size_t)size - values : 0;
    g->link = name_from(path, source);
    if (!g->link)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", source);
done:
    return st;
}

void xa__graft_close(xa__graft *g)
{
    if (g->file >= 0)
        (void)H5Fclose(g->file);
    free(g->link);
    *g = (xa__graft){.file = -1};
}

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct taker {
    const xa__graft *graft;
    hid_t to;
    const char *path; /* "" for the root */
} taker;

static bool is_left_attribute(const taker *t, const char *name)
{
    const size_t n = strlen(t->path);
    for (int i = 0; i < t->graft->spec->nleave; i++) {
        const char *leave = t->graft->spec->leave[i];
        const size_t skip = n > 0 ? n : 1; /* "/@name" */
        if (strncmp(leave, n > 0 ? t->path : "/", skip) == 0 && leave[skip] == '@' &&
            strcmp(leave + skip + 1, name) == 0)
            return true;
    }
    return false;
}

static herr_t copy_attribute(hid_t from, const char *name, const H5A_info_t *info, void *arg)
{
    const taker *t = arg;
    const hid_t to = t->to;
    hid_t a = -1, b = -1, type = -1, space = -1;
    void *values = NULL;
    herr_t rc = -1;
    if (H5Aexists(to, name) > 0 || is_left_attribute(t, name))
        return 0;
    if (info->data_size > ((hsize_t)1 << 24))
        return -1;
    a = H5Aopen(from, name, H5P_DEFAULT);
    type = a >= 0 ? H5Aget_type(a) : -1;
    space = a >= 0 ? H5Aget_space(a) : -1;
    /* variable-length texts are pointers in memory */
    const size_t item = type >= 0 ? H5Tget_size(type) : 0;
    const hssize_t n = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    size_t bytes;
    if (n < 0 || !xa_size_mul(item, (size_t)n, &bytes) || bytes > ((size_t)1 << 26))
        goto done;
    values = xa_alloc(bytes + 1, 1);
    b = H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (values && b >= 0 &&
        (n == 0 || (H5Aread(a, type, values) >= 0 && H5Awrite(b, type, values) >= 0)))
        rc = 0;
    if (rc == 0 && n > 0 && H5Tis_variable_str(type) > 0)
        (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, values);
done:
    free(values);
    xa__close_attribute(&a);
    xa__close_attribute(&b);
    xa__close_type(&type);
    xa__close_space(&space);
    return rc;
}

/* ---- objects --------------------------------------------------------------------------------- */

/* An external link of the source, as the new file must say it. */
static xa_status pass_link(
    const xa__graft *g, hid_t group, const char *name, hid_t file, const char *path, xa_err *err)
{
    xa_status st = XA_OK;
    H5L_info_t info;
    char *text = NULL, *beside = NULL;
    const char *target, *object;
    unsigned flags;
    if (H5Lget_info(group, name, &info, H5P_DEFAULT) < 0 || info.u.val_size > 65536)
        XA_H5_FAIL(err, XA_FORMAT, "%s: %s: a link that cannot be read", g->spec->source, path);
    text = xa_alloc(info.u.val_size + 1, 1);
    if (!text)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", g->spec->source);
    if (H5Lget_val(group, name, text, info.u.val_size, H5P_DEFAULT) < 0 ||
        H5Lunpack_elink_val(text, info.u.val_size, &flags, &target, &object) < 0)
        XA_H5_FAIL(err, XA_FORMAT, "%s: %s: a link that cannot be read", g->spec->source, path);
    /* names are relative to the file that holds the link; ours lies where g->link says */
    if (target[0] != '/' && strchr(g->link, '/')) {
        const char *slash = strrchr(g->link, '/');
        beside = xa_strfmt("%.*s/%s", (int)(slash - g->link), g->link, target);
        if (!beside)
            XA_FAIL(err, XA_NOMEM, "%s: out of memory", g->spec->source);
    }
    if (H5Lcreate_external(beside ? beside : target, object, file, path, H5P_DEFAULT, H5P_DEFAULT) <
        0)
        XA_H5_FAIL(err, XA_IO, "%s: cannot link to %s", path, target);
done:
    free(text);
    free(beside);
    return st;
}

typedef struct place {
    const xa__graft *graft;
    hid_t file;
    char path[PATH_BYTES]; /* of the group; "" the root */
    int depth;
    xa_status st;
    xa_err *err;
} place;

static xa_status put_group(place *p, hid_t group, xa_err *err);

static xa_status put_object(place *p, hid_t group, const char *name, xa_err *err)
{
    xa_status st = XA_OK;
    const xa__graft *g = p->graft;
    H5O_info_t about;
    hid_t object = H5Oopen(group, name, H5P_DEFAULT), made = -1;
    if (object < 0 || H5Oget_info2(object, &about, H5O_INFO_BASIC) < 0)
        XA_H5_FAIL(err, XA_FORMAT, "%s: cannot open %s", g->spec->source, p->path);
    const bool there = H5Lexists(p->file, p->path, H5P_DEFAULT) > 0;
    const bool is_group = about.type == H5O_TYPE_GROUP;
    if (is_group && p->depth >= DEPTH_MAX)
        XA_FAIL(err, XA_LIMIT, "%s: %s: groups too deep", g->spec->source, p->path);
    if (is_group && !there)
        made = H5Gcreate2(p->file, p->path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    else if (there)
        made = H5Oopen(p->file, p->path, H5P_DEFAULT);
    if ((is_group || there) && made < 0)
        XA_H5_FAIL(err, XA_IO, "%s: cannot make it", p->path);
    if (is_group || there) {
        taker t = {g, made, p->path};
        if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, copy_attribute, &t) < 0)
            XA_H5_FAIL(err, XA_IO, "%s: cannot copy its attributes", p->path);
    }
    if (is_group) {
        p->depth++;
        XA_TRY(err, put_group(p, object, err));
        p->depth--;
    } else if (about.type == H5O_TYPE_DATASET && !there) {
        if (g->spec->link && is_values(p->path)) {
            if (H5Lcreate_external(g->link, p->path, p->file, p->path, H5P_DEFAULT, H5P_DEFAULT) <
                0)
                XA_H5_FAIL(err, XA_IO, "%s: cannot link to %s", p->path, g->link);
        } else if (H5Ocopy(group, name, p->file, p->path, H5P_DEFAULT, H5P_DEFAULT) < 0) {
            XA_H5_FAIL(err, XA_IO, "%s: cannot copy it from %s", p->path, g->spec->source);
        }
    }
done:
    xa__close_object(&made);
    xa__close_object(&object);
    return st;
}

static herr_t put_member(hid_t group, const char *name, const H5L_info_t *info, void *arg)
{
    place *p = arg;
    const size_t length = strlen(p->path), n = strlen(name);
    if (length + 1 + n >= sizeof p->path)
        return 0;
    p->path[length] = '/';
    memcpy(p->path + length + 1, name, n + 1);
    if (!is_left(p->graft, p->path)) {
        if (info->type == H5L_TYPE_HARD)
            p->st = put_object(p, group, name, p->err);
        else if (info->type == H5L_TYPE_EXTERNAL && is_values(p->path))
            p->st = pass_link(p->graft, group, name, p->file, p->path, p->err);
    }
    p->path[length] = '\0';
    return p->st == XA_OK ? 0 : -1;
}

static xa_status put_group(place *p, hid_t group, xa_err *err)
{
    xa_status st = XA_OK;
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, put_member, p) < 0) {
        XA_TRY(err, p->st);
        XA_H5_FAIL(err, XA_FORMAT, "%s: cannot list %s/", p->graft->spec->source, p->path);
    }
done:
    return st;
}

xa_status xa__graft_put(const xa__graft *g, hid_t file, xa_err *err)
{
    xa_status st = XA_OK;
    place p = {.graft = g, .file = file, .err = err};
    hid_t root = H5Gopen2(g->file, "/", H5P_DEFAULT), to = H5Gopen2(file, "/", H5P_DEFAULT);
    taker t = {g, to, ""};
    if (root < 0 || to < 0 ||
        H5Aiterate2(root, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, copy_attribute, &t) < 0)
        XA_H5_FAIL(err, XA_IO, "cannot copy the attributes of %s", g->spec->source);
    XA_TRY(err, put_group(&p, root, err));
done:
    xa__close_object(&root);
    xa__close_object(&to);
    return st;
}
