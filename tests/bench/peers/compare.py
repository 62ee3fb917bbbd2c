#!/usr/bin/env python3
"""xaudit's engine beside its peers: saliency and Grad-CAM of the predicted class, the same weights, the same picture.

  compare.py FOLDER --build FOLDER [--torch PYTHON] [--keras PYTHON] [--rounds 3] [--images 3] [--models a,b] [--out FILE.md]

FOLDER holds the models of make_models.py. First every program explains one picture, and the maps are compared: faster and
different is not faster. Then, on one core, rounds in which every program runs in a fresh process, one after the other, each
at the batch that served it best beforehand; each round measures the core's FMA peak as well, so that nothing is compared
with figures of other minutes. Then all cores: as many ranks of xaudit as there are cores, each peer with as many threads.
CPU and wall seconds are those of the passes, without loading. No figure decides anything here: this prints tables.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = {"xception512": 512, "xception299": 299, "vgg16": 224, "resnet50": 224, "densenet121": 224, "inceptionv3": 299,
         "mobilenetv2": 224}
TITLES = {"xception512": "Xception 512", "xception299": "Xception 299", "vgg16": "VGG16", "resnet50": "ResNet50",
          "densenet121": "DenseNet121", "inceptionv3": "InceptionV3", "mobilenetv2": "MobileNetV2"}
# Programs, and the batches that are tried for them.
PROGRAMS = {"xaudit fast": (1, 4), "xaudit strict": (1, 4), "torch shared": (1, 4), "torch folded": (1, 4),
            "torch compiled": (1,), "torch scripts": (1,), "keras function": (1,), "keras eager": (1,)}


def picture(size):
    """Coarse colour noise and some grain, in [-1, 1]."""
    rng = np.random.default_rng(3)
    cells = -(-size // 16)
    coarse = np.kron(rng.uniform(-1, 1, (16, 16, 3)), np.ones((cells, cells, 1)))[:size, :size]
    return np.clip(coarse + rng.normal(0, 0.1, coarse.shape), -1, 1).astype(np.float32)


def environment(threads):
    """One thread: PyTorch 2.13 takes oneDNN's convolutions for small batches only where it counts several threads, so it is
    told of two and given one; that is nearly twice as fast (0.62 s instead of 1.1 s, Xception 512)."""
    n = str(threads)
    if threads == 1:
        return dict(environment(2), OMP_THREAD_LIMIT="1", OPENBLAS_NUM_THREADS="1")
    return dict(os.environ, OMP_NUM_THREADS=n, OPENBLAS_NUM_THREADS=n, MKL_NUM_THREADS=n, CUDA_VISIBLE_DEVICES="")


def run(command, core, says=True):
    """On one core."""
    done = subprocess.run(["taskset", "-c", str(core)] + command, env=environment(1), capture_output=True, text=True)
    if done.returncode:
        sys.exit("compare: %s\n%s" % (" ".join(command), done.stderr.strip()))
    return json.loads(done.stdout.strip().splitlines()[-1]) if says else None


def cpu_name():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return "%s, %d processors" % (names[0] if names else platform.machine(), os.cpu_count())


def load_average():
    return "%.1f" % os.getloadavg()[0]


class Bench:
    def __init__(self, a, folder):
        self.a, self.folder, self.layers = a, folder, {}

    def command(self, program, model, batch, images, dump=None, threads=0):
        kind, variant = program.split()
        size = SIZES[model]
        image = os.path.join(self.folder, "%d.f32" % size)
        if not os.path.exists(image):
            picture(size).tofile(image)
        rest = [os.path.join(self.a.models_at, model + ".h5"), "--size", str(size), "--images", str(images), "--batch",
                str(batch), "--input", image] + (["--dump", dump] if dump else [])
        if kind == "xaudit":
            return [os.path.join(self.a.build, "tests/bench/bench_engine")] + rest + ["--numerics", variant]
        rest += ["--layer", self.layers[model], "--variant", variant, "--threads", str(threads)]
        if not threads:
            rest[-1] = "1" if kind == "keras" or variant == "scripts" else "2"
        if kind == "torch":
            return [self.a.torch, os.path.join(HERE, "peer_torch.py")] + rest
        return [self.a.keras, os.path.join(HERE, "peer_keras.py")] + rest

    def compare(self, model, programs):
        """Maps of all programs beside those of strict numerics: {program: (scores, Grad-CAM, saliency)}."""
        def read(prefix, what):
            return np.fromfile("%s.%s" % (prefix, what), np.float32).astype(np.float64)
        mine = os.path.join(self.folder, "mine")
        self.layers[model] = run(self.command("xaudit strict", model, 1, 1, mine), self.a.core)["layer"]
        out = {}
        for program in programs:
            other = os.path.join(self.folder, "other")
            run(self.command(program, model, 1, 1, other), self.a.core)
            apart = [np.abs(read(mine, w) - read(other, w)).max() / np.abs(read(mine, w)).max()
                     for w in ("logits", "gradcam")]
            r = float(np.corrcoef(read(mine, "saliency"), read(other, "saliency"))[0, 1])
            out[program] = (*apart, r)
            if not (apart[0] < 1e-3 and apart[1] < 1e-2 and r > 0.99):
                sys.exit("compare: %s on %s computes something else: scores differ by %.2g, Grad-CAM by %.2g of the "
                         "maximum, saliency correlates by %.4f" % (program, model, *apart, r))
        return out

    def best_batch(self, model, program):
        batches = PROGRAMS[program]
        if len(batches) == 1 or SIZES[model] > 400:
            return 1
        times = {b: min(run(self.command(program, model, b, 2), self.a.core)["cpu"]) for b in batches}
        return min(times, key=times.get)

    def one_core(self, model, programs):
        batches = {p: self.best_batch(model, p) for p in programs}
        results, peaks = {p: [] for p in programs}, []
        for _ in range(self.a.rounds):
            peaks.append(run([os.path.join(self.a.build, "tests/bench/bench_peak"), "0.5"], self.a.core)["gflops"])
            for p in programs:
                results[p].append(run(self.command(p, model, batches[p], self.a.images), self.a.core))
            print(model, {p: "%.3f" % min(results[p][-1]["cpu"]) for p in programs}, file=sys.stderr, flush=True)
        return batches, results, peaks

    def all_cores(self, model, program, batch, images):
        """Seconds an image with all cores at work: copies of xaudit, as its ranks are, or threads of a peer."""
        cores = os.cpu_count()
        if not program.startswith("xaudit"):
            r = subprocess.run(self.command(program, model, batch, images, threads=cores), env=environment(cores),
                               capture_output=True, text=True, check=True)
            return min(json.loads(r.stdout.strip().splitlines()[-1])["wall"])
        ranks = [subprocess.Popen(["taskset", "-c", str(i)] + self.command(program, model, batch, images),
                                  env=environment(1), stdout=subprocess.PIPE, text=True) for i in range(cores)]
        walls = [statistics.median(json.loads(p.communicate()[0].strip().splitlines()[-1])["wall"]) for p in ranks]
        return 1.0 / sum(1.0 / w for w in walls)


def tables(model, batches, results, peaks, apart):
    gflop = results["xaudit strict"][0]["gflop"]
    best = {p: min(min(r["cpu"]) for r in rs) for p, rs in results.items()}
    lines = ["", "## %s" % TITLES[model], "",
             "%.2f GFLOP an image as the graph has them; FMA peak of the core %s GFLOP/s." % (
                 gflop, ", ".join("%.0f" % p for p in peaks)), "",
             "| program | batch | CPU s an image, best | median | wall, best | GFLOP/s | of the FMA peak | "
             "times xaudit fast, median (range) | peak RSS MB | scores, Grad-CAM apart; saliency r |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for p, rs in results.items():
        ratios = [min(r["cpu"]) / min(e["cpu"]) for r, e in zip(rs, results["xaudit fast"])]
        share = statistics.median(gflop / min(r["cpu"]) / k for r, k in zip(rs, peaks))
        lines.append("| %s | %d | %.4f | %.4f | %.4f | %.0f | %.0f %% | %.2f (%.2f..%.2f) | %.0f | %s |" % (
            p, batches[p], best[p], statistics.median(t for r in rs for t in r["cpu"]), min(t for r in rs for t in r["wall"]),
            gflop / best[p], 100 * share, statistics.median(ratios), min(ratios), max(ratios),
            max(r["peak_rss_mb"] for r in rs), "%.0e, %.0e; %.5f" % apart[p] if p in apart else ""))
    return lines, {p: statistics.median(min(r["cpu"]) / min(e["cpu"]) for r, e in zip(rs, results["xaudit fast"]))
                   for p, rs in results.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("models_at")
    p.add_argument("--build", required=True, help="the build folder with bench_peak and bench_engine")
    p.add_argument("--torch", default=sys.executable, help="a Python with torch, captum, grad-cam, numpy and h5py")
    p.add_argument("--keras", help="a Python with tensorflow 2.15; without it Keras is left out")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--images", type=int, default=3)
    p.add_argument("--programs", default=",".join(PROGRAMS), help="some of: %(default)s")
    p.add_argument("--models", default=",".join(SIZES))
    p.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    p.add_argument("--out")
    a = p.parse_args()
    names = [n for n in a.models.split(",") if n]
    programs = [n for n in PROGRAMS if n in a.programs.split(",") and (a.keras or not n.startswith("keras"))]
    lines, summary, cores = [], [], []
    started = time.strftime("%Y-%m-%d"), load_average()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(a, folder)
        for model in names:
            apart = bench.compare(model, [q for q in programs if q != "xaudit strict"])
            batches, results, peaks = bench.one_core(model, programs)
            more, ratios = tables(model, batches, results, peaks, apart)
            lines += more
            summary.append((model, ratios, min(min(r["cpu"]) for r in results["xaudit fast"])))
            walls = {q: bench.all_cores(model, q, batches[q], a.images + 2)
                     for q in ("xaudit fast", "torch shared", "torch folded")}
            cores.append((model, walls))
    head = ["# The engine beside its peers", "",
            "Saliency and Grad-CAM of the predicted class, the same .h5 file for all programs. %s; load %s at the start; "
            "%d rounds of %d passes, programs taking turns on one core, each in its best of the batches tried. Made by" % (
                cpu_name(), started[1], a.rounds, a.images), "",
            "    tests/bench/peers/run.sh", "",
            "*xaudit* strict and fast numerics. *torch shared*: PyTorch 2.13, channels_last, oneDNN, parameters frozen, one "
            "forward and one backward pass for both maps; *folded*: batch normalisations folded beforehand; *compiled*: folded "
            "and torch.compile; *scripts*: captum's Saliency, then pytorch-grad-cam's GradCAM, as people write it, with torch.set_num_threads(1); the others "
            "are told of two threads and given one, since PyTorch takes oneDNN's convolutions for small batches only then. *keras*: "
            "a GradientTape each, *eager* as in tutorials, *function* in one tf.function.", "",
            "## CPU time over xaudit's (fast), one core", "",
            "| model | xaudit, s | " + " | ".join(q for q in programs if q != "xaudit fast") + " |",
            "| --- | --- | " + " | ".join("---" for q in programs if q != "xaudit fast") + " |"]
    for model, ratios, seconds in summary:
        head.append("| %s | %.4f | " % (TITLES[model], seconds) +
                    " | ".join("%.2f" % ratios[q] for q in programs if q != "xaudit fast") + " |")
    head += ["", "## All cores, seconds an image", "",
             "xaudit: a rank a core; PyTorch: a thread a core.", "",
             "| model | xaudit fast | torch shared | torch folded | ratios |", "| --- | --- | --- | --- | --- |"]
    for model, w in cores:
        head.append("| %s | %.4f | %.4f | %.4f | %.2f, %.2f |" % (
            TITLES[model], w["xaudit fast"], w["torch shared"], w["torch folded"],
            w["torch shared"] / w["xaudit fast"], w["torch folded"] / w["xaudit fast"]))
    text = "\n".join(head + lines) + "\n"
    print(text)
    if a.out:
        with open(a.out, "w", encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    main()
