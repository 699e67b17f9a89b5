"""The five cameras as data, and the cues by which they differ.

Each number of a camera belongs to one cue. A cue's scale moves that number on the line from the reference camera
(scale 0: all cameras alike) to the camera's own (scale 1) and beyond. A choice that is not a number (an algorithm, a
table) is the reference's at scale 0 and the camera's own at any other.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any


def _parameter(cue: str, low: float = -math.inf, high: float = math.inf) -> Any:
    """Declare a camera's parameter: the cue it belongs to, and the range in which it has a meaning."""
    return field(metadata={"cue": cue, "low": low, "high": high})


@dataclass(frozen=True)
class Camera:
    """Everything that sets one camera apart, in the order in which light passes it.

    Lengths in pixels are pixels of the photo. Radii are in units of the distance from the photo's centre to
    its corner. Signals and noise are fractions of the sensor's white level.
    """

    blur_sigma: float = _parameter("blur", 0.0)
    """Standard deviation of the Gaussian point spread function, pixels."""
    distortion_k1: float = _parameter("distortion", -0.03, 0.03)
    """First radial coefficient, positive for pincushion: a point at radius 1 is seen at 1 + k1."""
    red_magnification: float = _parameter("chromatic_aberration", -0.01, 0.01)
    """How much larger the red image is than the green one."""
    blue_magnification: float = _parameter("chromatic_aberration", -0.01, 0.01)
    """How much larger the blue image is than the green one."""
    vignetting: float = _parameter("vignetting", 0.0, 0.9)
    """Light lost in the corners, a fraction."""
    dust_opacity: float = _parameter("dust", 0.0, 1.0)
    """Light lost behind the middle of a dust spot, a fraction."""
    prnu: float = _parameter("prnu", 0.0, 0.2)
    """Standard deviation of the pixels' sensitivity."""
    shot_noise: float = _parameter("shot_noise", 0.0)
    """Standard deviation of the photon noise at white; its variance is proportional to the signal."""
    read_noise: float = _parameter("read_noise", 0.0)
    """Standard deviation of the signal-independent noise."""
    dark_current: float = _parameter("dark_current", 0.0, 1.0)
    """Mean dark signal, which differs from pixel to pixel."""
    defects: float = _parameter("hot_pixels", 0.0, 0.1)
    """Fraction of pixels stuck at white; a quarter as many again are stuck at black."""
    demosaicing: str = _parameter("demosaicing")
    """`bilinear`, `edge_aware` or `malvar`."""
    red_gain: float = _parameter("white_balance", 0.1, 10.0)
    """Red over green of a neutral grey in the finished photo, linear light."""
    blue_gain: float = _parameter("white_balance", 0.1, 10.0)
    """Blue over green of a neutral grey in the finished photo, linear light."""
    saturation: float = _parameter("colour_matrix", 0.0)
    """Colourfulness; 1 keeps colours as they are."""
    hue_degrees: float = _parameter("colour_matrix")
    """Rotation of all hues, degrees."""
    denoising: float = _parameter("denoising", 0.0, 1.0)
    """Weight of the bilateral filter's result, a fraction."""
    sharpening: float = _parameter("sharpening", 0.0)
    """Amount of the unsharp mask."""
    gamma: float = _parameter("tone_curve", 1.0)
    """Exponent 1 / gamma turns linear light into pixel values."""
    contrast: float = _parameter("tone_curve", 0.0, 1.0)
    """Weight of the S-curve 3x² - 2x³, a fraction."""
    jpeg_quality: float = _parameter("jpeg_quality", 1.0, 100.0)
    """Quality in the sense of the Independent JPEG Group, rounded to a whole number."""
    jpeg_subsampling: str = _parameter("jpeg_subsampling")
    """`4:4:4`, `4:2:2` or `4:2:0`."""
    jpeg_tables: str = _parameter("jpeg_tables")
    """Base quantisation tables: `standard`, `flat` or `steep`."""


CUES: tuple[str, ...] = tuple(dict.fromkeys(entry.metadata["cue"] for entry in fields(Camera)))
"""The names of all cues, in the order of the chain."""

REFERENCE = Camera(
    blur_sigma=0.65,
    distortion_k1=0.004,  # not 0: every photo is then interpolated, and with the cue off all in the same way
    red_magnification=0.0,
    blue_magnification=0.0,
    vignetting=0.12,
    dust_opacity=0.0,
    prnu=0.0,
    shot_noise=0.018,
    read_noise=0.004,
    dark_current=0.0,
    defects=0.0,
    demosaicing="bilinear",
    red_gain=1.0,
    blue_gain=1.0,
    saturation=1.0,
    hue_degrees=0.0,
    denoising=0.3,
    sharpening=0.5,
    gamma=2.2,
    contrast=0.1,
    jpeg_quality=90,
    jpeg_subsampling="4:2:0",
    jpeg_tables="standard",
)
"""The camera that all cameras become when every cue is off."""

