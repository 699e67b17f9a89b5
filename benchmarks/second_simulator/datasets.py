"""Datasets by number: what is planted in each, its cameras, its photos, its file and its digest."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from .camera import Camera, Design, expose, mosaic_of, read_out, scene_size
from .demosaicing import DEMOSAICING
from .processing import ANNEX_K, SHAPES, Treatment, develop, encode_jpeg, sense
from .scenes import FAMILIES, KINDS, Array, Rng, render

SEED = 20261129
SMALL, LARGE = (64, 96, 128), (192, 256, 384)
Changes = Callable[[Camera, float, Array, Rng], dict[str, Any]]


def _step(words: list[str], strength: float, position: float) -> str:
    """A word of a list, further from its first the stronger: position -1 to 1 spans the first ones."""
    last = max(1, round(strength * (len(words) - 1)))
    return words[round((position + 1) / 2 * last)]


def _white_balance(camera: Camera, strength: float, at: Array, rng: Rng) -> dict[str, Any]:
    return {
        "red_gain": 0.22 * strength * at[0],
        "blue_gain": 0.22 * strength * at[1],
        "saturation": camera.saturation * (1 + 0.3 * strength * at[2]),
        "hue": 8 * strength * at[3],
    }


def _noise(camera: Camera, strength: float, at: Array, rng: Rng) -> dict[str, Any]:
    """Up to 2.5 stops of sensitivity either way, and twice or half the read noise."""
    return {
        "full_well": camera.full_well * 2 ** (2.5 * strength * at[0]),
        "read_noise": camera.read_noise * 2 ** (strength * at[1]),
    }


def _sensor_pattern(camera: Camera, strength: float, at: Array, rng: Rng) -> dict[str, Any]:
    return {
        "pattern_seed": int(rng.integers(1 << 31)),
        "pixel_gain": camera.pixel_gain + 0.04 * strength * rng.uniform(0.6, 1),
        "hot_pixels": 0.002 * strength * rng.uniform(0, 1),
        "column_offset": 0.004 * strength * rng.uniform(0, 1),
    }


def _jpeg(camera: Camera, strength: float, at: Array, rng: Rng) -> dict[str, Any]:
    """Up to 20 steps of quality either way; strong ones also differ in tables and chroma."""
    changes: dict[str, Any] = {
        "quality": int(np.clip(np.rint(camera.quality + 20 * strength * at[0]), 40, 98))
    }
    if strength > 0.45:
        changes["tables"] = _step([ANNEX_K, *SHAPES], strength, at[1])
    if strength > 0.3:
        changes["subsampling"] = _step(["4:2:0", "4:2:2", "4:4:4"], strength, at[2])
    return changes


def _treatment_in_camera(camera: Camera, strength: float, at: Array, rng: Rng) -> dict[str, Any]:
    share = strength * (at + 1) / 2
    return {
        "denoise": camera.denoise * (1 + 4 * share[0]),
        "chroma_blur": camera.chroma_blur + 1.2 * share[1],
        "sharpen": camera.sharpen + 1.3 * share[2],
        "sharpen_radius": camera.sharpen_radius * (1 + 0.5 * strength * at[3]),
    }


def _blur(camera: Camera, strength: float, at: Array, rng: Rng) -> dict[str, Any]:
    return {"blur": camera.blur + 0.5 * strength * (at[0] + 1)}


def _vignetting(camera: Camera, strength: float, at: Array, rng: Rng) -> dict[str, Any]:
    return {"vignetting": camera.vignetting + 0.25 * strength * (at[0] + 1)}


def _geometry(camera: Camera, strength: float, at: Array, rng: Rng) -> dict[str, Any]:
    return {"distortion": camera.distortion + 0.08 * strength * at[0]}


def _demosaicing(camera: Camera, strength: float, at: Array, rng: Rng) -> dict[str, Any]:
    return {"demosaicing": _step(list(DEMOSAICING), strength, at[0])}


def _aberration(camera: Camera, strength: float, at: Array, rng: Rng) -> dict[str, Any]:
    return {"red_shift": 1.5 * strength * at[0], "blue_shift": 1.5 * strength * at[1]}


def _tone(camera: Camera, strength: float, at: Array, rng: Rng) -> dict[str, Any]:
    return {
        "gamma": camera.gamma * np.exp(0.25 * strength * at[0]),
        "contrast": camera.contrast + 0.4 * strength * at[1],
    }


CUES: dict[str, Changes] = {
    "white balance": _white_balance,
    "noise": _noise,
    "sensor pattern": _sensor_pattern,
    "jpeg": _jpeg,
    "denoising, sharpening": _treatment_in_camera,
    "blur": _blur,
    "vignetting": _vignetting,
    "geometry": _geometry,
    "demosaicing": _demosaicing,
    "chromatic aberration": _aberration,
    "tone": _tone,
}
OF_COLOUR = (
    "white balance",
    "demosaicing",
    "chromatic aberration",
)  # what a sensor without colours does not have
GREY = "xray"  # the family whose photos have one channel
MANY = 3
COUNTS = (
    1,
    MANY,
    0,
    2,
    1,
    0,
    1,
    2,
)  # how many cues each eleven datasets have; each of the eleven begins with another


@dataclass(frozen=True)
class Plan:
    """A dataset before its photos: what `truth` says of it, and who took which."""

    number: int
    family: str
    contents: dict[str, tuple[str, int]]  # label: family and kind of its scenes
    planted: dict[str, float]
    cameras: dict[str, Camera]
    design: Design
    treatment: Treatment
    width: int
    height: int
    labels: list[str]  # of each photo
    taken_by: list[str]  # of each photo

    def truth(self) -> dict[str, Any]:
        """What the file says of itself."""
        return {
            "number": self.number,
            "family": self.family,
            "planted": self.planted,
            "cameras": {name: asdict(camera) for name, camera in self.cameras.items()},
            "size": [self.width, self.height],
            "treatment": asdict(self.treatment),
            "contents": self.contents,
            "design": asdict(self.design),
        }


def _basis(rng: Rng) -> Camera:
    """The camera that all of a dataset's are alike, but for what is planted."""
    full_well = float(np.exp(rng.uniform(np.log(800), np.log(12000))))
    return Camera(
        red_gain=0.0,
        blue_gain=0.0,
        saturation=float(rng.uniform(0.9, 1.15)),
        hue=0.0,
        full_well=full_well,
        read_noise=float(rng.uniform(2, 8)),
        pattern_seed=int(rng.integers(1 << 31)),
        pixel_gain=0.003,
        hot_pixels=0.0,
        column_offset=0.0,
        quality=int(rng.integers(68, 93)),
        tables=ANNEX_K,
        subsampling="4:2:0",
        denoise=float(rng.uniform(0.3, 1.0) * 0.5 * full_well**-0.5),
        chroma_blur=float(rng.uniform(0.3, 0.9)),
        sharpen=float(rng.uniform(0.1, 0.5)),
        sharpen_radius=float(rng.uniform(0.8, 1.4)),
        blur=float(rng.uniform(0.35, 0.6)),
        vignetting=float(rng.uniform(0.02, 0.15)),
        distortion=float(rng.uniform(-0.02, 0.02)),
        demosaicing=str(rng.choice(list(DEMOSAICING))),
        red_shift=0.0,
        blue_shift=0.0,
        gamma=float(rng.uniform(0.9, 1.1)),
        contrast=float(rng.uniform(0.1, 0.4)),
    )


