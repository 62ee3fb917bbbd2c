/* timm's architectures by name: what tensors do not show. */
#include <stdlib.h>
#include <string.h>

#include "vit.h"

#define GELU XA_ACT_GELU, 0.0f
#define GELU_TANH XA_ACT_GELU_TANH, 0.0f
#define QUICK_GELU XA_ACT_SWISH, XA__QUICK_GELU_SLOPE
#define KNOWN(name, width, heads, act, epsilon, block, norm, pool, last, position) \
    {name,                                                                         \
     NULL,                                                                         \
     width,                                                                        \
     heads,                                                                        \
     act,                                                                          \
     epsilon,                                                                      \
     XA__VIT_##block,                                                              \
     XA__VIT_NORM_##norm,                                                          \
     XA__VIT_POOL_##pool,                                                          \
     XA__VIT_LAST_##last,                                                          \
     XA__VIT_POSITION_##position},
#define REFUSED(name, why) {name, why, 0, 0, GELU, 0.0, 0, 0, 0, 0, 0},
static const xa__vit_known known[] = {
#include "timm.inc"
};

static int by_name(const void *key, const void *row)
{
    return strcmp(key, ((const xa__vit_known *)row)->name);
}

/* A tag, as in "vit_base_patch16_224.augreg_in1k", names the training, not the architecture. */
const xa__vit_known *xa__vit_find_known(const char *architecture)
{
    char name[128];
    const size_t n = strcspn(architecture, ".");
    if (n >= sizeof name)
        return NULL;
    memcpy(name, architecture, n);
    name[n] = '\0';
    return bsearch(name, known, sizeof known / sizeof *known, sizeof *known, by_name);
}

const xa__vit_known *xa__vit_known_at(size_t i)
{
    return i < sizeof known / sizeof *known ? &known[i] : NULL;
}
