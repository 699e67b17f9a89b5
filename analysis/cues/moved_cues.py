"""Which cue does a model use? Risk differences of photos as they are, with a cue equalised, and with a sham of it.

Changing photos lowers any dependence, so what counts is how much lower the risk difference is than with the sham: the
same changes, which do not make cameras alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from camerabias.analysis.effects.camera_sums import within_label
from camerabias.analysis.statistics.bootstrap import Estimate, Floats, resample
from camerabias.analysis.statistics.permutation import with_seeds
from camerabias.trainables.records.record import ProbeArrays

ARMS = ("before", "equalised", "sham")
SWAPS = ("swapped", "swapped_sham")


@dataclass(frozen=True)
class MovedCue:
    """What becomes of the risk difference when a cue is brought to another level; intervals resample whole groups.

    Attributes:
        before: The risk difference of the photos as they are.
        equalised: With the cue at one level.
        sham: With the same changes, which do not make cameras alike.
        drop: `sham` minus `equalised`: what the cue itself comes to.
        swapped: Of photos given the cue of a camera with another associated label, the share whose predictions change
            to that label, minus the share that changes against it. NaN where there is none, as the next.
        swapped_sham: The same where they are given the change of other cameras' photos in its place.
        photos: How many were moved.
    """

    before: Estimate
    equalised: Estimate
    sham: Estimate
    drop: Estimate
    swapped: Estimate
    swapped_sham: Estimate
    photos: int

    @property
    def is_used(self) -> bool:
        """Whether all of the interval of `drop` is above 0."""
        return self.drop.low > 0

    @property
    def may_be_most(self) -> bool:
        """Whether the drop comes to half of the risk difference or more, be it certain or not."""
        return self.drop.mean >= self.before.mean / 2 > 0

    @property
    def is_most(self) -> bool:
        """Whether, beside that, half of the risk difference or more is gone."""
        return self.is_used and self.equalised.mean <= self.before.mean / 2


_NAMES = ("image_id", "label", "camera", "group", *ARMS, *SWAPS, *(f"{name}_camera" for name in SWAPS))
"""Of a probe's arrays, those that are read."""


def moved_cue(seeds: Sequence[ProbeArrays], associated: Mapping[str, str]) -> MovedCue | None:
    """Compare predictions of the same photos with a cue at different levels.

    Args:
        seeds: Per seed, arrays of the probe that moves the cue.
        associated: Associated label by camera, in training.

    Returns:
        None where some seed does not know the cameras' levels, or has the arrays of an earlier version; or no photo
        could tell.
    """
    if not seeds or not all({*_NAMES} <= {*arrays} for arrays in seeds):
        return None
    rows = with_seeds([_frame(arrays) for arrays in seeds])
    rows["associated"] = rows["camera"].map(dict(associated))
    tied = within_label(rows, "associated")
    sums = pd.DataFrame({arm: (within_label(rows, arm) * tied).sum(axis=1) for arm in ARMS})
    sums["could"] = (tied**2).sum(axis=1)
    if not sums["could"].sum() > 0:
        return None
    known = rows.dropna(subset=["associated"])
    aligned = known["label"] == known["associated"]
    n_groups = min(known.loc[side, "group"].nunique() for side in (aligned, ~aligned))
    table = sums.set_index(pd.MultiIndex.from_frame(rows[["group", "seed"]]))
    before, equalised, sham = (resample(table[[arm, "could"]], _ratio, n_groups, (-1.0, 1.0)) for arm in ARMS)
    drop = resample(table[["sham", "equalised", "could"]], _difference, n_groups, (-2.0, 2.0))
    swapped, swapped_sham = (_gone_over(rows, associated, arm) for arm in SWAPS)
    return MovedCue(before, equalised, sham, drop, swapped, swapped_sham, rows["image_id"].nunique())


def _frame(arrays: ProbeArrays) -> pd.DataFrame:
    return pd.DataFrame({name: arrays[name] for name in _NAMES})


def _gone_over(rows: pd.DataFrame, associated: Mapping[str, str], arm: str) -> Estimate:
    """How many more predictions change to the label of the camera that a photo is swapped with than against it."""
    rows = rows[rows[f"{arm}_camera"] != ""]
    rows = rows.assign(other=rows["swapped_camera"].map(dict(associated)))
    rows = rows.dropna(subset=["associated", "other"]).query("associated != other")
    left, reached = (
        (rows[after] == rows[label]).astype(float) - (rows[first] == rows[label])
        for after, first, label in (("before", arm, "associated"), (arm, "before", "other"))
    )
    table = pd.DataFrame({"changed": (left + reached) / 2, "photos": 1.0})
    index = pd.MultiIndex.from_frame(rows[["group", "seed"]])
    return resample(table.set_index(index), _ratio, rows["group"].nunique(), (-1.0, 1.0))


def _ratio(sums: Floats) -> Floats:
    found: Floats = sums[..., 0] / sums[..., 1]
    return found


def _difference(sums: Floats) -> Floats:
    found: Floats = (sums[..., 0] - sums[..., 1]) / sums[..., 2]
    return found
