/* Any CSV with a header: the user names the columns. Rows of one image (by id, or path) are its
 * annotations. Without --classes, labels that are all whole numbers are indices; others are names.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "import_internal.h"

enum {
    PATH,
    ID,
    LABEL,
    CLASS,
    MASK,
    POLYGON,
    GROUP,
    SPLIT,
    EXCLUDE,
    BOX,
    SIZE = BOX + 4,
    KEEP = SIZE + 2
};
enum { KEEP_MAX = XA__TABLE_COLUMNS - KEEP };

typedef struct import {
    xa__draft *d;
    const char *root; /* the folder of the paths */
    xa__wanted wanted[XA__TABLE_COLUMNS];
    char *names, *sizes; /* copies of the options, cut at their commas */
    const char *extra[KEEP_MAX];
    int nkeep;
    bool xywh;
    double *points; /* of a polygon; `mask` is where it is drawn */
    uint8_t *mask, *toggle;
    size_t points_cap, mask_cap, toggle_cap;
} import;

/* Cuts "a,b,c" into names; false unless there are low to high of them. */
static bool cut(char *text, const char **out, int low, int high, int *n)
{
    *n = 0;
    for (char *p = text; p;) {
        char *comma = strchr(p, ',');
        if (comma)
            *comma++ = '\0';
        if (*n >= high || *p == '\0')
            return false;
        out[(*n)++] = p;
        p = comma;
    }
    return *n >= low;
}

static xa_status add_label(import *im, int64_t image, const char *text, xa_err *err)
{
    xa_status st = XA_OK;
    char *save = NULL;
    char *copy = xa_strdup(text);
    int32_t index = -1;
    if (!copy)
        XA_FAIL(err, XA_NOMEM, "out of memory for a label");
    for (char *p = strtok_r(copy, "|", &save); p; p = strtok_r(NULL, "|", &save)) {
        p += strspn(p, " ");
        for (size_t n = strlen(p); n > 0 && p[n - 1] == ' ';)
            p[--n] = '\0';
        XA_TRY(err, xa__draft_class(im->d, p, XA_IMPORT_NOTED, &index, err));
        if (index >= 0)
            XA_TRY(err, xa__draft_label_add(im->d, image, index, err));
    }
done:
    free(copy);
    return st;
}

/* Fields of the image, from its first row; on later rows they must agree or be blank. */
static xa_status
keep_text(import *im, const char **field, const char *text, const char *id, bool first, xa_err *err)
{
    if (text[0] == '\0' || (*field && strcmp(*field, text) == 0))
        return XA_OK;
    if (first)
        return xa__draft_text(im->d, text, field, err);
    xa__drop(im->d,
             XA_IMPORT_NOTED,
             "a later row of the image says otherwise (the first counts)",
             "%s: %s",
             id,
             text);
    return XA_OK;
}

/* Reads the numbers of a cell to im->points; *n is 0 if the cell holds anything else. */
static xa_status read_points(import *im, const char *text, size_t *n, xa_err *err)
{
    static const char between[] = " ,;|[]()";
    *n = 0;
    for (const char *p = text + strspn(text, between); *p != '\0'; p += strspn(p, between)) {
        char word[40];
        const size_t len = strcspn(p, between);
        const size_t kept = len < sizeof word ? len : sizeof word - 1;
        double v = 0.0;
        memcpy(word, p, kept);
        word[kept] = '\0';
        if (!xa_parse_f64(word, &v) || v > 1e7 || v < -1e7) {
            *n = 0;
            return XA_OK;
        }
        XA_RETURN_TRY(err, xa_grow(&im->points, &im->points_cap, *n + 1, sizeof *im->points, err));
        im->points[(*n)++] = v;
        p += len;
    }
    return XA_OK;
}

