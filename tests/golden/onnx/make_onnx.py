"""Tiny networks of many families, exported to ONNX by PyTorch, with what PyTorch computes from them.

    python make_onnx.py [--out FOLDER] [NAME ...]

Needs torch 2.14.1, torchvision 0.29.1, timm 1.0.31, onnx 1.22.0, onnxscript, onnxruntime, h5py, numpy. For each network:

  NAME.dy.onnx   torch.onnx.export(dynamo=True), the default exporter
  NAME.ts.onnx   torch.onnx.export(dynamo=False), the TorchScript one, opset 17, symbolic batch
  NAME.dy23.onnx the default exporter with operator set 23, whose Attention is one node (vit)
  NAME.ref.h5    "xaudit-reference 1" (../keras/README.md), with `models`, the files it is of, one a line

Outputs, gradients and Grad-CAM are PyTorch's, float32 and float64; the script stops where onnxruntime computes other
outputs from a file. Stack traces, nine tenths of a small file of the default exporter, are taken out of its nodes'
metadata; the names of modules stay. Weights, statistics and images are drawn from a seed, the CRC-32 of the name.
"""
import argparse
import os
import tempfile
import warnings
import zlib

import h5py
import numpy as np
import onnx
import onnxruntime
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
CLASSES = 5


# ------------------------------------------------------------------------------------------------------------ networks

def conv_bn(i, o, k=3, s=1, groups=1, act=nn.ReLU):
    layers = [nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, *([act()] if act else []))


class Basic(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, s, 1, bias=False), nn.BatchNorm2d(o)
        self.relu = nn.ReLU(inplace=True)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.downsample = conv_bn(i, o, 1, s, act=None) if s > 1 else None

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + (self.downsample(x) if self.downsample else x))


class ResNet(nn.Module):
    """A residual network: stem, max pool, two stages, mean, linear."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1, self.relu = nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Basic(8, 8, 1))
        self.layer2 = nn.Sequential(Basic(8, 12, 2))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(12, CLASSES)

    def forward(self, x):
        x = self.layer2(self.layer1(self.maxpool(self.relu(self.bn1(self.conv1(x))))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class Inverted(nn.Module):
    def __init__(self, i, o, s, act, se=False):
        super().__init__()
        h = 3 * i
        self.expand, self.depthwise = conv_bn(i, h, 1, act=act), conv_bn(h, h, 3, s, h, act)
        self.se = torchvision.ops.SqueezeExcitation(h, 4, scale_activation=nn.Hardsigmoid) if se else nn.Identity()
        self.project = conv_bn(h, o, 1, act=None)
        self.add = i == o and s == 1

    def forward(self, x):
        y = self.project(self.se(self.depthwise(self.expand(x))))
        return x + y if self.add else y


def mobile(act, se):
    """Inverted residuals: MobileNetV2 (ReLU6), MobileNetV3 (HardSwish, squeeze and excite), EfficientNet (SiLU)."""
    return nn.Sequential(conv_bn(3, 8, 3, 2, act=act), Inverted(8, 8, 1, act, se), Inverted(8, 12, 2, act, se),
                         conv_bn(12, 16, 1, act=act), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2),
                         nn.Linear(16, CLASSES))


class Fire(nn.Module):
    def __init__(self, i, s, e):
        super().__init__()
        self.squeeze, self.a, self.b = nn.Conv2d(i, s, 1), nn.Conv2d(s, e, 1), nn.Conv2d(s, e, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.a(x)), F.relu(self.b(x))], 1)


def squeeze():
    """SqueezeNet: fire modules, pools that round up, a convolution as classifier."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(8, 4, 6),
                         nn.Conv2d(12, CLASSES, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())


