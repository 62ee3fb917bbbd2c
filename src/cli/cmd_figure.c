/* xaudit figure: reads its options, and the command that a figure keeps. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "xaudit/chart.h"
#include "xaudit/figure.h"

static double preset_mm(const char *name)
{
    static const struct {
        const char *name;
        double mm;
    } presets[] = {{"elsevier-1col", 90.0},
                   {"elsevier-2col", 190.0},
                   {"ieee-col", 88.9},
                   {"ieee-2col", 182.0},
                   {"nature-1col", 89.0},
                   {"nature-2col", 183.0}};
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (!strcmp(name, presets[i].name))
            return presets[i].mm;
    return 0.0; /* cannot happen: the table of options has no others */
}

/* Options that may be given several times. */
static xa_status read_lists(const xa_args *a, xa_page *p, xa_err *err)
{
    xa_choice *choice = &p->choice;
    const xa_arg *item;
    while (choice->nids < XA_FIGURE_LIST && (item = xa__args_nth(a, XA_OPT_ID, choice->nids)))
        choice->id[choice->nids++] = item->text;
    while (choice->nindices < XA_FIGURE_LIST &&
           (item = xa__args_nth(a, XA_OPT_INDEX, choice->nindices)))
        choice->index[choice->nindices++] = item->integer;
    while (choice->nexplainers < XA_FIGURE_LIST &&
           (item = xa__args_nth(a, XA_OPT_EXPLAINER, choice->nexplainers)))
        choice->explainer[choice->nexplainers++] = item->text;
    while (p->nnames < XA_FIGURE_LIST && (item = xa__args_nth(a, XA_OPT_NAMES, p->nnames))) {
        if (!strchr(item->text, '='))
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "--names %s: expected EXPLAINER=TEXT, as in --names "
                           "gradcam.label=\"Ours\"",
                           item->text);
        p->name[p->nnames++] = item->text;
    }
    if (xa__args_nth(a, XA_OPT_ID, XA_FIGURE_LIST) ||
        xa__args_nth(a, XA_OPT_INDEX, XA_FIGURE_LIST) ||
        xa__args_nth(a, XA_OPT_EXPLAINER, XA_FIGURE_LIST) ||
        xa__args_nth(a, XA_OPT_NAMES, XA_FIGURE_LIST))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "a figure has at most %d --id, --index, --explainer or --names",
                       XA_FIGURE_LIST);
    return XA_OK;
}

