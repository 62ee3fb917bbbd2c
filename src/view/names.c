/* Names as papers write them. */
#include <string.h>

#include "view_internal.h"

/* clang-format off */
static const struct {
    const char *kind, *shown;
    bool pixelwise;
} kinds[] = {
    {"saliency", "Saliency", true},
    {"gradient", "Gradient", true},
    {"gradient_x_input", "Gradient x input", true},
    {"integrated_gradients", "Integrated gradients", true},
    {"expected_gradients", "Expected gradients", true},
    {"smoothgrad", "SmoothGrad", true},
    {"fullgrad", "FullGrad", true},
    {"occlusion", "Occlusion", false},
    {"rise", "RISE", false},
    {"gradcam", "Grad-CAM", false},
    {"gradcam++", "Grad-CAM++", false},
    {"hirescam", "HiResCAM", false},
    {"layercam", "LayerCAM", false},
    {"xgradcam", "XGrad-CAM", false},
    {"eigencam", "Eigen-CAM", false},
    {"fem", "FEM", false},
    {"scorecam", "Score-CAM", false},
    {"ablationcam", "Ablation-CAM", false},
    {"attention", "Attention", false},
    {"rollout", "Rollout", false},
    {"grad_rollout", "Gradient rollout", false},
    {"relevance", "Relevance", false},
    {"attention_gradcam", "Attention Grad-CAM", false},
    {"legrad", "LeGrad", false},
    {"gmar", "GMAR", false},
    {"attcat", "AttCAT", false},
};

static const struct {
    const char *name, *shown;
} words[] = {
    {"prob", "probability"},
    {"logprob", "log probability"},
    {"pointing_game", "pointing game"},
    {"energy", "energy"},
    {"relevance_mass", "relevance mass"},
    {"relevance_rank", "relevance rank"},
    {"top_k", "top k"},
    {"roc_auc", "ROC AUC"},
    {"average_focus", "Focus"},
    {"iou", "IoU"},
    {"box_iou", "box IoU"},
    {"gt_known", "GT-known"},
    {"top1", "Top-1 Loc"},
    {"top5", "Top-5 Loc"},
    {"box_acc", "MaxBoxAcc"},
    {"pxap", "PxAP"},
    {"average_drop", "average drop"},
    {"deletion", "Deletion"},
    {"deletion.auc", "Deletion"},
    {"insertion", "Insertion"},
    {"insertion.auc", "Insertion"},
    {"irof", "IROF"},
    {"irof.aoc", "IROF"},
    {"road", "ROAD"},
    {"road.difference", "ROAD"},
    {"sensitivity_n", "Sensitivity-n"},
    {"sensitivity_n.mean", "Sensitivity-n"},
    {"infidelity", "Infidelity"},
    {"infidelity.scaled", "Infidelity"},
    {"max_sensitivity", "Max-sensitivity"},
    {"max_sensitivity.max", "Max-sensitivity"},
    {"complexity", "Complexity"},
    {"complexity.share", "Complexity"},
};
/* clang-format on */

/* A word of the table, or the text with spaces for underscores. */
static void show_word(const char *text, size_t n, char *out, size_t size)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].name) == n && !strncmp(words[i].name, text, n)) {
            snprintf(out, size, "%s", words[i].shown);
            return;
        }
    snprintf(out, size, "%.*s", (int)n, text);
    for (char *p = out; *p; p++)
        if (*p == '_')
            *p = ' ';
}

static int kind_index(const char *kind)
{
    for (size_t i = 0; kind && i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].kind, kind))
            return (int)i;
    return -1;
}

xa_title xa_title_of_explainer(const char *name, const char *kind)
{
    xa_title out = {0};
    const int at = kind_index(kind);
    const size_t n = kind ? strlen(kind) : 0;
    if (at < 0 || strncmp(name, kind, n) != 0 || (name[n] && name[n] != '.')) {
        snprintf(out.name, sizeof out.name, "%.90s", name);
        return out;
    }
    snprintf(out.name, sizeof out.name, "%s", kinds[at].shown);
    size_t used = 0;
    for (const char *part = name + n; *part == '.';) {
        char word[96];
        const size_t length = strcspn(++part, ".");
        show_word(part, length, word, sizeof word);
        used += (size_t)snprintf(
            out.detail + used, sizeof out.detail - used, "%s%s", used ? ", " : "", word);
        used = used < sizeof out.detail ? used : sizeof out.detail - 1;
        part += length;
    }
    return out;
}

xa_title xa_title_of_map(const xa_read_map *x)
{
    xa_title out = {0};
    if (!x->title || !*x->title)
        return xa_title_of_explainer(x->name, x->kind);
    snprintf(out.name, sizeof out.name, "%.90s", x->title);
    return out;
}

void xa_title_of_metric(const char *name, char *out, size_t size)
{
    show_word(name, strlen(name), out, size);
}

bool xa_kind_is_pixelwise(const char *kind)
{
    const int at = kind_index(kind);
    return at >= 0 && kinds[at].pixelwise;
}
