from collections import Counter

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from camerabias.datasets.sampling.rules import RULES, Setting, leave_one_camera_out, resolve_setting
from camerabias.datasets.sampling.select import select
from camerabias.datasets.schema import CamerabiasError, CellSize, DatasetManifest

PAPER_LABELS = ("manufacturer 1", "manufacturer 2")
PAPER_CAMERAS = ("iPhone", "Samsung", "Huawei", "Redmi", "Vivo")


def make_manifest(counts):
    """The manifest of a dataset with so many photos: {label: {camera: n}}."""
    return DatasetManifest(
        source={"kind": "table"},
        labels=tuple(counts),
        cameras=tuple(dict.fromkeys(camera for row in counts.values() for camera in row)),
        n_images=sum(n for row in counts.values() for n in row.values()),
        n_rejected=0,
        has_split=False,
        size=64,
        fit="resize",
        cells=tuple(
            CellSize(label=label, camera=camera, fold=fold, n=n // 10 + (fold < n % 10))
            for label, row in counts.items()
            for camera, n in row.items()
            for fold in range(10)
        ),
        parts=(),
        fingerprint="",
    )


def full(labels, cameras, n=50):
    return make_manifest({label: dict.fromkeys(cameras, n) for label in labels})


PAPER = full(PAPER_LABELS, PAPER_CAMERAS)


def owners(setting):
    """{label: cameras} of a setting's cells."""
    return {
        label: {camera for own, camera in setting.cells if own == label}
        for label in {c[0] for c in setting.cells}
    }


# --- the paper's names ----------------------------------------------------------------------------------


def test_partial_is_the_papers():
    partial = resolve_setting("partial", PAPER)
    assert owners(partial) == {label: {"iPhone", "Samsung"} for label in PAPER_LABELS}
    assert partial.seen_cameras(PAPER) == ("iPhone", "Samsung")


def test_disjoint_is_the_papers():
    disjoint = resolve_setting("disjoint", PAPER)
    assert owners(disjoint) == {
        "manufacturer 1": {"iPhone", "Samsung"}, "manufacturer 2": {"Huawei", "Redmi"},
    }  # fmt: skip
    assert "Vivo" not in disjoint.seen_cameras(PAPER)


def test_natural_and_balanced_take_every_cell():
    natural, balanced = resolve_setting("natural", PAPER), resolve_setting("balanced", PAPER)
    assert natural.cells is None
    assert set(balanced.cells) == {(label, camera) for label in PAPER.labels for camera in PAPER.cameras}
    assert (natural.equal_counts, balanced.equal_counts) == (False, True)
    assert natural.seen_cameras(PAPER) == PAPER_CAMERAS


@pytest.mark.parametrize("cameras", [PAPER_CAMERAS[:2], PAPER_CAMERAS[:3]])
def test_some_of_the_papers_cameras_are_not_the_papers_dataset(cameras):
    manifest = full(PAPER_LABELS, cameras)
    partial = resolve_setting("partial", manifest)
    assert partial.seen_cameras(manifest) == cameras[:1]  # one unseen at least


def test_disjoint_leaves_one_of_the_papers_first_four_unseen_without_the_fifth():
    manifest = full(PAPER_LABELS, PAPER_CAMERAS[:4])
    assert len(resolve_setting("disjoint", manifest).seen_cameras(manifest)) == 3


# --- other names ----------------------------------------------------------------------------------------


def test_partial_is_the_half_of_the_cameras_whose_smallest_cell_is_largest():
    manifest = make_manifest(
        {
            "a": {"u": 90, "v": 20, "w": 90, "x": 30, "y": 25},
            "b": {"u": 19, "v": 20, "w": 21, "x": 0, "y": 25},
        }
    )
    partial = resolve_setting("partial", manifest)
    assert partial.cells == (("a", "w"), ("b", "w"), ("a", "y"), ("b", "y"))  # smallest cells 19 20 21 0 25


def test_partial_leaves_out_cameras_without_every_label():
    manifest = make_manifest({"a": {"u": 5, "v": 5, "w": 9, "x": 9}, "b": {"u": 0, "v": 5, "w": 0, "x": 0}})
    assert resolve_setting("partial", manifest).cells == (("a", "v"), ("b", "v"))


@pytest.mark.parametrize(
    "counts",
    [{"a": {"u": 50}, "b": {"u": 50}}, {"a": {"u": 50, "v": 0}, "b": {"u": 0, "v": 50}}],
)
def test_partial_is_refused_without_an_unseen_camera_or_one_with_every_label(counts):
    with pytest.raises(CamerabiasError, match=r"'partial' needs two cameras.* has labels a, b and cameras u"):
        resolve_setting("partial", make_manifest(counts))


def test_disjoint_makes_the_smallest_first_cell_as_large_as_can_be():
    # u is the best camera of both labels; only v for a and u for b leave no cell under 40
    manifest = make_manifest({"a": {"u": 90, "v": 40}, "b": {"u": 60, "v": 20}})
    assert owners(resolve_setting("disjoint", manifest)) == {"a": {"v"}, "b": {"u"}}


def test_disjoint_deals_the_rest_to_the_poorer_label_and_leaves_the_last_camera_unseen():
    manifest = make_manifest(
        {
            "a": {"u": 100, "v": 10, "w": 70, "x": 60, "y": 30},
            "b": {"u": 10, "v": 80, "w": 70, "x": 60, "y": 30},
        }
    )
    # u 100 to a, v 80 to b; w to b (80 < 100), now 150; x to a; y, the smallest, stays unseen
    disjoint = resolve_setting("disjoint", manifest)
    assert owners(disjoint) == {"a": {"u", "x"}, "b": {"v", "w"}}
    assert disjoint.seen_cameras(manifest) == ("u", "v", "w", "x")


def test_disjoint_never_gives_a_camera_to_two_labels():
    generator = np.random.default_rng(0)
    for _ in range(30):
        counts = generator.integers(0, 60, (3, 6))
        rows = {f"l{i}": {f"c{j}": int(n) for j, n in enumerate(row)} for i, row in enumerate(counts)}
        try:
            cells = resolve_setting("disjoint", make_manifest(rows)).cells
        except CamerabiasError:
            continue
        assert max(Counter(camera for _, camera in cells).values()) == 1
        assert {label for label, _ in cells} == set(rows)
        assert min(rows[label][camera] for label, camera in cells) >= 10


@pytest.mark.parametrize(
    "counts",
    [
        {"a": {"u": 50, "v": 50}, "b": {"u": 50, "v": 50}, "c": {"u": 50, "v": 50}},
        {"a": {"u": 50, "v": 9}, "b": {"u": 50, "v": 9}},
    ],
)
def test_disjoint_is_refused_without_a_camera_of_ten_photos_for_every_label(counts):
    with pytest.raises(CamerabiasError, match="needs a camera of its own for every label, with 10 photos"):
        resolve_setting("disjoint", make_manifest(counts))


def test_balanced_refuses_an_empty_cell_and_names_it():
    manifest = make_manifest({"a": {"u": 5, "v": 0}, "b": {"u": 5, "v": 5}})
    with pytest.raises(CamerabiasError, match="there are none of a × v"):
        resolve_setting("balanced", manifest)


def test_a_long_list_of_empty_cells_is_cut_short():
    manifest = make_manifest({"a": dict.fromkeys("pqrstuvw", 0), "b": dict.fromkeys("pqrstuvw", 5)})
    with pytest.raises(CamerabiasError, match="a × t and 3 more"):
        resolve_setting("balanced", manifest)


def test_listed_cells_are_taken_and_unknown_ones_refused():
    given = {"name": "mine", "cells": [["manufacturer 1", "Vivo"], ["manufacturer 2", "Redmi"]]}
    mine = resolve_setting(given, PAPER)
    assert (mine.name, mine.cells) == ("mine", (("manufacturer 1", "Vivo"), ("manufacturer 2", "Redmi")))
    assert mine.seen_cameras(PAPER) == ("Redmi", "Vivo")  # in the manifest's order
    given["cells"].append(["manufacturer 3", "Nokia"])
    with pytest.raises(
        CamerabiasError, match=r"'mine' names manufacturer 3 × Nokia, which .* iPhone, Samsung"
    ):
        resolve_setting(given, PAPER)


def test_labels_that_yaml_reads_as_numbers_are_found():
    manifest = full(("1", "2"), ("x", "y"))
    assert resolve_setting({"name": "mine", "cells": [[1, "x"]]}, manifest).cells == (("1", "x"),)


def test_an_unknown_rule_is_refused_with_what_is_allowed():
    with pytest.raises(
        CamerabiasError, match="'fair' is not known; allowed: natural, balanced, partial, disjoint"
    ):
        resolve_setting("fair", PAPER)


def test_a_setting_of_no_cells_is_refused():
    with pytest.raises(ValidationError, match="lists no cells"):
        Setting(name="none", cells=(), equal_counts=False)


# --- strengths of correlation, and cameras left out -----------------------------------------------------


def images_of(manifest):
    """Labels and cameras of the images of a manifest."""
    cells = {}
    for cell in manifest.cells:
        cells[cell.label, cell.camera] = cells.get((cell.label, cell.camera), 0) + cell.n
    return images(cells)


def trained(setting, manifest, size=None):
    """Counts of the images that a setting takes, labels × cameras."""
    labels, cameras = images_of(manifest)
    chosen = select(setting, labels, cameras, seed=0, size=size)
    return pd.crosstab(labels.iloc[chosen], cameras.iloc[chosen])


@pytest.mark.parametrize("strength", [0, 0.25, 0.5, 0.9, 1])
def test_strength_is_the_correlation_of_label_and_camera_s_own_label(strength):
    manifest = full(PAPER_LABELS, PAPER_CAMERAS, 400)
    table = trained(resolve_setting(f"strength-{strength}", manifest), manifest)
    assert set(table.columns) == {"iPhone", "Samsung", "Huawei", "Redmi"}
    assert np.ptp(table.sum()) <= 1  # all cameras have equally many, as far as that can be
    own = np.array([table.loc[label, c] for label, c in resolve_setting("disjoint", manifest).cells])
    # with two labels alike in number, phi is the share of the own label less that of the other one
    phi = (2 * own.sum() - table.to_numpy().sum()) / table.to_numpy().sum()
    assert phi == pytest.approx(strength, abs=0.002)
    assert own.max() == 400  # as many as there are


def test_strength_with_three_labels_leaves_the_others_alike():
    manifest = full("abc", "uvwx", 300)
    setting = resolve_setting("strength-0.4", manifest)
    table = trained(setting, manifest)
    for label, camera in resolve_setting("disjoint", manifest).cells:
        shares = table[camera] / table[camera].sum()
        assert shares[label] == pytest.approx((1 + 0.4 * 2) / 3, abs=0.01)
        assert shares.drop(label).tolist() == pytest.approx([0.2, 0.2], abs=0.01)


def test_strength_0_is_balanced_and_1_disjoint_over_the_same_cameras():
    none, whole = (resolve_setting(f"strength-{s}", PAPER) for s in ("0", "1.0"))
    assert set(none.weights) == {0.5}
    assert trained(none, PAPER).to_numpy().tolist() == [[50] * 4] * 2
    assert set(whole.cells) == set(resolve_setting("disjoint", PAPER).cells)
    assert (none.name, whole.name) == ("strength-0", "strength-1")
    assert none.seen_cameras(PAPER) == whole.seen_cameras(PAPER) == PAPER_CAMERAS[:4]


def test_tightest_cell_decides_and_a_smaller_size_keeps_the_proportions():
    manifest = make_manifest({"a": {"u": 90, "v": 12, "w": 5}, "b": {"u": 100, "v": 90, "w": 5}})
    setting = resolve_setting("strength-0.5", manifest)
    assert dict(zip(setting.cells, setting.weights, strict=True)) == {
        ("a", "u"): 0.75, ("b", "u"): 0.25, ("a", "v"): 0.25, ("b", "v"): 0.75,
    }  # fmt: skip
    assert trained(setting, manifest).to_numpy().tolist() == [[36, 12], [12, 36]]
    assert trained(setting, manifest, size=40).to_numpy().tolist() == [[15, 5], [5, 15]]
    assert trained(setting, manifest, size=96).to_numpy().tolist() == [[36, 12], [12, 36]]


def test_weights_need_every_cell_among_the_images():
    labels, cameras = images({("a", "x"): 9})
    setting = Setting(name="w", cells=(("a", "x"), ("b", "x")), equal_counts=False, weights=(1, 1))
    assert len(select(setting, labels, cameras, seed=0)) == 0


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 0.0), (1.0, -1.0)])
def test_weights_that_fit_no_cells_are_refused(weights):
    with pytest.raises(ValidationError, match="needs a positive weight for every cell"):
        Setting(name="w", cells=(("a", "x"), ("b", "x")), equal_counts=False, weights=weights)


