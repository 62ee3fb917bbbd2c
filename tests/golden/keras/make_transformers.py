"""Vision transformers: vit-keras (0.1 under tf.keras 2, 0.2 under Keras 3) and Keras' MultiHeadAttention.

    python make_transformers.py [--out FOLDER] [NAME ...]

Needs besides Keras: vit-keras (0.1.2 with tensorflow-addons, or 0.2.0) and opencv-python-headless. To what every
reference holds (README.md) it adds, for target and score of the reference:

    /attention/<l>/probs, gradient   [N,heads,T,T] f32   softmax of layer l, 0 nearest the input, and dS/d(it)
    /resized/input, logits                               vit_alone at 48x40, its position embedding interpolated
                                                         by vit-keras (utils.apply_embedding_weights)
    /attention_map                   [N,h,w] f64         vit-keras' visualize.attention_map up to its mask: what it
                                                         gives to cv2.resize, on the images as 8-bit pictures
    /relevance                       [N,h,w] f64         row of the class token (mean-pooled: mean over the patches)
                                                         of R <- R + mean_h max(0, P * dS/dP) R from R = I, without
                                                         the identity's share (Chefer, Gur, Wolf 2021), in numpy
"""
import os

import cv2
import h5py
import numpy as np
import tensorflow as tf
import vit_keras.layers
import vit_keras.utils
import vit_keras.visualize
from vit_keras import vit

import golden_build as golden
import keras_reference as ref
from golden_build import BOTH
from keras_reference import keras

L = keras.layers
golden_models = golden.Catalogue(os.path.basename(__file__))
K3_ONLY = ("k3",)


def eight_bit(images):
    """Inputs that are pictures: whole grey levels in tf scale."""
    return np.round((images + 1.0) * 127.5) / 127.5 - 1.0


def small(name="vit-s8", **changed):
    settings = dict(image_size=(32, 32), patch_size=8, num_layers=3, hidden_size=24, num_heads=3, name=name, mlp_dim=40,
                    classes=5, dropout=0.1, activation="softmax")
    return vit.build_model(**{**settings, **changed})


def block(i):
    return f"Transformer/encoderblock_{i}" if not ref.KERAS3 else f"Transformer_encoderblock_{i}"


def transformer(size, **settings):
    """vit-keras' Lambda cannot be read back by Keras 3 (unsafe); the model that was saved is run."""
    return golden_models.model(size, images=eight_bit, unreadable=K3_ONLY, **settings)


@transformer((32, 32, 3), layers=lambda m: [block(2), "embedding"])
def vit_alone():
    """build_model with its own head."""
    return small()


@transformer((24, 40, 3))
def vit_wide():
    """Another grid than a square one, and pre_logits."""
    return small(image_size=(24, 40), representation_size=12)


@transformer((32, 32, 3), layers=lambda m: ["vit-b32"])
def vit_nested():
    """The backbone as one layer `vit-b32` of a model with layers on top."""
    image = L.Input((32, 32, 3))
    x = small("vit-b32", include_top=False, activation="linear")(image)
    x = L.Dense(16, activation="relu")(x)
    x = L.Dropout(0.3)(x)
    return keras.Model(image, L.Dense(4, activation="softmax")(x))


@golden_models.model((32, 32, 3), images=eight_bit, save=lambda model, path: save_weights(model, path),
                     generations=("tf215",))
def weights_vit():
    """Weights in .h5 with the architecture in NAME.json."""
    return small()


@golden_models.model((32, 32, 3), images=eight_bit, save=lambda model, path: model.save(path), suffix=".keras")
def vit_zip():
    """The nested model as .keras, whose compound layers keep their weights in groups of their own."""
    return vit_nested()


def plain():
    """Conv2D patches, pre-norm blocks of MultiHeadAttention with other key and value widths, mean of the tokens."""
    image = L.Input((32, 32, 3))
    x = L.Reshape((16, 24))(L.Conv2D(24, 8, strides=8)(image))
    for i in range(2):
        y = L.LayerNormalization(epsilon=1e-6)(x)
        y = L.MultiHeadAttention(3, 7, value_dim=5, dropout=0.1, use_bias=i == 0)(y, y)
        x = L.Add()([x, y])
        y = L.LayerNormalization(epsilon=1e-6)(x)
        y = L.Dense(24)(L.Dense(30, activation="gelu")(y))
        x = L.Add()([x, y])
    x = L.LayerNormalization(epsilon=1e-6)(x)
    return keras.Model(image, L.Dense(5, activation="softmax")(L.GlobalAveragePooling1D()(x)))


@golden_models.model((32, 32, 3), images=eight_bit, layers=lambda m: [l.name for l in m.layers if "attention" in l.name])
def mha_plain():
    """Keras' own layers."""
    return plain()


@golden_models.model((32, 32, 3), images=eight_bit, save=lambda model, path: model.save(path), suffix=".keras")
def mha_zip():
    """The same as .keras."""
    return plain()


@golden_models.model((32, 32, 3), images=eight_bit, generations=("tf215",))
def mha_keywords():
    """Query, value and key as three tensors by keyword, called in another order."""
    image = L.Input((32, 32, 3))
    x = L.Reshape((16, 24))(L.Conv2D(24, 8, strides=8)(image))
    q, k, v = L.Dense(20, name="q")(x), L.Dense(18, name="k")(x), L.Dense(22, name="v")(x)
    y = L.MultiHeadAttention(2, 8, dropout=0.1, name="attention")(q, key=k, value=v)
    return keras.Model(image, L.Dense(5, activation="softmax")(L.GlobalAveragePooling1D()(y)))


