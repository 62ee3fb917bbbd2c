#!/usr/bin/env python3
"""Trains the demo classifier of xaudit and makes the files beside it.

The model is Xception (Chollet 2017, arXiv:1610.02357) scaled down to 128x128 inputs: the same kinds
of layers in the same order with fewer channels and fewer blocks, named and auto-numbered as
keras.applications.Xception names them. It is one layer, "xception_compact", of an outer model with
average pooling and the dense layers 128, 64, 32 and one unit per class.

Photographs: Caltech-101 (https://doi.org/10.22002/D1.20086, CC BY 4.0). Download and unpack
caltech-101.zip and the 101_ObjectCategories.tar.gz inside it; --images is that folder of class
folders (<class>/image_NNNN.jpg). --boxes is the boxes.csv beside this script: it names the
photographs used, their boxes (Caltech-101's, converted to 0-based half-open pixels) and the split:
"test" where the image number is divisible by 5, never trained on; "twin" where Caltech-101 holds
another copy or crop of a test photograph (found by matching SIFT features between all pairs of a
class, then by eye): used for nothing; else "train". --masks is only needed by --demo: a folder of
<class>/image_NNNN.png, object outlines of Caltech-101's Annotations drawn as 1-bit images.

    pip install tensorflow-cpu==2.15.1 pillow
    python train_xception.py --images 101_ObjectCategories --boxes boxes.csv --out .    # train, evaluate
    python train_xception.py --images 101_ObjectCategories --boxes boxes.csv --out . --evaluate
    python train_xception.py --images 101_ObjectCategories --boxes boxes.csv --masks MASKS --out . --demo
    python train_xception.py --out . --reference        # reference.csv from xception.h5 and images/

Nothing of the test images is used for training, for stopping, or for choosing weights: the weights
after the last epoch are saved.
"""
import argparse
import csv
import math
import os
import shutil
import sys

import numpy as np
from PIL import Image

CLASSES = ["airplanes", "butterfly", "car_side", "cellphone", "dolphin", "flamingo", "kangaroo"]
SIZE = 128
SEED = 20240
BATCH = 16
EPOCHS = 90
PEAK_RATE = 1.5e-3
WARM_UP = 4  # epochs
MANIFEST = ("path,id,label,class,kind,x0,y0,x1,y1,mask,ignore_mask,flags,group,split,exclude").split(",")
DEMO_PER_CLASS = 6


def read_boxes(path):
    """The lines of boxes.csv by split: {"train": [...], "test": [...]}."""
    with open(path, newline="", encoding="utf-8") as f:
        rows = sorted(csv.DictReader(f), key=lambda r: r["image"])
    parts = {s: [r for r in rows if r["split"] == s and r["class"] in CLASSES] for s in ("train", "test")}
    for split, part in parts.items():
        missing = set(CLASSES) - {r["class"] for r in part}
        if missing:
            sys.exit(f"{path}: no line with split {split} of class {', '.join(sorted(missing))}")
    return parts


def load(path):
    return Image.open(path).convert("RGB")


def to_input(image):
    """What a user of the model must do: stretch to SIZE x SIZE (Pillow's bilinear), x/127.5 - 1."""
    if image.size != (SIZE, SIZE):
        image = image.resize((SIZE, SIZE), Image.BILINEAR)
    return np.asarray(image, np.float32) / 127.5 - 1.0


def augment(image, rng):
    """A random crop of 65..100 % of each side, flip, small turn, brightness, contrast, colour."""
    w, h = image.size
    cw, ch = w * rng.uniform(0.65, 1.0), h * rng.uniform(0.65, 1.0)
    x, y = rng.uniform(0, w - cw), rng.uniform(0, h - ch)
    if rng.random() < 0.5:
        image = image.rotate(rng.uniform(-12, 12), Image.BILINEAR, fillcolor=(127, 127, 127))
    image = image.resize((SIZE, SIZE), Image.BILINEAR, box=(x, y, x + cw, y + ch))
    a = np.asarray(image, np.float32)
    if rng.random() < 0.5:
        a = a[:, ::-1]
    grey = a.mean(axis=2, keepdims=True)
    # Without this, "no colour" would be all there is to know of car_side, whose photographs are grey.
    a = grey + (a - grey) * (0.0 if rng.random() < 0.25 else rng.uniform(0.6, 1.3))
    a = (a - 127.5) * rng.uniform(0.75, 1.25) + 127.5 + rng.uniform(-25, 25)
    if rng.random() < 0.5:  # a grey patch over part of the image: no single detail may decide
        s = int(SIZE * rng.uniform(0.15, 0.4))
        i, j = rng.integers(0, SIZE - s, 2)
        a[i:i + s, j:j + s] = 127.5
    return np.clip(a, 0.0, 255.0) / 127.5 - 1.0


