"""What remains of the cameras when a view removes a cue."""

from __future__ import annotations

from matplotlib.figure import Figure

from camerabias.analysis.report.figures.base import AUDIT_FIGURES, BLUE, VERMILION
from camerabias.analysis.verdict.evidence.base import Findings


def cues_by_view(audit: Findings) -> tuple[Figure, str] | None:
    """Camera accuracy and shortcut effect that remain in every view; None where no views were asked for."""
    if len(audit.cameras) <= 1:
        return None
    identified = "cameras identified within a label\n(chance-normalised accuracy)"
    panels = [
        (identified, audit.cameras, "kept", VERMILION),
        ("shortcut effect", audit.labels, "risk_difference", BLUE),
    ]
    panels = [panel for panel in panels if len(panel[1]) > 1]
    height = 0.18 * max(len(frame) for _, frame, *_ in panels) + 0.8
    figure = Figure(figsize=(3.4 * len(panels), height), layout="constrained")
    for axis, (title, frame, column, colour) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
    ):
        shown = frame[::-1]  # matplotlib draws upwards
        axis.barh(shown["view"], shown[column], color=colour, height=0.65)
        if f"{column}_low" in shown:
            ends = [shown[column] - shown[f"{column}_low"], shown[f"{column}_high"] - shown[column]]
            axis.errorbar(shown[column], shown["view"], xerr=ends, fmt="none", color="black", linewidth=0.7)
        axis.axvline(0, color="black", linewidth=0.6)
        axis.set(title=title, xlim=(min(-0.1, float(shown[column].min()) - 0.05), 1.02))
    n = audit.cameras["n_seeds"].max()
    return figure, (
        "What remains when one cue at a time is removed, in training and in test. Left: chance-normalised accuracy "
        "(0: chance, 1: always right) on the camera of photos with the same label. "
        + ("Right: shortcut effect of models of the label, with 95 % intervals. " if len(panels) > 1 else "")
        + f"Model {audit.model}, up to {n} seeds."
    )


AUDIT_FIGURES["cues"] = cues_by_view
