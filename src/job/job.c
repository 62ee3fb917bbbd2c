/* The top of a job file, and its models. */
#include "job_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const head_names[] = {"softmax", "sigmoid", "multilabel", "none"};

static int parse_head(const char *name)
{
    for (size_t i = 0; i < sizeof head_names / sizeof *head_names; i++)
        if (!strcmp(head_names[i], name))
            return (int)i;
    return -1;
}

static void read_text(
    xa_ynode map, const char *what, const char *key, bool needed, char **out, xa_problems *problems)
{
    const xa_ynode n = xa_yaml_get(map, key);
    const char *text = xa_yaml_text(n);
    if (!n.id) {
        if (needed)
            XA_YAML_PROBLEM(problems, map, "%s: `%s` is missing", what, key);
        return;
    }
    if (!text || !*text) {
        XA_YAML_PROBLEM(problems, n, "%s: `%s` must be a text", what, key);
        return;
    }
    *out = xa_strdup(text);
}

static void read_path(xa_ynode map,
                      const char *what,
                      const char *key,
                      bool needed,
                      const char *job_file,
                      char **out,
                      xa_problems *problems)
{
    char *text = NULL;
    read_text(map, what, key, needed, &text, problems);
    if (text && (*out = xa_path_beside(job_file, text)))
        xa_path_tidy(*out);
    free(text);
}

static void read_classes(xa_ynode n, xa_job *job, xa_problems *problems)
{
    if (!n.id)
        return;
    if (xa_yaml_kind(n) == XA_Y_LIST) {
        const int count = xa_yaml_count(n);
        job->classes.names = xa_alloc((size_t)count + 1, sizeof(char *));
        for (int i = 0; job->classes.names && i < count; i++) {
            const char *text = xa_yaml_text(xa_yaml_at(n, i));
            if (!text || !*text)
                XA_YAML_PROBLEM(problems, xa_yaml_at(n, i), "classes: entry %d is not a name", i);
            job->classes.names[job->classes.count++] = xa_strdup(text ? text : "");
        }
        return;
    }
    if (!xa_yaml_text(n)) {
        XA_YAML_PROBLEM(problems, n, "classes: expected a file with one name a line, or a list");
        return;
    }
    xa_err why = XA_ERR_INIT;
    char *path = xa_path_beside(job->file, xa_yaml_text(n));
    if (!path || xa_classes_read(path, &job->classes, &why) != XA_OK)
        XA_YAML_PROBLEM(problems, n, "classes: %s", path ? why.message : "out of memory");
    free(path);
}

/* Behind classes and label_as, which say what the file's classes are. */
static void read_categories(xa_ynode n, xa_job *job, xa_problems *problems)
{
    const xa_classes *classes = job->classes.count ? &job->classes : NULL;
    xa_err why = XA_ERR_INIT;
    if (!n.id)
        return;
    char *path = xa_yaml_text(n) ? xa_path_beside(job->file, xa_yaml_text(n)) : NULL;
    if (!xa_yaml_text(n))
        XA_YAML_PROBLEM(
            problems, n, "categories: expected a file of lines \"name: class | class | ...\"");
    else if (!path ||
             xa_categories_read(path, classes, job->label_as, &job->categories, &why) != XA_OK)
        XA_YAML_PROBLEM(problems, n, "categories: %s", path ? why.message : "out of memory");
    free(path);
}

static void read_tolerate(xa_ynode n, xa_job *job, xa_problems *problems)
{
    const char *text = xa_yaml_text(n);
    if (!n.id)
        return;
    char number[64] = "";
    const size_t len = text ? strlen(text) : 0;
    job->tolerate_is_fraction = len > 1 && text[len - 1] == '%';
    if (text && len < sizeof number) {
        memcpy(number, text, len);
        number[len - (job->tolerate_is_fraction ? 1 : 0)] = '\0';
    }
    if (!xa_parse_f64(number, &job->tolerate_failed) || job->tolerate_failed < 0.0 ||
        (job->tolerate_is_fraction && job->tolerate_failed > 100.0))
        XA_YAML_PROBLEM(
            problems,
            n,
            "tolerate_failed: expected a number of samples, or a share such as 2%%, found %s",
            xa_job_found(n));
    if (job->tolerate_is_fraction)
        job->tolerate_failed /= 100.0;
}

