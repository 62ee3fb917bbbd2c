"""Which networks onnx_sweep.py exports, how each is built, and the table of what came of it."""
import json
import os
import re

# ---------------------------------------------------------------------------------------------------------- torchvision

# What needs another size than 64: fixed by the architecture, or by the exporter (a last map that divides 7 or 6).
SIZES = {"alexnet": 224, "vgg": 224, "inception_v3": 128, "maxvit_t": 224, "swin_t": 224}
LAYERS = {"resnet": "layer4", "resnext": "layer4", "wide_resnet": "layer4", "densenet": "features.denseblock4",
          "mobilenet_v2": "features.17", "mobilenet_v3": "features.7", "efficientnet": "features.6", "regnet": "trunk_output",
          "convnext": "features.7", "swin": "features.7", "squeezenet": "features.12", "shufflenet": "conv5",
          "googlenet": "inception5b", "inception_v3": "Mixed_7c", "mnasnet": "layers.13"}
NHWC = ("swin",)


def by_prefix(table, name):
    best = max((k for k in table if name.startswith(k)), key=len, default=None)
    return table[best] if best else None


def torchvision_names():
    import torchvision
    names = torchvision.models.list_models(module=torchvision.models)
    large = ["vit_l_16", "vit_l_32", "regnet_y_32gf", "regnet_x_32gf", "vit_h_14", "regnet_y_128gf"]
    return [n for n in names if n not in large] + large


def torchvision_build(name):
    import torchvision
    size = by_prefix(SIZES, name) or 64
    settings = {"weights": None}
    if name in ("googlenet", "inception_v3"):
        settings.update(init_weights=False, aux_logits=False)
    if name.startswith("vit_"):
        size = 56 if name.endswith("14") else 64
        settings["image_size"] = size
    model = getattr(torchvision.models, name)(**settings)
    net = {"model": model, "size": size, "nhwc": name.startswith(NHWC)}
    layer = f"features.{len(model.features) - 2}" if name.startswith("vgg") else by_prefix(LAYERS, name)
    if layer and any(n == layer for n, _ in model.named_modules()):
        net["layer"] = layer
    if name.startswith("vit_"):
        net["rollout"] = "torchvision"
    return net


# ----------------------------------------------------------------------------------------------------------------- timm

TIMM = """resnet10t resnetv2_18 seresnet18 resnext26ts efficientnet_b0 tf_efficientnetv2_b0 mobilenetv2_035
mobilenetv3_small_050 mobilenetv4_conv_small_035 vit_tiny_patch16_224 deit_tiny_distilled_patch16_224
beit_base_patch16_224 eva02_tiny_patch14_224 vit_small_patch16_dinov3 vit_base_patch16_siglip_224
vit_small_patch14_reg4_dinov2 swin_tiny_patch4_window7_224 swinv2_cr_tiny_224 swinv2_tiny_window8_256 convnext_atto
convnextv2_atto densenet121 vgg11 inception_v3 inception_v4 inception_resnet_v2 xception41 regnety_002
dm_nfnet_f0 ghostnet_050 hrnet_w18_small dla46_c dpn68 res2net50_14w_8s resnest14d skresnet18 ecaresnet26t
ese_vovnet19b_slim cspresnet50 rexnetr_100 repvgg_a0 mnasnet_050 fbnetc_100 mixnet_s lcnet_035 mixer_s32_224
resmlp_12_224 gmlp_ti16_224 cait_xxs24_224 coat_lite_tiny coatnet_pico_rw_224 maxvit_rmlp_pico_rw_256
convit_tiny crossvit_tiny_240 levit_128s pit_ti_224 tnt_s_legacy_patch16_224 twins_pcpvt_small visformer_tiny volo_d1_224
xcit_nano_12_p16_224 poolformer_s12 pvt_v2_b0 mobilevit_xxs mobilevitv2_050 mobileone_s0 edgenext_xx_small
davit_tiny gcvit_xxtiny efficientformer_l1 efficientformerv2_s0 fastvit_t8 focalnet_tiny_srf hgnetv2_b0 hiera_tiny_224
inception_next_atto tiny_vit_5m_224 nextvit_small convmixer_768_32 repghostnet_050 repvit_m0_9 efficientvit_b0
efficientvit_m0 starnet_s1 selecsls42 gernet_s tresnet_m botnet26t_256 nest_tiny_jx sequencer2d_s""".split()

