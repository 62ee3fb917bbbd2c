/* Annotation files of Pascal VOC and ImageNet: XML by expat, which only this file sees. An element
 * counts only at its place: a `bndbox` in a `part` is not the object's. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "import_internal.h"

enum { DEPTH_MAX = 16, PATH_MAX_LEN = 256, FILE_MAX = 16 << 20, OBJECTS_MAX = 100 * 1000 };

typedef struct reader {
    XML_Parser parser;
    xa__voc *out;
    int depth;
    char path[PATH_MAX_LEN]; /* "annotation/object/name" */
    size_t ends[DEPTH_MAX];  /* lengths of path outside each element */
    char text[XA__VOC_NAME];
    size_t len;
    bool too_long;
    double corners[4];
    int have; /* bit i: corner i was read */
    xa_status status;
    char why[128];
} reader;

static void stop(reader *r, xa_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void stop(reader *r, xa_status status, const char *fmt, ...)
{
    if (r->status != XA_OK)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->why, sizeof r->why, fmt, ap);
    va_end(ap);
    r->status = status;
    XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL on_begin(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    reader *r = arg;
    (void)attributes;
    const size_t used = strlen(r->path);
    const size_t n = strlen(name);
    if (r->status != XA_OK)
        return;
    if (r->depth >= DEPTH_MAX || used + n + 2 > sizeof r->path) {
        stop(r, XA_LIMIT, "elements are nested too deep");
        return;
    }
    if (r->depth == 0 && strcmp(name, "annotation") != 0) {
        char shown[XA_SHOWN];
        stop(r, XA_FORMAT, "expected <annotation>, found <%s>", xa_show(name, shown));
        return;
    }
    r->ends[r->depth++] = used;
    snprintf(r->path + used, sizeof r->path - used, "%s%s", used > 0 ? "/" : "", name);
    r->len = 0;
    r->too_long = false;
    if (strcmp(r->path, "annotation/object") == 0) {
        xa__voc *v = r->out;
        if (v->count >= OBJECTS_MAX)
            stop(r, XA_LIMIT, "more than %d objects", (int)OBJECTS_MAX);
        else if (xa_grow(&v->objects, &v->cap, v->count + 1, sizeof *v->objects, NULL) != XA_OK)
            stop(r, XA_NOMEM, "out of memory for objects");
        else
            v->objects[v->count++] = (xa__voc_object){0};
        r->have = 0;
    }
}

static void XMLCALL on_text(void *arg, const XML_Char *bytes, int len)
{
    reader *r = arg;
    for (int i = 0; i < len; i++)
        if (r->len + 1 < sizeof r->text)
            r->text[r->len++] = bytes[i];
        else
            r->too_long = r->too_long || !strchr(" \t\r\n", bytes[i]);
}

/* The element's text without blanks around it. */
static const char *trimmed(reader *r)
{
    char *p = r->text;
    while (r->len > 0 && strchr(" \t\r\n", r->text[r->len - 1]))
        r->len--;
    r->text[r->len] = '\0';
    while (*p != '\0' && strchr(" \t\r\n", *p))
        p++;
    return p;
}

static bool number(const char *text, double *v)
{
    return xa_parse_f64(text, v) && *v <= 1e9 && *v >= -1e9;
}

static void take_object(reader *r, const char *field, const char *text)
{
    static const char *const corners[] = {
        "bndbox/xmin", "bndbox/ymin", "bndbox/xmax", "bndbox/ymax"};
    static const struct {
        const char *name;
        uint8_t bit;
    } flags[] = {{"difficult", XA_ANNOTATION_DIFFICULT},
                 {"truncated", XA_ANNOTATION_TRUNCATED},
                 {"occluded", XA_ANNOTATION_OCCLUDED}};
    xa__voc_object *o = &r->out->objects[r->out->count - 1];
    double v = 0.0;
    if (strcmp(field, "name") == 0 && r->too_long)
        o->bad = "an object whose name is longer than 255 bytes";
    else if (strcmp(field, "name") == 0 && o->name[0] != '\0')
        o->bad = "an object with two names";
    else if (strcmp(field, "name") == 0)
        snprintf(o->name, sizeof o->name, "%s", text);
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(field, flags[i].name) != 0 || text[0] == '\0')
            continue;
        const bool yes = strcmp(text, "true") == 0 || strcmp(text, "True") == 0;
        const bool no = strcmp(text, "false") == 0 || strcmp(text, "False") == 0 ||
                        strcmp(text, "Unspecified") == 0;
        if (!yes && !no && !number(text, &v))
            o->bad = "an object with a flag that is neither a number nor true or false";
        else if (yes || (!no && v != 0.0))
            o->flags = (uint8_t)(o->flags | flags[i].bit);
    }
    for (int i = 0; i < 4; i++)
        if (strcmp(field, corners[i]) == 0 && !number(text, &o->box[i]))
            o->bad = "an object with a coordinate that is no number";
        else if (strcmp(field, corners[i]) == 0 && (r->have >> i & 1))
            o->bad = "an object with two boxes";
        else if (strcmp(field, corners[i]) == 0)
            r->have |= 1 << i;
    o->has_box = r->have == 15;
}

