/* The list of mistakes, and mistakes that are reported once. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_internal.h"

enum { PROBLEMS_KEPT = 100, PROBLEM_TEXT = 1024 };

static void release(xa_problem *p)
{
    free(p->file);
    free(p->text);
    *p = (xa_problem){0};
}

/* The place of the next problem: at the end; in a full list an error replaces the last warning. */
static xa_problem *room_for(xa_problems *p, bool warning)
{
    if (p->count < PROBLEMS_KEPT) {
        if (xa_grow(&p->items, &p->cap, p->count + 1, sizeof *p->items, NULL) != XA_OK)
            return NULL;
        p->items[p->count] = (xa_problem){0};
        return &p->items[p->count++];
    }
    for (size_t i = p->count; !warning && i-- > 0;)
        if (p->items[i].warning) {
            /* The later ones move up, so that the list stays in the order of the reports. */
            release(&p->items[i]);
            memmove(&p->items[i], &p->items[i + 1], (p->count - 1 - i) * sizeof *p->items);
            p->items[p->count - 1] = (xa_problem){0};
            p->dropped++;
            return &p->items[p->count - 1];
        }
    return NULL;
}

void xa_problems_add(
    xa_problems *p, const char *file, int64_t line, bool warning, const char *fmt, ...)
{
    if (!warning)
        p->errors++;
    xa_problem *item = room_for(p, warning);
    if (!item) {
        p->dropped++;
        return;
    }
    char text[PROBLEM_TEXT];
    char clean[PROBLEM_TEXT];
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    xa_str_sanitise(n >= 0 ? text : fmt, clean, sizeof clean);
    item->file = xa_strdup(file ? file : "");
    item->text = xa_strdup(clean);
    item->line = line;
    item->warning = warning;
    if (!item->file || !item->text) {
        release(item);
        p->count--; /* the new one is last */
        p->dropped++;
    }
}

void xa_problems_fini(xa_problems *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        release(&p->items[i]);
    free(p->items);
    *p = (xa_problems){0};
}

const char *xa_show(const char *text, char buffer[XA_SHOWN])
{
    xa_str_sanitise(text, buffer, XA_SHOWN - 3);
    if (strlen(text) >= XA_SHOWN - 3)
        memcpy(buffer + strlen(buffer), "...", 4);
    return buffer;
}

void xa__reporter_init(xa__reporter *t, xa_problems *problems, const char *file)
{
    *t = (xa__reporter){.problems = problems, .file = file};
    xa_text_map_init(&t->map);
}

static const char *reported_key(const void *arg, int64_t value)
{
    const xa__reporter *t = arg;
    return t->reported[value].key;
}

bool xa__reporter_first(xa__reporter *t, const char *key)
{
    const int64_t known = xa_text_map_find(&t->map, key, reported_key, t);
    if (known >= 0) {
        t->reported[known].again++;
        return false;
    }
    char *copy = xa_strdup(key);
    if (!copy ||
        xa_grow(&t->reported, &t->cap, t->nreported + 1, sizeof *t->reported, NULL) != XA_OK ||
        xa_text_map_add(&t->map, key, (int64_t)t->nreported, NULL) != XA_OK) {
        free(copy);
        t->failed = true;
        return true;
    }
    const bool room = t->problems->count < PROBLEMS_KEPT;
    t->reported[t->nreported++] =
        (xa__reported){.key = copy, .problem = room ? (int64_t)t->problems->count : -1};
    return true;
}

void xa__reporter_finish(xa__reporter *t)
{
    for (size_t i = 0; i < t->nreported; i++) {
        const xa__reported *seen = &t->reported[i];
        /* If errors replaced warnings, the indices have moved: then nothing is added. */
        if (seen->again > 0 && seen->problem >= 0 && t->problems->dropped == 0 &&
            (size_t)seen->problem < t->problems->count) {
            xa_problem *p = &t->problems->items[seen->problem];
            char *longer = xa_strfmt("%s (and %" PRId64 " more line%s)",
                                     p->text,
                                     seen->again,
                                     seen->again > 1 ? "s" : "");
            if (longer) {
                free(p->text);
                p->text = longer;
            }
        }
        free(seen->key);
    }
    free(t->reported);
    xa_text_map_fini(&t->map);
    *t = (xa__reporter){0};
}
