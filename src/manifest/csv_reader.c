/* CSV rows by libcsv, which only this file uses. The file is read in chunks and split into physical
 * lines, so that line numbers are right inside quotes too; each line is given to the parser. A
 * malformed row is reported, and reading goes on with the next line. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <csv.h>

#include "manifest_internal.h"

enum { CHUNK = 1 << 20, ROW_BYTES_MAX = 1 << 20 };

typedef struct reader {
    struct csv_parser parser;
    bool parser_ready;
    unsigned char separator;
    xa_csv_fn *fn;
    void *arg;
    const char *path;
    xa_problems *problems;
    xa_err *err;
    xa_status status;

    xa_str text;    /* the row's cells, each with its NUL */
    size_t *starts; /* of the cells in text */
    size_t starts_cap;
    char **cells;
    size_t cells_cap;
    int64_t ncells; /* all are counted, and stored up to the limit */

    int64_t line;     /* the physical line being read */
    int64_t row_line; /* where the row began */
    size_t row_bytes;
    int64_t rows;   /* given to fn */
    bool row_ended; /* the parser saw the row's end */
    bool skipping;  /* the rest of this line belongs to a malformed row */
    bool after_cr;
    bool line_begun; /* bytes of this line have been read */
} reader;

static void clear_row(reader *r)
{
    r->text.len = 0;
    r->ncells = 0;
    r->row_bytes = 0;
}

static xa_status restart_parser(reader *r)
{
    if (r->parser_ready)
        csv_free(&r->parser);
    /* REPALL_NL: libcsv reports blank lines too, so that a row stays open only because of a quote.
     */
    r->parser_ready = csv_init(&r->parser, CSV_STRICT | CSV_REPALL_NL) == 0;
    if (!r->parser_ready)
        XA_RETURN_FAIL(r->err, XA_NOMEM, "the CSV library failed to start");
    csv_set_delim(&r->parser, r->separator);
    csv_set_blk_size(&r->parser, 4096);
    clear_row(r);
    return XA_OK;
}

/* Reports what is wrong with the row, and drops it. A malformed header ends the reading, since no
 * later line can be understood without it. */
static void malformed(reader *r, const char *text)
{
    xa_problems_add(r->problems, r->path, r->row_line, false, "%s", text);
    r->skipping = true;
    xa_status st = restart_parser(r);
    if (st == XA_OK && r->rows == 0)
        st = XA_ERR(r->err, XA_INVALID, "%s: malformed header", r->path);
    if (r->status == XA_OK)
        r->status = st;
}

static void take_cell(void *bytes, size_t len, void *arg)
{
    reader *r = arg;
    if (r->status != XA_OK)
        return;
    r->ncells++;
    if (r->ncells > XA__CELLS_MAX)
        return;
    r->status = xa_grow(&r->starts, &r->starts_cap, (size_t)r->ncells, sizeof *r->starts, r->err);
    if (r->status != XA_OK)
        return;
    r->starts[r->ncells - 1] = r->text.len;
    xa_str_add(&r->text, bytes, len);
    xa_str_add(&r->text, "", 1);
    if (r->text.failed)
        r->status = XA_ERR(r->err, XA_NOMEM, "out of memory for a line of %s", r->path);
}

static bool is_blank(const reader *r)
{
    /* The row is blank if its cells are their NUL bytes only. */
    return r->text.len == (size_t)r->ncells;
}

static void take_row(int end, void *arg)
{
    reader *r = arg;
    (void)end;
    r->row_ended = true;
    if (r->status != XA_OK)
        return;
    if (r->ncells > XA__CELLS_MAX) {
        xa_problems_add(r->problems,
                        r->path,
                        r->row_line,
                        false,
                        "expected at most %d columns, found %" PRId64,
                        (int)XA__CELLS_MAX,
                        r->ncells);
        if (r->rows == 0)
            r->status = XA_INVALID;
        return;
    }
    if (is_blank(r))
        return;
    if (!xa_str_is_utf8(r->text.data, r->text.len)) {
        xa_problems_add(r->problems,
                        r->path,
                        r->row_line,
                        false,
                        "the text is not UTF-8: save the file as UTF-8");
        if (r->rows == 0)
            r->status = XA_INVALID;
        return;
    }
    r->status = xa_grow(&r->cells, &r->cells_cap, (size_t)r->ncells, sizeof *r->cells, r->err);
    if (r->status != XA_OK)
        return;
    for (int64_t i = 0; i < r->ncells; i++)
        r->cells[i] = r->text.data + r->starts[i];
    const xa_csv_row row = {.cells = r->cells, .ncells = (int32_t)r->ncells, .line = r->row_line};
    r->rows++;
    r->status = r->fn(r->arg, &row, r->err);
}

static void report_quotes(reader *r)
{
    char text[256];
    if (!r->parser.quoted)
        snprintf(text,
                 sizeof text,
                 "a quote inside unquoted text: put the whole cell in quotes and double those "
                 "inside");
    else if (r->row_line < r->line)
        snprintf(text,
                 sizeof text,
                 "a quote opened here is closed on line %" PRId64
                 ", in the middle of a cell: is a quote "
                 "missing?",
                 r->line);
    else
        snprintf(text,
                 sizeof text,
                 "expected '%c' after the closing quote, found more text: double the quotes inside "
                 "quoted text",
                 r->separator);
    malformed(r, text);
}