static void take_extent(reader *r, const char *text, int64_t *out)
{
    double v = 0.0;
    const bool good = number(text, &v) && v >= 0.0;
    *out = good ? (int64_t)v : 0;
    r->out->bad_size = r->out->bad_size || !good;
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
    reader *r = arg;
    static const char object[] = "annotation/object/";
    (void)name;
    if (r->status != XA_OK)
        return;
    const char *text = trimmed(r);
    if (strncmp(r->path, object, sizeof object - 1) == 0)
        take_object(r, r->path + sizeof object - 1, text);
    else if (strcmp(r->path, "annotation/filename") == 0)
        snprintf(r->out->filename, sizeof r->out->filename, "%s", r->too_long ? "" : text);
    else if (strcmp(r->path, "annotation/size/width") == 0)
        take_extent(r, text, &r->out->width);
    else if (strcmp(r->path, "annotation/size/height") == 0)
        take_extent(r, text, &r->out->height);
    r->path[r->ends[--r->depth]] = '\0';
    r->len = 0;
}

static void XMLCALL on_entity(void *arg,
                              const XML_Char *name,
                              int is_parameter,
                              const XML_Char *value,
                              int value_len,
                              const XML_Char *base,
                              const XML_Char *system,
                              const XML_Char *public,
                              const XML_Char *notation)
{
    (void)name, (void)is_parameter, (void)value, (void)value_len, (void)base, (void)system;
    (void)public, (void)notation;
    stop(arg, XA_UNSUPPORTED, "entity declarations are not read");
}

xa_status xa__voc_read(const char *path, xa__voc *v, xa_err *err)
{
    xa_status st = XA_OK;
    reader *r = NULL;
    char *data = NULL;
    size_t size = 0;
    v->count = 0;
    v->width = v->height = 0;
    v->bad_size = false;
    v->filename[0] = '\0';
    XA_TRY(err, xa_read_file(path, FILE_MAX, &data, &size, err));
    r = xa_alloc(1, sizeof *r);
    if (r)
        r->parser = XML_ParserCreate(NULL);
    if (!r || !r->parser)
        XA_FAIL(err, XA_NOMEM, "no memory to read %s", path);
    r->out = v;
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_begin, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetEntityDeclHandler(r->parser, on_entity);
    if (XML_Parse(r->parser, data, (int)size, XML_TRUE) != XML_STATUS_OK) {
        const int64_t line = (int64_t)XML_GetCurrentLineNumber(r->parser);
        if (r->status != XA_OK)
            XA_FAIL(err, r->status, "%s:%" PRId64 ": %s", path, line, r->why);
        XA_FAIL(err,
                XA_FORMAT,
                "%s:%" PRId64 ": malformed XML: %s",
                path,
                line,
                XML_ErrorString(XML_GetErrorCode(r->parser)));
    }
    v->bad_size = v->bad_size || (v->width > 0) != (v->height > 0);
done:
    if (r && r->parser)
        XML_ParserFree(r->parser);
    free(r);
    free(data);
    return st;
}

void xa__voc_fini(xa__voc *v)
{
    free(v->objects);
    *v = (xa__voc){0};
}
