/* Files that are no model for any loader are reported as what they are: files of other programs,
 * written by these programs (tests/golden/foreign), and some written here byte by byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xaudit/model.h"
#include "xaudit_cmocka.h"

#define FOREIGN XA_TEST_DATA "/golden/foreign/"

static char folder[] = "/tmp/xaudit-sniff-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* The file is known as `what`, and the message says `then`; NULL: it is not known. Opening it as a
 * model fails with the same words. */
static void expect(const char *path, const char *what, const char *then)
{
    xa_err err = XA_ERR_INIT, open = XA_ERR_INIT;
    const xa_model_options opt = xa_model_defaults();
    xa_model *m = NULL;
    const xa_status st = xa_model_foreign(path, &err);
    if (!what) {
        if (st != XA_OK)
            fail_msg("%s: known as \"%s\"", path, err.message);
        return;
    }
    if (st != XA_UNSUPPORTED || !strstr(err.message, what) || !strstr(err.message, then) ||
        !strstr(err.message, path))
        fail_msg("%s: \"%s\", expected \"%s\" and \"%s\"", path, err.message, what, then);
    assert_int_equal(xa_model_open(path, &opt, &m, &open), XA_UNSUPPORTED);
    assert_string_equal(open.message, err.message);
}

static void test_written_by_others(void **state)
{
    (void)state;
    expect(FOREIGN "checkpoint.pth", "a PyTorch checkpoint.", "torch.load(\"model.pth\"");
    expect(FOREIGN "old.pth", "before PyTorch 1.6", "torch.load(\"model.pth\"");
    expect(FOREIGN "script.pt", "TorchScript", "torch.jit.load");
    expect(FOREIGN "exported.pt2", "torch.export", "torch.export.load");
    expect(FOREIGN "lite.tflite", "TensorFlow Lite", "model.save(\"model.keras\")");
    expect(FOREIGN "frozen.pb", "a graph of TensorFlow", "model.save(\"model.keras\")");
    expect(FOREIGN "checkpoint.index", "TensorFlow checkpoint", "load_weights");
    expect(FOREIGN "saved_keras2", "SavedModel that Keras 2 wrote", "pip install tf_keras");
    expect(FOREIGN "saved_keras2/saved_model.pb", "SavedModel that Keras 2", "tf_keras.models");
    expect(FOREIGN "saved_keras3", "SavedModel without Keras' layers", "TFSMLayer");
    expect(FOREIGN "saved_keras3/saved_model.pb", "SavedModel without Keras'", "TFSMLayer");
    expect(FOREIGN "arrays.npz", "NumPy arrays", "checkpoint_path=\"model.npz\"");
    expect(FOREIGN "array.npy", "NumPy arrays", "set_weights");
    expect(FOREIGN "object.pkl", "a Python pickle", "never runs it");
    expect(FOREIGN "object.joblib", "a Python pickle", "never runs it");
}

