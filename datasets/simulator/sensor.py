"""The sensor: colour filter mosaic, photo-response non-uniformity, noise, dark current, and defect pixels.

Signals are fractions of the white level, before noise between 0 and about 1.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from camerabias.datasets.simulator.cameras import Camera
from camerabias.datasets.simulator.streams import SimulatorStream, generator

CHANNEL_RESPONSE = np.array([0.60, 1.00, 0.70], np.float32)
"""Sensitivity of the red, green and blue pixels to white light; white balance undoes it and amplifies the noise."""

BLACK_LEVEL, WHITE_LEVEL = 1024, 16383
"""Raw values of no light and of the brightest light, 14 bit. The noise around black is kept, as in real raw files."""

_DUST_SPOTS = 6
_DEAD_PER_HOT = 0.25


@dataclass(frozen=True)
class Device:
    """What is fixed in one particular phone, in the coordinates of its sensor. Amplitudes belong to the camera.

    Attributes:
        prnu: Sensitivity of each pixel, zero mean and unit variance, float32, shape (size, size).
        dark: Dark signal of each pixel, non-negative and of mean 1, float32, shape (size, size).
        defect: A number for each pixel, uniform in 0 to 1, float32, shape (size, size); the lowest are hot, the
            highest dead.
        dust: x, y and radius of the dust spots, frame widths, float32, shape (spots, 3).
    """

    prnu: NDArray[np.float32]
    dark: NDArray[np.float32]
    defect: NDArray[np.float32]
    dust: NDArray[np.float32]


@lru_cache(maxsize=8)  # all devices of a data set
def draw_device(seed: int, camera: int, size: int) -> Device:
    """Draw the fixed patterns of a phone at random.

    Args:
        seed: The data set's seed.
        camera: The camera's number.
        size: Width and height of the photo, pixels.

    Returns:
        The device, the same for the same arguments. Its arrays are shared: do not write to them.
    """
    rng = generator(seed, SimulatorStream.DEVICE, camera)
    dust = np.concatenate(
        [rng.uniform(0, 1, (_DUST_SPOTS, 2)), rng.uniform(0.02, 0.05, (_DUST_SPOTS, 1))], axis=1
    )
    return Device(
        prnu=rng.standard_normal((size, size), dtype=np.float32),
        dark=rng.standard_exponential((size, size), dtype=np.float32),
        defect=rng.random((size, size), dtype=np.float32),
        dust=dust.astype(np.float32),
    )


def mosaic(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keep one colour per pixel, in Bayer's order: red and green in even rows, green and blue in odd ones.

    Args:
        image: Shape (height, width, 3), height and width even.

    Returns:
        Shape (height, width).
    """
    raw = image[:, :, 1].copy()
    raw[0::2, 0::2] = image[0::2, 0::2, 0]
    raw[1::2, 1::2] = image[1::2, 1::2, 2]
    return raw


def noisy(
    signal: NDArray[np.float32], shot: float, read: float, dark: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Add dark current, photon noise and read noise.

    The variance is shot² × (signal + dark) + read², the Gaussian approximation of photon counts plus electronics
    (Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for single-image raw-data", 2008). The
    mean dark signal is subtracted again, as cameras do by their covered pixels; its pattern and its noise stay.

    Args:
        signal: Of each pixel, shape (height, width).
        shot: Standard deviation of the photon noise at white.
        read: Standard deviation of the read noise.
        dark: Dark signal of each pixel, same shape.
        rng: Source of the noise.

    Returns:
        The measured signal, same shape.
    """
    collected = signal + dark
    deviation = np.sqrt(np.float32(shot**2) * np.maximum(collected, 0) + np.float32(read**2))
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    return np.asarray(collected - dark.mean() + deviation * noise, np.float32)


def with_defects(
    signal: NDArray[np.float32], defect: NDArray[np.float32], fraction: float
) -> NDArray[np.float32]:
    """Return the signal with hot pixels at 1 and dead ones at 0; `fraction` is that of the hot ones."""
    alive = np.where(defect >= 1 - _DEAD_PER_HOT * fraction, np.float32(0), signal)
    return np.where(defect < fraction, np.float32(1), alive)


def digitised(signal: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return raw values between 0 and `WHITE_LEVEL`, uint16; the signals 0 and 1 become black and white level."""
    raw = np.rint(BLACK_LEVEL + signal * (WHITE_LEVEL - BLACK_LEVEL))
    return np.clip(raw, 0, WHITE_LEVEL).astype(np.uint16)


def expose(
    image: NDArray[np.float32], camera: Camera, device: Device, rng: np.random.Generator
) -> NDArray[np.uint16]:
    """Take a raw photo.

    Sensitivity multiplies the signal by 1 + K (Lukas, Fridrich and Goljan, "Digital camera identification from sensor
    pattern noise", 2006).

    Args:
        image: Light on the sensor, float32, shape (size, size, 3), 1 is white.
        camera: Amplitudes of the stages.
        device: Fixed patterns.
        rng: Source of the noise.

    Returns:
        Raw values, uint16, shape (size, size).
    """
    signal = mosaic(image * CHANNEL_RESPONSE) * (1 + np.float32(camera.prnu) * device.prnu)
    dark = np.float32(camera.dark_current) * device.dark
    signal = noisy(signal, camera.shot_noise, camera.read_noise, dark, rng)
    return digitised(with_defects(signal, device.defect, camera.defects))
