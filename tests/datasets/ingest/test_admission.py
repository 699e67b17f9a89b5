import errno
import io
import os
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from camerabias.datasets.ingest.admission import inspect_image, read_photo
from camerabias.datasets.io.decode import ImageError, decode
from camerabias.datasets.io.storage import Folder

HEIC = b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf" + bytes(400)


def reason(content, path="a.jpg"):
    with pytest.raises(ImageError) as caught:
        read_photo(lambda _: content, path)
    return str(caught.value)


def chunk(kind, data):
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty: copy it again"),
        (bytes(50_000), "holds only zero bytes: it was probably not written to the end; copy it again"),
        (b"\n<!DOCTYPE html><html>gone", "a web page, not a photo: download it again"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"PK\x03\x04" + bytes(100), "unpack it"),
        (bytes(128) + b"DICM", "a DICOM file without a picture"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(100), "raw: develop as JPEG or TIFF"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "damaged or cut short (its header): copy it again"),
        (b"no picture at all", "no image format that can be read: save it as JPEG, PNG or TIFF"),
    ],
)
def test_what_is_no_photo_is_rejected_with_what_to_do(content, words):
    assert words in reason(content)


@pytest.mark.parametrize(("ending", "words"), [("DNG", "raw: develop"), ("nii", "NIfTI"), ("svs", "tiles")])
def test_a_raw_is_not_taken_for_the_thumbnail_in_it(encode, noise, ending, words):
    thumbnail = encode(noise(), "TIFF")
    assert words in reason(thumbnail, f"photo.{ending}")


def test_a_dng_is_known_by_what_it_holds(encode, noise):
    assert "raw: develop" in reason(encode(noise(), "TIFF", tiffinfo={50706: b"\1\4\0\0"}), "photo.tif")


def test_heic_asks_for_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert "pip install 'camerabias[heic]'" in reason(HEIC)


def test_heic_is_read_with_its_extra(noise):
    pillow_heif = pytest.importorskip("pillow_heif")
    pixels, file = noise(64, 48), io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(file, quality=100)
    assert decode(file.getvalue()).shape == (64, 48, 3)
    assert inspect_image(file.getvalue()).format == "HEIF"
    assert "damaged" in reason(HEIC)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errno.EACCES, r"may not be read: give it the right \(chmod u\+r"),
        (errno.ENOENT, "there is no such file"),
        (errno.ENAMETOOLONG, "there is no such file"),
        (errno.EISDIR, "a folder, not a photo"),
        (errno.EIO, "storage fails"),
    ],
)
def test_what_the_disk_says_is_put_into_words(tmp_path, monkeypatch, error, words):
    def fail(*_):
        raise OSError(error, os.strerror(error), "a/b.jpg")

    monkeypatch.setattr("builtins.open", fail)
    with pytest.raises(ImageError, match=words) as caught:
        read_photo(Folder(tmp_path).read_bytes, "a/b.jpg")
    assert "Errno" not in str(caught.value)


def test_a_folder_in_place_of_a_photo_is_said_at_once(tmp_path):
    (tmp_path / "a.jpg").mkdir()
    with pytest.raises(ImageError, match="a folder, not a photo"):
        read_photo(Folder(tmp_path).read_bytes, "a.jpg")


def test_above_the_limit_of_megapixels_limit_and_remedy_are_named(encode, monkeypatch):
    content = encode(Image.new("1", (1500, 1000)))
    monkeypatch.setenv("CAMERABIAS_MAX_MEGAPIXELS", "1")
    with pytest.raises(ImageError, match=r"2 megapixels .* than the 1 .* set CAMERABIAS_MAX_MEGAPIXELS=2"):
        inspect_image(content)
    monkeypatch.setenv("CAMERABIAS_MAX_MEGAPIXELS", "1.5")
    assert inspect_image(content).width == 1500
    monkeypatch.setenv("CAMERABIAS_MAX_MEGAPIXELS", "many")
    with pytest.raises(ImageError, match="is 'many', where a number of megapixels belongs"):
        inspect_image(content)


@pytest.mark.parametrize("end", [b"", b"cut short"])
def test_a_size_in_the_header_is_refused_before_anything_is_decoded(end):
    header = (60_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + end
    assert "3600 megapixels are more than the 500 that are read" in reason(content)


def test_photos_above_pillows_limits_are_read_without_a_warning(encode, monkeypatch):
    content = encode(Image.new("1", (1500, 1000)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert inspect_image(content).height == decode(content).shape[0] == 1000
    assert Image.MAX_IMAGE_PIXELS == 1000  # is the program's own that imports camerabias


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (b"zTXt", b"history\0\0" + zlib.compress(bytes(5_000_000))),
        (b"iTXt", b"history\0\1\0\0\0" + zlib.compress(bytes(5_000_000))),
        (b"iCCP", b"scanner\0\0" + zlib.compress(bytes(5_000_000))),
        (b"tEXt", b"history\0" + b"x" * 70_000_000),
    ],
)
@pytest.mark.parametrize("after_the_pixels", [False, True])
def test_megabytes_beside_the_pixels_of_a_png_do_not_cost_them(encode, noise, kind, data, after_the_pixels):
    pixels = noise()
    png = encode(pixels)
    at = len(png) - 12 if after_the_pixels else 33
    content = png[:at] + chunk(kind, data) + png[at:]
    np.testing.assert_array_equal(decode(content), pixels)
    assert inspect_image(content).format == "PNG"


@pytest.mark.parametrize("contrast", [0.0, 1.0, 8.0, 60.0])
@pytest.mark.parametrize("rows", [slice(0, 256), slice(0, 64), slice(112, 144), slice(200, 256)])
def test_a_picture_is_blank_by_all_of_its_averages_wherever_they_differ(encode, contrast, rows):
    """Against averages of squares that numpy takes of the pixels."""
    gray = np.full((256, 192), 120.0)
    gray[rows, :96] += contrast
    gray[rows, ::2] -= contrast / 2
    values = gray.round().astype(np.uint8)
    averages = values.reshape(32, 8, 32, 6).mean(axis=(1, 3))
    assert abs(averages.std() - 1) > 0.1  # so far from the limit, rounding does not decide
    content = encode(np.stack([values] * 3, axis=2))
    assert (inspect_image(content).seen == "blank") == (averages.std() < 1)
