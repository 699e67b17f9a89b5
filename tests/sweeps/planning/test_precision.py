"""What `precision: auto` comes to, and that a run keeps to it."""

import json

import pytest
import yaml

from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.planning.plan import make_plan
from camerabias.sweeps.planning.precision import PAYS
from camerabias.sweeps.planning.speed import Speed
from camerabias.sweeps.planning.study import load_study
from camerabias.sweeps.search.space import load_space
from camerabias.trainables.records.run import Run


@pytest.fixture
def plan(dataset, tmp_path):
    """A function that plans Table I where bfloat16 is so many times as fast."""

    def made(ratio, precision="auto", run="run"):
        def measure(config):
            assert ratio is not None, "it has been measured before"
            return Speed(ratio if config.recipe.precision == "bfloat16" else 1.0, "core", exact=True)

        recipe = {"base": "demo", "precision": precision}
        models = ["test_resnet", "linear:test_resnet"]
        studies = load_study("table1", models=models, seeds=[0], recipe=recipe, weights="none")
        return make_plan(studies, dataset, Run(str(tmp_path / run)), None, measure)

    return made


@pytest.mark.parametrize(("ratio", "precision"), [(PAYS + 0.1, "bfloat16"), (PAYS - 0.1, "float32")])
def test_ids_are_those_of_the_precision_that_pays(plan, ratio, precision):
    found = plan(ratio)
    assert list(found.trials) == list(plan(None, precision).trials)
    (sentence,) = found.precisions.sentences()
    assert sentence == (
        f"test_resnet at 64 × 64 trains in {precision}: bfloat16 was {ratio:.2f} times as fast as float32."
    )


def test_what_a_run_has_chosen_holds_wherever_it_is_resumed(plan, tmp_path):
    chosen = plan(2.0).precisions.used
    Run(str(tmp_path / "elsewhere")).write_info({"precisions": chosen})
    assert plan(None, run="elsewhere").trials == plan(None, "bfloat16").trials


def test_sweep_says_and_keeps_what_it_has_measured(command, dataset, tmp_path):
    recipe = {"base": "demo", "max_steps": 2, "evaluate_every": 1, "precision": "auto"}
    study = {"title": "quick", "models": ["test_resnet"], "seeds": [0], "recipe": recipe, "weights": "none"}
    grids = [{"target": "camera", "settings": ["natural"]}]
    (tmp_path / "quick.yaml").write_text(yaml.safe_dump({**study, "grids": grids}))
    where = ["--data", dataset.folder, "--run", tmp_path / "run", "--size", 32, "--executor", "local"]
    code, out, _ = command("sweep", "run", tmp_path / "quick.yaml", *where)
    assert code == 0
    kept = json.loads((tmp_path / "run" / "run.json").read_text())["precisions"]
    run = Run(str(tmp_path / "run"))
    (trial,) = run.contents()
    precision = run.record(trial).config().recipe.precision
    assert [one["precision"] for one in kept.values()] == [precision]
    assert f"test_resnet at 32 × 32 trains in {precision}: bfloat16 was" in " ".join(out.split())


def test_search_cannot_choose_auto(tmp_path):
    space = {"target": "label", "setting": "natural", "model": "test_resnet", "recipe": "demo", "trials": 2}
    precision = {"precision": {"choices": ["float32", "auto"]}}
    (tmp_path / "space.yaml").write_text(
        yaml.safe_dump({"title": "quick", **space, "prune_after": None, "space": precision})
    )
    with pytest.raises(CamerabiasError, match="precision auto is no choice of a search"):
        load_space(str(tmp_path / "space.yaml"))
