"""Golden values of explainers and checks: a tiny CNN and ViT, trained for seconds on drawn shapes.

python make.py train    models and images (done once, gives other weights each time: keep the files that lie here)
python make.py golden   expected.h5 from them

Every golden is computed here in float64 from its definition. Where a reference implementation exists it is run
too, with the same noise, and the largest difference (of the reference's maximum) is an attribute of the group
"agreement". Needs numpy, torch, timm, safetensors, scipy, h5py, Pillow; captum, grad-cam and quantus (+ scikit-image)
to compare (captum 0.9, grad-cam 1.5.7, Quantus 0.6 were used).

expected.h5: /<cnn|vit>/maps/<name> float32 [image, ...] ([H,W,C] of the input, [h,w] of a grid; of maps with
channels, the gradient apart, the first two images; "road_filled_30" of image 0 alone), /<cnn|vit>/<score> float64 with
images along the first axis, /philox/<call>. A "/" of a name below is "." there, other signs are "_". Images are in the
order of images/*.png; the noise of image i has the seed 1000 + i.
"""
import json, math, os, sys, warnings
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from PIL import Image
from scipy import ndimage, stats, sparse
from scipy.sparse.linalg import spsolve
warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
CFG = json.load(open(os.path.join(HERE, "config.json")))
N, S, K = CFG["images"], CFG["size"], CFG["classes"]
torch.set_num_threads(1)

# ---- the counter-based generator (xa_philox), vectorised over counters ----
def philox(seed, stream, counter):
    c = np.asarray(counter, dtype=np.uint64)
    m = np.uint64(0xffffffff)
    sh = np.uint64(32)
    c0, c1 = c & m, c >> sh
    c2 = np.full_like(c, stream & 0xffffffff)
    c3 = np.full_like(c, (stream >> 32) & 0xffffffff)
    k0, k1 = seed & 0xffffffff, (seed >> 32) & 0xffffffff
    for _ in range(10):
        p0, p1 = np.uint64(0xd2511f53) * c0, np.uint64(0xcd9e8d57) * c2
        c0, c1, c2, c3 = (p1 >> sh) ^ c1 ^ np.uint64(k0), p1 & m, (p0 >> sh) ^ c3 ^ np.uint64(k1), p0 & m
        k0, k1 = (k0 + 0x9e3779b9) & 0xffffffff, (k1 + 0xbb67ae85) & 0xffffffff
    return c0, c1, c2, c3

def unit(seed, stream, counter):
    w = philox(seed, stream, counter)
    return ((w[1] << np.uint64(32) | w[0]) >> np.uint64(11)).astype(np.float64) * 2.0 ** -53

