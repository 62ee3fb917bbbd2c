#!/usr/bin/env python3
"""Seconds an image of PyTorch for what bench_engine does: saliency and Grad-CAM of the predicted class.

  peer_torch.py MODEL.h5 [--variant shared|folded|naive] [--size N] [--images N] [--input FILE] [--dump PREFIX]

The model is Keras' Xception (keras.applications, include_top=False), global average pooling and dense layers with
ReLU between them, its weights from the same .h5 file. One thread, batch 1.

  shared   the strongest setting: channels_last, oneDNN, parameters frozen, one forward pass, one torch.autograd.grad
           to the input and to the last activation
  folded   the same after the user has folded every batch normalisation into the convolution before it
  naive    what a script usually does: default memory format, parameters not frozen, a saliency pass and then a
           separate, complete Grad-CAM pass with a hook

Prints one JSON object: lists of CPU and wall seconds, and the peak of resident memory.
"""
import argparse
import json
import re
import resource
import sys
import time

import h5py
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

BN_EPSILON = 1e-3  # Keras' default


class Separable(nn.Module):
    def __init__(self, name, channels, filters):
        super().__init__()
        self.name = name
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, filters, 1, bias=False)
        self.bn = nn.BatchNorm2d(filters, eps=BN_EPSILON)

    def forward(self, x):
        return self.bn(self.pointwise(self.depthwise(x)))

    def fold(self):
        self.pointwise, self.bn = fuse_conv_bn_eval(self.pointwise, self.bn), nn.Identity()


class Convolution(nn.Module):
    def __init__(self, name, bn_name, channels, filters, kernel, stride):
        super().__init__()
        self.name, self.bn_name = name, bn_name
        self.conv = nn.Conv2d(channels, filters, kernel, stride=stride, bias=False)
        self.bn = nn.BatchNorm2d(filters, eps=BN_EPSILON)

    def forward(self, x):
        return self.bn(self.conv(x))

    def fold(self):
        self.conv, self.bn = fuse_conv_bn_eval(self.conv, self.bn), nn.Identity()


def pool_same(x):
    """MaxPooling2D(3, strides 2, padding="same"): TensorFlow pads an odd extent by one on both sides, an even one by one
    at the end only, which ceil_mode gives without a copy."""
    odd = x.shape[-1] % 2 == 1
    return F.max_pool2d(x, 3, 2, padding=1 if odd else 0, ceil_mode=not odd)


class Reducing(nn.Module):
    """Two separable convolutions and a max-pool beside a strided 1x1 convolution."""

    def __init__(self, block, shortcut, channels, middle, filters, relu_first):
        super().__init__()
        self.relu_first = relu_first
        self.shortcut = Convolution("conv2d#%d" % shortcut, "batch_normalization#%d" % shortcut, channels, filters, 1, 2)
        self.first = Separable("block%d_sepconv1" % block, channels, middle)
        self.second = Separable("block%d_sepconv2" % block, middle, filters)

    def forward(self, x):
        y = F.relu(x) if self.relu_first else x
        y = self.second(F.relu(self.first(y)))
        return pool_same(y) + self.shortcut(x)


class Middle(nn.Module):
    def __init__(self, block, channels):
        super().__init__()
        self.parts = nn.ModuleList(Separable("block%d_sepconv%d" % (block, i), channels, channels) for i in (1, 2, 3))

    def forward(self, x):
        y = x
        for part in self.parts:
            y = part(F.relu(y))
        return x + y


class Xception(nn.Module):
    def __init__(self, head):
        super().__init__()
        self.conv1 = Convolution("block1_conv1", "block1_conv1_bn", 3, 32, 3, 2)
        self.conv2 = Convolution("block1_conv2", "block1_conv2_bn", 32, 64, 3, 1)
        self.flow = nn.Sequential(
            Reducing(2, 0, 64, 128, 128, False),
            Reducing(3, 1, 128, 256, 256, True),
            Reducing(4, 2, 256, 728, 728, True),
            *[Middle(block, 728) for block in range(5, 13)],
            Reducing(13, 3, 728, 728, 1024, True))
        self.last1 = Separable("block14_sepconv1", 1024, 1536)
        self.last2 = Separable("block14_sepconv2", 1536, 2048)
        self.head = nn.ModuleList(nn.Linear(k.shape[0], k.shape[1]) for k, _ in head)
        with torch.no_grad():
            for layer, (kernel, bias) in zip(self.head, head):
                layer.weight.copy_(torch.from_numpy(kernel.T.copy()))
                layer.bias.copy_(torch.from_numpy(bias))

    def features(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return F.relu(self.last2(F.relu(self.last1(self.flow(x)))))

    def scores(self, features):
        y = features.mean((2, 3))
        for layer in self.head[:-1]:
            y = F.relu(layer(y))
        return self.head[-1](y)


class Weights:
    """Weight arrays of a Keras .h5 by layer and weight name. Keras numbers unnamed layers through a session, so those
    are addressed by their order: conv2d#0 is the first of conv2d, conv2d_1, ..."""

    def __init__(self, path):
        self.file = h5py.File(path, "r")
        self.layers = {}
        group = self.file["model_weights"]
        group.visititems(self._add)

    def _add(self, path, item):
        if isinstance(item, h5py.Dataset):
            layer, weight = path.split("/")[-2:]
            self.layers.setdefault(layer, {})[weight.split(":")[0]] = item

    def _numbered(self, base):
        names = [n for n in self.layers if re.fullmatch(base + r"(_\d+)?", n)]
        return sorted(names, key=lambda n: int(n[len(base) + 1:] or 0))

    def get(self, layer, weight):
        if "#" in layer:
            base, index = layer.split("#")
            layer = self._numbered(base)[int(index)]
        return self.layers[layer][weight][()]

    def head(self):
        """Kernel and bias of the dense layers, ordered by how their shapes follow each other from 2048."""
        left = [w for w in self.layers.values() if "kernel" in w and w["kernel"].ndim == 2]
        out, width = [], 2048
        while left:
            following = [w for w in left if w["kernel"].shape[0] == width]
            if len(following) != 1:
                sys.exit("peer_torch: the dense layers of the file do not form one chain from 2048")
            left.remove(following[0])
            out.append((following[0]["kernel"][()], following[0]["bias"][()]))
            width = out[-1][0].shape[1]
        return out


def put(parameter, array):
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))


