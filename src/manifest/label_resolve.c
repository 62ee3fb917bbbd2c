/* From a label's text to its class index. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_internal.h"

static const char *class_key(const void *arg, int64_t value)
{
    const xa_classes *c = arg;
    return c->names[value];
}

/* Two classes have the same name (ImageNet has two "crane"): the name alone means neither. */
static xa_status note_twin(xa__labels *l, int64_t first, int64_t second, xa_err *err)
{
    if (!l->twin)
        l->twin = xa_alloc((size_t)l->classes->count, sizeof *l->twin);
    if (!l->twin)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for class names");
    if (l->twin[first] == 0) /* a third one is not kept: a message names two */
        l->twin[first] = (int32_t)second;
    return XA_OK;
}

/* The second class with the name of class `first`, which is the first one; or 0. */
static int32_t twin_of(const xa__labels *l, int64_t first)
{
    return l->twin && first >= 0 ? l->twin[first] : 0;
}

xa_status xa__labels_init(xa__labels *l, const xa_classes *classes, xa_label_as as, xa_err *err)
{
    xa_status st = XA_OK;
    *l = (xa__labels){.classes = classes, .as = as};
    xa_text_map_init(&l->map);
    const bool named = classes && classes->names;
    if (as != XA_LABEL_AUTO && as != XA_LABEL_NAME && as != XA_LABEL_INDEX)
        XA_FAIL(err, XA_INVALID, "label_as: expected name or index, found code %d", (int)as);
    if (as == XA_LABEL_NAME && !named)
        XA_FAIL(err, XA_INVALID, "label_as: name needs class names (classes: a file of names)");
    if (classes && (classes->count < 0 || classes->count > XA_CATEGORY))
        XA_FAIL(err,
                XA_INVALID,
                "expected at most %d classes, found %" PRId64,
                (int)XA_CATEGORY,
                classes->count);
    if (named && as != XA_LABEL_INDEX)
        for (int64_t i = 0; i < classes->count; i++) {
            const int64_t first = xa_text_map_find(&l->map, classes->names[i], class_key, classes);
            if (first < 0)
                XA_TRY(err, xa_text_map_add(&l->map, classes->names[i], i, err));
            else
                XA_TRY(err, note_twin(l, first, i, err));
        }
done:
    if (st != XA_OK)
        xa__labels_fini(l);
    return st;
}

void xa__labels_fini(xa__labels *l)
{
    xa_text_map_fini(&l->map);
    free(l->twin);
    l->twin = NULL;
}

/* An index has digits only: "+1", "-1" and "1.0" are none. */
static bool parse_index(const char *text, int64_t *out)
{
    return text[0] >= '0' && text[0] <= '9' && xa_parse_i64(text, out);
}

static int64_t index_limit(const xa__labels *l)
{
    return l->classes ? l->classes->count : XA_CATEGORY;
}

int32_t xa__label_find(const xa__labels *l, const char *text)
{
    int64_t index;
    const bool is_index = parse_index(text, &index) && index < index_limit(l);
    /* The map is empty if labels are not names. */
    const int64_t name = xa_text_map_find(&l->map, text, class_key, l->classes);
    if (twin_of(l, name) > 0)
        return -1;
    if (l->as == XA_LABEL_NAME)
        return (int32_t)name;
    if (name >= 0 && is_index && name != index)
        return -1; /* ambiguous */
    if (name >= 0)
        return (int32_t)name;
    return is_index ? (int32_t)index : -1;
}

/* "3.0", into which spreadsheets and data frames turn 3. */
static bool is_whole_float(const char *text, int64_t *out)
{
    double v;
    if (!xa_parse_f64(text, &v) || !(v >= 0.0 && v < 2147483648.0))
        return false;
    *out = (int64_t)v;
    return (double)*out == v;
}

void xa__label_why(const xa__labels *l, const char *what, const char *text, char why[XA__WHY])
{
    char shown[XA_SHOWN];
    char other[XA_SHOWN];
    int64_t index = 0;
    xa_show(text, shown);
    const bool is_index = parse_index(text, &index);
    const bool named = l->classes && l->classes->names && l->as != XA_LABEL_INDEX;
    const int64_t name = xa_text_map_find(&l->map, text, class_key, l->classes);
    if (text[0] == '\0') {
        snprintf(
            why, XA__WHY, "%s: expected class names or indices between '|', found nothing", what);
    } else if (twin_of(l, name) > 0) {
        snprintf(why,
                 XA__WHY,
                 "%s \"%s\" is the name of classes %" PRId64
                 " and %d: write the index that is meant%s",
                 what,
                 shown,
                 name,
                 (int)twin_of(l, name),
                 l->as == XA_LABEL_NAME ? ", without label_as: name" : "");
    } else if (name >= 0) {
        snprintf(why,
                 XA__WHY,
                 "%s \"%s\" is the name of class %" PRId64
                 " and the index of class \"%s\": say which with "
                 "label_as: name or label_as: index",
                 what,
                 shown,
                 name,
                 xa_show(l->classes->names[index], other));
    } else if (is_index && !(named && l->as == XA_LABEL_NAME)) {
        snprintf(why,
                 XA__WHY,
                 "%s %s: expected a class index from 0 to %" PRId64,
                 what,
                 shown,
                 index_limit(l) - 1);
    } else if (named) {
        const char *near =
            xa_nearest(text, (const char *const *)l->classes->names, (size_t)l->classes->count);
        snprintf(why,
                 XA__WHY,
                 "%s \"%s\" is not a class of this job%s%s%s",
                 what,
                 shown,
                 near ? "; did you mean \"" : "",
                 near ? xa_show(near, other) : "",
                 near ? "\"?" : "");
    } else if (is_whole_float(text, &index)) {
        snprintf(why,
                 XA__WHY,
                 "%s \"%s\": a class index is a whole number: write %" PRId64,
                 what,
                 shown,
                 index);
    } else {
        snprintf(why,
                 XA__WHY,
                 "%s \"%s\": expected a class index (from 0)%s",
                 what,
                 shown,
                 l->as == XA_LABEL_INDEX ? ", as label_as: index says"
                                         : "; names need a list of classes (classes: FILE)");
    }
}
