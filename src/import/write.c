/* A draft as files: the class names, and the manifest, under a temporary name that is renamed last.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "import_internal.h"

typedef struct writer {
    xa__draft *d;
    FILE *file;
    const char *base; /* absolute folder of the manifest, "/" at its end */
    char *last_folder, *last_relative;
    int64_t *first; /* [nimages + 1] where an image's annotations begin in `order` */
    int64_t *order;
    size_t label; /* the first label of the present image */
    bool sized;   /* an image declares its size, so that the columns are needed */
    xa_str row;
} writer;

char *xa__beside_output(const xa__draft *d, const char *suffix)
{
    const char *out = d->opt->output;
    const size_t n = strlen(out) - (xa_str_ends(out, ".csv") ? 4 : 0);
    return xa_strfmt("%.*s%s", (int)n, out, suffix);
}

/* Writes a cell, in quotes if its text needs them. */
static void put(xa_str *s, const char *text)
{
    if (!text || text[0] == '\0')
        return;
    const size_t n = strlen(text);
    if (!strpbrk(text, ",;\"\r\n") && text[0] != ' ' && text[n - 1] != ' ' && text[0] != '\t' &&
        text[n - 1] != '\t') {
        xa_str_add(s, text, n);
        return;
    }
    xa_str_puts(s, "\"");
    for (const char *p = text; *p != '\0'; p++)
        xa_str_add(s, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    xa_str_puts(s, "\"");
}

/* Writes the fewest digits that read back as the same number. */
static void put_number(xa_str *s, double v)
{
    char text[40];
    double back;
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (xa_parse_f64(text, &back) && back == v)
            break;
    }
    xa_str_puts(s, text);
}

static xa_status put_path(writer *w, const char *folder, const char *path, xa_err *err)
{
    xa_status st = XA_OK;
    char *joined = NULL;
    if (!w->last_folder || strcmp(w->last_folder, folder) != 0) {
        /* The folder is resolved once, with "." as a file in it. */
        char *probe = xa__join(folder, ".");
        free(w->last_folder);
        free(w->last_relative);
        w->last_folder = xa_strdup(folder);
        w->last_relative = probe ? xa__relative(w->base, probe) : NULL;
        free(probe);
        if (!w->last_folder || !w->last_relative)
            XA_FAIL(err, XA_NOMEM, "out of memory for a path");
        const size_t n = strlen(w->last_relative);
        if (n > 0 && w->last_relative[n - 1] == '.' && (n < 2 || w->last_relative[n - 2] == '/'))
            w->last_relative[n - 1] = '\0';
    }
    joined = xa__join(w->last_relative, path);
    if (!joined)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    put(&w->row, joined);
done:
    free(joined);
    return st;
}

static xa_status put_file(writer *w, const char *file, xa_str *cell, xa_err *err)
{
    const char *slash = strrchr(file, '/');
    char *folder = slash ? xa_strndup(file, (size_t)(slash - file) + 1) : xa_strdup("");
    xa_str kept = w->row;
    xa_status st = XA_NOMEM;
    if (folder) {
        w->row = *cell;
        st = put_path(w, folder, slash ? slash + 1 : file, err);
        *cell = w->row;
    }
    w->row = kept;
    free(folder);
    return st;
}

static const char *class_text(const xa__draft *d, int32_t index, char buffer[16])
{
    if (index < 0)
        return "";
    if (!d->indices && (size_t)index < d->nclasses)
        return d->classes[index];
    snprintf(buffer, 16, "%d", index);
    return buffer;
}

