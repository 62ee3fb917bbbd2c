/* What a file or folder is that no loader reads: by its contents if they show it, else by its name;
 * and how to convert its model. Nothing is unpacked or run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keras/zip.h"
#include "model_internal.h"

/* Sentences for several kinds. */
#define KERAS_AGAIN "Save the Keras model it was made from, in Python: model.save(\"model.keras\")"
#define AS_SAFETENSORS(state)                                                              \
    "xaudit reads PyTorch's vision transformers, with timm's or Hugging Face's names, as " \
    "safetensors; in Python: import torch, safetensors.torch as s; s.save_file({k: "       \
    "v.contiguous() for k, v in " state ".items()}, \"model.safetensors\"). Networks of "  \
    "other kinds are not read from PyTorch"

typedef enum kind {
    UNKNOWN,
    ONNX,
    TORCH_ZIP,
    TORCH_SCRIPT,
    TORCH_EXPORT,
    TORCH_OLD,
    SAVED_MODEL,
    SAVED_MODEL_KERAS, /* saved by Keras 2: its layers are stored beside the graph */
    FROZEN_GRAPH,
    TF_CHECKPOINT,
    TFLITE,
    CORE_ML,
    PICKLE,
    NUMPY,
    GGUF,
    OTHER_ZIP,
    PACKED,
    LFS_POINTER,
    KERAS_JSON,
    SHARD_INDEX,
    KERAS_SHARDS,
    TFJS_JSON,
    CONFIG_JSON,
    OPENVINO,
    CAFFE,
    PADDLE,
    TENSOR_RT,
    FOLDER,
    KINDS
} kind;

/* For each kind: what the file is, and what to do. */
static const char *const texts[KINDS][2] = {
    [ONNX] = {"an ONNX model, cut off or damaged",
              "Copy it again, or export it again (torch.onnx.export)"},
    [TORCH_ZIP] = {"a PyTorch checkpoint",
                   AS_SAFETENSORS("torch.load(\"model.pth\", map_location=\"cpu\", "
                                  "weights_only=True)")},
    [TORCH_SCRIPT] = {"a TorchScript program of PyTorch",
                      AS_SAFETENSORS("torch.jit.load(\"model.pt\", "
                                     "map_location=\"cpu\").state_dict()")},
    [TORCH_EXPORT] = {"a program exported from PyTorch (torch.export)",
                      AS_SAFETENSORS("torch.export.load(\"model.pt2\").state_dict")},
    [TORCH_OLD] = {"a PyTorch checkpoint in the format before PyTorch 1.6",
                   AS_SAFETENSORS("torch.load(\"model.pth\", map_location=\"cpu\", "
                                  "weights_only=True)")},
    [SAVED_MODEL] = {"a TensorFlow SavedModel without Keras' layers: a graph for running alone",
                     KERAS_AGAIN
                     "; keras.layers.TFSMLayer runs such a folder, but cannot save its layers"},
    [SAVED_MODEL_KERAS] =
        {"a TensorFlow SavedModel that Keras 2 wrote",
         "Keras 3 cannot load it; Keras 2 can, in Python after pip install tf_keras: import "
         "tf_keras; tf_keras.models.load_model(\"folder\", "
         "compile=False).save(\"model.h5\")"},
    [FROZEN_GRAPH] = {"a graph of TensorFlow (a frozen .pb), without layers", KERAS_AGAIN},
    [TF_CHECKPOINT] = {"a part of a TensorFlow checkpoint: weights without a model",
                       "Build the model in Python, load_weights(...) into it (tf_keras reads "
                       "these, Keras 3 does not) and save it: model.save(\"model.h5\")"},
    [TFLITE] = {"a TensorFlow Lite model, converted for running alone", KERAS_AGAIN},
    [CORE_ML] = {"a Core ML model, converted for running alone", KERAS_AGAIN},
    [PICKLE] = {"a Python pickle (joblib, scikit-learn, ...), which is code: xaudit never runs it",
                "A Keras model in it is saved in Python with model.save(\"model.keras\"), a vision "
                "transformer of PyTorch with safetensors.torch.save_file(model.state_dict(), "
                "\"model.safetensors\"); models that are no networks are not read"},
    [NUMPY] = {"a file of NumPy arrays without an architecture",
               "Weights of a Keras model: build it, model.set_weights(...) and "
               "model.save(\"model.keras\"); of a vision transformer by JAX: "
               "timm.create_model(NAME, checkpoint_path=\"model.npz\") reads them, and "
               "safetensors.torch.save_file(model.state_dict(), \"model.safetensors\") writes "
               "what xaudit reads"},
    [GGUF] = {"a GGUF model (llama.cpp)", "Give the safetensors file it was converted from"},
    [OTHER_ZIP] = {"a ZIP archive that holds no model xaudit knows",
                   "Unpack it and give the model inside"},
    [PACKED] = {"a packed file or archive", "Unpack it and give the model inside"},
    [LFS_POINTER] = {"a Git LFS pointer and not the model itself", "Fetch it with git lfs pull"},
    [KERAS_JSON] = {"the architecture of a Keras model (JSON) without its weights",
                    "Give the .h5 file with the weights; this file is read when it lies beside it "
                    "or is named as `architecture`"},
    [SHARD_INDEX] = {"the index of a safetensors model in several files",
                     "Write it as one file, in Python: "
                     "transformers.AutoModelForImageClassification.from_pretrained(\"folder\")"
                     ".save_pretrained(\"one\", max_shard_size=\"100GB\")"},
    [KERAS_SHARDS] = {"the index of Keras weights in several files",
                      "Write the model as one file, in Python: build it, "
                      "model.load_weights(\"model.weights.json\") and model.save(\"model.keras\")"},
    [TFJS_JSON] = {"a TensorFlow.js model", KERAS_AGAIN},
    [CONFIG_JSON] = {"JSON text, which holds no weights",
                     "Give the file with the weights (model.safetensors, model.h5)"},
    [OPENVINO] = {"an OpenVINO model, converted for running alone", KERAS_AGAIN},
    [CAFFE] = {"a Caffe model", "Convert it to Keras and save it with model.save(\"model.keras\")"},
    [PADDLE] = {"a PaddlePaddle model",
                "Convert it to Keras and save it with model.save(\"model.keras\")"},
    [TENSOR_RT] = {"a TensorRT engine, built for one GPU", KERAS_AGAIN},
    [FOLDER] = {"a folder", "Give the model file itself: .h5, .keras, .onnx or .safetensors"},
};