CAMERAS: dict[str, Camera] = {
    "iPhone": Camera(
        blur_sigma=0.60,
        distortion_k1=0.002,
        red_magnification=0.0003,
        blue_magnification=-0.0003,
        vignetting=0.10,
        dust_opacity=0.0,
        prnu=0.004,
        shot_noise=0.010,
        read_noise=0.002,
        dark_current=0.001,
        defects=0.0,
        demosaicing="malvar",
        red_gain=1.08,
        blue_gain=0.96,
        saturation=1.00,
        hue_degrees=0.0,
        denoising=0.20,
        sharpening=0.40,
        gamma=2.2,
        contrast=0.10,
        jpeg_quality=96,
        jpeg_subsampling="4:2:0",
        jpeg_tables="flat",
    ),
    "Huawei": Camera(
        blur_sigma=0.64,
        distortion_k1=0.006,
        red_magnification=-0.0006,
        blue_magnification=0.0004,
        vignetting=0.14,
        dust_opacity=0.06,
        prnu=0.006,
        shot_noise=0.027,
        read_noise=0.006,
        dark_current=0.002,
        defects=0.00005,
        demosaicing="bilinear",
        red_gain=0.97,
        blue_gain=1.10,
        saturation=1.15,
        hue_degrees=2.0,
        denoising=0.35,
        sharpening=0.55,
        gamma=2.25,
        contrast=0.16,
        jpeg_quality=92,
        jpeg_subsampling="4:2:0",
        jpeg_tables="steep",
    ),
    "Samsung": Camera(
        blur_sigma=0.68,
        distortion_k1=0.005,
        red_magnification=0.0005,
        blue_magnification=0.0005,
        vignetting=0.12,
        dust_opacity=0.0,
        prnu=0.005,
        shot_noise=0.015,
        read_noise=0.003,
        dark_current=0.002,
        defects=0.0,
        demosaicing="edge_aware",
        red_gain=1.06,
        blue_gain=1.07,
        saturation=1.25,
        hue_degrees=-2.0,
        denoising=0.45,
        sharpening=0.65,
        gamma=2.2,
        contrast=0.20,
        jpeg_quality=84,
        jpeg_subsampling="4:2:2",
        jpeg_tables="standard",
    ),
    "Redmi": Camera(
        blur_sigma=0.67,
        distortion_k1=0.008,
        red_magnification=0.0010,
        blue_magnification=-0.0008,
        vignetting=0.18,
        dust_opacity=0.08,
        prnu=0.008,
        shot_noise=0.034,
        read_noise=0.008,
        dark_current=0.005,
        defects=0.00020,
        demosaicing="edge_aware",
        red_gain=0.92,
        blue_gain=1.00,
        saturation=0.92,
        hue_degrees=3.0,
        denoising=0.30,
        sharpening=0.50,
        gamma=2.15,
        contrast=0.08,
        jpeg_quality=88,
        jpeg_subsampling="4:2:0",
        jpeg_tables="standard",
    ),
    "Vivo": Camera(
        blur_sigma=0.62,
        distortion_k1=0.003,
        red_magnification=-0.0004,
        blue_magnification=-0.0008,
        vignetting=0.15,
        dust_opacity=0.05,
        prnu=0.008,
        shot_noise=0.021,
        read_noise=0.0045,
        dark_current=0.003,
        defects=0.00010,
        demosaicing="malvar",
        red_gain=1.00,
        blue_gain=0.90,
        saturation=1.10,
        hue_degrees=-3.0,
        denoising=0.40,
        sharpening=0.60,
        gamma=2.2,
        contrast=0.14,
        jpeg_quality=80,
        jpeg_subsampling="4:2:2",
        jpeg_tables="steep",
    ),
}
"""The cameras by name, in the order in which they photograph each bottle."""


def scaled_camera(name: str, cues: Mapping[str, float]) -> Camera:
    """Return a camera whose differences from the reference are scaled, cue by cue.

    Args:
        name: One of `CAMERAS`.
        cues: The scale of every one of `CUES`, at least 0.

    Returns:
        The camera. Numbers are kept within the range in which they have a meaning.
    """
    own = CAMERAS[name]
    scaled: dict[str, Any] = {
        entry.name: _scaled(
            getattr(REFERENCE, entry.name),
            getattr(own, entry.name),
            cues[entry.metadata["cue"]],
            entry.metadata,
        )
        for entry in fields(Camera)
    }
    return Camera(**scaled)


def with_cues(camera: Camera, other: Camera, cues: Collection[str]) -> Camera:
    """A camera that differs from one in some of `CUES` alone, which it has of another.

    Fixed patterns of a sensor (`prnu`, `hot_pixels`, `dark_current`, `dust`) stay those of its device, with the other
    camera's amplitude.
    """
    taken = {
        entry.name: getattr(other, entry.name) for entry in fields(Camera) if entry.metadata["cue"] in cues
    }
    return replace(camera, **taken)


def _scaled(reference: float | str, own: float | str, scale: float, limits: Mapping[str, Any]) -> float | str:
    if isinstance(reference, str) or isinstance(own, str):
        return own if scale > 0 else reference
    low, high = float(limits["low"]), float(limits["high"])
    return min(max(reference + scale * (own - reference), low), high)
