#!/usr/bin/env python3
"""Golden operators: tiny Keras models, a family of layers each, with outputs and input gradients.

    python make_ops.py [--out FOLDER] [NAME ...]

Runs under tf.keras 2.15 (default folder tf215/) and Keras 3 (k3/). One function a model; see README.md.
"""
import numpy as np

from golden_build import Catalogue
from keras_reference import KERAS3, keras, tf

L = keras.layers
golden = Catalogue("make_ops.py")


def chain(size, *layers):
    """A functional model of layers one after another."""
    inputs = L.Input(size)
    x = inputs
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


def fan(size, *layers):
    """The input through every layer side by side, joined on the last axis: all outputs have one height and width."""
    inputs = L.Input(size)
    return keras.Model(inputs, L.Concatenate(name="joined")([layer(inputs) for layer in layers]))


def every_layer(model):
    """Paths of all layers, for references that localise an error; with one generation, to keep the data small."""
    return [] if KERAS3 else [layer.name for layer in model.layers if not isinstance(layer, L.InputLayer)]


# ------------------------------------------------------------------------------------------------------ convolutions

@golden.model((11, 8, 3), layers=every_layer)
def conv_same():
    """SAME padding: odd, even, rectangular and 1xN kernels, strides 1 and 2, with and without bias."""
    return chain((11, 8, 3),
                 L.Conv2D(5, 3, padding="same", name="k3"),
                 L.Conv2D(4, 2, padding="same", name="k2_even"),
                 L.Conv2D(6, (4, 3), padding="same", use_bias=False, name="k4x3"),
                 L.Conv2D(5, (1, 5), padding="same", name="k1x5"),
                 L.Conv2D(4, (5, 1), padding="same", name="k5x1"),
                 L.Conv2D(7, 3, strides=(2, 1), padding="same", name="k3_s2x1"),
                 L.Conv2D(3, 4, strides=2, padding="same", name="k4_s2"))


@golden.model((19, 16, 2), layers=every_layer)
def conv_valid():
    """VALID padding: strides 1, 2 and 3, rows or columns left over at the end."""
    return chain((19, 16, 2),
                 L.Conv2D(4, 3, strides=2, name="k3_s2"),
                 L.Conv2D(6, 2, use_bias=False, name="k2"),
                 L.Conv2D(5, (1, 2), name="k1x2"),
                 L.Conv2D(4, 3, strides=(2, 1), name="k3_s2x1"))


@golden.model((17, 13, 3), layers=every_layer)
def conv_stride3():
    """Strides of 3, SAME with a kernel of 5, then VALID with a stride wider than the kernel."""
    return chain((17, 13, 3),
                 L.Conv2D(4, 5, strides=3, padding="same", name="k5_s3_same"),
                 L.Conv2D(5, 2, strides=3, padding="valid", name="k2_s3_valid"))


@golden.model((14, 11, 3), layers=every_layer)
def conv_stride_gap():
    """Strides wider than the kernel: pixels no output ever reads have a gradient of exactly 0."""
    return chain((14, 11, 3),
                 L.Conv2D(6, 1, strides=2, padding="same", use_bias=False, name="k1_s2_same"),
                 L.Conv2D(4, 2, strides=3, padding="same", name="k2_s3_same"))


@golden.model((12, 11, 3), layers=every_layer)
def conv_stride_gap_valid():
    """Pointwise VALID convolution of stride 3."""
    return chain((12, 11, 3), L.Conv2D(6, 1, strides=3, name="k1_s3_valid"))


@golden.model((15, 14, 3), layers=every_layer)
def conv_dilated():
    """Dilation, square and rectangular, SAME and VALID."""
    return chain((15, 14, 3),
                 L.Conv2D(4, 3, dilation_rate=2, padding="same", name="k3_d2_same"),
                 L.Conv2D(5, 3, dilation_rate=(2, 3), name="k3_d2x3_valid"),
                 L.Conv2D(4, (2, 3), dilation_rate=2, padding="same", name="k2x3_d2_same"))


@golden.model((9, 8, 4), layers=every_layer)
def conv_groups():
    """Grouped convolutions: 2 and 3 groups, one group a channel, strides."""
    return chain((9, 8, 4),
                 L.Conv2D(6, 3, groups=2, padding="same", name="g2"),
                 L.Conv2D(9, 3, groups=3, strides=2, padding="same", use_bias=False, name="g3_s2"),
                 L.Conv2D(9, 2, groups=9, name="g9"))


