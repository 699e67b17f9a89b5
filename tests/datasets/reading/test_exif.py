import pytest
from PIL import Image

from camerabias.datasets.reading.exif import camera_of, count_unnamed, exif_text, one_spelling
from camerabias.datasets.schema import NO_EXIF_CAMERA


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Go-2 wide\0\xc9\x11\xfa", "Go-2 wide"),  # memory behind the closing NUL
        (b"Go-2 wide\0\0\0", "Go-2 wide"),
        (b"\0Go-2", ""),
        ("  Go-2 \t  wide\n", "Go-2 wide"),
        ("Andr\xc3\xa9e".encode("latin-1"), "Andrée"),  # UTF-8 in bytes
        ("Andr\xc3\xa9e", "Andrée"),  # and as Pillow reads it
        (b"Andr\xe9e", "Andrée"),  # Latin-1
        ("小米", "小米"),
        ("\x1b[31mred", "\\x1b[31mred"),
        (b"\x9b31m", "\\x9b31m"),
        (7, "7"),
        ((1, 2), "(1, 2)"),
        (float("nan"), "nan"),
    ],
)
def test_text_is_cut_at_the_first_nul_decoded_and_harmless(value, text):
    assert exif_text(value) == text


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("Canon", "Canon Canon EOS 5D", "Canon EOS 5D"),
        ("Canon Canon", "EOS 5D", "Canon EOS 5D"),
        ("CANON", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D70", "NIKON D70"),
        ("EASTMAN KODAK COMPANY", "KODAK DX3900", "KODAK DX3900"),
        ("OLYMPUS IMAGING CORP.", "E-M10", "OLYMPUS IMAGING CORP. E-M10"),
        ("LG", "LGM-V300", "LGM-V300"),
        ("Apple", "iPhone 13", "Apple iPhone 13"),
        ("Samsung", None, "Samsung"),
        (None, "Pixel 8", "Pixel 8"),
        ("\0\0", " ", NO_EXIF_CAMERA),
    ],
)
def test_a_camera_has_its_brand_once(make, model, camera):
    exif = Image.Exif()
    exif.update({tag: value for tag, value in ((271, make), (272, model)) if value is not None})
    assert camera_of(exif) == camera


def test_spellings_that_differ_in_case_or_blanks_are_the_commonest_one():
    cameras = ["Lumen Go-2"] * 3 + ["LUMEN GO-2", "LumenGo-2", "Lumen Go2"]
    spelling, notes = one_spelling(cameras)
    assert [spelling[camera] for camera in cameras] == ["Lumen Go-2"] * 5 + ["Lumen Go2"]
    assert notes == [
        "Cameras in EXIF that differ in case or blanks alone are one: "
        "'Lumen Go-2' also for 'LUMEN GO-2', 'LumenGo-2'."
    ]
    assert one_spelling(["a", "b"]) == ({"a": "a", "b": "b"}, [])


def test_of_equally_common_spellings_the_first_by_alphabet_is_kept():
    assert one_spelling(["b X", "B x"])[0] == one_spelling(["B x", "b X"])[0] == {"B x": "B x", "b X": "B x"}


def test_where_no_photo_names_a_camera_cause_and_remedy_are_said():
    assert "strip" not in count_unnamed([NO_EXIF_CAMERA, "x"])[0]
    (said,) = count_unnamed([NO_EXIF_CAMERA] * 2)
    assert "2 of 2 photos name no camera" in said
    assert "messengers, web sites and copies on Kaggle strip EXIF" in said
    assert "a table with path, label, camera" in said
