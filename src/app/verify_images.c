/* Are the images still those that were audited? */
#include <stdlib.h>

#include "reader.h"
#include "verify_internal.h"

static void other(xa_verifier *v, int64_t sample, const char *file, const char *what)
{
    char row[256];
    xa_verify_tell(
        v, XA_FINDING_IMAGE, "%s: %s: %s", xa_verify_row(v, sample, row, sizeof row), file, what);
}

/* NOMEM alone is an error. */
static xa_status look_at(xa_verifier *v, const xa_decode_options *opt, int64_t sample, xa_err *err)
{
    xa_image im = {0};
    xa_err why = XA_ERR_INIT;
    char *file = NULL;
    bool same = false;
    xa_status st = xa_read_image_file(v->archive, v->opt->image_root, sample, &file, &why);
    if (st == XA_OK)
        st = xa_image_read(file, opt, &im, &why);
    if (st == XA_OK) {
        v->out->images++;
        st = xa_read_same_pixels(v->archive, sample, &im, &same, &why);
    }
    if (st == XA_NOMEM)
        XA_FAIL(err, st, "%s", why.message);
    if (st != XA_OK)
        other(v, sample, "it cannot be compared", why.message);
    else if (!same)
        other(v, sample, file, "its pixels are not those that were audited");
    st = XA_OK;
done:
    xa_image_fini(&im);
    free(file);
    return st;
}

xa_status xa_verify_images(xa_verifier *v, xa_err *err)
{
    xa_decode_options opt;
    xa_err why = XA_ERR_INIT;
    if (xa_read_decoding(v->archive, &opt, &why) != XA_OK) {
        xa_verify_tell(v, XA_FINDING_DAMAGE, "%s", why.message);
        return XA_OK;
    }
    for (int64_t i = 0; i < v->samples; i++) {
        bool done = false;
        for (int64_t m = 0; m < v->nmodels; m++)
            done = done || v->models[m].status[i] == XA_SAMPLE_DONE;
        /* what is no hash is told already */
        if (done && !v->doubted[i])
            XA_RETURN_TRY(err, look_at(v, &opt, i, err));
    }
    return XA_OK;
}
