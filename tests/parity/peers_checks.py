"""Checks of xaudit beside captum's, Quantus' and pytorch-grad-cam's metrics; and what references do otherwise.

References look at the very maps that xaudit stored: both sides rank, sum and perturb the same numbers. Where a reference
does another thing by its name, it is called so that it does the named one (Quantus' PixelFlipping, which removes channel
values one by one, is given the network as a function of a mask of one channel), or its departure is measured.
"""
import math

import h5py
import numpy as np
import torch

import peers_maps as P

M = P.M
STEPS, DRAWS, MOVES = 8, 8, 3
CHECKS = ["checks:", f"  - {{ kind: deletion, steps: {STEPS}, ties: first }}", f"  - {{ kind: insertion, steps: {STEPS}, ties: first }}",
          "  - { kind: road, noise: 0, ties: first }", f"  - {{ kind: infidelity, draws: {DRAWS} }}",
          f"  - {{ kind: max_sensitivity, draws: {MOVES} }}", "  - { kind: complexity }"]


# ---- what departs from its definition ----

def spearman(a, b):
    return M.spearman(np.asarray(a), np.asarray(b))


def defects_of_maps(cases, rise, out):
    """Numbers of the first case: the reference as it is, beside the same with its departure undone."""
    c = cases[0]
    lines = []
    asis, w = P.score_cam(c, False)
    undone, v = P.score_cam(c, True)
    lines.append(f"pgc ScoreCAM takes a softmax over its channels' logits and aligns corners: the weights of {P.CHANNELS} channels, "
                 f"probabilities of {v.min():.3g} to {v.max():.3g}, become {w.min():.3g} to {w.max():.3g}; the map's rank "
                 f"correlation with that of the authors' weights is {spearman(asis, undone):.3f}")
    if c.model.name != "xception":
        lines.append("pgc FullGrad normalises every channel apart, and leaves out the dense bias: its rank correlation with the "
                     f"definition is {spearman(P.fullgrad(c), P.fullgrad_defined(c)):.3f}")
    from captum.attr._utils.approximation_methods import approximation_parameters
    sums = [sum(approximation_parameters(k)[0](P.STEPS)) for k in ("riemann_trapezoid", "riemann_middle", "gausslegendre")]
    lines.append(f"captum's riemann_trapezoid is not complete: its weights of {P.STEPS} points add up to {sums[0]:.3f}, those of "
                 f"riemann_middle to {sums[1]:.3f}, of gausslegendre to {sums[2]:.3f}")
    if rise:
        ours = P.rise(c, rise)
        batch = rise.RISEBatch(lambda u: torch.softmax(c.model.module(u), 1), (c.model.size, c.model.size), gpu_batch=8)
        batch.masks, batch.N, batch.p1 = torch.from_numpy(P.masks(c))[:, None], P.MASKS, 0.5
        with torch.no_grad():
            ratio = batch(c.x)[0, c.target].numpy().max() / ours.max()
        lines.append(f"RISE's RISEBatch leaves out 1/(N p): its map is {ratio:.1f} times that of RISE (N p = {P.MASKS * 0.5:.0f})")
    write_defects(lines, out)


def write_defects(lines, out):
    out.append("\nWhat references do otherwise:\n")
    for line in lines:
        print("   ", line, flush=True)
        out.append(f"- {line}")


# ---- the checks ----

class OfMask(torch.nn.Module):
    """The network of x where a mask is 1, and of the baseline where it is 0: an "image" of one channel."""

    def __init__(self, case, base):
        super().__init__()
        self.case, self.base = case, base

    def forward(self, m):
        m = m.double()
        return self.case.model.module(self.case.x * m + self.base * (1 - m))


