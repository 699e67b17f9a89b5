"""Where predictions depend on the camera: by label and camera, photos that are given its associated label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class MisledCell:
    """Photos of one label by one camera that are given the camera's associated label in place of their own.

    Attributes:
        label: Their label.
        camera: What took them.
        prediction: What they are given: the camera's associated label.
        photos: Predictions of photos with this label and camera.
        given: Those that are the camera's associated label.
        photos_of_others: Predictions of photos of the label by cameras with another associated label.
        given_of_others: Those that are this camera's associated label.
        image_ids: The photos, each once.
    """

    label: str
    camera: str
    prediction: str
    photos: int
    given: int
    photos_of_others: int
    given_of_others: int
    image_ids: tuple[str, ...]


def misled_cells(rows: Sequence[pd.DataFrame], associated: Mapping[str, str]) -> list[MisledCell]:
    """Label and camera of photos that are given the camera's associated label, the most frequent first.

    Args:
        rows: As of `given_labels`, with a column image_id.
        associated: Associated label by camera.
    """
    table = given_labels(rows, associated).sort_values("given", ascending=False, kind="stable")
    predictions = pd.concat([*rows, pd.DataFrame(columns=["image_id", "label", "camera", "prediction"])])
    images = predictions.groupby(["label", "camera", "prediction"])["image_id"].unique().to_dict()
    return [
        MisledCell(
            cell["label"], cell["camera"], cell["associated_label"], cell["photos"], cell["given"],
            cell["photos_of_others"], cell["given_of_others"],
            tuple(images[cell["label"], cell["camera"], cell["associated_label"]]),
        )
        for cell in table[table["given"] > 0].to_dict("records")
    ]  # fmt: skip


def describe_misled(cells: Sequence[MisledCell]) -> str:
    """Photos that are named as their camera, in a line: how many of the camera with most, and of all others."""
    named: dict[tuple[str, str], int] = {}
    for cell in cells:
        key = (cell.camera, cell.prediction)
        named[key] = named.get(key, 0) + len(cell.image_ids)
    camera, label = max(named, key=named.__getitem__)
    n, others = named[camera, label], sum(named.values()) - named[camera, label]
    more = f"; {others} by others are given theirs" if others else ""
    return f"{n} photos by {camera!r} are named {label!r}, the label that goes with this camera{more}"


def _given(counts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Predictions (`photos`), and those that are the associated label (`given`), by some columns."""
    given = counts["n"].where(counts["prediction"] == counts["associated_label"], 0)
    return counts.assign(given=given).groupby(by)[["n", "given"]].sum().rename(columns={"n": "photos"})
