/* A YAML document with the lines of its values. Aliases are copies of what their anchors hold, and
 * merge keys (<<) are the keys they bring, so that readers see neither. libyaml stays in
 * yaml_parse.c. */
#ifndef XAUDIT_JOB_YAML_READER_H
#define XAUDIT_JOB_YAML_READER_H

#include "xaudit/manifest.h" /* xa_problems */

typedef struct xa_yaml xa_yaml;
/* A value, list or map; id 0 means "not there". */
typedef struct xa_ynode {
    xa_yaml *doc;
    int id;
} xa_ynode;

typedef enum xa_ykind { XA_Y_NONE, XA_Y_SCALAR, XA_Y_LIST, XA_Y_MAP } xa_ykind;

/* Parses one document. Every mistake goes to problems with its line, and FORMAT is returned:
 * syntax, aliases without an anchor or inside their own, aliases that together stand for more than
 * 100,000 values or 16 MiB of text, more than 32 levels, more than 1,000 keys in a map, a second
 * document. NOMEM. */
XA_MUST_USE xa_status xa__yaml_parse(const char *file,
                                     const char *text,
                                     size_t size,
                                     xa_problems *problems,
                                     xa_yaml **out,
                                     xa_err *err);
void xa__yaml_free(xa_yaml *y);

xa_ynode xa__yaml_root(xa_yaml *y);
xa_ykind xa__yaml_kind(xa_ynode n);
const char *xa__yaml_text(xa_ynode n); /* of a scalar, else NULL */
bool xa__yaml_is_null(xa_ynode n);     /* empty, ~ or null, unquoted */
int64_t xa__yaml_line(xa_ynode n);     /* 1-based; 0: set. Of a copy: where its anchor's value is */
const char *xa__yaml_file(xa_ynode n);
int xa__yaml_count(xa_ynode n);
xa_ynode xa__yaml_at(xa_ynode n, int i);            /* of a list */
xa_ynode xa__yaml_get(xa_ynode n, const char *key); /* of a map */
xa_ynode xa__yaml_key_node(xa_ynode n, int i);      /* the i-th key of a map */
const char *
xa__yaml_key(xa_ynode n, int i, xa_ynode *value, int64_t *line); /* i-th pair of a map */

/* Sets a value at a dotted path ("models.0.batch", "output"): a text, or a list or map in brackets
 * ("[128, 128]", "{ div: 255 }"). Missing keys of maps are added, indices of lists must exist.
 * Where the place is in the copy that an alias made, only this copy changes. INVALID names what is
 * wrong.
 */
XA_MUST_USE xa_status xa__yaml_set(xa_yaml *y, const char *path, const char *value, xa_err *err);

/* Reports a mistake at a value's line, once: what an alias copied is wrong in every copy. */
void xa__yaml_problem(xa_problems *problems, xa_ynode n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#define XA_YAML_PROBLEM(problems, node, ...) xa__yaml_problem((problems), (node), __VA_ARGS__)

#endif
