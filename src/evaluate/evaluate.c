/* evaluate: from the metrics' text to the finished archive. */
#include "xaudit/evaluate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evaluate_internal.h"
#include "xaudit/job.h"
#include "xaudit/run.h"

/* ---- metrics ---- */

/* Rank 0's text to all: what --metrics says, or the archive's own job. */
static xa_status share_metrics(xa_evaluation *e, char **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_err mine = XA_ERR_INIT;
    void *text = NULL;
    size_t size = 0;
    char *own = NULL;
    const char *asked = e->opt->metrics;
    if (e->rank == 0) {
        if (asked && *asked == '[')
            own = xa_strdup(asked);
        else if (asked)
            st = xa_read_file(asked, 16 << 20, &own, &size, &mine);
        else
            st = xa_archive_text(e->r->archive, XA_FIELD_JOB_TEXT, &own, &mine);
        if (st == XA_OK && !own)
            st = XA_ERR(&mine,
                        XA_NOT_FOUND,
                        "%s holds no job: --metrics names the metrics",
                        e->opt->archive);
        size = own ? strlen(own) + 1 : 0;
    }
    text = own;
    XA_TRY(err, xa_comm_agree(e->comm, st, &mine, err));
    XA_TRY(err, xa_comm_broadcast(e->comm, 0, &text, &size, err));
    *out = text;
    text = NULL;
done:
    free(text);
    return st;
}

/* "model/explainer" of the first maps with values below 0, by what their attributes say; *out NULL:
 * none. */
static xa_status first_signed(const xa_read *r, char **out, xa_err *err)
{
    static const char *const cut[] = {"relu", "absolute"};
    *out = NULL;
    for (int64_t m = 0; m < r->nmodels; m++)
        for (int64_t i = 0; i < r->models[m].nmaps && !*out; i++) {
            xa_status st = XA_OK;
            bool below = false;
            char *path = xa_strdup(
                xa_field_group(XA_FIELD_MAP_SAMPLE, r->models[m].name, r->models[m].maps[i].name)
                    .text);
            for (int k = 0; path && st == XA_OK && k < 2; k++) {
                double v = 1.0;
                int64_t n = 0;
                st = xa_archive_attr_f64(r->archive, path, cut[k], &v, 1, &n, err);
                below = below || (st == XA_OK && n == 1 && v == 0.0);
            }
            if (path && st == XA_OK && below)
                *out = xa_strdup(path + strlen(XA_GROUP_MAPS "/"));
            free(path);
            if (!path || (below && st == XA_OK && !*out))
                XA_RETURN_NOMEM(err);
            XA_RETURN_TRY(err, st);
        }
    return XA_OK;
}

static xa_status
read_metrics(xa_evaluation *e, const char *text, xa_problems *problems, xa_err *err)
{
    xa_status st = XA_OK;
    char *signed_map = NULL;
    const char *name = !e->opt->metrics ? e->opt->archive
                       : *text == '['   ? "--metrics"
                                        : e->opt->metrics;
    XA_TRY(err, first_signed(e->r, &signed_map, err));
    XA_TRY(err, xa_job_parse_metrics(name, text, signed_map, &e->spec, problems, err));
    if (e->spec.nmetrics == 0)
        XA_FAIL(err,
                XA_INVALID,
                "%s: no metrics; --metrics \"[pointing_game, energy]\", or a file with a list",
                name);
done:
    free(signed_map);
    return st;
}

/* ---- the source ---- */

static xa_status open_map(xa_evaluation *e, xa_eval_model *m, xa_eval_map *x, xa_err *err)
{
    xa_status st = XA_OK;
    char *group = xa_strdup(xa_field_group(XA_FIELD_MAP_SAMPLE, m->m->name, x->x->name).text),
         *rule = NULL;
    if (!group)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_archive_attr_text(e->r->archive, group, "target", &rule, err));
    const int k = rule ? xa_target_parse(rule) : -1;
    if (k < 0)
        XA_FAIL(err, XA_FORMAT, "%s: no target rule of this version", group);
    x->rule = (xa_target_rule)k;
    for (int64_t i = 1; i < x->x->rows; i++)
        if (x->x->sample[i] < x->x->sample[i - 1])
            XA_FAIL(err, XA_FORMAT, "%s/sample does not ascend", group);
    XA_TRY(err, xa_read_values_open(e->r, m->m, x->x, &x->values, err));
    x->mean_height = x->values.height;
    x->mean_width = x->values.width;
    xa_mean_size(m->m->classes, &x->mean_height, &x->mean_width);
    const size_t n = (size_t)(x->mean_height * x->mean_width);
    x->sum = xa_alloc((size_t)m->m->classes * n + 1, sizeof *x->sum);
    x->count = xa_alloc((size_t)m->m->classes + 1, sizeof *x->count);
    if (!x->sum || !x->count)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for its classes' means", group);
