/* The one parser of command lines. */
#include <stdlib.h>
#include <string.h>

#include "options.h"

static const struct {
    xa_command_id command;
    xa_option_id option;
} required[] = {
#define REQUIRED(command, id) {XA_COMMAND_##command, XA_OPT_##id},
#include "commands.def"
};

static const xa_option *row(int i)
{
    return xa__option_of((xa_option_id)i);
}

typedef struct walk {
    xa_args *a;
    char **argv;
    int argc, at;
    int *follows; /* [npositional]: the repeatable item that a bare word follows; -1: none */
    int open;     /* the item that further bare words may belong to; -1 */
} walk;

/* "run has --output, --set, ...": the list that somebody with a wrong option needs. */
static void list_options(xa_command_id command, xa_str *out)
{
    xa_str_printf(out, "%s has", xa__command_of(command)->name);
    bool first = true;
    for (int i = 0; i < XA_OPT_COUNT; i++)
        if (xa__option_on(row(i), command)) {
            xa_str_printf(out, "%s --%s", first ? "" : ",", row(i)->name);
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
        if (xa__option_on(row(i), command))
            names[n++] = row(i)->name;
        if (name && !strcmp(row(i)->name, name))
            commands |= row(i)->commands;
    }
    xa_str_printf(&s, "unknown option %.*s", (int)length, word);
    for (int c = 0; c < XA_COMMAND_COUNT; c++)
        if (commands >> c & 1)
            xa_str_printf(
                &others, "%s%s", others.len ? ", " : "", xa__command_of((xa_command_id)c)->name);
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
        if (xa__option_find((xa_command_id)c, name, length) >= 0)
            return true;
    return false;
}

/* Finds a long name, whole or shortened where it stays unambiguous. The whole name of another
 * command's option is not taken for a shortened one. */
static xa_status find_long(const walk *w, const char *word, size_t length, int *out, xa_err *err)
{
    const char *name = word + 2;
    const size_t n = length - 2;
    int found = xa__option_find(w->a->command, name, n), other = -1;
    const bool foreign = found < 0 && is_anywhere(name, n);
    for (int i = 0; found < 0 && !foreign && n > 0 && i < XA_OPT_COUNT; i++)
        if (xa__option_on(row(i), w->a->command) && !strncmp(row(i)->name, name, n)) {
            for (int k = i + 1; k < XA_OPT_COUNT && other < 0; k++)
                if (xa__option_on(row(k), w->a->command) && !strncmp(row(k)->name, name, n))
                    other = k;
            found = i;
        }
    if (other >= 0)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%.*s could be --%s or --%s: write it out",
                       (int)length,
                       word,
                       row(found)->name,
                       row(other)->name);
    if (found < 0)
        return unknown(w, word, length, err);
    *out = found;
    return XA_OK;
}

static xa_status add_item(walk *w, int id, const char *text, xa_err *err)
{
    const xa_option *o = row(id);
    xa_arg item = {.option = (xa_option_id)id};
    char wanted[256];
    if (o->kind != XA_OPTION_FLAG && !xa__option_read(o, text, &item)) {
        xa__option_expected(o, wanted, sizeof wanted);
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

/* Takes the value of an option from the next word; if that is another option, the value was
 * forgotten. */
static xa_status next_value(walk *w, const xa_option *o, const char **out, xa_err *err)
{
    const char *next = w->at < w->argc ? w->argv[w->at] : NULL;
    const char *is = next && !strncmp(next, "--", 2) ? next + 2 : NULL;
    if (is && *is && xa__option_find(w->a->command, is, strcspn(is, "=")) < 0)
        is = NULL;
    if (!next || is)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "--%s needs a value, %s%s, found %s%s%s",
                       o->name,
                       o->argument ? o->argument : "one of ",
                       o->argument ? "" : o->choices,
                       next ? "the option " : "nothing after it",
                       next ? next : "",
                       next ? "; write --NAME=VALUE if that is the value" : "");
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
    const xa_option *o = row(id);
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
        if (row(i)->letter == word[1] && xa__option_on(row(i), w->a->command))
            id = i;
    if (xa__option_find(w->a->command, word + 1, strcspn(word + 1, "=")) >= 0 && text)
        XA_RETURN_FAIL(err, XA_INVALID, "%s: long options have two hyphens: -%s", word, word);
    if (id < 0 || (row(id)->kind == XA_OPTION_FLAG && text)) {
        xa_str s = {0};
        list_options(w->a->command, &s);
        const xa_status st =
            XA_ERR(err, XA_INVALID, "unknown option %s; %s", word, s.data ? s.data : "");
        xa_str_free(&s);
        return st;
    }
    const xa_option *o = row(id);
    if (o->kind != XA_OPTION_FLAG && !text)
        XA_RETURN_TRY(err, next_value(w, o, &text, err));
    return add_item(w, id, text, err);
}

static xa_status take_word(walk *w, const char *word, xa_err *err)
{
    /* word processors turn two hyphens into an en or em dash */
    if (!strncmp(word, "\xe2\x80\x93", 3) || !strncmp(word, "\xe2\x80\x94", 3))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s begins with a dash instead of hyphens: write --%s",
                       word,
                       word + 3);
    if (!*word)
        XA_RETURN_FAIL(
            err, XA_INVALID, "an argument is empty: is a variable of the shell not set?");
    w->follows[w->a->npositional] = w->open;
    w->a->positional[w->a->npositional++] = word;
    return XA_OK;
}

/* Words after --id A are further ids. If no other word is the command's own argument, the last of
 * them is. */
static xa_status take_several(walk *w, xa_err *err)
{
    xa_args *a = w->a;
    int own = 0, last = -1, n = 0;
    for (int i = 0; i < a->npositional; i++)
        if (w->follows[i] < 0)
            own++;
        else
            last = i;
    const bool again = xa__args_has(a, XA_OPT_AGAIN);
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

static xa_status check_count(const xa_args *a, xa_err *err)
{
    const xa_command *c = xa__command_of(a->command);
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (required[i].command == a->command && !xa__args_has(a, required[i].option))
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "-%c %s is missing; usage: xaudit %s %s",
                           row(required[i].option)->letter,
                           row(required[i].option)->argument,
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
        if (xa__option_find(a->command, word, strlen(word)) >= 0) {
            xa_str_printf(&s, "; did you mean --%s?", word);
            break;
        }
        if (strchr(word, '=') && xa__option_on(row(XA_OPT_SET), a->command)) {
            xa_str_printf(&s, "; each setting has its own --set: --set %s", word);
            break;
        }
    }
    xa_str_printf(&s, "; see xaudit %s --help", c->name);
    const xa_status st = XA_ERR(err, XA_INVALID, "%s", s.data ? s.data : c->wanted);
    xa_str_free(&s);
    return st;
}

xa_status xa__args_parse(xa_command_id command, int argc, char **argv, xa_args *out, xa_err *err)
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
        XA_TRY(err, xa__args_check(&a, err));
        XA_TRY(err, check_count(&a, err));
    }
    *out = a;
    a = (xa_args){0};
done:
    xa__args_fini(&a);
    free(w.follows);
    return st;
}
