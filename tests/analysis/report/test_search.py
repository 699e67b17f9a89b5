"""Reports of searches, drawn from made-up candidates."""

import io
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from camerabias.analysis.report.report import make_report
from camerabias.analysis.report.search import (
    history,
    importance,
    parallel,
    report_search,
    report_searches,
    write_search_report,
)
from camerabias.datasets.sampling.rules import Setting
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.search import (
    Candidate,
    Choices,
    Confirmation,
    Range,
    Search,
    search_record,
)
from camerabias.trainables.spec.recipe import load_recipe
from camerabias.trainables.spec.trial import TrialConfig

TRIAL = TrialConfig(
    dataset="d", model="m", weights="none", target="label",
    setting=Setting(name="natural", cells=None, equal_counts=False), train_view="rgb", test_view="rgb",
    test_fold=0, seed=0, size=32, fit="resize", recipe=load_recipe("demo"),
)  # fmt: skip
SEARCH = Search(
    name="mine", title="A search of mine", trial=TRIAL, trials=8, prune_after=10, confirm_seeds=[1, 2],
    space={"learning_rate": Range(low=1e-4, high=1e-2, log=True), "batch_size": Choices(choices=[16, 32, 64])},
)  # fmt: skip
RATES = [1e-4, 1e-3, 1e-2, 1e-3, 3e-4, 3e-3]
LOSSES = [0.9, 0.3, 0.8, 0.4, 0.6, 0.5]


def make_candidates():
    """Six complete candidates whose loss is the learning rate's doing, one pruned and one failed."""
    candidates = [
        Candidate(number=n, trial=str(n), params={"learning_rate": rate, "batch_size": 16 * 2 ** (n % 3)},
            state="complete", loss=loss, accuracy=1 - loss, losses={10: loss}, steps=100)
        for n, (rate, loss) in enumerate(zip(RATES, LOSSES, strict=True))
    ]  # fmt: skip
    params = {"learning_rate": 5e-3, "batch_size": 32}
    candidates.append(
        Candidate(number=6, trial="6", params=params, state="pruned", losses={10: 0.95}, steps=10)
    )
    candidates.append(
        Candidate(number=7, trial="7", params=params, state="failed", reason="diverged, they say", steps=3)
    )
    return candidates


def write(folder, search=SEARCH, candidates=None, outcomes=None):
    record = search_record(Run(folder), search.name)
    record.write_search(search)
    for one in make_candidates() if candidates is None else candidates:
        record.write_candidate(one)
    record.write_confirmed(outcomes or {})
    return record


def confirmations(search, best, losses):
    trials = search.confirming(best).values()
    return {
        config.id: Confirmation(loss=loss, accuracy=loss, reason="" if loss else "bang")
        for config, loss in zip(trials, losses, strict=False)
    }


def test_every_candidate_has_a_row_and_what_is_missing_stays_empty(tmp_path):
    record = write(tmp_path)
    write_search_report(record)
    table = pd.read_csv(tmp_path / "searches/mine/trials.csv")
    assert table["state"].tolist() == ["complete"] * 6 + ["pruned", "failed"]
    assert table["learning_rate"].tolist() == [*RATES, 5e-3, 5e-3]
    assert table["validation_loss"].tolist()[:6] == LOSSES
    assert table["validation_loss"].isna().sum() == 2
    assert table["steps"].tolist() == [100] * 6 + [10, 3]
    assert table["reason"].tolist()[-1] == "diverged, they say"


def test_sentences_tell_states_and_the_best(tmp_path):
    said = " ".join(report_search(write(tmp_path)).sentences)
    for text in (
        "8 candidates of learning_rate, batch_size",
        "6 complete",
        "1 pruned",
        "1 failed",
        "loss: 0.300 (accuracy 0.700), candidate 1: learning_rate 0.001, batch_size 32",
        "No test image was used",
    ):
        assert text in said


def test_other_seeds_have_a_mean_only_where_all_are_there(tmp_path):
    best = make_candidates()[1]
    outcomes = confirmations(SEARCH, best, [0.5, 0.7, 0.25, None])
    table = report_search(write(tmp_path / "a", outcomes=outcomes)).confirmed
    assert table.loc["base"].tolist() == ["0.500", "0.700", "0.600"]
    assert table.loc["found"].tolist() == ["0.250", "failed", "missing"]
    table = report_search(write(tmp_path / "b")).confirmed
    assert set(table.to_numpy().flatten()) == {"missing"}


