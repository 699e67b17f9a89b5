"""Which device took a photo, by the fixed pattern of its sensor; nothing is trained.

Pixels of a sensor differ in sensitivity, and keep their differences from photo to photo (Lukas, Fridrich and Goljan,
"Digital camera identification from sensor pattern noise", 2006). A photo's noise residual W is what a denoiser takes
away from its brightness I; the pattern K of a camera is estimated from its photos with maximum likelihood, as
ΣWI / ΣI² (Chen, Fridrich, Goljan and Lukas, "Determining image origin and integrity using sensor noise", 2008). A
photo is given to the camera whose K·I correlates best with its W, among the cameras that took its label at its size
in pixels, with patterns from photos of the other folds alone.

The pattern lies at pixels of the sensor: photos that were scaled, rotated or cropped at will do not show it.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import fft

from camerabias.datasets.dataset import Dataset, read_images
from camerabias.datasets.io.decode import decode_as_stored, stored_size
from camerabias.datasets.io.executor import Executor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import N_FOLDS

MIN_REFERENCES = 10
"""Photos of a camera at a size, whichever fold is excluded, from which its pattern is estimated."""

MIN_SIDE, MAX_SIDE = 64, 1024
"""Pixels: of a smaller photo nothing is said, of a larger one the central square is compared."""

NOISE = 2.0
"""Standard deviation, in gray levels, of what the denoiser takes for noise."""

SMOOTHING = 5
"""Side in pixels of the square whose mean a pixel is compared with."""

WINDOWS = (3, 5, 7, 9)
"""Sides of the squares in which energy is measured; the least counts, so that an edge costs few pixels around it."""

LATTICE = 8
"""Period in pixels of what is no pattern of a sensor: JPEG's blocks, and Bayer's mosaic, whose period divides it."""

CACHED_PATTERNS = 64
"""Patterns that a worker holds: 256 MiB at the largest, and all of five cameras in ten folds."""

SensorPlane = npt.NDArray[np.float32]

SENSOR = ["camera", "height", "width"]


@dataclass(frozen=True)
class _Photo:
    """A photo to match: `sensors` are the numbers of the cameras that may have taken it."""

    fold: int
    sensors: tuple[int, ...]


def match_patterns(
    dataset: Dataset, executor: Executor, report: Callable[[int, int], None] | None = None
) -> pd.DataFrame:
    """Recognise the cameras of a dataset's photos by the patterns of their sensors, out of fold.

    A photo is judged if its label was taken, at its size in pixels (as the sensor lay, before EXIF orientation), by
    at least two cameras whose patterns can be estimated. Which cameras come into question thus depends on label and
    size alone; whoever permutes cameras must do so within both, or sizes identify cameras.

    Args:
        dataset: The dataset; a folder for the patterns is made in it, and removed at the end.
        executor: Where the work runs.
        report: Called with (items done, items in all).

    Returns:
        A row per photo that can be judged, in the order of the index: image_id, label, camera, group, height, width
        (int, of the sensor), prediction (a camera), correlation (float, of its pattern and the photo's noise).
        `attrs["left_out"]` counts the other photos by reason, and is kept in Parquet.
    """
    photos = _with_sensor_sizes(dataset, executor)
    photos["left_out"] = _reasons(photos)
    judged = photos[photos["left_out"] == ""]
    patterns = dataset.folder.child(f"sensor_pattern-{uuid.uuid4().hex}")
    sensors = _sensors(photos, judged)
    jobs = list(_match_jobs(judged, list(sensors)))
    done, n_all = 0, len(sensors) + len(jobs)
    found: dict[str, dict[str, Any]] = {}
    try:
        write = partial(_write_patterns, dataset.folder, patterns)
        match = partial(_match_part, dataset.folder, patterns)
        for work, pieces in ((write, list(enumerate(sensors.values()))), (match, jobs)):
            for said in executor.map(work, pieces):
                found |= said
                done += 1
                if report:
                    report(done, n_all)
    finally:
        dataset.folder.delete_folder(patterns.path.rpartition("/")[2])
    return _matches(photos, found, [camera for camera, *_ in sensors])


# --- which photos, which cameras --------------------------------------------------------------------------


def _with_sensor_sizes(dataset: Dataset, executor: Executor) -> pd.DataFrame:
    """The index, with height and width of the pixels as stored."""
    sizes: dict[str, tuple[int, int]] = {}
    parts = [part.name for part in dataset.manifest.parts]
    for said in executor.map(partial(_read_sizes, dataset.folder), parts):
        sizes |= said
    photos = dataset.index[["image_id", "label", "camera", "group", "fold", "part"]].copy()
    photos[["height", "width"]] = [sizes[image_id] for image_id in photos["image_id"]]
    return photos


def _read_sizes(dataset: Folder, part: str) -> dict[str, Any]:
    return {image_id: stored_size(content) for image_id, content in read_images(dataset, part)}


def _reasons(photos: pd.DataFrame) -> pd.Series[str]:
    """Why a photo cannot be judged; empty where it can."""
    by_sensor = photos.groupby([*SENSOR, "fold"])["image_id"].transform("size")
    largest_fold = by_sensor.groupby([photos[name] for name in SENSOR]).transform("max")
    left = photos.groupby(SENSOR)["image_id"].transform("size") - largest_fold
    large = photos[["height", "width"]].min(axis=1) >= MIN_SIDE
    known = large & (left >= MIN_REFERENCES)
    rivals = photos[known].groupby(["label", "height", "width"])["camera"].transform("nunique")
    reasons = pd.Series("", index=photos.index)
    reasons[rivals.index[rivals < 2]] = "no second camera with as many took its label at its size"
    reasons[~known] = f"fewer than {MIN_REFERENCES} other photos by its camera at its size in pixels"
    reasons[~large] = f"smaller than {MIN_SIDE} × {MIN_SIDE} pixels"
    return reasons


def _sensors(photos: pd.DataFrame, judged: pd.DataFrame) -> dict[tuple[Any, ...], pd.DataFrame]:
    """By camera, height and width: all photos of those that come into question, of whatever label."""
    wanted = photos.merge(judged[SENSOR].drop_duplicates(), on=SENSOR)
    return {sensor: rows[["image_id", "part", "fold"]] for sensor, rows in wanted.groupby(SENSOR)}


def _match_jobs(
    judged: pd.DataFrame, sensors: list[tuple[Any, ...]]
) -> Iterator[tuple[str, dict[str, _Photo]]]:
    """(part, its photos by image_id), for the parts that hold some."""
    number = {sensor: n for n, sensor in enumerate(sensors)}
    rivals = judged.groupby(["label", "height", "width"])["camera"].agg(lambda cameras: sorted(set(cameras)))
    for part, rows in judged.groupby("part"):
        photos = {}
        for image_id, fold, label, *size in rows[["image_id", "fold", "label", "height", "width"]].to_numpy():
            numbers = tuple(number[camera, *size] for camera in rivals.loc[(label, *size)])
            photos[image_id] = _Photo(fold, numbers)
        yield str(part), photos


def _matches(photos: pd.DataFrame, found: dict[str, dict[str, Any]], cameras: list[str]) -> pd.DataFrame:
    """The frame of `match_patterns`."""
    photos["correlation"] = [found.get(i, {}).get("correlation", np.nan) for i in photos["image_id"]]
    blank = (photos["left_out"] == "") & photos["correlation"].isna()
    photos.loc[blank, "left_out"] = "without noise, as blank or overexposed photos are"
    rows = photos[photos["left_out"] == ""].drop(columns=["fold", "part", "left_out"]).reset_index(drop=True)
    predictions = [cameras[found[i]["sensor"]] for i in rows["image_id"]]
    rows.insert(len(rows.columns) - 1, "prediction", pd.Series(predictions, dtype=rows["camera"].dtype))
    rows.attrs["left_out"] = photos["left_out"][photos["left_out"] != ""].value_counts().to_dict()
    return rows


# --- the two passes ---------------------------------------------------------------------------------------


def _write_patterns(dataset: Folder, patterns: Folder, piece: tuple[int, pd.DataFrame]) -> dict[str, Any]:
    """Estimate a camera's pattern without each of the folds."""
    number, photos = piece
    folds = dict(zip(photos["image_id"], photos["fold"], strict=True))
    sums: npt.NDArray[np.float32] | None = None
    for image_id, brightness in _read_brightness(dataset, photos["part"].unique(), folds):
        if sums is None:
            sums = np.zeros((2, N_FOLDS, *brightness.shape), np.float32)
        sums[0, folds[image_id]] += noise_residual(brightness) * brightness
        sums[1, folds[image_id]] += brightness**2
    assert sums is not None, "a camera without photos"
    for fold in range(N_FOLDS):
        # added up anew: a difference from the sum of all would keep a rounded trace of what it should leave out
        products, squares = np.delete(sums, fold, axis=1).sum(axis=1)
        pattern = without_artefacts(products / np.maximum(squares, 1))
        _write_plane(patterns, f"{number}-{fold}.npy", pattern / max(pattern.std(), 1e-12))
    return {}


def _match_part(dataset: Folder, patterns: Folder, piece: tuple[str, dict[str, _Photo]]) -> dict[str, Any]:
    """By image_id, the number of the camera whose pattern fits best, and how well."""
    part, photos = piece
    pattern = lru_cache(CACHED_PATTERNS)(partial(_read_plane, patterns))
    found: dict[str, Any] = {}
    for image_id, brightness in _read_brightness(dataset, [part], photos):
        photo = photos[image_id]
        noise = without_artefacts(noise_residual(brightness))
        fits = [
            correlate(noise, pattern(f"{number}-{photo.fold}.npy") * brightness) for number in photo.sensors
        ]
        best = int(np.argmax(fits))
        found[image_id] = {"sensor": photo.sensors[best], "correlation": fits[best]}
    return found


def _read_brightness(
    dataset: Folder, parts: Iterable[str], wanted: Iterable[str]
) -> Iterator[tuple[str, SensorPlane]]:
    cv2.setNumThreads(1)  # the pieces run side by side already
    ids = set(wanted)
    for part in parts:
        for image_id, content in read_images(dataset, part):
            if image_id in ids:
                pixels = _centre(decode_as_stored(content))
                yield image_id, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _centre(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The central rectangle of at most `MAX_SIDE` pixels, whole lattices high and wide."""
    height, width = (min(side // LATTICE * LATTICE, MAX_SIDE) for side in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]


def _write_plane(folder: Folder, name: str, plane: SensorPlane) -> None:
    content = io.BytesIO()
    np.save(content, plane.astype(np.float16))  # of unit deviation, and noisier than its rounding
    folder.write_bytes(name, content.getvalue())


def _read_plane(folder: Folder, name: str) -> SensorPlane:
    return np.asarray(np.load(io.BytesIO(folder.read_bytes(name))), dtype=np.float32)


# --- the signal -------------------------------------------------------------------------------------------


def noise_residual(brightness: SensorPlane) -> SensorPlane:
    """What a local Wiener filter takes away from a picture: its noise, with little of its edges.

    Args:
        brightness: float32 (height, width), gray levels from 0 to 255.

    Returns:
        float32, the same shape.
    """
    detail = brightness - cv2.blur(brightness, (SMOOTHING, SMOOTHING))
    return np.asarray(detail * _noise_share(detail, NOISE**2), np.float32)


def without_artefacts(pattern: SensorPlane) -> SensorPlane:
    """Remove what cameras of one model share: lines, lattices of JPEG and demosaicing, peaks of the spectrum.

    Rows and columns of each lattice get zero mean, and a Wiener filter flattens the spectrum (Chen et al. 2008).

    Args:
        pattern: float32 (height, width), multiples of `LATTICE`.

    Returns:
        float32, the same shape.
    """
    height, width = pattern.shape
    lattices = pattern.reshape(height // LATTICE, LATTICE, width // LATTICE, LATTICE)
    lattices = lattices - lattices.mean(axis=0, keepdims=True)
    lattices = lattices - lattices.mean(axis=2, keepdims=True)
    plane = lattices.reshape(height, width)
    spectrum = fft.rfft2(plane, norm="ortho")
    spectrum *= _noise_share(np.abs(spectrum), max(float(plane.var()), 1e-12))
    return np.asarray(fft.irfft2(spectrum, plane.shape, norm="ortho"), np.float32)


def _noise_share(values: SensorPlane, variance: float) -> SensorPlane:
    """The share of each value that is noise of that variance, by the energy around it.

    Mihcak, Kozintsev and Ramchandran, "Spatially adaptive statistical modeling of wavelet image coefficients and its
    application to denoising", 1999.
    """
    energy = values**2
    least = np.minimum.reduce([cv2.blur(energy, (side, side)) for side in WINDOWS])
    return np.asarray(variance / np.maximum(least, variance), np.float32)


def correlate(first: SensorPlane, second: SensorPlane) -> float:
    """Normalised cross-correlation of two float32 arrays of one shape; NaN if one of them is constant."""
    one, other = (plane - plane.mean() for plane in (first, second))
    scale = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.vdot(one, other)) / scale if scale > 0 else float("nan")
