"""Settings: which images of the training folds are used, as a rule over label × camera cells.

To add a setting, write a function from a dataset's manifest to a `Setting` and register it in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, model_validator

from camerabias.datasets.near_names import allowed_names
from camerabias.datasets.schema import N_FOLDS, STRENGTH, WITHOUT, CamerabiasError, DatasetManifest

CellName = tuple[str, str]
"""(label, camera)."""

PAPER_CAMERAS = ("iPhone", "Samsung", "Huawei", "Redmi", "Vivo")
PAPER_PARTIAL = ("iPhone", "Samsung")
PAPER_DISJOINT = (("iPhone", "Samsung"), ("Huawei", "Redmi"))
"""Paper, section IV-B: the cameras of manufacturer 1 and of manufacturer 2; Vivo stays unseen."""

LEAVE_ONE_CAMERA_OUT = "leave-one-camera-out"
RESERVED = (STRENGTH, WITHOUT, LEAVE_ONE_CAMERA_OUT)
"""How names of rules that are not in `RULES` begin: two go on with a value, the last stands for several rules."""


class Setting(BaseModel):
    """A setting with its rule spelt out for one dataset.

    Attributes:
        name: What tables call it.
        cells: The (label, camera) cells whose images train; None stands for all of them.
        equal_counts: Whether every cell is cut down to the size of the smallest.
        weights: Relative numbers of images of the cells, which are cut down to as many as these proportions allow;
            None leaves the cells as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    cells: tuple[CellName, ...] | None
    equal_counts: bool
    weights: tuple[float, ...] | None = None

    @model_validator(mode="after")
    def _check(self) -> Setting:
        if self.cells is not None and not self.cells:
            raise ValueError(f"setting {self.name!r} lists no cells")
        weights = self.weights
        if weights is not None and (
            self.equal_counts or len(weights) != len(self.cells or ()) or min(weights) <= 0
        ):
            raise ValueError(f"setting {self.name!r} needs a positive weight for every cell, or none at all")
        return self

    def describe_cells(self) -> str:
        """Its cells for people: `a × x, b × y`, or with weights `a × x (0.75), ...`."""
        weights = (
            [""] * len(self.cells or ()) if self.weights is None else [f" ({w:g})" for w in self.weights]
        )
        cells = zip(self.cells or (), weights, strict=True)
        return ", ".join(f"{label} × {camera}{weight}" for (label, camera), weight in cells)

    def seen_cameras(self, manifest: DatasetManifest) -> tuple[str, ...]:
        """Cameras of the training images, in the manifest's order; the others are unseen."""
        if self.cells is None:
            return manifest.cameras
        seen = {camera for _, camera in self.cells}
        return tuple(camera for camera in manifest.cameras if camera in seen)


def natural(_: DatasetManifest) -> Setting:
    """Every image as given."""
    return Setting(name="natural", cells=None, equal_counts=False)


def balanced(manifest: DatasetManifest) -> Setting:
    """Equal counts from every label × camera cell."""
    cells = [(label, camera) for label in manifest.labels for camera in manifest.cameras]
    empty = [cell for cell in cells if manifest.count(*cell) == 0]
    if empty:
        raise CamerabiasError(
            f"Setting 'balanced' needs photos in every label × camera cell, and there are none of "
            f"{_name_cells(empty)}. Take such photos, exclude the label or the camera, or list cells "
            "in a study file."
        )
    return Setting(name="balanced", cells=tuple(cells), equal_counts=True)


