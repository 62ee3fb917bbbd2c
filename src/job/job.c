/* The top of a job file. */
#include "job_internal.h"

#include <stdlib.h>
#include <string.h>

/* A path, or { wsol: folder, images: folder, masks: folder }. */
void xa__read_manifest(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_job *job = object;
    const char *text = xa__yaml_text(n);
    if (xa__yaml_kind(n) == XA_Y_MAP)
        xa__read_map(r, n, XA_JOB_MANIFEST, -1, job);
    else if (!text || !*text)
        XA_YAML_PROBLEM(
            r->problems, n, "%s: expected a path or a map, found %s", s->key, xa__found(n));
    else if ((job->manifest = xa_path_beside(job->file, text)))
        xa_path_tidy(job->manifest);
    else
        XA_YAML_PROBLEM(r->problems, n, "%s: out of memory", s->key);
}

void xa__list_classes(const xa__reading *r, xa_ynode n, xa_classes *classes)
{
    const int count = xa__yaml_count(n);
    classes->names = xa_alloc((size_t)count + 1, sizeof(char *));
    bool fits = classes->names != NULL;
    for (int i = 0; fits && i < count; i++) {
        const char *text = xa__yaml_text(xa__yaml_at(n, i));
        if (!text || !*text)
            XA_YAML_PROBLEM(r->problems, xa__yaml_at(n, i), "classes: entry %d is not a name", i);
        char *name = xa_strdup(text ? text : "");
        fits = name != NULL;
        if (fits)
            classes->names[classes->count++] = name;
    }
    if (!fits)
        XA_YAML_PROBLEM(r->problems, n, "classes: out of memory");
}

void xa__read_classes(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_job *job = object;
    const char *text = xa__yaml_text(n);
    xa_err why = XA_ERR_INIT;
    if (xa__yaml_kind(n) == XA_Y_LIST) {
        xa__list_classes(r, n, &job->classes);
        return;
    }
    if (!text) {
        XA_YAML_PROBLEM(
            r->problems,
            n,
            "%s: expected a file with one name per line, a list, or from-file; found %s",
            s->key,
            xa__found(n));
        return;
    }
    if (!strcmp(text, "from-file")) {
        xa__classes_from_file(r, n);
        return;
    }
    char *path = xa_path_beside(job->file, text);
    if (!path || xa_classes_read(path, &job->classes, &why) != XA_OK)
        XA_YAML_PROBLEM(r->problems, n, "%s: %s", s->key, path ? why.message : "out of memory");
    free(path);
}

void xa__read_label_as(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    static const xa_label_as as[] = {XA_LABEL_NAME, XA_LABEL_INDEX};
    xa_job *job = object;
    const int word = xa__read_word(r, s, n);
    if (word >= 0)
        job->label_as = as[word];
}

/* After classes and label_as, which say what the file's classes are. */
void xa__read_categories(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_job *job = object;
    const xa_classes *classes = job->classes.count ? &job->classes : NULL;
    const char *text = xa__yaml_text(n);
    xa_err why = XA_ERR_INIT;
    char *path = text ? xa_path_beside(job->file, text) : NULL;
    if (!text)
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "%s: expected a file of lines \"name: class | class | ...\", found %s",
                        s->key,
                        xa__found(n));
    else if (!path ||
             xa_categories_read(path, classes, job->label_as, &job->categories, &why) != XA_OK)
        XA_YAML_PROBLEM(r->problems, n, "%s: %s", s->key, path ? why.message : "out of memory");
    free(path);
}

/* 5 or 2% */
void xa__read_tolerate_failed(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_job *job = object;
    const char *text = xa__yaml_text(n);
    char number[64] = "";
    const size_t len = text ? strlen(text) : 0;
    job->tolerate_is_fraction = len > 1 && text[len - 1] == '%';
    if (text && len < sizeof number)
        memcpy(number, text, len - (job->tolerate_is_fraction ? 1 : 0));
    if (!xa_parse_f64(number, &job->tolerate_failed) || !(job->tolerate_failed >= 0.0) ||
        (job->tolerate_is_fraction && job->tolerate_failed > 100.0))
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "%s: expected a number of samples, or a share such as 2%%, found %s",
                        s->key,
                        xa__found(n));
    if (job->tolerate_is_fraction)
        job->tolerate_failed /= 100.0;
}

static xa_status apply_set(xa_yaml *y, const char *assignment, xa_err *err)
{
    const char *eq = strchr(assignment, '=');
    if (!eq || eq == assignment)
        XA_RETURN_FAIL(err, XA_INVALID, "--set %s: expected key=value", assignment);
    const char *bracket = memchr(assignment, '[', (size_t)(eq - assignment));
    if (bracket)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "--set %s: entries of lists are written with dots, as models.0.file=...",
                       assignment);
    char *key = xa_strndup(assignment, (size_t)(eq - assignment));
    if (!key)
        XA_RETURN_NOMEM(err);
    const xa_status st = xa__yaml_set(y, key, eq + 1, err);
    free(key);
    return st;
}

xa_status xa_job_parse(const char *file,
                       const char *text,
                       size_t size,
                       const xa_job_options *opt,
                       xa_job *job,
                       xa_problems *problems,
                       xa_err *err)
{
    xa_status st = XA_OK;
    xa_yaml *y = NULL;
    xa_job j = {.text_size = size};
    const xa__reading r = {.job = &j, .problems = problems};
    xa__set_defaults(XA_JOB_JOB, &j);
    j.file = xa_strdup(file);
    j.text = xa_strndup(text, size);
    if (!j.file || !j.text || (opt && opt->output && !(j.output = xa_strdup(opt->output))))
        XA_NOMEM_FAIL(err);
    st = xa__yaml_parse(file, text, size, problems, &y, err);
    if (st == XA_NOMEM)
        XA_NOMEM_FAIL(err);
    if (st != XA_OK)
        XA_FAIL(err, XA_INVALID, "%s is not a job file", file);
    for (int i = 0; opt && i < opt->nset; i++) {
        xa_err why = XA_ERR_INIT;
        if (apply_set(y, opt->set[i], &why) != XA_OK)
            xa_problems_add(problems, file, 0, false, "%s", why.message);
    }
    xa__read_map(&r, xa__yaml_root(y), XA_JOB_JOB, -1, &j);
    for (int m = 0; m < j.audit.nmodels; m++)
        j.audit.models[m].open.numerics = j.numerics;
    if (problems->errors)
        XA_FAIL(err,
                XA_INVALID,
                "%s has %zu mistake%s",
                file,
                problems->errors,
                problems->errors == 1 ? "" : "s");
    *job = j;
    xa__yaml_free(y);
    return XA_OK;
done:
    xa__yaml_free(y);
    xa_job_fini(&j);
    return st;
}

void xa_job_fini(xa_job *j)
{
    if (!j)
        return;
    free(j->file);
    free(j->text);
    free(j->manifest);
    free(j->wsol_images);
    free(j->wsol_masks);
    free(j->output);
    free(j->title);
    free(j->model_line);
    xa_classes_fini(&j->classes);
    xa_categories_fini(&j->categories);
    xa_audit_spec_fini(&j->audit);
    *j = (xa_job){0};
}
