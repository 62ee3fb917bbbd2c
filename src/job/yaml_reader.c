/* A YAML document as its readers see it. */
#include "yaml_reader.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "yaml_tree.h"

xa__yaml_value *xa__yaml_value_of(const xa_yaml *y, int id)
{
    return id > 0 && (size_t)id <= y->nvalues ? &y->values[id - 1] : NULL;
}

int xa__yaml_new(xa_yaml *y, xa_ykind kind, int64_t line)
{
    if (xa_grow(&y->values, &y->cap, y->nvalues + 1, sizeof *y->values, NULL) != XA_OK)
        return 0;
    y->values[y->nvalues++] = (xa__yaml_value){.kind = kind, .line = line};
    return (int)y->nvalues;
}

int xa__yaml_scalar(xa_yaml *y, const char *text, size_t size, bool plain, int64_t line)
{
    if (xa_grow(&y->texts, &y->texts_cap, y->ntexts + 1, sizeof *y->texts, NULL) != XA_OK)
        return 0;
    char *own = xa_strndup(text, size);
    const int id = own ? xa__yaml_new(y, XA_Y_SCALAR, line) : 0;
    if (!id) {
        free(own);
        return 0;
    }
    y->texts[y->ntexts++] = own;
    y->values[id - 1].text = own;
    y->values[id - 1].plain = plain;
    return id;
}

bool xa__yaml_append(xa_yaml *y, int parent, int child)
{
    xa__yaml_value *p = xa__yaml_value_of(y, parent);
    if (xa_grow(&p->item, &p->cap, p->count + 1, sizeof *p->item, NULL) != XA_OK)
        return false;
    p->item[p->count++] = child;
    return true;
}

int xa__yaml_copy(xa_yaml *y, const xa_yaml *from, int id)
{
    const xa__yaml_value v = *xa__yaml_value_of(from, id);
    if (v.kind == XA_Y_SCALAR && from != y)
        return xa__yaml_scalar(y, v.text, strlen(v.text), v.plain, v.line);
    const int copy = xa__yaml_new(y, v.kind, v.line);
    if (!copy)
        return 0;
    y->values[copy - 1].text = v.text;
    y->values[copy - 1].plain = v.plain;
    for (size_t i = 0; i < v.count; i++) {
        const int child = xa__yaml_copy(y, from, v.item[i]);
        if (!child || !xa__yaml_append(y, copy, child))
            return 0;
    }
    return copy;
}

void xa__yaml_free(xa_yaml *y)
{
    if (!y)
        return;
    for (size_t i = 0; i < y->nvalues; i++)
        free(y->values[i].item);
    for (size_t i = 0; i < y->ntexts; i++)
        free(y->texts[i]);
    free(y->values);
    free(y->texts);
    free(y->file);
    free(y);
}

static const xa__yaml_value *value_of(xa_ynode n)
{
    return n.id > 0 ? xa__yaml_value_of(n.doc, n.id) : NULL;
}

xa_ynode xa__yaml_root(xa_yaml *y)
{
    return (xa_ynode){y, y->root};
}

xa_ykind xa__yaml_kind(xa_ynode n)
{
    const xa__yaml_value *v = value_of(n);
    return v ? v->kind : XA_Y_NONE;
}

const char *xa__yaml_text(xa_ynode n)
{
    const xa__yaml_value *v = value_of(n);
    return v ? v->text : NULL;
}

bool xa__yaml_is_null(xa_ynode n)
{
    const xa__yaml_value *v = value_of(n);
    return v && v->text && v->plain &&
           (!*v->text || !strcmp(v->text, "~") || !strcmp(v->text, "null"));
}

int64_t xa__yaml_line(xa_ynode n)
{
    const xa__yaml_value *v = value_of(n);
    return v ? v->line : 0;
}

const char *xa__yaml_file(xa_ynode n)
{
    return n.doc->file;
}

int xa__yaml_count(xa_ynode n)
{
    const xa__yaml_value *v = value_of(n);
    return v ? (int)(v->kind == XA_Y_MAP ? v->count / 2 : v->count) : 0;
}

xa_ynode xa__yaml_at(xa_ynode n, int i)
{
    const xa__yaml_value *v = value_of(n);
    if (!v || v->kind != XA_Y_LIST || i < 0 || i >= xa__yaml_count(n))
        return (xa_ynode){n.doc, 0};
    return (xa_ynode){n.doc, v->item[i]};
}

xa_ynode xa__yaml_key_node(xa_ynode n, int i)
{
    const xa__yaml_value *v = value_of(n);
    const bool there = v && v->kind == XA_Y_MAP && i >= 0 && i < xa__yaml_count(n);
    return (xa_ynode){n.doc, there ? v->item[2 * (size_t)i] : 0};
}

const char *xa__yaml_key(xa_ynode n, int i, xa_ynode *value, int64_t *line)
{
    const xa__yaml_value *v = value_of(n);
    if (!v || v->kind != XA_Y_MAP || i < 0 || i >= xa__yaml_count(n))
        return NULL;
    const size_t at = 2 * (size_t)i;
    const xa_ynode key = {n.doc, v->item[at]};
    if (value)
        *value = (xa_ynode){n.doc, v->item[at + 1]};
    if (line)
        *line = xa__yaml_line(key);
    return xa__yaml_text(key);
}

xa_ynode xa__yaml_get(xa_ynode n, const char *key)
{
    for (int i = 0; i < xa__yaml_count(n); i++) {
        xa_ynode value;
        const char *k = xa__yaml_key(n, i, &value, NULL);
        if (k && !strcmp(k, key))
            return value;
    }
    return (xa_ynode){n.doc, 0};
}

void xa__yaml_problem(xa_problems *problems, xa_ynode n, const char *fmt, ...)
{
    xa_str text = {0};
    va_list args;
    va_start(args, fmt);
    xa_str_vprintf(&text, fmt, args);
    va_end(args);
    const int64_t line = xa__yaml_line(n);
    bool known = false;
    for (size_t i = 0; text.data && line && i < problems->count; i++) {
        const xa_problem *p = &problems->items[i];
        known = known || (p->line == line && !strcmp(p->text, text.data) &&
                          !strcmp(p->file, xa__yaml_file(n)));
    }
    if (!known)
        xa_problems_add(problems,
                        xa__yaml_file(n),
                        line,
                        false,
                        "%s",
                        text.data ? text.data : "a mistake, and out of memory to say which");
    xa_str_free(&text);
}
