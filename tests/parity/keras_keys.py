#!/usr/bin/env python3
"""Settings of Keras' layers, for src/model/keras/layer_keys.inc: whatever a class of one of the interpreters' Keras takes or writes.

    keras_keys.py CLASS ...            prints {class: [keys]} of the Keras that this interpreter has, as JSON
    keras_keys.py --join FILE ...      joins such files and prints the lines of layer_keys.inc

Run under tf.keras 2.x and Keras 3, then joined: a key that none of them knows is a mistake or of a version to come.
"""
import inspect
import json
import sys

SAMPLES = {"Activation": ("relu",), "Dense": (2,), "Conv1D": (2, 3), "Conv2D": (2, 3), "Conv2DTranspose": (2, 3),
           "DepthwiseConv2D": (3,), "SeparableConv2D": (2, 3), "Dot": (1,), "Permute": ((2, 1),), "Rescaling": (1.0,),
           "Reshape": ((2, 1),), "Resizing": (4, 4), "MultiHeadAttention": (2, 2), "CenterCrop": (2, 2), "RandomCrop": (2, 2),
           "Dropout": (0.5,), "SpatialDropout2D": (0.5,), "SpatialDropout1D": (0.5,), "GaussianNoise": (0.1,), "GaussianDropout": (0.1,),
           "AlphaDropout": (0.1,), "RandomRotation": (0.1,), "RandomZoom": (0.1,), "RandomContrast": (0.1,),
           "RandomBrightness": (0.1,), "RandomTranslation": (0.1, 0.1), "RandomHeight": (0.1,), "RandomWidth": (0.1,), "AveragePooling1D": (2,), "AveragePooling2D": (2,), "MaxPooling1D": (2,), "MaxPooling2D": (2,)}

# settings of every layer, and arguments of base classes that no file holds
EVERYWHERE = "activity_regularizer autocast rank dtype dynamic name trainable conv_op pool_function pool_mode pool_dimensions".split()


def keys_of(cls, sample):
    keys = set()
    for c in cls.__mro__:
        if c is object or "__init__" not in c.__dict__:
            continue
        for name, p in inspect.signature(c.__init__).parameters.items():
            if name != "self" and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
                keys.add(name)
    keys.update(cls(*sample).get_config())
    return keys


def main():
    if sys.argv[1:2] == ["--join"]:
        found = {}
        for path in sys.argv[2:]:
            with open(path) as f:
                for name, keys in json.load(f).items():
                    found.setdefault(name, set()).update(keys)
        for name in sorted(found):
            found[name] = {k for k in found[name] if k not in EVERYWHERE and not k.endswith(("_initializer", "_regularizer", "_constraint"))}
            print(f'    {{"{name}", "{" ".join(sorted(found[name]))}"}},')
        return
    import keras
    result = {}
    for name in sys.argv[1:]:
        cls = getattr(keras.layers, name, None)
        if cls is not None:
            result[name] = sorted(keys_of(cls, SAMPLES.get(name, ())))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
