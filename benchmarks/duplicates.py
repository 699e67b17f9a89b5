"""Which near-duplicates are reported: of different scenes none should be, of copies all.

`python -m benchmarks duplicates [FOLDER]` draws scenes plainer than the simulator's (a smooth background, one printed
code at a random place and angle), or takes the photos of a folder: two minutes. Detail and hash are compared with the
hash alone, as it was before.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from camerabias.analysis.design.duplicates import near_duplicates
from camerabias.datasets.inspection.metadata import COMPUTED, tell

N_SCENES, N_COPIED = 1000, 100
LETTERS = list("ABCDEFGHJKLMNPRSTUVWXYZ0123456789")


def scene(seed: int, one_backdrop: bool, side: int = 128) -> Image.Image:
    """A code of six letters on a smooth background, with noise."""
    generator = np.random.default_rng(seed)
    backdrop = np.random.default_rng(1) if one_backdrop else generator
    y, x = np.mgrid[:side, :side] / side
    angle, slope, wave = backdrop.uniform([0, 20, 0], [2 * np.pi, 60, 25])
    luma = 150 + slope * (np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5))
    luma += wave * np.cos(2 * np.pi * (x * backdrop.random() + y * backdrop.random()))
    printed = np.zeros((60, 140), np.uint8)
    text = "".join(generator.choice(LETTERS, 6))
    cv2.putText(printed, text, (4, 42), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 255, 3, cv2.LINE_AA)  # type: ignore[call-overload]
    scale, turn = generator.uniform(0.25, 0.6) * side / 140, generator.uniform(0, 360)
    place = cv2.getRotationMatrix2D((70, 30), turn, scale)
    place[:, 2] += generator.uniform(0.25, 0.75, 2) * side - np.array([70, 30])
    luma *= 1 - cv2.warpAffine(printed, place, (side, side)) / 255 * generator.uniform(0.4, 0.8)
    pixels = luma[..., None] * [1, 0.97, 0.92] + generator.normal(0, 2, (side, side, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def saved(photo: Image.Image, quality: int) -> bytes:
    """A JPEG's bytes."""
    stream = io.BytesIO()
    photo.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def scaled(factor: float) -> Callable[[Image.Image], bytes]:
    """A function that scales a photo and saves it."""
    return lambda photo: saved(
        photo.resize([round(side * factor) for side in photo.size], Image.Resampling.LANCZOS), 85
    )


COPIES: dict[str, Callable[[Image.Image], bytes]] = {
    **{
        f"quality {quality}": lambda photo, quality=quality: saved(photo, quality) for quality in (40, 60, 95)
    },
    **{f"scaled by {factor}": scaled(factor) for factor in (0.5, 0.7, 1.4, 2.0)},
    **{
        f"brightness × {factor}": lambda photo, factor=factor: saved(
            Image.eval(photo, lambda value: min(255, int(value * factor))), 90
        )
        for factor in (0.8, 1.2)
    },
}


def facts_of(contents: list[bytes]) -> pd.DataFrame:
    """Facts of photos that are all of one label and camera."""
    facts = pd.DataFrame([tell(content) for content in contents]).astype(COMPUTED)
    names = [f"i{number}" for number in range(len(facts))]
    return facts.assign(image_id=names, group=names, fold=0, split=None, label="a")


def reported(facts: pd.DataFrame) -> tuple[int, int]:
    """Photos that are reported by the hash alone, and by hash and detail."""
    return near_duplicates(facts.drop(columns="detail")).n_photos, near_duplicates(facts).n_photos


def rows(name: str, photos: list[Image.Image]) -> Iterator[str]:
    """Lines of the table for photos of one kind."""
    contents = [saved(photo, 92) for photo in photos]
    before, after = reported(facts_of(contents))
    yield f"| {name}: {len(photos)} different scenes | {before} | {after} |"
    for what, copy in COPIES.items():
        found = np.array(
            [
                reported(facts_of([content, copy(photo)]))
                for photo, content in list(zip(photos, contents, strict=True))[:N_COPIED]
            ]
        ).mean(axis=0)
        yield f"| {name}, {what} | {found[0] / 2:.0%} | {found[1] / 2:.0%} |"


def main(arguments: list[str]) -> None:
    """Print the table."""
    print("| photos | hash alone | hash and detail |\n|---|---|---|")
    if arguments:
        paths = sorted(Path(arguments[0]).rglob("*.jpg"))
        photos = [Image.open(path).convert("RGB") for path in paths[:: -(-len(paths) // N_SCENES)]]
        print(*rows(arguments[0], photos), sep="\n", flush=True)
        return
    for name, one_backdrop in (("backdrops", False), ("one backdrop", True)):
        seeds = range(10**6, 10**6 + N_SCENES)  # thresholds were chosen on scenes of other seeds
        print(*rows(name, [scene(seed, one_backdrop) for seed in seeds]), sep="\n", flush=True)
