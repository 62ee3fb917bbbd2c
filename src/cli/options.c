/* The one parser of command lines. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

static const xa_option table[XA_OPT_COUNT] = {
#define OPTION(id, ...) [XA_OPT_##id] = {__VA_ARGS__},
#include "options.def"
#undef OPTION
};

/* Pairs of options that exclude one another, and options that say nothing without another. */
static const struct {
    xa_option_id a, b;
} apart[] = {{XA_OPT_SLICE, XA_OPT_LIMIT},
             {XA_OPT_CSV_SUMMARY, XA_OPT_JSON_SUMMARY},
             {XA_OPT_CSV_SUMMARY, XA_OPT_LATEX},
             {XA_OPT_JSON_SUMMARY, XA_OPT_LATEX},
             {XA_OPT_BOX, XA_OPT_BOX_XYWH},
             {XA_OPT_DIGEST, XA_OPT_JOB},
             {XA_OPT_DIGEST, XA_OPT_METHODS},
             {XA_OPT_JOB, XA_OPT_METHODS},
             {XA_OPT_PLOT, XA_OPT_ID},
             {XA_OPT_PLOT, XA_OPT_INDEX},
             {XA_OPT_PLOT, XA_OPT_PICK},
             {XA_OPT_PLOT, XA_OPT_CLASS},
             {XA_OPT_PLOT, XA_OPT_ROWS},
             {XA_OPT_PLOT, XA_OPT_EXPLAINER},
             {XA_OPT_PLOT, XA_OPT_STYLE},
             {XA_OPT_PLOT, XA_OPT_SHOW},
             {XA_OPT_PLOT, XA_OPT_PATCHES},
             {XA_OPT_PLOT, XA_OPT_NO_BOXES}},
  useless[] = {{XA_OPT_RANKS, XA_OPT_SLURM}};

/* What a command does not go without. xaudit figure sees to it itself: --again knows it. */
static const struct {
    xa_command_id command;
    xa_option_id option;
} required[] = {{XA_COMMAND_MERGE, XA_OPT_OUTPUT},
                {XA_COMMAND_REPORT, XA_OPT_OUTPUT},
                {XA_COMMAND_MANIFEST, XA_OPT_OUTPUT}};

const xa_option *xa_option_of(xa_option_id id)
{
    return &table[id];
}

int xa_option_find(xa_command_id command, const char *name, size_t length)
{
    for (int i = 0; i < XA_OPT_COUNT; i++)
        if (xa_option_on(&table[i], command) && strlen(table[i].name) == length &&
            !strncmp(table[i].name, name, length))
            return i;
    return -1;
}

int xa_option_choice(const xa_option *o, const char *word)
{
    const size_t n = strlen(word);
    int at = 0;
    for (const char *c = o->choices; c; at++) {
        const char *end = strchr(c, '|');
        if (n == (end ? (size_t)(end - c) : strlen(c)) && !strncmp(c, word, n))
            return at;
        c = end ? end + 1 : NULL;
    }
    return -1;
}

/* ---- values ---- */

/* What a row expects, for messages: "a whole number from 100 to 1000000". */
static void expected(const xa_option *o, char *out, size_t size)
{
    const double open_end = 9e18;
    switch (o->kind) {
    case XA_OPTION_INTEGER:
        if (o->low <= -open_end)
            snprintf(out, size, "a whole number");
        else if (o->high >= open_end)
            snprintf(out, size, "a whole number of at least %.0f", o->low);
        else
            snprintf(out, size, "a whole number from %.0f to %.0f", o->low, o->high);
        break;
    case XA_OPTION_NUMBER:
        snprintf(out, size, "a number from %g to %g", o->low, o->high);
        break;
    case XA_OPTION_LENGTH:
        snprintf(out, size, "%g to %g mm, as 90, 90mm, 9cm or 3.5in", o->low, o->high);
        break;
    case XA_OPTION_POINTS:
        snprintf(out, size, "%g to %g pt, as 7 or 7pt", o->low, o->high);
        break;
    case XA_OPTION_PIECE:
        snprintf(out, size, "I/N, as 1/4 to 4/4");
        break;
    case XA_OPTION_CHOICE: {
        size_t n = 0;
        for (const char *c = o->choices; *c && n + 3 < size; c++)
            if (*c == '|') {
                out[n++] = ',';
                out[n++] = ' ';
            } else {
                out[n++] = *c;
            }
        out[n] = '\0';
        break;
    }
    default:
        snprintf(out, size, "a text that is not empty");
    }
}

