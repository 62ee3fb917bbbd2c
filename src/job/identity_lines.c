/* Lines of the identity that settings are in: most by the types of their rows in settings.def, the
 * others by a function that their row names. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job_internal.h"

void xa__number_text(double value, xa_str *out)
{
    char digits[40];
    for (int n = 6; n <= 17; n++) {
        snprintf(digits, sizeof digits, "%.*g", n, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    xa_str_puts(out, digits);
}

void xa__text_line(const xa__lines *l, const char *key, const char *value)
{
    xa_str_printf(l->out, "%s%s = %s\n", l->of, key, value);
}

void xa__integer_line(const xa__lines *l, const char *key, int64_t value)
{
    xa_str_printf(l->out, "%s%s = %" PRId64 "\n", l->of, key, value);
}

static void number_line(const xa__lines *l, const char *key, double value)
{
    xa_str_printf(l->out, "%s%s = ", l->of, key);
    xa__number_text(value, l->out);
    xa_str_puts(l->out, "\n");
}

static void numbers_line(const xa__lines *l, const char *key, const double *value, int n)
{
    xa_str_printf(l->out, "%s%s =", l->of, key);
    for (int i = 0; i < n; i++) {
        xa_str_puts(l->out, " ");
        xa__number_text(value[i], l->out);
    }
    xa_str_puts(l->out, n ? "\n" : " none\n");
}

/* ---- by type ---- */

/* Truths are 1 and 0; the lines of archives that were begun long ago say so. */
static void plain_line(const xa__lines *l, const xa_setting *s, const void *object)
{
    xa_str value = {0};
    if (s->type == XA__TRUTH)
        xa_str_puts(&value, *((const bool *)object + s->offset) ? "1" : "0");
    else
        xa__value_text(s, object, &value);
    if (value.failed || !value.data)
        l->out->failed = true;
    else
        xa__text_line(l, s->line ? s->line : s->key, value.data);
    xa_str_free(&value);
}

static bool has_line(const xa_setting *s, int kind)
{
    if (s->of == XA__EVERY_KIND)
        return true;
    if (s->of == XA__THAT_HAVE_IT)
        return xa__kind_has(s, kind);
    const bool gradient = xa_explainer_has((xa_explainer_kind)kind, XA_EXPLAINER_CHANNELS);
    if (s->of == XA__ATTENTION)
        return xa_explainer_has((xa_explainer_kind)kind, XA_EXPLAINER_HEADS) ||
               (s->key && xa__kind_has(s, kind));
    return s->of == XA__GRADIENT ? gradient : !gradient;
}

void xa__setting_lines(xa__lines *l, xa_job_map map, int kind, unsigned parts, const void *object)
{
    size_t n;
    const xa_setting *all = xa__settings(&n);
    for (size_t i = 0; i < n; i++) {
        const xa_setting *s = &all[i];
        if (s->map != map)
            continue;
        if (s->type == XA__MAP)
            xa__setting_lines(l, s->sub, -1, parts, (const char *)object + s->offset);
        else if (!(s->part & parts) || s->within || !has_line(s, kind))
            continue;
        else if (s->lines)
            s->lines(l, s, object);
        else
            plain_line(l, s, object);
    }
}

/* ---- input ---- */

void xa__size_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_input_spec *spec = object;
    xa_str_printf(
        l->out, "%s%s = %" PRId64 "x%" PRId64 "\n", l->of, s->key, spec->height, spec->width);
}

void xa__fit_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_fit *fit = &((const xa_input_spec *)object)->fit;
    switch (fit->kind) {
    case XA_FIT_STRETCH:
        xa__text_line(l, s->key, "stretch");
        break;
    case XA_FIT_CROP:
        xa__text_line(l, s->key, "crop");
        xa__integer_line(l, "fit.short", fit->short_side);
        break;
    case XA_FIT_PAD:
        xa__text_line(l, s->key, "pad");
        number_line(l, "fit.pad", fit->pad_value);
        break;
    }
}

