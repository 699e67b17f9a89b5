"""The cues that have a name, and which of them can be moved in photos that are there already."""

from __future__ import annotations

CUES: dict[str, tuple[str, ...]] = {
    "white balance": ("white_balance", "colour_matrix"),
    "noise": ("shot_noise", "read_noise"),
    "sensor pattern": ("prnu", "hot_pixels", "dark_current"),
    "jpeg": ("jpeg_quality", "jpeg_tables", "jpeg_subsampling"),
    "denoising, sharpening": ("denoising", "sharpening"),
    "blur": ("blur",),
    "vignetting": ("vignetting",),
    "geometry": ("distortion",),
    "demosaicing": ("demosaicing",),
    "chromatic aberration": ("chromatic_aberration",),
    "tone": ("tone_curve",),
    "dust": ("dust",),
}
"""What a verdict calls them, and the simulator's cues (`SimulatorSpec.cues`) that are one of them."""


def probe_of(cue: str) -> str:
    """Name of the probe that moves a cue: `moved_white_balance`."""
    return f"moved_{'_'.join(cue.replace(',', '').split())}"


IMMOVABLE: dict[str, str] = {
    "sensor pattern": "the pattern of each pixel is not measured on single photos, and another sensor's is not known",
    "geometry": "no single photo has enough straight lines to measure distortion on",
    "demosaicing": "which colours were interpolated, and how, cannot be taken back",
    "dust": "what lies behind a spot is not known",
}
"""Cues that no photo is brought to another level of, and why."""