class Inception(nn.Module):
    """Branches: 1x1, factorised 1x7 and 7x1, a mean that counts its padding, a maximum; and one that rounds up."""

    def __init__(self):
        super().__init__()
        self.stem = conv_bn(3, 8, 3, 2)
        self.a, self.b = conv_bn(8, 4, 1), nn.Sequential(
            nn.Conv2d(8, 6, (1, 7), padding=(0, 3)), nn.ReLU(), nn.Conv2d(6, 6, (7, 1), padding=(3, 0)), nn.ReLU())
        self.c, self.d = conv_bn(8, 4, 1), conv_bn(8, 4, 1)
        self.fc = nn.Linear(18, CLASSES)

    def forward(self, x):
        x = self.stem(x)
        y = torch.cat([self.a(x), self.b(x), self.c(F.avg_pool2d(x, 3, 1, 1)), self.d(F.max_pool2d(x, 3, 1, 1))], 1)
        y = F.avg_pool2d(y, 3, 3, 1, ceil_mode=True)
        return self.fc(y.mean((2, 3)))


def dense():
    """DenseNet: normalisation before convolution, concatenation."""
    return torchvision.models.DenseNet(4, (2, 2), 8, 2, num_classes=CLASSES)


def grouped():
    """RegNet: grouped convolutions, squeeze and excite with a sigmoid, dilation."""
    return nn.Sequential(conv_bn(3, 8, 3, 2), conv_bn(8, 12, 3, 1, 4), torchvision.ops.SqueezeExcitation(12, 4),
                         nn.Conv2d(12, 12, 3, padding=2, dilation=2), nn.LeakyReLU(0.1), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(12, CLASSES))


def vgg():
    """VGG: a flattened map before linear layers; a head that the graph ends in."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, padding=1),
                         nn.ReLU(), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d((4, 4)), nn.Flatten(), nn.Linear(192, 16),
                         nn.ReLU(), nn.Dropout(), nn.Linear(16, CLASSES), nn.Softmax(1))


def convnext():
    """ConvNeXt: LayerNorm between transpositions, linear layers on NHWC, GELU, layer scale."""
    from torchvision.models.convnext import CNBlockConfig
    return torchvision.models.ConvNeXt([CNBlockConfig(8, 12, 1), CNBlockConfig(12, None, 1)], num_classes=CLASSES,
                                       layer_scale=1.0)


def shuffle():
    """ShuffleNetV2: halves of channels, shuffled."""
    return torchvision.models.ShuffleNetV2([2, 1, 1], [4, 8, 12, 16, 16], num_classes=CLASSES)


class Scaled(nn.Module):
    """The graph scales its input; ConvTranspose-free upsampling; asymmetric padding; a score that is a sigmoid."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.3]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.2, 0.3, 0.25]).view(1, 3, 1, 1))
        self.conv, self.up, self.fc = nn.Conv2d(3, 8, 3, 2), nn.Conv2d(8, 8, 1), nn.Linear(8, CLASSES)

    def forward(self, x):
        x = F.silu(self.conv(F.pad((x - self.mean) / self.deviation, (0, 1, 2, 1))))
        x = F.gelu(F.interpolate(self.up(x), scale_factor=2, mode="nearest"), approximate="tanh")
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return torch.sigmoid(self.fc(x.amax((2, 3))))


class Products(nn.Module):
    """Products of two activations: attention over channels (XCiT), one that is shared by all heads, bilinear pooling."""

    def __init__(self):
        super().__init__()
        self.stem, self.qkv = nn.Conv2d(3, 12, 4, 4), nn.Conv2d(12, 36, 1)
        self.mix, self.fc = nn.Conv2d(12, 6, 3, padding=1), nn.Linear(36, CLASSES)
        self.temperature = nn.Parameter(torch.ones(3, 1, 1))

    def forward(self, x):
        x = F.relu(self.stem(x))
        q, k, v = self.qkv(x).reshape(-1, 3, 3, 4, 36).unbind(1)
        a = (q @ k.transpose(-2, -1) * self.temperature).softmax(-1) @ v
        shared = a @ x.flatten(2).unsqueeze(1).transpose(-2, -1) / 36  # [batch, heads, 4, 12]
        x = x + (a + shared @ x.flatten(2).unsqueeze(1)).reshape(-1, 12, 6, 6)
        f = F.gelu(self.mix(x)).flatten(2)
        return self.fc((f @ f.transpose(1, 2) / 36).flatten(1))


