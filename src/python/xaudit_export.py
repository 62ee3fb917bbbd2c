#!/usr/bin/env python3
"""Exports a PyTorch image classifier to ONNX, with what a job of xaudit needs to know beside it.

    xaudit_export.py MODEL -o model.onnx [options]

MODEL is one of

    torchvision:resnet50              a constructor of torchvision.models
    timm:vit_base_patch16_224         a name of timm
    hf:FOLDER or hf:NAME              an image classifier of Hugging Face's transformers
    hf-vision:FOLDER or NAME          the image tower of CLIP or SigLIP, with --text: zero-shot classification
    package.module:function           anything that returns a torch.nn.Module (the current folder is searched, too)

The file's metadata hold, as JSON, how an image comes to the model's input (xaudit.input, in the words of a job's
`input`) and what its classes are called (xaudit.classes), as far as the model's library says it, or --input and
--classes do. A job then says `input: from-file` and `classes: from-file`. Where onnxruntime is installed, its scores
are compared with PyTorch's, and a difference is an error.

Needs torch and onnx, beside the model's own library; --help needs neither. From Python: export(model, "m.onnx", ...).
"""
import argparse
import importlib
import json
import os
import sys

INPUT_KEYS = {"size", "resize", "fit", "scale", "depth", "orientation"}
PIL = {0: "pil-nearest", 1: "pil-lanczos", 2: "pil-bilinear", 3: "pil-bicubic", "nearest": "pil-nearest",
       "lanczos": "pil-lanczos", "bilinear": "pil-bilinear", "bicubic": "pil-bicubic"}


class Stop(Exception):
    """What the user should read instead of a traceback."""


# ---------------------------------------------------------------------------------------- preprocessing, as a job says it

def resampler(name):
    """The job's word for Pillow's filter, given by number or name."""
    name = getattr(name, "value", name)
    name = name.lower() if isinstance(name, str) else name
    if name not in PIL:
        raise Stop(f"the resampler {name!r} is none that xaudit has: give --input")
    return PIL[name]


def numbers(values):
    return [round(float(v), 9) for v in values]


def scaling(mean, std):
    """Pixels of 0..255 over 255, minus mean, by std."""
    mean, std = numbers(mean), numbers(std)
    if mean == [0.485, 0.456, 0.406] and std == [0.229, 0.224, 0.225]:
        return "torch"
    if set(mean) == {0.0} and set(std) == {1.0}:
        return "unit"
    if set(mean) == {0.5} and set(std) == {0.5}:
        return "tf"
    return {"div": 255, "mean": mean, "std": std}


def cropped(size, short):
    """The short side to `short`, then the centre; the whole image where that is the input's size already."""
    return {"short": int(short), "crop": list(size)}


def input_of_torchvision(transforms):
    """From the preset of a torchvision weight (weights.transforms())."""
    size = [int(transforms.crop_size[0])] * 2
    return {"size": size, "resize": resampler(transforms.interpolation),
            "fit": cropped(size, transforms.resize_size[0]), "scale": scaling(transforms.mean, transforms.std)}


def input_of_timm(config):
    """From timm.data.resolve_data_config(model=model), whose transform resizes and crops as its evaluation does."""
    channels, height, width = config["input_size"]
    size = [int(height), int(width)]
    mode = config.get("crop_mode", "center")
    found = {"size": size, "resize": resampler(config["interpolation"]), "scale": scaling(config["mean"], config["std"])}
    if mode == "squash":
        found["fit"] = "stretch"
    elif mode == "center" and height == width:
        found["fit"] = cropped(size, int(height / config.get("crop_pct", 1.0)))
    else:
        raise Stop(f"timm's crop mode {mode!r} for {height}x{width} is none that xaudit has: give --input")
    return found


