"""What a claim can be decided on: the records of a run, or the numbers that the paper prints.

Both offer the same: entries by model, and estimates of weighted sums of their accuracies. So one decider serves both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from camerabias.analysis.paper.published import DOWNSAMPLED, printed_estimate, printed_numbers
from camerabias.analysis.records.records import Cameras, Records, Rows
from camerabias.analysis.statistics.accuracy import chance, contrast
from camerabias.analysis.statistics.bootstrap import Estimate, combine
from camerabias.datasets.schema import Target
from camerabias.trainables.records.study import StudyCell

PREFERRED_MODEL = "resnet34"
"""The model of the paper's figures."""

Entry = TypeVar("Entry")


class Choice(BaseModel):
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

    def chosen(self, choice: Choice) -> dict[str, Entry]:
        """Entries of the models that a choice is about.

        Raises:
            NotTestedError: There are none.
        """
        entries = self.entries(choice)
        found = {model: entries[model] for model in self._belonging(choice) if model in entries}
        if not found:
            raise NotTestedError(self._why_none(choice, bool(entries)))
        return found

    def unfinished(self, choice: Choice) -> list[str]:
        """Models that a choice is about, and of which there is nothing yet."""
        entries = self.entries(choice)
        return [model for model in self._belonging(choice) if model not in entries]

    def _belonging(self, choice: Choice) -> list[str]:
        """Models that a choice is about, of those that were asked for, whether there is anything of them or not."""
        asked = self.asked(choice)
        preferred = [model for model in asked if model.partition(" at ")[0] == PREFERRED_MODEL]
        first = next(iter([*preferred, *asked]), None)
        belongs = {
            "all": lambda model: True,
            "first": lambda model: model == first,
            "others": lambda model: model != first,
            "downsampled": self.is_downsampled,
        }[choice.models]
        return [model for model in asked if belongs(model)]

    def _why_none(self, choice: Choice, others: bool) -> str:
        if not others or self._belonging(choice):
            return self.nothing(choice)
        return {
            "others": "there is only one model",
            "downsampled": "no model sees fewer pixels than the photos have",
        }[choice.models]

    @abstractmethod
    def asked(self, choice: Choice) -> list[str]:
        """Models of the choice's cells, whatever `choice.models` says."""

    @abstractmethod
    def entries(self, choice: Choice) -> dict[str, Entry]:
        """What there is of the choice's cells, by model, whatever `choice.models` says."""

    @abstractmethod
    def nothing(self, choice: Choice) -> str:
        """Why there is nothing of a choice."""

    @abstractmethod
    def weigh(self, terms: Sequence[tuple[float, Entry]]) -> Estimate:
        """A weighted sum of accuracies."""

    @abstractmethod
    def chance(self, choice: Choice, entry: Entry) -> float:
        """The majority baseline, which looks at no image."""

    @abstractmethod
    def is_downsampled(self, model: str) -> bool:
        """Whether a model sees fewer pixels than the images have."""


class Recorded(Evidence[Rows]):
    """The finished trials of a run's studies that repeat the paper."""

    def __init__(self, records: Records) -> None:
        self.records = records.repeating_paper()

    def cells(self, choice: Choice) -> dict[str, StudyCell]:
        """The cells of a choice, by model, finished or not."""
        cells = self.records.cells(choice.target, choice.setting)
        return {self.records.model_name(c): c for c in cells if c.view_kinds == choice.view_kinds}

    def asked(self, choice: Choice) -> list[str]:
        """Models whose trials were asked for, finished or not."""
        return list(self.cells(choice))

    def entries(self, choice: Choice) -> dict[str, Rows]:
        """Predictions of each model's finished trials."""
        rows = {m: self.records.test_rows(cell, choice.cameras) for m, cell in self.cells(choice).items()}
        return {model: found for model, found in rows.items() if found}

    def nothing(self, choice: Choice) -> str:
        """Why there is nothing of a choice."""
        return f"no finished trial on the {choice.target} under {choice.setting}, {choice.views}"

    def weigh(self, terms: Sequence[tuple[float, Rows]]) -> Estimate:
        """A weighted sum of accuracies over the seeds that all terms have.

        Raises:
            NotTestedError: There is no such seed.
        """
        found = contrast(terms)
        if not found.n_seeds:
            raise NotTestedError("no seed has finished in all that is compared")
        return found

    def chance(self, choice: Choice, entry: Rows) -> float:
        """The share of the most frequent class among the test photos."""
        return chance(list(entry.values()))

    def is_downsampled(self, model: str) -> bool:
        """Whether any of the model's cells says so."""
        cells = [cell for study in self.records.studies.values() for cell in study.cells]
        return any(cell.downsampled for cell in cells if self.records.model_name(cell) == model)


class Printed(Evidence[Estimate]):
    """The paper's tables."""

    def entries(self, choice: Choice) -> dict[str, Estimate]:
        """Each model's printed accuracy, which the paper gives for all cameras together."""
        if choice.cameras != "all":
            return {}
        numbers = printed_numbers()
        columns = ["target", "setting", "train_view", "test_view"]
        rows = numbers[(numbers[columns] == [choice.target, choice.setting, *choice.view_kinds]).all(axis=1)]
        return {model: printed_estimate(a) for model, a in zip(rows["model"], rows["accuracy"], strict=True)}

    def asked(self, choice: Choice) -> list[str]:
        """Models whose numbers are printed."""
        return list(self.entries(choice))

    def nothing(self, choice: Choice) -> str:
        """Why there is nothing of a choice."""
        return "the paper prints no such numbers"

    def weigh(self, terms: Sequence[tuple[float, Estimate]]) -> Estimate:
        """A weighted sum, as if each number came from photos of its own: the paper does not tell which were right."""
        return terms[0][1] if len(terms) == 1 else combine(terms)

    def chance(self, choice: Choice, entry: Estimate) -> float:
        """Two manufacturers or five cameras, all equally frequent."""
        return {"label": 1 / 2, "camera": 1 / 5}[choice.target]

    def is_downsampled(self, model: str) -> bool:
        """Whether the paper gives the model smaller images."""
        return model in DOWNSAMPLED
