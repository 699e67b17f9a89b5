"""What an audit has found: the model that a verdict is about, and the results of every test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isnan

import pandas as pd

from camerabias.analysis.design.design import Answerable
from camerabias.analysis.effects.by_setting import setting_contrasts
from camerabias.analysis.effects.by_view import SETTING, cameras_by_view, labels_by_view
from camerabias.analysis.effects.mitigations import mitigations
from camerabias.analysis.effects.shortcut_effect import ShortcutEffect, shortcut_effect
from camerabias.analysis.records.records import Records
from camerabias.analysis.records.wording import PLAIN
from camerabias.analysis.statistics.accuracy import accuracy
from camerabias.analysis.statistics.permutation import LEVEL, holm
from camerabias.analysis.verdict.evidence.base import Audited, Findings
from camerabias.analysis.verdict.evidence.control import CONTROL
from camerabias.analysis.verdict.evidence.counterfactual import COUNTERFACTUAL
from camerabias.analysis.verdict.evidence.identification import IDENTIFICATION
from camerabias.analysis.verdict.evidence.registry import all_tests
from camerabias.analysis.verdict.evidence.shortcut_effect import SHORTCUT_EFFECT
from camerabias.datasets.cues.names import CUES, probe_of
from camerabias.datasets.io.printable import typed
from camerabias.datasets.schema import FACTS_FILE, PIXELS_FILE, Target
from camerabias.trainables.records.record import SENSOR_PATTERN_FILE, ProbeArrays
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.study import StudyCell


def gather(records: Records, design: Answerable) -> Findings:
    """Run every test on what a run's records hold.

    Args:
        records: A run's records.
        design: What its photos can tell, see `check_design`.
    """
    effects = _effects(records, design)
    model = _choose_model(records, effects)
    return run_tests(
        Audited(
            model=model,
            design=design,
            cameras=cameras_by_view(records, model),
            labels=labels_by_view(records, model, design.associated_labels),
            effects=effects,
            label_rows=_rows(records, "label", model),
            camera_rows=_rows(records, "camera", model),
            counterfactuals=_counterfactuals(records, model),
            controls=_probes(records, model, CONTROL.name),
            moved={cue: seeds for cue in CUES if (seeds := _probes(records, model, probe_of(cue)))},
            sensor_matches=records.run.frame(SENSOR_PATTERN_FILE),
            pixels=measured_pixels(records.run),
            mitigations=mitigations(records, design.associated_labels),
            contrast=next((one for one in setting_contrasts(records) if one.model == model), None),
            run=typed(records.run.folder.uri),
            source=typed(records.info.dataset_location),
        )
    )


def run_tests(audited: Audited) -> Findings:
    """Run every test on predictions, wherever they come from."""
    results = {test.name: test.compute(audited) for test in all_tests()}
    return Findings(**vars(audited), results=results)


def identifies_cameras(found: Findings) -> bool:
    """Whether the model identifies the camera within a label, significantly."""
    result = found.of(IDENTIFICATION)
    return result is not None and result.p <= LEVEL


def associated(found: Findings) -> bool:
    """Whether label and camera are associated in the photos, significantly, or were stated to be."""
    association = found.design.association
    return association is None or association.p <= LEVEL


def has_shortcut_effect(found: Findings) -> bool:
    """Whether predictions depend on the camera given the label, significantly."""
    result = found.of(SHORTCUT_EFFECT)
    return result is not None and result.effect.p <= LEVEL


def _effects(records: Records, design: Answerable) -> dict[str, ShortcutEffect]:
    """The shortcut effect of every model with a finished trial, p corrected for their number."""
    found = {}
    for cell in records.cells("label", SETTING, PLAIN):
        if rows := list(records.test_rows(cell, "seen").values()):
            found[records.model_name(cell)] = shortcut_effect(rows, design.associated_labels)
    corrected = holm([effect.p for effect in found.values()])
    return {name: replace(effect, p=p) for (name, effect), p in zip(found.items(), corrected, strict=True)}


def _rows(records: Records, target: Target, model: str) -> list[pd.DataFrame]:
    """A model's predictions on photos as they are, of cameras that training saw, a frame per seed."""
    for cell in records.cells(target, SETTING, PLAIN):
        if records.model_name(cell) == model and (rows := records.test_rows(cell, "seen")):
            return list(rows.values())
    return []


def _cells(records: Records, model: str) -> list[StudyCell]:
    """The cells in which a model learns the label from photos as they are."""
    return [c for c in records.cells("label", SETTING, PLAIN) if records.model_name(c) == model]


def _probes(records: Records, model: str, kind: str) -> list[ProbeArrays]:
    """Arrays of a probe of these cells' models, a seed each."""
    return [arrays for cell in _cells(records, model) for _, arrays in records.probes(cell, kind)]


def _counterfactuals(records: Records, model: str) -> list[pd.DataFrame]:
    """What the probe of the same name has found, a frame per seed."""
    frames = [pd.DataFrame(arrays) for arrays in _probes(records, model, COUNTERFACTUAL.name)]
    return [frame.assign(image_id=frame["group"] + "/" + frame["camera"]) for frame in frames]


def measured_pixels(run: Run) -> pd.DataFrame | None:
    """Pixel statistics with label, camera and group of each photo; None where they were not measured."""
    facts, pixels = run.frame(FACTS_FILE), run.frame(PIXELS_FILE)
    if facts is None or pixels is None:
        return None
    return facts[["image_id", "label", "camera", "group"]].merge(pixels, on="image_id", validate="1:1")


def _choose_model(records: Records, effects: Mapping[str, ShortcutEffect]) -> str:
    """The model with the clearest effect, or the largest of those; else the best one, or the first that was asked."""

    def clarity(model: str) -> tuple[bool, float, float]:
        # NaN sorts last: a model of which nothing can be said is not the one that the verdict is about
        effect = effects[model]
        if isnan(effect.p):
            return True, 0.0, -accuracy(_rows(records, "label", model)).mean
        return False, effect.p, -effect.risk_difference.mean

    clearest = sorted(effects, key=clarity)
    asked = [*records.cells("label", SETTING, PLAIN), *records.cells("camera", SETTING, PLAIN)]
    return [*clearest, *map(records.model_name, asked), ""][0]
