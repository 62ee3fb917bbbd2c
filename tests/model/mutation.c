/* Random changes of a text. */
#include "mutation.h"

#include <string.h>

#include "xaudit_cmocka.h"

size_t mutation_roll(mutation_dice *d, size_t n)
{
    return n ? (size_t)xa_random_below(77, d->stream, d->counter++, (int64_t)n) : 0;
}

static void splice(xa_str *s, size_t at, size_t remove, const char *bytes, size_t len)
{
    xa_str out = {0};
    xa_str_add(&out, s->data, at);
    xa_str_add(&out, bytes, len);
    xa_str_add(&out, s->data + at + remove, s->len - at - remove);
    assert_false(out.failed);
    xa_str_free(s);
    *s = out;
}

/* Where a value after a ':' or in a list begins, and its length: the JSON stays JSON. */
static bool a_value(const xa_str *s, mutation_dice *d, size_t *at, size_t *len)
{
    for (int tries = 0; tries < 20; tries++) {
        size_t i = mutation_roll(d, s->len);
        while (i < s->len && s->data[i] != ':' && s->data[i] != ',')
            i++;
        for (i++; i < s->len && s->data[i] == ' '; i++)
            ;
        if (i >= s->len)
            continue;
        size_t n = 0;
        int depth = 0;
        bool quoted = false;
        for (; i + n < s->len; n++) {
            const char c = s->data[i + n];
            if (c == '"')
                quoted = !quoted;
            else if (!quoted && (c == '[' || c == '{'))
                depth++;
            else if (!quoted && (c == ']' || c == '}') && --depth < 0)
                break;
            else if (!quoted && c == ',' && depth == 0)
                break;
        }
        *at = i;
        *len = n;
        return n > 0;
    }
    return false;
}

void mutation_of_text(xa_str *s, mutation_dice *d)
{
    static const char *const values[] = {"null",
                                         "true",
                                         "0",
                                         "1",
                                         "2",
                                         "3",
                                         "-1",
                                         "16777216",
                                         "65536",
                                         "9223372036854775807",
                                         "1e308",
                                         "[]",
                                         "{}",
                                         "[1,1]",
                                         "[2,2]",
                                         "[3,1]",
                                         "[null,8,8,3]",
                                         "\"\"",
                                         "\"same\"",
                                         "\"valid\"",
                                         "\"relu\"",
                                         "\"softmax\"",
                                         "\"Dense\"",
                                         "\"Conv2D\"",
                                         "\"Flatten\"",
                                         "\"Add\"",
                                         "\"MultiHeadAttention\"",
                                         "\"InputLayer\"",
                                         "\"Functional\"",
                                         "\"Sequential\"",
                                         "\"Lambda\"",
                                         "\"\\u0000\"",
                                         "\"\xff\""};
    size_t at, len, to, other;
    switch (mutation_roll(d, 8)) {
    case 0: /* any byte */
        s->data[mutation_roll(d, s->len)] = (char)mutation_roll(d, 256);
        break;
    case 1: /* bytes lost */
        at = mutation_roll(d, s->len);
        len = mutation_roll(d, 9);
        splice(s, at, len < s->len - at ? len : s->len - at, "", 0);
        break;
    case 2: /* a digit */
        for (int tries = 0; tries < 200; tries++) {
            at = mutation_roll(d, s->len);
            if (s->data[at] >= '0' && s->data[at] <= '9') {
                s->data[at] = (char)('0' + mutation_roll(d, 10));
                break;
            }
        }
        break;
    case 3: /* one value in another's place */
        if (a_value(s, d, &at, &len) && a_value(s, d, &to, &other)) {
            xa_str copy = {0}; /* there may be NUL bytes in it */
            xa_str_add(&copy, s->data + at, len);
            assert_false(copy.failed);
            splice(s, to, other, copy.data, len);
            xa_str_free(&copy);
        }
        break;
    default: /* a value that means something elsewhere */
        if (a_value(s, d, &at, &len)) {
            const char *v = values[mutation_roll(d, sizeof values / sizeof *values)];
            splice(s, at, len, v, strlen(v));
        }
    }
}