# Sizes other than 64 or the model's own (where it is fixed)
TIMM_SIZES = {"resnetv2_18": 64, "hrnet_w18_small": 64, "inception_v3": 96, "inception_v4": 96, "inception_resnet_v2": 96}
TIMM_CONV = """resnet resnetv2 seresnet resnext efficientnet_b tf_efficientnet mobilenet convnext densenet xception regnet
dm_nfnet ghostnet hrnet dla dpn res2net resnest skresnet ecaresnet ese_vovnet cspresnet rexnet repvgg mnasnet fbnet mixnet lcnet
poolformer mobileone hgnet inception_next repghost repvit starnet selecsls gernet tresnet convmixer""".split()
TIMM_VIT = ("vit_tiny_patch16_224", "beit_base_patch16_224", "vit_small_patch14_reg4_dinov2")
TIMM_LAYERS = {"resnet10t": "layer4", "seresnet18": "layer4", "efficientnet_b0": "blocks.6", 
               "convnext_atto": "stages.3", "densenet121": "features.denseblock4", "regnety_002": "s4",
               "swin_tiny_patch4_window7_224": "layers.3", "convnextv2_atto": "stages.3", "resnest14d": "layer4",
               "poolformer_s12": "stages.3", "hgnetv2_b0": "stages.3", "repvgg_a0": "stages.3"}


def timm_build(name):
    import timm
    settings = {}
    size = timm.get_pretrained_cfg(name, allow_unregistered=True).input_size[1] if timm.is_model(name) else 224
    if any(name.startswith(p) for p in TIMM_CONV):
        size = 64
    if name in TIMM_SIZES:
        size = TIMM_SIZES[name]
    elif name in TIMM_VIT or name.startswith(("eva02", "vit_")):
        size = 64 if "patch16" in name else 56
        settings["img_size"] = size
    model = timm.create_model(name, pretrained=False, **settings)
    net = {"model": model, "size": size, "nhwc": name.startswith("swin")}
    if name in TIMM_LAYERS:
        net["layer"] = TIMM_LAYERS[name]
    if name in TIMM_VIT:
        net.update(rollout="timm", mean=name.startswith("beit"))
        for m in model.modules():
            if hasattr(m, "fused_attn"):
                m.fused_attn = False
    return net


# --------------------------------------------------------------------------------------------------------- Hugging Face

# Classifiers of transformers with small random configurations: (class, configuration class, settings, size).
VIT = dict(hidden_size=48, num_hidden_layers=3, num_attention_heads=3, intermediate_size=96)
HUGGINGFACE = {
    "ViT": ("ViTForImageClassification", "ViTConfig", dict(VIT, image_size=64, patch_size=16), 64),
    "DeiT": ("DeiTForImageClassification", "DeiTConfig", dict(VIT, image_size=64, patch_size=16), 64),
    "BEiT": ("BeitForImageClassification", "BeitConfig",
             dict(VIT, image_size=64, patch_size=16, use_relative_position_bias=True, use_mean_pooling=True), 64),
    "Data2VecVision": ("Data2VecVisionForImageClassification", "Data2VecVisionConfig",
                       dict(VIT, image_size=64, patch_size=16, use_shared_relative_position_bias=True), 64),
    "DINOv2": ("Dinov2ForImageClassification", "Dinov2Config", dict(VIT, image_size=56, patch_size=14), 56),
    "DINOv2WithRegisters": ("Dinov2WithRegistersForImageClassification", "Dinov2WithRegistersConfig",
                            dict(VIT, image_size=56, patch_size=14), 56),
    "SigLIP": ("SiglipForImageClassification", "SiglipConfig",
               dict(vision_config=dict(VIT, image_size=64, patch_size=16)), 64),
    "CLIP": ("CLIPForImageClassification", "CLIPConfig", dict(vision_config=dict(VIT, image_size=64, patch_size=16)), 64),
    "Swin": ("SwinForImageClassification", "SwinConfig",
             dict(image_size=64, patch_size=4, embed_dim=24, depths=[2, 2], num_heads=[2, 3], window_size=4), 64),
    "Swinv2": ("Swinv2ForImageClassification", "Swinv2Config",
               dict(image_size=64, patch_size=4, embed_dim=24, depths=[2, 2], num_heads=[2, 3], window_size=4), 64),
    "ConvNeXt": ("ConvNextForImageClassification", "ConvNextConfig",
                 dict(hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 2, 1]), 64),
    "ConvNeXtV2": ("ConvNextV2ForImageClassification", "ConvNextV2Config",
                   dict(hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 2, 1]), 64),
    "ResNet": ("ResNetForImageClassification", "ResNetConfig",
               dict(embedding_size=16, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1]), 64),
    "MobileViT": ("MobileViTForImageClassification", "MobileViTConfig",
                  dict(image_size=64, hidden_sizes=[32, 48, 64], neck_hidden_sizes=[8, 16, 24, 32, 48, 64, 96]), 64),
    "PVTv2": ("PvtV2ForImageClassification", "PvtV2Config",
              dict(image_size=64, hidden_sizes=[16, 32, 40, 64], num_attention_heads=[1, 2, 5, 8], depths=[1, 1, 1, 1]), 64),
    "SegFormer": ("SegformerForImageClassification", "SegformerConfig",
                  dict(hidden_sizes=[16, 32, 40, 64], depths=[1, 1, 1, 1], decoder_hidden_size=32), 64),
    "LeViT": ("LevitForImageClassification", "LevitConfig", dict(image_size=64), 64),
    "EfficientNet": ("EfficientNetForImageClassification", "EfficientNetConfig",
                     dict(image_size=64, width_coefficient=0.5, depth_coefficient=0.5, hidden_dim=640), 64),
    "RegNet": ("RegNetForImageClassification", "RegNetConfig",
               dict(embedding_size=16, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1], groups_width=8), 64),
    "ViTMSN": ("ViTMSNForImageClassification", "ViTMSNConfig", dict(VIT, image_size=64, patch_size=16), 64),
}
# the exporters' other form of attention: torch's scaled_dot_product_attention
for _name in ("ViT", "DeiT", "ViTMSN", "SigLIP", "CLIP", "DINOv2"):
    HUGGINGFACE[f"{_name} sdpa"] = HUGGINGFACE[_name]
