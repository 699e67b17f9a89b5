"""The lens: blur, radial distortion, lateral chromatic aberration, vignetting and dust.

Radii are in units of the distance from the photo's centre to its corner.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from camerabias.datasets.simulator.scene import Canvas

Map = NDArray[np.float32]  # x and y of points, shape (..., 2)


@dataclass(frozen=True)
class Pose:
    """How the bottle is held before the camera for one photo.

    Attributes:
        shift: Of the bottle's centre, (right, down), frame widths.
        rotation: Clockwise, radians.
        scale: Size of the bottle in the photo, about 1.
        exposure: Brightness of the photo, about 1.
    """

    shift: tuple[float, float]
    rotation: float
    scale: float
    exposure: float


def blur(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Convolve with a Gaussian point spread function.

    Args:
        image: Linear light, shape (height, width, 3).
        sigma: Standard deviation, pixels; 0 for none.

    Returns:
        The blurred image.
    """
    if sigma <= 0:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def undistort_points(points: Map, k1: float, magnification: float = 0.0) -> Map:
    """Find where a lens took the light for points of the photo.

    The inverse of Brown's radial model r' = r (1 + k1 r²) (D. C. Brown, "Decentering distortion of lenses", 1966),
    solved by fixed-point iteration.

    Args:
        points: Points of the photo relative to its centre, as radii, shape (..., 2).
        k1: Radial coefficient.
        magnification: How much larger than the ideal image this colour's image is.

    Returns:
        The points of the ideal image, same shape.
    """
    # a plane per coordinate: numpy takes several times as long for an axis of two
    right, down = target = [points[..., axis] / np.float32(1 + magnification) for axis in (0, 1)]
    for _ in range(4):  # the error shrinks by about 3 k1 < 0.1 each time
        stretched = 1 + np.float32(k1) * (right**2 + down**2)
        right, down = (along / stretched for along in target)
    return np.stack([right, down], axis=-1)


def photo_points(size: int) -> Map:
    """Return the centres of a photo's pixels relative to the photo's centre, as radii, shape (size, size, 2)."""
    along = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1) / np.float32(np.sqrt(2))
    return np.stack(np.meshgrid(along, along), axis=-1)


def canvas_pixels(ideal: Map, pose: Pose, size: int, side: int) -> Map:
    """Find the canvas pixels that an ideal lens shows at points of the photo.

    Args:
        ideal: Points relative to the photo's centre, as radii, shape (..., 2).
        pose: How the bottle is held.
        size: Width of the photo, pixels.
        side: Width of the canvas, pixels.

    Returns:
        Pixel coordinates on the canvas, same shape.
    """
    shift = np.array(pose.shift, np.float32)
    right, down = (ideal[..., axis] / np.float32(np.sqrt(2)) - shift[axis] for axis in (0, 1))
    cosine, sine = math.cos(pose.rotation), math.sin(pose.rotation)
    bottle = cosine * right + sine * down, cosine * down - sine * right
    return np.stack([along * (size / pose.scale) + (side - 1) / 2 for along in bottle], axis=-1)


def project(
    canvas: Canvas, pose: Pose, size: int, k1: float, red: float, blue: float
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Form the image of a bottle, with radial distortion and lateral chromatic aberration.

    Args:
        canvas: The bottle.
        pose: How it is held.
        size: Width and height of the photo, pixels.
        k1: Radial coefficient; see `undistort_points`.
        red: Excess magnification of the red image.
        blue: Excess magnification of the blue image.

    Returns:
        The image (linear light, float32, shape (size, size, 3)) and its regions as the green image shows them (uint8,
        shape (size, size)).
    """
    points, side = photo_points(size), len(canvas.regions)
    columns, rows = [], []
    for magnification in (red, 0.0, blue):
        pixels = canvas_pixels(undistort_points(points, k1, magnification), pose, size, side)
        columns.append(np.ascontiguousarray(pixels[..., 0]))
        rows.append(np.ascontiguousarray(pixels[..., 1]))
    planes = [
        cv2.remap(plane, column, row, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        for plane, column, row in zip(cv2.split(canvas.radiance), columns, rows, strict=True)
    ]
    regions = cv2.remap(
        canvas.regions, columns[1], rows[1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101
    )
    image = np.maximum(np.stack(planes, axis=-1), 0.0)  # cubic interpolation may undershoot
    return np.asarray(image, np.float32), np.asarray(regions, np.uint8)


def vignetting_map(size: int, falloff: float) -> NDArray[np.float32]:
    """Return the fraction of light that reaches each pixel: 1 - falloff r², shape (size, size, 1)."""
    right, down = np.moveaxis(photo_points(size), -1, 0)
    return np.asarray(1 - np.float32(falloff) * (right**2 + down**2), np.float32)[..., None]


def dust_map(size: int, opacity: float, spots: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the fraction of light that passes the dust on the lens.

    Args:
        size: Width of the photo, pixels.
        opacity: Light lost in the middle of a spot, 0 to 1.
        spots: x, y and radius of each spot, frame widths from the upper left corner, shape (spots, 3).

    Returns:
        Fractions, float32, shape (size, size, 1).
    """
    along = (np.arange(size, dtype=np.float32) + 0.5) / size
    passed = np.ones((size, size, 1), np.float32)
    for x, y, radius in spots:
        across = np.exp(-((along - x) ** 2) / (2 * radius**2))
        down = np.exp(-((along - y) ** 2) / (2 * radius**2))
        passed[:, :, 0] *= 1 - np.float32(opacity) * np.outer(down, across)
    return passed
