/* xaudit info: describes an archive, a model or an image, recognised by its content. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "xaudit/job.h"
#include "xaudit/print.h"
#include "xaudit/report.h"
#include "xaudit/view.h"

/* ---- archive ---- */

/* The columns that the longest path of an archive takes, at least those of a short list. */
static xa_status widest_path(void *arg, const xa_dataset_info *info, xa_err *err)
{
    int64_t *columns = arg;
    char clean[sizeof info->path];
    (void)err;
    xa_str_sanitise(info->path, clean, sizeof clean);
    const int64_t n = xa_str_columns(clean);
    *columns = n > *columns ? n : *columns;
    return XA_OK;
}

/* arg: the columns of the paths. */
static xa_status print_dataset(void *arg, const xa_dataset_info *info, xa_err *err)
{
    const int64_t *columns = arg;
    (void)err;
    xa_str shape = {0};
    for (int i = 0; i < info->ndim; i++)
        xa_str_printf(&shape, "%s%" PRId64, i ? "," : "", info->dim[i]);
    fputs("  ", stdout);
    xa_put_whole(stdout, info->path, *columns);
    printf(" %-4s [%s]\n",
           info->type < XA_TYPE_COUNT ? xa_type_name(info->type) : "?",
           shape.data ? shape.data : "");
    xa_str_free(&shape);
    return XA_OK;
}

static xa_status print_digest(void *arg, const xa_dataset_info *info, xa_err *err)
{
    char hex[XA_SHA256_HEX];
    if (!strncmp(info->path, XA_GROUP_RUN "/", strlen(XA_GROUP_RUN "/")) ||
        !strcmp(info->path, xa_field_path(XA_FIELD_JOB_TEXT)))
        return XA_OK; /* differ from run to run: no claim of equal archives includes them */
    XA_RETURN_TRY(err, xa_archive_digest(arg, info->path, hex, err));
    char path[sizeof info->path];
    xa_str_sanitise(info->path, path, sizeof path);
    printf("%s  %s\n", hex, path);
    return XA_OK;
}

static void print_attribute(xa_archive *a, const char *name)
{
    char *text = NULL, clean[1024];
    if (xa_archive_attr_text(a, "/", name, &text, NULL) == XA_OK && text && !strchr(text, '\n')) {
        xa_str_sanitise(text, clean, sizeof clean);
        printf("  %-16s %s\n", name, clean);
    }
    free(text);
}

/* The versions of its scores: only numbers of equal versions can be compared. */
static xa_status print_definitions(xa_archive *a, const char *path, xa_err *err)
{
    xa_versions v;
    XA_RETURN_TRY(err, xa_versions_read(a, path, &v, err));
    printf("  definitions      metrics %" PRId64 ", scores of maps and checks %" PRId64,
           v.metrics,
           v.map_scores);
    if (v.metrics != XA_METRICS_VERSION || v.map_scores != XA_MAP_SCORES_VERSION)
        printf(" (this release's: %d and %d)", XA_METRICS_VERSION, XA_MAP_SCORES_VERSION);
    puts("");
    return XA_OK;
}

static xa_status archive_info(const char *path, bool digest, xa_err *err)
{
    static const char *const names[] = {
        "format_version", "tool_version", "created", "identity", "manifest_sha256"};
    xa_archive *a = NULL;
    xa_outcome outcome;
    xa_sessions sessions = {0};
    xa_status st = XA_OK;
    XA_TRY(err, xa_archive_open_read(path, &a, err));
    if (digest) {
        XA_TRY(err, xa_archive_walk(a, print_digest, a, err));
        goto done;
    }
    printf("%s: xaudit archive\n", path);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        print_attribute(a, names[i]);
    XA_TRY(err, print_definitions(a, path, err));
    XA_TRY(err, xa_sessions_read(a, &sessions, err));
    xa_sessions_print(&sessions, stdout);
    XA_TRY(err, xa_print_outcome(path, true, stdout, &outcome, err));
    int64_t columns = 56;
    puts("datasets");
    XA_TRY(err, xa_archive_walk(a, widest_path, &columns, err));
    XA_TRY(err, xa_archive_walk(a, print_dataset, &columns, err));
done:
    xa_sessions_fini(&sessions);
    if (a && xa_archive_close(a, NULL) != XA_OK)
        xa_log(XA_LOG_DEBUG, "archive: closing failed");
    return st;
}

