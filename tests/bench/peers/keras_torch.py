"""A Keras .h5 image classifier as a PyTorch module: the layers that keras.applications' convolutional networks are made of.

load(path) gives a Net whose forward(x) returns the scores before the last softmax and keeps nothing; `until`/`after` cut it
at a layer, so that one forward pass gives both. fold() puts every batch normalisation that alone follows a convolution
into its weights.
"""
import json

import h5py
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval


def tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array))


class Pad(nn.Module):
    """Zeros (or -inf before a maximum) as TensorFlow's SAME has them: the odd one after."""

    def __init__(self, window, strides, value=0.0):
        super().__init__()
        self.window, self.strides, self.value = window, strides, value

    def forward(self, x):
        pads = []
        for extent, k, s in zip(x.shape[:1:-1], self.window[::-1], self.strides[::-1]):
            total = max((-(-extent // s) - 1) * s + k - extent, 0)
            pads += [total // 2, total - total // 2]
        return F.pad(x, pads, value=self.value) if any(pads) else x


class Sequence(nn.Module):
    def __init__(self, *parts):
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return x


def activation(name):
    if name in (None, "linear"):
        return []
    if name == "relu":
        return [nn.ReLU()]
    if name == "relu6":
        return [nn.ReLU6()]
    raise ValueError("activation " + name)


def convolution(kernel, bias, c, groups=1):
    """kernel [KH,KW,I,O]"""
    strides, same = tuple(c["strides"]), c["padding"] == "same"
    window = kernel.shape[:2]
    symmetric = same and strides == (1, 1) and window[0] % 2 and window[1] % 2
    conv = nn.Conv2d(kernel.shape[2] * groups, kernel.shape[3], window, stride=strides, groups=groups, bias=bias is not None,
                     padding=((window[0] - 1) // 2, (window[1] - 1) // 2) if symmetric else 0)
    with torch.no_grad():
        conv.weight.copy_(tensor(kernel.transpose(3, 2, 0, 1)))
        if bias is not None:
            conv.bias.copy_(tensor(bias))
    return ([Pad(window, strides)] if same and not symmetric else []) + [conv]


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Flat(nn.Module):
    """In Keras' order, channels last."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1) if x.ndim == 4 else x.flatten(1)


class Add(nn.Module):
    def forward(self, *xs):
        y = xs[0]
        for x in xs[1:]:
            y = y + x
        return y


class Concatenate(nn.Module):
    def forward(self, *xs):
        return torch.cat(xs, 1)


def make(kind, c, w):
    """The module of one layer; w: its arrays by name."""
    if kind in ("InputLayer", "Dropout"):
        return nn.Identity()
    if kind == "Conv2D":
        return Sequence(*convolution(w["kernel"], w.get("bias"), c, c.get("groups", 1)), *activation(c["activation"]))
    if kind == "DepthwiseConv2D":
        k = w["depthwise_kernel"]
        return Sequence(*convolution(k.transpose(0, 1, 3, 2).reshape(k.shape[0], k.shape[1], 1, -1), w.get("bias"), c,
                                     k.shape[2]), *activation(c["activation"]))
    if kind == "SeparableConv2D":
        k = w["depthwise_kernel"]
        one = dict(c, strides=(1, 1), padding="valid")
        return Sequence(*convolution(k.reshape(k.shape[0], k.shape[1], 1, -1), None, c, k.shape[2]),
                        *convolution(w["pointwise_kernel"], w.get("bias"), one), *activation(c["activation"]))
    if kind == "BatchNormalization":
        n = len(w["moving_mean"])
        bn = nn.BatchNorm2d(n, eps=c["epsilon"])
        with torch.no_grad():
            bn.weight.copy_(tensor(w.get("gamma", np.ones(n, np.float32))))
            bn.bias.copy_(tensor(w.get("beta", np.zeros(n, np.float32))))
            bn.running_mean.copy_(tensor(w["moving_mean"]))
            bn.running_var.copy_(tensor(w["moving_variance"]))
        return bn
    if kind in ("Activation", "ReLU"):
        name = c.get("activation") or ("relu6" if c.get("max_value") == 6.0 else "relu")
        return nn.Identity() if name == "softmax" else Sequence(*activation(name))
    if kind in ("MaxPooling2D", "AveragePooling2D"):
        window, strides, same = tuple(c["pool_size"]), tuple(c["strides"]), c["padding"] == "same"
        if kind == "MaxPooling2D":
            return Sequence(*([Pad(window, strides, -np.inf)] if same else []), nn.MaxPool2d(window, strides))
        if same and strides == (1, 1):
            return nn.AvgPool2d(window, strides, padding=((window[0] - 1) // 2, (window[1] - 1) // 2), count_include_pad=False)
        assert not same
        return nn.AvgPool2d(window, strides)
    if kind == "ZeroPadding2D":
        (top, bottom), (left, right) = c["padding"]
        return nn.ZeroPad2d((left, right, top, bottom))
    if kind == "GlobalAveragePooling2D":
        return Mean()
    if kind == "Flatten":
        return Flat()
    if kind == "Add":
        return Add()
    if kind == "Concatenate":
        return Concatenate()
    if kind == "Dense":
        dense = nn.Linear(*w["kernel"].shape)
        with torch.no_grad():
            dense.weight.copy_(tensor(w["kernel"].T))
            dense.bias.copy_(tensor(w["bias"]))
        return Sequence(dense, *([] if c["activation"] == "softmax" else activation(c["activation"])))
    raise ValueError("layer " + kind)


class Net(nn.Module):
    """Layers in topological order, each with the indices of its inputs; `last_use` frees values early, as a script does."""

    def __init__(self):
        super().__init__()
        self.names, self.sources = [], []
        self.steps = nn.ModuleList()

    def add(self, name, module, sources):
        self.names.append(name)
        self.sources.append(sources)
        self.steps.append(module)
        return len(self.names) - 1

    def find(self, path):
        """A layer by its path; the innermost name is enough."""
        return self.names.index(path.split("/")[-1])

    def _walk(self, values, first, last):
        uses = {}
        for i in range(first, last):
            for s in self.sources[i]:
                uses[s] = i
        for i in range(first, last):
            values[i] = self.steps[i](*[values[s] for s in self.sources[i]])
            for s in set(self.sources[i]):
                if uses[s] == i and s >= 0:
                    values[s] = None
        return values[last - 1]

    def forward(self, x):
        return self._walk({-1: x}, 0, len(self.steps))

    def until(self, x, layer):
        return self._walk({-1: x}, 0, layer + 1)

    def after(self, features, layer):
        return self._walk({layer: features}, layer + 1, len(self.steps))

    def fold(self):
        used = [s for sources in self.sources for s in sources]
        for i, step in enumerate(self.steps):
            if not isinstance(step, nn.BatchNorm2d):
                continue
            source = self.sources[i][0]
            before = self.steps[source] if source >= 0 else None
            if used.count(source) == 1 and isinstance(before, Sequence) and isinstance(before.parts[-1], nn.Conv2d):
                before.parts[-1] = fuse_conv_bn_eval(before.parts[-1], step.eval())
                self.steps[i] = nn.Identity()


def arrays(file):
    """{layer: {weight: array}}; layers of nested models stand beside those of the outer one."""
    found = {}

    def visit(group):
        for name in group.attrs.get("weight_names", []):
            name = name.decode() if isinstance(name, bytes) else name
            layer, weight = name.rsplit("/", 1)
            found.setdefault(layer, {})[weight.split(":")[0]] = group[name][()]

    for name in file["model_weights"].attrs["layer_names"]:
        visit(file["model_weights"][name.decode() if isinstance(name, bytes) else name])
    return found


def load(path):
    with h5py.File(path, "r") as file:
        config, weights = json.loads(file.attrs["model_config"]), arrays(file)
    net = Net()

    def walk(model, source):
        """Adds the layers of a model; returns the index of its output."""
        c = model["config"]
        at = {}
        for layer in c["layers"]:
            name = layer["config"]["name"]
            inbound = layer.get("inbound_nodes") or []
            if model["class_name"] == "Sequential":
                sources = [source]
            else:
                sources = [at[n[0]] for n in inbound[0]] if inbound else [source]
            if layer["class_name"] in ("Functional", "Model", "Sequential"):
                at[name] = walk(layer, sources[0])
            else:
                module = make(layer["class_name"], layer["config"], weights.get(name, {}))
                at[name] = net.add(name, module, sources)
            source = at[name]
        return source if model["class_name"] == "Sequential" else at[c["output_layers"][0][0]]

    walk(config, -1)
    return net.eval()
