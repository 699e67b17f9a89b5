"""Attributions of models whose answer is known."""

import torch
from torch import nn

from camerabias.trainables.probes.attributions import attribute


def test_attributions_of_a_linear_model_are_weight_times_input():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 5, 2))
    inputs, classes = torch.randn(3, 3, 4, 5), torch.tensor([0, 1, 1])
    weights = model[1].weight[classes].reshape(3, 3, 4, 5)
    expected = (weights * inputs).abs().sum(dim=1)
    torch.testing.assert_close(attribute(model, inputs, classes), expected, rtol=1e-4, atol=1e-5)


def test_attributions_are_complete():
    """The signed sum is the logit's difference to the baseline's, of any model (Sundararajan et al. 2017)."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 1, 1), nn.Softplus(), nn.Flatten(), nn.Linear(20, 2))
    with torch.no_grad():
        for layer in (model[0], model[3]):
            layer.weight.abs_()  # then all attributions of a positive input are positive
    inputs = torch.rand(2, 3, 4, 5)
    classes = torch.tensor([0, 1])
    found = attribute(model, inputs, classes).sum(dim=(1, 2))
    difference = (model(inputs) - model(torch.zeros_like(inputs))).gather(1, classes[:, None])[:, 0]
    torch.testing.assert_close(found, difference, rtol=1e-3, atol=1e-4)