static bool holds(const unsigned char *start, size_t n, const char *text)
{
    const size_t k = strlen(text);
    for (size_t i = 0; i + k <= n; i++)
        if (!memcmp(start + i, text, k))
            return true;
    return false;
}

static bool begins(const unsigned char *start, size_t n, const char *magic, size_t k)
{
    return n >= k && !memcmp(start, magic, k);
}

/* ---- protobuf: the fields of a file's outermost message ---- */

typedef struct fields {
    uint64_t seen;       /* bit i: field i is there, for i below 64 */
    bool high;           /* a field from 200 on is there: Core ML's kinds of network */
    int messages;        /* length-delimited fields */
    uint64_t version;    /* field 1, if it is a number */
    unsigned char first; /* the first byte of field 2 */
} fields;

static size_t varint(const unsigned char *p, size_t n, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < n && i < 10; i++) {
        *out |= (uint64_t)(p[i] & 0x7f) << (7 * i);
        if (!(p[i] & 0x80))
            return i + 1;
    }
    return 0;
}

/* Walks over a protocol buffer's fields; false if the bytes are none. Contents are skipped, not
 * read. */
static bool walk(int fd, int64_t size, fields *f)
{
    int64_t at = 0;
    *f = (fields){0};
    for (int k = 0; at < size && k < 256; k++) {
        unsigned char b[32];
        uint64_t tag, value;
        const ssize_t got = pread(fd, b, sizeof b, at);
        const size_t n = got > 0 ? (size_t)got : 0, t = varint(b, n, &tag);
        const size_t v = t ? varint(b + t, n - t, &value) : 0;
        const unsigned wire = (unsigned)tag & 7;
        if (!t || tag >> 3 == 0 || tag >> 3 > 10000 || (wire != 1 && wire != 5 && !v))
            return false;
        const uint64_t step = wire == 0   ? t + v
                              : wire == 1 ? t + 8
                              : wire == 5 ? t + 4
                                          : t + v + value;
        if ((wire != 0 && wire != 1 && wire != 2 && wire != 5) || step > (uint64_t)(size - at))
            return false;
        if (tag >> 3 < 64)
            f->seen |= (uint64_t)1 << (tag >> 3);
        f->high = f->high || tag >> 3 >= 200;
        f->messages += wire == 2;
        if (tag >> 3 == 1 && wire == 0)
            f->version = value;
        if (tag >> 3 == 2 && wire == 2 && !f->first)
            f->first = t + v < n ? b[t + v] : 0;
        at += (int64_t)step;
    }
    return size > 0;
}