def test_setting_without_weights_is_written_as_it_was_before_there_were_any():
    """Ids of trials are hashes of this."""
    assert resolve_setting("partial", PAPER).model_dump(exclude_defaults=True).keys() == {
        "name", "cells", "equal_counts",
    }  # fmt: skip


def test_strength_refuses_an_empty_cell_where_it_needs_it():
    manifest = make_manifest({"a": {"u": 50, "v": 0, "w": 0}, "b": {"u": 50, "v": 50, "w": 0}})
    with pytest.raises(CamerabiasError, match=r"'strength-0.9' needs .* there are none of a × v"):
        resolve_setting("strength-0.9", manifest)
    assert set(resolve_setting("strength-1", manifest).cells) == {("a", "u"), ("b", "v")}


@pytest.mark.parametrize("value", ["", "half", "1.5", "-0.1", "nan"])
def test_strength_that_is_no_number_from_0_to_1_is_refused(value):
    with pytest.raises(
        CamerabiasError, match=f"'strength-{value}' is not known: after strength- stands a number"
    ):
        resolve_setting(f"strength-{value}", PAPER)


def test_without_a_camera_every_other_image_trains():
    setting = resolve_setting("without-Vivo", PAPER)
    assert setting.seen_cameras(PAPER) == PAPER_CAMERAS[:4]
    table = trained(setting, PAPER)
    assert table.to_numpy().tolist() == [[50] * 4] * 2


