/* The annotation columns of one row. */
#include <string.h>

#include "manifest_internal.h"

enum { MASK_VALUE_MAX = XA_MASK_VALUES - 1 };
static const double COORDINATE_MAX = 1e9;

static const struct {
    const char *name;
    uint8_t bit;
} flag_words[] = {
    {"difficult", XA_ANNOTATION_DIFFICULT},
    {"crowd", XA_ANNOTATION_CROWD},
    {"truncated", XA_ANNOTATION_TRUNCATED},
    {"occluded", XA_ANNOTATION_OCCLUDED},
};
enum { FLAG_WORDS = sizeof flag_words / sizeof *flag_words };

static bool parse_flag(const char *word, size_t len, uint8_t *flags)
{
    for (int i = 0; i < FLAG_WORDS; i++)
        if (strlen(flag_words[i].name) == len && memcmp(word, flag_words[i].name, len) == 0) {
            *flags = (uint8_t)(*flags | flag_words[i].bit);
            return true;
        }
    return false;
}

static void report_flag(xa__reporter *t, int64_t line, const char *word, size_t len)
{
    const char *names[FLAG_WORDS];
    char text[64];
    char shown[XA_SHOWN];
    const size_t n = len < sizeof text - 1 ? len : sizeof text - 1;
    memcpy(text, word, n);
    text[n] = '\0';
    for (int i = 0; i < FLAG_WORDS; i++)
        names[i] = flag_words[i].name;
    const char *near = xa_nearest(text, names, FLAG_WORDS);
    xa_problems_add(t->problems,
                    t->file,
                    line,
                    false,
                    "flags: expected difficult, crowd, truncated or occluded (several as a|b), "
                    "found \"%s\"%s%s%s",
                    xa_show(text, shown),
                    near ? "; did you mean \"" : "",
                    near ? near : "",
                    near ? "\"?" : "");
}

static bool parse_flags(const char *text, int64_t line, xa__reporter *t, uint8_t *flags)
{
    bool good = true;
    *flags = 0;
    if (text[0] == '\0')
        return true;
    for (const char *p = text;; p++) {
        size_t len = strcspn(p, "|");
        const char *next = p + len;
        while (len > 0 && *p == ' ')
            p++, len--;
        while (len > 0 && p[len - 1] == ' ')
            len--;
        if (!parse_flag(p, len, flags)) {
            report_flag(t, line, p, len);
            good = false;
        }
        if (*next == '\0')
            return good;
        p = next;
    }
}

static const int coordinate_columns[4] = {
    XA__COLUMN_x0, XA__COLUMN_y0, XA__COLUMN_x1, XA__COLUMN_y1};
static const char *const coordinate_names[4] = {"x0", "y0", "x1", "y1"};

static bool
parse_coordinate(const char *name, const char *text, int64_t line, xa__reporter *t, double *v)
{
    char shown[XA_SHOWN];
    if (text[0] == '\0') {
        xa_problems_add(
            t->problems, t->file, line, false, "%s is blank: a box needs x0, y0, x1 and y1", name);
        return false;
    }
    if (!xa_parse_f64(text, v)) {
        xa_problems_add(t->problems,
                        t->file,
                        line,
                        false,
                        "%s: expected a finite number, found \"%s\"%s",
                        name,
                        xa_show(text, shown),
                        strchr(text, ',') ? " (decimals are written with a point)" : "");
        return false;
    }
    if (*v > COORDINATE_MAX || *v < -COORDINATE_MAX) {
        xa_problems_add(t->problems,
                        t->file,
                        line,
                        false,
                        "%s: expected a pixel coordinate, found %s",
                        name,
                        xa_show(text, shown));
        return false;
    }
    return true;
}

static bool
parse_box(const xa__columns *c, const xa_csv_row *row, xa__reporter *t, xa_annotation *a)
{
    double v[4];
    const char *text[4];
    bool good = true;
    for (int i = 0; i < 4; i++) {
        text[i] = xa__cell(c, row, coordinate_columns[i]);
        good &= parse_coordinate(coordinate_names[i], text[i], row->line, t, &v[i]);
    }
    if (!good)
        return false;
    for (int i = 0; i < 2; i++) {
        char low[XA_SHOWN];
        char high[XA_SHOWN];
        if (!(v[i + 2] > v[i])) {
            xa_problems_add(t->problems,
                            t->file,
                            row->line,
                            false,
                            "%s (%s) must be larger than %s (%s)",
                            coordinate_names[i + 2],
                            xa_show(text[i + 2], high),
                            coordinate_names[i],
                            xa_show(text[i], low));
            good = false;
        } else if (!(v[i + 2] > 0.0)) {
            xa_problems_add(t->problems,
                            t->file,
                            row->line,
                            false,
                            "%s (%s) must be larger than 0: the box lies outside every image",
                            coordinate_names[i + 2],
                            xa_show(text[i + 2], high));
            good = false;
        }
    }
    a->x0 = v[0];
    a->y0 = v[1];
    a->x1 = v[2];
    a->y1 = v[3];
    return good;
}

/* Reads "file.png#3" or "file.png#>3"; *len is the length of the file's name. A '#' that is not
 * followed by digits alone, or by '>' and digits, belongs to the name. */
