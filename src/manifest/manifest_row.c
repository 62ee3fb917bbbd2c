/* The native manifest: one line to a sample, or to a further annotation of a sample that is known.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_builder.h"

enum { LABELS_MAX = 100 * 1000 };
/* Each mistaken label is reported once. Near names are searched for the first so many of them only,
 * since each search reads all classes. */
enum { NEAR_NAMES_MAX = 100 };
/* nlabels of a sample whose label is a mistake: no manifest with mistakes leaves this module. */
enum { LABELS_BAD = -1 };
static char empty_text[] = "";

xa_status xa__builder_text(xa__builder *b, const char *text, size_t len, char **out, xa_err *err)
{
    *out = xa_arena_text(&b->m->arena, text, len);
    if (!*out)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the manifest's texts");
    return XA_OK;
}

static xa_status copy_repeating(xa__builder *b, int slot, const char *text, char **out, xa_err *err)
{
    if (!b->last[slot] || strcmp(b->last[slot], text) != 0)
        XA_RETURN_TRY(err, xa__builder_text(b, text, strlen(text), &b->last[slot], err));
    *out = b->last[slot];
    return XA_OK;
}

/* The path that the program opens: relative paths lie beside the manifest. */
static xa_status resolve(xa__builder *b, const char *path, size_t len, char **out, xa_err *err)
{
    xa_status st = XA_OK;
    char *text = xa_strndup(path, len);
    char *joined = text ? xa_path_beside(b->m->pub.file, text) : NULL;
    if (!joined)
        XA_FAIL(err, XA_NOMEM, "out of memory for the manifest's paths");
    XA_TRY(err, xa__builder_text(b, joined, strlen(joined), out, err));
done:
    free(text);
    free(joined);
    return st;
}

static void report_label(xa__builder *b, const char *what, const char *text, int64_t line)
{
    char why[XA__WHY];
    char shown[XA_SHOWN];
    xa_str key = {0};
    xa_str_printf(&key, "label %s", text);
    if (key.failed || xa__reporter_first(&b->reporter, key.data)) {
        if (b->reporter.nreported <= NEAR_NAMES_MAX)
            xa__label_why(&b->labels, what, text, why);
        else
            snprintf(why, sizeof why, "%s \"%s\" is not a class", what, xa_show(text, shown));
        xa_problems_add(b->reporter.problems, b->reporter.file, line, false, "%s", why);
    }
    xa_str_free(&key);
}

/* "a|b" to ascending unique indices in b->found; *n is LABELS_BAD after a mistake, which is
 * reported. */
static xa_status
find_labels(xa__builder *b, const char *text, int64_t line, int32_t *n, xa_err *err)
{
    int32_t count = 0;
    bool good = true;
    for (const char *p = text; text[0] != '\0'; p++) {
        size_t len = strcspn(p, "|");
        const char *next = p + len;
        while (len > 0 && *p == ' ')
            p++, len--;
        while (len > 0 && p[len - 1] == ' ')
            len--;
        b->word.len = 0;
        xa_str_add(&b->word, p, len);
        if (b->word.failed)
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a label");
        int32_t index;
        XA_RETURN_TRY(err, xa__sets_name(&b->sets, b->word.data, line, &index, err));
        if (index < 0) {
            report_label(b, "label", b->word.data, line);
            good = false;
        } else if (count >= LABELS_MAX) {
            xa_problems_add(b->reporter.problems,
                            b->reporter.file,
                            line,
                            false,
                            "expected at most %d labels for an image",
                            (int)LABELS_MAX);
            good = false;
            break;
        } else {
            XA_RETURN_TRY(
                err, xa_grow(&b->found, &b->found_cap, (size_t)count + 1, sizeof *b->found, err));
            b->found[count++] = index;
        }
        if (*next == '\0')
            break;
        p = next;
    }
    count = xa__indices_sort(b->found, count);
    *n = good ? count : LABELS_BAD;
    return XA_OK;
}

/* ---- the first line of a sample ---- */

static xa_status
take_optional(xa__builder *b, const xa_csv_row *row, int column, int slot, char **out, xa_err *err)
{
    const char *text = xa__cell(&b->columns, row, column);
    if (text[0] == '\0')
        return XA_OK; /* stays NULL */
    return copy_repeating(b, slot, text, out, err);
}

/* image_width and image_height; both 0 if the line has neither. */
static void read_size(xa__builder *b, const xa_csv_row *row, int32_t *width, int32_t *height)
{
    static const char *const names[] = {"image_width", "image_height"};
    int64_t v[2] = {0, 0};
    bool given[2];
    char shown[XA_SHOWN];
    *width = *height = 0;
    for (int i = 0; i < 2; i++) {
        const char *text =
            xa__cell(&b->columns, row, i ? XA__COLUMN_image_height : XA__COLUMN_image_width);
        given[i] = text[0] != '\0';
        if (given[i] && (!xa_parse_i64(text, &v[i]) || v[i] < 1 || v[i] > INT32_MAX)) {
            xa_problems_add(b->reporter.problems,
                            b->reporter.file,
                            row->line,
                            false,
                            "%s: expected a whole number of pixels from 1, found \"%s\"",
                            names[i],
                            xa_show(text, shown));
            return;
        }
    }
    if (given[0] != given[1]) {
        xa_problems_add(b->reporter.problems,
                        b->reporter.file,
                        row->line,
                        false,
                        "%s is given without %s: a frame has both",
                        names[given[1]],
                        names[given[0]]);
        return;
    }
    *width = (int32_t)v[0];
    *height = (int32_t)v[1];
}