static void read_store(xa_ynode n, xa_job *job, xa_problems *problems)
{
    if (!n.id)
        return;
    if (xa_yaml_kind(n) != XA_Y_MAP) {
        XA_YAML_PROBLEM(problems,
                        n,
                        "store: expected a map, such as { thumbnails: 256 }, found %s",
                        xa_job_found(n));
        return;
    }
    xa_job_check_keys(n, XA_JOB_STORE, problems);
    xa_job_i64(
        xa_yaml_get(n, "thumbnails"), "thumbnails", 16, 2048, &job->audit.thumbnails, problems);
}

static void read_limits(xa_ynode n, xa_job *job, xa_problems *problems)
{
    if (!n.id)
        return;
    if (xa_yaml_kind(n) != XA_Y_MAP) {
        XA_YAML_PROBLEM(problems,
                        n,
                        "limits: expected a map, such as { max_pixels: 100000000 }, found %s",
                        xa_job_found(n));
        return;
    }
    xa_job_check_keys(n, XA_JOB_LIMITS, problems);
    xa_decode_options *d = &job->audit.decode;
    const int64_t most = (int64_t)1 << 40;
    xa_job_i64(xa_yaml_get(n, "max_pixels"), "max_pixels", 1, most, &d->max_pixels, problems);
    xa_job_i64(xa_yaml_get(n, "max_bytes"), "max_bytes", 1, most, &d->max_bytes, problems);
    xa_job_i64(xa_yaml_get(n, "max_samples"), "max_samples", 1, most, &job->max_samples, problems);
}

/* Names, one a line; NULL without any. */
static char *read_user_classes(xa_ynode n, xa_problems *problems)
{
    xa_str list = {0};
    if (!n.id)
        return NULL;
    if (xa_yaml_kind(n) != XA_Y_LIST)
        XA_YAML_PROBLEM(
            problems,
            n,
            "user_classes: expected a list of classes, such as [\"my>Conv2D\"], found %s",
            xa_job_found(n));
    for (int i = 0; xa_yaml_kind(n) == XA_Y_LIST && i < xa_yaml_count(n); i++) {
        const char *text = xa_yaml_text(xa_yaml_at(n, i));
        if (!text || !*text || strpbrk(text, "\n,"))
            XA_YAML_PROBLEM(
                problems, xa_yaml_at(n, i), "user_classes: entry %d is no name of a class", i);
        else
            xa_str_printf(&list, "%s%s", list.len ? "\n" : "", text);
    }
    return list.data;
}

static void read_model(xa_ynode n, xa_job *job, xa_audit_model_spec *m, xa_problems *problems)
{
    if (xa_yaml_kind(n) != XA_Y_MAP) {
        XA_YAML_PROBLEM(
            problems, n, "models: expected a map with name, file, input and explainers");
        return;
    }
    xa_job_check_keys(n, XA_JOB_MODEL, problems);
    m->open = xa_model_defaults();
    read_text(n, "model", "name", true, &m->name, problems);
    if (m->name && !xa_job_name_ok(m->name))
        XA_YAML_PROBLEM(problems,
                        n,
                        "model name \"%s\": expected at most 60 letters, digits and _ . -",
                        m->name);
    read_path(n, "model", "file", true, job->file, &m->file, problems);
    char *architecture = NULL, *head = NULL;
    int kind;
    read_path(n, "model", "architecture", false, job->file, &architecture, problems);
    m->open.architecture = architecture;
    if (xa_job_choice(xa_yaml_get(n, "head"), "head", parse_head, head_names, 4, &kind, problems) &&
        xa_yaml_get(n, "head").id)
        head = xa_strdup(head_names[kind]);
    m->open.head = head;
    m->open.user_classes = read_user_classes(xa_yaml_get(n, "user_classes"), problems);
    xa_job_i64(xa_yaml_get(n, "batch"), "batch", 1, 4096, &m->batch, problems);
    xa_job_bool(xa_yaml_get(n, "interpolate_positions"),
                "interpolate_positions",
                &m->open.interpolate_positions,
                problems);
    if (!xa_yaml_get(n, "input").id)
        XA_YAML_PROBLEM(problems,
                        n,
                        "model: `input` is missing, such as { size: [299, 299], resize: "
                        "pil-bilinear, scale: tf }");
    else
        xa_job_read_input(xa_yaml_get(n, "input"), &m->input, problems);
    if (!xa_yaml_get(n, "explainers").id)
        XA_YAML_PROBLEM(problems, n, "model: `explainers` is missing");
    else
        xa_job_read_explainers(xa_yaml_get(n, "explainers"), &job->classes, m, problems);
}

