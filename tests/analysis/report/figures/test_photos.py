import io

import numpy as np
import pytest
from PIL import Image

from camerabias.analysis.effects.given_labels import MisledCell
from camerabias.analysis.records.load import load_records
from camerabias.analysis.report.figures.crop_maps import crop_heat_map, crops_of_single_photos
from camerabias.analysis.report.figures.moved_photos import moved_photos
from camerabias.analysis.report.figures.perturbations import perturbation_pairs
from camerabias.analysis.report.figures.photo_grid import MAX_COLUMNS, misled_grid, photo_grid
from camerabias.analysis.report.figures.view_examples import binary_view, jitter_draws
from camerabias.datasets.schema import CamerabiasError


@pytest.fixture(scope="module")
def records(paper_run):
    return load_records(paper_run.folder.path)


def shown(axis):
    return np.asarray(axis.images[0].get_array())


def test_a_broken_photo_is_named(demo_run):
    demo_run.folder.child("examples").write_bytes("1-iPhone.png", b"no image")
    with pytest.raises(CamerabiasError, match=r"examples/1-iPhone\.png"):
        photo_grid(load_records(demo_run.folder.path))


def test_photos_of_several_objects_are_not_called_one(demo_run):
    assert photo_grid(load_records(demo_run.folder.path))[1].startswith("The same object")
    folder = demo_run.folder.child("examples")
    entries = folder.read_json("examples.json")
    folder.write_json("examples.json", [entry | {"group": entry["image_id"]} for entry in entries])
    assert photo_grid(load_records(demo_run.folder.path))[1].startswith("Photos")


def test_misled_photos_stand_in_a_row_per_cell_without_those_that_are_gone():
    levels = {f"{name}{k}": 10 * k for name in "ab" for k in range(MAX_COLUMNS + 2)}

    def read(image_id):
        if image_id == "a1":
            raise FileNotFoundError(image_id)
        stream = io.BytesIO()
        Image.new("L", (500, 250), levels[image_id]).save(stream, "png")
        return stream.getvalue()

    cells = [
        MisledCell("dog", "A", "cat", 12, 8, 20, 1, tuple(n for n in levels if n[0] == "a")),
        MisledCell("cat", "B", "dog", 9, 2, 20, 1, ("b3", "b4")),
        MisledCell("cow", "B", "dog", 9, 1, 20, 1, ("a1",)),
    ]
    figure, caption = misled_grid(cells, read)
    parts = [[int(shown(axis).mean()) for axis in part.axes if axis.images] for part in figure.subfigs]
    assert parts == [[0, 20, 30, 40, 50, 60], [30, 40]]
    assert shown(figure.axes[0]).shape[:2] == (115, 230), "large photos are shown small"
    titles = [part._suptitle.get_text() for part in figure.subfigs]
    assert titles[0] == "'dog' by 'A', named 'cat': 8 of 12 (by others 1 of 20)"
    assert "the most frequent first" in caption
    assert misled_grid(cells[2:], read) is None


def test_perturbations_of_the_same_photos_for_both_models(records):
    figure, caption = perturbation_pairs(records)
    assert len(figure.axes) == 8  # two photos, of each two pictures for each of two models
    overlaid, alone = shown(figure.axes[0]), shown(figure.axes[1])
    code = np.zeros((40, 40), bool)
    code[15:25, 8:32] = True
    assert (alone[~code] == 128).all()  # the balanced model's perturbation is on the code
    assert alone[code].std() > 20
    assert (overlaid[0] == 200).all()
    disjoint = shown(figure.axes[3])
    assert (
        abs(disjoint[:4, :30].astype(int) - 128).mean()
        > 3 * abs(disjoint[10:14, :30].astype(int) - 128).mean() / 2
    )
    assert "from Manufacturer 2 to Manufacturer 1 (seed 0)" in caption
    assert "balanced: " in caption
    assert "19 of 19 attacked photos flipped" in caption  # one of 20 needed no attack


def test_photos_that_only_one_attack_flipped_are_not_compared(make, tmp_path):
    def unflipped(images, generator):
        arrays = make.perturbed("on code")(images, generator)
        return arrays | {"flipped": np.zeros(len(arrays["steps"]), bool)}

    probes = {"balanced": make.perturbed("on code"), "disjoint": unflipped}
    cells = [
        make.cell("label", s, make.right("label", 0.9), probes={"perturbations": p})
        for s, p in probes.items()
    ]
    run = make.run(tmp_path, {"s": cells}, seeds=[0])
    with pytest.raises(CamerabiasError, match="no photo's prediction was flipped both"):
        perturbation_pairs(load_records(run.folder.path))


