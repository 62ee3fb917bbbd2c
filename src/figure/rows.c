/* Which samples a figure shows, and their images and maps. */
#include "xaudit/figure.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/manifest.h"

int xa_pick_parse(const char *name)
{
    static const char *const names[] = {
#define X(pick, text) text,
        XA_PICK_LIST(X)
#undef X
    };
    return xa_word_index(name, names, (int)(sizeof names / sizeof *names));
}

/* ---- columns ---- */

/* Does NAME or MODEL/NAME name this map? */
static bool names_map(const char *e, const xa_read_model *m, const xa_read_map *x)
{
    const size_t n = strlen(m->name);
    return !strcmp(e, x->name) ||
           (!strncmp(e, m->name, n) && e[n] == '/' && !strcmp(e + n + 1, x->name));
}

/* Appends the maps that `e` names (NULL: all) and that are not there yet. */
static int add_columns(xa_figure_rows *f, const xa_choice *c, const char *e)
{
    int found = 0;
    for (int64_t m = 0; m < f->r->nmodels; m++)
        for (int64_t k = 0; k < f->r->models[m].nmaps; k++) {
            const xa_read_model *model = &f->r->models[m];
            const xa_read_map *map = &model->maps[k];
            bool there = false;
            if ((c->model && strcmp(c->model, model->name) != 0) ||
                (e && !names_map(e, model, map)))
                continue;
            for (int i = 0; i < f->ncolumns; i++)
                there = there || f->column[i].map == map;
            if (!there)
                f->column[f->ncolumns++] = (xa_figure_column){model, map};
            found++;
        }
    return found;
}

static xa_status find_columns(xa_figure_rows *f, const xa_choice *c, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str known = {0};
    int most = 0;
    for (int64_t m = 0; m < f->r->nmodels; m++) {
        const xa_read_model *model = &f->r->models[m];
        most += (int)model->nmaps;
        for (int64_t e = 0; e < model->nmaps; e++)
            xa_str_printf(
                &known, "%s%s/%s", known.len ? ", " : "", model->name, model->maps[e].name);
    }
    f->column = xa_alloc((size_t)most + 1, sizeof *f->column);
    if (!f->column)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < (c->nexplainers ? c->nexplainers : 1); i++) {
        const char *e = c->nexplainers ? c->explainer[i] : NULL;
        if (add_columns(f, c, e) == 0)
            XA_FAIL(err,
                    XA_NOT_FOUND,
                    "%s: no such model or explainer%s%s; it has %s",
                    f->path,
                    e ? ": " : "",
                    e ? e : "",
                    known.data ? known.data : "none");
    }
done:
    xa_str_free(&known);
    return st;
}

/* ---- samples ---- */

static int64_t sample_of_id(const xa_figure_rows *f, const char *id)
{
    const size_t n = strlen(id);
    for (int64_t i = 0; i < f->r->samples; i++) {
        const char *row = f->r->id + (size_t)i * f->r->id_bytes;
        if (strnlen(row, f->r->id_bytes) == n && !memcmp(row, id, n))
            return i;
    }
    return -1;
}

static bool has_class(const xa_figure_rows *f, int64_t sample, const char *name)
{
    char text[256];
    for (int64_t k = f->r->label_offset[sample]; k < f->r->label_offset[sample + 1]; k++)
        if (!strcmp(xa_read_class(&f->r->models[0], f->r->label_value[k], text, sizeof text), name))
            return true;
    return false;
}

typedef struct scored {
    double score;
    int64_t sample;
} scored;

static int by_score(const void *a, const void *b)
{
    const scored *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return x->sample < y->sample ? -1 : x->sample > y->sample;
}

/* Which metric's scores stand at the maps: the one that is asked for, else the first that a column
 * has; none where the archive has none. */
static xa_status choose_metric(xa_figure_rows *f, const xa_choice *c, xa_err *err)
{
    xa_status st = XA_OK;
    xa_str known = {0};
    for (int e = 0; e < f->ncolumns && !f->metric; e++) {
        const xa_read_map *x = f->column[e].map;
        for (int64_t k = 0; k < x->nmetrics && !f->metric; k++) {
            if (e == 0)
                xa_str_printf(&known, "%s%s", k ? ", " : "", x->metrics[k]);
            if ((!c->metric || !strcmp(c->metric, x->metrics[k])) &&
                !(f->metric = xa_strdup(x->metrics[k])))
                XA_NOMEM_FAIL(err);
        }
    }
    const bool ranked =
        c->pick == XA_PICK_BEST || c->pick == XA_PICK_WORST || c->pick == XA_PICK_MEDIAN;
    if (!f->metric && (c->metric || (ranked && !c->nids && !c->nindices)))
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s: %s has no metric \"%s\"; it has %s",
                f->path,
                f->column[0].map->name,
                c->metric ? c->metric : "",
                known.data ? known.data : "none");
