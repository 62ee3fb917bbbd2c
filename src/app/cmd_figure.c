/* xaudit figure: options, and the command that a figure keeps. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "figure_page.h"
#include "plots.h"

static const char usage[] =
    "xaudit figure ARCHIVE -o FILE.png|.tiff|.pdf|.svg\n"
    "  which     --id ID... | --index N... | --pick first|best|worst|median|random|wrong|\n"
    "            disagree [--metric NAME] [--class NAME] [-n ROWS] [--seed N]\n"
    "            [--explainer NAME]... [--model NAME]\n"
    "  how       --style panel|keras|relevant   keras: display_gradcam as published; relevant: "
    "the\n"
    "            listing's picture, illustrative only\n"
    "            [--show overlay|map|both] [--colormap viridis|inferno|cividis|turbo|jet]\n"
    "            [--scale image|shared] [--weight 0.5] [--no-boxes] [--patches]\n"
    "  paper     [--width 90mm | --preset elsevier-1col|elsevier-2col|ieee-col|ieee-2col|\n"
    "            nature-1col|nature-2col] [--dpi 300] [--font 7pt]\n"
    "  data      [--image-root FOLDER] [--anonymise]\n"
    "xaudit figure ARCHIVE --plot KIND -o FILE [--model NAME] [--metric NAME] [paper as above]\n"
    "  the data set: distribution, curves, classes, agreement, confidence, size, or means (of\n"
    "  xaudit evaluate)\n"
    "xaudit figure --again FILE [what is to change]    the command that a figure keeps\n";

static const struct {
    const char *name;
    double mm;
} presets[] = {{"elsevier-1col", 90.0},
               {"elsevier-2col", 190.0},
               {"ieee-col", 88.9},
               {"ieee-2col", 182.0},
               {"nature-1col", 89.0},
               {"nature-2col", 183.0}};

enum {
    ID = 256,
    INDEX,
    PICK,
    METRIC,
    CLASS,
    SEED,
    EXPLAINER,
    MODEL,
    STYLE,
    SHOW,
    COLORMAP,
    SCALE,
    WEIGHT,
    NO_BOXES,
    WIDTH,
    PRESET,
    DPI,
    FONT,
    IMAGE_ROOT,
    ANONYMISE,
    PLOT,
    PATCHES
};
static const struct option list[] = {{"id", required_argument, NULL, ID},
                                     {"index", required_argument, NULL, INDEX},
                                     {"pick", required_argument, NULL, PICK},
                                     {"metric", required_argument, NULL, METRIC},
                                     {"class", required_argument, NULL, CLASS},
                                     {"seed", required_argument, NULL, SEED},
                                     {"explainer", required_argument, NULL, EXPLAINER},
                                     {"model", required_argument, NULL, MODEL},
                                     {"style", required_argument, NULL, STYLE},
                                     {"show", required_argument, NULL, SHOW},
                                     {"colormap", required_argument, NULL, COLORMAP},
                                     {"scale", required_argument, NULL, SCALE},
                                     {"weight", required_argument, NULL, WEIGHT},
                                     {"no-boxes", no_argument, NULL, NO_BOXES},
                                     {"width", required_argument, NULL, WIDTH},
                                     {"preset", required_argument, NULL, PRESET},
                                     {"dpi", required_argument, NULL, DPI},
                                     {"font", required_argument, NULL, FONT},
                                     {"image-root", required_argument, NULL, IMAGE_ROOT},
                                     {"anonymise", no_argument, NULL, ANONYMISE},
                                     {"plot", required_argument, NULL, PLOT},
                                     {"patches", no_argument, NULL, PATCHES},
                                     {NULL, 0, NULL, 0}};

static bool wrong(const char *option, const char *expected, const char *found)
{
    fprintf(stderr, "xaudit figure: --%s: expected %s, found %s\n", option, expected, found);
    return false;
}

/* One of the words, its index in *out. */
static bool word(const char *option, const char *text, const char *const *words, int n, int *out)
{
    xa_str all = {0};
    for (int i = 0; i < n; i++) {
        if (!strcmp(text, words[i])) {
            *out = i;
            xa_str_free(&all);
            return true;
        }
        xa_str_printf(&all, "%s%s", i ? ", " : "", words[i]);
    }
    (void)wrong(option, all.data ? all.data : "another word", text);
    xa_str_free(&all);
    return false;
}

