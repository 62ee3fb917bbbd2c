#!/usr/bin/env python3
"""Trains the demo's vision transformer and writes vit.safetensors.

It is the first half of a ViT-Ti/16 (six of twelve blocks) at 128x128, so 8x8 patches of 16x16 and a class
token, with a new head of seven classes, all of it trained on ("fine-tuned"). The start are the weights of
timm's vit_tiny_patch16_224 (augreg_in21k_ft_in1k; Steiner et al. 2021, arXiv:2106.10270; Apache-2.0), given as
--start; the position embedding is brought from 14x14 to 8x8 as timm does (bicubic, antialiased). Weights are
stored as float16 under timm's names.

Photographs, boxes.csv, its splits, the input and the augmentation are those of train_xception.py beside this
script; nothing of the test images is used for training, for stopping, or for choosing weights.

    pip install torch==2.13.0 safetensors numpy pillow
    python train_vit.py --images 101_ObjectCategories --boxes boxes.csv --start vit_tiny.safetensors --out .
    python train_vit.py --images 101_ObjectCategories --boxes boxes.csv --out . --evaluate
    python train_vit.py --out . --reference      # reference_vit.csv from vit.safetensors and images/
"""
import argparse
import csv
import math
import os

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from train_xception import CLASSES, SIZE, augment, load, read_boxes, to_input

BLOCKS, WIDTH, HEADS, PATCH = 6, 192, 3, 16
GRID = SIZE // PATCH
SEED, EPOCHS, BATCH, RATE = 20241, 40, 32, 2e-4
WARM_UP = 4  # epochs


def start(path):
    """Parameters by timm's names, cut and with a new head."""
    whole = load_file(path)
    keep = {k: v for k, v in whole.items()
            if not k.startswith("head") and not (k.startswith("blocks.") and int(k.split(".")[1]) >= BLOCKS)}
    front, grid = keep["pos_embed"][:, :1], keep["pos_embed"][:, 1:]
    side = int(math.sqrt(grid.shape[1]))
    grid = grid.reshape(1, side, side, WIDTH).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, (GRID, GRID), mode="bicubic", antialias=True)
    keep["pos_embed"] = torch.cat([front, grid.permute(0, 2, 3, 1).reshape(1, GRID * GRID, WIDTH)], 1)
    keep["head.weight"] = torch.zeros(len(CLASSES), WIDTH)
    keep["head.bias"] = torch.zeros(len(CLASSES))
    return {k: torch.nn.Parameter(v.clone()) for k, v in keep.items()}


def forward(p, x, drop=0.0):
    """x [B,3,128,128] in -1..1 to scores [B,7]; whole blocks are left out with probability `drop`."""
    x = F.conv2d(x, p["patch_embed.proj.weight"], p["patch_embed.proj.bias"], stride=PATCH)
    x = x.flatten(2).transpose(1, 2)
    x = torch.cat([p["cls_token"].expand(len(x), -1, -1), x], 1) + p["pos_embed"]
    for i in range(BLOCKS):
        if drop and torch.rand(()) < drop:
            continue
        q = f"blocks.{i}."
        y = F.layer_norm(x, (WIDTH,), p[q + "norm1.weight"], p[q + "norm1.bias"], 1e-6)
        y = F.linear(y, p[q + "attn.qkv.weight"], p[q + "attn.qkv.bias"])
        b, t, _ = y.shape
        query, key, value = y.reshape(b, t, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(b, t, WIDTH)
        x = x + F.linear(y, p[q + "attn.proj.weight"], p[q + "attn.proj.bias"])
        y = F.layer_norm(x, (WIDTH,), p[q + "norm2.weight"], p[q + "norm2.bias"], 1e-6)
        y = F.gelu(F.linear(y, p[q + "mlp.fc1.weight"], p[q + "mlp.fc1.bias"]))
        x = x + F.linear(y, p[q + "mlp.fc2.weight"], p[q + "mlp.fc2.bias"])
    x = F.layer_norm(x, (WIDTH,), p["norm.weight"], p["norm.bias"], 1e-6)
    return F.linear(x[:, 0], p["head.weight"], p["head.bias"])


def tensor(images):
    return torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).copy())


