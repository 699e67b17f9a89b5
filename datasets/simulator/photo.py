"""From a specification and an index to a photo: who holds which bottle before which camera, and the whole chain."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camerabias.datasets.sampling.rules import PAPER_DISJOINT
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.simulator import compression, optics, processing, sensor
from camerabias.datasets.simulator.cameras import CAMERAS, Camera, scaled_camera, with_cues
from camerabias.datasets.simulator.optics import Pose
from camerabias.datasets.simulator.scene import Canvas, draw_canvas
from camerabias.datasets.simulator.sensor import Device
from camerabias.datasets.simulator.spec import LABELS, SimulatorSpec
from camerabias.datasets.simulator.streams import SimulatorStream, generator

# Each photographer's habits: mean shift right and down (frame widths), rotation (radians) and exposure.
PHOTOGRAPHERS: dict[str, Pose] = {
    "photographer 1": Pose(shift=(-0.006, 0.004), rotation=-0.015, scale=1.00, exposure=1.00),
    "photographer 2": Pose(shift=(0.006, 0.000), rotation=0.010, scale=0.99, exposure=1.04),
    "photographer 3": Pose(shift=(0.000, -0.006), rotation=0.020, scale=1.01, exposure=0.97),
    "photographer 4": Pose(shift=(0.002, 0.006), rotation=-0.005, scale=1.00, exposure=1.01),
}


@dataclass(frozen=True)
class SimulatedImage:
    """A photo and the truth about it.

    Attributes:
        jpeg: The file's bytes, with the camera's name as EXIF make and model.
        label: `manufacturer 1` or `manufacturer 2`.
        camera: A key of `CAMERAS`.
        photographer: A key of `PHOTOGRAPHERS`; uncorrelated with label and camera.
        group: The bottle, such as `bottle-0007`.
        regions: What each pixel shows, a code of `REGIONS`, uint8, shape (size, size).
    """

    jpeg: bytes
    label: str
    camera: str
    photographer: str
    group: str
    regions: NDArray[np.uint8]


def simulate(
    spec: SimulatorSpec, index: int, other: str | None = None, cues: Collection[str] = ()
) -> SimulatedImage:
    """Simulate one photo.

    It depends on the specification's seed, size and cues and on the index, never on `spec.images` or on other photos.

    Args:
        spec: What to simulate.
        index: The photo's number: that of its bottle times five, plus that of its camera. Also of photos that the
            design excludes: what the other cameras would have made of the bottle.
        other: Another camera, whose `cues` take the place of the photo's own: the same bottle, pose and noise.
        cues: Some of `CUES`.

    Returns:
        The photo, the same to the bit for the same arguments.

    Raises:
        CamerabiasError: If there is no such photo.
    """
    n = spec.n_bottles * len(CAMERAS)
    if not 0 <= index < n:
        raise CamerabiasError(f"There is no photo {index}; this data set has photos 0 to {n - 1}.")
    bottle, camera_number = divmod(index, len(CAMERAS))
    name = list(CAMERAS)[camera_number]
    label = LABELS[bottle % len(LABELS)]
    photographer = list(PHOTOGRAPHERS)[
        bottle // len(LABELS) % len(PHOTOGRAPHERS)
    ]  # balanced over both labels
    camera = scaled_camera(name, spec.cues)
    if other is not None:
        camera = with_cues(camera, scaled_camera(other, spec.cues), cues)
    pixels, regions = photograph(
        draw_canvas(spec.seed, bottle, label, spec.size),
        draw_pose(
            PHOTOGRAPHERS[photographer], generator(spec.seed, SimulatorStream.POSE, bottle, camera_number)
        ),
        camera,
        sensor.draw_device(spec.seed, camera_number, spec.size),
        spec.size,
        generator(spec.seed, SimulatorStream.NOISE, bottle, camera_number),
    )
    jpeg = compression.encode(pixels, camera.jpeg_tables, camera.jpeg_quality, camera.jpeg_subsampling, name)
    return SimulatedImage(jpeg, label, name, photographer, f"bottle-{bottle:04d}", regions)


def photo_numbers(spec: SimulatorSpec) -> NDArray[np.int64]:
    """Which photos a data set holds: all, or of every bottle the one that its correlation deals it.

    Args:
        spec: The data set.

    Returns:
        int64 (spec.images,), numbers for `simulate`, ascending. The counts of a label's own and other cameras are
        exact (rounded), and cameras of one kind are dealt evenly.
    """
    if spec.correlation is None:
        return np.arange(spec.images, dtype=np.int64)
    cameras = np.empty(spec.images, dtype=np.int64)
    for label in range(len(LABELS)):
        bottles = np.arange(label, spec.images, len(LABELS))
        own, other = (_numbers_of(PAPER_DISJOINT[side]) for side in (label, 1 - label))
        n_own = round(len(bottles) * (1 + spec.correlation) / 2)
        dealt = np.concatenate([np.resize(own, n_own), np.resize(other, len(bottles) - n_own)])
        cameras[bottles] = generator(spec.seed, SimulatorStream.DESIGN, label).permutation(dealt)
    return np.arange(spec.images) * len(CAMERAS) + cameras


def _numbers_of(names: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([list(CAMERAS).index(name) for name in names])


def draw_pose(habit: Pose, rng: np.random.Generator) -> Pose:
    """Draw how a photographer holds a bottle this time: shift, rotation and scale by hand, and the exposure."""
    right, down = rng.uniform(-0.02, 0.02, size=2)
    return Pose(
        shift=(habit.shift[0] + right, habit.shift[1] + down),
        rotation=habit.rotation + rng.normal(0.0, 0.015),
        scale=habit.scale * rng.normal(1.0, 0.008),
        exposure=habit.exposure * rng.uniform(0.85, 1.15),
    )


def photograph(
    canvas: Canvas, pose: Pose, camera: Camera, device: Device, size: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pass a bottle's light through lens, sensor and on-board processing, up to the JPEG.

    Args:
        canvas: The bottle.
        pose: How it is held, and the exposure.
        camera: The chain's amplitudes and choices.
        device: The phone's fixed patterns.
        size: Width and height of the photo, pixels.
        rng: Source of the noise.

    Returns:
        The pixels (uint8, shape (size, size, 3), red first) and their regions (uint8, shape (size, size)).
    """
    blurred = Canvas(optics.blur(canvas.radiance, camera.blur_sigma), canvas.regions)
    light, regions = optics.project(
        blurred, pose, size, camera.distortion_k1, camera.red_magnification, camera.blue_magnification
    )
    light *= pose.exposure * optics.vignetting_map(size, camera.vignetting)
    light *= optics.dust_map(size, camera.dust_opacity, device.dust)
    return processing.develop(sensor.expose(light, camera, device, rng), camera), regions
