"""Pictures whose statistics are known."""

import cv2
import numpy as np
import pytest

from camerabias.datasets.pixels.registry import measure_pixels


@pytest.fixture
def measure(encode):
    """A function that measures pixels of any numbers, rounded and saved in a format."""

    def measured(pixels, file_format="PNG", **options):
        pixels = np.asarray(pixels)
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        rounded = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
        return measure_pixels(encode(rounded, file_format, **options))

    return measured


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def scene(rng):
    """A function that draws a gray scene: soft light, and shapes with sharp edges; levels of 40 to 210."""

    def draw(height=256, width=256, shapes=60):
        light = cv2.resize(rng.uniform(90, 160, (4, 4)), (width, height), interpolation=cv2.INTER_CUBIC)
        for _ in range(shapes):
            middle = int(rng.integers(width)), int(rng.integers(height))
            radius, level = int(rng.integers(4, 20)), float(rng.uniform(40, 210))
            cv2.circle(light, middle, radius, level, -1)
        return light

    return draw


def decoded(light):
    """Levels of 255 that show linear light of 0 to 1 (sRGB)."""
    return 255 * np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055
    )


@pytest.fixture(name="decoded")
def _decoded():
    return decoded
