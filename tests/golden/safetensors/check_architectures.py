"""Every name of timm_architectures.csv through xaudit: logits equal to timm's own, or refused.

    python check_architectures.py path/to/xaudit      (what make_architectures.py needs, and h5py, numpy, pillow)

Run by hand when timm_architectures.csv changes; takes a minute or two.
"""
import csv
import json
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import torch
from PIL import Image
from timm_small import SIZE, save, small

HERE = os.path.dirname(os.path.abspath(__file__))


def main(xaudit):
    with open(os.path.join(HERE, "timm_architectures.csv"), encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    os.chdir(tempfile.mkdtemp())
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(f"{i}.png")
    with open("m.csv", "w", encoding="utf-8") as f:
        f.write("path\n0.png\n1.png\n")
    x = torch.from_numpy((pixels / 127.5 - 1).astype(np.float32).transpose(0, 3, 1, 2).copy())
    want, refused, loud = {}, 0, []
    for r in rows:
        name = r["name"]
        stem = f"x{len(want)}" if not r["refused"] else "refused"
        if r["refused"]:  # any weights: the name decides
            save(small("vit_tiny_patch16_224"), stem)
            with open(stem + ".json", encoding="utf-8") as f:
                config = json.load(f)
            with open(stem + ".json", "w", encoding="utf-8") as f:
                json.dump({**config, "architecture": name}, f)
            told = subprocess.run([xaudit, "info", stem + ".safetensors"], capture_output=True, text=True, check=False)
            assert told.returncode and name in told.stderr and r["refused"] in told.stderr, (name, told.stderr)
            refused += 1
            continue
        model = save(small(name), stem)
        with open(stem + ".json", encoding="utf-8") as f:
            config = json.load(f)
        if config["architecture"] != name:  # a name of the past
            with open(stem + ".json", "w", encoding="utf-8") as f:
                json.dump({**config, "architecture": name}, f)
        told = subprocess.run([xaudit, "info", stem + ".safetensors"], capture_output=True, text=True, check=False)
        assert told.returncode == 0, (name, told.stderr)
        loud += [(name, line) for line in told.stdout.splitlines() if "assumed:" in line and "softmax head" not in line]
        with torch.no_grad():
            want[stem] = (name, model(x).numpy())
    worst, stems = 0.0, list(want)
    for first in range(0, len(stems), 60):  # a job has at most 64 models
        some = stems[first:first + 60]
        with open("j.yaml", "w", encoding="utf-8") as f:
            f.write("manifest: m.csv\noutput: o.h5\nmodels:\n" + "".join(
                f"  - {{ name: {s}, file: {s}.safetensors, batch: 2, explainers: [saliency],"
                f" input: {{ size: [{SIZE}, {SIZE}], resize: pil-nearest, scale: tf }} }}\n" for s in some))
        subprocess.run([xaudit, "run", "j.yaml", "--quiet", "--fresh"], check=True, stderr=subprocess.DEVNULL)
        with h5py.File("o.h5") as f:
            for stem in some:
                name, logits = want[stem]
                error = np.abs(f[f"models/{stem}/logits"][:] - logits).max() / np.abs(logits).max()
                worst = max(worst, error)
                if not error < 1e-5:
                    print(f"WRONG {name}: off by {error:.3g} of the largest logit")
    print(f"{len(want)} names give timm's logits (largest difference {worst:.2g} of the largest), {refused} are refused")
    for name, line in loud:
        print(f"assumed of {name}: {line.strip()}")


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
