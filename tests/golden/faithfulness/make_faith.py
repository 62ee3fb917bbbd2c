"""What the tests of pure functions compare with, in float64 by the definitions of make.py beside it.

    OMP_NUM_THREADS=1 python make_faith.py

It writes golden_base.inc (baselines of an input). Needs what make.py needs (numpy, torch, timm, safetensors, scipy, Pillow).
"""
import os

import numpy as np
import torch

import make as M

HERE = os.path.dirname(os.path.abspath(__file__))


def constant(kind, name, values, form="%.17g"):
    values = np.asarray(values).reshape(-1)
    text = ", ".join(form % v for v in values)
    lines, line = [], ""
    for word in text.split(" "):
        if len(line) + len(word) > 118:
            lines.append(line)
            line = ""
        line += (" " if line else "    ") + word
    return f"static const {kind} {name}[{len(values)}] = {{\n" + "\n".join(lines + [line]) + "};\n"


def single(name, values):
    return constant("double", name, values, "%.9g")


def write(name, parts):
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as f:
        f.write("/* Made by make_faith.py. */\n" + "\n".join(parts))


def pixels(i):
    return np.asarray(M.Image.open(os.path.join(HERE, "images", f"{i}.png")))


def bases():
    """Of image 0 under scale tf, and of an oblong input of two channels."""
    x = M.to_x(pixels(0)[None])
    uniform = 2 * M.unit(M.CFG["noise_seed"], M.stream(M.P_UNIFORM, 0), np.arange(M.S * M.S * 3)) - 1
    h, w, c = 6, 9, 2
    odd = np.round(M.unit(5, M.stream(1, 0), np.arange(h * w * c)), 3).reshape(h, w, c)
    blurred = M.blur(torch.from_numpy(odd.transpose(2, 0, 1).copy())[None], h / 8)[0]
    write("golden_base.inc", [
        constant("unsigned char", "golden_pixels", pixels(0), "%d"),
        single("golden_mean", x.mean((2, 3))[0]),
        single("golden_blur", M.hwc(M.blur(x, M.S / 8)[0])),
        single("golden_uniform", uniform[:48]),
        single("golden_odd", odd),
        single("golden_odd_blur", M.hwc(blurred)),
    ])


if __name__ == "__main__":
    bases()
