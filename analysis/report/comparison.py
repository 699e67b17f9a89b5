"""Two runs side by side, such as before and after a repair: verdicts, charts on common axes, differences."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan

import pandas as pd

from camerabias.analysis.records.wording import describe_model
from camerabias.analysis.report.answer_charts import paired_charts
from camerabias.analysis.report.audit_tables import readable
from camerabias.analysis.report.page import template
from camerabias.analysis.report.tables import WideTable, write_frames
from camerabias.analysis.statistics.bootstrap import Estimate, combine
from camerabias.analysis.statistics.number_format import (
    points_decimals,
    show_points,
    show_points_ci,
    show_with_points,
)
from camerabias.analysis.verdict.decide import Verdict
from camerabias.datasets.io.storage import Folder

COMPARED_FILE = "compared.html"

NUMBERS = {
    "shortcut_effect.accuracy": "accuracy",
    "shortcut_effect.accuracy_bias_aligned": "accuracy, bias-aligned",
    "shortcut_effect.accuracy_bias_conflicting": "accuracy, bias-conflicting",
    "shortcut_effect.accuracy_difference": "difference of these two within a label",
    "shortcut_effect.risk_difference": "shortcut effect",
    "shortcut_effect.minimum_detectable": "minimum detectable effect",
    "identification.accuracy": "accuracy on the camera within a label",
    "identification.majority_baseline": "its majority baseline",
    "association.cramers_v": "Cramér's V of label and camera",
}
"""What is compared: numbers of a verdict, and what they are called."""


@dataclass(frozen=True)
class ComparedRun:
    """One of two runs.

    Attributes:
        name: Where it lies.
        verdict: What it came to.
        photos: Its photos: image_id, label and camera.
    """

    name: str
    verdict: Verdict
    photos: frozenset[tuple[str, str, str]]

    @property
    def model(self) -> str | None:
        """The model that the verdict is about: with the clearest effect, the largest of those; None without any."""
        tested = [
            (model.p, -(model.risk_difference or 0.0), model.name)
            for model in self.verdict.models or []
            if model.p is not None
        ]
        return min(tested)[2] if tested else None

    def number(self, name: str) -> Estimate:
        """A number of the verdict with its interval; NaN where that is not known."""
        ends = (self.verdict.evidence.get(f"{name}{end}") for end in ("", "_low", "_high"))
        mean, low, high = (nan if value is None else value for value in ends)
        return Estimate(mean, low, high, 0, 0)


@dataclass(frozen=True)
class RunComparison:
    """Two runs, and where the page about them lies.

    Attributes:
        before: The first.
        after: The second.
        page: Path or URI of the page.
    """

    before: ComparedRun
    after: ComparedRun
    page: str

    @property
    def same_photos(self) -> bool:
        """Whether both are about the same photos, with the same labels and cameras."""
        return self.before.photos == self.after.photos

    @property
    def sentences(self) -> list[str]:
        """What has changed, and what the differences can say."""
        changes = [
            self._change(NUMBERS[name], name)
            for name in ("shortcut_effect.risk_difference", "shortcut_effect.accuracy")
        ]
        return [*changes, *self._other_model(), _SAME_PHOTOS if self.same_photos else _OTHER_PHOTOS]

    def _other_model(self) -> list[str]:
        first, second = self.before.model, self.after.model
        if first is None or second is None or first == second:
            return []
        return [
            f"Before, {describe_model(first)} was judged, and after, {describe_model(second)}: what changed may come "
            "from that."
        ]

    @property
    def next_steps(self) -> list[str]:
        """What to do, a sentence each: as after the second run alone."""
        return self.after.verdict.next_steps

    @property
    def numbers(self) -> pd.DataFrame:
        """A row per number that one of the runs knows.

        Returns:
            Columns number, before, after and difference (after minus before), each of the last three with `_low` and
            `_high`, its 95 % interval; NaN where it is not known. The interval of a difference takes the runs for
            independent (`combine`).
        """
        rows = [
            {
                "number": shown,
                **self.before.number(name).named("before"),
                **self.after.number(name).named("after"),
                **self._difference(name).named("difference"),
            }
            for name, shown in NUMBERS.items()
        ]
        frame = pd.DataFrame(rows)
        return frame[frame["before"].notna() | frame["after"].notna()].reset_index(drop=True)

    def _difference(self, name: str) -> Estimate:
        return combine([(1.0, self.after.number(name)), (-1.0, self.before.number(name))])

    def _change(self, shown: str, name: str) -> str:
        before, after = self.before.number(name), self.after.number(name)
        for run, number in ((self.before, before), (self.after, after)):
            if isnan(number.mean):
                return f"The {shown} of {run.name} is not known, so its change is not."
        return _say_change(shown, before, after, self._difference(name))


def _say_change(shown: str, before: Estimate, after: Estimate, change: Estimate) -> str:
    """What became of a share, in points."""
    decimals = points_decimals(change)
    first, second = (show_points(number.mean, decimals) for number in (before, after))
    outcome = change.against(0.0)
    if outcome == "cannot tell":
        sure = f" (change: {ends})" if (ends := show_points_ci(change)) else ""
        return f"The {shown} was not shown to change: {first} points before, {second} after{sure}."
    size = combine([(1.0 if outcome == "higher" else -1.0, change)])
    verb = "rose" if outcome == "higher" else "fell"
    return (
        f"The {shown} {verb} by {show_with_points(size.mean, decimals)} ({show_points_ci(size)}), from {first} to "
        f"{second}."
    )


_SAME_PHOTOS = (
    "Both runs are about the same photos; intervals of differences take them for independent, and so are rather too "
    "wide."
)
_OTHER_PHOTOS = (
    "The runs are not about the same photos: a difference may come from these, and not only from the "
    "classifier."
)


def write_comparison(before: ComparedRun, after: ComparedRun, folder: Folder) -> RunComparison:
    """Write `compared.html`, and `tables/compared.csv`.

    Args:
        before: A run.
        after: Another.
        folder: Where to.
    """
    page = folder.file(COMPARED_FILE) if folder.is_local else f"{folder}/{COMPARED_FILE}"
    made = RunComparison(before, after, page)
    charts = paired_charts(before.verdict.evidence, after.verdict.evidence)
    html = template("compared.html").render(
        runs=(("Before", before), ("After", after)),
        comparison=made,
        charts=charts,
        table=WideTable("Numbers of both runs, and after minus before", readable(made.numbers)),
    )
    write_frames({"compared": made.numbers}, folder.child("tables"))
    folder.write_bytes(COMPARED_FILE, html.encode())
    return made
