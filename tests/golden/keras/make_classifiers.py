#!/usr/bin/env python3
"""Golden classifiers: small Keras networks of every family the loader must read, with logits, gradients, Grad-CAM.

    python make_classifiers.py [--out FOLDER] [NAME ...]

Runs under tf.keras 2.15 (default folder tf215/) and Keras 3 (k3/). One function a model; see README.md.
"""
import os

import numpy as np

from golden_build import Catalogue
from keras_reference import KERAS3, keras

TF215 = ("tf215",)      # architectures whose layers and file layout another model has in both generations

L = keras.layers
golden = Catalogue("make_classifiers.py")


# ---------------------------------------------------------------------------------------------------- sequential CNNs

@golden.model((16, 14, 3), count=3, layers=["conv2d_1", "conv2d_2", "max_pooling2d_1"])
def sequential_cnn():
    """Conv/BN/pool/Flatten/Dense as most scripts write it; softmax inside the last Dense."""
    return keras.Sequential([
        L.Input((16, 14, 3)),
        L.Conv2D(8, 3, padding="same", activation="relu"),
        L.BatchNormalization(),
        L.MaxPooling2D(),
        L.Conv2D(12, 3, padding="same", use_bias=False),
        L.BatchNormalization(),
        L.Activation("relu"),
        L.MaxPooling2D(2),
        L.Conv2D(16, 3, activation="relu", padding="same"),
        L.Dropout(0.25),
        L.Flatten(),
        L.Dense(20, activation="relu"),
        L.Dropout(0.5),
        L.Dense(5, activation="softmax"),
    ])


# --------------------------------------------------------------------------------------- Xception and the seed's model

def xception_trunk(inputs, widths=(8, 12, 16, 24, 24, 32), middle=1):
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


@golden.model((37, 33, 3), generations=TF215, layers=["block14_sepconv2_act", "block13_pool", "add"])
def xception_small():
    """A scaled-down Xception with its own top: every layer kind of the full one."""
    inputs = L.Input((37, 33, 3))
    x = xception_trunk(inputs)
    x = L.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(inputs, L.Dense(10, activation="softmax", name="predictions")(x), name="xception")


@golden.model((33, 33, 3), layers=["xception", "xception/block14_sepconv2_act", "xception/block13_pool"])
def seed_nested():
    """The seed's listing: an inner include_top=False Xception, GlobalAveragePooling, Dense 128/64/32, Dense 7."""
    inner_inputs = L.Input((33, 33, 3))
    inner = keras.Model(inner_inputs, xception_trunk(inner_inputs, (6, 8, 12, 16, 16, 24)), name="xception")
    inputs = L.Input((33, 33, 3))
    x = inner(inputs)
    x = L.GlobalAveragePooling2D()(x)
    for units in (128, 64, 32):
        x = L.Dense(units, activation="relu")(x)
        x = L.Dropout(0.3)(x)
    return keras.Model(inputs, L.Dense(7, activation="softmax")(x))


# ------------------------------------------------------------------------------------------ other families of networks

