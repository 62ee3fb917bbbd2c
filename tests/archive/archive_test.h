/* What the archive's tests share: a folder of their own, a sample archive, and its checker. */
#ifndef ARCHIVE_TEST_H
#define ARCHIVE_TEST_H

#include <ftw.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "comm/mpi_test.h"
#include "xaudit/archive.h"

/* Fails the test unless the call fails with this status and a message that contains `words`. */
#define assert_fails(call, status, err, words)                                   \
    do {                                                                         \
        xa_status got_ = (call);                                                 \
        assert_string_equal(xa_status_name(got_), xa_status_name(status));       \
        if (strstr((err).message, words) == NULL)                                \
            fail_msg("expected '%s' in the message '%s'", words, (err).message); \
    } while (0)

/* ---- folder ---------------------------------------------------------------------------------- */

static char folder[64];

static inline int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/xa_archive_XXXXXX");
    return mkdtemp(folder) == NULL;
}

static inline int
remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* folder/name, good for the next three calls. */
static inline const char *in_folder(const char *name)
{
    static char path[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static inline char *slurp(const char *path, size_t *size)
{
    char *bytes = NULL;
    xa_err err = XA_ERR_INIT;
    assert_ok(xa_read_file(path, (size_t)1 << 30, &bytes, size, &err), err);
    return bytes;
}

static inline void spill(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* ---- a sample archive ------------------------------------------------------------------------ */

/* One model "net", a half-float map [h,w] a sample, and at least one field of each type. */
typedef struct sample {
    int64_t n, classes, h, w;
    int id, label, hash, logits, predicted, status, message, values, scale, row, target, checksum;
    int score, box, kind, state;
} sample;

static inline int add_field(xa_schema *s, xa_field_spec spec)
{
    xa_err err = XA_ERR_INIT;
    int field = -1;
    assert_ok(xa_schema_add(s, &spec, &field, &err), err);
    return field;
}

enum { SAMPLE_MESSAGE = 24 };

static inline xa_schema *sample_schema(sample *s, int64_t n, int64_t h, int64_t w)
{
    static const char *const ids[] = {"plain", "\xc3\xa9t\xc3\xa9", "", "\xe7\x8c\xab"};
    /* Static: data is borrowed until the archive is created. */
    static int64_t rows[8192];
    static char packed[8192][5];
    xa_err err = XA_ERR_INIT;
    xa_schema *schema = NULL;
    *s = (sample){.n = n, .classes = 3, .h = h, .w = w};
    assert_true(n <= 8192);
    assert_ok(xa_schema_create(&schema, &err), err);
    for (int64_t i = 0; i < n; i++) {
        xa_text_put(ids[i % 4], packed[i], sizeof packed[i]);
        rows[i] = i;
    }
#define FIELD(...) \
    add_field(schema, (xa_field_spec){.model = "net", .type = XA_TYPE_COUNT, __VA_ARGS__})
#define SAMPLES(...) add_field(schema, (xa_field_spec){.type = XA_TYPE_COUNT, __VA_ARGS__})
    s->id = SAMPLES(.kind = XA_FIELD_SAMPLE_ID,
                    .string_bytes = sizeof packed[0],
                    .ndim = 1,
                    .dim = {n},
                    .data = packed);
    s->label = SAMPLES(.kind = XA_FIELD_SAMPLE_LABEL, .ndim = 1, .dim = {n});
    s->hash = SAMPLES(.kind = XA_FIELD_SAMPLE_PIXEL_HASH, .ndim = 1, .dim = {n});
    s->box = SAMPLES(.kind = XA_FIELD_ANN_BOX, .ndim = 2, .dim = {0, 4});
    s->kind = SAMPLES(.kind = XA_FIELD_ANN_KIND, .ndim = 1, .dim = {0});
    s->state = SAMPLES(.kind = XA_FIELD_RUN_STATE, .ndim = 1, .dim = {1});
    s->logits = FIELD(.kind = XA_FIELD_MODEL_LOGITS, .ndim = 2, .dim = {n, s->classes});
    s->predicted = FIELD(.kind = XA_FIELD_MODEL_PREDICTED, .ndim = 1, .dim = {n});
    s->status = FIELD(.kind = XA_FIELD_MODEL_STATUS, .ndim = 1, .dim = {n});
    s->message = FIELD(.kind = XA_FIELD_MODEL_MESSAGE,
                       .string_bytes = SAMPLE_MESSAGE,
                       .ndim = 1,
                       .dim = {n});
#define MAP(...) FIELD(.explainer = "saliency", __VA_ARGS__)
    s->values = add_field(schema,
                          (xa_field_spec){.kind = XA_FIELD_MAP_VALUES,
                                          .model = "net",
                                          .explainer = "saliency",
                                          .type = XA_TYPE_F16,
                                          .ndim = 4,
                                          .dim = {n, 1, h, w}});
    s->scale = MAP(.kind = XA_FIELD_MAP_SCALE, .ndim = 1, .dim = {n});
    s->row = MAP(.kind = XA_FIELD_MAP_SAMPLE, .ndim = 1, .dim = {n}, .data = rows);
    s->target = MAP(.kind = XA_FIELD_MAP_TARGET, .ndim = 1, .dim = {n});
    s->checksum = MAP(.kind = XA_FIELD_MAP_CHECKSUM, .ndim = 1, .dim = {n});
    s->score = MAP(.kind = XA_FIELD_LOCALISATION, .key = "pointing game", .ndim = 1, .dim = {n});
#undef MAP
#undef SAMPLES
#undef FIELD
    assert_ok(xa_schema_attr_text(schema, "/", "identity_text", "batch = 4\nseed = 1\n", &err),
              err);
    return schema;
}

/* The half floats of a row's map: any bytes that are finite, different for every row. */
static inline void sample_map(const sample *s, int64_t row, uint16_t *out)
{
    for (int64_t i = 0; i < s->h * s->w; i++) {
        uint32_t word[4];
        xa_philox(7, (uint64_t)row, (uint64_t)i, word);
        out[i] = xa_f16_from_f32((float)(word[0] >> 8) / 65536.0F);
    }
}

static inline float sample_logit(int64_t row, int64_t k)
{
    return (float)(row * 10 + k) / 4;
}

/* All of a row but its status, from this rank. */
static inline xa_status sample_write(xa_archive *a, const sample *s, int64_t row, xa_err *err)
{
    xa_status st = XA_OK;
    const size_t bytes = (size_t)(s->h * s->w) * sizeof(uint16_t);
    uint16_t *map = xa_alloc(bytes, 1);
    if (map == NULL)
        return XA_NOMEM;
    sample_map(s, row, map);
    const uint32_t sum = xa_checksum(map, bytes);
    const float logits[3] = {sample_logit(row, 0), sample_logit(row, 1), sample_logit(row, 2)};
    const float one = 1;
    const int32_t predicted = 2;
    const double score = (double)row / 3;
    const uint64_t hash = UINT64_MAX - (uint64_t)row;
    XA_TRY(err, xa_archive_write(a, s->values, row, 1, map, err));
    XA_TRY(err, xa_archive_write(a, s->checksum, row, 1, &sum, err));
    XA_TRY(err, xa_archive_write(a, s->scale, row, 1, &one, err));
    XA_TRY(err, xa_archive_write(a, s->logits, row, 1, logits, err));
    XA_TRY(err, xa_archive_write(a, s->predicted, row, 1, &predicted, err));
    XA_TRY(err, xa_archive_write(a, s->target, row, 1, &predicted, err));
    XA_TRY(err, xa_archive_write(a, s->score, row, 1, &score, err));
    XA_TRY(err, xa_archive_write(a, s->hash, row, 1, &hash, err));
done:
    free(map);
    return st;
}

/* Reads an archive as a user would: rows that are done, and how many of them are not whole. */
static inline void sample_check(const char *path, const sample *s, int64_t *done, int64_t *bad)
{
    xa_err err = XA_ERR_INIT;
    xa_archive *a = NULL;
    xa_dataset_info info;
    void *status = NULL, *sums = NULL, *logits = NULL, *predicted = NULL;
    const size_t bytes = (size_t)(s->h * s->w) * sizeof(uint16_t);
    uint16_t *map = malloc(bytes), *expected = malloc(bytes);
    assert_true(map != NULL && expected != NULL);
    assert_ok(xa_archive_open_read(path, &a, &err), err);
    assert_ok(xa_archive_read_all(a, "/models/net/status", &info, &status, &err), err);
    assert_int_equal(info.dim[0], s->n);
    assert_ok(xa_archive_read_all(a, "/maps/net/saliency/checksum", &info, &sums, &err), err);
    assert_ok(xa_archive_read_all(a, "/models/net/logits", &info, &logits, &err), err);
    assert_ok(xa_archive_read_all(a, "/models/net/predicted", &info, &predicted, &err), err);
    *done = *bad = 0;
    for (int64_t i = 0; i < s->n; i++) {
        if (((uint8_t *)status)[i] != XA_SAMPLE_DONE)
            continue;
        assert_ok(xa_archive_read(a, "/maps/net/saliency/values", i, 1, map, &err), err);
        sample_map(s, i, expected);
        bool whole = xa_checksum(map, bytes) == ((uint32_t *)sums)[i] &&
                     memcmp(map, expected, bytes) == 0 && ((int32_t *)predicted)[i] == 2;
        for (int64_t k = 0; k < s->classes; k++)
            whole = whole && ((float *)logits)[i * s->classes + k] == sample_logit(i, k);
        ++*done;
        *bad += !whole;
    }
    assert_ok(xa_archive_close(a, &err), err);
    free(map);
    free(expected);
    free(status);
    free(sums);
    free(logits);
    free(predicted);
}

#endif