def test_best_so_far_never_rises():
    figure, _ = history(SEARCH, make_candidates())
    dots, best, pruned = figure.axes[0].lines
    assert list(dots.get_ydata()) == LOSSES
    assert list(best.get_ydata()) == [min(LOSSES[: n + 1]) for n in range(6)]
    assert list(pruned.get_xdata()) == [6]


def test_lines_pass_through_the_values_of_their_candidate():
    figure, _ = parallel(SEARCH, make_candidates())
    lines = [line.get_ydata() for line in figure.axes[0].lines if len(line.get_ydata()) == 3]
    expected = [
        [(np.log10(rate) + 4) / 2, (n % 3) / 2, (loss - 0.3) / 0.6]
        for n, (rate, loss) in enumerate(zip(RATES, LOSSES, strict=True))
    ]
    order = np.argsort(LOSSES)[::-1]  # the best is drawn last
    np.testing.assert_allclose(lines, [expected[n] for n in order], atol=1e-12)
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == [
        "learning_rate",
        "batch_size",
        "validation loss",
    ]


def test_the_parameter_that_decides_is_the_more_important():
    grid = [(rate, size) for rate in np.geomspace(1e-4, 1e-2, 8) for size in (16, 32)]
    candidates = [
        Candidate(
            number=number,
            trial=str(number),
            params={"learning_rate": rate, "batch_size": size},
            state="complete",
            loss=100 * rate,
        )
        for number, (rate, size) in enumerate(grid)
    ]
    figure, _ = importance(SEARCH, candidates)
    shares = {
        label.get_text(): bar.get_width()
        for label, bar in zip(figure.axes[0].get_yticklabels(), figure.axes[0].patches, strict=True)
    }
    assert shares["learning_rate"] > 0.9
    assert shares["batch_size"] < 0.1


def test_what_cannot_be_drawn_says_why(tmp_path):
    few = report_search(write(tmp_path / "few", candidates=make_candidates()[:2]))
    assert list(few.plots) == ["history", "parallel"]
    assert "2 complete candidates, and it needs 4" in few.not_drawn["importance"]
    none = report_search(write(tmp_path / "none", candidates=[]))
    assert none.plots == {}
    assert set(none.not_drawn.values()) == {"no candidate is complete"}
    assert none.sentences[-1] == "None has ended with a loss yet."
    same = [one.model_copy(update={"loss": 0.5}) for one in make_candidates()[:6]]
    with pytest.raises(CamerabiasError, match="the same loss"):
        importance(SEARCH, same)


def test_plots_are_pictures_and_the_same_each_time(tmp_path):
    before = dict(mpl.rcParams)
    record = write(tmp_path)
    first, second = report_search(record).plots, report_search(record).plots
    assert list(first) == ["history", "parallel", "importance"]
    assert first == second
    for plot in first.values():
        with Image.open(io.BytesIO(plot.png)) as picture:
            assert min(picture.size) > 200
    assert dict(mpl.rcParams) == before


def test_page_of_a_run_shows_its_searches(demo_run):
    write(demo_run.folder.path, outcomes=confirmations(SEARCH, make_candidates()[1], [0.5, 0.7, 0.25, 0.35]))
    assert [report.name for report in report_searches(demo_run)] == ["mine"]
    make_report(demo_run.folder.path)
    page = demo_run.report.read_bytes("index.html").decode()
    for text in (
        "Hyperparameter searches",
        "mine: A search of mine",
        "candidate 1: ",
        "loss: 0.300 (accuracy",
        ">0.600</td>",
    ):
        assert text in page
    assert page.partition("Hyperparameter searches")[2].count("<img") == 3


def test_page_of_a_run_without_searches_says_nothing_of_them(demo_report):
    assert "Hyperparameter" not in Path(demo_report.index).read_text()


@pytest.mark.parametrize(
    ("losses", "worse"), [([0.5, 0.7, 0.25, 0.35], False), ([0.2, 0.3, 0.25, 0.35], True)]
)
def test_recipe_that_loses_on_other_seeds_is_called_worse(demo_run, losses, worse):
    write(demo_run.folder.path, outcomes=confirmations(SEARCH, make_candidates()[1], losses))
    (report,) = report_searches(demo_run)
    assert report.worse is worse
