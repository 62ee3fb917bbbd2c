/* A folder of folders: ROOT/class/.../image. Classes are the folders' names, sorted by bytes, as
 * Keras and torchvision sort them. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "import_internal.h"

enum { DEPTH_MAX = 32 };

typedef struct place {
    dev_t dev;
    ino_t ino;
} place;

typedef struct walk {
    xa__draft *d;
    const char *root;
    int32_t class_index;
    place above[DEPTH_MAX]; /* folders around the present one; a link to one of them is a loop */
    int depth;
} walk;

static xa_status walk_folder(walk *w, const char *path, xa_err *err);

static bool enter(walk *w, const char *path, const struct stat *info)
{
    for (int i = 0; i < w->depth; i++)
        if (w->above[i].dev == info->st_dev && w->above[i].ino == info->st_ino) {
            xa__drop(
                w->d, XA_IMPORT_NOTED, "a folder links to one around it (left out)", "%s", path);
            return false;
        }
    if (w->depth >= DEPTH_MAX) {
        xa__drop(w->d, XA_IMPORT_NOTED, "folders nested too deep (left out)", "%s", path);
        return false;
    }
    w->above[w->depth++] = (place){info->st_dev, info->st_ino};
    return true;
}

static xa_status take(walk *w, const char *path, xa_err *err)
{
    xa_status st = XA_OK;
    struct stat info;
    int64_t image = -1;
    char *file = xa__join(w->root, path);
    if (!file)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    if (stat(file, &info) == 0 && S_ISDIR(info.st_mode)) {
        struct stat link;
        if (lstat(file, &link) == 0 && S_ISLNK(link.st_mode) && xa__links_out(w->root, file))
            xa__drop(w->d,
                     XA_IMPORT_NOTED,
                     "a symbolic link leads out of the image folder (kept)",
                     "%s",
                     path);
        if (enter(w, path, &info)) {
            XA_TRY(err, walk_folder(w, path, err));
            w->depth--;
        }
        goto done;
    }
    if (!xa__is_image_name(path)) {
        xa__drop(w->d, XA_IMPORT_NOTED, "not named .jpg, .png or .tif (left out)", "%s", path);
        goto done;
    }
    XA_TRY(err, xa__draft_image_add(w->d, w->root, path, NULL, &image, err));
    if (image >= 0)
        XA_TRY(err, xa__draft_label_add(w->d, image, w->class_index, err));
done:
    free(file);
    return st;
}

static xa_status walk_folder(walk *w, const char *path, xa_err *err)
{
    xa_status st = XA_OK;
    xa_names names = {0};
    char *folder = xa__join(w->root, path);
    char *below = NULL;
    if (!folder)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    XA_TRY(err, xa__folder_list(folder, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        free(below);
        below = xa__join(path, names.item[i]);
        if (!below)
            XA_FAIL(err, XA_NOMEM, "out of memory for a path");
        XA_TRY(err, take(w, below, err));
    }
done:
    xa_names_free(&names);
    free(folder);
    free(below);
    return st;
}

xa_status xa__import_folder(xa__draft *d, xa_err *err)
{
    xa_status st = XA_OK;
    walk w = {.d = d, .root = d->opt->source};
    xa_names names = {0};
    char *folder = NULL;
    struct stat info;
    d->classes_sorted = true;
    XA_TRY(err, xa__folder_list(w.root, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        free(folder);
        folder = xa__join(w.root, names.item[i]);
        if (!folder)
            XA_FAIL(err, XA_NOMEM, "out of memory for a path");
        if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode)) {
            xa__drop(d, XA_IMPORT_NOTED, "a file beside the class folders", "%s", names.item[i]);
            continue;
        }
        XA_TRY(err, xa__draft_class(d, names.item[i], XA_IMPORT_NOTED, &w.class_index, err));
        const size_t before = d->nimages;
        w.depth = 0;
        if (w.class_index >= 0 && enter(&w, names.item[i], &info))
            XA_TRY(err, walk_folder(&w, names.item[i], err));
        if (w.class_index >= 0 && d->nimages == before)
            xa__drop(d, XA_IMPORT_NOTED, "a class folder without images", "%s", names.item[i]);
    }
done:
    xa_names_free(&names);
    free(folder);
    return st;
}
