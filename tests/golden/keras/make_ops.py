#!/usr/bin/env python3
"""Golden operators: tiny Keras models, a family of layers each, with outputs and input gradients.

    python make_ops.py [--out FOLDER] [NAME ...]

Runs under tf.keras 2.15 (default folder tf215/) and Keras 3 (k3/). One function a model; see README.md.
"""
import numpy as np

from golden_build import Catalogue
from keras_reference import KERAS3, keras, tf

TF215 = ("tf215",)      # arithmetic of layers whose configs another model has in both generations

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


# ------------------------------------------------------------------------------------------------------ convolutions

@golden.model((5, 4, 3))
def conv_transposed():
    """Conv2DTranspose: SAME and VALID, strides below, at and above the kernel, output_padding, no bias, an activation."""
    return chain((5, 4, 3),
                 L.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu", name="same_s2"),
                 L.Conv2DTranspose(3, (2, 5), strides=(1, 3), padding="valid", use_bias=False, name="valid_s1x3"),
                 L.Conv2DTranspose(2, 2, strides=3, padding="valid", name="valid_gap"),
                 L.MaxPooling2D(3, name="smaller"),
                 L.Conv2DTranspose(3, 4, strides=2, padding="same", output_padding=1, name="same_extra"),
                 L.GlobalAveragePooling2D(name="mean"))


@golden.model((11, 8, 3))
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


@golden.model((19, 16, 2), generations=TF215)
def conv_valid():
    """VALID padding: strides 1, 2 and 3, rows or columns left over at the end."""
    return chain((19, 16, 2),
                 L.Conv2D(4, 3, strides=2, name="k3_s2"),
                 L.Conv2D(6, 2, use_bias=False, name="k2"),
                 L.Conv2D(5, (1, 2), name="k1x2"),
                 L.Conv2D(4, 3, strides=(2, 1), name="k3_s2x1"))


@golden.model((17, 13, 3), generations=TF215)
def conv_stride3():
    """Strides of 3, SAME with a kernel of 5, then VALID with a stride wider than the kernel."""
    return chain((17, 13, 3),
                 L.Conv2D(4, 5, strides=3, padding="same", name="k5_s3_same"),
                 L.Conv2D(5, 2, strides=3, padding="valid", name="k2_s3_valid"))


@golden.model((14, 11, 3), generations=TF215)
def conv_stride_gap():
    """Strides wider than the kernel: pixels no output ever reads have a gradient of exactly 0."""
    return chain((14, 11, 3),
                 L.Conv2D(6, 1, strides=2, padding="same", use_bias=False, name="k1_s2_same"),
                 L.Conv2D(4, 2, strides=3, padding="same", name="k2_s3_same"))


@golden.model((12, 11, 3), generations=TF215)
def conv_stride_gap_valid():
    """Pointwise VALID convolution of stride 3."""
    return chain((12, 11, 3), L.Conv2D(6, 1, strides=3, name="k1_s3_valid"))


@golden.model((15, 14, 3), generations=TF215)
def conv_dilated():
    """Dilation, square and rectangular, SAME and VALID."""
    return chain((15, 14, 3),
                 L.Conv2D(4, 3, dilation_rate=2, padding="same", name="k3_d2_same"),
                 L.Conv2D(5, 3, dilation_rate=(2, 3), name="k3_d2x3_valid"),
                 L.Conv2D(4, (2, 3), dilation_rate=2, padding="same", name="k2x3_d2_same"))


@golden.model((9, 8, 4))
def conv_groups():
    """Grouped convolutions: 2 and 3 groups, one group a channel, strides."""
    return chain((9, 8, 4),
                 L.Conv2D(6, 3, groups=2, padding="same", name="g2"),
                 L.Conv2D(9, 3, groups=3, strides=2, padding="same", use_bias=False, name="g3_s2"),
                 L.Conv2D(9, 2, groups=9, name="g9"))


@golden.model((9, 7, 3), generations=TF215)
def conv_wide():
    """Channel counts that fill and overrun SIMD tiles: 3, 35, 17, 33."""
    return chain((9, 7, 3),
                 L.Conv2D(35, 3, padding="same", activation="relu", name="to35"),
                 L.Conv2D(17, 1, name="to17"),
                 L.Conv2D(33, 3, padding="same", use_bias=False, name="to33"),
                 L.Conv2D(5, 1, name="to5"))