@golden.model((9, 7, 3))
def conv_wide():
    """Channel counts that fill and overrun SIMD tiles: 3, 35, 17, 66."""
    return chain((9, 7, 3),
                 L.Conv2D(35, 3, padding="same", activation="relu", name="to35"),
                 L.Conv2D(17, 1, name="to17"),
                 L.Conv2D(66, 3, padding="same", use_bias=False, name="to66"),
                 L.Conv2D(5, 1, name="to5"))


@golden.model((13, 10, 1), layers=every_layer)
def conv_grey():
    """A 1-channel input, down to one output channel and a grid of one row."""
    return chain((13, 10, 1),
                 L.Conv2D(4, 3, padding="same", activation="tanh", name="to4"),
                 L.Conv2D(1, 3, name="to1"),
                 L.Conv2D(3, (11, 1), name="one_row"))


@golden.model((12, 11, 3), layers=every_layer)
def depthwise():
    """DepthwiseConv2D: multipliers 1 and 2, SAME and VALID, strides, no bias, an activation."""
    return chain((12, 11, 3),
                 L.DepthwiseConv2D(3, padding="same", name="same"),
                 L.DepthwiseConv2D(3, padding="same", depth_multiplier=2, use_bias=False, name="multiplier2"),
                 L.DepthwiseConv2D(3, strides=2, padding="same", name="s2_same"),
                 L.DepthwiseConv2D((2, 3), padding="valid", activation="relu", name="k2x3_valid"),
                 L.DepthwiseConv2D(2, strides=2, depth_multiplier=3, name="s2_valid"))


@golden.model((13, 14, 2), layers=every_layer)
def depthwise_dilated():
    """DepthwiseConv2D with dilation, SAME and VALID, and an even SAME kernel."""
    return chain((13, 14, 2),
                 L.DepthwiseConv2D(3, dilation_rate=2, padding="same", name="d2_same"),
                 L.DepthwiseConv2D(3, dilation_rate=2, depth_multiplier=2, name="d2_valid"),
                 L.DepthwiseConv2D((4, 1), padding="same", name="k4x1_same"))


@golden.model((9, 8, 3))
def depthwise_wide():
    """DepthwiseConv2D over 37 channels."""
    return chain((9, 8, 3),
                 L.Conv2D(37, 1, name="to37"),
                 L.DepthwiseConv2D(3, padding="same", use_bias=False, name="k3"),
                 L.DepthwiseConv2D(5, strides=2, padding="same", name="k5_s2"),
                 L.Conv2D(3, 1, name="to3"))


@golden.model((12, 9, 3), layers=every_layer)
def separable():
    """SeparableConv2D: multipliers, strides, SAME and VALID, no bias, dilation, an activation."""
    return chain((12, 9, 3),
                 L.SeparableConv2D(5, 3, padding="same", use_bias=False, name="same"),
                 L.SeparableConv2D(4, 3, depth_multiplier=2, padding="same", activation="relu", name="multiplier2"),
                 L.SeparableConv2D(6, 3, dilation_rate=2, padding="same", name="d2_same"),
                 L.SeparableConv2D(5, 3, strides=2, padding="same", name="s2_same"),
                 L.SeparableConv2D(4, (2, 3), name="valid"))


# ------------------------------------------------------------------------------------------------------------- dense

@golden.model((4, 5, 3), layers=every_layer)
def dense_vector():
    """Dense on vectors, with and without bias, with activations."""
    return chain((4, 5, 3),
                 L.Flatten(),
                 L.Dense(19, activation="tanh", name="bias"),
                 L.Dense(7, use_bias=False, name="no_bias"),
                 L.Dense(1, activation="sigmoid", name="one"))


@golden.model((5, 4, 3), layers=every_layer)
def dense_last_axis():
    """Dense on the last axis of a 4-D tensor, and of a 3-D one."""
    return chain((5, 4, 3),
                 L.Dense(6, activation="relu", name="rank4"),
                 L.Reshape((20, 6)),
                 L.Dense(4, name="rank3"))


# ----------------------------------------------------------------------------------------------------- normalisation

@golden.model((9, 8, 3), layers=every_layer)
def batchnorm_folded():
    """BatchNormalization behind every layer it folds into; scale, center, epsilon and bias varied."""
    return chain((9, 8, 3),
                 L.Conv2D(5, 3, padding="same", use_bias=False), L.BatchNormalization(name="after_conv"),
                 L.DepthwiseConv2D(3, padding="same"), L.BatchNormalization(epsilon=0.1, name="after_depthwise"),
                 L.SeparableConv2D(6, 3, padding="same", use_bias=False),
                 L.BatchNormalization(scale=False, name="after_separable"),
                 L.Conv2D(4, 2), L.BatchNormalization(center=False, name="after_conv_bias"),
                 L.Conv2D(4, 1, groups=2), L.BatchNormalization(scale=False, center=False, name="after_groups"),
                 L.GlobalAveragePooling2D(), L.Dense(5), L.BatchNormalization(name="after_dense"))


