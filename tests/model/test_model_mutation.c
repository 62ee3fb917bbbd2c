/* Model files changed at random: configurations, lists of names, members of archives. Whatever the
 * bytes, opening ends with a model that can be planned and run, or with an error that names the
 * file. Worth most under the sanitizers; XA_FULL=1 for long. HDF5's own structures are left whole:
 * its library does not survive all damage there. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zip.h>

#include "damaged_model.h"
#include "mutation.h"
#include "xaudit/model.h"
#include "xaudit_cmocka.h"

#define KERAS XA_TEST_DATA "/golden/keras/"
#define SAFETENSORS XA_TEST_DATA "/golden/safetensors/"

static char folder[] = "/tmp/xaudit-mutation-XXXXXX", path[96], json_path[96];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(json_path, sizeof json_path, "%s/model.json", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(json_path);
    return rmdir(folder);
}

static int rounds(int plain)
{
    const char *full = getenv("XA_FULL");
    return full && *full ? 100 * plain : plain;
}

/* ---- what must hold ---- */

static long opened, refused;

/* Small models are run, forward and back: a graph that was accepted has to work. */
static void run_it(xa_model *m)
{
    xa_plan *p = NULL;
    xa_plan_info info;
    xa_run r;
    xa_err err = XA_ERR_INIT;
    const xa_reach reach = {.input = true};
    const int root = xa_model_head(m)->node;
    const xa_plan_spec spec = {.batch = 1, .root = root, .reach = &reach, .nreach = 1};
    if (xa_plan_create(xa_model_graph(m), &spec, &p, &err) != XA_OK) {
        assert_true(err.message[0]);
        return;
    }
    xa_plan_get_info(p, &info);
    if (info.weight_bytes < 1 << 24 && info.arena_bytes < 1 << 26 &&
        info.flops_forward + info.flops_backward < 2e8) {
        void *blob = xa_alloc_aligned(info.weight_bytes),
             *arena = xa_alloc_aligned(info.arena_bytes);
        const int64_t units = xa_shape_count(&xa_graph_node(xa_model_graph(m), root)->shape);
        float *seed = xa_alloc((size_t)units, sizeof *seed);
        assert_true(blob && arena && seed);
        const xa_weight_reader reader = xa_model_reader(m);
        if (xa_plan_pack(p, &reader, blob, &err) == XA_OK) {
            const xa_shape in = xa_model_input(m);
            xa_run_init(&r, p, blob, arena, NULL);
            for (int64_t i = 0; i < xa_shape_count(&in); i++)
                xa_run_input(&r)[i] = (float)(i % 7) - 3.0f;
            xa_run_forward(&r);
            seed[0] = 1.0f;
            xa_run_backward(&r, 0, seed);
        } else {
            assert_true(err.message[0]);
        }
        xa_model_close_file(m);
        free(seed);
        free(blob);
        free(arena);
    }
    xa_plan_free(p);
}

static void open_it(const char *file, const xa_model_options *opt, uint64_t round)
{
    xa_err err = XA_ERR_INIT;
    xa_model *m = NULL;
    const double start = xa_cpu_time();
    const xa_status st = xa_model_open(file, opt, &m, &err);
    if (xa_cpu_time() - start > 5)
        fail_msg("%s, round %llu: %g s", file, (unsigned long long)round, xa_cpu_time() - start);
    if (st == XA_OK) {
        const xa_layer *layer;
        opened++;
        if (xa_model_gradcam_layer(m, &layer, &err) != XA_OK)
            assert_true(err.message[0]);
        run_it(m);
    } else {
        refused++;
        if (!strstr(err.message, file))
            fail_msg("round %llu: \"%s\" does not name %s",
                     (unsigned long long)round,
                     err.message,
                     file);
    }
    xa_model_free(m);
}

static void report(const char *what)
{
    print_message("%s: %ld opened, %ld refused\n", what, opened, refused);
    /* Both ways are walked, or the mutations are too mild or too wild to find anything. */
    assert_true(opened > (opened + refused) / 50 && refused > (opened + refused) / 50);
    opened = refused = 0;
}