@golden.model((13, 10, 1), generations=TF215)
def conv_grey():
    """A 1-channel input, down to one output channel and a grid of one row."""
    return chain((13, 10, 1),
                 L.Conv2D(4, 3, padding="same", activation="tanh", name="to4"),
                 L.Conv2D(1, 3, name="to1"),
                 L.Conv2D(3, (11, 1), name="one_row"))


@golden.model((12, 11, 3), generations=TF215)
def depthwise():
    """DepthwiseConv2D: multipliers 1 and 2, SAME and VALID, strides, no bias, an activation."""
    return chain((12, 11, 3),
                 L.DepthwiseConv2D(3, padding="same", name="same"),
                 L.DepthwiseConv2D(3, padding="same", depth_multiplier=2, use_bias=False, name="multiplier2"),
                 L.DepthwiseConv2D(3, strides=2, padding="same", name="s2_same"),
                 L.DepthwiseConv2D((2, 3), padding="valid", activation="relu", name="k2x3_valid"),
                 L.DepthwiseConv2D(2, strides=2, depth_multiplier=3, name="s2_valid"))


@golden.model((13, 14, 2), generations=TF215)
def depthwise_dilated():
    """DepthwiseConv2D with dilation, SAME and VALID, and an even SAME kernel."""
    return chain((13, 14, 2),
                 L.DepthwiseConv2D(3, dilation_rate=2, padding="same", name="d2_same"),
                 L.DepthwiseConv2D(3, dilation_rate=2, depth_multiplier=2, name="d2_valid"),
                 L.DepthwiseConv2D((4, 1), padding="same", name="k4x1_same"))


@golden.model((9, 8, 3), generations=TF215)
def depthwise_wide():
    """DepthwiseConv2D over 37 channels."""
    return chain((9, 8, 3),
                 L.Conv2D(37, 1, name="to37"),
                 L.DepthwiseConv2D(3, padding="same", use_bias=False, name="k3"),
                 L.DepthwiseConv2D(5, strides=2, padding="same", name="k5_s2"),
                 L.Conv2D(3, 1, name="to3"))


@golden.model((12, 9, 3), generations=TF215)
def separable():
    """SeparableConv2D: multipliers, strides, SAME and VALID, no bias, dilation, an activation."""
    return chain((12, 9, 3),
                 L.SeparableConv2D(5, 3, padding="same", use_bias=False, name="same"),
                 L.SeparableConv2D(4, 3, depth_multiplier=2, padding="same", activation="relu", name="multiplier2"),
                 L.SeparableConv2D(6, 3, dilation_rate=2, padding="same", name="d2_same"),
                 L.SeparableConv2D(5, 3, strides=2, padding="same", name="s2_same"),
                 L.SeparableConv2D(4, (2, 3), name="valid"))


# ------------------------------------------------------------------------------------------------------------- dense

@golden.model((4, 5, 3), generations=TF215)
def dense_vector():
    """Dense on vectors, with and without bias, with activations."""
    return chain((4, 5, 3),
                 L.Flatten(),
                 L.Dense(19, activation="tanh", name="bias"),
                 L.Dense(7, use_bias=False, name="no_bias"),
                 L.Dense(1, activation="sigmoid", name="one"))


@golden.model((5, 4, 3), generations=TF215)
def dense_last_axis():
    """Dense on the last axis of a 4-D tensor, and of a 3-D one."""
    return chain((5, 4, 3),
                 L.Dense(6, activation="relu", name="rank4"),
                 L.Reshape((20, 6)),
                 L.Dense(4, name="rank3"))


# ----------------------------------------------------------------------------------------------------- normalisation

@golden.model((9, 8, 3), generations=TF215)
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


@golden.model((9, 8, 3), generations=TF215)
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


