#!/usr/bin/env python3
"""Seconds an image of vit-keras' own visualize.attention_map, as its README has it.

  peer_vit_keras.py 32|16 [--passes N]        vit-keras 0.1, tensorflow 2.15

Weights are random: speed does not depend on them. That the maps are the same as xaudit's is what tests/parity shows.
Prints one JSON object.
"""
import argparse
import json
import os
import resource
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from vit_keras import visualize, vit


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("patch", choices=["32", "16"])
    p.add_argument("--passes", type=int, default=3)
    a = p.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    make = vit.vit_b32 if a.patch == "32" else vit.vit_b16
    model = make(image_size=224, activation="softmax", pretrained=False, include_top=True, pretrained_top=False, classes=1000)
    image = np.random.default_rng(5).integers(0, 256, (224, 224, 3), np.uint8)
    visualize.attention_map(model=model, image=image)
    cpu = []
    for _ in range(a.passes):
        start = time.process_time()
        visualize.attention_map(model=model, image=image)
        cpu.append(time.process_time() - start)
    print(json.dumps({"program": "vit-keras", "cpu": cpu,
                      "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024e-6}))


if __name__ == "__main__":
    main()
