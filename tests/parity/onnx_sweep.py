#!/usr/bin/env python3
"""Exports many classifiers to ONNX and compares xaudit with onnxruntime (scores) and torch (gradients, Grad-CAM, rollout).

    onnx_sweep.py --xaudit build/xaudit --work FOLDER [--group torchvision|timm|huggingface] [--only NAME ...] [--again]
    onnx_sweep.py --work FOLDER --table results/onnx.md

Weights are random and seeded, nothing is downloaded. Inputs are as small as the network allows. Each network is built and
exported in a process of its own, by both exporters of torch.onnx.export (dy: dynamo=True; ts: dynamo=False, opset 17), and
`xaudit check --against` compares each file. Results are kept in FOLDER/results.jsonl, a line a file; files are removed once
they agree (`--keep`: never). Needs torch, torchvision, timm, transformers, onnx, onnxscript, onnxruntime, h5py.
"""
import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import onnx_networks as networks

EXPORTERS = ("dy", "ts")
# beyond so many weights float64 is left out
DOUBLE_LIMIT = 150_000_000
# Images are the first KEPT of so many seeds at which torch's own float32 gradient is that of float64 (1e-5): where a unit stands
# at its threshold, which side it takes is luck.
IMAGES, KEPT = 8, 3


# ------------------------------------------------------------------------------------------------ one network, a child

def randomise(model, torch):
    """Statistics and vectors that a fresh network leaves at 0 or 1 get values that show when one is lost."""
    g = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, p in list(model.named_parameters()) + list(model.named_buffers()):
            if not p.is_floating_point():
                continue
            if name.endswith("running_var"):
                p.copy_(0.75 + 0.5 * torch.rand(p.shape, generator=g))
            elif name.endswith("running_mean"):
                p.copy_(0.1 * torch.randn(p.shape, generator=g))
            elif isinstance(p, torch.nn.Parameter) and p.numel() and (p == p.flatten()[0]).all():
                first = float(p.flatten()[0])
                base = 0.5 if abs(first) < 1e-3 and first != 0 else first
                p.copy_(base + 0.1 * torch.randn(p.shape, generator=g))
            elif "relative_position_bias_table" in name:
                p.copy_(0.5 * torch.randn(p.shape, generator=g))


def export(model, x, path, kind, torch):
    if kind == "dy":
        torch.onnx.export(model, (x,), path, dynamo=True, verbose=False)
    else:
        torch.backends.mha.set_fastpath_enabled(False)
        torch.onnx.export(model, (x,), path, dynamo=False, opset_version=17, input_names=["input"], output_names=["output"],
                          dynamic_axes={"input": {0: "batch"}})


