/* A paragraph for the methods section of a paper, from the attributes of an archive. */
#include "xaudit/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/explain.h"
#include "xaudit/summary.h"
#include "xaudit/view.h"

enum { MAX_REFERENCES = 64 };

typedef struct paper {
    FILE *out;
    xa_read *r;
    char *references[MAX_REFERENCES]; /* each once, in the order in which they are cited */
    int count;
} paper;

/* An attribute as text, "" when absent; free(). */
static char *attribute(const paper *p, const char *path, const char *name)
{
    char *text = NULL;
    if (xa_archive_attr_text(p->r->archive, path, name, &text, NULL) != XA_OK || !text)
        return xa_strdup("");
    return text;
}

/* The number of a reference, which is added if it is new; 0 if there is none. */
static int cite(paper *p, const char *reference)
{
    if (!reference || !*reference)
        return 0;
    for (int i = 0; i < p->count; i++)
        if (!strcmp(p->references[i], reference))
            return i + 1;
    if (p->count == MAX_REFERENCES || !(p->references[p->count] = xa_strdup(reference)))
        return 0;
    return ++p->count;
}

static void put_citation(paper *p, const char *path)
{
    char *reference = attribute(p, path, "reference");
    const int n = cite(p, reference);
    if (n)
        fprintf(p->out, " [%d]", n);
    free(reference);
}

/* Rules that took the gradient's place. */
static void put_rules(paper *p, const char *path)
{
    char *rules = attribute(p, path, "backward");
    const bool attn = !strcmp(rules, xa_rules_name(XA_RULES_ATTNLRP));
    if (*rules)
        fprintf(p->out,
                ", the gradient by the rules of %s [%d]",
                attn ? "AttnLRP" : "CP-LRP",
                cite(p,
                     attn ? "Achtibat et al.: AttnLRP: attention-aware layer-wise relevance "
                            "propagation for transformers, ICML 2024"
                          : "Ali et al.: XAI for transformers: better explanations through "
                            "conservative propagation, ICML 2022"));
    free(rules);
}

/* Readers must know if the job chose other numerics than strict. */
static void put_numerics(paper *p)
{
    char *identity = NULL;
    if (xa_archive_text(p->r->archive, XA_FIELD_IDENTITY_TEXT, &identity, NULL) != XA_OK)
        return;
    const char *line = identity ? strstr(identity, "numerics = ") : NULL;
    const char *word = line ? line + strcspn(line, ",\n") : "";
    if (strncmp(word, ", fast", 6) == 0)
        fprintf(
            p->out,
            "3x3 convolutions were computed by Winograd's minimal filtering [%d].\n",
            cite(p, "Lavin, Gray: Fast algorithms for convolutional neural networks, CVPR 2016"));
    else if (strncmp(word, ", bf16-gradient", 15) == 0)
        fputs("Weights and gradients were rounded to bfloat16 in the products of backward passes, "
              "and "
              "summed in single precision; forward passes are in single precision.\n",
              p->out);
    else if (strncmp(word, ", bf16", 6) == 0)
        fputs("Operands of products with weights were rounded to bfloat16 in forward and backward "
              "passes, and summed in single precision.\n",
              p->out);
    free(identity);
}

static void put_accuracy(const paper *p, const xa_read_model *m)
{
    int64_t labelled = 0, right = 0, done = 0;
    for (int64_t i = 0; i < p->r->samples; i++) {
        if (m->status[i] != XA_SAMPLE_DONE)
            continue;
        done++;
        if (p->r->label_offset[i + 1] == p->r->label_offset[i] || m->values)
            continue;
        labelled++;
        right += xa_read_has_label(p->r, i, m->predicted[i]);
    }
    fprintf(p->out, " %" PRId64 " of %" PRId64 " images were explained", done, p->r->samples);
    if (labelled)
        fprintf(p->out,
                "; the predicted class was a label of %.1f %% (%" PRId64 " of %" PRId64 ")",
                100.0 * (double)right / (double)labelled,
                right,
                labelled);
    if (p->r->categories.count)
        fprintf(p->out,
                ". Of the categories, %d stand for sets of classes: the class with the highest "
                "logit of a set was explained, and a prediction inside it is right",
                (int)p->r->categories.count);
    fputs(".\n", p->out);
}

