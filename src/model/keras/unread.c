/* Weights that no layer takes: kernels of LoRA, scales of quantised kernels, weights of the model
 * itself, or of another model. Scores without them would be those of another model. */
#include "unread.h"

#include <stdlib.h>
#include <string.h>

typedef struct paths {
    char **item;
    size_t count, cap;
} paths;

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "a//b" as "a/b", in place. */
static void collapse(char *path)
{
    char *to = path;
    for (const char *from = path; *from; from++)
        if (*from != '/' || (to != path && to[-1] != '/'))
            *to++ = *from;
    *to = '\0';
}

static xa_status add_bound(paths *p, const xa__kfile *f, const xa__kscope *scope, xa_err *err)
{
    for (int i = 0; i < scope->nlayers; i++) {
        const xa__klayer *l = &scope->layers[i];
        if (l->inner)
            XA_RETURN_TRY(err, add_bound(p, f, l->inner, err));
        for (int k = 0; k < XA__KMAX_SLOTS; k++) {
            if (l->tensor[k] < 0)
                continue;
            XA_RETURN_TRY(err, xa_grow(&p->item, &p->cap, p->count + 1, sizeof *p->item, err));
            p->item[p->count] = xa_strdup(f->tensors[l->tensor[k]].path);
            if (!p->item[p->count])
                XA_RETURN_NOMEM(err);
            collapse(p->item[p->count++]);
        }
    }
    return XA_OK;
}

static bool component_begins(const char *path, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = path; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (!strncmp(at, word, n))
            return true;
    }
    return false;
}

/* Is it a state that no score depends on: of the training, of a random generator, which only layers
 * use that drop or augment in training, or of SpectralNormalization's estimate? */
static bool is_state(const char *below)
{
    static const char *const training[] = {"optimizer/", "optimizer_weights/", "metrics/"};
    static const char *const random[] = {
        "seed_generator", "random_generator", "_random_generator", "StateVar", "vector_u", "sn_u"};
    for (size_t i = 0; i < sizeof training / sizeof *training; i++)
        if (!strncmp(below, training[i], strlen(training[i])))
            return true;
    for (size_t i = 0; i < sizeof random / sizeof *random; i++)
        if (component_begins(below, random[i]))
            return true;
    return false;
}

static const char *reason(const char *path)
{
    if (strstr(path, "lora"))
        return "They are LoRA's, which Keras adds to the kernel when it runs the model: merge "
               "them, in "
               "Python: keras.models.load_model(\"model.h5\").save(\"model.keras\")";
    if (strstr(path, "scale") || strstr(path, "zero"))
        return "A quantised model is not read: save it as it was before quantize()";
    return "Scores computed without them would be of another model";
}

xa_status xa__kunread_check(xa__kfile *f, const xa__kscope *scope, xa_err *err)
{
    enum { TOLD = 4 };
    xa_status st = XA_OK;
    paths bound = {0};
    xa_names all = {0};
    xa_str list = {0};
    size_t unread = 0;
    const char *first = NULL, *base = f->base;
    XA_TRY(err, add_bound(&bound, f, scope, err));
    if (bound.count > 1)
        qsort(bound.item, bound.count, sizeof *bound.item, compare);
    XA_TRY(err, xa__kfile_list(f, &all, err));
    for (size_t i = 0; i < all.count; i++) {
        const char *path = all.item[i], *below = path + strlen(base);
        if (strncmp(path, base, strlen(base)) != 0 || is_state(below) ||
            (bound.count && bsearch(&path, bound.item, bound.count, sizeof *bound.item, compare)))
            continue;
        if (!first || (!strstr(first, "lora") && strstr(below, "lora")))
            first = below;
        if (unread++ < TOLD)
            xa_str_printf(&list, "%s\"%s\"", unread > 1 ? ", " : "", below);
    }
    if (list.failed)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", f->path);
    if (unread)
        XA_FAIL(err,
                XA_MISMATCH,
                "%s: no layer of the architecture reads %zu of its weights: %s%s. %s",
                f->path,
                unread,
                list.data,
                unread > TOLD ? ", ..." : "",
                reason(first));
done:
    for (size_t i = 0; i < bound.count; i++)
        free(bound.item[i]);
    free(bound.item);
    xa_names_free(&all);
    xa_str_free(&list);
    return st;
}