@golden.model((9, 8, 3), generations=TF215)
def batchnorm_branches():
    """One convolution read by a BatchNormalization and, before it, by a second branch: folding would be wrong."""
    inputs = L.Input((9, 8, 3))
    conv = L.Conv2D(5, 3, name="read_twice")(inputs)
    normal = L.BatchNormalization(name="normal")(conv)
    return keras.Model(inputs, L.Concatenate(name="joined")([L.ReLU()(normal), conv]))


@golden.model((5, 6, 4), generations=TF215)
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


@golden.model((4, 5, 3), generations=TF215)
def layernorm_vector():
    """LayerNormalization of vectors and of sequences."""
    return chain((4, 5, 3),
                 L.Reshape((20, 3)), L.Dense(6), L.LayerNormalization(name="rank3"),
                 L.Flatten(), L.Dense(9), L.LayerNormalization(name="rank2"))


@golden.model((4, 5, 3), unreadable=("k3",))
def layernorm_axes():
    """LayerNormalization over several axes."""
    return chain((4, 5, 3),
                 L.LayerNormalization(axis=[1, 2, 3], name="all"), L.Conv2D(4, 1),
                 L.LayerNormalization(axis=[2, 3], name="columns_channels"))


# ------------------------------------------------------------------------------------------------------- activations

def activations(*names):
    """Activation layers side by side."""
    return fan((6, 5, 4), *[L.Activation(name, name="act_" + name) for name in names])


@golden.model((6, 5, 4), low=-3.5, high=3.5)
def activation_names():
    """The Activation layer with the names both generations know; hard_sigmoid differs between them."""
    return activations("linear", "relu", "elu", "selu", "sigmoid", "tanh", "swish", "gelu", "hard_sigmoid", "softmax",
                       "softplus")


@golden.model((6, 5, 4), low=-3.5, high=3.5, generations=("k3",))
def activation_names_k3():
    """Names that Keras 3 added to them."""
    return activations("relu6", "silu", "leaky_relu", "hard_silu", "hard_swish", "hard_tanh")


@golden.model((6, 5, 4), low=-2.0, high=2.0, generations=TF215)
def activation_names_rare():
    """Names seldom met in classifiers."""
    return activations("softsign", "exponential", "mish")


@golden.model((7, 6, 3), generations=TF215)
def activation_arguments():
    """Activations as an argument of convolutions and Dense, side by side."""
    same = {"padding": "same"}
    return fan((7, 6, 3),
               L.Conv2D(4, 3, activation="relu", name="conv_relu", **same),
               L.Conv2D(3, 1, activation="swish", name="conv_swish"),
               L.DepthwiseConv2D(3, activation="elu", name="depthwise_elu", **same),
               L.SeparableConv2D(4, 3, activation="gelu", name="separable_gelu", **same),
               L.Conv2D(3, 3, activation="selu", use_bias=False, name="conv_selu", **same),
               L.Conv2D(3, 2, activation="hard_sigmoid", name="conv_hard_sigmoid", **same),
               L.Conv2D(4, 1, activation="softmax", name="conv_softmax"),
               L.SeparableConv2D(3, 2, activation="softplus", name="separable_softplus", **same),
               L.DepthwiseConv2D(2, activation="relu", use_bias=False, name="depthwise_relu", **same),
               L.Dense(3, activation="tanh", name="dense_tanh"),
               L.Dense(2, activation="sigmoid", use_bias=False, name="dense_sigmoid"))


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


@golden.model((6, 7, 4), low=-3.0, high=3.0, generations=TF215)
def activation_thresholded():
    """ThresholdedReLU, which Keras 3 no longer has."""
    return chain((6, 7, 4), L.ThresholdedReLU(theta=0.7))


# ----------------------------------------------------------------------------------------------------------- pooling

@golden.model((15, 13, 3), generations=TF215)
def pool_max():
    """MaxPooling2D: SAME and VALID over odd sizes, overlapping, rectangular, of stride 1."""
    return chain((15, 13, 3),
                 L.MaxPooling2D(3, strides=2, padding="same", name="k3_s2_same"),
                 L.MaxPooling2D(2, strides=1, padding="same", name="k2_s1_same"),
                 L.MaxPooling2D((3, 2), strides=1, name="k3x2_s1_valid"),
                 L.MaxPooling2D(2, padding="same", name="k2_same"))


