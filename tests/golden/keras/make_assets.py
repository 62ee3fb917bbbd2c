#!/usr/bin/env python3
"""References of models trained and saved by others, in assets/; run under tf.keras 2.15. See assets/README.md.

    python make_assets.py [--out FOLDER]
"""
import argparse
import os

import h5py

import keras_reference as ref

HERE = os.path.dirname(os.path.abspath(__file__))
SEED = 20250

# file, size of its input, range of its input, layers
MODELS = [("fer2013_mini_XCEPTION.102-0.66.hdf5", (64, 64, 1), (-1.0, 1.0), ["conv2d_7", "add_4"])]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=os.path.join(HERE, "assets"), help="folder to write to")
    args = parser.parse_args()
    for name, size, (low, high), layers in MODELS:
        path = os.path.join(HERE, "assets", name)
        with h5py.File(path, "r") as f:
            version = f.attrs["keras_version"]
        images = ref.draw_images(2, size, low, high, SEED)
        attrs = {"model": name, "script": "make_assets.py", "seed": SEED, "keras_version": version}
        found = ref.classifier_reference(ref.load(path), ref.load(path, "float64"),
                                         os.path.join(args.out, os.path.splitext(name)[0] + ".ref.h5"),
                                         images, layers, attrs)
        print(f"{name:40s} {str(found['output'].shape):10s} f32-f64 {ref.check_reference(name, found):.1e}")


if __name__ == "__main__":
    main()