done:
    xa_str_free(&known);
    return st;
}

double xa_figure_score(const xa_figure_rows *f,
                       const xa_figure_column *c,
                       const char *metric,
                       int64_t sample)
{
    int64_t k = 0, n = 0;
    double sum = 0.0;
    while (k < c->map->nmetrics && (!metric || strcmp(metric, c->map->metrics[k]) != 0))
        k++;
    if (k == c->map->nmetrics)
        return NAN;
    for (int64_t q = xa_read_first_pair(f->r, sample);
         q < f->r->pairs && f->r->pair_sample[q] == sample;
         q++)
        if (isfinite(c->map->localisation[k][q])) {
            sum += c->map->localisation[k][q];
            n++;
        }
    return n ? sum / (double)n : NAN;
}

/* score: [samples] minus the mean rank correlation of the explainers of the first column's model.
 */
static xa_status score_disagreement(const xa_figure_rows *f, double *score, xa_err *err)
{
    xa_status st = XA_OK;
    const xa_read_model *m = f->column[0].model;
    double *value = NULL;
    int64_t found = 0, *count = xa_alloc((size_t)f->r->samples + 1, sizeof *count);
    if (!count)
        XA_NOMEM_FAIL(err);
    for (int64_t i = 0; i < f->r->samples; i++)
        score[i] = 0.0;
    for (int64_t pair = 0; pair < m->nmaps * m->nmaps; pair++) {
        const xa_read_map *a = &m->maps[pair / m->nmaps], *b = &m->maps[pair % m->nmaps];
        free(value);
        XA_TRY(err, xa_read_agreement(f->r, m, a, b, XA_AGREEMENT_SPEARMAN, &value, err));
        found += value != NULL;
        for (int64_t i = 0; value && i < f->r->samples; i++)
            if (isfinite(value[i])) {
                score[i] -= value[i];
                count[i]++;
            }
    }
    if (!found)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s: --pick disagree: model %s has no two explainers that were compared",
                f->path,
                m->name);
    for (int64_t i = 0; i < f->r->samples; i++)
        score[i] = count[i] ? score[i] / (double)count[i] : NAN;
done:
    free(value);
    free(count);
    return st;
}

static bool candidate(const xa_figure_rows *f, const xa_choice *c, int64_t i)
{
    const xa_read_model *m = f->column[0].model;
    if (m->status[i] != XA_SAMPLE_DONE || (c->class_name && !has_class(f, i, c->class_name)))
        return false;
    if (c->pick != XA_PICK_WRONG)
        return true;
    return f->r->label_offset[i] < f->r->label_offset[i + 1] && !m->values &&
           !xa_read_has_label(f->r, i, m->predicted[i]);
}

/* `at` of n in ascending order. */
static void say_why(char out[64], xa_pick pick, int64_t at, int64_t n)
{
    const int64_t rank = n - at;
    *out = '\0';
    if (pick == XA_PICK_WRONG)
        snprintf(out, 64, "misclassified");
    else if (pick == XA_PICK_DISAGREE)
        snprintf(out, 64, "explainers disagree");
    else if (pick == XA_PICK_FIRST || pick == XA_PICK_RANDOM)
        return;
    else if (rank == 1)
        snprintf(out, 64, "best of %" PRId64, n);
    else if (rank == n)
        snprintf(out, 64, "worst of %" PRId64, n);
    else if (2 * rank == n + 1 || 2 * rank == n)
        snprintf(out, 64, "median of %" PRId64, n);
    else
        snprintf(out, 64, "%" PRId64 " of %" PRId64, rank, n);
}

static xa_status choose_by_rule(xa_figure_rows *f, const xa_choice *c, xa_err *err)
{
    xa_status st = XA_OK;
    const bool apart = c->pick == XA_PICK_DISAGREE;
    const bool ranked =
        c->pick == XA_PICK_BEST || c->pick == XA_PICK_WORST || c->pick == XA_PICK_MEDIAN || apart;
    scored *s = xa_alloc((size_t)f->r->samples + 1, sizeof *s);
    double *score = xa_alloc((size_t)f->r->samples + 1, sizeof *score);
    int64_t n = 0;
    if (!s || !score)
        XA_NOMEM_FAIL(err);
    if (apart)
        XA_TRY(err, score_disagreement(f, score, err));
    else if (ranked)
        for (int64_t i = 0; i < f->r->samples; i++)
            score[i] = xa_figure_score(f, &f->column[0], f->metric, i);
    for (int64_t i = 0; i < f->r->samples; i++) {
        if (!candidate(f, c, i) || (ranked && !isfinite(score[i])))
            continue;
        s[n].sample = i;
        s[n].score = ranked                      ? score[i]
                     : c->pick == XA_PICK_RANDOM ? xa_random_unit((uint64_t)c->seed, 5, (uint64_t)i)
                                                 : (double)i;
        n++;
    }
    if (n == 0)
        XA_FAIL(err, XA_NOT_FOUND, "%s: no sample fits that choice", f->path);
    qsort(s, (size_t)n, sizeof *s, by_score);
    const int64_t rows = n < c->most ? n : c->most;
    for (int64_t k = 0; k < rows; k++) {
        const int64_t at = c->pick == XA_PICK_BEST || apart ? n - 1 - k
                           : c->pick == XA_PICK_MEDIAN      ? (n - rows) / 2 + k
                                                            : k;
        say_why(f->why[f->nrows], c->pick, at, n);
        f->sample[f->nrows++] = s[at].sample;
    }
done:
    free(s);
    free(score);
    return st;
}