def load_bn(bn, w, layer):
    put(bn.weight, w.get(layer, "gamma"))
    put(bn.bias, w.get(layer, "beta"))
    put(bn.running_mean, w.get(layer, "moving_mean"))
    put(bn.running_var, w.get(layer, "moving_variance"))


def load(path):
    w = Weights(path)
    model = Xception(w.head())
    for part in model.modules():
        if isinstance(part, Separable):
            put(part.depthwise.weight, w.get(part.name, "depthwise_kernel").transpose(2, 3, 0, 1))
            put(part.pointwise.weight, w.get(part.name, "pointwise_kernel").transpose(3, 2, 0, 1))
            load_bn(part.bn, w, part.name + "_bn")
        elif isinstance(part, Convolution):
            put(part.conv.weight, w.get(part.name, "kernel").transpose(3, 2, 0, 1))
            load_bn(part.bn, w, part.bn_name)
    w.file.close()
    return model.eval()


def grad_cam(features, gradient):
    return F.relu((gradient.mean((2, 3), keepdim=True) * features).sum(1))


def shared(model, x):
    x = x.detach().requires_grad_(True)
    features = model.features(x)
    scores = model.scores(features)
    to_input, to_features = torch.autograd.grad(scores.max(1)[0].sum(), [x, features])
    return scores.detach(), to_input.abs().amax(1), grad_cam(features.detach(), to_features)


def naive(model, x):
    model.zero_grad()
    x1 = x.detach().requires_grad_(True)
    scores = model.scores(model.features(x1))
    scores.max(1)[0].sum().backward()
    saliency = x1.grad.abs().amax(1)
    model.zero_grad()
    kept = {}
    features = model.features(x)
    features.register_hook(lambda g: kept.update(gradient=g))
    model.scores(features).max(1)[0].sum().backward()
    return scores.detach(), saliency, grad_cam(features.detach(), kept["gradient"])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    p.add_argument("--variant", choices=["shared", "folded", "naive"], default="shared")
    p.add_argument("--size", type=int, default=512)
    p.add_argument("--images", type=int, default=5)
    p.add_argument("--input")
    p.add_argument("--dump")
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)

    model = load(a.model)
    if a.variant == "folded":
        for part in model.modules():
            if hasattr(part, "fold"):
                part.fold()
    for parameter in model.parameters():
        parameter.requires_grad_(a.variant == "naive")
    if a.input:
        pixels = np.fromfile(a.input, np.float32).reshape(1, a.size, a.size, 3)
    else:
        pixels = np.random.default_rng(1).uniform(-1, 1, (1, a.size, a.size, 3)).astype(np.float32)
    x = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    if a.variant != "naive":
        model = model.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    explain = naive if a.variant == "naive" else shared

    result = explain(model, x)
    cpu, wall = [], []
    for _ in range(a.images):
        start = time.process_time(), time.perf_counter()
        result = explain(model, x)
        cpu.append(time.process_time() - start[0])
        wall.append(time.perf_counter() - start[1])
    if a.dump:
        for what, value in zip(("logits", "saliency", "gradcam"), result):
            value.contiguous().numpy().astype(np.float32).tofile("%s.%s" % (a.dump, what))
    print(json.dumps({"program": "torch " + a.variant, "version": torch.__version__,
                      "mkldnn": torch.backends.mkldnn.is_available(), "target": int(result[0].argmax()),
                      "cpu": cpu, "wall": wall,
                      "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024e-6}))


if __name__ == "__main__":
    main()
