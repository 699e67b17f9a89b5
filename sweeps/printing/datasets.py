"""What is printed of datasets and of their design."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from camerabias.analysis.design.copies import describe_copies, find_copies
from camerabias.analysis.design.wording import describe_design
from camerabias.analysis.statistics.number_format import show_estimate, show_number, show_p_value, show_share
from camerabias.datasets.io.decode import NO_EXIF_CAMERA
from camerabias.sweeps.monitoring.console import console, print_frame

if TYPE_CHECKING:
    from camerabias.analysis.design.design import Design
    from camerabias.analysis.design.metadata_baselines import MetadataBaseline
    from camerabias.datasets.dataset import Dataset


def print_made(dataset: Dataset) -> None:
    """Say what an import or a simulation has made."""
    _print_contents(dataset)
    for sentence in describe_copies(find_copies(dataset.index)):
        console.print(f"Warning: {sentence}")
    if crossing := dataset.crossing_groups:
        console.print(
            f"Warning: {crossing} groups lie on more than one side of your split; test accuracy may be too high."
        )


def _print_contents(dataset: Dataset) -> None:
    manifest = dataset.manifest
    console.print(
        f"{dataset.folder}: {manifest.n_images} images, {len(manifest.labels)} labels, "
        f"{len(manifest.cameras)} cameras"
    )
    if manifest.n_rejected:
        console.print(f"{manifest.n_rejected} photos were rejected: {dataset.folder.file('rejected.csv')}")
    for label in dataset.untested_labels:
        console.print(f"Warning: your split has no test photo of {label!r}: its accuracy cannot be measured.")
    _warn_of_no_exif(int((dataset.index["camera"] == NO_EXIF_CAMERA).sum()), manifest.n_images)


def _warn_of_no_exif(n: int, n_images: int) -> None:
    if n:
        console.print(
            f"Warning: {n} of {n_images} photos name no camera; they count as the camera "
            f"'{NO_EXIF_CAMERA}', which may be several."
        )


def print_design(design: Design) -> None:
    """Print what the photos can tell before any training: their cells, cameras and leaks, and the sentences."""
    grouped = design.n_groups < design.n_photos
    cells = design.photos.astype(str)
    if grouped:
        cells += " (" + design.groups.astype(str) + ")"
    print_frame(cells, "Photos (groups)" if grouped else "Photos", "label")
    cameras = pd.DataFrame(
        {
            "associated label": pd.Series(design.associated_labels)
            .reindex(design.photos.columns)
            .fillna("none"),
            **{
                f"scaled by, {name}": [show_number(getattr(resize, name)) for resize in design.resizes]
                for name in ("low", "median", "high")
            },
        }
    )
    print_frame(cameras, "Cameras", "camera")
    print_frame(_baselines(design.baselines), "Metadata baselines (without a pixel, out of fold)")
    console.print("What the photos can tell before any training:", style="bold")
    for sentence in describe_design(design):
        console.print(f"• {sentence}")


def _baselines(baselines: Sequence[MetadataBaseline]) -> pd.DataFrame:
    rows = [
        {
            "target": one.target,
            "feature": one.feature,
            "values": one.values,
            "accuracy": show_estimate(one.accuracy),
            "majority baseline": show_share(one.majority_baseline),
            "p (Holm)": "one value" if one.values == 1 else show_p_value(one.p_holm),
        }
        for one in baselines
    ]
    return pd.DataFrame(rows)