/* A number with an optional unit: mm (default), cm or in for lengths, pt for type. */
static bool
length(const char *option, const char *text, double low, double high, bool type, double *out)
{
    static const struct {
        const char *unit;
        double mm;
    } units[] = {{"mm", 1.0}, {"cm", 10.0}, {"in", 25.4}};
    char number[32] = "";
    double by = 1.0, v;
    size_t n = strlen(text);
    if (type && n > 2 && xa_str_ends(text, "pt"))
        n -= 2;
    for (size_t k = 0; !type && k < 3; k++)
        if (n > 2 && xa_str_ends(text, units[k].unit)) {
            by = units[k].mm;
            n -= 2;
            break;
        }
    if (n < sizeof number)
        memcpy(number, text, n);
    if (!*number || !xa_parse_f64(number, &v) || !(v * by >= low && v * by <= high)) {
        char expected[64];
        snprintf(expected, sizeof expected, "%g to %g %s", low, high, type ? "pt" : "mm");
        return wrong(option, expected, text);
    }
    *out = v * by;
    return true;
}

static bool number(const char *option, const char *text, double low, double high, double *out)
{
    char expected[64];
    snprintf(expected, sizeof expected, "%g to %g", low, high);
    double v;
    if (!xa_parse_f64(text, &v) || !(v >= low && v <= high))
        return wrong(option, expected, text);
    *out = v;
    return true;
}

static bool add_text(const char *option, const char **texts, int *n)
{
    if (*n == XA_FIGURE_LIST)
        return wrong(option, "64 of them at the most", "more");
    texts[(*n)++] = optarg;
    return true;
}

static bool preset(const char *name, double *mm)
{
    xa_str all = {0};
    bool found = false;
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        xa_str_printf(&all, "%s%s", i ? ", " : "", presets[i].name);
        if (!strcmp(name, presets[i].name)) {
            *mm = presets[i].mm;
            found = true;
        }
    }
    if (!found)
        (void)wrong("preset", all.data ? all.data : "a preset", name);
    xa_str_free(&all);
    return found;
}

static bool which(int c, xa_page *p)
{
    xa_choice *choice = &p->choice;
    switch (c) {
    case ID:
        return add_text("id", choice->id, &choice->nids);
    case INDEX:
        if (choice->nindices == XA_FIGURE_LIST ||
            !xa_parse_i64(optarg, &choice->index[choice->nindices]))
            return wrong("index", "a row of /samples", optarg);
        choice->nindices++;
        return true;
    case PICK: {
        const int pick = xa_pick_parse(optarg);
        if (pick < 0)
            return wrong("pick", "first, best, worst, median, random, wrong or disagree", optarg);
        choice->pick = (xa_pick)pick;
        return true;
    }
    case METRIC:
        choice->metric = optarg;
        return true;
    case CLASS:
        choice->class_name = optarg;
        return true;
    case SEED:
        return xa_parse_i64(optarg, &choice->seed) && choice->seed >= 0
                   ? true
                   : wrong("seed", "a whole number", optarg);
    case 'n':
        return xa_parse_i64(optarg, &choice->most) && choice->most >= 1 && choice->most <= 100
                   ? true
                   : wrong("n", "1 to 100 rows", optarg);
    case EXPLAINER:
        return add_text("explainer", choice->explainer, &choice->nexplainers);
    default: /* MODEL */
        choice->model = optarg;
        return true;
    }
}

