"""How cameras differ in their photos' pixel statistics, all that is found."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from camerabias.analysis.cues.camera_differences import camera_differences
from camerabias.analysis.cues.recognition import Recognition, recognise


@dataclass(frozen=True)
class Differences:
    """How cameras differ.

    Attributes:
        table: As `camera_differences` gives it.
        camera: How well the camera is recognised within a label; None where no label has two cameras.
        label: How well the label is recognised; None of one label.
    """

    table: pd.DataFrame
    camera: Recognition | None
    label: Recognition | None


def compare_cameras(rows: pd.DataFrame) -> Differences:
    """Compare cameras without asking how well they are recognised, which takes seconds.

    Args:
        rows: A row per photo: label, camera, group, and a column per pixel statistic.
    """
    return Differences(camera_differences(rows), None, None)


def find_differences(facts: pd.DataFrame, pixels: pd.DataFrame) -> Differences:
    """Compare cameras.

    Args:
        facts: A row per photo, as `gather_facts` gives them: image_id, label, camera, group and fold are read.
        pixels: A row per photo: image_id, and a column per pixel statistic.
    """
    rows = facts[["image_id", "label", "camera", "group", "fold"]].merge(
        pixels, on="image_id", validate="1:1"
    )
    return Differences(camera_differences(rows), recognise(rows, "camera"), recognise(rows, "label"))
