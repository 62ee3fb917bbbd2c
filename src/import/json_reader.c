/* JSON as a stream of events, by yajl, which only this file sees. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yajl/yajl_parse.h>

#include "import_internal.h"

enum { CHUNK = 1 << 16, DEPTH_MAX = 64, TOKEN_MAX = 1 << 24 };

enum { KEY_SHOWN = 40 };
/* A list or map around the present place. */
typedef struct level {
    bool list;
    int64_t index; /* of the present entry of a list */
    char key[KEY_SHOWN];
} level;

typedef struct reader {
    xa__json_fn *fn;
    void *arg;
    xa_err *err;
    xa_status status;
    int depth;
    level levels[DEPTH_MAX];
    size_t since; /* bytes read since the last event */
    xa_str text;
    yajl_handle h;
    int64_t line, offset;
    /* For the words that Python writes and JSON does not have: is the present byte inside of a
     * text? */
    bool in_text, escaped;
    char held[12]; /* the beginning of such a word, which yajl has not received */
    size_t nheld;
    bool odd; /* the next null event replaces such a word */
    xa__json_odd *found;
} reader;

/* "annotations[12].bbox[0]" */
static void say_place(const reader *r, char *out, size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (int i = 0; i < r->depth && n + 1 < size; i++) {
        const level *l = &r->levels[i];
        const int k = l->list ? snprintf(out + n, size - n, "[%" PRId64 "]", l->index)
                              : snprintf(out + n, size - n, "%s%s", n > 0 ? "." : "", l->key);
        n += k > 0 ? (size_t)k : 0;
    }
}

static int hand_on(reader *r, xa__json_event e)
{
    level *outer = r->depth > 0 ? &r->levels[r->depth - 1] : NULL;
    e.depth = r->depth;
    r->since = 0;
    if (outer && e.kind == XA__JSON_KEY)
        xa_str_sanitise(e.text, outer->key, sizeof outer->key);
    else if (outer && outer->list && e.kind != XA__JSON_MAP_END && e.kind != XA__JSON_LIST_END)
        outer->index++;
    r->status = r->fn(r->arg, &e, r->err);
    return r->status == XA_OK;
}

static int with_text(reader *r, xa__json_kind kind, const char *bytes, size_t len)
{
    xa__json_event e = {.kind = kind, .len = len};
    r->text.len = 0;
    xa_str_add(&r->text, bytes, len);
    if (r->text.failed) {
        r->status = XA_ERR(r->err, XA_NOMEM, "out of memory for a text of %zu", len);
        return 0;
    }
    e.text = r->text.data ? r->text.data : "";
    if (kind == XA__JSON_NUMBER && !xa_parse_f64(e.text, &e.number)) {
        char shown[XA_SHOWN];
        r->status = XA_ERR(r->err, XA_FORMAT, "the number %s is too large", xa_show(e.text, shown));
        return 0;
    }
    return hand_on(r, e);
}

static int begin(reader *r, xa__json_kind kind)
{
    if (r->depth >= DEPTH_MAX) {
        r->status =
            XA_ERR(r->err, XA_LIMIT, "lists and maps are nested deeper than %d", (int)DEPTH_MAX);
        return 0;
    }
    const int more = hand_on(r, (xa__json_event){.kind = kind});
    r->levels[r->depth++] = (level){.list = kind == XA__JSON_LIST, .index = -1};
    return more;
}

static int end(reader *r, xa__json_kind kind)
{
    r->depth--;
    return hand_on(r, (xa__json_event){.kind = kind});
}

