/* The native manifest: from a file to samples and annotations. manifest_row.c reads each line. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_builder.h"

enum { SAMPLES_MAX = 50 * 1000 * 1000 };

static const char *id_key(const void *arg, int64_t value)
{
    const xa__builder *b = arg;
    return b->m->pub.samples[value].id;
}

static xa_status take_header(xa__builder *b, const xa_csv_row *row, xa_err *err)
{
    xa_manifest *m = &b->m->pub;
    XA_RETURN_TRY(err, xa__columns_read(&b->columns, row, &b->reporter, err));
    const int32_t n = b->columns.nextra;
    m->extra_columns = xa_arena_take(&b->m->arena, (size_t)n, sizeof *m->extra_columns);
    b->last = xa_alloc((size_t)n + XA__LAST_EXTRA, sizeof *b->last);
    if (!m->extra_columns || !b->last)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for %d columns", n);
    for (int32_t i = 0; i < n; i++) {
        const char *name = row->cells[b->columns.extra[i]];
        XA_RETURN_TRY(err, xa__builder_text(b, name, strlen(name), &m->extra_columns[i], err));
    }
    m->nextra = n;
    b->have_header = true;
    return XA_OK;
}

/* Does the row fit the header? If it does not, that is reported. */
static bool check_width(xa__builder *b, const xa_csv_row *row)
{
    const xa__columns *c = &b->columns;
    char shown[XA_SHOWN];
    int32_t used = row->ncells;
    /* Spreadsheets leave blank cells at the end of a row. */
    while (used > c->count && row->cells[used - 1][0] == '\0')
        used--;
    if (used != c->count) {
        xa_problems_add(b->reporter.problems,
                        b->reporter.file,
                        row->line,
                        false,
                        "expected %d columns as in the header, found %d",
                        c->count,
                        row->ncells);
        return false;
    }
    for (int32_t i = 0; i < c->nnameless; i++) {
        const char *text = row->cells[c->nameless[i]];
        if (text[0] != '\0' && xa__reporter_first(&b->reporter, "nameless"))
            xa_problems_add(b->reporter.problems,
                            b->reporter.file,
                            row->line,
                            false,
                            "column %d has no name in the header, but holds \"%s\"",
                            c->nameless[i] + 1,
                            xa_show(text, shown));
    }
    return true;
}

static xa_status take_row(void *arg, const xa_csv_row *row, xa_err *err)
{
    xa__builder *b = arg;
    if (!b->have_header)
        return take_header(b, row, err);
    if (!check_width(b, row))
        return XA_OK;
    const char *id = xa__cell(&b->columns, row, XA__COLUMN_id);
    if (id[0] == '\0')
        id = xa__cell(&b->columns, row, XA__COLUMN_path);
    if (id[0] == '\0') {
        xa_problems_add(b->reporter.problems,
                        b->reporter.file,
                        row->line,
                        false,
                        "path is blank: expected the image's file");
        return XA_OK;
    }
    int64_t at = xa_text_map_find(&b->ids, id, id_key, b);
    const bool known = at >= 0;
    const size_t errors = b->reporter.problems->errors;
    if (known) {
        XA_RETURN_TRY(err, xa__builder_check_sample(b, &b->m->pub.samples[at], row, err));
    } else {
        XA_RETURN_TRY(err, xa__builder_add_sample(b, row, id, err));
        at = b->m->pub.count - 1;
    }
    /* A line that contradicts its sample does not repeat it. */
    const bool repeats = known && b->reporter.problems->errors == errors;
    return xa__builder_add_annotation(b, at, row, repeats, err);
}

