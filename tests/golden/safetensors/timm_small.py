"""Small random models of timm's architectures, saved as timm itself saves them for its hub (shared by scripts here)."""
import json
import os
import zlib

import timm
import timm.models._registry as registry
import torch
from make_safetensors import randomise
from safetensors.torch import load_file, save_file
from timm.models import save_for_hf

SIZE = 16


def small(name, **settings):
    """The architecture with its own heads, activation, blocks and pooling, but narrow, short and for small pictures."""
    name = (registry._deprecated_models.get(name) or name).split(".")[0]  # names of the past
    with torch.device("meta"):
        heads = timm.create_model(name).blocks[0].attn.num_heads
    narrow = dict(img_size=SIZE, patch_size=8, embed_dim=4 * heads, depth=2, mlp_ratio=1.0, num_classes=3)
    model = timm.create_model(name, **{**narrow, **settings})
    for block in model.blocks:
        block.attn.fused_attn = False
    return randomise(model, zlib.crc32(name.encode()) & 0xFFFF)


def save(model, stem, dtype=torch.float32):
    """STEM.safetensors and STEM.json, timm's own config.json; the model then has the stored weights."""
    folder = stem + ".tmp"
    save_for_hf(model, folder, safe_serialization=True)
    state = {k: v.to(dtype).contiguous() for k, v in load_file(os.path.join(folder, "model.safetensors")).items()}
    save_file(state, stem + ".safetensors", metadata={"format": "pt"})
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as f:
        config = json.load(f)
    with open(stem + ".json", "w", encoding="utf-8") as f:
        json.dump(config, f)
    for each in os.listdir(folder):
        os.remove(os.path.join(folder, each))
    os.rmdir(folder)
    model.load_state_dict({k: v.float() for k, v in state.items()})
    return model