/* I/N */
static bool read_piece(const char *text, double most, xa_arg *out)
{
    const char *stroke = strchr(text, '/');
    char *first = stroke ? xa_strndup(text, (size_t)(stroke - text)) : NULL;
    const bool ok = first && xa_parse_i64(first, &out->integer) &&
                    xa_parse_i64(stroke + 1, &out->of) && out->integer >= 1 &&
                    out->integer <= out->of && (double)out->of <= most;
    free(first);
    return ok;
}

/* A number with an optional unit behind it. */
static bool read_measure(const xa_option *o, const char *text, double *out)
{
    static const struct {
        xa_option_kind kind;
        const char *unit;
        double by;
    } units[] = {{XA_OPTION_LENGTH, "mm", 1.0},
                 {XA_OPTION_LENGTH, "cm", 10.0},
                 {XA_OPTION_LENGTH, "in", 25.4},
                 {XA_OPTION_POINTS, "pt", 1.0}};
    char number[32] = "";
    double by = 1.0, v;
    size_t n = strlen(text);
    for (size_t k = 0; k < sizeof units / sizeof *units; k++)
        if (units[k].kind == o->kind && n > 2 && xa_str_ends(text, units[k].unit)) {
            by = units[k].by;
            n -= 2;
            break;
        }
    if (n >= sizeof number)
        return false;
    memcpy(number, text, n);
    if (!xa_parse_f64(number, &v) || !(v * by >= o->low && v * by <= o->high))
        return false;
    *out = v * by;
    return true;
}

/* A row's value of a text; false when it is not what the row expects. */
static bool read_value(const xa_option *o, const char *text, xa_arg *out)
{
    out->text = text;
    switch (o->kind) {
    case XA_OPTION_INTEGER:
        return xa_parse_i64(text, &out->integer) && (double)out->integer >= o->low &&
               (double)out->integer <= o->high;
    case XA_OPTION_NUMBER:
        return xa_parse_f64(text, &out->number) && out->number >= o->low && out->number <= o->high;
    case XA_OPTION_CHOICE:
        out->integer = xa_option_choice(o, text);
        return out->integer >= 0;
    case XA_OPTION_LENGTH:
    case XA_OPTION_POINTS:
        return read_measure(o, text, &out->number);
    case XA_OPTION_PIECE:
        return read_piece(text, o->high, out);
    default:
        return *text != '\0';
    }
}

/* ---- the walk over argv ---- */

typedef struct walk {
    xa_args *a;
    char **argv;
    int argc, at;
    int *follows; /* [npositional]: the item of SEVERAL that a bare word stands behind; -1 */
    int open;     /* the item that further words may belong to; -1 */
} walk;

/* "run has --output, --set, ...", which is where somebody looks next. */
static void list_options(xa_command_id command, xa_str *out)
{
    xa_str_printf(out, "%s has", xa_command_of(command)->name);
    bool first = true;
    for (int i = 0; i < XA_OPT_COUNT; i++)
        if (xa_option_on(&table[i], command)) {
            xa_str_printf(out, "%s --%s", first ? "" : ",", table[i].name);
            first = false;
        }
}

static xa_status unknown(const walk *w, const char *word, size_t length, xa_err *err)
{
    const xa_command_id command = w->a->command;
    const char *names[XA_OPT_COUNT];
    char *name = xa_strndup(word + 2, length - 2);
    xa_str s = {0}, others = {0};
    unsigned commands = 0;
    size_t n = 0;
    for (int i = 0; i < XA_OPT_COUNT; i++) {
        if (xa_option_on(&table[i], command))
            names[n++] = table[i].name;
        if (name && !strcmp(table[i].name, name))
            commands |= table[i].commands;
    }
    xa_str_printf(&s, "unknown option %.*s", (int)length, word);
    for (int c = 0; c < XA_COMMAND_COUNT; c++)
        if (commands >> c & 1)
            xa_str_printf(
                &others, "%s%s", others.len ? ", " : "", xa_command_of((xa_command_id)c)->name);
    const char *near = name && !commands ? xa_nearest(name, names, n) : NULL;
    if (commands)
        xa_str_printf(&s, ": it belongs to %s", others.data ? others.data : "another command");
    else if (near)
        xa_str_printf(&s, "; did you mean --%s?", near);
    xa_str_puts(&s, near ? " " : "; ");
    list_options(command, &s);
    const xa_status st = XA_ERR(err, XA_INVALID, "%s", s.data ? s.data : "unknown option");
    free(name);
    xa_str_free(&s);
    xa_str_free(&others);
    return st;
}