static void read_models(xa_ynode list, xa_job *job, xa_problems *problems)
{
    const int n = xa_yaml_count(list);
    if (xa_yaml_kind(list) != XA_Y_LIST || n < 1 || n > 64) {
        XA_YAML_PROBLEM(problems, list, "models: expected a list of 1 to 64 models");
        return;
    }
    job->audit.models = xa_alloc((size_t)n, sizeof(xa_audit_model_spec));
    job->model_line = xa_alloc((size_t)n, sizeof(int64_t));
    for (int i = 0; job->audit.models && job->model_line && i < n; i++) {
        xa_audit_model_spec *m = &job->audit.models[job->audit.nmodels];
        job->model_line[i] = xa_yaml_line(xa_yaml_at(list, i));
        job->audit.nmodels++;
        read_model(xa_yaml_at(list, i), job, m, problems);
        for (int k = 0; k < i; k++)
            if (m->name && job->audit.models[k].name && !strcmp(m->name, job->audit.models[k].name))
                XA_YAML_PROBLEM(
                    problems, xa_yaml_at(list, i), "two models are called \"%s\"", m->name);
        if (m->input.ignore_orientation != job->audit.models[0].input.ignore_orientation)
            XA_YAML_PROBLEM(problems,
                            xa_yaml_at(list, i),
                            "input: orientation: every image is decoded once for all models of a "
                            "job, in one frame: model \"%s\" needs the orientation of the first, "
                            "or a job of its own",
                            m->name ? m->name : "");
    }
    job->audit.decode.ignore_orientation = job->audit.models[0].input.ignore_orientation;
}

/* A path, or { wsol: folder, images: folder, masks: folder }. */
static void read_manifest(xa_ynode root, xa_job *job, xa_problems *problems)
{
    const xa_ynode n = xa_yaml_get(root, "manifest");
    if (xa_yaml_kind(n) != XA_Y_MAP) {
        read_path(root, "job", "manifest", true, job->file, &job->manifest, problems);
        return;
    }
    xa_job_check_keys(n, XA_JOB_MANIFEST, problems);
    read_path(n, "manifest", "wsol", true, job->file, &job->manifest, problems);
    read_path(n, "manifest", "images", true, job->file, &job->wsol_images, problems);
    read_path(n, "manifest", "masks", false, job->file, &job->wsol_masks, problems);
}

static void read_numerics(xa_ynode n, xa_job *job, xa_problems *problems)
{
    const char *text = xa_yaml_text(n);
    for (int i = 0; text && i < XA_NUMERICS_COUNT; i++)
        if (!strcmp(text, xa_numerics_name((xa_numerics)i))) {
            job->numerics = (xa_numerics)i;
            for (int m = 0; m < job->audit.nmodels; m++)
                job->audit.models[m].open.numerics = job->numerics;
            return;
        }
    if (n.id)
        XA_YAML_PROBLEM(
            problems, n, "numerics: expected strict or fast, found %s", xa_job_found(n));
}

/* What becomes of boxes whose image is a larger or smaller copy of what was annotated. */
static void read_frame(xa_ynode n, xa_job *job, xa_problems *problems)
{
    const char *text = xa_yaml_text(n);
    job->audit.rescale_frames = text && !strcmp(text, "rescale");
    if (n.id && !job->audit.rescale_frames && !(text && !strcmp(text, "refuse")))
        XA_YAML_PROBLEM(
            problems, n, "frame: expected refuse or rescale, found %s", xa_job_found(n));
}

