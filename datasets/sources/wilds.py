"""Two datasets of WILDS as they lie on disk, whose sites are known to matter: Camelyon17 and iWildCam.

The layouts are those of the library `wilds` (Koh et al., "WILDS: A Benchmark of in-the-Wild
Distribution Shifts", 2021).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pandas as pd

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.parsers import parse_table
from camerabias.datasets.reading.photo import SOURCES, Reading, Source, SourceKind
from camerabias.datasets.sources.table import source_of

METADATA_FILE = "metadata.csv"


@dataclass(frozen=True)
class WildsLayout:
    """How one of the datasets lies on disk.

    Attributes:
        columns: Of its metadata, by which it is recognised.
        describe: Adds path, label, camera and group to the metadata.
        note: What was assumed.
    """

    columns: frozenset[str]
    describe: Callable[[pd.DataFrame, Folder], pd.DataFrame]
    note: str


def is_wilds(location: str) -> bool:
    """Whether a folder holds the metadata of one of `LAYOUTS`."""
    folder = Folder(location)
    if location.lower().endswith(METADATA_FILE) or not folder.exists(METADATA_FILE):
        return False
    header = folder.read_bytes(METADATA_FILE).partition(b"\n")[0].decode(errors="replace")
    return _layout(header.strip().split(",")) is not None


def read_wilds(location: str, reading: Reading) -> Source:
    """Read the photos that the metadata lists. WILDS' own split is kept aside: it holds out whole sites."""
    folder = Folder(location)
    frame = parse_table(folder, METADATA_FILE).frame
    layout = _layout(frame.columns)
    assert layout is not None  # else it would not have been recognised
    described = layout.describe(frame, folder).rename(columns={"split": "given_split"})
    plain = replace(reading, label="label", camera="camera", group="group", path="path")
    return source_of(described, plain, folder.file(METADATA_FILE), folder, [layout.note], kind="wilds")


def _layout(columns: Iterable[str]) -> WildsLayout | None:
    there = set(columns)
    return next((layout for layout in LAYOUTS if layout.columns <= there), None)


def _camelyon17(frame: pd.DataFrame, _: Folder) -> pd.DataFrame:
    of = "patient_" + frame["patient"] + "_node_" + frame["node"]
    return frame.assign(
        path="patches/" + of + "/patch_" + of + "_x_" + frame["x_coord"] + "_y_" + frame["y_coord"] + ".png",
        label=frame["tumor"].map({"0": "normal", "1": "tumor"}),
        camera="center " + frame["center"],
        group="patient " + frame["patient"],
    )


def _iwildcam(frame: pd.DataFrame, folder: Folder) -> pd.DataFrame:
    names = {}
    if folder.exists("categories.csv"):
        categories = parse_table(folder, "categories.csv").frame
        names = dict(zip(categories["y"], categories["name"], strict=True))
    return frame.assign(
        path="train/" + frame["filename"],
        label=frame["y"].map(lambda y: names.get(y, y)),
        camera="location " + frame["location_remapped"],
        group="sequence " + frame["sequence_remapped"],
    )


LAYOUTS = (
    WildsLayout(
        frozenset({"patient", "node", "x_coord", "y_coord", "tumor", "center"}),
        _camelyon17,
        "This is Camelyon17 of WILDS: the label is tumor, the camera the medical centre, the group the patient.",
    ),
    WildsLayout(
        frozenset({"filename", "y", "location_remapped", "sequence_remapped"}),
        _iwildcam,
        "This is iWildCam of WILDS: the label is the species, the camera the trap's place, the group the sequence.",
    ),
)

SOURCES["wilds"] = SourceKind(is_wilds, read_wilds, "a folder of WILDS")
