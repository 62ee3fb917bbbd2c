/* xaudit check: reads a job as a run would, and reports every mistake at once. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "xaudit/check.h"
#include "xaudit/job.h"
#include "xaudit/print.h"

/* What an explainer asks, and how many passes that is. */
static void print_asked(const xa_loaded *l, int m, int e)
{
    const xa_asks asks = xa_audit_asks(l->audit, m, e);
    char asked[160];
    if (!asks.draws)
        return;
    xa_explainer_asked_text(&l->job.audit.models[m].explainers[e], asked, sizeof asked);
    printf("        asks about %s: %" PRId64 " forward passes%s an image and target",
           asked,
           asks.draws,
           asks.at_layer ? " from the layer on" : "");
    if (asks.gradients)
        printf(", %" PRId64 " of them with a backward pass", asks.gradients);
    putchar('\n');
}

static void print_explainers(const xa_loaded *l, int m)
{
    const xa_audit_model_spec *s = &l->job.audit.models[m];
    char shape[96], target[96];
    for (int e = 0; e < s->nexplainers; e++) {
        const xa_explainer_spec *ex = &s->explainers[e];
        const xa_shape map = xa_audit_map_shape(l->audit, m, e);
        const char *layer = xa_audit_layer(l->audit, m, e);
        fputs("    ", stdout);
        xa_put_whole(stdout, ex->name, 28);
        putchar(' ');
        xa_explainer_target_text(ex, target, sizeof target);
        if (ex->target == XA_TARGET_NONE)
            printf("explains no class");
        else
            printf("score %s, target %s", xa_score_name(ex->score), target);
        if (*layer)
            printf(", layer %s%s", layer, strcmp(ex->layer, "auto") ? "" : " (chosen by auto)");
        for (int i = 0; i < ex->nlayers; i++)
            printf("%s%s", i ? " " : ", layers ", xa_audit_layers(l->audit, m, e, i));
        if (xa_explainer_get(ex->kind)->needs & XA_NEEDS_PROBES)
            printf(", %d passes of one block more",
                   xa_model_tokens(xa_audit_model_of(l->audit, m))->nlayers);
        printf(", map %s %s\n", xa_shape_text(&map, shape, sizeof shape), ex->half ? "f16" : "f32");
        print_asked(l, m, e);
    }
}

static void print_model(const xa_loaded *l, int m, bool layers)
{
    const xa_audit_model_spec *s = &l->job.audit.models[m];
    const xa_model *model = xa_audit_model_of(l->audit, m);
    const xa_shape in = xa_model_input(model), own = xa_model_file_input(model);
    char a[96], b[96], c[32], d[32], e[32], f[32];
    xa_plan_info info;
    xa_audit_plan_info(l->audit, m, &info);
    printf("model %s: %s\n", s->name, s->file);
    printf("    %s; %d layers, %.2f million parameters\n",
           xa_model_origin(model),
           xa_model_layers(model),
           (double)xa_graph_parameters(xa_model_graph(model)) / 1e6);
    printf("    input %s", xa_shape_text(&in, a, sizeof a));
    if (!xa_shape_equal(&in, &own))
        printf(" (the file says %s, 0 = open)", xa_shape_text(&own, b, sizeof b));
    printf(", %s, scale %s; %" PRId64 " classes, %s head\n",
           xa_resample_name(s->input.resize),
           xa_scale_name(s->input.scale.kind),
           xa_audit_classes(l->audit, m),
           xa_head_name(xa_model_head(model)->kind));
    const xa_tokens *t = xa_model_tokens(model);
    if (t)
        printf("    tokens: %" PRId64 " + %" PRId64 "x%" PRId64 " patches, %d attention layers%s\n",
               t->prefix,
               t->height,
               t->width,
               t->nlayers,
               t->query < 0 ? ", the head reads the mean of the patches" : "");
    printf("    %.2f GFLOP forward and %.2f GFLOP backward per image; %d + %d steps (%d folded, %d "
           "fused), "
           "batch %" PRId64 ", %d backward pass%s\n",
           info.flops_forward / 1e9,
           info.flops_backward / 1e9,
           info.steps_forward,
           info.steps_backward,
           info.folded,
           info.fused,
           info.batch,
           xa_audit_passes(l->audit, m),
           xa_audit_passes(l->audit, m) == 1 ? "" : "es");
    printf("    memory: weights %s (once per node), activations %s per rank, of them %s kept for "
           "backward "
           "and %s scratch\n",
           xa_bytes_text((double)info.weight_bytes, c, sizeof c),
           xa_bytes_text((double)info.arena_bytes, d, sizeof d),
           xa_bytes_text((double)info.saved_bytes, e, sizeof e),
           xa_bytes_text((double)info.scratch_bytes, f, sizeof f));
    print_explainers(l, m);
    xa_cost cost;
    xa_cost_of(l, m, &cost);
    if (cost.asked > 0.0)
        printf(
            "    cost: %.2f GFLOP for the image itself, %.2f GFLOP for what explainers ask (%.1f "
            "times as much), for one target an image\n",
            cost.plain / 1e9,
            cost.asked / 1e9,
            cost.asked / cost.plain);
    xa_err why = XA_ERR_INIT;
    if (l->manifest && xa_print_costs(l, m, NULL, stdout, &why) != XA_OK)
        xa_print_error(&why);
    if (layers) {
        xa_str text = {0};
        xa_audit_plan_describe(l->audit, m, &text);
        if (text.data)
            fputs(text.data, stdout);
        xa_str_free(&text);
    }
}

