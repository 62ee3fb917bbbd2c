"""Golden data for vision transformers in safetensors files: timm's and Hugging Face transformers' own models.

    pip install torch==2.14.1 torchvision==0.29.1 timm==1.0.31 transformers==5.24.0 safetensors h5py numpy
    python make_safetensors.py [NAME ...]

timm imports torchvision, of which nothing is used here; without it, empty modules stand in. Every NAME.safetensors
(with NAME.json where the library has a config.json) gets NAME.ref.h5, format "xaudit-reference 1" of
tests/golden/keras/README.md with the datasets of its make_transformers.py (and
/resized/input, logits: another size, the position embedding interpolated by the library), computed by torch from the stored
weights: rounded to float16 or bfloat16 where the file is.
"""
import importlib.machinery
import json
import os
import sys
import types
import zlib

import h5py
import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import (DeiTForImageClassification, DeiTForImageClassificationWithTeacher,  # noqa: F401
                          ViTForImageClassification)

HERE = os.path.dirname(os.path.abspath(__file__))


class Named(type):
    """Classes whose attributes are their names."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return f"{cls.__name__}.{name}"


class Standin(types.ModuleType):
    """A module whose names are such classes, empty."""
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Named(name, (torch.nn.Module,), {})


class StandinFinder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] == "torchvision":
            return importlib.machinery.ModuleSpec(name, StandinFinder, is_package=True)
        return None

    @staticmethod
    def create_module(spec):
        return Standin(spec.name)

    @staticmethod
    def exec_module(module):
        pass


def import_timm():
    try:
        import torchvision  # noqa: F401
    except ImportError:
        sys.meta_path.insert(0, StandinFinder)
    import timm.models.deit
    import timm.models.vision_transformer
    return timm.models


def randomise(model, seed):
    g = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        if name.endswith("bias"):
            p.data = 0.2 * torch.randn(p.shape, generator=g)
        elif "norm" in name or "gamma" in name:
            p.data = 0.6 + 0.8 * torch.rand(p.shape, generator=g)
        elif p.ndim > 1 and "token" not in name and "pos" not in name:
            p.data = torch.randn(p.shape, generator=g) * (1.5 / p[0].numel()) ** 0.5
        else:
            p.data = 0.5 * torch.randn(p.shape, generator=g)
    return model.eval()


def timm_vit(cls="VisionTransformer", module="vision_transformer", size=32, **settings):
    models = import_timm()
    cls = getattr(getattr(models, module), cls)
    model = cls(**{**dict(img_size=size, patch_size=8, embed_dim=24, depth=2, num_heads=3, mlp_ratio=1.5, num_classes=5),
                   **settings})
    for block in model.blocks:
        block.attn.fused_attn = False
    return model


def hf_vit(name, size=32, **settings):
    config = {**dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=36, image_size=size,
                     patch_size=8, num_labels=5, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0),
              **settings}
    prefix = name[:3] if name.startswith("ViT") else "DeiT"
    made = getattr(transformers, prefix + "Config")(**config)
    made._attn_implementation = "eager"
    return globals()[name](made)


def old_names(state):
    """transformers' tensor names up to version 4, which most files on disk have."""
    new = {}
    for name, value in state.items():
        for a, b in ((".layers.", ".encoder.layer."), (".attention.q_proj.", ".attention.attention.query."),
                     (".attention.k_proj.", ".attention.attention.key."),
                     (".attention.v_proj.", ".attention.attention.value."),
                     (".attention.o_proj.", ".attention.output.dense."), (".mlp.fc1.", ".intermediate.dense."),
                     (".mlp.fc2.", ".output.dense.")):
            name = name.replace(a, b)
        new[name] = value
    return new


def named(name, change=None, **settings):
    """A small model of one of timm's architectures; saved with timm's own config.json."""
    def maker():
        from timm_small import small
        model = small(name, **settings)
        if change:
            change(model)
        return model
    return maker


