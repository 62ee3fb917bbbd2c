/* The table of settings: a row of settings.def for each setting of a job. Reading
 * (settings_read.c), messages, `xaudit check`'s echo, the table of jobs/REFERENCE.md and
 * `xaudit help settings` (settings_help.c), the identity (identity_text.c) and the test that no
 * setting is forgotten iterate it. */
#ifndef XAUDIT_JOB_SETTINGS_H
#define XAUDIT_JOB_SETTINGS_H

#include "xaudit/job.h"
#include "yaml_reader.h"

/* X(ENUM, what messages call it, what it looks like): the maps of a job. */
#define XA_JOB_MAP_LIST(X)                                                             \
    X(JOB, "job", "with manifest, output and models")                                  \
    X(MANIFEST, "manifest", "such as { wsol: folder, images: folder }")                \
    X(LIMITS, "limits", "such as { max_pixels: 100000000 }")                           \
    X(STORE, "store", "such as { thumbnails: 256 }")                                   \
    X(MODEL, "model", "with name, file, input and explainers")                         \
    X(INPUT, "input", "such as { size: [224, 224], resize: pil-bilinear, scale: tf }") \
    X(FIT, "fit", "such as { short: 256, crop: [224, 224] }")                          \
    X(SCALE,                                                                           \
      "scale",                                                                         \
      "such as { div: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }") \
    X(DEPTH, "depth", "such as { window: [low, high] }")                               \
    X(EXPLAINER, "explainer", "such as { kind: gradcam, target: label }")              \
    X(EXPLAINER_INPUT, "input of an explainer", "such as { scale: tf }")               \
    X(TARGET, "target", "such as { class: NAME }")                                     \
    X(METRIC, "metric", "such as { kind: pointing_game, tolerance: 15px }")            \
    X(AT, "at", "such as { grid: 7 }")                                                 \
    X(CHECK, "check", "such as { kind: deletion, images: 500 }")
typedef enum xa_job_map {
#define X(name, text, example) XA_JOB_##name,
    XA_JOB_MAP_LIST(X)
#undef X
        XA_JOB_MAPS
} xa_job_map;
const char *xa__map_name(xa_job_map map);
const char *xa__map_example(xa_job_map map);

/* Types that a row needs no code for; `member` is of the C type beside it. */
typedef enum xa__type {
    XA__OTHER,   /* `read` does all */
    XA__TEXT,    /* char * (owned), or char [n]: not empty */
    XA__PATH,    /* char * (owned): beside the job file */
    XA__NAME,    /* char * (owned), or char [n]: a name in the archive */
    XA__INTEGER, /* int or int64_t, from low to high */
    XA__NUMBER,  /* double, from least to most; not most itself where `below` */
    XA__TRUTH,   /* bool: true or false */
    XA__WORD,    /* enum or bool: the index in `words` */
    XA__MAP      /* a map of settings (`sub`), whose object begins at the member */
} xa__type;

/* The parts of an identity. */
enum { XA__PASS = 1, XA__MAPS = 2, XA__SCORES = 4 };

/* Explainers differ in which lines of an identity they have. */
typedef enum xa__kinds {
    XA__EVERY_KIND,
    XA__THAT_HAVE_IT, /* for every new setting that not all kinds have */
    XA__ATTENTION,    /* these three are as archives of 0.1 and 0.2 have their lines */
    XA__GRADIENT,
    XA__NOT_GRADIENT
} xa__kinds;

/* What readers know beside the value and its place. */
typedef struct xa__reading {
    xa_job *job; /* NULL: metrics alone */
    xa_problems *problems;
} xa__reading;

/* What the writers of an identity's lines know. */
typedef struct xa__lines {
    xa_str *out;
    const char *of;        /* what each line begins with */
    const xa_job *job;     /* NULL where values are shown alone: no line of files then */
    const xa_audit *audit; /* NULL in the same case */
    int model, explainer;  /* indices */
    bool of_explainer;     /* an explainer's own input */
    xa_err *err;
    xa_status st; /* the first failure */
} xa__lines;

typedef struct xa_setting {
    xa_job_map map;
    const char *key; /* NULL: a line of the identity that a profile decides */
    xa__type type;
    size_t offset, size;      /* of the member */
    int64_t low, high;        /* INTEGER */
    double least, most;       /* NUMBER */
    bool below;               /* NUMBER: less than most */
    const char *const *words; /* WORD; ends with NULL */
    xa_job_map sub;           /* MAP */
    bool needed;
    bool before; /* read before the others of its map: it decides what they mean */
    bool late;   /* read after the others of its map: it needs them */
    /* Instead of the type's own; type OTHER has no other way. */
    void (*read)(const xa__reading *r, const struct xa_setting *s, xa_ynode n, void *object);
    const char *initial;   /* JOB and what is in it: the default as text, which is set */
    const char *otherwise; /* the default in words, where neither `initial` nor the object has it */
    unsigned part;         /* which parts of the identity it moves; 0: none, and `why` says why */
    /* Its lines there: the type's own (`line`, or the key) unless one of these is set. */
    const char *line;
    void (*lines)(xa__lines *l, const struct xa_setting *s, const void *object);
    const char *within; /* no line of its own: it moves these lines of others */
    xa__kinds of;
    const char *why;    /* the reason of part 0; else, where there is one, the exception */
    const char *values; /* how values are written, where the type does not say it */
    const char *(*values_of)(void); /* the same, from where they are known */
    const char *help;               /* one sentence without its full stop */
} xa_setting;

/* The rows in the order of settings.def. */
const xa_setting *xa__settings(size_t *n);
const xa_setting *xa__setting(xa_job_map map, const char *key); /* NULL: unknown */

/* Does this kind of explainer or metric (the map says which) have the setting? */
bool xa__kind_has(const xa_setting *s, int kind);
int xa__kinds_of(xa_job_map map); /* how many kinds; 0: the map has none */
const char *xa__kind_name(xa_job_map map, int kind);
/* The kinds that have it, "energy, iou", or where that is shorter "all kinds but pxap"; empty where
 * all of them have it. */
void xa__kinds_text(const xa_setting *s, bool shorter, xa_str *out);
/* How its values are written. */
void xa__values_text(const xa_setting *s, xa_str *out);
/* Whether the type alone reads and writes it. */
bool xa__is_plain(const xa_setting *s);
/* A plain setting's value as a job would write it. */
void xa__value_text(const xa_setting *s, const void *object, xa_str *out);

/* ---- settings_read.c ---- */

/* The kind that a node names, an index; -1, and a problem, where it names none. */
int xa__read_kind(const xa__reading *r, xa_ynode n, xa_job_map which);
/* Reads a map of settings into its object: unknown keys, keys given twice, settings that `kind`
 * does not have (-1: the map has no kinds), missing ones and wrong values are problems. */
void xa__read_map(const xa__reading *r, xa_ynode map, xa_job_map which, int kind, void *object);
/* Sets what the table gives defaults for. */
void xa__set_defaults(xa_job_map which, void *object);
/* Whether the node is a map; a problem if not. */
bool xa__is_map(const xa__reading *r, xa_ynode n, xa_job_map which);

/* ---- identity_text.c ---- */

/* The lines of the settings of a map that are in one of the parts. */
void xa__setting_lines(xa__lines *l, xa_job_map map, int kind, unsigned parts, const void *object);

#endif