/* Prints the job that an archive was made with, so that it can be run again. */
static xa_status print_job(const char *path, xa_err *err)
{
    xa_archive *a = NULL;
    char *text = NULL;
    xa_status st = XA_OK;
    XA_TRY(err, xa_archive_open_read(path, &a, err));
    XA_TRY(err, xa_archive_text(a, XA_FIELD_JOB_TEXT, &text, err));
    if (!text)
        XA_FAIL(err, XA_NOT_FOUND, "%s: the archive does not hold its job", path);
    fputs(text, stdout);
done:
    free(text);
    if (a && xa_archive_close(a, NULL) != XA_OK)
        xa_log(XA_LOG_DEBUG, "archive: closing failed");
    return st;
}

/* ---- model ---- */

static void print_tokens(const xa_model *m)
{
    const xa_tokens *t = xa_model_tokens(m);
    if (!t)
        return;
    printf("  tokens: %" PRId64 " + %" PRId64 "x%" PRId64 " patches; the head reads %s\n",
           t->prefix,
           t->height,
           t->width,
           t->query < 0 ? "the mean of the patches" : "the class token");
    printf("  attention layers: 0 (%s) to %d (%s)\n",
           xa_graph_node(xa_model_graph(m), xa_model_attention(m, 0))->name,
           t->nlayers - 1,
           xa_graph_node(xa_model_graph(m), xa_model_attention(m, t->nlayers - 1))->name);
}

static void print_layers(const xa_model *m)
{
    int64_t columns = 48, types = 24;
    char shape[96];
    for (int i = 0; i < xa_model_layers(m); i++) {
        const xa_layer *l = xa_model_layer(m, i);
        if (l->alias)
            continue;
        const int64_t n = 2 * l->depth + xa_str_columns(l->path), t = xa_str_columns(l->type);
        columns = n > columns ? n : columns;
        types = t > types ? t : types;
    }
    fputs("  ", stdout);
    xa_put_whole(stdout, "layer", columns + 1);
    xa_put_whole(stdout, "type", types + 1);
    printf("%-18s %s\n", "output", "parameters");
    for (int i = 0; i < xa_model_layers(m); i++) {
        const xa_layer *l = xa_model_layer(m, i);
        if (l->alias)
            continue;
        printf("  %*s", 2 * l->depth, "");
        xa_put_whole(stdout, l->path, columns + 1 - 2 * l->depth);
        xa_put_whole(stdout, l->type, types + 1);
        printf("%-18s %" PRId64 "\n", xa_shape_text(&l->shape, shape, sizeof shape), l->parameters);
    }
}

/* What an exporter noted in the file (xaudit_export.py). */
static xa_status print_notes(const char *path, xa_err *err)
{
    char *input = NULL, *classes = NULL, shown[400];
    xa_status st = XA_OK;
    XA_TRY(err, xa_model_metadata(path, XA_NOTE_INPUT, &input, err));
    XA_TRY(err, xa_model_metadata(path, XA_NOTE_CLASSES, &classes, err));
    xa_str_sanitise(input, shown, sizeof shown);
    if (input)
        printf("  the file notes its input (input: from-file): %s\n", shown);
    xa_str_sanitise(classes, shown, sizeof shown);
    if (classes)
        printf("  the file notes its classes (classes: from-file): %s%s\n",
               shown,
               strlen(classes) >= sizeof shown ? "..." : "");
done:
    free(input);
    free(classes);
    return st;
}

