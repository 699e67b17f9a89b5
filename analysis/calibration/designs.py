"""What a calibration of the linear probe has come to, on designs dealt from simulated worlds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import nan
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict
from sklearn.linear_model import LogisticRegression

from camerabias.analysis.calibration.lines import read_documents
from camerabias.analysis.report.tables import WideTable
from camerabias.analysis.statistics.bootstrap import exact_interval
from camerabias.analysis.statistics.number_format import show_interval, show_share
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.outcome import OUTCOMES, VerdictOutcome

GroupKind = Literal["single", "bursts", "sessions"]
"""Groups of one photo, of photos of one label and camera, and of photos of any."""

LEAST = 0.1
"""Correlation below which label and camera have hardly anything to do with each other."""

ENOUGH = 1.5
"""Minimum detectable effects from which on an effect should hardly ever be missed."""

RESAMPLED = 200
"""Draws of worlds for an interval."""


class DealtDesign(BaseModel):
    """Which photos of a world are dealt.

    Attributes:
        world: Number of the world.
        seed: Of what is dealt at random: cameras, photos, groups, folds.
        cameras: How many of the world's four.
        correlation: Of label and camera: a share of (1 + correlation) / 2 of a camera's photos has its label; 1 is
            unidentifiable.
        groups: What kind of groups.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    world: int
    seed: int
    cameras: Literal[2, 4]
    correlation: float
    groups: GroupKind

    @property
    def name(self) -> str:
        """Names it among other designs."""
        return f"world {self.world} design {self.seed}"


