"""What a claim can be decided on: the records of a run, or the numbers that the paper prints.

Both offer the same: entries by model, and estimates of weighted sums of their accuracies. So one decider serves both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from camerabias.analysis.paper.published import DOWNSAMPLED, printed_estimate, printed_numbers
from camerabias.analysis.records.records import Cameras, Records, SeedPredictions
from camerabias.analysis.statistics.accuracy import chance, contrast
from camerabias.analysis.statistics.bootstrap import Estimate, combine
from camerabias.datasets.schema import Target
from camerabias.trainables.records.study import StudyCell

PREFERRED_MODEL = "resnet34"
"""The model of the paper's figures."""

Entry = TypeVar("Entry")


class ClaimedCells(BaseModel):
    """The cells that a claim is about, one per model.

    Attributes:
        target: What is learned.
        setting: Setting of the training images.
        view: Train view, whatever its parameters.
        test_view: Test view; None for the train view.
        cameras: Cameras of the test images.
        models: Which models: all; the one that the paper's figures show (ResNet34, or else the run's first); all but
            that one; or those that see fewer pixels than the images have.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Target
    setting: str
    view: str = "rgb"
    test_view: str | None = None
    cameras: Cameras = "all"
    models: Literal["all", "first", "others", "downsampled"] = "all"

    @property
    def view_kinds(self) -> tuple[str, str]:
        """Train and test view."""
        return self.view, self.test_view or self.view

    @property
    def views(self) -> str:
        """Both views as one word: `rgb`, or `left → right` where they differ."""
        return " → ".join(dict.fromkeys(self.view_kinds))


class NotTestedError(Exception):
    """The evidence does not bear on a claim; its message is the reason."""


class Evidence(ABC, Generic[Entry]):
    """Where accuracies come from."""

    def chosen(self, claimed: ClaimedCells) -> dict[str, Entry]:
        """Entries of the models that a claim is about.

        Raises:
            NotTestedError: There are none.
        """
        entries = self.entries(claimed)
        found = {model: entries[model] for model in self._belonging(claimed) if model in entries}
        if not found:
            raise NotTestedError(self._why_none(claimed, bool(entries)))
        return found

    def unfinished(self, claimed: ClaimedCells) -> list[str]:
        """Models that a claim is about, and of which there is nothing yet."""
        entries = self.entries(claimed)
        return [model for model in self._belonging(claimed) if model not in entries]

    def _belonging(self, claimed: ClaimedCells) -> list[str]:
        """Models that a claim is about, of those that were asked for, whether there is anything of them or not."""
        asked = self.asked(claimed)
        preferred = [model for model in asked if model.partition(" at ")[0] == PREFERRED_MODEL]
        first = next(iter([*preferred, *asked]), None)
        belongs = {
            "all": lambda model: True,
            "first": lambda model: model == first,
            "others": lambda model: model != first,
            "downsampled": self.is_downsampled,
        }[claimed.models]
        return [model for model in asked if belongs(model)]

    def _why_none(self, claimed: ClaimedCells, others: bool) -> str:
        if not others or self._belonging(claimed):
            return self.nothing(claimed)
        return {
            "others": "there is only one model",
            "downsampled": "no model sees fewer pixels than the photos have",
        }[claimed.models]

    @abstractmethod
    def asked(self, claimed: ClaimedCells) -> list[str]:
        """Models of the claimed cells, whatever `claimed.models` says."""

    @abstractmethod
    def entries(self, claimed: ClaimedCells) -> dict[str, Entry]:
        """What there is of the claimed cells, by model, whatever `claimed.models` says."""

    @abstractmethod
    def nothing(self, claimed: ClaimedCells) -> str:
        """Why there is nothing of what is claimed."""

    @abstractmethod
    def weigh(self, terms: Sequence[tuple[float, Entry]]) -> Estimate:
        """A weighted sum of accuracies."""

    @abstractmethod
    def chance(self, claimed: ClaimedCells, entry: Entry) -> float:
        """The majority baseline, which looks at no image."""

    @abstractmethod
    def is_downsampled(self, model: str) -> bool:
        """Whether a model sees fewer pixels than the images have."""


class Recorded(Evidence[SeedPredictions]):
    """The finished trials of a run's studies that repeat the paper."""

    def __init__(self, records: Records) -> None:
        self.records = records.repeating_paper()

    def cells(self, claimed: ClaimedCells) -> dict[str, StudyCell]:
        """The cells of what is claimed, by model, finished or not."""
        cells = self.records.cells(claimed.target, claimed.setting)
        return {self.records.model_name(c): c for c in cells if c.view_kinds == claimed.view_kinds}

    def asked(self, claimed: ClaimedCells) -> list[str]:
        """Models whose trials were asked for, finished or not."""
        return list(self.cells(claimed))

    def entries(self, claimed: ClaimedCells) -> dict[str, SeedPredictions]:
        """Predictions of each model's finished trials."""
        rows = {m: self.records.test_rows(cell, claimed.cameras) for m, cell in self.cells(claimed).items()}
        return {model: found for model, found in rows.items() if found}

    def nothing(self, claimed: ClaimedCells) -> str:
        """Why there is nothing of what is claimed."""
        return f"no finished trial on the {claimed.target} under {claimed.setting}, {claimed.views}"

    def weigh(self, terms: Sequence[tuple[float, SeedPredictions]]) -> Estimate:
        """A weighted sum of accuracies over the seeds that all terms have.

        Raises:
            NotTestedError: There is no such seed.
        """
        found = contrast(terms)
        if not found.n_seeds:
            raise NotTestedError("no seed has finished in all that is compared")
        return found

    def chance(self, claimed: ClaimedCells, entry: SeedPredictions) -> float:
        """The share of the most frequent class among the test photos."""
        return chance(list(entry.values()))

    def is_downsampled(self, model: str) -> bool:
        """Whether any of the model's cells says so."""
        cells = [cell for study in self.records.studies.values() for cell in study.cells]
        return any(cell.downsampled for cell in cells if self.records.model_name(cell) == model)


class Printed(Evidence[Estimate]):
    """The paper's tables."""

    def entries(self, claimed: ClaimedCells) -> dict[str, Estimate]:
        """Each model's printed accuracy, which the paper gives for all cameras together."""
        if claimed.cameras != "all":
            return {}
        numbers = printed_numbers()
        columns = ["target", "setting", "train_view", "test_view"]
        rows = numbers[
            (numbers[columns] == [claimed.target, claimed.setting, *claimed.view_kinds]).all(axis=1)
        ]
        return {model: printed_estimate(a) for model, a in zip(rows["model"], rows["accuracy"], strict=True)}

    def asked(self, claimed: ClaimedCells) -> list[str]:
        """Models whose numbers are printed."""
        return list(self.entries(claimed))

    def nothing(self, claimed: ClaimedCells) -> str:
        """Why there is nothing of what is claimed."""
        return "the paper prints no such numbers"

    def weigh(self, terms: Sequence[tuple[float, Estimate]]) -> Estimate:
        """A weighted sum, as if each number came from photos of its own: the paper does not tell which were right."""
        return terms[0][1] if len(terms) == 1 else combine(terms)

    def chance(self, claimed: ClaimedCells, entry: Estimate) -> float:
        """Two manufacturers or five cameras, all equally frequent."""
        return {"label": 1 / 2, "camera": 1 / 5}[claimed.target]

    def is_downsampled(self, model: str) -> bool:
        """Whether the paper gives the model smaller images."""
        return model in DOWNSAMPLED