def normal(seed, stream, n):
    """n standard normals; values 2j and 2j+1 are cos and sin of Box-Muller over the block at counter j."""
    w = philox(seed, stream, np.arange((n + 1) // 2))
    u1 = 1.0 - ((w[1] << np.uint64(32) | w[0]) >> np.uint64(11)).astype(np.float64) * 2.0 ** -53
    u2 = ((w[3] << np.uint64(32) | w[2]) >> np.uint64(11)).astype(np.float64) * 2.0 ** -53
    r, t = np.sqrt(-2.0 * np.log(u1)), 2.0 * np.pi * u2
    return np.stack([r * np.cos(t), r * np.sin(t)], 1).reshape(-1)[:n]

def below(seed, stream, counter, n):
    w = philox(seed, stream, [counter])
    return (int(w[1][0]) << 32 | int(w[0][0])) * n >> 64

def shuffle(seed, stream, n):
    """Fisher-Yates from the end: element j swaps with below(seed, stream, j, j + 1)."""
    w, m1 = philox(seed, stream, np.arange(n)), np.arange(1, n + 1, dtype=np.uint64)
    k, p = ((w[1] * m1 + (w[0] * m1 >> np.uint64(32))) >> np.uint64(32)).astype(int).tolist(), list(range(n))
    for j in range(n - 1, 0, -1): p[j], p[k[j]] = p[k[j]], p[j]
    return np.array(p)

def stream(purpose, draw): return purpose << 32 | draw
P_SMOOTH, P_EG, P_UNIFORM, P_RISE, P_SUBSET, P_SENS, P_ROAD, P_WEIGHTS, P_INF, P_RANDOM, P_TIES = range(1, 12)

# ---- models ----
class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        c, seq = 3, []
        for d in CFG["cnn"]["convs"]:
            seq.append(nn.Conv2d(c, d["out"], d["k"], padding=d["k"] // 2, bias=d["bias"]))
            if d["bn"]: seq.append(nn.BatchNorm2d(d["out"], eps=1e-3))
            seq.append(nn.ReLU())
            if d["pool"]: seq.append(nn.MaxPool2d(2))
            c = d["out"]
        self.features, self.head = nn.Sequential(*seq), nn.Linear(c, K)
    def forward(self, x): return self.head(self.features(x).mean((2, 3)))

def make_vit():
    from timm.models.vision_transformer import VisionTransformer
    v = CFG["vit"]
    m = VisionTransformer(img_size=S, patch_size=v["patch"], embed_dim=v["dim"], depth=v["depth"], num_heads=v["heads"],
                          mlp_ratio=v["mlp"], num_classes=K, reg_tokens=v["reg"])
    for b in m.blocks: b.attn.fused_attn = False
    return m

def draw(rng, k):
    """An image of class k: a shape of the class's colour somewhere on coloured noise, uint8 [S,S,3]."""
    img = rng.normal(110, 25, (S, S, 3)) + rng.normal(0, 20, 3)
    r = S // 5
    cy, cx = rng.integers(r, S - r, 2)
    yy, xx = np.mgrid[:S, :S] - np.array([cy, cx])[:, None, None]
    d = [np.maximum(abs(yy), abs(xx)) <= r, yy ** 2 + xx ** 2 <= r * r, (abs(yy) <= 0) | (abs(xx) <= 0),
         abs(yy) + abs(xx) <= r, (abs(yy) <= r) & (abs(xx) <= 1)][k]
    d = d & (np.maximum(abs(yy), abs(xx)) <= r)
    img[d] = np.array([[220, 40, 40], [40, 200, 60], [50, 60, 230], [220, 210, 40], [200, 60, 200]][k]) + rng.normal(0, 18, 3)
    return np.clip(np.rint(img), 0, 255).astype(np.uint8)

def to_x(img): return torch.from_numpy(img.astype(np.float64).transpose(0, 3, 1, 2) / 127.5 - 1.0)   # scale: tf

def train():
    from safetensors.torch import save_file
    torch.manual_seed(CFG["seed"])
    rng = np.random.default_rng(CFG["seed"])
    os.makedirs(os.path.join(HERE, "images"), exist_ok=True)
    y = rng.integers(0, K, 2000)
    x = to_x(np.stack([draw(rng, k) for k in y])).float()
    for name, m, steps, lr in (("tiny_cnn", Cnn(), 400, 4e-3), ("tiny_vit", make_vit(), 400, 2e-3)):
        opt = torch.optim.Adam(m.parameters(), lr)
        m.train()
        for i in range(steps):
            j = torch.from_numpy(rng.integers(0, len(x), 64))
            loss = F.cross_entropy(m(x[j]), torch.from_numpy(y)[j]) ; opt.zero_grad(); loss.backward(); opt.step()
        m.eval()
        print(name, "loss", float(loss), "accuracy", float((m(x).argmax(1).numpy() == y).mean()))
        save_file({k: v.float().contiguous() for k, v in m.state_dict().items() if "num_batches" not in k}, os.path.join(HERE, name + ".safetensors"))
    json.dump({"num_heads": CFG["vit"]["heads"]}, open(os.path.join(HERE, "tiny_vit.json"), "w"))
    labels = [(2 * i + 1) % K for i in range(N)]
    rows = ["path,label"]
    for i, k in enumerate(labels):
        Image.fromarray(draw(rng, k)).save(os.path.join(HERE, "images", f"{i}.png"))
        rows.append(f"images/{i}.png,{k}")
    open(os.path.join(HERE, "manifest.csv"), "w").write("\n".join(rows) + "\n")

def load():
    from safetensors.torch import load_file
    out = []
    for name, m in (("tiny_cnn", Cnn()), ("tiny_vit", make_vit())):
        m.load_state_dict(load_file(os.path.join(HERE, name + ".safetensors")), strict=False)
        out.append(m.double().eval())
        for p in m.parameters(): p.requires_grad_(False)
    img = np.stack([np.asarray(Image.open(os.path.join(HERE, "images", f"{i}.png"))) for i in range(N)])
    return out[0], out[1], to_x(img)

# ---- tools ----
def hwc(t): return np.ascontiguousarray(np.asarray(t.detach()).transpose(1, 2, 0))
def score(m, x, c):
    with torch.no_grad(): return m(x)[:, c].numpy()
def prob(m, x, c):
    with torch.no_grad(): return torch.softmax(m(x), 1)[:, c].numpy()
def grads(m, x, c):
    """d logit_c / dx of a batch, [n,C,H,W]."""
    x = x.detach().clone().requires_grad_(True)
    return torch.autograd.grad(m(x)[:, c].sum(), x)[0].detach()
def at_layer(m, module, x, f):
    """Value A and gradient g of `module`'s output for the scalar f(logits [K])."""
    keep = {}
    h = module.register_forward_hook(lambda mod, i, o: keep.__setitem__("a", o))
    z = m(x.detach().clone().requires_grad_(True))
    h.remove()
    return keep["a"].detach()[0].numpy(), torch.autograd.grad(f(z[0]), keep["a"])[0][0].numpy(), z[0].detach()
def upsample(a, h, w):
    return F.interpolate(torch.as_tensor(np.ascontiguousarray(a))[None, None], (h, w), mode="bilinear", align_corners=False)[0, 0].numpy()
def blur(x, sigma):
    return torch.from_numpy(ndimage.gaussian_filter(x.numpy(), [0] * (x.ndim - 2) + [sigma, sigma], mode="nearest"))
def order_of(a): return np.argsort(-a.reshape(-1), kind="stable")     # ties: first in row-major order first
def auc(v): v = np.asarray(v); return float((v.sum() - (v[0] + v[-1]) / 2) / (len(v) - 1))
def spearman(a, b): return float(stats.spearmanr(a.reshape(-1), b.reshape(-1))[0])

def ig_rule(rule, n):
    if rule == "left": return np.arange(n) / n, np.full(n, 1 / n)
    if rule == "right": return (np.arange(n) + 1) / n, np.full(n, 1 / n)
    if rule == "middle": return (np.arange(n) + .5) / n, np.full(n, 1 / n)
    if rule == "gauss":
        a, w = np.polynomial.legendre.leggauss(n)
        return (a + 1) / 2, w / 2
    a, w = np.linspace(0, 1, n), np.full(n, 1 / (n - 1))               # trapezoid, n points
    w[0] = w[-1] = .5 / (n - 1)
    return a, w
def ig(m, x, base, c, rule, n):
    a, w = ig_rule(rule, n)
    pts = torch.cat([base + float(t) * (x - base) for t in a])
    g = (grads(m, pts, c) * torch.from_numpy(w)[:, None, None, None]).sum(0)
    attr = g * (x - base)[0]
    err = float(attr.sum()) - float(score(m, x, c)[0] - score(m, base, c)[0])
    return attr, err

def road_fill(x, removed, noise=None):
    """x [C,H,W], removed [H,W] bool. Each removed pixel is the weighted mean of its 8 neighbours inside the image
    (1/6 edge, 1/12 diagonal, weights rescaled at the border), solved together; nothing left: the mean of the image."""
    C, H, W = x.shape
    ids = np.flatnonzero(removed.reshape(-1)); n = len(ids)
    if n == 0: return x.copy()
    if n == H * W: return np.broadcast_to(x.mean((1, 2), keepdims=True), x.shape).copy()
    var = np.full(H * W, -1); var[ids] = np.arange(n)
    flat = x.reshape(C, -1); rows, cols, vals = [], [], []; b = np.zeros((n, C)); s = np.zeros(n)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            if dy == dx == 0: continue
            w = 1 / 6 if dy * dx == 0 else 1 / 12
            yy, xx = ids // W + dy, ids % W + dx
            ok = np.flatnonzero((yy >= 0) & (yy < H) & (xx >= 0) & (xx < W))
            q = yy[ok] * W + xx[ok]; s[ok] += w
            known = var[q] < 0
            b[ok[known]] += w * flat[:, q[known]].T
            rows.append(ok[~known]); cols.append(var[q[~known]]); vals.append(np.full((~known).sum(), -w))
    A = sparse.csc_matrix((np.concatenate(vals + [s]), (np.concatenate(rows + [np.arange(n)]), np.concatenate(cols + [np.arange(n)]))), (n, n))
    sol = spsolve(A, b).reshape(n, C)
    out = flat.copy(); out[:, ids] = sol.T if noise is None else sol.T + noise[:, ids]
    return out.reshape(C, H, W)

def reinit(m, layers, rule, seed):
    """In place. permute: every tensor of the layer shuffled by its own stream; moments: normal with the tensor's mean
    and population deviation. Tensor t of layer l (l counted from the head) uses stream(P_WEIGHTS, 64 l + t)."""
    for l, tensors in layers:
        for t, p in enumerate(tensors):
            v = p.data.reshape(-1).numpy()
            q = v[shuffle(seed, stream(P_WEIGHTS, 64 * l + t), v.size)] if rule == "permute" else \
                v.mean() + v.std() * normal(seed, stream(P_WEIGHTS, 64 * l + t), v.size)
            p.data.copy_(torch.from_numpy(np.ascontiguousarray(q)).reshape(p.shape))

def ssim(a, b):
    """Both stretched to [0,1]; 7x7 uniform window, sample covariance, windows inside the map only (scikit-image's default)."""
    a, b = [(v - v.min()) / (v.max() - v.min()) for v in (a, b)]
    f = lambda v: ndimage.uniform_filter(v, 7)
    n = 49 / 48; ma, mb = f(a), f(b)
    va, vb, ab = n * (f(a * a) - ma * ma), n * (f(b * b) - mb * mb), n * (f(a * b) - ma * mb)
    s = (2 * ma * mb + 1e-4) * (2 * ab + 9e-4) / ((ma ** 2 + mb ** 2 + 1e-4) * (va + vb + 9e-4))
    return float(s[3:-3, 3:-3].mean())

def golden():
    cnn, vit, X = load()
    arrays, J, agree = {}, {}, {}
    def put(k, a): arrays[k] = np.asarray(a)
    seeds = [CFG["noise_seed"] + i for i in range(N)]
    J["philox"] = {"words(seed=0,stream=0,counter=0)": [int(v[0]) for v in philox(0, 0, [0])],
                   "unit(1000,stream(1,2),0..3)": unit(1000, stream(1, 2), np.arange(4)).tolist(),
                   "normal(1000,stream(1,2),5)": normal(1000, stream(1, 2), 5).tolist(),
                   "below(1000,stream(1,2),7,10)": below(1000, stream(1, 2), 7, 10),
                   "shuffle(1000,stream(1,2),10)": shuffle(1000, stream(1, 2), 10).tolist()}
    last = [k for k in cnn.features if isinstance(k, nn.ReLU)][-1]
    for name, m in (("cnn", cnn), ("vit", vit)):
        D = J[name] = {}
        with torch.no_grad(): Z = m(X).numpy()
        C = Z.argmax(1)
        D["logits"], D["predicted"] = Z.tolist(), C.tolist()
        D["probability"] = [float(prob(m, X[i:i+1], C[i])[0]) for i in range(N)]
        for i in range(N):
            x, c, sd = X[i:i+1], int(C[i]), seeds[i]
            key = lambda k: f"{name}/{i}/{k}"
            put(key("gradient"), hwc(grads(m, x, c)[0]))
            # IG
            comp = D.setdefault("ig_completeness", {})
            bases = {"black": torch.full_like(x, -1.0), "zero": torch.zeros_like(x), "mean": x.mean((2, 3), keepdim=True).expand_as(x),
                     "blur": blur(x, S / 8),
                     "uniform": torch.from_numpy((2 * unit(sd, stream(P_UNIFORM, 0), np.arange(S * S * 3)) - 1).reshape(S, S, 3).transpose(2, 0, 1).copy())[None]}
            for b, base in bases.items():
                for rule in ("left", "right", "middle", "trapezoid", "gauss"):
                    for n in (8, 16, 50):
                        if b != "black" and (rule, n) != ("middle", 50): continue
                        a, e = ig(m, x, base, c, rule, n)
                        comp.setdefault(f"{b}/{rule}/{n}", []).append(e)
                        if n == 50 and rule in ("middle", "gauss"): put(key(f"ig/{b}/{rule}/{n}"), hwc(a))
            D.setdefault("ig_total", []).append(float(score(m, x, c)[0] - score(m, bases["black"], c)[0]))
            # SmoothGrad, 16 draws, 0.15 of the range
            sig = 0.15 * float(x.max() - x.min())
            noise = np.stack([normal(sd, stream(P_SMOOTH, d), S * S * 3).reshape(S, S, 3).transpose(2, 0, 1) for d in range(16)])
            g = grads(m, x + sig * torch.from_numpy(noise), c).numpy()
            put(key("smoothgrad"), g.mean(0).transpose(1, 2, 0)); put(key("smoothgrad_sq"), (g * g).mean(0).transpose(1, 2, 0)); put(key("vargrad"), g.var(0).transpose(1, 2, 0))
            D.setdefault("smoothgrad_sigma", []).append(sig)
            # Expected gradients: 16 draws, references the other images
            ref = [below(sd, stream(P_EG, d), 0, N - 1) for d in range(16)]
            ref = [r if r < i else r + 1 for r in ref]
            al = np.array([unit(sd, stream(P_EG, d), np.array([1]))[0] for d in range(16)])
            R = X[ref]; al_t = torch.from_numpy(al)[:, None, None, None]
            eg = (grads(m, R + al_t * (x - R), c) * (x - R)).mean(0)
            put(key("expected_gradients"), hwc(eg)); D.setdefault("eg_references", []).append(ref); D.setdefault("eg_alpha", []).append(al.tolist())
            D.setdefault("eg_completeness", []).append(float(eg.sum()) - float(score(m, x, c)[0] - score(m, R, c).mean()))
            # RISE: 64 masks, 4 cells a side, p 0.5
            cell, s_ = math.ceil(S / 4), 4
            masks = []
            for d in range(64):
                grid = (unit(sd, stream(P_RISE, d), np.arange(s_ * s_)) < 0.5).astype(float).reshape(s_, s_)
                oy, ox = below(sd, stream(P_RISE, d), 1000, cell), below(sd, stream(P_RISE, d), 1001, cell)
                masks.append(upsample(grid, (s_ + 1) * cell, (s_ + 1) * cell)[oy:oy + S, ox:ox + S])
            masks = np.stack(masks)
            pr = prob(m, x * torch.from_numpy(masks)[:, None], c)
            put(key("rise"), np.tensordot(pr, masks, 1) / 64 / 0.5)
            # Occlusion: window 4, stride 2, baseline 0, mean of the drops that cover a pixel
            occ, cov = np.zeros((S, S)), np.zeros((S, S))
            f0 = score(m, x, c)[0]
            for oy in range(0, S - 4 + 1, 2):
                for ox in range(0, S - 4 + 1, 2):
                    xx = x.clone(); xx[..., oy:oy + 4, ox:ox + 4] = 0
                    occ[oy:oy + 4, ox:ox + 4] += f0 - score(m, xx, c)[0]; cov[oy:oy + 4, ox:ox + 4] += 1
            put(key("occlusion"), occ / np.maximum(cov, 1))
            if name == "cnn":
                A, gr, z = at_layer(m, last, x, lambda z: z[c])
                h, w = A.shape[1:]
                cam = np.tensordot(gr.mean((1, 2)), A, 1); put(key("gradcam"), np.maximum(cam, 0))
                T = A.reshape(len(A), -1).T; T0 = T - T.mean(0)
                v = np.linalg.svd(T0, full_matrices=False)[2][0]; pj = (T0 @ v).reshape(h, w)
                pj = -pj if abs(pj.min()) > abs(pj.max()) else pj
                put(key("eigencam"), pj)
                kw = (A > (A.mean((1, 2)) + 2 * A.std((1, 2)))[:, None, None]).mean((1, 2)); put(key("fem"), np.tensordot(kw, A, 1))
                p = torch.softmax(z, 0); near = [int(k) for k in torch.argsort((z - z[c]).abs(), stable=True) if int(k) != c][:3]
                def fine(zz, detach):
                    q = torch.softmax(zz, 0); q = q.detach() if detach else q
                    return sum(q[k] * (zz[c] - zz[k]) for k in near) / (sum(q[k] for k in near) + 1e-9)
                for det in (False, True):
                    _, gf, _ = at_layer(m, last, x, lambda zz: fine(zz, det))
                    put(key("finercam" + ("_fixed_weights" if det else "")), np.maximum(np.tensordot(gf.mean((1, 2)), A, 1), 0))
                D.setdefault("finer_references", []).append(near)
                fused = []
                for r in [k for k in m.features if isinstance(k, nn.ReLU)]:
                    a_, g_, _ = at_layer(m, r, x, lambda z: z[c])
                    l_ = (np.maximum(g_, 0) * a_).sum(0); put(key(f"layercam/{len(fused)}"), l_)
                    l_ = l_ / l_.max() if l_.max() > 0 else l_
                    fused.append(upsample(l_, S, S))
                put(key("layercam_fused_max"), np.max(fused, 0)); put(key("layercam_fused_mean"), np.mean(fused, 0))
                up = np.stack([upsample(a, S, S) for a in A]); rg = up.max((1, 2)) - up.min((1, 2))
                nm = np.where(rg[:, None, None] > 0, (up - up.min((1, 2))[:, None, None]) / np.where(rg > 0, rg, 1)[:, None, None], 0)
                sp = prob(m, x * torch.from_numpy(nm)[:, None], c) * (rg > 0)
                put(key("scorecam"), np.maximum(np.tensordot(sp, A, 1), 0)); D.setdefault("scorecam_weights", []).append(sp.tolist())
                rest = nn.Sequential(); At = torch.from_numpy(A)
                ab = []
                for k in range(len(A)):
                    B = At.clone(); B[k] = 0; ab.append(float((m.head(B.mean((1, 2))))[c]))
                abw = (float(z[c]) - np.array(ab)) / abs(float(z[c])); put(key("ablationcam"), np.maximum(np.tensordot(abw, A, 1), 0)); D.setdefault("ablation_weights", []).append(abw.tolist())
                # FullGrad: every additive constant of a layer times the gradient at that layer's output
                tot, mp, xin = 0.0, np.zeros((S, S)), x.detach().clone()
                gx = grads(m, x, c)[0].numpy() * x[0].numpy(); tot += gx.sum()
                psi = lambda t: (lambda u: u / (u.max() + 1e-6))((lambda u: u - u.min())(np.abs(t)))
                mp += psi(gx).sum(0)
                for k in m.features:
                    bias = None
                    if isinstance(k, nn.Conv2d) and k.bias is not None: bias = k.bias
                    if isinstance(k, nn.BatchNorm2d): bias = k.bias - k.running_mean * k.weight / torch.sqrt(k.running_var + k.eps)
                    if bias is None: continue
                    _, g_, _ = at_layer(m, k, x, lambda z: z[c])
                    t = g_ * bias.numpy()[:, None, None]; tot += t.sum()
                    mp += sum(upsample(v_, S, S) for v_ in psi(t))
                tot += float(m.head.bias[c]); put(key("fullgrad"), mp)
                D.setdefault("fullgrad_completeness", []).append(tot - float(z[c]))
            else:
                pre = 1 + CFG["vit"]["reg"]; gs = S // CFG["vit"]["patch"]
                tok = m._pos_embed(m.patch_embed(x)).detach(); tok = m.norm_pre(tok)
                attn, outs, t = [], [], tok.requires_grad_(True)
                hooks = [b.attn.attn_drop.register_forward_hook(lambda mo, i_, o: attn.append(o)) for b in m.blocks]
                blk_in = []
                for b in m.blocks: blk_in.append(t); t = b(t); outs.append(t)
                for h_ in hooks: h_.remove()
                z = m.head(m.norm(t)[:, 0])[0, c]
                gA = torch.autograd.grad(z, attn + blk_in, retain_graph=True)
                for mode in ("mean", "token"):
                    lg = 0
                    for l, o in enumerate(outs):
                        s_l = m.head(m.norm(o.mean(1) if mode == "mean" else o[:, 0]))[0, c]
                        G = torch.autograd.grad(s_l, attn[l], retain_graph=True)[0].clamp(min=0)
                        lg = lg + G[0].mean(0).mean(0)[pre:].detach().numpy().reshape(gs, gs)
                    put(key("legrad_" + mode), lg)
                R = torch.eye(attn[0].shape[-1], dtype=torch.float64); R2 = R.clone()
                for l in range(len(attn)):
                    w1 = gA[l][0].abs().sum((1, 2)); w1 = w1 / w1.sum()
                    R = ((w1[:, None, None] * attn[l][0]).sum(0) + torch.eye(len(R))) @ R
                    w2 = (gA[l][0] ** 2).sum((1, 2)).sqrt(); w2 = w2 / w2.sum()
                    R2 = ((w2[:, None, None] * attn[l][0]).sum(0) + torch.eye(len(R))) @ R2
                put(key("gmar_l1"), R[0, pre:].detach().numpy().reshape(gs, gs)); put(key("gmar_l2"), R2[0, pre:].detach().numpy().reshape(gs, gs))
                cat = sum((gA[len(attn) + l] * blk_in[l]).sum(-1)[0] * attn[l][0].mean((0, 1)) for l in range(len(attn)))
                put(key("attcat"), cat[pre:].detach().numpy().reshape(gs, gs))
                put(key("gradcam"), np.maximum(0, (lambda a, g_: (a * g_.mean(0)).sum(1))(*[v.detach()[0].numpy()[pre:] for v in (blk_in[-1], gA[-1])])).reshape(gs, gs))
            # ---- checks, of |gradient| summed over channels ("gradient") and of gradcam at input size ----
            maps = {"gradient": np.abs(arrays[key("gradient")]).sum(2), "gradcam": upsample(arrays[key("gradcam")], S, S),
                    "random": unit(sd, stream(P_RANDOM, 0), np.arange(S * S)).reshape(S, S)}
            subsets = {n_: np.stack([shuffle(sd, stream(P_SUBSET, 1000 * n_ + d), S * S)[:n_] for d in range(64)]) for n_ in (8, 32, 128)}
            for mk, a in maps.items():
                E = D.setdefault("checks", {}).setdefault(mk, {})
                o = order_of(a); step = S * S // 16
                def curve(order, start, end, f):
                    xs = []
                    cur = start.clone().reshape(3, -1)
                    xs.append(cur.clone())
                    for s0 in range(0, S * S, step):
                        j = order[s0:s0 + step]; cur[:, j] = end.reshape(3, -1)[:, j]; xs.append(cur.clone())
                    return f(m, torch.stack(xs).reshape(-1, 3, S, S), c).tolist()
                zero, bl = torch.zeros_like(x), bases["blur"]
                for nm_, (st, en) in {"deletion_zero": (x, zero), "insertion_blur": (bl, x), "deletion_mean": (x, bases["mean"]), "deletion_blur": (x, bl)}.items():
                    for fn, f in (("prob", prob), ("logit", score)):
                        cv = curve(o, st, en, f); E.setdefault(f"{nm_}/{fn}/curve", []).append(cv); E.setdefault(f"{nm_}/{fn}/auc", []).append(auc(cv))
                E.setdefault("deletion_zero/lerf/prob/auc", []).append(auc(curve(o[::-1].copy(), x, zero, prob)))
                road = {"morf": [], "lerf": []}
                for q in (10, 30, 50, 70, 90):
                    k = int(round(S * S * q / 100))
                    for mode, oo in (("morf", o[:k]), ("lerf", o[::-1][:k])):
                        r = np.zeros(S * S, bool); r[oo] = True
                        road[mode].append(float(score(m, torch.from_numpy(road_fill(x[0].numpy(), r.reshape(S, S)))[None], c)[0]))
                for mode in road: E.setdefault(f"road/{mode}/logit", []).append(road[mode])
                E.setdefault("road/difference", []).append(float(np.mean(np.array(road["lerf"]) - np.array(road["morf"])) / 2))
                if mk == "gradient" and i == 0:
                    k = int(round(S * S * .3)); r = np.zeros(S * S, bool); r[o[:k]] = True
                    put(key("road_filled_30"), hwc(torch.from_numpy(road_fill(x[0].numpy(), r.reshape(S, S)))))
                # sensitivity-n and faithfulness correlation: pixels (all channels), zero, 64 subsets
                for n_, sub in subsets.items():
                    xs = x.reshape(1, 3, -1).repeat(64, 1, 1)
                    for d in range(64): xs[d][:, sub[d]] = 0
                    dz = float(score(m, x, c)[0]) - score(m, xs.reshape(-1, 3, S, S), c)
                    E.setdefault(f"sensitivity_n/{n_}", []).append(float(np.corrcoef(a.reshape(-1)[sub].sum(1), dz)[0, 1]))
                # IROF on a 4x4-pixel grid, mean of the image, probability ratio
                seg = (np.arange(S)[:, None] // 4) * (-(-S // 4)) + np.arange(S)[None] // 4
                ns = seg.max() + 1; sm = np.array([a[seg == k].mean() for k in range(ns)]); xs = [x[0].clone()]
                for k in np.argsort(-sm, kind="stable"):
                    y_ = xs[-1].clone(); y_[:, torch.from_numpy(seg == k)] = bases["mean"][0][:, torch.from_numpy(seg == k)]; xs.append(y_)
                pc = prob(m, torch.stack(xs), c); E.setdefault("irof/curve", []).append((pc / pc[0]).tolist()); E.setdefault("irof/aoc", []).append(1 - auc(pc / pc[0]))
            # ties: the gradient map with its lower four fifths set to 0, deletion to zero
            sp_ = np.where(maps["gradient"] >= np.quantile(maps["gradient"], 0.8), maps["gradient"], 0)
            for tie, o in (("first", order_of(sp_)), ("shuffled", np.lexsort((unit(sd, stream(P_TIES, 0), np.arange(S * S)), -sp_.reshape(-1))))):
                D["checks"].setdefault("sparse", {}).setdefault(f"deletion_zero/ties {tie}/prob/auc", []).append(auc(curve(o, x, torch.zeros_like(x), prob)))
            # infidelity of the signed gradient: 32 draws of 0.2 normal noise I, x - I; scaled: the best factor first
            I = 0.2 * np.stack([normal(sd, stream(P_INF, d), S * S * 3).reshape(S, S, 3).transpose(2, 0, 1) for d in range(32)])
            a_ = arrays[key("gradient")].transpose(2, 0, 1); d1 = (I * a_).sum((1, 2, 3))
            d2 = score(m, x, c)[0] - score(m, x - torch.from_numpy(I), c)
            D.setdefault("infidelity", []).append(float(((d1 - d2) ** 2).mean())); bt = (d1 * d2).sum() / (d1 * d1).sum()
            D.setdefault("infidelity_scaled", []).append(float(((bt * d1 - d2) ** 2).mean()))
            # sensitivity of the gradient: 10 draws, uniform in +-0.02
            U = 0.02 * (2 * np.stack([unit(sd, stream(P_SENS, d), np.arange(S * S * 3)).reshape(S, S, 3).transpose(2, 0, 1) for d in range(10)]) - 1)
            gp = grads(m, x + torch.from_numpy(U), c).numpy()
            rel = np.linalg.norm((gp - a_).reshape(10, -1), axis=1) / np.linalg.norm(a_)
            D.setdefault("max_sensitivity", []).append(float(rel.max())); D.setdefault("avg_sensitivity", []).append(float(rel.mean()))
            D.setdefault("local_lipschitz", []).append(float((np.linalg.norm((gp - a_).reshape(10, -1), axis=1) / np.linalg.norm(U.reshape(10, -1), axis=1)).max()))
            ga = np.abs(a_).sum(0); D.setdefault("effective_complexity", []).append(int((ga > 0.01 * ga.max()).sum()))
        # ---- randomisation of parameters ----
        layers = layer_list(name, m)
        D["layers"] = [n_ for n_, _ in layers]
        import copy
        for rule in ("permute", "moments"):
            for how in ("cascading", "independent"):
                mm = copy.deepcopy(m); rows = []
                for l in range(len(layers)):
                    if how == "independent": mm = copy.deepcopy(m)
                    reinit(mm, [(l, layer_list(name, mm)[l][1])], rule, CFG["noise_seed"])
                    row = []
                    for i in range(N):
                        a, b = arrays[f"{name}/{i}/gradient"], hwc(grads(mm, X[i:i+1], int(C[i]))[0])
                        aa, bb = np.abs(a).sum(2), np.abs(b).sum(2)
                        if rule == "permute" and how == "cascading" and l == len(layers) - 1: put(f"{name}/{i}/gradient_randomised", b)
                        row.append([spearman(aa, bb), spearman(a.sum(2), b.sum(2)), ssim(aa, bb)])
                    rows.append(row)
                D[f"mprt/{rule}/{how}"] = rows
        mm = copy.deepcopy(m); reinit(mm, [(l, layer_list(name, mm)[l][1]) for l in range(len(layers))], "permute", CFG["noise_seed"] + 1)
        D["mprt/null"] = [spearman(np.abs(hwc(grads(mm, X[i:i+1], int(C[i]))[0])).sum(2), np.abs(arrays[f"{name}/{i}/gradient_randomised"]).sum(2)) for i in range(N)]
        ent = lambda v: float(stats.entropy(np.histogram(v, bins=100)[0]))
        D["emprt"] = [(ent(arrays[f"{name}/{i}/gradient_randomised"]) - ent(arrays[f"{name}/{i}/gradient"])) / ent(arrays[f"{name}/{i}/gradient"]) for i in range(N)]
    compare(cnn, vit, X, arrays, J, agree, seeds, last)
    J["agreement"] = agree
    pack(arrays, J)
    print(json.dumps(agree, indent=1))

def pack(arrays, J):
    """expected.h5: what the docstring says. Of maps with channels other than the gradient, the first two images (size)."""
    import h5py, re
    plain = lambda k: re.sub("[^A-Za-z0-9_.+-]", "_", k.replace("/", "."))
    def scores(group, d, prefix=""):
        for k, v in d.items():
            if re.search(r"^checks\.(gradcam|random)\..*deletion_(mean|blur)|^checks\.random\.insertion|logit\.auc|mprt\.moments\.ind",
                         prefix + plain(k)): continue                    # size: other maps have them
            if isinstance(v, dict): scores(group, v, prefix + plain(k) + ".")
            elif isinstance(v, list) and v and not isinstance(v[0], str):
                try: group.create_dataset(prefix + plain(k), data=np.array(v, dtype="f8"))
                except ValueError: pass                                  # ragged: none is
            elif isinstance(v, (int, float)): group.create_dataset(prefix + plain(k), data=np.array([v], dtype="f8"))
            elif isinstance(v, list): group.attrs[plain(k)] = ",".join(v)
    with h5py.File(os.path.join(HERE, "expected.h5"), "w", libver=("v110", "v110")) as f:
        for name in ("cnn", "vit"):
            maps = f.create_group(name + "/maps")
            for k in dict.fromkeys(q.split("/", 2)[2] for q in arrays if q.startswith(name)):
                few = 2 if arrays[f"{name}/0/{k}"].ndim == 3 and k != "gradient" else N
                m = np.stack([arrays[f"{name}/{i}/{k}"] for i in range(few) if f"{name}/{i}/{k}" in arrays]).astype("f4")
                maps.create_dataset(plain(k), data=m, chunks=m.shape, compression=9, shuffle=True)
            scores(f[name], J[name])
        scores(f.create_group("philox"), J["philox"])
        g = f.create_group("agreement")
        for k, v in J["agreement"].items(): g.attrs[k] = v

def layer_list(name, m):
    """Layers with parameters from the head down; weight before bias; of a batch normalisation also mean and variance."""
    if name == "cnn":
        mods = [("head", m.head)] + [(f"features.{k}", m.features[k]) for k in range(len(m.features) - 1, -1, -1)]
    else:
        mods = [("head", m.head), ("norm", m.norm)] + [(f"blocks.{k}", m.blocks[k]) for k in range(len(m.blocks) - 1, -1, -1)] + [("embedding", m)]
    out = []
    for n_, k in mods:
        if n_ == "embedding": t = [k.cls_token, k.pos_embed] + ([k.reg_token] if k.reg_token is not None else []) + [k.patch_embed.proj.weight, k.patch_embed.proj.bias]
        else: t = list(k.parameters()) + ([k.running_mean, k.running_var] if isinstance(k, nn.BatchNorm2d) else [])
        if t: out.append((n_, t))
    return out

def compare(cnn, vit, X, arrays, J, agree, seeds, last):
    def diff(k, a, b): agree[k] = max(agree.get(k, 0.0), float(np.max(np.abs(np.asarray(a) - np.asarray(b))) / max(1e-300, np.max(np.abs(np.asarray(b))))))
    try: import captum
    except ImportError: print("no captum"); return
    from captum.attr import IntegratedGradients, NoiseTunnel, Saliency, Occlusion
    from captum.metrics import infidelity, sensitivity_max
    for name, m in (("cnn", cnn), ("vit", vit)):
        C = J[name]["predicted"]
        for i in range(N):
            x, c, sd = X[i:i+1], C[i], seeds[i]
            key = lambda k: arrays[f"{name}/{i}/{k}"]
            for rule, nm in (("riemann_middle", "middle"), ("gausslegendre", "gauss")):
                a = IntegratedGradients(m).attribute(x, baselines=-1.0, target=c, n_steps=50, method=rule)
                diff(f"captum IntegratedGradients {rule}", hwc(a[0]), key(f"ig/black/{nm}/50"))
            noise = torch.from_numpy(np.stack([normal(sd, stream(P_SMOOTH, d), S * S * 3).reshape(S, S, 3).transpose(2, 0, 1) for d in range(16)]))
            keep = torch.normal
            torch.normal = lambda mean, std: noise * std
            for t, nm in (("smoothgrad", "smoothgrad"), ("smoothgrad_sq", "smoothgrad_sq"), ("vargrad", "vargrad")):
                a = NoiseTunnel(Saliency(m)).attribute(x, nt_type=t, nt_samples=16, stdevs=J[name]["smoothgrad_sigma"][i], target=c, abs=False)
                diff(f"captum NoiseTunnel {t}", hwc(a[0]), key(nm))
            torch.normal = keep
            a = Occlusion(m).attribute(x, (3, 4, 4), strides=(3, 2, 2), baselines=0, target=c)
            diff("captum Occlusion", a[0, 0], key("occlusion"))
            I = torch.from_numpy(0.2 * np.stack([normal(sd, stream(P_INF, d), S * S * 3).reshape(S, S, 3).transpose(2, 0, 1) for d in range(32)]))
            at = torch.from_numpy(key("gradient").transpose(2, 0, 1).copy())[None]
            for norm, k in ((False, "infidelity"), (True, "infidelity_scaled")):
                v = infidelity(m, lambda t: (I, t - I), x, at, target=c, n_perturb_samples=32, max_examples_per_batch=32, normalize=norm)
                diff(f"captum infidelity normalize={norm}", v.numpy(), J[name][k][i])
            U = torch.from_numpy(0.02 * (2 * np.stack([unit(sd, stream(P_SENS, d), np.arange(S * S * 3)).reshape(S, S, 3).transpose(2, 0, 1) for d in range(10)]) - 1))
            def explain(t, target):
                a = Saliency(m).attribute(t, target=target, abs=False)
                return tuple(v.contiguous() for v in a) if isinstance(a, tuple) else a.contiguous()
            v = sensitivity_max(explain, x, lambda t: t + U, n_perturb_samples=10, target=c)
            diff("captum sensitivity_max", v.numpy(), J[name]["max_sensitivity"][i])
    try: import pytorch_grad_cam as pgc
    except ImportError: return
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget, FinerWeightedTarget
    from pytorch_grad_cam.metrics.road import NoisyLinearImputer
    for p in cnn.parameters(): p.requires_grad_(True)
    for i in range(N):
        x, c = X[i:i+1], J["cnn"]["predicted"][i]
        key = lambda k: arrays[f"cnn/{i}/{k}"]
        def raw(cls, target, **kw):
            cam = cls(cnn, [last], **kw); got = {}
            orig = cam.get_cam_image
            cam.get_cam_image = lambda *a, **k: got.setdefault("m", orig(*a, **k))
            cam(x, [target]); return got["m"][0]
        t = ClassifierOutputTarget(c)
        diff("grad-cam GradCAM", np.maximum(raw(pgc.GradCAM, t), 0), key("gradcam"))
        e = raw(pgc.EigenCAM, t); e = -e if abs(e.min()) > abs(e.max()) else e
        diff("grad-cam EigenCAM, sign rule of SegEigenCAM", e, key("eigencam")); diff("grad-cam FEM", raw(pgc.fem.FEM, t), key("fem"))
        diff("grad-cam FinerCAM", np.maximum(raw(pgc.GradCAM, FinerWeightedTarget(c, J["cnn"]["finer_references"][i], 1.0)), 0), key("finercam"))
        diff("grad-cam LayerCAM", raw(pgc.LayerCAM, t), arrays[f"cnn/{i}/layercam/{sum(isinstance(k, nn.ReLU) for k in cnn.features) - 1}"])
        o = order_of(np.abs(key("gradient")).sum(2)); r = np.ones(S * S, np.float32); r[o[:int(round(S * S * .3))]] = 0
        if i == 0: diff("grad-cam NoisyLinearImputer", hwc(NoisyLinearImputer(noise=0.0)(x[0].float(), torch.from_numpy(r.reshape(S, S)))), key("road_filled_30"))
    for p in cnn.parameters(): p.requires_grad_(False)

if __name__ == "__main__":
    {"train": train, "golden": golden}[sys.argv[1]]()
