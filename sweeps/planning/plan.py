"""From studies and a dataset to trials: what there is to run, and what has been run already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.sampling.rules import (
    LEAVE_ONE_CAMERA_OUT,
    Setting,
    leave_one_camera_out,
    resolve_setting,
)
from camerabias.datasets.sampling.select import select
from camerabias.datasets.schema import N_FOLDS, CamerabiasError, Target
from camerabias.datasets.views.registry import View
from camerabias.sweeps.planning.grid_recipe import GridRecipe, spell_out
from camerabias.sweeps.planning.precision import Precisions
from camerabias.sweeps.planning.speed import SpeedMeasure
from camerabias.sweeps.planning.study import CellList, Grid, Study
from camerabias.sweeps.planning.weights import WeightsIds
from camerabias.trainables.models.registry import find_model, input_size
from camerabias.trainables.probes.registry import Probe
from camerabias.trainables.records.record import Contents, Status
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.study import PlannedStudy, Skipped, StudyCell
from camerabias.trainables.spec.linear_probe import (
    INPUT_SIDE,
    NATIVE_CROPS,
    OWN_FEATURES,
    LinearProbe,
    backbone_of,
    is_linear,
)
from camerabias.trainables.spec.recipe import Recipe, load_recipe
from camerabias.trainables.spec.trial import TrialConfig

_PLURAL: dict[Target, str] = {"label": "labels", "camera": "cameras"}


@dataclass(frozen=True)
class Plan:
    """Every trial of some studies over one dataset; trials that studies share are there once."""

    dataset: Dataset
    studies: list[PlannedStudy]
    trials: dict[str, TrialConfig]
    """By id, in the order in which they run: seed by seed, so that early tables are whole."""
    contents: dict[str, Contents]
    """What the run holds, by trial."""
    sources: dict[str, str]
    """Where weights come from (`imagenet`, `none`, or a file), by the id that trials hold."""
    precisions: Precisions
    """Of models whose recipes leave it open."""

    @cached_property
    def probes(self) -> dict[str, tuple[Probe, ...]]:
        """By trial, what all of its studies ask of its model."""
        asked: dict[str, dict[str, None]] = {}
        for study in self.studies:
            for cell in study.cells:
                for trial_id in cell.trials.values():
                    asked.setdefault(trial_id, {}).update(dict.fromkeys(cell.probes))
        return {trial_id: tuple(map(Probe.model_validate, names)) for trial_id, names in asked.items()}

    def status(self, trial_id: str) -> Status:
        """What the run holds of a trial."""
        return self._contents(trial_id).status

    def to_run(self, retry_failed: bool) -> list[TrialConfig]:
        """Trials that have no record yet, or lack a probe that can still be made; failed ones if asked."""
        ended = {"done"} if retry_failed else {"done", "failed"}
        return [
            config
            for trial_id, config in self.trials.items()
            if self.status(trial_id) not in ended
            or (self._contents(trial_id).has_weights and self._lacks(trial_id, ended))
        ]

    def without_weights(self) -> list[TrialConfig]:
        """Trials that are done and lack a probe, for which their weights would have had to be kept."""
        return [
            config
            for trial_id, config in self.trials.items()
            if self.status(trial_id) == "done"
            and not self._contents(trial_id).has_weights
            and self._lacks(trial_id, {"done"})
        ]

    def _lacks(self, trial_id: str, ended: set[str]) -> bool:
        """Whether a trial that is done lacks a probe."""
        contents = self._contents(trial_id)
        statuses = {contents.probe_status(str(probe)) for probe in self.probes[trial_id]}
        return contents.status == "done" and not statuses <= ended

    def _contents(self, trial_id: str) -> Contents:
        return self.contents.get(trial_id, Contents())


def with_probes(plan: Plan, target: Target, probes: Sequence[str]) -> Plan:
    """A plan in which models of a target are asked more.

    Args:
        plan: The plan.
        target: What the models have learned.
        probes: Names of probes that ask about them.
    """
    studies = [
        study.model_copy(
            update={
                "cells": tuple(
                    cell.model_copy(update={"probes": tuple(dict.fromkeys((*cell.probes, *probes)))})
                    if cell.target == target
                    else cell
                    for cell in study.cells
                )
            }
        )
        for study in plan.studies
    ]
    return replace(plan, studies=studies)


def make_plan(
    studies: Sequence[Study], dataset: Dataset, run: Run, size: int | None, measure: SpeedMeasure
) -> Plan:
    """Spell out studies for a dataset.

    Args:
        studies: The studies.
        dataset: The dataset.
        run: The run whose records count as done.
        size: Side of the models' input in pixels; None leaves it to the models and the dataset.
        measure: Times training steps of models whose recipes leave their precision open.

    Raises:
        CamerabiasError: The run belongs to another dataset, weights cannot be had, or the dataset cannot serve a
            setting.
    """
    planner = _Planner(dataset, size, Precisions(run, measure))
    planned = [planner.plan(study) for study in studies]
    trials = sorted(planner.trials.values(), key=lambda config: config.seed)
    return Plan(
        dataset,
        planned,
        {config.id: config for config in trials},
        run.contents(),
        planner.ids.sources,
        planner.precisions,
    )


@dataclass(frozen=True)
class _Planner:
    dataset: Dataset
    size: int | None
    precisions: Precisions
    ids: WeightsIds = field(default_factory=WeightsIds)
    trials: dict[str, TrialConfig] = field(default_factory=dict)
    """Of all studies planned so far, by id."""

    def plan(self, study: Study) -> PlannedStudy:
        cells: list[StudyCell] = []
        skipped: list[Skipped] = []
        for grid in study.grids:
            cells += self._cells(study, grid, skipped)
        return PlannedStudy(
            name=study.name,
            title=study.title,
            paper=study.paper,
            note=study.note,
            models=tuple(study.models),
            seeds=tuple(study.seeds),
            recipe=study.recipe,
            cells=tuple(cells),
            skipped=tuple(skipped),
        )

    def _cells(self, study: Study, grid: Grid, skipped: list[Skipped]) -> list[StudyCell]:
        recipes = self._recipes(study, grid)
        settings = self._settings(study, grid, skipped)
        views = self._views(study, grid, skipped)
        train_size = self._equal_size(study, grid, settings)
        return [
            self._cell(study, grid, asked, self._config(study, grid, setting, view, model, asked, train_size))
            for setting in settings
            for view in views
            for asked in recipes
            for model in study.models
            if not self._skips(grid, view, model, asked.recipe, skipped)
        ]

    def _skips(self, grid: Grid, view: View, model: str, recipe: Recipe, skipped: list[Skipped]) -> bool:
        """Note what a linear probe cannot be asked for."""
        why = _unfit(model, view, recipe)
        if why:
            what = f"{model}, {recipe.mitigation if recipe.adversary else view}"
            note = Skipped(target=grid.target, setting=what, reason=why)
            skipped += [note] if note not in skipped else []
        return bool(why)

    def _settings(self, study: Study, grid: Grid, skipped: list[Skipped]) -> list[Setting]:
        settings: list[Setting] = []
        for asked in grid.settings:
            name = asked if isinstance(asked, str) else asked.name
            with self._skipping(study, grid.target, name, skipped):
                self._check_classes(grid.target)
                if study.skip_unanswerable:
                    self._check_cells(grid.target)
                # two names may come to the same: leave-one-camera-out and one of its cameras
                settings += [one for one in self._resolve(asked) if one not in settings]
        return settings

    def _views(self, study: Study, grid: Grid, skipped: list[Skipped]) -> list[View]:
        views: list[View] = []
        for view in grid.views:
            with self._skipping(study, grid.target, f"view {view}", skipped):
                self._check_size(view)
                views.append(view)
        return views

    def _recipes(self, study: Study, grid: Grid) -> list[GridRecipe]:
        own = GridRecipe(load_recipe(study.recipe), study.weights)
        recipes = spell_out(own, grid.recipes, grid.mitigations)
        if grid.target == "camera" and any(one.recipe.adversary for one in recipes):
            raise CamerabiasError(
                f"Study {study.name!r} trains models to name the camera with an adversary, which keeps them from "
                "just that. Ask for the mitigation `adversary` where the target is `label`, and none in the recipe."
            )
        return recipes

    @contextmanager
    def _skipping(self, study: Study, target: Target, what: str, skipped: list[Skipped]) -> Iterator[None]:
        """Where the study allows it, note what the dataset cannot serve, and go on without."""
        try:
            yield
        except CamerabiasError as error:
            if not study.skip_unanswerable:
                raise
            skipped.append(Skipped(target=target, setting=what, reason=str(error)))

    def _check_size(self, view: View) -> None:
        if view.kind.side is not None:
            self.dataset.source_size(view.kind.side)

    def _check_classes(self, target: Target) -> None:
        classes = self.dataset.manifest.classes(target)
        if len(classes) < 2:
            raise CamerabiasError(
                f"There is only one {target}, {classes[0]!r}: nothing to distinguish. Add photos of another."
            )

    def _check_cells(self, target: Target) -> None:
        """Refuse what no training could answer: the label from photos whose camera determines it, and vice versa."""
        cells = {(cell.label, cell.camera) for cell in self.dataset.manifest.cells}
        other: Target = "camera" if target == "label" else "label"
        separated = len({camera if target == "label" else label for label, camera in cells}) == len(cells)
        if separated:
            raise CamerabiasError(
                f"Every {other} has photos of one {target} alone, so that a model that predicts the {target} may "
                f"be one that predicts the {other}. Take photos of several {_PLURAL[target]} with the same {other}."
            )

    def _resolve(self, asked: str | CellList) -> list[Setting]:
        if asked == LEAVE_ONE_CAMERA_OUT:
            return leave_one_camera_out(self.dataset.manifest)
        given = asked if isinstance(asked, str) else asked.model_dump()
        return [resolve_setting(given, self.dataset.manifest)]

    def _config(
        self,
        study: Study,
        grid: Grid,
        setting: Setting,
        view: View,
        model: str,
        asked: GridRecipe,
        train_size: int | None,
    ) -> TrialConfig:
        """What the trials of a cell have in common, as that of seed 0 and fold 0."""
        manifest = self.dataset.manifest
        test_view = grid.test_view or view
        return TrialConfig(
            dataset=manifest.fingerprint,
            model=model,
            weights=self.ids.find(model, asked.weights),
            target=grid.target,
            setting=setting,
            train_view=view,
            test_view=test_view,
            test_fold=0,
            seed=0,
            train_size=train_size,
            rotation=study.rotation if study.rotate_folds and not manifest.has_split else None,
            **(
                self._of_probe(study, asked.recipe)
                if is_linear(model)
                else self._of_network(study, view, test_view, model, asked.recipe)
            ),
        )

    def _of_network(
        self, study: Study, view: View, test_view: View, model: str, recipe: Recipe
    ) -> dict[str, Any]:
        """Fields of a trial that trains a network."""
        manifest = self.dataset.manifest
        side = view.kind.side  # of a view that is a small piece of the original pixels
        halves = view.kind.width_share != 1 or test_view.kind.width_share != 1
        return {
            "size": side or input_size(model, study.size or self.size, manifest.size),
            # what takes squares alone gets halves as squares
            "fit": "stretch" if halves and find_model(model).fixed_size else manifest.fit,
            "recipe": recipe.in_precision("float32") if recipe.precision == "auto" else recipe,
            "source_size": self.dataset.source_size(side) if side else None,
        }

    def _of_probe(self, study: Study, recipe: Recipe) -> dict[str, Any]:
        """Fields of a trial that fits a linear probe; of the recipe, only the mitigation means anything to it."""
        probe = LinearProbe(crops=NATIVE_CROPS, precision="float32", mitigation=recipe.mitigation)
        fit = self.dataset.manifest.fit
        return {"size": study.size or self.size or INPUT_SIDE, "fit": fit, "recipe": probe}

    def _cell(self, study: Study, grid: Grid, asked: GridRecipe, config: TrialConfig) -> StudyCell:
        if asked.recipe.precision == "auto" and not is_linear(config.model):
            config = self.precisions.settle(config)
        manifest = self.dataset.manifest
        shot_again = manifest.source["kind"] == "simulator" and backbone_of(config.model) != OWN_FEATURES
        seen = config.setting.seen_cameras(manifest)
        return StudyCell(
            target=config.target,
            setting=config.setting.name,
            train_view=str(config.train_view),
            test_view=str(config.test_view),
            model=config.model,
            size=config.size,
            seen_cameras=tuple(camera for camera in seen if camera not in self.dataset.untrained_cameras),
            family=config.family,
            trials=self._trials(study, config),
            probes=tuple(
                str(probe)
                for probe in grid.probes
                if probe.kind.asks(config.model) and (shot_again or not probe.kind.of_simulated)
            ),
            test_draws=config.test_view.kind.test_draws,
            downsampled=config.source_size is None
            and config.size < manifest.size
            and not is_linear(config.model),
            recipe=asked.name,
            mitigation=asked.mitigation,
        )

    def _trials(self, study: Study, config: TrialConfig) -> dict[int, str]:
        """Note the trials of a cell; their ids by seed.

        Where seeds differ in nothing but their test fold, one seed tests each: all of a user's split, for instance.
        """
        rotated = study.rotate_folds and not self.dataset.manifest.has_split
        n_folds = (study.rotation or N_FOLDS) if rotated else 1
        folds = {seed: seed % n_folds for seed in study.seeds}
        if not config.seed_matters:
            first = {fold: seed for seed, fold in reversed(folds.items())}
            folds = {seed: fold for seed, fold in folds.items() if first[fold] == seed}
        trials = {
            seed: config.model_copy(update={"seed": seed, "test_fold": fold}) for seed, fold in folds.items()
        }
        self.trials.update({trial.id: trial for trial in trials.values()})
        return {seed: trial.id for seed, trial in trials.items()}

    def _equal_size(self, study: Study, grid: Grid, settings: list[Setting]) -> int | None:
        """The smallest training size of the settings, up to the unevenness of folds."""
        if not grid.equal_training_size or not settings:
            return None
        index = self.dataset.index
        if self.dataset.manifest.has_split:
            training = index[index["split"] == "train"]
            if "val" not in set(index["split"]):
                training = training[training["fold"] != 1]  # which then validates
        else:
            rotation = study.rotation if study.rotate_folds else None
            tested = index["fold"] % (rotation or N_FOLDS) == 0
            training = index[~tested & (index["fold"] != 1)]  # as many folds as ever train
        return min(len(select(s, training["label"], training["camera"], seed=0)) for s in settings)


def _unfit(model: str, view: View, recipe: Recipe) -> str:
    """Why a linear probe cannot be asked for a view, or with a mitigation; nothing where any model can."""
    if is_linear(model) and recipe.adversary:
        return (
            "An adversary works on features, and those of a linear probe are frozen; train a network with it."
        )
    if backbone_of(model) == OWN_FEATURES and (view.name != "rgb" or bool(recipe.augmentation)):
        return "Features of your own are of the photos as they are; name a backbone to have others computed."
    return ""
