"""What an intervention on a cue is, and which level of the cue each camera has.

One that goes one way alone, as noise that is added, says which level all can be brought to, and which one reaches
another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.pixels.photo import PreparedPhoto, prepare

Level = npt.NDArray[np.float64]
"""A level of a cue, (k,) numbers of which differences mean the same wherever they begin."""


class Intervention(ABC):
    """How photos are brought to another level of a cue."""

    @abstractmethod
    def measure(self, photo: PreparedPhoto) -> Level:
        """The level of a photo, (k,); NaN where it does not tell."""

    def common(self, levels: Level) -> Level:
        """A level that photos of every level (cameras, k) can be brought to, (k,); the mean, if all go both ways."""
        return np.asarray(levels.mean(axis=0))

    def reaches(self, level: Level, other: Level) -> bool:
        """Whether photos of one level can be brought to another; always, if all go both ways."""
        return True

    @abstractmethod
    def move(self, pixels: Pixels, level: Level, other: Level, generator: np.random.Generator) -> Pixels:
        """Bring a photo from one level to another.

        Args:
            pixels: uint8 (height, width, 3).
            level: Of the photo's camera.
            other: The level to reach, or a level beyond it.
            generator: Of whatever is drawn at random.
        """


def measure_levels(
    intervention: Intervention, photos: pd.DataFrame, contents: Iterable[tuple[Hashable, bytes]]
) -> Mapping[str, Level]:
    """The level of each camera, measured on photos.

    Args:
        intervention: What is measured.
        photos: Their `label` and `camera`, by the key of each.
        contents: Keys and encoded photos, in any order.

    Returns:
        As `camera_levels`.
    """
    measured = {key: intervention.measure(prepare(content)) for key, content in contents}
    rows = photos.loc[[*measured]]
    return camera_levels(rows["label"].tolist(), rows["camera"].tolist(), np.stack([*measured.values()]))


def camera_levels(
    labels: Sequence[str], cameras: Sequence[str], measured: npt.NDArray[np.float64]
) -> Mapping[str, Level]:
    """The level of each camera, whatever its photos show.

    The median of each label and camera is taken for the sum of something of the label and something of the camera, by
    least squares weighted with the number of photos.

    Args:
        labels: n, of photos.
        cameras: n.
        measured: (n, k), their levels.

    Returns:
        Level by camera, (k,); without those of which no photo has one.
    """
    rows = pd.DataFrame(measured).dropna()
    cells = [
        pd.Series(names)[rows.index].rename(name) for name, names in (("label", labels), ("camera", cameras))
    ]
    medians, counts = rows.groupby(cells).median(), rows.groupby(cells).size()
    of_label, of_camera = (
        pd.get_dummies(medians.index.get_level_values(name), dtype=float) for name in ("label", "camera")
    )
    weights = np.sqrt(counts.to_numpy(float))[:, None]
    # the labels' part sums to nothing, so that a camera's level is that of its photos of all labels alike
    terms = np.hstack([of_label.to_numpy() - 1 / max(of_label.shape[1], 1), of_camera.to_numpy()])
    fitted = np.linalg.lstsq(terms * weights, medians.to_numpy() * weights, rcond=None)[0]
    return dict(zip(of_camera.columns, fitted[of_label.shape[1] :], strict=True))
