"""The models that peers.py explains: one torch module in double, and the file that xaudit reads.

Those of torchvision have random weights of a fixed seed: their batch normalisations are calibrated on the photographs,
and the head is scaled so that logits spread over a few units, since a freshly drawn network gives all classes about
one probability. The Xception is a Keras file, computed here by a module of its own.
"""
import os
import sys

import h5py
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "src", "python"))


class Model:
    """What peers.py needs to know of one: `module` [1,3,S,S] -> logits, `layer` and `early` (name in xaudit, module)."""

    def __init__(self, name, module, file, size, scale, layer, early=None, tokens=False):
        self.name, self.module, self.file, self.size, self.scale = name, module.double().eval(), file, size, scale
        self.layer, self.early, self.tokens = layer, early, tokens
        for p in self.module.parameters():
            p.requires_grad_(False)
        for m in self.module.modules():
            if isinstance(m, nn.ReLU):
                m.inplace = False

    def to_input(self, pixels):
        """uint8 [n,S,S,3] to what the network is given, in double."""
        x = torch.from_numpy(pixels.astype(np.float64).transpose(0, 3, 1, 2))
        if self.scale == "tf":
            return x / 127.5 - 1.0
        mean = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64).view(3, 1, 1)
        std = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64).view(3, 1, 1)
        return (x / 255.0 - mean) / std

    def black(self, x):
        return self.to_input(np.zeros((1, 1, 1, 3), np.uint8)).expand_as(x).clone()


def seeded(name, x, folder):
    """torchvision's network with weights of seed 1, calibrated on x, and its ONNX file."""
    import torchvision
    import xaudit_export
    torch.manual_seed(1)
    net = getattr(torchvision.models, name)(weights=None).float()
    if name == "densenet121":  # its last ReLU is a function; a second one behind norm5 changes nothing, and has a name
        net.features.add_module("relu5", nn.ReLU())
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    for m in norms:
        m.momentum = None
        m.weight.data.uniform_(0.6, 1.4)
        m.bias.data.normal_(0.0, 0.2)
    for m in net.modules():
        if isinstance(m, nn.Conv2d) and m.bias is not None:
            m.bias.data.normal_(0.0, 0.05)
    net.train()
    for m in net.modules():
        if isinstance(m, nn.Dropout):
            m.eval()
    with torch.no_grad():
        net(x.float())
    net.eval()
    head = [m for m in net.modules() if isinstance(m, nn.Linear)][-1]
    with torch.no_grad():
        head.weight *= 3.0 / net(x.float()).std(1).mean()
        head.bias.normal_(0.0, 0.1)
    file = os.path.join(folder, name + ".onnx")
    xaudit_export.export(net, file, size=(x.shape[2], x.shape[3]), check=False)
    return net, file


# ---- Keras' Xception ----

def same(x, k, s, value=0.0):
    """TensorFlow's SAME padding: the smaller half before."""
    pads = []
    for n in (x.shape[3], x.shape[2]):
        total = max((-(-n // s) - 1) * s + k - n, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)


class Xception(nn.Module):
    """keras.applications' Xception without top, global average and a dense layer, from a Keras 2 file."""

    def __init__(self, file):
        super().__init__()
        self.w = {}
        with h5py.File(file) as f:
            for layer in f["model_weights"].values():
                for name in layer.attrs["weight_names"]:
                    name = name.decode() if isinstance(name, bytes) else name
                    self.w[name.split(":")[0]] = torch.from_numpy(np.asarray(layer[name], np.float64))
        self.as_single = {k: v.float() for k, v in self.w.items()}
        self.as_double = self.w
        self.block2_end, self.last = nn.Identity(), nn.Identity()  # where CAM methods hook

    def float(self):
        self.w = self.as_single
        return self

    def double(self):
        self.w = self.as_double
        return self

    def norm(self, x, name):
        w = [self.w[f"{name}/{k}"].view(1, -1, 1, 1) for k in ("gamma", "beta", "moving_mean", "moving_variance")]
        return (x - w[2]) / torch.sqrt(w[3] + 1e-3) * w[0] + w[1]

    def conv(self, x, name, stride, k):
        w = self.w[f"{name}/kernel"].permute(3, 2, 0, 1)
        return F.conv2d(same(x, k, stride) if k == 1 else x, w, stride=stride)

    def separable(self, x, name):
        depth = self.w[f"{name}/depthwise_kernel"].permute(2, 3, 0, 1)
        point = self.w[f"{name}/pointwise_kernel"].permute(3, 2, 0, 1)
        x = F.conv2d(same(x, 3, 1), depth, groups=x.shape[1])
        return self.norm(F.conv2d(x, point), name + "_bn")

    def shortcut(self, x, i):
        return self.norm(self.conv(x, f"conv2d_{i}", 2, 1), f"batch_normalization_{i}")

    def forward(self, x):
        x = F.relu(self.norm(self.conv(x, "block1_conv1", 2, 3), "block1_conv1_bn"))
        x = F.relu(self.norm(self.conv(x, "block1_conv2", 1, 3), "block1_conv2_bn"))
        for i, block in enumerate((2, 3, 4, 13), 1):
            if block == 13:
                for b in range(5, 13):
                    y = x
                    for s in (1, 2, 3):
                        y = self.separable(F.relu(y), f"block{b}_sepconv{s}")
                    x = x + y
            y = x if block == 2 else F.relu(x)
            y = self.separable(y, f"block{block}_sepconv1")
            y = self.separable(F.relu(y), f"block{block}_sepconv2")
            x = self.shortcut(x, i) + F.max_pool2d(same(y, 3, 2, -np.inf), 3, 2)
        x = F.relu(self.separable(x, "block14_sepconv1"))
        x = self.last(F.relu(self.separable(x, "block14_sepconv2")))
        return x.mean((2, 3)) @ self.w["predictions/kernel"] + self.w["predictions/bias"]


def load(name, source, pixels_of, folder, size):
    """name of a network of torchvision, or "xception" and "vit" with a file; pixels_of(S): the photographs; size: of
    torchvision's."""
    if name == "xception":
        net = Xception(source)
        return Model(name, net, source, 299, "tf", ("block14_sepconv2_act", net.last))
    if name == "vit":
        import timm
        from safetensors.torch import load_file
        net = timm.create_model("vit_tiny_patch16_224")
        net.load_state_dict(load_file(source))
        for b in net.blocks:
            b.attn.fused_attn = False
        return Model(name, net, source, 224, "tf", ("blocks.10", net.blocks[10]), tokens=True)
    model = Model(name, nn.Identity(), None, size, "torch", None)
    net, file = seeded(name, model.to_input(pixels_of(size)), folder)
    layer, early = {  # as the exporter names them, and torch's modules
        "resnet50": lambda: (("relu_48", net.layer4), ("relu_39", net.layer3)),
        "vgg16": lambda: (("relu_12", net.features[29]), ("relu_9", net.features[22])),
        "densenet121": lambda: (("relu_120", net.features.relu5), None)}[name]()
    return Model(name, net, file, size, "torch", layer, early)
