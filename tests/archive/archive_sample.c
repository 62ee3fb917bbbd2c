/* Writes the archive that test_python.py reads: archive_sample PATH.
 *
 * Five samples, one model "net" with an 8x8 input and four classes. 0 is stretched, 1 cropped, 2
 * padded; 3 failed, 4 is pending. Values are small numbers of simple formulas, written once more in
 * the script. */
#include "archive/archive_test.h"

enum { N = 5, DONE_ROWS = 3, CLASSES = 4, SIDE = 8, GRID = 2 };

static int fields[32];
static int nfields;

static void put(xa_schema *schema, xa_field_spec spec)
{
    fields[nfields++] = add_field(schema, spec);
}

static void samples(xa_schema *schema)
{
    static const char *const ids[N] = {"stretched", "cropped", "padded", "d\xc3\xa9truit", ""};
    static const char *const sites[N] = {"A", "B", "\xe5\xa4\xa7\xe9\x98\xaa", "", "A"};
    static const int32_t width[N] = {12, 10, 4, 0, 0}, height[N] = {6, 6, 8, 0, 0};
    static const int32_t label[N] = {0, 1, 2, 3, -1};
    static const int64_t offset[N + 1] = {0, 1, 2, 2, 2, 2};
    static const double box[2][4] = {{1, 1, 5, 4}, {0, 0.5, 9, 6}};
    static const uint64_t hash[N] = {UINT64_MAX, 1, 2, 3, 0};
    xa_err err = XA_ERR_INIT;
    static char *rows[2];
    assert_ok(xa_text_pack(ids, N, 10, &rows[0], &err), err);
    assert_ok(xa_text_pack(sites, N, xa_text_width(sites, N), &rows[1], &err), err);
#define SAMPLES(...) put(schema, (xa_field_spec){.type = XA_TYPE_COUNT, .ndim = 1, __VA_ARGS__})
    SAMPLES(.kind = XA_FIELD_SAMPLE_ID, .string_bytes = 10, .dim = {N}, .data = rows[0]);
    SAMPLES(.kind = XA_FIELD_SAMPLE_EXTRA,
            .key = "site of origin",
            .string_bytes = xa_text_width(sites, N),
            .dim = {N},
            .data = rows[1]);
    SAMPLES(.kind = XA_FIELD_SAMPLE_WIDTH, .dim = {N}, .data = width);
    SAMPLES(.kind = XA_FIELD_SAMPLE_HEIGHT, .dim = {N}, .data = height);
    SAMPLES(.kind = XA_FIELD_SAMPLE_LABEL, .dim = {N}, .data = label);
    SAMPLES(.kind = XA_FIELD_SAMPLE_PIXEL_HASH, .dim = {N}, .data = hash);
    SAMPLES(.kind = XA_FIELD_ANN_OFFSET, .dim = {N + 1}, .data = offset);
    put(schema,
        (xa_field_spec){.kind = XA_FIELD_ANN_BOX,
                        .type = XA_TYPE_COUNT,
                        .ndim = 2,
                        .dim = {2, 4},
                        .data = box});
    SAMPLES(.kind = XA_FIELD_EVAL_SAMPLE, .dim = {0});
    SAMPLES(.kind = XA_FIELD_EVAL_CLASS, .dim = {0});
#undef SAMPLES
}

typedef struct maps {
    int values, scale, sample, target, checksum, flags;
} maps;