@golden.model((15, 13, 3), generations=TF215)
def pool_max_valid():
    """MaxPooling2D VALID with pixels left over, a stride wider than the window, and over the whole map."""
    return chain((15, 13, 3),
                 L.MaxPooling2D(2, name="k2"),
                 L.MaxPooling2D((1, 2), strides=(2, 1), name="gap"),
                 L.MaxPooling2D((4, 5), name="whole"))


@golden.model((13, 12, 3), images=lambda x: np.round(x * 2.0) / 2.0, generations=TF215)
def pool_max_ties():
    """MaxPooling2D on values with many ties: shows which of equal values gets the gradient."""
    return chain((13, 12, 3),
                 L.MaxPooling2D(3, strides=2, padding="same", name="same"),
                 L.MaxPooling2D(2, name="valid"))


@golden.model((15, 13, 3), generations=TF215)
def pool_average():
    """AveragePooling2D: SAME windows over the border average only real elements."""
    return chain((15, 13, 3),
                 L.AveragePooling2D(3, strides=1, padding="same", name="k3_s1_same"),
                 L.AveragePooling2D(3, strides=2, padding="same", name="k3_s2_same"),
                 L.AveragePooling2D((2, 3), strides=(2, 1), name="k2x3_valid"),
                 L.AveragePooling2D(2, padding="same", name="k2_same"))


@golden.model((9, 7, 3))
def pool_global():
    """Global pools, flat and with keepdims, joined."""
    inputs = L.Input((9, 7, 3))
    x = L.Conv2D(5, 3, name="conv")(inputs)
    flat = [L.GlobalAveragePooling2D(name="average")(x), L.GlobalMaxPooling2D(name="maximum")(x)]
    kept = [L.GlobalAveragePooling2D(keepdims=True, name="average_kept")(x),
            L.GlobalMaxPooling2D(keepdims=True, name="maximum_kept")(x)]
    y = L.Flatten()(L.Concatenate(name="kept")(kept))
    return keras.Model(inputs, L.Concatenate(name="joined")(flat + [y]))


# -------------------------------------------------------------------------------------------------- joining branches

def branches(size, *widths):
    """An input and one pointwise convolution of it for each width; width 0 gives the input itself."""
    inputs = L.Input(size)
    return inputs, [L.Conv2D(w, 1, name=f"branch{k}")(inputs) if w else inputs for k, w in enumerate(widths)]


@golden.model((6, 5, 3), generations=TF215)
def merge_elementwise():
    """Add, Subtract, Multiply, Average, Maximum and Minimum of two or three tensors of one shape."""
    inputs, (a, b, c) = branches((6, 5, 3), 4, 4, 4)
    joined = [L.Add(name="add2")([a, b]), L.Add(name="add3")([a, b, c]), L.Add(name="twice")([a, a]),
              L.Subtract(name="subtract")([a, b]), L.Subtract(name="subtract_back")([b, a]),
              L.Multiply(name="multiply2")([a, b]), L.Multiply(name="multiply3")([a, b, c]),
              L.Multiply(name="square")([c, c]),
              L.Average(name="average2")([a, c]), L.Average(name="average3")([a, b, c]),
              L.Maximum(name="maximum2")([a, b]), L.Maximum(name="maximum3")([c, a, b]),
              L.Minimum(name="minimum2")([b, c]), L.Minimum(name="minimum3")([a, b, c])]
    return keras.Model(inputs, L.Concatenate(name="joined")(joined))


@golden.model((6, 5, 3), images=lambda x: np.round(x * 2.0) / 2.0, generations=TF215)
def merge_ties():
    """Maximum and Minimum of tensors with equal elements: shows how the gradient is shared."""
    inputs, (a, b) = branches((6, 5, 3), 0, 0)
    flipped = L.Permute((1, 2, 3))(L.ReLU(name="relu")(b))
    return keras.Model(inputs, L.Concatenate(name="joined")([L.Maximum(name="maximum")([a, flipped]),
                                                              L.Minimum(name="minimum")([flipped, a])]))


