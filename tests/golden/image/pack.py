"""The container of these golden files, read in C by tests/image/pack.c.

A file is the line "XAPACK1", then records: one line of words (key=value), among them dtype= and
shape= (sizes joined by x), then the array's bytes, little-endian, C order, no padding.
"""
import numpy as np

NAMES = {"uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64"}


class Pack:
    def __init__(self, path, source):
        self.f = open(path, "wb")
        self.f.write(b"XAPACK1\n")
        self.source = source
        self.count = 0

    def add(self, array, **words):
        array = np.ascontiguousarray(array)
        assert array.dtype.name in NAMES, array.dtype
        words["dtype"] = array.dtype.name
        words["shape"] = "x".join(str(n) for n in array.shape)
        line = " ".join(f"{k}={v}" for k, v in words.items())
        assert "\n" not in line and all(" " not in str(v) for v in words.values()), line
        self.f.write(line.encode() + b"\n" + array.astype(array.dtype.newbyteorder("<")).tobytes())
        self.count += 1

    def close(self):
        self.f.close()
