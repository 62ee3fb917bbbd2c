#!/usr/bin/env python3
"""Attention maps of ViT-B/32 and ViT-B/16 beside PyTorch on one core: scores and rollout, and with the input gradient.

  compare_vit.py --build FOLDER [--torch PYTHON] [--keras PYTHON] [--timm PYTHON] [--rounds 3] [--core N] [--out FILE.md]

As compare.py: every round measures the FMA peak and runs each program in a fresh process on the same core, one after
the other; the maps are compared before any figure is printed. Weights are random (make_vit.py): speed does not
depend on them.
"""
import argparse
import os
import statistics
import sys
import tempfile

import numpy as np

from compare import HERE, cpu_name, load_average, run

CASES = [("ViT-B/32", 32, False, (1, 4, 8, 16)), ("ViT-B/16", 16, False, (1, 2, 4)),
         ("ViT-B/32 with saliency", 32, True, (1, 4)), ("ViT-B/16 with saliency", 16, True, (1, 2))]


def same(a, b):
    """Largest difference of scores and maps over their maximum."""
    worst = 0.0
    for what in ("logits", "rollout"):
        x, y = (np.fromfile(f"{p}.{what}", np.float32).astype(np.float64) for p in (a, b))
        worst = max(worst, np.abs(x - y).max() / np.abs(x).max())
    return worst


def timm_line(a, bench, name, model, folder):
    """timm's model and a rollout of one image a pass, beside xaudit's of one image a pass."""
    np.random.default_rng(5).uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32).tofile(f"{folder}/x")
    rest = [model, "--input", f"{folder}/x"]
    mine, other = [], []
    for _ in range(a.rounds):
        mine.append(run([bench] + rest + ["--batch", "1", "--dump", f"{folder}/a"], a.core))
        other.append(run([a.timm, os.path.join(HERE, "peer_timm.py")] + rest + ["--dump", f"{folder}/b"], a.core))
    if not same(f"{folder}/a", f"{folder}/b") < 1e-4:
        sys.exit(f"compare_vit: timm's {name} computes something else: {same(folder + '/a', folder + '/b')}")
    x, y = (statistics.median(statistics.median(r["cpu"]) for r in rs) for rs in (mine, other))
    return f"| {name}, timm and rollout | 1 | {x:.3f} | | timm {y:.3f} | {y / x:.2f} | {mine[0]['mb']:.0f} | {other[0]['mb']:.0f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--torch", default=sys.executable)
    parser.add_argument("--keras", help="a Python with tensorflow 2.15 and vit-keras")
    parser.add_argument("--timm", help="a Python with torch and timm")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=os.cpu_count() - 1)
    parser.add_argument("--out")
    a = parser.parse_args()
    bench = os.path.join(a.build, "tests/bench/bench_vit")
    peak = os.path.join(a.build, "tests/bench/bench_peak")
    for patch in (32, 16):
        if not os.path.exists(f"{a.build}/vit_b{patch}.safetensors"):
            run([a.torch, os.path.join(HERE, "make_vit.py"), str(patch), f"{a.build}/vit_b{patch}.part"], a.core, False)
            os.rename(f"{a.build}/vit_b{patch}.part", f"{a.build}/vit_b{patch}.safetensors")
    lines = ["# Attention maps beside PyTorch on one core", "",
             f"{cpu_name()}; load {load_average()} at the start; medians of {a.rounds} interleaved rounds of 3 passes, CPU "
             "seconds an image (range of the rounds in brackets). Scores and rollout over all layers; PyTorch 2.13 with one "
             "thread keeps the attention probabilities of all layers, as rollout needs them. Share: of the FMA peak measured "
             "in the same rounds.", "",
             "| model | images a pass | xaudit | share | PyTorch | ratio | memory MB, xaudit | PyTorch |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    mine = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, patch, saliency, batches in CASES:
            best = {"xaudit": (1e9, 0), "torch": (1e9, 0)}
            for batch in batches:
                model = f"{a.build}/vit_b{patch}.safetensors"
                x = np.random.default_rng(5).uniform(-1, 1, (batch, 224, 224, 3)).astype(np.float32)
                x.tofile(f"{folder}/x")
                rest = [model, "--batch", str(batch), "--input", f"{folder}/x"] + ["--saliency"] * saliency
                got, peaks = {"xaudit": [], "torch": []}, []
                for _ in range(a.rounds):
                    peaks.append(run([peak, "1"], a.core)["gflops"])
                    got["xaudit"].append(run([bench] + rest + ["--dump", f"{folder}/a"], a.core))
                    got["torch"].append(run([a.torch, os.path.join(HERE, "peer_vit.py")] + rest +
                                            ["--dump", f"{folder}/b"], a.core))
                if not same(f"{folder}/a", f"{folder}/b") < 1e-4:
                    sys.exit(f"compare_vit: {name}: the programs compute different things: {same(folder + '/a', folder + '/b')}")
                cpu = {k: [statistics.median(r["cpu"]) for r in v] for k, v in got.items()}
                middle = {k: statistics.median(v) for k, v in cpu.items()}
                for k in best:
                    best[k] = min(best[k], (middle[k], batch))
                share = got["xaudit"][0]["gflop"] / middle["xaudit"] / statistics.median(peaks)
                lines.append(f"| {name} | {batch} | {middle['xaudit']:.3f} ({min(cpu['xaudit']):.3f} to "
                             f"{max(cpu['xaudit']):.3f}) | {100 * share:.0f} % | {middle['torch']:.3f} "
                             f"({min(cpu['torch']):.3f} to {max(cpu['torch']):.3f}) | "
                             f"{middle['torch'] / middle['xaudit']:.2f} | {got['xaudit'][0]['mb']:.0f} | "
                             f"{got['torch'][0]['mb']:.0f} |")
                print(lines[-1], file=sys.stderr, flush=True)
            lines.append(f"| {name}, best of each | {best['xaudit'][1]} and {best['torch'][1]} | {best['xaudit'][0]:.3f} | | "
                         f"{best['torch'][0]:.3f} | {best['torch'][0] / best['xaudit'][0]:.2f} | | |")
            if not saliency:
                mine[patch] = best["xaudit"][0]
            if a.timm and not saliency:
                lines.append(timm_line(a, bench, name, f"{a.build}/vit_b{patch}.safetensors", folder))
                print(lines[-1], file=sys.stderr, flush=True)
    for patch in (32, 16) if a.keras else ():
        got = [run([a.keras, os.path.join(HERE, "peer_vit_keras.py"), str(patch)], a.core) for _ in range(a.rounds)]
        middle = statistics.median(statistics.median(r["cpu"]) for r in got)
        lines.append(f"| ViT-B/{patch}, vit-keras' attention_map | 1 | {mine[patch]:.3f} | | vit-keras {middle:.3f} | "
                     f"{middle / mine[patch]:.1f} | | {got[0]['mb']:.0f} |")
    lines += ["", "Made by `tests/bench/peers/vit.sh`.", ""]
    text = "\n".join(lines)
    print(text)
    if a.out:
        with open(a.out, "w", encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    main()