@golden.model((9, 8, 3), layers=every_layer)
def batchnorm_alone():
    """BatchNormalization that cannot be folded: on the input, before SAME padding, behind relu, pool and another."""
    return chain((9, 8, 3),
                 L.BatchNormalization(name="on_input"),
                 L.Conv2D(5, 3, padding="same", activation="relu"), L.BatchNormalization(name="after_relu"),
                 L.Conv2D(4, 3, padding="same", name="conv_behind"),
                 L.MaxPooling2D(2), L.BatchNormalization(name="after_pool"),
                 L.BatchNormalization(scale=False, name="after_another"),
                 L.ZeroPadding2D(1), L.BatchNormalization(name="after_pad"),
                 L.Conv2D(3, 3))


@golden.model((9, 8, 3), layers=every_layer)
def batchnorm_branches():
    """One convolution read by a BatchNormalization and, before it, by a second branch: folding would be wrong."""
    inputs = L.Input((9, 8, 3))
    conv = L.Conv2D(5, 3, name="read_twice")(inputs)
    normal = L.BatchNormalization(name="normal")(conv)
    return keras.Model(inputs, L.Concatenate(name="joined")([L.ReLU()(normal), conv]))


@golden.model((5, 6, 4), layers=every_layer)
def layernorm():
    """LayerNormalization over channels: defaults, own epsilon, scale or center off."""
    return chain((5, 6, 4),
                 L.LayerNormalization(name="default"),
                 L.Conv2D(7, 1),
                 L.LayerNormalization(epsilon=1e-6, name="epsilon"),
                 L.Conv2D(5, 1),
                 L.LayerNormalization(scale=False, name="no_scale"),
                 L.Conv2D(5, 1),
                 L.LayerNormalization(center=False, name="no_center"))


@golden.model((4, 5, 3), layers=every_layer)
def layernorm_vector():
    """LayerNormalization of vectors and of sequences."""
    return chain((4, 5, 3),
                 L.Reshape((20, 3)), L.Dense(6), L.LayerNormalization(name="rank3"),
                 L.Flatten(), L.Dense(9), L.LayerNormalization(name="rank2"))


@golden.model((4, 5, 3), layers=every_layer, generations=("tf215",))
def layernorm_axes():
    """LayerNormalization over several axes (Keras 3 cannot read back the .h5 it writes of this)."""
    return chain((4, 5, 3),
                 L.LayerNormalization(axis=[1, 2, 3], name="all"), L.Conv2D(4, 1),
                 L.LayerNormalization(axis=[2, 3], name="columns_channels"))


# ------------------------------------------------------------------------------------------------------- activations

BOTH_ACTIVATIONS = ["linear", "relu", "elu", "selu", "sigmoid", "tanh", "swish", "gelu", "hard_sigmoid", "softmax",
                    "softplus", "softsign", "exponential", "mish"]
K3_ACTIVATIONS = ["relu6", "silu", "leaky_relu", "hard_silu", "hard_swish", "hard_tanh", "log_softmax", "celu",
                  "tanh_shrink", "soft_shrink", "hard_shrink", "squareplus", "log_sigmoid", "sparse_plus"]


@golden.model((6, 5, 4), low=-3.0, high=3.0)
def activation_names():
    """The Activation layer with every name a CNN may hold, side by side."""
    names = BOTH_ACTIVATIONS
    return fan((6, 5, 4), *[L.Activation(name, name="act_" + name) for name in names])


@golden.model((6, 5, 4), low=-4.0, high=4.0, generations=("k3",))
def activation_names_k3():
    """Names that Keras 3 added."""
    return fan((6, 5, 4), *[L.Activation(name, name="act_" + name) for name in K3_ACTIVATIONS])


@golden.model((7, 6, 3), layers=every_layer)
def activation_arguments():
    """Activations as an argument of convolutions and Dense."""
    return chain((7, 6, 3),
                 L.Conv2D(6, 3, padding="same", activation="relu", name="conv_relu"),
                 L.Conv2D(5, 1, activation="swish", name="conv_swish"),
                 L.DepthwiseConv2D(3, padding="same", activation="elu", name="depthwise_elu"),
                 L.SeparableConv2D(6, 3, padding="same", activation="gelu", name="separable_gelu"),
                 L.Conv2D(5, 1, activation="selu", name="conv_selu"),
                 L.Conv2D(6, 2, activation="hard_sigmoid", name="conv_hard_sigmoid"),
                 L.Conv2D(6, 1, activation="softmax", name="conv_softmax"),
                 L.Conv2D(4, 1, activation="softplus", name="conv_softplus"),
                 L.Flatten(),
                 L.Dense(6, activation="tanh", name="dense_tanh"),
                 L.Dense(5, activation="softsign", name="dense_softsign"))


