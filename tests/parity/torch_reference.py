#!/usr/bin/env python3
"""What PyTorch computes for a model and images, as a file that `xaudit check JOB --against FILE` reads.

    torch_reference.py MODEL model.onnx IMAGE ... -o ref.h5 [--layer NAME ...] [--target CLASS] [--float64] ...

MODEL is written as for src/python/xaudit_export.py, with the same --weights, --like, --num-classes, --classes, --text and
--input; model.onnx is what that made of it, whose name the reference keeps. Images come to the input as the model's
library says it, or --input, by Pillow. The file is an "xaudit-reference 1" (tests/golden/keras/README.md) with /paths;
gradients are autograd's, one image at a time, and with --float64 again with all weights and arithmetic in float64.
Grad-CAM is of the modules that --layer names, by their paths in the model ("layer4", "features.7").
"""
import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "src", "python"))

import h5py
import numpy as np
import torch

import xaudit_export
from images import fit_image, read_image, scale_pixels


def scale_text(scale):
    """A job's `scale` in the words of images.scale_pixels."""
    if isinstance(scale, str):
        return scale
    parts = [f"div={scale.get('div', 1)}"]
    for key in ("mean", "std"):
        value = scale.get(key, 0 if key == "mean" else 1)
        parts.append(f"{key}=" + ":".join(str(v) for v in (value if isinstance(value, list) else [value])))
    return ",".join(parts)


def prepare(path, found):
    """[1,H,W,3] as a job's `input` says it."""
    height, width = found["size"]
    fit = found.get("fit", "stretch")
    if fit != "stretch" and "short" not in fit:
        raise SystemExit(f"fit {fit}: stretch and short can be compared")
    how = "stretch" if fit == "stretch" else f"short:{fit['short']}"
    return scale_pixels(fit_image(read_image(path, 3), height, width, found["resize"], how), scale_text(found["scale"]))[None]


def explain(model, x, score, target, layers):
    """Scores of x [1,H,W,3], the class, the gradient of its score, and (A, dS/dA) of each layer, in x's type."""
    kept = {}
    hooks = [model.get_submodule(name).register_forward_hook(
        lambda _, __, out, name=name: kept.__setitem__(name, out)) for name in layers]
    pixels = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))).requires_grad_()
    z = model(pixels)
    for hook in hooks:
        hook.remove()
    target = int(z[0].argmax()) if target is None else target
    if not 0 <= target < z.shape[1]:
        raise SystemExit(f"--target {target}: the model has {z.shape[1]} classes")
    s = z[0, target] if score == "logit" else torch.softmax(z[0], 0)[target]
    grads = torch.autograd.grad(s, [pixels] + [kept[name] for name in layers])
    gradient = grads[0].permute(0, 2, 3, 1).numpy()
    return z.detach(), target, gradient, [(kept[name].detach(), g) for name, g in zip(layers, grads[1:])]


def without_inplace(model):
    for module in model.modules():
        if hasattr(module, "inplace"):  # would change what the hooks keep
            module.inplace = False
    return model.eval()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("onnx", metavar="model.onnx")
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--layer", action="append", default=[], help="a module that gives [batch,channels,height,width]")
    parser.add_argument("--score", choices=("logit", "prob"), default="logit")
    parser.add_argument("--target", type=int, help="class explained (default: the predicted one)")
    parser.add_argument("--float64", action="store_true", help="also the gradient in float64")
    for option in ("--weights", "--like", "--classes", "--text", "--input"):
        parser.add_argument(option)
    parser.add_argument("--num-classes", type=int)
    return parser.parse_args()


def main():
    args = arguments()
    torch.manual_seed(0)
    try:
        model, found, _ = xaudit_export.load(args.model, args)
    except xaudit_export.Stop as problem:
        sys.exit(f"torch_reference.py: {problem}")
    if not found:
        sys.exit("torch_reference.py: how do images come to the input? Give --input")
    if os.path.exists(args.onnx) and args.weights == "none":
        sys.exit("torch_reference.py: random weights are others in every process: give the file that they were saved to")
    model = without_inplace(model)
    rows = []
    for path in args.images:
        x = prepare(path, found)
        z, target, gradient, layers = explain(model.float(), x, args.score, args.target, args.layer)
        row = {"input": x, "output": z.numpy(), "logits": z.numpy(), "probs": torch.softmax(z, 1).numpy(),
               "target": np.array([target], np.int32), "gradient": gradient}
        if args.float64:
            row["gradient64"] = explain(model.double(), x.astype(np.float64), args.score, target, [])[2]
        for k, (a, g) in enumerate(layers):
            row[f"layers/{k}/gradcam"] = torch.relu((g.mean((2, 3), keepdim=True) * a).sum(1)).numpy()
        rows.append(row)
        print(f"{path}: class {target}, logit {float(z[0, target]):.6f}", flush=True)
    with h5py.File(args.output, "w", libver=("v108", "v110")) as f:
        texts = {"format": "xaudit-reference 1", "framework": f"torch {torch.__version__}",
                 "model": os.path.basename(args.onnx), "script": "torch_reference.py", "score": args.score, "head": "softmax",
                 "input": json.dumps(found)}
        for key, text in texts.items():
            f.attrs[key] = np.bytes_(text + "\0")
        for key in rows[0]:
            f[key] = np.concatenate([row[key] for row in rows])
        f["paths"] = np.array([os.fsencode(path) for path in args.images])
        for k, name in enumerate(args.layer):
            f[f"layers/{k}"].attrs["layer"] = np.bytes_(name + "\0")
    print(f"{args.output}: {len(rows)} images, layers {args.layer}")


if __name__ == "__main__":
    main()
