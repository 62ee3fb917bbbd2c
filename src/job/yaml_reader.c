#include "yaml_reader.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct xa_yaml {
    yaml_document_t doc;
    bool loaded;
    char *file;
};

enum { MAX_DEPTH = 32 };

/* Anchors make a document a graph: refuse cycles and absurd depth, of keys too, before anybody
 * walks it. */
static bool too_deep(yaml_document_t *doc, int id, int depth)
{
    const yaml_node_t *n = yaml_document_get_node(doc, id);
    if (!n)
        return false;
    if (depth > MAX_DEPTH)
        return true;
    if (n->type == YAML_SEQUENCE_NODE)
        for (const yaml_node_item_t *i = n->data.sequence.items.start;
             i < n->data.sequence.items.top;
             i++)
            if (too_deep(doc, *i, depth + 1))
                return true;
    if (n->type == YAML_MAPPING_NODE)
        for (const yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top;
             p++)
            if (too_deep(doc, p->key, depth + 1) || too_deep(doc, p->value, depth + 1))
                return true;
    return false;
}

/* Aliases may blow a small text up: an alias is refused, which also rules out cycles. */
static bool has_alias(const char *text, size_t size)
{
    yaml_parser_t parser;
    bool found = false, more = true;
    if (!yaml_parser_initialize(&parser))
        return false;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    while (more) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event))
            break;
        found = found || event.type == YAML_ALIAS_EVENT;
        more = event.type != YAML_STREAM_END_EVENT && !found;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return found;
}

