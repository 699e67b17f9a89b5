"""Photos whose cue is at another level: what a model predicts of them, a probe per cue that can be moved.

Levels are those of the training photos' cameras, and only photos of the test are moved. Each is brought to the level
that all can be brought to (*equalised*), as far as some other camera's photos are for that (*sham*: the same changes,
given to photos which they do not make alike), and to the level of another camera (*swapped*).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from camerabias.datasets.interventions.names import probe_of
from camerabias.datasets.interventions.registry import INTERVENTIONS, Intervention, Level, camera_levels
from camerabias.datasets.io.decode import decode
from camerabias.datasets.pixels.photo import prepare
from camerabias.datasets.sampling.select import sample_evenly
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.probes.base import PROBES, ProbeKind, Subject, names_of
from camerabias.trainables.records.record import ProbeArrays

if TYPE_CHECKING:
    from camerabias.trainables.linear_probe.head import ClassCodes
    from camerabias.trainables.linear_probe.subject import LinearSubject
    from camerabias.trainables.training.data import Rows, TrialData

TESTED = 40
"""Photos of each trial that are moved, 200 by five seeds: two cues take about 50 s of CPU time."""

TRAINING = 120
"""Training photos of each trial on which levels are measured."""

CHUNK = 10
"""Photos that one thread moves and classifies at a time."""


@dataclass(frozen=True)
class _Move:
    """A photo (its place in a sample), the camera that it is given something of, and the level to bring it to."""

    photo: int
    camera: str
    level: Level


def moved(cue: str, subject: Subject | LinearSubject, _: Mapping[str, float]) -> ProbeArrays:
    """Predictions of a sample of test photos as they are, equalised, with a sham, and swapped.

    Returns:
        `names_of` the photos, and of each the predictions `before`, `equalised`, `sham` and `swapped`; and
        `swapped_camera`, whose level the last is, empty where no other camera's can be reached. Where the cameras'
        levels are not known, no more than `why`.
    """
    data, intervention = subject.data, INTERVENTIONS[cue]
    if data.config.test_view.kind.draw is not None:
        raise CamerabiasError(f"photos are not moved that are drawn at random, as in {data.config.test_view}")
    levels = _measure(intervention, data)
    if len(levels) < 2:
        return {"why": np.array(f"the level of {cue} is not known of two cameras")}
    rows = _sample(data, data.parts.test, TESTED)
    rows = rows[data.described(rows)["camera"].isin([*levels]).to_numpy()]
    cameras = data.described(rows)["camera"].tolist()
    generator = np.random.default_rng([data.config.seed, 0x5AA])
    moves = dict(_moves(intervention, levels, cameras, generator))
    before = subject.tested(rows)
    names = np.array(data.classes)
    found = {
        name: names[_predict(subject, intervention, levels, rows, some, before)]
        for name, some in moves.items()
    }
    swapped = np.full(len(rows), "", dtype=object)
    for move in moves["swapped"]:
        swapped[move.photo] = move.camera
    return {
        **names_of(subject, rows),
        "before": names[before],
        **found,
        "swapped_camera": swapped.astype(np.str_),
    }


for _cue in INTERVENTIONS:
    PROBES[probe_of(_cue)] = ProbeKind(partial(moved, _cue), partial(moved, _cue))


def _sample(data: TrialData, rows: Rows, most: int) -> Rows:
    """Some of the rows, evenly over labels and cameras."""
    described = data.described(rows)
    chosen: Rows = rows[described.index.isin(sample_evenly(described, most).index)]
    return chosen


def _measure(intervention: Intervention, data: TrialData) -> Mapping[str, Level]:
    """The level of each camera in the training photos."""
    described = data.described(_sample(data, data.parts.train, TRAINING)).set_index("image_id")
    measured = {
        image_id: intervention.measure(prepare(content))
        for image_id, content in data.dataset.read_some(described.index)
    }
    rows = described.loc[[*measured]]
    return camera_levels(rows["label"].tolist(), rows["camera"].tolist(), np.stack([*measured.values()]))


def _moves(
    intervention: Intervention,
    levels: Mapping[str, Level],
    cameras: Sequence[str],
    generator: np.random.Generator,
) -> Iterator[tuple[str, list[_Move]]]:
    """What is done to photos of these cameras, by name."""
    common = intervention.common(np.stack([*levels.values()]))
    yield "equalised", [_Move(photo, camera, common) for photo, camera in enumerate(cameras)]
    others = [generator.choice([name for name in levels if name != camera]) for camera in cameras]
    yield (
        "sham",
        [
            _Move(photo, other, levels[camera] + common - levels[other])
            for photo, (camera, other) in enumerate(zip(cameras, others, strict=True))
        ],
    )
    swapped = []
    for photo, camera in enumerate(cameras):
        reached = [
            name for name in levels if name != camera and intervention.reaches(levels[camera], levels[name])
        ]
        if reached:
            other = generator.choice(reached)
            swapped.append(_Move(photo, other, levels[other]))
    yield "swapped", swapped


def _predict(
    subject: Subject | LinearSubject,
    intervention: Intervention,
    levels: Mapping[str, Level],
    rows: Rows,
    moves: Sequence[_Move],
    before: ClassCodes,
) -> ClassCodes:
    """Codes of the classes given to moved photos; those of the others, and of photos that stay, as before."""
    described = subject.data.described(rows)
    contents = dict(subject.data.dataset.read_some(described["image_id"]))
    ids, cameras = described["image_id"].tolist(), described["camera"].tolist()

    def classify(some: Sequence[_Move]) -> ClassCodes:
        photos = [
            intervention.move(
                decode(contents[ids[move.photo]]),
                levels[cameras[move.photo]],
                move.level,
                np.random.default_rng([subject.data.config.seed, move.photo]),
            )
            for move in some
        ]
        return subject.classify(photos, [ids[move.photo] for move in some])

    moving = [move for move in moves if not np.array_equal(move.level, levels[cameras[move.photo]])]
    chunks = [moving[start : start + CHUNK] for start in range(0, len(moving), CHUNK)]
    found = before.copy()
    # Ray gives its workers fewer, by this variable
    with ThreadPoolExecutor(int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)) as pool:
        for some, codes in zip(chunks, pool.map(classify, chunks), strict=True):
            found[[move.photo for move in some]] = codes
    return found
