"""From image files to a network's input, by the libraries that the names of resamplers stand for: Pillow, OpenCV, TensorFlow.
What reference.py and torch_reference.py share; OpenCV and TensorFlow are imported where they are asked for."""
import numpy as np
from PIL import Image, ImageOps

PILLOW = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR,
          "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)


def read_image(path, channels):
    """An upright 8-bit image of 1 or 3 channels, [H,W,C]."""
    with Image.open(path) as stored:
        image = ImageOps.exif_transpose(stored)
        if image.mode not in ("L", "RGB", "P", "1", "RGBA", "LA", "CMYK"):
            raise SystemExit(f"{path}: mode {image.mode}: only 8-bit images can be compared")
        return image.convert("L" if channels == 1 else "RGB")


def resample(image, height, width, how):
    """[height,width,C]; 8-bit from Pillow and OpenCV, float from TensorFlow."""
    library, _, kind = how.partition("-")
    if library == "pil":
        pixels = np.asarray(image.resize((width, height), PILLOW[kind]))
    elif library == "cv2":
        import cv2
        flags = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC,
                 "area": cv2.INTER_AREA}
        pixels = cv2.resize(np.asarray(image), (width, height), interpolation=flags[kind])
    else:
        import tensorflow as tf
        pixels = np.asarray(image)
        pixels = pixels if pixels.ndim == 3 else pixels[..., None]
        pixels = tf.image.resize(pixels, (height, width), method=kind, antialias=False).numpy()
    return pixels if pixels.ndim == 3 else pixels[..., None]


def fit_image(image, height, width, how, fit):
    """Stretched to height x width; or short:S, the short side to S and the centre cut out, as torchvision does it."""
    if fit == "stretch":
        return resample(image, height, width, how)
    short = int(fit.partition(":")[2])
    w, h = image.size
    if w <= h:
        new_width, new_height = short, int(short * h / w)
    else:
        new_width, new_height = int(short * w / h), short
    if new_height < height or new_width < width:
        raise SystemExit(f"--fit {fit}: gives {new_height}x{new_width}, smaller than the input {height}x{width}")
    pixels = resample(image, new_height, new_width, how)
    top, left = int(round((new_height - height) / 2.0)), int(round((new_width - width) / 2.0))
    return pixels[top:top + height, left:left + width]


def per_channel(text, channels):
    """'a' or 'a:b:c' as one number a channel."""
    values = [float(v) for v in text.split(":")]
    if len(values) not in (1, channels):
        raise SystemExit(f"{text!r}: one number or {channels}, separated by colons")
    return np.array(values * (channels if len(values) == 1 else 1))


def scale_pixels(pixels, scale):
    """Grey levels 0..255 to the network's input, in float64, rounded once to float32."""
    x = pixels.astype(np.float64)
    channels = x.shape[-1]
    if scale == "unit":
        x = x / 255.0
    elif scale == "tf":
        x = x / 127.5 - 1.0
    elif scale == "caffe":
        x = x[..., ::-1] - np.array(CAFFE_MEAN)
    elif scale == "torch":
        x = (x / 255.0 - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD)
    elif scale != "none":
        given = dict(part.split("=", 1) for part in scale.split(","))
        unknown = set(given) - {"div", "mean", "std"}
        if unknown:
            raise SystemExit(f"--scale {scale}: {sorted(unknown)} unknown; give div=, mean=, std=")
        x = x / float(given.get("div", "1"))
        x = (x - per_channel(given.get("mean", "0"), channels)) / per_channel(given.get("std", "1"), channels)
    return x.astype(np.float32)