static bool how(int c, xa_page *p)
{
    static const char *const styles[] = {"panel", "keras", "relevant"};
    static const char *const shows[] = {"overlay", "map", "both"};
    static const char *const scales[] = {"image", "shared"};
    int at = 0;
    switch (c) {
    case STYLE:
        if (!word("style", optarg, styles, 3, &at))
            return false;
        p->style = (xa_page_style)at;
        return true;
    case SHOW:
        if (!word("show", optarg, shows, 3, &at))
            return false;
        p->overlay = at != 1;
        p->map = at != 0;
        return true;
    case SCALE:
        if (!word("scale", optarg, scales, 2, &at))
            return false;
        p->shared = at == 1;
        return true;
    case COLORMAP: {
        const int map = xa_colormap_parse(optarg);
        if (map < 0)
            return wrong("colormap", "viridis, inferno, cividis, turbo or jet", optarg);
        p->colormap = (xa_colormap)map;
        return true;
    }
    case WEIGHT:
        return number("weight", optarg, 0.0, 1.0, &p->weight);
    case NO_BOXES:
        p->boxes = false;
        return true;
    case WIDTH:
        return length("width", optarg, 10.0, 2000.0, false, &p->width_mm);
    case PRESET:
        return preset(optarg, &p->width_mm);
    case DPI:
        return number("dpi", optarg, 30.0, 2400.0, &p->dpi);
    case FONT:
        return length("font", optarg, 2.0, 72.0, true, &p->font_pt);
    case IMAGE_ROOT:
        p->image_root = optarg;
        return true;
    case ANONYMISE:
        p->anonymise = true;
        return true;
    case PATCHES:
        p->patches = true;
        return true;
    case PLOT:
        p->plot = xa_plot_parse(optarg);
        return p->plot >= 0 ? true
                            : wrong("plot",
                                    "distribution, curves, classes, agreement, confidence, size or "
                                    "means",
                                    optarg);
    default:
        return false;
    }
}

static bool parse(int argc, char **argv, xa_page *p)
{
    int c;
    optind = 1;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "o:n:", list, NULL)) != -1) {
        if (c == 'o') {
            p->output = optarg;
        } else if (c == '?') {
            fprintf(stderr,
                    "xaudit figure: unknown option or missing value: %s\n%s",
                    argv[optind - 1],
                    usage);
            return false;
        } else if (c == 'n' || (c >= ID && c <= MODEL)) {
            if (!which(c, p))
                return false;
        } else if (!how(c, p)) {
            return false;
        }
    }
    if (optind != argc - 1 || !p->output) {
        fprintf(stderr, "xaudit figure: expected one archive and -o FILE\n%s", usage);
        return false;
    }
    p->archive = argv[optind];
    return true;
}

/* ---- the command ---- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void put_quoted(xa_str *out, const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,@%+-";
    if (*text && strspn(text, plain) == strlen(text)) {
        xa_str_puts(out, text);
        return;
    }
    xa_str_puts(out, "'");
    for (; *text; text++)
        if (*text == '\'')
            xa_str_puts(out, "'\\''");
        else
            xa_str_add(out, text, 1);
    xa_str_puts(out, "'");
}

/* "xaudit figure ...", to be typed again; anonymous ones have file names and no folders. */
static char *command_of(int argc, char **argv, const xa_page *p)
{
    xa_str s = {0};
    xa_str_puts(&s, "xaudit figure");
    for (int i = 1; i < argc; i++) {
        if (p->anonymise && !strcmp(argv[i], "--image-root")) {
            i++;
            continue;
        }
        if (p->anonymise && !strncmp(argv[i], "--image-root=", 13))
            continue;
        const bool path = !strcmp(argv[i], p->archive) || !strcmp(argv[i], p->output);
        xa_str_puts(&s, " ");
        put_quoted(&s, p->anonymise && path ? last_part(argv[i]) : argv[i]);
    }
    if (s.failed) {
        xa_str_free(&s);
        return NULL;
    }
    return s.data;
}

