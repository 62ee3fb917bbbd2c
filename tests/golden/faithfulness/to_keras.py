"""tiny_cnn.h5 from tiny_cnn.safetensors (needs keras with TensorFlow, safetensors or the reader below); prints the largest difference of the logits."""
import json, os, struct, sys, h5py
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np, keras
from PIL import Image
HERE = os.path.dirname(os.path.abspath(__file__))
cfg = json.load(open(os.path.join(HERE, "config.json")))
raw = open(os.path.join(HERE, "tiny_cnn.safetensors"), "rb").read()
n = struct.unpack("<Q", raw[:8])[0]
T = {k: np.frombuffer(raw[8 + n:][v["data_offsets"][0]:v["data_offsets"][1]], "<f4").reshape(v["shape"])
     for k, v in json.loads(raw[8:8 + n]).items() if k != "__metadata__"}
L = keras.layers
x = inp = keras.Input((cfg["size"], cfg["size"], 3))
todo, i = [], 0
for d in cfg["cnn"]["convs"]:
    c = L.Conv2D(d["out"], d["k"], padding="same", use_bias=d["bias"], name=f"features_{i}"); x = c(x)
    todo.append((c, [T[f"features.{i}.weight"].transpose(2, 3, 1, 0)] + ([T[f"features.{i}.bias"]] if d["bias"] else []))); i += 1
    if d["bn"]:
        b = L.BatchNormalization(epsilon=1e-3, name=f"features_{i}"); x = b(x)
        todo.append((b, [T[f"features.{i}.{k}"] for k in ("weight", "bias", "running_mean", "running_var")])); i += 1
    x = L.ReLU(name=f"features_{i}")(x); i += 1
    if d["pool"]: x = L.MaxPooling2D(2, name=f"features_{i}")(x); i += 1
x = L.GlobalAveragePooling2D(name="gap")(x)
h = L.Dense(cfg["classes"], name="head"); x = h(x)
todo.append((h, [T["head.weight"].T, T["head.bias"]]))
m = keras.Model(inp, L.Softmax(name="softmax")(x))
for l, w in todo: l.set_weights(w)
m.save(os.path.join(HERE, "tiny_cnn.h5"))
img = np.stack([np.asarray(Image.open(os.path.join(HERE, "images", f"{k}.png"))) for k in range(cfg["images"])]) / 127.5 - 1
z = keras.Model(inp, x).predict(img.astype("f4"), verbose=0)
print("largest difference of logits", np.abs(z - h5py.File(os.path.join(HERE, "expected.h5"))["cnn/logits"][:]).max())