void xa__scale_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_scale *scale = &((const xa_input_spec *)object)->scale;
    xa__text_line(l, s->key, xa_scale_name(scale->kind));
    if (scale->kind == XA_SCALE_CUSTOM) {
        number_line(l, "scale.div", scale->div);
        numbers_line(l, "scale.mean", scale->mean, scale->channels);
        numbers_line(l, "scale.std", scale->std, scale->channels);
    }
}

void xa__depth_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_depth *depth = &((const xa_input_spec *)object)->depth;
    xa__text_line(l, s->key, xa_depth_name(depth->kind));
    if (depth->kind == XA_DEPTH_WINDOW || depth->kind == XA_DEPTH_PERCENTILE) {
        number_line(l, "depth.low", depth->low);
        number_line(l, "depth.high", depth->high);
    }
}

/* Images are decoded once for all: an explainer's own input has the orientation of its model's. */
void xa__orientation_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    if (!l->of_explainer)
        plain_line(l, s, object);
}

/* ---- explainers ---- */

void xa__target_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_explainer_spec *spec = object;
    xa__text_line(l, s->key, xa_target_name(spec->target));
    if (spec->target == XA_TARGET_UNIT)
        xa__integer_line(l, "target.unit", spec->target_class);
    else if (spec->target_class >= 0)
        xa__integer_line(l, "target.class", spec->target_class);
    if (spec->target_minus >= 0)
        xa__integer_line(l, "target.minus", spec->target_minus);
    if (spec->target == XA_TARGET_TOP)
        xa__integer_line(l, "target.top", spec->top);
}

/* Archives of before the setting have no line of it. */
void xa__direction_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_explainer_spec *spec = object;
    if (spec->down)
        xa__text_line(l, s->key, "down");
}

void xa__backward_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_explainer_spec *spec = object;
    if (spec->backward != XA_RULES_GRADIENT)
        xa__text_line(l, s->key, xa_rules_name(spec->backward));
}

/* The layer that was found, as `auto` may find another in another model. */
void xa__layer_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_explainer_spec *spec = object;
    const char *layer = l->audit ? xa_audit_layer(l->audit, l->model, l->explainer) : spec->layer;
    if (*layer)
        xa__text_line(l, s->key, layer);
}

void xa__layers_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_explainer_spec *spec = object;
    for (int i = 0; i < spec->nlayers; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s.%d", s->key, i);
        xa__text_line(l,
                      key,
                      l->audit ? xa_audit_layers(l->audit, l->model, l->explainer, i)
                               : spec->layers[i]);
    }
}

void xa__explainer_input_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_explainer_spec *spec = object;
    xa__lines own = *l;
    char *of = spec->has_input ? xa_strfmt("%s%s/", l->of, s->key) : NULL;
    if (!spec->has_input)
        return;
    own.of_explainer = true;
    own.of = of;
    if (of)
        xa__setting_lines(&own, XA_JOB_INPUT, -1, XA__PASS, &spec->input);
    else
        l->out->failed = true;
    free(of);
}

/* ---- metrics ---- */

void xa__at_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    static const char *const at[] = {"map", "grid", "input", "image"};
    const xa_metric_spec *m = object;
    xa__text_line(l, s->key, at[m->at]);
    if (m->at == XA_AT_GRID)
        xa__integer_line(l, "at.grid", m->grid);
}

void xa__tolerance_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_metric_spec *m = object;
    (void)s;
    number_line(l, m->tolerance_is_share ? "tolerance.share" : "tolerance.px", m->tolerance);
}

void xa__threshold_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    static const char *const cut[] = {"fraction", "otsu", "mean"};
    const xa_metric_spec *m = object;
    if (m->cut == XA_CUT_FRACTION)
        number_line(l, s->key, m->threshold);
    else
        xa__text_line(l, s->key, cut[m->cut]);
}

void xa__iou_lines(xa__lines *l, const xa_setting *s, const void *object)
{
    const xa_metric_spec *m = object;
    numbers_line(l, s->key, m->level, m->nlevels);
}
