/* The native manifest: rows to samples. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_internal.h"

enum { SAMPLES_MAX = 50 * 1000 * 1000, LABELS_MAX = 100 * 1000 };
/* Labels that are mistaken are told once each; after so many, without looking for near names. */
enum { NEAR_NAMES_MAX = 100 };

typedef struct builder {
    xa__manifest *m;
    xa__labels labels;
    xa__sets sets;
    xa__teller teller;
    xa__columns columns;
    bool have_header;
    int64_t max_samples;

    size_t samples_cap;
    xa__map ids;
    /* Annotations in the order of the file, and the sample of each: a sample's lines need not
     * follow each other. */
    xa_annotation *annotations;
    int64_t *owners;
    size_t nannotations, annotations_cap, owners_cap;

    int32_t *found; /* label indices of the current row */
    size_t found_cap;
    xa_str word;
    char **last; /* the last text of each repeating column, to share equal neighbours */
} builder;

/* Columns whose texts repeat from line to line; further columns follow them in builder.last. */
enum { LAST_GROUP, LAST_SPLIT, LAST_EXCLUDE, LAST_IGNORE, LAST_EXTRA };
static char empty_text[] = "";
/* nlabels of a sample whose label is a mistake: never leaves this file. */
enum { LABELS_BAD = -1 };

static const char *id_key(const void *arg, int64_t value)
{
    const builder *b = arg;
    return b->m->pub.samples[value].id;
}

static xa_status copy_text(builder *b, const char *text, size_t len, char **out, xa_err *err)
{
    *out = xa__arena_text(&b->m->arena, text, len);
    if (!*out)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the manifest's texts");
    return XA_OK;
}

static xa_status copy_repeating(builder *b, int slot, const char *text, char **out, xa_err *err)
{
    if (!b->last[slot] || strcmp(b->last[slot], text) != 0)
        XA_RETURN_TRY(err, copy_text(b, text, strlen(text), &b->last[slot], err));
    *out = b->last[slot];
    return XA_OK;
}

/* A path as the program opens it: beside the manifest. */
static xa_status resolve(builder *b, const char *path, size_t len, char **out, xa_err *err)
{
    xa_status st = XA_OK;
    char *text = xa_strndup(path, len);
    char *joined = text ? xa_path_beside(b->m->pub.file, text) : NULL;
    if (!joined)
        XA_FAIL(err, XA_NOMEM, "out of memory for the manifest's paths");
    XA_TRY(err, copy_text(b, joined, strlen(joined), out, err));
done:
    free(text);
    free(joined);
    return st;
}

static xa_status take_header(builder *b, const xa__csv_row *row, xa_err *err)
{
    xa_manifest *m = &b->m->pub;
    XA_RETURN_TRY(err, xa__columns_read(&b->columns, row, &b->teller, err));
    const int32_t n = b->columns.nextra;
    m->extra_columns = xa__arena_take(&b->m->arena, (size_t)n, sizeof *m->extra_columns);
    b->last = xa_alloc((size_t)n + LAST_EXTRA, sizeof *b->last);
    if (!m->extra_columns || !b->last)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for %d columns", n);
    for (int32_t i = 0; i < n; i++) {
        const char *name = row->cells[b->columns.extra[i]];
        XA_RETURN_TRY(err, copy_text(b, name, strlen(name), &m->extra_columns[i], err));
    }
    m->nextra = n;
    b->have_header = true;
    return XA_OK;
}

static void tell_label(builder *b, const char *what, const char *text, int64_t line)
{
    char why[XA__WHY];
    char shown[XA__SHOWN];
    xa_str key = {0};
    xa_str_printf(&key, "label %s", text);
    if (key.failed || xa__teller_first(&b->teller, key.data)) {
        if (b->teller.ntold <= NEAR_NAMES_MAX)
            xa__label_why(&b->labels, what, text, why);
        else
            snprintf(why, sizeof why, "%s \"%s\" is not a class", what, xa__show(text, shown));
        xa_problems_add(b->teller.problems, b->teller.file, line, false, "%s", why);
    }
    xa_str_free(&key);
}