class Unusual(nn.Module):
    """What few classifiers have: normalised groups and instances, reflected edges, transposed convolutions, dilated and
    Lp pools, cubic resizing, pixel shuffle, channels padded around one, einsum, where, indices in any order."""

    def __init__(self):
        super().__init__()
        self.stem, self.group = nn.Conv2d(3, 8, 3, 2, 1), nn.GroupNorm(2, 8)
        self.mix, self.instance = nn.Conv2d(8, 8, 3), nn.InstanceNorm2d(8, affine=True)
        self.up = nn.ConvTranspose2d(8, 8, 3, 2, 1, output_padding=1, groups=2)
        self.prelu, self.fc = nn.PReLU(8), nn.Linear(12, CLASSES)
        self.register_buffer("order", torch.tensor([3, 0, 5, 5, 1]))
        self.register_buffer("mask", torch.arange(36).reshape(6, 6) % 3 > 0)

    def forward(self, x):
        x = F.relu(self.group(self.stem(x)))
        x = self.instance(self.mix(F.pad(x, (1, 1, 1, 1), mode="reflect")))
        x = self.prelu(self.up(x))
        x = x + F.pad(x.mean(1, keepdim=True), (0, 0, 0, 0, 2, 5))
        x = F.max_pool2d(x, 3, 2, 1, dilation=2) + F.lp_pool2d(x, 2, 3)[:, :, 1:-1, 1:-1][:, :, :6, :6].mean((2, 3), True)
        x = torch.where(self.mask, F.interpolate(x, (6, 6), mode="bicubic", align_corners=True), -0.5)
        x = F.pixel_shuffle(x, 2)[:, :, self.order]
        x = torch.einsum("bchw,bdhw->bcdh", x, x).sum(3).flatten(1)
        return self.fc(torch.log_softmax(torch.cat([x, x.flip(1)[:, :1].expand(-1, 8)], 1), 1))


def vit(**settings):
    """timm's vision transformer: q, k and v by one product, scaled dot product attention."""
    from timm.models.vision_transformer import VisionTransformer
    return VisionTransformer(img_size=24, patch_size=8, embed_dim=12, depth=2, num_heads=3, mlp_ratio=2,
                             num_classes=CLASSES, **settings)


def vit_torchvision():
    """torchvision's: nn.MultiheadAttention, tokens first, heads merged with the batch."""
    return torchvision.models.VisionTransformer(24, 8, 2, 3, 12, 24, num_classes=CLASSES)


def swin(v2=False):
    """Swin: windows that are padded and shifted, masks, relative positions; v2: cosine attention, scaled by head."""
    from torchvision.models import swin_transformer as of
    settings = dict(block=of.SwinTransformerBlockV2, downsample_layer=of.PatchMergingV2) if v2 else {}
    model = of.SwinTransformer([4, 4], 8, [2, 1], [2, 2], [4, 4], 2, num_classes=CLASSES, **settings)
    for module in model.modules():
        if hasattr(module, "cpb_mlp"):  # 512 wide, for any number of heads
            module.cpb_mlp = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2, bias=False))
    return model


def beit():
    """BEiT: a bias of relative positions, learned for each block; the mean of the patches."""
    from timm.models.beit import Beit
    model = Beit(img_size=24, patch_size=8, embed_dim=12, depth=2, num_heads=3, mlp_ratio=2, num_classes=CLASSES,
                 use_abs_pos_emb=False, use_rel_pos_bias=True, init_values=0.1)
    for block in model.blocks:
        block.attn.fused_attn = False
    return model


