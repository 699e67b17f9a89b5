"""Is a model right where the camera goes with the label, and where it does not: the paper's Table II at a glance.

Compared are the setting in which every camera has one label, and one without such a tie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from camerabias.analysis.records.records import Records
from camerabias.analysis.records.wording import PLAIN
from camerabias.analysis.statistics.accuracy import accuracy
from camerabias.analysis.statistics.bootstrap import Estimate
from camerabias.trainables.records.study import StudyCell

REFERENCES = ("balanced", "natural")
"""Settings that others are compared with, the first that a run has: the paper's, then the photos as given."""


@dataclass(frozen=True)
class Sides:
    """Label accuracy after one training, on photos of the cameras that `disjoint` ties to a label.

    Attributes:
        setting: The training's setting.
        aligned: Where the label is the one that the camera is tied to.
        conflicting: Where it is another.
    """

    setting: str
    aligned: Estimate
    conflicting: Estimate

    @property
    def falls(self) -> bool:
        """Whether accuracy falls where the camera does not go with the label, beyond both intervals."""
        return self.conflicting.high < self.aligned.low


@dataclass(frozen=True)
class SettingContrast:
    """One model, after training without a tie of camera and label, and with it.

    Attributes:
        model: The model's name.
        without: After `balanced` training, or on the photos as given.
        tied: After `disjoint` training.
    """

    model: str
    without: Sides
    tied: Sides


def reference_cell(records: Records, cell: StudyCell) -> StudyCell | None:
    """The cell that another setting of the same model is compared with: that of the first of `REFERENCES`."""
    for setting in REFERENCES:
        if (other := records.under(setting, cell)) is not None:
            return other
    return None


def setting_contrasts(records: Records) -> list[SettingContrast]:
    """Every model that has finished a trial of both kinds, on photos as they are.

    Raises:
        CamerabiasError: A file of a finished trial is damaged; it is named.
    """
    found = []
    for cell in records.cells("label", "disjoint", PLAIN):
        tied_labels, reference = records.tied_labels(cell), reference_cell(records, cell)
        tied = _sides(records, cell, tied_labels)
        without = None if reference is None else _sides(records, reference, tied_labels)
        if tied is not None and without is not None:
            found.append(SettingContrast(records.model_name(cell), without, tied))
    return found


def _sides(records: Records, cell: StudyCell, tied: Mapping[str, str]) -> Sides | None:
    rows = records.rows(cell)
    rows = rows[rows["camera"].isin(list(tied))]
    aligned = rows["camera"].map(tied) == rows["label"]
    if aligned.all() or not aligned.any():  # also of no rows
        return None
    return Sides(cell.setting, accuracy(rows[aligned]), accuracy(rows[~aligned]))
