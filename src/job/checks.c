/* checks of a job. */
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"

enum { PLAIN_CHECKS = 2 };

/* The two that are asked for by their names alone, as jobs of 0.1 and 0.2 have them. */
static bool read_plain_check(
    const xa__reading *r, const xa_setting *s, xa_ynode item, const char *kind, xa_audit_spec *spec)
{
    const int word = xa_word_index(kind, s->words, PLAIN_CHECKS);
    if (word < 0)
        return false;
    if (xa__yaml_kind(item) == XA_Y_MAP && xa__yaml_count(item) > 1)
        XA_YAML_PROBLEM(r->problems, item, "%s: this check has no settings", kind);
    spec->masked = spec->masked || word == 0;
    spec->random_logit = spec->random_logit || word == 1;
    return true;
}

static void
read_check(const xa__reading *r, const xa_setting *s, xa_ynode item, xa_audit_spec *spec)
{
    const bool map = xa__yaml_kind(item) == XA_Y_MAP;
    const xa_ynode kind_node = map ? xa__yaml_get(item, "kind") : item;
    const char *text = kind_node.id ? xa__yaml_text(kind_node) : NULL;
    if (!kind_node.id) {
        XA_YAML_PROBLEM(r->problems, item, "check: `kind` is missing");
        return;
    }
    if (text && read_plain_check(r, s, item, text, spec))
        return;
    const int kind = xa__read_kind(r, kind_node, XA_JOB_CHECK);
    if (kind < 0)
        return;
    xa_faith_spec *f = &spec->faith[spec->nfaith];
    *f = xa_faith_defaults((xa_faith_kind)kind);
    if (map)
        xa__read_map(r, item, XA_JOB_CHECK, kind, f);
    for (int k = 0; k < spec->nfaith; k++)
        if (!strcmp(spec->faith[k].name, f->name))
            XA_YAML_PROBLEM(
                r->problems, item, "two checks are called \"%s\": give one a `name`", f->name);
    spec->nfaith++;
}

void xa__read_checks(const xa__reading *r, const xa_setting *s, xa_ynode list, void *object)
{
    xa_audit_spec *spec = &((xa_job *)object)->audit;
    const int n = xa__yaml_kind(list) == XA_Y_LIST ? xa__yaml_count(list) : -1;
    if (n < 0 || n > 64) {
        XA_YAML_PROBLEM(r->problems,
                        list,
                        "%s: expected a list of at most 64 checks, such as [average_drop, { kind: "
                        "deletion, images: 500 }]; found %s",
                        s->key,
                        xa__found(list));
        return;
    }
    spec->faith = xa_alloc((size_t)n + 1, sizeof *spec->faith);
    if (!spec->faith)
        XA_YAML_PROBLEM(r->problems, list, "%s: out of memory", s->key);
    for (int i = 0; spec->faith && i < n; i++)
        read_check(r, s, xa__yaml_at(list, i), spec);
}

/* The old names as ever, so that unfinished archives with them go on; the others with a line for
 * each setting. */
void xa__checks_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_audit_spec *spec = &((const xa_job *)object)->audit;
    xa_str_printf(l->out, "%s%s =", l->of, s->key);
    for (int k = 0; k < XA_CHECK_COUNT; k++)
        if (xa_checked(spec, (xa_check_kind)k))
            xa_str_printf(l->out, " %s", xa_check_name((xa_check_kind)k));
    for (int k = 0; k < spec->nfaith; k++)
        xa_str_printf(l->out, " %s", spec->faith[k].name);
    const bool any = spec->masked || spec->random_logit || spec->nfaith;
    xa_str_puts(l->out, any ? "\n" : " none\n");
    for (int k = 0; k < spec->nfaith && l->audit; k++) {
        char of[96];
        xa__lines own = *l;
        snprintf(of, sizeof of, "%scheck.%s/", l->of, spec->faith[k].name);
        own.of = of;
        xa__integer_line(&own, "definitions", XA_FAITH_VERSION);
        xa__setting_lines(
            &own, XA_JOB_CHECK, (int)spec->faith[k].kind, XA__SCORES, &spec->faith[k]);
    }
}
