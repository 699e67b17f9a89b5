"""The design check from Python: what photos can tell before any training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from os import fspath

import pandas as pd

from camerabias.analysis.cues.differences import Differences, find_differences
from camerabias.analysis.cues.wording import describe_differences
from camerabias.analysis.design.check import check_design
from camerabias.analysis.design.design import Design
from camerabias.analysis.design.problems import problems
from camerabias.analysis.design.wording import describe_design
from camerabias.datasets.dataset import is_dataset, open_dataset
from camerabias.datasets.inspection.metadata import facts_of
from camerabias.datasets.inspection.pixels import pixels_of, survey_pixels
from camerabias.datasets.inspection.survey import survey
from camerabias.datasets.io.executor import EXECUTORS
from camerabias.datasets.reading.exif import count_unnamed
from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CameraFrom, ExecutorName, Layout
from camerabias.photos import Location, already_imported, find_photos, listener_of
from camerabias.sweeps.execution.listener import Listener


class DesignCheck:
    """What photos can tell before any training.

    Args:
        facts: What files say, a row per photo.
        pixels: Their pixel statistics, a row per photo.
        notes: What was assumed in reading them, and what looks like a mistake, in sentences.

    Attributes:
        design: All that was found of files and their words, as plain data.
        differences: How the photos of a label's cameras differ in pixel statistics.
        notes: As given.
    """

    def __init__(self, facts: pd.DataFrame, pixels: pd.DataFrame, notes: Sequence[str]) -> None:
        self._facts = facts
        self._pixels = pixels
        self.notes = list(notes)
        self.design: Design = check_design(facts)
        self.differences: Differences = find_differences(facts, pixels)

    def __repr__(self) -> str:
        labels, cameras = self.design.photos.shape
        return (
            f"<camerabias.DesignCheck of {self.design.n_photos} photos, {labels} labels, {cameras} cameras>"
        )

    @property
    def sentences(self) -> list[str]:
        """What was found, the most important first."""
        return [*describe_design(self.design), *describe_differences(self.differences)]

    @property
    def problems(self) -> list[str]:
        """Names of problems, as `camerabias check --fail-on` takes them: some of `PROBLEMS`."""
        return problems(self.design)

    @property
    def answers(self) -> pd.DataFrame:
        """A row per question: `question`, `answerable`, `why`, and `photos`, which to take where it is not."""
        return pd.DataFrame([one.model_dump(exclude={"needed"}) for one in self.design.answers.values()])

    @property
    def needed(self) -> pd.DataFrame:
        """A row per cell to take photos of, where a question cannot be answered.

        Returns:
            Columns question, label, camera, and n: how many photos, or groups where there are any.
        """
        rows = [
            {"question": answer.question, **cell.model_dump()}
            for answer in self.design.answers.values()
            for cell in answer.needed
        ]
        return pd.DataFrame(rows, columns=["question", "label", "camera", "n"])

    @property
    def cells(self) -> pd.DataFrame:
        """A row per label and camera: `label`, `camera`, `photos`, `groups`; empty cells too."""
        return pd.DataFrame([cell.model_dump() for cell in self.design.cells])

    @property
    def cameras(self) -> pd.DataFrame:
        """A row per camera.

        Returns:
            Columns camera, photos, associated_label (None where it has none), and low, median and high: the factor by
            which its photos are scaled to one size.
        """
        counts = self.design.photos.sum()
        return pd.DataFrame(
            [
                {
                    "camera": one.camera,
                    "photos": int(counts[one.camera]),
                    "associated_label": self.design.associated_labels.get(one.camera),
                    **one.model_dump(exclude={"camera"}),
                }
                for one in self.design.resizes
            ]
        )

    @property
    def baselines(self) -> pd.DataFrame:
        """A row per metadata baseline.

        Returns:
            Columns target, feature, values, accuracy (0 to 1), accuracy_low and accuracy_high (95 %),
            majority_baseline, p, p_holm, and works: whether the feature gives the target away.
        """
        rows = [
            {**one.model_dump(exclude={"accuracy"}), **one.accuracy.named("accuracy"), "works": one.works}
            for one in self.design.baselines
        ]
        return pd.DataFrame(rows)

    @property
    def camera_differences(self) -> pd.DataFrame:
        """A row per camera and pixel statistic, compared with the other cameras of its labels; largest effects first.

        Returns:
            Columns camera, statistic, mean and others (in the statistic's unit), effect (in standard deviations
            within cells), p, p_holm, and detectable (the minimum detectable effect).
        """
        return self.differences.table.copy()

    @property
    def recognition(self) -> pd.DataFrame:
        """How well the camera (within a label) and the label are predicted from pixel statistics alone, out of fold.

        Returns:
            Columns target, accuracy (0 to 1), accuracy_low and accuracy_high (95 %), majority_baseline, and works:
            whether the interval lies above the baseline.
        """
        found = [one for one in (self.differences.camera, self.differences.label) if one is not None]
        rows = [
            {
                "target": one.target,
                **one.accuracy.named("accuracy"),
                "majority_baseline": one.majority_baseline,
                "works": one.works,
            }
            for one in found
        ]
        return pd.DataFrame(rows)

    @property
    def pixels(self) -> pd.DataFrame:
        """A row per photo: `image_id`, and a column per pixel statistic, NaN where a photo does not tell."""
        return self._pixels.copy()

    @property
    def near_duplicates(self) -> pd.DataFrame:
        """A row per pair of photos of different groups that are nearly the same, of the first hundred.

        Returns:
            Columns first, second, and bits: by how many of 64 their hashes differ.
        """
        return pd.DataFrame(
            [pair.model_dump() for pair in self.design.duplicates.pairs], columns=["first", "second", "bits"]
        )

    @property
    def photos(self) -> pd.DataFrame:
        """A row per photo.

        Returns:
            Columns image_id, label, camera, group, fold, split, width and height (pixels), format, path, tables (of
            JPEG), exif, hash (perceptual, 64 bits), and factor, by which it is scaled.
        """
        return self._facts.copy()

    def summary(self) -> str:
        """Notes and sentences as one text."""
        return "\n".join([repr(self)[1:-1], *self.notes, *self.sentences])


def check(
    source: Location | pd.DataFrame,
    label: str = "label",
    camera: str = "camera",
    group: str | None = None,
    camera_from: CameraFrom | None = None,
    layout: Layout | None = None,
    path: str | None = None,
    images: Location | None = None,
    one_vs_rest: str | None = None,
    max_rejected: float = 0.01,
    executor: ExecutorName = "local",
    verbose: bool = False,
    details: bool = False,
) -> DesignCheck:
    """Say what photos can tell before any training: what is there, what leaks, and which photos are missing.

    Photos are read where they lie; no copy is made. What files say is kept, in a DATASET or in this machine's cache,
    so that a second look takes a moment; files that have changed since are read again.

    Args:
        source: Photos as `import_photos` takes them, or the folder of a DATASET.
        label: As of `import_photos`, like all that follow.
        camera: Column of the device.
        group: Column of what must not be split between training and test.
        camera_from: `exif` takes the camera from EXIF.
        layout: Levels of a folder.
        path: Column of paths.
        images: Folder of a table's photos.
        one_vs_rest: A label; all others become one.
        max_rejected: Share of photos, 0 to 1, that may be undecodable.
        executor: `local` reads on this machine; `ray` spreads work over machines.
        verbose: Whether to print what the command prints.
        details: Whether that is all that was found, else as much as a screen holds.

    Returns:
        What was found: sentences, answers and frames.

    Raises:
        CamerabiasError: The source does not read as that, too many photos are rejected, or options for reading were
            given of a DATASET.

    Example:
        >>> found = camerabias.check("datasets/mine")
        >>> found.answers["answerable"].tolist()
        [True, True, False]
        >>> found.problems
        ['associated', 'leaks']
    """
    folder = None if images is None else fspath(images)
    reading = Reading(label, camera, group, camera_from, layout, path, folder, one_vs_rest)
    listener = listener_of(verbose, details)
    if isinstance(source, pd.DataFrame) or not is_dataset(fspath(source)):
        facts, pixels, notes = _look(source, reading, executor, max_rejected, listener)
    else:
        _refuse_reading(fspath(source), reading)
        with listener.counting("Reading headers, shards") as report:
            dataset = open_dataset(fspath(source))
            facts, notes = facts_of(dataset, EXECUTORS[executor](), report), [*dataset.manifest.notes]
        with listener.counting("Measuring pixels, shards") as report:
            pixels = pixels_of(dataset, EXECUTORS[executor](), report)
    found = DesignCheck(facts, pixels, [*notes, *count_unnamed(facts["camera"].tolist())])
    for note in found.notes:
        listener.say(note)
    listener.design(found.design)
    listener.differences(found.differences)
    return found


def _look(
    source: Location | pd.DataFrame,
    reading: Reading,
    executor: ExecutorName,
    max_rejected: float,
    listener: Listener,
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    photos = find_photos(source, reading)
    with listener.counting("Reading photos") as report:
        found = survey(photos, EXECUTORS[executor](), max_rejected, report)
    with listener.counting("Measuring pixels, photos") as report:
        pixels = survey_pixels(photos, found.facts, EXECUTORS[executor](), report)
    return found.facts, pixels, [*photos.notes, *found.notes]


def _refuse_reading(source: str, reading: Reading) -> None:
    usual = Reading()
    given = [one.name for one in fields(Reading) if getattr(reading, one.name) != getattr(usual, one.name)]
    if given:
        raise already_imported(source, given, "import_photos")
