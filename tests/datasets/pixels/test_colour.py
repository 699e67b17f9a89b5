import math

import numpy as np
import pytest


def shaded(light, gains):
    return light[..., None] * np.array(gains)


@pytest.mark.parametrize("gains", [(1, 1, 1), (1.3, 1, 0.8), (0.8, 1, 1.2)])
def test_gains_of_gray_are_found_in_stops(measure, decoded, rng, gains):
    light = np.kron(rng.uniform(0.05, 0.6, (16, 16)), np.ones((8, 8)))
    numbers = measure(decoded(shaded(light, gains)))
    red, green, blue = gains
    for name in ("warmth", "gray_warmth", "shadow_warmth", "highlight_warmth"):
        assert numbers[name] == pytest.approx(math.log2(red / blue), abs=0.03)
    for name in ("tint", "gray_tint", "shadow_tint"):
        assert numbers[name] == pytest.approx(math.log2(green / math.sqrt(red * blue)), abs=0.03)


def test_a_cast_of_shadows_shows_there_and_one_of_highlights_there(measure, decoded):
    light = np.full((128, 128), 0.3)
    light[:40], light[-20:] = 0.05, 0.6
    pixels = shaded(light, (1, 1, 1))
    pixels[:40] *= (1.2, 1, 0.8)
    pixels[-20:] *= (0.8, 1, 1.1)
    numbers = measure(decoded(pixels))
    assert numbers["shadow_warmth"] == pytest.approx(math.log2(1.2 / 0.8), abs=0.05)
    assert numbers["highlight_warmth"] == pytest.approx(math.log2(0.8 / 1.1), abs=0.05)
    assert numbers["gray_warmth"] == pytest.approx(0, abs=0.01)


def test_grays_tell_the_white_balance_beside_colours(measure, decoded, rng):
    pixels = shaded(np.full((128, 128), 0.3), (1.1, 1, 0.9))
    pixels[:64] *= (1, 0.3, 0.2)
    numbers = measure(decoded(pixels))
    assert numbers["gray_warmth"] == pytest.approx(math.log2(1.1 / 0.9), abs=0.02)
    assert numbers["warmth"] > 1


def test_saturation_is_that_of_the_colours(measure, decoded):
    pixels = np.full((100, 100, 3), 0.4)
    pixels[:, :10] = (0.4, 0.1, 0.2)
    numbers = measure(decoded(pixels))
    assert numbers["saturation"] == pytest.approx(10 * 0.75, abs=0.5)
    assert numbers["vividness"] == pytest.approx(75, abs=1)


def test_what_is_clipped_says_nothing(measure, decoded):
    pixels = shaded(np.full((100, 100), 0.3), (1.2, 1, 0.8))
    pixels[:50] = 1
    assert measure(decoded(pixels))["warmth"] == pytest.approx(math.log2(1.2 / 0.8), abs=0.03)
    assert math.isnan(measure(np.full((64, 64), 255))["warmth"])
