/* The commands of the program. This room is the program itself, so it has no header in include/. */
#ifndef XAUDIT_CLI_COMMANDS_H
#define XAUDIT_CLI_COMMANDS_H

#include "options.h"
#include "xaudit/print.h"
#include "xaudit/run.h"
#include "xaudit/view.h"

/* The options of run, check or bench, from their command line; texts are borrowed from it. */
XA_MUST_USE xa_status xa__run_options_from(const xa_args *a, xa_run_options *out, xa_err *err);
void xa__run_options_fini(xa_run_options *o);

/* xa_cmd_<name> of every row of the table. Each runs a command line that the parser accepted,
 * prints what it has to say, and returns the exit code (xa_exit). */
#define COMMAND(id, name, ...) int xa_cmd_##name(const xa_args *a);
#include "commands.def"

/* table_csv.c: the archive as CSV, one line per map. */
XA_MUST_USE xa_status xa__table_rows(xa_read *r, bool json, FILE *out, xa_err *err);

#endif
