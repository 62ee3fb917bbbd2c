"""xaudit's explainers and checks beside the libraries that people use, on real models and photographs.

    tests/parity/peers.sh build/xaudit FOLDER --photos A.jpg B.jpg.. [--rise CLONE] [--legrad CLONE] \\
        [--xception FILE.h5] [--vit FILE.safetensors] [--models resnet50,vgg16,densenet121,xception,vit] [-o peers.md]

xaudit runs as a program; its archive is read by h5py. References are captum, pytorch-grad-cam and Quantus as they are
published, RISE's and LeGrad's own code from a clone of the authors' repository; they compute in double, and are given
the noise, masks and channels that xaudit draws. A row has, of |difference| over the pixels and of the reference's
largest |value|, the median and the 95th percentile of the worst image, and the smallest correlation. "agrees" is a row
below 1e-3 and 2e-2: single pixels move where a ReLU or a pooling winner flips in float32. Where a gradient of the input
moves by more, the reference's own result in float32 is measured against its result in double, and the row says whether
xaudit is as near.
"""
import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time

import h5py
import numpy as np
import torch
from PIL import Image

import peers_checks
import peers_maps as P
import peers_models

MEDIAN, TAIL = 1e-3, 2e-2  # bounds of "agrees"
GRADIENTS = 6              # the first rows: gradients of the input


def clone(folder, file):
    """A file of an authors' repository as a module, without a GPU."""
    if not folder:
        return None
    torch.Tensor.cuda = lambda self, *a, **k: self
    spec = importlib.util.spec_from_file_location("authors_" + os.path.basename(file)[:-3], os.path.join(folder, file))
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, folder)
    spec.loader.exec_module(module)
    return module


def rows_of(model, rise):
    """(settings of the explainer, name of the reference, function of a case)."""
    layer = model.layer[0]
    rows = [
        ("kind: gradient", "captum Saliency", P.gradient),
        (f"kind: integrated_gradients, steps: {P.STEPS}", "captum IntegratedGradients riemann_middle",
         lambda c: P.integrated(c, "riemann_middle")),
        (f"kind: integrated_gradients, steps: {P.STEPS}, quadrature: gauss", "captum IntegratedGradients gausslegendre",
         lambda c: P.integrated(c, "gausslegendre")),
        (f"kind: smoothgrad, draws: {P.DRAWS}", "captum NoiseTunnel smoothgrad", lambda c: P.noise_tunnel(c, "smoothgrad")),
        (f"kind: smoothgrad, draws: {P.DRAWS}, statistic: squared", "captum NoiseTunnel smoothgrad_sq",
         lambda c: P.noise_tunnel(c, "smoothgrad_sq")),
        (f"kind: smoothgrad, draws: {P.DRAWS}, statistic: variance", "captum NoiseTunnel vargrad",
         lambda c: P.noise_tunnel(c, "vargrad")),
        (f"kind: occlusion, cells: {P.WINDOWS}, baseline: zero", *(
            ("captum Occlusion", P.occlusion) if model.size % (2 * P.WINDOWS) == 0 else
            ("definition, the last window moved in", P.occlusion_defined))),
    ]
    if rise:
        rows.append((f"kind: rise, draws: {P.MASKS}, cells: {P.CELLS}", "RISE, the authors' code", lambda c: P.rise(c, rise)))
    if model.tokens:
        return rows
    rows += [
        (f"kind: gradcam, layer: {layer}", "captum LayerGradCam", P.layer_gradcam),
        (f"kind: xgradcam, layer: {layer}", "pgc XGradCAM", lambda c: P.relu(P.cam(c, "XGradCAM"))),
        (f"kind: layercam, layer: {layer}", "pgc LayerCAM", lambda c: P.relu(P.cam(c, "LayerCAM"))),
        (f"kind: eigencam, layer: {layer}", "pgc EigenCAM", P.eigencam),
        (f"kind: fem, layer: {layer}", "pgc FEM", lambda c: P.cam(c, "FEM")),
        (f"kind: gradcam, layer: {layer}, score: finer", "pgc FinerCAM", P.finer),
        (f"kind: scorecam, layer: {layer}, top_channels: {P.CHANNELS}", "pgc ScoreCAM, weighted as the authors do",
         lambda c: P.score_cam(c, True)[0]),
        (f"kind: ablationcam, layer: {layer}, top_channels: {P.CHANNELS}", "pgc AblationCAM", P.ablation_cam),
    ]
    if model.early:
        rows.append((f"kind: layercam, layers: [{model.early[0]}, {layer}], fuse: max", "pgc LayerCAM, each layer over its "
                     "maximum", P.fused_layercam))
    if model.name != "xception":  # whose module has no layers to hook
        rows.append(("kind: fullgrad", "definition, by autograd", P.fullgrad_defined))
    return rows


