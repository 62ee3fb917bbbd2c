/* The new archive: its source's tables and links to its maps, and /clusters. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster_internal.h"
#include "xaudit/run.h"

static xa_status attributes(xa_schema *s,
                            const xa_cluster_options *opt,
                            const xa__cluster_made *made,
                            const char *group,
                            xa_err *err)
{
    XA_RETURN_TRY(err,
                  xa_schema_attr_text(s,
                                      group,
                                      "feature",
                                      "|sum over channels|, averaged over the grid of `mean`, over "
                                      "its sum",
                                      err));
    XA_RETURN_TRY(err,
                  xa_schema_attr_text(s,
                                      group,
                                      "clustered",
                                      opt->over_all ? "maps of all classes together"
                                      : made->x->rule == XA_TARGET_NONE
                                          ? "maps of each predicted class"
                                          : "maps of each class explained",
                                      err));
    XA_RETURN_TRY(err, xa_schema_attr_i64(s, group, "seed", opt->seed, err));
    XA_RETURN_TRY(err, xa_schema_attr_i64(s, group, "most_neighbours", opt->neighbours, err));
    XA_RETURN_TRY(err, xa_schema_attr_i64(s, group, "least_clusters", opt->least, err));
    XA_RETURN_TRY(err, xa_schema_attr_i64(s, group, "most_clusters", opt->most, err));
    return xa_schema_attr_i64(s, group, "most_maps", opt->maps, err);
}

static xa_status add_series(xa_schema *s,
                            const xa_cluster_options *opt,
                            const xa__cluster_made *made,
                            const char *group,
                            xa_err *err)
{
    const xa_read_clusters *c = &made->c;
    const struct {
        xa_field_kind kind;
        const void *data;
    } fields[] = {{XA_FIELD_CLUSTER_STATUS, c->status},
                  {XA_FIELD_CLUSTER_GROUP, c->group},
                  {XA_FIELD_CLUSTER_NUMBER, c->number},
                  {XA_FIELD_CLUSTER_DISTANCE, c->distance},
                  {XA_FIELD_CLUSTER_EMBEDDING, c->embedding},
                  {XA_FIELD_CLUSTER_CLASS, c->class_index},
                  {XA_FIELD_CLUSTER_MAPS, c->maps},
                  {XA_FIELD_CLUSTER_NEIGHBOURS, c->neighbours},
                  {XA_FIELD_CLUSTER_COUNT, c->count},
                  {XA_FIELD_CLUSTER_EIGENVALUE, c->eigenvalue},
                  {XA_FIELD_CLUSTER_MEAN, c->mean}};
    xa_extents e = xa_extents_unknown();
    e.rows = c->rows;
    e.groups = c->groups;
    e.clusters = c->clusters;
    e.height = c->height;
    e.width = c->width;
    e.vectors = XA_CLUSTER_VECTORS;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const xa_field_spec spec = {.kind = fields[i].kind,
                                    .model = made->m->name,
                                    .explainer = made->x->name,
                                    .type = XA_TYPE_COUNT,
                                    .data = fields[i].data};
        int field;
        XA_RETURN_TRY(err, xa_schema_add_field(s, &spec, &e, &field, err));
    }
    return attributes(s, opt, made, group, err);
}

/* Makes room for the output. */
static xa_status make_room(const xa_cluster_options *opt, const char *part, xa_err *err)
{
    const bool there = access(opt->output, F_OK) == 0;
    if (there && opt->fresh)
        XA_RETURN_TRY(err, xa_set_aside(opt->output, err));
    else if (there)
        XA_RETURN_FAIL(err,
                       XA_BUSY,
                       "%s exists already: --fresh renames it, --as names another file; to add "
                       "clusters to an evaluation, cluster that: xaudit cluster %s",
                       opt->output,
                       opt->output);
    if (unlink(part) != 0 && errno != ENOENT)
        XA_RETURN_FAIL(err, XA_IO, "%s: cannot remove it: %s", part, strerror(errno));
    return XA_OK;
}

xa_status xa__cluster_write(const xa_cluster_options *opt,
                            const xa_read *r,
                            const xa__cluster_made *made,
                            int64_t n,
                            xa_err *err)
{
    xa_status st = XA_OK;
    xa_schema *schema = NULL;
    xa_lock *lock = NULL;
    char *part = xa_strfmt("%s.part", opt->output), *version = NULL;
    char **groups = xa_alloc((size_t)n + 1, sizeof *groups);
    const char *slash = strrchr(opt->archive, '/');
    bool created = false;
    if (!part || !groups)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_lock_take(opt->output, 120.0, &lock, err));
    XA_TRY(err, make_room(opt, part, err));
    XA_TRY(err, xa_schema_create(&schema, err));
    XA_TRY(err, xa_schema_attr_text(schema, "/", "tool_version", xa_tool_version(), err));
    XA_TRY(
        err,
        xa_schema_attr_text(schema, "/", "clustered_from", slash ? slash + 1 : opt->archive, err));
    /* its tables are the source's, of that format */
    XA_TRY(err, xa_archive_attr_text(r->archive, "/", "format_version", &version, err));
    XA_TRY(err, xa_schema_attr_text(schema, "/", "format_version", version, err));
    for (int64_t i = 0; i < n; i++) {
        groups[i] = xa_strdup(
            xa_field_group(XA_FIELD_CLUSTER_STATUS, made[i].m->name, made[i].x->name).text);
        if (!groups[i])
            XA_NOMEM_FAIL(err);
        XA_TRY(err, add_series(schema, opt, &made[i], groups[i], err));
    }
    const xa_graft graft = {.source = opt->archive,
                            .leave = (const char *const *)groups,
                            .nleave = (int)n,
                            .link = true};
    XA_TRY(err, xa_archive_create_from(part, schema, &graft, 1, err));
    created = true;
    XA_TRY(err, xa_archive_rename(part, opt->output, err));
    created = false;
done:
    if (created)
        (void)unlink(part);
    xa_lock_release(lock);
    xa_schema_free(schema);
    if (groups)
        xa_free_texts(groups, n);
    free(part);
    free(version);
    return st;
}
