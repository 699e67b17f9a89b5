"""Cues that are named, and that no photo is brought to another level of."""

from camerabias.datasets.interventions.cue import CUES, CueSpec

CUES["sensor pattern"] = CueSpec(
    number=2,
    parameters=("prnu", "hot_pixels", "dark_current"),
    mitigation="blur_noise",
    full_strength={"prnu": 6, "hot_pixels": 6, "dark_current": 6},
    immovable="the pattern of each pixel is not measured on single photos, and another sensor's is not known",
)
CUES["geometry"] = CueSpec(
    number=7,
    parameters=("distortion",),
    mitigation=None,
    immovable="no single photo has enough straight lines to measure distortion on",
    words="lens distortion",
)
CUES["demosaicing"] = CueSpec(
    number=8,
    parameters=("demosaicing",),
    mitigation="blur_noise",
    immovable="which colours were interpolated, and how, cannot be taken back",
)
CUES["dust"] = CueSpec(
    number=11,
    parameters=("dust",),
    mitigation=None,
    immovable="what lies behind a spot is not known",
)