def input_of_transformers(processor):
    """From the settings of an image processor of transformers (processor.to_dict())."""
    get = processor.get
    mean, std = get("image_mean") or [0.0], get("image_std") or [1.0]
    if not get("do_normalize", True):
        mean, std = [0.0], [1.0]
    if not get("do_rescale", True) or abs(get("rescale_factor", 1 / 255) * 255 - 1) > 1e-6:
        raise Stop("its processor does not divide pixels by 255: give --input")
    size, crop, fit = get("size") or {}, get("crop_size") or {}, "stretch"
    short = size.get("shortest_edge")
    if get("crop_pct") and short:  # ConvNeXt: small ones are cropped, large ones stretched
        final = [int(short)] * 2
        fit = cropped(final, int(short / get("crop_pct"))) if short < 384 else "stretch"
    elif short and get("do_center_crop"):
        final = [int(crop["height"]), int(crop["width"])]
        fit = cropped(final, short)
    elif "height" in size and not get("do_center_crop"):
        final = [int(size["height"]), int(size["width"])]
    else:
        raise Stop(f"its processor resizes to {size} and crops to {crop}, which is no fit of xaudit: give --input")
    return {"size": final, "resize": resampler(get("resample", 2)), "fit": fit, "scale": scaling(mean, std)}


def check_input(found):
    """What a job's `input` must have, and nothing else."""
    if not isinstance(found, dict) or not {"size", "resize", "scale"} <= set(found) or set(found) - INPUT_KEYS:
        raise Stop('--input: expected JSON such as {"size": [224, 224], "resize": "pil-bilinear", "scale": "torch"}')
    size = found["size"]
    if not (isinstance(size, list) and len(size) == 2 and all(isinstance(v, int) and v > 0 for v in size)):
        raise Stop("--input: size must be [height, width]")
    return found


# ---------------------------------------------------------------------------------------------------------------- models

def scores_of(model):
    """A transformers classifier as a function from pixels to scores."""
    import torch

    class Scores(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, pixels):
            return self.model(pixel_values=pixels).logits

    return Scores()


