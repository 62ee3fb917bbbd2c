"""Writes the sample images under files/ and bad/, and images.pack with the pixels expected of them.

    python3 make_images.py      (see README.md for versions)

Lossless samples are expected to give back the array they were written from; JPEG samples what
Pillow decodes. bad/bad.txt names, for each file that must fail, the status and a part of the
message.
"""
import ctypes
import ctypes.util
import io
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageOps
from pack import Pack

HERE = Path(__file__).resolve().parent
FILES = HERE / "files"
BAD = HERE / "bad"
W, H = 23, 17
pack = None


def picture(h=H, w=W, c=3, top=255, seed=7):
    """A gradient with a disc and some noise, 0..top."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:h, 0:w]
    base = np.stack([x / max(w - 1, 1), y / max(h - 1, 1), (x + y) / max(w + h - 2, 1)][:3] * 2, -1)
    disc = ((x - w / 2) ** 2 + (y - h / 2) ** 2 < (min(h, w) / 3) ** 2)[..., None]
    v = np.where(disc, 1 - base, base) * 0.9 + rng.random((h, w, 6)) * 0.1
    return np.rint(v[..., :c] * top).astype(np.int64)


def expect(name, array, **words):
    array = np.asarray(array)
    if array.ndim == 2:
        array = array[..., None]
    d = dict(file=name, colour="grey", bits=8 * array.dtype.itemsize, alpha=0, orientation=1,
             pages=1, page=0, index=0, tol=0)
    assert set(words) <= set(d), words
    d.update(words)
    pack.add(array, **d)


def grey(bits=8, **k):
    return picture(c=1, top=(1 << bits) - 1, **k)[..., 0]


# ---- JPEG ----------------------------------------------------------------------------------------


def pil_pixels(data, mode=None):
    im = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    return np.array(im.convert(mode) if mode else im)


def jpeg(name, im, colour, tol=2, orientation=1, **save):
    buf = io.BytesIO()
    im.save(buf, "JPEG", **save)
    (FILES / name).write_bytes(buf.getvalue())
    expect(name, pil_pixels(buf.getvalue(), "L" if im.mode == "L" else "RGB"), colour=colour,
           tol=tol, orientation=orientation)


def exif(orientation):
    e = Image.Exif()
    e[0x0112] = orientation
    return e


def make_jpeg():
    rgb = Image.fromarray(picture(h=19, w=33).astype(np.uint8))
    jpeg("grey.jpg", Image.fromarray(grey().astype(np.uint8)), "grey", quality=90)
    jpeg("444.jpg", rgb, "ycbcr", quality=90, subsampling=0)
    jpeg("422.jpg", rgb, "ycbcr", quality=90, subsampling=1)
    jpeg("420.jpg", rgb, "ycbcr", quality=90, subsampling=2)
    jpeg("progressive.jpg", rgb, "ycbcr", quality=90, progressive=True)
    jpeg("restart.jpg", rgb, "ycbcr", quality=90, restart_marker_blocks=1)
    jpeg("rgb.jpg", rgb, "rgb", quality=95, keep_rgb=True)
    jpeg("one_pixel.jpg", rgb.crop((0, 0, 1, 1)), "ycbcr", quality=90)
    cmyk = picture(c=4).astype(np.uint8)
    jpeg("cmyk.jpg", Image.fromarray(cmyk, "CMYK"), "cmyk", quality=95)
    data = imagecodecs.jpeg8_encode(255 - cmyk, level=95, colorspace="CMYK", outcolorspace="YCCK")
    (FILES / "ycck.jpg").write_bytes(data)
    expect("ycck.jpg", pil_pixels(data, "RGB"), colour="ycck", tol=2)
    for o in range(1, 9):
        jpeg(f"orientation{o}.jpg", rgb, "ycbcr", quality=90, exif=exif(o), orientation=o)


# ---- PNG -----------------------------------------------------------------------------------------

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]


def chunk(kind, data, spoil=False):
    crc = zlib.crc32(kind + data) ^ (1 if spoil else 0)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png_lines(a, bits):
    """Filtered lines (filter 0) of one pass."""
    out = b""
    for row in a:
        flat = row.reshape(-1)
        if bits == 16:
            body = flat.astype(">u2").tobytes()
        elif bits == 8:
            body = flat.astype(np.uint8).tobytes()
        else:
            body = pack_bits(flat, bits)
        out += b"\0" + body
    return out


def pack_bits(flat, bits):
    s = "".join(format(int(v), f"0{bits}b") for v in flat)
    s += "0" * (-len(s) % 8)
    return bytes(int(s[i:i + 8], 2) for i in range(0, len(s), 8))


def png_bytes(a, bits, kind, before=b"", after=b"", interlace=False):
    if a.ndim == 2:
        a = a[..., None]
    if interlace:
        raw = b"".join(png_lines(a[y::dy, x::dx], bits) for x, y, dx, dy in ADAM7
                       if a[y::dy, x::dx].size)
    else:
        raw = png_lines(a, bits)
    head = struct.pack(">IIBBBBB", a.shape[1], a.shape[0], bits, kind, 0, 0, int(interlace))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before + chunk(b"IDAT", zlib.compress(raw, 9))
            + after + chunk(b"IEND", b""))


def png(name, a, bits, kind, expected, **k):
    words = {w: k.pop(w) for w in ("colour", "alpha", "orientation") if w in k}
    data = png_bytes(a, bits, kind, **k)
    (FILES / name).write_bytes(data)
    expect(name, expected, bits=bits, **words)
    return data


def make_png():
    for bits in (1, 2, 4, 8, 16):
        a = grey(bits)
        e = a.astype(np.uint16) if bits == 16 else (a * (255 // ((1 << bits) - 1))).astype(np.uint8)
        png(f"grey{bits}.png", a, bits, 0, e)
        png(f"grey{bits}i.png", a, bits, 0, e, interlace=True)
    for bits, t in ((8, np.uint8), (16, np.uint16)):
        top = (1 << bits) - 1
        png(f"ga{bits}.png", picture(c=2, top=top), bits, 4, picture(c=2, top=top).astype(t), alpha=1)
        png(f"rgb{bits}.png", picture(c=3, top=top), bits, 2, picture(c=3, top=top).astype(t),
            colour="rgb")
        png(f"rgba{bits}.png", picture(c=4, top=top), bits, 6, picture(c=4, top=top).astype(t),
            colour="rgb", alpha=1)
    rgb = picture()
    png("rgb8i.png", rgb, 8, 2, rgb.astype(np.uint8), colour="rgb", interlace=True)
    key = chunk(b"tRNS", struct.pack(">HHH", *rgb[3, 4]))
    a = np.where((rgb == rgb[3, 4]).all(-1), 0, 255)[..., None]
    png("rgb_key.png", rgb, 8, 2, np.concatenate([rgb, a], -1).astype(np.uint8), colour="rgb",
        alpha=1, before=key)
    g = grey()
    a = np.where(g == g[0, 0], 0, 255)
    png("grey_key.png", g, 8, 0, np.stack([g, a], -1).astype(np.uint8), alpha=1,
        before=chunk(b"tRNS", struct.pack(">H", g[0, 0])))
    rng = np.random.default_rng(3)
    for bits in (1, 2, 4, 8):
        pal = rng.integers(0, 256, (1 << bits, 3)).astype(np.uint8)
        idx = grey(bits)
        plte = chunk(b"PLTE", pal.tobytes())
        name = f"palette{bits}.png"
        png(name, idx, bits, 3, pal[idx], colour="palette", before=plte)
        expect(name, idx.astype(np.uint8), bits=bits, colour="palette", index=1)
    alpha = rng.integers(0, 256, 256).astype(np.uint8)
    png("palette_alpha.png", idx, 8, 3, np.concatenate([pal[idx], alpha[idx][..., None]], -1),
        colour="palette", alpha=1, before=plte + chunk(b"tRNS", alpha.tobytes()))
    expect("palette_alpha.png", idx.astype(np.uint8), colour="palette", index=1)
    block = exif(6).tobytes()[6:]
    for name, k in (("exif_before.png", "before"), ("exif_after.png", "after")):
        data = png_bytes(rgb, 8, 2, **{k: chunk(b"eXIf", block)})
        (FILES / name).write_bytes(data)
        expect(name, np.rot90(rgb, -1).astype(np.uint8), colour="rgb", orientation=6)


# ---- TIFF ----------------------------------------------------------------------------------------


def tiff_bytes(strips, tags, big=False):
    """A classic TIFF of one page: tags {number: value or list of SHORT, or ("I", values)}."""
    o = ">" if big else "<"
    at = 8
    offsets = []
    body = b""
    for s in strips:
        offsets.append(at + len(body))
        body += s + b"\0" * (len(s) % 2)
    t = dict(tags)
    t[273] = ("I", offsets)
    t[279] = ("I", [len(s) for s in strips])
    ifd_at = at + len(body)
    extra_at = ifd_at + 2 + 12 * len(t) + 4
    entries, extra = b"", b""
    for tag in sorted(t):
        v = t[tag]
        kind, values = v if isinstance(v, tuple) else ("H", v if isinstance(v, list) else [v])
        raw = struct.pack(o + str(len(values)) + kind, *values)
        if len(raw) > 4:
            field = struct.pack(o + "I", extra_at + len(extra))
            extra += raw + b"\0" * (len(raw) % 2)
        else:
            field = raw.ljust(4, b"\0")
        entries += struct.pack(o + "HHI", tag, 3 if kind == "H" else 4, len(values)) + field
    head = (b"MM\0*" if big else b"II*\0") + struct.pack(o + "I", ifd_at)
    return head + body + struct.pack(o + "H", len(t)) + entries + struct.pack(o + "I", 0) + extra


def packed(name, a, bits, photometric, expected, strips=None, more=(), **words):
    """Samples of any width in one strip, lines padded to bytes."""
    if a.ndim == 2:
        a = a[..., None]
    h, w, c = a.shape
    if strips is None:
        strips = [b"".join(pack_bits(r.reshape(-1), bits) for r in a)]
    tags = {256: w, 257: h, 258: [bits] * c, 259: 1, 262: photometric, 277: c, 278: h}
    tags.update(more)
    (FILES / name).write_bytes(tiff_bytes(strips, tags))
    expect(name, expected, bits=bits, **words)


def tif(name, a, expected=None, **k):
    """Through tifffile."""
    words = {w: k.pop(w) for w in ("colour", "alpha", "bits", "tol", "orientation") if w in k}
    tifffile.imwrite(FILES / name, a, metadata=None, **k)
    expect(name, a if expected is None else expected, **words)


def libtiff_write(name, a, compression, photometric, bits, fmt=1, more=()):
    """Codecs that only libtiff writes. `a` is (lines, width, samples); `more` (tag, int)."""
    lib = ctypes.CDLL(ctypes.util.find_library("tiff"))
    lib.TIFFOpen.restype = ctypes.c_void_p
    t = ctypes.c_void_p(lib.TIFFOpen(str(FILES / name).encode(), b"w"))
    per = len(a[0]) if compression == 34661 else 5  # JBIG has one strip
    for tag, v in [(256, a[1]), (257, len(a[0])), (258, bits), (259, compression), (262, photometric),
                   (277, a[2]), (278, per), (284, 1), (339, fmt), *more]:
        assert lib.TIFFSetField(t, ctypes.c_uint32(tag), ctypes.c_int(v)), tag
    for strip, y in enumerate(range(0, len(a[0]), per)):
        raw = b"".join(np.ascontiguousarray(r).tobytes() for r in a[0][y:y + per])
        assert lib.TIFFWriteEncodedStrip(t, ctypes.c_uint32(strip), raw, ctypes.c_size_t(len(raw))) >= 0
    lib.TIFFClose(t)


def libtiff_rgb(name):
    lib = ctypes.CDLL(ctypes.util.find_library("tiff"))
    lib.TIFFOpen.restype = ctypes.c_void_p
    t = ctypes.c_void_p(lib.TIFFOpen(str(FILES / name).encode(), b"r"))
    raster = (ctypes.c_uint32 * (W * H))()
    assert lib.TIFFReadRGBAImageOriented(t, W, H, raster, 1, 1)
    lib.TIFFClose(t)
    v = np.frombuffer(raster, np.uint32).reshape(H, W)
    return np.stack([v & 255, v >> 8 & 255, v >> 16 & 255], -1).astype(np.uint8)


def cmyk_to_rgb(a, top):
    a = a.astype(np.int64)
    light = top - a[..., 3:]
    return light - (a[..., :3] * light + top // 2) // top


def make_tiff_types():
    for order, n in (("<", "le"), (">", "be")):
        for t in ("u1", "u2", "u4", "i1", "i2", "i4", "f4", "f8"):
            if t[0] == "f":
                a = (grey() / 7.0 - 9).astype(t)
            elif t[0] == "i":
                a = (grey(8 * int(t[1]) - 1) - (1 << (8 * int(t[1]) - 2))).astype(t)
            else:
                a = grey(8 * int(t[1])).astype(t)
            tif(f"{t}_{n}.tif", a, byteorder=order, photometric="minisblack")
        a = (grey() / 7.0 - 9).astype("f2")
        tif(f"f2_{n}.tif", a, a.astype("f4"), bits=16, byteorder=order, photometric="minisblack")
        a = picture(top=65535).astype("u2")
        tif(f"rgb16_{n}.tif", a, byteorder=order, photometric="rgb", colour="rgb")
        tif(f"bigtiff_{n}.tif", a, byteorder=order, photometric="rgb", colour="rgb", bigtiff=True)
    for bits in (1, 2, 3, 4, 6, 7):
        a = grey(bits)
        e = ((a * 255 + ((1 << bits) - 1) // 2) // ((1 << bits) - 1)).astype(np.uint8)
        packed(f"bits{bits}.tif", a, bits, 1, e)
    for bits in (10, 12, 14):
        packed(f"bits{bits}.tif", grey(bits), bits, 1, grey(bits).astype(np.uint16))
    rgb4 = picture(top=15)
    packed("rgb_bits4.tif", rgb4, 4, 2, (rgb4 * 17).astype(np.uint8), colour="rgb")
    g24 = grey(24)
    for big in (False, True):
        raw = b"".join(int(v).to_bytes(3, "big" if big else "little") for v in g24.reshape(-1))
        tags = {256: W, 257: H, 258: 24, 259: 1, 262: 1, 277: 1, 278: H}
        name = "bits24_be.tif" if big else "bits24_le.tif"
        (FILES / name).write_bytes(tiff_bytes([raw], tags, big))
        expect(name, g24.astype(np.uint32), bits=24)
    one = grey(1)
    reverse = bytes(int(format(b, "08b")[::-1], 2) for b in range(256))
    raw = b"".join(pack_bits(r, 1) for r in one).translate(reverse)
    packed("fillorder2.tif", one, 1, 1, (one * 255).astype(np.uint8), strips=[raw], more={266: 2})


def make_tiff_colours():
    rgb = picture().astype(np.uint8)
    rgba = picture(c=4).astype(np.uint8)
    g = grey().astype(np.uint8)
    tif("rgb8.tif", rgb, photometric="rgb", colour="rgb")
    tif("rgba8.tif", rgba, photometric="rgb", extrasamples=["unassalpha"], colour="rgb", alpha=1)
    tif("rgbx8.tif", rgba, photometric="rgb", extrasamples=["unspecified"], colour="rgb")
    pre = rgba.copy()
    pre[..., :3] = pre[..., :3].astype(int) * pre[..., 3:] // 255
    tif("rgba8_assoc.tif", pre, np.array(Image.frombytes("RGBa", (W, H), pre.tobytes()).convert("RGBA")),
        photometric="rgb", extrasamples=["assocalpha"], colour="rgb", alpha=1)
    ga = picture(c=2).astype(np.uint8)
    tif("ga8.tif", ga, photometric="minisblack", planarconfig="contig", extrasamples=["unassalpha"],
        alpha=1)
    bands = picture(c=5, top=4000).astype(np.uint16)
    tif("bands5.tif", bands, photometric="minisblack", planarconfig="contig",
        extrasamples=["unspecified"] * 4, colour="bands")
    for bits in (1, 4, 8, 16):
        a = grey(bits)
        top = (1 << bits) - 1
        e = (top - a).astype(np.uint16) if bits == 16 else ((top - a) * (255 // top)).astype(np.uint8)
        raw = [a.astype("<u2").tobytes()] if bits == 16 else None
        packed(f"miniswhite{bits}.tif", a, bits, 0, e, strips=raw, colour="miniswhite")
    rng = np.random.default_rng(4)
    for bits in (1, 2, 4, 8):
        pal = rng.integers(0, 256, (1 << bits, 3))
        idx = grey(bits)
        more = {320: [int(v) * 257 for v in pal.T.reshape(-1)]}
        packed(f"palette{bits}.tif", idx, bits, 3, pal[idx].astype(np.uint8), more=more,
               colour="palette")
        expect(f"palette{bits}.tif", idx.astype(np.uint8), bits=bits, colour="palette", index=1)
    more = {320: [int(v) for v in pal.T.reshape(-1)]}
    packed("palette_old.tif", idx, 8, 3, pal[idx].astype(np.uint8), more=more, colour="palette")
    cmyk = picture(c=4).astype(np.uint8)
    tif("cmyk8.tif", cmyk, np.array(Image.fromarray(cmyk, "CMYK").convert("RGB")),
        photometric="separated", colour="cmyk", planarconfig="contig")
    cmyk = picture(c=4, top=65535).astype(np.uint16)
    tif("cmyk16.tif", cmyk, cmyk_to_rgb(cmyk, 65535).astype(np.uint16), photometric="separated",
        colour="cmyk", planarconfig="contig")
    for o in range(1, 9):
        turned = ImageOps.exif_transpose(with_orientation(Image.fromarray(g), o))
        tif(f"orientation{o}.tif", g, np.array(turned), photometric="minisblack", orientation=o,
            extratags=[(274, 3, 1, o, True)])
    # YCbCr without JPEG, 4:2:0: every 2x2 cell as Y Y Y Y Cb Cr; libtiff converts
    y, c = grey()[:16, :22], picture(c=2, seed=9)[::2, ::2][:8, :11]
    cells = np.concatenate([y.reshape(8, 2, 11, 2).transpose(0, 2, 1, 3).reshape(8, 11, 4),
                            c], -1).astype(np.uint8)
    tags = {256: 22, 257: 16, 258: [8, 8, 8], 259: 1, 262: 6, 277: 3, 278: 16, 530: [2, 2]}
    (FILES / "ycbcr_raw.tif").write_bytes(tiff_bytes([cells.tobytes()], tags))
    full = np.repeat(np.repeat(c, 2, 0), 2, 1) - 128.0
    luma = y.astype(float)
    e = np.stack([luma + 1.402 * full[..., 1],
                  luma - 0.344136 * full[..., 0] - 0.714136 * full[..., 1],
                  luma + 1.772 * full[..., 0]], -1)
    expect("ycbcr_raw.tif", np.clip(np.rint(e), 0, 255).astype(np.uint8), colour="ycbcr", tol=3)


def with_orientation(im, o):
    im.getexif()[0x0112] = o
    return im


def make_tiff_layouts():
    rgb = picture(h=40, w=50).astype(np.uint8)
    r16 = picture(h=40, w=50, top=65535).astype(np.uint16)
    planes = np.ascontiguousarray(np.moveaxis(rgb, -1, 0))
    p16 = np.ascontiguousarray(np.moveaxis(r16, -1, 0))
    tif("strips3.tif", rgb, photometric="rgb", rowsperstrip=3, colour="rgb")
    tif("planar.tif", planes, rgb, photometric="rgb", planarconfig="separate", colour="rgb",
        rowsperstrip=7)
    tif("planar16_be.tif", p16, r16, photometric="rgb", planarconfig="separate", colour="rgb",
        byteorder=">", compression="zlib")
    tif("tiles.tif", rgb, photometric="rgb", tile=(16, 32), colour="rgb")
    tif("tiles_planar.tif", planes, rgb, photometric="rgb", planarconfig="separate", tile=(16, 16),
        colour="rgb", compression="lzw")
    tif("tiles16.tif", r16, photometric="rgb", tile=(32, 16), colour="rgb", compression="zlib",
        predictor=2)
    pages = [picture(h=9 + i, w=11, seed=i, c=1)[..., 0].astype(np.uint8) for i in range(3)]
    with tifffile.TiffWriter(FILES / "pages.tif") as t:
        for p in pages:
            t.write(p, photometric="minisblack", metadata=None)
    for i, p in enumerate(pages):
        expect("pages.tif", p, pages=3, page=i)


def make_tiff_codecs():
    rgb = picture().astype(np.uint8)
    f4 = (grey() / 3.0).astype(np.float32)
    for c in ("lzw", "zlib", "deflate", "packbits", "lzma", "zstd", "lerc"):
        k = {"compressionargs": {"level": 0.0}} if c == "lerc" else {}
        tif(f"codec_{c}.tif", rgb, photometric="rgb", compression=c, colour="rgb", **k)
    tif("codec_webp.tif", rgb, photometric="rgb", compression="webp", colour="rgb",
        compressionargs={"lossless": True, "level": 100})
    tif("predictor2.tif", rgb, photometric="rgb", compression="lzw", predictor=2, colour="rgb")
    tif("predictor3.tif", f4, photometric="minisblack", compression="zlib", predictor=3)
    g = grey().astype(np.uint8)
    wide = picture(h=32, w=32).astype(np.uint8)
    for name, a, colour, k in (("jpeg_grey", g, "grey", dict(photometric="minisblack")),
                               ("jpeg_ycbcr", wide, "ycbcr", dict(photometric="rgb")),
                               ("jpeg_tiles", wide, "ycbcr", dict(photometric="rgb", tile=(16, 16)))):
        tifffile.imwrite(FILES / f"codec_{name}.tif", a, compression="jpeg", metadata=None,
                         compressionargs={"level": 95}, **k)
        e = tifffile.imread(FILES / f"codec_{name}.tif")
        expect(f"codec_{name}.tif", e, colour=colour, tol=2)
    bit = grey(1)
    rows = [np.frombuffer(pack_bits(r, 1), np.uint8) for r in bit]
    e = (bit * 255).astype(np.uint8)
    for name, c, more in (("rle", 2, ()), ("g3", 3, ()), ("g3_2d", 3, [(292, 1)]),
                          ("g4", 4, ()), ("jbig", 34661, ())):
        libtiff_write(f"codec_{name}.tif", (rows, W, 1), c, 1, 1, more=more)
        expect(f"codec_{name}.tif", e, bits=1)
    libtiff_write("codec_pixarlog8.tif", (list(rgb), W, 3), 32909, 2, 8)
    expect("codec_pixarlog8.tif", rgb, colour="rgb", tol=1)
    luv = (picture(c=3) / 255.0 * 0.8 + 0.1).astype(np.float32)
    libtiff_write("codec_sgilog.tif", (list(luv), W, 3), 34676, 32845, 32, 3, [(65560, 0)])
    expect("codec_sgilog.tif", libtiff_rgb("codec_sgilog.tif"), bits=16, colour="log")
    # ThunderScan: every pixel as a raw code; NeXT: every line as a literal row
    four = grey(4)
    packed("codec_thunder.tif", four, 4, 1, (four * 17).astype(np.uint8),
           strips=[bytes(0xC0 | int(v) for v in four.reshape(-1))], more={259: 32809})
    two = grey(2)
    packed("codec_next.tif", two, 2, 1, (two * 85).astype(np.uint8),
           strips=[b"".join(b"\0" + pack_bits(r, 2) for r in two)], more={259: 32766})


# ---- files that must fail ------------------------------------------------------------------------


def make_bad():
    lines = []

    def bad(name, data, status, words):
        (BAD / name).write_bytes(data)
        lines.append(f"{name}\t{status}\t{words}")

    jpg = (FILES / "420.jpg").read_bytes()
    prog = (FILES / "progressive.jpg").read_bytes()
    bad("truncated.jpg", jpg[:len(jpg) * 3 // 4], "FORMAT", "JPEG: ")
    bad("truncated_progressive.jpg", prog[:len(prog) * 3 // 4], "FORMAT", "JPEG: ")
    bad("no_end.jpg", jpg[:-2], "FORMAT", "Premature end")
    bad("header_only.jpg", jpg[:200], "FORMAT", "JPEG: ")
    sos = jpg.index(b"\xff\xda")
    bad("garbled.jpg", jpg[:sos + 30] + b"\xff\xd9" + jpg[sos + 60:], "FORMAT", "JPEG: ")
    sof = jpg.index(b"\xff\xc0")
    bad("bomb.jpg", jpg[:sof + 5] + b"\xff\xdc\xff\xdc" + jpg[sof + 9:], "LIMIT", "65500")
    bad("zero_height.jpg", jpg[:sof + 5] + b"\0\0" + jpg[sof + 7:], "FORMAT", "JPEG: ")
    deep = picture(c=1, top=4095)[..., 0].astype(np.uint16)
    bad("bits12.jpg", imagecodecs.jpeg_encode(deep, bitspersample=12, level=90), "UNSUPPORTED", "12")
    bad("lossless.jpg", imagecodecs.ljpeg_encode(grey().astype(np.uint8)), "UNSUPPORTED", "JPEG: ")

    p = (FILES / "rgb8.png").read_bytes()
    bad("truncated.png", p[:len(p) * 3 // 4], "FORMAT", "ends early")
    bad("no_iend.png", p[:-12], "FORMAT", "ends early")
    mid = p.index(b"IDAT") + 40
    bad("crc.png", p[:mid] + bytes([p[mid] ^ 1]) + p[mid + 1:], "FORMAT", "PNG: ")
    head = struct.pack(">IIBBBBB", 100000, 100000, 8, 2, 0, 0, 0)
    bad("bomb.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b""), "LIMIT", "100000 x 100000")
    few = zlib.compress(b"\0" * 100)
    head = struct.pack(">IIBBBBB", W, H, 8, 2, 0, 0, 0)
    bad("few_lines.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", few)
        + chunk(b"IEND", b""), "FORMAT", "PNG: ")
    bad("no_palette.png", png_bytes(grey(), 8, 3), "FORMAT", "PNG: ")
    bad("bad_header.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head, spoil=True), "FORMAT", "PNG: ")

    for n in ("rgb8", "codec_lzw", "codec_zstd", "codec_g4", "codec_jpeg_ycbcr", "tiles"):
        t = (FILES / f"{n}.tif").read_bytes()
        with tifffile.TiffFile(FILES / f"{n}.tif") as f:
            page = f.pages[0]
            o, c = page.dataoffsets[-1], page.databytecounts[-1]
        if o + c >= len(t) - 4:  # the data are last: cut them
            bad(f"truncated_{n}.tif", t[:o + c // 2], "FORMAT", "TIFF: ")
        else:
            bad(f"garbled_{n}.tif", t[:o + c // 2] + b"\xa5" * (c - c // 2) + t[o + c:]
                if n != "codec_g4" else t[:o] + b"\0" * c + t[o + c:], "FORMAT", "TIFF: ")
    raw = grey().astype(np.uint8).tobytes()
    tags = {256: W, 257: H, 258: 8, 259: 1, 262: 1, 277: 1, 278: H}
    bad("bomb.tif", tiff_bytes([raw], {**tags, 256: ("I", [100000]), 257: ("I", [100000])}), "LIMIT",
        "100000 x 100000")
    t = bytearray((FILES / "codec_jbig.tif").read_bytes())
    t[8 + 4:8 + 12] = b"\xff" * 8  # the strip's own extents
    bad("bomb_jbig.tif", bytes(t), "FORMAT", "JBIG strip of 4294967295 x 4294967295")
    bad("bomb_samples.tif", tiff_bytes([raw], {**tags, 256: 30000, 257: 10000, 277: 60000, 258: 8}),
        "LIMIT", "60000")
    bad("zero_width.tif", tiff_bytes([raw], {**tags, 256: 0}), "FORMAT", "")
    bad("codec_unknown.tif", tiff_bytes([raw], {**tags, 259: 50001 + 77}), "UNSUPPORTED",
        "compression")
    bad("photometric.tif", tiff_bytes([raw], {**tags, 262: 32803}), "UNSUPPORTED", "32803")
    bad("int64.tif", tiff_bytes([raw * 8], {**tags, 258: 64}), "UNSUPPORTED", "64-bit unsigned")
    bad("complex.tif", tiff_bytes([raw * 8], {**tags, 258: 64, 339: 6}), "UNSUPPORTED", "complex")
    bad("no_map.tif", tiff_bytes([raw], {**tags, 258: 4, 262: 3}), "FORMAT", "olormap")
    bad("few_samples.tif", tiff_bytes([raw], {**tags, 262: 2}), "FORMAT", "needs 3")
    t = tiff_bytes([raw], tags)
    bad("no_directory.tif", t[:100], "FORMAT", "TIFF: ")

    im = Image.fromarray(picture().astype(np.uint8))
    for kind, said in (("GIF", "a GIF"), ("BMP", "a BMP"), ("WEBP", "a WebP"), ("PPM", "a PNM")):
        buf = io.BytesIO()
        im.save(buf, kind)
        bad(f"other.{kind.lower()}", buf.getvalue()[:400], "UNSUPPORTED", said)
    buf = io.BytesIO()
    np.save(buf, grey().astype(np.uint8))
    bad("other.npy", buf.getvalue(), "UNSUPPORTED", "NumPy")
    bad("other.dcm", b"\0" * 128 + b"DICM\x02\0\0\0UL", "UNSUPPORTED", "DICOM")
    bad("other.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "UNSUPPORTED", "HEIC")
    bad("page.jpg", b"<!DOCTYPE html><html><body>404</body></html>", "UNSUPPORTED", "HTML")
    bad("text.png", b"not an image at all\n", "UNSUPPORTED", "unknown format")
    bad("empty.png", b"", "FORMAT", "empty")
    bad("short.jpg", b"\xff\xd8\xff", "FORMAT", "JPEG: ")
    (BAD / "bad.txt").write_text("\n".join(lines) + "\n")
    print(len(lines), "files that must fail")


def main():
    global pack
    for d in (FILES, BAD):
        d.mkdir(exist_ok=True)
        for f in d.iterdir():
            f.unlink()
    pack = Pack(HERE / "images.pack", "make_images.py")
    make_jpeg()
    make_png()
    make_tiff_types()
    make_tiff_colours()
    make_tiff_layouts()
    make_tiff_codecs()
    pack.close()
    print(pack.count, "expected images")
    make_bad()


if __name__ == "__main__":
    main()
