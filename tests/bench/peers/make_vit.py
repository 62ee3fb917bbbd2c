#!/usr/bin/env python3
"""A vision transformer of random weights in safetensors, under timm's names: for speed alone.

  make_vit.py PATCH OUT.safetensors [--size 224] [--width 768] [--depth 12]
"""
import argparse
import json
import struct

import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patch", type=int)
    parser.add_argument("out")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--depth", type=int, default=12)
    a = parser.parse_args()
    d, grid = a.width, a.size // a.patch
    shapes = {"patch_embed.proj.weight": (d, 3, a.patch, a.patch), "patch_embed.proj.bias": (d,), "cls_token": (1, 1, d),
              "pos_embed": (1, grid * grid + 1, d)}
    for i in range(a.depth):
        b = f"blocks.{i}."
        shapes.update({b + "norm1.weight": (d,), b + "norm1.bias": (d,), b + "attn.qkv.weight": (3 * d, d),
                       b + "attn.qkv.bias": (3 * d,), b + "attn.proj.weight": (d, d), b + "attn.proj.bias": (d,),
                       b + "norm2.weight": (d,), b + "norm2.bias": (d,), b + "mlp.fc1.weight": (4 * d, d),
                       b + "mlp.fc1.bias": (4 * d,), b + "mlp.fc2.weight": (d, 4 * d), b + "mlp.fc2.bias": (d,)})
    shapes.update({"norm.weight": (d,), "norm.bias": (d,), "head.weight": (1000, d), "head.bias": (1000,)})
    header, at = {}, 0
    for name, shape in shapes.items():
        n = int(np.prod(shape)) * 4
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + n]}
        at += n
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    rng = np.random.default_rng(7)
    with open(a.out, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for name, shape in shapes.items():
            if "norm" in name and name.endswith("weight"):
                values = np.ones(shape)
            elif len(shape) > 1 and "token" not in name and "pos" not in name:
                values = rng.normal(0.0, (1.5 / np.prod(shape[1:])) ** 0.5, shape)
            else:
                values = rng.normal(0.0, 0.1, shape)
            f.write(values.astype("<f4").tobytes())


if __name__ == "__main__":
    main()
