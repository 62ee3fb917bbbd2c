/* The values of a YAML document, as its parser (yaml_parse.c), its readers (yaml_reader.c) and
 * --set (yaml_set.c) share them. A tree: an alias stands for a copy of its own. */
#ifndef XAUDIT_JOB_YAML_TREE_H
#define XAUDIT_JOB_YAML_TREE_H

#include "yaml_reader.h"

enum {
    XA__YAML_DEPTH = 32, /* lists and maps within one another */
    XA__YAML_KEYS = 1000 /* of one map */
};

typedef struct xa__yaml_value {
    xa_ykind kind;
    bool plain;        /* SCALAR: written without quotes */
    const char *text;  /* SCALAR; one of the document's texts, which copies share */
    int64_t line;      /* 1-based; 0: not from the file */
    int *item;         /* LIST: ids; MAP: key, value, key, value, ... */
    size_t count, cap; /* of item */
} xa__yaml_value;

struct xa_yaml {
    xa__yaml_value *values; /* an id is an index plus 1 */
    size_t nvalues, cap;
    char **texts; /* owned */
    size_t ntexts, texts_cap;
    char *file;
    int root;
};

/* NULL if the id is 0. The pointer is valid until the next value is made. */
xa__yaml_value *xa__yaml_value_of(const xa_yaml *y, int id);
/* A new value; 0 when out of memory. */
int xa__yaml_new(xa_yaml *y, xa_ykind kind, int64_t line);
int xa__yaml_scalar(xa_yaml *y, const char *text, size_t size, bool plain, int64_t line);
/* A copy of a value of this or another document, with all that is in it; 0 when out of memory. */
int xa__yaml_copy(xa_yaml *y, const xa_yaml *from, int id);
/* Adds an item to a list, or a key or value to a map; false when out of memory. */
bool xa__yaml_append(xa_yaml *y, int parent, int child);

#endif
