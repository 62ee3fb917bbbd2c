"""The two Keras listings behind jobs/seed-*.yaml, run as they are, and an archive compared with them.

    python seed.py listing --xception Xcep3.h5 [--layer xception] [--preprocess] --vit vit-b32.h5 photos/*.png -o listing.h5
    python seed.py compare listing.h5 ARCHIVE.h5 [--xception NAME] [--vit NAME]

`listing` needs what requirements-vit.txt names. --preprocess applies Xception's preprocess_input, which the listing
leaves out and keras.io's original has (scale: tf in the job). For every photograph it stores, by file name, what the listings compute:

    preds [C]           the Xception's probabilities
    heatmap [h,w]       Grad-CAM of the predicted class's probability at --layer, ReLU, divided by its maximum
    saliency [H,W]      largest |d probability / d input| over the channels
    resized [h,w,3]     cv2.resize(photograph, model's size, INTER_CUBIC), 8 bits
    vit [C]             the ViT's probabilities or scores for x/127.5 - 1 of it
    mask [g,g]          visualize.attention_map up to its resize to the picture, largest 1

Where the probability is 1 in float32, TensorFlow's gradient is 0 and the listing's heat map 0/0; the archive has zeros, flagged
degenerate. Such maps are counted, not compared. Where 1 - p is below 6e-4, float32's steps of p decide how exact a gradient of p
can be: such maps have the limit times 6e-4 / (1 - p), and their difference is printed divided by it.

`compare` needs numpy and h5py alone. It prints the largest difference of each and stops with 1 above 1e-5 of the
Xception's probabilities, 1e-4 of the ViT's scores (of the largest), heat maps and masks; saliency, where ReLU signs flip
in float32, is only printed.
"""
import argparse
import os
import sys

import h5py
import numpy as np


def keras_listing(model, layer, path, preprocess):
    """keras.io's Grad-CAM example, with the softmax left on, at a nested model's output."""
    import tensorflow as tf
    from tensorflow import keras
    size = model.input_shape[1:3]
    image = keras.utils.load_img(path, target_size=size)
    array = np.expand_dims(keras.utils.img_to_array(image), axis=0)
    if preprocess:
        array = keras.applications.xception.preprocess_input(array)
    inner = model.get_layer(layer)
    classifier_input = keras.Input(shape=inner.output_shape[1:] if hasattr(inner, "output_shape") else inner.output.shape[1:])
    x = classifier_input
    for later in model.layers[model.layers.index(inner) + 1:]:
        x = later(x)
    classifier = keras.Model(classifier_input, x)
    with tf.GradientTape(persistent=True) as tape:
        entered = tf.convert_to_tensor(array)
        tape.watch(entered)
        conv = inner(entered)
        tape.watch(conv)
        preds = classifier(conv)
        channel = preds[:, int(tf.argmax(preds[0]))]
    grads = tape.gradient(channel, conv)
    pooled = tf.reduce_mean(grads, axis=(0, 1, 2))
    heatmap = tf.squeeze(conv[0] @ pooled[..., tf.newaxis])
    heatmap = tf.maximum(heatmap, 0) / tf.math.reduce_max(heatmap)
    saliency = np.abs(tape.gradient(channel, entered).numpy()[0]).max(axis=-1)
    return {"preds": preds.numpy()[0], "heatmap": heatmap.numpy(), "saliency": saliency}


def backbone(model):
    from vit_keras.layers import TransformerBlock
    for layer in model.layers:
        if isinstance(layer, TransformerBlock):
            return model
        if hasattr(layer, "layers") and backbone(layer):
            return backbone(layer)
    return None


def vit_listing(model, path):
    """cv2.resize with INTER_CUBIC, then vit_keras.visualize.attention_map."""
    import cv2
    from vit_keras import visualize
    caught, original = [], cv2.resize
    size = model.input_shape[1], model.input_shape[2]
    photograph = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    resized = cv2.resize(photograph, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)

    def resize(values, *args, **kwargs):
        if values.ndim == 2:
            caught.append(values)
        return original(values, *args, **kwargs)
    visualize.cv2.resize = resize
    try:
        visualize.attention_map(model=backbone(model), image=resized)
    finally:
        visualize.cv2.resize = original
    scores = model.predict((resized / 127.5 - 1.0).astype(np.float32)[None], verbose=0)[0]
    return {"resized": resized, "vit": scores, "mask": caught[-1].astype(np.float64)}


