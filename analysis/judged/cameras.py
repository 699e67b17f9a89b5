"""Accuracy by camera of judged predictions, those that training never saw apart."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from camerabias.analysis.judged.findings import Judged, rows_by_seed
from camerabias.analysis.statistics.accuracy import accuracy


def right_by_cell(judged: Judged) -> pd.DataFrame:
    """How many predictions are right of how many, labels × cameras: the plainest picture of a shortcut.

    Returns:
        A row per label: `label`, and a column per camera of text such as `4 of 31`; `-` where nothing was tested.
    """
    rows = judged.rows.assign(right=judged.rows["prediction"] == judged.rows["label"])
    counted = rows.groupby(["label", "camera"])["right"].agg(["sum", "size"])
    shown = counted["sum"].astype(str) + " of " + counted["size"].astype(str)
    return shown.unstack(fill_value="-").rename_axis(columns=None).reset_index()


def accuracy_by_camera(judged: Judged, associated: Mapping[str, str]) -> pd.DataFrame:
    """A row per camera, the one with most photos first.

    Args:
        judged: Predictions.
        associated: Associated label by camera.

    Returns:
        Columns camera, seen (whether training saw it, as far as that is known), associated_label (None where it has
        none), photos, accuracy (0 to 1) with accuracy_low and accuracy_high (95 %), and given_associated: the share
        of photos of other labels for which the associated label is predicted.
    """
    unseen = judged.unseen_cameras
    rows = []
    for camera, of in judged.rows.groupby("camera"):
        label = associated.get(str(camera))
        others = of[of["label"] != label]
        rows.append(
            {
                "camera": camera,
                "seen": camera not in unseen,
                "associated_label": label,
                "photos": of["image_id"].nunique(),
                **accuracy([*rows_by_seed(of, "label", "prediction")]).named("accuracy"),
                "given_associated": (others["prediction"] == label).mean()
                if label is not None
                else float("nan"),
            }
        )
    return pd.DataFrame(rows).sort_values(["photos", "camera"], ascending=[False, True], ignore_index=True)
