"""Folded networks give the features of the network, or the network itself is taken."""

import pytest
import timm
import torch
import torchvision
from torch import nn

from camerabias.trainables.embeddings.folding import fold_normalisation


def trained(network):
    """A network whose normalisations have seen something: other than 0 and 1 in every statistic."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return network.eval()


@pytest.mark.parametrize(
    "make",
    [
        lambda: timm.create_model("tf_efficientnet_lite0", num_classes=0),
        lambda: timm.create_model("resnet18", num_classes=0),
        lambda: timm.create_model("mobilenetv3_small_050", num_classes=0),
        lambda: torchvision.models.resnet18(),
        lambda: torchvision.models.vgg11_bn(),
    ],
)
def test_features_are_the_same_and_no_normalisation_remains(make):
    network = trained(make())
    example = torch.rand(2, 3, 64, 64)
    folded = fold_normalisation(network, example)
    assert folded is not network
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    other = torch.rand(3, 3, 96, 64)
    with torch.inference_mode():
        torch.testing.assert_close(folded(other), network(other), rtol=1e-3, atol=1e-4)


class Crossed(nn.Module):
    """Its normalisation stands behind a convolution, and normalises what went into it."""

    def __init__(self):
        super().__init__()
        self.convolution, self.normalisation = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, images):
        return self.convolution(self.normalisation(images)).mean(dim=(2, 3))


def test_network_that_cannot_be_folded_is_taken_as_it_is():
    network = trained(Crossed())
    assert fold_normalisation(network, torch.rand(2, 3, 8, 8)) is network
