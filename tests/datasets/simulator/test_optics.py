import numpy as np
import pytest

from camerabias.datasets.simulator import optics
from camerabias.datasets.simulator.optics import Pose
from camerabias.datasets.simulator.scene import REGIONS, Canvas

STRAIGHT = Pose(shift=(0.0, 0.0), rotation=0.0, scale=1.0, exposure=1.0)


def dot_canvas(side, x, y):
    """A bright dot on a dark canvas, at pixel x, y."""
    column, row = np.meshgrid(np.arange(side), np.arange(side))
    spot = np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * 2.0**2)).astype(np.float32)
    return Canvas(
        np.repeat(spot[:, :, None], 3, axis=2), np.where(spot > 0.5, REGIONS["code"], 0).astype(np.uint8)
    )


def centroid(plane):
    rows, columns = np.indices(plane.shape)
    return np.array([(plane * columns).sum(), (plane * rows).sum()]) / plane.sum()


@pytest.mark.parametrize("k1", [-0.03, 0.004, 0.03])
def test_undistorted_points_are_the_inverse_of_browns_formula(k1):
    rng = np.random.default_rng(0)
    ideal = rng.uniform(-0.7, 0.7, (100, 2)).astype(np.float32)
    seen = ideal * (1 + k1 * (ideal**2).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(optics.undistort_points(seen, k1), ideal, atol=1e-5)


def test_a_dot_is_seen_where_the_formula_says():
    size, k1 = 200, 0.03
    canvas = dot_canvas(248, 180, 150)
    image, regions = optics.project(canvas, STRAIGHT, size, k1, red=0.01, blue=-0.01)
    half_diagonal = size / np.sqrt(2)
    ideal = (np.array([180, 150]) - (248 - 1) / 2) / half_diagonal
    seen = ideal * (1 + k1 * (ideal**2).sum())
    for channel, magnification in enumerate((0.01, 0.0, -0.01)):
        expected = seen * (1 + magnification) * half_diagonal + (size - 1) / 2
        np.testing.assert_allclose(centroid(image[:, :, channel]), expected, atol=0.05)
    np.testing.assert_allclose(centroid(regions.astype(float)), centroid(image[:, :, 1]), atol=0.5)


def test_the_pose_moves_turns_and_scales_the_bottle():
    size = 200
    canvas = dot_canvas(248, 123.5 + 40, 123.5)
    pose = Pose(shift=(0.05, -0.10), rotation=np.pi / 2, scale=1.1, exposure=1.0)
    image, _ = optics.project(canvas, pose, size, k1=0.0, red=0.0, blue=0.0)
    centre = (size - 1) / 2
    expected = [centre + 0.05 * size, centre - 0.10 * size + 1.1 * 40]  # clockwise: from the right to below
    np.testing.assert_allclose(centroid(image[:, :, 1]), expected, atol=0.05)


def test_blur_spreads_a_point_by_its_sigma():
    point = np.zeros((41, 41, 3), np.float32)
    point[20, 20] = 1
    spread = optics.blur(point, 2.0)[:, :, 0]
    variance = (spread.sum(axis=0) * (np.arange(41) - 20) ** 2).sum()
    assert spread.sum() == pytest.approx(1, abs=1e-4)
    assert np.sqrt(variance) == pytest.approx(2.0, rel=0.02)
    assert optics.blur(point, 0.0) is point


def test_vignetting_takes_its_fraction_in_the_corners():
    passed = optics.vignetting_map(400, 0.3)
    assert passed[0, 0, 0] == pytest.approx(0.7, abs=0.005)
    assert passed[200, 200, 0] == pytest.approx(1.0, abs=0.001)


def test_dust_darkens_its_place_alone():
    passed = optics.dust_map(100, 0.4, np.array([[0.3, 0.6, 0.03]], np.float32))[:, :, 0]
    assert np.unravel_index(passed.argmin(), passed.shape) in {(59, 29), (59, 30), (60, 29), (60, 30)}
    assert passed.min() == pytest.approx(0.6, abs=0.02)
    assert passed[0, 99] == pytest.approx(1.0)