def zero_shot(model, text, scale, bias):
    """The image tower of CLIP or SigLIP; its embedding, of length 1, against one embedding a class. With the texts'
    lengths and the model's temperature in one matrix, the classes are a last linear layer."""
    import torch

    class ZeroShot(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model.vision_model
            self.projection = getattr(model, "visual_projection", torch.nn.Identity())
            self.classes = torch.nn.Linear(text.shape[1], text.shape[0])
            unit = text / text.norm(dim=1, keepdim=True)
            self.classes.weight.data.copy_(unit * scale)
            self.classes.bias.data.fill_(bias)

        def forward(self, pixels):
            x = self.projection(self.model(pixel_values=pixels).pooler_output)
            return self.classes(x / x.norm(dim=1, keepdim=True))

    return ZeroShot()


def read_text(path):
    """Embeddings [classes,width]: a .npy, or FILE.safetensors:KEY (the key may be left out where there is one)."""
    import torch
    file, _, key = path.partition(".safetensors:")
    if path.endswith(".npy"):
        import numpy
        text = torch.from_numpy(numpy.load(path).astype("float32"))
    else:
        from safetensors.torch import load_file
        tensors = load_file(file + ".safetensors" if key else path)
        if not key and len(tensors) != 1:
            raise Stop(f"{path}: it holds {sorted(tensors)}: write {path}:KEY")
        if key and key not in tensors:
            raise Stop(f"{path}: it holds {sorted(tensors)}")
        text = tensors[key or next(iter(tensors))].float()
    if text.dim() != 2:
        raise Stop(f"{path}: embeddings of shape {list(text.shape)}, expected [classes, width]")
    return text


def load_state(model, path):
    """A state_dict, or a checkpoint that holds one."""
    import torch
    if path.endswith(".safetensors"):
        from safetensors.torch import load_file
        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model", "model_state_dict"):
        state = state[key] if isinstance(state, dict) and isinstance(state.get(key), dict) else state
    model.load_state_dict({k[len("module."):] if k.startswith("module.") else k: v for k, v in state.items()})


def from_torchvision(name, args):
    import torchvision
    own = args.weights not in (None, "none") and os.path.exists(args.weights)
    enum = torchvision.models.get_model_weights(name)
    like = args.like or (None if own or args.weights == "none" else args.weights or "DEFAULT")
    entry = (enum.DEFAULT if like == "DEFAULT" else enum[like]) if like else None
    settings = {"num_classes": args.num_classes} if args.num_classes else {}
    model = torchvision.models.get_model(name, weights=None if own or args.weights == "none" else entry, **settings)
    if own:
        load_state(model, args.weights)
    classes = entry.meta.get("categories") if entry and not args.num_classes else None
    return model, input_of_torchvision(entry.transforms()) if entry else None, classes


def from_timm(name, args):
    import timm
    own = args.weights not in (None, "none") and os.path.exists(args.weights)
    settings = {"num_classes": args.num_classes} if args.num_classes else {}
    model = timm.create_model(name, pretrained=not own and args.weights != "none", **settings)
    if own:
        load_state(model, args.weights)
    classes = (model.pretrained_cfg or {}).get("label_names")
    if not classes and not args.num_classes:
        subset = timm.data.infer_imagenet_subset(model)
        info = timm.data.ImageNetInfo(subset) if subset else None
        classes = [info.index_to_description(i) for i in range(info.num_classes())] if info else None
    return model, input_of_timm(timm.data.resolve_data_config(model=model)), classes


def processor_of(name):
    from transformers import AutoImageProcessor
    try:
        return input_of_transformers(AutoImageProcessor.from_pretrained(name).to_dict())
    except OSError:  # the folder has none
        return None


def from_transformers(name, args):
    from transformers import AutoModelForImageClassification
    model = AutoModelForImageClassification.from_pretrained(name, attn_implementation="eager")  # plain operators
    model.config.return_dict = True
    labels = model.config.id2label
    return scores_of(model), processor_of(name), [labels[i] for i in range(len(labels))]


def from_vision(name, args):
    from transformers import AutoModel
    if not args.text:
        raise Stop("hf-vision: needs --text FILE, one embedding a class, of the model's text tower")
    model = AutoModel.from_pretrained(name, attn_implementation="eager")
    scale = float(model.logit_scale.detach().exp()) if hasattr(model, "logit_scale") else 1.0
    bias = float(model.logit_bias.detach()) if hasattr(model, "logit_bias") else 0.0
    text = read_text(args.text)
    if not args.classes:
        raise Stop("hf-vision: needs --classes FILE, the names of the rows of --text")
    return zero_shot(model, text, scale, bias), processor_of(name), None


def from_function(name, args):
    import torch
    module, _, function = name.partition(":")
    sys.path.insert(0, os.getcwd())
    model = getattr(importlib.import_module(module), function)()
    if not isinstance(model, torch.nn.Module):
        raise Stop(f"{name} gives a {type(model).__name__}, expected a torch.nn.Module")
    if args.weights and args.weights != "none":
        load_state(model, args.weights)
    return model, None, None


# ---------------------------------------------------------------------------------------------------------------- export

def write(model, pixels, path, exporter, opset):
    """By the exporter that is asked for; `auto`: the default one, or where that fails the TorchScript one."""
    import torch
    for kind in ("dynamo", "torchscript") if exporter == "auto" else (exporter,):
        names = {"input_names": ["pixels"], "output_names": ["scores"]}
        try:
            if kind == "dynamo":
                torch.onnx.export(model, (pixels,), path, dynamo=True, opset_version=opset, verbose=False, **names)
            else:
                torch.onnx.export(model, (pixels,), path, dynamo=False, opset_version=min(opset, 17), **names)
            return kind
        except Exception as problem:  # exporters raise anything
            if kind == exporter or kind == "torchscript":
                raise Stop(f"torch.onnx.export ({kind}) fails: {str(problem)[:500]}") from problem
            print(f"the default exporter fails ({type(problem).__name__}), the TorchScript one is tried", file=sys.stderr)


def note(path, found, classes):
    """Puts what is known into the file's metadata; weights beside it stay where they are."""
    import onnx
    file = onnx.load(path, load_external_data=False)
    texts = {p.key: p.value for p in file.metadata_props}
    if found:
        texts["xaudit.input"] = json.dumps(found, ensure_ascii=False)
    if classes:
        texts["xaudit.classes"] = json.dumps(list(classes), ensure_ascii=False)
    onnx.helper.set_model_props(file, texts)
    onnx.save(file, path)


def compare(model, pixels, path):
    """The largest difference between onnxruntime's scores and PyTorch's as a share of the largest score, None without
    onnxruntime."""
    try:
        import onnxruntime
    except ImportError:
        return None
    import torch
    with torch.no_grad():
        want = model(pixels).numpy()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    got = session.run(None, {session.get_inputs()[0].name: pixels.numpy()})[0]
    return float(abs(got - want).max() / max(abs(want).max(), 1e-30))


def export(model, path, input=None, classes=None, size=None, exporter="auto", opset=18, check=True):
    """Writes `model`, a torch.nn.Module from pixels [1,3,H,W] to scores [1,K], to path. input: a job's `input` as a
    dictionary, whose size is used; else give size (height, width). Returns the number of classes."""
    import torch
    if input:
        check_input(input)
    if not (size or input):
        raise Stop("how large is the input? Give --size H W, or --input")
    height, width = size or input["size"]
    model = model.eval()
    generator = torch.Generator().manual_seed(1)
    pixels = torch.rand((1, 3, height, width), generator=generator) * 2 - 1
    with torch.no_grad():
        scores = model(pixels)
    if not isinstance(scores, torch.Tensor) or scores.dim() != 2:
        raise Stop(f"the model gives {type(scores).__name__}, expected scores [batch, classes]: wrap it in a module that "
                   "returns these")
    count = scores.shape[1]
    if classes and len(classes) != count:
        raise Stop(f"the model has {count} outputs, and {len(classes)} classes are named")
    kind = write(model, pixels, path, exporter, opset)
    note(path, input, classes)
    print(f"{path}: {count} outputs, {height}x{width}, torch {torch.__version__}, {kind} exporter")
    print(f"  input: {json.dumps(input, ensure_ascii=False) if input else 'not noted: write it in the job'}")
    print(f"  classes: {', '.join(classes[:3]) + (', ...' if count > 3 else '') if classes else 'not noted'}")
    far = compare(model, pixels, path) if check else None
    if far is None:
        print("  scores: not compared" + ("" if not check else ", onnxruntime is not installed"))
    else:
        print(f"  scores: onnxruntime's differ from PyTorch's by {far:.1e} of the largest")
    if far is not None and not far < 1e-3:
        raise Stop(f"{path}: onnxruntime computes other scores from it")
    return count


SOURCES = {"torchvision": from_torchvision, "timm": from_timm, "hf": from_transformers, "hf-vision": from_vision}


def load(text, args):
    """A model by its text; with it what a job's `input` should be and its classes' names, None where nothing says it."""
    source, _, name = text.partition(":")
    if not name:
        raise Stop(f"{text}: expected torchvision:, timm:, hf:, hf-vision: or package.module:function")
    model, found, classes = SOURCES[source](name, args) if source in SOURCES else from_function(text, args)
    if args.input:
        found = check_input(json.loads(args.input))
    if args.classes:
        with open(args.classes, encoding="utf-8") as f:
            classes = [line.strip() for line in f if line.strip()]
    return model, found, classes


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("-o", "--output", required=True, metavar="FILE.onnx")
    parser.add_argument("--weights", metavar="NAME|FILE|none",
                        help="torchvision's name of weights (DEFAULT), a file of your own, or none: random")
    parser.add_argument("--like", metavar="NAME", help="torchvision: the weights whose preprocessing and classes yours have")
    parser.add_argument("--num-classes", type=int, metavar="N", help="of your own weights")
    parser.add_argument("--classes", metavar="FILE", help="names, one per line, instead of the library's")
    parser.add_argument("--input", metavar="JSON", help="a job's `input` as JSON, instead of the library's")
    parser.add_argument("--size", nargs=2, type=int, metavar=("H", "W"), help="the input, where nothing else says it")
    parser.add_argument("--text", metavar="FILE", help="hf-vision: embeddings [classes,width], .npy or .safetensors[:KEY]")
    parser.add_argument("--exporter", choices=("auto", "dynamo", "torchscript"), default="auto")
    parser.add_argument("--opset", type=int, default=18)
    parser.add_argument("--no-check", action="store_true", help="do not compare scores")
    return parser.parse_args()


def main():
    args = arguments()
    try:
        model, found, classes = load(args.model, args)
        if args.size and found:
            found = dict(found, size=list(args.size))
            if isinstance(found.get("fit"), dict) and "crop" in found["fit"]:
                raise Stop("--size: the preprocessing crops, so that another size is another crop: give --input")
        export(model, args.output, found, classes, args.size, args.exporter, args.opset, not args.no_check)
    except Stop as problem:
        sys.exit(f"xaudit_export.py: {problem}")
    except ImportError as problem:
        sys.exit(f"xaudit_export.py: {problem}; it needs torch, onnx and the model's own library")
    except json.JSONDecodeError as problem:
        sys.exit(f"xaudit_export.py: --input: {problem}")


if __name__ == "__main__":
    main()
