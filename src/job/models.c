/* models of a job. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"

void xa__read_head(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_audit_model_spec *m = object;
    const int word = xa__read_word(r, s, n);
    if (word >= 0 && !(m->open.head = xa_strdup(s->words[word])))
        XA_YAML_PROBLEM(r->problems, n, "%s: out of memory", s->key);
}

/* Names, one per line. */
void xa__read_user_classes(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_audit_model_spec *m = object;
    xa_str list = {0};
    if (xa__yaml_kind(n) != XA_Y_LIST)
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "%s: expected a list of classes, such as [\"my>Conv2D\"], found %s",
                        s->key,
                        xa__found(n));
    for (int i = 0; xa__yaml_kind(n) == XA_Y_LIST && i < xa__yaml_count(n); i++) {
        const char *text = xa__yaml_text(xa__yaml_at(n, i));
        if (!text || !*text || strpbrk(text, "\n,"))
            XA_YAML_PROBLEM(r->problems,
                            xa__yaml_at(n, i),
                            "%s: entry %d is not the name of a class",
                            s->key,
                            i);
        else
            xa_str_printf(&list, "%s%s", list.len ? "\n" : "", text);
    }
    m->open.user_classes = list.data;
}

/* One constant input: a number, or a file of numbers. */
static void read_constant(
    const xa__reading *r, const xa_setting *s, const char *name, xa_ynode n, xa_model_constant *c)
{
    const char *text = xa__yaml_text(n);
    const bool number = text && xa_parse_f64(text, &c->value) && isfinite(c->value);
    c->name = xa_strdup(name);
    if (!number && text && xa_str_ends(text, ".npy") &&
        (c->file = xa_path_beside(r->job->file, text)))
        xa_path_tidy(c->file);
    else if (!number)
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "%s: %s: expected a number or a .npy file, found %s",
                        s->key,
                        name,
                        xa__found(n));
    if (!c->name)
        XA_YAML_PROBLEM(r->problems, n, "%s: out of memory", s->key);
}

void xa__read_inputs(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_audit_model_spec *m = object;
    const int count = xa__yaml_count(n);
    if (xa__yaml_kind(n) != XA_Y_MAP || count < 1 || count > 64) {
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "%s: expected a map of 1 to 64 inputs, such as { age: 0.5 }, found %s",
                        s->key,
                        xa__found(n));
        return;
    }
    if (!(m->open.constants = xa_alloc((size_t)count, sizeof *m->open.constants))) {
        XA_YAML_PROBLEM(r->problems, n, "%s: out of memory", s->key);
        return;
    }
    for (int i = 0; i < count; i++) {
        const xa_ynode key = xa__yaml_key_node(n, i);
        const char *name = xa__yaml_text(key);
        bool twice = false;
        for (int k = 0; name && k < m->open.nconstants; k++)
            twice = twice || !strcmp(m->open.constants[k].name, name);
        if (!name || !*name || strpbrk(name, "\n=") || twice)
            XA_YAML_PROBLEM(r->problems,
                            key,
                            "%s: \"%s\" %s",
                            s->key,
                            name ? name : "?",
                            twice ? "is given twice" : "is not the name of an input");
        else
            read_constant(
                r, s, name, xa__yaml_get(n, name), &m->open.constants[m->open.nconstants++]);
    }
}

/* What two models of one job cannot differ in, or must differ in. */
static void check_model(const xa__reading *r, xa_ynode n, int i)
{
    const xa_audit_spec *spec = &r->job->audit;
    const xa_audit_model_spec *m = &spec->models[i];
    for (int k = 0; k < i; k++)
        if (m->name && spec->models[k].name && !strcmp(m->name, spec->models[k].name))
            XA_YAML_PROBLEM(r->problems, n, "two models are called \"%s\"", m->name);
    if (m->input.ignore_orientation != spec->models[0].input.ignore_orientation)
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "orientation: every image is decoded once for all models of a job, in one "
                        "frame: model \"%s\" needs the orientation of the first, or a job of its "
                        "own",
                        m->name ? m->name : "");
}

void xa__read_models(const xa__reading *r, const xa_setting *s, xa_ynode list, void *object)
{
    xa_job *job = object;
    const int n = xa__yaml_count(list);
    if (xa__yaml_kind(list) != XA_Y_LIST || n < 1 || n > 64) {
        XA_YAML_PROBLEM(r->problems, list, "%s: expected a list of 1 to 64 models", s->key);
        return;
    }
    job->audit.models = xa_alloc((size_t)n, sizeof(xa_audit_model_spec));
    job->model_line = xa_alloc((size_t)n, sizeof(int64_t));
    if (!job->audit.models || !job->model_line) {
        XA_YAML_PROBLEM(r->problems, list, "%s: out of memory", s->key);
        return;
    }
    for (int i = 0; i < n; i++) {
        xa_audit_model_spec *m = &job->audit.models[i];
        job->model_line[i] = xa__yaml_line(xa__yaml_at(list, i));
        job->audit.nmodels++;
        m->open = xa_model_defaults();
        xa__read_map(r, xa__yaml_at(list, i), XA_JOB_MODEL, -1, m);
        check_model(r, xa__yaml_at(list, i), i);
    }
    job->audit.decode.ignore_orientation = job->audit.models[0].input.ignore_orientation;
}