F32, F16, BF16 = torch.float32, torch.float16, torch.bfloat16
# name: (maker, dtype of the file, config beside it or None, renamed as in version 4)
MODELS = {
    "timm_f32": (lambda: timm_vit(), F32, {"num_heads": 3}, False),
    "timm_f16": (lambda: timm_vit(pre_norm=False, qkv_bias=False), F16, {"num_heads": 3}, False),
    "timm_bf16": (lambda: timm_vit(size=(24, 40)), BF16, {"num_heads": 3}, False),
    "timm_avg": (lambda: timm_vit(global_pool="avg", class_token=True), F32,
                 {"num_heads": 3, "global_pool": "avg"}, False),
    "timm_no_class": (lambda: timm_vit(global_pool="avg", class_token=False, act_layer="gelu_tanh"), F32,
                      {"num_heads": 3, "act_layer": "gelu_tanh"}, False),
    "timm_registers": (lambda: timm_vit(reg_tokens=3, no_embed_class=True, init_values=0.7), F32, {"num_heads": 3},
                       False),
    "timm_distilled": (lambda: timm_vit("VisionTransformerDistilled", "deit"), F32, {"num_heads": 3}, False),
    "hf_vit": (lambda: hf_vit("ViTForImageClassification", qkv_bias=True), F32, "own", True),
    "hf_vit_5": (lambda: hf_vit("ViTForImageClassification", hidden_act="gelu_new", layer_norm_eps=1e-6), F16, "own",
                 False),
    "hf_deit": (lambda: hf_vit("DeiTForImageClassification"), F32, "own", True),
    "hf_deit_teacher": (lambda: hf_vit("DeiTForImageClassificationWithTeacher"), F32, "own", True),
    # architectures by their names in timm's own config.json: heads, activation, blocks, norms, pooling
    "timm_clip": (named("vit_base_patch16_clip_224", depth=1), F16, "timm", False),
    "timm_quickgelu": (named("vit_huge_patch14_clip_quickgelu_224", depth=1), F16, "timm", False),
    "timm_gelu_tanh": (named("vit_so400m_patch16_siglip_gap_256", depth=1), F16, "timm", False),
    "timm_rpn": (named("vit_base_patch16_rpn_224", depth=1), F16, "timm", False),
    "timm_rms": (named("test_vit4"), F16, "timm", False),
    "timm_gap": (named("vit_base_patch16_gap_224", depth=1), F16, "timm", False),
    "timm_reg_gap": (named("vit_little_patch16_reg4_gap_256"), F16, "timm", False),
    "timm_no_norm": (named("vit_base_patch16_radio_v3", depth=1), F16, "timm", False),
    "timm_qk_norm": (named("vit_tiny_patch16_224", qk_norm=True), F16, "timm", False),
    "timm_qk_rms": (named("vit_small_patch16_224", qk_norm=True, norm_layer="rmsnorm"), F16, "timm", False),
    "timm_max": (named("vit_tiny_patch16_224", global_pool="max"), F16, "timm", False),
    "timm_avgmax": (named("vit_tiny_patch16_224", global_pool="avgmax"), F16, "timm", False),
    "timm_pool_prefix": (named("vit_tiny_patch16_224", global_pool="avg", pool_include_prefix=True), F16, "timm",
                         False),
    "timm_avg_reset": (named("vit_tiny_patch16_224", lambda m: m.reset_classifier(3, "avg")), F16, "timm", False),
    "timm_not_square": (named("deit3_small_patch16_224", img_size=(16, 32)), F16, "timm", False),
    "hf_quick_gelu": (lambda: hf_vit("ViTForImageClassification", hidden_act="quick_gelu", size=16), F16, "own", False),
}


