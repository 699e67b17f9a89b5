"""Naming cues by what views leave of them."""

import numpy as np
import pytest

from camerabias.analysis.effects.cues import (
    CUE_MARGIN,
    cameras_by_view,
    labels_by_view,
    name_cue,
)
from camerabias.analysis.effects.known_cues import KNOWN_CUES, families, fingerprints
from camerabias.analysis.effects.shortcut_effect import identification, shortcut_effect
from camerabias.analysis.records.load import load_records
from camerabias.sweeps.planning.study import load_study

ASSOCIATED = {
    "iPhone": "Manufacturer 1",
    "Samsung": "Manufacturer 1",
    "Huawei": "Manufacturer 2",
    "Redmi": "Manufacturer 2",
}


def kept_of(*numbers):
    """What views keep where some cues come together."""
    known = fingerprints()
    return dict(zip(known.columns, known.iloc[list(numbers)].max(axis=0), strict=True))


@pytest.mark.parametrize("number", range(len(fingerprints())))
def test_every_fingerprint_is_taken_for_its_own_family_first(number):
    found = name_cue(kept_of(number))
    assert found.named[0] == KNOWN_CUES[fingerprints().index[number]].family
    assert found.distances[found.named[0]] < CUE_MARGIN, (
        "but for the view that leaves most, which is 1 of any dataset"
    )
    assert len(found.named) <= 2


def test_weak_recognition_has_the_same_fingerprint_as_strong():
    weak = name_cue({view: 0.4 * share for view, share in kept_of(0).items()})
    strong = name_cue(kept_of(0))
    assert weak.named == strong.named
    assert weak.distances == pytest.approx(strong.distances)


def test_two_cues_together_are_both_named():
    cues = list(fingerprints().index)
    both = kept_of(cues.index("white balance"), cues.index("sensor pattern"))
    assert set(name_cue(both).named) == {"colour", "sensor"}


def test_names_are_those_of_the_fingerprints_given():
    known = fingerprints()
    exchanged = known.set_axis(known.index[::-1])
    assert name_cue(kept_of(0), exchanged).named[0] == KNOWN_CUES[exchanged.index[0]].family


def test_distances_are_those_of_the_nearest_fingerprints():
    generator = np.random.default_rng(0)
    known = fingerprints()
    kept = dict(zip(known.columns, generator.uniform(0, 1, known.shape[1]), strict=True))
    seen = np.array([*kept.values()]) / max(kept.values())
    alone = dict.fromkeys(families(), np.inf)
    for cue, row in known.iterrows():
        family, distance = KNOWN_CUES[cue].family, np.sqrt(((row.to_numpy() - seen) ** 2).mean())
        alone[family] = min(alone[family], distance)
    found = name_cue(kept).distances
    assert all(found[family] <= alone[family] + 1e-12 for family in found)
    assert min(found.values()) > 0


@pytest.mark.parametrize(
    "changed",
    [{"gray": np.nan, "crop32": np.nan}, dict.fromkeys(fingerprints().columns, 0.0)],
    ids=["two views lack", "nothing is left"],
)
def test_nothing_is_named_where_nothing_can_be_said(changed):
    assert name_cue(kept_of(0) | changed) is None


@pytest.mark.parametrize("view", fingerprints().columns)
def test_one_view_may_lack(view):
    kept = kept_of(0) | {view: np.nan}
    found = name_cue(kept)
    assert view not in found.views
    assert found.named[0] == KNOWN_CUES[fingerprints().index[0]].family


def test_every_cue_has_a_fingerprint_of_the_views_of_the_study():
    assert set(KNOWN_CUES) == set(fingerprints().index)
    (study,) = load_study("cues")
    views = {str(view) for grid in study.grids for view in grid.views if grid.test_view is None}
    assert set(fingerprints().columns) == views | {"rgb", "left → right"}


def test_tables_hold_the_statistics_of_their_cells(make, tmp_path):
    cells = [
        make.cell("camera", "natural", make.right("camera", 0.9)),
        make.cell("camera", "natural", make.right("camera", 0.3), view="gray"),
        make.cell(
            "camera",
            "natural",
            make.right("camera", 0.9),
            view="jitter",
            broken=dict.fromkeys(range(4), "missing"),
        ),
        make.cell("label", "natural", make.by_camera),
    ]
    records = load_records(str(make.run(tmp_path / "run", {"cues": cells}, bottles_per_label=12).folder.uri))
    cameras, labels = (
        cameras_by_view(records, "test_resnet"),
        labels_by_view(records, "test_resnet", ASSOCIATED),
    )
    assert cameras["view"].tolist() == ["rgb", "gray", "jitter"]
    for row, cell in zip(cameras.itertuples(), records.cells("camera"), strict=True):
        rows = list(records.test_rows(cell).values())
        if not rows:
            assert np.isnan(row.kept)
            assert row.missing == "missing (0 of 4 seeds)"
            continue
        expected = identification(rows)
        assert (row.kept, row.majority_baseline, row.p) == (
            expected.normalised_accuracy,
            expected.majority_baseline,
            expected.p,
        )
    # Holm, by hand: two tests, the smaller p twice, the larger at least as much
    low, high = sorted(cameras["p"].dropna())
    assert sorted(cameras["p_holm"].dropna()) == pytest.approx([min(1, 2 * low), max(2 * low, high)])
    expected = shortcut_effect(list(records.test_rows(records.cells("label")[0]).values()), ASSOCIATED)
    assert labels["risk_difference"].tolist() == [expected.risk_difference.mean]
    assert labels["p_holm"].tolist() == [expected.p]