def test_binary_view_stands_beside_its_photo(records):
    figure, _ = binary_view(records)
    assert [axis.get_title() for axis in figure.axes] == ["rgb", "binary"]
    assert set(np.unique(shown(figure.axes[1]))) == {0, 255}


def test_original_is_top_left_of_the_jittered(records):
    figure, _ = jitter_draws(records)
    pictures = [shown(axis) for axis in figure.axes]
    assert len(pictures) == 6
    assert (pictures[0] == shown(binary_view(records)[0].axes[0])).all()
    assert len({picture.tobytes() for picture in pictures}) == 6


def test_heat_map_is_the_mean_over_photos_and_seeds(records):
    figure, caption = crop_heat_map(records)
    (cell,) = records.cells("camera", views="crop32")
    probes = [probe for _, probe in records.probes(cell, "crop_map")]
    expected = np.zeros((5, 5))
    for probe in probes:
        for predicted, truth in zip(probe["predicted"], probe["truth"], strict=True):
            expected += (predicted == truth) / (len(probes) * len(probe["truth"]))
    assert shown(figure.axes[0]) == pytest.approx(expected)
    assert figure.axes[0].images[0].get_extent() == [4, 124, 124, 4]  # centres from 16 to 112, in steps of 24
    assert figure.axes[0].images[0].get_clim() == pytest.approx((expected.min(), expected.max()))
    assert f"mean {expected.mean():.3f}" in caption
    assert "over 200 training photos and 4 seeds" in caption


def test_every_camera_has_its_photo_above_its_map(records):
    figure, caption = crops_of_single_photos(records)
    maps = figure.axes[5:10]
    assert [axis.get_title() for axis in figure.axes[:5]] == ["iPhone", "Samsung", "Huawei", "Redmi", "Vivo"]
    for axis in maps:
        share = (shown(axis) > 0.5).mean()
        assert axis.get_xlabel() == f"{share:.0%} right"
    assert "one test_resnet" in caption


def test_the_papers_model_is_shown_first(make, tmp_path):
    cells = [
        make.cell(
            "camera", "balanced", make.right("camera", 0.9), model, probes={"crop_map": make.cropped(0.7)}
        )
        for model in ("alexnet", "resnet34")
    ]
    run = make.run(tmp_path, {"s": cells}, seeds=[0])
    assert "Accuracy of resnet34 " in crop_heat_map(load_records(run.folder.path))[1]


def moved(images, generator):
    """Levels of the cameras of the fabricated photos: each redder than the next, and less blue."""
    levels = np.array([[0.4 - 0.2 * n, 0.2 * n - 0.4] for n in range(5)])
    return {"level_cameras": np.array(["iPhone", "Huawei", "Samsung", "Redmi", "Vivo"]), "levels": levels}


def test_a_moved_cue_is_shown_on_the_photo_that_it_changes_most(make, tmp_path):
    cell = make.cell("label", "natural", make.right("label", 0.9), probes={"moved_white_balance": moved})
    run = make.run(tmp_path, {"audit": [cell]}, examples=True)
    figure, caption = moved_photos(load_records(run.folder.path))
    before, after, difference = (shown(axis).astype(float) for axis in figure.axes)
    titles = [axis.get_title() for axis in figure.axes]
    assert sorted([titles[0], titles[1].removeprefix("white balance of ")]) == ["Vivo", "iPhone"]
    redder = -1 if titles[0] == "iPhone" else 1
    assert redder * (after - before)[..., 0].mean() > 5
    assert redder * (after - before)[..., 2].mean() < -5
    assert redder * (difference - 128)[..., 0].mean() > 20
    assert "4 times as strong" in caption


def test_without_photos_or_moved_cues_none_is_shown(make, tmp_path):
    cell = make.cell("label", "natural", make.right("label", 0.9), probes={"moved_white_balance": moved})
    with pytest.raises(CamerabiasError, match="carries no photo"):
        moved_photos(load_records(make.run(tmp_path / "moved", {"audit": [cell]}).folder.path))
    plain = make.cell("label", "natural", make.right("label", 0.9))
    assert moved_photos(load_records(make.run(tmp_path / "plain", {"audit": [plain]}).folder.path)) is None