/* Words of a command as put_quoted wrote them; in place, at most `most`; -1: more, or a quote that
 * does not end. */
static int split(char *text, char **words, int most)
{
    int n = 0;
    while (*text) {
        while (*text == ' ')
            text++;
        if (!*text)
            break;
        if (n == most)
            return -1;
        char *to = text;
        words[n++] = text;
        bool quoted = false;
        while (*text && (quoted || *text != ' ')) {
            if (*text == '\'')
                quoted = !quoted;
            else if (*text == '\\' && !quoted && text[1])
                *to++ = *++text;
            else
                *to++ = *text;
            text++;
        }
        if (quoted)
            return -1;
        const bool more = *text != '\0';
        *to = '\0';
        text += more;
    }
    return n;
}

static xa_status write_plot(const xa_page *p, xa_err *err)
{
    static const xa_stats_plan plan = {.seed = 1, .stream = 1, .replicates = 1000, .level = 0.95};
    xa_status st = XA_OK;
    char digest[XA_SHA256_HEX];
    xa_plot_page page = {0};
    xa_plotting with = {.plan = &plan,
                        .model = p->choice.model,
                        .metric = p->choice.metric,
                        .width_mm = p->width_mm,
                        .font_pt = p->font_pt};
    const xa_provenance from = {p->command, digest};
    XA_TRY(err,
           xa_summary_open(p->archive, p->plot == XA_PLOT_CLASSES ? "class" : NULL, &with.s, err));
    XA_TRY(err, xa_figure_digest(with.s->r, digest, err));
    XA_TRY(err, xa_plot_make(&with, (xa_plot_kind)p->plot, &page, err));
    if (page.is_panel)
        XA_TRY(err, xa_panel_write(&page.panel, p->output, p->dpi, &from, err));
    else
        XA_TRY(err, xa_chart_write(&page.chart, p->output, p->dpi, &from, err));
done:
    xa_plot_page_free(&page);
    xa_summary_close(with.s);
    return st;
}

static int make(int argc, char **argv)
{
    xa_page p = xa_page_defaults();
    xa_err err = XA_ERR_INIT;
    int64_t missing = 0;
    if (!parse(argc, argv, &p))
        return XA_EXIT_USAGE;
    p.command = command_of(argc, argv, &p);
    const xa_status st =
        p.command && p.plot >= 0 ? write_plot(&p, &err)
        : p.command              ? xa_page_write(&p, &missing, &err)
                    : xa_err_set(&err, XA_NOMEM, __FILE__, __func__, __LINE__, "out of memory");
    free(p.command);
    if (st != XA_OK) {
        xa_print_error(&err);
        return st == XA_NOT_FOUND || st == XA_INVALID || st == XA_UNSUPPORTED || st == XA_SHAPE
                   ? XA_EXIT_USAGE
                   : XA_EXIT_FAILED;
    }
    return missing ? XA_EXIT_SAMPLES : XA_EXIT_DONE;
}

int xa_cmd_figure(int argc, char **argv)
{
    enum { WORDS = 512 };
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        fputs(usage, stdout);
        return XA_EXIT_DONE;
    }
    if (argc < 3 || strcmp(argv[1], "--again") != 0)
        return make(argc, argv);
    xa_err err = XA_ERR_INIT;
    char *words[WORDS], *command = NULL;
    if (xa_provenance_read(argv[2], &command, &err) != XA_OK) {
        xa_print_error(&err);
        return XA_EXIT_USAGE;
    }
    int n = split(command, words, WORDS);
    if (n < 2 || n + argc - 3 >= WORDS) {
        fprintf(stderr, "xaudit figure: %s: its command cannot be read\n", argv[2]);
        free(command);
        return XA_EXIT_USAGE;
    }
    for (int i = 3; i < argc; i++)
        words[n++] = argv[i];
    words[n] = NULL;
    const int code = make(n - 1, words + 1); /* without "xaudit" */
    free(command);
    return code;
}
