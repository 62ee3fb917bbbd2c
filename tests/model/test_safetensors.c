/* Safetensors files: headers that lie, parts that are missing or unknown, mutations. What the JSON
 * beside them may say is in test_vit_settings.c. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vit_file.h"
#include "xaudit/model.h"
#include "xaudit_cmocka.h"

static void test_lying_headers(void **state)
{
    (void)state;
    vit_put_file(vit_path, "\x10\0\0\0\0\0\0\0{", 9);
    vit_refused(XA_FORMAT, "truncated");
    vit_put_file(vit_path, "\xff\xff\xff\x7f\0\0\0\0{\"a\":1}", 15);
    vit_refused(XA_FORMAT, "truncated");
    vit_put("{\"a\":}", 0);
    vit_refused(XA_FORMAT, "no JSON object");
    vit_put("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
            "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
            8);
    vit_refused(XA_FORMAT, "duplicate");
    vit_put("{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4);
    vit_refused(XA_FORMAT, "dtype \"F31\"");
    vit_put("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4);
    vit_refused(XA_FORMAT, "no list of extents");
    vit_put("{\"a\":{\"dtype\":\"F32\",\"shape\":[9000000000000000000,8],\"data_offsets\":[0,4]}}",
            4);
    vit_refused(XA_FORMAT, "no list of extents");
    vit_put("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,4]}}",
            4);
    vit_refused(XA_FORMAT, "do not hold its shape");
    vit_put("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4);
    vit_refused(XA_FORMAT, "do not hold");
    vit_put("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4);
    vit_refused(XA_FORMAT, "do not hold its shape");
    vit_put("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4);
    vit_refused(XA_FORMAT, "data_offsets");
    vit_put(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[250000000000],\"data_offsets\":[0,1000000000000]}}",
        4);
    vit_refused(XA_FORMAT, "truncated, or its header lies");
    vit_put("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
            "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
            12);
    vit_refused(XA_FORMAT, "inside another");
    vit_put("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
            "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
            12);
    vit_refused(XA_FORMAT, "after a hole");
    vit_put("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 9);
    vit_refused(XA_FORMAT, "belong to nothing");
    vit_put("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4);
    vit_refused(XA_UNSUPPORTED, "no vision transformer");
    char *deep = malloc(20000);
    assert_non_null(deep);
    snprintf(deep, 20000, "{\"a\":%0*d}", 10000, 0);
    memset(deep + 5, '[', 10000);
    vit_put(deep, 0);
    vit_refused(XA_FORMAT, "no JSON object");
    free(deep);
}

static void rename_tensor(const char *from, const char *to)
{
    vit_copy_golden("timm_f32");
    vit_edit_header(from, to);
}

static void test_parts(void **state)
{
    (void)state;
    vit_put_config("{\"num_heads\": 3}");
    rename_tensor("\"blocks.1.attn.qkv.weight\"", "\"blocks.1.attn.qkv.wieght\"");
    vit_refused(XA_UNSUPPORTED, "blocks.1.attn.qkv.wieght");
    rename_tensor("\"head.weight\"", "\"heed.weight\"");
    vit_refused(XA_UNSUPPORTED, "heed.weight");
    rename_tensor("\"blocks.0.norm1.weight\"", "\"blocks.0.norm9.weight\"");
    vit_refused(XA_UNSUPPORTED, "no vision transformer");
    rename_tensor("[1,17,24]", "[17,1,24]"); /* the same bytes, another shape */
    vit_refused(XA_SHAPE, "pos_embed");
}

/* Tensors whose values no layer reads, in part or whole. */
static void test_unread(void **state)
{
    (void)state;
    vit_put_config("{\"num_heads\": 3}");
    rename_tensor("\"blocks.1.attn.qkv.bias\"", "\"blocks.1.ls1.gamma\"");
    vit_refused(XA_INVALID, "of tensor \"blocks.1.ls1.gamma\", 24 of 72 values are read");
    rename_tensor("\"blocks.1.norm2.bias\"", "\"blocks.1.ls1.gamma\"");
    vit_refused(XA_NOT_FOUND, "the biases of \"blocks.1.norm2\" are missing");
    rename_tensor("\"norm.weight\"", "\"norm.waight\"");
    vit_refused(XA_UNSUPPORTED, "norm.waight");
    rename_tensor("\"norm.weight\"", "\"norm.bias\"");
    vit_refused(XA_FORMAT, "duplicate");
    vit_copy_golden("timm_distilled");
    vit_edit_header("\"dist_token\"", "\"reg_token\"");
    vit_refused(XA_UNSUPPORTED, "no distillation token");
}