static bool parse_value(
    const char *column, const char *text, int64_t line, xa__reporter *t, int32_t *out, size_t *len)
{
    const char *hash = strrchr(text, '#');
    char shown[XA_SHOWN];
    int64_t value = -1;
    *len = strlen(text);
    *out = XA_MASK_ANY;
    const bool above = hash && hash[1] == '>';
    const char *digits = hash ? hash + 1 + above : "";
    if (digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits))
        return true;
    if (hash == text || !xa_parse_i64(digits, &value) || value > MASK_VALUE_MAX) {
        xa_problems_add(t->problems,
                        t->file,
                        line,
                        false,
                        "%s: expected FILE#VALUE or FILE#>VALUE with a value from 0 to %d, found "
                        "\"%s\"",
                        column,
                        (int)MASK_VALUE_MAX,
                        xa_show(text, shown));
        return false;
    }
    *out = (int32_t)value + (above ? XA_MASK_VALUES : 0);
    *len = (size_t)(hash - text);
    return true;
}

static bool
parse_mask(const char *text, int64_t line, xa__reporter *t, xa_annotation *a, size_t *len)
{
    if (text[0] == '\0') {
        xa_problems_add(
            t->problems, t->file, line, false, "mask is blank: kind mask needs the mask's file");
        return false;
    }
    return parse_value("mask", text, line, t, &a->mask_value, len);
}

/* The kind that is written, or that the other columns imply: 0 for none, -1 after a mistake
 * (reported). */
static int find_kind(const char *kind, bool box, bool mask, int64_t line, xa__reporter *t)
{
    static const char *const kinds[] = {"box", "mask", "none"};
    const char *found = NULL;
    char shown[XA_SHOWN];
    if (kind[0] == '\0' && box && mask) {
        xa_problems_add(
            t->problems,
            t->file,
            line,
            false,
            "coordinates and a mask in one line: give each its own line with the same id");
        return -1;
    }
    if (kind[0] == '\0')
        return box ? XA_ANNOTATION_BOX : mask ? XA_ANNOTATION_MASK : 0;
    if (strcmp(kind, "box") == 0) {
        found = mask ? "a mask" : NULL;
    } else if (strcmp(kind, "mask") == 0) {
        found = box ? "coordinates" : NULL;
    } else if (strcmp(kind, "none") == 0) {
        found = box ? "coordinates" : mask ? "a mask" : NULL;
    } else {
        const char *near = xa_nearest(kind, kinds, 3);
        xa_problems_add(t->problems,
                        t->file,
                        line,
                        false,
                        "kind: expected box, mask, none or blank, found \"%s\"%s%s%s",
                        xa_show(kind, shown),
                        near ? "; did you mean \"" : "",
                        near ? near : "",
                        near ? "\"?" : "");
        return -1;
    }
    if (found) {
        xa_problems_add(t->problems,
                        t->file,
                        line,
                        false,
                        "kind is %s, but the line has %s: leave one of them out",
                        kind,
                        found);
        return -1;
    }
    return strcmp(kind, "box") == 0 ? XA_ANNOTATION_BOX
                                    : (strcmp(kind, "mask") == 0 ? XA_ANNOTATION_MASK : 0);
}

/* Columns that mean something only with a box or a mask; reported once, since whole files may fill
 * them. */
static void warn_unused(const xa__columns *c, const xa_csv_row *row, xa__reporter *t)
{
    static const struct {
        int column;
        const char *name;
        const char *hint;
    } unused[] = {
        {XA__COLUMN_class, "class", " (the image's own class is the column label)"},
        {XA__COLUMN_flags, "flags", ""},
        {XA__COLUMN_ignore_mask, "ignore_mask", ""},
    };
    for (size_t i = 0; i < sizeof unused / sizeof *unused; i++)
        if (xa__cell(c, row, unused[i].column)[0] != '\0' && xa__reporter_first(t, unused[i].name))
            xa_problems_add(t->problems,
                            t->file,
                            row->line,
                            true,
                            "%s is given without a box or mask and is not used%s",
                            unused[i].name,
                            unused[i].hint);
}

bool xa__annotation_parse(const xa__columns *c,
                          const xa_csv_row *row,
                          xa__reporter *t,
                          bool *present,
                          xa_annotation *a,
                          const char **mask,
                          size_t *mask_len,
                          const char **ignore_mask,
                          size_t *ignore_len)
{
    bool box = false;
    for (int i = 0; i < 4; i++)
        box |= xa__cell(c, row, coordinate_columns[i])[0] != '\0';
    *a = (xa_annotation){.class_index = -1, .mask_value = XA_MASK_ANY, .ignore_value = XA_MASK_ANY};
    *mask = xa__cell(c, row, XA__COLUMN_mask);
    *mask_len = 0;
    *ignore_mask = xa__cell(c, row, XA__COLUMN_ignore_mask);
    *present = false;
    const int kind =
        find_kind(xa__cell(c, row, XA__COLUMN_kind), box, (*mask)[0] != '\0', row->line, t);
    bool good = kind >= 0;
    if (kind == XA_ANNOTATION_BOX)
        good = parse_box(c, row, t, a);
    else if (kind == XA_ANNOTATION_MASK)
        good = parse_mask(*mask, row->line, t, a, mask_len);
    else if (kind == 0)
        warn_unused(c, row, t);
    *ignore_len = 0;
    if (kind > 0 && (*ignore_mask)[0] != '\0')
        good &=
            parse_value("ignore_mask", *ignore_mask, row->line, t, &a->ignore_value, ignore_len);
    good &= parse_flags(xa__cell(c, row, XA__COLUMN_flags), row->line, t, &a->flags);
    *present = kind > 0;
    a->kind = (uint8_t)(kind > 0 ? kind : 0);
    return good;
}