def affine_norm(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """torch.nn.functional.batch_norm in evaluation mode. torch 2.14.1's own has a wrong gradient where the one that comes
    back is expanded and not contiguous, as from x.flatten(2).transpose(1, 2).mean(1) behind it (LeViT)."""
    shape = [1, -1] + [1] * (x.dim() - 2)
    scale = (running_var + eps) ** -0.5
    scale = scale * weight if weight is not None else scale
    shift = -running_mean * scale
    return x * scale.view(shape) + (shift + bias if bias is not None else shift).view(shape)


def gradient(model, x, target, layer, torch):
    """Scores, the target's gradient at the input, and the layer's value and gradient."""
    plain = torch.nn.functional.batch_norm

    def norm(x, running_mean, *rest, **named):
        return (plain if running_mean is None else affine_norm)(x, running_mean, *rest, **named)
    torch.nn.functional.batch_norm = norm
    try:
        return gradient_of(model, x, target, layer, torch)
    finally:
        torch.nn.functional.batch_norm = plain


def gradient_of(model, x, target, layer, torch):
    kept = {}
    hook = None
    if layer:
        def keep(_, __, out):
            kept["a"] = out[0] if isinstance(out, tuple) else out
        hook = model.get_submodule(layer).register_forward_hook(keep)
    x = x.clone().requires_grad_()
    z = model(x)
    grads = torch.autograd.grad(z[0, target], [x] + ([kept["a"]] if layer else []))
    if hook:
        hook.remove()
    return z.detach(), grads[0], kept["a"].detach() if layer else None, grads[1] if layer else None


def image(seed, size, path, torch):
    """A seeded image of soft patches and some noise, as a file and as the network's input."""
    import numpy as np
    from PIL import Image
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (max(2, size // 8), max(2, size // 8), 3), dtype=np.uint8))
    pixels = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC)).astype(np.int64)
    pixels = np.clip(pixels + rng.integers(-20, 21, pixels.shape), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None].contiguous()


def child(group, name, folder):
    import h5py
    import numpy as np
    import onnxruntime
    import torch
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = networks.build(group, name)
    model, size = net["model"].eval(), net["size"]
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    randomise(model, torch)
    count = sum(p.numel() for p in model.parameters())
    layer, double = net.get("layer"), count <= DOUBLE_LIMIT
    kept = []
    images, keep = (2 * IMAGES, 2 * KEPT) if name.startswith("vgg") else (IMAGES, KEPT)
    for seed in range(images if double else 1):
        x = image(seed, size, os.path.join(folder, f"{seed}.png"), torch)
        with torch.no_grad():
            z = model(x)
        target = int(z[0].argmax())
        _, g, a, da = gradient(model, x, target, layer, torch)
        one = {"seed": seed, "x": x, "target": target, "g": g, "a": a, "da": da}
        steady = True
        if double:
            one["z64"], one["g64"], one["a"], one["da"] = gradient(model.double(), x.double(), target, layer, torch)
            model.float()
            steady = float(abs(g - one["g64"]).max()) < 1e-5 * float(abs(one["g64"]).max())
        if steady or seed == images - 1 and not kept:
            kept.append(one)
        if len(kept) == keep:
            break
    said = {"weights": count, "size": size, "classes": int(z.shape[1]), "images": [one["seed"] for one in kept], "exports": {}}
    os.replace(os.path.join(folder, f"{kept[0]['seed']}.png"), os.path.join(folder, "image.png"))
    x = kept[0]["x"]
    nhwc = lambda key: np.concatenate([one[key].permute(0, 2, 3, 1).numpy() for one in kept])
    ref = {"input": nhwc("x"), "target": np.array([one["target"] for one in kept], np.int32), "gradient": nhwc("g")}
    for kind in EXPORTERS:
        path = os.path.join(folder, f"{kind}.onnx")
        start = time.time()
        try:
            export(model, x, path, kind, torch)
            options = onnxruntime.SessionOptions()
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.intra_op_num_threads = 1
            session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            ref[f"logits.{kind}"] = np.concatenate([session.run([session.get_outputs()[0].name],
                                                                {session.get_inputs()[0].name: one["x"].numpy()})[0] for one in kept])
            del session
            said["exports"][kind] = {"seconds": round(time.time() - start, 1)}
            if double:  # how far onnxruntime's float32 is from float64
                z64 = np.concatenate([one["z64"].numpy() for one in kept])
                said["exports"][kind]["ort"] = float(abs(ref[f"logits.{kind}"] - z64).max() / abs(z64).max())
        except Exception as e:
            text = str(e).strip().splitlines() or [type(e).__name__]
            said["exports"][kind] = {"error": f"{type(e).__name__}: {text[0]}"[:200]}
            if os.path.exists(path):
                os.remove(path)
    if double:
        ref["gradient64"] = nhwc("g64")
    if layer and kept[0]["a"].dim() == 4:
        cams = []
        for one in kept:
            a, da = one["a"], one["da"]
            if net.get("nhwc"):
                a, da = a.permute(0, 3, 1, 2), da.permute(0, 3, 1, 2)
            cams.append(torch.relu((da.mean((2, 3), keepdim=True) * a).sum(1)).float().numpy())
        ref["gradcam"] = np.concatenate(cams)
    for kind in EXPORTERS:
        if f"logits.{kind}" not in ref:
            continue
        with h5py.File(os.path.join(folder, f"{kind}.ref.h5"), "w", libver=("v108", "v110")) as f:
            for key, text in {"format": "xaudit-reference 1", "model": f"{kind}.onnx", "score": "logit", "head": "softmax",
                              "script": "onnx_sweep.py", "framework": f"torch {torch.__version__}"}.items():
                f.attrs[key] = np.bytes_(text + "\0")
            f["logits"] = ref[f"logits.{kind}"]
            for key in ("input", "target", "gradient", "gradient64"):
                if key in ref:
                    f[key] = ref[key]
            if "gradcam" in ref:
                group_of = f.create_group("layers/0")
                group_of.attrs["layer"] = np.bytes_(layer + "\0")
                group_of["gradcam"] = ref["gradcam"]
    if net.get("rollout"):
        np.save(os.path.join(folder, "rollout.npy"), networks.rollout(net, model.float(), x))
    print("\n" + json.dumps(said))


# -------------------------------------------------------------------------------------------------------------- xaudit

JOB = """manifest: manifest.csv
output: out.{kind}.h5
models:
  - name: m
    file: {kind}.onnx
    head: softmax
    input: {{ size: [{size}, {size}], resize: pil-bilinear, scale: tf }}
    explainers:
      - {{ kind: saliency, target: predicted }}
{more}"""


def anonymous(pid):
    """Bytes of memory that are no mapped file."""
    try:
        with open(f"/proc/{pid}/status") as f:
            return next((int(line.split()[1]) * 1024 for line in f if line.startswith("RssAnon")), 0)
    except OSError:
        return 0


def run(argv, folder, seconds):
    """Exit code, all it printed, seconds, and the most memory it had, file mappings apart (seen 50 times a second)."""
    start = time.time()
    with open(os.path.join(folder, "said.txt"), "w+") as f:
        p = subprocess.Popen(argv, cwd=folder, stdout=f, stderr=subprocess.STDOUT, start_new_session=True)
        most = 0
        while True:
            most = max(most, anonymous(p.pid))
            pid, status, _ = os.wait4(p.pid, os.WNOHANG)
            if pid:
                break
            if time.time() - start > seconds:
                os.killpg(p.pid, 9)
                _, status, _ = os.wait4(p.pid, 0)
                break
            time.sleep(0.02)
        p.returncode = os.waitstatus_to_exitcode(status)
        f.seek(0)
        return p.returncode, f.read(), time.time() - start, most


def number(pattern, text):
    m = re.search(pattern, text)
    return float(m.group(1)) if m else None


def compare(xaudit, folder, kind, size):
    """What `check --against` says of one file."""
    with open(os.path.join(folder, "manifest.csv"), "w") as f:
        f.write("path,label\nimage.png,0\n")
    job = f"{kind}.yaml"
    with open(os.path.join(folder, job), "w") as f:
        f.write(JOB.format(kind=kind, size=size, more=""))
    code, said, seconds, memory = run([xaudit, "check", job, "--against", f"{kind}.ref.h5"], folder, 1200)
    r = {"code": code, "seconds": round(seconds, 1), "memory": memory,
         "logits": number(r"scores before the head\s+([0-9.e+-]+|nan)", said),
         "gradcam": number(r"Grad-CAM\s+([0-9.e+-]+|nan) of the map", said),
         "gradient": number(r"input gradient\s+error against float64 of the largest: median [^,]*, worst ([0-9.e+-]+|nan)", said),
         "median": number(r"against float64 of the largest: median ([0-9.e+-]+|nan)", said),
         "torch": number(r"float32: [0-9.e+-]+, ([0-9.e+-]+|nan),", said),
         "gradient32": number(r"input gradient\s+([0-9.e+-]+|nan) of the largest from", said)}
    if code:
        r["said"] = said.strip()[-1500:]
    return r


def best_image(xaudit, folder, kind, size, worst):
    """The smallest error of the gradient over the images of a reference, each looked at by itself."""
    import h5py
    best = worst
    with h5py.File(os.path.join(folder, f"{kind}.ref.h5")) as f:
        for i in range(len(f["target"])):
            one = os.path.join(folder, "one.ref.h5")
            with h5py.File(one, "w", libver=("v108", "v110")) as g:
                for key, value in f.attrs.items():
                    g.attrs[key] = value
                for key in ("logits", "input", "target", "gradient", "gradient64"):
                    g[key] = f[key][i:i + 1]
            _, said, _, _ = run([xaudit, "check", f"{kind}.yaml", "--against", "one.ref.h5"], folder, 1200)
            error = number(r"error against float64 of the largest: median [^,]*, worst ([0-9.e+-]+|nan)", said)
            best = error if error is not None and error < best else best
    return best


def compare_rollout(xaudit, folder, kind, size):
    import h5py
    import numpy as np
    job = f"{kind}.rollout.yaml"
    with open(os.path.join(folder, job), "w") as f:
        f.write(JOB.format(kind=kind, size=size, more="      - { kind: attention, method: rollout }\n"))
    out = os.path.join(folder, f"out.{kind}.h5")
    if os.path.exists(out):
        os.remove(out)
    code, said, _, _ = run([xaudit, "run", job], folder, 1200)
    if code:
        return {"rollout": None, "rollout_said": said.strip()[-600:]}
    want = np.load(os.path.join(folder, "rollout.npy"))
    found = []
    with h5py.File(out) as f:
        f.visititems(lambda path, d: found.append(d[()]) if isinstance(d, h5py.Dataset) and path.endswith("/values") and
                     "rollout" in path else None)
    if len(found) != 1:
        return {"rollout": None, "rollout_said": f"{len(found)} maps of rollout in the archive"}
    got = np.asarray(found[0], np.float64).reshape(want.shape)
    return {"rollout": float(abs(got - want).max() / abs(want).max())}


def sweep_one(args, group, name, results):
    folder = os.path.join(args.work, group, re.sub("[/ ]", "_", name))
    said_path = os.path.join(folder, "said.json")
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(said_path):
        code, text, _, _ = run([sys.executable, os.path.abspath(__file__), "--child", group, name, "--work", folder], folder, 3600)
        if code:
            last = text.strip().splitlines()[-1:] or [f"exit {code}"]
            results.append({"group": group, "name": name, "exporter": "-", "error": last[0][:300]})
            return
        with open(said_path, "w") as f:
            f.write(text.strip().splitlines()[-1])
    with open(said_path) as f:
        said = json.load(f)
    for kind, export_said in said["exports"].items():
        row = {"group": group, "name": name, "exporter": kind, "weights": said["weights"], "size": said["size"]}
        row.update(export_said)
        if "error" not in row:
            row.update(compare(args.xaudit, folder, kind, said["size"]))
            if (row["gradient"] or 0) > 1e-4:
                row["best"] = best_image(args.xaudit, folder, kind, said["size"], row["gradient"])
            if not row["code"] and os.path.exists(os.path.join(folder, "rollout.npy")):
                row.update(compare_rollout(args.xaudit, folder, kind, said["size"]))
        results.append(row)
        print(group, name, kind, row.get("error") or (f"logits {row['logits']} gradient {row['gradient']} cam {row['gradcam']} "
              f"rollout {row.get('rollout', '-')} {row['seconds']} s" if not row["code"] else
              f"EXIT {row['code']}: {row['said'][-600:]}"), flush=True)
    if not args.keep and all(not r.get("code") for r in results):
        for file in os.listdir(folder):
            if file not in ("said.json",):
                os.remove(os.path.join(folder, file))
        os.remove(said_path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xaudit")
    parser.add_argument("--work", required=True)
    parser.add_argument("--group", choices=list(networks.GROUPS))
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--again", action="store_true", help="also networks that agreed before")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--table")
    parser.add_argument("--child", nargs=2)
    args = parser.parse_args()
    args.work = os.path.abspath(args.work)
    if args.child:
        return child(*args.child, args.work)
    path = os.path.join(args.work, "results.jsonl")
    if args.table:
        return networks.table(path, args.table)
    os.makedirs(args.work, exist_ok=True)
    args.xaudit = os.path.abspath(args.xaudit)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    done = networks.latest(path)
    for group in [args.group] if args.group else networks.GROUPS:
        for name in networks.names(group):
            rows = [r for r in done.values() if r["group"] == group and r["name"] == name]
            if args.only and name not in args.only:
                continue
            if rows and not args.again and all(not r.get("code") for r in rows):
                continue
            results = []
            sweep_one(args, group, name, results)
            with open(path, "a") as f:
                for r in results:
                    f.write(json.dumps(r) + "\n")


if __name__ == "__main__":
    main()
