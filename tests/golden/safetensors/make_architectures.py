"""What timm's names mean: every architecture of its vision transformers, read off the model that timm itself builds.

    pip install torch==2.14.1 torchvision==0.29.1 timm==1.0.31
    python make_architectures.py

writes timm_architectures.csv (the facts, one name a line) and ../../../src/model/vit/timm.inc (the same as the loader's
table). Names whose model is more than the loader computes carry the reason in the last column. Families whose tensors
have other names are not listed: no loader takes them for a vision transformer. Models are built on the meta device:
nothing is downloaded, no weights are made.
"""
import csv
import os
import warnings

import timm
import timm.models._registry as registry
import timm.models.vision_transformer as vit
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "..", "..", "..", "src", "model", "vit_timm.inc")
# Files of timm whose models have, or come near to, the tensor names of vision_transformer.py
MODULES = ("vision_transformer", "deit", "eva", "beit", "vision_transformer_relpos", "vision_transformer_hybrid",
           "vision_transformer_sam", "naflexvit")
ACTS = {"GELU(approximate='none')": "GELU", "GELUTanh()": "GELU_TANH", "QuickGELU()": "QUICK_GELU"}
COLUMNS = ("name", "width", "heads", "act", "epsilon", "block", "norm", "pool", "last", "position", "refused")


def kind(module):
    return type(module).__name__


def reason(m):
    """Why the loader does not compute the model; empty if it does."""
    if kind(m) not in ("VisionTransformer", "VisionTransformerDistilled"):
        return {"Eva": "rotary position embedding or other parts of timm's eva.py",
                "Beit": "relative position biases of timm's beit.py",
                "VisionTransformerRelPos": "relative position biases",
                "VisionTransformerSAM": "windowed attention with relative positions",
                "NaFlexVit": "NaFlex patch embedding"}[kind(m)]
    if kind(m.patch_embed) != "PatchEmbed":
        return "a convolutional network before the patches"
    if kind(m.patch_embed.norm) != "Identity":
        return "a norm behind the patch embedding"
    if m.attn_pool is not None:
        return "attention pooling (global_pool map)"
    blocks = {kind(b) for b in m.blocks}
    if len(blocks) != 1 or not blocks <= {"Block", "ResPostBlock"}:
        return f"blocks of kind {sorted(blocks)[0]}"
    b = m.blocks[0]
    if kind(b.attn) != "Attention":
        return f"attention of kind {kind(b.attn)}"
    if kind(b.attn.norm) != "Identity" or kind(b.mlp.norm) != "Identity":
        return "norms inside attention and MLP (scale_attn_norm, scale_mlp_norm)"
    if kind(b.mlp) != "Mlp":
        return f"an MLP of kind {kind(b.mlp)}"
    return ""


def facts(name):
    with torch.device("meta"):
        m = timm.create_model(name)
    why = reason(m)
    if why:
        return dict(name=name, refused=why)
    b = m.blocks[0]
    norms = {kind(x) for x in m.modules() if "Norm" in kind(x)}
    epsilons = {x.eps for x in m.modules() if "Norm" in kind(x)}
    assert len(norms) == 1 and norms <= {"LayerNorm", "RmsNorm"} and len(epsilons) == 1, (name, norms, epsilons)
    assert m.pool_include_prefix is False and b.attn.scale == b.attn.head_dim ** -0.5, name
    assert b.attn.head_dim * b.attn.num_heads == m.embed_dim, name
    assert {x.attn.num_heads for x in m.blocks} == {b.attn.num_heads}, name
    last = [kind(x) != "Identity" for x in (m.norm, m.fc_norm)]
    assert not all(last), name
    return dict(name=name, width=m.embed_dim, heads=b.attn.num_heads, act=ACTS[repr(b.mlp.act)],
                epsilon=f"{epsilons.pop():g}", block={"Block": "PRE", "ResPostBlock": "RES_POST"}[kind(b)],
                norm={"LayerNorm": "LAYER", "RmsNorm": "RMS"}[norms.pop()], pool=m.global_pool.upper(),
                last="NORM" if last[0] else "FC_NORM" if last[1] else "NONE",
                position="PATCHES" if m.no_embed_class else "ALL", refused="")


def main():
    warnings.filterwarnings("ignore")
    vit.VisionTransformer.init_weights = lambda self, *args, **kwargs: None  # values do not matter
    names = [n for n in timm.list_models() if registry.model_entrypoint(n).__module__.split(".")[-1] in MODULES]
    rows = [facts(n) for n in names]
    known = {r["name"]: r for r in rows}
    for old, new in registry._deprecated_models.items():
        base = (new or "").split(".")[0]
        if base in known and old not in known:
            rows.append(dict(known[base], name=old))
    rows.sort(key=lambda r: r["name"])
    with open(os.path.join(HERE, "timm_architectures.csv"), "w", newline="", encoding="utf-8") as f:
        out = csv.DictWriter(f, COLUMNS, lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    with open(TABLE, "w", encoding="utf-8") as f:
        f.write("/* Made by tests/golden/safetensors/make_architectures.py from timm " + timm.__version__ +
                "; not written by hand. In order of their names. */\n")
        for r in rows:
            if r["refused"]:
                f.write(f'REFUSED("{r["name"]}", "{r["refused"]}")\n')
            else:
                f.write("KNOWN(" + ", ".join([f'"{r["name"]}"'] + [str(r[c]) for c in COLUMNS[1:-1]]) + ")\n")
    print(f"{len(rows)} names, {sum(bool(r['refused']) for r in rows)} of them refused; timm {timm.__version__}")


if __name__ == "__main__":
    main()