def mobile_trunk(inputs, name=lambda text: text):
    """A MobileNetV2 of three inverted residual blocks, padded as keras.applications pads it."""
    def normal(x, what):
        return L.BatchNormalization(epsilon=1e-3, momentum=0.999, name=name(what))(x)

    def block(x, index, width, stride):
        prefix, entry = f"block_{index}_", x
        x = L.Conv2D(3 * x.shape[-1], 1, padding="same", use_bias=False, name=name(prefix + "expand"))(x)
        x = L.ReLU(6.0, name=name(prefix + "expand_relu"))(normal(x, prefix + "expand_BN"))
        if stride == 2:
            x = L.ZeroPadding2D(((0, 1), (0, 1)), name=name(prefix + "pad"))(x)
        x = L.DepthwiseConv2D(3, strides=stride, use_bias=False, padding="same" if stride == 1 else "valid",
                              name=name(prefix + "depthwise"))(x)
        x = L.ReLU(6.0, name=name(prefix + "depthwise_relu"))(normal(x, prefix + "depthwise_BN"))
        x = L.Conv2D(width, 1, padding="same", use_bias=False, name=name(prefix + "project"))(x)
        x = normal(x, prefix + "project_BN")
        return L.Add(name=name(prefix + "add"))([entry, x]) if entry.shape[-1] == width and stride == 1 else x

    x = L.Conv2D(6, 3, strides=2, padding="same", use_bias=False, name=name("Conv1"))(inputs)
    x = L.ReLU(6.0, name=name("Conv1_relu"))(normal(x, "bn_Conv1"))
    x = block(x, 1, 8, 2)
    x = block(x, 2, 8, 1)
    x = L.Conv2D(24, 1, use_bias=False, name=name("Conv_1"))(x)
    return L.ReLU(6.0, name=name("out_relu"))(normal(x, "Conv_1_bn"))


@golden.model((22, 20, 3), generations=TF215, layers=["out_relu", "block_2_add"])
def mobile():
    """MobileNetV2-like: relu6, depthwise stride 2 behind ZeroPadding2D, inverted residuals."""
    inputs = L.Input((22, 20, 3))
    x = L.GlobalAveragePooling2D()(mobile_trunk(inputs))
    return keras.Model(inputs, L.Dense(6, activation="softmax", name="predictions")(x))


@golden.model((24, 21, 3), generations=TF215, layers=["conv3_out", "conv2b_out"])
def resnet():
    """ResNet v1-like: biased convolutions, padded max-pool, identity and projection shortcuts, epsilon 1.001e-5."""
    def normal(x, name):
        return L.BatchNormalization(epsilon=1.001e-5, name=name)(x)

    def block(x, width, stride, project, name):
        shortcut = x
        if project:
            shortcut = L.Conv2D(4 * width, 1, strides=stride, name=name + "_0_conv")(x)
            shortcut = normal(shortcut, name + "_0_bn")
        x = L.Conv2D(width, 1, strides=stride, name=name + "_1_conv")(x)
        x = L.Activation("relu", name=name + "_1_relu")(normal(x, name + "_1_bn"))
        x = L.Conv2D(width, 3, padding="same", name=name + "_2_conv")(x)
        x = L.Activation("relu", name=name + "_2_relu")(normal(x, name + "_2_bn"))
        x = normal(L.Conv2D(4 * width, 1, name=name + "_3_conv")(x), name + "_3_bn")
        x = L.Add(name=name + "_add")([shortcut, x])
        return L.Activation("relu", name=name + "_out")(x)

    inputs = L.Input((24, 21, 3))
    x = L.ZeroPadding2D(((3, 3), (3, 3)), name="conv1_pad")(inputs)
    x = L.Conv2D(8, 7, strides=2, name="conv1_conv")(x)
    x = L.Activation("relu", name="conv1_relu")(normal(x, "conv1_bn"))
    x = L.ZeroPadding2D(((1, 1), (1, 1)), name="pool1_pad")(x)
    x = L.MaxPooling2D(3, strides=2, name="conv1_pool")(x)
    x = block(x, 4, 1, True, "conv2")
    x = block(x, 4, 1, False, "conv2b")
    x = block(x, 6, 2, True, "conv3")
    x = L.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(inputs, L.Dense(5, activation="softmax", name="predictions")(x))