static bool is_anywhere(const char *name, size_t length)
{
    for (int c = 0; c < XA_COMMAND_COUNT; c++)
        if (xa_option_find((xa_command_id)c, name, length) >= 0)
            return true;
    return false;
}

/* A long name, whole or cut where it stays unambiguous; what is whole elsewhere is not cut here. */
static xa_status find_long(const walk *w, const char *word, size_t length, int *out, xa_err *err)
{
    const char *name = word + 2;
    const size_t n = length - 2;
    int found = xa_option_find(w->a->command, name, n), other = -1;
    const bool foreign = found < 0 && is_anywhere(name, n);
    for (int i = 0; found < 0 && !foreign && n > 0 && i < XA_OPT_COUNT; i++)
        if (xa_option_on(&table[i], w->a->command) && !strncmp(table[i].name, name, n)) {
            for (int k = i + 1; k < XA_OPT_COUNT && other < 0; k++)
                if (xa_option_on(&table[k], w->a->command) && !strncmp(table[k].name, name, n))
                    other = k;
            found = i;
        }
    if (other >= 0)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%.*s could be --%s or --%s: write it whole",
                       (int)length,
                       word,
                       table[found].name,
                       table[other].name);
    if (found < 0)
        return unknown(w, word, length, err);
    *out = found;
    return XA_OK;
}

static xa_status add_item(walk *w, int id, const char *text, xa_err *err)
{
    const xa_option *o = &table[id];
    xa_arg item = {.option = (xa_option_id)id};
    char wanted[256];
    if (o->kind != XA_OPTION_FLAG && !read_value(o, text, &item)) {
        expected(o, wanted, sizeof wanted);
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "--%s: expected %s, found %s",
                       o->name,
                       wanted,
                       *text ? text : "nothing");
    }
    w->a->item[w->a->nitems++] = item;
    w->open = o->times == XA_SEVERAL ? w->a->nitems - 1 : -1;
    return XA_OK;
}

/* The value of an option from the next word; another option in its place is a value forgotten. */
static xa_status next_value(walk *w, const xa_option *o, const char **out, xa_err *err)
{
    const char *next = w->at < w->argc ? w->argv[w->at] : NULL;
    const char *is = next && !strncmp(next, "--", 2) ? next + 2 : NULL;
    if (is && *is && xa_option_find(w->a->command, is, strcspn(is, "=")) < 0)
        is = NULL;
    if (!next || is)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "--%s needs a value, %s%s, found %s%s%s",
                       o->name,
                       o->argument ? o->argument : "one of ",
                       o->argument ? "" : o->choices,
                       next ? "the option " : "nothing behind it",
                       next ? next : "",
                       next ? "; --NAME=VALUE takes any value" : "");
    w->at++;
    *out = next;
    return XA_OK;
}

static xa_status long_option(walk *w, const char *word, xa_err *err)
{
    const size_t length = strcspn(word, "=");
    const char *text = word[length] ? word + length + 1 : NULL;
    int id = -1;
    XA_RETURN_TRY(err, find_long(w, word, length, &id, err));
    const xa_option *o = &table[id];
    if (o->kind == XA_OPTION_FLAG && text)
        XA_RETURN_FAIL(err, XA_INVALID, "--%s takes no value, found %s", o->name, text);
    if (o->kind != XA_OPTION_FLAG && !text)
        XA_RETURN_TRY(err, next_value(w, o, &text, err));
    return add_item(w, id, text, err);
}

static xa_status short_option(walk *w, const char *word, xa_err *err)
{
    const char *text = word[2] ? word + 2 : NULL;
    int id = -1;
    for (int i = 0; i < XA_OPT_COUNT && id < 0; i++)
        if (table[i].letter == word[1] && xa_option_on(&table[i], w->a->command))
            id = i;
    if (xa_option_find(w->a->command, word + 1, strcspn(word + 1, "=")) >= 0 && text)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: long options have two hyphens: -%s", word, word);
    if (id < 0 || (table[id].kind == XA_OPTION_FLAG && text)) {
        xa_str s = {0};
        list_options(w->a->command, &s);
        const xa_status st =
            XA_ERR(err, XA_INVALID, "unknown option %s; %s", word, s.data ? s.data : "");
        xa_str_free(&s);
        return st;
    }
    const xa_option *o = &table[id];
    if (o->kind != XA_OPTION_FLAG && !text)
        XA_RETURN_TRY(err, next_value(w, o, &text, err));
    return add_item(w, id, text, err);
}

