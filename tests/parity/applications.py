#!/usr/bin/env python3
"""Every classifier of keras.applications, saved with random weights as .h5 and .keras, beside xaudit.

    applications.py FOLDER PHOTO... [--xaudit build/xaudit] [--size 96] [--only NAME ...] [--formats .h5 .keras]

Keras builds each model, its weights are drawn, both files are saved, and Keras computes the logits and the input gradient of
the predicted class of each photograph. `xaudit check --against` opens each file and compares. The table is printed as
Markdown, one line a model; exit code 1 if a file does not open or differs. FOLDER keeps the reports; models are deleted.
"""
import argparse
import os
import re
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "keras"))

import numpy as np

import keras_reference as ref
from keras_reference import keras, tf
from reference import fit_image, read_image, scale_pixels

CLASSES = 10
HERE = os.path.dirname(os.path.abspath(__file__))


def names():
    """The model functions of keras.applications, as Keras documents them."""
    return [name for name in sorted(dir(keras.applications)) if name[0].isupper()]


def draw(model, seed, gain=1.0):
    """Initial kernels of Keras' own; statistics, scales and biases that make every weight count."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        kind, shape = ref.weight_kind(variable), tuple(int(d) for d in variable.shape)
        values = {"bias": lambda: rng.normal(0.0, 0.05, shape), "beta": lambda: rng.normal(0.0, 0.1, shape),
                  "gamma": lambda: gain * rng.uniform(0.7, 1.2, shape), "moving_mean": lambda: rng.normal(0.0, 0.1, shape),
                  "moving_variance": lambda: rng.uniform(0.6, 1.6, shape)}.get(kind)
        if values:
            variable.assign(values().astype(np.float32))


def reference(model, name, images, photos, size, path):
    """Logits, probabilities and the gradient of the predicted class, from one pass over all images."""
    x = tf.convert_to_tensor(images)
    with ref.Logits(model), tf.GradientTape() as tape:
        tape.watch(x)
        logits = model(x, training=False)
        target = tf.argmax(logits, axis=1)
        score = tf.reduce_sum(tf.gather(logits, target, axis=1, batch_dims=1))
    probs = tf.nn.softmax(logits).numpy()
    found = {"input": images, "output": probs, "logits": logits.numpy(), "probs": probs,
             "target": target.numpy().astype(np.int32), "gradient": tape.gradient(score, x).numpy()}
    head = ref.head_of(model)
    found["paths"] = np.array([os.fsencode(photo) for photo in photos])
    if head != "softmax":
        raise SystemExit(f"{name}: its head is {head}")
    spread = np.ptp(found["logits"], axis=1).min()
    if not np.all(np.isfinite(found["logits"])) or spread < 1e-4:
        raise SystemExit(f"{name}: logits that tell nothing (spread {spread})")
    ref.write(path, found, [], {"model": name, "script": "applications.py", "score": "logit", "head": head,
                                "size": np.array([size, size], np.int32), "scale": "tf", "resize": "pil-bilinear",
                                "fit": "stretch"})


JOB = """manifest: manifest.csv
output: out.h5
models:
  - name: model
    file: {file}
    input: {{ size: [{size}, {size}], resize: pil-bilinear, scale: tf }}
    explainers: [saliency]
"""


def check(args, folder, name, suffix):
    """(scores' difference or the error, passed)."""
    job = os.path.join(folder, "job.yaml")
    with open(job, "w", encoding="utf-8") as f:
        f.write(JOB.format(file="model" + suffix, size=args.size))
    run = subprocess.run([args.xaudit, "check", job, "--against", os.path.join(folder, "ref.h5")], capture_output=True,
                         text=True, check=False)
    with open(os.path.join(folder, name + suffix + ".txt"), "w", encoding="utf-8") as f:
        f.write(run.stdout + run.stderr)
    found = re.search(r"scores before the head\s+(\S+) of the largest", run.stdout)
    if found and "agrees with the reference" in run.stdout:
        return found.group(1), True
    lines = [line for line in (run.stderr + run.stdout).splitlines() if "layer" in line or "error" in line.lower()]
    return (found.group(1) if found else (lines or ["failed"])[0][:160]), False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--xaudit", default=os.path.join(HERE, "..", "..", "build", "xaudit"))
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--gain", type=float, default=1.0, help="scales the norms' gammas: with 1, the deepest networks of random "
                        "weights are chaotic, and float32 differs from float64 in Keras itself")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--formats", nargs="*", default=[".h5", ".keras"])
    args = parser.parse_args()
    args.xaudit = os.path.abspath(args.xaudit)
    folder = os.path.abspath(args.folder)
    os.makedirs(folder, exist_ok=True)
    photos = [os.path.abspath(photo) for photo in args.photos]
    with open(os.path.join(folder, "manifest.csv"), "w", encoding="utf-8") as f:
        f.write("\n".join(["path", *photos]) + "\n")
    images = np.stack([scale_pixels(fit_image(read_image(photo, 3), args.size, args.size, "pil-bilinear", "stretch"), "tf")
                       for photo in photos])
    print(f"{ref.framework()}, {len(photos)} photographs at {args.size}x{args.size}: largest difference of a logit by the largest logit\n")
    print("| model | " + " | ".join(args.formats) + " |\n| --- |" + " --- |" * len(args.formats), flush=True)
    good = total = 0
    for name in args.only or names():
        keras.backend.clear_session()
        seed = zlib.crc32(name.encode()) & 0xFFFF
        keras.utils.set_random_seed(seed)
        model = getattr(keras.applications, name)(weights=None, classes=CLASSES, input_shape=(args.size, args.size, 3))
        draw(model, seed, args.gain)
        reference(model, name, images, photos, args.size, os.path.join(folder, "ref.h5"))
        cells, passed = [], True
        for suffix in args.formats:
            path = os.path.join(folder, "model" + suffix)
            model.save(path)
            text, ok = check(args, folder, name, suffix)
            os.remove(path)
            cells.append(text)
            passed = passed and ok
        total += 1
        good += passed
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        del model
    print(f"\n{good} of {total} agree", flush=True)
    return 0 if good == total else 1


if __name__ == "__main__":
    sys.exit(main())