def flipping(c, a, start, end):
    """Quantus' PixelFlipping of a map [S,S] from one picture to another: p after each step."""
    import quantus
    s = c.model.size
    both = type("Both", (), {"model": c.model, "x": start})
    metric = quantus.PixelFlipping(features_in_step=s * s // STEPS, perturb_baseline=0.0, normalise=False, disable_warnings=True)
    curve = metric(OfMask(both, end).eval(), np.ones((1, 1, s, s), np.float32), np.array([c.target]), a[None, None].astype(np.float32),
                   channel_first=True, softmax=True)
    return np.asarray(curve, np.float64).reshape(-1)


def road_probs(c, a):
    """p where pgc's imputer (the authors' code, without noise) fills what is removed."""
    from pytorch_grad_cam.metrics.road import NoisyLinearImputer
    s, out = c.model.size, []
    order = M.order_of(a)
    fill = NoisyLinearImputer(noise=0.0)
    for first in (order, order[::-1]):
        for q in (10, 30, 50, 70, 90):
            mask = np.ones(s * s)
            mask[first[:int(math.floor(s * s * q / 100 + 0.5))]] = 0
            x = fill(c.x[0].float(), torch.from_numpy(mask.reshape(s, s)))
            with torch.no_grad():
                out.append(float(torch.softmax(c.model.module(x[None].double()), 1)[0, c.target]))
    return np.array(out)


def infidelity(c, signed, scaled):
    from captum.metrics import infidelity as captum_infidelity
    noise = torch.stack([0.2 * c.noise(M.P_INF, d) for d in range(DRAWS)])

    def perturb(x):
        assert len(x) == DRAWS
        return noise, x - noise
    return float(captum_infidelity(c.model.module, perturb, c.x, torch.from_numpy(signed)[None], target=c.target,
                                   n_perturb_samples=DRAWS, normalize=scaled)[0])


def sensitivity(c):
    """captum's views of the map fail on a transformer's strided gradients: they are made contiguous for it."""
    from captum.attr import Saliency
    from captum.metrics import sensitivity_max
    s = c.model.size
    moves = torch.stack([torch.from_numpy(np.ascontiguousarray((0.02 * (2 * c.uniform(M.P_SENS, d, s * s * 3) - 1)).reshape(
        s, s, 3).transpose(2, 0, 1))) for d in range(MOVES)])
    explain = Saliency(c.model.module)

    def first(x):
        return x[0] if isinstance(x, tuple) else x

    def perturb(x, radius):
        assert len(first(x)) == MOVES
        return (first(x) + moves,)

    def maps(x):
        return (explain.attribute(first(x), target=c.target, abs=False).contiguous(),)
    return float(sensitivity_max(maps, c.x, perturb, n_perturb_samples=MOVES)[0])


def refused(f):
    try:
        return f"gives {f()}"
    except Exception as e:  # whatever a library raises is what is told
        return f"raises {type(e).__name__} ({str(e).splitlines()[0][:80]})"


def quantus_road(c, a):
    import quantus
    return quantus.ROAD(percentages=[10, 50], normalise=False, disable_warnings=True)(
        c.model.module.float(), c.x.numpy().astype(np.float32), np.array([c.target]), np.repeat(a[None, None], 3, 1).astype(np.float32),
        channel_first=True)


def row(out, model, name, reference, far, bound):
    word = "agrees" if far < bound else "**differs**"
    print(f"{model:12} check {name:44} {reference:44} {far:.1e} {word}", flush=True)
    out.append(f"| {name} | {reference} | {far:.1e} | {word} |")


def compare(args, model, pixels, run, cases_of, out):
    explainers = ["kind: gradient, name: g"]
    if not model.tokens:
        explainers.append(f"kind: gradcam, layer: {model.layer[0]}, name: cam")
    archive, _ = run(args, model, explainers, CHECKS, "checks")
    cases, _ = cases_of(model, pixels, archive)
    out.append(f"\n### Checks, {model.name}\n\n| check | reference | largest difference | |\n| --- | --- | --- | --- |")
    s = model.size
    with h5py.File(archive) as f:
        def figures(e, kind):
            group = f[f"checks/m/{e}/{kind}"]
            names = group.attrs["figures"] if "figures" in group.attrs else group["figures"].attrs["names"]
            names = names.decode() if isinstance(names, bytes) else names
            return dict(zip(str(names).replace(",", " ").split(), group["figures"][:].T))

        def probs(e, kind, i):
            return f[f"checks/m/{e}/{kind}/probs"][i, 0].astype(np.float64)
        for e in ["g", "cam"][:len(explainers)]:
            far = {}
            for i, c in enumerate(cases):
                m = f[f"maps/m/{e}/values"][i].astype(np.float64)
                # pixels are ranked by the sum over channels, counted by their sizes
                a = m.sum(0) if e == "g" else M.upsample(m[0], s, s)
                sizes = np.abs(m).sum(0) if e == "g" else np.abs(a)
                black, soft = model.black(c.x), M.blur(c.x, s / 8)
                if s * s % STEPS == 0:
                    for kind, start, end in (("deletion", c.x, black), ("insertion", soft, c.x)):
                        far.setdefault((f"{kind}, curve of p", "Quantus PixelFlipping, by pixels"), []).append(
                            np.abs(flipping(c, a, start, end) - probs(e, kind, i)[1:]).max())
                far.setdefault(("road, p at ten shares", "pgc's imputer of ROAD, the authors' code"), []).append(
                    np.abs(road_probs(c, a) - probs(e, "road", i)).max())
                share = float((sizes > 0.01 * sizes.max()).mean())
                far.setdefault(("complexity", "pixels above 1 % of the maximum"), []).append(
                    abs(share - figures(e, "complexity")["share"][i]))
                if e == "g":
                    for name, scaled in (("plain", False), ("scaled", True)):
                        want = infidelity(c, m, scaled)
                        far.setdefault((f"infidelity, {name}", "captum infidelity"), []).append(
                            abs(figures(e, "infidelity")[name][i] / want - 1))
                    want = sensitivity(c)
                    far.setdefault(("max_sensitivity", "captum sensitivity_max"), []).append(
                        abs(figures(e, "max_sensitivity")["max"][i] / want - 1))
                else:
                    scores = f[f"maps/m/{e}/scores"]
                    small = quantus_of_maps_at(c, m[0])
                    for name, ref in (("entropy", "Quantus Complexity"), ("gini", "Quantus Sparseness")):
                        far.setdefault((f"{name} of the map", ref), []).append(abs(small[name] - float(scores[name][i])))
            for (name, reference), values in far.items():
                row(out, model.name, f"{name}, of {'gradient' if e == 'g' else 'gradcam'}", reference, float(max(values)), 1e-3)
        a = np.abs(f["maps/m/g/values"][0].astype(np.float64)).sum(0)
    write_defects([f"Quantus ROAD on an RGB image {refused(lambda: quantus_road(cases[0], a))}"], out)
    model.module.double()


def quantus_of_maps_at(c, m):
    """entropy and gini of a map at its own grid."""
    import quantus
    x = np.zeros((1, 1) + m.shape)
    given = dict(model=c.model.module, x_batch=x, y_batch=np.array([c.target]), a_batch=m[None, None])
    kw = dict(normalise=False, abs=True, disable_warnings=True)
    return {"entropy": float(quantus.Complexity(**kw)(**given)[0]) / math.log(m.size),
            "gini": float(quantus.Sparseness(**kw)(**given)[0])}