class Mixed(nn.Module):
    """Attention of other forms: a boolean mask, more pairs than heads, one query that is learned (SigLIP), heads that are
    mixed before and after the softmax (CaiT), and a scale that the image decides, which is no pattern."""

    def __init__(self):
        super().__init__()
        self.patch, self.qkv = nn.Conv2d(3, 12, 4, 4), nn.ModuleList(nn.Linear(12, 36) for _ in range(3))
        self.query, self.kv = nn.Parameter(torch.zeros(1, 1, 12)), nn.Linear(12, 24)
        self.before, self.after = nn.Linear(3, 3), nn.Linear(3, 3)
        self.fc = nn.Linear(12, CLASSES)
        self.register_buffer("keep", torch.ones(16, 16, dtype=torch.bool).tril(2))

    def split(self, i, x):
        return self.qkv[i](x).reshape(x.shape[0], 16, 3, 3, 4).permute(2, 0, 3, 1, 4).unbind(0)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        n = x.shape[0]
        q, k, v = self.split(0, x)
        x = x + F.scaled_dot_product_attention(q, k, v, attn_mask=self.keep).transpose(1, 2).reshape(n, 16, 12)
        q, k, v = self.split(1, x)
        p = self.before((q @ k.transpose(-2, -1) * 0.5).permute(0, 2, 3, 1)).softmax(2)
        x = x + (self.after(p).permute(0, 3, 1, 2) @ v).transpose(1, 2).reshape(n, 16, 12)
        q, k, v = self.split(2, x)
        warm = q @ k.transpose(-2, -1) * torch.sigmoid(x.mean((1, 2), keepdim=True)[:, None])
        x = x + (warm.softmax(-1) @ v).transpose(1, 2).reshape(n, 16, 12)
        k, v = self.kv(x).reshape(n, 16, 2, 3, 4).permute(2, 0, 3, 1, 4).unbind(0)
        q = self.query.expand(n, 1, 12).reshape(n, 1, 3, 4).transpose(1, 2)
        return self.fc(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, 12))


# name: (how it is made, size, head, layers)
NETWORKS = {
    "resnet": (ResNet, 24, "linear", ["layer1", "maxpool"]),
    "mobilenet_v2": (lambda: mobile(nn.ReLU6, False), 16, "linear", ["3", "1"]),
    "mobilenet_v3": (lambda: mobile(nn.Hardswish, True), 16, "linear", ["2.se"]),
    "efficientnet": (lambda: mobile(nn.SiLU, True), 16, "linear", ["3"]),
    "squeezenet": (squeeze, 24, "linear", ["3"]),
    "inception": (Inception, 18, "linear", ["stem", "b"]),
    "densenet": (dense, 24, "linear", ["features.denseblock1", "features.transition1"]),
    "regnet": (grouped, 16, "linear", ["3", "2"]),
    "vgg": (vgg, 16, "softmax", ["3", "8"]),
    "convnext": (convnext, 24, "linear", ["features.3"]),
    "shufflenet": (shuffle, 40, "linear", ["conv5", "stage2"]),
    "scaled": (Scaled, 13, "sigmoid", ["conv"]),
    "products": (Products, 24, "linear", ["stem", "mix"]),
    "unusual": (Unusual, 16, "linear", ["stem", "up"]),
    "vit": (vit, 24, "linear", ["blocks.1.norm1", "blocks.0"]),
    "vit_mean": (lambda: vit(global_pool="avg", reg_tokens=2), 24, "linear", ["blocks.1.norm1"]),
    "swin": (swin, 24, "linear", ["features.1", "features.3"]),
    "swin_v2": (lambda: swin(True), 24, "linear", ["features.1", "features.3"]),
    "beit": (beit, 24, "linear", ["blocks.1.norm1", "blocks.0"]),
    "attention": (Mixed, 16, "linear", ["patch"]),
    "vit_torchvision": (vit_torchvision, 24, "linear", ["encoder.layers.encoder_layer_1.ln_1"]),
}


# ------------------------------------------------------------------------------------------------------------- drawing

def randomise(model, rng):
    for name, p in list(model.named_parameters()) + list(model.named_buffers()):
        if p.dtype not in (torch.float32, torch.float64) or name in ("mean", "deviation"):
            continue
        fan = max(1, p[0].numel()) if p.dim() > 1 else 1
        draw = rng.standard_normal(tuple(p.shape))
        if name.endswith("running_var"):
            draw = rng.uniform(0.5, 1.5, tuple(p.shape))
        elif p.dim() > 1:
            draw = draw * (1.6 / fan ** 0.5)
        elif name.endswith("weight") or "scale" in name:
            draw = 1 + 0.2 * draw
        else:
            draw = 0.2 * draw
        p.data.copy_(torch.from_numpy(draw))