def save_weights(model, path):
    model.save_weights(path)
    with open(path[:-len(".h5")] + ".json", "w", encoding="utf-8") as f:
        f.write(model.to_json())


class Probabilities:
    """Within the block, keeps the softmax of every attention layer in the order of its calls."""

    def __enter__(self):
        self.seen = []
        seen = self.seen
        self.saved = vit_keras.layers.MultiHeadSelfAttention.attention, L.MultiHeadAttention._masked_softmax

        def attention(layer, query, key, value):
            score = tf.matmul(query, key, transpose_b=True)
            weights = tf.nn.softmax(score / tf.math.sqrt(tf.cast(tf.shape(key)[-1], score.dtype)), axis=-1)
            seen.append(weights)
            return tf.matmul(weights, value), weights

        def softmax(layer, scores, attention_mask=None, _original=self.saved[1]):
            seen.append(tf.identity(_original(layer, scores, attention_mask)))
            return seen[-1]
        vit_keras.layers.MultiHeadSelfAttention.attention = attention
        L.MultiHeadAttention._masked_softmax = softmax
        return self

    def __exit__(self, *_):
        vit_keras.layers.MultiHeadSelfAttention.attention, L.MultiHeadAttention._masked_softmax = self.saved


def backbone(model):
    """The model that holds the TransformerBlocks, or None."""
    for layer in model.layers:
        if isinstance(layer, vit_keras.layers.TransformerBlock):
            return model
        if ref.is_model(layer) and backbone(layer):
            return backbone(layer)
    return None


def attention_map(model, picture):
    """visualize.attention_map's mask before it is resized to the picture."""
    caught = []
    original = cv2.resize

    def resize(values, size, *args, **kwargs):
        if values.ndim == 2:
            caught.append(values)
        return original(values, size, *args, **kwargs)
    vit_keras.visualize.cv2.resize = resize
    try:
        vit_keras.visualize.attention_map(model=model, image=picture)
    finally:
        vit_keras.visualize.cv2.resize = original
    return caught[-1]


def relevance(probs, gradients, prefix, grid):
    """[h,w] of one image; probs and gradients [L,heads,T,T]."""
    tokens = probs.shape[-1]
    r = np.eye(tokens)
    for p, g in zip(probs.astype(np.float64), gradients.astype(np.float64)):
        r = r + np.maximum(p * g, 0.0).mean(axis=0) @ r
    row = r[0] if prefix else r.mean(axis=0) - 1.0 / tokens
    return row[prefix:].reshape(grid)


def resized(model, images):
    """Logits at another size: weights as they are, the position embedding by vit-keras' own rule."""
    other = small(image_size=images.shape[1:3])
    for new, old in zip(other.layers, model.layers):
        if isinstance(new, vit_keras.layers.AddPositionEmbs):
            vit_keras.utils.apply_embedding_weights(target_layer=new, source_weights=old.get_weights()[0],
                                                    num_x_patches=images.shape[2] // 8,
                                                    num_y_patches=images.shape[1] // 8)
        else:
            new.set_weights(old.get_weights())
    with ref.Logits(other):
        return other(tf.convert_to_tensor(images), training=False).numpy()


def add_attention(entry, folder):
    path = os.path.join(folder, entry.name + ".ref.h5")
    with h5py.File(path, "r+") as f:
        keras.backend.clear_session()
        keras.utils.set_random_seed(int(f.attrs["seed"]))
        model = entry.build()
        ref.randomise(model, int(f.attrs["seed"]))
        images, target, head = f["input"][:], f["target"][:], f.attrs["head"].decode()
        score = ref.class_score(head, target, "logit", f["logits"].shape[1])
        with ref.Logits(model), Probabilities() as probabilities, tf.GradientTape() as tape:
            x = tf.convert_to_tensor(images)
            tape.watch(x)
            logits = model(x, training=False)
            total = tf.reduce_sum(score(logits))
        if np.max(np.abs(logits.numpy() - f["logits"][:])) > 1e-5 * np.max(np.abs(f["logits"][:])):
            raise SystemExit(f"{entry.name}: the model built again gives other logits")
        seen = probabilities.seen
        gradients = tape.gradient(total, seen)
        for k, (p, g) in enumerate(zip(seen, gradients)):
            f[f"attention/{k}/probs"], f[f"attention/{k}/gradient"] = p.numpy(), g.numpy()
        size = entry.size[0] // 8, entry.size[1] // 8
        prefix = seen[0].shape[-1] - size[0] * size[1]
        f["relevance"] = np.stack([relevance(np.stack([p[n] for p in seen]), np.stack([g[n] for g in gradients]),
                                             prefix, size) for n in range(len(images))])
        if entry.name == "vit_alone":
            f["resized/input"] = other = eight_bit(ref.draw_images(2, (48, 40, 3), -1.0, 1.0, 99)).astype(np.float32)
            f["resized/logits"] = resized(model, other)
        inner = backbone(model)
        if inner is not None and size[0] == size[1]:  # attention_map mixes up height and width
            pictures = np.round((images + 1.0) * 127.5).astype(np.uint8)
            f["attention_map"] = np.stack([attention_map(inner, p) for p in pictures])


def main():
    make = golden_models.make

    def with_attention(entry, folder, classifier):
        make(entry, folder, classifier)
        add_attention(entry, folder)
    golden_models.make = with_attention
    golden_models.main(classifier=True)


if __name__ == "__main__":
    main()