static void feed(reader *r, const char *bytes, size_t len)
{
    if (r->skipping || r->status != XA_OK || len == 0)
        return;
    r->row_bytes += len;
    if (r->row_bytes > ROW_BYTES_MAX) {
        malformed(r, "the row that begins here is longer than 1 MiB: is a closing quote missing?");
        return;
    }
    if (memchr(bytes, '\0', len)) {
        malformed(r, "a NUL byte: the file must be text, saved as UTF-8");
        return;
    }
    const size_t done = csv_parse(&r->parser, bytes, len, take_cell, take_row, r);
    if (r->status != XA_OK || done == len)
        return;
    if (csv_error(&r->parser) == CSV_EPARSE)
        report_quotes(r);
    else
        r->status = XA_ERR(r->err,
                           XA_NOMEM,
                           "%s:%" PRId64 ": %s",
                           r->path,
                           r->line,
                           csv_strerror(csv_error(&r->parser)));
}

static void end_line(reader *r)
{
    r->row_ended = false;
    feed(r, "\n", 1);
    if (r->skipping || r->row_ended) {
        clear_row(r);
        r->row_line = r->line + 1;
        r->skipping = false;
    }
    r->line++;
    r->line_begun = false;
}

static void take_chunk(reader *r, const char *p, const char *end)
{
    while (p < end && r->status == XA_OK) {
        if (r->after_cr && *p == '\n') {
            r->after_cr = false;
            p++;
            continue;
        }
        r->after_cr = false;
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        const char *stop = lf ? lf : end;
        const char *cr = memchr(p, '\r', (size_t)(stop - p));
        if (cr)
            stop = cr;
        r->line_begun = true;
        feed(r, p, (size_t)(stop - p));
        if (stop == end)
            return;
        r->after_cr = *stop == '\r';
        end_line(r);
        p = stop + 1;
    }
}

/* ',' or ';': the one that is more frequent, outside of quotes, in the first line with text. */
static unsigned char find_separator(const char *p, const char *end)
{
    size_t commas = 0;
    size_t semicolons = 0;
    bool quoted = false;
    while (p < end && (*p == '\n' || *p == '\r' || *p == ' '))
        p++;
    for (; p < end && (quoted || (*p != '\n' && *p != '\r')); p++) {
        quoted = quoted != (*p == '"');
        commas += !quoted && *p == ',';
        semicolons += !quoted && *p == ';';
    }
    return semicolons > commas ? ';' : ',';
}

static xa_status begin(reader *r, const char **p, const char *end)
{
    if (end - *p >= 2 && (memcmp(*p, "\xff\xfe", 2) == 0 || memcmp(*p, "\xfe\xff", 2) == 0)) {
        xa_problems_add(
            r->problems, r->path, 0, false, "the file is UTF-16 text: save it as UTF-8");
        return XA_INVALID;
    }
    if (end - *p >= 3 && memcmp(*p, "\xef\xbb\xbf", 3) == 0)
        *p += 3;
    r->separator = find_separator(*p, end);
    return restart_parser(r);
}

xa_status xa_csv_read(const char *path,
                      xa_csv_fn *fn,
                      void *arg,
                      xa_problems *problems,
                      char hex[XA_SHA256_HEX],
                      xa_err *err)
{
    xa_status st = XA_OK;
    reader r = {.fn = fn,
                .arg = arg,
                .path = path,
                .problems = problems,
                .err = err,
                .line = 1,
                .row_line = 1};
    xa_sha256 *hash = NULL;
    char *chunk = NULL;
    size_t n = 0;
    bool first = true;
    int fd = -1;

    XA_TRY(err, xa_open_regular(path, &fd, NULL, err));
    XA_TRY(err, xa_sha256_create(&hash, err));
    chunk = malloc(CHUNK);
    if (!chunk)
        XA_FAIL(err, XA_NOMEM, "out of memory for %d bytes", (int)CHUNK);
    do {
        XA_TRY(err, xa_read_fd(fd, path, chunk, CHUNK, &n, err));
        xa_sha256_add(hash, chunk, n);
        const char *p = chunk;
        if (first)
            XA_TRY(err, begin(&r, &p, chunk + n));
        first = false;
        take_chunk(&r, p, chunk + n);
        XA_TRY(err, r.status);
    } while (n == CHUNK);
    if (r.line_begun)
        end_line(&r);
    XA_TRY(err, r.status);
    if (r.row_line < r.line) {
        malformed(&r, "the quote opened in the row that begins here is never closed");
        XA_TRY(err, r.status);
    }
    xa_sha256_hex(hash, hex);
    if (hex[0] == '\0')
        XA_FAIL(err, XA_IO, "%s: the crypto library failed to hash", path);
done:
    if (fd >= 0)
        close(fd);
    free(chunk);
    xa_sha256_free(hash);
    if (r.parser_ready)
        csv_free(&r.parser);
    xa_str_free(&r.text);
    free(r.starts);
    free(r.cells);
    return st;
}
