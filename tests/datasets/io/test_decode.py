import io

import numpy as np
import pytest
from PIL import Image

from camerabias.datasets.io.decode import NO_EXIF_CAMERA, decode, inspect_image

MAKE, MODEL, ORIENTATION = 271, 272, 274


def exif(**tags):
    found = Image.Exif()
    for tag, value in tags.items():
        found[{"make": MAKE, "model": MODEL, "orientation": ORIENTATION}[tag]] = value
    return found


def test_rgb_pixels_pass_unchanged(encode, noise):
    pixels = noise()
    decoded = decode(encode(pixels))
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, pixels)


def test_a_jpeg_is_decoded_as_pillow_decodes_it(encode, noise):
    content = encode(noise(), "JPEG", quality=60)
    np.testing.assert_array_equal(decode(content), np.asarray(Image.open(io.BytesIO(content))))


@pytest.mark.parametrize(
    ("orientation", "stand_up"),
    [
        (1, lambda a: a),
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: a[::-1, ::-1]),
        (4, lambda a: a[::-1]),
        (5, lambda a: a.swapaxes(0, 1)),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: a.swapaxes(0, 1)[::-1, ::-1]),
        (8, lambda a: np.rot90(a)),
    ],
)
def test_every_exif_orientation_is_applied(encode, noise, orientation, stand_up):
    pixels = noise(4, 7)
    content = encode(pixels, exif=exif(orientation=orientation))
    np.testing.assert_array_equal(decode(content), stand_up(pixels))
    facts = inspect_image(content)
    assert (facts.height, facts.width) == stand_up(pixels).shape[:2]


def test_gray_is_repeated_over_three_channels(encode, noise):
    gray = noise()[..., 0]
    np.testing.assert_array_equal(decode(encode(gray)), np.stack([gray] * 3, axis=-1))


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(encode, file_format):
    deep = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)  # 0 to 65535
    decoded = decode(encode(deep, file_format))
    np.testing.assert_array_equal(decoded[..., 1], np.arange(256).reshape(16, 16))


def test_transparency_is_laid_over_white(encode):
    pixels = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], dtype=np.uint8)
    opaque, clear, fifth = decode(encode(pixels))[0].astype(int)
    assert opaque.tolist() == [200, 100, 0]
    assert clear.tolist() == [255, 255, 255]
    assert np.abs(fifth - (0.2 * np.array([200, 100, 0]) + 0.8 * 255)).max() <= 1


def test_a_gray_png_with_a_transparent_value_is_laid_over_white(encode):
    gray = np.array([[10, 20]], dtype=np.uint8)
    assert decode(encode(gray, transparency=10))[0, :, 0].tolist() == [255, 20]


def test_cmyk_becomes_rgb(encode):
    ink = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert np.abs(decode(encode(ink, "JPEG", quality=100)).astype(int) - [255, 0, 0]).max() <= 2


def test_a_palette_gif_becomes_rgb(encode):
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    assert decode(encode(palette, "GIF")).tolist() == [[[255, 0, 0], [0, 0, 255]]]


def test_black_and_white_becomes_rgb(encode):
    assert decode(encode(Image.new("1", (3, 2), 1))).tolist() == [[[255] * 3] * 3] * 2


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("tags", "camera"),
    [
        ({"make": "SONY", "model": "DSC-P200"}, "SONY DSC-P200"),
        ({"make": "NIKON", "model": "NIKON D70"}, "NIKON D70"),
        ({"make": "Canon\0", "model": " EOS 5D \0"}, "Canon EOS 5D"),
        ({"make": "HUAWEI"}, "HUAWEI"),
        ({"model": "Pixel 8"}, "Pixel 8"),
        ({"orientation": 6}, NO_EXIF_CAMERA),
    ],
)
def test_the_camera_is_exifs_make_and_model(encode, noise, file_format, tags, camera):
    facts = inspect_image(encode(noise(), file_format, exif=exif(**tags)))
    assert (facts.exif_camera, facts.format) == (camera, file_format)


def test_a_turned_photo_still_names_its_camera(encode, noise):
    content = encode(noise(), "TIFF", exif=exif(orientation=8, model="Pixel 8"))
    assert inspect_image(content).exif_camera == "Pixel 8"


def test_damaged_exif_costs_the_camera_and_not_the_picture(encode, noise):
    content = encode(noise(), "JPEG", exif=b"Exif\0\0no such thing")
    assert inspect_image(content).exif_camera == NO_EXIF_CAMERA
    np.testing.assert_array_equal(decode(content), np.asarray(Image.open(io.BytesIO(content))))


@pytest.mark.parametrize("content", [b"", b"a text", bytes(1000)])
def test_what_is_no_image_is_refused_in_plain_words(content):
    with pytest.raises(OSError, match=r"^no image format that can be read$"):
        decode(content)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_a_truncated_file_is_found(encode, noise, file_format):
    content = encode(noise(200, 200), file_format)
    with pytest.raises(OSError, match="truncated"):
        inspect_image(content[: len(content) // 2])


def test_floating_point_pixels_are_refused_since_their_range_is_unknown(encode):
    with pytest.raises(ValueError, match="8 or 16 bits"):
        decode(encode(np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4), "TIFF"))


def test_gray_beyond_sixteen_bits_is_refused(encode):
    with pytest.raises(ValueError, match="outside 16 bits"):
        decode(encode(np.full((2, 2), 70_000, dtype=np.int32), "TIFF"))


@pytest.mark.parametrize("shape", [(1, 9), (9, 1)])
def test_a_photo_one_pixel_thin_is_refused(encode, noise, shape):
    with pytest.raises(ValueError, match="have no halves"):
        inspect_image(encode(noise(*shape)))