/* A model in several files is refused as such; a file that is numbered 1 of 1 is the whole model.
 */
static void test_shards(void **state)
{
    (void)state;
    char usual[sizeof vit_path];
    memcpy(usual, vit_path, sizeof usual);
    vit_put_config("{\"num_heads\": 3}");
    snprintf(vit_path, sizeof vit_path, "%s/model-00002-of-00003.safetensors", vit_folder);
    vit_copy_golden("timm_f32");
    vit_refused(XA_UNSUPPORTED, "one shard of 3 of a model that lies in several");
    unlink(vit_path);
    snprintf(vit_path, sizeof vit_path, "%s/model.safetensors.index.json", vit_folder);
    vit_put_file(vit_path, "{\"weight_map\": {}}", 18);
    assert_true(xa_model_recognises(vit_path));
    vit_refused(XA_UNSUPPORTED, "the index of a model that lies in several");
    unlink(vit_path);
    snprintf(vit_path, sizeof vit_path, "%s/model-00001-of-00001.safetensors", vit_folder);
    vit_copy_golden("timm_f32");
    const xa_model_options opt = xa_model_defaults();
    xa_model *m = NULL;
    assert_int_equal(xa_model_open(vit_path, &opt, &m, NULL), XA_OK);
    xa_model_free(m);
    unlink(vit_path);
    memcpy(vit_path, usual, sizeof usual);
}

/* ---- mutations ---- */

/* Bytes of the header changed, cut, doubled: an error or a model, never more. */
static void test_mutations(void **state)
{
    (void)state;
    const char *full = getenv("XA_FULL");
    const int rounds = full && *full ? 200000 : 1500;
    char *bytes;
    size_t size;
    int opened = 0;
    vit_put_config("{\"num_heads\": 3}");
    assert_int_equal(xa_read_file(GOLDEN "timm_f32.safetensors", 1 << 24, &bytes, &size, NULL),
                     XA_OK);
    char *mutant = malloc(size + 64);
    assert_non_null(mutant);
    const size_t header =
        8 + (size_t)(unsigned char)bytes[0] + ((size_t)(unsigned char)bytes[1] << 8);
    static const char alphabet[] = "0123456789[]{},:\"-.eE tfn\\\x00\xff";
    for (uint64_t i = 0; i < (uint64_t)rounds; i++) {
        size_t n = size;
        memcpy(mutant, bytes, size);
        const int edits = 1 + (int)xa_random_below(3, i, 0, 4);
        for (uint64_t k = 1; k <= (uint64_t)edits; k++) {
            const size_t at = (size_t)xa_random_below(3, i, 10 * k, (int64_t)header);
            const size_t len = (size_t)xa_random_below(3, i, 10 * k + 1, 12);
            switch (xa_random_below(3, i, 10 * k + 2, 4)) {
            case 0:
                mutant[at] = (char)xa_random_below(3, i, 10 * k + 3, 256);
                break;
            case 1:
                mutant[at] =
                    alphabet[xa_random_below(3, i, 10 * k + 3, (int64_t)sizeof alphabet - 1)];
                break;
            case 2: /* a piece copied elsewhere in the header */
                memmove(mutant + at,
                        mutant + (size_t)xa_random_below(3, i, 10 * k + 3, (int64_t)header - 12),
                        at + len < header ? len : 0);
                break;
            default:
                n = k == (uint64_t)edits ? (size_t)xa_random_below(3, i, 10 * k + 3, (int64_t)n)
                                         : n;
            }
        }
        vit_put_file(vit_path, mutant, n);
        const xa_model_options opt = xa_model_defaults();
        xa_err err = XA_ERR_INIT;
        xa_model *m = NULL;
        if (xa_model_open(vit_path, &opt, &m, &err) == XA_OK)
            opened++;
        else
            assert_true(err.message[0]);
        xa_model_free(m);
    }
    print_message("%d of %d mutants opened\n", opened, rounds);
    assert_true(opened < rounds);
    free(mutant);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lying_headers),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_unread),
        cmocka_unit_test(test_shards),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, vit_make_folder, vit_remove_folder);
}
