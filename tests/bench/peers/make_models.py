#!/usr/bin/env python3
"""Writes the benchmarks' models as Keras .h5 files: architectures of keras.applications, weights random and seeded.

  make_models.py FOLDER [NAME ..]       tensorflow 2.15; names: see MODELS

xception512 is what users of the nested model have: Xception without its top inside a model with a 7-class head.
Batch normalisations get the statistics of one forward pass, so that activations and gradients keep the scale of a
trained network: with the initial ones they would shrink layer by layer, and denormal numbers would slow every program
down that does not flush them.
"""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

layers, applications = tf.keras.layers, tf.keras.applications


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


def nested():
    inner = applications.Xception(include_top=False, weights=None, input_shape=(512, 512, 3))
    return tf.keras.Sequential([
        inner, layers.GlobalAveragePooling2D(),
        layers.Dense(128, activation="relu"), layers.Dropout(0.3),
        layers.Dense(64, activation="relu"), layers.Dropout(0.3),
        layers.Dense(32, activation="relu"), layers.Dropout(0.3),
        layers.Dense(7, activation="softmax")])


MODELS = {"xception512": (512, nested),
          "xception299": (299, lambda: applications.Xception(weights=None)),
          "vgg16": (224, lambda: applications.VGG16(weights=None)),
          "resnet50": (224, lambda: applications.ResNet50(weights=None)),
          "densenet121": (224, lambda: applications.DenseNet121(weights=None)),
          "inceptionv3": (299, lambda: applications.InceptionV3(weights=None)),
          "mobilenetv2": (224, lambda: applications.MobileNetV2(weights=None))}


def main():
    folder, names = sys.argv[1], sys.argv[2:] or list(MODELS)
    os.makedirs(folder, exist_ok=True)
    for name in names:
        path = os.path.join(folder, name + ".h5")
        if os.path.exists(path):
            continue
        size, build = MODELS[name]
        tf.keras.utils.set_random_seed(1)
        model = build()
        momenta = [(layer, layer.momentum) for layer in batch_norms(model)]
        for layer, _ in momenta:
            layer.momentum = 0.0
        model(smooth_images(2, size, 2), training=True)
        for layer, momentum in momenta:
            layer.momentum = momentum
        model.save(path + ".part.h5", include_optimizer=False)
        os.rename(path + ".part.h5", path)
        print(path, model.count_params())


if __name__ == "__main__":
    main()