@golden.model((6, 5, 3), generations=TF215)
def merge_broadcast():
    """[h,w,C] with [1,1,C], [h,w,1], [1,1,1] and [h,1,C], on either side, through every operation that joins."""
    inputs, (a, spatial) = branches((6, 5, 3), 4, 1)
    channel = L.GlobalAveragePooling2D(keepdims=True, name="channel")(a)
    one = L.GlobalMaxPooling2D(keepdims=True, name="one")(spatial)
    row = L.AveragePooling2D((1, 5), name="row")(a)
    joined = [L.Multiply(name="multiply_channel")([a, channel]), L.Multiply(name="channel_multiply")([channel, a]),
              L.Multiply(name="multiply_spatial")([a, spatial]), L.Multiply(name="multiply_one")([one, a]),
              L.Multiply(name="multiply_row")([a, row]),
              L.Add(name="add_channel")([a, channel]), L.Add(name="add_spatial")([spatial, a]),
              L.Subtract(name="subtract_channel")([a, channel]), L.Subtract(name="channel_subtract")([channel, a]),
              L.Maximum(name="maximum_channel")([a, channel]), L.Minimum(name="minimum_spatial")([a, spatial]),
              L.Average(name="average_row")([a, row])]
    outer = L.Multiply(name="outer")([spatial, channel])
    return keras.Model(inputs, L.Concatenate(name="joined")(joined + [outer]))


@golden.model((6, 5, 3))
def concatenate_channels():
    """Concatenate on the last axis, by -1 and by 3, two to four tensors of unequal width, one of them twice."""
    inputs, (a, b, c, x) = branches((6, 5, 3), 4, 1, 7, 0)
    first = L.Concatenate(name="last")([a, b])
    second = L.Concatenate(axis=3, name="axis3")([c, x, first, b])
    return keras.Model(inputs, L.Concatenate(axis=-1, name="again")([second, x, second]))


@golden.model((6, 5, 3), generations=TF215)
def concatenate_space():
    """Concatenate on rows and on columns, and of vectors."""
    inputs, (a, b) = branches((6, 5, 3), 4, 4)
    rows = L.Concatenate(axis=1, name="rows")([a, L.Cropping2D(((2, 1), (0, 0)), name="three_rows")(b)])
    columns = L.Concatenate(axis=-2, name="columns")([a, L.AveragePooling2D((1, 2), name="two_columns")(b), b])
    vectors = [L.GlobalAveragePooling2D(name="from_rows")(L.Conv2D(5, 3, name="conv_rows")(rows)),
               L.GlobalMaxPooling2D(name="from_columns")(L.Conv2D(3, (2, 3), name="conv_columns")(columns))]
    return keras.Model(inputs, L.Concatenate(axis=1, name="vectors")(vectors))


@golden.model((9, 8, 3), generations=TF215)
def residual():
    """A tensor read three times, additions in a row, an addition behind a convolution with BatchNormalization."""
    inputs = L.Input((9, 8, 3))
    x = L.Conv2D(5, 3, padding="same", name="stem")(inputs)
    y = L.BatchNormalization(name="normal1")(L.Conv2D(5, 3, padding="same", name="conv1")(x))
    y = L.Add(name="add1")([x, y])
    z = L.ReLU(name="relu1")(y)
    z = L.BatchNormalization(name="normal2")(L.Conv2D(5, 1, use_bias=False, name="conv2")(z))
    z = L.Add(name="add2")([z, y])
    z = L.Add(name="add3")([L.ReLU(name="relu2")(z), x])
    return keras.Model(inputs, z)


# ------------------------------------------------------------------------------------------------------------ shapes

@golden.model((7, 6, 3), generations=TF215)
def pad_crop():
    """ZeroPadding2D and Cropping2D: one number, two, all four sides; a padding cropped away again."""
    return chain((7, 6, 3),
                 L.ZeroPadding2D(1, name="pad1"),
                 L.Conv2D(4, 3, name="conv"),
                 L.ZeroPadding2D((2, 1), name="pad2x1"),
                 L.ZeroPadding2D(((0, 1), (2, 0)), name="pad_sides"),
                 L.Cropping2D(1, name="crop1"),
                 L.Conv2D(4, 2, name="conv2"),
                 L.Cropping2D((1, 0), name="crop1x0"),
                 L.Cropping2D(((1, 0), (0, 2)), name="crop_sides"))


