/* The categories of a manifest that is being read: by a name of the job's file, or as "a|b". */
#include <stdlib.h>
#include <string.h>

#include "manifest_internal.h"

/* The index of a category in the manifest, to which it is added at its first use; -1: there are too
 * many, which is reported. */
static xa_status use_category(xa__sets *x,
                              const char *name,
                              const int32_t *members,
                              int32_t count,
                              int64_t line,
                              int32_t *out,
                              xa_err *err)
{
    xa_categories *own = x->used;
    int32_t k = xa__category_find(own, name);
    if (k >= 0 && xa__category_same(own, members, count) != k) {
        xa_problems_add(x->reporter->problems,
                        x->reporter->file,
                        line,
                        false,
                        "two sets of classes are both called \"%s\", as classes share names: give "
                        "one for each name in a file of categories",
                        name);
        *out = -1;
        return XA_OK;
    }
    if (k < 0) {
        k = own->count;
        x->bytes += (size_t)count * 9 + strlen(name) + 2; /* classes have 8 digits */
        if (x->bytes > XA_CATEGORIES_TEXT_MAX) {
            if (!x->many)
                xa_problems_add(x->reporter->problems,
                                x->reporter->file,
                                line,
                                false,
                                "the sets of classes up to here take more than %d bytes, which an "
                                "archive cannot keep: use fewer sets, or smaller ones",
                                (int)XA_CATEGORIES_TEXT_MAX);
            x->many = true;
            *out = -1;
            return XA_OK;
        }
        XA_RETURN_TRY(err, xa_categories_add(own, name, members, count, err));
    }
    *out = XA_CATEGORY + k;
    return XA_OK;
}

xa_status xa__sets_name(xa__sets *x, const char *text, int64_t line, int32_t *out, xa_err *err)
{
    *out = xa__label_find(x->labels, text);
    const int32_t k = *out < 0 ? xa__category_find(x->named, text) : -1;
    if (k < 0)
        return XA_OK;
    const xa_category *c = &x->named->items[k];
    return use_category(x, c->name, c->members, c->count, line, out, err);
}

xa_status xa__sets_classes(xa__sets *x, const char *text, int64_t line, int32_t *out, xa_err *err)
{
    xa_status st = XA_OK;
    char why[XA__WHY];
    int32_t *members = NULL, count = 0;
    xa_str name = {0};
    char *copy = xa_strdup(text);
    *out = -1;
    if (!copy)
        XA_FAIL(err, XA_NOMEM, "out of memory for a set of classes");
    XA_TRY(err, xa__class_set(x->labels, copy, &members, &count, why, err));
    if (why[0] != '\0') {
        xa_str_printf(&name, "set %s", text);
        if (name.failed || xa__reporter_first(x->reporter, name.data))
            xa_problems_add(x->reporter->problems, x->reporter->file, line, false, "%s", why);
        goto done;
    }
    if (count == 1) {
        *out = members[0];
        goto done;
    }
    const int32_t named = xa__category_same(x->named, members, count);
    const int32_t own = xa__category_same(x->used, members, count);
    if (named < 0 && own >= 0) {
        *out = XA_CATEGORY + own;
        goto done;
    }
    const xa_classes *c = x->labels->classes;
    for (int numbers = !c || !c->names; numbers < 2; numbers++) {
        name.len = 0;
        for (int32_t i = 0; i < count; i++) {
            xa_str_puts(&name, i ? "|" : "");
            if (numbers)
                xa_str_printf(&name, "%d", (int)members[i]);
            else
                xa_str_puts(&name, c->names[members[i]]);
        }
        if (name.failed)
            XA_FAIL(err, XA_NOMEM, "out of memory for a set of classes");
        if (xa__category_find(x->used, name.data) < 0)
            break;
    }
    XA_TRY(err,
           use_category(x,
                        named >= 0 ? x->named->items[named].name : name.data,
                        members,
                        count,
                        line,
                        out,
                        err));
done:
    free(copy);
    free(members);
    xa_str_free(&name);
    return st;
}
