/* The clusters of one explainer's maps: features and neighbours are made by all ranks, each its
 * share of rows; eigenvectors and clusters of a group by one rank. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_internal.h"

typedef struct series {
    const xa_cluster_options *opt;
    xa_comm *comm;
    int rank, size;
    const xa_read *r;
    const xa_read_model *m;
    const xa_read_map *x;
    xa_read_clusters *c;
    int64_t cells;     /* of a feature */
    float *feature;    /* [rows, cells] */
    int32_t *class_of; /* [rows] */
    int64_t *order;    /* rows that are clustered, group after group */
    int64_t *start;    /* [groups + 1] into order */
    float *packed;     /* [largest group, cells] features of one group */
    int32_t *near;     /* [largest group, neighbours] */
} series;

static int64_t share(int64_t n, int rank, int size)
{
    return n / size * rank + (n % size < rank ? n % size : rank);
}

/* Collective: every rank has made its share of n rows, and gets those of the others. */
static xa_status join(series *s, void *rows, int64_t n, size_t row_bytes, xa_err *err)
{
    for (int root = 0; root < s->size && s->size > 1; root++) {
        const int64_t first = share(n, root, s->size), end = share(n, root + 1, s->size);
        size_t bytes = (size_t)(end - first) * row_bytes;
        void *data = (char *)rows + (size_t)first * row_bytes;
        XA_RETURN_TRY(err, xa_comm_broadcast(s->comm, root, &data, &bytes, err));
        if (root != s->rank) {
            memcpy((char *)rows + (size_t)first * row_bytes, data, bytes);
            free(data);
        }
    }
    return XA_OK;
}

/* ---- features ---- */

static xa_status read_features(series *s, xa_err *err)
{
    xa_status st = XA_OK;
    xa_read_values v = {0};
    float *map = NULL;
    const int64_t first = share(s->x->rows, s->rank, s->size);
    const int64_t end = share(s->x->rows, s->rank + 1, s->size);
    XA_TRY(err, xa_read_values_open(s->r, s->m, s->x, &v, err));
    s->c->height = v.height < XA_CLUSTER_SIDE ? v.height : XA_CLUSTER_SIDE;
    s->c->width = v.width < XA_CLUSTER_SIDE ? v.width : XA_CLUSTER_SIDE;
    s->cells = s->c->height * s->c->width;
    map = xa_alloc((size_t)v.count + 1, sizeof *map);
    s->feature = xa_alloc((size_t)(s->x->rows * s->cells) + 1, sizeof *s->feature);
    if (!map || !s->feature)
        XA_NOMEM_FAIL(err);
    for (int64_t i = first; i < end; i++) {
        if (s->m->status[s->x->sample[i]] != XA_SAMPLE_DONE || !isfinite((double)v.scale[i]))
            continue; /* NO_MAP */
        XA_TRY(err, xa_read_values_row(&v, i, map, err));
        s->c->status[i] = xa_cluster_feature(map,
                                             v.channels,
                                             v.height,
                                             v.width,
                                             s->c->height,
                                             s->c->width,
                                             s->feature + i * s->cells)
                              ? XA_CLUSTER_DONE
                              : XA_CLUSTER_ZERO;
    }
done:
    free(map);
    xa_read_values_close(&v);
    return st;
}

/* ---- groups ---- */

static int by_number(const void *a, const void *b)
{
    const int32_t p = *(const int32_t *)a, q = *(const int32_t *)b;
    return (p > q) - (p < q);
}

/* The classes that have maps, ascending; with over_all one group for all. */
static xa_status find_groups(series *s, xa_err *err)
{
    xa_read_clusters *c = s->c;
    int64_t n = 0;
    s->class_of = xa_alloc((size_t)c->rows + 1, sizeof *s->class_of);
    c->class_index = xa_alloc((size_t)c->rows + 1, sizeof *c->class_index);
    if (!s->class_of || !c->class_index)
        XA_RETURN_NOMEM(err);
    for (int64_t i = 0; i < c->rows; i++) {
        const int32_t target = s->x->target[i];
        s->class_of[i] = target >= 0 ? target : s->m->predicted[s->x->sample[i]];
        if (c->status[i] == XA_CLUSTER_DONE)
            c->class_index[n++] = s->opt->over_all ? -1 : s->class_of[i];
    }
    qsort(c->class_index, (size_t)n, sizeof *c->class_index, by_number);
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || c->class_index[i] != c->class_index[c->groups - 1])
            c->class_index[c->groups++] = c->class_index[i];
    return XA_OK;
}