/* Gives every kept sample its annotations, in the order of the file. */
static xa_status place_annotations(xa__builder *b, xa_err *err)
{
    xa_manifest *m = &b->m->pub;
    size_t total = 0;
    for (int64_t i = 0; i < m->count; i++)
        total += (size_t)m->samples[i].nannotations;
    if (total == 0)
        return XA_OK;
    xa_annotation *all = xa_arena_take(&b->m->arena, total, sizeof *all);
    if (!all)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for %zu annotations", total);
    for (int64_t i = 0; i < m->count; i++) {
        xa_sample *s = &m->samples[i];
        if (s->nannotations > 0)
            s->annotations = all;
        all += s->nannotations;
        s->nannotations = 0; /* counts up again while annotations are placed */
    }
    for (size_t k = 0; k < b->nannotations; k++)
        if (b->owners[k] < m->count) {
            xa_sample *s = &m->samples[b->owners[k]];
            s->annotations[s->nannotations++] = b->annotations[k];
        }
    return XA_OK;
}

static xa_status find_folder(xa__builder *b, const char *path, xa_err *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? xa_strndup(path, (size_t)(slash - path) + 1) : xa_strdup(".");
    char *real = folder ? realpath(folder, NULL) : NULL;
    char *text = !real ? xa_strdup("") : xa_strfmt("%s%s", real, real[1] ? "/" : "");
    const xa_status st =
        text ? xa__builder_text(b, text, strlen(text), &b->m->pub.folder, err) : XA_NOMEM_ERR(err);
    free(folder);
    free(real);
    free(text);
    return st;
}

static xa_status
start(xa__builder *b, const char *path, const xa_manifest_options *opt, xa_err *err)
{
    XA_RETURN_TRY(err, xa__manifest_create(&b->m, err));
    XA_RETURN_TRY(err, xa__builder_text(b, path, strlen(path), &b->m->pub.file, err));
    XA_RETURN_TRY(err, find_folder(b, path, err));
    XA_RETURN_TRY(err, xa__labels_init(&b->labels, opt->classes, opt->label_as, err));
    b->sets = (xa__sets){.named = opt->categories,
                         .used = &b->m->pub.categories,
                         .labels = &b->labels,
                         .reporter = &b->reporter};
    if (opt->limit < 0 || opt->max_samples < 0)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "expected limits of 0 or more samples, found %" PRId64 " and %" PRId64,
                       opt->limit,
                       opt->max_samples);
    b->max_samples = opt->max_samples > 0 ? opt->max_samples : SAMPLES_MAX;
    return XA_OK;
}

/* The error of a reading with mistakes in the list: the first one, and how many follow. */
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

/* The peak has, besides the manifest itself, the annotations in the order of the file, and the map
 * of ids, of which one and a half times the size exists while it grows. */
static void note_memory(xa__builder *b)
{
    xa_manifest *m = &b->m->pub;
    m->bytes = b->m->arena.total + (size_t)m->count * sizeof *m->samples;
    m->peak_bytes = m->bytes + b->nannotations * (sizeof *b->annotations + sizeof *b->owners) +
                    b->ids.nslots * sizeof *b->ids.slots * 3 / 2;
}

xa_status xa_manifest_read_as(const char *path,
                              const char *name,
                              const xa_manifest_options *opt,
                              xa_manifest **out,
                              xa_problems *problems,
                              xa_err *err)
{
    static const xa_manifest_options defaults = {0};
    xa_status st = XA_OK;
    xa__builder b = {0};
    xa_problems own = {0};
    xa_problems *list = problems ? problems : &own;
    const size_t before = list->errors;

    xa__reporter_init(&b.reporter, list, name);
    xa_text_map_init(&b.ids);
    XA_TRY(err, start(&b, name, opt ? opt : &defaults, err));
    xa_manifest *m = &b.m->pub;
    st = xa_csv_read(path, take_row, &b, list, m->sha256, err);
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
    if (b.reporter.failed)
        XA_FAIL(err, XA_NOMEM, "out of memory for the list of mistakes");
    xa__reporter_finish(&b.reporter);
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
    xa__reporter_finish(&b.reporter);
    xa__labels_fini(&b.labels);
    xa__columns_fini(&b.columns);
    xa_text_map_fini(&b.ids);
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
    return xa_manifest_read_as(path, path, opt, out, problems, err);
}
