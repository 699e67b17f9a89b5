"""Compiled networks give the features of the network, or PyTorch runs it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import openvino_telemetry
import pytest
import timm
import torch
from torch import nn

from camerabias.trainables.embeddings.compiled import compile_network

EXAMPLE = torch.rand(2, 3, 64, 96)


@pytest.mark.parametrize(
    ("model", "options"),
    [("tf_efficientnet_lite0", {}), ("test_resnet", {}), ("test_vit", {"img_size": (64, 96)})],
)
def test_features_are_the_network_s_for_any_number_of_images_and_threads(model, options):
    torch.manual_seed(0)
    network = timm.create_model(model, num_classes=0, **options).eval()
    compiled = compile_network(network, EXAMPLE)
    assert compiled is not None
    images = torch.rand(5, 3, 64, 96).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected = network(images).numpy()
    with ThreadPoolExecutor(4) as pool:
        every = list(pool.map(lambda _: compiled(images.numpy()), range(8)))
    np.testing.assert_allclose(every[0], expected, atol=1e-4 * np.abs(expected).max())
    assert all(np.array_equal(found, every[0]) for found in every), "and the same bits each time"


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
    assert compile_network(network, EXAMPLE) is None


def test_nobody_is_told_that_a_network_was_compiled(monkeypatch):
    told = []
    monkeypatch.setattr(
        openvino_telemetry.Telemetry, "__init__", lambda *given, **options: told.append(given)
    )
    assert compile_network(timm.create_model("test_resnet", num_classes=0).eval(), EXAMPLE)
    assert told == []
