#!/usr/bin/env python3
"""What Keras computes for a model and images, as a file that `xaudit check JOB --against FILE` reads.

    reference.py MODEL.h5 IMAGE ... -o ref.h5 --size 512 512 --scale tf --resize pil-bilinear
                 [--layer NAME ...] [--score logit|prob] [--target CLASS] [--fit stretch|short:256] [--float64] ...

The file is an "xaudit-reference 1" (tests/golden/keras/README.md) with /paths, the images as given. Preprocessing is
done by the libraries the names stand for (Pillow, OpenCV, TensorFlow), the model is run by Keras, gradients are
tf.GradientTape's, one image at a time.
"""
import argparse
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "keras"))

import h5py
import numpy as np
import PIL

import keras_reference as ref
from images import PILLOW, fit_image, read_image, scale_pixels
from keras_reference import keras, tf

# ------------------------------------------------------------------------------------------------------------ models

def with_size(config, old, new):
    """A config whose inputs of height and width `old` (or None) have `new`; batch sizes become open."""
    if isinstance(config, list):
        return [with_size(item, old, new) for item in config]
    if not isinstance(config, dict):
        return config
    changed = {}
    for key, value in config.items():
        is_shape = key in ("batch_input_shape", "batch_shape", "build_input_shape") and isinstance(value, list)
        if is_shape and len(value) == 4 and value[1:3] == old:
            changed[key] = [None, *new, value[3]]
        else:
            changed[key] = with_size(value, old, new)
    return changed


def first_shape(config):
    """The [batch,H,W,C] of the first input of a model config."""
    for key in ("batch_input_shape", "batch_shape", "build_input_shape"):
        if isinstance(config, dict) and config.get(key):
            return config[key]
    children = config.values() if isinstance(config, dict) else config if isinstance(config, list) else []
    for child in children:
        found = first_shape(child)
        if found:
            return found
    return None


def text_of(value):
    return value.decode() if isinstance(value, bytes) else value


def load(path, architecture, size, dtype):
    """The model computing in `dtype` at the given input size; its weights from a whole-model or weights-only file."""
    if architecture:
        with open(architecture, encoding="utf-8") as f:
            config = json.load(f)
    else:
        with h5py.File(path, "r") as f:
            if "model_config" not in f.attrs:
                raise SystemExit(f"{path}: holds weights only; give --architecture MODEL.json")
            config = json.loads(text_of(f.attrs["model_config"]))
    shape = first_shape(config)
    if not shape or len(shape) != 4:
        raise SystemExit(f"{path}: the model's input is {shape}, not [N,H,W,C]")
    config = with_size(ref.with_dtype(config, dtype), shape[1:3], list(size))
    ref.set_dtype(dtype)
    try:
        if architecture:
            model = keras.models.model_from_json(json.dumps(config))
            model.load_weights(path)
            return model
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, "copy.h5")
            with h5py.File(path, "r") as source, h5py.File(copy, "w") as target:
                for key in ("keras_version", "backend"):
                    if key in source.attrs:
                        target.attrs[key] = source.attrs[key]
                target.attrs["model_config"] = json.dumps(config)
                source.copy("model_weights", target)
            return keras.models.load_model(copy, compile=False)
    finally:
        ref.set_dtype("float32")


def input_channels(path, architecture):
    """Channels of the model's input, from its config."""
    if architecture:
        with open(architecture, encoding="utf-8") as f:
            return first_shape(json.load(f))[3]
    with h5py.File(path, "r") as f:
        if "model_config" not in f.attrs:
            raise SystemExit(f"{path}: holds weights only; give --architecture MODEL.json")
        return first_shape(json.loads(text_of(f.attrs["model_config"])))[3]


# --------------------------------------------------------------------------------------------------- Grad-CAM's layer

class CallLog:
    """Within the block, notes every leaf layer's calls: (path, class name, input tensor, output tensor)."""

    def __init__(self, model):
        self.calls = []
        self.leaves = list(self.leaf_layers(model, ""))

    def leaf_layers(self, model, prefix):
        for layer in model.layers:
            if ref.is_model(layer):
                yield from self.leaf_layers(layer, prefix + layer.name + "/")
            else:
                yield prefix + layer.name, layer

    def __enter__(self):
        self.saved = []
        for path, layer in self.leaves:
            original = layer.call
            self.saved.append((layer, original))

            def call(inputs, *args, _original=original, _path=path, _kind=type(layer).__name__, **kwargs):
                output = _original(inputs, *args, **kwargs)
                self.calls.append((_path, _kind, inputs, output))
                return output
            layer.call = call
        return self

    def __exit__(self, *_):
        for layer, original in self.saved:
            layer.call = original


