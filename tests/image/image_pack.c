#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "image_pack.h"

void pack_open(pack *p, const char *name)
{
    static const char MAGIC[] = "XAPACK1\n";
    char *path = xa_strfmt(IMAGE_GOLDEN "%s", name);
    xa_err err = XA_ERR_INIT;
    assert_non_null(path);
    if (xa_read_file(path, SIZE_MAX, &p->bytes, &p->size, &err) != XA_OK)
        fail_msg("%s (remade by the scripts beside it)", err.message);
    free(path);
    p->at = sizeof MAGIC - 1;
    assert_true(p->size > p->at && memcmp(p->bytes, MAGIC, p->at) == 0);
}

void pack_close(pack *p)
{
    free(p->bytes);
}

const char *record_word(const record *r, const char *key)
{
    static char word[128];
    const size_t n = strlen(key);
    for (const char *at = r->line; at; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, key, n) != 0 || at[n] != '=')
            continue;
        const size_t len = strcspn(at + n + 1, " ");
        assert_true(len < sizeof word);
        memcpy(word, at + n + 1, len);
        word[len] = '\0';
        return word;
    }
    return NULL;
}

double record_number(const record *r, const char *key)
{
    double v = NAN;
    const char *word = record_word(r, key);
    assert_true(word && xa_parse_f64(word, &v));
    return v;
}

bool pack_next(pack *p, record *r)
{
    if (p->at == p->size)
        return false;
    const char *line = p->bytes + p->at, *end = memchr(line, '\n', p->size - p->at);
    assert_non_null(end);
    const size_t len = (size_t)(end - line);
    assert_true(len < sizeof r->line);
    memcpy(r->line, line, len);
    r->line[len] = '\0';

    const char *word = record_word(r, "dtype");
    assert_non_null(word);
    r->type = XA_PIXEL_COUNT;
    for (int t = 0; t < XA_PIXEL_COUNT; t++)
        if (strcmp(xa_pixel_name((xa_pixel)t), word) == 0)
            r->type = (xa_pixel)t;
    assert_true(r->type < XA_PIXEL_COUNT);
    word = record_word(r, "shape");
    long long h, w, c;
    assert_non_null(word);
    assert_int_equal(sscanf(word, "%lldx%lldx%lld", &h, &w, &c), 3);
    r->height = h;
    r->width = w;
    r->channels = (int)c;
    r->bytes = (size_t)(h * w * c) * xa_pixel_bytes(r->type);
    p->at += len + 1;
    assert_true(r->bytes <= p->size - p->at);
    r->data = (const uint8_t *)p->bytes + p->at;
    p->at += r->bytes;
    return true;
}

void record_image(const record *r, xa_image *im)
{
    assert_int_equal(xa_image_init(im, r->width, r->height, r->channels, r->type, NULL), XA_OK);
    memcpy(im->data, r->data, r->bytes);
}

double image_sample(const xa_image *im, size_t i)
{
    switch (im->type) {
    case XA_PIXEL_U8:
        return ((const uint8_t *)im->data)[i];
    case XA_PIXEL_U16:
        return ((const uint16_t *)im->data)[i];
    case XA_PIXEL_U32:
        return ((const uint32_t *)im->data)[i];
    case XA_PIXEL_I8:
        return ((const int8_t *)im->data)[i];
    case XA_PIXEL_I16:
        return ((const int16_t *)im->data)[i];
    case XA_PIXEL_I32:
        return ((const int32_t *)im->data)[i];
    case XA_PIXEL_F32:
        return ((const float *)im->data)[i];
    default:
        return ((const double *)im->data)[i];
    }
}

double image_difference(const xa_image *got, const xa_image *want, size_t *samples, size_t *differ)
{
    double most = 0;
    size_t at = 0;
    if (got->height != want->height || got->width != want->width ||
        got->channels != want->channels || got->type != want->type) {
        print_error("got %lld x %lld x %d %s, want %lld x %lld x %d %s\n",
                    (long long)got->height,
                    (long long)got->width,
                    got->channels,
                    xa_pixel_name(got->type),
                    (long long)want->height,
                    (long long)want->width,
                    want->channels,
                    xa_pixel_name(want->type));
        return INFINITY;
    }
    const size_t n = (size_t)got->height * (size_t)got->width * (size_t)got->channels;
    for (size_t i = 0; i < n; i++) {
        double d = fabs(image_sample(got, i) - image_sample(want, i));
        if (isnan(d))
            d = INFINITY;
        if (differ)
            *differ += d > 0;
        if (d > most) {
            most = d;
            at = i;
        }
    }
    if (samples)
        *samples += n;
    if (most > 0)
        print_message("  largest difference %g at sample %zu: got %g, want %g\n",
                      most,
                      at,
                      image_sample(got, at),
                      image_sample(want, at));
    return most;
}
