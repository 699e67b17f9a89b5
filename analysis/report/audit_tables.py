"""An audit's numbers as tables to be read, and as files."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import pandas as pd

from camerabias.analysis.effects.strengths import lowest_noticed, strengths, unseen_cameras
from camerabias.analysis.records.records import Records
from camerabias.analysis.records.wording import PLAIN
from camerabias.analysis.report.tables import WideTable
from camerabias.analysis.statistics.number_format import MISSING, show_interval, show_p_value, show_share
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.evidence.base import Findings


@dataclass(frozen=True)
class AuditTable:
    """A table of an audit.

    Attributes:
        name: Of its file, `audit_NAME.csv`.
        frame: Numbers, a row per view, strength, camera or mitigation.
        wide: The same to be read.
    """

    name: str
    frame: pd.DataFrame
    wide: WideTable


def _by_view(frame: pd.DataFrame) -> str:
    """What a caption says of a table that compares views."""
    return ", with one cue removed at a time" if "view" in frame and frame["view"].nunique() > 1 else ""


def audit_tables(records: Records, found: Findings) -> list[AuditTable]:
    """The tables of an audit that have rows."""
    by_strength = strengths(records)
    frames = {
        "cameras_by_view": (f"Cameras identified within labels{_by_view(found.cameras)}", found.cameras),
        "labels_by_view": (f"Accuracy and shortcut effect of labels{_by_view(found.labels)}", found.labels),
        "strengths": (_strength_caption(by_strength), by_strength),
        "unseen_cameras": ("Labels on cameras that training never saw", unseen_cameras(records)),
        "mitigations": (_mitigation_caption(found.mitigations), found.mitigations),
    }
    return [
        AuditTable(name, frame, WideTable(caption, readable(_varying(frame))))
        for name, (caption, frame) in frames.items()
        if len(frame)
    ]


def _mitigation_caption(found: pd.DataFrame) -> str:
    """What the table compares; bias removed only where any is known."""
    beside = "each beside none on the same seeds and test photos"
    if found["bias_removed"].isna().all():
        return f"What mitigations cost: accuracy lost, {beside}; what they remove is not known"
    return f"What helps: bias removed against accuracy lost, {beside}"


def _strength_caption(found: pd.DataFrame) -> str:
    """From which strength on models have a shortcut effect."""
    noticed = []
    for model, views, _, strength, untested in lowest_noticed(found).itertuples(index=False, name=None):
        named = model if views == PLAIN else f"{model} ({views})"
        lowest = "at no strength" if isnan(strength) else f"from {strength:g} on"
        noticed.append(f"{named} {lowest}" + (f" (not tested at {untested})" if untested else ""))
    rule = f"p (Holm) at most {LEVEL}, and an interval without 0"
    significant = f": significant ({rule}) for {', '.join(noticed)}" if noticed else ""
    return f"Shortcut effect by correlation of label and camera in training{significant}"


def _varying(frame: pd.DataFrame) -> pd.DataFrame:
    """A table without what is the same in all rows: a page says elsewhere which model and photos it is about."""
    same = [
        name
        for name in ("model", "setting", "views", "mitigation")
        if name in frame and frame[name].nunique() == 1
    ]
    return frame.drop(columns=same)


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers as text: a column and its two ends are one, and NaN is a dash; empty columns are dropped."""
    estimates = [name for name in frame if {f"{name}_low", f"{name}_high"} <= set(frame)]
    ends = {f"{name}_{end}" for name in estimates for end in ("low", "high")}
    shown = {}
    for name in frame.columns:
        if name in estimates:
            columns = zip(frame[name], frame[f"{name}_low"], frame[f"{name}_high"], strict=True)
            shown[name] = [show_interval(*numbers) for numbers in columns]
        elif name not in ends:
            shown[name] = [_text(str(name), value) for value in frame[name]]
    table = pd.DataFrame(shown).rename(columns=lambda name: HEADS.get(name, name.replace("_", " ")))
    return table.loc[:, [bool(set(table[name]) - {"", MISSING}) for name in table]]


def show_given(given: pd.DataFrame) -> WideTable:
    """`given_labels`, to be read."""
    counts = {
        "by this camera": ("given", "photos"),
        "by cameras of other labels": ("given_of_others", "photos_of_others"),
    }
    shown = given[["label", "camera"]].assign(
        called=given["associated_label"],
        **{name: given[one].astype(str) + " of " + given[n].astype(str) for name, (one, n) in counts.items()},
    )
    return WideTable("Photos that are given their camera's associated label in place of their own", shown)


HEADS = {
    "n_seeds": "seeds",
    "kept": "chance-normalised accuracy",
    "p_holm": "p (Holm)",
    "risk_difference": "shortcut effect",
    "aligned": "accuracy, bias-aligned",
    "conflicting": "accuracy, bias-conflicting",
    "others": "accuracy on other cameras",
    "when_seen": "accuracy when seen in training",
    "seen": "seen in training",
    "given_associated": "given it, of other labels",
}
"""Heads of columns that have shorter names in files."""


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return show_p_value(value) if name in ("p", "p_holm") else show_share(value)
    return str(value)
