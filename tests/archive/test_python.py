#!/usr/bin/env python3
"""Archives read with h5py, h5dump and the package in src/python: test_python.py ARCHIVE_SAMPLE.

ARCHIVE_SAMPLE is the program of archive_sample.c; its formulas stand here once more.
Needs the Debian packages python3-h5py, python3-numpy, hdf5-tools.
"""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "src", "python"))
sys.dont_write_bytecode = True

import h5py  # noqa: E402
import numpy as np  # noqa: E402

import xaudit  # noqa: E402

DONE_ROWS = 3
PROGRAM = ""
FOLDER = tempfile.TemporaryDirectory(prefix="xa_archive_")
PATH = os.path.join(FOLDER.name, "sample.h5")
DIGESTS = {}


def setUpModule():
    out = subprocess.run([PROGRAM, PATH], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        digest, path = line.split(" ", 1)
        DIGESTS[path] = digest


def tearDownModule():
    FOLDER.cleanup()


def map_values(row, channels, side):
    i = np.arange(channels * side * side)
    return (((row * 7 + i * 5) % 61) / 8 - 2).reshape(channels, side, side)


class WithH5py(unittest.TestCase):
    """What a user sees who has never heard of this project."""

    def setUp(self):
        self.file = h5py.File(PATH, "r")
        self.addCleanup(self.file.close)

    def test_texts(self):
        self.assertEqual(
            list(self.file["samples/id"].asstr()[:]),
            ["stretched", "cropped", "padded", "détruit", ""],
        )
        extra = self.file["samples/extra/site of origin"]
        self.assertEqual(list(extra.asstr()[:]), ["A", "B", "大阪", "", "A"])
        names = self.file["models/net/class_names"]
        self.assertEqual(list(names.asstr()[:]), ["cat", "猫", "chat élu", "d"])
        self.assertEqual(self.file["models/net/message"].asstr()[3], "détruit.jpg: no JPEG")

    def test_types(self):
        expected = {
            "maps/net/saliency/values": ("<f2", (5, 1, 8, 8)),
            "maps/net/signed/values": ("<f4", (5, 3, 8, 8)),
            "maps/net/grad-cam/values": ("<f4", (5, 1, 2, 2)),
            "maps/net/saliency/checksum": ("<u4", (5,)),
            "maps/net/saliency/sample": ("<i8", (5,)),
            "models/net/status": ("|u1", (5,)),
            "models/net/predicted": ("<i4", (5,)),
            "samples/pixel_hash": ("<u8", (5,)),
            "samples/annotations/box": ("<f8", (2, 4)),
            "eval/sample": ("<i8", (0,)),
            "eval/class": ("<i4", (0,)),
        }
        for path, (dtype, shape) in expected.items():
            with self.subTest(path):
                self.assertEqual(self.file[path].dtype.str, dtype)
                self.assertEqual(self.file[path].shape, shape)
                self.assertIsNone(self.file[path].chunks)
        self.assertEqual(int(self.file["samples/pixel_hash"][0]), 2**64 - 1)
        self.assertEqual(self.file["eval/sample"][:].size, 0)

    def test_values(self):
        for row in range(DONE_ROWS):
            for name, channels, side in [("saliency", 1, 8), ("signed", 3, 8), ("grad-cam", 1, 2)]:
                found = self.file[f"maps/net/{name}/values"][row]
                np.testing.assert_array_equal(found, map_values(row, channels, side))

    def test_not_done_cannot_lie(self):
        """A naive mean over rows that are not there is NaN, not a wrong number."""
        self.assertTrue(np.isnan(self.file["models/net/probs"][3:]).all())
        self.assertTrue(np.isnan(self.file["models/net/probs"][:].mean()))
        self.assertTrue(np.isnan(self.file["maps/net/saliency/scale"][3:]).all())
        self.assertEqual(list(self.file["models/net/predicted"][:]), [3, 3, 3, -1, -1])
        self.assertEqual(list(self.file["maps/net/saliency/target"][:]), [0, 1, 2, -1, -1])

    def test_attributes(self):
        self.assertEqual(self.file.attrs["format"], b"xaudit")
        self.assertEqual(self.file.attrs["format_version"], b"1.2")
        self.assertEqual(self.file.attrs["job"].decode(), "name: été\n")
        self.assertEqual(self.file["maps/net/saliency"].attrs["read_as"], b"values*scale")
        self.assertEqual(self.file["models/net"].attrs["batch"], 4)
        self.assertEqual(self.file["models/net"].attrs["batch"].shape, ())
        self.assertEqual(list(self.file["models/net"].attrs["input_size"]), [8, 8])
        seen = []

        def visit(name, item):
            if isinstance(item, h5py.Dataset):
                seen.append(name)
                self.assertIn("unit", item.attrs)
                self.assertGreater(len(item.attrs["description"]), 3)

        self.file.visititems(visit)
        self.assertEqual(len(seen), 36)
        self.assertEqual(self.file["samples/width"].attrs["unit"], b"px")

    def test_h5dump(self):
        out = subprocess.run(["h5dump", PATH], check=True, capture_output=True, text=True)
        self.assertEqual(out.stderr, "")
        self.assertIn('GROUP "grad-cam"', out.stdout)
        self.assertIn("16-bit little-endian floating-point", out.stdout)

    def test_opens_while_it_is_open_elsewhere(self):
        with h5py.File(PATH, "r") as again:
            self.assertIn("samples", again)


class WithReader(unittest.TestCase):
    def setUp(self):
        self.archive = xaudit.Archive(PATH)
        self.addCleanup(self.archive.close)

    def test_contents(self):
        a = self.archive
        self.assertEqual(a.models, ["net"])
        self.assertEqual(a.explainers("net"), ["grad-cam", "saliency", "signed"])
        with self.assertRaisesRegex(KeyError, "no model 'none'; there is: net"):
            a.explainers("none")
        np.testing.assert_array_equal(a.status("net"), [1, 1, 1, 2, 0])
        np.testing.assert_array_equal(a.done("net"), [True, True, True, False, False])
        samples = a.samples()
        self.assertEqual(list(samples["id"][:3]), ["stretched", "cropped", "padded"])
        self.assertEqual(list(samples["extra/site of origin"]), ["A", "B", "大阪", "", "A"])
        self.assertEqual(list(samples["width"]), [12, 10, 4, 0, 0])
        np.testing.assert_array_equal(samples["status/net"], a.status("net"))
        self.assertEqual(set(map(len, samples.values())), {5})
        self.assertEqual(a.probs("net").shape, (5, 4))
        np.testing.assert_allclose(a.probs("net")[a.done("net")][1], [0.1, 0.2, 0.3, 0.4], 1e-6)
        self.assertEqual(list(a.logits("net")[2]), [2, 1, 0, -1])
        self.assertEqual(list(a.predicted("net")), [3, 3, 3, -1, -1])
        self.assertEqual(a.messages("net")[3], "détruit.jpg: no JPEG")
        self.assertEqual(a.attributes("/")["job"], "name: été\n")
        self.assertEqual(a.attributes("/models/net")["classes"], ["cat", "猫", "chat élu", "d"])
        self.assertEqual(a.attributes("/models/net")["batch"], 4)

    def test_map(self):
        found = self.archive.map("net", "saliency", 1)
        self.assertEqual(found.dtype, np.float64)
        np.testing.assert_array_equal(found, map_values(1, 1, 8) * 0.5)
        with self.assertRaisesRegex(ValueError, "row 3 has no map: its sample is failed"):
            self.archive.map("net", "saliency", 3)
        with self.assertRaisesRegex(ValueError, "its sample is pending"):
            self.archive.map_at_image_size("net", "saliency", 4)

    def test_rows(self):
        samples, targets = self.archive.rows("net", "saliency")
        self.assertEqual(list(samples), [0, 1, 2, 3, 4])
        self.assertEqual(list(targets), [0, 1, 2, -1, -1])
        self.assertEqual(self.archive.row_of("net", "saliency", 2), 2)
        self.assertEqual(self.archive.row_of("net", "saliency", 2, target=2), 2)
        with self.assertRaisesRegex(KeyError, "no row for sample 2, class 1"):
            self.archive.row_of("net", "saliency", 2, target=1)

    def test_digest(self):
        self.assertEqual(len(DIGESTS), 8)
        for path, expected in DIGESTS.items():
            with self.subTest(path):
                self.assertEqual(self.archive.digest(path), expected)

    def test_verify(self):
        try:
            import xxhash  # noqa: F401
        except ImportError:
            print("verify(): python3-xxhash is not there; tested is that it says so", file=sys.stderr)
            with self.assertRaisesRegex(ImportError, "xxhash"):
                self.archive.verify()
            return
        self.assertEqual(self.archive.verify(), [])
        self.archive.close()
        torn = os.path.join(FOLDER.name, "torn.h5")
        with open(PATH, "rb") as whole, open(torn, "wb") as copy:
            copy.write(whole.read())
        with h5py.File(torn, "r+") as f:
            f["maps/net/signed/values"][1, 2, 7, 7] += 1
            f["maps/net/signed/values"][4, 2, 7, 7] += 1  # a pending row: nobody promised it
        with xaudit.Archive(torn) as a:
            self.assertEqual(a.verify(), [("net", "signed", 1)])

    def test_refuses_others(self):
        path = os.path.join(FOLDER.name, "other.h5")
        with h5py.File(path, "w") as f:
            f["x"] = 1
        with self.assertRaisesRegex(ValueError, "expected an archive of xaudit"):
            xaudit.Archive(path)
        with h5py.File(path, "w") as f:
            f.attrs["format"], f.attrs["format_version"] = "xaudit", "2.0"
        with self.assertRaisesRegex(ValueError, "found xaudit 2.0"):
            xaudit.Archive(path)
        with h5py.File(path, "w") as f:
            f.attrs["format"], f.attrs["format_version"] = "xaudit", "1.9"
        xaudit.Archive(path).close()


def slow_sample(grid, x, y):
    """Bilinear between pixel centres, clamped, one point at a time."""
    h, w = grid.shape

    def axis(position, extent):
        at = min(max(position - 0.5, 0.0), extent - 1.0)
        low = int(at)
        return low, min(low + 1, extent - 1), at - low

    x0, x1, px = axis(x, w)
    y0, y1, py = axis(y, h)
    top = grid[y0, x0] * (1 - px) + grid[y0, x1] * px
    bottom = grid[y1, x0] * (1 - px) + grid[y1, x1] * px
    return top * (1 - py) + bottom * py


class Geometry(unittest.TestCase):
    # width, height of the image; from an image's coordinate back to the input's, by hand
    CASES = [
        (12, 6, lambda x, y: (x * 8 / 12, y * 8 / 6)),
        (10, 6, lambda x, y: (x * 13 / 10 - 2, y * 8 / 6)),
        (4, 8, lambda x, y: (x + 2, y)),
    ]

    def test_upsample_by_hand(self):
        found = xaudit.upsample_linear([[0.0, 1.0], [2.0, 3.0]], 4, 4)
        line = np.array([0, 0.25, 0.75, 1])
        np.testing.assert_allclose(found, 2 * line[:, None] + line[None, :], atol=1e-15)
        same = np.arange(12.0).reshape(3, 4)
        np.testing.assert_array_equal(xaudit.upsample_linear(same, 3, 4), same)
        np.testing.assert_array_equal(xaudit.upsample_linear([[5.0]], 2, 3), np.full((2, 3), 5.0))

    def test_upsample_point_by_point(self):
        rng = np.random.default_rng(1)
        for h, w, height, width in [(2, 3, 7, 5), (7, 7, 16, 12), (5, 4, 3, 2), (1, 6, 4, 6)]:
            grid = rng.standard_normal((h, w))
            found = xaudit.upsample_linear(grid, height, width)
            for y in range(height):
                for x in range(width):
                    expected = slow_sample(grid, (x + 0.5) * w / width, (y + 0.5) * h / height)
                    self.assertAlmostEqual(found[y, x], expected, places=13)

    def test_image_size(self):
        with xaudit.Archive(PATH) as a:
            for row, (width, height, back) in enumerate(self.CASES):
                for name, channels, side, scale in [
                    ("saliency", 1, 8, 0.5),
                    ("signed", 3, 8, 1),
                    ("grad-cam", 1, 2, 1),
                ]:
                    found = a.map_at_image_size("net", name, row)
                    self.assertEqual(found.shape, (channels, height, width))
                    values = map_values(row, channels, side) * scale
                    unseen = 0
                    for k in range(channels):
                        at_input = xaudit.upsample_linear(values[k], 8, 8)
                        for y in range(height):
                            for x in range(width):
                                at = back(x + 0.5, y + 0.5)
                                if not (0 <= at[0] <= 8 and 0 <= at[1] <= 8):
                                    self.assertTrue(np.isnan(found[k, y, x]))
                                    unseen += 1
                                    continue
                                expected = slow_sample(at_input, *at)
                                self.assertAlmostEqual(found[k, y, x], expected, places=5)
                    # The crop keeps 1.54 to 7.69 of the width: the centres of columns 2 to 7.
                    self.assertEqual(unseen, 4 * height * channels if row == 1 else 0)

    def test_outside(self):
        with xaudit.Archive(PATH) as a:
            found = a.map_at_image_size("net", "grad-cam", 1, outside=0)
        self.assertTrue((found[:, :, [0, 1, 8, 9]] == 0).all())
        self.assertFalse((found[:, :, 2:8] == 0).all())

    def test_large_images_go_in_strips(self):
        affine = [[2.0, 0, 0], [0, 2.0, 0]]
        ramp = np.arange(400.0)[:, None] + np.zeros(3)
        found = xaudit.to_stored_frame(ramp, affine, 800, 6)
        expected = np.clip((np.arange(800) + 0.5) / 2 - 0.5, 0, 399)
        np.testing.assert_allclose(found, expected[:, None] + np.zeros(6), atol=1e-12)

    def test_turned(self):
        """Any affine map: a quarter turn about the middle of a square."""
        values = np.arange(9.0).reshape(3, 3)
        found = xaudit.to_stored_frame(values, [[0, -1, 3], [1, 0, 0]], 3, 3)
        np.testing.assert_allclose(found, np.rot90(values, -1), atol=1e-12)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
