"""Reports of hyperparameter searches: a table of candidates, three plots, some sentences; from records alone."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from camerabias.analysis.report.figures.base import BLUE, STYLE, VERMILION
from camerabias.analysis.report.tables import without_formulas
from camerabias.analysis.statistics.number_format import show_number, show_share
from camerabias.datasets.io.letters import fit_letters
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.search import (
    Candidate,
    Choices,
    Parameter,
    Search,
    SearchRecord,
    Value,
    find_best,
    search_records,
)

MIN_FOR_IMPORTANCE = 4
"""Complete candidates below which no importance is drawn: trees fitted to fewer tell of chance."""


@dataclass(frozen=True)
class Plot:
    """A drawn plot: what it shows, and the picture as PNG."""

    caption: str
    png: bytes


@dataclass(frozen=True)
class SearchReport:
    """What a search has found.

    Attributes:
        name: The search's name.
        title: Its title.
        sentences: What came of it.
        candidates: A row per candidate: number, state, parameters, validation_loss, validation_accuracy, steps,
            seconds, reason.
        confirmed: Validation losses on other seeds: a row per recipe, a column per seed, and the mean; as text.
        worse: Whether the recipe found is worse there than the one that the search started from.
        plots: By name of the file.
        not_drawn: Reason of each plot that could not be drawn, by name.
    """

    name: str
    title: str
    sentences: list[str]
    candidates: pd.DataFrame
    confirmed: pd.DataFrame
    worse: bool
    plots: dict[str, Plot]
    not_drawn: dict[str, str]


def report_searches(run: Run) -> list[SearchReport]:
    """What all searches of a run have found.

    Raises:
        CamerabiasError: A file of a search is damaged; it is named.
    """
    return [report_search(record) for record in search_records(run)]


def write_search_report(record: SearchRecord) -> SearchReport:
    """Write `trials.csv` and the plots of a search beside its records."""
    report = report_search(record)
    record.folder.write_bytes("trials.csv", without_formulas(report.candidates).to_csv(index=False).encode())
    for name, plot in report.plots.items():
        record.folder.write_bytes(f"{name}.png", plot.png)
    return report


def report_search(record: SearchRecord) -> SearchReport:
    """What a search has found so far."""
    search, candidates = record.search(), record.candidates()
    plots, not_drawn = _draw(search, candidates)
    return SearchReport(
        name=search.name,
        title=search.title,
        sentences=_sentences(search, candidates),
        candidates=_table(search, candidates),
        confirmed=_confirmed(search, candidates, record),
        worse=_is_worse(search, candidates, record),
        plots=plots,
        not_drawn=not_drawn,
    )


def _table(search: Search, candidates: Sequence[Candidate]) -> pd.DataFrame:
    rows = [
        {
            "number": one.number,
            "state": one.state,
            **one.params,
            "validation_loss": one.loss,
            "validation_accuracy": one.accuracy,
            "steps": one.steps,
            "seconds": one.seconds,
            "reason": one.reason,
        }
        for one in candidates
    ]
    columns = [
        *("number", "state"), *search.space,
        *("validation_loss", "validation_accuracy", "steps", "seconds", "reason"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


_IN_WORDS = {
    "complete": "complete",
    "pruned": "pruned (stopped early, since others did better at the same step)",
    "failed": "failed",
    "running": "running",
}


def _sentences(search: Search, candidates: Sequence[Candidate]) -> list[str]:
    states = [one.state for one in candidates]
    counts = ", ".join(
        f"{states.count(state)} {words}" for state, words in _IN_WORDS.items() if state in states
    )
    sentences = [
        f"{len(candidates)} candidates of {', '.join(search.space)} on {search.trial.name}: {counts}."
    ]
    best = find_best(list(candidates))
    if best is None:
        return [*sentences, "None has ended with a loss yet."]
    sentences.append(
        f"Lowest validation loss: {show_number(best.loss)} (accuracy {show_share(best.accuracy)}), candidate "
        f"{best.number}: {best.described}. No test image was used."
    )
    return sentences


def _is_worse(search: Search, candidates: Sequence[Candidate], record: SearchRecord) -> bool:
    """Whether the recipe found lost, on average over the other seeds, to the one that the search started from."""
    best = find_best(list(candidates))
    if best is None:
        return False
    outcomes = record.confirmed()
    losses: dict[str, list[float]] = {"base": [], "found": []}
    for (recipe, _), config in search.confirming(best).items():
        outcome = outcomes.get(config.id)
        losses[recipe].append(nan if outcome is None or outcome.loss is None else outcome.loss)
    return float(np.sum(losses["found"])) > float(np.sum(losses["base"]))  # false where one is missing


def _confirmed(search: Search, candidates: Sequence[Candidate], record: SearchRecord) -> pd.DataFrame:
    """Missing and failed trials are named, and then there is no mean."""
    best = find_best(list(candidates))
    if best is None or not search.confirm_seeds:
        return pd.DataFrame()
    outcomes = record.confirmed()
    cells: dict[str, dict[str, str]] = {}
    losses: dict[str, list[float | None]] = {}
    for (recipe, seed), config in search.confirming(best).items():
        outcome = outcomes.get(config.id)
        loss = None if outcome is None else outcome.loss
        missing = "missing" if outcome is None else "failed"
        cells.setdefault(recipe, {})[f"seed {seed}"] = missing if loss is None else show_number(loss)
        losses.setdefault(recipe, []).append(loss)
    for recipe, found in losses.items():
        whole = [loss for loss in found if loss is not None]
        cells[recipe]["mean"] = show_number(float(np.mean(whole))) if len(whole) == len(found) else "missing"
    return pd.DataFrame.from_dict(cells, orient="index")


def _draw(search: Search, candidates: Sequence[Candidate]) -> tuple[dict[str, Plot], dict[str, str]]:
    plots, missing = {}, {}
    for name, draw in PLOTS.items():
        with mpl.rc_context(STYLE):
            try:
                figure, caption = draw(search, candidates)
            except CamerabiasError as error:
                missing[name] = str(error)
                continue
            fit_letters(figure)
            stream = io.BytesIO()
            figure.savefig(stream, format="png", metadata={"Software": None})
        plots[name] = Plot(caption, stream.getvalue())
    return plots, missing


def history(search: Search, candidates: Sequence[Candidate]) -> tuple[Figure, str]:
    """Validation loss over candidates, and the best so far."""
    complete = _complete(candidates)
    numbers = [one.number for one in complete]
    losses = np.array([one.loss for one in complete], dtype=float)
    pruned = [one.number for one in candidates if one.state == "pruned"]
    figure = Figure(figsize=(4.8, 2.6), layout="constrained")
    axis = figure.subplots()
    axis.plot(numbers, losses, "o", color=BLUE, markersize=4, label="complete")
    axis.step(numbers, np.minimum.accumulate(losses), where="post", color=VERMILION, label="best so far")
    # at the foot, since a loss of an early step does not compare with those of the end
    axis.plot(
        pruned, np.zeros(len(pruned)), "|", color="0.5", transform=axis.get_xaxis_transform(), label="pruned"
    )
    axis.set(xlabel="candidate", ylabel="validation loss", xlim=(-0.5, len(candidates) - 0.5))
    figure.legend(loc="outside lower center", ncols=3)
    return (
        figure,
        "Validation loss of every complete candidate, in the order of suggestion; ticks: pruned candidates.",
    )


def parallel(search: Search, candidates: Sequence[Candidate]) -> tuple[Figure, str]:
    """Parallel coordinates: a line per complete candidate through its parameters to its loss."""
    complete = _complete(candidates)
    losses = np.array([one.loss for one in complete], dtype=float)
    shade = Normalize(losses.min(), losses.max())
    axes = [
        _heights(parameter, [one.params[name] for one in complete])
        for name, parameter in search.space.items()
    ]
    heights = np.column_stack([*axes, [float(shade(loss)) for loss in losses]])
    figure = Figure(figsize=(1.4 * heights.shape[1] + 1.2, 2.8), layout="constrained")
    axis = figure.subplots()
    colours = mpl.colormaps["viridis_r"]
    for number in np.argsort(-losses):  # the best lie on top
        axis.plot(heights[number], color=colours(0.15 + 0.85 * (1 - shade(losses[number]))), linewidth=1.2)
    ticks = [*(_ends(parameter) for parameter in search.space.values()), _loss_ends(losses)]
    for position, marks in enumerate(ticks):
        axis.axvline(position, color="black", linewidth=0.6)
        for height, text in marks.items():
            axis.text(position + 0.03, height, text, va="center", fontsize=7, bbox=_BEHIND_TEXT)
    axis.set_xticks(range(len(ticks)), [*search.space, "validation loss"])
    axis.set(yticks=[], xlim=(-0.1, len(ticks) - 0.5), ylim=(-0.05, 1.05))
    axis.spines[:].set_visible(False)
    return figure, "Parameters and validation loss of the complete candidates, the best darkest."


_BEHIND_TEXT = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6}


def importance(search: Search, candidates: Sequence[Candidate]) -> tuple[Figure, str]:
    """How much of the variation of the loss each parameter explains (fANOVA; Hutter et al. 2014)."""
    complete = _complete(candidates)
    if len(complete) < MIN_FOR_IMPORTANCE:
        raise CamerabiasError(
            f"{len(complete)} complete candidates, and it needs {MIN_FOR_IMPORTANCE}; ask for more `trials`"
        )
    if len({one.loss for one in complete}) == 1:
        raise CamerabiasError("all candidates have the same loss, so parameters have no importance")
    try:
        from optuna.importance import FanovaImportanceEvaluator, get_param_importances

        from camerabias.trainables.records.optuna_view import replay
    except ModuleNotFoundError as error:
        raise CamerabiasError("it takes Optuna, which is not in the core install") from error
    shares = get_param_importances(replay(search, complete), evaluator=FanovaImportanceEvaluator(seed=0))
    figure = Figure(figsize=(4.0, 0.3 * len(shares) + 0.9), layout="constrained")
    axis = figure.subplots()
    axis.barh(list(shares)[::-1], list(shares.values())[::-1], color=BLUE, height=0.6)
    axis.set(xlabel="share of the variation explained", xlim=(0, 1))
    return figure, (
        f"Share of the variation of the validation loss that each parameter explains by itself, over {len(complete)} "
        "complete candidates (fANOVA)."
    )


PLOTS: dict[str, Callable[[Search, Sequence[Candidate]], tuple[Figure, str]]] = {
    "history": history,
    "parallel": parallel,
    "importance": importance,
}


def _complete(candidates: Sequence[Candidate]) -> list[Candidate]:
    complete = [one for one in candidates if one.state == "complete"]
    if not complete:
        raise CamerabiasError("no candidate is complete")
    return complete


def _heights(parameter: Parameter, values: Sequence[Value]) -> npt.NDArray[np.float64]:
    """Where values stand between the lower end of an axis, 0, and its upper end, 1."""
    if isinstance(parameter, Choices):
        return np.array([parameter.choices.index(value) for value in values]) / (len(parameter.choices) - 1)
    scale: Any = np.log if parameter.log else np.asarray
    low, high = scale(parameter.low), scale(parameter.high)
    return np.asarray((scale(np.array(values, dtype=float)) - low) / (high - low))


def _ends(parameter: Parameter) -> dict[float, str]:
    """What is written beside an axis, by height."""
    texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in parameter.values]
    return dict(zip(_heights(parameter, parameter.values), texts, strict=True))


def _loss_ends(losses: npt.NDArray[np.float64]) -> dict[float, str]:
    return {0.0: show_number(losses.min()), 1.0: show_number(losses.max())}
