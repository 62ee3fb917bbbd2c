/* CSV rows: cells, line numbers, malformed text. */
#include "manifest_internal.h"
#include "manifest_reading.h"

/* Rows as text: "line:[cell][cell]\n". */
static xa_status collect(void *arg, const xa_csv_row *row, xa_err *err)
{
    (void)err;
    xa_str *s = arg;
    xa_str_printf(s, "%lld:", (long long)row->line);
    for (int32_t i = 0; i < row->ncells; i++)
        xa_str_printf(s, "[%s]", row->cells[i]);
    xa_str_puts(s, "\n");
    return XA_OK;
}

static xa_status read_csv(const char *bytes, size_t size, xa_str *rows, xa_problems *p)
{
    char path[64];
    char hex[XA_SHA256_HEX] = "";
    char expected[XA_SHA256_HEX];
    write_temporary(path, bytes, size);
    xa_str_puts(rows, "");
    const xa_status st = xa_csv_read(path, collect, rows, p, hex, NULL);
    unlink(path);
    if (st == XA_OK) {
        assert_int_equal(xa_sha256_bytes(bytes, size, expected, NULL), XA_OK);
        assert_string_equal(hex, expected);
    }
    return st;
}

static void expect_rows(const char *text, const char *expected)
{
    xa_str rows = {0};
    xa_problems p = {0};
    assert_int_equal(read_csv(text, strlen(text), &rows, &p), XA_OK);
    assert_int_equal(p.count, 0);
    assert_string_equal(rows.data, expected);
    xa_str_free(&rows);
    xa_problems_fini(&p);
}

static void test_rows(void **state)
{
    (void)state;
    expect_rows("", "");
    expect_rows("\n\n", "");
    expect_rows("a,b\n1,2\n", "1:[a][b]\n2:[1][2]\n");
    expect_rows("a,b\n1,2", "1:[a][b]\n2:[1][2]\n");
    expect_rows("\xef\xbb\xbf"
                "a,b\r\n1,2\r\n",
                "1:[a][b]\n2:[1][2]\n");
    expect_rows("a;b\n1;2,5\n", "1:[a][b]\n2:[1][2,5]\n");
    expect_rows("a,\"b;c;d\"\n1,2\n", "1:[a][b;c;d]\n2:[1][2]\n");
    expect_rows("a,b\r1,2\r3,4", "1:[a][b]\n2:[1][2]\n3:[3][4]\n"); /* CR alone */
    expect_rows("a,b\n\n\r\n  \n1,2\n", "1:[a][b]\n5:[1][2]\n");
    expect_rows("a,b\n,\n\"\",\"\"\n1,2\n", "1:[a][b]\n4:[1][2]\n"); /* nothing in them */
    expect_rows(" a , b\t\n\" 1 \",  2 3 \n", "1:[a][b]\n2:[ 1 ][2 3]\n");
    expect_rows("a,b\n,2\n1,\n", "1:[a][b]\n2:[][2]\n3:[1][]\n");
    expect_rows("a\n\"x \"\"y\"\" z\"\n", "1:[a]\n2:[x \"y\" z]\n");
    /* Quoted line ends are text, become '\n', and are counted. */
    expect_rows("a,b\n\"1\r\n1\",2\n3,4\n", "1:[a][b]\n2:[1\n1][2]\n4:[3][4]\n");
    expect_rows("a,b\n\"1\n\n\n1\",2\n\n3,4\n", "1:[a][b]\n2:[1\n\n\n1][2]\n7:[3][4]\n");
}

static void expect_mistakes(const char *bytes,
                            size_t size,
                            xa_status st,
                            const char *expected,
                            int64_t line,
                            const char *words)
{
    xa_str rows = {0};
    xa_problems p = {0};
    assert_int_equal(read_csv(bytes, size, &rows, &p), st);
    assert_string_equal(rows.data, expected);
    if (p.count != 1 || !has_problem(&p, line, false, words)) {
        show_problems(&p);
        fail_msg("expected %lld: %s", (long long)line, words);
    }
    xa_str_free(&rows);
    xa_problems_fini(&p);
}

static void test_malformed(void **state)
{
    (void)state;
#define MISTAKE(bytes, ...) expect_mistakes(bytes, sizeof bytes - 1, XA_OK, __VA_ARGS__)
    MISTAKE("a,b\n1,x\"y\"\n3,4\n",
            "1:[a][b]\n3:[3][4]\n",
            2,
            "a quote inside unquoted text: put the whole cell in quotes and double those inside");
    MISTAKE("a,b\n\"1\"x,2\n3,4\n",
            "1:[a][b]\n3:[3][4]\n",
            2,
            "expected ',' after the closing quote, found more text: double the quotes inside "
            "quoted text");
    MISTAKE("a;b\n\"1\"x;2\n3;4\n",
            "1:[a][b]\n3:[3][4]\n",
            2,
            "expected ';' after the closing quote, found more text: double the quotes inside "
            "quoted text");
    MISTAKE("a,b\n\"1,2\n3,4\n\"5\",6\n7,8\n",
            "1:[a][b]\n5:[7][8]\n",
            2,
            "a quote opened here is closed on line 4, in the middle of a cell: is a quote "
            "missing?");
    MISTAKE("a,b\n1,2\n\"3,4\n5,6\n",
            "1:[a][b]\n2:[1][2]\n",
            3,
            "the quote opened in the row that begins here is never closed");
    MISTAKE("a,b\n1,2\n3,\"4",
            "1:[a][b]\n2:[1][2]\n",
            3,
            "the quote opened in the row that begins here is never closed");
    MISTAKE("a,b\n1,2\0\n3,4\n",
            "1:[a][b]\n3:[3][4]\n",
            2,
            "a NUL byte: the file must be text, saved as UTF-8");
    MISTAKE("a,b\n1,\xe9\n3,4\n",
            "1:[a][b]\n3:[3][4]\n",
            2,
            "the text is not UTF-8: save the file as UTF-8");
    /* A cell cut in the middle of a character is not made whole by the next one. */
    MISTAKE("a,b\n\xc3,\xa9\n3,4\n",
            "1:[a][b]\n3:[3][4]\n",
            2,
            "the text is not UTF-8: save the file as UTF-8");
#undef MISTAKE
#define MISTAKE(bytes, ...) expect_mistakes(bytes, sizeof bytes - 1, XA_INVALID, __VA_ARGS__)
    MISTAKE("\xff\xfe"
            "a\0,\0b\0",
            "",
            0,
            "the file is UTF-16 text: save it as UTF-8");
    MISTAKE("a,b\0\n1,2\n", "", 1, "a NUL byte: the file must be text, saved as UTF-8");
    MISTAKE("a,b\xe9\n1,2\n", "", 1, "the text is not UTF-8: save the file as UTF-8");
    MISTAKE("\"a,b\n1,2\n", "", 1, "the quote opened in the row that begins here is never closed");
#undef MISTAKE
}