# ------------------------------------------------------------------------------------------------------------ exporting

def shorten(graph):
    """Short names for what depends on no image: nine tenths of Swin's nodes make masks and shapes."""
    known, short = {i.name for i in graph.initializer} | {""}, {}
    for node in graph.node:
        if node.op_type == "Shape" or all(i in known for i in node.input):
            known.update(node.output)
            node.name = ""
            short.update({o: f"c{len(short) + k}" for k, o in enumerate(node.output)})
    for node in graph.node:
        node.input[:] = [short.get(i, i) for i in node.input]
        node.output[:] = [short.get(o, o) for o in node.output]


KINDS = {"swin_v2": ("dy",), "vit": ("dy", "ts", "dy23")}


def export(model, x, out, name):
    files = []
    for kind in KINDS.get(name, ("dy", "ts")):
        file = f"{name}.{kind}.onnx"
        with tempfile.TemporaryDirectory() as scratch:
            raw = os.path.join(scratch, file)
            if kind != "ts":
                torch.onnx.export(model, (x,), raw, dynamo=True, verbose=False, opset_version=23 if kind == "dy23" else None)
            else:
                torch.onnx.export(model, (x,), raw, dynamo=False, opset_version=17, input_names=["input"],
                                  output_names=["output"], dynamic_axes={"input": {0: "batch"}})
            m = onnx.load(raw)
        for node in m.graph.node:
            keep = [p for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"]
            del node.metadata_props[:]
            node.metadata_props.extend(keep)
        for value in list(m.graph.value_info) + list(m.graph.input) + list(m.graph.output):
            del value.metadata_props[:]
        del m.graph.metadata_props[:], m.graph.value_info[:]
        if name in CHANNELS_LAST:
            shorten(m.graph)
        path = os.path.join(out, file)
        if name == "resnet" and kind == "dy":  # as the exporter leaves it: weights in a file beside it
            data = file + ".data"
            if os.path.exists(os.path.join(out, data)):
                os.remove(os.path.join(out, data))
            onnx.save(m, path, save_as_external_data=True, location=data, size_threshold=256)
        else:
            onnx.save(m, path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        feed = session.get_inputs()[0].name
        for i in range(len(x) if kind == "ts" else 1):
            got = session.run(None, {feed: x[i:i + 1].numpy()})[0]
            want = model(x[i:i + 1]).detach().numpy()
            if not np.allclose(got, want, rtol=1e-4, atol=1e-5):
                raise SystemExit(f"{file}: onnxruntime differs by {abs(got - want).max()}")
        files.append(file)
    return files


# ----------------------------------------------------------------------------------------------------------- references

CHANNELS_LAST = ("swin", "swin_v2")  # their layers' outputs are [N,H,W,C]


def nhwc(t):
    return t.detach().permute(0, 2, 3, 1).contiguous().numpy() if t.dim() == 4 else t.detach().numpy()


def relevance(attention, n, mean):
    """Class-specific relevance (Chefer et al. 2021) of image n on a 3x3 grid, in float64."""
    r = np.eye(attention[0][0].shape[-1])
    for p, g in attention:
        r = r + np.maximum(p[n].astype(np.float64) * g[n].astype(np.float64), 0).mean(axis=0) @ r
    row = r[-9:].mean(axis=0) - 1.0 / 9 if mean else r[0]
    return row[-9:].reshape(3, 3)


def run_attention(model, x, targets):
    """Probabilities of timm's attention layers and the scores' gradients at them."""
    seen = []
    for block in model.blocks:
        block.attn.fused_attn = False
    hooks = [b.attn.attn_drop.register_forward_hook(lambda m, i, o: seen.append(o)) for b in model.blocks]
    z = model(x)
    for hook in hooks:
        hook.remove()
    grads = torch.autograd.grad(sum(z[i, t] for i, t in enumerate(targets)), seen)
    return [(p.detach().numpy(), g.numpy()) for p, g in zip(seen, grads)]


def run(model, head, x, targets, layers):
    """Scores and the gradients of the targets' scores before the last activation."""
    kept = {}
    hooks = [model.get_submodule(name).register_forward_hook(
        lambda _, __, out, name=name: kept.__setitem__(name, out)) for name in layers]
    scores = {}
    if head != "linear":
        last = [m for m in model.modules() if isinstance(m, nn.Linear)][-1]
        hooks.append(last.register_forward_hook(lambda _, __, out: scores.__setitem__("z", out)))
    x = x.clone().requires_grad_()
    y = model(x)
    z = scores.get("z", y)
    if targets is None:
        order = z.argsort(1, descending=True)
        targets = [int(order[i, i % CLASSES]) for i in range(len(x))]
    total = sum(z[i, t] for i, t in enumerate(targets))
    grads = torch.autograd.grad(total, [x] + [kept[name] for name in layers])
    for h in hooks:
        h.remove()
    return y, z, targets, grads[0], {name: (kept[name], g) for name, g in zip(layers, grads[1:])}


def write(path, name, files, model, head, x, layers, seed):
    y, z, targets, g, inner = run(model, head, x, None, layers)
    attention = run_attention(model, x, targets) if hasattr(model, "blocks") else []
    model64 = model.double()
    _, _, _, g64, _ = run(model64, head, x.double(), targets, layers)
    with h5py.File(path, "w", libver=("v108", "v110"), meta_block_size=512) as f:
        texts = {"format": "xaudit-reference 1", "model": files[0], "models": "\n".join(files), "score": "logit",
                 "head": head, "script": "../onnx/make_onnx.py",
                 "framework": f"torch {torch.__version__} torchvision {torchvision.__version__} onnx {onnx.__version__}"}
        for key, text in texts.items():
            f.attrs[key] = np.bytes_(text + "\0")
        f.attrs["seed"] = seed
        f["input"] = nhwc(x)
        f["output"] = y.detach().numpy()
        f["logits"] = z.detach().numpy()
        if head != "linear":
            f["probs"] = y.detach().numpy()
        f["target"] = np.array(targets, np.int32)
        f["gradient"] = nhwc(g)
        f["gradient64"] = nhwc(g64).astype(np.float32)
        for k, (p, dp) in enumerate(attention):
            f[f"attention/{k}/probs"], f[f"attention/{k}/gradient"] = p, dp
        if attention:
            mean = model.global_pool == "avg"
            f["relevance"] = np.stack([relevance(attention, n, mean) for n in range(len(x))])
        for k, (layer, (a, da)) in enumerate(inner.items()):
            if name in CHANNELS_LAST:
                a, da = a.permute(0, 3, 1, 2), da.permute(0, 3, 1, 2)
            group = f.create_group(f"layers/{k}")
            group.attrs["layer"] = np.bytes_(layer + "\0")
            group["activation"], group["gradient"] = nhwc(a), nhwc(da)
            if a.dim() == 4:
                cam = torch.relu((da.mean((2, 3), keepdim=True) * a).sum(1))
                group["gradcam"] = cam.detach().numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    for name in args.names or NETWORKS:
        make, size, head, layers = NETWORKS[name]
        seed = zlib.crc32(name.encode()) & 0xffff
        rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        model = make().eval()
        for module in model.modules():
            if hasattr(module, "inplace"):  # would change what the hooks keep
                module.inplace = False
        randomise(model, rng)
        x = torch.from_numpy(rng.uniform(-1, 1, (2, 3, size, size)).astype(np.float32))
        files = export(model, x[:1], args.out, name)
        write(os.path.join(args.out, f"{name}.ref.h5"), name, files, model, head, x, layers, seed)
        print(name, *(f"{os.path.getsize(os.path.join(args.out, f)) // 1024} KiB" for f in files))


if __name__ == "__main__":
    main()
