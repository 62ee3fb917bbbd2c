#!/usr/bin/env python3
"""Golden layers beyond those of make_ops.py: tiny Keras models with outputs and input gradients.

    python make_layers.py [--out FOLDER] [NAME ...]

Runs under tf.keras 2.15 (default folder tf215/) and Keras 3 (k3/). One function a model; see README.md.
"""
import numpy as np

from golden_build import Catalogue
from keras_reference import KERAS3, keras, tf

K3, TF215 = ("k3",), ("tf215",)

L = keras.layers
golden = Catalogue("make_layers.py")


def chain(size, *layers):
    """A functional model of layers one after another."""
    inputs = L.Input(size)
    x = inputs
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


# ----------------------------------------------------------------------------------------------------- normalisations

@golden.model((5, 4, 6))
def norm_groups():
    """GroupNormalization: groups of 3, 1 and 2 channels, one group, along the height, without scale or centre."""
    return chain((5, 4, 6),
                 L.GroupNormalization(2, name="g2"),
                 L.GroupNormalization(-1, epsilon=1e-5, name="instance"),
                 L.Conv2D(4, 1, name="mix"),
                 L.GroupNormalization(2, scale=False, name="no_scale"),
                 L.Conv2D(5, 1, activation="tanh", name="mix2"),
                 L.GroupNormalization(5, axis=1, name="rows"),
                 L.GroupNormalization(1, center=False, name="g1"))


@golden.model((5, 2, 3), generations=K3)
def norm_groups_tokens():
    """GroupNormalization of a sequence."""
    return chain((5, 2, 3), L.Reshape((5, 6), name="tokens"),
                 L.GroupNormalization(3, name="g3"), L.Dense(4, name="d"), L.GroupNormalization(4, name="g4"))


@golden.model((4, 5, 6), generations=K3, unreadable=K3)
def norm_rms():
    """RMSNormalization over one and two axes, and LayerNormalization with rms_scaling, which scales by the variance."""
    return chain((4, 5, 6),
                 L.RMSNormalization(name="rms"),
                 L.Conv2D(4, 1, name="mix"),
                 L.RMSNormalization(axis=[2, 3], epsilon=1e-3, name="rms_2"),
                 L.Conv2D(3, 1, name="mix2"),
                 L.LayerNormalization(rms_scaling=True, scale=False, name="scaling"))


@golden.model((4, 5, 6), unreadable=K3)
def norm_unit():
    """UnitNormalization over the last axis, over two axes, over the height."""
    return chain((4, 5, 6),
                 L.UnitNormalization(name="last"),
                 L.Conv2D(4, 1, name="mix"),
                 L.UnitNormalization(axis=[1, 3], name="two"),
                 L.Conv2D(3, 1, name="mix2"),
                 L.UnitNormalization(axis=1, name="rows"))


@golden.model((4, 5, 6), unreadable=K3)
def norm_axes():
    """BatchNormalization, LayerNormalization and Softmax along other axes than the last."""
    return chain((4, 5, 6),
                 L.BatchNormalization(axis=1, name="batch_rows"),
                 L.LayerNormalization(axis=1, name="layer_rows"),
                 L.LayerNormalization(axis=[1, 3], name="layer_two"),
                 L.BatchNormalization(axis=2, name="batch_columns"),
                 L.Softmax(axis=1, name="softmax_rows"),
                 L.Conv2D(4, 1, name="mix"),
                 L.Softmax(axis=[1, 2], name="softmax_places"))


# --------------------------------------------------------------------------------------- reductions, slices, sequences

def reduced(x, kind, axis, keepdims):
    """keras.ops.mean and the like, or tf.reduce_mean, by which generation it is."""
    if KERAS3:
        return getattr(keras.ops, kind)(x, axis=axis, keepdims=keepdims)
    return getattr(tf, "reduce_" + kind)(x, axis=axis, keepdims=keepdims)


@golden.model((6, 5, 4), unreadable=K3)
def reductions():
    """CBAM's spatial attention (mean and maximum over channels), and sums and extremes along one axis and several."""
    inputs = L.Input((6, 5, 4))
    both = L.Concatenate(name="both")([reduced(inputs, "mean", -1, True), reduced(inputs, "max", -1, True)])
    x = L.Multiply(name="spatial")([inputs, L.Conv2D(1, 3, padding="same", activation="sigmoid", name="gate")(both)])
    found = [L.Flatten()(reduced(x, "sum", 1, False)), L.Flatten()(reduced(x, "min", [2, 3], True)),
             L.Flatten()(reduced(x, "mean", [1, 3], False)), reduced(x, "max", [1, 2], False),
             L.Flatten()(reduced(x, "max", 2, True))]
    return keras.Model(inputs, L.Concatenate(name="joined")(found))