def _first(number: int) -> str:
    """The cue that a dataset begins with, where it has any."""
    return list(CUES)[number % len(CUES)]


def _planted(rng: Rng, number: int, colour: bool) -> dict[str, float]:
    """Cues and their strengths: none, one, two or more of those that the sensor has."""
    possible = [str(cue) for cue in rng.permutation([cue for cue in CUES if colour or cue not in OF_COLOUR])]
    count = COUNTS[number // len(CUES) % len(COUNTS)]
    if count == MANY:
        count = int(rng.integers(MANY, len(possible) + 1))
    names = sorted(possible, key=lambda cue: cue != _first(number))[:count]
    return {cue: round(float(np.exp(rng.uniform(np.log(0.1), 0))), 4) for cue in names}


def with_cue(camera: Camera, cue: str, strength: float, at: Array, rng: Rng) -> Camera:
    """A camera with a cue of a strength of 0 to 1, at four places (-1 to 1) of the range of its parameters."""
    changes = CUES[cue](camera, strength, at, rng)
    plain = {key: value.item() if isinstance(value, np.generic) else value for key, value in changes.items()}
    return replace(camera, **plain)


def _cameras(rng: Rng, planted: dict[str, float]) -> dict[str, Camera]:
    """Two to five cameras; each cue spreads them over its range in an order of its own."""
    names = [f"camera-{at}" for at in range(int(rng.integers(2, 6)))]
    cameras = dict.fromkeys(names, _basis(rng))
    for cue, strength in planted.items():
        spread = np.linspace(-0.9, 0.9, len(names))
        places = np.stack([rng.permutation(spread) for _ in range(4)], 1) + rng.uniform(
            -0.1, 0.1, (len(names), 4)
        )
        for name, at in zip(names, places, strict=True):
            cameras[name] = with_cue(cameras[name], cue, strength, at, rng)
    return cameras


def _size(rng: Rng) -> tuple[int, int]:
    """Width and height: three in five are small, two in five not square."""
    sides = list(SMALL + LARGE)
    at = int(rng.choice(6, p=[0.15, 0.2, 0.25, 0.23, 0.12, 0.05]))
    other = at if rng.random() < 0.6 else max(0, at - 1)
    return (sides[at], sides[other]) if rng.random() < 0.7 else (sides[other], sides[at])


def _treatment(rng: Rng) -> Treatment:
    """Nothing in two datasets of three."""
    kind = int(rng.integers(12))
    quality = int(rng.integers(65, 95))
    if kind == 0:
        return Treatment(float(rng.choice([1.25, 1.5])), "JPEG", quality)
    return Treatment(1.0, {1: "JPEG", 2: "WEBP", 3: "PNG"}.get(kind, ""), quality)


def _contents(rng: Rng, number: int) -> tuple[str, dict[str, tuple[str, int]]]:
    """The family of a dataset, and of each label its family and kind; grey ones never begin with a cue of colour."""
    families = [name for name in (*FAMILIES, "mix") if name != GREY or _first(number) not in OF_COLOUR]
    family = str(rng.choice(families))
    count = int(rng.integers(2, 5))
    kinds = rng.permutation(KINDS)[:count].tolist()
    if family != "mix":
        return family, {f"{family}-{kind}": (family, kind) for kind in kinds}
    chosen = rng.permutation([name for name in FAMILIES if name != GREY])[:count].tolist()
    return family, {f"{name}-{kind}": (name, kind) for name, kind in zip(chosen, kinds, strict=True)}


def _who_took_what(rng: Rng, labels: list[str], cameras: list[str], most: int) -> tuple[list[str], list[str]]:
    """Label and camera of each photo; in two datasets of five the camera depends on the label a little."""
    count = int(120 + (most - 120) * rng.random() ** 1.5)
    association = rng.uniform(0, 0.4) if rng.random() < 0.4 else 0.0
    weights = rng.dirichlet(np.full(len(cameras), 60.0))
    label = rng.permutation(np.arange(count) % len(labels))
    camera = np.where(
        rng.random(count) < association, label % len(cameras), rng.choice(len(cameras), count, p=weights)
    )
    return [labels[at] for at in label], [cameras[at] for at in camera]


def plan(number: int) -> Plan:
    """The dataset of a number."""
    rng = np.random.default_rng([SEED, number])
    family, contents = _contents(rng, number)
    colour = family != GREY
    planted = _planted(rng, number, colour)
    cameras = _cameras(rng, planted)
    width, height = _size(rng)
    bits = int(rng.choice([10, 12, 14]))
    design = Design(bits, 1 << (bits - 4), colour, bool(rng.random() < 0.3), bool(rng.random() < 0.5))
    most = 400 if width * height <= 96 * 96 else 280 if width * height <= 128 * 128 else 140
    labels, taken_by = _who_took_what(rng, list(contents), list(cameras), most)
    treatment = _treatment(rng)
    return Plan(
        number, family, contents, planted, cameras, design, treatment, width, height, labels, taken_by
    )


def photo(made: Plan, at: int, camera: Camera) -> bytes:
    """The file of a photo: of scene `at`, by any camera."""
    height, width = (2 * round(side * made.treatment.resized / 2) for side in (made.height, made.width))
    rng = np.random.default_rng([SEED, made.number, 1, at])
    scene = render(rng, *made.contents[made.labels[at]], *scene_size(height, width))
    illuminant = np.exp([rng.normal(0, 0.15), 0, rng.normal(0, 0.15)]) if made.design.colour else np.ones(3)
    estimate = illuminant * np.exp(rng.normal(0, 0.04, 3))
    light = expose(scene, camera, made.design, float(np.exp(rng.normal(0, 0.1))), height, width)
    seen = mosaic_of(sense(light, illuminant)) if made.design.colour else light[..., 1]
    pixels = develop(read_out(seen, camera, made.design, rng), camera, made.design, estimate)
    taken = encode_jpeg(pixels, camera.quality, camera.tables, camera.subsampling, made.design.colour)
    return made.treatment.of(taken, made.width, made.height)


def make(number: int) -> pa.Table:
    """The dataset of a number: image_id, label, camera, group and bytes, a row per photo, with its `truth`."""
    made = plan(number)
    photos = [photo(made, at, made.cameras[name]) for at, name in enumerate(made.taken_by)]
    table = pa.table(
        {
            "image_id": [f"{number:03d}-{at:04d}" for at in range(len(photos))],
            "label": made.labels,
            "camera": made.taken_by,
            "group": [f"scene-{at:04d}" for at in range(len(photos))],
            "bytes": pa.array(photos, pa.binary()),
        }
    )
    return table.replace_schema_metadata({"truth": json.dumps(made.truth(), sort_keys=True)})


def digest(path: Path) -> str:
    """SHA-256 of a dataset's truth, words and decoded pixels, whatever wrote the file around them."""
    table = pq.read_table(path)
    found = hashlib.sha256(json.dumps(json.loads(table.schema.metadata[b"truth"]), sort_keys=True).encode())
    for row in table.to_pylist():
        pixels = np.asarray(Image.open(io.BytesIO(row.pop("bytes"))))
        found.update(json.dumps([row, pixels.shape], sort_keys=True).encode() + pixels.tobytes())
    return found.hexdigest()
