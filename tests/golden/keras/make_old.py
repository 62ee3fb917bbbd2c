#!/usr/bin/env python3
"""Golden files of Keras 2.1.6 and 2.3.1, the releases before tf.keras; two steps, see README.md.

    python make_old.py build [--out FOLDER]        under Keras 2.1.6 or 2.3.1 with the Theano backend
    python make_old.py reference [--out FOLDER]    under tf.keras 2.15

`build` draws the weights and saves. The files say backend "tensorflow": kernels are drawn, not trained, and are meant
in TensorFlow's orientation, so that what differs from a file of Keras on TensorFlow 1 is the ":0" behind variable
names. `theano_sequential` keeps "theano", whose convolutions turn the kernel by 180 degrees; its reference is computed
by Keras on Theano itself.
"""
import argparse
import importlib
import os
import sys
import zlib

import h5py
import numpy as np

from golden_draw import draw_images, draw_weight

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = {"sequential": (14, 12, 3), "nested": (17, 15, 3), "theano_sequential": (10, 9, 3)}
LAYERS = {"sequential": ["activation_1"], "nested": ["trunk", "trunk/add_1"]}


def seed_of(name):
    return zlib.crc32(name.encode()) & 0xFFFF


def old_keras():
    """Keras 2.x on Theano under a Python and numpy younger than both: names they lost are put back."""
    import collections
    import collections.abc
    for name in ("Iterable", "Mapping", "Sequence", "Callable"):
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))
    os.environ["KERAS_BACKEND"] = "theano"
    os.environ.setdefault("THEANO_FLAGS", "cxx=,blas__ldflags=,optimizer=None,floatX=float32")
    for name in ("signaltools", "sigtools"):
        sys.modules["scipy.signal." + name] = importlib.import_module("scipy.signal._" + name)
    import theano.sandbox.rng_mrg
    theano.sandbox.rng_mrg.MRG_RandomStreams = theano.sandbox.rng_mrg.MRG_RandomStream
    import keras
    keras.backend.set_image_data_format("channels_last")
    if keras.__version__ == "2.1.6":
        # Its Theano backend has no separable convolution. The model is only saved: one of the same shape will do.
        keras.backend.separable_conv2d = lambda x, depthwise, pointwise, strides=(1, 1), padding="valid", **_: \
            keras.backend.conv2d(x, pointwise, strides=strides, padding=padding)
    return keras


def sequential(keras, size):
    """A Sequential CNN; its config is a bare list before Keras 2.2.3."""
    L = keras.layers
    return keras.models.Sequential([
        L.Conv2D(6, (3, 3), padding="same", input_shape=size), L.LeakyReLU(alpha=0.1),
        L.BatchNormalization(), L.MaxPooling2D((2, 2)),
        L.Conv2D(8, (3, 3), use_bias=False), L.BatchNormalization(), L.Activation("relu"), L.Dropout(0.25),
        L.Flatten(), L.Dense(10, activation="tanh"), L.Dense(4, activation="softmax")])


def nested(keras, size):
    """An inner Xception-like model, GlobalAveragePooling2D and Dense layers: the seed's listing."""
    L = keras.layers
    inner_inputs = L.Input(size)
    x = L.Conv2D(6, (3, 3), strides=(2, 2), use_bias=False)(inner_inputs)
    x = L.Activation("relu")(L.BatchNormalization()(x))
    shortcut = L.BatchNormalization()(L.Conv2D(8, (1, 1), strides=(2, 2), padding="same", use_bias=False)(x))
    x = L.SeparableConv2D(8, (3, 3), padding="same", use_bias=False)(x)
    x = L.MaxPooling2D((3, 3), strides=(2, 2), padding="same")(L.BatchNormalization()(x))
    x = L.Activation("relu")(L.add([x, shortcut]))
    inner = keras.models.Model(inner_inputs, x, name="trunk")
    inputs = L.Input(size)
    x = L.GlobalAveragePooling2D()(inner(inputs))
    x = L.Dropout(0.3)(L.Dense(16, activation="relu")(x))
    return keras.models.Model(inputs, L.Dense(5, activation="softmax")(x))


def theano_sequential(keras, size):
    """A CNN whose file says that Theano wrote it."""
    L = keras.layers
    return keras.models.Sequential([
        L.Conv2D(4, (3, 3), activation="relu", input_shape=size), L.Conv2D(5, (2, 3), activation="tanh"),
        L.Flatten(), L.Dense(3, activation="softmax")])


def randomise(keras, model, seed):
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        shape = keras.backend.get_value(variable).shape
        values = draw_weight(variable.name.split("/")[-1], shape, rng)
        keras.backend.set_value(variable, values.astype(np.float32))


def theano_reference(keras, model, path, name, seed):
    """Output and gradient by Keras on Theano, in the format of keras_reference.write."""
    images = draw_images(2, SIZES[name], -1.0, 1.0, seed + 1)
    target = np.array([0, 2], np.int32)
    model.layers[-1].activation = keras.activations.linear
    logits = model.layers[-1].call(model.layers[-1].input)
    total = keras.backend.sum(logits * keras.backend.variable(np.eye(3)[target]))
    run = keras.backend.function([model.input], [logits, keras.backend.softmax(logits)] +
                                 keras.backend.gradients(total, [model.input]))
    values, probs, gradient = run([images])
    with h5py.File(path[:-3] + ".ref.h5", "w", libver=("v108", "v110"), meta_block_size=512) as f:
        attrs = {"format": "xaudit-reference 1", "framework": "keras %s theano" % keras.__version__, "score": "logit",
                 "model": os.path.basename(path), "script": "make_old.py", "head": "softmax"}
        for key, value in attrs.items():
            f.attrs[key] = np.bytes_(value)
        f.attrs["seed"] = seed
        for key, value in {"input": images, "output": probs, "logits": values, "probs": probs,
                           "gradient": gradient}.items():
            f[key] = np.asarray(value, np.float32)
        f["target"] = target


def build(out):
    keras = old_keras()
    version = "k" + keras.__version__.replace(".", "")
    for make in (sequential, nested, theano_sequential):
        name = make.__name__
        if make is theano_sequential and keras.__version__ != "2.3.1":
            continue
        seed = seed_of(name)
        model = make(keras, SIZES[name])
        randomise(keras, model, seed)
        path = os.path.join(out, version + "_" + name + ".h5")
        model.save(path)
        if make is theano_sequential:
            theano_reference(keras, model, path, name, seed)
        else:
            with h5py.File(path, "r+") as f:
                f.attrs["backend"] = f["model_weights"].attrs["backend"] = np.bytes_("tensorflow")
        print("%-32s %s" % (os.path.basename(path), keras.__version__))


def reference(out):
    import keras_reference as ref
    for file in sorted(os.listdir(out)):
        version, _, name = file[:-3].partition("_")
        if file.endswith(".ref.h5") or not file.endswith(".h5") or name not in LAYERS:
            continue
        path = os.path.join(out, file)
        seed = seed_of(name)
        model = ref.load(path)
        images = draw_images(2, SIZES[name], -1.0, 1.0, seed + 1)
        attrs = {"model": file, "script": "make_old.py", "seed": seed}
        found = ref.classifier_reference(model, ref.load(path, "float64"), path[:-3] + ".ref.h5", images, LAYERS[name],
                                         attrs)
        print(f"{file:32s} {str(found['output'].shape):10s} f32-f64 {ref.check_reference(file, found):.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=["build", "reference"])
    parser.add_argument("--out", default=os.path.join(HERE, "old"), help="folder of the files")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    {"build": build, "reference": reference}[args.step](args.out)


if __name__ == "__main__":
    main()
