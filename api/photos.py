"""Datasets from Python: photos imported or simulated."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from os import PathLike, fspath

import pandas as pd

from camerabias.datasets.cues.names import INTERVENTIONS, cue_to_move, words_of
from camerabias.datasets.dataset import Dataset, open_dataset
from camerabias.datasets.ingest.create import import_dataset, simulate_dataset
from camerabias.datasets.interventions.equalise import equalise_photos
from camerabias.datasets.io.executor import EXECUTORS, Executor, for_photos
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import Reading, Source
from camerabias.datasets.schema import (
    RUN_FILE,
    CamerabiasError,
    CameraFrom,
    ExecutorName,
    Fit,
    Layout,
    Preset,
)
from camerabias.datasets.simulator import parse_cues, preset_spec
from camerabias.datasets.sources.registry import read_source
from camerabias.datasets.sources.table import source_of
from camerabias.sweeps.execution.listener import Listener
from camerabias.sweeps.printing.console_listener import ConsoleListener
from camerabias.sweeps.printing.datasets import print_equalised, print_made

Location = str | PathLike[str]


def simulate(
    out: Location,
    preset: Preset = "demo",
    images: int | None = None,
    size: int | None = None,
    cues: str | Mapping[str, float] | None = None,
    correlation: float | None = None,
    seed: int = 0,
    executor: ExecutorName = "local",
    verbose: bool = False,
) -> Dataset:
    """Simulate photos of bottles from five cameras whose differences are known.

    Args:
        out: Folder of the new DATASET; one with the same photos is opened.
        preset: `demo` (1,000 photos of 128 × 128 pixels) or `paper` (3,090 of 1024 × 1024).
        images: Number of photos, a multiple of 10, in place of the preset's.
        size: Side of a photo in pixels, even, from 64.
        cues: By what cameras differ: scale by name, or text such as `"none,jpeg_quality=1"`.
        correlation: Of label and camera, 0 to 1, where every bottle is photographed once; None has every camera
            photograph every bottle.
        seed: Of everything random in the photos.
        executor: `local` works on this machine; `ray` spreads work over machines, but starts for many photos alone.
        verbose: Whether to print what the command prints.

    Returns:
        The dataset; its `index` is a frame with a row per photo.

    Raises:
        CamerabiasError: A value is not allowed, or another dataset lies in `out`.

    Example:
        >>> dataset = camerabias.simulate("datasets/tiny", images=20, size=64)
        >>> dataset.index.groupby(["label", "camera"]).size().unique().tolist()
        [2]
    """
    scales = parse_cues(cues) if isinstance(cues, str) else cues
    spec = preset_spec(preset, images=images, size=size, cues=scales, seed=seed, correlation=correlation)
    where = for_photos(EXECUTORS[executor](), spec.images)
    with listener_of(verbose).counting("Simulating photos") as progress:
        dataset = simulate_dataset(spec, Folder(fspath(out)), where, progress)
    if verbose:
        print_made(dataset)
    return dataset


def import_photos(
    source: Location | pd.DataFrame,
    out: Location,
    label: str = "label",
    camera: str = "camera",
    group: str | None = None,
    camera_from: CameraFrom | None = None,
    layout: Layout | None = None,
    path: str | None = None,
    images: Location | None = None,
    one_vs_rest: str | None = None,
    fit: Fit = "resize",
    max_rejected: float = 0.01,
    executor: ExecutorName | Executor = "local",
    verbose: bool = False,
) -> Dataset:
    """Import photos; their bytes are kept as they are.

    Args:
        source: A DataFrame with a row per photo (columns path, label, camera, and if you have them group and split;
            paths absolute, or below the current folder), or the path or URI of such a table or of a folder.
        out: Folder of the new DATASET; one with the same photos is opened.
        label: Column of what is to be learned.
        camera: Column of the device that took the photo.
        group: Column of what must not be split between training and test; None takes `group` where there is one.
        camera_from: `exif` takes the camera from each photo's EXIF make and model.
        layout: Levels of a folder: `label/camera` (the default), `camera/label`, or `label`.
        path: Column of paths; None takes `path`, `file_name`, `image_id` or another usual name.
        images: Folder of a table's photos, where they are also looked up by name, at any depth; None is the table's.
        one_vs_rest: A label, or a member of labels that are sets (`A|B`): all others become one label.
        fit: How photos become a model's input: `resize` and cut the centre, `crop` unscaled pixels, or `pad`.
        max_rejected: Share of photos, 0 to 1, that may be undecodable before the import gives up.
        executor: `local` works on this machine; `ray` spreads work over machines, but starts for many photos alone;
            or one that was made.
        verbose: Whether to print what the command prints.

    Returns:
        The dataset; its `index` is a frame with a row per photo.

    Raises:
        CamerabiasError: The source does not read as that, too many photos are rejected, or another dataset lies in
            `out`.

    Example:
        >>> photos = pd.DataFrame({"path": paths, "label": labels, "camera": cameras})
        >>> camerabias.import_photos(photos, "datasets/imported").manifest.n_images
        20
    """
    folder = None if images is None else fspath(images)
    found = find_photos(source, Reading(label, camera, group, camera_from, layout, path, folder, one_vs_rest))
    listener = listener_of(verbose)
    for note in found.notes:
        listener.say(note)
    asked = executor if isinstance(executor, Executor) else EXECUTORS[executor]()
    where = for_photos(asked, len(found.photos))
    with listener.counting("Importing photos") as progress:
        dataset = import_dataset(found, Folder(fspath(out)), where, fit, max_rejected, progress)
    if verbose:
        print_made(dataset)
    return dataset


def equalise(
    dataset: Dataset | Location,
    cue: str,
    out: Location,
    executor: ExecutorName = "local",
    verbose: bool = False,
) -> pd.DataFrame:
    """Bring all photos to one level of one cue, and write them as PNG files with a table.

    Called again after any interruption, it resumes where it stopped.

    Some cues go one way: noise is added up to that of the noisiest camera, sharpness taken down to the softest one's.

    Args:
        dataset: A dataset, or its folder; that of an audited run is `RUN/dataset`.
        cue: What is equalised, such as `noise` or `white balance`.
        out: Folder where `photos.csv` and the folder `photos` go; empty, or a beginning of the same.
        executor: `local` works on this machine; `ray` spreads work over machines, but starts for many photos alone.
        verbose: Whether to print what the command prints.

    Returns:
        The table: `path` below `out`, `label`, `camera`, `group`, `split` where there is one, and other columns.

    Raises:
        CamerabiasError: There is no such cue, no photo is brought to another level of it, a camera's level is not
            known, or something else lies in `out`.

    Example:
        >>> dataset = camerabias.simulate("datasets/tiny", images=20, size=64)
        >>> table = camerabias.equalise(dataset, "white balance", "equalised")
        >>> camerabias.import_photos("equalised/photos.csv", "datasets/equalised").manifest.n_images == len(table)
        True
    """
    opened = dataset if isinstance(dataset, Dataset) else open_dataset(fspath(dataset))
    moved, folder = cue_to_move(cue), Folder(fspath(out))
    where = for_photos(EXECUTORS[executor](), opened.manifest.n_images)
    with listener_of(verbose).counting("Equalising shards") as progress:
        done = equalise_photos(opened, moved, INTERVENTIONS[moved], folder, where, progress)
    if verbose:
        print_equalised(words_of(moved), fspath(out).rstrip("/"), done, _run_of(opened))
    return done.table


def _run_of(dataset: Dataset) -> str | None:
    """The run in whose folder a dataset lies; None where it lies elsewhere."""
    run, name = posixpath.split(dataset.folder.uri)
    return run if name == "dataset" and Folder(run).exists(RUN_FILE) else None


def find_photos(source: Location | pd.DataFrame, reading: Reading) -> Source:
    """The photos of a frame, or of what lies at a location."""
    if isinstance(source, pd.DataFrame):
        return source_of(source.reset_index(drop=True), reading, "The frame", Folder("."))
    return read_source(fspath(source), reading)


def already_imported(source: str, options: Iterable[str], again: str) -> CamerabiasError:
    """The error of options for importing where photos have been imported.

    Args:
        source: The folder of the DATASET.
        options: As the user has named them.
        again: What imports photos again.
    """
    return CamerabiasError(
        f"{source} is a DATASET, whose photos have been imported already: {', '.join(options)} would change nothing. "
        f"Drop that, or import the photos again with {again}."
    )


def listener_of(verbose: bool, details: bool = False) -> Listener:
    """Who hears how the work goes: the console, with every failure in full where details are asked for, or nobody."""
    return ConsoleListener(details) if verbose else Listener()