/* Of the n rows of a group at s->order + at, those whose turn comes stay, in their order. */
static xa_status take_sample(series *s, int64_t at, int64_t *n, xa_err *err)
{
    xa_status st = XA_OK;
    int64_t kept = 0, *rows = s->order + at;
    uint64_t *hash = xa_alloc((size_t)*n + 1, sizeof *hash);
    int32_t *class_of = xa_alloc((size_t)*n + 1, sizeof *class_of);
    int64_t *turn = xa_alloc((size_t)*n + 1, sizeof *turn);
    char *id = xa_alloc(s->r->id_bytes + 1, 1);
    if (!hash || !class_of || !turn || !id)
        XA_NOMEM_FAIL(err);
    for (int64_t i = 0; i < *n; i++) {
        xa_read_text(s->r->id, s->r->id_bytes, s->x->sample[rows[i]], id, s->r->id_bytes + 1);
        hash[i] = xa_hash64(id, strlen(id), 0);
        class_of[i] = s->class_of[rows[i]];
    }
    XA_TRY(err, xa_faith_turns(*n, hash, class_of, (uint64_t)s->opt->seed, turn, err));
    for (int64_t i = 0; i < *n; i++)
        if (turn[i] < s->opt->maps)
            rows[kept++] = rows[i];
        else
            s->c->status[rows[i]] = XA_CLUSTER_NOT_SAMPLED;
    *n = kept;
done:
    free(hash);
    free(class_of);
    free(turn);
    free(id);
    return st;
}

