"""Perturbations of models whose answer is known."""

import pytest
import torch
from torch import nn

from camerabias.trainables.probes.perturbations import MAX_STEPS, STEP, perturb


class Brightness(nn.Module):
    """Class 1 if the left half of a picture is brighter than a half, else class 0; blind to the right half."""

    def forward(self, images):
        mean = images[..., : images.shape[3] // 2].mean(dim=(1, 2, 3))
        return torch.stack([0.5 - mean, mean - 0.5], dim=1) * 20


def as_inputs(levels):
    return (levels / 255).permute(0, 3, 1, 2)


@pytest.fixture
def levels():
    """Three gray pictures (4 × 8): clearly class 1, slightly class 1, class 0."""
    return torch.tensor([150.0, 130.0, 90.0])[:, None, None, None].expand(3, 4, 8, 3).contiguous()


def test_every_image_is_changed_until_its_prediction_flips_and_no_further(levels):
    model = Brightness()
    perturbation, steps = perturb(model, as_inputs, levels, aim=0)
    assert (model(as_inputs(levels + perturbation)).argmax(dim=1) == 0).all()
    before_last = levels + perturbation * ((steps - 1) / steps.clamp(min=1))[:, None, None, None]
    assert (model(as_inputs(before_last))[:2].argmax(dim=1) == 1).all()
    assert steps[2] == 0
    assert not perturbation[2].any()


def test_the_gradient_s_direction_and_size_are_followed(levels):
    perturbation, steps = perturb(Brightness(), as_inputs, levels, aim=0)
    assert (perturbation[..., 4:, :] == 0).all()  # what the model does not see is left alone
    # all of the energy goes to half of the pixels, evenly: √2 of the step's root mean square each
    expected = -STEP * 2**0.5 * steps.float()
    torch.testing.assert_close(perturbation[:, 0, 0, 0], expected, rtol=1e-4, atol=1e-4)
    # 150 and 130 are 22.5 and 2.5 gray levels above the threshold
    assert steps.tolist() == [160, 18, 0]


def test_gray_levels_stay_between_black_and_white():
    dark = torch.full((1, 4, 8, 3), 2.0)

    class WantsNegative(nn.Module):
        def forward(self, images):
            mean = images.mean(dim=(1, 2, 3))
            return torch.stack([-1 - mean, mean + 1], dim=1)

    perturbation, steps = perturb(WantsNegative(), as_inputs, dark, aim=0)
    assert (dark + perturbation).min() == 0
    assert steps.item() == MAX_STEPS
