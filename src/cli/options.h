/* Commands and their options: one table (options.def), one parser, one source of --help, of the
 * manual and of completion.
 *
 * Spelling: --name VALUE, --name=VALUE, -o VALUE, -oVALUE; options and arguments in any order, "--"
 * ends the options; a long name may be cut where it stays unambiguous for its command. An option
 * given twice counts as its last, unless it is repeatable. What a command does not have is an error
 * that says which command has it. */
#ifndef XAUDIT_CLI_OPTIONS_H
#define XAUDIT_CLI_OPTIONS_H

#include <stdio.h>

#include "xaudit/util.h"

/* ---- commands: options_commands.c ---- */

/* X(ID, name) in the order of --help. */
#define XA_COMMAND_LIST(X) \
    X(RUN, run)            \
    X(CHECK, check)        \
    X(BENCH, bench)        \
    X(INFO, info)          \
    X(VERIFY, verify)      \
    X(TABLE, table)        \
    X(SUMMARY, summary)    \
    X(EVALUATE, evaluate)  \
    X(MERGE, merge)        \
    X(FIGURE, figure)      \
    X(REPORT, report)      \
    X(MANIFEST, manifest)

typedef enum xa_command_id {
#define X(id, name) XA_COMMAND_##id,
    XA_COMMAND_LIST(X)
#undef X
        XA_COMMAND_COUNT
} xa_command_id;

typedef struct xa_command {
    const char *name;
    const char *arguments; /* "ARCHIVE", as the usage line has them */
    const char *wanted;    /* "one archive": what a message expects */
    int least, most;       /* arguments */
    bool prints;           /* and nothing else: ends when nobody reads on */
    bool parallel;         /* starts MPI: rank 0 tells mistakes */
    const char *summary;   /* a line of xaudit --help, at most 60 characters */
    const char *text;      /* paragraphs of its --help; lines that begin with a space stay */
    const char *examples;  /* lines of at most 80 columns */
} xa_command;
const xa_command *xa_command_of(xa_command_id id);
/* -1 when there is none of that name. */
int xa_command_find(const char *name);

/* ---- options: options.def ---- */

typedef enum xa_option_kind {
    XA_OPTION_FLAG,
    XA_OPTION_TEXT,    /* not empty */
    XA_OPTION_INTEGER, /* low to high */
    XA_OPTION_NUMBER,  /* low to high */
    XA_OPTION_CHOICE,  /* one of `choices` */
    XA_OPTION_LENGTH,  /* mm, with mm, cm or in behind it: low to high mm */
    XA_OPTION_POINTS,  /* pt, with or without "pt": low to high */
    XA_OPTION_PIECE    /* I/N with 1 <= I <= N <= high */
} xa_option_kind;

/* How often an option counts. */
typedef enum xa_option_times {
    XA_ONCE,   /* the last one given */
    XA_REPEAT, /* each one given */
    XA_SEVERAL /* each, and several values may follow one of it: --id A B C */
} xa_option_times;

typedef struct xa_option {
    const char *name; /* without "--" */
    char letter;      /* 0: none */
    xa_option_kind kind;
    xa_option_times times;
    const char *argument; /* "N"; NULL: a flag, or the choices */
    double low, high;
    const char *choices; /* "a|b|c" */
    const char *initial; /* what counts where it is not given; NULL: nothing */
    unsigned commands;   /* bits by xa_command_id */
    const char *group;   /* heading in --help; NULL: the common one */
    const char *help;    /* a phrase without full stop */
} xa_option;

typedef enum xa_option_id {
#define OPTION(id, ...) XA_OPT_##id,
#include "options.def"
#undef OPTION
    XA_OPT_COUNT
} xa_option_id;

const xa_option *xa_option_of(xa_option_id id);
static inline bool xa_option_on(const xa_option *o, xa_command_id c)
{
    return o->commands >> c & 1;
}
/* The id of a command's option by its whole long name; -1 when the command has none of it. */
int xa_option_find(xa_command_id command, const char *name, size_t length);
/* The index of a word among a row's choices; -1 when it is none. */
int xa_option_choice(const xa_option *o, const char *word);

/* ---- what a command line says: options.c ---- */

typedef struct xa_arg {
    xa_option_id option;
    const char *text; /* borrowed from argv; NULL: a flag */
    int64_t integer;  /* INTEGER; CHOICE: its index; PIECE: I */
    int64_t of;       /* PIECE: N */
    double number;    /* NUMBER, LENGTH in mm, POINTS */
} xa_arg;

typedef struct xa_args {
    xa_command_id command;
    const char **positional; /* [npositional], borrowed from argv */
    int npositional;
    xa_arg *item; /* [nitems], in the order given */
    int nitems;
    bool help; /* --help was among them: nothing else was looked at */
} xa_args;
/* argv[0] is the command's name. INVALID says what is wrong, what was expected and found. */
XA_MUST_USE xa_status
xa_args_parse(xa_command_id command, int argc, char **argv, xa_args *out, xa_err *err);
void xa_args_fini(xa_args *a);
/* All of a command line but one option. */
XA_MUST_USE xa_status xa_args_copy(const xa_args *a,
                                   xa_option_id without,
                                   xa_args *out,
                                   xa_err *err);
/* Puts what `over` says over `base`, an earlier command line: repeatable options and arguments
 * replace the earlier ones of their kind. Takes both over. */
XA_MUST_USE xa_status xa_args_merge(xa_args *base, xa_args *over, xa_err *err);

/* Of options that count once: what was given, else the table's initial value, else NULL or 0. */
bool xa_args_has(const xa_args *a, xa_option_id id); /* given */
const char *xa_args_text(const xa_args *a, xa_option_id id);
int64_t xa_args_integer(const xa_args *a, xa_option_id id); /* CHOICE: the index, -1: nothing */
double xa_args_number(const xa_args *a, xa_option_id id);
/* The n-th one given of a repeatable option; NULL behind the last. */
const xa_arg *xa_args_nth(const xa_args *a, xa_option_id id, int n);

/* ---- options_help.c ---- */

void xa_help(FILE *out);                                /* xaudit --help */
void xa_help_command(xa_command_id command, FILE *out); /* xaudit COMMAND --help */

#endif
