/* Text and numbers of tables. */
#include "xaudit/print.h"

#include <math.h>
#include <string.h>

#include "xaudit/util.h"

const char *xa_shown(const char *text, char *buf, size_t size)
{
    xa_str_sanitise(text ? text : "", buf, size);
    return buf;
}

void xa_put_padded(FILE *out, const char *text, int64_t columns)
{
    char clean[1024], cell[1024];
    xa_str_sanitise(text ? text : "", clean, sizeof clean);
    xa_str_pad(clean, columns < 120 ? columns : 120, cell, sizeof cell);
    fputs(cell, out);
}

void xa_put_whole(FILE *out, const char *text, int64_t columns)
{
    char clean[1024];
    xa_str_sanitise(text ? text : "", clean, sizeof clean);
    fputs(clean, out);
    for (int64_t at = xa_str_columns(clean); at < columns; at++)
        fputc(' ', out);
}

void xa_put_wrapped(FILE *out, const char *text, int from, int at)
{
    bool first = true;
    while (*text) {
        const int n = (int)strcspn(text, " ");
        if (!first && at + 1 + n > XA_PRINT_COLUMNS) {
            fprintf(out, "\n%*s", from, "");
            at = from;
            first = true;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", n, text);
        at += n + (first ? 0 : 1);
        first = false;
        text += n + (text[n] == ' ');
    }
    fputc('\n', out);
}

const char *xa_score_text(double v, bool sign, char room[24])
{
    const double a = fabs(v);
    const bool far = a >= 1e5 || (a > 0.0 && a < 5e-5);
    snprintf(room, 24, far ? (sign ? "%+7.0e" : "%6.0e") : sign ? "%+7.4f" : "%6.4f", v);
    return room;
}

void xa_csv_text(FILE *out, const char *text)
{
    const bool quote = strpbrk(text, ",\"\r\n") != NULL;
    if (quote)
        fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    if (quote)
        fputc('"', out);
}

void xa_csv_number(FILE *out, double v)
{
    if (isfinite(v))
        fprintf(out, "%.9g", v);
}