def test_camera_that_a_label_cannot_do_without_is_not_left_out():
    manifest = make_manifest({"a": {"u": 50, "v": 0, "w": 0}, "b": {"u": 5, "v": 50, "w": 9}})
    assert [s.name for s in leave_one_camera_out(manifest)] == ["without-v", "without-w"]
    assert leave_one_camera_out(manifest)[1].cells == (("a", "u"), ("b", "u"), ("b", "v"))
    for camera in ("u", "x"):
        with pytest.raises(
            CamerabiasError, match=f"'without-{camera}' needs a camera .* one of v, w; the dataset"
        ):
            resolve_setting(f"without-{camera}", manifest)


def test_leaving_one_camera_out_needs_one_that_can_be_left_out():
    with pytest.raises(
        CamerabiasError, match="'leave-one-camera-out' needs a camera without which every label"
    ):
        leave_one_camera_out(make_manifest({"a": {"u": 9, "v": 0}, "b": {"u": 0, "v": 9}}))
    with pytest.raises(CamerabiasError, match="among the settings of a study also leave-one-camera-out"):
        resolve_setting("leave-one-camera-out", PAPER)


@pytest.mark.parametrize("name", [*sorted(RULES), "strength-0.3", "without-Vivo"])
def test_settings_survive_json(name):
    setting = resolve_setting(name, PAPER)
    assert Setting.model_validate_json(setting.model_dump_json()) == setting


