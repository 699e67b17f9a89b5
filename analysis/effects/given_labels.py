"""Where predictions depend on the camera: by label and camera, photos that are given its associated label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

GIVEN_COLUMNS = (
    "label", "camera", "associated_label", "photos", "given", "photos_of_others", "given_of_others"
)  # fmt: skip


def given_labels(rows: Sequence[pd.DataFrame], associated: Mapping[str, str]) -> pd.DataFrame:
    """Compare each camera's photos of a label with other cameras' photos of it.

    Args:
        rows: Predictions of the label, a frame per seed: columns label, camera, prediction.
        associated: Associated label by camera.

    Returns:
        A row per label and camera whose associated label is another, the one that deviates most first: of its
        predictions (`photos`) those that are the camera's associated label (`given`), and the same of cameras with
        another associated label. Without labels that no other such camera took.
    """
    frame = pd.concat([*rows, pd.DataFrame(columns=["label", "camera", "prediction"])], ignore_index=True)
    frame["own"] = frame["camera"].map(dict(associated))
    found: list[tuple[str, str, str, int, int, int, int]] = []
    for (label, camera), cell in frame.dropna(subset="own").groupby(["label", "camera"]):
        own = associated[str(camera)]
        others = frame[(frame["label"] == label) & (frame["own"] != own)]
        if own == label or others.empty:
            continue
        given, given_of_others = (int((some["prediction"] == own).sum()) for some in (cell, others))
        found.append((str(label), str(camera), own, len(cell), given, len(others), given_of_others))
    found.sort(key=_beyond_others, reverse=True)
    return pd.DataFrame(found, columns=list(GIVEN_COLUMNS))


def _beyond_others(row: tuple[str, str, str, int, int, int, int]) -> float:
    """How many more photos are given the label than if this camera's were given it as often as those of others."""
    *_, photos, given, photos_of_others, given_of_others = row
    return given - photos * given_of_others / photos_of_others