static xa_status add_polygon(
    import *im, int64_t image, int32_t class_index, const char *text, int64_t line, xa_err *err)
{
    xa__draft *d = im->d;
    size_t n = 0;
    XA_RETURN_TRY(err, read_points(im, text, &n, err));
    if (n < 6 || n % 2 != 0) {
        xa_problems_add(d->problems,
                        d->opt->source,
                        line,
                        false,
                        "expected a polygon: the numbers x y x y ... of three points or more");
        return XA_OK;
    }
    const char *id = d->images[image].id;
    if (!xa__draft_size(d, image) ||
        d->images[image].width > XA__RASTER_PIXELS_MAX / d->images[image].height) {
        xa__drop(
            d, XA_IMPORT_ANNOTATION, "its image's size is unknown or beyond 2^28 pixels", "%s", id);
        return XA_OK;
    }
    const int64_t w = d->images[image].width;
    const int64_t h = d->images[image].height;
    XA_RETURN_TRY(err, xa_grow(&im->mask, &im->mask_cap, (size_t)(w * h), 1, err));
    XA_RETURN_TRY(err, xa_grow(&im->toggle, &im->toggle_cap, (size_t)h + 1, 1, err));
    memset(im->mask, 0, (size_t)(w * h));
    memset(im->toggle, 0, (size_t)h + 1);
    xa__raster_polygon(im->points, (int64_t)n / 2, w, h, im->toggle, im->mask);
    if (!memchr(im->mask, 255, (size_t)(w * h))) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "no pixel lies in the shape", "%s", id);
        return XA_OK;
    }
    return xa__draft_mask_write(d, image, class_index, 0, im->mask, err);
}

static xa_status
add_annotation(import *im, int64_t image, const char *const *cells, int64_t line, xa_err *err)
{
    xa__draft *d = im->d;
    double b[4];
    int32_t index = -1;
    int blank = 0;
    for (int i = 0; i < 4; i++)
        blank += cells[BOX + i][0] == '\0';
    if (cells[CLASS][0] != '\0') {
        XA_RETURN_TRY(err, xa__draft_class(d, cells[CLASS], XA_IMPORT_ANNOTATION, &index, err));
        if (index < 0)
            return XA_OK;
    }
    if (blank < 4) {
        if (!xa__four(cells + BOX, b)) {
            xa_problems_add(
                d->problems, d->opt->source, line, false, "expected four numbers for a box");
            return XA_OK;
        }
        if (im->xywh) {
            b[2] += b[0];
            b[3] += b[1];
            /* x + w is the first pixel outside, so that only x and y depend on where counting
             * begins. */
            if (d->opt->box == XA_BOX_ONE_BASED)
                for (int i = 2; i < 4; i++)
                    b[i] -= 1.0;
        }
        if (d->opt->box == XA_BOX_NORMALISED)
            xa__draft_size(d, image);
        XA_RETURN_TRY(err, xa__draft_box(d, image, index, 0, b, d->opt->box, err));
    }
    if (cells[POLYGON][0] != '\0')
        XA_RETURN_TRY(err, add_polygon(im, image, index, cells[POLYGON], line, err));
    if (cells[MASK][0] == '\0')
        return XA_OK;
    if (d->opt->masks && xa__path_leaves(cells[MASK])) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "the path leaves the mask folder", "%s", cells[MASK]);
        return XA_OK;
    }
    char *file = d->opt->masks ? xa__join(d->opt->masks, cells[MASK])
                               : xa_path_beside(d->opt->source, cells[MASK]);
    if (!file)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a path");
    const xa_status st = xa__draft_mask(d, image, index, 0, file, XA_MASK_ANY, NULL, err);
    free(file);
    return st == XA_OK ? XA_OK : XA_ERR_PASS(err, st);
}

