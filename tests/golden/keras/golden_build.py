"""What make_ops.py and make_classifiers.py share: the list of models and the command line."""
import argparse
import dataclasses
import os
import zlib

import numpy as np

import keras_reference as ref
from keras_reference import keras

BOTH = ("tf215", "k3")
plain_write = ref.write


@dataclasses.dataclass
class Entry:
    """One golden model. `size`, `low`, `high`, `count`: shape, range and number of the random inputs."""
    build: object                       # function without arguments that gives the model
    size: tuple
    low: float = -1.0
    high: float = 1.0
    count: int = 2
    generations: tuple = BOTH
    layers: object = ()                 # Keras paths to store, or a function of the model that gives them
    images: object = None               # function that changes the drawn inputs
    save: object = None                 # function (model, path) that saves otherwise than model.save
    suffix: str = ".h5"                 # of the file that is saved
    policy: str = "float32"             # dtype policy the model is saved with; references are float32
    double: tuple = BOTH                # generations whose layers all run in float64
    channels_first: bool = False        # the model takes [N,C,H,W]; `size` is (C, H, W), the reference is stored as [N,H,W,C]
    unreadable: tuple = ()              # generations that cannot read back their own file: the built model is run

    @property
    def name(self):
        return self.build.__name__


def turn(values):
    """[N,C,H,W] as [N,H,W,C]; anything else as it is."""
    return np.moveaxis(values, 1, -1) if values.ndim == 4 else values


def write_turned(path, arrays, layers, attrs, write=ref.write):
    """The reference of a model with channels_first, in the order of all other references."""
    turned = {key: turn(values) if key in ("input", "gradient", "gradient64") else values for key, values in arrays.items()}
    write(path, turned, [(name, turn(a), turn(g)) for name, a, g in layers], attrs)


class Catalogue:
    """The models of one script, in the order they are written down."""

    def __init__(self, script):
        self.script = script
        self.entries = []

    def model(self, size, **settings):
        """Decorator of a function that builds one model; settings as in Entry."""
        def add(build):
            self.entries.append(Entry(build, size, **settings))
            return build
        return add

    def make(self, entry, folder, classifier):
        """Builds and saves one model and writes its reference."""
        name = entry.name
        seed = zlib.crc32(name.encode()) & 0xFFFF
        path = os.path.join(folder, name + entry.suffix)

        def built(dtype):
            keras.backend.clear_session()
            keras.utils.set_random_seed(seed)
            ref.set_dtype(dtype)
            try:
                model = entry.build()
                ref.randomise(model, seed)
            finally:
                ref.set_dtype("float32")
            return model

        saved = built(entry.policy)
        if entry.save:
            entry.save(saved, path)
        else:
            saved.save(path)
        images = ref.draw_images(entry.count, entry.size, entry.low, entry.high, seed + 1)
        if entry.images:
            images = entry.images(images).astype(np.float32)
        expected = saved.predict(images, verbose=0).astype(np.float32)

        readable = ref.GENERATION not in entry.unreadable and not entry.save
        weights = saved.get_weights()
        double = built("float64") if ref.GENERATION in entry.double else None
        model = ref.load(path) if readable else built("float32")
        for other in [m for m in (double, None if readable else model) if m is not None]:
            other.set_weights(weights)
        layers = entry.layers(model) if callable(entry.layers) else entry.layers
        ref.write = write_turned if entry.channels_first else plain_write
        attrs = {"model": os.path.basename(path), "script": self.script, "seed": seed}
        ref_path = os.path.join(folder, name + ".ref.h5")
        if classifier:
            found = ref.classifier_reference(model, double, ref_path, images, layers, attrs)
        else:
            found = ref.operator_reference(model, double, ref_path, images, layers, attrs, seed + 2)

        # What was run must be what was saved; a mixed policy computes in half precision.
        allowed = 2e-2 if "16" in entry.policy else 2e-5
        if np.max(np.abs(expected - found["output"])) > allowed * np.max(np.abs(expected)):
            raise SystemExit(f"{name}: the file as read back gives other outputs than the model that was saved")
        error = ref.check_reference(name, found)
        size = os.path.getsize(path) + os.path.getsize(ref_path)
        print(f"{name:28s} {str(found['output'].shape):18s} f32-f64 {error:.1e}  {size / 1000:7.1f} kB"
              f"{'' if readable else '  (not read back)'}", flush=True)

    def main(self, classifier):
        """The command line."""
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