static void put(const char *file, const void *bytes, size_t n)
{
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* ---- configurations ---- */

static const char *const goldens[] = {
    KERAS "tf215/sequential_cnn.h5",
    KERAS "tf215/squeeze_excite.h5",
    KERAS "k3/squeeze_excite.h5",
    KERAS "tf215/seed_nested.h5",
    KERAS "tf215/shared_model.h5",
    KERAS "k3/nested_twice.h5",
    KERAS "tf215/vit_alone.h5",
    KERAS "k3/vit_alone.h5",
    KERAS "k3/mha_plain.h5",
    KERAS "tf215/mha_keywords.h5",
    KERAS "tf215/convnext.h5",
    KERAS "k3/fine_tuning_guide.h5",
    KERAS "tf215/scalar_functions.h5",
    KERAS "k3/tensor_operators.h5",
    KERAS "tf215/reshape_permute.h5",
};

static void test_configurations(void **state)
{
    (void)state;
    const int n = rounds(120);
    for (size_t g = 0; g < sizeof goldens / sizeof *goldens; g++) {
        xa_model_options opt = xa_model_defaults();
        json_t *model = damaged_config(goldens[g]);
        char *text = json_dumps(model, 0);
        assert_non_null(text);
        opt.architecture = json_path;
        for (int i = 0; i < n; i++) {
            mutation_dice d = {.stream = (g << 32) + (uint64_t)i};
            xa_str s = {0};
            xa_str_puts(&s, text);
            for (size_t k = 1 + mutation_roll(&d, 3); k > 0 && s.len > 0; k--)
                mutation_of_text(&s, &d);
            put(json_path, s.data, s.len);
            opt.any_output = i % 3 == 0;
            if (i % 7 == 6)
                opt.height = opt.width = (int64_t)mutation_roll(&d, 40);
            else
                opt.height = opt.width = 0;
            opt.interpolate_positions = i % 5 == 4;
            if (opt.any_output) { /* no head: nothing to run */
                xa_err err = XA_ERR_INIT;
                xa_model *m = NULL;
                if (xa_model_open(goldens[g], &opt, &m, &err) != XA_OK)
                    assert_true(strstr(err.message, goldens[g]) || strstr(err.message, json_path));
                xa_model_free(m);
            } else {
                open_it(goldens[g], &opt, d.stream);
            }
            xa_str_free(&s);
        }
        free(text);
        json_decref(model);
    }
    report("configurations");
}

/* ---- lists of names, and weights of other shapes ---- */

static void test_names(void **state)
{
    (void)state;
    static const char *const files[] = {KERAS "tf215/sequential_cnn.h5",
                                        KERAS "k3/auto_numbered.h5",
                                        KERAS "tf215/seed_nested.h5",
                                        KERAS "tf215/vit_alone.h5"};
    const xa_model_options opt = xa_model_defaults();
    snprintf(path, sizeof path, "%s/model.h5", folder);
    for (int i = 0; i < rounds(300); i++) {
        mutation_dice d = {.stream = (UINT64_C(1) << 40) + (uint64_t)i};
        const char *golden = files[mutation_roll(&d, sizeof files / sizeof *files)];
        char object[600] = "model_weights", *bytes;
        size_t n, size;
        assert_int_equal(xa_read_file(golden, 1 << 24, &bytes, &size, NULL), XA_OK);
        put(path, bytes, size);
        free(bytes);
        char **layers = damaged_read_names(golden, "model_weights", "layer_names", &n);
        assert_true(n > 0);
        const char *attribute = "layer_names";
        if (mutation_roll(&d, 4)) {
            snprintf(object, sizeof object, "model_weights/%s", layers[mutation_roll(&d, n)]);
            attribute = "weight_names";
        }
        free(layers);
        char **names = damaged_read_names(golden, object, attribute, &n);
        const char *list[512];
        xa_str changed[4] = {{0}};
        size_t count = n < 500 ? n : 500;
        for (size_t k = 0; k < count; k++)
            list[k] = names[k];
        for (int k = 0; k < 4 && count > 0; k++) {
            const size_t at = mutation_roll(&d, count), to = mutation_roll(&d, count);
            switch (mutation_roll(&d, 4)) {
            case 0: { /* a name of other letters */
                xa_str_puts(&changed[k], list[at]);
                if (changed[k].len > 0)
                    changed[k].data[mutation_roll(&d, changed[k].len)] =
                        (char)(1 + mutation_roll(&d, 255));
                list[at] = changed[k].data ? changed[k].data : "";
                break;
            }
            case 1: { /* two change places */
                const char *t = list[at];
                list[at] = list[to];
                list[to] = t;
                break;
            }
            case 2: /* one is lost */
                list[at] = list[--count];
                break;
            default: /* one comes twice */
                list[count++] = list[at];
            }
        }
        damaged_names(path, object, attribute, list, count);
        if (count > 0 && !strcmp(attribute, "weight_names") && names && mutation_roll(&d, 2)) {
            char weight[1200];
            const uint64_t dims[5] = {
                mutation_roll(&d, 5), mutation_roll(&d, 9), 3, 1 + mutation_roll(&d, 4), 2};
            snprintf(weight, sizeof weight, "%s/%s", object, names[mutation_roll(&d, n)]);
            damaged_weight(path, weight, (int)mutation_roll(&d, 6), dims);
        }
        open_it(path, &opt, d.stream);
        for (int k = 0; k < 4; k++)
            xa_str_free(&changed[k]);
        free(names);
    }
    unlink(path);
    report("lists of names");
}

/* ---- .keras archives ---- */

static void *member_of(const char *archive, const char *name, size_t *size)
{
    int code;
    zip_stat_t s;
    zip_t *z = zip_open(archive, ZIP_RDONLY, &code);
    assert_non_null(z);
    assert_int_equal(zip_stat(z, name, 0, &s), 0);
    char *bytes = malloc(s.size + 1);
    zip_file_t *f = zip_fopen(z, name, 0);
    assert_non_null(bytes);
    assert_non_null(f);
    assert_int_equal(zip_fread(f, bytes, s.size), s.size);
    zip_fclose(f);
    zip_discard(z);
    bytes[s.size] = '\0';
    *size = s.size;
    return bytes;
}

static void add_member(zip_t *z, const char *name, const void *bytes, size_t size)
{
    zip_source_t *s = zip_source_buffer(z, bytes, size, 0);
    assert_non_null(s);
    assert_true(zip_file_add(z, name, s, ZIP_FL_OVERWRITE) >= 0);
}

static void test_archives(void **state)
{
    (void)state;
    static const char *const files[] = {
        KERAS "k3/zip_v3.keras", KERAS "tf215/mha_zip.keras", KERAS "k3/vit_zip.keras"};
    const xa_model_options opt = xa_model_defaults();
    snprintf(path, sizeof path, "%s/model.keras", folder);
    for (int i = 0; i < rounds(300); i++) {
        mutation_dice d = {.stream = (UINT64_C(2) << 40) + (uint64_t)i};
        const char *golden = files[mutation_roll(&d, sizeof files / sizeof *files)];
        if (i % 2) { /* a whole archive whose texts are changed */
            size_t config_size, weights_size, meta_size;
            char *config = member_of(golden, "config.json", &config_size),
                 *meta = member_of(golden, "metadata.json", &meta_size);
            void *weights = member_of(golden, "model.weights.h5", &weights_size);
            xa_str s = {0}, t = {0};
            xa_str_add(&s, config, config_size);
            xa_str_add(&t, meta, meta_size);
            for (size_t k = 1 + mutation_roll(&d, 3); k > 0 && s.len > 1; k--)
                mutation_of_text(&s, &d);
            if (mutation_roll(&d, 4) == 0)
                mutation_of_text(&t, &d);
            int code;
            zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
            assert_non_null(z);
            add_member(z, "config.json", s.data, s.len);
            if (mutation_roll(&d, 20))
                add_member(z, "metadata.json", t.data, t.len);
            if (mutation_roll(&d, 20))
                add_member(z, "model.weights.h5", weights, weights_size);
            assert_int_equal(zip_close(z), 0);
            open_it(path, &opt, d.stream);
            xa_str_free(&s);
            xa_str_free(&t);
            free(config);
            free(meta);
            free(weights);
        } else { /* bytes of the archive: its headers and directory, and what is packed */
            char *bytes;
            size_t size;
            assert_int_equal(xa_read_file(golden, 1 << 24, &bytes, &size, NULL), XA_OK);
            for (size_t k = 1 + mutation_roll(&d, 4); k > 0; k--) {
                /* the central directory lies at the end */
                const size_t reach = mutation_roll(&d, 2) ? size : 512;
                const size_t at = mutation_roll(&d, 3) ? size - 1 - mutation_roll(&d, reach)
                                                       : mutation_roll(&d, reach);
                bytes[at] = (char)(mutation_roll(&d, 3) ? mutation_roll(&d, 256) : 255);
            }
            if (mutation_roll(&d, 12) == 0)
                size = mutation_roll(&d, size);
            put(path, bytes, size);
            open_it(path, &opt, d.stream);
            free(bytes);
        }
    }
    unlink(path);
    report("archives");
}

/* ---- safetensors ---- */

static void test_safetensors_headers(void **state)
{
    (void)state;
    static const char *const files[] = {SAFETENSORS "timm_registers.safetensors",
                                        SAFETENSORS "hf_deit_teacher.safetensors",
                                        SAFETENSORS "hf_vit.safetensors",
                                        SAFETENSORS "timm_bf16.safetensors"};
    static const char *const configs[] = {SAFETENSORS "timm_registers.json",
                                          SAFETENSORS "hf_deit_teacher.json",
                                          SAFETENSORS "hf_vit.json",
                                          SAFETENSORS "timm_bf16.json"};
    xa_model_options opt = xa_model_defaults();
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    for (int i = 0; i < rounds(400); i++) {
        mutation_dice d = {.stream = (UINT64_C(3) << 40) + (uint64_t)i};
        const size_t which = mutation_roll(&d, 4);
        char *bytes, *config;
        size_t size, config_size;
        assert_int_equal(xa_read_file(files[which], 1 << 24, &bytes, &size, NULL), XA_OK);
        assert_int_equal(xa_read_file(configs[which], 1 << 20, &config, &config_size, NULL), XA_OK);
        const size_t header =
            (size_t)(unsigned char)bytes[0] + ((size_t)(unsigned char)bytes[1] << 8);
        xa_str h = {0}, whole = {0}, c = {0};
        xa_str_add(&h, bytes + 8, header);
        xa_str_add(&c, config, config_size);
        if (mutation_roll(&d, 2))
            mutation_of_text(&h, &d);
        else
            mutation_of_text(&c, &d);
        if (mutation_roll(&d, 3) == 0)
            mutation_of_text(&h, &d);
        unsigned char length[8];
        for (int k = 0; k < 8; k++)
            length[k] = (unsigned char)((uint64_t)h.len >> (8 * k));
        if (mutation_roll(&d, 30) == 0)
            length[mutation_roll(&d, 8)] = (unsigned char)mutation_roll(&d, 256);
        xa_str_add(&whole, (const char *)length, 8);
        xa_str_add(&whole, h.data, h.len);
        xa_str_add(&whole, bytes + 8 + header, size - 8 - header);
        put(path, whole.data, whole.len);
        put(json_path, c.data, c.len);
        opt.architecture = json_path;
        open_it(path, &opt, d.stream);
        xa_str_free(&h);
        xa_str_free(&c);
        xa_str_free(&whole);
        free(bytes);
        free(config);
    }
    unlink(path);
    report("safetensors");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configurations),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_archives),
        cmocka_unit_test(test_safetensors_headers),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
