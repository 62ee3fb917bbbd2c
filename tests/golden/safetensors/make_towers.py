"""Golden data for transformers' DINOv2, CLIP and SigLIP classifiers in safetensors files.

    python make_towers.py [NAME ...]

Packages, format and references are those of make_safetensors.py; CLIP and SigLIP have their vision tower's settings in
config.json's vision_config, as the library writes them.
"""
import json
import os
import sys
import zlib

import h5py
import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file

from make_safetensors import F16, F32, HERE, compute, images_of, randomise, relevance

SIZE, PATCH = 16, 8


def dino(cls, **settings):
    """A DINOv2 classifier; 4 and 5 of transformers name its tensors differently."""
    config = getattr(transformers, cls + "Config")(**{**dict(
        hidden_size=12, num_hidden_layers=2, num_attention_heads=3, mlp_ratio=2, image_size=SIZE, patch_size=PATCH,
        num_labels=5), **settings})
    config._attn_implementation = "eager"
    return getattr(transformers, cls + "ForImageClassification")(config)


def tower(cls, **settings):
    """A CLIP or SigLIP classifier with a text tower that is not used."""
    config = getattr(transformers, cls + "Config")(
        text_config=dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=9),
        vision_config={**dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20,
                              image_size=SIZE, patch_size=PATCH), **settings})
    config.num_labels = 5
    config._attn_implementation = "eager"
    config.vision_config._attn_implementation = "eager"
    return getattr(transformers, cls + "ForImageClassification")(config)


def old_names(state):
    """Names of transformers 4, which most files on disk have."""
    new = {}
    for name, value in state.items():
        for a, b in ((".attention.q_proj.", ".attention.attention.query."),
                     (".attention.k_proj.", ".attention.attention.key."),
                     (".attention.v_proj.", ".attention.attention.value."),
                     (".attention.o_proj.", ".attention.output.dense.")):
            name = name.replace(a, b)
        if ".mlp.gate_proj." in name:
            value = torch.cat([value, state[name.replace("gate_proj", "up_proj")]])
        if ".mlp.up_proj." not in name:
            new[name.replace("gate_proj", "weights_in").replace("down_proj", "weights_out")] = value
    return new


# name: (maker, dtype of the file, named as by transformers 4, the head reads the mean, also at another size)
MODELS = {
    "hf_dinov2": (lambda: dino("Dinov2"), F32, True, False, True),
    "hf_dinov2_5": (lambda: dino("Dinov2"), F16, False, False, False),
    "hf_dinov2_swiglu": (lambda: dino("Dinov2", use_swiglu_ffn=True), F16, True, False, False),
    "hf_dinov2_swiglu_5": (lambda: dino("Dinov2WithRegisters", use_swiglu_ffn=True, num_register_tokens=2), F16, False,
                           False, False),
    "hf_dinov2_registers": (lambda: dino("Dinov2WithRegisters", num_register_tokens=4), F16, True, False, True),
    "hf_clip": (lambda: tower("CLIP"), F16, False, True, True),
    "hf_siglip": (lambda: tower("Siglip"), F16, False, True, True),
    "hf_siglip_no_head": (lambda: tower("Siglip", vision_use_head=False), F16, False, True, False),
}


def write_config(model, path):
    """What the library writes, without what it derives from a name of the hub."""
    keep = model.config.to_diff_dict()
    keep["architectures"] = [type(model).__name__]
    keep.pop("_name_or_path", None)
    keep.get("text_config", {}).clear()
    with open(path, "w", encoding="utf-8") as f:
        json.dump(keep, f)


def resized(model, x):
    """Logits at another size; DINOv2 always interpolates its positions."""
    if model.config.model_type.startswith("dinov2"):
        return model(x).logits
    if model.config.model_type == "siglip":
        return model(x, interpolate_pos_encoding=True).logits
    tokens = model.vision_model(x, interpolate_pos_encoding=True).last_hidden_state
    return model.classifier(tokens[:, 1:].mean(dim=1))


def make(name):
    maker, dtype, renamed, mean, other_size = MODELS[name]
    seed = zlib.crc32(name.encode()) & 0xFFFF
    path = os.path.join(HERE, name)
    torch.manual_seed(seed)
    model = randomise(maker(), seed)
    rename = old_names if renamed else dict
    state = {k: v.to(dtype).float() for k, v in model.state_dict().items()}
    model.load_state_dict(state)
    save_file({k: v.to(dtype).contiguous() for k, v in rename(state).items()}, path + ".safetensors",
              metadata={"format": "pt"})
    write_config(model, path + ".json")
    for key, value in load_file(path + ".safetensors").items():
        assert torch.equal(value.float(), rename(state)[key])
    images = images_of((SIZE, SIZE, 3), seed + 1)
    logits, target, gradient, attention = compute(model, images, torch.float32)
    _, _, gradient64, _ = compute(model, images, torch.float64, target)
    grid = SIZE // PATCH, SIZE // PATCH
    prefix = attention[0][0].shape[-1] - grid[0] * grid[1]
    probs = torch.softmax(torch.from_numpy(logits), 1).numpy()
    with h5py.File(path + ".ref.h5", "w", libver=("v108", "v110"), meta_block_size=512) as f:
        for key, value in {"format": "xaudit-reference 1", "model": name + ".safetensors", "head": "softmax",
                           "framework": f"torch {torch.__version__} transformers {transformers.__version__}",
                           "score": "logit", "script": os.path.basename(__file__)}.items():
            f.attrs[key] = np.bytes_(value)
        f.attrs["seed"] = seed
        f["input"], f["logits"], f["probs"], f["output"] = images, logits, probs, probs
        f["target"] = target.numpy().astype(np.int32)
        f["gradient"], f["gradient64"] = gradient, gradient64
        for k, (p, g) in enumerate(attention):
            f[f"attention/{k}/probs"], f[f"attention/{k}/gradient"] = p, g
        if other_size:
            f["resized/input"] = other = images_of((24, 32, 3), seed + 2)
            with torch.no_grad():
                f["resized/logits"] = resized(model.float(), torch.from_numpy(
                    other.transpose(0, 3, 1, 2).copy())).numpy()
        f["relevance"] = np.stack([relevance(attention, n, prefix, mean, grid) for n in range(len(images))])
    error = np.abs(gradient - gradient64).max() / np.abs(gradient64).max()
    size = sum(os.path.getsize(path + end) for end in (".safetensors", ".json", ".ref.h5"))
    print(f"{name:20s} logits {np.abs(logits).max():.2f}  f32-f64 {error:.1e}  {size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    for each in sys.argv[1:] or MODELS:
        make(each)
