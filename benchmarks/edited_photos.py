"""Which cue is named of real photos that other software has edited: one known step, on half of them.

    python -m benchmarks edited_photos LINES FOLDER ...

Half of the photos of a FOLDER pass through ImageMagick's `convert` or RawTherapee's `rawtherapee-cli` as they are,
the others with one step more, so that the step is all that tells the two cameras apart. A line per dataset is added
to LINES, as `cue_naming tables` reads them. Both programs must be installed.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.cue_naming import describe
from camerabias.analysis.calibration.cues import CueLine
from camerabias.analysis.calibration.lines import append_documents
from camerabias.datasets.pixels.registry import measure_pixels

PHOTOS, NULLS, QUALITY = 160, 3, 92
"""Photos of a dataset; datasets without a step, per folder and program; quality of JPEG, where it is not the step."""

WEAK, STRONG = 0.25, 0.75
"""How steps stand among strengths; no unit of the simulators."""

STEPS: dict[str, dict[str, tuple[str, str]]] = {
    "ImageMagick": {
        "white balance": (
            "-channel R -evaluate multiply 1.04 -channel B -evaluate multiply 0.96 +channel",
            "-channel R -evaluate multiply 1.15 -channel B -evaluate multiply 0.87 +channel",
        ),
        "noise": ("-attenuate 0.05 +noise Gaussian", "-attenuate 0.3 +noise Gaussian"),
        "blur": ("-gaussian-blur 0x0.5", "-gaussian-blur 0x1"),
        "denoising, sharpening": ("-unsharp 0x1+0.4+0", "-unsharp 0x1+1.5+0"),
        "tone": ("-sigmoidal-contrast 1.5x50%", "-sigmoidal-contrast 4x50%"),
        "chromatic aberration": (
            "-virtual-pixel edge -channel R -distort SRT 1.002,0 +channel",
            "-virtual-pixel edge -channel R -distort SRT 1.006,0 +channel",
        ),
        "geometry": (
            "-virtual-pixel edge -distort barrel 0,0,0.01,0.99",
            "-virtual-pixel edge -distort barrel 0,0,0.04,0.96",
        ),
        "jpeg": ("-quality 80", "-quality 50"),
    },
    "RawTherapee": {
        "white balance": (
            "[Channel Mixer]\nEnabled=true\nRed=1040;0;0;\nGreen=0;1000;0;\nBlue=0;0;960;\n",
            "[Channel Mixer]\nEnabled=true\nRed=1150;0;0;\nGreen=0;1000;0;\nBlue=0;0;870;\n",
        ),
        "denoising, sharpening": (
            "[Sharpening]\nEnabled=true\nMethod=usm\nRadius=0.6\nAmount=80\n",
            "[Sharpening]\nEnabled=true\nMethod=usm\nRadius=0.8\nAmount=300\n",
        ),
        "tone": ("[Exposure]\nContrast=15\n", "[Exposure]\nContrast=50\n"),
        "vignetting": (
            "[Vignetting Correction]\nAmount=-25\nRadius=50\nStrength=1\n",
            "[Vignetting Correction]\nAmount=-70\nRadius=50\nStrength=1\n",
        ),
        "chromatic aberration": (
            "[CACorrection]\nRed=0.002\nBlue=-0.002\n",
            "[CACorrection]\nRed=0.004\nBlue=-0.004\n",
        ),
        "geometry": ("[Distortion]\nAmount=0.03\n", "[Distortion]\nAmount=0.12\n"),
        "jpeg": ("quality 80", "quality 50"),
    },
}
"""By program and cue, a weak step and a strong one: as much as somebody who edits photos might take."""


@dataclass(frozen=True)
class Edit:
    """What one program does to half of the photos; nothing where `cue` is empty."""

    program: str
    cue: str = ""
    strength: float = 0.0
    step: str = ""


def edits() -> Iterator[Edit]:
    """All steps, and for each program some datasets without one."""
    for program, steps in STEPS.items():
        for cue, both in steps.items():
            for strength, step in zip((WEAK, STRONG), both, strict=True):
                yield Edit(program, cue, strength, step)
        yield from [Edit(program)] * NULLS


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lines", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    options = parser.parse_args(arguments)
    for folder in options.folders:
        for number, edit in enumerate(edits()):
            line = judge(folder, number, edit)
            append_documents(options.lines, [line])
            told = f"{line.probabilities[line.ranked[0]]:.2f}"
            print(f"{folder.name}: {edit.program} {line.planted}: {line.ranked[0]} {told}", flush=True)


def judge(folder: Path, number: int, edit: Edit) -> CueLine:
    """Edit half of some photos of a folder, and name the cue in which the halves differ."""
    photos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    chosen = np.random.default_rng([number, len(photos)]).permutation(len(photos))[:PHOTOS]
    halves = [[photos[n] for n in chosen[k::2]] for k in range(2)]
    rows = []
    for camera, half, one in (("as it was", halves[0], Edit(edit.program)), ("edited", halves[1], edit)):
        with tempfile.TemporaryDirectory() as scratch:
            for path in edited(half, one, Path(scratch)):
                rows.append({**measure_pixels(path.read_bytes()), "label": "photo", "camera": camera})
    about: dict[str, object] = {"size": short_side(photos[0]), "scenes": folder.name, "treatment": ""}
    planted = {edit.cue: edit.strength} if edit.cue else {}
    return describe(edit.program, number, pd.DataFrame(rows), planted, about)


def short_side(path: Path) -> int:
    from PIL import Image

    return min(Image.open(path).size)


def edited(photos: Sequence[Path], edit: Edit, out: Path) -> list[Path]:
    """Photos as one program saves them after a step."""
    program = {"ImageMagick": _by_imagemagick, "RawTherapee": _by_rawtherapee}[edit.program]
    program(photos, edit, out)
    found = sorted(out.glob("*.jpg"))
    assert len(found) == len(photos), f"{edit} left out photos"
    return found


def _by_imagemagick(photos: Sequence[Path], edit: Edit, out: Path) -> None:
    for n, path in enumerate(photos):
        options = ["-quality", str(QUALITY), *edit.step.split()]
        subprocess.run(["convert", str(path), *options, str(out / f"{n:04d}.jpg")], check=True)


def _by_rawtherapee(photos: Sequence[Path], edit: Edit, out: Path) -> None:
    quality = edit.step.removeprefix("quality ") if edit.cue == "jpeg" else str(QUALITY)
    profile, inputs = out / "step.pp3", out / "in"
    profile.write_text("[Version]\nAppVersion=5.9\nVersion=349\n" + (edit.step if edit.cue != "jpeg" else ""))
    inputs.mkdir()
    for n, path in enumerate(photos):
        (inputs / f"{n:04d}.jpg").write_bytes(path.read_bytes())
    command = ["rawtherapee-cli", "-o", out, "-p", profile, f"-j{quality}", "-js2", "-Y", "-c", inputs]
    subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