/* "a|b" to ascending unique indices in b->found; *n is LABELS_BAD after a mistake (told). */
static xa_status find_labels(builder *b, const char *text, int64_t line, int32_t *n, xa_err *err)
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
            tell_label(b, "label", b->word.data, line);
            good = false;
        } else if (count >= LABELS_MAX) {
            xa_problems_add(b->teller.problems,
                            b->teller.file,
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

static xa_status
take_optional(builder *b, const xa__csv_row *row, int column, int slot, char **out, xa_err *err)
{
    const char *text = xa__cell(&b->columns, row, column);
    if (text[0] == '\0')
        return XA_OK; /* stays NULL */
    return copy_repeating(b, slot, text, out, err);
}

/* image_width and image_height; 0 where the line says neither. */
static void read_size(builder *b, const xa__csv_row *row, int32_t *width, int32_t *height)
{
    static const char *const names[] = {"image_width", "image_height"};
    int64_t v[2] = {0, 0};
    bool given[2];
    char shown[XA__SHOWN];
    *width = *height = 0;
    for (int i = 0; i < 2; i++) {
        const char *text =
            xa__cell(&b->columns, row, i ? XA__COLUMN_image_height : XA__COLUMN_image_width);
        given[i] = text[0] != '\0';
        if (given[i] && (!xa_parse_i64(text, &v[i]) || v[i] < 1 || v[i] > INT32_MAX)) {
            xa_problems_add(b->teller.problems,
                            b->teller.file,
                            row->line,
                            false,
                            "%s: expected a whole number of pixels from 1, found \"%s\"",
                            names[i],
                            xa__show(text, shown));
            return;
        }
    }
    if (given[0] != given[1]) {
        xa_problems_add(b->teller.problems,
                        b->teller.file,
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
static xa_status add_sample(builder *b, const xa__csv_row *row, const char *id, xa_err *err)
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
        xa_problems_add(b->teller.problems,
                        b->teller.file,
                        row->line,
                        false,
                        "path is blank on the first line of a sample");
    XA_RETURN_TRY(err, copy_text(b, path, strlen(path), &s.path, err));
    s.id = s.path;
    if (strcmp(id, path) != 0)
        XA_RETURN_TRY(err, copy_text(b, id, strlen(id), &s.id, err));
    s.file = s.path;
    if (path[0] != '/' && strchr(m->file, '/'))
        XA_RETURN_TRY(err, resolve(b, path, strlen(path), &s.file, err));

    read_size(b, row, &s.width, &s.height);
    const char *label = xa__cell(&b->columns, row, XA__COLUMN_label);
    XA_RETURN_TRY(err, find_labels(b, label, row->line, &nlabels, err));
    s.nlabels = nlabels;
    if (nlabels > 0) {
        s.labels = xa__arena_take(&b->m->arena, (size_t)nlabels, sizeof *s.labels);
        if (!s.labels)
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for labels");
        memcpy(s.labels, b->found, (size_t)nlabels * sizeof *s.labels);
    }
    XA_RETURN_TRY(err, take_optional(b, row, XA__COLUMN_group, LAST_GROUP, &s.group, err));
    XA_RETURN_TRY(err, take_optional(b, row, XA__COLUMN_split, LAST_SPLIT, &s.split, err));
    XA_RETURN_TRY(err, take_optional(b, row, XA__COLUMN_exclude, LAST_EXCLUDE, &s.exclude, err));
    if (m->nextra > 0) {
        s.extra = xa__arena_take(&b->m->arena, (size_t)m->nextra, sizeof *s.extra);
        if (!s.extra)
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for %d columns", m->nextra);
        for (int32_t i = 0; i < m->nextra; i++) {
            const char *text = row->cells[b->columns.extra[i]];
            s.extra[i] = empty_text;
            if (text[0] != '\0')
                XA_RETURN_TRY(err, copy_repeating(b, LAST_EXTRA + i, text, &s.extra[i], err));
        }
    }
    XA_RETURN_TRY(
        err, xa_grow(&m->samples, &b->samples_cap, (size_t)m->count + 1, sizeof *m->samples, err));
    m->samples[m->count] = s;
    XA_RETURN_TRY(err, xa__map_add(&b->ids, id, m->count, err));
    m->count++;
    return XA_OK;
}

/* A later line must repeat a field of its sample or leave it blank. */
static void check_same(builder *b,
                       const xa_sample *s,
                       int64_t line,
                       const char *what,
                       const char *first,
                       const char *now)
{
    char shown[3][XA__SHOWN];
    if (now[0] == '\0' || (first && strcmp(first, now) == 0))
        return;
    xa_problems_add(b->teller.problems,
                    b->teller.file,
                    line,
                    false,
                    "%s \"%s\" contradicts line %" PRId64 ", where sample \"%s\" has %s%s%s",
                    what,
                    xa__show(now, shown[0]),
                    s->line,
                    xa__show(s->id, shown[1]),
                    first && first[0] != '\0' ? "\"" : "none",
                    first ? xa__show(first, shown[2]) : "",
                    first && first[0] != '\0' ? "\"" : "");
}

static xa_status check_sample(builder *b, const xa_sample *s, const xa__csv_row *row, xa_err *err)
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
        xa_problems_add(b->teller.problems,
                        b->teller.file,
                        row->line,
                        false,
                        "image_width and image_height (%dx%d) contradict line %" PRId64 " (%dx%d)",
                        width,
                        height,
                        s->line,
                        s->width,
                        s->height);
    /* Labels are compared as classes: a|b is b|a. */
    const char *label = xa__cell(c, row, XA__COLUMN_label);
    if (label[0] == '\0')
        return XA_OK;
    XA_RETURN_TRY(err, find_labels(b, label, row->line, &nlabels, err));
    if (nlabels == LABELS_BAD || s->nlabels == LABELS_BAD)
        return XA_OK;
    if (nlabels != s->nlabels ||
        memcmp(b->found, s->labels, (size_t)nlabels * sizeof *b->found) != 0) {
        char shown[2][XA__SHOWN];
        xa_problems_add(b->teller.problems,
                        b->teller.file,
                        row->line,
                        false,
                        "label \"%s\" contradicts line %" PRId64 ", where sample \"%s\" has %s",
                        xa__show(label, shown[0]),
                        s->line,
                        xa__show(s->id, shown[1]),
                        s->nlabels > 0 ? "another" : "none");
    }
    return XA_OK;
}

/* class, or the sample's own single label. *good is false after a mistake (told). */
static xa_status find_class(
    builder *b, const xa_sample *s, const xa__csv_row *row, int32_t *out, bool *good, xa_err *err)
{
    const char *text = xa__cell(&b->columns, row, XA__COLUMN_class);
    *out = -1;
    if (text[0] != '\0') {
        XA_RETURN_TRY(err, xa__sets_name(&b->sets, text, row->line, out, err));
        if (*out < 0 && strchr(text, '|'))
            XA_RETURN_TRY(err, xa__sets_classes(&b->sets, text, row->line, out, err));
        else if (*out < 0)
            tell_label(b, "class", text, row->line);
        *good = *out >= 0;
        return XA_OK;
    }
    if (s->nlabels == 1)
        *out = s->labels[0];
    if (s->nlabels > 1)
        xa_problems_add(b->teller.problems,
                        b->teller.file,
                        row->line,
                        false,
                        "class is blank, but the image has %d labels: say which one is annotated",
                        s->nlabels);
    *good = s->nlabels <= 1;
    return XA_OK;
}

static xa_status
add_annotation(builder *b, int64_t owner, const xa__csv_row *row, bool repeats, xa_err *err)
{
    xa_sample *s = &b->m->pub.samples[owner];
    xa_annotation a;
    const char *mask = NULL;
    const char *ignore = NULL;
    size_t mask_len = 0;
    size_t ignore_len = 0;
    bool present = false;
    const bool good = xa__annotation_parse(
        &b->columns, row, &b->teller, &present, &a, &mask, &mask_len, &ignore, &ignore_len);
    if (!present) {
        if (repeats && good && xa__teller_first(&b->teller, "repeats"))
            xa_problems_add(b->teller.problems,
                            b->teller.file,
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
        return XA_OK; /* told; nothing is kept of a manifest with mistakes */
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

/* False when the row does not fit the header (told). */
static bool check_width(builder *b, const xa__csv_row *row)
{
    const xa__columns *c = &b->columns;
    char shown[XA__SHOWN];
    int32_t used = row->ncells;
    /* Blank cells too many are what spreadsheets leave behind. */
    while (used > c->count && row->cells[used - 1][0] == '\0')
        used--;
    if (used != c->count) {
        xa_problems_add(b->teller.problems,
                        b->teller.file,
                        row->line,
                        false,
                        "expected %d columns as in the header, found %d",
                        c->count,
                        row->ncells);
        return false;
    }
    for (int32_t i = 0; i < c->nnameless; i++) {
        const char *text = row->cells[c->nameless[i]];
        if (text[0] != '\0' && xa__teller_first(&b->teller, "nameless"))
            xa_problems_add(b->teller.problems,
                            b->teller.file,
                            row->line,
                            false,
                            "column %d has no name in the header, but holds \"%s\"",
                            c->nameless[i] + 1,
                            xa__show(text, shown));
    }
    return true;
}

static xa_status take_row(void *arg, const xa__csv_row *row, xa_err *err)
{
    builder *b = arg;
    if (!b->have_header)
        return take_header(b, row, err);
    if (!check_width(b, row))
        return XA_OK;
    const char *id = xa__cell(&b->columns, row, XA__COLUMN_id);
    if (id[0] == '\0')
        id = xa__cell(&b->columns, row, XA__COLUMN_path);
    if (id[0] == '\0') {
        xa_problems_add(b->teller.problems,
                        b->teller.file,
                        row->line,
                        false,
                        "path is blank: expected the image's file");
        return XA_OK;
    }
    int64_t at = xa__map_find(&b->ids, id, id_key, b);
    const bool known = at >= 0;
    const size_t errors = b->teller.problems->errors;
    if (known) {
        XA_RETURN_TRY(err, check_sample(b, &b->m->pub.samples[at], row, err));
    } else {
        XA_RETURN_TRY(err, add_sample(b, row, id, err));
        at = b->m->pub.count - 1;
    }
    /* A line that contradicts its sample does not repeat it. */
    const bool repeats = known && b->teller.problems->errors == errors;
    return add_annotation(b, at, row, repeats, err);
}

/* Gives every kept sample its annotations, in the order of the file. */
static xa_status place_annotations(builder *b, xa_err *err)
{
    xa_manifest *m = &b->m->pub;
    size_t total = 0;
    for (int64_t i = 0; i < m->count; i++)
        total += (size_t)m->samples[i].nannotations;
    if (total == 0)
        return XA_OK;
    xa_annotation *all = xa__arena_take(&b->m->arena, total, sizeof *all);
    if (!all)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for %zu annotations", total);
    for (int64_t i = 0; i < m->count; i++) {
        xa_sample *s = &m->samples[i];
        if (s->nannotations > 0)
            s->annotations = all;
        all += s->nannotations;
        s->nannotations = 0; /* counted again while they are placed */
    }
    for (size_t k = 0; k < b->nannotations; k++)
        if (b->owners[k] < m->count) {
            xa_sample *s = &m->samples[b->owners[k]];
            s->annotations[s->nannotations++] = b->annotations[k];
        }
    return XA_OK;
}

static xa_status find_folder(builder *b, const char *path, xa_err *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? xa_strndup(path, (size_t)(slash - path) + 1) : xa_strdup(".");
    char *real = folder ? realpath(folder, NULL) : NULL;
    char *text = !real ? xa_strdup("") : xa_strfmt("%s%s", real, real[1] ? "/" : "");
    const xa_status st =
        text ? copy_text(b, text, strlen(text), &b->m->pub.folder, err) : XA_NOMEM_ERR(err);
    free(folder);
    free(real);
    free(text);
    return st;
}

static xa_status start(builder *b, const char *path, const xa_manifest_options *opt, xa_err *err)
{
    XA_RETURN_TRY(err, xa__manifest_create(&b->m, err));
    XA_RETURN_TRY(err, copy_text(b, path, strlen(path), &b->m->pub.file, err));
    XA_RETURN_TRY(err, find_folder(b, path, err));
    XA_RETURN_TRY(err, xa__labels_init(&b->labels, opt->classes, opt->label_as, err));
    b->sets = (xa__sets){.named = opt->categories,
                         .used = &b->m->pub.categories,
                         .labels = &b->labels,
                         .teller = &b->teller};
    if (opt->limit < 0 || opt->max_samples < 0)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "expected limits of 0 or more samples, found %" PRId64 " and %" PRId64,
                       opt->limit,
                       opt->max_samples);
    b->max_samples = opt->max_samples > 0 ? opt->max_samples : SAMPLES_MAX;
    return XA_OK;
}

/* The status of a reading whose mistakes are in the list: the first, and how many follow. */
static xa_status sum_up(const xa_problems *p, size_t before, const char *path, xa_err *err)
{
    const size_t more = p->errors - before - 1;
    const xa_problem *first = NULL;
    char line[32] = "";
    char rest[64] = "";
    for (size_t i = 0; i < p->count && !first; i++)
        if (!p->items[i].warning && strcmp(p->items[i].file, path) == 0)
            first = &p->items[i];
    if (first && first->line > 0)
        snprintf(line, sizeof line, ":%" PRId64, first->line);
    if (more > 0)
        snprintf(rest, sizeof rest, " (and %zu more mistake%s)", more, more > 1 ? "s" : "");
    XA_RETURN_FAIL(err,
                   XA_INVALID,
                   "%s%s: %s%s",
                   path,
                   line,
                   first ? first->text : "mistakes were found",
                   rest);
}

/* Beside what is held: annotations in the order of the file, and the map of ids, which is there one
 * and a half times while it grows. */
static void note_memory(builder *b)
{
    xa_manifest *m = &b->m->pub;
    m->bytes = b->m->arena.total + (size_t)m->count * sizeof *m->samples;
    m->peak_bytes = m->bytes + b->nannotations * (sizeof *b->annotations + sizeof *b->owners) +
                    b->ids.nslots * sizeof *b->ids.slots * 3 / 2;
}

xa_status xa__manifest_read_as(const char *path,
                               const char *name,
                               const xa_manifest_options *opt,
                               xa_manifest **out,
                               xa_problems *problems,
                               xa_err *err)
{
    static const xa_manifest_options defaults = {0};
    xa_status st = XA_OK;
    builder b = {0};
    xa_problems own = {0};
    xa_problems *list = problems ? problems : &own;
    const size_t before = list->errors;

    xa__teller_init(&b.teller, list, name);
    xa__map_init(&b.ids);
    XA_TRY(err, start(&b, name, opt ? opt : &defaults, err));
    xa_manifest *m = &b.m->pub;
    st = xa__csv_read(path, take_row, &b, list, m->sha256, err);
    if (st != XA_OK && (st != XA_INVALID || list->errors == before))
        XA_TRY(err, st);
    if (list->errors == before && m->count == 0)
        xa_problems_add(list,
                        name,
                        0,
                        false,
                        b.have_header ? "expected samples below the header line, found none"
                                      : "expected a header line with a column \"path\", found an "
                                        "empty file");
    if (b.teller.failed)
        XA_FAIL(err, XA_NOMEM, "out of memory for the list of mistakes");
    xa__teller_finish(&b.teller);
    if (list->errors > before)
        XA_TRY(err, sum_up(list, before, name, err));
    const xa_manifest_options *o = opt ? opt : &defaults;
    if (o->limit > 0 && m->count > o->limit)
        m->count = o->limit;
    XA_TRY(err, place_annotations(&b, err));
    xa__manifest_note_classes(m);
    XA_TRY(err, xa__manifest_identify(m, err));
    note_memory(&b);
    *out = m;
    b.m = NULL;
done:
    xa_manifest_free(b.m ? &b.m->pub : NULL);
    xa__teller_finish(&b.teller);
    xa__labels_fini(&b.labels);
    xa__columns_fini(&b.columns);
    xa__map_fini(&b.ids);
    xa_str_free(&b.word);
    free(b.annotations);
    free(b.owners);
    free(b.found);
    free(b.last);
    xa_problems_fini(&own);
    return st;
}

xa_status xa_manifest_read(const char *path,
                           const xa_manifest_options *opt,
                           xa_manifest **out,
                           xa_problems *problems,
                           xa_err *err)
{
    return xa__manifest_read_as(path, path, opt, out, problems, err);
}
