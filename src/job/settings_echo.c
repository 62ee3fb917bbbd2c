/* The echo of `xaudit check`: every setting as it was read, those that the job leaves out too. */
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"
#include "xaudit/print.h"

/* Adds "key value, key value" for lines "key = value". */
static void add_pairs(const char *lines, xa_str *out)
{
    for (const char *line = lines; line && *line;) {
        const size_t size = strcspn(line, "\n");
        const char *equals = memmem(line, size, " = ", 3);
        if (equals)
            xa_str_printf(out,
                          "%s%.*s %.*s",
                          out->len ? ", " : "",
                          (int)(equals - line),
                          line,
                          (int)(size - (size_t)(equals + 3 - line)),
                          equals + 3);
        line += size + (line[size] == '\n');
    }
}

/* Adds one setting. What the model decides, as its batch, is shown as it came out. */
static void
add_setting(const xa__lines *where, const xa_setting *s, const void *object, xa_str *out)
{
    const bool of_model = s->map == XA_JOB_MODEL || s->map == XA_JOB_EXPLAINER;
    const bool plain = xa__is_plain(s) && !(s->lines && of_model && s->type != XA__PATH);
    xa_str lines = {0};
    xa__lines l = *where;
    l.out = &lines;
    if (plain) {
        xa_str_printf(&lines, "%s = ", s->key);
        xa__value_text(s, object, &lines);
    } else if (s->lines) {
        s->lines(&l, s, object);
    }
    add_pairs(lines.data, out);
    xa_str_free(&lines);
}

static void
add_map(const xa__lines *where, xa_job_map map, int kind, const void *object, xa_str *out)
{
    size_t n;
    const xa_setting *all = xa__settings(&n);
    for (size_t i = 0; i < n; i++) {
        const xa_setting *s = &all[i];
        if (s->map != map || !s->key || !strcmp(s->key, "name") || !xa__kind_has(s, kind))
            continue;
        if (s->type == XA__MAP)
            add_map(where, s->sub, -1, (const char *)object + s->offset, out);
        else
            add_setting(where, s, object, out);
    }
}

static void print_map(FILE *out,
                      const xa__lines *where,
                      const char *name,
                      xa_job_map map,
                      int kind,
                      const void *object)
{
    xa_str values = {0};
    add_map(where, map, kind, object, &values);
    char *text = xa_strfmt(
        "%s%s%s: %s", xa__map_name(map), *name ? " " : "", name, values.data ? values.data : "");
    const size_t room = text ? 4 * strlen(text) + 1 : 0;
    char *clean = text ? malloc(room) : NULL;
    if (clean) {
        xa_str_sanitise(text, clean, room);
        fputs("    ", out);
        xa_put_wrapped(out, clean, 8, 4);
    }
    free(clean);
    free(text);
    xa_str_free(&values);
}

void xa_settings_echo(const xa_job *job, const xa_audit *audit, FILE *out)
{
    xa__lines l = {.of = "", .job = job, .audit = audit};
    fputs("settings, also those that the job leaves out\n", out);
    l.audit = NULL; /* of the job itself nothing is decided by models */
    print_map(out, &l, "", XA_JOB_JOB, -1, job);
    l.audit = audit;
    for (l.model = 0; l.model < job->audit.nmodels; l.model++) {
        const xa_audit_model_spec *m = &job->audit.models[l.model];
        print_map(out, &l, m->name, XA_JOB_MODEL, -1, m);
        for (l.explainer = 0; l.explainer < m->nexplainers; l.explainer++) {
            const xa_explainer_spec *e = &m->explainers[l.explainer];
            char *name = xa_strfmt("%s/%s", m->name, e->name);
            print_map(out, &l, name ? name : e->name, XA_JOB_EXPLAINER, (int)e->kind, e);
            free(name);
        }
    }
    for (int k = 0; k < job->audit.nmetrics; k++) {
        const xa_metric_spec *m = &job->audit.metrics[k];
        print_map(out, &l, m->name, XA_JOB_METRIC, (int)m->kind, m);
    }
    for (int k = 0; k < job->audit.nfaith; k++) {
        const xa_faith_spec *f = &job->audit.faith[k];
        print_map(out, &l, f->name, XA_JOB_CHECK, (int)f->kind, f);
    }
}