def xception_compact(keras):
    """Xception without its top: 128x128x3 to 8x8x384. Strides 2 (block 1), 2, 2 (entry), 2 (exit)."""
    layers = keras.layers

    def norm(x, name=None):
        # momentum: 0.99, the default, needs more steps than this short training has
        return layers.BatchNormalization(momentum=0.9, name=name)(x)

    def separable(x, filters, name, relu_first=True):
        if relu_first:
            x = layers.Activation("relu", name=name + "_act")(x)
        x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
        return norm(x, name + "_bn")

    def down(x, widths, block, relu_first=True):
        residual = layers.Conv2D(widths[1], 1, strides=2, padding="same", use_bias=False)(x)
        residual = norm(residual)
        x = separable(x, widths[0], f"block{block}_sepconv1", relu_first)
        x = separable(x, widths[1], f"block{block}_sepconv2")
        x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"block{block}_pool")(x)
        return layers.add([x, residual])

    image = layers.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(16, 3, strides=2, use_bias=False, name="block1_conv1")(image)
    x = layers.Activation("relu", name="block1_conv1_act")(norm(x, "block1_conv1_bn"))
    x = layers.Conv2D(32, 3, use_bias=False, name="block1_conv2")(x)
    x = layers.Activation("relu", name="block1_conv2_act")(norm(x, "block1_conv2_bn"))
    x = down(x, (64, 64), 2, relu_first=False)  # 61 -> 31
    x = down(x, (144, 144), 3)  # 31 -> 16
    for block in range(4, 8):  # the middle flow
        residual = x
        for i in (1, 2, 3):
            x = separable(x, 144, f"block{block}_sepconv{i}")
        x = layers.add([x, residual])
    x = down(x, (144, 256), 8)  # 16 -> 8
    for i, filters in ((1, 320), (2, 384)):
        x = separable(x, filters, f"block9_sepconv{i}", relu_first=False)
        x = layers.Activation("relu", name=f"block9_sepconv{i}_act")(x)
    return keras.Model(image, x, name="xception_compact")


def whole_model(keras):
    layers = keras.layers
    inner = xception_compact(keras)
    image = layers.Input((SIZE, SIZE, 3))
    x = layers.GlobalAveragePooling2D()(inner(image))
    for units, drop in ((128, 0.2), (64, 0.1), (32, 0.0)):
        x = layers.Dense(units, activation="relu")(x)
        if drop:
            x = layers.Dropout(drop)(x)
    x = layers.Dense(len(CLASSES), activation="softmax")(x)
    return keras.Model(image, x, name="xception_demo")


def rate_at(epoch):
    """Linear warm-up, then half a cosine down to nothing; epoch may be fractional."""
    if epoch < WARM_UP:
        return PEAK_RATE * (epoch + 0.1) / (WARM_UP + 0.1)
    return PEAK_RATE * 0.5 * (1 + math.cos(math.pi * (epoch - WARM_UP) / (EPOCHS - WARM_UP)))


def import_tensorflow(threads):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.keras.utils.set_random_seed(SEED)
    return tf


def train(args, rows):
    """Trains on the given lines of boxes.csv and writes xception.h5 and classes.txt."""
    tf = import_tensorflow(args.threads)
    keras = tf.keras
    images = [load(os.path.join(args.images, r["image"])) for r in rows]
    labels = np.array([CLASSES.index(r["class"]) for r in rows])

    class Batches(keras.utils.Sequence):
        """Every epoch a new order and a new augmentation, both from (SEED, epoch)."""

        def __init__(self):
            super().__init__()
            self.epoch = 0
            self.order = np.random.default_rng((SEED, 0)).permutation(len(images))

        def __len__(self):
            return len(images) // BATCH

        def __getitem__(self, index):
            rng = np.random.default_rng((SEED, self.epoch, index))
            pick = self.order[index * BATCH:(index + 1) * BATCH]
            x = np.stack([augment(images[i], rng) for i in pick])
            return x, keras.utils.to_categorical(labels[pick], len(CLASSES)), weight[labels[pick]]

        def on_epoch_end(self):
            self.epoch += 1
            self.order = np.random.default_rng((SEED, self.epoch)).permutation(len(images))

    # Classes have 45 to 96 training images each: weigh them equally.
    weight = (len(images) / len(CLASSES) / np.bincount(labels, minlength=len(CLASSES))).astype(np.float32)
    batches = Batches()
    model = whole_model(keras)
    model.summary(print_fn=print)
    model.compile(keras.optimizers.AdamW(PEAK_RATE, weight_decay=0.01),
                  keras.losses.CategoricalCrossentropy(label_smoothing=0.05), metrics=["accuracy"])

    def set_rate(batch, logs=None):
        model.optimizer.learning_rate.assign(rate_at(batches.epoch + batch / len(batches)))

    model.fit(batches, epochs=EPOCHS, shuffle=False, verbose=2,
              callbacks=[keras.callbacks.LambdaCallback(on_batch_begin=set_rate)])
    model.save(os.path.join(args.out, "xception.h5"), include_optimizer=False)
    with open(os.path.join(args.out, "classes.txt"), "w", encoding="utf-8") as f:
        f.write("".join(c + "\n" for c in CLASSES))
    print(f"trained on {len(images)} images, {EPOCHS} epochs, seed {SEED}, TensorFlow {tf.__version__}, "
          f"numpy {np.__version__}, Pillow {Image.__version__}")