static xa_status take_word(walk *w, const char *word, xa_err *err)
{
    /* an en or em dash, as word processors make of two hyphens */
    if (!strncmp(word, "\xe2\x80\x93", 3) || !strncmp(word, "\xe2\x80\x94", 3))
        XA_RETURN_FAIL(
            err, XA_INVALID, "%s begins with a dash that is no hyphen: write --%s", word, word + 3);
    if (!*word)
        XA_RETURN_FAIL(
            err, XA_INVALID, "an argument is empty: a variable of the shell that is not set?");
    w->follows[w->a->npositional] = w->open;
    w->a->positional[w->a->npositional++] = word;
    return XA_OK;
}

/* Words behind --id A are further ids, but for the command's own argument if no other word can be
 * it: the last one. */
static xa_status take_several(walk *w, xa_err *err)
{
    xa_args *a = w->a;
    int own = 0, last = -1, n = 0;
    for (int i = 0; i < a->npositional; i++)
        if (w->follows[i] < 0)
            own++;
        else
            last = i;
    const bool again = xa_args_has(a, XA_OPT_AGAIN);
    for (int i = 0; i < a->npositional; i++) {
        if (w->follows[i] < 0 || (!own && !again && i == last))
            a->positional[n++] = a->positional[i];
        else
            XA_RETURN_TRY(err,
                          add_item(w, (int)a->item[w->follows[i]].option, a->positional[i], err));
    }
    a->npositional = n;
    return XA_OK;
}

/* ---- what must hold between them ---- */

static xa_status check_pairs(const xa_args *a, xa_err *err)
{
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++)
        if (xa_args_has(a, apart[i].a) && xa_args_has(a, apart[i].b))
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "--%s and --%s exclude one another",
                           table[apart[i].a].name,
                           table[apart[i].b].name);
    for (size_t i = 0; i < sizeof useless / sizeof *useless; i++)
        if (xa_args_has(a, useless[i].a) && !xa_args_has(a, useless[i].b))
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "--%s says nothing without --%s",
                           table[useless[i].a].name,
                           table[useless[i].b].name);
    return XA_OK;
}

static xa_status check_count(const xa_args *a, xa_err *err)
{
    const xa_command *c = xa_command_of(a->command);
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (required[i].command == a->command && !xa_args_has(a, required[i].option))
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "-%c %s is missing: xaudit %s %s",
                           table[required[i].option].letter,
                           table[required[i].option].argument,
                           c->name,
                           c->arguments);
    if (a->npositional >= c->least && a->npositional <= c->most)
        return XA_OK;
    xa_str s = {0};
    xa_str_printf(&s, "expected %s, found ", c->wanted);
    if (!a->npositional)
        xa_str_puts(&s, "none");
    for (int i = 0; i < a->npositional && i < 6; i++)
        xa_str_printf(&s, "%s%s", i ? ", " : "", a->positional[i]);
    if (a->npositional > 6)
        xa_str_printf(&s, " and %d more", a->npositional - 6);
    for (int i = c->most; i < a->npositional; i++) {
        const char *word = a->positional[i];
        if (xa_option_find(a->command, word, strlen(word)) >= 0) {
            xa_str_printf(&s, "; did you mean --%s?", word);
            break;
        }
        if (strchr(word, '=') && xa_option_on(&table[XA_OPT_SET], a->command)) {
            xa_str_printf(&s, "; each setting has its own --set: --set %s", word);
            break;
        }
    }
    xa_str_printf(&s, "; xaudit %s --help tells more", c->name);
    const xa_status st = XA_ERR(err, XA_INVALID, "%s", s.data ? s.data : c->wanted);
    xa_str_free(&s);
    return st;
}

