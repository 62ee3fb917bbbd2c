/* Is an archive whole? The maps of an explainer. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify_internal.h"
#include "xaudit/explain.h"

/* Places of the columns: two, then those of the table. */
enum {
    VALUES,
    SAMPLE,
    FIRST,
    SCALE = FIRST,
    TARGET = FIRST + XA_FIELD_MAP_TARGET - XA_FIELD_MAP_SCALE,
    FLAGS = FIRST + XA_FIELD_MAP_FLAGS - XA_FIELD_MAP_SCALE,
    MAXIMUM = FIRST + XA_FIELD_MAP_MAXIMUM - XA_FIELD_MAP_SCALE,
    CHECKSUM = FIRST + XA_FIELD_MAP_CHECKSUM - XA_FIELD_MAP_SCALE,
    COLUMNS = FIRST + XA_FIELDS_OF(MAP)
};

typedef struct maps {
    xa__verifier *v;
    const char *model, *explainer;
    xa__column column[COLUMNS];
    const uint8_t *status;
    int64_t classes, before;
    xa_shape shape;
    bool half, targeted;
    float *map; /* one row, decoded */
} maps;

static void damage(maps *m, int64_t row, int64_t sample, const char *what)
{
    char name[256] = "no sample";
    if (sample >= 0)
        xa__verify_row(m->v, sample, name, sizeof name);
    xa__report_row(m->v,
                   sample,
                   "model %s, explainer %s, map row %" PRId64 " of sample %s: %s",
                   m->model,
                   m->explainer,
                   row,
                   name,
                   what);
}

static bool is_power_of_two(float x)
{
    int e;
    return isfinite(x) && frexpf(x, &e) == 0.5f;
}

/* The row decoded into m->map. */
static void decode(maps *m, int64_t i, float scale)
{
    const int64_t n = xa_shape_count(&m->shape);
    const char *stored =
        (const char *)m->column[VALUES].data + (size_t)i * m->column[VALUES].row_bytes;
    if (!m->half) {
        memcpy(m->map, stored, (size_t)n * sizeof(float));
        return;
    }
    const uint16_t *half = (const uint16_t *)(const void *)stored;
    for (int64_t k = 0; k < n; k++)
        m->map[k] = xa_f32_from_f16(half[k]) * scale;
}

/* Facts of half floats were taken before the rounding: half a unit in the last place, or in the
 * smallest number there is. */
static bool maximum_fits(const maps *m, float stored, float taken, float scale)
{
    if (isnan(stored) || isnan(taken))
        return isnan(stored) && isnan(taken);
    if (!m->half)
        return stored == taken;
    return fabsf(stored - taken) <= ldexpf(fabsf(stored), -11) + ldexpf(scale, -25);
}

static const char *wrong_with(maps *m, int64_t i)
{
    const float scale = ((const float *)m->column[SCALE].data)[i];
    const float maximum = ((const float *)m->column[MAXIMUM].data)[i];
    const int32_t target = ((const int32_t *)m->column[TARGET].data)[i];
    const uint8_t flags = ((const uint8_t *)m->column[FLAGS].data)[i];
    if (!is_power_of_two(scale) || (!m->half && scale != 1.0f))
        return m->half ? "its scale is no power of two" : "its scale is not 1";
    if (m->targeted ? target < 0 || target >= m->classes : target != -1)
        return "its target is not one of the model's classes";
    decode(m, i, scale);
    const xa_map_facts facts = xa_map_inspect(m->map, &m->shape);
    if (facts.flags != (m->half ? flags & ~XA_MAP_FLAG_SATURATED : flags))
        return "its flags are not those of its values";
    if (!maximum_fits(m, maximum, facts.maximum, scale))
        return "its maximum is not that of its values";
    return NULL;
}

static void visit_maps(void *arg, int64_t first, int64_t n)
{
    maps *m = arg;
    const size_t bytes = m->column[VALUES].row_bytes;
    for (int64_t i = 0; i < n; i++) {
        const int64_t sample = ((const int64_t *)m->column[SAMPLE].data)[i];
        const uint32_t want = ((const uint32_t *)m->column[CHECKSUM].data)[i];
        char text[128];
        if (sample < m->before || sample >= m->v->samples) {
            snprintf(text,
                     sizeof text,
                     "its sample is %" PRId64 ", after %" PRId64 ", of %" PRId64,
                     sample,
                     m->before,
                     m->v->samples);
            damage(m, first + i, -1, text);
            continue;
        }
        m->before = sample;
        if (m->status[sample] != XA_SAMPLE_DONE)
            continue;
        m->v->out->maps++;
        const uint32_t sum =
            xa_checksum((const char *)m->column[VALUES].data + (size_t)i * bytes, bytes);
        if (sum != want) {
            snprintf(
                text, sizeof text, "checksum %08" PRIx32 ", its values give %08" PRIx32, want, sum);
            damage(m, first + i, sample, text);
            continue;
        }
        const char *wrong = wrong_with(m, i);
        if (wrong)
            damage(m, first + i, sample, wrong);
    }
}

