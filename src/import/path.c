/* Paths: from files that others wrote, and into a manifest that may be moved. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "import_internal.h"

char *xa__join(const char *folder, const char *path)
{
    if (!folder || folder[0] == '\0')
        return xa_strdup(path);
    return xa_strfmt("%s%s%s", folder, xa_str_ends(folder, "/") ? "" : "/", path);
}

bool xa__path_leaves(const char *path)
{
    if (path[0] == '/')
        return true;
    for (const char *p = path; *p != '\0';) {
        const size_t n = strcspn(p, "/");
        if (n == 2 && p[0] == '.' && p[1] == '.')
            return true;
        p += n + (p[n] == '/');
    }
    return false;
}

bool xa__is_file(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

bool xa__is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

bool xa__links_out(const char *folder, const char *file)
{
    char *a = realpath(folder[0] != '\0' ? folder : ".", NULL);
    char *b = realpath(file, NULL);
    bool out = false;
    if (a && b) {
        const size_t n = strlen(a);
        out = strncmp(a, b, n) != 0 || (b[n] != '/' && n > 1);
    }
    free(a);
    free(b);
    return out;
}

/* The file's folder, resolved, and its name. The file itself may be a link, which is kept. */
static char *resolved(const char *file)
{
    char *folder = xa_path_folder(file);
    char *real = folder ? realpath(folder, NULL) : NULL;
    char *out = real ? xa__join(real, xa_path_last(file)) : NULL;
    free(folder);
    free(real);
    return out;
}

char *xa__relative(const char *from, const char *target)
{
    char *to = resolved(target);
    if (!to)
        return xa_strdup(target);
    /* The folders with which both begin. */
    size_t same = 0;
    for (size_t i = 0;; i++) {
        const char a = from[i] != '\0' ? from[i] : '/';
        if (a == '/' && to[i] == '/')
            same = i + 1;
        if (a != to[i] || from[i] == '\0')
            break;
    }
    if (same <= 1)
        return to;
    xa_str out = {0};
    for (const char *p = from + same; *p != '\0'; p++)
        if (*p == '/')
            xa_str_puts(&out, "../");
    xa_str_puts(&out, to + same);
    free(to);
    if (out.failed) {
        xa_str_free(&out);
        return NULL;
    }
    return out.data;
}

bool xa__is_image_name(const char *name)
{
    static const char *const ends[] = {".jpg", ".jpeg", ".png", ".tif", ".tiff"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof ends / sizeof *ends; i++)
        if (strcasecmp(dot, ends[i]) == 0)
            return true;
    return false;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

xa_status xa__folder_list(const char *folder, xa_names *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_names n = {0};
    DIR *dir = opendir(folder);
    if (!dir)
        XA_FAIL(err,
                errno == ENOENT || errno == ENOTDIR ? XA_NOT_FOUND : XA_IO,
                "%s: cannot list the folder: %s",
                folder,
                strerror(errno));
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(dir);
        if (!e && errno != 0)
            XA_FAIL(err, XA_IO, "%s: cannot list the folder: %s", folder, strerror(errno));
        if (!e)
            break;
        if (e->d_name[0] == '.')
            continue;
        XA_TRY(err, xa_names_add(&n, e->d_name, strlen(e->d_name), err));
    }
    if (n.count > 0)
        qsort(n.item, n.count, sizeof *n.item, by_bytes);
    *out = n;
    n = (xa_names){0};
done:
    xa_names_free(&n);
    if (dir)
        closedir(dir);
    return st;
}

static xa_status add_below(xa__finder *f, const char *path, int levels, xa_err *err)
{
    enum { FOLDERS_MAX = 100 * 1000 };
    xa_status st = XA_OK;
    xa_names names = {0};
    char *full = xa__join(f->folder, path);
    char *next = NULL;
    if (!full)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    XA_TRY(err, xa_names_add(&f->below, path, strlen(path), err));
    if (levels == 0 || f->below.count > FOLDERS_MAX)
        goto done;
    XA_TRY(err, xa__folder_list(full, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        free(full);
        free(next);
        full = NULL;
        next = xa__join(path, names.item[i]);
        if (next)
            full = xa__join(f->folder, next);
        if (!full)
            XA_FAIL(err, XA_NOMEM, "out of memory for a path");
        /* Most names are image files, of which the system need not be asked. */
        if (!xa__is_image_name(next) && xa__is_folder(full))
            XA_TRY(err, add_below(f, next, levels - 1, err));
    }
done:
    xa_names_free(&names);
    free(full);
    free(next);
    return st;
}

xa_status xa__finder_init(xa__finder *f, const char *folder, xa_err *err)
{
    *f = (xa__finder){.folder = folder};
    return add_below(f, "", 2, err);
}

const char *xa__finder_find(xa__finder *f, const char *name)
{
    static const char *const ends[] = {
        ".jpg", ".png", ".jpeg", ".JPEG", ".JPG", ".PNG", ".tif", ".tiff", ".TIF", ".TIFF"};
    enum { ENDS = sizeof ends / sizeof *ends };
    const bool whole = xa__is_image_name(name);
    if (xa__path_leaves(name))
        return NULL;
    /* The next file mostly is in the folder of the last one, with the same ending. */
    for (int e = 0; e < (whole ? 1 : ENDS); e++) {
        const int end = (f->last_end + e) % ENDS;
        for (size_t i = 0; i < f->below.count; i++) {
            const size_t k = (f->last + i) % f->below.count;
            const char *below = f->below.item[k];
            f->path.len = 0;
            xa_str_printf(&f->path, "%s%s", f->folder, xa_str_ends(f->folder, "/") ? "" : "/");
            const size_t skip = f->path.len;
            xa_str_printf(&f->path,
                          "%s%s%s%s",
                          below,
                          below[0] != '\0' ? "/" : "",
                          name,
                          whole ? "" : ends[end]);
            if (f->path.failed)
                return NULL;
            if (xa__is_file(f->path.data)) {
                f->last = k;
                f->last_end = whole ? f->last_end : end;
                return f->path.data + skip;
            }
        }
    }
    return NULL;
}

void xa__finder_fini(xa__finder *f)
{
    xa_names_free(&f->below);
    xa_str_free(&f->path);
}
