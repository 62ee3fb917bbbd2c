#!/usr/bin/env python3
"""Seconds an image of PyTorch for what bench_vit does: scores and attention rollout, and with --saliency the input
gradient. The model is read from the same safetensors file (timm's names). One thread; attention probabilities of all
layers are kept, as rollout needs them; heads' mean, identity added, rows normalised, only the class token's row
multiplied.

  peer_vit.py MODEL.safetensors [--batch N] [--passes N] [--saliency] [--input FILE] [--dump PREFIX]
"""
import argparse
import json
import resource
import struct
import time

import numpy as np
import torch
import torch.nn.functional as F


def load(path):
    with open(path, "rb") as f:
        size, = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(size))
        data = np.fromfile(f, np.uint8)
    return {k: torch.from_numpy(data[v["data_offsets"][0]:v["data_offsets"][1]].view("<f4").reshape(v["shape"]).copy())
            for k, v in header.items() if k != "__metadata__"}


def forward(p, x, heads, depth):
    kept = []
    patch = p["patch_embed.proj.weight"].shape[-1]
    x = F.conv2d(x, p["patch_embed.proj.weight"], p["patch_embed.proj.bias"], stride=patch).flatten(2).transpose(1, 2)
    x = torch.cat([p["cls_token"].expand(len(x), -1, -1), x], 1) + p["pos_embed"]
    d = x.shape[-1]
    for i in range(depth):
        b = f"blocks.{i}."
        y = F.layer_norm(x, (d,), p[b + "norm1.weight"], p[b + "norm1.bias"], 1e-6)
        qkv = F.linear(y, p[b + "attn.qkv.weight"], p[b + "attn.qkv.bias"])
        n, t, _ = qkv.shape
        q, k, v = qkv.reshape(n, t, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        a = torch.softmax(q @ k.transpose(-2, -1) * (d // heads) ** -0.5, dim=-1)
        kept.append(a)
        y = (a @ v).transpose(1, 2).reshape(n, t, d)
        x = x + F.linear(y, p[b + "attn.proj.weight"], p[b + "attn.proj.bias"])
        y = F.layer_norm(x, (d,), p[b + "norm2.weight"], p[b + "norm2.bias"], 1e-6)
        y = F.gelu(F.linear(y, p[b + "mlp.fc1.weight"], p[b + "mlp.fc1.bias"]))
        x = x + F.linear(y, p[b + "mlp.fc2.weight"], p[b + "mlp.fc2.bias"])
    x = F.layer_norm(x, (d,), p["norm.weight"], p["norm.bias"], 1e-6)
    return F.linear(x[:, 0], p["head.weight"], p["head.bias"]), kept


def rollout(kept):
    row = None
    for a in reversed(kept):
        r = a.detach().mean(1) + torch.eye(a.shape[-1])
        r = r / r.sum(-1, keepdim=True)
        row = r[:, :1] if row is None else row @ r
    return row[:, 0, 1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--saliency", action="store_true")
    parser.add_argument("--input")
    parser.add_argument("--dump")
    a = parser.parse_args()
    torch.set_num_threads(1)
    p = load(a.model)
    depth = sum(k.endswith("norm1.weight") for k in p)
    heads = p["cls_token"].shape[-1] // 64
    side = p["patch_embed.proj.weight"].shape[-1] * round((p["pos_embed"].shape[1] - 1) ** 0.5)
    if a.input:
        x = np.fromfile(a.input, np.float32).reshape(a.batch, side, side, 3)
    else:
        x = np.random.default_rng(1).uniform(-1, 1, (a.batch, side, side, 3)).astype(np.float32)
    x = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
    cpu, wall = [], []
    for i in range(a.passes + 1):
        c, w = time.process_time(), time.perf_counter()
        if a.saliency:
            inputs = x.clone().requires_grad_()
            scores, kept = forward(p, inputs, heads, depth)
            gradient, = torch.autograd.grad(scores[:, 0].sum(), inputs)
            gradient.abs().amax(1)
            maps = rollout(kept)
        else:
            with torch.inference_mode():
                scores, kept = forward(p, x, heads, depth)
                maps = rollout(kept)
        del kept
        if i:
            cpu.append((time.process_time() - c) / a.batch)
            wall.append((time.perf_counter() - w) / a.batch)
    if a.dump:
        maps.numpy().astype(np.float32).tofile(a.dump + ".rollout")
        scores.detach().numpy().astype(np.float32).tofile(a.dump + ".logits")
    print(json.dumps({"cpu": cpu, "wall": wall, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
