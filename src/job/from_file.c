/* What the files of models note of their input and classes (XA_NOTE_INPUT, XA_NOTE_CLASSES). JSON
 * is YAML, so that a note is read as if the job said it. */
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"

/* The note of a model's file as a document; NULL: it has none. Mistakes are problems at node n, or
 * nobody's where it is none. */
static xa_yaml *
read_note(xa_problems *problems, xa_ynode n, const char *file, const char *key, bool needed)
{
    char *text = NULL, *name = xa_strfmt("%s (%s)", file, key);
    xa_yaml *doc = NULL;
    xa_err why = XA_ERR_INIT;
    xa_status st = name ? xa_model_metadata(file, key, &text, &why) : XA_NOMEM_ERR(&why);
    if (st == XA_OK && !text && needed)
        st = XA_ERR(&why,
                    XA_NOT_FOUND,
                    "%s notes no %s, as an ONNX file does that xaudit_export.py made; write in the "
                    "job what it should say",
                    file,
                    key);
    if (st == XA_OK && text)
        st = xa__yaml_parse(name, text, strlen(text), problems, &doc, &why);
    if (st != XA_OK && st != XA_FORMAT && n.doc)
        XA_YAML_PROBLEM(problems, n, "from-file: %s", why.message);
    free(text);
    free(name);
    return doc;
}

/* ---- input ---- */

void xa__read_model_input(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_audit_model_spec *m = object;
    const char *text = xa__yaml_text(n);
    if (text && strcmp(text, "from-file") != 0) {
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "%s: expected a map %s, or from-file; found %s",
                        s->key,
                        xa__map_example(XA_JOB_INPUT),
                        text);
        return;
    }
    if (!text) {
        xa__read_map(r, n, XA_JOB_INPUT, -1, &m->input);
        return;
    }
    xa_yaml *doc = m->file ? read_note(r->problems, n, m->file, XA_NOTE_INPUT, true) : NULL;
    if (doc)
        xa__read_map(r, xa__yaml_root(doc), XA_JOB_INPUT, -1, &m->input);
    xa__yaml_free(doc);
}

/* The value of a line "key = value" of a text; NULL: it has no such line. */
static const char *line_of(const char *text, const char *key, size_t size, size_t *length)
{
    for (const char *p = text; p && *p; p += strcspn(p, "\n"), p += *p == '\n')
        if (!strncmp(p, key, size) && !strncmp(p + size, " = ", 3)) {
            *length = strcspn(p + size + 3, "\n");
            return p + size + 3;
        }
    return NULL;
}

/* Notes the lines of `theirs` that `ours` says otherwise. */
static void compare(const xa_job *job, int model, xa_str *ours, xa_str *theirs, xa_problems *out)
{
    for (const char *p = theirs->data; p && *p; p += strcspn(p, "\n"), p += *p == '\n') {
        const char *sign = strstr(p, " = ");
        size_t length = 0;
        if (!sign)
            return;
        const size_t size = (size_t)(sign - p);
        const char *mine = line_of(ours->data, p, size, &length);
        if (mine && length == strcspn(sign + 3, "\n") && !strncmp(mine, sign + 3, length))
            continue;
        xa_problems_add(out,
                        job->file,
                        job->model_line[model],
                        true,
                        "model \"%s\": its file notes %.*s: %.*s, and the job says %.*s, which is "
                        "what counts",
                        job->audit.models[model].name,
                        (int)size,
                        p,
                        (int)strcspn(sign + 3, "\n"),
                        sign + 3,
                        mine ? (int)length : 7,
                        mine ? mine : "nothing");
    }
}

void xa__advise_input(const xa_job *job, int model, xa_problems *problems)
{
    const xa_audit_model_spec *m = &job->audit.models[model];
    xa_problems mistakes = {0}; /* of a note that this job does not need */
    xa_input_spec noted = {0};
    xa_str ours = {0}, theirs = {0};
    const xa__reading r = {.job = (xa_job *)(uintptr_t)job, .problems = &mistakes};
    xa_yaml *doc = read_note(&mistakes, (xa_ynode){0}, m->file, XA_NOTE_INPUT, false);
    if (doc)
        xa__read_map(&r, xa__yaml_root(doc), XA_JOB_INPUT, -1, &noted);
    if (doc && !mistakes.errors) {
        xa__lines l = {.out = &ours, .of = ""};
        xa__setting_lines(&l, XA_JOB_INPUT, -1, XA__PASS, &m->input);
        l.out = &theirs;
        xa__setting_lines(&l, XA_JOB_INPUT, -1, XA__PASS, &noted);
        compare(job, model, &ours, &theirs, problems);
    }
    xa__yaml_free(doc);
    xa_problems_fini(&mistakes);
    xa_str_free(&ours);
    xa_str_free(&theirs);
}

/* ---- classes ---- */

static bool same_names(const xa_classes *a, const xa_classes *b)
{
    bool same = a->count == b->count;
    for (int64_t i = 0; same && i < a->count; i++)
        same = !strcmp(a->names[i], b->names[i]);
    return same;
}

/* The models are read after the classes, which their targets name: their files alone are looked at.
 */
void xa__classes_from_file(const xa__reading *r, xa_ynode n)
{
    const xa_ynode models = xa__yaml_get(xa__yaml_root(n.doc), "models");
    const char *first = NULL;
    for (int i = 0; i < xa__yaml_count(models); i++) {
        const char *file = xa__yaml_text(xa__yaml_get(xa__yaml_at(models, i), "file"));
        char *path = file ? xa_path_beside(r->job->file, file) : NULL;
        xa_yaml *doc = path ? read_note(r->problems, n, path, XA_NOTE_CLASSES, i == 0) : NULL;
        xa_classes found = {0};
        if (doc && xa__yaml_kind(xa__yaml_root(doc)) != XA_Y_LIST)
            XA_YAML_PROBLEM(
                r->problems, n, "from-file: %s notes classes that are no list of names", path);
        else if (doc)
            xa__list_classes(r, xa__yaml_root(doc), &found);
        if (found.count && !first) {
            r->job->classes = found;
            found = (xa_classes){0};
            first = file;
        } else if (found.count && !same_names(&r->job->classes, &found)) {
            XA_YAML_PROBLEM(r->problems,
                            n,
                            "from-file: %s and %s note other classes; a job has one list: write it",
                            first,
                            file);
        }
        xa_classes_fini(&found);
        xa__yaml_free(doc);
        free(path);
    }
}