def automatic_layer(model, images):
    """The last activation with more than one position before the final global pool or Flatten.

    Found by walking back from that layer; max-pools and layers that do nothing at inference are passed over.
    """
    with CallLog(model) as log:
        model(tf.convert_to_tensor(images[:1]), training=False)
    made = {id(output): (path, kind, inputs) for path, kind, inputs, output in log.calls
            if not isinstance(output, (list, tuple)) and output is not inputs}
    for path, kind, inputs, _ in reversed(log.calls):
        if not (kind.startswith("Global") or kind == "Flatten") or isinstance(inputs, (list, tuple)):
            continue
        if len(inputs.shape) != 4 or inputs.shape[1] * inputs.shape[2] <= 1:
            continue
        while id(inputs) in made:
            name, kind, before = made[id(inputs)]
            if "Dropout" not in kind and kind not in ("MaxPooling2D", "GaussianNoise", "ActivityRegularization"):
                return name
            inputs = before
    raise SystemExit("no layer to explain found: no global pool or Flatten behind an activation map; give --layer")


# --------------------------------------------------------------------------------------------------------------- main

def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0],
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("model", help="Keras .h5 or .hdf5 file")
    parser.add_argument("images", nargs="+", help="8-bit images")
    parser.add_argument("-o", "--output", required=True, help="reference file to write")
    parser.add_argument("--size", nargs=2, type=int, required=True, metavar=("H", "W"), help="the network's input")
    parser.add_argument("--scale", required=True, help="none, unit, tf, caffe, torch, or div=..,mean=a:b:c,std=a:b:c")
    parser.add_argument("--resize", required=True, help="pil-nearest|bilinear|bicubic|lanczos, "
                        "cv2-nearest|linear|cubic|area, tf-nearest|bilinear|bicubic")
    parser.add_argument("--fit", default="stretch", help="stretch, or short:S")
    parser.add_argument("--layer", action="append", help="Grad-CAM layer, outer/inner; may be repeated; "
                        "default: the last activation map")
    parser.add_argument("--score", choices=["logit", "prob"], default="logit", help="what is differentiated")
    parser.add_argument("--target", type=int, help="class explained (default: the predicted one)")
    parser.add_argument("--head", choices=["softmax", "sigmoid"], help="activation of a last layer that has none")
    parser.add_argument("--architecture", help="model.json of a weights-only file")
    parser.add_argument("--float64", action="store_true", help="also the input gradient in float64")
    args = parser.parse_args()
    library, _, kind = args.resize.partition("-")
    kinds = {"pil": tuple(PILLOW), "cv2": ("nearest", "linear", "cubic", "area"),
             "tf": ("nearest", "bilinear", "bicubic")}
    if kind not in kinds.get(library, ()):
        parser.error(f"--resize {args.resize}: unknown")
    if args.fit != "stretch" and not (args.fit.startswith("short:") and args.fit[6:].isdigit()):
        parser.error(f"--fit {args.fit}: stretch or short:S")
    return args


def main():
    args = arguments()
    height, width = args.size
    channels = input_channels(args.model, args.architecture)
    images = np.stack([scale_pixels(fit_image(read_image(path, channels), height, width, args.resize, args.fit),
                                    args.scale) for path in args.images])
    model = load(args.model, args.architecture, args.size, "float32")
    paths = args.layer or [automatic_layer(model, images)]
    double = None
    if args.float64:
        try:
            double = load(args.model, args.architecture, args.size, "float64")
        except (TypeError, ValueError) as error:
            raise SystemExit(f"{args.model}: a layer takes no float64; leave out --float64. Keras says: {error}")
    rows = []
    for path, image in zip(args.images, images):
        x = image[None]
        output, logits, probs, head = ref.classify(model, x, args.head)
        target = np.array([args.target if args.target is not None else int(np.argmax(probs[0]))], np.int32)
        if not 0 <= target[0] < logits.shape[1]:
            raise SystemExit(f"--target {target[0]}: the model has {logits.shape[1]} classes")
        score = ref.class_score(head, target, args.score, logits.shape[1])
        with ref.Logits(model):
            gradient, layers = ref.score_gradients(model, x, score, paths)
        row = {"input": x, "output": output, "logits": logits, "target": target, "gradient": gradient}
        if head != "linear":
            row["probs"] = probs
        if double is not None:
            with ref.Logits(double):
                row["gradient64"], _ = ref.score_gradients(double, x.astype(np.float64), score)
        rows.append((row, layers))
        print(f"{path}: class {target[0]}, logit {logits[0, target[0]]:.6f}, probability {probs[0, target[0]]:.6f}",
              flush=True)

    found = {key: np.concatenate([row[key] for row, _ in rows]) for key in rows[0][0]}
    found["paths"] = np.array([os.fsencode(path) for path in args.images])
    layers = [(path, np.concatenate([layers[k][0] for _, layers in rows]),
               np.concatenate([layers[k][1] for _, layers in rows])) for k, path in enumerate(paths)]
    attrs = {"model": os.path.basename(args.model), "script": "reference.py", "score": args.score, "head": head,
             "size": np.array(args.size, np.int32), "scale": args.scale, "resize": args.resize, "fit": args.fit,
             "pillow": PIL.__version__}
    ref.write(args.output, found, layers, attrs)
    print(f"{args.output}: {len(rows)} images, layers {paths}, {os.path.getsize(args.output) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
