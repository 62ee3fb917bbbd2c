/* Text for people: safe and aligned for a terminal, and the name that they may have meant. */
#include <string.h>

#include "xaudit/util.h"

/* The length of the UTF-8 sequence at p, and its code point; 0 if it is not valid. The input ends
 * with a NUL, which is no continuation byte, so that a truncated sequence ends there. */
static size_t decode_utf8(const unsigned char *p, uint32_t *code)
{
    size_t n;
    uint32_t c;
    uint32_t least;
    if (p[0] < 0x80) {
        *code = p[0];
        return 1;
    }
    if ((p[0] & 0xe0) == 0xc0) {
        n = 2, c = p[0] & 0x1f, least = 0x80;
    } else if ((p[0] & 0xf0) == 0xe0) {
        n = 3, c = p[0] & 0x0f, least = 0x800;
    } else if ((p[0] & 0xf8) == 0xf0) {
        n = 4, c = p[0] & 0x07, least = 0x10000;
    } else {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *code = c;
    return n;
}

bool xa_str_is_utf8(const char *bytes, size_t len)
{
    size_t i = 0;
    while (i < len) {
        uint64_t word;
        if (len - i >= sizeof word) {
            memcpy(&word, bytes + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof word;
                continue;
            }
        }
        /* A copy that ends with a NUL, where a truncated sequence must end. */
        unsigned char next[5] = {0};
        uint32_t code;
        memcpy(next, bytes + i, len - i < 4 ? len - i : 4);
        const size_t n = decode_utf8(next, &code);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

/* Control characters, line separators, and the marks that reorder what a terminal shows. */
static bool is_unprintable(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void xa_str_sanitise(const char *text, char *dst, size_t size)
{
    if (size == 0)
        return;
    const unsigned char *p = (const unsigned char *)(text ? text : "");
    size_t used = 0;
    while (*p != '\0') {
        uint32_t code = 0;
        size_t n = decode_utf8(p, &code);
        bool keep = n > 0 && !is_unprintable(code);
        size_t width = keep ? n : 1;
        if (width >= size - used)
            break; /* a character is not cut */
        if (keep)
            memcpy(dst + used, p, n);
        else
            dst[used] = '?';
        used += width;
        p += n > 0 ? n : 1;
    }
    dst[used] = '\0';
}

static const char *entity_of(uint32_t code)
{
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void xa_str_utf8(xa_str *s, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)(text ? text : ""); *p;) {
        uint32_t code;
        const size_t n = decode_utf8(p, &code);
        xa_str_add(s, n > 0 ? (const char *)p : "?", n > 0 ? n : 1);
        p += n > 0 ? n : 1;
    }
}

void xa_str_markup(xa_str *s, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)(text ? text : ""); *p;) {
        uint32_t code = 0;
        const size_t n = decode_utf8(p, &code);
        const char *entity = entity_of(code);
        if (entity)
            xa_str_puts(s, entity);
        else if (n > 0 && (!is_unprintable(code) || code == '\t' || code == '\n'))
            xa_str_add(s, (const char *)p, n);
        else
            xa_str_add(s, "?", 1);
        p += n > 0 ? n : 1;
    }
}

/* By ranges: Unicode's East_Asian_Width W and F and the emoji take two columns, combining marks and
 * joiners none. */
static int columns_of(uint32_t c)
{
    static const struct {
        uint32_t first, last;
        int columns;
    } ranges[] = {
        {0x0300, 0x036f, 0},   {0x0483, 0x0489, 0},   {0x0591, 0x05bd, 0},   {0x0610, 0x061a, 0},
        {0x064b, 0x065f, 0},   {0x1100, 0x115f, 2},   {0x1ab0, 0x1aff, 0},   {0x1dc0, 0x1dff, 0},
        {0x200b, 0x200d, 0},   {0x20d0, 0x20ff, 0},   {0x2e80, 0x303e, 2},   {0x3041, 0x4dbf, 2},
        {0x4e00, 0xa4cf, 2},   {0xa960, 0xa97c, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},
        {0xfe00, 0xfe0f, 0},   {0xfe20, 0xfe2f, 0},   {0xfe30, 0xfe6f, 2},   {0xff01, 0xff60, 2},
        {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1f9ff, 2},
        {0x20000, 0x3fffd, 2}, {0xe0100, 0xe01ef, 0}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges && ranges[i].first <= c; i++)
        if (c <= ranges[i].last)
            return ranges[i].columns;
    return 1;
}

/* The next character, its bytes and its columns. */
static size_t next_character(const char *text, int *columns)
{
    uint32_t code = 0;
    const size_t n = decode_utf8((const unsigned char *)text, &code);
    *columns = n > 0 ? columns_of(code) : 1;
    return n > 0 ? n : 1;
}

int64_t xa_str_columns(const char *text)
{
    int64_t sum = 0;
    for (int columns; text && *text; sum += columns)
        text += next_character(text, &columns);
    return sum;
}

void xa_str_pad(const char *text, int64_t columns, char *dst, size_t size)
{
    size_t used = 0;
    int64_t taken = 0;
    if (size == 0)
        return;
    while (text && *text) {
        int more;
        const size_t n = next_character(text, &more);
        if (taken + more > columns || n >= size - used)
            break;
        memcpy(dst + used, text, n);
        used += n;
        taken += more;
        text += n;
    }
    for (; taken < columns && used + 1 < size; taken++)
        dst[used++] = ' ';
    dst[used] = '\0';
}

enum { NAME_MAX_LEN = 128 };

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* The optimal string alignment distance, whatever the case of letters. It is exact up to `most`;
 * larger distances give some number above `most`. Only the diagonal band that a distance of `most`
 * can reach is filled. Both lengths are at most NAME_MAX_LEN and differ by at most `most`. */
static size_t edit_distance(const char *a, size_t na, const char *b, size_t nb, size_t most)
{
    enum { FAR = 1 << 20 };
    size_t rows[3][NAME_MAX_LEN + 2];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *now = rows[2];
    for (size_t j = 0; j <= nb; j++)
        last[j] = j;
    for (size_t i = 1; i <= na; i++) {
        const unsigned char ca = lower((unsigned char)a[i - 1]);
        const size_t low = i > most + 1 ? i - most : 1;
        const size_t high = i + most < nb ? i + most : nb;
        now[low - 1] = low == 1 ? i : FAR;
        for (size_t j = low; j <= high; j++) {
            const unsigned char cb = lower((unsigned char)b[j - 1]);
            size_t d = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (ca != cb ? 1 : 0));
            if (i > 1 && j > 1 && ca == lower((unsigned char)b[j - 2]) &&
                lower((unsigned char)a[i - 2]) == cb && before[j - 2] + 1 < d)
                d = before[j - 2] + 1;
            now[j] = d;
        }
        now[high + 1] = FAR;
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[nb];
}

const char *xa_nearest(const char *text, const char *const *names, size_t n)
{
    if (!text || !names)
        return NULL;
    size_t len = strlen(text);
    if (len == 0 || len > NAME_MAX_LEN)
        return NULL;
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        size_t m = names[i] ? strlen(names[i]) : 0;
        if (m == 0 || m > NAME_MAX_LEN)
            continue;
        size_t longer = len > m ? len : m;
        size_t allowed = longer / 3 > 1 ? longer / 3 : 1;
        if (allowed >= longer)
            allowed = longer - 1; /* at least one letter must agree */
        if (best_distance == 0)
            break;
        if (allowed >= best_distance)
            allowed = best_distance - 1; /* from now on only a nearer name counts */
        if (longer - (len < m ? len : m) > allowed)
            continue;
        const size_t d = edit_distance(text, len, names[i], m, allowed);
        if (d <= allowed) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}