@golden.model((25, 22, 3), generations=TF215, layers=["mixed1", "mixed0"])
def inception():
    """Inception-like: 1x7 and 7x1 convolutions, AveragePooling2D SAME, Concatenate; BatchNormalization unscaled."""
    def conv(x, width, rows, columns, strides=1, padding="same"):
        x = L.Conv2D(width, (rows, columns), strides=strides, padding=padding, use_bias=False)(x)
        x = L.BatchNormalization(scale=False)(x)
        return L.Activation("relu")(x)

    inputs = L.Input((25, 22, 3))
    x = conv(inputs, 6, 3, 3, strides=2, padding="valid")
    x = L.MaxPooling2D(3, strides=2)(x)
    pool = conv(L.AveragePooling2D(3, strides=1, padding="same")(x), 4, 1, 1)
    x = L.concatenate([conv(x, 4, 1, 1), conv(conv(x, 3, 1, 1), 5, 5, 5), pool], axis=3, name="mixed0")
    double = conv(conv(conv(x, 3, 1, 1), 3, 1, 7), 5, 7, 1)
    pool = L.MaxPooling2D(3, strides=1, padding="same")(x)
    x = L.concatenate([conv(x, 6, 1, 1), double, pool], axis=3, name="mixed1")
    x = L.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(inputs, L.Dense(5, activation="softmax", name="predictions")(x))


def set_normalization(layer):
    """Statistics as a Normalization adapted to ImageNet-like data in [0, 1] has them."""
    layer.adapt(np.array([[[[0.1, 0.3, 0.2], [0.9, 0.6, 0.8], [0.5, 0.4, 0.1]]]], np.float32))
    return layer


@golden.model((24, 22, 3), low=0.0, high=255.0, layers=["top_activation", "block2_excited"])
def squeeze_excite():
    """EfficientNet and MobileNetV3-like: preprocessing in front, swish, squeeze-and-excite in both spellings."""
    # MobileNetV3 of tf.keras has slashes in its layer names; Keras 3 forbids them.
    slash = "_" if KERAS3 else "/"
    inputs = L.Input((24, 22, 3))
    x = L.Rescaling(1.0 / 255.0)(inputs)
    x = set_normalization(L.Normalization(axis=-1))(x)
    x = L.ZeroPadding2D(((0, 1), (0, 1)), name="stem_conv_pad")(x)
    x = L.Conv2D(8, 3, strides=2, padding="valid", use_bias=False, name="stem_conv")(x)
    x = L.Activation("swish", name="stem_activation")(L.BatchNormalization(name="stem_bn")(x))
    entry = x
    x = L.DepthwiseConv2D(3, padding="same", use_bias=False, name="block1_dwconv")(x)
    x = L.Activation("swish", name="block1_activation")(L.BatchNormalization(name="block1_bn")(x))
    se = L.GlobalAveragePooling2D(name="block1_se_squeeze")(x)
    se = L.Reshape((1, 1, 8), name="block1_se_reshape")(se)
    se = L.Conv2D(2, 1, padding="same", activation="swish", name="block1_se_reduce")(se)
    se = L.Conv2D(8, 1, padding="same", activation="sigmoid", name="block1_se_expand")(se)
    x = L.multiply([x, se], name="block1_se_excite")
    x = L.BatchNormalization(name="block1_project_bn")(L.Conv2D(8, 1, use_bias=False, name="block1_project_conv")(x))
    x = L.add([L.Dropout(0.2, noise_shape=(None, 1, 1, 1), name="block1_drop")(x), entry], name="block1_add")
    x = L.SeparableConv2D(12, 5, strides=2, padding="same", activation="relu", name="block2_sepconv")(x)
    se = L.GlobalAveragePooling2D(keepdims=True, name=f"block2{slash}squeeze_excite{slash}AvgPool")(x)
    se = L.ReLU(name=f"block2{slash}squeeze_excite{slash}Relu")(
        L.Conv2D(4, 1, padding="same", name=f"block2{slash}squeeze_excite{slash}Conv")(se))
    se = L.Conv2D(12, 1, activation="hard_sigmoid", name=f"block2{slash}squeeze_excite{slash}Conv_1")(se)
    x = L.Multiply(name="block2_excited")([x, se])
    x = L.BatchNormalization(name="top_bn")(L.Conv2D(16, 1, use_bias=False, name="top_conv")(x))
    x = L.Activation("swish", name="top_activation")(x)
    x = L.Dropout(0.2, name="top_dropout")(L.GlobalAveragePooling2D(name="avg_pool")(x))
    return keras.Model(inputs, L.Dense(4, activation="softmax", name="predictions")(x))


