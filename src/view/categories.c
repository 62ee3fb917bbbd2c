/* Categories of an archive: sets of classes that stand where a class does. */
#include <stdlib.h>

#include "xaudit/view.h"

int32_t xa_read_target(const xa_read_model *m, int64_t sample, int32_t c)
{
    if (c < XA_CATEGORY)
        return c;
    return m->set_logits ? xa_category_target(
                               m->categories, c, m->set_logits + sample * m->classes, m->classes)
                         : -1;
}

xa_status xa_read_categories(xa_archive *a, xa_categories *out, xa_err *err)
{
    char *text = NULL;
    *out = (xa_categories){0};
    xa_status st = xa_archive_attr_text(a, XA_GROUP_EVAL, "categories", &text, err);
    if (st == XA_OK && text)
        st = xa_categories_parse(text, out, err);
    if (st == XA_FORMAT)
        xa_err_prefix(err, XA_GROUP_EVAL ": its attribute categories");
    free(text);
    return st;
}
