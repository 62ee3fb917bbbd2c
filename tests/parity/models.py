#!/usr/bin/env python3
"""Full-size models of the two pipelines of jobs/seed-*.yaml, with weights that make their answers and maps differ between images.

    models.py FOLDER [--trunk XCEPTION.h5]

    Xcep3.h5             keras.applications Xception 512x512 without its top, nested, GlobalAveragePooling, Dense 128/64/32 relu with
                         Dropout, Dense 7 softmax. The trunk's weights are those of --trunk, a trained Keras model that begins with the
                         same layers; without it the initial ones. The head is trained to tell seven noise patterns apart.
    vit-b32.h5, vit-b16.h5  vit_keras.vit at 224x224, nested, Dense 32 relu, Dense 7 softmax; queries and keys are widened and position
                         embeddings drawn, so that attention is not flat as in a fresh network.
"""
import argparse
import os

import numpy as np
import vit_keras.layers  # noqa: F401  registers its classes
from tensorflow import keras
from vit_keras import vit

CLASSES = 7


def patterns(rng, n, size):
    """Images of seven kinds of texture in [-1,1], and their kinds."""
    y, x = np.mgrid[0:size, 0:size] / size
    kinds = np.arange(n) % CLASSES
    images = []
    for k in kinds:
        wave = np.sin(2 * np.pi * (2 + 3 * k) * (x * np.cos(k) + y * np.sin(k)) + rng.uniform(0, 6))
        image = wave[..., None] * rng.uniform(0.3, 0.9, 3) + rng.normal(0, 0.1, (size, size, 3))
        images.append(np.clip(image, -1, 1))
    return np.stack(images).astype(np.float32), kinds


def xception(path, trunk):
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inner = keras.applications.Xception(include_top=False, weights=None, input_shape=(512, 512, 3))
    if trunk:
        weights = keras.models.load_model(trunk, compile=False).get_weights()
        inner.set_weights(weights[:len(inner.get_weights())])
    images, kinds = patterns(rng, 56, 299)
    pooled = keras.layers.GlobalAveragePooling2D()
    features = keras.Sequential([keras.applications.Xception(include_top=False, weights=None, input_shape=(299, 299, 3)), pooled])
    features.set_weights(inner.get_weights())
    seen = features.predict(images, batch_size=8, verbose=0)
    head = keras.Sequential([layers.Input((2048,)), layers.Dense(128, activation="relu"), layers.Dropout(0.3), layers.Dense(64, activation="relu"),
                             layers.Dropout(0.2), layers.Dense(32, activation="relu"), layers.Dense(CLASSES, activation="softmax")])
    head.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    head.fit(seen, kinds, epochs=20, batch_size=14, verbose=0)
    image = layers.Input((512, 512, 3))
    y = layers.GlobalAveragePooling2D()(inner(image))
    for layer in head.layers:
        y = layer(y)
    keras.Model(image, y).save(path)


def vision_transformer(path, build, size=224):
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    base = build(image_size=size, pretrained=False, include_top=False, pretrained_top=False)
    for v in base.weights:
        if "kernel" in v.name and ("query" in v.name or "key" in v.name):
            v.assign(v * 1.8)
        elif "bias" in v.name:
            v.assign(rng.normal(0, 0.05, v.shape))
        elif "cls" in v.name or "pos" in v.name:
            v.assign(rng.normal(0, 0.5, v.shape))
    image = keras.layers.Input((size, size, 3))
    y = keras.layers.Dense(32, activation="relu")(base(image))
    keras.Model(image, keras.layers.Dense(CLASSES, activation="softmax")(y)).save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--trunk")
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    for name, make in (("Xcep3.h5", lambda p: xception(p, args.trunk)), ("vit-b32.h5", lambda p: vision_transformer(p, vit.vit_b32)),
                       ("vit-b16.h5", lambda p: vision_transformer(p, vit.vit_b16))):
        path = os.path.join(args.folder, name)
        if not os.path.exists(path):
            make(path)
            print(path, flush=True)


if __name__ == "__main__":
    main()