static void put_explainer(paper *p, const char *model, const xa_read_map *x)
{
    static const char *const of[][2] = {{"predicted", "the predicted class"},
                                        {"label", "the labelled class"},
                                        {"annotated", "each annotated class"},
                                        {"none", "no class in particular"},
                                        {"class", "one fixed class"},
                                        {"top", "each of the classes with the highest scores"}};
    /* what single kinds have besides, in words */
    static const char *const more[][2] = {
        {"fuse", ", their maps over their maxima joined by the pixelwise %s"},
        {"norm", ", heads weighted by the %s norm of their gradients"},
        {"pool", ", the tokens of a block scored as one by %s"}};
    char *path = xa_strdup(xa_field_group(XA_FIELD_MAP_SAMPLE, model, x->name).text);
    if (!path)
        return;
    char *target = attribute(p, path, "target"), *score = attribute(p, path, "score");
    char *profile = attribute(p, path, "profile"), *store = attribute(p, path, "channels");
    char *text = attribute(p, path, "target_text"), *asked = attribute(p, path, "asked");
    text[strcspn(text, ",")] = '\0';          /* the direction is said below */
    const char *whom = *text ? text : target; /* "class 3 minus class 5", "unit 2" */
    const bool several = (x->rule == XA_TARGET_DIFFERENCE || x->rule == XA_TARGET_UNIT ||
                          x->rule == XA_TARGET_TOP) &&
                         strcmp(score, xa_score_name(XA_SCORE_FINER)) != 0;
    for (size_t k = 0; k < sizeof of / sizeof *of; k++)
        if (!strcmp(target, of[k][0]))
            whom = of[k][1];
    fprintf(p->out, "%s (%s", x->name, x->kind ? x->kind : "kind not stored");
    put_citation(p, path);
    fprintf(p->out,
            "), of %s%s%s%s",
            several ? "the " : "",
            several ? score : "",
            several ? " of " : "",
            whom);
    if (!strcmp(score, xa_score_name(XA_SCORE_FINER)))
        fprintf(p->out,
                "'s logit against those of the three classes nearest to it, weighted by their "
                "probabilities [%d]",
                cite(p,
                     "Zhang et al.: Finer-CAM: spotting the difference reveals finer details for "
                     "visual explanation, CVPR 2025"));
    else if (*score && strcmp(target, "none") != 0 && !several)
        fprintf(p->out, "'s %s", score);
    if (x->down)
        fputs(", with the other sign", p->out);
    put_rules(p, path);
    if (x->layer && *x->layer)
        fprintf(p->out, ", layer %s", x->layer);
    for (size_t k = 0; k < sizeof more / sizeof *more; k++) {
        char *value = attribute(p, path, more[k][0]);
        if (*value)
            fprintf(p->out, more[k][1], value);
        free(value);
    }
    if (*store)
        fprintf(p->out, ", %s over the channels", store);
    if (*asked)
        fprintf(p->out, ", from %s", asked);
    if (*profile)
        fprintf(p->out, ", profile %s", profile);
    free(target);
    free(text);
    free(asked);
    free(score);
    free(profile);
    free(store);
    free(path);
}

static void put_model(paper *p, const xa_read_model *m)
{
    char *path = xa_strdup(xa_field_group(XA_FIELD_MODEL_STATUS, m->name, NULL).text);
    double size[2] = {0};
    int64_t n = 0;
    if (!path)
        return;
    char *file = attribute(p, path, "file"), *sha = attribute(p, path, "sha256");
    char *origin = attribute(p, path, "origin"), *head = attribute(p, path, "head");
    char *resize = attribute(p, path, "resize"), *scale = attribute(p, path, "scale");
    char *orientation = attribute(p, path, "orientation");
    if (xa_archive_attr_f64(p->r->archive, path, "input_size", size, 2, &n, NULL) != XA_OK)
        n = 0;
    char with[64] = "plain scores without probabilities";
    if (m->values)
        snprintf(with, sizeof with, "regression");
    else if (strcmp(head, xa_head_name(XA_HEAD_NONE)) != 0)
        snprintf(with, sizeof with, "%.40s head", head);
    fprintf(p->out,
            "Model %s (%s; %s; SHA-256 %.16s...; %s, %" PRId64 " %s) saw images resized to %.0f x "
            "%.0f (height x width) by %s and scaled by \"%s\".",
            m->name,
            file,
            origin,
            sha,
            with,
            m->classes,
            m->values ? "outputs" : "classes",
            n == 2 ? size[0] : 0.0,
            n == 2 ? size[1] : 0.0,
            resize,
            scale);
    if (orientation && !strcmp(orientation, "ignore"))
        fputs(" The EXIF orientation of images was ignored, as by the loader it was trained with.",
              p->out);
    put_accuracy(p, m);
    fprintf(p->out, "Explanations of %s: ", m->name);
    for (int64_t e = 0; e < m->nmaps; e++) {
        if (e)
            fputs("; ", p->out);
        put_explainer(p, m->name, &m->maps[e]);
    }
    fputs(".\n", p->out);
    free(file);
    free(sha);
    free(origin);
    free(head);
    free(resize);
    free(scale);
    free(orientation);
    free(path);
}