@golden.model((22, 20, 3), generations=TF215, layers=["block2_add", "stem_norm"])
def convnext():
    """ConvNeXt-like: patch stem, 7x7 depthwise, LayerNormalization, Dense on channels, GELU."""
    inputs = L.Input((22, 20, 3))
    x = L.Conv2D(8, 4, strides=4, name="stem")(inputs)
    x = L.LayerNormalization(epsilon=1e-6, name="stem_norm")(x)
    for k in (1, 2):
        y = L.DepthwiseConv2D(7, padding="same", name=f"block{k}_depthwise")(x)
        y = L.LayerNormalization(epsilon=1e-6, name=f"block{k}_norm")(y)
        y = L.Activation("gelu", name=f"block{k}_gelu")(L.Dense(24, name=f"block{k}_expand")(y))
        x = L.Add(name=f"block{k}_add")([x, L.Dense(8, name=f"block{k}_project")(y)])
    x = L.LayerNormalization(epsilon=1e-6, name="head_norm")(L.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, L.Dense(5, activation="softmax", name="predictions")(x))


# ------------------------------------------------------------------------------------------------- transfer learning

def mobile_base(size):
    """A base model as keras.applications gives it with include_top=False."""
    inputs = L.Input(size)
    return keras.Model(inputs, mobile_trunk(inputs), name="mobilenetv2")


def augmentation():
    return keras.Sequential([L.RandomFlip("horizontal"), L.RandomRotation(0.1)])


@golden.model((24, 24, 3), low=0.0, high=255.0, double=("k3",), layers=["mobilenetv2", "mobilenetv2/block_2_add"])
def fine_tuning_guide():
    """Keras' transfer learning guide: augmentation, Rescaling, a base called with training=False, one linear unit."""
    inputs = L.Input((24, 24, 3))
    x = augmentation()(inputs)
    x = L.Rescaling(scale=1 / 127.5, offset=-1)(x)
    base = mobile_base((24, 24, 3))
    base.trainable = False
    x = base(x, training=False)
    x = L.Dropout(0.2)(L.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, L.Dense(1)(x))


@golden.model((24, 24, 3), low=0.0, high=255.0, double=("k3",), unreadable=("k3",), layers=["mobilenetv2"])
def fine_tuning_tutorial():
    """TensorFlow's tutorial: preprocess_input called on the tensor, base, GlobalAveragePooling, one sigmoid unit."""
    inputs = L.Input((24, 24, 3))
    x = augmentation()(inputs)
    x = keras.applications.mobilenet_v2.preprocess_input(x)
    x = mobile_base((24, 24, 3))(x, training=False)
    x = L.Dropout(0.2)(L.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, L.Dense(1, activation="sigmoid")(x))


# ------------------------------------------------------------------------------------------------------------- heads

def small_cnn(*head, filters=(6, 8)):
    """A functional CNN of two convolutions that takes its head."""
    inputs = L.Input((14, 12, 3))
    x = L.Conv2D(filters[0], 3, activation="relu")(inputs)
    x = L.BatchNormalization()(L.Conv2D(filters[1], 3, strides=2, use_bias=False)(x))
    x = L.Activation("relu")(x)
    for layer in head:
        x = layer(x)
    return keras.Model(inputs, x)


@golden.model((14, 12, 3), count=3, layers=["activation"])
def head_sigmoid_many():
    """Multi-label: a sigmoid for each of five classes."""
    return small_cnn(L.GlobalAveragePooling2D(), L.Dense(5, activation="sigmoid"))


@golden.model((14, 12, 3), layers=["activation"], generations=TF215)
def head_sigmoid_one():
    """Two classes in one sigmoid unit, behind Flatten."""
    return small_cnn(L.Flatten(), L.Dense(8, activation="tanh"), L.Dense(1, activation="sigmoid"))


