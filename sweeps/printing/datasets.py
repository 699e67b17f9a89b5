"""What is printed of datasets that were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from camerabias.analysis.design.copies import describe_copies, find_copies
from camerabias.analysis.design.names import count_of
from camerabias.datasets.io.printable import typed
from camerabias.datasets.reading.exif import count_unnamed
from camerabias.sweeps.monitoring.console import console, print_sentence

if TYPE_CHECKING:
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


def print_equalised(cue: str, out: str, changed: int, n: int) -> None:
    """Say what became of photos whose cue was equalised, and how they are audited."""
    console.print(f"{changed} of {count_of(n, 'photo', 'photos')} brought to one level of {cue}.")
    table, run = typed(f"{out}/photos.csv"), typed(f"{out}/run")
    print_sentence(f"Audit them, and compare with before: `camerabias audit {table} --run {run}`")


def _print_contents(dataset: Dataset) -> None:
    manifest = dataset.manifest
    console.print(
        f"{dataset.folder}: {count_of(manifest.n_images, 'image', 'images')}, "
        f"{count_of(len(manifest.labels), 'label', 'labels')}, "
        f"{count_of(len(manifest.cameras), 'camera', 'cameras')}"
    )
    if manifest.n_rejected:
        rejected = count_of(manifest.n_rejected, "photo was", "photos were")
        console.print(f"{rejected} rejected: {dataset.folder.file('rejected.csv')}")
    for label in dataset.untested_labels:
        console.print(f"Warning: your split has no test photo of {label!r}: its accuracy cannot be measured.")
    for note in manifest.notes:
        console.print(note)
    for sentence in count_unnamed(dataset.index["camera"].tolist()):
        console.print(f"Warning: {sentence}")
