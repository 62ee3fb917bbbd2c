/* Numbers from text: the whole text must be a number, in any locale. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/util.h"

bool xa_parse_i64(const char *text, int64_t *out)
{
    if (!text)
        return false;
    const char *p = text;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    if (*p == '\0')
        return false;
    /* The value is built as a negative number, since the smallest one has no positive counterpart.
     */
    int64_t v = 0;
    for (; *p != '\0'; p++) {
        if (*p < '0' || *p > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, *p - '0', &v))
            return false;
    }
    if (!negative && __builtin_sub_overflow((int64_t)0, v, &v))
        return false;
    *out = v;
    return true;
}

bool xa_parse_f64(const char *text, double *out)
{
    if (!text)
        return false;
    /* strtod alone would also accept spaces, hexadecimal, "inf" and "nan". */
    size_t n = strspn(text, "0123456789+-.eE");
    if (n == 0 || text[n] != '\0' || text[0] == 'e' || text[0] == 'E')
        return false;
    /* The C library has the C locale as a static object, so that this allocates nothing. */
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0)
        return false;
    char *end = NULL;
    double v = strtod_l(text, &end, c);
    freelocale(c);
    if (end != text + n || !isfinite(v))
        return false;
    *out = v;
    return true;
}
