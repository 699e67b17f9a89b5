"""The report: everything that a run tells, as tables, figures and one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import pandas as pd

from camerabias.analysis.cues.differences import compare_cameras
from camerabias.analysis.cues.wording import describe_differences
from camerabias.analysis.design.design import Answer, Design
from camerabias.analysis.design.wording import describe_metadata, describe_photos
from camerabias.analysis.effects.by_setting import setting_contrasts
from camerabias.analysis.effects.given_labels import (
    MisledCell,
    describe_misled,
    given_labels,
    misled_cells,
)
from camerabias.analysis.paper.claims import claims_table, decide_claims
from camerabias.analysis.records.load import load_records
from camerabias.analysis.records.records import Records
from camerabias.analysis.report.answer_charts import answer_charts
from camerabias.analysis.report.audit_tables import AuditTable, audit_tables, show_given
from camerabias.analysis.report.figures.base import STYLE
from camerabias.analysis.report.figures.draw import DrawnFigure, draw_figures, render_figure, write_figures
from camerabias.analysis.report.figures.photo_grid import ReadPhoto, misled_grid
from camerabias.analysis.report.findings import Finding, find
from camerabias.analysis.report.heat_table import HeatTable, heat_table
from camerabias.analysis.report.page import PAGE_FILE, template
from camerabias.analysis.report.search import report_searches
from camerabias.analysis.report.setting_contrast import contrast_charts, contrast_headline
from camerabias.analysis.report.tables import (
    StudyTable,
    WideTable,
    make_tables,
    write_claims,
    write_frames,
    write_tables,
)
from camerabias.analysis.statistics.bootstrap import CONFIDENCE, MIN_GROUPS, MIN_SEEDS, RESAMPLES
from camerabias.analysis.statistics.permutation import CORRECTED_PERMUTATIONS, LEVEL, PERMUTATIONS
from camerabias.analysis.verdict.decide import VERDICT_FILE, Verdict, decide, investigate
from camerabias.analysis.verdict.evidence.base import Findings
from camerabias.analysis.verdict.evidence.cues import CUES_TEST
from camerabias.analysis.verdict.findings import has_shortcut_effect
from camerabias.datasets.schema import N_FOLDS


@dataclass(frozen=True)
class Report:
    """What `make_report` wrote, for the command line to tell.

    Attributes:
        index: Path or URI of the HTML file.
        tables: The wide tables of all studies, in order; of an audit its own.
        findings: What the numbers say, a sentence each; of an audit none beside the verdict.
        claims: The paper's claims, columns `claims.CLAIM_COLUMNS`; empty where no study repeats the paper.
        not_drawn: Reason of each figure that could not be drawn, by name.
        verdict: The verdict of an audit; None of a run that is none.
    """

    index: str
    tables: list[WideTable]
    findings: list[str]
    claims: pd.DataFrame
    not_drawn: dict[str, str]
    verdict: Verdict | None


def make_report(location: str, read: ReadPhoto | None = None) -> Report:
    """Write `report/` of a run: `index.html` (last), `tables/`, `figures/`.

    Args:
        location: The run's local path or URI; a copied run serves as well.
        read: Reads a photo of the run's dataset by its id; None shows those alone that the run carries along.

    Raises:
        CamerabiasError: There is no run, or a file that a number needs is damaged; it is named.
    """
    records = load_records(location)
    folder = records.run.report
    tables, findings, claims = make_tables(records), find(records), claims_table(decide_claims(records))
    audit = investigate(records)
    misled = None if audit is None else _find_misled(audit)
    figures, not_drawn = _draw(records, audit, misled, read)
    write_tables(tables, records, folder.child("tables"))
    if len(claims):
        write_claims(claims, folder.child("tables"))
    write_figures(figures, folder.child("figures"))
    verdict = None if audit is None else decide(audit)
    if verdict is not None:
        folder.write_json(VERDICT_FILE, verdict.model_dump(mode="json"))
    beside = [] if audit is None else audit_tables(records, audit)
    write_frames({f"audit_{table.name}": table.frame for table in beside}, folder.child("tables"))
    folder.write_bytes(
        PAGE_FILE,
        _html(records, tables, findings, claims, figures, not_drawn, audit, verdict, beside, misled).encode(),
    )
    # of an audit the verdict is printed, and what is behind it; the rest stands on the page
    shown = [table.wide for table in beside] or [wide for table in tables for wide in table.wide]
    return Report(
        index=folder.file(PAGE_FILE) if folder.is_local else f"{folder}/{PAGE_FILE}",
        tables=shown,
        findings=[] if audit else [sentence for finding in findings for sentence in finding.sentences],
        claims=claims,
        not_drawn=not_drawn,
        verdict=verdict,
    )


def _html(
    records: Records,
    tables: list[StudyTable],
    findings: list[Finding],
    claims: pd.DataFrame,
    figures: list[DrawnFigure],
    not_drawn: dict[str, str],
    audit: Findings | None,
    verdict: Verdict | None,
    beside: list[AuditTable],
    misled: _Misled | None,
) -> str:
    contrasts = [] if verdict else setting_contrasts(records)
    return template("report.html").render(
        info=records.info,
        headline=contrast_headline(contrasts) if contrasts else "",
        facts=_facts(records),
        tested_folds=_tested_folds(records),
        tables=tables,
        findings=findings,
        claims=claims.to_dict("records"),
        figures=figures,
        not_drawn=not_drawn,
        audit=audit,
        photos=_look_at_photos(audit) if audit else None,
        misled=misled,
        verdict=verdict,
        charts=answer_charts(verdict.evidence) if verdict else contrast_charts(contrasts),
        audit_tables=beside,
        level=LEVEL,
        unfinished=_unfinished(records),
        skipped=_skipped(records),
        searches=report_searches(records.run),
        confidence=round(100 * CONFIDENCE),
        resamples=RESAMPLES,
        min_groups=MIN_GROUPS,
        min_seeds=MIN_SEEDS,
        permutations=PERMUTATIONS,
        corrected_permutations=CORRECTED_PERMUTATIONS,
    )


@dataclass(frozen=True)
class _Photos:
    """What an audit's photos can answer, and how their cameras differ."""

    cells: HeatTable
    answers: Sequence[Answer]
    notable: list[str]
    differences: list[str]


