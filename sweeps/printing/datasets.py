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
    from camerabias.datasets.interventions.equalise import Equalised


def print_made(dataset: Dataset) -> None:
    """Say what an import or a simulation has made."""
    _print_contents(dataset)
    for sentence in describe_copies(find_copies(dataset.index)):
        console.print(f"Warning: {sentence}")
    if crossing := dataset.crossing_groups:
        console.print(
            f"Warning: {crossing} groups lie on more than one side of your split; test accuracy may be too high."
        )


def print_equalised(cue: str, out: str, done: Equalised, run: str | None) -> None:
    """Say what became of photos whose cue was equalised, how large they are, and how they are audited.

    Args:
        cue: The cue, in words.
        out: Where the photos lie.
        done: What was written.
        run: The audited run that they come from, if any.
    """
    n, (before, after) = len(done.table), done.n_bytes
    print_sentence(
        f"{count_of(n, 'photo', 'photos')} ({done.changed} changed) at one level of {cue}: {_megabytes(after)} of "
        f"PNG, from {_megabytes(before)}."
    )
    table, again = typed(f"{out}/photos.csv"), typed(f"{out}/run")
    print_sentence(f"Audit them: `camerabias audit {table} --run {again}`")
    if run is not None:
        print_sentence(f"Compare with before: `camerabias report {typed(run)} {again}`")


def _megabytes(n: int) -> str:
    return f"{n / 1e6:.1f} MB" if n < 1e7 else f"{n / 1e6:.0f} MB"


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
