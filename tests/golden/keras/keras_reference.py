"""References of a Keras model: outputs, gradients and Grad-CAM, written as "xaudit-reference 1".

Runs under tf.keras 2.15 and under Keras 3 (TensorFlow backend); README.md describes the format. Nothing here knows
how xaudit computes: every number is what Keras and tf.GradientTape give for the saved .h5 file.
"""
import importlib.metadata
import json
import os
import shutil
import tempfile
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import absl.logging
import h5py
import numpy as np
import tensorflow as tf
from tensorflow import keras

from golden_draw import draw_images, draw_weight

tf.get_logger().setLevel("ERROR")
absl.logging.set_verbosity(absl.logging.ERROR)
warnings.filterwarnings("ignore", message=".*HDF5 file.*legacy.*")

FORMAT = "xaudit-reference 1"
VERSION = importlib.metadata.version("keras")
KERAS3 = VERSION.startswith("3")
GENERATION = "k3" if KERAS3 else "tf215"


def framework():
    """The versions a reference was computed with."""
    if KERAS3:
        return f"keras {VERSION} tensorflow {tf.__version__}"
    return f"tf.keras {VERSION} tensorflow {tf.__version__}"


# ---------------------------------------------------------------------------------------------------------- weights

def weight_kind(variable):
    """'kernel', 'bias', 'gamma', ... of a Keras variable, in either generation's naming."""
    return variable.name.split("/")[-1].split(":")[0]


def randomise(model, seed):
    """Replaces every weight by a seeded draw; counters, seeds and Normalization statistics stay as they are."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        shape = tuple(int(d) for d in variable.shape)
        values = draw_weight(weight_kind(variable), shape, rng)
        if values is not None:
            variable.assign(values.astype(np.float32))


# ------------------------------------------------------------------------------------------- models in a given dtype

def with_dtype(config, dtype):
    """A model config with every dtype and dtype policy replaced by `dtype`."""
    if isinstance(config, list):
        return [with_dtype(item, dtype) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") in ("Policy", "DTypePolicy"):
        return {**config, "config": {**config["config"], "name": dtype}}
    replaced = {}
    for key, value in config.items():
        if key == "dtype" and isinstance(value, str) and "float" in value:
            replaced[key] = dtype
        else:
            replaced[key] = with_dtype(value, dtype)
    return replaced


def set_dtype(dtype):
    """The dtype, or mixed policy, of layers whose config names none."""
    keras.backend.set_floatx("float64" if dtype == "float64" else "float32")
    keras.mixed_precision.set_global_policy(dtype)


def load(path, dtype="float32"):
    """The model of a Keras .h5 file, computing in `dtype` whatever policy it was saved with."""
    set_dtype(dtype)
    try:
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, "copy.h5")
            shutil.copyfile(path, copy)
            with h5py.File(copy, "r+") as f:
                text = f.attrs["model_config"]
                config = json.loads(text.decode() if isinstance(text, bytes) else text)
                f.attrs["model_config"] = json.dumps(with_dtype(config, dtype))
            return keras.models.load_model(copy, compile=False)
    finally:
        set_dtype("float32")


def is_model(layer):
    return hasattr(layer, "layers") and hasattr(layer, "get_layer")


def find_layer(model, path):
    """The layer at a Keras path such as `outer/inner`; layer names may hold slashes themselves."""
    for layer in model.layers:
        if layer.name == path:
            return layer
        if is_model(layer) and path.startswith(layer.name + "/"):
            return find_layer(layer, path[len(layer.name) + 1:])
    raise SystemExit(f"no layer {path!r}; the model has {[layer.name for layer in model.layers]}")


def last_layer(model):
    """The layer that makes the output, looking into a nested model."""
    layer = model.layers[-1]
    return last_layer(layer) if is_model(layer) else layer


def head_of(model):
    """'softmax', 'sigmoid' or 'linear': the activation that ends the model."""
    layer = last_layer(model)
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    name = getattr(getattr(layer, "activation", None), "__name__", "linear")
    return name if name in ("softmax", "sigmoid") else "linear"


class Logits:
    """Within the block, the model's last activation is the identity: its output is the logits."""

    def __init__(self, model):
        self.layer = last_layer(model)
        self.active = head_of(model) != "linear"
        self.alone = isinstance(self.layer, (keras.layers.Activation, keras.layers.Softmax))

    def __enter__(self):
        if self.active and self.alone:
            self.saved = self.layer.call
            self.layer.call = lambda inputs, *args, **kwargs: inputs
        elif self.active:
            self.saved = self.layer.activation
            self.layer.activation = keras.activations.linear

    def __exit__(self, *_):
        if self.active and self.alone:
            self.layer.call = self.saved
        elif self.active:
            self.layer.activation = self.saved


