/* RotaryEmbedding: pairs of elements turned by an angle that the position tells (Su et al. 2021,
 * equation 34). y = x*C + x'*S, where x' has the elements of each pair exchanged, and C and S are
 * constants: the cosine or 1, the sine, with its sign, or 0. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runs.h"

typedef struct rotary {
    int64_t batch, heads, tokens, width; /* of x; positions may differ from sample to sample */
    int64_t turned;                      /* elements that are turned, the first of each head */
    bool flat;                           /* x [N,T,heads*width], else [N,heads,T,width] */
    bool interleaved;                    /* pairs are neighbours, else of two halves */
    bool good;
} rotary;

static xa_status rotary_of(xa__onnx_build *b, xa__onnx_node *n, rotary *r, xa_err *err)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape, *c = &xa__onnx_in(b, n, 1)->shape;
    const xa__onnx_value *where = xa__onnx_in(b, n, 3);
    const int64_t heads = xa__onnx_int(b->m, n, "num_heads", 0);
    *r = (rotary){.batch = s->dim[0],
                  .interleaved = xa__onnx_int(b->m, n, "interleaved", 0) != 0,
                  .flat = s->rank == 3};
    if (s->rank == 4) {
        r->heads = s->dim[1];
        r->tokens = s->dim[2];
        r->width = s->dim[3];
    } else if (s->rank == 3 && heads > 0 && s->dim[2] % heads == 0) {
        r->heads = heads;
        r->tokens = s->dim[1];
        r->width = s->dim[2] / heads;
    } else {
        return xa__onnx_refuse(
            b, n, err, "its input has %d axes, or its heads do not fit", s->rank);
    }
    r->turned = xa__onnx_int(b->m, n, "rotary_embedding_dim", 0);
    r->turned = r->turned ? r->turned : r->width;
    for (int i = 1; i < 4; i++)
        if (xa__onnx_in(b, n, i) && !xa__onnx_in(b, n, i)->constant)
            return xa__onnx_refuse(b, n, err, "its angles or positions depend on the image");
    const bool fits = c->rank == (where ? 2 : 3) && c->dim[c->rank - 1] == r->turned / 2 &&
                      xa__onnx_shape_equal(c, &xa__onnx_in(b, n, 2)->shape) &&
                      (where ? xa__onnx_count(&where->shape) == r->batch * r->tokens
                             : c->dim[0] == r->batch && c->dim[1] == r->tokens);
    if (r->turned < 2 || r->turned % 2 || r->turned > r->width || !fits)
        return xa__onnx_refuse(b, n, err, "its angles do not fit %" PRId64 " elements", r->width);
    r->good = true;
    return XA_OK;
}

static xa_status rotary_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    rotary r;
    XA_RETURN_TRY(err, rotary_of(b, n, &r, err));
    return r.good ? xa__onnx_infer_same(b, n, err) : XA_OK;
}

/* The other of element i's pair, and i's angle; *second: it is the pair's second. */
static int64_t partner(const rotary *r, int64_t i, int64_t *angle, bool *second)
{
    const int64_t half = r->turned / 2;
    *second = r->interleaved ? i % 2 == 1 : i >= half;
    *angle = r->interleaved ? i / 2 : i % half;
    return r->interleaved ? (*second ? i - 1 : i + 1) : (*second ? i - half : i + half);
}

/* C and S, each [batch, tokens, width]. */
static xa_status fill_angles(
    xa__onnx_build *b, const xa__onnx_node *n, const rotary *r, float *c, float *s, xa_err *err)
{
    const xa__onnx_shape *cache = &xa__onnx_in(b, n, 1)->shape;
    const bool listed = xa__onnx_in(b, n, 3) != NULL;
    for (int i = 1; i < 4; i++)
        if (xa__onnx_in(b, n, i))
            XA_RETURN_TRY(err, xa__onnx_evaluate(b, n->inputs[i], err));
    const double *cosine = xa__onnx_data(b, n->inputs[1]), *sine = xa__onnx_data(b, n->inputs[2]);
    for (int64_t t = 0; t < r->batch * r->tokens; t++, c += r->width, s += r->width) {
        const double at = listed ? xa__onnx_data(b, n->inputs[3])[t] : (double)t;
        if (listed && !(at >= 0.0 && at < (double)cache->dim[0]))
            XA_RETURN_FAIL(err, XA_UNSUPPORTED, "a position is outside its angles");
        const int64_t row = (int64_t)at * (r->turned / 2);
        for (int64_t i = 0; i < r->width; i++) {
            int64_t angle = 0;
            bool second = false;
            c[i] = 1.0f;
            s[i] = 0.0f;
            if (i >= r->turned)
                continue;
            partner(r, i, &angle, &second);
            c[i] = (float)cosine[row + angle];
            s[i] = (float)(second ? sine[row + angle] : -sine[row + angle]);
        }
    }
    return XA_OK;
}

static xa_status rotary_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa_status st = XA_OK;
    rotary r;
    xa__onnx_run x = *xa__onnx_run_of(b, n, 0), other, angles[2];
    float *values = NULL, *list = NULL;
    XA_TRY(err, rotary_of(b, n, &r, err));
    const int64_t size = r.batch * r.tokens * r.width;
    const xa__onnx_shape split = {4, {r.batch, r.tokens, r.heads, r.width}};
    const xa__onnx_shape shape = r.flat ? (xa__onnx_shape){4, {r.batch, r.tokens, 1, r.width}}
                                        : (xa__onnx_shape){4, {r.batch, 1, r.tokens, r.width}};
    XA_TRY(err, xa__onnx_floats(b, 2 * size, &values, err));
    XA_TRY(err, xa__onnx_floats(b, r.width, &list, err));
    XA_TRY(err, fill_angles(b, n, &r, values, values + size, err));
    for (int64_t i = 0; i < r.width; i++) {
        int64_t angle;
        bool second;
        list[i] = (float)(i < r.turned ? partner(&r, i, &angle, &second) : i);
    }
    if (r.flat)
        XA_TRY(err, xa__onnx_regroup(b, n, &x, &split, err));
    other = x;
    XA_TRY(err, xa__onnx_gather_run(b, n, &other, 3, list, r.width, err));
    for (int k = 0; k < 2; k++) {
        XA_TRY(err, xa__onnx_literal(b, n, &shape, values + k * size, &angles[k], err));
        XA_TRY(err,
               xa__onnx_pair(b, n, XA_OP_MULTIPLY, k ? &other : &x, &angles[k], &angles[k], err));
    }
    XA_TRY(err, xa__onnx_pair(b, n, XA_OP_ADD, &angles[0], &angles[1], &x, err));
    XA_TRY(err, xa__onnx_regroup(b, n, &x, &xa__onnx_out(b, n, 0)->shape, err));
    xa__onnx_made(b, n, 0, x.node, &x.at);
done:
    free(values);
    free(list);
    return st;
}

const xa__onnx_op xa__onnx_ops_rotary[] = {
    {"RotaryEmbedding", 3, 4, rotary_infer, NULL, rotary_lower}, {0}};
