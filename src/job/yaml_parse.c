/* YAML text to a document: libyaml's events become a tree in which aliases are copies of what their
 * anchors hold, and merge keys (<<) are the keys that they bring. Both are bounded, because few
 * bytes of aliases of aliases stand for any amount of values. */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "yaml_tree.h"

/* What all aliases of a file may stand for: ten thousand explainers, and as much text as a job file
 * may have. */
enum { MAX_COPIES = 100000, MAX_COPIED_BYTES = 16 << 20 };

typedef struct anchor {
    char *name;
    int id;
    bool open; /* its value has not ended */
} anchor;

typedef struct level {
    int id;     /* of the list or map that is being read */
    int key;    /* of a map: the key whose value comes next; 0: a key comes next */
    int anchor; /* index, or -1 */
} level;

typedef struct reader {
    xa_yaml *y;
    xa_problems *problems;
    level open[XA__YAML_DEPTH];
    int depth;
    anchor *anchors;
    size_t nanchors, cap;
    int64_t copies, bytes; /* that aliases have made so far */
    int documents;
    bool stop, nomem;
} reader;

static int64_t line_of(const yaml_event_t *e)
{
    return (int64_t)e->start_mark.line + 1;
}

/* Others are looked for, but after an end of reading nothing that follows can be trusted. */
#define PROBLEM(r, line, ...) \
    xa_problems_add((r)->problems, (r)->y->file, (line), false, __VA_ARGS__)

static bool is_merge(const xa_yaml *y, int key)
{
    const xa__yaml_value *v = xa__yaml_value_of(y, key);
    return v->text && v->plain && !strcmp(v->text, "<<");
}

/* Puts a finished or opened value where it belongs: into the open list or map, or at the root. */
static void place(reader *r, int id, int64_t line)
{
    if (!id) {
        r->nomem = r->stop = true;
        return;
    }
    if (!r->depth) {
        r->y->root = id;
        return;
    }
    level *l = &r->open[r->depth - 1];
    const xa__yaml_value *parent = xa__yaml_value_of(r->y, l->id);
    bool fits = true;
    if (parent->kind == XA_Y_LIST) {
        fits = xa__yaml_append(r->y, l->id, id);
    } else if (!l->key) {
        l->key = id;
        if (parent->count >= 2 * XA__YAML_KEYS) {
            PROBLEM(r, line, "a map of more than %d keys", XA__YAML_KEYS);
            r->stop = true;
        }
    } else {
        fits = xa__yaml_append(r->y, l->id, l->key) && xa__yaml_append(r->y, l->id, id);
        l->key = 0;
    }
    if (!fits)
        r->nomem = r->stop = true;
}

/* Remembers what *name stands for from here on; the index, or -1. */
static int set_anchor(reader *r, const yaml_char_t *name, int id, bool open)
{
    if (!name)
        return -1;
    char *copy = xa_strdup((const char *)name);
    if (!copy ||
        xa_grow(&r->anchors, &r->cap, r->nanchors + 1, sizeof *r->anchors, NULL) != XA_OK) {
        free(copy);
        r->nomem = r->stop = true;
        return -1;
    }
    r->anchors[r->nanchors] = (anchor){copy, id, open};
    return (int)r->nanchors++;
}

static const anchor *find_anchor(const reader *r, const char *name)
{
    for (size_t i = r->nanchors; i-- > 0;) /* a name given anew means the later value */
        if (!strcmp(r->anchors[i].name, name))
            return &r->anchors[i];
    return NULL;
}

/* Counts the values and bytes of a copy, until one of them is too many. */
static bool count_copy(reader *r, int id, int depth)
{
    const xa__yaml_value *v = xa__yaml_value_of(r->y, id);
    r->copies++;
    r->bytes += v->text ? (int64_t)strlen(v->text) : 0;
    if (r->copies > MAX_COPIES || r->bytes > MAX_COPIED_BYTES || depth > XA__YAML_DEPTH)
        return false;
    for (size_t i = 0; i < v->count; i++) {
        const bool nested = xa__yaml_value_of(r->y, v->item[i])->kind != XA_Y_SCALAR;
        if (!count_copy(r, v->item[i], depth + nested))
            return false;
    }
    return true;
}