@golden.model((6, 5, 4), unreadable=K3)
def slices():
    """Slices of every axis: an index, a step, a reversal, the first token, the others."""
    inputs = L.Input((6, 5, 4))
    tokens = L.Dense(3, name="dense")(L.Reshape((30, 4), name="tokens")(inputs))
    found = [tokens[:, 0], L.Flatten()(tokens[:, 1:29]), L.Flatten()(inputs[:, 2, :, 1:3]),
             L.Flatten()(inputs[:, ::-1, 1]), L.Flatten()(inputs[:, 1::2, :, ::-1]), L.Flatten()(inputs[:, :, ::2])]
    return keras.Model(inputs, L.Concatenate(name="joined")(found))


@golden.model((12, 1, 4))
def sequences():
    """Layers over a sequence: convolutions of every padding, groups and dilation, pooling, padding and cropping."""
    return chain((12, 1, 4), L.Reshape((12, 4), name="steps"),
                 L.Conv1D(6, 3, padding="same", activation="tanh", name="same"),
                 L.Conv1D(4, 3, padding="causal", dilation_rate=2, name="causal"),
                 L.Conv1D(6, 2, groups=2, use_bias=False, name="groups"),
                 L.MaxPooling1D(2, strides=1, padding="same", name="max"),
                 L.ZeroPadding1D((2, 1), name="pad"),
                 L.Conv1D(5, 4, strides=2, name="strides"),
                 L.AveragePooling1D(2, padding="same", name="average"),
                 L.Cropping1D((0, 1), name="crop"), L.SpatialDropout1D(0.2), L.Dense(3, name="dense"))


# ---------------------------------------------------------------------------------------- comparisons between tensors

@golden.model((4, 3, 5), unreadable=K3)
def attentions():
    """Attention and AdditiveAttention: two tensors and three, with and without a scale, both scores."""
    inputs = L.Input((4, 3, 5))
    x = L.Reshape((12, 5), name="tokens")(inputs)
    few = L.Reshape((4, 5), name="few")(L.Conv2D(5, (1, 3), name="conv")(inputs))
    other = L.Dense(6, name="values")(few)
    found = [L.Attention(name="plain")([x, few]), L.Attention(use_scale=True, name="scaled")([x, other, few]),
             L.Attention(score_mode="concat", use_scale=True, name="concat")([x, few]),
             L.AdditiveAttention(name="additive")([x, few, few]),
             L.AdditiveAttention(use_scale=False, name="additive_plain")([x, few])]
    return keras.Model(inputs, L.Concatenate(name="joined")(found))


@golden.model((4, 3, 5))
def dots():
    """Dot: vectors, matrices, other axes, normalised."""
    inputs = L.Input((4, 3, 5))
    a = L.Reshape((12, 5), name="a")(inputs)
    b = L.Reshape((4, 5), name="b")(L.Conv2D(5, (1, 3), name="conv")(inputs))
    v, w = L.GlobalAveragePooling2D(name="v")(inputs), L.GlobalMaxPooling2D(name="w")(inputs)
    found = [L.Flatten()(L.Dot((2, 2), name="matrices")([a, b])), L.Dot(1, name="vectors")([v, w]),
             L.Dot((2, 1), name="mixed")([a, v]), L.Flatten()(L.Dot((2, 2), normalize=True, name="cosine")([a, b])),
             L.Flatten()(L.Dot((1, 1), name="rows")([L.Dense(3, name="c")(a), a]))]
    return keras.Model(inputs, L.Concatenate(name="joined")(found))


# ------------------------------------------------------------------------------------------------ layers around layers

def wrappers():
    """SpectralNormalization of convolutions and dense layers, TimeDistributed, and MultiHeadAttention's output_shape."""
    spectral = L.SpectralNormalization
    inputs = L.Input((5, 4, 3))
    x = spectral(L.Conv2D(6, 3, padding="same", activation="tanh", name="conv"), name="spectral")(inputs)
    x = spectral(L.Conv2D(6, 1, use_bias=False, name="conv2"), power_iterations=2)(x)
    x = L.Reshape((20, 6), name="tokens")(x)
    x = L.TimeDistributed(L.Dense(5, activation="sigmoid", name="dense"), name="each")(x)
    x = L.TimeDistributed(L.Dropout(0.5))(x)
    x = L.MultiHeadAttention(2, 3, output_shape=4, name="attention")(x, x)
    x = L.MultiHeadAttention(2, 2, output_shape=(2, 3), name="attention2")(x, x)
    return keras.Model(inputs, spectral(L.Dense(3, name="last"))(L.Flatten(name="flatten")(x)))


@golden.model((5, 4, 3), unreadable=TF215)
def wrapped():
    """Layers around layers, in .h5."""
    return wrappers()


@golden.model((5, 4, 3), suffix=".keras", unreadable=K3 + TF215)
def wrapped_zip():
    """The same in .keras, which holds the kernel of a SpectralNormalization twice."""
    return wrappers()


# ------------------------------------------------------------------------------------------------ resizing, constants

@golden.model((12, 9, 3), generations=K3, double=(),
              layers=["smooth", "cubic", "wider", "crop", "pad", "crop_tall"])