static int on_null(void *arg)
{
    reader *r = arg;
    if (r->odd) {
        level *outer = r->depth > 0 ? &r->levels[r->depth - 1] : NULL;
        if (r->found->count++ == 0) {
            if (outer && outer->list)
                outer->index++;
            say_place(r, r->found->place, sizeof r->found->place);
            if (outer && outer->list)
                outer->index--;
        }
        r->odd = false;
    }
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

/* yajl's message, without the excerpt and the line ends that it adds. */
static void say_syntax(yajl_handle h, const unsigned char *chunk, size_t n, char *out, size_t size)
{
    unsigned char *said = yajl_get_error(h, 0, chunk, n);
    xa_str_sanitise(said ? (const char *)said : "malformed JSON", out, size);
    if (said)
        yajl_free_error(h, said);
    for (size_t len = strlen(out); len > 0 && (out[len - 1] == '?' || out[len - 1] == ' ');)
        out[--len] = '\0';
}

static int64_t count_lines(const char *bytes, size_t n)
{
    int64_t lines = 0;
    for (const char *p = bytes; (p = memchr(p, '\n', (size_t)(bytes + n - p))); p++)
        lines++;
    return lines;
}

/* Gives bytes to the parser unchanged. */
static bool feed(reader *r, const char *bytes, size_t n)
{
    char text[256], place[200];
    r->since += n;
    const yajl_status said = yajl_parse(r->h, (const unsigned char *)bytes, n);
    size_t used = said == yajl_status_ok ? n : yajl_get_bytes_consumed(r->h);
    used = used > n ? n : used;
    r->line += count_lines(bytes, used);
    r->offset += (int64_t)used;
    if (r->status == XA_OK && said != yajl_status_ok) {
        say_syntax(r->h, (const unsigned char *)bytes, n, text, sizeof text);
        say_place(r, place, sizeof place);
        r->status = XA_ERR(r->err,
                           XA_FORMAT,
                           "byte %" PRId64 "%s%s: %s",
                           r->offset,
                           place[0] != '\0' ? ", in " : "",
                           place,
                           text);
    }
    if (r->status == XA_OK && r->since > TOKEN_MAX)
        r->status = XA_ERR(r->err, XA_LIMIT, "a text longer than %d bytes", (int)TOKEN_MAX);
    return r->status == XA_OK;
}

/* The bytes that are held are no such word: gives them to the parser. */
static bool let_go(reader *r)
{
    const size_t n = r->nheld;
    r->nheld = 0;
    return n == 0 || feed(r, r->held, n);
}

/* A byte outside of texts; *took: it may belong to NaN, Infinity or -Infinity, and is held. */
static bool hold(reader *r, char c, bool *took)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    *took = false;
    for (size_t i = 0; i < 3; i++) {
        const size_t n = strlen(words[i]);
        if (r->nheld >= n || strncmp(words[i], r->held, r->nheld) != 0 || words[i][r->nheld] != c)
            continue;
        *took = true;
        r->held[r->nheld++] = c;
        if (r->nheld < n)
            return true;
        if (r->found->count == 0) {
            snprintf(r->found->word, sizeof r->found->word, "%s", words[i]);
            r->found->line = r->line;
            r->found->offset = r->offset;
        }
        r->odd = true;
        r->nheld = 0;
        const int64_t at = r->offset;
        const bool good = feed(r, "null", 4);
        r->offset = at + (int64_t)n;
        return good;
    }
    return true;
}

/* Gives a chunk to the parser, in which NaN and the infinities become null and are counted. */
static bool sift(reader *r, const char *p, size_t n)
{
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        const char c = p[i];
        if (r->in_text) {
            r->in_text = r->escaped || c != '"';
            r->escaped = !r->escaped && c == '\\';
            continue;
        }
        if (r->nheld == 0 && c != 'N' && c != 'I' && c != '-') {
            r->in_text = c == '"';
            continue;
        }
        if (r->nheld == 0 && i > from && !feed(r, p + from, i - from))
            return false;
        bool took;
        if (!hold(r, c, &took))
            return false;
        from = took ? i + 1 : i;
        if (took)
            continue;
        if (!let_go(r))
            return false;
        r->in_text = c == '"';
    }
    return from >= n || feed(r, p + from, n - from);
}

static bool complete(reader *r)
{
    char text[256];
    if (!let_go(r))
        return false;
    if (yajl_complete_parse(r->h) == yajl_status_ok || r->status != XA_OK)
        return r->status == XA_OK;
    say_syntax(r->h, NULL, 0, text, sizeof text);
    r->status = XA_ERR(r->err, XA_FORMAT, "%s", text);
    return false;
}

xa_status
xa__json_read(const char *path, xa__json_fn *fn, void *arg, xa__json_odd *odd, xa_err *err)
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
    reader *r = NULL;
    char *chunk = NULL;
    size_t n = 0;
    int fd = -1;
    bool first = true;

    *odd = (xa__json_odd){0};
    XA_TRY(err, xa_open_regular(path, &fd, NULL, err));
    chunk = malloc(CHUNK);
    r = xa_alloc(1, sizeof *r);
    if (r) {
        *r = (reader){.fn = fn, .arg = arg, .err = err, .line = 1, .found = odd};
        r->h = yajl_alloc(&callbacks, NULL, r);
    }
    if (!chunk || !r || !r->h)
        XA_FAIL(err, XA_NOMEM, "no memory to read %s", path);
    for (bool more = true; more;) {
        XA_TRY(err, xa_read_fd(fd, path, chunk, CHUNK, &n, err));
        more = n == CHUNK;
        const size_t bom = first && n >= 3 && memcmp(chunk, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        first = false;
        if (!sift(r, chunk + bom, n - bom) || (!more && !complete(r))) {
            xa_err_prefix(err, "%s:%" PRId64, path, r->line);
            st = XA_ERR_PASS(err, r->status);
            goto done;
        }
    }
done:
    if (fd >= 0)
        close(fd);
    free(chunk);
    if (r) {
        if (r->h)
            yajl_free(r->h);
        xa_str_free(&r->text);
    }
    free(r);
    return st;
}