@golden.model((8, 7, 3), generations=TF215)
def pad_stride2():
    """ZeroPadding2D(((0,1),(0,1))) before a VALID stride of 2, as the mobile networks have it."""
    return chain((8, 7, 3),
                 L.ZeroPadding2D(((0, 1), (0, 1)), name="pad"), L.Conv2D(5, 3, strides=2, name="conv"),
                 L.BatchNormalization(), L.ReLU(6.0),
                 L.ZeroPadding2D(((0, 1), (1, 1)), name="pad2"),
                 L.DepthwiseConv2D(3, strides=2, name="depthwise"))


@golden.model((4, 6, 5), generations=TF215)
def reshape_permute():
    """Flatten, Reshape (with -1), Permute of every kind between layers that tell the axes apart."""
    return chain((4, 6, 5),
                 L.Permute((2, 1, 3), name="transpose"), L.Conv2D(4, (2, 3), padding="same"),
                 L.Permute((3, 1, 2), name="channels_first"), L.Conv2D(3, (1, 3), padding="same"),
                 L.Permute((2, 3, 1), name="cycle"), L.Conv2D(5, 1),
                 L.Reshape((3, -1, 2), name="reshape_rest"), L.Conv2D(3, (2, 3)),
                 L.Reshape((-1,), name="reshape_flat"), L.Dense(12),
                 L.Reshape((2, 3, 2), name="reshape_image"), L.Conv2D(4, 2, padding="same"),
                 L.Flatten(name="flatten"), L.Dense(5))


@golden.model((5, 4, 3), generations=TF215)
def upsampling():
    """UpSampling2D, nearest and bilinear, square and rectangular."""
    return chain((5, 4, 3),
                 L.UpSampling2D(2, name="nearest2"), L.Conv2D(4, 3, strides=2),
                 L.UpSampling2D((3, 1), name="nearest3x1"), L.Conv2D(3, 3, strides=2),
                 L.UpSampling2D(2, interpolation="bilinear", name="bilinear2"), L.Conv2D(4, 2),
                 L.UpSampling2D((1, 3), interpolation="bilinear", name="bilinear1x3"), L.Conv2D(3, 2))


def resizings(interpolation):
    """The input resized up, down, both, and to one pixel, each through a convolution; vectors joined."""
    inputs = L.Input((7, 6, 3))
    found = []
    for name, (height, width) in (("up", (13, 11)), ("down", (5, 3)), ("both", (4, 12)), ("one", (1, 1))):
        x = L.Resizing(height, width, interpolation=interpolation, name=name)(inputs)
        found.append(L.Flatten(name=f"flat_{name}")(L.DepthwiseConv2D(2, padding="same", name=f"conv_{name}")(x)))
    return keras.Model(inputs, L.Concatenate(name="joined")(found))


@golden.model((7, 6, 3))
def resizing_bilinear():
    """Resizing, bilinear (half-pixel centres, no antialiasing)."""
    return resizings("bilinear")


@golden.model((7, 6, 3), generations=TF215)
def resizing_nearest():
    """Resizing, nearest."""
    return resizings("nearest")


@golden.model((7, 6, 3), generations=TF215)
def resizing_bicubic():
    """Resizing, bicubic."""
    return resizings("bicubic")


# ------------------------------------------------------------------------------------------ preprocessing in the graph

@golden.model((6, 5, 3), low=0.0, high=255.0)
def rescaling():
    """Rescaling: to [-1, 1], without an offset, an offset alone, and one scale and offset a channel."""
    return chain((6, 5, 3),
                 L.Rescaling(1.0 / 127.5, offset=-1.0, name="to_one"), L.Conv2D(3, 2),
                 L.Rescaling(0.25, name="scale"), L.Conv2D(3, 1, activation="tanh"),
                 L.Rescaling(1.0, offset=0.5, name="offset"), L.Conv2D(3, 1),
                 L.Rescaling([0.5, 2.0, -1.0], offset=[0.1, 0.2, 0.3], name="channels"), L.Conv2D(4, 2))


