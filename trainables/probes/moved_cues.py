"""Photos whose cue is at another level: what a model predicts of them, a probe per cue that can be moved.

Levels are those of the training photos' cameras, and only photos of the test are moved. Each is brought to the level
that all can be brought to (*equalised*), as far as some other camera's photos are for that (*sham*: the same changes,
given to photos which they do not make alike), to the level of another camera (*swapped*), and as far as photos of
another camera are in their swap (*swapped_sham*).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from camerabias.datasets.cues.names import INTERVENTIONS, probe_of
from camerabias.datasets.interventions.intervention import Intervention, Level, measure_levels
from camerabias.datasets.io.decode import decode
from camerabias.datasets.io.executor import usable_threads
from camerabias.datasets.sampling.select import sample_evenly
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.probes.base import PROBES, ProbeKind, Subject, names_of
from camerabias.trainables.records.record import ProbeArrays

if TYPE_CHECKING:
    from camerabias.trainables.linear_probe.head import ClassCodes
    from camerabias.trainables.linear_probe.subject import LinearSubject
    from camerabias.trainables.training.data import Rows, TrialData

TESTED, ALONE = 40, 200
"""Photos of each trial that are moved, 200 by five seeds: two cues take about a minute of CPU time. As many of a
trial alone, where another seed would repeat it."""

TRAINING = 120
"""Training photos of each trial on which levels are measured."""

MEGAPIXELS = 3.4
"""Of a photo: of larger ones so many fewer are moved and measured, 11 and 34 of 12 megapixels."""

CHUNK = 3
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
        `names_of` the photos, and of each the predictions `before`, `equalised`, `sham`, `swapped` and
        `swapped_sham`; `swapped_camera`, whose level `swapped` is, and `swapped_sham_camera`, whose photos' change
        `swapped_sham` is, empty where there is none; `levels` (cameras, k) of `level_cameras`. Where the cameras'
        levels are not known, no more than `why`.
    """
    data, intervention = subject.data, INTERVENTIONS[cue]
    if data.config.test_view.kind.draw is not None:
        raise CamerabiasError(f"photos are not moved that are drawn at random, as in {data.config.test_view}")
    levels = _measure(intervention, data)
    if len(levels) < 2:
        return {"why": np.array(f"the level of {cue} is not known of two cameras")}
    repeated = data.config.seed_matters or data.config.rotation is not None
    rows = _sample(data, data.parts.test, TESTED if repeated else ALONE)
    rows = rows[data.described(rows)["camera"].isin([*levels]).to_numpy()]
    cameras = data.described(rows)["camera"].tolist()
    generator = np.random.default_rng([data.config.seed, 0x5AA])
    moves = dict(_moves(intervention, levels, cameras, generator))
    before = subject.tested(rows)
    names = np.array(data.classes)
    found = _predict(subject, intervention, levels, rows, moves, before)
    return {
        **names_of(subject, rows),
        "before": names[before],
        **{name: names[codes] for name, codes in found.items()},
        "level_cameras": np.array([*levels]),
        "levels": np.stack([*levels.values()]),
        **{f"{name}_camera": _cameras_of(moves[name], len(rows)) for name in ("swapped", "swapped_sham")},
    }


for _cue in INTERVENTIONS:
    PROBES[probe_of(_cue)] = ProbeKind(partial(moved, _cue), partial(moved, _cue))


def _sample(data: TrialData, rows: Rows, most: int) -> Rows:
    """Some of the rows, evenly over labels and cameras; fewer of photos larger than `MEGAPIXELS`."""
    sizes = data.dataset.index.iloc[rows]
    megapixels = float((sizes["width"] * sizes["height"]).mean()) / 1e6
    described = data.described(rows)
    some = sample_evenly(described, round(most * min(1, MEGAPIXELS / megapixels)))
    chosen: Rows = rows[described.index.isin(some.index)]
    return chosen


def _measure(intervention: Intervention, data: TrialData) -> Mapping[str, Level]:
    """The level of each camera in the training photos."""
    described = data.described(_sample(data, data.parts.train, TRAINING)).set_index("image_id")
    return measure_levels(intervention, described, data.dataset.read_some(described.index))


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
    reached = {
        camera: [
            name for name in levels if name != camera and intervention.reaches(levels[camera], levels[name])
        ]
        for camera in levels
    }
    swaps = [
        _Move(photo, name := str(generator.choice(reached[camera])), levels[name])
        for photo, camera in enumerate(cameras)
        if reached[camera]
    ]
    yield "swapped", swaps
    yield "swapped_sham", [*_shams(swaps, cameras, levels, generator)]


def _shams(
    swaps: Sequence[_Move],
    cameras: Sequence[str],
    levels: Mapping[str, Level],
    generator: np.random.Generator,
) -> Iterator[_Move]:
    """The same photos, each as far as a photo of another camera is brought in its swap."""
    for move in swaps:
        others = [one for one in swaps if cameras[one.photo] != cameras[move.photo]]
        if others:
            one = others[generator.integers(len(others))]
            camera = cameras[one.photo]
            yield _Move(move.photo, camera, levels[cameras[move.photo]] + one.level - levels[camera])


def _cameras_of(moves: Sequence[_Move], n: int) -> npt.NDArray[np.str_]:
    """Cameras of the moves of n photos, empty where one has none."""
    found = np.full(n, "", dtype=object)
    for move in moves:
        found[move.photo] = move.camera
    return found.astype(np.str_)


def _predict(
    subject: Subject | LinearSubject,
    intervention: Intervention,
    levels: Mapping[str, Level],
    rows: Rows,
    moves: Mapping[str, Sequence[_Move]],
    before: ClassCodes,
) -> dict[str, ClassCodes]:
    """Codes of the classes given to moved photos, by name of the moves; those of photos that stay, as before."""
    described = subject.data.described(rows)
    contents = dict(subject.data.dataset.read_some(described["image_id"]))
    ids, own = described["image_id"].tolist(), [levels[camera] for camera in described["camera"]]
    given = [
        (name, move)
        for name, some in moves.items()
        for move in some
        if not np.array_equal(move.level, own[move.photo])
    ]

    def classify(some: Sequence[tuple[str, _Move]]) -> ClassCodes:
        decoded = {photo: decode(contents[ids[photo]]) for photo in {move.photo for _, move in some}}
        photos = []
        for _, move in some:
            random = np.random.default_rng([subject.data.config.seed, move.photo])
            photos.append(intervention.move(decoded[move.photo], own[move.photo], move.level, random))
        return subject.classify(photos, [ids[move.photo] for _, move in some])

    given.sort(key=lambda one: one[1].photo)  # each is decoded once
    chunks = [list(some) for _, some in groupby(given, key=lambda one: one[1].photo // CHUNK)]
    found = {name: before.copy() for name in moves}
    with ThreadPoolExecutor(usable_threads()) as pool:
        for some, codes in zip(chunks, pool.map(classify, chunks), strict=True):
            for (name, move), code in zip(some, codes, strict=True):
                found[name][move.photo] = code
    return found
