/* Listing groups, and visiting every dataset. */
#include <stdlib.h>
#include <string.h>

#include "archive_internal.h"

/* Links of a foreign file may run in circles or multiply: both end. */
enum { DEPTH_MAX = 32, MEMBERS_MAX = 1 << 20 };

typedef struct names {
    char **item;
    size_t n, cap;
    xa_status st;
    xa_err *err;
} names;

static herr_t collect(hid_t group, const char *name, const H5L_info_t *info, void *arg)
{
    names *list = arg;
    (void)group;
    (void)info;
    list->st = list->n < MEMBERS_MAX
                   ? xa_grow(&list->item, &list->cap, list->n + 1, sizeof *list->item, list->err)
                   : XA_ERR(list->err, XA_LIMIT, "more than %d members", (int)MEMBERS_MAX);
    if (list->st != XA_OK)
        return -1;
    list->item[list->n] = xa_strdup(name);
    if (!list->item[list->n]) {
        list->st = XA_NOMEM;
        return -1;
    }
    list->n++;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static xa_status list_group(hid_t group, const char *path, names *out, xa_err *err)
{
    xa_status st = XA_OK;
    names list = {.item = NULL, .err = err};
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, collect, &list) < 0) {
        XA_TRY(err, list.st);
        XA_H5_FAIL(err, XA_FORMAT, "%s: cannot list its members", path);
    }
    if (list.n > 1)
        qsort(list.item, list.n, sizeof *list.item, compare);
    *out = list;
    list.item = NULL;
    list.n = 0;
done:
    xa_texts_free(list.item, (int64_t)list.n);
    return st;
}

xa_status xa_archive_list(xa_archive *a, const char *group, char ***out, int64_t *n, xa_err *err)
{
    xa_status st = XA_OK;
    names list = {.item = NULL};
    hid_t id = -1;
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    id = H5Gopen2(a->file, group, H5P_DEFAULT);
    if (id < 0)
        XA_FAIL(err, XA_NOT_FOUND, "no group %s", group);
    XA_TRY(err, list_group(id, group, &list, err));
    if (!list.item && !(list.item = xa_alloc(1, sizeof *list.item)))
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", group);
    *out = list.item;
    *n = (int64_t)list.n;
done:
    xa__close_object(&id);
    if (st != XA_OK)
        xa_err_prefix(err, "%s", a->path);
    xa__quiet_end(&quiet);
    return st;
}

/* ---- walk ------------------------------------------------------------------------------------ */

typedef struct walk {
    xa_status (*visit)(void *arg, const xa_dataset_info *info, xa_err *err);
    void *arg;
    int64_t members;
    int depth;
    /* The groups from the root down: one that comes again below itself is a circle. */
    struct {
        unsigned long file;
        haddr_t address;
    } above[DEPTH_MAX];
    char path[sizeof((xa_dataset_info *)0)->path];
} walk;

static xa_status walk_group(walk *w, hid_t group, size_t length, xa_err *err);

static bool is_circle(const walk *w, const H5O_info_t *info)
{
    for (int i = 0; i < w->depth; i++)
        if (w->above[i].file == info->fileno && w->above[i].address == info->addr)
            return true;
    return false;
}

/* One member, whose path stands in w->path. What cannot be opened (a link to a file that is not
 * there) or described is left out. */
static xa_status walk_member(walk *w, hid_t group, const char *name, size_t length, xa_err *err)
{
    xa_status st = XA_OK;
    H5O_info_t about;
    xa_dataset_info info;
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0 || H5Oget_info2(object, &about, H5O_INFO_BASIC) < 0)
        goto done;
    if (about.type == H5O_TYPE_DATASET) {
        if (xa__describe(object, w->path, &info))
            XA_TRY(err, w->visit(w->arg, &info, err));
    } else if (about.type == H5O_TYPE_GROUP && w->depth < DEPTH_MAX && !is_circle(w, &about)) {
        w->above[w->depth].file = about.fileno;
        w->above[w->depth].address = about.addr;
        w->depth++;
        XA_TRY(err, walk_group(w, object, length, err));
        w->depth--;
    }
done:
    xa__close_object(&object);
    return st;
}

static xa_status walk_group(walk *w, hid_t group, size_t length, xa_err *err)
{
    xa_status st = XA_OK;
    names list = {.item = NULL};
    XA_TRY(err, list_group(group, length > 0 ? w->path : "/", &list, err));
    for (size_t i = 0; i < list.n; i++) {
        if (++w->members > MEMBERS_MAX)
            XA_FAIL(err, XA_LIMIT, "more than %d groups and datasets", (int)MEMBERS_MAX);
        const size_t n = strlen(list.item[i]);
        if (length + 1 + n >= sizeof w->path)
            continue;
        w->path[length] = '/';
        memcpy(w->path + length + 1, list.item[i], n + 1);
        XA_TRY(err, walk_member(w, group, list.item[i], length + 1 + n, err));
    }
    w->path[length] = '\0';
done:
    xa_texts_free(list.item, (int64_t)list.n);
    return st;
}

xa_status xa_archive_walk(xa_archive *a,
                          xa_status (*visit)(void *arg, const xa_dataset_info *info, xa_err *err),
                          void *arg,
                          xa_err *err)
{
    xa_status st = XA_OK;
    walk w = {.visit = visit, .arg = arg};
    hid_t root = -1;
    xa__quiet quiet;
    xa__quiet_begin(&quiet);
    root = H5Gopen2(a->file, "/", H5P_DEFAULT);
    if (root < 0)
        XA_H5_FAIL(err, XA_FORMAT, "%s: cannot open its root", a->path);
    XA_TRY(err, walk_member(&w, root, "/", 0, err));
done:
    xa__close_object(&root);
    xa__quiet_end(&quiet);
    return st;
}