/* These are the defaults of xaudit summary. */
static void put_statistics(paper *p, const xa_summary *s)
{
    fprintf(
        p->out,
        "Intervals are 95 %% expanded percentile bootstrap intervals (Hesterberg, The American "
        "Statistician 69, 2015), 1000 replicates, seed 1, %s; rates over single images and "
        "rates of 0 and 1 have Wilson's interval; every replicate re-takes maxima over "
        "thresholds; fewer than %d groups, and rates whose groups are nearly all 0 or 1 (less "
        "than %d groups' worth of the rarer), have none. Scores of two explainers that differ by "
        "at most 1e-6 of the larger one tie (float32 rounding). p values of paired comparisons are "
        "of sign flips by %s (Fisher 1935; Ernst, Statistical Science 19, 2004), all counted "
        "where they are few or sums are whole, else random ones with (b + 1) / (m + 1) "
        "(Phipson and Smyth 2010), as many as Holm's decision at 0.05 needs (Gandy and Hahn, "
        "Scandinavian Journal of Statistics 41, 2014), at most 1000000; box accuracies "
        "are compared at each explainer's own best thresholds; those of parts of the "
        "images are of exchanged %s with a studentised difference (Chung and Romano, Annals "
        "of Statistics 41, 2013). They are adjusted by Holm's method over the comparisons of "
        "a metric within a model.\n",
        s->grouped ? "groups drawn together" : "units of an image drawn together (no group column)",
        (int)XA_STATS_LEAST_GROUPS,
        (int)XA_STATS_LEAST_SHARE,
        s->grouped ? "groups" : "images",
        s->grouped ? "groups" : "images");
}

static bool is_alike(const xa_series *x, const xa_series *y)
{
    return !strcmp(x->metric, y->metric) &&
           !strcmp(x->conventions ? x->conventions : "", y->conventions ? y->conventions : "");
}

/* Lists the metrics, or the checks, of all explainers; those with equal conventions once. */
static void put_series(paper *p, const xa_summary *s, bool checks)
{
    int listed = 0;
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        bool seen = x->baseline || (x->is == XA_SERIES_CHECK) != checks || x->checked;
        for (int k = 0; k < i && !seen; k++)
            seen = !s->series[k].baseline && is_alike(x, &s->series[k]);
        if (seen)
            continue;
        char *path =
            xa_strdup(xa_field_name(XA_FIELD_LOCALISATION, x->model, x->explainer, x->metric).text);
        fprintf(p->out, "%s%s", listed++ ? "; " : "", x->metric);
        if (path && !checks)
            put_citation(p, path);
        fprintf(p->out, " (%s)", x->conventions ? x->conventions : "conventions not stored");
        free(path);
    }
}