xa_status xa_args_parse(xa_command_id command, int argc, char **argv, xa_args *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_args a = {.command = command};
    walk w = {.a = &a, .argv = argv, .argc = argc, .at = 1, .open = -1};
    bool ended = false;
    a.positional = xa_alloc((size_t)argc + 1, sizeof *a.positional);
    a.item = xa_alloc((size_t)argc + 1, sizeof *a.item);
    w.follows = xa_alloc((size_t)argc + 1, sizeof *w.follows);
    if (!a.positional || !a.item || !w.follows)
        XA_NOMEM_FAIL(err);
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        a.help = a.help || !strcmp(argv[i], "--help") || !strcmp(argv[i], "-h");
    while (!a.help && w.at < argc) {
        const char *word = argv[w.at++];
        if (ended || word[0] != '-' || !word[1])
            XA_TRY(err, take_word(&w, word, err));
        else if (!strcmp(word, "--"))
            ended = true;
        else if (word[1] == '-')
            XA_TRY(err, long_option(&w, word, err));
        else
            XA_TRY(err, short_option(&w, word, err));
        if (ended)
            w.open = -1;
    }
    if (!a.help) {
        XA_TRY(err, take_several(&w, err));
        XA_TRY(err, check_pairs(&a, err));
        XA_TRY(err, check_count(&a, err));
    }
    *out = a;
    a = (xa_args){0};
done:
    xa_args_fini(&a);
    free(w.follows);
    return st;
}

void xa_args_fini(xa_args *a)
{
    free(a->positional);
    free(a->item);
    *a = (xa_args){0};
}

xa_status xa_args_copy(const xa_args *a, xa_option_id without, xa_args *out, xa_err *err)
{
    xa_args c = {.command = a->command};
    c.positional = xa_alloc((size_t)a->npositional + 1, sizeof *c.positional);
    c.item = xa_alloc((size_t)a->nitems + 1, sizeof *c.item);
    if (!c.positional || !c.item) {
        xa_args_fini(&c);
        XA_RETURN_NOMEM(err);
    }
    for (int i = 0; i < a->npositional; i++)
        c.positional[c.npositional++] = a->positional[i];
    for (int i = 0; i < a->nitems; i++)
        if (a->item[i].option != without)
            c.item[c.nitems++] = a->item[i];
    *out = c;
    return XA_OK;
}

xa_status xa_args_merge(xa_args *base, xa_args *over, xa_err *err)
{
    xa_arg *item = xa_alloc((size_t)(base->nitems + over->nitems) + 1, sizeof *item);
    int n = 0;
    if (!item)
        XA_RETURN_NOMEM(err);
    for (int i = 0; i < base->nitems; i++)
        if (!xa_args_has(over, base->item[i].option))
            item[n++] = base->item[i];
    for (int i = 0; i < over->nitems; i++)
        item[n++] = over->item[i];
    free(base->item);
    base->item = item;
    base->nitems = n;
    if (over->npositional) {
        free(base->positional);
        base->positional = over->positional;
        base->npositional = over->npositional;
        over->positional = NULL;
    }
    xa_args_fini(over);
    return check_pairs(base, err);
}

/* ---- what was said ---- */

static const xa_arg *last_of(const xa_args *a, xa_option_id id)
{
    for (int i = a->nitems - 1; i >= 0; i--)
        if (a->item[i].option == id)
            return &a->item[i];
    return NULL;
}

/* As given, or as the table begins. */
static xa_arg value_of(const xa_args *a, xa_option_id id)
{
    const xa_arg *given = last_of(a, id);
    xa_arg initial = {.option = id, .integer = table[id].kind == XA_OPTION_CHOICE ? -1 : 0};
    if (given)
        return *given;
    if (table[id].initial)
        (void)read_value(
            &table[id], table[id].initial, &initial); /* the unit test reads them all */
    return initial;
}

bool xa_args_has(const xa_args *a, xa_option_id id)
{
    return last_of(a, id) != NULL;
}

const char *xa_args_text(const xa_args *a, xa_option_id id)
{
    return value_of(a, id).text;
}

int64_t xa_args_integer(const xa_args *a, xa_option_id id)
{
    return value_of(a, id).integer;
}

double xa_args_number(const xa_args *a, xa_option_id id)
{
    return value_of(a, id).number;
}

const xa_arg *xa_args_nth(const xa_args *a, xa_option_id id, int n)
{
    for (int i = 0; i < a->nitems; i++)
        if (a->item[i].option == id && n-- == 0)
            return &a->item[i];
    return NULL;
}