/* A quote left open must not swallow a large file into memory. */
static void test_runaway_quote(void **state)
{
    (void)state;
    xa_str text = {0};
    xa_str rows = {0};
    xa_problems p = {0};
    xa_str_puts(&text, "a,b\n\"1,2\n");
    for (int i = 0; i < 400000; i++)
        xa_str_puts(&text, "1234,567\n");
    assert_int_equal(read_csv(text.data, text.len, &rows, &p), XA_OK);
    assert_int_equal(p.errors, 1);
    assert_int_equal(p.items[0].line, 2);
    assert_string_equal(
        p.items[0].text,
        "the row that begins here is longer than 1 MiB: is a closing quote missing?");
    assert_true(xa_str_ends(rows.data, "400002:[1234][567]\n"));
    xa_str_free(&text);
    xa_str_free(&rows);
    xa_problems_fini(&p);
}

static void test_many_cells(void **state)
{
    (void)state;
    xa_str text = {0};
    xa_str rows = {0};
    xa_problems p = {0};
    xa_str_puts(&text, "a,b\n");
    for (int i = 0; i < XA__CELLS_MAX; i++)
        xa_str_puts(&text, "x,");
    xa_str_puts(&text, "x\n1,2\n");
    assert_int_equal(read_csv(text.data, text.len, &rows, &p), XA_OK);
    assert_true(has_problem(&p, 2, false, "expected at most 4096 columns, found 4097"));
    assert_string_equal(rows.data, "1:[a][b]\n3:[1][2]\n");
    xa_str_free(&text);
    xa_str_free(&rows);
    xa_problems_fini(&p);
}

/* Chunks end anywhere: in a CRLF, a quote, a character. The file is longer than a chunk by enough
 * rows of a length that shifts each chunk's end; what is read must be what was written. */
static void test_chunk_borders(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 24; shift++) {
        xa_str text = {0};
        xa_str expected = {0};
        xa_str rows = {0};
        xa_problems p = {0};
        xa_str_puts(&text, "a,b\r\n");
        xa_str_puts(&expected, "1:[a][b]\n");
        int64_t line = 2;
        /* One long line so that the border, at 2^20 bytes, falls into the rows after it. */
        const size_t long_line = (1 << 20) - 500 - shift - text.len;
        for (size_t i = 0; i < long_line; i += 100)
            xa_str_printf(&text,
                          "%.*s",
                          (int)(long_line - i < 100 ? long_line - i : 100),
                          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        xa_str_add(&expected, "2:[", 3);
        xa_str_add(&expected, text.data + 5, long_line);
        xa_str_puts(&expected, "][1]\n");
        xa_str_puts(&text, ",1\r\n");
        line++;
        for (int i = 0; i < 100; i++) {
            xa_str_puts(&text, "\"\xc3\xa9\r\n\"\"\",\r\n");
            xa_str_printf(&expected, "%lld:[\xc3\xa9\n\"][]\n", (long long)line);
            line += 2;
        }
        assert_true(text.len > 1 << 20);
        assert_int_equal(read_csv(text.data, text.len, &rows, &p), XA_OK);
        assert_int_equal(p.count, 0);
        assert_int_equal(rows.len, expected.len);
        assert_memory_equal(rows.data, expected.data, rows.len);
        xa_str_free(&text);
        xa_str_free(&expected);
        xa_str_free(&rows);
        xa_problems_fini(&p);
    }
}

static xa_status stop(void *arg, const xa_csv_row *row, xa_err *err)
{
    int *calls = arg;
    (void)row;
    ++*calls;
    XA_RETURN_FAIL(err, XA_NOSPACE, "enough");
}

static void test_stop(void **state)
{
    (void)state;
    char path[64];
    char hex[XA_SHA256_HEX];
    int calls = 0;
    xa_problems p = {0};
    xa_err err = XA_ERR_INIT;
    write_temporary(path, "a\nb\nc\n", 6);
    assert_int_equal(xa_csv_read(path, stop, &calls, &p, hex, &err), XA_NOSPACE);
    assert_int_equal(calls, 1);
    assert_string_equal(err.message, "enough");
    unlink(path);
    assert_int_equal(xa_csv_read(path, stop, &calls, &p, hex, &err), XA_NOT_FOUND);
    assert_int_equal(xa_csv_read("/tmp", stop, &calls, &p, hex, &err), XA_IO);
    xa_problems_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_runaway_quote),
        cmocka_unit_test(test_many_cells),
        cmocka_unit_test(test_chunk_borders),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
