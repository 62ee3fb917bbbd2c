#!/usr/bin/env python3
"""Grad-CAM, Grad-CAM++ and XGrad-CAM on a transformer's tokens, beside pytorch-grad-cam in float32 and in float64.

    tokens.py --xaudit build/xaudit FOLDER [--seed 0] [--images 4]

Needed, in a throw-away environment: grad-cam, timm, torch, safetensors, h5py, Pillow. Weights are random and scaled up, so that attention is
uneven; maps are taken at the last block's norm1, without the ReLU, and differences are told as shares of the map's largest size.
"""
import argparse
import copy
import json
import os
import subprocess

import h5py
import numpy as np
import timm
import torch
from PIL import Image
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, XGradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.torch import save_file

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder")
parser.add_argument("--xaudit", required=True)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--images", type=int, default=4)
o = parser.parse_args()
program = os.path.abspath(o.xaudit)
os.makedirs(o.folder, exist_ok=True)
os.chdir(o.folder)
NAME, TARGET, SIDE = "vit_tiny_patch16_224", 3, 14
torch.manual_seed(o.seed)
model = timm.create_model(NAME, pretrained=False, num_classes=10).eval()
with torch.no_grad():
    for name, p in model.named_parameters():
        if p.ndim > 1:
            p.mul_(4.0 if "blocks" in name else 3.0)
save_file({k: v.contiguous() for k, v in model.state_dict().items()}, "m.safetensors")
json.dump({"architecture": NAME, "num_classes": 10}, open("m.json", "w"))
rng = np.random.default_rng(o.seed)
for i in range(o.images):
    coarse = Image.fromarray((rng.random((SIDE, SIDE, 3)) * 255).astype(np.uint8))
    coarse.resize((224, 224), Image.BICUBIC).save(f"{i}.png")
open("m.csv", "w").write("path,id\n" + "".join(f"{i}.png,{i}\n" for i in range(o.images)))
kinds = {"gradcam": GradCAM, "gradcam++": GradCAMPlusPlus, "xgradcam": XGradCAM}
open("j.yaml", "w").write("""manifest: m.csv
output: o.h5
models:
  - name: v
    file: m.safetensors
    head: softmax
    input: { size: [224, 224], resize: pil-bilinear, scale: tf }
    explainers:
""" + "".join(f"      - {{ kind: {k}, target: {{ class: {TARGET} }}, relu: false, name: k{i} }}\n" for i, k in enumerate(kinds)))
subprocess.run([program, "run", "j.yaml", "--fresh", "--quiet"], check=True)
archive = h5py.File("o.h5")
x = np.stack([np.asarray(Image.open(f"{i}.png"), np.float32) for i in range(o.images)]) / 127.5 - 1
x = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())


def maps(kind, net, images):
    layer = net.blocks[-1].norm1
    cam = kind(model=net, target_layers=[layer], reshape_transform=lambda t: t[:, 1:].reshape(len(t), SIDE, SIDE, -1).permute(0, 3, 1, 2))
    for image in images:
        net.zero_grad()
        cam.activations_and_grads(image[None])[0, TARGET].backward()
        a, g = cam.activations_and_grads.activations[0], cam.activations_and_grads.gradients[0]
        yield cam.get_cam_image(image[None], layer, [ClassifierOutputTarget(TARGET)], a.detach().numpy(), g.detach().numpy(), False)[0]


def apart(a, b):
    return max(float(np.abs(u - v).max() / np.abs(v).max()) for u, v in zip(a, b))


exact = copy.deepcopy(model).double()
print("kind        xaudit to float32   xaudit to float64   pytorch-grad-cam's float32 to float64")
for i, (name, kind) in enumerate(kinds.items()):
    mine = archive[f"maps/v/k{i}/values"][:, 0].astype(float)
    single, double = list(maps(kind, model, x)), list(maps(kind, exact, x.double()))
    print(f"{name:<12}{apart(mine, single):<20.1e}{apart(mine, double):<20.1e}{apart(single, double):.1e}")