/* Checks with settings, each once, with their references, rivals and what they object to. */
static void put_checks(paper *p, const xa_summary *s)
{
    int listed = 0;
    bool rivals = false;
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        bool seen = !xa_series_is_head(x);
        rivals = rivals || xa_series_is_difference(x, NULL);
        for (int k = 0; k < i && !seen; k++)
            seen = s->series[k].checked && is_alike(x, &s->series[k]);
        if (seen)
            continue;
        const int kind = xa_faith_kind_parse(x->checked->kind);
        const char *what = kind < 0 ? x->conventions : xa_faith_description((xa_faith_kind)kind);
        fprintf(p->out,
                "%s%s",
                listed++ ? "; " : "Maps were compared with their model's behaviour by ",
                x->checked->name);
        if (kind >= 0) {
            const int n = cite(p, xa_faith_reference((xa_faith_kind)kind));
            const char *last = strrchr(what, '('); /* the reference, which stands at the end */
            fprintf(p->out,
                    " [%d] (%.*s; %s)",
                    n,
                    last && last > what ? (int)(last - what - 1) : (int)strlen(what),
                    what,
                    x->checked->settings);
        } else {
            fprintf(p->out, " (%s)", what);
        }
    }
    if (listed)
        fputs(". Images were taken from all classes alike. ", p->out);
    if (rivals) {
        fputs("Beside each figure stand those of maps that do not look at the model (", p->out);
        for (int k = 0; k < XA_RIVAL_COUNT; k++)
            fprintf(p->out,
                    "%s%s: %s",
                    k ? "; " : "",
                    xa_rival_name((xa_rival_kind)k),
                    xa_rival_description((xa_rival_kind)k));
        fputs("), and differences to them are paired by image. ", p->out);
    }
}

/* The verdicts, by the plan of xaudit summary. */
static xa_status put_judged(paper *p, const xa_summary *s, xa_err *err)
{
    const xa_stats_plan plan = {.seed = 1,
                                .stream = 1,
                                .replicates = 1000,
                                .level = 0.95,
                                .draws = xa_stats_draws_create()};
    xa_judged *j = NULL;
    int n = 0;
    const xa_status st = xa_summary_judge(s, &plan, &j, &n, err);
    xa_stats_draws_free(plan.draws);
    XA_RETURN_TRY(err, st);
    if (n)
        fprintf(p->out, "%s What was found: ", xa_judged_rules());
    for (int i = 0; i < n; i++) {
        fprintf(p->out, "%s%s of %s: ", i ? "; " : "", j[i].explainer, j[i].model);
        for (int k = 0; k < j[i].n; k++)
            fprintf(p->out, "%s%s", k ? ", " : "", j[i].text[k]);
    }
    if (n)
        fputs(". ", p->out);
    xa_judged_free(j, n);
    return XA_OK;
}

static xa_status put_metrics(paper *p, const xa_summary *s, xa_err *err)
{
    bool any[2] = {false, false};
    for (int i = 0; i < s->nseries; i++)
        if (!s->series[i].checked)
            any[s->series[i].is == XA_SERIES_CHECK ? 1 : 0] = true;
    if (any[0]) {
        fprintf(p->out,
                "Localisation was scored on %" PRId64
                " pairs of image and annotated class, from the maps "
                "as stored: ",
                p->r->pairs);
        put_series(p, s, false);
        fputs(". ", p->out);
    }
    if (any[1]) {
        fputs("Each map was checked by ", p->out);
        put_series(p, s, true);
        fputs(". ", p->out);
    }
    put_checks(p, s);
    XA_RETURN_TRY(err, put_judged(p, s, err));
    if (s->nseries) {
        fputs("Undefined scores are left out and counted. ", p->out);
        put_statistics(p, s);
    }
    return XA_OK;
}

xa_status xa_print_methods(const char *archive, FILE *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_summary *s = NULL;
    xa_sessions sessions = {0};
    char *version = NULL, *manifest = NULL, *identity = NULL;
    XA_TRY(err, xa_summary_open(archive, NULL, &s, err));
    paper p = {.out = out, .r = s->r};
    version = attribute(&p, "/", "tool_version");
    manifest = attribute(&p, "/", "manifest_sha256");
    fprintf(
        out, "The audit was made with xaudit %s (manifest SHA-256 %.16s...).\n", version, manifest);
    XA_TRY(err, xa_sessions_read(s->r->archive, &sessions, err));
    xa_sessions_tell(&sessions, out);
    put_numerics(&p);
    for (int64_t m = 0; m < s->r->nmodels; m++)
        put_model(&p, &s->r->models[m]);
    XA_TRY(err, put_metrics(&p, s, err));
    identity = attribute(&p, "/", "identity");
    fprintf(out, "Archive identity: %s.\n", identity);
    for (int i = 0; i < p.count; i++) {
        fprintf(out, "%s[%d] %s\n", i ? "" : "\n", i + 1, p.references[i]);
        free(p.references[i]);
    }
done:
    free(version);
    free(manifest);
    free(identity);
    xa_sessions_fini(&sessions);
    xa_summary_close(s);
    return st;
}