@golden.model((14, 12, 3), layers=["activation"], generations=TF215)
def head_softmax_layer():
    """The softmax as a Softmax layer of its own."""
    return small_cnn(L.GlobalMaxPooling2D(), L.Dense(5), L.Softmax())


@golden.model((14, 12, 3), layers=["conv2d", "activation"], generations=TF215)
def head_conv():
    """No Dense: a convolution to the classes, GlobalAveragePooling2D, Activation("softmax")."""
    return small_cnn(L.Conv2D(5, 3, padding="same"), L.GlobalAveragePooling2D(),
                     L.Activation("softmax", name="predictions"))


@golden.model((14, 12, 3), layers=["activation_1"], policy="mixed_float16")
def mixed_half():
    """Saved under mixed_float16, as the guide does it: the last activation in float32. The reference is float32."""
    return small_cnn(L.GlobalAveragePooling2D(), L.Dense(5), L.Activation("softmax", dtype="float32"))


@golden.model((14, 12, 3), layers=["activation"])
def compiled():
    """Compiled and trained for a step: the file also has training_config and optimizer_weights."""
    model = small_cnn(L.Flatten(), L.Dense(3, activation="softmax"))
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(1)
    model.train_on_batch(rng.normal(0.0, 1.0, (4, 14, 12, 3)).astype(np.float32), np.array([0, 1, 2, 0]))
    return model


# ------------------------------------------------------------------------------------------------------ file layouts

@golden.model((14, 12, 3), layers=["activation"])
def auto_numbered():
    """Built after other layers in one session: the names start at conv2d_7 and batch_normalization_3."""
    for _ in range(7):
        L.Conv2D(1, 1)
    for _ in range(3):
        L.BatchNormalization()
    return small_cnn(L.GlobalAveragePooling2D(), L.Dense(4, activation="softmax"))


@golden.model((16, 14, 3), layers=["conv2d"])
def sequential_deferred():
    """A Sequential that was given no input shape; it was built by its first call."""
    model = keras.Sequential([
        L.Conv2D(6, 3, activation="relu", padding="same"), L.MaxPooling2D(),
        L.Flatten(), L.Dense(4), L.Activation("softmax")])
    model(np.zeros((1, 16, 14, 3), np.float32))
    return model


@golden.model((16, 14, 3), layers=["features", "features/block/conv2", "features/block", "conv"])
def nested_twice():
    """Sequential > functional > Sequential; a layer name occurs on two levels."""
    block = keras.Sequential([L.Input((14, 12, 6)), L.Conv2D(8, 3, name="conv2"), L.BatchNormalization(name="norm2"),
                              L.ReLU(name="relu2")], name="block")
    inputs = L.Input((16, 14, 3))
    x = L.Conv2D(6, 3, activation="relu", name="conv")(inputs)
    x = L.BatchNormalization(name="norm")(x)
    x = block(x)
    x = L.Conv2D(10, 1, activation="relu", name="pointwise")(x)
    features = keras.Model(inputs, x, name="features")
    return keras.Sequential([
        L.Input((16, 14, 3)), features, L.Conv2D(8, 3, strides=2, activation="relu", name="conv"),
        L.BatchNormalization(name="norm"), L.GlobalAveragePooling2D(name="pool"), L.Dense(4, name="out"),
        L.Activation("softmax", name="softmax")])


@golden.model((14, 12, 3), layers=["last"])
def shared_layer():
    """One convolution used at two nodes, as in Siamese networks; its first use is read later than its second."""
    inputs = L.Input((14, 12, 3))
    shared = L.Conv2D(6, 3, padding="same", activation="relu", name="shared")
    first = shared(inputs)
    second = shared(L.AveragePooling2D(3, strides=1, padding="same", name="blurred")(inputs))
    x = L.Subtract(name="difference")([second, first])
    x = L.Concatenate(name="both")([x, first])
    x = L.Conv2D(8, 3, strides=2, activation="relu", name="last")(x)
    return keras.Model(inputs, L.Dense(4, activation="softmax", name="out")(L.GlobalAveragePooling2D(name="pool")(x)))