static void print_manifest(const xa_loaded *l)
{
    const xa_manifest *m = l->manifest;
    int64_t labelled = 0, annotated = 0, excluded = 0, boxes = 0, masks = 0;
    for (int64_t i = 0; i < m->count; i++) {
        const xa_sample *s = &m->samples[i];
        labelled += s->nlabels > 0;
        annotated += s->nannotations > 0;
        excluded += s->exclude != NULL;
        for (int32_t k = 0; k < s->nannotations; k++)
            if (s->annotations[k].kind == XA_ANNOTATION_BOX)
                boxes++;
            else
                masks++;
    }
    printf("manifest %s: %" PRId64 " samples, %" PRId64 " labelled, %" PRId64 " annotated (%" PRId64
           " boxes, %" PRId64 " masks), %" PRId64 " excluded\n",
           m->file,
           m->count,
           labelled,
           annotated,
           boxes,
           masks,
           excluded);
}

/* Looks for image files that are missing, and at the first ones for samples that need a `depth`. Of
 * each kind the first are reported. */
static void check_images(const xa_loaded *l, xa_problems *problems)
{
    const xa_manifest *m = l->manifest;
    int64_t missing = 0, deep = 0;
    const int64_t probe = 64;
    for (int64_t i = 0; i < m->count; i++) {
        const xa_sample *s = &m->samples[i];
        if (s->exclude)
            continue;
        if (access(s->file, R_OK)) {
            if (missing++ < 5)
                xa_problems_add(problems,
                                m->file,
                                s->line,
                                true,
                                "image \"%s\" is missing or cannot be read; its row would say so",
                                s->file);
            continue;
        }
        xa_image im = {0};
        xa_err why = XA_ERR_INIT;
        if (i >= probe || deep)
            continue;
        if (xa_image_probe(s->file, &l->job.audit.decode, &im, &why) != XA_OK)
            xa_problems_add(problems, m->file, s->line, true, "%s", why.message);
        else if (im.type != XA_PIXEL_U8)
            for (int k = 0; k < l->job.audit.nmodels; k++)
                if (l->job.audit.models[k].input.depth.kind == XA_DEPTH_NONE && !deep++)
                    xa_problems_add(
                        problems,
                        l->job.file,
                        l->job.model_line[k],
                        false,
                        "image \"%s\" has %s samples (%d bits): say in `input` how they become "
                        "0..255, such as depth: div257 or depth: { window: [low, high] }",
                        s->file,
                        xa_pixel_name(im.type),
                        im.bits);
        xa_image_fini(&im);
    }
    if (missing > 5)
        xa_problems_add(problems,
                        m->file,
                        0,
                        true,
                        "%" PRId64 " images are missing or cannot be read",
                        missing);
}

