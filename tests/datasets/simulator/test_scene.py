import numpy as np

from camerabias.datasets.simulator.font import CHARACTERS, COLUMNS, ROWS, dots_of
from camerabias.datasets.simulator.scene import (
    CANVAS_MARGIN,
    PRINTERS,
    REGIONS,
    Printer,
    code_dots,
    draw_bottle,
    draw_canvas,
)


def test_characters_fill_their_grid_and_differ():
    grids = set()
    for character in CHARACTERS:
        dots = dots_of(character)
        assert dots.min() >= 0
        assert dots[:, 0].max() < COLUMNS
        assert dots[:, 1].max() == ROWS - 1
        grids.add(tuple(map(tuple, dots)))
    assert len(grids) == len(CHARACTERS)


def test_dots_of_an_l_stand_where_the_printer_says():
    steady = Printer(diameter=0.7, aspect=1.0, row_pitch=1.2, jitter=0.0)
    dots = code_dots(steady, ("L",), np.random.default_rng(0))
    assert len(dots) == ROWS + COLUMNS - 1
    width, height = np.ptp(dots, axis=0)
    np.testing.assert_allclose(height / width, 1.2 * (ROWS - 1) / (COLUMNS - 1), rtol=1e-5)
    np.testing.assert_allclose(dots.max(axis=0) + dots.min(axis=0), 0, atol=1e-6)


def test_the_code_says_nothing_about_the_manufacturer():
    first, second = (draw_bottle(0, 3, label) for label in PRINTERS)
    assert first.lines == second.lines
    assert first.albedo == second.albedo
    assert first.printer != second.printer


def test_ink_is_dark_and_the_regions_are_where_it_is():
    canvas = draw_canvas(0, 0, "manufacturer 1", 256)
    luma = canvas.radiance.mean(axis=2)
    code, plastic = canvas.regions == REGIONS["code"], canvas.regions == REGIONS["plastic"]
    assert luma[code].min() < 0.3 * np.median(luma[plastic])
    assert luma[plastic].min() > 0.5 * np.median(luma[plastic])


def test_a_bottle_looks_the_same_at_every_size():
    small, large = (draw_canvas(0, 1, "manufacturer 2", size) for size in (128, 512))
    side = len(small.regions)
    assert side == round(128 * (1 + 2 * CANVAS_MARGIN))
    share_small, share_large = (
        np.bincount(c.regions.ravel(), minlength=3) / c.regions.size for c in (small, large)
    )
    np.testing.assert_allclose(share_small, share_large, atol=0.01)
    np.testing.assert_allclose(small.radiance.mean(), large.radiance.mean(), rtol=0.02)
