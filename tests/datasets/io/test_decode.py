import io
import struct
import warnings

import numpy as np
import pytest
from PIL import Image

from camerabias.datasets.ingest.admission import inspect_image
from camerabias.datasets.io.decode import ImageError, decode
from camerabias.datasets.schema import NO_EXIF_CAMERA

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
    with pytest.raises(ImageError, match=r"^no image format that can be read: save it as JPEG, PNG or TIFF$"):
        decode(content)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_a_truncated_file_is_found(encode, noise, file_format):
    content = encode(noise(200, 200), file_format)
    with pytest.raises(ImageError, match="truncated"):
        inspect_image(content[: len(content) // 2])


def test_floating_point_pixels_are_refused_since_their_range_is_unknown(encode):
    with pytest.raises(ImageError, match="8 or 16 bits"):
        decode(encode(np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4), "TIFF"))


def test_gray_beyond_sixteen_bits_is_refused(encode):
    with pytest.raises(ImageError, match="outside 16 bits"):
        decode(encode(np.full((2, 2), 70_000, dtype=np.int32), "TIFF"))


@pytest.mark.parametrize("shape", [(1, 9), (9, 1)])
def test_a_photo_one_pixel_thin_is_refused(encode, noise, shape):
    with pytest.raises(ImageError, match="pixels are too few, as 2 × 2 are needed"):
        inspect_image(encode(noise(*shape)))


# --- what stands beside the pixels never costs them -----------------------------------------------------


def directory(*fields):
    """A little-endian TIFF directory, as EXIF is one, of (tag, type, count, value); it lies at byte 8."""
    ifd, data, start = b"", b"", 8 + 2 + 12 * len(fields) + 4
    for tag, kind, count, value in sorted(fields):
        if len(value) > 4:
            value, data = (start + len(data)).to_bytes(4, "little"), data + value
        ifd += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<IH", 8, len(fields)) + ifd + bytes(4) + data


RUBBISH = {
    "width as a float": (256, 12, 1, struct.pack("<d", 640.5)),
    "negative height": (257, 9, 1, struct.pack("<i", -5)),
    "make as bytes": (271, 7, 6, b"Lumen\0"),
    "0/0": (282, 5, 1, bytes(8)),
    "software as floats": (305, 11, 2, struct.pack("<ff", 1, 2)),
    "text in Latin-1": (315, 2, 7, b"Andr\xe9e\0"),
    "XMP as numbers": (700, 3, 2, b"\1\0\2\0"),
    "EXIF beyond the end": (34665, 4, 1, struct.pack("<I", 99999)),
    "GPS before the beginning": (34853, 9, 1, struct.pack("<i", -70)),
    "GPS in the middle": (34853, 4, 1, struct.pack("<I", 9)),
    "of no type": (272, 99, 1, b"1234"),
    "two billion values": (272, 2, 2**31, b"1234"),
}


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_whatever_exif_holds_the_picture_is_turned_and_counts(encode, noise, rubbish, file_format):
    lossless = (
        {"lossless": True} if file_format == "WEBP" else {"quality": 90} if file_format == "JPEG" else {}
    )
    pixels = noise(4, 7)
    plain = decode(encode(pixels, file_format, **lossless))
    found = b"Exif\0\0" + directory((ORIENTATION, 3, 1, b"\6\0"), rubbish)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        content = encode(pixels, file_format, exif=found, **lossless)
        np.testing.assert_array_equal(decode(content), np.rot90(plain, -1))
        assert inspect_image(content).width == 4


@pytest.mark.parametrize("rubbish", [field for name, field in RUBBISH.items() if field[0] > 257])
def test_whatever_a_tiff_says_of_its_device_the_picture_counts(noise, rubbish):
    pixels = noise(4, 7)
    content = tiff(pixels, (ORIENTATION, 3, 1, b"\6\0"), rubbish)
    np.testing.assert_array_equal(decode(content), np.rot90(pixels, -1))
    assert inspect_image(content).width == 4


def tiff(pixels, *fields):
    """An uncompressed RGB TIFF."""
    height, width, _ = pixels.shape
    own = [
        (256, 4, 1, width), (257, 4, 1, height), (259, 3, 1, 1), (262, 3, 1, 2), (277, 3, 1, 3), (278, 4, 1, height),
        (279, 4, 1, pixels.size),
    ]  # fmt: skip
    own = [(tag, kind, count, value.to_bytes(4, "little")) for tag, kind, count, value in own]
    bits = (258, 3, 3, struct.pack("<HHH", 8, 8, 8))
    end = len(directory(*own, bits, *fields, (273, 4, 1, bytes(4))))
    return directory(*own, bits, *fields, (273, 4, 1, end.to_bytes(4, "little"))) + pixels.tobytes()


@pytest.mark.parametrize("kind", [b"tEXt", b"iCCP", b"pHYs", b"cHRM", b"eXIf"])
@pytest.mark.parametrize("after_the_pixels", [False, True])
def test_a_png_with_a_damaged_note_is_read_without_it(encode, noise, kind, after_the_pixels):
    pixels = noise()
    png = encode(pixels)
    at = len(png) - 12 if after_the_pixels else 33
    note = (3).to_bytes(4, "big") + kind + b"\0\1\2" + b"crc!"
    np.testing.assert_array_equal(decode(png[:at] + note + png[at:]), pixels)


def test_a_jpeg_with_a_damaged_note_is_read_without_it(encode, noise):
    content = encode(noise(), "JPEG", exif=exif(orientation=6))
    damaged = content[:2] + b"\xff\xe0\0\x07JFIF\0" + content[2:]
    np.testing.assert_array_equal(decode(damaged), decode(content))


def test_damaged_pixels_of_a_png_are_no_note(encode, noise):
    png = bytearray(encode(noise()))
    png[50] ^= 255
    with pytest.raises(ImageError, match="damaged or cut short"):
        decode(bytes(png))