@golden.model((14, 12, 3), layers=["last"], generations=TF215)
def shared_model():
    """One nested model called on two tensors."""
    inner_inputs = L.Input((14, 12, 3))
    y = L.Conv2D(5, 3, padding="same", use_bias=False, name="conv")(inner_inputs)
    y = L.Activation("relu", name="relu")(L.BatchNormalization(name="norm")(y))
    inner = keras.Model(inner_inputs, y, name="tower")
    inputs = L.Input((14, 12, 3))
    moved = L.Cropping2D(1, name="crop")(L.ZeroPadding2D(((2, 0), (1, 1)), name="pad")(inputs))
    left, right = inner(inputs), inner(moved)
    x = L.Add(name="sum")([L.Rescaling(0.5, name="half")(left), right])
    x = L.Conv2D(8, 3, strides=2, activation="relu", name="last")(x)
    return keras.Model(inputs, L.Dense(4, activation="softmax", name="out")(L.GlobalAveragePooling2D(name="pool")(x)))


# ------------------------------------------------------------------------------- weights-only files with a model.json

def write_json(model, path):
    with open(path, "w", encoding="utf-8") as f:
        f.write(model.to_json())


def save_weights(model, path):
    """Weights, and the architecture beside them: NAME.json."""
    model.save_weights(path)
    write_json(model, path.removesuffix(".weights.h5").removesuffix(".h5") + ".json")


def save_renumbered(model, path):
    """The weights of a model with later auto-numbers than the one the architecture was written from."""
    save_weights(model, path)
    keras.backend.clear_session()
    write_json(small_cnn(L.GlobalAveragePooling2D(), L.Dense(4, activation="softmax")),
               os.path.splitext(path)[0] + ".json")


def nested_cnn():
    """A nested model and a head, for the weights-only files."""
    inner_inputs = L.Input((14, 12, 3))
    y = L.Conv2D(6, 3, activation="relu")(inner_inputs)
    y = L.SeparableConv2D(8, 3, use_bias=False)(y)
    y = L.ReLU()(L.BatchNormalization()(y))
    inputs = L.Input((14, 12, 3))
    x = keras.Model(inner_inputs, y, name="trunk")(inputs)
    x = L.GlobalAveragePooling2D()(L.Conv2D(8, 1, activation="relu")(x))
    return keras.Model(inputs, L.Dense(4, activation="softmax")(L.Dropout(0.3)(x)))


@golden.model((14, 12, 3), generations=TF215, save=save_weights, layers=["trunk"])
def weights_h5():
    """save_weights("NAME.h5") of tf.keras: the groups of model_weights at the root."""
    return nested_cnn()


@golden.model((14, 12, 3), generations=TF215, save=save_renumbered)
def weights_h5_renumbered():
    """As above, with other auto-numbered names in the weights file than in the architecture."""
    return auto_numbered()


@golden.model((14, 12, 3), save=save_weights, suffix=".weights.h5", layers=["trunk"])
def weights_v3():
    """save_weights("NAME.weights.h5"): variables by position under layers/."""
    return nested_cnn()


@golden.model((14, 12, 3), generations=("k3",), save=lambda model, path: model.save(path), suffix=".keras")
def zip_v3():
    """A whole model as .keras, which is a zip."""
    return small_cnn(L.GlobalAveragePooling2D(), L.Dense(4, activation="softmax"), filters=(3, 4))


def as_saved(model, path):
    model.save(path)


@golden.model((16, 16, 3), generations=("k3",))
def head_linear():
    """Plain scores without an activation, the mean of every channel: the strongest channel is the class."""
    return keras.Sequential([L.Input((16, 16, 3)), L.AveragePooling2D(2), L.GlobalAveragePooling2D(name="means")])