done:
    free(group);
    free(rule);
    return st;
}

static xa_status open_source(xa_evaluation *e, xa_err *err)
{
    xa_status st = XA_OK;
    int64_t most = 1;
    XA_TRY(err, xa_read_open(e->opt->archive, &e->r, err));
    for (int64_t q = 1; q < e->r->pairs; q++)
        if (e->r->pair_sample[q] < e->r->pair_sample[q - 1])
            XA_FAIL(err, XA_FORMAT, "%s does not ascend", xa_field_path(XA_FIELD_EVAL_SAMPLE));
    XA_TRY(err, xa_regions_open(e->r, e->opt->image_root, &e->regions, err));
    e->models = xa_alloc((size_t)e->r->nmodels + 1, sizeof *e->models);
    if (!e->models)
        XA_NOMEM_FAIL(err);
    for (int64_t k = 0; k < e->r->nmodels; k++) {
        xa_eval_model *m = &e->models[k];
        m->m = &e->r->models[k];
        m->affine = xa_alloc((size_t)e->r->samples * 6 + 1, sizeof *m->affine);
        if (!m->affine)
            XA_NOMEM_FAIL(err);
        XA_TRY(err, xa_read_affine(e->r, m->m, 0, e->r->samples, m->affine, err));
        m->maps = xa_alloc((size_t)m->m->nmaps + 1, sizeof *m->maps);
        if (!m->maps)
            XA_NOMEM_FAIL(err);
        for (int64_t g = 0; g < m->m->nmaps; g++) {
            m->maps[g].x = &m->m->maps[g];
            XA_TRY(err, open_map(e, m, &m->maps[g], err));
            most = m->maps[g].values.count > most ? m->maps[g].values.count : most;
            e->done.explainers++;
        }
    }
    const size_t mean = (size_t)XA_MEAN_SIDE * XA_MEAN_SIDE;
    e->plain = xa_alloc((size_t)most, sizeof *e->plain);
    e->other = xa_alloc((size_t)most + mean, sizeof *e->other);
    e->cells = xa_alloc(mean, sizeof *e->cells);
    e->left = xa_alloc(mean, sizeof *e->left);
    e->mean = xa_alloc(mean, sizeof *e->mean);
    if (!e->plain || !e->other || !e->cells || !e->left || !e->mean)
        XA_NOMEM_FAIL(err);
    for (int b = 0; b < XA_BASELINE_COUNT; b++)
        xa_baseline_map((xa_baseline_kind)b, e->baseline[b]);
done:
    return st;
}

/* ---- the new archive ---- */

static xa_status add_series(xa_evaluation *e,
                            const xa_read_model *m,
                            const char *name,
                            const char *description, /* NULL: an explainer */
                            xa_eval_series *s,
                            xa_err *err)
{
    xa_status st = XA_OK;
    const int n = e->spec.nmetrics;
    char *path = NULL;
    XA_TRY(err,
           xa_contents_metrics(
               e->schema, &e->spec, e->r->pairs, m->name, name, description != NULL, &s->f, err));
    s->value = xa_alloc((size_t)n + 1, sizeof *s->value);
    s->rows = xa_alloc((size_t)n + 1, sizeof *s->rows);
    if (!s->value || !s->rows)
        XA_NOMEM_FAIL(err);
    for (int k = 0; k < n; k++) {
        const size_t bytes = xa_metric_statistic_bytes(&e->spec.metrics[k]);
        s->value[k] = xa_alloc(XA_EVAL_BLOCK, sizeof(double));
        s->rows[k] = bytes ? xa_alloc(XA_EVAL_BLOCK, bytes) : NULL;
        if (!s->value[k] || (bytes && !s->rows[k]))
            XA_NOMEM_FAIL(err);
    }
    if (description) {
        path = xa_strdup(xa_field_group(XA_FIELD_BASELINE, m->name, name).text);
        if (!path)
            XA_NOMEM_FAIL(err);
        XA_TRY(err, xa_schema_attr_text(e->schema, path, "map", description, err));
    }
done:
    free(path);
    return st;
}

