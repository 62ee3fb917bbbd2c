/* Checks by name, their settings and what they store. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "xaudit/faith.h"

static const struct {
    const char *name, *description;
    unsigned settings; /* bits 1 << xa_faith_setting */
} kinds[XA_FAITH_COUNT] = {
#define X(kind, text, why) \
    [XA_FAITH_##kind] = {.name = text, .description = why, .settings = HAS_##kind},
#define BIT(setting) (1u << XA_FAITH_HAS_##setting)
#define HAS_DELETION BIT(STEPS) | BIT(BASELINE) | BIT(TIES)
#define HAS_INSERTION HAS_DELETION
#define HAS_IROF BIT(CELLS) | BIT(TIES)
#define HAS_ROAD BIT(TIES) | BIT(NOISE)
#define HAS_SENSITIVITY_N BIT(BASELINE) | BIT(DRAWS)
#define HAS_INFIDELITY BIT(DRAWS) | BIT(NOISE)
#define HAS_MAX_SENSITIVITY BIT(DRAWS) | BIT(RADIUS)
#define HAS_COMPLEXITY 0
    XA_FAITH_LIST(X)
#undef X
};

const char *xa_faith_kind_name(xa_faith_kind k)
{
    return kinds[k].name;
}

const char *xa_faith_description(xa_faith_kind k)
{
    return kinds[k].description;
}

const char *xa_faith_reference(xa_faith_kind k)
{
    static const char *const of[XA_FAITH_COUNT] = {
        [XA_FAITH_DELETION] = "Petsiuk et al.: RISE: randomized input sampling for explanation of "
                              "black-box models, BMVC 2018",
        [XA_FAITH_INSERTION] = "Petsiuk et al.: RISE: randomized input sampling for explanation of "
                               "black-box models, BMVC 2018",
        [XA_FAITH_IROF] = "Rieger, Hansen: IROF: a low resource evaluation metric for explanation "
                          "methods, ICLR workshop on AI for affordable healthcare 2020",
        [XA_FAITH_ROAD] = "Rong et al.: A consistent and efficient evaluation strategy for "
                          "attribution methods, ICML 2022",
        [XA_FAITH_SENSITIVITY_N] = "Ancona et al.: Towards better understanding of gradient-based "
                                   "attribution methods for deep neural networks, ICLR 2018",
        [XA_FAITH_INFIDELITY] =
            "Yeh et al.: On the (in)fidelity and sensitivity of explanations, NeurIPS 2019",
        [XA_FAITH_MAX_SENSITIVITY] =
            "Yeh et al.: On the (in)fidelity and sensitivity of explanations, NeurIPS 2019",
        [XA_FAITH_COMPLEXITY] = "Nguyen, Martinez: On quantitative aspects of model "
                                "interpretability, arXiv:2007.07584, 2020"};
    return of[k];
}

int xa_faith_kind_parse(const char *name)
{
    for (int i = 0; i < XA_FAITH_COUNT; i++)
        if (!strcmp(kinds[i].name, name))
            return i;
    return -1;
}

const char *xa_faith_setting_key(xa_faith_setting s)
{
    static const char *const keys[] = {
#define X(name, key) [XA_FAITH_HAS_##name] = key,
        XA_FAITH_SETTING_LIST(X)
#undef X
    };
    return keys[s];
}

bool xa_faith_has(xa_faith_kind k, xa_faith_setting s)
{
    return kinds[k].settings >> s & 1u;
}

const char *xa_faith_status_name(int status)
{
    static const char *const names[XA_CHECKED_COUNT] = {
        "pending", "done", "not sampled", "no map", "an answer was not finite", "not defined"};
    return status >= 0 && status < XA_CHECKED_COUNT ? names[status] : "?";
}

xa_faith_spec xa_faith_defaults(xa_faith_kind kind)
{
    static const xa_faith_spec of[XA_FAITH_COUNT] = {
        [XA_FAITH_DELETION] = {.images = 2000, .steps = 16, .baseline = XA_BASE_BLACK},
        [XA_FAITH_INSERTION] = {.images = 2000, .steps = 16, .baseline = XA_BASE_BLUR},
        [XA_FAITH_IROF] = {.images = 500, .cells = 8, .baseline = XA_BASE_MEAN},
        [XA_FAITH_ROAD] = {.images = 500, .noise = 0.01},
        [XA_FAITH_SENSITIVITY_N] = {.images = 500, .draws = 64, .baseline = XA_BASE_BLACK},
        [XA_FAITH_INFIDELITY] = {.images = 500, .draws = 32, .noise = 0.2},
        [XA_FAITH_MAX_SENSITIVITY] = {.images = 200, .draws = 10, .radius = 0.02},
    };
    xa_faith_spec s = of[kind];
    s.kind = kind;
    snprintf(s.name, sizeof s.name, "%s", kinds[kind].name);
    return s;
}

void xa_faith_settings(const xa_faith_spec *s, xa_str *out)
{
    if (xa_faith_has(s->kind, XA_FAITH_HAS_STEPS))
        xa_str_printf(out, "steps %d; ", s->steps);
    if (xa_faith_has(s->kind, XA_FAITH_HAS_BASELINE))
        xa_str_printf(out, "baseline %s; ", xa_base_name(s->baseline));
    if (xa_faith_has(s->kind, XA_FAITH_HAS_TIES))
        xa_str_printf(out, "ties %s; ", xa_ties_name(s->ties));
    if (xa_faith_has(s->kind, XA_FAITH_HAS_DRAWS))
        xa_str_printf(out, "draws %d; ", s->draws);
    if (xa_faith_has(s->kind, XA_FAITH_HAS_NOISE))
        xa_str_printf(out, "noise %g; ", s->noise);
    if (xa_faith_has(s->kind, XA_FAITH_HAS_CELLS))
        xa_str_printf(out, "cells %d; ", s->cells);
    if (s->kind == XA_FAITH_IROF)
        xa_str_puts(out, "baseline mean; ");
    if (xa_faith_has(s->kind, XA_FAITH_HAS_RADIUS))
        xa_str_printf(out, "radius %g; ", s->radius);
    if (s->images)
        xa_str_printf(out, "images %" PRId64, s->images);
    else
        xa_str_puts(out, "images all");
}

double xa_faith_size_share(int size)
{
    static const double share[XA_FAITH_SIZES] = {0.01, 0.05, 0.2, 0.5};
    return share[size];
}

int64_t xa_faith_size(int64_t n, int size)
{
    const int64_t k = (int64_t)(xa_faith_size_share(size) * (double)n + 0.5);
    return k < 1 ? 1 : k < XA_SUBSET_MOST ? k : XA_SUBSET_MOST;
}

int xa_faith_road_share(int i)
{
    static const int share[XA_FAITH_SHARES] = {10, 30, 50, 70, 90};
    return share[i];
}

/* Names end where one is NULL. The rivals' differences stand last. */
xa_faith_shape xa_faith_shape_of(const xa_faith_spec *s)
{
    static const xa_faith_shape of[XA_FAITH_COUNT] = {
        [XA_FAITH_DELETION] = {.blocks = XA_RIVAL_SHUFFLED + 1,
                               .probs = true,
                               .figure = {"auc",
                                          "auc_normalised",
                                          "base_prob",
                                          "base_keeps",
                                          "tied",
                                          "minus_random",
                                          "minus_edges",
                                          "minus_centre"}},
        [XA_FAITH_IROF] = {.blocks = XA_RIVAL_SHUFFLED + 1,
                           .probs = true,
                           .figure = {"aoc",
                                      "base_prob",
                                      "base_keeps",
                                      "tied",
                                      "minus_random",
                                      "minus_edges",
                                      "minus_centre"}},
        [XA_FAITH_ROAD] =
            {.blocks = XA_RIVAL_SHUFFLED + 1,
             .probs = true,
             .figure = {"difference", "tied", "minus_random", "minus_edges", "minus_centre"}},
        [XA_FAITH_SENSITIVITY_N] = {.blocks = 1,
                                    .figure = {"mean",
                                               "n01",
                                               "n05",
                                               "n20",
                                               "n50",
                                               "minus_random",
                                               "minus_edges",
                                               "minus_centre",
                                               "minus_shuffled"}},
        [XA_FAITH_INFIDELITY] = {.blocks = 1,
                                 .figure = {"scaled",
                                            "plain",
                                            "minus_random",
                                            "minus_edges",
                                            "minus_centre",
                                            "minus_shuffled"}},
        [XA_FAITH_MAX_SENSITIVITY] = {.figure = {"max", "mean", "changed"}},
        [XA_FAITH_COMPLEXITY] =
            {.figure = {"share", "minus_random", "minus_edges", "minus_centre"}},
    };
    xa_faith_shape x = of[s->kind == XA_FAITH_INSERTION ? XA_FAITH_DELETION : s->kind];
    x.points = s->kind == XA_FAITH_DELETION || s->kind == XA_FAITH_INSERTION ? s->steps + 1
               : s->kind == XA_FAITH_IROF          ? s->cells * s->cells + 1
               : s->kind == XA_FAITH_ROAD          ? 2 * XA_FAITH_SHARES
               : s->kind == XA_FAITH_SENSITIVITY_N ? XA_FAITH_SIZES * s->draws
               : s->kind == XA_FAITH_INFIDELITY    ? s->draws
                                                   : 0;
    while (x.figures < XA_FAITH_FIGURES && x.figure[x.figures])
        x.figures++;
    return x;
}

int xa_faith_better(const char *kind, const char *figure)
{
    static const int sign[XA_FAITH_COUNT] = {[XA_FAITH_DELETION] = -1,
                                             [XA_FAITH_INSERTION] = 1,
                                             [XA_FAITH_IROF] = 1,
                                             [XA_FAITH_ROAD] = 1,
                                             [XA_FAITH_SENSITIVITY_N] = 1,
                                             [XA_FAITH_INFIDELITY] = -1,
                                             [XA_FAITH_MAX_SENSITIVITY] = -1};
    static const char *const neither[] = {"base_prob", "base_keeps", "tied", "changed"};
    const int k = xa_word_index(figure, neither, (int)(sizeof neither / sizeof *neither));
    const int of = xa_faith_kind_parse(kind);
    return k < 0 && of >= 0 ? sign[of] : 0;
}