static maps
map_fields(xa_schema *schema, const char *explainer, xa_type type, int channels, int side)
{
    static const int64_t sample_rows[N] = {0, 1, 2, 3, 4};
    const xa_field_spec base = {
        .model = "net", .explainer = explainer, .type = XA_TYPE_COUNT, .ndim = 1, .dim = {N}};
    xa_field_spec spec = base;
    maps m;
    spec.kind = XA_FIELD_MAP_VALUES;
    spec.type = type;
    spec.ndim = 4;
    spec.dim[1] = channels;
    spec.dim[2] = spec.dim[3] = side;
    m.values = add_field(schema, spec);
    spec = base;
    spec.kind = XA_FIELD_MAP_SCALE;
    m.scale = add_field(schema, spec);
    spec.kind = XA_FIELD_MAP_TARGET;
    m.target = add_field(schema, spec);
    spec.kind = XA_FIELD_MAP_CHECKSUM;
    m.checksum = add_field(schema, spec);
    spec.kind = XA_FIELD_MAP_FLAGS;
    m.flags = add_field(schema, spec);
    spec.kind = XA_FIELD_MAP_SAMPLE;
    spec.data = sample_rows;
    m.sample = add_field(schema, spec);
    return m;
}

static void write_maps(xa_archive *a, const maps *m, bool half, int channels, int side, float scale)
{
    xa_err err = XA_ERR_INIT;
    const int n = channels * side * side;
    for (int row = 0; row < DONE_ROWS; row++) {
        float values[3 * SIDE * SIDE];
        uint16_t halves[3 * SIDE * SIDE];
        for (int i = 0; i < n; i++) {
            values[i] = (float)((row * 7 + i * 5) % 61) / 8 - 2;
            halves[i] = xa_f16_from_f32(values[i]);
        }
        const void *data = half ? (const void *)halves : values;
        const size_t bytes = (size_t)n * (half ? sizeof *halves : sizeof *values);
        const uint32_t sum = xa_checksum(data, bytes);
        const int32_t target = row % CLASSES;
        assert_ok(xa_archive_write(a, m->values, row, 1, data, &err), err);
        assert_ok(xa_archive_write(a, m->scale, row, 1, &scale, &err), err);
        assert_ok(xa_archive_write(a, m->target, row, 1, &target, &err), err);
        assert_ok(xa_archive_write(a, m->checksum, row, 1, &sum, &err), err);
    }
}

/* The digests as C sees them, for the script to compare. */
static void print_digests(const char *file)
{
    xa_archive *a = NULL;
    xa_err err = XA_ERR_INIT;
    static const char *const paths[] = {"/maps/net/saliency/values",
                                        "/maps/net/signed/values",
                                        "/models/net/probs",
                                        "/models/net/message",
                                        "/samples/id",
                                        "/samples/pixel_hash",
                                        "/samples/annotations/box",
                                        "/eval/sample"};
    assert_ok(xa_archive_open_read(file, &a, &err), err);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char hex[XA_SHA256_HEX];
        assert_ok(xa_archive_digest(a, paths[i], hex, &err), err);
        printf("%s %s\n", hex, paths[i]);
    }
    assert_ok(xa_archive_close(a, &err), err);
}

