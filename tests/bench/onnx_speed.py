#!/usr/bin/env python3
"""Is a classifier from ONNX as fast as the same kind from Keras or safetensors? Written to be run on a quiet machine.

    onnx_speed.py --make --torch PYTHON --keras PYTHON FOLDER      the four models, random weights
    onnx_speed.py --build build [--turns 7] [--out results/onnx_speed.md] FOLDER

`--make` needs an interpreter with torch, torchvision, timm, onnx, onnxscript and safetensors, and one with keras: ResNet50 of
torchvision (as ONNX) and of keras.applications, and timm's vit_base_patch16_224 as ONNX and as safetensors. The other call runs
tests/bench/bench_engine on each in turns, one thread: forward, backward to the image and to Grad-CAM's layer. The two ResNet50
differ in one stride (He et al. 2015 in Keras; the 3x3 convolution has it in torchvision), so that GFLOP/s are compared. Exit
code 1: a median ratio of the turns is below 0.97.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

PAIRS = (("ResNet50", "resnet50.onnx", "resnet50.h5"), ("ViT-B/16", "vit.onnx", "vit/model.safetensors"))
LEAST = 0.97

TORCH = """
import json, os, sys, timm, torch, torchvision, safetensors.torch
torch.manual_seed(0)
x = torch.zeros(1, 3, 224, 224)
torch.onnx.export(torchvision.models.resnet50().eval(), (x,), "resnet50.onnx", dynamo=True)
m = timm.create_model("vit_base_patch16_224").eval()
torch.onnx.export(m, (x,), "vit.onnx", dynamo=True)
os.makedirs("vit", exist_ok=True)
safetensors.torch.save_file(m.state_dict(), "vit/model.safetensors")
with open("vit/config.json", "w") as f:
    json.dump({"architecture": "vit_base_patch16_224", "num_classes": 1000}, f)
"""
KERAS = """
import keras
keras.utils.set_random_seed(0)
keras.applications.ResNet50(weights=None).save("resnet50.h5")
"""


def make(args):
    os.makedirs(args.folder, exist_ok=True)
    for python, script in ((args.torch, TORCH), (args.keras, KERAS)):
        subprocess.run([os.path.abspath(python), "-c", script], cwd=args.folder, check=True)


def measure(bench, model):
    """GFLOP/s of the median pass, GFLOP of a pass, and what was run."""
    said = json.loads(subprocess.run([bench, model, "--images", "3"], check=True, stdout=subprocess.PIPE).stdout)
    return said["gflop"] / statistics.median(said["wall"]), said["gflop"], said


def run(args):
    bench = os.path.join(args.build, "tests", "bench", "bench_engine")
    rows, good = [], True
    for name, onnx, other in PAIRS:
        speed = ([], [])
        for _ in range(args.turns):
            for side, file in enumerate((onnx, other)):
                value, gflop, said = measure(bench, os.path.join(args.folder, file))
                speed[side].append((value, gflop))
        ratios = [a[0] / b[0] for a, b in zip(*speed)]
        ratio = statistics.median(ratios)
        good = good and ratio >= LEAST
        both = [f"{statistics.median(v for v, _ in s):.1f} GFLOP/s ({s[0][1]:.2f} GFLOP)" for s in speed]
        rows.append(f"| {name} | {both[0]} | {both[1]} | {ratio:.3f} | {min(ratios):.3f} to {max(ratios):.3f} |")
    lines = ["# Speed of classifiers from ONNX", "",
             f"Made by `tests/bench/onnx_speed.py`: medians of {args.turns} turns, one thread, {said['isa']}, batch {said['batch']};",
             "forward and backward of one image, random weights. At least 0.97 is asked for.", "",
             "| network | from ONNX | from Keras or safetensors | ratio | over the turns |", "| --- | --- | --- | --- | --- |"] + rows
    text = "\n".join(lines) + "\n"
    print(text)
    if args.out:
        with open(args.out, "w") as f:
            f.write(text)
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--make", action="store_true")
    parser.add_argument("folder")
    parser.add_argument("--torch")
    parser.add_argument("--keras")
    parser.add_argument("--build", default="build")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--out")
    args = parser.parse_args()
    return make(args) if args.make else run(args)


if __name__ == "__main__":
    sys.exit(main())