def train(args):
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    rows = read_boxes(args.boxes)["train"]
    images = [load(os.path.join(args.images, r["image"])) for r in rows]
    labels = torch.tensor([CLASSES.index(r["class"]) for r in rows])
    p = start(args.start)
    decay = [v for k, v in p.items() if v.ndim > 1 and k not in ("pos_embed", "cls_token")]
    rest = [v for k, v in p.items() if not (v.ndim > 1 and k not in ("pos_embed", "cls_token"))]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}], RATE)
    steps = math.ceil(len(rows) / BATCH)
    for epoch in range(EPOCHS):
        order, total = rng.permutation(len(rows)), 0.0
        for step in range(steps):
            now = epoch + step / steps
            rate = RATE * (now / WARM_UP if now < WARM_UP
                           else 0.5 * (1 + math.cos(math.pi * (now - WARM_UP) / (EPOCHS - WARM_UP))))
            for group in opt.param_groups:
                group["lr"] = rate
            pick = order[step * BATCH:(step + 1) * BATCH]
            x = tensor([augment(images[i], rng).astype(np.float32) for i in pick])
            loss = F.cross_entropy(forward(p, x, 0.05), labels[pick], label_smoothing=0.05)
            opt.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(p.values(), 1.0)
            opt.step()
            total += loss.item() * len(pick)
        print(f"epoch {epoch + 1}: loss {total / len(rows):.4f}", flush=True)
    save_file({k: v.detach().half().contiguous() for k, v in p.items()}, os.path.join(args.out, "vit.safetensors"),
              metadata={"format": "pt", "source": "timm vit_tiny_patch16_224.augreg_in21k_ft_in1k, cut and fine-tuned"})
    # vit.json beside it (by hand) says what names and shapes do not: the architecture, hence its heads and activation


def stored(out):
    return {k: v.float() for k, v in load_file(os.path.join(out, "vit.safetensors")).items()}


def evaluate(args):
    p = stored(args.out)
    for split, rows in read_boxes(args.boxes).items():
        wrong = {}
        with torch.no_grad():
            for r in rows:
                scores = forward(p, tensor([to_input(load(os.path.join(args.images, r["image"])))]))
                got = CLASSES[int(scores.argmax())]
                if got != r["class"]:
                    wrong.setdefault(r["class"], []).append((r["image"], got))
        bad = sum(len(w) for w in wrong.values())
        print(f"{split}: {len(rows) - bad} of {len(rows)} right")
        for name in CLASSES:
            print(f"  {name}: {sum(r['class'] == name for r in rows)} images, wrong: {wrong.get(name, [])}")


def reference(args):
    p = stored(args.out)
    with open(os.path.join(args.out, "manifest.csv"), newline="", encoding="utf-8") as f:
        paths = {r["id"]: r["path"] for r in csv.DictReader(f)}
    with open(os.path.join(args.out, "reference_vit.csv"), "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f)
        out.writerow(["id"] + [f"p{i}" for i in range(len(CLASSES))])
        with torch.no_grad():
            for name, path in paths.items():
                scores = forward(p, tensor([to_input(load(os.path.join(args.out, path)))]))
                out.writerow([name] + [f"{v:.9g}" for v in torch.softmax(scores, 1)[0].tolist()])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--images", "--boxes", "--start", "--out"):
        parser.add_argument(name)
    parser.add_argument("--evaluate", action="store_true")
    parser.add_argument("--reference", action="store_true")
    args = parser.parse_args()
    if args.reference:
        reference(args)
        return
    if not args.evaluate:
        train(args)
    evaluate(args)


if __name__ == "__main__":
    main()
