#!/usr/bin/env python3
"""Seconds an image of timm's own model with a rollout as people write it: hooks on the attention dropouts of every
block, one image a pass, full matrices multiplied (Abnar and Zuidema 2020).

  peer_timm.py MODEL.safetensors [--passes N] [--input FILE] [--dump PREFIX]        timm 1.0, torch

Prints one JSON object.
"""
import argparse
import json
import resource
import time

import numpy as np
import timm
import torch

from peer_vit import load


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--input")
    parser.add_argument("--dump")
    a = parser.parse_args()
    torch.set_num_threads(1)
    weights = load(a.model)
    model = timm.create_model("vit_base_patch%d_224" % weights["patch_embed.proj.weight"].shape[-1], pretrained=False)
    model.load_state_dict(weights)
    model.eval()
    kept = []
    for block in model.blocks:
        block.attn.fused_attn = False  # the fused kernel shows no probabilities
        block.attn.attn_drop.register_forward_hook(lambda module, given, out: kept.append(out))
    if a.input:
        x = np.fromfile(a.input, np.float32).reshape(-1, 224, 224, 3)[:1]
    else:
        x = np.random.default_rng(1).uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32)
    x = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
    cpu = []
    for i in range(a.passes + 1):
        start = time.process_time()
        kept.clear()
        with torch.no_grad():
            scores = model(x)
            result = torch.eye(kept[0].shape[-1])
            for p in kept:
                r = p.mean(1) + torch.eye(p.shape[-1])
                result = (r / r.sum(-1, keepdim=True)) @ result
        if i:
            cpu.append(time.process_time() - start)
    if a.dump:
        result[:, 0, 1:].numpy().astype(np.float32).tofile(a.dump + ".rollout")
        scores.numpy().astype(np.float32).tofile(a.dump + ".logits")
    print(json.dumps({"program": "timm", "cpu": cpu, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
