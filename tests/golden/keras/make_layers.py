#!/usr/bin/env python3
"""Golden layers beyond those of make_ops.py: tiny Keras models with outputs and input gradients.

    python make_layers.py [--out FOLDER] [NAME ...]

Runs under tf.keras 2.15 (default folder tf215/) and Keras 3 (k3/). One function a model; see README.md.
"""
from golden_build import Catalogue
from keras_reference import KERAS3, keras

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


if __name__ == "__main__":
    golden.main(classifier=False)
