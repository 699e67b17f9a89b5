"""How the trials of a cell are trained: what a grid's `recipes` and `mitigations` come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.spec.recipe import BASE, Recipe, mitigate, name_difference, vary


@dataclass(frozen=True)
class GridRecipe:
    """One way to train.

    Attributes:
        recipe: The recipe, with the fields of its mitigation.
        weights: What training starts from: `imagenet`, `none` or a file.
        name: How it differs from the study's own, apart from the mitigation.
        mitigation: Name of the mitigation.
    """

    recipe: Recipe
    weights: str
    name: str = BASE
    mitigation: str = "none"


def spell_out(
    own: GridRecipe, recipes: Sequence[str | dict[str, Any]], mitigations: Sequence[str]
) -> list[GridRecipe]:
    """Every recipe with every mitigation; of recipes that come to the same, one.

    Args:
        own: The study's own, on which recipes without a `base` are built.
        recipes: As `vary_grid_recipe` reads them.
        mitigations: Names of `MITIGATIONS`.

    Raises:
        CamerabiasError: A recipe cannot be used, or not with a mitigation.
    """
    varied = {one.name: one for one in (vary_grid_recipe(own, given) for given in recipes)}
    return [
        GridRecipe(mitigate(one.recipe, mitigation), one.weights, one.name, mitigation)
        for one in varied.values()
        for mitigation in mitigations
    ]


def vary_grid_recipe(own: GridRecipe, given: str | dict[str, Any]) -> GridRecipe:
    """Another recipe, as `recipe.vary` reads it, whose fields may say `weights` as well.

    Raises:
        CamerabiasError: There is no such recipe, it has unknown or impossible fields, or its weights are no word.
    """
    if not isinstance(given, dict) or "weights" not in given:
        return _named(own, vary(own.recipe, given), own.weights)
    weights = given["weights"]
    if not isinstance(weights, str):
        raise CamerabiasError(
            f"weights cannot be {weights!r}; allowed: imagenet, none, or the path of a file."
        )
    rest = {name: value for name, value in given.items() if name != "weights"}
    return _named(own, vary(own.recipe, rest), weights)


def _named(own: GridRecipe, recipe: Recipe, weights: str) -> GridRecipe:
    fields = name_difference(recipe, own.recipe)
    if weights != own.weights:
        fields = f"weights {weights}" if fields == BASE else f"{fields}, weights {weights}"
    return GridRecipe(recipe, weights, fields)
