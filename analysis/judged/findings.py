"""What predictions alone tell of a classifier, by the tests that decide of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from camerabias.analysis.design.answers import QUESTIONS, answer_of_rows
from camerabias.analysis.design.design import Answer, Answerable
from camerabias.analysis.design.power import find_effect, photos_to_balance
from camerabias.analysis.effects.by_view import CAMERA_COLUMNS, LABEL_COLUMNS
from camerabias.analysis.effects.shortcut_effect import shortcut_effect
from camerabias.analysis.statistics.association import associate, associated_labels
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.evidence.base import Audited, Findings
from camerabias.analysis.verdict.findings import run_tests
from camerabias.datasets.schema import CamerabiasError, Target

CLASSIFIER = "the classifier"
"""The model's name, where only its predictions are known."""


@dataclass(frozen=True)
class Judged:
    """Predictions, and what is known of training.

    Attributes:
        rows: A row per prediction: columns image_id, label, camera, group, prediction and seed, and predicted_camera
            where there is one.
        scores: As many rows, a column of numbers per class; no columns where there are none.
        training: Label, camera and group of every photo that trained; None where that is not known.
        stated: Associated label by camera, where somebody has stated it.
        source: The table of predictions, as a word of a command line.
        tables: What was read, in words by what it is of, for a page.
    """

    rows: pd.DataFrame
    scores: pd.DataFrame
    training: pd.DataFrame | None = None
    stated: Mapping[str, str] | None = None
    source: str = "predictions.csv"
    tables: Mapping[str, str] = field(default_factory=dict)

    @property
    def unseen_cameras(self) -> list[str]:
        """Cameras of the rows that training never saw, as far as that is known."""
        if self.training is None:
            return []
        return sorted({*self.rows["camera"].unique()} - {*self.training["camera"].unique()})

    @property
    def seen(self) -> pd.DataFrame:
        """The rows of cameras that training saw: photos of others are predicted wrong more often."""
        unseen = self.unseen_cameras
        return self.rows[~self.rows["camera"].isin(unseen)] if unseen else self.rows


def find_judged(judged: Judged) -> Findings:
    """Run the tests of a verdict on predictions.

    Raises:
        CamerabiasError: Training and predictions have no camera in common, or what was stated names no label or
            camera of theirs.
    """
    _refuse_strangers(judged)
    design = _design(judged)
    label_rows = [*rows_by_seed(judged.seen, "label", "prediction")]
    has_cameras = "predicted_camera" in judged.rows
    return run_tests(
        Audited(
            model=CLASSIFIER,
            design=design,
            cameras=pd.DataFrame(columns=list(CAMERA_COLUMNS)),
            labels=pd.DataFrame(columns=list(LABEL_COLUMNS)),
            effects={CLASSIFIER: shortcut_effect(label_rows, design.associated_labels)},
            label_rows=label_rows,
            score_rows=[*_scores_by_seed(judged)],
            camera_rows=[*rows_by_seed(judged.seen, "camera", "predicted_camera")] if has_cameras else [],
            judged=True,
            source=judged.source,
        )
    )


def rows_by_seed(rows: pd.DataFrame, target: Target, prediction: str) -> Iterator[pd.DataFrame]:
    """Predictions of a target as `Records.predictions` gives them, a frame per seed.

    Args:
        rows: As in `Judged`.
        target: What is predicted.
        prediction: The column that holds it.
    """
    for _, frame in rows.groupby("seed"):
        yield frame[["image_id", "label", "camera", "group"]].assign(
            draw=0, prediction=frame[prediction], truth=frame[target]
        )


def _scores_by_seed(judged: Judged) -> Iterator[pd.DataFrame]:
    if judged.scores.shape[1]:
        for _, frame in judged.seen.groupby("seed"):
            yield judged.scores.loc[frame.index]


def _design(judged: Judged) -> Answerable:
    tested = judged.seen.drop_duplicates("image_id")
    training = tested if judged.training is None else judged.training
    if judged.stated is not None:
        associated, association = dict(judged.stated), None
    else:
        associated = associated_labels(pd.crosstab(training["label"], training["camera"]))
        association = associate(training)
        if judged.training is None and not association.p <= LEVEL:
            associated = {}
    effect = find_effect("the judged photos", tested, associated)
    answer = answer_of_rows(tested, associated, effect)
    if answer.answerable and not associated and judged.training is None:
        answer = Answer(question=QUESTIONS["use"], answerable=False, why=_NOT_ASSOCIATED)
    return Answerable(
        associated_labels=associated,
        association=association,
        effects=(effect,),
        answers={"use": answer},
        to_balance=() if judged.training is None else photos_to_balance(judged.training, associated),
    )


_NOT_ASSOCIATED = (
    "Label and camera are not significantly associated in the judged photos, and nothing else says which label each "
    "camera is associated with in training. So it is not known what using the camera would look like."
)


def _refuse_strangers(judged: Judged) -> None:
    cameras, labels = (sorted(judged.rows[name].unique()) for name in ("camera", "label"))
    if judged.training is not None and {*cameras} == {*judged.unseen_cameras}:
        trained = sorted(judged.training["camera"].unique())
        raise CamerabiasError(
            f"No camera of the judged photos ({_some(cameras)}) is one of training ({_some(trained)}); write both in "
            "the same words."
        )
    for camera, label in (judged.stated or {}).items():
        for what, word, known in (("camera", camera, cameras), ("label", label, labels)):
            if word not in known:
                raise CamerabiasError(
                    f"{camera}={label} is stated to be associated, but no judged photo has the {what} {word!r}; they "
                    f"have {_some(known)}."
                )


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