static void print_memory(const xa_loaded *l, const xa_memory *y)
{
    char a[32], b[32], c[32], d[32], e[32];
    const double n = (double)l->manifest->count;
    printf("memory: %s per rank and %s of weights per node, and what MPI and HDF5 need "
           "themselves (less than 100 MB)\n"
           "    rank 0 in addition: %s for %" PRId64
           " samples (%.0f bytes each): %s while the manifest is read, %s at the end\n",
           xa_bytes_text(y->rank, a, sizeof a),
           xa_bytes_text(y->node, b, sizeof b),
           xa_bytes_text(y->first, c, sizeof c),
           l->manifest->count,
           y->first / (n > 0.0 ? n : 1.0),
           xa_bytes_text(y->reading, d, sizeof d),
           xa_bytes_text(y->ending, e, sizeof e));
}

/* The archive that a run would write. *stands: why a run could not continue the one that exists. */
static xa_status print_output(const xa_run_options *opt,
                              const xa_loaded *l,
                              xa_memory *memory,
                              xa_problems *problems,
                              xa_err *stands,
                              xa_err *err)
{
    xa_counts counts;
    xa_contents *contents = NULL;
    xa_str identity = {0};
    char size[32];
    xa_status st = XA_OK;
    xa_counts_of(l->manifest, &counts);
    XA_TRY(err, xa_job_identity(&l->job, l->audit, l->manifest, &identity, err));
    XA_TRY(
        err,
        xa_contents_create(&l->job, l->audit, &counts, l->manifest, identity.data, &contents, err));
    xa_memory_of(l, contents, memory);
    print_memory(l, memory);
    const double bytes = (double)xa_schema_bytes(contents->schema);
    const xa_status there =
        opt->fresh ? XA_NOT_FOUND
                   : xa_check_archive(
                         l->job.output, identity.data, l->job.file, opt->retry_failed, stands);
    printf("output %s: %s; %s\n",
           l->job.output,
           xa_bytes_text(bytes, size, sizeof size),
           there == XA_OK          ? "the archive exists, and a run would resume it"
           : opt->fresh            ? "a run would begin it anew"
           : there == XA_NOT_FOUND ? "a run would create it"
                                   : "the archive exists, and this job cannot continue it");
    if (there == XA_NOT_FOUND)
        *stands = (xa_err)XA_ERR_INIT;
    xa_check_output(l, there == XA_OK ? 0.0 : bytes, problems);
done:
    xa_contents_free(contents);
    xa_str_free(&identity);
    return st;
}

/* Prints what was read, and checks the images, the annotations and the output. */
static void look(const xa_run_options *opt,
                 const xa_loaded *l,
                 xa_memory *memory,
                 xa_problems *problems,
                 xa_err *stands)
{
    xa_err why = XA_ERR_INIT;
    if (l->manifest)
        check_images(l, problems);
    if (l->manifest && xa_check_annotations(l, problems, &why) != XA_OK)
        xa_problems_add(problems, l->manifest->file, 0, false, "%s", why.message);
    for (int m = 0; l->audit && m < l->job.audit.nmodels; m++)
        print_model(l, m, opt->layers);
    if (l->audit)
        xa_settings_echo(&l->job, l->audit, stdout);
    if (l->audit)
        xa_check_cost(l, problems);
    if (l->manifest)
        print_manifest(l);
    if (l->audit && l->manifest && !problems->errors &&
        print_output(opt, l, memory, problems, stands, &why) != XA_OK)
        xa_problems_add(problems, l->job.file, 0, false, "%s", why.message);
    fflush(stdout);
}