static xa_status add_map(xa_evaluation *e, xa_eval_model *m, xa_eval_map *x, xa_err *err)
{
    static const char *const names[XA_EVAL_OWN_BASELINES] = {"shuffled", "class_mean"};
    static const char *const texts[XA_EVAL_OWN_BASELINES] = {
        "the map of another image, drawn at random, laid on this one",
        "mean map of the annotated class over all other images, each over its largest size"};
    xa_status st = XA_OK;
    char *group = xa_strdup(xa_field_group(XA_FIELD_CLASS_MEAN, m->m->name, x->x->name).text);
    XA_TRY(err, add_series(e, m->m, x->x->name, NULL, &x->own, err));
    for (int b = 0; b < XA_EVAL_OWN_BASELINES; b++) {
        char *name = xa_strfmt("%s.%s", x->x->name, names[b]);
        st = name ? add_series(e, m->m, name, texts[b], &x->beside[b], err) : XA_NOMEM;
        free(name);
        XA_TRY(err, st);
    }
    xa_field_spec s = {.kind = XA_FIELD_CLASS_MEAN,
                       .model = m->m->name,
                       .explainer = x->x->name,
                       .type = XA_TYPE_COUNT,
                       .ndim = 3,
                       .dim = {m->m->classes, x->mean_height, x->mean_width}};
    XA_TRY(err, xa_schema_add(e->schema, &s, &x->mean_field, err));
    s.kind = XA_FIELD_CLASS_MEAN_COUNT;
    s.ndim = 1;
    XA_TRY(err, xa_schema_add(e->schema, &s, &x->count_field, err));
    if (!group)
        XA_NOMEM_FAIL(err);
    XA_TRY(err,
           xa_schema_attr_text(e->schema,
                               group,
                               "class",
                               x->rule == XA_TARGET_NONE ? "the image's only label"
                                                         : "the class that the map explains",
                               err));
done:
    free(group);
    return st;
}

/* The source's identity, with this evaluation's lines in place of its metrics'. */
static xa_status put_identity(xa_evaluation *e, xa_err *err)
{
    xa_status st = XA_OK;
    char *theirs = NULL, hash[XA_SHA256_HEX];
    xa_str all = {0};
    XA_TRY(err, xa_archive_text(e->r->archive, XA_FIELD_IDENTITY_TEXT, &theirs, err));
    if (!theirs)
        goto done;
    for (const char *p = theirs; *p;) {
        const size_t line = strcspn(p, "\n"), digits = strspn(p, "0123456789");
        /* lines of merged archives begin with a number and a dot */
        const size_t from = digits && p[digits] == '.' ? digits + 1 : 0;
        const char *sign = memmem(p, line, " = ", 3);
        const size_t key = sign ? (size_t)(sign - p) : line;
        if (!xa_identity_of_metrics(p + from, key - from))
            xa_str_printf(&all, "%.*s\n", (int)line, p);
        p += line + (p[line] == '\n');
    }
    xa_job_metric_identity(&e->spec, &all);
    if (all.failed)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_sha256_bytes(all.data, all.len, hash, err));
    XA_TRY(err, xa_schema_attr_text(e->schema, "/", "identity", hash, err));
    e->identity = all.data; /* borrowed by the schema until the archive is there */
    all = (xa_str){0};
    XA_TRY(err, xa_schema_text(e->schema, XA_FIELD_IDENTITY_TEXT, e->identity, err));
done:
    xa_str_free(&all);
    free(theirs);
    return st;
}

static xa_status make_schema(xa_evaluation *e, const char *metrics, xa_err *err)
{
    const char *slash = strrchr(e->opt->archive, '/');
    XA_RETURN_TRY(err, xa_schema_create(&e->schema, err));
    XA_RETURN_TRY(err, xa_schema_attr_text(e->schema, "/", "tool_version", xa_tool_version(), err));
    XA_RETURN_TRY(err,
                  xa_schema_attr_text(
                      e->schema, "/", "evaluated_from", slash ? slash + 1 : e->opt->archive, err));
    XA_RETURN_TRY(
        err, xa_schema_attr_i64(e->schema, "/", "metric_definitions", XA_METRICS_VERSION, err));
    XA_RETURN_TRY(err, xa_schema_attr_i64(e->schema, "/", "evaluation_seed", e->opt->seed, err));
    if (e->opt->metrics && strlen(metrics) < 60000)
        XA_RETURN_TRY(err, xa_schema_attr_text(e->schema, "/", "evaluation_metrics", metrics, err));
    XA_RETURN_TRY(err,
                  xa_contents_problems(e->schema,
                                       e->regions.offset[e->r->samples],
                                       e->regions.problem,
                                       e->regions.rescale,
                                       &e->problem,
                                       err));
    XA_RETURN_TRY(
        err,
        xa_contents_mask_hashes(
            e->schema, e->regions.offset[e->r->samples], e->regions.mask_hash, &e->mask_hash, err));
    for (int64_t k = 0; k < e->r->nmodels; k++) {
        xa_eval_model *m = &e->models[k];
        for (int64_t g = 0; g < m->m->nmaps; g++)
            XA_RETURN_TRY(err, add_map(e, m, &m->maps[g], err));
        for (int b = 0; b < XA_BASELINE_COUNT; b++)
            XA_RETURN_TRY(err,
                          add_series(e,
                                     m->m,
                                     xa_baseline_name((xa_baseline_kind)b),
                                     xa_baseline_description((xa_baseline_kind)b),
                                     &m->baseline[b],
                                     err));
    }
    XA_RETURN_TRY(err, xa_schema_add_checksums(e->schema, err));
    return put_identity(e, err);
}