static bool only(const fields *f, uint64_t allowed)
{
    return (f->seen & ~allowed) == 0;
}

#define FIELD(n) ((uint64_t)1 << (n))

static kind protobuf(int fd, int64_t size, const char *path)
{
    /* ModelProto of ONNX: versions, names, the graph (7), operator sets (8), functions */
    const uint64_t onnx = FIELD(1) | FIELD(2) | FIELD(3) | FIELD(4) | FIELD(5) | FIELD(6) |
                          FIELD(7) | FIELD(8) | FIELD(14) | FIELD(20) | FIELD(25) | FIELD(26);
    fields f;
    if (!walk(fd, size, &f))
        return UNKNOWN;
    if (f.version && f.high)
        return CORE_ML;
    if (f.version && f.version < 64 && only(&f, onnx) && (f.seen & FIELD(7)))
        return ONNX;
    if (f.version == 1 && only(&f, FIELD(1) | FIELD(2)) && f.first == 0x0a)
        return SAVED_MODEL;
    if (!f.version && only(&f, FIELD(1) | FIELD(2) | FIELD(3) | FIELD(4)) && f.messages &&
        xa_str_ends(path, ".pb"))
        return FROZEN_GRAPH;
    return UNKNOWN;
}

/* ---- kinds by their first bytes ---- */

static kind zip(const char *path)
{
    if (xa__kzip_holds(path, "serialized_exported_program.json") ||
        xa__kzip_holds(path, "archive_format"))
        return TORCH_EXPORT;
    if (xa__kzip_holds(path, "constants.pkl"))
        return TORCH_SCRIPT;
    if (xa__kzip_holds(path, "data.pkl"))
        return TORCH_ZIP;
    if (xa__kzip_holds(path, ".npy"))
        return NUMPY;
    return OTHER_ZIP;
}

/* A pickle has its protocol, 2 to 5, then an opcode that may follow it. */
static kind pickle(const unsigned char *s, size_t n)
{
    if (n < 4 || s[0] != 0x80 || s[1] < 2 || s[1] > 5 || !s[2] ||
        !strchr("\x95\x8a}](c\x8c)Kq\x89", s[2]))
        return UNKNOWN;
    /* torch.save's number 0x1950a86a20f9469cfc6c, as a long of ten bytes */
    return holds(s, n, "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") ? TORCH_OLD : PICKLE;
}

static kind json(const unsigned char *s, size_t n)
{
    if (holds(s, n, "\"weight_map\""))
        return holds(s, n, ".weights.h5\"") ? KERAS_SHARDS : SHARD_INDEX;
    if (holds(s, n, "\"modelTopology\"") || holds(s, n, "\"layers-model\""))
        return TFJS_JSON;
    return holds(s, n, "\"class_name\"") ? KERAS_JSON : CONFIG_JSON;
}

static kind by_name(const char *path)
{
    static const struct {
        const char *ending;
        kind is;
    } endings[] = {{".onnx", ONNX},
                   {".mlmodel", CORE_ML},
                   {".tflite", TFLITE},
                   {".caffemodel", CAFFE},
                   {".pdparams", PADDLE},
                   {".pdmodel", PADDLE},
                   {".engine", TENSOR_RT},
                   {".plan", TENSOR_RT},
                   {".joblib", PICKLE},
                   {".pkl", PICKLE},
                   {".pickle", PICKLE},
                   {".pb", FROZEN_GRAPH}};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (xa_str_ends(path, endings[i].ending))
            return endings[i].is;
    const char *name = xa_path_last(path);
    return strstr(name, ".data-0") || xa_str_ends(name, ".index") ? TF_CHECKPOINT : UNKNOWN;
}

