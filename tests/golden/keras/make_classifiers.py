#!/usr/bin/env python3
"""Golden classifiers: small Keras networks of every family the loader must read, with logits, gradients, Grad-CAM.

    python make_classifiers.py [--out FOLDER] [NAME ...]

Runs under tf.keras 2.15 (default folder tf215/) and Keras 3 (k3/). One function a model; see README.md.
"""
from golden_build import Catalogue
from keras_reference import keras, tf

L = keras.layers
golden = Catalogue("make_classifiers.py")


# ---------------------------------------------------------------------------------------------------- sequential CNNs

@golden.model((20, 18, 3), count=3, layers=["conv2d_1", "conv2d_2", "max_pooling2d_1"])
def sequential_cnn():
    """Conv/BN/pool/Flatten/Dense as most scripts write it; softmax inside the last Dense."""
    return keras.Sequential([
        L.Input((20, 18, 3)),
        L.Conv2D(8, 3, padding="same", activation="relu"),
        L.BatchNormalization(),
        L.MaxPooling2D(),
        L.Conv2D(12, 3, use_bias=False),
        L.BatchNormalization(),
        L.Activation("relu"),
        L.MaxPooling2D(2),
        L.Conv2D(16, 3, activation="relu", padding="same"),
        L.Dropout(0.25),
        L.Flatten(),
        L.Dense(24, activation="relu"),
        L.Dropout(0.5),
        L.Dense(5, activation="softmax"),
    ])


# --------------------------------------------------------------------------------------- Xception and the seed's model

def xception_trunk(inputs, widths=(8, 12, 16, 24, 24, 32), middle=2):
    """keras.applications.Xception without its top, block for block and name for name, with fewer and thinner ones."""
    w1, w2, w3, w4, w5, w6 = widths
    x = L.Conv2D(w1, 3, strides=2, use_bias=False, name="block1_conv1")(inputs)
    x = L.BatchNormalization(name="block1_conv1_bn")(x)
    x = L.Activation("relu", name="block1_conv1_act")(x)
    x = L.Conv2D(w2, 3, use_bias=False, name="block1_conv2")(x)
    x = L.BatchNormalization(name="block1_conv2_bn")(x)
    x = L.Activation("relu", name="block1_conv2_act")(x)
    for block, width in ((2, w3), (3, w4)):
        residual = L.Conv2D(width, 1, strides=2, padding="same", use_bias=False)(x)
        residual = L.BatchNormalization()(residual)
        if block > 2:
            x = L.Activation("relu", name=f"block{block}_sepconv1_act")(x)
        x = L.SeparableConv2D(width, 3, padding="same", use_bias=False, name=f"block{block}_sepconv1")(x)
        x = L.BatchNormalization(name=f"block{block}_sepconv1_bn")(x)
        x = L.Activation("relu", name=f"block{block}_sepconv2_act")(x)
        x = L.SeparableConv2D(width, 3, padding="same", use_bias=False, name=f"block{block}_sepconv2")(x)
        x = L.BatchNormalization(name=f"block{block}_sepconv2_bn")(x)
        x = L.MaxPooling2D(3, strides=2, padding="same", name=f"block{block}_pool")(x)
        x = L.add([x, residual])
    for block in range(5, 5 + middle):
        residual = x
        for k in (1, 2, 3):
            x = L.Activation("relu", name=f"block{block}_sepconv{k}_act")(x)
            x = L.SeparableConv2D(w4, 3, padding="same", use_bias=False, name=f"block{block}_sepconv{k}")(x)
            x = L.BatchNormalization(name=f"block{block}_sepconv{k}_bn")(x)
        x = L.add([x, residual])
    residual = L.Conv2D(w5, 1, strides=2, padding="same", use_bias=False)(x)
    residual = L.BatchNormalization()(residual)
    x = L.Activation("relu", name="block13_sepconv1_act")(x)
    x = L.SeparableConv2D(w4, 3, padding="same", use_bias=False, name="block13_sepconv1")(x)
    x = L.BatchNormalization(name="block13_sepconv1_bn")(x)
    x = L.Activation("relu", name="block13_sepconv2_act")(x)
    x = L.SeparableConv2D(w5, 3, padding="same", use_bias=False, name="block13_sepconv2")(x)
    x = L.BatchNormalization(name="block13_sepconv2_bn")(x)
    x = L.MaxPooling2D(3, strides=2, padding="same", name="block13_pool")(x)
    x = L.add([x, residual])
    x = L.SeparableConv2D(w6, 3, padding="same", use_bias=False, name="block14_sepconv1")(x)
    x = L.BatchNormalization(name="block14_sepconv1_bn")(x)
    x = L.Activation("relu", name="block14_sepconv1_act")(x)
    x = L.SeparableConv2D(w6, 3, padding="same", use_bias=False, name="block14_sepconv2")(x)
    x = L.BatchNormalization(name="block14_sepconv2_bn")(x)
    return L.Activation("relu", name="block14_sepconv2_act")(x)


@golden.model((39, 35, 3), layers=["block14_sepconv2_act", "block13_pool", "add"])
def xception_small():
    """A scaled-down Xception with its own top: every layer kind of the full one."""
    inputs = L.Input((39, 35, 3))
    x = xception_trunk(inputs)
    x = L.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(inputs, L.Dense(10, activation="softmax", name="predictions")(x), name="xception")


@golden.model((40, 40, 3), layers=["xception", "xception/block14_sepconv2_act", "xception/block13_pool"])
def seed_nested():
    """The seed's listing: an inner include_top=False Xception, GlobalAveragePooling, Dense 128/64/32, Dense 7."""
    inner_inputs = L.Input((40, 40, 3))
    inner = keras.Model(inner_inputs, xception_trunk(inner_inputs, (6, 8, 12, 16, 16, 24), 1), name="xception")
    inputs = L.Input((40, 40, 3))
    x = inner(inputs)
    x = L.GlobalAveragePooling2D()(x)
    for units in (128, 64, 32):
        x = L.Dense(units, activation="relu")(x)
        x = L.Dropout(0.3)(x)
    return keras.Model(inputs, L.Dense(7, activation="softmax")(x))


if __name__ == "__main__":
    golden.main(classifier=True)