/* Rank 0. What a killed evaluation left is in nobody's way. */
static xa_status create(const xa_evaluation *e, const char *part, xa_err *err)
{
    const char *const made[] = {XA_GROUP_LOCALISATION,
                                XA_GROUP_STATISTICS,
                                XA_GROUP_BASELINES,
                                XA_GROUP_BASELINE_STATISTICS,
                                XA_GROUP_CLASS_MEANS,
                                XA_GROUP_CHECKSUMS XA_GROUP_LOCALISATION,
                                XA_GROUP_CHECKSUMS XA_GROUP_STATISTICS,
                                XA_GROUP_CHECKSUMS XA_GROUP_BASELINES,
                                XA_GROUP_CHECKSUMS XA_GROUP_BASELINE_STATISTICS,
                                xa_field_path(XA_FIELD_IDENTITY_TEXT),
                                "/@identity_text"};
    const bool there = access(e->opt->output, F_OK) == 0;
    if (there && e->opt->fresh)
        XA_RETURN_TRY(err, xa_set_aside(e->opt->output, err));
    else if (there)
        XA_RETURN_FAIL(err,
                       XA_BUSY,
                       "%s is there already: --fresh sets it aside, --as names another",
                       e->opt->output);
    if (unlink(part) != 0 && errno != ENOENT)
        XA_RETURN_FAIL(err, XA_IO, "%s: cannot remove it: %s", part, strerror(errno));
    const xa_graft graft = {.source = e->opt->archive,
                            .leave = made,
                            .nleave = sizeof made / sizeof *made,
                            .link = true};
    return xa_archive_create_from(part, e->schema, &graft, 1, err);
}

/* ---- all of it ---- */

/* The pairs of one rank: whole samples, so that a region is read once. */
static int64_t share_begins(const xa_evaluation *e, int rank)
{
    int64_t q = e->r->pairs * rank / e->size;
    while (q > 0 && q < e->r->pairs && e->r->pair_sample[q] == e->r->pair_sample[q - 1])
        q++;
    return q;
}

static xa_status write_all(xa_evaluation *e, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    xa_status st = e->rank == 0 ? xa_eval_write_means(e, &mine) : XA_OK;
    if (st == XA_OK)
        st = xa_eval_pairs(e, share_begins(e, e->rank), share_begins(e, e->rank + 1), &mine);
    if (st == XA_OK)
        st = xa_archive_sync(e->archive, &mine);
    return xa_comm_agree(e->comm, st, &mine, err);
}

/* Sums over ranks; the problem of the first rank that has one. */
static xa_status gather(xa_evaluation *e, xa_evaluated *out, xa_err *err)
{
    xa_status st = XA_OK;
    int64_t sums[3] = {e->done.pairs, e->done.scored, (int64_t)e->done.map_bytes};
    int64_t first = *e->done.problem ? e->rank : e->size;
    void *text = NULL;
    size_t size = 0;
    XA_TRY(err, xa_comm_sum_i64s(e->comm, sums, 3, err));
    XA_TRY(err, xa_comm_min_i64(e->comm, &first, err));
    if (first < e->size) {
        if (e->rank == first) {
            text = xa_strdup(e->done.problem);
            size = text ? strlen(text) + 1 : 0;
        }
        XA_TRY(err, xa_comm_broadcast(e->comm, (int)first, &text, &size, err));
    }
    *out = (xa_evaluated){.pairs = sums[0],
                          .scored = sums[1],
                          .models = e->r->nmodels,
                          .explainers = e->done.explainers,
                          .metrics = e->spec.nmetrics,
                          .map_bytes = (double)sums[2]};
    if (text && size)
        snprintf(out->problem, sizeof out->problem, "%.*s", (int)size, (const char *)text);
done:
    free(text);
    return st;
}

