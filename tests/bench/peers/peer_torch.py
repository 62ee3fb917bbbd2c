#!/usr/bin/env python3
"""Seconds an image of PyTorch for what bench_engine does: saliency and Grad-CAM of the predicted class.

  peer_torch.py MODEL.h5 --layer PATH [--variant shared|folded|compiled|scripts] [--size N] [--batch N] [--images N]
                [--threads N] [--input FILE] [--dump PREFIX]

  shared    channels_last, oneDNN, parameters frozen, one forward pass, one torch.autograd.grad to the input and to the
            layer
  folded    the same after every batch normalisation that can be is folded into the convolution before it
  compiled  folded, through torch.compile
  scripts   as people write it: captum's Saliency, then pytorch-grad-cam's GradCAM, two complete passes, default layout,
            parameters not frozen

Prints one JSON object: CPU and wall seconds an image, and the peak of resident memory.
"""
import argparse
import importlib.util
import json
import resource
import sys
import time
import types

import numpy as np
import torch
import torch.nn.functional as F

import keras_torch


def libraries():
    """captum and pytorch-grad-cam; of torchvision they want picture helpers alone, which nothing here calls."""
    if importlib.util.find_spec("torchvision") is None:
        for name, helpers in (("torchvision", ()), ("torchvision.models", ()), ("torchvision.transforms", (
                "Compose", "Normalize", "ToTensor")), ("torchvision.transforms.functional", ("resize",))):
            module = sys.modules[name] = types.ModuleType(name)
            module.__path__ = []
            for helper in helpers:
                setattr(module, helper, None)
    from captum.attr import Saliency
    from pytorch_grad_cam import GradCAM
    return Saliency, GradCAM


def grad_cam(features, gradient):
    return F.relu((gradient.mean((2, 3), keepdim=True) * features).sum(1))


def shared(until, after):
    def explain(x):
        x = x.detach().requires_grad_(True)
        features = until(x)
        scores = after(features)
        to_input, to_features = torch.autograd.grad(scores.max(1)[0].sum(), [x, features])
        return scores.detach(), to_input.abs().amax(1), grad_cam(features.detach(), to_features)
    return explain


def scripts(net, layer):
    Saliency, GradCAM = libraries()
    saliency, cam = Saliency(net), GradCAM(net, [net.steps[layer]])
    kept = {}
    whole = cam.compute_cam_per_layer

    def unscaled(x, targets, smooth):
        """The map before it is scaled and brought to the picture's size, for the comparison."""
        a, g = cam.activations_and_grads.activations[0], cam.activations_and_grads.gradients[0]
        kept["cam"] = grad_cam(a, g)
        return whole(x, targets, smooth)

    cam.compute_cam_per_layer = unscaled

    def explain(x):
        with torch.no_grad():
            scores = net(x)
        target = scores.argmax(1)
        s = saliency.attribute(x.detach().requires_grad_(True), target=target).amax(1)
        cam(input_tensor=x, targets=None)
        return scores, s, kept["cam"].detach()
    return explain


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    p.add_argument("--layer", required=True)
    p.add_argument("--variant", choices=["shared", "folded", "compiled", "scripts"], default="shared")
    p.add_argument("--size", type=int, default=224)
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--images", type=int, default=5)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--input")
    p.add_argument("--dump")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.set_num_interop_threads(1)
    net = keras_torch.load(a.model)
    layer = net.find(a.layer)
    if a.variant in ("folded", "compiled"):
        net.fold()
    for parameter in net.parameters():
        parameter.requires_grad_(a.variant == "scripts")
    pixels = np.fromfile(a.input, np.float32).reshape(1, a.size, a.size, 3)
    x = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).repeat(a.batch, 1, 1, 1)
    until, after = (lambda v: net.until(v, layer)), (lambda v: net.after(v, layer))
    if a.variant != "scripts":
        net = net.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    if a.variant == "compiled":
        until, after = torch.compile(until), torch.compile(after)
    explain = scripts(net, layer) if a.variant == "scripts" else shared(until, after)
    result = explain(x)
    cpu, wall = [], []
    for _ in range(a.images):
        start = time.process_time(), time.perf_counter()
        result = explain(x)
        cpu.append((time.process_time() - start[0]) / a.batch)
        wall.append((time.perf_counter() - start[1]) / a.batch)
    if a.dump:
        for what, value in zip(("logits", "saliency", "gradcam"), result):
            value[0].contiguous().numpy().astype(np.float32).tofile("%s.%s" % (a.dump, what))
    print(json.dumps({"program": "torch " + a.variant, "version": torch.__version__, "cpu": cpu, "wall": wall,
                      "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024e-6}))


if __name__ == "__main__":
    main()
