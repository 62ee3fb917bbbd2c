#!/usr/bin/env python3
"""Writes the benchmarks' model: Xception at 512x512x3 without its top as a model inside a model, global average
pooling, Dense 128/64/32 (relu) with Dropout and Dense 7 (softmax), saved as Keras .h5. Needs tensorflow 2.15.

  make_xception.py OUT.h5 [--size 512]

Weights are random and seeded. Batch normalisations get the statistics of one forward pass, so that activations and
gradients keep the scale of a trained network: with the initial statistics they would shrink layer by layer, and
denormal numbers would slow every program down that does not flush them.
"""
import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

layers = tf.keras.layers


def smooth_images(count, size, seed):
    """Coloured noise in [-1, 1]: random 16x16 pictures brought to size, and some grain."""
    rng = np.random.default_rng(seed)
    coarse = tf.image.resize(rng.uniform(-1, 1, (count, 16, 16, 3)), (size, size), method="bicubic").numpy()
    return np.clip(coarse + rng.normal(0, 0.1, coarse.shape), -1, 1).astype(np.float32)


def batch_norms(model):
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            yield layer
        elif isinstance(layer, tf.keras.Model):
            yield from batch_norms(layer)


def build(size):
    tf.keras.utils.set_random_seed(1)
    inner = tf.keras.applications.Xception(include_top=False, weights=None, input_shape=(size, size, 3))
    model = tf.keras.Sequential([
        inner,
        layers.GlobalAveragePooling2D(),
        layers.Dense(128, activation="relu"), layers.Dropout(0.3),
        layers.Dense(64, activation="relu"), layers.Dropout(0.3),
        layers.Dense(32, activation="relu"), layers.Dropout(0.3),
        layers.Dense(7, activation="softmax")])
    momenta = [(layer, layer.momentum) for layer in batch_norms(model)]
    for layer, _ in momenta:
        layer.momentum = 0.0
    model(smooth_images(1, size, 2), training=True)
    for layer, momentum in momenta:
        layer.momentum = momentum
    return model


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--size", type=int, default=512)
    a = p.parse_args()
    model = build(a.size)
    model.save(a.out, include_optimizer=False)
    probs = model.predict(smooth_images(4, a.size, 3), batch_size=1, verbose=0)
    print("%s: %d parameters, probabilities %.3f to %.3f" % (a.out, model.count_params(), probs.min(), probs.max()))


if __name__ == "__main__":
    main()
