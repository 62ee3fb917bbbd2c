/* What a file is that no loader recognises, told by its first bytes: a message that helps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model_internal.h"

enum { HEAD = XA_MODEL_START };

static bool has(const unsigned char *head, size_t n, const char *text)
{
    const size_t k = strlen(text);
    for (size_t i = 0; i + k <= n; i++)
        if (memcmp(head + i, text, k) == 0)
            return true;
    return false;
}

static bool starts(const unsigned char *head, size_t n, const char *magic, size_t k)
{
    return n >= k && memcmp(head, magic, k) == 0;
}

/* ONNX is a protobuf message: field 1 (ir_version, a small number), then field 2 (producer). */
static bool is_onnx(const unsigned char *h, size_t n)
{
    return n > 4 && h[0] == 0x08 && h[1] < 0x20 && (h[2] == 0x12 || h[2] == 0x3a);
}

static xa_status name_zip(const char *path, const unsigned char *h, size_t n, xa_err *err)
{
    if (has(h, n, "data.pkl") || has(h, n, "constants.pkl"))
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: a PyTorch checkpoint; xaudit reads Keras .h5 and .keras models and "
                       "safetensors of vision transformers",
                       path);
    XA_RETURN_FAIL(err,
                   XA_UNSUPPORTED,
                   "%s: a ZIP archive; xaudit reads Keras .h5 and .keras models and safetensors of "
                   "vision transformers",
                   path);
}

static xa_status name_other(const char *path, const unsigned char *h, size_t n, xa_err *err)
{
    const char *what = NULL;
    if (n == 0)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: the file is empty", path);
    if (starts(h, n, "PK\003\004", 4))
        return name_zip(path, h, n, err);
    if (starts(h, n, "version https://git-lfs", 23))
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: a Git LFS pointer, not the model itself; fetch it with git lfs pull",
                       path);
    if (n >= 8 && memcmp(h + 4, "TFL3", 4) == 0)
        what = "a TensorFlow Lite model";
    else if (starts(h, n, "GGUF", 4))
        what = "a GGUF model";
    else if (starts(h, n, "\x80\x02", 2) || starts(h, n, "\x80\x04", 2))
        what = "a Python pickle (an old PyTorch checkpoint?)";
    else if (xa_str_ends(path, ".pb") || has(h, n, "saved_model_"))
        what = "a TensorFlow protobuf (SavedModel or frozen graph)";
    else if (is_onnx(h, n))
        what = "an ONNX model";
    else if (h[0] == '{')
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: JSON text, an architecture without weights; give the .h5 file with the "
                       "weights and this file as its architecture",
                       path);
    if (what)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "%s: %s; xaudit reads Keras .h5 and .keras models and safetensors of vision "
                       "transformers",
                       path,
                       what);
    XA_RETURN_FAIL(err,
                   XA_FORMAT,
                   "%s: not an HDF5 file (it starts with bytes %02x %02x %02x %02x); xaudit reads "
                   "Keras .h5 models",
                   path,
                   h[0],
                   n > 1 ? h[1] : 0,
                   n > 2 ? h[2] : 0,
                   n > 3 ? h[3] : 0);
}

xa_status xa_model_sniff(const char *path, xa_err *err)
{
    struct stat s;
    unsigned char head[HEAD];
    if (stat(path, &s) != 0)
        XA_RETURN_FAIL(
            err, errno == ENOENT ? XA_NOT_FOUND : XA_IO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(s.st_mode)) {
        char *inner = xa_strfmt("%s/saved_model.pb", path);
        const bool saved = inner && stat(inner, &s) == 0;
        free(inner);
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       saved ? "%s: a TensorFlow SavedModel; save it as .h5 in Python: "
                               "tf.keras.models.load_model(...).save(\"x.h5\")"
                             : "%s: a folder; expected a Keras .h5 file",
                       path);
    }
    if (!S_ISREG(s.st_mode))
        XA_RETURN_FAIL(err, XA_IO, "%s: not a regular file", path);
    FILE *in = fopen(path, "rb");
    if (!in)
        XA_RETURN_FAIL(err, XA_IO, "%s: %s", path, strerror(errno));
    const size_t n = fread(head, 1, sizeof head, in);
    fclose(in);
    return name_other(path, head, n, err);
}
