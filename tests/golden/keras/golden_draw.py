"""Seeded weights and images; needs numpy alone, so that every Keras ever released can use it."""
import numpy as np


def draw_weight(kind, shape, rng):
    """Random values that keep activations of order one and make BatchNorm folding do something."""
    if kind in ("kernel", "depthwise_kernel", "pointwise_kernel"):
        if kind == "depthwise_kernel":
            return rng.normal(0.0, np.sqrt(1.0 / (shape[0] * shape[1])), shape)
        return rng.normal(0.0, np.sqrt(1.5 / np.prod(shape[:-1])), shape)
    if kind == "bias":
        return rng.normal(0.0, 0.2, shape)
    if kind == "gamma":
        return rng.uniform(0.6, 1.4, shape) * rng.choice([1.0, 1.0, 1.0, -1.0], shape)
    if kind == "beta":
        return rng.normal(0.0, 0.3, shape)
    if kind == "moving_mean":
        return rng.normal(0.0, 0.4, shape)
    if kind == "moving_variance":
        return rng.uniform(0.5, 2.5, shape)
    if kind == "alpha":
        return rng.uniform(-0.2, 0.5, shape)
    if kind in ("cls", "pos_embedding"):
        return rng.normal(0.0, 0.5, shape)
    return None


def draw_images(count, size, low, high, seed):
    """Smooth random fields plus noise, [count,H,W,C] float32 within [low, high]."""
    height, width, channels = size
    rng = np.random.default_rng(seed)
    y = np.linspace(0.0, 1.0, height)[:, None, None]
    x = np.linspace(0.0, 1.0, width)[None, :, None]
    images = np.empty((count, height, width, channels), np.float64)
    for n in range(count):
        field = np.zeros((height, width, channels))
        for _ in range(4):
            fy, fx = rng.uniform(0.3, 3.0, 2)
            phase = rng.uniform(0.0, 2.0 * np.pi, channels)
            field += np.sin(2.0 * np.pi * (fy * y + fx * x) + phase) * rng.uniform(0.2, 0.6)
        field += rng.normal(0.0, 0.25, field.shape)
        images[n] = np.clip(rng.uniform(0.3, 0.7) + rng.uniform(0.15, 0.35) * field, 0.0, 1.0)
    return (low + (high - low) * images).astype(np.float32)