def timm_resized(model, x):
    """timm: resample_abs_pos_embed (bicubic, antialiased), as a checkpoint of another size is loaded."""
    from timm.layers import resample_abs_pos_embed
    other = timm_vit(size=tuple(x.shape[2:]))
    state = model.state_dict()
    state["pos_embed"] = resample_abs_pos_embed(state["pos_embed"], [x.shape[2] // 8, x.shape[3] // 8])
    other.load_state_dict(state)
    return other.eval()(x)


# What a model gives at 48x40 with its position embedding interpolated by the library.
RESIZED = {"timm_f32": timm_resized,
           "hf_vit": lambda model, x: model(x, interpolate_pos_encoding=True).logits}


def images_of(shape, seed):
    """Smooth fields and noise as 8-bit pictures in -1..1, NHWC float32."""
    h, w, c = shape
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:1:h * 1j, 0:1:w * 1j]
    out = np.empty((2, h, w, c))
    for n in range(2):
        for k in range(c):
            f, g, p = rng.uniform(1, 4), rng.uniform(1, 4), rng.uniform(0, 6)
            out[n, :, :, k] = 0.6 * np.sin(f * x * 2 + g * y * 2 + p) + rng.normal(0, 0.2, (h, w))
    return (np.round((np.clip(out, -1, 1) + 1) * 127.5) / 127.5 - 1).astype(np.float32)


def compute(model, images, dtype, target=None):
    """logits, target, input gradient and, by layer, attention and its gradient; all numpy."""
    model = model.to(dtype)
    x = torch.from_numpy(images.transpose(0, 3, 1, 2).copy()).to(dtype).requires_grad_()
    seen = []
    if hasattr(model, "blocks"):
        hooks = [b.attn.attn_drop.register_forward_hook(lambda m, i, o: seen.append(o)) for b in model.blocks]
        logits = model(x)
        for hook in hooks:
            hook.remove()
    else:
        result = model(x, output_attentions=True)
        logits, seen = result.logits, list(result.attentions)
    for a in seen:
        a.retain_grad()
    if target is None:
        order = torch.argsort(logits, dim=1, descending=True)
        target = torch.stack([order[n, n] for n in range(len(order))])
    logits[torch.arange(len(x)), target].sum().backward()
    return (logits.detach().numpy(), target, x.grad.numpy().transpose(0, 2, 3, 1),
            [(a.detach().numpy(), a.grad.numpy()) for a in seen])


def relevance(attention, n, prefix, mean, grid):
    r = np.eye(attention[0][0].shape[-1])
    for p, g in attention:
        r = r + np.maximum(p[n].astype(np.float64) * g[n].astype(np.float64), 0).mean(axis=0) @ r
    patches = grid[0] * grid[1]
    row = r[prefix:].mean(axis=0) - 1.0 / patches if mean else r[0]
    return row[prefix:].reshape(grid)


def make(name):
    maker, dtype, config, renamed = MODELS[name]
    seed = zlib.crc32(name.encode()) & 0xFFFF
    path = os.path.join(HERE, name + ".safetensors")
    torch.manual_seed(seed)
    model = randomise(maker(), seed)
    if config == "timm":
        from timm_small import save
        save(model, path[:-len(".safetensors")], dtype)
    state = {k: v.to(dtype).contiguous() for k, v in model.state_dict().items()}
    save_file(old_names(state) if renamed else state, path, metadata={"format": "pt"})
    if config == "own":
        with open(path[:-len("safetensors")] + "json", "w", encoding="utf-8") as f:
            keep = model.config.to_dict()
            json.dump({k: keep[k] for k in ("model_type", "hidden_act", "hidden_size", "image_size",
                                            "layer_norm_eps", "num_attention_heads", "patch_size")}, f)
    elif config and config != "timm":
        with open(path[:-len("safetensors")] + "json", "w", encoding="utf-8") as f:
            json.dump(config, f)
    stored = load_file(path)
    model.load_state_dict({k: stored[m].float() for k, m in zip(state, old_names(state) if renamed else state)})
    size = model.patch_embed.img_size if hasattr(model, "patch_embed") else (model.config.image_size,) * 2
    images = images_of((*size, 3), seed + 1)
    logits, target, gradient, attention = compute(model, images, torch.float32)
    _, _, gradient64, _ = compute(model, images, torch.float64, target)
    grid = size[0] // 8, size[1] // 8
    prefix = attention[0][0].shape[-1] - grid[0] * grid[1]
    mean = getattr(model, "global_pool", "token") != "token"  # maps follow the mean where the head reads a maximum
    probs = torch.softmax(torch.from_numpy(logits), 1).numpy()
    framework = f"torch {torch.__version__} " + ("timm" if hasattr(model, "blocks") else "transformers")
    with h5py.File(os.path.join(HERE, name + ".ref.h5"), "w", libver=("v108", "v110"), meta_block_size=512) as f:
        for key, value in {"format": "xaudit-reference 1", "framework": framework, "model": name + ".safetensors",
                           "head": "softmax", "score": "logit", "script": os.path.basename(__file__)}.items():
            f.attrs[key] = np.bytes_(value)
        f.attrs["seed"] = seed
        f["input"], f["logits"], f["probs"], f["output"] = images, logits, probs, probs
        f["target"] = target.numpy().astype(np.int32)
        f["gradient"], f["gradient64"] = gradient, gradient64
        for k, (p, g) in enumerate(attention):
            f[f"attention/{k}/probs"], f[f"attention/{k}/gradient"] = p, g
        if name in RESIZED:
            f["resized/input"] = other = images_of((48, 40, 3), seed + 2)
            with torch.no_grad():
                f["resized/logits"] = RESIZED[name](model.float(), torch.from_numpy(
                    other.transpose(0, 3, 1, 2).copy())).numpy()
        f["relevance"] = np.stack([relevance(attention, n, prefix, mean, grid) for n in range(len(images))])
    error = np.abs(gradient - gradient64).max() / np.abs(gradient64).max()
    print(f"{name:18s} logits {np.abs(logits).max():.2f}  f32-f64 {error:.1e}  "
          f"{(os.path.getsize(path) + os.path.getsize(os.path.join(HERE, name + '.ref.h5'))) / 1000:.0f} kB")


if __name__ == "__main__":
    for each in sys.argv[1:] or MODELS:
        make(each)
