"""What make_ops.py and make_classifiers.py share: the list of models and the command line."""
import argparse
import collections
import os
import zlib

import numpy as np

import keras_reference as ref
from keras_reference import keras

BOTH = ("tf215", "k3")

Entry = collections.namedtuple("Entry", "name build input low high count generations layers arrange save images")


class Catalogue:
    """The models of one script, in the order they are written down."""

    def __init__(self, script):
        self.script = script
        self.entries = []

    def model(self, size, low=-1.0, high=1.0, count=2, generations=BOTH, layers=None, arrange=None, save=None,
              images=None):
        """Decorator of a function that builds one model.

        size, low, high, count: shape and range of the random inputs. layers: Keras paths whose activation and
        gradient are stored, or a function of the model giving them. arrange(model): sets weights after the random
        draw. save(model, path): other than model.save. images(images): changes the drawn inputs.
        """
        def add(build):
            self.entries.append(Entry(build.__name__, build, size, low, high, count, generations, layers, arrange,
                                      save, images))
            return build
        return add

    def make(self, entry, folder, classifier):
        seed = zlib.crc32(entry.name.encode()) & 0xFFFF
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        model = entry.build()
        ref.randomise(model, seed)
        if entry.arrange:
            entry.arrange(model)
        path = os.path.join(folder, entry.name + ".h5")
        if entry.save:
            entry.save(model, path)
        else:
            model.save(path, include_optimizer=False)
        images = ref.draw_images(entry.count, entry.input, entry.low, entry.high, seed + 1)
        if entry.images:
            images = entry.images(images).astype(np.float32)
        layers = entry.layers(model) if callable(entry.layers) else (entry.layers or ())
        attrs = {"script": self.script, "seed": seed}
        ref_path = os.path.join(folder, entry.name + ".ref.h5")
        if classifier:
            found = ref.classifier_reference(path, ref_path, images, layers, attrs)
        else:
            found = ref.operator_reference(path, ref_path, images, layers, attrs, seed + 2)
        # The file as Keras reads it back must be the model that was built (a mixed policy computes in half precision).
        built = model.predict(images, verbose=0).astype(np.float32)
        policy = getattr(model, "dtype_policy", None)
        loose = "16" in getattr(policy, "name", "")
        if not np.allclose(built, found["output"], rtol=0, atol=2e-2 if loose else 2e-5 * np.max(np.abs(built))):
            raise SystemExit(f"{entry.name}: the saved file gives other outputs than the model that was saved")
        error = ref.check_reference(entry.name, found)
        size = os.path.getsize(path) + os.path.getsize(ref_path)
        print(f"{entry.name:28s} {str(found['output'].shape):18s} f32-f64 {error:.1e}  {size / 1000:7.1f} kB", flush=True)

    def main(self, classifier):
        here = os.path.dirname(os.path.abspath(__file__))
        parser = argparse.ArgumentParser(description="Builds Keras models, saves them as .h5 with their references.")
        parser.add_argument("--out", default=os.path.join(here, ref.GENERATION), help="folder to write to")
        parser.add_argument("names", nargs="*", help="models to make (default: all of this Keras generation)")
        args = parser.parse_args()
        os.makedirs(args.out, exist_ok=True)
        known = {entry.name for entry in self.entries}
        for name in args.names:
            if name not in known:
                raise SystemExit(f"no model {name!r}; known: {sorted(known)}")
        for entry in self.entries:
            if ref.GENERATION in entry.generations and (not args.names or entry.name in args.names):
                self.make(entry, args.out, classifier)