def run(args, model, explainers, checks, name):
    """Runs xaudit over the photographs; returns the archive's path and the seconds it took."""
    job = os.path.join(args.folder, f"{model.name}_{name}.yaml")
    archive = job[:-5] + ".h5"
    head = "" if model.name == "xception" else ", head: softmax"
    lines = [f"manifest: {model.name}.csv", f"output: {os.path.basename(archive)}", "models:",
             f"  - {{ name: m, file: {os.path.abspath(model.file)}{head}, batch: 4, input: {{ size: [{model.size}, {model.size}], "
             f"resize: pil-bilinear, scale: {model.scale} }}, explainers: ["]
    lines += [f"      {{ {e} }}," for e in explainers] + ["  ] }", *checks]
    with open(job, "w") as f:
        f.write("\n".join(lines) + "\n")
    if os.path.exists(archive):
        if args.reuse:
            return archive, 0.0
        os.remove(archive)
    start = time.time()
    done = subprocess.run([os.path.abspath(args.xaudit), "run", job], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"xaudit run {job}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return archive, time.time() - start


def photographs(args, model):
    """Writes them at the model's size, so that nothing is resampled, with a manifest; returns the pixels."""
    pixels = args.pixels(model.size)[:args.images]
    with open(os.path.join(args.folder, model.name + ".csv"), "w") as f:
        f.write("path,label\n")
        for i, p in enumerate(pixels):
            file = f"{model.name}_{i}.png"
            Image.fromarray(p).save(os.path.join(args.folder, file))
            f.write(f"{file},0\n")
    return pixels


def cases_of(model, pixels, archive):
    with h5py.File(archive) as f:
        hashes = f["samples/pixel_hash"][:]
        logits = f["models/m/logits"][:]
    x = model.to_input(pixels)
    cases = [P.Case(model, x[i:i + 1], int(hashes[i]) ^ 0x9E3779B97F4A7C15) for i in range(len(pixels))]
    far = max(float(np.abs(c.logits - z).max() / np.abs(c.logits).max()) for c, z in zip(cases, logits))
    assert far < 1e-4, f"{model.name}: logits differ by {far}: it is another network"
    return cases, far


def distance(ours, want):
    ours, want = np.squeeze(np.asarray(ours, np.float64)), np.squeeze(np.asarray(want, np.float64))
    assert ours.shape == want.shape, (ours.shape, want.shape)
    d = np.abs(ours - want) / np.abs(want).max()
    return float(np.median(d)), float(np.percentile(d, 95)), float(np.corrcoef(ours.ravel(), want.ravel())[0, 1])


def compare_maps(args, model, rise, out):
    rows = rows_of(model, rise)
    pixels = photographs(args, model)
    archive, seconds = run(args, model, [f"{e}, name: e{i}" for i, (e, _, _) in enumerate(rows)], [], "maps")
    cases, far = cases_of(model, pixels, archive)
    out.append(f"\n## {model.name}, {model.size}x{model.size}, {len(cases)} photographs\n\nLogits within {far:.1e} of the largest.\n\n"
               "| explainer | reference | median pixel | 95 % | correlation | |\n| --- | --- | --- | --- | --- | --- |")
    with h5py.File(archive) as f:
        for i, (settings, reference, want) in enumerate(rows):
            start = time.time()
            values = f[f"maps/m/e{i}/values"][:]
            all_of = [distance(values[k], want(c)) for k, c in enumerate(cases)]
            median, tail = max(d[0] for d in all_of), max(d[1] for d in all_of)
            r = min(d[2] for d in all_of)
            word = "agrees" if median < MEDIAN and tail < TAIL else "**differs**"
            if word != "agrees" and i < GRADIENTS:  # ReLUs flip in float32: in the reference's own as much?
                yard = [distance(P.in_single(c, want), want(c)) for c in cases]
                own, edge = max(d[0] for d in yard), max(d[1] for d in yard)
                word = f"{'as' if median < 3 * own and tail < 3 * edge else '**unlike**'} its own float32 ({own:.1e}, {edge:.1e})"
            out.append(f"| {settings.replace('kind: ', '')} | {reference} | {median:.1e} | {tail:.1e} | {r:.6f} | {word} |")
            print(f"{model.name:12} {settings:60} {median:.1e} {tail:.1e} r {r:.6f} {word} ({time.time() - start:.0f} s)", flush=True)
    return cases, {row[0]: f"e{i}" for i, row in enumerate(rows)}, archive


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("xaudit")
    p.add_argument("folder")
    p.add_argument("--photos", nargs="+", required=True)
    p.add_argument("--images", type=int, default=2, help="how many of them are explained; all calibrate seeded networks")
    p.add_argument("--size", type=int, default=224, help="of torchvision's networks")
    for name in ("rise", "legrad", "xception", "vit"):
        p.add_argument("--" + name)
    p.add_argument("--models", default="vit,xception,resnet50,vgg16,densenet121")
    p.add_argument("--reuse", action="store_true", help="takes archives that are there, of the same settings")
    p.add_argument("--only", choices=["maps", "checks"])
    p.add_argument("-o", "--output", default="peers.md")
    args = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    os.makedirs(args.folder, exist_ok=True)
    images = [Image.open(f).convert("RGB") for f in args.photos]
    args.pixels = lambda s: np.stack([np.asarray(i.resize((s, s), Image.BILINEAR)) for i in images])
    rise = clone(args.rise, "explanations.py")
    out = []
    for name in args.models.split(","):
        source = {"xception": args.xception, "vit": args.vit}.get(name)
        if name in ("xception", "vit") and not source:
            print(f"{name}: left out, since --{name} is not given")
            continue
        model = peers_models.load(name, source, args.pixels, args.folder, args.size)
        if args.only != "checks":
            cases, _, _ = compare_maps(args, model, rise, out)
            if not model.tokens:
                peers_checks.defects_of_maps(cases, rise, out)
        if args.only != "maps":
            peers_checks.compare(args, model, photographs(args, model), run, cases_of, out)
        with open(args.output, "w") as f:
            f.write("\n".join(out) + "\n")
    print(json.dumps({"written": args.output}))


if __name__ == "__main__":
    main()
