#!/usr/bin/env python3
"""Seconds an image of Keras for what bench_engine does, as its own tutorials write it: one GradientTape for the saliency map,
another for Grad-CAM, each with a forward pass.

  peer_keras.py MODEL.h5 --layer PATH [--variant eager|function] [--size N] [--batch N] [--images N] [--threads N]
                [--input FILE] [--dump PREFIX]

  eager     as written
  function  both in one tf.function, which shares the forward pass where it can

Prints one JSON object, as peer_torch.py.
"""
import argparse
import json
import os
import resource
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    p.add_argument("--layer", required=True)
    p.add_argument("--variant", choices=["eager", "function"], default="eager")
    p.add_argument("--size", type=int, default=224)
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--images", type=int, default=5)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--input")
    p.add_argument("--dump")
    a = p.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(a.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = tf.keras.models.load_model(a.model, compile=False)
    model.layers[-1].activation = None
    path = a.layer.split("/")
    if len(path) > 1:  # a model inside: its layer's output, and what follows the model
        inner = model.get_layer(path[0])
        first = tf.keras.Model(inner.inputs, [inner.get_layer(path[1]).output, inner.output])
        rest = model.layers[model.layers.index(inner) + 1:]

        def both(x):
            features, y = first(x)
            for layer in rest:
                y = layer(y)
            return features, y
    else:
        cut = tf.keras.Model(model.inputs, [model.get_layer(path[0]).output, model.output])

        def both(x):
            return cut(x)

    def explain(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            scores = model(x)
            best = tf.reduce_sum(tf.reduce_max(scores, axis=1))
        saliency = tf.reduce_max(tf.abs(tape.gradient(best, x)), axis=-1)
        with tf.GradientTape() as tape:
            features, z = both(x)
            best = tf.reduce_sum(tf.reduce_max(z, axis=1))
        gradient = tape.gradient(best, features)
        weights = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
        return scores, saliency, tf.nn.relu(tf.reduce_sum(weights * features, axis=-1))

    if a.variant == "function":
        explain = tf.function(explain)
    pixels = np.fromfile(a.input, np.float32).reshape(1, a.size, a.size, 3)
    x = tf.constant(np.repeat(pixels, a.batch, 0))
    result = explain(x)
    cpu, wall = [], []
    for _ in range(a.images):
        start = time.process_time(), time.perf_counter()
        result = [r.numpy() for r in explain(x)]
        cpu.append((time.process_time() - start[0]) / a.batch)
        wall.append((time.perf_counter() - start[1]) / a.batch)
    if a.dump:
        for what, value in zip(("logits", "saliency", "gradcam"), result):
            np.asarray(value)[0].astype(np.float32).tofile("%s.%s" % (a.dump, what))
    print(json.dumps({"program": "keras " + a.variant, "version": tf.__version__, "cpu": cpu, "wall": wall,
                      "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024e-6}))


if __name__ == "__main__":
    main()
