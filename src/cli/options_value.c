/* One value of an option: its bounds, units and choices. */
#include <stdlib.h>
#include <string.h>

#include "options.h"

void xa__option_expected(const xa_option *o, char *out, size_t size)
{
    switch (o->kind) {
    case XA_OPTION_INTEGER:
        if (o->low <= -XA_OPTION_OPEN)
            snprintf(out, size, "a whole number");
        else if (o->high >= XA_OPTION_OPEN)
            snprintf(out, size, "a whole number of at least %.0f", o->low);
        else
            snprintf(out, size, "a whole number from %.0f to %.0f", o->low, o->high);
        break;
    case XA_OPTION_NUMBER:
        snprintf(out, size, "a number from %g to %g", o->low, o->high);
        break;
    case XA_OPTION_LENGTH:
        snprintf(out, size, "%g to %g mm, as 90, 90mm, 9cm or 3.5in", o->low, o->high);
        break;
    case XA_OPTION_POINTS:
        snprintf(out, size, "%g to %g pt, as 7 or 7pt", o->low, o->high);
        break;
    case XA_OPTION_PIECE:
        snprintf(out, size, "I/N, as 1/4 to 4/4");
        break;
    case XA_OPTION_CHOICE: {
        size_t n = 0;
        for (const char *c = o->choices; *c && n + 3 < size; c++)
            if (*c == '|') {
                out[n++] = ',';
                out[n++] = ' ';
            } else {
                out[n++] = *c;
            }
        out[n] = '\0';
        break;
    }
    default:
        snprintf(out, size, "some text");
    }
}

/* I/N */
static bool read_piece(const char *text, double most, xa_arg *out)
{
    const char *stroke = strchr(text, '/');
    char *first = stroke ? xa_strndup(text, (size_t)(stroke - text)) : NULL;
    const bool ok = first && xa_parse_i64(first, &out->integer) &&
                    xa_parse_i64(stroke + 1, &out->of) && out->integer >= 1 &&
                    out->integer <= out->of && (double)out->of <= most;
    free(first);
    return ok;
}

/* A number with an optional unit behind it. */
static bool read_measure(const xa_option *o, const char *text, double *out)
{
    static const struct {
        xa_option_kind kind;
        const char *unit;
        double by;
    } units[] = {{XA_OPTION_LENGTH, "mm", 1.0},
                 {XA_OPTION_LENGTH, "cm", 10.0},
                 {XA_OPTION_LENGTH, "in", 25.4},
                 {XA_OPTION_POINTS, "pt", 1.0}};
    char number[32] = "";
    double by = 1.0, v;
    size_t n = strlen(text);
    for (size_t k = 0; k < sizeof units / sizeof *units; k++)
        if (units[k].kind == o->kind && n > 2 && xa_str_ends(text, units[k].unit)) {
            by = units[k].by;
            n -= 2;
            break;
        }
    if (n >= sizeof number)
        return false;
    memcpy(number, text, n);
    if (!xa_parse_f64(number, &v) || !(v * by >= o->low && v * by <= o->high))
        return false;
    *out = v * by;
    return true;
}

bool xa__option_read(const xa_option *o, const char *text, xa_arg *out)
{
    out->text = text;
    switch (o->kind) {
    case XA_OPTION_INTEGER:
        return xa_parse_i64(text, &out->integer) && (double)out->integer >= o->low &&
               (double)out->integer <= o->high;
    case XA_OPTION_NUMBER:
        return xa_parse_f64(text, &out->number) && out->number >= o->low && out->number <= o->high;
    case XA_OPTION_CHOICE:
        out->integer = xa__option_choice(o, text);
        return out->integer >= 0;
    case XA_OPTION_LENGTH:
    case XA_OPTION_POINTS:
        return read_measure(o, text, &out->number);
    case XA_OPTION_PIECE:
        return read_piece(text, o->high, out);
    default:
        return *text != '\0';
    }
}