/* Writes path,id,label of an image, whose labels are sorted and unique. */
static xa_status put_head(writer *w, int64_t i, size_t label, size_t label_end, xa_err *err)
{
    const xa__draft *d = w->d;
    const xa__draft_image *im = &d->images[i];
    char buffer[16];
    xa_str all = {0};
    XA_RETURN_TRY(err, put_path(w, im->folder, im->path, err));
    xa_str_puts(&w->row, ",");
    put(&w->row, im->id);
    xa_str_puts(&w->row, ",");
    for (size_t k = label; k < label_end; k++) {
        if (k > label && d->labels[k].class_index == d->labels[k - 1].class_index)
            continue;
        if (k > label)
            xa_str_puts(&all, "|");
        xa_str_puts(&all, class_text(d, d->labels[k].class_index, buffer));
    }
    put(&w->row, all.data);
    const bool failed = all.failed;
    xa_str_free(&all);
    if (failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for labels");
    return XA_OK;
}

/* Writes ,class,kind,x0,y0,x1,y1,mask,ignore_mask,flags */
static xa_status put_note(writer *w, const xa__draft_note *n, xa_err *err)
{
    static const char *const flags[] = {"difficult", "crowd", "truncated", "occluded"};
    xa_status st = XA_OK;
    char buffer[16];
    xa_str cell = {0};
    if (!n) {
        xa_str_puts(&w->row, ",,,,,,,,,");
        return XA_OK;
    }
    xa_str_puts(&w->row, ",");
    put(&w->row, class_text(w->d, n->class_index, buffer));
    const bool box = n->kind == XA_ANNOTATION_BOX;
    xa_str_puts(&w->row, box ? ",box" : ",mask");
    for (int k = 0; k < 4; k++) {
        xa_str_puts(&w->row, ",");
        if (box)
            put_number(&w->row, n->box[k]);
    }
    xa_str_puts(&w->row, ",");
    if (n->mask) {
        /* The value belongs to the cell, so that it stands inside of the quotes. */
        char *valued = xa_strdup(n->mask);
        if (n->mask_value >= XA_MASK_VALUES) {
            free(valued);
            valued = xa_strfmt("%s#>%d", n->mask, n->mask_value - XA_MASK_VALUES);
        } else if (n->mask_value >= 0) {
            free(valued);
            valued = xa_strfmt("%s#%d", n->mask, n->mask_value);
        }
        st = valued ? put_file(w, valued, &cell, err) : XA_NOMEM;
        free(valued);
        XA_TRY(err, st);
        xa_str_puts(&w->row, cell.data);
        cell.len = 0;
    }
    xa_str_puts(&w->row, ",");
    if (n->ignore) {
        XA_TRY(err, put_file(w, n->ignore, &cell, err));
        xa_str_puts(&w->row, cell.data);
    }
    xa_str_puts(&w->row, ",");
    bool some = false;
    for (int k = 0; k < 4; k++)
        if (n->flags >> k & 1) {
            xa_str_printf(&w->row, "%s%s", some ? "|" : "", flags[k]);
            some = true;
        }
done:
    xa_str_free(&cell);
    return st;
}

static void put_tail(writer *w, const xa__draft_image *im)
{
    const char *const texts[] = {im->group, im->split, im->exclude};
    for (int k = 0; k < 3; k++) {
        xa_str_puts(&w->row, ",");
        put(&w->row, texts[k]);
    }
    if (w->sized && im->declared)
        xa_str_printf(&w->row, ",%" PRId64 ",%" PRId64, im->width, im->height);
    else if (w->sized)
        xa_str_puts(&w->row, ",,");
    for (int32_t k = 0; k < w->d->nextra; k++) {
        xa_str_puts(&w->row, ",");
        put(&w->row, im->extra ? im->extra[k] : NULL);
    }
    xa_str_puts(&w->row, "\n");
}

static int by_image(const void *a, const void *b)
{
    const xa__draft_label *x = a;
    const xa__draft_label *y = b;
    if (x->image != y->image)
        return x->image < y->image ? -1 : 1;
    return (x->class_index > y->class_index) - (x->class_index < y->class_index);
}

/* Sorts annotations by image; those of one image keep their order. */
static xa_status arrange(writer *w, xa_err *err)
{
    xa__draft *d = w->d;
    w->first = xa_alloc(d->nimages + 2, sizeof *w->first);
    w->order = xa_alloc(d->nnotes + 1, sizeof *w->order);
    if (!w->first || !w->order)
        XA_RETURN_FAIL(err, XA_NOMEM, "no memory to sort %zu annotations", d->nnotes);
    for (size_t k = 0; k < d->nnotes; k++)
        w->first[d->notes[k].image + 2]++;
    for (size_t i = 2; i < d->nimages + 2; i++)
        w->first[i] += w->first[i - 1];
    for (size_t k = 0; k < d->nnotes; k++)
        w->order[w->first[d->notes[k].image + 1]++] = (int64_t)k;
    if (d->nlabels > 0)
        qsort(d->labels, d->nlabels, sizeof *d->labels, by_image);
    return XA_OK;
}

static xa_status flush(writer *w, const char *path, xa_err *err)
{
    if (w->row.failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a line");
    if (fwrite(w->row.data, 1, w->row.len, w->file) != w->row.len)
        XA_RETURN_FAIL(err,
                       errno == ENOSPC ? XA_NOSPACE : XA_IO,
                       "%s: cannot write: %s",
                       path,
                       strerror(errno));
    w->row.len = 0;
    return XA_OK;
}

static xa_status write_rows(writer *w, const char *path, xa_err *err)
{
    xa__draft *d = w->d;
    size_t label = 0;
    xa_str_puts(&w->row,
                "path,id,label,class,kind,x0,y0,x1,y1,mask,ignore_mask,flags,group,split,exclude");
    for (size_t i = 0; i < d->nimages && !w->sized; i++)
        w->sized = d->images[i].declared;
    if (w->sized)
        xa_str_puts(&w->row, ",image_width,image_height");
    for (int32_t k = 0; k < d->nextra; k++) {
        xa_str_puts(&w->row, ",");
        put(&w->row, d->extra_columns[k]);
    }
    xa_str_puts(&w->row, "\n");
    for (size_t i = 0; i < d->nimages; i++) {
        size_t label_end = label;
        while (label_end < d->nlabels && d->labels[label_end].image == (int64_t)i)
            label_end++;
        bool written = false;
        const bool several = label_end > label &&
                             d->labels[label].class_index != d->labels[label_end - 1].class_index;
        for (int64_t k = w->first[i]; k < w->first[i + 1] || !written; k++) {
            const xa__draft_note *n = k < w->first[i + 1] ? &d->notes[w->order[k]] : NULL;
            if (n && n->class_index < 0 && several) {
                xa__drop(d,
                         XA_IMPORT_ANNOTATION,
                         "no class is given, and the image has several labels",
                         "%s",
                         d->images[i].id);
                continue;
            }
            XA_RETURN_TRY(err, put_head(w, (int64_t)i, label, label_end, err));
            XA_RETURN_TRY(err, put_note(w, n, err));
            put_tail(w, &d->images[i]);
            written = true;
            if (n && n->kind == XA_ANNOTATION_BOX)
                d->report->boxes++;
            else if (n)
                d->report->masks++;
        }
        label = label_end;
        if (w->row.len > 1 << 16)
            XA_RETURN_TRY(err, flush(w, path, err));
    }
    return flush(w, path, err);
}

static xa_status write_classes(xa__draft *d, xa_err *err)
{
    xa_status st = XA_OK;
    FILE *f = NULL;
    char *path = NULL;
    d->report->classes = (int64_t)d->nclasses;
    if ((d->classes_fixed && !d->classes_rewritten) || d->indices || d->nclasses == 0)
        return XA_OK;
    path = xa__beside_output(d, "_classes.txt");
    if (!path)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    f = fopen(path, "we");
    if (!f)
        XA_FAIL(err, XA_IO, "%s: cannot write: %s", path, strerror(errno));
    for (size_t i = 0; i < d->nclasses; i++)
        fprintf(f, "%s\n", d->classes[i]);
    const bool bad = ferror(f) != 0;
    const bool closed = fclose(f) == 0;
    f = NULL;
    if (bad || !closed)
        XA_FAIL(err, XA_IO, "%s: cannot write: %s", path, strerror(errno));
    d->report->classes_file = path;
    path = NULL;
done:
    free(path);
    return st;
}

/* Reports class names that are numbers but not their own index, since the job then needs label_as:
 * name. */
static void report_numeric_names(xa__draft *d)
{
    int64_t index;
    if (d->indices)
        return;
    for (size_t i = 0; i < d->nclasses; i++)
        if (d->classes[i][0] >= '0' && d->classes[i][0] <= '9' &&
            xa_parse_i64(d->classes[i], &index) && index != (int64_t)i &&
            index < (int64_t)d->nclasses)
            xa__drop(d,
                     XA_IMPORT_NOTED,
                     "a class name is another class's index: write label_as: name in the job",
                     "\"%s\" is class %zu",
                     d->classes[i],
                     i);
}

/* The folder of a file, resolved, with '/' at its end; caller frees. */
static xa_status resolve_base(const char *file, char **out, xa_err *err)
{
    xa_status st = XA_OK;
    char *folder = xa_path_folder(file);
    char *real = folder ? realpath(folder, NULL) : NULL;
    if (!folder)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    if (!real)
        XA_FAIL(err, XA_NOT_FOUND, "%s: no such folder: %s", folder, strerror(errno));
    *out = xa_strfmt("%s%s", real, strcmp(real, "/") == 0 ? "" : "/");
    if (!*out)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
done:
    free(folder);
    free(real);
    return st;
}

xa_status xa__draft_rows(xa__draft *d, FILE *file, const char *place, const char *name, xa_err *err)
{
    xa_status st = XA_OK;
    writer w = {.d = d, .file = file};
    char *base = NULL;
    XA_TRY(err, resolve_base(place, &base, err));
    w.base = base;
    XA_TRY(err, xa__draft_sort_classes(d, err));
    report_numeric_names(d);
    XA_TRY(err, arrange(&w, err));
    XA_TRY(err, write_rows(&w, name, err));
    d->report->images = (int64_t)d->nimages;
done:
    free(w.last_folder);
    free(w.last_relative);
    free(w.first);
    free(w.order);
    xa_str_free(&w.row);
    free(base);
    return st;
}

xa_status xa__draft_write(xa__draft *d, xa_err *err)
{
    xa_status st = XA_OK;
    const char *out = d->opt->output;
    FILE *file = NULL;
    char *part = xa_strfmt("%s.part", out);
    if (!part)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    file = fopen(part, "we");
    if (!file)
        XA_FAIL(err,
                errno == ENOENT ? XA_NOT_FOUND : XA_IO,
                "%s: cannot write: %s",
                part,
                strerror(errno));
    XA_TRY(err, xa__draft_rows(d, file, out, part, err));
    const int closed = fclose(file);
    file = NULL;
    if (closed != 0)
        XA_FAIL(err, XA_IO, "%s: cannot write: %s", part, strerror(errno));
    XA_TRY(err, write_classes(d, err));
    if (rename(part, out) != 0)
        XA_FAIL(err, XA_IO, "%s: cannot write: %s", out, strerror(errno));
done:
    if (file)
        fclose(file);
    if (st != XA_OK && part)
        unlink(part);
    free(part);
    return st;
}
