#!/usr/bin/env python3
"""The Python package beside the program: test_package.py XAUDIT OVERLAY_IN_C PROJECT.

What the package says of the demo must be what the program says of it, and its pictures those that the
program draws. Needs the Debian packages python3-h5py, python3-numpy, python3-pip, python3-setuptools,
python3-wheel.
"""

import ast
import csv
import io
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

XAUDIT, OVERLAY, PROJECT = sys.argv[1:4]
SOURCE = os.path.join(PROJECT, "src", "python")
sys.path.insert(0, SOURCE)
sys.dont_write_bytecode = True

import h5py  # noqa: E402
import numpy as np  # noqa: E402

import xaudit  # noqa: E402
from xaudit import geometry, picture  # noqa: E402

FOLDER = tempfile.TemporaryDirectory(prefix="xa_package_")
DEMO = os.path.join(FOLDER.name, "demo.h5")
SCORED = os.path.join(FOLDER.name, "demo.eval.h5")


def program(*arguments):
    done = subprocess.run([XAUDIT, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def setUpModule():
    job = os.path.join(PROJECT, "jobs", "demo.yaml")
    program("run", job, "--output", DEMO, "--quiet", "--set", "store={thumbnails: 64}")
    program("evaluate", DEMO, "--as", SCORED)


def tearDownModule():
    FOLDER.cleanup()


class Demo(unittest.TestCase):
    def setUp(self):
        self.a = xaudit.open(DEMO)
        self.addCleanup(self.a.close)

    def test_table_is_the_programs(self):
        for path in (DEMO, SCORED):
            lines = list(csv.DictReader(io.StringIO(program("table", path, "--csv"))))
            with xaudit.open(path) as a:
                table = a.table()
            self.assertGreater(len(lines), 200)
            self.assertEqual({len(column) for column in table.values()}, {len(lines)})
            for name in lines[0]:
                if name.startswith("checks."):
                    continue
                for line, value in zip(lines, table[name]):
                    if isinstance(value, str):
                        self.assertEqual(line[name], value, name)
                    elif line[name] == "":
                        self.assertTrue(np.isnan(value), name)
                    else:
                        self.assertLessEqual(abs(float(line[name]) - value), 1e-8 * abs(value), name)

    def test_scores_are_keyed_by_what_they_are(self):
        scores = self.a.scores
        self.assertIn(("vit", "rollout", "energy"), list(scores))
        sample, _ = scores.pairs
        self.assertEqual(scores["vit", "rollout", "energy"].shape, sample.shape)
        with self.assertRaisesRegex(KeyError, "there is: .*energy"):
            scores["vit", "rollout", "enrgy"]

    def test_mean_maps_are_the_programs(self):
        with h5py.File(SCORED, "r") as f:
            for c, name in enumerate(self.a.classes):
                stored = f["class_means/vit/gradcam.label/mean"][c]
                mean = self.a.mean_map("vit", "gradcam.label", self.a.where("vit", label=name))
                self.assertEqual(mean.count, f["class_means/vit/gradcam.label/count"][c])
                np.testing.assert_allclose(mean.values, stored, atol=1e-6)

    def test_an_evaluation_has_the_maps_of_its_source(self):
        with xaudit.open(SCORED) as scored:
            for ours, theirs in zip(scored.maps("vit", "rollout"), self.a.maps("vit", "rollout")):
                np.testing.assert_array_equal(ours.values, theirs.values)

    def test_where(self):
        a = self.a
        kangaroo = a.where("xception", label="kangaroo")
        self.assertEqual(kangaroo.sum(), 6)
        wrong, right = (a.where("xception", label="kangaroo", correct=c) for c in (False, True))
        self.assertTrue((wrong | right == kangaroo).all() and not (wrong & right).any())
        self.assertEqual(a.where("xception", split="test").sum(), len(a))
        self.assertEqual(a.where("xception", predicted="dolphin").sum(), (a.predicted("xception") == 4).sum())
        for bad in ({"label": "kangoroo"}, {"sit": "A"}):
            with self.assertRaisesRegex(KeyError, "there is: "):
                a.where("xception", **bad)
        with self.assertRaisesRegex(KeyError, "several models: name one of vit, xception"):
            a.where(label="kangaroo")

    def test_maps_stream_in_order_and_by_mask(self):
        a = self.a
        mask = np.arange(len(a)) % 3 == 1
        seen = list(a.maps("vit", "saliency.predicted", mask))
        self.assertEqual([m.sample for m in seen], list(np.flatnonzero(mask)))
        for m in seen:
            np.testing.assert_array_equal(m.values, a.map("vit", "saliency.predicted", m.row))
            self.assertEqual(m.id, a.ids[m.sample])
        with self.assertRaisesRegex(ValueError, "expected 42 booleans"):
            next(a.maps("vit", "rollout", np.arange(42)))

    def test_a_row_by_its_id(self):
        row = self.a.row("airplanes/image_0005")
        self.assertEqual((row["width"], row["height"], row["labels"]), (395, 176, ["airplanes"]))
        self.assertEqual(row["models"]["vit"]["predicted"], "airplanes")
        with self.assertRaisesRegex(KeyError, "airplanes/image_0005"):
            self.a.row("airplanes/image_5")

    def test_names_that_are_not_there(self):
        with self.assertRaisesRegex(KeyError, "no explainer of vit 'gradcam'; there is: gradcam.label"):
            self.a.map("vit", "gradcam", 0)
        with self.assertRaisesRegex(KeyError, "no model 'resnet'; there is: vit, xception"):
            self.a.done("resnet")
        alone = os.path.join(FOLDER.name, "alone")
        os.makedirs(alone)
        shutil.copy(SCORED, alone)
        with xaudit.open(os.path.join(alone, "demo.eval.h5")) as scored:
            with self.assertRaisesRegex(KeyError, "scores of the maps of .*alone/demo.h5, which is missing"):
                next(scored.maps("vit", "rollout"))
        with self.assertRaisesRegex(ValueError, "expected an archive of xaudit"):
            xaudit.open(os.path.join(PROJECT, "jobs", "demo", "xception.h5"))

    def test_a_notebook_shows_models_and_means(self):
        page = self.a._repr_html_()
        right = 100.0 * (self.a.correct("xception") == 1).mean()
        self.assertIn(f"accuracy {right:.1f} % of 42 labelled images", page)
        self.assertIn(f"<td>{self.a.scores['vit', 'rollout', 'energy'].mean():.3f}</td>", page)

    def test_three_lines(self):
        for model in self.a.models:  # some images of each are wrong or right; both ways must draw
            shown = self.a.mean_map(model, "gradcam.label", self.a.where(model, correct=True)).overlay()
            self.assertEqual(shown.array.shape, (128, 128, 3))
        shown = self.a.mean_map("vit", "rollout").overlay(background="grey")
        self.assertGreater(np.ptp(shown.array.astype(int)), 50)


class Pictures(unittest.TestCase):
    def in_c(self, values, signed, pixelwise, affine, sizes, photo):
        data = affine.astype("<f8").tobytes() + values.astype("<f4").tobytes() + photo.tobytes()
        arguments = [str(int(v)) for v in (pixelwise, signed, *values.shape, *sizes, *photo.shape[:2])]
        out = subprocess.run([OVERLAY, *arguments], input=data, capture_output=True, check=True).stdout
        return np.frombuffer(out, dtype=np.uint8).reshape(photo.shape)

    def test_overlays_are_the_programs(self):
        rng = np.random.default_rng(7)
        for pixelwise, signed, shape in ((0, 0, (8, 8)), (1, 0, (96, 160)), (1, 1, (100, 60)), (0, 1, (7, 5)), (1, 0, (3, 300))):
            values = rng.normal(size=shape).astype(np.float32)
            values = values if signed else np.abs(values) ** 3
            photo = rng.integers(0, 256, size=(61, 83, 3), dtype=np.uint8)
            # a crop: a part of the photograph lies outside of the input
            affine, sizes = np.array([0.9, 0.0, 12.5, 0.0, 1.1, -3.0]), (120, 160, 122, 166)
            t = geometry.map_at_picture(
                picture.tone(values, bool(pixelwise)), sizes[:2], affine.reshape(2, 3), sizes[2:], photo.shape[:2])
            found = picture.blend(photo, t, bool(pixelwise), bool(signed)).array
            wanted = self.in_c(values, signed, pixelwise, affine, sizes, photo)
            apart = np.abs(found.astype(int) - wanted.astype(int))
            # single precision in between moves a rounding, and a step of the colour table
            self.assertLessEqual(apart.max(), 3)
            self.assertLess((apart > 0).mean(), 0.02)
            self.assertGreater((np.abs(wanted.astype(int) - photo) > 20).mean(), 0.05)

    def test_an_overlay_of_the_archive(self):
        with xaudit.open(DEMO, image_root="/nowhere") as a:  # the archive's own pictures are shown
            shown = a.overlay("airplanes/image_0005", "vit", "gradcam.label")
            self.assertEqual(shown.array.shape[1], 64)
            again = next(a.maps("vit", "gradcam.label", a.ids == "airplanes/image_0005")).overlay()
            np.testing.assert_array_equal(shown.array, again.array)

    def test_without_a_picture_the_error_says_what_to_do(self):
        bare = os.path.join(FOLDER.name, "bare.h5")
        shutil.copyfile(DEMO, bare)
        with h5py.File(bare, "r+") as f:
            del f["samples/thumbnail"], f["samples/thumbnail_size"]
        with xaudit.open(bare, image_root="/nowhere") as a:
            with self.assertRaisesRegex((FileNotFoundError, ImportError), "image_root|pillow"):
                a.photograph(0)

    def test_png(self):
        array = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
        data = xaudit.Picture(array).png()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(struct.unpack(">II", data[16:24]), (7, 5))
        length = struct.unpack(">I", data[33:37])[0]
        rows = np.frombuffer(zlib.decompress(data[41 : 41 + length]), dtype=np.uint8).reshape(5, 22)
        np.testing.assert_array_equal(rows[:, 1:], array.reshape(5, 21))
        with self.assertRaisesRegex(ValueError, "saved as .png"):
            xaudit.Picture(array).save("x.jpg")


class Package(unittest.TestCase):
    def test_pip_installs_it(self):
        """Without any other package, and without a network."""
        copy, there = os.path.join(FOLDER.name, "python"), os.path.join(FOLDER.name, "there")
        shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-index", "--no-deps", "--no-build-isolation"]
        done = subprocess.run([*pip, "--target", there, copy], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        code = "import xaudit, sys; print(xaudit.__version__); print(len(xaudit.open(sys.argv[1])))"
        environment = {**os.environ, "PYTHONPATH": there}
        out = subprocess.run([sys.executable, "-c", code, DEMO], cwd="/", env=environment, capture_output=True, text=True, check=True)
        self.assertEqual(out.stdout.split(), [program("--version").split()[1], "42"])
        self.assertTrue(os.path.exists(os.path.join(there, "xaudit", "py.typed")))
        self.assertTrue(os.path.exists(os.path.join(there, "xaudit_export.py")))

    def test_python_3_9_reads_it(self):
        for folder, _, files in os.walk(SOURCE):
            for name in files:
                if name.endswith(".py"):
                    with open(os.path.join(folder, name), encoding="utf-8") as f:
                        ast.parse(f.read(), name, feature_version=(3, 9))

    def test_the_table_of_kinds_is_the_programs(self):
        with open(os.path.join(PROJECT, "src", "view", "names.c"), encoding="utf-8") as f:
            lines = [line for line in f if line.strip().startswith('{"') and "true}" in line]
        self.assertEqual({line.split('"')[1] for line in lines}, set(picture.PIXELWISE))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