def partial(manifest: DatasetManifest) -> Setting:
    """Some cameras alone, with every label: the others are unseen.

    On the paper's names iPhone and Samsung; otherwise that half of the cameras (rounded down, at least one)
    whose smallest cell is largest.
    """
    if set(PAPER_CAMERAS) <= set(manifest.cameras):
        chosen = list(PAPER_PARTIAL)
    else:
        smallest = {c: min(manifest.count(label, c) for label in manifest.labels) for c in manifest.cameras}
        able = [camera for camera in manifest.cameras if smallest[camera] > 0]
        if not able or len(manifest.cameras) < 2:
            raise CamerabiasError(
                "Setting 'partial' needs two cameras, and photos of every label from at least one of them; "
                f"{_describe(manifest)}."
            )
        keep = max(1, len(manifest.cameras) // 2)
        ranked = sorted(able, key=lambda camera: -smallest[camera])[:keep]
        chosen = [camera for camera in manifest.cameras if camera in ranked]
    cells = tuple((label, camera) for camera in chosen for label in manifest.labels)
    return Setting(name="partial", cells=cells, equal_counts=False)


def disjoint(manifest: DatasetManifest) -> Setting:
    """Every camera belongs to one label alone, so that the camera gives the label away.

    On the paper's names as in the paper; otherwise every label gets one camera of its own such that the
    smallest of these cells is as large as can be, then the other cameras go, largest first, to the label with
    the fewest photos so far, and the last one stays unseen where there are more cameras than labels.
    """
    first, second = PAPER_DISJOINT
    if len(manifest.labels) == 2 and set(PAPER_CAMERAS) <= set(manifest.cameras):
        cells = [(manifest.labels[0], camera) for camera in first]
        cells += [(manifest.labels[1], camera) for camera in second]
        return Setting(name="disjoint", cells=tuple(cells), equal_counts=False)
    return Setting(name="disjoint", cells=_deal_cameras(manifest), equal_counts=False)


RULES: dict[str, Callable[[DatasetManifest], Setting]] = {
    "natural": natural,
    "balanced": balanced,
    "partial": partial,
    "disjoint": disjoint,
}


def strength(value: str, manifest: DatasetManifest) -> Setting:
    """`disjoint` by degrees S, from 0, where a camera says nothing about the label, to 1, where it gives it away.

    Of the images of each camera of `disjoint`, its own label has the share (1 + S (L - 1)) / L, and every other one
    (1 - S) / L, with L labels; all of these cameras have equally many.
    """
    degree = parse_strength(value)
    labels, others = manifest.labels, (1 - degree) / len(manifest.labels)
    weights = {
        (label, camera): others + degree * (label == own)
        for own, camera in disjoint(manifest).cells or ()
        for label in labels
        if label == own or others > 0
    }
    empty = [cell for cell in weights if manifest.count(*cell) == 0]
    if empty:
        raise CamerabiasError(
            f"Setting '{STRENGTH}{value}' needs photos of every label from the cameras that 'disjoint' uses, and "
            f"there are none of {_name_cells(empty)}. Take such photos, or ask for {STRENGTH}1 alone."
        )
    return Setting(
        name=f"{STRENGTH}{degree:g}",
        cells=tuple(weights),
        equal_counts=False,
        weights=tuple(round(weight, 9) for weight in weights.values()),  # 0.35, not 0.35000000000000003
    )


def parse_strength(value: str) -> float:
    """What stands behind `strength-`, as a number from 0 to 1.

    Raises:
        CamerabiasError: It is none.
    """
    try:
        degree = float(value)
    except ValueError:
        degree = -1
    if not 0 <= degree <= 1:
        raise CamerabiasError(
            f"Setting '{STRENGTH}{value}' is not known: after {STRENGTH} stands a number from 0 (balanced) to 1 "
            f"(disjoint), such as {STRENGTH}0.5."
        )
    return degree


def without(camera: str, manifest: DatasetManifest) -> Setting:
    """Every image but those of one camera, which is then unseen."""
    able = _able_to_lack(manifest)
    if camera not in able:
        raise CamerabiasError(
            f"Setting '{WITHOUT}{camera}' needs a camera without which every label still has photos, one of "
            f"{', '.join(able) or '(none)'}; {_describe(manifest)}."
        )
    cells = [(label, other) for label in manifest.labels for other in manifest.cameras if other != camera]
    return Setting(
        name=f"{WITHOUT}{camera}",
        cells=tuple(cell for cell in cells if manifest.count(*cell) > 0),
        equal_counts=False,
    )


def leave_one_camera_out(manifest: DatasetManifest) -> list[Setting]:
    """A setting for every camera without which every label still has photos.

    Raises:
        CamerabiasError: There is no such camera.
    """
    able = _able_to_lack(manifest)
    if not able:
        raise CamerabiasError(
            f"Setting {LEAVE_ONE_CAMERA_OUT!r} needs a camera without which every label still has photos; "
            f"{_describe(manifest)}."
        )
    return [without(camera, manifest) for camera in able]


def _able_to_lack(manifest: DatasetManifest) -> list[str]:
    return [
        camera
        for camera in manifest.cameras
        if all(
            any(manifest.count(label, other) for other in manifest.cameras if other != camera)
            for label in manifest.labels
        )
    ]


def check_name(name: str) -> None:
    """Raise a CamerabiasError unless it is the name of a setting, as far as this can be said without a dataset."""
    if name.startswith(STRENGTH):
        parse_strength(name.removeprefix(STRENGTH))
    elif name not in RULES and not name.startswith(WITHOUT):
        raise CamerabiasError(
            f"Setting {name!r} is not known{allowed_names(name, RULES)}, {STRENGTH}0 to {STRENGTH}1, "
            f"{WITHOUT}CAMERA, or a mapping with `name` and `cells`; among the settings of a study "
            f"also {LEAVE_ONE_CAMERA_OUT}."
        )


def resolve_setting(given: str | dict[str, Any], manifest: DatasetManifest) -> Setting:
    """Spell out a setting for a dataset.

    Args:
        given: The name of a rule, or `{"name": ..., "cells": [[label, camera], ...]}`.
        manifest: The dataset's manifest.

    Raises:
        CamerabiasError: The name is unknown, or the dataset's cells cannot serve the rule.
    """
    if isinstance(given, str):
        check_name(given)
        if given.startswith(STRENGTH):
            return strength(given.removeprefix(STRENGTH), manifest)
        if given.startswith(WITHOUT):
            return without(given.removeprefix(WITHOUT), manifest)
        return RULES[given](manifest)
    cells = tuple((str(label), str(camera)) for label, camera in given["cells"])
    unknown = [cell for cell in cells if cell[0] not in manifest.labels or cell[1] not in manifest.cameras]
    if unknown:
        raise CamerabiasError(
            f"Setting {given['name']!r} names {_name_cells(unknown)}, which the dataset lacks; {_describe(manifest)}."
        )
    return Setting(name=given["name"], cells=cells, equal_counts=bool(given.get("equal_counts", False)))


def _deal_cameras(manifest: DatasetManifest) -> tuple[CellName, ...]:
    labels, cameras = manifest.labels, manifest.cameras
    counts = np.array([[manifest.count(label, camera) for camera in cameras] for label in labels])
    counts[counts < N_FOLDS] = 0  # a cell trains, validates and tests only with an image in every fold
    owner = _one_camera_per_label(counts)
    if owner is None:
        raise CamerabiasError(
            f"Setting 'disjoint' needs a camera of its own for every label, with {N_FOLDS} photos of that label "
            f"or more; {_describe(manifest)}."
        )
    load = {label: counts[label, camera] for camera, label in owner.items()}
    rest = sorted((c for c in range(len(cameras)) if c not in owner), key=lambda c: -counts[:, c].max())
    for camera in rest[:-1]:  # the last one stays unseen
        able = [label for label in range(len(labels)) if counts[label, camera] > 0]
        if not able:
            continue
        label = min(able, key=lambda label: load[label])
        owner[camera] = label
        load[label] += counts[label, camera]
    return tuple((labels[owner[c]], cameras[c]) for c in sorted(owner, key=lambda c: (owner[c], c)))


def _one_camera_per_label(counts: npt.NDArray[np.int64]) -> dict[int, int] | None:
    """Camera → label, one camera for each label, the smallest cell as large as can be; None if impossible."""
    from scipy.optimize import linear_sum_assignment  # late: every worker imports this file, few assign

    for floor in sorted(set(counts[counts > 0].tolist()), reverse=True):
        allowed = counts >= floor
        rows, columns = linear_sum_assignment(allowed.astype(float), maximize=True)
        if len(rows) == len(counts) and allowed[rows, columns].all():
            return {int(camera): int(label) for label, camera in zip(rows, columns, strict=True)}
    return None


def _name_cells(cells: list[CellName]) -> str:
    shown = ", ".join(f"{label} × {camera}" for label, camera in cells[:5])
    return shown + (f" and {len(cells) - 5} more" if len(cells) > 5 else "")


def _describe(manifest: DatasetManifest) -> str:
    return f"the dataset has labels {', '.join(manifest.labels)} and cameras {', '.join(manifest.cameras)}"
