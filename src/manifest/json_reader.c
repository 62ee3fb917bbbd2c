/* JSON as a stream of events, through yajl, which only this file knows. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yajl/yajl_parse.h>

#include "import_internal.h"

enum { CHUNK = 1 << 16, DEPTH_MAX = 64, TOKEN_MAX = 1 << 24 };

typedef struct reader {
    xa__json_fn *fn;
    void *arg;
    xa_err *err;
    xa_status status;
    int depth;
    size_t since; /* bytes read since the last event */
    xa_str text;
} reader;

static int hand_on(reader *r, xa__json_event e)
{
    e.depth = r->depth;
    r->since = 0;
    r->status = r->fn(r->arg, &e, r->err);
    return r->status == XA_OK;
}

static int with_text(reader *r, xa__json_kind kind, const char *bytes, size_t len)
{
    xa__json_event e = {.kind = kind, .len = len};
    r->text.len = 0;
    xa_str_add(&r->text, bytes, len);
    if (r->text.failed) {
        r->status = xa_err_set(
            r->err, XA_NOMEM, __FILE__, __func__, __LINE__, "no memory for a text of %zu", len);
        return 0;
    }
    e.text = r->text.data != NULL ? r->text.data : "";
    if (kind == XA__JSON_NUMBER && !xa_parse_f64(e.text, &e.number)) {
        char shown[XA__SHOWN];
        r->status = xa_err_set(r->err,
                               XA_FORMAT,
                               __FILE__,
                               __func__,
                               __LINE__,
                               "the number %s is too large",
                               xa__show(e.text, shown));
        return 0;
    }
    return hand_on(r, e);
}

static int begin(reader *r, xa__json_kind kind)
{
    if (r->depth >= DEPTH_MAX) {
        r->status = xa_err_set(r->err,
                               XA_LIMIT,
                               __FILE__,
                               __func__,
                               __LINE__,
                               "lists and maps are nested deeper than %d",
                               (int)DEPTH_MAX);
        return 0;
    }
    const int more = hand_on(r, (xa__json_event){.kind = kind});
    r->depth++;
    return more;
}

static int end(reader *r, xa__json_kind kind)
{
    r->depth--;
    return hand_on(r, (xa__json_event){.kind = kind});
}

static int on_null(void *arg)
{
    return hand_on(arg, (xa__json_event){.kind = XA__JSON_NULL});
}
static int on_boolean(void *arg, int value)
{
    return hand_on(arg, (xa__json_event){.kind = XA__JSON_BOOL, .number = value != 0});
}
static int on_number(void *arg, const char *bytes, size_t len)
{
    return with_text(arg, XA__JSON_NUMBER, bytes, len);
}
static int on_string(void *arg, const unsigned char *bytes, size_t len)
{
    return with_text(arg, XA__JSON_TEXT, (const char *)bytes, len);
}
static int on_key(void *arg, const unsigned char *bytes, size_t len)
{
    return with_text(arg, XA__JSON_KEY, (const char *)bytes, len);
}
static int on_map(void *arg)
{
    return begin(arg, XA__JSON_MAP);
}
static int on_map_end(void *arg)
{
    return end(arg, XA__JSON_MAP_END);
}
static int on_list(void *arg)
{
    return begin(arg, XA__JSON_LIST);
}
static int on_list_end(void *arg)
{
    return end(arg, XA__JSON_LIST_END);
}

/* yajl's own words, without the excerpt and the line ends it adds. */
static void say_syntax(yajl_handle h, const unsigned char *chunk, size_t n, char *out, size_t size)
{
    unsigned char *said = yajl_get_error(h, 0, chunk, n);
    xa_str_sanitise(said != NULL ? (const char *)said : "malformed JSON", out, size);
    if (said != NULL)
        yajl_free_error(h, said);
    for (size_t len = strlen(out); len > 0 && (out[len - 1] == '?' || out[len - 1] == ' ');)
        out[--len] = '\0';
}

static int64_t count_lines(const char *bytes, size_t n)
{
    int64_t lines = 0;
    for (const char *p = bytes; (p = memchr(p, '\n', (size_t)(bytes + n - p))) != NULL; p++)
        lines++;
    return lines;
}

xa_status xa__json_read(const char *path, xa__json_fn *fn, void *arg, xa_err *err)
{
    static const yajl_callbacks callbacks = {.yajl_null = on_null,
                                             .yajl_boolean = on_boolean,
                                             .yajl_number = on_number,
                                             .yajl_string = on_string,
                                             .yajl_start_map = on_map,
                                             .yajl_map_key = on_key,
                                             .yajl_end_map = on_map_end,
                                             .yajl_start_array = on_list,
                                             .yajl_end_array = on_list_end};
    xa_status st = XA_OK;
    reader r = {.fn = fn, .arg = arg, .err = err};
    yajl_handle h = NULL;
    char *chunk = NULL;
    size_t n = 0;
    int64_t line = 1;
    int fd = -1;
    bool first = true;

    XA_TRY(err, xa_open_regular(path, &fd, NULL, err));
    chunk = malloc(CHUNK);
    h = yajl_alloc(&callbacks, NULL, &r);
    if (chunk == NULL || h == NULL)
        XA_FAIL(err, XA_NOMEM, "no memory to read %s", path);
    for (bool more = true; more;) {
        XA_TRY(err, xa_read_fd(fd, path, chunk, CHUNK, &n, err));
        more = n == CHUNK;
        const size_t bom = first && n >= 3 && memcmp(chunk, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        const unsigned char *p = (const unsigned char *)chunk + bom;
        first = false;
        r.since += n - bom;
        yajl_status said = yajl_parse(h, p, n - bom);
        size_t used = said == yajl_status_ok ? n - bom : yajl_get_bytes_consumed(h);
        if (said == yajl_status_ok && !more)
            said = yajl_complete_parse(h);
        if (r.status == XA_OK && said != yajl_status_ok) {
            char text[256];
            say_syntax(h, p, n - bom, text, sizeof text);
            r.status = xa_err_set(err, XA_FORMAT, __FILE__, __func__, __LINE__, "%s", text);
        }
        if (r.status == XA_OK && r.since > TOKEN_MAX)
            r.status = xa_err_set(err,
                                  XA_LIMIT,
                                  __FILE__,
                                  __func__,
                                  __LINE__,
                                  "a text longer than %d bytes",
                                  (int)TOKEN_MAX);
        if (used > n - bom)
            used = n - bom;
        line += count_lines((const char *)p, used);
        if (r.status != XA_OK) {
            xa_err_prefix(err, "%s:%lld", path, (long long)line);
            st = xa_err_pass(err, r.status, __FILE__, __func__, __LINE__);
            goto done;
        }
    }
done:
    if (fd >= 0)
        close(fd);
    free(chunk);
    if (h != NULL)
        yajl_free(h);
    xa_str_free(&r.text);
    return st;
}
