"""A simulator of photos of bottle undersides by five cameras whose every difference is known and can be scaled."""

from camerabias.datasets.simulator.cameras import CAMERAS, CUES
from camerabias.datasets.simulator.photo import PHOTOGRAPHERS, SimulatedImage, photo_numbers, simulate
from camerabias.datasets.simulator.scene import REGIONS
from camerabias.datasets.simulator.spec import LABELS, SimulatorSpec, parse_cues, preset_spec

__all__ = [
    "CAMERAS",
    "CUES",
    "LABELS",
    "PHOTOGRAPHERS",
    "REGIONS",
    "SimulatedImage",
    "SimulatorSpec",
    "parse_cues",
    "photo_numbers",
    "preset_spec",
    "simulate",
]
