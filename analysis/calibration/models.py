"""How models of three kinds, or trainings of one, compare on the same datasets: verdicts, effects, their truth."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from camerabias.analysis.calibration.cases import Line, share, truly_cheats
from camerabias.analysis.report.tables import WideTable
from camerabias.analysis.statistics.number_format import show_share

NUMBERS = ("truth", "accuracy", "risk_difference")


def summarise_models(lines: Sequence[Line]) -> list[WideTable]:
    """The tables of several models on the same datasets, to be read.

    Args:
        lines: Lines of any number of cases; those of datasets on which one model alone was audited are excluded.
    """
    table = _of_several(lines)
    if table.empty:
        return []
    return [
        WideTable("Verdict, and risk difference (truth), by dataset and model", _by_dataset(table)),
        WideTable("Each model against its own truth", _by_model(table)),
        WideTable("Two models on the same datasets", _agreement(table)),
    ]


def summarise_precisions(lines: Sequence[Line]) -> list[WideTable]:
    """The tables of a model in two precisions, and with other seeds, on the same datasets, to be read.

    Args:
        lines: Lines of any number of cases; those of datasets that were audited once are excluded.
    """
    in_order = sorted(lines, key=lambda line: (line.case.seeds, line.case.precision == "bfloat16"))
    table = _of_several(in_order)
    if table.empty:
        return []
    differing = table[table.groupby("seed")["verdict"].transform("nunique") > 1]
    tables = [
        WideTable("Each training against its own truth", _by_model(table)),
        WideTable("Two trainings on the same datasets", _agreement(table)),
        WideTable("Where the verdicts differ: verdict, and risk difference (truth)", _by_dataset(differing)),
    ]
    return [one for one in tables if len(one.frame)]


def _of_several(lines: Sequence[Line]) -> pd.DataFrame:
    """As `_as_frame`, of datasets on which several models were audited."""
    table = _as_frame(lines)
    return table[table.groupby("seed")["model"].transform("nunique") > 1]


def _as_frame(lines: Sequence[Line]) -> pd.DataFrame:
    """A row per dataset and model.

    Returns:
        seed, planted, correlation, model, verdict, found (`cheating`), uses (truly uses the camera), truth (the
        counterfactual), and accuracy and risk_difference of the label.
    """
    rows = [
        {
            "seed": line.case.seed,
            "planted": ", ".join(line.case.planted) or "none",
            "correlation": line.case.correlation,
            "model": line.case.trained,
            "verdict": line.verdict,
            "found": line.verdict == "cheating",
            "uses": truly_cheats(line),
            "truth": line.evidence.get("counterfactual.directed"),
            "accuracy": line.evidence.get("shortcut_effect.accuracy"),
            "risk_difference": line.evidence.get("shortcut_effect.risk_difference"),
        }
        for line in lines
    ]
    columns = ["seed", "planted", "correlation", "model", "verdict", "found", "uses", *NUMBERS]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(NUMBERS, float))


def _by_dataset(table: pd.DataFrame) -> pd.DataFrame:
    shown = table.assign(
        shown=[
            f"{verdict}, {show_share(estimate)} ({show_share(truth)})"
            for verdict, estimate, truth in zip(
                table["verdict"], table["risk_difference"], table["truth"], strict=True
            )
        ],
        correlation=table["correlation"].map("{:g}".format),
    )
    wide = shown.pivot(index=["seed", "planted", "correlation"], columns="model", values="shown")
    in_order = wide[list(dict.fromkeys(table["model"]))].fillna("not run").reset_index()
    return in_order.drop(columns="seed").rename_axis(columns=None)


def _by_model(table: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for model, of_model in table.groupby("model", sort=False):
        uses, not_used = of_model[of_model["uses"]], of_model[~of_model["uses"]]
        error = of_model["risk_difference"] - of_model["truth"]
        rows.append(
            {
                "model": model,
                "label accuracy": show_share(of_model["accuracy"].mean()),
                "found, the camera is used": share(int(uses["found"].sum()), len(uses)),
                "found, no use is seen": share(int(not_used["found"].sum()), len(not_used)),
                "root mean square of risk difference − truth": show_share(float(np.sqrt((error**2).mean()))),
            }
        )
    return pd.DataFrame(rows)


def _agreement(table: pd.DataFrame) -> pd.DataFrame:
    rows = []
    by_model = {
        str(model): of_model.set_index("seed") for model, of_model in table.groupby("model", sort=False)
    }
    for one, other in combinations(by_model, 2):
        both = by_model[one].merge(by_model[other], on="seed", suffixes=("", "_other"))
        rows.append(
            {
                "models": f"{one}, {other}",
                "the same verdict": share(int((both["verdict"] == both["verdict_other"]).sum()), len(both)),
                "both `cheating`, or neither": share(
                    int((both["found"] == both["found_other"]).sum()), len(both)
                ),
                "both use the camera, or neither": share(
                    int((both["uses"] == both["uses_other"]).sum()), len(both)
                ),
                "root mean square difference of the truths": show_share(
                    float(np.sqrt(((both["truth"] - both["truth_other"]) ** 2).mean()))
                ),
            }
        )
    return pd.DataFrame(rows)
