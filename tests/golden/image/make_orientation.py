"""Where an orientation may stand, and what Pillow makes of it: 24x16 pictures, and their size after
ImageOps.exif_transpose, in orientation/expected.txt ("file width height").

A TIFF has by its own tag the turned size from the moment Pillow 13 opens it. Its pixels are not
looked at here; images.pack has TIFFs of all eight orientations.

    venv/bin/python make_orientation.py        # Pillow 13
"""
import io
import pathlib
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

out = pathlib.Path(__file__).parent / "orientation"
out.mkdir(exist_ok=True)
picture = Image.fromarray(np.arange(24 * 16, dtype=np.uint32).reshape(16, 24).astype(np.uint8))
files = []

TYPES = {"byte": (1, "B"), "ascii": (2, "2s"), "short": (3, "H"), "long": (4, "I"), "rational": (5, "II"),
         "sbyte": (6, "b"), "undefined": (7, "B"), "sshort": (8, "h"), "slong": (9, "i"), "srational": (10, "ii"),
         "float": (11, "f"), "double": (12, "d")}


def ifd(kind, *values, order="<", count=1, prefixes=0, tag=0x112):
    """A TIFF structure with one entry: an orientation."""
    number, code = TYPES[kind]
    data = struct.pack(order + code * (count if len(code) == 1 else 1), *values)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, 1)
    entry = struct.pack(order + "HHI", tag, number, count)
    block = head + entry + (data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(order + "I", 26)) + b"\0" * 4
    return b"Exif\0\0" * prefixes + block + (data if len(data) > 4 else b"")


def xmp(text):
    return ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description ' + text + "</rdf:RDF></x:xmpmeta>").encode()


ATTRIBUTE, ELEMENT = 'tiff:Orientation="6"/>', "><tiff:Orientation>6</tiff:Orientation></rdf:Description>"


def add(name, data):
    (out / name).write_bytes(data)
    files.append(name)


def jpeg(name, *segments):
    """Segments are payloads of APP1."""
    b = io.BytesIO()
    picture.save(b, "JPEG", quality=50)
    b = b.getvalue()
    app = b"".join(b"\xff\xe1" + struct.pack(">H", len(s) + 2) + s for s in segments)
    add(name, b[:2] + app + b[2:])


def exif1(block):
    return b"Exif\0\0" + block


def xmp1(text):
    return b"http://ns.adobe.com/xap/1.0/\0" + xmp(text)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(name, *chunks, after=False):
    b = io.BytesIO()
    picture.save(b, "PNG")
    b = b.getvalue()
    at = len(b) - 12 if after else 33
    add(name, b[:at] + b"".join(chunk(*c) for c in chunks) + b[at:])


def raw_profile(block):
    data = exif1(block)
    digits = data.hex()
    lines = "\n".join(digits[i:i + 72] for i in range(0, len(digits), 72))
    return f"\nexif\n{len(data):8d}\n{lines}\n".encode("latin-1")


def tiff(name, orientation=None, packet=None):
    from PIL import TiffImagePlugin
    info = TiffImagePlugin.ImageFileDirectory_v2()
    if orientation:
        info[0x112] = orientation
    if packet:
        info.tagtype[700] = 1
        info[700] = packet
    b = io.BytesIO()
    picture.save(b, "TIFF", tiffinfo=info)
    add(name, b.getvalue())


for order, letter in ("<", "le"), (">", "be"):
    for kind in "byte short long sbyte sshort slong float double undefined".split():
        jpeg(f"exif_{kind}_{letter}.jpg", exif1(ifd(kind, 6, order=order)))
    jpeg(f"exif_rational_{letter}.jpg", exif1(ifd("rational", 12, 2, order=order)))
    jpeg(f"exif_srational_{letter}.jpg", exif1(ifd("srational", 6, 1, order=order)))
jpeg("exif_ascii.jpg", exif1(ifd("ascii", b"6\0", count=2)))
jpeg("exif_rational_half.jpg", exif1(ifd("rational", 13, 2)))
jpeg("exif_rational_zero.jpg", exif1(ifd("rational", 6, 0)))
jpeg("exif_two_values.jpg", exif1(ifd("short", 6, 3, count=2)))
jpeg("exif_zero.jpg", exif1(ifd("short", 0)))
jpeg("exif_nine.jpg", exif1(ifd("short", 9)))
jpeg("exif_long_large.jpg", exif1(ifd("long", 65536 + 6)))
jpeg("exif_prefix_twice.jpg", exif1(ifd("short", 6, prefixes=2)))
jpeg("exif_other_tag.jpg", exif1(ifd("short", 6, tag=0x113)))
jpeg("xmp_attribute.jpg", xmp1(ATTRIBUTE))
jpeg("xmp_element.jpg", xmp1(ELEMENT))
jpeg("xmp_single_quotes.jpg", xmp1("tiff:Orientation='6'/>"))
jpeg("xmp_spaces.jpg", xmp1('tiff:Orientation = "6"/>'))
jpeg("xmp_nine.jpg", xmp1('tiff:Orientation="9"/>'))
jpeg("xmp_second_place.jpg", xmp1('tiff:Orientation="x"/><a tiff:Orientation="6"/>'))
jpeg("xmp_beside_exif.jpg", exif1(ifd("short", 1)), xmp1(ATTRIBUTE))
jpeg("xmp_beside_wrong_exif.jpg", exif1(ifd("short", 9)), xmp1(ATTRIBUTE))
jpeg("xmp_beside_other_exif.jpg", exif1(ifd("short", 6, tag=0x113)), xmp1(ATTRIBUTE))
jpeg("xmp_twice.jpg", xmp1('tiff:Orientation="1"/>'), xmp1(ATTRIBUTE))
png("exif.png", (b"eXIf", ifd("short", 6)))
png("exif_after.png", (b"eXIf", ifd("long", 6, order=">")), after=True)
png("exif_prefix.png", (b"eXIf", ifd("short", 6, prefixes=1)))
png("raw_text.png", (b"tEXt", b"Raw profile type exif\0" + raw_profile(ifd("short", 6))))
png("raw_zip.png", (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw_profile(ifd("short", 6)))))
png("raw_zip_after.png", (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw_profile(ifd("short", 6)))),
    after=True)
png("raw_beside_exif.png", (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw_profile(ifd("short", 6)))),
    (b"eXIf", ifd("short", 1)))
png("raw_app1.png", (b"zTXt", b"Raw profile type APP1\0\0" + zlib.compress(raw_profile(ifd("short", 6)))))
png("xmp.png", (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(ATTRIBUTE)))
png("xmp_zip.png", (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp(ELEMENT))))
png("xmp_text.png", (b"tEXt", b"XML:com.adobe.xmp\0" + xmp(ATTRIBUTE)))
png("xmp_after.png", (b"iTXt", b"XML:com.adobe.xmp\0\0\0en\0k\0" + xmp(ATTRIBUTE)), after=True)
png("xmp_beside_exif.png", (b"eXIf", ifd("short", 1)), (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(ATTRIBUTE)))
tiff("tag.tif", orientation=6)
tiff("xmp.tif", packet=xmp(ATTRIBUTE))
tiff("xmp_element.tif", packet=xmp(ELEMENT))
tiff("xmp_beside_tag.tif", orientation=1, packet=xmp(ATTRIBUTE))

with open(out / "expected.txt", "w") as f:
    for name in files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            im = Image.open(out / name)
            if getattr(im, "tag_v2", {}).get(0x112) is None:  # by its own tag a TIFF is turned when it is opened
                im = ImageOps.exif_transpose(im)
        f.write(f"{name} {im.size[0]} {im.size[1]}\n")
