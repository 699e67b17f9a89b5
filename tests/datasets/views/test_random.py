"""Random views against torchvision's functions and against slices, image by image."""

import numpy as np
import pytest
import torch
from torchvision.transforms import functional

from camerabias.datasets.views.random import change_colours, cut
from camerabias.datasets.views.registry import View

RANGES = {"brightness": 0.4, "contrast": 0.3, "saturation": 0.8, "hue": 0.5}


def pictures(n=6, height=40, width=48, channels=3):
    levels = np.random.default_rng(0).integers(0, 256, (n, height, width, channels), dtype=np.uint8)
    return torch.from_numpy(levels)


def draw(name, source, rows, numbers):
    view = View.model_validate(name)
    return view.kind.draw(source, torch.tensor(rows), numbers, view.parameters)


def by_torchvision(image, numbers, ranges):
    """One image (h, w, 3) with its own factors, through torchvision's functions for single images."""
    centred = [2 * number - 1 for number in numbers.tolist()]
    picture = image.permute(2, 0, 1).float() / 255
    picture = functional.adjust_brightness(picture, 1 + ranges["brightness"] * centred[0])
    picture = functional.adjust_contrast(picture, 1 + ranges["contrast"] * centred[1])
    picture = functional.adjust_saturation(picture, 1 + ranges["saturation"] * centred[2])
    picture = functional.adjust_hue(picture, ranges["hue"] * centred[3])
    return picture.permute(1, 2, 0) * 255


def test_colours_of_every_image_change_by_its_own_numbers_as_torchvision_changes_one():
    source, numbers = pictures(), torch.rand((6, 4), generator=torch.manual_seed(0), dtype=torch.float64)
    ours = change_colours(source.float(), numbers, RANGES)
    for image, own, result in zip(source, numbers, ours, strict=True):
        # a gray level: luma weights differ in the fourth digit
        torch.testing.assert_close(result, by_torchvision(image, own, RANGES), atol=1.0, rtol=0)
    assert ours.dtype == torch.float32
    assert ours.min() >= 0
    assert ours.max() <= 255


def test_half_of_every_range_changes_nothing():
    source = pictures()
    same = change_colours(source.float(), torch.full((6, 4), 0.5, dtype=torch.float64), RANGES)
    torch.testing.assert_close(same, source.float(), atol=0.01, rtol=0)


def test_gray_changes_in_brightness_and_contrast_alone():
    source, numbers = pictures(channels=1), torch.rand((6, 4), dtype=torch.float64)
    others = numbers.clone()
    others[:, 2:] = 0.9
    ours = change_colours(source.float(), numbers, RANGES)
    assert ours.shape == source.shape
    torch.testing.assert_close(ours, change_colours(source.float(), others, RANGES))


@pytest.mark.parametrize("name", ["jitter", "crop32"])
def test_a_draw_depends_on_its_image_and_numbers_not_on_its_batch(name):
    source = pictures()
    numbers = torch.rand((3, View.model_validate(name).kind.n_numbers), dtype=torch.float64)
    together = draw(name, source, [4, 0, 4], numbers)
    for position, row in enumerate([4, 0, 4]):
        alone = draw(name, source, [row], numbers[position : position + 1])
        torch.testing.assert_close(together[position], alone[0], atol=1e-3, rtol=0)
    assert not torch.equal(together[0], together[2])  # the same image, drawn twice


def test_crops_reach_every_place_and_no_further():
    source = pictures(1, 34, 33)
    numbers = torch.rand((300, 2), generator=torch.manual_seed(0), dtype=torch.float64)
    numbers[0], numbers[1] = 0, 1 - 2**-53  # the ends of [0, 1)
    crops = draw("crop32", source, [0] * 300, numbers)
    assert crops.dtype == torch.uint8
    places = {
        (top, left): source[0, top : top + 32, left : left + 32] for top in range(3) for left in range(2)
    }
    met = [place for crop in crops for place, piece in places.items() if torch.equal(crop, piece)]
    assert len(met) == 300
    assert set(met) == {(top, left) for top in range(3) for left in range(2)}


def test_pieces_are_cut_where_asked():
    source = pictures()
    rows, tops, lefts = torch.tensor([5, 0, 5]), torch.tensor([0, 8, 3]), torch.tensor([16, 0, 7])
    pieces = cut(source, rows, tops, lefts)
    for piece, row, top, left in zip(pieces, rows, tops, lefts, strict=True):
        assert torch.equal(piece, source[row, top : top + 32, left : left + 32])


def test_random_views_are_drawn_from_plain_photos():
    assert {str(View.model_validate(name).stored) for name in ("jitter", "crop32")} == {"rgb"}
    assert str(View.model_validate("gray").stored) == "gray"
