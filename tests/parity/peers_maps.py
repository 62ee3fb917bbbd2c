"""Maps of xaudit beside those of captum, pytorch-grad-cam and RISE, explainer by explainer.

Each function returns what a reference gives for one image and class, shaped as xaudit's map ([C,H,W], [h,w] of a layer,
[H,W]). References are called with the noise, masks and channels that xaudit draws, by the generator of
tests/golden/faithfulness/make.py. Where a reference departs from the paper, `defects` runs it as it is and with the
departure undone: the second must agree, the first says how much the departure moves.
"""
import contextlib
import io
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden", "faithfulness"))
import make as M  # noqa: E402  the generator and the definitions

STEPS, DRAWS, MASKS, CELLS, WINDOWS, CHANNELS = 8, 4, 24, 7, 4, 12


class Case:
    """One image and class of a model: x [1,3,S,S] in double, the predicted class, the seed of its noise."""

    def __init__(self, model, x, seed):
        self.model, self.x, self.seed = model, x, seed
        with torch.no_grad():
            self.logits = model.module(x)[0].numpy()
        self.target = int(self.logits.argmax())
        self._layer = None

    def uniform(self, purpose, draw, count):
        return M.unit(self.seed, M.stream(purpose, draw), np.arange(count))

    def noise(self, purpose, draw):
        """Standard normal, [3,S,S]."""
        s = self.model.size
        v = M.normal(self.seed, M.stream(purpose, draw), s * s * 3)
        return torch.from_numpy(np.ascontiguousarray(v.reshape(s, s, 3).transpose(2, 0, 1)))

    def layer(self, module=None, prob=False):
        """A and dS/dA of a layer, [K,h,w] or tokens [T,D]; S the logit, or the probability."""
        module = module or self.model.layer[1]
        keep = {}
        hook = module.register_forward_hook(lambda m, i, o: keep.__setitem__("a", o))
        z = self.model.module(self.x.clone().requires_grad_(True))[0]
        z = (torch.softmax(z, 0) if prob else z)[self.target]
        hook.remove()
        g = torch.autograd.grad(z, keep["a"])[0]
        return keep["a"].detach()[0].numpy(), g[0].numpy()

    def chosen(self, prob=False):
        """The channels that xaudit asks about: largest mean |A g|, g of the score that is explained; ascending."""
        a, g = self.layer(prob=prob)
        size = np.abs(a * g).mean((1, 2))
        return np.sort(np.argsort(-size, kind="stable")[:CHANNELS])


def in_single(c, want):
    """What a reference gives in float32."""
    other = Case.__new__(Case)
    other.__dict__.update(c.__dict__, x=c.x.float())
    c.model.module.float()
    try:
        return want(other)
    finally:
        c.model.module.double()


@contextlib.contextmanager
def replaced(where, name, what):
    """A name of a module stands for something else for a while."""
    old = getattr(where, name)
    setattr(where, name, what)
    try:
        yield
    finally:
        setattr(where, name, old)


def quietly(f, *args, **kwargs):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return f(*args, **kwargs)


# ---- captum ----

def gradient(c):
    from captum.attr import Saliency
    return Saliency(c.model.module).attribute(c.x.clone().requires_grad_(True), target=c.target, abs=False)[0].detach().numpy()


def integrated(c, method):
    from captum.attr import IntegratedGradients
    return IntegratedGradients(c.model.module).attribute(c.x, c.model.black(c.x).to(c.x.dtype), target=c.target, n_steps=STEPS,
                                                         method=method, internal_batch_size=4)[0].detach().numpy()


def noise_tunnel(c, kind):
    """captum draws by torch.normal: it is given our numbers, once a draw."""
    from captum.attr import NoiseTunnel, Saliency
    sigma = 0.15 * float(c.x.max() - c.x.min())
    noise = torch.stack([c.noise(M.P_SMOOTH, d) for d in range(DRAWS)]).to(c.x.dtype)

    def normal(mean, std):
        assert tuple(std.shape) == tuple(noise.shape)
        return std * noise
    with replaced(torch, "normal", normal):
        out = NoiseTunnel(Saliency(c.model.module)).attribute(c.x, nt_type=kind, nt_samples=DRAWS, stdevs=sigma,
                                                              target=c.target, abs=False)
    return out[0].detach().numpy()