static xa_status model_info(const char *path, xa_err *err)
{
    xa_model_options opt = xa_model_defaults();
    xa_status st = XA_OK;
    xa_model *m = NULL;
    char a[96], plain[640];
    opt.look = true;
    XA_RETURN_TRY(err, xa_model_open(path, &opt, &m, err));
    const xa_shape in = xa_model_input(m);
    const xa_layer *cam = NULL;
    double flops = 0.0;
    for (int i = 0; i < xa_graph_nodes(xa_model_graph(m)); i++)
        flops += xa_node_flops(xa_model_graph(m), i);
    printf("%s: %s\n", path, xa_model_origin(m));
    printf("  input %s, %" PRId64
           " classes, %s head, %.3f million parameters, %.3f GFLOP an image\n",
           xa_shape_text(&in, a, sizeof a),
           xa_model_head(m)->classes,
           xa_head_name(xa_model_head(m)->kind),
           (double)xa_graph_parameters(xa_model_graph(m)) / 1e6,
           flops / 1e9);
    if (xa_model_head(m)->kind == XA_HEAD_LINEAR)
        printf("  %s\n", xa_model_plain_scores(m, plain, sizeof plain));
    for (int i = 0; i < xa_model_assumptions(m); i++)
        printf("  assumed: %s\n", xa_model_assumption(m, i));
    if (xa_model_own_scaling(m))
        printf("  scales its input itself (layer \"%s\"): use scale: none\n",
               xa_model_own_scaling(m));
    XA_TRY(err, print_notes(path, err));
    if (xa_model_gradcam_layer(m, &cam, NULL) == XA_OK)
        printf("  Grad-CAM layer by auto: %s %s\n",
               cam->path,
               xa_shape_text(&cam->shape, a, sizeof a));
    print_tokens(m);
    print_layers(m);
done:
    xa_model_free(m);
    return st;
}

/* ---- image ---- */

static xa_status image_info(const char *path, xa_err *err)
{
    const xa_decode_options opt = xa_decode_defaults();
    xa_image im = {0};
    XA_RETURN_TRY(err, xa_image_read(path, &opt, &im, err));
    printf("%s: %s, %" PRId64 "x%" PRId64 ", %d channel%s (%s%s), %d bits as %s",
           path,
           im.format,
           im.width,
           im.height,
           im.channels,
           im.channels == 1 ? "" : "s",
           im.colour,
           im.has_alpha ? ", alpha" : "",
           im.bits,
           xa_pixel_name(im.type));
    if (im.orientation > 1)
        printf(", orientation %d applied", im.orientation);
    if (im.pages > 1)
        printf(", %d pages", im.pages);
    printf(", pixel hash %016" PRIx64 "\n", xa_image_hash(&im));
    xa_image_fini(&im);
    return XA_OK;
}

static bool is_hdf5(const char *path)
{
    static const unsigned char magic[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char head[8] = {0};
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    const size_t n = fread(head, 1, sizeof head, f);
    fclose(f);
    return n == sizeof head && !memcmp(head, magic, sizeof magic);
}

int xa_cmd_info(const xa_args *a)
{
    xa_err err = XA_ERR_INIT, other = XA_ERR_INIT;
    const char *path = a->positional[0];
    xa_status st;
    if (xa__args_has(a, XA_OPT_METHODS)) {
        st = xa_print_methods(path, stdout, &err);
    } else if (xa__args_has(a, XA_OPT_JOB)) {
        st = print_job(path, &err);
    } else if (is_hdf5(path)) {
        xa_archive *archive = NULL;
        if (xa_archive_open_read(path, &archive, &other) == XA_OK) {
            if (xa_archive_close(archive, NULL) != XA_OK)
                xa_log(XA_LOG_DEBUG, "archive: closing failed");
            st = archive_info(path, xa__args_has(a, XA_OPT_DIGEST), &err);
        } else {
            st = model_info(path, &err);
        }
    } else {
        st = xa_model_recognises(path) ? model_info(path, &err) : xa_model_foreign(path, &err);
        if (st == XA_OK && !xa_model_recognises(path))
            st = image_info(path, &err);
    }
    if (st == XA_OK)
        return XA_EXIT_DONE;
    xa_print_error(&err);
    return XA_EXIT_FAILED;
}
