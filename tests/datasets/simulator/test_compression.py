import io

import numpy as np
import pytest
from PIL import ExifTags, Image, JpegImagePlugin

from camerabias.datasets.simulator.compression import encode, quantisation_tables

PIXELS = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def opened(**changes):
    settings = {"tables": "standard", "quality": 90, "subsampling": "4:2:0", "camera": "Vivo"} | changes
    return Image.open(io.BytesIO(encode(PIXELS, **settings)))


@pytest.mark.parametrize("quality", [5, 40, 50, 75, 92, 100])
def test_standard_tables_are_those_of_libjpeg(quality):
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "JPEG", quality=quality)
    theirs = Image.open(file).quantization
    assert quantisation_tables("standard", quality) == [theirs[0], theirs[1]]


@pytest.mark.parametrize("tables", ["standard", "flat", "steep"])
def test_tables_are_read_back(tables):
    read = opened(tables=tables).quantization
    assert [read[0], read[1]] == quantisation_tables(tables, 90)


def test_tables_rise_as_their_names_say():
    lumas = [quantisation_tables(name, 60)[0] for name in ("flat", "standard", "steep")]
    low, high = [sum(luma[:3]) for luma in lumas], [sum(luma[-3:]) for luma in lumas]
    assert low[0] >= low[1] >= low[2]
    assert high[0] < high[1] < high[2]


@pytest.mark.parametrize(("subsampling", "code"), [("4:4:4", 0), ("4:2:2", 1), ("4:2:0", 2)])
def test_subsampling_is_read_back(subsampling, code):
    assert JpegImagePlugin.get_sampling(opened(subsampling=subsampling)) == code


def test_the_camera_stands_in_the_exif():
    exif = opened(camera="Redmi").getexif()
    assert (exif[ExifTags.Base.Make], exif[ExifTags.Base.Model]) == ("Redmi", "Redmi")


def test_lower_quality_makes_a_smaller_file():
    sizes = [len(encode(PIXELS, "standard", quality, "4:2:0", "Vivo")) for quality in (95, 75, 40)]
    assert sizes == sorted(sizes, reverse=True)
