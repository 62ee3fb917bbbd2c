"""The node cases of onnx.backend.test in one small file, for tests/model/test_onnx_nodes.c.

    python make_node_cases.py [--out FILE]

Needs onnx 1.22.0, whose wheel holds 1765 of them (later ones hold none): a model of one operator, or of what it is made
of ("_expanded"), with inputs and the outputs of the reference implementation. They are part of ONNX, copyright ONNX
Project Contributors, under the Apache License 2.0 (https://www.apache.org/licenses/LICENSE-2.0), as is node_cases.pack.

Kept are the cases whose operators occur in image classifiers (OPERATORS), with a float32 input and float32 outputs alone,
neither empty, without subgraphs, and which take at most 45 kB: what is too large is 3-D pooling and three others.

The file: 8 bytes, its size when inflated; zlib of: "xaudit node cases 1\n"; the number of tensors, each with type (TensorProto),
bytes and values; the number of cases, each with name, the model's fields without its graph, the graph's fields, inputs and outputs:
name, rank, extents, tensor. Numbers are uint32, texts and fields are preceded by their length. Equal tensors stand once.
"""
import argparse
import os
import struct
import zlib

import onnx
from onnx import TensorProto, numpy_helper

OPERATORS = set("""
Abs Add And Attention AveragePool BatchNormalization Cast CastLike Ceil Celu Clip Concat Constant ConstantOfShape Conv
ConvTranspose Cos CumSum DepthToSpace Div Dropout Einsum Elu Equal Erf Exp Expand Flatten Floor Gather GatherND Gelu Gemm
GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GroupNormalization HardSigmoid HardSwish Hardmax Identity
InstanceNormalization IsNaN LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization LpPool MatMul
Max MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul Neg Not Or PRelu Pad Pow RMSNormalization Range Reciprocal
ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu
Reshape Resize RotaryEmbedding Round ScatterND Selu Shape Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth
Split Sqrt Squeeze Sub Sum Swish Tanh ThresholdedRelu Tile Transpose Trilu Unsqueeze Upsample Where Xor
""".split())
LARGEST = 45000


def is_empty(v):
    return any(d.dim_value == 0 for d in v.type.tensor_type.shape.dim)


def is_usable(model):
    types = [v.type.tensor_type.elem_type for v in model.graph.input if not is_empty(v)]
    return (all(n.op_type in OPERATORS and n.domain in ("", "ai.onnx") for n in model.graph.node)
            and not any(a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
                        for n in model.graph.node for a in n.attribute)
            and all(v.type.tensor_type.elem_type == TensorProto.FLOAT and not is_empty(v) for v in model.graph.output)
            and TensorProto.FLOAT in types)


def text(s):
    data = s if isinstance(s, bytes) else s.encode()
    return struct.pack("<I", len(data)) + data


class Pack:
    def __init__(self):
        self.tensors, self.known, self.cases = [], {}, []

    def tensor(self, path):
        t = onnx.load_tensor(path)
        a = numpy_helper.to_array(t)
        key = (t.data_type, a.tobytes())
        if key not in self.known:
            self.known[key] = len(self.tensors)
            self.tensors.append(struct.pack("<I", t.data_type) + text(a.astype(a.dtype.newbyteorder("<")).tobytes()))
        return struct.pack(f"<I{a.ndim}II", a.ndim, *a.shape, self.known[key])

    def case(self, name, folder, model):
        values = b""
        for kind, declared in (("input", model.graph.input), ("output", model.graph.output)):
            values += struct.pack("<I", len(declared))
            for i, v in enumerate(declared):
                values += text(v.name) + self.tensor(os.path.join(folder, "test_data_set_0", f"{kind}_{i}.pb"))
        for node in model.graph.node:
            node.doc_string = ""
        graph = model.graph.SerializeToString()
        model.ClearField("graph")
        self.cases.append(text(name) + text(model.SerializeToString()) + text(graph) + values)

    def bytes(self):
        return (b"xaudit node cases 1\n" + struct.pack("<I", len(self.tensors)) + b"".join(self.tensors)
                + struct.pack("<I", len(self.cases)) + b"".join(self.cases))


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=os.path.join(here, "node_cases.pack"))
    out = parser.parse_args().out
    if onnx.__version__ != "1.22.0":
        raise SystemExit(f"onnx {onnx.__version__}, expected 1.22.0")
    root = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "node")
    pack, usable, large = Pack(), 0, []
    for name in sorted(os.listdir(root)):
        folder = os.path.join(root, name)
        model = onnx.load(os.path.join(folder, "model.onnx"))
        if not is_usable(model):
            continue
        usable += 1
        data = os.path.join(folder, "test_data_set_0")
        size = sum(os.path.getsize(os.path.join(data, f)) for f in os.listdir(data))
        if size + os.path.getsize(os.path.join(folder, "model.onnx")) > LARGEST:
            large.append(name)
            continue
        pack.case(name, folder, model)
    whole = pack.bytes()
    with open(out, "wb") as f:
        f.write(struct.pack("<Q", len(whole)) + zlib.compress(whole, 9))
    print(f"{len(os.listdir(root))} cases, {usable} usable, {len(pack.cases)} kept, {os.path.getsize(out)} bytes")
    print("too large:", *large)


if __name__ == "__main__":
    main()
