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
    counts = frame.groupby(["label", "camera", "prediction"]).size().rename("n").reset_index()
    counts["associated_label"] = counts["camera"].map(dict(associated))
    table = _given(counts, ["label", "camera", "associated_label"]).reset_index()
    alike = _given(counts, ["label", "associated_label"])  # of all cameras with one associated label
    cells = pd.MultiIndex.from_frame(table[["label", "associated_label"]])
    photos, given = counts.groupby("label")["n"].sum(), counts.groupby(["label", "prediction"])["n"].sum()
    table["photos_of_others"] = (
        table["label"].map(photos).to_numpy() - alike["photos"].reindex(cells).to_numpy()
    )
    table["given_of_others"] = (
        given.reindex(cells, fill_value=0).to_numpy() - alike["given"].reindex(cells).to_numpy()
    )
    table = table[(table["label"] != table["associated_label"]) & (table["photos_of_others"] > 0)]
    beyond = table["given"] - table["photos"] * table["given_of_others"] / table["photos_of_others"]
    order = beyond.astype(float).sort_values(ascending=False, kind="stable").index
    return table.loc[order, list(GIVEN_COLUMNS)].reset_index(drop=True)


def _given(counts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Predictions (`photos`), and those that are the associated label (`given`), by some columns."""
    given = counts["n"].where(counts["prediction"] == counts["associated_label"], 0)
    return counts.assign(given=given).groupby(by)[["n", "given"]].sum().rename(columns={"n": "photos"})
