"""Photos as users have them, made by Pillow alone."""

import io

import numpy as np
import pytest
from PIL import Image


def encode(pixels, file_format="PNG", **options):
    """The bytes of an image file."""
    file = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(file, file_format, **options)
    return file.getvalue()


@pytest.fixture(name="encode")
def _encode():
    return encode


@pytest.fixture
def noise():
    """A function that draws random pixels, always others."""
    generator = np.random.default_rng(0)

    def draw(height=20, width=30, channels=3):
        return generator.integers(0, 256, (height, width, channels), dtype=np.uint8)

    return draw


@pytest.fixture
def make_photos(tmp_path, noise):
    """A function that writes random JPEGs below a folder and returns the folder."""

    def make(*paths, root="photos", **options):
        for path in paths:
            file = tmp_path / root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(encode(noise(), "JPEG", **options))
        return tmp_path / root

    return make