class Recorder:
    """Within the block, keeps the output tensor of the layers at `paths` (the last call of a layer used twice)."""

    def __init__(self, model, paths):
        self.layers = [find_layer(model, path) for path in paths]
        self.outputs = [None] * len(paths)
        self.saved = []

    def __enter__(self):
        for k, layer in enumerate(self.layers):
            original = layer.call
            self.saved.append((layer, original))

            def call(*args, _original=original, _k=k, **kwargs):
                result = _original(*args, **kwargs)
                if isinstance(result, tuple):  # the output of a layer with several is its first
                    self.outputs[_k] = tf.identity(result[0])
                    return (self.outputs[_k], *result[1:])
                self.outputs[_k] = tf.identity(result)
                return self.outputs[_k]
            layer.call = call
        return self

    def __exit__(self, *_):
        for layer, original in reversed(self.saved):
            layer.call = original


# ------------------------------------------------------------------------------------------------------- computation

def score_gradients(model, images, score, paths=()):
    """Gradient of sum(score(output)) with respect to images and to each layer in paths, with the activations."""
    x = tf.convert_to_tensor(images)
    with Recorder(model, paths) as recorder, tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(score(model(x, training=False)))
    gradients = tape.gradient(total, [x] + recorder.outputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return gradients[0].numpy(), [(a.numpy(), g.numpy()) for a, g in zip(recorder.outputs, gradients[1:])]


def gradcam(activation, gradient):
    """relu(sum_k mean_ij(dS/dA) A), not normalised, [N,h,w]; computed in float64 and rounded once."""
    weights = gradient.astype(np.float64).mean(axis=(1, 2), keepdims=True)
    return np.maximum((weights * activation.astype(np.float64)).sum(axis=-1), 0.0).astype(np.float32)


def class_targets(probs):
    """The most probable class for image 0, then the second, the third, ... for the others."""
    order = np.argsort(-probs, axis=1)
    return np.array([order[n, n % probs.shape[1]] for n in range(len(probs))], np.int32)


def classify(model, images, wanted=None):
    """(output, logits, probs, head); a head of one sigmoid unit becomes two classes with logits (-z, z).

    wanted: the activation ('softmax', 'sigmoid') that a linear last layer was meant to have.
    """
    head = head_of(model)
    output = model.predict(images, verbose=0)
    with Logits(model):
        logits = model(tf.convert_to_tensor(images), training=False).numpy()
    probs = output
    if head == "linear" and wanted:
        head = wanted
        probs = (tf.nn.softmax(logits) if wanted == "softmax" else tf.sigmoid(logits)).numpy()
    if head == "sigmoid" and logits.shape[1] == 1:
        head = "binary"
        logits = np.concatenate([-logits, logits], axis=1)
        probs = np.concatenate([1.0 - probs, probs], axis=1)
    return output, logits, probs, head


def class_score(head, target, kind, classes):
    """The function of the model's output whose gradient is taken; kind is 'logit' or 'prob'."""
    def score(y):
        if head == "binary":
            y = tf.concat([-y, y], axis=1)
        if kind == "prob":
            y = tf.nn.softmax(y) if head == "softmax" else tf.sigmoid(y)
        return y * tf.one_hot(target, classes, dtype=y.dtype)
    return score


def write(path, arrays, layers, attrs):
    """One reference file; layers = [(path, activation, gradient)]. Readable by HDF5 1.10 and later."""
    with h5py.File(path, "w", libver=("v108", "v110"), meta_block_size=512) as f:
        for key, value in {"format": FORMAT, "framework": framework(), **attrs}.items():
            f.attrs[key] = np.bytes_(value) if isinstance(value, str) else value
        for name, values in arrays.items():
            f[name] = values
        for k, (layer, activation, gradient) in enumerate(layers):
            group = f.create_group(f"layers/{k}")
            group.attrs["layer"] = np.bytes_(layer)
            group["activation"] = activation.astype(np.float32)
            group["gradient"] = gradient.astype(np.float32)
            if activation.ndim == 4 and attrs["head"] != "none":
                group["gradcam"] = gradcam(activation, gradient)


def classifier_reference(model, double, ref_path, images, paths, attrs, kind="logit", arrays=None, target=None):
    """Reference of a classifier: outputs, logits, probabilities, class gradients and the layers in `paths`.

    double: the same model in float64, or None. arrays: further datasets. target: classes explained, if given.
    """
    output, logits, probs, head = classify(model, images)
    if target is None:
        target = class_targets(probs)
    score = class_score(head, target, kind, logits.shape[1])
    with Logits(model):
        gradient, recorded = score_gradients(model, images, score, paths)
    found = {"input": images, "output": output, "logits": logits, "target": target, "gradient": gradient,
             **(arrays or {})}
    if head != "linear":
        found["probs"] = probs
    if double is not None:
        with Logits(double):
            found["gradient64"], _ = score_gradients(double, images.astype(np.float64), score)
    layers = [(path, a, g) for path, (a, g) in zip(paths, recorded)]
    write(ref_path, found, layers, {**attrs, "score": kind, "head": head})
    return found


def operator_reference(model, double, ref_path, images, paths, attrs, seed):
    """Reference of a model that is no classifier: its output and d(sum(seed * output))/d(input)."""
    output = model.predict(images, verbose=0)
    weight = np.random.default_rng(seed).normal(0.0, 1.0, output.shape).astype(np.float32)

    def score(y):
        return y * tf.cast(weight, y.dtype)
    gradient, recorded = score_gradients(model, images, score, paths)
    found = {"input": images, "output": output, "seed": weight, "gradient": gradient}
    if double is not None:
        found["gradient64"], _ = score_gradients(double, images.astype(np.float64), score)
    layers = [(path, a, g) for path, (a, g) in zip(paths, recorded)]
    write(ref_path, found, layers, {**attrs, "score": "seed", "head": "none"})
    return found


def check_reference(name, found):
    """Stops on references that could not tell a wrong engine from a right one."""
    for key in ("output", "gradient", "gradient64"):
        values = found.get(key)
        if values is None:
            continue
        if not np.all(np.isfinite(values)):
            raise SystemExit(f"{name}: {key} has values that are not finite")
        effect = np.max(np.abs(values)) * (1.0 if key == "output" else np.max(np.abs(found["input"])))
        if effect < 1e-3:
            raise SystemExit(f"{name}: {key} vanishes (effect {effect:.1e}): it would test nothing")
    if "gradient64" in found:
        if found["gradient64"].dtype != np.float64:
            raise SystemExit(f"{name}: gradient64 was not computed in float64")
        scale = np.max(np.abs(found["gradient64"]))
        error = np.max(np.abs(found["gradient"] - found["gradient64"])) / scale
        if error > 0.05:
            raise SystemExit(f"{name}: float32 and float64 gradients differ by {error:.1e} of the maximum")
        return error
    return float("nan")