static xa_status read_page(const xa_args *a, xa_page *p, xa_err *err)
{
    const int64_t show = xa__args_integer(a, XA_OPT_SHOW);
    *p = (xa_page){.archive = a->npositional ? a->positional[0] : NULL,
                   .output = xa__args_text(a, XA_OPT_OUTPUT),
                   .image_root = xa__args_text(a, XA_OPT_IMAGE_ROOT),
                   .choice = {.class_name = xa__args_text(a, XA_OPT_CLASS),
                              .pick = (xa_pick)xa__args_integer(a, XA_OPT_PICK),
                              .metric = xa__args_text(a, XA_OPT_FIGURE_METRIC),
                              .model = xa__args_text(a, XA_OPT_MODEL),
                              .most = xa__args_integer(a, XA_OPT_ROWS),
                              .seed = xa__args_integer(a, XA_OPT_FIGURE_SEED)},
                   .style = (xa_page_style)xa__args_integer(a, XA_OPT_STYLE),
                   .overlay = show != 1,
                   .map = show != 0,
                   .shared = xa__args_integer(a, XA_OPT_SCALE) == 1,
                   .truth = xa__args_has(a, XA_OPT_NO_BOXES)
                                ? XA_TRUTH_NONE
                                : (xa_page_truth)xa__args_integer(a, XA_OPT_TRUTH),
                   .anonymise = xa__args_has(a, XA_OPT_ANONYMISE),
                   .patches = xa__args_has(a, XA_OPT_PATCHES),
                   .contours = !xa__args_has(a, XA_OPT_NO_CONTOURS),
                   .over = xa_overlay_defaults(false),
                   .width_mm = xa__args_number(a, XA_OPT_WIDTH),
                   .dpi = xa__args_number(a, XA_OPT_DPI),
                   .font_pt = xa__args_number(a, XA_OPT_FONT),
                   .plot = (int)xa__args_integer(a, XA_OPT_PLOT)};
    static const double chroma[] = {0.35, 0.0, 1.0}; /* muted, grey, full */
    p->over.smooth = -1.0;
    p->over.opacity = xa__args_has(a, XA_OPT_WEIGHT) ? xa__args_number(a, XA_OPT_WEIGHT) : -1.0;
    p->over.chroma = chroma[xa__args_integer(a, XA_OPT_PHOTO)];
    p->over.colormap = (xa_colormap)xa__args_integer(a, XA_OPT_COLORMAP);
    /* the last one of --width and --preset counts, since --again may replace one by the other */
    for (int i = 0; i < a->nitems; i++)
        if (a->item[i].option == XA_OPT_PRESET)
            p->width_mm = preset_mm(a->item[i].text);
        else if (a->item[i].option == XA_OPT_WIDTH)
            p->width_mm = a->item[i].number;
    if (!p->archive || !p->output)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s is missing: xaudit figure %s",
                       p->archive ? "-o FILE" : "the archive",
                       xa__command_of(XA_COMMAND_FIGURE)->arguments);
    return read_lists(a, p, err);
}

/* ---- the command ---- */

/* "xaudit figure ...", which makes the figure again; without folders if it is anonymous. */
static char *command_of(const xa_args *a, const xa_page *p)
{
    xa_str s = {0};
    xa_str_puts(&s, "xaudit figure ");
    xa_str_word(&s, p->anonymise ? xa_path_last(p->archive) : p->archive);
    for (int i = 0; i < a->nitems; i++) {
        const xa_arg *item = &a->item[i];
        if (p->anonymise && item->option == XA_OPT_IMAGE_ROOT)
            continue;
        xa_str_printf(&s, " --%s", xa__option_of(item->option)->name);
        if (!item->text)
            continue;
        /* a value that looks like an option must be one word with the name */
        xa_str_puts(&s, item->text[0] == '-' ? "=" : " ");
        xa_str_word(&s,
                    p->anonymise && item->option == XA_OPT_OUTPUT ? xa_path_last(item->text)
                                                                  : item->text);
    }
    if (s.failed) {
        xa_str_free(&s);
        return NULL;
    }
    return s.data;
}

/* Splits a command into at most `most` words, in place (the reverse of xa_str_word). -1: there are
 * more, or a quote does not end. */
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

static int make(const xa_args *a)
{
    xa_page p;
    xa_err err = XA_ERR_INIT;
    int64_t missing = 0;
    if (read_page(a, &p, &err) != XA_OK) {
        fprintf(stderr, "xaudit figure: %s\n", err.message);
        return XA_EXIT_USAGE;
    }
    p.command = command_of(a, &p);
    const xa_status st = p.command && p.plot >= 0 ? write_plot(&p, &err)
                         : p.command              ? xa_page_write(&p, &missing, &err)
                                                  : XA_NOMEM_ERR(&err);
    free(p.command);
    if (st != XA_OK) {
        xa_print_error(&err);
        return st == XA_NOT_FOUND || st == XA_INVALID || st == XA_UNSUPPORTED || st == XA_SHAPE
                   ? XA_EXIT_USAGE
                   : XA_EXIT_FAILED;
    }
    return missing ? XA_EXIT_SAMPLES : XA_EXIT_DONE;
}

/* Paths that are made for a kept command. */
enum { XA_KEPT_PATHS = 16 };
typedef struct xa_texts {
    char *text[XA_KEPT_PATHS];
    int n;
} xa_texts;