@golden.model((14, 12, 3), generations=("k3",), save=as_saved, suffix=".keras", policy="bfloat16")
def stored_bfloat16():
    """Weights stored as bfloat16, which HDF5 does not know: two bytes each and an attribute `dtype`. The reference is float32."""
    return small_cnn(L.GlobalAveragePooling2D(), L.Dense(4), L.Activation("softmax", dtype="float32"), filters=(3, 4))


@golden.model((14, 12, 3), generations=("k3",), save=as_saved, suffix=".keras")
def trained_zip():
    """Trained for a step: the file also has the state of the optimizer, of its moving averages and of random generators."""
    model = keras.Sequential([
        L.Input((14, 12, 3)), L.RandomFlip(seed=1), L.Conv2D(4, 3, strides=2, activation="relu"), L.SpatialDropout2D(0.1, seed=2),
        L.GaussianNoise(0.1, seed=3), L.GlobalAveragePooling2D(), L.Dropout(0.2, seed=4), L.Dense(4, activation="softmax")])
    model.compile(keras.optimizers.Adam(1e-3, use_ema=True), "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(1)
    model.train_on_batch(rng.normal(0.0, 1.0, (4, 14, 12, 3)).astype(np.float32), np.array([0, 1, 2, 0]))
    return model


def with_lora():
    """A Dense and a Conv2D layer with LoRA's kernels beside theirs."""
    model = small_cnn(L.GlobalAveragePooling2D(), L.Dense(4, activation="softmax"), filters=(3, 4))
    rng = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, (L.Dense, L.Conv2D)):
            layer.enable_lora(2)
            layer.lora_kernel_b.assign(rng.normal(0.0, 0.5, layer.lora_kernel_b.shape))
    return model


@golden.model((14, 12, 3), generations=("k3",), save=as_saved, suffix=".keras")
def merged_lora():
    """with_lora as .keras: Keras writes the sums, kernel + alpha/rank * a b."""
    return with_lora()


# -------------------------------------------------------------------------------------- layers a loader has to refuse

@golden.model((14, 12, 3), generations=("k3",), save=as_saved)
def refused_lora():
    """with_lora as .h5: kernel, lora_kernel_a and lora_kernel_b apart."""
    return with_lora()


@keras.utils.register_keras_serializable("golden")
class GlobalAveragePooling2D(L.GlobalAveragePooling2D):
    """A class of the author's own under the name of one of Keras."""

    def call(self, inputs):
        return 0.5 * super().call(inputs)


@golden.model((14, 12, 3), generations=("k3",), save=as_saved)
def refused_user_class():
    """registered as "golden>GlobalAveragePooling2D"; .h5."""
    return small_cnn(GlobalAveragePooling2D(name="pool"), L.Dense(4, activation="softmax"), filters=(3, 4))


@golden.model((14, 12, 3), generations=("k3",), save=as_saved, suffix=".keras")
def refused_user_zip():
    """The same as .keras, which says it by registered_name."""
    return small_cnn(GlobalAveragePooling2D(name="pool"), L.Dense(4, activation="softmax"), filters=(3, 4))


class Doubled(L.Layer):
    """A layer of the author's own."""

    def call(self, inputs):
        return 2.0 * inputs


@golden.model((14, 12, 3), generations=TF215, unreadable=TF215)
def refused_custom():
    """A layer class that only its author has."""
    return small_cnn(Doubled(name="my_layer"), L.GlobalAveragePooling2D(), L.Dense(4, activation="softmax"),
                     filters=(3, 4))


@golden.model((14, 12, 3), unreadable=("tf215", "k3"))
def refused_lambda():
    """A Lambda: Python byte code in the config."""
    return small_cnn(L.Lambda(lambda x: x * 0.5, name="my_lambda"), L.GlobalAveragePooling2D(),
                     L.Dense(4, activation="softmax"), filters=(3, 4))


if __name__ == "__main__":
    golden.main(classifier=True)
