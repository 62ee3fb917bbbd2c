/* xaudit manifest: other formats to the native manifest. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"

static const char usage[] =
    "xaudit manifest FORMAT SOURCE -o MANIFEST.csv [options]\n"
    "\n"
    "  folder ROOT              ROOT/class/.../image; classes are the folders, sorted by name\n"
    "  voc ROOT                 Annotations/*.xml (1-based, inclusive) and JPEGImages/; --split "
    "NAME\n"
    "                           takes ImageSets/Main/NAME.txt. --as-masks: "
    "SegmentationClass/*.png,\n"
    "                           by palette index, 255 ignored; --split is in "
    "ImageSets/Segmentation\n"
    "  coco FILE.json --images DIR\n"
    "                           boxes; --as-masks draws polygons and run lengths, one PNG an "
    "image\n"
    "                           and class, crowds apart. Classes by ascending category id\n"
    "  cub CUB_200_2011         --split train|test; --as-masks: segmentations/ (or --masks DIR),\n"
    "                           grey above 127\n"
    "  wsol METADATA --images DIR [--masks DIR]\n"
    "                           image_ids.txt, class_labels.txt, image_sizes.txt, "
    "localization.txt;\n"
    "                           boxes half-open unless --box-convention says otherwise\n"
    "  imagenet CSV|XMLDIR --images DIR --classes SYNSETS.txt\n"
    "                           LOC_*_solution.csv, or XML files; the first word of every line of\n"
    "                           SYNSETS is a wnid, in the order of the model's outputs\n"
    "  openimages BOXES.csv --images DIR [--labels class-descriptions.csv]\n"
    "  openimages MASKS.csv --images DIR --masks DIR [--labels ...]\n"
    "                           masks are resized to their image, nearest by pixel centres:\n"
    "                           floor((x + 0.5) * from / to)\n"
    "  isic TABLE.csv --images DIR [--masks DIR] [--labels LESIONS.csv]\n"
    "                           HAM10000 metadata, or ISIC's table of 0 and 1; masks are\n"
    "                           ID_segmentation.png; lesion_id is the group\n"
    "  chexlocalize FILE.json --images DIR\n"
    "                           run lengths by pathology; the patient is the group\n"
    "  nih BBox_List_2017.csv --images DIR [--labels Data_Entry_2017.csv]\n"
    "  csv FILE.csv --path-column P [--label-column L] [--class-column C] [--id-column I]\n"
    "      [--box X0,Y0,X1,Y1 | --box-xywh X,Y,W,H] [--box-convention ...] [--mask-column M]\n"
    "      [--polygon-column P] [--group-column G] [--split-column S] [--exclude-column E]\n"
    "      [--keep A,B,...]\n"
    "                           paths are below --images, or beside FILE.csv; masks likewise;\n"
    "                           a polygon is the text x y x y ..., with any of \" ,;|[]()\" "
    "between\n"
    "\n"
    "  -o FILE                  the manifest; beside it FILE_classes.txt (names in the order of\n"
    "                           their indices) and FILE_masks/ where they are needed\n"
    "  --classes FILE           class names, one a line: they set the indices, others are dropped\n"
    "  --split NAME             voc, cub: the part to take; otherwise what the column split says\n"
    "  --box-convention         half-open (x1 just outside), inclusive (x1 the last pixel),\n"
    "                           one-based (inclusive, counted from 1), normalised (0..1)\n"
    "  --force                  replaces the manifest\n"
    "\n"
    "What was dropped or changed is counted by reason, with examples. Paths are relative to the\n"
    "manifest where both lie in one tree. In detection data an image's labels are the classes\n"
    "annotated in it, difficult ones and crowds included.\n"
    "Exit codes: 0 written; 1 failed; 2 bad usage or source.\n";

enum {
    IMAGES = 256,
    MASKS,
    LABELS,
    CLASSES,
    SPLIT,
    AS_MASKS,
    FORCE,
    HELP,
    PATH_COLUMN,
    ID_COLUMN,
    LABEL_COLUMN,
    CLASS_COLUMN,
    MASK_COLUMN,
    POLYGON_COLUMN,
    GROUP_COLUMN,
    SPLIT_COLUMN,
    EXCLUDE_COLUMN,
    BOX,
    BOX_XYWH,
    BOX_CONVENTION,
    KEEP
};

/* Where an option's text goes; NULL for those that are no text. */
static const char **text_of(xa_import_options *o, int option)
{
    switch (option) {
    case 'o':
        return &o->output;
    case IMAGES:
        return &o->images;
    case MASKS:
        return &o->masks;
    case LABELS:
        return &o->labels;
    case CLASSES:
        return &o->classes;
    case SPLIT:
        return &o->split;
    case PATH_COLUMN:
        return &o->column_path;
    case ID_COLUMN:
        return &o->column_id;
    case LABEL_COLUMN:
        return &o->column_label;
    case CLASS_COLUMN:
        return &o->column_class;
    case MASK_COLUMN:
        return &o->column_mask;
    case POLYGON_COLUMN:
        return &o->column_polygon;
    case GROUP_COLUMN:
        return &o->column_group;
    case SPLIT_COLUMN:
        return &o->column_split;
    case EXCLUDE_COLUMN:
        return &o->column_exclude;
    case BOX:
        return &o->column_box;
    case BOX_XYWH:
        return &o->column_xywh;
    case KEEP:
        return &o->column_keep;
    default:
        return NULL;
    }
}