static void free_series(xa_evaluation *e, xa_eval_series *s)
{
    for (int k = 0; k < e->spec.nmetrics; k++) {
        if (s->value)
            free(s->value[k]);
        if (s->rows)
            free(s->rows[k]);
    }
    free(s->value);
    free(s->rows);
    free(s->f.localisation);
    free(s->f.statistic);
}

static void fini(xa_evaluation *e)
{
    for (int64_t k = 0; e->models && k < e->r->nmodels; k++) {
        xa_eval_model *m = &e->models[k];
        for (int64_t g = 0; m->maps && g < m->m->nmaps; g++) {
            xa_eval_map *x = &m->maps[g];
            xa_read_values_close(&x->values);
            free_series(e, &x->own);
            for (int b = 0; b < XA_EVAL_OWN_BASELINES; b++)
                free_series(e, &x->beside[b]);
            free(x->sum);
            free(x->count);
        }
        for (int b = 0; b < XA_BASELINE_COUNT; b++)
            free_series(e, &m->baseline[b]);
        free(m->maps);
        free(m->affine);
    }
    free(e->models);
    xa_regions_close(&e->regions);
    xa_read_close(e->r);
    xa_schema_free(e->schema);
    xa_scorer_free(e->scorer);
    free(e->spec.metrics);
    free(e->plain);
    free(e->other);
    free(e->cells);
    free(e->left);
    free(e->mean);
    free(e->out);
    free(e->statistic);
    free(e->identity);
}

/* Everything that a rank does alone before the new archive. */
static xa_status prepare(xa_evaluation *e, const char *text, xa_problems *problems, xa_err *err)
{
    XA_RETURN_TRY(err, read_metrics(e, text, problems, err));
    XA_RETURN_TRY(err, make_schema(e, text, err));
    XA_RETURN_TRY(err, xa_scorer_create(e->spec.metrics, e->spec.nmetrics, &e->scorer, err));
    e->out = xa_alloc((size_t)e->spec.nmetrics + 1, sizeof *e->out);
    e->statistic = xa_alloc((size_t)e->spec.nmetrics + 1, sizeof *e->statistic);
    if (!e->out || !e->statistic)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

xa_status xa_evaluate(const xa_evaluate_options *opt,
                      xa_comm *comm,
                      xa_problems *problems,
                      xa_evaluated *out,
                      xa_err *err)
{
    xa_status st = XA_OK;
    xa_err mine = XA_ERR_INIT;
    xa_evaluation *e = xa_alloc(1, sizeof *e);
    xa_lock *lock = NULL;
    char *part = xa_strfmt("%s.part", opt->output), *text = NULL;
    bool created = false;
    st = e && part ? XA_OK : XA_NOMEM;
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    if (!e || !part)
        goto done; /* agreed on above */
    e->opt = opt;
    e->comm = comm;
    e->rank = xa_comm_rank(comm);
    e->size = xa_comm_size(comm);
    st = open_source(e, &mine);
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    XA_TRY(err, share_metrics(e, &text, err));
    st = prepare(e, text, problems, &mine);
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    XA_TRY(err, xa_eval_means(e, err));
    if (e->rank == 0) {
        st = xa_lock_take(opt->output, 120.0, &lock, &mine);
        if (st == XA_OK)
            st = create(e, part, &mine);
        created = st == XA_OK;
    }
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    XA_TRY(err, xa_archive_open(part, comm, e->schema, &e->archive, err));
    XA_TRY(err, write_all(e, err));
    st = xa_close_archive(comm, e->archive, &mine);
    e->archive = NULL;
    if (st == XA_OK && e->rank == 0)
        st = xa_archive_rename(part, opt->output, &mine);
    created = created && st != XA_OK;
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    XA_TRY(err, gather(e, out, err));
done:
    out->lost = xa_is_lost(comm, e ? e->archive : NULL, st);
    if (e && e->archive && !out->lost && xa_close_archive(comm, e->archive, NULL) != XA_OK)
        xa_log(XA_LOG_DEBUG, "%s: closing failed", part);
    if (created)
        (void)unlink(part);
    xa_lock_release(lock);
    if (e)
        fini(e);
    free(e);
    free(part);
    free(text);
    return st;
}