static void read_alias(reader *r, const yaml_event_t *e)
{
    const char *name = (const char *)e->data.alias.anchor;
    const int64_t line = line_of(e);
    const anchor *a = find_anchor(r, name);
    const xa__yaml_value *v = a ? xa__yaml_value_of(r->y, a->id) : NULL;
    char shown[64];
    xa_str_sanitise(name, shown, sizeof shown);
    if (!a || a->open) {
        if (!a)
            PROBLEM(r, line, "*%s: no value before it has the anchor &%s", shown, shown);
        else
            PROBLEM(r, line, "*%s stands inside the value that it means", shown);
        place(r, xa__yaml_scalar(r->y, "", 0, true, line), line);
        return;
    }
    if (!count_copy(r, a->id, r->depth + (v->kind != XA_Y_SCALAR))) {
        if (r->copies > MAX_COPIES)
            PROBLEM(r, line, "the file's aliases stand for more than %d values", MAX_COPIES);
        else if (r->bytes > MAX_COPIED_BYTES)
            PROBLEM(r,
                    line,
                    "the file's aliases stand for more than %d MiB of text",
                    MAX_COPIED_BYTES >> 20);
        else
            PROBLEM(r, line, "*%s: nested deeper than %d levels", shown, XA__YAML_DEPTH);
        r->stop = true;
        return;
    }
    place(r, xa__yaml_copy(r->y, r->y, a->id), line);
}

/* Tags of YAML itself change nothing here; any other would be left out in silence. */
static void check_tag(reader *r, const yaml_char_t *tag, int64_t line)
{
    static const char core[] = "tag:yaml.org,2002:";
    char shown[64];
    if (!tag || !strncmp((const char *)tag, core, sizeof core - 1) ||
        !strcmp((const char *)tag, "!"))
        return;
    xa_str_sanitise((const char *)tag, shown, sizeof shown);
    PROBLEM(r, line, "the tag %s has no meaning in a job: write the value without it", shown);
}

static void read_scalar(reader *r, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    const size_t size = e->data.scalar.length;
    const int64_t line = line_of(e);
    check_tag(r, e->data.scalar.tag, line);
    if (memchr(text, '\0', size))
        PROBLEM(r, line, "a text with a NUL character");
    const int id =
        xa__yaml_scalar(r->y, text, size, e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE, line);
    (void)set_anchor(r, e->data.scalar.anchor, id, false);
    place(r, id, line);
}

static void
begin(reader *r, xa_ykind kind, const yaml_char_t *name, const yaml_char_t *tag, int64_t line)
{
    check_tag(r, tag, line);
    if (r->depth == XA__YAML_DEPTH) {
        PROBLEM(r, line, "nested deeper than %d levels", XA__YAML_DEPTH);
        r->stop = true;
        return;
    }
    const int id = xa__yaml_new(r->y, kind, line);
    place(r, id, line);
    if (!r->stop)
        r->open[r->depth++] = (level){.id = id, .anchor = set_anchor(r, name, id, true)};
}

/* Adds the pairs of `from` whose keys the map does not have: what stands in a map itself comes
 * before what it merges, and an earlier source before a later one. */
static bool add_pairs(reader *r, int map, int from)
{
    const xa_ynode source = {r->y, from}, target = {r->y, map};
    for (int i = 0; i < xa__yaml_count(source); i++) {
        xa_ynode value;
        const char *key = xa__yaml_key(source, i, &value, NULL);
        const int key_id = xa__yaml_value_of(r->y, from)->item[2 * i];
        if (key && xa__yaml_get(target, key).id)
            continue;
        if (xa__yaml_count(target) >= XA__YAML_KEYS) {
            PROBLEM(r, xa__yaml_line(target), "a map of more than %d keys", XA__YAML_KEYS);
            r->stop = true;
            return true;
        }
        if (!xa__yaml_append(r->y, map, key_id) || !xa__yaml_append(r->y, map, value.id))
            return false;
    }
    return true;
}