xa_status xa_yaml_parse(const char *file,
                        const char *text,
                        size_t size,
                        xa_problems *problems,
                        xa_yaml **out,
                        xa_err *err)
{
    xa_status st = XA_OK;
    yaml_parser_t parser;
    bool parsing = false;
    xa_yaml *y = xa_alloc(1, sizeof *y);
    if (!y || !(y->file = xa_strdup(file)) || !yaml_parser_initialize(&parser))
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", file);
    parsing = true;
    if (has_alias(text, size)) {
        xa_problems_add(problems, file, 0, false, "YAML aliases (*name) are not accepted here");
        XA_FAIL(err, XA_FORMAT, "%s: YAML aliases are not accepted", file);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (!yaml_parser_load(&parser, &y->doc)) {
        xa_problems_add(problems,
                        file,
                        (int64_t)parser.problem_mark.line + 1,
                        false,
                        "not valid YAML: %s%s%s",
                        parser.problem ? parser.problem : "unreadable",
                        parser.context ? " " : "",
                        parser.context ? parser.context : "");
        XA_FAIL(err, XA_FORMAT, "%s: not valid YAML", file);
    }
    y->loaded = true;
    if (!yaml_document_get_root_node(&y->doc)) {
        xa_problems_add(problems, file, 0, false, "the file is empty");
        XA_FAIL(err, XA_FORMAT, "%s: the file is empty", file);
    }
    if (too_deep(&y->doc, 1, 0)) {
        xa_problems_add(problems, file, 0, false, "nested deeper than %d levels", MAX_DEPTH);
        XA_FAIL(err, XA_FORMAT, "%s: nested too deep", file);
    }
    *out = y;
    y = NULL;
done:
    if (parsing)
        yaml_parser_delete(&parser);
    xa_yaml_free(y);
    return st;
}

void xa_yaml_free(xa_yaml *y)
{
    if (!y)
        return;
    if (y->loaded)
        yaml_document_delete(&y->doc);
    free(y->file);
    free(y);
}

static yaml_node_t *node_of(xa_ynode n)
{
    return n.id > 0 ? yaml_document_get_node(&n.doc->doc, n.id) : NULL;
}

xa_ynode xa_yaml_root(xa_yaml *y)
{
    return (xa_ynode){y, 1};
}

xa_ykind xa_yaml_kind(xa_ynode n)
{
    const yaml_node_t *x = node_of(n);
    if (!x)
        return XA_Y_NONE;
    switch (x->type) {
    case YAML_SCALAR_NODE:
        return XA_Y_SCALAR;
    case YAML_SEQUENCE_NODE:
        return XA_Y_LIST;
    case YAML_MAPPING_NODE:
        return XA_Y_MAP;
    default:
        return XA_Y_NONE;
    }
}

const char *xa_yaml_text(xa_ynode n)
{
    const yaml_node_t *x = node_of(n);
    return x && x->type == YAML_SCALAR_NODE ? (const char *)x->data.scalar.value : NULL;
}

bool xa_yaml_is_null(xa_ynode n)
{
    const yaml_node_t *x = node_of(n);
    if (!x || x->type != YAML_SCALAR_NODE || x->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    const char *t = (const char *)x->data.scalar.value;
    return !*t || !strcmp(t, "~") || !strcmp(t, "null");
}

int64_t xa_yaml_line(xa_ynode n)
{
    const yaml_node_t *x = node_of(n);
    /* values set from the command line have no place in the file */
    return x && (x->end_mark.index > 0 || x->start_mark.line > 0) ? (int64_t)x->start_mark.line + 1
                                                                  : 0;
}

const char *xa_yaml_file(xa_ynode n)
{
    return n.doc->file;
}

int xa_yaml_count(xa_ynode n)
{
    const yaml_node_t *x = node_of(n);
    if (x && x->type == YAML_SEQUENCE_NODE)
        return (int)(x->data.sequence.items.top - x->data.sequence.items.start);
    if (x && x->type == YAML_MAPPING_NODE)
        return (int)(x->data.mapping.pairs.top - x->data.mapping.pairs.start);
    return 0;
}

xa_ynode xa_yaml_at(xa_ynode n, int i)
{
    const yaml_node_t *x = node_of(n);
    if (!x || x->type != YAML_SEQUENCE_NODE || i < 0 || i >= xa_yaml_count(n))
        return (xa_ynode){n.doc, 0};
    return (xa_ynode){n.doc, x->data.sequence.items.start[i]};
}

const char *xa_yaml_key(xa_ynode n, int i, xa_ynode *value, int64_t *line)
{
    const yaml_node_t *x = node_of(n);
    if (!x || x->type != YAML_MAPPING_NODE || i < 0 || i >= xa_yaml_count(n))
        return NULL;
    const yaml_node_pair_t *p = &x->data.mapping.pairs.start[i];
    const xa_ynode key = {n.doc, p->key};
    if (value)
        *value = (xa_ynode){n.doc, p->value};
    if (line)
        *line = xa_yaml_line(key);
    return xa_yaml_text(key);
}

xa_ynode xa_yaml_get(xa_ynode n, const char *key)
{
    for (int i = 0; i < xa_yaml_count(n); i++) {
        xa_ynode value;
        const char *k = xa_yaml_key(n, i, &value, NULL);
        if (k && !strcmp(k, key))
            return value;
    }
    return (xa_ynode){n.doc, 0};
}

/* ---- set ---- */

static int new_scalar(xa_yaml *y, const char *text)
{
    return yaml_document_add_scalar(
        &y->doc, NULL, (const unsigned char *)text, (int)strlen(text), YAML_PLAIN_SCALAR_STYLE);
}

/* Says which indices there are, and which entry is the one of that name. */
static xa_status no_index(xa_yaml *y, int list, const char *key, xa_err *err)
{
    const xa_ynode n = {y, list};
    const int count = xa_yaml_count(n);
    char named[64] = "";
    for (int i = 0; i < count && !*named; i++) {
        const xa_ynode item = xa_yaml_at(n, i);
        const xa_ynode name =
            xa_yaml_kind(item) == XA_Y_MAP ? xa_yaml_get(item, "name") : (xa_ynode){y, 0};
        const char *text = name.id ? xa_yaml_text(name) : NULL;
        if (text && !strcmp(text, key))
            snprintf(named, sizeof named, "; the one of that name is %d", i);
    }
    XA_RETURN_FAIL(err,
                   XA_INVALID,
                   "--set: \"%s\" is not an index of that list, which has %d entr%s from 0%s",
                   key,
                   count,
                   count == 1 ? "y" : "ies",
                   named);
}

/* Puts `child` under `key` of node `parent`; the node tables may move, so ids are used throughout.
 */
static xa_status put(xa_yaml *y, int parent, const char *key, int child, xa_err *err)
{
    yaml_node_t *p = yaml_document_get_node(&y->doc, parent);
    int64_t index;
    if (p->type == YAML_SEQUENCE_NODE) {
        if (!xa_parse_i64(key, &index) || index < 0 ||
            index >= xa_yaml_count((xa_ynode){y, parent}))
            return no_index(y, parent, key, err);
        p->data.sequence.items.start[index] = child;
        return XA_OK;
    }
    if (p->type != YAML_MAPPING_NODE)
        XA_RETURN_FAIL(
            err, XA_INVALID, "--set: there is nothing under a plain value (\"%s\")", key);
    for (yaml_node_pair_t *q = p->data.mapping.pairs.start; q < p->data.mapping.pairs.top; q++) {
        const char *k = xa_yaml_text((xa_ynode){y, q->key});
        if (k && !strcmp(k, key)) {
            q->value = child;
            return XA_OK;
        }
    }
    const int k = new_scalar(y, key);
    if (!k || !yaml_document_append_mapping_pair(&y->doc, parent, k, child))
        XA_RETURN_FAIL(err, XA_NOMEM, "--set: out of memory");
    return XA_OK;
}

/* A copy of `from`'s node; 0 when out of memory. Depth is bounded, as the other document was
 * checked. */
static int copy_node(xa_yaml *y, yaml_document_t *from, int id)
{
    const yaml_node_t *n = yaml_document_get_node(from, id);
    int copy = 0;
    if (n->type == YAML_SCALAR_NODE)
        return yaml_document_add_scalar(
            &y->doc, NULL, n->data.scalar.value, (int)n->data.scalar.length, n->data.scalar.style);
    if (n->type == YAML_SEQUENCE_NODE) {
        copy = yaml_document_add_sequence(&y->doc, NULL, YAML_FLOW_SEQUENCE_STYLE);
        for (const yaml_node_item_t *i = n->data.sequence.items.start;
             copy && i < n->data.sequence.items.top;
             i++) {
            const int item = copy_node(y, from, *i);
            if (!item || !yaml_document_append_sequence_item(&y->doc, copy, item))
                return 0;
        }
    } else if (n->type == YAML_MAPPING_NODE) {
        copy = yaml_document_add_mapping(&y->doc, NULL, YAML_FLOW_MAPPING_STYLE);
        for (const yaml_node_pair_t *p = n->data.mapping.pairs.start;
             copy && p < n->data.mapping.pairs.top;
             p++) {
            const int key = copy_node(y, from, p->key), value = copy_node(y, from, p->value);
            if (!key || !value || !yaml_document_append_mapping_pair(&y->doc, copy, key, value))
                return 0;
        }
    }
    return copy;
}

/* The node of a value: a list or map in brackets, else a plain text. */
static xa_status new_value(xa_yaml *y, const char *path, const char *value, int *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_yaml *other = NULL;
    xa_problems problems = {0};
    if (*value != '[' && *value != '{') {
        *out = new_scalar(y, value);
    } else {
        if (xa_yaml_parse("--set", value, strlen(value), &problems, &other, NULL) != XA_OK)
            XA_FAIL(err,
                    XA_INVALID,
                    "--set %s=%s: %s",
                    path,
                    value,
                    problems.count ? problems.items[0].text : "not valid YAML");
        *out = copy_node(y, &other->doc, 1);
    }
    if (!*out)
        XA_FAIL(err, XA_NOMEM, "--set: out of memory");
done:
    xa_yaml_free(other);
    xa_problems_fini(&problems);
    return st;
}

xa_status xa_yaml_set(xa_yaml *y, const char *path, const char *value, xa_err *err)
{
    xa_status st = XA_OK;
    char *copy = xa_strdup(path), *rest = NULL;
    int at = 1;
    if (!copy)
        XA_FAIL(err, XA_NOMEM, "--set: out of memory");
    for (char *key = strtok_r(copy, ".", &rest); key;) {
        char *next = strtok_r(NULL, ".", &rest);
        if (!next) {
            int child;
            XA_TRY(err, new_value(y, path, value, &child, err));
            XA_TRY(err, put(y, at, key, child, err));
            break;
        }
        const xa_ynode here = {y, at};
        int64_t index;
        xa_ynode child = xa_yaml_kind(here) == XA_Y_LIST && xa_parse_i64(key, &index) &&
                                 index >= 0 && index < xa_yaml_count(here)
                             ? xa_yaml_at(here, (int)index)
                             : xa_yaml_get(here, key);
        if (!child.id) {
            child.id = yaml_document_add_mapping(&y->doc, NULL, YAML_BLOCK_MAPPING_STYLE);
            if (!child.id)
                XA_FAIL(err, XA_NOMEM, "--set: out of memory");
            XA_TRY(err, put(y, at, key, child.id, err));
        }
        at = child.id;
        key = next;
    }
done:
    free(copy);
    return st;
}