/* The declared size, from the image's first row; later rows must agree or be blank. */
static void take_size(import *im, int64_t image, const char *const *cells, bool first)
{
    int64_t v[2] = {0, 0};
    const xa__draft_image *x = &im->d->images[image];
    const char *id = x->id;
    if (cells[SIZE][0] == '\0' && cells[SIZE + 1][0] == '\0')
        return;
    for (int i = 0; i < 2; i++)
        if (!xa_parse_i64(cells[SIZE + i], &v[i]) || v[i] < 1 || v[i] > INT32_MAX) {
            xa__drop(im->d,
                     XA_IMPORT_NOTED,
                     "a size that is not two whole numbers of pixels (taken as not said)",
                     "%s",
                     id);
            return;
        }
    if (first)
        xa__draft_declare(im->d, image, v[0], v[1]);
    else if (!x->declared || x->width != v[0] || x->height != v[1])
        xa__drop(im->d,
                 XA_IMPORT_NOTED,
                 "a later row of the image says otherwise (the first counts)",
                 "%s: %" PRId64 "x%" PRId64,
                 id,
                 v[0],
                 v[1]);
}

static xa_status take_row(void *arg, const char *const *cells, int64_t line, xa_err *err)
{
    import *im = arg;
    xa__draft *d = im->d;
    const char *id = cells[ID][0] != '\0' ? cells[ID] : cells[PATH];
    int64_t image = xa__draft_find(d, id);
    const bool first = image < 0;
    if (first) {
        XA_RETURN_TRY(err, xa__draft_image_add(d, im->root, cells[PATH], id, &image, err));
        if (image < 0)
            return XA_OK;
    } else if (!xa_str_ends(cells[PATH], d->images[image].path) && cells[PATH][0] != '\0') {
        xa__drop(d, XA_IMPORT_ANNOTATION, "one id with two paths (the first counts)", "%s", id);
        return XA_OK;
    }
    const char *kept_id = d->images[image].id;
    xa__draft_image *x = &d->images[image];
    if (first && d->opt->split && cells[SPLIT][0] == '\0')
        x->split = d->opt->split;
    XA_RETURN_TRY(err, keep_text(im, &x->group, cells[GROUP], kept_id, first, err));
    XA_RETURN_TRY(err, keep_text(im, &x->split, cells[SPLIT], kept_id, first, err));
    XA_RETURN_TRY(err, keep_text(im, &x->exclude, cells[EXCLUDE], kept_id, first, err));
    for (int k = 0; k < im->nkeep; k++)
        XA_RETURN_TRY(err, keep_text(im, &x->extra[k], cells[KEEP + k], kept_id, first, err));
    XA_RETURN_TRY(err, add_label(im, image, cells[LABEL], err));
    take_size(im, image, cells, first);
    return add_annotation(im, image, cells, line, err);
}

/* Names that are all whole numbers are indices. */
static xa_status settle_classes(xa__draft *d, xa_err *err)
{
    int64_t index = 0;
    if (d->classes_fixed || d->nclasses == 0)
        return XA_OK;
    for (size_t i = 0; i < d->nclasses; i++)
        if (d->classes[i][0] < '0' || d->classes[i][0] > '9' ||
            !xa_parse_i64(d->classes[i], &index) || index > INT32_MAX)
            return XA_OK;
    for (size_t i = 0; i < d->nlabels; i++) {
        if (!xa_parse_i64(d->classes[d->labels[i].class_index], &index))
            XA_RETURN_FAIL(err, XA_INVALID, "a class index is lost");
        d->labels[i].class_index = (int32_t)index;
    }
    for (size_t i = 0; i < d->nnotes; i++)
        if (d->notes[i].class_index >= 0 &&
            xa_parse_i64(d->classes[d->notes[i].class_index], &index))
            d->notes[i].class_index = (int32_t)index;
    d->indices = true;
    xa__drop(d,
             XA_IMPORT_NOTED,
             "all labels are whole numbers: they are class indices from 0 (--classes makes them "
             "names)",
             "%s",
             d->classes[0]);
    return XA_OK;
}