def occlusion(c):
    from captum.attr import Occlusion
    side = -(-c.model.size // WINDOWS)
    step = side // 2
    return Occlusion(c.model.module).attribute(c.x, (3, side, side), strides=(3, step, step), baselines=0.0,
                                               target=c.target)[0].mean(0).numpy()


def occlusion_defined(c):
    """By the definition, where windows do not fit evenly: the last is moved in (captum cuts it off at the edge)."""
    n, side = c.model.size, -(-c.model.size // WINDOWS)
    begins = [min(b, n - side) for b in range(0, n - side + side // 2, side // 2)]
    total, covered = np.zeros((n, n)), np.zeros((n, n))
    for y in begins:
        for x in begins:
            hidden = c.x.clone()
            hidden[..., y:y + side, x:x + side] = 0
            with torch.no_grad():
                total[y:y + side, x:x + side] += c.logits[c.target] - float(c.model.module(hidden)[0, c.target])
            covered[y:y + side, x:x + side] += 1
    return total / covered


def layer_gradcam(c):
    from captum.attr import LayerGradCam
    return LayerGradCam(c.model.module, c.model.layer[1]).attribute(c.x, target=c.target,
                                                                    relu_attributions=True)[0, 0].detach().numpy()


# ---- pytorch-grad-cam ----

def cam(c, name, layers=None, prepare=None):
    """The raw map of a CAM class at the layer's grid, before it is scaled."""
    import pytorch_grad_cam as pgc
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    method = quietly(getattr(pgc, name), c.model.module, layers or [c.model.layer[1]])
    if prepare:
        prepare(method)
    a, g = c.layer()
    with method:
        out = quietly(method.get_cam_image, c.x, c.model.layer[1], [ClassifierOutputTarget(c.target)], a[None], g[None], False)
    return np.asarray(out)[0]


def relu(v):
    return np.maximum(v, 0)


def eigencam(c):
    v = cam(c, "EigenCAM")
    return -v if abs(v.min()) > abs(v.max()) else v  # LAPACK leaves the sign open


def finer(c):
    """FinerCAM's own targets; the map by its base method."""
    import pytorch_grad_cam as pgc
    keep = {}
    method = quietly(pgc.FinerCAM, c.model.module, [c.model.layer[1]])
    own = method.base_cam.get_cam_image

    def image(*args):
        keep["map"] = own(*args)
        return keep["map"]
    method.base_cam.get_cam_image = image
    quietly(method, c.x.clone().requires_grad_(True))
    return relu(keep["map"][0])


def fused_layercam(c):
    """Of each layer pgc's LayerCAM at its grid; fused as xaudit says: over its maximum, enlarged, the pixelwise maximum."""
    maps = []
    for module in (c.model.early[1], c.model.layer[1]):
        a, g = c.layer(module)
        import pytorch_grad_cam as pgc
        with quietly(pgc.LayerCAM, c.model.module, [module]) as method:
            m = relu(method.get_cam_image(None, None, None, a[None], g[None], False)[0])
        m = m / m.max() if m.max() > 0 else m
        maps.append(M.upsample(m, c.model.size, c.model.size))
    return np.max(maps, 0)


def score_cam(c, undo):
    """Of the chosen channels. `undo`: enlarged by half-pixel centres and weighted by the probability, as the authors do;
    pgc aligns corners and takes a softmax over the channels' logits."""
    import pytorch_grad_cam as pgc
    a, _ = c.layer()
    picked = a[c.chosen(prob=True)]
    method = quietly(pgc.ScoreCAM, c.model.module, [c.model.layer[1]])

    def target(z):
        return torch.softmax(z, -1)[c.target] if undo else z[c.target]
    with method, contextlib.ExitStack() as stack:
        if undo:
            stack.enter_context(replaced(torch.nn, "UpsamplingBilinear2d",
                                         lambda size: torch.nn.Upsample(size=size, mode="bilinear", align_corners=False)))
            stack.enter_context(replaced(torch.nn, "Softmax", lambda dim: torch.nn.Identity()))
        w = quietly(method.get_cam_weights, c.x, None, [target], picked[None], None)[0]
    return relu(np.tensordot(np.asarray(w, np.float64), picked, 1)), np.asarray(w, np.float64)


def ablation_cam(c):
    import pytorch_grad_cam as pgc
    from pytorch_grad_cam.ablation_layer import AblationLayer
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    chosen = c.chosen().astype(np.int32)

    class Chosen(AblationLayer):
        def activations_to_be_ablated(self, activations, ratio_channels_to_ablate=1.0):
            self.indices = chosen
            return self.indices
    a, _ = c.layer()
    method = quietly(pgc.AblationCAM, c.model.module, [c.model.layer[1]], ablation_layer=Chosen(), batch_size=8)
    with method:
        w = quietly(method.get_cam_weights, c.x, c.model.layer[1], [ClassifierOutputTarget(c.target)], a[None], None)[0]
    return relu(np.tensordot(w, a, 1))


def fullgrad(c):
    import pytorch_grad_cam as pgc
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    method = quietly(pgc.FullGrad, c.model.module, [])
    with method:
        return quietly(method, c.x.clone().requires_grad_(True), [ClassifierOutputTarget(c.target)])[0]


def fullgrad_defined(c):
    """By the definition: every constant's layer normalised as a whole, the dense bias told apart (it has no place)."""
    import torch.nn as nn
    s = c.model.size
    x = c.x.clone().requires_grad_(True)
    kept = []
    hooks = [m.register_forward_hook(lambda m, i, o: kept.append((m, o))) for m in c.model.module.modules()
             if isinstance(m, (nn.Conv2d, nn.BatchNorm2d))]
    z = c.model.module(x)[0, c.target]
    for h in hooks:
        h.remove()
    grads = torch.autograd.grad(z, [x] + [o for _, o in kept])

    def psi(v):
        v = v.abs() - v.abs().min()
        return v / (v.max() + 1e-6)
    out = psi(x.detach() * grads[0])[0].sum(0)
    for (m, _), g in zip(kept, grads[1:]):
        if isinstance(m, nn.Conv2d):
            if m.bias is None:
                continue
            b = m.bias
        else:
            b = m.bias - m.running_mean * m.weight / torch.sqrt(m.running_var + m.eps)
        v = psi(g * b[None, :, None, None])
        out = out + F.interpolate(v.sum(1, keepdim=True), (s, s), mode="bilinear", align_corners=False)[0, 0]
    return out.detach().numpy()


# ---- RISE's own code ----

def masks(c):
    s, cell = c.model.size, -(-c.model.size // CELLS)
    out = []
    for d in range(MASKS):
        grid = (c.uniform(M.P_RISE, d, CELLS * CELLS) < 0.5).astype(float).reshape(CELLS, CELLS)
        oy, ox = (M.below(c.seed, M.stream(M.P_RISE, d), k, cell) for k in (1000, 1001))
        out.append(M.upsample(grid, (CELLS + 1) * cell, (CELLS + 1) * cell)[oy:oy + s, ox:ox + s])
    return np.stack(out)


def rise(c, code):
    """The authors' RISE, which is given our masks."""
    module = c.model.module
    r = code.RISE(lambda v: torch.softmax(module(v), 1), (c.model.size, c.model.size), gpu_batch=8)
    r.masks, r.N, r.p1 = torch.from_numpy(masks(c))[:, None], MASKS, 0.5
    with torch.no_grad():
        return r(c.x)[c.target].numpy()
