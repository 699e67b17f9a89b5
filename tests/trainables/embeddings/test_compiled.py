"""Compiled networks give the features of the network, or PyTorch runs it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import openvino_telemetry
import pytest
import timm
import torch
from torch import nn

from camerabias.trainables.embeddings.compiled import FEWEST, SIZES, CompiledNetwork

IMAGES = torch.rand(FEWEST + 1, 3, 64, 96).to(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("model", "options"),
    [("tf_efficientnet_lite0", {}), ("test_resnet", {}), ("test_vit", {"img_size": (64, 96)})],
)
def test_features_are_the_network_s_in_every_thread(model, options):
    torch.manual_seed(0)
    network = timm.create_model(model, num_classes=0, **options).eval()
    with torch.inference_mode():
        expected = network(IMAGES).numpy()
    compiled = CompiledNetwork(network)
    with ThreadPoolExecutor(4) as pool:
        every = list(pool.map(lambda _: compiled(IMAGES), range(8)))
    np.testing.assert_allclose(every[0], expected, atol=1e-4 * np.abs(expected).max())
    assert all(np.array_equal(found, every[0]) for found in every), "and the same bits each time"


def test_padding_that_follows_from_the_size_is_right_at_every_size():
    torch.manual_seed(0)
    network = timm.create_model("tf_efficientnet_lite0", num_classes=0).eval()  # computes paddings in Python
    compiled = CompiledNetwork(network)
    for height, width in ((64, 96), (63, 95), (33, 50)):
        images = torch.rand(FEWEST, 3, height, width)
        with torch.inference_mode():
            expected = network(images).numpy()
        np.testing.assert_allclose(compiled(images), expected, atol=1e-4 * np.abs(expected).max())


def test_it_is_compiled_for_what_comes_often_alone():
    compiled = CompiledNetwork(Mean())
    assert compiled(IMAGES[: FEWEST - 1]) is None
    found = [compiled(torch.rand(FEWEST, 3, side, side)) is not None for side in range(8, 8 + SIZES + 2)]
    assert found == [True] * SIZES + [False] * 2
    assert compiled(torch.rand(FEWEST, 3, 8, 8)) is not None


class Mean(nn.Module):
    def forward(self, images):
        return images.mean(dim=(2, 3))


class Constant(nn.Module):
    """What it does is hidden from tracing, which keeps what came of the example."""

    def forward(self, images):
        return torch.tensor(np.linalg.norm(images.numpy().reshape(len(images), 3, -1), axis=2))


class Unknown(nn.Module):
    """OpenVINO has no such operation."""

    def forward(self, images):
        return torch.linalg.eigvalsh(images @ images.mT).mean(dim=1)


class Chance(nn.Module):
    def forward(self, images):
        return images.mean(dim=(2, 3)) + torch.rand(len(images), 3)


@pytest.mark.parametrize("network", [Constant(), Unknown(), Chance()])
def test_network_whose_features_it_cannot_repeat_is_not_taken(network):
    assert CompiledNetwork(network)(IMAGES) is None


def test_nobody_is_told_that_a_network_was_compiled(monkeypatch):
    told = []
    monkeypatch.setattr(
        openvino_telemetry.Telemetry, "__init__", lambda *given, **options: told.append(given)
    )
    assert CompiledNetwork(timm.create_model("test_resnet", num_classes=0).eval())(IMAGES) is not None
    assert told == []
