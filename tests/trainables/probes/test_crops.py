"""Crops on a grid against a loop over crops one by one."""

import numpy as np
import pytest
import torch
from torch import nn

from camerabias.datasets.views.registry import View
from camerabias.trainables.probes.crops import CropGrid, crops_per_batch, measure_texture, predict_crops
from camerabias.trainables.training.images import Images

HEIGHT, WIDTH = 48, 40


@pytest.fixture
def images():
    pixels = np.random.default_rng(0).integers(0, 256, (5, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return Images(pixels, View.model_validate("crop32"), torch.device("cpu"))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(900, 3))


def test_grid_starts_at_the_corner_and_stays_inside():
    grid = CropGrid.over(HEIGHT, WIDTH, divisions=10)
    assert grid.step == 4
    assert grid.tops.tolist() == [0, 4, 8, 12, 16]
    assert grid.lefts.tolist() == [0, 4, 8]
    assert CropGrid.over(32, 32, 16).shape == (1, 1)


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_crops_in_batches_are_what_they_are_one_by_one(images, model, batch):
    rows, classes, grid = np.array([4, 0, 2]), np.array([1, 0, 2]), CropGrid.over(HEIGHT, WIDTH, 10)
    predicted, probability = predict_crops(model, images, rows, classes, grid, batch)
    assert predicted.shape == probability.shape == (3, 5, 3)
    model.eval()
    for i, (row, truth) in enumerate(zip(rows, classes, strict=True)):
        whole = images.stored(np.array([row]))
        for y, top in enumerate(grid.tops):
            for x, left in enumerate(grid.lefts):
                crop = images.normalise(whole[:, top : top + 32, left : left + 32])
                expected = model(crop).softmax(dim=1)[0]
                assert predicted[i, y, x] == expected.argmax()
                assert probability[i, y, x] == pytest.approx(expected[truth].item(), abs=1e-5)


def test_no_forward_pass_is_larger_than_a_batch_however_many_crops_there_are(images, model):
    sizes = []
    model.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    predict_crops(model, images, np.arange(5), np.zeros(5, np.int64), CropGrid.over(HEIGHT, WIDTH, 40), 64)
    assert sum(sizes) == 5 * 17 * 9
    assert max(sizes) == 64


def test_texture_is_the_standard_deviation_of_luma(images):
    rows, grid = np.array([3, 1]), CropGrid.over(HEIGHT, WIDTH, 10)
    found = measure_texture(images, rows, grid)
    luma = images.stored(rows).numpy() @ np.array([0.299, 0.587, 0.114])
    expected = [
        [[own[top : top + 32, left : left + 32].std() for left in grid.lefts] for top in grid.tops]
        for own in luma
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_models_that_enlarge_crops_get_fewer_at_a_time():
    cpu = torch.device("cpu")
    assert crops_per_batch("test_resnet", cpu) == 256
    assert crops_per_batch("alexnet", cpu) == 2**18 // 224**2
    assert crops_per_batch("inception_v3", cpu) == 2**18 // 299**2