def listing(args):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import cv2
    import vit_keras.layers  # noqa: F401  registers its classes
    from tensorflow import keras
    cv2.ipp.setUseIPP(False)
    xception = keras.models.load_model(args.xception, compile=False) if args.xception else None
    vit = keras.models.load_model(args.vit, compile=False) if args.vit else None
    with h5py.File(args.output, "w", libver=("v108", "v110")) as f:
        for path in args.photographs:
            found = keras_listing(xception, args.layer, path, args.preprocess) if xception else {}
            found.update(vit_listing(vit, path) if vit else {})
            group = f.create_group(os.path.basename(path))
            for name, values in found.items():
                group[name] = values
            print(os.path.basename(path), {k: v.shape for k, v in found.items()}, flush=True)


# The gradient of p contains 1 - p, and a float32 p near 1 has steps of 6e-8: below this 1 - p TensorFlow's rounding
# alone moves a map by more than 1e-4.
SURE = 6e-4


def relative(a, b):
    top = np.abs(b).max()
    return np.abs(a - b).max() / top if top else np.abs(a).max()


def compare(args):
    worst, degenerate = {}, 0

    def note(name, value):
        value = float(value) if np.isfinite(value) else np.inf
        worst[name] = max(worst.get(name, 0.0), value)
    with h5py.File(args.listing, "r") as l, h5py.File(args.archive, "r") as f:
        rows = {os.path.basename(p): i for i, p in enumerate(f["samples/path"].asstr()[:])}

        def maps(model, kind):
            for name, group in f[f"maps/{model}"].items():
                if group.attrs["kind"].decode() == kind:
                    return group["values"][:, 0] * group["scale"][:][:, None, None]
            raise SystemExit(f"{args.archive}: no {kind} of model {model}")
        cams = saliency = masks = None
        if args.xception in f["models"]:
            cams, saliency = maps(args.xception, "gradcam"), maps(args.xception, "saliency")
        if args.vit in f["models"]:
            masks = maps(args.vit, "rollout")
        if cams is None and masks is None:
            raise SystemExit(f"{args.archive}: neither model {args.xception} nor {args.vit}")
        for name, group in l.items():
            i = rows[name]
            if cams is not None and "preds" in group:
                note("preds", np.abs(f[f"models/{args.xception}/probs"][i] - group["preds"][:]).max())
                if cams[i].max() == 0 and not np.isfinite(group["heatmap"][:]).any():
                    degenerate += 1
                else:
                    doubt = max(1.0, SURE / (1.0 - group["preds"][:].max()))
                    note("heatmap", relative(cams[i] / cams[i].max(), group["heatmap"][:]) / doubt)
                    note("saliency (not judged)", relative(saliency[i], group["saliency"][:]))
            if masks is not None and "mask" in group:
                scores = group["vit"][:]
                kept = "probs" if abs(scores.sum() - 1.0) < 1e-3 and (scores >= 0).all() else "logits"
                note("vit scores", relative(f[f"models/{args.vit}/{kept}"][i], scores))
                note("mask", relative(masks[i], group["mask"][:]))
    limits = {"preds": 1e-5, "vit scores": 1e-4, "heatmap": 1e-4, "mask": 1e-4}
    for name, value in worst.items():
        print(f"{name:24s} {value:.2e}" + (f"  (limit {limits[name]:.0e})" if name in limits else ""))
    if degenerate:
        print(f"{degenerate} heat maps without a gradient: 0/0 in the listing, zeros and a flag in the archive")
    if not worst or any(not worst[k] <= limits[k] for k in worst if k in limits):
        sys.exit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    p = commands.add_parser("listing")
    p.add_argument("--xception")
    p.add_argument("--layer", default="xception")
    p.add_argument("--preprocess", action="store_true")
    p.add_argument("--vit")
    p.add_argument("photographs", nargs="+")
    p.add_argument("-o", dest="output", required=True)
    p.set_defaults(run=listing)
    p = commands.add_parser("compare")
    p.add_argument("listing")
    p.add_argument("archive")
    p.add_argument("--xception", default="xception")
    p.add_argument("--vit", default="vit")
    p.set_defaults(run=compare)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