int main(int argc, char **argv)
{
    static const double affine[DONE_ROWS][2][3] = {
        {{12.0 / 8, 0, 0}, {0, 6.0 / 8, 0}},
        {{10.0 / 13, 0, 20.0 / 13}, {0, 6.0 / 8, 0}},
        {{1, 0, -2}, {0, 1, 0}},
    };
    static const char *const classes[CLASSES] = {"cat", "\xe7\x8c\xab", "chat \xc3\xa9lu", "d"};
    static const uint8_t status[N] = {
        XA_SAMPLE_DONE, XA_SAMPLE_DONE, XA_SAMPLE_DONE, XA_SAMPLE_FAILED, XA_SAMPLE_PENDING};
    const double input_size[2] = {SIDE, SIDE};
    xa_err err = XA_ERR_INIT;
    xa_schema *schema = NULL;
    xa_archive *a = NULL;
    if (argc != 2)
        return 2;
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    assert_ok(xa_schema_create(&schema, &err), err);
    samples(schema);
#define NET(...) \
    add_field(schema, (xa_field_spec){.model = "net", .type = XA_TYPE_COUNT, __VA_ARGS__})
    char *names = NULL;
    const size_t name_bytes = xa_text_width(classes, CLASSES);
    assert_ok(xa_text_pack(classes, CLASSES, name_bytes, &names, &err), err);
    NET(.kind = XA_FIELD_MODEL_CLASS_NAMES,
        .string_bytes = name_bytes,
        .ndim = 1,
        .dim = {CLASSES},
        .data = names);
    const int logits = NET(.kind = XA_FIELD_MODEL_LOGITS, .ndim = 2, .dim = {N, CLASSES});
    const int probs = NET(.kind = XA_FIELD_MODEL_PROBS, .ndim = 2, .dim = {N, CLASSES});
    const int predicted = NET(.kind = XA_FIELD_MODEL_PREDICTED, .ndim = 1, .dim = {N});
    const int frames = NET(.kind = XA_FIELD_MODEL_AFFINE, .ndim = 3, .dim = {N, 2, 3});
    const int marks = NET(.kind = XA_FIELD_MODEL_STATUS, .ndim = 1, .dim = {N});
    const int stage = NET(.kind = XA_FIELD_MODEL_STAGE, .ndim = 1, .dim = {N});
    const int message = NET(.kind = XA_FIELD_MODEL_MESSAGE,
                            .string_bytes = XA_MESSAGE_BYTES,
                            .ndim = 1,
                            .dim = {N});
#undef NET
    const maps saliency = map_fields(schema, "saliency", XA_TYPE_F16, 1, SIDE);
    const maps channels = map_fields(schema, "signed", XA_TYPE_F32, 3, SIDE);
    const maps cam = map_fields(schema, "grad-cam", XA_TYPE_COUNT, 1, GRID);
    assert_ok(xa_schema_attr_text(schema, "/", "tool_version", "0.1.0", &err), err);
    assert_ok(xa_schema_attr_text(schema, "/", "job", "name: \xc3\xa9t\xc3\xa9\n", &err), err);
    assert_ok(xa_schema_attr_f64(schema, "/models/net", "input_size", input_size, 2, &err), err);
    assert_ok(xa_schema_attr_texts(schema, "/models/net", "classes", classes, CLASSES, &err), err);
    assert_ok(xa_schema_attr_i64(schema, "/models/net", "batch", 4, &err), err);
    assert_ok(xa_archive_create(argv[1], schema, &err), err);
    assert_ok(xa_archive_open(argv[1], NULL, XA_WRITERS_ALL, schema, &a, &err), err);
    for (int row = 0; row < DONE_ROWS; row++) {
        float scores[CLASSES], share[CLASSES];
        for (int k = 0; k < CLASSES; k++) {
            scores[k] = (float)(row - k);
            share[k] = (float)(k + 1) / 10;
        }
        const int32_t class = 3;
        assert_ok(xa_archive_write(a, logits, row, 1, scores, &err), err);
        assert_ok(xa_archive_write(a, probs, row, 1, share, &err), err);
        assert_ok(xa_archive_write(a, predicted, row, 1, &class, &err), err);
    }
    const uint8_t decode = XA_STAGE_DECODE;
    char why[XA_MESSAGE_BYTES];
    xa_text_put("d\xc3\xa9truit.jpg: no JPEG", why, sizeof why);
    assert_ok(xa_archive_write(a, frames, 0, DONE_ROWS, affine, &err), err);
    assert_ok(xa_archive_write(a, stage, 3, 1, &decode, &err), err);
    assert_ok(xa_archive_write(a, message, 3, 1, why, &err), err);
    write_maps(a, &saliency, true, 1, SIDE, 0.5F);
    write_maps(a, &channels, false, 3, SIDE, 1);
    write_maps(a, &cam, false, 1, GRID, 1);
    assert_ok(xa_archive_sync(a, &err), err);
    assert_ok(xa_archive_write(a, marks, 0, N, status, &err), err);
    assert_ok(xa_archive_sync(a, &err), err);
    assert_ok(xa_archive_close(a, &err), err);
    print_digests(argv[1]);
    xa_schema_free(schema);
    free(names);
    return 0;
}