@golden.model((6, 5, 3), low=0.0, high=255.0)
def normalization_given():
    """Normalization with mean and variance in the config: one a channel, then one for all."""
    return chain((6, 5, 3),
                 L.Normalization(mean=[123.7, 116.3, 103.5], variance=[3413.0, 3263.5, 3291.2], name="channels"),
                 L.Conv2D(4, 2, name="conv"),
                 L.Normalization(axis=None, mean=0.3, variance=2.5, name="scalar"),
                 L.Conv2D(3, 2, name="conv2"))


def adapted(**settings):
    """A Normalization that saw data; its statistics are weights in the file."""
    layer = L.Normalization(**settings)
    rng = np.random.default_rng(7)
    layer.adapt((rng.normal(0.0, 1.0, (16, 6, 5, 3)) * [10.0, 40.0, 70.0] + [90.0, 120.0, 150.0]).astype(np.float32))
    return layer


@golden.model((6, 5, 3), low=0.0, high=255.0)
def normalization_adapted():
    """Normalization adapted to data, one mean and variance a channel."""
    return chain((6, 5, 3), adapted(name="channels"), L.Conv2D(4, 3, name="conv"))


@golden.model((6, 5, 3), low=0.0, high=255.0, generations=TF215)
def normalization_adapted_scalar():
    """Normalization adapted to data, one mean and variance for everything."""
    return chain((6, 5, 3), adapted(axis=None, name="scalar"), L.Conv2D(4, 3, name="conv"))


@golden.model((6, 5, 3), low=0.0, high=255.0, unreadable=("k3",))
def scalar_operators():
    """Python arithmetic on tensors: TFOpLambda nodes in tf.keras, TrueDivide, Subtract, ... in Keras 3."""
    inputs = L.Input((6, 5, 3))
    x = inputs / 127.5 - 1.0
    x = L.Conv2D(4, 2, name="conv1")(x * 2)
    x = L.Conv2D(4, 1, name="conv2")(1 - x)
    x = 0.5 + x
    x = L.Conv2D(3, 1, name="conv3")(3.0 * x + 0.25)
    return keras.Model(inputs, L.Conv2D(2, 2, name="conv4")(-x))


@golden.model((6, 5, 3), low=0.0, high=255.0, unreadable=("k3",), double=("k3",))
def scalar_functions():
    """The same as library functions with a number on either side, and a cast that changes nothing."""
    inputs = L.Input((6, 5, 3))
    if KERAS3:
        ops = keras.ops
        x = ops.subtract(ops.divide(ops.cast(inputs, keras.config.floatx()), 255.0), 0.5)
        x = L.Conv2D(4, 2, name="conv1")(ops.multiply(x, 2.0))
        x = L.Conv2D(3, 1, name="conv2")(ops.subtract(1.0, ops.add(x, 0.25)))
        x = L.Conv2D(3, 1, name="conv3")(ops.true_divide(ops.negative(x), 2.0))
        x = ops.multiply(0.5, x)
    else:
        x = tf.math.subtract(tf.math.divide(tf.cast(inputs, keras.backend.floatx()), 255.0), 0.5)
        x = L.Conv2D(4, 2, name="conv1")(tf.math.multiply(x, 2.0))
        x = L.Conv2D(3, 1, name="conv2")(tf.subtract(1.0, tf.add(x, y=0.25)))
        x = L.Conv2D(3, 1, name="conv3")(tf.math.truediv(tf.negative(x), 2.0))
        x = tf.multiply(x=0.5, y=x)
    return keras.Model(inputs, L.Conv2D(2, 2, name="conv4")(x))


@golden.model((6, 5, 3), unreadable=("k3",))
def tensor_operators():
    """Arithmetic between tensors written with operators and functions."""
    inputs, (a, b) = branches((6, 5, 3), 4, 4)
    total, difference, product = a + b, a - b, a * b
    if KERAS3:
        more = [keras.ops.maximum(a, b), keras.ops.concatenate([a, b], axis=-1)]
    else:
        more = [tf.maximum(a, b), tf.concat([a, b], axis=-1)]
    return keras.Model(inputs, L.Concatenate(name="joined")([total, difference, product] + more))