class DesignLine(BaseModel):
    """What the linear probe and its verdict have made of a design.

    Attributes:
        design: The design.
        planted: Strength by cue that its cameras differ in.
        size: Side of the photos in pixels.
        photos: How many were dealt.
        verdict: The verdict.
        evidence: Numbers of the verdict, by name.
        truth: Share of predictions that go over to another camera's associated label when that camera takes the same
            object, minus the share that goes against it: the counterfactual of the very heads that were judged. 0
            where cameras are one and the same; None where no label is associated with a camera.
        truth_p: Of its test; None where there is none.
        seconds: Wall time, on one core.
        version: Of camerabias.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    design: DealtDesign
    planted: dict[str, float]
    size: int
    photos: int
    verdict: VerdictOutcome
    evidence: dict[str, float | None]
    truth: float | None
    truth_p: float | None
    seconds: float
    version: str


def read_designs(path: Path) -> list[DesignLine]:
    """Lines of a calibration on designs; none where there is no file.

    Raises:
        CamerabiasError: A line cannot be read; it is named by its number.
    """
    return read_documents(path, DesignLine)


def summarise_designs(lines: Sequence[DesignLine]) -> list[WideTable]:
    """The tables of a calibration on designs, to be read."""
    if not lines:
        return []
    table = _as_frame(lines)
    identifiable = table[table["correlation"] < 1]
    tables = [
        ("Verdicts by what the design is", _verdicts(table)),
        ("Errors of the verdict `cheating`", _errors(identifiable)),
        (
            "Found, by the true effect in units of the stated minimum detectable one",
            _found_by_ratio(identifiable),
        ),
        ("The risk difference against the truth, where cues are planted", _estimates(identifiable)),
        ("The errors by groups, cameras and size of the photos", _by_kind(identifiable)),
    ]
    return [WideTable(caption, pd.DataFrame(rows)) for caption, rows in tables]


ShownRow = dict[str, str]


def _as_frame(lines: Sequence[DesignLine]) -> pd.DataFrame:
    """A row per design.

    Returns:
        The fields of designs, and planted (number of cues), strength (of the strongest), size, verdict, found, truth,
        risk_difference, ratio (the true effect over the minimum detectable one), and null: heads do not follow the
        camera, since cameras are one and the same or the counterfactual is nil.
    """
    rows = [
        {
            **line.design.model_dump(),
            "planted": len(line.planted),
            "strength": max(line.planted.values(), default=0.0),
            "size": line.size,
            "verdict": line.verdict,
            "found": line.verdict == "cheating",
            "truth": line.truth,
            "truth_p": line.truth_p,
            "risk_difference": line.evidence.get("shortcut_effect.risk_difference"),
            "least": line.evidence.get("shortcut_effect.minimum_detectable"),
        }
        for line in lines
    ]
    table = pd.DataFrame(rows).astype(dict.fromkeys(("truth", "truth_p", "risk_difference", "least"), float))
    nil = (table["planted"] == 0) | (table["truth_p"] > LEVEL)
    return table.assign(ratio=table["truth"] / table["least"], null=nil & table["truth"].notna())


def _kinds(table: pd.DataFrame) -> dict[str, pd.Series[bool]]:
    """Which rows are of which kind."""
    tied = (table["correlation"] >= LEAST) & (table["correlation"] < 1)
    one = {
        f"one cue of strength {strength:g}": tied & (table["planted"] == 1) & (table["strength"] == strength)
        for strength in (0.25, 0.5, 0.75, 1.0)
    }
    return {
        "no cue": (table["planted"] == 0) & (table["correlation"] < 1),
        "cues, hardly any correlation": (table["planted"] > 0) & (table["correlation"] < LEAST),
        **one,
        "two cues": tied & (table["planted"] == 2),
        "every camera has one label": table["correlation"] == 1,
    }


def _verdicts(table: pd.DataFrame) -> list[ShownRow]:
    rows = []
    for kind, belongs in _kinds(table).items():
        found = table[belongs]
        counts = found["verdict"].value_counts()
        row = {"designs": kind, "n": str(len(found)), "mean true effect": show_share(found["truth"].mean())}
        rows.append(row | {outcome: str(counts.get(outcome, 0)) for outcome in OUTCOMES})
    return rows


def _errors(table: pd.DataFrame) -> list[ShownRow]:
    planted = table["planted"] > 0
    shares = {
        "false alarms, cameras one and the same": share_by_world(table[~planted]),
        "false alarms, cues that the heads do not follow": share_by_world(table[planted & table["null"]]),
        "found, the true effect at least 1.5 × the minimum detectable one": share_by_world(
            table[table["ratio"] >= ENOUGH]
        ),
        "found at 1 ×, by a logistic fit": _power_at_one(table[table["ratio"] > 0]),
    }
    return [{"what": what, "share [95 %, by world]": share} for what, share in shares.items()]


def share_by_world(table: pd.DataFrame) -> str:
    """How many were found, `3 of 60, 0.050 [0.010, 0.139]`: designs of one world share photos and count as fewer.

    Clopper and Pearson's interval at the effective sample size (Korn & Graubard 1998), its variance from sums by
    world.

    Args:
        table: Columns world and found.
    """
    n, right = len(table), int(table["found"].sum())
    if not n:
        return "none"
    share = right / n
    sums = (table["found"] - share).groupby(table["world"]).sum()
    variance = float((sums**2).sum()) / n**2 * len(sums) / max(len(sums) - 1, 1)
    effective = min(n, share * (1 - share) / variance) if variance > 0 else n
    return f"{right} of {n}, {show_interval(share, *exact_interval(share * effective, effective))}"


def _power_at_one(table: pd.DataFrame) -> str:
    """Share found where the true effect is the minimum detectable one, with an interval by worlds resampled."""
    if table["found"].nunique() < 2:
        return "none"
    rows = [np.flatnonzero(table["world"] == world) for world in table["world"].unique()]
    generator = np.random.default_rng(0)
    draws = [
        _fitted_at_one(
            table.iloc[np.concatenate([rows[n] for n in generator.integers(len(rows), size=len(rows))])]
        )
        for _ in range(RESAMPLED)
    ]
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return f"{len(table)} designs, {show_interval(_fitted_at_one(table), low, high)}"


def _fitted_at_one(table: pd.DataFrame) -> float:
    if table["found"].nunique() < 2:
        return nan
    logarithms = np.log(table[["ratio"]].to_numpy())
    fit = LogisticRegression(C=np.inf).fit(logarithms, table["found"])
    return float(fit.predict_proba([[0.0]])[0, 1])


def _found_by_ratio(table: pd.DataFrame) -> list[ShownRow]:
    return [
        {
            "true effect": f"{low:g} to {high:g}" if high < np.inf else f"above {low:g}",
            "found [95 %, by world]": share_by_world(
                table[(table["ratio"] > low) & (table["ratio"] <= high)]
            ),
        }
        for low, high in pairwise((0.0, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, np.inf))
    ]


def _estimates(table: pd.DataFrame) -> list[ShownRow]:
    known = table[(table["planted"] > 0) & table["risk_difference"].notna()]
    rows = []
    for low, high in pairwise((-1.0, 0.02, 0.1, 0.3, 0.6, 1.0)):
        found = known[(known["truth"] > low) & (known["truth"] <= high)]
        error = found["risk_difference"] - found["truth"]
        rows.append(
            {
                "true effect": f"{low:g} to {high:g}" if low > 0 else f"up to {high:g}",
                "designs": str(len(found)),
                "mean true effect": show_share(found["truth"].mean()),
                "mean risk difference": show_share(found["risk_difference"].mean()),
                "root mean square of their difference": show_share(float((error**2).mean() ** 0.5)),
            }
        )
    return rows


def _by_kind(table: pd.DataFrame) -> list[ShownRow]:
    rows = []
    for column, words in (("groups", "groups: {}"), ("cameras", "{} cameras"), ("size", "{} pixels")):
        for value, found in table.groupby(column):
            rows.append(
                {
                    "designs": words.format(value),
                    "false alarms, no cue": share_by_world(found[found["planted"] == 0]),
                    "found from 1.5 × on": share_by_world(found[found["ratio"] >= ENOUGH]),
                }
            )
    return rows
