#!/usr/bin/env python3
"""Exports a model of every kind with random weights by src/python/xaudit_export.py, lets `xaudit check` read a job of it
that takes input and classes from the file, and compares scores, gradients and Grad-CAM with PyTorch's.

    export_all.py build/xaudit          prints a line for each; exit 1 if one is not as its line in CASES expects
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EXPORTER = os.path.join(HERE, "..", "..", "src", "python", "xaudit_export.py")
IMAGE = os.path.join(HERE, "..", "golden", "onnx", "targets.png")

# model, further arguments
CASES = [("torchvision:resnet18", ["--weights", "resnet18.pth", "--like", "DEFAULT"]),
         ("timm:resnet10t", ["--weights", "resnet10t.pth"]),
         ("timm:vit_tiny_patch16_224", ["--weights", "vit_tiny_patch16_224.pth"]),
         ("hf:vit", []), ("hf:dinov2", []),
         ("hf-vision:clip", ["--text", "clip.npy", "--classes", "names.txt"]),
         ("hf-vision:siglip", ["--text", "siglip.safetensors:text", "--classes", "names.txt"])]


def make_models():
    """Random weights of torchvision's and timm's models, small Hugging Face models with their processors, and embeddings
    of three texts."""
    import numpy as np
    import timm
    import torch
    import torchvision
    import transformers as t
    from safetensors.numpy import save_file
    torch.manual_seed(1)
    torch.save(torchvision.models.resnet18().state_dict(), "resnet18.pth")
    for name in ("resnet10t", "vit_tiny_patch16_224"):
        torch.save(timm.create_model(name, pretrained=False).state_dict(), f"{name}.pth")
    shape = dict(image_size=64, patch_size=16, hidden_size=48, num_hidden_layers=2, num_attention_heads=3)
    text = dict(intermediate_size=64, num_hidden_layers=1, num_attention_heads=2, vocab_size=100, bos_token_id=0,
                eos_token_id=1)
    square, crop = {"height": 64, "width": 64}, {"size": {"shortest_edge": 72}, "crop_size": {"height": 64, "width": 64}}
    tower = dict(shape, intermediate_size=96)
    models = {
        "vit": (t.ViTForImageClassification(t.ViTConfig(**tower, num_labels=5)), t.ViTImageProcessor(size=square)),
        "dinov2": (t.Dinov2ForImageClassification(t.Dinov2Config(**shape, num_labels=5)), t.BitImageProcessor(**crop)),
        "clip": (t.CLIPModel(t.CLIPConfig(vision_config=tower, text_config=dict(text, hidden_size=32), projection_dim=24)),
                 t.CLIPImageProcessor(**crop)),
        "siglip": (t.SiglipModel(t.SiglipConfig(vision_config=tower, text_config=dict(text, hidden_size=48))),
                   t.SiglipImageProcessor(size=square))}
    for name, (model, processor) in models.items():
        model.eval().save_pretrained(name)
        processor.save_pretrained(name)
    rng = np.random.default_rng(1)
    np.save("clip.npy", rng.standard_normal((3, 24)).astype(np.float32))
    save_file({"text": rng.standard_normal((3, 48)).astype(np.float32)}, "siglip.safetensors")
    with open("names.txt", "w", encoding="utf-8") as f:
        f.write("cat\ndog\nbird\n")
    with open("m.csv", "w", encoding="utf-8") as f:
        f.write(f"path\n{IMAGE}\n")


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def main():
    xaudit = os.path.abspath(sys.argv[1])
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_models()
        for model, more in CASES:
            name = model.replace(":", "_")
            code, said = run(sys.executable, EXPORTER, model, "-o", f"{name}.onnx", *more)
            if code == 0:
                with open(f"{name}.yaml", "w", encoding="utf-8") as f:
                    f.write(f"manifest: m.csv\noutput: {name}.h5\nclasses: from-file\nmodels:\n  - name: m\n"
                            f"    file: {name}.onnx\n    head: softmax\n    input: from-file\n    explainers: [saliency]\n")
                code, said = run(xaudit, "check", f"{name}.yaml")
            if code == 0:
                code, said = run(sys.executable, os.path.join(HERE, "torch_reference.py"), model, f"{name}.onnx", IMAGE, "-o",
                                 f"{name}.ref.h5", "--float64", *more)
            if code == 0:
                code, said = run(xaudit, "check", f"{name}.yaml", "--against", f"{name}.ref.h5")
            print(f"{model}: {'ok' if code == 0 else 'FAILED'}", flush=True)
            if code:
                failed += 1
                print(said[-3000:])
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