/* The first line of a sample. */
xa_status xa__builder_add_sample(xa__builder *b, const xa_csv_row *row, const char *id, xa_err *err)
{
    xa_manifest *m = &b->m->pub;
    const char *path = xa__cell(&b->columns, row, XA__COLUMN_path);
    xa_sample s = {.line = row->line};
    int32_t nlabels = 0;

    if (m->count >= b->max_samples)
        XA_RETURN_FAIL(err,
                       XA_LIMIT,
                       "%s:%" PRId64 ": at most %" PRId64 " samples are accepted",
                       m->file,
                       row->line,
                       b->max_samples);
    if (path[0] == '\0')
        xa_problems_add(b->reporter.problems,
                        b->reporter.file,
                        row->line,
                        false,
                        "path is blank on the first line of a sample");
    XA_RETURN_TRY(err, xa__builder_text(b, path, strlen(path), &s.path, err));
    s.id = s.path;
    if (strcmp(id, path) != 0)
        XA_RETURN_TRY(err, xa__builder_text(b, id, strlen(id), &s.id, err));
    s.file = s.path;
    if (path[0] != '/' && strchr(m->file, '/'))
        XA_RETURN_TRY(err, resolve(b, path, strlen(path), &s.file, err));

    read_size(b, row, &s.width, &s.height);
    const char *label = xa__cell(&b->columns, row, XA__COLUMN_label);
    XA_RETURN_TRY(err, find_labels(b, label, row->line, &nlabels, err));
    s.nlabels = nlabels;
    if (nlabels > 0) {
        s.labels = xa_arena_take(&b->m->arena, (size_t)nlabels, sizeof *s.labels);
        if (!s.labels)
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for labels");
        memcpy(s.labels, b->found, (size_t)nlabels * sizeof *s.labels);
    }
    XA_RETURN_TRY(err, take_optional(b, row, XA__COLUMN_group, XA__LAST_GROUP, &s.group, err));
    XA_RETURN_TRY(err, take_optional(b, row, XA__COLUMN_split, XA__LAST_SPLIT, &s.split, err));
    XA_RETURN_TRY(err,
                  take_optional(b, row, XA__COLUMN_exclude, XA__LAST_EXCLUDE, &s.exclude, err));
    if (m->nextra > 0) {
        s.extra = xa_arena_take(&b->m->arena, (size_t)m->nextra, sizeof *s.extra);
        if (!s.extra)
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for %d columns", m->nextra);
        for (int32_t i = 0; i < m->nextra; i++) {
            const char *text = row->cells[b->columns.extra[i]];
            s.extra[i] = empty_text;
            if (text[0] != '\0')
                XA_RETURN_TRY(err, copy_repeating(b, XA__LAST_EXTRA + i, text, &s.extra[i], err));
        }
    }
    XA_RETURN_TRY(
        err, xa_grow(&m->samples, &b->samples_cap, (size_t)m->count + 1, sizeof *m->samples, err));
    m->samples[m->count] = s;
    XA_RETURN_TRY(err, xa_text_map_add(&b->ids, id, m->count, err));
    m->count++;
    return XA_OK;
}

/* ---- its later lines ---- */

/* A later line must repeat a field of its sample or leave it blank. */
static void check_same(xa__builder *b,
                       const xa_sample *s,
                       int64_t line,
                       const char *what,
                       const char *first,
                       const char *now)
{
    char shown[3][XA_SHOWN];
    if (now[0] == '\0' || (first && strcmp(first, now) == 0))
        return;
    xa_problems_add(b->reporter.problems,
                    b->reporter.file,
                    line,
                    false,
                    "%s \"%s\" contradicts line %" PRId64 ", where sample \"%s\" has %s%s%s",
                    what,
                    xa_show(now, shown[0]),
                    s->line,
                    xa_show(s->id, shown[1]),
                    first && first[0] != '\0' ? "\"" : "none",
                    first ? xa_show(first, shown[2]) : "",
                    first && first[0] != '\0' ? "\"" : "");
}