/* Options that a format would silently not use. */
static bool check_used(const xa_import_options *o)
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
    const struct {
        const char *name;
        bool given;
        int formats; /* bits by xa_import_format */
    } used[] = {
        {"--images", o->images != NULL, ~F},
        {"--masks", o->masks != NULL, U | W | O | S | T},
        {"--labels", o->labels != NULL, O | S | N},
        {"--as-masks", o->as_masks, V | C | U},
        {"--split", o->split != NULL, ~F},
        {"--box-convention", o->box != XA_BOX_UNSAID, W | I | T},
        {"--path-column", o->column_path != NULL, T},
        {"--id-column", o->column_id != NULL, T},
        {"--label-column", o->column_label != NULL, T},
        {"--class-column", o->column_class != NULL, T},
        {"--mask-column", o->column_mask != NULL, T},
        {"--polygon-column", o->column_polygon != NULL, T},
        {"--group-column", o->column_group != NULL, T},
        {"--split-column", o->column_split != NULL, T},
        {"--exclude-column", o->column_exclude != NULL, T},
        {"--box", o->column_box != NULL, T},
        {"--box-xywh", o->column_xywh != NULL, T},
        {"--keep", o->column_keep != NULL, T},
    };
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        if (used[i].given && !(used[i].formats >> o->format & 1)) {
            fprintf(stderr,
                    "xaudit manifest: %s does not use %s; see xaudit manifest --help\n",
                    xa_import_name(o->format),
                    used[i].name);
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

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, xa_import_options *o)
{
    static const struct option list[] = {
        {"output", required_argument, NULL, 'o'},
        {"images", required_argument, NULL, IMAGES},
        {"masks", required_argument, NULL, MASKS},
        {"labels", required_argument, NULL, LABELS},
        {"classes", required_argument, NULL, CLASSES},
        {"split", required_argument, NULL, SPLIT},
        {"as-masks", no_argument, NULL, AS_MASKS},
        {"force", no_argument, NULL, FORCE},
        {"help", no_argument, NULL, HELP},
        {"path-column", required_argument, NULL, PATH_COLUMN},
        {"id-column", required_argument, NULL, ID_COLUMN},
        {"label-column", required_argument, NULL, LABEL_COLUMN},
        {"class-column", required_argument, NULL, CLASS_COLUMN},
        {"mask-column", required_argument, NULL, MASK_COLUMN},
        {"polygon-column", required_argument, NULL, POLYGON_COLUMN},
        {"group-column", required_argument, NULL, GROUP_COLUMN},
        {"split-column", required_argument, NULL, SPLIT_COLUMN},
        {"exclude-column", required_argument, NULL, EXCLUDE_COLUMN},
        {"box", required_argument, NULL, BOX},
        {"box-xywh", required_argument, NULL, BOX_XYWH},
        {"box-convention", required_argument, NULL, BOX_CONVENTION},
        {"keep", required_argument, NULL, KEEP},
        {NULL, 0, NULL, 0}};
    int c, convention;
    optind = 1;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "o:h", list, NULL)) != -1) {
        const char **text = text_of(o, c);
        if (text) {
            *text = optarg;
            continue;
        }
        switch (c) {
        case AS_MASKS:
            o->as_masks = true;
            break;
        case FORCE:
            o->force = true;
            break;
        case BOX_CONVENTION:
            convention = xa_box_convention_parse(optarg);
            if (convention < 0) {
                fprintf(stderr,
                        "xaudit manifest: --box-convention: expected half-open, inclusive, "
                        "one-based or normalised, found %s\n",
                        optarg);
                return XA_EXIT_USAGE;
            }
            o->box = (xa_box_convention)convention;
            break;
        case HELP:
        case 'h':
            fputs(usage, stdout);
            return XA_EXIT_DONE;
        default:
            fprintf(stderr,
                    "xaudit manifest: unknown option or missing value: %s; see xaudit manifest "
                    "--help\n",
                    argv[optind - 1]);
            return XA_EXIT_USAGE;
        }
    }
    if (optind != argc - 2 || !o->output) {
        fprintf(stderr,
                "xaudit manifest: expected FORMAT SOURCE -o MANIFEST.csv; see xaudit manifest "
                "--help\n");
        return XA_EXIT_USAGE;
    }
    o->source = argv[optind + 1];
    if (!find_format(argv[optind], &o->format) || !check_used(o))
        return XA_EXIT_USAGE;
    return -1;
}

static void print_reasons(const xa_import_report *r, xa_import_what what, const char *title)
{
    int64_t total = 0;
    for (size_t i = 0; i < r->nreasons; i++)
        total += r->reasons[i].what == what ? r->reasons[i].count : 0;
    if (!total)
        return;
    if (what == XA_IMPORT_TOLD)
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

int xa_cmd_manifest(int argc, char **argv)
{
    xa_import_options o = {0};
    xa_import_report r = {0};
    xa_problems problems = {0};
    xa_err err = XA_ERR_INIT;
    const int code = parse(argc, argv, &o);
    if (code >= 0)
        return code;
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
        print_reasons(&r, XA_IMPORT_TOLD, "to know");
    } else {
        xa_print_error(&err);
    }
    xa_import_report_fini(&r);
    xa_problems_fini(&problems);
    if (st == XA_OK)
        return XA_EXIT_DONE;
    return st == XA_NOMEM || st == XA_IO || st == XA_NOSPACE ? XA_EXIT_FAILED : XA_EXIT_USAGE;
}
