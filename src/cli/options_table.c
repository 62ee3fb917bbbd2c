/* The table of commands and options, and look-ups in it. */
#include <string.h>

#include "options.h"

static const xa_command commands[XA_COMMAND_COUNT] = {
#define COMMAND(id, name, ...) [XA_COMMAND_##id] = {#name, __VA_ARGS__},
#include "commands.def"
};

static const xa_option options[XA_OPT_COUNT] = {
#define OPTION(id, ...) [XA_OPT_##id] = {__VA_ARGS__},
#include "commands.def"
};

const xa_command *xa__command_of(xa_command_id id)
{
    return &commands[id];
}

int xa__command_find(const char *name)
{
    for (int i = 0; i < XA_COMMAND_COUNT; i++)
        if (!strcmp(commands[i].name, name))
            return i;
    return -1;
}

const xa_option *xa__option_of(xa_option_id id)
{
    return &options[id];
}

int xa__option_find(xa_command_id command, const char *name, size_t length)
{
    for (int i = 0; i < XA_OPT_COUNT; i++)
        if (xa__option_on(&options[i], command) && strlen(options[i].name) == length &&
            !strncmp(options[i].name, name, length))
            return i;
    return -1;
}

int xa__option_choice(const xa_option *o, const char *word)
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
