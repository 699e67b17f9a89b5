"""Which images a trial takes, and what random views draw of each."""

import numpy as np
import pytest
import torch

from camerabias.datasets.ingest.create import import_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import Photo, Source
from camerabias.datasets.sampling.rules import Setting, resolve_setting
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.training.data import TrialData, assign_parts
from camerabias.trainables.training.randomness import image_numbers


def test_parts_of_a_setting(dataset, make_job):
    setting = resolve_setting("disjoint", dataset.manifest)
    parts = assign_parts(dataset, make_job(target="label", setting=setting, test_fold=9).config)
    index = dataset.index
    cells = set(zip(index["label"], index["camera"], strict=True))
    for rows, folds in ((parts.train, set(range(1, 9))), (parts.validation, {0})):
        some = index.iloc[rows]
        assert set(some["fold"]) == folds
        assert set(zip(some["label"], some["camera"], strict=True)) == set(setting.cells)
    test = index.iloc[parts.test]
    assert set(test["fold"]) == {9}
    assert set(zip(test["label"], test["camera"], strict=True)) == cells
    groups = [set(index.iloc[rows]["group"]) for rows in (parts.train, parts.validation, parts.test)]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]


def test_training_size_cuts_training_images_alone(dataset, make_job):
    whole = assign_parts(dataset, make_job().config)
    cut = assign_parts(dataset, make_job(train_size=40).config)
    assert len(cut.train) == 40
    counts = dataset.index.iloc[cut.train].groupby(["label", "camera"]).size()
    assert counts.tolist() == [4] * 10
    assert (len(cut.validation), len(cut.test)) == (len(whole.validation), len(whole.test))


def test_setting_without_images_is_a_failure_that_says_so(dataset, make_job):
    setting = Setting(name="mine", cells=(("manufacturer 1", "nobody's"),), equal_counts=False)
    with pytest.raises(CamerabiasError, match="no train images for setting 'mine'"):
        assign_parts(dataset, make_job(setting=setting).config)


def test_split_of_the_user_wins_over_folds(dataset, tmp_path, make_job):
    photos = []
    for number, row in enumerate(dataset.index.itertuples()):
        name = f"{row.image_id}.jpg"
        (tmp_path / name).write_bytes(dataset.read_image(row.image_id))
        split = "test" if number % 4 == 0 else "train"
        photos.append(Photo(name, row.label, row.camera, None, split))
    mine = import_dataset(
        Source("table", Folder(tmp_path), photos), Folder(tmp_path / "mine"), LocalExecutor()
    )
    config = make_job(setting=resolve_setting("natural", mine.manifest)).config
    parts = assign_parts(mine, config)
    split, fold = mine.index["split"].to_numpy(), mine.index["fold"].to_numpy()
    assert set(parts.test) == set(np.flatnonzero(split == "test"))
    assert set(parts.validation) == set(np.flatnonzero((split == "train") & (fold == 1)))
    assert set(parts.train) == set(np.flatnonzero((split == "train") & (fold != 1)))


def test_drawn_crops_are_those_that_seed_and_image_give(dataset, make_job):
    job = make_job(train_view="crop32", test_view="crop32", size=32, source_size=64)
    data = TrialData(job.config, dataset, torch.device("cpu"))
    rows = data.parts.test[::-1].copy()
    examples = data.examples(rows, "test", draw=3)
    crops = examples.images.levels(rows, examples.numbers).numpy()
    whole = examples.images.stored(rows).numpy()
    for crop, image, row in zip(crops, whole, rows, strict=True):
        numbers = image_numbers(0, [dataset.index["image_id"].iloc[row]], 3, 2)
        top, left = (int(number * (64 - 32 + 1)) for number in numbers[0])
        np.testing.assert_array_equal(crop, image[top : top + 32, left : left + 32])


def test_numbers_of_an_image_are_uniform_and_depend_on_seed_image_and_draw_alone():
    ids = [f"image-{number}" for number in range(4000)]
    numbers = image_numbers(1, ids, 2, 4)
    assert numbers.shape == (4000, 4)
    from scipy.stats import kstest

    assert all(kstest(column, "uniform").pvalue > 0.001 for column in numbers.T.numpy())
    assert torch.equal(image_numbers(1, ids[7:9], 2, 4), numbers[7:9])
    others = [image_numbers(0, ids, 2, 4), image_numbers(1, ids, 0, 4), image_numbers(1, ids[::-1], 2, 4)]
    assert not any((other == numbers).all(dim=1).any() for other in others)


def test_both_views_of_a_trial_share_the_stored_pixels(dataset, make_job):
    data = TrialData(make_job(train_view="jitter").config, dataset, torch.device("cpu"))
    train, test = data.images("train"), data.images("test")
    assert (str(train.view), str(test.view)) == ("jitter", "rgb")
    assert train.stored(np.arange(1)).equal(test.stored(np.arange(1)))
    assert train._source is test._source