/* Columns that only some explainers have. */
static bool is_optional(xa_field_kind kind)
{
    return kind == XA_FIELD_MAP_COMPLETENESS || kind == XA_FIELD_MAP_EXPLAINED ||
           kind == XA_FIELD_MAP_PREFIX_MASS || kind == XA_FIELD_MAP_NEAREST;
}

static bool find_columns(maps *m)
{
    xa__column *c = m->column;
    xa_extents x = xa_extents_unknown();
    if (!xa__verify_find(m->v, &c[VALUES], XA_FIELD_MAP_VALUES, m->model, m->explainer, &x))
        return false;
    m->half = c[VALUES].info.type == XA_TYPE_F16;
    x.rows = c[VALUES].info.dim[0];
    bool whole = xa__verify_find(m->v, &c[SAMPLE], XA_FIELD_MAP_SAMPLE, m->model, m->explainer, &x);
    for (int i = 0; i < XA_FIELDS_OF(MAP); i++) { /* every damage is reported */
        const xa_field_kind kind = xa_owned_field(XA_OWNER_MAP, i);
        whole &= is_optional(kind)
                     ? xa__verify_find_any(m->v, &c[FIRST + i], kind, m->model, m->explainer, &x)
                     : xa__verify_find(m->v, &c[FIRST + i], kind, m->model, m->explainer, &x);
    }
    return whole;
}

/* One row per pair, whatever is in it: scores or what they are made of. */
static xa_status check_localisation(maps *m, xa_err *err)
{
    char **names = NULL;
    int64_t n = 0;
    xa_dataset_info info;
    xa_status st = XA_OK;
    const xa_path group = xa_field_group(XA_FIELD_LOCALISATION, m->model, m->explainer);
    st = xa_archive_list(m->v->archive, group.text, &names, &n, err);
    if (st == XA_NOT_FOUND) {
        st = XA_OK;
        goto done;
    }
    XA_TRY(err, st);
    for (int64_t k = 0; k < n; k++) {
        const xa_path path = xa_field_name(XA_FIELD_LOCALISATION, m->model, m->explainer, names[k]);
        xa_err why = XA_ERR_INIT;
        if (xa_archive_dataset(m->v->archive, path.text, &info, &why) != XA_OK)
            xa__report(m->v, XA_FINDING_DAMAGE, "%s: %s", path.text, why.message);
        else if (m->v->pairs >= 0 && (info.ndim < 1 || info.dim[0] != m->v->pairs))
            xa__report(m->v,
                       XA_FINDING_DAMAGE,
                       "%s: expected a row for each of %" PRId64 " pairs, found %" PRId64,
                       path.text,
                       m->v->pairs,
                       info.ndim < 1 ? 1 : info.dim[0]);
    }
done:
    xa_free_texts(names, n);
    return st;
}

xa_status xa__verify_maps(xa__verifier *v,
                          const char *model,
                          const char *explainer,
                          const uint8_t *status,
                          int64_t classes,
                          xa_err *err)
{
    maps m = {.v = v, .model = model, .explainer = explainer, .status = status, .classes = classes};
    char *rule = NULL;
    xa_status st = XA_OK;
    const xa_path group = xa_field_group(XA_FIELD_MAP_SAMPLE, model, explainer);
    const xa_path values = xa_field_name(XA_FIELD_MAP_VALUES, model, explainer, NULL);
    XA_TRY(err, xa_archive_check_link(v->archive, values.text, err));
    if (!find_columns(&m))
        goto done;
    const int64_t *dim = m.column[VALUES].info.dim;
    m.shape = (xa_shape){.ndim = 3, .dim = {dim[1], dim[2], dim[3]}};
    XA_TRY(err, xa_archive_attr_text(v->archive, group.text, "target", &rule, err));
    m.targeted = !rule || strcmp(rule, xa_target_name(XA_TARGET_NONE));
    m.map = xa_alloc((size_t)xa_shape_count(&m.shape) + 1, sizeof(float));
    if (!m.map)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for a map", group.text);
    if (v->opt->values)
        XA_TRY(err, xa__verify_blocks(v, m.column, COLUMNS, visit_maps, &m, err));
    XA_TRY(err, check_localisation(&m, err));
done:
    free(m.map);
    free(rule);
    return st;
}