xa_status
xa__builder_check_sample(xa__builder *b, const xa_sample *s, const xa_csv_row *row, xa_err *err)
{
    const xa__columns *c = &b->columns;
    int32_t nlabels = 0;
    check_same(b, s, row->line, "path", s->path, xa__cell(c, row, XA__COLUMN_path));
    check_same(b, s, row->line, "group", s->group, xa__cell(c, row, XA__COLUMN_group));
    check_same(b, s, row->line, "split", s->split, xa__cell(c, row, XA__COLUMN_split));
    check_same(b, s, row->line, "exclude", s->exclude, xa__cell(c, row, XA__COLUMN_exclude));
    for (int32_t i = 0; i < b->m->pub.nextra; i++)
        check_same(
            b, s, row->line, b->m->pub.extra_columns[i], s->extra[i], row->cells[c->extra[i]]);
    int32_t width, height;
    read_size(b, row, &width, &height);
    if (width && (width != s->width || height != s->height))
        xa_problems_add(b->reporter.problems,
                        b->reporter.file,
                        row->line,
                        false,
                        "image_width and image_height (%dx%d) contradict line %" PRId64 " (%dx%d)",
                        width,
                        height,
                        s->line,
                        s->width,
                        s->height);
    /* Labels are compared as sets of classes: a|b equals b|a. */
    const char *label = xa__cell(c, row, XA__COLUMN_label);
    if (label[0] == '\0')
        return XA_OK;
    XA_RETURN_TRY(err, find_labels(b, label, row->line, &nlabels, err));
    if (nlabels == LABELS_BAD || s->nlabels == LABELS_BAD)
        return XA_OK;
    if (nlabels != s->nlabels ||
        memcmp(b->found, s->labels, (size_t)nlabels * sizeof *b->found) != 0) {
        char shown[2][XA_SHOWN];
        xa_problems_add(b->reporter.problems,
                        b->reporter.file,
                        row->line,
                        false,
                        "label \"%s\" contradicts line %" PRId64 ", where sample \"%s\" has %s",
                        xa_show(label, shown[0]),
                        s->line,
                        xa_show(s->id, shown[1]),
                        s->nlabels > 0 ? "another" : "none");
    }
    return XA_OK;
}

/* ---- annotations ---- */

/* The annotation's class, or else the sample's only label. *good is false after a mistake, which is
 * reported. */
static xa_status find_class(xa__builder *b,
                            const xa_sample *s,
                            const xa_csv_row *row,
                            int32_t *out,
                            bool *good,
                            xa_err *err)
{
    const char *text = xa__cell(&b->columns, row, XA__COLUMN_class);
    *out = -1;
    if (text[0] != '\0') {
        XA_RETURN_TRY(err, xa__sets_name(&b->sets, text, row->line, out, err));
        if (*out < 0 && strchr(text, '|'))
            XA_RETURN_TRY(err, xa__sets_classes(&b->sets, text, row->line, out, err));
        else if (*out < 0)
            report_label(b, "class", text, row->line);
        *good = *out >= 0;
        return XA_OK;
    }
    if (s->nlabels == 1)
        *out = s->labels[0];
    if (s->nlabels > 1)
        xa_problems_add(b->reporter.problems,
                        b->reporter.file,
                        row->line,
                        false,
                        "class is blank, but the image has %d labels: say which one is annotated",
                        s->nlabels);
    *good = s->nlabels <= 1;
    return XA_OK;
}

xa_status xa__builder_add_annotation(
    xa__builder *b, int64_t owner, const xa_csv_row *row, bool repeats, xa_err *err)
{
    xa_sample *s = &b->m->pub.samples[owner];
    xa_annotation a;
    const char *mask = NULL;
    const char *ignore = NULL;
    size_t mask_len = 0;
    size_t ignore_len = 0;
    bool present = false;
    const bool good = xa__annotation_parse(
        &b->columns, row, &b->reporter, &present, &a, &mask, &mask_len, &ignore, &ignore_len);
    if (!present) {
        if (repeats && good && xa__reporter_first(&b->reporter, "repeats"))
            xa_problems_add(b->reporter.problems,
                            b->reporter.file,
                            row->line,
                            true,
                            "the line repeats the sample of line %" PRId64
                            " and adds no annotation",
                            s->line);
        return XA_OK;
    }
    bool known = false;
    XA_RETURN_TRY(err, find_class(b, s, row, &a.class_index, &known, err));
    if (!known || !good)
        return XA_OK; /* reported; of a manifest with mistakes nothing is kept */
    if (a.kind == XA_ANNOTATION_MASK)
        XA_RETURN_TRY(err, resolve(b, mask, mask_len, &a.mask, err));
    if (ignore[0] != '\0')
        XA_RETURN_TRY(err, resolve(b, ignore, ignore_len, &a.ignore_mask, err));
    if (s->nannotations == INT32_MAX)
        XA_RETURN_FAIL(err, XA_LIMIT, "sample \"%s\" has too many annotations", s->id);
    const size_t need = b->nannotations + 1;
    XA_RETURN_TRY(err,
                  xa_grow(&b->annotations, &b->annotations_cap, need, sizeof *b->annotations, err));
    XA_RETURN_TRY(err, xa_grow(&b->owners, &b->owners_cap, need, sizeof *b->owners, err));
    b->annotations[b->nannotations] = a;
    b->owners[b->nannotations] = owner;
    b->nannotations++;
    s->nannotations++;
    return XA_OK;
}