static int print_mistakes(const xa_problems *problems)
{
    xa_print_problems(problems);
    if (!problems->errors)
        return XA_EXIT_DONE;
    fprintf(stderr, "%zu mistake%s\n", problems->errors, problems->errors == 1 ? "" : "s");
    return XA_EXIT_USAGE;
}

/* --against, --probe and --numerics, which do not need the archive. */
static int try_models(const xa_run_options *opt, const xa_loaded *l, xa_err *err)
{
    if (opt->against) {
        bool agrees = false;
        if (xa_check_against(l, opt->against, &agrees, err) != XA_OK) {
            xa_print_error(err);
            return XA_EXIT_FAILED;
        }
        puts(agrees ? "agrees with the reference" : "does NOT agree with the reference");
        if (!agrees)
            return XA_EXIT_FAILED;
    }
    if (opt->probe &&
        (xa_check_probe(l, opt->probe, err) != XA_OK || xa_check_times(l, stdout, err) != XA_OK)) {
        xa_print_error(err);
        return XA_EXIT_USAGE;
    }
    if (opt->numerics && xa_check_numerics(l, opt->numerics, err) != XA_OK) {
        xa_print_error(err);
        return XA_EXIT_FAILED;
    }
    fflush(stdout);
    return XA_EXIT_DONE;
}

static xa_status print_script(const xa_run_options *opt,
                              const xa_loaded *l,
                              const xa_memory *memory,
                              FILE *script,
                              xa_err *err)
{
    char *program = realpath("/proc/self/exe", NULL);
    const xa_status st = xa_slurm_header(l, memory, program ? program : "xaudit", opt, script, err);
    free(program);
    return st;
}

/* Reports everything that can be found, whatever failed before. */
static int
check(const xa_run_options *opt, xa_loaded *l, xa_problems *problems, FILE *script, xa_err *err)
{
    xa_memory memory = {0};
    xa_err stands = XA_ERR_INIT;
    if (xa_check_load(opt, l, problems, err) != XA_OK) {
        xa_print_problems(problems);
        if (!problems->errors)
            xa_print_error(err);
        return XA_EXIT_USAGE;
    }
    look(opt, l, &memory, problems, &stands);
    int code = print_mistakes(problems);
    if (code == XA_EXIT_DONE)
        code = try_models(opt, l, err);
    if (code != XA_EXIT_DONE)
        return code;
    if (*stands.message) {
        xa_problems archive = {0};
        xa_problems_add(&archive, l->job.file, 0, false, "output: %s", stands.message);
        code = print_mistakes(&archive);
        xa_problems_fini(&archive);
        return code;
    }
    if (opt->slurm && print_script(opt, l, &memory, script, err) != XA_OK) {
        xa_print_error(err);
        return XA_EXIT_FAILED;
    }
    puts("ready to run");
    return XA_EXIT_DONE;
}

int xa_cmd_check(const xa_args *a)
{
    xa_run_options opt;
    xa_loaded l = {0};
    xa_problems problems = {0};
    xa_err err = XA_ERR_INIT;
    if (xa__run_options_from(a, &opt, &err) != XA_OK) {
        xa_print_error(&err);
        return XA_EXIT_FAILED;
    }
    /* --slurm: standard output is for the script alone, and all else goes to standard error */
    FILE *script = NULL;
    if (opt.slurm) {
        const int kept = dup(STDOUT_FILENO);
        script = kept >= 0 ? fdopen(kept, "w") : NULL;
        if (!script || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
            fprintf(stderr, "xaudit check: standard output cannot be kept for the script\n");
            xa__run_options_fini(&opt);
            return XA_EXIT_FAILED;
        }
    }
    int code = check(&opt, &l, &problems, script, &err);
    if (script && fclose(script) != 0)
        code = XA_EXIT_FAILED;
    xa_loaded_fini(&l);
    xa_problems_fini(&problems);
    xa__run_options_fini(&opt);
    return code;
}
