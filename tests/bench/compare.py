#!/usr/bin/env python3
"""xaudit's engine beside PyTorch, on one core: saliency and Grad-CAM of one image at a time.

  compare.py MODEL.h5 --build FOLDER [--torch PYTHON] [--size 512] [--rounds 3] [--images 5] [--core N] [--out FILE.md]

Every round measures the machine's FMA peak and then runs each program in a fresh process on the same core, one after
the other: A B C A B C ... Nothing is compared with figures of other minutes. CPU seconds are those of the process
without loading the model; the first image of a process is not counted. Floating-point work is what the engine's plan
counts, for all programs. Before any figure is printed, the maps of all programs are compared: faster and different is
not faster. No figure decides anything here: this prints a table.
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def picture(size):
    """Coarse colour noise and some grain, in [-1, 1]."""
    rng = np.random.default_rng(3)
    cells = -(-size // 16)
    coarse = np.kron(rng.uniform(-1, 1, (16, 16, 3)), np.ones((cells, cells, 1)))[:size, :size]
    return np.clip(coarse + rng.normal(0, 0.1, coarse.shape), -1, 1).astype(np.float32)


def run(command, core, says=True):
    env = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    done = subprocess.run(["taskset", "-c", str(core)] + command, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit("compare: %s\n%s" % (" ".join(command), done.stderr.strip()))
    return json.loads(done.stdout.strip().splitlines()[-1]) if says else None


def agreement(mine, other):
    """How far apart two programs are: |difference| of scores and Grad-CAM over the maximum, correlation of saliency."""
    def read(prefix, what):
        return np.fromfile("%s.%s" % (prefix, what), np.float32).astype(np.float64)

    def apart(what):
        a, b = read(mine, what), read(other, what)
        return np.abs(a - b).max() / np.abs(a).max()

    return {"logits": apart("logits"), "gradcam": apart("gradcam"),
            "saliency": np.corrcoef(read(mine, "saliency"), read(other, "saliency"))[0, 1]}


def check(name, a):
    if not (a["logits"] < 1e-3 and a["gradcam"] < 1e-2 and a["saliency"] > 0.99):
        sys.exit("compare: %s computes something else: scores differ by %.2g, Grad-CAM by %.2g of the maximum, "
                 "saliency correlates by %.4f" % (name, a["logits"], a["gradcam"], a["saliency"]))


def cpu_name():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return "%s, %d processors" % (names[0] if names else platform.machine(), os.cpu_count())


def load_average():
    return "%.1f" % os.getloadavg()[0]


def rounds(programs, peak, core, count):
    """{name: [result, ..]}, [peak, ..], [load average, ..]"""
    results, peaks, loads = {name: [] for name in programs}, [], []
    for i in range(count):
        loads.append(load_average())
        peaks.append(run([peak, "1"], core))
        for name, command in programs.items():
            results[name].append(run(command, core))
            print("round %d: %-14s %.3f s" % (i + 1, name, min(results[name][-1]["cpu"])), file=sys.stderr)
    return results, peaks, loads


def table(results, peaks, agreements):
    engine = results["xaudit"]
    gflop = engine[0]["gflop"]
    out = ["| program | CPU s an image: best | median | wall: best | GFLOP/s | share of FMA peak | peak RSS MB | "
           "CPU time over xaudit's, by round | scores, Grad-CAM, saliency against xaudit |",
           "|---|---|---|---|---|---|---|---|---|"]
    for name, runs in results.items():
        cpu = [t for r in runs for t in r["cpu"]]
        wall = [t for r in runs for t in r["wall"]]
        shares = [100 * gflop / min(r["cpu"]) / p["gflops"] for r, p in zip(runs, peaks)]
        ratios = [min(r["cpu"]) / min(e["cpu"]) for r, e in zip(runs, engine)]
        a = agreements.get(name)
        out.append("| %s | %.3f | %.3f | %.3f | %.1f | %.0f %% (%.0f..%.0f) | %.0f | %s | %s |" % (
            name, min(cpu), float(np.median(cpu)), min(wall), gflop / min(cpu), float(np.median(shares)), min(shares),
            max(shares), max(r["peak_rss_mb"] for r in runs),
            "1" if name == "xaudit" else "%.2f (%.2f..%.2f)" % (float(np.median(ratios)), min(ratios), max(ratios)),
            "" if a is None else "%.1e, %.1e of the maximum, r %.5f" % (a["logits"], a["gradcam"], a["saliency"])))
    return out


def report(a, results, peaks, loads, agreements):
    e, t = results["xaudit"][0], results["torch shared"][0]
    best = min((r for r in results["xaudit"]), key=lambda r: min(r["cpu"]))
    return "\n".join([
        "# Speed and memory: the engine beside PyTorch",
        "",
        "Saliency and Grad-CAM (the last activation) of the predicted class, Xception %dx%d, batch 1, one core, "
        "%d rounds of %d images a program, the programs taking turns. Made by" % (a.size, a.size, a.rounds, a.images),
        "",
        "    tests/bench/run.sh",
        "",
        "on %s. Load average of the machine at the start of each round: %s." % (cpu_name(), ", ".join(loads)),
        "", *table(results, peaks, agreements), "",
        "FMA peak of one core, a round: %s GFLOP/s; copy %s GB/s (bytes read and written). One image: %.1f GFLOP." % (
            ", ".join("%.1f" % p["gflops"] for p in peaks), ", ".join("%.1f" % p["copy_gb"] for p in peaks),
            e["gflop"]),
        "",
        "xaudit: %s kernels, %s; best image: forward %.3f s, backward %.3f s, maps %.4f s. Memory: weights %.0f MB, "
        "buffers %.0f MB, of which %.1f MB are kept between forward and backward." % (
            e["isa"], e["blas"], min(best["forward"]), min(best["backward"]), min(best["maps"]), e["weight_mb"],
            e["arena_mb"], e["saved_mb"]),
        "",
        "torch: PyTorch %s, one thread. *shared*: channels_last, frozen parameters, one forward and one backward pass "
        "for both maps. *folded*: the same, batch normalisations folded into the convolutions beforehand. *naive*: "
        "default layout, parameters not frozen, a saliency pass and a separate Grad-CAM pass." % t["version"],
        ""])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    p.add_argument("--build", required=True, help="the build folder with bench_peak and bench_engine")
    p.add_argument("--torch", default=sys.executable, help="a Python with torch, numpy and h5py")
    p.add_argument("--size", type=int, default=512)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--images", type=int, default=5)
    p.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    p.add_argument("--out")
    a = p.parse_args()
    programs_at = os.path.join(a.build, "tests", "bench")
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "image.f32")
        picture(a.size).tofile(image)
        common = ["--size", str(a.size), "--images", str(a.images), "--input", image, "--dump"]
        peer = [a.torch, os.path.join(HERE, "peer_torch.py"), a.model]
        programs = {"xaudit": [os.path.join(programs_at, "bench_engine"), a.model] + common}
        for variant in ("shared", "folded", "naive"):
            programs["torch " + variant] = peer + ["--variant", variant] + common
        programs = {n: c + [os.path.join(folder, n.replace(" ", "-"))] for n, c in programs.items()}
        results, peaks, loads = rounds(programs, os.path.join(programs_at, "bench_peak"), a.core, a.rounds)
        agreements = {n: agreement(programs["xaudit"][-1], c[-1]) for n, c in programs.items() if n != "xaudit"}
    for name, value in agreements.items():
        check(name, value)
    text = report(a, results, peaks, loads, agreements)
    print(text)
    if a.out:
        with open(a.out, "w") as f:
            f.write(text)


if __name__ == "__main__":
    main()