static xa_status choose(xa_figure_rows *f, const xa_choice *c, xa_err *err)
{
    f->sample = xa_alloc((size_t)c->most + 2 * XA_FIGURE_LIST, sizeof *f->sample);
    f->why = xa_alloc((size_t)c->most + 2 * XA_FIGURE_LIST, sizeof *f->why);
    if (!f->sample || !f->why)
        XA_RETURN_NOMEM(err);
    for (int k = 0; k < c->nids; k++) {
        const int64_t i = sample_of_id(f, c->id[k]);
        if (i < 0)
            XA_RETURN_FAIL(err, XA_NOT_FOUND, "%s: no sample has the id \"%s\"", f->path, c->id[k]);
        f->sample[f->nrows++] = i;
    }
    for (int k = 0; k < c->nindices; k++) {
        if (c->index[k] < 0 || c->index[k] >= f->r->samples)
            XA_RETURN_FAIL(err,
                           XA_NOT_FOUND,
                           "%s: --index %" PRId64 ": it has samples 0 to %" PRId64,
                           f->path,
                           c->index[k],
                           f->r->samples - 1);
        f->sample[f->nrows++] = c->index[k];
    }
    return f->nrows ? XA_OK : choose_by_rule(f, c, err);
}

/* ---- open ---- */

static xa_status add_digest(const xa_read *r, xa_sha256 *h, const char *path, xa_err *err)
{
    char hex[XA_SHA256_HEX];
    XA_RETURN_TRY(err, xa_archive_digest(r->archive, path, hex, err));
    xa_sha256_add(h, hex, strlen(hex));
    return XA_OK;
}

xa_status xa_figure_digest(const xa_read *r, char hex[XA_SHA256_HEX], xa_err *err)
{
    xa_status st = XA_OK;
    xa_sha256 *h = NULL;
    XA_TRY(err, xa_sha256_create(&h, err));
    for (int64_t k = 0; k < r->nmodels; k++) {
        const xa_read_model *m = &r->models[k];
        const xa_path probs = xa_field_name(XA_FIELD_MODEL_PROBS, m->name, NULL, NULL);
        XA_TRY(err, add_digest(r, h, probs.text, err));
        for (int64_t e = 0; e < m->nmaps; e++) {
            const xa_path sums =
                xa_field_name(XA_FIELD_MAP_CHECKSUM, m->name, m->maps[e].name, NULL);
            XA_TRY(err, add_digest(r, h, sums.text, err));
        }
    }
    xa_sha256_hex(h, hex);
done:
    xa_sha256_free(h);
    return st;
}

xa_status xa_figure_rows_open(const char *path,
                              const xa_choice *choice,
                              const char *image_root,
                              xa_figure_rows **out,
                              xa_err *err)
{
    xa_status st = XA_OK;
    xa_figure_rows *f = xa_alloc(1, sizeof *f);
    if (!f)
        XA_NOMEM_FAIL(err);
    f->path = xa_strdup(path);
    XA_TRY(err, xa_read_open(path, &f->r, err));
    if (image_root)
        f->image_root = xa_strdup(image_root);
    else
        XA_TRY(err, xa_archive_attr_text(f->r->archive, "/", "image_root", &f->image_root, err));
    XA_TRY(err, find_columns(f, choice, err));
    XA_TRY(err, choose_metric(f, choice, err));
    XA_TRY(err, choose(f, choice, err));
    XA_TRY(err, xa_figure_digest(f->r, f->digest, err));
    *out = f;
    f = NULL;
done:
    xa_figure_rows_close(f);
    return st;
}

void xa_figure_rows_close(xa_figure_rows *f)
{
    if (!f)
        return;
    xa_read_close(f->r);
    free(f->path);
    free(f->image_root);
    free(f->sample);
    free(f->why);
    free(f->metric);
    free(f->column);
    free(f);
}