@golden.model((6, 5, 4), low=-3.0, high=3.0, unreadable=("k3",))
def gelu_forms():
    """GELU called as a function, in its tanh form and in its erf form."""
    inputs = L.Input((6, 5, 4))
    gelu = keras.ops.gelu if KERAS3 else tf.nn.gelu
    return keras.Model(inputs, L.Concatenate(name="joined")([gelu(inputs, approximate=True),
                                                              gelu(inputs, approximate=False)]))


@golden.model((6, 5, 4), low=-3.0, high=3.0, unreadable=("k3",))
def activation_functions():
    """Activations called as functions of the library."""
    inputs = L.Input((6, 5, 4))
    nn = keras.ops if KERAS3 else tf.nn
    slope = {"negative_slope": 0.1} if KERAS3 else {"alpha": 0.1}
    return keras.Model(inputs, L.Concatenate(name="joined")([
        nn.relu(inputs), nn.relu6(inputs), nn.sigmoid(inputs), nn.silu(inputs), nn.softmax(inputs), nn.tanh(inputs),
        nn.leaky_relu(inputs, **slope), nn.elu(inputs), nn.softplus(inputs)]))


@golden.model((6, 5, 3), low=0.0, high=255.0, unreadable=("k3",))
def preprocess_tf():
    """keras.applications' preprocess_input of mode "tf", called on a tensor of the graph."""
    inputs = L.Input((6, 5, 3))
    return keras.Model(inputs, L.Conv2D(4, 3)(keras.applications.mobilenet_v2.preprocess_input(inputs)))


@golden.model((6, 5, 3), low=0.0, high=255.0, generations=TF215)
def preprocess_torch():
    """preprocess_input of mode "torch": division, then a mean and a deviation a channel."""
    inputs = L.Input((6, 5, 3))
    return keras.Model(inputs, L.Conv2D(4, 3)(keras.applications.densenet.preprocess_input(inputs)))


@golden.model((6, 5, 3), low=0.0, high=255.0, unreadable=("k3",))
def preprocess_caffe():
    """preprocess_input of mode "caffe": channels reversed, then a mean a channel."""
    inputs = L.Input((6, 5, 3))
    return keras.Model(inputs, L.Conv2D(4, 3)(keras.applications.resnet50.preprocess_input(inputs)))


# -------------------------------------------------------------------------------------------------- inference no-ops

@golden.model((8, 7, 3), low=0.0, high=255.0, unreadable=("k3",), double=("k3",))
def no_ops():
    """Every layer that does something in training only."""
    # Keras 3 cannot write RandomBrightness to .h5, nor RandomSaturation, RandomSharpness and RandomPosterization.
    brightness = [] if KERAS3 else [L.RandomBrightness(0.2)]
    return chain(
        (8, 7, 3), *brightness,
        L.RandomFlip("horizontal"), L.RandomRotation(0.1), L.RandomZoom(0.2, 0.1), L.RandomTranslation(0.1, 0.1),
        L.RandomContrast(0.2),
        L.Rescaling(1.0 / 255.0),
        L.GaussianNoise(0.1), L.Conv2D(4, 3, padding="same"), L.SpatialDropout2D(0.3), L.ActivityRegularization(0.01),
        L.Activation("linear"), L.Conv2D(4, 2), L.GaussianDropout(0.2), L.AlphaDropout(0.1), L.Identity(),
        L.Flatten(), L.Dropout(0.5), L.Dense(4))


@golden.model((8, 7, 3), low=0.0, high=255.0, generations=("k3",), unreadable=("k3",))
def no_ops_k3():
    """Augmentation layers that Keras 3 added."""
    return chain((8, 7, 3),
                 L.RandomHue(0.2), L.RandomGrayscale(), L.RandomShear(0.1), L.RandomErasing(), L.RandomColorJitter(),
                 L.RandomGaussianBlur(), L.RandomInvert(), L.RandomPerspective(), L.RandomElasticTransform(),
                 L.RandAugment(), L.AugMix(), L.Rescaling(1.0 / 255.0), L.Conv2D(4, 3))


if __name__ == "__main__":
    golden.main(classifier=False)