static kind by_bytes(const char *path, const unsigned char *s, size_t n)
{
    size_t blank = 0;
    while (blank < n && strchr(" \t\r\n", s[blank]) && s[blank])
        blank++;
    if (begins(s, n, "PK\003\004", 4))
        return zip(path);
    if (begins(s, n, "version https://git-lfs", 23))
        return LFS_POINTER;
    if (n >= 8 && !memcmp(s + 4, "TFL3", 4))
        return TFLITE;
    if (begins(s, n, "GGUF", 4))
        return GGUF;
    if (begins(s, n, "\x93NUMPY", 6))
        return NUMPY;
    if (blank < n && s[blank] == '{')
        return json(s, n);
    if (begins(s, n, "<?xml", 5) && holds(s, n, "<net "))
        return OPENVINO;
    if (begins(s, n, "model_checkpoint_path:", 22))
        return TF_CHECKPOINT;
    if (n >= 262 && !memcmp(s + 257, "ustar", 5))
        return holds(s, n, "storages") ? TORCH_OLD : PACKED;
    if (pickle(s, n) != UNKNOWN)
        return pickle(s, n);
    /* joblib compresses its pickles; the name shows them */
    const bool packed = begins(s, n, "\x1f\x8b", 2) || begins(s, n, "BZh", 3) ||
                        begins(s,
                               n,
                               "\xfd"
                               "7zXZ",
                               5) ||
                        begins(s, n, "7z\xbc\xaf", 4) || begins(s, n, "\x28\xb5\x2f\xfd", 4);
    if (packed)
        return by_name(path) == PICKLE ? PICKLE : PACKED;
    return UNKNOWN;
}

/* ---- files and folders ---- */

static bool beside(const char *folder, const char *name)
{
    char *inner = xa_strfmt("%s/%s", folder, name);
    const bool there = inner && !access(inner, F_OK);
    free(inner);
    return there;
}

static kind folder(const char *path)
{
    if (beside(path, "saved_model.pb") || beside(path, "saved_model.pbtxt"))
        return beside(path, "keras_metadata.pb") ? SAVED_MODEL_KERAS : SAVED_MODEL;
    if (beside(path, "Data/com.apple.CoreML"))
        return CORE_ML;
    return FOLDER;
}

static kind saved_model(const char *path)
{
    char *keras = xa_path_beside(path, "keras_metadata.pb");
    const bool there = keras && !access(keras, F_OK);
    free(keras);
    return there ? SAVED_MODEL_KERAS : SAVED_MODEL;
}

static kind of_file(const char *path)
{
    unsigned char start[XA__MODEL_START];
    size_t n = 0;
    int64_t size;
    int fd = -1;
    kind is = UNKNOWN;
    if (xa_open_regular(path, &fd, &size, NULL) != XA_OK)
        return UNKNOWN; /* the loader says why it cannot be read */
    if (xa_read_fd(fd, path, start, sizeof start, &n, NULL) == XA_OK && n > 0) {
        is = by_bytes(path, start, n);
        if (is == UNKNOWN)
            is = protobuf(fd, size, path);
        if (is == UNKNOWN)
            is = by_name(path);
    }
    close(fd);
    return is == SAVED_MODEL ? saved_model(path) : is;
}

bool xa__model_is_shard(const char *path)
{
    const char *of = strstr(path, "-of-"), *digits = of;
    for (const char *next = of; next; next = strstr(next + 1, "-of-"))
        of = next;
    if (!of)
        return false;
    for (digits = of; digits > path && digits[-1] >= '0' && digits[-1] <= '9';)
        digits--;
    const size_t n = strspn(of + 4, "0123456789");
    return digits < of && digits > path && digits[-1] == '-' && n > 0 && of[4 + n] == '.' &&
           !strchr(of, '/');
}

xa_status xa_model_foreign(const char *path, xa_err *err)
{
    struct stat s;
    if (stat(path, &s))
        return XA_OK;
    const kind is = S_ISDIR(s.st_mode) ? folder(path) : of_file(path);
    if (is == UNKNOWN || (is == ONNX && xa_model_recognises(path)))
        return XA_OK;
    XA_RETURN_FAIL(err, XA_UNSUPPORTED, "%s is %s. %s", path, texts[is][0], texts[is][1]);
}

/* The same for a file that must be a model. */
xa_status xa__model_sniff(const char *path, xa_err *err)
{
    unsigned char b[4] = {0};
    size_t n = 0;
    int64_t size;
    int fd = -1;
    XA_RETURN_TRY(err, xa_model_foreign(path, err));
    XA_RETURN_TRY(err, xa_open_regular(path, &fd, &size, err));
    const xa_status st = xa_read_fd(fd, path, b, sizeof b, &n, err);
    close(fd);
    XA_RETURN_TRY(err, st);
    if (n == 0)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: the file is empty", path);
    XA_RETURN_FAIL(err,
                   XA_FORMAT,
                   "%s: not a model that xaudit knows (it begins %02x %02x %02x %02x); it reads "
                   "Keras .h5 and .keras, ONNX, and safetensors of vision transformers",
                   path,
                   b[0],
                   b[1],
                   b[2],
                   b[3]);
}
