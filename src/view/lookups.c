/* What is asked of an archive that was read: names, pairs, labels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view_internal.h"

const char *xa_read_status_name(uint8_t s)
{
    static const char *const names[] = {"pending", "done", "failed", "excluded"};
    return s < 4 ? names[s] : "?";
}

int64_t xa__first_of(const int64_t *samples, int64_t n, int64_t sample)
{
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        if (samples[mid] < sample)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

int64_t xa_read_first_pair(const xa_read *r, int64_t sample)
{
    return xa__first_of(r->pair_sample, r->pairs, sample);
}

void xa_read_text(const char *table, size_t bytes, int64_t i, char *out, size_t size)
{
    char *copy = xa_strndup(table + (size_t)i * bytes, strnlen(table + (size_t)i * bytes, bytes));
    xa_str_sanitise(copy ? copy : "", out, size);
    free(copy);
}

const char *xa_read_class(const xa_read_model *m, int32_t c, char *buf, size_t size)
{
    const xa_category *set = xa_category_of(m->categories, c);
    if (set)
        xa_str_sanitise(set->name, buf, size);
    else if (c >= 0 && m->class_names && c < m->nnames)
        xa_read_text(m->class_names, m->class_name_bytes, c, buf, size);
    else
        snprintf(buf, size, "%d", (int)c);
    return buf;
}

const char *xa_read_target_text(
    const xa_read_model *m, const xa_read_map *x, int64_t row, char *buf, size_t size)
{
    char of[128], minus[128];
    const int32_t c = x->target[row];
    buf[0] = '\0';
    if (c < 0)
        return buf;
    if (x->rule == XA_TARGET_UNIT)
        snprintf(of, sizeof of, "unit %d", (int)c);
    else
        xa_read_class(m, c, of, sizeof of);
    snprintf(buf,
             size,
             "%s%s%s%s",
             of,
             x->minus >= 0 ? " - " : "",
             x->minus >= 0 ? xa_read_class(m, x->minus, minus, sizeof minus) : "",
             x->down ? " (down)" : "");
    return buf;
}

int xa_read_pair_problem(const xa_read *r, int64_t pair)
{
    const int64_t i = r->pair_sample[pair];
    for (int64_t k = r->problem ? r->annotation_offset[i] : 0;
         r->problem && k < r->annotation_offset[i + 1];
         k++)
        if (r->annotation_class[k] == r->pair_class[pair] && !xa_annotation_used(r->problem[k]))
            return r->problem[k] < XA_ANNOTATION_PROBLEMS ? r->problem[k] : XA_ANNOTATION_PROBLEMS;
    return XA_ANNOTATION_NONE;
}

bool xa_read_has_label(const xa_read *r, int64_t sample, int32_t c)
{
    for (int64_t k = r->label_offset[sample]; k < r->label_offset[sample + 1]; k++)
        if (xa_category_has(&r->categories, r->label_value[k], c))
            return true;
    return false;
}

bool xa_read_pair_flagged(const xa_read *r, int64_t pair, uint8_t flag)
{
    const int64_t i = r->pair_sample[pair];
    bool any = false;
    for (int64_t k = r->annotation_flags ? r->annotation_offset[i] : 0;
         r->annotation_flags && k < r->annotation_offset[i + 1];
         k++)
        if (r->annotation_class[k] == r->pair_class[pair]) {
            if (!(r->annotation_flags[k] & flag))
                return false;
            any = true;
        }
    return any;
}
