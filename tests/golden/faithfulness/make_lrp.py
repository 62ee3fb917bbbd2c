"""Adds /vit/maps/attnlrp and /vit/maps/cp_lrp to expected.h5: what the rules give for the tiny transformer, in float64.

    python make_lrp.py          after make.py golden, which writes the file anew

The rules are lxt's (2.1, the authors' package; Clear BSD): its own functions take the place of timm's layer norm, GELU and
attention, and the input's gradient of the predicted class's logit is stored, [image, H, W, C] of the first two images.
Needs what make.py needs, and `pip install --no-deps lxt==2.1`, whose rules need torch alone.
"""
import importlib.util
import os
import sys
import types

import h5py
import numpy as np
import torch

import make as M

# lxt's package imports all of transformers; its rules need none of it.
root = os.path.join(os.path.dirname(importlib.util.find_spec("lxt").origin))
for name, path in (("lxt", root), ("lxt.efficient", os.path.join(root, "efficient"))):
    package = types.ModuleType(name)
    package.__path__ = [path]
    sys.modules[name] = package
from lxt.efficient import patches  # noqa: E402


def attend(module, q, k, v):
    return ((q * module.scale) @ k.transpose(-2, -1)).softmax(-1) @ v, None


def patched(model, wrap):
    """timm's model with lxt's rules; `wrap` makes its rule of a function of query, key and value."""
    rule = wrap(attend)

    def attention(self, x, *args, **kwargs):
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.num_heads, c // self.num_heads).permute(2, 0, 3, 1, 4).unbind(0)
        return self.proj(rule(self, q, k, v)[0].transpose(1, 2).reshape(b, n, c))

    for module in model.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.forward = types.MethodType(patches.layer_norm_forward, module)
        elif isinstance(module, torch.nn.GELU):
            module.original_forward = module.forward
            module.forward = types.MethodType(patches.non_linear_forward, module)
        elif type(module).__name__ == "Attention":
            module.forward = types.MethodType(attention, module)
    return model


with h5py.File(os.path.join(M.HERE, "expected.h5"), "a") as out:
    for name, wrap in (("attnlrp", patches.wrap_attention_forward), ("cp_lrp", patches.cp_wrap_attention_forward)):
        _, plain, x = M.load()
        logits = plain(x)
        model = patched(M.load()[1], wrap)
        x = x.clone().requires_grad_(True)
        again = model(x)
        assert torch.allclose(logits, again, atol=1e-12)  # the rules leave the scores as they are
        again.gather(1, logits.argmax(1, keepdim=True)).sum().backward()
        maps = np.ascontiguousarray(x.grad.numpy()[:2].transpose(0, 2, 3, 1)).astype(np.float32)
        relevance = (x.grad * x.detach()).sum((1, 2, 3)).numpy()
        if f"vit/maps/{name}" in out:
            del out[f"vit/maps/{name}"]
        out.create_dataset(f"vit/maps/{name}", data=maps, compression="gzip", shuffle=True)
        print(name, "relevance", relevance, "of logits", again.max(1).values.detach().numpy())
