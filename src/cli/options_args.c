/* What a command line says: its values, and command lines laid over one another. */
#include <stdlib.h>
#include <string.h>

#include "options.h"

/* Pairs of options: those that cannot be used together, and those of which the first needs the
 * second. */
typedef struct pair {
    xa_option_id a, b;
} pair;
static const pair apart[] = {
#define APART(a, b) {XA_OPT_##a, XA_OPT_##b},
#include "commands.def"
};
static const pair needs[] = {
#define NEEDS(a, b) {XA_OPT_##a, XA_OPT_##b},
#include "commands.def"
};

xa_status xa__args_check(const xa_args *a, xa_err *err)
{
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++)
        if (xa__args_has(a, apart[i].a) && xa__args_has(a, apart[i].b))
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "--%s and --%s cannot be used together",
                           xa__option_of(apart[i].a)->name,
                           xa__option_of(apart[i].b)->name);
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (xa__args_has(a, needs[i].a) && !xa__args_has(a, needs[i].b))
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "--%s needs --%s",
                           xa__option_of(needs[i].a)->name,
                           xa__option_of(needs[i].b)->name);
    return XA_OK;
}

void xa__args_fini(xa_args *a)
{
    free(a->positional);
    free(a->item);
    *a = (xa_args){0};
}

xa_status xa__args_copy(const xa_args *a, xa_option_id without, xa_args *out, xa_err *err)
{
    xa_args c = {.command = a->command};
    c.positional = xa_alloc((size_t)a->npositional + 1, sizeof *c.positional);
    c.item = xa_alloc((size_t)a->nitems + 1, sizeof *c.item);
    if (!c.positional || !c.item) {
        xa__args_fini(&c);
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

xa_status xa__args_merge(xa_args *base, xa_args *over, xa_err *err)
{
    xa_arg *item = xa_alloc((size_t)(base->nitems + over->nitems) + 1, sizeof *item);
    int n = 0;
    if (!item)
        XA_RETURN_NOMEM(err);
    for (int i = 0; i < base->nitems; i++)
        if (!xa__args_has(over, base->item[i].option))
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
    xa__args_fini(over);
    return xa__args_check(base, err);
}

static const xa_arg *last_of(const xa_args *a, xa_option_id id)
{
    for (int i = a->nitems - 1; i >= 0; i--)
        if (a->item[i].option == id)
            return &a->item[i];
    return NULL;
}

/* The value given, else the initial one of the table. */
static xa_arg value_of(const xa_args *a, xa_option_id id)
{
    const xa_arg *given = last_of(a, id);
    xa_arg initial = {.option = id,
                      .integer = xa__option_of(id)->kind == XA_OPTION_CHOICE ? -1 : 0};
    if (given)
        return *given;
    if (xa__option_of(id)->initial)
        (void)xa__option_read(xa__option_of(id),
                              xa__option_of(id)->initial,
                              &initial); /* cannot fail: a unit test reads them all */
    return initial;
}

bool xa__args_has(const xa_args *a, xa_option_id id)
{
    return last_of(a, id) != NULL;
}

const char *xa__args_text(const xa_args *a, xa_option_id id)
{
    return value_of(a, id).text;
}

int64_t xa__args_integer(const xa_args *a, xa_option_id id)
{
    return value_of(a, id).integer;
}

double xa__args_number(const xa_args *a, xa_option_id id)
{
    return value_of(a, id).number;
}

const xa_arg *xa__args_nth(const xa_args *a, xa_option_id id, int n)
{
    for (int i = 0; i < a->nitems; i++)
        if (a->item[i].option == id && n-- == 0)
            return &a->item[i];
    return NULL;
}