/* Reads the command line that a figure keeps; its texts are in *command. */
static xa_status kept(const char *figure, char **command, xa_args *out, xa_err *err)
{
    enum { WORDS = 512 };
    char *words[WORDS];
    XA_RETURN_TRY(err, xa_provenance_read(figure, command, err));
    const int n = split(*command, words, WORDS);
    if (n < 2)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: its command cannot be read", figure);
    const xa_status st = xa__args_parse(XA_COMMAND_FIGURE, n - 1, words + 1, out, err);
    if (st != XA_OK)
        xa_err_prefix(err, "the command kept in %s", figure);
    return st;
}

/* The folder in which a kept command was called, freed by the caller: what comes before its output
 * in the path of the figure, or the folder of the figure if it was moved since. */
static char *called_in(const char *figure, const char *output)
{
    const size_t n = strlen(figure), m = strlen(output);
    if (!strcmp(figure, output))
        return xa_strdup("");
    if (*output != '/' && n > m && figure[n - m - 1] == '/' && !strcmp(figure + n - m, output))
        return xa_strndup(figure, n - m);
    return xa_strndup(figure, (size_t)(xa_path_last(figure) - figure));
}

/* A path of a kept command as seen from here: relative to the folder in which it was called if the
 * file is there or is new, else as written. Owned by `texts`. */
static const char *from_here(xa_texts *texts, const char *folder, const char *path, bool is_new)
{
    char *there = *path == '/' ? NULL : xa_strfmt("%s%s", folder, path);
    if (!there)
        return path;
    xa_path_tidy(there);
    if (!is_new && access(there, F_OK) != 0) {
        free(there);
        return path;
    }
    texts->text[texts->n++] = there;
    return there;
}

/* Makes the paths of a kept command valid from here. */
static xa_status relocate(const char *figure, xa_args *all, xa_texts *texts, xa_err *err)
{
    const char *output = xa__args_text(all, XA_OPT_OUTPUT);
    char *folder = called_in(figure, output ? output : "");
    if (!folder)
        XA_RETURN_NOMEM(err);
    const bool moved = output && *output != '/' && !xa_str_ends(figure, output);
    if (all->npositional)
        all->positional[0] = from_here(texts, folder, all->positional[0], false);
    for (int i = 0; i < all->nitems && texts->n + 1 < XA_KEPT_PATHS; i++) {
        xa_arg *item = &all->item[i];
        if (item->option == XA_OPT_IMAGE_ROOT)
            item->text = from_here(texts, folder, item->text, false);
        if (item->option == XA_OPT_OUTPUT)
            item->text =
                from_here(texts, folder, moved ? xa_path_last(item->text) : item->text, true);
    }
    free(folder);
    return XA_OK;
}

int xa_cmd_figure(const xa_args *a)
{
    const char *again = xa__args_text(a, XA_OPT_AGAIN);
    if (!again)
        return make(a);
    xa_err err = XA_ERR_INIT;
    xa_args all = {0}, over = {0};
    xa_texts texts = {0};
    char *command = NULL;
    int code = XA_EXIT_USAGE;
    xa_status st = kept(again, &command, &all, &err);
    if (st == XA_OK)
        st = relocate(again, &all, &texts, &err);
    if (st == XA_OK)
        st = xa__args_copy(a, XA_OPT_AGAIN, &over, &err);
    if (st == XA_OK)
        st = xa__args_merge(&all, &over, &err);
    if (st == XA_OK && all.npositional && access(all.positional[0], F_OK) != 0)
        st = XA_ERR(
            &err,
            XA_NOT_FOUND,
            "%s was made from \"%s\", which is no longer there: name the archive as in xaudit "
            "figure --again %s ARCHIVE",
            again,
            all.positional[0],
            again);
    if (st == XA_OK)
        code = make(&all);
    else
        xa_print_error(&err);
    for (int i = 0; i < texts.n; i++)
        free(texts.text[i]);
    xa__args_fini(&all);
    free(command);
    return code;
}