def _look_at_photos(audit: Findings) -> _Photos | None:
    design = audit.design
    if not isinstance(design, Design):
        return None
    differences = [] if audit.pixels is None else describe_differences(compare_cameras(audit.pixels))
    return _Photos(
        heat_table(design),
        [*design.answers.values()],
        [*describe_photos(design), *describe_metadata(design.baselines)],
        [*CUES_TEST.sentences(audit)[:1], *differences],
    )


@dataclass(frozen=True)
class _Misled:
    """Test photos that are named as their camera's associated label in place of their own."""

    cells: list[MisledCell]
    headline: str
    table: WideTable


def _find_misled(audit: Findings) -> _Misled | None:
    """Those of the audited model; None where it was not shown to use the camera."""
    rows, associated = audit.label_rows, audit.design.associated_labels
    cells = misled_cells(rows, associated) if has_shortcut_effect(audit) else []
    if not cells:
        return None
    given = given_labels(rows, associated)
    return _Misled(cells, describe_misled(cells), show_given(given[given["given"] > 0]))


def _draw(
    records: Records, audit: Findings | None, misled: _Misled | None, read: ReadPhoto | None
) -> tuple[list[DrawnFigure], dict[str, str]]:
    """Every figure that there is, and the reasons of those that there are not."""
    figures, not_drawn = draw_figures(records, audit)
    if misled is not None and read is not None:
        with mpl.rc_context(STYLE):
            drawn = misled_grid(misled.cells, read)
            figures += [] if drawn is None else [render_figure("misled", *drawn)]
    # an audit is not about the paper's figures; it has those that its trials allow
    return figures, {} if audit else not_drawn


def _facts(records: Records) -> dict[str, str]:
    """What was run, by name."""
    trials, info = records.trials, records.info
    counts = trials["status"].value_counts()
    return {
        "Dataset": f"{info.dataset_location} ({info.dataset[:16]})",
        "Labels": ", ".join(info.labels),
        "Cameras": ", ".join(info.cameras),
        "Photos": _photos(records),
        "Trials": ", ".join(f"{counts[status]} {status}" for status in _STATUSES if status in counts),
        "Studies": ", ".join(records.studies),
        "Models": ", ".join(trials["model"].unique()),
        "Seeds": ", ".join(str(seed) for seed in sorted(trials["seed"].unique())),
    }


_STATUSES = ("done", "failed", "damaged", "started", "missing")


def _photos(records: Records) -> str:
    done = records.trials[records.trials["status"] == "done"]
    if done.empty:
        return "none tested yet"
    smallest, largest = int(done["train_images"].min()), int(done["train_images"].max())
    trained = str(largest) if smallest == largest else f"{smallest} to {largest}"
    return f"{records.count_tested()} tested; {trained} to train a trial"


def _tested_folds(records: Records) -> str:
    """How many of the ten folds a finished trial tests, in words."""
    done = records.trials[records.trials["status"] == "done"]
    rotations = pd.to_numeric(done["rotation"]).fillna(N_FOLDS) if len(done) else [N_FOLDS]
    counts = {N_FOLDS // int(rotation) for rotation in rotations}
    each = " or ".join(f"{n}" for n in sorted(counts))
    return f"{each} of the ten folds" if counts != {1} else "one fold"


def _unfinished(records: Records) -> list[tuple[str, ...]]:
    """Name, id, status and reason of the trials without a result, failed ones first, and of damaged probes."""
    trials = records.trials
    rows = trials[trials["status"] != "done"].reset_index().fillna({"reason": ""})
    rows = rows.sort_values("status", key=lambda status: status.map(_STATUSES.index), kind="stable")
    probes = [(name, trial, "damaged", reason) for name, trial, reason in records.damaged_probes()]
    return [*rows[["name", "id", "status", "reason"]].itertuples(index=False, name=None), *probes]


def _skipped(records: Records) -> list[tuple[str, str, str, str]]:
    return [
        (study.name, skip.target, skip.setting, skip.reason)
        for study in records.studies.values()
        for skip in study.skipped
    ]