def resizing_ways():
    """Resizing antialiased (bilinear, bicubic, both ways), cut or padded to the aspect."""
    inputs = L.Input((12, 9, 3))
    ways = {"smooth": (5, 4, dict(antialias=True)), "cubic": (4, 13, dict(antialias=True, interpolation="bicubic")),
            "wider": (15, 5, dict(antialias=True)), "crop": (6, 7, dict(crop_to_aspect_ratio=True)),
            "pad": (7, 6, dict(pad_to_aspect_ratio=True)), "crop_tall": (9, 4, dict(crop_to_aspect_ratio=True, antialias=True))}
    found = [L.Flatten()(L.DepthwiseConv2D(2, name="conv_" + name)(L.Resizing(h, w, name=name, **settings)(inputs)))
             for name, (h, w, settings) in ways.items()]
    return keras.Model(inputs, L.Dense(3, name="dense")(L.Concatenate(name="joined")(found)))


@golden.model((4, 3, 5), unreadable=K3)
def constants():
    """Tensors as constants of the graph (a position embedding added to tokens), limits, and a quotient of two tensors."""
    inputs = L.Input((4, 3, 5))
    x = L.Reshape((12, 5), name="tokens")(inputs)
    positions = np.random.default_rng(5).normal(0.0, 0.5, (12, 5)).astype(np.float32)
    if KERAS3:
        y = keras.ops.add(x, positions)
        y = keras.ops.maximum(keras.ops.minimum(y, 0.9), -0.8)
        z = keras.ops.divide(y, keras.ops.add(keras.ops.square(x), 1.0))
        z = keras.ops.multiply(z, positions[None, :, :1])
        z = keras.ops.divide(2.0, keras.ops.add(keras.ops.square(z), 0.5))
    else:
        y = x + tf.cast(positions, x.dtype)
        y = tf.maximum(tf.minimum(y, 0.9), -0.8)
        z = y / (tf.square(x) + 1.0)
        z = z * tf.cast(positions[None, :, :1], x.dtype)
        z = 2.0 / (tf.square(z) + 0.5)
    return keras.Model(inputs, L.Dense(3, name="dense")(z))


# ----------------------------------------------------------------------------------------------------- channels first

def on_cpu(function):
    """TensorFlow has no NCHW kernels of convolutions on a CPU: the same between two transpositions."""
    def run(x, *args, data_format=None, **settings):
        if data_format != "NCHW":
            return function(x, *args, data_format=data_format, **settings)
        if isinstance(settings.get("strides"), (list, tuple)) and len(settings["strides"]) == 4:
            settings["strides"] = [settings["strides"][i] for i in (0, 2, 3, 1)]
        y = function(tf.transpose(x, (0, 2, 3, 1)), *args, data_format="NHWC", **settings)
        return tf.transpose(y, (0, 3, 1, 2))
    return run


tf.nn.convolution, tf.nn.depthwise_conv2d = on_cpu(tf.nn.convolution), on_cpu(tf.nn.depthwise_conv2d)


def conv(*args, **settings):
    return L.Conv2D(*args, data_format="channels_first", **settings)


@golden.model((3, 9, 8), generations=K3, channels_first=True, unreadable=K3,
              layers=["excited"])
def channels_first():
    """Convolutions, norms, pooling, merges, squeeze and excitation, padding and Flatten with channels_first."""
    first = {"data_format": "channels_first"}
    inputs = L.Input((3, 9, 8))
    x = L.Rescaling(0.5, offset=0.1, name="scaled")(inputs)
    x = L.ZeroPadding2D(((1, 0), (0, 1)), **first)(x)
    x = conv(6, 3, padding="same", name="stem")(x)
    x = L.BatchNormalization(axis=1, name="bn")(x)
    x = L.Activation("relu", name="activation")(x)
    a = L.DepthwiseConv2D(3, padding="same", name="depthwise", **first)(x)
    b = L.MaxPooling2D(3, strides=1, padding="same", name="max", **first)(x)
    x = L.Concatenate(axis=1, name="joined")([a, b])
    y = L.GlobalAveragePooling2D(name="squeeze", **first)(x)
    y = L.Reshape((12, 1, 1), name="column")(y)
    y = conv(12, 1, activation="sigmoid", name="excite")(y)
    x = L.Multiply(name="excited")([x, y])
    x = L.LayerNormalization(axis=1, name="layer_norm")(x)
    x = L.AveragePooling2D(2, name="average", **first)(x)
    x = L.Softmax(axis=1, name="softmax")(x)
    x = L.Add(name="twice")([x, conv(12, 1, name="side")(x)])
    x = L.UpSampling2D(2, name="up", **first)(x)
    x = L.Cropping2D(1, name="crop", **first)(x)
    x = L.PReLU(shared_axes=[2, 3], name="prelu")(x)
    return keras.Model(inputs, L.Dense(4, name="dense")(L.Flatten(name="flatten", **first)(x)))


if __name__ == "__main__":
    golden.main(classifier=False)