# --- select ---------------------------------------------------------------------------------------------

COUNTS = {("a", "x"): 40, ("a", "y"): 10, ("b", "x"): 25, ("b", "y"): 25}


def images(counts=COUNTS):
    """Labels and cameras of shuffled images, with an index that does not count from 0."""
    rows = [cell for cell, n in counts.items() for _ in range(n)]
    order = np.random.default_rng(0).permutation(len(rows))
    frame = pd.DataFrame([rows[i] for i in order], columns=["label", "camera"], index=order + 1000)
    return frame["label"], frame["camera"]


def chosen_counts(setting, seed=0, size=None):
    labels, cameras = images()
    chosen = select(setting, labels, cameras, seed, size)
    assert (np.diff(chosen) > 0).all()  # sorted, and none twice
    return Counter(zip(labels.iloc[chosen], cameras.iloc[chosen], strict=True))


NATURAL = Setting(name="natural", cells=None, equal_counts=False)
BALANCED = Setting(name="balanced", cells=None, equal_counts=True)
DIAGONAL = Setting(name="mine", cells=(("a", "x"), ("b", "y")), equal_counts=False)


@pytest.mark.parametrize(
    ("setting", "size", "expected"),
    [
        (NATURAL, None, COUNTS),
        (NATURAL, 1000, COUNTS),
        (NATURAL, 50, {("a", "x"): 20, ("a", "y"): 5, ("b", "x"): 13, ("b", "y"): 12}),
        (BALANCED, None, dict.fromkeys(COUNTS, 10)),
        (BALANCED, 20, dict.fromkeys(COUNTS, 5)),
        (DIAGONAL, None, {("a", "x"): 40, ("b", "y"): 25}),
        (DIAGONAL, 13, {("a", "x"): 8, ("b", "y"): 5}),
        (DIAGONAL.model_copy(update={"equal_counts": True}), None, {("a", "x"): 25, ("b", "y"): 25}),
    ],
)
def test_select_takes_so_many_of_each_cell(setting, size, expected):
    assert chosen_counts(setting, size=size) == expected


@pytest.mark.parametrize("size", range(1, 101, 7))
def test_select_takes_exactly_the_size_asked_for(size):
    counts = chosen_counts(NATURAL, size=size)
    assert counts.total() == size
    for cell, n in COUNTS.items():
        assert abs(counts[cell] - n * size / 100) < 1


def test_select_depends_on_the_seed_alone():
    labels, cameras = images()
    first = select(BALANCED, labels, cameras, seed=3)
    np.testing.assert_array_equal(first, select(BALANCED, labels, cameras, seed=3))
    assert not np.array_equal(first, select(BALANCED, labels, cameras, seed=4))


def test_select_of_nothing_is_empty():
    labels, cameras = images()
    nowhere = Setting(name="mine", cells=(("c", "x"),), equal_counts=True)
    assert len(select(nowhere, labels, cameras, seed=0)) == 0
    assert len(select(BALANCED, labels[:0], cameras[:0], seed=0)) == 0


def test_select_draws_as_it_always_has():
    """Records name their images by seed alone: what is drawn must never change."""
    labels, cameras = pd.Series([*"baab"] * 5), pd.Series([*"yxyx"] * 5)
    assert select(BALANCED, labels, cameras, seed=7, size=6).tolist() == [1, 13, 14, 15, 16, 18]
