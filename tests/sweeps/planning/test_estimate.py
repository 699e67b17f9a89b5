"""How long a sweep will take, and where the figure comes from."""

import pytest
import torch

from camerabias.sweeps.planning.estimate import TimeEstimate, estimate_time
from camerabias.sweeps.planning.plan import make_plan
from camerabias.sweeps.planning.speed import Speed, measure_here
from camerabias.sweeps.planning.study import load_study
from camerabias.trainables.records.run import Run


@pytest.fixture
def planned(dataset, tmp_path):
    """A function that plans Table I."""

    def plan(*models):
        studies = load_study("table1", models=list(models), seeds=[0, 1], recipe="demo", weights="none")
        return make_plan(studies, dataset, Run(str(tmp_path / "run")), None, measure_here)

    return plan


def test_time_is_steps_times_batch_over_the_measured_speed_of_each_model(planned, tmp_path):
    speeds = {"resnet34": Speed(64.0, "GPU", exact=True), "alexnet": Speed(128.0, "GPU", exact=True)}
    timed = []

    def measure(config):
        timed.append(config.model)
        return speeds[config.model]

    found = estimate_time(planned(*speeds), Run(str(tmp_path / "run")), measure)
    assert found.seconds == pytest.approx(2 * 240 * 32 * (1 / 64 + 1 / 128))
    assert timed == ["resnet34", "alexnet"]  # once each, not once a seed
    assert (found.device, found.origin) == ("GPU", "training steps timed just now")


def test_figures_that_were_scaled_are_called_arithmetic(planned, tmp_path):
    speeds = {"resnet34": Speed(64.0, "core", exact=True), "alexnet": Speed(128.0, "core", exact=False)}
    found = estimate_time(planned(*speeds), Run(str(tmp_path / "run")), lambda config: speeds[config.model])
    assert "timed just now; arithmetic alone for alexnet at 224 × 224 pixels" in found.origin
    assert found.device == "core"


def test_finished_trials_tell_their_own_speed(planned, make_job, tmp_path, run_trial):
    run = Run(str(tmp_path / "run"))
    plan = planned("test_resnet")
    first = next(iter(plan.trials.values()))
    run_trial(make_job(recipe={"max_steps": 6}, size=64))
    done = next(iter(run.contents()))
    record = run.record(done)
    for name in ("config.json", "history.parquet", "predictions.parquet", "done.json"):
        run.record(first.id).folder.write_bytes(name, record.folder.read_bytes(name))
    again = planned("test_resnet")

    def measure(config):
        raise AssertionError("nothing needs to be timed")

    found = estimate_time(again, run, measure)
    assert found.seconds == pytest.approx(240 * 32 / record.done().images_per_second)
    assert found.origin == "the speed of this run's own records"


def test_small_batches_are_timed_whole_and_large_ones_in_part(planned, make_job):
    small = measure_here(make_job(size=32).config)
    assert small.exact
    large = measure_here(make_job(size=256, recipe={"batch_size": 64}).config)
    assert not large.exact
    assert small.device == large.device
    assert min(small.images_per_second, large.images_per_second) > 0


@pytest.mark.parametrize(("enough", "n_steps"), [(1e-9, 1), (1e9, 5)])
def test_a_step_so_slow_that_it_tells_enough_is_not_repeated(make_job, monkeypatch, enough, n_steps):
    steps, step = [], torch.optim.Adam.step
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self: steps.append(step(self)))
    monkeypatch.setattr("camerabias.sweeps.planning.speed.ENOUGH_SECONDS", enough)
    assert measure_here(make_job(size=32).config).images_per_second > 0
    assert len(steps) == n_steps


def test_cost_is_hours_times_price():
    assert TimeEstimate(5400.0, "GPU", "records").dollars(0.40) == pytest.approx(0.60)