/* "model/explainer" of the first maps with values below 0, or NULL. */
static char *first_signed(const xa_audit_spec *s)
{
    for (int m = 0; m < s->nmodels; m++)
        for (int e = 0; e < s->models[m].nexplainers; e++)
            if (xa_explainer_is_signed(&s->models[m].explainers[e]))
                return xa_strfmt("%s/%s", s->models[m].name, s->models[m].explainers[e].name);
    return NULL;
}

static void read_top(xa_ynode root, xa_job *job, xa_problems *problems)
{
    int64_t threads = 1;
    if (xa_yaml_kind(root) != XA_Y_MAP) {
        XA_YAML_PROBLEM(problems, root, "a job is a map with manifest, output and models");
        return;
    }
    xa_job_check_keys(root, XA_JOB_JOB, problems);
    read_manifest(root, job, problems);
    if (!job->output)
        read_path(root, "job", "output", true, job->file, &job->output, problems);
    read_classes(xa_yaml_get(root, "classes"), job, problems);
    const xa_ynode as = xa_yaml_get(root, "label_as");
    const char *text = xa_yaml_text(as);
    if (text && !strcmp(text, "name"))
        job->label_as = XA_LABEL_NAME;
    else if (text && !strcmp(text, "index"))
        job->label_as = XA_LABEL_INDEX;
    else if (as.id)
        XA_YAML_PROBLEM(
            problems, as, "label_as: expected name or index, found %s", xa_job_found(as));
    read_categories(xa_yaml_get(root, "categories"), job, problems);
    xa_job_i64(xa_yaml_get(root, "threads"), "threads", 1, 1024, &threads, problems);
    job->threads = (int)threads;
    read_tolerate(xa_yaml_get(root, "tolerate_failed"), job, problems);
    read_limits(xa_yaml_get(root, "limits"), job, problems);
    if (!xa_yaml_get(root, "models").id)
        XA_YAML_PROBLEM(problems, root, "job: `models` is missing");
    else
        read_models(xa_yaml_get(root, "models"), job, problems);
    char *signed_map = first_signed(&job->audit);
    xa_job_read_metrics(xa_yaml_get(root, "metrics"), signed_map, &job->audit, problems);
    free(signed_map);
    xa_job_read_checks(xa_yaml_get(root, "checks"), &job->audit, problems);
    read_store(xa_yaml_get(root, "store"), job, problems);
    read_numerics(xa_yaml_get(root, "numerics"), job, problems);
    read_frame(xa_yaml_get(root, "frame"), job, problems);
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
        XA_RETURN_FAIL(err, XA_NOMEM, "--set: out of memory");
    const xa_status st = xa_yaml_set(y, key, eq + 1, err);
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
    xa_job j = {.text_size = size, .threads = 1, .max_samples = 50000000};
    j.audit.decode = xa_decode_defaults();
    j.file = xa_strdup(file);
    j.text = xa_strndup(text, size);
    if (!j.file || !j.text)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", file);
    if (opt && opt->output && !(j.output = xa_strdup(opt->output)))
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", file);
    st = xa_yaml_parse(file, text, size, problems, &y, err);
    if (st == XA_NOMEM)
        XA_NOMEM_FAIL(err);
    if (st != XA_OK)
        XA_FAIL(err, XA_INVALID, "%s is not a job file", file);
    for (int i = 0; opt && i < opt->nset; i++) {
        xa_err why = XA_ERR_INIT;
        if (apply_set(y, opt->set[i], &why) != XA_OK)
            xa_problems_add(problems, file, 0, false, "%s", why.message);
    }
    read_top(xa_yaml_root(y), &j, problems);
    if (problems->errors)
        XA_FAIL(err,
                XA_INVALID,
                "%s has %zu mistake%s",
                file,
                problems->errors,
                problems->errors == 1 ? "" : "s");
    *job = j;
    xa_yaml_free(y);
    return XA_OK;
done:
    xa_yaml_free(y);
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
    free(j->model_line);
    xa_classes_fini(&j->classes);
    xa_categories_fini(&j->categories);
    xa_audit_spec_fini(&j->audit);
    *j = (xa_job){0};
}