static void test_bytes(void **state)
{
    (void)state;
#define BYTES(s) s, sizeof(s) - 1
    static const struct {
        const char *name, *bytes;
        size_t size;
        const char *what, *then;
    } cases[] = {
        /* specificationVersion 8, a description, and field 502, an ML program */
        {"a.mlmodel", BYTES("\x08\x08\x12\x02\x0a\x00\xb2\x1f\x00"), "Core ML", "model.keras"},
        {"other", BYTES("\x08\x08\x12\x02\x0a\x00\xb2\x1f\x00"), "Core ML", "model.keras"},
        {"cut.onnx", BYTES("\x08\x08\x12\x07pyt"), "an ONNX model, cut off", "export it again"},
        {"m.h5", BYTES("version https://git-lfs.github.com/spec/v1\n"), "Git LFS", "git lfs pull"},
        {"m.gguf", BYTES("GGUF\3\0\0\0"), "GGUF", "safetensors"},
        {"a.json", BYTES("\n {\"class_name\": \"Functional\"}"), "architecture of a Keras", ".h5"},
        {"b.json", BYTES("{\"metadata\":{},\"weight_map\":{}}"), "several files", "max_shard_size"},
        {"w.weights.json",
         BYTES("{\"metadata\": {}, \"weight_map\": {\"/layers/dense/vars\": "
               "\"w_00000.weights.h5\"}}"),
         "Keras weights in several files",
         "load_weights"},
        {"c.json", BYTES("{\"format\": \"layers-model\"}"), "TensorFlow.js", "model.keras"},
        {"config.json", BYTES("{\"model_type\": \"vit\"}"), "holds no weights", "safetensors"},
        {"m.xml", BYTES("<?xml version=\"1.0\"?><net name=\"x\">"), "OpenVINO", "model.keras"},
        {"m.h5.gz", BYTES("\x1f\x8b\x08\0\0\0\0\0"), "a packed file", "Unpack it"},
        {"m.joblib", BYTES("\x1f\x8b\x08\0\0\0\0\0"), "a Python pickle", "never runs"},
        {"m.zip", BYTES("PK\003\004..............................."), "a ZIP archive", "Unpack it"},
        {"checkpoint", BYTES("model_checkpoint_path: \"c\"\n"), "TensorFlow checkpoint", "load_w"},
        {"m.caffemodel", BYTES("\x0a\x01x\xff"), "Caffe", "Keras"},
        {"m.engine", BYTES("ptrt...."), "TensorRT", "model.keras"},
        /* files that are none of these */
        /* ONNX that names no producer: ir_version, graph, opset_import */
        {"no_producer", BYTES("\x08\x0a\x3a\x02\x12\x00\x42\x02\x10\x11"), NULL, NULL},
        {"text", BYTES("some text\n"), NULL, NULL},
        {"pickle_like", BYTES("\x80\x03\x00\x00"), NULL, NULL},
        {"numbers", BYTES("\x08\x01\x10\x02"), NULL, NULL},
        {"empty", BYTES(""), NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, cases[i].name);
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(cases[i].bytes, 1, cases[i].size, f), cases[i].size);
        assert_int_equal(fclose(f), 0);
        expect(path, cases[i].what, cases[i].then);
        assert_int_equal(unlink(path), 0);
    }
    expect(folder, "is a folder", ".safetensors");
}

/* Images, and models that a loader reads, are not reported here; a missing path is reported by the
 * function that opens it. */
static void test_not_foreign(void **state)
{
    (void)state;
    expect(XA_TEST_DATA "/golden/image/missing.onnx", NULL, NULL);
    expect(FOREIGN "model.onnx", NULL, NULL);
    expect(XA_TEST_DATA "/golden/image/files/420.jpg", NULL, NULL);
    expect(XA_TEST_DATA "/golden/keras/k3/zip_v3.ref.h5", NULL, NULL);
    expect(XA_TEST_DATA "/golden/keras/k3/squeeze_excite.h5", NULL, NULL);
}

/* A part of a model in several files is reported as one. */
static void test_shard(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool shard;
    } cases[] = {{"model-00001-of-00002.safetensors", true},
                 {"a-of-b-1-of-3.h5", true},
                 {"model.safetensors", false},
                 {"best-of-3.safetensors", false},
                 {"model-1-of-3", false},
                 {"1-of-2.h5", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[128];
        xa_err err = XA_ERR_INIT;
        xa_model *m = NULL;
        const xa_model_options opt = xa_model_defaults();
        snprintf(path, sizeof path, "%s/%s", folder, cases[i].name);
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite("nothing", 1, 7, f), 7);
        assert_int_equal(fclose(f), 0);
        assert_int_not_equal(xa_model_open(path, &opt, &m, &err), XA_OK);
        if ((strstr(err.message, "one of several files") != NULL) != cases[i].shard)
            fail_msg("%s", err.message);
        assert_int_equal(unlink(path), 0);
    }
}

/* Whatever follows an ONNX head, a length that lies is no reason to read on. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    char path[128], *bytes;
    size_t size;
    xa_err err = XA_ERR_INIT;
    static const char *const files[] = {
        FOREIGN "model.onnx", FOREIGN "checkpoint.pth", FOREIGN "old.pth", FOREIGN "lite.tflite"};
    snprintf(path, sizeof path, "%s/cut", folder);
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        assert_int_equal(xa_read_file(files[k], 1 << 20, &bytes, &size, &err), XA_OK);
        for (size_t n = 0; n < size; n += 1 + size / 97) {
            FILE *f = fopen(path, "wb");
            assert_non_null(f);
            assert_int_equal(fwrite(bytes, 1, n, f), n);
            assert_int_equal(fclose(f), 0);
            err = (xa_err)XA_ERR_INIT;
            const xa_status st = xa_model_foreign(path, &err);
            assert_true(st == XA_OK || (st == XA_UNSUPPORTED && strstr(err.message, path)));
        }
        free(bytes);
    }
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_by_others),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_not_foreign),
        cmocka_unit_test(test_shard),
        cmocka_unit_test(test_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
