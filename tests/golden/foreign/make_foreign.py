"""Small files of other programs, each written by that program itself: `xaudit info` says what they are and how to convert them.

    python make_foreign.py            makes those whose library is there

PyTorch 2.14.1: checkpoint.pth, old.pth, script.pt, exported.pt2. TensorFlow 2.21.0, tf_keras 2.21.0, Keras 3.15.1: lite.tflite,
saved_keras2/ and saved_keras3/ (the folders' .pb files alone), checkpoint.index, frozen.pb. onnx 1.23.2: model.onnx.
NumPy 2.4: arrays.npz, array.npy. Python's pickle: object.pkl, object.joblib (zlib, as joblib packs it)."""
import os
import pickle
import shutil
import tempfile
import zlib

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def at(name):
    return os.path.join(HERE, name)


def torch_files():
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(2, 2)

        def forward(self, x):
            return self.fc(x).relu()

    model, x = Net().eval(), torch.zeros(1, 2)
    torch.save(model.state_dict(), at("checkpoint.pth"))
    torch.save(model.state_dict(), at("old.pth"), _use_new_zipfile_serialization=False)
    torch.jit.trace(model, x).save(at("script.pt"))
    program = torch.export.export(model, (x,))
    for node in program.graph.nodes:        # places of this machine
        node.meta.pop("stack_trace", None)
    torch.export.save(program, at("exported.pt2"))


def tensorflow_files():
    import keras
    import tensorflow as tf
    import tf_keras
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    def dense(library):
        return library.Sequential([library.layers.Input((2,)), library.layers.Dense(1)])

    with tempfile.TemporaryDirectory() as folder:
        two, three = dense(tf_keras), dense(keras)
        two.save(folder + "/two", save_format="tf")
        three.export(folder + "/three", verbose=False)
        two.save_weights(folder + "/checkpoint")
        shutil.copy(folder + "/checkpoint.index", at("checkpoint.index"))
        for source, target, names in (("two", "saved_keras2", ("saved_model.pb", "keras_metadata.pb")),
                                      ("three", "saved_keras3", ("saved_model.pb",))):
            os.makedirs(at(target), exist_ok=True)
            for name in names:
                shutil.copy(f"{folder}/{source}/{name}", at(f"{target}/{name}"))
    with open(at("lite.tflite"), "wb") as out:
        out.write(tf.lite.TFLiteConverter.from_keras_model(two).convert())
    concrete = tf.function(lambda x: two(x)).get_concrete_function(tf.TensorSpec((1, 2)))
    tf.io.write_graph(convert_variables_to_constants_v2(concrete).graph, HERE, "frozen.pb", as_text=False)


def onnx_files():
    from onnx import TensorProto, helper, save
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 2]) for n in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", ends[:1], ends[1:])
    save(helper.make_model(graph, producer_name="pytorch", producer_version="2.14.1"), at("model.onnx"))


def plain_files():
    np.savez(at("arrays.npz"), a=np.zeros(2, np.float32))
    np.save(at("array.npy"), np.zeros(2, np.float32))
    with open(at("object.pkl"), "wb") as out:
        pickle.dump({"a": 1}, out)
    with open(at("object.joblib"), "wb") as out:
        out.write(zlib.compress(pickle.dumps([1])))


if __name__ == "__main__":
    for make in (torch_files, tensorflow_files, onnx_files, plain_files):
        try:
            make()
        except ImportError as why:
            print(f"{make.__name__}: left out: {why}")