HF_ROLLOUT = ("ViT", "DeiT", "BEiT", "ViTMSN", "SigLIP")


def huggingface_build(name):
    import torch
    import transformers
    kind, config, settings, size = HUGGINGFACE[name]
    config = getattr(transformers, config)(num_labels=10, **settings)
    config._attn_implementation = "sdpa" if name.endswith(" sdpa") else "eager"
    inner = getattr(transformers, kind)(config)
    if name in ("MobileViT", "EfficientNet"):  # as they start, gradients are below what float32 has
        for m in inner.modules():
            if isinstance(m, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(m.weight)

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = inner

        def forward(self, pixel_values):
            return self.model(pixel_values).logits
    net = {"model": Logits(), "size": size}
    if name.removesuffix(" sdpa") in HF_ROLLOUT:
        net.update(rollout="huggingface", mean=name == "BEiT")
    return net


# -------------------------------------------------------------------------------------------------------------- rollout

def rollout(net, model, x):
    """Attention rollout (Abnar and Zuidema 2020) of the class token, or of the mean of the patches: mean over heads, half
    of the identity added, in float64."""
    import numpy as np
    import torch
    seen = []
    hooks = []
    if net["rollout"] == "timm":
        hooks = [m.attn_drop.register_forward_hook(lambda _, __, out: seen.append(out)) for m in model.modules()
                 if hasattr(m, "attn_drop")]
    elif net["rollout"] == "torchvision":
        for m in model.modules():
            if isinstance(m, torch.nn.MultiheadAttention):
                plain = m.forward

                def forward(q, k, v, plain=plain, **settings):
                    settings.update(need_weights=True, average_attn_weights=False)
                    out, p = plain(q, k, v, **settings)
                    seen.append(p)
                    return out, p
                m.forward = forward
    with torch.no_grad():
        if net["rollout"] == "huggingface":
            model.model.set_attn_implementation("eager")
            seen = list(model.model(x, output_attentions=True).attentions)
        else:
            model(x)
    for h in hooks:
        h.remove()
    r = None
    for p in seen:
        a = p[0].double().mean(0).numpy()
        a = (a + np.eye(len(a))) / 2
        a = a / a.sum(-1, keepdims=True)
        r = a if r is None else a @ r
    side = int((len(r)) ** 0.5)
    patches = side * side
    row = r[len(r) - patches:].mean(0) if net.get("mean") or len(r) == patches else r[0]
    return row[len(r) - patches:].reshape(side, side)


# ---------------------------------------------------------------------------------------------------------------- table

GROUPS = {"torchvision": (torchvision_names, torchvision_build),
          "timm": (lambda: TIMM, timm_build),
          "huggingface": (lambda: list(HUGGINGFACE), huggingface_build)}


def names(group):
    return GROUPS[group][0]()


def build(group, name):
    return GROUPS[group][1](name)


def latest(path):
    """The last line of each (group, name, exporter)."""
    found = {}
    if os.path.exists(path):
        with open(path) as f:
            for line in f:
                r = json.loads(line)
                if r["exporter"] != "-":
                    found.pop((r["group"], r["name"], "-"), None)
                found[r["group"], r["name"], r["exporter"]] = r
    return found


FLIP = 1e-4  # beyond it, a gradient's error is that of a unit at its threshold; below, rounding


def outcome(r):
    """agrees, flipped (all but single pixels of the gradient), differs, refused, not exported."""
    if "error" in r:
        return "not exported"
    if r["logits"] is None:
        return "refused"
    if r["logits"] > max(1e-5, 2 * r.get("ort", 0)) or (r["gradcam"] or 0) > 1e-4 or (r.get("rollout") or 0) > 1e-4:
        return "differs"
    error = r["gradient"] if r["gradient"] is not None else r["gradient32"] or 0
    enough = max(1e-5, 2 * (r["torch"] or 0))
    if error <= enough:
        return "agrees"
    return "flipped" if r.get("best", error if error < 0.05 else 1) <= max(enough, 0.05 if "best" not in r else 0) else "differs"


def number(v):
    return "" if v is None else f"{v:.1e}"


def reason(r):
    if "error" in r:
        return re.sub("\x1b\\[[0-9;]*m", "", r["error"]).replace("|", "/")[:150]
    differing = [line.strip() for line in r.get("said", "").splitlines() if line.endswith("DIFFERS")]
    if differing:
        return re.sub(" +", " ", "; ".join(differing)).replace("|", "/")[:300]
    found = [line for line in r.get("said", "").splitlines() if ": model " in line or line.startswith("xaudit:")]
    return (found[0].split(".onnx: ")[-1] if found else r.get("said", "")[-150:]).replace("|", "/")[:220]


def table(path, out):
    """results.jsonl as a page."""
    rows = list(latest(path).values())
    lines = ["# Classifiers exported to ONNX, and xaudit", "",
             "Made by `tests/parity/onnx_sweep.py` (its head says how): random seeded weights, up to three images (VGG: six), scores",
             "against onnxruntime (unoptimised), input gradient against torch float64 (float32 where the network has more than 150",
             "million weights), Grad-CAM and rollout against torch. dy: `torch.onnx.export(dynamo=True)`, ts: `dynamo=False`, opset 17.",
             "Errors are of the largest value. *agrees*: scores within 1e-5 or twice onnxruntime's own error, Grad-CAM and rollout within",
             "1e-4, gradient within 1e-5 or twice torch's own error on every image. *flipped*: all but the gradient, where units stand at",
             "their thresholds: another image agrees (where one image was looked at: an error below 5e-2). Memory: the most that",
             "`xaudit check --against` held, file mappings apart, by the float32 weights; networks on images of 64 pixels mostly.", "",
             "| group | networks | files | agree | flipped | differ | refused | not exported | networks with a file that agrees or flips |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for group in GROUPS:
        mine = [r for r in rows if r["group"] == group]
        count = {k: sum(outcome(r) == k for r in mine) for k in ("agrees", "flipped", "differs", "refused", "not exported")}
        good = {r["name"] for r in mine if outcome(r) in ("agrees", "flipped")}
        lines.append(f"| {group} | {len({r['name'] for r in mine})} | {len(mine)} | " +
                     " | ".join(str(v) for v in count.values()) + f" | {len(good)} |")
    bad = [r for r in rows if outcome(r) in ("differs", "refused", "not exported")]
    lines += ["", "## What does not agree", "", "| network | exporter | outcome | why |", "| --- | --- | --- | --- |"]
    lines += [f"| {r['group']} {r['name']} | {r['exporter']} | {outcome(r)} | {reason(r)} |" for r in bad]
    lines += ["", "## All", "", "| network | input | million weights | exporter | scores | gradient | torch's float32 | Grad-CAM | "
              "rollout | memory |", "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for r in rows:
        if outcome(r) in ("agrees", "flipped", "differs"):
            error = r["gradient"] if r["gradient"] is not None else r["gradient32"]
            memory = f"{r['memory'] / (4 * r['weights']):.2f}" if r["weights"] > 2e7 else ""
            lines.append(f"| {r['name']} | {r['size']} | {r['weights'] / 1e6:.1f} | {r['exporter']} | {number(r['logits'])} | "
                         f"{number(error)} | {number(r['torch'])} | {number(r['gradcam'])} | {number(r.get('rollout'))} | {memory} |")
    with open(out, "w") as f:
        f.write("\n".join(lines) + "\n")
