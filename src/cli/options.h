/* Commands and their options: one table (commands.def), from which the parser, --help, the manual,
 * the completion of bash and the dispatch in main.c come.
 *
 * Spelling: --name VALUE, --name=VALUE, -o VALUE, -oVALUE. Options and arguments come in any order,
 * and "--" ends the options. A long name may be shortened where it stays unambiguous for its
 * command. If an option is given twice, the last one counts, unless it is repeatable. An option
 * that the command does not have is an error that names the commands which have it. */
#ifndef XAUDIT_CLI_OPTIONS_H
#define XAUDIT_CLI_OPTIONS_H

#include <stdio.h>

#include "xaudit/util.h"

/* ---- the table: options_table.c ---- */

typedef enum xa_command_id {
#define COMMAND(id, ...) XA_COMMAND_##id,
#include "commands.def"
    XA_COMMAND_COUNT
} xa_command_id;

/* What a command does, as bits. */
enum {
    XA_COMMAND_PRINTS = 1, /* it only prints, so it may end when nobody reads its output any more */
    XA_COMMAND_PARALLEL = 2 /* it starts MPI, so that rank 0 alone reports mistakes */
};

typedef struct xa_command {
    const char *name;
    unsigned kind;         /* bits of the enumeration above */
    const char *arguments; /* of the usage line: "ARCHIVE -o FILE.html [options]" */
    const char *wanted;    /* what a message expects: "one archive" */
    int least, most;       /* number of arguments */
    const char *summary;   /* one line of xaudit --help, at most 60 characters */
    const char *text; /* paragraphs of its --help; lines that begin with a space stay as they are */
    const char *examples; /* lines of at most 80 columns */
} xa_command;

typedef enum xa_option_kind {
    XA_OPTION_FLAG,
    XA_OPTION_TEXT,    /* not empty */
    XA_OPTION_INTEGER, /* low to high */
    XA_OPTION_NUMBER,  /* low to high */
    XA_OPTION_CHOICE,  /* one of `choices` */
    XA_OPTION_LENGTH,  /* low to high mm; the unit may be mm, cm or in, or be left out */
    XA_OPTION_POINTS,  /* low to high pt; the unit may be left out */
    XA_OPTION_PIECE    /* I/N with 1 <= I <= N <= high */
} xa_option_kind;

/* A bound that a row does not have: a little below the largest 64-bit integer, so that every value
 * up to it is one. */
#define XA_OPTION_OPEN 9.2e18

/* How often an option counts. */
typedef enum xa_option_times {
    XA_ONCE,   /* the last one given */
    XA_REPEAT, /* each one given */
    XA_SEVERAL /* each one given, and several values may follow it: --id A B C */
} xa_option_times;

typedef struct xa_option {
    const char *name; /* without "--" */
    char letter;      /* 0: none */
    xa_option_kind kind;
    xa_option_times times;
    const char *argument; /* "N"; NULL for flags and choices */
    double low, high;
    const char *choices; /* "a|b|c" */
    const char *initial; /* the value if none is given; NULL: none */
    unsigned commands;   /* bits by xa_command_id */
    const char *group;   /* heading in --help; NULL: the common one */
    const char *help;    /* a phrase without a full stop */
} xa_option;

typedef enum xa_option_id {
#define OPTION(id, ...) XA_OPT_##id,
#include "commands.def"
    XA_OPT_COUNT
} xa_option_id;

const xa_command *xa__command_of(xa_command_id id);
/* The index of a command's name; -1: no command has it. */
int xa__command_find(const char *name);
const xa_option *xa__option_of(xa_option_id id);
static inline bool xa__option_on(const xa_option *o, xa_command_id c)
{
    return o->commands >> c & 1;
}
/* The id of a command's option by its whole long name; -1: the command has none of that name. */
int xa__option_find(xa_command_id command, const char *name, size_t length);
/* The index of a word among an option's choices; -1: it is none of them. */
int xa__option_choice(const xa_option *o, const char *word);

/* ---- one value: options_value.c ---- */

typedef struct xa_arg {
    xa_option_id option;
    const char *text; /* borrowed from argv; NULL: a flag */
    int64_t integer;  /* INTEGER; CHOICE: its index; PIECE: I */
    int64_t of;       /* PIECE: N */
    double number;    /* NUMBER, LENGTH in mm, POINTS */
} xa_arg;
/* Reads a text as the option's row says; false if it does not fit. */
bool xa__option_read(const xa_option *o, const char *text, xa_arg *out);
/* What the option's row expects, for messages: "a whole number from 100 to 1000000". */
void xa__option_expected(const xa_option *o, char *out, size_t size);

/* ---- a command line: options_parse.c ---- */

typedef struct xa_args {
    xa_command_id command;
    const char **positional; /* [npositional], borrowed from argv */
    int npositional;
    xa_arg *item; /* [nitems], in the order given */
    int nitems;
    bool help; /* --help was among them: nothing else was read */
} xa_args;
/* argv[0] is the command's name. INVALID says what was expected and what was found. */
XA_MUST_USE xa_status
xa__args_parse(xa_command_id command, int argc, char **argv, xa_args *out, xa_err *err);

/* ---- what it says: options_args.c ---- */

void xa__args_fini(xa_args *a);
/* A copy of a command line without one option. */
XA_MUST_USE xa_status xa__args_copy(const xa_args *a,
                                    xa_option_id without,
                                    xa_args *out,
                                    xa_err *err);
/* Lays `over` on `base`, an earlier command line: the options and the arguments that `over` has
 * replace those of the same kind. Takes the contents of `over`. */
XA_MUST_USE xa_status xa__args_merge(xa_args *base, xa_args *over, xa_err *err);
/* INVALID if two options are given that cannot be used together, or one without that it needs. */
XA_MUST_USE xa_status xa__args_check(const xa_args *a, xa_err *err);

bool xa__args_has(const xa_args *a, xa_option_id id); /* it was given */
/* Of options that count once: the value given, else the table's initial one, else NULL or 0. */
const char *xa__args_text(const xa_args *a, xa_option_id id);
int64_t xa__args_integer(const xa_args *a, xa_option_id id); /* CHOICE: the index; -1: no value */
double xa__args_number(const xa_args *a, xa_option_id id);
/* The n-th one given of a repeatable option; NULL behind the last. */
const xa_arg *xa__args_nth(const xa_args *a, xa_option_id id, int n);

/* ---- options_help.c ---- */

void xa__help(FILE *out);                                /* xaudit --help */
void xa__help_command(xa_command_id command, FILE *out); /* xaudit COMMAND --help */

#endif
