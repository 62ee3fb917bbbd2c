"""A tiny network of several inputs and outputs, and PyTorch's gradients of what a job may explain of it.

    python make_targets.py [--out FOLDER]

Needs torch 2.14.1, onnx 1.22.0, onnxruntime, h5py, numpy, Pillow. It writes

  targets.onnx     inputs image [batch,3,16,16], meta [batch,4], gain [1]; outputs classes [batch,5], values [batch,3];
                   its metadata says how images come to its input and what its classes are called
  targets.png      the image; the network's input is its pixels over 255
  targets.npy      the values of meta that the references are of; gain is 0.5
  targets.maps.h5  /classes, /values: both outputs; and for each explainer of tests/audit/test_targets.c a dataset of its name
                   with the maps of the image, one a row, in float64 arithmetic

All activations are smooth, so that float32 is near float64.
"""
import argparse
import json
import os
import warnings

import h5py
import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image
from torch import nn

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
NAMES = ["ant", "bee", "cat", "dog", "emu"]
INPUT = {"size": [16, 16], "resize": "pil-bilinear", "scale": "unit"}


class Two(nn.Module):
    """Classes and values of an image and four numbers beside it."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.SiLU(), nn.Conv2d(8, 6, 3, 1, 1), nn.SiLU())
        self.meta = nn.Linear(4, 6)
        self.classes, self.values = nn.Linear(12, 5), nn.Linear(12, 3)

    def forward(self, image, meta, gain):
        x = self.features(image).mean((2, 3)) * (1 + gain)
        x = torch.cat([x, torch.tanh(self.meta(meta)) * x], 1)
        return self.classes(x), self.values(x)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
    out = parser.parse_args().out
    rng = np.random.default_rng(17)
    model = Two().eval()
    for p in model.parameters():
        p.data.copy_(torch.from_numpy(rng.standard_normal(tuple(p.shape)) * (2 / max(1, p[0].numel()) ** 0.5)))
    pixels = rng.integers(0, 256, (16, 16, 3)).astype(np.uint8)
    meta, gain = rng.standard_normal((1, 4)).astype(np.float32), np.array([0.5], np.float32)
    Image.fromarray(pixels).save(os.path.join(out, "targets.png"))
    np.save(os.path.join(out, "targets.npy"), meta)
    image = (pixels.astype(np.float32) / np.float32(255)).transpose(2, 0, 1)[None]
    feed = {"image": image, "meta": meta, "gain": gain}

    path = os.path.join(out, "targets.onnx")
    torch.onnx.export(model, tuple(torch.from_numpy(v) for v in feed.values()), path, dynamo=False, opset_version=17,
                      input_names=list(feed), output_names=["classes", "values"],
                      dynamic_axes={"image": {0: "batch"}, "meta": {0: "batch"}})
    file = onnx.load(path)
    onnx.helper.set_model_props(file, {"xaudit.input": json.dumps(INPUT), "xaudit.classes": json.dumps(NAMES)})
    onnx.save(file, path)

    model = model.double()
    x = torch.from_numpy(image).double().requires_grad_()
    kept = {}
    model.features[2].register_forward_hook(lambda _, __, y: kept.__setitem__("layer", y))
    classes, values = model(x, torch.from_numpy(meta).double(), torch.from_numpy(gain).double())
    got = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, feed)
    for a, b in zip(got, (classes, values)):
        if not np.allclose(a, b.detach().numpy(), rtol=1e-4, atol=1e-5):
            raise SystemExit(f"onnxruntime differs by {abs(a - b.detach().numpy()).max()}")

    def gradient(scalar):
        return torch.autograd.grad(scalar, x, retain_graph=True)[0][0].numpy()

    def gradcam(scalar):
        g = torch.autograd.grad(scalar, kept["layer"], retain_graph=True)[0]
        cam = torch.relu((g.mean((2, 3), keepdim=True) * kept["layer"]).sum(1))
        return cam.detach().numpy()

    z, v = classes[0], values[0]
    p = torch.softmax(z, 0)
    order = z.argsort(descending=True)
    maps = {"gradient.class2-class0": [gradient(z[2] - z[0])],
            "gradient.class2-class0.prob": [gradient(p[2] - p[0])],
            "gradient.class1.down": [gradient(-z[1])],
            "gradient.top3": [gradient(z[c]) for c in order[:3]],
            "gradcam.class2-class0": [gradcam(z[2] - z[0])],
            "gradcam.class2-class0.down": [gradcam(z[0] - z[2])],
            "gradcam.top1": [gradcam(z[order[0]])],
            "gradcam.top2.logprob": [gradcam(torch.log(p[c])) for c in order[:2]],
            "gradient.unit2": [gradient(v[2])],
            "gradient.unit0.down": [gradient(-v[0])],
            "gradcam.unit1": [gradcam(v[1])],
            "gradcam.unit1.down": [gradcam(-v[1])]}
    with h5py.File(os.path.join(out, "targets.maps.h5"), "w", libver=("v108", "v110"), meta_block_size=512) as f:
        for key, text in {"script": "make_targets.py", "framework": f"torch {torch.__version__}"}.items():
            f.attrs[key] = np.bytes_(text + "\0")
        f["classes"], f["values"] = z.detach().numpy().astype(np.float32), v.detach().numpy().astype(np.float32)
        f["top"] = order.numpy().astype(np.int32)
        for name, rows in maps.items():
            f[name] = np.stack(rows).astype(np.float32)
            print(name, f[name].shape, float(abs(f[name][:]).max()))
    print("classes", z.detach().numpy(), "values", v.detach().numpy(),
          *(os.path.getsize(os.path.join(out, "targets." + e)) for e in ("onnx", "png", "npy", "maps.h5")))


if __name__ == "__main__":
    main()
