/* xaudit: explain every image of a data set, in parallel, into one HDF5 archive. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"

static void log_line(void *arg, xa_log_level level, const char *message)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    const xa_log_level *most = arg;
    if (level <= *most)
        fprintf(stderr, "xaudit: %s: %s\n", names[level], message);
}

/* A command line that does not fit the table, told once. */
static int refuse(xa_command_id command, const xa_err *why)
{
    xa_comm *comm = NULL;
    xa_err err = XA_ERR_INIT;
    const bool started =
        xa_command_of(command)->parallel && xa_comm_start(NULL, NULL, &comm, &err) == XA_OK;
    const bool first = !started || xa_comm_rank(comm) == 0;
    if (first)
        fprintf(stderr, "xaudit %s: %s\n", xa_command_of(command)->name, why->message);
    if (started)
        xa_comm_stop(comm);
    return first ? XA_EXIT_USAGE : XA_EXIT_DONE;
}

static int unknown_command(const char *word)
{
    const char *names[XA_COMMAND_COUNT];
    for (int i = 0; i < XA_COMMAND_COUNT; i++)
        names[i] = xa_command_of((xa_command_id)i)->name;
    const char *near = xa_nearest(word, names, XA_COMMAND_COUNT);
    char clean[256];
    xa_str_sanitise(word, clean, sizeof clean);
    fprintf(stderr,
            "xaudit: unknown command \"%s\"%s%s%s; see xaudit --help\n",
            clean,
            near ? "; did you mean \"" : "",
            near ? near : "",
            near ? "\"?" : "");
    return XA_EXIT_USAGE;
}

static int help(const char *word)
{
    const int command = word ? xa_command_find(word) : -1;
    if (word && command < 0)
        return unknown_command(word);
    if (word)
        xa_help_command((xa_command_id)command, stdout);
    else
        xa_help(stdout);
    return fflush(stdout) ? XA_EXIT_FAILED : XA_EXIT_DONE;
}

static int dispatch(int argc, char **argv)
{
    static int (*const commands[XA_COMMAND_COUNT])(const xa_args *) = {
#define X(id, name) [XA_COMMAND_##id] = xa_cmd_##name,
        XA_COMMAND_LIST(X)
#undef X
    };
    xa_args args;
    xa_err err = XA_ERR_INIT;
    if (argc < 2) {
        xa_help(stderr);
        return XA_EXIT_USAGE;
    }
    const char *word = argv[1];
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"))
        return help(argc > 2 ? argv[2] : NULL);
    if (!strcmp(word, "--version")) {
        puts("xaudit " XA_TOOL_VERSION);
        return XA_EXIT_DONE;
    }
    const int found = xa_command_find(word);
    if (found < 0)
        return unknown_command(word);
    const xa_command_id command = (xa_command_id)found;
    if (xa_args_parse(command, argc - 1, argv + 1, &args, &err) != XA_OK)
        return refuse(command, &err);
    const int code = args.help ? help(word) : commands[command](&args);
    xa_args_fini(&args);
    return code;
}

int main(int argc, char **argv)
{
    const char *wanted_level = getenv("XAUDIT_LOG");
    static xa_log_level most = XA_LOG_WARN;
    if (wanted_level && !strcmp(wanted_level, "debug"))
        most = XA_LOG_DEBUG;
    else if (wanted_level && !strcmp(wanted_level, "info"))
        most = XA_LOG_INFO;
    xa_log_sink(log_line, &most);
    return dispatch(argc, argv);
}
