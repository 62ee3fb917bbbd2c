/* The classes of a draft: names in the order of the source, or those of --classes. */
#include <stdlib.h>
#include <string.h>

#include "import_internal.h"

enum { CLASSES_MAX = 10 * 1000 * 1000 };

static const char *class_key(const void *arg, int64_t value)
{
    const xa__draft *d = arg;
    return d->classes[value];
}

static xa_status add_class(xa__draft *d, const char *name, int32_t *out, xa_err *err)
{
    const char *copy = NULL;
    if (d->nclasses >= CLASSES_MAX)
        XA_RETURN_FAIL(err, XA_LIMIT, "at most %d classes are accepted", (int)CLASSES_MAX);
    XA_RETURN_TRY(err, xa__draft_text(d, name, &copy, err));
    XA_RETURN_TRY(err,
                  xa_grow(&d->classes, &d->classes_cap, d->nclasses + 1, sizeof *d->classes, err));
    d->classes[d->nclasses] = (char *)copy;
    XA_RETURN_TRY(err, xa_text_map_add(&d->class_map, copy, (int64_t)d->nclasses, err));
    *out = (int32_t)d->nclasses++;
    return XA_OK;
}

/* Can a list of class names hold this name? */
static bool name_fits(const char *name)
{
    const size_t n = strlen(name);
    if (n == 0 || n > 1000 || !xa_str_is_utf8(name, n) || name[0] == ' ' || name[n - 1] == ' ')
        return false;
    if (strncmp(name, "\xef\xbb\xbf", 3) == 0)
        return false; /* on the first line it would be read as the file's byte-order mark */
    for (const char *p = name; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '|')
            return false;
    return true;
}

xa_status
xa__draft_class(xa__draft *d, const char *name, xa_import_what what, int32_t *out, xa_err *err)
{
    int64_t index = -1;
    *out = -1;
    if (d->indices) {
        if (name[0] >= '0' && name[0] <= '9' && xa_parse_i64(name, &index) && index < INT32_MAX)
            *out = (int32_t)index;
        else
            xa__drop(d, what, "the class is no index from 0", "%s", name);
        return XA_OK;
    }
    index = xa_text_map_find(&d->class_map, name, class_key, d);
    if (index >= 0)
        *out = (int32_t)index;
    else if (d->classes_fixed)
        xa__drop(d, what, "the class is not in --classes", "%s", name);
    else if (!name_fits(name))
        xa__drop(d,
                 what,
                 "not a class name ('|', control or byte-order mark, outer blanks, or not UTF-8)",
                 "%s",
                 name);
    else
        XA_RETURN_TRY(err, add_class(d, name, out, err));
    return XA_OK;
}

xa_status xa__draft_classes_init(xa__draft *d, xa_err *err)
{
    xa_status st = XA_OK;
    xa_classes list = {0};
    if (!d->opt->classes)
        return XA_OK;
    XA_TRY(err, xa_classes_read(d->opt->classes, &list, err));
    for (int64_t i = 0; i < list.count; i++) {
        int32_t index = 0;
        /* Lines of synset lists are "n01440764 tench, Tinca tinca": the class is their first word.
         */
        if (d->opt->format == XA_IMPORT_IMAGENET)
            list.names[i][strcspn(list.names[i], " \t,")] = '\0';
        if (xa_text_map_find(&d->class_map, list.names[i], class_key, d) >= 0)
            XA_FAIL(err,
                    XA_INVALID,
                    "%s: the class %s is listed twice",
                    d->opt->classes,
                    list.names[i]);
        XA_TRY(err, add_class(d, list.names[i], &index, err));
    }
    d->classes_fixed = true;
    d->classes_rewritten = d->opt->format == XA_IMPORT_IMAGENET;
done:
    xa_classes_fini(&list);
    return st;
}

typedef struct named {
    const char *name;
    int32_t from;
} named;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

xa_status xa__draft_sort_classes(xa__draft *d, xa_err *err)
{
    xa_status st = XA_OK;
    named *order = NULL;
    int32_t *to = NULL;
    if (d->classes_fixed || d->indices || !d->classes_sorted || d->nclasses < 2)
        return XA_OK; /* indices are not sorted */
    order = xa_alloc(d->nclasses, sizeof *order);
    to = xa_alloc(d->nclasses, sizeof *to);
    if (!order || !to)
        XA_FAIL(err, XA_NOMEM, "out of memory for %zu classes", d->nclasses);
    for (size_t i = 0; i < d->nclasses; i++)
        order[i] = (named){d->classes[i], (int32_t)i};
    qsort(order, d->nclasses, sizeof *order, by_name);
    xa_text_map_fini(&d->class_map);
    xa_text_map_init(&d->class_map);
    for (size_t i = 0; i < d->nclasses; i++) {
        to[order[i].from] = (int32_t)i;
        d->classes[i] = (char *)order[i].name;
        XA_TRY(err, xa_text_map_add(&d->class_map, order[i].name, (int64_t)i, err));
    }
    for (size_t i = 0; i < d->nnotes; i++)
        if (d->notes[i].class_index >= 0)
            d->notes[i].class_index = to[d->notes[i].class_index];
    for (size_t i = 0; i < d->nlabels; i++)
        d->labels[i].class_index = to[d->labels[i].class_index];
done:
    free(order);
    free(to);
    return st;
}
