/* xaudit: explain every image of a data set, in parallel, into one HDF5 archive. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "commands.h"
#include "xaudit/job.h"
#include "xaudit/print.h"

static void log_line(void *arg, xa_log_level level, const char *message)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    const xa_log_level *most = arg;
    if (level <= *most)
        fprintf(stderr, "xaudit: %s: %s\n", names[level], message);
}

/* Opens standard streams that are closed. Otherwise the next file to be opened would get their
 * number, and what is printed would go into the archive. */
static bool open_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

/* Whether OpenBLAS can have its work memory (128 MiB per thread in the builds of distributions). It
 * repeats its request until it is granted, so that a process with less (ulimit -v) would hang, even
 * when it ends. */
static bool has_room(void)
{
    const size_t bytes = (size_t)128 << 20;
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return false;
    (void)munmap(p, bytes);
    return true;
}

/* ---- the reader of standard output is gone: xaudit table a.h5 | head ---- */

static volatile sig_atomic_t reader_gone;

static void goes_on(int signal)
{
    (void)signal;
    reader_gone = 1;
}

static void ends(int signal)
{
    (void)signal;
    _exit(XA_EXIT_DONE);
}

/* Commands that only print end quietly then; those that write or check a file finish it. */
static void watch_pipe(const xa_command *c)
{
    struct sigaction action = {.sa_handler = c->kind & XA_COMMAND_PRINTS ? ends : goes_on,
                               .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGPIPE, &action, NULL);
}

/* Flushes the output, reports if that fails, and returns the exit code that follows. */
static int flushed_code(int code)
{
    errno = 0;
    const bool flushed = fflush(stdout) == 0;
    const bool failed = !flushed || ferror(stdout) != 0;
    if (!failed || reader_gone)
        return code;
    fprintf(stderr,
            "xaudit: standard output cannot be written%s%s\n",
            errno ? ": " : "",
            errno ? strerror(errno) : "");
    return code == XA_EXIT_DONE ? XA_EXIT_FAILED : code;
}

/* Reports a command line that does not fit the table, on rank 0 alone. */
static int refuse(xa_command_id command, const xa_err *why)
{
    xa_comm *comm = NULL;
    xa_err err = XA_ERR_INIT;
    const bool started = (xa__command_of(command)->kind & XA_COMMAND_PARALLEL) &&
                         xa_comm_start(NULL, NULL, &comm, &err) == XA_OK;
    const bool first = !started || xa_comm_rank(comm) == 0;
    if (first)
        fprintf(stderr, "xaudit %s: %s\n", xa__command_of(command)->name, why->message);
    if (started)
        xa_comm_stop(comm);
    return first ? XA_EXIT_USAGE : XA_EXIT_DONE;
}

static int unknown_command(const char *word)
{
    const char *names[XA_COMMAND_COUNT];
    for (int i = 0; i < XA_COMMAND_COUNT; i++)
        names[i] = xa__command_of((xa_command_id)i)->name;
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

/* `xaudit help settings [KEY]`: what a job may say. */
static int help_settings(const char *key)
{
    xa_err err = XA_ERR_INIT;
    if (xa_settings_help(stdout, key, &err) == XA_OK)
        return flushed_code(XA_EXIT_DONE);
    xa_print_error(&err);
    return XA_EXIT_USAGE;
}

static int help(const char *word)
{
    const int command = word ? xa__command_find(word) : -1;
    if (word && command < 0)
        return unknown_command(word);
    if (word)
        xa__help_command((xa_command_id)command, stdout);
    else
        xa__help(stdout);
    return flushed_code(XA_EXIT_DONE);
}

static int dispatch(int argc, char **argv)
{
    static int (*const commands[XA_COMMAND_COUNT])(const xa_args *) = {
#define COMMAND(id, name, ...) [XA_COMMAND_##id] = xa_cmd_##name,
#include "commands.def"
    };
    xa_args args;
    xa_err err = XA_ERR_INIT;
    if (argc < 2) {
        xa__help(stderr);
        return XA_EXIT_USAGE;
    }
    const char *word = argv[1];
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"))
        return argc > 2 && !strcmp(argv[2], "settings") ? help_settings(argc > 3 ? argv[3] : NULL)
                                                        : help(argc > 2 ? argv[2] : NULL);
    if (!strcmp(word, "--version")) {
        printf("xaudit %s\n", xa_tool_version());
        return flushed_code(XA_EXIT_DONE);
    }
    const int found = xa__command_find(word);
    if (found < 0)
        return unknown_command(word);
    const xa_command_id command = (xa_command_id)found;
    if (xa__args_parse(command, argc - 1, argv + 1, &args, &err) != XA_OK)
        return refuse(command, &err);
    watch_pipe(xa__command_of(command));
    const int code = args.help ? help(word) : flushed_code(commands[command](&args));
    xa__args_fini(&args);
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
    if (!open_streams())
        return XA_EXIT_FAILED;
    if (!has_room()) {
        fputs(
            "xaudit: this process cannot have 128 MB more of address space, which BLAS needs "
            "before "
            "any work: raise ulimit -v (1000000 is enough for small models) or the job's memory\n",
            stderr);
        _exit(XA_EXIT_FAILED); /* exit() would wait for BLAS, which would hang */
    }
    return dispatch(argc, argv);
}