/* Fills order and start: which rows each group clusters. */
static xa_status fill_groups(series *s, xa_err *err)
{
    xa_read_clusters *c = s->c;
    int64_t at = 0, most = 1;
    s->order = xa_alloc((size_t)c->rows + 1, sizeof *s->order);
    s->start = xa_alloc((size_t)c->groups + 1, sizeof *s->start);
    c->maps = xa_alloc((size_t)c->groups + 1, sizeof *c->maps);
    c->neighbours = xa_alloc((size_t)c->groups + 1, sizeof *c->neighbours);
    c->count = xa_alloc((size_t)c->groups + 1, sizeof *c->count);
    c->eigenvalue = xa_alloc((size_t)(c->groups * XA_CLUSTER_VECTORS) + 1, sizeof *c->eigenvalue);
    if (!s->order || !s->start || !c->maps || !c->neighbours || !c->count || !c->eigenvalue)
        XA_RETURN_NOMEM(err);
    for (int64_t i = 0; i < c->groups * XA_CLUSTER_VECTORS; i++)
        c->eigenvalue[i] = NAN;
    for (int64_t g = 0; g < c->groups; g++) {
        int64_t n = 0;
        s->start[g] = at;
        for (int64_t i = 0; i < c->rows; i++)
            if (c->status[i] == XA_CLUSTER_DONE &&
                (s->opt->over_all || s->class_of[i] == c->class_index[g]))
                s->order[at + n++] = i;
        if (n > s->opt->maps)
            XA_RETURN_TRY(err, take_sample(s, at, &n, err));
        c->maps[g] = (int32_t)n;
        for (int64_t i = 0; i < n; i++) {
            const int64_t row = s->order[at + i];
            c->group[row] = (int32_t)g;
            if (n < XA_CLUSTER_LEAST)
                c->status[row] = XA_CLUSTER_FEW;
        }
        at += n;
        most = n > most ? n : most;
        const int64_t part = n / 8 > 3 ? n / 8 : 3;
        c->neighbours[g] = (int32_t)(s->opt->neighbours < part ? s->opt->neighbours : part);
    }
    s->start[c->groups] = at;
    s->packed = xa_alloc((size_t)(most * s->cells) + 1, sizeof *s->packed);
    s->near = xa_alloc((size_t)(most * s->opt->neighbours) + 1, sizeof *s->near);
    if (!s->packed || !s->near)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

/* ---- one group ---- */

static xa_status neighbours_of(series *s, int64_t g, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    const int64_t n = s->c->maps[g], k = s->c->neighbours[g];
    const int64_t first = share(n, s->rank, s->size), end = share(n, s->rank + 1, s->size);
    for (int64_t i = 0; i < n; i++)
        memcpy(s->packed + i * s->cells,
               s->feature + s->order[s->start[g] + i] * s->cells,
               (size_t)s->cells * sizeof *s->packed);
    const xa_status st =
        xa_cluster_neighbours(s->packed, n, s->cells, k, first, end, s->near + first * k, &mine);
    XA_RETURN_TRY(err, xa_comm_agree(s->comm, st, &mine, err));
    return join(s, s->near, n, (size_t)k * sizeof *s->near, err);
}

/* What the rank that clusters a group sends to all: numbers, distances and embedding in the order
 * of the group. */
typedef struct found {
    int32_t count, vectors;
    double value[XA_CLUSTER_VECTORS];
} found;

static xa_status cluster_group(const series *s,
                               int64_t g,
                               found *f,
                               int32_t *number,
                               float *distance,
                               float *embed,
                               xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t n = s->c->maps[g];
    const int vectors = n < XA_CLUSTER_VECTORS ? (int)n : XA_CLUSTER_VECTORS;
    const int64_t part = n / 8 > 2 ? n / 8 : 2;
    const int most = s->opt->most < part ? s->opt->most : (int)part;
    double *vector = xa_alloc((size_t)(vectors * n), sizeof *vector);
    double *y = xa_alloc((size_t)(n * XA_CLUSTER_VECTORS), sizeof *y);
    double *far = xa_alloc((size_t)n, sizeof *far);
    if (!vector || !y || !far)
        XA_NOMEM_FAIL(err);
    XA_TRY(err,
           xa_cluster_eigen(s->near,
                            n,
                            s->c->neighbours[g],
                            vectors,
                            (uint64_t)s->opt->seed,
                            f->value,
                            vector,
                            err));
    f->vectors = vectors;
    f->count = xa_cluster_gap(f->value, vectors, s->opt->least < most ? s->opt->least : most, most);
    for (int64_t i = 0; i < n; i++) {
        double square = 0.0;
        for (int v = 0; v < f->count; v++)
            square += vector[v * n + i] * vector[v * n + i];
        for (int v = 0; v < f->count; v++)
            y[i * f->count + v] = square > 0.0 ? vector[v * n + i] / sqrt(square) : 0.0;
        for (int v = 0; v < XA_CLUSTER_VECTORS; v++)
            embed[i * XA_CLUSTER_VECTORS + v] = v < vectors ? (float)vector[v * n + i] : NAN;
    }
    XA_TRY(err,
           xa_cluster_means(y, n, f->count, f->count, (uint64_t)s->opt->seed, number, far, err));
    for (int64_t i = 0; i < n; i++)
        distance[i] = (float)far[i];
done:
    free(vector);
    free(y);
    free(far);
    return st;
}

/* Collective: root's bytes over those of the others. */
static xa_status spread(series *s, int root, void *data, size_t bytes, xa_err *err)
{
    void *p = data;
    XA_RETURN_TRY(err, xa_comm_broadcast(s->comm, root, &p, &bytes, err));
    if (s->rank != root) {
        memcpy(data, p, bytes);
        free(p);
    }
    return XA_OK;
}

static xa_status one_group(series *s, int64_t g, xa_err *err)
{
    xa_status st = XA_OK;
    xa_err mine = XA_ERR_INIT;
    xa_read_clusters *c = s->c;
    found f = {0};
    const int root = (int)(g % s->size);
    const size_t n = (size_t)c->maps[g];
    int32_t *number = xa_alloc(n, sizeof *number);
    float *distance = xa_alloc(n, sizeof *distance);
    float *embed = xa_alloc(n * XA_CLUSTER_VECTORS, sizeof *embed);
    st = number && distance && embed ? XA_OK : XA_NOMEM_ERR(&mine);
    if (st == XA_OK && s->rank == root)
        st = cluster_group(s, g, &f, number, distance, embed, &mine);
    XA_TRY(err, xa_comm_agree(s->comm, st, &mine, err));
    if (!number || !distance || !embed)
        goto done; /* all ranks have agreed on it above */
    XA_TRY(err, spread(s, root, &f, sizeof f, err));
    XA_TRY(err, spread(s, root, number, n * sizeof *number, err));
    XA_TRY(err, spread(s, root, distance, n * sizeof *distance, err));
    XA_TRY(err, spread(s, root, embed, n * XA_CLUSTER_VECTORS * sizeof *embed, err));
    c->count[g] = f.count;
    c->clusters = f.count > c->clusters ? f.count : c->clusters;
    memcpy(c->eigenvalue + g * XA_CLUSTER_VECTORS, f.value, (size_t)f.vectors * sizeof(double));
    for (size_t i = 0; i < n; i++) {
        const int64_t row = s->order[s->start[g] + (int64_t)i];
        c->number[row] = number[i];
        c->distance[row] = distance[i];
        memcpy(c->embedding + row * XA_CLUSTER_VECTORS,
               embed + i * XA_CLUSTER_VECTORS,
               XA_CLUSTER_VECTORS * sizeof *embed);
    }
done:
    free(number);
    free(distance);
    free(embed);
    return st;
}

/* ---- all groups ---- */

static xa_status mean_maps(series *s, xa_err *err)
{
    xa_read_clusters *c = s->c;
    const size_t lists = (size_t)(c->groups * c->clusters), cells = (size_t)s->cells;
    double *sum = xa_alloc(lists * cells + 1, sizeof *sum);
    int64_t *size = xa_alloc(lists + 1, sizeof *size);
    c->mean = xa_alloc(lists * cells + 1, sizeof *c->mean);
    if (!sum || !size || !c->mean) {
        free(sum);
        free(size);
        XA_RETURN_NOMEM(err);
    }
    for (int64_t i = 0; i < c->rows; i++)
        if (c->status[i] == XA_CLUSTER_DONE) {
            const size_t at = (size_t)(c->group[i] * c->clusters + c->number[i]);
            size[at]++;
            for (size_t k = 0; k < cells; k++)
                sum[at * cells + k] += (double)s->feature[(size_t)i * cells + k];
        }
    for (size_t i = 0; i < lists * cells; i++)
        c->mean[i] = size[i / cells] ? (float)(sum[i] / (double)size[i / cells]) : NAN;
    free(sum);
    free(size);
    return XA_OK;
}

static xa_status prepare(series *s, xa_err *err)
{
    xa_read_clusters *c = s->c;
    const size_t n = (size_t)c->rows;
    c->status = xa_alloc(n + 1, sizeof *c->status);
    c->group = xa_alloc(n + 1, sizeof *c->group);
    c->number = xa_alloc(n + 1, sizeof *c->number);
    c->distance = xa_alloc(n + 1, sizeof *c->distance);
    c->embedding = xa_alloc(n * XA_CLUSTER_VECTORS + 1, sizeof *c->embedding);
    if (!c->status || !c->group || !c->number || !c->distance || !c->embedding)
        XA_RETURN_NOMEM(err);
    memset(c->group, 0xff, n * sizeof *c->group);
    memset(c->number, 0xff, n * sizeof *c->number);
    for (size_t i = 0; i < n; i++)
        c->distance[i] = NAN;
    for (size_t i = 0; i < n * XA_CLUSTER_VECTORS; i++)
        c->embedding[i] = NAN;
    return read_features(s, err);
}

xa_status xa__cluster_series(const xa_cluster_options *opt,
                             xa_comm *comm,
                             const xa_read *r,
                             const xa_read_model *m,
                             const xa_read_map *x,
                             xa_read_clusters *out,
                             xa_err *err)
{
    xa_status st = XA_OK;
    xa_err mine = XA_ERR_INIT;
    xa_read_clusters c = {.rows = x->rows, .clusters = 1};
    series s = {.opt = opt,
                .comm = comm,
                .rank = xa_comm_rank(comm),
                .size = xa_comm_size(comm),
                .r = r,
                .m = m,
                .x = x,
                .c = &c};
    st = prepare(&s, &mine);
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    XA_TRY(err, join(&s, s.feature, c.rows, (size_t)s.cells * sizeof *s.feature, err));
    XA_TRY(err, join(&s, c.status, c.rows, sizeof *c.status, err));
    st = find_groups(&s, &mine);
    if (st == XA_OK)
        st = fill_groups(&s, &mine);
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    for (int64_t g = 0; g < c.groups; g++) {
        if (c.maps[g] < XA_CLUSTER_LEAST)
            continue;
        XA_TRY(err, neighbours_of(&s, g, err));
        XA_TRY(err, one_group(&s, g, err));
    }
    st = mean_maps(&s, &mine);
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    *out = c;
    c = (xa_read_clusters){0};
done:
    xa_read_clusters_free(&c);
    free(s.feature);
    free(s.class_of);
    free(s.order);
    free(s.start);
    free(s.packed);
    free(s.near);
    return st;
}
