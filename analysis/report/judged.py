"""What is written of a verdict on predictions: the rows that were judged, and a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version

import matplotlib as mpl
import pandas as pd
import pyarrow as pa

from camerabias.analysis.effects.given_labels import given_labels, misled_cells
from camerabias.analysis.judged.cameras import accuracy_by_camera, right_by_cell
from camerabias.analysis.judged.findings import Judged
from camerabias.analysis.report.answer_charts import answer_charts
from camerabias.analysis.report.audit_tables import readable, show_given
from camerabias.analysis.report.figures.accuracy_by_camera import BARS, draw_bars
from camerabias.analysis.report.figures.base import STYLE, legend_below, panels, tilt
from camerabias.analysis.report.figures.draw import DrawnFigure, render_figure, write_figures
from camerabias.analysis.report.figures.photo_grid import misled_grid
from camerabias.analysis.report.page import PAGE_FILE, template
from camerabias.analysis.report.tables import WideTable, write_frames
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.decide import VERDICT_FILE, Verdict
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import JUDGED_FILE

MAX_CAMERAS = 24
"""Cameras that are drawn: those with most photos."""


def write_judged(
    run: Folder,
    judged: Judged,
    associated: Mapping[str, str],
    verdict: Verdict,
    notes: Sequence[str],
    read: Callable[[str], bytes] | None,
) -> str:
    """Write `judged.parquet` and `report/` of a verdict on predictions.

    Args:
        run: Where to.
        judged: The predictions.
        associated: Associated label by camera.
        verdict: The verdict.
        notes: What was assumed, in sentences.
        read: Reads a photo by its path; None keeps photos out of the page.

    Returns:
        Path or URI of the page.
    """
    cameras, report = accuracy_by_camera(judged, associated), run.child("report")
    cells = right_by_cell(judged)
    given = given_labels([judged.seen], associated)
    figures = [_draw_cameras(judged, cameras), *_draw_photos(judged, associated, read)]
    write_figures(figures, report.child("figures"))
    frames = {"right_by_cell": cells, "given_labels": given, "accuracy_by_camera": cameras}
    write_frames(frames, report.child("tables"))
    report.write_json(VERDICT_FILE, verdict.model_dump(mode="json"))
    page = template("judged.html").render(
        facts=_facts(judged),
        verdict=verdict,
        charts=answer_charts(verdict.evidence),
        notes=notes,
        tables=[
            WideTable("Right predictions, by true label and camera", cells),
            show_given(given),
            WideTable("Accuracy by camera", readable(cameras)),
        ],
        figures=figures,
        made=_how_it_was_made(judged),
        level=LEVEL,
    )
    report.write_bytes(PAGE_FILE, page.encode())
    # last: without it the folder is no judged run
    run.write_table(JUDGED_FILE, pa.Table.from_pandas(_rows(judged, associated), preserve_index=False))
    return report.file(PAGE_FILE) if report.is_local else f"{report}/{PAGE_FILE}"


def _rows(judged: Judged, associated: Mapping[str, str]) -> pd.DataFrame:
    """`judged.parquet`: a row per prediction, with the photo's name, or the number of its row, and its scores."""
    rows = judged.rows
    names = rows["image"] if "image" in rows else rows["image_id"]
    described = rows.drop(columns=["image", "split"], errors="ignore").assign(
        image_id=names.astype(str), associated_label=rows["camera"].map(dict(associated))
    )
    return pd.concat([described, judged.scores], axis=1)


def _facts(judged: Judged) -> dict[str, str]:
    """What was judged, by name."""
    rows = judged.rows
    photos, groups, seeds = (rows[name].nunique() for name in ("image_id", "group", "seed"))
    return {
        "Photos": f"{photos}" + (f" in {groups} groups" if groups < photos else ""),
        "Labels": ", ".join(sorted(rows["label"].unique())),
        "Cameras": ", ".join(sorted(rows["camera"].unique())),
        "Unseen in training": ", ".join(judged.unseen_cameras) or "none, as far as is known",
        "Models": f"{seeds}",
    }


def _how_it_was_made(judged: Judged) -> dict[str, str]:
    """Which tables were read, when and by which version, by name."""
    made = f"by camerabias {version('camerabias')} on {datetime.now(UTC):%Y-%m-%d}"
    return {**judged.tables, "Judged": f"{len(judged.rows)} predictions, {made}"}


def _draw_cameras(judged: Judged, cameras: pd.DataFrame) -> DrawnFigure:
    """Accuracy by camera, split by predicted label; unseen cameras last."""
    shown = cameras.head(MAX_CAMERAS).sort_values(["seen", "camera"], ascending=[False, True])
    names = [str(camera) for camera in shown["camera"]]
    with mpl.rc_context(STYLE):
        below = 0.05 * max(map(len, names)) if tilt(names) else 0.0
        figure, axes = panels(1, extra=0.12 * len(names), below=below)
        unseen = [str(camera) for camera in shown.loc[~shown["seen"], "camera"]]
        labels = sorted(judged.rows["label"].unique())
        draw_bars(axes[0], judged.rows.assign(truth=judged.rows["label"]), labels, names, unseen)
        axes[0].set_ylabel("test accuracy")
        legend_below(figure, axes)
        return render_figure(
            "accuracy_by_camera",
            figure,
            f"Accuracy by camera. {BARS} Whiskers: 95 % interval of the accuracy; gray: unseen in training; dashed: "
            "always naming the commonest label.",
        )


def _draw_photos(
    judged: Judged, associated: Mapping[str, str], read: Callable[[str], bytes] | None
) -> Iterator[DrawnFigure]:
    """Photos that were given their camera's associated label in place of their own, where they can be read."""
    if read is None or "image" not in judged.rows:
        return
    paths = dict(zip(judged.seen["image_id"], judged.seen["image"], strict=True))
    with mpl.rc_context(STYLE):
        drawn = misled_grid(misled_cells([judged.seen], associated), lambda name: read(str(paths[name])))
        if drawn is not None:
            yield render_figure("given_associated", *drawn)
