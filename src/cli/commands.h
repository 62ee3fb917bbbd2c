/* The commands of the program. This room is the program itself, so it has no header in include/. */
#ifndef XAUDIT_CLI_COMMANDS_H
#define XAUDIT_CLI_COMMANDS_H

#include "options.h"
#include "xaudit/print.h"
#include "xaudit/run.h"
#include "xaudit/view.h"

/* From the command line of run, check or bench; texts are borrowed from it. */
XA_MUST_USE xa_status xa_run_options_from(const xa_args *a, xa_run_options *out, xa_err *err);
void xa_run_options_fini(xa_run_options *o);

/* Each runs a command line that fits the table, and returns the exit code (xa_exit). */
int xa_cmd_run(const xa_args *a);
int xa_cmd_check(const xa_args *a);
int xa_cmd_info(const xa_args *a);
int xa_cmd_table(const xa_args *a);
int xa_cmd_manifest(const xa_args *a);
int xa_cmd_verify(const xa_args *a);
int xa_cmd_summary(const xa_args *a);
int xa_cmd_figure(const xa_args *a);
int xa_cmd_evaluate(const xa_args *a);
int xa_cmd_merge(const xa_args *a);
int xa_cmd_report(const xa_args *a);
int xa_cmd_bench(const xa_args *a);

/* table_csv.c: the archive as CSV, a line for each map. */
XA_MUST_USE xa_status xa_table_csv(xa_read *r, FILE *out, xa_err *err);

#endif
