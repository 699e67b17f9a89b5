"""DICOM, as pydicom itself writes it."""

import io
import sys

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from camerabias.datasets.ingest.admission import inspect_image, read_photo
from camerabias.datasets.ingest.create import import_dataset
from camerabias.datasets.io.decode import ImageError, decode
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.sources.registry import read_source

RAMP = np.arange(0, 4096, 16, dtype=np.uint16).reshape(16, 16)
"""Every brightness of twelve bits, from the darkest to nearly the brightest."""


def dicom(pixels, shades="MONOCHROME2", bits=12, syntax=ExplicitVRLittleEndian, **more):
    """A file of pixels (frames, height, width) or of one frame; uint8 (height, width, 3) is colour."""
    colour = pixels.ndim == 3 and pixels.shape[-1] == 3
    frames = pixels.shape[0] if pixels.ndim == 3 and not colour else None
    data, meta = Dataset(), FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = syntax, SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data.file_meta = meta
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Rows, data.Columns = pixels.shape[:2] if frames is None else pixels.shape[1:]
    data.SamplesPerPixel, data.PhotometricInterpretation = (3, "RGB") if colour else (1, shades)
    if colour:
        data.PlanarConfiguration = 0
    if frames is not None:
        data.NumberOfFrames = frames
    data.BitsAllocated = 8 * pixels.dtype.itemsize
    data.BitsStored = 8 if pixels.dtype == np.uint8 else bits
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes() if syntax is ExplicitVRLittleEndian else encapsulate([b"no such code"])
    for name, value in more.items():
        setattr(data, name, value)
    file = io.BytesIO()
    data.save_as(file, enforce_file_format=True)
    return file.getvalue()


def gray(content):
    """The one channel of a gray picture, whose three are the same."""
    pixels = decode(content)
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0].astype(int)


@pytest.mark.parametrize(
    ("values", "bits"),
    [
        (RAMP, 12),
        (np.linspace(0, 1499, 256).astype(np.uint16).reshape(16, 16), 16),  # as an MR is stored
        (np.linspace(-1000, 1499, 256).astype(np.int16).reshape(16, 16), 16),  # as a CT
    ],
)
@pytest.mark.parametrize("more", [{}, {"WindowCenter": None, "WindowWidth": None}, {"WindowCenter": 40}])
def test_without_a_window_all_values_are_seen_from_black_to_white(values, bits, more):
    content, low, high = dicom(values, bits=bits, **more), float(values.min()), float(values.max())
    np.testing.assert_array_equal(gray(content), np.round((values - low) / (high - low) * 255))
    assert inspect_image(content).odd["windowless"]


def test_files_without_a_window_are_counted_by_camera(tmp_path):
    for camera, window in (("x", {}), ("y", {"WindowCenter": 2048, "WindowWidth": 4096})):
        for label in ("a", "b"):
            (tmp_path / label / camera).mkdir(parents=True)
            more = {**window, "PatientID": label}
            (tmp_path / label / camera / "1.dcm").write_bytes(dicom(RAMP, **more))
    source = read_source(str(tmp_path))
    (note,) = import_dataset(source, Folder(tmp_path / "out"), LocalExecutor()).manifest.notes
    assert note.startswith(
        "DICOM files without a window are read from the smallest to the largest of their values"
    )
    assert "2 of 2 of 'x' (first: a/x/1.dcm). Give" in note


def test_one_value_without_a_window_is_black():
    assert (gray(dicom(np.full_like(RAMP, 700))) == 0).all()


def test_only_gray_without_a_window_is_said_to_be_so(noise):
    assert not inspect_image(dicom(RAMP, WindowCenter=2048, WindowWidth=1024)).odd
    assert not inspect_image(dicom(noise(12, 10))).odd


@pytest.mark.parametrize("window", [{}, {"WindowCenter": 2048, "WindowWidth": 1024}])
def test_an_empty_rescaling_is_none(window):
    empty = dicom(RAMP, RescaleSlope=None, RescaleIntercept=None, **window)
    np.testing.assert_array_equal(gray(empty), gray(dicom(RAMP, **window)))


def test_a_window_shows_what_it_spans():
    seen = gray(dicom(RAMP, WindowCenter=2048, WindowWidth=1024))
    assert (seen[RAMP <= 1520] == 0).all()
    assert (seen[RAMP >= 2560] == 255).all()
    middle = (RAMP > 1600) & (RAMP < 2500)
    np.testing.assert_allclose(seen[middle], (RAMP[middle] - 1536) / 1023 * 255, atol=1)


def test_a_window_is_of_rescaled_values_also_of_signed_ones():
    hounsfield = RAMP.astype(np.int16) - 2048
    plain = dicom(hounsfield, WindowCenter=40, WindowWidth=400)
    rescaled = dicom(RAMP, WindowCenter=40, WindowWidth=400, RescaleSlope=1, RescaleIntercept=-2048)
    np.testing.assert_array_equal(gray(plain), gray(rescaled))
    np.testing.assert_allclose(gray(plain)[hounsfield == 32], (32 - 39.5) / 399 * 255 + 127.5, atol=1)


def test_white_as_nought_is_turned_round():
    np.testing.assert_array_equal(gray(dicom(RAMP, "MONOCHROME1")), 255 - gray(dicom(RAMP)))


def test_colours_stay_as_they_are(noise):
    pixels = noise(12, 10)
    np.testing.assert_array_equal(decode(dicom(pixels)), pixels)


def test_of_several_frames_the_first_is_read_and_that_is_counted():
    content = dicom(np.stack([RAMP, RAMP[::-1], RAMP]))
    np.testing.assert_array_equal(gray(content), gray(dicom(RAMP)))
    assert inspect_image(content).pages == 3
    assert inspect_image(dicom(RAMP)).pages is None


def test_the_device_is_the_camera():
    facts = inspect_image(dicom(RAMP, Manufacturer="SIEMENS", ManufacturerModelName="Sensation 16"))
    assert (facts.exif_camera, facts.format, facts.width, facts.height) == (
        "SIEMENS Sensation 16",
        "DICOM",
        16,
        16,
    )
    assert inspect_image(dicom(RAMP)).exif_camera == "no EXIF"


def reason(content):
    with pytest.raises(ImageError) as caught:
        read_photo(lambda _: content, "a.dcm")
    return str(caught.value)


def test_compression_that_nobody_here_knows_is_named():
    assert "JPEG-LS" in reason(dicom(RAMP, syntax=JPEGLSLossless))


def test_what_is_damaged_of_a_compression_that_is_known_is_said_to_be():
    said = reason(dicom(RAMP, syntax=JPEGBaseline8Bit))
    assert "damaged or cut short" in said
    assert "gdcmconv" not in said


def test_without_the_extra_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    assert "pip install 'camerabias[dicom]'" in reason(dicom(RAMP))


def test_what_is_cut_short_is_said_to_be():
    assert "damaged or cut short" in reason(dicom(RAMP)[:-100])