def saved_model(args):
    tf = import_tensorflow(args.threads)
    return tf.keras.models.load_model(os.path.join(args.out, "xception.h5"), compile=False)


def evaluate(args, parts):
    """Right answers per class of the saved file over the test images and the training images."""
    model = saved_model(args)
    for split, part in parts.items():
        x = np.stack([to_input(load(os.path.join(args.images, r["image"]))) for r in part])
        guess = model.predict(x, batch_size=32, verbose=0).argmax(axis=1)
        label = np.array([CLASSES.index(r["class"]) for r in part])
        table = np.zeros((len(CLASSES), len(CLASSES)), int)
        np.add.at(table, (label, guess), 1)
        right = int(np.trace(table))
        print(f"{split}: {right}/{len(part)} right ({100 * right / len(part):.1f} %)")
        for i, name in enumerate(CLASSES):
            others = [f"{n} as {CLASSES[j]}" for j, n in enumerate(table[i]) if n and j != i]
            print(f"  {name:12s} {table[i, i]:3d}/{table[i].sum():3d}  {', '.join(others)}")


def choose_demo(rows):
    """The first DEMO_PER_CLASS test images of each class, whatever the model says of them."""
    return [r for c in CLASSES for r in [r for r in rows if r["class"] == c][:DEMO_PER_CLASS]]


def demo(args, rows):
    """Copies the demo's photographs and masks and writes manifest.csv."""
    with open(os.path.join(args.out, "manifest.csv"), "w", newline="", encoding="utf-8") as f:
        out = csv.DictWriter(f, MANIFEST, restval="", lineterminator="\n")
        out.writeheader()
        for r in choose_demo(rows):
            stem = os.path.splitext(r["image"])[0]
            for folder, source, name in (("images", args.images, r["image"]),
                                         ("masks", args.masks, stem + ".png")):
                target = os.path.join(args.out, folder, name)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(os.path.join(source, name), target)
            line = {"path": "images/" + r["image"], "id": stem, "label": r["class"],
                    "class": r["class"], "split": "test"}
            out.writerow({**line, "kind": "box", **{k: r[k] for k in ("x0", "y0", "x1", "y1")}})
            out.writerow({**line, "kind": "mask", "mask": f"masks/{stem}.png"})


def reference(args):
    """Keras' class probabilities of the manifest's images, one image a pass, from the saved file."""
    model = saved_model(args)
    with open(os.path.join(args.out, "manifest.csv"), newline="", encoding="utf-8") as f:
        images = {r["id"]: r["path"] for r in csv.DictReader(f)}
    right = 0
    with open(os.path.join(args.out, "reference.csv"), "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["id"] + [f"p{i}" for i in range(len(CLASSES))])
        for name, path in images.items():
            p = model(to_input(load(os.path.join(args.out, path)))[None], training=False).numpy()[0]
            right += CLASSES[int(p.argmax())] == name.split("/")[0]
            out.writerow([name] + [f"{v:.9g}" for v in p])
    print(f"demo images: {right}/{len(images)} right")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--images", help="folder of Caltech-101 class folders")
    p.add_argument("--boxes", help="boxes.csv: the photographs used and their boxes")
    p.add_argument("--masks", help="folder of masks, for --demo")
    p.add_argument("--out", required=True, help="where xception.h5 and the other files are")
    p.add_argument("--threads", type=int, default=2)
    mode = p.add_mutually_exclusive_group()
    mode.add_argument("--evaluate", action="store_true", help="accuracy of OUT/xception.h5")
    mode.add_argument("--demo", action="store_true", help="write OUT/images, OUT/masks, OUT/manifest.csv")
    mode.add_argument("--reference", action="store_true", help="write OUT/reference.csv")
    args = p.parse_args()
    if not args.reference:
        for need in ["images", "boxes"] + ["masks"] * args.demo:
            if getattr(args, need) is None:
                p.error(f"--{need} is needed here")
        parts = read_boxes(args.boxes)
    if args.reference:
        reference(args)
    elif args.demo:
        demo(args, parts["test"])
    else:
        if not args.evaluate:
            train(args, parts["train"])
        evaluate(args, parts)


if __name__ == "__main__":
    main()