static xa_status name_columns(import *im, xa_err *err)
{
    const xa_import_options *o = im->d->opt;
    const char *const named[] = {o->column_path,
                                 o->column_id,
                                 o->column_label,
                                 o->column_class,
                                 o->column_mask,
                                 o->column_polygon,
                                 o->column_group,
                                 o->column_split,
                                 o->column_exclude};
    int n = 0;
    if (!o->column_path)
        XA_RETURN_FAIL(err, XA_INVALID, "csv: --path-column names the column of the image files");
    if (o->column_box && o->column_xywh)
        XA_RETURN_FAIL(err, XA_INVALID, "csv: --box or --box-xywh, not both");
    im->xywh = o->column_xywh != NULL;
    const char *box = im->xywh ? o->column_xywh : o->column_box;
    if (box && o->box == XA_BOX_UNSAID)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "csv: boxes need --box-convention half-open, inclusive, one-based or "
                       "normalised");
    if (im->xywh && o->box == XA_BOX_INCLUSIVE)
        XA_RETURN_FAIL(err, XA_INVALID, "csv: with width and height, boxes are half-open");
    const char *keep = o->column_keep ? o->column_keep : "";
    char *texts = xa_strfmt("%s%c%s", box ? box : "", '\n', keep);
    if (!texts)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the columns");
    im->names = texts;
    char *second = strchr(texts, '\n');
    *second++ = '\0';
    /* A column that the user did not name gets a name that no header has. */
    for (int i = 0; i < KEEP; i++)
        im->wanted[i] = (xa__wanted){"\n", true};
    for (int i = 0; i < BOX; i++)
        if (named[i])
            im->wanted[i] = (xa__wanted){named[i], false};
    const char *four[4];
    if (box) {
        if (!cut(texts, four, 4, 4, &n))
            XA_RETURN_FAIL(err, XA_INVALID, "csv: expected four column names, \"%s\"", box);
        for (int i = 0; i < 4; i++)
            im->wanted[BOX + i] = (xa__wanted){four[i], false};
    }
    if (o->column_size) {
        const char *two[2];
        im->sizes = xa_strdup(o->column_size);
        if (!im->sizes)
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the columns");
        if (!cut(im->sizes, two, 2, 2, &n))
            XA_RETURN_FAIL(
                err, XA_INVALID, "csv: expected two column names, \"%s\"", o->column_size);
        for (int i = 0; i < 2; i++)
            im->wanted[SIZE + i] = (xa__wanted){two[i], false};
    }
    if (keep[0] != '\0') {
        if (!cut(second, im->extra, 1, KEEP_MAX, &im->nkeep))
            XA_RETURN_FAIL(
                err, XA_INVALID, "csv: --keep: expected up to %d column names", (int)KEEP_MAX);
        for (int i = 0; i < im->nkeep; i++)
            im->wanted[KEEP + i] = (xa__wanted){im->extra[i], false};
        const char **columns = xa_arena_take(&im->d->arena, KEEP_MAX, sizeof *columns);
        if (!columns)
            XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the columns");
        for (int i = 0; i < im->nkeep; i++)
            XA_RETURN_TRY(err, xa__draft_text(im->d, im->extra[i], &columns[i], err));
        im->d->extra_columns = columns;
        im->d->nextra = im->nkeep;
    }
    return XA_OK;
}

xa_status xa__import_csv(xa__draft *d, xa_err *err)
{
    xa_status st = XA_OK;
    import *im = xa_alloc(1, sizeof *im);
    char *beside = NULL;
    if (!im)
        XA_FAIL(err, XA_NOMEM, "no memory to read %s", d->opt->source);
    im->d = d;
    d->classes_sorted = true;
    XA_TRY(err, name_columns(im, err));
    /* Paths are relative to --images, or to the table's folder. */
    beside = xa_path_beside(d->opt->source, ".");
    if (!beside)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    if (beside[0] != '\0')
        beside[strlen(beside) - 1] = '\0';
    d->paths_free = !d->opt->images;
    im->root = d->opt->images ? d->opt->images : beside;
    XA_TRY(err, xa__table_read(d, d->opt->source, im->wanted, KEEP + im->nkeep, take_row, im, err));
    XA_TRY(err, settle_classes(d, err));
done:
    free(beside);
    if (im) {
        free(im->names);
        free(im->sizes);
        free(im->points);
        free(im->mask);
        free(im->toggle);
    }
    free(im);
    return st;
}
