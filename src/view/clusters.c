/* The clusters of maps that an archive holds. */
#include <stdlib.h>
#include <string.h>

#include "xaudit/view.h"

void xa_read_clusters_free(xa_read_clusters *c)
{
    free(c->status);
    free(c->group);
    free(c->number);
    free(c->distance);
    free(c->embedding);
    free(c->class_index);
    free(c->maps);
    free(c->neighbours);
    free(c->count);
    free(c->eigenvalue);
    free(c->mean);
    *c = (xa_read_clusters){0};
}

typedef struct loading {
    const xa_read *r;
    const xa_read_model *m;
    const xa_read_map *x;
    xa_extents extents;
} loading;

/* Reads one dataset, whose extents must be those that are known. */
static xa_status load(const loading *l, xa_field_kind kind, void *out_ptr, xa_err *err)
{
    xa_dataset_info info;
    int64_t dim[5];
    void *data = NULL;
    const xa_path path = xa_field_name(kind, l->m->name, l->x->name, NULL);
    XA_RETURN_TRY(err, xa_archive_dataset(l->r->archive, path.text, &info, err));
    const int n = xa_field_dims(kind, &l->extents, dim);
    bool same = info.ndim == n && info.type == xa_field_get(kind)->type;
    for (int i = 0; same && i < n; i++)
        same = info.dim[i] == dim[i];
    if (!same)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: %s: not as clusters are stored", l->r->path, path.text);
    XA_RETURN_TRY(err, xa_archive_read_all(l->r->archive, path.text, &info, &data, err));
    memcpy(out_ptr, &data, sizeof data);
    return XA_OK;
}

static bool sound(const xa_read_clusters *c)
{
    for (int64_t g = 0; g < c->groups; g++)
        if (c->count[g] < 0 || c->count[g] > c->clusters)
            return false;
    for (int64_t i = 0; i < c->rows; i++) {
        if (c->status[i] >= XA_CLUSTER_STATUSES)
            return false;
        if (c->status[i] == XA_CLUSTER_DONE &&
            (c->group[i] < 0 || c->group[i] >= c->groups || c->number[i] < 0 ||
             c->number[i] >= c->count[c->group[i]]))
            return false;
    }
    return true;
}

xa_status xa_read_clusters_load(const xa_read *r,
                                const xa_read_model *m,
                                const xa_read_map *x,
                                xa_read_clusters *out,
                                xa_err *err)
{
    xa_status st = XA_OK;
    xa_read_clusters c = {.rows = x->rows};
    xa_dataset_info info;
    loading l = {.r = r, .m = m, .x = x, .extents = xa_extents_unknown()};
    const xa_path path = xa_field_name(XA_FIELD_CLUSTER_MEAN, m->name, x->name, NULL);
    st = xa_archive_dataset(r->archive, path.text, &info, err);
    if (st == XA_NOT_FOUND)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "%s: no clusters of the maps of %s/%s: `xaudit cluster` makes them",
                r->path,
                m->name,
                x->name);
    XA_TRY(err, st);
    if (info.ndim != 4 || info.dim[2] > XA_CLUSTER_SIDE || info.dim[3] > XA_CLUSTER_SIDE)
        XA_FAIL(err, XA_FORMAT, "%s: %s: not as clusters are stored", r->path, path.text);
    c.groups = l.extents.groups = info.dim[0];
    c.clusters = l.extents.clusters = info.dim[1];
    c.height = l.extents.height = info.dim[2];
    c.width = l.extents.width = info.dim[3];
    l.extents.rows = x->rows;
    l.extents.vectors = XA_CLUSTER_VECTORS;
    XA_TRY(err, load(&l, XA_FIELD_CLUSTER_STATUS, &c.status, err));
    XA_TRY(err, load(&l, XA_FIELD_CLUSTER_GROUP, &c.group, err));
    XA_TRY(err, load(&l, XA_FIELD_CLUSTER_NUMBER, &c.number, err));
    XA_TRY(err, load(&l, XA_FIELD_CLUSTER_DISTANCE, &c.distance, err));
    XA_TRY(err, load(&l, XA_FIELD_CLUSTER_EMBEDDING, &c.embedding, err));
    XA_TRY(err, load(&l, XA_FIELD_CLUSTER_CLASS, &c.class_index, err));
    XA_TRY(err, load(&l, XA_FIELD_CLUSTER_MAPS, &c.maps, err));
    XA_TRY(err, load(&l, XA_FIELD_CLUSTER_NEIGHBOURS, &c.neighbours, err));
    XA_TRY(err, load(&l, XA_FIELD_CLUSTER_COUNT, &c.count, err));
    XA_TRY(err, load(&l, XA_FIELD_CLUSTER_EIGENVALUE, &c.eigenvalue, err));
    XA_TRY(err, load(&l, XA_FIELD_CLUSTER_MEAN, &c.mean, err));
    if (!sound(&c))
        XA_FAIL(err, XA_FORMAT, "%s: %s: clusters that are none", r->path, path.text);
    *out = c;
    c = (xa_read_clusters){0};
done:
    xa_read_clusters_free(&c);
    return st;
}

typedef struct member {
    int64_t row;
    float distance;
} member;

static int by_distance(const void *a, const void *b)
{
    const member *p = a, *q = b;
    return p->distance != q->distance ? (p->distance > q->distance) - (p->distance < q->distance)
                                      : (p->row > q->row) - (p->row < q->row);
}

xa_status xa_read_cluster_rows(const xa_read_clusters *c,
                               int64_t group,
                               int32_t number,
                               int64_t **out,
                               int64_t *n,
                               xa_err *err)
{
    int64_t count = 0;
    member *all = xa_alloc((size_t)c->rows + 1, sizeof *all);
    int64_t *rows = xa_alloc((size_t)c->rows + 1, sizeof *rows);
    if (!all || !rows) {
        free(all);
        free(rows);
        XA_RETURN_NOMEM(err);
    }
    for (int64_t i = 0; i < c->rows; i++)
        if (c->status[i] == XA_CLUSTER_DONE && c->group[i] == group && c->number[i] == number)
            all[count++] = (member){i, c->distance[i]};
    qsort(all, (size_t)count, sizeof *all, by_distance);
    for (int64_t i = 0; i < count; i++)
        rows[i] = all[i].row;
    free(all);
    *out = rows;
    *n = count;
    return XA_OK;
}
