/* xaudit manifest: writes a manifest from other formats. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "xaudit/import.h"

/* Copies the texts of the options to where they belong. */
static void read_texts(const xa_args *a, xa_import_options *o)
{
    const struct {
        xa_option_id option;
        const char **to;
    } texts[] = {{XA_OPT_OUTPUT, &o->output},
                 {XA_OPT_IMAGES, &o->images},
                 {XA_OPT_MASKS, &o->masks},
                 {XA_OPT_LABELS, &o->labels},
                 {XA_OPT_CLASSES, &o->classes},
                 {XA_OPT_SPLIT, &o->split},
                 {XA_OPT_PATH_COLUMN, &o->column_path},
                 {XA_OPT_ID_COLUMN, &o->column_id},
                 {XA_OPT_LABEL_COLUMN, &o->column_label},
                 {XA_OPT_CLASS_COLUMN, &o->column_class},
                 {XA_OPT_MASK_COLUMN, &o->column_mask},
                 {XA_OPT_POLYGON_COLUMN, &o->column_polygon},
                 {XA_OPT_GROUP_COLUMN, &o->column_group},
                 {XA_OPT_SPLIT_COLUMN, &o->column_split},
                 {XA_OPT_EXCLUDE_COLUMN, &o->column_exclude},
                 {XA_OPT_BOX, &o->column_box},
                 {XA_OPT_BOX_XYWH, &o->column_xywh},
                 {XA_OPT_SIZE_COLUMNS, &o->column_size},
                 {XA_OPT_KEEP, &o->column_keep}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i].to = xa__args_text(a, texts[i].option);
}

/* Refuses options that a format does not use. */
static bool check_used(const xa_args *a, const xa_import_options *o)
{
    enum {
        F = 1,
        V = 2,
        C = 4,
        U = 8,
        W = 16,
        I = 32,
        O = 64,
        S = 128,
        X = 256,
        N = 512,
        T = 1024
    };
    static const struct {
        xa_option_id option;
        int formats; /* bits by xa_import_format */
    } used[] = {
        {XA_OPT_IMAGES, ~F},        {XA_OPT_MASKS, U | W | O | S | T},
        {XA_OPT_LABELS, O | S | N}, {XA_OPT_AS_MASKS, V | C | U},
        {XA_OPT_SPLIT, ~F},         {XA_OPT_BOX_CONVENTION, W | I | T},
        {XA_OPT_PATH_COLUMN, T},    {XA_OPT_ID_COLUMN, T},
        {XA_OPT_LABEL_COLUMN, T},   {XA_OPT_CLASS_COLUMN, T},
        {XA_OPT_MASK_COLUMN, T},    {XA_OPT_POLYGON_COLUMN, T},
        {XA_OPT_GROUP_COLUMN, T},   {XA_OPT_SPLIT_COLUMN, T},
        {XA_OPT_EXCLUDE_COLUMN, T}, {XA_OPT_BOX, T},
        {XA_OPT_BOX_XYWH, T},       {XA_OPT_SIZE_COLUMNS, T},
        {XA_OPT_KEEP, T},
    };
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        if (xa__args_has(a, used[i].option) && !(used[i].formats >> o->format & 1)) {
            fprintf(stderr,
                    "xaudit manifest: %s does not use --%s; see xaudit manifest --help\n",
                    xa_import_name(o->format),
                    xa__option_of(used[i].option)->name);
            return false;
        }
    return true;
}

static bool find_format(const char *text, xa_import_format *out)
{
    const char *names[XA_IMPORT_COUNT];
    for (int i = 0; i < XA_IMPORT_COUNT; i++)
        names[i] = xa_import_name((xa_import_format)i);
    const int found = xa_import_parse(text);
    if (found < 0) {
        const char *near = xa_nearest(text, names, XA_IMPORT_COUNT);
        fprintf(stderr,
                "xaudit manifest: unknown format \"%s\"%s%s%s; see xaudit manifest --help\n",
                text,
                near ? "; did you mean \"" : "",
                near ? near : "",
                near ? "\"?" : "");
        return false;
    }
    *out = (xa_import_format)found;
    return true;
}

static bool read_options(const xa_args *a, xa_import_options *o)
{
    read_texts(a, o);
    o->as_masks = xa__args_has(a, XA_OPT_AS_MASKS);
    o->force = xa__args_has(a, XA_OPT_FORCE);
    if (xa__args_has(a, XA_OPT_BOX_CONVENTION))
        o->box =
            (xa_box_convention)xa_box_convention_parse(xa__args_text(a, XA_OPT_BOX_CONVENTION));
    o->source = a->positional[1];
    return find_format(a->positional[0], &o->format) && check_used(a, o);
}

static void print_reasons(const xa_import_report *r, xa_import_what what, const char *title)
{
    int64_t total = 0;
    for (size_t i = 0; i < r->nreasons; i++)
        total += r->reasons[i].what == what ? r->reasons[i].count : 0;
    if (!total)
        return;
    if (what == XA_IMPORT_NOTED)
        printf("%s\n", title);
    else
        printf("%s: %" PRId64 "\n", title, total);
    for (size_t i = 0; i < r->nreasons; i++) {
        const xa_import_reason *x = &r->reasons[i];
        if (x->what != what)
            continue;
        printf("  %8" PRId64 "  %s\n", x->count, x->text);
        for (int k = 0; k < XA_IMPORT_EXAMPLES && x->examples[k]; k++)
            printf("            %s\n", x->examples[k]);
    }
}

int xa_cmd_manifest(const xa_args *a)
{
    xa_import_options o = {0};
    xa_import_report r = {0};
    xa_problems problems = {0};
    xa_err err = XA_ERR_INIT;
    if (!read_options(a, &o))
        return XA_EXIT_USAGE;
    const xa_status st = xa_import(&o, &r, &problems, &err);
    xa_print_problems(&problems);
    if (st == XA_OK) {
        printf("%s: %" PRId64 " images, %" PRId64 " boxes, %" PRId64 " masks",
               o.output,
               r.images,
               r.boxes,
               r.masks);
        if (r.mask_files)
            printf(" (%" PRId64 " mask files written)", r.mask_files);
        if (r.classes_file)
            printf("; %" PRId64 " classes in %s", r.classes, r.classes_file);
        printf("\n");
        print_reasons(&r, XA_IMPORT_IMAGE, "images dropped");
        print_reasons(&r, XA_IMPORT_ANNOTATION, "annotations dropped");
        print_reasons(&r, XA_IMPORT_NOTED, "please note");
    } else {
        xa_print_error(&err);
    }
    xa_import_report_fini(&r);
    xa_problems_fini(&problems);
    if (st == XA_OK)
        return XA_EXIT_DONE;
    return st == XA_NOMEM || st == XA_IO || st == XA_NOSPACE ? XA_EXIT_FAILED : XA_EXIT_USAGE;
}
