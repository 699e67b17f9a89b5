"""Recipes as an axis of a study: pictured over two fields, and apart from the study's own everywhere else."""

from pathlib import Path

import numpy as np
import pytest

from camerabias.analysis.records.load import load_records
from camerabias.analysis.report.figures.draw import draw_figures
from camerabias.analysis.report.figures.recipe_heatmap import recipe_heatmap
from camerabias.analysis.report.tables import make_tables

RATES, DECAYS = (0.0002, 0.002), (0.0, 0.001)


@pytest.fixture
def found(make, tmp_path):
    """A run whose models are right at a high learning rate, and follow the camera at a low one."""
    cells = [
        make.cell(
            "label", "disjoint", make.right("label", 1.0) if rate == RATES[1] else make.by_camera,
            recipe={"learning_rate": rate, "weight_decay": decay},
        )
        for rate in RATES
        for decay in DECAYS
    ]  # fmt: skip
    return load_records(make.run(tmp_path, {"s": cells}).folder.path)


def numbers(axis):
    return np.array([float(text.get_text()) for text in axis.texts]).reshape(2, 2)


def test_accuracy_and_dependence_stand_at_their_recipe(found):
    figure, caption = recipe_heatmap(found)
    accuracy, dependence = figure.axes
    assert np.allclose(numbers(accuracy), [[0.5, 0.5], [1, 1]])  # of the cameras seen
    assert np.allclose(numbers(dependence), [[1, 1], [0, 0]])
    assert accuracy.get_ylabel().endswith("learning_rate")
    assert [text.get_text() for text in accuracy.get_yticklabels()] == ["0.0002", "0.002"]
    assert [text.get_text() for text in accuracy.get_xticklabels()] == ["0", "0.001"]
    assert "shortcut effect" in dependence.get_title()
    assert "finished seeds" in caption
    assert "recipes" in [one.name for one in draw_figures(found)[0]]


def test_weights_are_a_field_like_those_of_the_recipe(make, tmp_path):
    cells = [
        make.cell(
            "label", "disjoint", make.by_camera if weights == "none" else make.right("label", 1.0),
            recipe={"learning_rate": rate}, pretrained=weights,
        )
        for rate in RATES
        for weights in ("none", "sha256:1a2b3c4d")
    ]  # fmt: skip
    figure, _ = recipe_heatmap(load_records(make.run(tmp_path, {"s": cells}).folder.path))
    accuracy, _ = figure.axes
    assert np.allclose(numbers(accuracy), [[0.5, 1], [0.5, 1]])
    assert [text.get_text() for text in accuracy.get_xticklabels()] == ["none", "pretrained (1a2b)"]


def test_cells_of_other_recipes_are_given_to_who_asks_for_them(found):
    (own,) = found.cells("label")
    assert own.recipe == "base"
    recipes = [cell.recipe for cell in found.cells("label", recipe=None)]
    assert recipes == [
        "learning_rate 0.0002", "learning_rate 0.0002, weight_decay 0.001", "base", "weight_decay 0.001",
    ]  # fmt: skip
    (table,) = make_tables(found)
    assert table.wide[0].frame["recipe"].tolist() == recipes
    assert found.trials["name"].str.endswith("seed0 (weight_decay 0.001)").sum() == 1


def test_run_of_one_recipe_has_no_such_picture(demo_original, demo_report):
    assert recipe_heatmap(load_records(demo_original)) is None
    assert not (Path(demo_report.index).parent / "figures/recipes.png").exists()
    assert "recipes" not in demo_report.not_drawn
    assert "recipe" not in demo_report.tables[0].frame


def test_recipes_that_differ_in_one_field_have_no_such_picture(make, tmp_path):
    cells = [make.cell("label", "disjoint", make.by_camera, recipe={"learning_rate": rate}) for rate in RATES]
    _, missing = draw_figures(load_records(make.run(tmp_path, {"s": cells}).folder.path))
    assert "just two fields" in missing["recipes"]
