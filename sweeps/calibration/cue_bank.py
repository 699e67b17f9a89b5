"""A bank of drawn cameras and the pixel statistics of their photos, from which datasets of known cues are dealt.

A base is a camera, its variants that differ from it in chosen cues alone, scenes of one kind, a size, and what was
done to all of its photos later. Only the statistics of its photos are kept: thousands of datasets are then dealt from
a few hundred bases in seconds, where each took seconds to simulate.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from camerabias.datasets.cues.names import CUES
from camerabias.datasets.io.decode import decode
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.pixels.registry import measure_pixels
from camerabias.datasets.simulator import LABELS
from camerabias.datasets.simulator.cameras import Camera
from camerabias.datasets.simulator.compression import encode
from camerabias.datasets.simulator.optics import Pose
from camerabias.datasets.simulator.photo import draw_pose, photograph
from camerabias.datasets.simulator.sensor import draw_device
from camerabias.sweeps.calibration.drawn_cameras import draw_camera, vary
from camerabias.sweeps.calibration.scenes import SCENES, Pictures, Scenes

JUDGED, BASES = 200, 900
"""Bases that judge, which come first and are not fitted to, and bases of the bank."""

OF_BASE, OF_VARIANT = 64, 24
"""Photos of the base camera, and of each variant, of a base that judges; every photo shows a scene of its own."""

SHARED = 20
"""Scenes of a base that is fitted to. Each of its cameras takes all of them, so that what a cue does to a number is
known far better than from as many photos of different scenes."""

ALONE, AGAIN, SEVERAL = 8, 2, 4
"""Variants in one cue of as many cues, further ones in some of these cues, and variants in two cues or more."""

ROLLED = 5
"""Cues by which every base begins after the one before it: every cue comes up as often."""

WEAKEST = 0.15
"""Of the strengths of variants."""

SIZES = (64, 128, 96, 64, 192, 128, 64, 256, 96)
"""Sides of photos in pixels, dealt to bases in turn."""

STILL = Pose(shift=(0.0, 0.0), rotation=0.0, scale=1.0, exposure=1.0)


@dataclass(frozen=True)
class DrawnCamera:
    """A camera of a base.

    Attributes:
        camera: Its parameters.
        planted: Strength by cue in which it differs from the base camera.
    """

    camera: Camera
    planted: dict[str, float]


@dataclass(frozen=True)
class Treatment:
    """What was done to all photos of a base after the cameras.

    Attributes:
        scale: To which share of their side they were scaled down.
        quality: Of the JPEG that they were saved as again; None for PNG.
    """

    scale: float
    quality: int | None

    @property
    def words(self) -> str:
        """What it is, as it stands in tables."""
        scaled = ["scaled down"] if self.scale < 1 else []
        return " and ".join([*scaled, "saved as PNG" if self.quality is None else "saved as JPEG"])


def base_file(number: int) -> str:
    """Name of a base's file in the bank."""
    return f"base-{number:03d}.parquet"


def make_base(bank: Folder, number: int, pictures: Pictures) -> None:
    """Simulate the photos of a base, measure them and write its file.

    Its columns: variant, label, and the pixel statistics; its metadata hold what is planted in each variant,
    the size of photos, what they show, and what was done to them later.

    Args:
        bank: Where the file goes.
        number: Of the base.
        pictures: Real photos, which scenes show as well.
    """
    cv2.setNumThreads(1)
    generator = np.random.default_rng([1, number])
    variants = _draw_variants(number, generator)
    size, kind = SIZES[number % len(SIZES)], SCENES[number // len(SIZES) % len(SCENES)]
    scenes = Scenes(kind, size, pictures)
    treatment = _draw_treatment(generator)
    rows = []
    for n, variant in enumerate(variants):
        for photo in range(_photos(number, n)):
            label = LABELS[photo % len(LABELS)]
            content = _shoot(variant.camera, (number, n, photo), label, scenes)
            numbers = measure_pixels(_treated(content, treatment))
            rows.append({"variant": n, "label": label, **numbers})
    about = {
        "planted": [variant.planted for variant in variants],
        "size": size,
        "scenes": kind,
        "treatment": treatment.words if treatment else "",
    }
    table = pa.Table.from_pandas(pd.DataFrame(rows), preserve_index=False)
    with bank.replacing(base_file(number)) as stream:
        pq.write_table(table.replace_schema_metadata({"base": json.dumps(about)}), stream)


def _photos(number: int, variant: int) -> int:
    if number >= JUDGED:
        return SHARED
    return OF_VARIANT if variant else OF_BASE


def _draw_variants(number: int, generator: np.random.Generator) -> list[DrawnCamera]:
    base = draw_camera(generator)
    names = [str(name) for name in np.roll(list(CUES), ROLLED * number)][:ALONE]
    alone = [[name] for name in names + names[:AGAIN]]
    several = [
        [str(name) for name in generator.permutation(list(CUES))[: 2 + int(generator.geometric(0.35)) - 1]]
        for _ in range(SEVERAL)
    ]
    found = [DrawnCamera(base, {})]
    for cues in alone + several:
        strengths = {cue: float(generator.uniform(WEAKEST, 1)) for cue in cues}
        camera = base
        for cue, strength in strengths.items():
            camera = vary(camera, [cue], strength, generator)
        found.append(DrawnCamera(camera, strengths))
    return found


def _draw_treatment(generator: np.random.Generator) -> Treatment | None:
    if generator.random() < 0.6:
        return None
    scale = float(generator.choice([1.0, generator.uniform(0.5, 0.95)]))
    quality = None if generator.random() < 0.3 else int(generator.integers(70, 97))
    return Treatment(scale, quality)


def _shoot(camera: Camera, key: tuple[int, int, int], label: str, scenes: Scenes) -> bytes:
    number, variant, photo = key
    generator = np.random.default_rng([2, *key] if number < JUDGED else [2, number, photo])
    canvas, pose = scenes.draw(label, generator), draw_pose(STILL, generator)
    noise = generator if number < JUDGED else np.random.default_rng([4, *key])
    device = draw_device(number, variant, scenes.size)
    pixels, _ = photograph(canvas, pose, camera, device, scenes.size, noise)
    return encode(pixels, camera.jpeg_tables, camera.jpeg_quality, camera.jpeg_subsampling, "drawn")


def _treated(content: bytes, treatment: Treatment | None) -> bytes:
    if treatment is None:
        return content
    pixels = decode(content)
    side = round(len(pixels) * treatment.scale)
    if side < len(pixels):
        pixels = np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    stream = io.BytesIO()
    if treatment.quality is None:
        Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    else:
        Image.fromarray(pixels).save(stream, "JPEG", quality=treatment.quality)
    return stream.getvalue()