/* <<: *map, or <<: [*map, *map]. Its values are copies already, so that they can move. */
static void merge(reader *r, int map)
{
    xa__yaml_value *v = xa__yaml_value_of(r->y, map);
    int sources = 0;
    size_t kept = 0;
    for (size_t i = 0; i < v->count; i += 2) {
        if (is_merge(r->y, v->item[i])) {
            if (sources)
                PROBLEM(r,
                        xa__yaml_value_of(r->y, v->item[i])->line,
                        "<< is given twice: write <<: [*one, *other]");
            sources = v->item[i + 1];
            continue;
        }
        v->item[kept] = v->item[i];
        v->item[kept + 1] = v->item[i + 1];
        kept += 2;
    }
    v->count = kept;
    if (!sources)
        return;
    const xa_ynode from = {r->y, sources};
    const bool list = xa__yaml_kind(from) == XA_Y_LIST;
    for (int i = 0; i < (list ? xa__yaml_count(from) : 1) && !r->stop; i++) {
        const xa_ynode one = list ? xa__yaml_at(from, i) : from;
        if (xa__yaml_kind(one) != XA_Y_MAP)
            PROBLEM(r,
                    xa__yaml_line(one),
                    "<< expects a map or a list of maps, such as <<: *name, found %s",
                    xa__yaml_kind(one) == XA_Y_LIST ? "a list" : xa__yaml_text(one));
        else if (!add_pairs(r, map, one.id))
            r->nomem = r->stop = true;
    }
}

static void end(reader *r)
{
    const level l = r->open[--r->depth];
    if (l.anchor >= 0)
        r->anchors[l.anchor].open = false;
    if (xa__yaml_value_of(r->y, l.id)->kind == XA_Y_MAP)
        merge(r, l.id);
}

static void read_event(reader *r, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++r->documents > 1) {
            PROBLEM(r, line_of(e), "a second document begins here (---): expected one");
            r->stop = true;
        }
        break;
    case YAML_ALIAS_EVENT:
        read_alias(r, e);
        break;
    case YAML_SCALAR_EVENT:
        read_scalar(r, e);
        break;
    case YAML_SEQUENCE_START_EVENT:
        begin(r, XA_Y_LIST, e->data.sequence_start.anchor, e->data.sequence_start.tag, line_of(e));
        break;
    case YAML_MAPPING_START_EVENT:
        begin(r, XA_Y_MAP, e->data.mapping_start.anchor, e->data.mapping_start.tag, line_of(e));
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        end(r);
        break;
    default:
        break;
    }
}

static void read_events(reader *r, yaml_parser_t *parser)
{
    for (bool more = true; more && !r->stop;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            PROBLEM(r,
                    (int64_t)parser->problem_mark.line + 1,
                    "not valid YAML: %s%s%s",
                    parser->problem ? parser->problem : "unreadable",
                    parser->context ? " " : "",
                    parser->context ? parser->context : "");
            return;
        }
        read_event(r, &event);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    if (!r->y->root && !r->stop)
        PROBLEM(r, 0, "the file is empty");
}

xa_status xa__yaml_parse(const char *file,
                         const char *text,
                         size_t size,
                         xa_problems *problems,
                         xa_yaml **out,
                         xa_err *err)
{
    xa_status st = XA_OK;
    yaml_parser_t parser;
    bool parsing = false;
    reader r = {.problems = problems};
    const size_t before = problems->errors;
    *out = NULL;
    r.y = xa_alloc(1, sizeof *r.y);
    if (!r.y || !(r.y->file = xa_strdup(file)) || !yaml_parser_initialize(&parser))
        XA_NOMEM_FAIL(err);
    parsing = true;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    read_events(&r, &parser);
    if (r.nomem)
        XA_NOMEM_FAIL(err);
    if (problems->errors > before)
        XA_FAIL(err, XA_FORMAT, "%s: not valid YAML", file);
    *out = r.y;
    r.y = NULL;
done:
    if (parsing)
        yaml_parser_delete(&parser);
    for (size_t i = 0; i < r.nanchors; i++)
        free(r.anchors[i].name);
    free(r.anchors);
    xa__yaml_free(r.y);
    return st;
}