@golden.model((6, 7, 4), low=-3.0, high=3.0)
def activation_layers():
    """Activation layers of their own class with their settings, side by side."""
    leaky = (lambda slope, name: L.LeakyReLU(negative_slope=slope, name=name)) if KERAS3 else \
            (lambda slope, name: L.LeakyReLU(alpha=slope, name=name))
    return fan((6, 7, 4),
               L.ReLU(name="relu"),
               L.ReLU(max_value=1.5, name="relu_max"),
               L.ReLU(negative_slope=0.2, name="relu_slope"),
               L.ReLU(threshold=0.5, name="relu_threshold"),
               L.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.3, name="relu_all"),
               L.ReLU(max_value=6.0, name="relu6"),
               L.LeakyReLU(name="leaky_default"),
               leaky(0.05, "leaky"),
               L.PReLU(name="prelu_everywhere"),
               L.PReLU(shared_axes=[1, 2], name="prelu_channel"),
               L.PReLU(shared_axes=[1], name="prelu_column_channel"),
               L.ELU(name="elu"),
               L.ELU(alpha=0.4, name="elu_alpha"),
               L.Softmax(name="softmax"))


@golden.model((6, 7, 4), low=-3.0, high=3.0, layers=every_layer, generations=("tf215",))
def activation_thresholded():
    """ThresholdedReLU, which Keras 3 no longer has."""
    return chain((6, 7, 4), L.ThresholdedReLU(theta=0.7))


# ----------------------------------------------------------------------------------------------------------- pooling

@golden.model((15, 13, 3), layers=every_layer)
def pool_max():
    """MaxPooling2D: SAME and VALID over odd sizes, overlapping, rectangular, of stride 1."""
    return chain((15, 13, 3),
                 L.MaxPooling2D(3, strides=2, padding="same", name="k3_s2_same"),
                 L.MaxPooling2D(2, strides=1, padding="same", name="k2_s1_same"),
                 L.MaxPooling2D((3, 2), strides=1, name="k3x2_s1_valid"),
                 L.MaxPooling2D(2, padding="same", name="k2_same"))


@golden.model((15, 13, 3), layers=every_layer)
def pool_max_valid():
    """MaxPooling2D VALID with pixels left over, a stride wider than the window, and over the whole map."""
    return chain((15, 13, 3),
                 L.MaxPooling2D(2, name="k2"),
                 L.MaxPooling2D((1, 2), strides=(2, 1), name="gap"),
                 L.MaxPooling2D((4, 5), name="whole"))


@golden.model((13, 12, 3), images=lambda x: np.round(x * 2.0) / 2.0, layers=every_layer)
def pool_max_ties():
    """MaxPooling2D on values with many ties: shows which of equal values gets the gradient."""
    return chain((13, 12, 3),
                 L.MaxPooling2D(3, strides=2, padding="same", name="same"),
                 L.MaxPooling2D(2, name="valid"))


@golden.model((15, 13, 3), layers=every_layer)
def pool_average():
    """AveragePooling2D: SAME windows over the border average only real elements."""
    return chain((15, 13, 3),
                 L.AveragePooling2D(3, strides=1, padding="same", name="k3_s1_same"),
                 L.AveragePooling2D(3, strides=2, padding="same", name="k3_s2_same"),
                 L.AveragePooling2D((2, 3), strides=(2, 1), name="k2x3_valid"),
                 L.AveragePooling2D(2, padding="same", name="k2_same"))


@golden.model((9, 7, 3), layers=every_layer)
def pool_global():
    """Global pools, flat and with keepdims, joined."""
    inputs = L.Input((9, 7, 3))
    x = L.Conv2D(5, 3, name="conv")(inputs)
    flat = [L.GlobalAveragePooling2D(name="average")(x), L.GlobalMaxPooling2D(name="maximum")(x)]
    kept = [L.GlobalAveragePooling2D(keepdims=True, name="average_kept")(x),
            L.GlobalMaxPooling2D(keepdims=True, name="maximum_kept")(x)]
    y = L.Flatten()(L.Concatenate(name="kept")(kept))
    return keras.Model(inputs, L.Concatenate(name="joined")(flat + [y]))


if __name__ == "__main__":
    golden.main(classifier=False)
