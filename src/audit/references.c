/* Other images of the data set that explainers compare with: which, and their way to the input. */
#include <stdlib.h>
#include <string.h>

#include "audit_internal.h"
#include "xaudit/faith.h"

enum { KEPT = 16 }; /* inputs at hand, beside those of a batch */

bool xa_audit_needs_references(const xa_audit *a)
{
    for (int m = 0; m < a->spec->nmodels; m++)
        for (int e = 0; e < a->spec->models[m].nexplainers; e++)
            if (xa_explainer_get(a->spec->models[m].explainers[e].kind)->needs_references)
                return true;
    return false;
}

/* A line each: ids and files with line ends are left out. */
static void put(xa_str *out, const char *text)
{
    xa_str_puts(out, text);
    xa_str_puts(out, "\n");
}

xa_status
xa_audit_choose_references(const xa_audit *a, const xa_manifest *m, xa_str *out, xa_err *err)
{
    const size_t n = (size_t)m->count;
    xa_status st = XA_OK;
    int64_t usable = 0;
    uint64_t *hash = xa_alloc(n + 1, sizeof *hash);
    int32_t *class_of = xa_alloc(n + 1, sizeof *class_of);
    const xa_sample **from = xa_alloc(n + 1, sizeof *from);
    int64_t *turn = xa_alloc(n + 1, sizeof *turn);
    if (!hash || !class_of || !from || !turn)
        XA_NOMEM_FAIL(err);
    for (int64_t i = 0; i < m->count; i++) {
        const xa_sample *s = &m->samples[i];
        if (s->exclude || strchr(s->file, '\n') || strchr(s->id, '\n'))
            continue;
        from[usable] = s;
        hash[usable] = xa_hash64(s->id, strlen(s->id), 0);
        class_of[usable++] = s->nlabels ? s->labels[0] : -1;
    }
    if (usable < 2)
        XA_FAIL(err,
                XA_INVALID,
                "%s: expected_gradients compares an image with others, and the manifest has %d "
                "that could be used; leave the explainer out, or add images",
                m->file,
                (int)usable);
    XA_TRY(err, xa_faith_turns(usable, hash, class_of, (uint64_t)a->spec->seed, turn, err));
    for (int64_t i = 0; i < usable; i++)
        if (turn[i] < XA_REFERENCES_MOST) {
            put(out, from[i]->id);
            put(out, from[i]->file);
        }
    if (out->failed)
        XA_NOMEM_FAIL(err);
done:
    free(hash);
    free(class_of);
    free((void *)from);
    free(turn);
    return st;
}

/* ---- their inputs ---- */

/* The input of reference k by the subject's way; the least recently used of those at hand makes
 * room. Those of a whole batch stay between fill and read. */
static const float *read_input(void *arg, const xa_subject *s, int64_t k)
{
    xa_audit_model *am = arg;
    const xa_reference_list *list = am->references;
    /* each way has a range of its own; a moved input keeps that of its image */
    const int w = (int)((s->black - am->ranges) / (2 * am->input.dim[2]));
    const int64_t n = xa_shape_count(&am->input);
    int oldest = 0;
    for (int i = 0; i < am->nat_hand; i++) {
        xa_at_hand *h = &am->at_hand[i];
        if (h->used && h->way == w && h->k == k) {
            h->used = ++am->uses;
            return h->readable ? am->at_hand_input + i * n : NULL;
        }
        if (h->used < am->at_hand[oldest].used)
            oldest = i;
    }
    xa_image im = {0};
    double affine[2][3];
    xa_err why = XA_ERR_INIT;
    float *x = am->at_hand_input + oldest * n;
    const bool readable =
        xa_image_read(list->file[k], am->decode, &im, &why) == XA_OK &&
        xa_preprocess(&im, am->ways[w], (int)am->input.dim[2], x, affine, &why) == XA_OK;
    xa_image_fini(&im);
    am->at_hand[oldest] = (xa_at_hand){w, k, ++am->uses, readable};
    return readable ? x : NULL;
}

static int kept_of(const xa_audit_model *am)
{
    return (int)am->batch + KEPT;
}

size_t xa_reference_bytes(const xa_audit_model *am)
{
    return (size_t)kept_of(am) * (size_t)xa_shape_count(&am->input) * sizeof(float);
}

static xa_status hold(xa_audit *a, xa_audit_model *am, xa_err *err)
{
    bool needed = false;
    for (int e = 0; e < am->spec->nexplainers; e++)
        needed = needed || xa_explainer_get(am->spec->explainers[e].kind)->needs_references;
    if (!needed)
        return XA_OK;
    am->nat_hand = kept_of(am);
    if (!am->at_hand)
        am->at_hand = xa_alloc((size_t)am->nat_hand, sizeof *am->at_hand);
    if (!am->at_hand_input)
        am->at_hand_input =
            xa_alloc((size_t)am->nat_hand * (size_t)xa_shape_count(&am->input), sizeof(float));
    if (!am->at_hand || !am->at_hand_input)
        XA_RETURN_NOMEM(err);
    memset(am->at_hand, 0, (size_t)am->nat_hand * sizeof *am->at_hand); /* those of another list */
    am->references = &a->references;
    am->decode = &a->spec->decode;
    am->source = (xa_references){a->references.n, read_input, am};
    return XA_OK;
}

xa_status xa_audit_set_references(xa_audit *a, const char *text, size_t size, xa_err *err)
{
    xa_reference_list *list = &a->references;
    xa_reference_list_fini(list);
    list->text = xa_alloc(size + 1, 1);
    if (!list->text)
        XA_RETURN_NOMEM(err);
    memcpy(list->text, text, size);
    char *at = list->text;
    for (; *at && list->n < XA_REFERENCES_MOST; list->n++) {
        char *file = strchr(at, '\n'), *end = file ? strchr(file + 1, '\n') : NULL;
        if (!end)
            break;
        *file++ = *end = '\0';
        list->id[list->n] = at;
        list->file[list->n] = file;
        at = end + 1;
    }
    for (int m = 0; m < a->spec->nmodels; m++)
        XA_RETURN_TRY(err, hold(a, &a->models[m], err));
    return XA_OK;
}

void xa_reference_list_fini(xa_reference_list *list)
{
    free(list->text);
    *list = (xa_reference_list){0};
}

int64_t xa_audit_references(const xa_audit *a)
{
    return a->references.n;
}

const char *xa_audit_reference_id(const xa_audit *a, int64_t k)
{
    return a->references.id[k];
}

int64_t xa_reference_self(const xa_audit_model *am, const xa_sample *s)
{
    for (int64_t k = 0; am->references && s->id && k < am->references->n; k++)
        if (!strcmp(am->references->id[k], s->id))
            return k;
    return -1;
}
