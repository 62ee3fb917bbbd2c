#!/usr/bin/env python3
"""Pointing-game hits by TorchRay, on masks and points of our own, as golden_pointing.inc.

    make_pointing.py --torchray FOLDER > golden_pointing.inc

FOLDER holds torchray/ of https://github.com/facebookresearch/TorchRay 1.0 (its pointing_game.py is all that is used). Also needed: torch.
Only numbers computed on the masks below are kept: rectangles and a disc in a frame of 40 x 30 pixels, random points and tolerances.
"""
import argparse
import importlib.util

import numpy as np
import torch

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--torchray", required=True)
folder = p.parse_args().torchray
spec = importlib.util.spec_from_file_location("pointing_game", f"{folder}/torchray/benchmark/pointing_game.py")
text = open(spec.origin).read()  # only the class: data sets and attribution methods are not needed
text = text[text.index("class PointingGame:"):]
text = text[:text.index("\nclass ", 10)] if "\nclass " in text[10:] else text
names = {"torch": torch, "np": np}
exec(compile(text, spec.origin, "exec"), names)

W, H = 40, 30
rng = np.random.default_rng(9)
y, x = np.mgrid[0:H, 0:W]
shapes = [
    ("box", [(5, 6, 17, 15)]),
    ("two boxes", [(0, 0, 3, 4), (30, 20, 40, 30)]),
    ("disc", None),
]
print("/* Made by make_pointing.py. */")
print("typedef struct golden_pointing {")
print("    int shape, x, y, tolerance, hit;")
print("} golden_pointing;")
print("static const golden_pointing golden_points[] = {")
for s, (name, boxes) in enumerate(shapes):
    mask = np.zeros((H, W), bool) if boxes else np.hypot(x - 22, y - 12) < 6
    for b in boxes or []:
        mask[b[1]:b[3], b[0]:b[2]] = True
    for tolerance in (1, 3, 5, 15):
        for _ in range(40):
            u, v = int(rng.integers(0, W)), int(rng.integers(0, H))
            hit = names["PointingGame"](1, tolerance=tolerance).evaluate(torch.from_numpy(mask), (u, v))
            print(f"    {{{s}, {u}, {v}, {tolerance}, {int(hit > 0)}}},")
print("};")
